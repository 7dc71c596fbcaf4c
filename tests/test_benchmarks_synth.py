"""The benchmark of the synthetic world: what it counts and says, of runs that are told and not made; never how fast."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parents[1] / "benchmarks"
MODULES = ("environments", "synth", "timing", "tree")


@pytest.fixture(scope="module")
def bench() -> Any:
    """The benchmark's modules by name, found as ``python benchmarks/synth.py`` finds them."""
    sys.path.insert(0, str(HERE))
    found = ModuleType("bench")
    for name in MODULES:
        setattr(found, name, import_module(name))
    yield found
    sys.path.remove(str(HERE))


@pytest.fixture
def told(bench, monkeypatch, tmp_path):
    """Commands of ours take 2 s and write one file; a peer takes 0.5 s for its rows."""

    def run(words: list[Any], limit: float) -> Any:
        out = Path(words[words.index("synth") + 1])
        out.mkdir()
        (out / "pupils.parquet").write_bytes(b"the same")
        result = {"records": 400, "tables": {"pupils": 400, "schools": 100}}
        return bench.tree.Ran(json.dumps({"result": result}), 2.0, 300, 350)

    class Peer:
        def __init__(self, command: list[Any], limit: float) -> None:
            self.command = command

        def __enter__(self) -> Any:
            return lambda: bench.timing.Told(0.5, {}, 30)

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(bench.tree, "run", run)
    monkeypatch.setattr(bench.synth, "Stays", Peer)
    monkeypatch.setattr(bench.synth, "DATA", tmp_path)
    monkeypatch.setattr(bench.synth.environments, "python", lambda name: Path("python"))


# By hand: 400 records in 2 s are 200 a second. 100 rows in 0.5 s are 2 s for 400, so that the ratio is 1.
def test_a_peer_is_extrapolated_to_as_many_rows(bench, told, capsys):
    bench.synth.main(["77", "--rounds", "2", "--peer-rows", "100", "--workers", "1,2", "--json"])
    (job,) = json.loads(capsys.readouterr().out)["jobs"]
    ours, again, peer = job["runs"][:3]
    assert [row["rows_per_s"] for row in (ours, again, peer)] == [200, 200, 200]
    assert peer["median_ratio"] == 1
    assert "100 rows, extrapolated" in peer["what"]
    assert (ours["peak_mib"], ours["peaks_mib"]) == (300, 350)
    assert job["answers"] == {"records": 400, "rows": 500, "tables": 2, "mib": 0}
    assert len(job["runs"]) == 2 + len(bench.synth.PEERS)


def test_the_document_and_the_page_tell_the_same(bench, told, tmp_path, capsys):
    words = ["otrack", "--rounds", "1", "--peers", "faker", "--workers", "2"]
    bench.synth.main([*words, "--json"])
    kept, page = tmp_path / "a.json", tmp_path / "speed_synth.md"
    kept.write_text(capsys.readouterr().out, encoding="utf-8")
    bench.synth.main(["--from", str(kept), "--write", str(page)])
    (job,) = json.loads(kept.read_text(encoding="utf-8"))["jobs"]
    for said in (capsys.readouterr().out, written := page.read_text(encoding="utf-8")):
        assert "The whole otrack preset" in said
        for row in job["runs"]:
            for cell in bench.synth.cells(row):
                assert cell in said
        for line in bench.synth.notes(job):
            assert line in said
    assert str(tmp_path) not in written


def test_worlds_that_differ_from_run_to_run_are_an_error(bench, told, monkeypatch):
    bytes_of = iter(range(10))
    monkeypatch.setattr(bench.synth, "_content", lambda folder: (str(next(bytes_of)), 1))
    with pytest.raises(bench.timing.DisagreementError, match="content"):
        bench.synth.main(["77", "--rounds", "1", "--peers", "faker", "--workers", "1"])


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="memory of others is read from /proc")
def test_memory_is_that_of_a_command_and_its_workers_together(bench):
    # each of the two holds 60 MB for a second
    worker = "x = bytearray(60_000_000); import time; time.sleep(1)"
    begin = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {worker!r}])"
    parent = f"{begin}; {worker}; p.wait(); print(7)"
    ran = bench.tree.run([sys.executable, "-c", parent], 30)
    assert ran.said.strip() == "7"
    assert 114 < ran.peak_mib < 250
    assert ran.peaks_mib >= ran.peak_mib


def test_a_command_that_is_late_or_fails_is_told_as_stopped(bench):
    with pytest.raises(bench.timing.StoppedError, match=r"over 0\.3 s"):
        bench.tree.run([sys.executable, "-c", "import time; time.sleep(30)"], 0.3)
    with pytest.raises(bench.timing.StoppedError, match="exit code 3"):
        bench.tree.run([sys.executable, "-c", "raise SystemExit(3)"], 30)


def test_a_size_is_a_preset_or_a_number(bench, capsys):
    with pytest.raises(SystemExit):
        bench.synth.main(["trust"])
    assert "'trust' is neither otrack nor a number of pupils" in capsys.readouterr().err
