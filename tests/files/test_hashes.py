"""Pictures that look alike: the hashes are the published ones, and the index misses no pair."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from otrack_risk.files.hashes import APART, Look, groups, looks
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.portraits import CHANGES, draw_portrait

GREY = bytes(192)


def portrait(number: int, change: str = "") -> Image.Image:
    return Image.open(io.BytesIO(draw_portrait(Chance(4), number, child=number, change=change)))


def test_both_hashes_are_those_of_imagehash_bit_by_bit():
    imagehash = pytest.importorskip("imagehash")
    for number in range(12):
        for picture in (portrait(number), portrait(number).convert("L"), portrait(number).convert("P")):
            look = looks(picture)
            assert look is not None
            assert f"{look.difference:016x}" == str(imagehash.dhash(picture))
            assert f"{look.perception:016x}" == str(imagehash.phash(picture))


def test_a_picture_without_anything_in_it_has_no_look():
    assert looks(Image.new("RGB", (64, 64), "blue")) is None
    assert looks(Image.linear_gradient("L")) is not None


# The source counts 8 of 2,100 copies beyond the limits: among 60 there is none for these numbers.
def test_copies_are_found_and_no_stranger():
    seen = [looks(portrait(number)) for number in range(20)]
    seen += [looks(portrait(number, change)) for number in range(20) for change in CHANGES]
    group = groups([look for look in seen if look is not None])
    assert group[:20].tolist() == list(range(20))
    assert group[20:].tolist() == [number for number in range(20) for _ in CHANGES]


def by_all_pairs(seen: list[Look], within: int, apart: float) -> list[int]:
    """The slower way: every pair, then who is reached from whom."""
    shades = [np.frombuffer(each.patches, np.uint8).reshape(64, 3).astype(float) for each in seen]

    def near(a: int, b: int) -> bool:
        by = shades[a] - shades[b]
        return (
            (seen[a].difference ^ seen[b].difference).bit_count() <= within
            and (seen[a].perception ^ seen[b].perception).bit_count() <= within
            and np.abs(by - by.mean(axis=0)).mean() <= apart
        )

    group = list(range(len(seen)))
    for a in range(len(seen)):
        for b in range(a):
            if near(a, b):
                old, new = max(group[a], group[b]), min(group[a], group[b])
                group = [new if each == old else each for each in group]
    order = list(dict.fromkeys(group))
    return [order.index(each) for each in group]


# A few hashes and, around them, hashes that differ in a few bits: near, just beyond, and far.
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 9))
def test_the_index_finds_the_same_groups_as_all_pairs(seed, within):
    chance = np.random.default_rng(seed)
    seen: list[Look] = []
    for _ in range(30):
        if seen and chance.random() < 0.7:
            of = seen[chance.integers(len(seen))]
            flips = [0, 0]
            for which in (0, 1):
                for _ in range(chance.integers(0, within + 3)):
                    flips[which] ^= 1 << int(chance.integers(64))
            patches = bytes(192) if chance.random() < 0.8 else chance.bytes(192)
            seen.append(Look(of.difference ^ flips[0], of.perception ^ flips[1], patches))
        else:
            one, other = (int(each) for each in chance.integers(0, 2**63, 2))
            seen.append(Look(one, other, GREY))
    assert groups(seen, within).tolist() == by_all_pairs(seen, within, APART)


# Four pictures of one hash: shades 16 apart in half of the patches are 8 apart on average once equally light.
def test_a_lighter_copy_is_a_copy_and_other_colours_are_not():
    half = np.zeros((64, 3), np.uint8)
    half[:32] = 16
    more = np.zeros((64, 3), np.uint8)
    more[:32] = 17
    seen = [Look(1, 1, each) for each in (GREY, bytes([40]) * 192, half.tobytes(), more.tobytes())]
    assert groups(seen[:3]).tolist() == [0, 0, 0]
    assert groups([seen[0], seen[3]]).tolist() == [0, 1]


def test_no_picture_has_no_group():
    assert groups([]).tolist() == []


# Portraits before one wall share most bits, so that many share a band: 6,000 that differ in 24 bits of each hash.
def test_pictures_that_have_much_in_common_are_compared_in_a_few_seconds():
    chance = np.random.default_rng(5)
    bits = chance.integers(0, 2**24, size=(6_000, 2))
    seen = [Look(int(a), int(b), GREY) for a, b in bits]
    start = time.perf_counter()
    groups(seen, within=3)
    assert time.perf_counter() - start < 10
