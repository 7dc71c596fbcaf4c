"""The catalogue: what every column is, as a TOML file that a person reads and edits."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from otrack_risk import schema
from otrack_risk.errors import FieldError, FileError, ParameterError
from otrack_risk.schema import Catalogue, Column, TableSchema

FILE_NAME = "catalogue.toml"  # beside the tables of a folder

_HEAD = """\
# What every column is. Edit this file: what stands here goes before what the program reads off the data.
# `otrack-risk ... --catalogue THIS_FILE` uses it; in the folder of the data, named {file}, it is found by itself.
#
# [[table]]          name                 of the file or sheet
#                    subjects             whom a row is about: {subjects}
#                    person               the column that tells these people apart; leave it out where there is none
#                    one_row_a_person     true where there is no such column and each row is a person of its own
# [[table.column]]   name                 the header, exactly
#                    role                 what the column does for somebody who looks for a person:
#                        direct           names the person, or leads to one household: name, UPN, e-mail, full address
#                        quasi            known to others; singles out in combination: birth date, sex, postcode
#                        sensitive        what would be learnt of the person: need, health, free meals, grades
#                        free_text        words in which anything may stand
#                        other            none of these
#                    kind                 what the values are: upn, surname, sex, number, ...
#                    category             {categories}
#                    reason               why; write your own where you change something
#
# A column that is missing here is classified from the data; a column that is only here is an error.
"""
_TABLE_KEYS: Mapping[str, type] = {
    "name": str,
    "subjects": str,
    "person": str,
    "one_row_a_person": bool,
    "column": list,
}
_COLUMN_KEYS: Mapping[str, type] = {"name": str, "role": str, "kind": str, "category": str, "reason": str}
_WORDS = {str: "text in quotes", bool: "true or false", list: "[[table.column]] entries"}


def write_catalogue(catalogue: Catalogue, path: str | Path) -> None:
    """Write a catalogue for a person to edit; :func:`read_catalogue` gives the same one back."""
    lines = [
        _HEAD.format(
            file=FILE_NAME,
            subjects=", ".join(schema.PERSON_KINDS),
            categories=f"\n#{'':40}".join(_wrapped(list(schema.categories()))),
        )
    ]
    for table in catalogue.tables:
        lines += ["[[table]]", f"name = {_quoted(table.name)}", f"subjects = {_quoted(table.subjects)}"]
        lines.append("# person = none" if table.person is None else f"person = {_quoted(table.person)}")
        lines += [f"one_row_a_person = {str(table.one_row_a_person).lower()}", ""]
        for column in table.columns:
            lines.append("[[table.column]]")
            lines += [f"{key} = {_quoted(getattr(column, key))}" for key in _COLUMN_KEYS]
            lines.append("")
    Path(path).write_bytes("\n".join(lines).encode())


def read_catalogue(path: str | Path) -> Catalogue:
    """The catalogue in a file.

    Raises
    ------
    FileError
        No such file, or not readable as TOML.
    ParameterError
        A key that is not known, is missing, or holds the wrong thing: table, column and key are named, with the
        words that may stand there; a table or column that stands there twice.
    """
    file = Path(path)
    try:
        content = tomllib.loads(file.read_bytes().decode())
    except OSError as error:
        raise FileError(f"{file.name}: this catalogue cannot be read.", "check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        where = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
        raise FileError(f"{file.name}: not a TOML file: {where}.", "mend the line, or write the file anew.") from error
    return _catalogue(content, file.name)


def merged(found: Catalogue, given: Catalogue) -> Catalogue:
    """What was found, with everything replaced that a person says; tables that are not in hand are left aside.

    Raises
    ------
    FieldError
        ``given`` names a column that its table does not have, or none of its tables is in hand.
    """
    in_hand = [table.name for table in found.tables]
    if given.tables and not any(table.name in in_hand for table in given.tables):
        raise FieldError(
            f"catalogue: none of its tables ({_listed([table.name for table in given.tables])}) is in the data "
            f"(its tables: {_listed(in_hand)}).",
            "give the tables of the catalogue the names that the data have.",
        )
    return Catalogue(tuple(_merged_table(table, given.table(table.name)) for table in found.tables))


def _merged_table(found: TableSchema, given: TableSchema | None) -> TableSchema:
    if given is None:
        return found
    named = [column.name for column in given.columns] + ([given.person] if given.person is not None else [])
    if unknown := [name for name in dict.fromkeys(named) if found.column(name) is None]:
        raise FieldError(
            f"catalogue, table '{found.name}': {_listed(unknown)} is not a column of it "
            f"(its columns: {_listed([column.name for column in found.columns])}).",
            "correct the name, or take the entry out of the catalogue.",
        )
    return TableSchema(
        name=found.name,
        subjects=given.subjects,
        person=given.person,
        one_row_a_person=given.one_row_a_person,
        columns=tuple(given.column(column.name) or column for column in found.columns),
    )


def _catalogue(content: Mapping[str, Any], file: str) -> Catalogue:
    if unknown := [key for key in content if key != "table"]:
        raise ParameterError(f"{file}: {_listed(unknown)} is not known here.", "a catalogue holds [[table]] entries.")
    entries = content.get("table", [])
    if not _entries(entries):
        raise ParameterError(f"{file}: 'table' holds something else.", "write [[table]] above each table.")
    tables = tuple(_table(entry, f"{file}, table {number}") for number, entry in enumerate(entries, start=1))
    _refuse_twice([table.name for table in tables], file)
    return Catalogue(tables)


def _table(entry: Mapping[str, Any], where: str) -> TableSchema:
    if isinstance(name := entry.get("name"), str):
        where = f"{where} ({name!r})"
    _check(entry, _TABLE_KEYS, where, required=("name", "subjects", "one_row_a_person"))
    _among(entry["subjects"], schema.PERSON_KINDS, "subjects", where)
    columns = entry.get("column", [])
    if not _entries(columns):
        raise ParameterError(f"{where}: 'column' holds something else.", "write [[table.column]] above each column.")
    read = tuple(_column(column, f"{where}, column {number}") for number, column in enumerate(columns, start=1))
    _refuse_twice([column.name for column in read], where)
    return TableSchema(entry["name"], entry["subjects"], entry.get("person"), entry["one_row_a_person"], read)


def _column(entry: Mapping[str, Any], where: str) -> Column:
    if isinstance(name := entry.get("name"), str):
        where = f"{where} ({name!r})"
    _check(entry, _COLUMN_KEYS, where, required=("name", "role", "kind", "category"))
    _among(entry["role"], schema.ROLES, "role", where)
    _among(entry["category"], tuple(schema.categories()), "category", where)
    return Column(**entry)


def _entries(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _check(entry: Mapping[str, Any], keys: Mapping[str, type], where: str, required: Sequence[str]) -> None:
    if unknown := [key for key in entry if key not in keys]:
        raise ParameterError(f"{where}: {_listed(unknown)} is not known here.", f"the keys are {', '.join(keys)}.")
    if missing := [key for key in required if key not in entry]:
        raise ParameterError(f"{where}: {_listed(missing)} is missing.", "write it, as the head of the file explains.")
    for key, value in entry.items():
        if not isinstance(value, keys[key]):
            raise ParameterError(f"{where}: '{key}' holds something else.", f"write {_WORDS[keys[key]]}.")


def _among(value: str, allowed: Sequence[str], key: str, where: str) -> None:
    if value not in allowed:
        raise ParameterError(f"{where}: '{key}' is none of {', '.join(allowed)}.", "write one of these words.")


def _refuse_twice(names: Sequence[str], where: str) -> None:
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise ParameterError(f"{where}: {_listed(twice)} stands there twice.", "keep one of the entries.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _wrapped(names: Sequence[str], a_line: int = 7) -> list[str]:
    return [", ".join(names[start : start + a_line]) for start in range(0, len(names), a_line)]


def _quoted(text: str) -> str:
    """A TOML basic string: quotes, backslashes and control characters escaped (TOML 1.0, String)."""
    escaped = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escaped.get(c) or (f"\\u{ord(c):04x}" if c < " " or c == "\x7f" else c) for c in text) + '"'
