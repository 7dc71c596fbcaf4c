"""All subsets and minimal uniques, against counting every subset record by record."""

from __future__ import annotations

from collections import Counter
from itertools import combinations as choose
from math import prod
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import ParameterError
from otrack_risk.risk import cube, keys
from otrack_risk.risk.classes import combinations
from otrack_risk.risk.counts import Combinations

Rows = list[tuple[Any, ...]]
ROWS = st.integers(1, 5).flatmap(
    lambda d: st.lists(st.tuples(*[st.sampled_from([None, 1, 2, 3, 40])] * d), min_size=1, max_size=25)
)


def frame_of(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={f"c{i}": pl.Int64 for i in range(len(rows[0]))}, orient="row")


def sizes_on(rows: Rows, places: tuple[int, ...]) -> list[int]:
    counted = Counter(tuple(row[place] for place in places) for row in rows)
    return [counted[tuple(row[place] for place in places)] for row in rows]


def check_counts(rows: Rows, max_size: int | None, dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cube, "_DENSE", (1 << 21) if dense else 0)
    frame, d = frame_of(rows), len(rows[0])
    found = cube.subset_counts(combinations(frame, frame.columns), max_size)
    subsets = [places for size in range(1, min(max_size or d, d) + 1) for places in choose(range(d), size)]
    assert [tuple(np.flatnonzero(row)) for row in found.members] == subsets
    assert found.records == len(rows)
    for number, places in enumerate(subsets):
        sizes = sizes_on(rows, places)
        assert found.classes[number] == pytest.approx(sum(1 / size for size in sizes))
        assert found.uniques[number] == sizes.count(1)
        assert found.k[number] == min(sizes)
        assert found.pairs[number] == sum((size - 1) / 2 for size in sizes)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.sampled_from([None, 1, 2, 3]), st.booleans())
def test_every_subset_is_counted_as_record_by_record(rows: Rows, max_size: int | None, dense: bool):
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_counts(rows, max_size, dense, monkeypatch)


def minimal_by_hand(rows: Rows, max_size: int) -> list[list[tuple[int, ...]]]:
    """For each record the subsets on which it is unique while it is on no proper part."""
    d = len(rows[0])
    subsets = [places for size in range(1, max_size + 1) for places in choose(range(d), size)]
    alone = {places: [size == 1 for size in sizes_on(rows, places)] for places in subsets}
    return [
        [
            places
            for places in subsets
            if alone[places][row]
            and not any(alone[part][row] for size in range(1, len(places)) for part in choose(places, size))
        ]
        for row in range(len(rows))
    ]


@settings(deadline=None, max_examples=60)
@given(ROWS, st.sampled_from([1, 2, 3, 5]))
def test_minimal_uniques_are_those_of_the_definition(rows: Rows, max_size: int):
    frame, d = frame_of(rows), len(rows[0])
    largest = min(max_size, d)
    grouped = combinations(frame, frame.columns)
    found = cube.minimal_uniques(grouped, max_size)
    expected = minimal_by_hand(rows, largest)
    scores = [[prod(d - i for i in range(len(places), d)) for places in of_row] for of_row in expected]
    assert sorted(map(tuple, found.by_size[found.score > 0].tolist())) == sorted(
        tuple(sum(len(places) == size for places in of_row) for size in range(largest + 1))
        for of_row in expected
        if of_row
    )
    assert sorted(found.score[found.score > 0]) == sorted(sum(of_row) for of_row in scores if of_row)
    for attribute in range(d):
        by_hand = sum(
            score
            for places_of, scores_of in zip(expected, scores, strict=True)
            for places, score in zip(places_of, scores_of, strict=True)
            if attribute in places
        )
        assert found.contribution[attribute] == by_hand


# 60 columns of 200 values are 480 bits; the first two columns again as the last two, so that nothing is new in them.
def test_keys_wider_than_64_bits_count_the_same(monkeypatch: pytest.MonkeyPatch):
    chance = np.random.default_rng(3)
    columns = [chance.integers(0, 200, 300) for _ in range(58)]
    rows = list(zip(*columns, *columns[:2], strict=True))
    frame = frame_of(rows)
    found = cube.subset_counts(combinations(frame, frame.columns), 2)
    assert len(found.members) == 60 + 60 * 59 // 2
    for number in (0, 58, 60, 117, 400, 1829):
        places = tuple(np.flatnonzero(found.members[number]))
        assert found.uniques[number] == sizes_on(rows, places).count(1)
    pairs = {tuple(np.flatnonzero(row)): number for number, row in enumerate(found.members)}
    assert found.uniques[pairs[0, 58]] == found.uniques[pairs[0,]] == found.uniques[pairs[58,]]


def test_threads_and_large_tables_count_what_polars_counts():
    chance = np.random.default_rng(5)
    n = 2 * keys.SMALL + 11
    spans = {"school": 900, "year": 14, "district": 300, "sex": 2, "month": 12}
    frame = pl.DataFrame({name: chance.integers(0, span, n) for name, span in spans.items()})
    grouped = combinations(frame, frame.columns)
    found = cube.subset_counts(grouped)
    for number, row in enumerate(found.members):
        names = [name for name, held in zip(spans, row, strict=True) if held]
        sizes = frame.group_by(names).len()["len"]
        assert (found.classes[number], found.k[number]) == (len(sizes), sizes.min())
        assert found.uniques[number] == (sizes == 1).sum()
        assert found.pairs[number] == (sizes.cast(pl.Float64) * (sizes - 1) / 2).sum()
    minimal = cube.minimal_uniques(grouped, 2)
    assert minimal.by_size[:, 1].sum() == found.uniques[:5].sum() == 0
    assert minimal.by_size[:, 2].sum() == found.uniques[5:15].sum()  # nobody is unique on one: all of two are minimal


# Sizes by construction: 2^31 records of one combination and 2^33 of the other.
def test_counts_pass_2_to_the_31():
    found = cube.subset_counts(Combinations(("a", "b"), np.array([[1, 1], [1, 2]]), np.array([2**31, 2**33])))
    assert found.records == 2**31 + 2**33
    assert found.k.tolist() == [2**31 + 2**33, 2**31, 2**31]
    assert found.pairs[0] == pytest.approx((2**31 + 2**33) * (2**31 + 2**33 - 1) / 2)
    assert found.uniques.tolist() == [0, 0, 0]


def test_too_many_subsets_are_refused_with_their_number():
    wide = Combinations(tuple(f"c{i}" for i in range(200)), np.ones((1, 200), dtype=np.int64), np.array([1]))
    with pytest.raises(ParameterError, match="200 quasi-identifiers have 1,333,500 subsets of up to 3, more than"):
        cube.subset_counts(wide, 3)
    assert cube.subset_counts(wide, 1).uniques.tolist() == [1] * 200
    with pytest.raises(ParameterError, match="at least one quasi-identifier"):
        cube.subset_counts(wide, 0)
