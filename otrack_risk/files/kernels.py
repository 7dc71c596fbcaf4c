"""The one loop that decides the speed of comparing many pictures, compiled when first called and kept on disk.

What it computes is said where it is called, and a test holds it to all pairs.
"""

# numba compiles these from their untyped form, so that parameters carry no annotations but in the docstring.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, assignment"
from __future__ import annotations

import numpy as np
from numba import njit

_ODD, _PAIRS, _NIBBLES = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES = np.uint64(0x0101010101010101)


@njit(nogil=True, inline="always")
def _bits(word):
    """Bits that are 1, in parallel (Warren, Hacker's Delight, 5-1)."""
    word -= (word >> np.uint64(1)) & _ODD
    word = (word & _PAIRS) + ((word >> np.uint64(2)) & _PAIRS)
    word = (word + (word >> np.uint64(4))) & _NIBBLES
    return np.int64((word * _BYTES) >> np.uint64(56))


@njit(nogil=True, inline="always")
def _root(group, place):
    while group[place] != place:
        group[place] = group[group[place]]
        place = group[place]
    return place


@njit(nogil=True)
def _close(patches, a, b, apart):
    """Whether the patches differ by few shades on average, once the whole is equally light and tinted."""
    count = patches.shape[1]
    left = apart * count * patches.shape[2]
    for colour in range(patches.shape[2]):
        total = 0
        for patch in range(count):
            total += np.int64(patches[a, patch, colour]) - np.int64(patches[b, patch, colour])
        mean = total / count
        for patch in range(count):
            by = np.int64(patches[a, patch, colour]) - np.int64(patches[b, patch, colour])
            left -= abs(by - mean)
        if left < 0:
            return False
    return True


@njit(nogil=True, cache=True)
def join_near(order, key, one, other, patches, group, within, apart):
    """Join in ``group`` (the place of each picture's parent) all pairs of one key that are near.

    ``key``, ``one`` and ``other`` stand sorted by key, ``order`` says whose each is; ``patches`` and ``group`` do not.
    """
    for i in range(len(key)):
        j = i + 1
        while j < len(key) and key[j] == key[i]:
            if _bits(one[i] ^ one[j]) <= within and _bits(other[i] ^ other[j]) <= within:
                a, b = _root(group, order[i]), _root(group, order[j])
                if a != b and _close(patches, order[i], order[j], apart):
                    group[max(a, b)] = min(a, b)
            j += 1
