"""Contracts of staff: dates, jobs and schools agree with the staff table, for many seeds."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.synth.contracts import KINDS, make_contracts
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.presets import planned
from otrack_risk.synth.town import Town

DAY = date(2026, 1, 31)
JOBS = ("headteacher", "class_teacher", "ta", "office_admin", "data_manager", "governor", "supply_teacher")


def town_of(rows: list[tuple[str, date, date | None]]) -> Town:
    """Two schools and these people: job, first day, last day."""
    staff = pl.DataFrame(
        {
            "staff_id": [f"T00001{place:03d}" for place in range(len(rows))],
            "school_id": ["S00001"] * len(rows),
            "job": [job for job, _, _ in rows],
            "started_on": [began for _, began, _ in rows],
            "ended_on": pl.Series([ended for _, _, ended in rows], dtype=pl.Date),
        },
        schema_overrides={"staff_id": pl.String, "school_id": pl.String, "job": pl.String, "started_on": pl.Date},
    )
    return Town(0, planned("trust"), {"staff": staff, "schools": pl.DataFrame({"school_id": ["S00001", "S00002"]})})


@pytest.fixture(scope="module")
def many() -> tuple[Town, pl.DataFrame]:
    """Of each job 100 people who began ten years ago; every fourth has left."""
    town = town_of(
        [
            (job, date(2015, 10, 5) + timedelta(days=place), date(2025, 6, 30) if place % 4 == 0 else None)
            for job in JOBS
            for place in range(100)
        ]
    )
    return town, make_contracts(Chance(2), town)


people = st.lists(
    st.tuples(st.sampled_from(JOBS), st.integers(0, 4_000), st.integers(0, 4_000), st.booleans()), max_size=30
)


@settings(deadline=None)
@given(people, st.integers(0, 1_000))
def test_contracts_fill_the_time_from_first_to_last_day_and_never_overlap(rows, seed):
    town = town_of(
        [
            (job, DAY - timedelta(days=ago), None if stays else DAY - timedelta(days=min(ago, left)))
            for job, ago, left, stays in rows
        ]
    )
    made = make_contracts(Chance(seed), town)
    assert made["contract_id"].is_unique().all()
    assert set(made["staff_id"]) == set(town["staff"]["staff_id"])
    for person in town["staff"].iter_rows(named=True):
        own = made.filter(staff_id=person["staff_id"]).to_dicts()
        assert len(own) <= 9
        assert own[0]["started_on"] == person["started_on"]
        assert own[-1]["ended_on"] == person["ended_on"]
        assert (own[-1]["job"], own[-1]["school_id"]) == (person["job"], person["school_id"])
        for before, after in pairwise(own):
            assert before["started_on"] <= before["ended_on"] < after["started_on"]
        if person["ended_on"]:
            assert own[-1]["started_on"] <= person["ended_on"]


def test_supply_teachers_come_for_several_assignments_and_some_are_at_another_school(many):
    supply = many[1].filter(job="supply_teacher")
    assert set(supply["kind"]) == {"supply"}
    assert supply.height > 3 * 100
    assert set(supply["school_id"]) == {"S00001", "S00002"}
    others = many[1].filter(pl.col("kind") != "supply")
    assert set(others["school_id"]) == {"S00001"}


def test_governors_are_volunteers_with_one_term_and_no_hours(many):
    governors = many[1].filter(kind="volunteer")
    assert governors.height == 100
    assert set(governors["job"]) == {"governor"}
    assert governors["fte"].null_count() == 100
    assert many[1].filter(pl.col("kind") != "volunteer")["fte"].is_between(0.5, 1).all()
    assert set(many[1]["kind"]) == set(KINDS)


# 0.4 of the people had another contract before, 0.16 two (assumed); four standard errors of 500 people are 0.09.
def test_some_were_promoted_and_the_contract_changed_on_a_first_of_september(many):
    town, made = many
    staff = made.filter(~pl.col("job").is_in(["governor", "supply_teacher"]))
    each = staff.group_by("staff_id").len()["len"]
    assert abs((each >= 2).mean() - 0.4) < 0.09
    assert abs((each == 3).mean() - 0.16) < 0.07
    later = made.filter(
        pl.col("started_on") != pl.col("started_on").first().over("staff_id"), pl.col("kind") != "supply"
    )
    assert set(later["started_on"].dt.strftime("%d %m")) == {"01 09"}
    heads = town["staff"].filter(job="headteacher")["staff_id"]
    before = made.filter(pl.col("staff_id").is_in(heads.implode()), pl.col("job") != "headteacher")
    assert set(before["job"]) == {"slt"}
    assert set(made.filter(job="class_teacher", staff_id="T00001100")["job"]) <= {"class_teacher"}


# 0.15 of changes (assumed) where there is a year to be away.
def test_some_were_away_for_a_year_and_came_back(many):
    gap = (
        many[1]
        .filter(~pl.col("kind").is_in(["supply", "volunteer"]))
        .with_columns(away=(pl.col("started_on") - pl.col("ended_on").shift().over("staff_id")).dt.total_days())
    )["away"].drop_nulls()
    assert set(gap) == {1, 366, 367}  # the next day; a year later, with a leap day or without
    assert 0.05 < (gap > 1).mean() < 0.2


def test_a_persons_contracts_do_not_depend_on_who_else_is_made(many):
    town, made = many
    alone = Town(0, town.plan, {**town.tables, "staff": town["staff"][250:260]})
    ids = alone["staff"]["staff_id"].implode()
    assert make_contracts(Chance(2), alone).equals(made.filter(pl.col("staff_id").is_in(ids)))


def test_a_town_without_staff_has_no_contracts_and_the_same_columns(many):
    none = make_contracts(Chance(2), town_of([]))
    assert none.height == 0
    assert none.columns == many[1].columns
