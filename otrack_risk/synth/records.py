"""What is written down of a pupil over the years: attendance and assessment."""

from __future__ import annotations

from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
import polars as pl

from otrack_risk.errors import ParameterError
from otrack_risk.synth.draw import Floats, Ints, gather
from otrack_risk.synth.people import PROVISIONS, People
from otrack_risk.synth.places import Schools
from otrack_risk.synth.targets import absence_means, assumed, assumptions, published

TERMS = ("autumn", "spring", "summer")
_SESSIONS = 380  # 190 school days of two sessions


def pupil_years(people: People, since: int) -> tuple[Ints, Ints]:
    """Every pupil with every school year from ``since`` in which it was on roll: pupil, year (when it began)."""
    first = np.maximum(people.first_year, since)
    years = np.maximum(people.last_year - first + 1, 0)
    pupil = np.repeat(np.arange(len(years)), years)
    step = np.arange(len(pupil)) - np.repeat(np.cumsum(years) - years, years)
    return pupil, first[pupil] + step


def make_attendance(
    rng: np.random.Generator, people: People, schools: Schools, pupil: Ints, year: Ints, as_of: date
) -> pl.DataFrame:
    """Sessions possible and missed, one row for each pupil and year asked for.

    The share missed is drawn from a beta distribution by pupil, not a binomial: a mean of 7 percent with
    a fifth of pupils above 10 percent needs the spread. Means differ by free meals and by provision.

    Parameters
    ----------
    schools : of the pupils
    pupil, year : one entry a row of the table
    as_of : the day on which the world is seen; the year under way counts up to it
    """
    meals = people.pupils["fsm"].to_numpy().astype(np.int64)
    provision = _provision(people)
    means = np.stack([absence_means("primary"), absence_means("secondary")])
    mean = means[schools.at_secondary(people.school), meals, provision]
    together = np.array([published("absence concentration", group) for group in ("not FSM", "FSM")])[meals]
    share = rng.beta(mean * together, (1 - mean) * together)  # of a pupil, in every year
    possible = np.where(year == _school_year(as_of), _sessions_so_far(as_of), _SESSIONS)
    absent = np.rint(share[pupil] * possible).astype(np.int64)
    return pl.DataFrame(
        {
            "pupil_id": people.pupils["pupil_id"].gather(pupil),
            "academic_year": _year_names(year),
            "sessions_possible": possible.astype(np.int16),
            "sessions_absent": absent.astype(np.int16),
            "sessions_unauthorised": rng.binomial(absent, assumed("unauthorised")).astype(np.int16),
        }
    )


def make_assessments(
    rng: np.random.Generator, people: People, schools: Schools, as_of: date, rows: int | None
) -> pl.DataFrame:
    """Points by term and subject, 100 where a pupil is at the standard expected for its age.

    Parameters
    ----------
    schools : of the pupils
    as_of : the day on which the world is seen; terms that ended before it have points
    rows : None for every subject and term of this school year and the one before; else exactly so many:
        of the last term of every pupil, two subjects for all and a third for those on roll last, say

    Raises
    ------
    ParameterError
        ``rows`` is negative, or more than three subjects for every pupil.

    Notes
    -----
    The scale, its spread of 8 points, and the distances between groups are assumed; the shares at 100 or
    more of all pupils are those of key stage 2.
    """
    pupil, year, term, subject = _which(people, as_of, rows)
    (gaps,) = assumptions("attainment")
    able = people.pupils
    below = (
        gaps["disadvantaged"] * able["pupil_premium"].to_numpy()
        + np.array([0.0, gaps["support"], gaps["plan"]])[_provision(people)]
        + gaps["boy"] * (able["sex"] == "M").to_numpy()
    )
    rest = np.sqrt(1 - np.array([gaps["subjects_agree"], gaps["terms_agree"]]))
    common = np.sqrt(gaps["subjects_agree"]) * rng.standard_normal(able.height)
    of_subject = rest[0] * rng.standard_normal((able.height, 3))
    steady = common[pupil] + of_subject[pupil, subject]
    drawn = np.sqrt(gaps["terms_agree"]) * steady + rest[1] * rng.standard_normal(len(pupil)) - below[pupil]
    names = (("reading", "maths", "writing"), ("english", "maths", "science"))
    expected = [published(f"KS2 {name} expected") for name in names[0]]
    level = np.array([_threshold(below, share) for share in expected])
    point = np.clip(np.floor(100 + 8 * (drawn - level[subject])), 60, 140)
    kind = schools.at_secondary(people.school[pupil])
    return pl.DataFrame(
        {
            "pupil_id": people.pupils["pupil_id"].gather(pupil),
            "academic_year": _year_names(year),
            "term": gather(TERMS, term),
            "subject": gather([*names[0], *names[1]], kind * 3 + subject),
            "point": point.astype(np.int16),
        }
    )


def _which(people: People, as_of: date, rows: int | None) -> tuple[Ints, Ints, Ints, Ints]:
    """Pupil, year, term and subject of each row, pupils together."""
    now = _school_year(as_of)
    n = len(people.last_year)
    if rows is None:
        slots = [(now, term, subject) for term in range(_terms_done(as_of)) for subject in range(3)]
        slots += [(now - 1, term, subject) for term in range(3) for subject in range(3)]
        year, term, subject = (np.tile(np.array(part), n) for part in zip(*slots, strict=True))
        pupil = np.repeat(np.arange(n), len(slots))
        there = (year >= people.first_year[pupil]) & (year <= people.last_year[pupil])
        return pupil[there], year[there], term[there], subject[there]
    if not 0 <= rows <= 3 * n:
        raise ParameterError(
            f"{rows} assessments would be left for {n} pupils, beside guardians, staff and attendance.",
            "ask for more pupils, or for fewer schools.",
        )
    everybody, some = divmod(rows, n)
    lately = np.argsort(-people.last_year, kind="stable")[:some]
    slots_of = np.full(n, everybody, dtype=np.int64)
    slots_of[lately] += 1
    pupil = np.repeat(np.arange(n), slots_of)
    slot = np.arange(rows) - np.repeat(np.cumsum(slots_of) - slots_of, slots_of)
    last_term = np.where(people.last_year[pupil] == now, _terms_done(as_of) - 1, 2)
    return pupil, people.last_year[pupil], last_term, slot


def _threshold(below: Floats, share: float) -> float:
    """The level that this share of the pupils reaches: each normal around its distance below the rest."""
    distance, heads = np.unique(below, return_counts=True)
    normal = NormalDist()
    low, high = -6.0, 6.0
    for _ in range(40):
        middle = (low + high) / 2
        above = sum(count * (1 - normal.cdf(middle + gap)) for gap, count in zip(distance, heads, strict=True))
        low, high = (middle, high) if above / heads.sum() > share else (low, middle)
    return low


def _provision(people: People) -> Ints:
    codes = people.pupils["sen_provision"].to_numpy()
    return np.select([codes == code for code in PROVISIONS], np.arange(len(PROVISIONS)))


def _school_year(day: date) -> int:
    return day.year if day.month >= 9 else day.year - 1


def _year_names(year: Ints) -> pl.Series:
    first = int(year.min()) if len(year) else 0
    names = [f"{start}/{(start + 1) % 100:02d}" for start in range(first, int(year.max(initial=first)) + 1)]
    return gather(names, year - first)


def _terms_done(day: date) -> int:
    """Terms of the year that have ended: at Christmas, at Easter (taken as 1 April), in July."""
    return 0 if day.month >= 9 else 1 if day.month < 4 else 2 if (day.month, day.day) < (7, 22) else 3


def _sessions_so_far(day: date) -> int:
    """Sessions of the year up to a day: weekdays from 3 September less holidays, at most the whole year."""
    start = date(_school_year(day), 9, 3)
    breaks = ((10, 24, 9), (12, 20, 16), (2, 12, 9), (4, 1, 16), (5, 25, 9), (7, 22, 43))  # month, day, days
    closed = set()
    for month, first, length in breaks:
        begin = date(start.year + (month < 9), month, first)
        closed |= {begin + timedelta(days=step) for step in range(length)}
    days = (start + timedelta(days=step) for step in range((day - start).days + 1))
    return min(_SESSIONS, 2 * sum(1 for day in days if day.weekday() < 5 and day not in closed))
