"""Speed of the synthetic school world beside generators of names and addresses: one command, all of them in turn.

    python benchmarks/synth.py                                   the whole otrack preset, then its peers, in turn
    python benchmarks/synth.py otrack 1000000 --rounds 3 --json  the same, and a million pupils, as JSON
    python benchmarks/synth.py 5000 --peer-rows 2000 --rounds 1  a try
    python benchmarks/synth.py --from a.json --write docs/speed_synth.md

Ours makes and writes every table of a world; a peer makes a name and an address for as many rows, and keeps nothing.
Everybody's machine differs: read the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import environments
import page
import tree
from risk import machine, rounded
from timing import Agreed, Run, Stays, Times, Told, compared, in_turn, memory_stalled_s

HERE = Path(__file__).parent
DATA = HERE / ".data"
_STALL = 0.5  # seconds without memory that a page tells of
HEADS = (
    "what",
    "rows",
    "first run",
    "median",
    "fastest to slowest",
    "rows a second",
    "peak",
    "ratio (lowest to highest)",
)
PEERS = {  # name in peers/names.py -> what it makes
    "faker": "Faker en_GB, first name, surname, address",
    "faker_unweighted": "Faker en_GB without weights, the same",
    "mimesis": "mimesis en-gb, first name, surname, street, town, postcode",
    "mimesis_line": "mimesis en-gb, first name, surname, street",
}

Job = dict[str, Any]


def main(words: Sequence[str] | None = None) -> None:
    """Run what is asked for, or read what was run before; print and write."""
    asked = _asked(words)
    if asked.earlier:
        results = merged([json.loads(path.read_text(encoding="utf-8")) for path in asked.earlier])
    else:
        about = machine(["mimesis"])
        about["versions"] |= {name: version(name) for name in ("Faker", "scipy")}
        jobs = [_measured(size, asked, words) for size in asked.sizes]
        results = {"schema": "otrack-risk/benchmark/1", "machine": about, "jobs": jobs}
    results = rounded(results)
    print(json.dumps(results, indent=2) if asked.json else text(results))
    if asked.json:
        print(text(results), file=sys.stderr)
    if asked.write:
        written(results | {"command": page.command("synth.py", words)}, asked.write)


def world(size: str, asked: argparse.Namespace) -> Job:
    """One world by ours, with each number of processes, and as many rows by the peers; in turn, then compared."""
    DATA.mkdir(exist_ok=True)
    found: dict[str, Job] = {}
    agreed = Agreed()
    with ExitStack() as stack:
        ours = {
            (name := _named(workers)): Run(partial(_made, name, size, workers, asked.limit, found))
            for workers in asked.workers or [None]
        }
        theirs = {
            f"{what}; {asked.peer_rows:,} rows, extrapolated": Run(stack.enter_context(_peer(name, asked)))
            for name, what in PEERS.items()
            if name in asked.peers
        }
        times = in_turn(ours | theirs, asked.rounds, agreed)
    first = next(iter(ours))
    if times[first].stopped:
        sys.exit(f"{first}: {times[first].stopped}")
    records = agreed.values["records"]
    times |= {name: _extrapolated(times[name], records / asked.peer_rows) for name in theirs}
    rows = compared(times, first, rows=records)
    for row in rows:
        row["rows_per_s"] = None if row["stopped"] else records / row["median_s"]
        row |= found.get(row["what"], {})
    return {"runs": rows, "answers": {name: agreed.values[name] for name in ("records", "rows", "tables", "mib")}}


def merged(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The worlds of several runs on one machine; the last run of a world counts."""
    if any(result["machine"] != results[0]["machine"] for result in results):
        sys.exit("--from: the runs are of different machines or versions; a page tells of one.")
    jobs = {job["job"]: job for result in results for job in result["jobs"]}
    return results[-1] | {"jobs": list(jobs.values())}


def text(results: Mapping[str, Any]) -> str:
    """All worlds as plain tables."""
    told = results["machine"]
    parts = [
        f"{told['processor']}, {told['cores']} cores, {told['memory_gib']} GiB, {told['system']}",
        ", ".join(f"{name} {number}" for name, number in told["versions"].items()),
        "",
    ]
    for job in results["jobs"]:
        lines = [HEADS, *map(cells, job["runs"])]
        widths = [max(len(line[place]) for line in lines) for place in range(len(HEADS))]
        parts.append(job["title"])
        parts += ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        parts += [f"  {line}" for line in notes(job)] + [""]
    return "\n".join(line.rstrip() for line in parts)


def cells(row: page.Row) -> tuple[str, ...]:
    """One run as the cells of a table."""
    what, rows, first, middle, span, peak, ratio = page.cells(row)
    a_second = "" if row["rows_per_s"] is None else f"{row['rows_per_s']:,.0f}"
    return (what, rows, first, middle, span, a_second, peak, ratio)


def notes(job: page.Row) -> list[str]:
    """What stands under the table of a world."""
    said = []
    if (stalled := job["memory_stalled_s"]) > _STALL:
        said.append(f"The machine was short of memory for {stalled:.1f} s of this: measure it again before quoting it.")
    made = job["answers"]
    said.append(
        f"The world: {made['tables']} tables of {made['rows']:,} rows, of which {made['records']:,} are records about "
        f"people; {made['mib']:,} MiB written. Only those records count as its rows here. Every run of ours wrote the "
        "same bytes."
    )
    for row in job["runs"]:
        if row.get("peaks_mib") is not None and not row["stopped"]:
            said.append(
                f"{row['what']}: {made['rows'] / row['median_s']:,.0f} rows of all tables a second. What each of its "
                f"processes held at most, if not at the same moment, is {row['peaks_mib']:,} MiB together."
            )
    return said


def written(results: Mapping[str, Any], path: Path) -> None:
    """Writes the page."""
    import jinja2

    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(loader=loader, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    made = environment.get_template("speed_synth.md.jinja").render(results, heads=HEADS, cells=cells, notes=notes)
    path.write_text(made, encoding="utf-8")


def _measured(size: str, asked: argparse.Namespace, words: Sequence[str] | None) -> Job:
    print(f"{size} ...", file=sys.stderr)
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    title = "The whole otrack preset" if size == "otrack" else f"The otrack preset with {int(size):,} pupils"
    about = {"job": size, "title": title, "command": page.command("synth.py", words), "load": load}
    stalled = memory_stalled_s()
    found = world(size, asked)
    about["memory_stalled_s"] = memory_stalled_s() - stalled
    return about | {"measured_on": datetime.now(UTC).date().isoformat()} | found


def _made(name: str, size: str, workers: int | None, limit: float, found: dict[str, Job]) -> Told:
    """One world by the command line, from the start of Python to its end; what it wrote is read and thrown away."""
    asked = [] if size == "otrack" else ["--pupils", size]
    asked += [] if workers is None else ["--workers", str(workers)]
    with TemporaryDirectory(dir=DATA) as place:
        out = Path(place) / "world"
        words = [sys.executable, "-m", "otrack_risk", "synth", out, "--preset", "otrack", *asked, "--seed", "1"]
        ran = tree.run([*words, "--json", "--quiet"], limit)
        result = json.loads(ran.said)["result"]
        digest, size_mib = _content(out)
    rows = result["tables"]
    answer = {"records": result["records"], "rows": sum(rows.values()), "tables": len(rows), "mib": size_mib}
    if ran.peaks_mib is not None:
        before = found.get(name, {}).get("peaks_mib", 0)
        found[name] = {"peaks_mib": max(ran.peaks_mib, before)}
    return Told(ran.seconds, answer | {"content": digest}, ran.peak_mib)


def _content(folder: Path) -> tuple[str, int]:
    """A hash of every file's name and bytes, and the MiB of all."""
    told, size = hashlib.sha256(), 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        told.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        with path.open("rb") as file:
            told.update(hashlib.file_digest(file, "sha256").digest())
        size += path.stat().st_size
    return told.hexdigest(), round(size / 2**20)


def _peer(name: str, asked: argparse.Namespace) -> Stays:
    apart = name.partition("_")[0] == "mimesis"  # Faker is among what we pin ourselves
    interpreter = environments.python("mimesis") if apart else Path(sys.executable)
    return Stays([interpreter, HERE / "peers" / "names.py", name, str(asked.peer_rows)], asked.limit)


def _extrapolated(times: Times, factor: float) -> Times:
    """The same times for so many times the rows: each row costs a peer what the one before did."""
    first = None if times.first_s is None else times.first_s * factor
    seconds = {number: value * factor for number, value in times.seconds.items()}
    return Times(first, times.slow, seconds, times.peak_mib, times.stopped)


def _named(workers: int | None) -> str:
    number = workers or os.cpu_count() or 1
    return f"otrack_risk synth, {f'up to {number} processes' if number > 1 else 'one process'}"


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", metavar="SIZE", help="otrack, its whole preset; or its pupils, a number")
    parser.add_argument("--rounds", type=int, default=5, help="counted; one more goes before them")
    parser.add_argument("--workers", type=_numbers, help="processes of ours, such as 1,2; one a core where not given")
    parser.add_argument("--peers", type=_words, default=list(PEERS), help=f"of {','.join(PEERS)}")
    parser.add_argument("--peer-rows", type=int, default=20_000, help="of which a peer's time is extrapolated")
    parser.add_argument("--limit", type=float, default=1_200, help="seconds that one run may take")
    parser.add_argument("--json", action="store_true", help="the document, and the table beside it on standard error")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="such as docs/speed_synth.md")
    parser.add_argument("--from", dest="earlier", nargs="+", type=Path, metavar="JSON", help="what --json printed")
    asked = parser.parse_args(words)
    asked.sizes = asked.sizes or ["otrack"]
    for size in asked.sizes:
        if size != "otrack" and not (size.isdigit() and int(size)):
            parser.error(f"SIZE: '{size}' is neither otrack nor a number of pupils.")
    if unknown := [name for name in asked.peers if name not in PEERS]:
        parser.error(f"--peers: '{unknown[0]}' is none of {', '.join(PEERS)}.")
    if min(asked.rounds, asked.peer_rows, *(asked.workers or [1])) < 1:
        parser.error("--rounds, --workers, --peer-rows: give 1 or more.")
    return asked


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _numbers(text: str) -> list[int]:
    return [int(word) for word in _words(text)]


if __name__ == "__main__":
    main()
