"""Roles in roles: what an account holds through every chain of memberships, on which days.

All of it is done column by column, one join for each step of inheritance: never path by path. Of the chains from one
role to another only those are kept whose days do not lie within those of another, so that their number stays small
however many paths there are (a hundred layers of two roles have 2^100 paths and a hundred chains).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from otrack_risk.errors import ParameterError

BETWEEN = " > "  # between the roles of a chain
DEEPEST = 200  # roles in one chain
_EVER, _NEVER = dt.date(1, 1, 1), dt.date(9999, 12, 31)  # for "no start" and "no end"
_PAIR = ["first", "holder"]


def chains(edges: pl.DataFrame, first: pl.Series) -> pl.DataFrame:
    """Every role that each role inherits from, itself among them.

    Parameters
    ----------
    edges : member, role, valid_from, valid_to (dates, null where open), latent; members are roles
    first : roles from which to start

    Returns
    -------
    first, holder; start, end, latent of the chain (the latest start, the earliest end, latent where any step is);
    ``chain``, the roles from first to holder; ``length``, how many

    Raises
    ------
    ParameterError
        A chain of more than 200 roles.

    Examples
    --------
    >>> edges = {"member": ["head", "slt", "staff"], "role": ["slt", "staff", "head"], "latent": [False] * 3}
    >>> days = [pl.lit(None, pl.Date).alias(day) for day in ("valid_from", "valid_to")]
    >>> chains(pl.DataFrame(edges).with_columns(days), pl.Series(["head"]))["chain"].to_list()
    ['head', 'head > slt', 'head > slt > staff']
    """
    steps = edges.select("member", *_bounds(), into="role", latent_too="latent").unique()
    known = frontier = pl.DataFrame({"first": first.unique().sort()}, schema={"first": pl.String}).select(
        "first",
        holder="first",
        start=pl.lit(_EVER),
        end=pl.lit(_NEVER),
        latent=pl.lit(False),
        chain="first",
        length=pl.lit(1, pl.Int32),
    )
    for length in range(2, DEEPEST + 2):
        further = (
            frontier.join(steps, left_on="holder", right_on="member")
            .select(
                "first",
                holder="into",
                start=pl.max_horizontal("start", "valid_from"),
                end=pl.min_horizontal("end", "valid_to"),
                latent=pl.col("latent") | pl.col("latent_too"),
                chain=pl.concat_str("chain", "into", separator=BETWEEN),
                length=pl.lit(length, pl.Int32),
            )
            .filter(pl.col("start") <= pl.col("end"))
        )
        known = longest(pl.concat([known, further]), _PAIR) if further.height else known
        frontier = known.filter(pl.col("length") == length)
        if frontier.is_empty():
            return known
    raise ParameterError(
        f"memberships: roles inherit from each other over more than {DEEPEST} steps.", "give roles a flatter order."
    )


def through_roles(
    members: pl.DataFrame, edges: pl.DataFrame, held: pl.DataFrame, holder: str = "holder"
) -> pl.DataFrame:
    """Grants of roles as they reach accounts.

    Parameters
    ----------
    members : account, role, valid_from, valid_to, latent, approver
    edges : as for :func:`chains`
    held : grants, with ``holder`` (the role that holds it), valid_from, valid_to, latent, approver, and anything else

    Returns
    -------
    The columns of ``held``, with account, first (the role that the account was given) and chain
    """
    reached = (
        members.select("account", *_bounds(), "approver", first="role", latent_too="latent")
        .join(chains(edges, members["role"]), on="first")
        .select(
            "account",
            "first",
            "holder",
            start=pl.max_horizontal("start", "valid_from"),
            end=pl.min_horizontal("end", "valid_to"),
            latent=pl.col("latent") | pl.col("latent_too"),
            chain="chain",
            length="length",
            member_approver="approver",
        )
        .filter(pl.col("start") <= pl.col("end"))
    )
    reached = longest(reached, ["account", *_PAIR])
    got = reached.rename({"latent": "by_chain"}).join(
        held.with_columns(_bounds()), left_on="holder", right_on=holder, maintain_order="left_right"
    )
    open_start, open_end = pl.col("valid_from") == _EVER, pl.col("valid_to") == _NEVER
    return (
        got.with_columns(
            valid_from=pl.max_horizontal("start", "valid_from"),
            valid_to=pl.min_horizontal("end", "valid_to"),
            latent=pl.col("latent") | pl.col("by_chain"),
            approver=pl.coalesce("approver", "member_approver"),
        )
        .filter(pl.col("valid_from") <= pl.col("valid_to"))
        .with_columns(valid_from=pl.when(~open_start).then("valid_from"), valid_to=pl.when(~open_end).then("valid_to"))
        .drop("start", "end", "by_chain", "length", "member_approver")
    )


def longest(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The rows of each group whose days do not lie within those of another; a latent row gives way to one that is not.

    Of equal ones the shorter chain stays, then the one that comes first by its letters.
    """
    ordered = rows.sort(*by, "start", "end", "latent", "length", "chain", descending=_falling(by))
    if not ordered.select(pl.struct(by).is_duplicated().any()).item():
        return ordered
    before = pl.col("end").cum_max().shift(1).over(by)
    real = pl.when("latent").then(pl.lit(_EVER)).otherwise("end").cum_max().shift(1).over(by)
    within = pl.when("latent").then(before).otherwise(real)
    return ordered.filter(within.is_null() | (pl.col("end") > within))


def cycles(edges: pl.DataFrame) -> list[tuple[str, ...]]:
    """Roles that inherit from themselves: one round for each knot of them, its first role again at the end.

    Examples
    --------
    >>> cycles(pl.DataFrame({"member": ["a", "b", "c", "d"], "role": ["b", "a", "a", "d"]}))
    [('a', 'b', 'a'), ('d', 'd')]
    """
    onward: dict[str, list[str]] = {}
    for member, role in edges.select("member", "role").unique().sort("member", "role").iter_rows():
        onward.setdefault(member, []).append(role)
    return [
        _round(min(knot), knot, onward) for knot in _knots(onward) if len(knot) > 1 or min(knot) in onward[min(knot)]
    ]


def _bounds() -> tuple[pl.Expr, pl.Expr]:
    return pl.col("valid_from").fill_null(_EVER), pl.col("valid_to").fill_null(_NEVER)


def _falling(by: list[str]) -> list[bool]:
    return [False] * len(by) + [False, True, False, False, False]


def _knots(onward: dict[str, list[str]]) -> list[set[str]]:
    """Roles that all reach each other: the strongly connected parts, by Tarjan (1972), without recursion."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    inside: set[str] = set()
    knots: list[set[str]] = []
    for start in onward:
        if start in number:
            continue
        work = [(start, iter(onward[start]))]
        while work:
            at, rest = work[-1]
            if at not in number:
                number[at] = low[at] = len(number)
                stack.append(at)
                inside.add(at)
            for role in rest:
                if role not in onward:  # inherits nothing
                    continue
                if role not in number:
                    work.append((role, iter(onward[role])))
                    break
                if role in inside:
                    low[at] = min(low[at], number[role])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[at])
                if low[at] == number[at]:
                    cut = stack.index(at)
                    knots.append(set(stack[cut:]))
                    inside -= knots[-1]
                    del stack[cut:]
    return knots


def _round(start: str, knot: set[str], onward: dict[str, list[str]]) -> tuple[str, ...]:
    """The shortest way from a role through its knot back to itself."""
    before: dict[str, str] = {}
    queue = [start]
    for at in queue:
        for role in onward[at]:
            if role in knot and role not in before:
                before[role] = at
                queue.append(role)
    back, at = [start], before[start]
    while at != start:
        back.append(at)
        at = before[at]
    return (start, *reversed(back))
