"""Which role reaches which category, and how many children."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from otrack_risk import frames
from otrack_risk.access.accounts import AccountLadder, AccountReach
from otrack_risk.access.findings import AccessFindings, Finding
from otrack_risk.access.grants import Grants, read_grants, together
from otrack_risk.access.needed import Needed, needed_matrix
from otrack_risk.access.reach import reach
from otrack_risk.access.results import Access, Cell

__all__ = [
    "Access",
    "AccessFindings",
    "AccountLadder",
    "AccountReach",
    "Cell",
    "Finding",
    "Grants",
    "Needed",
    "from_paths",
    "needed_matrix",
    "reach",
    "read_grants",
    "who_can_see_whom",
]


def who_can_see_whom(
    dataset: frames.Dataset | None,
    grants: str | Path | Grants = "",
    *,
    needed: str | Path | None = None,
    as_of: date | None = None,
) -> Access:
    """Reach in a data set: by its own table of grants, or by grants that are given apart.

    Parameters
    ----------
    grants : a file or folder of grants; empty: the table ``grants`` of the data set
    needed : a school's own matrix of least privilege; empty or None: the built-in one
    as_of : the day of which it is told; None: the last day that the grants or the accounts mention

    Raises
    ------
    TableError, FieldError, ParameterError
        No grants, a column that is lacking, or a matrix that is not understood.
    """
    if isinstance(grants, Grants):
        held = grants
    elif str(grants):
        held = read_grants([grants])
    else:
        held = Grants.from_dataset(dataset or frames.Dataset("no data set"))
    day = held.latest_day() if as_of is None else as_of.date() if isinstance(as_of, datetime) else as_of
    return reach(held, dataset, as_of=day, needed=needed_matrix(needed or None))


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
    return who_can_see_whom(people, together(read), needed=needed, as_of=as_of), used
