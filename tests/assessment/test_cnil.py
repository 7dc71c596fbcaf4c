"""The exchange file of CNIL's tool: against our schema of its shape, and what a person must fill in."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from otrack_risk.assessment.cnil import FILE, cnil_pia, questions, schema
from otrack_risk.assessment.dpia import seven_steps


@pytest.fixture
def exported(bundle, exposed, granted):
    seen = granted(
        ("teacher", "class_teacher", "safeguarding", "edit", "school"), ("page", "<b>odd</b>", "sen", "view", "all")
    )
    exposure = exposed("sen", children_special_category=30, directly_identified=40, leavers=2, oldest_year=2024)
    return cnil_pia(seven_steps(bundle(exposure, access=seen)))


def test_the_file_fits_the_schema_and_comes_back_as_it_was(exported):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())
    read = json.loads(exported.further_files()[FILE])
    jsonschema.Draft202012Validator(schema()).validate(read)
    assert read == exported.document()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["answers"][-1]["data"].update(gauge=5),
        lambda d: d["answers"][0].update(reference_to=999),
        lambda d: d["answers"][0]["data"].update(text="<script>"),
        lambda d: d["pia"].update(status=7),
        lambda d: d["measures"][0].update(placeholder="knowledge_base.slugs.PIA_NONE.placeholder"),
        lambda d: d.pop("comments"),
    ],
)
def test_the_schema_refuses_what_the_shape_does_not_allow(exported, spoil):
    jsonschema = pytest.importorskip("jsonschema")
    content = exported.document()
    spoil(content)
    assert not jsonschema.Draft202012Validator(schema()).is_valid(content)


# 3 + 3 of context, 5 + 7 of principles, and six of each of three feared events: 36.
def test_every_one_of_thirty_six_questions_is_answered_or_blank_once(exported):
    asked = [answer["reference_to"] for answer in exported.document()["answers"]]
    assert len(asked) == 3 + 3 + 5 + 7 + 3 * 6
    assert tuple(asked) == questions()
    assert schema()["properties"]["answers"]["items"]["properties"]["reference_to"]["enum"] == asked


def test_ids_are_unique_and_point_at_the_assessment(exported):
    content = exported.document()
    entries = [entry for name in ("answers", "measures", "evaluations", "comments") for entry in content[name]]
    ids = [content["pia"]["id"], *(entry["id"] for entry in entries)]
    assert len(set(ids)) == len(ids)
    assert {entry["pia_id"] for entry in entries} == {content["pia"]["id"]}


def test_nothing_is_validated_and_every_moment_is_that_of_the_assessment(exported):
    content = exported.document()
    pia = content["pia"]
    assert (pia["status"], pia["progress"], content["evaluations"]) == (0, 0, [])
    blank = ("author_name", "evaluator_name", "validator_name", "dpo_opinion", "dpos_names", "people_names")
    assert {pia[name] for name in blank} == {""}
    assert (pia["dpo_status"], pia["concerned_people_status"]) == (None, None)
    moments = {
        value for part in ([pia], content["answers"]) for e in part for k, value in e.items() if k.endswith("_at")
    }
    assert moments == {"2026-03-10T00:00:00Z"}


# Very high is the fourth of ENISA's bands; an open page is probable, 4; nothing measures the loss of data.
def test_gauges_follow_the_band_and_the_register_and_what_was_not_measured_is_undefined(exported):
    gauges = {a["reference_to"]: a["data"]["gauge"] for a in exported.document()["answers"]}
    assert (gauges[325], gauges[326]) == (4, 4)
    assert (gauges[335], gauges[336]) == (3, 3)  # significant; possible
    assert (gauges[345], gauges[346]) == (0, 0)
    assert {number for number, gauge in gauges.items() if gauge is not None} == {325, 326, 335, 336, 345, 346}


class Tags(HTMLParser):
    """Every tag of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.add(tag)


def test_no_text_holds_a_tag_but_a_paragraph(exported):
    tags = Tags()
    for answer in exported.document()["answers"]:
        tags.feed(answer["data"]["text"] + "".join(answer["data"]["list"]))
    assert tags.found == {"p"}


def test_what_only_a_person_knows_is_empty(exported):
    texts = {a["reference_to"]: a["data"]["text"] for a in exported.document()["answers"]}
    assert {texts[number] for number in (111, 112, 113, 122, 211, 212, 221, 222, 223, 224, 225, 227)} == {""}
    assert all(texts[number] for number in (121, 123, 213, 214, 215, 226))
