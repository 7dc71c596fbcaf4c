"""The smallest combinations of quasi-identifiers that single records out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import polars as pl

from otrack_risk.risk.classes import combinations as grouped
from otrack_risk.risk.cube import subset_counts
from otrack_risk.risk.subsets import FEW, LARGEST, SINGLING_OUT
from otrack_risk.risk.subsets import MOST_KEYS as MOST

# Rows times combinations that are counted for one table: some seconds, 8 columns at 864,603 rows, 20 at 100,000.
_WORK = 100_000_000
_WIDEST = 20


@dataclass(frozen=True)
class MinimalKey:
    """A combination of columns, none of them redundant, and how many records it singles out."""

    table: str
    attributes: tuple[str, ...]
    unique: int  # records with values that no other record has
    records: int

    @property
    def unique_share(self) -> float:
        """Share of the table's records, 0 to 1."""
        return self.unique / self.records


def minimal_keys(rows: pl.DataFrame, columns: Sequence[str], table: str) -> tuple[MinimalKey, ...]:
    """The smallest combinations of columns that single out nearly all records, or the best few that single out any.

    Parameters
    ----------
    rows : n_records rows
    columns : quasi-identifiers, in the order in which ties are named
    table : its name, for the answer

    Returns
    -------
    keys, smallest first, then by the share that they single out
        Combinations of up to three columns that single out at least 95 % of the records and hold no
        smaller such combination; where there is none, the five that single out the most records.
        A combination that singles out no more than a part of it does is redundant and never named.

    Notes
    -----
    A record is singled out where no other record has its values; a missing value is a value like any
    other. Counted exactly, on all rows. The search is bounded: of more columns than
    the rows allow (8 at 864,603 rows, 20 at most) those with the most different values are tried.

    References
    ----------
    Motwani and Xu (2007), Efficient algorithms for masking and finding quasi-identifiers.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8, 8], "sex": ["F", "M", "F", "M"], "town": ["A", "A", "A", "A"]})
    >>> [(key.attributes, key.unique_share) for key in minimal_keys(pupils, ["year", "sex", "town"], "pupils")]
    [(('year', 'sex'), 1.0)]
    """
    if rows.is_empty() or not columns:
        return ()
    tried = _widest(rows, columns)
    counted = subset_counts(grouped(rows, tried), LARGEST)
    named = [tuple(name for name, held in zip(tried, row, strict=True) if held) for row in counted.members]
    unique = dict(zip(named, counted.uniques.tolist(), strict=True))
    keys: list[tuple[str, ...]] = []
    for names in named:  # smaller ones first: whatever holds a key is a key, and no minimal one
        if unique[names] >= SINGLING_OUT * rows.height and not any(set(key) <= set(names) for key in keys):
            keys.append(names)
    if not keys:
        telling = [names for names in unique if unique[names] and _adds(names, unique)]
        keys = sorted(telling, key=lambda names: -unique[names])[:FEW]
    else:
        keys = [names for names in keys if _adds(names, unique)]
    ordered = sorted(keys, key=lambda names: (len(names), -unique[names]))[:MOST]
    return tuple(MinimalKey(table, names, unique[names], rows.height) for names in ordered)


def _widest(rows: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """As many columns as the work allows, those with most different values, in their order."""
    widths = range(1, min(len(columns), _WIDEST) + 1)
    room = max((n for n in widths if rows.height * sum(comb(n, k) for k in (1, 2, 3)) <= _WORK), default=1)
    if room == len(columns):
        return list(columns)
    distinct = {name: rows[name].n_unique() for name in columns}
    kept = sorted(columns, key=lambda name: -distinct[name])[:room]
    return [name for name in columns if name in kept]


def _adds(names: tuple[str, ...], unique: dict[tuple[str, ...], int]) -> bool:
    """Whether every column of a combination singles out more than the others do without it."""
    return all(unique[names] > unique[part] for part in combinations(names, len(names) - 1) if part)
