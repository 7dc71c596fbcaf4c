"""The figures that a synthetic school is drawn to: published ones, and this project's own assumptions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from otrack_risk import reference
from otrack_risk.errors import ReferenceTableError

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


def ethnicity() -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Census codes of ethnicity and the share of England's pupils in each (2020/21, of those classified)."""
    rows = [row for row in reference.load("marginals_england").entries["row"] if row["measure"] == "ethnicity"]
    heads = np.array([float(row["value"]) for row in rows])
    return tuple(row["group"] for row in rows), heads / heads.sum()


def sen_chances(phase: str) -> npt.NDArray[np.float64]:
    """Chance of SEN support and of a plan, by free meals and sex.

    The share with any need is that of the phase, split as in all schools; the odds of the sexes and
    of pupils with free meals are those published for each provision, taken as independent.

    Returns
    -------
    array of (2, 2, 2) : free meals (no, yes), sex (girl, boy), provision (support, plan)
    """
    plan, support = published("EHC plan"), published("SEN support")
    share = published("SEN any", phase) / (plan + support)
    meals, boys = published("FSM eligible"), published("sex", "boys")
    chances = np.empty((2, 2, 2))
    for place, (measure, group) in enumerate((("SEN support", "SEN support"), ("EHC plan", "EHC plan"))):
        of_meals = published("FSM eligible", f"pupils with {group}")
        of_boys = published(measure, "share boys")
        by_meals = np.array([(1 - of_meals) / (1 - meals), of_meals / meals])
        by_sex = np.array([(1 - of_boys) / (1 - boys), of_boys / boys])
        chances[:, :, place] = share * published(measure) * by_meals[:, None] * by_sex[None, :]
    return chances


def absence_means(phase: str) -> npt.NDArray[np.float64]:
    """Mean share of sessions missed, by free meals (no, yes) and provision (none, support, plan).

    Raked: the product of a factor for each, so that the published means of both margins are met;
    the margin of free meals is fitted last and is exact, that of provision is then within 0.005.
    """
    meals, boys = published("FSM eligible"), published("sex", "boys")
    by_need = (sen_chances(phase) * np.array([1 - boys, boys])[None, :, None]).sum(axis=1)
    joint = np.column_stack([1 - by_need.sum(axis=1), by_need]) * np.array([1 - meals, meals])[:, None]
    want_need = np.array([published("absence", group) for group in ("no SEN", "SEN support", "EHC plan")])
    want_meals = np.array([published("absence", group) for group in ("not FSM", "FSM")])
    means = np.full(joint.shape, published("absence"))
    for _ in range(60):
        means *= (want_need / ((means * joint).sum(axis=0) / joint.sum(axis=0)))[None, :]
        means *= (want_meals / ((means * joint).sum(axis=1) / joint.sum(axis=1)))[:, None]
    return means
