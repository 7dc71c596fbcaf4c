"""A grid of counts that two audits can lay side by side: by shade, by letter and by number.

Nothing is told by colour alone. Shades are a few steps that the legend prints as squares, each at least 10 in
CIELAB lightness from the next, so that they also stay apart in grey print and to a colour-blind reader.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from otrack_risk.display.figures import BAR, INK, STYLE, titled, wrapped
from otrack_risk.display.shades import UNKNOWN, Shades
from otrack_risk.display.squares import Mark, draw_cell, legend_of, shortened, width_of
from otrack_risk.display.tables import Count, Hidden

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Bars = tuple[str, Sequence[Count]]  # what is counted, and a count for each row or column
MARKS: Mapping[str, tuple[Mark, str]] = {"excess": ("hatch", "beyond need")}
ROWS, COLUMNS = 20, 15  # cells up to which numbers are legible on a page
_PAGE, _TALL = 7.5, 10.9  # inches: A4 with its margins
ALL = "~all"  # of a hidden count that is all but few
_SLANT = math.radians(40)


def heatmap(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[Count]],
    letters: Sequence[Sequence[str]],
    states: Sequence[Sequence[str]],
    *,
    title: str,
    unit: str,
    vmax: int,
    meanings: Mapping[str, str],
    marks: Mapping[str, tuple[Mark, str]] = MARKS,
    row_bars: Bars | None = None,
    column_bars: Bars | None = None,
    difference: bool = False,
) -> Figure:
    """A grid of counts, each told by its shade, by a letter and by its number.

    Parameters
    ----------
    rows, columns : labels, in the order in which they are drawn; see :func:`.order.clustered` for another
    values : a count for each row and column; 0 is left white, None (not known) drawn grey with a question mark, and
        grey is a count that is hidden for the sake of another
    letters : what kind of cell it is, beside the count; never blank, and alone where the count is 0 ("-" where nothing
        is held, "?" where that is not known)
    states : words about the cell, parted by blanks; those that ``marks`` names are drawn, others are not
    title, unit : the finding; what is counted, and of what, which opens the legend
    vmax : the largest count that there can be, at which the scale ends whatever the counts are, so that two
        figures of one school compare
    meanings : letter -> words, for the legend
    marks : word of ``states`` -> how it is drawn, and what the legend calls it. All stand in the legend, drawn or not:
        they were looked for
    row_bars, column_bars : what is counted, and a count for each row or column, drawn beside it
    difference : counts are more (+) or fewer (-) than before, of two colours around a neutral nought

    Notes
    -----
    Steps begin at 1, 10, 30, 100, 300 and so on, the lower ones wider where the scale would need more than seven.
    Shades are cividis from light (few) to dark (many), for a difference PuOr; text is black or white, whichever
    stands out more, which is at least 4.5 to 1. Where a number does not fit, it is told in thousands ("160k").
    Beyond 20 by 15 cells no number fits a page, and the letters stand alone, with a question mark where the count is
    not told: give the bars then; the exact numbers are in the table beside the figure. Sixty rows and 15 columns fit
    A4, more columns a wider page. A label of more than 60 letters is shortened in its middle, of a row among many 44.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    numbered = len(rows) <= ROWS and len(columns) <= COLUMNS
    shades = Shades(max(vmax, 1), difference)
    with rc_context({**STYLE, "hatch.linewidth": 0.8}):
        longest = max((_alone(letter) for row in letters for letter in row), key=len, default="")
        alone = ("+" if difference else "") + longest
        shortest, _ = _counting(values, shades, 0)
        counts = (width_of(shortest(value), 8) + 3 / 72 for row in values for value in row)
        narrow = (
            max((0.2, *counts)) if numbered else (0.072 if len(columns) <= COLUMNS else 0.18) + width_of(alone, 7.5)
        )
        plan = _Plan.of(rows, columns, numbered, narrow, row_bars, column_bars)
        counted, short = _counting(values, shades, plan.cell * 72 - 2)
        told = list(row_bars[1] if row_bars else ()) + list(column_bars[1] if column_bars else ())
        short = (short if numbered else {}) | {
            word: str(count)
            for word, count in ((f"{ALL}:", count) for count in told)
            if isinstance(count, Hidden) and count.why == "rest"
        }
        legend = legend_of(shades, unit, {**meanings, **short}, marks, plan.width - 0.2)
        titles = 0.1 + 0.18 * (1 + wrapped(title).count("\n"))
        under = 0.12 if column_bars is None else 0.62
        step = plan.step(titles + plan.head + under + legend.height)
        height = titles + plan.head + step * len(rows) + under + legend.height
        figure = Figure(figsize=(plan.width, height))

        def place(left: float, top: float, wide: float, high: float, **more: Any) -> Axes:
            box = (left / plan.width, 1 - (top + high) / height, wide / plan.width, high / height)
            axes = figure.add_axes(box, **more)
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0, labelbottom=False, labelleft=False)
            return axes

        top, bottom = titles + plan.head, titles + plan.head + step * len(rows)
        wide = plan.cell * len(columns)
        axes = place(plan.left, top, wide, step * len(rows))
        for y, x in np.ndindex(len(rows), len(columns)):
            _square(axes, x, y, values[y][x], letters[y][x], states[y][x].split(), shades, marks, numbered, counted)
        _grid(axes, plan, rows, columns, thick=numbered)
        legend.draw(place(0.1, bottom + under, plan.width - 0.2, legend.height))
        if row_bars is not None:
            _bars_beside(place(plan.left + wide + 0.06, top, plan.bars - 0.06, step * len(rows), sharey=axes), row_bars)
        if column_bars is not None:
            _bars_beneath(place(plan.left, bottom + 0.04, wide, 0.52, sharex=axes), column_bars, plan)
        titled(figure, title)
        figure.texts[0].set(y=1 - 0.06 / height, x=0.1 / plan.width, va="top")
    return figure


@dataclass(frozen=True)
class _Plan:
    """Where things stand, in inches."""

    rows: list[str]
    columns: list[str]
    size: float  # of labels, points
    width: float  # of the page
    left: float  # of the first cell: the width of the row labels
    cell: float  # width of one
    head: float  # height of the column labels
    bars: float  # width of the bars beside the rows
    least: float  # height of a row at which its label fits
    best: float  # and at which it is easy to read

    @classmethod
    def of(
        cls,
        rows: Sequence[str],
        columns: Sequence[str],
        numbered: bool,
        narrow: float,
        beside: Bars | None,
        beneath: Bars | None,
    ) -> _Plan:
        size = 8.5 if numbered else 7.5
        named = [wrapped(shortened(row), 22) if numbered else shortened(row, 44) for row in rows]
        named = [name or "?" for name in named]
        lines = max((1 + name.count("\n") for name in named), default=1)
        left = 0.16 + max(width_of(name, size) for name in (*named, wrapped(beneath[0], 18) if beneath else "?"))
        bars = 0.95 if beside else 0.08
        n = max(len(columns), 1)
        for across in (20, 30, 60):  # slanted lines of text must clear those of the next label
            heads = [wrapped(shortened(column), across) or "?" for column in columns]
            long = [width_of(head, size) * math.cos(_SLANT) for head in heads]
            room = [(_PAGE - left - 0.1 - reach) / (x + 0.5) for x, reach in enumerate(long)]
            cell = max(narrow, min([(_PAGE - left - bars) / n, 0.8, *room]))
            tall = [(1 + head.count("\n")) * size * 1.25 / 72 for head in heads]
            if max(tall, default=0) / math.sin(_SLANT) <= cell:
                break
        right = max([bars, *(reach + 0.1 - (n - x - 0.5) * cell for x, reach in enumerate(long))])
        high = [x * math.tan(_SLANT) + t * math.cos(_SLANT) for x, t in zip(long, tall, strict=True)]
        fits = lines * size * (1.25 if numbered else 1.15) / 72 + 0.002
        best = max(fits, 0.38 if numbered else 0.2)
        width = max(_PAGE, left + cell * n + right)
        return cls(
            named, heads, size, width, left, cell, max([0.2, *high]) + 0.05, bars, best if numbered else fits, best
        )

    def step(self, rest: float) -> float:
        """Height of a row: as easy to read as the page allows beside the rest of the figure."""
        return max(self.least, min(self.best, (_TALL - rest) / max(len(self.rows), 1)))


def _counting(
    values: Sequence[Sequence[Count]], shades: Shades, points: float
) -> tuple[Callable[[Count], str], dict[str, str]]:
    """How a count is written so that the widest of the figure fits: whole, or from some size on in thousands.

    The second are words for the legend, of what had to be shortened.
    """
    every = list(dict.fromkeys(value for row in values for value in row if value is not None))
    hidden = "hidden" if width_of("hidden", 8) * 72 <= points else "hid"
    short: dict[str, str] = {}

    def whole(value: Hidden) -> str:
        if value.why == "few":
            return f"±<{value.below}" if shades.difference else f"<{value.below}"
        if value.why == "other" or shades.difference:
            return hidden
        rest = f">{shades.vmax - value.below:,}"
        return rest if width_of(rest, 8) * 72 <= points else ALL

    def written(value: Count, thousands: float, millions: float) -> str:
        if value is None:
            return "?"
        if isinstance(value, Hidden):
            return whole(value)
        size = abs(value)
        if size >= millions:
            return f"{shades.sign(value)}{size / 1_000_000:.1f}M"
        if size >= thousands:
            return f"{shades.sign(value)}{size / 1000:,.{int(size < 10_000)}f}k"
        return f"{shades.sign(value)}{size:,}"

    for value in every:
        if isinstance(value, Hidden) and whole(value) in ("hid", ALL):
            short[f"{whole(value)}:"] = str(value)
    counts = [value for value in every if isinstance(value, int)]
    for millions, thousands in product((math.inf, 1_000_000), (math.inf, 100_000, 10_000, 1_000)):
        if all(width_of(written(value, thousands, millions), 8) * 72 <= points for value in counts):
            break
    return lambda value: written(value, thousands, millions), short


def _square(
    axes: Axes,
    x: int,
    y: int,
    value: Count,
    letter: str,
    words: Sequence[str],
    shades: Shades,
    marks: Mapping[str, tuple[Mark, str]],
    numbered: bool,
    counted: Callable[[Count], str],
) -> None:
    drawn = {marks[word][0] for word in words if word in marks}
    tells = value != 0 and letter != "?"
    if numbered:
        lines = [letter, counted(value)] if tells else [letter]
    else:
        sure = "?" if tells and shades.of(value) == UNKNOWN else ""
        lines = [shades.sign(value) + _alone(letter) + sure]
    draw_cell(axes, x, y, shades.of(value), lines, drawn, 8 if numbered else 7.5)


def _alone(letter: str) -> str:
    return letter.replace(" ", "")


def _grid(axes: Axes, plan: _Plan, rows: Sequence[str], columns: Sequence[str], *, thick: bool) -> None:
    """Lines between the squares, a dark one on a white one, which stands out from any two shades; and labels."""
    high, wide = len(rows), len(columns)
    for colour, width in (("white", 3.0 if thick else 2.0), (INK, 0.8 if thick else 0.6)):
        look: dict[str, Any] = {"colors": colour, "linewidth": width, "capstyle": "projecting", "clip_on": False}
        axes.hlines([y - 0.5 for y in range(high + 1)], -0.5, wide - 0.5, **look)
        axes.vlines([x - 0.5 for x in range(wide + 1)], -0.5, high - 0.5, **look)
    axes.set_xlim(-0.5, max(wide, 1) - 0.5)
    axes.set_ylim(max(high, 1) - 0.5, -0.5)
    axes.set_yticks(range(high), plan.rows)
    axes.set_xticks(range(wide), plan.columns)
    axes.tick_params(labelsize=plan.size, labeltop=True, labelleft=True)
    for label in axes.get_xticklabels():
        label.set(rotation=math.degrees(_SLANT), ha="left", va="bottom", rotation_mode="anchor")


def _longest(counts: Sequence[Count]) -> int:
    few = (count.below for count in counts if isinstance(count, Hidden) and count.why == "few")
    return max((*few, *(count for count in counts if isinstance(count, int)), 1))


def _bar(count: Count, longest: int) -> tuple[float, str]:
    """Length as a share of the longest, and the hatching of one that is hidden."""
    if isinstance(count, Hidden):
        return {"few": count.below / longest, "rest": 1.0, "other": 0.0}[count.why], "////"
    return (count or 0) / longest, ""


def _told(count: Count, thousands: float = math.inf) -> str:
    if isinstance(count, Hidden):
        return {"few": f"<{count.below}", "rest": ALL, "other": "hidden"}[count.why]
    if count is None:
        return "?"
    return f"{round(count / 1000):,}k" if count >= thousands else f"{count:,}"


def _bars_beside(axes: Axes, bars: Bars) -> None:
    what, counts = bars
    longest = _longest(counts)
    axes.tick_params(labelleft=False, labeltop=False)
    for y, count in enumerate(counts):
        length, hatch = _bar(count, longest)
        axes.barh(y, length, height=0.62, color="white" if hatch else BAR, edgecolor=BAR, hatch=hatch, linewidth=0.6)
        axes.text(length + 0.05, y, _told(count), va="center_baseline", fontsize=7.5, color=INK)
    axes.set_xlim(0, 2.2)
    axes.annotate(
        wrapped(what, 17), (0, 0), (0, -5), xycoords="axes fraction", textcoords="offset points", va="top", fontsize=7.5
    )


def _bars_beneath(axes: Axes, bars: Bars, plan: _Plan) -> None:
    what, counts = bars
    longest = _longest(counts)
    wide = max((width_of(_told(count), 7.5) for count in counts), default=0)
    thousands = math.inf if wide <= plan.cell - 0.03 else 1_000
    axes.tick_params(labelbottom=False, labeltop=False)
    for x, count in enumerate(counts):
        length, hatch = _bar(count, longest)
        axes.bar(x, length, width=0.62, color="white" if hatch else BAR, edgecolor=BAR, hatch=hatch, linewidth=0.6)
        axes.annotate(
            _told(count, thousands),
            (x, length),
            (0, -2),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=7.5,
            color=INK,
        )
    axes.set_ylim(1.6, 0)
    axes.annotate(
        wrapped(what, 18),
        (0, 1),
        (-6, -2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=7.5,
    )
