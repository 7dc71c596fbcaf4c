"""Individual, household and file risk: by hand, against slower sums and integrals, and against published values."""

from __future__ import annotations

import csv
import json
import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.errors import ParameterError, TableError
from otrack_risk.risk.counts import Combinations, Floats
from otrack_risk.risk.individual import (
    dis,
    household_risk,
    individual_risk,
    risk_of_file,
    risk_of_households,
    risk_of_records,
    tau,
)
from otrack_risk.risk.wildcard import matching

quick = settings(deadline=None, max_examples=60)
SHARES = [1e-9, 1e-6, 0.001, 0.1, 0.2, 0.2499, 0.25, 0.4, 0.7, 0.95]


def one(f: float, p: float, method: str = "exact") -> float:
    return float(individual_risk(np.array([f]), np.array([f / p]), method=method)[0])


def by_finite_sum(f: int, p: float) -> float:
    """p int_0^1 s^(f-1) / (p + (1-p) s) ds for whole f: a finite sum and a logarithm, in 400 digits."""
    with localcontext() as context:
        context.prec = 400
        share = Decimal(p)
        x = share / (1 - share)
        total = sum(((-x) ** k / (f - 1 - k) for k in range(f - 1)), Decimal(0))
        return float(x * (total + (-x) ** (f - 1) * ((1 + x) / x).ln()))


def by_integral(f: float, p: float) -> float:
    """The same integral with p + (1-p) s = p e^v, over pieces short enough for Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    x = p / (1 - p)
    edges = np.linspace(0, 1, 400) ** 3 * math.log(1 / p)  # short near 0, where s^(f-1) is not smooth
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    v = middle[:, None] + half[:, None] * nodes
    return float(x * (half[:, None] * weights * (x * np.expm1(v)) ** (f - 1)).sum())


# ln 2 = 0.693147...; f = 1, p = 1/2: 1 * ln 2. f = 2, p = 1/2: 1 - 1 * ln 2.
# f = 3, p = 1/2, x = 1: 1/2 - 1 + ln 2 (the recurrence I_(f+1) = (1/f - p I_f) / (1-p), times p).
def test_at_a_sampling_share_of_one_half_the_risks_are_those_worked_by_hand():
    risk = individual_risk(np.array([1, 2, 3]), np.array([2, 4, 6]))
    assert risk == pytest.approx([math.log(2), 1 - math.log(2), math.log(2) - 0.5], abs=1e-15)


@pytest.mark.parametrize("p", SHARES)
def test_one_and_two_records_have_their_closed_forms(p: float):
    odds = p / (1 - p)
    assert one(1, p) == pytest.approx(odds * math.log(1 / p), rel=1e-13)
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(p) / (1 - Decimal(p))
        closed = float(exact - exact**2 * (1 / Decimal(p)).ln())
    assert one(2, p) == pytest.approx(closed, rel=1e-14)


@pytest.mark.parametrize("p", [*SHARES, 0.999, 1 - 1e-7])
def test_whole_frequencies_are_the_finite_sum_to_fourteen_digits(p: float):
    f = np.array([1, 2, 3, 4, 5, 8, 13, 21, 34, 40])
    shares = (f / (f / p)).tolist()  # as they are after rounding
    expected = [by_finite_sum(each, share) for each, share in zip(f.tolist(), shares, strict=True)]
    assert individual_risk(f, f / p) == pytest.approx(expected, rel=2e-14)


@pytest.mark.parametrize("f", [1.5, 2.25, 2.5, 3 - 1e-9, 3 + 1e-12, 3.0031, 3.0033, 4.5, 9.75, 40.5])
def test_frequencies_that_are_no_whole_number_are_the_integral(f: float):
    for p in (1e-9, 1e-3, 0.1, 0.24, 0.26, 0.6, 0.97):
        assert one(f, p) == pytest.approx(by_integral(f, p), rel=1e-10), p


@pytest.mark.parametrize(("f", "p"), [(1, 0.2), (2, 0.1), (3, 0.05), (5, 0.3), (8, 0.9)])
def test_the_risk_is_the_mean_of_one_over_the_people(f: int, p: float):
    # F given f is negative binomial: P(F = h) = C(h-1, f-1) p^f (1-p)^(h-f)
    chance, mean = p**f, 0.0
    for h in range(f, 3000):
        mean += chance / h
        chance *= (1 - p) * h / (h - f + 1)
    assert one(f, p) == pytest.approx(mean, rel=1e-12)


# p / f (1 + z / (f+1) + 2 z^2 / ((f+1)(f+2)) + ...): at f = 10^6 the next term is below 10^-17.
@pytest.mark.parametrize("p", [1e-9, 0.3, 0.8])
def test_a_million_records_alike_are_no_trouble(p: float):
    f, z = 1e6, 1 - p
    assert one(f, p) == pytest.approx(p / f * (1 + z / (f + 1) + 2 * z**2 / ((f + 1) * (f + 2))), rel=1e-15)


@pytest.mark.parametrize("method", ["exact", "approx"])
def test_where_the_sample_is_the_population_the_risk_is_one_over_f(method: str):
    f = np.array([1, 2, 3, 7, 1000])
    assert individual_risk(f, f, method=method) == pytest.approx(1 / f, rel=1e-15)
    assert individual_risk(f, 0.4 * f, method=method) == pytest.approx(1 / f, rel=1e-15)  # fewer people than records


def test_the_approximation_is_that_of_the_paper_above_two_records_and_never_below_the_exact_risk():
    assert one(3, 0.25, "approx") == pytest.approx(0.25 / 2.25)
    for p in SHARES:
        assert one(1, p, "approx") == one(1, p)
        assert one(2, p, "approx") == one(2, p)
        for f in (3, 4.5, 20, 500):
            assert one(f, p) * (1 - 1e-12) <= one(f, p, "approx") <= one(f, p) * 1.06


@quick
@given(st.floats(1, 1e6), st.floats(1, 1e9), st.floats(1, 10))
def test_more_people_never_mean_more_risk(f: float, times: float, more: float):
    low, high = individual_risk(np.array([f, f]), np.array([f * times * more, f * times]))
    assert 0 < low <= high * (1 + 1e-12)
    assert high <= 1


@pytest.mark.parametrize(("f", "people"), [(0.5, 3.0), (1.0, 0.0), (1.0, math.nan), (1.0, math.inf)])
def test_frequencies_that_cannot_be_are_refused(f: float, people: float):
    with pytest.raises(ParameterError, match="individual_risk"):
        individual_risk(np.array([f]), np.array([people]))
    with pytest.raises(ParameterError, match="exact, approx"):
        individual_risk(np.array([1]), np.array([1]), method="quick")  # type: ignore[arg-type]


# 1 - 0.5 * 0.8 = 0.6 for both of household 3; 0.1 and 0.9 have no household; 4 is alone in its own.
def test_one_of_a_household_gives_the_others_away():
    risk, household = np.array([0.5, 0.1, 0.2, 0.9, 0.3]), np.array([3, 0, 3, 0, 4])
    assert household_risk(risk, household) == pytest.approx([0.6, 0.1, 0.6, 0.9, 0.3], abs=1e-15)
    found = risk_of_households(risk, household)
    assert found.expected_reidentifications == pytest.approx(2.5)  # over records, not over households
    assert (found.records, found.households, found.without_household, found.highest) == (5, 2, 2, 0.9)
    assert found.record()["share"] == pytest.approx(0.5)
    assert "2.5 (50 %)" in found.sentence()
    assert "without a household, which stand alone: 2" in found.sentence()


def test_a_certain_find_makes_the_whole_household_certain():
    assert household_risk(np.array([1.0, 0.2]), np.array([1, 1])).tolist() == [1.0, 1.0]


@quick
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4)), min_size=1, max_size=20), st.randoms())
def test_household_risk_is_the_product_over_members_and_no_digit_depends_on_the_order(rows, chance):
    risk, household = np.array([r for r, _ in rows]), np.array([h for _, h in rows])
    together = household_risk(risk, household)
    for r, h, got in zip(risk, household, together, strict=True):
        assert got == pytest.approx(1 - math.prod(1 - risk[household == h]) if h else r, abs=1e-12)
    order = np.array(chance.sample(range(len(rows)), len(rows)))
    assert household_risk(risk[order], household[order]).tolist() == together[order].tolist()


def test_a_household_is_needed_for_every_record():
    with pytest.raises(TableError, match="household"):
        household_risk(np.array([0.5]), np.array([1, 1]))


CODES = np.array([[1, 1], [1, 2], [2, 1]])


# n = 4; both uniques have a fitted sample mean of 4 * 3/4 * 1/4 = 0.75, so at pi = 1/2 lambda is 1.5 and
# lambda (1 - pi) is 0.75: tau1 = 2 exp(-0.75), tau2 = 2 (1 - exp(-0.75)) / 0.75.
def test_tau_is_the_one_worked_by_hand():
    found = Combinations(("year", "sex"), CODES, np.array([2, 1, 1]))
    tau1, tau2 = tau(found, 0.5)
    assert tau1 == pytest.approx(2 * math.exp(-0.75), rel=1e-15)
    assert tau2 == pytest.approx(2 * (1 - math.exp(-0.75)) / 0.75, rel=1e-15)


def test_where_the_sample_is_the_population_every_sample_unique_counts_one():
    assert tau(Combinations(("year", "sex"), CODES, np.array([2, 1, 1])), 1.0) == (2.0, 2.0)


@quick
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=20),
    st.sampled_from([0.001, 0.1, 0.5, 0.9]),
)
def test_tau_is_its_sum_over_records_that_are_alone(rows: list[tuple[int, int, int]], fraction: float):
    n, tau1, tau2 = len(rows), 0.0, 0.0
    for row in rows:
        if rows.count(row) == 1:
            shares = [sum(other[i] == row[i] for other in rows) / n for i in range(3)]
            x = n * math.prod(shares) / fraction * (1 - fraction)
            tau1, tau2 = tau1 + math.exp(-x), tau2 + (1 - math.exp(-x)) / x
    distinct = sorted(set(rows))
    found = Combinations(tuple("abc"), np.array(distinct), np.array([rows.count(row) for row in distinct]))
    assert tau(found, fraction) == (pytest.approx(tau1, abs=1e-9), pytest.approx(tau2, abs=1e-9))
    u = int((found.size == 1).sum())
    low, high = tau(found, fraction)
    assert 0 <= low <= high <= u


# 0.1 * 30 / (0.1 * 30 + 2 * 0.9 * 5) = 3 / 12
def test_dis_is_the_one_worked_by_hand_and_undefined_without_uniques_and_pairs():
    assert dis(30, 5, 0.1) == pytest.approx(0.25)
    assert dis(3, 7, 1.0) == 1.0
    assert dis(0, 0, 0.1) is None
    assert dis(0, 4, 1.0) is None


def test_a_file_says_what_its_uniques_are_worth_and_why_a_number_is_missing():
    found = risk_of_file(Combinations(("year", "sex"), CODES, np.array([2, 1, 1])), 0.5)
    # 0.5 * 2 / (0.5 * 2 + 2 * 0.5 * 1) = 1/2
    assert (found.records, found.uniques, found.pairs, found.dis) == (4, 2, 1, 0.5)
    assert "2 of 4 records (50 %) are alone" in found.sentence()
    assert "reason" not in found.numbers()
    assert found.figure() is not None
    crowd = risk_of_file(Combinations(("year",), np.array([[1]]), np.array([9])), 0.5)
    assert (crowd.tau1, crowd.tau2, crowd.dis, crowd.figure()) == (0.0, 0.0, None, None)
    assert crowd.numbers()["reason"]
    assert "not defined" in crowd.sentence()


@pytest.mark.parametrize("fraction", [0, -0.1, 1.5, math.nan])
def test_a_fraction_that_is_none_is_refused(fraction: float):
    found = Combinations(("year", "sex"), CODES, np.array([2, 1, 1]))
    with pytest.raises(ParameterError, match="fraction"):
        tau(found, fraction)
    with pytest.raises(ParameterError, match="fraction"):
        dis(1, 1, fraction)


# p = 1/2 throughout: 2 records of 1 - ln 2 each, and one of ln 2; the sum is 2 - ln 2.
def test_the_risk_of_a_file_is_the_sum_over_its_records():
    found = Combinations(("year",), np.array([[1], [2]]), np.array([2, 1]))
    risk = individual_risk(found.size, 2 * found.size)
    file = risk_of_records(found, risk, method="exact", basis="fraction")
    assert file.expected_reidentifications == pytest.approx(2 - math.log(2))
    assert file.highest == pytest.approx(math.log(2))
    assert file.record()["share"] == pytest.approx((2 - math.log(2)) / 3)
    assert {"expected_reidentifications", "share", "highest"} <= file.numbers().keys()
    assert "Of 3 records 1.3 (43.6 %)" in file.sentence()
    assert file.figure() is not None
    assert file.table().height == 1


def test_every_published_individual_risk_is_met(reference_data):
    peers = reference_data / "peers"
    cases = json.loads((peers / "published_values.json").read_text(encoding="utf-8"))
    cases = [case for case in cases if case["metric"] == "individual_risk_benedetti_franconi"]
    assert len(cases) == 4
    for case in cases:
        with (peers / case["data"]).open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file))
        codes = [tuple(float(row[name] or 0) for name in case["quasi_identifiers"]) for row in table]
        distinct = sorted(set(codes))
        place = [distinct.index(row) for row in codes]
        weight = np.bincount(place, weights=[float(row["weight"]) for row in table])
        found = Combinations(tuple("ABC"), np.array(distinct, dtype=np.int64), np.bincount(place), weight)
        matched = matching(found)
        assert matched.weight is not None
        risk: Floats = individual_risk(matched.size, matched.weight, method=case["parameters"]["method"])
        assert risk[place] == pytest.approx(case["expected"], abs=2e-8), case["id"]
