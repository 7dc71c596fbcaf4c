"""Drawing by weight: held to slower ways of doing the same."""

from __future__ import annotations

import hashlib
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
    u = draw.Chance(seed).of("test", np.arange(200))
    drawn = draw.choose_by(u, grid, row)
    assert (grid[row, drawn] > 0).all()
    alone = draw.choose(u, grid[0])
    assert (grid[0, alone] > 0).all()


@given(st.integers(0, 2**70), st.lists(st.integers(0, 2**60), min_size=1, max_size=30, unique=True), st.randoms())
def test_chance_depends_on_the_seed_the_question_and_the_key_and_on_no_order(seed, keys, random):
    chance = draw.Chance(seed)
    alone = {key: chance.of("pupils.sex", np.array([key]))[0] for key in keys}
    assert all(0 <= number < 1 for number in alone.values())
    shuffled = random.sample(keys, len(keys))
    assert chance.of("pupils.sex", np.array(shuffled)).tolist() == [alone[key] for key in shuffled]
    other = chance.of("pupils.fsm", np.array(keys))
    assert all(number != alone[key] for number, key in zip(other, keys, strict=True))
    assert all(draw.Chance(seed + 1).of("pupils.sex", np.array(keys)) != list(alone.values()))


# SplitMix64 in whole numbers of Python, key by key: the slower way.
def test_chance_is_splitmix64_over_the_keys():
    whole = 2**64 - 1

    def mixed(word: int) -> int:
        word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & whole
        word = (word ^ (word >> 27)) * 0x94D049BB133111EB & whole
        return word ^ (word >> 31)

    def slowly(seed: int, what: str, *keys: int) -> float:
        word = int.from_bytes(hashlib.blake2b(f"{seed}:{what}".encode(), digest_size=8).digest(), "little")
        for key in keys:
            inner = mixed((key * 0x9E3779B97F4A7C15 + 0xBF58476D1CE4E5B9) & whole)
            word = mixed(((word ^ inner) + 0x9E3779B97F4A7C15) & whole)
        return (word >> 11) / 2**53

    one, two = np.array([0, 1, 77, 2**40]), np.array([5, 5, 0, 9])
    assert draw.Chance(3).of("a.b", one, two).tolist() == [
        slowly(3, "a.b", int(first), int(second)) for first, second in zip(one, two, strict=True)
    ]


# 100,000 numbers in 1,000 bins: chi-square with 999 degrees of freedom, 1 in 10,000 lies above 1,173.
@pytest.mark.parametrize("what", ["pupils.sex", "images.kept"])
def test_chance_over_keys_in_a_row_is_uniform_and_neighbours_do_not_agree(what):
    u = draw.Chance(1).of(what, np.arange(100_000))
    bins = np.bincount((u * 1_000).astype(int), minlength=1_000)
    assert ((bins - 100) ** 2 / 100).sum() < 1_173
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 4 / sqrt(100_000)
    assert abs(np.corrcoef(u, draw.Chance(1).of("other", np.arange(100_000)))[0, 1]) < 4 / sqrt(100_000)


# Tables of the normal distribution: 1.959964 has 97.5 percent below it. The beta distribution with 1 and 1 is uniform,
# with a and 1 its quantile is u to the power of 1 / a.
def test_quantiles_are_those_of_tables():
    assert draw.normal(np.array([0.5, 0.975, 0.025])).tolist() == [0.0, 1.959964, -1.959964]
    u = np.array([0.04, 0.25, 0.81])
    assert draw.beta(u, 1.0, 1.0).tolist() == [0.04, 0.25, 0.81]
    assert draw.beta(u, 2.0, 1.0).tolist() == [0.2, 0.5, 0.9]
    assert np.isfinite(draw.normal(np.array([0.0, 1 - 2.0**-53]))).all()


def test_whole_numbers_are_below_what_was_asked_and_each_is_met():
    drawn = draw.Chance(2).whole("x", 7, np.arange(700))
    assert set(drawn.tolist()) == set(range(7))


def test_places_are_drawn_in_proportion_to_their_weights_in_each_row():
    grid = np.array([[1.0, 3.0, 0.0], [2.0, 2.0, 4.0]])
    row = np.arange(60_000) % 2
    drawn = draw.choose_by(draw.Chance(7).of("test", np.arange(60_000)), grid, row)
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
