"""Which changes cost least: a hitting set over chains, exact by mixed-integer programming, else greedy with a bound.

Every chain that gives a seat what it does not need must lose an element (the grant, a membership on the way); a cell
that is needed and loses all its chains costs. One binary number for each choice about a kind of grant (``x``), each
membership of a seat (``m``) and each role in a role (``e``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from otrack_risk.access.change.program import Program, relaxed, solved
from otrack_risk.access.change.seats import KEEP, Pair, Seats
from otrack_risk.access.needed import with_given
from otrack_risk.access.postgres.circles import EVERYBODY
from otrack_risk.access.words import scopes


@dataclass(frozen=True)
class Costs:
    """What each change costs; visible parameters, all this project's own."""

    role_grant: float = 1.0  # to revoke a grant of a role, or to narrow it
    account_grant: float = 1.0  # the same of one account
    membership: float = 1.0  # to take one account out of a role
    inheritance: float = 1.0  # to take one role out of another
    lost: float = 1.0  # a category and verb that one account in one role needs and would no longer hold

    def record(self) -> dict[str, float]:
        """For the page that uses them."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Choice:
    """What to change, and what it costs."""

    options: Mapping[tuple[int, int | None], int]  # kind, seat (None: of a role) -> option other than to keep it
    members: frozenset[tuple[int, str]]  # seat, role of the source that its accounts leave
    edges: frozenset[Pair]  # role, the role that it leaves
    cost: float
    bound: float  # no choice costs less
    exact: bool  # solved to the optimum


def cheapest(question: Seats, costs: Costs, *, exact_up_to: int = 200_000, seconds: float = 60.0) -> Choice:
    """The choice that costs least.

    Parameters
    ----------
    exact_up_to : numbers to be found, beyond which it is greedy
    seconds : after which the best found so far is taken

    Notes
    -----
    Where it is not exact, ``bound`` is that of the linear relaxation (or of the search where it was cut off): the
    best choice costs no less.
    """
    problem = _Problem(question, costs)
    program = problem.program()
    if not program.costs:
        return problem.choice(np.zeros(0), {}, 0.0, exact=True)
    if len(program.costs) <= exact_up_to:
        found, bound, exact = solved(program, seconds)
        if found is not None:
            return problem.choice(found, program.names, bound, exact=exact)
    return problem.greedy(relaxed(program))


class _Problem:
    def __init__(self, question: Seats, costs: Costs) -> None:
        self.question, self.costs = question, costs
        self.holder = [kind.holder for kind in question.kinds]
        firsts = sorted({first for seat in question.seats for first in seat.firsts})
        self.reach = {first: question.reached(first) for first in firsts}
        self.of_role: dict[str, list[int]] = {}
        for place, kind in enumerate(question.kinds):
            if not kind.direct and kind.holder is not None:
                self.of_role.setdefault(kind.holder, []).append(place)
        self.owners: list[dict[int, tuple[str, ...]]] = []  # of each seat: kind of a role -> firsts that lead to it
        wrong: set[int] = set()
        for seat in question.seats:
            leads: dict[int, tuple[str, ...]] = {}
            for first in seat.firsts:
                for holder in self.reach[first]:
                    for kind_of in self.of_role.get(holder, ()):
                        leads[kind_of] = (*leads.get(kind_of, ()), first)
            self.owners.append(leads)
            wrong |= {kind_of for kind_of, option in seat.beyond if option == KEEP and kind_of in leads}
        self.wrong = wrong
        self.mending: dict[int, float] = {}  # of grants of roles: the most that it costs to mend one for everybody
        self.options = self._worth()
        self.bad_holders = {self.holder[kind] for kind in wrong}
        self.paths: dict[Pair, list[tuple[Pair, ...]]] = {}

    def _worth(self) -> dict[tuple[int, int | None], list[int]]:
        """Of each kind with something to mend, the options that no other beats; of direct ones for each seat."""
        does: dict[tuple[int, int | None], dict[int, tuple[set[Any], set[Any]]]] = {}
        for place, seat in enumerate(self.question.seats):
            for kind, option in seat.beyond:
                key = self._key(kind, place)
                if kind in self.wrong or (kind, KEEP) in seat.beyond:
                    does.setdefault(key, {}).setdefault(option, (set(), set()))[0].add(place)
        for place, seat in enumerate(self.question.seats):
            for cell, by in seat.serves.items():
                for kind, option in by:
                    if (key := self._key(kind, place)) in does:
                        does[key].setdefault(option, (set(), set()))[1].add((place, cell))
        found: dict[tuple[int, int | None], list[int]] = {}
        seats = self.question.seats
        for key, told in does.items():
            kept: list[int] = []
            for option in range(1, len(self.question.kinds[key[0]].options)):
                beyond, serves = told.get(option, (set(), set()))
                if not any(
                    told.get(each, (set(), set()))[0] <= beyond and told.get(each, (set(), set()))[1] >= serves
                    for each in kept
                ):
                    kept.append(option)
            found[key] = kept
            if key[1] is None:
                now = told.get(KEEP, (set(), set()))[1]
                loss = min(
                    sum(len(seats[place].accounts) for place, _ in now - told.get(each, (set(), set()))[1])
                    for each in kept
                    if not told.get(each, (set(), set()))[0]
                )
                self.mending[key[0]] = self.costs.role_grant + self.costs.lost * loss
        return found

    def _dear(self, place: int, first: str, wrong: Sequence[int]) -> bool:
        """Whether leaving a role costs no less than to mend every grant that goes beyond need through it, for all."""
        seat, leads = self.question.seats[place], self.owners[place]
        only = sum(
            all(leads.get(kind) == (first,) for kind, option in by if option == KEEP) for by in seat.serves.values()
        )
        leave = len(seat.accounts) * (self.costs.membership + self.costs.lost * only)
        return leave >= sum(self.mending[kind] for kind in wrong if first in leads[kind])

    def _key(self, kind: int, seat: int) -> tuple[int, int | None]:
        return (kind, seat if self.question.kinds[kind].direct else None)

    def _ways(self, first: str, holder: str) -> list[tuple[Pair, ...]]:
        if (first, holder) not in self.paths:
            self.paths[first, holder] = self.question.paths(first, holder)
        return self.paths[first, holder]

    def program(self) -> Program:
        new = Program()
        for (kind, seat), options in self.options.items():
            if seat is None:
                xs = [new.column(("x", kind, each), self.costs.role_grant, whole=True) for each in options]
                new.at_most([(x, 1.0) for x in xs], 1.0)
        loose = self._loose()
        for edge in sorted(loose):
            new.column(("e", edge), self.costs.inheritance, whole=True)
        for place in range(len(self.question.seats)):
            self._seat(new, place, loose)
        return new

    def _loose(self) -> set[Pair]:
        """Roles in roles on the way to a grant that goes beyond need."""
        edges = self.question.edges
        leads = set(self.bad_holders)
        while True:
            more = {role for role, onto in edges.items() if role not in leads and leads & set(onto)}
            if not more:
                break
            leads |= more
        reachable = {role for found in self.reach.values() for role in found}
        between = {(role, onto) for role in edges if role in reachable for onto in edges[role] if onto in leads}
        return {(role, onto) for role, onto in between if onto != EVERYBODY}  # nobody can leave PUBLIC

    def _seat(self, new: Program, place: int, loose: set[Pair]) -> None:
        seat, leads = self.question.seats[place], self.owners[place]
        n = len(seat.accounts)
        wrong = sorted({kind for kind, _ in seat.beyond if kind in leads and kind in self.wrong})
        leaving = {first for kind in wrong for first in leads[kind]}
        m = {
            first: new.column(("m", place, first), self.costs.membership * n, whole=True)
            for first in sorted(leaving)
            if first != EVERYBODY and not self._dear(place, first, wrong)
        }
        for kind in wrong:
            beyond = {option for which, option in seat.beyond if which == kind}
            keeps = KEEP in beyond  # to keep it is 1 less the other choices; those that go beyond + the way <= 1 + m
            some = [
                (new.names["x", kind, each], -1.0 if keeps else 1.0)
                for each in self.options[kind, None]
                if (each in beyond) != keeps
            ]
            for first in leads[kind]:
                way = self._way(new, first, str(self.holder[kind]), loose)
                terms = [*some, *([(m[first], -1.0)] if first in m else []), *([] if way is None else [(way, 1.0)])]
                new.at_most(terms, float(not keeps) - float(way is None))
        for kind in seat.direct:
            if (kind, KEEP) in seat.beyond:
                allowed = [each for each in self.options[kind, place] if (kind, each) not in seat.beyond]
                xs = [
                    new.column(("x", kind, each, place), self.costs.account_grant * n, whole=True) for each in allowed
                ]
                new.at_most([(x, -1.0) for x in xs], -1.0)
                new.at_most([(x, 1.0) for x in xs], 1.0)
        self._needs(new, place, m, loose)

    def _way(self, new: Program, first: str, holder: str, loose: set[Pair]) -> int | None:
        """Whether a role still inherits from another, at least; None: it does, whatever is chosen."""
        if first == holder:
            return None
        name = ("r", first, holder)
        if name in new.names:
            return new.names[name]
        way = {role: new.column(("r", first, role), 0.0, whole=False) for role in self.reach[first] if role != first}
        for role in self.reach[first]:
            for onto in self.question.edges.get(role, ()):
                if onto == first:
                    continue
                terms = [(way[onto], -1.0)]
                terms += [] if role == first else [(way[role], 1.0)]
                terms += [(new.names["e", (role, onto)], -1.0)] if (role, onto) in loose else []
                new.at_most(terms, -1.0 if role == first else 0.0)
        return new.names[name]

    def _needs(self, new: Program, place: int, m: Mapping[str, int], loose: set[Pair]) -> None:
        seat, leads = self.question.seats[place], self.owners[place]
        weights: dict[frozenset[Any], int] = {}
        for by in seat.serves.values():
            choices: dict[int, set[int]] = {}
            for kind, option in by:
                choices.setdefault(kind, set()).add(option)
            supports: set[Any] = set()
            for kind, options in choices.items():
                key = self._key(kind, place)
                changed = (kind, KEEP) in seat.beyond if key[1] is not None else kind in self.wrong
                if not changed and KEEP not in options:
                    continue
                what = (kind, frozenset(options)) if changed else None
                if key[1] is not None:
                    supports.add((None, None, what))
                    continue
                for first in leads.get(kind, ()):
                    holder = str(self.holder[kind])
                    ways = [frozenset(set(way) & loose) for way in self._ways(first, holder)]
                    fixed = not ways or any(not way for way in ways)
                    supports.add((first if first in m else None, None if fixed else (first, holder), what))
            if (None, None, None) not in supports:
                weights[frozenset(supports)] = weights.get(frozenset(supports), 0) + 1
        for number, (group, weight) in enumerate(weights.items()):
            lost = new.column(("z", place, number), self.costs.lost * len(seat.accounts) * weight, whole=False)
            terms = [(lost, -1.0)]
            for first, between, what in sorted(group, key=repr):
                terms.append((self._support(new, place, first, between, what, m, loose), -1.0))
            new.at_most(terms, -1.0)

    def _support(
        self, new: Program, place: int, first: Any, between: Any, what: Any, m: Mapping[str, int], loose: set[Pair]
    ) -> int:
        """A number that is at most 1 where the support stands, and 0 where it is taken away."""
        of_seat = what is not None and self.question.kinds[what[0]].direct
        name = ("u", place if of_seat or first is not None else None, first, between, what)
        if name in new.names:
            return new.names[name]
        u = new.column(name, 0.0, whole=False)
        if first is not None:
            new.at_most([(u, 1.0), (m[first], 1.0)], 1.0)
        if between is not None:
            ways = []
            for way in self._ways(*between):
                p = new.column(("p", way), 0.0, whole=False)
                for edge in way:
                    if edge in loose:
                        new.at_most([(p, 1.0), (new.names["e", edge], 1.0)], 1.0)
                ways.append(p)
            new.at_most([(u, 1.0), *((p, -1.0) for p in ways)], 0.0)
        if what is not None:
            kind, options = what
            key = self._key(kind, place)
            own = (place,) if of_seat else ()
            offered = [each for each in self.options[key] if ("x", kind, each, *own) in new.names]
            columns = [(new.names["x", kind, each, *own], each in options) for each in offered]
            if KEEP in options:  # u <= 1 - the choices that do not serve
                new.at_most([(u, 1.0), *((x, 1.0) for x, serves in columns if not serves)], 1.0)
            else:
                new.at_most([(u, 1.0), *((x, -1.0) for x, serves in columns if serves)], 0.0)
        return u

    def choice(
        self, found: np.ndarray[Any, Any], names: Mapping[tuple[Any, ...], int], bound: float, *, exact: bool
    ) -> Choice:
        options: dict[tuple[int, int | None], int] = {}
        members, edges = set(), set()
        for name, column in names.items():
            if name[0] not in "xme" or found[column] < 0.5:
                continue
            if name[0] == "x":
                options[name[1], name[3] if len(name) == 4 else None] = name[2]
            elif name[0] == "m":
                members.add((name[1], name[2]))
            else:
                edges.add(name[1])
        self._plainly(options)
        cost = self.price(options, members, edges)
        return Choice(options, frozenset(members), frozenset(edges), cost, min(bound, cost), exact)

    def _plainly(self, options: dict[tuple[int, int | None], int]) -> None:
        """Grants that would be narrowed to what the same holder holds besides are taken away instead."""
        kinds = self.question.kinds
        order = {scope.name: scope.rank for scope in scopes().values()}
        for (kind, seat), option in sorted(options.items(), key=repr):
            one = kinds[kind]
            want = {(given, scope) for verb, scope in one.options[option] or () for given in with_given(verb, scope)}
            others = self.of_role[str(one.holder)] if seat is None else self.question.seats[seat].direct
            have = {
                (given, scope)
                for each in others
                if each != kind and kinds[each].category == one.category and kinds[each].scope_key is None
                for choice in [kinds[each].options[options.get((each, seat), KEEP)]]
                for verb, scope in (((kinds[each].verb, kinds[each].scope),) if choice is None else choice)
                for given in with_given(verb, scope)
            }
            if (
                want
                and one.scope_key is None
                and all(
                    any(
                        given == verb and (scope == wide or order["flag"] < order[scope] < order[wide])
                        for verb, wide in have
                    )
                    for given, scope in want
                )
            ):
                options[kind, seat] = len(one.options) - 1

    def price(
        self, options: Mapping[tuple[int, int | None], int], members: set[tuple[int, str]], edges: set[Pair]
    ) -> float:
        """What a choice costs, told from the choice itself and not from the program."""
        seats, costs = self.question.seats, self.costs
        spent = costs.inheritance * len(edges)
        spent += sum(costs.membership * len(seats[place].accounts) for place, _ in members)
        for _, seat in options:
            spent += costs.role_grant if seat is None else costs.account_grant * len(seats[seat].accounts)
        return spent + costs.lost * sum(
            len(seats[place].accounts) * len(cells) for place, cells in self.lost(options, members, edges).items()
        )

    def lost(
        self, options: Mapping[tuple[int, int | None], int], members: set[tuple[int, str]], edges: set[Pair]
    ) -> dict[int, list[Pair]]:
        """Of each seat, the cells that it needs and would no longer hold."""
        return lost_cells(self.question, options, members, edges)

    def greedy(self, bound: float) -> Choice:
        """Every kind mended where it stands: narrowed where one choice serves all, else taken away."""
        options: dict[tuple[int, int | None], int] = {}
        for (kind, seat), offered in self.options.items():
            who = range(len(self.question.seats)) if seat is None else (seat,)
            beyond = {each for place in who for which, each in self.question.seats[place].beyond if which == kind}
            if KEEP in beyond:
                options[kind, seat] = next(each for each in offered if each not in beyond)
        self._plainly(options)
        cost = self.price(options, set(), set())
        return Choice(options, frozenset(), frozenset(), cost, min(bound, cost), exact=False)


def lost_cells(
    question: Seats,
    options: Mapping[tuple[int, int | None], int],
    members: Iterable[tuple[int, str]],
    edges: Iterable[Pair],
) -> dict[int, list[Pair]]:
    """Of each seat, the category and verb that it needs and holds today and would no longer hold."""
    left, cut = set(members), set(edges)
    onward = {role: tuple(onto for onto in found if (role, onto) not in cut) for role, found in question.edges.items()}
    after = Seats(question.kinds, question.seats, onward, question.held, question.who)
    known: dict[str, set[str]] = {}
    found: dict[int, list[Pair]] = {}
    for place, seat in enumerate(question.seats):
        holders: set[str] = set()
        for first in seat.firsts:
            if (place, first) not in left:
                if first not in known:
                    known[first] = set(after.reached(first))
                holders |= known[first]
        for cell, by in seat.serves.items():
            if not any(
                option == options.get((kind, place if question.kinds[kind].direct else None), KEEP)
                and (question.kinds[kind].direct or question.kinds[kind].holder in holders)
                for kind, option in by
            ):
                found.setdefault(place, []).append(cell)
    return found


def touched(question: Seats, kind: int) -> Sequence[int]:
    """Seats that a kind of grant reaches."""
    one = question.kinds[kind]
    if one.direct:
        return [place for place, seat in enumerate(question.seats) if kind in seat.direct]
    reach: dict[str, bool] = {}
    for first in {first for seat in question.seats for first in seat.firsts}:
        reach[first] = one.holder in question.reached(first)
    return [place for place, seat in enumerate(question.seats) if any(reach[first] for first in seat.firsts)]
