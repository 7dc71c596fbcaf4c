from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk.display import tables
from otrack_risk.display.tables import Hidden


@given(st.integers(0, 50), st.integers(2, 20))
def test_a_cell_below_the_threshold_is_never_published(count, below):
    shown = tables.hide(count, below)
    assert isinstance(shown, Hidden) == (0 < count < below)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(2, 20))
def test_subtraction_from_a_published_total_never_gives_a_small_rest(count, rest, below):
    shown = tables.hide(count, below, of=count + rest)
    if not isinstance(shown, Hidden):
        assert rest == 0 or rest >= below


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(2, 10))
def test_hidden_parts_of_a_published_total_cannot_be_worked_out(counts, below):
    parts = {str(number): count for number, count in enumerate(counts)}
    shown = tables.hide_parts(parts, below)
    hidden = [parts[name] for name, value in shown.items() if isinstance(value, Hidden)]
    others = [value for value in shown.values() if not isinstance(value, Hidden)]
    assert all(value == 0 or value >= below for value in others)
    # One hidden part alone would be total minus the rest; unless nobody else is counted at all.
    if len(hidden) == 1:
        assert not any(others)


# 210 + 3 + 340: the 3 are few; with 210 shown, 553 - 210 - 340 would give them away.
def test_a_second_part_is_hidden_to_shield_the_first():
    shown = tables.hide_parts({"children": 210, "staff": 3, "guardians": 340}, 5)
    assert shown == {"children": Hidden(5, "other"), "staff": Hidden(5), "guardians": 340}


def test_hidden_counts_read_as_words_and_as_the_contract_has_them():
    assert tables.written(Hidden(5)) == "fewer than 5"
    assert tables.written(Hidden(5, "rest")) == "all but fewer than 5"
    assert json.dumps(tables.plain({"children": Hidden(5)})) == '{"children": {"hidden": true, "below": 5}}'


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0 %"),
        (0.0004, "under 0.1 %"),
        (0.125, "12.5 %"),
        (0.9996, "over 99.9 %"),
        (1.0, "100 %"),
        (None, "not known"),
    ],
)
def test_a_share_is_never_rounded_to_nobody_or_everybody(share, words):
    assert tables.percent(share) == words


def test_only_shares_and_chances_are_percent():
    assert tables.cell("unique_share", 0.5) == "50 %"
    assert tables.cell("mean_class_size", 1.0) == "1"


def test_html_escapes_what_a_column_or_cell_holds():
    drawn = tables.as_html(["<b>"], [["<script>"]], "a & b")
    assert "<script>" not in drawn
    assert "&lt;b&gt;" in drawn
    assert "a &amp; b" in drawn


def test_csv_never_holds_a_formula():
    assert tables.as_csv(["=x()"], [["@cmd"], ["-1+1"], [-3], ["-"]]) == "'=x()\n'@cmd\n'-1+1\n-3\n-\n"


def test_a_column_with_anything_hidden_becomes_words():
    frame = tables.table({"children": [Hidden(5), 1200, None]})
    assert frame["children"].to_list() == ["fewer than 5", "1,200", None]
    assert tables.table({"children": [3, 4]}).schema == {"children": pl.Int64}
