"""Counting a synthetic world, town by town."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import polars as pl

from otrack_risk import reference
from otrack_risk.synth.certificate.judging import Seen, judged, of_table
from otrack_risk.synth.certificate.people import NAME, frames
from otrack_risk.synth.certificate.result import Certificate, Effect
from otrack_risk.synth.certificate.sought import targets
from otrack_risk.synth.presets import Preset

_BESIDES = (("phase",), ("entry", "phase"), ("born", "sex"))  # what computed targets are worked out from


@dataclass
class Tally:
    """Counts of a world, town by town: whole numbers only, so that the order of towns and their number do not matter.

    A count is kept by table (and what is summed), the columns by whose values people are told apart, these values, and
    what is counted: ``n`` rows, ``alike`` squares of how many live together, or sums of two columns and products.

    Examples
    --------
    >>> pupils = pl.DataFrame({"pupil_id": ["P1", "P2", "P3"], "sex": ["M", "M", "F"]})
    >>> one, two = Tally(), Tally()
    >>> one.add({"pupils": pupils[:2]})
    >>> two.add({"pupils": pupils[2:]})
    >>> one.merge(two)
    >>> one.counts["pupils", ("on_roll", "sex"), (True, "M"), "n"]
    2
    """

    counts: Counter[tuple[str, tuple[str, ...], tuple[object, ...], str]] = field(default_factory=Counter)

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Count one town, before any dirt: families and schools must be whole. What a table lacks is not counted."""
        for table, frame in frames(tables).items():
            for columns, mean, alike in _questions(table):
                if {*columns, *mean} <= set(frame.columns):
                    self._take(of_table(table, mean), columns, _counted(frame, columns, mean))
                    if alike and "household_id" in frame.columns:
                        self._take(table, columns, _alike(frame, columns))
            if set(NAME) <= set(frame.columns):
                self._take(table, NAME, _counted(frame.filter(pl.col("listed")), NAME, ()))

    def merge(self, other: Tally) -> None:
        """Take another tally in."""
        self.counts.update(other.counts)

    def certificate(self, plan: Preset) -> Certificate:
        """Every target of ``synth_targets.toml`` against what was counted."""
        seen = Seen(self.counts)
        return Certificate(
            preset=plan.name,
            pupils=sum(parts["n"] for row, parts in seen.cells("pupils", ("on_roll", "sex")) if row["on_roll"]),
            lines=tuple(judged(target, seen, plan) for target in targets()),
            effects=tuple(
                Effect(row["between"], row["how"], row.get("status", "published"), row["rests_on"])
                for row in reference.load("synth_targets").entries["effect"]
            ),
        )

    def _take(self, table: str, columns: tuple[str, ...], cells: pl.DataFrame) -> None:
        parts = cells.columns[len(columns) :]
        for row in cells.iter_rows():
            for part, count in zip(parts, row[len(columns) :], strict=True):
                self.counts[table, columns, row[: len(columns)], part] += count


@cache
def _questions(table: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...], bool], ...]:
    """What is asked of a table, each once: columns, the two that are summed, and whether siblings count as one."""
    asked: dict[tuple[tuple[str, ...], tuple[str, ...]], bool] = {}
    for target in targets():
        if target.table == table and target.kind != "distance":
            key = (target.columns, target.mean)
            asked[key] = asked.get(key, False) or target.siblings
    if table == "pupils":
        asked |= {(columns, ()): False for columns in _BESIDES if (columns, ()) not in asked}
    return tuple((columns, mean, alike) for (columns, mean), alike in asked.items())


def _counted(frame: pl.DataFrame, columns: tuple[str, ...], mean: tuple[str, ...]) -> pl.DataFrame:
    parts = [pl.len().alias("n")]
    if mean:
        frame = frame.drop_nulls(mean)
        a, b = (pl.col(column).cast(pl.Int64) for column in mean)
        sums = {"a": a, "b": b, "aa": a * a, "ab": a * b, "bb": b * b}
        parts += [products.sum().alias(part) for part, products in sums.items()]
    return frame.group_by(columns).agg(parts)


def _alike(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    homes = frame.group_by("household_id", *columns).len("alike")
    return homes.group_by(columns).agg(pl.col("alike").cast(pl.Int64).pow(2).sum())
