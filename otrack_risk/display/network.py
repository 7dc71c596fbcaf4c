"""A small graph in columns from left to right: what leads to what, every node and every edge with its words.

Meant for what one starting point leads to, some dozens of nodes. What does not fit is told as "and 12 more".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otrack_risk.display.figures import INK, STYLE, titled, wrapped
from otrack_risk.display.squares import shortened, width_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST, DEEPEST = 15, 4  # nodes in a column; columns of one stage
_PAGE, _EDGE, _QUIET = 7.5, "#5b5b5b", "#444444"
_GAP, _LOOSE, _LINE = 0.11, 0.55, 0.135  # inches between nodes, and at most more; height of a line of text


@dataclass(frozen=True)
class Node:
    """A box."""

    key: str  # by which edges name it; not shown
    stage: int  # place of its heading; edges lead to the same or a later one
    label: str
    note: str = ""  # a second, quieter text, such as a count


@dataclass(frozen=True)
class Edge:
    """An arrow from one box to another, with its words before the arrow's head."""

    start: str
    end: str
    label: str = ""
    dashed: bool = False


def network(
    nodes: Sequence[Node], edges: Sequence[Edge], *, stages: Sequence[str], title: str, unit: str, dashed: str = ""
) -> Figure:
    """Nodes in columns by stage, and within a stage by the longest way to them.

    Parameters
    ----------
    nodes : in order of importance: of more than 15 in a column the first 14 are drawn, and the rest are one box that
        says how many they are
    edges : those of unknown nodes are refused; one that leads back (a cycle) is told in the box at which it ends
    stages : headings, from left to right
    title, unit : the finding; what is drawn, which stands below
    dashed : what a dashed arrow means; printed below

    Raises
    ------
    ValueError
        An edge names a node that is not there, or a node a stage that is not there.

    Notes
    -----
    Columns are ordered by the mean place of their neighbours, in a few sweeps from left to right and back [1]_; ties
    keep the given order, so that the same lists give the same figure.

    References
    ----------
    .. [1] Sugiyama, Tagawa and Toda (1981), Methods for visual understanding of hierarchical system structures,
       IEEE Transactions on Systems, Man, and Cybernetics 11(2), 109-125.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    known = {node.key for node in nodes}
    if any(edge.start not in known or edge.end not in known for edge in edges):
        raise ValueError("edges: one names a node that is not there. Mend: give every node of the edges.")
    if any(not 0 <= node.stage < len(stages) for node in nodes):
        raise ValueError("nodes: one has a stage without a heading. Mend: give a heading for every stage.")
    with rc_context(STYLE):
        columns, arrows, first = _columns(nodes, edges, len(stages))
        _order(columns, arrows)
        _place(columns, arrows)
        width, bottom = _spread(columns, arrows)
        below = wrapped(f"{unit} · dashed: {dashed}" if dashed else unit, 104)
        head = 0.18 * (1 + wrapped(title).count("\n")) + 0.42
        height = head + bottom + 0.22 + 0.15 * (1 + below.count("\n"))
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(height - head, -head)
        for stage, heading in enumerate(stages):
            if stage in first:
                at = columns[first[stage]][0].x
                axes.text(at, -0.1, heading, fontsize=8.5, fontweight="bold", color=INK)
        for arrow in arrows:
            _arrow(axes, arrow)
        for box in (box for column in columns for box in column if box.lines):
            _box(axes, box)
        axes.text(0.1, height - head - 0.08, below, va="bottom", fontsize=8.5, color=INK)
        titled(figure, title)
        figure.texts[0].set(y=1 - 0.06 / height, x=0.1 / width, va="top")
    return figure


@dataclass(eq=False)
class _Box:
    """A node as it is drawn, or, without lines, the place where an arrow crosses a column."""

    lines: list[str] = field(default_factory=list)
    note: list[str] = field(default_factory=list)
    folded: bool = False  # stands for several
    x: float = 0  # left edge, inches
    y: float = 0  # middle, inches from the top of the columns
    wide: float = 0
    turn: float = 0  # where arrows to its column have ended their bends, and words begin
    arriving: list[_Arrow] = field(default_factory=list)

    @property
    def high(self) -> float:
        text = (len(self.lines) + len(self.note)) * _LINE + 0.12
        return max(text, sum(arrow.high for arrow in self.arriving) + 0.06) if self.lines else 0.14


@dataclass(eq=False)
class _Arrow:
    through: list[_Box]  # start, the columns between, end
    lines: list[str]
    dashed: bool

    @property
    def high(self) -> float:
        return len(self.lines) * 0.125 + 0.05 if self.lines else 0.1

    @property
    def port(self) -> float:
        """Where it ends: the height of its line at the left edge of the last box."""
        end = self.through[-1]
        above = end.arriving[: end.arriving.index(self) + 1]
        return (
            end.y
            - sum(arrow.high for arrow in end.arriving) / 2
            + sum(arrow.high for arrow in above)
            - (0.04 if self.lines else 0.05)
        )


def _columns(
    nodes: Sequence[Node], edges: Sequence[Edge], stages: int
) -> tuple[list[list[_Box]], list[_Arrow], dict[int, int]]:
    """Boxes by column, arrows between them, and the first column of each stage."""
    depth, back = _depths(nodes, edges)
    groups: dict[tuple[int, int], list[Node]] = {}
    for node in nodes:
        groups.setdefault((node.stage, depth[node.key]), []).append(node)
    columns: list[list[_Box]] = []
    first: dict[int, int] = {}
    drawn: dict[str, tuple[int, _Box]] = {}
    labels = {node.key: node.label for node in nodes}
    returns: dict[str, list[str]] = {}
    for edge in back:
        returns.setdefault(edge.end, []).append(labels[edge.start])
    for place in sorted(groups):
        group, number = groups[place], len(columns)
        first.setdefault(place[0], number)
        deep = place[1] == DEEPEST - 1 and any(depth[e.start] == depth[e.end] == place[1] for e in edges)
        kept = [] if deep else group if len(group) <= MOST else group[: MOST - 1]
        column = []
        for node in kept:
            also = [f"and back from {shortened(start, 30)}" for start in returns.get(node.key, ())[:2]]
            note = [
                line for text in (node.note, *also) for line in wrapped(shortened(text, 48), 20).split("\n") if line
            ]
            box = _Box((wrapped(shortened(node.label, 48), 18) or "?").split("\n"), note)
            column.append(box)
            drawn[node.key] = number, box
        if len(kept) < len(group):
            column.append(_Box([f"and {len(group) - len(kept):,} more"], folded=True))
            drawn |= {node.key: (number, column[-1]) for node in group[len(kept) :]}
        columns.append(column)
    return columns, _arrows(columns, [edge for edge in edges if edge not in back], drawn), first


def _depths(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[dict[str, int], set[Edge]]:
    """Longest way to each node within its stage, and the edges that lead back."""
    stage = {node.key: node.stage for node in nodes}
    following: dict[str, list[Edge]] = {node.key: [] for node in nodes}
    back = {edge for edge in edges if stage[edge.start] > stage[edge.end] or edge.start == edge.end}
    for edge in edges:
        if stage[edge.start] == stage[edge.end] and edge not in back:
            following[edge.start].append(edge)
    done: list[str] = []
    seen: dict[str, bool] = {}  # True while the walk is still inside
    for node in nodes:
        walk = [] if node.key in seen else [(node.key, iter(following[node.key]))]
        while walk:
            key, rest = walk[-1]
            seen[key] = True
            step = next((edge for edge in rest), None)
            if step is None:
                seen[key] = False
                done.append(key)
                walk.pop()
            elif seen.get(step.end):
                back.add(step)
            elif step.end not in seen:
                walk.append((step.end, iter(following[step.end])))
    depth = dict.fromkeys(stage, 0)
    for key in reversed(done):
        for edge in following[key]:
            if edge not in back:
                depth[edge.end] = max(depth[edge.end], min(depth[key] + 1, DEEPEST - 1))
    return depth, back


def _arrows(columns: list[list[_Box]], edges: Sequence[Edge], drawn: Mapping[str, tuple[int, _Box]]) -> list[_Arrow]:
    together: dict[tuple[_Box, _Box, bool], list[Edge]] = {}
    for edge in edges:
        start, end = drawn[edge.start][1], drawn[edge.end][1]
        if start is not end:
            together.setdefault((start, end, edge.dashed), []).append(edge)
    arrows = []
    for (start, end, dashed), same in together.items():
        labels = list(dict.fromkeys(edge.label for edge in same if edge.label))
        told = shortened(", ".join(labels), 60) if len(labels) <= 2 else f"{len(labels)} kinds"
        if end.folded:
            told = ""
        between = [_Box() for _ in range(drawn[same[0].start][0] + 1, drawn[same[0].end][0])]
        for number, box in enumerate(between, start=drawn[same[0].start][0] + 1):
            columns[number].append(box)
        arrow = _Arrow([start, *between, end], [line for line in wrapped(told, 22).split("\n") if line], dashed)
        end.arriving.append(arrow)
        arrows.append(arrow)
    return arrows


def _neighbours(arrows: Sequence[_Arrow]) -> tuple[dict[_Box, list[_Box]], dict[_Box, list[_Box]]]:
    before: dict[_Box, list[_Box]] = {}
    after: dict[_Box, list[_Box]] = {}
    for arrow in arrows:
        for one, other in zip(arrow.through, arrow.through[1:], strict=False):
            before.setdefault(other, []).append(one)
            after.setdefault(one, []).append(other)
    return before, after


def _order(columns: list[list[_Box]], arrows: Sequence[_Arrow]) -> None:
    """Sort each column by the mean place of its neighbours, from the left and from the right in turn."""
    before, after = _neighbours(arrows)
    for sweep in range(6):
        beside, run = (before, columns) if sweep % 2 == 0 else (after, columns[::-1])
        at = {box: place / len(column) for column in columns for place, box in enumerate(column)}
        for column in run:
            wanted = {b: sum(at[n] for n in beside[b]) / len(beside[b]) if b in beside else at[b] for b in column}
            column.sort(key=lambda box: (box.folded, wanted[box]))
            at |= {box: place / len(column) for place, box in enumerate(column)}


def _place(columns: Sequence[Sequence[_Box]], arrows: Sequence[_Arrow]) -> None:
    """Heights: as near to the neighbours' as the boxes above and below allow."""
    before, after = _neighbours(arrows)
    for sweep in range(5):
        beside, run = (before, columns) if sweep % 2 == 0 else (after, columns[::-1])
        for column in run:
            wanted = [sum(n.y for n in beside[b]) / len(beside[b]) if b in beside else b.y for b in column]
            least, most, moved = -math.inf, math.inf, 0.0
            for box, each in zip(column, wanted, strict=True):
                box.y = min(max(each, least + box.high / 2), most + box.high / 2)
                least = box.y + box.high / 2 + _GAP
                most = least + _LOOSE
                moved += box.y - each
            for box in column:
                box.y -= moved / len(column)
    at = {box: place for column in columns for place, box in enumerate(column)}
    for box in at:  # arrows arrive in the order of where they come from, so that they do not cross before it
        box.arriving.sort(key=lambda arrow: arrow.through[-2].y)
    top = min((box.y - box.high / 2 for box in at), default=0)
    for box in at:
        box.y -= top


def _spread(columns: Sequence[Sequence[_Box]], arrows: Sequence[_Arrow]) -> tuple[float, float]:
    """Set left edges and widths; width of the figure and lowest edge, inches."""
    wides, gaps = [], []
    for column in columns:
        texts = [(line, 8.0) for box in column for line in box.lines] + [(n, 7.5) for box in column for n in box.note]
        wides.append(0.18 + max(width_of(text, size) for text, size in texts))
        words = [width_of(line, 7.5) for box in column for arrow in box.arriving for line in arrow.lines]
        gaps.append(0.6 + max(words, default=-0.1))
    gaps[:1] = [0.12] * len(gaps[:1])
    spare = max(0.0, _PAGE - sum(wides) - sum(gaps) - 0.12) / max(len(gaps) - 1, 1)
    x = 0.0
    for number, (column, wide, gap) in enumerate(zip(columns, wides, gaps, strict=True)):
        x += gap + (min(spare, 0.8) if number else 0)
        for box in column:
            box.x, box.wide, box.turn = x, wide, x - gap + 0.4
        x += wide
    bottom = max((box.y + box.high / 2 for column in columns for box in column), default=0.2)
    return max(_PAGE, x + 0.12), bottom


def _arrow(axes: Axes, arrow: _Arrow) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    start, end = arrow.through[0], arrow.through[-1]
    points, codes = [(start.x + start.wide, start.y)], [Path.MOVETO]
    stops = [(box.turn, box.x + box.wide, box.y) for box in arrow.through[1:-1]]
    stops.append((end.turn, end.x - 0.02, arrow.port))
    for left, right, y in stops:
        x, old = points[-1]
        middle = (x + left) / 2
        points += [(middle, old), (middle, y), (left, y), (right, y)]
        codes += [Path.CURVE4] * 3 + [Path.LINETO]
    line = FancyArrowPatch(
        path=Path(points, codes),
        arrowstyle="-|>,head_width=2.2,head_length=4.5",
        linestyle=(0, (4, 2.5)) if arrow.dashed else "solid",
        color=_EDGE,
        linewidth=1.0,
        shrinkA=0,
        shrinkB=0,
    )
    line.set_capstyle("butt")
    axes.add_patch(line)
    if arrow.lines:
        axes.text(
            end.x - 0.12, arrow.port - 0.015, "\n".join(arrow.lines), ha="right", va="bottom", fontsize=7.5, color=INK
        ).set_linespacing(1.0)


def _box(axes: Axes, box: _Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (box.x, box.y - box.high / 2)
    shape = "round,pad=0,rounding_size=0.05"
    axes.add_patch(
        FancyBboxPatch(corner, box.wide, box.high, boxstyle=shape, facecolor="white", edgecolor=INK, linewidth=0.9)
    )
    y = box.y - (len(box.lines) + len(box.note)) * _LINE / 2 + _LINE / 2
    for line, size, colour in [(each, 8.0, INK) for each in box.lines] + [(each, 7.5, _QUIET) for each in box.note]:
        axes.text(box.x + box.wide / 2, y, line, ha="center", va="center_baseline", fontsize=size, color=colour)
        y += _LINE
