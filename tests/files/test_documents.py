"""Documents: what is hidden in them is counted place by place, and what cannot be opened is said."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import polars as pl
import pytest

from otrack_risk import synth
from otrack_risk.display.tables import plain
from otrack_risk.errors import FileError
from otrack_risk.files import documents
from otrack_risk.files.results import PLACES
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.workbook import write_training_workbook

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"
DRAWN = "http://schemas.openxmlformats.org/drawingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
CORE = (
    "<c:coreProperties xmlns:c='http://schemas.openxmlformats.org/package/2006/metadata/core-properties'"
    " xmlns:d='http://purl.org/dc/elements/1.1/'><d:creator>A N Other</d:creator><d:title> </d:title>"
    "<c:lastModifiedBy>Some Body</c:lastModifiedBy></c:coreProperties>"
)
TYPE = "application/vnd.openxmlformats-officedocument."
OF_CORE = ("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml", CORE)


def package(path: Path, *parts: tuple[str, str, str], others: tuple[str, ...] = ()) -> Path:
    """An Office file of these parts (name, content type, XML)."""
    types = "".join(f"<Override PartName='/{name}' ContentType='{kind}'/>" for name, kind, _ in parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", f"<Types xmlns='urn:types'>{types}</Types>")
        for name, _, xml in parts:
            file.writestr(name, xml)
        for name in others:
            file.writestr(name, b"x")
    return path


def word(inside: str) -> tuple[str, str, str]:
    body = f"<w:document xmlns:w='{WORD}'><w:body>{inside}</w:body></w:document>"
    return "word/document.xml", f"{TYPE}wordprocessingml.document.main+xml", body


@pytest.fixture(scope="module")
def trip(tmp_path_factory):
    """The training's workbook of a whole world, and the truth about it."""
    folder = tmp_path_factory.mktemp("world")
    synth.make("primary", folder, seed=5, images=0)
    tables = {path.stem: pl.read_parquet(path) for path in folder.glob("*.parquet")}
    path = folder / "Trip list.xlsx"
    return path, write_training_workbook(path, tables, Chance(2))


def test_every_place_of_the_training_workbook_is_counted_as_it_was_planted(trip):
    path, spans = trip
    cells = spans.with_columns(
        sheet=pl.col("column").str.extract(r"^([^!]+)!"),
        letter=pl.col("column").str.extract(r"!([A-Z]+)\d"),
        number=pl.col("column").str.extract(r"![A-Z]+(\d+)"),
    )

    def distinct(place: str, column: str) -> int:
        return cells.filter(place=place)[column].n_unique()

    comments = cells.filter(pl.col("column").str.ends_with(".author"))
    expected = {
        "hidden_sheets": distinct("hidden_sheet", "sheet"),
        "very_hidden_sheets": distinct("very_hidden_sheet", "sheet"),
        "hidden_rows": distinct("hidden_row", "number"),
        "filtered_rows": distinct("filtered_row", "number"),
        "hidden_columns": distinct("hidden_column", "letter"),
        "comments": comments.height,
        "comment_authors": comments["subject"].n_unique(),
        "defined_names": distinct("defined_name", "column"),
        "pivot_cache": cells.filter(place="pivot_cache").filter(pl.col("number").is_not_null())["number"].n_unique(),
        "author": 1, "last_modified_by": 1, "manager": 1, "company": 1,
        "custom_properties": cells.filter(sheet="custom")["column"].n_unique(),
        "title": 1,  # "Trip list", which names nobody and has no label
        "program": 1,  # openpyxl says that it is Microsoft Excel
    }  # fmt: skip
    found = documents.content(path)
    assert found.kind == "xlsx"
    assert dict(found.places) == expected
    assert expected["filtered_rows"] > 1


def test_the_findings_hold_no_value_of_the_workbook(trip):
    path, _ = trip
    found = documents.look([path])
    said = json.dumps(plain(found.record())) + found.sentence() + str(found)
    with zipfile.ZipFile(path) as file:
        texts = file.read("docProps/core.xml").decode() + file.read("docProps/app.xml").decode()
    for word_of in ("<dc:creator>", "<Manager>", "<Company>"):
        value = texts.split(word_of)[1].split("<")[0]
        assert value
        assert value not in said
    assert path.name not in said
    states = {each.what: each.state for each in found.looked_for()}
    assert states["text inside pictures"] == states["words of the pages"] == "not looked for"
    assert (states["hidden sheets"], states["tracked changes"]) == ("found", "none found")
    assert set(found.record()["places"]) == set(PLACES)


# Two insertions and a deletion, of which one stands in a header; a hidden word, one that is marked as shown again, and
# hidden blanks; two comments of one person; a picture and an embedded workbook.
def test_a_text_document_gives_up_its_comments_changes_and_hidden_words(tmp_path):
    body = (
        "<w:p><w:ins w:id='1' w:author='A'><w:r><w:t>new</w:t></w:r></w:ins>"
        "<w:del w:id='2' w:author='A'><w:r><w:delText>old</w:delText></w:r></w:del></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        "<w:p><w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>shown</w:t></w:r>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t> </w:t></w:r></w:p>"
    )
    header = f"<w:hdr xmlns:w='{WORD}'><w:p><w:ins w:id='3' w:author='B'><w:r/></w:ins></w:p></w:hdr>"
    said = f"<w:comments xmlns:w='{WORD}'>" + "<w:comment w:id='1' w:author='A N Other'/>" * 2 + "</w:comments>"
    path = package(
        tmp_path / "plan.docx",
        word(body),
        ("word/header1.xml", f"{TYPE}wordprocessingml.header+xml", header),
        ("word/comments.xml", f"{TYPE}wordprocessingml.comments+xml", said),
        OF_CORE,
        others=("word/media/image1.png", "word/embeddings/sheet.xlsx"),
    )
    found = documents.content(path)
    assert found.kind == "docx"
    assert dict(found.places) == {
        "author": 1, "last_modified_by": 1, "comments": 2, "comment_authors": 1, "tracked_changes": 3,
        "hidden_text": 1, "pictures": 1, "attachments": 1,
    }  # fmt: skip


# Notes of the first slide have words, those of the second only its number; the second is hidden.
def test_slides_give_up_their_notes_and_hidden_slides(tmp_path):
    def notes(inside: str) -> str:
        text = f"<p:sp><p:txBody><a:p>{inside}</a:p></p:txBody></p:sp>"
        return f"<p:notes xmlns:p='{SLIDE}' xmlns:a='{DRAWN}'><p:cSld><p:spTree>{text}</p:spTree></p:cSld></p:notes>"

    kind = f"{TYPE}presentationml."
    path = package(
        tmp_path / "assembly.pptx",
        ("ppt/presentation.xml", f"{kind}presentation.main+xml", f"<p:presentation xmlns:p='{SLIDE}'/>"),
        ("ppt/slides/slide1.xml", f"{kind}slide+xml", f"<p:sld xmlns:p='{SLIDE}'><p:cSld/></p:sld>"),
        ("ppt/slides/slide2.xml", f"{kind}slide+xml", f"<p:sld xmlns:p='{SLIDE}' show='0'><p:cSld/></p:sld>"),
        ("ppt/notesSlides/n1.xml", f"{kind}notesSlide+xml", notes("<a:r><a:t>ask</a:t></a:r>")),
        ("ppt/notesSlides/n2.xml", f"{kind}notesSlide+xml", notes("<a:fld type='slidenum'><a:t>2</a:t></a:fld>")),
        ("ppt/comments/c1.xml", f"{kind}comments+xml", f"<p:cmLst xmlns:p='{SLIDE}'><p:cm/><p:cm/></p:cmLst>"),
        (
            "ppt/commentAuthors.xml",
            f"{kind}commentAuthors+xml",
            f"<p:cmAuthorLst xmlns:p='{SLIDE}'><p:cmAuthor name='A'/></p:cmAuthorLst>",
        ),
    )
    found = documents.content(path)
    assert found.kind == "pptx"
    assert dict(found.places) == {"speaker_notes": 1, "hidden_slides": 1, "comments": 2, "comment_authors": 1}


# Rows 2 and 3 are filtered in a table of its own part; row 5 is hidden by hand, row 6 too but empty; column B too,
# and column D, which is empty. A thread of two answers stands a second time as a comment of "tc=".
def test_filters_of_tables_empty_rows_and_threads_are_told_apart(tmp_path):
    rows = "".join(
        f"<row r='{row}'{' hidden=' + repr('1') if row in (2, 3, 5, 6) else ''}>"
        + (f"<c r='A{row}'><v>1</v></c><c r='B{row}'><v>2</v></c>" if row != 6 else "<c r='A6' s='1'/>")
        + "</row>"
        for row in range(1, 7)
    )
    sheet = (
        f"<worksheet xmlns='{SHEET}'><cols><col min='2' max='2' hidden='1'/><col min='4' max='4' hidden='1'/></cols>"
        f"<sheetData>{rows}</sheetData></worksheet>"
    )
    table = f"<table xmlns='{SHEET}'><autoFilter ref='A1:B3'><filterColumn colId='0'/></autoFilter></table>"
    comments = (
        f"<comments xmlns='{SHEET}'><authors><author>tc=1</author><author>A</author></authors><commentList>"
        "<comment authorId='0'/><comment authorId='1'/></commentList></comments>"
    )
    kind = f"{TYPE}spreadsheetml."
    book = f"<workbook xmlns='{SHEET}'><definedNames><definedName name='_xlnm.Print_Area'/></definedNames></workbook>"
    path = package(
        tmp_path / "list.xlsx",
        ("xl/workbook.xml", f"{kind}sheet.main+xml", book),
        ("xl/worksheets/sheet1.xml", f"{kind}worksheet+xml", sheet),
        ("xl/worksheets/_rels/sheet1.xml.rels", "r", "<R><Relationship Type='x/table' Target='../tables/t1.xml'/></R>"),
        ("xl/tables/t1.xml", f"{kind}table+xml", table),
        ("xl/comments1.xml", f"{kind}comments+xml", comments),
        (
            "xl/threadedComments/t.xml",
            "application/vnd.ms-excel.threadedcomments+xml",
            "<T><threadedComment/><threadedComment/></T>",
        ),
        ("xl/persons/person.xml", "application/vnd.ms-excel.person+xml", "<P><person displayName='B'/></P>"),
        ("xl/externalLinks/e1.xml", f"{kind}externalLink+xml", "<externalLink/>"),
    )
    assert dict(documents.content(path).places) == {
        "filtered_rows": 2, "hidden_rows": 1, "hidden_columns": 1, "comments": 3, "comment_authors": 2,
        "external_links": 1,
    }  # fmt: skip


def pdf(path: Path, **info: str) -> Path:
    """A page with one note and one link, written by hand; /Info says what is given."""
    said = " ".join(f"/{key} ({value})" for key, value in info.items())
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9]"
        " /Contents (ask mum) /T (A N Other) >> << /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>] >>",
        f"<< {said} >>",
    )
    held, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(held))
        held += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"trailer\n<< /Size 5 /Root 1 0 R /Info 4 0 R >>\nstartxref\n{len(held)}\n%%EOF\n"
    path.write_bytes(f"{held}xref\n0 5\n0000000000 65535 f \n{table}{end}".encode())
    return path


def test_a_pdf_gives_up_its_author_its_programs_and_its_notes(tmp_path):
    found = documents.content(pdf(tmp_path / "a.pdf", Author="A N Other", Title=" ", Producer="P", Creator="C"))
    assert found.kind == "pdf"
    assert dict(found.places) == {"author": 1, "program": 2, "comments": 1, "comment_authors": 1}


def test_a_pdf_under_a_password_is_refused_and_its_attachment_is_counted_when_open(tmp_path):
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(pdf(tmp_path / "a.pdf", Author="A")))
    writer.add_attachment("register.csv", b"name")
    writer.write(tmp_path / "open.pdf")
    assert documents.content(tmp_path / "open.pdf").places["attachments"] == 1
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "shut.pdf")
    with pytest.raises(FileError, match=r"shut\.pdf is password-protected"):
        documents.content(tmp_path / "shut.pdf")


def test_every_file_is_counted_once_and_what_cannot_be_opened_says_why(tmp_path):
    good = package(tmp_path / "a.docx", word("<w:p/>"), OF_CORE)
    whole = good.read_bytes()
    (tmp_path / "b.docx").write_bytes(b"")
    (tmp_path / "c.doc").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    (tmp_path / "d.docx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "e.rtf").write_bytes(b"{\\rtf1 words}")
    (tmp_path / "f.pdf").write_bytes(b"%PDF-1.7\nnothing else")
    package(tmp_path / "g.docx", ("word/document.xml", f"{TYPE}wordprocessingml.document.main+xml", "<w:broken"))
    package(tmp_path / "h.xlsb", ("xl/workbook.bin", "application/vnd.ms-excel.sheet.binary.macroEnabled.main", ""))
    package(tmp_path / "i.zip", ("a.xml", "text/xml", "<a/>"))
    with zipfile.ZipFile(tmp_path / "j.odt", "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.text")
    with zipfile.ZipFile(tmp_path / "k.docx", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", bytes(60_000_000))
    entity = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
    package(tmp_path / "l.docx", ("word/document.xml", f"{TYPE}wordprocessingml.document.main+xml", entity))
    paths = sorted(tmp_path.iterdir())
    told: list[int] = []
    found = documents.look([*paths, tmp_path / "gone.docx"], told.append)
    assert (found.files, found.kept, sum(told)) == (13, 1, 13)
    assert {each.why: each.files for each in found.skipped} == {
        "is empty": 1,
        "is password-protected, or of the form before 2007": 1,
        "is no Office file, or is damaged": 3,
        "is damaged, or of a form that is not opened here": 1,
        "is a damaged PDF": 1,
        "is a binary workbook (xlsb), which is not opened here": 1,
        "is a ZIP package that is no document": 1,
        "is OpenDocument, which is not opened here": 1,
        "unpacks to far more than a document packs": 1,
        "cannot be opened": 1,
    }
    assert dict(found.kinds) == {"docx": 1}


def test_an_encrypted_entry_is_said_to_be_under_a_password(tmp_path):
    path = package(tmp_path / "a.docx", word("<w:p/>"))
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag in every header of the ZIP
        start = content.find(mark)
        while start >= 0:
            content[start + at] |= 1
            start = content.find(mark, start + 4)
    path.write_bytes(content)
    with pytest.raises(FileError, match="password-protected"):
        documents.content(path)


def test_a_refusal_travels_between_processes():
    refused = documents.Refused("a.docx", "is empty", "copy it again.")
    again = pickle.loads(pickle.dumps(refused))
    assert (str(again), again.why) == (str(refused), "is empty")


def test_a_folder_is_listed_by_what_can_be_done_with_each_file(tmp_path):
    from otrack_risk.files import listed

    for name in ("a.jpg", "b/c.DOCX", "b/d.csv", "b/e.PNG"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(io.BytesIO(b"x").getvalue())
    found = listed(tmp_path)
    assert found.names == ("a.jpg", "b/e.PNG", "b/c.DOCX", "b/d.csv")
    assert [len(each) for each in (found.images, found.documents, found.other)] == [2, 1, 1]
    with pytest.raises(FileError, match="is no folder"):
        listed(tmp_path / "none")
