"""From grants to reach: which account and which role can see which children, and what they need of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from otrack_risk import frames, schema
from otrack_risk.access.accounts import NOT_IN_LOG, AccountLadder, AccountReach
from otrack_risk.access.counted import CELL, Counted
from otrack_risk.access.findings import AccessFindings, find
from otrack_risk.access.findings.accepted import Acceptance
from otrack_risk.access.findings.accepted import notes as notes_of
from otrack_risk.access.in_force import OWNER, in_force
from otrack_risk.access.model import Grants
from otrack_risk.access.needed import Needed, needed_matrix
from otrack_risk.access.people import People, people
from otrack_risk.access.results import NO_PUPILS, Access, Cell, RoleInUse, State
from otrack_risk.access.use import Used
from otrack_risk.access.use.terms import Terms
from otrack_risk.access.use.unused import Excess, states
from otrack_risk.access.use.unused import excess as unused
from otrack_risk.access.weights import Weights, weights
from otrack_risk.access.why import Through, through
from otrack_risk.access.words import FULL, roles, scopes, verbs


def reach(
    grants: Grants,
    dataset: frames.Dataset | None,
    *,
    as_of: date | None,
    needed: Needed | None = None,
    excess: Mapping[str, float | None] | None = None,
    used: Used | None = None,
    accepted: Sequence[Acceptance] = (),
    terms: Terms | None = None,
    from_database: bool = False,
    weigh: Weights | None = None,
) -> Access:
    """Who can see whom on one day, against the least that each role needs.

    Parameters
    ----------
    grants : from :func:`~otrack_risk.access.grants.read_grants`
    dataset : the children, with the tables of the synthetic world; None, or no table ``pupils``: children are
        not counted, and cells are compared by scope alone
    as_of : grants are in force from their first to their last day, both included; None: every grant is in force
    needed : the matrix of least privilege; None for the built-in one
    weigh : of categories and verbs; None for the built-in ones
    excess : by account, the share of the weight of what it holds that it did not use (from an access log); None
        where it cannot be told of the account. None for all: worked out from ``used``
    used : the access log; None: none was read
    accepted : risks that somebody accepted, until a day: a finding of one in force is marked
    terms, from_database : as for :func:`~otrack_risk.access.findings.find`

    Notes
    -----
    With c a category, v a verb, w their weights, and s the strength of a scope (1 for a row, 0.25 for a flag,
    0.05 for a total; each child counts at its strongest) [1]_::

        children(a)        = | union over c of reach(a, c, view) |, at least by a flag
        blast radius(a)    = sum over c of w_c max over v of (w_v sum over children of s)
        over-privilege(a)  = sum of w_c w_v max(s granted - s needed, 0) / sum of w_c w_v s granted
        under-privilege(a) = child x category x verb of the matrix with s granted < s needed / all of the matrix

    A verb gives what ``roles.toml`` says it gives: whoever edits, exports or administers also sees. Disabled accounts
    reach nobody. What an account is denied, by whatever role, it does not reach, whatever else allows it; a denial
    of a verb denies every verb that gives it. What it holds only by first taking on a role counts as held, and a
    denial that it would have to take on counts as none. Of a denial that is not understood everybody is taken to be
    denied, and the account's count is not known. What is needed of an account is what the matrix allows to any of its
    roles. Categories that no grant names are not held by the system, and are not counted as lacking. A ratio of
    nothing is not defined.

    References
    ----------
    .. [1] This project's own definitions; the categories' weights follow the classes of ENISA (2013).
    """
    matrix = needed_matrix() if needed is None else needed
    weigh = weigh or weights()
    who = people(dataset, grants.listed)
    held = in_force(grants, dataset, as_of)
    accounts = held.accounts
    lines = _lines(held.allowed, matrix, who)
    counted = None if who is None else Counted.of(lines, held.denied, accounts, matrix, who)
    cells = _with_need(_cells(lines, matrix, counted, through(held.allowed)), matrix, counted)
    told = _account_reaches(accounts, lines, counted, who, weigh)
    if excess is not None:
        told = [each.with_excess(excess.get(each.account), NOT_IN_LOG) for each in told]
    elif used is not None:
        idle = _unused(used, grants, lines, accounts, counted, weigh)
        told = [each.with_excess(idle[each.account].share, idle[each.account].reason) for each in told]
    enabled = accounts.filter("enabled")
    found, unasked = find(
        grants,
        lines,
        enabled,
        who,
        matrix,
        held.listed,
        as_of,
        used,
        accepted,
        dataset=dataset,
        terms=terms,
        from_database=from_database,
    )
    public = [
        each
        for each in told
        if each.public and any(f.account == each.account and f.id == "public_reach" for f in found)
    ]
    return Access(
        as_of=as_of,
        roll=None if who is None else who.roll,
        roles=_roles(lines, matrix),
        accounts=tuple(told),
        cells=tuple(cells),
        findings=tuple(found),
        counted_findings=AccessFindings.of(found, unasked, enabled.height),
        accounts_by_reach=AccountLadder.of(told, None if who is None else who.roll),
        open_door=public[0] if public else None,
        widest=next((each for each in told if each.enabled and not each.public and each.roles), None),
        unused=_never_used(used, grants, lines),
        weights=weigh.record(),
        needed={"name": matrix.name, "source": matrix.source, "version": matrix.version},
        grants={"seen": grants.seen, "kept": grants.kept, "skipped": grants.seen - grants.kept},
        notes=grants.notes
        + (used.notes if used is not None else ())
        + notes_of(accepted, [each.acceptance for each in found if each.acceptance], unasked)
        + ((f"{dataset.name} has no table 'pupils'.",) if dataset is not None and who is None else ()),
    )


def _lines(lines: pl.DataFrame, matrix: Needed, who: People | None) -> pl.DataFrame:
    """One line for each verb that a grant in force gives an enabled account: with its scope's rank and strength,
    ``understood`` (every word is), ``in_matrix`` (the role is), ``beyond`` (wider than the matrix allows by scope)."""
    lines = lines.drop("chain", "holder", "source", "line", "approver", "effect", "valid_from", "granted_as").unique()
    rank, strength = _ranks(who), {scope.name: scope.strength for scope in scopes().values()}
    needed = matrix.rows.with_columns(pl.col("scope").replace_strict(rank).alias("rank"))
    case = pl.col("scope") == "just_in_time"
    allowed = needed.group_by(CELL).agg(
        pl.col("rank").filter(~case).max().alias("allowed"), case.any().alias("for_a_case")
    )
    by_name = (pl.col("scope") == "listed") & pl.lit(who is not None)  # compared child by child
    return (
        lines.join(allowed, on=CELL, how="left")
        .with_columns(
            pl.col("scope").replace_strict(rank, default=None, return_dtype=pl.Int64).alias("rank"),
            pl.col("scope").replace_strict(strength, default=0, return_dtype=pl.Int64).alias("strength"),
            pl.col("role").is_in(matrix.roles).alias("in_matrix"),
            (pl.col("category_known") & pl.col("verb_known") & pl.col("scope_known")).alias("understood"),
            (pl.col("for_a_case").fill_null(False) & pl.col("valid_to").is_not_null()).alias("case"),
        )
        .with_columns(
            (
                pl.col("in_matrix")
                & pl.col("understood")
                & ~pl.col("case")
                & ~by_name
                & (pl.col("rank") > pl.col("allowed").fill_null(0))
            ).alias("beyond")
        )
    )


def _ranks(who: People | None) -> dict[str, int]:
    """Scopes from narrow to wide; where all children are at one school, that school is everybody."""
    ranks = {scope.name: scope.rank for scope in scopes().values()}
    if who is not None and who.only_school is not None:
        ranks |= dict.fromkeys(("trust", "all"), ranks["school"])
    return ranks


def _roles(lines: pl.DataFrame, matrix: Needed) -> tuple[RoleInUse, ...]:
    used = lines.group_by("role").agg(pl.col("account").n_unique())
    order = {role: place for place, role in enumerate(roles())}
    found = [RoleInUse(role, role in matrix.roles, accounts) for role, accounts in used.iter_rows()]
    return tuple(sorted(found, key=lambda role: (order.get(role.name, len(order)), role.name)))


def _cells(
    lines: pl.DataFrame,
    matrix: Needed,
    counted: Counted | None,
    reasons: Mapping[tuple[str, str, str], tuple[Through, ...]],
) -> list[Cell]:
    """Every cell that somebody holds, or that the matrix allows."""
    held = lines.group_by(CELL).agg(
        pl.col("account").n_unique().alias("accounts"),
        pl.col("rank").max(),
        pl.col("beyond").any(),
        pl.col("in_matrix").first(),
        (pl.col("category_known") & pl.col("verb_known")).first().alias("named"),
        pl.col("understood").any(),
    )
    if counted is None:
        held = held.with_columns(children=pl.lit(None, pl.Int64), untold="accounts", perhaps=pl.lit(False))
    else:
        untold = counted.untold.group_by(CELL).agg(pl.col("account").n_unique().alias("untold"))
        held = (
            held.join(counted.of_role.select(*CELL, "children"), on=CELL, how="left")
            .join(untold, on=CELL, how="left")
            .join(counted.beyond, on=CELL, how="left")
            .with_columns(
                pl.col("children").fill_null(0),
                pl.col("untold").fill_null(0),
                pl.col("beyond") | pl.col("sure").fill_null(False),
                perhaps=(~pl.col("sure")).fill_null(False),
            )
        )
    names = {scope.rank: scope.name for scope in scopes().values()}
    cells = {}
    for row in held.iter_rows(named=True):
        state: State = "excess" if row["beyond"] else "granted"
        children, reason = row["children"], ""
        if not (row["in_matrix"] and row["named"] and row["understood"]) or (row["perhaps"] and not row["beyond"]):
            state = "unknown"
        if counted is None:
            reason = NO_PUPILS
        elif not row["named"]:
            children, reason = None, "a word of the grant is not known"
        elif row["untold"]:
            reason = "of some accounts it cannot be told whom they reach"
            children = None if row["untold"] == row["accounts"] else children
        key = (row["role"], row["category"], row["verb"])
        scope = None if row["rank"] is None else names[row["rank"]]
        cells[key] = Cell(
            *key,
            scope,
            children,
            state,
            row["accounts"],
            0 if counted is None else row["untold"],
            reason,
            reasons.get(key, ()),
        )
    in_use = {cell.role for cell in cells.values()}
    categories = {cell.category for cell in cells.values()}
    for role, category, verb, standing in (
        matrix.rows.group_by(CELL).agg((pl.col("scope") != "just_in_time").any()).iter_rows()
    ):
        state = "missing" if role in in_use and category in categories and standing else "needed"
        cells.setdefault((role, category, verb), Cell(role, category, verb, None, 0, state, 0, 0))
    places = [{name: place for place, name in enumerate(order)} for order in (roles(), schema.categories(), verbs())]
    return [
        cells[key]
        for key in sorted(
            cells,
            key=lambda key: [(place.get(word, len(place)), word) for place, word in zip(places, key, strict=True)],
        )
    ]


def _with_need(cells: list[Cell], matrix: Needed, counted: Counted | None) -> list[Cell]:
    """The cells with the children whom each role needs there, and the widest scope that the matrix allows."""
    rank = {scope.name: scope.rank for scope in scopes().values()}
    widest: dict[tuple[str, str, str], str] = {}
    for role, category, verb, scope in matrix.rows.select(*CELL, "scope").iter_rows():
        key = (role, category, verb)
        if scope != "just_in_time" and rank[scope] > rank.get(widest.get(key, ""), -1):
            widest[key] = scope
    known: dict[tuple[str, ...], int] = {}
    untold: set[tuple[str, ...]] = set()
    if counted is not None:
        known = {(r, c, v): n for r, c, v, n in counted.need_of_role.select(*CELL, "children").iter_rows()}
        untold = set(counted.need_untold.select(CELL).unique().iter_rows())
    spoken = set(matrix.roles)

    def of(cell: Cell) -> Cell:
        key = (cell.role, cell.category, cell.verb)
        reason, needed = cell.reason, None
        if counted is not None and cell.role in spoken and key not in untold:
            needed = known.get(key, 0)
        elif key in untold:
            reason = "; ".join(filter(None, (reason, "it cannot be told whom its accounts need to see")))
        return replace(cell, needed=needed, needed_scope=widest.get(key), reason=reason)

    return list(map(of, cells))


def _never_used(used: Used | None, grants: Grants, lines: pl.DataFrame) -> frozenset[tuple[str, str]] | None:
    """Roles and categories of which every cell that can be judged was unused, by every account of the role."""
    if used is None:
        return None
    judged = states(used, grants, lines).filter(pl.col("state").is_in(["used", "unused"]))
    by_role = judged.join(lines.select(*OWNER, "role").unique(), on=OWNER).group_by("role", "category")
    idle = by_role.agg((pl.col("state") == "unused").all().alias("idle")).filter("idle")
    return frozenset((role, category) for role, category in idle.select("role", "category").iter_rows())


def _unused(
    used: Used,
    grants: Grants,
    lines: pl.DataFrame,
    accounts: pl.DataFrame,
    counted: Counted | None,
    weigh: Weights,
) -> Mapping[str, Excess]:
    if counted is None:
        return unused(used, grants, lines, accounts, weigh=weigh)
    untold = set(counted.untold["account"])
    return unused(used, grants, lines, accounts, held=counted.of_account, untold=untold, weigh=weigh)


def _account_reaches(
    accounts: pl.DataFrame, lines: pl.DataFrame, counted: Counted | None, who: People | None, weigh: Weights
) -> list[AccountReach]:
    """One entry an account, most children first."""
    order = {role: place for place, role in enumerate(roles())}
    used = lines.group_by("account").agg(
        pl.col("role").unique(),
        pl.col("in_matrix").all(),
        pl.col("understood").all(),
        ((pl.col("role") == "public") | (pl.col("person_kind") == "public").fill_null(False)).any().alias("public"),
    )
    table = accounts.select("account", "enabled", "person_kind").join(used, on="account", how="left")
    if counted is not None:
        table = counted.of_accounts(table, weigh)
    most = 0.0
    if who is not None:
        most = who.roll * weigh.most
    told = []
    for row in table.iter_rows(named=True):
        held = tuple(sorted(row["role"] or (), key=lambda role: (order.get(role, len(order)), role)))
        public = bool(row["public"]) or row["person_kind"] == "public"
        if who is None:
            one = AccountReach(
                row["account"], held, row["enabled"], public, None, None, None, None, None, None, NO_PUPILS, None
            )
        else:
            one = _told(row, held, public, who.roll, most)
        told.append(one)
    return sorted(told, key=lambda each: (-_number(each.children), -_number(each.blast_radius), each.account))


def _told(row: dict[str, Any], held: tuple[str, ...], public: bool, roll: int, most: float) -> AccountReach:
    """The numbers of one account; None where they are not defined, with the reason."""
    whole = not row["untold"]
    children = row["seen"] if whole or row["seen"] == roll else None
    special = row["special"] if whole or row["special"] == roll else None
    weighed = whole and row["understood"] is not False
    blast = float(row["blast"]) / FULL if weighed else None
    over = under = None
    reasons = [] if whole else ["of some grants it cannot be told whom they reach"]
    if whole and not weighed:
        reasons.append("a word of a grant is not known")
    if not held:
        reasons.append(
            "over_privilege, under_privilege: it has no grant in force" if row["enabled"] else "it is switched off"
        )
    elif not row["in_matrix"]:
        reasons.append("over_privilege, under_privilege: the matrix does not speak of its role")
    elif row["need_untold"]:
        reasons.append("over_privilege, under_privilege: it cannot be told whom it needs to see")
    elif weighed:
        over = row["excess"] / row["held"] if row["held"] else None
        under = row["lacking"] / row["needed"] if row["needed"] else None
        reasons += ["over_privilege: it reaches nobody"] * (over is None)
        reasons += ["under_privilege: the matrix allows its roles nobody"] * (under is None)
    share = blast / most if blast is not None and most else None
    return AccountReach(
        row["account"],
        held,
        row["enabled"],
        public,
        children,
        special,
        blast,
        share,
        over,
        under,
        "; ".join(reasons),
        row["by_taking_on"] if whole else None,
    )


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else -1
