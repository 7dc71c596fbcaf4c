"""The names of a roster: every spelling that is a child's, none that is another's; slips by a slower twin."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import FieldError, TableError
from otrack_risk.text import folding
from otrack_risk.text.roster import Roster
from otrack_risk.text.spelt import _known_as

PUPILS = pl.DataFrame(
    {
        "Legal Forename": ["Daisy", "Mei-Ling", "Thomas", "Zoë", "Daisy"],
        "legal_surname": ["Holt", "Tan", "O'Brien", "Łuczak", "Ward-Hill"],
        "Preferred name": [None, None, "Tommo", None, None],
        "middle names": ["Anne", None, None, None, None],
    }
)


@pytest.fixture(scope="module")
def names():
    return Roster.of(PUPILS, pl.DataFrame({"title": ["Ms"], "forename": ["Ruth"], "surname": ["Tranter"]})).names()


def found(names, text: str) -> dict[str, tuple[int, ...]]:
    folded = folding.fold(text)
    return {folded[start:end]: key.subjects for start, end, key in names.found(folded)}


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("Daisy Holt", 0),
        ("Holt, Daisy", 0),
        ("HOLT Daisy", 0),
        ("Daisy Anne Holt", 0),
        ("Mei Ling Tan", 1),
        ("Meiling Tan", 1),
        ("Mei-Ling", 1),
        ("Mei Tan", 1),
        ("Thomas O’Brien", 2),
        ("thomas obrien", 2),
        ("Tommo", 2),
        ("Tommy", 2),  # in common use (reference table nicknames)
        ("Zoe Luczak", 3),
        ("Zoë Łuczak", 3),
        ("Daisy Ward", 4),
        ("Daisy Ward-Hill", 4),
    ],
)
def test_a_child_is_found_by_every_way_of_writing_its_name(names, text, row):
    folded = folding.fold(text)
    assert (row,) in {key.subjects for start, end, key in names.found(folded) if end - start == len(folded)}


def test_a_forename_that_two_bear_means_both_and_a_full_name_one(names):
    assert found(names, "Daisy")["daisy"] == (0, 4)
    assert found(names, "Daisy Holt")["daisy holt"] == (0,)


def test_only_whole_words_are_names(names):
    assert found(names, "tanned, Holtby, daisychain, thomases") == {}


def test_staff_are_names_without_children(names):
    held = found(names, "Ruth Tranter")
    assert held == {"ruth tranter": (), "ruth": (), "tranter": ()}


def test_initials_are_those_of_forename_and_surname(names):
    assert names.initials["dh"] == (0,)
    assert names.initials["dw"] == (4,)
    assert names.initials["to"] == (2,)
    assert names.adult_initials == {"rt"}


def test_a_misspelt_name_is_known_by_one_slip_a_doubled_letter_or_its_sound(names):
    assert "thomas" in names.like("thoams")
    assert "daisy" in names.like("daisey")
    assert "holt" in names.like("hollt")
    assert names.like("dai") == ()  # too short to tell
    assert names.like("elephant") == ()


def test_full_names_in_one_column_are_taken_apart_in_both_orders():
    names = Roster.of(pl.DataFrame({"pupil name": ["Holt, Daisy", "Emeka Obi", None]})).names()
    assert names.keys["daisy holt"].subjects == (0,)
    assert names.keys["emeka obi"].subjects == (1,)


def test_each_school_has_its_own_names_and_everybody_has_full_names():
    held = pl.DataFrame(
        {"forename": ["Ann", "Ann", "Bo"], "surname": ["Lee", "Lee", "Ray"], "school_id": ["S1", "S2", "S2"]}
    )
    roster = Roster.of(held)
    assert roster.schools == {"S1", "S2"}
    assert roster.names("S1").keys["ann"].subjects == (0,)
    assert "bo" not in roster.names("S1").keys
    assert roster.names("S1") is roster.names("S1")
    assert roster.everybody().found("saw bo ray and ann lee") == [(4, 10, (2,)), (15, 22, (0, 1))]


def test_a_roster_without_rows_or_names_is_refused():
    with pytest.raises(TableError, match="no rows"):
        Roster.of(PUPILS.clear())
    with pytest.raises(FieldError, match="no column of names"):
        Roster.of(pl.DataFrame({"upn": ["A1"], "dob": ["2013-01-01"]}))
    with pytest.raises(FieldError, match="staff"):
        Roster.of(PUPILS, pl.DataFrame({"job": ["cook"]}))


@given(st.text(max_size=40))
def test_folding_keeps_every_place(text):
    composed, places = folding.composed(text)
    assert len(folding.fold(composed)) == len(composed)
    if places is None:
        assert composed == text
    else:
        assert [text[place] for place in places[:-1]] == list(composed)


@given(st.text("ÀÉÎõüçŁøAbz", min_size=1, max_size=10))
def test_accents_change_nothing_however_they_are_written(text):
    apart = folding.composed(unicodedata.normalize("NFD", text))[0]
    assert folding.fold(apart) == folding.fold(text)


def slow(one: str, other: str) -> int:
    """Damerau's distance without a second edit of a swapped pair, by its recursive definition."""
    if not one or not other:
        return len(one) + len(other)
    ways = [slow(one[1:], other) + 1, slow(one, other[1:]) + 1, slow(one[1:], other[1:]) + (one[0] != other[0])]
    if len(one) > 1 and len(other) > 1 and one[0] == other[1] and one[1] == other[0]:
        ways.append(slow(one[2:], other[2:]) + 1)
    return min(ways)


@given(st.text("abc", max_size=5), st.text("abc", max_size=5))
def test_slips_are_those_of_the_definition(one, other):
    assert folding.slips(one, other) == min(slow(one, other), 3)
    assert folding.one_slip(one, other) == (slow(one, other) == 1)


@given(st.text("abcd", min_size=1, max_size=6), st.text("abcd", min_size=1, max_size=6))
def test_words_one_slip_apart_share_a_word_less_one_letter(one, other):
    if folding.one_slip(one, other):
        assert set(folding.without_one(one)) & set(folding.without_one(other))


def slow_spellings(forename: str, surname: str, called: str | None, middle: str | None) -> dict[str, set[str]]:
    """One child's spellings by form, written out for one child at a time."""
    held: dict[str, set[str]] = {"full": set(), "forename": set(), "nickname": set(), "surname": set()}
    lasts = folding.spellings(surname)
    short = _known_as().get(" ".join(folding.fold(forename).split()), ())
    short += _known_as().get(" ".join(folding.fold(called or "").split()), ())
    for form, name in (("forename", forename), *(("nickname", name) for name in (called, *short) if name)):
        if form == "nickname" and name == forename:
            continue
        ways = folding.spellings(name)
        part = ways[0].split(" ")[0] if ways else ""
        parts = [part] if ways and part != ways[0] and len(part) > 2 else []
        held[form].update(ways)
        held["nickname"].update(parts)
        for first in (*ways, *parts):
            for last in lasts:
                held["full"] |= {f"{first} {last}", f"{last} {first}", f"{last}  {first}"}
                held["full"] |= {f"{first} {half}" for half in last.split(" ")}
                if first in ways:
                    held["full"] |= {f"{first} {between} {last}" for between in folding.spellings(middle or "")}
    held["surname"].update(lasts)
    return {form: {spelt for spelt in spellings if len(spelt) > 1} for form, spellings in held.items()}


NAME = st.sampled_from(
    ["Zoë", "Mei-Ling", "Thomas", "Tom", "Tommy", "Mary Jane", "O'Neill", "Müller", "Ward-Hill", "Bo"]
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(NAME, NAME, st.none() | NAME, st.none() | NAME, st.sampled_from("AB")), min_size=1, max_size=6)
)
def test_names_spelt_by_column_are_those_spelt_child_by_child(children):
    columns = ["forename", "surname", "preferred_forename", "middle_names", "school"]
    table = pl.DataFrame(children, schema=dict.fromkeys(columns, pl.String), orient="row")
    roster = Roster.of(table)
    roster.prepare(["A"])  # beside others or alone: the same
    for school in ("A", "B", None):
        rows = [row for row, child in enumerate(children) if school in (None, child[4])]
        wanted: dict[str, dict[str, set[int]]] = {}
        for row in rows:
            for form, spellings in slow_spellings(*children[row][:4]).items():
                for spelt in spellings:
                    wanted.setdefault(spelt, {}).setdefault(form, set()).add(row)
        names = roster.names(school)
        assert {spelt: key.rows for spelt, key in names.keys.items()} == wanted
        assert all(key.subjects == tuple(sorted(set().union(*key.rows.values()))) for key in names.keys.values())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(NAME, NAME), min_size=1, max_size=5), st.data())
def test_user_names_are_put_together_from_first_name_and_surname(children, data):
    names = Roster.of(pl.DataFrame(children, schema=["forename", "surname"], orient="row")).names()
    wanted: dict[str, set[int]] = {}
    for row, (forename, surname) in enumerate(children):
        given_names = [forename, *_known_as().get(" ".join(folding.fold(forename).split()), ())][:2]
        for first in (folding.fold(name).replace(" ", "") for name in given_names):
            for last in {way.replace(" ", "") for way in folding.spellings(surname)}:
                for made in (first[0] + last, last + first[0], first + last, last + first, first + last[0]):
                    wanted.setdefault(made, set()).add(row)
    made = data.draw(st.sampled_from(sorted(wanted)))
    assert names.login(made) == (tuple(sorted(wanted[made])) if len(made) > 3 else ())
    assert names.login(made + "q") == tuple(sorted(wanted.get(made + "q", ())))
