"""Schools, classes and addresses of places that are on no map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from otrack_risk import reference
from otrack_risk.synth.draw import Bools, Floats, Ints, apportion, choose_by, gather
from otrack_risk.synth.targets import assumed, ethnicity, published

SECTORS_A_TOWN = 40
UNITS_A_SECTOR = 60
SCHOOLS_A_TOWN = 8


@dataclass(frozen=True)
class Schools:
    """The schools of a world; every array has one entry a school."""

    names: tuple[str, ...]
    secondary: tuple[bool, ...]
    town: Ints  # schools of one town draw on the same 40 postcode sectors
    partner: Ints  # the secondary school to which a primary's older siblings go; -1 where there is none
    places: Floats  # new pupils a year
    ethnic_mix: Floats  # (schools, codes): share of households in each code of targets.ethnicity()
    meals_share: Floats  # share of households with free meals

    def __len__(self) -> int:
        return len(self.names)

    def ids(self) -> pl.Series:
        """The key of each school."""
        return keys("S", len(self), 4)

    def phase(self) -> pl.Series:
        """``primary`` or ``secondary``."""
        return pl.Series(["secondary" if secondary else "primary" for secondary in self.secondary], dtype=pl.String)

    def at_secondary(self, school: Ints) -> Ints:
        """1 for each entry whose school is a secondary, else 0."""
        return np.array(self.secondary, dtype=np.int64)[school]

    def first_year(self) -> Ints:
        """The youngest year group: 0 (Reception) or 7."""
        return np.where(np.array(self.secondary), 7, 0)

    def years(self) -> Ints:
        """Year groups: 7 in a primary school (R to Y6), 5 in a secondary (Y7 to Y11)."""
        return np.where(np.array(self.secondary), 5, 7)

    def table(self) -> pl.DataFrame:
        """The ``schools`` table."""
        sector = _nearest_sector(np.arange(len(self)))
        return pl.DataFrame(
            {
                "school_id": self.ids(),
                "name": pl.Series(self.names, dtype=pl.String),
                "phase": self.phase(),
                "postcode": _postcode(self.town, sector, np.zeros(len(self), dtype=np.int64)),
            }
        )


def make_schools(rng: np.random.Generator, places: Sequence[tuple[bool, int]] | int, spread: float) -> Schools:
    """Invent schools: names, towns, sizes, and how each differs from the others.

    Parameters
    ----------
    rng : of this table
    places : for each school whether it is a secondary, and its places a year; or how many primary
        schools to draw from the usual sizes (one, two or three classes a year, and small rural ones)
    spread : concentration of the Dirichlet and beta distributions from which each school's ethnic mix
        and share of free meals are drawn; the smaller, the more schools differ. Over all schools both are
        raked to England's figures, weighted by pupils: a world of one school has England's mix

    Notes
    -----
    A secondary school takes the children of its partner primaries and has their mix. Without a spread between
    schools, equivalence classes come out too large: 5.1 percent of Newham's pupils are White British and
    24.7 percent of Birmingham's (DfE, Schools, pupils and their characteristics 2024/25).
    """
    drawn = _usual_sizes(rng, places) if isinstance(places, int) else list(places)
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
    weight = size * np.where(secondary, 5, 7)  # pupils on roll: places a year times year groups
    fed = _feeding(partner, weight)
    _, mix = ethnicity()
    meals = published("FSM eligible")
    heads = weight @ fed
    mixes = _raked(rng.dirichlet(np.maximum(mix * spread, 1e-3), size=fed.shape[1]), mix, heads)
    shares = rng.beta(meals * 3 * spread, (1 - meals) * 3 * spread, size=fed.shape[1])
    both = _raked(np.column_stack([shares, 1 - shares]), np.array([meals, 1 - meals]), heads)
    return Schools(
        names=_school_names(rng, secondary),
        secondary=tuple(bool(second) for second in secondary),
        town=town,
        partner=partner,
        places=size,
        ethnic_mix=fed @ mixes,
        meals_share=fed @ both[:, 0],
    )


def cohorts(schools: Schools, now: int, since: int, pupils: int) -> tuple[Ints, Ints, Ints]:
    """Cohorts of each school, and how many pupils each has: ``pupils`` in all.

    A cohort is named by the autumn in which it began (or would have begun) Reception.

    Parameters
    ----------
    now : calendar year in which the current school year began
    since : the first school year of which leavers are kept; ``now`` where none are

    Returns
    -------
    school, entry, pupils : one entry a cohort
    """
    first, years = schools.first_year(), schools.years()
    spans = years + (now - since)  # cohorts of a school: its year groups, and one a year gone by
    school = np.repeat(np.arange(len(schools)), spans)
    step = np.arange(len(school)) - np.repeat(np.cumsum(spans) - spans, spans)
    entry = now - first[school] - step  # the youngest cohort began first_year years after Reception
    return school, entry, apportion(schools.places[school], pupils)


def make_classes(school: Ints, year_group: Ints, on_roll: Ints, ids: pl.Series) -> tuple[pl.DataFrame, Ints]:
    """Classes of at most 30 for each school and year group, and the place of the first class of each.

    Parameters
    ----------
    school, year_group, on_roll : one entry a cohort: its school, its year group now, and how many are in it
    ids : keys of the schools

    Returns
    -------
    the ``classes`` table; for each cohort the row of its first class (its classes follow one another)
    """
    classes = -(-on_roll // 30)
    first = np.concatenate([[0], np.cumsum(classes)[:-1]]).astype(np.int64)
    cohort = np.repeat(np.arange(len(on_roll)), classes)
    letter = np.arange(len(cohort)) - first[cohort]
    years = ["R", *(str(year) for year in range(1, 12))]
    table = pl.DataFrame(
        {
            "class_id": keys("C", len(cohort), 5),
            "school_id": ids.gather(school[cohort]),
            "year_group": year_group[cohort],
            "name": gather(years, year_group[cohort]) + gather([chr(65 + i % 26) for i in range(200)], letter),
        }
    )
    return table, first


def make_addresses(rng: np.random.Generator, schools: Schools, school: Ints, surnames: Sequence[str]) -> pl.DataFrame:
    """Address line and postcode of households near these schools.

    A school draws on the 40 sectors of its town with falling weights, the nearest first; houses of one
    unit postcode stand in one street. The area codes begin with Z and are given to no place.

    Parameters
    ----------
    school : one entry a household
    surnames : of which streets are named
    """
    n = len(school)
    nearness = 1 / (np.arange(SECTORS_A_TOWN) + 8.0)
    sector = (choose_by(rng, nearness[None, :], np.zeros(n, dtype=np.int64)) + _nearest_sector(school)) % SECTORS_A_TOWN
    unit = rng.integers(0, UNITS_A_SECTOR, n)
    town = schools.town[school]
    kinds = ("Road", "Street", "Lane", "Close", "Avenue", "Way", "Drive", "Crescent", "Court", "Gardens", "Terrace")
    streets = [f"{name} {kind}" for kind in kinds for name in surnames]
    street = ((town * SECTORS_A_TOWN + sector) * UNITS_A_SECTOR + unit) * 7919 % len(streets)
    number = pl.Series(rng.integers(1, 120, n)).cast(pl.String)
    return pl.DataFrame(
        {"address_line": number + " " + gather(streets, street), "postcode": _postcode(town, sector, unit)}
    )


def keys(letter: str, n: int, digits: int) -> pl.Series:
    """Keys that say nothing: a letter and a number from 1.

    Examples
    --------
    >>> keys("P", 2, 6).to_list()
    ['P000001', 'P000002']
    """
    return letter + pl.int_range(1, n + 1, eager=True).cast(pl.String).str.zfill(digits)


def _usual_sizes(rng: np.random.Generator, n: int) -> list[tuple[bool, int]]:
    small = assumed("small_school")
    rest = (1 - small) / 20
    forms = rng.choice([0, 30, 60, 90], size=n, p=[small, 9 * rest, 8 * rest, 3 * rest])
    filled = rng.uniform(0.86, 1.0, n)  # few schools are full
    sizes = np.where(forms == 0, rng.integers(8, 21, n), np.rint(forms * filled))
    return [(False, int(size)) for size in sizes]


def _school_names(rng: np.random.Generator, secondary: Bools) -> tuple[str, ...]:
    (parts,) = reference.load("names_assumed").entries["place"]
    names = [start + end for start in parts["starts"] for end in parts["ends"]]
    shuffled = [names[place] for place in rng.permutation(len(names))]
    sides = ("", "North ", "South ", "East ", "West ")
    named = [side + shuffled[place] for side in sides for place in range(len(shuffled))]
    kinds = ["High School" if second else "Primary School" for second in secondary]
    again = [f" {place // len(named) + 1}" if place >= len(named) else "" for place in range(len(kinds))]
    return tuple(
        f"{named[place % len(named)]}{number} {kind}"
        for place, (number, kind) in enumerate(zip(again, kinds, strict=True))
    )


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
    rows, weight = np.maximum(rows, 1e-9), weight / weight.sum()
    for _ in range(200):
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
