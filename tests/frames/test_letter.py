"""A supplier's letter: the example is complete, and a mistake is told by its key."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from otrack_risk.errors import FileError, ParameterError
from otrack_risk.frames import letter


def test_the_example_of_the_docstring_says_what_it_says(text_file):
    found = letter.read_letter(text_file(letter.example(), "letter.toml"))
    assert (found.supplier, found.dated, found.oldest_year) == ("Example Learning Ltd", date(2026, 1, 12), 2019)
    assert (found.records, found.images, found.files, found.schools) == (12400, 310, 355, 3)
    assert [(each.table, each.name, each.category, each.role, each.status) for each in found.fields] == [
        ("pupils", "upn", "identity", "direct", "stated"),
        ("pupils", "medical_condition", "medical", "sensitive", "assumed"),
    ]
    assert (found.fields[0].filled_share, found.fields[0].people) == (1.0, 900)


def test_the_example_shows_every_key():
    content = tomllib.loads(letter.example())
    assert set(content) == {field.alias or name for name, field in letter.Letter.model_fields.items()}
    assert set(content["field"][0]) | set(content["field"][1]) == set(letter.LetterField.model_fields)


def test_who_is_not_counted_is_not_stated_rather_than_nobody(text_file):
    found = letter.read_letter(text_file(letter.example(), "letter.toml"))
    assert (found.people.children, found.people.staff, found.people.guardians) == (900, None, 1100)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("supplier ", "sender ", "supplier is missing; sender is not a key of a letter"),
        ("children  = 900", 'children = "900"', "people.children must be a whole number"),
        ("children  = 900", "children = -1", "people.children is below 0"),
        ("children  = 900", "children = true", "people.children must be a whole number"),
        ("dated       = 2026-01-12", 'dated = "12 January"', "dated must be a date such as 2026-01-12"),
        ('"identity"', '"identities"', "field [1]: category: no data category of that name"),
        ('"sensitive"', '"secret"', "field [2].role is none of 'direct', 'quasi', 'sensitive'"),
        ("filled_share = 1.0", "filled_share = 97", "field [1].filled_share is above 1"),
        ("because ", "# because", "field [2]: because: an assumed field needs its ground"),
        ('"medical_condition"', '"upn"', "field: pupils.upn is listed twice"),
        ("oldest_year = 2019", "oldest_year = 2031", "oldest_year: later than the letter itself"),
        ("images      = 310", "images = 999", "images: more than there are files"),
        ("[[field]]", "[[fields]]", "field is missing; fields is not a key of a letter"),
        ('"Pupil tracker"', '" "', "system is empty"),
    ],
)
def test_a_mistake_is_told_by_its_key(text_file, old, new, said):
    changed = letter.example().replace(old, new)
    assert changed != letter.example()
    with pytest.raises(ParameterError) as caught:
        letter.read_letter(text_file(changed, "letter.toml"))
    assert f"letter.toml: {said}" in caught.value.message
    assert caught.value.__suppress_context__
    for value in ("Example Learning", "97", "12 January", "identities", "secret", "health information"):
        assert value not in caught.value.message


def test_what_is_no_toml_is_told_by_its_line(text_file, tmp_path):
    with pytest.raises(FileError, match="is not TOML at line 2, column"):
        letter.read_letter(text_file('supplier = "x"\nsystem = y\n', "letter.toml"))
    with pytest.raises(FileError, match="is not UTF-8 text"):
        letter.read_letter(text_file('supplier = "é"'.encode("cp1252"), "letter.toml"))
    with pytest.raises(FileError, match=r"there is no letter 'none\.toml'"):
        letter.read_letter(tmp_path / "none.toml")


def test_the_input_of_a_letter_has_no_rows(text_file):
    (entry,) = letter.inputs(text_file(letter.example(), "letter.toml"))
    assert (entry["name"], entry["rows"], entry["columns"], entry["seen"]) == ("letter", 0, 2, 0)
