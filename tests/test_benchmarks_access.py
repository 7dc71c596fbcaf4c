"""The benchmark of the access analysis: the trust that it makes, and what it says of runs told and not made."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

HERE = Path(__file__).parents[1] / "benchmarks"
MODULES = ("access", "timing", "tree", "trust")


@pytest.fixture(scope="module")
def bench() -> Any:
    """The benchmark's modules by name, found as ``python benchmarks/access.py`` finds them."""
    sys.path.insert(0, str(HERE))
    found = ModuleType("bench")
    for name in MODULES:
        setattr(found, name, import_module(name))
    yield found
    sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def small(bench, tmp_path_factory):
    """A trust of 200 accounts, 3,000 pupils and 2,000 lines."""
    folder = tmp_path_factory.mktemp("trust")
    bench.trust.trust(folder, 200, 3_000, 2_000)
    return folder


@pytest.fixture
def told(bench, monkeypatch, tmp_path):
    """Our command takes 2 s and 300 MiB at any size; pycasbin takes 8 s."""

    def run(words: list[Any], limit: float) -> Any:
        assert "--log" in words
        return bench.tree.Ran("{}", 2.0, 300, 310)

    monkeypatch.setattr(bench.tree, "run", run)
    monkeypatch.setattr(bench.access, "_casbin", lambda folder, asked: bench.timing.Told(8.0, {}))
    monkeypatch.setattr(bench.access, "DATA", tmp_path)


# By hand: 2 s for 50 accounts are 40 s a thousand, and 20 s for 100. pycasbin's 8 s are four times 2 s.
def test_the_page_tells_seconds_a_thousand_accounts_and_the_ratio_to_pycasbin(bench, told, tmp_path, capsys):
    kept, page = tmp_path / "a.json", tmp_path / "speed_access.md"
    words = ["--sizes", "50x100x10,100x200x20", "--rounds", "1", "--peer-up-to", "50"]
    bench.access.main([*words, "--json"])
    kept.write_text(capsys.readouterr().out, encoding="utf-8")
    bench.access.main(["--from", str(kept), "--write", str(page)])
    few, more = json.loads(kept.read_text(encoding="utf-8"))["jobs"]
    assert [bench.access.cells(job)[-1] for job in (few, more)] == ["40.00 s", "20.00 s"]
    assert [len(job["runs"]) for job in (few, more)] == [2, 1]
    (said,) = bench.access.notes([few, more])
    assert "8.0 s, 4.0 times as long" in said
    for text in (capsys.readouterr().out, written := page.read_text(encoding="utf-8")):
        assert said in text
        assert "40.00 s" in text
    assert str(tmp_path) not in written
    assert page.with_suffix(".svg").read_text(encoding="utf-8").startswith("<?xml")


def test_a_size_is_three_numbers(bench, capsys):
    with pytest.raises(SystemExit):
        bench.access.main(["--sizes", "2000x6000"])
    assert "ACCOUNTSxPUPILSxLINES" in capsys.readouterr().err


def test_the_same_size_makes_the_same_trust(bench, small, tmp_path):
    bench.trust.trust(tmp_path, 200, 3_000, 2_000)
    tables = sorted(each.name for each in small.iterdir())
    assert len(tables) == 7
    assert all((small / each).read_bytes() == (tmp_path / each).read_bytes() for each in tables)


def test_the_trust_has_60_roles_half_of_them_known_and_every_name_leads_somewhere(bench, small):
    from otrack_risk.access.words import role_of

    held, members, accounts, pupils, log = (
        pl.read_parquet(small / f"{name}.parquet")
        for name in ("grants", "memberships", "accounts", "pupils", "access_log")
    )
    assert len(set(bench.trust.ROLES)) == 60
    assert sum(role_of(role) is not None for role in bench.trust.ROLES) == 30
    assert set(held["role"].drop_nulls()) | set(members["role"]) <= set(bench.trust.ROLES)
    assert set(members["member"]) <= set(bench.trust.ROLES) | set(accounts["account"])
    assert (log.height, set(log["account"]) <= set(accounts["account"])) == (2_000, True)
    assert set(log["pupil_id"]) <= set(pupils["pupil_id"])
    assert set(held["effect"]) == {"allow", "deny"}


def test_the_command_takes_the_trust_and_counts_need_and_excess(small):
    from otrack_risk.cli import cli

    words = ["access", str(small), "--log", str(small / "access_log.parquet"), "--as-of", "2026-06-30", "--json"]
    ran = CliRunner().invoke(cli, [*words, "--quiet"])
    assert ran.exit_code == 0
    found = json.loads(ran.stdout)["result"]
    assert (found["roll"], len(found["accounts"]), found["log"]["seen"]) == (3_000, 200, 2_000)
    for number in ("over_privilege", "under_privilege", "excess"):
        assert sum(each[number] is not None for each in found["accounts"]) > 20
    assert {"granted", "excess"} <= {cell["state"] for cell in found["cells"]}
