"""The workbook of the training: a harmless trip list, and all that left the school with it unseen."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import polars as pl

from otrack_risk.errors import TableError
from otrack_risk.synth.draw import Chance, numbers
from otrack_risk.synth.images import SPANS
from otrack_risk.synth.targets import assumed

WORKBOOK_SPANS = pl.Schema([*SPANS.items(), ("place", pl.String)])
PLACES = (
    "visible", "hidden_column", "filtered_row", "hidden_row", "hidden_sheet", "very_hidden_sheet", "comment",
    "defined_name", "pivot_cache", "metadata",
)  # fmt: skip
_HEADER = 3  # row of the trip list's header, below its title
_FIXED = (1980, 1, 1, 0, 0, 0)  # the date of every entry of the zip, so that the same rows make the same bytes
_SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

# Header, column of the children, label, and whose it is.
Columns = Sequence[tuple[str, str, str | None, str]]
_TRIP: Columns = (
    ("First name", "forename", "PERSON", "child"), ("Class", "class", "CLASS", "child"), ("Coming", "coming", None, ""),
    ("Surname", "surname", "PERSON", "child"), ("UPN", "upn", "UPN", "child"),
    ("Born", "date_of_birth", "DATE_OF_BIRTH", "child"), ("Contact", "contact", "PERSON", "guardian"),
    ("Telephone", "phone", "PHONE", "guardian"),
)  # fmt: skip
_COMING = ("yes", "no")
_SHOWN = 3  # columns of the trip list that are not hidden
_ALL: Columns = (
    ("UPN", "upn", "UPN", "child"), ("Surname", "surname", "PERSON", "child"),
    ("Forename", "forename", "PERSON", "child"), ("Born", "date_of_birth", "DATE_OF_BIRTH", "child"),
    ("SEN provision", "provision", "SEND", "child"), ("SEN need", "sen_need", "SEND", "child"),
    ("Medical", "condition", "HEALTH", "child"), ("Contact", "contact", "PERSON", "guardian"),
    ("Telephone", "phone", "PHONE", "guardian"), ("E-mail", "email", "EMAIL", "guardian"),
    ("Address", "address_line", "ADDRESS", "child"), ("Postcode", "postcode", "POSTCODE", "child"),
)  # fmt: skip
_LOOKUP: Columns = (
    ("UPN", "upn", "UPN", "child"), ("Looked after", "looked_after", "SAFEGUARDING", "child"),
    ("Ethnicity", "ethnicity", "ETHNICITY", "child"), ("First language", "first_language", "LANGUAGE", "child"),
)  # fmt: skip
_CACHED: Columns = (
    ("UPN", "upn", "UPN", "child"), ("Surname", "surname", "PERSON", "child"),
    ("Forename", "forename", "PERSON", "child"),
    ("SEN need", "sen_need", "SEND", "child"), ("Medical", "condition", "HEALTH", "child"),
    ("Ethnicity", "ethnicity", "ETHNICITY", "child"), ("Coming", "coming", None, ""),
)  # fmt: skip


def write_training_workbook(path: Path | str, tables: Mapping[str, pl.DataFrame], chance: Chance) -> pl.DataFrame:
    """Write ``Trip list``: first names and a class to see; needs, contacts and more to find.

    One class goes on a trip. Hidden are: columns with surname, UPN, birth and contact; the rows of children who do
    not come, which a filter hides; a row below the table; the sheet ``All data``; the sheet ``_lists``, very
    hidden, so that no menu offers it; a name defined for nobody's use. Besides there are two comments, a pivot
    table of counts whose cache keeps the rows it was counted from, although their sheet is gone, and the names in
    the file's properties.

    Parameters
    ----------
    tables : of one town, or a world; schools, classes, pupils, households, guardians, pupil_guardians, staff and
        staff_classes are read
    chance : which class goes, and who stays behind

    Returns
    -------
    every planted cell: as in ``truth/spans.parquet``, with ``table`` workbook, ``row`` the file's name, ``column``
    ``sheet!cell`` (``sheet!cell.comment`` and ``.author``, ``defined_name!NAME``, ``pivot_cache!CELL`` of the sheet
    that is gone, ``core!creator``, ``app!Company``, ``custom!NAME``), and ``place``, one of :data:`PLACES`. A cell
    of a hidden column counts as that even where its row is hidden too. What can be seen is labelled ``visible``.

    Raises
    ------
    TableError
        No class has two children on roll.
    """
    from openpyxl import Workbook

    path = Path(path)
    party = _Party(tables, chance)
    spans = _Spans(path.name)
    book = Workbook()
    _trip_list(book.active, party, spans)
    _counts(book.create_sheet("Numbers"), party, spans)
    hidden = book.create_sheet("All data")
    hidden.sheet_state = "hidden"
    _fill(hidden, 1, party.children, _ALL, spans, lambda *_: "hidden_sheet")
    lists = book.create_sheet("_lists")
    lists.sheet_state = "veryHidden"
    _fill(lists, 1, party.children, _LOOKUP, spans, lambda *_: "very_hidden_sheet")
    _defined_name(book, party, spans)
    _properties(book, party, spans)
    held = io.BytesIO()
    book.save(held)
    with zipfile.ZipFile(held) as package, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as dated:
        for entry in package.namelist():
            content = package.read(entry)
            if entry == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"1980-01-01T00:00:00Z", content)
            elif entry == "docProps/app.xml":
                company = (
                    f"<Manager>{escape(party.head)}</Manager><Company>{escape(party.school)}</Company></Properties>"
                )
                content = re.sub(rb"</Properties>", lambda _, text=company: text.encode(), content)  # type: ignore[misc]
            dated.writestr(zipfile.ZipInfo(entry, _FIXED), content, zipfile.ZIP_DEFLATED)
    return spans.frame()


class _Spans:
    """What was planted so far."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._rows: list[tuple[object, ...]] = []

    def add(self, column: str, label: str, subject: str | None, kind: str, place: str, text: str, of: str = "") -> None:
        """The whole of a cell, or the part ``text`` of its words ``of``."""
        start = of.index(text) if of else 0
        self._rows.append(("workbook", self._file, column, start, start + len(text), label, subject, kind, place))

    def value(self, column: str, label: str, subject: str | None, kind: str, place: str) -> None:
        """A cell that is no text: a date."""
        self._rows.append(("workbook", self._file, column, None, None, label, subject, kind, place))

    def frame(self) -> pl.DataFrame:
        return pl.DataFrame(self._rows, schema=WORKBOOK_SPANS, orient="row")


class _Party:
    """The class that goes on the trip, its contacts and the adults who handle the file."""

    def __init__(self, tables: Mapping[str, pl.DataFrame], chance: Chance) -> None:
        on_roll = tables["pupils"].filter(pl.col("left_on").is_null(), pl.col("class_id").is_not_null())
        sizes = on_roll.group_by("class_id", "school_id").len().sort("class_id")
        sizes = sizes.filter(pl.col("len") >= max(2, min(15, sizes["len"].max() or 0)))
        if not sizes.height:
            raise TableError("pupils: no class has two children on roll.", "make a larger world.")
        class_id, school_id, _ = sizes.row(int(chance.whole("workbook.class", sizes.height, np.zeros(1, np.int64))[0]))
        children = on_roll.filter(class_id=class_id)
        first = (
            tables["pupil_guardians"]
            .sort("pupil_id", "priority")
            .unique("pupil_id", keep="first", maintain_order=True)
            .join(tables["guardians"], on="guardian_id")
            .select(
                "pupil_id",
                "guardian_id",
                "phone",
                "email",
                pl.concat_str("title", "forename", "surname", separator=" ").alias("contact"),
            )
        )
        u = chance.of("workbook.coming", numbers(children["pupil_id"]))
        stay = (u < assumed("trip_not_coming")) | (u == u.min())  # somebody always stays
        stay &= u != u.max()
        self.children = (
            children.with_columns(pl.Series("coming", np.where(stay, "no", "yes")))
            .join(tables["classes"].select("class_id", pl.col("name").alias("class")), on="class_id", how="left")
            .join(first, on="pupil_id", how="left")
            .join(tables["households"], on="household_id", how="left")
            .with_columns(
                pl.when(pl.col("sen_provision") != "N").then("sen_provision").alias("provision"),
                pl.when(pl.col("looked_after")).then(pl.lit("yes")).alias("looked_after"),
                pl.col("medical_condition")
                .str.to_lowercase()
                .str.replace_all("_", " ")
                .replace("other", "medical needs")
                .alias("condition"),
            )
            .sort("forename", "pupil_id")
        )
        self.school: str = tables["schools"].filter(school_id=school_id)["name"].item()
        staff = tables["staff"].filter(school_id=school_id).sort("staff_id")
        own = tables["staff_classes"].filter(class_id=class_id)["staff_id"]
        first_of = pl.concat([staff.filter(pl.col("staff_id").is_in(own.implode())), staff]).to_dicts()
        self.teacher_id, self.teacher = first_of[0]["staff_id"], _called(first_of[0])
        self.head_id, self.head = staff["staff_id"][0], _called(staff.row(0, named=True))
        self.office_id, self.office = staff["staff_id"][-1], _called(staff.row(-1, named=True))

    def one(self, *having: str) -> dict[str, Any]:
        """The first child for whom all of these are known, or else the first with fewer of them known."""
        for count in range(len(having), -1, -1):
            found = self.children.drop_nulls(list(having[:count])) if count else self.children
            if found.height:
                return found.row(0, named=True)
        raise AssertionError("a class has children")


def _trip_list(sheet: Any, party: _Party, spans: _Spans) -> None:
    from openpyxl.comments import Comment
    from openpyxl.worksheet.filters import FilterColumn, Filters

    sheet.title = "Trip list"
    sheet["A1"] = "Museum trip: who is coming"
    coming = party.children["coming"].to_list()

    def place(row: int, column: int) -> str:
        if column > _SHOWN:
            return "hidden_column"
        return "visible" if coming[row - _HEADER - 1] == "yes" else "filtered_row"

    _fill(sheet, _HEADER, party.children, _TRIP, spans, place)
    for column in range(_SHOWN + 1, len(_TRIP) + 1):
        sheet.column_dimensions[_letter(column)].hidden = True
    last = _HEADER + len(coming)
    sheet.auto_filter.ref = f"A{_HEADER}:{_letter(len(_TRIP))}{last}"
    sheet.auto_filter.filterColumn.append(FilterColumn(colId=2, filters=Filters(filter=["yes"])))
    for row, each in enumerate(coming, start=_HEADER + 1):
        sheet.row_dimensions[row].hidden = each == "no"

    child = party.one("condition", "phone")
    at = f"A{last + 2}"
    words = f"{child['forename']} {child['surname']}: {child['condition'] or 'no condition'}, card in the office"
    sheet[at] = words
    sheet.row_dimensions[last + 2].hidden = True
    spans.add(f"Trip list!{at}", "PERSON", child["pupil_id"], "child", "hidden_row", _called(child), words)
    if child["condition"]:
        spans.add(f"Trip list!{at}", "HEALTH", child["pupil_id"], "child", "hidden_row", child["condition"], words)

    def comment(at: str, words: str, found: Sequence[tuple[str, str, str, str]]) -> None:
        sheet[at].comment = Comment(words, party.teacher, height=80, width=240)
        spans.add(f"Trip list!{at}.author", "PERSON", party.teacher_id, "staff", "comment", party.teacher)
        for label, subject, kind, text in found:
            spans.add(f"Trip list!{at}.comment", label, subject, kind, "comment", text, words)

    rung, needs = party.one("phone", "contact"), party.one("sen_need", "provision")
    rows = dict(zip(party.children["pupil_id"], range(_HEADER + 1, last + 1), strict=True))
    guardian = (rung["guardian_id"], "guardian")
    if rung["phone"]:
        words = f"Ring {rung['contact']} on {rung['phone']} if the coach is late"
        about = [("PERSON", *guardian, rung["contact"]), ("PHONE", *guardian, rung["phone"])]
        comment(f"A{rows[rung['pupil_id']]}", words, about)
    if needs["sen_need"]:
        words = f"{needs['forename']} sits with me ({needs['sen_need']})"
        about = [
            (label, needs["pupil_id"], "child", needs[of])
            for label, of in (("PERSON", "forename"), ("SEND", "sen_need"))
        ]
        comment(f"B{rows[needs['pupil_id']]}", words, about)


def _fill(sheet: Any, header: int, rows: pl.DataFrame, columns: Columns, spans: _Spans, place: Any) -> None:
    """A header and its rows; every filled cell with a label goes to the spans, at what ``place(row, column)`` says."""
    from openpyxl.styles import Font

    for number, (title, column, label, kind) in enumerate(columns, start=1):
        sheet.cell(header, number, title).font = Font(bold=True)
        sheet.column_dimensions[_letter(number)].width = 16
        subjects = rows["guardian_id" if kind == "guardian" else "pupil_id"]
        for row, (value, subject) in enumerate(zip(rows[column], subjects, strict=True), start=header + 1):
            if value is None:
                continue
            cell = sheet.cell(row, number, value)
            at = f"{sheet.title}!{cell.coordinate}"
            if isinstance(value, date):
                cell.number_format = "dd/mm/yyyy"
                spans.value(at, label or "", subject, kind, place(row, number))
            elif label:
                spans.add(at, label, subject, kind, place(row, number), value)


def _counts(sheet: Any, party: _Party, spans: _Spans) -> None:
    """A pivot table that shows two counts, over a cache that holds every row it was counted from."""
    from openpyxl.pivot.table import TableDefinition

    counted = dict(party.children.group_by("coming").len().iter_rows())
    sheet["A1"] = "Numbers for the coach"
    cells = [
        ("Coming", "Children"),
        *((each, counted.get(each, 0)) for each in _COMING),
        ("Total", party.children.height),
    ]
    for row, (left, right) in enumerate(cells, start=3):
        sheet.cell(row, 1, left)
        sheet.cell(row, 2, right)
    last = len(_CACHED) - 1
    others = "<pivotField showAll='0'/>" * (last - 1)
    pivot = TableDefinition.from_tree(
        ElementTree.fromstring(
            f"<pivotTableDefinition xmlns='{_SPACE}' name='PivotTable1' cacheId='1' dataCaption='Values' "
            "createdVersion='6' updatedVersion='6' minRefreshableVersion='3' rowHeaderCaption='Coming' outline='1' "
            "outlineData='1'><location ref='A3:B6' firstHeaderRow='1' firstDataRow='1' firstDataCol='1'/>"
            f"<pivotFields count='{last + 1}'><pivotField dataField='1' showAll='0'/>{others}"
            "<pivotField axis='axisRow' showAll='0'><items count='3'><item x='0'/><item x='1'/>"
            "<item t='default'/></items></pivotField></pivotFields>"
            f"<rowFields count='1'><field x='{last}'/></rowFields>"
            "<rowItems count='3'><i><x/></i><i><x v='1'/></i><i t='grand'><x/></i></rowItems>"
            "<colItems count='1'><i/></colItems><dataFields count='1'><dataField name='Children' fld='0' "
            "subtotal='count' baseField='0' baseItem='0'/></dataFields></pivotTableDefinition>"
        )
    )
    pivot.cache = _cache(party, spans)
    sheet.add_pivot(pivot)


def _cache(party: _Party, spans: _Spans) -> Any:
    """The pivot cache of a sheet that is gone; openpyxl makes none, but keeps one that it has read."""
    from openpyxl.pivot.cache import CacheDefinition
    from openpyxl.pivot.record import RecordList

    records, fields = "", ""
    for row, child in enumerate(party.children.iter_rows(named=True), start=2):
        records += "<r>"
        for number, (_, column, label, kind) in enumerate(_CACHED, start=1):
            value = child[column]
            if label is None:
                records += f"<x v='{_COMING.index(value)}'/>"
            elif value is None:
                records += "<m/>"
            else:
                records += f"<s v={quoteattr(value)}/>"
                spans.add(f"pivot_cache!{_letter(number)}{row}", label, child["pupil_id"], kind, "pivot_cache", value)
        records += "</r>"
    for title, column, label, _ in _CACHED:
        blank = " containsBlank='1'" * bool(party.children[column].null_count())
        items = (
            "<sharedItems count='2'><s v='yes'/><s v='no'/></sharedItems>"
            if label is None
            else f"<sharedItems{blank}/>"
        )
        fields += f"<cacheField name={quoteattr(title)} numFmtId='0'>{items}</cacheField>"
    spans.add("pivot_cache!refreshedBy", "PERSON", party.office_id, "staff", "pivot_cache", party.office)
    height, width = party.children.height, len(_CACHED)
    cache = CacheDefinition.from_tree(
        ElementTree.fromstring(
            f"<pivotCacheDefinition xmlns='{_SPACE}' refreshedBy={quoteattr(party.office)} createdVersion='6' "
            f"refreshedVersion='6' minRefreshableVersion='3' recordCount='{height}'><cacheSource type='worksheet'>"
            f"<worksheetSource ref='A1:{_letter(width)}{height + 1}' sheet='Export'/></cacheSource>"
            f"<cacheFields count='{width}'>{fields}</cacheFields></pivotCacheDefinition>"
        )
    )
    cache.records = RecordList.from_tree(
        ElementTree.fromstring(f"<pivotCacheRecords xmlns='{_SPACE}' count='{height}'>{records}</pivotCacheRecords>")
    )
    return cache


def _defined_name(book: Any, party: _Party, spans: _Spans) -> None:
    """A text kept as a name: it is on no sheet, and hidden from the list of names."""
    from openpyxl.workbook.defined_name import DefinedName

    child = party.one("phone", "contact")
    if not child["phone"]:
        return
    words = f"{child['contact']} {child['phone']}"
    book.defined_names["Volunteer"] = DefinedName("Volunteer", attr_text=f'"{words}"', hidden=True)
    for label, of in (("PERSON", "contact"), ("PHONE", "phone")):
        at = "defined_name!Volunteer"
        spans.add(at, label, child["guardian_id"], "guardian", "defined_name", child[of], words)


def _properties(book: Any, party: _Party, spans: _Spans) -> None:
    from openpyxl.packaging.custom import StringProperty

    book.properties.title = "Trip list"
    book.properties.creator, book.properties.lastModifiedBy = party.teacher, party.office
    source = f"SEN register {party.school}.xlsx"
    book.custom_doc_props.append(StringProperty(name="Copied from", value=source))
    book.custom_doc_props.append(StringProperty(name="Checked by", value=party.head))
    for at, subject, text in (
        ("core!creator", party.teacher_id, party.teacher),
        ("core!lastModifiedBy", party.office_id, party.office),
        ("app!Manager", party.head_id, party.head),
        ("custom!Checked by", party.head_id, party.head),
    ):
        spans.add(at, "PERSON", subject, "staff", "metadata", text)
    spans.add("app!Company", "SCHOOL", None, "none", "metadata", party.school)
    spans.add("custom!Copied from", "SCHOOL", None, "none", "metadata", party.school, source)


def _called(person: Mapping[str, Any]) -> str:
    return f"{person['forename']} {person['surname']}"


def _letter(number: int) -> str:
    return chr(64 + number)
