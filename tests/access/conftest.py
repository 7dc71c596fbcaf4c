"""A school world small enough to count on one's fingers.

School A: Ada (SEN support) and Ben in class A1, both year 1; Cem (looked after) in A2, year 2.
School B: Dot (SEN plan) and Eve in B1, year 1. Mr One teaches A1, Ms Two teaches B1, the head of A teaches nobody.
"""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from otrack_risk import frames

DAY = date(2026, 1, 31)


class SmallWorld:
    """Tables to which a test adds grants."""

    def __init__(self) -> None:
        self.tables = {
            "pupils": pl.DataFrame(
                {
                    "pupil_id": ["ada", "ben", "cem", "dot", "eve"],
                    "school_id": ["A", "A", "A", "B", "B"],
                    "class_id": ["A1", "A1", "A2", "B1", "B1"],
                    "year_group": [1, 1, 2, 1, 1],
                    "sen_provision": ["K", "N", "N", "E", "N"],
                    "looked_after": [False, False, True, False, False],
                    "left_on": [None, None, None, None, date(2025, 7, 20)],
                }
            ),
            "staff": pl.DataFrame(
                {
                    "staff_id": ["one", "two", "head"],
                    "school_id": ["A", "B", "A"],
                    "ended_on": pl.Series([None, None, None], dtype=pl.Date),
                }
            ),
            "staff_classes": pl.DataFrame({"staff_id": ["one", "two"], "class_id": ["A1", "B1"]}),
            "guardians": pl.DataFrame({"guardian_id": ["gran"]}),
            "pupil_guardians": pl.DataFrame({"pupil_id": ["ben", "eve"], "guardian_id": ["gran", "gran"]}),
        }
        people = [
            ("one", "staff", "one", "A"),
            ("two", "staff", "two", "B"),
            ("head", "staff", "head", "A"),
            ("gran", "guardian", "gran", None),
            ("eve", "child", "eve", None),
            ("vendor", "vendor", None, None),
            ("open", "public", None, None),
        ]
        self.accounts = pl.DataFrame(
            [(*each, True, DAY) for each in people],
            schema=["account", "person_kind", "person_id", "school_id", "enabled", "last_login"],
            orient="row",
        )

    def dataset(self) -> frames.Dataset:
        return frames.Dataset(
            "small", {n: frames.Table(n, rows, f"{n}.csv", "0" * 64, rows.height) for n, rows in self.tables.items()}
        )

    def grants(self, *lines: tuple[object, ...]):
        """Lines of account, role, category, verb, scope and, where given, valid_from and valid_to."""
        from otrack_risk.access import Grants

        columns = ["account", "role", "category", "verb", "scope", "valid_from", "valid_to"]
        rows = pl.DataFrame(
            [(*line, *[None] * (7 - len(line))) for line in lines],
            schema={c: pl.Date if c.startswith("valid") else pl.String for c in columns},
            orient="row",
        )
        return Grants.from_frame(rows, self.accounts)

    def reach(self, *lines: tuple[object, ...], day: date = DAY, needed=None):
        from otrack_risk import access

        return access.reach(self.grants(*lines), self.dataset(), as_of=day, needed=needed)


@pytest.fixture
def small() -> SmallWorld:
    return SmallWorld()
