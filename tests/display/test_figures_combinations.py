from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from otrack_risk.display import figures
from otrack_risk.display.tables import Hidden

LABELS = ["year_group", "sex", "postcode_sector"]
MEMBERS = [[True, False, True], [False, True, False], [True, True, True]]
VALUES = [12, Hidden(5), None]


def drawn(members=MEMBERS, labels=LABELS, values=VALUES, title="A finding"):
    return figures.upset(members, labels, values, title, "records singled out")


def worst():
    chance = np.random.default_rng(1)
    labels = [f"a_rather_long_name_of_a_column_{number}" for number in range(12)]
    members = chance.integers(0, 2, (20, 12)).astype(bool).tolist()
    return drawn(members, labels, chance.integers(0, 864_603, 20).tolist(), "A long finding " * 12)


def dots(figure):
    """Size of the dots -> the (column, row) of each."""
    found = {}
    for line in figure.axes[0].lines:
        if line.get_marker() == "o":
            places = zip(map(int, line.get_xdata()), map(int, line.get_ydata()), strict=True)
            found.setdefault(line.get_markersize(), set()).update(places)
    return found


def test_what_belongs_is_a_large_dot_and_what_does_not_a_small_one():
    small, large = (places for _, places in sorted(dots(drawn()).items()))
    assert large == {(0, 0), (2, 0), (1, 1), (0, 2), (1, 2), (2, 2)}
    assert small == {(1, 0), (0, 1), (2, 1)}


def test_dots_are_told_apart_without_colour():
    lines = [line for line in drawn().axes[0].lines if line.get_marker() == "o" and len(line.get_xdata())]
    fills = {(line.get_markersize(), to_rgb(line.get_markerfacecolor())) for line in lines}
    assert fills == {(3.5, (1.0, 1.0, 1.0)), (7, to_rgb(figures.INK))}


def test_each_combination_has_its_number_and_a_hidden_one_is_hatched():
    axes = drawn().axes[0]
    assert [text.get_text() for text in axes.texts] == ["12", "fewer than 5", "not known"]
    bars = [bar.patches[0] for bar in axes.containers]
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True, False]
    assert [bar.get_width() / bars[0].get_width() for bar in bars] == pytest.approx([1, 5 / 12, 0])


def test_labels_are_whole_and_slanted_and_only_very_long_ones_are_shortened():
    axes = drawn().axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == LABELS
    assert all(label.get_rotation() == 45 for label in axes.get_xticklabels())
    long = drawn(labels=["x" * 28 + "y" * 20 + "z" * 15, "b", "c"]).axes[0].get_xticklabels()[0].get_text()
    assert long == "x" * 28 + "…" + "z" * 15


def test_twelve_long_labels_and_twenty_rows_do_not_run_into_each_other():
    figure = worst()
    figure.draw_without_rendering()
    axes = figure.axes[0]
    numbers = [text.get_window_extent() for text in axes.texts]
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(numbers))
    assert max(box.x1 for box in numbers) <= figure.bbox.x1
    # Slanted by 45 degrees, lines of text are as far apart as their feet times sin 45.
    feet = axes.transData.transform([(0, 0), (1, 0)])[:, 0]
    size = axes.get_xticklabels()[0].get_fontsize() * figure.dpi / 72
    assert (feet[1] - feet[0]) * np.sin(np.pi / 4) >= size
    labels = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert min(box.y0 for box in labels) >= axes.get_window_extent().y1
    assert max(box.y1 for box in labels) <= figure._suptitle.get_window_extent().y0
    assert max(box.x1 for box in labels) <= figure.bbox.x1


def test_no_letter_is_smaller_than_eight_points_on_a_page_of_a4():
    figure = worst()
    assert figure.get_figwidth() <= 7.5
    axes = figure.axes[0]
    texts = [*axes.texts, *axes.get_xticklabels(), axes.xaxis.label]
    assert min(text.get_fontsize() for text in texts) >= 8


def test_the_same_combinations_make_the_same_bytes():
    assert figures.svg(drawn()) == figures.svg(drawn())
    assert figures.png(drawn()) == figures.png(drawn())


def test_a_combination_of_nothing_and_no_number_at_all_are_drawn():
    figure = drawn([[False, False, False]], values=[0])
    assert [text.get_text() for text in figure.axes[0].texts] == ["0"]


# Lines that stay low leave the lower right to themselves.
@pytest.mark.parametrize("height", [0.0, 0.05, 0.5, 1.0])
def test_the_names_of_lines_stand_clear_of_them(height):
    points = [(height * n / 4, height * n / 4, height * n / 4) for n in range(1, 5)]
    figure = figures.lines([1, 2, 3, 4], {"900 pupils": points}, "A finding", "facts", "share")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    box = axes.get_legend().get_window_extent()
    steps = np.linspace(0, 3, 200)
    places = axes.transData.transform(np.column_stack([1 + steps, np.interp(steps, range(4), [p[1] for p in points])]))
    assert not any(box.contains(*place) for place in places)
