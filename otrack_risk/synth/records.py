"""What is written down of a pupil over the years: attendance and assessment."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from otrack_risk.errors import ParameterError
from otrack_risk.synth.draw import Chance, Ints, beta, gather, normal
from otrack_risk.synth.people import PROVISIONS, People
from otrack_risk.synth.places import Schools
from otrack_risk.synth.targets import absence, assumed, assumptions, attainment
from otrack_risk.synth.terms import school_days, school_year

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
    chance: Chance, people: People, schools: Schools, pupil: Ints, year: Ints, as_of: date
) -> pl.DataFrame:
    """Sessions possible and missed, one row for each pupil and year asked for.

    The share missed is drawn from a beta distribution by pupil, not a binomial: a mean of 7 percent with
    a fifth of pupils above 10 percent needs the spread. It differs by free meals and by provision, see
    :func:`otrack_risk.synth.targets.absence`.

    Parameters
    ----------
    schools : of the world
    pupil, year : one entry a row of the table
    as_of : the day on which the world is seen; the year under way counts up to it
    """
    meals = people.pupils["fsm"].to_numpy().astype(np.int64)
    provision = _provision(people)
    kinds, at = (absence("primary"), absence("secondary")), schools.at_secondary(people.school)
    mean = np.stack([kind.means for kind in kinds])[at, meals, provision]
    together = np.stack([kind.together for kind in kinds])[at, meals, provision]
    share = beta(chance.of("attendance.sessions_absent", people.number), mean * together, (1 - mean) * together)
    possible = np.where(year == _begun(as_of), _sessions_so_far(as_of), _SESSIONS)
    absent = np.rint(share[pupil] * possible).astype(np.int64)
    part = assumed("unauthorised")
    of_absent = beta(
        chance.of("attendance.sessions_unauthorised", people.number[pupil], year), part * 6, (1 - part) * 6
    )
    rest = chance.of("attendance.sessions_unauthorised.round", people.number[pupil], year)
    return pl.DataFrame(
        {
            "pupil_id": people.pupils["pupil_id"].gather(pupil),
            "academic_year": _year_names(year),
            "sessions_possible": possible.astype(np.int16),
            "sessions_absent": absent.astype(np.int16),
            "sessions_unauthorised": np.floor(absent * of_absent + rest).astype(np.int16),
        }
    )


def make_assessments(chance: Chance, people: People, schools: Schools, as_of: date, rows: int | None) -> pl.DataFrame:
    """Points by term and subject, 100 where a pupil is at the standard expected for its age.

    Parameters
    ----------
    schools : of the world
    as_of : the day on which the world is seen; terms that ended before it have points
    rows : None for every subject and term of this school year and the one before; else exactly so many:
        of the last term, all three subjects of as many pupils as that will do for, those on roll last first

    Raises
    ------
    ParameterError
        ``rows`` is negative, or more than three subjects for every pupil.

    Notes
    -----
    The scale and its spread of 8 points are assumed; the shares at 100 or more are those of key stage 2, see
    :func:`otrack_risk.synth.targets.attainment`.
    """
    pupil, year, term, subject = _which(chance, people, as_of, rows)
    (agree,) = assumptions("attainment")
    drawn_to = attainment()
    disadvantaged = people.pupils["pupil_premium"].to_numpy().astype(np.int64)
    boy = (people.pupils["sex"] == "M").to_numpy().astype(np.int64)
    below = drawn_to.below(disadvantaged, boy, _provision(people))
    lasting = agree["terms_agree"]  # correlation of two terms in one subject
    shared = drawn_to.together / lasting
    three = np.arange(3)
    common = normal(chance.of("assessments.point.pupil", people.number))
    own = normal(chance.of("assessments.point.subject", people.number[:, None], three[None, :]))
    steady = np.sqrt(shared) * common[:, None] + np.sqrt(1 - shared) * own
    now = normal(chance.of("assessments.point", people.number[pupil], year * 9 + term * 3 + subject))
    drawn = np.sqrt(lasting) * steady[pupil, subject] + np.sqrt(1 - lasting) * now - below[pupil]
    level = drawn_to.levels[people.pupils["year_group"].to_numpy()[pupil], subject]
    point = np.clip(np.floor(100 + 8 * (drawn - level)), 60, 140)
    subjects = ("reading", "maths", "writing", "english", "maths", "science")
    return pl.DataFrame(
        {
            "pupil_id": people.pupils["pupil_id"].gather(pupil),
            "academic_year": _year_names(year),
            "term": gather(TERMS, term),
            "subject": gather(subjects, schools.at_secondary(people.school[pupil]) * 3 + subject),
            "point": point.astype(np.int16),
        }
    )


def _which(chance: Chance, people: People, as_of: date, rows: int | None) -> tuple[Ints, Ints, Ints, Ints]:
    """Pupil, year, term and subject of each row, pupils together."""
    now = _begun(as_of)
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
            f"{rows} assessments would be left for {n} pupils, beside the other records about people.",
            "ask for more pupils, or for fewer schools.",
        )
    order = np.lexsort((chance.of("assessments.kept", people.number), -people.last_year))
    slots_of = np.zeros(n, dtype=np.int64)
    slots_of[order] = np.clip(rows - 3 * np.arange(n), 0, 3)
    pupil = np.repeat(np.arange(n), slots_of)
    slot = np.arange(rows) - np.repeat(np.cumsum(slots_of) - slots_of, slots_of)
    last_term = np.where(people.last_year[pupil] == now, _terms_done(as_of) - 1, 2)
    return pupil, people.last_year[pupil], last_term, slot


def _provision(people: People) -> Ints:
    codes = people.pupils["sen_provision"].to_numpy()
    return np.select([codes == code for code in PROVISIONS], np.arange(len(PROVISIONS)))


def _year_names(year: Ints) -> pl.Series:
    first = int(year.min()) if len(year) else 0
    names = [f"{start}/{(start + 1) % 100:02d}" for start in range(first, int(year.max(initial=first)) + 1)]
    return gather(names, year - first)


def _terms_done(day: date) -> int:
    """Terms of the year that have ended: at Christmas, at Easter (taken as 1 April), in July."""
    return 0 if day.month >= 9 else 1 if day.month < 4 else 2 if (day.month, day.day) < (7, 22) else 3


def _begun(day: date) -> int:
    """The calendar year in which the school year of a day began."""
    return int(school_year(np.array([day], dtype="datetime64[D]"))[0])


def _sessions_so_far(day: date) -> int:
    """Sessions of the year up to a day: weekdays from 3 September less holidays, at most the whole year."""
    start = date(_begun(day), 9, 3)
    return min(_SESSIONS, 2 * int(school_days(start, (day - start).days + 1).sum()))
