from __future__ import annotations

import json
import sys

import click
import polars as pl
import pytest

from otrack_risk import cli, frames
from otrack_risk.assessment import scenario

PUPILS = pl.DataFrame(
    {
        "Surname": ["Ash", "Birch", "Cedar", "Ash"],
        "Year": ["7", "7", "8", "8"],
        "Sex": ["F", "F", "M", "F"],
        "SEN Status": ["K", "N", "K", "K"],
    }
)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["otrack-risk", *map(str, arguments)])
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return command


@pytest.fixture
def pupils(tmp_path):
    frames.write(PUPILS, tmp_path / "pupils.csv")
    return tmp_path / "pupils.csv"


def commands(group: click.Group = cli.cli, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, each in group.commands.items():
        found += commands(each, (*path, name)) if isinstance(each, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_helps_with_an_example_that_is_itself(run, path):
    code, out, _ = run(*path, "--help")
    assert code == 0
    assert f"otrack-risk {' '.join(path)}" in out.split("Example:")[1]


# Year and Sex: (7,F) twice, (8,M), (8,F): three classes of four people; two alone.
def test_risk_prints_one_document_with_the_contracts_keys(run, pupils):
    code, out, _ = run("risk", pupils, "--qi", "Year,Sex", "--sensitive", "SEN Status", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["schema"] == "otrack-risk/risk/1"
    assert document["parameters"]["data"] == "pupils.csv"
    assert document["input"][0]["rows"] == 4
    result = document["result"]
    assert (result["k"], result["classes"], result["uniques"], result["unique_share"]) == (1, 3, 2, 0.5)
    assert result["record_risk"]["mean_per_record"] == 0.75
    assert result["directly_identified"] == {"columns": ["Surname"], "records": 4, "share": 1.0}
    assert result["attackers"]["marketer"]["success_rate"] is None
    assert result["attackers"]["marketer"]["reason"]
    # (7,F) holds K and N: two values; the other two classes hold one each.
    assert result["sensitive"]["SEN Status"]["distinct_l"] == 1
    assert result["sensitive"]["SEN Status"]["homogeneous_records"] == 2


def test_the_same_command_prints_the_same_bytes(run, pupils):
    for command in (("risk", pupils, "--qi", "Year,Sex", "--json"), ("profile", pupils, "--json")):
        assert run(*command) == run(*command)


def test_a_population_may_be_given_in_one_way_only(run, pupils):
    code, out, err = run("risk", pupils, "--qi", "Year", "--population-size", 40, "--sampling-fraction", 0.1)
    assert (code, out) == (2, "")
    assert "exactly one" in err


def test_a_catalogue_is_written_edited_and_obeyed(run, pupils, tmp_path):
    assert run("exposure", pupils, "--json")[0] == 0
    assert json.loads(run("exposure", pupils, "--json")[1])["result"]["people"]["children"] is None
    assert run("profile", pupils, "--write", "catalogue.toml")[0] == 0
    text = (tmp_path / "catalogue.toml").read_text()
    assert "one_row_a_person = false" in text
    (tmp_path / "edited.toml").write_text(text.replace("one_row_a_person = false", "one_row_a_person = true"))
    _, out, _ = run("exposure", pupils, "--catalogue", "edited.toml", "--json")
    assert json.loads(out)["result"]["people"]["children"] == 4


def test_a_workbook_gives_the_table_that_is_named(run, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    frames.write(PUPILS, folder / "pupils.csv")
    frames.write(PUPILS.head(2), folder / "leavers.csv")
    assert run("risk", folder, "--qi", "Year", "--table", "leavers", "--json")[0] == 0
    code, _, err = run("risk", folder, "--qi", "Year")
    assert code == 2
    assert "leavers, pupils" in err


def test_scenarios_are_listed_shown_and_checked(run, tmp_path):
    listed = json.loads(run("scenario", "list", "--json")[1])["result"]["scenarios"]
    assert {"name", "title", "known", "assumed", "unknown"} <= listed[0].keys()
    assert {entry["name"] for entry in listed} == {story.name for story in scenario.builtin()}
    (tmp_path / "ours.toml").write_text(run("scenario", "show", "table_found_open")[1])
    assert run("scenario", "check", "ours.toml")[0] == 0
    (tmp_path / "ours.toml").write_text(run("scenario", "show", "table_found_open")[1] + "\n[extra]\nkey = 1\n")
    code, _, err = run("scenario", "check", "ours.toml")
    assert code == 2
    assert "extra" in err


def test_notebooks_are_listed_and_described_and_an_unknown_parameter_is_refused(run, tmp_path):
    names = [entry["name"] for entry in json.loads(run("notebooks", "list", "--json")[1])["result"]["notebooks"]]
    assert names == ["access_permissions", "breach_impact", "dpia_evidence", "who_is_singled_out"]
    described = json.loads(run("notebooks", "describe", "breach_impact", "--json")[1])["result"]["parameters"]
    assert {"name", "type", "default", "meaning"} == described[0].keys()
    code, _, err = run("notebooks", "run", "breach_impact", "-p", "datset", "x")
    assert code == 2
    assert "datset" in err
    assert list(tmp_path.glob("*.ipynb")) == []


def test_a_world_is_made_and_its_counts_printed(run, tmp_path):
    code, out, _ = run("synth", "world", "--preset", "primary", "--pupils", 60, "--seed", 5, "--json", "--quiet")
    assert code == 0
    assert json.loads(out)["schema"] == "otrack-risk/synth/1"
    assert frames.read(tmp_path / "world", table="pupils").table().kept == 60


def test_access_is_told_for_the_day_that_is_asked(run, tmp_path):
    grants = pl.DataFrame(
        {
            "account": ["a"],
            "role": ["headteacher"],
            "category": ["identity"],
            "verb": ["view"],
            "scope": ["school"],
            "valid_to": ["2026-01-31"],
        }
    )
    frames.write(grants, tmp_path / "grants.csv")
    for day, held in (("2026-01-31", "granted"), ("2026-02-01", "missing")):
        _, out, _ = run("access", "grants.csv", "--as-of", day, "--json")
        document = json.loads(out)
        assert document["parameters"]["as_of"] == day
        states = {(cell["role"], cell["category"], cell["verb"]): cell["state"] for cell in document["result"]["cells"]}
        assert (states.get(("headteacher", "identity", "view")) == "granted") is (held == "granted")


def test_the_doctor_names_what_is_missing_with_its_mend(run):
    parts = json.loads(run("doctor", "--json")[1])["result"]["parts"]
    assert next(part for part in parts if part["part"] == "polars")["version"] == pl.__version__
    assert all(part["mend"] for part in parts)


@pytest.mark.parametrize("arguments", [("risk",), ("nonsense",), ("risk", "x.csv", "--qi", "a", "--threshold", "7")])
def test_bad_usage_is_two_lines_and_code_2(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 2
    assert "Mend: " in err


def test_an_error_of_our_own_making_tells_the_place_and_withholds_its_message(run, monkeypatch, pupils):
    def broken(*_: object) -> None:
        raise ValueError("Ash, Birch")

    monkeypatch.setattr("otrack_risk.profile.profile", broken)
    code, _, err = run("profile", pupils)
    assert code == 2
    assert "ValueError at test_commands.py" in err
    assert "Ash" not in err
