"""One town of a world: what a maker of a table is given, and all it may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from otrack_risk.synth.presets import Preset


@dataclass(frozen=True)
class Town:
    """The schools of one neighbourhood and everybody in them.

    A town is made without a look at any other, so that it may be made at any time and in any process.
    """

    number: int
    plan: Preset  # as_of, now, since, exposed ...
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)  # this town's rows only

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.tables[table]

    def having(self, tables: Mapping[str, pl.DataFrame]) -> Town:
        """The same town with these tables besides."""
        return Town(self.number, self.plan, {**self.tables, **tables})
