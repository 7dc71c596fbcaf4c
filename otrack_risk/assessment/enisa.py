"""The scales of ENISA's severity method, read from ``reference/severity_enisa.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from otrack_risk import reference
from otrack_risk.errors import ParameterError

CIRCUMSTANCES = ("confidentiality", "integrity", "availability", "malicious_intent")
INPUTS = ("dpc", "ei", *CIRCUMSTANCES)


def data_context(data_class: str, adjustment: int = 0, reason: str = "") -> int:
    """The data processing context of one class of data: its base and an adjustment, which needs a reason.

    Raises
    ------
    ParameterError
        No such class; an adjustment that the class does not allow, or one without a reason.

    Examples
    --------
    >>> data_context("simple", 3, "the people are children")
    4
    """
    entries = reference.load("severity_enisa").entries
    bases = {entry["name"]: int(entry["base"]) for entry in entries["class"]}
    if data_class not in bases:
        raise ParameterError(f"severity: '{data_class}' is not a class of data.", f"use one of {', '.join(bases)}.")
    allowed = [0, *(entry["change"] for entry in entries["adjustment"] if entry["class"] == data_class)]
    if isinstance(adjustment, bool) or adjustment not in allowed:
        raise ParameterError(
            f"severity: {data_class} data do not allow this adjustment.",
            f"use one of {', '.join(f'{change:+d}' for change in sorted(allowed))}.",
        )
    if adjustment and not reason.strip():
        raise ParameterError(f"severity: an adjustment of {data_class} data without a reason.", "write the reason.")
    return bases[data_class] + adjustment


def bands() -> dict[str, float]:
    """The bands, lowest first, each with the score at which it begins."""
    return {entry["name"]: entry["from"] for entry in reference.load("severity_enisa").entries["band"]}


def band(score: float) -> str:
    """The band of a score; the lower bound belongs to the band."""
    entries = reference.load("severity_enisa").entries["band"]
    return str(next(entry["name"] for entry in reversed(entries) if score >= entry["from"]))


def scales() -> dict[str, list[float]]:
    """The values that each input may have, lowest first."""
    entries = reference.load("severity_enisa").entries
    bases = [entry["base"] for entry in entries["class"]]
    found: dict[str, list[float]] = {"dpc": [float(value) for value in sorted(bases)]}
    found["ei"] = sorted(entry["score"] for entry in entries["level"])
    for name in CIRCUMSTANCES:
        found[name] = sorted(entry["score"] for entry in entries["circumstance"] if entry["element"] == name)
    return found


def median_chance(class_sizes: Sequence[Mapping[str, Any]], direct: int = 0) -> Fraction:
    """Median, over the people, of the chance that one of them is found.

    It is 1 for a person whom a name or number in the data gives away, else 1 / (size of the
    equivalence class).

    Parameters
    ----------
    class_sizes : ``size`` and ``records`` (people in classes of that size), as a risk record has them
    direct : people directly identified

    Notes
    -----
    Which people the ``direct`` ones are is not in the classes: they are taken to be those hardest to find
    otherwise, which is the cautious choice. The median of an even number is the mean of the two in the middle.

    Examples
    --------
    >>> median_chance([{"size": 1, "records": 1}, {"size": 3, "records": 3}])
    Fraction(1, 3)
    """
    falling = sorted(((int(e["size"]), int(e["records"])) for e in class_sizes), reverse=True)
    people = sum(records for _, records in falling)
    if not people:
        raise ParameterError("severity: no class has anybody in it.", "measure a table that has rows.")

    def chance(place: int) -> Fraction:
        for size, records in falling:
            if place < records:
                return Fraction(1, size)
            place -= records
        return Fraction(1)  # a person directly identified

    return (chance((people - 1) // 2 + direct) + chance(people // 2 + direct)) / 2


def ease_from(median: Fraction) -> float:
    """The ease of identification for a median chance of being found; thresholds are this project's own."""
    thresholds = reference.load("severity_enisa").entries["threshold"]  # highest first
    return float(next(entry["score"] for entry in thresholds if median >= Fraction(entry["median_from"])))


def more_than() -> int:
    """The number of people above which the flag ``gt_100_individuals`` stands."""
    flags = reference.load("severity_enisa").entries["flag"]
    return int(next(entry["more_than"] for entry in flags if entry["name"] == "gt_100_individuals"))
