"""The rows of an access log, with each word as a number, so that two million lines are counted in a second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from otrack_risk import frames
from otrack_risk.access.model import LONGEST
from otrack_risk.access.words import category_of
from otrack_risk.errors import FieldError, TableError

SLOT = 10  # minutes: clients of one account within them are used at once
AT_ONCE = 3  # clients at once are more than one person has
EMPTY = "(empty)"
MOST = 2**16  # different words of categories, or of verbs
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "account": ("account", "user", "username", "user_name", "login", "log_in", "account_name", "user_id"),
    "at": ("at", "when", "timestamp", "time", "datetime", "date_time", "date", "accessed_at", "logged_at"),
    "category": ("category", "data_category", "area", "data_area", "screen", "table", "data"),
    "verb": ("verb", "action", "permission", "event", "operation"),
    "pupil_id": ("pupil_id", "student_id", "child", "child_id", "pupil", "student"),
    "rows": ("rows", "n", "records", "row_count"),
    "client": ("client", "device", "device_id", "client_id", "ip", "ip_address", "user_agent"),
}
_FIRST_YEAR = 1900  # an earlier day is no day of a log
_NEEDED = ("account", "at", "category", "verb")
_OFFSET = r"\d:\d.*(Z|[+-]\d{2}:?\d{2})$"


class Log:
    """The rows of a log, with each word as a number: cleaned and understood once, and not line by line."""

    def __init__(self, log: pl.DataFrame | pl.LazyFrame, name: str) -> None:
        names = log.collect_schema().names()
        plain = {column.strip().lower().replace(" ", "_").replace("-", "_"): column for column in reversed(names)}
        found = {
            ours: plain[next(header for header in headers if header in plain)]
            for ours, headers in _COLUMNS.items()
            if any(header in plain for header in headers)
        }
        if lacking := [column for column in _NEEDED if column not in found]:
            raise FieldError(
                f"{name} has no column {', '.join(lacking)} (its columns: {', '.join(names)}).",
                "an access log has the columns account, at, category and verb; pupil_id, rows and client help.",
            )
        self.name, self.has = name, frozenset(found)
        taken = (
            log.lazy().select(pl.col(given).alias(ours) for ours, given in found.items()).collect(engine="streaming")
        )
        self.seen = taken.height
        self.words: dict[str, pl.Series] = {}
        self.rows = taken.select(pl.lit(0)).clear() if not taken.height else self._coded(taken)

    def counted(self, as_of: date | None) -> tuple[date, tuple[frames.Skipped, ...]]:
        """The day of which it is told, and the lines that do not count, which are let go."""
        nobody, no_day = pl.col("account").is_null(), pl.col("day").dt.year().fill_null(0) < _FIRST_YEAR
        late = pl.lit(value=False) if as_of is None else (pl.col("day") > as_of).fill_null(value=False)
        if not self.seen:
            raise TableError(f"{self.name} has no lines.", "give the log of the year before the day that is told of.")
        without, undated, later, last = self.rows.select(
            nobody.sum(),
            no_day=(~nobody & no_day).sum(),
            late=(~nobody & ~no_day & late).sum(),
            last=pl.col("day").max(),
        ).row(0)
        if self.seen == without + undated + later:
            raise TableError(
                f"{self.name}: of {self.seen:,} lines none has an account and a day up to the one that is told of.",
                "give the log of the year before that day.",
            )
        if without + undated + later:
            self.rows = self.rows.filter(~(nobody | no_day | late))
            last = self.rows["day"].max()
        reasons = ((without, "no account"), (undated, "no day that can be read"), (later, "after the day told of"))
        skipped = tuple(frames.Skipped(self.name, number, why) for number, why in reasons if number)
        return last if as_of is None else as_of, skipped

    def span(self) -> tuple[date, date]:
        """The first and the last day."""
        first, last = self.rows.select(pl.col("day").min(), last=pl.col("day").max()).row(0)
        return first, last

    def cells(self, term: date, year: date) -> pl.DataFrame:
        """account, category, verb (words of the log), first, last, term, year, lines."""
        key = (pl.col("account").cast(pl.UInt64) * 2**16 + pl.col("category")) * 2**16 + pl.col("verb")
        day = pl.col("day")
        found = (
            self.rows.select(
                key.alias("key"), "day", term=(day >= term).cast(pl.UInt32), year=(day >= year).cast(pl.UInt32)
            )
            .group_by("key")
            .agg(
                day.min().alias("first"),
                day.max().alias("last"),
                pl.col("term", "year").sum().cast(pl.Int64),
                pl.len().cast(pl.Int64).alias("lines"),
            )
        )
        parts = {
            "account": pl.col("key") // 2**32,
            "category": pl.col("key") // 2**16 % 2**16,
            "verb": pl.col("key") % 2**16,
        }
        return found.select(
            *(pl.lit(self.words[name]).gather(part.cast(pl.UInt32)).alias(name) for name, part in parts.items()),
            "first", "last", "term", "year", "lines",
        )  # fmt: skip

    def clients(self) -> pl.DataFrame:
        """account, client, lines."""
        if "client" not in self.has:
            return pl.DataFrame(schema={"account": pl.String, "client": pl.String, "lines": pl.Int64})
        some = self.rows.filter(pl.col("client").is_not_null())
        found = (
            some.select(key=pl.col("account").cast(pl.UInt64) * 2**32 + pl.col("client"))
            .group_by("key")
            .agg(pl.len().cast(pl.Int64).alias("lines"))
        )
        return found.select(
            pl.lit(self.words["account"]).gather((pl.col("key") // 2**32).cast(pl.UInt32)).alias("account"),
            pl.lit(self.words["client"]).gather((pl.col("key") % 2**32).cast(pl.UInt32)).alias("client"),
            "lines",
        )

    def together(self, accounts: pl.Series) -> pl.DataFrame:
        """account, together: the most clients within ten minutes."""
        nothing = pl.DataFrame(schema={"account": pl.String, "together": pl.Int64})
        if not len(accounts):
            return nothing
        codes = self.words["account"].is_in(accounts.implode()).arg_true()
        some = self.rows.filter(
            pl.col("client").is_not_null(), pl.col("slot").is_not_null(), pl.col("account").is_in(codes.implode())
        )
        by_slot = (pl.col("account").cast(pl.Int64) * 2**32 + pl.col("slot")).alias("by_slot")
        busy = some.select(by_slot, "account", "client").with_columns(pl.len().over("by_slot").alias("n"))
        return (
            busy.filter(pl.col("n") >= AT_ONCE)
            .group_by("by_slot")
            .agg(pl.col("account").first(), pl.col("client").n_unique().cast(pl.Int64))
            .filter(pl.col("client") >= AT_ONCE)
            .group_by("account")
            .agg(pl.col("client").max().alias("together"))
            .select(pl.lit(self.words["account"]).gather("account").alias("account"), "together")
        )

    def of(self, wanted: pl.DataFrame, since: date) -> pl.DataFrame:
        """As :meth:`Used.touched` tells."""
        meant = {place: found for place, word in enumerate(self.words["category"]) if (found := category_of(word))}
        categories = {place for place, found in meant.items() if found in set(wanted["category"])}
        codes = self.words["account"].is_in(wanted["account"].implode()).arg_true()
        some = self.rows.filter(
            pl.col("day") >= since,
            pl.col("account").is_in(codes.implode()),
            pl.col("category").is_in(sorted(categories)),
        )
        told = {name: pl.col(name) if name in some.columns else pl.lit(None) for name in ("pupil_id", "rows")}
        return some.select(
            pl.lit(self.words["account"]).gather("account").alias("account"),
            pl.col("category").replace_strict(meant, default=None, return_dtype=pl.String).alias("category"),
            told["pupil_id"].cast(pl.String).str.strip_chars().replace("", None).alias("pupil_id"),
            told["rows"].cast(pl.Int64, strict=False).alias("rows"),
        ).join(wanted, on=["account", "category"], how="semi")

    def _coded(self, taken: pl.DataFrame) -> pl.DataFrame:
        content = [*_clock(taken["at"])]
        for column in ("account", "category", "verb", "client"):
            if column in self.has:
                codes, self.words[column] = _numbered(taken[column].cast(pl.String), column in ("category", "verb"))
                content.append(codes.alias(column))
        for column, words in self.words.items():
            if (words.str.len_chars() > LONGEST).any():
                raise TableError(
                    f"{self.name}, column '{column}': a word of more than {LONGEST:,} letters.",
                    "correct the row, or the separator of the file.",
                )
        for column in ("category", "verb"):
            if (number := len(self.words[column]) - 1) >= MOST:  # one of them is "(empty)"
                raise TableError(
                    f"{self.name} has {number:,} different words in '{column}'.",
                    "give the kind of data and of action there, not an address or a sentence.",
                )
        return pl.DataFrame([*content, *(taken[name] for name in ("pupil_id", "rows") if name in self.has)])


def _numbered(text: pl.Series, keep_empty: bool) -> tuple[pl.Series, pl.Series]:
    """Each text as the number of its word, without the spaces around it; and the words."""
    raw = text.unique().drop_nulls()
    clean = raw.str.strip_chars()
    words = clean.filter(clean != "").unique().sort()
    if keep_empty:
        words = pl.concat([words, pl.Series([EMPTY])]).unique()
    codes = text.cast(pl.Enum(raw)).to_physical().cast(pl.UInt32)
    if len(raw) == 0 or not clean.equals(words):
        place = {word: number for number, word in enumerate(words)}
        to = pl.Series([place.get(word) for word in clean], dtype=pl.UInt32)
        codes = to.gather(codes) if len(raw) else codes
    return codes.fill_null(words.to_list().index(EMPTY)) if keep_empty else codes, words


def _clock(at: pl.Series) -> tuple[pl.Series, pl.Series]:
    """``day`` (date) and ``slot`` (number of ten minutes) of times; in London where a time says in which zone it is."""
    if isinstance(at.dtype, pl.String):
        offset = bool(at.str.contains(_OFFSET).any())
        return _clock(_with_offset(at)) if offset else _clock_of_text(at)
    if isinstance(at.dtype, pl.Date):
        return at.alias("day"), pl.Series("slot", [None], pl.Int64).new_from_index(0, len(at))
    if not isinstance(at.dtype, pl.Datetime):
        return _clock(at.cast(pl.String))
    local = at.dt.convert_time_zone("Europe/London").dt.replace_time_zone(None) if at.dtype.time_zone else at
    slot = local.dt.epoch("ms") // (SLOT * 60_000)
    return local.dt.date().alias("day"), slot.alias("slot")


def _clock_of_text(at: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Days are read once for each different text of a day, not line by line; so are hours and minutes."""
    text = at.str.strip_chars_start()
    codes, days = _numbered(text.str.slice(0, 10), keep_empty=False)
    read = pl.coalesce(*(pl.lit(days).str.to_date(form, strict=False) for form in ("%Y-%m-%d", "%d/%m/%Y")))
    day = pl.select(read.alias("day")).to_series().gather(codes)
    codes, hours = _numbered(text.str.slice(11, 5), keep_empty=False)
    minutes = hours.str.extract(r"^(\d\d):").cast(pl.Int64) * 60 + hours.str.extract(r":(\d\d)$").cast(pl.Int64)
    slot = day.cast(pl.Int64) * (24 * 60 // SLOT) + (minutes // SLOT).gather(codes)
    return day.alias("day"), slot.alias("slot")


def _with_offset(at: pl.Series) -> pl.Series:
    """Text as London time; what has no offset is London time already."""
    text = at.str.strip_chars().str.replace("T", " ", literal=True)
    plain = text.str.replace(r"\.\d+", "").str.replace(r"Z$", "+0000").str.replace(r"([+-]\d{2}):(\d{2})$", "$1$2")
    zoned = plain.str.to_datetime("%Y-%m-%d %H:%M:%S%z", time_unit="ms", strict=False, time_zone="UTC")
    local = zoned.dt.convert_time_zone("Europe/London").dt.replace_time_zone(None)
    day, slot = _clock_of_text(at)
    other = (slot * (SLOT * 60_000)).cast(pl.Datetime("ms"))
    return local.zip_with(local.is_not_null(), other.zip_with(other.is_not_null(), day.cast(pl.Datetime("ms"))))
