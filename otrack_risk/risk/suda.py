"""Special uniques: whom few attributes already single out, and which attribute does most of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.risk.classes import combinations
from otrack_risk.risk.counts import Combinations, Floats
from otrack_risk.risk.cube import MinimalUniques, minimal_uniques
from otrack_risk.risk.sizes import named

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def special_uniques(
    subjects: IntoFrame, quasi_identifiers: Sequence[str], *, max_size: int | None = None
) -> SpecialUniques:
    """Records that a minimal set of attributes singles out, with their scores (SUDA).

    Parameters
    ----------
    subjects : frame of n_subjects rows, on any engine
    quasi_identifiers : names of columns; a missing value counts as a value of its own
    max_size : attributes of a minimal sample unique at most; None for all

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`otrack_risk.risk.k_anonymity` and :func:`otrack_risk.risk.cube.subset_counts`.

    Notes
    -----
    See :func:`otrack_risk.risk.cube.minimal_uniques` for the score. The contribution of an attribute is the share
    of all scores that comes from minimal uniques that hold it; the shares add up to more than 1.

    References
    ----------
    .. [1] Elliot, Manning and Ford (2002), Int. J. Uncertain. Fuzz. Knowl.-Based Syst. 10(5), 493-509.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 7, 8], "sex": ["F", "F", "M", "F"]})
    >>> found = special_uniques(pupils, ["year", "sex"])
    >>> found.records_with_msu, found.score_max, found.contribution
    (2, 1.0, {'year': 50.0, 'sex': 50.0})
    """
    found = combinations(subjects, quasi_identifiers)
    return special(found, minimal_uniques(found, max_size))


def special(found: Combinations, minimal: MinimalUniques) -> SpecialUniques:
    """:func:`special_uniques`, from minimal uniques that are found already."""
    total = float(minimal.score.sum())
    shares = minimal.contribution / total * 100 if total else [None] * len(found.quasi_identifiers)
    return SpecialUniques(
        quasi_identifiers=found.quasi_identifiers,
        max_size=minimal.max_size,
        records=found.records,
        records_with_msu=int((minimal.score > 0).sum()),
        msu_by_size=tuple(int(count) for count in minimal.by_size.sum(axis=0)[1:]),
        score_max=float(minimal.score.max()),
        score_sum=total,
        contribution={
            name: None if share is None else float(share)
            for name, share in zip(found.quasi_identifiers, shares, strict=True)
        },
    )


def dis_suda_scores(found: Combinations, score: Floats, fraction: float) -> Floats:
    """SUDA scores as chances that a match with the record is right, of each combination; 0 without a score.

    With U records alone and P in pairs, D = F U / (F U + (1 - F) P) for the fraction F is the chance over all
    of them; a score moves it by 1 / (1 + (U / D - U) / (score^Q a)) with Q = 1 + (8 - A) / 20 for A attributes and
    a = sum of score^-Q over those alone. Without a pair every chance is 1.

    References
    ----------
    Elliot (2000), Int. J. Uncertain. Fuzz. Knowl.-Based Syst. 8(6) (data intrusion simulation); Elliot, Manning and
    Ford (2002), 10(5), 493-509. The exponent Q is sdcMicro's.

    Examples
    --------
    >>> found = Combinations(("year",), np.array([[1], [2], [3]]), np.array([1, 1, 2]))
    >>> dis_suda_scores(found, np.array([1.0, 1.0, 0.0]), 0.5).tolist()
    [0.5, 0.5, 0.0]
    """
    alone = score > 0
    if not alone.any():
        return np.zeros(len(score))
    uniques, pairs = int((found.size == 1).sum()), 2 * int((found.size == 2).sum())
    overall = fraction * uniques / (fraction * uniques + (1 - fraction) * pairs)
    exponent = 1 + (8 - len(found.quasi_identifiers)) / 20
    raised = np.where(alone, score, 1.0) ** exponent
    adjusted = float(np.sort(1 / raised[alone]).sum())
    return np.where(alone, 1 / (1 + (uniques / overall - uniques) / (raised * adjusted)), 0.0)


@dataclass(frozen=True)
class SpecialUniques(Shown):
    """How many records few attributes single out, and how much each attribute has in it."""

    key: ClassVar[str] = "special_uniques"
    quasi_identifiers: tuple[str, ...]
    max_size: int  # attributes of a minimal sample unique at most
    records: int  # the denominator
    records_with_msu: int  # records with a minimal sample unique
    msu_by_size: tuple[int, ...]  # minimal sample uniques of 1, 2, ... attributes
    score_max: float
    score_sum: float
    contribution: dict[str, float | None]  # percent of the scores; None where nobody has one

    def sentence(self) -> str:
        n, found = self.records, self.records_with_msu
        share = tables.percent(found / n)
        said = f"{found:,} of {n:,} records ({share}) are singled out by {self.max_size} attributes or fewer"
        told = [(name, share) for name, share in self.contribution.items() if share is not None]
        if not told:
            return f"{said}. A missing value counts as a value of its own."
        most, part = max(told, key=lambda item: item[1])
        fewest = next(size for size, count in enumerate(self.msu_by_size, start=1) if count)
        return (
            f"{said}; the least that does it for anybody is {fewest}. {most} has a part in {part:,.4g} % of the "
            f"scores, more than any other of {named(self.quasi_identifiers, at_most=6)}. A missing value counts as a "
            "value of its own."
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "attribute": list(self.contribution),
                "part_in_scores_share": [
                    None if share is None else share / 100 for share in self.contribution.values()
                ],
            }
        )

    def figure(self) -> Figure | None:
        if not self.score_sum:
            return None
        from otrack_risk.display.figures import bars

        shares = [(share or 0.0) / 100 for share in self.contribution.values()]
        title = f"{self.records_with_msu:,} of {self.records:,} records are singled out by few attributes"
        return bars(list(self.contribution), shares, title, "part in the scores of special uniques")

    def record(self) -> dict[str, Any]:
        reason = {} if self.score_sum else {"reason": "no record has a minimal sample unique of this size"}
        contribution = {"contribution": self.contribution if self.score_sum else None}
        return asdict(self) | {"msu_by_size": list(self.msu_by_size)} | contribution | reason
