from __future__ import annotations

import io
import itertools
import re
import time
from datetime import date

import pikepdf
import pypdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otrack_risk.report import page, pdf, printed

RUN = "0123456789abcdef" * 4
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="200pt" height="100pt" viewBox="0 0 200 100">'
    '<rect x="10" y="10" width="120" height="40" fill="#31446b"/></svg>'
)
CANARY = "Zebedee Quillfeather"
HOSTILE = [
    '#import "@preview/evil:1.0.0": *',
    '#read("/etc/passwd")',
    "{{ 7 * 7 }}",
    "\\input{x} $x^2$ #sys.version",
    '"); #panic("x") //',
    "<script>alert(1)</script>",
    "*bold* _em_ = Heading `raw` @ref <label>",
    "\x00\x01\x1b[31m\x7f\x85",
    "\u202eabc\u202c\u200f\u2066\ufeff\u00ad\u200d",
    "\ud800 alone \udfff",
    "\U0001f600\ue000\U0010ffff\ufffe\u0e01\u4e2d\u0627\u0644",
    "a" + "\u0301" * 60,
    "\u0301 mark first",
    "=cmd|'/c calc'!A1",
    "x" * 1_000_000,
    "word " * 200_000,
    "",
    " \n\t ",
]


def about(synthetic=True, **changes):
    fields = {
        "title": "A report",
        "line": "as of a day",
        "synthetic": synthetic,
        "footer": ("Proposals for a named person to weigh.",),
        "inputs": ({"name": "pupils", "rows": 3, "columns": 2, "skipped": 0, "sha256": "ab" * 32},),
    }
    return page.About(**(fields | changes))


def result(
    name="P1", heading="How many?", sentence="1,204 children.", columns=("role", "children"), rows=None, figure=SVG
):
    rows = [["teacher", 12], ["office", "fewer than 5"]] if rows is None else rows
    return page.ShownResult(
        id=name,
        page="one",
        heading=heading,
        key="k_anonymity",
        headline=[["1,204", "children"]],
        sentence=sentence,
        record={"as_of": "2026-01-31T12:00:00Z"},
        table={"columns": list(columns), "rows": rows},
        figure=figure,
    )


def one_page(*results, html="<p>Words, <strong>bold</strong>.</p>\n<h2>How many?</h2><ul><li>a</li><li>b</li></ul>"):
    blocks = (page.Block(html=html), *(page.Block(result=shown) for shown in results))
    return page.Page("one", "What if this leaks?", blocks)


def made(*results, about=about(), html=None, document=None):  # noqa: B008
    shown = one_page(*results) if html is None else one_page(*results, html=html)
    document = document or {"parameters": {"seed": 7}, "not_measured": {"loss": "not simulated"}}
    return pdf.pdf([shown], about, document, RUN)


def opened(data):
    return pikepdf.open(io.BytesIO(data))


def text_of(data):
    return [re.sub(r"[\s\u200b]+", " ", sheet.extract_text()) for sheet in pypdf.PdfReader(io.BytesIO(data)).pages]


def elements(document):
    """Every structure element as (tag, element), in reading order."""
    found, waiting = [], [document.Root.StructTreeRoot]
    while waiting:
        node = waiting.pop()
        if isinstance(node, pikepdf.Array):
            waiting.extend(reversed(list(node)))
        elif isinstance(node, pikepdf.Dictionary):
            if "/S" in node:
                found.append((str(node.S).lstrip("/"), node))
            if "/K" in node:
                waiting.append(node.K)
    return found


@pytest.fixture(scope="module")
def plain():
    return made(result())


def test_the_file_says_its_title_language_and_that_it_is_tagged(plain):
    with opened(plain) as document:
        root = document.Root
        assert bool(root.MarkInfo.Marked)
        assert str(root.Lang) == "en-GB"
        assert bool(root.ViewerPreferences.DisplayDocTitle)
        assert str(document.docinfo.Title) == "SYNTHETIC: A report"
        assert document.open_metadata()["pdfuaid:part"] == "1"


def test_tables_have_header_cells_figures_have_alt_text_and_headings_descend_one_at_a_time(plain):
    with opened(plain) as document:
        tagged = elements(document)
        tags = [tag for tag, _ in tagged]
        heads = [element for tag, element in tagged if tag == "THead"]
        assert len(heads) == tags.count("Table") >= 3
        for head in heads:
            assert {str(cell.S) for cell in head.K[0].K} == {"/TH"}
            assert all(
                str(cell.A[0].Scope if isinstance(cell.A, pikepdf.Array) else cell.A.Scope) == "/Column"
                for cell in head.K[0].K
            )
        figures = [str(element.Alt) for tag, element in tagged if tag == "Figure" and "/Alt" in element]
        assert "SYNTHETIC: Figure P1. 1,204 children. Its numbers are in table P1." in figures
        levels = [int(tag[1]) for tag in tags if re.fullmatch(r"H\d", tag)]
        assert levels[0] == 1
        assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_every_page_and_heading_is_a_bookmark(plain):
    names = [str(item["/Title"]) for item in _flat(pypdf.PdfReader(io.BytesIO(plain)).outline)]
    for name in ("In short", "What was not looked for, and limits", "What if this leaks?", "How many?"):
        assert name in names


def _flat(outline):
    return [inner for item in outline for inner in (_flat(item) if isinstance(item, list) else [item])]


def test_each_page_has_its_number_the_run_and_the_watermark(plain):
    pages = text_of(plain)
    assert len(pages) >= 5
    for number, text in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in text
        assert RUN in text
        assert "SYNTHETIC" in text


def test_real_data_is_said_to_be_real_on_each_page_and_never_synthetic():
    pages = text_of(made(result(), about=about(synthetic=False)))
    assert all("REAL DATA" in text for text in pages)
    assert "delete them" in pages[0]
    assert not any("SYNTHETIC" in text for text in pages)


def test_a_page_of_invented_schools_in_a_report_on_real_data_is_marked_synthetic():
    invented = page.Page("who", "Who is singled out?", (page.Block(result=result()),), {"seed": 0})
    pages = text_of(pdf.pdf([one_page(result()), invented], about(synthetic=False), {}, RUN))
    marked = [text for text in pages if "SYNTHETIC" in text]
    assert marked
    assert all("REAL DATA" not in text for text in marked)


def test_what_was_not_looked_for_and_that_verapdf_was_not_run_stand_on_a_page(plain):
    (limits,) = [text for text in text_of(plain) if "None of these may be read" in text]
    assert "loss not simulated" in limits
    assert "veraPDF was not run" in limits


def test_pdfua_finds_no_fault(plain, tmp_path):
    import pdfua

    (tmp_path / "r.pdf").write_bytes(plain)
    report = pdfua.validate(str(tmp_path / "r.pdf"))
    assert report.exit_code == 0
    assert not list(report.findings)


def test_the_same_arguments_give_the_same_bytes_at_another_time(plain):
    time.sleep(1.1)  # PDF dates count whole seconds
    assert made(result()) == plain


def test_the_file_is_dated_by_the_day_that_it_speaks_for(plain):
    with opened(plain) as document:
        assert str(document.docinfo.CreationDate).startswith("D:20260131")
    with opened(made(result(), document={"as_of": date(2026, 9, 1).isoformat()})) as document:
        assert str(document.docinfo.CreationDate).startswith("D:20260901")


def test_a_long_table_repeats_its_header_on_each_page():
    rows = [[f"role {number}", number] for number in range(180)]
    pages = [text for text in text_of(made(result(rows=rows))) if "role 1" in text or "role 9" in text]
    assert len(pages) >= 3
    assert all("role children" in text for text in pages)


def test_rows_past_the_limit_are_said_to_stand_in_the_csv():
    (node,) = printed.table(["role"], [["teacher"]] * 405, "Table P1", "tables/P1.csv", lambda text, *_: text)
    assert node["caption"] == "Table P1. The first 400 of 405 rows; all are in tables/P1.csv"
    assert len(node["rows"]) == 400


def test_a_wide_table_turns_the_page_and_a_wider_one_comes_in_parts_with_its_first_column():
    columns = [f"columnnumber{number:02}" for number in range(10)]
    with opened(made(result(columns=columns, rows=[list(range(10))]))) as document:
        boxes = [sheet.MediaBox for sheet in document.pages]
        assert any(box[2] > box[3] for box in boxes)
    columns = ["firstcolumn", *(f"columnnumber{number:02}" for number in range(30))]
    pages = text_of(made(result(columns=columns, rows=[list(range(31))])))
    parts = [text for text in pages if re.search(r"part \d of 4, by columns", text)]
    assert parts
    assert len(re.findall("firstcolumn", " ".join(parts))) == 4
    assert all(" ".join(parts).count(name) == 1 for name in columns[1:])


def test_a_character_that_the_font_lacks_is_printed_as_its_number():
    text = " ".join(text_of(made(result(sentence="Thai \u0e01, a mark \u202e and a nought \x00 here."))))
    assert "Thai [U+0E01], a mark [U+202E] and a nought [U+0000] here." in text


def test_letters_of_british_names_stay_as_they_are():
    assert printed.legible(printed.covered(), "Siân Ó Briain, Zoë, Łukasz, Ăn") == "Siân Ó Briain, Zoë, Łukasz, Ăn"


def test_a_long_cell_is_cut_and_says_how_long_it_was():
    assert printed.legible(printed.covered(), "ab " * 100, 9) == "ab ab ab  … (cut; 300 characters)"


@pytest.mark.parametrize("start", range(3))
def test_hostile_labels_need_no_second_attempt_and_keep_the_file_accessible(start, monkeypatch, tmp_path):
    import pdfua
    import typst

    attempts = []
    compiled = typst.compile
    monkeypatch.setattr(typst, "compile", lambda *given, **named: attempts.append(1) or compiled(*given, **named))
    pages = []
    for label in HOSTILE[start::3]:
        words = label.encode("utf-8", "replace").decode()
        shown = result(heading=label, sentence=label, columns=[label, label], rows=[[label, 1], [label, label]])
        html = f"<h2>{words}</h2><p>{words}</p><ul><li>{words}</li></ul>"
        pages.append(page.Page(label, label, (page.Block(html=html), page.Block(result=shown))))
    told = about(title=label, line=label, notes=(label,), footer=(label,))
    data = pdf.pdf(pages, told, {"parameters": {label: label}, "not_measured": {label: label}}, RUN)
    assert len(attempts) == 1
    assert all(f"Page {number} of" in text for number, text in enumerate(text_of(data), 1))
    (tmp_path / "r.pdf").write_bytes(data)
    assert pdfua.validate(str(tmp_path / "r.pdf")).exit_code == 0


def test_markup_of_typst_is_printed_letter_by_letter():
    text = " ".join(text_of(made(result(sentence='#read("/etc/passwd") {{ 7 * 7 }} #sys.version = a'))))
    assert '#read("/etc/passwd") {{ 7 * 7 }} #sys.version = a' in text


@pytest.mark.parametrize("figure", ["<svg", "not a picture", "\ud800"])
def test_a_broken_figure_is_left_out_and_said_to_be(figure):
    text = " ".join(text_of(made(result(figure=figure), result(name="P2"))))
    assert "Figure P1 could not be drawn here" in text
    assert "Figure P2 (SYNTHETIC)" in text


def test_what_stands_in_the_notebook_but_not_on_a_page_is_not_in_the_file():
    shown = page.Page(
        "one", "Title", (page.Block(result=result(figure=SVG.replace("<rect", f"<!--{CANARY}--><rect"))),)
    )
    shown.results[0].record["note"] = CANARY
    data = pdf.pdf([shown], about(), {"parameters": {}, "secret": CANARY}, RUN)
    with opened(data) as document:
        unpacked = io.BytesIO()
        document.save(unpacked, stream_decode_level=pikepdf.StreamDecodeLevel.all, compress_streams=False)
    whole = data + unpacked.getvalue() + " ".join(text_of(data)).encode()
    assert CANARY.encode() not in whole
    assert CANARY.encode("utf-16-be") not in whole
    assert str(printed.__file__).rsplit("/", 3)[0].encode() not in whole


LABELS = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(codec=None), max_size=12),
    st.sampled_from(HOSTILE[:14]),
    st.sampled_from(["#import ", "{{ }}", "\u202e", "\x00", "$", "\\", '"', "<a>"]).flatmap(
        lambda part: st.text(max_size=8).map(lambda rest: part + rest + part)
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    heading=LABELS,
    sentence=LABELS,
    columns=st.lists(LABELS, min_size=1, max_size=5),
    cells=st.lists(LABELS, max_size=8),
)
def test_no_text_stops_the_file(heading, sentence, columns, cells):
    rows = [cells[at : at + len(columns)] for at in range(0, len(cells), len(columns))]
    shown = page.Page("one", heading, (page.Block(result=result(sentence=sentence, columns=columns, rows=rows)),))
    data = pdf.pdf([shown], about(inputs=()), {}, RUN)
    with opened(data) as document:
        assert document.pages
