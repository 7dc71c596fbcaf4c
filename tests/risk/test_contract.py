"""The contract's ``risk`` as a whole: null with its reason, whatever is asked of whatever table."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk import risk
from otrack_risk.cli import cli
from otrack_risk.errors import ParameterError, TableError

KEYS = {
    *("records", "classes", "k", "largest_class", "mean_class_size", "median_class_size", "uniques", "unique_share"),
    *("class_sizes", "record_risk", "at_risk", "distinction", "separation", "directly_identified", "unit", "attackers"),
    *("k_map", "delta_presence", "sensitive", "population", "individual", "tau", "household", "shapley"),
    *("minimal_keys", "utility", "suda", "subsets"),
}


def nulls_without_reason(value: Any, path: str = "result") -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in nulls_without_reason(item, f"{path}[]")]
    if not isinstance(value, dict):
        return []
    bare = [f"{path}.{key}" for key, item in value.items() if item is None and key not in ("reason", "interval")]
    found = [] if value.get("reason") else bare
    return found + [place for key, item in value.items() for place in nulls_without_reason(item, f"{path}.{key}")]


ROWS = st.lists(
    st.tuples(st.sampled_from(["x", "y", None]), st.sampled_from([1, 2, None]), st.sampled_from(["p", "q", None])),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(
    ROWS,
    st.sampled_from(["own-category", "wildcard", "drop"]),
    st.sampled_from([None, 0.01, 0.3, 1.0]),
    st.booleans(),
)
def test_every_key_is_there_and_every_null_has_its_reason(rows: Any, rule: Any, fraction: float | None, asked: bool):
    table = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.Int64, "s": pl.String}, orient="row")
    population = None if fraction is None else risk.Population(fraction=fraction)
    more = {"subsets": 2, "suda": 2, "keys": True, "compare_missing": True} if asked else {}
    try:
        found = risk.measure(table, ["a", "b"], sensitive=["s"], missing=rule, population=population, **more).record()
    except TableError:
        assert rule == "drop"
        return
    assert found.keys() >= KEYS
    assert nulls_without_reason(found) == []
    json.dumps(found, allow_nan=False)


# Two columns: everybody is (1, x) or (2, y) but one (2, x), who is alone on both together and on neither.
# v(a) = v(b) = 0, v(ab) = 1: half each. Sizes 3, 2, 1: DM = 9 + 4 + 1, C_AVG = 6 / (3 x 1).
def test_shares_keys_and_utility_of_a_table_worked_by_hand():
    table = pl.DataFrame({"a": [1, 1, 1, 2, 2, 2], "b": ["x", "x", "x", "y", "y", "x"]})
    found = risk.measure(table, ["a", "b"], subsets=2, suda=2, keys=True).record()
    assert found["shapley"] == {"a": 0.5, "b": 0.5}
    assert (found["utility"]["dm"], found["utility"]["c_avg"]) == (14, 2.0)
    assert [(each["attributes"], each["uniques"]) for each in found["subsets"]] == [
        (["a"], 0),
        (["b"], 0),
        (["a", "b"], 1),
    ]
    assert (found["suda"]["records_with_msu"], found["suda"]["score_sum"]) == (1, 1.0)


# 2 of 4 rows have a gap; each is found as the definition says: (x) matches 3, (gap) all 4.
def test_records_come_row_by_row_and_a_row_left_out_is_null():
    table = pl.DataFrame({"a": ["x", None, "y", None], "w": [2.0, 1.0, 4.0, 3.0]})
    wild = risk.records(table, ["a"], missing="wildcard", weights="w")
    assert wild["class_size"].to_list() == [3, 4, 3, 4]
    assert wild["population_class_size"].to_list() == [6.0, 10.0, 8.0, 10.0]
    dropped = risk.records(table, ["a"], missing="drop", population=risk.Population(fraction=0.5))
    assert dropped["class_size"].to_list() == [1, None, 1, None]
    # f = 1, F = 2: p / (1 - p) ln(1 / p) = ln 2
    assert dropped["individual_risk"].to_list() == [pytest.approx(math.log(2)), None, pytest.approx(math.log(2)), None]


# Households of 2 (risks r, r) and 1: 1 - (1 - r)^2 for two records, r for one; r = ln 2 as above.
def test_one_of_a_household_gives_away_the_others():
    table = pl.DataFrame({"a": [1, 2, 3], "home": ["h", "h", None]})
    found = risk.measure(table, ["a"], household="home", population=risk.Population(size=6)).record()["household"]
    r = math.log(2)
    assert found["expected_reidentifications"] == pytest.approx(2 * (1 - (1 - r) ** 2) + r)
    assert found["highest"] == pytest.approx(1 - (1 - r) ** 2)


# The table is {x, x, gap}, everybody {x, x, x, y, gap}: x matches 3 + 1, the gap all 5.
def test_a_population_table_is_matched_through_gaps_too():
    table, everybody = pl.DataFrame({"a": ["x", "x", None]}), pl.DataFrame({"a": ["x", "x", "x", "y", None]})
    found = risk.measure(table, ["a"], missing="wildcard", population=risk.Population(table=everybody)).record()
    assert found["attackers"]["marketer"]["success_rate"] == pytest.approx((1 / 4 + 1 / 4 + 1 / 5) / 3)
    assert found["attackers"]["journalist"]["highest"] == 0.25
    rows = risk.records(table, ["a"], missing="wildcard", population=risk.Population(table=everybody))
    assert rows["population_class_size"].to_list() == [4, 4, 5]


# Classes of everybody: x 4, y 2, z 1; of the table x 2, y 2: S / F = 1/2, 1, 0.
def test_presence_is_over_every_class_of_the_population():
    table, everybody = pl.DataFrame({"a": list("xxyy")}), pl.DataFrame({"a": list("xxxxyyz")})
    found = risk.measure(table, ["a"], population=risk.Population(table=everybody)).record()
    assert (found["delta_presence"]["min"], found["delta_presence"]["max"]) == (0.0, 1.0)
    assert found["k_map"]["k"] == 2


COLUMNS = {
    "whole": pl.Series([-(2**63), 2**63 - 1, -(2**63), 0, None]),
    "unsigned": pl.Series([2**64 - 1, 0, 2**64 - 1, 1, None], dtype=pl.UInt64),
    "high": pl.Series([2**64 - 1, 2**64 - 2, 2**64 - 1, None, None], dtype=pl.UInt64),
    "broken": pl.Series([0.0, -0.0, math.nan, math.inf, None]),
    "day": pl.Series([date(2010, 9, 1), date(2010, 9, 1), None, date(2011, 1, 1), date(1900, 1, 1)]),
    "kind": pl.Series(["a", "b", "a", None, "c"], dtype=pl.Categorical),
    "long": pl.Series(["x" * 5000, "x" * 5000, "y", "", None]),
    "price": pl.Series(["1.10", "1.10", "2.00", None, "3"]).cast(pl.Decimal(10, 2)),
    "wide": pl.Series([2**100, -(2**100), 2**100, 0, None], dtype=pl.Int128),
    "nothing": pl.Series([None] * 5),
    "list": pl.Series([[1, 2], [1, 2], [], None, [3]]),
}


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("times", [1, 30_000])
def test_any_kind_of_column_is_grouped_as_its_values_are_equal(name: str, times: int):
    table = pl.DataFrame({name: COLUMNS[name]})
    table = pl.concat([table] * times)
    plain = [None if value is None or value != value else value for value in COLUMNS[name].to_list()]
    seen = [repr(value + 0 if value == 0 else value) for value in plain]
    expected = sorted(seen.count(value) * times for value in set(seen))
    sizes = risk.class_sizes(table, [name])
    assert [size for size, classes, _ in sizes.iter_rows() for _ in range(classes)] == expected
    assert risk.class_sizes(table.lazy(), [name]).equals(sizes)


def test_two_hundred_quasi_identifiers_and_a_column_of_unique_values_have_an_answer():
    chance = np.random.default_rng(1)
    wide = pl.DataFrame({f"c{i}": chance.integers(0, 3, 50) for i in range(200)})
    found = risk.measure(wide, wide.columns, keys=True).record()
    assert (found["uniques"], found["shapley"]["reason"]) == (50, "200 quasi-identifiers are too many")
    with pytest.raises(ParameterError, match="more than 65,536"):
        risk.measure(wide, wide.columns, subsets=3)
    long = pl.DataFrame({"id": np.arange(2_000_000), "name": np.arange(2_000_000).astype(str)})
    for column in long.columns:
        assert risk.k_anonymity(long, [column]).uniques == 2_000_000


# By construction: one class of 2^33 people and one of a single one.
def test_sizes_pass_2_to_the_31():
    sizes = pl.DataFrame({"size": [1, 2**33], "classes": [1, 1], "data_subjects": [1, 2**33]})
    assert risk.record_risk(sizes).mean_per_record == pytest.approx(2 / (2**33 + 1))
    assert risk.separation(sizes) == pytest.approx(2 * 2**33 / (2**33 * (2**33 + 1)))


def run(*arguments: object) -> Any:
    return CliRunner().invoke(cli, ["risk", *map(str, arguments)], standalone_mode=False)


@pytest.fixture
def school(tmp_path: Path) -> Path:
    path = tmp_path / "pupils.csv"
    rows = ["year,sex,need,home,upn", "7,F,canary1,1,A1", "7,F,canary2,1,A2", "8,M,canary1,2,", "8,,canary1,,A4"]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_every_engine_prints_the_same_result(school: Path, engine: str):
    asked = ["--qi", "year,sex", "--sensitive", "need", "--sampling-fraction", "0.5", "--suda", "2", "--subsets", "2"]
    found, again = (run(school, *asked, "--json", "--quiet", "--engine", name) for name in (engine, "polars"))
    assert found.exception is None
    assert json.dumps(json.loads(found.stdout)["result"]) == json.dumps(json.loads(again.stdout)["result"])


def test_rows_are_written_whole_or_not_at_all(school: Path, tmp_path: Path):
    done = run(
        school, "--qi", "year,sex", "--suda", "2", "--sampling-fraction", "0.5", "--records", tmp_path / "r.parquet"
    )
    assert done.exception is None
    assert pl.read_parquet(tmp_path / "r.parquet").columns == [
        *("row", "class_size", "population_class_size", "record_risk", "individual_risk", "suda_score"),
        "dis_suda_score",
    ]
    failed = run(school, "--qi", "year", "--records", tmp_path / "nowhere" / "r.parquet")
    assert "cannot be written" in str(failed.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pupils.csv", "r.parquet"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--weights", "need"], "'need' is no number in 4 of 4 rows"),
        (["--household", "nothing"], "'nothing' is not a field"),
        (["--ordered", "need=canary1"], "1 of the 2 values in the table is not in it"),
        (["--ordered", "need"], "names no column"),
        (["--person", "home", "--records", "x.parquet"], "no row has a risk of its own"),
        (["--known-facts", "2"], "known_facts"),
        (["--hierarchy", "need=nowhere.csv"], "nowhere.csv cannot be opened"),
        (["--weights", "nothing"], "'nothing' is not a field"),
    ],
)
def test_what_is_asked_for_wrongly_is_told_without_a_value(school: Path, asked: list[str], said: str):
    failed = run(school, "--qi", "year,sex", "--sensitive", "need", *asked)
    assert said in str(failed.exception)
    assert "canary" not in str(failed.exception)


def test_an_order_of_a_column_that_is_not_sensitive_is_remarked_on(school: Path):
    done = run(school, "--qi", "year,sex", "--sensitive", "need", "--ordered", "year=7<8", "--json")
    assert any(note.startswith("--ordered: 'year'") for note in json.loads(done.output)["notes"])


def alone(rows: list[tuple[Any, ...]], facts: tuple[int, ...]) -> set[int]:
    """Rows that no other equals on these facts."""
    return {
        i
        for i, row in enumerate(rows)
        if not any(j != i and all(row[fact] == other[fact] for fact in facts) for j, other in enumerate(rows))
    }


def smallest_alone(rows: list[tuple[Any, ...]], most: int) -> list[list[tuple[int, ...]]]:
    """Of each row the sets of facts on which it is alone while on no part of them; all sets are tried."""
    found: list[list[tuple[int, ...]]] = [[] for _ in rows]
    for size in range(1, most + 1):
        for facts in combinations(range(len(rows[0])), size):
            for i in alone(rows, facts):
                if not any(set(part) < set(facts) for part in found[i]):
                    found[i].append(facts)
    return found


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(*[st.sampled_from(["x", "y", None])] * 3), min_size=1, max_size=14),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([0.05, 0.4, 1.0]),
)
def test_special_uniques_row_by_row_are_those_of_the_definition(rows: Any, most: int, fraction: float):
    table = pl.DataFrame(rows, schema=dict.fromkeys("abc", pl.String), orient="row")
    weight = {1: 2, 2: 1, 3: 1}  # of 3 facts: (3 - 1)(3 - 2), 3 - 2, and an empty product
    found = smallest_alone(rows, most)
    scores = [sum(weight[len(facts)] for facts in sets) for sets in found]
    told = risk.measure(table, list("abc"), suda=most).record()["suda"]
    assert told["records_with_msu"] == sum(score > 0 for score in scores)
    assert (told["score_max"], told["score_sum"]) == (max(scores), sum(scores))
    if sum(scores):
        for fact, name in enumerate("abc"):
            held = sum(weight[len(facts)] for sets in found for facts in sets if fact in facts)
            assert told["contribution"][name] == pytest.approx(100 * held / sum(scores))

    by_row = risk.records(table, list("abc"), suda=most, population=risk.Population(fraction=fraction))
    assert by_row["suda_score"].to_list() == scores
    sizes = Counter(rows)
    uniques = sum(size == 1 for size in sizes.values())
    pairs = 2 * sum(size == 2 for size in sizes.values())
    power = 1 + (8 - 3) / 20
    spread = sum(score**-power for score in scores if score)
    for score, dis in zip(scores, by_row["dis_suda_score"], strict=True):
        if not score:
            assert dis == 0
            continue
        overall = fraction * uniques / (fraction * uniques + (1 - fraction) * pairs)
        assert dis == pytest.approx(1 / (1 + (uniques / overall - uniques) / (score**power * spread)))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(["x", "y", None]), st.sampled_from([1, 2, None])), min_size=1, max_size=14),
    st.lists(st.tuples(st.sampled_from(["x", "y", "z", None]), st.sampled_from([1, 2, None])), max_size=14),
    st.sampled_from([0.1, 0.3, 0.5]),
)
def test_a_table_in_its_population_is_counted_as_the_definition_says(inside: Any, outside: Any, threshold: float):
    kinds = {"a": pl.String, "b": pl.Int64}
    everybody = pl.DataFrame(inside + outside, schema=kinds, orient="row")
    table, population = pl.DataFrame(inside, schema=kinds, orient="row"), risk.Population(table=everybody)
    found = risk.measure(table, ["a", "b"], population=population, thresholds=[threshold]).record()
    here, there, n = Counter(inside), Counter(inside + outside), len(inside)
    behind = [there[row] for row in inside]
    journalist, presence = found["attackers"]["journalist"], [here[row] / size for row, size in there.items()]
    assert journalist["highest"] == pytest.approx(1 / min(behind))
    assert journalist["records_at_risk_share"] == pytest.approx(sum(1 / size > threshold for size in behind) / n)
    mean = sum(1 / size for size in behind) / n
    assert journalist["success_rate"] == pytest.approx(max(len(here) / sum(there[row] for row in here), mean))
    assert found["attackers"]["marketer"]["success_rate"] == pytest.approx(mean)
    assert found["k_map"]["k"] == min(behind)
    told = found["delta_presence"]
    assert (told["min"], told["max"]) == pytest.approx((min(presence), max(presence)))
    by_row = risk.records(table, ["a", "b"], population=population)
    assert by_row["row"].to_list() == list(range(n))
    assert by_row["class_size"].to_list() == [here[row] for row in inside]
    assert by_row["population_class_size"].to_list() == behind
    assert by_row["individual_risk"].sum() == pytest.approx(found["individual"]["expected_reidentifications"])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 3, 4, None]), st.sampled_from(["x", "y", None]), st.sampled_from(["p", "q"])),
        min_size=1,
        max_size=14,
    ),
    st.sampled_from(["own-category", "drop"]),
)
def test_people_with_several_rows_are_told_apart_by_the_set_of_them(rows: Any, rule: Any):
    table = pl.DataFrame(rows, schema={"who": pl.Int64, "a": pl.String, "b": pl.String}, orient="row")
    known: dict[Any, set[Any]] = defaultdict(set)
    for number, (who, a, b) in enumerate(rows):
        if rule == "own-category" or a is not None:
            known[("row", number) if who is None else who].add((a, b))
    if not known:
        with pytest.raises(TableError):
            risk.measure(table, ["a", "b"], person="who", missing=rule)
        return
    sizes = Counter(frozenset(each) for each in known.values()).values()
    found = risk.measure(table, ["a", "b"], person="who", missing=rule).record()
    assert (found["unit"], found["records"], found["classes"]) == ("data_subjects", len(known), len(sizes))
    assert (found["k"], found["uniques"]) == (min(sizes), sum(size == 1 for size in sizes))
    assert found["median_class_size"] == np.median(list(sizes))
