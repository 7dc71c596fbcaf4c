"""The field table: what was in it, how full, and about how many people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, Share, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

from otrack_risk.exposure.people import PeopleCount, Status, counted, how, within

SHOWN_FIELDS = 15  # bars of the figure; the table has them all


@dataclass(frozen=True)
class Field:
    """One column that says something of a person."""

    table: str
    field: str
    category: str  # a name of reference/categories.toml
    role: str
    subjects: str  # kind of person whom the rows are about
    rows: int | None  # rows of the table
    filled: int | None  # rows with a value: not missing, not blank
    filled_share: Share  # filled / rows, 0 to 1
    people: Count  # distinct people with at least one value
    of_people: int | None  # distinct people of the table; not printed, it decides what paper hides
    reason: str = ""
    told_of: Count = None  # of ``people``, those with more than a code for "none of it"; special category fields only
    of_category: int | None = None  # children with such a fact in any field of the category; not printed either

    def record(self) -> dict[str, Any]:
        """The entry of the contract's ``fields``."""
        return {
            "table": self.table,
            "field": self.field,
            "category": self.category,
            "role": self.role,
            "filled_share": self.filled_share,
            "people": self.people,
        } | self._optional()

    def _optional(self) -> dict[str, Any]:
        told = {} if self.told_of is None else {"people_with_a_fact": self.told_of}
        return told | ({"reason": self.reason} if self.reason else {})

    def published(self, hide_below: int, exact: Count, shown: Count) -> Field:
        """The field with small counts hidden; ``exact`` and ``shown`` are the people of its kind."""
        people = within(self.people, hide_below, exact, shown)
        people = tables.hide(people, hide_below, of=self.of_people)
        rows = tables.hide(self.filled, hide_below, of=self.rows)
        share = tables.hide_share(tables.hide_share(self.filled_share, people), rows)
        told = within(within(self.told_of, hide_below, exact, shown), hide_below, self.people, people)
        return replace(
            self,
            people=people,
            filled_share=share,
            filled=rows if isinstance(rows, int) else None,
            told_of=tables.hide(told, hide_below, of=self.of_category),
        )


@dataclass(frozen=True)
class FieldTable(Shown):
    """What was in it, how full, and about how many people: one line a field."""

    key: ClassVar[str] = "fields_exposed"
    status: Status
    people: PeopleCount
    fields: tuple[Field, ...]

    def sentence(self) -> str:
        held = {entry.table for entry in self.fields}
        empty = sum(1 for entry in self.fields if entry.filled_share == 0)
        unknown = sum(1 for entry in self.fields if entry.people is None)
        parts = [f"{how(self.status)}Fields that say something of a person: {len(self.fields)}; tables: {len(held)}"]
        if empty:
            parts.append(f"fields without any value: {empty}")
        if unknown:
            parts.append(f"fields whose people cannot be counted: {unknown}")
        if (first := next(iter(self._by_people()), None)) and first.people:
            parts.append(f"the one that reaches furthest reaches {counted(first.people, 'people')}")
        return "; ".join(parts) + "."

    def table(self) -> pl.DataFrame:
        from otrack_risk import schema

        labels, special, ranked = schema.categories(), schema.special_categories(), self._by_people()
        return tables.table(
            {
                "table": [entry.table for entry in ranked],
                "field": [entry.field for entry in ranked],
                "category": [labels.get(entry.category, entry.category) for entry in ranked],
                "role": [entry.role.replace("_", " ") for entry in ranked],
                "filled_share": [entry.filled_share for entry in ranked],
                "people": [entry.people for entry in ranked],
                "people_with_a_fact": [written(entry.told_of) if entry.category in special else "" for entry in ranked],
                "why": [entry.reason for entry in ranked],
            }
        )

    def figure(self) -> Figure | None:
        """People behind each field: special category data first, then most people first."""
        from otrack_risk import schema
        from otrack_risk.display import figures

        special = schema.special_categories()
        known = [(e, e.people if e.told_of is None else e.told_of) for e in self._by_people() if e.people is not None]
        if not known:
            return None
        drawn = sorted(known, key=lambda one: (one[0].category not in special, -_rank(one[1])))[:SHOWN_FIELDS]
        labels = [
            f"{entry.table}.{entry.field} ({'special, ' if entry.category in special else ''}"
            f"{tables.percent(entry.filled_share)} filled)"
            for entry, _ in drawn
        ]
        title = f"{len(drawn)} of {len(self.fields)} fields, special category first"
        unit = "people with a value (special: no code for none)"
        return figures.bars(labels, [count for _, count in drawn], title, unit)

    def record(self) -> dict[str, Any]:
        return {"status": self.status, "fields": [entry.record() for entry in self.fields]}

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        people = self.people.published(hide_below)
        entries = tuple(
            entry.published(hide_below, self.people.of_kind(entry.subjects), people.of_kind(entry.subjects))
            for entry in self.fields
        )
        return replace(self, people=people, fields=entries)

    def _by_people(self) -> list[Field]:
        """Most people first."""
        return sorted(self.fields, key=lambda entry: (_rank(entry.people), _rank(entry.told_of)), reverse=True)


def _rank(count: Count) -> float:
    """A hidden number stands where it tells least: few last, nearly all first."""
    if isinstance(count, Hidden):
        return 0.5 if count.why == "few" else float("inf")
    return -1.0 if count is None else float(count)
