"""Pictures that look alike: two hashes of 64 bits and a few patches, by an index of bands instead of all pairs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Hashes = NDArray[np.uint64]

WITHIN = 10  # bits of 64 in which each of the hashes may differ: this project's own default, see the Notes of `groups`
APART = 8.0  # shades of 256 by which 8 by 8 patches of colour may differ on average: likewise
PLAIN = 12  # of 256 shades between the darkest and the lightest: a flatter picture has nothing to compare


class Look(NamedTuple):
    """How a picture looks; small, since a set may have hundreds of thousands."""

    difference: int  # dHash, 64 bits
    perception: int  # pHash, 64 bits
    patches: bytes  # red, green and blue of 8 by 8 patches


def looks(picture: Image) -> Look | None:
    """The dHash, the pHash and the patches of a picture, or None where it is too plain to have any.

    dHash tells of eight rows of nine shades whether each is lighter than the one before; pHash, of the 8 by 8 lowest
    frequencies of 32 by 32 shades, which lie above their median. Bit by bit what ImageHash 4.3 gives [1]_ [2]_,
    but that frequencies are rounded to a thousandth of a shade, so that noise of the arithmetic decides no bit.

    References
    ----------
    .. [1] Krawetz (2013), Kind of Like That (dHash); (2011), Looks Like It (pHash), hackerfactor.com.
    .. [2] Buchner, ImageHash 4.3.2, imagehash.dhash and imagehash.phash.
    """
    from PIL import Image
    from PIL.Image import Resampling

    grey = picture if picture.mode == "L" else picture.convert("L")
    colour = picture if picture.mode == "RGB" else picture.convert("RGB")
    sheet = Image.new("RGB", (32, 48))  # one sheet, since the way from Pillow to numpy is longer than the arithmetic
    sheet.paste(grey.resize((32, 32), Resampling.LANCZOS), (0, 0))
    sheet.paste(grey.resize((9, 8), Resampling.LANCZOS), (0, 32))
    sheet.paste(colour.resize((8, 8), Resampling.BOX), (0, 40))
    held = np.asarray(sheet)
    small = held[:32, :, 0].astype(np.float64)
    if small.max() - small.min() < PLAIN:
        return None
    steps = held[32:40, :9, 0]
    waves = _cosines()
    low = np.round(waves @ small @ waves.T, 3)
    return Look(_packed(steps[:, 1:] > steps[:, :-1]), _packed(low > np.median(low)), held[40:, :8].tobytes())


def groups(looks: Sequence[Look], within: int = WITHIN, apart: float = APART) -> NDArray[np.int64]:
    """For each picture the number of its group; two that are near each other are in one group.

    Parameters
    ----------
    looks : one entry a picture
    within : bits in which each hash may differ, 0 to 31
    apart : shades, of 256, by which the patches may differ on average, once the whole is equally light

    Notes
    -----
    Nearness passes on: a group may hold two pictures that are not near each other, by way of a third. No pair is
    missed: two hashes that differ in at most ``within`` bits are equal in at least one of ``within`` + 1 bands, so
    only pictures that share a band of each hash are compared.

    Both hashes have to agree, and the colours of 8 by 8 patches, since hashes alone take strangers for copies: of 4.5
    million pairs among 3,000 drawn portraits 319 that are no copies are within 10 bits by both, which among 214,000
    pictures would be enough to chain most of them together. Of 245,000 pairs of strangers none had patches less than
    14 shades apart; of 2,100 copies (smaller, saved again, cropped) none more than 6.0, while 8 had a hash more than
    10 bits away (31 more than 8). Those, and copies in other colours, count as pictures of their own.

    Examples
    --------
    >>> a, b = Look(0b0000, 0, bytes(192)), Look(0b0111, 1, bytes(192))
    >>> groups([a, b, Look(0b0111, 0b11111, bytes(192))], within=3).tolist()
    [0, 0, 1]
    """
    from otrack_risk.files.kernels import join_near

    if not looks:
        return np.zeros(0, dtype=np.int64)
    known: dict[Look, int] = {}
    own = np.array([known.setdefault(look, len(known)) for look in looks])
    one = np.array([look.difference for look in known], dtype=np.uint64)
    other = np.array([look.perception for look in known], dtype=np.uint64)
    patches = np.frombuffer(b"".join(look.patches for look in known), dtype=np.uint8).reshape(len(known), 64, 3)
    group = np.arange(len(known))
    for first in _bands(one, within):
        for second in _bands(other, within):
            key = first << np.uint64(32) | second
            order = np.argsort(key, kind="stable")
            join_near(order, key[order], one[order], other[order], patches, group, within, apart)
    while not np.array_equal(upper := group[group], group):  # every picture is given the number of its group's root
        group = upper
    return _by_first(group[own])


def _bands(hashes: Hashes, within: int) -> list[Hashes]:
    """The bits of the hash dealt to ``within`` + 1 bands, those that tell most apart first.

    Portraits before one wall have many bits in common: side by side these would make bands that tell nobody apart.
    """
    bits = [(hashes >> np.uint64(place)) & np.uint64(1) for place in range(64)]
    uneven = [abs(float(bit.mean()) - 0.5) for bit in bits]
    bands = [np.zeros_like(hashes) for _ in range(within + 1)]
    for turn, place in enumerate(sorted(range(64), key=uneven.__getitem__)):
        bands[turn % len(bands)] = bands[turn % len(bands)] << np.uint64(1) | bits[place]
    return bands


def _by_first(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups numbered in the order in which they are met, so that numbers do not hang on the hashes."""
    _, first, own = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[own.ravel()]


@cache
def _cosines() -> NDArray[np.float64]:
    """The eight lowest of 32 waves of the discrete cosine transform (type II, twice the sum, as SciPy has it)."""
    place, wave = np.arange(32), np.arange(8)[:, None]
    return np.asarray(2 * np.cos(np.pi * wave * (2 * place + 1) / 64), dtype=np.float64)


def _packed(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits.ravel()).tobytes(), "big")
