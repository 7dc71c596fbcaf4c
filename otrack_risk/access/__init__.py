"""Which role reaches which category, and how many children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from otrack_risk import frames
from otrack_risk.access.accounts import AccountLadder, AccountReach
from otrack_risk.access.findings import AccessFindings, Finding
from otrack_risk.access.grants import read_grants, together
from otrack_risk.access.model import Fault, Grants, build, joined
from otrack_risk.access.needed import Needed, needed_matrix
from otrack_risk.access.reach import reach
from otrack_risk.access.results import Access, Cell
from otrack_risk.access.why import Reason, why
from otrack_risk.display.results import NotLookedFor

__all__ = [
    "Access",
    "AccessFindings",
    "AccountLadder",
    "AccountReach",
    "Cell",
    "Fault",
    "Finding",
    "Grants",
    "Needed",
    "NoGrants",
    "Reason",
    "build",
    "from_paths",
    "joined",
    "needed_matrix",
    "reach",
    "read_grants",
    "who_can_see_whom",
    "why",
]


@dataclass(frozen=True)
class NoGrants(NotLookedFor):
    """Nobody said who can see whom: every question about it is open, which is not "nobody can"."""

    def ladder(self) -> NoGrants:
        """The same, of the accounts."""
        return replace(self, question="how many children one stolen password exposes", instead_of="account_ladder")

    def findings_table(self) -> NoGrants:
        """The same, of the findings."""
        return replace(self, question="which grants somebody should look at first", instead_of="access_findings")


def who_can_see_whom(
    dataset: frames.Dataset | None,
    grants: str | Path | Grants = "",
    *,
    needed: str | Path | None = None,
    as_of: date | None = None,
) -> Access | NoGrants:
    """Reach in a data set: by its own table of grants, or by grants that are given apart.

    Parameters
    ----------
    grants : a file or folder of grants; empty: the table ``grants`` of the data set
    needed : a school's own matrix of least privilege; empty or None: the built-in one
    as_of : the day of which it is told; None: the last day that the grants or the accounts mention

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
    if isinstance(grants, Grants):
        held = grants
    elif str(grants):
        held = read_grants([grants])
    else:
        held = Grants.from_dataset(dataset or frames.Dataset("no data set"))
    return _on_the_day(held, dataset, needed, as_of)


def from_paths(
    grants: Sequence[str | Path],
    data: str | Path | None = None,
    *,
    needed: str | Path | None = None,
    as_of: date | None = None,
) -> tuple[Access, frames.Dataset]:
    """Reach by files, and the tables that were read for it.

    Parameters
    ----------
    grants : files of grants, or a synthetic world's folder, which brings its people
    data : the people, where ``grants`` is files alone; None: the folder's own, or children are not counted
    needed, as_of : as for :func:`who_can_see_whom`
    """
    read = [frames.read(path) for path in grants]
    if data is not None:
        people: frames.Dataset | None = frames.read(data)
    else:
        people = read[0] if len(read) == 1 and "pupils" in read[0].tables else None
    every = {id(table): table for each in [*read, *([people] if people else [])] for table in each.tables.values()}
    used = frames.Dataset(read[0].name, {str(place): table for place, table in enumerate(every.values())})
    return _on_the_day(together(read), people, needed, as_of), used


def _on_the_day(held: Grants, dataset: frames.Dataset | None, needed: str | Path | None, as_of: date | None) -> Access:
    day = held.latest_day() if as_of is None else as_of.date() if isinstance(as_of, datetime) else as_of
    return reach(held, dataset, as_of=day, needed=needed_matrix(needed or None))
