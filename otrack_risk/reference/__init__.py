"""Load a table of law, roles or statistics with its citation, or refuse it.

A table is ``NAME.toml`` or ``NAME.csv`` beside this file. A TOML table opens with
``[table]`` (``title``, ``source``, ``checked_on``, ``review_by``); a CSV table has the same
four facts in ``NAME.csv.toml``. Every entry may carry ``status``: ``quoted``,
``derived`` (with ``working``) or ``assumed`` (with ``because``).
"""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from otrack_risk.errors import ReferenceTableError

_REQUIRED = ("title", "source", "checked_on", "review_by")
_STATUS_NEEDS = {"quoted": None, "derived": "working", "assumed": "because"}


@dataclass(frozen=True)
class ReferenceTable:
    """A dated table and its citation."""

    name: str
    title: str
    source: str  # the publication, or who assumed the values
    checked_on: date  # the day on which a person compared the table with its source
    review_by: date
    entries: dict[str, list[dict[str, Any]]]  # by TOML array name; a CSV has one, "row"

    def stale(self, as_of: date) -> bool:
        """Whether the table should have been reviewed before ``as_of``."""
        return as_of > self.review_by

    def citation(self) -> str:
        """One line for a page: title, source, the day it was checked, and when it must be again."""
        return f"{self.title}: {self.source} (checked {self.checked_on}, review by {self.review_by})"

    def assumed(self) -> list[dict[str, Any]]:
        """The entries that are this project's own assumption, for the page to name."""
        return [entry for rows in self.entries.values() for entry in rows if entry.get("status") == "assumed"]


@cache
def load(name: str) -> ReferenceTable:
    """The table ``name``, for example ``"severity_enisa"``.

    Raises
    ------
    ReferenceTableError
        No such table, no source or date, an unknown status, or a status without its ground.
    """
    folder = files(__package__)
    if (document := folder / f"{name}.toml").is_file():
        content = tomllib.loads(document.read_text(encoding="utf-8"))
        head = content.pop("table", {})
        entries = {key: value for key, value in content.items() if isinstance(value, list)}
    elif (document := folder / f"{name}.csv").is_file():
        about = tomllib.loads((folder / f"{name}.csv.toml").read_text(encoding="utf-8"))
        head = about["table"]
        entries = {"row": list(csv.DictReader(document.read_text(encoding="utf-8").splitlines()))}
    else:
        raise ReferenceTableError(f"there is no reference table '{name}'.", "see the files of otrack_risk/reference/.")
    return check(name, head, entries)


def check(name: str, head: dict[str, Any], entries: dict[str, list[dict[str, Any]]]) -> ReferenceTable:
    """Refuse a table without source, date, or ground for what it assumes."""
    if missing := [key for key in _REQUIRED if not head.get(key)]:
        raise ReferenceTableError(
            f"reference table '{name}' lacks {', '.join(missing)} under [table].", "write where the values come from."
        )
    for array, rows in entries.items():
        for number, row in enumerate(rows, start=1):
            status = row.get("status", "quoted")
            if status not in _STATUS_NEEDS:
                raise ReferenceTableError(
                    f"reference table '{name}', {array} {number}: status is none of {', '.join(_STATUS_NEEDS)}.",
                    "correct the status.",
                )
            if (ground := _STATUS_NEEDS[status]) and not row.get(ground):
                raise ReferenceTableError(
                    f"reference table '{name}', {array} {number}: status '{status}' without '{ground}'.",
                    f"write the ground under '{ground}'.",
                )
    return ReferenceTable(name=name, entries=entries, **{key: head[key] for key in _REQUIRED})
