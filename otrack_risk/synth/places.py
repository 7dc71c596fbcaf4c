"""Schools, classes and addresses of places that are on no map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from otrack_risk import reference
from otrack_risk.synth.draw import Bools, Chance, Floats, Ints, beta, choose, gather, rank_within
from otrack_risk.synth.targets import assumed, ethnicity, meals_share, published, scaled_odds

SECTORS_A_TOWN = 40
UNITS_A_SECTOR = 60
SCHOOLS_A_TOWN = 8


@dataclass(frozen=True)
class Schools:
    """The schools of a world; every array has one entry a school."""

    names: tuple[str, ...]
    secondary: Bools
    town: Ints  # schools of one town draw on the same 40 postcode sectors
    partner: Ints  # the secondary school to which a primary's older siblings go; -1 where there is none
    places: Floats  # new pupils a year
    ethnic_mix: Floats  # (schools, codes): share of households in each code of targets.ethnicity()
    meals: Floats  # (schools, codes): chance of free meals of a household of each code

    def __len__(self) -> int:
        return len(self.names)

    @property
    def towns(self) -> int:
        """How many towns there are, numbered from 0."""
        return int(self.town.max()) + 1

    def at_secondary(self, school: Ints) -> Ints:
        """1 for each entry whose school is a secondary, else 0."""
        return self.secondary[school].astype(np.int64)

    def first_year(self) -> Ints:
        """The youngest year group: 0 (Reception) or 7."""
        return np.where(self.secondary, 7, 0)

    def years(self) -> Ints:
        """Year groups: 7 in a primary school (R to Y6), 5 in a secondary (Y7 to Y11)."""
        return np.where(self.secondary, 5, 7)

    def table(self, school: Ints) -> pl.DataFrame:
        """The ``schools`` table of these."""
        return pl.DataFrame(
            {
                "school_id": keys("S", school + 1, 5),
                "name": gather(self.names, school),
                "phase": gather(("primary", "secondary"), self.at_secondary(school)),
                "postcode": _postcode(self.town[school], _nearest_sector(school), np.zeros(len(school), np.int64)),
            }
        )


def make_schools(
    chance: Chance,
    places: Sequence[tuple[bool, int]] | int,
    spread: float,
    within: float,
    pupils_a_year: float | None = None,
) -> Schools:
    """Invent schools: names, towns, sizes, and how each differs from the others.

    Parameters
    ----------
    chance : of the world
    places : for each school whether it is a secondary, and its places a year; or how many primary
        schools to draw from the usual sizes (one, two or three classes a year, and small rural ones)
    spread, within : concentration of the Dirichlet distributions from which each town's ethnic mix is drawn
        around England's, and each school's around its town's (of the beta distributions of free meals, five
        times that); the smaller, the more they differ. Over all schools both are raked to England's figures, weighted
        by pupils: a world of one school has England's mix
    pupils_a_year : children of one year in all schools, where sizes are drawn; else as the usual sizes have it

    Notes
    -----
    A secondary school takes the children of its partner primaries and has their mix. Without a spread between
    schools, equivalence classes come out too large: 5.1 percent of Newham's pupils are White British and
    24.7 percent of Birmingham's (DfE, Schools, pupils and their characteristics 2024/25).
    """
    drawn = _usual_sizes(chance, places, pupils_a_year or 41 * places) if isinstance(places, int) else list(places)
    n = len(drawn)
    secondary = np.array([second for second, _ in drawn])
    size = np.array([place for _, place in drawn], dtype=np.float64)
    town = np.arange(n) // SCHOOLS_A_TOWN
    seconds = np.flatnonzero(secondary)
    primaries = np.flatnonzero(~secondary)
    partner = np.full(n, -1, dtype=np.int64)
    if len(seconds):
        partner[primaries] = seconds[np.arange(len(primaries)) % len(seconds)]
        town[primaries] = town[partner[primaries]]
    town = np.unique(town, return_inverse=True)[1].astype(np.int64)
    weight = size * np.where(secondary, 5, 7)  # pupils on roll: places a year times year groups
    fed = _feeding(partner, weight)
    own = np.setdiff1d(np.arange(n), partner)  # schools with an intake of their own
    _, mix = ethnicity()
    areas = _dirichlet(chance, "town.mix", np.arange(town.max() + 1), np.tile(mix * spread, (town.max() + 1, 1)))
    mixes = _dirichlet(chance, "school.mix", own, areas[town[own]] * within)
    mixes = _raked(mixes, mix, weight @ fed)
    ethnic_mix = np.asarray(np.round(fed @ mixes, 9), dtype=np.float64)
    return Schools(
        names=_school_names(chance, secondary),
        secondary=secondary,
        town=town,
        partner=partner,
        places=size,
        ethnic_mix=ethnic_mix,
        meals=_meals(chance, fed, own, town, secondary, weight, ethnic_mix, spread, within),
    )


def make_classes(school: Ints, year_group: Ints, on_roll: Ints) -> tuple[pl.DataFrame, Ints]:
    """Classes of at most 30 for each school and year group, and the place of the first class of each.

    Parameters
    ----------
    school, year_group, on_roll : one entry a cohort, the cohorts of a school together: its school, its year
        group now, and how many are in it

    Returns
    -------
    the ``classes`` table; for each cohort the row of its first class (its classes follow one another)
    """
    classes = -(-on_roll // 30)
    first = (np.cumsum(classes) - classes).astype(np.int64)
    cohort = np.repeat(np.arange(len(on_roll)), classes)
    of = school[cohort]
    years = ["R", *(str(year) for year in range(1, 12))]
    letters = [chr(65 + place % 26) + "A" * (place // 26) for place in range(200)]
    table = pl.DataFrame(
        {
            "class_id": keys("C", (of + 1) * 1000 + rank_within(of, np.arange(len(of))) + 1, 8),
            "school_id": keys("S", of + 1, 5),
            "year_group": year_group[cohort].astype(np.int16),
            "name": gather(years, year_group[cohort]) + gather(letters, np.arange(len(cohort)) - first[cohort]),
        }
    )
    return table, first


def make_addresses(
    chance: Chance, what: str, key: Ints, schools: Schools, school: Ints, surnames: Sequence[str]
) -> pl.DataFrame:
    """Address line and postcode of households near these schools.

    A school draws on the 40 sectors of its town with falling weights, the nearest first; houses of one
    unit postcode stand in one street. The area codes begin with Z and are given to no place.

    Parameters
    ----------
    what, key : the question and the number of each household, by which chance is keyed
    school : one entry a household
    surnames : of which streets are named
    """
    nearness = 1 / (np.arange(SECTORS_A_TOWN) + 8.0)
    sector = (choose(chance.of(f"{what}.sector", key), nearness) + _nearest_sector(school)) % SECTORS_A_TOWN
    unit = chance.whole(f"{what}.unit", UNITS_A_SECTOR, key)
    town = schools.town[school]
    kinds = ("Road", "Street", "Lane", "Close", "Avenue", "Way", "Drive", "Crescent", "Court", "Gardens", "Terrace")
    streets = [f"{name} {kind}" for kind in kinds for name in surnames]
    street = ((town * SECTORS_A_TOWN + sector) * UNITS_A_SECTOR + unit) * 7919 % len(streets)
    number = pl.Series(chance.whole(f"{what}.house", 119, key) + 1).cast(pl.String)
    return pl.DataFrame(
        {"address_line": number + " " + gather(streets, street), "postcode": _postcode(town, sector, unit)}
    )


def keys(letter: str, number: Ints, digits: int) -> pl.Series:
    """Keys that say nothing: a letter and a number.

    Examples
    --------
    >>> keys("P", np.array([1, 2]), 6).to_list()
    ['P000001', 'P000002']
    """
    return letter + pl.Series(number, dtype=pl.Int64).cast(pl.String).str.zfill(digits)


def _usual_sizes(chance: Chance, n: int, pupils_a_year: float) -> list[tuple[bool, int]]:
    """Places a year of primary schools, in all near ``pupils_a_year``: classes of up to 30, few of them quite full.

    Where the drawn schools have too many classes, or too few, some get one less or more.
    """
    small, school = assumed("small_school"), np.arange(n)
    weights = [small, *((1 - small) * part / 20 for part in (9, 8, 3))]
    classes = choose(chance.of("schools.forms", school), weights)  # 0: a small school
    few = 8 + chance.whole("schools.small", 13, school)
    wanted = pupils_a_year - few[classes == 0].sum()
    surplus = int(classes.sum()) - round(wanted / (30 * assumed("class_filled")))
    turn = np.argsort(chance.of("schools.forms.turn", school), kind="stable")
    less, more = turn[classes[turn] > 1], turn[(classes[turn] > 0) & (classes[turn] < 3)]
    classes[less[: max(surplus, 0)]] -= 1
    classes[more[: max(-surplus, 0)]] += 1
    full = np.clip(wanted / (30 * max(int(classes.sum()), 1)), 0.75, 1)
    filled = 1 - 2 * (1 - full) * chance.of("schools.filled", school)
    sizes = np.where(classes == 0, few, np.rint(30 * classes * filled))
    return [(False, int(size)) for size in sizes]


def _school_names(chance: Chance, secondary: Bools) -> tuple[str, ...]:
    (parts,) = reference.load("names_assumed").entries["place"]
    names = [start + end for start in parts["starts"] for end in parts["ends"]]
    shuffled = [names[place] for place in np.argsort(chance.of("schools.name", np.arange(len(names))), kind="stable")]
    sides = ("", "North ", "South ", "East ", "West ")
    named = [side + shuffled[place] for side in sides for place in range(len(shuffled))]
    kinds = ["High School" if second else "Primary School" for second in secondary]
    again = [f" {place // len(named) + 1}" if place >= len(named) else "" for place in range(len(kinds))]
    return tuple(
        f"{named[place % len(named)]}{number} {kind}"
        for place, (number, kind) in enumerate(zip(again, kinds, strict=True))
    )


def _meals(
    chance: Chance,
    fed: Floats,
    own: Ints,
    town: Ints,
    secondary: Bools,
    weight: Floats,
    mix: Floats,
    spread: float,
    within: float,
) -> Floats:
    """Chance of free meals by school and ethnicity: each school its share, each phase and published group England's.

    Raked over schools, codes and yes or no; a code without a published share has the odds of its school.
    """
    codes, _ = ethnicity()
    level = np.where(secondary, meals_share("secondary"), meals_share("primary"))
    towns = np.arange(town.max() + 1)
    base = meals_share("primary")
    area = beta(chance.of("town.meals", towns), base * 5 * spread, (1 - base) * 5 * spread)
    area = np.clip(area, 0.02, 0.9)[town[own]]
    drawn = beta(chance.of("school.meals", own), area * 5 * within, (1 - area) * 5 * within)
    share = np.clip(fed @ drawn, 0.01, 0.95)
    for phase in (False, True):
        of = secondary == phase
        if of.any():
            share[of] = scaled_odds(share[of], weight[of] / weight[of].sum(), float(level[of][0]))
    heads = weight[:, None] / weight.sum() * mix
    yes, no = heads * share[:, None], heads * (1 - share[:, None])
    known = {"AIND": published("FSM eligible", "Indian"), "CHNE": published("FSM eligible", "Chinese")}
    for _ in range(200):
        for code, wanted in known.items():
            place = codes.index(code)
            yes[:, place] *= wanted * heads[:, place].sum() / yes[:, place].sum()
            no[:, place] *= (1 - wanted) * heads[:, place].sum() / no[:, place].sum()
        yes *= (share * heads.sum(axis=1) / yes.sum(axis=1))[:, None]
        no *= ((1 - share) * heads.sum(axis=1) / no.sum(axis=1))[:, None]
        both = heads / np.maximum(yes + no, 1e-300)
        yes, no = yes * both, no * both
    return np.asarray(np.round(yes / np.maximum(yes + no, 1e-300), 9), dtype=np.float64)


def _dirichlet(chance: Chance, what: str, row: Ints, parameters: Floats) -> Floats:
    """Shares drawn around those of each row, by quantiles of the gamma distribution."""
    from scipy.special import gammaincinv

    codes = np.arange(parameters.shape[1])
    u = chance.of(what, row[:, None], codes[None, :])
    drawn = np.round(gammaincinv(np.maximum(parameters, 1e-3), u), 9) + 1e-7
    shares: Floats = drawn / drawn.sum(axis=1, keepdims=True)
    return shares


def _feeding(partner: Ints, weight: Floats) -> Floats:
    """How much of each school's intake (rows) is like that of each school with an intake of its own (columns).

    A secondary school with partner primaries is the mean of these; any other school is like itself.
    """
    whose = np.eye(len(partner))
    for school in np.unique(partner[partner >= 0]):
        feeders = partner == school
        whose[school] = np.where(feeders, weight, 0) / weight[feeders].sum()
    own = np.setdiff1d(np.arange(len(partner)), partner)
    return whose[:, own]


def _raked(rows: Floats, want: Floats, weight: Floats) -> Floats:
    """Rows that each add up to 1 and of which the weighted mean is ``want``."""
    weight = weight / weight.sum()
    for _ in range(400):
        rows = rows * (want / (weight @ rows))[None, :]
        rows = rows / rows.sum(axis=1, keepdims=True)
    return rows


def _nearest_sector(school: Ints) -> Ints:
    return school * 11 % SECTORS_A_TOWN


def _postcode(town: Ints, sector: Ints, unit: Ints) -> pl.Series:
    """Five districts of eight sectors a town, from ZA1 on; no area of the United Kingdom but ZE begins with Z."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"  # of which the last two of a postcode are made
    district = town * 5 + sector // 8
    areas = [f"Z{letter}" for letter in "ABCDFGHKLMNPQRTUVWXY"]
    pair = unit * 6 + sector  # below 400: 60 units of one sector are distinct
    outward = gather(areas, district // 98 % len(areas)) + pl.Series(district % 98 + 1).cast(pl.String)
    inward = pl.Series(sector % 8 + 1).cast(pl.String) + gather([a + b for a in letters for b in letters], pair)
    return outward + " " + inward
