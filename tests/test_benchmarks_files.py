"""The benchmark of files: what it counts, on a few pictures; never how fast."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def bench(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(HERE))
    module = import_module("files")
    if hasattr(module, "DATA"):
        monkeypatch.setattr(module, "DATA", tmp_path)
    yield module
    for name in ("files", "timing", "page", "risk"):
        sys.modules.pop(name, None)


# Of 1,000 rows each file is listed twice and each child has two files: 500 files of 250 children.
def test_ours_and_its_peers_count_the_same(bench, capsys):
    asked = ["--rounds", "1", "--pictures", "20", "--compared", "20", "--rows", "1000", "--json"]
    bench.main(["metadata", "near", "index", *asked])
    jobs = {job["job"]: job["answers"] for job in json.loads(capsys.readouterr().out)["jobs"]}
    assert jobs["index"] == {"rows": 1000, "files": 500, "children": 250}
    assert {job: len(answers) > 0 for job, answers in jobs.items()} == dict.fromkeys(
        ("metadata", "near", "index"), True
    )
