"""Is an impact assessment called for: nine criteria and a regulator's list, with what the data show of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from otrack_risk import reference
from otrack_risk.assessment.measured import Measured, some
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import written
from otrack_risk.schema import categories, special_categories

if TYPE_CHECKING:
    import polars as pl

State = Literal["met", "not met", "a person decides"]
NEEDED, OPEN = "DPIA needed", "a person decides whether a DPIA is needed"
_SCORED = ("assessment", "behaviour")
_NOTHING = "The data can show nothing of it."


@dataclass(frozen=True)
class Criterion:
    """One criterion, and what the data show of it."""

    id: str
    list: str  # name of its list
    name: str
    text: str
    state: State
    evidence: str
    with_another: bool  # counts only together with a criterion of WP248

    def record(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Screening(Shown):
    """Which criteria the data meet, and what follows as a proposal: never that no assessment is needed."""

    key: ClassVar[str] = "dpia_screening"
    measured: Measured
    states: Mapping[str, State]  # by id, from exact numbers

    @property
    def criteria(self) -> tuple[Criterion, ...]:
        """Every criterion in the order of its list."""
        return tuple(
            Criterion(
                id=entry["id"],
                list=entry["list"],
                name=entry["name"],
                text=entry["text"],
                state=self.states[entry["id"]],
                evidence=_EVIDENCE[entry["evidence"]](self.measured)[1],
                with_another=entry.get("with_another", False),
            )
            for entry in reference.load("screening").entries["criterion"]
        )

    def met(self, name: str) -> tuple[str, ...]:
        """Names of the criteria of a list that count as met."""
        other = any(each.state == "met" for each in self.criteria if each.list == "wp248")
        return tuple(
            each.name
            for each in self.criteria
            if each.list == name and each.state == "met" and (other or not each.with_another)
        )

    @property
    def proposal(self) -> str:
        """``DPIA needed``, or that a person decides."""
        lists = reference.load("screening").entries["list"]
        return NEEDED if any(len(self.met(entry["name"])) >= entry["enough"] for entry in lists) else OPEN

    def sentence(self) -> str:
        total = {entry["name"]: 0 for entry in reference.load("screening").entries["list"]}
        for each in self.criteria:
            total[each.list] += 1
        decides = sum(state == "a person decides" for state in self.states.values())
        return (
            f"Proposal, for a named person to decide: {self.proposal}. The data meet {len(self.met('wp248'))} of "
            f"{total['wp248']} criteria of WP248 (two are enough) and {len(self.met('ico'))} of {total['ico']} types "
            f"of the ICO's list (one is enough); {decides} are for a person to decide."
        )

    def table(self) -> pl.DataFrame:
        labels = {entry["name"]: entry["label"] for entry in reference.load("screening").entries["list"]}
        shown = self.criteria
        return tables.table(
            {
                "criterion": [f"{each.id} {each.name}" for each in shown],
                "list": [labels[each.list] for each in shown],
                "state": [each.state for each in shown],
                "evidence": [each.evidence for each in shown],
            }
        )

    def record(self) -> dict[str, Any]:
        return {
            "proposal": self.proposal,
            "decided_by": None,
            "reason": "a named person decides; nobody has yet",
            "met": {name: list(self.met(name)) for name in ("wp248", "ico")},
            "criteria": [each.record() for each in self.criteria],
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        return replace(self, measured=self.measured.published(hide_below))


def dpia_screening(measured: Measured) -> Screening:
    """Each criterion as met, not met, or for a person to decide, from exact numbers.

    Notes
    -----
    A criterion of which the data can show nothing is for a person; so is one whose number is not known. "Not met" is
    said only where the data could have shown it and do not: no scored field, nothing sensitive, or fewer people than
    this project takes for large scale. Two criteria of WP248, or one type of the ICO's list, propose an assessment;
    nothing proposes that there need be none.

    References
    ----------
    ``reference/screening.toml``.
    """
    entries = reference.load("screening").entries["criterion"]
    return Screening(measured, {entry["id"]: _EVIDENCE[entry["evidence"]](measured)[0] for entry in entries})


def threshold() -> int:
    """The number of people from which this project takes processing for large scale."""
    entries = reference.load("screening").entries["threshold"]
    return int(next(entry["people_from"] for entry in entries if entry["name"] == "large_scale"))


_Shown = tuple[State, str]  # the state by these numbers, and the evidence in words


def _person(measured: Measured) -> _Shown:
    return "a person decides", _NOTHING


def _scoring(measured: Measured) -> _Shown:
    if not measured.exposed.get("fields"):
        return "a person decides", "Which fields there are is not known."
    scored = measured.filled(*_SCORED)
    if not scored:
        return "not met", "No filled field holds marks, points, grades or behaviour."
    return "met", f"{_fields(scored)} of assessment or behaviour hold values."


def _monitoring(measured: Measured) -> _Shown:
    kept = measured.filled("attendance", "behaviour")
    held = f"{_fields(kept)} of attendance or behaviour hold values" if kept else "No field of attendance or behaviour"
    return "a person decides", f"{held}; whether people are observed through them is not in the data."


def _sensitive(measured: Measured) -> _Shown:
    labels, special = categories(), special_categories()
    present = [label for name, label in labels.items() if name in measured.categories & special]
    if present:
        return (
            "met",
            f"Filled: {', '.join(present)}; children of whom such a fact is stated: {written(measured.special)}.",
        )
    if not measured.exposed.get("fields"):
        return "a person decides", "Which fields there are is not known."
    if open_ := [label for name, label in labels.items() if name in measured.categories & {"free_text", "images"}]:
        return (
            "a person decides",
            f"No special category field is filled, but these may hold anything: {', '.join(open_)}.",
        )
    return "not met", "No special category field is filled."


def _large_scale(measured: Measured) -> _Shown:
    people = measured.exposed.get("people") or {}
    total, least, start = people.get("total"), (people.get("at_least") or {}).get("total"), threshold()
    said = (
        f"{written(total)} people; from {start:,} this project takes it for large scale. Volume, duration and area are "
        "for a person."
    )
    fewest = least if isinstance(least, int) else total
    if isinstance(fewest, int) and fewest >= start:
        return "met", said
    whole = all(people.get(kind) is not None for kind in ("total", "children", "staff", "guardians"))
    if isinstance(total, int) and total < start and whole and people.get("uncountable") in (0, None):
        return "not met", said
    return "a person decides", said


def _matching(measured: Measured) -> _Shown:
    keyed: dict[str, int] = {}
    for table in measured.catalogue.tables:
        column = table.column(table.person) if table.subjects == "child" and table.person else None
        if column is not None:
            keyed[column.kind] = keyed.get(column.kind, 0) + 1
    schools = written(measured.exposed.get("schools"))
    return "a person decides", (
        f"Tables about children that one kind of key can join: {max(keyed.values(), default=0)}; schools: {schools}. "
        "Whether they come from different purposes or controllers is not in the data."
    )


def _vulnerable(measured: Measured) -> _Shown:
    people = measured.exposed.get("people") or {}
    if measured.children:
        return "met", f"Children among the people: {written(people.get('children'))}."
    known = "no child was counted" if measured.children is False else "whether children are among them is not known"
    return "a person decides", f"Of the people counted, {known}; staff may be in an unequal position too."


def _large_scale_profiling(measured: Measured) -> _Shown:
    (scored, fields), (large, people) = _scoring(measured), _large_scale(measured)
    both = f"{fields} {people}"
    if scored == large == "met":
        return "met", both
    return ("not met" if "not met" in (scored, large) else "a person decides"), both


def _tracking(measured: Measured) -> _Shown:
    images = measured.exposed.get("images") or {}
    return "a person decides", (
        f"Images that hold the place where they were taken: {written(images.get('with_gps'))}; fields of attendance "
        f"that hold values: {measured.filled('attendance')}. Whether somebody is tracked by them is not in the data."
    )


def _children_profiled(measured: Measured) -> _Shown:
    (scored, fields), (vulnerable, people) = _scoring(measured), _vulnerable(measured)
    if scored == vulnerable == "met":
        return "met", f"{people} {fields} Whether that is profiling is for a person to confirm."
    return "a person decides", f"{people} {fields}"


def _physical_harm(measured: Measured) -> _Shown:
    images = measured.exposed.get("images") or {}
    kept, places = measured.filled("safeguarding"), images.get("with_gps")
    contact = measured.filled("contact")
    said = (
        f"Filled fields of safeguarding: {kept}; of contact and address: {contact}; images that hold a place: "
        f"{written(places)}."
    )
    return ("met" if measured.children is not False and (kept or some(places)) else "a person decides"), said


def _fields(number: int) -> str:
    return f"{number:,} {'field' if number == 1 else 'fields'}"


_EVIDENCE: Mapping[str, Callable[[Measured], _Shown]] = {
    "person": _person,
    "scoring": _scoring,
    "monitoring": _monitoring,
    "sensitive": _sensitive,
    "large_scale": _large_scale,
    "matching": _matching,
    "vulnerable": _vulnerable,
    "large_scale_profiling": _large_scale_profiling,
    "tracking": _tracking,
    "children_profiled": _children_profiled,
    "physical_harm": _physical_harm,
}
