"""The pack is an RO-Crate of the Process Run profile, the same each time, and another program reads it."""

from __future__ import annotations

import hashlib
import json

import pytest
from rocrate.rocrate import ROCrate

from otrack_risk.report import crate, pack
from otrack_risk.report.identity import identify

CONTENT = {"one.html": b"<p>", "one.ipynb": b"{}", "tables/O1-risk.csv": b"a\n1\n", "index.html": b"<h1>"}
MADE_BY = {"one.html": "one", "one.ipynb": "one", "tables/O1-risk.csv": "one"}


@pytest.fixture(scope="module")
def document():
    inputs = [{"name": "pupils", "sha256": "ab" * 32, "rows": 3}, {"name": "a database", "sha256": None}]
    identity = identify(inputs, {"seed": 3}, {"one": {"seed": 3, "dataset": "/somewhere/pupils"}})
    return crate.crate(CONTENT, MADE_BY, "A report", "2026-01-31", identity)


@pytest.fixture(scope="module")
def entities(document):
    return {entity["@id"]: entity for entity in document["@graph"]}


def ids(value) -> list[str]:
    return [entry["@id"] for entry in (value if isinstance(value, list) else [value])]


# The table of requirements at https://w3id.org/ro/wfrun/process/0.6, row by row.
def test_what_the_profile_demands_is_there(document, entities):
    root = entities["./"]
    assert ids(root["conformsTo"]) == ["https://w3id.org/ro/wfrun/process/0.6"]
    assert entities[crate.PROFILE]["@type"] == "CreativeWork"
    assert {"name", "description", "datePublished", "license"} <= root.keys()
    actions = [entity for entity in document["@graph"] if entity["@type"] == "CreateAction"]
    assert sorted(ids(root["mentions"])) == sorted(action["@id"] for action in actions)
    for action in actions:
        assert {"name", "description", "instrument", "object", "result"} <= action.keys()
        assert entities[action["instrument"]["@id"]]["@type"] == "SoftwareApplication"
        assert set(ids(action["object"]) + ids(action["result"])) <= entities.keys()
    assert entities["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.3"}


def test_every_file_is_the_result_of_the_run_that_made_it_with_its_hash(entities):
    by_one = ids(entities["#run-one"]["result"])
    assert sorted(by_one) == ["one.html", "one.ipynb", "tables/O1-risk.csv"]
    assert sorted(ids(entities["#run-report"]["result"])) == ["index.html", "manifest.json"]
    assert ids(entities["#run-report"]["object"]) == ["one.ipynb"]
    for path, data in CONTENT.items():
        assert entities[path]["sha256"] == hashlib.sha256(data).hexdigest()
        assert entities[path]["contentSize"] == str(len(data))


def test_inputs_and_parameters_are_what_the_run_used_and_no_folder_is_told(document, entities):
    used = [entities[name] for name in ids(entities["#run-one"]["object"])]
    assert [entity.get("name") for entity in used] == ["pupils", "a database", "dataset", "seed"]
    assert [entity["value"] for entity in used if entity["@type"] == "PropertyValue"] == ['"pupils"', "3"]
    assert "somewhere" not in json.dumps(document)


def test_no_time_of_the_run_stands_in_it_and_a_second_one_is_the_same(document):
    said = json.dumps(document)
    assert "endTime" not in said
    assert "startTime" not in said
    inputs = [{"name": "pupils", "sha256": "ab" * 32, "rows": 3}, {"name": "a database", "sha256": None}]
    identity = identify(inputs, {"seed": 3}, {"one": {"dataset": "/elsewhere/pupils", "seed": 3}})
    again = crate.crate(dict(reversed(CONTENT.items())), MADE_BY, "A report", "2026-01-31", identity)
    assert pack.as_json(again) == pack.as_json(document)


def test_another_reader_finds_every_file(document, tmp_path):
    for path, data in CONTENT.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "manifest.json").write_bytes(b"{}")
    (tmp_path / crate.NAME).write_bytes(pack.as_json(document))
    read = ROCrate(tmp_path)
    assert read.name == "A report"
    found = {entity.id for entity in read.data_entities}
    assert found == {*CONTENT, "manifest.json"}
