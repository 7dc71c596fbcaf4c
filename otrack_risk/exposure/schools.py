"""How many schools are named? Distinct keys of schools, and of no district, trust or department."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from otrack_risk.exposure.heads import Held

# The first of these that any column has: they number schools differently.
_SCHOOL_KINDS = ("school_id", "urn", "laestab", "school", "school_name")
# What OneRoster calls organisations; users may belong to a district or a department, which is no school.
_ORGANISATIONS = ("school", "department", "district", "local", "state", "national")


def schools(held: Sequence[Held]) -> int | None:
    """Distinct school keys over all tables, without those of organisations that a table calls something else.

    A cell of ``school_id`` may hold several, with commas between.

    Examples
    --------
    >>> from otrack_risk.schema import Column, TableSchema
    >>> orgs = TableSchema("orgs", "unknown", None, False, (Column("sourcedId", "quasi", "school_id", "identity"),))
    >>> schools([Held(orgs, pl.DataFrame({"sourcedId": ["s1", "d1"], "type": ["school", "district"]}))])
    1
    """
    for kind in _SCHOOL_KINDS:
        keys, others = list[pl.Series](), list[pl.Series]()
        for table in held:
            for column in table.schema.columns:
                if column.kind == kind and column.name in table.rows.columns:
                    keys.append(_school_keys(table.rows[column.name], kind))
                    others.append(_school_keys(table.rows[column.name].filter(_no_school(table)), kind))
        if keys:
            every = pl.concat(keys)
            return every.filter(~every.is_in(pl.concat(others).implode())).n_unique()
    return None


def _school_keys(key: pl.Series, kind: str) -> pl.Series:
    text = key.drop_nulls().unique().cast(pl.String)
    text = (text.str.split(",").explode() if kind == "school_id" else text).str.strip_chars()
    return text.filter(text != "")


def _no_school(table: Held) -> pl.Series:
    """Rows of a list of organisations, schools among them, that are of another type."""
    for name in table.rows.columns:
        if name.casefold() in ("type", "orgtype", "org_type"):
            types = table.rows[name].cast(pl.String).str.strip_chars().str.to_lowercase()
            if "school" in types and types.drop_nulls().is_in(_ORGANISATIONS).all():
                return (types != "school").fill_null(False)
    return pl.Series([False], dtype=pl.Boolean).new_from_index(0, table.rows.height)
