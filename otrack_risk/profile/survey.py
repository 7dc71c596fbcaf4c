"""Every column of every table: counted, classified, and tried in combination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from otrack_risk.profile.columns import classify_column
from otrack_risk.profile.dates import last_date
from otrack_risk.profile.fields import known_fields
from otrack_risk.profile.keys import minimal_keys
from otrack_risk.profile.measured import Measured, measure
from otrack_risk.profile.results import ColumnProfile, Profile, TableProfile
from otrack_risk.profile.subjects import PEOPLE, Subjects, subjects
from otrack_risk.schema import Catalogue, Column, TableSchema
from otrack_risk.schema.catalogue import FILE_NAME, merged, read_catalogue

_SAID = "said in the catalogue"


def profile(tables: Mapping[str, pl.DataFrame], catalogue: Catalogue | None = None) -> Profile:
    """What every column is, why, and which combinations of quasi-identifiers single records out.

    Parameters
    ----------
    tables : name to rows
    catalogue : what a person says of some or all columns; it goes before what the columns show

    Raises
    ------
    FieldError
        As :func:`classify`.

    Notes
    -----
    Rows, filled cells, different values and unique values are counted on all rows. The form of the
    values is read off a sample of up to 2,000 of them, one in each of equal steps, so that the same
    table gives the same answer. A header is known or not by the list in reference/fields.toml;
    a column that neither header nor values make known is "other", and its reason says so. Combinations
    are tried in the tables about people; in all, where of no table it is known whom it is about.

    Examples
    --------
    >>> pupils = pl.DataFrame({"UPN": ["W801900123001", "R373900224014"], "Sex": ["F", "M"], "SEN Status": ["K", None]})
    >>> [(column.name, column.role, column.filled_share) for column in profile({"pupils": pupils}).columns]
    [('UPN', 'direct', 1.0), ('Sex', 'quasi', 1.0), ('SEN Status', 'sensitive', 0.5)]
    """
    surveyed = {name: _surveyed(name, rows, last) for last in [last_date(tables)] for name, rows in tables.items()}
    found = Catalogue(tuple(table.schema for table in surveyed.values()))
    said = found if catalogue is None else merged(found, catalogue)
    known = {field.kind: field.known_by for field in reversed(known_fields())}
    columns, described = [], []
    for now, was in zip(said.tables, found.tables, strict=True):
        table = surveyed[now.name]
        same = (now.subjects, now.person, now.one_row_a_person) == (was.subjects, was.person, was.one_row_a_person)
        described.append(
            TableProfile(
                now.name,
                tables[now.name].height,
                now.subjects,
                now.person,
                now.one_row_a_person,
                table.about.reason if same else _SAID,
            )
        )
        columns += [
            ColumnProfile(
                table=now.name,
                name=column.name,
                role=column.role,
                kind=column.kind,
                category=column.category,
                rows=counts.rows,
                filled=counts.filled,
                filled_share=counts.filled / counts.rows if counts.rows else None,
                distinct=counts.distinct,
                unique=counts.unique,
                known_by=known.get(column.kind, ()),
                reason=column.reason or _SAID,
            )
            for column, counts in zip(now.columns, table.measured, strict=True)
        ]
    about_people = [table for table in said.tables if table.subjects != "unknown"] or said.tables
    keys = [
        key for table in about_people for key in minimal_keys(tables[table.name], table.quasi_identifiers, table.name)
    ]
    return Profile(tuple(described), tuple(columns), tuple(keys), said)


def classify(tables: Mapping[str, pl.DataFrame], catalogue: Catalogue | None = None) -> Catalogue:
    """What every column is, without the search for combinations; entries of ``catalogue`` win.

    Rows are looked at only where the catalogue does not say everything of a table already.

    Raises
    ------
    FieldError
        ``catalogue`` names a column that its table does not have, or none of its tables is in hand.

    Examples
    --------
    >>> classify({"pupils": pl.DataFrame({"pupil_id": [1, 2], "fsm": [True, False]})}).tables[0].person
    'pupil_id'
    """
    given = catalogue or Catalogue()
    last = last_date(tables)
    found = Catalogue(
        tuple(
            _headers_only(name, rows) if _all_said(given, name, rows) else _surveyed(name, rows, last).schema
            for name, rows in tables.items()
        )
    )
    return found if catalogue is None else merged(found, catalogue)


def catalogue_for(
    data: str | Path, tables: Mapping[str, pl.DataFrame], catalogue: str | Path | None = None
) -> Catalogue:
    """What is known of these tables: from the catalogue that is named, else the one beside them, else themselves.

    Parameters
    ----------
    data : the file or folder that the tables were read from
    tables : name to rows
    catalogue : a catalogue file; none, or empty, for ``catalogue.toml`` in the folder ``data``, where there is one

    Raises
    ------
    FileError, ParameterError, FieldError
        As :func:`read_catalogue` and :func:`classify`.
    """
    beside = Path(data) / FILE_NAME
    named = catalogue or (beside if beside.is_file() else None)
    return classify(tables, read_catalogue(named) if named else None)


@dataclass(frozen=True)
class _Surveyed:
    measured: tuple[Measured, ...]
    about: Subjects
    schema: TableSchema


def _all_said(given: Catalogue, name: str, rows: pl.DataFrame) -> bool:
    table = given.table(name)
    return table is not None and all(table.column(header) is not None for header in rows.columns)


def _headers_only(name: str, rows: pl.DataFrame) -> TableSchema:
    columns = tuple(Column(header, "other", "text", "other") for header in rows.columns)
    return TableSchema(name, "unknown", None, False, columns)


def _surveyed(name: str, rows: pl.DataFrame, last: date | None) -> _Surveyed:
    measured = [measure(series, name) for series in rows.iter_columns()]
    findings = [classify_column(counts, dtype, last) for counts, dtype in zip(measured, rows.dtypes, strict=True)]
    about = subjects(rows, name, findings, measured)
    key = "; it tells the people of this table apart"
    if about.kind == "unknown":
        key += f": {about.reason}"
    else:
        key += f", taken to be {PEOPLE[about.kind]}" + (about.age and f": {about.age}")
    columns = tuple(
        replace(column, reason=column.reason + key) if column.name == about.person else column
        for column in (finding.column for finding in findings)
    )
    return _Surveyed(tuple(measured), about, TableSchema(name, about.kind, about.person, False, columns))
