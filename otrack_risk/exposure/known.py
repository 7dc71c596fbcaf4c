"""The people of a data set as names to look for, in its own texts and file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from otrack_risk import schema
from otrack_risk.exposure.heads import Heads, Held, Numbers
from otrack_risk.files.names import People, folded
from otrack_risk.text.roster import Roster

# Kind of a column -> what the roster calls it. A second column of forenames is taken for what a child is called.
_CALLED = {
    "forename": "forename",
    "preferred_forename": "preferred_forename",
    "middle_names": "middle_names",
    "surname": "surname",
    "full_name": "full_name",
    "upn": "upn",
    "uln": "uln",
    "school_id": "school_id",
    "school": "school_id",
    "school_name": "school_id",
    "laestab": "school_id",
    "class": "class",
    "year_group": "year_group",
    "household_id": "household_id",
}
_NAMES = ("forename", "surname", "full_name")
# People beyond whom names alone say little: too many share them.
CROWD = 20_000
_SHORT = 500_000  # letters of paths in which each name of a crowd is looked for
_TEXT = {"value": pl.String, "folded": pl.String}
_OWN = "pupil_id"  # what the scanner calls the number that ties a note to its child


@dataclass(frozen=True)
class ByName:
    """The children whom file names may name."""

    names: People
    people: Numbers  # the child of each row of ``names``; -1 where the row has no key


@dataclass(frozen=True)
class Known:
    """The children and the adults whose names the data set holds.

    Attributes
    ----------
    children : one row a child, columns as the roster calls them; no rows where no table of children has names
    people : the child (see :class:`Heads`) of each row; -1 where the row has no key
    adults : tables of staff and guardians
    """

    children: pl.DataFrame
    people: Numbers
    adults: tuple[pl.DataFrame, ...] = field(default=())

    @cached_property
    def roster(self) -> Roster | None:
        """As the scanner of texts wants it; None where there are no names."""
        return Roster.of(self.children, None, *self.adults) if self.children.height else None

    def by_name(self, paths: Sequence[str]) -> ByName | None:
        """As the reader of these file names wants it; None where there are no names.

        Of many children only those are in it whose forename, surname or number stands in a path, unless paths are many
        too.
        """
        if not self.children.height or not paths:
            return None
        held, rows = [name for name in (*_CALLED.values(), "key") if name in self.children.columns], None
        said = folded(" ".join(paths))
        if self.children.height > CROWD and len(said) < _SHORT:
            columns = [name for name in ("forename", "preferred_forename", "surname", "key", "upn") if name in held]
            stands = [self.children[name].is_in(_standing_in(said, self.children[name])) for name in columns]
            rows = np.flatnonzero(np.logical_or.reduce([each.fill_null(False).to_numpy() for each in stands]))
        people = People(
            self.children if rows is None else self.children[rows],
            forenames=[name for name in ("forename", "preferred_forename") if name in held],
            surnames=[name for name in ("surname",) if name in held],
            keys=[name for name in ("key", "upn") if name in held],
            group="class" if "class" in held else None,
            year="year_group" if "year_group" in held else None,
        )
        return ByName(people, self.people if rows is None else self.people[rows])

    def schools(self, most: int) -> list[str | None]:
        """The school of each child."""
        held: list[str | None] = [None] * most
        if "school_id" in self.children.columns:
            for person, school in zip(self.people.tolist(), self.children["school_id"], strict=True):
                if person >= 0:
                    held[person] = school
        return held


def known(held: Sequence[Held], people: Mapping[schema.PersonKind, Heads]) -> Known:
    """The names that the tables hold: of children, and of staff and guardians, whom a note may name as well.

    A child who stands in several rows counts once, as in the first of them. Guardians are of the school of a child
    of their household; where the data set has several schools and the household does not say which, or there are more
    than :data:`CROWD` of them, they are left out: on invented notes they change one child of 500.
    """
    tables, numbers = [], []
    for table in _naming(held, "child"):
        tables.append(_canonical(table).with_columns(_class(table, held)))
        numbers.append(people["child"].numbers[table.name])
    if not tables:
        return Known(pl.DataFrame(), np.empty(0, dtype=np.int32))
    rows = pl.concat(tables, how="diagonal").with_columns(_person=pl.Series(np.concatenate(numbers)))
    rows = rows.filter((pl.col("_person") < 0) | pl.col("_person").is_first_distinct())
    person = rows["_person"].to_numpy()
    children = rows.select(
        pl.exclude("_person"),
        pl.when(pl.col("_person") >= 0).then(pl.col("_person")).cast(pl.String).alias(_OWN),
    )
    schools = children["school_id"].n_unique() if "school_id" in children.columns else 1
    staff = [_canonical(table) for table in _naming(held, "staff")]
    parents = [table for table in _naming(held, "guardian") if table.rows.height <= CROWD]
    guardians = [_with_school(_canonical(table), children, schools) for table in parents]
    adults = [each.select(pl.exclude("upn", "uln", "key")) for each in (*staff, *guardians) if each.height]
    return Known(children, person, tuple(adults))


def text_of(table: Held, column: str, people: Heads, schools: Sequence[str | None]) -> pl.DataFrame:
    """One free-text column as the scanner wants it: text, the child whose row it is, and its school."""
    rows = table.rows
    numbers = people.numbers[table.name] if table.schema.subjects == "child" else None
    own = np.full(rows.height, -1, dtype=np.int32) if numbers is None else numbers
    frame = pl.DataFrame({"text": rows[column].cast(pl.String, strict=False), "person": own})
    said = [c.name for c in table.schema.columns if _CALLED.get(c.kind) == "school_id" and c.name in rows.columns]
    where = [schools[person] if person >= 0 else None for person in own.tolist()]
    school = pl.Series("school_id", where, dtype=pl.String)
    if said:
        school = rows[said[0]].cast(pl.String, strict=False).str.strip_chars().alias("school_id").to_frame().select(
            pl.coalesce(pl.col("school_id"), school)
        )["school_id"]  # fmt: skip
    own_key = pl.when(pl.col("person") >= 0).then(pl.col("person")).cast(pl.String).alias(_OWN)
    return frame.with_columns(own_key, school)


def _naming(held: Sequence[Held], kind: schema.PersonKind) -> list[Held]:
    """The tables about this kind that have a column of names."""
    return [
        table
        for table in held
        if table.schema.subjects == kind
        and table.rows.height
        and any(column.kind in _NAMES and column.name in table.rows.columns for column in table.schema.columns)
    ]


def _canonical(table: Held) -> pl.DataFrame:
    """The columns that the roster reads, under the names by which it knows them, as text."""
    taken: dict[str, pl.Series] = {}
    for column in table.schema.columns:
        called = _CALLED.get(column.kind)
        if called in taken and called == "forename":
            called = "preferred_forename"
        if called and called not in taken and column.name in table.rows.columns:
            taken[called] = table.rows[column.name].cast(pl.String, strict=False).str.strip_chars().alias(called)
    if (key := table.key) is not None:
        taken["key"] = table.rows[key.name].cast(pl.String, strict=False).str.strip_chars().alias("key")
    rows = pl.DataFrame(list(taken.values()))
    if "full_name" in taken and not {"forename", "surname"} & taken.keys():
        rows = rows.with_columns(**_apart(pl.col("full_name")))
    return rows


def _apart(name: pl.Expr) -> dict[str, pl.Expr]:
    """Forename and surname of a full name, in either order ("Holt, Daisy")."""
    comma = name.str.contains(",", literal=True)
    last = pl.when(comma).then(name.str.extract(r"^([^,]*),")).otherwise(name.str.extract(r"(\S+)$"))
    first = pl.when(comma).then(name.str.extract(r",\s*(.*)$")).otherwise(name.str.extract(r"^(.*\S)\s+\S+$"))
    return {"forename": first.str.strip_chars(), "surname": last.str.strip_chars()}


def _class(table: Held, held: Sequence[Held]) -> list[pl.Series]:
    """The name of a child's class, where the table has its key and another table its name."""
    own = [c.name for c in table.schema.columns if c.kind == "class" and c.name in table.rows.columns]
    for other in held if own else ():
        names = [c.name for c in other.schema.columns if c.kind == "class" and c.name in other.rows.columns]
        if other is table or other.schema.subjects != "unknown" or len(names) != 2 or own[0] not in names:
            continue
        (name,) = (each for each in names if each != own[0])
        if other.rows[own[0]].is_duplicated().any():
            continue
        listed = other.rows.select(pl.col(own[0]).cast(pl.String), pl.col(name).cast(pl.String).alias("class"))
        keys = table.rows.select(pl.col(own[0]).cast(pl.String))
        return [keys.join(listed, on=own[0], how="left", maintain_order="left")["class"]]
    return []


def _with_school(guardians: pl.DataFrame, children: pl.DataFrame, schools: int) -> pl.DataFrame:
    if schools < 2 or "school_id" in guardians.columns:
        return guardians
    if "household_id" not in guardians.columns or "household_id" not in children.columns:
        return guardians.clear()
    homes = children.select("household_id", "school_id").drop_nulls().unique()
    return guardians.join(homes, on="household_id", how="inner", maintain_order="left")


def _standing_in(said: str, values: pl.Series) -> list[str]:
    """The different values that stand in a text."""
    different = values.drop_nulls().unique()
    different = different.filter(different.str.len_chars() > 1)
    plain = different.str.contains(r"^[\x00-\x7F]*$")  # of these, folding is a matter of small letters
    bare, rest = different.filter(plain), different.filter(~plain)
    spelt = [*bare.str.to_lowercase().str.replace_all(r"[^a-z0-9]", "").to_list(), *map(folded, rest.to_list())]
    held = pl.DataFrame({"value": [*bare.to_list(), *rest.to_list()], "folded": spelt}, schema_overrides=_TEXT)
    held = held.filter(pl.col("folded") != "")
    met = pl.Series([said]).str.extract_many(held["folded"].unique().implode(), overlapping=True).list.explode()
    return held.filter(pl.col("folded").is_in(met.implode()))["value"].to_list()
