from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.display.shades import Shades, bin_starts, ink_on
from otrack_risk.display.tables import Hidden

ROLLS = [1, 7, 90, 900, 1_204, 6_000, 30_000, 160_000, 250_000, 12_000_000]


@pytest.mark.parametrize("vmax", ROLLS)
def test_neighbouring_steps_stay_ten_apart_in_lightness_to_every_eye(vmax, seen):
    steps = [fill for fill, _, words in Shades(vmax, difference=False).legend() if words != "not known"]
    assert 2 <= len(steps) <= 8  # nobody is one of them
    for eye in seen.eyes:
        lightness = seen.lab(steps, eye)[:, 0]
        assert (-np.diff(lightness) >= 10).all(), (eye, lightness)


@pytest.mark.parametrize("vmax", ROLLS)
def test_steps_of_a_difference_stay_ten_apart_on_either_side_of_its_neutral_middle(vmax, seen):
    steps = [fill for fill, _, words in Shades(vmax, difference=True).legend() if words != "not known"]
    middle = len(steps) // 2
    assert len(steps) % 2 == 1
    assert len(steps) <= 8
    assert np.ptp(steps[middle]) < 0.01  # grey
    for eye in seen.eyes:
        lightness = seen.lab(steps, eye)[:, 0]
        assert (np.diff(lightness[: middle + 1]) >= 10).all()
        assert (-np.diff(lightness[middle:]) >= 10).all()


# A difference of 10 in CIELAB is seen at a glance (1 is about the least that can be seen at all).
@pytest.mark.parametrize("vmax", [90, 900, 250_000])
def test_more_and_fewer_are_told_apart_by_every_eye_and_by_their_sign(vmax, seen):
    shades = Shades(vmax, difference=True)
    for eye in seen.eyes:
        apart = np.linalg.norm(seen.lab(shades.more, eye) - seen.lab(shades.fewer, eye), axis=1)
        assert (apart >= 10).all()
    assert [(text, words) for _, text, words in shades.legend()][:1] == [("−", shades.names[-1] + " fewer")]
    assert (shades.sign(5), shades.sign(-5), shades.sign(0), shades.sign(None)) == ("+", "−", "", "")


def test_the_same_count_more_and_fewer_are_equally_far_from_the_middle(seen):
    shades = Shades(900, difference=True)
    more, fewer = seen.lab(shades.more)[:, 0], seen.lab(shades.fewer)[:, 0]
    assert more == pytest.approx(fewer, abs=1)


@settings(deadline=None)
@given(st.integers(1, 10**9), st.integers(2, 8))
def test_steps_begin_at_one_or_three_of_a_power_of_ten_and_reach_no_further_than_the_roll(vmax, most):
    starts = bin_starts(vmax, most)
    assert starts[0] == 1
    assert starts == sorted(set(starts))
    assert starts[-1] <= vmax
    assert len(starts) <= most
    assert all(str(start)[0] in "13" and set(str(start)[1:]) <= {"0"} for start in starts)


def test_a_small_school_has_every_half_decade_and_a_large_trust_only_the_upper_ones():
    assert bin_starts(900) == [1, 10, 30, 100, 300]
    assert bin_starts(3_000) == [1, 10, 30, 100, 300, 1_000, 3_000]
    assert bin_starts(250_000) == [1, 10, 100, 1_000, 10_000, 30_000, 100_000]


# The scale of next year's audit is the same as long as the roll stays between two steps.
def test_a_roll_that_changes_a_little_leaves_the_shades_as_they_are():
    last, this = Shades(870, difference=False), Shades(921, difference=False)
    assert [last.of(count) for count in (1, 12, 250, 870)] == [this.of(count) for count in (1, 12, 250, 870)]


@pytest.mark.parametrize(("count", "step"), [(1, 0), (9, 0), (10, 1), (29, 1), (30, 2), (299, 3), (300, 4), (900, 4)])
def test_a_count_has_the_shade_of_its_step(count, step):
    shades = Shades(900, difference=False)
    assert shades.of(count) == shades.more[step]
    assert shades.names == ["1–9", "10–29", "30–99", "100–299", "300–900"]


def test_the_shade_of_a_hidden_count_tells_no_more_than_its_words():
    shades = Shades(900, difference=False)
    assert shades.of(Hidden(20)) == shades.of(1)  # the same below 10 and above
    assert shades.of(Hidden(5, "rest")) == shades.of(900)
    assert shades.of(Hidden(5, "other")) == shades.of(None)
    change = Shades(900, difference=True)
    assert {change.of(Hidden(5, why)) for why in ("few", "rest", "other")} == {change.of(None)}


@settings(deadline=None)
@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_black_or_white_stands_out_from_any_shade_by_four_and_a_half_to_one(rgb):
    luminance = float(
        np.where(np.array(rgb) <= 0.04045, np.array(rgb) / 12.92, ((np.array(rgb) + 0.055) / 1.055) ** 2.4)
        @ [0.2126, 0.7152, 0.0722]
    )
    ratio = {"#000000": (luminance + 0.05) / 0.05, "#ffffff": 1.05 / (luminance + 0.05)}
    assert ratio[ink_on(rgb)] == max(ratio.values()) >= 4.5
