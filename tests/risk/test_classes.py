"""The one grouping: the same on every engine, nothing lost in silence, nothing of a cell in a message."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import FieldError, ParameterError, TableError
from otrack_risk.risk.classes import class_sizes, class_values, classes, columns, combinations, filled, population_sizes

# Two of (7, F, 1.5); two of (7, none, none), of which one NaN; (8, F, 0) twice, once as -0; one (8, M, 2).
SCORES = [1.5, 1.5, None, math.nan, 0.0, -0.0, 2.0]
TABLE = pa.table(
    {
        "year": pa.array([7, 7, 7, 7, 8, 8, 8]),
        "sex": pa.array(["F", "F", None, None, "F", "F", "M"]),
        "score": pa.array(SCORES, type=pa.float64()),
        "need": pa.array(["ASD", "ASD", "ASD", None, None, None, "SLCN"]),
    }
)
KNOWN = ["year", "sex", "score"]
ENGINES = ["polars", "polars lazy", "pandas", "pandas categories", "pandas nullable", "pyarrow", "duckdb"]


def on_engine(name: str, table: pa.Table) -> Any:
    frame = pl.DataFrame(pl.from_arrow(table))
    match name:
        case "polars":
            return frame
        case "polars lazy":
            return frame.lazy()
        case "pandas":
            return pd.DataFrame({column: frame[column].to_list() for column in frame.columns})
        case "pandas categories":
            made = pd.DataFrame({column: frame[column].to_list() for column in frame.columns})
            return made.astype({name: "category" for name in made.columns if made[name].dtype != "float64"})
        case "pandas nullable":
            return pd.DataFrame({c: frame[c].to_list() for c in frame.columns}).convert_dtypes()
        case "duckdb":
            return duckdb.connect().from_arrow(table)
    return table


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_counts_the_same_classes(engine: str):
    subjects = on_engine(engine, TABLE)
    assert class_sizes(subjects, KNOWN).rows() == [(1, 1, 1), (2, 3, 6)]
    dropped = classes(subjects, KNOWN, missing="drop")
    assert dropped.sizes.rows() == [(1, 1, 1), (2, 2, 4)]
    assert dropped.left_out == 2


# (7, none): ASD and nothing; the other classes have one value each.
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_counts_the_same_values_in_a_class(engine: str):
    counted = class_values(on_engine(engine, TABLE), KNOWN, "need")
    by_class = counted.group_by("class").agg("value", "data_subjects")
    found = Counter(tuple(sorted(zip(map(str, v), n, strict=True))) for _, v, n in by_class.iter_rows())
    assert found == Counter(
        [(("ASD", 2),), (("ASD", 1), ("None", 1)), (("None", 2),), (("SLCN", 1),)],
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_finds_the_same_classes_in_a_population(engine: str):
    more = pa.concat_tables([TABLE, TABLE.slice(0, 3), TABLE.slice(6, 1)])
    connection = duckdb.connect()
    if engine == "duckdb":  # one connection: two tables of two connections cannot meet
        subjects, population = connection.from_arrow(TABLE), connection.from_arrow(more)
    else:
        subjects, population = on_engine(engine, TABLE), on_engine(engine, more)
    found = population_sizes(subjects, population, KNOWN)
    assert found.rows() == [(1, 2, 1), (2, 2, 1), (2, 3, 1), (2, 4, 1)]
    assert population_sizes(subjects, population, KNOWN, missing="drop").rows() == [(1, 2, 1), (2, 2, 1), (2, 4, 1)]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_counts_the_same_filled_cells(engine: str):
    assert filled(on_engine(engine, TABLE), ["sex", "score"]) == ({"sex": 5, "score": 5}, 5)


def test_empty_text_says_nothing_of_anybody():
    assert filled(pl.DataFrame({"upn": ["", None, "x"]}), ["upn"]) == ({"upn": 1}, 1)


def test_a_table_and_its_population_may_live_on_two_engines():
    population = on_engine("pandas", pa.concat_tables([TABLE, TABLE]))
    assert population_sizes(on_engine("polars", TABLE), population, KNOWN).rows() == [(1, 2, 1), (2, 4, 3)]


def test_a_population_read_with_other_widths_still_meets_its_table():
    sample = pl.DataFrame(
        {"year": pl.Series([7, 8], dtype=pl.Int8), "sex": pl.Series(["F", "M"], dtype=pl.Categorical)}
    )
    everybody = pl.DataFrame({"year": [7.0, 8.0, 8.0], "sex": ["F", "M", "M"]})
    assert population_sizes(sample, everybody, ["year", "sex"]).rows() == [(1, 1, 1), (1, 2, 1)]


def test_a_population_of_another_kind_is_refused_by_the_name_of_the_column():
    with pytest.raises(FieldError, match="'year' is String there and Int64 in the table"):
        population_sizes(pl.DataFrame({"year": [7]}), pl.DataFrame({"year": ["7"]}), ["year"])


# The table's class 8 is not in the population, and class 9 has one there and two here.
def test_a_population_that_lacks_people_of_the_table_is_refused_with_counts_alone():
    sample, everybody = pl.DataFrame({"year": [7, 8, 9, 9]}), pl.DataFrame({"year": [7, 7, 9]})
    with pytest.raises(TableError, match="2 of 3 classes of the table have fewer rows"):
        population_sizes(sample, everybody, ["year"])


@pytest.mark.parametrize("subjects", [pl.DataFrame({"size": [1, 1], "Size": [1, 2], "classes": [3, 3]})])
def test_columns_may_be_named_like_the_counts(subjects: pl.DataFrame):
    relation = duckdb.connect().from_arrow(subjects.select(pl.col("size"), pl.col("classes")).to_arrow())
    assert class_sizes(subjects, ["size", "Size", "classes"]).rows() == [(1, 2, 2)]
    assert class_sizes(relation, ["size", "classes"]).rows() == [(2, 1, 2)]


CELLS = st.one_of(st.none(), st.sampled_from([0.0, -0.0, 1.0, math.nan]))


def seen_alike(value: float | None) -> float | None:
    return None if value is None or value != value else value + 0.0


# The twin counts tuples in plain Python, with NaN taken for missing and -0 for 0.
@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=12), st.booleans())
def test_any_table_of_numbers_and_gaps_counts_alike_on_every_engine(rows: list[tuple[Any, Any]], drop: bool):
    table = pa.table({name: pa.array([row[i] for row in rows], pa.float64()) for i, name in enumerate(["a", "b"])})
    cleaned = [tuple(seen_alike(value) for value in row) for row in rows]
    kept = [row for row in cleaned if not (drop and None in row)]
    expected = Counter(Counter(kept).values())
    for engine in ("polars", "pandas", "pyarrow", "duckdb"):
        if not kept:
            with pytest.raises(TableError):
                class_sizes(on_engine(engine, table), ["a", "b"], missing="drop")
            continue
        found = classes(on_engine(engine, table), ["a", "b"], missing="drop" if drop else "own-category")
        assert {size: count for size, count, _ in found.sizes.iter_rows()} == expected
        assert found.left_out == len(rows) - len(kept)


def test_codes_keep_the_classes_and_call_a_missing_value_0():
    found = combinations(pl.DataFrame(pl.from_arrow(TABLE)), ["year", "sex"])
    (f, m) = sorted(set(found.codes[:, 1].tolist()) - {0})
    assert sorted((*codes, size) for codes, size in zip(found.codes.tolist(), found.size.tolist(), strict=True)) == [
        (1, 0, 2),
        (1, f, 2),
        (2, f, 2),
        (2, m, 1),
    ]
    assert found.records == 7


def test_codes_without_a_gap_hold_no_0():
    assert combinations(pl.DataFrame({"x": [-3, 5, -3]}), ["x"]).codes.min() == 1


@pytest.mark.parametrize("dtype", [pl.Boolean, pl.Date, pl.Categorical, pl.Enum(["a", "b"])])
def test_codes_are_made_of_any_kind_of_column(dtype: Any):
    values: list[Any] = {pl.Boolean: [True, False, None], pl.Date: [18000, 18001, None]}.get(dtype, ["a", "b", None])
    column = pl.Series(values).cast(dtype)
    codes = combinations(pl.DataFrame({"x": column}), ["x"]).codes[:, 0].tolist()
    assert len(set(codes)) == 3
    assert min(codes) == 0


def test_an_unknown_column_is_named_with_the_columns_there_are():
    with pytest.raises(FieldError) as caught:
        class_sizes(pl.DataFrame({"postcode": ["SECRET 1"], "sex": ["F"]}), ["post_code", "sex"])
    assert "'post_code' is not a field of this table (its fields: postcode, sex)" in str(caught.value)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [([], "no field is named"), (["sex", "sex"], "more than once"), ("sex", "one name where a list of names belongs")],
)
def test_no_field_a_field_twice_and_a_bare_name_are_refused(fields: Any, said: str):
    with pytest.raises(FieldError, match=said):
        class_sizes(pl.DataFrame({"sex": ["F"]}), fields)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_rows_means_unknown_and_not_zero(engine: str):
    subjects = on_engine(engine, TABLE.slice(0, 0))
    for rule in ("own-category", "drop"):
        with pytest.raises(TableError, match="no rows; the risk is unknown, not zero"):
            class_sizes(subjects, ["year"], missing=rule)  # type: ignore[arg-type]
        with pytest.raises(TableError, match="no rows"):
            class_values(subjects, ["year"], "need", missing=rule)  # type: ignore[arg-type]


def test_if_the_rule_leaves_nobody_the_message_says_so():
    with pytest.raises(TableError, match="every row lacks a quasi-identifier"):
        class_sizes(pl.DataFrame({"sex": [None, None]}, schema={"sex": pl.String}), ["sex"], missing="drop")
    with pytest.raises(TableError, match="every row lacks a quasi-identifier"):
        class_values(pl.DataFrame({"sex": [None], "need": ["ASD"]}), ["sex"], "need", missing="drop")


def test_an_unknown_rule_and_a_thing_that_is_no_table_are_refused():
    with pytest.raises(ParameterError, match="'any' is none of own-category, drop, wildcard"):
        class_sizes(pl.DataFrame({"sex": ["F"]}), ["sex"], missing="any")  # type: ignore[arg-type]
    with pytest.raises(TableError, match="list is no table"):
        class_sizes([{"sex": "F"}], ["sex"])  # type: ignore[arg-type]


def test_what_is_known_already_cannot_be_learnt():
    with pytest.raises(FieldError, match="'sex' is a quasi-identifier too"):
        class_values(pl.DataFrame({"sex": ["F"]}), ["sex"], "sex")


def test_a_lazy_table_is_grouped_without_its_other_columns_being_read():
    rows = pl.LazyFrame({"year": [7, 7], "never": [1, 1]}).with_columns(
        pl.col("never").map_batches(_fail, return_dtype=pl.Int64)
    )
    assert class_sizes(rows, ["year"]).rows() == [(2, 1, 2)]


def _fail(_: pl.Series) -> pl.Series:
    raise AssertionError("a column that nobody asked for was read")


def test_columns_come_in_the_order_asked_for_each_once():
    frame = columns(TABLE, {"quasi_identifiers": ["sex", "score"], "sensitive": ["sex"]})
    assert frame.columns == ["sex", "score"]
    assert frame["score"].null_count() == 2


# pandas and polars users have no pyarrow from us; an import of it then fails, as it does here.
def test_polars_and_pandas_need_no_pyarrow():
    program = """
import sys
sys.modules["pyarrow"] = None
import pandas as pd, polars as pl
from otrack_risk import risk
rows = {"year": [7, 7, 8], "sex": ["F", "F", None], "need": ["a", "b", None]}
for frame in (pl.DataFrame(rows), pl.LazyFrame(rows), pd.DataFrame(rows), pd.DataFrame(rows).astype("category")):
    found = risk.measure(frame, ["year", "sex"], sensitive=["need"], direct_identifiers=["sex"])
    print(found.k, found.classes, found.sensitive["need"].distinct_l, found.directly_identified.records)
    print(risk.journalist_risk(frame, ["year"], risk.Population(table=frame)).average)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == "1 2 1 2\n0.6666666666666666\n" * 4


def test_many_rows_in_pieces_of_memory_count_like_a_plain_tally():
    # 150,000 rows: one class of 60,000, some of 5,000 (beyond the sizes counted in place), the rest small and single.
    chance = np.random.default_rng(5)
    large = np.zeros(60_000, dtype=np.int64)
    middle = np.repeat(np.arange(1, 7), 5_000)
    small = chance.integers(10, 40_000, 60_000)
    key = chance.permutation(np.concatenate([large, middle, small]))
    need = chance.choice(["ASD", "SLCN", None], len(key))
    whole = pl.DataFrame({"a": key // 200, "b": (key % 200).astype(np.int16), "flag": key % 2 == 0, "need": need})
    pieces = pl.concat([whole.slice(0, 70_000), whole.slice(70_000)], rechunk=False)
    tally = Counter(Counter(key.tolist()).values())
    for frame in (whole, pieces):
        found = classes(frame, ["a", "b", "flag"]).sizes
        assert dict(zip(found["size"], found["classes"], strict=True)) == tally
        told = class_values(frame, ["a", "b"], "need")
        by_value = Counter(zip(key.tolist(), need.tolist(), strict=True))
        assert sorted(told["data_subjects"].to_list()) == sorted(by_value.values())
        assert found["size"].max() >= 60_000


def test_keys_that_all_share_their_highest_bits_are_counted_too():
    # One far-off number stretches the keys, so that all other rows lie in one part of them.
    values = np.append(np.arange(120_000) % 1_000, 2**34)
    found = class_sizes(pl.DataFrame({"number": values}), ["number"])
    assert found.rows() == [(1, 1, 1), (120, 1_000, 120_000)]


def test_keys_wider_than_a_half_are_told_apart_by_all_of_their_bits():
    # 60 bits; rows differ in the low bits alone, in the high bits alone, and not at all (each pair of numbers thrice).
    chance = np.random.default_rng(6)
    one = chance.choice([0, 1, 2**29, 2**30 - 1, *range(7, 2_000, 3)], 50_000)
    other = chance.choice([0, 1, 2**29, 2**30 - 1, *range(5, 3_000, 2)], 50_000)
    rows = [*zip(one.tolist(), other.tolist(), strict=True)] * 3
    found = class_sizes(pl.DataFrame(rows, schema=["one", "other"], orient="row"), ["one", "other"])
    assert dict(found.select("size", "classes").rows()) == Counter(Counter(rows).values())
