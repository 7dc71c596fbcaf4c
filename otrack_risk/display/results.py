"""The one mixin that shows a result in a notebook, a terminal and JSON.

A result is a small frozen dataclass with a ``key`` and four methods; everything that anybody
sees of it is built from those here.
"""

from __future__ import annotations

import base64
import html
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk.display import tables

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

MIME = "application/vnd.otrack-risk.result+json"  # what a notebook's output carries for the report


class Shown(ABC):
    """Shows what its four methods say.

    ``published`` is the gate to paper: notebook and report call it, the command line's
    ``--json`` does not. A result that holds cells (people counted by school, role, category
    or field value) overrides it and returns a copy with the small ones hidden.
    """

    key: ClassVar[str]  # its entry in explanations.toml, and in results.json

    @abstractmethod
    def sentence(self) -> str:
        """What was measured, of whom, in plain words with both numbers of every ratio."""

    @abstractmethod
    def table(self) -> pl.DataFrame:
        """The counts behind the sentence."""

    def figure(self) -> Figure | None:
        """The picture, where people would rather look; its alt text is the sentence."""
        return None

    def headline(self) -> tuple[tuple[str, str], ...]:
        """The numbers, each with its words, that a report opens with; most results have none."""
        return ()

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """Plain values for JSON; None with a ``reason`` where a number is not defined."""

    def further_files(self) -> Mapping[str, str]:
        """Further files, text by name, that a report puts beside its pages; most results have none."""
        return {}

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """The result as paper may have it."""
        return self

    def __str__(self) -> str:
        """The terminal view: sentence and table."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        frame = self.table()
        drawn = Table(*(name.replace("_", " ") for name in frame.columns), box=None, pad_edge=False)
        for row in frame.iter_rows():
            drawn.add_row(*(Text(tables.cell(name, value)) for name, value in zip(frame.columns, row, strict=True)))
        out = io.StringIO()
        console = Console(file=out, width=120 if frame.width <= 9 else 220, highlight=False)
        console.print(Text(self.sentence()))
        if frame.height:
            console.print()
            console.print(drawn)
        return out.getvalue().rstrip("\n")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:
        shown = self.published()
        figure, sentence, frame = shown.figure(), shown.sentence(), shown.table()
        svg = "" if figure is None else _svg(figure)
        return {
            "text/plain": str(shown),
            "text/html": _html(sentence, svg, frame),
            MIME: {
                "key": self.key,
                "headline": shown.headline(),
                "sentence": sentence,
                "record": tables.plain(shown.record()),
                "table": tables.rows_of(frame),
                "figure": svg,
                "files": dict(shown.further_files()),
            },
        }


@dataclass(frozen=True)
class NotLookedFor(Shown):
    """A question that was not asked of this data, and why: never to be read as "none found"."""

    key: ClassVar[str] = "not_looked_for"
    question: str
    reason: str
    mend: str
    instead_of: str  # key of the result that would have answered it

    def sentence(self) -> str:
        return f"Not looked for: {self.question}. {self.reason} {self.mend}"

    def table(self) -> pl.DataFrame:
        return tables.table({"question": [self.question], "why": [self.reason], "to find out": [self.mend]}).clear()

    def record(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "instead_of": self.instead_of,
            "value": None,
            "reason": self.reason,
            "mend": self.mend,
        }


def document(
    command: str,
    inputs: list[dict[str, object]],
    parameters: Mapping[str, object],
    result: object,
    notes: list[str],
    version: str,
) -> str:
    """The one JSON document of a command, as the contract has it; NaN and Infinity are refused."""
    content = {
        "schema": f"otrack-risk/{command}/1",
        "tool": {"version": version},
        "input": inputs,
        "parameters": dict(parameters),
        "result": result,
        "notes": notes,
    }
    return json.dumps(tables.plain(content), indent=2, ensure_ascii=False, allow_nan=False, sort_keys=False)


def _html(sentence: str, svg: str, frame: pl.DataFrame) -> str:
    picture = ""
    if svg:
        data = base64.b64encode(svg.encode()).decode()
        picture = f'<figure><img alt="{html.escape(sentence)}" src="data:image/svg+xml;base64,{data}"></figure>'
    rows = tables.as_html(frame.columns, frame.rows(), "The numbers") if frame.height else ""
    return f'<div class="result"><p class="sentence">{html.escape(sentence)}</p>{picture}{rows}</div>'


def _svg(figure: Figure) -> str:
    from otrack_risk.display.figures import svg

    return svg(figure)
