from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from otrack_risk.display import figures
from otrack_risk.display.tables import Hidden

COLUMNS = ["Safeguarding", "Medical", "Ethnicity, language, nationality"]
ROWS = ["Headteacher", "Teaching assistant with a long name"]
VALUES = [[900, None, Hidden(5)], [0, Hidden(5, "rest"), 450]]
LETTERS = [["S", "F", "O"], ["-", "S", "G ≥"]]
STATES = [["excess", "granted", "granted"], ["granted", "excess", "granted"]]


def drawn(rows=ROWS, columns=COLUMNS, values=VALUES, letters=LETTERS, states=STATES, vmax=900):
    return figures.heatmap(
        rows,
        columns,
        values,
        letters,
        states,
        title="A finding.",
        unit="children of 900",
        vmax=vmax,
        meanings={"S": "school"},
    )


def grid(count_rows, count_columns, count=900, **more):
    shape = [[count] * count_columns] * count_rows
    return drawn(
        [f"role {n}" for n in range(count_rows)],
        [f"category {n}" for n in range(count_columns)],
        shape,
        [["S"] * count_columns] * count_rows,
        [["excess"] * count_columns] * count_rows,
        **more,
    )


def squares(figure):
    """(x, y) -> fill of the square, and whether it is hatched."""
    found = {}
    for patch in figure.axes[0].patches:
        if patch.get_fill():
            place = (round(patch.get_x() + 0.5), round(patch.get_y() + 0.5))
            found[place] = (patch.get_facecolor()[:3], bool(patch.get_hatch()))
    return found


def words(figure):
    """(x, y) -> the lines of text of the square, from above."""
    found = {}
    for text in figure.axes[0].texts:
        found.setdefault(tuple(map(int, text.xy)), []).append(text.get_text().strip())
    return found


def linear(rgb):
    rgb = np.asarray(rgb, dtype=float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def luminance(rgb):
    return float(linear(rgb) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


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


def test_light_is_low_and_dark_is_high_on_a_fixed_scale():
    few, many = squares(grid(1, 1, 1))[0, 0][0], squares(grid(1, 1, 900))[0, 0][0]
    assert few == pytest.approx(colormaps["cividis"](1.0 - 1 / 900)[:3], abs=0.02)
    assert many == pytest.approx(colormaps["cividis"](0.0)[:3])
    # a school of 900 and one of 90 are drawn on scales of their own, whatever the counts in them are
    assert squares(grid(1, 1, 90, vmax=90))[0, 0][0] == many


def test_a_count_hidden_for_the_sake_of_another_has_no_shade():
    figure = grid(1, 1, Hidden(5, "other"))
    assert squares(figure)[0, 0][0] == pytest.approx((0.86, 0.86, 0.86))
    assert words(figure) == {(0, 0): ["S", "hidden"]}


# A hidden count is drawn at an end of the scale, so that its shade gives nothing away.
def test_the_shade_of_a_hidden_count_tells_no_more_than_its_words():
    fills = squares(drawn())
    assert fills[2, 0][0] == pytest.approx(colormaps["cividis"](1.0)[:3])
    assert fills[1, 1][0] == pytest.approx(colormaps["cividis"](0.0)[:3])


@pytest.mark.parametrize("count", [1, 100, 300, 430, 450, 470, 500, 700, 900, None])
def test_text_stands_out_by_four_and_a_half_to_one(count):
    figure = grid(1, 1, count)
    fill = squares(figure)[0, 0][0]
    for text in figure.axes[0].texts:
        assert contrast(to_rgb(text.get_color()), fill) >= 4.5


def test_every_edge_stands_out_from_any_shade_by_three_to_one():
    lines = {patch.get_edgecolor()[:3] for patch in drawn().axes[0].patches if not patch.get_fill()}
    assert len(lines) == 2
    for shade in colormaps["cividis_r"](np.linspace(0, 1, 50))[:, :3]:
        assert max(contrast(line, shade) for line in lines) >= 3


# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
SEEN = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


@pytest.mark.parametrize("eye", SEEN)
def test_seven_steps_of_the_scale_stay_apart_to_a_colour_blind_reader(eye):
    steps = linear(colormaps["cividis_r"](np.linspace(0, 1, 7))[:, :3])
    y = np.clip(steps @ np.array(SEEN[eye]).T, 0, 1) @ [0.2126, 0.7152, 0.0722]
    lightness = 116 * np.cbrt(y) - 16  # CIELAB L*; every step is above the linear part of its definition
    assert y.min() > 0.008856
    assert (-np.diff(lightness) >= 10).all()


def test_no_letter_is_smaller_than_eight_points_on_a_page_of_a4():
    figure = drawn()
    assert figure.get_figwidth() <= 7.5  # inches: A4 with margins of 10 mm
    texts = [
        text
        for axes in figure.axes
        for text in (*axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label)
    ]
    assert min(text.get_fontsize() for text in texts if text.get_text()) >= 8


def test_labels_are_whole_and_slanted():
    axes = drawn().axes[0]
    assert [label.get_text().replace("\n", " ") for label in axes.get_xticklabels()] == COLUMNS
    assert [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()] == ROWS
    assert all(30 <= label.get_rotation() <= 45 for label in axes.get_xticklabels())


def test_the_scale_and_the_letters_are_explained():
    figure = drawn()
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["0", "450", "900"]
    legend = figure.axes[1].get_xlabel().replace("\N{NO-BREAK SPACE}", " ")
    assert "children of 900" in legend
    for told in ("S school", "hatched: beyond need", "?: not known"):
        assert told in legend


@pytest.mark.parametrize(
    ("columns", "count", "written"),
    [(12, 160_000, "160,000"), (15, 160_000, "160k"), (15, 99_999, "99,999"), (12, 1_600_000, "1,600k")],
)
def test_a_number_fits_its_square(columns, count, written):
    figure = grid(16, columns, count, vmax=count)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    square = abs(np.diff(axes.transData.transform([(0, 0), (1, 0)])[:, 0]).item())
    number = axes.texts[1]
    assert number.get_text() == written
    assert number.get_window_extent().width <= square


def test_beyond_twenty_by_fifteen_the_letters_stand_alone():
    assert set(map(tuple, words(grid(21, 3)).values())) == {("S",)}
    assert set(map(tuple, words(grid(3, 16)).values())) == {("S",)}
    assert set(map(tuple, words(grid(20, 15)).values())) == {("S", "900")}


def test_the_same_numbers_make_the_same_bytes():
    assert figures.svg(drawn()) == figures.svg(drawn())
    assert figures.png(drawn()) == figures.png(drawn())
