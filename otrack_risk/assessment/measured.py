"""What was measured of one data set, as an impact assessment takes it up: one bundle of results and the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from otrack_risk import reference
from otrack_risk.access import Access
from otrack_risk.assessment.severity import Severity, children_among, filled_categories
from otrack_risk.display import tables
from otrack_risk.display.results import NotLookedFor, Shown
from otrack_risk.display.tables import Count, Hidden
from otrack_risk.errors import ParameterError
from otrack_risk.schema import Catalogue

FOUND, NONE_FOUND, NOT_LOOKED_FOR = "found", "none found", "not looked for"


@dataclass(frozen=True)
class Measured:
    """The results that an impact assessment rests on.

    ``exposure`` and ``risk`` are those of :func:`~otrack_risk.exposure.exposure_scope` and
    :func:`~otrack_risk.risk.measure`; only their records are read.
    """

    as_of: date  # the day that the assessment speaks for
    exposure: Shown
    risk: Shown
    access: Access | NotLookedFor
    severity: Severity
    catalogue: Catalogue
    synthetic: bool = False  # whether the data were made by this package: every file says so

    @cached_property
    def exposed(self) -> Mapping[str, Any]:
        """The record of the exposure."""
        return self.exposure.record()

    @cached_property
    def findable(self) -> Mapping[str, Any]:
        """The record of the risk."""
        return self.risk.record()

    @cached_property
    def categories(self) -> set[str]:
        """The data categories that hold anything."""
        return filled_categories(self.exposed)

    @property
    def children(self) -> bool | None:
        """Whether children are among the people; None: not known."""
        return children_among(self.exposed)

    @property
    def special(self) -> Count:
        """Children of whom at least one special category fact is stated."""
        count: Count = self.exposed.get("children_special_category")
        return count

    @cached_property
    def findings(self) -> dict[str, tuple[str, Count]]:
        """Findings of access by check: the severest kind, and how many."""
        if isinstance(self.access, NotLookedFor):
            return {}
        found: dict[str, tuple[str, Count]] = {}
        for entry in self.access.findings_table().record()["findings"]:
            found.setdefault(entry["id"], (entry["severity"], entry["accounts"]))
        return found

    def checked(self, *checks: str) -> str:
        """Whether any of these checks of access found something, none did, or not all could be made."""
        if isinstance(self.access, NotLookedFor):
            return NOT_LOOKED_FOR
        if any(check in self.findings for check in checks):
            return FOUND
        unasked = self.access.findings_table().record()["not_looked_for"]
        return NOT_LOOKED_FOR if any(check in unasked for check in checks) else NONE_FOUND

    def filled(self, *categories: str) -> int:
        """How many columns of these categories hold anything, or may."""
        fields = self.exposed.get("fields") or []
        return sum(field["category"] in categories and field.get("filled_share") != 0 for field in fields)

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Measured:
        """The same with small counts hidden; what was decided from exact numbers is kept elsewhere."""
        return replace(
            self,
            exposure=self.exposure.published(hide_below),
            risk=self.risk.published(hide_below),
            access=self.access.published(hide_below),
        )


def is_synthetic(dataset: str | Path) -> bool:
    """Whether a folder says of itself that this package made its data."""
    return (Path(dataset) / "world.toml").is_file()


def some(count: Count | float) -> bool | None:
    """Whether a count is above zero; a hidden one is; None: not known.

    Examples
    --------
    >>> some(0), some(3), some(None), some(Hidden(5))
    (False, True, None, True)
    """
    return None if count is None else isinstance(count, Hidden) or count > 0


def jurisdiction_of(name: str) -> Mapping[str, Any]:
    """The entry of the jurisdiction: its name, its law and the status of both.

    Raises
    ------
    ParameterError
        A jurisdiction of which no table of law is shipped.
    """
    entries = {entry["name"]: entry for entry in reference.load("dpia_ico").entries["jurisdiction"]}
    if name not in entries:
        raise ParameterError(
            "jurisdiction: there is no table of law for this one.", f"use one of {', '.join(entries)}."
        )
    return entries[name]


def overdue(names: tuple[str, ...], as_of: date) -> list[str]:
    """Titles of the tables that should have been reviewed before the day."""
    return [table.title for table in map(reference.load, names) if table.stale(as_of)]
