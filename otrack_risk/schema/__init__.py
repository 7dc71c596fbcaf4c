"""What a school data set is: its tables, their fields, and what each field says of whom.

The synthetic world is written in this schema; a real export is mapped onto the same roles and
categories by :mod:`otrack_risk.profile` and a catalogue that a person edits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from otrack_risk import reference
from otrack_risk.errors import ParameterError, TableError

Role = Literal["direct", "quasi", "sensitive", "free_text", "other"]
PersonKind = Literal["child", "staff", "guardian", "unknown"]
ROLES: tuple[str, ...] = get_args(Role)
PERSON_KINDS: tuple[str, ...] = get_args(PersonKind)


@dataclass(frozen=True)
class Column:
    """What one column says, and how it can be used to find somebody."""

    name: str
    role: Role
    kind: str  # what the values are: "upn", "surname", "date_of_birth", "sex", "number", "text", ...
    category: str  # a name of reference/categories.toml
    reason: str = ""  # why it was classified so; a person who edits the catalogue says so here


@dataclass(frozen=True)
class TableSchema:
    """One table: whom its rows are about, how they are told apart, and its columns."""

    name: str
    subjects: PersonKind  # whom a row is about; "unknown" where nobody has said
    person: str | None  # the column that tells data subjects apart; None where there is none
    one_row_a_person: bool  # with no person column: whether each row is a person of its own
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def with_role(self, *roles: Role) -> list[str]:
        """Names of the columns in any of these roles, in the table's order."""
        return [column.name for column in self.columns if column.role in roles]

    @property
    def quasi_identifiers(self) -> list[str]:
        """Columns that others commonly know and that single out in combination, in the table's order.

        Ethnicity, language and nationality are sensitive and known to whoever meets the child: they count here too.
        """
        return [
            column.name
            for column in self.columns
            if column.role == "quasi" or (column.role == "sensitive" and column.category == "ethnicity")
        ]

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the columns whose kind, or whose own name, is one of these, in the table's order."""
        return [column.name for column in self.columns if column.kind in kinds or column.name in kinds]


@dataclass(frozen=True)
class Catalogue:
    """What is known of every table of a data set; a file that a person edits."""

    tables: tuple[TableSchema, ...] = field(default_factory=tuple)

    def table(self, name: str) -> TableSchema | None:
        """The schema of that table, or None."""
        return next((table for table in self.tables if table.name == name), None)

    def only(self, columns: Mapping[str, Sequence[str]]) -> Catalogue:
        """What is known of these tables, and of these columns of them."""
        return Catalogue(
            tuple(
                replace(
                    table,
                    person=table.person if table.person in columns[table.name] else None,
                    columns=tuple(column for column in table.columns if column.name in columns[table.name]),
                )
                for table in self.tables
                if table.name in columns
            )
        )

    def about(self, kind: PersonKind = "child") -> TableSchema:
        """The table that says most of such people: of those about them, the one with most quasi-identifiers.

        Where no table is known to be about them, the choice is among all tables.

        Raises
        ------
        TableError
            No table has a quasi-identifier.
        """
        known = [table for table in self.tables if table.subjects == kind] or list(self.tables)
        widest = max(known, key=lambda table: len(table.quasi_identifiers), default=None)
        if widest is None or not widest.quasi_identifiers:
            raise TableError(
                "no table has a quasi-identifier, so nobody can be singled out by combination here.",
                "correct the roles in a catalogue (otrack-risk profile DATA --write catalogue.toml).",
            )
        return widest


def categories() -> dict[str, str]:
    """Every data category with its label, in canonical order: most sensitive first."""
    return {entry["name"]: entry["label"] for entry in reference.load("categories").entries["category"]}


def special_categories() -> frozenset[str]:
    """Names of the categories that are special category data (UK GDPR Article 9(1))."""
    return frozenset(e["name"] for e in reference.load("categories").entries["category"] if e["special"])


def weight(category: str) -> int:
    """How heavily a category weighs in reach, 1 to 4 (this project's default)."""
    for entry in reference.load("categories").entries["category"]:
        if entry["name"] == category:
            return int(entry["weight"])
    raise ParameterError(f"'{category}' is not a data category.", f"use one of {', '.join(categories())}.")
