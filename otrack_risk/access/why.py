"""Why an account or a role can do a thing: every chain from the account to the grants that give it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import polars as pl

from otrack_risk.access.inherit import BETWEEN, DEEPEST
from otrack_risk.access.model import Grants
from otrack_risk.access.words import denied_with, role_of, scopes, verbs
from otrack_risk.display import tables
from otrack_risk.display.tables import Count

_CELL = ("role", "category", "verb")


@dataclass(frozen=True)
class Reason:
    """One chain from an account to one grant (or denial) that bears on what it can do."""

    chain: tuple[str, ...]  # roles from the account to the holder of the grant; empty: granted to it, outside any role
    effect: str  # "allow" or "deny"
    verb: str  # as granted: export also gives view
    scope: str
    scope_key: str | None
    source: str | None  # where the grant stands
    line: int | None  # 1 is the header
    valid_from: date | None  # of chain and grant together
    valid_to: date | None
    latent: bool  # only by first taking on a role
    direct: bool = False  # the grant names the account itself: chain is the role that it names


@dataclass(frozen=True)
class Through:
    """Accounts that hold a cell through the same roles, in the same scope. No account is named."""

    chain: tuple[str, ...]  # roles from the accounts to the holder, in the source's words
    verb: str  # as granted
    scope: str
    scope_key: str | None
    accounts: Count
    source: str | None  # of the first such grant
    line: int | None

    def record(self) -> dict[str, Any]:
        """For the cell's ``why``."""
        told = {"chain": list(self.chain), "verb": self.verb, "scope": self.scope, "accounts": self.accounts}
        beside = {"scope_key": self.scope_key, "source": self.source, "line": self.line}
        return told | {name: value for name, value in beside.items() if value is not None}

    def published(self, named: Mapping[str, str], hide_below: int) -> Through:
        """Without words of the file: roles in ours or under numbers, neither key nor place."""
        chain = tuple(role_of(role) or named.get(role, "a role not in the matrix") for role in self.chain)
        return replace(
            self,
            chain=chain,
            verb=self.verb if self.verb in verbs() else "a verb not in the tables",
            scope=self.scope if self.scope in scopes() else "a scope not in the tables",
            scope_key=None,
            accounts=tables.hide(self.accounts, hide_below),
            source=None,
            line=None,
        )


def why(
    grants: Grants, account: str, category: str, verb: str, as_of: date | None = None, *, most: int = 1_000
) -> tuple[Reason, ...]:
    """Every chain through which an account may (or may not) do a thing on one day, shortest first.

    Parameters
    ----------
    category, verb : in our words, or a word of the source that is not known
    as_of : None: whatever the day
    most : chains to tell; beyond, every grant that bears on it is still named at least once

    Notes
    -----
    Without the grants that the reasons of effect allow name, the account cannot do it. A grant of a verb that gives
    another counts for both, and a denial of a verb for every verb that gives it. No role stands twice in a chain.

    Examples
    --------
    >>> from otrack_risk.access.model import build
    >>> held = {"account": [None], "role": ["slt"], "category": ["sen"], "verb": ["export"], "scope": ["school"]}
    >>> members = {"member": ["ann", "ann", "head"], "role": ["head", "slt", "slt"]}
    >>> grants = build(pl.DataFrame(held), pl.DataFrame(members), name="g")
    >>> [each.chain for each in why(grants, "ann", "sen", "view")]
    [('slt',), ('head', 'slt')]
    """
    bearing = pl.col("category") == category
    gives = [each.name for each in verbs().values() if verb == each.name or verb in each.gives]
    denies = [each for each in verbs() if verb in denied_with(each)]
    takes_part = (
        pl.when(pl.col("effect") == "deny")
        .then(pl.col("verb").is_in([*denies, verb]))
        .when(pl.col("scope") == "write_only")
        .then(pl.col("verb") == verb)
        .otherwise(pl.col("verb").is_in([*gives, verb]))
    )
    told = bearing & takes_part & (pl.col("scope") != "none")
    direct = grants.rows.filter(pl.col("chain").is_null() & (pl.col("account") == account) & told)
    reasons = [
        found
        for row in direct.iter_rows(named=True)
        if (found := _reason((row["holder"],) if row["holder"] else (), row, None, None, False, as_of, True))
    ]
    held: dict[str, list[dict[str, Any]]] = {}
    for row in grants.role_grants.filter(told).iter_rows(named=True):
        held.setdefault(row["holder"], []).append(row)
    if held:
        reasons += _through_roles(grants, account, held, as_of, most)
    return tuple(sorted(reasons, key=lambda each: (len(each.chain) - each.direct, each.chain, each.line or 0)))


def through(lines: pl.DataFrame) -> dict[tuple[str, str, str], tuple[Through, ...]]:
    """The reasons of each cell (role, category, verb), counted in accounts, most accounts first.

    Parameters
    ----------
    lines : grants in force, one line a verb that they give: the columns of ``Grants.rows``, and ``granted_as``
    """
    by = [*_CELL, "chain", "holder", "granted_as", "scope", "scope_key"]
    counted = (
        lines.group_by(by)
        .agg(
            pl.col("account").n_unique().alias("accounts"),
            pl.col("source", "line").sort_by("source", "line", nulls_last=True).first(),
        )
        .sort("accounts", *by[3:], descending=[True] + [False] * 5, nulls_last=True)
    )
    cells: dict[tuple[str, str, str], list[Through]] = {}
    for row in counted.iter_rows(named=True):
        chain = tuple(row["chain"].split(BETWEEN)) if row["chain"] else tuple(filter(None, [row["holder"]]))
        cells.setdefault((row["role"], row["category"], row["verb"]), []).append(
            Through(
                chain, row["granted_as"], row["scope"], row["scope_key"], row["accounts"], row["source"], row["line"]
            )
        )
    return {cell: tuple(reasons) for cell, reasons in cells.items()}


@dataclass(frozen=True)
class _Way:
    """Roles walked so far, and the days and the mode of the memberships between them."""

    roles: tuple[str, ...]
    start: date | None
    end: date | None
    latent: bool


def _through_roles(
    grants: Grants, account: str, held: Mapping[str, list[dict[str, Any]]], as_of: date | None, most: int
) -> list[Reason]:
    onward: dict[str, list[dict[str, Any]]] = {}
    useful = _leading(grants.memberships, set(held))
    for row in grants.memberships.sort("member", "role", "valid_from", "line").iter_rows(named=True):
        in_force = as_of is None or _within(as_of, row["valid_from"], row["valid_to"])
        if in_force and row["role"] in useful:
            onward.setdefault(row["member"], []).append(row)
    reasons: dict[Reason, None] = {}
    named: set[str] = set()
    for way in _shortest(account, onward):  # each holder once, whatever else is cut off
        named.add(way.roles[-1])
        reasons |= _reasons_of(way, held, as_of)
    for way in _ways(account, onward):
        if len(reasons) >= most:
            break
        reasons |= _reasons_of(way, held, as_of)
    return list(reasons)


def _reasons_of(way: _Way, held: Mapping[str, list[dict[str, Any]]], as_of: date | None) -> dict[Reason, None]:
    found = (
        _reason(way.roles, row, way.start, way.end, way.latent, as_of, False) for row in held.get(way.roles[-1], ())
    )
    return {each: None for each in found if each}


def _reason(
    chain: tuple[str, ...],
    row: Mapping[str, Any],
    start: date | None,
    end: date | None,
    latent: bool,
    as_of: date | None,
    direct: bool,
) -> Reason | None:
    first, last = _later(row["valid_from"], start), _earlier(row["valid_to"], end)
    if as_of is not None and not _within(as_of, first, last):
        return None
    if not direct and first is not None and last is not None and first > last:
        return None
    return Reason(
        chain,
        row["effect"],
        row["verb"],
        row["scope"],
        row["scope_key"],
        row["source"],
        row["line"],
        first,
        last,
        latent or row["latent"],
        direct,
    )


def _leading(memberships: pl.DataFrame, holders: set[str]) -> set[str]:
    """Roles from which a holder can be reached: no other lies on a way that matters."""
    below: dict[str, list[str]] = {}
    for member, role in memberships.select("member", "role").iter_rows():
        below.setdefault(role, []).append(member)
    queue = sorted(holders)
    useful = set(queue)
    for role in queue:
        for member in below.get(role, ()):
            if member not in useful:
                useful.add(member)
                queue.append(member)
    return useful


def _shortest(account: str, onward: Mapping[str, list[dict[str, Any]]]) -> Iterator[_Way]:
    """A shortest way to each role."""
    queue = [_Way((), None, None, False)]
    seen: set[str] = set()
    for way in queue:
        for further in _steps(way, account, onward):
            if further.roles[-1] not in seen:
                seen.add(further.roles[-1])
                queue.append(further)
                yield further


def _ways(account: str, onward: Mapping[str, list[dict[str, Any]]]) -> Iterator[_Way]:
    """Every way on which no role stands twice, shorter ones first among those that go on together."""
    stack = [_steps(_Way((), None, None, False), account, onward)]
    while stack:
        way = next(stack[-1], None)
        if way is None:
            stack.pop()
            continue
        yield way
        if len(way.roles) < DEEPEST:
            stack.append(_steps(way, account, onward))


def _steps(way: _Way, account: str, onward: Mapping[str, list[dict[str, Any]]]) -> Iterator[_Way]:
    at = way.roles[-1] if way.roles else account
    for row in onward.get(at, ()):
        start, end = _later(way.start, row["valid_from"]), _earlier(way.end, row["valid_to"])
        if row["role"] in way.roles or (start is not None and end is not None and start > end):
            continue
        yield _Way((*way.roles, row["role"]), start, end, way.latent or row["mode"] == "latent")


def _within(day: date, start: date | None, end: date | None) -> bool:
    return (start is None or start <= day) and (end is None or day <= end)


def _later(one: date | None, other: date | None) -> date | None:
    return max((day for day in (one, other) if day is not None), default=None)


def _earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)
