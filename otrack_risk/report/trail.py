"""From a number back to the call that made it: read off the notebook's own cells, not written by hand."""

from __future__ import annotations

import ast
from typing import Any


def calls(notebook: Any) -> list[tuple[int, str | None]]:
    """For each output of an executed notebook, in order: the code cell, from 1, and the function behind it.

    The function is the call in the cell's last line, without the step that hides small numbers, its
    names followed back to the import; None where the last line is no call and no name of one.

    Examples
    --------
    >>> from types import SimpleNamespace as cell
    >>> source = "from otrack_risk import risk\\nfound = risk.measure(rows).published(5)\\nfound"
    >>> calls(cell(cells=[cell(cell_type="code", source=source, outputs=[1])]))
    [(1, 'otrack_risk.risk.measure')]
    """
    known: dict[str, str] = {}
    found: list[tuple[int, str | None]] = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        shown = _last(cell.source, known)
        found += [(number, shown.removesuffix(".published()").removesuffix("()") or None)] * len(cell.outputs)
    return found


def _last(source: str, known: dict[str, str]) -> str:
    """What the last line is, as ``module.function()``; fills ``known`` with what each name stands for."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a magic, which no notebook of ours has
        return ""
    shown = ""
    for statement in statements:
        if isinstance(statement, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{statement.module}.{alias.name}" for alias in statement.names}
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    known[target.id] = _spelt(statement.value, known)
        elif isinstance(statement, ast.Expr):
            shown = _spelt(statement.value, known)
    return shown


def _spelt(node: ast.expr, known: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        before = _spelt(node.value, known)
        return f"{before}.{node.attr}" if before else ""
    if isinstance(node, ast.Call):
        called = _spelt(node.func, known)
        return f"{called}()" if called else ""
    return ""
