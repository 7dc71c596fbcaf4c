"""Households and pupils: who lives with whom, and what a school writes down of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from otrack_risk import identifiers
from otrack_risk.synth import names
from otrack_risk.synth.draw import Bools, Chance, Days, Floats, Ints, choose, choose_by, gather, rank_within
from otrack_risk.synth.layout import Layout
from otrack_risk.synth.places import Schools, keys, make_addresses, make_classes
from otrack_risk.synth.targets import assumed, assumptions, ethnicity, not_english, published, sen_chances

AUTHORITY = 999  # no local authority has this code
ESTABLISHMENT = 9001  # the first of 999 numbers that no school is believed to have
PROVISIONS = ("N", "K", "E")  # none, SEN support, plan


@dataclass(frozen=True)
class People:
    """Who is in a town. The arrays have one entry a pupil, in the order of the table."""

    pupils: pl.DataFrame
    households: pl.DataFrame  # second addresses with them
    classes: pl.DataFrame
    number: Ints  # of the pupil, by which chance is keyed
    school: Ints  # place of the pupil's school in the world
    household: Ints  # place of the pupil's household in `homes`
    first_year: Ints  # first school year on roll, by the calendar year in which it began
    last_year: Ints  # last one; the current one for pupils on roll
    homes: Homes


@dataclass(frozen=True)
class Homes:
    """What children of one household share; one entry a household."""

    number: Ints  # of its first pupil, by which chance is keyed
    first: Ints  # row of that pupil
    school: Ints  # of that pupil
    ids: pl.Series
    ethnicity: pl.Series
    community: Ints  # of names
    language: pl.Series
    meals: Bools
    premium: Bools
    surname: pl.Series
    guardians: Ints  # 1 or 2
    apart: Bools  # the second of them lives at a second address


@dataclass(frozen=True)
class _Stay:
    """When each pupil is on roll; school years by the calendar year in which they began."""

    number: Ints  # of the pupil
    school: Ints
    entry: Ints  # in which the child's cohort began Reception
    place: Ints  # in its cohort, from 0
    first: Ints
    last: Ints


def make_people(layout: Layout, town: int) -> People:
    """Pupils on roll of a town, those who left, and the households they belong to.

    Free meals, ethnicity, language, surname and address are of the household, so that siblings share them.
    A child has an older sibling as often as families of one, two and three children say; whether it is
    met in this world depends on the years that are kept. Looked-after children live with carers of
    another name and have no sibling here.
    """
    chance, plan, schools = Chance(layout.seed), layout.plan, layout.schools
    stay = _stays(chance, layout, town)
    number = stay.number
    boy = chance.of("pupils.sex", number) < published("sex", "boys")
    in_care = chance.of("pupils.looked_after", number) < _care_chance()[boy.astype(np.int64)]
    household, born = _households(chance, schools, stay, _birth_days(chance, stay), in_care, plan.now)
    homes = _homes(chance, schools, stay, household, in_care)
    on_roll = stay.last == plan.now
    year_group = stay.last - stay.entry
    classes, class_row = _classes(chance, stay, year_group, on_roll)
    provision = _provision(chance, schools, stay, year_group, homes.meals[household], boy)
    birth_year = born.astype("datetime64[Y]").astype(np.int64) + 1970
    meals = homes.meals[household]
    forename = _forenames(chance, number, household, boy, birth_year, homes.community[household])
    left = pl.Series(_day(stay.last + 1, 7, 22)).set(pl.Series(on_roll), None)
    kept_until = pl.Series(born).dt.offset_by("25y").set(pl.Series(on_roll), None)
    table = pl.DataFrame(
        {
            "pupil_id": keys("P", number, 7),
            "upn": _upns(stay),
            "uln": _ulns(number, year_group),
            "school_id": keys("S", stay.school + 1, 5),
            "class_id": classes["class_id"].gather(pl.Series(class_row).set(pl.Series(~on_roll), None)),
            "year_group": year_group.astype(np.int16),
            "surname": homes.surname.gather(household),
            "forename": forename,
            "middle_name": _middle_names(chance, number, forename, boy, birth_year, homes.community[household]),
            "preferred_forename": names.short_forms(chance, number, forename),
            "sex": gather(("F", "M"), boy.astype(np.int64)),
            "date_of_birth": pl.Series(born),
            "ethnicity": homes.ethnicity.gather(household),
            "first_language": homes.language.gather(household),
            "fsm": meals,
            "pupil_premium": meals | homes.premium[household] | in_care,
            "sen_provision": gather(PROVISIONS, provision),
            "sen_need": _needs(chance, number, provision),
            "looked_after": in_care,
            "service_child": (chance.of("households.service", homes.number) < assumed("service_child"))[household]
            & ~in_care,
            "medical_condition": _conditions(chance, number),
            "household_id": homes.ids.gather(household),
            "admitted_on": pl.Series(_day(stay.first, 9, 3)),
            "left_on": left,
            "retain_until": kept_until,
        }
    )
    return People(
        pupils=table,
        households=_addresses(chance, schools, homes),
        classes=classes,
        number=number,
        school=stay.school,
        household=household,
        first_year=stay.first,
        last_year=stay.last,
        homes=homes,
    )


def _stays(chance: Chance, layout: Layout, town: int) -> _Stay:
    plan, schools = layout.plan, layout.schools
    here = np.flatnonzero(schools.town[layout.school] == town)
    heads = layout.heads[here]
    school, entry = np.repeat(layout.school[here], heads), np.repeat(layout.entry[here], heads)
    place = np.arange(len(school)) - np.repeat(np.cumsum(heads) - heads, heads)
    number = np.repeat(layout.first[here], heads) + place
    begin = entry + schools.first_year()[school]
    end = np.minimum(begin + schools.years()[school] - 1, plan.now)
    late = chance.of("pupils.admitted_on.late", number) < assumed("admitted_late")
    first = np.where(late, np.minimum(begin + 1 + chance.whole("pupils.admitted_on", 6, number), end), begin)
    early = (chance.of("pupils.left_on.early", number) < assumed("left_early")) & (plan.first_year < plan.now)
    from_year = np.maximum(first, plan.first_year)
    chosen = from_year + (chance.of("pupils.left_on", number) * (end - from_year + 1)).astype(np.int64)
    return _Stay(number, school, entry, place, first, np.where(early, chosen, end))


def _care_chance() -> Floats:
    """Chance of being looked after, for a girl and for a boy."""
    male, boys = published("looked after", "share male"), published("sex", "boys")
    return published("looked after", "rate") * np.array([(1 - male) / (1 - boys), male / boys])


def _birth_days(chance: Chance, stay: _Stay) -> Days:
    """Days of birth from 1 September to 31 August, the months by their births, days of a month alike."""
    months = [*range(9, 13), *range(1, 9)]
    births = [published("births in month", str(month)) for month in months]
    step = choose(chance.of("pupils.date_of_birth.month", stay.number), births)
    month = ((stay.entry - 5 - 1970) * 12 + 8 + step).astype("datetime64[M]")  # a child of 4 begins Reception
    start: Days = month.astype("datetime64[D]")
    length = ((month + 1).astype("datetime64[D]") - start).astype(np.int64)
    return start + (chance.of("pupils.date_of_birth.day", stay.number) * length).astype(np.int64)


def _households(
    chance: Chance, schools: Schools, stay: _Stay, born: Days, in_care: Bools, now: int
) -> tuple[Ints, Days]:
    """The household of each pupil, numbered from 0 by its first pupil; and birth dates, twins made alike."""
    n, number = len(born), stay.number
    older = np.full(n, -1, dtype=np.int64)
    following = np.arange(1, n + 1) % n
    same_class_year = (stay.school == stay.school[following]) & (stay.entry == stay.entry[following])
    same_class_year[-1] = False
    wanted_twin = chance.of("households.twin", number) < assumed("twin_births")
    twin = wanted_twin & same_class_year & ~in_care & ~in_care[following]
    twin[1:] &= ~twin[:-1]  # no threes
    first = np.flatnonzero(twin)
    older[following[first]] = first
    born = born.copy()
    born[following[first]] = born[first]

    (gaps,) = assumptions("sibling_gap")
    gap = choose(chance.of("households.gap", number), gaps["weights"]) + 1
    share = published("children with an older sibling") * assumed("same_school")
    asks = np.flatnonzero((chance.of("households.sibling", number) < share) & ~in_care & (older < 0))
    pool = np.flatnonzero(~in_care & ~twin)  # the second twin stands for both
    for turn in range(4):  # who met a child born too near asks again, at last for one a year older
        entry = stay.entry[asks] - gap[asks] - (turn == 3)
        moved_on = (schools.at_secondary(stay.school[asks]) == 0) & (now - entry >= 7)
        partner = schools.partner[stay.school[asks]]
        wanted = np.where(moved_on & (partner >= 0), partner, stay.school[asks]) * 10_000 + entry
        rank = rank_within(wanted, chance.of("households.sibling.ask", number[asks], np.full(len(asks), turn)))
        offered = stay.school[pool] * 10_000 + stay.entry[pool]
        drawn = chance.of("households.sibling.offer", number[pool], np.full(len(pool), turn))
        order = np.lexsort((drawn, offered))
        start, stop = (np.searchsorted(offered[order], wanted, side=side) for side in ("left", "right"))
        met = start + rank < stop
        found = np.full(len(asks), -1, dtype=np.int64)
        found[met] = pool[order[(start + rank)[met]]]
        apart = met & ((born[asks] - born[found]).astype(np.int64) >= 300)  # days; two children of one mother
        older[asks[apart]] = found[apart]
        pool = np.setdiff1d(pool, found[apart], assume_unique=True)
        asks = asks[met & ~apart]

    root = np.where(older >= 0, older, np.arange(n))
    while (root != root[root]).any():
        root = root[root]
    first_row = np.full(n, n, dtype=np.int64)
    np.minimum.at(first_row, root, np.arange(n))
    return np.unique(first_row[root], return_inverse=True)[1].astype(np.int64), born


def _homes(chance: Chance, schools: Schools, stay: _Stay, household: Ints, in_care: Bools) -> Homes:
    n = int(household.max()) + 1
    first = np.zeros(n, dtype=np.int64)
    first[household[::-1]] = np.arange(len(household))[::-1]
    number, school = stay.number[first], stay.school[first]  # where pupils go to several, the first one's
    codes, _ = ethnicity()
    code = choose_by(chance.of("households.ethnicity", number), schools.ethnic_mix, school)
    rows = {row["ethnicity"]: row["languages"] for row in assumptions("language")}
    languages = sorted({language for row in rows.values() for language in row})
    weights = np.array([[rows[of].get(language, 0.0) for language in languages] for of in codes])
    foreign = chance.of("households.english", number) < not_english()[code]
    spoken = choose_by(chance.of("households.language", number), weights, code)
    lists = names.communities(codes)[code]
    community = np.where(chance.of("households.names", number) < names.takes()[lists], lists, 0)
    refused, missing = assumed("ethnicity_refused"), assumed("ethnicity_not_obtained")
    answer = choose(chance.of("households.ethnicity.answer", number), [1 - refused - missing, refused, missing])
    guardians = np.where(chance.of("guardians.second", number) < assumed("one_guardian"), 1, 2)
    second_home = published("children with a second parental address") / (1 - assumed("one_guardian"))
    return Homes(
        number=number,
        first=first,
        school=school,
        ids=keys("H", number, 7),
        ethnicity=gather([*codes, "REFU", "NOBT"], np.where(answer > 0, len(codes) + answer - 1, code)),
        community=community,
        language=gather([*languages, "ENG"], np.where(foreign, spoken, len(languages))),
        meals=chance.of("households.fsm", number) < schools.meals[school, code],
        premium=chance.of("households.pupil_premium", number) < assumed("premium_beyond_meals"),
        surname=names.surnames(chance, "households.surname", number, community),
        guardians=guardians,
        apart=(guardians == 2) & (chance.of("households.apart", number) < second_home) & ~in_care[first],
    )


def _addresses(chance: Chance, schools: Schools, homes: Homes) -> pl.DataFrame:
    """The ``households`` table: each household, and after it the second address, where a parent lives apart."""
    streets = names.general_surnames()[0]
    other = np.flatnonzero(homes.apart)
    here = make_addresses(chance, "households.address", homes.number, schools, homes.school, streets)
    there = make_addresses(chance, "households.second", homes.number[other], schools, homes.school[other], streets)
    ids = pl.concat([homes.ids, homes.ids.gather(other) + "B"])
    return pl.concat([here, there]).insert_column(0, ids.alias("household_id")).sort("household_id")


def _classes(chance: Chance, stay: _Stay, year_group: Ints, on_roll: Bools) -> tuple[pl.DataFrame, Ints]:
    """Classes of the current year, and the row of each pupil's class; any for those who left."""
    here = np.flatnonzero(on_roll)
    groups, group, heads = np.unique(
        stay.school[here] * 100 + year_group[here], return_inverse=True, return_counts=True
    )
    table, first = make_classes(groups // 100, groups % 100, heads)
    row = np.zeros(len(on_roll), dtype=np.int64)
    shuffled = rank_within(group, chance.of("pupils.class_id", stay.number[here]))
    row[here] = first[group] + shuffled % (-(-heads[group] // 30))
    return table, row


def _provision(chance: Chance, schools: Schools, stay: _Stay, year_group: Ints, meals: Bools, boy: Bools) -> Ints:
    by_year = np.concatenate([sen_chances("primary"), sen_chances("secondary")])
    chances = by_year[year_group, meals.astype(np.int64), boy.astype(np.int64)]
    drawn = chance.of("pupils.sen_provision", stay.number)
    return np.where(drawn < chances[:, 1], 2, np.where(drawn < chances.sum(axis=1), 1, 0))


def _needs(chance: Chance, number: Ints, provision: Ints) -> pl.Series:
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
    need = choose_by(chance.of("pupils.sen_need", number), weights, provision)
    return gather(codes, np.where(provision > 0, need, -1))


def _conditions(chance: Chance, number: Ints) -> pl.Series:
    (row,) = assumptions("condition")
    has = chance.of("pupils.medical_condition.any", number) < assumed("medical")
    which = choose(chance.of("pupils.medical_condition", number), list(row["weights"].values()))
    return gather(list(row["weights"]), np.where(has, which, -1))


def _forenames(
    chance: Chance, number: Ints, household: Ints, boy: Bools, birth_year: Ints, community: Ints
) -> pl.Series:
    """First names, no two alike in one household."""
    what, turn = "pupils.forename", 0
    given = names.first_names(chance, what, (number, np.zeros_like(number)), boy, birth_year, community)
    while True:
        pairs = pl.Series(household).cast(pl.String) + given
        again = np.flatnonzero(~pairs.is_first_distinct().to_numpy())
        if not len(again):
            return given
        turn += 1
        other = names.first_names(
            chance, what, (number[again], np.full(len(again), turn)), boy[again], birth_year[again], community[again]
        )
        given = given.scatter(again, other)


def _middle_names(
    chance: Chance, number: Ints, forename: pl.Series, boy: Bools, birth_year: Ints, community: Ints
) -> pl.Series:
    """Middle names of most children, one word each; none that says the first name again."""
    drawn = names.first_names(chance, "pupils.middle_name", (number,), boy, birth_year, community)
    drawn = drawn.str.split("-").list.first()
    has = pl.Series(chance.of("pupils.middle_name.any", number) < assumed("middle_name"))
    return drawn.set(~has | (drawn == forename), None)


def _upns(stay: _Stay) -> pl.Series:
    """UPNs that fail their check letter, of schools that do not exist: nobody's."""
    authority, establishment = AUTHORITY - stay.school // 999, ESTABLISHMENT + stay.school % 999
    body = ((authority * 10_000 + establishment) * 100 + stay.entry % 100) * 1000 + stay.place + 1
    total = sum((body // 10 ** (11 - place)) % 10 * (place + 2) for place in range(12))
    letter = gather(list(identifiers.UPN_ALPHABET), (total + 1) % 23)  # one beyond the right one
    return letter + pl.Series(body).cast(pl.String)


def _ulns(number: Ints, year_group: Ints) -> pl.Series:
    """ULNs of ten digits that fail their check, from year 9 on; no two alike, and in no order."""
    base = 100_000_000 + number * 472_882_027 % 900_000_000
    remainder = sum((base // 10 ** (8 - place)) % 10 * (10 - place) for place in range(9)) % 11
    wrong = (11 - remainder) % 10  # one beyond the right digit, 10 - remainder
    return pl.Series(base * 10 + wrong).cast(pl.String).set(pl.Series(year_group < 9), None)


def _day(year: Ints, month: int, day: int) -> Days:
    first: Days = ((year - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[D]")
    return first + (day - 1)
