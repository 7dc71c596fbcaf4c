"""Roles that the grants themselves suggest: no account gets more than it has, and none less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from otrack_risk import schema
from otrack_risk.access.in_force import in_force
from otrack_risk.access.model import Grants
from otrack_risk.access.needed import Needed, needed_matrix
from otrack_risk.access.words import role_label, roles, verbs
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count
from otrack_risk.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    Bits = np.ndarray[Any, np.dtype[np.uint64]]
    Real = np.ndarray[Any, np.dtype[np.float32]]

_CELL = ["category", "verb", "scope", "scope_key"]
_PAIRED = 600  # distinct sets of cells of which all pairs are intersected: those that most accounts hold
_CANDIDATES = 3_000
Held = tuple[str, str, str, str | None]  # category, verb, scope, key


@dataclass(frozen=True)
class Weights:
    """What each part of an arrangement of roles weighs; visible parameters, all 1 unless told."""

    role: float = 1.0
    user_assignment: float = 1.0  # an account in a role
    permission_assignment: float = 1.0  # a cell in a role
    hierarchy: float = 1.0  # a role in a role
    direct: float = 1.0  # a cell of an account outside any role


@dataclass(frozen=True)
class Arrangement:
    """How complex an arrangement of roles is."""

    roles: int
    user_assignments: int
    permission_assignments: int
    hierarchy: int
    direct: int
    wsc: float  # weighted structural complexity

    @classmethod
    def of(cls, parts: tuple[int, int, int, int, int], weights: Weights) -> Arrangement:
        """The parts in the order of the fields, weighed and summed."""
        by = (
            weights.role,
            weights.user_assignment,
            weights.permission_assignment,
            weights.hierarchy,
            weights.direct,
        )
        return cls(*parts, wsc=sum(weight * part for weight, part in zip(by, parts, strict=True)))

    def record(self) -> dict[str, float]:
        """Plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Candidate:
    """A role that is proposed."""

    cells: tuple[Held, ...]
    accounts: tuple[str, ...]  # who would be in it
    nearest: str  # role of the matrix whose cells are most like it
    likeness: float  # Jaccard index of category, verb and scope with that role's, 0 to 1
    members: Count = 0  # how many accounts

    def record(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "nearest": self.nearest,
            "likeness": self.likeness,
            "members": self.members,
            "accounts": list(self.accounts),
            "cells": [dict(zip(_CELL, cell, strict=True)) for cell in self.cells],
        }


@dataclass(frozen=True)
class MinedRoles(Shown):
    """Candidate roles, and how much simpler they would be than what is there."""

    key: ClassVar[str] = "mined_roles"
    candidates: tuple[Candidate, ...]  # most saved first
    accounts: int  # that hold anything
    cells: int  # distinct
    held: int  # account x cell
    over_assigned: int  # account x cell that a role would give and the account has not: 0, by construction and counted
    under_assigned: int  # that the account has and would lose: 0, since the rest is granted directly
    before: Arrangement
    after: Arrangement
    weights: Weights

    def sentence(self) -> str:
        better = "simpler than" if self.after.wsc < self.before.wsc else "no simpler than"
        roles_ = f"{len(self.candidates):,} {'role' if len(self.candidates) == 1 else 'roles'}"
        return (
            f"{roles_} and {self.after.direct:,} direct grants would give {self.accounts:,} accounts exactly the "
            f"{self.held:,} cells that they hold, {better} today: weighted complexity {self.after.wsc:,.0f}, "
            f"{self.before.wsc:,.0f} today. A proposal; whether the cells are needed is another question."
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "like the role": [role_label(each.nearest) for each in self.candidates],
                "likeness share": [each.likeness for each in self.candidates],
                "accounts": [each.members for each in self.candidates],
                "cells": [len(each.cells) for each in self.candidates],
                "what": [_what(each.cells) for each in self.candidates],
            }
        )

    def figure(self) -> Figure | None:
        return None

    def record(self) -> dict[str, Any]:
        return {
            "candidates": [each.record() for each in self.candidates],
            "accounts": self.accounts,
            "cells": self.cells,
            "held": self.held,
            "over_assigned": self.over_assigned,
            "under_assigned": self.under_assigned,
            "before": self.before.record(),
            "after": self.after.record(),
            "weights": {name: getattr(self.weights, name) for name in self.weights.__dataclass_fields__},
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """No names of accounts, no keys of scopes, small numbers of members hidden."""
        known = set(schema.categories())
        some = tuple(
            replace(
                each,
                accounts=(),
                members=tables.hide(each.members, hide_below),
                cells=tuple(
                    dict.fromkeys(
                        (category if category in known else "another category", verb, scope, None)
                        for category, verb, scope, _ in each.cells
                    )
                ),
            )
            for each in self.candidates
        )
        return replace(self, candidates=some)


def mined_roles(
    grants: Grants,
    *,
    as_of: date | None,
    needed: Needed | None = None,
    weights: Weights | None = None,
    most_cells: int = 20_000,
) -> MinedRoles:
    """Candidate roles out of what enabled accounts hold on a day.

    Parameters
    ----------
    needed : roles by which candidates are named; None for the built-in matrix
    most_cells : distinct cells beyond which it is refused

    Notes
    -----
    Accounts with the same cells are one group. Candidates are the groups' sets and what any two of them share [1]_;
    of the sets, pairs are taken of the 600 that most accounts hold. Roles are chosen greedily by what they save in
    weighted structural complexity [2]_, and given only to accounts that hold every cell of them; what is left is
    granted directly. Equal savings go to more cells, then to the first by name. A cell is category, verb (with what
    it gives besides), scope and key; what is held only by first taking on a role is held.

    Raises
    ------
    ParameterError
        More distinct cells than ``most_cells``.

    References
    ----------
    .. [1] Vaidya, Atluri and Warner (2006), RoleMiner: FastMiner, ACM CCS, 144-153.
    .. [2] Molloy et al. (2008), Mining roles with semantic meanings, ACM SACMAT, 21-30.
    """
    import numpy as np

    weights = weights or Weights()
    lines = in_force(grants, None, as_of).allowed.select("account", *_CELL).unique()
    cells = lines.select(_CELL).unique().sort(_CELL, nulls_last=True).with_row_index("cell")
    if cells.height > most_cells:
        raise ParameterError(
            f"mined_roles: {cells.height:,} distinct cells.", f"mine grants of at most {most_cells:,} distinct cells."
        )
    sets = (
        lines.join(cells, on=_CELL, nulls_equal=True)
        .group_by("account")
        .agg(pl.col("cell").sort())
        .group_by("cell")
        .agg(pl.col("account").sort())
        .with_columns(members=pl.col("account").list.len())
        .sort(
            pl.col("members"), pl.col("cell").list.len(), pl.col("account").list.first(), descending=[True, True, False]
        )
    )
    members = sets["members"].to_numpy().astype(np.float32)
    rows = np.zeros((sets.height, cells.height), dtype=bool)
    for place, held in enumerate(sets["cell"]):
        rows[place, held.to_numpy()] = True
    chosen, left = _chosen(rows, members, weights)
    names, listed = sets["account"].to_list(), [tuple(row) for row in cells.select(_CELL).iter_rows()]
    matrix = needed_matrix() if needed is None else needed
    candidates = []
    for role, groups in chosen:
        which = tuple(listed[place] for place in np.flatnonzero(role))
        who = tuple(sorted(name for group in groups for name in names[group]))
        nearest, likeness = _nearest(which, matrix)
        candidates.append(Candidate(which, who, nearest, likeness, len(who)))
    given = np.zeros_like(rows)
    for role, groups in chosen:
        given[groups] |= role
    direct = int((left.sum(axis=1) * members).sum())
    parts = (
        len(chosen),
        sum(len(each.accounts) for each in candidates),
        sum(len(each.cells) for each in candidates),
        0,
        direct,
    )
    return MinedRoles(
        candidates=tuple(candidates),
        accounts=int(members.sum()),
        cells=cells.height,
        held=lines.height,
        over_assigned=int(((given & ~rows).sum(axis=1) * members).sum()),
        under_assigned=int(((rows & ~given & ~left).sum(axis=1) * members).sum()),
        before=_before(grants, as_of, weights),
        after=Arrangement.of(parts, weights),
        weights=weights,
    )


def _before(grants: Grants, as_of: date | None, weights: Weights) -> Arrangement:
    """The arrangement of today: what is in force, in verbs and what they give, as the cells are."""
    day = pl.lit(as_of, pl.Date)
    now = (pl.col("valid_from") <= day).fill_null(value=True) & (pl.col("valid_to") >= day).fill_null(value=True)
    allowed = in_force(grants, None, as_of).allowed
    gives = {verb.name: [*verb.gives, verb.name] for verb in verbs().values()}
    of_roles = grants.role_grants.filter(now & (pl.col("effect") != "deny") & (pl.col("scope") != "none")).with_columns(
        verb=pl.when(pl.col("scope") == "write_only")
        .then(pl.concat_list("verb"))
        .otherwise(
            pl.col("verb").replace_strict(gives, default=pl.concat_list("verb"), return_dtype=pl.List(pl.String))
        )
    )
    members = grants.memberships.filter(now).select("member", "role").unique()
    names = set(members["role"]) | set(of_roles["holder"])
    is_role = pl.col("member").is_in(sorted(names))
    parts = (
        len(names),
        members.filter(~is_role).height,
        of_roles.explode("verb").select("holder", *_CELL).unique().height,
        members.filter(is_role).height,
        allowed.filter(pl.col("chain").is_null()).select("account", *_CELL).unique().height,
    )
    return Arrangement.of(parts, weights)


def _chosen(
    rows: np.ndarray[Any, Any], members: Real, weights: Weights
) -> tuple[list[tuple[Any, list[int]]], np.ndarray[Any, Any]]:
    """Roles in the order of what they saved, each with its groups; and what is left to be granted directly."""
    import numpy as np

    roles_ = _candidates(rows, members)
    left = rows.copy()
    chosen: list[tuple[Any, list[int]]] = []
    if not len(roles_):
        return chosen, left
    size = roles_.sum(axis=1).astype(np.float32)
    as_real = roles_.astype(np.float32)
    within = (as_real @ rows.T.astype(np.float32)) >= size[:, None] - 0.5  # candidate x group: over-assignment 0
    covers = as_real @ left.T.astype(np.float32)
    price = weights.role + weights.permission_assignment * size
    while True:
        saved = np.where(within, np.maximum(weights.direct * covers - weights.user_assignment, 0), 0) @ members - price
        best = int(np.lexsort((np.arange(len(saved)), -size, -saved))[0])
        if saved[best] <= 1e-6:
            return chosen, left
        gains = within[best] & (weights.direct * covers[best] > weights.user_assignment)
        groups = [int(group) for group in np.flatnonzero(gains)]
        chosen.append((roles_[best], groups))
        left[groups] &= ~roles_[best]
        covers[:, groups] = as_real @ left[groups].T.astype(np.float32)


def _candidates(rows: np.ndarray[Any, Any], members: Real) -> np.ndarray[Any, Any]:
    """The groups' sets and what two of them share; those that could save most, at most 3,000."""
    import numpy as np

    if not len(rows):
        return rows
    few = rows[:_PAIRED]
    packed = np.packbits(few, axis=1)
    width = -packed.shape[1] % 8
    packed = np.pad(packed, ((0, 0), (0, width))).view(np.uint64)
    found = {packed[place].tobytes() for place in range(len(packed))}
    for place in range(len(packed)):
        shared = packed[place + 1 :] & packed[place]
        found |= {row.tobytes() for row in np.unique(shared, axis=0)} if len(shared) else set()
    every = np.frombuffer(b"".join(sorted(found)), dtype=np.uint8).reshape(len(found), -1)
    sets = np.unpackbits(every, axis=1)[:, : rows.shape[1]].astype(bool)
    sets = sets[sets.any(axis=1)]
    size = sets.sum(axis=1).astype(np.float32)
    worth = np.zeros(len(sets), dtype=np.float32)
    for start in range(0, len(sets), 20_000):
        some = sets[start : start + 20_000]
        inside = some.astype(np.float32) @ rows.T.astype(np.float32) >= some.sum(axis=1)[:, None] - 0.5
        worth[start : start + 20_000] = inside @ members
    best = np.argsort(-(worth - 1) * (size - 1), kind="stable")[:_CANDIDATES]
    return sets[np.sort(best)]


def _nearest(cells: Sequence[Held], matrix: Needed) -> tuple[str, float]:
    """The role of the matrix whose category, verb and scope are most like these, by Jaccard; the first of equals."""
    mine = {(category, verb, scope) for category, verb, scope, _ in cells}
    needs: dict[str, set[tuple[str, str, str]]] = {role: set() for role in roles() if role in matrix.roles}
    for role, category, verb, scope in matrix.rows.iter_rows():
        needs.setdefault(role, set()).add((category, verb, scope))
    likeness = {role: len(mine & need) / len(mine | need) if mine | need else 0.0 for role, need in needs.items()}
    if not likeness:
        return "(no role)", 0.0
    best = max(likeness, key=lambda role: likeness[role])
    return best, likeness[best]


def _what(cells: Sequence[Held]) -> str:
    """The categories in words, each with its strongest verb."""
    order = list(verbs())
    strongest: dict[str, int] = {}
    for category, verb, _, _ in cells:
        place = order.index(verb) if verb in order else -1
        strongest[category] = max(strongest.get(category, -1), place)
    labels: Mapping[str, str] = schema.categories()
    told = [
        f"{labels.get(category, category)} ({order[place] if place >= 0 else 'other'})"
        for category, place in strongest.items()
    ]
    return ", ".join(told[:5]) + (f" and {len(told) - 5} more" if len(told) > 5 else "")
