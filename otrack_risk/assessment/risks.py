"""The risk register: what the results propose, with evidence, likelihood and severity; a person fills in the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk import reference
from otrack_risk.access.findings import CHECKS
from otrack_risk.assessment.measured import FOUND, NONE_FOUND, NOT_LOOKED_FOR, Measured, some
from otrack_risk.display import tables
from otrack_risk.display.results import NotLookedFor, Shown
from otrack_risk.display.tables import Count, Share, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

FILE = "risk_register.csv"
_EDITS = ("edit", "admin")  # verbs that change a record


@dataclass(frozen=True)
class Judged:
    """What exact numbers propose of one risk; the reasons hold no count."""

    state: str  # found, none found, not looked for
    likelihood: str | None = None
    likelihood_why: str = ""
    severity: str | None = None
    severity_why: str = ""

    @property
    def overall(self) -> str | None:
        """low, medium or high, by the table of the ICO's guidance."""
        return overall(self.severity, self.likelihood) if self.severity and self.likelihood else None


@dataclass(frozen=True)
class Risk:
    """One line of the register."""

    id: str
    title: str
    source: str  # of the risk
    impact: str
    harm: str  # physical, material, moral
    feared: str  # access, modification, loss
    result: str  # key of the result that holds the evidence
    evidence: str  # its numbers
    judged: Judged
    treatment: str
    slug: str  # of the measure in CNIL's catalogue

    def record(self) -> dict[str, Any]:
        """Plain values; what a person fills in is None."""
        judged = self.judged
        content: dict[str, Any] = {
            "id": self.id,
            "title": self.title,
            "source": self.source,
            "impact": self.impact,
            "harm": self.harm,
            "state": judged.state,
            "result": self.result,
            "evidence": self.evidence,
            "likelihood": judged.likelihood,
            "likelihood_why": judged.likelihood_why,
            "severity": judged.severity,
            "severity_why": judged.severity_why,
            "overall": judged.overall,
            "treatment": self.treatment,
            "effect": None,
            "residual_likelihood": None,
            "residual_severity": None,
            "residual_overall": None,
            "approved_by": None,
        }
        return content | {"reason": "what remains after treatment, and who approves it, is for a person to write"}


@dataclass(frozen=True)
class RiskRegister(Shown):
    """Risks that the results propose, on the ICO's three by three scale."""

    key: ClassVar[str] = "risk_register"
    measured: Measured
    judged: Mapping[str, Judged]  # by id, from exact numbers

    @property
    def risks(self) -> tuple[Risk, ...]:
        """Every risk of the list, in its order."""
        found = []
        for entry in reference.load("dpia_ico").entries["risk"]:
            result, _, told = _EVIDENCE[entry["evidence"]](self.measured)
            kept = {name: entry[name] for name in ("id", "title", "source", "impact", "harm", "feared", "treatment")}
            found.append(
                Risk(**kept, slug=entry["slug"], result=result, evidence=told, judged=self.judged[entry["id"]])
            )
        return tuple(found)

    @property
    def proposed(self) -> tuple[Risk, ...]:
        """Those that were found, highest overall first."""
        order = ("high", "medium", "low")
        found = [risk for risk in self.risks if risk.judged.overall]
        return tuple(sorted(found, key=lambda risk: order.index(str(risk.judged.overall))))

    def count(self, level: str) -> int:
        """How many proposed risks have that overall level."""
        return sum(risk.judged.overall == level for risk in self.risks)

    def sentence(self) -> str:
        states = [judged.state for judged in self.judged.values()]
        return (
            f"Proposed, for a named person to confirm: {len(self.proposed)} of {len(states)} risks, "
            f"{self.count('high')} high, {self.count('medium')} medium, {self.count('low')} low; for "
            f"{states.count(NONE_FOUND)} nothing was found, and {states.count(NOT_LOOKED_FOR)} were not looked for. "
            "What remains after treatment is left blank."
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display.figures import bars

        if not self.proposed:
            return None
        levels = ("high", "medium", "low")
        title = f"{len(self.proposed)} risks proposed, {self.count('high')} of them high"
        return bars(levels, [self.count(level) for level in levels], title, "risks, by overall level")

    def table(self) -> pl.DataFrame:
        rows = [*self.proposed, *(risk for risk in self.risks if not risk.judged.overall)]
        return tables.table(
            {
                "risk": [f"{risk.id} {risk.title}" for risk in rows],
                "evidence": [f"{risk.evidence} ({risk.result})" for risk in rows],
                "likelihood": [_because(risk.judged.likelihood, risk.judged.likelihood_why, risk) for risk in rows],
                "severity": [_because(risk.judged.severity, risk.judged.severity_why, risk) for risk in rows],
                "overall": [risk.judged.overall or "" for risk in rows],
                "treatment": [risk.treatment for risk in rows],
                "residual": ["" for _ in rows],
                "approved by": ["" for _ in rows],
            }
        )

    def record(self) -> dict[str, Any]:
        return {
            "scale": {level: self.count(level) for level in ("high", "medium", "low")},
            "risks": [risk.record() for risk in self.risks],
        }

    def further_files(self) -> Mapping[str, str]:
        """The register as CSV, with the columns that a person fills in."""
        rows = [risk.record() for risk in self.risks]
        columns = [name for name in rows[0] if name != "reason"]
        content = [["" if row[name] is None else row[name] for name in columns] for row in rows]
        if self.measured.synthetic:
            columns, content = [*columns, "data"], [[*row, "SYNTHETIC"] for row in content]
        return {FILE: tables.as_csv(columns, content)}

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        return replace(self, measured=self.measured.published(hide_below))


def risk_register(measured: Measured) -> RiskRegister:
    """The risks of ``reference/dpia_ico.toml``, each as found, none found, or not looked for.

    Notes
    -----
    Likelihood and severity are proposals by this project's own rules, each with its reason. A risk that the data meet
    is never proposed as remote: a share above ``probable_above`` of the people makes it probable, a smaller one
    possible. Severity is severe where children's special category data, or a child's whereabouts, would be
    disclosed, or where whether they would be is not known.

    References
    ----------
    ICO, Sample DPIA template, steps 5 and 6, for the scales; see ``reference/dpia_ico.toml``.
    """
    entries = reference.load("dpia_ico").entries["risk"]
    return RiskRegister(measured, {entry["id"]: _EVIDENCE[entry["evidence"]](measured)[1] for entry in entries})


def overall(severity: str, likelihood: str) -> str:
    """Overall risk by the table.

    Examples
    --------
    >>> overall("severe", "possible"), overall("minimal", "probable")
    ('high', 'low')
    """
    rows = {entry["severity"]: entry for entry in reference.load("dpia_ico").entries["overall"]}
    return str(rows[severity][likelihood])


_Told = tuple[str, Judged, str]  # key of the result, what exact numbers propose, the evidence in words


def _checks(
    measured: Measured, checks: tuple[str, ...], likelihood: str, why: str, severity: tuple[str, str] | None = None
) -> _Told:
    state, told = measured.checked(*checks), "No finding of this kind."
    if state == NOT_LOOKED_FOR:
        told = "It could not be looked for in these data."
    held = [(check, *measured.findings[check]) for check in checks if check in measured.findings]
    if held:
        told = "; ".join(
            f"{CHECKS[check].label}: {written(number)} ({CHECKS[check].counts}, {level})"
            for check, level, number in held
        )
        told += "."
    judged = Judged(state, likelihood, why, *(severity or _disclosed(measured))) if held else Judged(state)
    return "access_findings", judged, told


def _public_reach(measured: Measured) -> _Told:
    return _checks(measured, ("public_reach",), "probable", "nothing stands between a stranger and the data")


def _leaver_accounts(measured: Measured) -> _Told:
    used = "used_after_leaving" in measured.findings
    why = "an account was used after its owner had left" if used else "whoever holds the password can still come in"
    checks = ("leaver_enabled", "used_after_leaving")
    return _checks(measured, checks, "probable" if used else "possible", why)


def _vendor(measured: Measured) -> _Told:
    why = "access stands open at all times, and whoever breaks into the supplier has it"
    return _checks(measured, ("vendor_standing_access",), "possible", why)


def _reach(measured: Measured) -> _Told:
    access, key = measured.access, "account_ladder"
    if isinstance(access, NotLookedFor):
        return key, Judged(NOT_LOOKED_FOR), access.reason
    ladder = access.ladder()
    whom = f"{written(ladder.widest)} of {written(ladder.roll)} children"
    said = f"The widest of {ladder.accounts:,} enabled accounts sees {whom}."
    if ladder.widest is None or ladder.roll is None:
        return key, Judged(NOT_LOOKED_FOR), "How many children an account sees is not known."
    if not some(ladder.widest):
        return key, Judged(NONE_FOUND), said
    alone = "no_mfa" in measured.findings
    why = (
        "log-ins are stolen, and a password alone is asked for"
        if alone
        else "log-ins are stolen; nobody counted how often here"
    )
    return key, Judged(FOUND, "probable" if alone else "possible", why, *_disclosed(measured)), said


def _excess(measured: Measured, verbs: tuple[str, ...] | None) -> tuple[str, int]:
    access = measured.access
    if isinstance(access, NotLookedFor):
        return NOT_LOOKED_FOR, 0
    beyond = [c for c in access.cells if c.state == "excess" and (verbs is None or c.verb in verbs)]
    return (FOUND if beyond else NONE_FOUND), len(beyond)


def _beyond_need(measured: Measured) -> _Told:
    state, cells = _excess(measured, None)
    said = f"{cells:,} rights of a role to a category go beyond the matrix of least privilege."
    why = "the grants are in force today; whether they are misused is not counted"
    judged = Judged(state, "possible", why, *_disclosed(measured)) if state == FOUND else Judged(state)
    return "access", judged, said if state != NOT_LOOKED_FOR else "It could not be looked for in these data."


def _edits(measured: Measured) -> _Told:
    state, cells = _excess(measured, _EDITS)
    said = f"{cells:,} rights of a role to change a category go beyond the matrix of least privilege."
    why, how = (
        "the rights are in force today; whether they are misused is not counted",
        "a record can be put right once the change is known",
    )
    judged = Judged(state, "possible", why, "significant", how) if state == FOUND else Judged(state)
    return "access", judged, said if state != NOT_LOOKED_FOR else "It could not be looked for in these data."


def _named(measured: Measured) -> _Told:
    exposed = measured.exposed
    count, total = exposed.get("directly_identified"), (exposed.get("people") or {}).get("total")
    said = f"Columns that name somebody directly name {written(count)} of {written(total)} people."
    share = count / total if isinstance(count, int) and isinstance(total, int) and total else None
    return "exposure", _by_share(measured, count, share, "are named in it"), said


def _singled_out(measured: Measured) -> _Told:
    found, records = measured.findable.get("uniques"), measured.findable.get("records")
    share = measured.findable.get("unique_share")
    said = f"{written(found)} of {written(records)} {_unit(measured)} are alone with their combination of facts."
    return "risk", _by_share(measured, found, share, "are alone with their combination", "significant"), said


def _inferred(measured: Measured) -> _Told:
    sensitive = [
        e for e in (measured.findable.get("sensitive") or {}).values() if e.get("homogeneous_records") is not None
    ]
    if not sensitive:
        return "risk", Judged(NOT_LOOKED_FOR), "No sensitive field was measured."
    most, records = max(e["homogeneous_records"] for e in sensitive), measured.findable.get("records")
    said = (
        f"For up to {most:,} of {written(records)} {_unit(measured)} everybody alike has the same value of a sensitive "
        "field."
    )
    share = most / records if records else None
    return "risk", _by_share(measured, most, share, "have the value of everybody alike"), said


def _special(measured: Measured) -> _Told:
    count, children = measured.special, (measured.exposed.get("people") or {}).get("children")
    said = f"At least one special category fact is stated of {written(count)} of {written(children)} children."
    share = count / children if isinstance(count, int) and isinstance(children, int) and children else None
    return "exposure", _by_share(measured, count, share, "have such a fact in the data"), said


def _text(measured: Measured) -> _Told:
    text = measured.exposed.get("text") or {}
    count = (text.get("children_special_category") or {}).get("by_key_or_name")
    if count is None:
        return "exposure", Judged(NOT_LOOKED_FOR), str(text.get("why") or "No free text was read.")
    said = f"Free text tells a special category fact of {written(count)} children."
    why = "notes are read by whoever sees them; how widely they go is not counted"
    judged = Judged(FOUND, "possible", why, *_disclosed(measured)) if some(count) else Judged(NONE_FOUND)
    return "exposure", judged, said


def _places(measured: Measured) -> _Told:
    images = measured.exposed.get("images") or {}
    places, opened = images.get("with_gps"), images.get("opened")
    if places is None:
        return "exposure", Judged(NOT_LOOKED_FOR), str(images.get("reason") or "No picture was opened.")
    said = f"{written(places)} of {written(opened)} pictures that were opened hold the place where they were taken."
    if not some(places):
        return "exposure", Judged(NONE_FOUND), said
    why, how = "whoever opens the file reads the place", "a child's whereabouts are disclosed"
    return "exposure", Judged(FOUND, "probable", why, "severe", how), said


def _kept(measured: Measured) -> _Told:
    leavers, oldest = measured.exposed.get("leavers"), measured.exposed.get("oldest_year")
    said = (
        f"Children with a leaving date: {written(leavers)}; oldest year: {'not known' if oldest is None else oldest}."
    )
    old = oldest is not None and measured.as_of.year - oldest > _rule("old_after_years", "years")
    if leavers is None and oldest is None:
        return "exposure", Judged(NOT_LOOKED_FOR), said
    if not (some(leavers) or old):
        return "exposure", Judged(NONE_FOUND), said
    held = [*(["children who have left"] if some(leavers) else []), *(["old records"] if old else [])]
    why = f"{' and '.join(held)} are in the data; whether the retention schedule allows it is for a person"
    return "exposure", Judged(FOUND, "possible", why, *_disclosed(measured)), said


def _by_share(measured: Measured, count: Count, share: Share, what: str, severity: str = "") -> Judged:
    if count is None:
        return Judged(NOT_LOOKED_FOR)
    if not some(count):
        return Judged(NONE_FOUND)
    most = isinstance(share, float) and share > _rule("probable_above", "share")
    why = f"{'more than half' if most else 'some'} of them {what}"
    worst = (severity, "a child is found, and what else is known of it is read") if severity else _disclosed(measured)
    return Judged(FOUND, "probable" if most else "possible", why, *worst)


def _disclosed(measured: Measured) -> tuple[str, str]:
    """The severity of a disclosure of these data, and why."""
    held = some(measured.special)
    if held is None:
        return "severe", "whether special category data of children are among them is not known: taken as so"
    if held:
        return "severe", "special category data of children are among them"
    return "significant", "no special category fact of children was found among them"


def _rule(name: str, value: str) -> float:
    return float(next(entry[value] for entry in reference.load("dpia_ico").entries["rule"] if entry["name"] == name))


def _unit(measured: Measured) -> str:
    return str(measured.findable.get("unit", "records")).replace("_", " ")


def _because(level: str | None, why: str, risk: Risk) -> str:
    return f"{level}: {why}" if level else risk.judged.state


_EVIDENCE: Mapping[str, Callable[[Measured], _Told]] = {
    "public_reach": _public_reach,
    "reach": _reach,
    "beyond_need": _beyond_need,
    "leaver_accounts": _leaver_accounts,
    "vendor": _vendor,
    "named": _named,
    "singled_out": _singled_out,
    "inferred": _inferred,
    "special": _special,
    "text": _text,
    "places": _places,
    "kept": _kept,
    "edits": _edits,
}
