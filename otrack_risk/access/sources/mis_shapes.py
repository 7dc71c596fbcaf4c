"""The shapes of exports of a management information system, told by their headers, and their columns in our names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

import polars as pl

from otrack_risk import frames, reference
from otrack_risk.access.columns import grant_columns
from otrack_risk.access.model import LONGEST
from otrack_risk.access.sources.areas import area_of, level_of, parts_of, plain
from otrack_risk.access.words import role_of
from otrack_risk.errors import FieldError, ParameterError, ReferenceTableError

Shape = Literal["rows", "members", "roles", "permissions", "users"]
TICKS = ("\u2713", "\u2714", "\u2611", "\u2022", "\u25cf", "yes", "y", "true", "1", "on", "granted", "tick")
CROSSES = ("\u2717", "\u2718", "\u2612", "no", "n", "false", "0", "-", "\u2013", "\u2014", "off")
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "account": (
        *("staff", "staff_name", "staff_member", "member_of_staff", "user", "username", "user_name"),
        *("login", "login_name", "account", "employee"),
    ),
    "role": (
        *("business_role", "role", "role_name", "permission_group", "permission_groups", "sims_group"),
        *("group", "group_name", "groups", "user_group", "security_group"),
    ),
    "permission": ("permission", "permission_name", "function", "right"),
    "area": ("area", "module"),
    "sub_area": ("sub_area", "subarea", "sub_module"),
    "level": ("level", "access", "access_level", "permission_level", "setting", "granted"),
    "scope": ("students", "pupils", "scope", "applies_to", "whose", "which_students"),
    "via": ("assigned_via", "assignment", "assigned_by_role", "source", "type", "permission_type"),
    "valid_from": ("start_date", "from", "start", "starts", "valid_from", "from_date", "effective_from"),
    "valid_to": ("end_date", "to", "end", "ends", "until", "valid_to", "to_date", "expires", "effective_to"),
    "approver": ("approved_by", "granted_by", "assigned_by", "approver"),
}
_GROUPS = ("permission_group", "permission_groups", "sims_group", "business_role")  # headers that only an MIS has
_OF_OTHERS = {"category", "data_category", "path", "resource_path", "item", "file", "folder", "link_type", "link_id"}
_BESIDE = ("description", "notes", "managed_by", "users", "number_of_users")  # columns of a matrix that grant nothing


def shape(rows: pl.DataFrame) -> Shape | None:
    """The shape of a table, by its headers; None: no export of an MIS, or a table in the columns of grants.

    ``rows``: a permission in each; ``members``: a person and a group in each; or a matrix, whose rows are ``roles``,
    ``permissions`` or ``users``.

    Examples
    --------
    >>> shape(pl.DataFrame(schema=["User", "Permission Group"])), shape(pl.DataFrame(schema=["Permission", "Teacher"]))
    ('members', 'permissions')
    """
    named, found = _named(rows.columns), _found(rows.columns)
    if _OF_OTHERS & named.keys() or ("sub_area" not in found and _is_grants(rows)):
        return None
    if {"account", "role"} & found.keys() and {"permission", "area"} & found.keys():
        return "rows"
    if matrix := _matrix(rows):
        return matrix
    return "members" if {"account", "role"} <= found.keys() and "level" not in found else None


def only_of_an_mis(rows: pl.DataFrame) -> bool:
    """Whether a table of persons and groups calls the groups as only an MIS does."""
    return not _named(rows.columns).keys().isdisjoint(_GROUPS)


def refuse_long(table: frames.Table) -> None:
    """Refuse a table with a word that is no name.

    Raises
    ------
    ParameterError
        A cell, or a column's name, of more than 1,000 characters; its place is told.
    """
    mend = "correct the row, or the separator of the file."
    for number, column in enumerate(table.rows.columns, start=1):
        if len(column) > LONGEST:
            raise ParameterError(f"{table.name}, column {number}: a name of more than {LONGEST:,} letters.", mend)
        long = table.rows[column].cast(pl.String).str.len_chars().fill_null(0) > LONGEST
        if long.any():
            where = f"{table.name}, row {int(long.arg_max() or 0) + 2}, column '{column}'"
            raise ParameterError(f"{where}: a word of more than {LONGEST:,} letters.", mend)


def ours(rows: pl.DataFrame) -> pl.DataFrame:
    """Our columns (account, role, permission, ...) of a table as text; null where it has none."""
    found = _found(rows.columns)
    return _text(rows).select(
        (pl.col(found[name]) if name in found else pl.lit(None, pl.String)).alias(name) for name in _HEADERS
    )


def members(table: frames.Table) -> pl.DataFrame:
    """member, role, valid_from, valid_to, approver, source, line of a table of the shapes members or users.

    Several groups in one cell are parted at ``;``, ``|`` and line breaks; a person or group that is lacking is null.
    """
    line = pl.lit(None, pl.Int64) if table.skipped else pl.int_range(pl.len(), dtype=pl.Int64) + 2
    if shape(table.rows) == "users":
        first, *others = cells(table.rows).columns
        long = cells(table.rows).with_columns(line=line)
        long = long.unpivot(others, index=[first, "line"], variable_name="role", value_name="mark")
        ticked = long.filter(pl.col("mark").is_not_null(), ~pl.col("mark").str.to_lowercase().is_in(CROSSES))
        return ticked.select(
            pl.col(first).alias("member"),
            "role",
            *(pl.lit(None, pl.String).alias(name) for name in ("valid_from", "valid_to", "approver")),
            source=pl.lit(table.name),
            line="line",
        )
    return (
        ours(table.rows)
        .select(
            pl.col("account").alias("member"),
            pl.col("role").str.replace_all(r"[|\n]", ";").str.split(";"),
            *("valid_from", "valid_to", "approver"),
            source=pl.lit(table.name),
            line=line,
        )
        .explode("role")
        .with_columns(pl.col("role").str.strip_chars().replace("", None))
    )


def cells(rows: pl.DataFrame) -> pl.DataFrame:
    """A matrix as text, without the columns that only describe."""
    return _text(rows.select(column for column in rows.columns if _header(column) not in _BESIDE))


@cache
def usual() -> Mapping[str, tuple[str, ...]]:
    """What the permission groups of SIMS are assumed to hold, by every name of theirs in plain words.

    Raises
    ------
    ReferenceTableError
        A permission of a group is not understood.
    """
    entries = reference.load("mis_permissions").entries["group"]
    for entry in entries:
        for name in entry["permissions"]:
            if area_of(parts_of(name)) is None or not level_of(parts_of(name)[-1]).verbs:
                raise ReferenceTableError("mis_permissions: a group's permission is not understood.", "correct it.")
    return {plain(word): tuple(e["permissions"]) for e in entries for word in (e["name"], *e["synonyms"])}


def _matrix(rows: pl.DataFrame) -> Shape | None:
    first, *others = [column for column in rows.columns if _header(column) not in _BESIDE] or [""]
    if not others or {"account", "level"} & _found(others).keys():
        return None
    areas = sum(area_of(parts_of(column)) is not None for column in others)
    roles = sum(role_of(column) is not None or plain(column) in usual() for column in others)
    by: dict[Shape, tuple[tuple[str, ...], int]] = {
        "roles": (_HEADERS["role"], areas),
        "permissions": ((*_HEADERS["permission"], *_HEADERS["area"]), roles),
        "users": (_HEADERS["account"], roles),
    }
    return next(
        (kind for kind, (names, known) in by.items() if _header(first) in names and 2 * known >= len(others)), None
    )


def _is_grants(rows: pl.DataFrame) -> bool:
    try:
        grant_columns(rows.clear(), "")
    except FieldError:
        return False
    return True


def _text(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.all().cast(pl.String).str.strip_chars().replace("", None))


def _found(columns: Sequence[str]) -> dict[str, str]:
    named = _named(columns)
    return {
        name: named[next(word for word in words if word in named)]
        for name, words in _HEADERS.items()
        if any(word in named for word in words)
    }


def _named(columns: Sequence[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for column in columns:
        named.setdefault(_header(column), column)
    return named


def _header(column: str) -> str:
    return re.sub(r"[\s\-/]+", "_", column.strip().lower())
