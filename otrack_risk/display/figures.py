"""A few figure forms that survive print, colour blindness and screen readers.

Every form takes plain numbers and words, never a frame of rows; titles say the finding. Colours
are cividis, and nothing is told by colour alone: each bar and cell carries its number.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from otrack_risk.display.tables import Hidden, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, GRID, BAR, MARK = "#1b1b1b", "#d0d0d0", "#31446b", "#8a6d00"
STYLE: dict[Any, Any] = {
    "font.size": 9.5,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#767676",
    "svg.fonttype": "path",
    "svg.hashsalt": "otrack_risk",  # same numbers, same bytes
    "text.parse_math": False,  # a name with two dollar signs is a name
}


def bars(labels: Sequence[str], values: Sequence[int | float | Hidden | None], title: str, unit: str) -> Figure:
    """Horizontal bars, one a label, with the number at the end of each; hidden ones drawn hatched to the threshold.

    ``unit`` says what is counted and stands under the axis.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        named = [wrapped(label, 34) for label in labels]
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
        titled(figure, title)
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

    with rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        axes = figure.subplots()
        colours = colormaps["cividis"](np.linspace(0.0, 0.62, max(len(series), 2)))
        for (name, points), colour, marker, dash in zip(
            series.items(), colours, "osD^v", ("-", "--", ":", "-.", "-"), strict=False
        ):
            low, middle, high = np.array(points).T
            axes.fill_between(positions, low, high, color=colour, alpha=0.13, linewidth=0)
            axes.plot(positions, middle, dash, marker=marker, markersize=5, color=colour, label=name)
        right = [low for points in series.values() for low, _, _ in points[len(points) // 2 :]]
        axes.legend(loc="lower right" if min(right) > 0.2 else "best", frameon=False)  # clear of the lines
        axes.set_xticks(positions)
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(lambda y, _: f"{y * 100:.0f} %")
        axes.grid(axis="y", color=GRID, linewidth=0.6)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        titled(figure, title)
    return figure


def scale(bands: Mapping[str, tuple[float, float]], value: float, span: tuple[float, float], title: str) -> Figure:
    """A value on a scale cut into named bands, with the span of doubt around it.

    Parameters
    ----------
    bands : name to (from, to), adjacent and in order
    value, span : the point, and the (low, high) that it may be instead
    """
    from matplotlib import colormaps, rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(7.2, 1.75), layout="constrained")
        axes = figure.subplots()
        shades = colormaps["cividis"](np.linspace(0.95, 0.45, len(bands)))
        for (name, (start, end)), shade in zip(bands.items(), shades, strict=True):
            axes.barh(0, end - start, left=start, height=1, color=shade, edgecolor="white", linewidth=2)
            axes.text((start + end) / 2, -0.78, name, ha="center", va="center", color=INK)
        axes.plot(span, (0, 0), color=INK, linewidth=3, solid_capstyle="butt", marker="|", markersize=14)
        axes.plot([value], [0], marker="D", markersize=10, color="white", markeredgecolor=INK, markeredgewidth=2)
        axes.text(value, 0.8, f"{value:g}", ha="center", va="center", fontweight="bold", color=INK)
        edges = sorted({edge for band in bands.values() for edge in band})
        axes.set_xticks(edges, [f"{edge:g}" for edge in edges])
        axes.set_yticks([])
        axes.set_ylim(-1.1, 1.1)
        axes.spines[["left"]].set_visible(False)
        titled(figure, title)
    return figure


def svg(figure: Figure) -> str:
    """The figure as SVG with no date, no path and no software version in it."""
    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context(STYLE):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def png(figure: Figure) -> bytes:
    """The figure as PNG with no software name in its metadata."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=144, metadata={"Software": None})
    return out.getvalue()


def upset(
    members: Sequence[Sequence[bool]],
    labels: Sequence[str],
    values: Sequence[int | float | Hidden | None],
    title: str,
    unit: str,
) -> Figure:
    """Combinations of labels, one a row: a dot for each label, dark where it belongs, and a bar with its number.

    Parameters
    ----------
    members : for each combination, whether each label belongs to it
    labels : what is combined, one a column of dots; up to 30 fit side by side
    values : one a combination; a hidden one is drawn hatched to the threshold
    unit : what is counted; stands under the bars

    Notes
    -----
    The form is that of Lex et al. (2014), UpSet: Visualization of Intersecting Sets, turned so that the numbers read
    from left to right. A label that belongs is a large filled dot, one that does not a small empty one, so that
    the two stay apart in grey print. A label of more than 44 letters is shortened in its middle.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    step, number = 0.25, 3.6  # inches from dot to dot where there is room; room for a number, in such steps
    width = max(7.0 / step, len(labels) + 2 * number)
    named = [label if len(label) <= 44 else f"{label[:28]}…{label[-15:]}" for label in labels]
    height = 0.17 * (1 + wrapped(title).count("\n")) + 0.055 * max(map(len, named), default=0)  # title and labels
    with rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.55 + height + 0.26 * len(members)), layout="constrained")
        axes = figure.subplots()
        lengths = [v.below if isinstance(v, Hidden) and v.why == "few" else v for v in values]
        longest = max((v for v in lengths if isinstance(v, int | float)), default=0) or 1
        start = len(labels) + 0.1
        room = width - start - number
        for place, (belongs, length, value) in enumerate(zip(members, lengths, values, strict=True)):
            if place % 2 == 0:
                axes.axhspan(place - 0.5, place + 0.5, color="#f3f3f3", linewidth=0)
            known = [x for x, inside in enumerate(belongs) if inside]
            unknown = [x for x, inside in enumerate(belongs) if not inside]
            axes.plot(known, [place] * len(known), "-o", linewidth=1.8, markersize=7, color=INK)
            axes.plot(unknown, [place] * len(unknown), "o", markersize=3.5, color="white", markeredgecolor="#767676")
            end = room if isinstance(length, Hidden) else room * (length or 0) / longest
            hatch = "////" if isinstance(value, Hidden) else None
            axes.barh(place, end, left=start, color="white" if hatch else BAR, edgecolor=BAR, hatch=hatch, height=0.66)
            axes.text(start + end + 0.2, place, written(value), va="center", color=INK)
        axes.plot([start, start], [-0.5, len(members) - 0.5], color="#767676", linewidth=0.8)
        axes.set_xlim(-0.6, width)
        axes.set_ylim(len(members) - 0.5, -0.5)
        axes.set_yticks([])
        axes.set_xticks(range(len(labels)), named)
        axes.tick_params(length=0, pad=4, top=False, labeltop=True, bottom=False, labelbottom=False)
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="left", va="bottom", rotation_mode="anchor")
        axes.spines[:].set_visible(False)
        axes.set_xlabel(wrapped(unit, 90))
        titled(figure, title)
    return figure


def titled(figure: Figure, title: str) -> None:
    """The finding, over the whole width, from the left edge."""
    figure.suptitle(wrapped(title), x=0.01, ha="left", fontsize=10.5, fontweight="bold", color=INK)


def wrapped(title: str, width: int = 84) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(title, width))


def __getattr__(name: str) -> Callable[..., Figure]:
    if name == "heatmap":  # its old place
        from otrack_risk.display.heatmap import heatmap

        return heatmap
    raise AttributeError(name)
