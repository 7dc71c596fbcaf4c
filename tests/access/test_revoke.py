"""The smallest revocations against every choice there is, by a slower twin that knows sets of names alone."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from datetime import date

import polars as pl
import pytest

from otrack_risk import access
from otrack_risk.access.change import revoke
from otrack_risk.access.change.cover import Costs
from otrack_risk.access.model import build

DAY = date(2026, 1, 31)
# The small world: who each scope means, by account. One teaches A1, two teaches B1, the head of A teaches nobody.
CHILDREN = {
    "one": {"group": "ada ben", "school": "ada ben cem", "flag": "ada ben", "register": "ada"},
    "two": {"group": "dot eve", "school": "dot eve", "flag": "dot eve", "register": "dot"},
    "head": {"group": "", "school": "ada ben cem", "flag": "ada ben cem", "register": "ada"},
}
GIVES = {"view": ["view"], "edit": ["view", "edit"], "export": ["view", "export"]}
RANK = {"flag": 4, "group": 6, "register": 8, "school": 10}
# A matrix of two categories: role, category, verb -> scope.
NEED = {
    ("class_teacher", "sen", "view"): "group",
    ("class_teacher", "medical", "view"): "flag",
    ("class_teacher", "sen", "edit"): "group",
    ("ta", "sen", "view"): "group",
    ("office_admin", "medical", "view"): "flag",
    ("slt", "sen", "view"): "school",
    ("slt", "medical", "view"): "flag",
}
MATRIX = """role,category,scope,verbs,reason
class_teacher,sen,group,view edit,x
class_teacher,medical,flag,view,x
ta,sen,group,view,x
office_admin,medical,flag,view,x
slt,sen,school,view,x
slt,medical,flag,view,x
"""


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    path = tmp_path_factory.mktemp("needed") / "matrix.csv"
    path.write_text(MATRIX, encoding="utf-8")
    return access.needed_matrix(path)


@dataclass(frozen=True)
class World:
    held: tuple  # (account or None, role, category, verb, scope)
    members: tuple  # (member, role)

    def grants(self, accounts):
        columns = ["account", "role", "category", "verb", "scope"]
        held = pl.DataFrame(list(self.held), schema=dict.fromkeys(columns, pl.String), orient="row")
        members = pl.DataFrame(list(self.members), schema=dict.fromkeys(["member", "role"], pl.String), orient="row")
        return build(held, members, accounts, name="g")


def strength(account, scope):
    return dict.fromkeys(CHILDREN[account][scope].split(), 5 if scope == "flag" else 20)


def beyond(account, role, category, verb, scope):
    need = NEED.get((role, category, verb))
    if need is None or RANK[scope] > RANK[need]:
        return True
    allowed = strength(account, need)
    return any(allowed.get(child, 0) < much for child, much in strength(account, scope).items())


def serves(account, role, category, verb, scope):
    need = NEED.get((role, category, verb))
    return need is not None and bool(set(strength(account, need)) & set(strength(account, scope)))


def roles_above(role, members):
    found = {role}
    while more := {onto for member, onto in members if member in found} - found:
        found |= more
    return found


def seats(world, members):
    """(account, role in which it sits, grant) of everything that reaches an account."""
    for grant in world.held:
        if grant[0]:
            yield grant[0], grant[1], grant
            continue
        for account, first in members:
            if account in CHILDREN and grant[1] in roles_above(first, members):
                yield account, first, grant


def options(world, grant):
    """Verb and scope pairs that may stand in a grant's stead: itself, nothing, and what a role it reaches needs."""
    _, _, category, verb, scope = grant
    found = [((verb, scope),), ()]
    for role in sorted({role for _, role, each in seats(world, world.members) if each == grant}):
        fit = {
            given: min(NEED[role, category, given], scope, key=RANK.get)
            for given in GIVES[verb]
            if (role, category, given) in NEED
        }
        pairs = tuple(sorted(fit.items()))
        if pairs and pairs not in found:
            found.append(pairs)
    return found


def least_cost(world):
    """The least cost over every choice, by trying them all."""
    before = list(seats(world, world.members))
    held_now = {
        (account, role, grant[2], given)
        for account, role, grant in before
        for given in GIVES[grant[3]]
        if serves(account, role, grant[2], given, grant[4])
    }
    choices = [options(world, grant) for grant in world.held]
    best = None
    for kept in itertools.product([True, False], repeat=len(world.members)):
        members = tuple(each for each, stays in zip(world.members, kept, strict=True) if stays)
        sitting = list(seats(world, members))
        gone = len(world.members) - len(members)
        for chosen in itertools.product(*choices):
            stands = dict(zip(world.held, chosen, strict=True))
            cost = gone + sum(pairs != ((grant[3], grant[4]),) for grant, pairs in stands.items())
            if best is not None and cost >= best:
                continue
            left, wrong = set(), False
            for account, role, grant in sitting:
                changed = stands[grant] != ((grant[3], grant[4]),)
                for verb, scope in stands[grant]:
                    for given in GIVES[verb]:
                        cell = (account, role, grant[2], given)
                        good = serves(*cell, scope)
                        never = given not in GIVES[grant[3]] or not serves(*cell, grant[4])
                        wrong |= beyond(*cell, scope) or (changed and good and never)
                        left |= {cell} if good else set()
            cost += len(held_now - left)
            if not wrong and (best is None or cost < best):
                best = cost
    return best


def random_world(seed):
    chance = random.Random(seed)
    firsts = ["class_teacher", "ta", "office_admin", "slt"]
    lines = {
        (None, holder, chance.choice(["sen", "medical"]), chance.choice([*GIVES]), chance.choice([*RANK]))
        for holder in chance.choices([*firsts, "base", "base"], k=3)
    }
    lines.add((chance.choice([*CHILDREN]), chance.choice(firsts), "sen", chance.choice([*GIVES]), "school"))
    members = {(account, chance.choice(firsts)) for account in chance.choices([*CHILDREN], k=3)}
    members |= {(role, "base") for role in chance.choices(firsts, k=2)}
    return World(tuple(sorted(lines, key=repr)), tuple(sorted(members)))


@pytest.mark.parametrize("seed", range(9))
def test_no_choice_of_all_choices_costs_less_and_nothing_beyond_need_is_left(small, matrix, seed):
    world = random_world(seed)
    grants = world.grants(small.accounts)
    found = revoke.smallest(grants, small.dataset(), as_of=DAY, needed=matrix)
    assert found.exact
    assert found.cost == pytest.approx(least_cost(world))
    after = found.applied(grants)
    seen = access.reach(after, small.dataset(), as_of=DAY, needed=matrix)
    assert [cell for cell in seen.cells if cell.state == "excess"] == []
    again = revoke.smallest(after, small.dataset(), as_of=DAY, needed=matrix)
    assert again.proposals == ()


def lacking(seen):
    return {(cell.role, cell.category, cell.verb) for cell in seen.cells if cell.state == "missing"}


@pytest.mark.parametrize("seed", range(40, 44))
def test_no_needed_cell_is_missed_beyond_those_that_were_priced(small, matrix, seed):
    grants = random_world(seed).grants(small.accounts)
    found = revoke.smallest(grants, small.dataset(), as_of=DAY, needed=matrix)
    before = access.reach(grants, small.dataset(), as_of=DAY, needed=matrix)
    after = access.reach(found.applied(grants), small.dataset(), as_of=DAY, needed=matrix)
    assert lacking(after) - lacking(before) <= {(role, category, verb) for role, category, verb, _ in found.lost}


def test_a_scope_that_is_too_wide_is_narrowed_in_one_change_and_nothing_needed_is_lost(small, matrix):
    world = World(((None, "class_teacher", "sen", "edit", "school"),), (("one", "class_teacher"),))
    found = revoke.smallest(world.grants(small.accounts), small.dataset(), as_of=DAY, needed=matrix)
    (only,) = found.proposals
    assert (only.what, only.scope, only.to) == ("grant of a role", "school", (("edit", "group"),))
    assert (found.cost, found.lost, only.affected) == (1, (), 1)
    assert only.children_fewer == 1  # Cem, of Ada, Ben and Cem


def test_one_grant_of_a_base_role_costs_less_than_three_memberships(small, matrix):
    world = World(
        ((None, "base", "medical", "view", "school"),),
        (("one", "ta"), ("two", "ta"), ("head", "ta"), ("ta", "base")),
    )
    found = revoke.smallest(world.grants(small.accounts), small.dataset(), as_of=DAY, needed=matrix)
    assert found.cost == 1
    assert found.proposals[0].what in ("grant of a role", "role in a role")


def test_a_heavier_price_moves_the_choice(small, matrix):
    world = World(((None, "base", "medical", "view", "school"),), (("one", "ta"), ("ta", "base")))
    grants = world.grants(small.accounts)

    def first(**costs):
        found = revoke.smallest(grants, small.dataset(), as_of=DAY, needed=matrix, costs=Costs(**costs))
        return found.proposals[0].what

    assert first(role_grant=5, inheritance=5) == "membership"
    assert first(role_grant=5, membership=5) == "role in a role"
    assert first(inheritance=5, membership=5) == "grant of a role"


@pytest.mark.parametrize("seed", range(3))
def test_the_greedy_answer_also_mends_everything_and_states_a_bound_that_holds(small, matrix, seed):
    grants = random_world(seed).grants(small.accounts)
    exact = revoke.smallest(grants, small.dataset(), as_of=DAY, needed=matrix)
    greedy = revoke.smallest(grants, small.dataset(), as_of=DAY, needed=matrix, exact_up_to=0)
    assert greedy.bound - 1e-6 <= exact.cost <= greedy.cost + 1e-6
    seen = access.reach(greedy.applied(grants), small.dataset(), as_of=DAY, needed=matrix)
    assert not [cell for cell in seen.cells if cell.state == "excess"]


def test_the_published_form_names_no_account_and_no_word_of_the_file(small, matrix):
    world = World(
        (("one", "class_teacher", "sen", "edit", "school"), (None, "Night Watch", "medical", "view", "school")),
        (("one", "class_teacher"), ("class_teacher", "Night Watch")),
    )
    found = revoke.smallest(world.grants(small.accounts), small.dataset(), as_of=DAY, needed=matrix)
    shown = found.published()
    assert {each.accounts for each in shown.proposals} == {()}
    text = str(shown) + str(shown.record())
    assert "Night Watch" not in text
    assert "fewer than 5" in str(shown)


def test_what_is_denied_or_has_ended_needs_no_change(small):
    held = pl.DataFrame(
        {
            "account": ["one", "one", "two"],
            "role": ["ta"] * 3,
            "category": ["medical"] * 3,
            "verb": ["view"] * 3,
            "scope": ["school", "all", "school"],
            "effect": ["allow", "deny", "allow"],
            "valid_to": [None, None, date(2026, 1, 30)],
        }
    )
    found = revoke.smallest(build(held, None, small.accounts, name="g"), small.dataset(), as_of=DAY)
    assert found.proposals == ()


def test_a_role_outside_the_matrix_stays_as_it_is(small):
    world = World((("one", "night watch", "sen", "admin", "all"),), ())
    assert revoke.smallest(world.grants(small.accounts), small.dataset(), as_of=DAY).proposals == ()


# Of a supplier the matrix allows a case: with an end date it stays, without one it goes.
def test_a_grant_for_a_case_stays_and_a_standing_one_goes(small):
    ended = ("vendor", "mis_vendor", "identity", "view", "all", None, date(2026, 2, 28))
    for line, changes in ((ended, 0), (ended[:5], 1)):
        found = revoke.smallest(small.grants(line), small.dataset(), as_of=DAY)
        assert len(found.proposals) == changes
        assert not any(each.to for each in found.proposals)


def test_nobody_is_told_to_leave_public(small):
    from otrack_risk.access.postgres.circles import EVERYBODY

    held = [(None, EVERYBODY, "sen", "view", "school")] + [
        (None, EVERYBODY, "medical", verb, "all") for verb in ("view", "edit", "export")
    ]
    columns = dict.fromkeys(["account", "role", "category", "verb", "scope"], pl.String)
    members = pl.DataFrame({"member": ["one", "ta"], "role": ["ta", EVERYBODY]})
    grants = build(pl.DataFrame(held, schema=columns, orient="row"), members, small.accounts, name="g")
    found = revoke.smallest(grants, small.dataset(), as_of=DAY)
    assert {each.what for each in found.proposals} <= {"grant of a role", "membership"}
    assert all(each.role != EVERYBODY for each in found.proposals if each.what != "grant of a role")


def test_without_pupils_scopes_are_compared(small, matrix):
    world = World(((None, "class_teacher", "sen", "edit", "school"),), (("one", "class_teacher"),))
    found = revoke.smallest(world.grants(small.accounts), None, as_of=DAY, needed=matrix)
    (only,) = found.proposals
    assert (only.to, only.children_fewer) == ((("edit", "group"),), None)
