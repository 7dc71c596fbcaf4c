"""Columns as an export writes them, whatever dirt made of their kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

AUTHORITY = 999  # no local authority has this code
ESTABLISHMENT = 9001  # the first of 999 numbers that no school is believed to have
_RELATIVES = ("grandparent", "grandmother", "grandfather", "aunt", "uncle", "sibling", "sister", "brother")


def text(
    frame: pl.DataFrame, name: str, *, day: str = "%Y-%m-%d", truth: tuple[str, str] = ("true", "false")
) -> pl.Series:
    """The column as text; null everywhere where the frame has no such column.

    Examples
    --------
    >>> text(pl.DataFrame({"fsm": [True, None, False]}), "fsm", truth=("T", "F")).to_list()
    ['T', None, 'F']
    """
    if name not in frame.columns:
        return nothing(frame.height, name)
    column = frame[name]
    if column.dtype == pl.Boolean:
        yes, no = (pl.Series([word], dtype=pl.String) for word in truth)
        return yes.new_from_index(0, len(column)).zip_with(column.fill_null(False), no).set(column.is_null(), None)
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return column.dt.strftime(day)
    column = column.cast(pl.String)
    return column.set(column == "", None)


def dates(frame: pl.DataFrame, name: str) -> pl.Series:
    """The column as dates; null where there is none, or what stands there is none."""
    if name not in frame.columns:
        return pl.Series(name, [None], dtype=pl.Date).new_from_index(0, frame.height)
    column = frame[name]
    if column.dtype != pl.String:
        return column.cast(pl.Date)
    iso = column.str.to_date("%Y-%m-%d", strict=False)
    return iso.zip_with(iso.is_not_null(), column.str.to_date("%d/%m/%Y", strict=False))


def whole(frame: pl.DataFrame, name: str) -> pl.Series:
    """The column as whole numbers; null where there is none."""
    if name not in frame.columns:
        return pl.Series(name, [None], dtype=pl.Int64).new_from_index(0, frame.height)
    return frame[name].cast(pl.Int64, strict=False)


def nothing(height: int, name: str = "nothing") -> pl.Series:
    """As many missing texts."""
    return pl.Series(name, [None], dtype=pl.String).new_from_index(0, height)


def table(tables: Mapping[str, pl.DataFrame], name: str, columns: Sequence[str]) -> pl.DataFrame:
    """The table, or an empty one with these columns where the world has none of that name."""
    return tables.get(name, pl.DataFrame(schema=dict.fromkeys(columns, pl.String)))


def beside(frame: pl.DataFrame, other: pl.DataFrame, key: str) -> pl.DataFrame:
    """For each row of ``frame`` the row of ``other`` with the same key, in order; nulls where there is none."""
    keys = frame.select(pl.col(key).cast(pl.String))
    return keys.join(other.unique(key, keep="first", maintain_order=True), on=key, how="left", maintain_order="left")


def laestab(schools: pl.DataFrame) -> pl.Series:
    """Local authority and establishment, seven digits, of schools that do not exist: those in their pupils' UPNs.

    Examples
    --------
    >>> laestab(pl.DataFrame({"school_id": ["S0001", "S1000"]})).to_list()
    ['9999001', '9989001']
    """
    if "laestab" in schools.columns:
        return text(schools, "laestab").str.replace_all(r"\D", "")
    place = schools["school_id"].str.replace_all(r"\D", "").cast(pl.Int64) - 1
    authority, establishment = AUTHORITY - place // 999, ESTABLISHMENT + place % 999
    return (authority.cast(pl.String) + establishment.cast(pl.String)).alias("laestab")


def kinship(relationships: pl.Series) -> pl.Series:
    """``parent``, ``relative`` or ``guardian``, as OneRoster parts the grown-ups who answer for a child."""
    words = relationships.fill_null("").str.to_lowercase()
    found = pl.DataFrame({"word": words}).select(
        pl.when(pl.col("word").str.contains("mother|father|parent") & ~pl.col("word").str.contains("grand|foster"))
        .then(pl.lit("parent"))
        .when(pl.col("word").is_in(_RELATIVES))
        .then(pl.lit("relative"))
        .otherwise(pl.lit("guardian"))
    )
    return found.to_series()
