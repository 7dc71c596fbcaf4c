"""Reach against a slower twin: every grant as a Python set of children, every union by hand."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otrack_risk import access, frames, schema

DAY = date(2026, 1, 31)
VERB = {"view": 1.0, "edit": 1.5, "export": 2.0, "admin": 3.0}
GIVES = {"view": ["view"], "edit": ["edit", "view"], "export": ["export", "view"], "admin": list(VERB)}
STRENGTH = {"aggregate": 0.05, "flag": 0.25}
MATRIX = list(csv.DictReader(files("otrack_risk.reference").joinpath("least_privilege.csv").read_text().splitlines()))
WIDE = {"dsl", "headteacher", "slt", "la_officer"}  # roles whose register has looked-after children as well

pupils = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from("xyz"), st.integers(0, 2), st.sampled_from("NKE"), st.booleans()),
    min_size=1,
    max_size=9,
)
staff = st.lists(st.tuples(st.sampled_from("AB"), st.sets(st.sampled_from("xyz"))), min_size=1, max_size=3)
links = st.sets(st.tuples(st.integers(0, 8), st.integers(0, 1)))
lines = st.lists(
    st.tuples(
        st.sampled_from(["staff0", "staff1", "staff2", "guardian0", "guardian1", "child0", "vendor0"]),
        st.sampled_from(
            ["headteacher", "dsl", "senco", "class_teacher", "ta", "parent", "pupil", "mis_vendor", "la_officer"]
        ),
        st.sampled_from(["identity", "medical", "sen", "safeguarding", "assessment"]),
        st.sampled_from(list(VERB)),
        st.sampled_from(
            [
                "none",
                "write_only",
                "aggregate",
                "flag",
                "own",
                "group",
                "register",
                "cohort",
                "school",
                "trust",
                "all",
                "class:x",
                "year:1",
                "school:A",
            ]
        ),
        st.booleans(),  # whether it ends
    ),
    min_size=1,
    max_size=12,
)


class Twin:
    """The same questions, asked one child at a time."""

    def __init__(self, pupils, staff, links, lines):
        self.pupils, self.staff, self.links, self.lines = pupils, staff, links, lines
        self.everybody = set(range(len(pupils)))
        schools = {school for school, *_ in pupils}
        self.only = next(iter(schools)) if len(schools) == 1 else None

    def pick(self, test):
        return {child for child in self.everybody if test(*self.pupils[child])}

    def taught(self, name):
        kind, number = name[:-1], int(name[-1])
        if kind != "staff":
            return None
        return self.staff[number][1] if number < len(self.staff) else set()

    def school(self, name):
        kind, number = name[:-1], int(name[-1])
        own = self.staff[number][0] if kind == "staff" and number < len(self.staff) else None
        return own or self.only

    def children(self, name, role, scope):
        """The children whom a scope means, or None where it cannot be told."""
        kind, number, school, taught = name[:-1], int(name[-1]), self.school(name), self.taught(name)
        scope, _, key = scope.partition(":")
        if scope == "flag":
            scope = "group" if taught else "school" if school else "all"
        elif scope == "aggregate":
            scope = "school" if school else "all"
        if scope in ("trust", "all"):
            return self.everybody
        if scope == "school":
            wanted = key or school
            found = self.pick(lambda s, *_: s == wanted)
            return found or None  # a school without children is not in these data
        if scope == "class":
            known = self.pick(lambda s, c, *_: c == key) or any(key in classes for _, classes in self.staff)
            return self.pick(lambda s, c, *_: c == key) if known else None
        if scope == "year":
            return self.pick(lambda s, c, y, *_: y == int(key) and school in (None, s))
        if scope == "group":
            return set() if taught is None else self.pick(lambda s, c, *_: c in taught)
        if scope == "cohort":
            if not taught:
                return None
            years = {self.pupils[child][:3:2] for child in self.pick(lambda s, c, *_: c in taught)}
            return self.pick(lambda s, c, y, *_: (s, y) in years)
        if scope == "register":
            return self.pick(lambda s, c, y, sen, care: (sen != "N" or (care and role in WIDE)) and school in (None, s))
        if kind == "guardian":
            return {child for child, guardian in self.links if guardian == number and child in self.everybody}
        return {number} & self.everybody if kind == "child" else set()

    def held(self, name, roles=None):
        """(category, verb) -> child -> strength; None where a grant cannot be resolved."""
        cells = {}
        for account, role, category, verb, scope, _ in self.lines:
            if account != name or (roles and role not in roles) or scope in ("none", "write_only"):
                continue
            reached = self.children(name, role, scope)
            if reached is None:
                return None
            self.add(cells, category, GIVES[verb], reached, STRENGTH.get(scope, 1.0))
        return cells

    def needed(self, name, categories):
        cells = {}
        mine = [line for line in self.lines if line[0] == name and line[4] != "none"]
        for role in {line[1] for line in mine}:
            for row in MATRIX:
                if row["role"] != role or row["category"] not in categories or row["scope"] in ("none", "write_only"):
                    continue
                if row["scope"] != "just_in_time":
                    reached = self.children(name, role, row["scope"])
                    if reached is None:
                        return None
                    for verb in row["verbs"].split():
                        self.add(cells, row["category"], GIVES[verb], reached, STRENGTH.get(row["scope"], 1.0))
                    continue
                for _, r, category, verb, scope, ends in mine:
                    given_verbs = set(GIVES[verb]) & {v for w in row["verbs"].split() for v in GIVES[w]}
                    if ends and r == role and category == row["category"] and scope != "write_only":
                        reached = self.children(name, role, scope)
                        self.add(cells, category, given_verbs, reached or set(), STRENGTH.get(scope, 1.0))
        return cells

    def add(self, cells, category, verbs, reached, strength):
        for verb in verbs:
            cell = cells.setdefault((category, verb), {})
            for child in reached:
                cell[child] = max(cell.get(child, 0), strength)


def seen_by(cells, categories=None):
    return {
        child
        for (category, verb), reached in cells.items()
        for child, strength in reached.items()
        if verb == "view" and strength >= 0.25 and (categories is None or category in categories)
    }


def world(pupils, staff, links):
    tables = {
        "pupils": pl.DataFrame(
            [(str(n), *each) for n, each in enumerate(pupils)],
            schema=["pupil_id", "school_id", "class_id", "year_group", "sen_provision", "looked_after"],
            orient="row",
        ),
        "staff_classes": pl.DataFrame(
            [(f"staff{n}", c) for n, (_, classes) in enumerate(staff) for c in sorted(classes)],
            schema={"staff_id": pl.String, "class_id": pl.String},
            orient="row",
        ),
        "pupil_guardians": pl.DataFrame(
            [(str(child), f"guardian{guardian}") for child, guardian in sorted(links)],
            schema={"pupil_id": pl.String, "guardian_id": pl.String},
            orient="row",
        ),
    }
    return frames.Dataset("w", {n: frames.Table(n, rows, n, "", rows.height) for n, rows in tables.items()})


def granted(staff, lines):
    names = [f"staff{n}" for n in range(3)] + ["guardian0", "guardian1", "child0", "vendor0"]
    accounts = pl.DataFrame(
        [
            (
                name, name[:-1], "0" if name == "child0" else None if name == "vendor0" else name,
                staff[int(name[-1])][0] if name.startswith("staff") and int(name[-1]) < len(staff) else None,
            )
            for name in names
        ],
        schema=["account", "person_kind", "person_id", "school_id"],
        orient="row",
    )  # fmt: skip
    rows = pl.DataFrame(
        [(*line[:5], DAY if line[5] else None) for line in lines],
        schema=dict.fromkeys(("account", "role", "category", "verb", "scope"), pl.String) | {"valid_to": pl.Date},
        orient="row",
    )
    return access.Grants.from_frame(rows, accounts)


@settings(max_examples=8, deadline=None)
@given(pupils, staff, links, lines)
def test_reach_is_the_size_of_the_sets(pupils, staff, links, lines):
    seen = access.reach(granted(staff, lines), world(pupils, staff, links), as_of=DAY)
    twin = Twin(pupils, staff, links, lines)
    categories = {line[2] for line in lines if line[4] != "none"}
    most = len(pupils) * sum(map(schema.weight, schema.categories())) * 3
    for told in seen.accounts:
        held = twin.held(told.account)
        if held is None:
            assert told.children in (None, len(pupils))
            assert told.blast_radius is None
            continue
        assert told.children == len(seen_by(held))
        assert told.special_category_children == len(seen_by(held, schema.special_categories()))
        blast = sum(
            schema.weight(category) * max(VERB[v] * sum(r.values()) for (c, v), r in held.items() if c == category)
            for category in {c for c, _ in held}
        )
        assert told.blast_radius == pytest.approx(blast)
        assert told.blast_radius_share == pytest.approx(blast / most)
        needed = twin.needed(told.account, categories)
        if needed is None or not told.roles:
            assert told.over_privilege is None
            continue
        weights = [
            (
                schema.weight(c) * VERB[v] * s,
                schema.weight(c) * VERB[v] * max(s - needed.get((c, v), {}).get(child, 0), 0),
            )
            for (c, v), reached in held.items()
            for child, s in reached.items()
        ]
        whole = sum(weight for weight, _ in weights)
        assert told.over_privilege == (pytest.approx(sum(b for _, b in weights) / whole) if whole else None)
        cells = [(key, child, s) for key, reached in needed.items() for child, s in reached.items()]
        lacking = [child for key, child, s in cells if held.get(key, {}).get(child, 0) < s]
        assert told.under_privilege == (pytest.approx(len(lacking) / len(cells)) if cells else None)


@settings(max_examples=7, deadline=None)
@given(pupils, staff, links, lines)
def test_a_cell_counts_the_union_over_the_accounts_of_its_role(pupils, staff, links, lines):
    seen = access.reach(granted(staff, lines), world(pupils, staff, links), as_of=DAY)
    twin = Twin(pupils, staff, links, lines)
    for cell in seen.cells:
        if not cell.accounts or cell.unresolved:
            continue
        union = set()
        for name in {line[0] for line in lines if line[1] == cell.role}:
            reached = (
                twin.children(name, role, scope)
                for account, role, category, verb, scope, _ in lines
                if (account, role, category) == (name, cell.role, cell.category)
                and cell.verb in GIVES[verb]
                and scope not in ("none", "write_only", "aggregate")
            )
            union |= set().union(*reached)
        assert cell.children == len(union)


@settings(max_examples=4, deadline=None)
@given(pupils, staff, links, lines, lines)
def test_another_grant_never_lowers_reach(pupils, staff, links, lines, more):
    people = world(pupils, staff, links)
    before = {a.account: a for a in access.reach(granted(staff, lines), people, as_of=DAY).accounts}
    after = {a.account: a for a in access.reach(granted(staff, [*lines, *more]), people, as_of=DAY).accounts}
    for name, told in before.items():
        for number in ("children", "special_category_children", "blast_radius"):
            old, new = getattr(told, number), getattr(after[name], number)
            assert old is None or new is None or new >= old


@settings(max_examples=4, deadline=None)
@given(pupils, staff, links, lines, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(pupils, staff, links, lines, random):
    people = world(pupils, staff, links)
    shuffled = random.sample(lines, len(lines))
    first, turned = (access.reach(granted(staff, each), people, as_of=DAY).record() for each in (lines, shuffled))
    for record in (first, turned):  # a reason names the row in which it stands
        for reason in (reason for cell in record["cells"] for reason in cell["why"]):
            reason.pop("line")
    assert first == turned


def of_many(test, *worlds):
    """The same test of many more examples, for ``make test-slow``."""
    return pytest.mark.slow(
        settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))(
            given(*worlds)(test.hypothesis.inner_test)
        )
    )


test_reach_is_the_size_of_the_sets_in_many_worlds = of_many(
    test_reach_is_the_size_of_the_sets, pupils, staff, links, lines
)
test_a_cell_counts_the_union_over_the_accounts_of_its_role_in_many_worlds = of_many(
    test_a_cell_counts_the_union_over_the_accounts_of_its_role, pupils, staff, links, lines
)
test_another_grant_never_lowers_reach_in_many_worlds = of_many(
    test_another_grant_never_lowers_reach, pupils, staff, links, lines, lines
)
test_the_order_of_rows_does_not_matter_in_many_worlds = of_many(
    test_the_order_of_rows_does_not_matter, pupils, staff, links, lines, st.randoms(use_true_random=False)
)
