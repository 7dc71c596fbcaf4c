"""What an auditor asks first: which data, read how, and on whose tables the answers rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from otrack_risk import reference
from otrack_risk.display import tables
from otrack_risk.display.results import Shown

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class InputsRead(Shown):
    """Every table that was read: its rows seen, kept and skipped, and the hash of its file."""

    key: ClassVar[str] = "inputs_read"
    inputs: tuple[Mapping[str, Any], ...]  # the contract's `input`

    def sentence(self) -> str:
        seen = sum(entry["seen"] for entry in self.inputs)
        skipped = sum(entry["skipped"] for entry in self.inputs)
        named = "1 table was" if len(self.inputs) == 1 else f"{len(self.inputs)} tables were"
        return f"{named} read: {seen:,} rows seen, {seen - skipped:,} kept, {skipped:,} skipped."

    def table(self) -> pl.DataFrame:
        columns = ("name", "seen", "rows", "skipped", "columns", "sha256")
        return tables.table({column: [entry[column] for entry in self.inputs] for column in columns})

    def record(self) -> dict[str, Any]:
        return {"tables": [dict(entry) for entry in self.inputs]}


@dataclass(frozen=True)
class TablesUsed(Shown):
    """The dated tables of law, severity and roles behind a report, and how many of their values are assumed."""

    key: ClassVar[str] = "reference_tables"
    tables_used: tuple[reference.ReferenceTable, ...]
    as_of: date

    def sentence(self) -> str:
        stale = [table.title for table in self.tables_used if table.stale(self.as_of)]
        overdue = f" Past their review day on {self.as_of}: {'; '.join(stale)}." if stale else ""
        assumed = sum(len(table.assumed()) for table in self.tables_used)
        return (
            f"The answers rest on {len(self.tables_used)} dated tables, in which {assumed} entries are this project's "
            f"own assumptions; change them where your school knows better.{overdue}"
        )

    def table(self) -> pl.DataFrame:
        used = self.tables_used
        return tables.table(
            {
                "table": [table.title for table in used],
                "source": [table.source for table in used],
                "checked_on": [table.checked_on for table in used],
                "review_by": [table.review_by for table in used],
                "assumed_entries": [len(table.assumed()) for table in used],
            }
        )

    def record(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of.isoformat(),
            "tables": [
                {
                    "name": table.name,
                    "title": table.title,
                    "source": table.source,
                    "checked_on": table.checked_on.isoformat(),
                    "review_by": table.review_by.isoformat(),
                    "stale": table.stale(self.as_of),
                    "assumed": len(table.assumed()),
                }
                for table in self.tables_used
            ],
        }


def inputs_read(inputs: Sequence[Mapping[str, Any]]) -> InputsRead:
    """The account of what was read, from the contract's ``input`` list of a data set."""
    return InputsRead(tuple(inputs))


def tables_used(names: Sequence[str], as_of: date) -> TablesUsed:
    """The named reference tables with their citations, as they stood on a day."""
    return TablesUsed(tuple(reference.load(name) for name in names), as_of)
