from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import ClassVar

import nbformat.v4 as v4
import polars as pl
import pytest

from otrack_risk.display import figures, tables
from otrack_risk.display.results import MIME, Shown
from otrack_risk.errors import ReportError
from otrack_risk.report import pack, page


@dataclass(frozen=True)
class Heads(Shown):
    key: ClassVar[str] = "severity"
    children: tables.Count = 1204
    label: str = "year <7> & more"

    def sentence(self):
        return f"{tables.written(self.children)} children in {self.label}."

    def table(self):
        return pl.DataFrame({"field": [self.label], "children": [tables.written(self.children)], "filled_share": [0.5]})

    def figure(self):
        return figures.bars([self.label], [self.children], "A title", "children")

    def record(self):
        return {"children": self.children}

    def published(self, hide_below=tables.HIDE_BELOW):
        return Heads(tables.hide(self.children, hide_below), self.label)


def executed(*shown: Shown):
    cells = [v4.new_markdown_cell("# The page\nWords."), v4.new_markdown_cell("## How many?")]
    for result in shown:
        cell = v4.new_code_cell("result")
        cell.outputs = [v4.new_output("display_data", {MIME: result._repr_mimebundle_()[MIME]})]
        cells.append(cell)
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return v4.new_notebook(cells=cells)


ABOUT = page.About(
    title="A report",
    line="as of a day",
    synthetic=True,
    footer=("Proposals.",),
    inputs=({"name": "pupils", "rows": 3, "columns": 2, "skipped": 0, "sha256": "ab"},),
)
HEAD = {"schema": "otrack-risk/assess/1", "tool": {"version": "0"}, "input": [], "parameters": {}}


def written(out, *shown):
    notebook = executed(*shown)
    return pack.write(
        out, {"one": notebook}, [page.page("one", notebook)], ABOUT, HEAD, {"loss": "not in this version"}
    )


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.alts: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found += [
            (name, value or "") for name, value in attrs if name in {"src", "href", "action", "poster", "data"}
        ]
        self.alts += [value or "" for name, value in attrs if tag == "img" and name == "alt"]


def test_a_page_asks_nothing_of_any_network_and_every_picture_has_its_sentence(tmp_path):
    written(tmp_path / "r", Heads())
    for name in ("index.html", "one.html"):
        parsed = Links()
        parsed.feed((tmp_path / "r" / name).read_text())
        assert all(re.match(r"(#|data:image/svg|[a-z_]+\.html)", target) for _, target in parsed.found), parsed.found
        assert "default-src 'none'" in (tmp_path / "r" / name).read_text()
    assert parsed.alts == ["1,204 children in year <7> & more."]


def test_labels_are_escaped(tmp_path):
    written(tmp_path / "r", Heads(label="<script>alert(1)</script>"))
    assert "<script" not in (tmp_path / "r" / "one.html").read_text()


def test_a_small_count_is_hidden_in_every_file_of_the_report(tmp_path):
    written(tmp_path / "r", Heads(children=3))
    result = json.loads((tmp_path / "r" / "results.json").read_text())
    assert result["severity"] == {"children": {"hidden": True, "below": 5}}
    assert "fewer than 5" in (tmp_path / "r" / "tables" / "O1-severity.csv").read_text()
    assert "3 children" not in (tmp_path / "r" / "one.html").read_text()


def test_results_hold_the_contracts_keys_and_each_number_once(tmp_path):
    written(tmp_path / "r", Heads(), Heads(), Heads(children=7))
    result = json.loads((tmp_path / "r" / "results.json").read_text())
    assert {"exposure", "risk", "access", "severity", "notification", "controls", "loss"} <= result.keys()
    assert [entry.get("at") for entry in result["shown"]] == ["severity", "severity", None]
    assert result["shown"][2]["record"] == {"children": 7}
    assert result["loss"] is None
    assert result["not_measured"]["loss"]


def test_the_manifest_names_every_other_file_with_its_hash(tmp_path):
    out = tmp_path / "r"
    written(out, Heads())
    manifest = json.loads((out / "manifest.json").read_text())
    listed = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    found = {
        p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in out.rglob("*") if p.is_file()
    }
    found.pop("manifest.json")
    assert listed == found


def test_the_same_results_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        written(tmp_path / name, Heads())
    assert (tmp_path / "a" / "manifest.json").read_bytes() == (tmp_path / "b" / "manifest.json").read_bytes()


def test_an_earlier_report_is_replaced_and_anything_else_is_left_alone(tmp_path):
    written(tmp_path / "r", Heads())
    written(tmp_path / "r", Heads(children=9))
    assert "9 children" in (tmp_path / "r" / "one.html").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r"]
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "notes.txt").write_text("mine")
    with pytest.raises(ReportError, match="theirs"):
        written(theirs, Heads())
    assert (theirs / "notes.txt").read_text() == "mine"
