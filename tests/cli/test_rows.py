"""Files with a line for each person: asked for by name, for their owner's eyes, whole, encrypted where asked."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys

import polars as pl
import pytest
from click.testing import CliRunner

from otrack_risk.cli import cli, rows
from otrack_risk.errors import FileError, ParameterError

pyrage = pytest.importorskip("pyrage")
CANARY = "Qx7Kanari"


@pytest.fixture
def folder(tmp_path):
    years = pl.DataFrame({"year": [7, 7, 8], "sex": ["F", "M", "F"], "id": ["a", "b", "c"]})
    years.with_columns(text=pl.lit(f"{CANARY} rang 07700 900123")).write_csv(tmp_path / "pupils.csv")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def asked(folder, option, name):
    data = folder / "pupils.csv"
    if option == "--records":
        return ["risk", data, "--qi", "year,sex", "--quiet", option, folder / name]
    return ["scan", data, "--text-column", "text", "--model", "none", "--quiet", option, folder / name]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("option", ["--records", "--spans"])
def test_a_row_level_file_is_read_and_written_by_its_owner_alone(folder, option):
    (folder / "out").write_text("an earlier file, open to all")
    (folder / "out").chmod(0o666)
    before = os.umask(0)
    try:
        assert run(*asked(folder, option, "out")).exit_code == 0
    finally:
        os.umask(before)
    assert mode(folder / "out") == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["out", "pupils.csv"]


def test_no_row_level_file_is_written_unless_it_is_named(folder):
    assert run("risk", folder / "pupils.csv", "--qi", "year,sex", "--quiet").exit_code == 0
    assert run("scan", folder / "pupils.csv", "--text-column", "text", "--model", "none", "--quiet").exit_code == 0
    assert [path.name for path in folder.iterdir()] == ["pupils.csv"]


@pytest.mark.parametrize("option", ["--records", "--spans"])
def test_only_the_recipient_reads_an_encrypted_file(folder, option):
    whose = pyrage.x25519.Identity.generate()
    done = run(*asked(folder, option, "out"), "--recipient", str(whose.to_public()))
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in folder.iterdir()) == ["out.age", "pupils.csv"]
    assert mode(folder / "out.age") == 0o600
    sealed = (folder / "out.age").read_bytes()
    assert sealed.startswith(b"age-encryption.org/v1\n")
    content = pyrage.decrypt(sealed, [whose])
    if option == "--records":
        assert pl.read_parquet(io.BytesIO(content))["class_size"].to_list() == [1, 1, 1]
    else:
        assert content.count(b"\n") == 3
        assert b"PHONE" in content
        assert b"PHONE" not in sealed
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(sealed, [pyrage.x25519.Identity.generate()])


def test_a_name_that_ends_in_age_is_kept(tmp_path):
    key = str(pyrage.x25519.Identity.generate().to_public())
    assert rows.place(tmp_path / "r.parquet.age", key, "--records") == tmp_path / "r.parquet.age"
    assert rows.place(None, None, "--records") is None


@pytest.mark.parametrize(
    ("path", "recipient", "said"),
    [(None, "age1x", "nothing to encrypt"), ("r.parquet", "age1bad", "no age public key"), ("r", "", "no age public")],
)
def test_a_recipient_without_a_file_or_that_is_no_key_is_refused_before_any_work(tmp_path, path, recipient, said):
    with pytest.raises(ParameterError, match=said):
        rows.place(path and tmp_path / path, recipient, "--records")


def test_where_pyrage_is_missing_the_message_says_how_to_mend_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(ParameterError, match=r"pyrage.*is not installed(.|\n)*otrack-risk\[sign\]"):
        rows.place(tmp_path / "r.parquet", "age1x", "--records")


def test_a_failure_half_way_leaves_the_earlier_file_and_nothing_beside_it(tmp_path):
    (tmp_path / "spans.jsonl").write_text("earlier\n")

    def lines():
        yield "first"
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  # our own, above
        rows.write_lines(lines(), tmp_path / "spans.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["spans.jsonl"]
    assert (tmp_path / "spans.jsonl").read_text() == "earlier\n"
    with pytest.raises(FileError, match="a folder that exists"):
        rows.write_lines(["x"], tmp_path / "nowhere" / "spans.jsonl")


def test_a_link_that_lies_in_wait_under_the_unfinished_name_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("mine\n")
    (tmp_path / ".spans.jsonl.unfinished").symlink_to(tmp_path / "elsewhere")
    rows.write_lines(["x"], tmp_path / "spans.jsonl")
    assert (tmp_path / "elsewhere").read_text() == "mine\n"
    assert (tmp_path / "spans.jsonl").read_text() == "x\n"


def test_a_killed_command_leaves_nothing_that_others_can_read(tmp_path):
    code = (
        "import os, signal, pathlib\nfrom otrack_risk.cli import rows\n"
        f"def lines():\n    yield '{CANARY}' * 20000\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.umask(0)\nrows.write_lines(lines(), pathlib.Path('spans.jsonl'))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == -9
    assert not (tmp_path / "spans.jsonl").exists()
    assert [mode(path) for path in tmp_path.iterdir()] == [0o600]
