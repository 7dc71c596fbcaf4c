"""The report folder: pages, results, figures with their tables, and a manifest of every file.

The folder is written beside its place under another name and moved there whole, so that a reader
finds the old report or the new one, never half of one.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from otrack_risk.display import tables
from otrack_risk.errors import ReportError
from otrack_risk.report.page import About, Page, ShownResult, overview, render

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
    document: Mapping[str, object],
    not_measured: dict[str, str],
) -> Path:
    """Write the whole report; the path of its ``index.html``.

    Parameters
    ----------
    out : the report folder; replaced if it is an earlier report, refused if it is anything else
    executed : the cleaned notebooks, by name
    document : schema, tool, input, parameters: the head of ``results.json``
    """
    import nbformat

    claim(out)
    new = out.with_name(f".{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    for folder in (new, new / "figures", new / "tables"):
        folder.mkdir(parents=True)
    for one in pages:
        _put(new / f"{one.name}.html", render(one, pages, about))
        _put(new / f"{one.name}.ipynb", nbformat.writes(executed[one.name]) + "\n")
        for result in one.results:
            if result.figure:
                _put(new / "figures" / f"{result.stem}.svg", result.figure)
            if result.table["rows"]:
                _put(new / "tables" / f"{result.stem}.csv", tables.as_csv(**result.table))
    shown = [result for one in pages for result in one.results]
    _put(new / "index.html", overview(pages, about, QUESTIONS, not_measured | open_questions(shown)))
    _put(new / "results.json", _json({**document, **results(shown, not_measured)}))
    _put(new / "manifest.json", _json({"tool": document["tool"], "input": document["input"], "files": _hashes(new)}))
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)
    return out / "index.html"


def claim(out: Path) -> None:
    """Refuse a place that holds something which is not a report of ours.

    Raises
    ------
    ReportError
        A file, or a folder with files but no manifest of a report.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "manifest.json").is_file())):
        raise ReportError(f"'{out.name}' exists and is not a report.", "name another folder with --out.")


def results(shown: Sequence[ShownResult], not_measured: dict[str, str]) -> dict[str, object]:
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
        if result.figure:
            entry["figure"] = f"figures/{result.stem}.svg"
        if result.table["rows"]:
            entry["table"] = f"tables/{result.stem}.csv"
        entries.append({**entry, "sentence": result.sentence})
    return {**top, "controls": [], "loss": None, "not_measured": not_measured, "shown": entries}


def open_questions(shown: Sequence[ShownResult]) -> dict[str, str]:
    """The questions that were not asked of this data, with the reason."""
    return {result.record["question"]: result.record["reason"] for result in shown if result.key == "not_looked_for"}


def _put(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def _json(content: object) -> str:
    return json.dumps(tables.plain(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _hashes(folder: Path) -> list[dict[str, object]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        {
            "path": path.relative_to(folder).as_posix(),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in files
    ]
