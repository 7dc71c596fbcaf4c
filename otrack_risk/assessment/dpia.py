"""The impact assessment in the ICO's seven steps: what the data say, and blank lines for what a person must write."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk import reference
from otrack_risk.assessment.measured import NOT_LOOKED_FOR, Measured, jurisdiction_of, overdue
from otrack_risk.assessment.risks import RiskRegister, risk_register
from otrack_risk.assessment.screening import Screening, dpia_screening
from otrack_risk.display import tables
from otrack_risk.display.results import NotLookedFor, Shown
from otrack_risk.display.tables import written
from otrack_risk.errors import ParameterError
from otrack_risk.schema import categories, special_categories

if TYPE_CHECKING:
    import polars as pl

MARKDOWN, PAGE = "dpia.md", "dpia.html"  # a word processor opens the second
FROM_DATA, BY_A_PERSON = "from the data", "to be written by a person"
TABLES = ("dpia_ico", "screening", "law_uk", "severity_enisa", "categories")
BLANK_STEPS = (3, 7)  # nothing that a machine could write belongs there
_LINE = "\\_\\_\\_\\_\\_\\_\\_\\_"


@dataclass(frozen=True)
class Entry:
    """One question of a step, and its answer."""

    step: int
    question: str
    source: str  # FROM_DATA or BY_A_PERSON
    answer: str  # "" where a person writes it


@dataclass(frozen=True)
class Dpia(Shown):
    """An impact assessment half written: the numbers are in, the judgement is not."""

    key: ClassVar[str] = "dpia"
    measured: Measured
    screening: Screening
    risk_list: RiskRegister
    go_live: date | None
    jurisdiction: str

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every question in the order of the steps; steps 5 and 6 have one a proposed risk."""
        fields = reference.load("dpia_ico").entries["field"]
        early = [self._entry(field) for field in fields if field["step"] < 5]
        risks = self.risk_list.proposed
        assessed = [
            Entry(
                5,
                f"{risk.id} {risk.title}",
                FROM_DATA,
                f"{risk.evidence} Proposed: likelihood {risk.judged.likelihood} ({risk.judged.likelihood_why}), "
                f"severity {risk.judged.severity} ({risk.judged.severity_why}), overall {risk.judged.overall}.",
            )
            for risk in risks
        ]
        assessed.append(Entry(5, "Which of these are confirmed, and which further risks are there?", BY_A_PERSON, ""))
        measures: list[Entry] = []
        for risk in risks:
            if risk.judged.overall != "low":
                measures.append(Entry(6, f"{risk.id} Option", FROM_DATA, f"Proposed: {risk.treatment}."))
                measures.append(
                    Entry(
                        6, f"{risk.id} Effect (eliminated, reduced, accepted), residual risk, approved", BY_A_PERSON, ""
                    )
                )
        late = [self._entry(field) for field in fields if field["step"] > 6]
        return (*early, *assessed, *measures, *late)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the day, and which tables should have been reviewed by it."""
        found, day = [], self.measured.as_of
        if self.go_live is None:
            found.append("No go-live date was given, so whether this comes before the processing cannot be said")
        elif day > self.go_live:
            found.append(
                f"Dated {(day - self.go_live).days:,} days after go-live ({self.go_live}): Article 35(1) asks for an "
                "assessment prior to the processing"
            )
        if stale := overdue(TABLES, day):
            found.append(f"Past their review day, to be checked before relying on them: {'; '.join(stale)}")
        return tuple(found)

    def sentence(self) -> str:
        by_data = sum(entry.source == FROM_DATA for entry in self.entries)
        place = jurisdiction_of(self.jurisdiction)
        warned = "".join(f" Warning: {warning}." for warning in self.warnings)
        live = "" if self.go_live is None else f", go-live {self.go_live}"
        return (
            f"Impact assessment in seven steps, {place['label']} ({place['law']}), dated {self.measured.as_of}{live}: "
            f"{by_data} of {len(self.entries)} entries are filled from the data, "
            f"{len(self.entries) - by_data} are for a person to write; consultation and sign-off are blank by "
            f"design.{warned}"
        )

    def table(self) -> pl.DataFrame:
        titles = {step["number"]: step["title"] for step in reference.load("dpia_ico").entries["step"]}
        shown = self.entries
        return tables.table(
            {
                "step": [f"{entry.step} {titles[entry.step]}" for entry in shown],
                "question": [entry.question for entry in shown],
                "source": [entry.source for entry in shown],
                "answer": [entry.answer for entry in shown],
            }
        )

    def record(self) -> dict[str, Any]:
        place = jurisdiction_of(self.jurisdiction)
        return {
            "as_of": self.measured.as_of.isoformat(),
            "go_live": None if self.go_live is None else self.go_live.isoformat(),
            **({} if self.go_live else {"reason": "no go-live date was given"}),
            "jurisdiction": {name: place[name] for name in ("name", "label", "law")} | {"check": place["because"]},
            "warnings": list(self.warnings),
            "tables": [
                {
                    "name": table.name,
                    "checked_on": table.checked_on.isoformat(),
                    "review_by": table.review_by.isoformat(),
                    "stale": table.stale(self.measured.as_of),
                }
                for table in map(reference.load, TABLES)
            ],
            "entries": [
                {"step": e.step, "question": e.question, "source": e.source, "answer": e.answer or None}
                for e in self.entries
            ],
            "signed_off_by": None,
        }

    def further_files(self) -> Mapping[str, str]:
        """The document as Markdown, and as a page that a word processor opens."""
        return {MARKDOWN: self._markdown(), PAGE: self._page()}

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        return replace(
            self,
            measured=self.measured.published(hide_below),
            screening=self.screening.published(hide_below),
            risk_list=self.risk_list.published(hide_below),
        )

    def _entry(self, field: Mapping[str, Any]) -> Entry:
        if field["from"] == "person":
            return Entry(field["step"], field["question"], BY_A_PERSON, "")
        return Entry(field["step"], field["question"], FROM_DATA, _ANSWERS[field["from"]](self))

    def _parts(self) -> list[tuple[str, list[tuple[str, str, str]]]]:
        """Each step's heading, and its rows: question, answer, source."""
        steps = reference.load("dpia_ico").entries["step"]
        return [
            (
                f"Step {step['number']}: {step['title']}",
                [(e.question, e.answer, e.source) for e in self.entries if e.step == step["number"]],
            )
            for step in steps
        ]

    def _head(self) -> list[str]:
        mark = ["SYNTHETIC: made from synthetic data; no real person is in it."] if self.measured.synthetic else []
        rests = [f"Rests on {table.citation()}." for table in map(reference.load, TABLES)]
        place = jurisdiction_of(self.jurisdiction)
        return [*mark, self.sentence(), f"To check: {place['because']}.", *rests]

    def _markdown(self) -> str:
        lines = ["# Data protection impact assessment", ""]
        for text in self._head():
            lines += [_plain(text), ""]
        for heading, rows in self._parts():
            lines += [f"## {heading}", ""]
            if rows:
                lines += ["| Question | Answer | Source |", "|---|---|---|"]
                lines += [f"| {_plain(q)} | {_plain(a) or _LINE} | {source} |" for q, a, source in rows] + [""]
            else:
                lines += ["Nothing is proposed; a person writes this step.", ""]
        return "\n".join(lines).rstrip("\n") + "\n"

    def _page(self) -> str:
        head = "".join(f"<p>{html.escape(text)}</p>" for text in self._head())
        parts = "".join(
            f"<h2>{html.escape(heading)}</h2>"
            + (
                tables.as_html(("Question", "Answer", "Source"), rows, heading)
                if rows
                else "<p>A person writes this.</p>"
            )
            for heading, rows in self._parts()
        )
        title = "Data protection impact assessment"
        title = f"SYNTHETIC: {title}" if self.measured.synthetic else title
        return (
            '<!DOCTYPE html>\n<html lang="en-GB"><head><meta charset="utf-8">'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title}</title><style>{_STYLE}</style></head>"
            f"<body><main><h1>{title}</h1>{head}{parts}</main></body></html>\n"
        )


def seven_steps(
    measured: Measured,
    screening: Screening | None = None,
    register: RiskRegister | None = None,
    *,
    go_live: str = "",
    jurisdiction: str = "uk",
) -> Dpia:
    """The seven steps of the ICO's template, with the results where they answer a question.

    Parameters
    ----------
    screening, register : of the same results; None: made here
    go_live : the day on which the processing begins, as an ISO date; empty: not known
    jurisdiction : whose law is asked; ``uk`` alone has a table

    Raises
    ------
    ParameterError
        A date that is none, or a jurisdiction without a table of law.

    Notes
    -----
    Consultation (step 3) and sign-off (step 7) stay blank by design: no number can stand for them. An assessment that
    is dated after go-live is still written, and says so.

    References
    ----------
    ICO, Sample DPIA template; UK GDPR, Article 35(1) and 35(7).
    """
    jurisdiction_of(jurisdiction)
    return Dpia(
        measured,
        screening or dpia_screening(measured),
        register or risk_register(measured),
        _day(go_live),
        jurisdiction,
    )


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ParameterError("go_live is not a date.", "write it as 2026-09-01, or leave it empty.") from None


def _plain(text: str) -> str:
    """Text that no Markdown reader takes for markup: one line, every sign of markup quoted."""
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_[]|~#" else sign for sign in html.escape(flat, quote=False))


def _screening(of: Dpia) -> str:
    return of.screening.sentence()


def _high_risk(of: Dpia) -> str:
    names = list(dict.fromkeys((*of.screening.met("wp248"), *of.screening.met("ico"))))
    return f"Met by the data: {', '.join(names)}." if names else "The data alone meet none; see the screening."


def _recipients(of: Dpia) -> str:
    access = of.measured.access
    if isinstance(access, NotLookedFor):
        return f"Not looked for: {access.reason}"
    roles = "; ".join(f"{role.label}: {written(role.accounts)}" for role in access.roles)
    return f"Roles in use, and their enabled accounts: {roles}. Sharing beyond these grants is not in the data."


def _kinds(of: Dpia) -> str:
    counted = {name: of.measured.filled(name) for name in categories()}
    told = ", ".join(f"{label} {counted[name]}" for name, label in categories().items() if counted[name])
    return f"Filled columns by category: {told or 'none known'}."


def _special(of: Dpia) -> str:
    exposed, labels = of.measured.exposed, categories()
    told = ", ".join(f"{labels[n]} {written(c)}" for n, c in (exposed.get("special_by_category") or {}).items())
    held = [labels[name] for name in labels if name in of.measured.categories & special_categories()]
    if not held:
        return "No filled column of special category data; free text was not judged by this."
    return f"Yes: {', '.join(held)}. Children with such a fact: {written(of.measured.special)} ({told})."


def _volume(of: Dpia) -> str:
    exposed = of.measured.exposed
    images = (exposed.get("images") or {}).get("files")
    said = f"{written(exposed.get('records'))} records, {written(exposed.get('files'))} files, {written(images)} images"
    return f"{said}, {len(exposed.get('fields') or [])} columns that say something of a person."


def _retention(of: Dpia) -> str:
    exposed, oldest = of.measured.exposed, of.measured.exposed.get("oldest_year")
    return (
        f"Oldest year in the data: {'not known' if oldest is None else oldest}; children with a leaving date: "
        f"{written(exposed.get('leavers'))}. The retention period is for a person to write."
    )


def _people(of: Dpia) -> str:
    people = of.measured.exposed.get("people") or {}
    kinds = ", ".join(f"{kind} {written(people.get(kind))}" for kind in ("children", "staff", "guardians"))
    return f"{written(people.get('total'))} people: {kinds}. Records are not people."


def _area(of: Dpia) -> str:
    return f"Schools in the data: {written(of.measured.exposed.get('schools'))}. The area is for a person to write."


def _children(of: Dpia) -> str:
    people = of.measured.exposed.get("people") or {}
    return {
        True: f"Yes: {written(people.get('children'))} children.",
        False: "No child was counted; others may be vulnerable.",
        None: "Not known from the data.",
    }[of.measured.children]


def _quality(of: Dpia) -> str:
    fields = of.measured.exposed.get("fields") or []
    shares = [field["filled_share"] for field in fields if isinstance(field["filled_share"], float)]
    full = sum(share == 1 for share in shares)
    half = sum(0 < share < 0.5 for share in shares)
    return (
        f"Of {len(fields)} columns {full} are filled in every row and {half} in fewer than half. Whether values are "
        "right was not looked for."
    )


def _minimisation(of: Dpia) -> str:
    fields = of.measured.exposed.get("fields") or []
    empty = sum(field["filled_share"] == 0 for field in fields)
    excess = next((risk for risk in of.risk_list.risks if risk.id == "R3"), None)
    told = f"{empty} of {len(fields)} columns hold nothing."
    if excess is not None and excess.judged.state != NOT_LOOKED_FOR:
        told += f" {excess.evidence}"
    return f"{told} Which columns the purpose needs is for a person to say."


def _processors(of: Dpia) -> str:
    vendor = next((risk for risk in of.risk_list.risks if risk.id == "R5"), None)
    told = "" if vendor is None else f"Standing access of suppliers: {vendor.evidence} "
    return f"{told}Contracts are not in the data."


_ANSWERS: Mapping[str, Callable[[Dpia], str]] = {
    "screening": _screening,
    "high_risk": _high_risk,
    "recipients": _recipients,
    "kinds": _kinds,
    "special": _special,
    "volume": _volume,
    "retention": _retention,
    "people": _people,
    "area": _area,
    "children": _children,
    "quality": _quality,
    "minimisation": _minimisation,
    "processors": _processors,
}
_STYLE = (
    "body{font-family:sans-serif;line-height:1.45;margin:0 auto;max-width:60rem;padding:1rem}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #767676;padding:.4rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}caption{text-align:left;font-weight:bold}"
)
