"""The report folder: pages, results, figures with their tables, and a manifest of every file.

All content is made in memory and checked there, so that nothing is written where a check fails; then
it is put in its place whole (:mod:`otrack_risk.report.whole`). The same inputs, parameters and code
give the same bytes, but for ``run.log``, which says when, where and how long.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from otrack_risk import reference
from otrack_risk.display import tables
from otrack_risk.errors import ReportError
from otrack_risk.report import checks, whole
from otrack_risk.report import crate as ro_crate
from otrack_risk.report.identity import Identity, identify
from otrack_risk.report.page import About, Page, ShownResult, overview, render
from otrack_risk.report.trail import calls

SCHEMA = "otrack-risk/manifest/1"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig.json"
LOG = "run.log"
OUTSIDE = (MANIFEST, SIGNATURE, LOG)  # what a manifest does not list
UNDATED = "1970-01-01"  # in the crate, where no result says for which day it speaks
# The keys that results.json has at its top, by the contract.
LIFTED = ("exposure", "risk", "access", "severity", "notification")
QUESTIONS = (
    ("How many people?", "people_exposed"),
    ("What was in it?", "fields_exposed"),
    ("How findable is each?", "risk"),
    ("Who could see them?", "access"),
    ("How bad is that?", "severity"),
    ("Who must be told, by when?", "notification"),
    ("What is not known?", "unknowns"),
)


def write(
    out: Path,
    executed: Mapping[str, Any],
    pages: Sequence[Page],
    about: About,
    document: Mapping[str, Any],
    not_measured: dict[str, str],
    *,
    identity: Identity | None = None,
    log: RunLog | None = None,
    places: Iterable[Path] = (),
) -> Path:
    """Write the whole report; the path of its ``index.html``.

    Parameters
    ----------
    out : the report folder; replaced if it is an earlier report, refused if it is anything else
    executed : the cleaned notebooks, by name
    document : schema, tool, input, parameters: the head of ``results.json``
    identity : which run this is; that of the document's inputs and parameters if None
    log : when it began and what took how long; no ``run.log`` without it
    places : folders of the data, whose names no file may tell

    Raises
    ------
    ReportError
        A check failed, or ``out`` holds something else; nothing is written then.
    """
    claim(out)
    identity = identity or identify(document["input"], document["parameters"])
    files = content(executed, pages, about, document, not_measured, identity, [out.resolve().parent, *places])
    private = {} if log is None else {LOG: log.text(identity.run_id).encode()}
    whole.place(out, files, private)
    return out / "index.html"


def content(
    executed: Mapping[str, Any],
    pages: Sequence[Page],
    about: About,
    document: Mapping[str, Any],
    not_measured: dict[str, str],
    identity: Identity,
    places: Iterable[Path] = (),
) -> dict[str, bytes]:
    """Every file of the pack but ``run.log``, by path, checked; the parameters are those of :func:`write`."""
    import nbformat

    about = dataclasses.replace(about, run_id=identity.run_id)
    shown = [result for one in pages for result in one.results]
    body = {**document, **results(shown, not_measured, about)}
    files: dict[str, bytes] = {}
    made_by: dict[str, str] = {}
    for one in pages:
        own = {
            f"{one.name}.html": render(one, pages, about),
            f"{one.name}.ipynb": nbformat.writes(executed[one.name]) + "\n",
        }
        for result in one.results:
            own |= _of_result(result, about)
        files |= {path: text.encode() for path, text in own.items()}
        made_by |= dict.fromkeys(own, one.name)
    files["index.html"] = overview(pages, about, QUESTIONS, not_measured | open_questions(shown)).encode()
    files["results.json"] = as_json(body)
    files["report.pdf"] = _pdf(pages, about, body, identity.run_id)
    day = next((str(r.record["as_of"])[:10] for r in shown if isinstance(r.record, dict) and "as_of" in r.record), "")
    day = day if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else UNDATED
    files[ro_crate.NAME] = as_json(ro_crate.crate(files, made_by, about.title, day, identity))
    files[MANIFEST] = as_json(
        sealed(
            {
                "schema": SCHEMA,
                "run_id": identity.run_id,
                "tool": identity.tool,
                "input": identity.inputs,
                "beside": identity.beside,
                "parameters": identity.parameters,
                "seeds": identity.seeds,
                "libraries": identity.libraries,
                "checks": checks.passed(executed, pages, files, places),
                "skipped": _skipped(identity.inputs),
                "suppressed": _suppressed(shown),
                "not_measured": not_measured | open_questions(shown),
                "figures": _trail(executed, pages, about),
                "files": [
                    {"path": path, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
                    for path, data in sorted(files.items())
                ],
            }
        )
    )
    return files


def claim(out: Path) -> None:
    """Remove what killed runs left beside a place, and refuse it where it holds what is not a report of ours.

    Raises
    ------
    ReportError
        A file; a folder with files but no manifest of a report; or a report with files that its
        manifest does not list, which would be lost.
    """
    whole.sweep(out)
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        manifest = json.loads((out / MANIFEST).read_bytes())
        listed = {entry["path"] for entry in manifest["files"]} if "tool" in manifest else None
    except (OSError, ValueError, KeyError, TypeError):
        listed = None
    if listed is None:
        raise ReportError(f"'{out.name}' exists and is not a report.", "name another folder with --out.")
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
    if more := sorted(found - listed - set(OUTSIDE)):
        raise ReportError(
            f"'{out.name}' holds what is not of the report, such as {more[0]}; it would be lost.",
            "move it elsewhere, or name another folder with --out.",
        )


@dataclasses.dataclass(frozen=True)
class RunLog:
    """When a run began, and what took how long; kept out of the manifest, since no two runs share it."""

    started: datetime
    steps: Sequence[tuple[str, float]]  # what was done, and its seconds

    def text(self, run_id: str) -> str:
        """The file: a line a fact, and last the SHA-256 of the lines before."""
        import platform

        lines = [
            f"run {run_id}",
            f"started {self.started.isoformat(timespec='seconds')}",
            f"ended {datetime.now(UTC).isoformat(timespec='seconds')}",
            f"host {platform.node()}, {platform.system()} {platform.machine()}",
            *(f"{seconds:.1f} s: {what}" for what, seconds in self.steps),
        ]
        said = "".join(f"{line}\n" for line in lines)
        return f"{said}sha256 {hashlib.sha256(said.encode()).hexdigest()}\n"


def results(shown: Sequence[ShownResult], not_measured: dict[str, str], about: About) -> dict[str, object]:
    """The body of ``results.json``: the contract's keys, then every result shown, page by page.

    A result that stands under a contract's key is not written twice: its entry says ``at``.
    """
    top: dict[str, Any] = dict.fromkeys(LIFTED)
    entries = []
    not_measured = not_measured | open_questions(shown)
    for result in shown:
        entry: dict[str, Any] = {"id": result.id, "page": result.page, "key": result.key, "question": result.heading}
        record = result.record["rules"] if result.key == "notification" else result.record
        if result.key in top and top[result.key] is None:
            top[result.key] = record
        if result.key in top and top[result.key] == record:
            entry["at"] = result.key
        else:
            entry["record"] = record
        entry |= _paths(result, about)
        entries.append({**entry, "sentence": result.sentence})
    return {**top, "controls": [], "loss": None, "not_measured": not_measured, "shown": entries}


def open_questions(shown: Sequence[ShownResult]) -> dict[str, str]:
    """The questions that were not asked of this data, with the reason."""
    return {result.record["question"]: result.record["reason"] for result in shown if result.key == "not_looked_for"}


def as_json(content: object) -> bytes:
    """The one form in which the pack's JSON is written; NaN and Infinity are refused."""
    text = json.dumps(tables.plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8")


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with ``manifest_sha256`` last: the SHA-256 of what :func:`as_json` makes of all before it.

    It finds an accident, not an attacker, who can compute it too; against those there is the signature.
    """
    bare = {name: value for name, value in manifest.items() if name != "manifest_sha256"}
    return {**bare, "manifest_sha256": hashlib.sha256(as_json(bare)).hexdigest()}


def _pdf(pages: Sequence[Page], about: About, document: Mapping[str, Any], run_id: str) -> bytes:
    from otrack_risk.report.pdf import pdf

    return pdf(pages, about, document, run_id, QUESTIONS)


def _paths(result: ShownResult, about: About) -> dict[str, str]:
    """Where the figure and the table of a result lie; what it does not have is left out."""
    paths = {}
    if result.figure:
        paths["figure"] = about.path("figures", f"{result.stem}.svg")
    if result.table["rows"]:
        paths["table"] = about.path("tables", f"{result.stem}.csv")
    return paths


def _of_result(result: ShownResult, about: About) -> dict[str, str]:
    """The files of one result: text by path."""
    paths = _paths(result, about)
    files = {paths["figure"]: result.figure} if "figure" in paths else {}
    if "table" in paths:
        files[paths["table"]] = tables.as_csv(**result.table)
    for name, text in result.files.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise ReportError(f"result {result.id}: a further file has no plain name.", "name it with letters and -.")
        files[about.path("files", f"{result.id}-{name}")] = text
    return files


def _trail(executed: Mapping[str, Any], pages: Sequence[Page], about: About) -> list[dict[str, object]]:
    """Each result, with its figure and table, the function that made it, the cell, and where its method is from."""
    sources = {entry["key"]: entry["source"] for entry in reference.load("explanations").entries["explanation"]}
    return [
        {
            "id": result.id,
            "key": result.key,
            "figure": None,
            "table": None,
            **_paths(result, about),
            "function": function,
            "cell": f"{page.name}.ipynb, code cell {number}",
            "source": sources.get(result.key),
        }
        for page in pages
        for result, (number, function) in zip(page.results, calls(executed[page.name]), strict=True)
    ]


def _skipped(inputs: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    by_table = {str(entry["name"]): entry.get("skipped") or 0 for entry in inputs}
    return {"rows": sum(by_table.values()), "by_table": {name: rows for name, rows in by_table.items() if rows}}


def _suppressed(shown: Iterable[ShownResult]) -> dict[str, object]:
    """How many counts of people are hidden in each result's record, by its ID."""

    def hidden(value: object) -> int:
        if isinstance(value, Mapping):
            return 1 if value.get("hidden") is True else sum(hidden(part) for part in value.values())
        return sum(hidden(part) for part in value) if isinstance(value, list | tuple) else 0

    by_result = {result.id: hidden(result.record) for result in shown}
    return {"counts": sum(by_result.values()), "by_result": {name: count for name, count in by_result.items() if count}}
