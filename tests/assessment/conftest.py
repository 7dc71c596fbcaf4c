"""A scenario to vary, and the exact records of an exposure and of a risk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import polars as pl
import pytest

from otrack_risk import access, frames, schema
from otrack_risk.assessment import scenario
from otrack_risk.assessment.measured import Measured
from otrack_risk.assessment.severity import severity
from otrack_risk.display import tables
from otrack_risk.display.results import NotLookedFor, Shown

MINIMAL: dict[str, Any] = {
    "name": "test_case",
    "title": "A list sent to all parents",
    "as_of": datetime(2026, 3, 10, 12, tzinfo=UTC),
    "jurisdiction": "uk",
    "cause": "over_sharing",
    "access": "known_recipients",
    "malicious": False,
    "integrity": "unaltered",
    "availability": "available",
    "controls": {"unintelligible": False},
}


@pytest.fixture
def story() -> Callable[..., scenario.Scenario]:
    """The minimal scenario with some keys changed; a key given as None is left out."""

    def make(**changed: Any) -> scenario.Scenario:
        content = {key: value for key, value in (MINIMAL | changed).items() if value is not None}
        return scenario.check(content)

    return make


@pytest.fixture
def exposed() -> Callable[..., dict[str, Any]]:
    """The exact record of an exposure whose filled categories are named."""

    def make(*categories: str, children: int | None = 40, total: int | None = 40, **more: Any) -> dict[str, Any]:
        fields = [
            {"table": "t", "field": f"f{n}", "category": name, "role": "other", "filled_share": 1.0, "people": 40}
            for n, name in enumerate(categories)
        ]
        people = {"total": total, "children": children, "staff": 0, "guardians": 0, "uncountable": 0}
        images = {"files": 0, "with_gps": None, "linked_to_a_child": None}
        return {"records": 40, "people": people, "images": images, "directly_identified": 0, "fields": fields} | more

    return make


@pytest.fixture
def measured() -> Callable[..., dict[str, Any]]:
    """The exact record of a risk with these class sizes: {size: people in classes of that size}."""

    def make(sizes: dict[int, int], direct_share: float | None = 0.0) -> dict[str, Any]:
        return {
            "unit": "data_subjects",
            "class_sizes": [{"size": s, "classes": n // s, "records": n} for s, n in sizes.items()],
            "directly_identified": {"columns": [], "records": 0, "share": direct_share},
        }

    return make


@dataclass(frozen=True)
class Recorded(Shown):
    """A result of which only the record is known; paper hides what ``few`` names."""

    key: ClassVar[str] = "recorded"
    content: Mapping[str, Any]
    few: tuple[str, ...] = ()

    def sentence(self) -> str:
        return "recorded"

    def table(self) -> pl.DataFrame:
        return pl.DataFrame()

    def record(self) -> dict[str, Any]:
        return dict(self.content)

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Recorded:
        hidden = {name: tables.hide(self.content[name], hide_below) for name in self.few}
        return replace(self, content={**self.content, **hidden})


@pytest.fixture
def bundle() -> Callable[..., Measured]:
    """What an impact assessment rests on, of the breach of an open database: 4 x 1 + 0.5, very high."""

    def make(
        exposure: Mapping[str, Any], risk: Mapping[str, Any] | None = None, *, few: tuple[str, ...] = (), **more: Any
    ) -> Measured:
        nobody_looked = NotLookedFor("who can see whom", "No grants were given.", "Give some.", "access")
        content: dict[str, Any] = {
            "as_of": date(2026, 3, 10),
            "access": nobody_looked,
            "severity": severity(4, 1, {"confidentiality": 0.5}),
            "catalogue": schema.Catalogue(),
        }
        return Measured(exposure=Recorded(exposure, few), risk=Recorded(risk or {}), **(content | more))

    return make


@pytest.fixture
def granted() -> Callable[..., access.Access]:
    """Five pupils of one school; who sees them by these grants: account, role, category, verb, scope."""

    def make(*grants: tuple[str, str, str, str, str]) -> access.Access:
        day = date(2026, 3, 10)
        pupils = pl.DataFrame({"pupil_id": list("abcde"), "school_id": ["S"] * 5, "class_id": ["1"] * 5})
        staff = pl.DataFrame({"staff_id": ["t"], "school_id": ["S"]})
        people = [("teacher", "staff", "t", "S"), ("supplier", "vendor", None, None), ("page", "public", None, None)]
        accounts = pl.DataFrame(people, schema=["account", "person_kind", "person_id", "school_id"], orient="row")
        accounts = accounts.with_columns(enabled=True, last_login=pl.lit(day))
        rows = pl.DataFrame(grants, schema=["account", "role", "category", "verb", "scope"], orient="row")
        rows = rows.with_columns(valid_from=pl.lit(date(2025, 9, 1)), valid_to=pl.lit(None, pl.Date))
        held = {"pupils": pupils, "staff": staff, "accounts": accounts, "grants": rows}
        data = frames.Dataset(
            "small", {name: frames.Table(name, f, f"{name}.csv", "0" * 64, f.height) for name, f in held.items()}
        )
        found = access.asked_of(data, as_of=day).access
        assert isinstance(found, access.Access)
        return found

    return make
