"""Speed of the access analysis, and how its cost grows: one command, schools of several sizes, each a run of its own.

    python benchmarks/access.py                                    a large school, a trust, and what lies between
    python benchmarks/access.py --rounds 3 --json > access.json    the same, as JSON
    python benchmarks/access.py --sizes 200x600x20000 --rounds 1   a try: accounts x pupils x lines of the log
    python benchmarks/access.py --from access.json --write docs/speed_access.md

Ours is the whole command, `otrack-risk access FOLDER --log FILE --json`, from the start of Python to its end. Beside it
stands pycasbin, asked for every account, category and verb of the same grants, which is what a script would do; it
says yes or no and counts no children. Everybody's machine differs: read the ratios, not the seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import page
import polars as pl
import tree
from risk import machine, rounded
from timing import Run, Told, compared, in_turn
from trust import AS_OF, CATEGORIES, VERBS, trust

HERE = Path(__file__).parent
DATA = HERE / ".data"
SIZES = (  # accounts, pupils, lines of the log
    *((250, 750, 250_000), (500, 1_500, 500_000), (1_000, 3_000, 1_000_000), (2_000, 6_000, 2_000_000)),
    *((4_000, 25_000, 2_000_000), (20_000, 250_000, 2_000_000)),
)
HEADS = ("accounts", "pupils", "lines of the log", "median", "fastest to slowest", "peak", "a 1,000 accounts")

Size = tuple[int, int, int]
Job = dict[str, Any]


def main(words: Sequence[str] | None = None) -> None:
    """Run what is asked for, or read what was run before; print and write."""
    asked = _asked(words)
    if asked.earlier:
        results = json.loads(asked.earlier.read_text(encoding="utf-8"))
    else:
        jobs = [_measured(size, asked) for size in asked.sizes]
        about = {"command": page.command("access.py", words), "measured_on": datetime.now(UTC).date().isoformat()}
        results = rounded({"schema": "otrack-risk/benchmark/1", "machine": _machine(), **about, "jobs": jobs})
    print(json.dumps(results, indent=2) if asked.json else text(results))
    if asked.json:
        print(text(results), file=sys.stderr)
    if asked.write:
        written(results, asked.write)


def text(results: Mapping[str, Any]) -> str:
    """All sizes as one plain table."""
    rows = [HEADS, *map(cells, results["jobs"])]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADS))]
    told = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*told, "", *notes(results["jobs"])])


def cells(job: Job) -> tuple[str, ...]:
    """One size as the cells of a table."""
    ours = job["runs"][0]
    accounts, pupils, lines = job["size"]
    per_thousand = ours["median_s"] / accounts * 1_000
    what = page.cells(ours)
    return (f"{accounts:,}", f"{pupils:,}", f"{lines:,}", what[3], what[4], what[5], f"{per_thousand:.2f} s")


def notes(jobs: Sequence[Job]) -> list[str]:
    """How pycasbin did on the same grants."""
    return [
        f"{job['size'][0]:,} accounts: {row['what']} took {row['median_s']:,.1f} s, "
        f"{row['median_ratio']:,.1f} times as long."
        for job in jobs
        for row in job["runs"][1:]
        if not row["stopped"]
    ]


def written(results: Mapping[str, Any], path: Path) -> None:
    """Writes the page, and the drawing of its growth beside it."""
    import jinja2

    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(loader=loader, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    made = environment.get_template("speed_access.md.jinja").render(results, heads=HEADS, cells=cells, notes=notes)
    path.write_text(made, encoding="utf-8")
    path.with_suffix(".svg").write_text(growth(results["jobs"]), encoding="utf-8")


def growth(jobs: Sequence[Job]) -> str:
    """Seconds and MiB against accounts, both axes by powers of ten, as SVG."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    from otrack_risk.display import figures

    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    accounts = [job["size"][0] for job in jobs]
    for axes, what, unit in zip(
        figure.subplots(1, 2), ("median_s", "peak_mib"), ("seconds", "MiB at most"), strict=True
    ):
        values = [job["runs"][0][what] for job in jobs]
        axes.loglog(accounts, values, "o-", color="#31446b")
        for x, y in zip(accounts, values, strict=True):
            axes.annotate(
                f"{y:,.1f}" if what == "median_s" else f"{y:,.0f}",
                (x, y),
                (0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
        steps = [step * 10**power for power in range(5) for step in (1, 2, 5)]  # room above and below what was measured
        low = max([step for step in steps if step <= min(values)], default=min(values))
        high = min([step for step in steps if step >= 1.1 * max(values)], default=max(values))
        for axis, ticks in ((axes.xaxis, accounts), (axes.yaxis, [step for step in steps if low <= step <= high])):
            axis.set_major_locator(FixedLocator(ticks))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))  # powers would need a font
            axis.set_minor_locator(NullLocator())
        axes.set_ylim(low, high)
        axes.set_xlim(accounts[0] / 1.5, accounts[-1] * 1.5)
        axes.tick_params(labelsize=8)
        axes.tick_params(axis="x", rotation=45)
        axes.set_xlabel("accounts")
        axes.set_ylabel(unit)
        axes.grid(which="major", color="#d0d0d0", linewidth=0.6)
    return figures.svg(figure)


def _machine() -> dict[str, Any]:
    found = machine([])  # pycasbin is one of our own extras, with no environment of its own
    return found | {"versions": found["versions"] | {"casbin": version("casbin")}}


def _measured(size: Size, asked: argparse.Namespace) -> Job:
    print("x".join(f"{number:,}" for number in size), "...", file=sys.stderr)
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    DATA.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=DATA) as place:
        folder = Path(place)
        trust(folder, *size)
        runs = {"otrack-risk access": Run(partial(_ours, folder, asked.limit))}
        if size[0] <= asked.peer_up_to:
            runs[f"pycasbin, {asked.peer_accounts} accounts, extrapolated"] = Run(partial(_casbin, folder, asked))
        times = in_turn(runs, asked.rounds)
    return {"size": list(size), "load": load, "runs": compared(times, "otrack-risk access")}


def _ours(folder: Path, limit: float) -> Told:
    command = [sys.executable, "-m", "otrack_risk", "access", folder, "--log", folder / "access_log.parquet"]
    ran = tree.run([*command, "--as-of", AS_OF.isoformat(), "--json", "--quiet"], limit)
    json.loads(ran.said)
    return Told(ran.seconds, {}, ran.peak_mib)


def _casbin(folder: Path, asked: argparse.Namespace) -> Told:
    """Every category and verb for some accounts, by pycasbin as its documents show it; its reading is not counted."""
    import logging

    import casbin

    logging.getLogger("casbin").setLevel(logging.ERROR)
    grants = pl.read_parquet(folder / "grants.parquet")
    members = pl.read_parquet(folder / "memberships.parquet")
    accounts = pl.read_parquet(folder / "accounts.parquet")["account"].to_list()
    model = casbin.Model()
    model.load_model_from_text(
        "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[role_definition]\ng = _, _\n"
        "[policy_effect]\ne = some(where (p.eft == allow))\n"
        "[matchers]\nm = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act\n"
    )
    enforcer = casbin.Enforcer(model)
    enforcer.add_policies([list(row) for row in grants.select("role", "category", "verb").unique().iter_rows()])
    enforcer.add_grouping_policies([list(row) for row in members.select("member", "role").unique().iter_rows()])
    some = accounts[:: max(1, len(accounts) // asked.peer_accounts)][: asked.peer_accounts]
    started = perf_counter()
    for account, category, verb in product(some, CATEGORIES, VERBS):
        enforcer.enforce(account, category, verb)
    return Told((perf_counter() - started) * len(accounts) / len(some), {})


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sizes", type=_sizes, default=list(SIZES), help="accounts x pupils x lines, with commas between"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=600, help="seconds after which a run is stopped")
    parser.add_argument("--peer-accounts", type=int, default=10, help="accounts that pycasbin is asked about")
    parser.add_argument("--peer-up-to", type=int, default=2_000, help="accounts up to which pycasbin is run")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--from", dest="earlier", type=Path, help="results of an earlier run")
    parser.add_argument("--write", type=Path, help="the page to write, with a drawing beside it")
    return parser.parse_args(words)


def _sizes(given: str) -> list[Size]:
    sizes = [tuple(int(number) for number in each.split("x")) for each in given.split(",")]
    if any(len(size) != 3 for size in sizes):
        raise argparse.ArgumentTypeError("a size is ACCOUNTSxPUPILSxLINES")
    return [(size[0], size[1], size[2]) for size in sizes]


if __name__ == "__main__":
    main()
