"""Speed of the risk measures beside their peers: one command, all of them in turn, equal answers or none.

    python benchmarks/risk.py                                    every job at full size (about an hour)
    python benchmarks/risk.py classes subsets --rows 100000      some jobs, fewer invented pupils
    python benchmarks/risk.py classes --data FILE --peers pycanon,privattacks
    python benchmarks/risk.py --from a.json b.json --write docs/speed.md

Everybody's machine differs: read the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import environments
import page
import polars as pl
import pupils
from jobs import DATA, JOBS, Given, Table
from timing import memory_stalled_s

_TOOLS = ("otrack-risk", "numpy", "numba", "polars", "pandas", "duckdb", "pyarrow", "narwhals", "pyspark")


def main(words: Sequence[str] | None = None) -> None:
    """Run the jobs, or read what was run before; print and write."""
    asked = _asked(words)
    failed: list[str] = []
    if asked.earlier:
        results = merged([json.loads(path.read_text(encoding="utf-8")) for path in asked.earlier])
    else:
        results = {"schema": "otrack-risk/benchmark/1", "machine": machine(asked.peers), "jobs": []}
        given = _given(asked)
        for name in asked.jobs or JOBS:
            print(f"{name} ...", file=sys.stderr)
            load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
            about = {"job": name, "title": JOBS[name].__doc__, "command": page.command("risk.py", words), "load": load}
            stalled = memory_stalled_s()
            try:
                found = JOBS[name](given)
            except Exception:  # what the other jobs found in an hour is still worth printing
                traceback.print_exc()
                failed.append(name)
                continue
            about["memory_stalled_s"] = memory_stalled_s() - stalled
            results["jobs"].append(about | {"measured_on": datetime.now(UTC).date().isoformat()} | found)
    results = rounded(results)
    print(json.dumps(results, indent=2) if asked.json else page.text(results))
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; no page is written.")
    if asked.write:
        page.written(results | {"command": page.command("risk.py", words)}, asked.write)


def merged(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The jobs of several runs on one machine, in the order of :data:`JOBS`; the last run of a job counts."""
    versions: dict[str, str] = {}
    for result in results:
        versions |= result["machine"]["versions"]
    machines = [result["machine"] | {"versions": versions} for result in results]
    if any(other != machines[0] for other in machines):
        sys.exit("--from: the runs are of different machines or versions; a page tells of one.")
    jobs = {job["job"]: job for result in results for job in result["jobs"]}
    return results[-1] | {"machine": machines[0], "jobs": [jobs[name] for name in JOBS if name in jobs]}


def machine(peers: Sequence[str] = ()) -> dict[str, Any]:
    """Processor, memory, system, and the versions of all that is measured."""
    versions = {"Python": platform.python_version()}
    for name in _TOOLS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30) or None,
        "system": f"{platform.system()} {platform.release()}",
        "versions": versions | {name: environments.versions(name) for name in peers},
    }


def rounded(value: Any) -> Any:
    """The same document with four figures to a number."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"of {', '.join(JOBS)}; all where none is named")
    parser.add_argument("--rows", type=int, default=864_603, help="invented pupils")
    parser.add_argument("--data", type=Path, metavar="FILE", help="a parquet file of pupils instead")
    parser.add_argument("--large-rows", type=int, default=10_000_000, help="of the jobs parquet, scale and growth")
    parser.add_argument("--large", type=Path, metavar="FILE", help="the file of the jobs parquet and scale")
    parser.add_argument("--copies", type=int, default=5, help="of the large file, in the job scale")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peers", type=_names, default=[], help=f"of {','.join(environments.TELLS)}")
    parser.add_argument("--limit", type=float, default=120, help="seconds that one run in another process may take")
    parser.add_argument("--msu-peer", type=Path, metavar="SCRIPT", help="of the job uniques")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="such as docs/speed.md; its figure goes beside it")
    parser.add_argument("--from", dest="earlier", nargs="+", type=Path, metavar="JSON", help="what --json printed")
    asked = parser.parse_args(words)
    for name, known in (("jobs", JOBS), ("peers", environments.TELLS)):
        if unknown := [word for word in getattr(asked, name) if word not in known]:
            parser.error(f"{name}: '{unknown[0]}' is none of {', '.join(known)}.")
    if asked.rounds < 1:
        parser.error("--rounds: at least one round is counted.")
    return asked


def _given(asked: argparse.Namespace) -> Given:
    return Given(
        table=_table(asked.data, asked.rows),
        large=lambda: _table(asked.large, asked.large_rows),
        large_rows=asked.large_rows,
        copies=asked.copies,
        rounds=asked.rounds,
        peers=tuple(asked.peers),
        limit=asked.limit,
        msu_peer=asked.msu_peer,
    )


def _table(path: Path | None, rows: int) -> Table:
    path = path or pupils.file(rows, DATA)
    return Table(path, pl.scan_parquet(path).select(pl.len()).collect().item())


def _names(words: str) -> list[str]:
    return [word for word in words.split(",") if word]


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    names = (
        [line.split(": ")[1] for line in told.read_text().splitlines() if "model name" in line] if told.exists() else []
    )
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
