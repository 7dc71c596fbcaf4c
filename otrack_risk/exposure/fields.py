"""The field table: what was in it, how full, and about how many people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, Share

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

    def record(self) -> dict[str, Any]:
        """The entry of the contract's ``fields``."""
        return {
            "table": self.table,
            "field": self.field,
            "category": self.category,
            "role": self.role,
            "filled_share": self.filled_share,
            "people": self.people,
        } | ({"reason": self.reason} if self.reason else {})

    def published(self, hide_below: int, exact: Count, shown: Count) -> Field:
        """The field with small counts hidden; ``exact`` and ``shown`` are the people of its kind."""
        people = within(self.people, hide_below, exact, shown)
        people = tables.hide(people, hide_below, of=self.of_people)
        rows = tables.hide(self.filled, hide_below, of=self.rows)
        share = tables.hide_share(tables.hide_share(self.filled_share, people), rows)
        return replace(self, people=people, filled_share=share, filled=rows if isinstance(rows, int) else None)


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

        labels, ranked = schema.categories(), self._by_people()
        return tables.table(
            {
                "table": [entry.table for entry in ranked],
                "field": [entry.field for entry in ranked],
                "category": [labels.get(entry.category, entry.category) for entry in ranked],
                "role": [entry.role.replace("_", " ") for entry in ranked],
                "filled_share": [entry.filled_share for entry in ranked],
                "people": [entry.people for entry in ranked],
                "why": [entry.reason for entry in ranked],
            }
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display import figures

        ranked = [entry for entry in self._by_people() if entry.people is not None][:SHOWN_FIELDS]
        if not ranked:
            return None
        labels = [f"{entry.table}.{entry.field} ({tables.percent(entry.filled_share)} filled)" for entry in ranked]
        more = f" (the first {SHOWN_FIELDS} of {len(self.fields)})" if len(self.fields) > len(ranked) else ""
        title = f"{len(self.fields)} fields say something of a person{more}"
        return figures.bars(labels, [entry.people for entry in ranked], title, "people with a value in the field")

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
        """Most people first; a hidden number stands where it tells least: few last, nearly all first."""

        def rank(entry: Field) -> float:
            if isinstance(entry.people, Hidden):
                return 0.5 if entry.people.why == "few" else float("inf")
            return -1.0 if entry.people is None else float(entry.people)

        return sorted(self.fields, key=rank, reverse=True)
