"""A pack tells which of its files is not what it was: every file, at every kind of change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat.v4 as v4
import pytest
from click.testing import CliRunner

from otrack_risk.cli import cli
from otrack_risk.display.results import MIME
from otrack_risk.errors import FileError
from otrack_risk.report import pack, page
from otrack_risk.report.identity import identify
from otrack_risk.report.verify import verify

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><title>Bars</title></svg>'
DAY = pack.datetime(2026, 1, 31, tzinfo=pack.UTC)


def small_pack(out: Path) -> Path:
    """One notebook with one result that has a figure, a table and a further file."""
    payload = {
        "key": "severity",
        "headline": [],
        "sentence": "1,204 children.",
        "record": {"children": 1204, "staff": {"hidden": True, "below": 5}},
        "table": {"columns": ["children"], "rows": [[1204]]},
        "figure": SVG,
        "files": {"register.csv": "risk\nloss\n"},
    }
    cell = v4.new_code_cell(
        "from otrack_risk import assessment\nassessment.propose(1)",
        execution_count=1,
        id="cell-1",
        outputs=[v4.new_output("display_data", {MIME: payload})],
    )
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# One", id="cell-0"), cell])
    inputs = ({"name": "pupils", "sha256": "ab", "seen": 4, "rows": 3, "columns": 2, "skipped": 1},)
    about = page.About(title="A report", line="A line", synthetic=True, footer=(), inputs=inputs)
    head = {"schema": "otrack-risk/assess/1", "tool": {"version": "0"}, "input": inputs, "parameters": {"seed": 3}}
    identity = identify(inputs, {"seed": 3}, {"one": {"seed": 3, "dataset": "/somewhere/pupils"}})
    log = pack.RunLog(DAY, [("One", 1.25)])
    pages = [page.page("one", notebook)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pack, "_pdf", lambda *given: b"%PDF-")  # has tests of its own
        pack.write(out, {"one": notebook}, pages, about, head, {"loss": "no"}, identity=identity, log=log)
    return out


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return small_pack(tmp_path_factory.mktemp("made") / "report")


@pytest.fixture
def copy(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "report"))


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def named(folder: Path) -> set[str]:
    return {path for path, _ in verify(folder).problems}


def test_a_pack_as_it_was_written_verifies_with_and_without_its_run_log(copy):
    assert verify(copy).problems == ()
    assert verify(copy).files == len(files(copy)) - 2  # all but the manifest and the log
    (copy / "run.log").unlink()
    assert verify(copy).ok


@pytest.mark.parametrize("bit", [0x01, 0x20])  # 0x20 turns a letter's case, and a space into a NUL
def test_a_flipped_bit_anywhere_in_any_file_is_found_and_the_file_named(copy, bit):
    for name in files(copy):
        path = copy / name
        data = path.read_bytes()
        step = max(1, len(data) // 25)
        for place in {*range(0, len(data), step), len(data) - 1}:
            path.write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
            assert named(copy) == {name}, (name, place)
        path.write_bytes(data)
    assert verify(copy).ok


@pytest.mark.parametrize(
    ("name", "step"), [("manifest.json", 11), ("run.log", 1), pytest.param("manifest.json", 1, marks=pytest.mark.slow)]
)
def test_no_byte_of_the_files_without_a_listed_hash_can_change(copy, name, step):
    data = (copy / name).read_bytes()
    for place in range(0, len(data), step):
        (copy / name).write_bytes(data[:place] + bytes([data[place] ^ 0x04]) + data[place + 1 :])
        assert name in named(copy), place


@pytest.mark.parametrize("end", [b"", b"\n", b" "])
def test_a_byte_more_or_less_at_the_end_is_found(copy, end):
    for name in files(copy):
        data = (copy / name).read_bytes()
        (copy / name).write_bytes(data + end if end else data[:-1])
        assert named(copy) == {name}
        (copy / name).write_bytes(data)


def test_a_deleted_file_is_named_for_every_file_but_the_log(copy):
    for name in files(copy):
        if name == "run.log":
            continue
        data = (copy / name).read_bytes()
        (copy / name).unlink()
        assert named(copy) == {name}
        (copy / name).write_bytes(data)


@pytest.mark.parametrize("name", ["notes.txt", "tables/more.csv", ".hidden", "sub/manifest.json", "figures/run.log"])
def test_an_added_file_is_named(copy, name):
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text("more")
    assert name in named(copy)


def test_an_added_folder_and_a_link_are_named(copy):
    (copy / "empty").mkdir()
    (copy / "linked").symlink_to(copy / "index.html")
    data = (copy / "results.json").read_bytes()
    (copy.parent / "results.json").write_bytes(data)
    (copy / "results.json").unlink()
    (copy / "results.json").symlink_to(copy.parent / "results.json")
    assert named(copy) == {"empty", "linked", "results.json"}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda m: m.update(schema="otrack-risk/manifest/2"), "schema"),
        (lambda m: m.pop("libraries"), "libraries"),
        (lambda m: m["files"][0].update(path="../elsewhere"), "files.0.path"),
        (lambda m: m["files"][0].update(path="/etc/hostname"), "files.0.path"),
        (lambda m: m["files"][0].update(bytes="7"), "files.0.bytes"),
        (lambda m: m["files"][0].update(sha256="AB"), "files.0.sha256"),
        (lambda m: m["parameters"]["given"].update(seed=4), "run_id"),
        (lambda m: m["input"][0].update(sha256="ac"), "run_id"),
        (lambda m: m["tool"].update(dirty=None, commit="0" * 40), "run_id"),
        (lambda m: m["files"].append(m["files"][0]), "twice"),
        (lambda m: m["figures"][0].update(table="tables/none.csv"), "does not list"),
        (lambda m: m["checks"][0].update(passed=False), "check"),
    ],
)
def test_a_manifest_of_another_form_is_refused_also_where_its_own_hash_was_made_anew(copy, change, what):
    manifest = json.loads((copy / "manifest.json").read_text())
    change(manifest)
    (copy / "manifest.json").write_bytes(pack.as_json(pack.sealed(manifest)))
    problems = verify(copy).problems
    assert [problem for path, problem in problems if path == "manifest.json" and what in problem], problems


def test_results_of_another_schema_are_named(copy):
    results = json.loads((copy / "results.json").read_text())
    data = pack.as_json({**results, "schema": "otrack-risk/assess/2"})
    (copy / "results.json").write_bytes(data)
    manifest = json.loads((copy / "manifest.json").read_text())
    entry = next(entry for entry in manifest["files"] if entry["path"] == "results.json")
    entry.update(sha256=pack.hashlib.sha256(data).hexdigest(), bytes=len(data))
    (copy / "manifest.json").write_bytes(pack.as_json(pack.sealed(manifest)))
    assert verify(copy).problems == (("results.json", "is not in the form of otrack-risk/assess/1"),)


def test_a_folder_without_a_manifest_says_so_and_no_folder_is_bad_input(tmp_path):
    assert named(tmp_path) == {"manifest.json"}
    with pytest.raises(FileError, match="nowhere"):
        verify(tmp_path / "nowhere")


def test_the_command_leaves_with_1_and_names_the_file_that_differs(copy):
    said = CliRunner().invoke(cli, ["verify", str(copy)])
    assert said.exit_code == 0, said.output
    (copy / "one.html").write_bytes(b"")
    said = CliRunner().invoke(cli, ["verify", str(copy)])
    assert said.exit_code == 1
    assert "one.html" in said.output
    said = CliRunner().invoke(cli, ["verify", str(copy), "--json"])
    assert said.exit_code == 1
    result = json.loads(said.stdout)["result"]
    assert result["ok"] is False
    assert [problem["path"] for problem in result["problems"]] == ["one.html"]
