"""Utility measures of classes, worked by hand and by all pairs of records."""

from __future__ import annotations

import json
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.display import tables
from otrack_risk.errors import ParameterError
from otrack_risk.risk.classes import classes, value_counts
from otrack_risk.risk.counts import Classes
from otrack_risk.risk.utility import classification_metric, utility


def classes_of(*sizes: int) -> Classes:
    return classes(pl.DataFrame({"c": [number for number, size in enumerate(sizes) for _ in range(size)]}), ["c"])


# Classes of 5, 2, 2 and 1: 25 + 4 + 4 + 1 = 34; 10 records / (4 classes * 2).
def test_dm_and_c_avg_of_classes_of_5_2_2_and_1():
    found = utility(classes_of(5, 2, 2, 1), k=2)
    assert (found.dm, found.c_avg, found.mean_class_size) == (34, 1.25, 2.5)


# Three suppressed of thirteen: each is charged with the whole table, 34 + 3 * 13.
def test_a_suppressed_record_is_charged_with_the_whole_table():
    found = utility(classes_of(5, 2, 2, 1), k=2, suppressed=3)
    assert (found.dm, found.c_avg) == (73, 1.25)
    assert "3 more were suppressed" in found.sentence()


# Sizes 2, 1, 1 of 4: 1/2 * 1 + 2 * 1/4 * 2 = 3/2 bits of 2.
def test_entropy_of_the_classes_is_a_share_of_what_tells_all_apart():
    found = utility(classes_of(2, 1, 1), k=1)
    assert (found.entropy_bits, found.entropy_share) == (1.5, 0.75)
    assert utility(classes_of(4), k=4).entropy_share == 0.0
    assert utility(classes_of(1, 1, 1, 1), k=1).entropy_share == 1.0


def test_of_a_single_record_the_share_is_not_defined():
    record = utility(classes_of(1), k=1).record()
    assert (record["dm"], record["entropy_share"], record["reason"]) == (1, None, "log2 of a single record is 0")


# (3 * 10^9)^2 + 1 is no double, and beyond 64 bits of a signed number is 4 * 10^9 squared.
def test_dm_is_exact_however_large():
    sizes = pl.DataFrame({"size": [1, 4_000_000_000], "classes": [1, 1], "data_subjects": [1, 4_000_000_000]})
    assert utility(Classes(sizes, 0), k=1).dm == 16_000_000_000_000_000_001


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.integers(0, 3), st.integers(1, 4))
def test_utility_is_that_of_all_pairs(column: list[int], suppressed: int, k: int):
    n = len(column)
    found = utility(classes(pl.DataFrame({"c": column}), ["c"]), k, suppressed)
    assert found.dm == sum(one == other for one in column for other in column) + suppressed * (n + suppressed)
    assert found.c_avg == pytest.approx(n / len(set(column)) / k)
    bits = -sum(math.log2(column.count(value) / n) / n for value in column)
    assert found.entropy_bits == pytest.approx(bits, abs=1e-12)


# Year 7: ASD is the majority of 2 in 3, one is wrong; year 8: SEMH and none are as common, so one of two is wrong.
def test_of_two_values_as_common_only_one_is_the_majority():
    pupils = pl.DataFrame({"year": [7, 7, 7, 8, 8], "need": ["ASD", "ASD", "SLCN", "SEMH", "none"]})
    counts = value_counts(pupils, ["year"], "need")
    assert classification_metric(counts) == 2 / 5
    assert classification_metric(counts, suppressed=3) == 5 / 8


def test_counts_below_what_is_possible_are_refused():
    for k, suppressed in ((0, 0), (2, -1)):
        with pytest.raises(ParameterError, match="k is 1 or more"):
            utility(classes_of(2), k, suppressed)
    with pytest.raises(ParameterError, match="suppressed: it is 0 or more"):
        classification_metric(value_counts(pl.DataFrame({"a": [1], "b": [1]}), ["a"], "b"), -1)


def test_the_result_shows_itself():
    result = utility(classes_of(5, 2, 2, 1), k=2)
    assert {"dm", "c_avg"} <= json.loads(json.dumps(tables.plain(result.record()), allow_nan=False)).keys()
    assert result.sentence() in result._repr_mimebundle_()["text/html"]
    assert "10 records stand in 4 classes of 2.5 on average, 1.25 times the 2" in result.sentence()
    assert "34" in str(result)
