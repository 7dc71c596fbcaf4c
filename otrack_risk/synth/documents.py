"""Documents as schools keep them: nothing but file names, sizes and dates, and what the names alone give away."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import polars as pl

from otrack_risk.synth.draw import Chance, normal, numbers
from otrack_risk.synth.images import SPANS
from otrack_risk.synth.targets import assumptions
from otrack_risk.synth.town import Town

# How a file of each kind is called: {column}, and [LABEL:what is to be found]. CALLED is the forename in use, which is
# a NICKNAME where it is not the one on the register. Every label stands before the suffix.
CALLED: Mapping[str, str] = {
    "ehcp_review": "[SEND:EHCP]_Review_[PERSON:{surname}]_[INITIALS:{initial}]_{year}.docx",
    "sen_support_plan": "[SEND:SEN support] plan [CALLED:{called}] [PERSON:{surname}] {term} {year}.docx",
    "care_plan": "Care plan [CALLED:{called}] [PERSON:{surname}] - [HEALTH:{condition}].docx",
    "safeguarding_chronology": "[SAFEGUARDING:Safeguarding] chronology [INITIALS:{initials}] CONFIDENTIAL.docx",
    "trip_consent": "Trip consent [CALLED:{called}] [PERSON:{surname}] {month}.pdf",
    "passport_scan": "Passport_[PERSON:{capitals}]_[PERSON:{forename}].pdf",
    "attendance_letter": "Attendance letter [PERSON:{surname}] [INITIALS:{initial}] {day}.docx",
    "transfer_form": "Transfer form [UPN:{upn}].pdf",
    "class_list": "class list [CLASS:{class}] {school_year}.xlsx",
    "seating_plan": "Seating plan [CLASS:{class}] {term}.xlsx",
    "trip_list": "Trip list [CLASS:{class}] {month}.xlsx",
    "sen_register": "SEN register [SCHOOL:{school}] {school_year}.xlsx",
    "single_central_record": "Single central record [SCHOOL:{school}] {year}.xlsx",
    "staff_contract": "Contract_[PERSON:{surname}]_[PERSON:{forename}].pdf",
    "return_to_work": "Return to work [INITIALS:{initials}] {day}.docx",
}
_OF: Mapping[str, pl.Expr] = {
    "all": pl.lit(True),
    "plan": pl.col("sen_provision") == "E",
    "support": pl.col("sen_provision") == "K",
    "condition": pl.col("medical_condition").is_not_null(),
}


def make_documents(chance: Chance, town: Town) -> dict[str, pl.DataFrame]:
    """The documents of one town and the truth about their file names.

    A document is about one child (``pupil_id``) or about a class, a school or a member of staff (none). How many
    there are of each kind is assumed: ``[[document]]`` of ``synth_assumed.toml``. Two files of one name in a school
    are told apart as a computer does it, by " (2)". A document's key begins with the number of the child, class,
    member of staff or school that it is about, and ends in two digits for its kind.

    Returns
    -------
    ``documents`` (document_id, pupil_id, file_name, kind, bytes, created_on), in order of document_id, and
    ``spans`` of their file names
    """
    owners = {about: owners(town) for about, owners in _OWNERS.items()}
    made, spans = [], []
    for number, kind in enumerate(assumptions("document"), start=1):
        held = owners[kind["about"]].filter(_OF[kind["of"]])
        what = f"documents.{kind['kind']}"
        held = held.filter(pl.Series(chance.of(what, numbers(held["owner"])) < kind["share"], dtype=pl.Boolean))
        rows, truth = _files(chance, what, held, kind["about"], CALLED[kind["kind"]])
        size = kind["bytes"] * np.exp(0.5 * normal(chance.of(f"{what}.bytes", numbers(held["owner"]))))
        document = "D" + rows["owner"].str.replace_all(r"\D", "") + f"{number:02d}"
        made.append(
            rows.select(
                document.alias("document_id"),
                "pupil_id",
                "school_id",
                "file_name",
                pl.lit(kind["kind"]).alias("kind"),
                pl.Series("bytes", np.rint(size).astype(np.int32)),
                "created_on",
            )
        )
        spans += [each.with_columns(row=document.gather(each["place"])) for each in truth]
    documents = _told_apart(pl.concat(made).sort("document_id"))
    found = pl.concat(spans).with_columns(table=pl.lit("documents"), column=pl.lit("file_name"))
    return {"documents": documents, "spans": found.select(list(SPANS)).cast(SPANS).sort("row", "start")}


def _files(
    chance: Chance, what: str, held: pl.DataFrame, about: str, pattern: str
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Dates and names of one kind of file, and where in the names what stands."""
    first, last = (held[name].to_numpy().astype("datetime64[D]").astype(np.int64) for name in ("first", "last"))
    u = chance.of(f"{what}.created_on", numbers(held["owner"]))
    day = (first + np.floor(u * (last - first + 1)).astype(np.int64)).astype("datetime64[D]")
    day = np.maximum(np.busday_offset(day, 0, roll="backward"), first.astype("datetime64[D]"))
    rows = held.with_columns(created_on=pl.Series(day, dtype=pl.Date)).with_columns(*_dated())
    text, end, found = [], pl.lit(0, pl.Int64), []
    for label, inside, plain in re.findall(r"\[([A-Z]+):([^\]]*)\]|([^\[]+)", pattern):
        part = pl.concat_str(
            pl.col(word[1:-1]) if word.startswith("{") else pl.lit(word)
            for word in re.split(r"(\{\w+\})", inside or plain)
            if word
        )
        start, end = end, end + part.str.len_chars().cast(pl.Int64)
        text.append(part)
        if label:
            found.append((label, start, end))
    nickname = pl.when(pl.col("nicknamed")).then(pl.lit("NICKNAME")).otherwise(pl.lit("PERSON"))
    truth = [
        rows.select(
            pl.int_range(pl.len()).alias("place"),
            start.alias("start"),
            end.alias("end"),
            (nickname if label == "CALLED" else pl.lit(label)).alias("label"),
            (pl.lit(None, pl.String) if label in ("CLASS", "SCHOOL") else pl.col("owner")).alias("subject"),
            pl.lit("none" if label in ("CLASS", "SCHOOL") else about).alias("subject_kind"),
        )
        for label, start, end in found
    ]
    return rows.with_columns(file_name=pl.concat_str(text)), truth


def _told_apart(documents: pl.DataFrame) -> pl.DataFrame:
    again = pl.int_range(pl.len()).over("school_id", "file_name") + 1
    name, stem = pl.col("file_name"), pl.col("file_name").str.replace(r"\.\w+$", "")
    second = stem + " (" + again.cast(pl.String) + ")." + name.str.extract(r"\.(\w+)$")
    return documents.with_columns(file_name=pl.when(again > 1).then(second).otherwise(name)).drop("school_id")


def _children(town: Town) -> pl.DataFrame:
    condition = pl.col("medical_condition").str.to_lowercase().str.replace_all("_", " ")
    return town["pupils"].select(
        pl.col("pupil_id").alias("owner"),
        "pupil_id",
        "school_id",
        "upn",
        "sen_provision",
        "medical_condition",
        *_person(),
        pl.coalesce("preferred_forename", "forename").alias("called"),
        pl.col("preferred_forename").is_not_null().alias("nicknamed"),
        condition.replace("other", "medical needs").alias("condition"),
        first=pl.max_horizontal("admitted_on", pl.lit(date(town.plan.first_year, 9, 1))),
        last=pl.min_horizontal(pl.col("left_on"), pl.lit(town.plan.as_of)),
    )


def _staff(town: Town) -> pl.DataFrame:
    last = pl.min_horizontal(pl.col("ended_on"), pl.lit(town.plan.as_of))
    first = pl.min_horizontal(pl.col("started_on"), last)
    return town["staff"].select(
        pl.col("staff_id").alias("owner"), _NOBODY, "school_id", *_person(), first=first, last=last
    )


def _classes(town: Town) -> pl.DataFrame:
    return town["classes"].select(
        pl.col("class_id").alias("owner"), _NOBODY, "school_id", pl.col("name").alias("class"), **_this_year(town)
    )


def _schools(town: Town) -> pl.DataFrame:
    return town["schools"].select(
        pl.col("school_id").alias("owner"), _NOBODY, "school_id", pl.col("name").alias("school"), **_this_year(town)
    )


_NOBODY = pl.lit(None, pl.String).alias("pupil_id")
_OWNERS: Mapping[str, Callable[[Town], pl.DataFrame]] = {
    "child": _children,
    "class": _classes,
    "school": _schools,
    "staff": _staff,
}


def _person() -> list[pl.Expr]:
    forename, surname = pl.col("forename"), pl.col("surname")
    return [
        forename,
        surname,
        surname.str.to_uppercase().alias("capitals"),
        forename.str.head(1).alias("initial"),
        (forename.str.head(1) + surname.str.head(1)).alias("initials"),
    ]


def _dated() -> list[pl.Expr]:
    """What a file name says of its day."""
    day = pl.col("created_on")
    autumn = day.dt.year() - (day.dt.month() < 9).cast(pl.Int32)
    term = pl.when(day.dt.month() >= 9).then(pl.lit("autumn")).when(day.dt.month() >= 4).then(pl.lit("summer"))
    return [
        day.dt.year().cast(pl.String).alias("year"),
        day.dt.strftime("%b %Y").alias("month"),
        day.dt.strftime("%Y-%m-%d").alias("day"),
        term.otherwise(pl.lit("spring")).alias("term"),
        (autumn.cast(pl.String) + "-" + (autumn + 1).cast(pl.String).str.tail(2)).alias("school_year"),
    ]


def _this_year(town: Town) -> dict[str, pl.Expr]:
    return {"first": pl.lit(date(town.plan.now, 9, 1)), "last": pl.lit(town.plan.as_of)}
