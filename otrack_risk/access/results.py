"""Who can see whom: one result that can say its sentence, show its table and draw the heatmap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from otrack_risk import schema
from otrack_risk.access.accounts import AccountLadder, AccountReach
from otrack_risk.access.findings import CHECKS, AccessFindings, Finding
from otrack_risk.access.views import AccessView, Order, Which
from otrack_risk.access.why import Through
from otrack_risk.access.words import numbered, role_label, roles, verbs
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

State = Literal["granted", "needed", "excess", "missing", "unknown"]
NO_PUPILS = "no pupils were given, so children are not counted"
TOLD = 5  # reasons of one cell that its record tells
WIDEST = 10  # accounts of which a page tells one by one


@dataclass(frozen=True)
class Cell:
    """What one role can do with one category."""

    role: str
    category: str
    verb: str
    scope: str | None  # the widest that anybody in the role holds; None where nobody does, or it cannot be told
    children: Count  # distinct children reached by all accounts of the role; the fewest where some are unresolved
    state: State
    accounts: Count  # enabled accounts that hold it
    unresolved: Count  # of those, accounts whose children cannot be told
    reason: str = ""  # why `children` or `needed` is not known, or `children` is the fewest it can be
    why: tuple[Through, ...] = ()  # through which chains of roles and in which scope, most accounts first
    needed: Count = 0  # distinct children whom the accounts of the role need by the matrix; None: cannot be told
    needed_scope: str | None = None  # the widest that the matrix allows the role; None: nothing

    def record(self) -> dict[str, Any]:
        """An entry of the contract's ``cells``; at most five reasons, and how many there are besides."""
        content = {name: getattr(self, name) for name in ("role", "category", "verb", "children", "state", "scope")}
        content |= {"accounts": self.accounts, "unresolved_accounts": self.unresolved}
        content |= {"children_needed": self.needed, "scope_needed": self.needed_scope}
        content |= {"why": [each.record() for each in self.why[:TOLD]], "why_besides": max(len(self.why) - TOLD, 0)}
        return content | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True)
class RoleInUse:
    """A role of which an enabled account has a grant in force."""

    name: str
    in_matrix: bool
    accounts: Count

    @property
    def label(self) -> str:
        """How the role is called on paper."""
        return role_label(self.name)


@dataclass(frozen=True)
class Access(Shown):
    """Which role reaches which category, of how many children, and what goes beyond need.

    The state of a cell is *granted*: held, and within the matrix; *excess*: held beyond it, in scope or by a single
    child; *missing*: the matrix allows it and somebody has the role, but nobody in the role holds it; *needed*: the
    matrix allows it, nobody holds it, and it is no gap, since nobody has the role, or no grant at all names the
    category, or it is granted only for a case; *unknown*: the matrix does not speak of the role, a word of the
    grant is not understood, or it cannot be told whom an account needs to see that reaches more than it is known to.
    """

    key: ClassVar[str] = "access"
    as_of: date | None  # grants in force on that day, both ends included; None: no day was given, all are in force
    roll: Count  # distinct children whose row is held; None: no pupils were given
    roles: tuple[RoleInUse, ...]  # in order of seniority, then those that are not in the matrix
    accounts: tuple[AccountReach, ...]  # most children first
    cells: tuple[Cell, ...]  # in order of role, category, verb
    findings: tuple[Finding, ...]
    counted_findings: AccessFindings
    accounts_by_reach: AccountLadder
    open_door: AccountReach | None  # the widest account that needs no log-in
    widest: AccountReach | None  # the widest that needs one
    needed: Mapping[str, str]  # name, source and version of the matrix
    weights: Mapping[str, Any]  # of categories, verbs and scopes, and where they stand
    grants: Mapping[str, int]  # seen, kept, skipped
    notes: tuple[str, ...]
    unused: frozenset[tuple[str, str]] | None = None  # role, category that no account of the role used; None: no log
    names_hidden: bool = False  # whether accounts stand under numbers, and only the widest are told

    def ladder(self) -> AccountLadder:
        """Accounts by the number of children that each can see."""
        return self.accounts_by_reach

    def findings_table(self) -> AccessFindings:
        """The findings, counted."""
        return self.counted_findings

    def sentence(self) -> str:
        told = [] if self.roll is not None else [f"{NO_PUPILS[0].upper()}{NO_PUPILS[1:]}."]
        if self.open_door:
            told.append(f"Without any password, {self._whom(self.open_door.children)} can be seen.")
        if self.widest and self.roll is not None:
            names = " and ".join(role_label(role) for role in self.widest.roles)
            whom = self._whom(self.widest.children)
            told.append(f"One stolen password, of an account with the role {names}, exposes up to {whom}.")
        unknown = self.accounts_by_reach.bands.get("not known", 0)
        if unknown and self.roll is not None:
            told.append(
                f"Of {unknown:,} {'account' if unknown == 1 else 'accounts'} it cannot be told whom they reach."
            )
        day = "In all grants" if self.as_of is None else f"On {self.as_of}"
        inside = [role.name for role in self.roles if role.in_matrix]
        beyond = {cell.role for cell in self.cells if cell.state == "excess"}
        told.append(
            f"{day}, {len(beyond)} of {len(inside)} roles in use hold more than the matrix of least privilege allows."
        )
        if outside := len(self.roles) - len(inside):
            told.append(
                f"{outside} more in use {'is' if outside == 1 else 'are'} not in it, so their need is not known."
            )
        return " ".join(told)

    def view(self, which: Which = "granted", order: Order = "canonical") -> AccessView:
        """The grid of roles and categories, for one of four questions."""
        return AccessView(self, which, order)

    def table(self) -> pl.DataFrame:
        return self.view().table()

    def figure(self) -> Figure | None:
        return self.view().figure()

    def record(self) -> dict[str, Any]:
        """The contract's ``access`` result; who was counted, by which matrix and weights beside it."""
        return {
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
            "roll": self.roll,
            **({} if self.roll is not None else {"reason": NO_PUPILS}),
            "accounts": [each.record() for each in self.accounts],
            "accounts_enabled": self.accounts_by_reach.accounts,
            "roles": [
                {"role": role.name, "label": role.label, "accounts": role.accounts, "in_matrix": role.in_matrix}
                for role in self.roles
            ],
            "cells": [cell.record() for cell in self.cells],
            "findings": self._findings(),
            "findings_not_looked_for": dict(self.counted_findings.not_looked_for),
            "needed": dict(self.needed),
            "weights": dict(self.weights),
            "grants": dict(self.grants),
            "notes": list(self.notes),
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """Small counts hidden; names of accounts, and words of the file that are in no table of ours, made numbers.

        Of two counts that differ by few children the smaller is hidden too, since one set may lie within the other: the
        SEN register within the one that has looked-after children as well, a class within a school. Cells of registers
        are compared with each other, all other cells with each other, and the accounts with both.
        """
        if self.names_hidden:
            return self
        role_words = [each.name for each in self.roles] + [role for each in self.accounts for role in each.roles]
        named = numbered("role", (*role_words, *(cell.role for cell in self.cells)), roles())
        categories = numbered("category", (cell.category for cell in self.cells), set(schema.categories()))
        actions = numbered("verb", (cell.verb for cell in self.cells), set(verbs()))
        widest = [each for each in self.accounts if isinstance(each.children, int) and each.enabled][:WIDEST]
        number = {each.account: f"account {place}" for place, each in enumerate(widest, start=1)}

        told = [count for each in widest for count in (each.children, each.special_category_children)]
        close = {
            register: _close(
                [n for c in self.cells if (c.scope == "register") == register for n in (c.children, c.needed)] + told,
                hide_below,
            )
            for register in (True, False)
        }

        def hide(count: Count, near: set[Count]) -> Count:
            shown = tables.hide(count, hide_below, of=self.roll)
            return Hidden(hide_below, "other") if shown in near else shown

        def renamed(each: AccountReach) -> AccountReach:
            name = number.get(each.account, "an account")
            return each.renamed(name, named, lambda count: hide(count, close[True] | close[False]))

        return replace(
            self,
            roll=tables.hide(self.roll, hide_below),
            roles=tuple(
                replace(role, name=named.get(role.name, role.name), accounts=tables.hide(role.accounts, hide_below))
                for role in self.roles
            ),
            accounts=tuple(map(renamed, widest)),
            cells=tuple(
                replace(
                    cell,
                    role=named.get(cell.role, cell.role),
                    category=categories.get(cell.category, cell.category),
                    verb=actions.get(cell.verb, cell.verb),
                    children=hide(cell.children, close[cell.scope == "register"]),
                    needed=hide(cell.needed, close[cell.scope == "register"]),
                    accounts=tables.hide(cell.accounts, hide_below),
                    unresolved=tables.hide(cell.unresolved, hide_below),
                    why=tuple(each.published(named, hide_below) for each in cell.why[:TOLD]),
                )
                for cell in self.cells
            ),
            findings=(),
            counted_findings=self.counted_findings.published(hide_below),
            accounts_by_reach=self.accounts_by_reach.published(hide_below),
            open_door=self.open_door and renamed(self.open_door),
            widest=self.widest and renamed(self.widest),
            unused=self.unused
            and frozenset((named.get(role, role), categories.get(each, each)) for role, each in self.unused),
            names_hidden=True,
        )

    def _whom(self, count: Count) -> str:
        if count is None:
            return "an unknown number of children"
        return f"{written(count)} of {written(self.roll)} children"

    def _findings(self) -> list[dict[str, Any]]:
        if not self.names_hidden:
            return [each.record() for each in self.findings]
        return [
            {
                "id": check,
                "severity": severity,
                "account": None,
                "reason": "names of accounts are not published",
                "accounts": accounts,
                "why": CHECKS[check].label,
                "mend": CHECKS[check].mend,
            }
            for check, severity, accounts in self.counted_findings.counted
        ]


def _close(counts: Iterable[Count], below: int) -> set[Count]:
    """Counts that lie less than ``below`` under one that stays.

    Examples
    --------
    >>> _close([30, 151, 154, 157, 900], 5)
    {154}
    """
    close: set[Count] = set()
    kept: int | None = None
    for count in sorted({count for count in counts if isinstance(count, int) and count >= below}, reverse=True):
        if kept is not None and kept - count < below:
            close.add(count)
        else:
            kept = count
    return close
