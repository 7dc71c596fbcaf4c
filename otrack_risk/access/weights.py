"""How heavily a category and a verb weigh in reach: the built-in weights, or a school's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from otrack_risk import frames, schema
from otrack_risk.access.words import FULL, category_of, scopes, verbs
from otrack_risk.errors import FieldError, ParameterError

_COLUMNS = ("kind", "name", "weight")


@dataclass(frozen=True)
class Weights:
    """Weights by name, printed on every page that uses them."""

    category: Mapping[str, float]
    verb: Mapping[str, float]
    name: str  # of the file, or where the built-in ones stand

    @property
    def most(self) -> float:
        """Of one child: the most there could be, to do the heaviest with every category."""
        return sum(self.category.values()) * max(self.verb.values())

    def record(self) -> dict[str, Any]:
        """For the page, with the strengths of scopes beside them."""
        scope = {scope.name: scope.strength / FULL for scope in scopes().values() if not scope.matrix_only}
        return {"category": dict(self.category), "verb": dict(self.verb), "scope": scope, "source": self.name}


def weights(path: str | Path | None = None) -> Weights:
    """The built-in weights (this project's own, by the classes of ENISA, 2013), or those of a file in their stead.

    Parameters
    ----------
    path : a table with the columns kind (category or verb), name and weight; what it does not name keeps its weight

    Raises
    ------
    FieldError, ParameterError
        A column is lacking, or a row is not understood; the row is named.

    Examples
    --------
    >>> weights().category["medical"], weights().verb["export"]
    (4.0, 2.0)
    """
    held = Weights(
        {name: float(schema.weight(name)) for name in schema.categories()},
        {verb.name: verb.weight for verb in verbs().values()},
        "reference/categories.toml, reference/roles.toml",
    )
    if path is None:
        return held
    path = Path(path)
    rows = frames.read(path).table().rows
    if lacking := [column for column in _COLUMNS if column not in rows.columns]:
        raise FieldError(
            f"{path.name} has no column {', '.join(lacking)}.", "a file of weights has kind, name, weight."
        )
    own: dict[str, dict[str, float]] = {"category": {}, "verb": {}}
    for number, (kind, name, given) in enumerate(rows.select(_COLUMNS).iter_rows(), start=2):
        word = category_of(name) if kind == "category" else name if name in held.verb else None
        weight = _number(given)
        if kind not in own or word is None or weight is None:
            raise ParameterError(
                f"{path.name}, row {number}: not understood.",
                "write category or verb, a name of reference/categories.toml or reference/roles.toml, and a weight of "
                "0 or more.",
            )
        own[kind][word] = weight
    return replace(
        held, category={**held.category, **own["category"]}, verb={**held.verb, **own["verb"]}, name=path.name
    )


def _number(given: object) -> float | None:
    try:
        found = float(str(given))
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None
