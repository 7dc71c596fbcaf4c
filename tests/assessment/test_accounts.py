"""ENISA's severity of single accounts."""

from __future__ import annotations

import time
from datetime import date

import polars as pl
import pytest

from otrack_risk import access, frames
from otrack_risk.access.measures import categories_seen
from otrack_risk.access.model import Grants
from otrack_risk.assessment.accounts import NOBODY, UNKNOWN, account_severity
from otrack_risk.display.tables import Hidden

DAY = date(2026, 1, 31)


def world(pupils=3):
    rows = pl.DataFrame(
        {"pupil_id": [f"p{n}" for n in range(pupils)], "school_id": ["A"] * pupils, "class_id": ["A1"] * pupils}
    )
    return frames.Dataset("w", {"pupils": frames.Table("pupils", rows, "pupils.csv", "0" * 64, pupils)})


def told(*lines, pupils=3, malicious=True):
    columns = dict.fromkeys(["account", "role", "category", "verb", "scope"], pl.String)
    grants = Grants.from_frame(pl.DataFrame(lines, schema=columns, orient="row"))
    data = world(pupils)
    seen = access.reach(grants, data, as_of=DAY)
    return account_severity(seen, categories_seen(grants, data, as_of=DAY), malicious=malicious)


# Identity of children: simple data, 1, raised by 3; names: EI 1; known recipients 0.25; intent 0.5.
def test_a_stolen_log_in_with_names_is_4_x_1_and_three_quarters():
    found = told(("ann", "ta", "identity", "view", "all"))
    (one,) = found.accounts
    assert (one.score, one.band, one.more_than_100) == (4.75, "very_high", False)
    assert found.profiles == ((("identity",), 4.75, "4 x 1 + 0.75 = 4.75"),)


def test_without_intent_it_is_half_a_point_less():
    (one,) = told(("ann", "ta", "identity", "view", "all"), malicious=False).accounts
    assert one.score == 4.25


def test_more_than_a_hundred_children_is_a_flag_beside_the_score():
    few, many = (told(("ann", "ta", "identity", "view", "all"), pupils=n).accounts[0] for n in (100, 101))
    assert (few.more_than_100, many.more_than_100) == (False, True)
    assert few.score == many.score


def test_totals_and_what_is_handed_in_show_nobody():
    found = told(
        ("ann", "governor", "sen", "view", "aggregate"),
        ("bob", "ta", "safeguarding", "edit", "write only"),
        ("cat", "ta", "sen", "view", "all"),
    )
    assert {each.account: each.band for each in found.accounts} == {"ann": None, "bob": None, "cat": "very_high"}
    assert {each.reason for each in found.accounts if each.band is None} == {NOBODY}
    assert found.by_band["nobody reached"] == 2


def test_an_account_of_which_it_cannot_be_told_whom_it_reaches_has_no_severity():
    found = told(("ann", "ta", "sen", "view", "the annexe"))
    assert [(each.band, each.reason) for each in found.accounts] == [(None, UNKNOWN)]
    assert found.by_band["not known"] == 1


def test_equal_reach_is_scored_once_and_bands_add_up():
    lines = [(f"a{n}", "ta", category, "view", "all") for n in range(9) for category in ("identity", "sen")]
    found = told(*lines)
    assert len(found.profiles) == 1
    assert sum(found.by_band.values()) == found.enabled == 9


def test_on_paper_no_account_stands_alone_and_small_numbers_are_hidden():
    shown = told(("ann", "ta", "identity", "view", "all")).published()
    assert shown.accounts == ()
    assert isinstance(shown.by_band["very_high"], Hidden)
    assert "ann" not in str(shown)


# A ladder of accounts: 3,000 of them with a dozen different sets of categories.
def test_thousands_of_accounts_take_less_than_a_second():
    names = ["identity", "sen", "medical", "contact"]
    lines = [(f"a{n}", "ta", name, "view", "all") for n in range(3_000) for name in names[: n % 4 + 1]]
    columns = dict.fromkeys(["account", "role", "category", "verb", "scope"], pl.String)
    grants = Grants.from_frame(pl.DataFrame(lines, schema=columns, orient="row"))
    data = world()
    seen = access.reach(grants, data, as_of=DAY)
    start = time.process_time()
    found = account_severity(seen, categories_seen(grants, data, as_of=DAY))
    assert time.process_time() - start < 1
    assert len(found.profiles) == 4
    assert found.enabled == 3_000


@pytest.mark.parametrize("categories", [("sen",), ("identity", "sen"), ("behaviour",)])
def test_every_score_is_written_as_its_sum(categories):
    found = told(*(("ann", "ta", category, "view", "all") for category in categories))
    ((_, score, arithmetic),) = found.profiles
    product, total = arithmetic.split(" = ")
    dpc, rest = product.split(" x ")
    ei, cb = rest.split(" + ")
    assert float(dpc) * float(ei) + float(cb) == float(total) == score


def test_where_nobody_looked_at_grants_nobody_says_how_bad_a_lost_log_in_is():
    from otrack_risk import access
    from otrack_risk.frames import Dataset

    asked = access.asked_of(Dataset("d"))
    told = account_severity(asked.access, asked.categories_seen())
    assert told.record()["instead_of"] == "account_severity"
    assert told.record()["reason"]
