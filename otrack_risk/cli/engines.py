"""Rows handed over to another engine, for ``--engine``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from otrack_risk.errors import ParameterError

if TYPE_CHECKING:
    import polars as pl

_NEEDS = {"pandas": ("pandas",), "duckdb": ("duckdb", "pyarrow"), "pyspark": ("pyspark", "pyarrow")}


@contextmanager
def on_engine(name: str) -> Iterator[Callable[[pl.DataFrame], Any]]:
    """A function that hands a table over to the engine; the engine is shut down at the end.

    Raises
    ------
    ParameterError
        An engine that is not installed.
    """
    if lacking := [package for package in _NEEDS.get(name, ()) if find_spec(package) is None]:
        extra = "spark" if name == "pyspark" else name
        raise ParameterError(
            f"--engine {name}: {' and '.join(lacking)} is not installed.",
            f"pip install 'otrack-risk[{extra}]', or use --engine polars, which counts the same.",
        )
    if name == "polars":
        yield lambda rows: rows
    elif name == "pandas":
        import pandas as pd

        yield lambda rows: pd.DataFrame({column: rows[column].to_list() for column in rows.columns}).convert_dtypes()
    elif name == "duckdb":
        import duckdb

        connection = duckdb.connect()
        try:
            yield lambda rows: connection.from_arrow(_as_numbers(rows, spark=False).to_arrow())
        finally:
            connection.close()
    else:
        session = _spark()
        try:
            yield lambda rows: session.createDataFrame(_as_numbers(rows, spark=True).to_arrow())
        finally:
            session.stop()


def _as_numbers(rows: pl.DataFrame, *, spark: bool) -> pl.DataFrame:
    """Kinds that an engine lacks, as numbers of which the same are equal and the same is greater."""
    import polars as pl
    import polars.selectors as cs

    rows = rows.with_columns(cs.duration().cast(pl.Int64))
    if not spark:
        return rows
    moved = cs.by_dtype(pl.UInt64).cast(pl.Int128) - 2**63  # it has no unsigned numbers, and no time of day
    small = cs.by_dtype(pl.UInt8, pl.UInt16, pl.UInt32)
    return rows.with_columns(moved.cast(pl.Int64), (cs.time() | small).cast(pl.Int64))


def _spark() -> Any:
    """A session of this machine alone: nothing listens but on loopback."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("otrack-risk")
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.log.level": "ERROR",
    }
    for setting, value in settings.items():
        builder = builder.config(setting, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
