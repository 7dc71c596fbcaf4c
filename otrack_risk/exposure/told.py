"""What was found in words: the children named, of how many it tells what, and what was not looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

    from otrack_risk.exposure.results import Looked
    from otrack_risk.exposure.words import Words


@dataclass(frozen=True)
class InText(Shown):
    """What free text tells of the children of a data set; or that there is none, or that it was not read."""

    key: ClassVar[str] = "scan"
    words: Words | None
    looked: Sequence[Looked]  # the questions about free text, each in one of three states
    children: Count  # of the data set

    def sentence(self) -> str:
        if self.words is None:
            return " ".join(f"{_capital(each.what)}: {each.state} ({each.why})." for each in self.looked)
        special = self.words.special
        return (
            f"{self.words.sentence()} By the key of its row or by a name that is nobody else's, a special category fact"
            f" stands in the text of {written(special.tied)} children; of {written(special.only_in_text)} of them no"
            " column states a fact of that category."
        )

    def table(self) -> pl.DataFrame:
        rows: dict[str, tuple[object, str]] = {}
        if self.words is not None:
            scan, special = self.words.scan, self.words.special
            rows = {
                "children named in free text, for sure": (scan.subjects_named, "children"),
                "the same, with shared names and those missed": (
                    _span(scan.subjects_expected, scan.subjects_interval),
                    "",
                ),
                "children with a special category fact in free text": (special.tied, "children"),
                "children with one that no column states": (special.only_in_text, "children"),
                "children whom a note with such a fact names, for sure": (special.resolved, "children"),
                "the same, with shared names and those missed ": (_span(special.expected, special.interval), ""),
            }
        rows |= {f"looked for: {each.what}": (each.state, each.why) for each in self.looked}
        return tables.table(
            {
                "counted": [name.strip() for name in rows],
                "number": [value if isinstance(value, str) else written(value) for value, _ in rows.values()],
                "of_what": [what for _, what in rows.values()],
            }
        )

    def figure(self) -> Figure | None:
        return None if self.words is None else self.words.scan.figure()

    def record(self) -> dict[str, Any]:
        states = [{"what": each.what, "state": each.state, "why": each.why} for each in self.looked]
        found = {"state": self.looked[0].state} if self.words is None else self.words.record()
        return found | {"children": self.children, "looked_for": states}

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        children = tables.hide(self.children, hide_below)
        words = self.words and self.words.published(hide_below, self.children, children)
        return replace(self, words=words, children=children)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _span(expected: object, interval: object) -> str:
    """An estimate with its interval, in words."""
    from otrack_risk.text.results import Interval

    if not isinstance(interval, Interval) or not isinstance(expected, int | float):
        return written(None) if expected is None else written(expected)
    low, high = written(round(interval.low)), written(round(interval.high))
    return f"about {written(round(expected))} ({low} to {high})"
