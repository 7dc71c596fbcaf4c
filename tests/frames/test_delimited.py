"""Delimited text: what is kept, what is skipped, and how the columns are found."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otrack_risk import frames
from otrack_risk.errors import OtrackRiskError
from otrack_risk.frames import delimited

# --- text, dates, missing ---------------------------------------------------------------------


def test_leading_zeros_and_decimals_stay_as_they_were_written(text_file):
    table = frames.read(text_file("id,score,phone\n0012,1.50,07700 900123\n0013,+2,\n")).table()
    assert table.rows.rows() == [("0012", "1.50", "07700 900123"), ("0013", "+2", None)]


def test_a_cell_of_spaces_is_missing_and_counted(text_file):
    table = frames.read(text_file("a,b\n  ,x\n\u00a0,y\n,z\n")).table()
    assert table.rows["a"].to_list() == [None, None, None]
    assert table.notes == ("2 cells of spaces only read as missing",)


def test_null_values_are_missing_only_where_they_fill_the_cell(text_file):
    table = frames.read(text_file("a,b\nNA,NAtalie\nx,REFU\n"), null_values=["NA", "REFU"]).table()
    assert table.rows.rows() == [(None, "NAtalie"), ("x", None)]


def test_spaces_around_a_value_stay_and_around_a_name_go(text_file):
    table = frames.read(text_file("upn , sex\nA1 , F\nA2,M\n")).table()
    assert table.rows.columns == ["upn", "sex"]
    assert table.rows.rows() == [("A1 ", " F"), ("A2", "M")]


def test_iso_and_british_dates_may_stand_in_one_column(text_file):
    table = frames.read(text_file("dob,x\n31/08/2014,a\n2015-09-01,b\n1/9/2015,c\n,d\n")).table()
    assert table.rows["dob"].to_list() == [date(2014, 8, 31), date(2015, 9, 1), date(2015, 9, 1), None]
    assert "read as dates, day first (dd/mm/yyyy): dob" in table.notes


def test_month_first_dates_are_never_guessed(text_file):
    table = frames.read(text_file("seen,x\n03/04/2015,a\n03/25/2015,b\n")).table()
    assert table.rows["seen"].to_list() == ["03/04/2015", "03/25/2015"]
    assert table.notes == ("left as text, since not every value is an ISO date or dd/mm/yyyy: seen",)


def test_a_day_that_does_not_exist_leaves_the_column_text(text_file):
    assert frames.read(text_file("d,x\n2015-02-30,a\n2015-02-28,b\n")).table().rows["d"][0] == "2015-02-30"


# --- title rows, blank lines, repeated headers --------------------------------------------------


def test_title_rows_are_left_out_reported_and_not_seen(text_file):
    table = frames.read(text_file("Year 7 list\nprinted 01/02/2026,,\n\nupn,surname,sex\n1,A,F\n2,B,M\n")).table()
    assert table.rows.columns == ["upn", "surname", "sex"]
    assert (table.seen, table.kept) == (2, 2)
    assert "2 title rows above the header left out" in table.notes


def test_a_title_over_two_columns_is_known_by_the_empty_line_below_it(text_file):
    assert frames.read(text_file("A list\n\nupn,sex\nX,F\n")).table().rows.columns == ["upn", "sex"]


def test_a_title_over_two_columns_without_an_empty_line_is_not_guessed(text_file):
    with pytest.raises(OtrackRiskError, match=r"header \(line 1\) names 1 column, most rows below have 2 fields"):
        frames.read(text_file("A list\nupn,sex\nX,F\n"))
    assert frames.read(text_file("A list\nupn,sex\nX,F\n"), delimiter=",").table().rows.columns == ["upn", "sex"]


def test_the_first_pupil_is_never_read_as_the_header(text_file):
    # R's write.table leaves the name of the row numbers out: one name fewer than fields.
    with pytest.raises(OtrackRiskError, match="names 2 columns, most rows below have 3 fields"):
        frames.read(text_file("upn,sex\n1,X,F\n2,Y,M\n"))


def test_a_blank_line_is_not_a_row_and_a_line_of_commas_is(text_file):
    table = frames.read(text_file("a,b\n1,2\n\n   \n,\n3,4\n\n\n")).table()
    assert table.rows.rows() == [("1", "2"), (None, None), ("3", "4")]
    assert table.seen == 3


def test_a_header_within_the_rows_is_skipped_with_that_reason(text_file):
    table = frames.read(text_file("a,b\n1,2\na,b\n3,4\n")).table()
    assert table.rows.rows() == [("1", "2"), ("3", "4")]
    assert table.skipped == (frames.Skipped("pupils: line 3", 1, "the header again"),)


def test_an_unnamed_column_without_values_is_left_out(text_file):
    table = frames.read(text_file("a,b,\n1,2,\n3,4, \n")).table()
    assert table.rows.columns == ["a", "b"]
    assert "1 column without a name and without a value left out" in table.notes


# --- ragged rows ---------------------------------------------------------------------------------


def test_ragged_rows_are_skipped_by_line_and_kept_plus_skipped_is_seen(text_file):
    lines = ["a,b,c"] + ["1,2,3"] * 4 + ["1,2", '"x\ny",2,3', "1,2,3,4", "1"]
    table = frames.read(text_file("\n".join(lines))).table()
    assert table.skipped == (
        frames.Skipped("pupils: lines 6, 10", 2, "fewer fields than the header's 3"),
        frames.Skipped("pupils: line 9", 1, "more fields than the header's 3"),
    )
    assert (table.seen, table.kept) == (8, 5)


def test_at_most_ten_line_numbers_are_named(text_file):
    table = frames.read(text_file("a,b\n" + "1,2\n" * 20 + "1\n" * 12)).table()
    assert table.skipped[0].where == "pupils: lines 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, ..."
    assert table.skipped[0].rows == 12


def test_a_quotation_mark_that_is_not_closed_costs_its_own_line_only(text_file):
    table = frames.read(text_file('name,n\n"Bob,1\nAnn,2\nCy,3\n"Di,4\nEd,5\n')).table()
    assert table.rows["name"].to_list() == ["Ann", "Cy", "Ed"]
    assert table.skipped == (frames.Skipped("pupils: lines 2, 5", 2, "a quotation mark that opens or ends no cell"),)


def test_a_quotation_mark_within_a_word_is_part_of_it(text_file):
    table = frames.read(text_file('item,n\n5" nail,1\nAnn "Nan" Day,2\n')).table()
    assert table.rows["item"].to_list() == ['5" nail', 'Ann "Nan" Day']


def test_a_quoted_cell_may_hold_line_breaks_delimiters_and_quotation_marks(text_file):
    table = frames.read(text_file('note,n\r\n"one\r\ntwo, ""three""",1\r\n')).table()
    assert table.rows.rows() == [('one\r\ntwo, "three"', "1")]


# --- delimiter and encoding ----------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(text_file, delimiter):
    rows = "\n".join(delimiter.join(row) for row in (["a", "b", "c"], ["1", "x", "3"], ["4", "y", "6"]))
    assert frames.read(text_file(rows)).table().rows.rows() == [("1", "x", "3"), ("4", "y", "6")]


def test_decimal_commas_do_not_hide_the_semicolon(text_file):
    table = frames.read(text_file("name;height;weight\nAnn;1,50;40,5\nBob;1,60;50,5\n")).table()
    assert table.rows.rows() == [("Ann", "1,50", "40,5"), ("Bob", "1,60", "50,5")]


def test_sentences_with_commas_are_one_column(text_file):
    table = frames.read(text_file("note\nHello, dear\nFine\nyes, no, maybe\n")).table()
    assert table.rows["note"].to_list() == ["Hello, dear", "Fine", "yes, no, maybe"]


def test_a_wrong_delimiter_does_not_silently_give_one_column(text_file):
    with pytest.raises(OtrackRiskError, match="the delimiter given makes one column, the comma makes 3"):
        frames.read(text_file("a,b,c\n1,2,3\n4,5,6\n"), delimiter=";")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encoding_is_found(text_file, encoding):
    table = frames.read(text_file("name,n\nZoë O’Neil,1\n".encode(encoding))).table()
    assert table.rows.rows() == [("Zoë O’Neil", "1")]
    assert table.rows.columns == ["name", "n"]


def test_a_given_encoding_holds(text_file):
    content = "name,n\nZoë,1\n".encode("mac_roman")
    assert frames.read(text_file(content), encoding="mac_roman").table().rows["name"].to_list() == ["Zoë"]


def test_old_macintosh_line_ends_are_lines(text_file):
    assert frames.read(text_file("a,b\r1,2\r3,4\r")).table().rows.rows() == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize("name", ["^a.*$", "*", "a b\nc", "naïve", "a\tb", "$x", "{0}"])
def test_a_column_may_have_any_name(text_file, name):
    out = io.StringIO()
    csv.writer(out).writerows([[name, "n"], ["NA", "31/01/2020"], ["x", "01/02/2020"]])
    table = frames.read(text_file(out.getvalue()), null_values=["NA"]).table()
    plain = f"column {name}" if name in {"*", "^a.*$"} else name  # polars would take these two for patterns
    assert table.rows.columns == [plain, "n"]
    assert table.rows.rows() == [(None, date(2020, 1, 31)), ("x", date(2020, 2, 1))]


# --- properties ----------------------------------------------------------------------------------

_CELL = st.text(alphabet=st.sampled_from("aé7 ,;|\t\"'\n\r=/-"), max_size=6)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_python_writes_as_csv_is_read_back_equal(tmp_path, data):
    width = data.draw(st.integers(1, 5))
    rows = data.draw(st.lists(st.lists(_CELL, min_size=width, max_size=width), min_size=1, max_size=8))
    delimiter = data.draw(st.sampled_from(",;\t|"))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))
    quoting, end = data.draw(  # with "\n" alone, csv.writer of Python 3.11 leaves a "\r" unquoted
        st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n")])
    )
    names = [f"name{place}" for place in range(width)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    ragged = [["too", *["many"] * width]] if len(rows) > 2 and data.draw(st.booleans()) else []
    place = data.draw(st.integers(1, len(rows)))  # never where the header is looked for
    writer.writerows([names, *rows[:place], *ragged, *rows[place:]])
    path = tmp_path / "table.csv"
    path.write_bytes(out.getvalue().encode(encoding))
    given_delimiter = delimiter if width == 1 else data.draw(st.sampled_from([None, delimiter]))
    table = frames.read(path, delimiter=given_delimiter).table()
    assert table.rows.columns == names
    assert table.rows.rows() == [tuple(cell if cell.strip() else None for cell in row) for row in rows]
    assert table.seen == len(rows) + len(ragged)
    assert [each.rows for each in table.skipped] == [1] * len(ragged)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.text(alphabet='a1,"\n\r ;é', max_size=60))
def test_whatever_stands_below_a_header_kept_plus_skipped_is_seen(tmp_path, body):
    path = tmp_path / "table.csv"
    path.write_bytes(f"first,second\n{body}".encode())
    try:
        table = frames.read(path).table()
    except OtrackRiskError:
        return  # most rows ragged, or none
    assert table.kept + sum(each.rows for each in table.skipped) == table.seen


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(st.sampled_from(["x", "", '"a, b"', '"\n"', '""""']), min_size=1, max_size=4), min_size=1)
)
def test_the_quick_look_and_the_row_by_row_one_agree(tmp_path, rows):
    # The slower twin of the quick look is csv.reader over the same lines.
    content = ("h1,h2,h3\n" + "\n".join(",".join(row) for row in rows) + "\n").encode()
    layout = delimited._Layout(",", 3, ("h1", "h2", "h3"), 1, 0, 1.0)
    slow = list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]
    expected = len(slow) if all(len(row) == 3 for row in slow) else None
    assert delimited._regular_rows(content, layout, "table.csv", quoted=b'"' in content) == expected


def test_the_hash_is_of_the_file_as_it_lies_there(text_file):
    # SHA-256 of b"a,b\n1,2\n", from sha256sum.
    table = frames.read(text_file("a,b\n1,2\n")).table()
    assert table.sha256 == "492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470"
