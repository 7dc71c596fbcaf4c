"""The workbook of the training: everything labelled is where its label says, and nothing else personal is in it."""

from __future__ import annotations

import re
import time
import zipfile
from datetime import date, datetime
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook

from otrack_risk import frames
from otrack_risk.errors import TableError
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.workbook import PLACES, WORKBOOK_SPANS, write_training_workbook

CHILDREN = 20
FIRST = ("Ada", "Bo", "Cleo", "Dev", "Esme", "Finn", "Gia", "Hal", "Ines", "Jude")
LAST = ("O'Neill", "Quartz & Co", "Rivers", "Stone", "Thorne")


def hand_tables(children: int = CHILDREN) -> dict[str, pl.DataFrame]:
    """One class; every second child has a condition, every fourth a need, the first no contact, one is looked after."""
    number = range(children)
    ids = [f"P{each:07d}" for each in number]
    return {
        "schools": pl.DataFrame({"school_id": ["S00001"], "name": ["Madeup <Primary>"]}),
        "classes": pl.DataFrame({"class_id": ["C00001001"], "school_id": ["S00001"], "name": ["4B"]}),
        "pupils": pl.DataFrame(
            {
                "pupil_id": ids,
                "upn": [f"A99990{each:07d}" for each in number],
                "school_id": ["S00001"] * children,
                "class_id": ["C00001001"] * children,
                "household_id": [f"H{each:07d}" for each in number],
                "surname": [LAST[each % 5] for each in number],
                "forename": [FIRST[each % 10] for each in number],
                "date_of_birth": [date(2014, 9, 1 + each) for each in number],
                "ethnicity": ["WBRI", "APKN"] * (children // 2) + ["WBRI"] * (children % 2),
                "first_language": [("ENG", "URD")[each % 2] for each in number],
                "sen_provision": [("K", "N", "N", "N")[each % 4] for each in number],
                "sen_need": [("SLCN", None, None, None)[each % 4] for each in number],
                "looked_after": [each == 7 for each in number],
                "medical_condition": [("FOOD_ALLERGY", None)[each % 2] for each in number],
                "left_on": pl.Series([None] * children, dtype=pl.Date),
            }
        ),
        "households": pl.DataFrame(
            {
                "household_id": [f"H{each:07d}" for each in number],
                "address_line": [f"{each + 1} Wall Lane" for each in number],
                "postcode": [f"ZA1 {each % 10}AA" for each in number],
            }
        ),
        "guardians": pl.DataFrame(
            {
                "guardian_id": [f"G{each:07d}1" for each in number],
                "title": ["Ms"] * children,
                "forename": ["Parent" + "abcdefghijklmnopqrst"[each] for each in number],
                "surname": [LAST[each % 5] for each in number],
                "phone": [f"07700 9000{each:02d}" for each in number],
                "email": [None if each % 3 else f"parent{each}@example.org" for each in number],
            }
        ),
        "pupil_guardians": pl.DataFrame(
            {
                "pupil_id": ids[1:],
                "guardian_id": [f"G{each:07d}1" for each in number][1:],
                "priority": [1] * (children - 1),
            }
        ),
        "staff": pl.DataFrame(
            {
                "staff_id": ["T00001001", "T00001002", "T00001003"],
                "school_id": ["S00001"] * 3,
                "forename": ["Headley", "Teachera", "Officia"],
                "surname": ["Grove", "Marsh", "Field"],
            }
        ),
        "staff_classes": pl.DataFrame({"staff_id": ["T00001002"], "class_id": ["C00001001"]}),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, pl.DataFrame]:
    path = tmp_path_factory.mktemp("workbook") / "Trip list.xlsx"
    return path, write_training_workbook(path, hand_tables(), Chance(2))


@cache
def book_of(path: Path) -> Workbook:
    return load_workbook(path)


@cache
def xml(path: Path, part: str) -> ElementTree.Element:
    with zipfile.ZipFile(path) as package:
        return ElementTree.fromstring(package.read(part))


def at_place(path: Path, column: str) -> str | date | None:
    """What stands where a column of the spans points to, read without the package's own reader."""
    sheet, where = column.split("!", 1)
    if sheet == "pivot_cache":
        if where == "refreshedBy":
            return xml(path, "xl/pivotCache/pivotCacheDefinition1.xml").get("refreshedBy")
        records = list(xml(path, "xl/pivotCache/pivotCacheRecords1.xml"))
        return records[int(where[1:]) - 2][ord(where[0]) - ord("A")].get("v")
    if sheet in ("core", "app"):
        return next(each.text for each in xml(path, f"docProps/{sheet}.xml") if each.tag.endswith("}" + where))
    book = book_of(path)
    if sheet == "custom":
        return book.custom_doc_props[where].value
    if sheet == "defined_name":
        return book.defined_names[where].value.strip('"')
    cell, *rest = where.split(".")
    found = book[sheet][cell]
    if rest:
        return found.comment.text if rest == ["comment"] else found.comment.author
    return found.value.date() if isinstance(found.value, datetime) else found.value


def people() -> dict[str, set[str]]:
    """For each person every text of the tables that is about them, as the workbook words it."""
    tables = hand_tables()
    held: dict[str, set[str]] = {}
    homes = {row["household_id"]: row for row in tables["households"].to_dicts()}
    for row in tables["pupils"].to_dicts():
        held[row["pupil_id"]] = {
            row["upn"], row["surname"], row["forename"], f"{row['forename']} {row['surname']}", "4B", row["ethnicity"],
            row["first_language"], row["sen_provision"], row["sen_need"] or "", "food allergy", "yes",
            homes[row["household_id"]]["address_line"], homes[row["household_id"]]["postcode"],
        }  # fmt: skip
    for row in tables["guardians"].to_dicts():
        held[row["guardian_id"]] = {f"Ms {row['forename']} {row['surname']}", row["phone"], row["email"] or ""}
    for row in tables["staff"].to_dicts():
        held[row["staff_id"]] = {f"{row['forename']} {row['surname']}"}
    return held


def test_everything_labelled_is_where_its_label_says(written):
    path, spans = written
    assert dict(spans.schema) == dict(WORKBOOK_SPANS)
    known, births = people(), dict(hand_tables()["pupils"].select("pupil_id", "date_of_birth").iter_rows())
    read: dict[str, str | date | None] = {}
    for row in spans.to_dicts():
        column = row["column"]
        read.setdefault(column, at_place(path, column))
        found = read[column]
        if row["label"] == "DATE_OF_BIRTH":
            assert found == births[row["subject"]]
            assert row["start"] is None
        else:
            word = found[row["start"] : row["end"]]
            assert word == "Madeup <Primary>" if row["label"] == "SCHOOL" else word in known[row["subject"]]


def test_each_place_hides_in_the_way_its_name_says(written):
    path, spans = written
    book = load_workbook(path)
    trip = book["Trip list"]
    hidden = {letter for letter, column in trip.column_dimensions.items() if column.hidden}
    first, last = trip.auto_filter.ref.split(":")
    inside = range(int(first[1:]) + 1, int(last[1:]) + 1)
    for place, column in spans.filter(~pl.col("column").str.contains(r"\.")).select("place", "column").unique().rows():
        sheet, where = column.split("!")
        if sheet == "Trip list":
            letter, row = where[0], int(where[1:])
            expected = (
                "hidden_column" if letter in hidden
                else "visible" if not trip.row_dimensions[row].hidden
                else "filtered_row" if row in inside else "hidden_row"
            )  # fmt: skip
            assert place == expected
    assert {book[name].sheet_state for name in ("Trip list", "Numbers")} == {"visible"}
    assert (book["All data"].sheet_state, book["_lists"].sheet_state) == ("hidden", "veryHidden")
    assert book.defined_names["Volunteer"].hidden
    of_sheets = {"All data": "hidden_sheet", "_lists": "very_hidden_sheet", "pivot_cache": "pivot_cache"}
    for name, place in {**of_sheets, "defined_name": "defined_name", "core": "metadata", "app": "metadata"}.items():
        assert set(spans.filter(pl.col("column").str.starts_with(f"{name}!"))["place"]) == {place}
    assert set(spans["place"]) == set(PLACES)


def test_the_filter_hides_exactly_the_children_who_do_not_come(written):
    path, _ = written
    trip = load_workbook(path)["Trip list"]
    (column,) = trip.auto_filter.filterColumn
    assert (column.colId, column.filters.filter) == (2, ["yes"])
    first, last = (int(each[1:]) for each in trip.auto_filter.ref.split(":"))
    for row in range(first + 1, last + 1):
        assert trip.row_dimensions[row].hidden == (trip.cell(row, 3).value == "no")


def texts(path: Path) -> list[tuple[str, str]]:
    """Every text of every part of the file, and the part it is in."""
    found = []
    with zipfile.ZipFile(path) as package:
        for part in package.namelist():
            if part.endswith((".xml", ".rels", ".vml")):
                root = ElementTree.fromstring(package.read(part))
                for each in root.iter():
                    found += [(part, text) for text in (each.text, each.tail, *each.attrib.values()) if text]
    return found


def test_nothing_personal_is_in_the_file_that_has_no_label(written):
    path, spans = written
    # How often a text is labelled: cells of sheets share one copy of it (xl/sharedStrings.xml), all others do not.
    whole = {str(at_place(path, column)) for column in spans["column"].unique()}
    tables = hand_tables()
    marks = {
        *tables["pupils"]["upn"], *tables["pupils"]["surname"], *tables["guardians"]["forename"],
        *tables["guardians"]["phone"], *tables["guardians"]["email"].drop_nulls(),
        *tables["households"]["address_line"], *tables["households"]["postcode"], *tables["staff"]["surname"],
        "SLCN", "food allergy", "WBRI", "APKN", "URD",
        *FIRST, "Madeup",
    }  # fmt: skip
    pattern = re.compile("|".join(rf"(?<![A-Za-z0-9]){re.escape(mark)}(?![A-Za-z0-9])" for mark in sorted(marks)))
    seen = 0
    for part, text in texts(path):
        if pattern.search(text):
            seen += 1
            assert text.strip('"') in whole, part
    assert seen > 100
    # And where a text is labelled in part, nothing personal is left in the rest of it.
    for column, own in spans.filter(pl.col("start").is_not_null()).partition_by("column", as_dict=True).items():
        rest = list(str(at_place(path, column[0])))
        for start, end in own.select("start", "end").iter_rows():
            rest[start:end] = "*" * (end - start)
        assert not pattern.search("".join(rest))


def test_every_filled_cell_of_a_hidden_sheet_but_its_header_is_labelled(written):
    path, spans = written
    book = load_workbook(path)
    labelled = set(spans["column"])
    for name in ("All data", "_lists"):
        for row in book[name].iter_rows(min_row=2):
            for cell in row:
                assert (cell.value is not None) == (f"{name}!{cell.coordinate}" in labelled)


def test_the_pivot_shows_two_counts_and_keeps_every_child(written):
    path, _ = written
    sheet = load_workbook(path)["Numbers"]
    coming, staying = sheet["B4"].value, sheet["B5"].value
    assert coming + staying == sheet["B6"].value == CHILDREN
    assert staying >= 1
    (pivot,) = sheet._pivots
    records = list(xml(path, "xl/pivotCache/pivotCacheRecords1.xml"))
    assert len(records) == CHILDREN == pivot.cache.recordCount
    assert [record[6].get("v") for record in records].count("1") == staying
    assert pivot.cache.cacheSource.worksheetSource.sheet not in load_workbook(path).sheetnames


def test_every_relation_of_the_file_leads_to_a_part_that_is_there_and_has_a_type(written):
    path, _ = written
    types = {each.get("PartName"): each.get("ContentType") for each in xml(path, "[Content_Types].xml")}
    with zipfile.ZipFile(path) as package:
        parts = set(package.namelist())
        assert len(parts) == len(package.namelist())
        for part in [part for part in parts if part.endswith(".rels")]:
            folder = Path(part).parent.parent
            for each in ElementTree.fromstring(package.read(part)):
                target = each.get("Target", "")
                found = target[1:] if target.startswith("/") else (folder / target).as_posix()
                assert found in parts
                if "pivot" in found:
                    assert "/" + found in types


def test_the_same_chance_writes_the_same_bytes_a_second_later(written, tmp_path):
    path, spans = written
    time.sleep(1.1)
    again = tmp_path / path.name
    assert write_training_workbook(again, hand_tables(), Chance(2)).equals(spans)
    assert again.read_bytes() == path.read_bytes()
    write_training_workbook(again, hand_tables(), Chance(3))
    assert again.read_bytes() != path.read_bytes()
    with zipfile.ZipFile(path) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_frames_reads_the_hidden_sheets_and_says_so(written):
    path, _ = written
    data = frames.read(path)
    assert data.table("All data").kept == data.table("_lists").kept == CHILDREN
    assert any("All data" in note and "hidden" in note for note in data.notes())


def test_a_child_without_contact_need_or_condition_is_no_obstacle(tmp_path):
    tables = hand_tables(2)
    nobody = tables["pupils"].with_columns(
        sen_provision=pl.lit("N"), sen_need=pl.lit(None, pl.String), medical_condition=pl.lit(None, pl.String)
    )
    spans = write_training_workbook(
        tmp_path / "two.xlsx",
        {**tables, "pupils": nobody, "pupil_guardians": tables["pupil_guardians"].clear()},
        Chance(1),
    )
    assert not {"SEND", "HEALTH", "PHONE"} & set(spans["label"])


def test_a_world_without_a_class_of_two_has_no_trip(tmp_path):
    with pytest.raises(TableError, match="no class has two children"):
        write_training_workbook(tmp_path / "none.xlsx", hand_tables(1), Chance(1))
