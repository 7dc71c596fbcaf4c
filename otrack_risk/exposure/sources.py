"""Where each category stood, and of how many children; and the way from records to children."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

from otrack_risk.exposure.people import PeopleCount, Status, how, within

State = Literal["found", "none found", "not looked for"]
SOURCES: Mapping[str, str] = {
    "table": "columns of tables",
    "note": "free text",
    "file": "documents and their names",
    "photograph": "photographs and their names",
}


@dataclass(frozen=True)
class Sources(Shown):
    """For each category of data, of how many children each kind of source tells something of it.

    A child stands in every cell that tells of it, so that cells add up to more than all children.
    """

    key: ClassVar[str] = "exposure_sources"
    status: Status
    people: PeopleCount
    cells: Mapping[str, Mapping[str, Count]]  # category -> source -> children; None where not looked for
    not_looked_for: Mapping[str, str]  # source -> why
    special: Mapping[str, Count]  # source -> children of whom it states a fact of any special category; not printed

    @property
    def children(self) -> Count:
        """All that the data set counts; the most it can be."""
        return self.people.children

    def state(self, category: str, source: str) -> State:
        """Found, none found, or not looked for."""
        count = self.cells[category][source]
        return "not looked for" if count is None else "none found" if count == 0 else "found"

    def sentence(self) -> str:
        from otrack_risk import schema

        if not self.cells:
            return f"{how(self.status)}No category of data was found of a child who can be told apart."
        labels, special = schema.categories(), schema.special_categories()
        told = [
            f"{labels[category].lower()}: "
            + ", ".join(
                f"{written(count)} by {SOURCES[source]}"
                for source, count in self.cells[category].items()
                if count not in (0, None)
            )
            for category in self.cells
            if category in special and any(count not in (0, None) for count in self.cells[category].values())
        ]
        said = f"Of {written(self.children)} children, told of so many, by kind of source"
        found = f"{said}: {'; '.join(told)}." if told else f"{said}: no fact of a special category."
        missing = [f"{SOURCES[source]} ({why})" for source, why in self.not_looked_for.items()]
        return how(self.status) + found + (f" Not looked for: {', '.join(missing)}." if missing else "")

    def table(self) -> pl.DataFrame:
        from otrack_risk import schema

        labels = schema.categories()
        return tables.table(
            {
                "category": [labels[category] for category in self.cells],
                **{
                    words.replace(" ", "_"): [_cell(self.cells[category][source]) for category in self.cells]
                    for source, words in SOURCES.items()
                },
            }
        )

    def figure(self) -> Figure | None:
        """Children by special category and source: a bar for each that tells of anybody."""
        from otrack_risk import schema
        from otrack_risk.display import figures

        labels, special = schema.categories(), schema.special_categories()
        drawn = {
            f"{labels[category]}, {SOURCES[source]}": count
            for category, row in self.cells.items()
            if category in special
            for source, count in row.items()
            if count not in (0, None)
        }
        if not drawn:
            return None
        title = f"Special category facts stand in {len({name.split(', ')[-1] for name in drawn})} of 4 kinds of source"
        return figures.bars(list(drawn), list(drawn.values()), title, f"children, of {written(self.children)}")

    def record(self) -> dict[str, Any]:
        return {
            "children": self.children,
            "cells": {category: {source: row[source] for source in SOURCES} for category, row in self.cells.items()},
            "not_looked_for": dict(self.not_looked_for),
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        from otrack_risk import schema

        people, special = self.people.published(hide_below), schema.special_categories()
        children = people.children
        wholes = {name: within(count, hide_below, self.children, children) for name, count in self.special.items()}

        def cell(category: str, source: str, count: Count) -> Count:
            shown = within(count, hide_below, self.children, children)
            if category not in special or source not in wholes:
                return shown
            return within(shown, hide_below, self.special[source], wholes[source])

        return replace(
            self,
            people=people,
            special=wholes,
            cells={
                category: {source: cell(category, source, count) for source, count in row.items()}
                for category, row in self.cells.items()
            },
        )


@dataclass(frozen=True)
class Waterfall(Shown):
    """From records to children: how many rows, of how many children, and of how many of these something special."""

    key: ClassVar[str] = "exposure_waterfall"
    status: Status
    people: PeopleCount
    of_children: Count  # rows about children, of all rows about people
    keyed: Count  # of those, rows with a child's key
    special: Count  # children of whom a column or the text states a special category fact
    only_in_text: Count  # of those, children of whom the text states one of a category of which no column does
    by_column: Count  # children of whom a column states one; not printed here
    reasons: Mapping[str, str]  # why a number is not known

    def steps(self) -> dict[str, tuple[str, Count]]:
        """Each step with what it counts, from the widest to the narrowest."""
        return {
            "records": ("records about people", self.people.records),
            "of_children": ("records about children", self.of_children),
            "keyed": ("records with a child's key", self.keyed),
            "children": ("different children", self.people.children),
            "special": ("children with a special category fact", self.special),
            "only_in_text": ("children with one that only text states", self.only_in_text),
        }

    def sentence(self) -> str:
        said = "; of these ".join(f"{written(count)} {label}" for label, count in list(self.steps().values())[:3])
        return (
            f"{how(self.status)}{said}. They are about {written(self.people.children)} different children. A special"
            f" category fact is stated of {written(self.special)} of them, in a column or in free text, and of"
            f" {written(self.only_in_text)} one that stands in free text and in no column."
            + "".join(f" {why}" for why in dict.fromkeys(self.reasons.values()))
        )

    def table(self) -> pl.DataFrame:
        steps = self.steps()
        return tables.table(
            {
                "step": [label for label, _ in steps.values()],
                "unit": ["records" if "records" in label else "children" for label, _ in steps.values()],
                "number": [count for _, count in steps.values()],
                "why": [self.reasons.get(name, "") for name in steps],
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display import figures

        steps = list(self.steps().values())
        title = f"{written(self.people.records)} records are about {written(self.people.children)} children"
        unit = "number of records or of children, as each bar says"
        return figures.bars([label for label, _ in steps], [count for _, count in steps], title, unit)

    def record(self) -> dict[str, Any]:
        return {
            "records": self.people.records,
            "records_about_children": self.of_children,
            "records_with_a_childs_key": self.keyed,
            "children": self.people.children,
            "children_special_category": self.special,
            "children_only_in_text": self.only_in_text,
        } | ({"reason": " ".join(dict.fromkeys(self.reasons.values()))} if self.reasons else {})

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        people = self.people.published(hide_below)
        special = within(self.special, hide_below, self.people.children, people.children)
        if _differs_by_few(self.special, self.by_column, hide_below) and not isinstance(special, Hidden):
            special = Hidden(hide_below, "other")  # children whom only text adds would be the difference
        of_children = tables.hide(self.of_children, hide_below)
        return replace(
            self,
            people=people,
            of_children=of_children,
            keyed=within(self.keyed, hide_below, self.of_children, of_children),
            special=special,
            only_in_text=within(self.only_in_text, hide_below, self.special, special),
        )


def _differs_by_few(one: Count, other: Count, below: int) -> bool:
    return isinstance(one, int) and isinstance(other, int) and 0 < one - other < below


def _cell(count: Count) -> str:
    return "not looked for" if count is None else written(count)
