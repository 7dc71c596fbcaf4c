"""What is held beside the records: an index of photographs."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from otrack_risk.synth import names
from otrack_risk.synth.draw import Chance, Days, Ints, gather, normal, numbers, rank_within
from otrack_risk.synth.people import People
from otrack_risk.synth.records import pupil_years


def make_images(
    chance: Chance, people: People, rows: int, of_class: int, *, since: int, as_of: date, names_in_files: bool
) -> pl.DataFrame:
    """The index of photographs: one of a child in a school year, and a few of a whole class that no child is linked to.

    Photographs are taken on one day of the autumn in each school and year. Where there are fewer rows than
    pupils times years, chance decides which years of which child have one.

    Parameters
    ----------
    rows : photographs of the town, exactly
    of_class : those among them that show a class
    since : first school year of which photographs are kept
    as_of : the day on which the world is seen; none is taken after it
    names_in_files : whether a file is called by the child's name and UPN; else by its key and the year
    """
    of_class = min(of_class, rows) if people.classes.height else 0
    pupil, year = pupil_years(people, since)
    each, some = divmod(rows - of_class, len(pupil))
    repeats = np.full(len(pupil), each, dtype=np.int64)
    repeats[np.argsort(chance.of("images.kept", people.number[pupil], year), kind="stable")[:some]] += 1
    pupil, year = np.repeat(pupil, repeats), np.repeat(year, repeats)
    place = rank_within(pupil, year)
    number = people.number[pupil] * 1_000_000 + place
    linked = people.pupils["pupil_id"].gather(pupil)
    again = gather(["", *(f"_{again}" for again in range(2, 2 + int(place.max(initial=0))))], place)
    if names_in_files:
        of = people.pupils
        called = names.slug(of["surname"]) + "_" + names.slug(of["forename"]) + "_" + of["upn"]
        file = called.gather(pupil) + again
    else:
        file = linked + "_" + pl.Series(year, dtype=pl.Int64).cast(pl.String) + again
    children = pl.DataFrame(
        {
            "image_id": "I" + linked.str.slice(1) + _running(place, 2),
            "pupil_id": linked,
            "file_name": file + ".jpg",
            "bytes": _bytes(chance, number),
            "taken_on": pl.Series(_photo_day(chance, people.school[pupil], year, as_of)),
        }
    )
    return pl.concat([children, _class_images(chance, people, of_class, since, as_of)])


def _class_images(chance: Chance, people: People, rows: int, since: int, as_of: date) -> pl.DataFrame:
    """Photographs of a class, shared out among the classes in a drawn order."""
    classes = people.classes
    own = numbers(classes["class_id"])
    order = np.argsort(chance.of("images.classes", own), kind="stable")
    which = order[np.arange(rows) % max(len(own), 1)]
    place = np.arange(rows) // max(len(own), 1)
    key = own[which] * 1000 + place
    last = int(people.last_year.max())
    year = since + chance.whole("images.classes.year", last + 1 - since, key)
    ids = classes["class_id"].gather(which)
    file = "class_" + ids.str.to_lowercase() + "_" + pl.Series(year, dtype=pl.Int64).cast(pl.String)
    return pl.DataFrame(
        {
            "image_id": "I" + ids + _running(place, 2),
            "pupil_id": pl.repeat(None, rows, eager=True, dtype=pl.String),
            "file_name": file + "_" + pl.Series(place + 1, dtype=pl.Int64).cast(pl.String) + ".jpg",
            "bytes": _bytes(chance, key),
            "taken_on": pl.Series(_photo_day(chance, key // 1_000_000 - 1, year, as_of)),
        }
    )


def _running(place: Ints, digits: int) -> pl.Series:
    return pl.Series(place + 1, dtype=pl.Int64).cast(pl.String).str.zfill(digits)


def _bytes(chance: Chance, key: Ints) -> Ints:
    size: Ints = np.rint(120_000 * np.exp(0.35 * normal(chance.of("images.bytes", key)))).astype(np.int32)
    return size


def _photo_day(chance: Chance, school: Ints, year: Ints, as_of: date) -> Days:
    """A weekday of the ten weeks from 15 September, the same for a school and year; not after ``as_of``."""
    start = ((year - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]") + 14
    day = np.busday_offset(start, chance.whole("images.taken_on", 50, school, year), roll="forward")
    return np.minimum(day, np.datetime64(as_of, "D"))
