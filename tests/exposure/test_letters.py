"""Six fields and a head-count give a whole first page, marked as modelled."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from otrack_risk.display import tables
from otrack_risk.exposure import exposure_from_letter, exposure_scope
from otrack_risk.frames.letter import Letter


def field(name: str, category: str, role: str, **more: Any) -> dict[str, Any]:
    return {"table": "pupils", "name": name, "category": category, "role": role} | more


def a_letter(*fields: dict[str, Any], **more: Any) -> Letter:
    head = {"supplier": "Example Learning Ltd", "system": "Tracker", "dated": date(2026, 1, 12)}
    return Letter(**head, field=fields, **more)


SIX = (
    field("upn", "identity", "direct", filled_share=1.0),
    field("surname", "identity", "direct", people=900),
    field("date_of_birth", "identity", "quasi", filled_share=1.0),
    field("sen_need", "sen", "sensitive", filled_share=0.15),
    field("medical_condition", "medical", "sensitive", people=60),
    {"table": "contacts", "name": "phone", "category": "contact", "role": "direct", "people": 1000},
)


# 0.15 x 900 = 135 children with a need, 60 with a condition: at least 135 and at most 195 with either.
# 900 named by UPN or surname (1,800 in sum, but there are only 900), and 1,000 guardians by phone.
def test_six_fields_and_a_head_count_give_a_whole_record_marked_as_modelled() -> None:
    told = a_letter(*SIX, people={"children": 900, "guardians": 1100, "staff": 0}, records=12400, files=355, images=310)
    record = exposure_from_letter(told).record()
    assert record["status"] == "modelled"
    assert (record["records"], record["files"], record["images"]["files"]) == (12400, 355, 310)
    assert (record["people"]["total"], record["people"]["children"], record["people"]["staff"]) == (2000, 900, 0)
    assert [entry["people"] for entry in record["fields"]] == [900, 900, 900, 135, 60, 1000]
    assert (record["at_least"]["children_special_category"], record["children_special_category"]) == (135, 195)
    assert record["directly_identified"] == 900 + 1000
    assert record["directly_identified_share"] == 1900 / 2000
    assert record["leavers"] is None
    assert "Modelled" in record["reason"]


def test_it_has_every_key_that_a_measured_exposure_has(school: Any, catalogue: Any) -> None:
    measured = exposure_scope(school, catalogue).record()
    modelled = exposure_from_letter(a_letter(*SIX, people={"children": 900})).record()
    assert measured.keys() <= modelled.keys()
    assert measured["people"].keys() <= modelled["people"].keys()
    assert measured["images"].keys() <= modelled["images"].keys()


def test_whoever_the_letter_does_not_count_is_unknown_and_not_nobody() -> None:
    record = exposure_from_letter(a_letter(*SIX, people={"children": 900})).record()
    assert record["people"]["guardians"] is None
    assert record["people"]["staff"] is None
    assert record["people"]["at_least"] == {"guardians": 1000}  # phones of a thousand
    assert record["people"]["uncountable"] is None
    assert record["people"]["reason"]


def test_a_letter_of_fields_alone_gives_no_number_and_says_why() -> None:
    scope = exposure_from_letter(a_letter(field("upn", "identity", "direct"), field("need", "sen", "sensitive")))
    record = scope.record()
    assert record["people"]["total"] is record["directly_identified"] is record["children_special_category"] is None
    assert record["records"] is None
    assert {"directly_identified", "children_special_category", "schools"} <= record["reasons"].keys()
    assert all(entry["reason"] for entry in record["fields"])
    assert "an unknown number of records" in scope.sentence()


# Nobody says how full "need" is, so it may be all 900; nobody says it is any.
def test_a_field_of_which_nothing_is_said_may_be_about_everybody_or_nobody() -> None:
    scope = exposure_from_letter(a_letter(field("need", "sen", "sensitive"), people={"children": 900}))
    assert scope.children_special_category == 900
    assert scope.at_least["children_special_category"] == 0
    assert "0 to 900 children" in scope.sentence()


def test_what_a_letter_does_not_name_was_not_looked_for() -> None:
    record = exposure_from_letter(a_letter(field("age", "identity", "quasi"), people={"children": 90})).record()
    assert {entry["state"] for entry in record["looked_for"]} == {"not looked for"}
    assert record["directly_identified"] is None
    assert record["children_special_category"] is None


def test_an_assumed_field_says_so_with_its_ground() -> None:
    ground = "the letter says health information"
    assumed = field("condition", "medical", "sensitive", status="assumed", because=ground, people=40)
    entry = exposure_from_letter(a_letter(assumed, people={"children": 90})).record()["fields"][0]
    assert entry["reason"].startswith(f"Assumed: {ground}.")


@pytest.mark.parametrize(
    ("table", "people"), [("pupils", 90), ("staff", 20), ("Parents and carers", 50), ("teachers", 20), ("list 1", 90)]
)
def test_a_share_is_of_the_people_whom_the_name_of_the_list_tells(table: str, people: int) -> None:
    told = field("surname", "identity", "direct", filled_share=1.0) | {"table": table}
    counted = {"children": 90, "staff": 20, "guardians": 50}
    assert exposure_from_letter(a_letter(told, people=counted)).fields[0].people == people


def test_small_numbers_of_a_letter_are_hidden_on_paper() -> None:
    told = a_letter(*SIX[:3], field("need", "sen", "sensitive", people=3), people={"children": 900})
    scope = exposure_from_letter(told).published(5)
    assert scope.children_special_category == tables.Hidden(5)
    assert scope.fields[3].people == tables.Hidden(5)
    assert "fewer than 5 children" in scope.sentence()
