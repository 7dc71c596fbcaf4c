"""OneRoster CSV, 1.1 and 1.2: one ZIP of tables that name each other by ``sourcedId``.

Files, columns and their order are those of IMS OneRoster 1.1 and of the CSV binding 1.2.1 (22 August 2023). What
England asks and the standard has no column for stands in 1.2 under ``metadata.``; 1.1 has no such place and keeps the
UPN and ULN in ``userIds``. An English year group is written as the American grade of the same age: Reception PK, Year 1
KG, Year 2 01. Race is written where an English code says the same, and is else left empty.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from otrack_risk.synth.formats.columns import beside, dates, kinship, laestab, nothing, table, text, whole
from otrack_risk.synth.formats.oneroster_words import (
    ABSENT,
    ABSENT_12,
    COMMON,
    METADATA,
    TABLES,
    TABLES_12,
    grades,
    races,
    year_words,
)
from otrack_risk.synth.presets import Preset

NAME = "oneroster.zip"
_DAY = (1980, 1, 1, 0, 0, 0)  # the earliest date that a ZIP can bear
_DISTRICT = "D1"
_TEACHERS = ("class_teacher", "teacher", "supply_teacher", "subject_teacher", "head_of_year", "head_of_department")
_AIDES = ("ta", "teaching_assistant", "hlta", "cover_supervisor")


class OneRoster:
    """OneRoster 1.1: ``oneroster.zip`` in the folder, everything in bulk."""

    version = "1.1"

    def __init__(self, folder: Path, plan: Preset, seed: int) -> None:
        self.folder, self.plan, self.seed = folder, plan, seed
        newer = self.version == "1.2"
        self.columns = {name: [*COMMON, *of.split()] for name, of in (TABLES_12 if newer else TABLES).items()}
        self.absent = ABSENT_12 if newer else ABSENT
        for name, columns in self.columns.items():
            self._part(name).write_bytes((",".join(columns) + "\r\n").encode())
        self._write("academicSessions", _sessions(plan.now))
        title = "SYNTHETIC: invented schools"
        self._write("orgs", {"sourcedId": pl.Series([_DISTRICT]), "name": title, "type": "district"})

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """One town's tables; those that OneRoster has no place for are passed over."""
        schools = tables["schools"]
        self._write(
            "orgs",
            {
                "sourcedId": schools["school_id"],
                "name": text(schools, "name"),
                "type": "school",
                "identifier": laestab(schools),
                "parentSourcedId": _DISTRICT,
            },
        )
        self._write_classes(tables["classes"])
        logins = table(tables, "accounts", ("account", "person_id")).select("person_id", "account").drop_nulls()
        links = tables["pupil_guardians"]
        links = links.join(tables["guardians"], on="guardian_id", how="semi", maintain_order="left").join(
            tables["pupils"], on="pupil_id", how="semi", maintain_order="left"
        )
        self._write_pupils(tables["pupils"], links, logins)
        self._write_guardians(tables["guardians"], links, tables["pupils"], logins)
        self._write_staff(tables["staff"], logins)
        self._write_enrolments(tables)

    def close(self) -> None:
        """Pack the parts; the same world makes the same bytes."""
        present = dict.fromkeys(self.absent, "absent") | dict.fromkeys(self.columns, "bulk")
        manifest = [("manifest.version", "1.0"), ("oneroster.version", self.version)]
        manifest += [(f"file.{name}", present[name]) for name in sorted(present, key=str.lower)]
        manifest += [
            ("source.systemName", "otrack-risk synth (SYNTHETIC)"),
            ("source.systemCode", f"{self.plan.name}-{self.seed}"),
        ]
        lines = "".join(f"{name},{value}\r\n" for name, value in [("propertyName", "value"), *manifest])
        whole_file = self.folder / f".{NAME}.part"
        with zipfile.ZipFile(whole_file, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr(_entry("manifest"), lines.encode())
            for name in self.columns:
                with self._part(name).open("rb") as part, package.open(_entry(name), "w", force_zip64=True) as packed:
                    shutil.copyfileobj(part, packed, 1 << 20)
        whole_file.replace(self.folder / NAME)
        for name in self.columns:
            self._part(name).unlink()

    def _part(self, name: str) -> Path:
        return self.folder / f".{name}.csv.part"

    def _write(self, name: str, given: Mapping[str, pl.Series | str]) -> None:
        """Append rows; a column that is not given is empty, a word stands in every row."""
        height = len(next(each for each in given.values() if isinstance(each, pl.Series)))
        columns = []
        for column in self.columns[name]:
            values = given.get(column)
            if not isinstance(values, pl.Series):
                values = nothing(height) if values is None else pl.Series([values]).new_from_index(0, height)
            columns.append(values.cast(pl.String).alias(column))
        with self._part(name).open("ab") as file:
            pl.DataFrame(columns).write_csv(file, include_header=False, line_terminator="\r\n")

    def _write_classes(self, classes: pl.DataFrame) -> None:
        """Registration groups; a course is a year group of a school, since a school here keeps no timetable."""
        year = whole(classes, "year_group")
        title = year_words(year)
        course = classes["school_id"] + "-Y" + year.cast(pl.String).fill_null("x")
        places = course.is_first_distinct()
        courses = {
            "sourcedId": course,
            "title": title,
            "courseCode": "Y" + year.cast(pl.String),
            "grades": grades(year),
            "orgSourcedId": classes["school_id"],
        }
        year_id = f"SY{self.plan.now}"
        self._write(
            "courses", {**{name: each.filter(places) for name, each in courses.items()}, "schoolYearSourcedId": year_id}
        )
        self._write(
            "classes",
            {
                "sourcedId": classes["class_id"],
                "title": text(classes, "name"),
                "grades": grades(year),
                "courseSourcedId": course,
                "classCode": text(classes, "name"),
                "classType": "homeroom",
                "schoolSourcedId": classes["school_id"],
                "termSourcedIds": ",".join(f"{year_id}-T{term}" for term in (1, 2, 3)),
            },
        )

    def _write_pupils(self, pupils: pl.DataFrame, links: pl.DataFrame, logins: pl.DataFrame) -> None:
        of = links.group_by("pupil_id", maintain_order=True).agg(pl.col("guardian_id").str.join(","))
        year, left = whole(pupils, "year_group"), dates(pupils, "left_on")
        sex = text(pupils, "sex").replace_strict({"F": "female", "M": "male"}, default=None, return_dtype=pl.String)
        self._write_users(
            pupils,
            "pupil_id",
            "student",
            logins,
            orgs=pupils["school_id"],
            identifier=text(pupils, "upn"),
            userIds=_user_ids(text(pupils, "upn"), text(pupils, "uln")),
            enabledUser=(left.is_null() | (left > self.plan.as_of)).cast(pl.String),
            agentSourcedIds=beside(pupils, of, "pupil_id")["guardian_id"],
            grades=grades(year),
            preferredGivenName=text(pupils, "preferred_forename"),
            **{name: text(pupils, column) for name, column in METADATA.items()},
        )
        demographics = {"sourcedId": pupils["pupil_id"], "birthDate": text(pupils, "date_of_birth"), "sex": sex}
        self._write("demographics", {**demographics, **races(text(pupils, "ethnicity"))})

    def _write_guardians(
        self, guardians: pl.DataFrame, links: pl.DataFrame, pupils: pl.DataFrame, logins: pl.DataFrame
    ) -> None:
        school = links.select("pupil_id", "guardian_id", "relationship").join(
            pupils.select("pupil_id", "school_id").unique("pupil_id", maintain_order=True), on="pupil_id", how="left"
        )
        of = school.group_by("guardian_id", maintain_order=True).agg(
            pl.col("pupil_id").str.join(","),
            pl.col("school_id").unique(maintain_order=True).str.join(","),
            pl.col("relationship").first(),
        )
        theirs = beside(guardians, of, "guardian_id")
        self._write_users(
            guardians,
            "guardian_id",
            kinship(theirs["relationship"]),
            logins,
            orgs=theirs["school_id"].fill_null(_DISTRICT),
            identifier=guardians["guardian_id"],
            sms=text(guardians, "phone"),
            agentSourcedIds=theirs["pupil_id"],
        )

    def _write_staff(self, staff: pl.DataFrame, logins: pl.DataFrame) -> None:
        job = text(staff, "job").fill_null("")
        ended = dates(staff, "ended_on")
        newer = {"headteacher": "principal"} if self.version == "1.2" else {}
        other = "siteAdministrator" if self.version == "1.2" else "administrator"
        words = dict.fromkeys(_TEACHERS, "teacher") | dict.fromkeys(_AIDES, "aide") | newer
        self._write_users(
            staff,
            "staff_id",
            job.replace_strict(words, default=other, return_dtype=pl.String),
            logins,
            orgs=text(staff, "school_id").fill_null(_DISTRICT),
            identifier=staff["staff_id"],
            enabledUser=(ended.is_null() | (ended > self.plan.as_of)).cast(pl.String),
            since=dates(staff, "started_on"),
            until=ended,
        )

    def _write_users(
        self,
        people: pl.DataFrame,
        key: str,
        role: pl.Series | str,
        logins: pl.DataFrame,
        *,
        orgs: pl.Series,
        since: pl.Series | None = None,
        until: pl.Series | None = None,
        **given: pl.Series,
    ) -> None:
        ids = people[key]
        login = beside(people, logins.rename({"person_id": key}), key)["account"]
        users: dict[str, pl.Series | str] = {
            "sourcedId": ids,
            "enabledUser": "true",
            "orgSourcedIds": orgs,
            "role": role,
            "username": login.zip_with(login.is_not_null(), ids.str.to_lowercase()),
            "givenName": text(people, "forename"),
            "familyName": text(people, "surname"),
            "middleName": text(people, "middle_name"),
            "email": text(people, "email"),
            "phone": text(people, "phone"),
            "primaryOrgSourcedId": orgs.str.replace(",.*", ""),
            **given,
        }
        self._write("users", users)
        if self.version == "1.2":
            spread = pl.DataFrame(
                {
                    "user": ids,
                    "org": orgs.str.split(","),
                    "role": pl.Series([role]).new_from_index(0, len(ids)) if isinstance(role, str) else role,
                    "since": text(pl.DataFrame({"day": since}), "day") if since is not None else nothing(len(ids)),
                    "until": text(pl.DataFrame({"day": until}), "day") if until is not None else nothing(len(ids)),
                }
            ).explode("org")
            first = spread["user"].is_first_distinct()
            self._write(
                "roles",
                {
                    "sourcedId": "R-" + spread["user"] + "-" + spread["org"],
                    "userSourcedId": spread["user"],
                    "roleType": first.cast(pl.String).replace_strict({"true": "primary", "false": "secondary"}),
                    "role": spread["role"],
                    "beginDate": spread["since"],
                    "endDate": spread["until"],
                    "orgSourcedId": spread["org"],
                },
            )

    def _write_enrolments(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Who is in which class this school year, and who teaches it."""
        classes = tables["classes"].select("class_id", class_school="school_id").unique("class_id", maintain_order=True)
        pupils, staff = tables["pupils"], tables["staff"]
        inside = pl.DataFrame(
            {
                "user": pupils["pupil_id"],
                "class_id": text(pupils, "class_id"),
                "since": dates(pupils, "admitted_on"),
                "until": dates(pupils, "left_on"),
            }
        ).join(classes, on="class_id", how="inner", maintain_order="left")
        self._write_enrolled(inside, "student", "false")
        held = pl.DataFrame(
            {
                "staff_id": staff["staff_id"],
                "since": dates(staff, "started_on"),
                "until": dates(staff, "ended_on"),
            }
        ).unique("staff_id", maintain_order=True)
        taught = (
            table(tables, "staff_classes", ("staff_id", "class_id"))
            .select("staff_id", "class_id")
            .unique(maintain_order=True)
        )
        taught = taught.join(held, on="staff_id", how="inner", maintain_order="left").join(
            classes, on="class_id", how="inner", maintain_order="left"
        )
        main = taught["class_id"].is_first_distinct().cast(pl.String)
        self._write_enrolled(taught.rename({"staff_id": "user"}), "teacher", main)

    def _write_enrolled(self, rows: pl.DataFrame, role: str, primary: pl.Series | str) -> None:
        start = date(self.plan.now, 9, 1)
        since = pl.max_horizontal(pl.col("since").fill_null(start), pl.lit(start))
        rows = rows.with_columns(since=pl.min_horizontal(since, "until"))
        self._write(
            "enrollments",
            {
                "sourcedId": "E-" + rows["class_id"] + "-" + rows["user"],
                "classSourcedId": rows["class_id"],
                "schoolSourcedId": rows["class_school"],
                "userSourcedId": rows["user"],
                "role": role,
                "primary": primary,
                "beginDate": text(rows, "since"),
                "endDate": text(rows, "until"),
            },
        )


class OneRoster12(OneRoster):
    """OneRoster 1.2: roles of their own, and what England asks under ``metadata.``."""

    version = "1.2"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{name}.csv", _DAY)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _sessions(now: int) -> dict[str, pl.Series | str]:
    """The school year from 1 September to 31 August and its terms by whole months; no school's own dates are known."""
    year, end = f"SY{now}", now + 1
    spans = [
        (year, f"{now}/{end % 100:02}", "schoolYear", f"{now}-09-01", f"{end}-08-31", None),
        (f"{year}-T1", f"Autumn {now}", "term", f"{now}-09-01", f"{now}-12-31", year),
        (f"{year}-T2", f"Spring {end}", "term", f"{end}-01-01", f"{end}-03-31", year),
        (f"{year}-T3", f"Summer {end}", "term", f"{end}-04-01", f"{end}-08-31", year),
    ]
    names: Sequence[str] = ("sourcedId", "title", "type", "startDate", "endDate", "parentSourcedId")
    columns = zip(names, zip(*spans, strict=True), strict=True)
    return {name: pl.Series(values, dtype=pl.String) for name, values in columns} | {"schoolYear": str(end)}


def _user_ids(upn: pl.Series, uln: pl.Series) -> pl.Series:
    both = pl.DataFrame({"upn": "{UPN:" + upn + "}", "uln": "{ULN:" + uln + "}"})
    joined = both.select(pl.concat_str("upn", "uln", separator=",", ignore_nulls=True)).to_series()
    return joined.set(joined == "", None)
