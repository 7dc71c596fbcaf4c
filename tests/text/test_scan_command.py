"""The command on free text: the contract's document and lines, refusals, and nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from otrack_risk.cli import cli
from otrack_risk.text.spans import LABELS

NOTES = ["Daisy Holt: asthma, inhaler in tray.", "Ms Tranter rang.", "Wet play.", "emeka late"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pl.DataFrame({"id": ["a", "b", "c", "d"], "text": NOTES}).write_csv(tmp_path / "notes.csv")
    pl.DataFrame({"forename": ["Daisy", "Emeka"], "surname": ["Holt", "Obi"]}).write_csv(tmp_path / "pupils.csv")
    pl.DataFrame({"title": ["Ms"], "surname": ["Tranter"], "forename": ["Ruth"]}).write_csv(tmp_path / "staff.csv")
    return tmp_path


def run(folder: Path, *more: str, ask: str = "text") -> Result:
    return CliRunner().invoke(cli, ["scan", str(folder / "notes.csv"), "--text-column", ask, "--quiet", *more])


def people(folder: Path) -> list[str]:
    return ["--roster", str(folder / "pupils.csv"), "--staff", str(folder / "staff.csv"), "--model", "none"]


def test_the_document_has_the_keys_of_the_contract(folder):
    done = run(folder, *people(folder), "--json")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["schema"] == "otrack-risk/scan/1"
    result = document["result"]
    assert result["documents"] == 4
    assert result["documents_with_personal_data"] == 3
    assert result["spans_by_label"] == {"PERSON": 3, "HEALTH_SEND": 1}
    assert result["subjects_named"] == 2
    assert result["subjects_with_special_category"] == 1
    assert result["model"] == "none"
    assert [each["name"] for each in document["input"]] == ["notes", "pupils", "staff"]
    assert document["parameters"]["roster"] == "pupils.csv"


def test_the_same_input_and_seed_give_the_same_bytes(folder):
    assert run(folder, *people(folder), "--json").stdout == run(folder, *people(folder), "--json").stdout


def test_spans_are_one_object_a_note_with_places_in_code_points(folder):
    out = folder / "spans.jsonl"
    assert run(folder, *people(folder), "--spans", str(out)).exit_code == 0
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["a", "b", "c", "d"]
    said = [[(NOTES[n][s["start"] : s["end"]], s["label"]) for s in line["spans"]] for n, line in enumerate(lines)]
    assert said[0][0] == ("Daisy Holt", "PERSON")
    assert said[1] == [("Ms Tranter", "PERSON")]
    assert said[2] == []
    assert lines[3]["spans"][0]["subjects"] == [1]
    for line in lines:
        assert set(line) == {"id", "spans"}
        for span in line["spans"]:
            assert set(span) == {"start", "end", "label", "score", "subjects"}
            assert span["label"] in LABELS


def test_no_word_of_a_note_and_no_name_is_printed(folder):
    for way in (["--json"], []):
        shown = run(folder, *people(folder), *way)
        assert not {"Daisy", "Holt", "Emeka", "Tranter", "inhaler", "asthma"} & set(
            shown.output.replace('"', " ").split()
        )


def test_without_a_roster_children_are_null_with_a_reason(folder):
    result = json.loads(run(folder, "--json", "--model", "none").stdout)["result"]
    assert result["subjects_named"] is None
    assert result["reason"]
    assert result["spans_by_label"]["HEALTH_SEND"] == 1


def refused(done: Result) -> str:
    assert done.exception is not None
    assert done.stdout == ""
    return str(done.exception)


def test_bad_input_is_refused_and_leaves_no_file(folder):
    out = folder / "spans.jsonl"
    assert "'note' is not a field" in refused(run(folder, *people(folder), "--spans", str(out), ask="note"))
    assert "no column of names" in refused(run(folder, "--roster", str(folder / "notes.csv"), "--spans", str(out)))
    assert "--roster" in refused(run(folder, "--staff", str(folder / "staff.csv")))
    assert "cannot be written" in refused(run(folder, *people(folder), "--spans", str(folder / "none" / "s.jsonl")))
    assert not out.exists()
    assert sorted(path.name for path in folder.iterdir()) == ["notes.csv", "pupils.csv", "staff.csv"]


def test_a_model_that_is_not_installed_is_refused_with_the_mend(folder):
    said = refused(run(folder, *people(folder)[:-1], "no_such_pipeline"))
    assert "model" in said
    assert "none" in said
