from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import BoxStyle

from otrack_risk.display import figures
from otrack_risk.display.heatmap import heatmap
from otrack_risk.display.shades import Shades
from otrack_risk.display.tables import Hidden

COLUMNS = ["Safeguarding", "Medical", "Ethnicity, language, nationality"]
ROWS = ["Headteacher", "Teaching assistant with a long name"]
VALUES = [[900, None, Hidden(5)], [0, Hidden(5, "rest"), 450]]
LETTERS = [["S", "F", "O"], ["-", "S", "G ≥"]]
STATES = [["excess", "granted", "granted unused"], ["granted", "excess conflict", "granted"]]
MARKS = {
    "excess": ("hatch", "beyond need"),
    "unused": ("dot", "not used in 365 days"),
    "conflict": ("ring", "separation of duties"),
}


def drawn(rows=ROWS, columns=COLUMNS, values=VALUES, letters=LETTERS, states=STATES, vmax=900, **more):
    words = {"title": "A finding.", "unit": "children of 900", "meanings": {"S": "school"}, "marks": MARKS}
    return heatmap(rows, columns, values, letters, states, vmax=vmax, **{**words, **more})


def grid(count_rows, count_columns, count=900, **more):
    return drawn(
        [f"role {n}" for n in range(count_rows)],
        [f"category {n}" for n in range(count_columns)],
        [[count] * count_columns] * count_rows,
        [["S"] * count_columns] * count_rows,
        [["excess"] * count_columns] * count_rows,
        **more,
    )


def squares(figure):
    """(x, y) -> fill of the square, and whether it is hatched."""
    return {
        (round(patch.get_x() + 0.5), round(patch.get_y() + 0.5)): (patch.get_facecolor()[:3], bool(patch.get_hatch()))
        for patch in figure.axes[0].patches
    }


def words(figure):
    """(x, y) -> the lines of text of the square, from above."""
    found = {}
    for text in figure.axes[0].texts:
        found.setdefault(tuple(map(int, text.xy)), []).append(text.get_text().strip("\N{NARROW NO-BREAK SPACE}"))
    return found


def legend(figure):
    return " ".join(text.get_text() for text in figure.axes[1].texts).replace("\N{NO-BREAK SPACE}", " ")


def test_each_square_has_its_letter_and_its_count_and_none_is_blank():
    assert words(drawn()) == {
        (0, 0): ["S", "900"], (1, 0): ["F", "?"], (2, 0): ["O", "<5"],
        (0, 1): ["-"], (1, 1): ["S", ">895"], (2, 1): ["G ≥", "450"],
    }  # fmt: skip


def test_beyond_need_is_hatched_unknown_is_grey_and_nobody_is_white():
    fills = squares(drawn())
    assert [place for place, (_, hatched) in sorted(fills.items()) if hatched] == [(0, 0), (1, 1)]
    assert fills[1, 0][0] == pytest.approx((0.86, 0.86, 0.86))
    assert fills[0, 1][0] == (1, 1, 1)


def test_unused_is_a_dot_and_a_conflict_a_ring_around_the_letter():
    axes = drawn().axes[0]
    assert [(line.get_xdata()[0] - 0.5, line.get_ydata()[0] + 0.5) for line in axes.lines] == [(2, 0)]
    ringed = [
        (text.xy, text.get_text().strip("\N{NARROW NO-BREAK SPACE}"))
        for text in axes.texts
        if text.get_bbox_patch() and isinstance(text.get_bbox_patch().get_boxstyle(), BoxStyle.Round)
    ]
    assert ringed == [((1, 1), "S")]


def test_a_word_that_no_mark_names_is_not_drawn_and_a_mark_is_explained_even_where_none_is_found():
    plain = drawn(states=[["granted"] * 3] * 2)
    assert not any(hatched for _, hatched in squares(plain).values())
    assert not plain.axes[0].lines
    for told in ("beyond need", "not used in 365 days", "separation of duties"):
        assert told in legend(plain)
    assert "separation of duties" not in legend(drawn(marks={}))  # not looked for


def test_the_scale_is_printed_as_squares_up_to_the_roll():
    told = [text.get_text() for text in drawn().axes[1].texts]
    steps = ["nobody", "1–9", "10–29", "30–99", "100–299", "300–900"]
    assert [each for each in told if each in steps] == steps
    assert len(figure_squares := drawn().axes[1].patches) >= 2 * len(steps)
    assert all(patch.get_width() == 1 for patch in figure_squares)
    for each in ("children of 900", "S school", "not known", "-: nothing held"):
        assert each in legend(drawn())


def test_the_scale_is_fixed_by_the_roll_and_not_by_the_counts():
    shades = Shades(900, difference=False)
    assert squares(grid(1, 1, 12))[0, 0][0] == pytest.approx(shades.more[1])
    assert squares(grid(1, 1, 900))[0, 0][0] == pytest.approx(shades.more[-1])
    assert legend(grid(1, 1, 12)) == legend(grid(1, 1, 900))


def test_a_count_hidden_for_the_sake_of_another_has_no_shade():
    figure = grid(1, 1, Hidden(5, "other"))
    assert squares(figure)[0, 0][0] == pytest.approx((0.86, 0.86, 0.86))
    assert words(figure) == {(0, 0): ["S", "hidden"]}


def test_a_difference_says_more_or_fewer_by_sign_and_by_colour():
    counts, letters = [[120, -30, 0, Hidden(5), None]], [["S", "S", "S", "S", "S"]]
    figure = drawn(["Headteacher"], list("abcde"), counts, letters, [[""] * 5], difference=True)
    assert list(words(figure).values()) == [["S", "+120"], ["S", "−30"], ["S"], ["S", "±<5"], ["S", "?"]]
    more, fewer, same, hidden, unknown = (fill for fill, _ in squares(figure).values())
    assert more[0] > more[2]  # orange
    assert fewer[2] > fewer[0]  # purple
    assert np.ptp(same) < 0.01
    assert hidden == unknown
    for told in ("1–9 fewer", "no change", "100–900 more", "a letter alone: no change"):
        assert told in legend(figure)


def test_beyond_twenty_by_fifteen_the_letters_stand_alone():
    assert set(map(tuple, words(grid(21, 2)).values())) == {("S",)}
    assert set(map(tuple, words(grid(2, 16)).values())) == {("S",)}
    assert set(map(tuple, words(grid(20, 15)).values())) == {("S", "900")}


# Where the number does not stand beside it, what the shade would tell alone stands beside the letter.
@pytest.mark.parametrize(("count", "told"), [(None, "S?"), (-30, "−S"), (30, "+S"), (0, "S"), (Hidden(5), "S?")])
def test_a_letter_alone_still_says_unknown_more_and_fewer(count, told):
    assert set(map(tuple, words(grid(21, 1, count, difference=True)).values())) == {(told,)}


def test_bars_beside_and_beneath_have_their_numbers_and_hidden_ones_are_hatched():
    counts = [600, Hidden(5, "rest"), Hidden(50), Hidden(5, "other"), None, 0]
    columns = ("accounts", [40, Hidden(5), 1_204])
    rows = [f"role {n}" for n in range(6)]
    cells = [[1] * 3] * 6, [["S"] * 3] * 6, [[""] * 3] * 6
    figure = drawn(rows, COLUMNS, *cells, row_bars=("children", counts), column_bars=columns)
    beside, beneath = figure.axes[2:]
    assert [text.get_text() for text in beside.texts] == ["600", "~all", "<50", "hidden", "?", "0", "children"]
    assert [bar.get_width() for bar in beside.patches] == pytest.approx([1, 1, 50 / 600, 0, 0, 0])
    assert [bool(bar.get_hatch()) for bar in beside.patches] == [False, True, True, True, False, False]
    assert [text.get_text() for text in beneath.texts] == ["40", "<5", "1,204", "accounts"]
    assert [bar.get_height() for bar in beneath.patches] == pytest.approx([40 / 1204, 5 / 1204, 1])
    assert "~all: all but fewer than 5" in legend(figure)


def test_labels_are_whole_up_to_sixty_letters():
    axes = drawn().axes[0]
    assert [label.get_text().replace("\n", " ") for label in axes.get_xticklabels()] == COLUMNS
    assert [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()] == ROWS


# A megabyte of a name, signs that mathematical text would take for its own, no name at all.
def test_a_strange_label_is_drawn_as_it_is(seen):
    figure = drawn(["x" * 1_000_000, "$a_{$\n\n\tb"], ["$\\frac$", "", "y " * 3_000])
    told = seen.read(figure)
    first, second = (label.get_text() for label in figure.axes[0].get_yticklabels())
    assert first.replace("\n", "") == "x" * 41 + "…" + "x" * 18
    assert second == "$a_{$ b"
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()][:2] == ["$\\frac$", "?"]
    assert seen.clashes(told) == []


def test_every_edge_stands_out_from_any_shade_by_three_to_one(seen):
    lines = {to_rgb(each.get_color()[0]) for each in drawn().axes[0].collections if isinstance(each, LineCollection)}
    assert len(lines) == 2
    for difference in (False, True):
        for shade, _, _ in Shades(250_000, difference).legend():
            assert max(seen.contrast(line, shade) for line in lines) >= 3


@pytest.mark.parametrize(
    ("columns", "count", "written"),
    [
        (12, 160_000, "160,000"), (15, 160_000, "160k"), (15, 99_999, "99,999"), (12, 1_600_000, "1,600k"),
    ],
)  # fmt: skip
def test_a_number_that_does_not_fit_its_square_is_told_in_thousands(columns, count, written):
    assert words(grid(1, columns, count, vmax=count))[0, 0] == ["S", written]


def narrow(counts, vmax, **more):
    """One row of fifteen columns, whose long labels leave little width to the squares."""
    columns = ["Contacts and home address of the family"] * 15
    return drawn(["Designated safeguarding lead"], columns, [counts], [["S"] * 15], [[""] * 15], vmax, **more)


@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("count", [1_204, 9_949, 160_000, 1_600_000, Hidden(5, "rest"), Hidden(5, "other")])
def test_a_number_fits_its_square(count, difference):
    figure = narrow([count] * 15, 2_000_000, difference=difference)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    square = abs(np.diff(axes.transData.transform([(0, 0), (1, 0)])[:, 0]).item())
    assert axes.texts[1].get_window_extent().width <= square


# 99 of 1,204 must not become "0k", nor 1,204 "1k": of four digits the second stays.
def test_thousands_keep_two_digits():
    figure = narrow([-1_204, 99] + [1] * 13, 2_000, difference=True)
    assert [words(figure)[x, 0][1] for x in (0, 1)] == ["−1.2k", "+99"]


def test_nothing_at_all_is_drawn_as_an_empty_grid():
    assert words(drawn([], [], [], [], [])) == {}
    assert figures.svg(drawn(["Headteacher"], [], [[]], [[]], [[]]))
