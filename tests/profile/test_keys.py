"""The smallest combinations that single records out, against trying them all one by one."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.profile.keys import FEW, MOST, minimal_keys

_cell = st.one_of(st.none(), st.integers(0, 2))
_table = st.integers(2, 4).flatmap(lambda width: st.lists(st.tuples(*[_cell] * width), min_size=1, max_size=25))


def unique_by_hand(rows, places):
    """Rows that are alone with their values in these places."""
    seen = Counter(tuple(row[place] for place in places) for row in rows)
    return sum(1 for number in seen.values() if number == 1)


@settings(deadline=None)
@given(_table)
def test_the_keys_are_those_of_trying_every_combination(rows):
    names = "abcd"[: len(rows[0])]
    parts = [part for size in (1, 2, 3) for part in combinations(range(len(names)), size)]
    unique = {part: unique_by_hand(rows, part) for part in parts}
    enough = {part for part in parts if unique[part] >= 0.95 * len(rows)}
    minimal = [part for part in enough if not any(set(other) < set(part) for other in enough)]
    telling = [
        part
        for part in parts
        if unique[part] and all(unique[part] > unique[rest] for rest in combinations(part, len(part) - 1) if rest)
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row")
    found = {
        tuple(names.index(name) for name in key.attributes): key.unique for key in minimal_keys(frame, list(names), "t")
    }
    assert all(number == unique[part] for part, number in found.items())
    if enough:
        assert set(found) == set(minimal)
    else:
        assert set(found) <= set(telling)
        assert sorted(found.values(), reverse=True) == sorted((unique[part] for part in telling), reverse=True)[:FEW]


def test_a_column_that_adds_nothing_is_in_no_key():
    rows = pl.DataFrame(
        {"class": ["7a", "7b", "7a", "7b"], "school": ["N", "N", "N", "N"], "sex": ["F", "F", "M", "M"]}
    )
    assert [key.attributes for key in minimal_keys(rows, rows.columns, "t")] == [("class", "sex")]


def test_a_table_in_which_everybody_has_a_double_has_no_key():
    rows = pl.DataFrame({"year": [7, 7, 8, 8], "sex": ["F", "F", "M", "M"]})
    assert minimal_keys(rows, rows.columns, "t") == ()
    assert minimal_keys(rows.clear(), rows.columns, "t") == ()
    assert minimal_keys(rows, [], "t") == ()


def test_a_missing_value_is_a_value_like_any_other():
    (key,) = minimal_keys(pl.DataFrame({"postcode": ["LS1 4AB", "LS1 4AB", None]}), ["postcode"], "t")
    assert (key.unique, key.records) == (1, 3)  # the one without a postcode


def test_row_order_changes_no_key():
    rng = np.random.default_rng(7)
    rows = pl.DataFrame({name: rng.integers(0, 6, 60) for name in "abcd"})
    mixed = rows[rng.permutation(60)]
    assert minimal_keys(rows, rows.columns, "t") == minimal_keys(mixed, rows.columns, "t")


def test_of_many_columns_the_search_stays_bounded():
    rows = pl.DataFrame({f"c{n}": [(row + n) % (n + 2) for row in range(50)] for n in range(40)})
    found = minimal_keys(rows, rows.columns, "t")
    assert 0 < len(found) <= MOST
    assert {name for key in found for name in key.attributes} <= {f"c{n}" for n in range(20, 40)}  # the most different
