"""How many data subjects are unique in the population, estimated from the class sizes of a sample of it.

Somebody who is alone in a table need not be alone among everybody who could have been in it. Four models read
the number of classes of each size and the sampling fraction, and nothing else; the decision rule of
Dankar and others (2012) chooses among them. None of them sees a record.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import ParameterError, TableError
from otrack_risk.risk.copula import copula_uniques
from otrack_risk.risk.counts import Classes, Combinations, Floats
from otrack_risk.risk.sizes import alone_said, missing_said, n_classes, n_records, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_Z = 1.959963984540054  # standard normal deviate of a 95 % interval
_SMALL_FRACTION = 0.1  # sampling fraction up to which Dankar's rule asks Pitman's model
_TITLES = {
    "pitman": "Pitman's model",
    "zayatz": "Zayatz's model",
    "snb": "the slide negative binomial model",
    "dankar": "the rule of Dankar and others",
    "copula": "the Gaussian copula",
}


@dataclass(frozen=True)
class Estimate:
    """What one model says of the whole population; all None where it has no usable answer, and why."""

    uniques: float | None = None  # people of the population who are alone with their combination
    interval: tuple[float, float] | None = None  # 95 %, in people
    reason: str | None = None  # why there is no answer, or no interval
    parameters: Mapping[str, float] = field(default_factory=dict)  # of the fitted model
    chosen: str | None = None  # Dankar's rule: the model that it chose

    @property
    def converged(self) -> bool:
        """Whether there is an answer."""
        return self.uniques is not None


def population_uniques(
    found: Classes,
    fraction: float,
    *,
    quasi_identifiers: Sequence[str],
    missing: str,
    combinations: Combinations | None = None,
    rng: np.random.Generator | None = None,
    copula: bool = False,
) -> PopulationUniques:
    """Data subjects who are alone with their combination in the population, by several models.

    Parameters
    ----------
    found : the classes of the table by their size
    fraction : records of the table over people of the population, above 0 and up to 1
    quasi_identifiers, missing : what ``found`` was counted by
    combinations, rng : the combinations of the table and a source of chance; for the copula alone
    copula : whether to ask the Gaussian copula too, which takes seconds

    Raises
    ------
    ParameterError
        A fraction outside (0, 1]; the copula without combinations or without a source of chance.
    TableError
        No record.

    Notes
    -----
    With u_i classes of size i, u classes, n records, F the fraction and N = n / F:

    *Zayatz* [1]_: u_1 / F times P(alone in the population | alone in the table), by Bayes' rule with u_i / u for
    the sizes of the population's classes and the hypergeometric chance of drawing exactly one of i.
    *Pitman* [2]_: maximum likelihood of (theta, alpha) inside 0 < alpha < 1; uniques =
    Gamma(theta + 1) / Gamma(theta + alpha) N^alpha. The profile of the likelihood is searched over the whole range
    of alpha first; Newton's method then ends where both score equations hold.
    *Slide negative binomial (SNB)* [3]_: size - 1 of a class of the population is negative binomial (alpha, beta);
    these two make the expected u_1 and u_2 what was counted. The number of classes K of the population is
    Shlosser's estimate [4]_; uniques = K beta^alpha. Which form of it [3]_ takes was not checked: the plain
    one is this project's choice, since with the modified one of ARX (Haas and Stokes 1998) the rule misses the
    published share of the Adult table at F = 0.2.
    *Dankar's rule* [5]_: F <= 0.1: Pitman, or Zayatz where Pitman has no answer. F > 0.1: SNB where it has
    an answer that is not above Zayatz, else Zayatz.

    A model without a usable answer (no maximum, no solution, more than N) gives None with the reason,
    never 0. Without a unique record every model gives 0. At F = 1 the table is the population: Zayatz, SNB and the rule
    give the number counted; Pitman's formula still gives what its fitted model expects.

    The 95 % intervals take the number of classes of each size as independent Poisson counts (delta method;
    for SNB on the log scale, with numerical derivatives), and for Pitman the observed information (log scale).
    They are cut at 0 and N. They hold if the model holds, which cannot be seen from the table; the models
    often differ by more than the intervals are wide. The error of K is not in the interval of SNB: in populations
    drawn from SNB itself, it gave 1.0 to 2.1 times the true uniques at F = 0.3 and 2 to 10 times at 0.05, with
    intervals that missed them (Zayatz 1.0 to 3.2 and 2 to 10 times); at 0.7 it was within 1 %.

    ARX differs on two of the models: it stops Pitman's away from the maximum on small tables, and in its SNB the
    equation for u_2 multiplies by (1 - (1 - F)(1 - beta))^(alpha + 2), by which the expected number is divided, and
    the estimate of K subtracts 1 outside of a sum's bracket. Solved as it stands there, on the Adult table it has a
    solution only from about F = 0.9 on; without one its rule shows Zayatz.

    References
    ----------
    .. [1] Zayatz (1991), Estimation of the number of unique population elements using a sample.
    .. [2] Hoshino (2001), J. Off. Stat. 17(4), 499-520.
    .. [3] Chen and Keller-McNulty (1998), J. Off. Stat. 14(1), 79-95.
    .. [4] Shlosser (1981), Eng. Cybern. 19, 97-102.
    .. [5] Dankar, El Emam, Neisa and Roffey (2012), BMC Med. Inform. Decis. Mak. 12, 66.

    Examples
    --------
    Two alone and one pair in a table of four out of eight. Exactly one of a pair is drawn with chance
    2 x 20 / 70 = 4/7, one of one with 1/2, so who is alone was so with chance (2/2) / (2/2 + 4/7) = 7/11, and the
    estimate is 2 x 7/11 / (1/2) = 28/11 people.

    >>> found = Classes(pl.DataFrame({"size": [1, 2], "classes": [2, 1], "data_subjects": [2, 2]}), 0)
    >>> uniques = population_uniques(found, 0.5, quasi_identifiers=["year"], missing="own-category")
    >>> round(uniques.models["zayatz"].uniques, 12), round(uniques.share("zayatz"), 12)
    (2.545454545455, 0.318181818182)
    """
    if not 0 < fraction <= 1:
        raise ParameterError(
            "fraction: the sampling fraction lies above 0 and up to 1.",
            "give 0.1 where the table holds a tenth of the population.",
        )
    if copula and (combinations is None or rng is None):
        raise ParameterError(
            "copula: it reads the combinations of the table and draws from them.", "give combinations and rng with it."
        )
    sizes = found.sizes.filter(pl.col("classes") > 0).sort("size")
    if not sizes.height:
        raise TableError("subjects: no record, so nothing is known of the population.", "give a table with records.")
    counts = _Counts.of(sizes, fraction)
    if counts.u1 == 0:
        none = Estimate(0.0, reason="no record of the table is alone, so the models tell of no width")
        models = dict.fromkeys(("pitman", "zayatz", "snb"), none)
    else:
        models = {"pitman": _pitman(counts), "zayatz": _zayatz(counts), "snb": _snb(counts)}
    models["dankar"] = _dankar(models, fraction)
    if copula and combinations is not None and rng is not None:
        models["copula"] = Estimate(*copula_uniques(combinations, fraction, rng)) if counts.u1 else models["zayatz"]
    return PopulationUniques(
        quasi_identifiers=tuple(quasi_identifiers),
        missing_rule=missing,
        left_out=found.left_out,
        data_subjects=n_records(sizes),
        sample_uniques=int(counts.u1),
        fraction=fraction,
        models=models,
    )


@dataclass(frozen=True)
class PopulationUniques(Shown):
    """How many are alone in the population, by model."""

    key: ClassVar[str] = "population_uniques"
    quasi_identifiers: tuple[str, ...]
    missing_rule: str
    left_out: int  # rows that the rule left out
    data_subjects: int  # records of the table
    sample_uniques: int  # records alone in the table
    fraction: float  # records of the table over people of the population
    models: Mapping[str, Estimate]  # pitman, zayatz, snb, dankar, and copula where it was asked for

    @property
    def population(self) -> float:
        """People in the population: records / fraction."""
        return self.data_subjects / self.fraction

    def share(self, model: str) -> float | None:
        """Estimated uniques over people of the population, unrounded; None where the model has no answer."""
        uniques = self.models[model].uniques
        return None if uniques is None else uniques / self.population

    def sentence(self) -> str:
        rule, n, people = self.models["dankar"], self.data_subjects, f"{self.population:,.0f}"
        known = f"their {named(self.quasi_identifiers)}"
        sample = f"In the table {alone_said(self.sample_uniques, n, 'records')}."
        missed = missing_said(self.missing_rule, self.left_out)
        if self.fraction == 1:
            return f"The table is the whole population, so nothing is estimated. {sample} {missed}"
        if not self.sample_uniques:
            return (
                f"{sample} So no model finds anybody alone with {known} among the {people} people of the population, "
                f"of whom the table holds {tables.percent(self.fraction)}; that does not rule it out. {missed}"
            )
        spread = [e.uniques for name, e in self.models.items() if name != "dankar" and e.uniques is not None]
        range_said = f" The models range from {_people(min(spread))} to {_people(max(spread))}." if spread[1:] else ""
        width = "" if rule.interval is None else f", 95 % interval {' to '.join(_people(x) for x in rule.interval)}"
        silent = [_TITLES[name] for name, e in self.models.items() if not e.converged]
        unanswered = f" No answer from {named(silent)}." if silent else ""
        return (
            f"About {_people(rule.uniques)} of the {people} people of the population "
            f"({tables.percent(self.share('dankar'))}) are estimated to be alone with {known} "
            f"({_TITLES[str(rule.chosen)]}{width}); the table holds {tables.percent(self.fraction)} of them. {sample}"
            f"{range_said}{unanswered} An estimate holds if the table is a random sample and its model is right, and "
            f"says of nobody in particular that they are alone. {missed}"
        )

    def table(self) -> pl.DataFrame:
        estimates, unknown = self.models.values(), (None, None)
        return tables.table(
            {
                "model": [_TITLES[name] for name in self.models],
                "alone in the population": [_people(e.uniques) for e in estimates],
                "share of the population": [self.share(name) for name in self.models],
                "from (95 %)": [_people((e.interval or unknown)[0]) for e in estimates],
                "to (95 %)": [_people((e.interval or unknown)[1]) for e in estimates],
                "note": [_note(e) for e in estimates],
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display.figures import bars

        labels = ["counted in the table", *(_TITLES[name] for name in self.models)]
        shares = [self.sample_uniques / self.data_subjects, *(self.share(name) for name in self.models)]
        title = f"Alone in the population: {tables.percent(self.share('dankar'))} by the rule of Dankar and others"
        return bars(labels, shares, title, "share alone with its combination: of the records, and of the population")

    def record(self) -> dict[str, Any]:
        """The contract's numbers of each model, with what they are of."""
        return {
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "left_out": self.left_out,
            "records": self.data_subjects,
            "fraction": self.fraction,
            "population": self.population,
            "sample_uniques": self.sample_uniques,
            "models": {
                name: {
                    "uniques": e.uniques,
                    "share": self.share(name),
                    "converged": e.converged,
                    "interval": None if e.interval is None else list(e.interval),
                    "reason": e.reason,
                }
                | ({"parameters": dict(e.parameters)} if e.parameters else {})
                | ({"chosen": e.chosen} if name == "dankar" else {})
                for name, e in self.models.items()
            },
        }


def _people(number: float | None) -> str:
    """Estimated people as a person reads them: whole from ten on, two figures below."""
    if number is None:
        return "not known"
    return f"{number:,.0f}" if number >= 9.95 or number == round(number) else f"{number:.2g}"


def _note(estimate: Estimate) -> str:
    chose = f"chose {_TITLES[estimate.chosen]}" if estimate.chosen else None
    return "; ".join(part for part in (chose, estimate.reason) if part)


@dataclass(frozen=True)
class _Counts:
    """The number of classes of each size, as floats, and what every model needs of them."""

    size: Floats  # ascending
    classes: Floats
    n: float  # records
    u: float  # classes
    u1: float  # classes of one record
    u2: float  # classes of two
    fraction: float
    population: float

    @classmethod
    def of(cls, sizes: pl.DataFrame, fraction: float) -> _Counts:
        by_size = dict(sizes.select("size", "classes").iter_rows())
        n = n_records(sizes)
        return cls(
            size=sizes["size"].cast(pl.Float64).to_numpy(),
            classes=sizes["classes"].cast(pl.Float64).to_numpy(),
            n=float(n),
            u=float(n_classes(sizes)),
            u1=float(by_size.get(1, 0)),
            u2=float(by_size.get(2, 0)),
            fraction=fraction,
            population=n / fraction,
        )

    def within(self, low: float, high: float) -> tuple[float, float]:
        """An interval cut at what the population allows."""
        return max(low, 0.0), min(high, self.population)


def _dankar(models: Mapping[str, Estimate], fraction: float) -> Estimate:
    pitman, zayatz, snb = (models[name].uniques for name in ("pitman", "zayatz", "snb"))
    if fraction <= _SMALL_FRACTION:
        chosen = "zayatz" if pitman is None else "pitman"
    else:
        chosen = "snb" if snb is not None and zayatz is not None and snb <= zayatz else "zayatz"
    of = models[chosen]
    return Estimate(of.uniques, of.interval, of.reason, chosen=chosen)


# --- Zayatz -----------------------------------------------------------------------------------------------------------


def _zayatz(counts: _Counts) -> Estimate:
    if counts.fraction == 1:
        return Estimate(counts.u1, (counts.u1, counts.u1))
    chance = np.exp(_one_drawn(counts.size, counts.n, float(round(counts.population))))
    total = math.fsum(counts.classes * chance)
    uniques = (
        counts.u1**2 / total / counts.fraction
    )  # the chance of drawing one of one, n / N, is taken out of `chance`
    slope = -uniques * chance / total + np.where(counts.size == 1, 2 * uniques / counts.u1, 0.0)
    deviation = math.sqrt(math.fsum(counts.classes * slope**2))
    return Estimate(uniques, counts.within(uniques - _Z * deviation, uniques + _Z * deviation))


def _one_drawn(size: Floats, n: float, population: float) -> Floats:
    """Log of the chance that n of N draws hit a class of ``size`` exactly once, over that for a class of one.

    i C(N - i, n - 1) / C(N - 1, n - 1) = i times the product over k = 0 .. i - 2 of (N - n - k) / (N - 1 - k).
    The two log factorials are some N log N and their difference far smaller, so Stirling's formula is
    subtracted term by term.
    """
    others = size - 1  # factors of the product
    outside, everybody = population - n, population - 1
    possible = others <= outside
    m = np.where(possible, others, 0.0)

    def falling(top: float) -> Floats:
        """log of top (top - 1) ... (top - m + 1), less m log(top + 1 - m)."""
        a, b = top + 1, top + 1 - m
        return np.asarray(-(a - 0.5) * np.log1p(-m / a) - m + _stirling(a) - _stirling(b), dtype=np.float64)

    ratio = m * np.log((outside + 1 - m) / (everybody + 1 - m)) + falling(outside) - falling(everybody)
    return np.asarray(np.where(possible, np.log(size) + ratio, -np.inf), dtype=np.float64)


def _stirling(z: Any) -> Any:
    """log Gamma(z) less (z - 1/2) log z - z + log(2 pi) / 2, for z of 1 or more."""
    from scipy.special import gammaln

    far = np.maximum(z, 16.0)
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / far**2) / far**2) / far**2) / far
    near = np.minimum(z, 16.0)
    return np.where(z < 16, gammaln(near) - (near - 0.5) * np.log(near) + near - 0.5 * math.log(2 * math.pi), series)


# --- Pitman -----------------------------------------------------------------------------------------------------------


def _pitman(counts: _Counts) -> Estimate:
    from scipy.special import digamma, poch

    if counts.u == counts.n:
        return Estimate(reason="every record is alone: the likelihood has no maximum, it rises with theta without end")
    fit = _pitman_maximum(counts)
    if isinstance(fit, str):
        return Estimate(reason=fit)
    theta, alpha = fit
    parameters = {"theta": theta, "alpha": alpha}
    uniques = float(poch(theta + alpha, 1 - alpha)) * counts.population**alpha
    if not uniques <= counts.population:
        return Estimate(
            reason="the model's formula, which is for large populations, exceeds the population", parameters=parameters
        )
    _, hessian = _score(counts, np.array(theta), np.array(alpha))
    information = -hessian
    slope = np.array(
        [digamma(theta + 1) - digamma(theta + alpha), math.log(counts.population) - digamma(theta + alpha)]
    )
    determinant = information[0, 0] * information[1, 1] - information[0, 1] ** 2
    if not (determinant > 0 and information[0, 0] > 0):
        return Estimate(uniques, reason="the likelihood is too flat for an interval", parameters=parameters)
    factor = math.exp(_Z * math.sqrt(float(slope @ np.linalg.solve(information, slope))))
    return Estimate(uniques, counts.within(uniques / factor, uniques * factor), parameters=parameters)


def _pitman_maximum(counts: _Counts) -> tuple[float, float] | str:
    """(theta, alpha) of the highest likelihood inside 0 < alpha < 1, or why there is none."""
    low, high = -16.0, 16.0  # of the logit of alpha
    for _ in range(8):  # each turn makes the bracket 40 times narrower
        alpha = 1 / (1 + np.exp(-np.linspace(low, high, 41)))
        theta = _best_theta(counts, alpha)
        slope = _score(counts, theta, alpha)[0][1]
        peaks = np.flatnonzero((slope[:-1] > 0) & (slope[1:] <= 0))
        if not len(peaks):
            end = "1" if slope[-1] > 0 else "0"
            return f"the likelihood has no maximum inside 0 < alpha < 1: it rises towards alpha = {end}"
        at = peaks[np.argmax(_log_likelihood(counts, theta, alpha)[peaks])]
        weight = slope[at] / (slope[at] - slope[at + 1])
        nearby = [float(value[at] + weight * (value[at + 1] - value[at])) for value in (theta, alpha)]
        ends = float(alpha[at]), float(alpha[at + 1])
        if (fit := _newton(counts, nearby[0], nearby[1], *ends)) is not None:
            return fit
        low, high = (math.log(end / (1 - end)) for end in ends)
    return "the score equations could not be solved"


def _best_theta(counts: _Counts, alpha: Floats) -> Floats:
    """Theta of the highest likelihood for each alpha, by halving log(theta + alpha)."""
    low, high = np.full_like(alpha, -40.0), np.full_like(alpha, math.log(4 * counts.n**2 + 10))
    for _ in range(36):
        middle = (low + high) / 2
        rising = _theta_score(counts, np.exp(middle) - alpha, alpha) > 0
        low, high = np.where(rising, middle, low), np.where(rising, high, middle)
    return np.exp((low + high) / 2) - alpha


def _newton(counts: _Counts, theta: float, alpha: float, low: float, high: float) -> tuple[float, float] | None:
    """The solution of both score equations with alpha from ``low`` to ``high``, or None if it is not reached."""
    for _ in range(60):
        score, hessian = _score(counts, np.array(theta), np.array(alpha))
        if not np.isfinite(hessian).all() or abs(np.linalg.det(hessian)) == 0:
            return None
        step = -np.linalg.solve(hessian, score)
        for _ in range(60):  # stay inside
            if low <= alpha + step[1] <= high and theta + alpha + step[0] + step[1] > 0:
                break
            step /= 2
        theta, alpha = theta + float(step[0]), alpha + float(step[1])
        if abs(step[0]) <= 1e-13 * (abs(theta) + alpha) and abs(step[1]) <= 1e-13 * alpha:
            break
    score, hessian = _score(counts, np.array(theta), np.array(alpha))
    at = np.array(theta), np.array(alpha)
    scale = np.array([float(_rise(at[0] + 1, counts.n - 1)), float(_within_classes(counts, at[1]))])
    highest = hessian[0, 0] < 0 and np.linalg.det(hessian) > 0
    return (theta, alpha) if highest and (np.abs(score) <= 1e-9 * scale).all() else None


def _log_likelihood(counts: _Counts, theta: Floats, alpha: Floats) -> Floats:
    from scipy.special import gammaln

    classes = (counts.u - 1) * np.log(alpha) + gammaln(theta / alpha + counts.u) - gammaln(theta / alpha + 1)
    several = counts.size > 1
    inside = gammaln(counts.size[several] - alpha[..., None]) - gammaln(1 - alpha[..., None])
    value = classes - gammaln(theta + counts.n) + gammaln(theta + 1) + inside @ counts.classes[several]
    return np.asarray(value, dtype=np.float64)


def _theta_score(counts: _Counts, theta: Floats, alpha: Floats) -> Floats:
    """Sum over i < u of 1 / (theta + i alpha), less the sum over i < n of 1 / (theta + i)."""
    score = _rise(theta / alpha + 1, counts.u - 1) / alpha - _rise(theta + 1, counts.n - 1)
    return np.asarray(score, dtype=np.float64)


def _within_classes(counts: _Counts, alpha: Floats) -> Any:
    """Sum over classes of the sum over k < size of 1 / (k - alpha)."""
    from scipy.special import digamma

    several = counts.size > 1
    inside = digamma(counts.size[several] - alpha[..., None]) - digamma(1 - alpha[..., None])
    return inside @ counts.classes[several]


def _score(counts: _Counts, theta: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """First and second derivatives of the log likelihood by (theta, alpha), in closed form."""
    from scipy.special import polygamma

    x, m, several = theta / alpha, counts.u - 1, counts.size > 1
    rise = _rise(x + 1, m)
    by_theta = _theta_score(counts, theta, alpha)
    by_alpha = _weighted_rise(x, m, rise) / alpha - _within_classes(counts, alpha)
    fall = polygamma(1, x + 1) - polygamma(1, x + counts.u)  # sum over i of 1 / (x + i)^2
    squares = polygamma(1, 1 - alpha[..., None]) - polygamma(1, counts.size[several] - alpha[..., None])
    twice = -fall / alpha**2 + polygamma(1, theta + 1) - polygamma(1, theta + counts.n)
    both = -(rise - x * fall) / alpha**2  # sum of i / (x + i)^2
    alphas = -(m - 2 * x * rise + x**2 * fall) / alpha**2 - squares @ counts.classes[several]
    return np.array([by_theta, by_alpha]), np.array([[twice, both], [both, alphas]])


def _rise(x: Floats, m: float) -> Any:
    """digamma(x + m) - digamma(x), the sum over i < m of 1 / (x + i), without loss where x is large."""
    from scipy.special import digamma

    near, far = np.minimum(x, 1e3), np.maximum(x, 1e3)
    return np.where(x < 1e3, digamma(near + m) - digamma(near), np.log1p(m / far) + _beyond(far + m) - _beyond(far))


def _beyond(z: Floats) -> Floats:
    """digamma(z) - log(z) for large z."""
    return -0.5 / z - 1 / (12 * z**2) + 1 / (120 * z**4)


def _weighted_rise(x: Floats, m: float, rise: Floats) -> Any:
    """Sum over i = 1 .. m of i / (x + i), which is m - x rise, without loss where x is far above m."""
    far = np.maximum(x, 1e3)
    y = m / (far + 1)
    small = np.minimum(y, 0.05)
    series = np.zeros_like(small)
    for power in range(14, 1, -1):  # (y - log(1 + y)) / y
        series = series * -small + 1 / power
    rest = np.where(y < 0.05, series * small, 1 - np.log1p(y) / y)
    precise = np.log1p(y) + m * rest - far * (_beyond(far + 1 + m) - _beyond(far + 1))
    return np.where(x < 1e3, m - x * rise, precise)


# --- slide negative binomial ------------------------------------------------------------------------------------------


def _snb(counts: _Counts) -> Estimate:
    if counts.fraction == 1:
        return Estimate(counts.u1, (counts.u1, counts.u1))
    k, slope_of_k = _shlosser(counts)
    if counts.u == counts.n:  # K = N, and every class has one member: beta = 1, whatever alpha is
        return Estimate(counts.population, reason="every record is alone, so the fitted model leaves no room to vary")
    if counts.u2 == 0:
        return Estimate(reason="no two records form a class, so the equations have no solution")
    roots = _snb_roots(counts, k)
    if len(roots) != 1:
        return Estimate(
            reason="the equations have several solutions" if len(roots) else "the equations have no solution"
        )
    alpha, logit = roots[0]
    log_beta = -float(np.logaddexp(0, -logit))
    uniques = k * math.exp(alpha * log_beta)
    parameters = {"classes": k, "alpha": alpha, "beta": math.exp(log_beta)}
    if not uniques <= counts.population:
        return Estimate(reason="the solution exceeds the population", parameters=parameters)
    expected, three = _snb_three(counts.fraction, k, alpha, logit), math.fsum(counts.classes[counts.size == 3])
    if abs(expected - three) > _Z * math.sqrt(max(expected, 1.0)):
        reason = (
            f"the solution does not fit the next size: {expected:,.1f} classes of three expected, {three:,.0f} counted"
        )
        return Estimate(reason=reason, parameters=parameters)

    step = 1e-5
    jacobian = np.empty((2, 2))
    for column, (da, dz) in enumerate(((step, 0.0), (0.0, step))):
        ahead = _snb_logs(counts.fraction, alpha * math.exp(da), logit + dz)
        behind = _snb_logs(counts.fraction, alpha * math.exp(-da), logit - dz)
        jacobian[:, column] = (np.array(ahead) - np.array(behind)) / (2 * step)
    if abs(np.linalg.det(jacobian)) < 1e-9:
        return Estimate(uniques, reason="the equations are too flat for an interval", parameters=parameters)
    by_k = slope_of_k / k  # of log K, by each number of classes
    shift = np.linalg.solve(
        jacobian, np.array([(counts.size == 1) / counts.u1 - by_k, (counts.size == 2) / counts.u2 - by_k])
    )
    slope = by_k + alpha * log_beta * shift[0] - alpha * math.expm1(log_beta) * shift[1]
    factor = math.exp(min(_Z * math.sqrt(math.fsum(counts.classes * slope**2)), 700.0))
    return Estimate(uniques, counts.within(uniques / factor, uniques * factor), parameters=parameters)


def _shlosser(counts: _Counts) -> tuple[float, Floats]:
    """Number of classes in the population, and its derivative by the number of classes of each size."""
    missed = (1 - counts.fraction) ** counts.size
    once = counts.size * counts.fraction * (1 - counts.fraction) ** (counts.size - 1)
    over, under = math.fsum(counts.classes * missed), math.fsum(counts.classes * once)
    slope = 1 + np.where(counts.size == 1, over / under, 0.0) + counts.u1 * (missed * under - over * once) / under**2
    return counts.u + counts.u1 * over / under, slope


def _snb_logs(fraction: float, alpha: Any, logit: Any) -> tuple[Any, Any]:
    """Logs of the expected classes of one and of two records, for one class of the population."""
    c = np.exp(-np.logaddexp(0, logit))  # 1 - beta
    q = (1 - fraction) * c
    p = np.exp(-np.logaddexp(0, -logit)) + fraction * c  # 1 - q, without loss
    seen = -alpha * np.logaddexp(0, math.log(fraction) - logit)  # alpha log(beta / p)
    one = math.log(fraction) + seen + np.log1p(alpha * q / p)
    two = math.log(fraction**2 / 2) + seen + np.log(alpha * c) - 2 * np.log(p) + np.log(2 - q + alpha * q)
    return one, two


def _snb_three(fraction: float, k: float, alpha: float, logit: float) -> float:
    """Expected classes of three: K F^3 / 6 times the third derivative of z (beta / (1 - c z))^alpha at z = 1 - F."""
    c = math.exp(-float(np.logaddexp(0, logit)))
    p = math.exp(-float(np.logaddexp(0, -logit))) + fraction * c
    seen = math.exp(-alpha * float(np.logaddexp(0, math.log(fraction) - logit)))
    third = 3 * alpha * (alpha + 1) * (c / p) ** 2 + (1 - fraction) * alpha * (alpha + 1) * (alpha + 2) * (c / p) ** 3
    return k * fraction**3 / 6 * seen * third


def _snb_roots(counts: _Counts, k: float) -> list[tuple[float, float]]:
    """Every (alpha, logit of beta) for which the expected classes of one and of two records are those counted.

    For a given beta the ratio of the two equations is a quadratic in alpha with one positive root, which leaves one
    equation in beta alone. Beta may be as small as exp(-1e9), where alpha is near 0.
    """
    from scipy.optimize import brentq

    f, ratio = counts.fraction, counts.u2 / counts.u1

    def alpha_at(logit: Any) -> Any:
        c = np.exp(-np.logaddexp(0, logit))
        q = (1 - f) * c
        p = np.exp(-np.logaddexp(0, -logit)) + f * c
        square, linear, constant = f * c * q, f * c * (2 - q) - 2 * ratio * q * p, 2 * ratio * p**2
        root = np.sqrt(linear**2 + 4 * square * constant)
        return np.where(linear > 0, 2 * constant / (np.abs(linear) + root), (root - linear) / (2 * square))

    def gap(logit: Any) -> Any:
        return math.log(k / counts.u1) + _snb_logs(f, alpha_at(logit), logit)[0]

    grid = np.concatenate((-np.geomspace(1e9, 60, 120, endpoint=False), np.linspace(-60, 25, 681)))
    signs = np.sign(gap(grid))
    found = [brentq(gap, grid[i], grid[i + 1], xtol=1e-14) for i in np.flatnonzero(signs[:-1] * signs[1:] < 0)]
    return [(float(alpha_at(logit)), float(logit)) for logit in found]
