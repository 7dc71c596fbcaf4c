"""Photographs of nobody: which of the index are drawn, what their files give away, and the truth about both."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from otrack_risk.synth import names
from otrack_risk.synth.draw import Chance, numbers, rank_within
from otrack_risk.synth.portraits import CHANGES, draw_portrait
from otrack_risk.synth.targets import assumed
from otrack_risk.synth.town import Town

__all__ = ["SPANS", "Drawn", "draw_images", "draw_portrait", "index_spans"]

SPANS = pl.Schema(  # the columns of truth/spans.parquet
    {
        "table": pl.String,
        "row": pl.String,
        "column": pl.String,
        "start": pl.Int64,
        "end": pl.Int64,
        "label": pl.String,
        "subject": pl.String,
        "subject_kind": pl.String,
    }
)


class Drawn(NamedTuple):
    """What was drawn of one town."""

    images: pl.DataFrame  # the index, with the true size of every file that was drawn
    spans: pl.DataFrame  # what each file holds: pixels, and every planted tag
    near_duplicates: pl.DataFrame  # image_id, near_duplicate_of, change


def index_spans(town: Town) -> pl.DataFrame:
    """The names and UPNs inside the file names of the town's image index.

    Returns
    -------
    one row a part: PERSON for the surname, PERSON for the forename, UPN; none where the file is called by a key
    """
    held = town["images"].join(town["pupils"].select("pupil_id", "surname", "forename", "upn"), on="pupil_id")
    words = held.select(
        "image_id",
        "pupil_id",
        "upn",
        pl.col("file_name").alias("text"),
        names.slug(held["surname"]),
        names.slug(held["forename"]),
    )
    after = pl.col("surname").str.len_chars().cast(pl.Int64)
    second = after + 1 + pl.col("forename").str.len_chars().cast(pl.Int64)
    called = words.filter(
        pl.col("text").str.starts_with(pl.col("surname") + "_" + pl.col("forename") + "_" + pl.col("upn"))
    )
    parts = [
        (pl.lit(0, pl.Int64), after, "PERSON"),
        (after + 1, second, "PERSON"),
        (second + 1, second + 1 + pl.col("upn").str.len_chars().cast(pl.Int64), "UPN"),
    ]
    return pl.concat(
        called.select(
            pl.lit("images").alias("table"),
            pl.col("image_id").alias("row"),
            pl.lit("file_name").alias("column"),
            start.alias("start"),
            end.alias("end"),
            pl.lit(label).alias("label"),
            pl.col("pupil_id").alias("subject"),
            pl.lit("child").alias("subject_kind"),
        )
        for start, end, label in parts
    ).sort("row", "start", maintain_order=True)


def draw_images(chance: Chance, town: Town, folder: Path | str, most: int) -> Drawn:
    """Draw the town's first images to files and say what each of them gives away.

    A child has one look in all its pictures, each before another wall. Some pictures are copies of the child's
    first one, smaller, saved again or cropped; a copy has the time of the picture it was made from. A picture
    that no child is linked to shows a group.

    Parameters
    ----------
    folder : where the files go; made if it is not there
    most : files to draw at most, in the order of the index

    Returns
    -------
    index, truth and near-duplicates. Truth names as ``column`` what a file holds: ``pixels`` (PHOTO; no subject
    where a group is shown), ``exif.thumbnail``, ``exif.GPS``, ``exif.DateTimeOriginal``,
    ``exif.BodySerialNumber``, ``exif.OwnerName``, ``exif.Artist`` and ``exif.ImageDescription``, the last
    with the place of the name in it
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    index = town["images"]
    planned = _planned(chance, town, index.head(most))
    sizes, spans, copies = index["bytes"].to_list(), [], []
    for place, each in enumerate(planned):
        content = draw_portrait(
            chance,
            each.source,
            child=each.child,
            school=each.school,
            tags=each.tags,
            place=each.place,
            thumbnail=each.thumbnail,
            change=each.change,
        )
        file = folder / each.file_name
        file.write_bytes(content)
        os.utime(file, (each.seconds, each.seconds))
        sizes[place] = len(content)
        spans += each.truth()
        if each.change:
            copies.append((each.image_id, each.copy_of, each.change))
    images = index.with_columns(pl.Series("bytes", sizes, dtype=index.schema["bytes"]))
    of_copies = dict.fromkeys(("image_id", "near_duplicate_of", "change"), pl.String)
    return Drawn(
        images,
        pl.DataFrame(spans, schema=SPANS, orient="row"),
        pl.DataFrame(copies, schema=of_copies, orient="row"),
    )


class _Planned(NamedTuple):
    """One file before it is drawn."""

    image_id: str
    file_name: str
    source: int  # the number whose picture it shows: its own, or that of the image it is a copy of
    child: int | None
    school: int
    tags: Mapping[str, str]
    place: tuple[float, float] | None
    thumbnail: bool
    change: str
    copy_of: str
    pupil: str | None
    owner: str
    name: tuple[int, int]  # where in ImageDescription the child's name stands
    seconds: int  # of the file's date

    def truth(self) -> list[tuple[object, ...]]:
        def row(column: str, label: str, start: int | None = None, end: int | None = None) -> tuple[object, ...]:
            subject, kind = (self.owner, "staff") if label == "OWNER" else (self.pupil, "child")
            return ("images", self.image_id, column, start, end, label, subject, kind)

        found = [row("pixels", "PHOTO")]
        found += [row("exif.thumbnail", "PHOTO")] if self.thumbnail else []
        found += [row("exif.GPS", "GPS")] if self.place else []
        for tag, label in (("DateTimeOriginal", "TIME"), ("BodySerialNumber", "DEVICE")):
            found += [row(f"exif.{tag}", label, 0, len(self.tags[tag]))] if tag in self.tags else []
        for tag in ("OwnerName", "Artist"):
            found += [row(f"exif.{tag}", "OWNER", 0, len(self.tags[tag]))] if tag in self.tags else []
        found += [row("exif.ImageDescription", "PERSON", *self.name)] if "ImageDescription" in self.tags else []
        return found


def _planned(chance: Chance, town: Town, rows: pl.DataFrame) -> list[_Planned]:
    """Which file is a copy of which, and which tags each has."""
    people = town["pupils"].select("pupil_id", "forename", "surname", "school_id")
    whole = pl.col("file_name").str.extract(r"^class_(c\d+)_").str.to_uppercase().alias("class_id")
    of_class = town["classes"].select("class_id", pl.col("school_id").alias("of_class"))
    joined = (
        rows.join(people, on="pupil_id", how="left", maintain_order="left")
        .with_columns(whole)
        .join(of_class, on="class_id", how="left", maintain_order="left")
        .with_columns(pl.coalesce("school_id", "of_class").alias("school_id"))
    )
    own = rows["pupil_id"].is_not_null().to_numpy()
    image = numbers(rows["image_id"]) + np.where(own, 0, 10**12)  # a class and a child may have the same number
    child = numbers(rows["pupil_id"].fill_null("0"))
    school_number = numbers(joined["school_id"].fill_null("0"))
    order = np.arange(len(image))
    again = rank_within(np.where(own, child, -1 - order), order) > 0
    copy = again & (chance.of("images.near_duplicate", image) < assumed("image_near_duplicate"))
    change = chance.whole("images.change", len(CHANGES), image)
    draws = {name: chance.of(f"images.{name}", image) for name in ("owner", "hour", "north", "east", "camera")}
    has = {
        name: chance.of(f"images.with_{name}", image) < assumed(f"image_with_{name}")
        for name in ("gps", "time", "camera", "owner", "artist", "description", "thumbnail")
    }
    staff: dict[str | None, list[dict[str, Any]]] = {None: town["staff"].to_dicts()}
    for each in staff[None]:
        staff.setdefault(each["school_id"], []).append(each)
    first: dict[str, tuple[int, str, str]] = {}
    found = []
    for at, row in enumerate(joined.iter_rows(named=True)):
        school = int(school_number[at])
        member = _one(staff.get(row["school_id"], staff[None]), draws["owner"][at])
        adult = f"{member['forename']} {member['surname']}"
        clock = time(9 + int(draws["hour"][at] * 6), int(draws["hour"][at] * 360) % 60)
        taken = datetime.combine(row["taken_on"], clock, UTC)
        when = f"{taken:%Y:%m:%d %H:%M:00}"
        here = (int(image[at]), row["image_id"], when)
        source = first.setdefault(row["pupil_id"], here) if copy[at] else here
        if own[at]:
            first.setdefault(row["pupil_id"], here)
        tags: dict[str, str] = {}
        start = "School photograph of "
        if own[at] and has["description"][at]:
            tags["ImageDescription"] = f"{start}{row['forename']} {row['surname']}"
        if has["camera"][at]:
            tags |= {"Make": "Madeup Cameras", "Model": "Madeup MC-1"}
            tags["BodySerialNumber"] = f"SYN{school:05d}{int(draws['camera'][at] * 3) + 1}"  # three cameras a school
        tags |= {"DateTimeOriginal": source[2]} if has["time"][at] else {}
        tags |= {"OwnerName": adult} if has["owner"][at] else {}
        tags |= {"Artist": adult} if has["artist"][at] else {}
        found.append(
            _Planned(
                row["image_id"],
                row["file_name"],
                source[0],
                int(child[at]) if own[at] else None,
                school,
                tags,
                _at_sea(chance, school, draws["north"][at], draws["east"][at]) if has["gps"][at] else None,
                bool(has["thumbnail"][at]),
                CHANGES[change[at]] if copy[at] else "",
                source[1] if copy[at] else "",
                row["pupil_id"],
                member["staff_id"],
                (len(start), len(tags.get("ImageDescription", start))),
                int(taken.timestamp()),
            )
        )
    return found


def _one(among: Sequence[dict[str, Any]], u: float) -> dict[str, Any]:
    return among[int(u * len(among))]


def _at_sea(chance: Chance, school: int, north: float, east: float) -> tuple[float, float]:
    """A point within about 70 m of the school's own, which lies at sea: on the Dogger Bank, 100 km from any land."""
    of_school = chance.of("images.sea", np.full(2, school), np.arange(2))
    latitude = 54.6 + 0.3 * float(of_school[0]) + 0.0009 * (north - 0.5)
    return round(latitude, 6), round(2.0 + 0.5 * float(of_school[1]) + 0.0015 * (east - 0.5), 6)
