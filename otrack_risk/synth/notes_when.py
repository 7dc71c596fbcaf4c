"""When something is written down of a pupil, what about, and by whom: the events and notes before they have words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from otrack_risk.synth.draw import Bools, Chance, Days, Floats, Ints, choose_by
from otrack_risk.synth.notes_cast import Roll
from otrack_risk.synth.notes_parts import KINDS
from otrack_risk.synth.targets import assumed, assumptions
from otrack_risk.synth.terms import school_days, school_year
from otrack_risk.synth.town import Town

_DAYS = 190  # school days of a whole year
_MOST = 60  # events of one pupil, kind and year: no more are drawn
_COLLEAGUES = ("slt", "class_teacher", "ta", "supply_teacher", "dsl", "senco", "headteacher")


@dataclass(frozen=True)
class Years:
    """Every pupil with every school year of which something is kept. One entry a pupil and year."""

    pupil: Ints  # row
    year: Ints
    first: Ints  # place in `days` of the first school day on roll
    count: Ints  # school days on roll, up to the day of the world
    days: Days


@dataclass(frozen=True)
class Entries:
    """What is written down, in no order; one entry an event or note."""

    pupil: Ints  # row
    kind: Ints  # place in KINDS; of an event, behaviour
    day: Days
    author: Ints  # row in staff; -1: nobody was in post
    key: tuple[Ints, ...]  # by which chance is keyed

    def of(self, rows: Ints | Bools) -> Entries:
        """Some of them."""
        key = tuple(part[rows] for part in self.key)
        return replace(
            self, pupil=self.pupil[rows], kind=self.kind[rows], day=self.day[rows], author=self.author[rows], key=key
        )


@dataclass(frozen=True)
class Posts:
    """Contracts of the town, those of a school together."""

    staff: Ints  # row in staff
    job: pl.Series
    start: Days
    stop: Days  # after the day of the world for those that run
    first: Ints  # of each pupil's school: its first contract
    count: Ints

    @classmethod
    def of(cls, town: Town) -> Posts:
        """Read the contracts; governors and officers of the authority write no notes."""
        rows = town["staff"].select("staff_id", staff=pl.int_range(pl.len()))
        held = (
            town["contracts"]
            .filter(~pl.col("job").is_in(["governor", "la_officer"]))
            .join(rows, on="staff_id", maintain_order="left")
            .sort("school_id", "staff_id", "started_on")
        )
        after = np.datetime64(town.plan.as_of, "D") + 1
        stop = held["ended_on"].fill_null(town.plan.as_of).to_numpy().astype("datetime64[D]")
        school, of_pupil = held["school_id"], town["pupils"]["school_id"]
        first = school.search_sorted(of_pupil, side="left").to_numpy().astype(np.int64)
        last = school.search_sorted(of_pupil, side="right").to_numpy().astype(np.int64)
        return cls(
            staff=held["staff"].to_numpy().astype(np.int64),
            job=held["job"],
            start=held["started_on"].to_numpy().astype("datetime64[D]"),
            stop=np.where(held["ended_on"].is_null().to_numpy(), after, stop),
            first=first,
            count=last - first,
        )


def years(town: Town, held: Roll) -> Years:
    """The open store keeps the last year of each child; a school's own system keeps this year and the one before."""
    plan = town.plan
    pupils = len(held.number)
    last = school_year(np.minimum(held.left, np.datetime64(plan.as_of, "D")))
    kept = 1 if plan.exposed else 2
    pupil = np.repeat(np.arange(pupils), kept)
    year = last[pupil] - np.tile(np.arange(kept), pupils)
    there = (year >= plan.now - 1) | plan.exposed
    pupil, year = pupil[there], year[there]
    begin = date(int(year.min(initial=plan.now)), 9, 1)
    span = (plan.as_of - begin).days + 1
    open_days = np.flatnonzero(school_days(begin, span))
    days = np.datetime64(begin, "D") + open_days
    start, end = (((year + step - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]") for step in (0, 1))
    first = np.searchsorted(days, np.maximum(start, held.admitted[pupil]))
    stop = np.searchsorted(days, np.minimum(end - 1, held.left[pupil]), side="right")
    count = np.maximum(stop - first, 0)
    some = count > 0
    return Years(pupil[some], year[some], first[some], count[some], days)


def absences(town: Town, held: Roll) -> pl.DataFrame:
    """Pupil (row), year and percent of sessions missed, where attendance is on file."""
    rows = town["pupils"].select("pupil_id", pupil=pl.int_range(pl.len(), dtype=pl.Int64))
    return (
        town["attendance"]
        .join(rows, on="pupil_id", maintain_order="left")
        .select(
            "pupil",
            year=pl.col("academic_year").str.slice(0, 4).cast(pl.Int64),
            percent=(100 * pl.col("sessions_absent") / pl.col("sessions_possible")).round(1),
        )
        .unique(["pupil", "year"], keep="first", maintain_order=True)
        .filter(pl.col("percent").is_not_nan())
    )


def events(chance: Chance, held: Roll, kept: Years) -> Entries:
    """Behaviour events: on few pupils many."""
    (rate,) = assumptions("behaviour_rate")
    second = _secondary(held, kept)
    mean = np.where(second, rate["secondary"], rate["primary"]) * kept.count / _DAYS
    return _entries(chance, held, kept, "behaviour", KINDS.index("behaviour"), mean, rate["agree"])


def notes(chance: Chance, town: Town, held: Roll, kept: Years, missed: pl.DataFrame) -> Entries:
    """Notes of every kind but behaviour, as fits the pupil."""
    pupils = town["pupils"]
    known = chance.of("notes.safeguarding.known", held.number) < assumed("safeguarding_known")
    share = (
        pl.DataFrame({"pupil": kept.pupil, "year": kept.year})
        .join(missed, on=["pupil", "year"], how="left", maintain_order="left")["percent"]
        .fill_null(0)
    )
    factor = {
        "all": np.ones(len(kept.pupil)),
        "provision": (pupils["sen_provision"] != "N").to_numpy()[kept.pupil].astype(np.float64),
        "condition": pupils["medical_condition"].is_not_null().to_numpy()[kept.pupil].astype(np.float64),
        "known": (known | pupils["looked_after"].to_numpy())[kept.pupil].astype(np.float64),
        "absence": np.where(share.to_numpy() >= 10, assumed("note_absent_factor"), 1.0),
    }
    found = [
        _entries(
            chance,
            held,
            kept,
            row["kind"],
            KINDS.index(row["kind"]),
            row["rate"] * factor[row["of"]] * kept.count / _DAYS,
            row["agree"],
        )
        for row in assumptions("note_kind")
    ]
    return joined(found)


def joined(parts: list[Entries]) -> Entries:
    """All of these."""
    pupil, kind, day, author = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("pupil", "kind", "day", "author")
    )
    key = tuple(np.concatenate(keys) for keys in zip(*(part.key for part in parts), strict=True))
    return Entries(pupil, kind, day, author, key)


def writers(chance: Chance, posts: Posts, found: Entries) -> Entries:
    """The entries with their authors: somebody whose contract at the school runs on the day, by kind and job."""
    rows = {row["kind"]: row["authors"] for row in assumptions("note_kind")}
    (rate,) = assumptions("behaviour_rate")
    rows["behaviour"] = rate["authors"]
    jobs = sorted({job for weights in rows.values() for job in weights})
    grid = np.array([[rows[kind].get(job, 0) for job in jobs] for kind in KINDS], dtype=np.int64)
    codes = {job: place for place, job in enumerate(jobs)}
    job = posts.job.replace_strict(codes, default=-1, return_dtype=pl.Int64).to_numpy()
    grid = np.column_stack([grid, np.zeros(len(KINDS), dtype=np.int64)])  # the last: jobs that write none
    note, post = _in_post(posts, found)
    u = chance.of("notes.staff_id", *found.key)
    return replace(found, author=_one(u, note, posts.staff[post], grid[found.kind[note], job[post]]))


def colleagues(chance: Chance, posts: Posts, found: Entries, key: Ints) -> dict[str, Ints]:
    """Author, another member of staff, and who coordinates special needs, leads on safeguarding, and heads the school.

    Rows in ``staff``; -1 where nobody was in post on the day.
    """
    note, post = _in_post(posts, found)
    staff, job = posts.staff[post], posts.job.gather(post)
    away = staff != found.author[note]
    out = {"author": found.author}
    for who, jobs in (("staff", _COLLEAGUES), ("senco", ["senco"]), ("dsl", ["dsl"]), ("head", ["headteacher"])):
        weight = (job.is_in(jobs).to_numpy() & away).astype(np.int64)
        out[who] = _one(chance.of(f"notes.{who}", key), note, staff, weight)
    return out


def _in_post(posts: Posts, found: Entries) -> tuple[Ints, Ints]:
    """Each entry with every contract of its school that runs on the day."""
    count = posts.count[found.pupil]
    note = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count)
    post = posts.first[found.pupil][note] + step
    day = found.day[note]
    runs = (posts.start[post] <= day) & (posts.stop[post] >= day)
    return note[runs], post[runs]


def _one(u: Floats, note: Ints, who: Ints, weight: Ints) -> Ints:
    """One of those offered to each note (in order), by weight; -1 where there is none."""
    edges = np.concatenate([[0], np.cumsum(weight)])
    begin = np.searchsorted(note, np.arange(len(u)), side="left")
    end = np.searchsorted(note, np.arange(len(u)), side="right")
    total = edges[end] - edges[begin]
    target = edges[begin] + (u * total).astype(np.int64)
    at = np.searchsorted(edges, target, side="right") - 1
    if not len(who):
        return np.full(len(u), -1, dtype=np.int64)
    return np.where(total > 0, who[np.minimum(at, len(who) - 1)], -1)


def _entries(chance: Chance, held: Roll, kept: Years, name: str, kind: int, mean: Floats, agree: float) -> Entries:
    number = held.number[kept.pupil]
    count = _counts(chance.of(f"notes.{name}.count", number, kept.year), mean, agree)
    row = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    key = (number[row], kept.year[row] * 10 + kind, step)
    place = (chance.of("notes.written_on", *key) * kept.count[row]).astype(np.int64)
    return Entries(
        pupil=kept.pupil[row],
        kind=np.full(len(row), kind, dtype=np.int64),
        day=kept.days[kept.first[row] + place],
        author=np.full(len(row), -1, dtype=np.int64),
        key=key,
    )


def _counts(u: Floats, mean: Floats, agree: float) -> Ints:
    """Quantiles of the negative binomial distribution with this mean and shape: variance mean + mean**2 / agree."""
    found = np.zeros(len(u), dtype=np.int64)
    rest = mean / (mean + agree)
    part = np.round((1 - rest) ** agree, 12)  # chance of none; rounded so that libraries agree
    below = part.copy()
    left = np.flatnonzero(u >= below)
    for step in range(1, _MOST + 1):
        if not len(left):
            break
        part[left] *= rest[left] * (agree + step - 1) / step
        below[left] += part[left]
        found[left] = step
        left = left[(u[left] >= below[left]) & (part[left] > 0)]
    return found


def _secondary(held: Roll, kept: Years) -> Bools:
    second: Bools = kept.year - held.entered[kept.pupil] >= 7
    return second


def behaviour_events(chance: Chance, key: tuple[Ints, ...], second: Bools) -> tuple[Ints, Ints]:
    """Of each event its place among ``behaviour_event``, and its points."""
    rows = assumptions("behaviour_event")
    weights = np.array([[row[phase] for row in rows] for phase in ("primary", "secondary")], dtype=np.float64)
    which = choose_by(chance.of("behaviour.kind", *key), weights, second.astype(np.int64))
    low, high = (np.array([row["points"][end] for row in rows])[which] for end in (0, 1))
    return which, low + (chance.of("behaviour.points", *key) * (high - low + 1)).astype(np.int64)
