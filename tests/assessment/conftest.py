"""A scenario to vary, and the exact records of an exposure and of a risk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from otrack_risk.assessment import scenario

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
