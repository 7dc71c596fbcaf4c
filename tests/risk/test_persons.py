"""Several rows a person: one data subject is what is on record of one person, taken together."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from otrack_risk.errors import FieldError, ParameterError, TableError
from otrack_risk.risk import Population, measure

# Ana and Ben took art and law, in another order and Ben law twice; Cy took art; two entries name nobody.
ENTRIES = pl.DataFrame(
    {
        "pupil": ["ana", "ana", "ben", "ben", "ben", "cy", None, None],
        "subject": ["art", "law", "law", "art", "law", "art", "art", "law"],
        "grade": [1, 2, 2, 1, 1, 3, 3, None],
        "email": ["a@example.org", None, None, "", None, None, "x@example.org", None],
    }
)


# Sets: {art, law} twice; {art} of Cy and of the first nameless entry; {law} of the other.
def test_two_people_with_the_same_set_of_combinations_are_alike():
    found = measure(ENTRIES, ["subject"], person="pupil")
    assert (found.unit, found.records, found.classes) == ("data_subjects", 5, 3)
    assert found.class_sizes == ((1, 1, 1), (2, 2, 4))
    assert found.record()["person_rule"] == {
        "column": "pupil",
        "rows": 8,
        "rows_without_person": 2,
        "rows_left_out": 0,
    }
    assert "2 rows without it count as one each" in found.sentence()


def test_how_often_and_in_which_order_a_combination_stands_does_not_matter():
    once = measure(ENTRIES.unique(["pupil", "subject"]).drop_nulls("pupil"), ["subject"], person="pupil")
    again = measure(ENTRIES.drop_nulls("pupil").reverse(), ["subject"], person="pupil")
    assert once.class_sizes == again.class_sizes == ((1, 1, 1), (2, 1, 2))


# Grades as sets: ana {1, 2}, ben {1, 2}; cy {3} and the first nameless {3}; the last {none}.
def test_sensitive_values_of_a_person_are_a_set_too():
    found = measure(ENTRIES, ["subject"], person="pupil", sensitive=["grade"])
    assert found.sensitive["grade"].distinct_l == 1
    assert (found.sensitive["grade"].homogeneous_classes, found.sensitive["grade"].homogeneous_records) == (3, 5)


# Ana, and the nameless entry with an address, of five; an empty cell names nobody.
def test_people_are_named_where_any_of_their_rows_names_them():
    found = measure(ENTRIES, ["subject"], person="pupil", direct_identifiers=["email"])
    assert found.record()["directly_identified"] == {"columns": ["email"], "records": 2, "share": 0.4}


# Without a subject: a row of Dee's goes and she stays; Eve goes with her only row.
def test_the_drop_rule_takes_rows_and_people_without_any_left():
    entries = pl.DataFrame({"pupil": ["dee", "dee", "eve", "fay"], "subject": ["art", None, None, "art"]})
    found = measure(entries, ["subject"], person="pupil", missing="drop", population=Population(size=30))
    assert (found.records, found.k, found.left_out) == (2, 2, 1)
    assert found.record()["person_rule"]["rows_left_out"] == 2
    # three people are a tenth of thirty; the class of two is taken to be twenty there
    assert "marketer" in found.attackers
    assert found.attackers["marketer"].average == pytest.approx(1 / 20)


@pytest.mark.parametrize("made", [pl.LazyFrame, pd.DataFrame])
def test_people_are_counted_alike_from_any_engine_that_fits_one_process(made: Any):
    found = measure(made(ENTRIES.to_dict(as_series=False)), ["subject"], person="pupil")
    assert found.class_sizes == ((1, 1, 1), (2, 2, 4))


def test_a_person_column_is_a_column_and_not_a_quasi_identifier():
    with pytest.raises(FieldError, match="person: 'child' is not a field"):
        measure(ENTRIES, ["subject"], person="child")
    with pytest.raises(FieldError, match="everybody would be alone"):
        measure(ENTRIES, ["subject", "pupil"], person="pupil")
    with pytest.raises(FieldError, match="'subject' is a quasi-identifier too"):
        measure(ENTRIES, ["subject"], person="pupil", sensitive=["subject"])
    with pytest.raises(ParameterError, match="cannot be joined to people"):
        measure(ENTRIES, ["subject"], person="pupil", population=Population(table=ENTRIES))
    with pytest.raises(TableError, match="no rows"):
        measure(ENTRIES.clear(), ["subject"], person="pupil")
    with pytest.raises(ParameterError, match="none of own-category, drop"):
        measure(ENTRIES, ["subject"], person="pupil", missing="guess")  # type: ignore[arg-type]


# The twin gathers a frozenset a person, with every nameless row a person of its own.
@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, 3, None]), st.sampled_from(["x", "y", None]), st.sampled_from([1.5, float("nan")])
        ),
        min_size=1,
        max_size=12,
    ),
    st.booleans(),
)
def test_people_are_those_of_sets_gathered_by_hand(rows: list[tuple[Any, ...]], drop: bool):
    cleaned = [(person, a, None if b != b else b) for person, a, b in rows]
    sets: dict[Any, set[Any]] = {}
    for number, (person, *known) in enumerate(cleaned):
        if not (drop and None in known):
            sets.setdefault(("row", number) if person is None else person, set()).add(tuple(known))
    assume(sets)
    frame = pl.DataFrame(rows, schema={"who": pl.Int64, "a": pl.String, "b": pl.Float64}, orient="row")
    found = measure(frame, ["a", "b"], person="who", missing="drop" if drop else "own-category")
    expected = Counter(Counter(frozenset(known) for known in sets.values()).values())
    assert {size: count for size, count, _ in found.class_sizes} == expected
