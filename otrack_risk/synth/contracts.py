"""What each member of staff was employed as, and when: promotions, returns, assignments of supply teachers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from otrack_risk.synth.draw import Bools, Days, Ints, gather, numbers
from otrack_risk.synth.targets import assumed

if TYPE_CHECKING:
    from otrack_risk.synth.draw import Chance
    from otrack_risk.synth.town import Town

KINDS = ("permanent", "fixed_term", "supply", "volunteer")
_BEFORE = {  # the job that somebody had before this one; in other jobs only the terms change
    "headteacher": "slt",
    "slt": "class_teacher",
    "dsl": "class_teacher",
    "senco": "class_teacher",
    "data_manager": "office_admin",
}
_HOURS = (1.0, 0.8, 0.6, 0.5)  # of full time
_MOST = 9  # contracts of one person: the key of a contract ends in one digit
_SHORTEST = 90  # days of a contract before a promotion


def make_contracts(chance: Chance, town: Town) -> pl.DataFrame:
    """Contracts of every member of staff, oldest first; no two of one person overlap.

    The first begins on the day on which the person started, the last has the job and school of ``staff`` and ends
    with it. Contracts change on 1 September; some who return were away for a year in between. A supply teacher
    comes for assignments, of which all but the last may be at another school of the town.

    Returns
    -------
    contract_id, staff_id, school_id, job, kind (of :data:`KINDS`), fte (of full time, null for volunteers),
    started_on, ended_on (null while it runs)
    """
    staff = town["staff"]
    key = numbers(staff["staff_id"])
    began = _days(staff["started_on"], town.plan.as_of)
    over = np.maximum(_days(staff["ended_on"], town.plan.as_of), began)
    visits = (staff["job"] == "supply_teacher").to_numpy()
    stays = (staff["job"] == "governor").to_numpy() | visits
    who, start, stop = (
        np.concatenate(parts)
        for parts in zip(
            _terms(chance, key, began, over, np.flatnonzero(~stays)),
            _assignments(chance, key, began, over, np.flatnonzero(visits)),
            _whole(began, over, np.flatnonzero(stays & ~visits)),
            strict=True,
        )
    )
    order = np.lexsort((start, who))
    who, start, stop = who[order], start[order], stop[order]
    first = np.searchsorted(who, who, side="left")
    place = np.arange(len(who)) - first
    last = np.append(who[1:] != who[:-1], True)[: len(who)]
    schools = town["schools"]["school_id"]
    other = chance.whole("contracts.school_id", len(schools), key[who], place)
    away = pl.Series(visits[who] & ~last)
    job = staff["job"].gather(who)
    before = job.replace_strict(_BEFORE, default=job, return_dtype=pl.String)
    running = staff["ended_on"].is_null().gather(who) & pl.Series(last)
    return pl.DataFrame(
        {
            "contract_id": "K" + staff["staff_id"].gather(who).str.slice(1) + pl.Series(place + 1).cast(pl.String),
            "staff_id": staff["staff_id"].gather(who),
            "school_id": schools.gather(other).zip_with(away, staff["school_id"].gather(who)),
            "job": job.zip_with(pl.Series(last), before),
            "kind": _kinds(chance, key[who], place, job, last),
            "fte": _hours(chance, key[who], place, job),
            "started_on": pl.Series(start),
            "ended_on": pl.Series(stop).set(running, None),
        }
    )


def _days(days: pl.Series, missing: date) -> Days:
    found: Days = days.fill_null(missing).to_numpy().astype("datetime64[D]")
    return found


def _whole(began: Days, over: Days, who: Ints) -> tuple[Ints, Days, Days]:
    return who, began[who], over[who]


def _terms(chance: Chance, key: Ints, began: Days, over: Days, who: Ints) -> tuple[Ints, Days, Days]:
    """One to three contracts: the later ones begin on a 1 September within the time."""
    begin, end = began[who], over[who]
    first = _next_september(begin + _SHORTEST)
    room = np.maximum(_next_september(end - _SHORTEST) - first, 0)  # Septembers to choose from
    draw = chance.of("contracts.promoted", key[who])
    often = assumed("contract_changed")
    one = (room > 0) & (draw < often)
    again = one & (room > 1) & (draw < often * often)
    year = first + (chance.of("contracts.first_change", key[who]) * np.where(again, room - 1, room)).astype(np.int64)
    left = np.maximum(first + room - 1 - year, 0)
    later = year + 1 + (chance.of("contracts.second_change", key[who]) * left).astype(np.int64)
    ends_next = np.where(again, later, first + room)  # the September before which a return has to be
    away = one & (chance.of("contracts.returned", key[who]) < assumed("contract_returned")) & (year + 1 < ends_next)
    stops = [np.where(one, _september(year) - 1, end), np.where(again, _september(later) - 1, end), end]
    starts = [begin, _september(year + away), _september(later)]
    there = [np.ones(len(who), dtype=np.bool_), one, again]
    return (
        np.concatenate([who[some] for some in there]),
        np.concatenate([start[some] for start, some in zip(starts, there, strict=True)]),
        np.concatenate([stop[some] for stop, some in zip(stops, there, strict=True)]),
    )


def _assignments(chance: Chance, key: Ints, began: Days, over: Days, who: Ints) -> tuple[Ints, Days, Days]:
    """Up to nine assignments, each for part of an equal share of the time; the last one runs to its end."""
    length = (over[who] - began[who]).astype(np.int64)
    each = np.clip(length // _SHORTEST, 1, 1 + chance.whole("contracts.assignments", _MOST, key[who]))
    row = np.repeat(np.arange(len(who)), each)
    step = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    share = length[row] // each[row]
    last = step == each[row] - 1
    days = (share * (0.2 + 0.7 * chance.of("contracts.assigned", key[who][row], step))).astype(np.int64)
    start = began[who][row] + share * step
    return who[row], start, np.where(last, over[who][row], start + days)


def _next_september(day: Days) -> Ints:
    """The year of the first 1 September that is not before the day."""
    year = day.astype("datetime64[Y]").astype(np.int64) + 1970
    found: Ints = year + (day > _september(year))
    return found


def _september(year: Ints) -> Days:
    found: Days = ((year - 1970) * 12 + 8).astype("datetime64[M]").astype("datetime64[D]")
    return found


def _kinds(chance: Chance, key: Ints, place: Ints, job: pl.Series, last: Bools) -> pl.Series:
    """Volunteers govern, supply teachers visit; a first contract that another follows is often for a fixed term."""
    often = np.where((place == 0) & ~last, assumed("contract_first_fixed"), assumed("contract_fixed"))
    fixed = (chance.of("contracts.kind", key, place) < often).astype(np.int64)
    known = [(job == "governor").to_numpy(), (job == "supply_teacher").to_numpy()]
    return gather(KINDS, np.select(known, [np.int64(3), np.int64(2)], fixed))


def _hours(chance: Chance, key: Ints, place: Ints, job: pl.Series) -> pl.Series:
    full = assumed("contract_full_time")
    u = chance.of("contracts.fte", key, place)
    part = 1 + np.minimum(((u - full) / (1 - full) * (len(_HOURS) - 1)).astype(np.int64), len(_HOURS) - 2)
    hours = pl.Series(np.array(_HOURS)[np.where(u < full, 0, part)])
    return hours.set(job == "governor", None)
