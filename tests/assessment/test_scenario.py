"""A scenario file: every key is checked, and known, assumed and unknown stay apart."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from otrack_risk import reference
from otrack_risk.assessment import scenario
from otrack_risk.assessment.enisa import CIRCUMSTANCES
from otrack_risk.assessment.facts import scenario_facts, scenario_list
from otrack_risk.assessment.severity import ELEMENTS
from otrack_risk.errors import ParameterError
from otrack_risk.schema import Column, TableSchema

HEAD = 'name = "mine"\ntitle = "Mine"\nas_of = 2026-03-10T12:00:00Z\njurisdiction = "uk"\n'


def write(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "mine.toml"
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_scenario_of_four_keys_knows_nothing_else(tmp_path):
    read = scenario.read(write(tmp_path))
    assert (read.access, read.malicious, read.controls.unintelligible) == ("unknown", "unknown", "unknown")
    assert read.timeline.given() == {}
    # eight times, five settings, and whether the data can be read
    facts = scenario_facts(read)
    assert (facts.count("known"), facts.count("assumed"), facts.count("unknown")) == (0, 0, 14)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["colour = 3"], "colour is not a key of a scenario"),
        (["[timeline]", "noticed_at = 2026-03-01T00:00:00Z"], "timeline.noticed_at is not a key"),
        (['cause = "gremlins"'], "cause: Input should be 'open_storage'"),
        (['malicious = "perhaps"'], "malicious: Input should be True, False or 'unknown'"),
        (["[timeline]", "aware_at = 2026-03-01T09:00:00"], "timeline.aware_at: a time needs its zone"),
        (["[timeline]", "aware_at = 2026-03-01"], "timeline.aware_at: a time is written with its zone"),
        (["[timeline]", 'aware_at = "2026-03-01T09:00:00Z"'], "timeline.aware_at: a time is written with its zone"),
        (["[timeline]", "aware_at = 1772355600"], "timeline.aware_at: a time is written with its zone"),
        (
            ["[timeline]", "detected_at = 2026-03-01T09:00:00Z", "aware_at = 2026-03-01T08:59:59Z"],
            "timeline: aware_at is before detected_at",
        ),
        (["[timeline]", "aware_at = 2026-03-10T12:00:01Z"], "timeline.aware_at is after as_of"),
        (["[timeline]", 'status = "assumed"'], "timeline: status = 'assumed' needs `because`"),
        (["[controls]", "unintelligible = true"], "controls: unintelligible = true needs `because`"),
        (["[[attacker]]", 'name = "a"', 'label = "A"', "knows = []"], "attacker[1].knows is empty"),
        (["[[attacker]]", 'name = "A parent"', 'label = "A"', 'knows = ["sex"]'], "attacker[1].name: small letters"),
        (["[severity.dpc]", 'class = "simple"', "adjustment = 3"], "severity.dpc.reason is missing"),
        (["[severity.dpc]", 'class = "simple"', "adjustment = 3", 'reason = ""'], "severity.dpc.reason is empty"),
        (["[severity.dpc]", 'class = "simple"', "adjustment = -1", 'reason = "x"'], "do not allow this adjustment"),
        (["[severity.ei]", "level = 0.6", 'reason = "x"'], "severity.ei: level is one of 0.25, 0.5, 0.75, 1"),
        (["[data]", 'preset = "otrack"', "seed = 1.5"], "data.seed"),
        (['letter = "l.toml"', "[data]", 'preset = "otrack"', "seed = 1"], "data and letter"),
        (["[[fact]]", 'about = "x"', 'status = "known"', 'value = "y"'], "fact[1]: a fact that is known needs"),
        (["[[fact]]", 'about = "x"', 'status = "unknown"', 'value = "y"'], "fact[1]: an unknown fact has no value"),
        (
            ["[[fact]]", 'about = "x"', 'status = "unknown"', "[[fact]]", 'about = "x"', 'status = "unknown"'],
            "two entries of [[fact]] have the same name",
        ),
        (['reachable = ["pupils"]'], "reachable is a table with keys of its own"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_name_of_its_key(tmp_path, lines, message):
    with pytest.raises(ParameterError) as refused:
        scenario.read(write(tmp_path, *lines))
    assert message in str(refused.value)
    assert "scenario 'mine.toml'" in str(refused.value)
    assert str(tmp_path) not in str(refused.value)
    assert refused.value.__context__ is None  # no second traceback that might quote the file


def test_every_missing_key_is_named_and_a_long_list_is_counted():
    with pytest.raises(ParameterError, match="name is missing; title is missing; as_of is missing; jurisdiction is"):
        scenario.check({})
    with pytest.raises(ParameterError, match="and 2 more"):
        scenario.check({"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name = ", "is not TOML"),
        (b'title = "caf\xe9"\n', "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_toml_text_is_refused(tmp_path, content, message):
    (path := tmp_path / "mine.toml").write_bytes(content)
    with pytest.raises(ParameterError, match=message):
        scenario.read(path)


def test_a_name_that_is_neither_built_in_nor_a_file_is_refused_with_the_names_there_are(tmp_path):
    for absent in ("no_such_scenario", tmp_path / "absent.toml", tmp_path):
        with pytest.raises(ParameterError) as refused:
            scenario.read(absent)
        assert "otrack_2024, table_found_open" in refused.value.mend
        assert str(tmp_path) not in str(refused.value)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (path := tmp_path / "mine.toml").write_text(HEAD, encoding="utf-8-sig")
    assert scenario.read(path).name == "mine"


def test_the_settings_of_a_scenario_are_those_of_the_severity_table():
    entries = reference.load("severity_enisa").entries["circumstance"]
    for setting, element in ELEMENTS.items():
        allowed = set(get_args(scenario.Scenario.model_fields[setting].annotation)) - {"unknown"}
        named = {{True: "yes", False: "no"}.get(value, value) for value in allowed}
        assert named == {entry["name"] for entry in entries if entry["element"] == element}
    assert set(ELEMENTS.values()) == set(CIRCUMSTANCES)


def test_reachable_tables_and_columns_are_those_not_left_out(story):
    part = story(reachable={"tables": ["pupils", "staff"], "columns_left_out": ["upn", "staff.email"]})
    held = {"pupils": ["upn", "email", "sex"], "grants": ["account"], "staff": ["upn", "email", "job"]}
    assert part.reach(held) == {"pupils": ["email", "sex"], "staff": ["job"]}
    assert story().reach(held) == held
    with pytest.raises(ParameterError, match="names none of the tables"):
        part.reach({"my_export": ["upn"]})


def test_an_attacker_knows_columns_by_name_or_by_kind(story):
    knowing = story(attacker=[{"name": "parent", "label": "A parent", "knows": ["year_group", "date_of_birth"]}])
    columns = (
        Column("dob", "quasi", "date_of_birth", "identity"),
        Column("sex", "quasi", "sex", "identity"),
        Column("year_group", "quasi", "number", "identity"),
    )
    table = TableSchema("pupils", "child", None, True, columns)
    assert knowing.attackers[0].columns(table) == ["dob", "year_group"]


def test_a_letter_lies_beside_the_scenario_file(tmp_path):
    assert scenario.read(write(tmp_path, 'letter = "letter.toml"')).letter_path() == tmp_path / "letter.toml"
    assert scenario.read("otrack_2024").letter_path() is None


def test_times_of_other_zones_stand_in_utc_and_in_order(tmp_path):
    lines = ["[timeline]", "aware_at = 2026-03-01T10:00:00+01:00", "detected_at = 2026-03-01T08:30:00Z"]
    given = scenario.read(write(tmp_path, *lines)).timeline.given()
    assert list(given.items()) == [
        ("detected_at", datetime(2026, 3, 1, 8, 30, tzinfo=UTC)),
        ("aware_at", datetime(2026, 3, 1, 9, 0, tzinfo=UTC)),
    ]


def test_counts_of_facts_are_of_the_file_the_times_and_the_open_settings(tmp_path):
    lines = [
        'access = "unknown_public"',
        "[controls]",
        "unintelligible = false",
        "[timeline]",
        "aware_at = 2026-03-01T09:00:00Z",
        "[[fact]]",
        'about = "Records"',
        'value = "12"',
        'status = "known"',
        'source = "the letter"',
    ]
    facts = scenario_facts(scenario.read(write(tmp_path, *lines)))
    # known: the fact and one time; unknown: seven times, and cause, malice, integrity, availability
    assert facts.summary() == {"name": "mine", "title": "Mine", "known": 2, "assumed": 0, "unknown": 11}
    assert "of 13 facts 2 are known" in facts.sentence()
    rows = {row["about"]: row for row in facts.table().iter_rows(named=True)}
    assert rows["Records"]["source"] == "the letter"
    assert rows["Controller aware"]["value"] == "Sunday 2026-03-01 09:00 UTC"
    assert rows["Contained"]["value"] is None
    recorded = next(fact for fact in facts.record()["facts"] if fact["about"] == "Contained")
    assert (recorded["value"], recorded["reason"]) == (None, "not known")


def test_the_list_of_scenarios_has_the_keys_of_the_contract():
    listed = scenario_list(scenario.builtin())
    for entry in listed.record()["scenarios"]:
        assert list(entry) == ["name", "title", "known", "assumed", "unknown"]
    assert listed.table()["name"].to_list() == ["otrack_2024", "table_found_open"]


@pytest.mark.parametrize("name", ["otrack_2024", "table_found_open"])
def test_a_built_in_scenario_is_named_as_its_file_and_can_be_shown(name):
    assert scenario.read(name).name == name
    assert f'name = "{name}"' in scenario.text(name)


def test_otrack_states_as_known_what_is_published_and_nothing_that_was_not_found():
    facts = {fact.about: fact for fact in scenario.read("otrack_2024").facts}
    assert "864,603" in facts["Records"].value
    assert "214,000" in facts["Images of children"].value
    assert facts["Records"].status == facts["Images of children"].status == "known"
    for about in (
        "How long it was open",
        "Size in bytes",
        "Names of folders and kinds of files",
        "File names of the images",
        "Number of schools",
        "Number of distinct pupils",
        "A statement by the supplier",
        "What the regulator decided",
    ):
        assert facts[about].status == "unknown", about
    assert facts["Number of people in the data"].status == "assumed"


def test_the_times_of_otrack_are_marked_as_assumed():
    facts = scenario_facts(scenario.read("otrack_2024"))
    times = {fact.about: fact.status for fact in facts.facts if fact.about in scenario.TIMES.values()}
    assert times["Controller aware"] == times["Detected"] == "assumed"
    assert "known" not in times.values()


def test_the_package_of_assessment_is_light_until_something_is_asked_of_it():
    code = (
        "import sys; from otrack_risk import assessment; assert 'pydantic' not in sys.modules; "
        "assessment.read_scenario('otrack_2024'); assert 'pydantic' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
