"""What if something were taken away: the grants without it, and what two answers differ in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from otrack_risk.access.change.differs import AccessChange, Differs, Square, order_of
from otrack_risk.access.change.seats import accounts_of, roles_of
from otrack_risk.access.model import Grants
from otrack_risk.access.results import Access, Cell
from otrack_risk.access.words import category_of, role_of, roles, scopes
from otrack_risk.display.tables import Count
from otrack_risk.errors import ParameterError


def without(
    grants: Grants,
    *,
    accounts: Iterable[str] = (),
    roles: Iterable[str] = (),
    categories: Iterable[str] = (),
    lines: Iterable[tuple[str | None, int]] = (),
) -> Grants:
    """The grants with some of them taken away, resolved anew.

    Parameters
    ----------
    accounts : with all that they are granted, and their memberships
    roles : in the source's words or in ours; with all that they hold, and all memberships in them and of them
    categories : in ours, or a word of the source that is not known
    lines : source and line of grants and of memberships, as the reasons of a cell name them

    Raises
    ------
    ParameterError
        A name that the grants do not have: a what-if of nothing would look like an answer.

    Notes
    -----
    Denials go as grants do. A role that nobody is in any more stays a role, and does not become an account.

    Examples
    --------
    >>> held = {"account": ["a", "b"], "role": ["slt", "ta"], "category": ["sen", "sen"]}
    >>> held |= {"verb": ["view", "view"], "scope": ["school", "group"]}
    >>> without(Grants.from_frame(pl.DataFrame(held)), roles=["slt"]).rows["account"].to_list()
    ['b']
    """
    held, members, listing = grants.held, grants.memberships, grants.accounts
    gone, strange, places = set(accounts), {category_of(word) or word for word in categories}, set(lines)
    every = accounts_of(grants) | (set(members["member"]) - roles_of(grants))
    _refuse("accounts", gone, every)
    names = roles_of(grants) | set(held["role"].drop_nulls())
    wanted = {role_of(word) or word for word in roles} | set(roles)
    out = {name for name in names if name in wanted or role_of(name) in wanted}
    _refuse("roles", {role_of(word) or word for word in roles}, {role_of(name) or name for name in out} | out)
    _refuse("categories", strange, set(held["category"]))
    place = pl.concat([each.select("source", "line") for each in (held, members)]).unique().rows()
    _refuse("lines", places, set(place))
    named = pl.DataFrame(sorted(places, key=str), schema={"source": pl.String, "line": pl.Int64}, orient="row")
    held = held.filter(
        ~pl.col("account").is_in(sorted(gone)).fill_null(value=False),
        ~pl.col("role").is_in(sorted(out)).fill_null(value=False),
        ~pl.col("category").is_in(sorted(strange)),
    ).join(named, on=["source", "line"], how="anti", nulls_equal=True)
    certain = accounts_of(grants)
    a_role = pl.col("member").is_in(sorted(out)) & ~pl.col("member").is_in(sorted(certain))
    members = members.filter(~pl.col("member").is_in(sorted(gone)), ~pl.col("role").is_in(sorted(out)), ~a_role).join(
        named, on=["source", "line"], how="anti", nulls_equal=True
    )
    if listing is not None:
        listing = listing.filter(~pl.col("account").is_in(sorted(gone)))
    return resolved_anew(grants, held, members, listing)


def resolved_anew(
    grants: Grants, held: pl.DataFrame, memberships: pl.DataFrame, accounts: pl.DataFrame | None = None
) -> Grants:
    """Other grants and memberships in place of these, where no role is left to be taken for an account.

    Notes
    -----
    A name is a role because somebody is in it or it holds a grant. Where a change takes both away, what it inherits
    reaches nobody, and its memberships are left out.
    """
    before, certain = roles_of(grants), accounts_of(grants)
    while True:
        of_roles = held.filter(pl.col("account").is_null())["role"]
        now = set(memberships["role"]) | set(of_roles.drop_nulls())
        lost = before - now - certain
        kept = memberships.filter(~pl.col("member").is_in(sorted(lost)))
        if kept.height == memberships.height:
            return grants.rebuilt(held, memberships, accounts)
        memberships = kept


def _refuse(what: str, asked: set[Any], known: Iterable[Any]) -> None:
    if missing := len(asked - set(known)):
        raise ParameterError(
            f"{what}: {missing} of {len(asked)} named are not in the grants.", "name what the grants hold."
        )


def compared(before: Access, after: Access) -> AccessChange:
    """What changed from one answer to another: two days, or a what-if beside today.

    Notes
    -----
    Both must be exact answers, not published ones: hidden counts cannot be compared. A cell that the matrix allows
    for a case alone, and one of a role in which nobody is any more, is not counted as lost.

    Raises
    ------
    ParameterError
        An answer with hidden names.
    """
    if before.names_hidden or after.names_hidden:
        raise ParameterError("compared: an answer is a published one.", "compare the answers themselves.")
    seen = [_seen(access) for access in (before, after)]
    places = list(dict.fromkeys([*seen[0], *seen[1]]))
    order = {role: place for place, role in enumerate(roles())}
    places.sort(key=lambda key: (order.get(key[0], len(order)), key[0], order_of(key[1])))
    squares = [
        Square(
            role,
            category,
            Differs("children", *(_children(each, (role, category)) for each in seen)),
            _letter(seen[1].get((role, category))),
        )
        for role, category in places
    ]
    found = [{(each.id, each.account, each.why): each.id for each in access.findings} for access in (before, after)]
    gone = [check for key, check in found[0].items() if key not in found[1]]
    new = [check for key, check in found[1].items() if key not in found[0]]
    held = {(cell.role, cell.category, cell.verb) for cell in before.cells if cell.state in ("granted", "excess")}
    roles_now = {cell.role for cell in after.cells if cell.accounts}
    categories_now = {cell.category for cell in after.cells if cell.accounts}
    lost = [
        (cell.role, cell.category, cell.verb)
        for cell in after.cells
        if (cell.role, cell.category, cell.verb) in held
        and (
            cell.state == "missing"
            or (cell.state == "needed" and cell.role in roles_now and cell.category not in categories_now)
        )
    ]
    return AccessChange(
        as_of=(before.as_of, after.as_of),
        roll=after.roll,
        headlines=(
            Differs("children whom the widest account can see", *(_most_children(each) for each in (before, after))),
            Differs(
                "children who can be seen without a password",
                *(0 if each.open_door is None else each.open_door.children for each in (before, after)),
            ),
            Differs("roles that hold more than they need", *(len(_beyond(each)) for each in (before, after))),
        ),
        squares=tuple(squares),
        gone=_counted(gone),
        new=_counted(new),
        lost=tuple(sorted(lost)),
        beyond=tuple(sum(cell.state == "excess" for cell in each.cells) for each in (before, after)),  # type: ignore[arg-type]
    )


def _seen(access: Access) -> dict[tuple[str, str], Cell]:
    return {(cell.role, cell.category): cell for cell in access.cells if cell.verb == "view" and cell.accounts}


def _children(seen: Mapping[tuple[str, str], Cell], key: tuple[str, str]) -> Count:
    return seen[key].children if key in seen else 0


def _letter(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return "?" if cell.scope is None else scopes()[cell.scope].letter


def _most_children(access: Access) -> Count:
    if access.widest is None:
        return None if access.roll is None else 0
    return access.widest.children


def _beyond(access: Access) -> set[str]:
    return {cell.role for cell in access.cells if cell.state == "excess"}


def _counted(ids: Sequence[str]) -> dict[str, int]:
    return {check: ids.count(check) for check in dict.fromkeys(ids)}
