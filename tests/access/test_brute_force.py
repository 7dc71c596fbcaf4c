"""Small random worlds, each resolved a second time with Python sets: account by account, child by child, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from otrack_risk import access, frames
from otrack_risk.access.cells import children_by_cell
from otrack_risk.access.model import build
from otrack_risk.access.why import why

DAY = date(2026, 1, 31)
GIVES = {"view": {"view"}, "edit": {"edit", "view"}, "export": {"export", "view"}}
GIVES["admin"] = {"view", "edit", "export", "admin"}
STRENGTH = {"aggregate": 0.05, "flag": 0.25}
LOOKED_AFTER_TOO = {"dsl"}  # whose register has looked-after children
ACCOUNTS = ["staff0", "staff1", "guardian0", "child0", "vendor0"]
ROLES = ["dsl", "senco", "ta", "r3", "r4"]
CATEGORIES = ["identity", "sen"]
SCOPES = [
    "none", "write_only", "aggregate", "flag", "own", "group", "register", "cohort", "school", "trust", "all",
    "class:A1", "class:Z9", "year:1", "school:A", "school:B", "listed:some", "listed:nobody", "the annexe",
]  # fmt: skip
LISTED = {"some": {"0", "2", "99"}}  # 99 is no pupil

pupil = st.tuples(
    st.sampled_from("ABC"), st.sampled_from("12"), st.integers(1, 2), st.sampled_from("NK"), st.booleans()
)
days = st.sampled_from([None, -1, 0, 1])  # days before or after the day that is asked of
span = st.tuples(days, days)


@dataclass(frozen=True)
class Grant:
    account: str | None
    role: str | None
    category: str
    verb: str
    scope: str
    days: tuple[int | None, int | None]
    deny: bool = False


@dataclass(frozen=True)
class World:
    pupils: list[tuple[str, str, int, str, bool]]  # school, class, year, SEN provision, looked after
    staff: list[tuple[str, set[str]]]  # school, classes taught
    children_of: set[int]  # of guardian0
    enabled: list[bool]
    memberships: list[tuple[str, str, tuple[int | None, int | None], bool]]  # member, role, days, latent
    grants: list[Grant]


def grant(deny):
    held = st.one_of(
        st.tuples(st.sampled_from(ACCOUNTS), st.one_of(st.none(), st.sampled_from(ROLES))),
        st.tuples(st.none(), st.sampled_from(ROLES)),
    )
    scope = st.sampled_from(SCOPES if not deny else [s for s in SCOPES if s != "the annexe"])
    return st.builds(
        lambda held, *rest: Grant(*held, *rest, deny=deny),
        held, st.sampled_from(CATEGORIES), st.sampled_from(list(GIVES)), scope, span,
    )  # fmt: skip


worlds = st.builds(
    World,
    st.lists(pupil.map(lambda p: (p[0], p[0] + p[1], *p[2:])), min_size=1, max_size=8),
    st.lists(st.tuples(st.sampled_from("ABC"), st.sets(st.sampled_from(["A1", "A2", "B1"]))), min_size=2, max_size=2),
    st.sets(st.integers(0, 7), max_size=3),
    st.lists(st.sampled_from([True, True, True, False]), min_size=5, max_size=5),
    st.lists(
        st.tuples(
            st.sampled_from(ACCOUNTS + ROLES), st.sampled_from(ROLES), span, st.sampled_from([False, False, True])
        ),
        max_size=10,
    ),
    st.lists(st.one_of(grant(False), grant(False), grant(True)), min_size=1, max_size=10),
)


class Twin:
    """The same question, asked one account and one child at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        schools = {school for school, *_ in world.pupils}
        self.only = min(schools) if len(schools) == 1 else None

    def on(self, span):
        start, end = span
        return (start is None or start <= 0) and (end is None or end >= 0)

    def roles(self, account):
        """(first role, role, latent) of every way through memberships in force."""
        found = set()
        todo = [
            (role, role, latent)
            for member, role, days, latent in self.world.memberships
            if member == account and self.on(days)
        ]
        while todo:
            state = todo.pop()
            if state not in found:
                found.add(state)
                first, at, so_far = state
                todo += [
                    (first, role, so_far or latent)
                    for member, role, days, latent in self.world.memberships
                    if member == at and self.on(days)
                ]
        return found

    def held(self, account):
        """(grant, role that the account was given, latent) of every grant in force."""
        ways = self.roles(account)
        for grant in self.world.grants:
            if not self.on(grant.days) or grant.scope == "none":
                continue
            if grant.account == account:
                yield grant, grant.role, False
            if grant.account is None:
                yield from ((grant, first, latent) for first, at, latent in ways if at == grant.role)

    def pick(self, test):
        return {n for n, pupil in enumerate(self.world.pupils) if test(*pupil)}

    def children(self, account, role, scope):
        """The children whom a scope means, or None where it cannot be told."""
        kind, number = account[:-1], int(account[-1])
        home, taught = self.world.staff[number] if kind == "staff" else (None, None)
        home = home or self.only
        scope, _, key = scope.partition(":")
        if scope == "flag":
            scope = "group" if taught else "school" if home else "all"
        elif scope == "aggregate":
            scope = "school" if home else "all"
        if scope in ("trust", "all"):
            return self.pick(lambda *_: True)
        if scope == "school":
            wanted = key or home
            return self.pick(lambda s, *_: s == wanted) or None  # a school without children is not in the data
        if scope == "class":
            known = self.pick(lambda s, c, *_: c == key) or any(key in classes for _, classes in self.world.staff)
            return self.pick(lambda s, c, *_: c == key) if known else None
        if scope == "year":
            return self.pick(lambda s, c, y, *_: y == int(key) and home in (None, s))
        if scope == "listed":
            return {int(each) for each in LISTED[key]} & self.pick(lambda *_: True) if key in LISTED else None
        if scope == "group":
            return set() if taught is None else self.pick(lambda s, c, *_: c in taught)
        if scope == "cohort":
            if not taught:
                return None
            years = {self.world.pupils[child][::2][:2] for child in self.pick(lambda s, c, *_: c in taught)}
            return self.pick(lambda s, c, y, *_: (s, y) in years)
        if scope == "register":
            wide = role in LOOKED_AFTER_TOO
            return self.pick(lambda s, c, y, sen, care: (sen != "N" or (care and wide)) and home in (None, s))
        if scope == "own":
            everybody = self.pick(lambda *_: True)
            return {"guardian": self.world.children_of, "child": {number}}.get(kind, set()) & everybody
        return None

    def cells(self, account, only_role=None):
        """(category, verb) -> child -> strength; None where it cannot be told of some grant or denial."""
        if not self.world.enabled[ACCOUNTS.index(account)]:
            return {}
        held = list(self.held(account))
        cells = {}
        for grant, role, _ in held:
            if grant.deny or (only_role is not None and role != only_role):
                continue
            if grant.scope == "write_only":
                continue
            children = self.children(account, role, grant.scope)
            for verb in GIVES[grant.verb]:
                cell = cells.setdefault((grant.category, verb), {})
                if children is None or cell is None:
                    cells[grant.category, verb] = None
                    continue
                for child in children:
                    cell[child] = max(cell.get(child, 0), STRENGTH.get(grant.scope, 1.0))
        for grant, role, latent in held:
            if not grant.deny or latent or grant.scope == "write_only":
                continue
            children = self.children(account, role, grant.scope)
            for (category, verb), cell in list(cells.items()):
                if category != grant.category or grant.verb not in GIVES[verb] or cell is None:
                    continue
                left = None if children is None else {c: s for c, s in cell.items() if c not in children}
                cells[category, verb] = left
        return cells


def dataset(world: World) -> frames.Dataset:
    tables = {
        "pupils": pl.DataFrame(
            [(str(n), *each) for n, each in enumerate(world.pupils)],
            schema=["pupil_id", "school_id", "class_id", "year_group", "sen_provision", "looked_after"],
            orient="row",
        ),
        "staff_classes": pl.DataFrame(
            [(f"staff{n}", c) for n, (_, classes) in enumerate(world.staff) for c in sorted(classes)],
            schema={"staff_id": pl.String, "class_id": pl.String},
            orient="row",
        ),
        "pupil_guardians": pl.DataFrame(
            [(str(child), "guardian0") for child in sorted(world.children_of)],
            schema={"pupil_id": pl.String, "guardian_id": pl.String},
            orient="row",
        ),
    }
    return frames.Dataset("w", {n: frames.Table(n, rows, n, "", rows.height) for n, rows in tables.items()})


def day(days):
    return None if days is None else DAY + timedelta(days=days)


def granted(world: World):
    lines = [
        (g.account, g.role, g.category, g.verb, g.scope, day(g.days[0]), day(g.days[1]), "deny" if g.deny else None, n)
        for n, g in enumerate(world.grants)
    ]
    # nothing, of every role: a member that is in no other place would be taken for an account
    lines += [(None, role, "identity", "view", "none", None, None, None, None) for role in ROLES]
    schema = dict.fromkeys(("account", "role", "category", "verb", "scope"), pl.String)
    schema |= {"valid_from": pl.Date, "valid_to": pl.Date, "effect": pl.String, "line": pl.Int64}
    members = [
        (member, role, day(days[0]), day(days[1]), "latent" if latent else "inherit")
        for member, role, days, latent in world.memberships
    ]
    member_schema = {
        "member": pl.String,
        "role": pl.String,
        "valid_from": pl.Date,
        "valid_to": pl.Date,
        "mode": pl.String,
    }
    people = [
        (name, name[:-1], {"child0": "0", "vendor0": None}.get(name, name), on)
        for name, on in zip(ACCOUNTS, world.enabled, strict=True)
    ]
    accounts = pl.DataFrame(people, schema=["account", "person_kind", "person_id", "enabled"], orient="row")
    home = {f"staff{n}": school for n, (school, _) in enumerate(world.staff)}
    return build(
        pl.DataFrame(lines, schema=schema, orient="row"),
        pl.DataFrame(members, schema=member_schema, orient="row"),
        accounts.with_columns(pl.col("account").replace_strict(home, default=None).alias("school_id")),
        listed=pl.DataFrame({"name": "some", "pupil_id": sorted(LISTED["some"])}),
        name="w",
    )  # fmt: skip


def by_cell(world: World, people=None):
    found = {}
    for account, category, verb, pupil, strength in children_by_cell(
        granted(world), people or dataset(world), as_of=DAY
    ).iter_rows():
        cell = found.setdefault((account, category, verb), {})
        cell[None if pupil is None else int(pupil)] = strength
    return found


quiet = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a failing world is small as it is
)


@quiet
@given(worlds)
def test_every_resolved_cell_is_the_set_that_brute_force_finds(world):
    twin, found = Twin(world), by_cell(world)
    for account in ACCOUNTS:
        expected = twin.cells(account)
        for cell, children in expected.items():
            if children is not None:
                assert found.get((account, *cell), {}) == children
        assert {(c, v) for a, c, v in found if a == account} <= set(expected)


@settings(quiet, max_examples=8)
@given(worlds)
def test_counts_are_the_sizes_of_the_sets_that_brute_force_finds(world):
    seen = access.reach(granted(world), dataset(world), as_of=DAY)
    twin = Twin(world)
    cells = {name: twin.cells(name) for name in ACCOUNTS}
    for told in seen.accounts:
        views = [cell for (_, verb), cell in cells[told.account].items() if verb == "view"]
        if all(cell is not None for cell in cells[told.account].values()):
            assert told.children == len({c for cell in views for c, s in cell.items() if s >= 0.25})
            special = cells[told.account].get(("sen", "view"), {})
            assert told.special_category_children == len({c for c, s in special.items() if s >= 0.25})
            # weights: identity 2, sen 4; view 1, edit 1.5, export 2, admin 3
            heaviest = {"identity": 0.0, "sen": 0.0}
            for (category, verb), cell in cells[told.account].items():
                weight = {"view": 1, "edit": 1.5, "export": 2, "admin": 3}[verb] * sum(cell.values())
                heaviest[category] = max(heaviest[category], weight)
            assert told.blast_radius in (None, pytest.approx(2 * heaviest["identity"] + 4 * heaviest["sen"]))
    for cell in seen.cells:
        if not cell.accounts or cell.unresolved or cell.role == "(no role)":
            continue
        mine = [twin.cells(name, cell.role).get((cell.category, cell.verb), {}) for name in ACCOUNTS]
        if None not in mine:
            assert cell.children == len({c for each in mine for c, s in each.items() if s >= 0.25})


@settings(quiet, max_examples=7)
@given(worlds, st.lists(grant(False), min_size=1, max_size=4))
def test_one_more_grant_never_lowers_reach(world, more):
    people = dataset(world)
    before = by_cell(world, people)
    after = by_cell(World(**{**vars(world), "grants": [*world.grants, *more]}), people)
    for cell, children in before.items():
        for child, strength in children.items():
            if child is not None and None not in after[cell]:
                assert after[cell][child] >= strength


@settings(quiet, max_examples=7)
@given(worlds)
def test_without_the_grants_that_the_reasons_name_the_cell_is_gone(world):
    grants = granted(world)
    for account, category, verb in list(by_cell(world))[:2]:
        named = {each.line for each in why(grants, account, category, verb, DAY) if each.effect == "allow"}
        assert named
        left = World(**{**vars(world), "grants": [g for n, g in enumerate(world.grants) if n not in named]})
        shifted = by_cell(left)
        assert (account, category, verb) not in shifted


ONE = World([("A", "A1", 1, "N", False)], [("A", {"A1"}), ("A", set())], set(), [True] * 5, [], [])


# First and last day are both within; one day off either end is not: of a grant, a membership, and a denial.
@pytest.mark.parametrize(
    ("days", "in_force"),
    [((0, 0), True), ((-1, 0), True), ((0, 1), True), ((1, None), False), ((None, -1), False), ((None, None), True)],
)
def test_a_day_is_in_or_out_of_a_grant_a_membership_and_a_denial(days, in_force):
    always = (None, None)
    held = Grant(None, "r3", "identity", "view", "all", always)
    dated_grant = World(**{**vars(ONE), "grants": [Grant("staff0", None, "identity", "view", "all", days)]})
    dated_member = World(**{**vars(ONE), "grants": [held], "memberships": [("staff0", "r3", days, False)]})
    inner = [("staff0", "r4", always, False), ("r4", "r3", days, False)]
    dated_inner = World(**{**vars(ONE), "grants": [held], "memberships": inner})
    denial = Grant("staff0", None, "identity", "view", "class:A1", days, deny=True)
    denied = World(**{**vars(ONE), "grants": [held, denial], "memberships": [("staff0", "r3", always, False)]})
    for world in (dated_grant, dated_member, dated_inner):
        assert (("staff0", "identity", "view") in by_cell(world)) is in_force
    assert (("staff0", "identity", "view") in by_cell(denied)) is not in_force


def of_many(test, *worlds):
    """The same test of many more examples, for ``make test-slow``."""
    return pytest.mark.slow(
        settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))(
            given(*worlds)(test.hypothesis.inner_test)
        )
    )


test_every_resolved_cell_is_the_set_that_brute_force_finds_in_many_worlds = of_many(
    test_every_resolved_cell_is_the_set_that_brute_force_finds, worlds
)
test_counts_are_the_sizes_of_the_sets_that_brute_force_finds_in_many_worlds = of_many(
    test_counts_are_the_sizes_of_the_sets_that_brute_force_finds, worlds
)
test_one_more_grant_never_lowers_reach_in_many_worlds = of_many(
    test_one_more_grant_never_lowers_reach, worlds, st.lists(grant(False), min_size=1, max_size=4)
)
test_without_the_grants_that_the_reasons_name_the_cell_is_gone_in_many_worlds = of_many(
    test_without_the_grants_that_the_reasons_name_the_cell_is_gone, worlds
)
