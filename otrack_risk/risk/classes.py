"""Equivalence classes: the one grouping that every metric reads, on every engine.

Rows come in on whatever engine holds them (polars, pandas, pyarrow, DuckDB, PySpark); counts
leave as a small polars frame. Nothing outside this module groups rows or asks on which engine
they live.

On every engine a missing value is a null or a floating-point NaN (the two are one value here),
and -0.0 is 0.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import narwhals as nw
import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.errors import FieldError, ParameterError, TableError

Missing = Literal["own-category", "drop"]
Rows: TypeAlias = "nw.LazyFrame[Any]"


@dataclass(frozen=True)
class Classes:
    """The classes of a table by their size, and what the missing-value rule left out."""

    sizes: pl.DataFrame  # size, classes, data_subjects; ascending by size
    left_out: int  # rows with a missing quasi-identifier, under "drop"; else 0


def class_sizes(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, missing: Missing = "own-category"
) -> pl.DataFrame:
    """How many equivalence classes there are of each size, and how many data subjects are in them.

    An equivalence class is the set of rows that agree on every quasi-identifier [1]_.

    Parameters
    ----------
    subjects : frame of n_subjects rows, on any engine, eager or lazy
        One row per data subject.
    quasi_identifiers : names of columns
        What the attacker knows.
    missing : "own-category" or "drop"
        Whether a missing value is a value like any other, or its row leaves the table.

    Returns
    -------
    polars frame
        ``size``, ``classes`` and ``data_subjects`` (their product), one row a size, ascending.

    Raises
    ------
    FieldError, TableError, ParameterError
        A column that is unknown, named twice, or none at all; no row, or none left (the risk is then
        unknown, not zero); an unknown rule.

    References
    ----------
    .. [1] Sweeney (2002), Int. J. Uncertain. Fuzz. Knowl.-Based Syst. 10(5), 557-570.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year_group": [7, 7, 7, 8], "sex": ["F", "F", None, "M"]})
    >>> class_sizes(pupils, ["year_group", "sex"]).rows()
    [(1, 2, 2), (2, 1, 2)]
    >>> class_sizes(pupils, ["year_group", "sex"], missing="drop").rows()
    [(1, 1, 1), (2, 1, 2)]
    """
    return classes(subjects, quasi_identifiers, missing=missing).sizes


def classes(subjects: IntoFrame, quasi_identifiers: Sequence[str], *, missing: Missing = "own-category") -> Classes:
    """:func:`class_sizes`, with the number of rows that the rule left out; one pass over the rows."""
    grouped, keys = _grouped(subjects, quasi_identifiers, missing)
    counted, left_out = _histogram(grouped, keys, ["size"], missing)
    sizes = counted.select("size", "classes", data_subjects=pl.col("size") * pl.col("classes"))
    refuse_nothing(sizes.height, left_out)
    return Classes(sizes=sizes, left_out=left_out)


def population_sizes(
    subjects: IntoFrame, population: IntoFrame, quasi_identifiers: Sequence[str], *, missing: Missing = "own-category"
) -> pl.DataFrame:
    """How many classes of the table have which size in the table, and which in the population.

    Parameters
    ----------
    subjects, population : frames, on any engine
        ``population`` has a row for everybody, those of ``subjects`` included.
    quasi_identifiers : names of columns of both
    missing : as in :func:`class_sizes`, for both tables

    Returns
    -------
    polars frame
        ``size``, ``population_size`` and ``classes``, for the classes that hold a row of ``subjects``.

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`class_sizes`; a column of unlike kind in the two tables; a class that is smaller in
        the population than in the table (it is then no population of this table).

    Examples
    --------
    >>> pupils = pl.DataFrame({"sex": ["F", "F", "M"]})
    >>> everybody = pl.DataFrame({"sex": ["F", "F", "F", "M", "M", "X"]})
    >>> population_sizes(pupils, everybody, ["sex"]).rows()
    [(1, 2, 1), (2, 3, 1)]
    """
    inside, keys = _grouped(subjects, quasi_identifiers, missing)
    outside, _ = _grouped(population, quasi_identifiers, missing, table="population")
    if inside.implementation is not outside.implementation:  # class counts, not rows, meet on polars
        inside, outside = (nw.from_native(_collected(part)).lazy() for part in (inside, outside))
    inside, outside = _alike(inside, outside, dict(zip(keys, quasi_identifiers, strict=True)))
    size, none = nw.col("size").cast(nw.Int64), nw.lit(0, dtype=nw.Int64)
    both = nw.concat(
        [
            inside.select(*keys, size, none.alias("population_size")),
            outside.select(*keys, none.alias("size"), size.alias("population_size")),
        ]
    )
    joined = both.group_by(*keys).agg(nw.col("size").sum(), nw.col("population_size").sum()).filter(nw.col("size") > 0)
    kept, left_out = _histogram(joined, keys, ["size", "population_size"], missing)
    refuse_nothing(kept.height, left_out)
    if few := _total(kept.filter(pl.col("population_size") < pl.col("size")), "classes"):
        raise TableError(
            f"population: {few:,} of {_total(kept, 'classes'):,} classes of the table have fewer rows in it than in "
            "the table itself, so it does not hold everybody of the table.",
            "hand over the table that this one is a part of, or give the population's size or the sampling fraction.",
        )
    return kept


def class_values(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], sensitive: str, *, missing: Missing = "own-category"
) -> pl.DataFrame:
    """How often each sensitive value occurs in each equivalence class.

    The grouping is done where the rows live; at most one row a (class, value) leaves the engine.

    Parameters
    ----------
    subjects, quasi_identifiers, missing : as in :func:`class_sizes`
    sensitive : name of a column
        What would be learnt. A missing value counts as a value of its own under either rule.

    Returns
    -------
    polars frame
        ``class`` (a number without meaning), ``value`` and ``data_subjects``, sorted by class and
        then by count, so that sums over a class do not depend on the order of the rows.

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`class_sizes`; a sensitive column that is itself a quasi-identifier.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 7, 8], "need": ["ASD", "ASD", None, "SLCN"]})
    >>> class_values(pupils, ["year"], "need").select("value", "data_subjects").sort("data_subjects", "value").rows()
    [(None, 1), ('SLCN', 1), ('ASD', 2)]
    """
    if sensitive in quasi_identifiers:
        raise FieldError(
            f"sensitive: '{sensitive}' is a quasi-identifier too; what is known already cannot be learnt.",
            "name it under one of the two.",
        )
    grouped, keys = _grouped(subjects, quasi_identifiers, missing, also=(sensitive,))
    counted = _collected(grouped)
    kept = counted.drop_nulls(keys) if missing == "drop" else counted
    refuse_nothing(kept.height, counted.height)
    return (
        kept.with_row_index("class")
        .select(pl.col("class").first().over(keys), value=pl.col("also0"), data_subjects=pl.col("size").cast(pl.Int64))
        .sort("class", "data_subjects")
    )


def class_codes(subjects: IntoFrame, quasi_identifiers: Sequence[str]) -> pl.DataFrame:
    """The distinct combinations of a table as small whole numbers, with their sizes.

    Returns
    -------
    polars frame
        ``key0``, ``key1``, ... (one a quasi-identifier, in order; 0 is the missing value) and ``size``.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8], "sex": ["F", "F", None]})
    >>> sorted(class_codes(pupils, ["year", "sex"]).rows())
    [(1, 1, 2), (2, 0, 1)]
    """
    grouped, keys = _grouped(subjects, quasi_identifiers, "own-category")
    counted = _collected(grouped)
    refuse_nothing(counted.height, 0)
    return counted.select(*(pl.col(key).rank("dense").fill_null(0) for key in keys), "size").cast(pl.Int64)


def filled(subjects: IntoFrame, columns: Sequence[str]) -> tuple[dict[str, int], int]:
    """How many rows have a value in each column, and in any of them; empty text is no value.

    Examples
    --------
    >>> filled(pl.DataFrame({"upn": [None, "", "x"], "email": ["y", None, None]}), ["upn", "email"])
    ({'upn': 1, 'email': 1}, 2)
    """
    rows, kinds = _rows(subjects)
    _check_fields(columns, list(kinds), "direct_identifiers")
    has = [_filled(name, kinds[name]) for name in columns]
    counts = [has_value.cast(nw.Int64).sum().alias(f"n{number}") for number, has_value in enumerate(has)]
    either = nw.any_horizontal(*has, ignore_nulls=False).cast(nw.Int64).sum().alias("any")
    found = [value or 0 for value in _collected(rows.select(*counts, either)).row(0)]
    return dict(zip(columns, found[:-1], strict=True)), found[-1]


def columns(subjects: IntoFrame, wanted: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Columns of a table as a polars frame, for the few questions that need rows side by side.

    ``wanted`` gives the names by what they are asked for as ("quasi_identifiers", "person", ...). A
    Spark frame is refused: its rows are taken to be more than one process holds.
    """
    rows, kinds = _rows(subjects)
    if rows.implementation.is_pyspark():
        raise TableError(
            f"{', '.join(wanted)}: this is not counted on Spark, since the rows would have to come to one process.",
            "hand over a polars frame.",
        )
    for role, names in wanted.items():
        _check_fields(names, list(kinds), role)
    every = dict.fromkeys(name for names in wanted.values() for name in names)
    return _collected(rows.select(*(_clean(name, kinds[name]).alias(name) for name in every)))


def refuse_nothing(kept: int, seen: int) -> None:
    """Refuses a table of which no row is left to count.

    Raises
    ------
    TableError
        ``kept`` is 0: no row was there, or the rule "drop" left none of the ``seen``.
    """
    if kept:
        return
    if seen:
        raise TableError(
            "every row lacks a quasi-identifier, so none is left under the rule 'drop'; the risk is unknown, not zero.",
            "count a missing value as a value of its own, or leave the column out.",
        )
    raise TableError("the table has no rows; the risk is unknown, not zero.", "hand over the table with its rows.")


def check_rule(missing: str) -> None:
    """Refuses a missing-value rule that is not one of :data:`Missing`."""
    if missing not in get_args(Missing):
        raise ParameterError(f"missing: '{missing}' is none of {', '.join(get_args(Missing))}.", "choose one of them.")


def _rows(subjects: IntoFrame, table: str = "subjects") -> tuple[Rows, dict[str, nw.dtypes.DType]]:
    try:
        rows: Rows = nw.from_native(subjects).lazy()
    except TypeError as error:
        raise TableError(
            f"{table}: {type(subjects).__name__} is no table.",
            "hand over a polars, pandas, pyarrow, DuckDB or PySpark table.",
        ) from error
    return rows, dict(rows.collect_schema())


def _check_fields(fields: Sequence[str], known: Sequence[str], role: str) -> None:
    if isinstance(fields, str):
        raise FieldError(f"{role}: one name where a list of names belongs.", f"write [{fields!r}].")
    if not fields:
        raise FieldError(f"{role}: no field is named.", "name at least one.")
    if unknown := [name for name in fields if name not in known]:
        are = "is not a field" if len(unknown) == 1 else "are not fields"
        raise FieldError(
            f"{role}: {_quoted(unknown)} {are} of this table (its fields: {', '.join(known)}).",
            "correct the name, or leave it out and say so in the report.",
        )
    if twice := sorted({name for name in fields if list(fields).count(name) > 1}):
        raise FieldError(f"{role}: {_quoted(twice)} named more than once.", "name each field once.")


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _grouped(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    missing: Missing,
    *,
    also: Sequence[str] = (),
    table: str = "subjects",
) -> tuple[Rows, list[str]]:
    """Classes with their ``size``; the key columns get names of their own, so that none can collide."""
    check_rule(missing)
    rows, kinds = _rows(subjects, table)
    role = "quasi_identifiers" if table == "subjects" else f"{table}: quasi_identifiers"
    _check_fields(quasi_identifiers, list(kinds), role)
    if also:
        _check_fields(also, list(kinds), "sensitive")
    keys = [f"key{number}" for number in range(len(quasi_identifiers))]
    others = [f"also{number}" for number in range(len(also))]
    named = zip([*quasi_identifiers, *also], [*keys, *others], strict=True)
    chosen = rows.select(*(_clean(name, kinds[name]).alias(alias) for name, alias in named))
    return chosen.group_by(*keys, *others).agg(nw.len().alias("size")), keys


def _clean(name: str, kind: nw.dtypes.DType) -> nw.Expr:
    """NaN is null, and -0.0 is 0.0, which engines otherwise tell apart or not as they please."""
    return nw.col(name).fill_nan(None) + 0.0 if kind.is_float() else nw.col(name)


def _histogram(grouped: Rows, keys: Sequence[str], by: list[str], missing: Missing) -> tuple[pl.DataFrame, int]:
    """Number of ``classes`` by size, ascending, and the rows in classes that the rule leaves out.

    Those are looked for among the classes, which are fewer than the rows. A count stands alone in its
    aggregation: pandas has no fast path for anything around it.
    """
    if missing == "drop":
        absent = nw.any_horizontal(*(nw.col(key).is_null() for key in keys), ignore_nulls=False)
        counted = _collected(
            grouped.with_columns(absent.alias("absent")).group_by(*by, "absent").agg(nw.len().alias("classes"))
        )
    else:
        counted = _collected(grouped.group_by(*by).agg(nw.len().alias("classes"))).with_columns(absent=False)
    counted = counted.select(pl.col("absent").cast(pl.Boolean), pl.col(*by, "classes").cast(pl.Int64)).sort(by)
    gone = counted.filter("absent")
    return counted.filter(~pl.col("absent")).drop("absent"), int((gone["size"] * gone["classes"]).sum())


def _filled(name: str, kind: nw.dtypes.DType) -> nw.Expr:
    clean = _clean(name, kind)
    return ~clean.is_null() & (clean.fill_null("") != "") if kind == nw.String else ~clean.is_null()


def _total(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].sum())


def _alike(inside: Rows, outside: Rows, names: dict[str, str]) -> tuple[Rows, Rows]:
    """Casts key columns of two tables to one type each, or says that they are of unlike kind."""
    here, there = dict(inside.collect_schema()), dict(outside.collect_schema())
    casts: dict[str, Any] = {}
    for key, name in names.items():
        pair = (here[key], there[key])
        if pair[0] == pair[1]:
            continue
        if all(kind.is_numeric() for kind in pair):
            casts[key] = nw.Int64 if all(kind.is_integer() for kind in pair) else nw.Float64
        elif all(kind in (nw.String, nw.Categorical, nw.Enum, nw.Object) for kind in pair):
            casts[key] = nw.String
        else:
            raise FieldError(
                f"population: '{name}' is {pair[1]} there and {pair[0]} in the table.",
                "read both tables with the same types.",
            )
    changed = [nw.col(key).cast(kind) for key, kind in casts.items()]
    return (inside.with_columns(*changed), outside.with_columns(*changed)) if changed else (inside, outside)


def _collected(rows: Rows) -> pl.DataFrame:
    """The rows of a small result as a polars frame; pyarrow is needed only where the engine speaks it."""
    if rows.implementation.is_polars():
        return pl.DataFrame(rows.to_native().collect(engine="streaming"))
    collected = rows.collect()
    if collected.implementation.is_pyarrow():
        return pl.DataFrame(pl.from_arrow(collected.to_native()))
    columns = {
        name: [
            None if absent else value
            for value, absent in zip(collected[name].to_list(), collected[name].is_null().to_list(), strict=True)
        ]
        for name in collected.columns
    }
    return pl.DataFrame(columns, strict=False)
