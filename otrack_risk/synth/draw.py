"""Drawing by weight, for whole columns at once; a chance depends on what is drawn and for whom, and on nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Chance:
    """Chance of one world: the same number for the same seed, question and keys, whatever else is drawn, and where.

    Notes
    -----
    SplitMix64 [1]_ over the keys: whole numbers only, so that no library's version moves it. A row's chance
    is keyed by the row's own number, so that towns may be made in any order, by any number of processes.

    References
    ----------
    .. [1] Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, OOPSLA.

    Examples
    --------
    >>> pupils = np.array([1, 2, 3])
    >>> drawn = Chance(7).of("pupils.sex", pupils)
    >>> drawn[::-1].tolist() == Chance(7).of("pupils.sex", pupils[::-1]).tolist()
    True
    """

    seed: int

    def of(self, what: str, *keys: Ints) -> Floats:
        """A number from 0 to 1 (exclusive) for each entry of the keys.

        Parameters
        ----------
        what : ``table.column`` or ``table.column.reason``: two questions of one row are independent
        keys : arrays of equal length (or broadcast), at least one
        """
        bits: Floats = (self._words(what, keys) >> np.uint64(11)).astype(np.float64)
        return bits * 2.0**-53

    def whole(self, what: str, below: int, *keys: Ints) -> Ints:
        """A whole number from 0 to ``below`` (exclusive) for each entry of the keys, all alike likely."""
        found: Ints = (self.of(what, *keys) * below).astype(np.int64)
        return found

    def _words(self, what: str, keys: Sequence[Ints]) -> npt.NDArray[np.uint64]:
        start = hashlib.blake2b(f"{self.seed}:{what}".encode(), digest_size=8).digest()
        word = np.array([int.from_bytes(start, "little")], dtype=np.uint64)
        with np.errstate(over="ignore"):  # arithmetic modulo 2 to the 64
            for key in keys:
                entries = np.asarray(key).astype(np.int64).view(np.uint64)
                word = _mixed((word ^ _mixed(entries * _GOLDEN + _FIRST)) + _GOLDEN)
        return word


def _mixed(word: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    word = (word ^ (word >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    mixed: npt.NDArray[np.uint64] = word ^ (word >> np.uint64(31))
    return mixed


def choose(u: Floats, weights: Sequence[float] | Floats) -> Ints:
    """A place of ``weights`` for each uniform number, each in proportion to its weight.

    Examples
    --------
    >>> choose(np.array([0.0, 0.24, 0.25, 0.99]), [1, 0, 3]).tolist()
    [0, 0, 2, 2]
    """
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    found: Ints = np.searchsorted(edges, u * edges[-1], side="right")
    last = int(np.flatnonzero(np.asarray(weights))[-1])
    return np.minimum(found, last)


def choose_by(u: Floats, weights: Floats, row: Ints) -> Ints:
    """One place of ``weights[row]`` for each uniform number and its ``row``; weights is (rows, places)."""
    edges = np.cumsum(weights, axis=1)
    edges = edges / edges[:, -1:] + np.arange(len(edges))[:, None]  # one ascending line: row r spans r to r + 1
    found: Ints = np.searchsorted(edges.ravel(), u + row, side="right")
    last = weights.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)  # the last place that has weight
    place: Ints = np.minimum(found - row * weights.shape[1], last[row])
    return place


def normal(u: Floats) -> Floats:
    """The quantile of the standard normal distribution at each uniform number, to six places."""
    from scipy.special import ndtri

    inside = np.clip(u, 2.0**-54, 1 - 2.0**-53)
    found: Floats = np.round(ndtri(inside), 6)
    return found


def beta(u: Floats, a: float | Floats, b: float | Floats) -> Floats:
    """The quantile of the beta distribution at each uniform number, to six places."""
    from scipy.special import betaincinv

    found: Floats = np.round(betaincinv(a, b, np.clip(u, 2.0**-54, 1 - 2.0**-53)), 6)
    return found


def gather(values: Sequence[str], places: Ints) -> pl.Series:
    """The texts at these places; a place of -1 is missing."""
    index = pl.Series(places)
    return pl.Series(values, dtype=pl.String).gather(index.set(index < 0, None))


def numbers(ids: pl.Series) -> Ints:
    """The numbers in these keys, by which chance is keyed.

    Examples
    --------
    >>> numbers(pl.Series(["P0000123", "H0000007B"])).tolist()
    [123, 7]
    """
    found: Ints = ids.str.replace_all(r"\D", "").cast(pl.Int64).to_numpy()
    return found


def rank_within(key: Ints, order: Floats | Ints) -> Ints:
    """The place of each entry among those with the same key, by ``order``; 0 is the first.

    Examples
    --------
    >>> rank_within(np.array([7, 5, 7]), np.array([0.9, 0.1, 0.2])).tolist()
    [1, 0, 0]
    """
    by = np.lexsort((order, key))
    sorted_key = key[by]
    first = np.searchsorted(sorted_key, sorted_key, side="left")
    rank = np.empty(len(key), dtype=np.int64)
    rank[by] = np.arange(len(key)) - first
    return rank


def apportion(weights: Sequence[float] | Floats | Ints, total: int) -> Ints:
    """Whole numbers in proportion to the weights that add up to ``total`` (largest remainders).

    Examples
    --------
    >>> apportion([1, 1, 1], 10).tolist(), apportion([2.0, 1.0], 4).tolist()
    ([4, 3, 3], [3, 1])
    """
    exact = np.asarray(weights, dtype=np.float64) / np.sum(weights) * total
    whole: Ints = np.floor(exact).astype(np.int64)
    short = total - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:short]] += 1
    return whole
