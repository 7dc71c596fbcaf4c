"""Row-level security: which rows of a table each role sees, by its policies or by the server's own count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, reduce
from itertools import product
from operator import and_, or_

import polars as pl

from otrack_risk.access.postgres.circles import Circles
from otrack_risk.access.postgres.policy import Asker, columns, holds
from otrack_risk.access.postgres.snapshot import PUBLIC, Policy, Relation, Snapshot
from otrack_risk.access.postgres.values import Unread
from otrack_risk.errors import FileError, ParameterError, TableError
from otrack_risk.frames import database, postgres

_TEXTS = ("text", "character varying", "name", "character", "bpchar")
_MOST = 4  # text columns with empty cells that are tried in every combination
_EMPTY = "it depends on whether a text is empty or not there"
_PATIENCE = "30s"  # for one question about rows


@dataclass(frozen=True)
class Rows:
    """Which rows one role sees, so far as row-level security decides."""

    mask: pl.Series | None  # one truth a row; None: not known
    reason: str = ""  # why it is not known, in words that hold no value

    @property
    def every(self) -> bool:
        """Whether it is known that all are seen."""
        return self.mask is not None and bool(self.mask.all())


def exempt(snapshot: Snapshot, relation: Relation, role: str, circles: Circles | None = None) -> bool:
    """Whether row-level security does not concern a role here.

    It is not enabled; the role is a superuser or has BYPASSRLS itself (neither is inherited); or it has the
    privileges of the owner, and the table does not force its policies on its owner.
    """
    circles = circles or Circles(snapshot)
    if not relation.row_security or role in circles.superusers:
        return True
    return role in circles.bypassing or (not relation.forced and circles.has(role, relation.owner))


def visible(
    snapshot: Snapshot,
    schema: str,
    table: str,
    rows: pl.DataFrame,
    *,
    roles: Iterable[str] | None = None,
    policies_of: str | None = None,
    empty_is_null: bool = True,
    circles: Circles | None = None,
) -> dict[str, Rows]:
    """The rows of a table that each role sees when it selects from it.

    Permissive policies for SELECT and ALL are joined by OR, restrictive ones by AND; with no permissive one no row is
    seen. A policy that is not computed here makes a row's answer unknown only where it decides. Privileges on the
    table are another question (:func:`~otrack_risk.access.postgres_rights.privileges`).

    Parameters
    ----------
    rows : the table's rows, whole
    roles : None: all
    policies_of : the role whose policies hold, where it is not the one who asks: a view's owner
    empty_is_null : whether an empty text in the table stands in ``rows`` as null, as :mod:`otrack_risk.frames` reads;
        what depends on which of the two it was is then not known

    Raises
    ------
    TableError, ParameterError
        No such table, or no such role, in the snapshot.
    """
    relation = relation_of(snapshot, schema, table)
    circles = circles or Circles(snapshot)
    asked = [role.name for role in snapshot.roles] if roles is None else list(roles)
    if strange := [role for role in (*asked, *([policies_of] if policies_of else [])) if role not in circles.inherits]:
        raise ParameterError(f"roles: '{strange[0]}' is no role of {snapshot.database}.", "name one of its roles.")
    policies = [
        each
        for each in snapshot.policies
        if (each.schema, each.table) == (schema, table) and each.command in ("ALL", "SELECT")
    ]
    return {
        role: _seen(snapshot, relation, policies, rows, role, policies_of or role, empty_is_null, circles)
        for role in asked
    }


def passes(
    condition: str, types: Mapping[str, str], rows: pl.DataFrame, asker: Asker, *, empty_is_null: bool = True
) -> Rows:
    """The rows for which a condition is true, as :func:`visible` reads policies."""
    try:
        readings = _readings(rows, types, [condition]) if empty_is_null else [rows]
        masks = [holds(condition, types, given, asker) for given in readings]
    except Unread as error:
        return Rows(None, str(error))
    every, some = reduce(and_, masks), reduce(or_, masks)
    return Rows(every) if (every == some).all() else Rows(None, _EMPTY)


def relation_of(snapshot: Snapshot, schema: str, table: str) -> Relation:
    """The table or view of that name.

    Raises
    ------
    TableError
        There is none.
    """
    for each in snapshot.relations:
        if (each.schema, each.name) == (schema, table):
            return each
    raise TableError(f"{snapshot.database} has no table '{schema}.{table}'.", "name one that the snapshot holds.")


def counted(url: str, schema: str, table: str, column: str, roles: Iterable[str]) -> dict[str, frozenset[str] | None]:
    """What the server itself shows each role: the distinct values of a column of a table or view, as text.

    Each role is taken on by ``SET LOCAL ROLE`` in a transaction that can change nothing and is rolled back; the
    table's policies and functions run as that role would run them, for at most 30 seconds. None: the server refuses
    (no privilege, no SET ROLE, an error, no time).

    Raises
    ------
    FileError, ParameterError
        The server cannot be reached or breaks off; psycopg is not installed.
    """
    address = database.Url(url)
    connection, psycopg = postgres.connect(address)
    name = f"{database.quoted(schema)}.{database.quoted(table)}"
    found: dict[str, frozenset[str] | None] = {}
    try:
        connection.read_only = True
        connection.execute(f"set statement_timeout = '{_PATIENCE}'")
        for role in roles:
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(f"set local role {database.quoted(role)}")
                    key = database.quoted(column)
                    rows = connection.execute(f"select distinct {key}::text from {name} where {key} is not null")
                    found[role] = frozenset(value for (value,) in rows.fetchall())
            except psycopg.OperationalError as error:
                if connection.broken:
                    raise error
                found[role] = None
            except psycopg.Error:
                found[role] = None
    except psycopg.Error:
        raise FileError(
            f"the database {address.name} broke off while rows were counted.", "try again, or give a snapshot."
        ) from None
    finally:
        connection.close()
    return found


def _seen(
    snapshot: Snapshot,
    relation: Relation,
    policies: Iterable[Policy],
    rows: pl.DataFrame,
    role: str,
    policies_of: str,
    empty_is_null: bool,
    circles: Circles,
) -> Rows:
    if exempt(snapshot, relation, policies_of, circles):
        return Rows(_all(True, rows.height))
    bound = [each for each in policies if any(who == PUBLIC or circles.has(policies_of, who) for who in each.roles)]
    asker = Asker(role, partial(circles.has_role, role))
    types = {column.name: column.type for column in relation.columns}
    low, high, reasons = [], [], []
    try:
        readings = _readings(rows, types, [each.using or "" for each in bound]) if empty_is_null else [rows]
    except Unread as error:
        return Rows(None, str(error))
    for given in readings:
        masks: dict[str, pl.Series | None] = {}
        for policy in bound:
            try:
                masks[policy.name] = holds(policy.using or "true", types, given, asker)
            except Unread as error:
                masks[policy.name] = None
                reasons.append(f"policy '{policy.name}': {error}")
        low.append(_together(bound, masks, rows.height, unknown=False))
        high.append(_together(bound, masks, rows.height, unknown=True))
    every, some = reduce(and_, low), reduce(or_, high)
    if (every == some).all():
        return Rows(every)
    return Rows(None, "; ".join(dict.fromkeys(reasons)) or _EMPTY)


def _together(policies: Iterable[Policy], masks: Mapping[str, pl.Series | None], n: int, *, unknown: bool) -> pl.Series:
    """Rows that pass, where a policy that is not computed lets all or none pass."""

    def one(policy: Policy) -> pl.Series:
        mask = masks[policy.name]
        return _all(unknown, n) if mask is None else mask

    some = reduce(or_, [one(each) for each in policies if each.permissive], _all(False, n))
    return reduce(and_, [one(each) for each in policies if not each.permissive], some)


def _readings(rows: pl.DataFrame, types: Mapping[str, str], conditions: Iterable[str]) -> list[pl.DataFrame]:
    """The rows with every null text that a condition asks for as null, and as empty text, in all combinations."""
    words: frozenset[str] = frozenset()
    for condition in conditions:
        with suppress(Unread):
            words |= columns(condition)
    open_ones = [
        name
        for name in rows.columns
        if name in words and types.get(name) in _TEXTS and rows[name].dtype == pl.String and rows[name].null_count()
    ]
    if len(open_ones) > _MOST:
        raise Unread("more columns than are tried here hold empty cells")
    return [
        rows.with_columns(
            pl.col(name).fill_null(fill) for name, fill in zip(open_ones, fills, strict=True) if fill is not None
        )
        for fills in product([None, ""], repeat=len(open_ones))
    ]


def _all(value: bool, n: int) -> pl.Series:
    return pl.Series([value]).new_from_index(0, n)
