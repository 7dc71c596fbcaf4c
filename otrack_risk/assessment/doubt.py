"""What is not known, and whether the answer would change if it were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from otrack_risk.assessment.duties import notification
from otrack_risk.assessment.enisa import bands, scales
from otrack_risk.assessment.scenario import TIMES, Scenario, unknown_settings
from otrack_risk.assessment.severity import ELEMENTS, Severity, direct_share, propose, severity
from otrack_risk.display import tables
from otrack_risk.display.results import Shown

if TYPE_CHECKING:
    import polars as pl

# Numbers of an exposure record, and the input of the severity that hangs on each; None: none does.
_NUMBERS: dict[str, tuple[str, str | None]] = {
    "children_special_category": ("Children with special category facts", None),
    "directly_identified": ("People identified directly", "ei"),
    "schools": ("Schools in the data", None),
    "oldest_year": ("Oldest year in the data", None),
    "leavers": ("Children who have left", None),
}
_PEOPLE = {
    "total": "Number of people",
    "children": "Number of children",
    "staff": "Number of staff",
    "guardians": "Number of guardians",
    "uncountable": "People who cannot be counted",
}


@dataclass(frozen=True)
class Unknown:
    """Something that is not known."""

    what: str
    changes: bool | None  # whether band or proposal would change; None: cannot be said
    how: str


@dataclass(frozen=True)
class Unknowns(Shown):
    """What is not known of a breach, those that would change the answer first."""

    key: ClassVar[str] = "unknowns"
    severity: Severity
    unknowns: tuple[Unknown, ...]

    def sentence(self) -> str:
        counts = {answer: sum(entry.changes is answer for entry in self.unknowns) for answer in (True, False, None)}
        return (
            f"{len(self.unknowns)} things are not known or only assumed. Taken one at a time, {counts[True]} would "
            f"change the answer ({self.severity.band.replace('_', ' ')}, and what is proposed), {counts[False]} would "
            f"not, and for {counts[None]} it cannot be said from here."
        )

    def table(self) -> pl.DataFrame:
        answers = {True: "yes", False: "no", None: "cannot be said"}
        return tables.table(
            {
                "not_known": [entry.what for entry in self.unknowns],
                "would_the_answer_change": [answers[entry.changes] for entry in self.unknowns],
                "how": [entry.how for entry in self.unknowns],
            }
        )

    def record(self) -> dict[str, Any]:
        entries: list[dict[str, Any]] = []
        for entry in self.unknowns:
            found: dict[str, Any] = {"what": entry.what, "changes": entry.changes, "how": entry.how}
            entries.append(found | ({"reason": "cannot be said from here"} if entry.changes is None else {}))
        return {"unknowns": entries}


def unknowns(
    scenario: Scenario, exposure_record: Mapping[str, Any] | None, risk_record: Mapping[str, Any] | None
) -> Unknowns:
    """What is not known, and whether the band or what is proposed would change if it were.

    Parameters
    ----------
    exposure_record, risk_record : exact records of those results, or None where they were not measured

    Notes
    -----
    Each unknown is taken by itself, with everything else as it is. Where the severity has an input for
    it, every value that the input may have is tried; two unknowns together may do what neither does alone.
    """
    found = propose(scenario, exposure_record, risk_record)
    entries = [
        *_steps(scenario, found, exposure_record),
        *_settings(scenario, found),
        *_times(scenario),
        *_facts(scenario, found),
        *_exposure(scenario, found, exposure_record, risk_record),
        *_risk(found, exposure_record, risk_record),
    ]
    order = {True: 0, None: 1, False: 2}
    return Unknowns(found, tuple(sorted(entries, key=lambda entry: order[entry.changes])))


def _steps(scenario: Scenario, found: Severity, record: Mapping[str, Any] | None) -> Iterator[Unknown]:
    asked = _asked(scenario, found, record)
    for step in found.flips:
        same = _asked(scenario, _with(found, step.input, step.value), record) == asked
        how = f"severity {step.score:g}, {step.band.replace('_', ' ')}"
        how += "; what is proposed stays" if same else "; what is proposed changes"
        yield Unknown(f"One step of doubt in {step.input.replace('_', ' ')}: {step.value:g}", True, how)
    if not found.flips:
        yield Unknown("One step of doubt in any one input of the severity", False, "the band stays as it is")


def _settings(scenario: Scenario, found: Severity) -> Iterator[Unknown]:
    for name, about in unknown_settings(scenario).items():
        if name in ELEMENTS:
            yield Unknown(about, *_over(found, ELEMENTS[name]))
        elif name == "unintelligible":
            asked = notification(scenario, found).people
            how = "a letter to each person may not be required (UK-34-3); the score stays as it is"
            yield Unknown(about, asked, how if asked else "the score stays as it is")
        else:
            yield Unknown(about, False, "not part of the score")


def _times(scenario: Scenario) -> Iterator[Unknown]:
    given = scenario.timeline.given()
    if "aware_at" not in given:
        yield Unknown(TIMES["aware_at"], True, "without it the hours to notify cannot be counted")
    elif scenario.timeline.status == "assumed":
        yield Unknown(f"{TIMES['aware_at']} (assumed)", True, "the hours to notify run from it")
    if "authority_notified_at" not in given:
        yield Unknown(TIMES["authority_notified_at"], True, "the clock is met only by a notification in time")
    rest = [
        label
        for name, label in TIMES.items()
        if name not in given and name not in ("aware_at", "authority_notified_at")
    ]
    if rest:
        yield Unknown(", ".join(rest), False, "not part of the score; the notification asks for it (UK-33-3)")


def _facts(scenario: Scenario, found: Severity) -> Iterator[Unknown]:
    for fact in scenario.facts:
        if fact.status == "known" or (fact.status == "assumed" and not (fact.matters or fact.input)):
            continue
        about = fact.about if fact.status == "unknown" else f"{fact.about} (assumed)"
        changes, how = _over(found, fact.input) if fact.input else (None, "")
        yield Unknown(about, changes, "; ".join(filter(None, (fact.matters, how))) or "not worked out here")


def _exposure(
    scenario: Scenario, found: Severity, record: Mapping[str, Any] | None, risk: Mapping[str, Any] | None
) -> Iterator[Unknown]:
    if not record:
        yield Unknown("What was in the data", *_over(found, "dpc"))
        return
    people, reasons = record.get("people") or {}, record.get("reasons") or {}
    for name, label in _PEOPLE.items():
        if people.get(name) is not None:
            continue
        answers = set()
        for number in (0, 10**9):  # nobody more, and more than any threshold
            counted = people | {kind: 0 for kind in _PEOPLE if people.get(kind) is None and kind != "children"}
            counted |= {"children": number} if name == "children" else {"total": (people.get("total") or 0) + number}
            tried = {**record, "people": counted}
            severe = propose(scenario, tried, risk) if name == "children" else found
            answers.add((severe.band, *_asked(scenario, severe, tried)))
        why = (people.get("reasons") or {}).get(name) or "how many must be told"
        yield Unknown(label, len(answers) > 1, why)
    for name, (label, element) in _NUMBERS.items():
        if name in record and record[name] is None:
            changes, how = _over(found, element) if element else (False, "it is not part of the score")
            yield Unknown(label, changes, f"{reasons[name].removesuffix('.')}; {how}" if name in reasons else how)
    for looked in record.get("looked_for") or []:
        if looked["state"] == "not looked for":
            changes, how = _over(found, "dpc", upward=True)
            yield Unknown(f"Not looked for: {looked['what']}", changes, f"{looked['why']}; {how}")


def _risk(found: Severity, exposure: Mapping[str, Any] | None, record: Mapping[str, Any] | None) -> Iterator[Unknown]:
    if record and record.get("class_sizes"):
        return
    about = "How findable people are by a combination of fields"
    if (direct_share(exposure or {}, record or {}) or 0) > 0.5:
        yield Unknown(about, False, "most people are identified directly, whatever a combination would add")
    else:
        yield Unknown(about, *_over(found, "ei"))


def _over(found: Severity, name: str, *, upward: bool = False) -> tuple[bool, str]:
    """Whether the band changes over the values that one input may have, and how."""
    now = {"dpc": float(found.dpc), "ei": found.ei, **found.circumstances}[name]
    tried = [value for value in scales()[name] if value > now or not upward]
    reached = {found.band, *(_with(found, name, value).band for value in tried)}
    low, high = min(reached, key=list(bands()).index), max(reached, key=list(bands()).index)
    if len(reached) == 1:
        return False, f"the band is {low.replace('_', ' ')} whatever it is"
    return True, f"the band lies between {low.replace('_', ' ')} and {high.replace('_', ' ')}"


def _with(found: Severity, name: str, value: float) -> Severity:
    """The same severity with one input at another value."""
    inputs = {"dpc": found.dpc, "ei": found.ei, **found.circumstances, name: value}
    dpc, ei = int(inputs.pop("dpc")), inputs.pop("ei")
    return severity(dpc, ei, inputs, people=found.people, unintelligible=found.unintelligible)


def _asked(scenario: Scenario, found: Severity, record: Mapping[str, Any] | None) -> tuple[bool, bool]:
    """Whether the regulator and the people are proposed to be told."""
    asked = notification(scenario, found, record)
    return asked.authority, asked.people
