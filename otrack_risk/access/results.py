"""Who can see whom: one result that can say its sentence, show its table and draw the heatmap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from otrack_risk import schema
from otrack_risk.access.accounts import AccountLadder, AccountReach
from otrack_risk.access.findings import CHECKS, AccessFindings, Finding
from otrack_risk.access.why import Through
from otrack_risk.access.words import FULL, NO_ROLE, roles, scopes, verbs
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
    reason: str = ""  # why `children` is not known, or is the fewest it can be
    why: tuple[Through, ...] = ()  # through which chains of roles and in which scope, most accounts first

    def record(self) -> dict[str, Any]:
        """An entry of the contract's ``cells``; at most five reasons, and how many there are besides."""
        content = {name: getattr(self, name) for name in ("role", "category", "verb", "children", "state", "scope")}
        content |= {"accounts": self.accounts, "unresolved_accounts": self.unresolved}
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
        return _role_label(self.name)


@dataclass(frozen=True)
class _Square:
    """What the heatmap shows of one role and category."""

    letter: str
    children: Count
    state: State


@dataclass(frozen=True)
class Access(Shown):
    """Which role reaches which category, of how many children, and what goes beyond need.

    The state of a cell is *granted*: held, and within the matrix; *excess*: held beyond it, in scope or by a single
    child; *missing*: the matrix allows it and somebody has the role, but nobody in the role holds it; *needed*: the
    matrix allows it, nobody holds it, and it is no gap, since nobody has the role, or no grant at all names the
    category, or it is granted only for a case; *unknown*: the matrix does not speak of the role, or a word of the
    grant is not understood.
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
    grants: Mapping[str, int]  # seen, kept, skipped
    notes: tuple[str, ...]
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
            names = " and ".join(_role_label(role) for role in self.widest.roles)
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

    def table(self) -> pl.DataFrame:
        columns = self._columns()
        grid = {role.name: self._squares(role.name, list(columns)) for role in self.roles}
        content: dict[str, list[object]] = {
            "role": [role.label for role in self.roles],
            "accounts": [role.accounts for role in self.roles],
        }
        for place, label in enumerate(columns.values()):
            content[label] = [grid[role.name][place].children for role in self.roles]
        content["categories beyond need"] = [
            sum(square.state == "excess" for square in grid[role.name]) for role in self.roles
        ]
        return tables.table(content)

    def figure(self) -> Figure | None:
        from otrack_risk.display.figures import heatmap

        if not self.roles:
            return None
        columns = self._columns()
        grid = [self._squares(role.name, list(columns)) for role in self.roles]
        used = {letter for row in grid for square in row for letter in square.letter.split()}
        meanings = {
            scope.letter: scope.label for scope in scopes().values() if scope.letter in used and scope.letter != "-"
        }
        if "≥" in used:
            meanings["≥"] = "at least; of some accounts it cannot be told"
        day = "all grants" if self.as_of is None else f"grants in force on {self.as_of}"
        of = "not counted" if self.roll is None else f"of {written(self.roll)}"
        return heatmap(
            [role.label for role in self.roles],
            list(columns.values()),
            [[square.children for square in row] for row in grid],
            [[square.letter for square in row] for row in grid],
            [[square.state for square in row] for row in grid],
            title=self.sentence().partition(". ")[0].rstrip(".") + ".",
            unit=f"children whom a role can see, {of}; {day}; need by matrix {self.needed['version']}",
            vmax=self.roll if isinstance(self.roll, int) else 1,
            meanings=meanings,
        )

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
            "weights": _weights(),
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
        named = _numbered("role", (*role_words, *(cell.role for cell in self.cells)), {*roles(), NO_ROLE})
        categories = _numbered("category", (cell.category for cell in self.cells), set(schema.categories()))
        actions = _numbered("verb", (cell.verb for cell in self.cells), set(verbs()))
        widest = [each for each in self.accounts if isinstance(each.children, int) and each.enabled][:WIDEST]
        number = {each.account: f"account {place}" for place, each in enumerate(widest, start=1)}

        told = [count for each in widest for count in (each.children, each.special_category_children)]
        close = {
            register: _close([c.children for c in self.cells if (c.scope == "register") == register] + told, hide_below)
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
            names_hidden=True,
        )

    def _whom(self, count: Count) -> str:
        if count is None:
            return "an unknown number of children"
        return f"{written(count)} of {written(self.roll)} children"

    def _columns(self) -> dict[str, str]:
        """Categories with their labels: those of which any role in use holds something, or lacks it."""
        labels = schema.categories()
        used = list(dict.fromkeys(cell.category for cell in self.cells if cell.state != "needed"))
        return {name: label for name, label in labels.items() if name in used} | {
            name: name for name in used if name not in labels
        }

    def _squares(self, role: str, columns: list[str]) -> list[_Square]:
        held: dict[str, list[Cell]] = {category: [] for category in columns}
        for cell in self.cells:
            if cell.role == role and cell.accounts and cell.category in held:
                held[cell.category].append(cell)
        return [_square(cells) for cells in held.values()]

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


def _role_label(name: str) -> str:
    known = roles().get(name)
    return name if known is None else known.label


def _square(cells: list[Cell]) -> _Square:
    if not cells:
        return _Square("-", 0, "granted")
    order = list(scopes())
    reach = [order.index(cell.scope) for cell in cells if cell.scope is not None]
    letter = scopes()[order[max(reach)]].letter if reach else "?"
    states = {cell.state for cell in cells}
    state: State = "excess" if "excess" in states else "unknown" if "unknown" in states else "granted"
    seen = next((cell for cell in cells if cell.verb == "view"), None)
    if seen is None:  # written only, or a verb that is not understood
        return _Square(letter, None if any(cell.children is None for cell in cells) else 0, state)
    return _Square(f"{letter} ≥" if seen.unresolved and seen.children is not None else letter, seen.children, state)


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


def _numbered(what: str, words: Iterable[str], known: set[str]) -> dict[str, str]:
    strange = sorted({word for word in words if word not in known})
    where = "matrix" if what == "role" else "tables"
    return {word: f"{what} {number} (not in the {where})" for number, word in enumerate(strange, start=1)}


def _weights() -> dict[str, object]:
    return {
        "category": {name: schema.weight(name) for name in schema.categories()},
        "verb": {verb.name: verb.weight for verb in verbs().values()},
        "scope": {scope.name: scope.strength / FULL for scope in scopes().values() if not scope.matrix_only},
    }
