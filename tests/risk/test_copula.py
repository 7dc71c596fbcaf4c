"""The Gaussian copula against tables and populations of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from otrack_risk.errors import ParameterError
from otrack_risk.risk.copula import _cells, _rectangles, copula_uniques
from otrack_risk.risk.counts import Combinations


def combined(rows: np.ndarray) -> Combinations:
    """The distinct rows with how often each occurs; values are numbered from 1."""
    codes, size = np.unique(rows, axis=0, return_counts=True)
    return Combinations(tuple(f"a{i}" for i in range(rows.shape[1])), codes + 1, size)


def share_alone(chances: np.ndarray, population: float) -> float:
    """Of people who fall into cells with these chances: the share who are alone in theirs."""
    return float((chances * (1 - chances) ** (population - 1)).sum())


def copula_rows(rng: np.random.Generator, n: int, correlation: np.ndarray, marginals: list[np.ndarray]) -> np.ndarray:
    from scipy.special import ndtri

    normal = rng.standard_normal((n, len(marginals))) @ np.linalg.cholesky(correlation).T
    edges = [ndtri(np.cumsum(share)[:-1]) for share in marginals]
    return np.stack([np.searchsorted(edge, normal[:, i]) for i, edge in enumerate(edges)], axis=1)


# Shares 1/2, 1/4, .. of one and 0.4, 0.3, 0.2, 0.1 of the other; every cell holds the product of its shares exactly.
@pytest.mark.parametrize("fraction", [1.0, 0.2, 1e-6])
def test_independent_attributes_have_the_uniqueness_of_products_of_shares(fraction):
    one, other = np.array([32, 16, 8, 4, 2, 1, 1]), np.array([4, 3, 2, 1])
    size = np.outer(one, other)
    codes = np.stack(np.indices(size.shape), axis=-1).reshape(-1, 2) + 1
    found = Combinations(("a", "b"), codes, size.ravel())
    uniques = copula_uniques(found, fraction, np.random.default_rng(3))
    population = size.sum() / fraction
    exact = share_alone(size.ravel() / size.sum(), population) * population
    assert uniques.interval[0] - 1e-9 <= exact <= uniques.interval[1]
    assert uniques.interval[0] <= uniques.uniques <= uniques.interval[1]
    assert uniques.parameters["repaired"] == 0


def test_equal_cells_of_independent_attributes_need_no_chance():
    codes = np.stack(np.indices((5, 4, 6)), axis=-1).reshape(-1, 3) + 1
    found = Combinations(("a", "b", "c"), codes, np.full(120, 2))
    uniques = copula_uniques(found, 0.5, np.random.default_rng(1)).uniques  # 480 people over 120 cells
    assert uniques == pytest.approx(480 * (119 / 120) ** 479, rel=1e-6)


@pytest.mark.parametrize("attributes", [2, 3])
def test_attributes_that_say_the_same_are_as_telling_as_one_of_them(attributes):
    rng = np.random.default_rng(8)
    size = rng.integers(1, 40, 60)
    number = np.arange(60)
    codes = np.stack([number, *(rng.permutation(60)[number] for _ in range(attributes - 1))], axis=1) + 1
    uniques = copula_uniques(Combinations(("a", "b", "c")[:attributes], codes, size), 1.0, rng, draws=8_000)
    alone = share_alone(size / size.sum(), size.sum()) * size.sum()
    apart = size.sum() * (1 - 1 / 3600) ** (size.sum() - 1)  # about what independent attributes would give
    assert uniques.interval[0] * 0.99 <= alone <= uniques.interval[1] * 1.01
    assert alone < apart / 5


def test_a_population_drawn_from_a_copula_has_about_the_uniques_that_are_estimated_from_a_fifth_of_it():
    rng = np.random.default_rng(5)
    correlation = np.array([[1, 0.7, -0.4, 0.2], [0.7, 1, -0.3, 0.5], [-0.4, -0.3, 1, 0.1], [0.2, 0.5, 0.1, 1.0]])
    marginals = [rng.dirichlet(np.full(values, 0.8)) for values in (40, 25, 12, 6)]
    people = copula_rows(rng, 20_000, correlation, marginals)
    truth = np.count_nonzero(np.unique(people, axis=0, return_counts=True)[1] == 1)
    uniques = copula_uniques(combined(people[:4_000]), 0.2, rng, draws=8_000)
    assert uniques.uniques == pytest.approx(truth, rel=0.12)
    # the same from the values under other numbers, which say nothing
    renumbered = np.stack([rng.permutation(60)[column] for column in people[:4_000].T], axis=1)
    assert copula_uniques(combined(renumbered), 0.2, rng, draws=8_000).uniques == pytest.approx(truth, rel=0.12)


def test_the_order_of_the_combinations_does_not_matter_and_the_same_chance_gives_the_same():
    rows = np.random.default_rng(1).integers(0, 6, (300, 3))
    found, turn = combined(rows), np.random.default_rng(2).permutation(len(np.unique(rows, axis=0)))
    turned = Combinations(found.quasi_identifiers, found.codes[turn], found.size[turn])
    first, second = (copula_uniques(each, 0.1, np.random.default_rng(7)) for each in (found, turned))
    assert first == second


def test_people_who_are_all_alike_are_not_alone_and_a_single_person_is():
    alike = Combinations(("a", "b"), np.array([[1, 0]]), np.array([9]))
    assert copula_uniques(alike, 0.5, np.random.default_rng(1)).uniques == 0
    single = Combinations(("a", "b"), np.array([[1, 0]]), np.array([1]))
    assert copula_uniques(single, 1.0, np.random.default_rng(1)).uniques == 1


def test_correlations_that_do_not_go_together_are_repaired_and_said_to_be():
    rows = np.repeat(np.arange(30)[:, None], 3, axis=1)
    uniques = copula_uniques(combined(np.repeat(rows, 5, axis=0)), 0.5, np.random.default_rng(1))
    assert uniques.parameters["repaired"] == 1
    assert np.isfinite(uniques.uniques)


def test_cells_between_deviates_are_those_of_the_bivariate_normal():
    from scipy.stats import multivariate_normal

    across, down = np.array([-1.2, 0.1, 2.0]), np.array([-1.2, 0.3])
    angles, cells = _cells(across, down)
    for which in (5, 30, 50, 61, 75, 100, 115):
        r = np.sin(angles[which])
        below = multivariate_normal(cov=[[1, r], [r, 1]], allow_singular=True)
        expected = [[below.cdf([h, k]) for k in down] for h in across]
        assert np.cumsum(np.cumsum(cells[which], axis=0), axis=1)[:-1, :-1] == pytest.approx(
            np.array(expected), abs=1e-9
        )


def test_rectangles_have_the_probability_of_the_multivariate_normal():
    from scipy.stats import multivariate_normal, qmc

    correlation = np.array([[1, 0.6, -0.3], [0.6, 1, 0.2], [-0.3, 0.2, 1.0]])
    low, high = np.array([[-0.5, -np.inf, 0.2], [2.5, 2.0, -4.0]]), np.array([[0.3, 0.4, np.inf], [3.0, 2.2, -1.5]])
    points = qmc.Sobol(3, rng=np.random.default_rng(1)).random(4096)
    found = _rectangles(low, high, np.linalg.cholesky(correlation), points)
    normal = multivariate_normal(cov=correlation, abseps=1e-10, releps=1e-8, maxpts=10**6)
    expected = [normal.cdf(np.minimum(b, 9), lower_limit=np.maximum(a, -9)) for a, b in zip(low, high, strict=True)]
    assert found == pytest.approx(np.array(expected), rel=2e-3)


@pytest.mark.parametrize("wrong", [{"fraction": 0.0}, {"fraction": 1.2}, {"draws": 0}])
def test_a_fraction_outside_0_to_1_and_no_draw_are_refused(wrong):
    found = Combinations(("a",), np.array([[1], [2]]), np.array([1, 1]))
    with pytest.raises(ParameterError):
        copula_uniques(found, rng=np.random.default_rng(1), **({"fraction": 0.5} | wrong))
