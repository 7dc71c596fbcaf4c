"""How bad is it: the severity score of ENISA, with its arithmetic shown and its doubt beside it.

``SE = DPC x EI + CB`` and ``CB = C + I + A + M``; every value lives in
``reference/severity_enisa.toml``. The number of people and encryption are flags beside the score,
never in it. The score orders a discussion; a named person decides.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from otrack_risk import reference
from otrack_risk.assessment.enisa import (
    CIRCUMSTANCES,
    INPUTS,
    band,
    bands,
    data_context,
    ease_from,
    median_chance,
    more_than,
    scales,
)
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import ParameterError
from otrack_risk.schema import categories

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

    from otrack_risk.assessment.scenario import Scenario

_LABELS = {"dpc": "DPC, data processing context", "ei": "EI, ease of identification"} | {
    name: f"{name[0].upper()}, {name.replace('_', ' ')}" for name in CIRCUMSTANCES
}
ELEMENTS = {  # what a scenario says, and the circumstance that follows from it
    "access": "confidentiality",
    "integrity": "integrity",
    "availability": "availability",
    "malicious": "malicious_intent",
}


@dataclass(frozen=True)
class Step:
    """One input moved by one allowed step, the others as they are."""

    input: str
    value: float  # after the step
    score: float
    band: str


@dataclass(frozen=True)
class Severity(Shown):
    """The severity of a breach for the people concerned."""

    key: ClassVar[str] = "severity"
    dpc: int  # 1 to 4
    ei: float  # 0.25, 0.5, 0.75 or 1
    circumstances: Mapping[str, float]  # confidentiality, integrity, availability, malicious_intent
    score: float  # 0.25 to 6
    band: str  # low, medium, high, very_high
    people: int | None  # affected; None: not known
    unintelligible: bool | None  # to whoever holds the data; None: not known
    reasons: Mapping[str, str]  # by input
    steps: tuple[Step, ...]  # every step of doubt, one input at a time

    @property
    def cb(self) -> float:
        """Circumstances of the breach: the sum of its four elements."""
        return sum(self.circumstances.values())

    @property
    def arithmetic(self) -> str:
        """The sum as one would write it down."""
        return f"{self.dpc} x {self.ei:g} + {self.cb:g} = {self.score:g}"

    @property
    def flips(self) -> tuple[Step, ...]:
        """The single steps that lead to another band."""
        return tuple(step for step in self.steps if step.band != self.band)

    @property
    def band_range(self) -> tuple[str, str]:
        """Lowest and highest band under one step of doubt in one input at a time."""
        order = list(bands())
        reached = sorted({self.band, *(step.band for step in self.steps)}, key=order.index)
        return reached[0], reached[-1]

    @property
    def more_than_100(self) -> bool | None:
        """The flag ``gt_100_individuals``; None where the number of people is not known."""
        return None if self.people is None else self.people > more_than()

    def sentence(self) -> str:
        if flips := self.flips:
            turns = ", ".join(f"{_short(step.input)} {step.value:g} ({_words(step.band)})" for step in flips)
            low, high = self.band_range
            doubt = (
                f"Borderline: with one input moved by one step, one at a time, it lies between {_words(low)} and "
                f"{_words(high)}; the band turns with {turns}."
            )
        else:
            doubt = f"With any one input moved by one step, one at a time, it stays {_words(self.band)}."
        return f"Severity {self.arithmetic}, {_words(self.band)} (DPC x EI + CB). {doubt} {self._flags()}"

    def headline(self) -> tuple[tuple[str, str], ...]:
        low, high = (_words(band) for band in self.band_range)
        doubt = f"; in doubt {low} to {high}" if low != high else ""
        return ((f"{self.score:g}", f"severity on ENISA's scale to 6: {_words(self.band)}{doubt}"),)

    def figure(self) -> Figure:
        from otrack_risk.display import figures

        starts = [*bands().values(), 6.0]  # 6: the highest score there is
        spans = dict(zip(map(_words, bands()), itertools.pairwise(starts), strict=True))
        scores = [self.score, *(step.score for step in self.steps)]
        return figures.scale(
            spans,
            self.score,
            (min(scores), max(scores)),
            f"Severity {self.arithmetic}; the bar spans one step of doubt in one input",
        )

    def table(self) -> pl.DataFrame:
        values: dict[str, float] = {"dpc": self.dpc, "ei": self.ei, **self.circumstances}
        return tables.table(
            {
                "input": [*(_LABELS[name] for name in INPUTS), f"Severity ({_words(self.band)})"],
                "value": [*(float(values[name]) for name in INPUTS), self.score],
                "why": [*(self.reasons.get(name, "no reason given") for name in INPUTS), self.arithmetic],
                "one_step_less": [*(self._after(name, values[name], down=True) for name in INPUTS), ""],
                "one_step_more": [*(self._after(name, values[name], down=False) for name in INPUTS), ""],
            }
        )

    def record(self) -> dict[str, Any]:
        flags: dict[str, Any] = {
            "gt_100_individuals": self.more_than_100,
            "unintelligible": self.unintelligible,
        }
        if unknown := [name for name, flag in flags.items() if flag is None]:
            flags["reason"] = f"not known: {', '.join(unknown)}"
        return {
            "dpc": self.dpc,
            "ei": self.ei,
            "cb": self.cb,
            "score": self.score,
            "band": self.band,
            "band_range": list(self.band_range),
            "flags": flags,
            "reasons": dict(self.reasons),
            "arithmetic": self.arithmetic,
            "circumstances": dict(self.circumstances),
            "borderline": bool(self.flips),
            "steps": [
                {"input": step.input, "value": step.value, "score": step.score, "band": step.band}
                for step in self.steps
            ],
        }

    def _after(self, name: str, value: float, *, down: bool) -> str:
        step = next((s for s in self.steps if s.input == name and (s.value < value) is down), None)
        return "" if step is None else f"{step.value:g}: {_words(step.band)}"

    def _flags(self) -> str:
        many = {
            True: "more than 100 people are affected",
            False: "no more than 100 people are affected",
            None: "whether more than 100 people are affected is not known",
        }[self.more_than_100]
        closed = {
            True: "the data are unintelligible to whoever holds them, for which the score does not fall",
            False: "the data can be read by whoever holds them",
            None: "whether they can be read by whoever holds them is not known",
        }[self.unintelligible]
        return f"Beside the score: {many}; {closed}."


def severity(
    dpc: int,
    ei: float,
    circumstances: Mapping[str, float],
    *,
    people: int | None = None,
    unintelligible: bool | None = None,
    reasons: Mapping[str, str] | None = None,
) -> Severity:
    """Severity of a breach from its inputs [1]_.

    Parameters
    ----------
    dpc : data processing context, 1 to 4; see :func:`~otrack_risk.assessment.enisa.data_context`
    ei : ease of identification, 0.25, 0.5, 0.75 or 1
    circumstances : score of confidentiality, integrity, availability (0, 0.25, 0.5) and
        malicious_intent (0, 0.5); one that is left out is 0
    people, unintelligible : the two flags; None is "not known"
    reasons : why each input has its value, by input

    Raises
    ------
    ParameterError
        A value that the scale does not have.

    Notes
    -----
    Doubt is one allowed step up or down in one input at a time, never in several together.

    References
    ----------
    .. [1] ENISA, Recommendations for a methodology of the assessment of severity of personal data
       breaches, v1.0, December 2013.

    Examples
    --------
    >>> open_database = severity(4, 1, {"confidentiality": 0.5})
    >>> open_database.arithmetic, open_database.band, open_database.band_range
    ('4 x 1 + 0.5 = 4.5', 'very_high', ('high', 'very_high'))
    """
    allowed = scales()
    if extra := [name for name in circumstances if name not in CIRCUMSTANCES]:
        raise ParameterError(
            f"severity: '{extra[0]}' is not a circumstance of a breach.", f"use {', '.join(CIRCUMSTANCES)}."
        )
    given: dict[str, float] = {"dpc": dpc, "ei": ei, **{name: circumstances.get(name, 0.0) for name in CIRCUMSTANCES}}
    for name, value in given.items():
        if isinstance(value, bool) or value not in allowed[name]:
            raise ParameterError(
                f"severity: {name} is not a value of its scale.",
                f"use one of {', '.join(f'{step:g}' for step in allowed[name])}.",
            )
    values = {name: float(value) for name, value in given.items()}
    score = _score(values)
    steps = []
    for name, scale in allowed.items():
        place = scale.index(values[name])
        for near in (place - 1, place + 1):
            if 0 <= near < len(scale):
                moved = _score({**values, name: scale[near]})
                steps.append(Step(name, scale[near], moved, band(moved)))
    return Severity(
        dpc=int(dpc),
        ei=values["ei"],
        circumstances={name: values[name] for name in CIRCUMSTANCES},
        score=score,
        band=band(score),
        people=people,
        unintelligible=unintelligible,
        reasons=dict(reasons or {}),
        steps=tuple(steps),
    )


def propose(
    scenario: Scenario, exposure_record: Mapping[str, Any] | None, risk_record: Mapping[str, Any] | None
) -> Severity:
    """Severity proposed from a scenario and from what was measured; every input has its reason.

    Parameters
    ----------
    scenario : who obtained the data, whether anything was altered or lost, malice, and what a person decided
    exposure_record, risk_record : exact records of those results; None or a missing number is "not known",
        which takes the cautious value and says so

    Notes
    -----
    The data processing context is the highest class among the categories that are filled; simple data about
    children are raised by 3, as the source allows for minors. Nothing here lowers it: only a person
    does, in the scenario file, with a reason. The ease of identification follows the median chance of being
    found, by thresholds that are this project's own.
    """
    exposure, risk = exposure_record or {}, risk_record or {}
    dpc, why_dpc = _context(exposure)
    ei, why_ei = _ease(exposure, risk)
    if (decided := scenario.severity.dpc) is not None:
        proposed, dpc = dpc, data_context(decided.data_class, decided.adjustment, decided.reason)
        why_dpc = (
            f"set by a person: {decided.data_class} data {decided.adjustment:+d}, because {decided.reason} "
            f"(proposed from the data: {proposed}, {why_dpc})"
        )
    if (level := scenario.severity.ei) is not None:
        proposed_ei, ei = ei, level.level
        why_ei = f"set by a person, because {level.reason} (proposed from the data: {proposed_ei:g}, {why_ei})"
    scores, reasons = _circumstances(scenario)
    closed = scenario.controls.unintelligible
    return severity(
        dpc,
        ei,
        scores,
        people=_people(exposure),
        unintelligible=None if closed == "unknown" else closed,
        reasons={"dpc": why_dpc, "ei": why_ei, **reasons},
    )


def filled_categories(exposure_record: Mapping[str, Any]) -> set[str]:
    """The data categories that hold anything: of fields that are filled, or may be, and of images."""
    fields = exposure_record.get("fields") or []
    filled = {str(field["category"]) for field in fields if field.get("filled_share") != 0}
    return filled | ({"images"} if (exposure_record.get("images") or {}).get("files") else set())


def children_among(exposure_record: Mapping[str, Any]) -> bool | None:
    """Whether children are among the people; None where that is not known."""
    people = exposure_record.get("people") or {}
    children, unknown = people.get("children"), people.get("unknown_kind")
    if children:
        return True
    return None if children is None or unknown else False


def head_count(exposure_record: Mapping[str, Any]) -> tuple[int | None, bool]:
    """The people who were counted, and whether there can be no more: a kind or a row that nobody counted."""
    people = exposure_record.get("people") or {}
    whole = all(people.get(kind) is not None for kind in ("total", "children", "staff", "guardians"))
    return people.get("total"), whole and people.get("uncountable") == 0


def direct_share(exposure_record: Mapping[str, Any], risk_record: Mapping[str, Any]) -> float | None:
    """The share of people whom a name or number in the data gives away, 0 to 1.

    As the exposure counts it, which does not take a key that only links tables for a name; else as the risk does.
    """
    found, (people, _) = exposure_record.get("directly_identified"), head_count(exposure_record)
    if found is not None and people:
        return min(1.0, float(found / people))
    share = (risk_record.get("directly_identified") or {}).get("share")
    return None if share is None else float(share)


def _context(exposure: Mapping[str, Any]) -> tuple[int, str]:
    fields, children = exposure.get("fields") or [], children_among(exposure)
    known = {entry["name"]: entry for entry in reference.load("categories").entries["category"]}
    filled = filled_categories(exposure)
    if strange := filled - set(known):
        raise ParameterError(f"severity: '{min(strange)}' is not a data category.", f"use one of {', '.join(known)}.")
    if not fields and not filled:
        return 4, "which fields there were is not known: taken as the highest"
    if not filled:
        return 1, "no field is filled"
    scored: dict[str, tuple[int, int]] = {}
    for name in filled:
        data_class = known[name]["enisa"]
        adjustment = 3 if data_class == "simple" and children is not False else 0
        scored[data_class] = (data_context(data_class, adjustment, "children"), adjustment)
    best = max(scored, key=lambda data_class: (scored[data_class][0], data_context(data_class)))
    dpc, adjustment = scored[best]
    label = {entry["name"]: entry["label"] for entry in reference.load("severity_enisa").entries["class"]}[best]
    present = ", ".join(
        words for name, words in categories().items() if name in filled and known[name]["enisa"] == best
    )
    whose = "children are among the people" if children else "whether children are among the people is not known"
    raised = f", raised by 3 because {whose} and minors are a ground that the source names" if adjustment else ""
    return dpc, f"the highest class present is {label}: {present}{raised}"


def _ease(exposure: Mapping[str, Any], risk: Mapping[str, Any]) -> tuple[float, str]:
    share = direct_share(exposure, risk)
    sizes = risk.get("class_sizes") or []
    if share is None:
        return 1.0, "whether the data name people is not known: taken as the highest"
    named = (
        f"names or other direct identifiers are filled for {tables.percent(share)} of the people"
        if share
        else "no name or other direct identifier is filled"
    )
    if share > 0.5:
        return 1.0, f"{named}: whoever holds the data needs no research for the one in the middle"
    if not sizes:
        return 1.0, f"{named}, and no combination of fields was measured: taken as the highest"
    people = sum(entry["records"] for entry in sizes)
    median = median_chance(sizes, round(share * people))
    unit = "records" if risk.get("unit") == "records" else "people"
    return ease_from(median), (
        f"{named}; of {people:,} {unit} the one in the middle is found with a chance of {float(median):.3g} by the "
        "fields that an attacker is taken to know"
    )


def _people(exposure: Mapping[str, Any]) -> int | None:
    total, whole = head_count(exposure)
    return total if total is not None and (whole or total > more_than()) else None


def _circumstances(scenario: Scenario) -> tuple[dict[str, float], dict[str, str]]:
    entries = reference.load("severity_enisa").entries["circumstance"]
    scores, reasons = {}, {}
    for setting, element in ELEMENTS.items():
        said = getattr(scenario, setting)
        name = {True: "yes", False: "no"}.get(said, said)
        own = [entry for entry in entries if entry["element"] == element]
        entry = next((entry for entry in own if entry["name"] == name), None)
        if entry is None:  # "unknown"
            scores[element] = max(candidate["score"] for candidate in own)
            reasons[element] = f"{setting} is not known: taken as the highest"
        else:
            scores[element], reasons[element] = entry["score"], entry["when"]
    return scores, reasons


def _score(values: Mapping[str, float]) -> float:
    return values["dpc"] * values["ei"] + sum(values[name] for name in CIRCUMSTANCES)


def _short(name: str) -> str:
    return _LABELS[name].partition(",")[0]


def _words(name: str) -> str:
    return name.replace("_", " ")
