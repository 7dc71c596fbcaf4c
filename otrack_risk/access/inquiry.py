"""Who can see whom: one reading of the sources, and every question that is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from otrack_risk import frames
from otrack_risk.access import measures, tier_zero
from otrack_risk.access.change import compared, without
from otrack_risk.access.change.differs import AccessChange
from otrack_risk.access.change.mining import MinedRoles, mined_roles
from otrack_risk.access.change.revoke import Revocations, smallest
from otrack_risk.access.findings.accepted import Acceptance, read_accepted
from otrack_risk.access.model import Grants
from otrack_risk.access.needed import Needed, needed_matrix
from otrack_risk.access.paths import AccountPaths, account_paths
from otrack_risk.access.reach import reach
from otrack_risk.access.results import Access
from otrack_risk.access.sources import Sources, read_sources
from otrack_risk.access.use import Used, read_log
from otrack_risk.access.use.terms import Terms, terms_of
from otrack_risk.access.weights import Weights, weights
from otrack_risk.errors import ParameterError
from otrack_risk.schema import Catalogue

_FIRST_YEAR, _LAST_YEAR = 1900, 2200  # a day outside of them is a slip of the pen


@dataclass(frozen=True)
class Inquiry:
    """Grants, people, a day, a matrix, and where there is one a log: what every question of access is asked of."""

    sources: Sources
    as_of: date | None
    needed: Needed
    used: Used | None = None
    accepted: tuple[Acceptance, ...] = ()
    terms: Terms | None = None
    weights: Weights | None = None

    @classmethod
    def of(
        cls,
        given: Sequence[str | Path],
        data: str | Path | None = None,
        *,
        needed: str | Path | None = None,
        as_of: date | None = None,
        log: str | Path | None = None,
        accepted: str | Path | None = None,
        terms: str | Path | None = None,
        weigh: str | Path | None = None,
        school: str | None = None,
        catalogue_of: Callable[[str | Path, frames.Dataset], Catalogue] | None = None,
    ) -> Inquiry:
        """What is given, read.

        Parameters
        ----------
        given, data, school, catalogue_of : as for :func:`~otrack_risk.access.sources.read_sources`
        needed : a school's own matrix of least privilege; None or empty: the built-in one
        as_of : the day of which it is told; None: the last day that the grants or the accounts mention
        log : an access log, see :func:`~otrack_risk.access.used.read_log`; None: the table ``access_log`` of the
            people's folder where it has one
        accepted : risks that somebody accepted, until a day
        weigh : a school's own weights, see :func:`~otrack_risk.access.weights.weights`
        terms : the school's own terms; None: typical ones of England
        """
        sources = read_sources(given, data, school=school, catalogue_of=catalogue_of)
        return cls._on(sources, needed=needed, as_of=as_of, log=log, accepted=accepted, terms=terms, weigh=weigh)

    @classmethod
    def of_dataset(cls, dataset: frames.Dataset, grants: Grants | None = None, **more: Any) -> Inquiry:
        """The same of tables that are at hand; ``grants``: None: the table ``grants`` among them."""
        held = Grants.from_dataset(dataset) if grants is None else grants
        return cls._on(Sources(held, dataset), **more)

    @classmethod
    def _on(
        cls,
        sources: Sources,
        *,
        needed: str | Path | None = None,
        as_of: date | None = None,
        log: str | Path | None = None,
        accepted: str | Path | None = None,
        terms: str | Path | None = None,
        weigh: str | Path | None = None,
    ) -> Inquiry:
        day = as_of.date() if isinstance(as_of, datetime) else as_of or sources.grants.latest_day()
        if day is not None and not _FIRST_YEAR <= day.year < _LAST_YEAR:
            raise ParameterError(
                f"as_of: the day lies outside of {_FIRST_YEAR} to {_LAST_YEAR}.",
                "correct it with --as-of, or the first days of the grants and the last log-ins.",
            )
        calendar = terms_of(terms) if terms else terms_of()
        used = None
        if log:
            used = read_log(log, as_of=day, terms=calendar)
        elif sources.people is not None and "access_log" in sources.people.tables:
            used = Used.of(sources.people.tables["access_log"].rows, as_of=day, terms=calendar)
        return cls(
            sources,
            day,
            needed_matrix(needed or None),
            used,
            read_accepted(accepted) if accepted else (),
            calendar,
            weights(weigh or None),
        )

    @cached_property
    def access(self) -> Access:
        """Who can see whom."""
        return self._asked(self.sources.grants)

    def concentration(self) -> measures.Concentration:
        """How much of all reach few accounts hold."""
        return measures.concentration(self.access)

    def tier_zero(self) -> tier_zero.TierZero:
        """Accounts with a path to everybody's safeguarding record, or to the administration of users."""
        return tier_zero.tier_zero(self.sources.grants, self.sources.people, as_of=self.as_of)

    def expected_exposure(self) -> measures.ExpectedExposure:
        """Children whom stolen log-ins can be expected to expose in a year."""
        kinds = measures.kinds_of(self.sources.grants, self.sources.people, as_of=self.as_of)
        return measures.expected_exposure(self.access, kinds)

    def categories_seen(self) -> dict[str, tuple[str, ...]]:
        """The categories that each enabled account sees, for its severity."""
        return measures.categories_seen(self.sources.grants, self.sources.people, as_of=self.as_of)

    def paths_of(self, account: str) -> AccountPaths:
        """What one log-in leads to."""
        held, roll = self.sources.grants, self.access.roll
        return account_paths(held, self.sources.people, account, as_of=self.as_of, roll=roll)

    def without(
        self, *, accounts: Iterable[str] = (), roles: Iterable[str] = (), categories: Iterable[str] = ()
    ) -> AccessChange:
        """What would change if these were taken away."""
        left = without(self.sources.grants, accounts=accounts, roles=roles, categories=categories)
        return compared(self.access, self._asked(left))

    def revocations(self) -> Revocations:
        """The smallest set of changes after which no account holds more than it needs."""
        return smallest(self.sources.grants, self.sources.people, as_of=self.as_of, needed=self.needed)

    def after(self, proposals: Revocations) -> AccessChange:
        """What would change if the proposals were carried out."""
        return compared(self.access, self._asked(proposals.applied(self.sources.grants)))

    def mined_roles(self) -> MinedRoles:
        """Roles that would say the same with less."""
        return mined_roles(self.sources.grants, as_of=self.as_of, needed=self.needed)

    def record(self) -> dict[str, Any]:
        """The contract's ``access`` result, with the measures of all accounts together."""
        together = (self.concentration(), self.tier_zero(), self.expected_exposure())
        measured = {each.key: each.record() for each in together}
        log = self.used.record() if self.used else {"reason": "no access log was read"}
        return self.access.record() | {"measures": measured, "log": log}

    def _asked(self, grants: Grants) -> Access:
        return reach(
            grants,
            self.sources.people,
            as_of=self.as_of,
            needed=self.needed,
            used=self.used,
            accepted=self.accepted,
            terms=self.terms,
            from_database=self.sources.database,
            weigh=self.weights,
        )
