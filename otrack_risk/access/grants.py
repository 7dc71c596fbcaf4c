"""Read grants, memberships and accounts from files into one model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

from otrack_risk import frames
from otrack_risk.access.columns import (
    accounts_of,
    grant_columns,
    holds_accounts,
    holds_memberships,
    membership_columns,
)
from otrack_risk.access.model import Fault, Grants, build, joined
from otrack_risk.errors import TableError

__all__ = ["Fault", "Grants", "accounts_of", "build", "from_tables", "joined", "read_grants", "together"]


def read_grants(paths: Sequence[str | Path], *, null_values: Sequence[str] = ()) -> Grants:
    """Grants from files, or from a synthetic world's folder (its tables grants, memberships and accounts).

    Raises
    ------
    FileError, TableError, FieldError
        A file that cannot be read, holds no grants, or lacks a column.
    """
    found = [
        _administration(path, null_values) if path.is_dir() else frames.read(path, null_values=null_values)
        for path in map(Path, paths)
    ]
    return together(found)


def together(datasets: Sequence[frames.Dataset]) -> Grants:
    """The grants of several files as one.

    A single table with the columns of accounts (``account``, and ``enabled``, ``last_login`` or ``person_kind``) and
    no ``verb`` is taken as the accounts; one with ``member`` (or user, account) and ``role`` (or inherits), and with
    neither verb nor category, as memberships. A file of grants may then leave the account empty: a grant to the role.

    Raises
    ------
    TableError
        No file holds grants.
    """
    granted: list[tuple[str, pl.DataFrame, bool]] = []
    members: list[pl.DataFrame] = []
    accounts: list[pl.DataFrame] = []
    seen, skipped = 0, []
    for dataset in datasets:
        tables = dict(dataset.tables)
        only = next(iter(tables.values())) if len(tables) == 1 and "grants" not in tables else None
        if only is not None and holds_accounts(only.rows.columns):
            accounts.append(accounts_of(only.rows))
            continue
        if only is not None and holds_memberships(only.rows.columns):
            members.append(_members(only))
            continue
        if only is None and "grants" not in tables:
            raise TableError(
                f"{dataset.name} has no table 'grants' (its tables: {', '.join(tables)}).", "give a file of grants."
            )
        table = dataset.table("grants" if "grants" in tables else None)
        granted.append((table.name, table.rows, not table.skipped))
        seen += table.seen
        skipped += [*table.skipped]
        if "memberships" in tables:
            members.append(_members(tables["memberships"]))
        if "accounts" in tables:
            accounts.append(accounts_of(tables["accounts"].rows))
    if not granted:
        raise TableError("no file of grants was given.", "name a CSV with account, role, category, verb and scope.")
    return from_tables(
        granted,
        pl.concat(members, how="diagonal_relaxed") if members else None,
        pl.concat(accounts) if accounts else None,
        seen=seen,
        skipped=skipped,
    )


def from_tables(
    granted: Iterable[tuple[str, pl.DataFrame, bool]],
    memberships: pl.DataFrame | None = None,
    accounts: pl.DataFrame | None = None,
    *,
    seen: int | None = None,
    skipped: Iterable[frames.Skipped] = (),
) -> Grants:
    """Grants of tables whose columns may have any of the usual names.

    Parameters
    ----------
    granted : name of each table, its rows, and whether its rows are all those of the file (so that lines can be told)
    memberships : as :func:`~otrack_risk.access.model.build` takes them; None: a row without an account is skipped
    """
    kept, left_out, rows_seen = [], [*skipped], 0
    for name, rows, whole in granted:
        line = (pl.int_range(pl.len(), dtype=pl.Int64) + 2) if whole else pl.lit(None, pl.Int64)
        text = grant_columns(rows, name).with_columns(line.alias("line"), pl.lit(name).alias("source"))
        rows_seen += rows.height
        if memberships is None:
            nobody = text["account"].cast(pl.String).str.strip_chars().fill_null("") == ""
            if nobody.any():
                left_out.append(frames.Skipped(name, int(nobody.sum()), "no account"))
            text = text.filter(~nobody)
        kept.append(text)
    return build(
        pl.concat(kept, how="diagonal_relaxed"),
        memberships,
        accounts,
        name=", ".join(dict.fromkeys(str(text["source"][0]) for text in kept if text.height)) or "grants",
        seen=rows_seen if seen is None else seen,
        skipped=left_out,
    )


def _members(table: frames.Table) -> pl.DataFrame:
    line = (pl.int_range(pl.len(), dtype=pl.Int64) + 2) if not table.skipped else pl.lit(None, pl.Int64)
    return membership_columns(table.rows, table.name).with_columns(
        line.alias("line"), pl.lit(table.name).alias("source")
    )


def _administration(folder: Path, null_values: Sequence[str]) -> frames.Dataset:
    tables = dict(frames.read(folder, table="grants", null_values=null_values).tables)
    for other in ("accounts", "memberships"):
        with suppress(TableError):  # without accounts, leavers and log-ins are not looked for
            tables |= frames.read(folder, table=other, null_values=null_values).tables
    return frames.Dataset(folder.name, tables)
