"""Role by category, four ways: what is granted, what is needed, what goes beyond need, and the difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

from otrack_risk import schema
from otrack_risk.access.words import scopes
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

    from otrack_risk.access.results import Access, Cell

Which = Literal["granted", "needed", "excess", "difference"]
Order = Literal["canonical", "clustered"]
WHICH: tuple[Which, ...] = get_args(Which)
ORDERS: tuple[Order, ...] = get_args(Order)
_SAYS: dict[Which, str] = {
    "granted": "children whom a role can see",
    "needed": "children whom a role needs to see by the matrix",
    "excess": "children whom a role can see, where it holds more than it needs",
    "difference": "children whom a role can see, less those whom it needs to see",
}


@dataclass(frozen=True)
class Square:
    """What a grid shows of one role and category."""

    letter: str
    count: Count
    state: str  # words of Access.cells, and "unused"


@dataclass(frozen=True)
class AccessView(Shown):
    """The grid of roles and categories, for one of four questions; a square counts children who can be seen.

    *needed* counts the children whom the accounts of the role need to see by the matrix; *excess* shows the cells with
    more than is needed by scope or by a single child; *difference* is granted less needed, counted apart, so that
    the two may be of other children: 0 does not mean that nothing is beyond need, the hatching does.
    """

    key: ClassVar[str] = "access_view"
    access: Access
    which: Which = "granted"
    order: Order = "canonical"  # clustered: alike roles, and alike categories, side by side
    hide_below: int = 0  # on paper: differences of fewer children are hidden

    def sentence(self) -> str:
        if self.which == "granted":
            return self.access.sentence()
        cells = [cell for row in self._grid()[2] for cell in row]
        some = sum(square.count != 0 for square in cells)
        of = f"{some:,} of {len(cells):,} cells of role and category"
        same = sum(square.count == 0 and "excess" in square.state for square in cells)
        hatched = f" In {same:,} more the numbers are equal, and it still holds more than it needs." if same else ""
        return {
            "needed": f"By the matrix of least privilege, {of} are needed.",
            "excess": f"In {of}, a role holds more than it needs.",
            "difference": f"In {of}, a role can see more or fewer children than it needs to see.{hatched}",
        }[self.which]

    def table(self) -> pl.DataFrame:
        names, columns, grid = self._grid()
        held = {role.label: role.accounts for role in self.access.roles}
        content: dict[str, list[object]] = {"role": [*names], "accounts": [held[name] for name in names]}
        for place, label in enumerate(columns):
            content[label] = [row[place].count for row in grid]
        beyond = [sum("excess" in square.state for square in row) for row in grid]
        return tables.table(content | {"categories beyond need": beyond})

    def figure(self) -> Figure | None:
        from otrack_risk.display.heatmap import heatmap

        names, columns, grid = self._grid()
        if not names:
            return None
        used = {letter for row in grid for square in row for letter in square.letter.split()}
        meanings = {s.letter: s.label for s in scopes().values() if s.letter in used and s.letter != "-"}
        if "≥" in used:
            meanings["≥"] = "at least; of some accounts it cannot be told"
        access = self.access
        day = "all grants" if access.as_of is None else f"grants in force on {access.as_of}"
        of = "not counted" if access.roll is None else f"of {written(access.roll)}"
        marks = {"excess": ("hatch", "beyond need")}
        if access.unused is not None:
            marks["unused"] = ("dot", "not used in a year")
        most = "largest difference" if self.which == "difference" else "most children in one category"
        return heatmap(
            names,
            columns,
            [[square.count for square in row] for row in grid],
            [[square.letter for square in row] for row in grid],
            [[square.state for square in row] for row in grid],
            title=self.sentence().partition(". ")[0].rstrip(".") + ".",
            unit=f"{_SAYS[self.which]}, {of}; {day}; need by matrix {access.needed['version']}",
            vmax=access.roll if isinstance(access.roll, int) else 1,
            meanings=meanings,
            marks=marks,  # type: ignore[arg-type]
            row_bars=(most, [_most(square.count for square in row) for row in grid]),
            column_bars=(
                "roles that hold it",
                [sum(row[x].letter != "-" for row in grid) for x in range(len(columns))],
            ),
            difference=self.which == "difference",
        )

    def record(self) -> dict[str, Any]:
        names, columns, grid = self._grid()
        return {
            "which": self.which,
            "order": self.order,
            "counts": _SAYS[self.which],
            "roles": names,
            "categories": columns,
            "children": [[square.count for square in row] for row in grid],
            "letters": [[square.letter for square in row] for row in grid],
            "states": [[square.state for square in row] for row in grid],
            "matrix": dict(self.access.needed),
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        return replace(self, access=self.access.published(hide_below), hide_below=hide_below)

    def _grid(self) -> tuple[list[str], list[str], list[list[Square]]]:
        """Labels of roles and of categories, and the squares."""
        labels = schema.categories()
        shown = [cell for cell in self.access.cells if cell.state != "needed" or self.which == "needed"]
        used = list(dict.fromkeys(cell.category for cell in shown))
        names = [name for name in labels if name in used] + [name for name in used if name not in labels]
        by: dict[tuple[str, str], list[Cell]] = {}
        for cell in self.access.cells:
            by.setdefault((cell.role, cell.category), []).append(cell)
        grid = [[self._square(by.get((role.name, name), [])) for name in names] for role in self.access.roles]
        down, across = [role.label for role in self.access.roles], [labels.get(name, name) for name in names]
        if self.order == "clustered":
            from otrack_risk.display.order import clustered

            held = [
                [{(c.verb, c.scope) for c in by.get((role.name, name), []) if c.accounts} for name in names]
                for role in self.access.roles
            ]
            ys, xs = clustered(down, across, held)
            down, across, grid = [down[y] for y in ys], [across[x] for x in xs], [[grid[y][x] for x in xs] for y in ys]
        return down, across, grid

    def _square(self, cells: Sequence[Cell]) -> Square:
        held = square([cell for cell in cells if cell.accounts])
        if self.access.unused and any((cell.role, cell.category) in self.access.unused for cell in cells):
            held = replace(held, state=f"{held.state} unused")
        if self.which == "granted":
            return held
        if self.which == "excess":
            return held if "excess" in held.state else Square("-", 0, "granted")
        seen = next((cell for cell in cells if cell.verb == "view"), None)
        needed = 0 if seen is None else seen.needed
        if self.which == "needed":
            scope = seen.needed_scope if seen else None
            return Square("-" if scope is None else scopes()[scope].letter, needed, "granted")
        count = held.count
        less: Count = count - needed if isinstance(count, int) and isinstance(needed, int) else None
        if isinstance(count, Hidden) or isinstance(needed, Hidden):
            less = Hidden(self.hide_below, "other")
        elif isinstance(less, int) and 0 < abs(less) < self.hide_below:
            less = Hidden(self.hide_below, "few")
        return Square(held.letter, less, held.state)


def square(cells: Sequence[Cell]) -> Square:
    """What is held of one category: the widest scope's letter, and the children who can be seen."""
    if not cells:
        return Square("-", 0, "granted")
    order = list(scopes())
    reach = [order.index(cell.scope) for cell in cells if cell.scope is not None]
    letter = scopes()[order[max(reach)]].letter if reach else "?"
    states = {cell.state for cell in cells}
    state = "excess" if "excess" in states else "unknown" if "unknown" in states else "granted"
    seen = next((cell for cell in cells if cell.verb == "view"), None)
    if seen is None:  # written only, or a verb that is not understood
        return Square(letter, None if any(cell.children is None for cell in cells) else 0, state)
    return Square(f"{letter} ≥" if seen.unresolved and seen.children is not None else letter, seen.children, state)


def _most(counts: Any) -> Count:
    """The largest of some published counts; a hidden one tells nothing, and is passed over where another is larger."""
    held = list(counts)
    numbers = [abs(count) for count in held if isinstance(count, int)]
    hidden = next((count for count in held if isinstance(count, Hidden)), None)
    return max(numbers) if any(numbers) else hidden if hidden is not None else 0
