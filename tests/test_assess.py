"""The main job, end to end, on a small synthetic world: what the report holds, and what a browser makes of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = ("index", "breach_impact", "access_permissions", "dpia_evidence", "who_is_singled_out")


def command(*arguments: object, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "otrack_risk", *map(str, arguments)], capture_output=True, text=True, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "primary"
    command("synth", folder, "--preset", "primary", "--seed", 3, "--quiet", cwd=folder.parent)
    return folder


@pytest.fixture(scope="module")
def report(world, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("reports")
    said = command("assess", "table_found_open", "--data", world, "--out", place / "first", "--quiet", cwd=place)
    assert said.strip() == str(place / "first" / "index.html")
    return place / "first"


def people_cells(value: object, key: str = "") -> list[int]:
    """Every count of people by kind, field or role in results.json."""
    named = {"children", "staff", "guardians", "people", "special_category_children", "leavers"}
    if isinstance(value, dict):
        return [cell for name, entry in value.items() for cell in people_cells(entry, name)]
    if isinstance(value, list):
        return [cell for entry in value for cell in people_cells(entry, key)]
    return [value] if key in named and isinstance(value, int) and not isinstance(value, bool) else []


def test_the_report_holds_a_page_and_an_executed_copy_of_every_notebook(report):
    names = {path.name for path in report.iterdir()}
    assert {f"{name}.html" for name in PAGES} <= names
    assert {f"{name}.ipynb" for name in PAGES[1:]} <= names
    assert {"results.json", "manifest.json", "figures", "tables"} <= names


def test_results_say_how_many_children_how_bad_and_whom_to_tell(report, world):
    results = json.loads((report / "results.json").read_text())
    exposed = json.loads(command("exposure", world, "--json", cwd=world.parent))["result"]
    assert exposed["people"]["children"] == 210  # the preset's pupils on roll
    assert results["exposure"]["people"]["children"] == 210
    assert results["exposure"]["records"] == exposed["records"]
    severity = results["severity"]
    assert severity["score"] == severity["dpc"] * severity["ei"] + severity["cb"]
    assert {"rule", "proposal", "deadline", "why", "source"} <= results["notification"][0].keys()
    assert results["risk"]["directly_identified"]["share"] == 1
    assert {entry["page"] for entry in results["shown"]} == set(PAGES[1:])


def test_no_count_of_one_to_four_people_is_published_in_a_cell(report):
    cells = people_cells(json.loads((report / "results.json").read_text()))
    assert len(cells) > 50
    assert [cell for cell in cells if 0 < cell < 5] == []


def test_every_page_of_a_synthetic_world_says_so_first(report):
    for name in PAGES:
        text = (report / f"{name}.html").read_text()
        assert text.index("SYNTHETIC") < text.index("<h1>")


def test_the_same_input_gives_the_same_bytes(report, world):
    place = report.parent
    command("assess", "table_found_open", "--data", world, "--out", place / "second", "--quiet", cwd=place)
    first, second = (
        {
            path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*.*")
            if path.name != "run.log"  # when and where it ran, which is in no other file
        }
        for folder in (report, place / "second")
    )
    assert first == second


@pytest.mark.needs("chromium")
def test_in_a_browser_every_page_opens_from_a_file_asks_for_nothing_and_fits_a_phone(report):
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 375, "height": 800})
        asked: list[str] = []
        faults: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        for name in PAGES:
            asked.clear()
            page.goto((report / f"{name}.html").as_uri())
            assert [url for url in asked if not url.startswith(("data:", (report / name).as_uri()))] == []
            assert page.locator("h1").count() == 1
            assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0 && i.alt)")
            assert page.evaluate("document.documentElement.scrollWidth") <= 375, name
        assert faults == []
        browser.close()
