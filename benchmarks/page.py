"""The results as a table for the terminal, and as the page and figure of ``docs``; knows no job, only their rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

HERE = Path(__file__).parent
_STALL = 0.5  # seconds without memory that a job's page tells of
HEADS = ("what", "rows", "first call", "median", "fastest to slowest", "peak", "ratio (lowest to highest)")


def text(results: Mapping[str, Any]) -> str:
    """All jobs as plain tables."""
    parts = [_about_said(results)]
    for job in results["jobs"]:
        lines = [HEADS, *map(cells, job["runs"])]
        widths = [max(len(line[place]) for line in lines) for place in range(len(HEADS))]
        parts.append(f"{job['job']}: {job['title']}")
        parts += ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        parts += [f"  {line}" for line in notes(job)] + [""]
    return "\n".join(line.rstrip() for line in parts)


def written(results: Mapping[str, Any], path: Path) -> None:
    """Writes the page, and its figure beside it where growth was measured."""
    import jinja2

    growth = next((job for job in results["jobs"] if job["job"] == "growth"), None)
    drawn = path.with_suffix(".svg")
    if growth:
        drawn.write_text(figure(growth["runs"]), encoding="utf-8")
    loader = jinja2.FileSystemLoader(HERE)
    environment = jinja2.Environment(loader=loader, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    page = environment.get_template("speed.md.jinja").render(
        results, heads=HEADS, cells=cells, notes=notes, figure=drawn.name if growth else None
    )
    path.write_text(page, encoding="utf-8")


def command(script: str, words: Sequence[str] | None) -> str:
    """The command as it was given, without the folders of its files."""
    given = sys.argv[1:] if words is None else words
    named = (word if word.startswith("docs/") else Path(word).name for word in given)
    return " ".join([f"python benchmarks/{script}", *named])


def cells(row: Row) -> tuple[str, ...]:
    """One run as the cells of a table."""
    what = f"{row['what']}, {row['at']:,} {row['axis']}" if row.get("axis", "rows") != "rows" else row["what"]
    rows = f"{row['rows']:,}" if "rows" in row else ""
    if row["stopped"]:
        return (what, rows, "", row["stopped"], "", "", "")
    peak = f"{row['peak_mib']:,} MiB" if row["peak_mib"] is not None else ""
    span = f"{_seconds(row['min_s'])} to {_seconds(row['max_s'])} ({row['runs']})"
    ratio = ""
    if "median_ratio" in row:
        low, middle, high = (row[f"{which}_ratio"] for which in ("min", "median", "max"))
        ratio = "1" if low == high == 1 else f"{_figures(middle)} ({_figures(low)} to {_figures(high)})"
    return (what, rows, _seconds(row["first_s"]), _seconds(row["median_s"]), span, peak, ratio)


def notes(job: Row) -> list[str]:
    """What stands under the table of a job."""
    said = []
    if (stalled := job.get("memory_stalled_s", 0)) > _STALL:
        said.append(
            f"The machine was short of memory for {_seconds(stalled)} of this job: its slowest runs, and what was "
            "stopped, tell of that and not of the programs. Measure it again before quoting it."
        )
    if job["agreed"]:
        said.append(f"{job['agreed']:,} values were found by more than one run, and were equal.")
    if job["answers"]:
        said.append("Found: " + ", ".join(f"{name} {_value(value)}" for name, value in job["answers"].items()) + ".")
    for row in job["runs"]:
        if "overhead_percent" in row:
            said.append(f"{row['what']}: {row['overhead_percent']:+.1f} % over the engine's own query.")
        if "beyond_s" in row:
            said.append(f"{row['what']}: {_seconds(row['beyond_s'])} beyond an empty program.")
    for line in job.get("exponents", ()):
        if line["exponent"] is not None:
            said.append(f"{line['what']}: seconds grow as {line['axis']} to the power {line['exponent']:.2f}.")
    return said


def figure(rows: Sequence[Row]) -> str:
    """Seconds against rows, and against quasi-identifiers, as SVG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from otrack_risk.display.figures import svg

    looks = {"otrack_risk": ("o-", "#31446b"), "polars group_by": ("s--", "#8a6d00")}
    with rc_context({"font.size": 9.5, "axes.spines.top": False, "axes.spines.right": False}):
        drawn = Figure(figsize=(7.2, 3.2), layout="constrained")
        along = [axis for axis in ("rows", "quasi-identifiers") if any(row.get("axis") == axis for row in rows)]
        for axes, axis in zip(drawn.subplots(1, len(along), squeeze=False)[0], along, strict=True):
            for what, (look, colour) in looks.items():
                of = [row for row in rows if (row["what"], row.get("axis")) == (what, axis) and not row["stopped"]]
                at, middle = [row["at"] for row in of], [row["median_s"] for row in of]
                axes.fill_between(
                    at, [r["min_s"] for r in of], [r["max_s"] for r in of], color=colour, alpha=0.15, linewidth=0
                )
                axes.plot(at, middle, look, color=colour, markersize=5, label=what)
            axes.set_yscale("log")
            if axis == "rows":
                axes.set_xscale("log")
                axes.legend(frameon=False)
            axes.set_xlabel(axis)
            axes.grid(color="#d0d0d0", linewidth=0.6)
        drawn.axes[0].set_ylabel("seconds (band: fastest to slowest)")
    return svg(drawn)


def _about_said(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    of = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}"
    return f"{of}\n{versions}\n"


def _seconds(value: float) -> str:
    """Three figures, in the unit that needs no exponent."""
    return f"{_figures(value * 1000)} ms" if value < 0.1 else f"{_figures(value)} s"


def _figures(value: float) -> str:
    """Three figures, or all before the point; never an exponent.

    >>> _figures(0.0712), _figures(1.5), _figures(1234.6)
    ('0.0712', '1.5', '1,235')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _value(value: Any) -> str:
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
