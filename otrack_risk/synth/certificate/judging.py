"""How far a world may be from a target, and whether it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from math import exp, factorial, floor, pi, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

from otrack_risk.synth.certificate.result import Line
from otrack_risk.synth.certificate.sought import YEARS, Target, births, has
from otrack_risk.synth.presets import Preset
from otrack_risk.synth.targets import assumed, assumptions, published

_POINT = 0.005  # half a percentage point
_FEW = 100  # whose spread is no measure of the error of their mean
_MEAN_OF_NAMES = 100  # beyond, a Poisson count is near enough to a normal one

Counts = Counter[tuple[str, tuple[str, ...], tuple[object, ...], str]]
Cells = list[tuple[dict[str, Any], Counter[str]]]  # values by column, and what is counted of them


class _Judgement(NamedTuple):
    target: float
    achieved: float
    tolerance: float
    rule: str
    n: int  # counted
    within: bool


_Found = _Judgement | str  # or why there is nothing to judge


class Seen:
    """What was counted, by table and the columns that tell people apart."""

    def __init__(self, counts: Counts) -> None:
        held: dict[tuple[str, tuple[str, ...]], dict[tuple[object, ...], Counter[str]]]
        held = defaultdict(lambda: defaultdict(Counter))
        for (table, columns, values, part), n in counts.items():
            held[table, columns][values][part] += n
        self._held = {
            key: [(dict(zip(key[1], values, strict=True)), parts) for values, parts in cells.items()]
            for key, cells in held.items()
        }

    def cells(self, table: str, columns: tuple[str, ...]) -> Cells:
        """Each combination of values, with its counts; nothing where the table lacks a column."""
        return self._held.get((table, columns), [])

    def of(self, target: Target) -> Cells:
        """The cells from which a target is worked out."""
        if target.kind == "distance":
            return self.cells("pupils", ("born", "sex"))
        return self.cells(of_table(target.table, target.mean), target.columns)

    def sums(self, target: Target, of: Mapping[str, Any] | None = None) -> Counter[str]:
        """Counts of the target's group; ``hits`` are those who have what is asked."""
        total: Counter[str] = Counter()
        for row, parts in self.of(target):
            if target.counts(row, of):
                total.update(parts)
                total["hits"] += parts["n"] * has(row, target.hit)
        return total

    def by(self, target: Target) -> dict[Any, Counter[str]]:
        """The same by the values of ``each``."""
        apart: dict[Any, Counter[str]] = defaultdict(Counter)
        for row, parts in self.of(target):
            if target.counts(row):
                apart[row[target.each]]["n"] += parts["n"]
                apart[row[target.each]]["hits"] += parts["n"] * has(row, target.hit)
        return apart

    def heads(self, sex: str) -> dict[int, int]:
        """Children of one sex by year of birth, of the years for which names are counted."""
        cells = self.cells("pupils", ("born", "sex"))
        born = {row["born"]: parts["n"] for row, parts in cells if row["sex"] == sex}
        return {year: born.get(year, 0) for year in YEARS}


def of_table(table: str, mean: tuple[str, ...]) -> str:
    """The name under which sums of two columns are kept apart from plain counts."""
    return "|".join((table, *mean))


def tolerance(
    share: float, n: int, *, effect: float = 1.0, least: float | None = None, rule: str = "", family: int = 1
) -> tuple[float, str]:
    """How far an achieved share may be from its target, and the rule that says so.

    The larger of a floor and 3 standard errors of a sample of ``n`` of which the design effect is ``effect``.

    Parameters
    ----------
    share : the target, 0 to 1
    n : counted
    effect : design effect: how much larger the variance is because siblings share the value
    least, rule : the floor and its words; by default half a point, or a fifth of a share under 0.025
    family : how many figures are judged as one list. Each then has the chance that lets the whole list
        be outside as rarely as a single one at 3 standard errors (Bonferroni)

    Notes
    -----
    Half a point would pass a share of 0.4 percent that came out as none: hence a fifth, for rare ones. In three worlds
    with 150 targets at 3 standard errors each, one would be outside by chance alone: hence the families. A small
    count is skewed, and its longer tail is allowed for by the first term of Cornish and Fisher [1]_: (z^2 - 1) / 6
    times the skewness, which is next to nothing in a large world. That schools differ adds nothing: their shares
    are raked so that all together have England's.

    References
    ----------
    .. [1] Cornish and Fisher (1938), Revue de l'Institut International de Statistique 5(4), 307-320.

    Examples
    --------
    >>> tolerance(0.5, 100)
    (0.15, '3 standard errors of 100')
    >>> tolerance(0.5, 1_000_000), tolerance(0.01, 1_000_000)
    ((0.005, 'half a point'), (0.002, 'a fifth of the share'))
    """
    if least is None:
        rare = 0 < share < 5 * _POINT
        least, rule = (share / 5, "a fifth of the share") if rare else (_POINT, "half a point")
    error, errors = sqrt(share * (1 - share) / n * effect), _errors(family)
    if error:
        errors += (errors**2 - 1) / 6 * abs(1 - 2 * share) * effect / (n * error)
    if errors * error <= least:
        return round(least, 6), rule
    siblings = f", design effect of siblings {effect:.2f}" if effect != 1 else ""
    return round(errors * error, 6), f"{errors:.3g} standard errors of {n:,}{siblings}"


def _errors(family: int) -> float:
    """Standard errors that one of a family may be off: 3 for one alone."""
    return 3.0 if family == 1 else -NormalDist().inv_cdf(NormalDist().cdf(-3) / family)


def judged(target: Target, seen: Seen, plan: Preset) -> Line:
    """The judgement on one target."""
    want = _COMPUTED[target.computed](target, seen) if target.computed in _COMPUTED else target.value
    line = Line(
        key=target.key,
        topic=target.topic,
        what=target.what,
        among=target.among,
        unit=target.unit,
        target=None if want is None or target.kind == "peak" else round(want, 6),
        achieved=None,
        n=seen.sums(target)["n"] if target.kind != "distance" else 0,
        difference=None,
        tolerance=None,
        rule="",
        within=None,
        joint=target.joint,
        status=target.status,
        source=target.source,
        period=target.period,
        note=target.note or target.because,
        reason="",
    )
    if reason := _why_not(target, seen, plan):
        return replace(line, reason=reason)
    found = _JUDGES[target.kind](target, want, seen)
    if isinstance(found, str):
        return replace(line, reason=found)
    return replace(
        line,
        target=round(found.target, 6),
        achieved=round(found.achieved, 6),
        n=found.n,
        difference=round(found.achieved - found.target, 6),
        tolerance=round(found.tolerance, 6),
        rule=found.rule,
        within=found.within,
    )


def _why_not(target: Target, seen: Seen, plan: Preset) -> str:
    if target.not_for:
        return target.not_for
    if not seen.of(target):
        return "the tables of this world do not hold what it takes"
    phase = target.of.get("phase")
    if phase and phase not in {row["phase"] for row, _ in seen.cells("pupils", ("phase",))}:
        return f"this world has no {phase} school"
    if target.drawn and not isinstance(plan.schools, int):
        return "the sizes of its schools are chosen, not drawn"
    return ""


def _share(target: Target, want: float | None, seen: Seen) -> _Found:
    found = seen.sums(target)
    n = found["n"]
    if not n or want is None:
        return "nobody is in the group"
    effect = found["alike"] / n if target.siblings and found["alike"] else 1.0
    allowed = tolerance(want, n, effect=effect, least=target.floor, rule=target.floor_rule, family=target.family)
    return _either_way(want, found["hits"] / n, allowed, n)


def _mean(target: Target, want: float | None, seen: Seen) -> _Found:
    """Sum over sum; its error is that of a ratio of two sums over those counted."""
    found = seen.sums(target)
    n, a, b, aa, ab, bb = (found[part] for part in ("n", "a", "b", "aa", "ab", "bb"))
    if n < _FEW or want is None:
        return f"fewer than {_FEW} are in the group, whose own spread says too little"
    achieved = a / b
    error = sqrt(max(aa - 2 * achieved * ab + achieved**2 * bb, 0) * n / (n - 1)) / b
    wide = _errors(target.family) * error
    return _either_way(want, achieved, _larger(target, wide, f"{n:,}, from their own spread"), n)


def _ratio(target: Target, want: float | None, seen: Seen) -> _Found:
    one, other = seen.sums(target), seen.sums(target, target.to)
    if not one["n"] or not other["hits"] or want is None:
        return "nobody is in the group that the other is compared with"
    share = other["hits"] / other["n"]
    expected = min(want * share, 1.0)
    error = sqrt((1 - expected) / (expected * one["n"]) + (1 - share) / (share * other["n"]))
    wide = want * (exp(_errors(target.family) * error) - 1)  # a ratio is skewed, its logarithm is not
    allowed = _larger(target, wide, f"the logarithm, of {one['n']:,} and {other['n']:,}")
    return _either_way(want, one["hits"] / one["n"] / share, allowed, one["n"] + other["n"])


def _peak(target: Target, want: float | None, seen: Seen) -> _Found:
    """How far the highest share of any age lies above that of the age which should have it; 0 where it has."""
    ages = seen.by(target)
    if want not in ages:
        return "nobody of that age is in the group"
    shares = {age: found["hits"] / found["n"] for age, found in ages.items()}
    best = max(shares, key=lambda age: (shares[age], age == want))
    variance = sum(shares[age] * (1 - shares[age]) / ages[age]["n"] for age in (best, want))
    wide = _errors(max(1, len(ages) - 1)) * sqrt(variance)  # the best of so many others
    allowed = _larger(target, wide, f"{ages[want]['n']:,} and {ages[best]['n']:,}, the best of {len(ages)} ages")
    return _either_way(0.0, shares[best] - shares[want], allowed, sum(found["n"] for found in ages.values()))


def _spread(target: Target, want: float | None, seen: Seen) -> _Found:
    """Pearson's statistic a school, less what siblings give; within where it is above 1 by more than chance."""
    schools, whole = seen.by(target), seen.sums(target)
    share = whole["hits"] / whole["n"] if whole["n"] else 0.0
    if len(schools) < 8 or not 0 < share < 1 or want is None:
        return "fewer than eight schools, or nobody, to compare"
    apart = sum((one["hits"] - share * one["n"]) ** 2 / (one["n"] * share * (1 - share)) for one in schools.values())
    achieved = apart / (len(schools) - 1) / max(1.0, whole["alike"] / whole["n"])
    least = 3 * sqrt(2 / (len(schools) - 1))
    rule = f"above 1 by more than 3 standard errors of {len(schools)} schools, once siblings are allowed for"
    return _Judgement(want, achieved, least, rule, len(schools), achieved > want + least)


def _distance(target: Target, want: float | None, seen: Seen) -> _Found:
    """Total variation of the listed names, births of each year weighted by the children of that year.

    What chance alone gives is the mean absolute deviation of a Poisson count, name by name (de Moivre).
    """
    sex = str(target.of["sex"])
    heads = seen.heads(sex)
    n = sum(heads.values())
    if not n:
        return "nobody is in the group"
    expected: Counter[str] = Counter()
    for year, name, share in births(sex):
        expected[name] += share * heads[year]  # type: ignore[assignment]
    given: Counter[str] = Counter()
    for row, parts in seen.cells("pupils", ("sex", "born", "forename")):
        given[row["forename"]] += parts["n"] * (row["sex"] == sex)
    rest = n - sum(given.values()), n - sum(expected.values())
    pairs = [(given[name], mean) for name, mean in expected.items()] + [rest]
    achieved = sum(abs(count - mean) for count, mean in pairs) / (2 * n)
    by_chance = [_poisson_deviation(mean) for _, mean in pairs]
    due = sum(by_chance) / (2 * n)
    error = sqrt(sum(max(mean - chance**2, 0) for (_, mean), chance in zip(pairs, by_chance, strict=True))) / (2 * n)
    wide = _errors(target.family) * error
    allowed, rule = _larger(target, wide, f"{n:,}, above what chance gives")
    return _Judgement(due, achieved, allowed, rule, n, achieved <= due + allowed)


def _either_way(want: float, achieved: float, allowed: tuple[float, str], n: int) -> _Judgement:
    return _Judgement(want, achieved, *allowed, n, abs(achieved - want) <= allowed[0] + 1e-9)


def _larger(target: Target, wide: float, words: str) -> tuple[float, str]:
    least = _POINT if target.floor is None else target.floor
    if wide <= least:
        return least, target.floor_rule or "half a point"
    return wide, f"{_errors(target.family):.3g} standard errors of {words}"


def _poisson_deviation(mean: float) -> float:
    """Mean absolute deviation of a Poisson count.

    Examples
    --------
    >>> round(_poisson_deviation(0.5), 4), round(_poisson_deviation(200.0), 2)
    (0.6065, 11.28)
    """
    whole = floor(mean)
    if whole > _MEAN_OF_NAMES:
        return sqrt(2 * mean / pi) * (1 - 1 / (12 * mean))
    return 2 * exp(-mean) * mean ** (whole + 1) / factorial(whole)


_JUDGES = {"share": _share, "mean": _mean, "ratio": _ratio, "peak": _peak, "spread": _spread, "distance": _distance}


def _older_siblings(target: Target, seen: Seen) -> float | None:
    """Share with an older sibling here: those who have one at the same school, for the gaps that the years allow."""
    (gaps,) = assumptions("sibling_gap")
    cohorts = {(row["phase"], row["entry"]): parts["n"] for row, parts in seen.cells("pupils", ("entry", "phase"))}
    if not cohorts:
        return None
    reach = 0.0
    for (phase, entry), n in cohorts.items():
        for gap, weight in enumerate(gaps["weights"], start=1):
            there = {(phase, entry - gap), ("secondary", entry - gap)} & cohorts.keys()
            reach += n * weight / sum(gaps["weights"]) * bool(there)
    chance = published("children with an older sibling") * assumed("same_school")
    return chance * (1 - published("looked after", "rate")) * reach / sum(cohorts.values())


def _rare_names(target: Target, seen: Seen) -> float | None:
    sex = str(target.of["sex"])
    heads = seen.heads(sex)
    if not sum(heads.values()):
        return None
    return 1 - sum(share * heads[year] for year, _, share in births(sex)) / sum(heads.values())


_COMPUTED = {"older_siblings": _older_siblings, "rare_names": _rare_names}
