"""Names of files and folders: who is named, who is not, and what one name alone is worth."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk import synth
from otrack_risk.errors import FieldError
from otrack_risk.files.names import CALENDAR, People, folded, link, look, named, tokens

PUPILS = pl.DataFrame(
    {
        "upn": ["A999900000001", "A999900000002", "A999900000003", "A999900000004", "A999900000005"],
        "forename": ["Aisha", "Lily-Mae", "Zoë", "Summer", "Aisha"],
        "known_as": [None, "Lily", None, None, "Ash"],
        "surname": ["Begum", "O'Neill", "McDonald", "Rose", "Stone"],
        "form": ["4B", "4B", "5 Beech", "5 Beech", "5 Beech"],
    }
)
PEOPLE = People(PUPILS, forenames=["forename", "known_as"], surnames=["surname"], keys=["upn"], group="form")


@pytest.mark.parametrize(
    ("path", "way", "rows"),
    [
        ("Aisha_Begum_Y4.jpg", "full_name", {0}),
        ("BegumAisha2.jpg", "full_name", {0}),
        ("aisha-begum's certificate.pdf", "full_name", {0}),
        ("ONEILL Lily-Mae.docx", "full_name", {1}),
        ("oneill_lilymae_3.jpg", "full_name", {1}),
        ("Lily O’Neill.docx", "full_name", {1}),
        ("Zoe McDonald.png", "full_name", {2}),
        ("mcdonald_zoë.png", "full_name", {2}),
        ("EHCP_Review_Begum_A_2023.docx", "initial", {0}),
        ("Zoe M.jpg", "initial", {2}),
        ("Aisha 4B.jpg", "class", {0}),
        ("Aisha 5 Beech.jpg", "class", {4}),
        ("Year 4/aisha.jpg", "class", {0, 4}),
        ("5 Beech/Begum.jpg", None, set()),
        ("Transfer form a999900000003.pdf", "key", {2}),
        ("photos/Begum_Aisha/IMG_0001.jpg", "full_name", {0}),
        ("photos/Begum_Aisha/Zoe McDonald.jpg", "full_name", {2}),
        ("IMG_20230704_101500.jpg", None, set()),
        ("Summer trip 2023/group.jpg", None, set()),
        ("Summer fair Y4.jpg", None, set()),
        ("Aisha.jpg", None, set()),
        ("Begum_Stone.jpg", None, set()),
        ("Stone Age 5 Beech.docx", "class", {4}),
        ("", None, set()),
    ],
)
def test_whom_a_name_names(path, way, rows):
    found = named(path, PEOPLE)
    assert (found.way, found.rows) == (way, rows)


# Seven files: two by full name of one child, one by class of one, one by year of two who are called alike,
# one by a key nobody has, one by a single name, one by nothing.
def test_files_are_counted_once_and_children_once():
    files = [
        "Aisha Begum.jpg", "begum_aisha_2.jpg", "4B/lily.jpg", "Y5 Aisha.jpg", "B999900000009.jpg", "zoe.jpg", "x.jpg",
    ]  # fmt: skip
    found = look(files, PEOPLE)
    assert dict(found.naming) == {"key": 0, "full_name": 2, "initial": 0, "class": 2}
    assert (found.files, found.naming_a_child, found.with_upn, found.one_name) == (7, 4, 1, 1)
    assert (found.linked_to_a_child, found.children, found.children_possible) == (3, 2, 3)
    assert found.link_rate == 3 / 7


def test_a_class_counts_by_its_shape_where_the_roster_has_no_classes():
    people = People(PUPILS, forenames=["forename"], surnames=["surname"])
    assert named("Aisha 4B.jpg", people).rows == {0, 4}
    assert named("Aisha 14.jpg", people).way is None


def test_years_of_the_roster_narrow_whom_a_name_means():
    years = PUPILS.with_columns(year=pl.Series(["4", "4", "Year 5", "R", "R"]))
    people = People(years, forenames=["forename"], surnames=["surname"], year="year")
    assert named("Y4/Aisha.jpg", people).rows == {0}
    assert named("Reception/aisha.jpg", people).rows == {4}


def test_words_are_split_where_people_see_them():
    assert tokens("IMG_4B-AishaBEGUMfinal.v2") == ["img", "4", "b", "aisha", "begu", "mfinal", "v", "2"]
    assert folded("Siân O’Brien-Łukasik") == "sianobrienlukasik"
    assert {folded(word) for word in CALENDAR} == CALENDAR


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_name_is_read_without_an_error(text):
    found = named(text, PEOPLE)
    assert (found.way is None) == (not found.rows)


@given(st.permutations(["Aisha Begum.jpg", "4B/lily.jpg", "Y5 Aisha.jpg", "zoe.jpg", "x.jpg"]))
def test_the_order_of_files_changes_no_count(files):
    assert look(files, PEOPLE) == look(sorted(files), PEOPLE)


def test_a_column_that_is_not_there_is_an_error_and_progress_is_told_of_every_file():
    with pytest.raises(FieldError, match="'given' is not a field"):
        People(PUPILS, forenames=["given"], surnames=["surname"])
    told: list[int] = []
    look(["a.jpg"] * 5000, PEOPLE, told.append)
    assert sum(told) == 5000


# The truth says where in each file name of a document a child's name or UPN stands; initials alone name nobody.
@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    synth.make("primary", folder, seed=3, images=40)
    return folder


def test_exactly_the_documents_that_the_truth_says_name_a_child_are_found(world):
    pupils = pl.read_parquet(world / "pupils.parquet")
    documents = pl.read_parquet(world / "documents.parquet")
    truth = pl.read_parquet(world / "truth" / "spans.parquet").filter(table="documents", subject_kind="child")
    expected = truth.filter(pl.col("label").is_in(["PERSON", "UPN"])).group_by("row").agg(pl.col("subject").first())
    people = People(pupils, forenames=["forename", "preferred_forename"], surnames=["surname"], keys=["upn"])
    found = {
        document: {pupils["pupil_id"][row] for row in each.rows}
        for document, each in zip(documents["document_id"], link(documents["file_name"].to_list(), people), strict=True)
        if each.way
    }
    assert set(found) == set(expected["row"])
    assert len(found) > 100
    for document, subject in expected.iter_rows():
        assert subject in found[document]
