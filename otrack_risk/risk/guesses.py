"""What is learnt of those who stay hidden: how well a sensitive value is guessed from the facts known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.display import tables
from otrack_risk.display.results import NotLookedFor, Shown
from otrack_risk.errors import FieldError
from otrack_risk.risk.anonymity import SensitiveRisk, sensitive_risk
from otrack_risk.risk.classes import Missing, value_counts
from otrack_risk.risk.sizes import missing_said, named

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Guess:
    """How often the best guess of one sensitive column is right."""

    sensitive: str  # name of the column
    prior_right: int  # data subjects guessed rightly with nothing known: the commonest value for all
    posterior_right: int  # with the facts known: the commonest value of each class
    certain: int  # data subjects in a class with one value only


def inference(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    sensitive: Sequence[str],
    *,
    missing: Missing = "own-category",
) -> Inference | NotLookedFor:
    """How well each sensitive value is guessed from the quasi-identifiers, against knowing nothing.

    Parameters
    ----------
    subjects : frame of n_subjects rows, on any engine
        One row per data subject.
    quasi_identifiers : names of columns
        What the attacker knows.
    sensitive : names of columns
        What would be learnt; those that are quasi-identifiers too are known already and are passed over.
        A missing value counts as a value of its own.
    missing : "own-category" or "drop"

    Returns
    -------
    :class:`Inference`, or :class:`~otrack_risk.display.results.NotLookedFor` where no column is left to learn

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`otrack_risk.risk.k_anonymity`.

    Notes
    -----
    Prior = largest count of a value in the table, posterior = sum over classes of the largest count in
    the class, both over the number of data subjects [1]_. Finding the person is not needed for either.

    References
    ----------
    .. [1] Alvim, Fernandes, McIver, Morgan and Nunes (2022), Proc. Priv. Enhancing Technol. 2022(4): flexible and
       scalable privacy assessment for very large datasets.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 7, 8, 8], "need": ["ASD", "SLCN", "ASD", "SEMH", "SEMH"]})
    >>> inference(pupils, ["year"], ["need"]).guesses
    (Guess(sensitive='need', prior_right=2, posterior_right=4, certain=2),)
    """
    if isinstance(sensitive, str):
        raise FieldError("sensitive: one name where a list of names belongs.", f"write [{sensitive!r}].")
    learnt = {
        name: sensitive_risk(value_counts(subjects, quasi_identifiers, name, missing=missing), column=name)
        for name in sensitive
        if name not in quasi_identifiers
    }
    if not learnt:
        return NotLookedFor(
            "what is learnt of those who stay hidden",
            "No column of this table is taken to be sensitive.",
            "Name the sensitive columns in the catalogue.",
            instead_of="inference",
        )
    return Inference(
        quasi_identifiers=tuple(quasi_identifiers),
        missing_rule=missing,
        data_subjects=next(iter(learnt.values())).data_subjects,
        guesses=tuple(_guess(name, risk) for name, risk in learnt.items()),
    )


@dataclass(frozen=True)
class Inference(Shown):
    """How well sensitive values are guessed from what is known; every number is a measure of the whole table."""

    key: ClassVar[str] = "inference"
    quasi_identifiers: tuple[str, ...]
    missing_rule: str
    data_subjects: int
    guesses: tuple[Guess, ...]

    def sentence(self) -> str:
        n = self.data_subjects
        worst = max(self.guesses, key=lambda guess: guess.posterior_right - guess.prior_right)
        several = len(self.guesses) > 1
        most = f"; of the {len(self.guesses)} sensitive columns most is learnt of this one" if several else ""
        return (
            f"Whoever knows {named(self.quasi_identifiers)} guesses {worst.sensitive} rightly for "
            f"{worst.posterior_right:,} of {n:,} records ({tables.percent(worst.posterior_right / n)}), against "
            f"{worst.prior_right:,} ({tables.percent(worst.prior_right / n)}) with nothing known{most}. For "
            f"{worst.certain:,} it is no guess: everybody alike has the same value. "
            f"{missing_said(self.missing_rule, None)}"
        )

    def table(self) -> pl.DataFrame:
        n = self.data_subjects
        return tables.table(
            {
                "sensitive": [guess.sensitive for guess in self.guesses],
                "guessed rightly with nothing known": [guess.prior_right for guess in self.guesses],
                "prior share": [guess.prior_right / n for guess in self.guesses],
                "guessed rightly with the facts": [guess.posterior_right for guess in self.guesses],
                "posterior share": [guess.posterior_right / n for guess in self.guesses],
                "known for certain": [guess.certain for guess in self.guesses],
                "of records": [n] * len(self.guesses),
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display.figures import bars

        n = self.data_subjects
        worst = max(self.guesses, key=lambda guess: guess.certain)
        title = f"{worst.sensitive} is known for certain of {worst.certain:,} of {n:,} records"
        labels = [guess.sensitive for guess in self.guesses]
        return bars(
            labels, [guess.certain for guess in self.guesses], title, "records whose value is known for certain"
        )

    def record(self) -> dict[str, Any]:
        n = self.data_subjects
        return {
            "quasi_identifiers": list(self.quasi_identifiers),
            "missing_rule": self.missing_rule,
            "records": n,
            "sensitive": {
                guess.sensitive: asdict(guess)
                | {"prior": guess.prior_right / n, "posterior": guess.posterior_right / n}
                for guess in self.guesses
            },
        }


def _guess(name: str, risk: SensitiveRisk) -> Guess:
    return Guess(name, risk.prior_right, risk.posterior_right, risk.homogeneous_records)
