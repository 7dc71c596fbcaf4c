"""Who must be told: proposals from the band, raised by circumstances, never a verdict."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from otrack_risk import reference
from otrack_risk.assessment.duties import notification
from otrack_risk.assessment.severity import propose, severity

AWARE = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
# One severity of each band, worked by hand: 0.25, 2, 3, 4.
LOW, MEDIUM, HIGH, VERY_HIGH = (
    severity(1, 0.25, {}, people=40, unintelligible=False),
    severity(2, 1, {}, people=40, unintelligible=False),
    severity(3, 1, {}, people=40, unintelligible=False),
    severity(4, 1, {}, people=40, unintelligible=False),
)


def asked(found):
    return found.authority, found.people


@pytest.mark.parametrize(
    ("score", "proposed"),
    [(LOW, (False, False)), (MEDIUM, (True, False)), (HIGH, (True, True)), (VERY_HIGH, (True, True))],
)
def test_each_band_has_its_proposal(story, exposed, score, proposed):
    found = notification(story(), score, exposed("identity", children=0))
    assert asked(found) == proposed
    assert found.raised_by == ()


@pytest.mark.parametrize("category", ["safeguarding", "medical", "sen", "contact"])
def test_childrens_health_and_address_data_raise_the_proposal_by_one_step(story, exposed, category):
    assert asked(notification(story(), LOW, exposed(category))) == (True, False)
    assert asked(notification(story(), MEDIUM, exposed(category))) == (True, True)
    assert asked(notification(story(), LOW, exposed(category, children=0))) == (False, False)


def test_childrens_marks_alone_do_not_raise_it(story, exposed):
    assert asked(notification(story(), LOW, exposed("assessment", "identity"))) == (False, False)


def test_positions_in_images_of_children_raise_it(story, exposed):
    record = exposed("identity", images={"files": 9, "with_gps": 2, "linked_to_a_child": 0})
    found = notification(story(), LOW, record)
    assert "positions in images" in found.raised_by[0]


def test_malice_raises_it_and_so_does_not_knowing(story, exposed):
    adults = exposed("identity", children=0)
    assert notification(story(malicious=True), LOW, adults).raised_by == ("malicious intent",)
    unknown = notification(story(malicious="unknown"), LOW, adults)
    assert unknown.raised_by == ("malicious intent (not known, taken as so)",)
    assert asked(unknown) == (True, False)


@pytest.mark.parametrize(("total", "people"), [(999, False), (1000, True), (None, True)])
def test_a_thousand_people_raise_a_medium_band(story, exposed, total, people):
    record = exposed("identity", children=0, total=total)
    assert notification(story(), MEDIUM, record).people is people
    assert notification(story(), LOW, record).authority is False


@pytest.mark.parametrize(("linked", "raised"), [(0, False), (7, True), (None, True)])
def test_images_that_go_with_names_raise_it(story, exposed, linked, raised):
    record = exposed("identity", children=0, images={"files": 9, "linked_to_a_child": linked})
    assert bool(notification(story(), LOW, record).raised_by) is raised


def test_pictures_that_nobody_counted_may_go_with_names(story, exposed):
    record = exposed("identity", children=0, images={"files": None, "linked_to_a_child": None})
    assert notification(story(), LOW, record).raised_by == ("images that go with names (not known, taken as so)",)


def test_positions_in_pictures_of_children_that_nobody_looked_for_may_be_there(story, exposed):
    record = exposed("identity", images={"files": 9, "with_gps": None, "linked_to_a_child": 0})
    assert "(not known, taken as so)" in notification(story(), LOW, record).raised_by[0]
    record["images"]["with_gps"] = 0
    assert notification(story(), LOW, record).raised_by == ()


def test_a_thousand_people_are_not_denied_while_some_are_uncounted(story, exposed):
    record = exposed("identity", children=0, total=999)
    record["people"]["staff"] = None
    assert notification(story(), MEDIUM, record).people is True


def test_several_circumstances_raise_it_by_one_step_only(story, exposed):
    record = exposed("sen", "contact", images={"files": 9, "linked_to_a_child": 9})
    found = notification(story(malicious=True), LOW, record)
    assert len(found.raised_by) == 3
    assert asked(found) == (True, False)


def test_an_exposure_that_nobody_measured_raises_it(story):
    assert asked(notification(story(), LOW)) == (True, False)


@pytest.mark.parametrize("score", [LOW, MEDIUM, HIGH, VERY_HIGH])
def test_every_wording_is_a_proposal_for_a_person_and_no_verdict(story, exposed, score):
    found = notification(story(timeline={"aware_at": AWARE}), score, exposed("identity", children=0))
    assert found.sentence().startswith("Proposal, for a named person to decide: ")
    words = " ".join([found.sentence(), *found.table()["proposal"], *found.table()["why"]]).lower()
    assert not re.search(r"no notification (is )?(needed|required)|need not|safe\b|compliant|anonymous", words)
    record = found.record()
    assert record["decided_by"] is None


def test_rules_carry_deadline_state_source_and_ground(story, exposed):
    found = notification(story(timeline={"aware_at": AWARE}), VERY_HIGH, exposed("sen"))
    rules = {rule["rule"]: rule for rule in found.record()["rules"]}
    assert list(rules) == ["UK-33-1", "UK-33-2", "UK-33-3", "UK-33-5", "UK-34-1", "UK-35"]
    first = rules["UK-33-1"]
    assert first["deadline"] == "2026-03-12T09:00:00+00:00"
    assert (first["kind"], first["state"]) == ("CALC", "due")
    assert "Article 33(1)" in first["source"]
    assert "4 x 1 + 0 = 4, very high" in first["why"]
    for rule in rules.values():
        assert {"rule", "proposal", "deadline", "why", "source"} <= set(rule)
        assert rule["deadline"] is not None or rule["reason"]
        assert rule["why"]


def test_the_law_names_no_hours_for_telling_people(story, exposed):
    open_, told = (
        {r["rule"]: r for r in notification(story(timeline=t), HIGH, exposed("sen")).record()["rules"]}["UK-34-1"]
        for t in ({"aware_at": AWARE}, {"aware_at": AWARE, "people_notified_at": AWARE + timedelta(hours=5)})
    )
    assert (open_["deadline"], open_["state"]) == (None, "open")
    assert "no hours" in open_["reason"]
    assert told["state"] == "done"
    assert "Monday 2026-03-09 14:00 UTC" in told["why"]


def test_grounds_for_not_writing_are_asked_for_only_where_the_data_may_be_unreadable(story, exposed):
    for unintelligible, listed in ((True, True), (None, True), (False, False)):
        found = notification(story(), severity(4, 1, {}, unintelligible=unintelligible), exposed("sen"))
        assert ("UK-34-3" in [duty.rule for duty in found.duties]) is listed
        assert found.people  # encryption does not lower the proposal by itself


@pytest.mark.parametrize(("hours", "state"), [(24, "met"), (25, "late"), (-1, "ask")])
def test_a_supplier_has_the_hours_of_its_contract(story, exposed, hours, state):
    timeline = {"processor_aware_at": AWARE - timedelta(hours=hours), "aware_at": AWARE}
    duty = next(d for d in notification(story(timeline=timeline), LOW, exposed("sen")).duties if d.rule == "UK-33-2")
    assert duty.state == state


def test_a_supplier_of_whom_nothing_is_known_is_unknown(story, exposed):
    for timeline in ({"aware_at": AWARE}, {"processor_aware_at": AWARE}):
        found = notification(story(timeline=timeline), LOW, exposed("sen"))
        duty = next(duty for duty in found.duties if duty.rule == "UK-33-2")
        assert (duty.state, duty.deadline) == ("unknown", None)


def test_a_table_past_its_review_day_is_said_to_be_so(story, exposed):
    law = reference.load("law_uk")
    day = datetime.combine(law.review_by, datetime.min.time(), tzinfo=UTC)
    assert notification(story(as_of=day), LOW, exposed("sen")).notes == ()
    late = notification(story(as_of=day + timedelta(days=1)), LOW, exposed("sen"))
    assert any(law.title in note for note in late.notes)
    assert "check it before relying on it" in late.sentence()


def test_every_band_has_one_proposal_and_every_rule_its_own_source():
    law = reference.load("law_uk")
    bands = [entry["name"] for entry in reference.load("severity_enisa").entries["band"]]
    assert [entry["band"] for entry in law.entries["proposal"]] == bands
    assert all(rule["source"] and rule["kind"] in ("CHECK", "CALC", "PROMPT") for rule in law.entries["rule"])


# No circumstance and no number of people may make less be proposed.
def test_knowing_less_never_proposes_less(story, exposed, measured):
    whole = exposed("identity", children=0)
    found = propose(story(access="no_evidence"), whole, measured({40: 40}))
    for missing in ("people", "fields", "images"):
        part = {key: value for key, value in whole.items() if key != missing}
        less = propose(story(access="no_evidence"), part, measured({40: 40}))
        assert less.score >= found.score
        assert asked(notification(story(), less, part)) >= asked(notification(story(), found, whole))
