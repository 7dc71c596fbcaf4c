"""Every spelling of every child's name, column by column: each different name is folded once, for all its bearers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from otrack_risk import reference
from otrack_risk.text import folding
from otrack_risk.text.names import FORMS, Everybody, Form, Ints, Pairs, Shapes, Spellings

if TYPE_CHECKING:
    import polars as pl

_PART_FROM = 3  # letters of the first of several forenames from which it is a name by itself: Mei of Mei-Ling
_BESIDE = 1_000  # the places of names by which a child is called beside its forenames come after these


def spellings(
    table: pl.DataFrame, columns: Mapping[str, Sequence[str]], rows: Ints, groups: Ints, shapes: Shapes
) -> dict[int, Spellings]:
    """The spellings of the names in some rows of a table, group by group.

    Parameters
    ----------
    table : one row a child
    columns : the fields ``forename``, ``preferred_forename``, ``middle_names``, ``surname``, ``full_name`` -> columns
    rows : places in the table
    groups : of each of these rows the number of its school
    shapes : remembers what is the same for all schools
    """
    import polars as pl

    chosen = table[rows]
    names = _names(chosen, columns)
    given = _given(names, shapes)
    family = _family(names, shapes)
    spelt = _spelt(given, family, _middle(chosen, columns, shapes))
    of_row = pl.DataFrame({"row": np.arange(len(rows), dtype=np.int32), "group": groups, "in_table": rows})

    def by_group(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.join(of_row, on="row", how="left", maintain_order="left").sort("group", maintain_order=True)

    grouped = by_group(spelt).group_by("group", "text", maintain_order=True).agg("form", "in_table")
    counts = np.concatenate([[0], np.cumsum(grouped["form"].list.len().to_numpy())]).astype(np.int64)
    form, row = grouped["form"].explode().to_numpy(), grouped["in_table"].explode().to_numpy()
    beside = [_slices(by_group(frame), name) for frame, name in _beside(given, family)]
    found = {}
    for group, (start, end) in _runs(grouped["group"]).items():
        first = counts[start : end + 1]
        found[group] = Spellings(
            grouped["text"][start:end].to_list(),
            (first - first[0]).astype(np.int32),
            form[first[0] : first[-1]],
            row[first[0] : first[-1]],
            *(each.get(group, ((), ())) for each in beside),
        )
    return found


def everybody(table: pl.DataFrame, columns: Mapping[str, Sequence[str]]) -> Everybody:
    """Forename and surname of every row that has both, the first of each."""
    import ahocorasick
    import polars as pl

    both = first_and_last(table, columns).drop_nulls()
    spelt = _told(_told(both, "first", _one_spelling), "last", _one_spelling).drop_nulls()
    names = spelt.select(pl.concat_str("first_told", "last_told", separator=" ").alias("name"), "row")
    of = names.sort("name", "row").group_by("name", maintain_order=True).agg("row")
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    for which, name in enumerate(of["name"].to_list()):
        automaton.add_word(f" {name} ", which)
    automaton.make_automaton()
    begins = np.concatenate([[0], np.cumsum(of["row"].list.len().to_numpy())]).astype(np.int64)
    return Everybody(automaton, of["name"].str.len_chars().to_numpy(), begins, of["row"].explode().to_numpy())


def first_and_last(table: pl.DataFrame, columns: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Row, first, last: the first forename and the first surname of each row, as the table has them; null for none."""
    import polars as pl

    names = _names(table, columns).sort("place", maintain_order=True).unique(["row", "kind"], keep="first")
    rows = pl.DataFrame({"row": pl.int_range(table.height, dtype=pl.Int32, eager=True)})
    for called, kind in (("first", "forename"), ("last", "surname")):
        of = names.filter(pl.col("kind") == kind).select("row", pl.col("name").alias(called))
        rows = rows.join(of, on="row", how="left", maintain_order="left")
    return rows


def apart(whole: str) -> tuple[str, str]:
    """Forename and surname of a full name, in either order.

    Examples
    --------
    >>> apart("Holt, Daisy"), apart("Daisy Holt"), apart("Daisy")
    (('Daisy', 'Holt'), ('Daisy', 'Holt'), ('Daisy', ''))
    """
    if "," in whole:
        last, _, first = whole.partition(",")
        return first.strip(), last.strip()
    first, _, last = whole.rpartition(" ")
    return (first.strip(), last.strip()) if first else (last, "")


@cache
def _known_as() -> dict[str, tuple[str, ...]]:
    """Short forms of a first name, by the folded name."""
    return {folding.fold(e["forename"]): tuple(e["short"]) for e in reference.load("nicknames").entries["nickname"]}


def _one_spelling(name: str) -> tuple[str, ...]:
    folded = " ".join(folding.fold(name).split())
    return (folded,) if folded else ()


def _squashed(name: str) -> tuple[str, ...]:
    folded = folding.fold(name).replace(" ", "")
    return (folded,) if folded else ()


def _short_forms(name: str) -> tuple[str, ...]:
    return tuple(short for folded in _one_spelling(name) for short in _known_as().get(folded, ()))


def _names(table: pl.DataFrame, columns: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Row, name, kind, place: the names of each row as the table has them, in the order in which they count.

    A full name is taken apart where there is no forename and no surname.
    """
    import polars as pl

    kinds = {"forename": "forename", "surname": "surname", "preferred_forename": "nickname"}
    parts = {
        kind: [_column(table, name, place, kind) for place, name in enumerate(columns[held])]
        for held, kind in kinds.items()
    }
    named = pl.concat([_no_names(), *parts["forename"], *parts["surname"]])
    taken = []
    for place, called in enumerate(columns["full_name"]):
        whole = _column(table, called, place).join(named, on="row", how="anti", maintain_order="left")
        names = [apart(name) for name in whole["name"].to_list()]
        for which, kind in enumerate(("forename", "surname")):
            name = pl.Series([both[which] for both in names], dtype=pl.String)
            taken.append(whole.with_columns(name=name, kind=pl.lit(kind)).filter(pl.col("name") != ""))
    return pl.concat([named, *parts["nickname"], *taken])


def _column(table: pl.DataFrame, called: str, place: int, kind: str = "") -> pl.DataFrame:
    """The names in one column, with their rows."""
    import polars as pl

    name = table[called].cast(pl.String, strict=False).str.strip_chars()
    rows = pl.DataFrame({"row": pl.int_range(table.height, dtype=pl.Int32, eager=True), "name": name})
    return rows.filter(pl.col("name") != "").with_columns(kind=pl.lit(kind), place=pl.lit(place, dtype=pl.Int32))


def _no_names() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(schema={"row": pl.Int32, "name": pl.String, "kind": pl.String, "place": pl.Int32})


def _told(names: pl.DataFrame, column: str, tell: Callable[[str], Sequence[str]]) -> pl.DataFrame:
    """Each row once for everything told of its name, numbered by ``nth``, null for nothing; each name is told once."""
    import polars as pl

    different, called = names[column].unique().to_list(), f"{column}_told"
    told = pl.DataFrame(
        {column: different, called: [list(tell(name)) for name in different]},
        schema={column: pl.String, called: pl.List(pl.String)},
    )
    told = told.filter(pl.col(called).list.len() > 0)
    told = told.with_columns(nth=pl.int_ranges(pl.col(called).list.len(), dtype=pl.Int32)).explode(called, "nth")
    return names.join(told, on=column, how="left", maintain_order="left_right", suffix="_of_another")


def _given(names: pl.DataFrame, shapes: Shapes) -> pl.DataFrame:
    """Row, name, place, form, name_told, nth: forenames, what a child is called besides, and how each is written."""
    import polars as pl

    first = names.filter(pl.col("kind") == "forename")
    called = names.filter(pl.col("kind") == "nickname").with_columns(place=pl.col("place") + _BESIDE)
    short = _told(pl.concat([first, called]), "name", _short_forms).drop_nulls()
    place = (pl.col("place") + 2 * _BESIDE) * _BESIDE + pl.col("nth")
    short = short.select("row", pl.col("name_told").alias("name"), kind=pl.lit("nickname"), place=place)
    held = pl.concat([first, called, short]).sort("place", maintain_order=True)
    held = held.unique(["row", "name"], keep="first", maintain_order=True)
    form = pl.when(pl.col("kind") == "forename").then(_form("forename")).otherwise(_form("nickname"))
    return _told(held.select("row", "name", "place", form.alias("form")), "name", shapes.spellings)


def _family(names: pl.DataFrame, shapes: Shapes) -> pl.DataFrame:
    """Row, last: the surnames of each row as they are written, in their order."""
    import polars as pl

    held = names.filter(pl.col("kind") == "surname").sort("place", maintain_order=True)
    held = _told(held.unique(["row", "name"], keep="first", maintain_order=True), "name", shapes.spellings)
    return held.select("row", pl.col("name_told").alias("last")).drop_nulls()


def _middle(table: pl.DataFrame, columns: Mapping[str, Sequence[str]], shapes: Shapes) -> pl.DataFrame:
    """Row, middle: the middle names of each row as they are written."""
    import polars as pl

    held = pl.concat(
        [_column(table, name, place) for place, name in enumerate(columns["middle_names"])] or [_no_names()]
    )
    whole = (
        held.sort("place", maintain_order=True).group_by("row", maintain_order=True).agg(pl.col("name").str.join(" "))
    )
    return _told(whole, "name", shapes.spellings).select("row", pl.col("name_told").alias("middle")).drop_nulls()


def _spelt(given: pl.DataFrame, family: pl.DataFrame, middle: pl.DataFrame) -> pl.DataFrame:
    """Row, text, form: every spelling, single and full.

    Full names stand in both orders, behind a comma, with the middle name, and with half of a double surname.
    """
    import polars as pl

    way = pl.col("name_told")
    part = way.str.split(" ").list.first()
    halved = given.filter(pl.col("nth") == 0, part != way, part.str.len_chars() >= _PART_FROM)
    ways = pl.concat(
        [
            given.select("row", "form", way.alias("way"), whole=True),
            halved.select("row", _form("nickname").alias("form"), part.alias("way"), whole=False),
        ]
    ).drop_nulls()
    both = ways.join(family, on="row")
    half = family.filter(pl.col("last").str.contains(" ", literal=True)).select("row", pl.col("last").str.split(" "))
    between = both.filter("whole").join(middle, on="row")
    full = [
        (both, ("way", "last"), " "),
        (both, ("last", "way"), " "),
        (both, ("last", "way"), "  "),  # "Holt, Daisy": comma and space are two spaces when folded
        (ways.join(half.explode("last"), on="row"), ("way", "last"), " "),
        (between, ("way", "middle", "last"), " "),
    ]
    written = [
        ways.select("row", "form", text="way"),
        family.select("row", _form("surname").alias("form"), text="last"),
        *(
            frame.select("row", _form("full").alias("form"), text=pl.concat_str(parts, separator=separator))
            for frame, parts, separator in full
        ),
    ]
    return pl.concat(written).filter(pl.col("text").str.len_chars() > 1)


def _beside(given: pl.DataFrame, family: pl.DataFrame) -> list[tuple[pl.DataFrame, str]]:
    """Initials, and first names and surnames as user names have them: frames of row and name."""
    import polars as pl

    first = family.unique("row", keep="first", maintain_order=True).select("row", pl.col("last").str.head(1))
    pairs = given.join(first, on="row").select("row", pair=pl.col("name_told").str.head(1) + pl.col("last"))
    named = given.select("row", "name", "form").unique(["row", "form"], keep="first", maintain_order=True)
    login = _told(named, "name", _squashed).select("row", login="name_told")
    bare = family.select("row", bare=pl.col("last").str.replace_all(" ", "", literal=True))
    held = ((pairs, "pair"), (login, "login"), (bare, "bare"))
    return [(frame.drop_nulls().unique(maintain_order=True), name) for frame, name in held]


def _form(name: Form) -> pl.Expr:
    import polars as pl

    return pl.lit(FORMS.index(name), dtype=pl.Int8)


def _runs(groups: pl.Series) -> dict[int, tuple[int, int]]:
    """Group -> where its rows begin and end, in a column that is sorted by group."""
    values, first = np.unique(groups.to_numpy(), return_index=True)
    ends = [*first[1:].tolist(), len(groups)]
    return {group: (start, end) for group, start, end in zip(values.tolist(), first.tolist(), ends, strict=False)}


def _slices(frame: pl.DataFrame, name: str) -> dict[int, Pairs]:
    """Group -> names and rows of the table, of a frame that is sorted by group."""
    names, rows = frame[name], frame["in_table"]
    return {group: (names[start:end], rows[start:end]) for group, (start, end) in _runs(frame["group"]).items()}
