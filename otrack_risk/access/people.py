"""The children behind the grants, and how staff, guardians and classes are linked to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from otrack_risk import frames
from otrack_risk.errors import FieldError

_YES = ("true", "t", "1", "yes", "y")
# A person of an account is of one of these kinds; its table, that table's key, and the day on which it ended.
_KINDS = {
    "staff": ("staff", "staff_id", "ended_on"),
    "guardian": ("guardians", "guardian_id", None),
    "child": ("pupils", "pupil_id", "left_on"),
}


@dataclass(frozen=True)
class People:
    """Everybody whose row is held, on roll or left: an account that reaches the table reaches them."""

    children: pl.DataFrame  # child, pupil_id, school_id, class_id, year_group, sen, sen_or_looked_after
    known: frozenset[str]  # columns that the table of pupils really has
    taught: pl.DataFrame | None  # staff_id, class_id; None: nobody said who teaches whom
    own: pl.DataFrame | None  # guardian_id, child; None: nobody said whose child it is
    persons: Mapping[str, pl.DataFrame]  # kind of person -> person_id, ended (a date, or null)
    listed: pl.DataFrame  # name, child: the children whom a row filter or a sharing list names
    lists: frozenset[str]  # names of those lists, empty ones too

    @property
    def roll(self) -> int:
        """Distinct children."""
        return self.children.height

    @property
    def only_school(self) -> str | None:
        """The school, where all children are at one."""
        schools = self.children["school_id"].unique()
        return None if len(schools) != 1 or schools[0] is None else str(schools[0])


def people(dataset: frames.Dataset | None, listed: pl.DataFrame | None = None) -> People | None:
    """The children of a data set with the tables of the synthetic world; None where it has no table ``pupils``.

    A single table with a column ``pupil_id`` is taken as the pupils, whatever its name. Several rows of one
    ``pupil_id`` are one child, the first of them.

    Parameters
    ----------
    listed : name, pupil_id: lists of children; a pupil who is not in the data is not counted

    Raises
    ------
    FieldError
        The table of pupils does not tell children apart.
    """
    tables = {} if dataset is None else dataset.frames
    only = next(iter(tables.values())) if len(tables) == 1 else None
    pupils = tables.get("pupils", only if only is not None and "pupil_id" in only.columns else None)
    if pupils is None:
        return None
    if "pupil_id" not in pupils.columns:
        raise FieldError("pupils has no column pupil_id.", "name the column that tells children apart 'pupil_id'.")
    provision = _text(pupils, "sen_provision").str.to_uppercase()
    sen = (provision != "N").fill_null(False)
    looked_after = _text(pupils, "looked_after").str.to_lowercase().is_in(_YES).fill_null(False)
    children = (
        pupils.filter(pl.col("pupil_id").is_not_null())
        .unique("pupil_id", keep="first", maintain_order=True)
        .select(
            *(_text(pupils, column) for column in ("pupil_id", "school_id", "class_id")),
            _text(pupils, "year_group").cast(pl.Int64, strict=False).cast(pl.String),
            sen.alias("sen"),
            (sen | looked_after).alias("sen_or_looked_after"),
        )
        .with_row_index("child")
    )
    if listed is None:
        listed = pl.DataFrame(schema={"name": pl.String, "pupil_id": pl.String})
    taught, own = tables.get("staff_classes"), tables.get("pupil_guardians")
    return People(
        children=children,
        known=frozenset(pupils.columns),
        taught=None if taught is None else taught.select(_text(taught, "staff_id"), _text(taught, "class_id")).unique(),
        own=None
        if own is None
        else own.select(_text(own, "guardian_id"), _text(own, "pupil_id"))
        .join(children.select("pupil_id", "child"), on="pupil_id")
        .select("guardian_id", "child")
        .unique(),
        persons={
            kind: _persons(tables[table], key, ended)
            for kind, (table, key, ended) in _KINDS.items()
            if table in tables and key in tables[table].columns
        },
        listed=listed.join(children.select("pupil_id", "child"), on="pupil_id").select("name", "child").unique(),
        lists=frozenset(listed["name"].unique()),
    )


def _persons(table: pl.DataFrame, key: str, ended: str | None) -> pl.DataFrame:
    dated = ended in table.columns and table.schema[ended] == pl.Date
    return table.select(
        _text(table, key).alias("person_id"), (pl.col(str(ended)) if dated else pl.lit(None, pl.Date)).alias("ended")
    ).unique("person_id", keep="first", maintain_order=True)


def _text(table: pl.DataFrame, column: str) -> pl.Expr:
    """The column as text, or nothing where the table lacks it."""
    given = pl.col(column).cast(pl.String).str.strip_chars() if column in table.columns else pl.lit(None, pl.String)
    return given.alias(column)
