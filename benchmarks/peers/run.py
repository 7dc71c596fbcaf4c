"""One peer at work: reads a parquet file, then does its job once for every line on its input.

    python peers/run.py pycanon classes FILE ROWS

Prints a line of JSON when the table is loaded, then one for each run. It depends on nothing of ours.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import pandas as pd

EIGHT = ["school_id", "year_group", "sex", "month_of_birth", "postcode_district", "ethnicity", "sen_status", "fsm"]
FIVE = ["postcode_district", "year_group", "sex", "ethnicity", "fsm"]
SENSITIVE = "attendance_band"


def main() -> None:
    name, job, path, rows = sys.argv[1:]
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(sys.stderr):
        started = perf_counter()
        table = pd.read_parquet(path, columns=[*EIGHT, SENSITIVE]).head(int(rows))
        categories = {column: "str" for column, kind in table.dtypes.items() if kind == "category"}
        work = WORK[name, job](table.astype(categories))
        loaded = perf_counter() - started
    print(json.dumps({"load_s": loaded}), flush=True)
    for _ in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            started = perf_counter()
            answer = work()
            seconds = perf_counter() - started
        print(json.dumps({"seconds": seconds, "answer": answer, "peak_mib": _peak_mib()}), flush=True)


def pycanon_classes(table: pd.DataFrame) -> Callable[[], dict[str, Any]]:
    from pycanon import anonymity

    return lambda: {"k": int(anonymity.k_anonymity(table, EIGHT))}


def pycanon_sensitive(table: pd.DataFrame) -> Callable[[], dict[str, Any]]:
    """Distinct l alone."""
    from pycanon import anonymity

    return lambda: {"distinct_l": int(anonymity.l_diversity(table, FIVE, [SENSITIVE]))}


def privattacks_classes(table: pd.DataFrame) -> Callable[[], dict[str, Any]]:
    """Its vulnerability is classes over records; encoding the values is loading."""
    import privattacks

    attack = privattacks.Attack(privattacks.Data(dataframe=table[EIGHT]))
    return lambda: {"classes": round(float(attack.posterior_vulnerability("reid", EIGHT)) * len(table))}


WORK = {
    ("pycanon", "classes"): pycanon_classes,
    ("pycanon", "sensitive"): pycanon_sensitive,
    ("privattacks", "classes"): privattacks_classes,
}


def _peak_mib() -> int | None:
    with contextlib.suppress(OSError), open("/proc/self/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10
    return None


if __name__ == "__main__":
    main()
