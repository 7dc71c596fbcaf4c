"""The leaked bucket: every row in exactly one file, every path in the truth, and nothing that could be real."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from otrack_risk import frames
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.formats.bucket import PLACEHOLDERS, Bucket
from otrack_risk.synth.images import draw_images
from otrack_risk.synth.presets import PRESETS
from otrack_risk.synth.town import Town

PLAN = PRESETS["otrack"]  # seen on 1 March 2024


def hand_town(number: int) -> Town:
    """One school of three children, of whom the last left in 2021, and rows of every kind of table about them."""
    school, pupils = f"S{number:05d}", [f"P{number:05d}{each:02d}" for each in (1, 2, 3)]
    staff = f"T{number:05d}001"
    tables = {
        "schools": pl.DataFrame({"school_id": [school], "name": ["St Madeup's Primary"]}),
        "classes": pl.DataFrame({"class_id": [f"C{number:05d}001"], "school_id": [school], "name": ["4B"]}),
        "households": pl.DataFrame(
            {"household_id": [f"H{number:05d}01", f"H{number:05d}01B"], "address_line": ["1 Wall Lane", "2 Wall Lane"]}
        ),
        "pupils": pl.DataFrame(
            {
                "pupil_id": pupils,
                "upn": [f"A9999{number:05d}{each:03d}" for each in (1, 2, 3)],
                "school_id": [school] * 3,
                "class_id": [f"C{number:05d}001"] * 3,
                "household_id": [f"H{number:05d}01"] * 3,
                "surname": ["O'Neill", "Khan", "Khan"],
                "forename": ["Zoë", "Ada", "Bea"],
                "date_of_birth": [date(2014, 10, 1), date(2015, 8, 31), date(2014, 9, 1)],
                "left_on": [None, None, date(2021, 7, 20)],
            }
        ),
        "guardians": pl.DataFrame(
            {
                "guardian_id": [f"G{number:05d}011", f"G{number:05d}012"],
                "household_id": [f"H{number:05d}01", f"H{number:05d}01B"],
                "surname": ["Khan", "O'Neill"],
            }
        ),
        "pupil_guardians": pl.DataFrame(
            {"pupil_id": pupils[:2], "guardian_id": [f"G{number:05d}011", f"G{number:05d}012"], "priority": [1, 1]}
        ),
        "staff": pl.DataFrame({"staff_id": [staff], "school_id": [school], "forename": ["Jo"], "surname": ["Hay"]}),
        "staff_classes": pl.DataFrame({"staff_id": [staff], "class_id": [f"C{number:05d}001"]}),
        "accounts": pl.DataFrame({"account": ["vendor-support", f"a{number}"], "school_id": [None, school]}),
        "grants": pl.DataFrame({"account": ["vendor-support", f"a{number}"], "category": ["medical", "medical"]}),
        "attendance": pl.DataFrame({"pupil_id": pupils, "sessions_absent": [1, 2, 3]}),
        "notes": pl.DataFrame(
            {
                "note_id": [f"N{number}1", f"N{number}2"],
                "pupil_id": pupils[:2],
                "kind": ["pastoral", "sen"],
                "text": ['Said "no", then left', "Two\nlines"],
            }
        ),
        "access_log": pl.DataFrame(
            {
                "log_id": [f"L{number}1", f"L{number}2"],
                "account": [f"a{number}"] * 2,
                "at": pl.Series(["2024-01-31 23:59:00", "2024-02-01 00:00:00"]).str.to_datetime(time_unit="ms"),
            }
        ),
        "images": pl.DataFrame(
            {
                "image_id": [f"I{number:05d}0101", f"I{number:05d}0301", f"IC{number:05d}00101"],
                "pupil_id": [pupils[0], pupils[2], None],
                "file_name": [
                    f"oneill_zoe_{number}.jpg",
                    f"khan_bea_{number}.jpg",
                    f"class_c{number:05d}001_2023_1.jpg",
                ],
                "bytes": [120_000] * 3,
                "taken_on": [date(2022, 10, 4), date(2019, 10, 4), date(2023, 10, 4)],
            }
        ),
        "documents": pl.DataFrame(
            {
                "document_id": [f"D{number:05d}0{1 + each % 3}{each:02d}" for each in range(30)]
                + [f"D{number:05d}00109"],
                "pupil_id": [pupils[each % 3] for each in range(30)] + [None],
                "file_name": [f"Letter {each}.{('docx', 'pdf', 'xlsx')[each % 3]}" for each in range(30)]
                + ["class list 4B.xlsx"],
                "kind": ["letter"] * 30 + ["class_list"],
                "bytes": pl.Series([50_000] * 31, dtype=pl.Int32),
                "created_on": [date(2024, 1, 9)] * 31,
            }
        ),
    }
    return Town(number, PLAN, tables)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bucket")
    writer = Bucket(folder / "made", PLAN, 3, portraits=folder / "drawn")
    for number in (1, 2):
        town = hand_town(number)
        images = draw_images(Chance(3), town, folder / "drawn", 1).images
        writer.add(town.having({"images": images}).tables)
    writer.close()
    return folder / "made"


@pytest.fixture(scope="module")
def paths(bucket) -> pl.DataFrame:
    return pl.read_csv(bucket / "truth" / "paths.csv")


def of_table(bucket: Path, paths: pl.DataFrame, table: str) -> pl.DataFrame:
    """All rows of a table, read by frames from every CSV that the truth names for it."""
    files = paths.filter(pl.col("row").is_null(), table=table)["path"]
    read = [frames.read(bucket / file).table() for file in files if file.endswith(".csv")]
    assert sum(len(table.skipped) for table in read) == 0
    return pl.concat([table.rows for table in read], how="diagonal_relaxed")


@pytest.mark.parametrize("table", sorted(hand_town(1).tables))
def test_frames_reads_back_every_row_of_every_table_once(bucket, paths, table):
    key = hand_town(1)[table].columns[0]
    written = [row for number in (1, 2) for row in hand_town(number)[table][key].to_list()]
    assert sorted(of_table(bucket, paths, table)[key].to_list()) == sorted(written)


def test_text_with_quotes_and_line_ends_comes_back_as_it_was(bucket):
    read = frames.read(bucket / "notes" / "St_Madeup_s_Primary_00001" / "sen.csv").table().rows
    assert read["text"].to_list() == ["Two\nlines"]


def test_the_truth_counts_the_rows_of_every_file(bucket, paths):
    for path, rows in (
        paths.filter(pl.col("row").is_null(), pl.col("path").str.ends_with(".csv")).select("path", "rows").rows()
    ):
        assert frames.read(bucket / path).table().kept == rows


def test_the_truth_names_every_file_and_every_file_it_calls_written_is_there(bucket, paths):
    found = {file.relative_to(bucket).as_posix() for file in bucket.rglob("*") if file.is_file()}
    named = set(paths.filter(pl.col("on_disk"))["path"])
    assert found - named == {"SYNTHETIC.txt", "truth/paths.csv"}
    assert named <= found
    assert not any((bucket / path).exists() for path in paths.filter(~pl.col("on_disk"))["path"])


# Born on 1 October 2014: Reception in 2019/20, so Year 3 in 2022/23. Born on 1 September 2014: Reception in 2019/20.
def test_a_photograph_lies_in_its_school_year_and_the_class_of_that_year(paths):
    school = "St_Madeup_s_Primary_00001"
    held = paths.filter(table="images").filter(pl.col("row").str.contains("^IC?00001"))
    assert held.sort("row").select("path", "on_disk", "subject").rows() == [
        (f"photos/{school}/2022-23/3B/oneill_zoe_1.jpg", True, "P0000101"),
        (f"photos/{school}/2019-20/RB/khan_bea_1.jpg", False, "P0000103"),
        (f"photos/{school}/2023-24/4B/class_c00001001_2023_1.jpg", False, None),
    ]


def test_the_index_of_photographs_has_the_true_size_of_what_was_drawn(bucket):
    index = frames.read(bucket / "photos" / "index.csv").table().rows
    for path, size in index.select("path", pl.col("bytes").cast(pl.Int64)).iter_rows():
        file = bucket / path
        assert size == (file.stat().st_size if file.exists() else 120_000)


def test_leavers_lie_in_the_year_they_left_and_all_others_in_the_year_of_the_leak(bucket):
    names = [
        frames.read(bucket / "exports" / year / "pupils_St_Madeup_s_Primary_00002.csv") for year in ("2021", "2024")
    ]
    assert [table.table().rows["forename"].to_list() for table in names] == [["Bea"], ["Zoë", "Ada"]]


# Dates as exports write them: the last two children left in 2021, the first is still on roll.
@pytest.mark.parametrize("written", ["2021-07-20", "20/07/2021", "07/20/2021", "20-Jul-21"])
def test_leavers_lie_in_their_year_however_dirty_the_date(tmp_path, written):
    tables = dict(hand_town(1).tables)
    tables["pupils"] = tables["pupils"].with_columns(
        left_on=pl.Series([None, written, written]), date_of_birth=pl.lit("01/10/2014")
    )
    writer = Bucket(tmp_path, PLAN, 3)
    writer.add(tables)
    writer.close()
    rows = {
        year: frames.read(tmp_path / "exports" / year / "pupils_St_Madeup_s_Primary_00001.csv").table().kept
        for year in ("2021", "2024")
    }
    assert rows == {"2021": 2, "2024": 1}
    assert "photos/St_Madeup_s_Primary_00001/2022-23/unsorted/oneill_zoe_1.jpg" in set(
        pl.read_csv(tmp_path / "truth" / "paths.csv")["path"]
    )


def test_a_leavers_photograph_lies_under_the_year_where_no_class_is_kept(tmp_path):
    tables = dict(hand_town(1).tables)
    tables["pupils"] = tables["pupils"].with_columns(class_id=pl.lit(None, pl.String))
    writer = Bucket(tmp_path, PLAN, 3)
    writer.add(tables)
    writer.close()
    paths = pl.read_csv(tmp_path / "truth" / "paths.csv").filter(row="I000010101")["path"].item()
    assert paths == "photos/St_Madeup_s_Primary_00001/2022-23/Year 3/oneill_zoe_1.jpg"


def test_no_empty_folder_of_portraits_is_left(bucket):
    assert not (bucket.parent / "drawn").exists()


def test_a_parent_at_a_second_address_lies_with_the_school_of_the_child(bucket):
    held = frames.read(bucket / "exports" / "2024" / "households_St_Madeup_s_Primary_00001.csv").table()
    assert held.kept == 2


def test_a_document_is_a_placeholder_that_opens_and_says_synthetic(bucket, paths):
    held = paths.filter(pl.col("on_disk"), pl.col("row").is_not_null(), table="documents")
    assert held.height == 2 * PLACEHOLDERS
    sizes = dict(frames.read(bucket / "documents" / "index.csv").table().rows.select("path", "bytes").iter_rows())
    for path in held["path"]:
        content = (bucket / path).read_bytes()
        assert int(sizes[path]) == len(content)
        if path.endswith(".pdf"):
            # The table of the PDF names the place of each object.
            table = content[content.index(b"xref\n") :].splitlines()
            assert int(content.split(b"startxref\n")[1].split()[0]) == content.index(b"xref\n0 6")
            for number, line in enumerate(table[3:8], start=1):
                assert content[int(line[:10]) :].startswith(b"%d 0 obj" % number)
            assert b"SYNTHETIC" in content
        elif path.endswith(".docx"):
            with zipfile.ZipFile(bucket / path) as package:
                assert b"SYNTHETIC" in package.read("word/document.xml")
        else:
            assert "SYNTHETIC" in load_workbook(bucket / path)["Sheet1"]["A1"].value


def test_a_list_of_a_class_lies_with_its_school_although_it_is_about_no_child(paths):
    of_class = paths.filter(row="D0000200109")
    assert of_class["path"].item() == "documents/St_Madeup_s_Primary_00002/class list 4B.xlsx"


def test_the_backup_is_sql_that_another_database_reads(bucket):
    import sqlite3

    script = (bucket / "backups" / "nightly.sql").read_text(encoding="utf-8")
    store = sqlite3.connect(":memory:")
    store.executescript(script)
    assert store.execute("SELECT count(*), count(left_on) FROM pupils").fetchone() == (6, 2)
    assert store.execute("SELECT surname FROM guardians WHERE surname LIKE 'O%'").fetchall() == [("O'Neill",)] * 2
    assert script.startswith("-- SYNTHETIC")
    assert script.endswith("-- dump complete\n")


def test_what_a_bucket_holds_does_not_depend_on_what_was_written_before(tmp_path, bucket):
    again = Bucket(tmp_path / "again", PLAN, 3)
    for number in (1, 2):
        again.add(hand_town(number).tables)
    again.close()
    for file in sorted((tmp_path / "again" / "exports").rglob("*.csv")):
        assert file.read_bytes() == (bucket / file.relative_to(tmp_path / "again")).read_bytes()
