"""What every table of the synthetic world is, as the catalogue that later stages read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from otrack_risk import reference
from otrack_risk.schema import Catalogue, Column, PersonKind, Role, TableSchema

# Table: whom a row is about, the column that tells them apart, whether (with no such column) a row is a person.
_NOBODY: tuple[PersonKind, str | None, bool] = ("unknown", None, False)  # keys and administration
TABLES: Mapping[str, tuple[PersonKind, str | None, bool]] = {
    **dict.fromkeys(
        (
            "schools",
            "classes",
            "households",
            "pupil_guardians",
            "staff_classes",
            "accounts",
            "grants",
            "access_log",
        ),
        _NOBODY,
    ),
    "pupils": ("child", "pupil_id", False),
    "guardians": ("guardian", "guardian_id", False),
    "staff": ("staff", "staff_id", False),
    "contracts": ("staff", "staff_id", False),
    "attendance": ("child", "pupil_id", False),
    "assessments": ("child", "pupil_id", False),
    "notes": ("child", "pupil_id", False),
    "behaviour": ("child", "pupil_id", False),
    "images": ("child", "pupil_id", False),
    "documents": ("child", "pupil_id", False),
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
    "middle_name": "middle_names",
    "retain_until": "record_date",
    "lives_with_pupil": "priority",
    "contract_id": "record_id",
    "contracts.kind": "work_class",
    "fte": "work_class",
    "log_id": "record_id",
    "at": "record_date",
    "access_log.rows": "permission",
    "client": "record_status",
    "event_id": "record_id",
    "happened_on": "record_date",
    "behaviour.kind": "behaviour",
    "behaviour.points": "behaviour",
    "note_id": "record_id",
    "written_on": "record_date",
    "notes.kind": "record_status",
    "notes.text": "note",
    "document_id": "record_id",
    "documents.kind": "record_status",
    "created_on": "record_date",
}
# Columns of which every cell is an identifier, or says something sensitive, of the person of its row.
_IDENTIFIERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "schools": ("", {"name": "SCHOOL", "postcode": "POSTCODE"}),
    "classes": ("", {"name": "CLASS"}),
    "households": ("household_id", {"address_line": "ADDRESS", "postcode": "POSTCODE"}),
    "pupils": (
        "pupil_id",
        {
            "upn": "UPN",
            "uln": "ULN",
            "surname": "PERSON",
            "forename": "PERSON",
            "middle_name": "PERSON",
            "preferred_forename": "NICKNAME",
            "date_of_birth": "DATE_OF_BIRTH",
            "ethnicity": "ETHNICITY",
            "first_language": "LANGUAGE",
            "sen_provision": "SEND",
            "sen_need": "SEND",
            "looked_after": "SAFEGUARDING",
            "medical_condition": "HEALTH",
        },
    ),
    "guardians": ("guardian_id", {"surname": "PERSON", "forename": "PERSON", "phone": "PHONE", "email": "EMAIL"}),
    "staff": ("staff_id", {"surname": "PERSON", "forename": "PERSON", "email": "EMAIL"}),
    "accounts": ("person_id", {"account": "USERNAME"}),
    "grants": ("account", {"account": "USERNAME"}),
    "access_log": ("account", {"account": "USERNAME"}),
}


def identifiers(tables: Mapping[str, Sequence[str]]) -> list[dict[str, str | None]]:
    """The columns of these tables that hold an identifier in every cell: label, and the column that says whose it is.

    Examples
    --------
    >>> identifiers({"schools": ["school_id", "name"]})
    [{'table': 'schools', 'column': 'name', 'label': 'SCHOOL', 'subject_column': None}]
    """
    return [
        {"table": table, "column": column, "label": label, "subject_column": subject or None}
        for table, (subject, labels) in _IDENTIFIERS.items()
        for column, label in labels.items()
        if column in tables.get(table, ())
    ]


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
