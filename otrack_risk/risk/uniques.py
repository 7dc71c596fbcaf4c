"""Which facts, and how many of them, single somebody out: uniqueness over all subsets of fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import FieldError, ParameterError, TableError
from otrack_risk.risk.anonymity import k_anonymity
from otrack_risk.risk.classes import combinations
from otrack_risk.risk.cube import checked_size, subset_counts
from otrack_risk.risk.sizes import named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_TABLES = 5  # lines that a reader tells apart by marker and dash


@dataclass(frozen=True)
class Subset:
    """One combination of fields, and how many it singles out."""

    fields: tuple[str, ...]
    uniques: int  # data subjects who are the only one with their values


@dataclass(frozen=True)
class FactsKnown:
    """All subsets of one number of fields, over one table."""

    facts: int  # fields known
    subsets: int
    fewest: Subset
    median_uniques: float  # over subsets, data subjects
    most: Subset


@dataclass(frozen=True)
class TableUniqueness:
    """One table: its data subjects, and what each number of facts does to them."""

    label: str
    data_subjects: int
    by_facts: tuple[FactsKnown, ...]  # 1 fact, 2 facts, ...
    example: Subset | None  # the subset that the caller named


def uniqueness_by_facts(
    frames: Mapping[str, IntoFrame],
    fields: Sequence[str],
    *,
    max_size: int | None = None,
    example: Sequence[str] | None = None,
) -> UniquenessByFacts:
    """Share of data subjects who are unique, against the number of facts known of them.

    Every subset of ``fields`` is tried, up to ``max_size`` of them at a time. A data subject is unique
    on a subset where nobody else has the same values; a missing value counts as a value of its own.

    Parameters
    ----------
    frames : label to frame, such as {"210 pupils": ...}; any engine
        One row per data subject.
    fields : names of columns of every frame
    max_size : facts known at most; None for all
    example : fields whose uniqueness is wanted by name

    Raises
    ------
    FieldError, TableError
        As :func:`otrack_risk.risk.classes.class_sizes`; no frame; an example with another field.
    ParameterError
        More than 65,536 subsets, or five tables; a ``max_size`` below 1.

    Notes
    -----
    Each frame is grouped once, over all fields; :func:`otrack_risk.risk.cube.subset_counts` counts every subset.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, 8], "sex": ["F", "M", "F", "F"], "need": ["a", "a", "b", "a"]})
    >>> found = uniqueness_by_facts({"4 pupils": pupils}, ["year", "sex", "need"])
    >>> [(facts.facts, facts.fewest.uniques, facts.most.uniques) for facts in found.tables[0].by_facts]
    [(1, 0, 1), (2, 2, 2), (3, 4, 4)]
    """
    if not frames:
        raise TableError("frames: no table is given.", "give at least one, by its label.")
    if len(frames) > _MOST_TABLES:
        raise ParameterError(f"frames: {len(frames)} tables, and one figure holds {_MOST_TABLES}.", "give fewer.")
    if unknown := [name for name in example or () if name not in fields]:
        raise FieldError(
            f"example: '{unknown[0]}' is not among the fields ({', '.join(fields)}).", "name some of the fields."
        )
    largest = checked_size(len(fields), max_size)
    return UniquenessByFacts(
        fields=tuple(fields),
        tables=tuple(_of_table(label, frame, fields, largest, example) for label, frame in frames.items()),
    )


@dataclass(frozen=True)
class UniquenessByFacts(Shown):
    """How many are singled out as more facts are known of them."""

    key: ClassVar[str] = "uniqueness_by_facts"
    fields: tuple[str, ...]
    tables: tuple[TableUniqueness, ...]

    def sentence(self) -> str:
        parts = []
        for of in self.tables:
            one = min(3, len(of.by_facts))
            facts, n = of.by_facts[one - 1], of.data_subjects
            parts.append(
                f"{of.label}: with {one} of {len(self.fields)} facts known, from {facts.fewest.uniques:,} of {n:,} "
                f"({tables.percent(facts.fewest.uniques / n)}; {named(facts.fewest.fields)}) to "
                f"{facts.most.uniques:,} of {n:,} ({tables.percent(facts.most.uniques / n)}; "
                f"{named(facts.most.fields)}) are the only one with their values, over {facts.subsets:,} combinations."
            )
            if of.example is not None:
                parts.append(
                    f"{named(of.example.fields)} alone single out {of.example.uniques:,} of {n:,} "
                    f"({tables.percent(of.example.uniques / n)})."
                )
        parts.append("A missing value counts as a value of its own.")
        return " ".join(parts)

    def table(self) -> pl.DataFrame:
        rows = [(of.label, of.data_subjects, facts) for of in self.tables for facts in of.by_facts]
        return tables.table(
            {
                "table": [label for label, _, _ in rows],
                "data subjects": [n for _, n, _ in rows],
                "facts known": [facts.facts for _, _, facts in rows],
                "combinations": [facts.subsets for _, _, facts in rows],
                "lowest unique share": [facts.fewest.uniques / n for _, n, facts in rows],
                "median unique share": [facts.median_uniques / n for _, n, facts in rows],
                "highest unique share": [facts.most.uniques / n for _, n, facts in rows],
                "most telling": [named(facts.most.fields) for _, _, facts in rows],
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display.figures import lines

        series = {
            of.label: [
                (
                    facts.fewest.uniques / of.data_subjects,
                    facts.median_uniques / of.data_subjects,
                    facts.most.uniques / of.data_subjects,
                )
                for facts in of.by_facts
            ]
            for of in self.tables
        }
        positions = [facts.facts for facts in self.tables[0].by_facts]
        middle = min(3, len(positions))
        said = "; ".join(f"{label}, {tables.percent(points[middle - 1][1])}" for label, points in series.items())
        return lines(
            positions,
            series,
            f"Unique with {middle} facts known, in the middle combination: {said}",
            "facts known (line: middle combination; band: from the least to the most telling)",
            "share of data subjects who are unique",
        )

    def record(self) -> dict[str, Any]:
        return {
            "fields": list(self.fields),
            "missing_rule": "own-category",
            "tables": [
                {
                    "label": of.label,
                    "data_subjects": of.data_subjects,
                    "by_facts": [
                        {
                            "facts": facts.facts,
                            "subsets": facts.subsets,
                            "fewest": _plain(facts.fewest, of.data_subjects),
                            "median_unique_share": facts.median_uniques / of.data_subjects,
                            "most": _plain(facts.most, of.data_subjects),
                        }
                        for facts in of.by_facts
                    ],
                    "example": None if of.example is None else _plain(of.example, of.data_subjects),
                }
                for of in self.tables
            ],
        }


def _plain(subset: Subset, n: int) -> dict[str, Any]:
    return {"fields": list(subset.fields), "uniques": subset.uniques, "unique_share": subset.uniques / n}


def _of_table(
    label: str, frame: IntoFrame, fields: Sequence[str], largest: int, example: Sequence[str] | None
) -> TableUniqueness:
    found = combinations(frame, fields)
    counted = subset_counts(found, largest)
    named = [tuple(name for name, held in zip(fields, row, strict=True) if held) for row in counted.members]
    subsets = [Subset(names, int(alone)) for names, alone in zip(named, counted.uniques, strict=True)]
    by_facts = []
    for size in range(1, largest + 1):
        here = [subset for subset in subsets if len(subset.fields) == size]
        by_facts.append(
            FactsKnown(
                facts=size,
                subsets=len(here),
                fewest=min(here, key=lambda subset: subset.uniques),  # the first named of equals
                median_uniques=float(median(subset.uniques for subset in here)),
                most=max(here, key=lambda subset: subset.uniques),
            )
        )
    chosen = None if not example else Subset(tuple(example), k_anonymity(frame, example).uniques)
    return TableUniqueness(label, found.records, tuple(by_facts), chosen)
