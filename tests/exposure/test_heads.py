"""People are distinct keys; what cannot be linked is a range that holds the truth."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import FieldError
from otrack_risk.exposure.heads import Heads, Held, heads
from otrack_risk.schema import Column, TableSchema


def keyed(name: str, person: str | None, rows: pl.DataFrame, kinds: dict[str, str] | None = None) -> Held:
    kinds = kinds or {}
    columns = tuple(Column(column, "other", kinds.get(column, column), "identity") for column in rows.columns)
    return Held(TableSchema(name, "child", person, person is None, columns), rows)


def test_a_pupil_in_three_tables_is_one_child_and_one_who_is_only_in_the_third_is_another() -> None:
    of = heads(
        [
            keyed("pupils", "pupil_id", pl.DataFrame({"pupil_id": ["a", "b"]})),
            keyed("marks", "pupil_id", pl.DataFrame({"pupil_id": ["a", "a", "b", None]})),
            keyed("photos", "Pupil ID", pl.DataFrame({"Pupil ID": ["b", " c ", "  "]})),
        ]
    )
    assert (of.least, of.most) == (3, 3)
    assert of.unkeyed == {"pupils": 0, "marks": 1, "photos": 1}  # blank text is no key


# Worked by hand: UPN A is pupil 1 and B is pupil 2; C is linked to nobody, because pupil 3 has no UPN.
def test_two_numberings_are_linked_by_the_table_that_holds_both_as_far_as_it_holds_both() -> None:
    pupils = keyed("pupils", "pupil_id", pl.DataFrame({"pupil_id": [1, 2, 3], "upn": ["A", "B", None]}))
    census = keyed("census", "upn", pl.DataFrame({"upn": ["a", " b", "C"]}))
    of = heads([pupils, census])
    assert (of.least, of.most) == (3, 4)  # C may be pupil 3, or a fourth child
    assert of.numbers["census"].tolist()[:2] == of.numbers["pupils"].tolist()[:2]


def test_where_every_pupil_has_both_keys_a_new_upn_is_a_new_child() -> None:
    pupils = keyed("pupils", "pupil_id", pl.DataFrame({"pupil_id": [1, 2], "upn": ["A", "B"]}))
    of = heads([pupils, keyed("census", "upn", pl.DataFrame({"upn": ["A", "B", "C"]}))])
    assert (of.least, of.most) == (3, 3)


def test_numberings_that_no_table_links_give_the_larger_to_the_sum() -> None:
    of = heads(
        [
            keyed("one", "pupil_id", pl.DataFrame({"pupil_id": [1, 2, 3]})),
            keyed("two", "exam_no", pl.DataFrame({"exam_no": ["x", "y"]})),
        ]
    )
    assert (of.least, of.most) == (3, 5)


def test_a_chain_of_three_numberings_is_followed_to_its_end() -> None:
    of = heads(
        [
            keyed("exams", "exam_no", pl.DataFrame({"exam_no": ["x", "y", "z"], "upn": ["A", "B", "C"]})),
            keyed("census", "upn", pl.DataFrame({"upn": ["A", "B"]})),
            keyed("pupils", "pupil_id", pl.DataFrame({"pupil_id": [1, 2, 3], "upn": ["A", "B", "C"]})),
        ]
    )
    assert (of.least, of.most) == (3, 3)


def test_columns_of_one_kind_are_one_numbering_whatever_their_names() -> None:
    one = keyed("one", "upn", pl.DataFrame({"upn": ["A", "B"]}))
    two = keyed(
        "two", "Unique Pupil Number", pl.DataFrame({"Unique Pupil Number": ["b"]}), {"Unique Pupil Number": "upn"}
    )
    assert heads([one, two]).most == 2


def test_columns_both_called_number_by_kind_are_not_one_numbering() -> None:
    one = keyed("one", "a_no", pl.DataFrame({"a_no": [1, 2]}), {"a_no": "number"})
    two = keyed("two", "b_no", pl.DataFrame({"b_no": [1, 2]}), {"b_no": "number"})
    assert (heads([one, two]).least, heads([one, two]).most) == (2, 4)


def test_whole_numbers_that_became_fractions_are_still_the_same_keys() -> None:
    whole = keyed("one", "pupil_id", pl.DataFrame({"pupil_id": [1, 2]}))
    mixed = keyed("two", "pupil_id", pl.DataFrame({"pupil_id": [1.0, None, 3.0]}))
    text = keyed("three", "pupil_id", pl.DataFrame({"pupil_id": ["3", "4"]}))
    assert heads([whole, mixed]).most == 3
    assert heads([whole, mixed, text]).most == 4


def test_tables_of_one_row_a_person_without_a_key_may_be_about_the_same_people() -> None:
    maths = keyed("maths", None, pl.DataFrame({"age": [15, 16, 15]}))
    language = keyed("language", None, pl.DataFrame({"age": [15, 16]}))
    of = heads([maths, language])
    assert (of.least, of.most) == (3, 5)
    assert of.unkeyed == {"maths": 0, "language": 0}


def test_a_person_column_that_the_table_lacks_is_refused_by_name() -> None:
    table = Held(TableSchema("pupils", "child", "upn", True, ()), pl.DataFrame({"UPN": ["A"]}))
    with pytest.raises(FieldError, match=r"'upn'.*table 'pupils'"):
        heads([table])


# The truth is known here: each person has a number, and perhaps a UPN that is nobody else's.
@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Held], int]:
    has_upn = draw(st.dictionaries(st.integers(0, 20), st.booleans(), min_size=1, max_size=15))
    people = sorted(has_upn)
    upn = {person: f"U{person}" if has_upn[person] else None for person in people}
    chosen = st.lists(st.sampled_from(people), max_size=20)
    pupils, marks, census = draw(chosen), draw(chosen), draw(st.lists(st.sampled_from(people), max_size=20))
    census = [person for person in census if has_upn[person]]
    tables = [
        keyed(
            "pupils",
            "pupil_id",
            pl.DataFrame(
                {"pupil_id": pupils, "upn": [upn[person] for person in pupils]},
                schema={"pupil_id": pl.Int64, "upn": pl.String},
            ),
        ),
        keyed("marks", "pupil_id", pl.DataFrame({"pupil_id": marks}, schema={"pupil_id": pl.Int64})),
        keyed("census", "upn", pl.DataFrame({"upn": [upn[person] for person in census]}, schema={"upn": pl.String})),
    ]
    return tables, len({*pupils, *marks, *census})


@settings(deadline=None)
@given(worlds())
def test_the_true_number_of_people_always_lies_in_the_range(world: tuple[list[Held], int]) -> None:
    tables, truth = world
    of = heads(tables)
    assert of.least <= truth <= of.most


@settings(deadline=None)
@given(worlds(), st.integers(0, 1000))
def test_row_order_and_repeated_rows_change_no_count(world: tuple[list[Held], int], seed: int) -> None:
    tables, _ = world
    again = [
        Held(table.schema, pl.concat([table.rows, table.rows.head(3)]).sample(fraction=1, shuffle=True, seed=seed))
        for table in tables
    ]
    one, other = heads(tables), heads(again)
    assert (one.least, one.most) == (other.least, other.most)


@settings(deadline=None)
@given(worlds())
def test_keyed_people_are_never_more_than_rows(world: tuple[list[Held], int]) -> None:
    tables, _ = world
    of: Heads = heads(tables)
    assert of.most <= sum(table.rows.height for table in tables)
    for table in tables:
        assert of.distinct(table.name).sum() == table.rows[table.schema.person or ""].drop_nulls().n_unique()


@settings(deadline=None)
@given(worlds(), st.sets(st.integers(0, 20)))
def test_the_people_of_any_choice_of_rows_lie_in_their_span(world: tuple[list[Held], int], chosen: set[int]) -> None:
    tables, _ = world
    of = heads(tables)
    pupils, _, census = tables
    ids = [row for row in pupils.rows["pupil_id"].to_list() if row in chosen]
    upns = [row for row in census.rows["upn"].to_list() if int(row[1:]) in chosen]
    flags = [
        of.distinct("pupils", pupils.rows["pupil_id"].is_in(sorted(chosen)).to_numpy()),
        of.distinct("census", census.rows["upn"].is_in([f"U{n}" for n in chosen]).to_numpy()),
    ]
    span = of.span(flags)
    assert span is not None
    assert span[0] <= len({*ids, *(int(upn[1:]) for upn in upns)}) <= span[1]
