"""Small tables whose every number is worked out beside it."""

from __future__ import annotations

import math

import polars as pl
import pytest

from otrack_risk.display.results import NotLookedFor
from otrack_risk.errors import FieldError, ParameterError
from otrack_risk.risk import (
    Population,
    at_risk,
    class_sizes,
    distinction,
    inference,
    journalist_risk,
    k_anonymity,
    l_diversity,
    marketer_risk,
    prosecutor_risk,
    record_risk,
    separation,
    t_closeness,
)
from otrack_risk.risk.sizes import median_class_size, missing_said, named, people_by_bin


# Two classes of three; the three of year 8 all have the same need.
def test_a_table_can_be_3_anonymous_and_still_give_a_need_away():
    pupils = pl.DataFrame({"year": [7, 7, 7, 8, 8, 8], "need": ["ASD", "SLCN", "none", "SEMH", "SEMH", "SEMH"]})
    assert k_anonymity(pupils, ["year"]).k == 3
    found = l_diversity(pupils, ["year"], sensitive="need")
    assert (found.distinct, found.entropy, found.homogeneous_classes, found.homogeneous_records) == (1, 1.0, 1, 3)


# Classes of 5, 2, 2 and 1: n = 10, J = 4.
SIZES = class_sizes(pl.DataFrame({"c": [1] * 5 + [2] * 2 + [3] * 2 + [4]}), ["c"])


def test_record_risk_of_classes_of_5_2_2_and_1():
    found = record_risk(SIZES)
    assert (found.highest, found.lowest, found.mean_per_record, found.share_at_highest) == (1.0, 0.2, 0.4, 0.1)
    assert found.mean_per_class == pytest.approx((1 / 5 + 1 / 2 + 1 / 2 + 1) / 4, abs=1e-15)


# 1/5 is not above 0.2, and 1/2 is not above 0.5.
@pytest.mark.parametrize(("threshold", "records"), [(0.0, 10), (0.2, 5), (0.5, 1), (1.0, 0)])
def test_at_risk_is_strictly_above_the_threshold(threshold: float, records: int):
    found = at_risk(SIZES, threshold)
    assert (found.records, found.share) == (records, records / 10)


# Of 45 pairs, 10 + 1 + 1 agree: 33 are told apart.
def test_distinction_and_separation_of_classes_of_5_2_2_and_1():
    assert distinction(SIZES) == 0.4
    assert separation(SIZES) == pytest.approx(33 / 45, abs=1e-15)


def test_one_record_has_no_pair_to_be_separated_from():
    assert separation(class_sizes(pl.DataFrame({"c": [1]}), ["c"])) is None


# Sizes 1, 2, 2, 5: halfway between 2 and 2; 1, 3: halfway between; 4: itself; 1, 1, 7: the second.
@pytest.mark.parametrize(
    ("column", "middle"),
    [([1] * 5 + [2, 2, 3, 3, 4], 2.0), ([1, 2, 2, 2], 2.0), ([1] * 4, 4.0), ([1, 2] + [3] * 7, 1.0)],
)
def test_the_median_is_taken_over_classes(column: list[int], middle: float):
    assert median_class_size(class_sizes(pl.DataFrame({"c": column}), ["c"])) == middle


def test_people_are_binned_by_the_size_of_their_class():
    column = [0] + [1] * 2 + [2] * 3 + [3] * 4 + [4] * 5 + [5] * 9 + [6] * 10 + [7] * 19 + [8] * 20 + [9] * 21
    binned = people_by_bin(class_sizes(pl.DataFrame({"c": column}), ["c"]))
    assert list(binned.values()) == [1, 2, 7, 14, 29, 41]
    assert sum(binned.values()) == len(column)


# Year 7: ASD, ASD, SLCN -> H = ln 3 - (2/3) ln 2; year 8: four values once each -> H = ln 4.
def test_entropy_l_is_a_float_and_the_class_of_least_entropy_decides():
    pupils = pl.DataFrame({"year": [7] * 3 + [8] * 4, "need": ["ASD", "ASD", "SLCN", "a", "b", "c", "d"]})
    found = l_diversity(pupils, ["year"], sensitive="need")
    assert found.entropy == pytest.approx(3 / 2 ** (2 / 3), rel=1e-14)
    assert (found.distinct, found.homogeneous_records) == (2, 0)


# pycanon's int(exp(H)) gives one less for 2, 3, 4, 6, 7, 8 and 10 equally frequent values.
@pytest.mark.parametrize("values", range(1, 12))
def test_equally_frequent_values_are_as_many_by_entropy_as_by_count(values: int):
    pupils = pl.DataFrame({"year": [7] * (2 * values), "need": [*range(values)] * 2})
    found = l_diversity(pupils, ["year"], sensitive="need")
    assert found.distinct == values
    assert found.entropy == pytest.approx(values, rel=1e-14)


# p = (1/2, 1/4, 1/4) over a, b, c. Year 7 (a, a): (|1 - 1/2| + 1/4 + 1/4) / 2 = 1/2; year 8 (b, c): the same.
# Year 9 of (a, a, b, c) is like the table.
def test_t_is_half_the_absolute_difference_of_the_shares():
    pupils = pl.DataFrame({"year": [7, 7, 8, 8, 9, 9, 9, 9], "need": list("aabcaabc")})
    assert t_closeness(pupils, ["year"], sensitive="need").t == 0.5
    assert t_closeness(pupils.filter(pl.col("year") == 9), ["year"], sensitive="need").t == 0.0


# "Nothing recorded" is a value: year 7 has two (ASD, none), year 8 has one.
def test_a_missing_sensitive_value_is_a_value_of_its_own():
    pupils = pl.DataFrame({"year": [7, 7, 8, 8], "need": ["ASD", None, None, None]})
    found = l_diversity(pupils, ["year"], sensitive="need")
    assert (found.distinct, found.homogeneous_records) == (1, 2)
    assert l_diversity(pupils.head(2), ["year"], sensitive="need").distinct == 2


# Dropped: the row without a year. Left: year 7 with a and b, p = (1/2, 1/2).
def test_a_row_that_the_rule_drops_leaves_the_whole_table_too():
    pupils = pl.DataFrame({"year": [7, 7, None], "need": ["a", "b", "c"]})
    found = t_closeness(pupils, ["year"], sensitive="need", missing="drop")
    assert (found.t, found.data_subjects, found.classes) == (0.0, 2, 1)
    kept = k_anonymity(pupils, ["year"], missing="drop")
    assert (kept.k, kept.data_subjects, kept.left_out) == (2, 2, 1)


# f = 2, 1, 1 and F = 4, 1, 10: 1/F > 0.2 for F = 4 and F = 1, that is three of four records.
SAMPLE = pl.DataFrame({"c": [1, 1, 2, 3]})
EVERYBODY = pl.DataFrame({"c": [1] * 4 + [2] + [3] * 10 + [4] * 85})


def test_journalist_risk_against_a_population_table():
    found = journalist_risk(SAMPLE, ["c"], Population(table=EVERYBODY))
    assert (found.highest, found.above_threshold, found.data_subjects) == (1.0, 3, 4)
    # max(3 classes / 15 people in them, (2/4 + 1/1 + 1/10) / 4)
    assert found.average == pytest.approx(max(3 / 15, 1.6 / 4), abs=1e-15)


# f = 9, 1 with F = 9, 5: 2 classes of 14 people, more than (9/9 + 1/5) / 10 = 0.12.
# f = 5, 5 with F = 5, 95: 2 classes of 100 people, less than (5/5 + 5/95) / 10.
@pytest.mark.parametrize(
    ("table", "everybody", "average"),
    [([1] * 9 + [2], [1] * 9 + [2] * 5, 2 / 14), ([1] * 5 + [2] * 5, [1] * 5 + [2] * 95, (1 + 5 / 95) / 10)],
)
def test_the_journalist_takes_the_larger_of_two_averages(table: list[int], everybody: list[int], average: float):
    population = Population(table=pl.DataFrame({"c": everybody}))
    assert journalist_risk(pl.DataFrame({"c": table}), ["c"], population).average == pytest.approx(average, abs=1e-15)


# (2/4 + 1/1 + 1/10) / 4: 1.6 of 4 records are matched rightly.
def test_marketer_risk_is_the_share_matched_rightly():
    found = marketer_risk(SAMPLE, ["c"], Population(table=EVERYBODY))
    assert found.average == pytest.approx(0.4, abs=1e-15)
    assert (found.highest, found.above_threshold) == (None, None)
    assert "1.6 of 4 records (40 %)" in found.sentence()


# 4 of 100: every class is taken to be 25 times as large, F = 50, 25, 25.
@pytest.mark.parametrize("population", [Population(size=100), Population(fraction=0.04)])
def test_with_a_size_or_a_fraction_every_class_grows_alike(population: Population):
    found = journalist_risk(SAMPLE, ["c"], population, threshold=0.03)
    assert found.highest == pytest.approx(1 / 25, abs=1e-15)
    assert found.above_threshold == 2
    assert found.average == pytest.approx(3 / 100, abs=1e-15)
    assert marketer_risk(SAMPLE, ["c"], population).average == pytest.approx(3 / 100, abs=1e-15)
    assert "as much larger in the population as the whole table is" in found.sentence()


def test_the_whole_population_in_the_table_makes_the_journalist_a_prosecutor():
    journalist = journalist_risk(SAMPLE, ["c"], Population(fraction=1.0))
    prosecutor = prosecutor_risk(SAMPLE, ["c"])
    assert (journalist.highest, journalist.average, journalist.above_threshold) == (
        prosecutor.highest,
        prosecutor.average,
        prosecutor.above_threshold,
    )


# One row of four is dropped; the four are a tenth of 40, and so are the three that are left.
def test_a_sampling_fraction_is_of_all_rows_those_left_out_included():
    pupils = pl.DataFrame({"c": [1, 1, 2, None]})
    found = marketer_risk(pupils, ["c"], Population(size=40), missing="drop")
    assert found.average == pytest.approx((2 / 20 + 1 / 10) / 3, abs=1e-15)


def test_a_population_is_given_in_one_way_and_holds_the_table():
    for wrong in ({}, {"size": 10, "fraction": 0.1}):
        with pytest.raises(ParameterError, match="exactly one"):
            Population(**wrong)
    for fraction in (0.0, 1.1, math.nan):
        with pytest.raises(ParameterError, match="above 0 and up to 1"):
            Population(fraction=fraction)
    with pytest.raises(ParameterError, match="its size, 3, is below the 4 data subjects"):
        marketer_risk(SAMPLE, ["c"], Population(size=3))
    assert Population.given() is None
    assert Population.given(size=7) == Population(size=7)


@pytest.mark.parametrize("threshold", [-0.1, 1.5, math.nan])
def test_a_threshold_is_a_probability(threshold: float):
    with pytest.raises(ParameterError, match="from 0 to 1"):
        prosecutor_risk(SAMPLE, ["c"], threshold=threshold)


# Year 7: ASD twice of three, year 8: SEMH twice of two. Best guess overall: ASD or SEMH, 2 of 5.
def test_the_best_guess_is_the_commonest_value_of_the_class():
    pupils = pl.DataFrame({"year": [7, 7, 7, 8, 8], "need": ["ASD", "ASD", "none", "SEMH", "SEMH"], "x": [1] * 5})
    found = inference(pupils, ["year"], ["need", "x", "year"])
    record = found.record()["sensitive"]
    assert (record["need"]["prior"], record["need"]["posterior"], record["need"]["certain"]) == (0.4, 0.8, 2)
    assert (record["x"]["prior"], record["x"]["posterior"], record["x"]["certain"]) == (1.0, 1.0, 5)
    assert "4 of 5 records (80 %), against 2 (40 %) with nothing known" in found.sentence()
    assert found.table()["known for certain"].to_list() == [2, 5]


def test_with_no_sensitive_column_nothing_was_looked_for():
    assert isinstance(inference(SAMPLE, ["c"], []), NotLookedFor)
    with pytest.raises(FieldError, match="a list of names"):
        inference(SAMPLE, ["c"], "need")


def test_sentences_give_both_numbers_of_a_share():
    pupils = pl.DataFrame({"year": [7, 7, 7, 8], "sex": ["F", "F", None, "M"], "need": ["a", "b", "a", "a"]})
    known = ["year", "sex"]
    assert "2 of 4 records (50 %) are alone with their combination" in k_anonymity(pupils, known).sentence()
    assert "1 of the records was left out" in k_anonymity(pupils, known, missing="drop").sentence()
    assert (
        "For 2 of 4 records (50 %) the chance is above 50 %" in prosecutor_risk(pupils, known, threshold=0.5).sentence()
    )
    said = l_diversity(pupils, known, sensitive="need").sentence()
    assert "at least 1 value of need" in said
    assert "2 of 3 classes everybody has the same value: for 2 of 4 records (50 %)" in said


# sex over the table: F 1/2, missing 1/4, M 1/4. Need b: F only, half of (1/2 + 1/4 + 1/4).
def test_t_says_how_many_values_would_have_to_change():
    pupils = pl.DataFrame({"sex": ["F", "F", None, "M"], "need": ["a", "b", "a", "a"]})
    assert "50 % of the sex values would have to change" in t_closeness(pupils, ["need"], sensitive="sex").sentence()


def test_names_are_listed_as_a_person_lists_them():
    assert [named(["a"]), named(["a", "b"]), named(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert missing_said("drop", None, "data subjects") == "Data subjects with a missing value were left out."
