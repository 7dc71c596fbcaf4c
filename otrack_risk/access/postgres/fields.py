"""Which data category a column of a database holds, by a catalogue or by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from otrack_risk import reference
from otrack_risk.access.postgres.reach import Cell
from otrack_risk.access.postgres.snapshot import Relation, Snapshot
from otrack_risk.access.postgres.views import TABLES, Place
from otrack_risk.schema import Catalogue, TableSchema


@dataclass(frozen=True)
class Fields:
    """The columns of a snapshot's tables in our words."""

    snapshot: Snapshot
    catalogue: Catalogue

    def category(self, place: Place, column: str) -> str | None:
        """A data category, or ``table.column`` where it is not known, or None of a table about staff."""
        return self._categories.get((place, column))

    def meant(self, cells: Iterable[Cell]) -> frozenset[tuple[str, str, str]]:
        """category, verb, scope of some cells; those of tables about staff are left out."""
        return frozenset(
            (found, verb, scope)
            for place, column, verb, scope in cells
            if (found := self.category(place, column)) is not None
        )

    def tables(self) -> dict[str, list[Place]]:
        """Data category -> tables and views (schema, name) that hold a column of it."""
        found: dict[str, list[Place]] = {}
        for (place, _), category in sorted(self._categories.items()):
            if place not in found.setdefault(category, []):
                found[category].append(place)
        return found

    def left_out(self) -> Iterator[str]:
        """Sentences on tables that give no grant."""
        if tables := [f"{each.schema}.{each.name}" for each in self._tables if self._about_staff(each)]:
            yield f"tables about staff were left out ({', '.join(tables)})"

    @cached_property
    def _tables(self) -> list[Relation]:
        return [each for each in self.snapshot.relations if each.kind in TABLES]

    @cached_property
    def _categories(self) -> Mapping[tuple[Place, str], str]:
        found = {}
        for table in self._tables:
            if self._about_staff(table):
                continue
            said = self._said(table)
            for column in table.columns:
                told = said.column(column.name) if said else None
                known = known_field(table.name, column.name)
                word = told.category if told else known["category"] if known else _word(table, column.name)
                found[(table.schema, table.name), column.name] = word
        return found

    def _said(self, table: Relation) -> TableSchema | None:
        """The catalogue's entry: under its full name, or its own where only it has that; of a part, its whole's."""
        alone = sum(each.name == table.name for each in self._tables) == 1
        found = self.catalogue.table(f"{table.schema}.{table.name}")
        found = found or (self.catalogue.table(table.name) if alone else None)
        if found is None and table.part_of:
            whole = next((each for each in self._tables if (each.schema, each.name) == table.part_of), None)
            return self._said(whole) if whole else None
        return found

    def _about_staff(self, table: Relation) -> bool:
        said = self._said(table)
        if said is not None and said.subjects != "unknown":
            return said.subjects == "staff"
        known = (known_field(table.name, column.name) for column in table.columns)
        kinds = {field.get("subjects") for field in known if field}
        return "staff" in kinds and "child" not in kinds


def known_field(table: str, column: str) -> Mapping[str, Any] | None:
    """The entry of reference/fields.toml that a column's name means, whole and exactly; None where none does.

    Examples
    --------
    >>> known_field("pupils", "dateOfBirth")["category"], known_field("pupils", "locker")
    ('identity', None)
    """
    name = _squashed(column)
    by_header = _by_header()
    return by_header.get((_squashed(table).removesuffix("s"), name)) or by_header.get(("", name))


def _word(table: Relation, column: str) -> str:
    before = "" if table.schema == "public" else f"{table.schema}."
    return f"{before}{table.name}.{column}"


@cache
def _by_header() -> Mapping[tuple[str, str], Mapping[str, Any]]:
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for field in reference.load("fields").entries["field"]:
        if "values" in field or "between" in field:  # needs the values to be told
            continue
        for header in (field["name"], *field["headers"]):
            table, _, name = header.rpartition(".")
            found.setdefault((_squashed(table).removesuffix("s"), _squashed(name)), field)
    return found


def _squashed(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())
