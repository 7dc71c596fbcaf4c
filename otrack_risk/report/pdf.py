"""The report on paper: one tagged PDF (PDF/UA-1) of every page, written by Typst.

The template reads one JSON document and sets every word of it as a string, so that nothing in a label, a table
or a note is read as markup. A character that the font lacks, or that shows as nothing, is printed as U+XXXX.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from otrack_risk import reference
from otrack_risk.errors import ReportError
from otrack_risk.report.page import About, Page, ShownResult
from otrack_risk.report.printed import (
    Legible,
    Node,
    ascii_only,
    author,
    covered,
    fonts,
    heading,
    legible,
    run,
    table,
    terms,
    words,
)

TEMPLATES = Path(__file__).parent / "templates"
INVENTED = "SYNTHETIC: no person on these pages exists."
_REAL_WORD = "REAL DATA"  # in the head of every page that is not synthetic
REAL = (
    "REAL DATA. These are counts of real people. Give these pages only to people who are named and need them, keep "
    "them where the data are kept, and delete them when the decision is made."
)
ACCESSIBLE = (
    "This file is written as PDF/UA-1, which Typst's ua-1 check accepted; the same layout is checked in the tests of "
    "otrack_risk with the pdfua package, which knows a part of the rules. Checked with Typst's ua-1 and the pdfua "
    "package; veraPDF was not run. The first cell of a table's row is not tagged as a header."
)


def pdf(
    pages: Sequence[Page],
    about: About,
    document: Mapping[str, Any],
    run_id: str,
    questions: Iterable[tuple[str, str]] = (),
) -> bytes:
    """The whole report as one PDF/UA-1 file: same arguments, same bytes.

    Parameters
    ----------
    pages : in the order to be read
    document : ``results.json``, of which ``parameters``, ``not_measured`` and, if it has one,
        ``as_of`` (an ISO date, the file's date of creation) are read. Without ``as_of`` the first day that a
        result says it speaks for is taken; without that the file has no date.
    run_id : at the foot of each page
    questions : (question, key of the result that answers it), answered on the first page; if none, the results
        that have a headline stand there

    Raises
    ------
    ReportError
        Typst refused even plain characters without figures; its message is withheld, because it may quote a label.

    Notes
    -----
    A table's font goes down to 7 points, then the page turns, then its columns are dealt over several tables, each
    with the first column. Text of over 3,000 characters (240 in a cell) and rows after the 400th are left to the
    CSV, and the page says so. Right-to-left letters are set; marks that turn the direction are printed as U+XXXX.
    """
    import typst

    for known, drawable in ((covered(), None), (covered(), _drawable), (ascii_only(), lambda _: False)):
        content = _content(pages, about, document, run_id, list(questions), functools.partial(legible, known), drawable)
        try:
            made = typst.compile(
                (TEMPLATES / "report.typ").read_bytes(),
                root=TEMPLATES,
                font_paths=fonts(),
                ignore_system_fonts=True,
                sys_inputs={"report": json.dumps(content)},
                format="pdf",
                pdf_standards=["ua-1"],
                timestamp=0,
            )
            return bytes(made)
        except typst.TypstError:
            continue
    raise ReportError("the PDF could not be set; its message is withheld.", "report.pdf is missing; tell the authors.")


def _content(
    pages: Sequence[Page],
    about: About,
    document: Mapping[str, Any],
    run_id: str,
    questions: list[tuple[str, str]],
    say: Legible,
    drawable: Callable[[str], bool] | None,
) -> dict[str, Any]:
    """The JSON document that the template draws."""
    title = say(about.title, 200).strip() or "Report"
    mark = about.mark()
    worded = mark or _REAL_WORD
    shown = [result for one in pages for result in one.results]
    chapters: list[dict[str, Any]] = [
        {"mark": worded, "nodes": _first(pages, about, questions, say)},
        {"mark": worded, "nodes": [heading(1, "Contents"), {"kind": "contents"}]},
        {"mark": worded, "nodes": _limits(shown, about, document, say)},
    ]
    for one in pages:
        own = about.mark(one)
        nodes: list[Node] = [heading(1, say(one.title, 200))]
        for block in one.blocks:
            nodes += _result(block.result, about, own, say, drawable) if block.result else author(block.html, say)
        chapters.append({"mark": own or _REAL_WORD, "nodes": _in_order(nodes)})
    chapters.append({"mark": worded, "nodes": _made_from(about, document, run_id, say)})
    if meanings := _meanings(shown, say):
        chapters.append({"mark": worded, "nodes": meanings})
    day = _day(document, shown)
    return {
        "title": f"{mark}: {title}" if mark else title,
        "short_title": title,
        "line": say(about.line, 400),
        "banner": INVENTED if mark else REAL,
        "foot": say(f"Run {run_id}", 200, 80),
        "date": None if day is None else {"year": day.year, "month": day.month, "day": day.day},
        "chapters": chapters,
    }


def _first(pages: Sequence[Page], about: About, questions: list[tuple[str, str]], say: Legible) -> list[Node]:
    """The answers in short."""
    shown = [result for one in pages for result in one.results]
    first = {result.answers: result for result in reversed(shown)}
    asked = [(question, first[key]) for question, key in questions if key in first]
    short = asked or [(result.heading or result.id, result) for result in shown if result.headline]
    numbers = [[say(number, 40, 16), say(of, 200)] for _, result in short for number, of in result.headline]
    answers = [[say(question, 200), say(f"{result.sentence} ({result.id})")] for question, result in short]
    nodes: list[Node] = []
    if short:
        nodes = [heading(1, "In short"), {"kind": "headline", "entries": numbers}, terms(answers)]
    return nodes


def _limits(shown: Sequence[ShownResult], about: About, document: Mapping[str, Any], say: Legible) -> list[Node]:
    """What was not looked for or not measured, and what the pages cannot tell."""
    not_measured = {str(what): str(why) for what, why in (document.get("not_measured") or {}).items()}
    for result in shown:
        if result.key == "not_looked_for" and isinstance(result.record, Mapping):
            told = [str(result.record.get(part) or "") for part in ("question", "reason", "mend")]
            not_measured[told[0]] = f"{told[1]} {told[2]}".strip()
    nodes = [heading(1, "What was not looked for, and limits")]
    if not_measured:
        nodes.append(words("None of these may be read as 'none found'."))
        nodes.append(terms([[say(what, 300), say(why)] for what, why in not_measured.items()]))
    else:
        nodes.append(words("No question was left out."))
    nodes.append(heading(2, "Limits"))
    nodes += [words(say(line)) for line in (*about.footer, ACCESSIBLE)]
    return nodes


def _made_from(about: About, document: Mapping[str, Any], run_id: str, say: Legible) -> list[Node]:
    """Inputs with their hashes, parameters, and the run."""
    nodes = [heading(1, "What this was made from"), words(say(f"Run {run_id}", 200, 80))]
    if about.inputs:
        columns = [c for c in ("name", "seen", "rows", "skipped", "columns", "sha256") if c in about.inputs[0]]
        rows = [[entry.get(column, "") for column in columns] for entry in about.inputs]
        nodes += [heading(2, "Tables read"), *table(columns, rows, "Tables read; kept + skipped = seen", "", say)]
    given = [
        [name, "not given" if value in (None, "") else value]
        for name, value in _leaves(document.get("parameters") or {})
    ]
    if given:
        nodes += [heading(2, "Parameters"), *table(["parameter", "value"], given, "As they were given", "", say)]
    if about.notes:
        entries = [run(say(note)) for note in about.notes]
        nodes += [heading(2, "Notes on the reading"), {"kind": "list", "ordered": False, "entries": entries}]
    return nodes


def _meanings(shown: Sequence[ShownResult], say: Legible) -> list[Node]:
    """Each measure once: its formula, what it counts, what it assumes, and what it does not tell."""
    entries = {entry["key"]: entry for entry in reference.load("explanations").entries.get("explanation", [])}
    first = {result.key: result for result in reversed(shown)}
    nodes: list[Node] = []
    for key, result in sorted(first.items(), key=lambda item: shown.index(item[1])):
        if not result.explained:
            continue
        at = ", ".join(other.id for other in shown if other.key == key)
        nodes.append(heading(2, say(f"{key.replace('_', ' ')} ({at})", 200), listed=False))
        nodes.append(terms([[say(term, 80), say(text)] for term, text in result.explained], small=True))
        if worked := entries.get(key, {}).get("worked"):
            nodes += table(worked["columns"], worked["rows"], f"Worked by hand: {worked['of']}", "", say)
            nodes.append(words(say(worked["so"])))
    return [heading(1, "What the measures mean"), *nodes] if nodes else []


def _result(
    result: ShownResult, about: About, mark: str, say: Legible, drawable: Callable[[str], bool] | None
) -> list[Node]:
    """Sentence, figure and table of one result."""
    nodes = [{**words(say(f"{result.id}. {result.sentence}")), "with_next": bool(result.figure)}]
    marked = f" ({mark})" if mark else ""
    path = about.path("tables", f"{result.stem}.csv")
    rows = result.table["rows"]
    if result.figure and (drawable is None or drawable(result.figure)):
        caption = f"Figure {result.id}{marked}. Data: {path}" if rows else f"Figure {result.id}{marked}"
        node = {"kind": "figure", "svg": result.figure, "alt": say(result.alt(mark)), "caption": say(caption, 300)}
        nodes.append(node)
    elif result.figure:
        nodes.append({"kind": "note", "text": f"Figure {say(result.id)} could not be drawn here; see its file."})
    if rows:
        nodes += table(result.table["columns"], rows, f"Table {result.id}{marked}", path, say)
    return nodes


def _in_order(nodes: list[Node]) -> list[Node]:
    """The nodes, no heading more than one level below the last."""
    level = 1
    for node in nodes:
        if node["kind"] == "heading":
            node["level"] = level = max(1, min(node["level"], level + 1))
    return nodes


def _leaves(value: object, name: str = "") -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [leaf for key, inner in value.items() for leaf in _leaves(inner, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list | tuple):
        return [(name, ", ".join(map(str, value)))]
    return [(name, value)]


def _day(document: Mapping[str, Any], shown: Sequence[ShownResult]) -> date | None:
    said = [document.get("as_of"), *(r.record.get("as_of") for r in shown if isinstance(r.record, Mapping))]
    for text in said:
        try:
            return date.fromisoformat(str(text)[:10])
        except ValueError:
            continue
    return None


def _drawable(svg: str) -> bool:
    """Whether Typst can draw the figure by itself."""
    import typst

    try:
        source = b'#image(bytes(json(bytes(sys.inputs.svg))), format: "svg", alt: "figure")'
        typst.compile(
            source, root=TEMPLATES, font_paths=fonts(), ignore_system_fonts=True, sys_inputs={"svg": json.dumps(svg)}
        )
    except (typst.TypstError, UnicodeError):
        return False
    return True
