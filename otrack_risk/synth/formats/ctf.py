"""The Common Transfer File, version 25: one XML a school, named ``LLLEEEE_CTF_LLLEEEE_NNN.xml``.

The sections stand in the specification's order: header; for each pupil identifiers, basic details, free school meals,
looked after, service child, special needs, address with telephones and e-mail, contacts, attendance, assessments,
school history. ``Sex`` (not Gender), the version, the header's words and the file's name are documented for CTF 25. The
names of the elements within the sections, and codes such as those of a relationship, are those in common use and were
not compared with the specification: **unverified**.

The world keeps no day on which support or free meals began: the day of admission stands there. The receiving school has
number 9000, which is nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from pathlib import Path

import polars as pl

from otrack_risk.synth.formats.columns import beside, laestab, table, text, whole
from otrack_risk.synth.presets import Preset

RECEIVER = "9000"
_SUBJECTS = {
    "reading": ("ENG", "REA"),
    "writing": ("ENG", "WRI"),
    "english": ("ENG", "ENG"),
    "maths": ("MAT", "MAT"),
    "science": ("SCI", "SCI"),
}
_ENDS = {"autumn": "12-31", "spring": "03-31", "summer": "08-31"}  # terms by whole months
_KIN = {
    "mother": "MOT",
    "father": "FAT",
    "stepparent": "STP",
    "stepmother": "STM",
    "stepfather": "STF",
    "grandparent": "GRP",
    "foster carer": "FOS",
}


class Ctf:
    """A file a school, each written when its town comes."""

    def __init__(self, folder: Path, plan: Preset, seed: int) -> None:
        self.folder, self.plan = folder, plan

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """One town's tables; a school without pupils sends nothing."""
        schools = tables["schools"].with_columns(laestab=laestab(tables["schools"]))
        pupils = _pupils(tables, schools, self.plan.now + 1)
        by_school = dict(pupils.group_by("school_id", maintain_order=True).__iter__())
        for school in schools.select("school_id", "laestab", name=text(schools, "name")).iter_rows(named=True):
            here = by_school.get((school["school_id"],))
            if here is not None:
                self._write(school["laestab"], school["name"] or "", here["xml"])

    def close(self) -> None:
        """Nothing is left to write."""

    def _write(self, number: str, name: str, pupils: pl.Series) -> None:
        authority, establishment = number[:3], number[3:]
        path = self.folder / f"{number}_CTF_{authority}{RECEIVER}_001.xml"
        part = path.with_name(f".{path.name}.part")
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write('<?xml version="1.0" encoding="utf-8"?>\n')
            file.write("<!-- SYNTHETIC: an invented school; nobody in this file exists -->\n<CTfile>\n<Header>")
            file.write("<DocumentName>Common Transfer File</DocumentName><CTFVersion>25.0</CTFVersion>")
            file.write(f"<DateTime>{self.plan.as_of.isoformat()}T00:00:00</DateTime>")
            file.write("<DocumentQualifier>full</DocumentQualifier><SupplierID>otrack-risk synth</SupplierID>")
            file.write(f"<SourceSchool><LEA>{authority}</LEA><Estab>{establishment}</Estab>")
            file.write(f"<SchoolName>{_escaped(pl.Series([name]))[0]}</SchoolName>")
            file.write(f"<AcademicYear>{self.plan.now + 1}</AcademicYear></SourceSchool>")
            file.write(f"<DestSchool><LEA>{authority}</LEA><Estab>{RECEIVER}</Estab></DestSchool></Header>\n")
            file.write("<CTFpupilData>\n")
            file.writelines(f"{pupil}\n" for pupil in pupils)
            file.write("</CTFpupilData>\n</CTfile>\n")
        part.replace(path)


def _pupils(tables: Mapping[str, pl.DataFrame], schools: pl.DataFrame, this_year: int) -> pl.DataFrame:
    """``school_id`` and ``xml``, one row a pupil, in the order of the table; ``this_year`` is that of its end."""
    pupils = tables["pupils"]
    school = beside(pupils, schools.select("school_id", "laestab", "name"), "school_id")
    home = beside(pupils, tables["households"], "household_id")
    admitted, left = text(pupils, "admitted_on"), text(pupils, "left_on")
    provision = text(pupils, "sen_provision")
    needs = provision.is_in(["K", "E"])
    support = [_tag("StartDate", admitted), _tag("EndDate", left), _tag("SENprovision", provision)]
    kind = text(pupils, "sen_need")
    need = _inside("SENneed", _tag("SENtypeRank", _where(kind, "1")), _tag("SENtype", kind))
    entry = [_tag("LEA", school["laestab"].str.head(3)), _tag("Estab", school["laestab"].str.slice(3))]
    stay = _tag("SchoolName", school["name"]), _tag("EntryDate", admitted), _tag("LeavingDate", left)
    sections = [
        _tag("UPN", text(pupils, "upn")),
        _tag("UniqueLearnerNumber", text(pupils, "uln")),
        _tag("Surname", text(pupils, "surname")),
        _tag("Forename", text(pupils, "forename")),
        _tag("DOB", text(pupils, "date_of_birth")),
        _tag("Sex", text(pupils, "sex")),
        _inside("BasicDetails", *_basic_details(pupils, left)),
        _inside("FSMhistory", _inside("FSMinstance", *_while(text(pupils, "fsm") == "true", "FSM", admitted, left))),
        _inside("LookedAfter", _tag("InCare", text(pupils, "looked_after"))),
        _tag("ServiceChild", text(pupils, "service_child")),
        _inside("SENhistory", _only(_inside("SEN", *support), needs)),
        _inside("SENneeds", need),
        _inside("Address", *_address(home)),
        _inside("Phones", _phone(text(pupils, "phone"))),
        _tag("Email", text(pupils, "email")),
        _inside("Contacts", _gathered(pupils, *_contacts(tables))),
        _inside("Attendance", _gathered(pupils, *_attendance(tables, pupils, school))),
        _inside("StageAssessments", _gathered(pupils, *_assessments(tables, pupils, this_year))),
        _inside("SchoolHistory", _inside("School", *entry, *stay)),
    ]
    return pl.DataFrame({"school_id": pupils["school_id"], "xml": _inside("Pupil", *sections)})


def _basic_details(pupils: pl.DataFrame, left: pl.Series) -> list[pl.Series]:
    year = whole(pupils, "year_group")
    status = left.is_null().cast(pl.String).replace_strict({"true": "C", "false": None}, return_dtype=pl.String)
    spoken = text(pupils, "first_language")
    language = _tag("Type", _where(spoken, "F")), _tag("Language", spoken)
    return [
        _tag("PreferredSurname", text(pupils, "surname")),
        _tag("PreferredForename", text(pupils, "preferred_forename")),
        _tag("MiddleNames", text(pupils, "middle_name")),
        _tag("NCyearActual", year.cast(pl.String).set(year == 0, "R").set(year < 0, "N2")),
        _tag("Ethnicity", text(pupils, "ethnicity")),
        _inside("Languages", _inside("NativeLanguage", *language)),
        _tag("MedicalFlag", text(pupils, "medical_condition").is_not_null().cast(pl.String)),
        _tag("EnrolStatus", status),
    ]


def _address(home: pl.DataFrame) -> list[pl.Series]:
    return [_tag("AddressLine1", text(home, "address_line")), _tag("PostCode", text(home, "postcode"))]


def _phone(number: pl.Series) -> pl.Series:
    return _inside("Phone", _tag("TelephoneType", _where(number, "M")), _tag("PhoneNo", number))


def _contacts(tables: Mapping[str, pl.DataFrame]) -> tuple[pl.Series, pl.Series]:
    """Whose, and the contact; in order of priority."""
    links = tables["pupil_guardians"].join(tables["guardians"], on="guardian_id", how="semi", maintain_order="left")
    links = links.sort("priority", maintain_order=True) if "priority" in links.columns else links
    who = beside(links, tables["guardians"], "guardian_id")
    home = beside(who.with_columns(pl.col("household_id").cast(pl.String)), tables["households"], "household_id")
    contact = _inside(
        "Contact",
        _tag("Order", text(links, "priority")),
        _tag("Title", text(who, "title")),
        _tag("Surname", text(who, "surname")),
        _tag("Forename", text(who, "forename")),
        _tag("Relationship", text(links, "relationship").replace(_KIN)),
        _inside("Address", *_address(home)),
        _inside("Phones", _phone(text(who, "phone"))),
        _tag("Email", text(who, "email")),
    )
    return links["pupil_id"], contact


def _attendance(
    tables: Mapping[str, pl.DataFrame], pupils: pl.DataFrame, school: pl.DataFrame
) -> tuple[pl.Series, pl.Series]:
    rows = table(tables, "attendance", ("pupil_id", "academic_year"))
    here = beside(rows, pl.DataFrame({"pupil_id": pupils["pupil_id"], "laestab": school["laestab"]}), "pupil_id")
    possible, absent = whole(rows, "sessions_possible"), whole(rows, "sessions_absent")
    unauthorised = whole(rows, "sessions_unauthorised")
    year = _inside(
        "YearData",
        _tag("Year", _year(rows).cast(pl.String)),
        _tag("LEA", here["laestab"].str.head(3)),
        _tag("Estab", here["laestab"].str.slice(3)),
        _tag("SessionsPossible", possible.cast(pl.String)),
        _tag("SessionsAttended", (possible - absent).cast(pl.String)),
        _tag("SessionsAuthorised", (absent - unauthorised).cast(pl.String)),
        _tag("SessionsUnauthorised", unauthorised.cast(pl.String)),
    )
    return rows["pupil_id"], year


def _assessments(
    tables: Mapping[str, pl.DataFrame], pupils: pl.DataFrame, this_year: int
) -> tuple[pl.Series, pl.Series]:
    """Whose, and the key stage's results; the stage is that of the year the child was in then."""
    rows = table(tables, "assessments", ("pupil_id", "academic_year", "term", "subject", "point"))
    now = pl.DataFrame({"pupil_id": pupils["pupil_id"], "year_group": whole(pupils, "year_group")})
    ends = _year(rows)
    then = whole(beside(rows, now, "pupil_id"), "year_group") - (this_year - ends)
    subject = text(rows, "subject")
    known = {name: codes[0] for name, codes in _SUBJECTS.items()}
    result = _inside(
        "StageAssessment",
        _tag("Locale", _where(subject, "ENG")),
        _tag("Year", ends.cast(pl.String)),
        _tag("Subject", subject.replace(known)),
        _tag("Method", _where(subject, "TA")),
        _tag("Component", subject.replace({name: codes[1] for name, codes in _SUBJECTS.items()})),
        _tag("ResultStatus", _where(subject, "R")),
        _tag("Result", text(rows, "point")),
        _tag("ResultDate", _term_ends(ends, text(rows, "term"))),
    )
    by_stage = pl.DataFrame({"pupil_id": rows["pupil_id"], "stage": _stage(then), "xml": result})
    joined = by_stage.group_by("pupil_id", "stage", maintain_order=True).agg(pl.col("xml").str.join(""))
    return joined["pupil_id"], _inside("KeyStage", _tag("Stage", joined["stage"]), joined["xml"])


def _year(rows: pl.DataFrame) -> pl.Series:
    """The year in which the school year ends: 2026 for 2025/26."""
    return text(rows, "academic_year").str.head(4).cast(pl.Int64, strict=False) + 1


def _term_ends(ends: pl.Series, term: pl.Series) -> pl.Series:
    year = ends.zip_with(term != "autumn", ends - 1)
    return year.cast(pl.String) + "-" + term.replace_strict(_ENDS, default=None, return_dtype=pl.String)


def _stage(year: pl.Series) -> pl.Series:
    stage = pl.DataFrame({"year": year}).select(
        pl.when(pl.col("year") < 1).then(pl.lit("EYF"))
        .when(pl.col("year") < 3).then(pl.lit("KS1"))
        .when(pl.col("year") < 7).then(pl.lit("KS2"))
        .when(pl.col("year") < 10).then(pl.lit("KS3"))
        .when(pl.col("year") < 12).then(pl.lit("KS4"))
        .otherwise(pl.lit("KS5"))
    )  # fmt: skip
    return stage.to_series()


def _gathered(pupils: pl.DataFrame, whose: pl.Series, xml: pl.Series) -> pl.Series:
    """The elements of each pupil one after the other, one entry a pupil."""
    rows = pl.DataFrame({"pupil_id": whose, "xml": xml})
    of = rows.group_by("pupil_id", maintain_order=True).agg(pl.col("xml").str.join(""))
    return beside(pupils, of, "pupil_id")["xml"].fill_null("")


def _while(holds: pl.Series, prefix: str, since: pl.Series, until: pl.Series) -> Sequence[pl.Series]:
    spans = (_tag(f"{prefix}startDate", since), _tag(f"{prefix}endDate", until))
    return [_only(span, holds) for span in spans]


def _where(given: pl.Series, word: str) -> pl.Series:
    """The word wherever there is a value."""
    return pl.Series([word]).new_from_index(0, len(given)).set(given.is_null(), None)


def _only(xml: pl.Series, holds: pl.Series) -> pl.Series:
    return xml.set(~holds.fill_null(False), "")


def _inside(name: str, *parts: pl.Series) -> pl.Series:
    """The parts within one element; nothing where all are empty."""
    joined = reduce(add, parts)
    return (f"<{name}>" + joined + f"</{name}>").set(joined == "", "")


def _tag(name: str, values: pl.Series) -> pl.Series:
    """An element with this text; nothing where there is none."""
    return (f"<{name}>" + _escaped(values) + f"</{name}>").fill_null("")


def _escaped(values: pl.Series) -> pl.Series:
    for mark, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        values = values.str.replace_all(mark, written, literal=True)
    return values.str.replace_all("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ufffe\uffff]", "")  # no XML may hold these
