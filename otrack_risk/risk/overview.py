"""How findable is one data subject: every measure of one table, in one result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.risk.anonymity import SensitiveRisk
from otrack_risk.risk.attackers import ReidentificationRisk
from otrack_risk.risk.sizes import (
    AtRisk,
    RecordRisk,
    alone_said,
    class_size_figure,
    missing_said,
    named,
)
from otrack_risk.risk.utility import Utility

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NO_POPULATION = "no population was given: its size, a sampling fraction, or a table of it"
_NO_CLASSES = "where a missing value matches everything there are no classes, only matches of a record"
_PARTS = (
    "k_map",
    "delta_presence",
    "population",
    "individual",
    "tau",
    "household",
    "shapley",
    "minimal_keys",
    "suda",
    "subsets",
)
_LEARNT = (
    "distinct_l",
    "entropy_l",
    "entropy_nats",
    "recursive_c",
    "t_equal",
    "t_ordered",
    "t_hierarchical",
    "alpha",
    "basic_beta",
    "enhanced_beta",
    "delta_ln",
    "delta_log2",
    "homogeneous_classes",
    "homogeneous_records",
    "inference",
)
_KEYS = {
    "k_map": ("k", "poisson", "zero_truncated"),
    "delta_presence": ("min", "max"),
    "individual": ("expected_reidentifications", "share", "highest"),
    "tau": ("tau1", "tau2"),
    "household": ("expected_reidentifications", "highest"),
    "suda": ("records_with_msu", "score_max", "score_sum", "contribution"),
}


@dataclass(frozen=True)
class DirectlyIdentified:
    """Records in which a name, number or address says whose they are: no combination is needed."""

    columns: tuple[str, ...]  # of those named as direct identifiers, the ones that hold a value
    records: int  # with a value in any of them, whether or not the missing rule keeps them
    of: int  # all records of the table


@dataclass(frozen=True)
class PersonRule:
    """How several rows became one data subject."""

    column: str
    rows: int  # rows of the table
    rows_without_person: int  # each counted as a data subject of its own
    rows_left_out: int  # for a missing quasi-identifier


@dataclass(frozen=True)
class Risk(Shown):
    """How findable the data subjects of one table are. Every number is a measure of the whole table."""

    key: ClassVar[str] = "risk"
    quasi_identifiers: tuple[str, ...]  # what the attacker is taken to know
    unit: str  # what "records" below are: records, or data_subjects
    person_rule: PersonRule | None
    missing_rule: str
    missing_alpha: float | None  # what a match through a missing value counts; None where nothing is so matched
    left_out: int  # of the unit, by the missing rule
    records: int  # measured: the denominator
    classes: int | None  # None where a missing value matches everything: what follows then counts matches
    k: float  # records in the smallest class; a whole number but where a match counts less than 1
    largest_class: float
    median_class_size: float | None  # over classes
    uniques: int  # records in a class of one
    class_sizes: tuple[tuple[float, int | None, int], ...]  # size, classes, records; ascending
    people_by_bin: tuple[int, ...]  # records by class size, in the bins of sizes.people_by_bin
    record_risk: RecordRisk
    at_risk: tuple[AtRisk, ...]  # one a threshold
    distinction: float | None
    separation: float | None  # None for a single record
    directly_identified: DirectlyIdentified | None  # None where nobody looked
    attackers: Mapping[str, ReidentificationRisk]  # journalist and marketer with a population alone
    sensitive: Mapping[str, SensitiveRisk | None]  # by name of the column; None where there are no classes
    utility: Utility | None
    parts: Mapping[str, Any] = field(default_factory=dict)  # further results, by their key in the contract
    reasons: Mapping[str, str] = field(default_factory=dict)  # why one of them is not there

    @property
    def names_people(self) -> bool:
        """Whether a direct identifier holds a value: then k says nothing of this table as it is."""
        return self.directly_identified is not None and self.directly_identified.records > 0

    def sentence(self) -> str:
        unit, n = self.unit.replace("_", " "), self.records
        known = named(self.quasi_identifiers, at_most=6)
        at = self.at_risk[0]
        parts = []
        if self.directly_identified is None:
            parts.append("Direct identifiers were not looked for.")
        elif self.names_people:
            gate = self.directly_identified
            share = tables.percent(gate.records / gate.of)
            parts.append(
                f"Directly identified: {gate.records:,} of {gate.of:,} {unit} ({share}) hold {named(gate.columns)}, so "
                "no combination is needed to tell whose they are. If the identifiers were removed, k would be "
                f"{self.k:,} over {known}."
            )
        if not self.names_people:
            parts.append(f"k is {self.k:,} over {known}.")
        if self.classes is None:
            parts.append(
                f"{alone_said(self.uniques, n, unit)}; the others match {self.largest_class:,g} {unit} at most, "
                "themselves included."
            )
        else:
            parts.append(
                f"{alone_said(self.uniques, n, unit)}; the {n:,} fall into {self.classes:,} classes of 1 to "
                f"{self.largest_class:,}."
                if self.k == 1
                else f"All {n:,} {unit} share their combination with at least {self.k - 1:,} more; they fall into "
                f"{self.classes:,} classes of {self.k:,} to {self.largest_class:,}."
            )
        classes = "" if self.classes is None else f" ({self.classes:,} of {n:,})"
        parts.append(
            f"Whoever knows these facts of somebody in the table picks the right one with a chance of "
            f"{tables.percent(self.record_risk.mean_per_record)} on average{classes}; for "
            f"{at.records:,} of {n:,} ({tables.percent(at.share)}) the chance is above {tables.percent(at.threshold)}."
        )
        learnt = {name: risk for name, risk in self.sensitive.items() if risk is not None}
        if learnt:
            name, risk = max(learnt.items(), key=lambda item: item[1].homogeneous_records)
            share = tables.percent(risk.homogeneous_records / n)
            most = f", the most of {len(learnt)} sensitive fields" if len(learnt) > 1 else ""
            parts.append(
                f"For {risk.homogeneous_records:,} of {n:,} ({share}) everybody alike has the same {name}{most}; it is "
                "then known without telling them apart."
            )
        parts.append(missing_said(self.missing_rule, self.left_out, unit))
        if self.person_rule is not None:
            parts.append(
                f"One data subject is one value of {self.person_rule.column}, {self.person_rule.rows:,} rows in all; "
                f"{self.person_rule.rows_without_person:,} rows without it count as one each."
            )
        return " ".join(parts)

    def headline(self) -> tuple[tuple[str, str], ...]:
        unit = self.unit.replace("_", " ")
        if self.directly_identified is not None and self.names_people:
            gate = self.directly_identified
            return ((tables.percent(gate.records / gate.of), f"of {gate.of:,} {unit} directly identified"),)
        return ((tables.percent(self.uniques / self.records), f"of {self.records:,} {unit} alone in their class"),)

    def table(self) -> pl.DataFrame:
        unit, n = self.unit.replace("_", " "), self.records
        rows: list[tuple[str, object, str]] = []
        if self.directly_identified is not None:
            gate = self.directly_identified
            rows.append((f"{unit} directly identified", gate.records, f"of {gate.of:,}"))
        removed = ", if the identifiers were removed" if self.names_people else ""
        rows += [
            ("taken to be known", named(self.quasi_identifiers), ""),
            (f"{unit} measured", n, ""),
            (f"{unit} left out for a missing value", self.left_out, ""),
            ("equivalence classes", "none, only matches" if self.classes is None else self.classes, ""),
            (f"k, the smallest class{removed}", self.k, unit),
            ("largest class", self.largest_class, unit),
            *([] if self.median_class_size is None else [("middle class", self.median_class_size, unit)]),
            (f"{unit} alone in their class", self.uniques, f"of {n:,} ({tables.percent(self.uniques / n)})"),
        ]
        rows += [
            (f"{unit} with a chance above {tables.percent(at.threshold)}", at.records, _of(at.share, n))
            for at in self.at_risk
        ]
        rows += [
            (f"average chance, {risk.attacker}", tables.percent(risk.average), f"of {n:,} {unit}")
            for risk in self.attackers.values()
        ]
        if self.distinction is not None:
            rows.append(("distinction", tables.percent(self.distinction), f"combinations of {n:,} {unit}"))
        if self.separation is not None:
            rows.append(("separation", tables.percent(self.separation), f"pairs of {unit} that differ"))
        for name, risk in self.sensitive.items():
            if risk is None:
                continue
            least = f"least l {risk.distinct_l}, by entropy {risk.entropy_l:.4g}; most t {risk.t_equal:.4g}"
            told = f"{_of(risk.homogeneous_records / n, n)}; {least}"
            rows.append((f"{unit} whose {name} is that of everybody alike", risk.homogeneous_records, told))
        return tables.table(
            {
                "measure": [label for label, _, _ in rows],
                "value": [_said(value) for _, value, _ in rows],
                "of what": [of for _, _, of in rows],
            }
        )

    def figure(self) -> Figure:
        unit, n = self.unit.replace("_", " "), self.records
        start = "If the identifiers were removed: " if self.names_people else ""
        return class_size_figure(self.people_by_bin, start + alone_said(self.uniques, n, unit), unit)

    def record(self) -> dict[str, Any]:
        """The contract's ``result`` of ``risk``."""
        n = self.records
        nobody = {"success_rate": None, "reason": _NO_POPULATION}
        told = {name: risk.numbers() for name, risk in self.attackers.items()}
        reason = (
            _NO_CLASSES
            if self.classes is None
            else ""
            if n > 1
            else "separation compares pairs of records, and there is only one record"
        )
        record: dict[str, Any] = {
            "records": n,
            "unit": self.unit,
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            **({} if self.missing_alpha is None else {"missing_alpha": self.missing_alpha}),
            "left_out": self.left_out,
            "directly_identified": self._directly_identified(),
            "classes": self.classes,
            "k": self.k,
            "k_holds": "if the identifiers were removed" if self.names_people else "for the table as it is",
            "largest_class": self.largest_class,
            "mean_class_size": None if self.classes is None else n / self.classes,
            "median_class_size": self.median_class_size,
            "uniques": self.uniques,
            "unique_share": self.uniques / n,
            "class_sizes": [
                {"size": size, "classes": classes, "records": records}
                | ({} if classes is not None else {"reason": _NO_CLASSES})
                for size, classes, records in self.class_sizes
            ],
            "record_risk": asdict(self.record_risk) | ({} if self.classes is not None else {"reason": _NO_CLASSES}),
            "at_risk": [asdict(at) for at in self.at_risk],
            "distinction": self.distinction,
            "separation": self.separation,
            "attackers": {
                "prosecutor": told["prosecutor"],
                "journalist": told.get("journalist", {"records_at_risk_share": None, "highest": None} | nobody),
                "marketer": told.get("marketer", nobody),
            },
            "sensitive": {
                name: dict.fromkeys(_LEARNT) | {"reason": _NO_CLASSES} if risk is None else risk.record()
                for name, risk in self.sensitive.items()
            },
            "utility": {"dm": None, "c_avg": None, "reason": _NO_CLASSES}
            if self.utility is None
            else self.utility.record(),
        }
        record |= {name: self._part(name) for name in _PARTS}
        record |= {name: part.record() for name, part in self.parts.items() if name not in _PARTS}
        absent = [name for name in ("subsets", "minimal_keys") if record[name] is None]
        reasons = [reason] if reason else []
        reasons += [f"{name}: {self.reasons.get(name, 'it was not asked for')}" for name in absent]
        if reasons:
            record["reason"] = "; ".join(reasons)
        if self.person_rule is not None:
            record["person_rule"] = asdict(self.person_rule)
        return record

    def _part(self, name: str) -> Any:
        """A part as the contract has it; where it is not there, its keys are None and the reason is given."""
        if name in self.parts:
            part = self.parts[name]
            if name in ("subsets", "minimal_keys"):
                return part.record()[name]
            return part.record() if name in ("population", "household", "shapley", "suda") else part.numbers()
        reason = {"reason": self.reasons.get(name, "it was not asked for")}
        if name in ("subsets", "minimal_keys"):
            return None
        if name == "population":
            models = ("pitman", "zayatz", "snb", "dankar")
            nothing = dict.fromkeys(("uniques", "share", "interval"), None) | {"converged": False} | reason
            return {"models": {model: dict(nothing) for model in models}} | reason
        return dict.fromkeys(_KEYS.get(name, ()), None) | reason

    def _directly_identified(self) -> dict[str, Any]:
        if self.directly_identified is None:
            return {"columns": [], "records": None, "share": None, "reason": "direct identifiers were not looked for"}
        gate = self.directly_identified
        return {"columns": list(gate.columns), "records": gate.records, "share": gate.records / gate.of}


def _of(share: float, n: int) -> str:
    return f"of {n:,} ({tables.percent(share)})"


def _said(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else tables.written(value)
