"""Names that look like a class list: of the right sex and year of birth, with a long tail, nobody's in particular."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import polars as pl

from otrack_risk import reference
from otrack_risk.synth.draw import Bools, Chance, Floats, Ints, choose, choose_by, gather
from otrack_risk.synth.targets import assumed, ethnicity

_YEARS = range(2006, 2022)  # of the births that are counted by name

_ABROAD = ("fr_FR", "es_ES", "it_IT", "nl_NL", "pt_PT", "ro_RO", "da_DK")
_JOINED = 7  # letters of a name that is joined to another, at most
_SECOND = {  # second halves of joined first names, which are much of the tail in England
    False: (
        "Mae",
        "Rose",
        "Grace",
        "May",
        "Leigh",
        "Louise",
        "Jane",
        "Belle",
        "Marie",
        "Lee",
        "Rae",
        "Skye",
        "Hope",
        "Jo",
    ),
    True: (
        "James",
        "Jay",
        "Lee",
        "Jack",
        "John",
        "George",
        "Ray",
        "Thomas",
        "Michael",
        "Joseph",
        "Junior",
        "Alexander",
    ),
}


def communities(codes: tuple[str, ...]) -> Ints:
    """For each ethnicity code the place of its name list in ``names_assumed.toml``, from 1; 0 for the general list."""
    lists = reference.load("names_assumed").entries["community"]
    found = {code: place for place, entry in enumerate(lists, start=1) for code in entry["ethnicity"]}
    return np.array([found.get(code, 0) for code in codes], dtype=np.int64)


def takes() -> Floats:
    """For each name list the share of its households that draw from it (1 for the general list)."""
    return np.array([1.0, *(entry["takes"] for entry in reference.load("names_assumed").entries["community"])])


@cache
def general_surnames() -> tuple[tuple[str, ...], Floats]:
    """Faker's surnames of Great Britain and how common each is, the commonest first."""
    names: dict[str, float] = _faker("en_GB").last_names
    ordered = sorted(names, key=lambda name: (-names[name], name))
    return tuple(ordered), np.array([names[name] for name in ordered])


def surnames(chance: Chance, what: str, key: Ints, community: Ints) -> pl.Series:
    """A surname for each household, from the list of its community; a few are two joined.

    Parameters
    ----------
    what, key : the question and the number of each household, by which chance is keyed
    """
    general, weights = general_surnames()
    pool, grid = _surname_grid()
    place = choose_by(chance.of(what, key), grid, community)
    joined = choose(chance.of(f"{what}.joined", key), weights)
    two = (chance.of(f"{what}.two", key) < assumed("double_surname")) & (joined != place) & (community == 0)
    return gather(pool, place) + gather(["", *(f"-{name}" for name in general)], np.where(two, joined + 1, 0))


def first_names(chance: Chance, what: str, keys: Sequence[Ints], boy: Bools, year: Ints, community: Ints) -> pl.Series:
    """A first name for each child.

    Drawn from the births of its sex and year in England and Wales: the 250 most given names by their
    counts, the rest by a falling law that ends where names are given three times. A child of a community draws
    from the names of its own list as far as there are births for it, see :func:`first_name_shares`; over
    England's children each name is as frequent as among births.

    Parameters
    ----------
    what, keys : the question and the numbers of each child, by which chance is keyed
    year : of birth, by the calendar; years before 2006 and after 2021 take the names of the nearest
    community : as :func:`communities` numbers them; 0 has no list of its own
    """
    u = chance.of(what, *keys)
    out = np.zeros(len(boy), dtype=np.int64)
    pool: list[str] = []
    for sex in (False, True):
        rows = np.flatnonzero(boy == sex)
        edges, places, names = _first_name_edges(sex)
        lists = len(takes())
        row = (np.clip(year[rows], _YEARS[0], _YEARS[-1]) - _YEARS[0]) * lists + community[rows]
        found = np.searchsorted(edges, u[rows] + row, side="right")
        out[rows] = places[np.minimum(found, len(edges) - 1)] + len(pool)
        pool += names
    return gather(pool, out)


def first_name_shares(boy: bool, year: int) -> tuple[list[str], Floats, Floats]:
    """The names that a child of this sex and year may have, and how likely each is.

    With s the share of England's children that draw from a list and b the share of births whose names stand on
    it, a child of the list draws from it with chance min(1, b / s), else from what is left over: names on no list,
    and of each list what its own children do not use up. So each name's share among all is that among births.

    Returns
    -------
    names; chance of each name for a child of each list (lists, names), the general one first; births of each
    """
    names, tags = _pool(boy)
    births = _births(names, boy, year)
    births = births / births.sum()
    lists = takes()
    codes, mix = ethnicity()
    asked = np.bincount(communities(codes), weights=mix, minlength=len(lists)) * lists
    there = np.bincount(tags, weights=births, minlength=len(lists))
    asked[0], own = 0.0, tags > 0
    used = np.minimum(asked, there)
    left = np.where(own, births * (1 - used / np.maximum(there, 1e-300))[tags], births)
    rows = np.zeros((len(lists), len(names)))
    rows[0] = left / left.sum()
    for of in range(1, len(lists)):
        share = min(1.0, there[of] / asked[of])
        rows[of] = np.where(tags == of, births / there[of] * share, 0.0) + (1 - share) * rows[0]
    return names, rows, births


def adult_names(chance: Chance, what: str, key: Ints, man: Bools) -> pl.Series:
    """First names of grown-ups, of whom no count by year of birth is at hand: Faker's en_GB, all alike common."""
    women, men = _adult_pools()
    u = chance.of(what, key)
    place = np.where(man, (u * len(men)).astype(np.int64) + len(women), (u * len(women)).astype(np.int64))
    return gather([*women, *men], place)


def short_forms(chance: Chance, key: Ints, forename: pl.Series) -> pl.Series:
    """What a child is called where it is not the first name: a short form of it; missing for most."""
    forms = {entry["forename"]: entry["short"] for entry in reference.load("nicknames").entries["nickname"]}
    most = max(len(short) for short in forms.values())
    which = chance.whole("pupils.preferred_forename.which", 60, key)  # 60 is a multiple of 1 to 5
    table = {name: [short[step % len(short)] for step in range(most)] for name, short in forms.items()}
    choices = [
        forename.replace_strict(
            list(table), [short[step] for short in table.values()], default=None, return_dtype=pl.String
        )
        for step in range(most)
    ]
    length = forename.replace_strict(
        list(forms), [len(short) for short in forms.values()], default=1, return_dtype=pl.Int64
    ).to_numpy()
    called = chance.of("pupils.preferred_forename", key) < assumed("short_form")
    out = choices[0]
    for step in range(1, most):
        out = out.zip_with(pl.Series(which % length != step), choices[step])
    return out.set(pl.Series(~called), None)


def slug(names: pl.Series) -> pl.Series:
    """Names as e-mail addresses and file names spell them: lower-case letters a to z only.

    Examples
    --------
    >>> slug(pl.Series(["Lily-Mae", "Zoë"])).to_list()
    ['lilymae', 'zoe']
    """
    return names.str.normalize("NFKD").str.to_lowercase().str.replace_all("[^a-z]", "")


def _faker(locale: str) -> Any:
    return import_module(f"faker.providers.person.{locale}").Provider


@cache
def _pool(boy: bool) -> tuple[list[str], Ints]:
    """Every first name of one sex and the list it belongs to: counted names, then the tail from common to rare."""
    letter = "M" if boy else "F"
    counted = [row["name"] for row in reference.load("first_names").entries["row"] if row["sex"] == letter]
    tag = dict.fromkeys(counted, 0)
    spread: dict[str, float] = {}  # where in the tail: no chance, a fixed hash of the name, rare kinds later
    for place, entry in enumerate(reference.load("names_assumed").entries["community"], start=1):
        own = list(entry["boys" if boy else "girls"])
        for locale in entry["locales"]:
            own += sorted(set(_names_of(locale, boy)), key=_hash)[:60]
        for name in own:
            if tag.get(name, 0) == 0:
                tag[name] = place
            if name not in counted:
                spread.setdefault(name, _hash(name))
    for locales, rarer in ((("en_IE", "en_US", "en_GB", "en_NZ"), 0.0), (_ABROAD, 0.4)):
        for locale in locales:
            for name in _names_of(locale, boy):
                if "-" not in name:
                    spread.setdefault(name, rarer + 0.5 * _hash(name))
    for name in counted:  # short ones are joined, and most joined names are rare: of those counted hardly one
        for second in _SECOND[boy]:
            if second not in name and name.isalpha() and len(name) <= _JOINED and not tag[name]:
                spread.setdefault(f"{name}-{second}", 0.5 + 1.5 * _hash(f"{name}-{second}"))
    tail = sorted(set(spread) - set(counted), key=lambda name: (spread[name], name))
    names = counted + tail
    return names, np.array([tag.get(name, 0) for name in names], dtype=np.int64)


def _births(names: list[str], boy: bool, year: int) -> Floats:
    """How often each name of the pool is given to a child of this sex and year."""
    letter = "M" if boy else "F"
    rows = [row for row in reference.load("first_names").entries["row"] if row["sex"] == letter]
    births = np.zeros(len(names))
    births[: len(rows)] = [float(row[str(year)] or 0) for row in rows]
    (total,) = (
        row
        for row in reference.load("first_names_totals").entries["row"]
        if row["sex"] == letter and row["year"] == str(year)
    )
    counted = births > 0
    listed = int(total["names_given_3_times"]) - int(counted.sum())
    tail = np.flatnonzero(~counted)[:listed]
    rest = float(total["births"]) - births.sum()
    least, rank = births[counted].min(), (np.arange(len(tail)) + counted.sum() + 1) / counted.sum()
    low, high = 0.0, 8.0  # the exponent with which the tail falls so that its births add up to the rest
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if (least * rank**-middle).sum() > rest else (low, middle)
    births[tail] = least * rank**-low
    return births


@cache
def _first_name_edges(boy: bool) -> tuple[Floats, Ints, list[str]]:
    """All rows of :func:`first_name_shares`, years and within them lists, as one ascending line; and whose each is."""
    edges: list[Floats] = []
    places: list[Ints] = []
    names: list[str] = []
    for year in _YEARS:
        names, rows, _ = first_name_shares(boy, year)
        for row in rows:
            held = np.flatnonzero(row)
            line = np.cumsum(row[held])
            edges.append(line / line[-1] + len(edges))
            places.append(held)
    return np.concatenate(edges), np.concatenate(places), names


@cache
def _surname_grid() -> tuple[list[str], Floats]:
    general, weights = general_surnames()
    pool = list(general)
    rows = [weights]
    for entry in reference.load("names_assumed").entries["community"]:
        pool += entry["surnames"]
        rows.append(1 / (np.arange(len(entry["surnames"])) + 3.0))
    grid = np.zeros((len(rows), len(pool)))
    start = 0
    for line, row in zip(grid, rows, strict=True):
        line[start : start + len(row)] = row
        start += len(row)
    return pool, grid


@cache
def _adult_pools() -> tuple[list[str], list[str]]:
    provider = _faker("en_GB")
    women, men = (list(dict.fromkeys(getattr(provider, f"first_names_{sex}"))) for sex in ("female", "male"))
    return women, men


def _names_of(locale: str, boy: bool) -> list[str]:
    """First names of a Faker locale, one word in letters, in its own order."""
    given = getattr(_faker(locale), "first_names_male" if boy else "first_names_female")
    return list(dict.fromkeys(name for name in given if name.replace("-", "").isalpha()))


def _hash(name: str) -> float:
    return zlib.crc32(name.encode()) / 2**32
