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
from otrack_risk.report import identity, pack, page


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
        cell = v4.new_code_cell("result", execution_count=1)
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


@pytest.fixture(autouse=True)
def no_pdf(monkeypatch):
    monkeypatch.setattr(pack, "_pdf", lambda *given: b"%PDF-")  # has tests of its own


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
    assert len(parsed.alts) == 1
    assert "1,204 children in year <7> & more." in parsed.alts[0]


def test_labels_are_escaped(tmp_path):
    written(tmp_path / "r", Heads(label="<script>alert(1)</script>"))
    assert "<script" not in (tmp_path / "r" / "one.html").read_text()


def test_a_small_count_is_hidden_in_every_file_of_the_report(tmp_path):
    written(tmp_path / "r", Heads(children=3))
    result = json.loads((tmp_path / "r" / "results.json").read_text())
    assert result["severity"] == {"children": {"hidden": True, "below": 5}}
    assert "fewer than 5" in (tmp_path / "r" / "tables" / "synthetic-O1-severity.csv").read_text()
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


def test_a_report_to_which_somebody_added_a_file_is_not_replaced(tmp_path):
    written(tmp_path / "r", Heads())
    (tmp_path / "r" / "my notes.txt").write_text("mine")
    with pytest.raises(ReportError, match="my notes"):
        written(tmp_path / "r", Heads(children=9))
    assert (tmp_path / "r" / "my notes.txt").read_text() == "mine"


def test_a_folder_with_some_other_manifest_is_left_alone(tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "a browser extension", "files": []}')
    with pytest.raises(ReportError, match="is not a report"):
        written(tmp_path, Heads())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda notebook: notebook.cells[2].update(execution_count=None), "did not run"),
        (lambda notebook: notebook.cells[2].outputs.append(v4.new_output("error", ename="E", evalue="x")), "failed"),
        (lambda notebook: notebook.cells[0].update(source="# In /home/somebody/pupils"), "lies on a machine"),
        (lambda notebook: notebook.cells[0].update(source=r"# In C:\\Users\\somebody"), "lies on a machine"),
        (lambda notebook: notebook.cells[2].outputs[0]["data"][MIME].update(key="no_such_key"), "no explanation"),
        (lambda notebook: notebook.cells[2].outputs[0]["data"][MIME]["table"].update(rows=[]), "no table"),
        (lambda notebook: notebook.cells[2].outputs[0]["data"][MIME].update(files={"../x": "y"}), "plain name"),
    ],
)
def test_a_check_that_fails_stops_the_report_before_anything_is_written(tmp_path, spoil, said):
    notebook = executed(Heads())
    shown = page.page("one", notebook)
    spoil(notebook)
    pages = [shown] if "failed" in said else [page.page("one", notebook)]
    with pytest.raises(ReportError, match=said):
        pack.write(tmp_path / "r", {"one": notebook}, pages, ABOUT, HEAD, {})
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_the_report_stands_in_no_file_and_a_path_of_the_data_stops_it(tmp_path):
    with pytest.raises(ReportError, match="lies on a machine"):
        written(tmp_path / "r", Heads(label=str(tmp_path / "pupils.csv")))
    written(tmp_path / "r", Heads(label="and/or 1/2 </b> https://example.org/tmpfile"))
    told = [path for path in (tmp_path / "r").rglob("*.*") if str(tmp_path).encode() in path.read_bytes()]
    assert told == []


def test_the_manifest_says_what_made_each_number_what_was_hidden_and_what_was_checked(tmp_path):
    notebook = executed(Heads(children=3), Heads(children=9))
    notebook.cells[2].source = "from otrack_risk import assessment as a\nfound = a.propose(1).published(5)\nfound"
    about = page.About(
        title="A report",
        line="",
        synthetic=True,
        footer=(),
        inputs=({"name": "p", "seen": 5, "rows": 3, "columns": 1, "skipped": 2, "sha256": "ab"},),
    )
    made = identity.identify(about.inputs, {"seed": 4, "data": "a/b/pupils.csv"}, {"one": {"seed": 4, "limit": 3}})
    pack.write(
        tmp_path / "r", {"one": notebook}, [page.page("one", notebook)], about, HEAD, {"loss": "no"}, identity=made
    )
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    first = manifest["figures"][0]
    assert first["function"] == "otrack_risk.assessment.propose"
    assert first["cell"] == "one.ipynb, code cell 1"
    assert first["table"] == "tables/synthetic-O1-severity.csv"
    assert (tmp_path / "r" / first["figure"]).is_file()
    assert "ENISA" in first["source"]
    assert manifest["suppressed"] == {"counts": 1, "by_result": {"O1": 1}}
    assert manifest["skipped"] == {"rows": 2, "by_table": {"p": 2}}
    assert manifest["parameters"]["given"] == {"seed": 4, "data": "pupils.csv"}
    assert manifest["parameters"]["resolved"] == {"one": {"seed": 4, "limit": 3}}
    assert manifest["seeds"] == {"given": 4, "one": 4}
    assert manifest["not_measured"] == {"loss": "no"}
    assert "polars" in manifest["libraries"]
    assert all(check["passed"] for check in manifest["checks"])


def test_the_run_id_depends_on_every_input_parameter_and_line_of_code_and_on_no_folder(tmp_path):
    inputs, given, code = [{"name": "p", "sha256": "ab"}], {"given": {"k": 5}, "resolved": {}}, {"code_sha256": "cd"}
    first = identity.run_id(inputs, given, code)
    # sha256 of the canonical text, put together by hand
    said = (
        '{"code":{"code_sha256":"cd"},"inputs":[{"name":"p","sha256":"ab"}],'
        '"parameters":{"given":{"k":5},"resolved":{}}}'
    )
    assert first == hashlib.sha256(said.encode()).hexdigest()
    others = [
        identity.run_id([{"name": "p", "sha256": "ac"}], given, code),
        identity.run_id(inputs, {"given": {"k": 6}, "resolved": {}}, code),
        identity.run_id(inputs, given, {"code_sha256": "ce"}),
    ]
    assert len({first, *others}) == 4
    ids = []
    for folder, words in (("a", "x = 1"), ("b", "x = 1"), ("c", "x = 2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "scenario.toml").write_text(words)
        asked = {"one": {"scenario": str(tmp_path / folder / "scenario.toml")}}
        ids.append(identity.identify(inputs, {"scenario": tmp_path / folder / "scenario.toml"}, asked).run_id)
    assert ids[0] == ids[1] != ids[2]


def test_the_run_log_alone_tells_when_and_where_and_only_its_owner_may_read_it(tmp_path):
    notebook = executed(Heads())
    began = pack.datetime(2026, 1, 31, 9, tzinfo=pack.UTC)
    for name in ("a", "b"):
        log = pack.RunLog(began if name == "a" else began.replace(hour=17), [("One", 1.5)])
        pack.write(tmp_path / name, {"one": notebook}, [page.page("one", notebook)], ABOUT, HEAD, {}, log=log)
    assert "started 2026-01-31T09:00:00+00:00" in (tmp_path / "a" / "run.log").read_text()
    assert "1.5 s: One" in (tmp_path / "a" / "run.log").read_text()
    assert (tmp_path / "a" / "run.log").stat().st_mode & 0o777 == 0o600
    names = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*")]
    differ = [str(n) for n in names if (tmp_path / "a" / n).read_bytes() != (tmp_path / "b" / n).read_bytes()]
    assert differ == ["run.log"]
