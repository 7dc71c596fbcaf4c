"""The profile of a data set: what each column is, how full, how unique, and why it was taken so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk import schema
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import HIDE_BELOW, Count, Hidden, Share, percent
from otrack_risk.profile.keys import MinimalKey
from otrack_risk.schema import Catalogue, PersonKind, Role

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

_BARS = 30  # columns that one figure holds and still reads
_ROLES: dict[Role, str] = {
    "direct": "direct identifiers",
    "quasi": "quasi-identifiers",
    "sensitive": "sensitive attributes",
    "free_text": "free text",
    "other": "other",
}


@dataclass(frozen=True)
class ColumnProfile:
    """One column: what it is, and its counts over all rows of the table."""

    table: str
    name: str
    role: Role
    kind: str
    category: str  # a name of reference/categories.toml
    rows: int
    filled: Count  # rows with a value: not missing, not blank
    filled_share: Share  # of the rows, 0 to 1; None where there is no row
    distinct: int  # different values
    unique: int  # rows with a value that no other row has; one missing value counts as a value
    known_by: tuple[str, ...]  # who commonly knows it of a child (this project's own reading)
    reason: str

    @property
    def unique_share(self) -> float | None:
        """Share of the rows whose value no other row has, 0 to 1; None where there is no row."""
        return self.unique / self.rows if self.rows else None

    def record(self) -> dict[str, Any]:
        """The entry of the contract's ``columns``."""
        return {
            "table": self.table,
            "name": self.name,
            "role": self.role,
            "kind": self.kind,
            "category": self.category,
            "filled_share": self.filled_share,
            "distinct": self.distinct,
            "unique_share": self.unique_share,
            "known_by": list(self.known_by),
            "reason": self.reason if self.rows else f"{self.reason}; the table has no rows",
        }

    def published(self, hide_below: int) -> ColumnProfile:
        """The column with the number of its filled rows hidden where that counts few, or all but few."""
        filled = tables.hide(self.filled, hide_below, of=self.rows)
        return replace(self, filled=filled, filled_share=tables.hide_share(self.filled_share, filled))


@dataclass(frozen=True)
class TableProfile:
    """One table: how long, and whom it is about."""

    name: str
    rows: int
    subjects: PersonKind
    person: str | None  # the column that tells its people apart
    one_row_a_person: bool
    reason: str


@dataclass(frozen=True)
class Profile(Shown):
    """What every column of a data set is, and why."""

    key: ClassVar[str] = "profile"
    tables: tuple[TableProfile, ...]
    columns: tuple[ColumnProfile, ...]
    minimal_keys: tuple[MinimalKey, ...]
    catalogue: Catalogue

    def sentence(self) -> str:
        n, roles = len(self.columns), Counter(column.role for column in self.columns)
        said = ", ".join(f"{word} {roles[role]:,}" for role, word in _ROLES.items())
        parts = [f"{_counted(n, 'column')} in {_counted(len(self.tables), 'table')}: {said}."]
        if self.minimal_keys:
            children = {table.name for table in self.tables if table.subjects == "child"}
            best = max(self.minimal_keys, key=lambda key: (key.table in children, key.unique_share))
            parts.append(
                f"In {best.table}, {_named(best.attributes)} out {best.unique:,} of {best.records:,} records "
                f"({percent(best.unique_share)})."
            )
        return " ".join(parts)

    def table(self) -> pl.DataFrame:
        labels = schema.categories()
        where = {"table": [column.table for column in self.columns]} if len(self.tables) > 1 else {}
        return tables.table(
            {
                **where,
                "column": [column.name for column in self.columns],
                "role": [column.role.replace("_", " ") for column in self.columns],
                "category": [labels.get(column.category, column.category) for column in self.columns],
                "filled_share": [column.filled_share for column in self.columns],
                "distinct": [column.distinct for column in self.columns],
                "unique_share": [column.unique_share for column in self.columns],
                "reason": [column.reason for column in self.columns],
            }
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display import figures

        told = [column for role in _ROLES for column in self.columns if column.role == role != "other"]
        if not told:
            return None
        if len(told) > _BARS:
            roles = Counter(column.role for column in self.columns)
            title = f"{len(told)} of {len(self.columns)} columns say something of a person"
            return figures.bars(
                [role.replace("_", " ") for role in _ROLES], [roles[role] for role in _ROLES], title, "columns"
            )
        shown = [column for column in told if not isinstance(column.filled_share, Hidden | None)]
        left_out = f"; {len(told) - len(shown)} not drawn" if len(shown) < len(told) else ""
        several = len(self.tables) > 1
        names = [f"{column.table}.{column.name}" if several else column.name for column in shown]
        title = f"{len(told)} of {len(self.columns)} columns say something of a person{left_out}"
        return figures.bars(
            [f"{name} ({column.role.replace('_', ' ')})" for name, column in zip(names, shown, strict=True)],
            [column.filled_share for column in shown],
            title,
            "share of the rows with a value",
        )

    def record(self) -> dict[str, Any]:
        return {
            "tables": [vars(table) for table in self.tables],
            "columns": [column.record() for column in self.columns],
            "minimal_keys": [
                {"table": key.table, "attributes": list(key.attributes), "unique_share": key.unique_share}
                for key in self.minimal_keys
            ],
        }

    def published(self, hide_below: int = HIDE_BELOW) -> Self:
        return replace(self, columns=tuple(column.published(hide_below) for column in self.columns))


def _counted(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _named(names: tuple[str, ...]) -> str:
    return (
        f"{names[0]} alone singles" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} together single"
    )
