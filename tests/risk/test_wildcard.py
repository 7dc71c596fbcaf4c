"""A missing value that matches everything, against comparing all pairs of records."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import ParameterError
from otrack_risk.risk import wildcard
from otrack_risk.risk.counts import Combinations
from otrack_risk.risk.wildcard import between, matching

Row = tuple[int, ...]
quick = settings(deadline=None, max_examples=40)
ROWS = st.lists(st.tuples(*[st.integers(0, 3)] * 4), min_size=1, max_size=15)


def combined(rows: list[Row], weights: list[float] | None = None) -> tuple[Combinations, list[int]]:
    """The distinct rows, and which of them each row is."""
    count = Counter(rows)
    distinct = list(count)
    place = [distinct.index(row) for row in rows]
    weight = None
    if weights is not None:
        weight = np.array([sum(w for w, at in zip(weights, place, strict=True) if at == j) for j in range(len(count))])
    codes = np.array(distinct, dtype=np.int64).reshape(len(distinct), -1)
    fields = tuple(f"f{number}" for number in range(codes.shape[1]))
    return Combinations(fields, codes, np.array(list(count.values())), weight), place


def match(one: Row, other: Row) -> bool:
    return all(a == b or a == 0 or b == 0 for a, b in zip(one, other, strict=True))


def counted_by_pairs(rows: list[Row], alpha: float, worth: list[float]) -> list[float]:
    """The rule in its own words, pair by pair."""
    found = []
    for row in rows:
        total = 0.0
        for other, each in zip(rows, worth, strict=True):
            if row == other or not any(row):
                total += each
            elif match(row, other):
                total += each * (alpha if 0 in other else 1)
        found.append(total)
    return found


@quick
@given(ROWS, st.sampled_from([0.0, 0.5, 1.0]), st.data())
def test_what_a_record_matches_is_what_all_pairs_say(rows: list[Row], alpha: float, data: st.DataObject):
    weights = data.draw(st.lists(st.sampled_from([0.1, 1.0, 2.5, 1e6]), min_size=len(rows), max_size=len(rows)))
    found, place = combined(rows, weights)
    matched = matching(found, alpha=alpha)
    assert matched.size[place].tolist() == counted_by_pairs(rows, alpha, [1.0] * len(rows))
    assert matched.weight is not None
    assert matched.weight[place] == pytest.approx(counted_by_pairs(rows, alpha, weights), rel=1e-14)
    assert (matched.size.dtype == np.int64) == (alpha == 1)
    assert matching(combined(rows)[0], alpha=alpha).weight is None


@quick
@given(ROWS, ROWS)
def test_what_a_record_matches_in_a_population_is_what_all_pairs_say(rows: list[Row], others: list[Row]):
    (sample, place), (population, _) = combined(rows), combined(others)
    assert between(sample, population)[place].tolist() == [sum(match(row, one) for one in others) for row in rows]


@quick
@given(ROWS)
def test_in_its_own_population_a_table_matches_itself(rows: list[Row]):
    found, _ = combined(rows)
    assert between(found, found).tolist() == matching(found).size.tolist()


def by_numpy(found: Combinations, alpha: float) -> list[float]:
    gaps = (found.codes == 0).any(axis=1)
    counted = []
    for own, row in enumerate(found.codes):
        matched = ((found.codes == row) | (found.codes == 0) | (row == 0)).all(axis=1)
        worth = np.where(gaps & row.any(), alpha, 1.0)
        worth[own] = 1
        counted.append(float((matched * worth * found.size).sum()))
    return counted


# 300 values need two rounds of eight bits; 60 columns with many gaps have a pattern for almost every row.
@pytest.mark.parametrize(
    ("rows", "columns", "values", "gaps"), [(900, 3, 300, 0.3), (700, 60, 3, 0.4), (900, 5, 4, 0.2)]
)
def test_a_larger_table_is_counted_alike_by_all_pairs(rows: int, columns: int, values: int, gaps: float):
    chance = np.random.default_rng(1)
    codes = chance.integers(1, values + 1, (rows, columns)) * (chance.random((rows, columns)) >= gaps)
    distinct, size = np.unique(codes, axis=0, return_counts=True)
    found = Combinations(tuple("abc"), distinct, size)
    for alpha in (0.5, 1.0):
        assert matching(found, alpha=alpha).size.tolist() == by_numpy(found, alpha)
    assert between(found, found).tolist() == matching(found).size.tolist()


def test_with_nothing_missing_a_record_matches_its_class_alone():
    found, _ = combined([(1, 1), (1, 2), (1, 2), (2, 1)])
    assert matching(found, alpha=0.3).size.tolist() == [1, 2, 1]


# The gap of the second row matches both others: 1 complete row each way counts in full for it, and
# alpha = 0 times 1 for them. As a value of its own it would have a class of 1.
def test_alpha_0_is_not_a_value_of_its_own():
    found, _ = combined([(1, 1), (1, 0), (1, 2)])
    assert matching(found, alpha=0).size.tolist() == [1, 3, 1]


def test_a_record_of_nothing_but_gaps_matches_the_whole_table_whatever_alpha_is():
    found, _ = combined([(0, 0), (1, 0), (1, 2), (1, 2)], [10.0, 1.0, 2.0, 3.0])
    matched = matching(found, alpha=0)
    assert matched.size[0] == 4
    assert matched.weight is not None
    assert matched.weight[0] == 16


def test_which_number_stands_for_a_value_does_not_matter():
    rows = [(1, 1), (1, 0), (2, 1), (0, 2), (2, 2)]
    renamed = [(a and 10**12 - a, b and -b) for a, b in rows]
    assert matching(combined(rows)[0]).size.tolist() == matching(combined(renamed)[0]).size.tolist()


def test_the_order_of_the_combinations_moves_no_digit():
    chance = np.random.default_rng(3)
    codes = np.unique(chance.integers(0, 4, (200, 4)), axis=0)
    size, weight = chance.integers(1, 5, len(codes)), chance.random(len(codes))
    order = chance.permutation(len(codes))
    one = matching(Combinations(tuple("abcd"), codes, size, weight), alpha=0.3)
    other = matching(Combinations(tuple("abcd"), codes[order], size[order], weight[order]), alpha=0.3)
    assert one.weight is not None
    assert other.weight is not None
    assert one.weight[order].tobytes() == other.weight.tobytes()
    assert one.size[order].tobytes() == other.size.tobytes()


def test_an_alpha_that_is_no_share_is_refused():
    found, _ = combined([(1,)])
    with pytest.raises(ParameterError, match="alpha"):
        matching(found, alpha=1.5)


def test_a_table_of_a_hundred_thousand_combinations_is_compiled_once_and_counted_in_moments():
    chance = np.random.default_rng(4)
    codes = chance.integers(1, 400, (100_000, 3)) * (chance.random((100_000, 3)) >= 0.05)
    distinct, size = np.unique(codes, axis=0, return_counts=True)
    found = Combinations(tuple("abc"), distinct, size)
    matched = matching(found).size
    for own in chance.integers(0, len(size), 20):
        row = distinct[own]
        assert matched[own] == size[((distinct == row) | (distinct == 0) | (row == 0)).all(axis=1)].sum()
    assert wildcard._compiled() is wildcard._compiled()


def published(folder: Path) -> list[dict[str, Any]]:
    cases = json.loads((folder / "peers" / "published_values.json").read_text(encoding="utf-8"))
    wanted = {"wildcard_frequencies", "sample_frequency_fk", "population_frequency_Fk"}
    return [case for case in cases if case["metric"] in wanted]


def read(path: Path, known: list[str], weight: str | None) -> tuple[list[Row], list[float] | None]:
    """Rows with every value numbered; "" and "*" are missing."""
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    names: dict[tuple[str, str], int] = {}
    rows = [
        tuple(0 if row[name] in ("", "*") else names.setdefault((name, row[name]), len(names) + 1) for name in known)
        for row in table
    ]
    return rows, None if weight is None else [float(row[weight]) for row in table]


def test_every_published_count_with_gaps_is_met(reference_data: Path):
    cases = published(reference_data)
    assert len(cases) == 13
    for case in cases:
        path, weight = reference_data / "peers" / case["data"], case["parameters"].get("weight")
        found, place = combined(*read(path, case["quasi_identifiers"], weight))
        matched = matching(found)
        values = matched.weight if case["metric"] == "population_frequency_Fk" else matched.size
        assert values is not None
        assert values[place] == pytest.approx(case["expected"], rel=1e-9), case["id"]
