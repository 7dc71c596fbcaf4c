"""What a town's tables tell of its pupils, classes and schools: the columns that targets name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl

from otrack_risk.synth.certificate.sought import SEXES, YEARS, births

NAME = ("sex", "born", "forename")  # what a name is counted by


def frames(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Pupils, classes and schools with the columns that targets name."""
    if "pupils" not in tables:
        return {}
    people = _people(tables)
    out = {"pupils": people}
    heads = people.filter(pl.col("on_roll"))
    if "classes" in tables and "class_id" in people.columns:
        infants = pl.when(pl.col("year_group") <= 2).then(pl.lit("infant")).otherwise(pl.lit("older"))
        sizes = heads.group_by("class_id").len("pupils")
        each = tables["classes"].with_columns(stage=infants).join(sizes, on="class_id").group_by("school_id", "stage")
        out["classes"] = each.agg(pl.col("pupils").sum(), classes=pl.len())
    if "schools" in tables and "school_id" in people.columns:
        size = heads.group_by("school_id").len("pupils")
        out["schools"] = tables["schools"].join(size, on="school_id").with_columns(small=pl.col("pupils") < 100)
    return out


def _people(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """One row a pupil, with whatever the tables tell of it."""
    pupils = tables["pupils"]
    has = set(pupils.columns)
    left = pl.col("left_on").is_null() if "left_on" in has else pl.lit(True)
    pupils = pupils.with_columns(on_roll=left)
    if "schools" in tables and "school_id" in has:
        pupils = pupils.join(tables["schools"].select("school_id", "phase"), on="school_id", how="left")
    if "year_group" in has:
        pupils = pupils.with_columns(age=pl.col("year_group").cast(pl.Int32) + 4)  # on 31 August before the year
    if "ethnicity" in has:
        code = pl.col("ethnicity")
        pupils = pupils.with_columns(ethnicity_known=~code.is_in(["REFU", "NOBT"]), white_british=code == "WBRI")
    if "first_language" in has:
        pupils = pupils.with_columns(english=pl.col("first_language") == "ENG")
    if {"fsm", "looked_after"} <= has:
        pupils = pupils.with_columns(premium_due=pl.col("fsm") | pl.col("looked_after"))
    if "date_of_birth" in has:
        day = pl.col("date_of_birth").dt
        pupils = pupils.with_columns(
            birth_month=day.month().cast(pl.Int32), born=day.year().cast(pl.Int32)
        ).with_columns(entry=pl.col("born") + pl.when(pl.col("birth_month") >= 9).then(5).otherwise(4))
    if {"date_of_birth", "household_id"} <= has:
        first = pl.col("date_of_birth").min().over("household_id")
        pupils = pupils.with_columns(older_sibling=pl.col("date_of_birth") > first)
    if {"date_of_birth", "sex", "forename"} <= has:
        pupils = pupils.join(_ranks(), on=list(NAME), how="left").with_columns(
            pl.when(pl.col("born").is_in(list(YEARS))).then(pl.col("place").fill_null(999)).alias("place")
        )
        place = pl.col("place")
        pupils = pupils.with_columns(top_10=place <= 10, top_100=place <= 100, listed=place < 999)
    for extra in (_absence(tables), _points(tables, pupils), _second_addresses(tables)):
        if extra is not None:
            pupils = pupils.join(extra, on="pupil_id", how="left")
    if "second_address" in pupils.columns:
        pupils = pupils.with_columns(pl.col("second_address").fill_null(False))
    return pupils


def _absence(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
    """The last year of each pupil."""
    if "attendance" not in tables:
        return None
    last = pl.col("academic_year") == pl.col("academic_year").max().over("pupil_id")
    missed, of = pl.col("sessions_absent").cast(pl.Int64), pl.col("sessions_possible").cast(pl.Int64)
    return (
        tables["attendance"]
        .filter(last & (of > 0))
        .group_by("pupil_id")
        .agg(missed.sum(), of.sum())
        .with_columns(persistent=missed * 10 >= of)
    )


def _points(tables: Mapping[str, pl.DataFrame], pupils: pl.DataFrame) -> pl.DataFrame | None:
    """Whether each pupil reached 100 points at its last point in Year 6; None in a subject that it has no point in."""
    if "assessments" not in tables or not {"entry", "phase"} <= set(pupils.columns):
        return None
    years = tables["assessments"].select(pl.col("academic_year").unique())
    in_year_6 = (
        pupils.filter(pl.col("phase") == "primary")
        .select("pupil_id", begun=pl.col("entry") + 6)
        .join(years.with_columns(begun=pl.col("academic_year").str.head(4).cast(pl.Int32)), on="begun")
    )
    term = pl.col("term").replace_strict({"autumn": 0, "spring": 1, "summer": 2}, default=0, return_dtype=pl.Int32)
    subjects = ("reading", "maths", "writing")
    latest = term * 1000 + pl.col("point")  # of which the highest is that of the last term
    reached = pl.col(*subjects) % 1000 >= 100
    return (
        tables["assessments"]
        .join(in_year_6, on=["pupil_id", "academic_year"])
        .filter(pl.col("subject").is_in(subjects))
        .select("pupil_id", *(pl.when(pl.col("subject") == one).then(latest).alias(one) for one in subjects))
        .group_by("pupil_id")
        .agg(pl.col(*subjects).max())
        .with_columns(reached)
        .with_columns(
            all_three=pl.when(pl.all_horizontal(pl.col(*subjects).is_not_null())).then(pl.all_horizontal(*subjects))
        )
    )


def _second_addresses(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame | None:
    """Pupils with a contact who lives elsewhere, at an address of the household table."""
    links, guardians = tables.get("pupil_guardians"), tables.get("guardians")
    if links is None or guardians is None or "lives_with_pupil" not in links.columns:
        return None
    home = tables["pupils"].select("pupil_id", home="household_id")
    return (
        links.filter(~pl.col("lives_with_pupil"))
        .join(guardians.select("guardian_id", "household_id"), on="guardian_id")
        .join(home, on="pupil_id")
        .filter(pl.col("household_id") != pl.col("home"))
        .select(pl.col("pupil_id").unique())
        .with_columns(second_address=pl.lit(True))
    )


@cache
def _ranks() -> pl.DataFrame:
    """Sex, year of birth, first name, and its place among the names given to that sex in that year."""
    given = [(sex, year, name, share) for sex in SEXES for year, name, share in births(sex)]
    frame = pl.DataFrame(given, schema=["sex", "born", "forename", "share"], orient="row")
    place = pl.col("share").rank("ordinal", descending=True).over("sex", "born")
    return frame.select(pl.col("sex"), pl.col("born").cast(pl.Int32), pl.col("forename"), place.alias("place"))
