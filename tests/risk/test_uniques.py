"""Uniqueness over all subsets of fields, against counting every subset row by row."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import FieldError, ParameterError, TableError
from otrack_risk.risk import measure, uniqueness_by_facts

FIELDS = ["a", "b", "c", "d"]


def unique_by_hand(rows: list[tuple[Any, ...]], places: tuple[int, ...]) -> int:
    keys = [tuple(row[place] for place in places) for row in rows]
    return sum(count == 1 for count in Counter(keys).values())


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(*[st.sampled_from([1, 2, 3, None])] * 3, st.sampled_from(["x", None])), min_size=1, max_size=15),
    st.sampled_from([None, 1, 2]),
)
def test_every_subset_is_counted_as_row_by_row(rows: list[tuple[Any, ...]], max_size: int | None):
    schema = {"a": pl.Int64, "b": pl.Int64, "c": pl.Int64, "d": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    found = uniqueness_by_facts({"t": frame}, FIELDS, max_size=max_size, example=["c", "a"]).tables[0]
    assert found.data_subjects == len(rows)
    assert len(found.by_facts) == (max_size or 4)
    for facts in found.by_facts:
        counts = {places: unique_by_hand(rows, places) for places in combinations(range(4), facts.facts)}
        assert facts.subsets == len(counts)
        assert (facts.fewest.uniques, facts.most.uniques) == (min(counts.values()), max(counts.values()))
        assert facts.median_uniques == median(counts.values())
        for named in (facts.fewest, facts.most):
            assert counts[tuple(FIELDS.index(name) for name in named.fields)] == named.uniques
    assert found.example is not None
    assert found.example.uniques == unique_by_hand(rows, (2, 0))


# Twelve columns of 300 values each: 300^12 is far beyond 64 bits.
def test_more_values_than_64_bits_can_pack_are_still_told_apart():
    chance = np.random.default_rng(7)
    columns = {f"c{number}": chance.integers(0, 300, 400) for number in range(12)}
    frame = pl.DataFrame(columns)
    frame = pl.concat([frame, frame.head(50)])
    found = uniqueness_by_facts({"t": frame}, frame.columns, max_size=1, example=frame.columns).tables[0]
    assert found.example is not None
    assert found.example.uniques == measure(frame, frame.columns).uniques == 350


def test_more_facts_never_hide_anybody():
    chance = np.random.default_rng(11)
    frame = pl.DataFrame({name: chance.integers(0, 6, 200) for name in "abcde"})
    found = uniqueness_by_facts({"t": frame}, list("abcde")).tables[0]
    for before, after in zip(found.by_facts, found.by_facts[1:], strict=False):
        assert after.fewest.uniques >= before.fewest.uniques
        assert after.most.uniques >= before.most.uniques


# Year alone singles out nobody, sex the one M; both: (7, F), (7, M) of four.
def test_the_sentence_names_the_least_and_the_most_telling_combination():
    pupils = pl.DataFrame({"year": [7, 7, 8, 8], "sex": ["F", "M", "F", "F"]})
    found = uniqueness_by_facts({"4 pupils": pupils}, ["year", "sex"], max_size=1, example=["year", "sex"])
    said = found.sentence()
    assert "4 pupils: with 1 of 2 facts known, from 0 of 4 (0 %; year) to 1 of 4 (25 %; sex)" in said
    assert "year and sex alone single out 2 of 4 (50 %)" in said
    figure = found.figure()
    assert figure.axes[0].lines[0].get_ydata().tolist() == [0.125]
    assert found.record()["tables"][0]["example"] == {"fields": ["year", "sex"], "uniques": 2, "unique_share": 0.5}


def test_what_cannot_be_shown_or_counted_is_refused():
    one = pl.DataFrame({"a": [1]})
    with pytest.raises(TableError, match="no table is given"):
        uniqueness_by_facts({}, ["a"])
    with pytest.raises(ParameterError, match="6 tables"):
        uniqueness_by_facts({str(number): one for number in range(6)}, ["a"])
    with pytest.raises(ParameterError, match="at least one quasi-identifier"):
        uniqueness_by_facts({"t": one}, ["a"], max_size=0)
    with pytest.raises(ParameterError, match="131,071 subsets of up to 17"):
        uniqueness_by_facts({"t": one}, [f"c{number}" for number in range(17)])
    with pytest.raises(FieldError, match="example: 'b' is not among the fields"):
        uniqueness_by_facts({"t": one}, ["a"], example=["b"])
    with pytest.raises(FieldError, match="'b' is not a field of this table"):
        uniqueness_by_facts({"t": one}, ["a", "b"])
    with pytest.raises(TableError, match="no rows"):
        uniqueness_by_facts({"t": one.clear()}, ["a"])
