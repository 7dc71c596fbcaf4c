"""A square with its words and marks, as a grid and its legend draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from otrack_risk.display.figures import INK, wrapped
from otrack_risk.display.shades import NOBODY, RGB, Shades, ink_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Mark = Literal["hatch", "dot", "ring"]
_SIDE = 14.5  # of a square of the legend, points


def draw_cell(axes: Axes, x: float, y: float, fill: RGB, lines: Sequence[str], drawn: set[Mark], size: float) -> None:
    """One square, a unit wide, around (x, y)."""
    from matplotlib.patches import Rectangle
    from matplotlib.transforms import ScaledTranslation

    ink, hatched = ink_on(fill), "hatch" in drawn
    hatch = ("////" if size >= 8 else "//////") if hatched else ""
    axes.add_artist(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=fill, edgecolor=ink, hatch=hatch, linewidth=0))
    if "dot" in drawn:
        corner = axes.transData + ScaledTranslation(-4.2 / 72, -4.2 / 72, axes.get_figure().dpi_scale_trans)  # type: ignore[union-attr]
        axes.plot(
            [x + 0.5], [y - 0.5], "o", markersize=4.4, color=ink, markeredgecolor=fill, transform=corner, zorder=4
        )
    for number, word in enumerate(lines):  # apart, so that the hatching shows beside the letter
        ringed = "ring" in drawn and number == 0
        back = {"facecolor": fill, "edgecolor": "none", "boxstyle": "square,pad=0.03"} if hatched else None
        if ringed:
            back = {"facecolor": fill, "edgecolor": ink, "boxstyle": "round,pad=0.06,rounding_size=0.55"}
        axes.annotate(
            f"\N{NARROW NO-BREAK SPACE}{word}\N{NARROW NO-BREAK SPACE}"
            if number == 0 and (hatched or ringed)
            else word,
            (x, y),
            (0, (0.5 * (len(lines) - 1) - number) * 11.5),  # points
            textcoords="offset points",
            ha="center",
            va="center_baseline",
            fontsize=size,
            color=ink,
            bbox=back,
        )


def width_of(text: str, size: float) -> float:
    """Width of the longest line of text, inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size)
    return max(text_to_path.get_text_width_height_descent(line, font, False)[0] for line in text.split("\n")) / 72


def shortened(label: str, most: int = 60) -> str:
    """The label in one line, of at most so many letters; what is left out stood in its middle."""
    label = " ".join((label if len(label) < 1000 else label[:500] + label[-500:]).split())
    return label if len(label) <= most else f"{label[: most - 19]}…{label[-18:]}"


@dataclass(frozen=True)
class Legend:
    """Words above and below, and between them squares in lines that fill the width."""

    above: str
    squares: list[tuple[float, float, RGB, str, set[Mark], str]]  # x, y in points; fill, text in it, marks, words
    below: str
    width: float  # inches
    height: float

    def draw(self, axes: Axes) -> None:
        from matplotlib.patches import Rectangle

        side = _SIDE  # points; one unit of the axes, so that a square is drawn as a cell is
        axes.set_xlim(0, self.width * 72 / side)
        axes.set_ylim(self.height * 72 / side, 0)
        axes.text(0, 0, self.above, va="top", fontsize=8.5, color=INK)
        for x, y, fill, text, drawn, words in self.squares:
            middle = (x / side + 0.5, y / side + 0.5)
            draw_cell(axes, *middle, fill, [text] if text else [], drawn, 8)
            axes.add_patch(Rectangle((x / side, y / side), 1, 1, fill=False, edgecolor=INK, linewidth=0.8))
            axes.text(middle[0] + 0.75, middle[1], words, va="center_baseline", fontsize=8.5, color=INK)
        axes.text(0, self.height * 72 / side - 0.1, self.below, va="bottom", fontsize=8.5, color=INK)


def legend_of(
    shades: Shades, unit: str, meanings: Mapping[str, str], marks: Mapping[str, tuple[Mark, str]], width: float
) -> Legend:
    """The steps of the scale, what is not known, every mark, and what the letters mean; ``width`` in inches."""
    space = "\N{NO-BREAK SPACE}"
    squares: list[tuple[RGB, str, set[Mark], str]] = [
        (fill, text, set(), words) for fill, text, words in shades.legend()
    ]
    squares += [
        (NOBODY, "" if mark == "hatch" else "A" if mark == "ring" else "", {mark}, words)
        for mark, words in marks.values()
    ]
    letters = [f"{letter}{space}{words}" for letter, words in meanings.items()]
    letters += [
        "a letter alone: no change" if shades.difference else "a letter alone: nobody",
        f"-:{space}nothing held",
    ]
    above = wrapped(unit, 104)
    below = wrapped(f"{space}· ".join(letters), 104)
    x, y = 0.5, 14.0 * (1 + above.count("\n")) + 1
    placed = []
    for fill, text, drawn, words in squares:
        wide = _SIDE + 4 + width_of(words, 8.5) * 72
        if x > 1 and x + wide > width * 72:
            x, y = 0.5, y + _SIDE + 5
        placed.append((x, y, fill, text, drawn, words))
        x += wide + 12
    height = (y + _SIDE + 6 + 11 * (1 + below.count("\n")) + 2) / 72
    return Legend(above, placed, below, width, height)
