"""The same questions put to polars, DuckDB and pandas, as their own users would write them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
from ours import subset_name
from timing import Answer, Told, child


def polars_sizes(rows: pl.DataFrame, known: Sequence[str]) -> dict[int, int]:
    """Classes by size."""
    counted = rows.group_by(known).len().group_by("len").agg(classes=pl.len())
    return dict(counted.iter_rows())


def polars_streaming_sizes(rows: pl.LazyFrame, known: Sequence[str]) -> dict[int, int]:
    """Classes by size of a table that is not in memory."""
    counted = rows.group_by(known).len().group_by("len").agg(classes=pl.len())
    return dict(counted.collect(engine="streaming").iter_rows())


def pandas_sizes(rows: Any, known: Sequence[str]) -> dict[int, int]:
    """Classes by size; the columns of few values are categories."""
    sizes = rows.groupby(list(known), observed=True, sort=False, dropna=False).size()
    return {int(size): int(classes) for size, classes in sizes.value_counts().items()}


def duckdb_table(path: Path, columns: Sequence[str]) -> Any:
    """A connection with the columns as the table ``pupils`` in memory."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE pupils AS SELECT {', '.join(columns)} FROM read_parquet(?)", [str(path)])
    return connection


def duckdb_sizes(connection: Any, known: Sequence[str]) -> dict[int, int]:
    """Classes by size."""
    grouped = f"SELECT count(*) AS size FROM pupils GROUP BY {', '.join(known)}"
    return dict(connection.execute(f"SELECT size, count(*) FROM ({grouped}) GROUP BY size").fetchall())


def duckdb_cube(connection: Any, known: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Subset (a bit set of what is left out, the first column highest), classes, uniques and k."""
    names = ", ".join(known)
    grouped = f"SELECT grouping({names}) AS without, count(*) AS size FROM pupils GROUP BY CUBE ({names})"
    counted = f"""
        SELECT without, count(*), count(*) FILTER (WHERE size = 1), min(size) FROM ({grouped})
        WHERE without < {2 ** len(known) - 1} GROUP BY without"""
    return list(connection.execute(counted).fetchall())


def cube_said(rows: list[tuple[int, int, int, int]], known: Sequence[str]) -> Answer:
    """(classes, uniques, k) by subset."""
    last = len(known) - 1
    return {
        subset_name([name for place, name in enumerate(known) if not without >> (last - place) & 1]): tuple(numbers)
        for without, *numbers in rows
    }


def spark_sizes(rows: Any, known: Sequence[str]) -> dict[int, int]:
    """Classes by size."""
    from pyspark.sql import functions as spark

    counted = rows.groupBy(*known).count().groupBy("count").agg(spark.count("*").alias("classes"))
    return {row["count"]: row["classes"] for row in counted.collect()}


def polars_drawn_subsets(rows: pl.DataFrame, known: Sequence[str], drawn: int, chance: np.random.Generator) -> Told:
    """A loop of group-bys over subsets that are drawn anew each time; its seconds are those of all, extrapolated."""
    every = subsets(known, len(known))
    chosen = [every[number] for number in chance.choice(len(every), min(drawn, len(every)), replace=False)]
    found = {}
    started = perf_counter()
    for fields in chosen:
        sizes = rows.group_by(fields).len()["len"]
        found[subset_name(fields)] = (len(sizes), int((sizes == 1).sum()), sizes.min())
    return Told((perf_counter() - started) * len(every) / len(chosen), found)


def polars_minimal_uniques(rows: pl.DataFrame, known: Sequence[str], max_size: int) -> Answer:
    """Combinations that single a record out where none with a field fewer does; one window a subset."""
    alone: dict[tuple[str, ...], Any] = {}
    of_size = dict.fromkeys(range(1, max_size + 1), 0)
    for fields in map(tuple, subsets(known, max_size)):
        alone[fields] = rows.select(pl.len().over(fields) == 1).to_series().to_numpy()
        below = [alone[fewer] for fewer in combinations(fields, len(fields) - 1) if fewer]
        of_size[len(fields)] += int((alone[fields] & ~np.any(below, axis=0)).sum() if below else alone[fields].sum())
    return {f"of size {size}": n for size, n in of_size.items()}


def script_minimal_uniques(script: Path, path: Path, rows: int, max_size: int, limit: float) -> Told:
    """Of a script that is called as SCRIPT msu --data FOLDER --rows N and prints its median and its counts by size."""
    with TemporaryDirectory() as folder:
        (Path(folder) / f"pupils_{rows}.parquet").symlink_to(path.resolve())
        asked = {"--data": folder, "--rows": rows, "--rounds": 1, "--max-size": max_size}
        words = [str(word) for pair in asked.items() for word in pair]
        line = child([sys.executable, script, "msu", *words], limit)
    return Told(line["median_s"], {f"of size {size}": line["answer"][size] for size in range(1, max_size + 1)})


def subsets(known: Sequence[str], max_size: int) -> list[list[str]]:
    """Every subset of up to so many, smaller ones first."""
    return [list(fields) for size in range(1, max_size + 1) for fields in combinations(known, size)]


def polars_sensitive(rows: pl.DataFrame, known: Sequence[str], column: str, which: Sequence[str]) -> Answer:
    """The measures of a sensitive column by their names in the risk document, one group-by each."""
    classes = rows.group_by(known).len()["len"]
    return {"k": classes.min(), "classes": len(classes)} | {
        name: MEASURES[name](rows, list(known), column) for name in which
    }


def _distinct_l(rows: pl.DataFrame, known: list[str], column: str) -> Any:
    return rows.group_by(known).agg(pl.col(column).n_unique())[column].min()


def _entropy_l(rows: pl.DataFrame, known: list[str], column: str) -> float:
    q = pl.col("len") / pl.col("len").sum()
    return math.exp(_counted(rows, known, column).group_by(known).agg(h=-(q * q.log()).sum())["h"].min())  # type: ignore[arg-type]


def _recursive_c(rows: pl.DataFrame, known: list[str], column: str) -> float | None:
    """Of l = 2; none where a class has one value only."""
    most = pl.col("len").max()
    c = _counted(rows, known, column).group_by(known).agg(c=most / (pl.col("len").sum() - most))["c"].max()
    return None if c == math.inf else float(c)  # type: ignore[arg-type]


def _t_equal(rows: pl.DataFrame, known: list[str], column: str) -> Any:
    q, p = pl.col("q"), pl.col("p")
    return _shares(rows, known, column).group_by(known).agg(t=((q - p).abs().sum() + 1 - p.sum()) / 2)["t"].max()


def _alpha(rows: pl.DataFrame, known: list[str], column: str) -> Any:
    counted = _counted(rows, known, column)
    return counted.group_by(known).agg(a=pl.col("len").max() / pl.col("len").sum())["a"].max()


def _basic_beta(rows: pl.DataFrame, known: list[str], column: str) -> Any:
    return _shares(rows, known, column).group_by(known).agg(b=(pl.col("q") / pl.col("p") - 1).max())["b"].max()


def _delta_ln(rows: pl.DataFrame, known: list[str], column: str) -> Any:
    apart = (pl.col("q") / pl.col("p")).log().abs().max()
    return _shares(rows, known, column).group_by(known).agg(d=apart)["d"].max()


def _counted(rows: pl.DataFrame, known: list[str], column: str) -> pl.DataFrame:
    return rows.group_by(*known, column).len()


def _shares(rows: pl.DataFrame, known: list[str], column: str) -> pl.DataFrame:
    """Share of each value in its class, q, beside that in the whole table, p."""
    whole = rows.group_by(column).agg(p=pl.len() / rows.height)
    counted = _counted(rows, known, column)
    return counted.with_columns(q=pl.col("len") / pl.col("len").sum().over(known)).join(
        whole, on=column, nulls_equal=True
    )


MEASURES: dict[str, Callable[[pl.DataFrame, list[str], str], Any]] = {
    "distinct_l": _distinct_l,
    "entropy_l": _entropy_l,
    "t_equal": _t_equal,
    "recursive_c of 2": _recursive_c,
    "alpha": _alpha,
    "basic_beta": _basic_beta,
    "delta_ln": _delta_ln,
}
FIRST_MEASURES = ("distinct_l", "entropy_l", "t_equal")
