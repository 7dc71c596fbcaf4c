"""Uniques of the population: worked by hand, by slow exact sums, and as others publish them."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import ParameterError, TableError
from otrack_risk.risk.classes import classes
from otrack_risk.risk.counts import Classes, Combinations
from otrack_risk.risk.population import Estimate, PopulationUniques, _dankar, population_uniques

HISTOGRAM = {1: 60, 2: 25, 3: 12, 5: 6, 9: 3, 40: 1}
HISTOGRAMS = st.dictionaries(st.integers(1, 12), st.integers(1, 40), min_size=1, max_size=6)


def counted(histogram: dict[int, int]) -> Classes:
    sizes = sorted(histogram)
    columns = {"size": sizes, "classes": [histogram[s] for s in sizes]}
    return Classes(pl.DataFrame(columns).with_columns(data_subjects=pl.col("size") * pl.col("classes")), 0)


def estimated(histogram: dict[int, int], fraction: float, **others: Any) -> PopulationUniques:
    known = {"quasi_identifiers": ["year", "sex"], "missing": "own-category"}
    return population_uniques(counted(histogram), fraction, **known, **others)


def records(histogram: dict[int, int]) -> int:
    return sum(size * number for size, number in histogram.items())


def width(estimate: Estimate) -> float:
    """Standard deviation of the log of the uniques that the interval was made from."""
    low, high = estimate.interval
    return math.log(high / low) / 2 / 1.959963984540054


# --- Zayatz ---


def zayatz_exactly(histogram: dict[int, int], n: int, population: int) -> Fraction:
    def once(size: int) -> Fraction:
        left = population - size
        return size * Fraction(math.comb(left, n - 1), math.comb(population, n)) if left >= n - 1 else Fraction(0)

    seen = sum(number * once(size) for size, number in histogram.items())
    return histogram[1] * histogram[1] * once(1) / seen * Fraction(population, n)


# Two alone and a pair, 4 of 8 drawn. Exactly one of a pair: 2 C(6, 3) / C(8, 4) = 40/70 = 4/7; one of one: 1/2.
# P(alone | alone in the table) = (2 x 1/2) / (2 x 1/2 + 1 x 4/7) = 7/11; 2 x 7/11 x 2 = 28/11.
def test_zayatz_of_two_alone_and_a_pair_is_28_elevenths():
    assert estimated({1: 2, 2: 1}, 0.5).models["zayatz"].uniques == pytest.approx(28 / 11, rel=1e-14)


@given(HISTOGRAMS, st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_zayatz_is_the_hypergeometric_formula_in_exact_fractions(histogram, larger):
    histogram = histogram | {1: histogram.get(1, 1)}
    n = records(histogram)
    found = estimated(histogram, 1 / larger).models["zayatz"].uniques
    assert found == pytest.approx(float(zayatz_exactly(histogram, n, n * larger)), rel=1e-11)


# The product of section Notes of _one_drawn, in whole numbers: i (N-n)(N-n-1).. / ((N-1)(N-2)..), i - 1 factors.
def test_zayatz_is_exact_where_the_population_does_not_fit_32_bits():
    histogram, population = {1: 500_000, 2: 100_000, 7: 23_515}, 864_605_000_000
    n = records(histogram)

    def over_one(size: int) -> Fraction:
        above = math.prod(population - n - k for k in range(size - 1))
        return size * Fraction(above, math.prod(population - 1 - k for k in range(size - 1)))

    exact = Fraction(500_000**2 * population, n) / sum(u * over_one(size) for size, u in histogram.items())
    assert estimated(histogram, 1e-6).models["zayatz"].uniques == pytest.approx(float(exact), rel=1e-12)


def test_the_interval_of_zayatz_is_that_of_poisson_counts_of_classes():
    histogram, variance = {1: 40_000, 2: 10_000, 4: 3_000}, 0.0
    n = records(histogram)
    one = {size: size * (1 - 0.25) ** (size - 1) for size in histogram}  # binomial in place of hypergeometric

    def model(counts: dict[int, float]) -> float:
        return counts[1] ** 2 / sum(counts[size] * one[size] for size in counts) / 0.25

    for size, number in histogram.items():
        ahead, behind = (model(histogram | {size: number + step}) for step in (1, -1))
        variance += number * ((ahead - behind) / 2) ** 2
    estimate = estimated(histogram, 0.25).models["zayatz"]
    low, high = estimate.interval
    assert (high - low) / 2 == pytest.approx(1.959963984540054 * math.sqrt(variance), rel=1e-3)
    assert (high + low) / 2 == pytest.approx(estimate.uniques, rel=1e-12)
    assert n * 4 >= high


# --- Pitman ---


def pitman_scores(histogram: dict[int, int], theta: float, alpha: float) -> tuple[float, float]:
    n, u = records(histogram), sum(histogram.values())
    inside = math.fsum(number / (k - alpha) for size, number in histogram.items() for k in range(1, size))
    by_theta = [1 / (theta + i * alpha) for i in range(1, u)] + [-1 / (theta + i) for i in range(1, n)]
    return math.fsum(by_theta), math.fsum([*(i / (theta + i * alpha) for i in range(1, u)), -inside])


def pitman_likelihood(histogram: dict[int, int], theta: float, alpha: float) -> float:
    n, u = records(histogram), sum(histogram.values())
    inside = [number * math.log(k - alpha) for size, number in histogram.items() for k in range(1, size)]
    return math.fsum(
        [
            *inside,
            *(math.log(theta + i * alpha) for i in range(1, u)),
            *(-math.log(theta + i) for i in range(1, n)),
        ]
    )


@pytest.mark.parametrize(
    "histogram",
    [
        HISTOGRAM,
        {1: 3, 2: 1, 30: 2},
        {1: 900, 2: 90, 3: 30, 4: 11, 50: 1},
        {1: 2, 50: 1, 400: 1},
        {1: 20_000, 2: 4_000, 3: 1_500, 10: 300, 700: 2},
    ],
)
def test_both_score_equations_of_pitman_hold_by_direct_sums(histogram):
    found = estimated(histogram, 0.01).models["pitman"].parameters
    assert np.abs(pitman_scores(histogram, found["theta"], found["alpha"])) == pytest.approx(0, abs=1e-8)


def test_no_theta_and_alpha_are_likelier_than_those_of_pitman():
    found = estimated(HISTOGRAM, 0.1).models["pitman"].parameters
    best = pitman_likelihood(HISTOGRAM, found["theta"], found["alpha"])
    tried = [(t - a, a) for t in np.geomspace(0.01, 1e4, 40) for a in np.linspace(0.01, 0.99, 33)]
    assert best > max(pitman_likelihood(HISTOGRAM, theta, alpha) for theta, alpha in tried)


def test_the_uniques_of_pitman_are_a_power_of_the_population():
    estimate = estimated(HISTOGRAM, 0.02).models["pitman"]
    theta, alpha = estimate.parameters["theta"], estimate.parameters["alpha"]
    log = math.lgamma(theta + 1) - math.lgamma(theta + alpha) + alpha * math.log(records(HISTOGRAM) / 0.02)
    assert estimate.uniques == pytest.approx(math.exp(log), rel=1e-10)


def test_the_interval_of_pitman_is_that_of_the_observed_information():
    estimate = estimated(HISTOGRAM, 0.02).models["pitman"]
    at, population = np.array([estimate.parameters["theta"], estimate.parameters["alpha"]]), records(HISTOGRAM) / 0.02
    steps = np.diag([1e-3, 1e-5])

    def log_uniques(theta: float, alpha: float) -> float:
        return math.lgamma(theta + 1) - math.lgamma(theta + alpha) + alpha * math.log(population)

    hessian = np.array(
        [
            (np.array(pitman_scores(HISTOGRAM, *(at + s))) - pitman_scores(HISTOGRAM, *(at - s))) / (2 * s.sum())
            for s in steps
        ]
    )
    slope = np.array([(log_uniques(*(at + s)) - log_uniques(*(at - s))) / (2 * s.sum()) for s in steps])
    assert width(estimate) == pytest.approx(math.sqrt(slope @ np.linalg.solve(-hessian, slope)), rel=1e-5)


# Customer i + 1 of the restaurant of Pitman sits down at table j with a chance of (size of j - alpha) / (theta + i),
# else at a new one. The first tenth of them is the table that is known; the rest is what there is to estimate.
def test_pitman_finds_the_uniques_of_a_population_that_follows_it():
    rng, theta, alpha, n, population = np.random.default_rng(4), 30.0, 0.6, 3_000, 30_000
    sizes, seats = [1], [0]
    for i in range(1, population):
        if rng.random() * (theta + i) < theta + alpha * len(sizes):
            seats.append(len(sizes))
            sizes.append(1)
            continue
        table = seats[rng.integers(i)]
        while rng.random() * sizes[table] < alpha:
            table = seats[rng.integers(i)]
        seats.append(table)
        sizes[table] += 1
    number, times = np.unique(np.unique(seats[:n], return_counts=True)[1], return_counts=True)
    estimate = estimated(dict(zip(number.tolist(), times.tolist(), strict=True)), n / population).models["pitman"]
    truth = sizes.count(1)
    assert estimate.interval[0] < truth < estimate.interval[1]
    assert estimate.parameters["alpha"] == pytest.approx(alpha, abs=0.05)


def test_where_everybody_is_alone_pitman_has_no_answer_and_the_rule_asks_zayatz():
    uniques = estimated({1: 50}, 0.05)
    assert (uniques.models["pitman"].uniques, uniques.models["dankar"].chosen) == (None, "zayatz")
    assert "no maximum" in uniques.models["pitman"].reason
    assert uniques.share("dankar") == pytest.approx(1)


# Of 10 classes of 2 and 1 of 1 the likelihood at its best theta falls from alpha = 0 on.
def test_a_likelihood_that_rises_towards_an_end_of_alpha_gives_no_number():
    even = {1: 1, 2: 10}
    by_alpha = [
        max(pitman_likelihood(even, t - a, a) for t in np.geomspace(0.01, 1e5, 400)) for a in (0.001, 0.1, 0.5, 0.9)
    ]
    assert by_alpha == sorted(by_alpha, reverse=True)
    pitman = estimated(even, 0.05).models["pitman"]
    assert (pitman.uniques, pitman.interval, pitman.converged) == (None, None, False)
    assert "alpha = 0" in pitman.reason


# --- slide negative binomial ---


def expected_classes(f: float, k: float, alpha: float, beta: float) -> tuple[float, float]:
    """Classes of one and of two drawn, over every size 1 + negative binomial, each member drawn with chance f."""
    one = two = 0.0
    for size in range(1, 4_000):
        log = math.lgamma(alpha + size - 1) - math.lgamma(alpha) - math.lgamma(size)
        share = k * math.exp(log + alpha * math.log(beta) + (size - 1) * math.log1p(-beta))
        one += share * size * f * (1 - f) ** (size - 1)
        two += share * math.comb(size, 2) * f**2 * (1 - f) ** (size - 2) if size > 1 else 0.0
    return one, two


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.9])
def test_the_solution_of_snb_expects_the_classes_of_one_and_of_two_that_were_counted(fraction):
    estimate = estimated(HISTOGRAM, fraction).models["snb"]
    k, alpha, beta = (estimate.parameters[name] for name in ("classes", "alpha", "beta"))
    assert expected_classes(fraction, k, alpha, beta) == pytest.approx((60, 25), rel=1e-9)
    assert estimate.uniques == pytest.approx(k * beta**alpha, rel=1e-12)


# F = 1/2, classes {1: 2, 2: 1}. Shlosser: 3 + 2 x (2/2 + 1/4) / (2/2 + 2/4) = 3 + 5/3 = 14/3.
def test_the_number_of_classes_is_that_of_shlosser():
    assert estimated({1: 2, 2: 1}, 0.5).models["snb"].parameters["classes"] == pytest.approx(14 / 3, rel=1e-14)


def drawn_histogram(chance: float) -> tuple[dict[int, int], float, int]:
    """Class sizes of a sample of 20,000 slide negative binomial classes, its fraction, and the truth."""
    rng = np.random.default_rng(2)
    population = 1 + rng.negative_binomial(0.8, 0.3, 20_000)
    drawn = rng.binomial(population, chance)
    number, times = np.unique(drawn[drawn > 0], return_counts=True)
    histogram = dict(zip(number.tolist(), times.tolist(), strict=True))
    return histogram, float(drawn.sum() / population.sum()), np.count_nonzero(population == 1)


def test_the_interval_of_snb_is_that_of_poisson_counts_of_classes():
    (histogram, fraction, _), variance = drawn_histogram(0.7), 0.0
    for size, number in histogram.items():
        step = min(2, number)
        ahead, behind = (
            math.log(estimated(histogram | {size: number + change}, fraction).models["snb"].uniques)
            for change in (step, -step)
        )
        variance += number * ((ahead - behind) / (2 * step)) ** 2
    assert width(estimated(histogram, fraction).models["snb"]) == pytest.approx(math.sqrt(variance), rel=1e-2)


# K is too high where many classes are of one or two people; the classes of three then tell.
def test_snb_is_near_its_own_population_at_a_large_fraction_and_refused_where_it_does_not_fit():
    histogram, fraction, truth = drawn_histogram(0.7)
    assert estimated(histogram, fraction).models["snb"].uniques == pytest.approx(truth, rel=0.03)
    refused = estimated(*drawn_histogram(0.3)[:2]).models["snb"]
    assert (refused.uniques, refused.converged) == (None, False)
    assert "does not fit the next size" in refused.reason


def test_without_a_class_of_two_the_equations_of_snb_have_no_solution():
    snb = estimated({1: 3, 5: 4}, 0.3).models["snb"]
    assert (snb.uniques, snb.converged) == (None, False)
    assert "no solution" in snb.reason


# --- the rule ---

SOME, MORE, NONE = Estimate(100.0, (90.0, 110.0)), Estimate(120.0, (110.0, 130.0)), Estimate(reason="no maximum")


@pytest.mark.parametrize(
    ("fraction", "pitman", "zayatz", "snb", "chosen"),
    [
        (0.1, SOME, MORE, SOME, "pitman"),
        (0.1, MORE, SOME, SOME, "pitman"),
        (0.05, NONE, MORE, SOME, "zayatz"),
        (0.10001, SOME, MORE, SOME, "snb"),
        (0.5, SOME, SOME, MORE, "zayatz"),
        (0.5, SOME, SOME, SOME, "snb"),
        (0.5, SOME, MORE, NONE, "zayatz"),
    ],
)
def test_the_rule_of_dankar_chooses_by_the_fraction_and_takes_the_smaller(fraction, pitman, zayatz, snb, chosen):
    models = {"pitman": pitman, "zayatz": zayatz, "snb": snb}
    rule = _dankar(models, fraction)
    assert (rule.chosen, rule.uniques, rule.interval) == (chosen, models[chosen].uniques, models[chosen].interval)


def test_a_table_that_is_the_population_has_the_uniques_that_are_counted():
    uniques = estimated(HISTOGRAM, 1.0)
    assert {name: uniques.models[name].uniques for name in ("zayatz", "snb", "dankar")} == dict.fromkeys(
        ("zayatz", "snb", "dankar"), 60.0
    )
    assert uniques.share("dankar") == 60 / records(HISTOGRAM)
    assert "nothing is estimated" in uniques.sentence()


def test_without_a_unique_record_every_model_is_zero_and_says_why_there_is_no_interval():
    rng = np.random.default_rng(1)
    alike = Combinations(("year",), np.array([[1], [2]]), np.array([5, 7]))
    uniques = estimated({5: 1, 7: 1}, 0.1, copula=True, combinations=alike, rng=rng)
    assert {(e.uniques, e.converged, e.interval) for e in uniques.models.values()} == {(0.0, True, None)}
    assert all(e.reason for e in uniques.models.values())
    assert "does not rule it out" in uniques.sentence()


# --- degenerate tables ---


@pytest.mark.parametrize("fraction", [1e-6, 0.1, 0.3, 1.0])
@pytest.mark.parametrize(
    "histogram",
    [{1: 1}, {1: 5}, {2: 1}, {1: 1, 2: 1}, {1: 1, 2**33: 1}, {1: 100_000, 7: 5, 2**33: 3}, {1: 864_601, 2: 1}],
)
def test_every_answer_of_an_odd_table_is_a_number_of_its_people_or_says_why_not(histogram, fraction):
    uniques = estimated(histogram, fraction)
    for name, estimate in uniques.models.items():
        assert estimate.reason or estimate.interval
        if estimate.uniques is None:
            assert uniques.share(name) is None
            continue
        assert 0 <= estimate.uniques <= uniques.population * (1 + 1e-12)
        if estimate.interval is not None:
            assert 0 <= estimate.interval[0] <= estimate.uniques * (1 + 1e-12)
            assert estimate.uniques <= estimate.interval[1] * (1 + 1e-12) <= uniques.population * (1 + 1e-9)
    text = json.dumps(uniques.record(), allow_nan=False)
    assert "NaN" not in text


@given(HISTOGRAMS, st.floats(1e-4, 1.0))
@settings(max_examples=60, deadline=None)
def test_no_model_has_more_uniques_than_the_population_has_people(histogram, fraction):
    uniques = estimated(histogram, fraction)
    for estimate in uniques.models.values():
        assert estimate.converged or estimate.reason
        assert not estimate.converged or 0 <= estimate.uniques <= uniques.population * (1 + 1e-12)


def test_the_order_of_the_sizes_does_not_matter():
    found = counted(HISTOGRAM)
    turned = Classes(found.sizes.reverse(), 0)
    known = {"quasi_identifiers": ["year"], "missing": "own-category"}
    assert population_uniques(turned, 0.1, **known) == population_uniques(found, 0.1, **known)


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.5, math.nan])
def test_a_fraction_outside_0_to_1_is_refused(fraction):
    with pytest.raises(ParameterError, match="fraction"):
        estimated(HISTOGRAM, fraction)


def test_no_record_is_refused_and_so_is_a_copula_without_combinations():
    with pytest.raises(TableError, match="no record"):
        population_uniques(Classes(counted({1: 1}).sizes.clear(), 0), 0.1, quasi_identifiers=["a"], missing="drop")
    with pytest.raises(ParameterError, match="copula"):
        estimated(HISTOGRAM, 0.1, copula=True)


# --- what is shown ---


def test_the_record_has_the_keys_of_the_contract_and_the_copula_only_where_it_was_asked_for():
    models = estimated(HISTOGRAM, 0.1).record()["models"]
    assert list(models) == ["pitman", "zayatz", "snb", "dankar"]
    assert all({"uniques", "share", "converged", "interval", "reason"} <= model.keys() for model in models.values())
    assert models["dankar"]["chosen"] == "pitman"
    assert models["zayatz"]["share"] == models["zayatz"]["uniques"] / (records(HISTOGRAM) / 0.1)
    codes = np.array([[a, b] for a in range(1, 5) for b in range(1, 5)])
    cells = Combinations(("a", "b"), codes, np.ones(16, dtype=np.int64))
    asked = estimated({1: 16}, 0.5, copula=True, combinations=cells, rng=np.random.default_rng(1)).record()["models"]
    # sixteen equal cells, 32 people: each is alone with chance (15/16)^31 = 0.1352
    assert asked["copula"]["share"] == pytest.approx((15 / 16) ** 31, rel=1e-6)


def test_the_sentence_names_both_numbers_the_model_and_what_did_not_answer():
    said = estimated({1: 1, 2: 10}, 0.05).sentence()
    assert "of the 420 people" in said
    assert "(Zayatz's model, 95 % interval" in said
    assert "1 of 21 records" in said
    assert "No answer from Pitman's model" in said
    assert "random sample" in said


def test_the_table_has_one_row_a_model_and_the_figure_one_bar_a_model():
    uniques = estimated({1: 1, 2: 10}, 0.05)
    table = uniques.table()
    assert table["model"].to_list()[0] == "Pitman's model"
    assert table["alone in the population"][0] == "not known"
    assert "alpha = 0" in table["note"][0]
    assert table.height == 4
    assert len(uniques.figure().axes[0].patches) == 5  # one more: what was counted


# --- what others publish ---


# ARX, TestRiskMetrics.java; the models behind them by its own code (Apache-2.0). The sample share at F = 1.
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.2, 1.0])
def test_the_rule_gives_the_published_share_of_the_adult_table(reference_data, fraction):
    cases = json.loads((reference_data / "peers" / "published_values.json").read_text(encoding="utf-8"))
    wanted = [
        case
        for case in cases
        if case["metric"] == "population_uniqueness_dankar" and case["parameters"]["sampling_fraction"] == fraction
    ]
    table = pl.read_csv(reference_data / "peers" / wanted[0]["data"], separator=";", infer_schema=False)
    known = wanted[0]["quasi_identifiers"]
    found = population_uniques(classes(table, known), fraction, quasi_identifiers=known, missing="own-category")
    assert found.share("dankar") == pytest.approx(wanted[0]["expected"], rel=1e-9)


# The maximum is theta = 28.2707, alpha = 0.01924, and the share 8.2e-4 at 1 %; 5.5e-7 is where ARX stops.
def test_pitman_of_395_pupils_is_at_the_maximum(reference_data):
    table = pl.read_csv(reference_data / "peers" / "uci_student_mat.csv", separator=";", infer_schema=False)
    known = ["school", "sex", "age", "address", "famsize", "Pstatus"]
    found = population_uniques(classes(table, known), 0.01, quasi_identifiers=known, missing="own-category")
    parameters = found.models["pitman"].parameters
    assert parameters["theta"] == pytest.approx(28.2707, abs=1e-4)
    assert parameters["alpha"] == pytest.approx(0.01924, abs=1e-5)
    assert found.share("pitman") == pytest.approx(8.2e-4, rel=0.01)
    tenth = population_uniques(classes(table, known), 0.1, quasi_identifiers=known, missing="own-category")
    assert tenth.share("pitman") == pytest.approx(7.9e-3, rel=0.01)
