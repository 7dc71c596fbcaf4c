"""What must hold before a pack is written: every cell ran, every number explained, no place on this machine told."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from otrack_risk import reference
from otrack_risk.errors import ReportError
from otrack_risk.report.page import Page, ShownResult

# Where people and systems keep files; what may stand before and after is looked at only where one of these is found.
_ROOTS = (b"/home/", b"/Users/", b"/root/", b"/tmp/", b"/private/", b"/var/", b"/mnt/", b"/srv/", b"/opt/")
_ROOTS_ON_WINDOWS = (b":\\Users\\", b":\\\\Users\\\\", b":\\Temp\\", b":\\\\Temp\\\\")
_INSIDE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+/=")  # a word, or base64


def passed(
    executed: Mapping[str, Any], pages: Sequence[Page], content: Mapping[str, bytes], places: Iterable[Path] = ()
) -> list[dict[str, object]]:
    """Each check and how much it looked at, for the manifest: ``{"check", "looked_at", "passed": True}``.

    Parameters
    ----------
    executed : the executed notebooks, by name
    content : every file of the pack so far, by path
    places : folders whose names must stand in no file, besides this machine's own

    Raises
    ------
    ReportError
        A check failed. It names the notebook, cell, result or file, and quotes nothing.
    """
    cells = [(name, cell) for name, notebook in executed.items() for cell in notebook.cells]
    shown = [result for page in pages for result in page.results]
    _every_cell_ran(cells)
    _every_result_is_explained(shown)
    _every_figure_has_its_table(shown)
    _no_place_is_told(content, places)
    looked_at = {
        "every cell ran": len(cells),
        "every result has its explanation": len(shown),
        "every figure has its table": sum(bool(result.figure) for result in shown),
        "no absolute path and no home folder in any file": len(content),
    }
    return [{"check": name, "looked_at": number, "passed": True} for name, number in looked_at.items()]


def _every_cell_ran(cells: Iterable[tuple[str, Any]]) -> None:
    code = [(name, cell) for name, cell in cells if cell.cell_type == "code" and cell.source.strip()]
    for number, (name, cell) in enumerate(code, start=1):
        failed = any(output.output_type == "error" for output in cell.outputs)
        if failed or cell.execution_count is None:
            raise ReportError(
                f"notebook {name}: code cell {number} of all {'failed' if failed else 'did not run'}.",
                "run the notebooks again; no page was written.",
            )


def _every_result_is_explained(shown: Iterable[ShownResult]) -> None:
    explained = {entry["key"] for entry in reference.load("explanations").entries.get("explanation", [])}
    for result in shown:
        if result.key not in explained:
            raise ReportError(
                f"result {result.id} of {result.page}: '{result.key}' has no explanation.",
                "add its entry to reference/explanations.toml.",
            )


def _every_figure_has_its_table(shown: Iterable[ShownResult]) -> None:
    for result in shown:
        if result.figure and not result.table["rows"]:
            raise ReportError(
                f"result {result.id} of {result.page} has a figure and no table.",
                "give its table() the numbers that its figure() draws.",
            )


def _no_place_is_told(content: Mapping[str, bytes], places: Iterable[Path]) -> None:
    here = [form for place in _here(places) for form in _as_written(place)]
    for path, data in content.items():
        # The packed bytes of a PDF can be anything, so no short word is looked for in them.
        if path.endswith(".pdf"):
            told = any(_whole_word(data, place) for place in here if len(place) > 8)
        else:
            told = (
                any(_whole_word(data, place) for place in here)
                or any(_begins(data, root) for root in _ROOTS)
                or any(root in data for root in _ROOTS_ON_WINDOWS)
            )
        if told:
            raise ReportError(
                f"{path} would tell where a file or folder lies on a machine.",
                "look for a path in the data's names, the scenario or the parameters; no page was written.",
            )


def _here(places: Iterable[Path]) -> list[str]:
    """The folders of this machine and this run, but for a root such as ``/``."""
    own = [Path.home(), Path.cwd(), Path(tempfile.gettempdir()), Path(sys.prefix), Path(__file__).parent.parent]
    return sorted({str(place.absolute()) for place in [*own, *places] if len(place.absolute().parts) > 1})


def _as_written(place: str) -> set[bytes]:
    """The place as text, and as JSON has it."""
    return {os.fsencode(place), os.fsencode(place.replace("\\", "\\\\"))}


def _whole_word(data: bytes, word: bytes) -> bool:
    """Whether the word stands in the data with no word before it or after it."""
    return any(data[end : end + 1] in b"/\\" or data[end] not in _INSIDE for end in _ends(data, word))


def _begins(data: bytes, root: bytes) -> bool:
    """Whether a path from the root stands in the data: not in markup, an address or base64, and with a name after."""
    return any(data[end : end + 1] and data[end] in _INSIDE for end in _ends(data, root, b"<.:-"))


def _ends(data: bytes, word: bytes, but: bytes = b"") -> Iterable[int]:
    """Where the word ends, each time that no letter of a word, or of ``but``, is before it."""
    start = data.find(word)
    while start >= 0:
        if start == 0 or (data[start - 1] not in _INSIDE and data[start - 1] not in but):
            yield start + len(word)
        start = data.find(word, start + 1)
