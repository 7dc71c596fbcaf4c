"""The same few schools in every form in which they can leave: exposure counts the same people in each."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from otrack_risk import frames, profile, synth
from otrack_risk.exposure import ExposureScope, exposure_scope
from otrack_risk.synth.formats import FORMATS
from otrack_risk.synth.presets import planned

KINDS = {"children": "pupils", "staff": "staff", "guardians": "guardians"}
NUMBERS = {"pupils": "pupil_id", "staff": "staff_id", "guardians": "guardian_id", "schools": "school_id"}
SIZE = {"pupils": 60, "schools": 2}
# Who is in a school and of whom something is kept; the other tables are about nobody new.
HELD = {
    "attendance",
    "classes",
    "guardians",
    "households",
    "pupil_guardians",
    "pupils",
    "schools",
    "staff",
    "staff_classes",
}
USERS = (
    "sourcedId,givenName,familyName,role\n"
    "u1,Evie,Ash,student\nu2,Ben,Birch,student\nu3,Cal,Ash,parent\nu4,Dee,Elm,teacher\nu5,Eli,Fir,administrator\n"
)
ORGS = "sourcedId,name,type\ns1,Mistlelow,school\ns2,Tansylow,School\nd1,Area,district\nm1,Maths,department\n"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """Two schools of a trust, with children who have left and parents of several children."""
    folder = tmp_path_factory.mktemp("parquet")
    synth.make("trust", folder, seed=3, **SIZE)
    return {path.stem: pl.read_parquet(path) for path in sorted(folder.glob("*.parquet")) if path.stem in HELD}


@pytest.fixture
def oneroster(tmp_path: Path) -> Callable[..., Path]:
    """Make a set of these CSV texts; the path of its ZIP."""

    def make(**files: str) -> Path:
        manifest = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.1\n"
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as package:
            for name, words in {"manifest": manifest, **files}.items():
                package.writestr(f"{name}.csv", words)
        return tmp_path / "set.zip"

    return make


def counted(data: Path) -> ExposureScope:
    """The exposure of what lies there, as far as its own columns tell."""
    dataset = frames.read(data)
    return exposure_scope(dataset, profile.classify(dataset.frames))


def written(form: str, tables: dict[str, pl.DataFrame], folder: Path) -> Path:
    if form in ("csv", "xlsx"):
        for name in NUMBERS:
            frames.write(tables[name], folder / f"{name}.{form}")
        return folder
    writer = FORMATS[form](folder, planned("trust", **SIZE), 3)
    writer.add(tables)
    writer.close()
    return folder


# The tree of a store (bucket) holds these same tables as CSV; a PostgreSQL server is asked for elsewhere. CTF and the
# MIS's CSV are of pupils and those who answer for them, without staff, and without a number for a contact.
@pytest.mark.parametrize("form", ["csv", "xlsx", *sorted(FORMATS.keys() - {"bucket", "postgresql"})])
def test_the_same_people_are_counted_whatever_the_form(
    form: str, tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    there = {table: tables[table][number].n_unique() for table, number in NUMBERS.items()}
    scope = counted(written(form, tables, tmp_path))
    people = scope.record()["people"]
    assert people["children"] == there["pupils"]
    assert people["unknown_kind"] == 0
    assert people["at_least"] == {}
    assert scope.schools == there["schools"] == 2
    if form in ("ctf", "mis"):
        links = tables["pupil_guardians"].height
        assert (people["staff"], people["guardians"], people["total"]) == (0, None, there["pupils"])
        assert people["at_most"] == {"guardians": links}
        assert links >= there["guardians"]
        assert f" and {links:,} or fewer guardians, whom no column tells apart;" in scope.head_count.sentence()
    else:
        assert {kind: people[kind] for kind in KINDS} == {kind: there[table] for kind, table in KINDS.items()}
        assert people["total"] == sum(there[table] for table in KINDS.values())
        assert people["at_most"] == {}
    if form.startswith("oneroster"):
        births = next(entry for entry in scope.fields if entry.field == "birthDate")
        assert (births.table, births.subjects, births.of_people) == ("demographics_students", "child", there["pupils"])
        assert {entry.subjects for entry in scope.fields if entry.table == "users_staff"} == {"staff"}


# u1 and u2 are children, u3 a parent, u4 and u5 staff; of four organisations two are schools. Who answers for whom and
# who belongs where stand in lists, in which a district is no school and two schools are no third one.
def test_a_set_counted_by_hand(oneroster: Callable[..., Path]) -> None:
    users = USERS.replace("role\n", "role,orgSourcedIds\n", 1)
    rows = users.splitlines()
    belongs = ("s1", '"s1,s2"', "d1", '"d1,s2"', "m1")
    users = "\n".join([rows[0], *(f"{row},{org}" for row, org in zip(rows[1:], belongs, strict=True))]) + "\n"
    scope = counted(
        oneroster(users=users, orgs=ORGS, demographics="sourcedId,birthDate\nu1,2014-10-02\nu4,1980-01-02\n")
    )
    people = scope.record()["people"]
    assert {kind: people[kind] for kind in KINDS} == {"children": 2, "staff": 2, "guardians": 1}
    assert (people["total"], people["unknown_kind"], scope.schools) == (5, 0, 2)


def test_roles_of_1_2_tell_children_from_others_though_the_column_for_the_upn_is_there_for_all(
    oneroster: Callable[..., Path],
) -> None:
    users = (
        "sourcedId,givenName,familyName,metadata.upn\n"
        "u1,Evie,Ash,K999900125001\nu2,Cal,Ash,\nu3,Dee,Elm,\nu4,Eli,Fir,\n"
    )
    roles = (
        "sourcedId,userSourcedId,roleType,role,orgSourcedId\n"
        "r1,u1,primary,student,s1\nr2,u2,primary,relative,s1\nr3,u3,primary,siteAdministrator,s1\n"
        "r4,u4,primary,counselor,s1\nr5,u4,secondary,guardian,s1\n"
    )
    people = counted(oneroster(users=users, roles=roles, orgs=ORGS)).record()["people"]
    assert {kind: people[kind] for kind in KINDS} == {"children": 1, "staff": 1, "guardians": 2}  # u4 is a parent too


def test_users_of_no_known_role_are_of_unknown_kind_and_nobody_else_is(oneroster: Callable[..., Path]) -> None:
    people = counted(oneroster(users=USERS + "u6,Fay,Gum,ext:governor\nu7,Gus,Hay,\n")).record()["people"]
    assert {kind: people[kind] for kind in KINDS} == {"children": 2, "staff": 2, "guardians": 1}
    assert (people["unknown_kind"], people["total"]) == (2, 7)


# 7 contacts without a number, in a table that names nobody's: on paper few of them stay few.
def test_on_paper_the_most_that_guardians_can_be_is_hidden_where_their_rows_are() -> None:
    contacts = pl.DataFrame({"pupil_id": ["p1"] * 7, "surname": list("abcdefg"), "phone": ["07700 900001"] * 7})
    images = pl.DataFrame({"pupil_id": ["p1", "p1", None], "file_name": ["a.jpg", "b.jpg", "c.jpg"]})
    held = {"contacts": contacts, "images": images}
    dataset = frames.Dataset("held", {n: frames.Table(n, rows, n, n, rows.height) for n, rows in held.items()})
    people = exposure_scope(dataset, profile.classify(held)).people()
    assert people.at_most == {"guardians": 7}
    assert people.uncountable_rows == {"contacts": 7, "images": 1}  # 8 less 1 would give the 1 away
    shown = people.published(5)
    assert "a hidden number of guardians" in shown.sentence()
    assert shown.record()["at_most"]["guardians"] == shown.record()["uncountable_rows"]["contacts"]
    assert people.published(1).record() == people.record()
