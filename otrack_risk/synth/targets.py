"""The figures that a synthetic school is drawn to: published ones, and this project's own assumptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from otrack_risk import reference
from otrack_risk.errors import ReferenceTableError
from otrack_risk.synth.draw import Floats, Ints

_PROVISIONS = ("SEN support", "EHC plan")
_KS2_GROUPS = ("girls", "boys", "disadvantaged", "not disadvantaged")
_UNITS = {"percent": 100, "per 10000": 10_000}  # shares are 0 to 1 in code


def published(measure: str, group: str = "all") -> float:
    """A figure of ``marginals_england.csv``; percentages and rates as shares from 0 to 1.

    Raises
    ------
    ReferenceTableError
        The table has no such row.

    Examples
    --------
    >>> published("FSM eligible"), published("looked after", "rate")
    (0.246, 0.007)
    """
    for row in reference.load("marginals_england").entries["row"]:
        if row["measure"] == measure and row["group"] == group:
            return round(float(row["value"]) / _UNITS.get(row["unit"], 1), 12)
    raise ReferenceTableError(
        f"marginals_england has no row '{measure}', '{group}'.", "add the row with its source, or correct the name."
    )


def assumed(name: str) -> float:
    """A value of ``synth_assumed.toml``.

    Raises
    ------
    ReferenceTableError
        The table has no such value.

    Examples
    --------
    >>> assumed("twin_births")
    0.0145
    """
    for row in reference.load("synth_assumed").entries["value"]:
        if row["name"] == name:
            return float(row["value"])
    raise ReferenceTableError(f"synth_assumed has no value '{name}'.", "add it with its ground, or correct the name.")


def assumptions(array: str) -> list[dict[str, Any]]:
    """The entries of one array of ``synth_assumed.toml``."""
    return reference.load("synth_assumed").entries[array]


def ethnicity() -> tuple[tuple[str, ...], Floats]:
    """Census codes of ethnicity and the share of England's pupils in each (2020/21, of those classified)."""
    rows = [row for row in reference.load("marginals_england").entries["row"] if row["measure"] == "ethnicity"]
    heads = np.array([float(row["value"]) for row in rows])
    return tuple(row["group"] for row in rows), heads / heads.sum()


def years_of(phase: str) -> range:
    """Year groups of a phase: Reception (0) to 6, or 7 to 11."""
    return range(7, 12) if phase == "secondary" else range(7)


def meals_share(phase: str) -> float:
    """Share of pupils with free meals: the published one of the phase; that of all schools has special ones in it."""
    return published("FSM eligible", f"state {phase}")


def not_english() -> Floats:
    """Chance that the first language is not English, for each code of :func:`ethnicity`.

    The assumed chances of ``synth_assumed.toml``, their odds all multiplied by one number, so that over England's
    pupils one in five has another first language.
    """
    codes, mix = ethnicity()
    rows = {row["ethnicity"]: row["not_english"] for row in assumptions("language")}
    chance = np.array([rows[code] for code in codes])
    return scaled_odds(chance, mix, assumed("english_additional"))


@cache
def sen_chances(phase: str) -> Floats:
    """Chance of SEN support and of a plan, by year group, free meals and sex.

    Raked: what is closest to no difference and meets the share with any need of the phase (split between
    support and plan as in all schools), the published shares of boys and of free meals within each
    provision, and the shape by age that is published for 5, 10 and 15 years.

    Returns
    -------
    array of (years, 2, 2, 2) : year group, free meals (no, yes), sex (girl, boy), provision (support, plan)
    """
    meals, boys = meals_share(phase), published("sex", "boys")
    any_need = published("SEN any", phase)
    total = published("SEN support") + published("EHC plan")
    share = np.array([any_need * published(kind) / total for kind in _PROVISIONS])
    years = len(years_of(phase))
    pupils = (np.array([1 - meals, meals])[:, None] * np.array([1 - boys, boys])[None, :]) / years
    by_age = np.stack([_by_age(kind, phase) for kind in _PROVISIONS], axis=1)
    by_age = by_age / by_age.mean(axis=0) * share / years  # pupils of each year and provision
    of_boys = np.array([published(kind, "share boys") for kind in _PROVISIONS])
    of_meals = np.array([published("FSM eligible", f"pupils with {kind}") for kind in _PROVISIONS])
    by_sex = np.stack([1 - of_boys, of_boys]) * share
    by_meals = np.stack([1 - of_meals, of_meals]) * share
    cells = np.empty((years, 2, 2, 3))  # the last: no provision
    cells[...] = pupils[None, :, :, None] * np.array([*share, 1 - share.sum()])
    for _ in range(200):
        cells[..., :2] *= (by_age / cells[..., :2].sum(axis=(1, 2)))[:, None, None, :]
        cells[..., :2] *= (by_sex / cells[..., :2].sum(axis=(0, 1)))[None, None, :, :]
        cells[..., :2] *= (by_meals / cells[..., :2].sum(axis=(0, 2)))[None, :, None, :]
        cells *= (pupils[None] / cells.sum(axis=3))[..., None]
    return _rounded(cells[..., :2] / pupils[None, :, :, None])


@dataclass(frozen=True)
class Absence:
    """Beta distributions of the share of sessions missed: rows free meals (no, yes), columns none, support, plan."""

    means: Floats  # (2, 3)
    together: Floats  # (2, 3): the sum of the two parameters; the smaller, the more pupils differ


@cache
def absence(phase: str) -> Absence:
    """Absence for which the published means and shares of the persistently absent come out, by meals and by need.

    Raked: the means are the product of a factor for each, the odds of missing a tenth or more likewise. By
    need, both add up to more than by free meals; meals win, and the level by need is lowered to agree.

    Notes
    -----
    Two beta distributions have a mean below a tenth and a given share above it. Pupils with neither free meals
    nor need have the one with few at no absence at all, all others the one with a long tail of severe absence.
    """
    joint = _meals_and_need(phase).sum(axis=1)
    means = np.full((2, 3), published("absence"))
    by_meals, by_need = _agreed("absence", joint)
    often = joint * published("persistent absence")
    rarely = joint - often
    often_meals, often_need = _agreed("persistent absence", joint)
    for _ in range(300):
        means *= (by_need / ((means * joint).sum(axis=0) / joint.sum(axis=0)))[None, :]
        means *= (by_meals / ((means * joint).sum(axis=1) / joint.sum(axis=1)))[:, None]
        often *= (often_need * joint.sum(axis=0) / often.sum(axis=0))[None, :]
        rarely *= ((1 - often_need) * joint.sum(axis=0) / rarely.sum(axis=0))[None, :]
        often *= (often_meals * joint.sum(axis=1) / often.sum(axis=1))[:, None]
        rarely *= ((1 - often_meals) * joint.sum(axis=1) / rarely.sum(axis=1))[:, None]
        both = joint / (often + rarely)
        often, rarely = often * both, rarely * both
    together = np.empty((2, 3))
    for place in np.ndindex(2, 3):
        together[place] = _together(float(means[place]), float((often / joint)[place]), tail=place != (0, 0))
    return Absence(_rounded(means), np.asarray(np.round(together, 4), dtype=np.float64))


def scaled_odds(chance: Floats, weight: Floats, want: float) -> Floats:
    """The chances with their odds all multiplied by one number, so that their weighted mean is ``want``."""
    low, high = -10.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        odds = chance / (1 - chance) * np.exp(middle)
        low, high = (middle, high) if weight @ (odds / (1 + odds)) < want else (low, middle)
    return _rounded(odds / (1 + odds))


@dataclass(frozen=True)
class Attainment:
    """How points are drawn: normal, around a distance below the rest; in standard deviations."""

    disadvantaged: float
    boy: float
    support: float
    plan: float
    together: float  # correlation of two subjects in one term
    levels: Floats  # (12, 3): by year group, what is expected in reading, maths and writing: 100 points

    def below(self, disadvantaged: Ints, boy: Ints, provision: Ints) -> Floats:
        """The distance of each pupil; provision 0 (none), 1 (support) or 2 (plan)."""
        needs = np.array([0.0, self.support, self.plan])[provision]
        distance: Floats = self.disadvantaged * disadvantaged + self.boy * boy + needs
        return distance


@cache
def attainment() -> Attainment:
    """Points for which the published shares come out: each subject, all three, and all three by disadvantage and sex.

    The distances of support and plans are assumed. Six numbers are then solved for the pupils of Year 6: the three
    levels, the correlation of subjects, and the distances of the disadvantaged and of boys. The published shares of
    two groups and of all pupils are rounded apart; the share of all and the difference are met, so that a group is
    within half a point. What is expected of another year is reached by as many as in Year 6.
    """
    (given,) = assumptions("attainment")
    cells = np.array(list(np.ndindex(2, 2, 3)))  # disadvantaged, boy, provision
    nodes, at = np.polynomial.hermite_e.hermegauss(60)
    at = at / at.sum()

    def below(disadvantaged: float, boy: float) -> Floats:
        return np.asarray(cells @ [disadvantaged, boy, 0] + np.array([0, given["support"], given["plan"]])[cells[:, 2]])

    def shares(unknown: Floats) -> Floats:
        (disadvantaged, boy, together), levels = unknown[:3], unknown[3:, None]
        distance = below(disadvantaged, boy)
        far = ((levels + distance)[..., None] - np.sqrt(together) * nodes) / np.sqrt(1 - together)
        three = (np.prod(_above(far), axis=0) * at).sum(axis=1)
        group = [
            (three * weight)[cells[:, axis] == one].sum() / weight[cells[:, axis] == one].sum()
            for axis in (0, 1)
            for one in (0, 1)
        ]
        return np.array(
            [*(_above(levels + distance) @ weight), three @ weight, group[0] - group[1], group[2] - group[3]]
        )

    weight = _disadvantage_and_need("primary", 6).ravel()
    whole = {group: published("KS2 RWM expected", group) for group in _KS2_GROUPS}
    subjects = np.array([published(f"KS2 {subject} expected") for subject in ("reading", "maths", "writing")])
    gaps = (whole["not disadvantaged"] - whole["disadvantaged"], whole["girls"] - whole["boys"])
    want = np.array([*subjects, published("KS2 RWM expected"), *gaps])
    disadvantaged, boy, together, *_ = _solved(shares, want, np.array([0.42, 0.1, 0.72, -0.8, -0.8, -0.8])).tolist()
    distance = below(disadvantaged, boy)
    levels = np.empty((12, 3))
    for phase in ("primary", "secondary"):
        for place, year in enumerate(years_of(phase)):
            of_year = _disadvantage_and_need(phase, place).ravel()
            levels[year] = [_level(distance, of_year, share) for share in subjects]
    return Attainment(disadvantaged, boy, given["support"], given["plan"], together, levels)


def _by_age(kind: str, phase: str) -> Floats:
    """The published and assumed shares by age, on straight lines between them, for each year group of the phase."""
    known = {age: published(kind, f"age {age}") for age in ((5, 10, 15) if kind == "EHC plan" else (10, 15))}
    if kind == "SEN support":
        known |= {row["age"]: row["share"] for row in assumptions("sen_support_age")}
    ages = sorted(known)
    at = np.array(years_of(phase)) + 4.0  # a child of Reception is 4 on 31 August
    slope = (known[ages[1]] - known[ages[0]]) / (ages[1] - ages[0])
    before = np.minimum(at - ages[0], 0) * slope  # the first line goes on to earlier ages
    return np.asarray(np.interp(at, ages, [known[age] for age in ages]) + before, dtype=np.float64)


def _meals_and_need(phase: str, year: int | None = None) -> Floats:
    """Share of a phase's pupils, or of those of its ``year``-th year, by free meals, sex and provision."""
    meals, boys = meals_share(phase), published("sex", "boys")
    chances = sen_chances(phase).mean(axis=0) if year is None else sen_chances(phase)[year]
    heads: Floats = np.array([1 - meals, meals])[:, None] * np.array([1 - boys, boys])
    joint: Floats = heads[..., None] * np.concatenate([1 - chances.sum(axis=2, keepdims=True), chances], axis=2)
    return joint


def _disadvantage_and_need(phase: str, year: int) -> Floats:
    """The same by disadvantage: free meals now, or within six years (assumed), or in care."""
    joint = _meals_and_need(phase, year)
    beyond = 1 - (1 - assumed("premium_beyond_meals")) * (1 - published("looked after", "rate"))
    return np.stack([joint[0] * (1 - beyond), joint[1] + joint[0] * beyond])


def _agreed(measure: str, joint: Floats) -> tuple[Floats, Floats]:
    """Published figures by free meals and by need, the latter brought to the mean of the former."""
    meals = np.array([published(measure, group) for group in ("not FSM", "FSM")])
    needs = np.array([published(measure, group) for group in ("no SEN", "SEN support", "EHC plan")])
    return meals, needs * (meals @ joint.sum(axis=1)) / (needs @ joint.sum(axis=0))


def _together(mean: float, often: float, *, tail: bool) -> float:
    """The sum of the parameters with which a beta distribution of this mean has the share ``often`` above a tenth."""
    from scipy.special import betaincc

    def above(together: Floats) -> Floats:
        return np.asarray(betaincc(mean * together, (1 - mean) * together, 0.1), dtype=np.float64)

    grid = np.geomspace(0.3, 1000, 400)
    peak = float(grid[int(np.argmax(above(grid)))])
    low, high = (0.3, peak) if tail else (1000.0, peak)  # the share rises from low to high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if above(np.array([middle]))[0] < often else (low, middle)
    return low


def _level(distance: Floats, weight: Floats, share: float) -> float:
    """The level that this share of pupils reaches, each normal around its distance below the rest."""
    low, high = -6.0, 6.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _above(middle + distance) @ weight > share else (low, middle)
    return round(low, 6)


def _rounded(chance: Floats) -> Floats:
    """To nine places, so that libraries agree."""
    return np.asarray(np.round(chance, 9), dtype=np.float64)


def _above(level: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(ndtr(-level), dtype=np.float64)


def _solved(function: Callable[[Floats], Floats], want: Floats, start: Floats) -> Floats:
    """Newton's method with differences; rounded, so that libraries agree."""
    at = start
    for _ in range(12):
        off = function(at) - want
        slopes = np.column_stack([(function(at + step) - function(at)) / 1e-6 for step in np.eye(len(at)) * 1e-6])
        at = at - np.linalg.solve(slopes, off)
    return np.asarray(np.round(at, 6), dtype=np.float64)
