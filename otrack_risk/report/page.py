"""One self-contained page from an executed notebook, and the overview of all of them.

A page knows a result only by what it carries: key, sentence, table, figure, record. It opens from
``file://``, asks nothing of any network (its Content-Security-Policy says so to the browser), and
every picture has its sentence as alt text and its numbers beneath it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from otrack_risk import reference
from otrack_risk.display import tables
from otrack_risk.display.results import MIME

_TERMS = {
    "sentence": "In words",
    "formula": "Formula",
    "counts": "What is counted, of how many",
    "assumptions": "Assumptions",
    "averaged_over": "Averaged over",
    "not_told": "What it does not tell",
    "other_tools": "Other tools say",
    "source": "Source",
}


@dataclass(frozen=True)
class ShownResult:
    """One result of a page: what the notebook's output carried, and its number."""

    id: str  # "B3": the initial of its page, and its place there
    page: str
    heading: str
    key: str
    headline: list[list[str]]  # numbers, each with its words
    sentence: str
    record: Any
    table: dict[str, Any]
    figure: str  # SVG, or ""

    @property
    def answers(self) -> str:
        """The key of the question it answers, also where the answer is that nobody looked."""
        return str(self.record["instead_of"]) if self.key == "not_looked_for" else self.key

    @property
    def stem(self) -> str:
        """The file name, without suffix, of its figure and its table."""
        return f"{self.id}-{self.key}"

    @property
    def image(self) -> str:
        """The figure as a data URI, or ""."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.figure.encode()).decode() if self.figure else ""

    @property
    def table_html(self) -> str:
        """The table as HTML, captioned."""
        return tables.as_html(self.table["columns"], self.table["rows"], f"Table {self.id}")

    @property
    def explained(self) -> list[tuple[str, str]]:
        """Its entry in explanations.toml, as (term, text)."""
        entries = reference.load("explanations").entries.get("explanation", [])
        entry = next((entry for entry in entries if entry["key"] == self.key), {})
        return [(term, entry[name]) for name, term in _TERMS.items() if entry.get(name)]


@dataclass(frozen=True)
class Block:
    """A passage of the author's words as HTML, or a result."""

    html: str = ""
    result: ShownResult | None = None


@dataclass(frozen=True)
class Page:
    """One notebook as it is read."""

    name: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def results(self) -> list[ShownResult]:
        """The results, in order."""
        return [block.result for block in self.blocks if block.result is not None]

    @property
    def questions(self) -> list[str]:
        """The headings under which a result stands, in order, once each."""
        return list(dict.fromkeys(result.heading for result in self.results))


@dataclass(frozen=True)
class About:
    """What every page of a report says of itself."""

    title: str
    line: str  # input, day it speaks for, version
    synthetic: bool
    footer: tuple[str, ...]
    inputs: tuple[dict[str, object], ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)


def page(name: str, executed: Any) -> Page:
    """The page of an executed notebook: its words and its results, in order."""
    import mistune

    blocks: list[Block] = []
    title, heading, count = name, "", 0
    for cell in executed.cells:
        if cell.cell_type == "markdown":
            words = cell.source
            if words.startswith("# "):
                title, _, words = words[2:].partition("\n")
            headings = [line.lstrip("# ") for line in words.splitlines() if line.startswith("##")]
            heading = headings[-1] if headings else heading
            if words.strip():
                blocks.append(Block(html=str(mistune.html(words))))
        elif cell.cell_type == "code":
            for output in cell.outputs:
                count += 1
                blocks.append(Block(result=_shown(name, count, heading, output["data"][MIME])))
    return Page(name, title.strip(), tuple(blocks))


def render(one: Page, pages: Sequence[Page], about: About) -> str:
    """The page as HTML."""
    return _filled("page", page=one, pages=pages, about=about)


def overview(
    pages: Sequence[Page], about: About, questions: Iterable[tuple[str, str]], not_measured: dict[str, str]
) -> str:
    """``index.html``: the answers in short, each with a link to where it stands.

    Parameters
    ----------
    questions : (question, key of the result that answers it), in the order to be read
    not_measured : what this version or this data could not answer, and why
    """
    first = {result.answers: result for one in reversed(pages) for result in reversed(one.results)}
    short = [(question, first[key]) for question, key in questions if key in first]
    columns = ["name", "rows", "columns", "skipped", "sha256"]
    rows = [[entry[column] for column in columns] for entry in about.inputs]
    inputs = tables.as_html(columns, rows, "Tables read; kept + skipped = seen")
    return _filled(
        "index", pages=pages, about=about, short=short, inputs=inputs, notes=about.notes, not_measured=not_measured
    )


def _shown(page_name: str, count: int, heading: str, payload: dict[str, Any]) -> ShownResult:
    return ShownResult(
        id=f"{page_name[0].upper()}{count}",
        page=page_name,
        heading=heading,
        key=payload["key"],
        headline=payload["headline"],
        sentence=payload["sentence"],
        record=payload["record"],
        table=payload["table"],
        figure=payload["figure"],
    )


def _filled(name: str, **values: object) -> str:
    import jinja2

    loader = jinja2.PackageLoader("otrack_risk.report", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(f"{name}.html.j2").render(**values)
