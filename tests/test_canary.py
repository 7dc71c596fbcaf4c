"""No byte of a report holds a value of the data: canaries in every cell, then every byte is looked through."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
import zlib
from datetime import date
from pathlib import Path

import polars as pl
import pytest

CANARY = "Qx7Kanari"
TABLES = {
    "pupils": (
        "pupil_id",
        "upn",
        "surname",
        "forename",
        "sex",
        "ethnicity",
        "first_language",
        "sen_need",
        "notes",
        "school_id",
    ),
    "staff": ("staff_id", "surname", "email", "job"),
    "guardians": ("guardian_id", "surname", "phone", "email"),
    "images": ("image_id", "pupil_id", "file_name"),
    "grants": ("account", "role", "category", "verb", "scope", "valid_from", "valid_to"),
    "accounts": ("account", "person_kind", "person_id", "school_id"),
    "anything": ("=cmd|x", "<b>odd</b>", "a, b"),
}


def planted(number: int, column: int) -> str:
    return f"{CANARY}{number % 7}{'abcdefghij'[column]}"


@pytest.fixture(scope="module")
def planted_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("given") / "export"
    folder.mkdir()
    for table, columns in TABLES.items():
        frame = pl.DataFrame({name: [planted(row, place) for row in range(12)] for place, name in enumerate(columns)})
        if table == "pupils":
            frame = frame.with_columns(date_of_birth=pl.date(2012, 1, pl.int_range(1, 13)))
        frame.write_csv(folder / f"{table}.csv")
    return folder


def command(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "otrack_risk", *map(str, arguments)], capture_output=True, text=True, cwd=cwd
    )


def haystack(path: Path) -> bytes:
    """The bytes of a file, and what is packed inside it."""
    content = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            content += b"".join(package.read(name) for name in package.namelist())
    for start in range(len(content) - 1):
        if content[start : start + 2] in (b"\x78\x9c", b"\x78\xda"):
            try:
                content += zlib.decompressobj().decompress(content[start:])
            except zlib.error:
                continue
    return content


def test_no_byte_of_a_report_holds_a_cell_of_the_data(planted_folder, tmp_path):
    done = command("assess", "table_found_open", "--data", planted_folder, "--out", tmp_path / "report", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    files = [path for path in (tmp_path / "report").rglob("*") if path.is_file()]
    assert {".html", ".ipynb", ".svg", ".csv", ".json"} <= {path.suffix for path in files}
    told = [path.name for path in files if CANARY.lower().encode() in haystack(path).lower()]
    assert told == []
    # Nor where this machine keeps anything.
    places = [str(planted_folder.parent), str(tmp_path), str(Path.home())]
    assert [path.name for path in files if any(place.encode() in path.read_bytes() for place in places)] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("profile", "FOLDER"),
        ("profile", "FOLDER", "--json"),
        ("risk", "FOLDER", "--table", "pupils", "--qi", "sex,ethnicity", "--sensitive", "sen_need", "--json"),
        ("exposure", "FOLDER", "--json"),
        ("exposure", "FOLDER"),
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_no_command_prints_a_cell_of_the_data(planted_folder, tmp_path, arguments):
    done = command(*(planted_folder if part == "FOLDER" else part for part in arguments), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    if "--json" in arguments:
        assert json.loads(done.stdout)["schema"] == f"otrack-risk/{arguments[0]}/1"


def test_the_heatmap_names_no_account_and_no_role_of_the_file(planted_folder, tmp_path):
    for suffix in ("svg", "png"):
        target = tmp_path / f"seen.{suffix}"
        done = command(
            "access", planted_folder / "grants.csv", "--heatmap", target, "--as-of", date(2026, 1, 31), cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert CANARY.encode() not in haystack(target) + haystack(target.with_suffix(".csv"))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("ragged.csv", "a,b\n" + f"{CANARY},1,2\n" * 3),
        ("twice.csv", f"a,a\n{CANARY},2\n"),
        ("nul.csv", f"a,b\n{CANARY}\x00,2\n"),
        ("only.csv", "a,b\n"),
        ("empty.csv", ""),
        ("broken.jsonl", f'{{"a": "{CANARY}"\n{{{CANARY}\n'),
        ("broken.xlsx", CANARY),
        ("broken.parquet", f"PAR1{CANARY}PAR1"),
        ("what.docx", CANARY),
    ],
)
def test_bad_input_is_refused_in_two_lines_without_a_cell(tmp_path, file, content):
    (tmp_path / file).write_text(content, encoding="utf-8")
    done = command("exposure", tmp_path / file, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert CANARY not in done.stderr
    assert "Traceback" not in done.stderr
    assert "Mend: " in done.stderr
    assert file in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2


def test_an_unknown_field_is_refused_and_the_fields_are_named(tmp_path):
    (tmp_path / "pupils.csv").write_text("sex,year\nF,7\nM,8\n", encoding="utf-8")
    done = command("risk", tmp_path / "pupils.csv", "--qi", "sex,post_code", cwd=tmp_path)
    assert done.returncode == 2
    assert "post_code" in done.stderr
    assert "sex" in done.stderr


def test_bad_usage_is_code_2_as_well(tmp_path):
    assert command("risk", cwd=tmp_path).returncode == 2
    assert command("nonsense", cwd=tmp_path).returncode == 2
    assert command("assess", "no_such_scenario", "--out", "r", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "r").exists()
