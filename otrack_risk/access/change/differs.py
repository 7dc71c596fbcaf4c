"""Two answers to who can see whom, side by side: the result, and how it shows itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from otrack_risk import schema
from otrack_risk.access.words import category_label, numbered, role_label, roles, scopes, verbs
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Differs:
    """One number before and after."""

    what: str
    before: Count
    after: Count

    @property
    def fewer(self) -> Count:
        """How many fewer; below 0, more. Hidden where either is."""
        for count in (self.before, self.after):
            if not isinstance(count, int):
                return count
        assert isinstance(self.before, int)
        assert isinstance(self.after, int)
        return self.before - self.after

    def record(self) -> dict[str, Any]:
        """Both numbers, and how many fewer."""
        return {"what": self.what, "before": self.before, "after": self.after, "fewer": self.fewer}

    def published(self, below: int, roll: Count) -> Differs:
        """Small counts hidden, and a count that differs from the other by few children."""
        before, after = (tables.hide(count, below, of=roll) for count in (self.before, self.after))
        if isinstance(self.fewer, int) and 0 < abs(self.fewer) < below and isinstance(after, int):
            after = Hidden(below, "other")
        return Differs(self.what, before, after)


@dataclass(frozen=True)
class Square:
    """Children whom a role can see in a category, before and after; in whose widest scope."""

    role: str
    category: str
    seen: Differs
    letter: str  # of the scope after, where anything is left


@dataclass(frozen=True)
class AccessChange(Shown):
    """What changed between two answers to who can see whom, in children."""

    key: ClassVar[str] = "access_change"
    as_of: tuple[date | None, date | None]
    roll: Count
    headlines: tuple[Differs, ...]  # the widest account, the open door, roles beyond need
    squares: tuple[Square, ...]  # role x category of what is seen on either side
    gone: Mapping[str, int]  # finding -> how many are there no more
    new: Mapping[str, int]
    lost: tuple[tuple[str, str, str], ...]  # role, category, verb that the matrix allows and nobody in it holds now
    beyond: tuple[int, int]  # cells beyond need

    def sentence(self) -> str:
        first = self.headlines[0]
        told = (
            f"The widest account can see {written(first.before)} children before and {written(first.after)} after, "
            f"of {written(self.roll)}. Beyond need are {self.beyond[0]:,} cells before and {self.beyond[1]:,} after; "
            f"{sum(self.gone.values()):,} findings are gone and {sum(self.new.values()):,} are new."
        )
        cells = "cell" if len(self.lost) == 1 else "cells"
        return told + (
            f" {len(self.lost):,} needed {cells} would be lost." if self.lost else " No needed cell is lost."
        )

    def table(self) -> pl.DataFrame:
        rows = [
            *self.headlines,
            *(each for each in self.by_role() if each.fewer != 0),
            *(each for each in self.by_category() if each.fewer != 0),
        ]
        return tables.table(
            {
                "what": [each.what for each in rows],
                "before": [each.before for each in rows],
                "after": [each.after for each in rows],
                "fewer": [each.fewer for each in rows],
            }
        )

    def by_role(self) -> tuple[Differs, ...]:
        """Of each role, the children in the category in which it sees most."""
        return _most(self.squares, lambda square: f"role: {role_label(square.role)}")

    def by_category(self) -> tuple[Differs, ...]:
        """Of each category, the children whom the role that sees most can see."""
        ordered = sorted(self.squares, key=lambda square: order_of(square.category))
        return _most(ordered, lambda square: f"category: {category_label(square.category)}")

    def figure(self) -> Figure | None:
        from otrack_risk.display.heatmap import heatmap

        names = list(dict.fromkeys(square.role for square in self.squares))
        columns = sorted({square.category for square in self.squares}, key=order_of)
        if not names or self.roll is None:
            return None
        found = {(square.role, square.category): square for square in self.squares}
        grid = [[found.get((role, category)) for category in columns] for role in names]
        used = {square.letter for square in self.squares}
        meanings = {
            scope.letter: scope.label for scope in scopes().values() if scope.letter in used and scope.letter != "-"
        }
        return heatmap(
            [role_label(role) for role in names],
            [category_label(category) for category in columns],
            [[0 if square is None else _more(square.seen) for square in row] for row in grid],
            [["-" if square is None else square.letter for square in row] for row in grid],
            [["" for _ in row] for row in grid],
            title=self._finding(),
            unit=f"children whom a role can see, more (+) or fewer (-) than before, of {written(self.roll)}",
            vmax=self.roll if isinstance(self.roll, int) else 1,
            meanings=meanings,
            marks={},
            difference=True,
        )

    def _finding(self) -> str:
        changes = [square.seen.fewer for square in self.squares]
        less = sum(isinstance(fewer, int) and fewer > 0 for fewer in changes)
        more = sum(isinstance(fewer, int) and fewer < 0 for fewer in changes)
        hidden = sum(isinstance(fewer, Hidden) for fewer in changes)
        small = f", {hidden:,} are too small to tell" if hidden else ""
        return f"Of {len(changes):,} roles by category, {less:,} see fewer children and {more:,} see more{small}."

    def record(self) -> dict[str, Any]:
        return {
            "as_of": [None if day is None else day.isoformat() for day in self.as_of],
            "roll": self.roll,
            "headlines": [each.record() for each in self.headlines],
            "roles": [each.record() for each in self.by_role()],
            "categories": [each.record() for each in self.by_category()],
            "cells": [
                {"role": square.role, "category": square.category, **square.seen.record()} for square in self.squares
            ],
            "findings_gone": dict(self.gone),
            "findings_new": dict(self.new),
            "needed_lost": [{"role": role, "category": what, "verb": verb} for role, what, verb in self.lost],
            "cells_beyond_need": {"before": self.beyond[0], "after": self.beyond[1]},
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """Small counts and small differences hidden; words of the file that are in no table of ours made numbers."""
        named = numbered("role", [square.role for square in self.squares], roles())
        words = numbered("category", [square.category for square in self.squares], schema.categories())
        acts = numbered("verb", [verb for _, _, verb in self.lost], verbs())
        return replace(
            self,
            roll=tables.hide(self.roll, hide_below),
            headlines=tuple(
                each if each.what.startswith("roles") else each.published(hide_below, self.roll)
                for each in self.headlines
            ),
            squares=tuple(
                replace(
                    square,
                    role=named.get(square.role, square.role),
                    category=words.get(square.category, square.category),
                    seen=square.seen.published(hide_below, self.roll),
                )
                for square in self.squares
            ),
            lost=tuple(
                (named.get(role, role), words.get(what, what), acts.get(verb, verb)) for role, what, verb in self.lost
            ),
        )


def order_of(category: str) -> tuple[int, str]:
    """Where a category stands in ours; others come last, by name."""
    names = list(schema.categories())
    return (names.index(category) if category in names else len(names)), category


def _most(squares: Iterable[Square], name: Callable[[Square], str]) -> tuple[Differs, ...]:
    groups: dict[str, list[Differs]] = {}
    for square in squares:
        groups.setdefault(name(square), []).append(square.seen)
    return tuple(
        Differs(what, _widest(each.before for each in seen), _widest(each.after for each in seen))
        for what, seen in groups.items()
    )


def _widest(counts: Iterable[Count]) -> Count:
    told = list(counts)
    known = [count for count in told if isinstance(count, int)]
    hidden = [count for count in told if isinstance(count, Hidden)]
    if None in told:
        return None
    if any(each.why != "few" for each in hidden):  # it may be the widest
        return next(each for each in hidden if each.why != "few")
    return max(known, default=0) or (hidden[0] if hidden else 0)


def _more(seen: Differs) -> Count:
    fewer = seen.fewer
    return -fewer if isinstance(fewer, int) else fewer
