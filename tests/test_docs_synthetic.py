"""The page of the synthetic world: its examples run, and its tables are what its script finds."""

from __future__ import annotations

import re
import shlex
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from otrack_risk import synth
from otrack_risk.cli import cli

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "synthetic.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> Any:
    spec = spec_from_file_location("make_synthetic", DOCS / "make_synthetic.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


def block(name: str) -> str:
    """What stands between two marks of the page."""
    return PAGE.split(f"<!-- begin: {name} -->\n")[1].split(f"\n<!-- end: {name} -->")[0]


def test_every_example_of_the_page_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    held: dict[str, Any] = {}
    examples = re.findall(r"```(sh|python)\n(.*?)```", PAGE, flags=re.DOTALL)
    assert [kind for kind, _ in examples].count("python") == 4
    for kind, words in examples:
        if kind == "python":
            exec(compile(words, "docs/synthetic.md", "exec"), held)
            continue
        for line in words.strip().splitlines():
            program, *given = shlex.split(line)
            assert program == "otrack-risk"
            done = CliRunner().invoke(cli, given)
            assert done.exit_code == 0, done.output
    said = capsys.readouterr().out
    certificate = held["certificate"]
    assert f"{certificate['within']} of {certificate['applied']} figures are within their tolerance" in said
    assert "births of that sex and year" in said  # an effect
    assert held["words"]
    assert all(word and word == word.strip() for word in held["words"])
    assert held["dirt"].height > 0
    assert len(list((tmp_path / "roster").glob("*.zip"))) == 1


def test_the_page_says_none_of_the_words_that_no_page_says():
    assert not re.findall(r"\b(?:safe|safely|anonymous|anonymised|compliant|compliance)\b", PAGE, flags=re.IGNORECASE)


def test_links_of_the_page_lead_to_files():
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (DOCS / link).exists(), link


def test_every_format_has_its_line_on_the_page():
    told = PAGE.split("## Formats")[1].split("## The same again")[0]
    assert set(synth.FORMATS) <= set(re.findall(r"`(\w+)`", told))


# Whoever changes what a seed gives runs `python docs/make_synthetic.py`.
def test_the_class_list_is_that_of_the_present_generator(script):
    layout = script.lay_out(script.planned("otrack"), script.SEED)
    assert block("made with") == script.made_with(layout.plan)
    towns = (script.make_people(layout, number).pupils for number in range(layout.schools.towns))
    assert block("class list") == script.class_list(towns)


@pytest.mark.slow
def test_the_page_and_its_figure_are_what_the_script_writes(script):
    blocks, figure = script.made(script.lay_out(script.planned("otrack"), script.SEED))
    assert {name: block(name) for name in blocks} == blocks
    assert (DOCS / script.FIGURE).read_text(encoding="utf-8") == figure


def test_children_of_the_class_list_were_born_in_its_school_year():
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block("class list").splitlines()[2:]]
    born = pl.Series([row[3] for row in rows]).str.to_date("%d %b %Y")
    assert len(rows) == 28
    assert born.is_between(pl.date(2014, 9, 1), pl.date(2015, 8, 31)).all()
    assert (born.dt.year() == 2014).any()
    assert sorted(row[2] for row in rows) == sorted(row[6] for row in rows)  # as many girls and boys


def test_the_people_of_the_page_are_those_that_the_command_writes(script, tmp_path):
    synth.make("otrack", tmp_path / "world", seed=script.SEED, pupils=600)
    layout = script.lay_out(script.planned("otrack", pupils=600), script.SEED)
    towns = [script.make_people(layout, number).pupils for number in range(layout.schools.towns)]
    assert pl.concat(towns).equals(pl.read_parquet(tmp_path / "world" / "pupils.parquet"))


# Worked by hand: of six children three are Ann, two Bob, one Cy.
def test_names_are_counted_and_the_commonest_hold_their_share(script):
    names = script.counted(pl.Series(["Bob", "Ann", "Cy-Lee", "Ann", "Bob", "Ann"]))
    assert names == script.Names(("Ann", "Bob", "Cy-Lee"), (3, 2, 1), 6, 3)
    assert names.held_by(1) == 3 / 6
    assert names.held_by(2) == 5 / 6
    assert names.among(["Cy-Lee", "Bob", "Dee"]) == 3 / 6
    assert names.joined() == 1 / 6


# Worked by hand: in school 1 Bob is alone, in school 2 Ann and Bob are: 3 of 5.
def test_a_first_name_is_alone_within_its_own_school(script):
    pupils = pl.DataFrame({"school_id": [1, 1, 1, 2, 2], "forename": ["Ann", "Ann", "Bob", "Ann", "Bob"]})
    assert script.alone_in_school(pupils) == pytest.approx(3 / 5)


# ONS, Baby names 2014: Oliver was the commonest boys' name, and ten names were given to 14.7 % of the boys listed.
def test_births_of_2014_are_those_of_the_statistics_office(script):
    boys = script.of_births("M")
    assert boys.names[0] == "Oliver"
    assert boys.held_by(10) == pytest.approx(0.147, abs=0.0005)
    assert script.of_births("F").held_by(10) == pytest.approx(0.1186, abs=0.0005)


def test_only_what_stands_between_the_marks_is_changed(script):
    page = "a\n<!-- begin: x -->\nold\n<!-- end: x -->\nb\n"
    made = script.replaced(page, "x", "new\n")
    assert made == "a\n<!-- begin: x -->\nnew\n<!-- end: x -->\nb\n"
    assert script.replaced(made, "x", "new") == made
