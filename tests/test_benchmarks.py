"""The benchmark's own parts: its pupils, its rows and pages, and that all its runs answer alike; never how fast."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

HERE = Path(__file__).parents[1] / "benchmarks"
ROWS = 2_000
MODULES = ("jobs", "ours", "page", "pupils", "risk", "theirs", "timing")


@pytest.fixture(scope="module")
def bench() -> Any:
    """The benchmark's modules by name, found as ``python benchmarks/risk.py`` finds them."""
    import importlib

    sys.path.insert(0, str(HERE))
    found = ModuleType("bench")
    for name in MODULES:
        setattr(found, name, importlib.import_module(name))
    yield found
    sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def pupils(bench: Any) -> pl.DataFrame:
    return bench.pupils.pupils(ROWS, np.random.default_rng(1))


@pytest.fixture(scope="module")
def given(bench: Any, pupils: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the command is asked for, over the small table and one round."""
    path = tmp_path_factory.mktemp("bench") / f"pupils_{ROWS}.parquet"
    pupils.write_parquet(path)
    table = bench.jobs.Table(path, ROWS)
    return bench.jobs.Given(
        table=table,
        large=lambda: table,
        large_rows=ROWS,
        copies=2,
        rounds=1,
        peers=(),
        limit=60,
        msu_peer=None,
    )


def test_the_same_seed_makes_the_same_pupils(bench, pupils):
    assert pupils.equals(bench.pupils.pupils(ROWS, np.random.default_rng(1)))
    assert not pupils.equals(bench.pupils.pupils(ROWS, np.random.default_rng(2)))


def test_a_pupil_has_eighteen_facts_none_of_them_missing(bench, pupils):
    assert pupils.shape == (ROWS, 18)
    assert pupils.null_count().sum_horizontal().item() == 0
    assert set(bench.pupils.TWELVE) | set(bench.pupils.FIVE) | {bench.pupils.SENSITIVE} <= set(pupils.columns)
    assert pupils.schema["postcode_district"] == pl.String


def test_pupils_are_skewed_as_those_of_a_country(pupils):
    share = pupils["ethnicity"].value_counts(sort=True)["count"][0] / ROWS
    assert 0.5 < share < 0.75  # 62 in a hundred
    assert pupils["school_id"].value_counts()["count"].max() > 2 * ROWS / pupils["school_id"].n_unique() * 0.6


# polars, DuckDB and pandas are the second way here: a job whose runs differ raises.
@pytest.mark.parametrize("job", ["classes", "sensitive", "subsets", "uniques", "scale"])
def test_every_run_of_a_job_finds_what_the_others_find(bench, given, job):
    pytest.importorskip("duckdb")
    found = bench.jobs.JOBS[job](replace(given, rounds=0))  # each once, uncounted
    assert found["agreed"] >= 3
    assert all(row["stopped"] is None for row in found["runs"])


def test_a_job_whose_runs_differ_is_refused(bench):
    runs = {name: bench.timing.Run(lambda: None, lambda _, k=k: {"k": k}) for name, k in (("one", 1), ("other", 2))}
    with pytest.raises(bench.timing.DisagreementError, match="other: k is 2, and an earlier run found 1"):
        bench.timing.in_turn(runs, 1)


def test_a_job_whose_runs_have_nothing_in_common_is_refused(bench):
    runs = {name: bench.timing.Run(lambda: None, lambda _, name=name: {name: 1}) for name in ("one", "other")}
    with pytest.raises(bench.timing.DisagreementError, match="nothing can be compared"):
        bench.timing.in_turn(runs, 1)


def test_every_round_starts_with_another_run(bench):
    order: list[str] = []
    runs = {name: bench.timing.Run(lambda name=name: order.append(name)) for name in "abc"}
    bench.timing.in_turn(runs, 2)
    assert order == list("abc" + "bca" + "cab")


# Worked by hand: rounds 1 to 3 take 2, 4, 3 s against 1, 1, 2 s, so the ratios are 2, 4 and 1.5.
def test_a_ratio_is_the_middle_of_those_of_each_round(bench):
    times = {
        "ours": bench.timing.Times(first_s=9.0, seconds={1: 1.0, 2: 1.0, 3: 2.0}),
        "theirs": bench.timing.Times(first_s=9.0, seconds={1: 2.0, 2: 4.0, 3: 3.0}),
    }
    row = bench.timing.compared(times, "ours")[1]
    assert (row["median_ratio"], row["min_ratio"], row["max_ratio"]) == (2.0, 1.5, 4.0)
    assert (row["median_s"], row["min_s"], row["max_s"], row["runs"]) == (3.0, 2.0, 4.0, 3)


def test_a_slow_run_is_counted_in_five_rounds_only(bench, monkeypatch):
    monkeypatch.setattr(bench.timing, "_SLOW", 0.02)
    runs = {"slow": bench.timing.Run(lambda: time.sleep(0.03))} | {
        name: bench.timing.Run(lambda: bench.timing.Told(99.0, {})) for name in ("extrapolated", "quick")
    }
    assert [len(times.seconds) for times in bench.timing.in_turn(runs, 7).values()] == [5, 7, 7]


def test_a_child_that_is_late_is_stopped_and_said_to_be(bench):
    with pytest.raises(bench.timing.StoppedError, match=r"over 0\.2 s, stopped"):
        bench.timing.child([sys.executable, "-c", "import time; time.sleep(9)"], 0.2)
    program = "import time; print('{}', flush=True); time.sleep(9)"  # loads, and then is late
    late = pytest.raises(bench.timing.StoppedError, match=r"over 0\.2 s, stopped")
    with bench.timing.Stays([sys.executable, "-c", program], 0.2) as peer, late:
        peer()


def test_a_run_that_is_stopped_late_says_what_it_took_before(bench):
    went = iter([1.0, 2.0, 4.0])  # the uncounted round, and two of 2 and 4 s

    def call():
        if (seconds := next(went, None)) is None:
            raise bench.timing.StoppedError("over 9 s, stopped")
        return bench.timing.Told(seconds, {})

    stopped = bench.timing.in_turn({"it": bench.timing.Run(call)}, 3)["it"].stopped
    assert stopped == "over 9 s, stopped, after 2 rounds of about 3 s"


def test_a_job_that_met_a_want_of_memory_is_not_to_be_quoted(bench):
    job = {"agreed": 0, "answers": {}, "runs": []}
    assert bench.page.notes(job | {"memory_stalled_s": 0.1}) == []
    assert "short of memory for 59 s" in bench.page.notes(job | {"memory_stalled_s": 59.0})[0]


def test_a_program_that_stays_works_once_a_line(bench):
    line = '{"seconds": 2.0, "answer": {"k": 1}, "peak_mib": 3}'
    program = f"import sys\nprint('{{}}', flush=True)\nfor _ in sys.stdin: print('{line}', flush=True)"
    with bench.timing.Stays([sys.executable, "-c", program], 20) as peer:
        assert [peer(), peer()] == [bench.timing.Told(2.0, {"k": 1}, 3)] * 2


def test_the_document_the_table_and_the_page_tell_the_same(bench, given, tmp_path, capsys):
    words = ["classes", "--data", str(given.table.path), "--rounds", "1"]
    bench.risk.main([*words, "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "otrack-risk/benchmark/1"
    job = document["jobs"][0]
    assert job["command"] == f"python benchmarks/risk.py classes --data pupils_{ROWS}.parquet --rounds 1 --json"
    assert job["answers"]["records"] == ROWS
    assert [row["what"] for row in job["runs"]][:2] == ["otrack_risk", "polars group_by"]

    kept, written = tmp_path / "classes.json", tmp_path / "speed.md"
    kept.write_text(json.dumps(document), encoding="utf-8")
    bench.risk.main(["--from", str(kept), "--write", str(written)])
    for told in (capsys.readouterr().out, page := written.read_text(encoding="utf-8")):
        for row in job["runs"]:
            for cell in bench.page.cells(row):
                assert cell in told
    assert str(tmp_path) not in page
    assert not list(tmp_path.glob("*.svg"))  # growth was not measured


def test_growth_is_the_slope_of_the_logarithms(bench, tmp_path):
    # 10 times the rows, 100 times the seconds: the power is 2
    rows = [
        {"what": "otrack_risk", "axis": "rows", "at": at, "rows": at, "stopped": None, "first_s": s, "runs": 1}
        | {"peak_mib": None, "median_s": s, "min_s": s, "max_s": s}
        for at, s in ((10, 0.01), (100, 1.0), (1000, 100.0))
    ]
    exponent = bench.jobs._exponent(rows, "otrack_risk", "rows")
    assert exponent["exponent"] == pytest.approx(2)
    assert "otrack_risk: seconds grow as rows to the power 2.00." in bench.page.notes(
        {"agreed": 0, "answers": {}, "runs": rows, "exponents": [exponent]}
    )
    assert bench.page.figure(rows) == bench.page.figure(rows)
