"""Any few rows of a person, against sets of rows compared one person after the other."""

from __future__ import annotations

from itertools import combinations
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import FieldError, ParameterError, TableError
from otrack_risk.risk.unicity import Unicity, unicity


def measured(rows: list[tuple[Any, ...]], seed: int = 0, **options: Any) -> Unicity:
    frame = pl.DataFrame(rows, schema={"who": pl.String, "place": pl.Int64, "hour": pl.Int64}, orient="row")
    return unicity(frame, ["place", "hour"], "who", rng=np.random.default_rng(seed), **options)


def traces(rows: list[tuple[Any, ...]]) -> list[set[tuple[Any, ...]]]:
    """A set of points a person; a nameless row is a person of its own."""
    found: dict[Any, set[tuple[Any, ...]]] = {}
    for number, (who, *point) in enumerate(rows):
        found.setdefault(("row", number) if who is None else who, set()).add(tuple(point))
    return list(found.values())


rows_of_few = st.lists(
    st.tuples(
        st.sampled_from(["ana", "ben", "cy", "dee", None]), st.sampled_from([1, 2, None]), st.sampled_from([8, None])
    ),
    min_size=1,
    max_size=14,
)


# Ana and Ben share no row with anybody, whichever is drawn.
def test_people_who_share_no_row_are_unique_by_any_one():
    found = measured([("ana", 1, 8), ("ana", 1, 9), ("ben", 2, 8), ("ben", 2, 9), ("ben", 2, 9)], known=2)
    assert [at.unique for at in found.by_known] == [2, 2]
    assert (found.people, found.points, found.rows, found.fewer) == (2, 4, 5, 0)
    assert (found.by_known[0].share, found.by_known[0].high) == (1.0, 1.0)


def test_people_with_the_same_rows_are_never_unique_whatever_is_known():
    found = measured([(who, place, 8) for who in ("ana", "ben") for place in range(6)], known=6)
    assert [at.unique for at in found.by_known] == [0] * 6
    assert (found.by_known[5].share, found.by_known[5].low) == (0.0, 0.0)


# Any three of Ana's five places may be Ben's as well; he has four of them, so only her fifth tells: with all five.
def test_a_person_is_told_apart_when_enough_is_known_for_certain():
    rows = [("ana", place, 8) for place in range(5)] + [("ben", place, 8) for place in range(4)]
    for seed in range(5):
        found = measured(rows, seed, known=5)
        assert found.by_known[4].unique == 1  # Ana; all that Ben has she has too
        assert found.fewer == 1
    assert "1 of the 2 has fewer than 5 different ones" in found.sentence()


# With all points known the draw leaves nothing to chance: unique where no other set holds this one.
@settings(deadline=None, max_examples=60)
@given(rows_of_few)
def test_with_every_point_known_people_are_compared_as_sets(rows: list[tuple[Any, ...]]):
    people = traces(rows)
    found = measured(rows, known=6).by_known[-1]
    alone = sum(sum(mine <= other for other in people) == 1 for mine in people)
    assert (found.unique, found.share) == (alone, alone / len(people))


# The twin takes the same numbers from the generator, sorts each person's points by them, and compares sets.
@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=25))
def test_drawn_points_are_looked_for_in_every_other_set(rows: list[tuple[int, int, int]]):
    found = unicity(
        pl.DataFrame(rows, schema=["who", "place", "hour"], orient="row"),
        ["place", "hour"],
        "who",
        known=3,
        draws=4,
        rng=np.random.default_rng(9),
    )
    sets = {who: {tuple(point) for other, *point in rows if other == who} for who in sorted({row[0] for row in rows})}
    people, chance = list(sets.values()), np.random.default_rng(9)
    chosen = sorted(chance.choice(len(people), size=min(4, len(people)), replace=False))
    numbers = iter(chance.random(sum(len(people[which]) for which in chosen)))
    unique = [0, 0, 0]
    for which in chosen:
        ordered = [point for _, point in sorted((next(numbers), point) for point in sorted(people[which]))]
        for known in range(3):
            asked = set(ordered[: known + 1])
            unique[known] += sum(asked <= other for other in people) == 1
    assert [at.unique for at in found.by_known] == unique
    assert (found.drawn, found.people) == (len(chosen), len(people))


# The chance that a person is unique is the share of that person's pairs of points which nobody else has both of.
def test_every_pair_of_points_is_as_likely_as_any_other():
    chance = np.random.default_rng(4)
    rows = [(str(chance.integers(0, 8)), int(chance.integers(0, 4)), int(chance.integers(0, 3))) for _ in range(48)]
    people = traces(rows)
    expected, variance = 0.0, 0.0
    for mine in people:
        pairs = list(combinations(mine, min(2, len(mine))))
        p = sum(sum(set(pair) <= other for other in people) == 1 for pair in pairs) / len(pairs)
        expected, variance = expected + p, variance + p * (1 - p)
    runs = 400
    mean = sum(measured(rows, seed, known=2).by_known[1].unique for seed in range(runs)) / runs
    assert 0.5 < expected < len(people) - 0.5
    assert abs(mean - expected) < 4 * sqrt(variance / runs)


# Three nameless rows: two alike, and one whose place is missing, which is a value of its own.
def test_a_row_without_a_person_is_a_person_and_a_missing_fact_a_value():
    found = measured([(None, 1, 8), (None, 1, 8), (None, None, 8)], known=1)
    assert (found.people, found.rows_without_person, found.by_known[0].unique) == (3, 3, 1)
    assert "3 rows without a person count as one person each" in found.sentence()


# 900 people at the same three places, one of whom was at a fourth.
def test_one_among_many_who_share_the_rest_is_still_found():
    rows = [(f"p{number}", place, 8) for number in range(900) for place in range(3)] + [("p451", 3, 8)]
    found = measured(rows, known=4)
    assert [at.unique for at in found.by_known][-1] == 1
    assert found.fewer == 899


# Person i was at all of 80 places but the i-th: with 78 of them known one other fits, with all 79 nobody does. Each
# place has 79 holders, more than are looked at in one go.
def test_common_points_are_looked_for_among_all_who_hold_them():
    rows = [(f"p{who}", place, 8) for who in range(80) for place in range(80) if place != who]
    assert [at.unique for at in measured(rows, known=79).by_known[77:]] == [0, 80]


def test_the_order_of_rows_does_not_matter_and_the_seed_does():
    chance = np.random.default_rng(6)
    rows = [
        (None if n % 7 == 0 else f"p{chance.integers(0, 40)}", int(chance.integers(0, 9)), n % 5) for n in range(300)
    ]
    shuffled = [rows[place] for place in chance.permutation(300)]
    assert measured(rows, 1, known=3, draws=30) == measured(shuffled, 1, known=3, draws=30)
    assert len({measured(rows, seed, known=3, draws=30).by_known for seed in range(5)}) > 1


@pytest.mark.parametrize("made", [pl.LazyFrame, pd.DataFrame])
def test_any_engine_that_fits_one_process_gives_the_same(made: Any):
    columns = {"who": ["a", "a", "b", None], "place": [1.5, float("nan"), 1.5, float("nan")]}
    asked = {"known": 2, "draws": 10}
    first = unicity(pl.DataFrame(columns), ["place"], "who", rng=np.random.default_rng(0), **asked)
    assert unicity(made(columns), ["place"], "who", rng=np.random.default_rng(0), **asked) == first
    assert (first.people, first.points) == (3, 2)


# Two of ten: middle (2 + z^2/2) / (10 + z^2) = 0.2833, half width 0.2265 (Wilson 1927, z = 1.96).
def test_the_interval_is_wilson_s():
    rows = [("a", 1, 8), ("b", 2, 8), *((f"p{number}", 3, 8) for number in range(8))]
    at = measured(rows, known=1).by_known[0]
    assert (at.unique, at.share) == (2, 0.2)
    assert (at.low, at.high) == (pytest.approx(0.0567, abs=5e-4), pytest.approx(0.5098, abs=5e-4))


def test_sentence_table_and_record_give_both_numbers():
    found = measured([("a", 1, 8), ("b", 2, 8), ("b", 1, 8)], known=2)
    assert found.sentence().startswith(
        "Whoever knows any 2 rows of a person (place and hour) picks out 1 of 2 people drawn (50 %; 95 % interval "
    )
    assert "Drawn from 2 people with 3 rows, in which 2 different combinations occur." in found.sentence()
    assert found.table()["people singled out"].to_list()[1] == 1
    record = found.record()
    assert (record["known"], record["unique_share"], record["by_known"][1]["unique"]) == (2, 0.5, 1)
    assert found.figure().axes[0].lines[0].get_xdata().tolist() == [1, 2]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ParameterError, match="known: at least one"):
        measured([("a", 1, 8)], known=0)
    with pytest.raises(ParameterError, match="draws: at least one"):
        measured([("a", 1, 8)], draws=0)
    with pytest.raises(TableError, match="no rows"):
        measured([])
    frame = pl.DataFrame({"who": ["a"], "place": [1]})
    with pytest.raises(FieldError, match="'who' is among the facts too"):
        unicity(frame, ["place", "who"], "who", rng=np.random.default_rng(0))
    with pytest.raises(FieldError, match="person: 'child' is not a field"):
        unicity(frame, ["place"], "child", rng=np.random.default_rng(0))
