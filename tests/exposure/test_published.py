"""Paper has no small number of people, none that subtraction gives away, and no cell of the data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk import frames, schema
from otrack_risk.display import figures, tables
from otrack_risk.exposure import ExposureScope, exposure_scope
from otrack_risk.exposure.fields import Field
from otrack_risk.exposure.people import PeopleCount
from otrack_risk.exposure.results import Images

_NOT_PEOPLE = {"records", "files", "rows", "schools", "oldest_year", "below"}


def numbers(value: Any, key: str = "") -> Iterator[int | float]:
    """Every number of a record but those that count something other than people."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from numbers(part, name) if name not in _NOT_PEOPLE else ()
    elif isinstance(value, list):
        for part in value:
            yield from numbers(part, key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def a_scope(children: int, staff: int, guardians: int, **changed: Any) -> ExposureScope:
    heads = PeopleCount("measured", 900, 2, children + staff + guardians, children, staff, guardians, 0, 0)
    made = ExposureScope(
        status="measured",
        head_count=heads,
        children_special_category=children,
        special_by_category={},
        images=Images(0, None, 0, ""),
        directly_identified=heads.total,
        directly_identified_share=1.0,
        directly_identified_columns=("pupils.surname",),
        fields=(),
        schools=1,
        oldest_year=2020,
        oldest_year_column="marks.year",
        leavers=0,
        at_least={},
        looked_for=(),
        left_out=(),
        reasons={},
    )
    return replace(made, **changed)


def a_field(people: int, of_people: int, filled: int, rows: int) -> Field:
    share = filled / rows
    return Field("pupils", "need", "sen", "sensitive", "child", rows, filled, share, people, of_people)


# 210 children and 3 staff: with the total on the page, 210 gives the 3 away, wherever it stands.
def test_a_count_equal_to_a_hidden_one_is_hidden_wherever_it_stands() -> None:
    scope = a_scope(210, 3, 0, fields=(a_field(210, 210, 210, 210),), leavers=210)
    record = tables.plain(scope.published(5).record())
    assert isinstance(record, dict)
    assert record["people"]["total"] == 213
    assert 210 not in list(numbers(record))
    assert record["people"]["staff"] == {"hidden": True, "below": 5}
    assert record["children_special_category"]["hidden"]
    assert record["fields"][0]["filled_share"]["hidden"]
    assert record["records"] == 900


def test_a_part_whose_rest_is_small_is_hidden_with_its_share() -> None:
    scope = a_scope(200, 20, 0, children_special_category=197, directly_identified=218, directly_identified_share=0.99)
    shown = scope.published(5)
    assert shown.children_special_category == tables.Hidden(5, "rest")
    assert shown.directly_identified == shown.directly_identified_share == tables.Hidden(5, "rest")
    assert shown.head_count.children == 200


# Of 60 children in the table 58 have a value: the two others would follow from another field filled for all 60.
def test_a_field_is_held_against_the_people_of_its_own_table_too() -> None:
    scope = a_scope(200, 20, 0, fields=(a_field(58, 60, 158, 160), a_field(60, 60, 160, 160), a_field(40, 60, 90, 160)))
    assert [entry.people for entry in scope.published(5).fields] == [tables.Hidden(5, "rest"), 60, 40]


def test_a_share_of_rows_is_hidden_where_few_rows_have_a_value_or_few_have_none() -> None:
    nobody = replace(a_field(0, 0, 2, 1000), people=None, of_people=None)
    nearly = replace(nobody, filled=998, filled_share=0.998)
    half = replace(nobody, filled=500, filled_share=0.5)
    shown = a_scope(200, 20, 0, fields=(nobody, nearly, half)).published(5).fields
    assert [entry.filled_share for entry in shown] == [tables.Hidden(5), tables.Hidden(5, "rest"), 0.5]


# Of 50 children with a special category fact 48 have a need: two have only something else.
def test_a_field_of_a_category_is_held_against_the_category_and_against_its_own_people() -> None:
    need = replace(a_field(60, 60, 60, 60), told_of=48, of_category=50)
    plan = replace(a_field(60, 60, 60, 60), told_of=57, of_category=90)
    flag = replace(a_field(60, 60, 60, 60), told_of=20, of_category=50)
    shown = a_scope(200, 20, 0, fields=(need, plan, flag)).published(5).fields
    assert [entry.told_of for entry in shown] == [tables.Hidden(5, "rest"), tables.Hidden(5, "rest"), 20]


def test_a_category_is_held_against_all_categories_together() -> None:
    scope = a_scope(200, 20, 0, children_special_category=50, special_by_category={"sen": 48, "medical": 20})
    assert scope.published(5).special_by_category == {"sen": tables.Hidden(5, "rest"), "medical": 20}


def test_hiding_twice_changes_nothing_and_hiding_below_one_hides_nothing() -> None:
    scope = a_scope(210, 3, 0, fields=(a_field(210, 210, 210, 210),))
    assert scope.published(5).published(5).record() == scope.published(5).record()
    assert scope.published(1).record() == scope.record()


def test_hidden_numbers_are_words_in_sentence_table_and_figure() -> None:
    shown = a_scope(210, 3, 0, fields=(a_field(210, 210, 210, 210),)).published(5)
    assert "a hidden number of children" in shown.sentence()
    assert "fewer than 5 staff" in shown.sentence()
    for part in (shown, shown.people(), shown.field_table()):
        assert "210" not in str(part)
        figure = part.figure()
        assert figure is not None
        assert "210" not in [text.get_text() for text in figure.axes[0].texts]


SOME_PEOPLE = st.lists(
    st.tuples(st.sampled_from("abcdefghijkl"), st.sampled_from(["ASD", None]), st.sampled_from(["x", None])),
    min_size=1,
    max_size=30,
)


@settings(deadline=None)
@given(SOME_PEOPLE, st.integers(0, 12))
def test_no_published_number_counts_one_to_four_people(rows: list[tuple[str | None, ...]], staff: int) -> None:
    columns = tuple(
        schema.Column(name, role, kind, category)  # type: ignore[arg-type]
        for name, role, kind, category in (
            ("pupil_id", "direct", "pupil_id", "identity"),
            ("need", "sensitive", "sen_need", "sen"),
            ("surname", "direct", "surname", "identity"),
        )
    )
    catalogue = schema.Catalogue(
        (
            schema.TableSchema("pupils", "child", "pupil_id", False, columns),
            schema.TableSchema("staff", "staff", None, True, columns[2:]),
        )
    )
    pupils = pl.DataFrame(rows, schema=dict.fromkeys(("pupil_id", "need", "surname"), pl.String), orient="row")
    held = {"pupils": pupils, "staff": pl.DataFrame({"surname": ["y"] * staff}, schema={"surname": pl.String})}
    dataset = frames.Dataset("d", {n: frames.Table(n, r, f"{n}.csv", n, r.height) for n, r in held.items()})
    exact = exposure_scope(dataset, catalogue)
    shown = exact.published(5)
    assert shown.by_source is not None
    assert shown.steps is not None
    for result in (shown, shown.people(), shown.field_table(), shown.by_source, shown.steps):
        record = tables.plain(result.record())
        assert not [n for n in numbers(record) if 0 < n < 5 and isinstance(n, int)]
        json.dumps(record, allow_nan=False)
    # Beside the published total, whoever can subtract learns of no kind that it counts one to four people.
    open_kinds = [n for n in (shown.head_count.children, shown.head_count.staff) if isinstance(n, int)]
    if isinstance(shown.head_count.total, int):
        assert not 0 < shown.head_count.total - sum(open_kinds) < 5


# Every text cell of the school carries a marker that stands nowhere else.
def test_no_cell_of_the_data_is_in_anything_that_is_shown(school: frames.Dataset, catalogue: schema.Catalogue) -> None:
    marked = {}
    for name, table in school.tables.items():
        text = [column for column, dtype in table.rows.schema.items() if isinstance(dtype, pl.String)]
        rows = table.rows.with_columns(pl.col(column) + "CANARY" for column in text)
        marked[name] = replace(table, rows=rows)
    scope = exposure_scope(frames.Dataset("marked", marked), catalogue)
    assert scope.by_source is not None
    assert scope.steps is not None
    shown = [scope, scope.people(), scope.field_table(), scope.by_source, scope.steps]
    for part in [*shown, *(part.published() for part in shown)]:
        figure = part.figure()
        assert figure is not None
        spoken = [part.sentence(), str(part), part.table().write_csv(), json.dumps(tables.plain(part.record()))]
        spoken += [figures.svg(figure), *(text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")))]
        assert "CANARY" not in "".join(spoken)
        assert "Birch" not in "".join(spoken)
