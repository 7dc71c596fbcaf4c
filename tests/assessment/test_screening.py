"""Whether an impact assessment is called for: states by hand, and never that none is needed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otrack_risk import reference, schema
from otrack_risk.assessment.screening import NEEDED, OPEN, dpia_screening, threshold


def states(found) -> dict[str, str]:
    return {each.id: each.state for each in found.criteria}


def test_there_are_nine_criteria_of_wp248_and_ten_types_of_the_ico():
    lists = [entry["list"] for entry in reference.load("screening").entries["criterion"]]
    assert (lists.count("wp248"), lists.count("ico")) == (9, 10)


# Two of WP248: children are vulnerable, and a filled SEN column is special category data.
def test_children_and_special_categories_are_two_criteria_and_propose_an_assessment(bundle, exposed):
    found = dpia_screening(bundle(exposed("sen", children_special_category=12)))
    assert found.met("wp248") == ("Sensitive or highly personal data", "Vulnerable people")
    assert found.proposal == NEEDED
    assert "12" in next(each.evidence for each in found.criteria if each.id == "WP-4")


def test_marks_of_children_are_scoring_and_one_type_of_the_icos_list(bundle, exposed):
    found = dpia_screening(bundle(exposed("assessment")))
    assert states(found)["WP-1"] == "met"
    assert found.met("ico") == ("Targeting of children or other vulnerable people",)
    assert found.proposal == NEEDED


def test_a_list_of_staff_names_meets_nothing_and_a_person_decides(bundle, exposed):
    found = dpia_screening(bundle(exposed("identity", children=0)))
    assert found.met("wp248") == found.met("ico") == ()
    assert found.proposal == OPEN
    assert states(found)["WP-1"] == states(found)["WP-4"] == states(found)["WP-5"] == "not met"


@pytest.mark.parametrize(("total", "state"), [(999, "not met"), (1000, "met"), (None, "a person decides")])
def test_large_scale_begins_at_the_assumed_thousand(bundle, exposed, total, state):
    assert threshold() == 1000
    assert (
        states(dpia_screening(bundle(exposed("identity", total=total, children=None if total is None else 40))))["WP-5"]
        == state
    )


def test_where_people_cannot_all_be_told_apart_the_fewest_decide(bundle, exposed):
    def people(least: int) -> dict[str, object]:
        return {"total": 1800, "children": 1800, "staff": 0, "guardians": 0, "at_least": {"total": least}}

    assert states(dpia_screening(bundle(exposed("identity", people=people(900)))))["WP-5"] == "a person decides"
    assert states(dpia_screening(bundle(exposed("identity", people=people(1000)))))["WP-5"] == "met"


def test_tables_about_children_that_one_kind_of_key_joins_are_counted_and_left_to_a_person(bundle, exposed):
    def about(name: str, kind: str) -> schema.TableSchema:
        return schema.TableSchema(name, "child", "key", False, (schema.Column("key", "direct", kind, "identity"),))

    joined = schema.Catalogue((about("pupils", "upn"), about("marks", "upn"), about("sports", "person_id")))
    found = dpia_screening(bundle(exposed("identity", schools=1), catalogue=joined))
    matching = next(each for each in found.criteria if each.id == "WP-6")
    assert matching.state == "a person decides"
    assert "one kind of key can join: 2; schools: 1" in matching.evidence


def test_what_is_hidden_on_paper_does_not_change_a_state(bundle, exposed):
    found = dpia_screening(bundle(exposed("medical", children_special_category=3), few=("children_special_category",)))
    paper = found.published(5)
    assert states(paper) == states(found)
    assert "fewer than 5" in next(each.evidence for each in paper.criteria if each.id == "WP-4")
    assert not any("stated: 3" in each.evidence for each in paper.criteria)


CATEGORIES = st.sets(st.sampled_from(list(schema.categories())))
NUMBERS = st.one_of(st.none(), st.integers(0, 3000))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=CATEGORIES, children=NUMBERS, total=NUMBERS)
def test_nothing_ever_proposes_that_no_assessment_is_needed(bundle, exposed, held, children, total):
    found = dpia_screening(bundle(exposed(*held, children=children, total=total)))
    assert found.proposal in (NEEDED, OPEN)
    assert found.sentence().startswith("Proposal, for a named person to decide: ")
    assert found.record()["decided_by"] is None
    assert set(states(found).values()) <= {"met", "not met", "a person decides"}


# Fields that are not known at all are never "not met".
def test_what_is_not_known_is_for_a_person(bundle):
    found = dpia_screening(bundle({}))
    assert set(states(found).values()) == {"a person decides"}
