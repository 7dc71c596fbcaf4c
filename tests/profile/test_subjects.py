"""Whom a table is about, and which column tells them apart."""

from __future__ import annotations

import polars as pl
import pytest

from otrack_risk import profile
from otrack_risk.schema import TableSchema


def about(name: str, columns: str | pl.DataFrame) -> TableSchema:
    """The schema of a table, of which only the headers matter unless rows are given."""
    rows = columns if isinstance(columns, pl.DataFrame) else pl.DataFrame({key: ["a", "b"] for key in columns.split()})
    return profile.classify({name: rows}).tables[0]


# The tables of the synthetic world, by name and header alone.
WORLD = {
    "pupils": ("pupil_id upn school_id class_id year_group surname forename sex sen_provision", "child", "pupil_id"),
    "guardians": ("guardian_id household_id title surname forename phone email", "guardian", "guardian_id"),
    "staff": ("staff_id school_id title surname forename job email", "staff", "staff_id"),
    "attendance": ("pupil_id academic_year sessions_possible sessions_absent", "child", "pupil_id"),
    "assessments": ("pupil_id academic_year term subject point", "child", "pupil_id"),
    "images": ("image_id pupil_id file_name bytes taken_on", "child", "pupil_id"),
    "schools": ("school_id name phase postcode", "unknown", None),
    "classes": ("class_id school_id year_group name", "unknown", None),
    "households": ("household_id address_line postcode", "unknown", None),
    "pupil_guardians": ("pupil_id guardian_id relationship priority", "unknown", None),
    "staff_classes": ("staff_id class_id", "unknown", None),
    "accounts": ("account person_kind person_id school_id enabled last_login", "unknown", None),
    "grants": ("account role category verb scope valid_from valid_to", "unknown", None),
}


@pytest.mark.parametrize("name", WORLD)
def test_keys_say_whom_a_table_is_about_and_tables_of_keys_alone_are_about_nobody(name):
    headers, subjects, person = WORLD[name]
    found = about(name, headers)
    assert (found.subjects, found.person, found.one_row_a_person) == (subjects, person, False)


def test_a_log_of_pupils_is_about_them_though_staff_wrote_it():
    assert about("log", "pupil_id staff_id date note").subjects == "child"


def test_a_list_of_contacts_keyed_by_pupil_is_about_the_contacts_and_counts_none_of_them():
    found = about("contacts", "pupil_id surname forename phone relationship")
    assert (found.subjects, found.person) == ("guardian", None)


def test_names_of_parents_do_not_make_a_pupil_table_one_of_parents():
    found = about("export", "UPN Surname Forename DOB Parent_1_Name Parent_1_Email")
    assert (found.subjects, found.person) == ("child", "UPN")


def test_the_fuller_of_two_numbers_tells_pupils_apart():
    upns = ["W801900123001", "R373900224014", None, None]
    rows = pl.DataFrame({"upn": upns, "adno": ["1", "2", "3", "4"], "surname": list("abcd")})
    assert about("pupils", rows).person == "adno"
    assert about("pupils", rows.with_columns(pupil_id=pl.Series([7, 8, 9, 10]))).person == "pupil_id"


def test_two_columns_that_only_pupils_have_make_a_table_of_children():
    found = about("export", "Surname Reg SEN FSM")
    assert (found.subjects, found.person) == ("child", None)
    assert about("export", "Surname Job SEN").subjects == "unknown"


def test_roles_tell_whom_a_user_list_is_about_where_they_are_all_of_one_kind():
    def users(*roles):
        return pl.DataFrame(
            {"sourcedId": ["u1", "u2"], "role": roles, "givenName": ["a", "b"], "familyName": ["c", "d"]}
        )

    assert about("users", users("student", "student")).subjects == "child"
    assert about("users", users("teacher", "aide")).subjects == "staff"
    mixed = about("users", users("student", "teacher"))
    assert (mixed.subjects, mixed.person) == ("unknown", "sourcedId")


def test_a_number_of_its_own_counts_people_only_where_names_do_not_repeat():
    ids = [f"n{n}" for n in range(30)]
    once = pl.DataFrame({"id": ids, "surname": [f"s{n}" for n in range(30)], "dob": ["01/01/2012"] * 30})
    assert about("export", once).person == "id"
    again = once.with_columns(surname=pl.Series([f"s{n % 3}" for n in range(30)]))
    assert about("export", again).person is None


def test_students_of_whom_many_are_grown_up_are_not_called_children():
    def students(ages):
        return pl.DataFrame({"id_student": range(len(ages)), "age": ages})

    assert about("students", students([15, 16, 17, 18, 19] * 4)).subjects == "child"
    assert about("students", students([15] * 18 + [20, 21])).subjects == "child"  # a tenth: repeaters
    grown = about("students", students([15] * 17 + [20, 21, 22]))
    assert (grown.subjects, grown.person) == ("unknown", "id_student")
    assert about("students", students(["0-35", "35-55", "55<="] * 7)).subjects == "unknown"


def test_the_reason_says_that_the_age_of_children_was_not_checked():
    assert "their age was not checked" in about("pupils", "pupil_id surname").columns[0].reason
    looked = about("pupils", pl.DataFrame({"pupil_id": [1, 2], "age": [7, 8], "surname": ["a", "b"]}))
    assert "nearly everybody under 20" in looked.columns[0].reason
    grown = about("pupils", pl.DataFrame({"pupil_id": [1, 2], "age": [7, 28], "surname": ["a", "b"]}))
    assert "many of them are 20 or older; say in the catalogue who they are" in grown.columns[0].reason
