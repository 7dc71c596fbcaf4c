"""Every metric against its definition by all pairs of records, and what must always be true of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from otrack_risk import risk
from otrack_risk.risk.classes import class_sizes, classes

Rows = list[tuple[Any, ...]]
COLUMNS = ["a", "b", "c", "s"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["x", "y", None]),
        st.sampled_from([1, 2, None]),
        st.sampled_from([True, False]),
        st.sampled_from(["p", "q", "r", None]),
    ),
    min_size=1,
    max_size=14,
)
KNOWN = st.sampled_from([["a"], ["a", "b"], ["b", "c"], ["a", "b", "c"]])
RULES = st.sampled_from(["own-category", "drop"])
quick = settings(deadline=None, max_examples=40)


def frame_of(rows: Rows) -> pl.DataFrame:
    schema = {"a": pl.String, "b": pl.Int64, "c": pl.Boolean, "s": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def kept_rows(rows: Rows, known: Sequence[str], rule: str) -> Rows:
    places = [COLUMNS.index(name) for name in known]
    return [row for row in rows if rule == "own-category" or all(row[place] is not None for place in places)]


def agree(one: tuple[Any, ...], other: tuple[Any, ...], known: Sequence[str]) -> bool:
    return all(one[COLUMNS.index(name)] == other[COLUMNS.index(name)] for name in known)


def alike(rows: Rows, known: Sequence[str]) -> list[Rows]:
    """For each record, those that agree with it, itself included: all pairs."""
    return [[other for other in rows if agree(row, other, known)] for row in rows]


@quick
@given(ROWS, KNOWN, RULES, st.sampled_from([0.1, 0.2, 0.34, 0.5]))
def test_class_size_measures_are_those_of_all_pairs(rows: Rows, known: list[str], rule: Any, threshold: float):
    kept = kept_rows(rows, known, rule)
    assume(kept)
    n, sizes = len(kept), [len(matches) for matches in alike(kept, known)]
    found = risk.measure(frame_of(rows), known, missing=rule, thresholds=[threshold])
    assert (found.records, found.left_out, found.k, found.largest_class) == (n, len(rows) - n, min(sizes), max(sizes))
    assert found.uniques == sizes.count(1)
    assert found.classes == pytest.approx(sum(1 / size for size in sizes))
    assert found.at_risk[0].records == sum(1 / size > threshold for size in sizes)
    assert found.record_risk.mean_per_record == pytest.approx(sum(1 / size for size in sizes) / n, abs=1e-12)
    # a class of f records counts once: each of them by 1 / f, with the chance 1 / f
    mean_per_class = sum(1 / size**2 for size in sizes) / sum(1 / size for size in sizes)
    assert found.record_risk.mean_per_class == pytest.approx(mean_per_class, abs=1e-12)
    assert found.record_risk.share_at_highest == pytest.approx(sizes.count(min(sizes)) / n, abs=1e-12)
    assert found.distinction == pytest.approx(found.classes / n, abs=1e-12)
    apart = sum(not agree(kept[i], kept[j], known) for i in range(n) for j in range(i))
    if n > 1:
        assert found.separation == pytest.approx(apart / (n * (n - 1) / 2), abs=1e-12)
    else:
        assert found.separation is None
    assert (found.attackers["prosecutor"].highest, found.attackers["prosecutor"].average) == (
        1 / min(sizes),
        pytest.approx(sum(1 / size for size in sizes) / n, abs=1e-12),
    )


@quick
@given(ROWS, KNOWN, RULES)
def test_l_and_t_are_those_of_all_pairs(rows: Rows, known: list[str], rule: Any):
    kept = kept_rows(rows, known, rule)
    assume(kept)
    n, groups = len(kept), alike(kept, known)
    table = [row[3] for row in kept]
    values = [[row[3] for row in matches] for matches in groups]
    entropies = [-sum(math.log(own.count(v) / len(own)) * own.count(v) / len(own) for v in set(own)) for own in values]
    distances = [sum(abs(own.count(v) / len(own) - table.count(v) / n) for v in set(table)) / 2 for own in values]
    found = risk.measure(frame_of(rows), known, missing=rule, sensitive=["s"]).sensitive["s"]
    assert found.distinct_l == min(len(set(own)) for own in values)
    assert found.entropy_l == pytest.approx(math.exp(min(entropies)), rel=1e-12)
    assert found.t_equal == pytest.approx(max(distances), abs=1e-12)
    whole = -sum(math.log(table.count(v) / n) * table.count(v) / n for v in set(table))
    assert found.entropy_nats == pytest.approx(whole, abs=1e-12)
    assert found.homogeneous_records == sum(len(set(own)) == 1 for own in values)
    homogeneous = sum(1 / len(own) for own in values if len(set(own)) == 1)
    assert found.homogeneous_classes == pytest.approx(homogeneous)
    assert risk.l_diversity(frame_of(rows), known, sensitive="s", missing=rule).distinct == found.distinct_l
    assert risk.t_closeness(frame_of(rows), known, sensitive="s", missing=rule).t == found.t_equal
    guess = risk.inference(frame_of(rows), known, ["s"], missing=rule).record()["sensitive"]["s"]
    right = sum(max(own.count(v) for v in set(own)) / len(own) for own in values)
    assert guess["posterior"] == pytest.approx(right / n, abs=1e-12)
    assert guess["prior"] == max(table.count(v) for v in set(table)) / n


@quick
@given(ROWS, ROWS, KNOWN, RULES, st.sampled_from([0.1, 0.25, 0.5]))
def test_attackers_with_a_population_are_those_of_all_pairs(
    rows: Rows, others: Rows, known: list[str], rule: Any, threshold: float
):
    kept, everybody = kept_rows(rows, known, rule), kept_rows(rows + others, known, rule)
    assume(kept)
    n, inside = len(kept), [len(matches) for matches in alike(kept, known)]
    outside = [sum(agree(row, other, known) for other in everybody) for row in kept]
    population = risk.Population(table=frame_of(rows + others))
    journalist = risk.journalist_risk(frame_of(rows), known, population, threshold=threshold, missing=rule)
    assert journalist.highest == 1 / min(outside)
    assert journalist.above_threshold == sum(1 / big > threshold for big in outside)
    matched = sum(1 / big for big in outside) / n
    j, people = sum(1 / f for f in inside), sum(big / f for f, big in zip(inside, outside, strict=True))
    assert journalist.average == pytest.approx(max(j / people, matched), abs=1e-12)
    marketer = risk.marketer_risk(frame_of(rows), known, population, missing=rule)
    assert marketer.average == pytest.approx(matched, abs=1e-12)
    size = len(rows) + len(others)
    inflated = risk.marketer_risk(frame_of(rows), known, risk.Population(size=size), missing=rule)
    by_hand = sum(1 / (f * size / len(rows)) for f in inside) / n
    assert inflated.average == pytest.approx(by_hand, abs=1e-12)


@quick
@given(ROWS, KNOWN, st.randoms(use_true_random=False), RULES)
def test_the_order_of_the_rows_moves_no_digit(rows: Rows, known: list[str], chance: Any, rule: Any):
    assume(kept_rows(rows, known, rule))
    shuffled = list(rows)
    chance.shuffle(shuffled)
    records = [
        risk.measure(
            frame_of(table), known, sensitive=["s"], missing=rule, population=risk.Population(size=100)
        ).record()
        for table in (rows, shuffled)
    ]
    assert records[0] == records[1]


@quick
@given(ROWS, KNOWN)
def test_one_more_quasi_identifier_never_makes_classes_larger(rows: Rows, known: list[str]):
    more = [*known, next(name for name in COLUMNS if name not in known)]
    before, after = (risk.measure(frame_of(rows), names) for names in (known, more))
    assert after.k <= before.k
    assert after.largest_class <= before.largest_class
    assert after.uniques >= before.uniques
    assert after.distinction >= before.distinction
    assert (after.separation or 0) >= (before.separation or 0)


@quick
@given(ROWS, KNOWN, RULES)
def test_everybody_twice_doubles_every_class(rows: Rows, known: list[str], rule: Any):
    assume(kept_rows(rows, known, rule))
    once, twice = (classes(frame_of(table), known, missing=rule) for table in (rows, rows + rows))
    doubled = once.sizes.select(pl.col("size") * 2, "classes", pl.col("data_subjects") * 2)
    assert twice.sizes.equals(doubled)
    assert twice.left_out == 2 * once.left_out
    same = [
        risk.measure(frame_of(table), known, sensitive=["s"], missing=rule).sensitive["s"]
        for table in (rows, rows + rows)
    ]
    assert same[0].distinct_l == same[1].distinct_l
    assert same[0].t_equal == pytest.approx(same[1].t_equal, abs=1e-12)


@quick
@given(ROWS, KNOWN)
def test_dropping_a_row_with_a_gap_is_the_same_as_not_having_it(rows: Rows, known: list[str]):
    kept = kept_rows(rows, known, "drop")
    assume(kept)
    assert class_sizes(frame_of(rows), known, missing="drop").equals(class_sizes(frame_of(kept), known))
