"""The smallest set of revocations after which nobody holds more than the matrix of least privilege allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import polars as pl

from otrack_risk import frames, schema
from otrack_risk.access.change import resolved_anew
from otrack_risk.access.change.cover import Choice, Costs, cheapest, lost_cells, touched
from otrack_risk.access.change.judged import LINE, placed
from otrack_risk.access.change.seats import KEEP, Pair, Seats
from otrack_risk.access.model import Grants
from otrack_risk.access.needed import Needed, needed_matrix, with_given
from otrack_risk.access.tally import reached
from otrack_risk.access.words import numbered, role_label, role_of, roles, scopes, verbs
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

What = Literal["grant of a role", "grant of accounts", "membership", "role in a role"]
_WORST = 12  # proposals that the figure shows


@dataclass(frozen=True)
class Proposal:
    """One change: a grant taken away or narrowed, or a membership ended."""

    what: What
    role: str | None  # the holder of the grant, or the role that is left; the source's word; None: outside any role
    member: str | None  # of a role in a role: the role that leaves
    category: str | None  # of a grant
    verb: str | None
    scope: str | None
    scope_key: str | None
    to: tuple[Pair, ...]  # verb and scope in its stead; empty: nothing
    why: str
    affected: Count  # enabled accounts that it reaches
    children_fewer: (
        Count  # whom they can do that to (a membership: see) by it alone, and not by what stands in its stead
    )
    cost: float
    accounts: tuple[str, ...] = ()  # of a grant of accounts, or of a membership: whose

    def record(self) -> dict[str, Any]:
        """Plain values."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return told | {
            "to": [{"verb": verb, "scope": scope} for verb, scope in self.to],
            "accounts": list(self.accounts),
        }


@dataclass(frozen=True)
class Revocations(Shown):
    """What to revoke or narrow so that nobody holds more than is needed, at least cost."""

    key: ClassVar[str] = "revocations"
    as_of: date | None
    proposals: tuple[Proposal, ...]  # most children fewer first
    lost: tuple[tuple[str, str, str, Count], ...]  # role, category, verb that are needed and lost: of how many accounts
    cost: float
    bound: float  # nothing that does the same costs less
    exact: bool
    costs: Mapping[str, float]
    needed: str  # version of the matrix

    @property
    def gap(self) -> float:
        """By how much the cost may lie above the least, as a share of it; 0 where it is the least."""
        return 0.0 if self.exact or self.cost <= self.bound else (self.cost - self.bound) / max(self.bound, 1e-9)

    def sentence(self) -> str:
        if not self.proposals:
            return f"Nothing that is held goes beyond the matrix of least privilege ({self.needed})."
        narrowed = sum(bool(each.to) for each in self.proposals)
        sure = "no set of changes costs less" if self.exact else f"at most {tables.percent(self.gap)} above the least"
        lost = len(self.lost)
        needed = f"{lost:,} needed {'cell is' if lost == 1 else 'cells are'} lost" if lost else "nothing needed is lost"
        return (
            f"{len(self.proposals):,} {'change' if len(self.proposals) == 1 else 'changes'} ({narrowed:,} narrowed, "
            f"{len(self.proposals) - narrowed:,} revoked) would leave nobody with more than the matrix allows, at a "
            f"cost of {self.cost:g} ({sure}); {needed}."
        )

    def table(self) -> pl.DataFrame:
        some = self.proposals
        return tables.table(
            {
                "change": [each.what for each in some],
                "role": [_who(each) for each in some],
                "category": [_category(each.category) for each in some],
                "verb": [each.verb or "" for each in some],
                "from": [_scope(each.scope, each.scope_key) for each in some],
                "to": [_to(each.to) for each in some],
                "accounts": [each.affected for each in some],
                "children fewer": [each.children_fewer for each in some],
                "why": [each.why for each in some],
            }
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display.figures import bars

        told = [each for each in self.proposals if each.children_fewer is not None][:_WORST]
        if not told:
            return None
        labels = [f"{_who(each)}: {_category(each.category) or 'all'} {each.verb or ''}".strip() for each in told]
        labels = [f"{label} ({place})" if labels.count(label) > 1 else label for place, label in enumerate(labels, 1)]
        return bars(
            labels, [each.children_fewer for each in told], self.sentence(), "children fewer by each change alone"
        )

    def record(self) -> dict[str, Any]:
        return {
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
            "proposals": [each.record() for each in self.proposals],
            "lost": [
                {"role": role, "category": category, "verb": verb, "accounts": number}
                for role, category, verb, number in self.lost
            ],
            "cost": self.cost,
            "bound": self.bound,
            "gap": self.gap,
            "exact": self.exact,
            "costs": dict(self.costs),
            "needed": self.needed,
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """No names of accounts, words of the file under numbers, small counts hidden."""
        words = [word for each in self.proposals for word in (each.role, each.member) if word and not role_of(word)]
        named = numbered("role", [*words, *(role for role, _, _, _ in self.lost)], roles())

        def ours(word: str | None) -> str | None:
            return word and (role_of(word) or named.get(word, word))

        return replace(
            self,
            proposals=tuple(
                replace(
                    each,
                    role=ours(each.role),
                    member=ours(each.member),
                    scope_key=None,
                    affected=tables.hide(each.affected, hide_below),
                    children_fewer=tables.hide(each.children_fewer, hide_below),
                    accounts=(),
                )
                for each in self.proposals
            ),
            lost=tuple(
                (named.get(role, role), category, verb, tables.hide(number, hide_below))
                for role, category, verb, number in self.lost
            ),
        )

    def applied(self, grants: Grants) -> Grants:
        """The grants with every proposal carried out, on paper alone; of an exact result, not of a published one."""
        return applied(grants, self.proposals, as_of=self.as_of)


def smallest(
    grants: Grants,
    dataset: frames.Dataset | None,
    *,
    as_of: date | None,
    needed: Needed | None = None,
    costs: Costs | None = None,
    exact_up_to: int = 200_000,
    seconds: float = 60.0,
) -> Revocations:
    """The changes of least cost after which no account holds a cell beyond need.

    Parameters
    ----------
    dataset, as_of, needed : as for :func:`~otrack_risk.access.reach.reach`; without a data set scopes are compared
    costs : of each kind of change, and of a needed cell that is lost
    exact_up_to, seconds : see :func:`~otrack_risk.access.cover.cheapest`

    Notes
    -----
    A hitting set [1]_: every chain that gives an account what its role does not need must lose the grant, or a
    membership on the way. A grant may be narrowed in scope or verb to what one of the roles that it reaches needs,
    which is one change. A category and verb that a role of an account needs and holds today, at least in part, and
    would hold no more, costs ``lost``. Accounts to which every choice means the same are decided together, which
    leaves the least cost as it is. Grants with a word that is not understood, and roles that are not in the matrix,
    stay as they are: their need is not known. Denials stay.

    References
    ----------
    .. [1] Karp (1972), Reducibility among combinatorial problems: hitting set; solved by ``scipy.optimize.milp``.
    """
    matrix = needed_matrix() if needed is None else needed
    costs = costs or Costs()
    question = Seats.of(grants, dataset, as_of, matrix)
    choice = cheapest(question, costs, exact_up_to=exact_up_to, seconds=seconds)
    proposals = _proposals(question, choice, matrix, costs)
    lost: dict[tuple[str, str, str], int] = {}
    for place, cells in lost_cells(question, choice.options, choice.members, choice.edges).items():
        for category, verb in cells:
            key = (question.seats[place].role, category, verb)
            lost[key] = lost.get(key, 0) + len(question.seats[place].accounts)
    return Revocations(
        as_of=as_of,
        proposals=tuple(_with_children(proposals, question)),
        lost=tuple((*key, number) for key, number in sorted(lost.items())),
        cost=choice.cost,
        bound=choice.bound,
        exact=choice.exact,
        costs=costs.record(),
        needed=matrix.version,
    )


def applied(grants: Grants, proposals: Sequence[Proposal], *, as_of: date | None) -> Grants:
    """The grants with the proposals carried out: of those in force on the day, resolved anew."""
    held, members = grants.held, grants.memberships
    day = pl.lit(as_of, pl.Date)
    in_force = (pl.col("valid_from") <= day).fill_null(value=True) & (pl.col("valid_to") >= day).fill_null(value=True)
    added = []
    for each in proposals:
        if each.category is None:
            who = [each.member] if each.what == "role in a role" else list(each.accounts)
            members = members.filter(~(in_force & (pl.col("role") == each.role) & pl.col("member").is_in(who)))
            continue
        same = in_force & (pl.col("effect") != "deny")
        for column in ("role", "category", "verb", "scope", "scope_key"):
            wanted = pl.lit(getattr(each, column), pl.String)
            same &= pl.col(column).eq_missing(wanted)
        same &= pl.col("account").is_in(list(each.accounts)) if each.accounts else pl.col("account").is_null()
        gone = held.filter(same)
        held = held.filter(~same)
        for verb, scope in each.to:
            key = pl.col("scope_key") if scope == each.scope else pl.lit(None, pl.String)
            nowhere = pl.lit(None, pl.Int64)
            added.append(gone.with_columns(verb=pl.lit(verb), scope=pl.lit(scope), scope_key=key, line=nowhere))
    every = pl.concat([held, *added]) if added else held
    return resolved_anew(grants, every.unique(maintain_order=True), members)


def _proposals(question: Seats, choice: Choice, matrix: Needed, costs: Costs) -> list[tuple[Proposal, list[int]]]:
    """Every change, with the seats that it reaches."""
    allowed = {
        (role, category, verb): scope
        for role, category, verb, scope in matrix.rows.sort(
            pl.col("scope").replace_strict({scope.name: scope.rank for scope in scopes().values()})
        ).iter_rows()
    }
    found: list[tuple[Proposal, list[int]]] = []
    direct: dict[tuple[int, int], list[int]] = {}
    for (kind, seat), option in choice.options.items():
        if seat is None:
            found.append(_of_grant(question, kind, option, list(touched(question, kind)), allowed, costs.role_grant))
        else:
            direct.setdefault((kind, option), []).append(seat)
    for (kind, option), places in direct.items():
        found.append(_of_grant(question, kind, option, sorted(places), allowed, costs.account_grant))
    leaving: dict[str, list[int]] = {}
    for place, first in sorted(choice.members):
        leaving.setdefault(first, []).append(place)
    for first, places in leaving.items():
        names = tuple(sorted({name for place in places for name in question.seats[place].accounts}))
        why = "what the role gives goes beyond need, and costs more to mend grant by grant"
        cost = costs.membership * len(names)
        one = Proposal("membership", first, None, None, None, None, None, (), why, len(names), None, cost, names)
        found.append((one, places))
    for member, onto in sorted(choice.edges):
        places = [
            place
            for place, seat in enumerate(question.seats)
            if any(member in question.reached(first) for first in seat.firsts)
        ]
        number = len({name for place in places for name in question.seats[place].accounts})
        why = "what is inherited goes beyond need, and costs more to mend grant by grant"
        one = Proposal("role in a role", onto, member, None, None, None, None, (), why, number, None, costs.inheritance)
        found.append((one, places))
    return found


def _of_grant(
    question: Seats,
    kind: int,
    option: int,
    places: list[int],
    allowed: Mapping[tuple[str, str, str], str],
    cost: float,
) -> tuple[Proposal, list[int]]:
    one = question.kinds[kind]
    names = {name for place in places for name in question.seats[place].accounts}
    beyond = sorted(
        {question.seats[place].role for place in places if (kind, KEEP) in question.seats[place].beyond},
        key=lambda role: ([*roles()].index(role) if role in roles() else 99, role),
    )
    need = [
        f"{role_label(role)} needs {_scope(allowed.get((role, one.category, one.verb)), None) or 'nothing'}"
        for role in beyond
    ]
    why = "; ".join(need[:4]) + (f"; and {len(need) - 4} roles more" if len(need) > 4 else "")
    return Proposal(
        "grant of accounts" if one.direct else "grant of a role",
        one.holder,
        None,
        one.category,
        one.verb,
        one.scope,
        one.scope_key,
        one.options[option] or (),
        why,
        len(names),
        None,
        cost * (len(names) if one.direct else 1),
        tuple(sorted(names)) if one.direct else (),
    ), places


def _with_children(told: list[tuple[Proposal, list[int]]], question: Seats) -> list[Proposal]:
    """The proposals with the children that each takes away, most first."""
    who = question.who
    if who is None or not told:
        return [each for each, _ in told]
    lines = []
    for owner, (each, places) in enumerate(told):
        for place in places:
            seat = question.seats[place]
            for side, category, verb, scope, key in _sides(each, question):
                lines += [
                    (2 * owner + side, account, seat.role, category, verb, scope, key) for account in seat.accounts
                ]
    columns = {"owner": pl.UInt64, **dict.fromkeys(LINE, pl.String)}
    strength = {scope.name: scope.strength for scope in scopes().values()}
    table = pl.DataFrame(lines, schema=columns, orient="row").unique()
    table, _, denied, units = placed(table, question.held, who)
    seen = table.drop_nulls("unit").with_columns(
        granted=pl.col("scope").replace_strict(strength, return_dtype=pl.Int64), clause=pl.col("clause").cast(pl.UInt32)
    )
    counts: dict[int, int] = dict(
        reached(seen.select("owner", "clause", "unit", "granted"), units, denied)
        .select("owner", "children")
        .iter_rows()
    )
    found = [
        replace(each, children_fewer=max(counts.get(2 * owner, 0) - counts.get(2 * owner + 1, 0), 0))
        for owner, (each, _) in enumerate(told)
    ]
    return sorted(found, key=lambda each: (-_count(each.children_fewer), -_count(each.affected), _order(each)))


def _sides(each: Proposal, question: Seats) -> set[tuple[int, str, str, str, str | None]]:
    """0 what is taken, 1 what stands in its stead; category, verb, scope, key."""
    if each.category is not None and each.verb is not None and each.scope is not None:
        after = {
            (1, each.category, each.verb, scope, each.scope_key if scope == each.scope else None)
            for verb, scope in each.to
            if each.verb in with_given(verb, scope)
        }
        return {(0, each.category, each.verb, each.scope, each.scope_key)} | after
    below = set(question.reached(str(each.role)))
    return {
        (0, kind.category, "view", kind.scope, kind.scope_key)
        for kind in question.kinds
        if not kind.direct and kind.holder in below and "view" in with_given(kind.verb, kind.scope)
    }


def _count(count: Count) -> int:
    return count if isinstance(count, int) else 0


def _order(each: Proposal) -> str:
    return repr((each.what, each.role, each.member, each.category, each.verb, each.scope, each.scope_key, each.to))


def _who(each: Proposal) -> str:
    role = "no role" if each.role is None else role_label(role_of(each.role) or each.role)
    return f"{role_label(role_of(each.member) or each.member)} in {role}" if each.member else role


def _category(name: str | None) -> str:
    return "" if name is None else schema.categories().get(name, name)


def _scope(name: str | None, key: str | None) -> str:
    if name is None:
        return ""
    label = scopes()[name].label if name in scopes() else name
    return f"{label} {key}" if key else label


def _to(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return "nothing"
    order = list(verbs())
    return ", ".join(f"{verb}: {_scope(scope, None)}" for verb, scope in sorted(pairs, key=lambda p: order.index(p[0])))
