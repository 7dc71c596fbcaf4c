"""Who can reach this: the question of one category, asked of every role."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from otrack_risk import schema
from otrack_risk.access.results import Access, Cell
from otrack_risk.access.words import category_label, category_of, numbered, role_label, roles, scopes, verbs
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, written
from otrack_risk.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class WhoReaches(Shown):
    """Which roles can do one thing with one category: the question the other way round."""

    key: ClassVar[str] = "who_reaches"
    category: str
    verb: str
    cells: tuple[Cell, ...]  # of roles in which somebody holds it, in order of seniority
    enabled: int  # accounts looked at
    roll: Count

    def sentence(self) -> str:
        what = f"{self.verb} {category_label(self.category)}"
        if not self.cells:
            return f"In no role can anybody {what}, of {self.enabled:,} enabled accounts."
        widest = max(self.cells, key=lambda cell: cell.children if isinstance(cell.children, int) else -1)
        beyond = sum(cell.state == "excess" for cell in self.cells)
        return (
            f"In {len(self.cells)} {'role' if len(self.cells) == 1 else 'roles'} somebody can {what}; {beyond} of them "
            f"beyond need. The widest, {role_label(widest.role)}, reaches {written(widest.children)} of "
            f"{written(self.roll)} children."
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "role": [role_label(cell.role) for cell in self.cells],
                "accounts": [cell.accounts for cell in self.cells],
                "children": [cell.children for cell in self.cells],
                "widest scope": [
                    "not known" if cell.scope is None else scopes()[cell.scope].label for cell in self.cells
                ],
                "need": [cell.state for cell in self.cells],
            }
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display.figures import bars

        known = [(role_label(cell.role), cell.children) for cell in self.cells if cell.children is not None]
        if not known:
            return None
        return bars([name for name, _ in known], [count for _, count in known], self.sentence(), "children, by role")

    def record(self) -> dict[str, Any]:
        return {
            "category": self.category,
            "verb": self.verb,
            "roll": self.roll,
            "accounts_enabled": self.enabled,
            "roles": [cell.record() for cell in self.cells],
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """Small counts hidden, words that are in no table of ours made numbers, no reasons."""
        named = numbered("role", [cell.role for cell in self.cells], roles())
        category = numbered("category", [self.category], schema.categories())
        verb = numbered("verb", [self.verb], verbs())
        what, act = category.get(self.category, self.category), verb.get(self.verb, self.verb)
        cells = tuple(
            replace(
                cell,
                role=named.get(cell.role, cell.role),
                category=what,
                verb=act,
                children=tables.hide(cell.children, hide_below, of=self.roll),
                accounts=tables.hide(cell.accounts, hide_below),
                unresolved=tables.hide(cell.unresolved, hide_below),
                why=(),
            )
            for cell in self.cells
        )
        return replace(self, category=what, verb=act, cells=cells, roll=tables.hide(self.roll, hide_below))


def who_reaches(access: Access, category: str, verb: str = "view") -> WhoReaches:
    """The roles in which somebody can do this, counted; a published answer gives a published one.

    Raises
    ------
    ParameterError
        A category or verb that is neither ours nor a word of these grants.
    """
    known = {cell.category for cell in access.cells} | set(schema.categories())
    category = category_of(category) or category
    if category not in known or verb not in {cell.verb for cell in access.cells} | set(verbs()):
        raise ParameterError("who_reaches: no such category or verb.", f"use one of {', '.join(schema.categories())}.")
    cells = [c for c in access.cells if c.category == category and c.verb == verb and c.accounts != 0]
    return WhoReaches(category, verb, tuple(cells), access.accounts_by_reach.accounts, access.roll)
