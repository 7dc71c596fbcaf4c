"""No byte of a report holds a value of the data: canaries in every cell, then every byte is looked through."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
import zlib
from datetime import date
from pathlib import Path

import polars as pl
import pypdf
import pytest
from PIL import Image

CANARY = "Qx7Kanari"
DAY = date(2026, 1, 31)
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


LOUD = """
import logging, sys, warnings
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
warnings.simplefilter("always")
from otrack_risk.cli import main
main()
"""


def command(*arguments: object, cwd: Path, temporary: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command with every log and warning on stderr; ``temporary`` is where it keeps passing files."""
    told = {} if temporary is None else {"TMPDIR": str(temporary), "IPYTHONDIR": str(temporary / "ipython")}
    return subprocess.run(
        [sys.executable, "-c", LOUD, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **told},
    )


def haystack(path: Path) -> bytes:
    """The bytes of a file, its name, and what is packed inside it."""
    content = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            content += b"".join(package.read(name) for name in package.namelist())
    packed = []
    for start in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", content):
        try:
            packed.append(zlib.decompressobj().decompress(content[start.start() :]))
        except zlib.error:
            continue
    for picture in re.findall(rb"data:image/[a-z+]+;base64,([A-Za-z0-9+/=]+)", content):
        packed.append(base64.b64decode(picture))
    if path.suffix == ".pdf":
        document = pypdf.PdfReader(path)
        packed.append(str({**(document.metadata or {}), **(document.attachments or {})}).encode())
        packed += [page.extract_text().encode() for page in document.pages]
    return b"\n".join([content, *packed, path.name.encode()])


def holds_a_canary(path: Path) -> bool:
    try:
        return CANARY.lower().encode() in haystack(path).lower()
    except OSError:  # gone already, or a socket
        return CANARY in path.name


class Watch(threading.Thread):
    """Looks through a folder for as long as a command runs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.over = folder, threading.Event()
        self.seen: set[str] = set()
        self.told: set[str] = set()

    def run(self) -> None:
        while not self.over.wait(0.2):
            self.look()

    def look(self) -> None:
        for path in list(self.folder.rglob("*")):
            key = str(path.relative_to(self.folder))
            if CANARY in key or (path.is_file() and holds_a_canary(path)):
                self.told.add(key)
            self.seen.add(key)

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()
        self.look()


def test_no_byte_of_a_report_holds_a_cell_of_the_data(planted_folder, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    arguments = ("assess", "table_found_open", "--data", planted_folder, "--out", tmp_path / "report")
    with Watch(temporary) as watch:
        done = command(*arguments, cwd=tmp_path, temporary=temporary)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    # Passing files: there were some, none held a cell, and none is left.
    assert watch.seen
    assert watch.told == set()
    assert [path.name for path in temporary.rglob("*") if path.is_file() and "ipython" not in path.parts] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report", "temporary"]
    files = [path for path in (tmp_path / "report").rglob("*") if path.is_file()]
    assert {".html", ".ipynb", ".svg", ".csv", ".json"} <= {path.suffix for path in files}
    told = [path.name for path in files if holds_a_canary(path)]
    assert told == []
    for path in files:  # of a notebook, nothing but tags and the kernel's name stands beside the cells
        if path.suffix == ".ipynb":
            notebook = json.loads(path.read_text(encoding="utf-8"))
            assert set(notebook["metadata"]) <= {"kernelspec", "language_info"}
            assert {name for cell in notebook["cells"] for name in cell["metadata"]} <= {"tags"}
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
    target = tmp_path / "seen.svg"  # a PNG is drawn below
    done = command(
        "access", planted_folder / "grants.csv", "--heatmap", target, "--as-of", date(2026, 1, 31), cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert not holds_a_canary(target)
    assert not holds_a_canary(target.with_suffix(".csv"))


@pytest.fixture(scope="module")
def casbin(planted_folder) -> Path:
    """A model and a policy whose every word is planted, and a log of who opened what."""
    folder = planted_folder.parent / "casbin"
    folder.mkdir()
    model = "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[role_definition]\n"
    model += "g = _, _\n[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\n"
    model += "m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act\n"
    (folder / "model.conf").write_text(model)
    lines = [f"p, {planted(n, 1)}, {planted(n, 2)}, {planted(n, 3)}" for n in range(7)]
    lines += [f"g, {planted(n, 0)}, {planted(n, 1)}" for n in range(7)]
    (folder / "policy.csv").write_text("\n".join(lines) + "\n")
    log = pl.DataFrame({name: [planted(n, 0) for n in range(7)] for name in ("account", "category", "verb")})
    log.with_columns(at=pl.lit("2026-01-02T03:04:05")).write_csv(folder / "log.csv")
    return folder


def test_what_is_drawn_of_a_casbin_policy_and_a_log_names_nothing_of_them(casbin, tmp_path):
    target, temporary = tmp_path / "seen.png", tmp_path / "temporary"
    temporary.mkdir()
    given = (
        casbin / "model.conf",
        casbin / "policy.csv",
        "--log",
        casbin / "log.csv",
        "--as-of",
        date(2026, 1, 31),
        "--quiet",
    )
    with Watch(temporary) as watch:
        done = command("access", *given, "--heatmap", target, cwd=tmp_path, temporary=temporary)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stderr
    assert watch.told == set()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seen.csv", "seen.png", "temporary"]
    assert not holds_a_canary(target)
    assert not holds_a_canary(target.with_suffix(".csv"))
    with Image.open(target) as picture:
        assert CANARY not in str(picture.info)


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["words", "json"])
def test_a_scan_prints_no_word_of_the_notes(planted_folder, tmp_path, form):
    (tmp_path / "out").mkdir()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    people = ("--roster", planted_folder / "pupils.csv", "--staff", planted_folder / "staff.csv", "--model", "none")
    given = ("scan", planted_folder / "pupils.csv", "--text-column", "notes", *people, *form)
    with Watch(temporary) as watch:
        done = command(*given, "--spans", tmp_path / "out" / "s.jsonl", cwd=tmp_path, temporary=temporary)
    assert done.returncode == 0, done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert watch.told == set()
    spans = [json.loads(line) for line in (tmp_path / "out" / "s.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(spans) == 12
    assert not any(CANARY in str(part["label"]) for line in spans for part in line["spans"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("risk", "FOLDER/pupils.csv", "--qi", "sex", "--weights", "surname"),
        ("risk", "FOLDER/pupils.csv", "--qi", "sex", "--ordered", f"sex={CANARY}<b", "--sensitive", "sex"),
        ("risk", "FOLDER/pupils.csv", "--qi", "sex", "--population-data", "FOLDER/staff.csv"),
        ("scan", "FOLDER/pupils.csv", "--text-column", "no_such"),
        ("scenario", "check", "FOLDER/pupils.csv"),
        ("access", "FOLDER/pupils.csv"),
    ],
    ids=lambda arguments: " ".join(arguments[:1] + arguments[-2:]).replace(CANARY, "..."),
)
def test_a_refusal_quotes_no_cell(planted_folder, tmp_path, arguments):
    done = command(*(part.replace("FOLDER", str(planted_folder)) for part in arguments), cwd=tmp_path)
    assert done.returncode == 2
    assert CANARY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_that_nobody_foresaw_is_told_without_its_message(planted_folder, tmp_path):
    code = (
        "import sys\nfrom otrack_risk import risk\nfrom otrack_risk.cli import main\n"
        f"def measure(*_, **__):\n    raise ValueError('{CANARY} stood in row 7')\n"
        "risk.measure = measure\nmain()\n"
    )
    given = ["risk", str(planted_folder / "pupils.csv"), "--qi", "sex"]
    done = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "Internal error: ValueError" in done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


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
