"""What is read of a whole figure: nothing under another, nothing off the page, nothing too faint or too small."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from otrack_risk.display import figures
from otrack_risk.display.heatmap import heatmap
from otrack_risk.display.tables import Hidden

MARKS = {
    "excess": ("hatch", "beyond need"),
    "unused": ("dot", "not used in 365 days"),
    "conflict": ("ring", "separation of duties"),
}
CATEGORIES = ["Contacts and home address", "Medical", "Looked-after and adopted children"]
ROLES = ["Designated safeguarding lead", "Catering and cashless supplier", "SENCO", "Head of year"]


def busy(count_rows, count_columns, vmax=1_204, **more):
    """Every kind of cell, of count and of mark, with long labels and bars."""
    chance = np.random.default_rng(7)
    kinds = [0, None, Hidden(5), Hidden(5, "rest"), Hidden(5, "other"), 3, 27, 64, 205, 804, vmax]
    signs = (1, -1) if more.get("difference") else (1,)

    def count():
        kind = kinds[chance.integers(len(kinds))]
        return kind * signs[chance.integers(len(signs))] if isinstance(kind, int) else kind

    values = [[count() for _ in range(count_columns)] for _ in range(count_rows)]
    letters = [["-" if value == 0 else chance.choice(["S", "F", "G ≥"]) for value in row] for row in values]
    states = [[" ".join(word for word in MARKS if chance.random() < 0.3) for _ in row] for row in values]
    return heatmap(
        [f"{ROLES[n % 4]} of site {n // 4}" for n in range(count_rows)],
        [CATEGORIES[n % 3] for n in range(count_columns)],
        values,
        letters,
        states,
        title="A finding.",
        unit=f"children of {vmax:,}",
        vmax=vmax,
        marks=MARKS,
        row_bars=("children by any category", [kinds[n % len(kinds)] for n in range(count_rows)]),
        column_bars=("accounts that reach it", [kinds[-1 - n % len(kinds)] for n in range(count_columns)]),
        meanings={"S": "school", "F": "full trust", "≥": "at least; of some accounts it cannot be told"},
        **more,
    )


SHAPES = {
    "typical": (7, 12, {}),
    "sixty roles": (60, 12, {}),
    "difference": (6, 12, {"difference": True}),
    "long difference": (21, 8, {"difference": True}),
    "tiny": (2, 2, {}),
    "many columns": (2, 18, {}),
}


@pytest.fixture(scope="module", params=SHAPES)
def shaped(request, seen):
    """A figure, and what is read in it: each text, its edges, the colour behind it."""
    rows, columns, more = SHAPES[request.param]
    figure = busy(rows, columns, **more)
    return figure, seen.read(figure)


def test_every_text_stands_out_by_four_and_a_half_to_one(shaped, seen):
    _, told = shaped
    assert len(told) > 20
    for text, _, fill in told:
        assert seen.contrast(text.get_color(), fill) >= 4.5, text.get_text()


def test_every_cell_has_a_text(shaped):
    axes = shaped[0].axes[0]
    squares = {(round(patch.get_x() + 0.5), round(patch.get_y() + 0.5)) for patch in axes.patches}
    assert {tuple(map(int, text.xy)) for text in axes.texts if text.get_text().strip()} == squares
    assert len(squares) == len(axes.get_xticks()) * len(axes.get_yticks())


def test_no_text_runs_into_another_or_off_the_page(shaped, seen):
    figure, told = shaped
    assert seen.clashes(told) == []
    for text, (x0, y0, x1, y1), _ in told:
        assert x0 >= 0 <= y0, text.get_text()
        assert x1 <= figure.bbox.x1, text.get_text()
        assert y1 <= figure.bbox.y1, text.get_text()


# Slanted lines of text are as far apart as their feet times the sine of the angle; the last line of a label of two is
# one line lower than its first.
def test_slanted_labels_are_whole_and_clear_of_each_other(shaped):
    figure, _ = shaped
    axes = figure.axes[0]
    labels = axes.get_xticklabels()
    assert all(30 <= label.get_rotation() <= 45 for label in labels)
    assert not any("…" in label.get_text() for label in labels)
    feet = axes.transData.transform([(0, 0), (1, 0)])[:, 0]
    room = (feet[1] - feet[0]) * np.sin(np.radians(labels[0].get_rotation()))
    lines = max(1 + label.get_text().count("\n") for label in labels)
    assert room >= lines * labels[0].get_fontsize() * figure.dpi / 72


def test_no_letter_is_smaller_than_seven_and_a_half_points_and_a_page_of_a4_holds_sixty_rows(shaped):
    figure, told = shaped
    assert min(text.get_fontsize() for text, _, _ in told) >= 7.5
    if len(figure.axes[0].get_xticks()) <= 15:
        assert figure.get_figwidth() <= 7.501  # inches: 210 by 297 mm with margins of 10
    assert figure.get_figheight() <= 10.91


def test_the_same_numbers_make_the_same_bytes():
    assert figures.svg(busy(6, 4)) == figures.svg(busy(6, 4))
    assert figures.png(busy(22, 2, difference=True)) == figures.png(busy(22, 2, difference=True))


# Words are hashed anew in every process: no order may come from a set.
def test_another_run_makes_the_same_bytes():
    code = """
from otrack_risk.display import figures
from otrack_risk.display.heatmap import heatmap
from otrack_risk.display.tables import Hidden
counts = [[Hidden(5, "rest"), Hidden(5, "other"), Hidden(5), None, 250_000] * 3]
made = figures.svg(
    heatmap(["a"], list("bcdefghijklmnop"), counts, [["S"] * 15], [["excess"] * 15],
            title="A", unit="b", vmax=250_000, meanings={"S": "school"})
)
"""
    here = {}
    exec(code, here)
    there = subprocess.run(
        [sys.executable, "-c", code + "print(made)"],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout == here["made"] + "\n"
