"""Combinations that single somebody out, against counting every combination record by record."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import combinations, permutations
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.display.figures import svg
from otrack_risk.errors import ParameterError
from otrack_risk.profile import keys
from otrack_risk.risk.counts import SubsetCounts
from otrack_risk.risk.subsets import (
    Combination,
    minimal_keys,
    quasi_identifier_shares,
    ranked_combinations,
    subset_risk,
)

Row = tuple[Any, ...]

# Years 7, 7, 8, 8; sexes F, M, F, F; one town. Alone: by year nobody, by sex the one M, by both the two of year 7.
PUPILS: list[Row] = [(7, "F", "A"), (7, "M", "A"), (8, "F", "A"), (8, "F", "A")]
FACTS = ("year", "sex", "town")


def singled_out(rows: list[Row], places: tuple[int, ...]) -> int:
    sizes = Counter(tuple(row[place] for place in places) for row in rows)
    return sum(size == 1 for size in sizes.values())


def counted(rows: list[Row], facts: tuple[str, ...] = FACTS, max_size: int | None = None) -> SubsetCounts:
    every = len(facts)
    chosen = [names for size in range(1, (max_size or every) + 1) for names in combinations(range(every), size)]
    sizes = [Counter(tuple(row[place] for place in places) for row in rows).values() for places in chosen]
    return SubsetCounts(
        quasi_identifiers=facts,
        records=len(rows),
        members=np.array([[place in places for place in range(every)] for places in chosen]),
        classes=np.array([len(found) for found in sizes]),
        uniques=np.array([singled_out(rows, places) for places in chosen]),
        k=np.array([min(found) for found in sizes]),
        pairs=np.array([sum(size * (size - 1) / 2 for size in found) for found in sizes]),
    )


def random_counts(facts: int, records: int = 200, seed: int = 5, max_size: int | None = None) -> SubsetCounts:
    chance = np.random.default_rng(seed)
    columns = [chance.integers(0, width, records) for width in chance.integers(2, 12, facts)]
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    return counted(rows, tuple(f"c{number}" for number in range(facts)), max_size)


tables = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, None]), st.sampled_from("xy"), st.integers(0, 4), st.sampled_from([0, 1])),
    min_size=1,
    max_size=14,
)
ABCD = ("a", "b", "c", "d")


# year: classes of 2 and 2, one pair alike in each; of the 6 pairs 4 differ.
def test_every_combination_is_measured_as_a_table_of_its_own():
    found = subset_risk(counted(PUPILS), inference={"need": [0.5, 0.25, 0.25, 1, 0.5, 0.25, 1]}).record()
    assert (found["records"], found["missing_rule"], len(found["subsets"])) == (4, "own-category", 7)
    assert found["subsets"][0] == {
        "attributes": ["year"],
        "classes": 2,
        "k": 2,
        "uniques": 0,
        "unique_share": 0.0,
        "distinction": 0.5,
        "separation": pytest.approx(4 / 6),
        "mean_record_risk": 0.5,
        "inference": {"need": 0.5},
    }
    assert [subset["attributes"] for subset in found["subsets"][3:5]] == [["year", "sex"], ["year", "town"]]
    assert [subset["uniques"] for subset in found["subsets"]] == [0, 1, 0, 2, 0, 1, 2]


def test_one_record_has_no_pairs_to_separate():
    found = subset_risk(counted(PUPILS[:1])).record()
    assert {subset["separation"] for subset in found["subsets"]} == {None}
    assert "only one record" in found["reason"]


# One fact known: 0, 1 and 0 singled out; two: 2, 0 and 1; three: 2.
def test_the_sentence_names_the_middle_the_least_and_the_most_telling_combination():
    found = subset_risk(counted(PUPILS, max_size=2), unit="data_subjects")
    assert found.sentence() == (
        "With 2 of 3 facts known, the middle combination singles out 1 of 4 data subjects (25 %), the least telling 0 "
        "(0 %; year and town), the most telling 2 (50 %; year and sex), over 3 combinations. "
        "A missing value counts as a value of its own."
    )
    assert (
        "With 3 of 3 facts known (year, sex and town), 2 of 4 records (50 %)" in subset_risk(counted(PUPILS)).sentence()
    )
    assert found.figure().axes[0].lines[0].get_ydata().tolist() == [0, 0.25]
    assert found.table()["most telling"].to_list() == ["sex", "year and sex"]
    assert found.table()["data subjects measured"].to_list() == [4, 4]


def test_a_number_for_every_combination_is_asked_for():
    with pytest.raises(ParameterError, match="'need' has not one number for each of 7 combinations"):
        subset_risk(counted(PUPILS), inference={"need": [0.5]})


@settings(deadline=None, max_examples=30)
@given(tables)
def test_numbers_of_facts_are_gathered_as_by_hand(rows: list[Row]):
    found = subset_risk(counted(rows, ABCD)).by_facts
    for size, facts in enumerate(found, 1):
        uniques = {names: singled_out(rows, names) for names in combinations(range(4), size)}
        assert (facts.facts, facts.subsets) == (size, len(uniques))
        assert facts.median_uniques == median(uniques.values())
        least, most = min(uniques, key=lambda names: uniques[names]), max(uniques, key=lambda names: uniques[names])
        assert facts.fewest == Combination(tuple(ABCD[place] for place in least), uniques[least])
        assert facts.most == Combination(tuple(ABCD[place] for place in most), uniques[most])


# sex alone 1 a fact; year and sex 2, so 1 a fact. Sex and town add nothing to sex, the three nothing to year and sex.
def test_combinations_are_ranked_by_what_a_known_fact_is_worth():
    found = ranked_combinations(counted(PUPILS))
    assert found.ranked == (Combination(("sex",), 1), Combination(("year", "sex"), 2))
    assert (found.tried, found.redundant) == (7, 2)
    assert found.sentence() == (
        "1 of 4 records (25 %) is singled out by sex alone, the most for each fact that has to be known. "
        "7 combinations of up to 3 of 3 facts were tried; 2 of them hold a fact that adds nothing to the others and "
        "are passed over. A missing value counts as a value of its own."
    )
    assert found.record()["ranked"][1] == {
        "attributes": ["year", "sex"], "uniques": 2, "unique_share": 0.5, "rank": 2, "uniques_per_fact": 1.0,
    }  # fmt: skip


# By a all four are alone; b and c together single out all as well, and no more than a does.
def test_more_facts_are_not_ranked_where_fewer_do_as_well():
    rows = [(1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 2, 2)]
    assert ranked_combinations(counted(rows, ("a", "b", "c"))).ranked == (Combination(("a",), 4),)


@settings(deadline=None, max_examples=40)
@given(tables, st.integers(1, 6))
def test_a_ranked_combination_needs_each_of_its_facts(rows: list[Row], most: int):
    found = ranked_combinations(counted(rows, ABCD), most=most)
    uniques = {names: singled_out(rows, names) for size in (1, 2, 3, 4) for names in combinations(range(4), size)}
    adding = {
        names: count
        for names, count in uniques.items()
        if count and all(uniques[part] < count for part in combinations(names, len(names) - 1) if part)
    }
    ranked = {tuple(ABCD.index(name) for name in each.attributes): each.uniques for each in found.ranked}
    assert ranked.items() <= adding.items()
    assert len(ranked) <= most
    assert bool(ranked) == bool(adding)
    worth = [count / len(names) for names, count in ranked.items()]
    assert worth == sorted(worth, reverse=True)
    assert found.redundant == sum(count > 0 for count in uniques.values()) - len(adding)
    if adding:  # the most telling of the smallest size that tells anything is never left out for want of room
        first = min(len(names) for names in adding)
        assert most < 4 or max(count for names, count in adding.items() if len(names) == first) in ranked.values()


def test_many_facts_give_a_figure_of_twenty_rows_at_most_with_combinations_of_several_sizes():
    found = ranked_combinations(random_counts(8))
    assert 10 < len(found.ranked) <= 20
    assert len({len(each.attributes) for each in found.ranked}) > 2
    assert svg(found.figure()) == svg(ranked_combinations(random_counts(8)).figure())


# Of 16 facts one tells everybody apart; the others are the same for all.
def test_a_figure_leaves_out_facts_that_stand_in_no_combination():
    rows = [(number, *[0] * 15) for number in range(3)]
    figure = ranked_combinations(counted(rows, tuple(f"c{number}" for number in range(16)), max_size=1)).figure()
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["c0"]
    assert "15 facts in none of them are not drawn" in figure.axes[0].get_xlabel().replace("\n", " ")


# A profile of the same table is counted in another way, by grouping each combination.
@settings(deadline=None, max_examples=40)
@given(tables)
def test_keys_are_those_that_a_profile_names(rows: list[Row]):
    frame = pl.DataFrame({name: [row[place] for row in rows] for place, name in enumerate(ABCD)})
    profiled = keys.minimal_keys(frame, ABCD, "t")
    found = minimal_keys(counted(rows, ABCD))
    assert [(each.attributes, each.uniques) for each in found.keys] == [
        (key.attributes, key.unique) for key in profiled
    ]


# Four bits for 16 people: all four facts are needed, and no three of them single out anybody.
def test_a_key_of_four_facts_is_found_where_more_than_three_may_be_known():
    rows = [tuple(number >> bit & 1 for bit in range(4)) for number in range(16)]
    bits = counted(rows, ABCD)
    assert minimal_keys(bits, largest=None).keys == (Combination(ABCD, 16),)
    few = minimal_keys(bits)
    assert (few.keys, few.minimal, few.largest, few.figure()) == ((), 0, 3, None)
    assert few.record()["reason"] == "no combination singles out any record"
    assert few.sentence().startswith("No combination of up to 3 of 4 facts singles out any of 16 records.")


# Half of the four are alone by year and sex, at most a quarter by any single fact.
def test_a_key_is_a_combination_that_singles_out_the_threshold_and_no_part_of_which_does():
    found = minimal_keys(counted(PUPILS), threshold=0.5)
    assert (found.keys, found.minimal) == ((Combination(("year", "sex"), 2),), 1)
    assert found.record()["minimal_keys"] == [{"attributes": ["year", "sex"], "unique_share": 0.5}]
    assert found.sentence() == (
        "1 minimal key singles out at least 50 % of 4 records, of up to 3 of 3 facts. 2 of 4 records (50 %) are "
        "singled out by year and sex. A missing value counts as a value of its own."
    )
    none = minimal_keys(counted(PUPILS))
    assert (none.keys, none.minimal) == ((Combination(("sex",), 1), Combination(("year", "sex"), 2)), 0)
    assert "No combination of up to 3 of 3 facts singles out 95 % of 4 records" in none.sentence()
    assert none.table()["minimal key"].to_list() == ["no", "no"]


# By definition: no proper part, of whatever size, is a key.
@settings(deadline=None, max_examples=40)
@given(tables, st.sampled_from([0.2, 0.5, 0.95, 1.0]))
def test_minimal_keys_are_those_without_a_key_inside(rows: list[Row], threshold: float):
    found = minimal_keys(counted(rows, ABCD), threshold=threshold, largest=None)
    every = [names for size in (1, 2, 3, 4) for names in combinations(range(4), size)]
    is_key = [names for names in every if singled_out(rows, names) / len(rows) >= threshold]
    minimal = {names for names in is_key if not any(set(part) < set(names) for part in is_key)}
    assert found.minimal == len(minimal)
    if minimal:
        assert {tuple(ABCD.index(name) for name in key.attributes) for key in found.keys} == minimal


def by_orders(rows: list[Row], facts: int) -> list[Fraction]:
    """The definition: what a fact adds to those known before it, averaged over all orders of becoming known."""
    added = [Fraction()] * facts
    for order in permutations(range(facts)):
        known: tuple[int, ...] = ()
        before = 0
        for fact in order:
            known = (*known, fact)
            now = singled_out(rows, known)
            added[fact] += now - before
            before = now
    return [total / math.factorial(facts) for total in added]


@settings(deadline=None, max_examples=40)
@given(tables)
def test_a_share_is_what_a_fact_adds_over_all_orders(rows: list[Row]):
    found = quasi_identifier_shares(counted(rows, ABCD))
    uniques = singled_out(rows, (0, 1, 2, 3))
    if len(rows) == 1 or not uniques:
        assert (found.shares, found.singled_out, found.figure()) == (None, None, None)
        assert found.record() == dict.fromkeys(ABCD) | {"reason": found.reason}
        return
    expected = by_orders(rows, 4)
    assert found.singled_out == tuple(float(value) for value in expected)
    assert list(found.record().values()) == [float(value / uniques) for value in expected]


# All 720 orders of six facts, over a table with columns of different width.
def test_six_facts_have_the_shares_of_all_their_orders():
    chance = np.random.default_rng(3)
    rows = [tuple(int(chance.integers(0, width)) for width in (2, 3, 4, 6, 2, 9)) for _ in range(25)]
    found = quasi_identifier_shares(counted(rows, tuple("abcdef")))
    assert found.singled_out == tuple(float(value) for value in by_orders(rows, 6))


# b repeats a, and d is the same for everybody.
@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), min_size=2, max_size=14))
def test_equal_facts_have_equal_shares_an_idle_one_has_none_and_all_sum_to_one(pairs: list[tuple[int, int]]):
    rows = [(a, a, c, 0) for a, c in pairs]
    found = quasi_identifier_shares(counted(rows, ABCD))
    if found.shares is None or found.singled_out is None:
        assert singled_out(rows, (0, 1, 2, 3)) == 0
        return
    assert found.singled_out[0] == found.singled_out[1]
    assert found.shares[3] == 0
    assert math.fsum(found.shares) == pytest.approx(1)
    assert math.fsum(found.singled_out) == pytest.approx(singled_out(rows, (0, 1, 2, 3)))


# sex adds 1 first, 2 after year; year adds 0 first, 1 after sex; town nothing: 1.5 and 0.5 of the two of year 7.
def test_shares_are_told_with_the_records_they_stand_for():
    found = quasi_identifier_shares(counted(PUPILS))
    assert found.record() == {"year": 0.25, "sex": 0.75, "town": 0.0}
    assert found.sentence() == (
        "2 of 4 records (50 %) are alone when all 3 facts are known; sex accounts for 1.5 of these 2 (75 %), the most "
        "of all, and town for 0 (0 %), the fewest. A missing value counts as a value of its own."
    )
    assert found.table()["fact"].to_list() == ["sex", "year", "town"]


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        (counted(PUPILS, max_size=2), "combinations of more than 2 of 3 facts were not counted"),
        (counted(PUPILS * 2), "nobody is unique on all facts together"),
        (counted(PUPILS[:1]), "a single record is alone whatever is known of it"),
    ],
)
def test_shares_that_are_not_defined_are_not_known_and_never_zero(counts: SubsetCounts, why: str):
    found = quasi_identifier_shares(counts)
    assert found.record() == {"year": None, "sex": None, "town": None, "reason": why}
    assert found.sentence() == f"How much each of 3 facts adds to uniqueness is not known: {why}."
    assert found.table().is_empty()


@pytest.mark.parametrize("measured", [subset_risk, ranked_combinations, minimal_keys, quasi_identifier_shares])
def test_the_order_of_records_and_of_combinations_of_a_size_does_not_matter(measured: Any):
    chance = np.random.default_rng(2)
    rows = [tuple(int(chance.integers(0, width)) for width in (2, 3, 5, 8)) for _ in range(30)]
    first, again = counted(rows, ABCD), counted(rows[::-1], ABCD)
    order = np.lexsort((-np.arange(15), again.members.sum(axis=1)))
    turned = SubsetCounts(
        ABCD, 30, *(getattr(again, name)[order] for name in ("members", "classes", "uniques", "k", "pairs"))
    )
    assert measured(first).sentence() == measured(turned).sentence()
    assert measured(first).table().rows() == measured(turned).table().rows()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda counts: ranked_combinations(counts, most=0), "most: at least one"),
        (lambda counts: minimal_keys(counts, largest=0), "largest: a key has at least one fact"),
        (lambda counts: minimal_keys(counts, threshold=1.5), "threshold: it is a probability"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(asked: Any, message: str):
    with pytest.raises(ParameterError, match=message):
        asked(counted(PUPILS))


def test_more_facts_than_a_whole_number_holds_are_refused():
    rows = [tuple(range(63)), tuple(range(1, 64))]
    with pytest.raises(ParameterError, match="63 are too many"):
        ranked_combinations(counted(rows, tuple(f"c{number}" for number in range(63)), max_size=1))
