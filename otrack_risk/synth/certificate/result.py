"""The certificate as it is shown and written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from otrack_risk.display import tables as paper
from otrack_risk.display.results import Shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 45  # dumbbells that a page takes


@dataclass(frozen=True)
class Line:
    """One target, what the world holds, and the judgement; ``within`` is None where it does not apply."""

    key: str
    topic: str
    what: str
    among: str
    unit: str  # share, ratio, factor or pupils
    target: float | None
    achieved: float | None
    n: int  # counted: the denominator
    difference: float | None
    tolerance: float | None
    rule: str  # what made the tolerance
    within: bool | None
    joint: bool
    status: str
    source: str
    period: str
    note: str
    reason: str  # why it does not apply


@dataclass(frozen=True)
class Effect:
    """A dependence between columns that the makers build in."""

    between: str
    how: str
    status: str
    rests_on: str


@dataclass(frozen=True)
class Certificate(Shown):
    """How near a synthetic world comes to the figures it was drawn to. Nobody in it exists, so no cell is hidden."""

    key: ClassVar[str] = "synthetic_certificate"
    preset: str
    pupils: int  # on roll
    lines: tuple[Line, ...]
    effects: tuple[Effect, ...]

    @property
    def applied(self) -> tuple[Line, ...]:
        """Targets that this world was measured against."""
        return tuple(line for line in self.lines if line.within is not None)

    @property
    def missed(self) -> tuple[Line, ...]:
        """Those outside their tolerance."""
        return tuple(line for line in self.applied if not line.within)

    def sentence(self) -> str:
        lost, asked = self.missed, len(self.applied)
        named = "; ".join(f"{line.what}, of {line.among}" for line in lost[:3]) + (", among others" * (len(lost) > 3))
        outside = f"{len(lost)} {'is' if len(lost) == 1 else 'are'} not: {named}" if lost else "none is outside"
        return (
            f"Of {asked} figures that this invented world ({self.preset}, {self.pupils:,} pupils on roll) was measured "
            f"against, {asked - len(lost)} are within their tolerance and {outside}. {len(self.lines) - asked} others "
            f"do not apply to it. {len(self.effects)} joint effects are built in, and no other."
        )

    def table(self) -> pl.DataFrame:
        return paper.table(
            {
                "figure": [f"{line.what}, of {line.among}" for line in self.applied],
                "target": [_written(line.target, line.unit) for line in self.applied],
                "achieved": [_written(line.achieved, line.unit) for line in self.applied],
                "difference": [_written(line.difference, line.unit, signed=True) for line in self.applied],
                "tolerance": [_written(line.tolerance, line.unit) for line in self.applied],
                "rule": [line.rule for line in self.applied],
                "n": [line.n for line in self.applied],
                "within": [line.within for line in self.applied],
                "status": [line.status for line in self.applied],
                "source": [line.source for line in self.applied],
                "period": [line.period for line in self.applied],
            }
        )

    def not_applied(self) -> pl.DataFrame:
        """Targets that say nothing about this world, and why: neither met nor missed."""
        rest = [line for line in self.lines if line.within is None]
        return paper.table(
            {
                "figure": [f"{line.what}, of {line.among}" for line in rest],
                "target": [_written(line.target, line.unit) for line in rest],
                "why_not": [line.reason for line in rest],
            }
        )

    def effects_table(self) -> pl.DataFrame:
        """Every joint effect that is built into pupils, households, attendance and assessments: no other is."""
        return pl.DataFrame([vars(effect) for effect in self.effects])

    def figure(self) -> Figure:
        shares = [line for line in self.applied if line.unit == "share"]
        alone = [line for line in shares if not line.within or (line.joint and "." not in line.key)]  # no long lists
        met, asked = len(self.applied) - len(self.missed), len(self.applied)
        title = f"{met} of {asked} figures within their tolerance; here the joint ones, and those outside"
        return _dumbbells(sorted(alone, key=lambda line: bool(line.within))[:_MOST], title)

    def record(self) -> dict[str, Any]:
        return {
            "synthetic": True,
            "preset": self.preset,
            "pupils_on_roll": self.pupils,
            "within": len(self.applied) - len(self.missed),
            "applied": len(self.applied),
            "missed": [line.key for line in self.missed],
            "targets": [vars(line) for line in self.applied],
            "not_applied": [vars(line) for line in self.lines if line.within is None],
            "effects": [vars(effect) for effect in self.effects],
            "no_other_effect": "columns of pupils, households, attendance, assessments that share no line of effects "
            "are independent, given those that do",
        }

    def as_json(self) -> str:
        """The text of ``certificate.json``: the same counts, the same bytes."""
        return json.dumps(paper.plain(self.record()), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _written(value: float | None, unit: str, *, signed: bool = False) -> str:
    if value is None:
        return "not known"
    sign = "+" if signed else ""
    if unit != "share":
        return f"{value:{sign}.3g}" + (" pupils" if unit == "pupils" else "")
    return f"{value * 100:{sign}.2f} " + ("points" if signed else "%")


def _dumbbells(lines: list[Line], title: str) -> Figure:
    """A line from target (ring) to achieved (disc) for each figure, the tolerance shaded; the numbers at its right."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from otrack_risk.display.figures import BAR, GRID, INK, MARK

    style: dict[Any, Any] = {
        "font.size": 8.5,
        "font.family": "DejaVu Sans",
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with rc_context(style):
        figure = Figure(figsize=(7.2, 1.4 + 0.36 * len(lines)), layout="constrained")
        axes = figure.subplots()
        for place, line in enumerate(lines):
            want, got, wide = line.target or 0.0, line.achieved or 0.0, line.tolerance or 0.0
            colour = BAR if line.within else MARK
            axes.barh(place, 2 * wide, left=want - wide, height=0.6, color=GRID)
            axes.plot([want, got], [place, place], color=colour, linewidth=2)
            axes.plot([want], [place], "o", markersize=7, color="white", markeredgecolor=INK)
            axes.plot([got], [place], "o" if line.within else "X", markersize=5, color=colour)
            words = f"{want * 100:.1f} → {got * 100:.1f} %" + ("" if line.within else "  outside")
            axes.annotate(words, (1.02, place), xycoords=("axes fraction", "data"), va="center", color=INK)
        axes.set_yticks(range(len(lines)), [_in_two(f"{line.what}, of {line.among}") for line in lines])
        axes.set_ylim(len(lines) - 0.4, -0.6)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x * 100:.0f} %")
        axes.grid(axis="x", color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
        figure.supxlabel("ring: target, disc: achieved, grey: tolerance, cross: achieved and outside it", fontsize=8.5)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold", color=INK)
    return figure


def _in_two(words: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(words, 52, max_lines=2, placeholder=" …"))
