"""Drawing by weight: held to slower ways of doing the same."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk.errors import ReferenceTableError
from otrack_risk.synth import draw, targets

WEIGHTS = st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any)


@given(WEIGHTS, st.integers(0, 5_000))
def test_apportioned_numbers_add_up_and_are_within_one_of_the_exact_share(weights, total):
    parts = draw.apportion(weights, total)
    assert parts.sum() == total
    for part, weight in zip(parts.tolist(), weights, strict=True):
        assert abs(part - Fraction(weight * total, sum(weights))) < 1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1_000)), max_size=40, unique=True))
def test_the_rank_of_an_entry_is_the_number_of_smaller_ones_with_its_key(pairs):
    key = np.array([key for key, _ in pairs], dtype=np.int64)
    order = np.array([order for _, order in pairs], dtype=np.int64)
    by_hand = [sum(1 for k, o in pairs if k == key_ and o < order_) for key_, order_ in pairs]
    assert draw.rank_within(key, order).tolist() == by_hand


@given(st.lists(WEIGHTS, min_size=1, max_size=6), st.integers(0, 2**32))
def test_a_place_without_weight_is_never_drawn(rows, seed):
    wide = max(map(len, rows))
    grid = np.array([row + [0] * (wide - len(row)) for row in rows], dtype=np.float64)
    row = np.arange(200) % len(rows)
    drawn = draw.choose_by(np.random.default_rng(seed), grid, row)
    assert (grid[row, drawn] > 0).all()
    alone = draw.choose(np.random.default_rng(seed), grid[0], 200)
    assert (grid[0, alone] > 0).all()


def test_places_are_drawn_in_proportion_to_their_weights_in_each_row():
    grid = np.array([[1.0, 3.0, 0.0], [2.0, 2.0, 4.0]])
    row = np.arange(60_000) % 2
    drawn = draw.choose_by(np.random.default_rng(7), grid, row)
    for line, weights in enumerate(grid):
        shares = np.bincount(drawn[row == line], minlength=3) / 30_000
        for share, weight in zip(shares, weights / weights.sum(), strict=True):
            assert abs(share - weight) <= 3 * sqrt(weight * (1 - weight) / 30_000)


def test_a_place_of_minus_one_is_missing():
    assert draw.gather(["a", "b"], np.array([1, -1, 0])).to_list() == ["b", None, "a"]


def test_a_figure_that_no_table_has_is_named():
    with pytest.raises(ReferenceTableError, match="no row 'height', 'all'"):
        targets.published("height")
    with pytest.raises(ReferenceTableError, match="no value 'luck'"):
        targets.assumed("luck")
