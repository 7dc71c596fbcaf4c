"""Reach of all accounts together, by hand."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk import access, reference
from otrack_risk.access.measures import concentration, expected_exposure, kinds_of, spread
from otrack_risk.access.model import build
from otrack_risk.access.tier_zero import tier_zero
from otrack_risk.display.tables import Hidden

DAY = date(2026, 1, 31)


# All alike: no inequality, and the top one of ten holds a tenth. One holds all of four: 1 - 1/4.
def test_gini_and_the_top_tenth_by_hand():
    assert spread([5.0] * 10) == (pytest.approx(0.1), pytest.approx(0.0))
    assert spread([0.0, 0.0, 0.0, 4.0]) == (1.0, pytest.approx(0.75))
    assert spread([1.0, 2.0, 3.0, 4.0]) == (pytest.approx(0.4), pytest.approx(0.25))
    assert spread([0.0, 0.0]) is None


@given(st.lists(st.integers(0, 50).map(float), min_size=1, max_size=12).filter(any))
def test_gini_is_half_the_mean_difference_of_all_pairs_over_the_mean(values):
    n, mean = len(values), sum(values) / len(values)
    by_pairs = sum(abs(a - b) for a in values for b in values) / (2 * n * n * mean)
    assert spread(values)[1] == pytest.approx(by_pairs, abs=1e-9)


# Seven enabled accounts; only Mr One holds anything: the top one (a tenth of 7, rounded up) holds all; Gini 6/7.
def test_concentration_counts_enabled_accounts_that_hold_nothing(small):
    found = concentration(small.reach(("one", "class_teacher", "sen", "view", "own class")))
    assert (found.accounts, found.unknown, found.top, found.top_share) == (7, 0, 1, 1.0)
    assert found.gini == pytest.approx(6 / 7)


def test_concentration_of_nothing_is_not_defined_and_says_why(small):
    nobody = concentration(small.reach(("one", "class_teacher", "sen", "view", "none")))
    assert (nobody.top_share, nobody.gini) == (None, None)
    assert nobody.record()["reason"]
    without_pupils = access.reach(small.grants(("one", "ta", "sen", "view", "school")), None, as_of=DAY)
    assert "no pupils" in concentration(without_pupils).sentence()


def ways(small, *lines):
    return tier_zero(small.grants(*lines), small.dataset(), as_of=DAY)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (("one", "dsl", "safeguarding", "view", "school"), 1),
        (("one", "dsl", "safeguarding", "edit", "all"), 1),
        (("one", "dsl", "safeguarding", "view", "own class"), 0),  # Ada and Ben of three
        (("one", "dsl", "safeguarding", "view", "aggregate"), 0),  # totals show nobody
        (("one", "dsl", "safeguarding", "edit", "write only"), 0),  # a concern is handed in
        (("one", "dsl", "medical", "view", "all"), 0),
        (("one", "ta", "behaviour", "admin", "own class"), 1),
        (("one", "sysadmin", "user administration", "edit", "all"), 1),
        (("one", "sysadmin", "user administration", "view", "all"), 0),
    ],
)
def test_what_is_a_way_to_everything(small, line, expected):
    assert ways(small, line).accounts == expected


# Mr One's class A1 and class A2 are all of school A, but not all of both schools, which are told as lists.
def test_lists_that_make_up_everybody_count_as_all_pupils(small):
    both = [("one", "dsl", "safeguarding", "view", f"class:{name}") for name in ("A1", "A2", "B1")]
    assert ways(small, *both).accounts == 1
    assert ways(small, *both[:1]).accounts == 0


def test_a_way_by_set_role_counts_and_is_told_apart(small):
    held = {"account": [None], "role": ["dsl"], "category": ["safeguarding"], "verb": ["view"], "scope": ["school"]}
    members = {"member": ["one", "head"], "role": ["dsl", "dsl"], "mode": ["latent", "inherit"]}
    grants = build(pl.DataFrame(held), pl.DataFrame(members), small.accounts, name="g")
    found = tier_zero(grants, small.dataset(), as_of=DAY)
    assert (found.accounts, found.latent, found.enabled) == (2, 1, 7)
    assert found.share == pytest.approx(2 / 7)
    assert found.published().accounts == Hidden(5)


def test_a_way_of_which_it_cannot_be_told_is_unknown_and_not_none(small):
    found = ways(small, ("one", "dsl", "safeguarding", "view", "the annexe"))
    assert (found.accounts, found.unknown) == (0, 1)


def rates(kind):
    entry = next(each for each in reference.load("account_theft").entries["rate"] if each["kind"] == kind)
    return entry["low"], entry["central"], entry["high"]


# One sees Ada and Ben (2 children), gran sees Ben and Eve (2); nobody else sees anybody.
def test_expected_exposure_is_the_sum_of_rate_times_children(small):
    lines = [("one", "class_teacher", "identity", "view", "own class"), ("gran", "parent", "identity", "view", "own")]
    grants = small.grants(*lines)
    seen = access.reach(grants, small.dataset(), as_of=DAY)
    found = expected_exposure(seen, kinds_of(grants, small.dataset(), as_of=DAY))
    by_hand = [2 * staff + 2 * guardian for staff, guardian in zip(rates("staff"), rates("guardian"), strict=True)]
    assert found.children == pytest.approx(by_hand)
    weight = 2  # of identity; one verb, view, of weight 1
    assert found.radius == pytest.approx([weight * number for number in by_hand])
    assert {each.kind: each.accounts for each in found.kinds} == {"staff": 3, "guardian": 1, "child": 1, "vendor": 1}
    assert found.enabled == 6  # the door that needs no log-in is not stolen


def test_an_account_of_no_known_kind_is_counted_as_such(small):
    grants = small.grants(("stranger", "class_teacher", "identity", "view", "all"))
    seen = access.reach(grants, small.dataset(), as_of=DAY)
    found = expected_exposure(seen, kinds_of(grants, small.dataset(), as_of=DAY))
    (unknown,) = [each for each in found.kinds if each.kind == "not known"]
    assert (unknown.accounts, unknown.children) == (1, pytest.approx([5 * rate for rate in rates("not known")]))


def test_without_pupils_nothing_is_expected_and_the_reason_stands_there(small):
    grants = small.grants(("one", "class_teacher", "identity", "view", "all"))
    found = expected_exposure(access.reach(grants, None, as_of=DAY), kinds_of(grants, None, as_of=DAY))
    assert found.children is None
    assert found.record()["reason"]
    assert found.kinds[0].accounts == 3


def test_on_paper_kinds_with_few_accounts_are_hidden_with_what_they_would_tell(small):
    grants = small.grants(("one", "class_teacher", "identity", "view", "own class"))
    seen = access.reach(grants, small.dataset(), as_of=DAY)
    shown = expected_exposure(seen, kinds_of(grants, small.dataset(), as_of=DAY)).published()
    assert all(isinstance(each.accounts, Hidden) and isinstance(each.children, Hidden) for each in shown.kinds)


def test_every_rate_says_where_it_is_from_and_runs_from_low_to_high():
    for entry in reference.load("account_theft").entries["rate"]:
        assert 0 < entry["low"] <= entry["central"] <= entry["high"] < 1
        assert entry["because"]
