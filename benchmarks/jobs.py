"""What is measured: one function a job, each giving the rows of a table and what its runs agreed on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import environments
import numpy as np
import ours
import polars as pl
import pupils
import theirs
from pupils import EIGHT, FIVE, SENSITIVE, TWELVE
from timing import Agreed, Run, StoppedError, Times, Told, child, compared, in_turn

OURS = "otrack_risk"
HERE = Path(__file__).parent
DATA = HERE / ".data"

_DRAWN = 40  # subsets of which a loop over all is extrapolated
_FEWEST = 1_000  # rows that a slow peer is brought down to
_BRUTE = 100_000  # rows at most for the window a subset
_MSU = 4  # fields of a minimal unique, at most
_GROWTH_ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
_GROWTH_FIELDS = (2, 4, 6, 8, 10, 12)

Job = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """The first rows of a parquet file of pupils."""

    path: Path
    rows: int

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The columns that any job asks for, in memory."""
        return pl.read_parquet(self.path, columns=TWELVE, n_rows=self.rows).rechunk()

    def first(self, rows: int) -> Table:
        """Fewer of its rows."""
        return Table(self.path, min(rows, self.rows))


@dataclass(frozen=True)
class Given:
    """What the command was asked for."""

    table: Table
    large: Callable[[], Table]  # made when it is needed
    large_rows: int
    copies: int
    rounds: int
    peers: tuple[str, ...]
    limit: float  # seconds that one run in another process may take
    msu_peer: Path | None


def classes(given: Given) -> Job:
    """k and class-size histogram, 8 quasi-identifiers"""

    def runs(table: Table) -> dict[str, Run]:
        frame, connection = table.frame, theirs.duckdb_table(table.path, EIGHT)
        same = frame.select(EIGHT).to_pandas()
        return {
            OURS: Run(lambda: ours.class_sizes(frame, EIGHT), ours.sizes_said),
            "polars group_by": Run(lambda: theirs.polars_sizes(frame, EIGHT), ours.histogram_said),
            "DuckDB GROUP BY": Run(lambda: theirs.duckdb_sizes(connection, EIGHT), ours.histogram_said),
            "pandas groupby": Run(lambda: theirs.pandas_sizes(same, EIGHT), ours.histogram_said),
        }

    return _with_peers(given, "classes", runs)


def sensitive(given: Given) -> Job:
    """k, l, entropy l, (c,l), t, alpha, beta and delta in one report, 5 quasi-identifiers and attendance"""

    def runs(table: Table) -> dict[str, Run]:
        frame = table.frame
        asked = {
            f"polars, a group_by for each of {4 if which is theirs.FIRST_MEASURES else 8} measures": Run(
                partial(theirs.polars_sensitive, frame, FIVE, SENSITIVE, which), dict
            )
            for which in (theirs.FIRST_MEASURES, tuple(theirs.MEASURES))
        }
        return {OURS: Run(lambda: ours.sensitive(frame, FIVE, SENSITIVE), ours.sensitive_said), **asked}

    return _with_peers(given, "sensitive", runs)


def subsets(given: Given) -> Job:
    """All 255 subsets of 8 quasi-identifiers"""
    connection = theirs.duckdb_table(given.table.path, EIGHT)
    cube = Run(lambda: theirs.duckdb_cube(connection, EIGHT), lambda rows: theirs.cube_said(rows, EIGHT))
    return _in_turn(given, _subset_runs(given.table.frame, EIGHT) | {"DuckDB GROUP BY CUBE": cube})


def subsets12(given: Given) -> Job:
    """All 4,095 subsets of 12 quasi-identifiers"""
    return _in_turn(given, _subset_runs(given.table.frame, TWELVE))


def uniques(given: Given) -> Job:
    """Minimal sample uniques of up to 4 of 8 quasi-identifiers"""
    table, few, script = given.table, given.table.first(_BRUTE), given.msu_peer
    windows = Run(lambda: theirs.polars_minimal_uniques(few.frame, EIGHT, _MSU), dict)
    groups = [(few, {f"polars, a window for each of {len(theirs.subsets(EIGHT, _MSU))} subsets": windows})]
    if script is not None:
        call = partial(theirs.script_minimal_uniques, script, table.path, table.rows, _MSU, given.limit)
        groups.append((table, {script.name: Run(call)}))
    elif few.rows < table.rows:
        groups.append((table, {}))
    rows, agreements = [], []
    for part, peers in groups:
        run = Run(partial(ours.minimal_uniques, part.frame, EIGHT, _MSU), ours.minimal_uniques_said)
        agreed = Agreed()
        rows += compared(in_turn({OURS: run, **peers}, given.rounds, agreed), OURS, rows=part.rows)
        agreements.append(agreed)
    return _job(rows, *agreements)


def population(given: Given) -> Job:
    """Population uniqueness from the histogram, a tenth sampled"""
    runs = {
        name: Run(partial(ours.population, found, EIGHT), ours.population_said)
        for name, found in {
            "Zayatz, Pitman, SNB and Dankar": ours.found_classes(given.table.frame, EIGHT, combinations=False),
            "the same and the copula": ours.found_classes(given.table.frame, EIGHT, combinations=True),
        }.items()
    }
    agreed = Agreed()
    return _job(compared(in_turn(runs, given.rounds, agreed), next(iter(runs)), rows=given.table.rows), agreed)


def parquet(given: Given) -> Job:
    """k and class-size histogram from Parquet, reading included, each in a process after a small first call"""
    return _fresh(given, copies=1)


def scale(given: Given) -> Job:
    """k and class-size histogram of copies of that table, the copy's number as a ninth quasi-identifier"""
    return _fresh(given, copies=given.copies)


def engines(given: Given) -> Job:
    """k and class-size histogram where the rows live, over the engine's own query"""
    connection = theirs.duckdb_table(given.table.path, EIGHT)
    own, through = "DuckDB, its own query", "otrack_risk on DuckDB"
    agreed = Agreed()
    runs = {
        own: Run(lambda: theirs.duckdb_sizes(connection, EIGHT), ours.histogram_said),
        through: Run(lambda: ours.class_sizes(connection.table("pupils"), EIGHT), ours.sizes_said),
    }
    rows = compared(in_turn(runs, given.rounds, agreed), own, rows=given.table.rows)
    rows += _on_spark(given, agreed)
    for row in rows:
        if row["what"].startswith(OURS) and row["stopped"] is None:
            row["overhead_percent"] = (row["median_ratio"] - 1) * 100
    return _job(rows, agreed)


def growth(given: Given) -> Job:
    """How the cost grows with rows and with quasi-identifiers"""
    rows: list[dict[str, Any]] = []
    agreements = [Agreed() for _ in (*_GROWTH_ROWS, *_GROWTH_FIELDS)]
    heard = iter(agreements)
    for n in [n for n in _GROWTH_ROWS if n <= given.large_rows]:
        frame = Table(pupils.file(n, DATA), n).frame
        rows += compared(in_turn(_two(frame, EIGHT), given.rounds, next(heard)), OURS, axis="rows", at=n, rows=n)
    frame, n = given.table.frame, given.table.rows
    for fields in _GROWTH_FIELDS:
        found = in_turn(_two(frame, TWELVE[:fields]), given.rounds, next(heard))
        rows += compared(found, OURS, axis="quasi-identifiers", at=fields, rows=n)
    cubes = {
        f"otrack_risk, all subsets of {fields}": Run(partial(ours.subset_counts, frame, TWELVE[:fields]))
        for fields in _GROWTH_FIELDS
    }
    for fields, row in zip(_GROWTH_FIELDS, compared(in_turn(cubes, 3), next(iter(cubes)), rows=n), strict=True):
        rows.append(row | {"what": "otrack_risk, all subsets", "axis": "subsets", "at": 2**fields - 1})
    lines = dict.fromkeys((row["what"], row["axis"]) for row in rows)
    exponents = [_exponent(rows, *line) for line in lines]
    return _job(rows, *agreements) | {"answers": {}, "exponents": exponents}


def startup(given: Given) -> Job:
    """Start-up of a process"""
    empty = "python -c pass"
    commands = {
        empty: ["-c", "pass"],
        "import otrack_risk": ["-c", "import otrack_risk"],
        "from otrack_risk import risk": ["-c", "from otrack_risk import risk"],
        "otrack-risk --help": ["-m", "otrack_risk", "--help"],
    }
    runs = {name: Run(partial(_quiet, words, given.limit)) for name, words in commands.items()}
    found = in_turn(runs, given.rounds)
    rows = compared(found, empty)
    for row in rows[1:]:
        if row["stopped"] is None:
            row["beyond_s"] = median(s - found[empty].seconds[n] for n, s in found[row["what"]].seconds.items())
    return _job(rows)


_ALL = (classes, sensitive, subsets, subsets12, uniques, population, parquet, scale, engines, growth, startup)
JOBS: dict[str, Callable[[Given], Job]] = {job.__name__: job for job in _ALL}


def _job(rows: list[dict[str, Any]], *agreements: Agreed) -> Job:
    """The rows, how many values were found twice and equal, and those that are few enough to read."""
    known = agreements[-1].values if agreements else {}
    return {
        "runs": rows,
        "agreed": sum(agreed.checked for agreed in agreements),
        "answers": known if len(known) <= 12 else {"subsets": len(known), **_summed(known)},
    }


def _summed(by_subset: Mapping[str, Sequence[int]]) -> dict[str, int]:
    names = ("classes over all subsets", "uniques over all subsets")
    return {name: sum(values[place] for values in by_subset.values()) for place, name in enumerate(names)}


def _in_turn(given: Given, runs: dict[str, Run]) -> Job:
    agreed = Agreed()
    return _job(compared(in_turn(runs, given.rounds, agreed), OURS, rows=given.table.rows), agreed)


def _with_peers(given: Given, job: str, runs: Callable[[Table], dict[str, Run]]) -> Job:
    """The runs beside the peers that live apart; one that is too slow is run again on a tenth of the rows."""
    wanted = [name for name in given.peers if job in environments.TELLS[name]]
    agreed = Agreed()
    found = _beside(given, job, given.table, runs(given.table), wanted, agreed)
    rows = compared(found, OURS, rows=given.table.rows)
    for name in wanted:
        said = environments.TELLS[name][job]
        n, stopped = given.table.rows, found[said].stopped
        while stopped and (n := n // 10) >= _FEWEST:
            table = given.table.first(n)
            again = _beside(given, job, table, {OURS: runs(table)[OURS]}, [name], Agreed())
            rows += compared(again, OURS, rows=n)
            stopped = again[said].stopped
    return _job(rows, agreed)


def _beside(
    given: Given, job: str, table: Table, runs: dict[str, Run], peers: Sequence[str], agreed: Agreed
) -> dict[str, Times]:
    with ExitStack() as stack:
        apart = {
            environments.TELLS[name][job]: Run(
                stack.enter_context(environments.peer(name, job, table.path, table.rows, given.limit))
            )
            for name in peers
        }
        return in_turn(runs | apart, given.rounds, agreed)


def _subset_runs(frame: pl.DataFrame, known: Sequence[str]) -> dict[str, Run]:
    chance = np.random.default_rng(2026)
    loop = f"polars loop, {_DRAWN} subsets drawn, extrapolated to {2 ** len(known) - 1:,}"
    return {
        OURS: Run(lambda: ours.subset_counts(frame, known), ours.subsets_said),
        loop: Run(lambda: theirs.polars_drawn_subsets(frame, known, _DRAWN, chance)),
    }


def _fresh(given: Given, copies: int) -> Job:
    table = given.large()

    def counted(who: str) -> Told:
        words = [sys.executable, str(HERE / "fresh.py"), who, str(table.path), "--copies", str(copies)]
        return Told(**child(words, given.limit))

    runs = {who: Run(partial(counted, who)) for who in (OURS, "polars streaming")}
    agreed = Agreed()
    return _job(compared(in_turn(runs, given.rounds, agreed), OURS, rows=table.rows * copies), agreed)


def _two(frame: pl.DataFrame, known: Sequence[str]) -> dict[str, Run]:
    return {
        OURS: Run(lambda: ours.class_sizes(frame, known), ours.sizes_said),
        "polars group_by": Run(lambda: theirs.polars_sizes(frame, known), ours.histogram_said),
    }


def _exponent(rows: list[dict[str, Any]], what: str, axis: str) -> dict[str, Any]:
    """The power of ``at`` that the seconds grow with: slope of the straight line through their logarithms."""
    points = [(row["at"], row["median_s"]) for row in rows if (row["what"], row["axis"]) == (what, axis)]
    if len(points) < 2:
        return {"what": what, "axis": axis, "exponent": None, "reason": "one point makes no line"}
    at, seconds = np.log(np.array(points)).T
    return {"what": what, "axis": axis, "exponent": float(np.polyfit(at, seconds, 1)[0])}


def _quiet(words: Sequence[str], limit: float) -> None:
    done = subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, timeout=limit)
    if done.returncode:
        raise StoppedError(f"failed: exit code {done.returncode}")


def _on_spark(given: Given, agreed: Agreed) -> list[dict[str, Any]]:
    own, through = "Spark local[2], its own query", "otrack_risk on Spark"
    if shutil.which("java") is None or find_spec("pyspark") is None:
        return compared({through: Times(stopped="needs Java and pyspark")}, through, rows=given.table.rows)
    with _spark() as spark:
        frame = spark.read.parquet(str(given.table.path)).select(*EIGHT).cache()
        runs = {
            own: Run(lambda: theirs.spark_sizes(frame, EIGHT), ours.histogram_said),
            through: Run(lambda: ours.class_sizes(frame, EIGHT), ours.sizes_said),
        }
        return compared(in_turn(runs, given.rounds, agreed), own, rows=given.table.rows)


@contextmanager
def _spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "4g",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield session
    finally:
        session.stop()
