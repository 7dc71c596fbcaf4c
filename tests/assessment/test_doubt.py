"""What is not known, and whether the answer would change."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from otrack_risk.assessment.doubt import unknowns
from otrack_risk.assessment.scenario import TIMES, read

AWARE = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
ALL_TIMES = dict.fromkeys(TIMES, AWARE)


def answers(found):
    return {entry.what: entry.changes for entry in found.unknowns}


# Adults' names in one class of 40: 1 x 0.25 + 0.25 = 0.5, and no single step reaches 2.
def test_where_everything_is_known_only_the_doubt_of_the_score_is_left(story, exposed, measured):
    found = unknowns(story(timeline=ALL_TIMES), exposed("identity", children=0), measured({40: 40}))
    assert answers(found) == {"One step of doubt in any one input of the severity": False}


# Sensitive data, one class of three: 4 x 0.5 + 0.25 = 2.25, medium. DPC 3 -> 1.75; EI 0.25 -> 1.25, EI 0.75 -> 3.25.
# C 0 -> 2, C 0.5 -> 2.5, I, A 0.25 -> 2.5, M 0.5 -> 2.75: medium still.
def test_each_step_that_turns_the_band_is_named_with_what_it_does_to_the_proposal(story, exposed, measured):
    found = unknowns(story(timeline=ALL_TIMES), exposed("ethnicity"), measured({3: 40}))
    rows = {entry.what: entry for entry in found.unknowns}
    assert set(rows) == {
        "One step of doubt in dpc: 3",
        "One step of doubt in ei: 0.25",
        "One step of doubt in ei: 0.75",
    }
    assert rows["One step of doubt in ei: 0.75"].how == "severity 3.25, high; what is proposed changes"


# As above with malice unknown, taken as 0.5: 1 x 0.25 + 0.25 + 0.5 = 1; without malice 0.5: low either way.
def test_an_unknown_setting_is_tried_with_every_value_of_its_scale(story, exposed, measured):
    scenario = story(timeline=ALL_TIMES, malicious="unknown")
    found = unknowns(scenario, exposed("identity", children=0), measured({40: 40}))
    assert answers(found)["Malicious intent"] is False
    # sensitive, in a class of three: 4 x 0.5 + 0.25 + 0.5 = 2.75, without malice 2.25: medium either way
    assert answers(unknowns(scenario, exposed("ethnicity"), measured({3: 40})))["Malicious intent"] is False
    # access unknown taken as 0.5: 4 x 0.75 + 0.5 = 3.5 (class of two), with none 3: high either way
    scenario = story(timeline=ALL_TIMES, access="unknown", malicious=True)
    found = unknowns(scenario, exposed("ethnicity"), measured({2: 40}))
    # with malice 4 x 0.75 + 0.5 + 0.5 = 4, very high; access 0 gives 3.5, high
    assert answers(found)["Who could obtain the data"] is True


def test_the_moment_of_awareness_changes_the_answer(story, exposed, measured):
    without = {name: time for name, time in ALL_TIMES.items() if name != "aware_at"}
    found = unknowns(story(timeline=without), exposed("identity", children=0), measured({40: 40}))
    assert answers(found)["Controller aware"] is True
    assumed = ALL_TIMES | {"status": "assumed", "because": "an exercise"}
    found = unknowns(story(timeline=assumed), exposed("identity", children=0), measured({40: 40}))
    assert answers(found)["Controller aware (assumed)"] is True


def test_times_that_no_clock_needs_do_not_change_it(story, exposed, measured):
    without = {name: time for name, time in ALL_TIMES.items() if name not in ("contained_at", "occurred_to")}
    found = unknowns(story(timeline=without), exposed("identity", children=0), measured({40: 40}))
    assert answers(found)["Exposed until, Contained"] is False


# 999 people or none: medium, the regulator; 1,000 or more: the people as well. At a low band it makes no difference.
def test_the_number_of_people_matters_where_it_changes_what_is_proposed(story, exposed, measured):
    record = exposed("ethnicity", total=None)
    assert answers(unknowns(story(timeline=ALL_TIMES), record, measured({3: 40})))["Number of people"] is True
    record = exposed("identity", children=0, total=None)
    assert answers(unknowns(story(timeline=ALL_TIMES), record, measured({40: 40})))["Number of people"] is False


# 999 are counted; staff are not. Should they be none, the regulator is told; should they be many, the people as well.
def test_a_kind_of_people_that_nobody_counted_matters_where_the_total_does(story, exposed, measured):
    record = exposed("ethnicity", total=999)
    record["people"]["staff"] = None
    assert answers(unknowns(story(timeline=ALL_TIMES), record, measured({3: 40})))["Number of staff"] is True
    record = exposed("identity", children=0)
    record["people"]["staff"] = None
    assert answers(unknowns(story(timeline=ALL_TIMES), record, measured({40: 40})))["Number of staff"] is False


# Names only: 1 x 0.25 + 0.25 if adults, low; 4 x 0.25 + 0.25 = 1.25 if children, low as well. With EI 0.75, in
# classes of two: adults 1, low; children 3.25, high.
def test_whether_they_are_children_matters_where_it_changes_the_band(story, exposed, measured):
    record = exposed("identity", children=None)
    assert answers(unknowns(story(timeline=ALL_TIMES), record, measured({40: 40})))["Number of children"] is False
    assert answers(unknowns(story(timeline=ALL_TIMES), record, measured({2: 40})))["Number of children"] is True


def test_what_was_not_looked_for_is_listed_and_can_only_make_it_worse(story, exposed, measured):
    looked = [
        {"what": "words in free text", "state": "not looked for", "why": "not read here"},
        {"what": "columns that name", "state": "none found", "why": "no such column"},
    ]
    scenario = story(timeline=ALL_TIMES)
    found = unknowns(scenario, exposed("identity", children=0, looked_for=looked), measured({2: 40}))
    assert answers(found)["Not looked for: words in free text"] is True  # 1 x 0.75 + 0.25 to 4 x 0.75 + 0.25
    assert not any("columns that name" in what for what in answers(found))
    found = unknowns(scenario, exposed("sen", looked_for=looked), measured({2: 40}))
    assert answers(found)["Not looked for: words in free text"] is False  # already the highest class


def test_a_number_that_is_null_is_listed_with_its_reason(story, exposed, measured):
    record = exposed("identity", children=0, schools=None, leavers=4, reasons={"schools": "No column holds a key."})
    found = unknowns(story(timeline=ALL_TIMES), record, measured({40: 40}))
    row = next(entry for entry in found.unknowns if entry.what == "Schools in the data")
    assert row.changes is False
    assert row.how.startswith("No column holds a key;")
    assert "Children who have left" not in answers(found)


@pytest.mark.parametrize(("share", "changes"), [(1.0, False), (0.0, True)])
def test_combinations_that_were_not_measured_matter_unless_names_are_there(story, exposed, share, changes):
    record = exposed("sen", directly_identified=int(40 * share))
    found = unknowns(story(timeline=ALL_TIMES), record, None)
    assert answers(found)["How findable people are by a combination of fields"] is changes


def test_facts_of_the_scenario_are_listed_and_tried_where_an_input_hangs_on_them(story, exposed, measured):
    facts = [
        {"about": "Who got it", "status": "unknown", "input": "confidentiality"},
        {"about": "How long", "status": "unknown", "matters": "how likely it was found"},
        {"about": "Loss", "status": "assumed", "value": "none", "source": "nobody said so", "input": "availability"},
        {"about": "Records", "status": "known", "value": "40", "source": "the letter"},
    ]
    scenario = story(timeline=ALL_TIMES, fact=facts)
    found = unknowns(scenario, exposed("identity", children=0), measured({40: 40}))
    rows = {entry.what: entry for entry in found.unknowns}
    assert rows["Who got it"].changes is False
    assert (rows["How long"].changes, rows["How long"].how) == (None, "how likely it was found")
    assert rows["Loss (assumed)"].changes is False
    assert "Records" not in rows
    recorded = next(r for r in found.record()["unknowns"] if r["what"] == "How long")
    assert recorded["reason"] == "cannot be said from here"


def test_what_would_change_the_answer_stands_first_and_is_counted(exposed, measured):
    found = unknowns(read("otrack_2024"), exposed("sen", "identity"), measured({1: 40}, direct_share=1.0))
    order = [entry.changes for entry in found.unknowns]
    assert order == sorted(order, key=[True, None, False].index)
    assert f"{order.count(True)} would change the answer" in found.sentence()
    assert len(found.unknowns) == found.table().height


def test_nothing_measured_at_all_is_itself_what_is_not_known(story):
    found = answers(unknowns(story(timeline=ALL_TIMES), None, None))
    assert found["What was in the data"] is True
    assert found["How findable people are by a combination of fields"] is True
