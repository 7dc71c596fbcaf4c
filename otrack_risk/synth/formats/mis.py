"""CSV as a school's own system writes it: dd/mm/yyyy, T and F, one row a pupil.

``target_tracker.csv`` has the columns of that tracker's import template; ``sims.csv`` those of a public map of SIMS's
interface, with the school's number at the end; ``contacts.csv`` who answers for each pupil, one row a pupil and
contact. Whether a child is "gifted" is not kept in this world, and the column is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from otrack_risk.synth.formats.columns import beside, laestab, nothing, table, text, whole
from otrack_risk.synth.presets import Preset

_FILES = ("target_tracker", "sims", "contacts")


class Mis:
    """Three CSV files in the folder."""

    def __init__(self, folder: Path, plan: Preset, seed: int) -> None:
        self.folder, self.plan = folder, plan
        self.begun = False

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """One town's tables."""
        pupils = tables["pupils"]
        home = beside(pupils, tables["households"], "household_id")
        self._write("target_tracker", _target_tracker(pupils, home, tables))
        self._write("sims", _sims(pupils, home, tables["schools"]))
        self._write("contacts", _contacts(tables))
        self.begun = True

    def close(self) -> None:
        """Give the files their names."""
        for name in _FILES if self.begun else ():
            self._part(name).replace(self.folder / f"{name}.csv")

    def _part(self, name: str) -> Path:
        return self.folder / f".{name}.csv.part"

    def _write(self, name: str, columns: Mapping[str, pl.Series]) -> None:
        frame = pl.DataFrame([values.cast(pl.String).alias(column) for column, values in columns.items()])
        with self._part(name).open("ab" if self.begun else "wb") as file:
            frame.write_csv(file, include_header=not self.begun, line_terminator="\r\n")


def _english(frame: pl.DataFrame, name: str) -> pl.Series:
    return text(frame, name, day="%d/%m/%Y", truth=("T", "F"))


def _target_tracker(
    pupils: pl.DataFrame, home: pl.DataFrame, tables: Mapping[str, pl.DataFrame]
) -> dict[str, pl.Series]:
    classes = tables["classes"].select(pl.col("class_id").cast(pl.String), "name")
    attendance = table(tables, "attendance", ("pupil_id", "academic_year")).sort(
        "academic_year", descending=True, maintain_order=True
    )
    latest = beside(pupils, attendance, "pupil_id")
    unauthorised = whole(latest, "sessions_unauthorised")
    return {
        "UPN": text(pupils, "upn"),
        "Surname": text(pupils, "surname"),
        "Forename": text(pupils, "forename"),
        "DOB": _english(pupils, "date_of_birth"),
        "Gender": text(pupils, "sex"),
        "DOA": _english(pupils, "admitted_on"),
        "Eligible for free meals": _english(pupils, "fsm"),
        "Mother tongue code": text(pupils, "first_language"),
        "Ethnicity": text(pupils, "ethnicity"),
        "SEN Status code": text(pupils, "sen_provision"),
        "Reg": beside(pupils, classes, "class_id")["name"],
        "Year": _year(pupils),
        "Postcode": text(home, "postcode"),
        "In LEA Care": _english(pupils, "looked_after"),
        "Gifted": nothing(pupils.height),
        "Possible": whole(latest, "sessions_possible"),
        "Authorised absences": whole(latest, "sessions_absent") - unauthorised,
        "Unauthorised absences": unauthorised,
    }


def _sims(pupils: pl.DataFrame, home: pl.DataFrame, schools: pl.DataFrame) -> dict[str, pl.Series]:
    language = text(pupils, "first_language")
    eal = (language != "ENG").cast(pl.String).replace_strict({"true": "T", "false": "F"}, return_dtype=pl.String)
    called = text(pupils, "preferred_forename")
    here = pl.DataFrame({"school_id": schools["school_id"], "laestab": laestab(schools)})
    status = pl.Series(["C"]).new_from_index(0, pupils.height)
    gone = text(pupils, "left_on").is_not_null()
    return {
        "LearnerId": pupils["pupil_id"],
        "LearnerCode": pupils["pupil_id"].str.replace_all(r"\D", ""),
        "Forename": called.zip_with(called.is_not_null(), text(pupils, "forename")),
        "LegalForename": text(pupils, "forename"),
        "MiddleName": text(pupils, "middle_name"),
        "Surname": text(pupils, "surname"),
        "LegalSurname": text(pupils, "surname"),
        "FormerSurname": nothing(pupils.height),
        "Gender": text(pupils, "sex"),
        "Year": _year(pupils),
        "DateOfBirth": _english(pupils, "date_of_birth"),
        "UPN": text(pupils, "upn"),
        "FormerUPN": nothing(pupils.height),
        "ULN": text(pupils, "uln"),
        "EAL": eal,
        "Ethnicity": text(pupils, "ethnicity"),
        "ServiceChild": _english(pupils, "service_child"),
        "IsLookedAfterorAdoptedFromCare": _english(pupils, "looked_after"),
        "SENProvision": text(pupils, "sen_provision"),
        "EnrolmentStatus": status.set(gone, None),  # C: at this school; a leaver has no status of the code set
        "AddressLine": text(home, "address_line"),
        "Postcode": text(home, "postcode"),
        "DateOfEntry": _english(pupils, "admitted_on"),
        "DateOfLeaving": _english(pupils, "left_on"),
        "LAESTAB": beside(pupils, here, "school_id")["laestab"],
    }


def _contacts(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.Series]:
    links = tables["pupil_guardians"].join(tables["guardians"], on="guardian_id", how="semi", maintain_order="left")
    who = beside(links, tables["guardians"], "guardian_id")
    home = beside(who.with_columns(pl.col("household_id").cast(pl.String)), tables["households"], "household_id")
    upn = tables["pupils"].select("pupil_id", "upn") if "upn" in tables["pupils"].columns else None
    return {
        "LearnerId": links["pupil_id"],
        "UPN": nothing(links.height) if upn is None else text(beside(links, upn, "pupil_id"), "upn"),
        "Priority": text(links, "priority"),
        "Relationship": text(links, "relationship"),
        "Title": text(who, "title"),
        "Forename": text(who, "forename"),
        "Surname": text(who, "surname"),
        "Phone": text(who, "phone"),
        "Email": text(who, "email"),
        "AddressLine": text(home, "address_line"),
        "Postcode": text(home, "postcode"),
        "LivesWithPupil": _english(links, "lives_with_pupil"),
    }


def _year(pupils: pl.DataFrame) -> pl.Series:
    year = whole(pupils, "year_group")
    return year.cast(pl.String).set(year == 0, "R").set(year < 0, "N2")
