"""What is held beside the records: an index of photographs."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from otrack_risk.synth import names
from otrack_risk.synth.draw import Days, Ints, gather, rank_within
from otrack_risk.synth.people import People
from otrack_risk.synth.places import keys
from otrack_risk.synth.records import pupil_years
from otrack_risk.synth.targets import assumed


def make_images(
    rng: np.random.Generator, people: People, rows: int, *, since: int, as_of: date, names_in_files: bool
) -> pl.DataFrame:
    """The index of photographs: one of a child in a school year, and a few of a whole class that no child is linked to.

    Photographs are taken on one day of the autumn in each school and year. Where there are fewer rows than
    pupils times years, chance decides which years of which child have one.

    Parameters
    ----------
    rows : photographs, exactly
    since : first school year of which photographs are kept
    as_of : the day on which the world is seen; none is taken after it
    names_in_files : whether a file is called by the child's name and UPN; else by its key and the year
    """
    of_class = round(rows * assumed("image_of_class"))
    pupil, year = pupil_years(people, since)
    each, some = divmod(rows - of_class, len(pupil))
    repeats = np.full(len(pupil), each, dtype=np.int64)
    repeats[rng.permutation(len(pupil))[:some]] += 1
    pupil, year = np.repeat(pupil, repeats), np.repeat(year, repeats)
    classes = rng.integers(0, people.classes.height, of_class)
    class_year = rng.integers(since, people.last_year.max() + 1, of_class)
    class_school = people.classes["school_id"].str.slice(1).cast(pl.Int64).to_numpy()[classes] - 1
    school = np.concatenate([people.school[pupil], class_school])
    taken = _photo_day(rng, school, np.concatenate([year, class_year]), as_of)
    linked = people.pupils["pupil_id"].gather(pupil)
    place = rank_within(pupil, year)
    again = gather(["", *(f"_{number}" for number in range(2, 2 + int(place.max(initial=0))))], place)
    if names_in_files:
        of = people.pupils
        called = names.slug(of["surname"]) + "_" + names.slug(of["forename"]) + "_" + of["upn"]
        of_child = called.gather(pupil) + again
    else:
        of_child = linked + "_" + pl.Series(year).cast(pl.String) + again
    number = pl.Series(np.arange(1, of_class + 1)).cast(pl.String)
    called_class = people.classes["class_id"].gather(classes).str.to_lowercase()
    of_whole = "class_" + called_class + "_" + pl.Series(class_year).cast(pl.String) + "_" + number
    return pl.DataFrame(
        {
            "image_id": keys("I", rows, 6),
            "pupil_id": pl.concat([linked, pl.Series([None] * of_class, dtype=pl.String)]),
            "file_name": pl.concat([of_child, of_whole]) + ".jpg",
            "bytes": np.rint(rng.lognormal(np.log(120_000), 0.35, rows)).astype(np.int32),
            "taken_on": pl.Series(taken),
        }
    )


def _photo_day(rng: np.random.Generator, school: Ints, year: Ints, as_of: date) -> Days:
    """A weekday of the ten weeks from 15 September, the same for a school and year; not after ``as_of``."""
    first = int(year.min(initial=9999))
    grid = rng.integers(0, 50, (int(school.max(initial=0)) + 1, max(int(year.max(initial=0)) - first + 1, 1)))
    start = ((year - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]") + 14
    day = np.busday_offset(start, grid[school, year - first], roll="forward")
    return np.minimum(day, np.datetime64(as_of, "D"))
