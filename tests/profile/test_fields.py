"""What headers mean: templates of the systems that schools use, in the words that they use."""

from __future__ import annotations

import polars as pl
import pytest

from otrack_risk import reference, schema
from otrack_risk.profile.fields import known_fields, meaning, words

NOTHING = pl.Series([], dtype=pl.String)

# Header lists as published or documented: Target Tracker's import template, a SIMS-like interface's field map,
# OneRoster 1.1 and 1.2 users.csv and demographics.csv, an Arbor-like export, CTF elements, a US export.
TEMPLATES = {
    "pupils of a tracker": (
        "pupils",
        "direct: UPN, Surname, Forename; "
        "quasi: DOB, Gender, DOA, Reg, Postcode; "
        "sensitive: Mother tongue code, Ethnicity, Eligible for free meals, SEN Status code, In LEA Care, Gifted, "
        "Authorised absences, Unauthorised absences; other: Possible",
    ),
    "learners of an MIS": (
        "learners",
        "direct: LearnerId, LearnerCode, Forename, LegalForename, MiddleName, Surname, LegalSurname, FormerSurname, "
        "UPN, FormerUPN, ULN; quasi: Gender, DateOfBirth, EnrolmentStatus, DateOfEntry; "
        "sensitive: EAL, Ethnicity, ServiceChild, IsLookedAfterorAdoptedFromCare, SENProvision code",
    ),
    "users of OneRoster": (
        "users",
        "direct: sourcedId, username, userIds, givenName, familyName, middleName, identifier, email, sms, phone, "
        "agentSourcedIds, userMasterIdentifier, preferredGivenName, preferredFamilyName, metadata.UPN; "
        "quasi: orgSourcedIds, primaryOrgSourcedId, grades, pronouns; sensitive: password, metadata.fsm; "
        "other: status, dateLastModified, enabledUser, role",
    ),
    "demographics of OneRoster": (
        "demographics",
        "direct: sourcedId; quasi: birthDate, sex, stateOfBirthAbbreviation, cityOfBirth; "
        "sensitive: americanIndianOrAlaskaNative, asian, blackOrAfricanAmerican, nativeHawaiianOrOtherPacificIslander, "
        "white, demographicRaceTwoOrMoreRaces, hispanicOrLatinoEthnicity, countryOfBirthCode",
    ),
    "a report of an MIS": (
        "Students",
        "direct: Student ID, Legal First Name, Legal Last Name, Guardian name, Primary Guardian Email, "
        "Parent 1 Mobile, Mother's name, Photo, Emergency Contact Phone; "
        "quasi: Date of birth, Current Form, Year Group; "
        "sensitive: EAL status, Nationality, Free School Meals, SEN Status, In care, Ever6 FSM, Medical conditions, "
        "Attendance %, Behaviour points, Religion, Pupil Premium Indicator; free_text: Teacher comments",
    ),
    "a transfer file": (
        "pupils",
        "direct: UPN, FormerUPN, UniqueLearnerNumber, Surname, PreferredSurname, AddressLine1; "
        "quasi: Sex, NCyearActual, EnrolStatus, EntryDate, LeavingDate, PostCode; "
        "sensitive: Language, FSMeligible, FSMstartDate, InCare, CareAuthority, SENprovision, SENtype, "
        "SessionsAuthorised, SessionsUnauthorised, YoungCarer; other: PossibleSessions",
    ),
    "a US export": (
        "students",
        "direct: SSN, State Student ID, First Name, Last Name; quasi: Grade Level, Zip; "
        "sensitive: Race, Hispanic, EL, Home Language, Free/Reduced Lunch, IEP, 504 Plan, "
        "Migrant, Homeless, GPA, Discipline",
    ),
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_header_of_a_template_has_the_role_of_its_usual_meaning(template):
    table, expected = TEMPLATES[template]
    roles = {
        header.strip(): role
        for part in expected.split(";")
        for role, _, headers in [part.strip().partition(": ")]
        for header in headers.split(",")
    }
    found = {header: meaning(header, table, NOTHING) for header in roles}
    assert {header: known and known.field.role for header, known in found.items()} == roles


def test_spelling_apart_a_header_is_the_same_header():
    written = ["Date of Birth", "date_of_birth", "dateOfBirth", "DATE-OF-BIRTH", "Pupil Date of Birth", "Dáte of birth"]
    assert {meaning(header, "t", NOTHING).field.name for header in written} == {"date_of_birth"}


def test_a_header_that_says_whose_it_is_is_theirs():
    assert meaning("Parent 2 Surname", "pupils", NOTHING).of == "guardian"
    assert meaning("Teacher's e-mail", "pupils", NOTHING).of == "staff"
    assert meaning("Student's parent's e-mail", "pupils", NOTHING).of == "guardian"
    assert meaning("Surname", "pupils", NOTHING).of is None


def test_the_name_of_a_school_is_no_persons_name():
    assert meaning("name", "schools", NOTHING).field.name == "school_name"
    assert meaning("name", "School_2024", NOTHING).field.name == "school_name"
    assert meaning("name", "classes", NOTHING).field.name == "class"
    assert meaning("name", "pupils", NOTHING).field.name == "full_name"


def test_the_values_tell_two_meanings_of_one_header_apart():
    assert meaning("address", "t", pl.Series(["U", "R", "U"])).field.role == "quasi"
    assert meaning("address", "t", pl.Series(["1 High Street", "R"])).field.role == "direct"
    assert meaning("guardian", "t", pl.Series(["mother", "other"])).field.role == "quasi"
    assert meaning("guardian", "t", pl.Series(["Ada Lovelace"])).field.role == "direct"
    assert meaning("Year", "t", pl.Series(["R", "1", "Year 11"])).field.kind == "year_group"
    assert meaning("Year", "t", pl.Series([2023, 2024])) is None


def test_a_header_that_nobody_knows_means_nothing():
    assert [meaning(header, "t", NOTHING) for header in ("", "  ", "x1", "code", "ключ", "Pupil")] == [None] * 6


def test_words_are_split_at_capitals_and_digits():
    assert words("AddressLine1") == ["address", "line", "1"]
    assert words("SEN need_type") == ["sen", "need", "type"]


def test_every_entry_has_words_that_the_schema_allows():
    sets = {row["set"] for row in reference.load("code_sets").entries["row"]}
    for field in known_fields():
        assert field.role in schema.ROLES, field.name
        assert field.category in schema.categories(), field.name
        assert field.subjects in {None, *schema.PERSON_KINDS}, field.name
        assert set(field.known_by) <= {"classmate", "parent_at_gate", "staff", "public"}, field.name
        assert field.codes in sets | {None}, field.name
    names = [field.name for field in known_fields()]
    assert len(names) == len(set(names))


def test_one_header_has_one_meaning_where_no_value_decides():
    seen: dict[str, str] = {}
    for entry, field in zip(reference.load("fields").entries["field"], known_fields(), strict=True):
        if not (field.values or field.between):
            for header in entry["headers"]:
                squashed = "".join(c for c in header.lower() if c.isalnum() or c == ".")
                assert seen.setdefault(squashed, field.name) == field.name
    assert len(seen) > 1000
