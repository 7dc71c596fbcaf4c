"""Names that look like a class list: of the right sex and year of birth, with a long tail, nobody's in particular."""

from __future__ import annotations

import zlib
from importlib import import_module
from typing import Any

import numpy as np
import polars as pl

from otrack_risk import reference
from otrack_risk.synth.draw import Bools, Floats, Ints, choose, choose_by, gather, rank_within
from otrack_risk.synth.targets import assumed

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


def general_surnames() -> tuple[tuple[str, ...], Floats]:
    """Faker's surnames of Great Britain and how common each is, the commonest first."""
    names: dict[str, float] = _faker("en_GB").last_names
    ordered = sorted(names, key=lambda name: (-names[name], name))
    return tuple(ordered), np.array([names[name] for name in ordered])


def surnames(rng: np.random.Generator, community: Ints) -> pl.Series:
    """A surname for each household, from the list of its community; a few are two joined."""
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
    place = choose_by(rng, grid, community)
    joined = choose(rng, weights, len(community))
    two = (rng.random(len(community)) < assumed("double_surname")) & (joined != place) & (community == 0)
    return gather(pool, place) + gather(["", *(f"-{name}" for name in general)], np.where(two, joined + 1, 0))


def first_names(rng: np.random.Generator, boy: Bools, birth_year: Ints, community: Ints) -> pl.Series:
    """A first name for each child.

    Drawn from the births of its sex and year in England and Wales: the 250 most given names by their
    counts, the rest by a falling law that ends where names are given three times. Of the names drawn for a
    sex and year, each community is then handed those of its own list first; how often a name occurs stays as drawn.

    Parameters
    ----------
    birth_year : calendar year; years before 2006 and after 2021 take the names of the nearest
    community : as :func:`communities` numbers them; 0 has no list of its own
    """
    year = np.clip(birth_year, 2006, 2021)
    out = pl.Series([None] * len(boy), dtype=pl.String)
    for sex in (False, True):
        rows = np.flatnonzero(boy == sex)
        if not len(rows):
            continue
        names, tags = _pool(sex)
        years, row = np.unique(year[rows], return_inverse=True)
        grid = np.vstack([_births(names, sex, int(y)) for y in years])
        drawn = choose_by(rng, grid, row.astype(np.int64))
        handed = _handed_out(rng, row.astype(np.int64), community[rows], drawn, tags[drawn])
        out = out.scatter(rows, gather(names, handed))
    return out


def adult_names(rng: np.random.Generator, man: Bools) -> pl.Series:
    """First names of grown-ups, of whom no count by year of birth is at hand: Faker's en_GB, all alike common."""
    provider = _faker("en_GB")
    pools = {sex: list(dict.fromkeys(getattr(provider, f"first_names_{sex}"))) for sex in ("female", "male")}
    women, men = pools["female"], pools["male"]
    place = np.where(man, rng.integers(0, len(men), len(man)) + len(women), rng.integers(0, len(women), len(man)))
    return gather([*women, *men], place)


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
    for locale in ("en_IE", "en_US", "en_GB"):
        for name in _names_of(locale, boy):
            spread.setdefault(name, 0.5 * _hash(name))
    for name in counted:
        for second in _SECOND[boy]:
            if second not in name and "-" not in name:
                spread.setdefault(f"{name}-{second}", 0.25 + 1.5 * _hash(f"{name}-{second}"))
    tail = sorted((name for name in spread if name not in set(counted)), key=lambda name: (spread[name], name))
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


def _handed_out(rng: np.random.Generator, group: Ints, wanted: Ints, names: Ints, tags: Ints) -> Ints:
    """Hand the names of each group to its children, to each one of the list it wants as long as there are any."""
    lists = int(max(wanted.max(), tags.max())) + 1
    chance, ask = rng.random(len(group)), group * lists + wanted
    have = group * lists + tags
    ask_rank, have_rank = rank_within(ask, chance), rank_within(have, rng.random(len(group)))
    wide = len(group) + 1
    by_ask, by_have = np.argsort(ask * wide + ask_rank), np.argsort(have * wide + have_rank)
    _, first, second = np.intersect1d(
        (ask * wide + ask_rank)[by_ask], (have * wide + have_rank)[by_have], assume_unique=True, return_indices=True
    )
    out = np.full(len(group), -1, dtype=np.int64)
    out[by_ask[first]] = names[by_have[second]]
    left_children = np.setdiff1d(np.arange(len(group)), by_ask[first], assume_unique=True)
    left_names = np.setdiff1d(np.arange(len(group)), by_have[second], assume_unique=True)
    left_children = left_children[np.lexsort((chance[left_children], group[left_children]))]
    left_names = left_names[np.lexsort((have_rank[left_names], group[left_names]))]
    out[left_children] = names[left_names]
    return out


def _names_of(locale: str, boy: bool) -> list[str]:
    """First names of a Faker locale, one word in letters, in its own order."""
    given = getattr(_faker(locale), "first_names_male" if boy else "first_names_female")
    return list(dict.fromkeys(name for name in given if name.replace("-", "").isalpha()))


def _hash(name: str) -> float:
    return zlib.crc32(name.encode()) / 2**32
