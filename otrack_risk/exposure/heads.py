"""How many people are the rows about? Distinct keys, linked where a table holds two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from otrack_risk.errors import FieldError
from otrack_risk.schema import Column, TableSchema

Numbers = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]  # one a row, or one a person

# Kinds that do not say which numbering a value belongs to: two such columns may number different things.
LOOSE_KINDS = frozenset({"", "id", "identifier", "key", "number", "code", "text", "other", "integer", "category"})
_LOOSE_NAMES = frozenset({"id", "key", "no", "number", "ref", "code", "name", "person"})


@dataclass(frozen=True)
class Held:
    """A table in hand with what is known of it."""

    schema: TableSchema
    rows: pl.DataFrame

    @property
    def name(self) -> str:
        """The table's name."""
        return self.schema.name

    @property
    def key(self) -> Column | None:
        """The column that tells data subjects apart.

        Raises
        ------
        FieldError
            The catalogue names a column that the table does not have.
        """
        name = self.schema.person
        if name is None:
            return None
        if name not in self.rows.columns:
            raise FieldError(
                f"'{name}', which the catalogue gives as the person column of table '{self.name}', is not a column "
                f"of it (its columns: {', '.join(self.rows.columns)}).",
                "correct `person` in the catalogue, or leave it out.",
            )
        return self.schema.column(name) or Column(name, "other", "", "other")


@dataclass(frozen=True)
class Heads:
    """The people of one kind, numbered from 0.

    ``numbers[table][row]`` is the person whom the row is about, -1 where the row carries no key.
    ``most`` counts every key that could not be linked to another as a person of its own; ``least``
    is the largest number of people that any single numbering tells apart. They differ only
    where keys cannot be linked; the truth lies between them.
    """

    numbers: Mapping[str, Numbers]
    least: int
    most: int
    unkeyed: Mapping[str, int]  # table -> rows without a key
    starts: tuple[
        int, ...
    ] = ()  # the first number that each numbering gave out; from there to the next is one numbering

    def distinct(self, table: str, rows: Flags | None = None) -> Flags:
        """Which people the chosen rows of a table are about: one flag a person."""
        numbers = self.numbers[table]
        chosen = numbers if rows is None else numbers[rows]
        flags = np.zeros(self.most, dtype=np.bool_)
        flags[chosen[chosen >= 0]] = True
        return flags

    def span(self, flags: Sequence[Flags | None]) -> tuple[int, int] | None:
        """The fewest and the most people who are in any of the flags; None where none of them could be told apart.

        Nobody is in one numbering twice, and no more people are counted twice than ``most`` exceeds ``least``.
        """
        known = [one for one in flags if one is not None]
        if flags and not known:
            return None
        reached = np.logical_or.reduce([*known, np.zeros(self.most, dtype=np.bool_)])
        most = int(reached.sum())
        alone = [int(part.sum()) for part in np.split(reached, self.starts)]
        return max(*alone, most - (self.most - self.least)), most


def heads(tables: Sequence[Held]) -> Heads:
    """Number the people whom these tables, all about one kind of person, are about.

    Two key columns hold the same numbering when they have the same name, or the same kind where the kind
    names one numbering (``upn``, ``pupil_id``). Two numberings are linked through every table that
    holds both. A table without a person column whose rows are a person each is a numbering that nothing links.

    Notes
    -----
    Text is compared without blanks around it, UPNs in capitals and without blanks inside; blank text is no key.

    Examples
    --------
    >>> pupils = TableSchema("pupils", "child", "pupil_id", True, ())
    >>> marks = TableSchema("marks", "child", "pupil_id", False, ())
    >>> of = heads([Held(pupils, pl.DataFrame({"pupil_id": [1, 2, 2]})),
    ...             Held(marks, pl.DataFrame({"pupil_id": [2, 3, None]}))])
    >>> of.most, of.least, of.unkeyed
    (3, 3, {'pupils': 0, 'marks': 1})
    """
    person = {table.name: key for table in tables if (key := table.key) is not None}
    groups = _numberings(person.values())
    columns = {table.name: _columns_by_group(table, groups) for table in tables if table.name in person}
    keys = {table.name: _keys(table, person[table.name]) for table in tables if table.name in person}
    values = [_distinct([keys[name] for name, key in person.items() if key in group]) for group in groups]
    known: dict[int, pl.DataFrame] = {}  # numbering -> key, person
    most = least = 0
    starts: list[int] = []
    while waiting := [number for number in range(len(groups)) if number not in known]:
        links = {number: _crosswalk(number, values[number].dtype, tables, columns, known) for number in waiting}
        chosen = max(waiting, key=lambda number: (links[number].height > 0, values[number].len(), -number))
        unlinked = values[chosen].to_frame("key").join(links[chosen], on="key", how="anti", maintain_order="left")
        fresh = unlinked.with_columns(person=pl.int_range(most, most + unlinked.height, dtype=pl.Int32))
        known[chosen] = pl.concat([links[chosen], fresh])
        starts.append(most)
        most += fresh.height
        least = max(least, known[chosen].height)  # one numbering alone: nobody is in it twice
    numbers: dict[str, Numbers] = {}
    for table in tables:
        height = table.rows.height
        if table.name in person:
            numbering = next(number for number, group in enumerate(groups) if person[table.name] in group)
            held = keys[table.name].cast(values[numbering].dtype).to_frame("key")
            found = held.join(known[numbering], on="key", how="left", maintain_order="left")
            numbers[table.name] = found["person"].fill_null(-1).to_numpy()
        elif table.schema.one_row_a_person:
            starts.append(most)
            numbers[table.name] = np.arange(most, most + height, dtype=np.int32)
            most += height
            least = max(least, height)
        else:
            numbers[table.name] = np.full(height, -1, dtype=np.int32)
    return Heads(numbers, least, most, {name: int((rows < 0).sum()) for name, rows in numbers.items()}, tuple(starts))


def same_numbering(one: Column, other: Column) -> bool:
    """Whether two columns number the same people: same name, or same telling kind."""
    return _plain(one.name) == _plain(other.name) or (one.kind == other.kind and one.kind not in LOOSE_KINDS)


def telling(column: Column) -> bool:
    """Whether a key's name or kind says what it numbers, so that it can be met in a table about nobody known."""
    return column.kind not in LOOSE_KINDS or _plain(column.name) not in _LOOSE_NAMES


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _numberings(keys: Iterable[Column]) -> list[list[Column]]:
    groups: list[list[Column]] = []
    for key in keys:
        met = [group for group in groups if any(same_numbering(key, member) for member in group)]
        groups = [group for group in groups if group not in met] + [[key, *(c for group in met for c in group)]]
    return groups


def _columns_by_group(table: Held, groups: list[list[Column]]) -> dict[int, Column]:
    """Which column of the table holds which numbering; where two could, the one of the same name, else neither."""
    held: dict[int, Column] = {}
    for number, group in enumerate(groups):
        if (key := table.key) in group and key is not None:
            held[number] = key
            continue
        names = {_plain(column.name) for column in group}
        present = [column for column in table.schema.columns if column.name in table.rows.columns]
        alike = [column for column in present if any(same_numbering(column, member) for member in group)]
        chosen = [column for column in alike if _plain(column.name) in names] or alike
        if len(chosen) == 1:
            held[number] = chosen[0]
    return held


def _keys(table: Held, column: Column) -> pl.Series:
    """The keys as they are compared; None where a row has none."""
    held = table.rows[column.name]
    if held.dtype.is_float() and held.drop_nulls().drop_nans().round().eq(held.drop_nulls().drop_nans()).all():
        return held.fill_nan(None).cast(pl.Int64)  # whole numbers that met a missing one in another program
    if not isinstance(held.dtype, pl.String | pl.Categorical | pl.Enum):
        return held
    text = held.cast(pl.String).str.strip_chars()
    if column.kind == "upn":
        text = text.str.to_uppercase().str.replace_all(r"\s", "")
    return text.set(text == "", None)


def _distinct(held: Sequence[pl.Series]) -> pl.Series:
    dtypes = {keys.dtype for keys in held}
    dtype = dtypes.pop() if len(dtypes) == 1 else pl.String()
    return pl.concat([keys.cast(dtype).drop_nulls().unique(maintain_order=True) for keys in held]).unique(
        maintain_order=True
    )


def _crosswalk(
    numbering: int,
    dtype: pl.DataType,
    tables: Sequence[Held],
    columns: Mapping[str, Mapping[int, Column]],
    known: Mapping[int, pl.DataFrame],
) -> pl.DataFrame:
    """Keys of a numbering whose people are numbered already, through any table that holds both keys."""
    found = [pl.DataFrame(schema={"key": dtype, "person": pl.Int32})]
    for table in tables:
        held = columns.get(table.name, {})
        for other in sorted(held.keys() & known.keys()) if numbering in held else ():
            one = _keys(table, held[numbering]).cast(dtype, strict=False)
            two = _keys(table, held[other]).cast(known[other]["key"].dtype, strict=False)
            both = pl.DataFrame({"key": one, "other": two}).drop_nulls().unique()
            found.append(both.join(known[other], left_on="other", right_on="key").select("key", "person"))
    return pl.concat(found).group_by("key").agg(pl.col("person").min()).sort("person", "key")
