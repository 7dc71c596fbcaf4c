"""What free text tells: which children it names, and which facts it states of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import polars as pl

from otrack_risk import schema
from otrack_risk.display.tables import Count, Hidden
from otrack_risk.exposure.heads import Flags, Heads, Held
from otrack_risk.exposure.known import Known, text_of
from otrack_risk.exposure.people import within
from otrack_risk.text import linkage, mentions, scan
from otrack_risk.text.results import Interval, Scan
from otrack_risk.text.scan import Reading
from otrack_risk.text.spans import Span

Tell = Callable[[str, float], None]
# Label of a stretch of text -> data category. Facts have the category of their own term; these are the rest.
_OF_FORMAT = {
    "ADDRESS": "contact",
    "POSTCODE": "contact",
    "PHONE": "contact",
    "EMAIL": "contact",
    "DOB": "identity",
    "UPN": "identity",
    "ULN": "identity",
    "NHS": "identity",
    "NINO": "identity",
}
_OF_FACT = {  # where the term cannot be told, as of two facts that stand together
    "HEALTH_SEND": "medical",
    "RELIGION": "religion",
    "ETHNICITY_NATIONALITY_LANGUAGE": "ethnicity",
    "SAFEGUARDING_STATUS": "safeguarding",
}
_NAMED = "identity"  # what a name tells
IN_NOTES = frozenset({*_OF_FORMAT.values(), *_OF_FACT.values(), _NAMED})  # categories looked for, beside those of terms


@dataclass(frozen=True)
class ToldOf:
    """Children of whom text tells something of one category."""

    resolved: Count  # children of whom a mention can mean nobody else
    expected: float | Hidden | None  # with shared names and those whom the scan misses
    interval: Interval | None
    tied: Count  # children by the row's own key, or by a name that is nobody else's; None: they cannot be told apart
    only_in_text: Count  # of those, the children of whom no column states a fact of this category

    def record(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "resolved": self.resolved,
            "expected": self.expected,
            "interval": None if self.interval is None else self.interval.record(),
            "by_key_or_name": self.tied,
            "only_in_text": self.only_in_text,
        }

    def published(self, hide_below: int, exact: Count, shown: Count) -> Self:
        """With small counts hidden; ``exact`` and ``shown`` are the children of the data set."""
        resolved, tied = (within(count, hide_below, exact, shown) for count in (self.resolved, self.tied))
        only = within(self.only_in_text, hide_below, self.tied, tied)
        if isinstance(tied, Hidden) and isinstance(only, int) and only:
            only = tied
        small = resolved if isinstance(resolved, Hidden) else None
        return replace(
            self,
            resolved=resolved,
            expected=small or self.expected,
            interval=None if small else self.interval,
            tied=tied,
            only_in_text=only,
        )


@dataclass(frozen=True)
class Words:
    """What was found in the free-text columns of a data set."""

    scan: Scan
    columns: tuple[str, ...]  # table.column
    special: ToldOf  # a fact of any special category
    by_category: Mapping[str, ToldOf]  # special categories

    @property
    def found(self) -> bool:
        """Whether any personal data was found."""
        return self.scan.documents_with_personal_data > 0

    def sentence(self) -> str:
        """Children named in text, and of how many it tells what; how well the scan is known to find them."""
        return self.scan.sentence()

    def record(self) -> dict[str, Any]:
        """The ``text`` object of the result."""
        scan_record = self.scan.record()
        kept = ("documents", "documents_with_text", "documents_with_personal_data", "spans_by_label", "mentions")
        beside = ("mentions_of_one", "scanner", "model", "full_names_only", "looked_for")
        interval = self.scan.subjects_interval
        return {
            "state": "found" if self.found else "none found",
            "columns": list(self.columns),
            **{name: scan_record[name] for name in kept},
            "children": self.scan.children,
            "children_named": {
                "resolved": self.scan.subjects_named,
                "expected": self.scan.subjects_expected,
                "interval": None if interval is None else interval.record(),
            },
            "children_special_category": self.special.record(),
            "by_category": {name: told.record() for name, told in self.by_category.items()},
            **{name: scan_record[name] for name in beside},
        } | ({"reason": scan_record["reason"]} if "reason" in scan_record else {})

    def published(self, hide_below: int, exact: Count, shown: Count) -> Self:
        """With small counts hidden; ``exact`` and ``shown`` are the children of the data set."""
        whole = self.special.published(hide_below, exact, shown)
        return replace(
            self,
            scan=self.scan.published(hide_below),
            special=whole,
            by_category={
                name: told.published(hide_below, self.special.tied, whole.tied)
                for name, told in self.by_category.items()
            },
        )


@dataclass(frozen=True)
class Read:
    """What was read, before it is set against the columns."""

    scan: Scan
    columns: tuple[str, ...]
    by_category: Mapping[str, Scan]
    told: Mapping[str, Flags] = field(default_factory=dict)  # category -> children, by key or by name
    beside: Flags | None = None  # children whose row holds any text


def free_text(held: Sequence[Held]) -> list[tuple[Held, str]]:
    """The columns of free text, with their tables."""
    return [
        (table, column.name)
        for table in held
        for column in table.schema.columns
        if column.role == "free_text" and column.name in table.rows.columns
        if table.rows[column.name].dtype in (pl.String, pl.Categorical, pl.Enum)
    ]


def read(held: Sequence[Held], children: Heads, known: Known, rng: np.random.Generator, tell: Tell) -> Read | None:
    """Scans every free-text column against the people of the data set itself; None where there is no text at all.

    A fact in the row of a child is told of that child, and of every child whom the text names.
    """
    columns = free_text(held)
    schools = known.schools(children.most)
    frames = [text_of(table, column, children, schools) for table, column in columns]
    notes = pl.concat(frames) if frames else pl.DataFrame()
    if not notes.height or notes["text"].null_count() == notes.height:
        return None
    if known.roster is not None and known.roster.schools:
        known.roster.prepare(school for school in notes["school_id"].unique() if school is not None)
    reading = scan.read_notes(notes, "text", known.roster, None, tell)
    facts = _facts(reading)
    special = schema.special_categories()
    reading = replace(reading, special=[any(category in special for category in each.values()) for each in facts])
    told = _told(reading, facts, notes["person"].to_numpy(), children, known)
    return Read(
        scan=linkage.counted(reading, rng),
        columns=tuple(f"{table.name}.{column}" for table, column in columns),
        by_category={
            category: linkage.counted(_only(reading, [category in each.values() for each in facts]), rng)
            for category in schema.categories()
            if category in special and any(category in each.values() for each in facts)
        },
        told=told,
        beside=children_of(children, notes.filter(pl.col("text").str.contains(r"\S"))["person"].to_numpy()),
    )


def joined(found: Read, stated: Mapping[str, Flags], children: Heads) -> Words:
    """What text tells, and of how many children it tells what no column states.

    Parameters
    ----------
    stated : special category -> children of whom a column states a fact
    """
    nobody = np.zeros(children.most, dtype=np.bool_)
    special = schema.special_categories()
    known = children.most > 0
    only = {
        category: flags & ~stated.get(category, nobody) for category, flags in found.told.items() if category in special
    }

    def tied(flags: Sequence[Flags]) -> int | None:
        return int(np.logical_or.reduce([*flags, nobody]).sum()) if known else None

    return Words(
        scan=found.scan,
        columns=found.columns,
        special=ToldOf(
            found.scan.subjects_with_special_category,
            found.scan.special_expected,
            found.scan.special_interval,
            tied([flags for category, flags in found.told.items() if category in special]),
            tied(list(only.values())),
        ),
        by_category={
            category: ToldOf(
                each.subjects_named,
                each.subjects_expected,
                each.subjects_interval,
                tied([found.told[category]] if category in found.told else []),
                tied([only[category]] if category in only else []),
            )
            for category, each in found.by_category.items()
        },
    )


def children_of(children: Heads, people: Any) -> Flags:
    """One flag a child: whether it is among these; -1 is nobody."""
    flags = np.zeros(children.most, dtype=np.bool_)
    flags[people[people >= 0]] = True
    return flags


def _facts(reading: Reading) -> list[dict[Span, str]]:
    """For each note the stretches that tell something, with the category of what they tell."""
    categories = schema.categories()

    def category(span: Span) -> str:
        told = _OF_FORMAT.get(span.label)
        return told or (span.form if span.form in categories else _OF_FACT[span.label])

    return [
        {
            span: category(span)
            for span in spans
            if span.score >= mentions.COUNTED and (span.label in _OF_FORMAT or span.label in _OF_FACT)
        }
        for spans in reading.spans
    ]


def _only(reading: Reading, which: Sequence[bool]) -> Reading:
    """The notes chosen, as a reading of their own."""
    places = [place for place, chosen in enumerate(which) if chosen]
    return replace(
        reading,
        ids=range(len(places)),
        spans=[reading.spans[place] for place in places],
        special=[False] * len(places),
        looked_at=len(places),
    )


def _told(
    reading: Reading, facts: Sequence[Mapping[Span, str]], own: Any, children: Heads, known: Known
) -> dict[str, Flags]:
    """Category -> the children of whom the text tells something of it: whose row it is, or whom it can only mean."""
    rows: dict[str, list[int]] = {}
    for spans, told in zip(reading.spans, facts, strict=True):
        meant = [span for span in spans if len(span.subjects) == 1 and linkage.names_a_child(span)]
        if meant:
            named = any(span.label == "PERSON" and span.score >= mentions.COUNTED for span in spans)
            people = [int(known.people[span.subjects[0]]) for span in meant]
            for category in {*told.values(), *([_NAMED] if named else [])}:
                rows.setdefault(category, []).extend(people)
    for person, told in zip(own.tolist(), facts, strict=True):
        for category in told.values() if person >= 0 else ():
            rows.setdefault(category, []).append(person)
    flags = {category: children_of(children, np.array(people)) for category, people in rows.items()}
    return {category: flags[category] for category in schema.categories() if category in flags}
