"""One count of a large parquet file in a process of its own: seconds, peak memory and answer, as a line of JSON.

A first count of a few rows goes before it and is not timed.

    python benchmarks/fresh.py otrack_risk FILE --copies 5

With copies the file is read so many times over, each time with its number as one column more.
"""

from __future__ import annotations

import argparse
import json
from time import perf_counter

import ours
import polars as pl
import theirs
from pupils import EIGHT
from timing import peak_mib

_FIRST = 200_000  # rows of the first call, which is not counted

WHO = {
    "otrack_risk": lambda rows, known: ours.sizes_said(ours.class_sizes(rows, known)),
    "polars streaming": lambda rows, known: ours.histogram_said(theirs.polars_streaming_sizes(rows, known)),
}


def scanned(path: str, copies: int) -> tuple[pl.LazyFrame, list[str]]:
    """The rows, nothing of them read yet, and the names of what is known."""
    rows = pl.scan_parquet(path).select(EIGHT)
    if copies == 1:
        return rows, EIGHT
    number = (pl.lit(n, dtype=pl.UInt8).alias("copy") for n in range(copies))
    return pl.concat([rows.with_columns(of) for of in number]), [*EIGHT, "copy"]


def main() -> None:
    """Count once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("who", choices=WHO)
    parser.add_argument("file")
    parser.add_argument("--copies", type=int, default=1)
    given = parser.parse_args()
    if given.who == "otrack_risk":
        from otrack_risk import risk  # noqa: F401  (imports are start-up, which has its own job)
    rows, known = scanned(given.file, given.copies)
    WHO[given.who](rows.head(_FIRST), known)  # what is compiled or loaded on a first call, which other jobs report
    started = perf_counter()
    answer = WHO[given.who](rows, known)
    seconds = perf_counter() - started
    print(json.dumps({"seconds": seconds, "peak_mib": peak_mib(), "answer": answer}))


if __name__ == "__main__":
    main()
