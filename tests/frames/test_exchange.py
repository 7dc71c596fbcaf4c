"""OneRoster sets and Common Transfer Files as other systems write them; a refusal quotes no cell."""

from __future__ import annotations

import struct
import time
import traceback
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from otrack_risk import frames
from otrack_risk.errors import FileError, OtrackRiskError, TableError

CANARY = "Kanarienvogel"  # stands in cells only; no message may hold it
MANIFEST = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\nfile.users,bulk\nfile.orgs,absent\n"
USERS = f'sourcedId,role,familyName,orgSourcedIds\nu1,student,{CANARY},"s1,s2"\nu2,student\nu3,teacher,Ash,s1\n'


def refused(path: Path, pattern: str, kind: type[OtrackRiskError] = FileError, **options: str) -> None:
    """Reading raises ``kind`` with a two-line message that holds no cell, no directory, and chains to nothing."""
    with pytest.raises(kind, match=pattern) as caught:
        frames.read(path, **options)
    shown = "".join(traceback.format_exception(caught.value))
    assert str(caught.value).count("\n") == 1
    assert "\nMend: " in str(caught.value)
    assert "During handling" not in shown
    assert "direct cause" not in shown
    assert CANARY not in shown
    assert str(path.parent) not in str(caught.value)


def zipped(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, words in files.items():
            package.writestr(f"{name}.csv", words)
    return path


# --- OneRoster -----------------------------------------------------------------------------------------------------


def test_a_set_is_read_by_its_files_names(tmp_path):
    path = zipped(tmp_path / "set.zip", manifest=MANIFEST, users=USERS)
    data = frames.read(path)
    students, staff = data.table("users_students"), data.table("users_staff")
    assert data.name == "set.zip"
    assert list(data.tables) == ["users_students", "users_staff"]  # the manifest is no table
    assert [each.rows["orgSourcedIds"].to_list() for each in (students, staff)] == [["s1,s2"], ["s1"]]
    assert (students.kept, students.seen, [each.rows for each in students.skipped]) == (1, 2, [1])  # u2 is too short
    assert (staff.kept, staff.seen, staff.skipped) == (1, 1, ())
    assert "set.zip is a OneRoster set, 1.1." in data.notes()
    assert data.inputs()[0]["file"] == "set.zip"


def test_one_table_of_a_set(tmp_path):
    path = zipped(tmp_path / "set.zip", manifest=MANIFEST, users=USERS, orgs="sourcedId,name\ns1,Ash\n")
    assert list(frames.read(path, table="orgs").tables) == ["orgs"]
    refused(path, "set.zip has no table 'pupils'", TableError, table="pupils")
    assert list(frames.read(path, table="users_staff").tables) == ["users_staff"]
    assert list(frames.read(path, table="users").tables) == [
        "users_students",
        "users_staff",
    ]  # a file's name: all of it
    refused(path, "set.zip has no table 'users_guardians'", TableError, table="users_guardians")
    refused(path, "set.zip has no table 'orgs_staff'", TableError, table="orgs_staff")


def test_every_user_is_in_one_table_by_role_and_those_of_no_known_role_stay(tmp_path):
    roles = [
        "student",
        "Student",
        "parent",
        "guardian",
        "relative",
        "teacher",
        "aide",
        "administrator",
        "proctor",
        "ext:governor",
    ]
    users = "sourcedId,role\n" + "".join(f"u{place},{role}\n" for place, role in enumerate(roles)) + "u10,\n"
    path = zipped(
        tmp_path / "set.zip", manifest=MANIFEST, users=users, demographics="sourcedId,sex\nu0,male\nu9,female\n"
    )
    data = frames.read(path)
    assert {name: list(table.rows["sourcedId"]) for name, table in data.tables.items()} == {
        "users_students": ["u0", "u1"],
        "users_guardians": ["u2", "u3", "u4"],
        "users_staff": ["u5", "u6", "u7", "u8"],
        "users": ["u9", "u10"],
        "demographics_students": ["u0"],
        "demographics": ["u9"],
    }
    assert sum(data.tables[name].kept for name in data.tables if name.startswith("users")) == 11


# u1 studies and helps, u2 teaches and is a parent, u3 has two rows in users; u4's role is of another set.
def test_a_user_with_roles_of_several_kinds_stands_once_a_student_before_a_guardian_before_staff(tmp_path):
    users = "sourcedId,familyName\nu1,Ash\nu2,Birch\nu3,Elm\nu3,Elm\nu4,Fir\n"
    roles = (
        "userSourcedId,roleType,role\nu1,primary,aide\nu1,secondary,student\nu2,primary,teacher\nu2,secondary,parent\n"
        "u3,primary,districtAdministrator\nu3,primary,principal\nu9,primary,student\n"
    )
    data = frames.read(zipped(tmp_path / "set.zip", manifest=MANIFEST, users=users, roles=roles))
    assert {name: list(table.rows["sourcedId"]) for name, table in data.tables.items() if name != "roles"} == {
        "users_students": ["u1"],
        "users_guardians": ["u2"],
        "users_staff": ["u3", "u3"],
        "users": ["u4"],
    }
    assert (
        "2 users have roles of several kinds, and count once: a student before a guardian before staff" in data.remarks
    )


def test_users_without_numbers_or_roles_are_kept_all_the_same(tmp_path):
    manifest, nameless = MANIFEST, "role,familyName\nstudent,Ash\nteacher,Elm\n"
    by_role = frames.read(zipped(tmp_path / "set.zip", manifest=manifest, users=nameless))
    assert {name: table.kept for name, table in by_role.tables.items()} == {"users_students": 1, "users_staff": 1}
    bare = frames.read(zipped(tmp_path / "bare.zip", manifest=manifest, users="sourcedId,familyName\nu1,Ash\n"))
    assert {name: table.kept for name, table in bare.tables.items()} == {"users": 1}


def test_a_folder_that_holds_a_set_and_no_table_is_the_set(tmp_path):
    zipped(tmp_path / "set.zip", manifest=MANIFEST, users=USERS)
    (tmp_path / "manifest.json").write_text("{}")
    assert list(frames.read(tmp_path).tables) == ["users_students", "users_staff"]
    (tmp_path / "staff.csv").write_text("a,b\n1,2\n")
    assert list(frames.read(tmp_path).tables) == ["staff"]  # a table beside it: the set is another kind of file


def test_manifest_and_files_may_differ_and_it_is_said(tmp_path):
    manifest = MANIFEST + "file.classes,bulk\nfile.enrollments,delta\n"
    rows = "sourcedId,name\ns1,Ash\n"
    path = zipped(tmp_path / "set.zip", manifest=manifest, users=USERS, orgs=rows, enrollments=rows)
    assert frames.read(path).remarks == (
        "set.zip is a OneRoster set, 1.1",
        "only changes, not all rows, are in: enrollments",
        "read, though the manifest does not list them: orgs",
        "listed in the manifest, and not there: classes",
    )


def test_a_set_within_one_folder_and_what_a_macintosh_adds(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as package:
        package.writestr("export/manifest.csv", MANIFEST)
        package.writestr("export/users.csv", USERS)
        package.writestr("__MACOSX/export/._users.csv", "rubbish")
        package.writestr("../../outside.txt", "not followed")
    assert [each.kept for each in frames.read(tmp_path / "set.zip").tables.values()] == [1, 1]
    assert not (tmp_path.parent.parent / "outside.txt").exists()


def test_zips_that_are_no_sets(tmp_path):
    whole = zipped(tmp_path / "whole.zip", manifest=MANIFEST, users=USERS).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:-40])
    refused(tmp_path / "cut.zip", "cut.zip is no ZIP, is cut short or encrypted")
    (tmp_path / "text.zip").write_text(CANARY)
    refused(tmp_path / "text.zip", "text.zip is no ZIP")
    (tmp_path / "empty.zip").write_bytes(b"")
    refused(tmp_path / "empty.zip", "empty.zip is no ZIP")
    refused(zipped(tmp_path / "other.zip", users=USERS), "other.zip is no OneRoster set: it holds no manifest.csv")
    refused(zipped(tmp_path / "bare.zip", manifest=MANIFEST), "bare.zip holds a manifest.csv and no table")
    refused(zipped(tmp_path / "odd.zip", manifest="a,b\n1,2\n", users=USERS), "other columns than propertyName")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as package:
        for name in ("manifest", "a/users", "b/users"):
            package.writestr(f"{name}.csv", MANIFEST)
    refused(tmp_path / "two.zip", "two.zip holds the table 'users' twice")
    with zipfile.ZipFile(tmp_path / "parted.zip", "w") as package:
        for name in ("manifest", "a/users"):
            package.writestr(f"{name}.csv", MANIFEST)
    refused(tmp_path / "parted.zip", "parted.zip holds CSV files in several folders")


def test_an_encrypted_or_damaged_entry(tmp_path):
    content = bytearray(zipped(tmp_path / "set.zip", manifest=MANIFEST, users=USERS).read_bytes())
    at = content.rfind(b"PK\x01\x02")  # the directory's entry for users.csv; bit 0 of its flags means encrypted
    content[at + 8] |= 1
    (tmp_path / "secret.zip").write_bytes(content)
    refused(tmp_path / "secret.zip", "secret.zip is no ZIP, is cut short or encrypted")
    content[at + 8] &= 0xFE
    struct.pack_into("<I", content, at + 16, 7)  # another check sum
    (tmp_path / "damaged.zip").write_bytes(content)
    refused(tmp_path / "damaged.zip", "damaged.zip is no ZIP")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("manifest.csv", MANIFEST)
        package.writestr("users.csv", b"a" * 60_000_000)  # packs a thousand times
    started = time.perf_counter()
    refused(tmp_path / "bomb.zip", "unpacks to far more than a table packs")
    assert time.perf_counter() - started < 5


def test_a_set_without_rows(tmp_path):
    header = "sourcedId,role\n"
    refused(zipped(tmp_path / "none.zip", manifest=MANIFEST, users=header), "has a header and no rows")
    both = frames.read(zipped(tmp_path / "one.zip", manifest=MANIFEST, users=USERS, orgs=header))
    assert "orgs (one.zip) has no rows and was left out." in both.notes()


# --- CTF -----------------------------------------------------------------------------------------------------------

# As an older version and another supplier write it: Gender, an address in parts, elements in a name space.
TRANSFER = """<?xml version="1.0" encoding="utf-8"?>
<CTfile xmlns:c="urn:example">
<Header><CTFversion>15.0</CTFversion>
<SourceSchool><LEA>999</LEA><Estab>9001</Estab><SchoolName>Mistlelow</SchoolName></SourceSchool></Header>
<CTFpupilData>
<Pupil><UPN>K999900125001</UPN><Surname>Ash &amp; Birch</Surname><Forename>Evie</Forename><DOB>2014-10-02</DOB>
<Gender>F</Gender><BasicDetails><FormerUPN>A1</FormerUPN><NCyearActual>6</NCyearActual></BasicDetails>
<SENhistory><SEN><StartDate>2020-09-01</StartDate><SENprovision>S</SENprovision></SEN>
<SEN><StartDate>2023-09-01</StartDate><SENprovision>E</SENprovision></SEN></SENhistory>
<SENneeds><SENneed><SENtype>ASD</SENtype></SENneed><SENneed><SENtype>SLCN</SENtype></SENneed></SENneeds>
<Address><SAON>Flat 2</SAON><PAON>9</PAON><Street>Quay</Street><PostCode>ZA9 1YY</PostCode></Address>
<Contacts><Contact><Order>1</Order><Surname>Ash</Surname><Forename>Jayne</Forename><Phones><Phone>
<PhoneNo>07700 900366</PhoneNo></Phone></Phones></Contact><Contact><Order>2</Order></Contact></Contacts>
<Attendance><YearData><Year>2025</Year><LEA>999</LEA><Estab>9001</Estab><SessionsPossible>380</SessionsPossible>
<SessionsAttended>370</SessionsAttended></YearData></Attendance>
<StageAssessments><KeyStage><Stage>KS2</Stage><StageAssessment><Year>2025</Year><Subject>ENG</Subject>
<Component>REA</Component><Result>EXS</Result></StageAssessment></KeyStage></StageAssessments>
<WelshOnly><Speaks>Y</Speaks></WelshOnly></Pupil>
<Pupil><DOB>2015-01-01</DOB><Contacts><Contact><Surname>Lost</Surname></Contact></Contacts></Pupil>
<c:Pupil><c:Surname>Cedar</c:Surname><c:Forename>Ben</c:Forename><c:Sex>M</c:Sex></c:Pupil>
</CTFpupilData>
</CTfile>
"""


@pytest.fixture
def transfer(text_file) -> Path:
    return text_file(TRANSFER, "9999001_CTF_9999000_001.xml")


def test_a_transfer_file_is_five_tables(transfer):
    data = frames.read(transfer)
    pupils, contacts = data.frames["pupils"], data.frames["contacts"]
    evie = pupils.row(0, named=True)
    assert (evie["surname"], evie["sex"], evie["former_upn"], evie["year_group"]) == ("Ash & Birch", "F", "A1", "6")
    assert (evie["date_of_birth"], evie["laestab"], evie["school_name"]) == (date(2014, 10, 2), "9999001", "Mistlelow")
    assert (evie["sen_provision"], evie["sen_from"], evie["sen_need"]) == ("E", date(2023, 9, 1), "ASD, SLCN")
    assert (evie["address_line"], evie["postcode"]) == ("Flat 2, 9, Quay", "ZA9 1YY")
    # Ben is the third child of the file, and keeps that place though the second was skipped.
    assert pupils.select("pupil_id", "forename", "sex").row(1) == ("9999001-000003", "Ben", "M")
    assert contacts.select("pupil_id", "upn", "priority", "phone").rows() == [
        ("9999001-000001", "K999900125001", 1, "07700 900366")
    ]
    assert data.frames["attendance"].row(0) == ("9999001-000001", "2024/25", "9999001", 380, 370, None, None)
    assert data.frames["assessments"].select("stage", "year", "subject", "component", "result").row(0) == (
        *("KS2", 2025, "ENG", "REA", "EXS"),
    )


def test_kept_and_skipped_are_what_was_seen(transfer):
    data = frames.read(transfer)
    pupils, contacts = data.table("pupils"), data.table("contacts")
    assert (pupils.seen, pupils.kept, sum(each.rows for each in pupils.skipped)) == (3, 2, 1)
    # The second child has neither name nor UPN; a contact of hers goes with her, and one of Evie's has no name.
    assert (contacts.seen, contacts.kept, sum(each.rows for each in contacts.skipped)) == (3, 1, 2)
    assert "pupils: 9999001_CTF_9999000_001.xml, line 19: 1 skipped (of a pupil without name and UPN)." in data.notes()
    assert "sections of 9999001_CTF_9999000_001.xml that are not read: welshonly (1)." in data.notes()
    assert any("school_history" in each and "has no rows" in each for each in data.notes())


def test_a_folder_of_transfer_files_is_read_as_one(transfer, tmp_path):
    other = TRANSFER.replace("9001", "9002")
    (tmp_path / "9999002_CTF_9999000_001.xml").write_text(other, encoding="utf-8")
    pupils = frames.read(tmp_path).table("pupils")
    assert pupils.rows["pupil_id"].to_list() == [
        f"999900{school}-00000{place}" for school in (1, 2) for place in (1, 3)
    ]
    assert (pupils.seen, pupils.kept) == (6, 4)
    assert "and 1 more" in pupils.skipped[0].where


def test_one_table_of_a_transfer_file_and_missing_markers(transfer):
    data = frames.read(transfer, table="pupils", null_values=["Evie"])
    assert list(data.tables) == ["pupils"]
    assert data.table().rows["forename"].to_list() == [None, "Ben"]
    refused(transfer, "has no table 'staff'", TableError, table="staff")


def test_other_encodings_that_xml_declares(tmp_path):
    text = TRANSFER.replace("Evie", "Zoë")
    (tmp_path / "a.xml").write_bytes(text.replace("utf-8", "windows-1252", 1).encode("cp1252"))
    (tmp_path / "b.xml").write_bytes(text.replace("utf-8", "utf-16", 1).encode("utf-16"))
    assert frames.read(tmp_path).frames["pupils"]["forename"].to_list() == ["Zoë", "Ben"] * 2


BOMB = '<!DOCTYPE CTfile [<!ENTITY a "Kanarienvogel"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "declared",
    [BOMB, '<!DOCTYPE CTfile [<!ENTITY a SYSTEM "file:///etc/hostname">]>', '<!DOCTYPE CTfile SYSTEM "x.dtd">'],
)
def test_entities_are_refused_and_nothing_is_fetched(text_file, declared):
    body = TRANSFER.replace("<CTfile", f"{declared}<CTfile", 1).replace("Evie", "&a;")
    refused(text_file(body, "t.xml"), "t.xml declares a document type")


def test_xml_that_is_no_transfer_file(text_file):
    refused(
        text_file(f"<Census><Pupil><Surname>{CANARY}</Surname></Pupil></Census>", "t.xml"), "its root is not CTfile"
    )
    refused(text_file(TRANSFER.replace("Evie", CANARY)[:-30], "t.xml"), r"t.xml is no XML: .* \(line \d+\)")
    refused(text_file(TRANSFER.replace("Evie", f"{CANARY} &nobody;"), "t.xml"), r"undefined entity \(line 6\)")
    refused(text_file(CANARY, "t.xml"), "t.xml is no XML")
    refused(text_file("", "t.xml"), "t.xml is empty")
    deep = TRANSFER.replace("Evie", "<a>" * 60 + CANARY + "</a>" * 60)
    refused(text_file(deep, "t.xml"), "elements lie more than 40 deep")
    refused(text_file("<CTfile><CTFpupilData/></CTfile>", "t.xml"), "none of the 5 tables of t.xml has rows")


def test_a_large_transfer_file_is_read_piece_by_piece(tmp_path):
    # Larger than one piece, so that a child lies across the border; each is there once.
    start, child, end = (
        TRANSFER.partition("<Pupil>")[0],
        "<Pupil><UPN>{:013}</UPN><Surname>{}</Surname></Pupil>\n",
        "</CTFpupilData></CTfile>",
    )
    with (tmp_path / "t.xml").open("w", encoding="utf-8") as file:
        file.write(start + "".join(child.format(place, "x" * 900) for place in range(2_500)) + end)
    read = frames.read(tmp_path / "t.xml").frames["pupils"]
    assert read["upn"].to_list() == [f"{place:013}" for place in range(2_500)]
    assert read["surname"].str.len_chars().unique().to_list() == [900]
    assert read.schema["upn"] == pl.String
