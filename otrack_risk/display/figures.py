"""A few figure forms that survive print, colour blindness and screen readers.

Every form takes plain numbers and words, never a frame of rows; titles say the finding. Colours
are cividis, and nothing is told by colour alone: each bar and cell carries its number.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from otrack_risk.display.tables import Hidden, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, GRID, BAR, MARK = "#1b1b1b", "#d0d0d0", "#31446b", "#8a6d00"
_STYLE: dict[Any, Any] = {
    "font.size": 9.5,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#767676",
    "svg.fonttype": "path",
    "svg.hashsalt": "otrack_risk",  # same numbers, same bytes
}


def bars(labels: Sequence[str], values: Sequence[int | float | Hidden | None], title: str, unit: str) -> Figure:
    """Horizontal bars, one a label, with the number at the end of each; hidden ones drawn hatched to the threshold.

    ``unit`` says what is counted and stands under the axis.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        named = [_wrapped(label, 34) for label in labels]
        rows = sum(1 + 0.6 * label.count("\n") for label in named)
        figure = Figure(figsize=(7.2, 1.0 + 0.34 * rows), layout="constrained")
        axes = figure.subplots()
        places = range(len(labels))
        lengths = [v.below if isinstance(v, Hidden) and v.why == "few" else v for v in values]
        longest = max((v for v in lengths if isinstance(v, int | float)), default=0) or 1
        for place, length, value in zip(places, lengths, values, strict=True):
            known = longest if isinstance(length, Hidden) else (length or 0)
            hatch = "////" if isinstance(value, Hidden) else None
            axes.barh(place, known, color="white" if hatch else BAR, edgecolor=BAR, hatch=hatch, height=0.7)
            axes.text(known + longest * 0.01, place, written(value), va="center", color=INK)
        axes.set_yticks(places, named)
        axes.invert_yaxis()
        axes.set_xlim(0, longest * 1.16)
        axes.locator_params(axis="x", nbins=4)  # six-digit numbers must not run into each other
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:,.0f}" if longest > 1 else f"{x * 100:.0f} %")
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(unit)
        _titled(figure, title)
    return figure


def lines(
    positions: Sequence[int],
    series: Mapping[str, Sequence[tuple[float, float, float]]],
    title: str,
    x_label: str,
    y_label: str,
) -> Figure:
    """One line a series through the middle of (low, middle, high), the band from low to high shaded.

    Each line has its own marker and dash and is named at its end, so that it reads without colour.
    """
    from matplotlib import colormaps, rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        axes = figure.subplots()
        colours = colormaps["cividis"](np.linspace(0.0, 0.62, max(len(series), 2)))
        for (name, points), colour, marker, dash in zip(
            series.items(), colours, "osD^v", ("-", "--", ":", "-.", "-"), strict=False
        ):
            low, middle, high = np.array(points).T
            axes.fill_between(positions, low, high, color=colour, alpha=0.13, linewidth=0)
            axes.plot(positions, middle, dash, marker=marker, markersize=5, color=colour, label=name)
        axes.legend(loc="lower right", frameon=False)
        axes.set_xticks(positions)
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda y, _: f"{y * 100:.0f} %")
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        _titled(figure, title)
    return figure


def svg(figure: Figure) -> str:
    """The figure as SVG with no date, no path and no software version in it."""
    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context(_STYLE):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as PNG with no software name in its metadata."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=144, metadata={"Software": None})
    return out.getvalue()


def _titled(figure: Figure, title: str) -> None:
    """The finding, over the whole width, from the left edge."""
    figure.suptitle(_wrapped(title), x=0.01, ha="left", fontsize=10.5, fontweight="bold", color=INK)


def _wrapped(title: str, width: int = 84) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(title, width))
