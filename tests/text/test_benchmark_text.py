"""The scoreboard of the scan: what a hit is, what counts against precision, which form a mention has."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def notes():
    """The benchmark's module, found as ``python benchmarks/text.py`` finds it."""
    sys.path.insert(0, str(HERE))
    try:
        yield importlib.import_module("notes")
    finally:
        sys.path.remove(str(HERE))
        sys.modules.pop("notes", None)


def test_a_hit_is_the_same_label_over_half_of_the_stretch(notes):
    """Of two mentions, 10 long each: 5 letters of the first are claimed, and 4 of the second; one of two is found."""
    gold = [[notes.Gold(0, 10, "PERSON", "pupil full"), notes.Gold(20, 30, "PERSON", "outside")]]
    said = [[notes.Said(5, 12, ("PERSON",)), notes.Said(20, 24, ("PERSON",)), notes.Said(0, 10, ("EMAIL",))]]
    found = notes.scored(gold, said)
    assert found["core"] == {
        "labelled": 2,
        "found": 1,
        "claimed": 3,
        "right": 1,
        "recall": 1 / 2,
        "precision": 1 / 3,
        "f2": pytest.approx(5 * (1 / 3) * (1 / 2) / (4 / 3 + 1 / 2)),
    }
    assert found["forms"] == {
        "outside": {"labelled": 1, "found": 0},
        "pupil full": {"labelled": 1, "found": 1},
    }


def test_schools_are_not_scored_and_a_claim_too_general_is_not_held_against_precision(notes):
    gold = [[notes.Gold(0, 4, "SCHOOL", "SCHOOL"), notes.Gold(6, 16, "DOB", "DOB")], []]
    said = [
        [notes.Said(0, 4, ("SCHOOL",)), notes.Said(6, 16, ("DOB",), counts=False)],
        [notes.Said(0, 4, ("DOB",), counts=False), notes.Said(5, 9, ("UPN",))],
    ]
    found = notes.scored(gold, said)
    assert (found["core"]["labelled"], found["core"]["found"]) == (1, 1)
    assert (found["core"]["claimed"], found["core"]["right"]) == (1, 0)
    assert (found["false_identifiers"], found["empty_notes"]) == (1, 1)


@pytest.mark.parametrize(
    ("which", "texts", "spans", "empty", "children"),  # as tests/text/notes/README.md has them
    [
        ("first", 281, 621, 36, 72),
        ("second", 160, 457, 29, 72),
        ("third", 170, 374, 28, 61),
        ("fourth", 207, 458, 34, 74),
    ],
)
def test_the_written_notes_are_all_there_with_their_children(notes, which, texts, spans, empty, children):
    held = notes.written(which)
    assert len(held.texts) == texts
    assert sum(map(len, held.gold)) == spans
    assert sum(not each for each in held.gold) == empty
    assert held.children.height == children
    assert all(note[s.start : s.end].strip() for note, gold in zip(held.texts, held.gold, strict=True) for s in gold)


@pytest.mark.parametrize("which", ["first", "second", "third", "fourth"])
def test_every_pupil_of_a_written_note_is_tied_to_a_row_of_the_roster(notes, which):
    held = notes.written(which)
    pupils = [span for gold in held.gold for span in gold if span.form.startswith("pupil ")]
    assert pupils
    assert all(span.rows and max(span.rows) < held.children.height for span in pupils)


def test_a_child_counts_as_found_only_if_it_is_the_right_one(notes):
    held = notes.written()
    first = held.gold[0][0]
    right = [[notes.Said(first.start, first.end, ("PERSON",), "forename", rows=first.rows)]]
    wrong = [[notes.Said(first.start, first.end, ("PERSON",), "forename", rows=(first.rows[0] + 1,))]]
    one = held.first(1)
    assert notes.by_form(one, right)["forename"] == {"labelled": 1, "found": 1, "claimed": 1, "right": 1}
    assert notes.by_form(one, wrong)["forename"] == {"labelled": 1, "found": 0, "claimed": 1, "right": 0}
