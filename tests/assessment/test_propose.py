"""Severity proposed from a scenario and from what was measured."""

from __future__ import annotations

import statistics
from fractions import Fraction
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk.assessment.enisa import ease_from, median_chance
from otrack_risk.assessment.scenario import read
from otrack_risk.assessment.severity import propose
from otrack_risk.errors import ParameterError


# The published case: learning difficulties (DPC 4), names (EI 1), readable by anyone (C 0.5), a misconfiguration.
def test_otrack_is_4_x_1_plus_half(exposed, measured):
    found = propose(read("otrack_2024"), exposed("identity", "sen", directly_identified=40), measured({1: 40}))
    assert found.arithmetic == "4 x 1 + 0.5 = 4.5"
    assert found.band_range == ("high", "very_high")


def test_sensitive_facts_give_the_highest_context(story, exposed, measured):
    found = propose(story(), exposed("identity", "sen"), measured({1: 40}))
    assert found.dpc == 4
    assert "Special educational needs" in found.reasons["dpc"]


# Identity is simple data, base 1; the people are children, so 3 more.
def test_simple_data_about_children_are_raised_with_a_written_reason(story, exposed, measured):
    found = propose(story(), exposed("identity"), measured({1: 40}))
    assert found.dpc == 4
    assert "raised by 3 because children are among the people" in found.reasons["dpc"]


def test_simple_data_about_adults_are_not_raised(story, exposed, measured):
    assert propose(story(), exposed("identity", children=0), measured({1: 40})).dpc == 1


def test_people_of_unknown_kind_may_be_children(story, exposed, measured):
    record = exposed("identity", children=0)
    record["people"]["unknown_kind"] = 12
    found = propose(story(), record, measured({1: 40}))
    assert found.dpc == 4
    assert "whether children are among the people is not known" in found.reasons["dpc"]


# Adults: financial data have base 3, behavioural 2; the highest counts, not the sum.
def test_the_highest_class_counts_and_not_the_sum(story, exposed, measured):
    assert propose(story(), exposed("fsm_pp", "attendance", children=0), measured({1: 40})).dpc == 3


def test_a_field_without_any_value_does_not_count(story, exposed, measured):
    record = exposed("identity", "medical", children=0)
    record["fields"][1]["filled_share"] = 0.0
    assert propose(story(), record, measured({1: 40})).dpc == 1
    record["fields"][1]["filled_share"] = None  # not known: it may be filled
    assert propose(story(), record, measured({1: 40})).dpc == 4


def test_images_alone_are_data(story, exposed, measured):
    record = exposed(images={"files": 3, "linked_to_a_child": 0})
    found = propose(story(), record, measured({1: 40}))
    assert found.dpc == 4
    assert "Images" in found.reasons["dpc"]


def test_a_category_that_does_not_exist_is_refused(story, exposed, measured):
    with pytest.raises(ParameterError, match="is not a data category"):
        propose(story(), exposed("shoe_size"), measured({1: 40}))


# Median chance over people: 3 in a class of three (1/3), 2 in a class of two (1/2): sorted 1/3 1/3 1/3 1/2 1/2.
def test_the_ease_follows_the_median_person(story, exposed, measured):
    found = propose(story(), exposed("sen"), measured({3: 3, 2: 2}))
    assert found.ei == 0.5  # 1/3 is from 0.1 and below 0.5
    assert "0.333" in found.reasons["ei"]


@pytest.mark.parametrize(
    ("median", "ei"),
    [("1", 1.0), ("0.9", 1.0), ("0.899", 0.75), ("0.5", 0.75), ("0.499", 0.5), ("0.1", 0.5), ("0.0999", 0.25)],
)
def test_each_threshold_belongs_to_the_level_above_it(median, ei):
    assert ease_from(Fraction(median)) == ei


# One of four is identified directly. The four stand in one class of four (1/4): with one of them at 1 the sorted
# chances are 1/4 1/4 1/4 1, and the median stays 1/4. With two of them: 1/4 1/4 1 1, and it is 5/8.
def test_people_who_are_named_count_as_found():
    classes = [{"size": 4, "records": 4}]
    assert median_chance(classes) == Fraction(1, 4)
    assert median_chance(classes, 1) == Fraction(1, 4)
    assert median_chance(classes, 2) == Fraction(5, 8)
    assert median_chance(classes, 4) == 1


# 38 of 40 are 95 %.
def test_names_for_most_people_give_the_highest_ease_whatever_the_classes(story, exposed, measured):
    found = propose(story(), exposed("sen", directly_identified=38), measured({40: 40}))
    assert found.ei == 1
    assert "95 % of the people" in found.reasons["ei"]


# The exposure knows that the only direct column is a key that links tables, and counts nobody as named by it.
def test_the_exposure_says_who_is_named_and_the_risk_where_the_exposure_does_not_know(story, exposed, measured):
    keys = measured({40: 40}, direct_share=1.0)
    assert propose(story(), exposed("sen", directly_identified=0), keys).ei == 0.25
    assert propose(story(), exposed("sen", directly_identified=None), keys).ei == 1


def test_what_was_not_measured_takes_the_highest_value_and_says_so(story):
    found = propose(story(), None, None)
    assert (found.dpc, found.ei, found.people) == (4, 1, None)
    assert found.reasons["dpc"].endswith("taken as the highest")
    assert found.reasons["ei"].endswith("taken as the highest")


# 40 are counted, and some kind or row is not: there may be more than 100. With 101 there are, whatever the rest.
@pytest.mark.parametrize("uncounted", ["staff", "guardians", "children", "uncountable"])
def test_a_hundred_is_not_denied_while_somebody_is_uncounted(story, exposed, measured, uncounted):
    for total, flag in ((40, None), (101, True)):
        record = exposed("sen", total=total)
        record["people"][uncounted] = None
        assert propose(story(), record, measured({1: 40})).more_than_100 is flag
    assert propose(story(), exposed("sen", total=40), measured({1: 40})).more_than_100 is False


def test_no_measured_combination_is_not_read_as_hard_to_find(story, exposed):
    found = propose(story(), exposed("sen"), {"directly_identified": {"share": 0.0}})
    assert found.ei == 1
    assert "no combination of fields was measured" in found.reasons["ei"]


@pytest.mark.parametrize(
    ("setting", "value", "element", "score"),
    [
        ("access", "no_evidence", "confidentiality", 0),
        ("access", "known_recipients", "confidentiality", 0.25),
        ("access", "unknown_public", "confidentiality", 0.5),
        ("access", "unknown", "confidentiality", 0.5),
        ("integrity", "recoverable", "integrity", 0.25),
        ("integrity", "unknown", "integrity", 0.5),
        ("availability", "temporarily_unavailable", "availability", 0.25),
        ("availability", "not_recoverable", "availability", 0.5),
        ("malicious", True, "malicious_intent", 0.5),
        ("malicious", "unknown", "malicious_intent", 0.5),
    ],
)
def test_each_setting_has_its_score_and_an_unknown_one_the_highest(story, setting, value, element, score):
    found = propose(story(**{setting: value}), None, None)
    assert found.circumstances[element] == score
    assert found.reasons[element].endswith("taken as the highest") is (value == "unknown")


# A person says: sensitive data, but only general assumptions can be made (-2), so 2; 2 x 0.5 + 0.25 = 1.25.
def test_a_persons_decision_wins_and_is_printed_with_what_it_replaces(story, exposed, measured):
    decided = {
        "dpc": {"class": "sensitive", "adjustment": -2, "reason": "only a support flag"},
        "ei": {"level": 0.5, "reason": "pseudonyms, the key is elsewhere"},
    }
    found = propose(story(severity=decided), exposed("sen"), measured({1: 40}))
    assert (found.dpc, found.ei, found.score) == (2, 0.5, 1.25)
    assert "set by a person: sensitive data -2, because only a support flag" in found.reasons["dpc"]
    assert "proposed from the data: 4" in found.reasons["dpc"]
    assert "proposed from the data: 1" in found.reasons["ei"]


def test_a_reason_counts_nobody_by_category(story, exposed, measured):
    record = exposed("medical")
    record["fields"][0]["people"] = 3
    assert "3" not in propose(story(), record, measured({1: 40})).reasons["dpc"]


SIZES = st.dictionaries(st.integers(1, 12), st.integers(1, 5), min_size=1, max_size=6)


@given(SIZES, st.floats(0, 1))
def test_the_median_is_that_of_the_written_out_list(classes, share):
    rows = [{"size": size, "classes": n, "records": size * n} for size, n in classes.items()]
    people = sum(row["records"] for row in rows)
    direct = round(share * people)
    # a slower way: write every person's chance down, the hardest to find first, and name the first ones
    chances = sorted(chain.from_iterable([Fraction(1, r["size"])] * r["records"] for r in rows))
    named = [Fraction(1)] * direct + chances[direct:]
    assert median_chance(rows, direct) == statistics.median(named)


@given(SIZES, st.integers(0, 20))
def test_naming_one_more_person_never_lowers_the_median(classes, direct):
    rows = [{"size": size, "records": size * n} for size, n in classes.items()]
    assert median_chance(rows, direct) <= median_chance(rows, direct + 1)


def test_classes_without_anybody_have_no_median():
    with pytest.raises(ParameterError, match="no class has anybody"):
        median_chance([])
