"""The people of the data set as names to look for: every spelling of each, one automaton a school.

Names are kept folded (:mod:`otrack_risk.text.folding`). A key stands between spaces, so that what the automaton
finds is a whole word: punctuation, hyphens and apostrophes of a note are spaces by then.

Notes
-----
Libraries measured on 850,192 full names (one core of a shared computer; notes of 97 characters): pyahocorasick built
in 1.8 s with 210 MB and read 120,235 notes/s; ahocorasick-rs 1.4 s, 225 MB at its highest, 295,071 notes/s; a Python
dictionary of word pairs 0.9 s, 118 MB, 61,572 notes/s. All are far within what is needed, and the pass is a twentieth
of the time of a scan: pyahocorasick is used, because it is used for the lexicons too and carries its values along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

from otrack_risk import reference
from otrack_risk.errors import FieldError, TableError
from otrack_risk.text import spelt
from otrack_risk.text.names import Everybody, Names, Shapes, Spellings

if TYPE_CHECKING:
    import polars as pl

_FIELDS = ("forename", "preferred_forename", "middle_names", "surname", "full_name", "title")
_PLACES = ("school_id", "school", "class", "year_group", "household_id", "pupil_id")
_NUMBERS = ("upn", "uln")


@dataclass(frozen=True)
class Roster:
    """The children of a data set and the adults beside them.

    Attributes
    ----------
    height : rows of the table; a row without a name is found by nothing
    adults : names of staff and, where given, of parents: (forename, surname, school)
    places : what the table says of each row: ``school``, ``class``, ``year_group``, ``household_id``
    numbers : the row of each UPN and ULN, as capitals and digits
    ids : how a row is called outside: its ``id`` column, or its number from 0
    """

    height: int
    adults: tuple[tuple[str, str, str | None], ...]
    places: Mapping[str, tuple[str | None, ...]]
    numbers: Mapping[str, int]
    ids: Sequence[object]
    _table: pl.DataFrame = field(repr=False)
    _columns: Mapping[str, list[str]] = field(repr=False)
    _names: dict[str | None, Names] = field(default_factory=dict, repr=False, compare=False)
    _everybody: list[Everybody] = field(default_factory=list, repr=False, compare=False)
    _by_school: dict[str | None, list[int]] = field(default_factory=dict, repr=False, compare=False)
    _by_place: dict[str | None, list[tuple[str, str, str | None]]] = field(
        default_factory=dict, repr=False, compare=False
    )  # adults by school; None: of every school
    _spelt: dict[str | None, Spellings] = field(default_factory=dict, repr=False, compare=False)
    _shapes: Shapes = field(default_factory=Shapes, repr=False, compare=False)

    @classmethod
    def of(cls, children: pl.DataFrame, staff: pl.DataFrame | None = None, *adults: pl.DataFrame) -> Roster:
        """The names of a table of children, and of tables of staff and other adults.

        Columns are known by their headers (reference table ``fields``): forename, preferred forename, middle names,
        surname, or a full name in either order ("Holt, Daisy"); school, class, year group and household where held.

        Raises
        ------
        TableError
            No rows.
        FieldError
            No column of names.

        Examples
        --------
        >>> import polars as pl
        >>> held = pl.DataFrame({"name": ["Holt, Daisy", "Emeka Obi"], "known as": [None, "Ems"]})
        >>> names = Roster.of(held).names()
        >>> names.keys["ems"].form, names.keys["ems"].subjects, names.keys["daisy holt"].subjects
        ('nickname', (1,), (0,))
        """
        if not children.height:
            raise TableError("the roster has no rows.", "give the table of the children that the notes are about.")
        columns = _columns(children, "roster")
        held = {name: _first(children, columns[name]) for name in ("class", "year_group", "household_id")}
        numbers = {
            number.upper().replace(" ", ""): row
            for name in _NUMBERS
            for column in columns[name]
            for row, number in enumerate(children[column].cast(_string()).to_list())
            if number
        }
        return cls(
            height=children.height,
            adults=tuple(adult for table in (staff, *adults) if table is not None for adult in _adults(table)),
            places={"school": _first(children, [*columns["school_id"], *columns["school"]]), **held},
            numbers=numbers,
            ids=children["id"].to_list() if "id" in children.columns else range(children.height),
            _table=children,
            _columns=columns,
        )

    @property
    def schools(self) -> frozenset[str]:
        """The schools named in the table; none where it has no such column."""
        return frozenset(school for school in self.places["school"] if school is not None)

    @property
    def pupil_ids(self) -> pl.Series | None:
        """The pupil's number in the system, by row, where the table has such a column."""
        columns = self._columns["pupil_id"]
        return self._table[columns[0]] if columns else None

    @staticmethod
    def column_of(table: pl.DataFrame, name: Literal["pupil_id", "school_id", "school"]) -> str | None:
        """The first column of a table that the reference table ``fields`` knows under that name."""
        return next((column for column in table.columns if _headers().get(_bare(column)) == name), None)

    def whose(self, notes: pl.DataFrame) -> tuple[Sequence[int | None], Sequence[str | None]]:
        """The row of the child and the school of each note, where the table of notes says so."""
        import polars as pl

        nothing = [None] * notes.height
        own: Sequence[int | None] = nothing
        held, mine = self.pupil_ids, self.column_of(notes, "pupil_id")
        if held is not None and mine is not None:
            rows = pl.DataFrame({"key": held.cast(pl.String), "row": range(held.len())}).unique("key", keep="none")
            own = (
                notes.select(key=pl.col(mine).cast(pl.String))
                .join(rows, on="key", how="left", maintain_order="left")["row"]
                .to_list()
            )
        known = self.schools
        if len(known) < 2:
            return own, nothing
        named = self.column_of(notes, "school_id") or self.column_of(notes, "school")
        if named is not None:
            return own, [school if school in known else None for school in notes[named].cast(pl.String).to_list()]
        schools = self.places["school"]
        return own, [None if row is None else schools[row] for row in own]

    def names(self, school: str | None = None) -> Names:
        """The names of one school, or of all where None; made when first asked for."""
        if school not in self._names:
            self.prepare([school])
            adults = self.adults if school is None else (*self._adults_of(None), *self._adults_of(school))
            self._names[school] = Names(self._spelt.pop(school), adults, self._shapes)
        return self._names[school]

    def prepare(self, schools: Iterable[str | None]) -> None:
        """Spells the names of many schools at once, which is several times faster than school by school."""
        import numpy as np

        asked = [school for school in dict.fromkeys(schools) if school not in self._spelt and school not in self._names]
        rows = [range(self.height) if school is None else self._rows_of(school) for school in asked]
        if not asked:
            return
        groups = np.repeat(np.arange(len(asked), dtype=np.int32), [*map(len, rows)])
        places = np.concatenate([np.asarray(each, dtype=np.int32) for each in rows])
        found = spelt.spellings(self._table, self._columns, places, groups, self._shapes)
        for group, school in enumerate(asked):
            self._spelt[school] = found.get(group) or Spellings()

    def adult_names(self) -> Names:
        """The names of the adults alone."""
        return Names(Spellings(), self.adults, self._shapes)

    def everybody(self) -> Everybody:
        """Forename and surname of all children, whatever the school; made when first asked for."""
        if not self._everybody:
            self._everybody.append(spelt.everybody(self._table, self._columns))
        return self._everybody[0]

    def _adults_of(self, school: str | None) -> Sequence[tuple[str, str, str | None]]:
        if not self._by_place:
            for adult in self.adults:
                self._by_place.setdefault(adult[2], []).append(adult)
        return self._by_place.get(school, ())

    def _rows_of(self, school: str) -> Sequence[int]:
        if not self._by_school:
            for row, of in enumerate(self.places["school"]):
                self._by_school.setdefault(of, []).append(row)
        return self._by_school.get(school, [])


@cache
def _headers() -> dict[str, str]:
    """The field of each header, as letters and digits."""
    wanted = {*_FIELDS, *_PLACES, *_NUMBERS}
    rows = [entry for entry in reference.load("fields").entries["field"] if entry["name"] in wanted]
    held = {
        _bare(header): row["name"] for row in rows for header in (*row["headers"], row["name"]) if "." not in header
    }
    for kind in ("pupil", "student", "child", "staff", "teacher"):
        held |= {_bare(f"{kind} {name}"): name for name in _FIELDS[:4]} | {_bare(f"{kind} name"): "full_name"}
    return held


def _bare(header: str) -> str:
    return "".join(char for char in header.lower() if char.isalnum())


def _columns(table: pl.DataFrame, what: str) -> dict[str, list[str]]:
    known = _headers()
    held = {name: [c for c in table.columns if known.get(_bare(c)) == name] for name in (*_FIELDS, *_PLACES, *_NUMBERS)}
    if not any(held[name] for name in ("forename", "surname", "full_name", "preferred_forename")):
        raise FieldError(
            f"{what}: it has no column of names (its columns: {', '.join(table.columns)}).",
            "call them forename and surname, or full name.",
        )
    return held


def _texts(table: pl.DataFrame, columns: Sequence[str]) -> list[list[str | None]]:
    return [table[column].cast(_string(), strict=False).str.strip_chars().to_list() for column in columns]


def _string() -> type[pl.DataType]:
    """The type of text; polars is loaded when a table is in hand anyway."""
    import polars as pl

    return pl.String


def _first(table: pl.DataFrame, columns: Sequence[str]) -> tuple[str | None, ...]:
    """The first of the columns as text, equal texts held once; nothing where there is none."""
    held: dict[str, str] = {}
    values = _texts(table, columns[:1])
    return tuple(v if v is None else held.setdefault(v, v) for v in values[0]) if values else (None,) * table.height


def _adults(table: pl.DataFrame) -> Iterator[tuple[str, str, str | None]]:
    columns = _columns(table, "staff")
    schools = _first(table, [*columns["school_id"], *columns["school"]])
    names = spelt.first_and_last(table, columns)
    for first, last, school in zip(names["first"], names["last"], schools, strict=True):
        yield first or "", last or "", school
