"""Which role reaches which category, and how many children."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from otrack_risk import frames
from otrack_risk.access.accounts import AccountLadder, AccountReach
from otrack_risk.access.change import compared
from otrack_risk.access.findings import AccessFindings, Finding
from otrack_risk.access.grants import read_grants
from otrack_risk.access.inquiry import Inquiry
from otrack_risk.access.model import Fault, Grants, build, joined
from otrack_risk.access.needed import Needed, needed_matrix
from otrack_risk.access.reach import reach
from otrack_risk.access.results import Access, Cell
from otrack_risk.access.sources import read_sources
from otrack_risk.access.views import AccessView, Order, Which
from otrack_risk.access.why import Reason, why
from otrack_risk.display.results import NotLookedFor

__all__ = [
    "Access",
    "AccessFindings",
    "AccessView",
    "AccountLadder",
    "AccountReach",
    "Cell",
    "Fault",
    "Finding",
    "Grants",
    "Inquiry",
    "Needed",
    "NoGrants",
    "Reason",
    "asked_of",
    "build",
    "compared",
    "joined",
    "needed_matrix",
    "reach",
    "read_grants",
    "why",
]


@dataclass(frozen=True)
class NoGrants(NotLookedFor):
    """Nobody said who can see whom: every question about it is open, which is not "nobody can"."""

    @property
    def access(self) -> NoGrants:
        """The same, in the place of an answer."""
        return self

    def view(self, which: Which = "granted", order: Order = "canonical") -> NoGrants:
        """The same, of another view."""
        return self._of(f"what is {which} to which role", "access_view")

    def ladder(self) -> NoGrants:
        """The same, of the accounts."""
        return self._of("how many children one stolen password exposes", "account_ladder")

    def findings_table(self) -> NoGrants:
        """The same, of the findings."""
        return self._of("which grants somebody should look at first", "access_findings")

    def concentration(self) -> NoGrants:
        """The same, of few accounts that hold most."""
        return self._of("how much of all reach few accounts hold", "access_concentration")

    def tier_zero(self) -> NoGrants:
        """The same, of the paths to everything."""
        return self._of("which accounts have a path to everything", "tier_zero")

    def expected_exposure(self) -> NoGrants:
        """The same, of a year."""
        return self._of("what stolen log-ins would expose in a year", "expected_exposure")

    def categories_seen(self) -> dict[str, tuple[str, ...]]:
        """None."""
        return {}

    def revocations(self) -> NoGrants:
        """The same, of changes."""
        return self._of("which changes would bring grants to need", "revocations")

    def _of(self, question: str, instead_of: str) -> NoGrants:
        return replace(self, question=question, instead_of=instead_of)


def asked_of(
    dataset: frames.Dataset | None,
    grants: str | Path | Grants = "",
    *,
    needed: str | Path | None = None,
    as_of: date | None = None,
    log: str | Path | None = None,
    accepted: str | Path | None = None,
    weigh: str | Path | None = None,
) -> Inquiry | NoGrants:
    """Everything that can be asked about access in a data set: by its own table of grants, or by grants given apart.

    Parameters
    ----------
    grants : a source of grants, as :func:`~otrack_risk.access.sources.read_sources` takes it; several with a
        comma and a space between; empty: the table ``grants`` of the data set
    needed, as_of, log, accepted, weigh : as for :meth:`Inquiry.of`

    Raises
    ------
    TableError, FieldError, ParameterError
        Grants that hold no grant or lack a column, or a matrix that is not understood.

    Notes
    -----
    Data that hold no table of grants, where none are given apart, were not looked at: :class:`NoGrants`.
    """
    if not isinstance(grants, Grants) and not str(grants) and (dataset is None or "grants" not in dataset.tables):
        return NoGrants(
            "who can see whom",
            "These data hold no table of grants, and none were given apart.",
            "Give a CSV of grants (account, role, category, verb, scope) with --grants.",
            instead_of="access",
        )
    told: dict[str, Any] = {"needed": needed, "as_of": as_of, "log": log, "accepted": accepted, "weigh": weigh}
    if isinstance(grants, Grants) or not str(grants):
        people = dataset or frames.Dataset("no data set")
        return Inquiry.of_dataset(people, grants if isinstance(grants, Grants) else None, **told)
    sources = read_sources(str(grants).split(", ") if isinstance(grants, str) else [grants])
    return Inquiry.of_dataset(dataset or sources.people or frames.Dataset("no data set"), sources.grants, **told)
