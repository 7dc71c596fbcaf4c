"""Roles out of grants: nobody gets more, nobody gets less, and the arrangement weighs less."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otrack_risk.access.change.mining import Weights, mined_roles
from otrack_risk.access.model import Grants, build
from otrack_risk.errors import ParameterError

DAY = date(2026, 1, 31)
CATEGORIES = ["sen", "medical", "identity", "contact", "behaviour", "attendance"]


def flat(held):
    """Direct views at school scope: account -> categories."""
    rows = [(account, None, category, "view", "school") for account, some in held.items() for category in some]
    columns = dict.fromkeys(["account", "role", "category", "verb", "scope"], pl.String)
    return Grants.from_frame(pl.DataFrame(rows, schema=columns, orient="row"))


def given_by(found):
    """account -> cells that its mined roles give."""
    cells: dict[str, set] = {}
    for each in found.candidates:
        for account in each.accounts:
            cells.setdefault(account, set()).update(each.cells)
    return cells


# Four accounts with the same three cells: a role of 1 + 4 accounts + 3 cells = 8 in place of 12 direct grants.
def test_four_accounts_with_the_same_cells_are_one_role():
    found = mined_roles(flat(dict.fromkeys("abcd", CATEGORIES[:3])), as_of=DAY)
    (only,) = found.candidates
    assert (only.accounts, len(only.cells)) == (("a", "b", "c", "d"), 3)
    assert (found.before.wsc, found.after.wsc) == (12, 8)
    assert (found.over_assigned, found.under_assigned) == (0, 0)


# A shared core of three among accounts that each hold one thing more, which nobody else holds.
def test_what_two_accounts_share_is_a_candidate_though_nobody_holds_just_that():
    held = {"a": ["sen", "medical", "identity", "contact"], "b": ["sen", "medical", "identity", "behaviour"]}
    held["c"] = ["sen", "medical", "identity", "attendance"]
    found = mined_roles(flat(held), as_of=DAY)
    (only,) = found.candidates
    assert {cell[0] for cell in only.cells} == {"sen", "medical", "identity"}
    assert found.after.direct == 3
    assert found.after.wsc == 1 + 3 + 3 + 3


# Two accounts, one cell each: a role costs 1 + 1 + 1 and saves 1.
def test_no_role_is_proposed_where_none_saves_anything():
    found = mined_roles(flat({"a": ["sen"], "b": ["medical"]}), as_of=DAY)
    assert found.candidates == ()
    assert found.after.wsc == found.before.wsc == 2


def test_a_heavy_price_of_roles_leaves_grants_direct():
    grants = flat(dict.fromkeys("abcd", CATEGORIES[:3]))
    assert mined_roles(grants, as_of=DAY, weights=Weights(role=9)).candidates == ()


holdings = st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from(CATEGORIES), min_size=1), min_size=1)


@settings(max_examples=10, deadline=None)
@given(holdings)
def test_roles_give_nothing_that_is_not_held_and_with_the_direct_grants_all_that_is(held):
    found = mined_roles(flat(held), as_of=DAY)
    through = given_by(found)
    direct = 0
    for account, some in held.items():
        mine = {(category, "view", "school", None) for category in some}
        assert through.get(account, set()) <= mine
        direct += len(mine - through.get(account, set()))
    assert found.after.direct == direct
    assert (found.over_assigned, found.under_assigned) == (0, 0)
    assert found.after.wsc <= found.held  # all direct
    sizes = [len(each.cells) for each in found.candidates]
    assert found.after.permission_assignments == sum(sizes)


def test_the_order_of_the_rows_does_not_matter():
    chance = random.Random(3)
    held = {f"a{n}": chance.sample(CATEGORIES, chance.randint(2, 5)) for n in range(30)}
    names = list(held)
    chance.shuffle(names)
    one, two = (mined_roles(flat(some), as_of=DAY) for some in (held, {name: held[name] for name in names}))
    assert one == two


def test_a_candidate_is_named_by_the_role_that_needs_most_like_it():
    from otrack_risk.access.needed import needed_matrix

    rows = needed_matrix().rows.filter(pl.col("role") == "ta")
    every = rows.select("category", "verb", "scope").join(pl.DataFrame({"account": [*"abcde"]}), how="cross")
    found = mined_roles(Grants.from_frame(every.with_columns(role=pl.lit(None, pl.String))), as_of=DAY)
    assert (found.candidates[0].nearest, found.candidates[0].likeness) == ("ta", 1.0)


# One role of two cells (view of two categories) with three accounts, and one role in it.
def test_todays_arrangement_is_weighed_as_it_is():
    held = {"account": [None, None], "role": ["base"] * 2, "category": ["sen", "medical"], "verb": ["view"] * 2}
    members = {"member": ["a", "b", "c", "team"], "role": ["team", "team", "base", "base"]}
    grants = build(pl.DataFrame(held | {"scope": ["school"] * 2}), pl.DataFrame(members), name="g")
    now = mined_roles(grants, as_of=DAY).before
    assert (now.roles, now.user_assignments, now.permission_assignments, now.hierarchy, now.direct) == (2, 3, 2, 1, 0)
    assert now.wsc == 8


def test_too_many_cells_are_refused():
    with pytest.raises(ParameterError):
        mined_roles(flat({"a": CATEGORIES}), as_of=DAY, most_cells=3)


def test_no_grants_give_no_roles():
    found = mined_roles(flat({}), as_of=DAY)
    assert (found.candidates, found.accounts, found.after.wsc) == ((), 0, 0)


def test_on_paper_no_account_is_named():
    found = mined_roles(flat(dict.fromkeys("abcd", CATEGORIES[:3])), as_of=DAY).published()
    assert found.candidates[0].accounts == ()
    assert "fewer than 5" in str(found)


def of_many(test, *worlds):
    """The same test of many more examples, for ``make test-slow``."""
    return pytest.mark.slow(
        settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))(
            given(*worlds)(test.hypothesis.inner_test)
        )
    )


test_roles_give_nothing_that_is_not_held_in_many_worlds = of_many(
    test_roles_give_nothing_that_is_not_held_and_with_the_direct_grants_all_that_is, holdings
)
