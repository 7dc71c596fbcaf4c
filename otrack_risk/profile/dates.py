"""Whether dates are dates of birth: their age at the end of the data, or the days of the week on which they fall."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from otrack_risk.profile.measured import PASSING, SAMPLES, SINGLING, Measured, mean, places

_DATE = (
    r"^\s*(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[/. -](?:[0-9]{1,2}|[A-Z][a-z]{2})[/. -](?:[0-9]{2}|[0-9]{4}))"
    r"(?:[ T][0-9:.]+Z?)?\s*$"
)


def last_date(tables: Mapping[str, pl.DataFrame]) -> date | None:
    """The latest day in any column of dates of any table: the day up to which the data speak.

    Dates that are written as text count, as far as they are ISO or day first.
    """
    columns = [series for rows in tables.values() for series in rows.iter_columns()]
    days = [series.cast(pl.Date).max() for series in columns if isinstance(series.dtype, pl.Date | pl.Datetime)]
    if not days:
        days = [as_dates(_few(series)).max() for series in columns if is_written_date(series)]
    return max((day for day in days if isinstance(day, date)), default=None)


def as_dates(values: pl.Series) -> pl.Series:
    """Dates of a column of dates, or of text that is ISO or day first ("3/4/12", "03-Apr-2012"); null for no date."""
    if not isinstance(values.dtype, pl.String):
        return values.cast(pl.Date)
    text = values.str.strip_chars().str.replace_all(r"[/. ]", "-")
    day = text.str.extract(r"^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}-[^-]+-(?:[0-9]{4}|[0-9]{2}))(?:[^0-9].*)?$")
    day = day.str.replace(r"^([^-]{1,2}-[^-]+-)([4-9][0-9])$", "${1}19${2}")  # 40 to 99 are of the last century
    day = day.str.replace(r"^([^-]{1,2}-[^-]+-)([0-3][0-9])$", "${1}20${2}")
    forms = [day.str.to_date(form, strict=False) for form in ("%Y-%m-%d", "%d-%m-%Y", "%d-%b-%Y")]
    return pl.DataFrame(forms, schema=["iso", "day_first", "named"]).select(pl.coalesce(pl.all())).to_series()


def by_dates(measured: Measured, dtype: pl.DataType, latest: date | None, unknown: str) -> tuple[str, str, str]:
    """Role, kind and reason of a column of dates whose header says nothing; ``latest`` as of :func:`last_date`."""
    if isinstance(dtype, pl.Time | pl.Duration):
        return "other", "time", f"{unknown}; it holds times"
    days = as_dates(measured.sample).drop_nulls()
    if latest is None or days.is_empty():
        return "other", "date", f"{unknown}; it holds dates, and whether of birth could not be told"
    years = pl.Series([(latest - day).days / 365.25 for day in days.to_list()])
    spread = float(years.max()) - float(years.min())  # type: ignore[arg-type]
    if mean(years.is_between(3, 20)) >= SINGLING and spread >= 0.75:
        reason = (
            f"{unknown}; its dates lie 3 to 20 years before the last date of the data, as pupils' dates of birth do"
        )
        return "quasi", "date_of_birth", reason
    if float(years.min()) > 0.25:  # type: ignore[arg-type]
        return "other", "date", f"{unknown}; it holds dates, and not such as pupils' dates of birth"
    if len(days) >= 100 and 0.75 <= spread <= 20 and _every_day_of_the_week(days):
        why = "its dates fall on every day of the week and in every month, as births do and school days do not"
        return "quasi", "date_of_birth", f"{unknown}; {why}"
    return "other", "date", f"{unknown}; it holds dates, and whether of birth could not be told"


def is_written_date(series: pl.Series) -> bool:
    """Whether it is text, and nearly all of its first values are written as dates."""
    if not isinstance(series.dtype, pl.String):
        return False
    first = series.head(2_000).drop_nulls()
    return not first.is_empty() and mean(first.str.contains(_DATE)) >= PASSING


def _every_day_of_the_week(days: pl.Series) -> bool:
    """Whether Saturdays and Sundays are 2 in 7 or little fewer, and no month is missing."""
    weekend = mean(days.dt.weekday() > 5)
    return 0.2 <= weekend <= 0.37 and days.dt.month().n_unique() == 12


def _few(series: pl.Series) -> pl.Series:
    filled = series.drop_nulls()
    return filled.gather(places(len(filled), min(len(filled), SAMPLES[0])))
