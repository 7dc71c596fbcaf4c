"""The least that each role needs to see: a matrix that a school edits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from otrack_risk import frames, reference
from otrack_risk.access.words import category_of, role_of, scopes, verbs, verbs_of
from otrack_risk.errors import FieldError, ParameterError

BUILT_IN = "least_privilege"
_COLUMNS = ("role", "category", "scope", "verbs", "reason")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Needed:
    """The matrix, one line a verb: what is not in it is not needed.

    ``rows`` has ``role``, ``category``, ``verb``, ``scope``. Verbs that a verb gives besides are there too, as they
    are for grants, so that like is compared with like.
    """

    rows: pl.DataFrame
    roles: tuple[str, ...]  # of which the matrix speaks, whether or not they need anything
    name: str  # file name, never its directory
    source: str
    version: str  # first 12 digits of the SHA-256 of its lines: two audits with the same one used the same matrix


def needed_matrix(path: str | Path | None = None) -> Needed:
    """The built-in matrix, or a school's edited copy.

    Parameters
    ----------
    path : a table with the columns role, category, scope, verbs, reason; None for the built-in one
        ``scope`` is one of none, write_only, just_in_time, aggregate, flag, own, group, register, cohort, school,
        trust, all; ``verbs`` are words with a space between (view edit export admin), empty where the scope is none.

    Raises
    ------
    FieldError, ParameterError
        A column is lacking, or a cell is not understood; row and column are named.

    Examples
    --------
    >>> matrix = needed_matrix()
    >>> matrix.rows.filter((pl.col("role") == "ta") & (pl.col("category") == "behaviour")).rows()
    [('ta', 'behaviour', 'view', 'group'), ('ta', 'behaviour', 'edit', 'group')]
    """
    if path is None:
        table = reference.load(BUILT_IN)
        return _matrix(table.entries["row"], f"{BUILT_IN}.csv", table.source)
    path = Path(path)
    rows = frames.read(path).table().rows
    if lacking := [column for column in _COLUMNS if column not in rows.columns]:
        raise FieldError(
            f"{path.name} has no column {', '.join(lacking)} (its columns: {', '.join(rows.columns)}).",
            f"a least-privilege matrix has the columns {', '.join(_COLUMNS)}.",
        )
    return _matrix(rows.select(_COLUMNS).iter_rows(named=True), path.name, "a school's own matrix")


def _matrix(entries: Iterable[Mapping[str, str | None]], name: str, source: str) -> Needed:
    lines: list[tuple[str, str, str, str]] = []
    spoken: dict[str, None] = {}
    choice = [each.name for each in scopes().values() if not each.grants_only]
    for number, entry in enumerate(entries, start=2):  # the header is line 1
        role = _known(role_of(entry["role"]), name, number, "role", "a role of reference/roles.toml")
        category = _known(
            category_of(entry["category"]), name, number, "category", "a category of reference/categories.toml"
        )
        scope = (entry["scope"] or "").strip().lower().replace("-", "_").replace(" ", "_")
        _known(scope if scope in choice else None, name, number, "scope", f"one of {', '.join(choice)}")
        spoken[role] = None
        if scope == "none":
            continue
        allowed = [verb for verb in verbs_of(entry["verbs"]) or () if verb != "none"] or None
        for verb in _known(allowed, name, number, "verbs", f"some of {', '.join(verbs())}, with a space between"):
            lines += [(role, category, given, scope) for given in with_given(verb, scope)]
    schema = dict.fromkeys(("role", "category", "verb", "scope"), pl.String)
    rows = pl.DataFrame(lines, schema=schema, orient="row").unique(maintain_order=True)
    digest = hashlib.sha256("\n".join([*spoken, *(",".join(line) for line in sorted(rows.iter_rows()))]).encode())
    return Needed(rows, tuple(spoken), name, source, digest.hexdigest()[:12])


def with_given(verb: str, scope: str) -> tuple[str, ...]:
    """The verb and what it gives besides; write-only gives nothing besides.

    Examples
    --------
    >>> with_given("export", "school"), with_given("edit", "write_only")
    (('view', 'export'), ('edit',))
    """
    return (verb,) if scope == "write_only" else (*verbs()[verb].gives, verb)


def _known(found: _T | None, name: str, number: int, column: str, choice: str) -> _T:
    if found is None:
        raise ParameterError(f"{name}, row {number}, column '{column}': not understood.", f"write {choice}.")
    return found
