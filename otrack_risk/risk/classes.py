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
import numpy as np
import numpy.typing as npt
import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.errors import FieldError, ParameterError, TableError
from otrack_risk.risk import keys
from otrack_risk.risk.counts import Classes, ClassValues, Combinations, Floats, Ints

Missing = Literal["own-category", "drop", "wildcard"]
Rows: TypeAlias = "nw.LazyFrame[Any]"


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
        Whether a missing value is a value like any other, or its row leaves the table. (Under "wildcard"
        there are no classes: :func:`otrack_risk.risk.wildcard.matching`.)

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
    _refuse_wildcard(missing)
    rows, _ = _rows(subjects)
    if rows.implementation.is_polars():
        found = _distinct(subjects, quasi_identifiers, missing)
        runs, left_out = keys.runs(found.columns(), found.frame.height), found.left_out
        counted = pl.DataFrame({"size": sorted(runs), "classes": [runs[size] for size in sorted(runs)]})
    else:
        grouped, names = _grouped(subjects, quasi_identifiers, missing, under_own_names=True)
        counted, left_out = _histogram(grouped, names, ["size"], missing)
    sizes = counted.select("size", "classes", data_subjects=pl.col("size") * pl.col("classes"))
    refuse_nothing(sizes.height, left_out)
    return Classes(sizes=sizes, left_out=left_out)


def population_sizes(
    subjects: IntoFrame,
    population: IntoFrame,
    quasi_identifiers: Sequence[str],
    *,
    missing: Missing = "own-category",
    everybody: bool = False,
) -> pl.DataFrame:
    """How many classes of the table have which size in the table, and which in the population.

    Parameters
    ----------
    subjects, population : frames, on any engine
        ``population`` has a row for everybody, those of ``subjects`` included.
    quasi_identifiers : names of columns of both
    missing : as in :func:`class_sizes`, for both tables
    everybody : whether to tell of the classes without a row of ``subjects`` too, as ``size`` 0

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
    _refuse_wildcard(missing)
    inside, names = _grouped(subjects, quasi_identifiers, missing)
    outside, _ = _grouped(population, quasi_identifiers, missing, table="population")
    if inside.implementation is not outside.implementation:  # class counts, not rows, meet on polars
        inside, outside = (nw.from_native(_collected(part)).lazy() for part in (inside, outside))
    inside, outside = _alike(inside, outside, dict(zip(names, quasi_identifiers, strict=True)))
    size, none = nw.col("size").cast(nw.Int64), nw.lit(0, dtype=nw.Int64)
    both = nw.concat(
        [
            inside.select(*names, size, none.alias("population_size")),
            outside.select(*names, none.alias("size"), size.alias("population_size")),
        ]
    )
    joined = both.group_by(*names).agg(nw.col("size").sum(), nw.col("population_size").sum())
    counted, left_out = _histogram(joined, names, ["size", "population_size"], missing)
    kept = counted.filter(pl.col("size") > 0)
    refuse_nothing(kept.height, left_out)
    if few := _total(kept.filter(pl.col("population_size") < pl.col("size")), "classes"):
        raise TableError(
            f"population: {few:,} of {_total(kept, 'classes'):,} classes of the table have fewer rows in it than in "
            "the table itself, so it does not hold everybody of the table.",
            "hand over the table that this one is a part of, or give the population's size or the sampling fraction.",
        )
    return counted if everybody else kept


def class_values(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], sensitive: str, *, missing: Missing = "own-category"
) -> pl.DataFrame:
    """How often each sensitive value occurs in each equivalence class, as a frame; see :func:`value_counts`.

    Returns
    -------
    polars frame
        ``class`` (a number without meaning), ``value`` and ``data_subjects``, sorted by class, then by value.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 7, 8], "need": ["ASD", "ASD", None, "SLCN"]})
    >>> class_values(pupils, ["year"], "need").select("value", "data_subjects").rows()
    [(None, 1), ('ASD', 2), ('SLCN', 1)]
    """
    counts = value_counts(subjects, quasi_identifiers, sensitive, missing=missing)
    runs = np.diff(counts.starts, append=len(counts.count))
    return pl.DataFrame(
        {
            "class": np.repeat(np.arange(len(runs)), runs),
            "value": counts.values.gather(counts.value),
            "data_subjects": counts.count,
        }
    )


def value_counts(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], sensitive: str, *, missing: Missing = "own-category"
) -> ClassValues:
    """How often each sensitive value occurs in each equivalence class.

    The grouping is done where the rows live; at most one row a (class, value) leaves another engine. Rows
    on polars are sorted once by a key that ends with the value, so that one pass sees both.

    Parameters
    ----------
    subjects, quasi_identifiers, missing : as in :func:`class_sizes`
    sensitive : name of a column
        What would be learnt. A missing value counts as a value of its own under either rule.

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`class_sizes`; a sensitive column that is itself a quasi-identifier.
    """
    if sensitive in quasi_identifiers:
        raise FieldError(
            f"sensitive: '{sensitive}' is a quasi-identifier too; what is known already cannot be learnt.",
            "name it under one of the two.",
        )
    found = _distinct(subjects, quasi_identifiers, missing, also=(sensitive,))
    value, values = keys.valued(found.frame["also0"])
    rows = keys.packed([*found.columns(), value], found.frame.height)
    if found.size is None:
        ordered = keys.sort(rows)
        starts, count = keys.run_lengths(ordered)
        ordered = ordered[starts]
    else:
        order = np.argsort(rows.keys)
        ordered, count = rows.keys[order], found.size[order]
    return ClassValues(
        starts=keys.run_lengths(ordered >> np.uint64(value.bits))[0],
        value=(ordered & np.uint64((1 << value.bits) - 1)).astype(np.int64),
        count=count.astype(np.int64),
        values=values,
    )


def combinations(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, missing: Missing = "own-category", weights: str = ""
) -> Combinations:
    """The distinct combinations of a table as small whole numbers, with their sizes.

    Parameters
    ----------
    subjects, quasi_identifiers : as in :func:`class_sizes`
    missing : under "drop" combinations with a missing value are left out; else the missing value is number 0
    weights : name of a column of sampling weights, to be summed by combination

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`class_sizes`; weights that are no positive numbers.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 8], "sex": ["F", "F", None]})
    >>> found = combinations(pupils, ["year", "sex"])
    >>> found.codes.tolist(), found.size.tolist()
    ([[1, 1], [2, 0]], [2, 1])
    """
    return combinations_of_rows(subjects, quasi_identifiers, missing=missing, weights=weights, rows=False)[0]


def combinations_of_rows(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    *,
    missing: Missing = "own-category",
    weights: str = "",
    rows: bool = True,
) -> tuple[Combinations, Ints]:
    """:func:`combinations`, and for each kept row (in order, on polars alone) the number of its combination."""
    found = _distinct(subjects, quasi_identifiers, missing, also=(weights,) if weights else ())
    columns, names, n = found.columns(), tuple(quasi_identifiers), found.frame.height
    if found.size is not None and not weights:
        return Combinations(names, _codes(columns, np.arange(n)), found.size), np.arange(n)
    packed = keys.packed(columns, n)
    if not rows and not weights and packed.shifts is not None:
        ordered = keys.sort(packed)
        starts, size = keys.run_lengths(ordered)
        distinct = ordered[starts]
        codes = np.empty((len(distinct), len(columns)), dtype=np.int64, order="F")
        for a, (part, shift) in enumerate(zip(columns, packed.shifts, strict=True)):
            codes[:, a] = (distinct >> np.uint64(shift)) & np.uint64((1 << part.bits) - 1) if part.bits else 0
            codes[:, a] += not part.has_missing
        return Combinations(names, codes, size), np.zeros(0, dtype=np.int64)
    number, first = keys.number(packed.keys.reshape(-1, 1))
    each = np.ones(n, dtype=np.int64) if found.size is None else found.size
    size = np.zeros(len(first), dtype=np.int64)
    np.add.at(size, number, each)
    weight = _weights(found.frame["also0"], weights, number, each, len(first)) if weights else None
    return Combinations(names, _codes(columns, first), size, weight), number.astype(np.int64)


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
    found = [int(value or 0) for value in _collected(rows.select(*counts, either)).row(0)]  # DuckDB sums to a decimal
    return dict(zip(columns, found[:-1], strict=True)), found[-1]


@dataclass(frozen=True)
class Joined:
    """The combinations of a table and of its population, numbered alike."""

    sample: Combinations
    everybody: Combinations
    population_size: Ints  # records of the population that are equal to each combination of the sample
    rows: Ints  # for each kept row of the table (on polars) the number of its combination


def joined_combinations(
    subjects: IntoFrame, population: IntoFrame, quasi_identifiers: Sequence[str], *, missing: Missing = "own-category"
) -> Joined:
    """The combinations of two tables as the same small whole numbers.

    Parameters, errors : as :func:`population_sizes`

    Examples
    --------
    >>> pupils, everybody = pl.DataFrame({"sex": ["F", "M"]}), pl.DataFrame({"sex": ["F", "F", "M", "X"]})
    >>> joined_combinations(pupils, everybody, ["sex"]).population_size.tolist()
    [2, 1]
    """
    here, there = (_distinct(table, quasi_identifiers, missing) for table in (subjects, population))
    names = dict(zip((name for name in here.frame.columns), quasi_identifiers, strict=True))
    inside, outside = _alike(nw.from_native(here.frame).lazy(), nw.from_native(there.frame).lazy(), names)
    text = [pl.col(pl.Categorical).cast(pl.String)]  # a lazy frame's own numbers of text mean nothing in the other
    both = pl.concat([part.to_native().with_columns(text) for part in (inside, outside)]).collect()
    columns, n = keys.columns_of(both, both.columns), here.frame.height
    number, first = keys.number(keys.packed(columns, both.height).keys.reshape(-1, 1))
    sizes = np.zeros((2, len(first)), dtype=np.int64)
    for place, part, numbers in ((0, here, number[:n]), (1, there, number[n:])):
        np.add.at(sizes[place], numbers, 1 if part.size is None else part.size)
    codes, fields = _codes(columns, first), tuple(quasi_identifiers)
    inside_it, outside_it = sizes[0] > 0, sizes[1] > 0
    place_of = np.cumsum(inside_it) - 1
    return Joined(
        Combinations(fields, codes[inside_it], sizes[0][inside_it]),
        Combinations(fields, codes[outside_it], sizes[1][outside_it]),
        sizes[1][inside_it],
        place_of[number[:n]],
    )


def n_rows(subjects: IntoFrame) -> int:
    """The number of rows of a table, on any engine."""
    return int(_collected(_rows(subjects)[0].select(nw.len().alias("n"))).item())


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
    check_columns(subjects, wanted)
    every = dict.fromkeys(name for names in wanted.values() for name in names)
    return _collected(rows.select(*(_clean(name, kinds[name]).alias(name) for name in every)))


def check_columns(subjects: IntoFrame, wanted: Mapping[str, Sequence[str]]) -> None:
    """Refuses names of columns that the table does not have; ``wanted`` as in :func:`columns`."""
    known = list(_rows(subjects)[1])
    for role, names in wanted.items():
        _check_fields(names, known, role)


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


@dataclass(frozen=True)
class _Distinct:
    """Rows on polars, or the distinct rows of another engine with their sizes."""

    frame: pl.DataFrame  # key0, key1, ... and also0
    size: Ints | None  # None where each row counts once
    left_out: int

    def columns(self) -> list[keys.Column]:
        return keys.columns_of(self.frame, [name for name in self.frame.columns if name.startswith("key")])


def _distinct(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], missing: Missing, *, also: Sequence[str] = ()
) -> _Distinct:
    rows, kinds = _rows(subjects)
    _check(quasi_identifiers, also, kinds, missing)
    native = nw.to_native(subjects, pass_through=True)
    if isinstance(native, pl.DataFrame) and not any(kinds[name].is_float() for name in (*quasi_identifiers, *also)):
        names = [f"key{i}" for i in range(len(quasi_identifiers))] + [f"also{i}" for i in range(len(also))]
        taken = [native[name].alias(alias) for name, alias in zip([*quasi_identifiers, *also], names, strict=True)]
        frame, size = pl.DataFrame(taken), None
    elif rows.implementation.is_polars():
        lazy, size = _named(rows, kinds, quasi_identifiers, also).to_native(), None
        if isinstance(native, pl.LazyFrame):  # text as numbers while it is read
            text = [name for name, kind in lazy.collect_schema().items() if kind == pl.String]
            lazy = lazy.with_columns(pl.col(name).cast(pl.Categorical(pl.Categories.random())) for name in text)
        frame = lazy.collect(engine="streaming")
    else:
        counted = _collected(_grouped(subjects, quasi_identifiers, missing, also=also)[0])
        frame, size = counted.drop("size"), counted["size"].cast(pl.Int64).to_numpy()
    seen = frame.height if size is None else int(size.sum())
    if missing == "drop":
        whole = ~frame.select(pl.any_horizontal(pl.col("^key[0-9]+$").is_null())).to_series()
        if not whole.all():
            frame, size = frame.filter(whole), None if size is None else size[whole.to_numpy()]
    kept = frame.height if size is None else int(size.sum())
    refuse_nothing(kept, seen)
    return _Distinct(frame, size, seen - kept)


def _codes(columns: Sequence[keys.Column], rows: Ints) -> Ints:
    """The codes of some rows, 0 for the missing value, one column a quasi-identifier."""
    codes = np.empty((len(rows), len(columns)), dtype=np.int64, order="F")
    for a, part in enumerate(columns):
        codes[:, a] = np.concatenate(part.chunks)[rows].astype(np.int64) - part.lowest + (not part.has_missing)
    return codes


def _weights(series: pl.Series, name: str, number: npt.NDArray[np.uint32], each: Ints, n: int) -> Floats:
    """Sums of sampling weights by combination, over ascending weights: the order of the rows moves no digit."""
    if not series.dtype.is_numeric():
        raise FieldError(f"weights: '{name}' is not a column of numbers.", "name the column of sampling weights.")
    plain = series.cast(pl.Float64)
    wrong = int((series.is_null() | ~(plain > 0) | ~plain.is_finite()).fill_null(True).sum())
    if wrong:
        raise FieldError(
            f"weights: '{name}' is missing, infinite or not above 0 in {wrong:,} of {len(series):,} rows.",
            "a sampling weight is the number of people that a row stands for: correct it.",
        )
    runs = (
        pl.DataFrame({"number": number, "weight": series.cast(pl.Float64), "each": each})
        .group_by("number", "weight")
        .agg(pl.col("each").sum())
        .sort("number", "weight")
    )
    starts = np.searchsorted(runs["number"].to_numpy(), np.arange(n))
    sums: Floats = np.add.reduceat(runs["weight"].to_numpy() * runs["each"].to_numpy(), starts)
    return sums


def _named(
    rows: Rows, kinds: Mapping[str, nw.dtypes.DType], quasi_identifiers: Sequence[str], also: Sequence[str]
) -> Rows:
    """The columns asked for, under names of their own, so that none can collide."""
    aliases = [f"key{number}" for number in range(len(quasi_identifiers))]
    aliases += [f"also{number}" for number in range(len(also))]
    named = zip([*quasi_identifiers, *also], aliases, strict=True)
    return rows.select(*(_clean(name, kinds[name]).alias(alias) for name, alias in named))


def _refuse_wildcard(missing: str) -> None:
    check_rule(missing)
    if missing == "wildcard":
        raise ParameterError(
            "missing: where a missing value matches everything there are no classes, only matches of a record.",
            "ask for measure(), or use another rule.",
        )


def _grouped(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    missing: Missing,
    *,
    also: Sequence[str] = (),
    table: str = "subjects",
    under_own_names: bool = False,
) -> tuple[Rows, list[str]]:
    """Classes with their ``size``; the key columns get other names, so that none can collide.

    Planning a query for that costs some engines a tenth of a count's time: ``under_own_names`` the columns
    keep theirs where nothing can collide and nothing is to be cleaned.
    """
    rows, kinds = _rows(subjects, table)
    role = "quasi_identifiers" if table == "subjects" else f"{table}: quasi_identifiers"
    _check(quasi_identifiers, also, kinds, missing, role)
    names = [f"key{number}" for number in range(len(quasi_identifiers))]
    others = [f"also{number}" for number in range(len(also))]
    taken = {"size", "classes", "absent"} & set(kinds)
    if under_own_names and not taken and not any(kinds[name].is_float() for name in quasi_identifiers):
        return rows.group_by(*quasi_identifiers).agg(nw.len().alias("size")), list(quasi_identifiers)
    chosen = _named(rows, kinds, quasi_identifiers, also)
    return chosen.group_by(*names, *others).agg(nw.len().alias("size")), names


def _check(
    quasi_identifiers: Sequence[str],
    also: Sequence[str],
    kinds: Mapping[str, nw.dtypes.DType],
    missing: str,
    role: str = "quasi_identifiers",
) -> None:
    check_rule(missing)
    _check_fields(quasi_identifiers, list(kinds), role)
    if also:
        _check_fields(also, list(kinds), "sensitive")


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
