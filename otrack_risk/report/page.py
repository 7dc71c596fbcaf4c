"""One self-contained page from an executed notebook, and the overview of all of them.

A page knows a result only by what it carries: key, sentence, table, figure, record. It opens from
``file://``, asks nothing of any network (its Content-Security-Policy says so to the browser), and
every picture has its sentence as alt text and its numbers beneath it.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from otrack_risk import reference
from otrack_risk.display import tables
from otrack_risk.display.results import MIME
from otrack_risk.report.trail import calls

SYNTHETIC = "SYNTHETIC"  # the watermark of whatever is made from invented data
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
    files: Mapping[str, str] = field(default_factory=dict)  # further files, text by name
    function: str = ""  # the function that made it, with its module; "" where the notebook does not tell

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

    def table_marked(self, mark: str) -> str:
        """The table as HTML, with a word such as SYNTHETIC in its caption."""
        return _focusable(self.table["columns"], self.table["rows"], f"Table {self.id}", mark)

    def alt(self, mark: str) -> str:
        """What the figure shows to somebody who does not see it: its finding, and where the numbers are."""
        return f"{mark}{': ' if mark else ''}Figure {self.id}. {self.sentence} Its numbers are in table {self.id}."

    @property
    def explained(self) -> list[tuple[str, str]]:
        """Its entry in explanations.toml, as (term, text)."""
        entry = self._entry()
        return [(term, entry[name]) for name, term in _TERMS.items() if entry.get(name)]

    @property
    def worked_html(self) -> str:
        """A table of that entry that can be worked by hand, and its result in words; "" where it has none."""
        worked = self._entry().get("worked")
        if not worked:
            return ""
        table = _focusable(worked["columns"], worked["rows"], f"{self.id}, worked by hand: {worked['of']}", "")
        return f"{table}<p>{html.escape(worked['so'])}</p>"

    def _entry(self) -> Mapping[str, Any]:
        entries = reference.load("explanations").entries.get("explanation", [])
        return next((entry for entry in entries if entry["key"] == self.key), {})


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
    parameters: Mapping[str, object] = field(default_factory=dict)  # as they were resolved, without directories

    @property
    def of_the_data(self) -> bool:
        """Whether it was given the data; False where it makes synthetic schools of its own."""
        return not self.parameters or "dataset" in self.parameters

    @property
    def parameters_html(self) -> str:
        """The parameters as HTML; "" where there are none."""
        rows = [[name, str(value) if value != "" else "(empty)"] for name, value in self.parameters.items()]
        return _focusable(["parameter", "value"], rows, f"Parameters: {self.title}", "") if rows else ""

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
    run_id: str = ""  # SHA-256 of inputs, parameters and code; at the foot of every page

    @property
    def input_hash(self) -> str:
        """SHA-256 over a line ``NAME SHA256`` for each table read, sorted; "" where none was."""
        lines = sorted(f"{entry['name']} {entry['sha256']}\n" for entry in self.inputs)
        return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""

    def mark(self, one: Page | None = None) -> str:
        """The watermark of a page, or of the overview: SYNTHETIC, or ""."""
        return SYNTHETIC if self.synthetic or (one is not None and not one.of_the_data) else ""

    def path(self, folder: str, name: str) -> str:
        """Where a file of a result lies in the pack: ``tables/synthetic-B3-risk.csv``."""
        return f"{folder}/{'synthetic-' if self.synthetic else ''}{name}"


def page(name: str, executed: Any) -> Page:
    """The page of an executed notebook: its words and its results, in order."""
    import mistune

    as_words = mistune.create_markdown(escape=True, plugins=["table"])
    blocks: list[Block] = []
    title, heading, made_by = name, "", iter(calls(executed))
    count = 0
    parameters: dict[str, object] = {}
    for cell in executed.cells:
        if cell.cell_type == "markdown":
            words = cell.source
            if words.startswith("# "):
                title, _, words = words[2:].partition("\n")
            headings = [line.lstrip("# ") for line in words.splitlines() if line.startswith("##")]
            heading = headings[-1] if headings else heading
            if words.strip():
                blocks.append(Block(html=str(as_words(words))))
        elif cell.cell_type == "code":
            if {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", [])):
                parameters |= _assigned(cell.source)
            for output in cell.outputs:
                count += 1
                _, function = next(made_by)
                blocks.append(Block(result=_shown(name, count, heading, output["data"][MIME], function or "")))
    return Page(name, title.strip(), tuple(blocks), parameters)


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
    return _filled(
        "index",
        pages=pages,
        about=about,
        short=short,
        inputs=_focusable(columns, rows, "Tables read; kept + skipped = seen", about.mark()) if rows else "",
        notes=about.notes,
        not_measured=not_measured,
        agreement=_agreement(),
    )


def _shown(page_name: str, count: int, heading: str, payload: dict[str, Any], function: str = "") -> ShownResult:
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
        files=payload.get("files", {}),
        function=function,
    )


def _focusable(columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str, mark: str) -> str:
    """The table in a box that scrolls sideways on a narrow screen, and that the keyboard reaches for it."""
    named = html.escape(tables.visible(caption), quote=True)
    whole = tables.as_html(columns, rows, f"{caption} ({mark})" if mark else caption)
    return whole.replace("<div ", f'<div tabindex="0" role="group" aria-label="{named}, scrolls sideways" ', 1)


def _agreement() -> str:
    """What other tools publish of tables that are free to read, beside what is measured here."""
    rows = [
        [
            entry["measure"],
            entry["table"],
            f"{entry['tool']} {entry['version']}",
            entry["theirs"],
            entry["ours"],
            "yes" if entry["equal"] else f"no: {entry['why']}",
            entry["source"],
        ]
        for entry in reference.load("agreement").entries["agreement"]
    ]
    columns = ["measure", "of the table", "other tool", "theirs", "ours", "equal", "published in"]
    return _focusable(columns, rows, "What other tools publish of the same tables", "")


def _assigned(source: str) -> dict[str, object]:
    """The names that a cell of parameters gives a literal to."""
    found: dict[str, object] = {}
    for statement in ast.parse(source).body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.expr):
            found[target.id] = ast.literal_eval(value)
    return found


def _legible(value: object) -> object:
    """Text without controls and marks of writing direction; markup made here is left alone."""
    return tables.visible(value) if type(value) is str else value


def _filled(name: str, **values: object) -> str:
    import jinja2

    loader = jinja2.PackageLoader("otrack_risk.report", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined, finalize=_legible
    )
    return environment.get_template(f"{name}.html.j2").render(**values)
