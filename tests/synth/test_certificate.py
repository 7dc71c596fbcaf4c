"""The certificate against a slower twin (plain Python over rows), doctored worlds, and tolerances by hand.

Worlds here are written in this file: no maker of the package is called.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from math import exp, sqrt
from random import Random
from statistics import NormalDist, fmean
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk import reference
from otrack_risk.synth.certificate import Certificate, Line, Tally, tolerance
from otrack_risk.synth.presets import planned

Tables = dict[str, pl.DataFrame]
TRUST = planned("trust", pupils=600)
ETHNIC = ("WBRI", "WBRI", "WBRI", "WBRI", "APKN", "APKN", "AIND", "BAFR", "REFU")
NAMES = ("Amelia", "Olivia", "Isla", "Oliver", "Jack", "Harry", "Tansy-Rae", "Corin")


def world(homes: int, seed: int = 7, schools: int = 4) -> Tables:
    """Homes of one to three children of one school, ethnicity and language; every fourth school is a secondary."""
    draw = Random(seed)
    pupils: list[dict[str, Any]] = []
    guardians, links, attendance, assessments = [], [], [], []
    for home in range(homes):
        school, code = home % schools, draw.choice(ETHNIC)
        second = school % 4 == 3
        fsm, other = draw.random() < 0.24, draw.random() < (0.7 if code == "APKN" else 0.1)
        apart = draw.random() < 0.1
        guardians.append({"guardian_id": f"G{home}1", "household_id": f"H{home}"})
        guardians.append({"guardian_id": f"G{home}2", "household_id": f"H{home}B" if apart else f"H{home}"})
        for _ in range(draw.choice((1, 1, 2, 3))):
            key = f"P{len(pupils)}"
            year_group = draw.randint(7, 11) if second else draw.randint(0, 6)
            autumn = 2025 - year_group - 5  # of the year in which those of this cohort are born from September on
            month = draw.randint(1, 12)
            born = date(autumn + (month < 9), month, draw.randint(1, 28))
            provision = draw.choice("NNNNNNNNKE")
            gone = draw.random() < 0.1
            pupils.append(
                {
                    "pupil_id": key,
                    "school_id": f"S{school}",
                    "class_id": None if gone else f"C{school}-{year_group}",
                    "household_id": f"H{home}",
                    "year_group": year_group,
                    "forename": draw.choice(NAMES),
                    "sex": draw.choice("FM"),
                    "date_of_birth": born,
                    "ethnicity": code,
                    "first_language": "URD" if other else "ENG",
                    "fsm": fsm,
                    "pupil_premium": fsm or draw.random() < 0.05,
                    "sen_provision": provision,
                    "sen_need": {"E": "ASD", "K": "SLCN", "N": None}[provision],
                    "looked_after": False,
                    "left_on": date(2026, 1, 9) if gone else None,
                }
            )
            links += [
                {"pupil_id": key, "guardian_id": f"G{home}1", "lives_with_pupil": True},
                {"pupil_id": key, "guardian_id": f"G{home}2", "lives_with_pupil": not apart},
            ]
            for start in (2024, 2025):
                missed = draw.randint(0, 60) if draw.random() < 0.3 else draw.randint(0, 12)
                of = 380 if start == 2024 else 184
                attendance.append((key, f"{start}/{start - 1999}", of, missed))
                for term in ("autumn", "spring", "summer"):
                    for subject in ("reading", "maths", "writing"):
                        if draw.random() < 0.97:
                            assessments.append((key, f"{start}/{start - 1999}", term, subject, draw.randint(90, 115)))
    return {
        "schools": pl.DataFrame(
            {
                "school_id": [f"S{school}" for school in range(schools)],
                "phase": ["secondary" if school % 4 == 3 else "primary" for school in range(schools)],
            }
        ),
        "classes": pl.DataFrame(
            [(f"C{s}-{y}", f"S{s}", y) for s in range(schools) for y in range(12)],
            schema=["class_id", "school_id", "year_group"],
            orient="row",
        ),
        "pupils": pl.DataFrame(pupils, schema_overrides={"left_on": pl.Date, "sen_need": pl.String}),
        "guardians": pl.DataFrame(guardians),
        "pupil_guardians": pl.DataFrame(links),
        "attendance": pl.DataFrame(
            attendance,
            schema=["pupil_id", "academic_year", "sessions_possible", "sessions_absent"],
            orient="row",
            schema_overrides={"sessions_possible": pl.Int16, "sessions_absent": pl.Int16},
        ),
        "assessments": pl.DataFrame(
            assessments,
            schema=["pupil_id", "academic_year", "term", "subject", "point"],
            orient="row",
            schema_overrides={"point": pl.Int16},
        ),
    }


def certified(tables: Tables, plan: Any = TRUST) -> Certificate:
    tally = Tally()
    tally.add(tables)
    return tally.certificate(plan)


def line(certificate: Certificate, key: str) -> Line:
    (found,) = (each for each in certificate.lines if each.key == key)
    return found


def of_schools(tables: Tables, wanted: Iterable[int]) -> Tables:
    """What a world holds of some schools: a town, since households keep to one school here."""
    schools = [f"S{school}" for school in wanted]
    pupils = tables["pupils"].filter(pl.col("school_id").is_in(schools))
    held = {name: tables[name].filter(pl.col("school_id").is_in(schools)) for name in ("schools", "classes")}
    keys = pupils["pupil_id"].implode()
    rest = {
        name: tables[name].filter(pl.col("pupil_id").is_in(keys))
        for name in ("pupil_guardians", "attendance", "assessments")
    }
    return {**held, **rest, "pupils": pupils, "guardians": tables["guardians"]}


@pytest.fixture(scope="module")
def small() -> Tables:
    return world(160)


@pytest.fixture(scope="module")
def plain(small) -> Certificate:
    return certified(small)


# The twin: rows as dictionaries, loops, no grouping.


def rows(tables: Tables) -> list[dict[str, Any]]:
    phase = dict(tables["schools"].select("school_id", "phase").iter_rows())
    people = [dict(row) for row in tables["pupils"].iter_rows(named=True)]
    homes: dict[str, list[date]] = {}
    for one in people:
        homes.setdefault(one["household_id"], []).append(one["date_of_birth"])
    where = dict(tables["guardians"].select("guardian_id", "household_id").iter_rows())
    for one in people:
        one["phase"] = phase[one["school_id"]]
        years = [row for row in tables["attendance"].iter_rows(named=True) if row["pupil_id"] == one["pupil_id"]]
        last = max(years, key=lambda row: row["academic_year"])
        one["absent"], one["possible"] = last["sessions_absent"], last["sessions_possible"]
        one["older"] = any(day < one["date_of_birth"] for day in homes[one["household_id"]])
        contacts = [
            row for row in tables["pupil_guardians"].iter_rows(named=True) if row["pupil_id"] == one["pupil_id"]
        ]
        one["second"] = any(where[row["guardian_id"]] != one["household_id"] for row in contacts)
        birthday = one["date_of_birth"]
        reception = birthday.year + (5 if birthday.month >= 9 else 4)
        points: dict[str, tuple[int, int]] = {}
        for row in tables["assessments"].filter(pl.col("pupil_id") == one["pupil_id"]).iter_rows(named=True):
            term = ("autumn", "spring", "summer").index(row["term"])
            in_year_6 = one["phase"] == "primary" and int(row["academic_year"][:4]) == reception + 6
            if in_year_6 and term >= points.get(row["subject"], (0, 0))[0]:
                points[row["subject"]] = (term, row["point"])
        one["points"] = {subject: point for subject, (_, point) in points.items()}
    return people


Who = Callable[[Mapping[str, Any]], bool]
TWIN: dict[str, tuple[Who, Who]] = {
    "boys": (lambda p: True, lambda p: p["sex"] == "M"),
    "birth_month.3": (lambda p: True, lambda p: p["date_of_birth"].month == 3),
    "fsm_primary": (lambda p: p["phase"] == "primary", lambda p: p["fsm"]),
    "premium": (lambda p: not p["fsm"] and not p["looked_after"], lambda p: p["pupil_premium"]),
    "any_need_secondary": (lambda p: p["phase"] == "secondary", lambda p: p["sen_provision"] in ("K", "E")),
    "plan_boys": (lambda p: p["sen_provision"] == "E", lambda p: p["sex"] == "M"),
    "support_fsm": (lambda p: p["sen_provision"] == "K", lambda p: p["fsm"]),
    "autism": (lambda p: p["sen_provision"] == "E", lambda p: p["sen_need"] == "ASD"),
    "ethnicity.APKN": (lambda p: p["ethnicity"] != "REFU", lambda p: p["ethnicity"] == "APKN"),
    "fsm_indian": (lambda p: p["ethnicity"] == "AIND", lambda p: p["fsm"]),
    "language.URD": (lambda p: True, lambda p: p["first_language"] == "URD"),
    "language_by_ethnicity.APKN": (lambda p: p["ethnicity"] == "APKN", lambda p: p["first_language"] != "ENG"),
    "persistent_plan": (lambda p: p["sen_provision"] == "E", lambda p: p["absent"] / p["possible"] >= 0.1),
    "second_address": (lambda p: True, lambda p: p["second"]),
}
EVER: dict[str, tuple[Who, Who]] = {
    "maths": (lambda p: "maths" in p["points"], lambda p: p["points"]["maths"] >= 100),
    "all_three": (lambda p: len(p["points"]) == 3, lambda p: min(p["points"].values()) >= 100),
    "all_three_premium": (
        lambda p: len(p["points"]) == 3 and p["pupil_premium"],
        lambda p: min(p["points"].values()) >= 100,
    ),
    "older_sibling": (lambda p: True, lambda p: p["older"]),
    # The ten girls' names of 2014 (ONS): Amelia, Olivia, Isla, Emily, Poppy, Ava, Isabella, Jessica, Lily, Sophie.
    "top_10.F.2014": (
        lambda p: p["sex"] == "F" and p["date_of_birth"].year == 2014,
        lambda p: p["forename"] in ("Amelia", "Olivia", "Isla"),
    ),
    "rare_name.M": (
        lambda p: p["sex"] == "M" and 2006 <= p["date_of_birth"].year <= 2021,
        lambda p: p["forename"] not in ("Oliver", "Jack", "Harry"),
    ),
}


@pytest.mark.parametrize("key", [*TWIN, *EVER])
def test_a_share_is_that_of_a_loop_over_rows(plain, twin_rows, key):
    asked, ever = TWIN.get(key) or EVER[key], key in EVER
    group = [one for one in twin_rows if (ever or one["left_on"] is None) and asked[0](one)]
    found = line(plain, key)
    assert found.n == len(group) > 0
    assert found.achieved == pytest.approx(fmean(asked[1](one) for one in group), abs=1e-6)


@pytest.fixture(scope="module")
def twin_rows(small) -> list[dict[str, Any]]:
    return rows(small)


def test_a_mean_is_all_sessions_missed_of_all_that_were_possible_with_the_error_of_a_ratio(plain, twin_rows):
    group = [one for one in twin_rows if one["left_on"] is None and not one["fsm"]]
    mean = sum(one["absent"] for one in group) / sum(one["possible"] for one in group)
    off = [one["absent"] - mean * one["possible"] for one in group]
    n = len(group)
    error = sqrt(sum(gap * gap for gap in off) * n / (n - 1)) / sum(one["possible"] for one in group)
    found = line(plain, "absence_no_fsm")
    assert (found.n, found.unit) == (n, "share")
    assert found.achieved == pytest.approx(mean, abs=1e-6)
    assert found.tolerance == pytest.approx(max(0.005, 3 * error), abs=1e-6)


# Doctored worlds.


def test_a_world_of_boys_only_is_out_of_tolerance_for_sex_and_the_one_before_it_is_not(plain, small):
    assert line(plain, "boys").within
    boys = {**small, "pupils": small["pupils"].with_columns(sex=pl.lit("M"))}
    found = line(certified(boys), "boys")
    assert (found.within, found.achieved, round(found.difference, 4)) == (False, 1.0, 0.4873)
    assert "boys, of pupils" in certified(boys).sentence() or len(certified(boys).missed) > 3


def test_free_meals_the_other_way_round_are_out_of_tolerance(plain, small):
    assert line(plain, "fsm_primary").within
    flipped = certified({**small, "pupils": small["pupils"].with_columns(~pl.col("fsm"))})
    assert not line(flipped, "fsm_primary").within
    assert not line(flipped, "premium_due").within  # those with free meals now have no premium
    assert {"fsm_primary", "premium_due"} <= set(flipped.record()["missed"])


def test_one_pupil_with_free_meals_and_no_premium_is_a_fault_however_many_have_both(plain, small):
    assert line(plain, "premium_due").within
    first = small["pupils"].filter(pl.col("fsm") & pl.col("left_on").is_null())["pupil_id"][0]
    one = small["pupils"].with_columns(pupil_premium=pl.col("pupil_premium") & (pl.col("pupil_id") != first))
    assert not line(certified({**small, "pupils": one}), "premium_due").within


# Tolerance.


def test_the_tolerance_is_the_larger_of_a_floor_and_three_standard_errors():
    # 0.246 x 0.754 / 10,000 x 1.4 = 2.5968e-5; its root is 0.0050959. Skewness of the count: (1 - 0.492) x
    # sqrt(1.4 / (10,000 x 0.246 x 0.754)) = 0.0139562, times (9 - 1) / 6 = 0.018608 more than 3: 0.0153826.
    allowed, rule = tolerance(0.246, 10_000, effect=1.4)
    assert allowed == pytest.approx(0.0153826, abs=1e-6)
    assert rule == "3.02 standard errors of 10,000, design effect of siblings 1.40"
    assert tolerance(0.5, 2_500) == (0.03, "3 standard errors of 2,500")  # 0.5 / 50, and no skewness
    assert tolerance(0.246, 1_000_000) == (0.005, "half a point")  # 3 x 0.000431
    assert tolerance(0.007, 10_000_000) == (0.0014, "a fifth of the share")  # half a point would let none pass
    assert tolerance(0.61, 1_000_000, least=0.01, rule="whole percent") == (0.01, "whole percent")


def test_a_list_is_outside_by_chance_as_rarely_as_a_figure_alone():
    allowed, rule = tolerance(0.5, 100, family=18)
    errors = allowed / 0.05  # sqrt(0.25 / 100)
    assert 18 * NormalDist().cdf(-errors) == pytest.approx(NormalDist().cdf(-3), rel=1e-4)
    assert rule.startswith("3.79 standard errors")  # normal tables: 1 - Phi(3.79) = 0.000075 = 0.00135 / 18


def test_two_siblings_in_every_home_count_as_one():
    pupils = pl.DataFrame(
        {
            "pupil_id": [f"P{n}" for n in range(100)],
            "school_id": ["S0"] * 100,
            "household_id": [f"H{n // 2}" for n in range(100)],
            "fsm": [n < 24 for n in range(100)],
        }
    )
    schools = pl.DataFrame({"school_id": ["S0"], "phase": ["primary"]})
    found = line(certified({"pupils": pupils, "schools": schools}), "fsm_primary")
    skewness = (1 - 2 * 0.24) * sqrt(2 / (100 * 0.24 * 0.76))
    assert found.rule == "3.23 standard errors of 100, design effect of siblings 2.00"
    assert found.tolerance == pytest.approx((3 + 8 / 6 * skewness) * sqrt(0.24 * 0.76 / 100 * 2), abs=1e-6)


# Towns.


@given(st.lists(st.integers(0, 2), min_size=8, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_towns_in_any_order_and_grouping_give_what_one_pass_gives(which, random):
    whole = _EIGHT
    parts = []
    for town in range(3):
        tally = Tally()
        tally.add(of_schools(whole, [school for school in range(8) if which[school] == town]))
        parts.append(pickle.loads(pickle.dumps(tally)))
    random.shuffle(parts)
    once = Tally()
    once.add(whole)

    def joined(*tallies: Tally) -> Tally:
        total = Tally()
        for each in tallies:
            total.merge(each)
        return total

    a, b, c = parts
    left, right = joined(joined(a, b), c), joined(a, joined(b, c))
    assert left.counts == right.counts == once.counts
    assert left.certificate(TRUST) == once.certificate(TRUST)


_EIGHT = world(64, schools=8)


def test_the_order_of_rows_does_not_matter(plain, small):
    mixed = {name: frame.sample(fraction=1.0, shuffle=True, seed=3) for name, frame in small.items()}
    assert certified(mixed) == plain


# What is not defined, and what does not apply.


def test_a_mean_of_a_few_is_not_judged_by_their_own_spread(plain):
    found = line(plain, "absence_plan")
    assert found.within is None
    assert 0 < found.n < 100
    assert found.reason.startswith("fewer than 100")


def test_a_group_with_nobody_in_it_has_no_share_but_a_reason(plain):
    found = line(plain, "fsm_chinese")
    assert (found.within, found.achieved, found.difference, found.n) == (None, None, None, 0)
    assert found.reason == "nobody is in the group"
    entry = next(row for row in plain.record()["not_applied"] if row["key"] == "fsm_chinese")
    assert entry["achieved"] is None
    assert entry["reason"]


def test_a_secondary_school_is_not_asked_for_year_6_nor_for_infants(small):
    certificate = certified(of_schools(small, [3]), planned("secondary"))
    assert line(certificate, "all_three").reason == "this world has no primary school"
    assert line(certificate, "fsm_primary").within is None
    assert line(certificate, "fsm_secondary").within is not None
    assert "all_three" not in certificate.record()["missed"]


def test_sizes_that_were_chosen_are_not_held_against_england(plain, small):
    assert line(plain, "small_schools").reason == "the sizes of its schools are chosen, not drawn"
    drawn = line(certified(small, planned("otrack", pupils=600)), "small_schools")
    assert (drawn.n, drawn.achieved) == (3, 1.0)  # three primary schools of some 70 pupils each


def test_a_figure_that_another_supersedes_is_shown_apart_with_its_reason(plain):
    found = line(plain, "plan_all")
    assert (found.within, found.target) == (None, 0.053)
    assert "special schools" in found.reason
    assert found in plain.lines
    assert found not in plain.applied


def test_tables_that_lack_a_column_are_not_measured_by_it(small):
    certificate = certified({**small, "pupils": small["pupils"].drop("fsm", "pupil_premium")})
    assert line(certificate, "fsm_primary").reason == "the tables of this world do not hold what it takes"
    assert line(certificate, "boys").within is not None


def test_nobody_at_all_gives_a_certificate_that_applies_nothing():
    certificate = Tally().certificate(TRUST)
    assert (certificate.applied, certificate.missed, certificate.pupils) == ((), (), 0)
    assert all(each.reason for each in certificate.lines)


# The kinds that are not plain shares.


def test_schools_that_are_all_of_one_kind_or_the_other_differ_by_more_than_chance():
    def ten(mixed: bool) -> Line:
        code = [("WBRI" if (n % 2 if mixed else n // 20 % 2) else "APKN") for n in range(200)]
        pupils = {"pupil_id": [f"P{n}" for n in range(200)], "school_id": [f"S{n // 20}" for n in range(200)]}
        home = [f"H{n}" for n in range(200)]
        return line(certified({"pupils": pl.DataFrame({**pupils, "ethnicity": code, "household_id": home})}), _SPREAD)

    # Ten schools of 20, half White British over all: apart, each is 10 off its 10, 100 / (20 x 0.25) = 20 a school,
    # and 10 x 20 / 9 = 22.2; alike, nothing.
    assert (ten(mixed=False).within, round(ten(mixed=False).achieved, 1)) == (True, 22.2)
    assert (ten(mixed=True).within, ten(mixed=True).achieved) == (False, 0.0)
    assert ten(mixed=True).tolerance == pytest.approx(3 * sqrt(2 / 9), abs=1e-6)


_SPREAD = "white_british_spread"


def by_age(needs: Mapping[int, int], code: str) -> Tables:
    """A hundred pupils of each age, so many of whom have this provision."""
    ages = [age for age in needs for _ in range(100)]
    place = [n % 100 for n in range(len(ages))]
    provision = [code if nth < needs[age] else "N" for age, nth in zip(ages, place, strict=True)]
    pupils = pl.DataFrame(
        {
            "pupil_id": [f"P{n}" for n in range(len(ages))],
            "school_id": "S0",
            "year_group": [age - 4 for age in ages],
            "sen_provision": provision,
        }
    )
    return {"pupils": pupils, "schools": pl.DataFrame({"school_id": ["S0"], "phase": ["primary"]})}


def test_the_peak_of_support_is_at_nine_or_not_far_from_it():
    rising = {age: 2 * age for age in range(4, 11)}  # 18 of 100 at 9, 20 at 10
    found = line(certified(by_age(rising, "K")), "support_peak")
    assert (found.within, found.achieved) == (True, 0.02)
    errors = -NormalDist().inv_cdf(NormalDist().cdf(-3) / 6)  # the best of six other ages
    assert found.tolerance == pytest.approx(errors * sqrt(0.18 * 0.82 / 100 + 0.2 * 0.8 / 100), abs=1e-6)
    assert line(certified(by_age({**rising, 9: 30}, "K")), "support_peak").achieved == 0.0
    assert not line(certified(by_age({**rising, 5: 90}, "K")), "support_peak").within


def test_plans_at_five_are_compared_with_plans_at_ten():
    found = line(certified(by_age({5: 24, 10: 38}, "E")), "plan_age_5")
    assert (found.n, found.achieved, found.within) == (200, round(24 / 38, 6), True)  # England: 2.4 and 3.8 percent
    # The relative error of two shares of 100, one expected at 0.632 x 0.38: sqrt(0.76 / 24 + 0.62 / 38) = 0.2189.
    assert found.tolerance == pytest.approx(0.632 * (exp(3 * 0.2189) - 1), abs=2e-3)
    assert not line(certified(by_age({5: 90, 10: 20}, "E")), "plan_age_5").within
    assert line(certified(by_age({5: 5, 10: 0}, "E")), "plan_age_5").within is None


def named(counts: Mapping[str, int]) -> Tables:
    """Girls born in 2014 with these names."""
    given = [name for name, n in counts.items() for _ in range(n)]
    born = date(2014, 5, 5)
    pupils = {"pupil_id": [f"P{n}" for n in range(len(given))], "sex": "F", "date_of_birth": born, "forename": given}
    return {"pupils": pl.DataFrame(pupils)}


def test_names_as_frequent_as_among_births_are_within_and_one_name_for_all_is_not():
    births = {
        row["name"]: int(row["2014"])
        for row in reference.load("first_names").entries["row"]
        if row["sex"] == "F" and row["2014"]
    }
    rest = 306_668 - sum(births.values())  # births of girls with a listed name, 2014
    like = named({**{name: round(n / 20) for name, n in births.items()}, "Zephyrine-Rae": round(rest / 20)})
    found = certified(like)
    for key in ("name_distance.F", "rare_name.F", "top_10.F.2014", "top_100.F.2014"):
        assert line(found, key).within, key
    assert line(found, "name_distance.F").achieved < 0.01  # rounding only
    assert line(found, "top_10.F.2014").achieved == pytest.approx(0.1186, abs=1e-3)  # ONS
    one = certified(named({"Zephyrine-Rae": 500}))
    assert not any(line(one, key).within for key in ("name_distance.F", "rare_name.F", "top_100.F.2014"))
    assert line(one, "name_distance.F").achieved == pytest.approx(
        0.637, abs=1e-3
    )  # all but the 36.3 percent of the tail


def test_what_chance_gives_is_the_mean_distance_of_drawn_names_from_births():
    births = [
        (row["name"], int(row["2014"]))
        for row in reference.load("first_names").entries["row"]
        if row["sex"] == "F" and row["2014"]
    ]
    pool = [*births, ("Zephyrine-Rae", 306_668 - sum(n for _, n in births))]
    names, weights = zip(*pool, strict=True)
    found = []
    for seed in range(12):
        drawn = Random(seed).choices(names, weights, k=800)
        found.append(line(certified(named({name: drawn.count(name) for name in set(drawn)})), "name_distance.F"))
    assert fmean(one.achieved for one in found) == pytest.approx(found[0].target, rel=0.05)
    assert all(one.within for one in found)


# The sources, and the page.


def test_every_target_says_where_it_comes_from_and_rests_on_a_row_that_is_there():
    for each in Tally().certificate(TRUST).lines:
        assert each.source, each.key
        assert each.status in ("quoted", "derived", "assumed"), each.key
    keys = [each.key for each in Tally().certificate(TRUST).lines]
    assert len(keys) == len(set(keys))


def test_the_figures_are_those_of_their_rows():
    lines = {each.key: each for each in Tally().certificate(TRUST).lines}
    assert lines["plan_boys"].target == 0.71
    assert lines["in_care"].target == 0.007  # 70 per 10,000
    assert lines["infant_class"].target == 26.6
    assert lines["ethnicity.WBRI"].target == pytest.approx(0.659, abs=5e-4)  # 5,410,043 of 8.2 million
    assert lines["top_100.M.2021"].target == 0.5095
    assert lines["fsm_indian"].period == "2023-01"
    months = [each.target for key, each in lines.items() if key.startswith("birth_month.")]
    assert (len(months), round(sum(months), 3)) == (12, 1.0)


def test_the_page_counts_what_it_lists_and_prints_every_effect(plain):
    certificate = plain
    asked, met = len(certificate.applied), sum(bool(each.within) for each in certificate.applied)
    assert f"Of {asked} figures" in certificate.sentence()
    assert f"{met} are within their tolerance" in certificate.sentence()
    assert certificate.table().height == asked
    assert certificate.not_applied().height == len(certificate.lines) - asked
    assert certificate.effects_table().height == len(certificate.effects) > 10
    assert any("first language" in effect.between and effect.status == "assumed" for effect in certificate.effects)
    assert certificate.figure().get_axes()


def test_the_file_is_json_with_the_counts_of_the_page(plain):
    told = json.loads(plain.as_json())
    assert told["within"] + len(told["missed"]) == told["applied"] == len(told["targets"])
    first = told["targets"][0]
    assert {"what", "among", "target", "achieved", "n", "difference", "tolerance", "rule", "source"} <= first.keys()
    assert plain.as_json() == plain.as_json()


def test_a_world_within_everything_says_that_nothing_is_outside(plain):
    certificate = plain
    met = tuple(replace(each, within=True) if each.within is False else each for each in certificate.lines)
    assert "none is outside" in replace(certificate, lines=met).sentence()
