"""What was in it, and how full: one column at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from otrack_risk import reference, schema
from otrack_risk.exposure.fields import Field
from otrack_risk.exposure.heads import LOOSE_KINDS, Flags, Heads, Held

# A filled cell that says "none of it" is no fact about the person (this project's own default). Text is compared
# without blanks around it and without case; a Boolean is a fact where true, a number where it is not 0. "N" is
# also the DfE code for no special educational need, REFU and NOBT those for ethnicity refused and not obtained.
SAYS_NOTHING = ("", "-", "not known", "unknown", "refu", "nobt", "refused", "not obtained")
SAYS_NONE = (*SAYS_NOTHING, "n", "no", "none", "nil", "0", "f", "false", "na", "n/a", "not applicable")
# In these kinds "no" or "NA" can be a country, and "none" a belief: only SAYS_NOTHING says nothing.
STATED_KINDS = frozenset({"religion", "nationality", "country", "country_of_birth"})
# Numbers that a system gives its own rows: they link tables, and name nobody to whoever lacks the system.
LINK_KINDS = frozenset(
    ("pupil_id", "staff_id", "guardian_id", "person_id", "related_person_id", "household_id", "record_id", "image_id")
) | frozenset(("id", "key", "identifier"))
# What belongs to a place or a group as well as to a person: a table of nothing else is about nobody by itself.
_PLACES = ("address", "postcode", "postcode_area", "town", "region", "country", "location", "urban_rural", "dwelling")
_GROUPS = ("deprivation", "key_stage", "year_group", "subject", "course", "other_school")
_DESCRIBING_KINDS = frozenset(("upn", "full_name", "surname", "forename", "date_of_birth"))
_PERSONAL_ROLES: tuple[schema.Role, ...] = ("direct", "quasi", "sensitive", "free_text")


@dataclass(frozen=True)
class Told:
    """A column, what it tells, and of whom."""

    entry: Field
    column: schema.Column
    reached: Flags | None  # people with a value; None where the table's people cannot be told apart
    facts: Flags | None  # of those, the people with a value that is not "none of it"; special categories only

    @property
    def special(self) -> bool:
        """Whether it is special category data."""
        return self.column.category in schema.special_categories()

    @property
    def names(self) -> bool:
        """Whether it identifies a person directly, rather than link one table with another."""
        return self.column.role == "direct" and self.column.kind not in LINK_KINDS


def told(table: Held, people: Mapping[schema.PersonKind, Heads], held: Sequence[Held]) -> list[Told]:
    """Every column of the table that says something of a person, in the table's order.

    Columns of role ``other``, and keys that only link tables, say nothing. Of a table about nobody by itself only
    what belongs to a place is told (a household's address), of the children who are linked to it through
    a ``household_id`` in the tables ``held``.
    """
    return [
        _told(table, column, people, held)
        for column in table.schema.columns
        if column.name in table.rows.columns and column.role != "other" and not _links(table, column)
    ]


def about_people(table: Held) -> bool:
    """Whether the rows of a table are about people.

    They are where somebody has said about whom; else where a column says something of one person rather than of
    a place, a group or another table. A list of files of which nobody has said whom they show is not.
    """
    personal = any(
        column.role in _PERSONAL_ROLES and column.kind not in LINK_KINDS.union(_PLACES, _GROUPS, _linking_fields())
        for column in table.schema.columns
    )
    return table.schema.subjects != "unknown" or (personal and not index(table))


def index(table: Held) -> bool:
    """Whether the rows of a table are files: it has file names, and describes nobody by name or birth date."""
    others = [column for column in table.schema.columns if column.name != table.schema.person]
    return bool(file_names(table)) and not any(column.kind in _DESCRIBING_KINDS for column in others)


def file_names(table: Held) -> list[schema.Column]:
    """The columns of a table that hold names of files."""
    return [c for c in table.schema.columns if c.kind == "file_name" and c.name in table.rows.columns]


def filled(values: pl.Series) -> Flags:
    """Which rows have a value: not missing, not NaN, not blank text.

    Examples
    --------
    >>> filled(pl.Series(["a", "  ", None])).tolist()
    [True, False, False]
    """
    if isinstance(values.dtype, pl.String):
        return values.str.contains(r"\S").fill_null(False).to_numpy()
    if values.dtype.is_float():
        return (values.is_not_null() & values.is_not_nan().fill_null(False)).to_numpy()
    return values.is_not_null().to_numpy()


def states_a_fact(values: pl.Series, kind: str) -> Flags:
    """Which rows say more than "none of it", see ``SAYS_NONE``.

    Examples
    --------
    >>> states_a_fact(pl.Series(["K", "N", None, "E"]), "sen_provision").tolist()
    [True, False, False, True]
    >>> states_a_fact(pl.Series([True, False]), "flag").tolist()
    [True, False]
    """
    if isinstance(values.dtype, pl.Boolean):
        return values.fill_null(False).to_numpy()
    if values.dtype.is_numeric():
        return np.asarray(filled(values) & (values != 0).fill_null(False).to_numpy(), dtype=np.bool_)
    if isinstance(values.dtype, pl.String | pl.Categorical | pl.Enum):
        none = SAYS_NOTHING if kind in STATED_KINDS else SAYS_NONE
        text = values.cast(pl.String).str.strip_chars().str.to_lowercase()
        return (~text.is_in(none)).fill_null(False).to_numpy()
    return filled(values)


def _linking_fields() -> frozenset[str]:
    """Kinds that ``fields.toml`` knows as keys and administration."""
    fields = reference.load("fields").entries["field"]
    return frozenset(entry["name"] for entry in fields if entry.get("link") and "kind" not in entry)


def _links(table: Held, column: schema.Column) -> bool:
    """Whether a column only links tables: a number of a system's own, or a person column of no telling kind."""
    if column.name == table.schema.person:
        return column.kind in LINK_KINDS | LOOSE_KINDS
    if column.kind in LINK_KINDS and column.kind.endswith("_id"):
        return True
    administration = not about_people(table) and not index(table)
    return administration and (column.category == "identity" or column.kind in _linking_fields())


def _household(table: Held) -> pl.Series | None:
    columns = [c for c in table.schema.columns if c.kind == "household_id" and c.name in table.rows.columns]
    return table.rows[columns[0].name].cast(pl.String) if columns else None


def _reached(
    table: Held, rows: Flags, people: Mapping[schema.PersonKind, Heads], held: Sequence[Held]
) -> tuple[schema.PersonKind, Flags | None]:
    """The people whom these rows are about: by the table's own key, or the children of these households."""
    subjects = table.schema.subjects
    numbers = people[subjects].numbers.get(table.name)
    if numbers is not None:
        countable = len(numbers) == 0 or bool((numbers >= 0).any())
        return subjects, people[subjects].distinct(table.name, rows) if countable else None
    children, homes = people["child"], _household(table)
    if homes is None:
        return subjects, None
    chosen = homes.filter(pl.Series(rows)).drop_nulls().unique().implode()
    flags = [
        children.distinct(other.name, theirs.is_in(chosen).fill_null(False).to_numpy())
        for other in held
        if other.name in children.numbers and (theirs := _household(other)) is not None
    ]
    return ("child", np.logical_or.reduce(flags)) if flags else (subjects, None)


def _told(table: Held, column: schema.Column, people: Mapping[schema.PersonKind, Heads], held: Sequence[Held]) -> Told:
    values = table.rows[column.name]
    has_value = filled(values)
    n_rows, n_filled = table.rows.height, int(has_value.sum())
    subjects, reached = _reached(table, has_value, people, held)
    _, everybody = _reached(table, np.ones(n_rows, dtype=np.bool_), people, held)
    own = people[subjects].numbers.get(table.name)
    reasons = []
    if n_rows == 0:
        reasons.append("The table has no rows.")
    if reached is None:
        reasons.append("The table has no person's key.")
    elif own is None:
        reasons.append("Children of these households.")
    elif (own[has_value] < 0).any():
        reasons.append("Rows without a key are in no count of people.")
    facts = None
    if reached is not None and subjects == "child" and column.category in schema.special_categories():
        _, facts = _reached(table, has_value & states_a_fact(values, column.kind), people, held)
    entry = Field(
        table=table.name,
        field=column.name,
        category=column.category,
        role=column.role,
        subjects=subjects,
        rows=n_rows,
        filled=n_filled,
        filled_share=n_filled / n_rows if n_rows else None,
        people=None if reached is None else int(reached.sum()),
        of_people=None if everybody is None else int(everybody.sum()),
        reason=" ".join(reasons),
        told_of=None if facts is None else int(facts.sum()),
    )
    return Told(entry, column, reached, facts)
