"""What was used of what is granted: an access log counted by account, category and verb, over school days."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from otrack_risk import frames
from otrack_risk.access.findings.checks import words
from otrack_risk.access.use.log import AT_ONCE, Log
from otrack_risk.access.use.terms import Terms, terms_of
from otrack_risk.access.words import category_of, verbs_of
from otrack_risk.errors import ParameterError

SCHOOL_DAYS = 90  # AWS IAM Access Analyzer looks back 90 days by default; here they are school days
CALENDAR_DAYS = 365  # a year holds every annual task once
BREAK_GLASS = ("contact", "medical")  # rarely used and always needed
_LATE = 5  # school days by which the log may end before the day


@dataclass(frozen=True)
class LookBack:
    """A stretch of days that ends on the day of which it is told, both ends included."""

    name: str  # "term" or "year"
    label: str
    first: date
    last: date
    school_days: int
    reason: str = ""  # why the log does not tell of it; empty where it does


@dataclass(frozen=True)
class Used:
    """The log in counts. ``lines`` are its rows, for :meth:`touched` alone; no result of ours holds any of them."""

    as_of: date
    look_backs: tuple[LookBack, LookBack]  # the last 90 school days, and the last 365 days
    # account, category, verb (ours, or the log's word), first, last (dates), term, year (lines in each look-back)
    cells: pl.DataFrame = field(repr=False)
    # account, first, last (dates), lines, together (most clients within ten minutes; 0: never three), interactive
    accounts: pl.DataFrame = field(repr=False)
    seen: int  # lines of the log
    skipped: tuple[frames.Skipped, ...]
    notes: tuple[str, ...]
    has: frozenset[str]  # columns that the log has, in our words
    terms: Terms
    break_glass: tuple[str, ...]
    lines: Log = field(repr=False)
    source: Mapping[str, object] | None = None  # name, file, sha256, rows, columns of the file; None: no file was read

    @property
    def kept(self) -> int:
        """Lines that count: seen less skipped."""
        return self.seen - sum(each.rows for each in self.skipped)

    def look_back(self, name: str) -> LookBack:
        """The look-back "term" or "year"."""
        return next(each for each in self.look_backs if each.name == name)

    def longest(self) -> LookBack | None:
        """The longest look-back of which the log tells; None where it tells of none."""
        return next((each for each in reversed(self.look_backs) if not each.reason), None)

    @classmethod
    def of(
        cls,
        log: pl.DataFrame | pl.LazyFrame,
        *,
        as_of: date | None = None,
        terms: Terms | None = None,
        break_glass: Sequence[str] = BREAK_GLASS,
        name: str = "access log",
    ) -> Used:
        """The log counted.

        Parameters
        ----------
        log : account, at, category, verb; and, where told, pupil_id, rows (children or records shown) and client,
            under any of the usual names. ``at`` is a time, a day, or text (ISO, or day/month/year); a time with an
            offset is read as London time.
        as_of : the day at whose end the look-backs end; None: the last day of the log
        terms : None: the typical days of England
        break_glass : categories that are needed however rarely they are used

        Notes
        -----
        A line without an account, without a day that can be read, or of a later day is skipped and counted. A
        category or verb that is not known is kept, as unknown. The log tells of a look-back where no school day of it
        lies before the log's first line, and at most five after its last.

        Raises
        ------
        FieldError, TableError, ParameterError
            A column is lacking; no line can be used; a break-glass category that does not exist.

        Examples
        --------
        >>> log = pl.DataFrame({"user": ["a", "a"], "when": ["2026-01-30 09:00", "30/01/2026"],
        ...                     "area": ["SEN", "lockers"], "action": ["read", "read"]})
        >>> used = Used.of(log)
        >>> used.cells.select("account", "category", "verb", "year").rows()
        [('a', 'lockers', 'view', 1), ('a', 'sen', 'view', 1)]
        >>> used.look_back("year").reason
        'the log begins on 2026-01-30, after the look-back (2025-01-31)'
        """
        if unknown := [each for each in break_glass if category_of(each) != each]:
            raise ParameterError(
                f"break_glass: entry {break_glass.index(unknown[0]) + 1} is no category.",
                "name categories of reference/categories.toml.",
            )
        terms = terms_of() if terms is None else terms
        lines = Log(log, name)
        day, skipped = lines.counted(as_of)
        first_of_term, first_of_year = terms.back(day, SCHOOL_DAYS), day - timedelta(days=CALENDAR_DAYS - 1)
        cells = lines.cells(first_of_term, first_of_year)
        begins, ended = lines.span()
        back = [
            _covered(LookBack(kind, label, first, day, terms.school_days(first, day)), begins, ended, terms)
            for kind, label, first in (
                ("term", f"{SCHOOL_DAYS} school days", first_of_term),
                ("year", f"{CALENDAR_DAYS} days", first_of_year),
            )
        ]
        return cls(
            as_of=day,
            look_backs=(back[0], back[1]),
            cells=_in_our_words(cells),
            accounts=_accounts(cells, lines),
            seen=lines.seen,
            skipped=skipped,
            notes=_strange(cells, name),
            has=lines.has,
            terms=terms,
            break_glass=tuple(break_glass),
            lines=lines,
        )

    def touched(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """Lines of the last year by the accounts and categories asked for: whom they showed. For counting, not showing.

        Parameters
        ----------
        wanted : account, category

        Returns
        -------
        account, category, pupil_id (null where the line names no child), rows (null where it does not tell)
        """
        return self.lines.of(wanted, self.look_back("year").first)

    def record(self) -> dict[str, Any]:
        """What was read, of which days, and what of it counts."""
        return {
            "as_of": self.as_of.isoformat(),
            "seen": self.seen,
            "kept": self.kept,
            "skipped": [{"rows": each.rows, "why": each.why} for each in self.skipped],
            "terms": self.terms.record(),
            "break_glass": list(self.break_glass),
            "look_backs": [
                {
                    "name": each.label,
                    "first": each.first.isoformat(),
                    "last": each.last.isoformat(),
                    "school_days": each.school_days,
                    "covered": not each.reason,
                    **({"reason": each.reason} if each.reason else {}),
                }
                for each in self.look_backs
            ],
            "notes": list(self.notes),
            **({"input": dict(self.source)} if self.source else {}),
        }


def read_log(path: str | Path, *, as_of: date | None = None, terms: Terms | None = None, **options: Any) -> Used:
    """The log of a file, a folder with a table ``access_log``, or a database's address.

    Of a lone Parquet file only the columns that count are read.

    Raises
    ------
    FileError, TableError, FieldError
        It cannot be read, holds several tables and none called access_log, or lacks a column.
    """
    whole = str(path).startswith("postgresql") or Path(path).is_dir()
    asked = {"as_of": as_of, "terms": terms, **options}
    if not whole and (scanned := _scanned(Path(path), asked)):
        return scanned
    table = frames.read(path, table="access_log" if whole else None).table()
    used = Used.of(table.rows, name=table.name, **asked)
    return replace(
        used,
        seen=used.seen + table.seen - table.kept,
        skipped=(*table.skipped, *used.skipped),
        source=frames.Dataset(table.name, {table.name: table}).inputs()[0],
    )


def _scanned(path: Path, asked: Mapping[str, Any]) -> Used | None:
    """A log in Parquet, of which only the columns that count are read; None where it is to be read as any file is."""
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return None
    try:
        log = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        rows, columns = log.select(pl.len()).collect().item(), len(log.collect_schema())
        if not rows:
            return None
        used = Used.of(log, name=path.stem, **asked)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return None  # the usual way tells what is wrong with it
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    told = {"name": path.stem, "file": path.name, "sha256": digest, "rows": rows, "columns": columns}
    return replace(used, source=told | {"seen": rows, "skipped": 0})


def _covered(back: LookBack, begins: date, ended: date, terms: Terms) -> LookBack:
    """With the reason why the log does not tell of it, if it does not."""
    if begins > back.first and terms.school_days(back.first, begins - timedelta(days=1)):
        return replace(back, reason=f"the log begins on {begins}, after the look-back ({back.first})")
    if ended < back.last and terms.school_days(ended + timedelta(days=1), back.last) > _LATE:
        return replace(back, reason=f"the log ends on {ended}, more than {_LATE} school days before {back.last}")
    return back


def _in_our_words(cells: pl.DataFrame) -> pl.DataFrame:
    known = {word: meaning for word in cells["category"].unique().to_list() if (meaning := category_of(word))}
    meant = {
        word: found for word in cells["verb"].unique().to_list() if (found := verbs_of(word)) and found != ["none"]
    }
    category = pl.col("category").replace_strict(known, default=pl.col("category"), return_dtype=pl.String)
    verb = pl.col("verb").replace_strict(meant, default=None, return_dtype=pl.List(pl.String))
    lines = cells.with_columns(category, pl.coalesce(verb, pl.concat_list("verb")).alias("verb")).explode("verb")
    return (
        lines.group_by("account", "category", "verb")
        .agg(pl.col("first").min(), pl.col("last").max(), pl.col("term", "year").sum())
        .sort("account", "category", "verb")
    )


def _strange(cells: pl.DataFrame, name: str) -> tuple[str, ...]:
    """A note for each column with words that are not known: lines that count for no grant."""
    total = cells["lines"].sum()
    known: Mapping[str, Callable[[str], object]] = {"category": category_of, "verb": verbs_of}
    found = {
        column: cells.filter(~pl.col(column).is_in([word for word in cells[column].unique().to_list() if means(word)]))
        for column, means in known.items()
    }
    return tuple(
        f"{name}: of {total:,} lines, {rows['lines'].sum():,} have a {column} that is not known; "
        "they are kept, as unknown."
        for column, rows in found.items()
        if rows.height
    )


def _accounts(cells: pl.DataFrame, lines: Log) -> pl.DataFrame:
    """One row an account; clients within ten minutes are counted only of accounts that ever had three."""
    by_client = lines.clients()
    several = by_client.group_by("account").agg(pl.len().alias("n")).filter(pl.col("n") >= AT_ONCE)["account"]
    by_hand = by_client.filter(pl.col("client").str.to_lowercase().is_in(sorted(words("client", "interactive"))))
    return (
        cells.group_by("account")
        .agg(pl.col("first").min(), pl.col("last").max(), pl.col("lines").sum())
        .join(lines.together(several), on="account", how="left")
        .join(by_hand.group_by("account").agg(interactive=pl.col("lines").sum()), on="account", how="left")
        .with_columns(pl.col("together", "interactive").fill_null(0))
        .sort("account")
    )
