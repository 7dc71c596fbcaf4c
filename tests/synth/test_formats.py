"""What other systems write: OneRoster, CTF and MIS exports of a world so small that it was counted by hand."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from otrack_risk import frames
from otrack_risk.synth.formats import FORMATS
from otrack_risk.synth.formats.columns import dates, kinship, laestab, text
from otrack_risk.synth.presets import PRESETS

PLAN = PRESETS["trust"]  # seen on 31 January 2026, in the school year 2025/26
AWKWARD = 'Ní "Bhriain", <Zoë> & Söhne'

# Two towns. In the first: five pupils at a primary and a secondary school, one of whom has left; three guardians, of
# whom one answers for two children and one lives elsewhere; five staff. In the second: one pupil, one guardian, one
# teacher.
TOWN: dict[str, pl.DataFrame] = {
    "schools": pl.DataFrame({"school_id": ["S00001", "S00002"], "name": ["Mistlelow & Co", "Tansylow Academy"]}),
    "classes": pl.DataFrame(
        {
            "class_id": ["C00001001", "C00001002", "C00002001"],
            "school_id": ["S00001", "S00001", "S00002"],
            "year_group": [0, 3, 9],
            "name": ["RA", "3A, top", "9X"],
        }
    ),
    "households": pl.DataFrame(
        {
            "household_id": ["H0000001", "H0000001B", "H0000003"],
            "address_line": ["1 Wall Crescent", "Flat 2, 9 Quay", "3 Harris Drive"],
            "postcode": ["ZA8 8XS", "ZA9 1YY", "ZA8 4RZ"],
        }
    ),
    "pupils": pl.DataFrame(
        {
            "pupil_id": ["P0000001", "P0000002", "P0000003", "P0000004", "P0000005"],
            "upn": ["K999900125001", "Z999900122002", None, "N999900216003", "A999900117004"],
            "school_id": ["S00001", "S00001", "S00001", "S00002", "S00002"],
            "class_id": ["C00001001", "C00001002", "C00001002", "C00002001", None],
            "year_group": [0, 3, 3, 9, 11],
            "surname": [AWKWARD, AWKWARD, "Okafor", "Ash", "Birch"],
            "forename": ["Evie", "Thomas", "Ada", "Ben", "Cal"],
            "middle_name": [None, "Jo", None, None, None],
            "preferred_forename": [None, "Tom", None, None, None],
            "sex": ["F", "M", "F", "M", "M"],
            "date_of_birth": [
                date(2021, 2, 26),
                date(2018, 3, 1),
                date(2017, 9, 1),
                date(2011, 12, 5),
                date(2008, 9, 2),
            ],
            "ethnicity": ["MWBC", "WBRI", "BAFR", "REFU", "MOTH"],
            "first_language": ["ENG", "ENG", "YOR", "ENG", "ENG"],
            "fsm": [True, False, False, False, None],
            "pupil_premium": [True, False, False, False, False],
            "sen_provision": ["N", "K", "E", "N", "N"],
            "sen_need": [None, "SLCN", "ASD", None, None],
            "looked_after": [False, False, True, False, False],
            "service_child": [False, False, False, True, False],
            "medical_condition": ["ASTHMA", None, None, None, None],
            "uln": [None, None, None, "1000000018", None],
            "household_id": ["H0000001", "H0000001", "H0000003", "H0000003", "H0000003"],
            "admitted_on": [date(2025, 9, 3), date(2022, 9, 5), date(2025, 11, 10), date(2023, 9, 4), date(2019, 9, 3)],
            "left_on": [None, None, None, None, date(2025, 7, 18)],
        }
    ),
    "guardians": pl.DataFrame(
        {
            "guardian_id": ["G00000011", "G00000012", "G00000031"],
            "household_id": ["H0000001", "H0000001B", "H0000003"],
            "title": ["Ms", "Mr", "Mrs"],
            "surname": [AWKWARD, "Long", "Okafor"],
            "forename": ["Jayne", "Lee", "Grace"],
            "phone": ["07700 900366", None, "07700 900140"],
            "email": ["jayne@example.org", "lee@example.net", None],
        }
    ),
    "pupil_guardians": pl.DataFrame(
        {
            "pupil_id": ["P0000001", "P0000001", "P0000002", "P0000003", "P0000004"],
            "guardian_id": ["G00000012", "G00000011", "G00000011", "G00000031", "G00000031"],
            "relationship": ["father", "mother", "mother", "grandparent", "foster carer"],
            "priority": [2, 1, 1, 1, 1],
            "lives_with_pupil": [False, True, True, True, True],
        },
        schema_overrides={"priority": pl.Int8},
    ),
    "staff": pl.DataFrame(
        {
            "staff_id": ["T00001001", "T00001002", "T00001003", "T00001004", "T00002001"],
            "school_id": ["S00001", "S00001", "S00001", "S00001", "S00002"],
            "title": ["Mrs", "Mr", "Ms", "Mx", "Dr"],
            "surname": ["Hall", "Iqbal", "Jones", "Kaya", "Lund"],
            "forename": ["Una", "Vic", "Wyn", "Xan", "Yul"],
            "job": ["headteacher", "class_teacher", "class_teacher", "ta", "class_teacher"],
            "email": [f"{name}@example.org" for name in "uvwxy"],
            "started_on": [date(2019, 9, 1), date(2020, 9, 1), date(2025, 10, 1), date(2021, 1, 1), date(2018, 9, 1)],
            "ended_on": [None, date(2025, 12, 31), None, None, None],
        }
    ),
    "staff_classes": pl.DataFrame(
        {
            "staff_id": ["T00001002", "T00001003", "T00001003", "T00002001"],
            "class_id": ["C00001001", "C00001001", "C00001002", "C00002001"],
        }
    ),
    "accounts": pl.DataFrame(
        {"account": ["staff-1", "pupil-4", "shared"], "person_id": ["T00001001", "P0000004", None]}
    ),
    "attendance": pl.DataFrame(
        {
            "pupil_id": ["P0000001", "P0000002", "P0000002"],
            "academic_year": ["2025/26", "2024/25", "2025/26"],
            "sessions_possible": [184, 380, 184],
            "sessions_absent": [10, 2, 8],
            "sessions_unauthorised": [4, 0, 1],
        }
    ),
    "assessments": pl.DataFrame(
        {
            "pupil_id": ["P0000002", "P0000002", "P0000004"],
            "academic_year": ["2024/25", "2025/26", "2025/26"],
            "term": ["summer", "autumn", "autumn"],
            "subject": ["reading", "maths", "science"],
            "point": [98, 104, 111],
        }
    ),
}
OTHER: dict[str, pl.DataFrame] = {
    **{name: frame.clear() for name, frame in TOWN.items()},
    "schools": pl.DataFrame({"school_id": ["S00003"], "name": ["Candlecombe"]}),
    "classes": pl.DataFrame({"class_id": ["C00003001"], "school_id": ["S00003"], "year_group": [1], "name": ["1A"]}),
    "households": TOWN["households"].head(1).with_columns(household_id=pl.lit("H0000006")),
    "pupils": TOWN["pupils"]
    .slice(1, 1)
    .with_columns(
        pupil_id=pl.lit("P0000006"),
        upn=pl.lit("B999900324001"),
        school_id=pl.lit("S00003"),
        class_id=pl.lit("C00003001"),
        year_group=pl.lit(1, dtype=pl.Int64),
        household_id=pl.lit("H0000006"),
    ),
    "guardians": TOWN["guardians"]
    .head(1)
    .with_columns(guardian_id=pl.lit("G00000061"), household_id=pl.lit("H0000006")),
    "pupil_guardians": TOWN["pupil_guardians"]
    .slice(2, 1)
    .with_columns(pupil_id=pl.lit("P0000006"), guardian_id=pl.lit("G00000061")),
    "staff": TOWN["staff"].slice(2, 1).with_columns(staff_id=pl.lit("T00003001"), school_id=pl.lit("S00003")),
    "staff_classes": pl.DataFrame({"staff_id": ["T00003001"], "class_id": ["C00003001"]}),
}


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """The two towns in a form, and the folder they are in."""

    def write(form: str, *towns: Mapping[str, pl.DataFrame], under: str = "world") -> Path:
        folder = tmp_path / under
        folder.mkdir(exist_ok=True)
        writer = FORMATS[form](folder, PLAN, 7)
        for town in towns or (TOWN, OTHER):
            writer.add(town)
        writer.close()
        return folder

    return write


# --- OneRoster: a validator of its own, from the specification's column sets, references and words -----------------

COMMON = "sourcedId,status,dateLastModified,"
COLUMNS = {
    "academicSessions": COMMON + "title,type,startDate,endDate,parentSourcedId,schoolYear",
    "orgs": COMMON + "name,type,identifier,parentSourcedId",
    "courses": COMMON + "schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
    "classes": COMMON + "title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds,"
    "subjects,subjectCodes,periods",
    "users": COMMON + "enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,"
    "email,sms,phone,agentSourcedIds,grades,password",
    "enrollments": COMMON + "classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
    "demographics": COMMON + "birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,"
    "nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,"
    "countryOfBirthCode,stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus",
}
COLUMNS_12 = COLUMNS | {
    "users": COMMON + "enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,"
    "agentSourcedIds,grades,password,userMasterIdentifier,resourceSourcedIds,preferredGivenName,preferredMiddleName,"
    "preferredFamilyName,primaryOrgSourcedId,pronouns",
    "roles": COMMON + "userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId",
}
FILES = {*COLUMNS, "categories", "classResources", "courseResources", "lineItems", "resources", "results"}
FILES_12 = FILES | {
    *("roles", "userProfiles", "userResources", "scoreScales", "lineItemScoreScales"),
    *("lineItemLearningObjectiveIds", "resultScoreScales", "resultLearningObjectiveIds"),
}
REFERS = {
    ("academicSessions", "parentSourcedId"): "academicSessions",
    ("orgs", "parentSourcedId"): "orgs",
    ("courses", "schoolYearSourcedId"): "academicSessions",
    ("courses", "orgSourcedId"): "orgs",
    ("classes", "courseSourcedId"): "courses",
    ("classes", "schoolSourcedId"): "orgs",
    ("classes", "termSourcedIds"): "academicSessions",
    ("users", "orgSourcedIds"): "orgs",
    ("users", "primaryOrgSourcedId"): "orgs",
    ("users", "agentSourcedIds"): "users",
    ("enrollments", "classSourcedId"): "classes",
    ("enrollments", "schoolSourcedId"): "orgs",
    ("enrollments", "userSourcedId"): "users",
    ("demographics", "sourcedId"): "users",
    ("roles", "userSourcedId"): "users",
    ("roles", "orgSourcedId"): "orgs",
}
TRUTH = {"true", "false"}
OPTIONAL = TRUTH | {""}
GRADES = {"IT", "PR", "PK", "TK", "KG", "PS", "UG", "Other", *(f"{number:02}" for number in range(1, 14))}
ROLES = {"administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher"}
ROLES_12 = (ROLES - {"administrator"}) | {
    *("counselor", "districtAdministrator", "principal", "siteAdministrator", "systemAdministrator"),
}
RACES = COLUMNS["demographics"].split(",")[5:12]
WORDS = {
    ("academicSessions", "type"): {"gradingPeriod", "semester", "schoolYear", "term"},
    ("orgs", "type"): {"department", "school", "district", "local", "state", "national"},
    ("classes", "classType"): {"homeroom", "scheduled"},
    ("users", "enabledUser"): TRUTH,
    ("users", "role"): ROLES,
    ("enrollments", "role"): {"administrator", "proctor", "student", "teacher"},
    ("enrollments", "primary"): OPTIONAL,
    ("demographics", "sex"): {"male", "female", "unspecified", "other", ""},
    **{("demographics", race): OPTIONAL for race in RACES},
    ("roles", "roleType"): {"primary", "secondary"},
    ("roles", "role"): ROLES_12,
}
REQUIRED = {
    "academicSessions": "sourcedId,title,type,startDate,endDate,schoolYear",
    "orgs": "sourcedId,name,type",
    "courses": "sourcedId,title,orgSourcedId",
    "classes": "sourcedId,title,courseSourcedId,classType,schoolSourcedId,termSourcedIds",
    "users": "sourcedId,enabledUser,orgSourcedIds,role,username,givenName,familyName",
    "enrollments": "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role",
    "demographics": "sourcedId",
    "roles": "sourcedId,userSourcedId,roleType,role,orgSourcedId",
}
SPANS = {
    "academicSessions": ("startDate", "endDate"),
    "enrollments": ("beginDate", "endDate"),
    "roles": ("beginDate", "endDate"),
}
Set = dict[str, list[dict[str, str]]]


def complaints(content: bytes, version: str) -> list[str]:
    """What OneRoster's rules have against this ZIP; it shares no line with the writer."""
    found: list[str] = []
    columns, files = (COLUMNS_12, FILES_12) if version == "1.2" else (COLUMNS, FILES)
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        raw = {name.removesuffix(".csv"): package.read(name).decode("utf-8") for name in package.namelist()}
    tables: Set = {}
    for name, words in raw.items():
        lines = list(csv.reader(io.StringIO(words, newline=""), strict=True))
        if not words.endswith("\r\n") or any(len(line) != len(lines[0]) for line in lines):
            found.append(f"{name}: not RFC 4180")
        tables[name] = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
        header = [column for column in lines[0] if not column.startswith("metadata.")]
        if name != "manifest" and ",".join(header) != columns.get(name):
            found.append(f"{name}: other columns")
        if header != lines[0][: len(header)]:
            found.append(f"{name}: metadata before the standard's columns")
    said = {row["propertyName"]: row["value"] for row in tables.pop("manifest")}
    if (said["manifest.version"], said["oneroster.version"]) != ("1.0", version):
        found.append("manifest: version")
    if {name.removeprefix("file.") for name in said if name.startswith("file.")} != files:
        found.append("manifest: other files")
    found += [f"manifest: {name}" for name in files if (said.get(f"file.{name}") == "bulk") != (name in tables)]
    return found + _rows(tables, version)


def _rows(tables: Set, version: str) -> list[str]:
    found: list[str] = []
    ids = {name: {row["sourcedId"] for row in rows} for name, rows in tables.items()}
    for name, rows in tables.items():
        if len(ids[name]) != len(rows):
            found.append(f"{name}: sourcedId twice")
        for row in rows:
            if row["status"] or row["dateLastModified"] or row.get("password"):
                found.append(f"{name}: status, date or password in bulk")
            missing = [each for each in REQUIRED[name].split(",") if row.get(each) == ""]
            found += [f"{name}.{column}: empty" for column in missing]
            if name in SPANS:
                begin, end = (row[column] for column in SPANS[name])
                days = [date.fromisoformat(day) for day in (begin, end) if day]
                if sorted(days) != days:
                    found.append(f"{name}: ends before it begins")
            for column, value in row.items():
                words = WORDS.get((name, column))
                if words is not None and value not in words:
                    found.append(f"{name}.{column}: not a word of it")
                if column == "grades" and not set(filter(None, value.split(","))) <= GRADES:
                    found.append(f"{name}.grades: no grade")
                to = REFERS.get((name, column))
                if to and not set(filter(None, value.split(","))) <= ids[to]:
                    found.append(f"{name}.{column}: refers to nobody")
                if column.endswith(("SourcedId", "SourcedIds")) and to is None and value:
                    found.append(f"{name}.{column}: refers to a file that is absent")
    kinds = {row["sourcedId"]: row["type"] for row in tables["orgs"]}
    found += ["classes: not at a school" for row in tables["classes"] if kinds[row["schoolSourcedId"]] != "school"]
    types = {row["sourcedId"]: row["type"] for row in tables["academicSessions"]}
    terms = [each for row in tables["classes"] for each in row["termSourcedIds"].split(",")]
    found += ["classes: not in a term" for each in terms if types[each] != "term"]
    primary = Counter(row["classSourcedId"] for row in tables["enrollments"] if row["primary"] == "true")
    found += ["enrollments: two primary teachers" for count in primary.values() if count > 1]
    if version == "1.2":
        firsts = Counter(row["userSourcedId"] for row in tables["roles"] if row["roleType"] == "primary")
        found += ["roles: not one primary role a user"] if firsts != Counter(ids["users"]) else []
    return found


def tables_of(content: bytes) -> Set:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(package.read(name).decode(), newline="")))
            for name in package.namelist()
        }


def altered(content: bytes, name: str, change: Callable[[str], str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(out, "w") as changed:
        for each in package.namelist():
            words = package.read(each).decode()
            changed.writestr(each, change(words) if each == f"{name}.csv" else words)
    return out.getvalue()


@pytest.mark.parametrize(("form", "version"), [("oneroster", "1.1"), ("oneroster12", "1.2")])
def test_a_oneroster_set_keeps_every_rule_of_its_version(written, form, version):
    assert complaints((written(form) / "oneroster.zip").read_bytes(), version) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("classes", "C00001002", "C0000100X", "enrollments.classSourcedId: refers to nobody"),
        ("users", "G00000012", "G9", "users.agentSourcedIds: refers to nobody"),
        ("users", "P0000005,", "P0000004,", "users: sourcedId twice"),
        ("orgs", ",district,", ",trust,", "orgs.type: not a word of it"),
        ("enrollments", "2025-09-01,2025-12-31", "2026-09-01,2025-12-31", "enrollments: ends before it begins"),
        ("demographics", "birthDate,sex", "sex,birthDate", "demographics: other columns"),
        ("manifest", "file.users,bulk", "file.users,absent", "manifest: users"),
        ("courses", "\r\n", "\n", "courses: not RFC 4180"),
        ("academicSessions", ",term,", ",semester,", "classes: not in a term"),
    ],
)
def test_the_validator_sees_what_is_broken(written, name, old, new, complaint):
    whole = (written("oneroster") / "oneroster.zip").read_bytes()
    broken = altered(
        whole, name, lambda words: words.replace(old, new, 1) if old != "\r\n" else words.replace(old, new)
    )
    assert complaint in complaints(broken, "1.1")


def test_oneroster_has_everybody_once_in_their_role(written):
    users = tables_of((written("oneroster") / "oneroster.zip").read_bytes())["users"]
    # Six pupils. Two mothers and a father are parents, the grandparent a relative. One headteacher administers, four
    # class teachers, one aide.
    assert Counter(row["role"] for row in users) == {
        "student": 6,
        "parent": 3,
        "relative": 1,
        "administrator": 1,
        "teacher": 4,
        "aide": 1,
    }
    enabled = {row["sourcedId"]: row["enabledUser"] for row in users}
    assert [each for each, on in enabled.items() if on == "false"] == ["P0000005", "T00001002"]  # who has left
    login = {row["sourcedId"]: row["username"] for row in users}
    assert (login["P0000004"], login["P0000001"]) == ("pupil-4", "p0000001")  # the account's, else the key


def test_children_and_guardians_name_each_other(written):
    users = tables_of((written("oneroster") / "oneroster.zip").read_bytes())["users"]
    agents = {row["sourcedId"]: set(filter(None, row["agentSourcedIds"].split(","))) for row in users}
    assert agents["P0000001"] == {"G00000011", "G00000012"}
    assert agents["G00000011"] == {"P0000001", "P0000002"}
    assert agents["P0000005"] == agents["T00001001"] == set()
    assert all(one in agents[other] for one, others in agents.items() for other in others)
    schools = {row["sourcedId"]: row["orgSourcedIds"] for row in users}
    assert schools["G00000031"] == "S00001,S00002"  # a child at each


def test_race_is_said_only_where_the_english_code_says_it(written):
    rows = {
        row["sourcedId"]: row
        for row in tables_of((written("oneroster") / "oneroster.zip").read_bytes())["demographics"]
    }
    short = ("asian", "blackOrAfricanAmerican", "white", "demographicRaceTwoOrMoreRaces")

    def said(pupil: str) -> tuple[str, ...]:
        return tuple(rows[pupil][column] for column in short)

    assert said("P0000001") == ("false", "true", "true", "true")  # White and Black Caribbean
    assert said("P0000002") == ("false", "false", "true", "false")  # White British
    assert said("P0000003") == ("false", "true", "false", "false")  # Black African
    assert said("P0000004") == ("", "", "", "")  # refused
    assert said("P0000005") == ("", "", "", "true")  # any other mixed background
    assert {row["hispanicOrLatinoEthnicity"] for row in rows.values()} == {""}  # England does not ask
    assert [rows[f"P000000{place}"]["sex"] for place in (1, 2)] == ["female", "male"]


def test_an_enrolment_begins_with_the_school_year_or_later_and_ends_when_they_leave(written):
    rows = tables_of((written("oneroster") / "oneroster.zip").read_bytes())["enrollments"]
    spans = {(row["classSourcedId"], row["userSourcedId"]): (row["beginDate"], row["endDate"]) for row in rows}
    assert spans["C00001002", "P0000002"] == ("2025-09-01", "")  # there since 2022
    assert spans["C00001002", "P0000003"] == ("2025-11-10", "")  # came in the term
    assert spans["C00001001", "T00001002"] == ("2025-09-01", "2025-12-31")
    assert not any(user == "P0000005" for _, user in spans)  # left, and in no class
    main = [row["userSourcedId"] for row in rows if row["primary"] == "true"]
    assert main == ["T00001002", "T00001003", "T00002001", "T00003001"]  # one a class


def test_values_of_several_are_joined_in_one_quoted_cell(written):
    with zipfile.ZipFile(written("oneroster") / "oneroster.zip") as package:
        users, classes = package.read("users.csv").decode(), package.read("classes.csv").decode()
    assert '"G00000012,G00000011"' in users
    assert '"SY2025-T1,SY2025-T2,SY2025-T3"' in classes
    assert '"Ní ""Bhriain"", <Zoë> & Söhne"' in users
    assert '"{UPN:N999900216003},{ULN:1000000018}"' in users


def test_what_england_asks_stands_under_metadata_in_1_2(written):
    tables = tables_of((written("oneroster12") / "oneroster.zip").read_bytes())
    second = next(row for row in tables["users"] if row["sourcedId"] == "P0000002")
    assert (second["metadata.upn"], second["metadata.sen"], second["metadata.senNeed"]) == (
        "Z999900122002",
        "K",
        "SLCN",
    )
    assert (second["metadata.fsm"], second["metadata.yearGroup"], second["preferredGivenName"]) == ("false", "3", "Tom")
    assert second["grades"] == "02"  # Year 3 is for those who turn eight, as second grade is
    roles = [
        (row["roleType"], row["role"], row["orgSourcedId"])
        for row in tables["roles"]
        if row["userSourcedId"] == "G00000031"
    ]
    assert roles == [("primary", "relative", "S00001"), ("secondary", "relative", "S00002")]
    assert next(row["role"] for row in tables["roles"] if row["userSourcedId"] == "T00001001") == "principal"


def test_oneroster_reads_back_with_the_same_people(written):
    read = frames.read(written("oneroster"))
    assert {name: table.kept for name, table in read.tables.items()} == {
        "academicSessions": 4,
        "orgs": 4,  # three schools and the district
        "courses": 4,
        "classes": 4,
        "users_students": 6,
        "users_guardians": 4,
        "users_staff": 6,
        "enrollments": 10,  # five pupils with a class, five teachers in one
        "demographics_students": 6,
    }
    users = pl.concat(frame for name, frame in read.frames.items() if name.startswith("users"))
    assert read.frames["users_students"]["familyName"].to_list() == [
        *(AWKWARD, AWKWARD, "Okafor", "Ash", "Birch", AWKWARD)
    ]
    assert set(users["sourcedId"]) == {
        *(*TOWN["pupils"]["pupil_id"], *TOWN["guardians"]["guardian_id"], *TOWN["staff"]["staff_id"]),
        *("P0000006", "G00000061", "T00003001"),
    }


@pytest.mark.parametrize("form", ["oneroster", "oneroster12", "ctf", "mis"])
def test_the_same_world_makes_the_same_bytes(written, form):
    one, two = written(form, under="one"), written(form, under="two")
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in two.iterdir())
    assert not [name for name in names if name.startswith(".")]  # nothing unfinished is left
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in names)
    if form.startswith("oneroster"):
        with zipfile.ZipFile(one / "oneroster.zip") as package:
            assert {each.date_time for each in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


# --- CTF -----------------------------------------------------------------------------------------------------------

# The order of the specification: identifiers, basic details, free meals, looked after, service child, special needs,
# address with telephones and e-mail, contacts, attendance, assessments, school history.
# fmt: off
ORDER = [
    "UPN", "UniqueLearnerNumber", "Surname", "Forename", "DOB", "Sex", "BasicDetails", "FSMhistory", "LookedAfter",
    "ServiceChild", "SENhistory", "SENneeds", "Address", "Phones", "Email", "Contacts", "Attendance",
    "StageAssessments", "SchoolHistory",
]
# fmt: on


def test_a_ctf_is_named_by_sender_receiver_and_serial(written):
    names = sorted(path.name for path in written("ctf").iterdir())
    assert names == [f"999900{school}_CTF_9999000_001.xml" for school in (1, 2, 3)]
    assert all(re.fullmatch(r"\d{7}_CTF_\d{7}_\d{3}\.xml", name) for name in names)


def test_the_sections_of_a_ctf_stand_in_the_documented_order(written):
    for path in written("ctf").iterdir():
        root = ElementTree.parse(path).getroot()
        assert (root.tag, [each.tag for each in root]) == ("CTfile", ["Header", "CTFpupilData"])
        assert root.findtext("Header/CTFVersion") == "25.0"
        assert root.findtext("Header/DateTime") == "2026-01-31T00:00:00"
        assert root.findtext("Header/SourceSchool/AcademicYear") == "2026"
        assert (
            root.findtext("Header/SourceSchool/LEA", "") + root.findtext("Header/SourceSchool/Estab", "")
            == path.name[:7]
        )
        for pupil in root.iterfind("CTFpupilData/Pupil"):
            places = [ORDER.index(each.tag) for each in pupil]  # which fails for a section that is not of the order
            assert places == sorted(set(places))
        assert "Gender" not in {each.tag for each in root.iter()}


def test_a_ctf_says_of_each_child_what_the_tables_say(written):
    root = ElementTree.parse(written("ctf") / "9999001_CTF_9999000_001.xml").getroot()
    first, second, third = root.iterfind("CTFpupilData/Pupil")
    assert root.findtext("Header/SourceSchool/SchoolName") == "Mistlelow & Co"
    assert (first.findtext("UPN"), first.findtext("Surname"), first.findtext("Sex")) == ("K999900125001", AWKWARD, "F")
    assert first.findtext("BasicDetails/NCyearActual") == "R"
    assert first.findtext("FSMhistory/FSMinstance/FSMstartDate") == "2025-09-03"
    assert first.find("SENhistory") is None
    contacts = [
        (each.findtext("Order"), each.findtext("Forename"), each.findtext("Address/PostCode"))
        for each in first.iterfind("Contacts/Contact")
    ]
    assert contacts == [("1", "Jayne", "ZA8 8XS"), ("2", "Lee", "ZA9 1YY")]  # by priority; he lives elsewhere
    assert (second.find("FSMhistory"), second.findtext("SENhistory/SEN/SENprovision")) == (None, "K")
    assert second.findtext("SENhistory/SEN/StartDate") == "2022-09-05"
    assert second.findtext("SENneeds/SENneed/SENtype") == "SLCN"
    sessions = [[each.text for each in year] for year in second.iterfind("Attendance/YearData")]
    assert sessions[1] == ["2026", "999", "9001", "184", "176", "7", "1"]  # attended, authorised, unauthorised
    stages = [
        (each.findtext("Stage"), each.findtext("StageAssessment/ResultDate"))
        for each in second.iterfind("StageAssessments/KeyStage")
    ]
    assert stages == [("KS1", "2025-08-31"), ("KS2", "2025-12-31")]  # in Year 2 last summer
    assert (third.find("UPN"), third.findtext("LookedAfter/InCare")) == (None, "true")


def test_ctfs_read_back_with_the_same_children_and_contacts(written):
    read = frames.read(written("ctf"))
    assert {name: table.kept for name, table in read.tables.items()} == {
        "pupils": 6,
        "contacts": 6,  # links: a mother of two is a contact of each
        "attendance": 3,
        "assessments": 3,
        "school_history": 6,
    }
    pupils, contacts = read.frames["pupils"], read.frames["contacts"]
    assert pupils["pupil_id"].to_list() == [
        *(f"9999001-00000{n}" for n in (1, 2, 3)),
        *("9999002-000001", "9999002-000002", "9999003-000001"),
    ]
    known = [*TOWN["pupils"]["upn"], "B999900324001"]
    assert pupils["upn"].to_list() == known
    assert pupils["date_of_birth"].dtype == pl.Date
    who = set(contacts.select("surname", "forename", "phone", "email").iter_rows())
    assert who == set(TOWN["guardians"].select("surname", "forename", "phone", "email").iter_rows())
    assert read.frames["attendance"]["academic_year"].to_list() == ["2025/26", "2024/25", "2025/26"]


# --- MIS exports ---------------------------------------------------------------------------------------------------


def test_the_target_tracker_template_has_its_columns_and_one_row_a_pupil(written):
    words = (written("mis") / "target_tracker.csv").read_bytes().decode()
    header, first, second, *rest = csv.reader(io.StringIO(words, newline=""))
    assert header == [
        *("UPN", "Surname", "Forename", "DOB", "Gender", "DOA", "Eligible for free meals", "Mother tongue code"),
        *("Ethnicity", "SEN Status code", "Reg", "Year", "Postcode", "In LEA Care", "Gifted", "Possible"),
        *("Authorised absences", "Unauthorised absences"),
    ]
    assert first == [
        *("K999900125001", AWKWARD, "Evie", "26/02/2021", "F", "03/09/2025", "T", "ENG", "MWBC", "N", "RA", "R"),
        *("ZA8 8XS", "F", "", "184", "6", "4"),
    ]
    assert second[15:] == ["184", "7", "1"]  # this year's, not last year's
    assert len(rest) == 4


def test_a_mis_export_reads_back_with_the_same_children_and_contacts(written):
    read = frames.read(written("mis"))
    assert {name: table.kept for name, table in read.tables.items()} == {"contacts": 6, "sims": 6, "target_tracker": 6}
    sims = read.frames["sims"]
    assert sims["LearnerId"].to_list() == [f"P000000{place}" for place in range(1, 7)]
    assert sims.select("Forename", "LegalForename", "EAL").row(1) == ("Tom", "Thomas", "F")
    assert sims["EAL"].to_list()[2] == "T"  # Yoruba at home
    assert sims["EnrolmentStatus"].to_list() == ["C", "C", "C", "C", None, "C"]
    assert sims["LAESTAB"].to_list() == [*["9999001"] * 3, *["9999002"] * 2, "9999003"]
    assert sims["DateOfEntry"].dtype == pl.Date
    contacts = read.frames["contacts"]
    assert contacts.select("LearnerId", "Surname", "LivesWithPupil").row(0) == ("P0000001", "Long", "F")


# --- whatever is in the tables -------------------------------------------------------------------------------------

NAME = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Z")), min_size=1, max_size=8)


@given(names=st.lists(NAME, min_size=5, max_size=5))
@example(names=["a,b", '"', "]]>", "&amp;", "'"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize(
    ("form", "table", "column"), [("oneroster", "users_students", "familyName"), ("ctf", "pupils", "surname")]
)
def test_any_name_comes_back_as_it_was(written, form, table, column, names):
    town = TOWN | {"pupils": TOWN["pupils"].with_columns(surname=pl.Series(["x" + name for name in names]))}
    assert frames.read(written(form, town)).frames[table][column].to_list() == ["x" + name for name in names]


@pytest.mark.parametrize("form", ["oneroster", "oneroster12", "ctf", "mis", "sqlite", "duckdb"])
def test_dirt_is_written_as_it_is(written, form):
    """Days in two orders, flags in words, years as text, a child twice: an export has what the tables have."""
    pupils = TOWN["pupils"].with_columns(
        date_of_birth=pl.Series(["2021-02-26", "01/03/2018", "20-Oct", "05/12/2011", None]),
        admitted_on=pl.Series(["2025-09-03", "05/09/2022", "?", "2023-09-04", "2019-09-03"]),
        fsm=pl.Series(["Y", "N", "0", "1", None]),
        year_group=pl.Series(["R", "3", "Year 3", "9", "11"]),
    )
    town = TOWN | {"pupils": pl.concat([pupils, pupils.head(1)])}
    read = frames.read(written(form, town))
    table, column = {
        "oneroster": ("demographics_students", "birthDate"),
        "oneroster12": ("demographics_students", "birthDate"),
        "ctf": ("pupils", "date_of_birth"),
        "mis": ("sims", "DateOfBirth"),
    }.get(form, ("pupils", "date_of_birth"))
    assert sorted(read.frames[table][column].drop_nulls()) == sorted(town["pupils"]["date_of_birth"].drop_nulls())
    assert read.tables[table].kept == 6


def test_columns_are_read_whatever_their_kind():
    frame = pl.DataFrame({"on": ["2025-09-03", "05/09/2022", "20-Oct"], "flag": [True, None, False]})
    assert dates(frame, "on").to_list() == [date(2025, 9, 3), date(2022, 9, 5), None]
    assert text(frame, "flag", truth=("T", "F")).to_list() == ["T", None, "F"]
    assert text(frame, "nowhere").to_list() == [None, None, None]


def test_schools_have_numbers_that_no_school_has():
    ids = pl.DataFrame({"school_id": ["S00001", "S00999", "S01000"]})
    assert laestab(ids).to_list() == ["9999001", "9999999", "9989001"]
    assert laestab(ids.with_columns(laestab=pl.lit("998/9002"))).to_list() == ["9989002"] * 3


def test_grown_ups_are_parents_relatives_or_guardians():
    words = ["mother", "stepparent", "grandparent", "foster carer", "Foster mother", "aunt", None]
    assert kinship(pl.Series(words)).to_list() == [
        *("parent", "parent", "relative", "guardian", "guardian", "relative", "guardian")
    ]
