"""Households and pupils: who lives with whom, and what a school writes down of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from otrack_risk import identifiers
from otrack_risk.errors import ParameterError
from otrack_risk.synth import names
from otrack_risk.synth.draw import Bools, Days, Floats, Ints, choose, choose_by, gather, rank_within
from otrack_risk.synth.places import Schools, cohorts, keys, make_addresses, make_classes
from otrack_risk.synth.targets import assumed, assumptions, ethnicity, published, sen_chances

AUTHORITY = 999  # no local authority has this code
ESTABLISHMENT = 9001  # the first of 999 numbers that no school is believed to have
PROVISIONS = ("N", "K", "E")  # none, SEN support, plan


@dataclass(frozen=True)
class People:
    """Who is in the world. The arrays have one entry a pupil, in the order of the table."""

    pupils: pl.DataFrame
    households: pl.DataFrame
    classes: pl.DataFrame
    school: Ints  # place of the pupil's school
    household: Ints  # place of the pupil's household
    first_year: Ints  # first school year on roll, by the calendar year in which it began
    last_year: Ints  # last one; the current one for pupils on roll


@dataclass(frozen=True)
class _Stay:
    """When each pupil is on roll; school years by the calendar year in which they began."""

    school: Ints
    entry: Ints  # in which the child's cohort began Reception
    first: Ints
    last: Ints


@dataclass(frozen=True)
class _Homes:
    """What children of one household share; one entry a household."""

    school: Ints
    ethnicity: pl.Series
    community: Ints  # of names
    language: pl.Series
    meals: Bools
    premium: Bools
    surname: pl.Series


def make_people(rng: np.random.Generator, schools: Schools, *, pupils: int, now: int, since: int) -> People:
    """Pupils on roll, those who left, and the households they belong to.

    Free meals, ethnicity, language, surname and address are of the household, so that siblings share them.
    A child has an older sibling as often as families of one, two and three children say; whether it is
    met in this world depends on the years that are kept. Looked-after children live with carers of
    another name and have no sibling here.

    Parameters
    ----------
    rng : of this table
    pupils : of all schools, leavers with them
    now : calendar year in which the current school year began
    since : first school year of which leavers are kept; ``now`` where none are

    Raises
    ------
    ParameterError
        More than 999 pupils in one school and year: their UPNs would run out of numbers.
    """
    stay = _stays(rng, schools, pupils, now, since)
    boy = rng.random(pupils) < published("sex", "boys")
    in_care = rng.random(pupils) < _care_chance()[boy.astype(np.int64)]
    household, born = _households(rng, schools, stay, _birth_days(rng, stay.entry), in_care, now)
    homes = _homes(rng, schools, stay.school, household)
    on_roll = stay.last == now
    classes, class_row = _classes(rng, schools, stay, on_roll)
    provision = _provision(rng, schools, stay.school, homes.meals[household], boy)
    birth_year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    home_ids = keys("H", len(homes.school), 6)
    table = pl.DataFrame(
        {
            "pupil_id": keys("P", pupils, 6),
            "upn": _upns(stay),
            "school_id": schools.ids().gather(stay.school),
            "class_id": gather(classes["class_id"].to_list(), class_row),
            "year_group": (stay.last - stay.entry).astype(np.int16),
            "surname": homes.surname.gather(household),
            "forename": _forenames(rng, household, boy, birth_year, homes.community[household]),
            "sex": gather(("F", "M"), boy.astype(np.int64)),
            "date_of_birth": pl.Series(born),
            "ethnicity": homes.ethnicity.gather(household),
            "first_language": homes.language.gather(household),
            "fsm": homes.meals[household],
            "pupil_premium": homes.meals[household] | homes.premium[household] | in_care,
            "sen_provision": gather(PROVISIONS, provision),
            "sen_need": _needs(rng, provision),
            "looked_after": in_care,
            "medical_condition": _conditions(rng, pupils),
            "household_id": home_ids.gather(household),
            "admitted_on": pl.Series(_day(stay.first, 9, 3)),
            "left_on": pl.Series(_day(stay.last + 1, 7, 22)).set(pl.Series(on_roll), None),
        }
    )
    address = make_addresses(rng, schools, homes.school, names.general_surnames()[0])
    return People(
        pupils=table,
        households=address.insert_column(0, home_ids.alias("household_id")),
        classes=classes,
        school=stay.school,
        household=household,
        first_year=stay.first,
        last_year=stay.last,
    )


def _stays(rng: np.random.Generator, schools: Schools, pupils: int, now: int, since: int) -> _Stay:
    cohort_school, cohort_entry, heads = cohorts(schools, now, since, pupils)
    if heads.max() > 999:
        raise ParameterError(
            f"{int(heads.max())} pupils would be in one year group of one school, and a UPN numbers 999.",
            "ask for more schools, or for fewer pupils.",
        )
    school, entry = np.repeat(cohort_school, heads), np.repeat(cohort_entry, heads)
    begin = entry + schools.first_year()[school]
    end = np.minimum(begin + schools.years()[school] - 1, now)
    late = rng.random(pupils) < assumed("admitted_late")
    first = np.where(late, np.minimum(begin + rng.integers(1, 7, pupils), end), begin)
    early = (rng.random(pupils) < assumed("left_early")) & (since < now)
    from_year = np.maximum(first, since)
    chosen = from_year + (rng.random(pupils) * (end - from_year + 1)).astype(np.int64)
    return _Stay(school, entry, first, np.where(early, chosen, end))


def _care_chance() -> Floats:
    """Chance of being looked after, for a girl and for a boy."""
    male, boys = published("looked after", "share male"), published("sex", "boys")
    return published("looked after", "rate") * np.array([(1 - male) / (1 - boys), male / boys])


def _birth_days(rng: np.random.Generator, entry: Ints) -> Days:
    """Days of birth from 1 September to 31 August, the months by their births, days of a month alike."""
    months = [*range(9, 13), *range(1, 9)]
    step = choose(rng, [published("births in month", str(month)) for month in months], len(entry))
    month = ((entry - 5 - 1970) * 12 + 8 + step).astype("datetime64[M]")  # a child of 4 begins Reception
    start: Days = month.astype("datetime64[D]")
    length = ((month + 1).astype("datetime64[D]") - start).astype(np.int64)
    return start + (rng.random(len(entry)) * length).astype(np.int64)


def _households(
    rng: np.random.Generator, schools: Schools, stay: _Stay, born: Days, in_care: Bools, now: int
) -> tuple[Ints, Days]:
    """The household of each pupil, numbered from 0; and birth dates, twins made alike."""
    n = len(born)
    older = np.full(n, -1, dtype=np.int64)
    following = np.arange(1, n + 1) % n
    same_class_year = (stay.school == stay.school[following]) & (stay.entry == stay.entry[following])
    twin = (rng.random(n) < assumed("twin_births")) & same_class_year & ~in_care & ~in_care[following]
    twin[1:] &= ~twin[:-1]  # no threes
    first = np.flatnonzero(twin)
    older[following[first]] = first
    born = born.copy()
    born[following[first]] = born[first]

    (gaps,) = assumptions("sibling_gap")
    gap = choose(rng, gaps["weights"], n) + 1
    chance = published("children with an older sibling") * assumed("same_school")
    asks = np.flatnonzero((rng.random(n) < chance) & ~in_care & (older < 0))
    wanted_entry = stay.entry[asks] - gap[asks]
    primary = schools.at_secondary(stay.school[asks]) == 0
    moved_on = primary & (now - wanted_entry >= 7) & (schools.partner[stay.school[asks]] >= 0)
    wanted_school = np.where(moved_on, schools.partner[stay.school[asks]], stay.school[asks])
    wanted = wanted_school * 10_000 + wanted_entry
    rank = rank_within(wanted, rng.random(len(asks)))
    pool = np.flatnonzero(~in_care & ~twin)  # the second twin stands for both
    offered = stay.school[pool] * 10_000 + stay.entry[pool]
    order = np.lexsort((rng.random(len(pool)), offered))
    start, stop = (np.searchsorted(offered[order], wanted, side=side) for side in ("left", "right"))
    met = start + rank < stop
    asks, found = asks[met], pool[order[(start + rank)[met]]]
    apart = (born[asks] - born[found]).astype(np.int64) >= 300  # days; two children of one mother
    older[asks[apart]] = found[apart]

    root = np.where(older >= 0, older, np.arange(n))
    while (root != root[root]).any():
        root = root[root]
    return np.unique(root, return_inverse=True)[1].astype(np.int64), born


def _homes(rng: np.random.Generator, schools: Schools, pupil_school: Ints, household: Ints) -> _Homes:
    n = int(household.max()) + 1
    school = np.zeros(n, dtype=np.int64)
    school[household[::-1]] = pupil_school[::-1]  # where pupils go to several, the first one's
    codes, _ = ethnicity()
    code = choose_by(rng, schools.ethnic_mix, school)
    rows = {row["ethnicity"]: row for row in assumptions("language")}
    languages = sorted({language for row in rows.values() for language in row["languages"]})
    weights = np.array([[rows[of]["languages"].get(language, 0.0) for language in languages] for of in codes])
    foreign = rng.random(n) < np.array([rows[of]["not_english"] for of in codes])[code]
    spoken = choose_by(rng, weights, code)
    lists = names.communities(codes)[code]
    community = np.where(rng.random(n) < names.takes()[lists], lists, 0)
    refused, missing = assumed("ethnicity_refused"), assumed("ethnicity_not_obtained")
    answer = choose(rng, [1 - refused - missing, refused, missing], n)
    written = np.where(answer > 0, len(codes) + answer - 1, code)
    meals = rng.random(n) < schools.meals_share[school]
    return _Homes(
        school=school,
        ethnicity=gather([*codes, "REFU", "NOBT"], written),
        community=community,
        language=gather([*languages, "ENG"], np.where(foreign, spoken, len(languages))),
        meals=meals,
        premium=rng.random(n) < assumed("premium_beyond_meals"),
        surname=names.surnames(rng, community),
    )


def _classes(rng: np.random.Generator, schools: Schools, stay: _Stay, on_roll: Bools) -> tuple[pl.DataFrame, Ints]:
    """Classes of the current year, and the row of each pupil's class; -1 for those who left."""
    year_group = stay.last - stay.entry
    here = np.flatnonzero(on_roll)
    groups, group, heads = np.unique(
        stay.school[here] * 100 + year_group[here], return_inverse=True, return_counts=True
    )
    table, first = make_classes(groups // 100, groups % 100, heads, schools.ids())
    row = np.full(len(on_roll), -1, dtype=np.int64)
    row[here] = first[group] + rank_within(group, rng.random(len(here))) % (-(-heads[group] // 30))
    return table, row


def _provision(rng: np.random.Generator, schools: Schools, school: Ints, meals: Bools, boy: Bools) -> Ints:
    by_phase = np.stack([sen_chances("primary"), sen_chances("secondary")])
    chance = by_phase[schools.at_secondary(school), meals.astype(np.int64), boy.astype(np.int64)]
    drawn = rng.random(len(school))
    return np.where(drawn < chance[:, 1], 2, np.where(drawn < chance.sum(axis=1), 1, 0))


def _needs(rng: np.random.Generator, provision: Ints) -> pl.Series:
    """Primary need by provision; None without one."""
    most = {"E": ("ASD", published("EHC plan", "share with ASD as primary need"))}
    most["K"] = ("SLCN", published("SEN support", "share with SLCN as primary need"))
    rows = {row["provision"]: row["weights"] for row in assumptions("need")}
    codes = sorted({"ASD", "SLCN", *rows["E"], *rows["K"]})
    weights = np.ones((3, len(codes)))
    for place, letter in enumerate(PROVISIONS[1:], start=1):
        first, share = most[letter]
        total = sum(rows[letter].values())
        weights[place] = [rows[letter].get(code, 0.0) / total * (1 - share) for code in codes]
        weights[place, codes.index(first)] = share
    return gather(codes, np.where(provision > 0, choose_by(rng, weights, provision), -1))


def _conditions(rng: np.random.Generator, n: int) -> pl.Series:
    (row,) = assumptions("condition")
    has = rng.random(n) < assumed("medical")
    return gather(list(row["weights"]), np.where(has, choose(rng, list(row["weights"].values()), n), -1))


def _forenames(rng: np.random.Generator, household: Ints, boy: Bools, birth_year: Ints, community: Ints) -> pl.Series:
    """First names, no two alike in one household."""
    given = names.first_names(rng, boy, birth_year, community)
    while True:
        pairs = pl.Series(household).cast(pl.String) + given
        again = np.flatnonzero(~pairs.is_first_distinct().to_numpy())
        if not len(again):
            return given
        given = given.scatter(again, names.first_names(rng, boy[again], birth_year[again], community[again]))


def _upns(stay: _Stay) -> list[str]:
    """UPNs that fail their check letter, of schools that do not exist: nobody's."""
    serial = rank_within(stay.school * 10_000 + stay.entry, np.arange(len(stay.school))) + 1
    rows = zip(stay.school.tolist(), stay.entry.tolist(), serial.tolist(), strict=True)
    return [
        identifiers.upn(AUTHORITY - school // 999, ESTABLISHMENT + school % 999, entry, number, valid=False)
        for school, entry, number in rows
    ]


def _day(year: Ints, month: int, day: int) -> Days:
    first: Days = ((year - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[D]")
    return first + (day - 1)
