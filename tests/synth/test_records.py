"""Attendance and assessment against published figures, and what can never be."""

from __future__ import annotations

from datetime import date
from math import sqrt

import polars as pl
import pytest

from otrack_risk.errors import ParameterError
from otrack_risk.synth import draw, people, presets, records
from otrack_risk.synth import layout as layouts


@pytest.fixture(scope="module")
def absences(trust):
    current = trust["attendance"].filter(pl.col("academic_year") == "2025/26")
    return current.join(trust["pupils"], on="pupil_id").with_columns(
        share=pl.col("sessions_absent") / pl.col("sessions_possible")
    )


def within(values: pl.Series, mean: float) -> bool:
    """Three standard errors, from the spread of the values; siblings, who share free meals, widen it by a half."""
    return abs(values.mean() - mean) < 3 * 1.5 * values.std() / sqrt(len(values))


# DfE, autumn 2023/24: 6.7 percent of sessions missed; 10.4 with free meals, 5.5 without; 12.4, 10.3, 6.1 by provision.
def test_absence_is_that_of_england_by_free_meals_and_by_provision(absences):
    assert within(absences["share"], 0.067)
    for meals, mean in ((True, 0.104), (False, 0.055)):
        assert within(absences.filter(pl.col("fsm") == meals)["share"], mean)
    for provision, mean in (("N", 0.061), ("K", 0.103), ("E", 0.124)):
        assert within(absences.filter(pl.col("sen_provision") == provision)["share"], mean)


# DfE, autumn 2023/24: 20.1 percent miss a tenth or more; 33.0 with free meals, 15.6 without. Standard errors by pupil.
def test_a_fifth_is_persistently_absent(absences):
    often = absences.with_columns(often=pl.col("share") >= 0.1)
    for rows, share in (
        (often, 0.201),
        (often.filter("fsm"), 0.33),
        (often.filter(~pl.col("fsm")), 0.156),
    ):
        assert abs(rows["often"].mean() - share) < 3 * sqrt(share * (1 - share) / rows.height)


def test_sessions_missed_are_at_most_those_possible_and_unauthorised_ones_are_among_them(trust):
    attendance = trust["attendance"]
    assert (attendance["sessions_absent"] <= attendance["sessions_possible"]).all()
    assert (attendance["sessions_unauthorised"] <= attendance["sessions_absent"]).all()
    assert attendance["sessions_unauthorised"].min() >= 0
    part = attendance["sessions_unauthorised"].sum() / attendance["sessions_absent"].sum()
    assert abs(part - 0.31) < 0.012  # a third of a point is the standard error of 11,000 pupils' parts


# 3 September 2025 to 31 January 2026: 108 weekdays; autumn break 24 October to 1 November (6 weekdays) and
# Christmas 20 December to 4 January (10 weekdays) are holidays: 92 days, 184 sessions.
def test_the_year_under_way_counts_its_sessions_up_to_the_day_of_the_world(trust):
    possible = dict(trust["attendance"].group_by("academic_year").agg(pl.col("sessions_possible").unique()).iter_rows())
    assert possible == {"2025/26": [184], "2024/25": [380]}


def test_a_pupil_has_attendance_of_each_year_on_roll_of_the_two_that_are_kept(trust):
    years = trust["attendance"].group_by("pupil_id").agg(pl.col("academic_year").sort())
    came = trust["pupils"].select("pupil_id", came=pl.col("admitted_on").dt.year())
    seen = came.join(years, on="pupil_id")
    assert seen.height == came.height
    assert (
        seen.filter(pl.col("came") == 2025)["academic_year"].to_list() == [["2025/26"]] * (came["came"] == 2025).sum()
    )
    assert set(map(tuple, seen.filter(pl.col("came") < 2025)["academic_year"].to_list())) == {("2024/25", "2025/26")}


def test_the_open_store_has_one_attendance_row_a_child_of_its_last_year(exposed):
    last = exposed["attendance"].join(exposed["pupils"], on="pupil_id")
    assert exposed["attendance"]["pupil_id"].is_unique().all()
    assert last.height == exposed["pupils"].height
    left = last.filter(pl.col("left_on").is_not_null())
    assert (left["academic_year"].str.slice(0, 4).cast(pl.Int32) + 1 == left["left_on"].dt.year()).all()
    assert (last.filter(pl.col("left_on").is_null())["academic_year"] == "2023/24").all()


# Key stage 2, 2024: 74, 73 and 72 percent at the expected standard in reading, maths, writing.
@pytest.mark.parametrize(("subject", "share"), [("reading", 0.74), ("maths", 0.73), ("writing", 0.72)])
def test_points_of_100_or_more_are_as_common_as_the_expected_standard(trust, subject, share):
    held = trust["assessments"].filter(
        pl.col("subject") == subject, pl.col("term") == "autumn", pl.col("academic_year") == "2025/26"
    )
    assert abs((held["point"] >= 100).mean() - share) < 3 * sqrt(share * (1 - share) / held.height)


# Key stage 2, 2024, all three subjects: 61 percent; girls 64, boys 57; disadvantaged 45 against 67. Groups and all
# pupils are rounded apart, half a point; siblings, who share free meals, widen the standard error by a half.
def test_all_three_subjects_together_have_the_published_shares(trust):
    held = trust["assessments"].filter(pl.col("term") == "autumn", pl.col("academic_year") == "2025/26")
    all_three = (
        held.filter(pl.col("subject").is_in(["reading", "maths", "writing"]))
        .group_by("pupil_id")
        .agg(n=pl.len(), reached=pl.col("point").min() >= 100)
        .filter(pl.col("n") == 3)
        .join(trust["pupils"], on="pupil_id")
    )
    for rows, share in (
        (all_three, 0.61),
        (all_three.filter(pl.col("sex") == "F"), 0.64),
        (all_three.filter(pl.col("sex") == "M"), 0.57),
        (all_three.filter("pupil_premium"), 0.45),
        (all_three.filter(~pl.col("pupil_premium")), 0.67),
    ):
        assert abs(rows["reached"].mean() - share) < 3 * 1.5 * sqrt(share * (1 - share) / rows.height) + 0.006


def test_one_point_a_pupil_term_and_subject_in_the_subjects_of_its_phase(trust):
    held = trust["assessments"].join(trust["pupils"], on="pupil_id")
    assert not trust["assessments"].select("pupil_id", "academic_year", "term", "subject").is_duplicated().any()
    assert set(held.filter(pl.col("year_group") < 7)["subject"]) == {"reading", "maths", "writing"}
    assert set(held.filter(pl.col("year_group") >= 7)["subject"]) == {"english", "maths", "science"}
    assert set(held.filter(pl.col("academic_year") == "2025/26")["term"]) == {"autumn"}
    assert set(held.filter(pl.col("academic_year") == "2024/25")["term"]) == {"autumn", "spring", "summer"}


def test_nobody_has_points_from_before_it_came_or_after_it_left(trust, exposed):
    for world in (trust, exposed):
        held = world["assessments"].join(world["pupils"], on="pupil_id")
        began = held["academic_year"].str.slice(0, 4).cast(pl.Int32)
        assert (began >= held["admitted_on"].dt.year()).all()
        assert (began < held["left_on"].dt.year().fill_null(9999)).all()


def test_the_open_store_keeps_all_three_subjects_of_as_many_as_it_has_rows_for_those_on_roll_first(exposed):
    each = exposed["assessments"].group_by("pupil_id").agg(pl.len(), pl.col("subject").n_unique().alias("subjects"))
    assert (each["len"] == each["subjects"]).all()
    assert each.filter(pl.col("len") < 3).height <= 1  # what is left over in a town
    kept = exposed["pupils"].join(each, on="pupil_id", how="left")
    without = kept.filter(pl.col("len").is_null())
    on_roll = without.filter(pl.col("left_on").is_null()).height
    assert on_roll == 0 or kept.filter(pl.col("left_on").is_not_null())["len"].null_count() == without.height - on_roll


def test_more_assessments_than_three_a_pupil_are_refused():
    layout = layouts.lay_out(presets.planned("otrack", pupils=10, schools=1), 1)
    made = people.make_people(layout, 0)
    day, chance = date(2024, 3, 1), draw.Chance(3)
    assert records.make_assessments(chance, made, layout.schools, day, 30).height == 30
    assert records.make_assessments(chance, made, layout.schools, day, 0).height == 0
    for rows in (31, -1):
        with pytest.raises(ParameterError, match="10 pupils"):
            records.make_assessments(chance, made, layout.schools, day, rows)
