from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from otrack_risk import access

DAY = date(2026, 1, 31)
TEACHES = ("one", "class_teacher", "identity", "view", "group")


def found(seen, check):
    return [(each.account, each.severity) for each in seen.findings if each.id == check]


@pytest.mark.parametrize("scope", ["all", "flag", "school:A", "the annexe"])
def test_reach_without_a_log_in_is_always_critical(small, scope):
    seen = small.reach(("open", "public", "identity", "view", scope), TEACHES)
    assert found(seen, "public_reach") == [("open", "critical")]
    assert seen.findings[0].id == "public_reach"


def test_published_totals_are_no_open_door(small):
    assert found(small.reach(("open", "public", "attendance", "view", "aggregate")), "public_reach") == []


def test_a_door_is_open_by_role_or_by_kind_of_account(small):
    by_role = small.reach(("one", "anonymous", "identity", "view", "all"))
    by_kind = small.reach(("open", "headteacher", "identity", "view", "all"))
    assert found(by_role, "public_reach") == [("one", "critical")]
    assert found(by_kind, "public_reach") == [("open", "critical")]


# The last day itself is still a day at work.
@pytest.mark.parametrize(("last_day", "expected"), [(DAY, []), (DAY - timedelta(days=1), [("one", "high")])])
def test_a_leaver_whose_account_works_is_found_from_the_day_after(small, last_day, expected):
    small.tables["staff"] = small.tables["staff"].with_columns(
        ended_on=pl.when(pl.col("staff_id") == "one").then(pl.lit(last_day))
    )
    small.accounts = small.accounts.filter(pl.col("account") != "eve")  # a leaver of her own
    assert found(small.reach(TEACHES), "leaver_enabled") == expected
    small.accounts = small.accounts.with_columns(enabled=pl.col("account") != "one")
    assert found(small.reach(TEACHES), "leaver_enabled") == []


def test_a_pupil_who_has_left_is_a_leaver_too(small):
    assert found(small.reach(("eve", "pupil", "identity", "view", "own")), "leaver_enabled") == [("eve", "high")]


@pytest.mark.parametrize(("days", "expected"), [(90, []), (91, [("one", "medium")])])
def test_an_account_sleeps_after_ninety_calendar_days(small, days, expected):
    small.accounts = small.accounts.with_columns(
        last_login=pl.when(pl.col("account") == "one").then(pl.lit(DAY - timedelta(days=days))).otherwise("last_login")
    )
    assert found(small.reach(TEACHES), "dormant_account") == expected


def test_a_sleeping_account_that_sees_only_its_own_child_is_of_low_severity(small):
    small.accounts = small.accounts.with_columns(last_login=pl.lit(date(2020, 1, 1)))
    seen = small.reach(("gran", "parent", "identity", "view", "own"), TEACHES)
    assert ("gran", "low") in found(seen, "dormant_account")
    assert ("one", "medium") in found(seen, "dormant_account")


def test_a_supplier_with_access_that_never_ends_is_found(small):
    endless = small.reach(("vendor", "mis_vendor", "identity", "view", "all"))
    ends = small.reach(("vendor", "mis_vendor", "identity", "view", "all", None, DAY))
    assert found(endless, "vendor_standing_access") == [("vendor", "high")]
    assert found(endless, "no_end_date") == []  # the same fault is told once
    assert found(ends, "vendor_standing_access") == []


@pytest.mark.parametrize("role", ["supply_teacher", ""])
def test_a_visit_and_a_direct_grant_need_an_end(small, role):
    assert found(small.reach(("one", role, "identity", "view", "group")), "no_end_date") == [("one", "medium")]
    assert found(small.reach(("one", role, "identity", "view", "group", None, DAY)), "no_end_date") == []
    assert found(small.reach(TEACHES), "no_end_date") == []


def test_an_account_of_nobody_is_found(small):
    small.accounts = small.accounts.filter(pl.col("account") != "two").with_columns(
        person_id=pl.when(pl.col("account") == "head").then(pl.lit("gone")).otherwise("person_id")
    )
    seen = small.reach(("two", "ta", "identity", "view", "all"), ("head", "slt", "identity", "view", "school"), TEACHES)
    assert found(seen, "orphan_account") == [("head", "medium"), ("two", "medium")]
    small.accounts = small.accounts.with_columns(person_id=pl.lit(None, pl.String))
    assert ("one", "medium") in found(small.reach(TEACHES), "orphan_account")
    assert "vendor" not in dict(found(small.reach(TEACHES), "orphan_account"))


def test_a_class_teacher_with_the_whole_school_beyond_need_is_found_with_the_categories(small):
    seen = small.reach(
        ("one", "class_teacher", "medical", "view", "school"),
        ("one", "class_teacher", "contact", "view", "all"),
        ("one", "class_teacher", "identity", "view", "group"),
        ("two", "class_teacher", "contact", "view", "school"),
        ("head", "headteacher", "medical", "view", "school"),
    )
    assert found(seen, "whole_school_beyond_need") == [("one", "high"), ("two", "medium")]
    why = next(each.why for each in seen.findings if each.account == "one")
    assert why.endswith("in: Medical, Contact, address, family")


def test_grants_out_of_force_are_no_finding(small):
    yesterday = DAY - timedelta(days=1)
    assert found(small.reach(("open", "public", "identity", "view", "all", None, yesterday)), "public_reach") == []


def test_what_the_tables_do_not_tell_was_not_looked_for(small):
    from otrack_risk.access import Grants

    rows = small.grants(TEACHES).rows.select("account", "role", "category", "verb", "scope")
    seen = access.reach(Grants.from_frame(rows), small.dataset(), as_of=DAY)
    unasked = seen.findings_table().record()["not_looked_for"]
    assert set(unasked) == {"leaver_enabled", "dormant_account", "orphan_account"}
    table = dict(seen.findings_table().table().select("finding", "severity").iter_rows())
    assert table["No person stands behind the account"] == "not looked for"
    assert table["A supplier has access that never ends"] == "none found"


def test_the_table_counts_accounts_by_check_and_severity(small):
    small.accounts = small.accounts.with_columns(last_login=pl.lit(date(2020, 1, 1)))
    counted = small.reach(TEACHES, ("gran", "parent", "identity", "view", "own")).findings_table()
    numbers = {(each["id"], each["severity"]): each["accounts"] for each in counted.record()["findings"]}
    # seven accounts sleep; only Mr One sees anybody but his own
    assert numbers == {("dormant_account", "medium"): 1, ("dormant_account", "low"): 6, ("leaver_enabled", "high"): 1}
    assert counted.sentence().startswith("3 kinds of finding (1 high, 1 medium, 1 low) in 7 accounts")
