"""Workbooks: sheets, rows and columns that nobody sees who opens them, and what stands on no sheet at all."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from otrack_risk.files.package import Package

_RANGE = re.compile(r"\$?[A-Z]{1,3}\$?(\d+)(?::\$?[A-Z]{1,3}\$?(\d+))?")


def hidden_in(package: Package) -> dict[str, int]:
    """Counts by place of what a workbook does not show; a place with none is left out or 0."""
    found = dict.fromkeys(
        ("hidden_sheets", "very_hidden_sheets", "hidden_rows", "filtered_rows", "hidden_columns", "defined_names",
         "pivot_cache", "external_links", "comments", "comment_authors"), 0,
    )  # fmt: skip
    for part in package.of_type(".main+xml"):
        for name, element in package.elements(part):
            if name == "sheet":
                state = element.get("state")
                found["hidden_sheets"] += state == "hidden"
                found["very_hidden_sheets"] += state == "veryHidden"
            elif name == "definedName":  # names that the program itself makes for print areas and filters begin so
                found["defined_names"] += not element.get("name", "").lower().startswith("_xlnm.")
    for part in package.of_type("worksheet+xml"):
        rows, filtered, columns = _unseen(package, part)
        found["hidden_rows"] += rows
        found["filtered_rows"] += filtered
        found["hidden_columns"] += columns
    for part in package.of_type("pivotCacheRecords+xml"):
        found["pivot_cache"] += sum(name == "r" for name, _ in package.elements(part))
    found["external_links"] = len(package.of_type("externalLink+xml"))
    _comments(package, found)
    return found


@dataclass
class _Sheet:
    """What one sheet's part said while it was read once."""

    columns: list[tuple[int, int]] = field(default_factory=list)  # hidden: from, to
    filled_columns: set[int] = field(default_factory=set)
    hidden_rows: list[int] = field(default_factory=list)  # with content
    filters: list[tuple[int, int]] = field(default_factory=list)  # rows from below the header to the last


def _unseen(package: Package, part: str) -> tuple[int, int, int]:
    """Rows hidden by hand, rows hidden by a filter, and hidden columns, each with content in them."""
    if not package.holds(part, b"hidden=") and not package.holds(part, b"zeroHeight="):
        return 0, 0, 0
    sheet = _read(package, part)
    if sheet.hidden_rows:
        sheet.filters += _table_filters(package, part)
    filtered = [any(first <= row <= last for first, last in sheet.filters) for row in sheet.hidden_rows]
    hidden = {column for column in sheet.filled_columns if any(low <= column <= high for low, high in sheet.columns)}
    return len(filtered) - sum(filtered), sum(filtered), len(hidden)


def _read(package: Package, part: str) -> _Sheet:
    sheet = _Sheet()
    all_hidden = filters = filled = False
    row, column = 0, 0
    for name, element in package.elements(part):
        if name == "sheetFormatPr":
            all_hidden = _true(element.get("zeroHeight"))
        elif name == "col":
            if _true(element.get("hidden")):
                sheet.columns.append((int(element.get("min", "0")), int(element.get("max", "0"))))
        elif name == "c":
            column = _column(element.get("r", "")) or column + 1
            if any(len(each) or (each.text or "").strip() for each in element):
                filled = True
                sheet.filled_columns.add(column)
        elif name == "row":
            row = int(element.get("r", "0")) or row + 1
            if filled and _true(element.get("hidden", "1" if all_hidden else "0")):
                sheet.hidden_rows.append(row)
            filled, column = False, 0
        elif name == "filterColumn":
            filters = True
        elif name == "autoFilter":
            sheet.filters += _below_header(element.get("ref", "")) if filters else []
            filters = False
    return sheet


def _table_filters(package: Package, part: str) -> list[tuple[int, int]]:
    """Where tables of this sheet filter: they are parts of their own."""
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in package.parts:
        return []
    found = []
    for _, relation in package.elements(relations):
        target = relation.get("Target", "")
        table = target[1:] if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
        if not relation.get("Type", "").endswith("/table") or table not in package.parts:
            continue
        filters = False
        for of, element in package.elements(table):
            filters |= of == "filterColumn"
            if of == "autoFilter" and filters:
                found += _below_header(element.get("ref", ""))
    return found


def _comments(package: Package, found: dict[str, int]) -> None:
    """Comments, and who wrote them; a thread stands a second time as a plain comment whose author begins "tc="."""
    authors: set[str] = set()
    for part in package.of_type("spreadsheetml.comments+xml"):
        listed: list[str] = []
        for name, element in package.elements(part):
            if name == "author":
                listed.append((element.text or "").strip())
            elif name == "comment":
                who = _at(listed, element.get("authorId", ""))
                if not who.startswith("tc="):
                    found["comments"] += 1
                    authors.add(who)
    for part in package.of_type("threadedcomments+xml"):
        found["comments"] += sum(name == "threadedComment" for name, _ in package.elements(part))
    for part in package.of_type("person+xml"):
        authors |= {each.get("displayName", "").strip() for name, each in package.elements(part) if name == "person"}
    found["comment_authors"] = len(authors - {""})


def _at(listed: Sequence[str], place: str) -> str:
    return listed[int(place)] if place.isdigit() and int(place) < len(listed) else ""


def _below_header(ref: str) -> list[tuple[int, int]]:
    match = _RANGE.fullmatch(ref)
    return [(int(match[1]) + 1, int(match[2] or match[1]))] if match else []


def _column(reference: str) -> int:
    number = 0
    for letter in reference:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    return number


def _true(value: str | None) -> bool:
    return value in ("1", "true", "on")
