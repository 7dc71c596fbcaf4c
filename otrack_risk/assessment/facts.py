"""What is known of a breach, what is assumed, and what nobody has said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from otrack_risk.assessment.scenario import TIMES, Fact, Scenario, moment, unknown_settings
from otrack_risk.display import tables
from otrack_risk.display.results import Shown

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class ScenarioFacts(Shown):
    """What is known of a breach, what is assumed, and what nobody has said."""

    key: ClassVar[str] = "scenario"
    name: str
    title: str
    as_of: datetime
    facts: tuple[Fact, ...]  # those of the file, then the times, then the settings that are unknown

    def count(self, status: str) -> int:
        """How many facts have that status."""
        return sum(fact.status == status for fact in self.facts)

    def sentence(self) -> str:
        return (
            f"{self.title}, as of {moment(self.as_of)}: of {len(self.facts)} facts {self.count('known')} are known "
            f"from the sources named, {self.count('assumed')} are assumed and {self.count('unknown')} are not known."
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "about": [fact.about for fact in self.facts],
                "value": [fact.value or None for fact in self.facts],
                "status": [fact.status for fact in self.facts],
                "source": [fact.source or "none" for fact in self.facts],
            }
        )

    def summary(self) -> dict[str, Any]:
        """Name, title, and the counts of facts."""
        counts = {status: self.count(status) for status in ("known", "assumed", "unknown")}
        return {"name": self.name, "title": self.title, **counts}

    def record(self) -> dict[str, Any]:
        facts = [
            fact.model_dump() | ({"value": None, "reason": "not known"} if fact.status == "unknown" else {})
            for fact in self.facts
        ]
        return self.summary() | {"as_of": self.as_of.isoformat(), "facts": facts}


@dataclass(frozen=True)
class ScenarioList(Shown):
    """Scenarios by name."""

    key: ClassVar[str] = "scenarios"
    scenarios: tuple[ScenarioFacts, ...]

    def sentence(self) -> str:
        return f"{len(self.scenarios)} scenarios; each keeps known, assumed and unknown facts apart."

    def table(self) -> pl.DataFrame:
        rows = [entry.summary() for entry in self.scenarios]
        return tables.table(
            {name: [row[name] for row in rows] for name in ("name", "title", "known", "assumed", "unknown")}
        )

    def record(self) -> dict[str, Any]:
        return {"scenarios": [entry.summary() for entry in self.scenarios]}


def scenario_facts(scenario: Scenario) -> ScenarioFacts:
    """Every fact of a scenario with its status: those written down, the times, and the settings left unknown."""
    timeline, listed = scenario.timeline, list(scenario.facts)
    given = timeline.given()
    ground = timeline.because or "the scenario file"
    for name, about in TIMES.items():
        if name in given:
            listed.append(Fact(about=about, value=moment(given[name]), status=timeline.status, source=ground))
        else:
            listed.append(Fact(about=about, status="unknown"))
    listed += [Fact(about=about, status="unknown") for about in unknown_settings(scenario).values()]
    return ScenarioFacts(scenario.name, scenario.title, scenario.as_of, tuple(listed))


def scenario_list(scenarios: Sequence[Scenario]) -> ScenarioList:
    """The scenarios with their counts of known, assumed and unknown facts."""
    return ScenarioList(tuple(scenario_facts(scenario) for scenario in scenarios))
