"""The access log and grants for an occasion: every access is checked against grants, classes and days by sets."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk import reference
from otrack_risk.synth import access_log
from otrack_risk.synth.access_log import last_logins, make_access_log, make_ad_hoc
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.presets import planned
from otrack_risk.synth.terms import school_days
from otrack_risk.synth.town import Town

DAY = date(2026, 1, 31)
SCHOOLS = {"S00001": range(0, 4), "S00002": range(7, 11)}  # year groups, a class each
JOBS = ["headteacher", "slt", "dsl", "senco", *["class_teacher"] * 8, *["ta"] * 4]
JOBS += ["office_admin", "office_admin", "data_manager", "governor", "supply_teacher", "la_officer"]
LEFT = ["office_admin", "class_teacher", "office_admin", "slt"]  # their accounts are open still


def hand_made() -> Town:
    """Two schools with 96 pupils: every third child has a need, every tenth is looked after; nobody exists."""
    classes = [
        (f"C{school[1:]}{place:03d}", school, year)
        for school, years in SCHOOLS.items()
        for place, year in enumerate(years, start=1)
    ]
    pupils = [(f"P{number:07d}", *classes[number // 12], number) for number in range(12 * len(classes))]
    staff = [
        (f"T{school[1:]}{place:03d}", school, job, place > len(JOBS))
        for school in SCHOOLS
        for place, job in enumerate(JOBS + LEFT, start=1)
    ]
    teach = [
        (person, [c for c, at, _ in classes if at == school][place % 4])
        for place, (person, school, job, gone) in enumerate(staff)
        if job in ("class_teacher", "ta", "supply_teacher") and not gone
    ]
    ended = {
        person: DAY - timedelta(days=100 + 5 * (place % 26)) for place, (person, *_, gone) in enumerate(staff) if gone
    }
    accounts, grants = [], []
    for place, (person, school, job, gone) in enumerate(staff):
        account = f"staff-{person[1:]}"
        asleep = place % 26 == 5
        last = ended[person] - timedelta(days=3) if gone else DAY - timedelta(days=150 if asleep else place % 20)
        accounts.append((account, "staff", person, school, True, last))
        began = date(2019, 9, 1)
        for category, verb, scope in cells_of(job):
            wider = scope == "group" and place % 26 == 6
            grants.append((account, job, category, verb, "school" if wider else scope, began, None))
    for number in range(96):
        accounts.append(
            (f"guardian-{number:08d}", "guardian", f"G{number:08d}", None, True, DAY - timedelta(number % 90))
        )
        grants += [(f"guardian-{number:08d}", "parent", *cell, date(2025, 9, 3), None) for cell in cells_of("parent")]
    for number in range(48, 96):
        accounts.append((f"pupil-{number:07d}", "child", f"P{number:07d}", None, True, DAY - timedelta(number % 90)))
        grants += [(f"pupil-{number:07d}", "pupil", *cell, date(2025, 9, 3), None) for cell in cells_of("pupil")]
    accounts.append(("vendor-support", "vendor", None, None, True, DAY - timedelta(days=3)))
    accounts.append(("service-sync", "service", None, None, True, DAY))
    accounts.append(("public", "public", None, None, True, None))
    for category in ("identity", "contact", "medical"):
        for verb in ("view", "edit", "export"):
            grants.append(("vendor-support", "mis_vendor", category, verb, "trust", date(2023, 9, 1), None))
        grants.append(("service-sync", "integrator", category, "export", "trust", date(2023, 9, 1), None))
        grants.append(("public", "public", category, "view", "all", date(2023, 9, 1), None))
    tables = {
        "schools": pl.DataFrame({"school_id": list(SCHOOLS)}),
        "classes": pl.DataFrame(classes, schema=["class_id", "school_id", "year_group"], orient="row"),
        "pupils": pl.DataFrame(
            {
                "pupil_id": [row[0] for row in pupils],
                "class_id": [row[1] for row in pupils],
                "school_id": [row[2] for row in pupils],
                "year_group": pl.Series([row[3] for row in pupils], dtype=pl.Int16),
                "sen_provision": ["NNK"[row[4] % 3] for row in pupils],
                "looked_after": [row[4] % 10 == 0 for row in pupils],
                "admitted_on": [date(2025, 9, 3) if row[3] in (0, 7) else date(2023, 9, 3) for row in pupils],
                "left_on": pl.Series([None] * len(pupils), dtype=pl.Date),
            }
        ),
        "pupil_guardians": pl.DataFrame(
            {"pupil_id": [row[0] for row in pupils], "guardian_id": [f"G{row[4]:08d}" for row in pupils]}
        ),
        "staff": pl.DataFrame(
            {
                "staff_id": [row[0] for row in staff],
                "school_id": [row[1] for row in staff],
                "job": [row[2] for row in staff],
                "started_on": [date(2019, 9, 1)] * len(staff),
                "ended_on": pl.Series([ended.get(row[0]) for row in staff], dtype=pl.Date),
            }
        ),
        "staff_classes": pl.DataFrame(teach, schema=["staff_id", "class_id"], orient="row"),
        "accounts": pl.DataFrame(
            accounts,
            schema=["account", "person_kind", "person_id", "school_id", "enabled", "last_login"],
            orient="row",
        ),
        "grants": pl.DataFrame(
            grants,
            schema={
                **dict.fromkeys(("account", "role", "category", "verb", "scope"), pl.String),
                **dict.fromkeys(("valid_from", "valid_to"), pl.Date),
            },
            orient="row",
        ),
    }
    return Town(3, planned("trust"), tables)


def cells_of(job: str) -> list[tuple[str, str, str]]:
    return [
        (row["category"], verb, "register" if row["scope"] == "just_in_time" else row["scope"])
        for row in reference.load("least_privilege").entries["row"]
        if row["role"] == job and row["scope"] != "none" and row["category"] != "religion"
        for verb in row["verbs"].split()
    ]


@pytest.fixture(scope="module")
def town() -> Town:
    made = hand_made()
    return made.having({"grants": pl.concat([made["grants"], make_ad_hoc(Chance(5), made)])})


@pytest.fixture(scope="module")
def logged(town: Town) -> tuple[pl.DataFrame, dict[str, int]]:
    return make_access_log(Chance(5), town)


@pytest.fixture(scope="module")
def log(logged: tuple[pl.DataFrame, dict[str, int]]) -> pl.DataFrame:
    return logged[0]


def reached(town: Town, account: dict[str, object], role: str, scope: str) -> set[str]:
    """The slow way: children whom a grant of that scope reaches, as the access stage means the words."""
    children = town["pupils"].to_dicts()
    taught = set(town["staff_classes"].filter(pl.col("staff_id") == (account["person_id"] or ""))["class_id"])
    here = {child["pupil_id"] for child in children if account["school_id"] in (None, child["school_id"])}
    if scope == "own":
        if account["person_kind"] == "child":
            return {str(account["person_id"])}
        kin = town["pupil_guardians"].filter(pl.col("guardian_id") == account["person_id"])["pupil_id"]
        return set(kin)
    if scope == "group" or (scope in ("flag", "write_only") and taught):
        return {child["pupil_id"] for child in children if child["class_id"] in taught}
    if scope == "cohort":
        rows = town["classes"].filter(pl.col("class_id").is_in(taught)).select("school_id", "year_group").rows()
        return {child["pupil_id"] for child in children if (child["school_id"], child["year_group"]) in rows}
    if scope == "register":
        wide = role in ("headteacher", "slt", "dsl", "la_officer")
        return {
            child["pupil_id"]
            for child in children
            if child["pupil_id"] in here and (child["sen_provision"] != "N" or (wide and child["looked_after"]))
        }
    return here


# Slow twin: for each row, all grants of the account are gone through, and the children of each are listed anew.
def test_every_access_is_within_a_grant_in_force_and_its_reach_but_for_grants_used_after_their_end(town, logged):
    log, planted = logged
    accounts = {row["account"]: row for row in town["accounts"].iter_rows(named=True)}
    grants: dict[tuple[str, str, str], list[tuple[date, date, set[str]]]] = {}
    for row in town["grants"].iter_rows(named=True):
        children = reached(town, accounts[row["account"]], row["role"], row["scope"])
        held = (row["valid_from"], row["valid_to"] or DAY, children)
        grants.setdefault((row["account"], row["category"], row["verb"]), []).append(held)
    beyond = set()
    for row in log.iter_rows(named=True):
        held = grants[row["account"], row["category"], row["verb"]]
        seen = [(begin, end) for begin, end, kids in held if row["pupil_id"] is None or row["pupil_id"] in kids]
        assert seen
        if not any(begin <= row["at"].date() <= end for begin, end in seen):
            assert any(end < row["at"].date() for _, end in seen)
            beyond.add(row["account"])
    assert len(beyond) == planted["ad_hoc_grants_used_after_their_end"] >= 1


def test_a_child_is_looked_at_only_while_on_roll(town, log):
    seen = log.join(town["pupils"], on="pupil_id")
    assert seen.height > 500
    assert (seen["at"].dt.date() >= seen["admitted_on"]).all()
    gone = town["pupils"].with_columns(left_on=pl.when(pl.col("year_group") == 10).then(date(2025, 7, 22)))
    seen = make_access_log(Chance(5), town.having({"pupils": gone}))[0].join(gone, on="pupil_id")
    assert seen["left_on"].drop_nulls().len() > 20
    assert (seen["at"].dt.date() <= seen["left_on"].fill_null(DAY)).all()


def test_the_log_is_of_one_year_in_order_of_time_and_no_key_stands_twice(log):
    assert log["at"].dt.date().min() >= date(2025, 2, 1)
    assert log["at"].dt.date().max() <= DAY
    assert log["at"].is_sorted()
    assert log["log_id"].is_unique().all()
    assert log.columns == list(access_log.COLUMNS)


def test_nobody_but_leavers_is_seen_after_the_last_login_and_all_staff_are_seen_on_that_day(town, log):
    last = log.group_by("account").agg(pl.col("at").max().dt.date().alias("seen"))
    held = (
        town["accounts"]
        .join(last, on="account")
        .join(town["staff"], left_on="person_id", right_on="staff_id", how="left")
    )
    stayed = held.filter(pl.col("ended_on").is_null())
    assert (stayed["seen"] <= stayed["last_login"]).all()
    staff = stayed.filter(person_kind="staff")
    assert staff.height == len(SCHOOLS) * len(JOBS)
    assert (staff["seen"] == staff["last_login"]).all()


def test_a_sleeping_account_is_silent_and_an_open_one_leaves_no_trace(town, log):
    asleep = town["accounts"].filter(pl.col("last_login") == DAY - timedelta(days=150))["account"]
    assert len(asleep) == 2
    seen = log.filter(pl.col("account").is_in(asleep.implode()))
    assert seen.height > 0
    assert seen["at"].dt.date().max() == DAY - timedelta(days=150)
    assert "public" not in set(log["account"])


# Weekdays less holidays: 20 from 3 September, 23 - 6 in October, 20 in November, 15 to 19 December, 20 from 5 January.
def test_there_are_92_school_days_from_september_to_january():
    year = school_days(date(2025, 9, 3), 151)
    assert date(2025, 9, 3) + timedelta(days=150) == DAY
    assert year.sum() == 20 + 17 + 20 + 15 + 20
    assert school_days(date(2025, 12, 24), 3).tolist() == [False] * 3
    assert school_days(date(2026, 1, 16), 4).tolist() == [True, False, False, True]  # Friday to Monday


def test_staff_work_on_school_days_and_in_the_day(town, log):
    since = DAY - timedelta(days=364)
    usual = log.filter(pl.col("log_id").str.slice(11, 2) == "00")
    staff = usual.join(town["accounts"].filter(person_kind="staff"), on="account").filter(
        pl.col("at").dt.date() != pl.col("last_login")
    )
    day = (staff["at"].dt.date() - since).dt.total_days().to_numpy()
    assert school_days(since, 365)[day].mean() > 0.95
    assert ((staff["at"].dt.hour() >= 6) & (staff["at"].dt.hour() < 19)).mean() > 0.85
    families = log.filter(pl.col("account").str.starts_with("guardian"))
    assert (families["at"].dt.hour() >= 16).mean() > 0.5
    assert set(log.filter(account="service-sync")["at"].dt.hour()) <= {2, 3, 4}


# Census days of the year from February 2025: 15 May and 2 October 2025, 15 January 2026, all Thursdays.
def test_what_a_census_asks_for_is_taken_away_in_the_week_before_it(town):
    office = town["accounts"].filter(person_kind="staff")["account"]
    days: set[date] = set()
    for seed in range(6):
        log, _ = make_access_log(Chance(seed), town)
        taken = log.filter(pl.col("account").is_in(office.implode()), verb="export").filter(
            pl.col("category").is_in(["ethnicity", "fsm_pp", "identity", "sen"])
        )
        days |= set(taken["at"].dt.date())
        assert taken["pupil_id"].null_count() == taken.height
    weeks = [
        census - timedelta(days=step)
        for census in (date(2025, 5, 15), date(2025, 10, 2), date(2026, 1, 15))
        for step in range(7)
    ]
    assert days
    assert days <= set(weeks)


def test_events_are_in_the_log_as_often_as_it_says(town, logged):
    log, planted = logged
    night = log.filter(pl.col("at").dt.hour() < 5, account="vendor-support")
    assert planted["exports_at_night_by_the_supplier"] == night.height == 3 * len(SCHOOLS)
    assert set(night["verb"]) == {"export"}
    assert set(night["rows"]) == {48}  # every child of each school
    assert night["at"].max() - night["at"].min() < timedelta(minutes=10)

    people = town["accounts"].join(town["staff"].drop("school_id"), left_on="person_id", right_on="staff_id")
    after = log.join(people, on="account").filter(pl.col("at").dt.date() > pl.col("ended_on"))
    assert planted["leavers_who_still_log_in"] == after["account"].n_unique() == 4  # 0.4 of 8, rounded up

    burst = (
        log.filter(pl.col("account").str.starts_with("staff"))
        .drop_nulls("pupil_id")
        .sort("at")
        .rolling("at", period="42d", group_by=["account", "pupil_id"])
        .agg(pl.len())
        .filter(pl.col("len") >= 30)
    )
    again = burst.select("account", "pupil_id").unique()
    assert planted["staff_who_look_one_child_up_again_and_again"] == again.height == 1

    late = town["grants"].filter(
        pl.col("valid_to").is_null(),
        pl.col("valid_from") > date(2019, 9, 1),
        pl.col("account").str.starts_with("staff"),
    )
    assert planted["ad_hoc_grants_without_an_end"] == late["account"].n_unique()


def test_many_grants_are_never_used_in_the_year(town, log):
    heads = town["grants"].filter(pl.col("role").is_in(["headteacher", "dsl", "office_admin", "senco"]))
    used = log.select("account", "category", "verb").unique()
    unused = heads.join(used, on=["account", "category", "verb"], how="anti")
    assert 0.35 < unused.height / heads.height < 0.75


# Assumed: at most 110 a year for office staff on average; the tail is cut at 8 times that: 1 + 109 * 8.
def test_numbers_have_a_heavy_tail_that_is_bounded(town):
    office = town["accounts"].join(town["staff"].filter(job="office_admin"), left_on="person_id", right_on="staff_id")
    office = office.filter(pl.col("ended_on").is_null())["account"].implode()
    counts = []
    for seed in range(20):
        log = make_access_log(Chance(seed), town)[0].filter(pl.col("log_id").str.slice(11, 2) == "00")
        counts += log.filter(pl.col("account").is_in(office)).group_by("account").len()["len"].to_list()
    assert max(counts) <= 1 + 109 * 8
    assert np.mean(counts) <= 110
    assert np.mean(counts) > 1.5 * np.median(counts)


def test_the_same_chance_makes_the_same_log_and_another_does_not(town, log):
    assert make_access_log(Chance(5), town)[0].equals(log)
    assert not make_access_log(Chance(6), town)[0].equals(log)


def test_only_leavers_get_a_later_last_login(town, log):
    after = last_logins(town["accounts"], log)
    changed = after.filter(after["last_login"].ne_missing(town["accounts"]["last_login"]))
    gone = town["staff"].filter(pl.col("ended_on").is_not_null())["staff_id"]
    assert changed.height == 4
    assert set(changed["person_id"]) <= set(gone)
    assert after.drop("last_login").equals(town["accounts"].drop("last_login"))


def test_grants_for_an_occasion_are_of_people_in_post_and_run_or_ran(town):
    plain = hand_made()
    extra = make_ad_hoc(Chance(5), plain)
    assert extra.columns == plain["grants"].columns
    assert extra.schema == plain["grants"].schema
    assert not pl.concat([plain["grants"], extra]).is_duplicated().any()
    held = extra.join(plain["accounts"], on="account").join(plain["staff"], left_on="person_id", right_on="staff_id")
    assert held.height == extra.height
    assert held["ended_on"].null_count() == held.height
    words = reference.load("roles").entries
    assert set(extra["scope"]) <= {entry["name"] for entry in words["scope"]}
    assert (extra["valid_from"] <= DAY).all()
    states = set()
    for seed in range(8):
        extra = make_ad_hoc(Chance(seed), plain)
        states |= set((extra["valid_to"] >= DAY).to_list())
        length = (extra["valid_to"] - extra["valid_from"]).dt.total_days() + 1
        assert set(length.drop_nulls()) <= {10, 14, 28, 42}
    assert states == {True, False, None}  # in force, over, and over by its purpose but without an end


@given(
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 2**32),
    st.integers(0, 364),
    st.integers(0, 364),
)
def test_a_day_drawn_is_one_of_those_asked_for_and_has_weight(u, seed, low, high):
    weights = np.array([0.0, 0.5, 1.0])[Chance(seed).whole("weights", 3, np.arange(365) // 5)]
    before = np.concatenate([[0.0], np.cumsum(weights)])
    when = np.stack([before, before])
    for row in (0, 1):
        at = [np.array([value]) for value in (row, low, high)]
        (day,) = access_log._days_drawn(np.array([u]), when, *at)
        if low < high and sum(weights[low : high + 1]) > 0:
            assert low <= day <= high
            assert weights[day] > 0
        elif low == high:
            assert day == low
        elif low < high:
            assert day == -1
