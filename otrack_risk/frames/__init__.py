"""Read any table a school has; say what was kept and what was skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from otrack_risk.errors import TableError


@dataclass(frozen=True)
class Skipped:
    """Rows that were seen and not kept: kept + skipped = seen."""

    where: str  # table, and line or row numbers; never a cell's value
    rows: int
    why: str


@dataclass(frozen=True)
class Table:
    """One table in hand."""

    name: str  # file stem, or sheet name
    rows: pl.DataFrame  # text as text, dates as dates, an empty cell as null
    file: str  # the file's name, never its directory
    sha256: str  # of the file's bytes
    seen: int  # rows below the header
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader should know: title rows, a hidden sheet, an encoding

    @property
    def kept(self) -> int:
        """Rows in hand."""
        return self.rows.height


@dataclass(frozen=True)
class Dataset:
    """The tables of one file or folder."""

    name: str  # file or folder name, never its directory
    tables: Mapping[str, Table] = field(default_factory=dict)

    def table(self, name: str | None = None) -> Table:
        """The named table, or the only one.

        Raises
        ------
        TableError
            No such table; or several, and none was named.
        """
        if name is None and len(self.tables) == 1:
            return next(iter(self.tables.values()))
        if name is None or name not in self.tables:
            asked = "holds several tables" if name is None else f"has no table '{name}'"
            raise TableError(f"{self.name} {asked} (its tables: {', '.join(self.tables)}).", "name one of them.")
        return self.tables[name]

    def inputs(self) -> list[dict[str, object]]:
        """The ``input`` list of the contract: name, sha256, rows, columns of each table."""
        return [
            {
                "name": table.name,
                "file": table.file,
                "sha256": table.sha256,
                "rows": table.kept,
                "columns": table.rows.width,
                "seen": table.seen,
                "skipped": table.seen - table.kept,
            }
            for table in self.tables.values()
        ]
