"""What cannot be read is refused in two lines that say what, where and how to mend it, and quote no cell."""

from __future__ import annotations

import gzip
import io
import random
import struct
import time
import traceback
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from otrack_risk import frames
from otrack_risk.errors import FileError, OtrackRiskError, ParameterError, TableError

CANARY = "Kanarienvogel"  # stands in cells only; no message may hold it


def refused(path, pattern: str, kind: type[OtrackRiskError] = FileError, **options: object) -> None:
    """Reading raises ``kind`` with a two-line message that holds no cell and chains to no other error."""
    with pytest.raises(kind, match=pattern) as caught:
        frames.read(path, **options)
    shown = "".join(traceback.format_exception(caught.value))
    assert str(caught.value).count("\n") == 1
    assert "\nMend: " in str(caught.value)
    assert "During handling" not in shown
    assert "direct cause" not in shown
    assert CANARY not in shown
    assert str(path.parent) not in str(caught.value)


def test_a_path_that_is_not_there(tmp_path):
    refused(tmp_path / "nobody.csv", "there is no file or folder 'nobody.csv'")


def test_an_unknown_suffix_lists_what_can_be_read(text_file):
    refused(text_file(CANARY, "notes.docx"), r"notes.docx: this kind of file is not read")
    with pytest.raises(FileError, match=r"\.csv \.csv\.gz \.tsv \.parquet \.feather \.xlsx \.jsonl"):
        frames.read(text_file(CANARY, "notes.docx"))


def test_a_letter_is_read_by_exposure(text_file):
    refused(text_file(f"supplier = '{CANARY}'", "letter.toml"), "letter.toml is no table")


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.jsonl", "t.parquet", "t.feather", "t.xlsx"])
def test_an_empty_file(text_file, name):
    refused(text_file(gzip.compress(b"") if name.endswith("gz") else b"", name), "is empty|cut short")


def test_a_file_of_blank_lines(text_file):
    refused(text_file("\r\n \r\n"), "pupils.csv is empty")


def test_a_header_without_rows(text_file, tmp_path):
    refused(text_file("upn,sex\n"), "pupils.csv has a header and no rows")
    pl.DataFrame(schema={"upn": pl.String}).write_parquet(tmp_path / "none.parquet")
    refused(tmp_path / "none.parquet", "none.parquet has a header and no rows")


def test_a_header_that_stands_twice(text_file):
    refused(text_file(f"upn,sex,upn\n{CANARY},F,2\n"), "the header 'upn' stands over columns 1 and 3")


def test_an_empty_header_cell_over_values(text_file):
    refused(text_file(f"upn,,sex\nX,{CANARY},F\n"), "the header of column 2 is empty, and the column holds values")


def test_most_rows_ragged(text_file):
    refused(text_file(f"a,b,c\n1,2,3\n{CANARY},2\n1,2,3,4\n1\n"), "3 of 4 rows do not have the 3 fields of the header")


def test_nul_bytes_by_byte_and_line(text_file):
    refused(text_file(f"a,b\n{CANARY},\0\n"), r"NUL byte at byte 19 \(line 2\)")
    refused(text_file(f"a,b\n{CANARY},2\n".encode("utf-16-le")), r"NUL byte at byte 2 \(line 1\)")


def test_nul_bytes_in_other_text(text_file):
    refused(text_file(f'{{"a": "{CANARY}\0"}}\n', "t.jsonl"), "NUL byte at byte 21")
    refused(text_file(f"a,b\n{CANARY},\0\n".encode("utf-16")), "NUL character when read as utf-16")


def test_bytes_that_are_no_text(text_file):
    refused(text_file(f"a,b\n{CANARY},\x81\n".encode("latin-1")), r"byte 19 \(line 2\) is not UTF-8 or cp1252")
    refused(text_file(f"a,b\n{CANARY},é\n".encode("cp1252")), "byte 19 .line 2. is not utf-8", encoding="utf-8")


def test_one_broken_byte_does_not_spoil_every_other_name(text_file):
    # As cp1252 the file would be readable, and each "Zoë" would turn into "ZoÃ«".
    content = f"a,b\n{CANARY},Zoë\nx,Zoë\ny,".encode() + b"\xe9\n"
    refused(text_file(content), r"byte 33 \(line 4\) is not UTF-8, which the rest of the file is")


def test_an_encoding_or_delimiter_that_does_not_exist(text_file):
    path = text_file(f"a,b\n{CANARY},2\n")
    refused(path, "there is no encoding 'klingon'", ParameterError, encoding="klingon")
    refused(path, "'base64' is no encoding of text", ParameterError, encoding="base64")
    refused(path, "delimiter: give one character", ParameterError, delimiter=";;")


def test_a_directory_of_nothing(tmp_path):
    (tmp_path / "school").mkdir()
    refused(tmp_path / "school", "the folder school holds no table")
    (tmp_path / "school" / "inner").mkdir()
    (tmp_path / "school" / "README.md").write_text(CANARY)
    (tmp_path / "school" / "photo.jpg").write_text(CANARY)
    refused(tmp_path / "school", "holds no table; files of other kinds")


def test_a_table_that_is_not_in_the_folder(tmp_path):
    for name in ("pupils", "staff"):
        (tmp_path / f"{name}.csv").write_text(f"a,b\n{CANARY},2\n")
    refused(tmp_path, "has no table 'parents'", TableError, table="parents")
    with pytest.raises(TableError, match="name one of: pupils, staff"):
        frames.read(tmp_path, table="parents")


@pytest.mark.parametrize("quoted", [False, True])
def test_a_field_of_256_mb_costs_neither_minutes_nor_gigabytes(tmp_path, quoted):
    path = tmp_path / "huge.csv"
    piece = (CANARY.ljust(1023, "x") + ("\n" if quoted else "x")).encode() * 1024
    with path.open("wb") as file:
        file.write(b"a,b\n1," + b'"' * quoted)
        for _ in range(256):
            file.write(piece)
        file.write(b'"' * quoted + b"\n")
    started = time.perf_counter()
    refused(path, "line 2 is longer than 64 MB" if not quoted else "row 1 has a cell of more than 16 MB")
    assert time.perf_counter() - started < 20  # about one second on an idle machine
    path.unlink()


def test_a_long_line_is_refused_before_the_file_is_held(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,")
        for _ in range(160):
            file.write(b"x" * (1 << 20))
    tracemalloc.start()
    try:
        refused(path, "longer than 64 MB")
        assert tracemalloc.get_traced_memory()[1] < 150 << 20  # bytes: the file has 160 MB
    finally:
        tracemalloc.stop()


def test_a_field_over_16_mb(text_file):
    refused(text_file('a,b\n1,"' + "x\n" * (9 << 20) + '"\n'), "column 2 has a cell of more than 16 MB")
    refused(text_file("a,b\n1\n" + "x" * (17 << 20) + ",2\n2,3\n"), "line 3 has a cell of more than 16 MB")


def test_a_gzip_bomb(tmp_path):
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"a,b\n")
        for _ in range(80):
            file.write(b"1,2\n" * (1 << 18))
    refused(path, "bomb.csv.gz unpacks to far more than a table packs")


def test_a_gzip_file_cut_short(text_file):
    packed = gzip.compress(f"a,b\n{CANARY},2\n".encode() * 99)
    refused(text_file(packed[:-20], "t.csv.gz"), "is no gzip file, or is cut short")
    refused(text_file(f"a,b\n{CANARY},2\n", "t.csv.gz"), "is no gzip file, or is cut short")


def test_a_workbook_under_the_name_of_a_csv(text_file):
    refused(text_file(b"PK\x03\x04" + CANARY.encode()), "is a workbook or ZIP file under another name")


# --- workbooks -----------------------------------------------------------------------------------


def test_a_password_protected_workbook(text_file):
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + CANARY.encode() * 99
    refused(text_file(content, "t.xlsx"), "t.xlsx is password-protected")


def test_a_workbook_that_is_no_zip(text_file):
    refused(text_file(CANARY, "t.xlsx"), "t.xlsx is no .xlsx workbook, or is damaged")


def test_a_zip_that_is_no_workbook(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as package:
        package.writestr("notes.txt", CANARY)
    refused(tmp_path / "t.xlsx", "t.xlsx is no .xlsx workbook, or is damaged")


def test_a_workbook_cut_short(tmp_path):
    frames.write(pl.DataFrame({"a": [CANARY] * 99}), tmp_path / "t.xlsx")
    content = (tmp_path / "t.xlsx").read_bytes()
    (tmp_path / "t.xlsx").write_bytes(content[:-30])
    refused(tmp_path / "t.xlsx", "is no .xlsx workbook, or is damaged")


def test_a_zip_bomb(tmp_path):
    frames.write(pl.DataFrame({"a": [CANARY]}), tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx", "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/media/image1.png", b"0" * 60_000_000)
    refused(tmp_path / "t.xlsx", "t.xlsx unpacks to far more than a table packs")


def test_a_zip_bomb_whose_directory_lies(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/workbook.xml", b"0" * 60_000_000)
    content = out.getvalue().replace(struct.pack("<I", 60_000_000), struct.pack("<I", 600))
    (tmp_path / "t.xlsx").write_bytes(content)
    refused(tmp_path / "t.xlsx", "is no .xlsx workbook, or is damaged")


def test_a_cell_so_far_away_that_no_memory_holds_the_sheet(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([CANARY, 2])
    book.active.cell(1 << 20, 1 << 14, CANARY)
    book.save(tmp_path / "t.xlsx")
    refused(tmp_path / "t.xlsx", "its cells reach to row 1,048,576 and column 16,384")


def test_a_sheet_without_a_header_or_rows(tmp_path):
    book = openpyxl.Workbook()
    book.save(tmp_path / "t.xlsx")
    refused(tmp_path / "t.xlsx", "t.xlsx holds nothing")
    book.active.append(["upn", "sex"])
    book.save(tmp_path / "t.xlsx")
    refused(tmp_path / "t.xlsx", "t.xlsx has a header and no rows")
    book.create_sheet("other")
    book.save(tmp_path / "t.xlsx")
    refused(tmp_path / "t.xlsx", "none of the 2 tables of t.xlsx has rows")


def test_a_sheet_with_an_unnamed_or_doubled_header(tmp_path):
    for header, pattern in (
        (["upn", None, "sex"], "sheet 'Pupils': the header of column 2 is empty"),
        (["upn", "sex", "upn"], "sheet 'Pupils': the header 'upn' stands over columns 1 and 3"),
    ):
        book = openpyxl.Workbook()
        book.active.title = "Pupils"
        book.create_sheet("Other")
        book.active.append(header)
        book.active.append([CANARY, CANARY, CANARY])
        book.save(tmp_path / "t.xlsx")
        refused(tmp_path / "t.xlsx", pattern)


# --- files with types of their own -----------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_a_columnar_file_cut_short(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    frames.write(pl.DataFrame({"a": [CANARY] * 999}), path)
    path.write_bytes(path.read_bytes()[:-40])
    refused(path, f"t{suffix} is no {suffix[1:].capitalize()} file, is cut short or damaged")


def test_nested_columns_are_left_out_by_name_beside_others_and_refused_alone(tmp_path):
    parquet, lines = tmp_path / "t.parquet", tmp_path / "t.jsonl"
    pl.DataFrame({"a": [1], "marks": [[CANARY]], "photo": [CANARY.encode()]}).write_parquet(parquet)
    lines.write_text(f'{{"a": 1, "home": {{"road": "{CANARY}"}}}}\n{{"a": 2}}\nno\n')
    for path, names in ((parquet, "marks, photo"), (lines, "home")):
        table = frames.read(path).table()
        assert table.rows.columns == ["a"]
        said = f"left out and not looked at, since it holds lists, records or bytes: {names}"
        assert said in table.notes
        assert CANARY not in str(table.notes)
    pl.DataFrame({"marks": [[CANARY]]}).write_parquet(parquet)
    refused(parquet, "column 'marks' holds lists, records or bytes")


def test_json_lines_without_an_object(text_file):
    refused(text_file(f'["{CANARY}"]\n{CANARY}\n\n7\n', "t.jsonl"), "none of its 3 lines is a JSON object")


# --- no message quotes a cell ------------------------------------------------------------------------


def test_no_message_quotes_a_cell_whatever_is_broken(tmp_path):
    # The header is never broken: names of columns may be quoted.
    chance = random.Random(7)
    rows = "".join(f'{CANARY}{n},"{CANARY}, {n}",2015-09-{n % 28 + 1:02}\n' for n in range(12))
    path = tmp_path / "t.csv"
    refusals = 0
    for _ in range(300):
        content = bytearray(b"upn,name,dob\n" + rows.encode())
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(13, len(content))
            content[at : at + chance.randrange(2)] = chance.choice([b'"', b",", b"\n", b"\0", b"\xe9", b"\r", b""])
        path.write_bytes(bytes(content))
        try:
            data = frames.read(path)
        except OtrackRiskError as error:
            refusals += 1
            shown = str(error)
        else:
            shown = " ".join(data.notes())
        assert CANARY not in shown
    assert refusals > 20


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.jsonl", "t.xlsx"])
def test_a_file_that_may_not_be_read(text_file, monkeypatch, name):
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, CANARY)

    path = text_file(f"a,b\n{CANARY},2\n", name)
    monkeypatch.setattr(Path, "open", denied)
    refused(path, "cannot be opened|is no Parquet file")
