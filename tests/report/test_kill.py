"""A run that is killed leaves the old pack or the new one, and nothing beside it after the next start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from otrack_risk.report import pack, whole

# Forks a run for each point, counts its operations on files, and has it kill itself before the n-th of them.
HARNESS = '''
import ctypes, fcntl, json, os, signal, sys
from pathlib import Path

import nbformat.v4 as v4
import otrack_risk.report.signed
from otrack_risk.report import crate, identity, pack, page, whole
from otrack_risk.report.verify import verify

place = Path(sys.argv[1])
out = place / "report"
exchange = whole._exchange
pack._pdf = lambda *given: b"%PDF-"  # the real one is set by threads, which no fork survives
os.fsync = lambda handle: None  # the machine goes on when a process is killed


def made(title):
    payload = {"key": "severity", "headline": [], "sentence": title, "record": {"children": 7}, "files": {"a.csv": "b"},
               "table": {"columns": ["children"], "rows": [[7]]}, "figure": "<svg xmlns='http://www.w3.org/2000/svg'/>"}
    output = v4.new_output("display_data", {"application/vnd.otrack-risk.result+json": payload})
    cells = [v4.new_markdown_cell("# " + title, id="cell-0"),
             v4.new_code_cell("1", execution_count=1, id="cell-1", outputs=[output, output, output])]
    book = v4.new_notebook(cells=cells)
    about = page.About(title=title, line="", synthetic=False, footer=())
    head = {"schema": "otrack-risk/assess/1", "tool": {"version": "0"}, "input": [], "parameters": {}}
    pages = [page.page("one", book)]
    return pack.content({"one": book}, pages, about, head, {}, identity.identify([], {"title": title}))


def run(files, die_at):
    """In a fork: the steps of a run on files, killed before the operation of that number."""
    count = 0

    def operation(handle=None):
        nonlocal count
        count += 1
        if count == die_at:
            if handle is not None:  # before it is forced to the disk, half a file may be there
                try:
                    os.ftruncate(handle, os.fstat(handle).st_size // 2)
                except OSError:
                    pass  # a folder
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event, arguments):
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "os.scandir"):
            if str(place) in str(arguments[0]) or event in ("os.remove", "os.rmdir"):
                operation()

    swap = whole._exchange

    def counted_exchange(one, other):
        operation()
        done = swap(one, other)
        operation()
        return done

    os.fsync, whole._exchange = operation, counted_exchange
    sys.addaudithook(hook)
    pack.claim(out)
    with whole.workspace(out) as scratch:
        (scratch / "pupils.csv").write_text("surname\\nInvented\\n")
        whole.place(out, files, {"run.log": b""})
    os._exit(0)


def state():
    """Which pack is there: its title and whether it verifies, or None."""
    if not out.exists():
        return None
    found = verify(out)
    wrong = [problem for problem in found.problems if problem[0] != "run.log"]
    return [json.loads((out / "manifest.json").read_text())["parameters"]["given"]["title"], not wrong]


old, new = made("old"), made("new")


def killed(swap, first, step):
    """Runs that are killed at operation 1, 1 + step, ... until one comes to its end."""
    whole._exchange = swap
    told, die_at = [], 1
    while True:
        if not first and state() != ["old", True]:
            whole.place(out, old)
        if first and out.exists():
            whole.shutil.rmtree(out)
        child = os.fork()
        if child == 0:
            run(new, die_at)
        _, status = os.waitpid(child, 0)
        by_signal = os.WIFSIGNALED(status)
        at_once = state()
        rows = sorted(path.name for path in place.rglob("pupils.csv"))
        pack.claim(out)
        left = sorted(path.name for path in place.iterdir())
        told.append({"killed": by_signal, "at_once": at_once, "rows": rows, "after": state(), "left": left,
                     "code": None if by_signal else os.WEXITSTATUS(status)})
        if not by_signal:
            return told
        die_at += step


print(json.dumps({
    "exchange": killed(exchange, False, 2),
    "rename": killed(lambda one, other: False, False, 7),
    "first": killed(exchange, True, 11),
}))
'''
pytestmark = pytest.mark.skipif(os.name == "nt", reason="no fork, no process groups")


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> dict[str, list[dict]]:
    done = subprocess.run(
        [sys.executable, "-c", HARNESS, str(tmp_path_factory.mktemp("killed"))],
        capture_output=True,
        text=True,
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    for runs in told.values():
        assert runs[-1]["code"] == 0
        assert runs[-1]["after"] == ["new", True]
        assert all(each["killed"] for each in runs[:-1])
    return told


def can_exchange(folder: Path) -> bool:
    for name in ("a", "b"):
        (folder / name).mkdir()
    return whole._exchange(folder / "a", folder / "b")


def test_at_every_point_of_the_write_step_a_killed_run_leaves_the_old_pack_or_the_new_one(killed, tmp_path):
    if not can_exchange(tmp_path):
        pytest.skip("this file system exchanges no folders in one step")
    told = killed["exchange"]
    assert len(told) > 50
    assert {tuple(each["at_once"]) for each in told} == {("old", True), ("new", True)}  # before anything mends it
    assert any(each["rows"] for each in told)  # so that there was something to remove
    assert all(each["left"] == ["report"] for each in told)


def test_where_folders_cannot_be_exchanged_the_next_start_puts_the_old_pack_back(killed):
    told = killed["rename"]
    assert {tuple(each["after"]) for each in told} == {("old", True), ("new", True)}
    assert all(each["at_once"] in (None, ["old", True], ["new", True]) for each in told)
    assert all(each["left"] == ["report"] for each in told)


def test_a_pack_that_stands_aside_when_a_run_is_killed_is_put_back_and_verifies(tmp_path):
    (tmp_path / ".report.old-12").mkdir()
    (tmp_path / ".report.old-12" / "manifest.json").write_text("{}")
    (tmp_path / ".report.new-12").mkdir()
    whole.sweep(tmp_path / "report")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert (tmp_path / "report" / "manifest.json").read_text() == "{}"


def test_a_first_run_that_is_killed_leaves_no_pack_or_a_whole_one(killed):
    told = killed["first"]
    assert all(each["at_once"] in (None, ["new", True]) for each in told)
    assert all(each["left"] in ([], ["report"]) for each in told)


def test_a_run_that_is_still_going_keeps_its_files(tmp_path):
    with whole.workspace(tmp_path / "report") as ours:
        (ours / "pupils.csv").write_text("rows")
        whole.sweep(tmp_path / "report")
        assert (ours / "pupils.csv").is_file()
        assert ours.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == []


def test_only_what_a_run_of_this_name_left_is_removed(tmp_path):
    theirs = [".report.new-x", ".reports.new-12", ".report.newer-12", "report.new-12", ".report.new-12.txt"]
    for name in [*theirs, ".report.new-12", ".report.run-7", ".report.old-9"]:
        (tmp_path / name).mkdir()
    (tmp_path / "report").mkdir()
    whole.sweep(tmp_path / "report")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*theirs, "report"])


@pytest.mark.slow
def test_a_whole_assess_killed_at_five_points_keeps_the_pack_before_it(tmp_path):
    from otrack_risk.report.verify import verify

    program = [sys.executable, "-m", "otrack_risk"]
    world, out = tmp_path / "primary", tmp_path / "place" / "report"
    subprocess.run([*program, "synth", world, "--preset", "primary", "--quiet"], check=True)
    assess = [*program, "assess", "table_found_open", "--data", world, "--out", out, "--quiet"]
    began = time.monotonic()
    subprocess.run(assess, check=True, capture_output=True)
    whole_run = time.monotonic() - began
    before = (out / "manifest.json").read_bytes()
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        run = subprocess.Popen(assess, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(whole_run * share)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert verify(out).ok
        assert (out / "manifest.json").read_bytes() == before
        pack.claim(out)
        assert [path.name for path in out.parent.iterdir()] == ["report"]
