"""Uniques of the population from a Gaussian copula: a model of the attributes, not of the class sizes alone.

The other models of :mod:`otrack_risk.risk.population` read how many classes of each size there are. This one fits
how often each value occurs and how strongly each two attributes go together, and asks how likely each
combination then is in the population.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from otrack_risk.errors import ParameterError, TableError
from otrack_risk.risk.counts import Combinations, Floats, Ints

_Z = 1.959963984540054  # standard normal deviate of a 95 % interval
_POINTS = 128  # of the integral that gives one combination's probability
_BLOCK = 250  # combinations integrated at once: what fits a cache
_GROUPS = 10  # of neighbouring values at most, to tell how two attributes go together
_ROUNDS = 30  # of reciprocal averaging
_FLOOR = 1e-12  # smallest eigenvalue of a correlation matrix that is left as it is


class CopulaUniques(NamedTuple):
    """What the fitted copula says of the population."""

    uniques: float  # people of the population who are alone with their combination
    interval: tuple[float, float]  # 95 %, from the number of combinations drawn alone
    reason: str | None  # always None: there is an answer
    parameters: dict[str, float]  # draws, points, and whether (1) or not (0) the correlations had to be repaired


def copula_uniques(
    combinations: Combinations, fraction: float, rng: np.random.Generator, *, draws: int = 4_000
) -> CopulaUniques:
    """People who are alone with their combination, if the attributes follow a Gaussian copula [1]_.

    Parameters
    ----------
    combinations : the distinct combinations of the table; a missing value is a value of its own
    fraction : records of the table over people of the population, above 0 and up to 1
    rng : source of chance
    draws : combinations drawn from the fitted copula; more of them narrow the interval

    Raises
    ------
    ParameterError
        A fraction outside (0, 1], fewer than one draw.
    TableError
        No record.

    Notes
    -----
    A person is alone among N with the chance (1 - p)^(N - 1), p the probability of their combination [1]_; the share of
    the population who are is the mean of that over the copula's people. It is what counting the uniques of a simulated
    population of N gives on average, without having to simulate N. p is the probability of a rectangle
    under the multivariate normal, after Genz [2]_, on points of a scrambled Sobol sequence.

    *Marginals*: the shares in the table; a value that the table does not hold does not exist for the model.
    *Order*: a copula needs its values in an order, and nominal attributes have none. The publication places
    them at random; here they are put in the order of the first axis of a correspondence analysis of all
    attributes (reciprocal averaging), in which the attributes rise and fall together as far as they can.
    Random places would hide that one attribute follows from another. The order, mutual information instead of
    likelihood, and drawing from the copula instead of from the table were chosen after comparing 16 such
    combinations on parts of five tables whose uniqueness is known; no other tables were kept back to confirm it.
    *Correlations*: for each two attributes the one that gives the mutual information of the table, as in the
    publication, less the part owed to chance ((cells that occur - rows - columns + 1) / 2n, Miller and Madow); the
    sign is the likelier one. Neighbouring values are first put together into at most ten groups of about one
    size: the correlation of a copula is the same for groups. A matrix that is not positive definite has its low
    eigenvalues raised and its diagonal set to 1 again.

    The interval (Wilson) tells of the draws alone. What the copula cannot say (more than two attributes together, a
    dependence that no order makes rise) is not in it and may weigh more: rules such as "a school lies in one
    district" come out too loose, and then too many are alone.

    References
    ----------
    .. [1] Rocher, Hendrickx and de Montjoye (2019), Nat. Commun. 10, 3069.
    .. [2] Genz (1992), J. Comput. Graph. Stat. 1(2), 141-149.

    Examples
    --------
    Sixteen people over sixteen equally likely cells: each is alone with chance (15/16)^15 = 0.3798, 6.08 people in all.

    >>> codes = np.array([[a, b] for a in range(1, 5) for b in range(1, 5)])
    >>> found = Combinations(("a", "b"), codes, size=np.ones(16, dtype=np.int64))
    >>> round(copula_uniques(found, 1.0, np.random.default_rng(1)).uniques, 2)
    6.08
    """
    if not 0 < fraction <= 1:
        raise ParameterError("fraction: the sampling fraction lies above 0 and up to 1.", "give 0.1 for a tenth.")
    if draws < 1:
        raise ParameterError("draws: at least one combination is drawn.", "give 4000, or leave it out.")
    if not len(combinations.size):
        raise TableError("subjects: no record, so nothing is known of the population.", "give a table with records.")
    population = combinations.records / fraction
    codes, size = _varying(combinations)
    if not codes.shape[1]:  # everybody is alike
        chance, repaired = np.full(draws, 1.0), False
    else:
        places, shares = _places(codes, size, rng)
        correlation, repaired = _correlation(places, shares, size)
        chance = _probabilities(shares, correlation, rng, draws)
    others = np.log1p(-np.minimum(chance, 1 - 1e-9))
    alone = np.where(chance < 1 - 1e-9, np.exp((population - 1) * others), float(population == 1))
    share = math.fsum(alone) / draws
    low, high = _wilson(share, draws)
    return CopulaUniques(
        uniques=share * population,
        interval=(low * population, high * population),
        reason=None,
        parameters={"draws": float(draws), "points": float(_POINTS), "repaired": float(repaired)},
    )


def _wilson(share: float, draws: int) -> tuple[float, float]:
    square = _Z**2 / draws
    half = _Z * math.sqrt(max(share * (1 - share), 0.0) / draws + square / (4 * draws))
    low, high = ((share + square / 2 + side * half) / (1 + square) for side in (-1, 1))
    return min(max(low, 0.0), share), max(min(high, 1.0), share)


def _varying(combinations: Combinations) -> tuple[Ints, Ints]:
    """Codes from 0 without gaps, of the attributes that differ at all, most values first; sorted."""
    columns = [np.unique(column, return_inverse=True)[1] for column in combinations.codes.T]
    kept = sorted((column for column in columns if column.max() > 0), key=lambda column: -int(column.max()))
    if not kept:
        return np.empty((len(combinations.size), 0), dtype=np.int64), combinations.size
    order = np.lexsort(kept[::-1])
    return np.stack(kept, axis=1)[order], combinations.size[order]


def _places(codes: Ints, size: Ints, rng: np.random.Generator) -> tuple[Ints, list[Floats]]:
    """Each code replaced by its place along the first axis, and the shares of the values by place."""
    width = codes.max(axis=0) + 1
    counts = [np.bincount(column, weights=size) for column in codes.T]
    scores = [rng.standard_normal(int(values)) for values in width]
    for _ in range(_ROUNDS):
        row = sum((score[column] for score, column in zip(scores, codes.T, strict=True)), np.zeros(len(size)))
        row -= np.average(row, weights=size)
        row /= math.sqrt(max(float(np.average(row**2, weights=size)), 1e-300))
        mass = row * size
        scores = [np.bincount(c, weights=mass) / n for c, n in zip(codes.T, counts, strict=True)]
    places, shares = np.empty_like(codes), []
    for number, (score, count) in enumerate(zip(scores, counts, strict=True)):
        order = np.lexsort((-count, np.round(score, 9)))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        places[:, number] = place[codes[:, number]]
        shares.append(count[order] / count.sum())
    return places, shares


def _correlation(places: Ints, shares: list[Floats], size: Ints) -> tuple[Floats, bool]:
    """The correlation of each two attributes, repaired where they do not go together; and whether they had to be."""
    from scipy.special import ndtri

    grouped, edges = [], []
    for column, share in zip(places.T, shares, strict=True):
        middle = np.cumsum(share) - share / 2
        _, group = np.unique(np.minimum(middle * _GROUPS, _GROUPS - 1).astype(np.int64), return_inverse=True)
        grouped.append(group[column])
        edges.append(ndtri(np.cumsum(np.bincount(group, weights=share))[:-1]))
    matrix = np.eye(len(shares))
    for i in range(len(shares)):
        for j in range(i):
            rows, columns = len(edges[i]) + 1, len(edges[j]) + 1
            if min(rows, columns) == 1:
                continue  # nearly everybody has one value, which then says nothing of another attribute
            counted = np.bincount(grouped[i] * columns + grouped[j], weights=size, minlength=rows * columns)
            matrix[i, j] = matrix[j, i] = _matched(counted.reshape(rows, columns), edges[i], edges[j])
    values, vectors = np.linalg.eigh(matrix)
    repaired = bool(values[0] < _FLOOR)
    if repaired:
        matrix = (vectors * np.maximum(values, _FLOOR)) @ vectors.T
        scale = np.sqrt(np.diag(matrix))
        matrix = matrix / scale[:, None] / scale
    return matrix, repaired


def _matched(counted: Floats | Ints, across: Floats, down: Floats) -> float:
    """The correlation whose cells have the mutual information of the table ``counted``, and the likelier sign."""
    n = counted.sum()
    share = counted / n
    apart = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    seen = float((share * np.log(np.where(share > 0, share, 1.0) / apart)).sum())
    seen -= (np.count_nonzero(counted) - sum(counted.shape) + 1) / (2 * n)
    if seen <= 0:
        return 0.0
    angles, cells = _cells(across, down)  # by angle, whose sine is the correlation
    information = (cells * np.log(cells / apart)).sum(axis=(1, 2))
    likelihood = (np.log(cells) * counted).sum(axis=(1, 2))
    middle = len(angles) // 2
    sign = 1 if likelihood[middle:].max() >= likelihood[: middle + 1].max() else -1
    side = slice(middle, None) if sign == 1 else slice(middle, None, -1)
    rising = np.maximum.accumulate(information[side])
    return sign * math.sin(float(np.interp(seen, rising, np.abs(angles[side]))))


def _cells(across: Floats, down: Floats) -> tuple[Floats, Floats]:
    """Probabilities of the cells between two sets of normal deviates, by correlation.

    The bivariate distribution function at correlation r is the product of the two margins plus an integral over
    the angle from 0 to arcsin r (Drezner and Wesolowsky 1990), summed here from one angle to the next.
    """
    from scipy.special import ndtr

    near = np.linspace(0, 1.3, 27)
    positive = np.concatenate((near, math.pi / 2 - np.geomspace(math.pi / 2 - 1.3, 1e-6, 36)[1:]))
    angles = np.concatenate((-positive[:0:-1], positive))
    nodes, weights = np.polynomial.legendre.leggauss(8)
    middle, half = (positive[1:] + positive[:-1]) / 2, np.diff(positive) / 2
    at = (middle[:, None] + half[:, None] * nodes).ravel()
    by = (half[:, None] * weights).ravel() / (2 * math.pi)
    product, squares = across[:, None] * down, across[:, None] ** 2 + down**2
    start = ndtr(across)[:, None] * ndtr(down)
    both = np.empty((len(angles), len(across), len(down)))
    both[len(positive) - 1] = start
    for sign in (1, -1):
        sine, cosine = sign * np.sin(at)[:, None, None], np.cos(at)[:, None, None]
        density = np.exp(-(squares - 2 * product * sine) / (2 * cosine**2)) * by[:, None, None]
        steps = density.reshape(len(middle), len(nodes), len(across), len(down)).sum(axis=1).cumsum(axis=0)
        if sign == 1:
            both[len(positive) :] = start + steps
        else:
            both[len(positive) - 2 :: -1] = start - steps
    full = np.zeros((len(angles), len(across) + 2, len(down) + 2))
    full[:, 1:-1, 1:-1] = both
    full[:, 1:-1, -1], full[:, -1, 1:-1], full[:, -1, -1] = ndtr(across), ndtr(down), 1.0
    return angles, np.maximum(np.diff(np.diff(full, axis=1), axis=2), 1e-15)


def _probabilities(shares: list[Floats], correlation: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """The probability of each of ``draws`` combinations, drawn from the copula."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    root = np.asarray(np.linalg.cholesky(correlation), dtype=np.float64)
    drawn = rng.standard_normal((draws, len(shares))) @ root.T
    low, high = np.empty_like(drawn), np.empty_like(drawn)
    for number, share in enumerate(shares):
        inside = ndtri(np.minimum(np.cumsum(share)[:-1], 1 - 1e-16))
        edges = np.concatenate(([-np.inf], inside, [np.inf]))
        place = np.searchsorted(inside, drawn[:, number])
        low[:, number], high[:, number] = edges[place], edges[place + 1]
    points = np.asarray(qmc.Sobol(len(shares), rng=rng).random(_POINTS), dtype=np.float64)
    blocks = range(0, draws, _BLOCK)
    return np.concatenate([_rectangles(low[b : b + _BLOCK], high[b : b + _BLOCK], root, points) for b in blocks])


def _rectangles(low: Floats, high: Floats, root: Floats, points: Floats) -> Floats:
    """Probability of each rectangle under the multivariate normal with Cholesky factor ``root`` (Genz 1992).

    Attribute by attribute: the chance of falling inside given a point inside the ones before.
    """
    from scipy.special import ndtr, ndtri

    known = np.empty((len(root), len(low), len(points)))  # standard normal part of each attribute so far
    chance = np.ones((len(low), len(points)))
    for i, row in enumerate(root):
        shift = np.tensordot(row[:i], known[:i], axes=1)
        below = (low[:, i, None] - shift) / row[i]
        above = (high[:, i, None] - shift) / row[i]
        upper = below > 0  # in the upper tail the mirrored rectangle is the precise one
        start = ndtr(np.where(upper, -above, below))
        width = np.maximum(ndtr(np.where(upper, -below, above)) - start, 0.0)
        chance *= width
        inside = ndtri(np.clip(start + width * points[:, i], 1e-300, 1 - 1e-16))
        known[i] = np.where(upper, -inside, inside)
    return np.asarray(chance.mean(axis=1), dtype=np.float64)
