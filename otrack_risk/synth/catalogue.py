"""What every table of the synthetic world is, as the catalogue that later stages read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from otrack_risk import reference
from otrack_risk.schema import Catalogue, Column, PersonKind, Role, TableSchema

# Table: whom a row is about, the column that tells them apart, whether (with no such column) a row is a person.
_NOBODY: tuple[PersonKind, str | None, bool] = ("unknown", None, False)  # keys and administration
TABLES: Mapping[str, tuple[PersonKind, str | None, bool]] = {
    **dict.fromkeys(
        ("schools", "classes", "households", "pupil_guardians", "staff_classes", "accounts", "grants"), _NOBODY
    ),
    "pupils": ("child", "pupil_id", False),
    "guardians": ("guardian", "guardian_id", False),
    "staff": ("staff", "staff_id", False),
    "attendance": ("child", "pupil_id", False),
    "assessments": ("child", "pupil_id", False),
    "images": ("child", "pupil_id", False),
}
# Columns that fields.toml knows by another name; the rest are called there as here.
_FIELDS: Mapping[str, str] = {
    "schools.name": "school_name",
    "schools.phase": "key_stage",
    "schools.postcode": "school_postcode",
    "classes.name": "class",
    "class_id": "class",
    "admitted_on": "admission_date",
    "left_on": "leaving_date",
    "job": "occupation",
    "started_on": "employment_date",
    "ended_on": "employment_date",
    "account": "username",
    "person_kind": "person_role",
    "enabled": "record_status",
    "last_login": "record_date",
    "role": "person_role",
    "category": "permission",
    "verb": "permission",
    "scope": "permission",
    "valid_from": "record_date",
    "valid_to": "record_date",
    "sessions_absent": "absence",
    "sessions_unauthorised": "absence",
    "term": "period",
    "point": "result",
    "image_id": "record_id",
    "bytes": "file_size",
    "taken_on": "record_date",
}


def catalogue(tables: Mapping[str, Sequence[str]]) -> Catalogue:
    """The catalogue of these tables, given the names of their columns.

    Role, kind and category of a column are those of its field in ``fields.toml``, so that the synthetic world
    is judged as a real export with the same columns would be. Schools, classes, households, links, accounts and
    grants are keys and administration: a row of them is no record about a person.

    Examples
    --------
    >>> catalogue({"staff": ["staff_id", "surname"]}).tables[0].with_role("direct")
    ['staff_id', 'surname']
    """
    known = {entry["name"]: entry for entry in reference.load("fields").entries["field"]}
    return Catalogue(
        tuple(
            TableSchema(name, *TABLES[name], tuple(_column(name, column, known) for column in columns))
            for name, columns in tables.items()
        )
    )


def _column(table: str, column: str, known: Mapping[str, Mapping[str, str]]) -> Column:
    field = known[_FIELDS.get(f"{table}.{column}", _FIELDS.get(column, column))]
    role: Role = field["role"]  # type: ignore[assignment]  # the table is checked where it is loaded
    return Column(column, role, field.get("kind", field["name"]), field["category"], f"synthetic: {field['label']}")
