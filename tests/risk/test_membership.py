"""k-map and delta-presence: by hand, and against the definitions tried one number after another."""

from __future__ import annotations

import math
from itertools import count

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import ParameterError, TableError
from otrack_risk.risk.membership import (
    delta_presence,
    derived_k,
    estimated_k_map,
    k_map,
    k_map_of_fraction,
    k_map_of_table,
    presence,
)

quick = settings(deadline=None, max_examples=60)
FRACTIONS = st.sampled_from([0.01, 0.1, 0.25, 0.5, 0.9, 1.0])
SIGNIFICANCE = st.sampled_from([0.01, 0.05, 0.2, 0.5])


def threshold_by_definition(k: int, fraction: float, truncated: bool, significance: float) -> int:
    """Adds up the probabilities of 0, 1, 2, ... until they reach 1 - significance."""
    mean, least = fraction * k, 1 if truncated else 0
    of = 1 - math.exp(-mean) if truncated else 1.0
    total, chance = 0.0, math.exp(-mean)
    for c in count():
        if c >= least:
            total += chance / of
            if total >= 1 - significance:
                return min(k, c + (1 if truncated else 2))
        chance *= mean / (c + 1)
    raise AssertionError


# lambda = 0.5: P(0), P(1), P(2) = 0.6065, 0.3033, 0.0758; they sum to 0.9098 at 1 and to 0.9856 at 2, so
# c = 2 and k' = min(5, 4). Without the zero: 0.3033 / 0.3935 = 0.7707, then 0.9634; c = 2, k' = min(5, 3).
# lambda = 2: the sums up to 4 and 5 are 0.9473 and 0.9834, so c = 5 and k' = min(20, 7).
def test_thresholds_are_those_worked_by_hand():
    assert derived_k(5, 0.1, truncated=False) == 4
    assert derived_k(5, 0.1, truncated=True) == 3
    assert derived_k(20, 0.1, truncated=False) == 7
    assert derived_k(3, 0.1, truncated=False) == 3  # c = 1 (P(0), P(1) = 0.7408, 0.2222), and c + 2 is k itself


@quick
@given(st.integers(1, 300), FRACTIONS, st.booleans(), SIGNIFICANCE)
def test_thresholds_are_those_of_adding_up(k: int, fraction: float, truncated: bool, significance: float):
    found = derived_k(k, fraction, truncated=truncated, significance=significance)
    assert found == threshold_by_definition(k, fraction, truncated, significance)


@quick
@given(st.integers(1, 100_000), st.integers(0, 1000), st.floats(1e-6, 1), st.booleans(), SIGNIFICANCE)
def test_a_threshold_never_falls_as_k_grows(k: int, more: int, fraction: float, truncated: bool, significance: float):
    low, high = (derived_k(each, fraction, truncated=truncated, significance=significance) for each in (k, k + more))
    assert low <= high


@quick
@given(st.integers(1, 12), st.sampled_from([0.05, 0.1, 0.5, 1.0]), st.booleans(), SIGNIFICANCE)
def test_the_estimate_is_the_largest_k_that_is_still_allowed(
    smallest: int, fraction: float, truncated: bool, significance: float
):
    found = estimated_k_map(smallest, fraction, truncated=truncated, significance=significance)
    allowed = [k for k in range(1, 500) if threshold_by_definition(k, fraction, truncated, significance) <= smallest]
    assert found == max(allowed)
    assert found >= smallest


# With c = 2 the largest mean with P(0) + P(1) + P(2) >= 0.95 is 0.8177 (a table of the chi-squared distribution:
# the 0.05 point with 6 degrees of freedom is 1.6354, and half of that is the mean); 8 people give 0.8, 9 give 0.9.
def test_an_estimate_worked_from_a_table_of_chi_squared():
    assert estimated_k_map(4, 0.1, truncated=False) == 8


# c = 3: at a mean of 1.2 (0.3614 + 0.2169 + 0.0867) / 0.6988 = 0.9516,
# at 1.3 (0.3543 + 0.2303 + 0.0998) / 0.7275 = 0.9408
def test_a_zero_truncated_estimate_worked_by_hand():
    assert estimated_k_map(4, 0.1, truncated=True) == 12


@pytest.mark.parametrize("truncated", [False, True])
def test_a_class_of_one_shows_nothing_and_a_whole_population_shows_itself(truncated: bool):
    assert estimated_k_map(1, 0.001, truncated=truncated) == 1
    for smallest in (1, 2, 3, 10, 1000, 10**6):
        for significance in (0.01, 0.05, 0.5):
            assert estimated_k_map(smallest, 1.0, truncated=truncated, significance=significance) == smallest


def test_a_tiny_fraction_is_searched_through_quickly():
    # c = 0: exp(-lambda) >= 0.95, lambda <= 0.0512933
    assert estimated_k_map(2, 1e-9, truncated=False) == math.floor(-math.log(0.95) / 1e-9)


@pytest.mark.parametrize("fraction", [0, 1.01, math.nan])
def test_numbers_out_of_range_are_refused(fraction: float):
    with pytest.raises(ParameterError, match="fraction"):
        derived_k(5, fraction, truncated=False)
    for significance in (0, 0.6):
        with pytest.raises(ParameterError, match="significance"):
            estimated_k_map(5, 0.5, truncated=False, significance=significance)
    with pytest.raises(ParameterError, match="at least 1"):
        derived_k(0, 0.5, truncated=False)
    with pytest.raises(ParameterError, match="at least 1"):
        estimated_k_map(0, 0.5, truncated=False)


JOINT = pl.DataFrame({"size": [1, 2, 2], "population_size": [9, 4, 12], "classes": [3, 1, 2]})


def test_k_map_is_the_smallest_class_of_the_population_that_the_table_has():
    assert k_map(JOINT) == 4
    found = k_map_of_table(JOINT, ["year"])
    assert (found.k, found.poisson, found.zero_truncated, found.classes, found.smallest_class) == (4, None, None, 6, 1)
    assert found.numbers()["reason"].startswith("a population table is given")
    assert "at least 4 of the population" in found.sentence()
    assert found.table().height == 1


def test_k_map_is_not_read_off_sizes_that_are_only_assumed():
    with pytest.raises(ParameterError, match="not counted"):
        k_map(JOINT.with_columns(population_size=pl.col("size") / 0.3))


def test_without_a_population_table_k_is_estimated_and_the_reason_given():
    sizes = pl.DataFrame({"size": [4, 7], "classes": [2, 1]})
    found = k_map_of_fraction(sizes, ["year", "sex"], 0.1)
    assert (found.k, found.poisson) == (None, 8)
    assert found.zero_truncated == estimated_k_map(4, 0.1, truncated=True)
    assert found.record()["reason"].startswith("no population table")
    assert "significance of 0.05" in found.sentence()
    assert found.table().height == 1


# shares 2/4, 0/3, 3/4 and 1/5
def test_delta_presence_is_over_all_classes_of_the_population_and_the_other_reading_is_named():
    sample, population = np.array([2, 0, 3, 1]), np.array([4, 3, 4, 5])
    assert delta_presence(sample, population) == (0.0, 0.75)
    found = presence(sample, population, ["year"])
    assert (found.lowest, found.highest, found.lowest_present) == (0.0, 0.75, 0.2)
    assert (found.records, found.population, found.classes, found.classes_present) == (6, 16, 4, 3)
    assert found.numbers() == {
        "min": 0.0,
        "max": 0.75,
        "reading": "all classes of the population",
        "min_over_classes_present": 0.2,
    }
    assert "chance of 0 % to 75 %" in found.sentence()
    assert found.figure() is not None
    assert found.table().height == 1


def test_with_nobody_in_the_table_the_other_reading_is_undefined():
    found = presence(np.array([0, 0]), np.array([1, 2]), ["year"])
    assert found.lowest_present is None
    assert found.numbers()["reason"]


@pytest.mark.parametrize(("sample", "population"), [([], []), ([1], [1, 2]), ([3], [2]), ([0], [0])])
def test_classes_that_cannot_be_are_refused(sample: list[int], population: list[int]):
    with pytest.raises(TableError):
        delta_presence(np.array(sample, dtype=np.int64), np.array(population, dtype=np.int64))
