"""The catalogue: what is written is what is read, and what cannot be meant is refused by name."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk import profile, schema
from otrack_risk.errors import FieldError, FileError, ParameterError
from otrack_risk.schema import Catalogue, Column, TableSchema

_text = st.text(max_size=12)
_columns = st.lists(
    st.builds(Column, _text, st.sampled_from(schema.ROLES), _text, st.sampled_from(list(schema.categories())), _text),
    unique_by=lambda column: column.name,
    max_size=4,
)
_tables = st.builds(
    TableSchema,
    name=_text,
    subjects=st.sampled_from(schema.PERSON_KINDS),
    person=st.one_of(st.none(), _text),
    one_row_a_person=st.booleans(),
    columns=_columns.map(tuple),
)
_catalogues = st.lists(_tables, unique_by=lambda table: table.name, max_size=3).map(
    lambda tables: Catalogue(tuple(tables))
)


@settings(deadline=None)
@given(_catalogues)
def test_what_is_written_is_read_again(tmp_path_factory, catalogue):
    path = tmp_path_factory.getbasetemp() / "catalogue.toml"
    profile.write_catalogue(catalogue, path)
    assert profile.read_catalogue(path) == catalogue


def test_headers_with_quotes_lines_and_accents_come_back(tmp_path):
    names = ['a "b"', "a\nb\r\n", "naïve\\", "\x00\x1f\x7f", "日本語 🎒", "'''", '"""', "# no comment", "[[table]]"]
    columns = tuple(Column(name, "other", name, "other", name) for name in names)
    catalogue = Catalogue((TableSchema("t", "child", names[0], True, columns),))
    profile.write_catalogue(catalogue, tmp_path / "c.toml")
    assert profile.read_catalogue(tmp_path / "c.toml") == catalogue
    assert b"\r" not in (tmp_path / "c.toml").read_bytes()


ENTRY = """
[[table]]
name = "pupils"
subjects = "child"
person = "pupil_id"
one_row_a_person = false

[[table.column]]
name = "pupil_id"
role = "direct"
kind = "pupil_id"
category = "identity"
"""
COLUMN = ENTRY[ENTRY.index("\n[[table.column]]") :]


def test_a_person_may_leave_out_reason_and_person_column(tmp_path):
    (tmp_path / "c.toml").write_text(ENTRY.replace('person = "pupil_id"\n', ""), encoding="utf-8")
    (table,) = profile.read_catalogue(tmp_path / "c.toml").tables
    assert table.person is None
    assert table.columns[0].reason == ""


WRONG = {
    "an unknown role": (
        'role = "direct"',
        'role = "secret"',
        ["table 1 ('pupils')", "column 1 ('pupil_id')", "'role'"],
    ),
    "an unknown category": ('"identity"', '"identities"', ["column 1 ('pupil_id')", "'category'", "fsm_pp"]),
    "unknown subjects": ('"child"', '"pupil"', ["table 1 ('pupils')", "'subjects'", "guardian"]),
    "an unknown key of a column": ("kind =", "type =", ["column 1 ('pupil_id')", "'type'", "category"]),
    "an unknown key of a table": ("one_row_a_person", "one_row", ["table 1 ('pupils')", "'one_row'"]),
    "an unknown key of the file": ("\n[[table]]", 'version = "1"\n[[table]]', ["'version'"]),
    "a missing key": ('role = "direct"\n', "", ["column 1 ('pupil_id')", "'role' is missing"]),
    "a number for a name": ('name = "pupil_id"', "name = 3", ["column 1", "'name'", "text in quotes"]),
    "text for true or false": ("= false", '= "no"', ["'one_row_a_person'", "true or false"]),
    "a table that is no list": (ENTRY, "table = 3", ["'table'", "[[table]]"]),
    "columns that are no list": (COLUMN, "column = 3", ["'column'"]),
    "a column twice": (COLUMN, 2 * COLUMN, ["'pupil_id'", "twice"]),
    "a table twice": (ENTRY, 2 * ENTRY, ["'pupils'", "twice"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_meant_is_refused_by_table_column_and_key(tmp_path, what):
    was, now, said = WRONG[what]
    assert was in ENTRY
    (tmp_path / "mine.toml").write_text(ENTRY.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(ParameterError) as refused:
        profile.read_catalogue(tmp_path / "mine.toml")
    assert all(part in str(refused.value) for part in ["mine.toml", *said])
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("content", [b"[[table]\n", b"name = \xff", None])
def test_a_file_that_is_no_toml_or_not_there_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "mine.toml").write_bytes(content)
    with pytest.raises(FileError, match=r"mine\.toml"):
        profile.read_catalogue(tmp_path / "mine.toml")


PUPILS = pl.DataFrame({"pupil_id": [1, 2], "house": ["red", "blue"], "sex": ["F", "M"]})


def said(*columns: Column, name: str = "pupils", **about) -> Catalogue:
    """A catalogue of one table that says these columns."""
    told = {"subjects": "staff", "person": None, "one_row_a_person": True, **about}
    return Catalogue((TableSchema(name=name, columns=columns, **told),))


def test_what_a_person_says_goes_before_what_the_columns_show():
    mine = Column("house", "sensitive", "faith_house", "religion", "houses are by denomination")
    (table,) = profile.classify({"pupils": PUPILS}, said(mine)).tables
    assert table.column("house") == mine
    assert (table.subjects, table.person, table.one_row_a_person) == ("staff", None, True)
    assert table.column("sex") == profile.classify({"pupils": PUPILS}).tables[0].column("sex")  # classified as before
    assert [column.name for column in table.columns] == PUPILS.columns
    found = profile.profile({"pupils": PUPILS}, said(mine))
    assert found.record()["columns"][1]["role"] == "sensitive"
    assert found.record()["tables"][0]["reason"] == "said in the catalogue"
    assert all("house" not in key.attributes for key in found.minimal_keys)


def test_a_whole_catalogue_serves_one_of_its_tables():
    both = profile.classify({"pupils": PUPILS, "staff": PUPILS})
    assert profile.classify({"pupils": PUPILS}, both).tables == both.tables[:1]
    assert profile.classify({"pupils": PUPILS}, Catalogue()) == profile.classify({"pupils": PUPILS})


def test_a_complete_catalogue_is_taken_as_it_stands():
    whole = said(*(Column(name, "other", "text", "other", "mine") for name in PUPILS.columns))
    assert profile.classify({"pupils": PUPILS}, whole) == whole
    assert profile.classify({"pupils": PUPILS.select("sex", "house", "pupil_id")}, whole).tables[0].columns == (
        whole.tables[0].columns[2],
        whole.tables[0].columns[1],
        whole.tables[0].columns[0],
    )


def test_an_entry_for_what_is_not_there_is_refused_by_name():
    missing = Column("hause", "quasi", "house", "identity")
    with pytest.raises(FieldError, match=r"'pupils': 'hause' is not a column of it .*'pupil_id', 'house', 'sex'"):
        profile.classify({"pupils": PUPILS}, said(missing))
    with pytest.raises(FieldError, match="'upn' is not a column"):
        profile.classify({"pupils": PUPILS}, said(person="upn"))
    with pytest.raises(FieldError, match=r"none of its tables \('pupil'\).*'pupils'"):
        profile.classify({"pupils": PUPILS}, said(name="pupil"))


def test_the_catalogue_named_goes_before_the_one_in_the_folder(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    tables = {"pupils": PUPILS}
    assert profile.catalogue_for(folder, tables, "") == profile.classify(tables)
    profile.write_catalogue(said(subjects="guardian"), folder / "catalogue.toml")
    profile.write_catalogue(said(subjects="staff"), tmp_path / "mine.toml")
    assert profile.catalogue_for(str(folder), tables).tables[0].subjects == "guardian"
    assert profile.catalogue_for(folder, tables, tmp_path / "mine.toml").tables[0].subjects == "staff"
