"""How findable is one data subject: every measure of one table, from one grouping of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import FieldError, ParameterError
from otrack_risk.risk.anonymity import SensitiveRisk, sensitive_risk
from otrack_risk.risk.attackers import (
    Population,
    ReidentificationRisk,
    journalist,
    marketer,
    prosecutor,
    with_population,
)
from otrack_risk.risk.classes import Classes, Missing, class_values, classes, filled
from otrack_risk.risk.persons import People, one_row_a_person
from otrack_risk.risk.sizes import (
    AtRisk,
    RecordRisk,
    alone_said,
    at_risk,
    class_size_figure,
    distinction,
    median_class_size,
    missing_said,
    n_classes,
    n_records,
    named,
    people_by_bin,
    record_risk,
    separation,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NO_POPULATION = "no population was given: its size, a sampling fraction, or a table of it"


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


def measure(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    *,
    sensitive: Sequence[str] = (),
    missing: Missing = "own-category",
    thresholds: Sequence[float] = (0.2,),
    population: Population | None = None,
    direct_identifiers: Sequence[str] | None = None,
    person: str | None = None,
) -> Risk:
    """How findable the data subjects of a table are, and what membership in a class gives away.

    Parameters
    ----------
    subjects : frame of n_subjects rows, on any engine, eager or lazy
        One row per data subject, unless ``person`` says otherwise.
    quasi_identifiers : names of columns
        What the attacker knows.
    sensitive : names of columns
        What would be learnt. A missing value counts as a value of its own, under either rule.
    missing : "own-category" or "drop"
        Whether a missing quasi-identifier counts as a value of its own, or its row leaves the table.
    thresholds : probabilities, 0 to 1; at least one
        Records with a strictly higher chance are counted; the attackers are measured at the first.
    population : whom the table is drawn from
        Without it, journalist and marketer risk are unknown.
    direct_identifiers : names of columns that name a person, or None where nobody looked
        Where one of them holds a value the result says "directly identified" before any k.
    person : name of the column that tells people apart, where one has several rows
        A data subject's combination is then the set of all on record of that person; see
        :func:`otrack_risk.risk.persons.one_row_a_person`. Not on Spark.

    Raises
    ------
    FieldError, TableError, ParameterError
        A column that is unknown, named twice, both known and sensitive, or none at all; no row to
        count; an unknown rule, a threshold that is no probability, or a population smaller than the
        table; ``person`` with a population table.

    Notes
    -----
    The rows are grouped once for everything that rests on class sizes, once more for each sensitive
    column and for a population table.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 7, 8, 8], "need": ["ASD", "SLCN", "ASD", "SEMH", "SEMH"]})
    >>> risk = measure(pupils, ["year"], sensitive=["need"], thresholds=[0.4])
    >>> risk.k, risk.at_risk[0].records, risk.sensitive["need"].homogeneous_records
    (2, 2, 2)
    """
    if not thresholds:
        raise ParameterError("thresholds: none is given.", "give at least one, such as 0.2.")
    if person is not None and population is not None and population.table is not None:
        raise ParameterError(
            "population: a table of it cannot be joined to people who have several rows.",
            "give the population's size in people or the sampling fraction, or one row a person.",
        )
    if isinstance(sensitive, str):
        raise FieldError("sensitive: one name where a list of names belongs.", f"write [{sensitive!r}].")
    known, learnt = list(quasi_identifiers), {name: name for name in sensitive}
    people = None
    if person is not None:
        people = one_row_a_person(
            subjects,
            quasi_identifiers,
            person,
            sensitive=sensitive,
            direct_identifiers=direct_identifiers or (),
            missing=missing,
        )
        subjects, known = people.subjects, ["combination"]
        learnt = {name: f"value{number}" for number, name in enumerate(sensitive)}
    found = classes(subjects, known, missing=missing)
    if people is not None:
        found = Classes(found.sizes, people.left_out)
    sizes, left_out, n = found.sizes, found.left_out, n_records(found.sizes)
    joint = None if population is None else with_population(subjects, known, population, found, missing)
    first = thresholds[0]
    return Risk(
        quasi_identifiers=tuple(quasi_identifiers),
        unit="records" if person is None else "data_subjects",
        person_rule=None if people is None or person is None else _person_rule(people, person),
        missing_rule=missing,
        left_out=left_out,
        records=n,
        classes=n_classes(sizes),
        k=int(sizes["size"][0]),
        largest_class=int(sizes["size"][-1]),
        median_class_size=median_class_size(sizes),
        uniques=int(sizes.filter(pl.col("size") == 1)["data_subjects"].sum()),
        class_sizes=tuple(sizes.rows()),
        people_by_bin=tuple(people_by_bin(sizes).values()),
        record_risk=record_risk(sizes),
        at_risk=tuple(at_risk(sizes, threshold) for threshold in thresholds),
        distinction=distinction(sizes),
        separation=separation(sizes),
        directly_identified=_gate(subjects, direct_identifiers, people, n + left_out),
        prosecutor=prosecutor(found, quasi_identifiers, threshold=first, missing=missing),
        journalist=None
        if joint is None or population is None
        else journalist(joint, quasi_identifiers, population, left_out, threshold=first, missing=missing),
        marketer=None
        if joint is None or population is None
        else marketer(joint, quasi_identifiers, population, left_out, missing=missing),
        sensitive={
            name: sensitive_risk(class_values(subjects, known, column, missing=missing))
            for name, column in learnt.items()
        },
    )


@dataclass(frozen=True)
class Risk(Shown):
    """How findable the data subjects of one table are. Every number is a measure of the whole table."""

    key: ClassVar[str] = "risk"
    quasi_identifiers: tuple[str, ...]  # what the attacker is taken to know
    unit: str  # what "records" below are: records, or data_subjects
    person_rule: PersonRule | None
    missing_rule: str
    left_out: int  # of the unit, by the missing rule
    records: int  # measured: the denominator
    classes: int
    k: int  # records in the smallest class
    largest_class: int
    median_class_size: float  # over classes
    uniques: int  # records in a class of one
    class_sizes: tuple[tuple[int, int, int], ...]  # size, classes, records; ascending
    people_by_bin: tuple[int, ...]  # records by class size, in the bins of sizes.people_by_bin
    record_risk: RecordRisk
    at_risk: tuple[AtRisk, ...]  # one a threshold
    distinction: float
    separation: float | None  # None for a single record
    directly_identified: DirectlyIdentified | None  # None where nobody looked
    prosecutor: ReidentificationRisk
    journalist: ReidentificationRisk | None  # None without a population
    marketer: ReidentificationRisk | None
    sensitive: Mapping[str, SensitiveRisk]  # by name of the column

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
        parts.append(
            f"{alone_said(self.uniques, n, unit)}; the {n:,} fall into {self.classes:,} classes of 1 to "
            f"{self.largest_class:,}."
            if self.k == 1
            else f"All {n:,} {unit} share their combination with at least {self.k - 1:,} more; they fall into "
            f"{self.classes:,} classes of {self.k:,} to {self.largest_class:,}."
        )
        parts.append(
            f"Whoever knows these facts of somebody in the table picks the right one with a chance of "
            f"{tables.percent(self.record_risk.mean_per_record)} on average ({self.classes:,} of {n:,}); for "
            f"{at.records:,} of {n:,} ({tables.percent(at.share)}) the chance is above {tables.percent(at.threshold)}."
        )
        if self.sensitive:
            name, risk = max(self.sensitive.items(), key=lambda item: item[1].homogeneous_records)
            share = tables.percent(risk.homogeneous_records / n)
            most = f", the most of {len(self.sensitive)} sensitive fields" if len(self.sensitive) > 1 else ""
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
            ("equivalence classes", self.classes, ""),
            (f"k, the smallest class{removed}", self.k, unit),
            ("largest class", self.largest_class, unit),
            ("middle class", self.median_class_size, unit),
            (f"{unit} alone in their class", self.uniques, f"of {n:,} ({tables.percent(self.uniques / n)})"),
        ]
        rows += [
            (f"{unit} with a chance above {tables.percent(at.threshold)}", at.records, _of(at.share, n))
            for at in self.at_risk
        ]
        rows += [
            (f"average chance, {risk.attacker}", tables.percent(risk.average), f"of {n:,} {unit}")
            for risk in (self.prosecutor, self.journalist, self.marketer)
            if risk is not None
        ]
        rows.append(("distinction", tables.percent(self.distinction), f"combinations of {n:,} {unit}"))
        if self.separation is not None:
            rows.append(("separation", tables.percent(self.separation), f"pairs of {unit} that differ"))
        for name, risk in self.sensitive.items():
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
        record: dict[str, Any] = {
            "records": n,
            "unit": self.unit,
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "left_out": self.left_out,
            "directly_identified": self._directly_identified(),
            "classes": self.classes,
            "k": self.k,
            "k_holds": "if the identifiers were removed" if self.names_people else "for the table as it is",
            "largest_class": self.largest_class,
            "mean_class_size": n / self.classes,
            "median_class_size": self.median_class_size,
            "uniques": self.uniques,
            "unique_share": self.uniques / n,
            "class_sizes": [
                {"size": size, "classes": classes, "records": records} for size, classes, records in self.class_sizes
            ],
            "record_risk": asdict(self.record_risk),
            "at_risk": [asdict(at) for at in self.at_risk],
            "distinction": self.distinction,
            "separation": self.separation,
            "attackers": {
                "prosecutor": self.prosecutor.numbers(),
                "journalist": {"records_at_risk_share": None, "highest": None} | nobody
                if self.journalist is None
                else self.journalist.numbers(),
                "marketer": nobody if self.marketer is None else self.marketer.numbers(),
            },
            "sensitive": {name: asdict(risk) for name, risk in self.sensitive.items()},
        }
        if self.separation is None:
            record["reason"] = "separation compares pairs of records, and there is only one record"
        if self.person_rule is not None:
            record["person_rule"] = asdict(self.person_rule)
        return record

    def _directly_identified(self) -> dict[str, Any]:
        if self.directly_identified is None:
            return {"columns": [], "records": None, "share": None, "reason": "direct identifiers were not looked for"}
        gate = self.directly_identified
        return {"columns": list(gate.columns), "records": gate.records, "share": gate.records / gate.of}


def _gate(
    subjects: IntoFrame, direct_identifiers: Sequence[str] | None, people: People | None, of: int
) -> DirectlyIdentified | None:
    if direct_identifiers is None:
        return None
    if people is not None:
        return DirectlyIdentified(people.filled, people.identified, of)
    counts, records = filled(subjects, direct_identifiers) if direct_identifiers else ({}, 0)
    return DirectlyIdentified(tuple(name for name, count in counts.items() if count), records, of)


def _person_rule(people: People, column: str) -> PersonRule:
    return PersonRule(column, people.rows, people.rows_without_person, people.rows_left_out)


def _of(share: float, n: int) -> str:
    return f"of {n:,} ({tables.percent(share)})"


def _said(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else tables.written(value)
