"""One table seen by several people: how many data subjects could each of them find?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from narwhals.typing import IntoFrame

from otrack_risk.display import figures, tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import TableError
from otrack_risk.risk.classes import Missing
from otrack_risk.risk.measuring import measure
from otrack_risk.risk.overview import Risk
from otrack_risk.risk.sizes import named

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure


def knowledge_compared(
    subjects: IntoFrame,
    knowledge: Mapping[str, Sequence[str]],
    *,
    person: str | None = None,
    missing: Missing = "own-category",
) -> KnowledgeCompared:
    """How many data subjects each of several people could find by what they know already.

    Each is taken to know that the person is in the table (the prosecutor of
    :func:`otrack_risk.risk.prosecutor_risk`), and to hold it without its direct identifiers.

    Parameters
    ----------
    subjects : frame of n_subjects rows, on any engine
        One row per data subject, unless ``person`` names the column that tells them apart.
    knowledge : label of a person, with the columns that person knows
        With no column the answer for that person is unknown, not zero.

    Raises
    ------
    TableError
        Nobody knows any column of this table, or it has no rows.

    Examples
    --------
    >>> import polars as pl
    >>> pupils = pl.DataFrame({"year": [7, 7, 8], "sex": ["F", "F", "M"], "born": [1, 2, 3]})
    >>> compared = knowledge_compared(pupils, {"a passer-by": ["year", "sex"], "a classmate": ["born"]})
    >>> [seen.uniques for seen in compared.measured.values()]
    [1, 3]
    """
    measured = {
        label: measure(subjects, columns, person=person, missing=missing)
        for label, columns in knowledge.items()
        if columns
    }
    if not measured:
        raise TableError(
            "none of the attackers of the scenario knows any column of this table.",
            "name columns or kinds of columns that the table has under `knows`, or correct the catalogue.",
        )
    return KnowledgeCompared(measured, tuple(label for label, columns in knowledge.items() if not columns))


@dataclass(frozen=True)
class KnowledgeCompared(Shown):
    """The same data subjects as different people could find them."""

    key: ClassVar[str] = "knowledge_compared"
    measured: Mapping[str, Risk]  # by label of the person
    unknown: tuple[str, ...]  # people who know no column of this table

    def sentence(self) -> str:
        label, worst = max(self.measured.items(), key=lambda item: item[1].uniques)
        n, unit = worst.records, worst.unit.replace("_", " ")
        said = (
            f"With the direct identifiers gone, {label[0].lower()}{label[1:]}, who knows "
            f"{named(worst.quasi_identifiers)}, could still tell {worst.uniques:,} of {n:,} {unit} "
            f"({tables.percent(worst.uniques / n)}) from everybody else."
        )
        return said + (f" Not measured, for lack of columns: {'; '.join(self.unknown)}." if self.unknown else "")

    def table(self) -> pl.DataFrame:
        seen = list(self.measured.values())
        return tables.table(
            {
                "who": list(self.measured),
                "knows": [", ".join(risk.quasi_identifiers) for risk in seen],
                "singled_out": [risk.uniques for risk in seen],
                "of": [risk.records for risk in seen],
                "singled_out_share": [risk.uniques / risk.records for risk in seen],
                "chance_of_a_right_guess": [risk.record_risk.mean_per_record for risk in seen],
            }
        )

    def figure(self) -> Figure:
        label, worst = max(self.measured.items(), key=lambda item: item[1].uniques)
        unit = worst.unit.replace("_", " ")
        return figures.bars(
            list(self.measured),
            [risk.uniques for risk in self.measured.values()],
            f"{label} could single out {worst.uniques:,} of {worst.records:,}",
            f"{unit} that nobody else fits",
        )

    def record(self) -> dict[str, Any]:
        known = [
            {
                "who": label,
                "knows": list(risk.quasi_identifiers),
                "unit": risk.unit,
                "records": risk.records,
                "uniques": risk.uniques,
                "unique_share": risk.uniques / risk.records,
                "success_rate": risk.record_risk.mean_per_record,
            }
            for label, risk in self.measured.items()
        ]
        reason = "the table has none of the columns that this person knows"
        return {"attackers": known + [{"who": label, "uniques": None, "reason": reason} for label in self.unknown]}
