"""Workbooks: hidden things are read and reported, and no cell is lost to a guess of its kind."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest

from otrack_risk import frames
from otrack_risk.frames import workbook

MOMENT = datetime.fromisoformat("2026-01-02T10:30:00")


@pytest.fixture
def book_file(tmp_path: Path):
    """Write one sheet of rows and give its path; ``change`` may alter the sheet first."""

    def write(rows: list[list[object]], change=lambda sheet: None, name: str = "pupils.xlsx") -> Path:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        change(book.active)
        book.save(tmp_path / name)
        return tmp_path / name

    return write


def test_numbers_dates_and_text_are_what_the_sheet_has(book_file):
    header = ["upn", "age", "score", "dob", "seen", "fsm", "at"]
    rows = [["007", 7, 1.5, date(2015, 9, 1), MOMENT, True, time(9, 30)]] * 2
    table = frames.read(book_file([header, *rows])).table()
    assert table.rows.row(0) == ("007", 7, 1.5, date(2015, 9, 1), MOMENT, True, "09:30:00")
    assert table.name == "pupils"


def test_a_column_of_digits_kept_as_text_stays_text(book_file):
    table = frames.read(book_file([["uln", "n"], ["0012345678", 1], ["1234567890", 2]])).table()
    assert table.rows["uln"].to_list() == ["0012345678", "1234567890"]


def test_a_word_among_dates_or_numbers_is_not_lost(book_file):
    rows = [["left", "mark"], [date(2024, 7, 1), 5], ["n/a", "abs"], [date(2024, 7, 2), 6.5]]
    table = frames.read(book_file(rows)).table()
    assert table.rows.rows() == [("2024-07-01", "5"), ("n/a", "abs"), ("2024-07-02", "6.5")]


def test_dates_typed_as_text_join_the_real_ones(book_file):
    table = frames.read(book_file([["dob", "n"], [date(2015, 9, 1), 1], ["02/09/2015", 2]])).table()
    assert table.rows["dob"].to_list() == [date(2015, 9, 1), date(2015, 9, 2)]


def test_hours_over_a_day_are_not_a_moment_in_1900(book_file):
    table = frames.read(book_file([["taught", "n"], [timedelta(hours=30, minutes=5), 1]])).table()
    assert table.rows["taught"].to_list() == ["30:05:00"]


def test_merged_title_rows_are_left_out_and_blank_rows_are_no_rows(book_file):
    rows = [["Year 7 list"], [], ["upn", "sex", "form"], ["A", "F", "7x"], [], ["B", None, "7y"]]
    table = frames.read(book_file(rows, lambda sheet: sheet.merge_cells("A1:C1"))).table()
    assert table.rows.rows() == [("A", "F", "7x"), ("B", None, "7y")]
    assert (table.seen, table.kept) == (2, 2)
    assert "1 title row above the header left out" in table.notes


def test_a_table_that_starts_in_the_middle_of_a_sheet(book_file):
    rows = [[], [None, None, "upn", "sex"], [None, None, "A", "F"]]
    assert frames.read(book_file(rows)).table().rows.rows() == [("A", "F")]


def test_a_header_again_is_skipped_by_its_row_in_the_sheet(book_file):
    table = frames.read(book_file([["a", "b"], ["1", "x"], ["a", "b"], ["2", "y"]])).table()
    assert table.skipped == (frames.Skipped("pupils: row 3", 1, "the header again"),)
    assert (table.seen, table.kept) == (3, 2)


def test_hidden_rows_and_columns_are_read_counted_and_reported(book_file):
    def hide(sheet):
        for row in (3, 4, 40):  # row 40 holds nothing
            sheet.row_dimensions[row].hidden = True
        for column in ("B", "C", "Z"):
            sheet.column_dimensions[column].hidden = True

    rows = [["upn", "need", "form"], *[[f"A{n}", "ASD", "7x"] for n in range(5)]]
    table = frames.read(book_file(rows, hide)).table()
    assert table.rows.height == 5
    assert table.rows["need"].to_list() == ["ASD"] * 5
    assert "2 hidden rows and 2 hidden columns were read" in table.notes


def test_rows_that_a_filter_hides_are_hidden_rows(book_file):
    def filtered(sheet):
        sheet.auto_filter.ref = "A1:B3"
        sheet.auto_filter.add_filter_column(1, ["7x"])
        sheet.row_dimensions[3].hidden = True  # as a spreadsheet program saves it

    table = frames.read(book_file([["upn", "form"], ["A", "7x"], ["B", "7y"]], filtered)).table()
    assert "1 hidden row was read" in table.notes
    assert table.kept == 2


def test_hidden_sheets_are_read_and_reported(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Shown"
    for name, state in (("Gone", "hidden"), ("Deep", "veryHidden")):
        book.create_sheet(name).sheet_state = state
    for sheet in book:
        sheet.append(["a", "b"])
        sheet.append([1, sheet.title])
    book.save(tmp_path / "t.xlsx")
    data = frames.read(tmp_path / "t.xlsx")
    assert {name: table.rows["b"].to_list() for name, table in data.tables.items()} == {
        "Shown": ["Shown"],
        "Gone": ["Gone"],
        "Deep": ["Deep"],
    }
    assert data.notes() == [
        "Gone: sheet 2 of 3 is hidden; it was read.",
        "Deep: sheet 3 of 3 is hidden; it was read.",
    ]


def test_above_the_limit_hidden_rows_are_said_not_to_be_looked_for(book_file, monkeypatch):
    monkeypatch.setattr(workbook, "HIDDEN_LIMIT", 1000)  # bytes; the real one is 50 MB
    path = book_file(
        [["a", "b"], [1, 2]], lambda sheet: sheet.row_dimensions.__getitem__(2).__setattr__("hidden", True)
    )
    (note,) = frames.read(path).table().notes
    assert note.startswith("hidden rows and columns not looked for")


def test_an_empty_sheet_and_a_chart_sheet_are_no_tables(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, 2])
    book.create_sheet("Empty")
    book.create_chartsheet("Chart")
    book.save(tmp_path / "t.xlsx")
    data = frames.read(tmp_path / "t.xlsx")
    assert list(data.tables) == ["Sheet"]
    assert data.remarks == ("Empty (t.xlsx) has no rows and was left out",)


def test_formulas_without_a_saved_value_and_errors_are_counted_as_missing(book_file):
    rows = [["a", "b"], ["=1+1", 2], [3, 4], [5, "#N/A"]]
    table = frames.read(book_file(rows)).table()
    assert table.rows.rows() == [(None, 2), (3, 4), (5, None)]
    assert "1 formula without a saved value read as missing" in table.notes
    assert "1 cell with a spreadsheet error read as missing" in table.notes


def test_one_sheet_is_picked_by_name(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, 2])
    other = book.create_sheet("Staff")
    other.append(["c", "d"])
    other.append([3, 4])
    book.save(tmp_path / "t.xlsx")
    assert frames.read(tmp_path / "t.xlsx", table="Staff").table().rows.rows() == [(3, 4)]


def test_a_column_may_have_any_name_in_a_sheet_too(book_file):
    names = ["^a.*$", "*", "x\ny", "2019"]
    table = frames.read(book_file([names, ["NA", "1", "01/02/2020", 4]]), null_values=["NA"]).table()
    assert table.rows.columns == ["column ^a.*$", "column *", "x\ny", "2019"]
    assert table.rows.rows() == [(None, "1", date(2020, 2, 1), 4)]
