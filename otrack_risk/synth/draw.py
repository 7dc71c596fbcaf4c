"""Drawing by weight, for whole columns at once; every chance comes from the generator handed in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]


def choose(rng: np.random.Generator, weights: Sequence[float] | Floats, size: int) -> Ints:
    """``size`` places of ``weights``, each drawn in proportion to its weight.

    Examples
    --------
    >>> choose(np.random.default_rng(0), [0, 1, 0], 3).tolist()
    [1, 1, 1]
    """
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    found: Ints = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.minimum(found, len(edges) - 1)


def choose_by(rng: np.random.Generator, weights: Floats, row: Ints) -> Ints:
    """One place of ``weights[row]`` for each entry of ``row``; weights is (rows, places)."""
    edges = np.cumsum(weights, axis=1)
    edges = edges / edges[:, -1:] + np.arange(len(edges))[:, None]  # one ascending line: row r spans r to r + 1
    found: Ints = np.searchsorted(edges.ravel(), rng.random(len(row)) + row, side="right")
    place: Ints = np.minimum(found - row * weights.shape[1], weights.shape[1] - 1)
    return place


def gather(values: Sequence[str], places: Ints) -> pl.Series:
    """The texts at these places; a place of -1 is missing."""
    index = pl.Series(places)
    return pl.Series(values, dtype=pl.String).gather(index.set(index < 0, None))


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


def apportion(weights: Sequence[float] | Floats, total: int) -> Ints:
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
