"""From mentions to children: narrowing by hand, and the count with its interval by simulation and by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from otrack_risk.text import linkage
from otrack_risk.text.linkage import Measured, counted, measured, told
from otrack_risk.text.roster import Roster
from otrack_risk.text.scan import Reading, Scanner, read_notes, scan
from otrack_risk.text.spans import Span

PUPILS = pl.DataFrame(
    {
        "pupil_id": ["P1", "P2", "P3", "P4", "P5"],
        "forename": ["Daisy", "Daisy", "Daisy", "Emeka", "Ola"],
        "surname": ["Holt", "Ward", "Obi", "Obi", "Nowak"],
        "class": ["5H", "5H", "4L", "5H", "4L"],
        "year_group": ["5", "5", "4", "5", "4"],
        "household_id": ["H1", "H2", "H3", "H3", "H4"],
    }
)


def subjects(text: str, own: int | None = None) -> list[tuple[int, ...]]:
    spans = Scanner(pl.Series([text]), Roster.of(PUPILS)).spans(text, own=own)
    return [span.subjects for span in spans if span.label == "PERSON"]


@pytest.mark.parametrize(
    ("text", "own", "meant"),
    [
        ("Daisy was late.", None, [(0, 1, 2)]),
        ("Daisy was late.", 1, [(1,)]),  # it is her note
        ("Daisy of 4L was late.", None, [(2,)]),  # the class is named
        ("Daisy in Y5 was late.", None, [(0, 1)]),  # the year is named
        ("Daisy Ward fell. Daisy cried.", None, [(1,), (1,)]),  # named in full before
        ("Daisy sat with Ola Nowak.", None, [(2,), (4,)]),  # the class of a child named without doubt
        ("Daisy of Year 9 was late.", None, [(0, 1, 2)]),  # a year that leaves nobody narrows nothing
    ],
)
def test_a_mention_means_fewer_children_where_the_note_tells(text, own, meant):
    assert subjects(text, own) == meant


def test_the_column_of_the_pupil_says_whose_note_it_is():
    notes = pl.DataFrame({"student id": ["P2", None], "text": ["Daisy was late."] * 2})
    reading = read_notes(notes, "text", Roster.of(PUPILS))
    assert [spans[0].subjects for spans in reading.spans] == [(1,), (0, 1, 2)]


def reading(*mentions: tuple[str, tuple[int, ...]], special: bool = False, height: int = 50) -> Reading:
    """A reading with one note a mention."""
    roster = Roster.of(pl.DataFrame({"forename": [f"N{i}" for i in range(height)]}))
    spans = [(Span(0, 1, "PERSON", 0.9, form, rows),) for form, rows in mentions]
    return Reading(range(len(spans)), spans, [special] * len(spans), len(spans), roster, "none")


def with_measures(monkeypatch: pytest.MonkeyPatch, **forms: Measured) -> None:
    monkeypatch.setattr(linkage, "measured", lambda: ({"a set": forms}, False))


SURE = Measured(10**9, 10**9, 10**9, 10**9)


def test_a_scan_that_never_errs_counts_what_it_sees(monkeypatch):
    with_measures(monkeypatch, full=SURE, number=SURE)
    found = counted(reading(("full", (1,)), ("full", (1,)), ("full", (2,))), np.random.default_rng(0))
    assert (found.subjects_named, found.mentions, found.mentions_of_one) == (2, 3, 3)
    assert found.subjects_expected == pytest.approx(2, abs=1e-6)
    assert found.subjects_interval.low == pytest.approx(2, abs=1e-3)
    assert found.subjects_interval.high == pytest.approx(2, abs=1e-3)


# One mention of one of 4 children counts 1/4 of each: one child. Two such mentions: 4 (1 - (3/4)^2) = 1.75 children.
def test_a_shared_name_counts_a_part_of_each_child(monkeypatch):
    with_measures(monkeypatch, forename=SURE, number=SURE)
    once = counted(reading(("forename", (0, 1, 2, 3))), np.random.default_rng(0))
    assert once.subjects_named == 0
    assert once.subjects_expected == pytest.approx(1, abs=1e-6)
    twice = counted(reading(*[("forename", (0, 1, 2, 3))] * 2), np.random.default_rng(0))
    assert twice.subjects_expected == pytest.approx(1.75, abs=1e-6)


# Recall 0.8 and one mention each: one that is seen stands for 1 / 0.8, so 20 for 25; with precision 0.9 for 22.5.
# Two mentions each: 1 - 0.25^2 = 0.9375 for each of those seen.
def test_recall_and_precision_are_carried_into_the_count(monkeypatch):
    many = 10**9
    ten = [("forename", (row,)) for row in range(20)]
    with_measures(monkeypatch, forename=Measured(many, many * 8 // 10, many, many), number=SURE)
    found = counted(reading(*ten), np.random.default_rng(0))
    assert found.subjects_expected == pytest.approx(25, rel=1e-6)
    assert found.recall == pytest.approx(0.8)
    twice = counted(reading(*ten, *ten), np.random.default_rng(0))
    assert twice.subjects_expected == pytest.approx(20 * 0.9375, rel=1e-6)
    with_measures(monkeypatch, forename=Measured(many, many * 8 // 10, many, many * 9 // 10), number=SURE)
    found = counted(reading(*ten), np.random.default_rng(0))
    assert found.subjects_expected == pytest.approx(22.5, rel=1e-6)
    assert "finds 80 % of such mentions, and 90 %" in found.sentence()


def test_fewer_labelled_mentions_make_a_wider_interval(monkeypatch):
    width = {}
    for size in (10, 1_000):
        with_measures(monkeypatch, forename=Measured(size, size * 9 // 10, size, size * 9 // 10), number=SURE)
        found = counted(reading(*[("forename", (row,)) for row in range(40)]), np.random.default_rng(1))
        width[size] = found.subjects_interval.high - found.subjects_interval.low
        assert found.subjects_interval.low <= found.subjects_expected <= found.subjects_interval.high
        assert found.subjects_interval.high <= 50
    assert width[10] > width[1_000]


# Worlds in which 60 of 200 children are named once or more; each mention is found with chance 0.8. The interval of
# the count is to hold 60 in about 95 of 100 worlds: of 40 in 34 and more (binomial: fewer has a chance of 0.3 %).
def test_the_interval_holds_the_truth_as_often_as_it_says(monkeypatch):
    with_measures(monkeypatch, forename=Measured(400, 320, 400, 396), number=SURE)
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(40):
        times = rng.poisson(1.5, 60) + 1
        seen = [("forename", (row,)) for row, n in enumerate(times) for _ in range(rng.binomial(n, 0.8))]
        wrong = [("forename", (int(row),)) for row in rng.integers(60, 200, rng.binomial(len(seen), 0.01))]
        interval = counted(reading(*seen, *wrong, height=200), rng).subjects_interval
        held += interval.low - 0.5 <= 60 <= interval.high + 0.5
    assert held >= 34


def test_parents_and_weak_spans_name_no_child():
    spans = [
        (Span(0, 8, "PERSON", 0.8, "title", (0,)), Span(9, 12, "PERSON", 0.3, "forename", (1,))),
        (Span(0, 13, "UPN", 1.0, "", (2,)),),
    ]
    roster = Roster.of(PUPILS)
    found = counted(Reading([0, 1], spans, [True, False], 2, roster, "none"), np.random.default_rng(0))
    assert (found.mentions, found.subjects_named, found.subjects_with_special_category) == (1, 1, 0)
    assert found.spans_by_label == {"PERSON": 1, "UPN": 1}


def test_what_is_told_of_each_child_carries_the_chance_that_it_is_this_child():
    held = told(read_notes(pl.DataFrame({"text": ["Daisy: asthma.", "Daisy Holt read."]}), "text", Roster.of(PUPILS)))
    assert held[0] == {"PERSON": 1.0, "HEALTH_SEND": pytest.approx(1 / 3)}
    assert held[1] == {"PERSON": pytest.approx(1 / 3), "HEALTH_SEND": pytest.approx(1 / 3)}
    assert 4 not in held


def test_the_order_of_the_notes_changes_no_count():
    notes = pl.DataFrame({"text": ["Daisy Holt: asthma.", "Emeka read.", "Ola Nowak late.", "Wet play."]})
    one = scan(notes, "text", Roster.of(PUPILS), rng=np.random.default_rng(0))
    other = scan(notes.reverse(), "text", Roster.of(PUPILS), rng=np.random.default_rng(0))
    assert one.subjects_named == other.subjects_named == 3
    assert one.subjects_expected == pytest.approx(other.subjects_expected)
    assert one.spans_by_label == other.spans_by_label


def test_every_form_that_names_a_child_is_in_the_table_of_what_was_measured():
    held, _ = measured()
    assert list(held) == ["notes written by hand", "notes of made schools"]
    for table in held.values():
        assert linkage.NAMES_A_CHILD | {"number"} == set(table)
        assert all(0 < each.found <= each.labelled and 0 < each.right <= each.claimed for each in table.values())


def test_a_set_with_few_mentions_of_a_form_says_nothing_of_it():
    held, _ = measured()
    written, made = held.values()
    assert made["surname"] == written["surname"]  # six labelled in the made schools
    assert made["forename"] != written["forename"]


# 24 mentions, of a child each. Where recall is 0.6 they stand for 40 children, where it is 0.8 for 30.
def test_the_interval_reaches_over_the_sets_on_which_recall_was_measured(monkeypatch):
    many = 10**6
    sets = {
        name: {"forename": Measured(many, many * tenths // 10, many, many), "number": SURE}
        for name, tenths in (("hard", 6), ("easy", 8))
    }
    monkeypatch.setattr(linkage, "measured", lambda: (sets, False))
    found = counted(reading(*[("forename", (row,)) for row in range(24)], height=100), np.random.default_rng(0))
    assert found.subjects_expected == pytest.approx((40 + 30) / 2)  # 24 / 0.6 and 24 / 0.8
    assert found.subjects_interval.low < 30
    assert found.subjects_interval.high > 40
    assert found.by_set == {"hard": pytest.approx((0.6, 1)), "easy": pytest.approx((0.8, 1))}
    assert "60 % in hard and 80 % in easy" in found.sentence()
    assert "the truth may lie outside" in found.sentence()


# Two are named without doubt. A third mention, of a name that one of them shares with three others, is that one or
# any of the four, who then is another one with chance 3/4: two or 2.75 children, 2.375 between.
def test_a_shared_name_is_taken_both_for_anybody_of_that_name_and_for_one_who_is_named_anyway(monkeypatch):
    with_measures(monkeypatch, full=SURE, forename=SURE, number=SURE)
    found = counted(reading(("full", (1,)), ("full", (2,)), ("forename", (1, 3, 4, 5))), np.random.default_rng(0))
    assert found.subjects_expected == pytest.approx(2.375, rel=1e-6)
    assert found.subjects_interval.low == pytest.approx(2, abs=0.01)
    assert found.subjects_interval.high == pytest.approx(3, abs=0.01)
