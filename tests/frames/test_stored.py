"""Parquet, Feather and JSON Lines; folders; and writing any of them."""

from __future__ import annotations

import gzip
import time
import zipfile
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otrack_risk import frames
from otrack_risk.errors import FileError, TableError

PUPILS = pl.DataFrame(
    {"upn": ["007", "008", None], "dob": [date(2015, 9, 1), None, date(2016, 8, 31)], "age": [9, 9, 8]}
)


# --- types at the door -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_nan_is_missing_and_counted(tmp_path, suffix):
    frames.write(pl.DataFrame({"score": [1.5, float("nan"), None], "n": [1, 2, 3]}), tmp_path / f"t{suffix}")
    table = frames.read(tmp_path / f"t{suffix}").table()
    assert table.rows["score"].to_list() == [1.5, None, None]
    assert table.notes == ("1 cell that held NaN read as missing",)


def test_categories_are_text_and_empty_text_is_missing(tmp_path):
    frame = pl.DataFrame({"a": ["x", "", "y"], "b": ["p", "q", "p"]})
    frame = frame.with_columns(pl.col("a").cast(pl.Categorical), pl.col("b").cast(pl.Enum(["p", "q"])))
    frames.write(frame, tmp_path / "t.parquet")
    table = frames.read(tmp_path / "t.parquet").table()
    assert table.rows.schema == {"a": pl.String, "b": pl.String}
    assert table.rows.rows() == [("x", "p"), (None, "q"), ("y", "p")]


def test_midnights_are_dates_and_other_moments_are_not(tmp_path):
    days = [datetime.fromisoformat("2015-09-01"), None]
    frame = pl.DataFrame({"dob": days, "seen": [datetime.fromisoformat("2015-09-01T08:30"), days[0]]})
    frames.write(frame, tmp_path / "t.parquet")
    assert frames.read(tmp_path / "t.parquet").table().rows.schema == {"dob": pl.Date, "seen": pl.Datetime("us")}


def test_null_values_mean_numbers_too(tmp_path):
    frames.write(pl.DataFrame({"age": [-9, 7], "score": [-9.0, 1.5], "on": [True, False]}), tmp_path / "t.parquet")
    table = frames.read(tmp_path / "t.parquet", null_values=["-9", "false"]).table()
    assert table.rows.rows() == [(None, None, True), (7, 1.5, None)]


def test_a_path_is_taken_literally(tmp_path):
    frames.write(PUPILS, tmp_path / "year [7] *.parquet")
    assert frames.read(tmp_path / "year [7] *.parquet").table().name == "year [7] *"


def test_json_lines_that_are_no_objects_are_skipped_by_line(text_file):
    path = text_file('{"upn": "007", "age": 9}\n\nnot json\n[1]\n{"upn": "008", "fsm": true}\n', "t.jsonl")
    table = frames.read(path).table()
    assert table.rows.to_dicts() == [
        {"upn": "007", "age": 9, "fsm": None},
        {"upn": "008", "age": None, "fsm": True},
    ]
    assert table.skipped == (frames.Skipped("t: lines 3, 4", 2, "no JSON object"),)
    assert table.seen == 4


def test_json_values_of_several_kinds_are_text(text_file):
    table = frames.read(text_file('{"a": 1, "b": 2}\n{"a": "x", "b": 2.5}\n{"a": true, "b": NaN}\n', "t.jsonl")).table()
    assert table.rows["a"].to_list() == ["1", "x", "true"]
    assert table.rows["b"].to_list() == [2, 2.5, None]


# --- folders ------------------------------------------------------------------------------------------


def test_a_folder_is_one_table_a_file_and_says_what_it_passed_over(tmp_path):
    frames.write(PUPILS, tmp_path / "pupils.parquet")
    frames.write(PUPILS, tmp_path / "staff.csv.gz")
    for name in ("world.toml", "catalogue.toml", "README.md", "readme.txt", ".hidden.csv", "~$book.xlsx", "photo.jpg"):
        (tmp_path / name).write_text("x")
    (tmp_path / "images").mkdir()
    (tmp_path / "none.csv").write_text("a,b\n")
    data = frames.read(tmp_path)
    assert list(data.tables) == ["pupils", "staff"]
    assert data.name == tmp_path.name
    assert data.remarks == (
        f"1 folder within {tmp_path.name} not entered",
        f"files of other kinds in {tmp_path.name} not read (1 .jpg)",
        "none (none.csv) has no rows and was left out",
    )
    assert data.frames["staff"].height == 3


def test_tables_of_one_name_are_told_apart_by_their_kind(tmp_path):
    for name in ("pupils.csv", "pupils.parquet", "staff.csv"):
        frames.write(PUPILS, tmp_path / name)
    assert list(frames.read(tmp_path).tables) == ["pupils (csv)", "pupils (parquet)", "staff"]
    assert frames.read(tmp_path, table="pupils (csv)").table().file == "pupils.csv"


def test_a_picked_table_does_not_need_the_others_to_be_whole(tmp_path):
    frames.write(PUPILS, tmp_path / "pupils.csv")
    (tmp_path / "broken.csv").write_text("a,a\n1,2\n")
    assert list(frames.read(tmp_path, table="pupils").tables) == ["pupils"]
    with pytest.raises(FileError, match=r"broken\.csv"):
        frames.read(tmp_path)


def test_a_data_set_can_be_narrowed(tmp_path):
    for name in ("pupils.csv", "staff.csv"):
        frames.write(PUPILS, tmp_path / name)
    data = frames.read(tmp_path)
    assert data.columns == {"pupils": PUPILS.columns, "staff": PUPILS.columns}
    kept = PUPILS.columns[:1]
    assert data.only({"staff": kept}).columns == {"staff": kept}
    with pytest.raises(TableError, match="has no table 'parents'"):
        data.only({"parents": []})


def test_inputs_say_rows_seen_and_skipped_and_no_directory(text_file):
    (entry,) = frames.read(text_file("a,b\n1,2\n3\n4,5\n")).inputs()
    assert {key: entry[key] for key in ("name", "file", "rows", "columns", "seen", "skipped")} == {
        "name": "pupils",
        "file": "pupils.csv",
        "rows": 2,
        "columns": 2,
        "seen": 3,
        "skipped": 1,
    }


# --- writing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", frames.SUFFIXES)
def test_what_is_written_is_read_back(tmp_path, suffix):
    frames.write(PUPILS, tmp_path / f"pupils{suffix}")
    table = frames.read(tmp_path / f"pupils{suffix}").table()
    text = PUPILS.with_columns(pl.col("age").cast(pl.String)) if "sv" in suffix else PUPILS
    assert table.rows.equals(text)
    assert table.name == "pupils"


@pytest.mark.parametrize("suffix", frames.SUFFIXES)
def test_the_same_rows_make_the_same_bytes_on_another_day(tmp_path, suffix, monkeypatch):
    frames.write(PUPILS, tmp_path / f"a{suffix}")
    later = time.time() + 90_000
    monkeypatch.setattr(time, "time", lambda: later)
    (tmp_path / "other").mkdir()
    frames.write(PUPILS, tmp_path / "other" / f"a{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / "other" / f"a{suffix}").read_bytes()


def test_no_date_but_the_fixed_one_stands_in_a_workbook(tmp_path):
    frames.write(PUPILS, tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert package.read("docProps/core.xml").count(b"1980-01-01T00:00:00Z") == 2  # created, modified


def test_a_packed_file_bears_no_name_and_no_time(tmp_path):
    # RFC 1952: byte 4 holds the flags (bit 3: a name follows), bytes 5 to 8 the time.
    frames.write(PUPILS, tmp_path / "pupils.csv.gz")
    head = (tmp_path / "pupils.csv.gz").read_bytes()[:10]
    assert head[3] == 0
    assert head[4:8] == bytes(4)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".xlsx", ".jsonl"])
def test_text_that_looks_like_a_formula_is_written_as_it_is(tmp_path, suffix):
    cells = ["=1+1", "+44", "-x", "@home"]
    frames.write(pl.DataFrame({"a": cells, "n": ["1", "2", "3", "4"]}), tmp_path / f"t{suffix}")
    assert frames.read(tmp_path / f"t{suffix}").table().rows["a"].to_list() == cells
    if suffix == ".csv.gz":
        assert gzip.decompress((tmp_path / "t.csv.gz").read_bytes()).startswith(b"a,n\n=1+1,1\n")


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    nested = pl.DataFrame({"a": [[1]], "b": [1]})
    with pytest.raises(FileError, match="holds lists or records"):
        frames.write(nested, tmp_path / "t.csv")
    with pytest.raises(FileError, match="a sheet holds no lists"):
        frames.write(nested, tmp_path / "t.xlsx")
    with pytest.raises(FileError, match="32,767 characters"):
        frames.write(pl.DataFrame({"a": ["x" * 32_768]}), tmp_path / "t.xlsx")
    with pytest.raises(FileError, match="control characters"):
        frames.write(pl.DataFrame({"a": ["x\x01"]}), tmp_path / "t.xlsx")
    with pytest.raises(FileError, match="this kind of file is not read"):
        frames.write(PUPILS, tmp_path / "t.pdf")
    with pytest.raises(FileError, match=r"t\.csv cannot be written"):
        frames.write(PUPILS, tmp_path / "nowhere" / "t.csv")
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from(frames.SUFFIXES),
    cells=st.lists(
        st.one_of(st.none(), st.text(alphabet='aé7 ,;\t"\n=', min_size=1, max_size=6)), min_size=1, max_size=6
    ),
)
def test_any_text_survives_writing_and_reading(tmp_path: Path, suffix, cells):
    frame = pl.DataFrame(
        {"words": cells, "row": [f"r{place}" for place in range(len(cells))]}, schema_overrides={"words": pl.String}
    )
    frames.write(frame, tmp_path / f"t{suffix}")
    read = frames.read(tmp_path / f"t{suffix}").table()
    assert read.rows["words"].to_list() == [cell if cell and cell.strip() else None for cell in cells]
    assert read.seen == read.kept == len(cells)


def test_a_column_name_that_polars_takes_for_a_pattern_is_made_plain_and_said_so(tmp_path):
    (tmp_path / "odd.csv").write_text("*,^a.*$,column *,sex\n1,2,3,F\n4,5,6,M\n")
    table = frames.read(tmp_path / "odd.csv").table()
    assert table.rows.columns == ["column *'", "column ^a.*$", "column *", "sex"]
    assert table.rows.row(0) == ("1", "2", "3", "F")
    assert "2 column names that would be read as a pattern" in table.notes[-1]
