"""Who must be told, by when, under which rule: proposals and clocks, never a verdict.

Rules, their sources and the step from a severity band to a proposal live in ``reference/law_uk.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from otrack_risk import reference
from otrack_risk.assessment.clocks import Clock, State, clock, deadline, iso, span
from otrack_risk.assessment.enisa import bands
from otrack_risk.assessment.scenario import Scenario, moment
from otrack_risk.assessment.severity import Severity, children_among, filled_categories, head_count
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.schema import categories

if TYPE_CHECKING:
    import polars as pl

_DECIDES = "Proposal, for a named person to decide"


@dataclass(frozen=True)
class Duty:
    """What one rule asks, as a proposal."""

    rule: str  # id in the law table
    title: str
    kind: str  # CHECK, CALC or PROMPT
    proposal: str
    deadline: datetime | None
    no_deadline: str  # why there is none; empty where there is one
    state: State
    why: str
    source: str

    def record(self) -> dict[str, Any]:
        """The entry of the contract's ``notification``."""
        entry = {
            "rule": self.rule,
            "title": self.title,
            "proposal": self.proposal,
            "deadline": iso(self.deadline),
            "state": self.state,
            "why": self.why,
            "source": self.source,
            "kind": self.kind,
        }
        return entry | ({"reason": self.no_deadline} if self.deadline is None else {})


@dataclass(frozen=True)
class Notification(Shown):
    """Whom to tell, proposed from severity and scenario."""

    key: ClassVar[str] = "notification"
    band: str
    regulator: str  # its name on the day
    authority: bool  # whether notifying the regulator is proposed
    people: bool  # whether telling the people is proposed
    raised_by: tuple[str, ...]  # what raises the proposal by one step
    duties: tuple[Duty, ...]
    clock: Clock
    notes: tuple[str, ...]  # tables of law or method that should have been reviewed by now

    def sentence(self) -> str:
        if self.people:
            ask = f"notify {self.regulator}, and tell the people concerned"
        elif self.authority:
            ask = f"notify {self.regulator}; whether a high risk to people is likely, and they must be told, is open"
        else:
            ask = "record the breach in the register, and write down why a risk to people is thought unlikely, if it is"
        return " ".join([f"{_DECIDES}: {ask}.", self.clock.sentence(), *self.notes])

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "rule": [f"{duty.rule} {duty.title}" for duty in self.duties],
                "proposal": [duty.proposal for duty in self.duties],
                "deadline": [duty.no_deadline or moment(duty.deadline or self.clock.as_of) for duty in self.duties],
                "state": [duty.state for duty in self.duties],
                "why": [duty.why for duty in self.duties],
                "source": [duty.source for duty in self.duties],
            }
        )

    def record(self) -> dict[str, Any]:
        return {
            "rules": [duty.record() for duty in self.duties],
            "band": self.band,
            "raised_by": list(self.raised_by),
            "decided_by": None,
            "reason": "a named person decides; nobody has yet",
            "notes": list(self.notes),
        }


def notification(
    scenario: Scenario, severity: Severity, exposure_record: Mapping[str, Any] | None = None
) -> Notification:
    """What the rules ask after a breach, as proposals that a named person decides.

    Parameters
    ----------
    severity : its band sets the proposal, by this project's own table
    exposure_record : exact record of the exposure; what it does not know counts upward

    Notes
    -----
    Circumstances that the table of overrides names raise the proposal by one step. Nothing lowers it here, and
    no proposal says that a notification can be left out: that is a person's decision, with a reason.
    """
    rules, watch, regulator = _rules(scenario), clock(scenario), _regulator(scenario)
    raised = _overrides(scenario, severity.band, exposure_record or {})
    entries = {entry["band"]: entry for entry in _law(scenario).entries["proposal"]}
    steps = list(bands())
    place = min(steps.index(severity.band) + bool(raised), len(steps) - 1)
    entry = entries[steps[place]]
    why = f"severity {severity.arithmetic}, {severity.band.replace('_', ' ')}"
    if raised:
        why += f"; besides: {', '.join(raised)}"
    people = _people_duty(scenario, entry["people"], why)
    proposed: dict[str, _Proposed] = {
        "UK-33-1": (
            f"notify {regulator}" if entry["authority"] else "decide whether a risk to people is unlikely, and why",
            watch.due_at,
            "" if watch.due_at else "the moment of becoming aware is not known",
            watch.state,
            why,
        ),
        "UK-33-2": _processor_duty(scenario, rules["UK-33-2"]),
        "UK-33-3": ("gather what the notification must hold", None, "with the notification", "ask", ""),
        "UK-33-5": ("enter the breach in the register", None, "the law names no hours", "ask", ""),
        "UK-34-1": people,
    }
    if severity.unintelligible is not False:
        proposed["UK-34-3"] = _grounds_duty(severity)
    proposed["UK-35"] = ("look again at the impact assessment", None, "the law names no hours", "ask", "")
    duties = []
    for name, (proposal, due, no_deadline, state, ground) in proposed.items():
        rule = rules[name]
        duties.append(
            Duty(
                rule=name,
                title=rule["title"],
                kind=rule["kind"],
                proposal=proposal,
                deadline=due,
                no_deadline=no_deadline,
                state=state,
                why=ground or rule["text"],
                source=rule["source"],
            )
        )
    return Notification(
        band=severity.band,
        regulator=regulator,
        authority=entry["authority"],
        people=entry["people"],
        raised_by=raised,
        duties=tuple(duties),
        clock=watch,
        notes=_stale(scenario),
    )


_Proposed = tuple[str, datetime | None, str, State, str]  # proposal, deadline, why there is none, state, why


def _processor_duty(scenario: Scenario, rule: Mapping[str, Any]) -> _Proposed:
    times, hours = scenario.timeline.given(), rule["contract_hours"]
    processor, aware = times.get("processor_aware_at"), times.get("aware_at")
    ask = "ask the supplier when it was aware, and when it told each school"
    if processor is None or aware is None:
        missing = "when a supplier was aware" if processor is None else "when the controller was aware"
        return ask, None, f"{missing} is not known", "unknown", rule["text"]
    if aware < processor:
        return ask, None, "the controller knew before the supplier", "ask", rule["text"]
    due, state = deadline(processor, hours, aware, scenario.as_of)
    why = (
        f"the controller was aware {span(aware - processor)} after the supplier; {hours} hours are this project's "
        "own default where a contract names none"
    )
    return ask, due, "", state, why


def _people_duty(scenario: Scenario, proposed: bool, why: str) -> _Proposed:
    hours = "the law names no hours: without undue delay"
    told = scenario.timeline.given().get("people_notified_at")
    if told is not None:
        return "check that everybody concerned was reached", None, hours, "done", f"told on {moment(told)}; {why}"
    if proposed:
        return "tell the people concerned", None, hours, "open", why
    return "decide whether a high risk to people is likely, and why", None, hours, "ask", why


def _grounds_duty(severity: Severity) -> _Proposed:
    unknown = "whether the data can be read by whoever holds them is not known"
    why = "the data are said to be unintelligible" if severity.unintelligible else unknown
    ask = "show the algorithm, that the key was not taken, and the evidence"
    return ask, None, "the law names no hours", "ask", why


def _overrides(scenario: Scenario, band: str, exposure: Mapping[str, Any]) -> tuple[str, ...]:
    rows = {entry["name"]: entry for entry in _law(scenario).entries["override"]}
    images, (total, whole) = exposure.get("images") or {}, head_count(exposure)
    filled, children, labels = filled_categories(exposure), children_among(exposure), categories()
    held: dict[str, str] = {}  # name -> what to add to its words
    guess = " (not known, taken as so)"
    listed = [labels[name] for name in rows["children_and_sensitive"]["categories"] if name in filled]
    listed += ["positions in images"] if images.get("with_gps") else []
    looked = bool(exposure.get("fields")) and (images.get("files") == 0 or images.get("with_gps") is not None)
    if children is not False and (listed or not looked):
        held["children_and_sensitive"] = f" ({', '.join(listed)})" if children and listed else guess
    if scenario.malicious is not False:
        held["malicious"] = "" if scenario.malicious is True else guess
    many = rows["many_people"]
    enough = total is not None and total >= many["people_from"]
    if band == many["band"] and (enough or not whole):
        held["many_people"] = "" if enough else guess
    if images.get("files") != 0 and images.get("linked_to_a_child") != 0:
        held["named_images"] = "" if images.get("linked_to_a_child") else guess
    return tuple(rows[name]["words"] + more for name, more in held.items())


def _law(scenario: Scenario) -> reference.ReferenceTable:
    return reference.load(f"law_{scenario.jurisdiction}")


def _rules(scenario: Scenario) -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in _law(scenario).entries["rule"]}


def _regulator(scenario: Scenario) -> str:
    return str(_law(scenario).entries["authority"][0]["name"])


def _stale(scenario: Scenario) -> tuple[str, ...]:
    used = [_law(scenario), reference.load("severity_enisa"), reference.load("categories")]
    return tuple(
        f"The table '{table.title}' was to be reviewed by {table.review_by}: check it before relying on it."
        for table in used
        if table.stale(scenario.as_of.date())
    )
