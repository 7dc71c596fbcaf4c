"""The severity score: ENISA's arithmetic, its bands, and doubt of one step."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk.assessment import enisa
from otrack_risk.assessment.severity import severity
from otrack_risk.errors import ParameterError

C, I, A, M = enisa.CIRCUMSTANCES  # noqa: E741

# Worked by hand from SE = DPC x EI + C + I + A + M.
VECTORS = [
    (1, 0.25, {}, 0.25, "low"),
    (4, 0.25, {}, 1.0, "low"),
    (2, 0.5, {C: 0.25}, 1.25, "low"),
    (1, 1, {C: 0.5}, 1.5, "low"),
    (1, 1, {C: 0.5, M: 0.5}, 2.0, "medium"),
    (4, 0.75, {}, 3.0, "high"),
    (3, 0.75, {C: 0.5, M: 0.5}, 3.25, "high"),
    (4, 1, {C: 0.5}, 4.5, "very_high"),
    (4, 1, {C: 0.5, I: 0.5, A: 0.5, M: 0.5}, 6.0, "very_high"),
    (2, 1, {C: 0.5}, 2.5, "medium"),  # the open database without its column of special needs
    (4, 0.5, {C: 0.5}, 2.5, "medium"),  # the same with keyed pseudonyms and no images
    (2, 0.5, {C: 0.5}, 1.5, "low"),  # both
]

# A slower twin of the score, written from the formula alone.
GRID = list(product((1, 2, 3, 4), (0.25, 0.5, 0.75, 1.0), *[(0.0, 0.25, 0.5)] * 3, (0.0, 0.5)))
INPUTS = st.sampled_from(GRID)


def scored(dpc: float, ei: float, *circumstances: float) -> float:
    return severity(int(dpc), ei, dict(zip(enisa.CIRCUMSTANCES, circumstances, strict=True))).score


def rank(band: str) -> int:
    return ("low", "medium", "high", "very_high").index(band)


@pytest.mark.parametrize(("dpc", "ei", "circumstances", "score", "band"), VECTORS)
def test_the_worked_vectors_have_their_score_and_band(dpc, ei, circumstances, score, band):
    found = severity(dpc, ei, circumstances)
    assert (found.score, found.band) == (score, band)


@pytest.mark.parametrize(
    ("below", "at"),
    [(1.75, ("medium", 2.0)), (2.75, ("high", 3.0)), (3.75, ("very_high", 4.0))],
)
def test_a_lower_bound_belongs_to_its_band(below, at):
    band, bound = at
    assert enisa.band(bound) == band
    assert rank(enisa.band(below)) == rank(band) - 1


@pytest.mark.parametrize(
    ("dpc", "ei", "circumstances"),
    [
        (0, 1, {}),
        (5, 1, {}),
        (2.5, 1, {}),
        (True, 1, {}),
        (4, 0.6, {}),
        (4, 0, {}),
        (4, math.nan, {}),
        (4, 1, {M: 0.25}),
        (4, 1, {C: 0.75}),
        (4, 1, {I: math.nan}),
        (4, 1, {"secrecy": 0.5}),
    ],
)
def test_a_value_off_its_scale_is_refused(dpc, ei, circumstances):
    with pytest.raises(ParameterError, match="severity"):
        severity(dpc, ei, circumstances)


# ENISA's own examples: (class, adjustment) -> DPC.
@pytest.mark.parametrize(
    ("data_class", "adjustment", "dpc"),
    [
        ("simple", 0, 1),  # supermarket customer list
        ("simple", 1, 2),  # luxury-goods customer list
        ("simple", 2, 3),  # adult-bookshop delivery list
        ("simple", 3, 4),  # undercover officers' list
        ("behavioural", 0, 2),  # calls of one week
        ("behavioural", 1, 3),  # calls of one year
        ("financial", -2, 1),  # bank letter without detail
        ("financial", 1, 4),  # one-year statements
        ("sensitive", -3, 1),  # "blood test done"
        ("sensitive", -1, 3),  # test for a named disease
        ("sensitive", 0, 4),  # the result
    ],
)
def test_the_examples_of_the_source_have_their_context(data_class, adjustment, dpc):
    assert enisa.data_context(data_class, adjustment, "as the source says") == dpc


@pytest.mark.parametrize(
    ("data_class", "adjustment"),
    [("simple", -1), ("simple", 4), ("behavioural", -2), ("behavioural", 3), ("financial", 2), ("sensitive", 1)],
)
def test_an_adjustment_that_the_class_does_not_allow_is_refused(data_class, adjustment):
    with pytest.raises(ParameterError, match="do not allow"):
        enisa.data_context(data_class, adjustment, "because")


def test_an_adjustment_without_a_reason_is_refused():
    with pytest.raises(ParameterError, match="without a reason"):
        enisa.data_context("simple", 3, "  ")
    with pytest.raises(ParameterError, match="not a class"):
        enisa.data_context("secret")


# 4 x 1 + 0.5 = 4.5. One step: DPC 3 -> 3.5; EI 0.75 -> 3.5; C 0.25 -> 4.25; I, A 0.25 -> 4.75; M 0.5 -> 5.
def test_the_open_database_is_borderline_and_says_which_steps_turn_it():
    found = severity(4, 1, {C: 0.5}, people=361_000, unintelligible=False)
    steps = {(step.input, step.value): step.score for step in found.steps}
    assert steps == {
        ("dpc", 3.0): 3.5,
        ("ei", 0.75): 3.5,
        (C, 0.25): 4.25,
        (I, 0.25): 4.75,
        (A, 0.25): 4.75,
        (M, 0.5): 5.0,
    }
    assert found.band_range == ("high", "very_high")
    assert found.sentence().startswith("Severity 4 x 1 + 0.5 = 4.5, very high")
    assert "Borderline" in found.sentence()
    assert "DPC 3 (high), EI 0.75 (high)" in found.sentence()


# 1 x 0.25 = 0.25; the largest single step is malice, 0.75: all low.
def test_a_band_that_no_single_step_turns_is_not_called_borderline():
    found = severity(1, 0.25, {})
    assert found.band_range == ("low", "low")
    assert "stays low" in found.sentence()
    assert found.record()["borderline"] is False


# DPC and EI together one step down give 3 x 0.75 + 0.5 = 2.75, medium: beyond the range of single steps.
def test_doubt_is_one_input_at_a_time():
    assert severity(3, 0.75, {C: 0.5}).band == "medium"
    assert "medium" not in severity(4, 1, {C: 0.5}).band_range


def test_encryption_and_numbers_of_people_are_flags_and_do_not_move_the_score():
    plain = severity(4, 1, {C: 0.5}, people=100, unintelligible=False)
    closed = severity(4, 1, {C: 0.5}, people=101, unintelligible=True)
    assert plain.score == closed.score == 4.5
    assert plain.record()["flags"] == {"gt_100_individuals": False, "unintelligible": False}
    assert closed.record()["flags"] == {"gt_100_individuals": True, "unintelligible": True}


def test_a_flag_that_nobody_knows_is_null_with_a_reason():
    flags = severity(1, 1, {}).record()["flags"]
    assert flags["gt_100_individuals"] is None
    assert flags["unintelligible"] is None
    assert flags["reason"] == "not known: gt_100_individuals, unintelligible"


def test_the_record_has_the_keys_of_the_contract():
    record = severity(3, 0.75, {C: 0.5, M: 0.5}, reasons={"dpc": "because"}).record()
    assert {key: record[key] for key in ("dpc", "ei", "cb", "score", "band", "arithmetic")} == {
        "dpc": 3,
        "ei": 0.75,
        "cb": 1.0,
        "score": 3.25,
        "band": "high",
        "arithmetic": "3 x 0.75 + 1 = 3.25",
    }
    # one step: DPC 2 -> 2.5, DPC 4 -> 4, EI 1 -> 4
    assert record["band_range"] == ["medium", "very_high"]
    assert record["reasons"] == {"dpc": "because"}


def test_the_table_shows_the_band_after_each_step():
    rows = {row["input"]: row for row in severity(4, 0.75, {C: 0.25}).table().iter_rows(named=True)}
    # 4 x 0.75 + 0.25 = 3.25; DPC 3 -> 2.5 medium; EI 0.5 -> 2.25 medium; EI 1 -> 4.25 very high
    assert rows["DPC, data processing context"]["one_step_less"] == "3: medium"
    assert rows["EI, ease of identification"]["one_step_less"] == "0.5: medium"
    assert rows["EI, ease of identification"]["one_step_more"] == "1: very high"
    assert rows["Severity (high)"]["value"] == 3.25


def test_all_864_inputs_have_the_score_of_the_formula_and_stay_on_the_scale():
    assert len(GRID) == 4 * 4 * 27 * 2 == 864
    for dpc, ei, *rest in GRID:
        score = scored(dpc, ei, *rest)
        assert score == dpc * ei + math.fsum(rest)
        assert 0.25 <= score <= 6


@given(INPUTS, INPUTS)
def test_a_score_never_falls_when_an_input_rises(one, other):
    low, high = (tuple(map(pick, one, other)) for pick in (min, max))
    assert scored(*low) <= scored(*high)


@given(INPUTS)
def test_the_range_of_doubt_holds_the_band_and_only_bands_of_single_steps(values):
    dpc, ei, *rest = values
    found = severity(dpc, ei, dict(zip(enisa.CIRCUMSTANCES, rest, strict=True)))
    low, high = (rank(band) for band in found.band_range)
    assert low <= rank(found.band) <= high
    # a slower way: every neighbour in the grid that differs in one input by one step
    scales = [(1, 2, 3, 4), (0.25, 0.5, 0.75, 1.0), *[(0.0, 0.25, 0.5)] * 3, (0.0, 0.5)]
    near = [
        enisa.band(scored(*values[:n], scale[place], *values[n + 1 :]))
        for n, scale in enumerate(scales)
        for place in (scale.index(values[n]) - 1, scale.index(values[n]) + 1)
        if 0 <= place < len(scale)
    ]
    assert sorted(near) == sorted(step.band for step in found.steps)
    assert {low, high} <= {rank(band) for band in [*near, found.band]}
