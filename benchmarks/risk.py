"""Speed of `risk.measure` against a plain polars group-by of the same frame, in one process.

    python benchmarks/risk.py [--rows 864603] [--pairs 7] [--json]

The two run in turn, so that whatever else the machine does meets both; the ratio is the median of the
ratios of neighbouring runs. pandas (its own group-by) runs beside them where it is installed.
Everybody's machine differs: read the ratio, not the seconds.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

import numpy as np
import polars as pl

from otrack_risk import risk

KNOWN = ["school_id", "year_group", "sex", "month_of_birth", "postcode_district", "ethnicity"]
FACTS = [*KNOWN, "sen_provision", "fsm"]


def pupils(n: int, chance: np.random.Generator) -> pl.DataFrame:
    """Invented pupils: eight columns, 280 to a school, one postcode district for most of a school."""
    schools = max(1, n // 280)
    school = chance.integers(0, schools, n)
    elsewhere = chance.random(n) < 0.25
    district = np.where(elsewhere, chance.integers(0, max(1, schools // 4), n), school // 4)
    shares = np.array([0.62, *[0.38 / 17] * 17])
    return pl.DataFrame(
        {
            "school_id": school,
            "year_group": chance.integers(0, 14, n),
            "sex": np.array(["F", "M"])[chance.integers(0, 2, n)],
            "month_of_birth": chance.integers(1, 13, n),
            "postcode_district": district,
            "ethnicity": np.array([f"E{code:02}" for code in range(18)])[chance.choice(18, n, p=shares / shares.sum())],
            "sen_provision": np.array(["N", "K", "E"])[chance.choice(3, n, p=[0.82, 0.14, 0.04])],
            "fsm": chance.random(n) < 0.25,
        }
    ).with_columns(pl.format("D{}", "postcode_district").alias("postcode_district"))


def in_turn(runs: Mapping[str, Callable[[], object]], pairs: int) -> dict[str, list[float]]:
    """Seconds of each run, all of them once a round, after one round that is not counted.

    Every round starts with another one: what runs first finds the memory that the last one left.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for number in range(pairs + 1):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            started = perf_counter()
            runs[name]()
            if number:
                seconds[name].append(perf_counter() - started)
    return seconds


def compared(seconds: dict[str, list[float]], to: str) -> list[dict[str, object]]:
    """One row a run: median, fastest and slowest seconds, and the median ratio to the run ``to``."""
    return [
        {
            "what": name,
            "median_s": round(median(times), 4),
            "min_s": round(min(times), 4),
            "max_s": round(max(times), 4),
            "ratio": round(median(a / b for a, b in zip(times, seconds[to], strict=True)), 2),
        }
        for name, times in seconds.items()
    ]


def main() -> None:
    """Run, and print a table or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=864_603)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    frame = pupils(given.rows, np.random.default_rng(2026))
    plain = "polars group_by().len()"
    runs: dict[str, Callable[[], object]] = {
        plain: lambda: frame.group_by(KNOWN).len(),
        "risk.measure": lambda: risk.measure(frame, KNOWN),
        "risk.measure, lazy": lambda: risk.measure(frame.lazy(), KNOWN),
        "risk.measure, rows with gaps dropped": lambda: risk.measure(frame, KNOWN, missing="drop"),
        "risk.measure, one sensitive column": lambda: risk.measure(frame, KNOWN, sensitive=["sen_provision"]),
    }
    if importlib.util.find_spec("pandas"):
        import pandas as pd

        same = pd.DataFrame({name: frame[name].to_list() for name in frame.columns})
        runs["pandas groupby().size()"] = lambda: same.groupby(KNOWN, dropna=False, observed=True).size()
        runs["risk.measure on pandas"] = lambda: risk.measure(same, KNOWN)
    rows = compared(in_turn(runs, given.pairs), plain)

    small, large = frame.head(900), frame.head(6000)
    subsets = {
        "all 255 subsets, 900 rows": lambda: risk.uniqueness_by_facts({"900": small}, FACTS),
        "all 255 subsets, 6,000 rows": lambda: risk.uniqueness_by_facts({"6,000": large}, FACTS),
    }
    rows += compared(in_turn(subsets, given.pairs), "all 255 subsets, 900 rows")
    found = risk.measure(frame, KNOWN)
    about = {
        "rows": given.rows,
        "quasi_identifiers": len(KNOWN),
        "classes": found.classes,
        "k": found.k,
        "uniques": found.uniques,
        "pairs": given.pairs,
        "python": platform.python_version(),
        "polars": pl.__version__,
    }
    if given.json:
        print(json.dumps({"about": about, "runs": rows}, indent=2))
        return
    print(
        ", ".join(f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in about.items())
    )
    for row in rows:
        print(f"{row['what']:<38} {row['median_s']:>8} s  ({row['min_s']} to {row['max_s']})  x {row['ratio']}")


if __name__ == "__main__":
    main()
