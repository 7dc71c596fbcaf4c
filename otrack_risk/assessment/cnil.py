"""The assessment in the exchange shape of CNIL's PIA tool, for an analyst to open there and finish.

Answers that a person must write are empty, every opinion and validation is blank, and its status is "doing".
Format and numbers of the questions: ``reference/cnil_pia.toml``; shape: ``reference/cnil_pia.schema.json``.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files as packaged
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk import reference
from otrack_risk.assessment.dpia import FROM_DATA, Dpia
from otrack_risk.assessment.measured import Measured
from otrack_risk.assessment.risks import Risk
from otrack_risk.display import tables
from otrack_risk.display.results import Shown

if TYPE_CHECKING:
    import polars as pl

FILE = "cnil_pia.json"
DOING = 0  # the status of an assessment that nobody has handed in
UNDEFINED = 0  # a gauge that nobody has set
_PROPOSED = "Proposed from the data; for a person to set."
# The questions of the seven steps whose answers are taken over, by the number of CNIL's question.
_SHARED = {
    "volume": ("Scope: how much data?",),
    "data": ("Scope: what kind of data are they?", "Scope: do they include special category data?"),
    "minimisation": ("How is data minimisation ensured?",),
    "quality": ("How is data quality ensured?",),
    "retention": ("Scope: how long are data kept?",),
    "processors": ("How is it ensured that processors keep to the rules?",),
}


@dataclass(frozen=True)
class CnilPia(Shown):
    """One impact assessment as CNIL's tool reads it."""

    key: ClassVar[str] = "cnil_pia"
    dpia: Dpia
    gauges: Mapping[int, int]  # question -> 0 to 4, from exact numbers

    @property
    def measured(self) -> Measured:
        """What it rests on."""
        return self.dpia.measured

    def sentence(self) -> str:
        answers = self._answers()
        filled = sum(bool(data["text"] or data["list"] or data["gauge"]) for _, _, data in answers)
        return (
            f"CNIL PIA exchange file, dated {self.measured.as_of}: {filled} of {len(answers)} questions have something "
            f"from the data; the others, every opinion and the validation are for a person. Status: doing."
        )

    def table(self) -> pl.DataFrame:
        answers = self._answers()
        return tables.table(
            {
                "question": [str(number) for number, _, _ in answers],
                "asks": [label for _, label, _ in answers],
                "from the data": [_told(data) for _, _, data in answers],
            }
        )

    def record(self) -> dict[str, Any]:
        return {
            "as_of": self.measured.as_of.isoformat(),
            "status": "doing",
            "gauges": {str(number): gauge for number, gauge in self.gauges.items()},
            "answers": [
                {"question": number, "asks": label, "filled": bool(_told(data))}
                for number, label, data in self._answers()
            ],
            "validated_by": None,
            "reason": "a named person validates; nobody has yet",
        }

    def document(self) -> dict[str, Any]:
        """The exchange file as plain values; every text is HTML-escaped, every id is unique."""
        ids, stamp = count(1), f"{self.measured.as_of.isoformat()}T00:00:00Z"
        pia = next(ids)

        def entry(**content: Any) -> dict[str, Any]:
            return {"id": next(ids), "pia_id": pia, **content, "created_at": stamp, "updated_at": stamp}

        answers = [
            entry(reference_to=number, data={**data, "text": _markup(data["text"]), "list": _escaped(data["list"])})
            for number, _, data in self._answers()
        ]
        measures = [
            entry(
                title=html.escape(risk.treatment),
                content=_markup(f"Proposed against: {risk.title}. {_PROPOSED}"),
                placeholder=f"knowledge_base.slugs.{risk.slug}.placeholder",
            )
            for risk in self.dpia.risk_list.proposed
        ]
        comments = [
            entry(reference_to=str(number), description=html.escape(_PROPOSED), for_measure=False)
            for number, gauge in self.gauges.items()
            if gauge != UNDEFINED
        ]
        mark = "SYNTHETIC: " if self.measured.synthetic else ""
        return {
            "pia": {
                "id": pia,
                "name": f"{mark}Impact assessment of {self.measured.as_of.isoformat()}",
                "category": "",
                **dict.fromkeys(("author_name", "evaluator_name", "validator_name"), ""),
                "status": DOING,
                "dpo_status": None,
                "dpo_opinion": "",
                "dpos_names": "",
                "concerned_people_status": None,
                "concerned_people_opinion": "",
                "concerned_people_searched_opinion": None,
                "concerned_people_searched_content": "",
                "people_names": "",
                "rejection_reason": "",
                "applied_adjustments": "",
                "is_example": 0,
                "progress": 0,
                "created_at": stamp,
                "updated_at": stamp,
            },
            "answers": answers,
            "measures": measures,
            "evaluations": [],
            "comments": comments,
        }

    def further_files(self) -> Mapping[str, str]:
        """The exchange file."""
        return {FILE: json.dumps(self.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"}

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        return replace(self, dpia=self.dpia.published(hide_below))

    def _answers(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Number, label and data of each question, in order."""
        content = reference.load("cnil_pia").entries
        told = {entry.question: entry.answer for entry in self.dpia.entries if entry.source == FROM_DATA}
        found: list[tuple[int, str, dict[str, Any]]] = []
        for asked in content["question"]:
            text = " ".join(told[question] for question in _SHARED.get(asked["from"], ()))
            found.append((asked["id"], asked["label"], _data(text=text)))
        for feared in content["feared"]:
            risks = [risk for risk in self.dpia.risk_list.proposed if risk.feared == feared["name"]]
            for part in content["part"]:
                number = 300 + 10 * feared["number"] + part["number"]
                label = f"{feared['label']}: {part['name']}"
                if part["kind"] == "list":
                    found.append((number, label, _data(items=_listed(part["name"], risks))))
                else:
                    gauge = self.gauges[number]
                    found.append((number, label, _data(_PROPOSED if gauge else "", gauge=gauge)))
        return found


def cnil_pia(dpia: Dpia) -> CnilPia:
    """The exchange file of an assessment.

    Notes
    -----
    The severity of illegitimate access is that of ENISA's band, whose ladder CNIL's is; that of unwanted modification
    follows the register. Likelihood is the highest in the register. What was not measured (the loss of data) stays
    undefined, 0. Gauges hold what is before any plan; those after it are an evaluation, and a person makes it.

    References
    ----------
    ``reference/cnil_pia.toml``.
    """
    content = reference.load("cnil_pia").entries
    scales = {
        name: {entry["level"]: int(entry["gauge"]) for entry in content[f"{name}_gauge"]}
        for name in ("severity", "likelihood", "band")
    }
    gauges: dict[int, int] = {}
    for feared in content["feared"]:
        judged = [r.judged for r in dpia.risk_list.proposed if r.feared == feared["name"]]
        start = 300 + 10 * feared["number"]
        severity = max((scales["severity"][str(each.severity)] for each in judged), default=UNDEFINED)
        if feared["name"] == "access":
            severity = scales["band"][dpia.measured.severity.band]
        gauges[start + 5] = severity
        gauges[start + 6] = max((scales["likelihood"][str(each.likelihood)] for each in judged), default=UNDEFINED)
    return CnilPia(dpia, gauges)


def questions() -> tuple[int, ...]:
    """The number of every question, in order: 18 of context and principles, 18 of the three feared events."""
    content = reference.load("cnil_pia").entries
    risks = [300 + 10 * feared["number"] + part["number"] for feared in content["feared"] for part in content["part"]]
    return (*(entry["id"] for entry in content["question"]), *risks)


def schema() -> dict[str, Any]:
    """The JSON Schema of the exchange file, as this project describes it."""
    text = (packaged("otrack_risk.reference") / "cnil_pia.schema.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def _data(text: str = "", *, gauge: int | None = None, items: Sequence[str] = ()) -> dict[str, Any]:
    return {"text": text, "gauge": gauge, "list": list(items)}


def _listed(part: str, risks: Sequence[Risk]) -> list[str]:
    order = ("physical", "material", "moral")
    if part == "impacts":
        ranked = sorted(risks, key=lambda risk: min(order.index(kind) for kind in risk.harm.split(", ")))
        told = [f"{risk.impact} ({risk.harm})" for risk in ranked]
    else:
        told = [{"threats": risk.title, "sources": risk.source, "measures": risk.treatment}[part] for risk in risks]
    return list(dict.fromkeys(told))


def _told(data: Mapping[str, Any]) -> str:
    if data["gauge"] is not None:
        return f"{data['gauge']} of 4" if data["gauge"] else ""
    return "; ".join(data["list"]) or str(data["text"])


def _markup(text: str) -> str:
    return f"<p>{html.escape(text)}</p>" if text else ""


def _escaped(items: Sequence[str]) -> list[str]:
    return [html.escape(item) for item in items]
