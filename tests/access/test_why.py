"""Every way to a grant, and what stands in a cell's record of it."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest

from otrack_risk import access
from otrack_risk.access.model import build
from otrack_risk.access.why import why
from otrack_risk.display.tables import plain

DAY = date(2026, 1, 31)


def world(members, *held):
    columns = ["account", "role", "category", "verb", "scope", "effect"]
    lines = [(*line, *[None] * (6 - len(line))) for line in held]
    rows = pl.DataFrame(lines, schema=dict.fromkeys(columns, pl.String), orient="row").with_columns(
        line=pl.int_range(pl.len()) + 2, source=pl.lit("policy")
    )
    schema = {"member": pl.String, "role": pl.String, "valid_from": pl.Date, "valid_to": pl.Date, "mode": pl.String}
    filled = [(*each, *[None] * (5 - len(each))) for each in members]
    return build(rows, pl.DataFrame(filled, schema=schema, orient="row"), name="policy")


def chains(grants, account="ann", category="identity", verb="view", day=DAY):
    return [each.chain for each in why(grants, account, category, verb, day)]


def test_all_ways_are_told_shortest_first():
    grants = world(
        [("ann", "staff"), ("ann", "head"), ("head", "slt"), ("slt", "staff"), ("head", "staff"), ("staff", "head")],
        (None, "staff", "identity", "view", "school"),
    )
    assert chains(grants) == [("staff",), ("head", "staff"), ("head", "slt", "staff")]


def test_a_verb_that_gives_another_is_a_reason_for_both_and_a_denial_for_what_it_takes_away():
    grants = world(
        [("ann", "staff")],
        (None, "staff", "identity", "export", "school"),
        (None, "staff", "identity", "view", "class:1", "deny"),
        (None, "staff", "sen", "view", "school"),
    )
    of_view, of_export = (why(grants, "ann", "identity", verb, DAY) for verb in ("view", "export"))
    assert of_view == of_export
    assert [(each.effect, each.verb, each.line, each.source) for each in of_view] == [
        ("allow", "export", 2, "policy"), ("deny", "view", 3, "policy"),
    ]  # fmt: skip
    assert why(grants, "ann", "identity", "edit", DAY)[0].effect == "deny"


@pytest.mark.parametrize(
    ("start", "end", "told"), [(DAY, DAY, 1), (None, date(2026, 1, 30), 0), (date(2026, 2, 1), None, 0)]
)
def test_only_ways_in_force_on_the_day_are_told(start, end, told):
    grants = world([("ann", "head", start, end), ("head", "staff")], (None, "staff", "identity", "view", "all"))
    found = why(grants, "ann", "identity", "view", DAY)
    assert len(found) == told
    assert [(each.valid_from, each.valid_to) for each in found] == [(start, end)] * told


def test_what_must_be_taken_on_is_said():
    grants = world([("ann", "boss", None, None, "latent")], (None, "boss", "identity", "view", "all"))
    assert [each.latent for each in why(grants, "ann", "identity", "view")] == [True]


def test_a_grant_of_the_account_itself_is_told_with_the_role_that_it_names():
    grants = world([], ("ann", "ta", "identity", "view", "own"), ("ann", None, "identity", "view", "all"))
    assert [(each.chain, each.direct) for each in why(grants, "ann", "identity", "view")] == [
        ((), True),
        (("ta",), True),
    ]


# 12 layers of two roles have 2^12 ways to the last; beyond the most that are told, no grant stays unnamed.
def test_of_very_many_ways_every_grant_is_still_named():
    members = [("ann", "r0a"), ("ann", "zz")]
    members += [(f"r{n}{x}", f"r{n + 1}{y}") for n in range(12) for x in "ab" for y in "ab"]
    held = [(None, role, "identity", "view", "all") for role in ("r12a", "r12b", "zz")]
    found = why(world(members, *held), "ann", "identity", "view", most=50)
    assert {each.line for each in found} == {2, 3, 4}
    assert len(found) <= 53


def test_a_cell_tells_through_which_roles_and_for_how_many_accounts(small):
    small.accounts = small.accounts.filter(pl.col("account").is_in(["one", "two", "head"]))
    everyone = "everyone in school"
    grants = world(
        [(name, "Teacher") for name in ("one", "two", "head")] + [("Teacher", everyone), ("head", everyone)],
        (None, "Teacher", "identity", "edit", "class:A1"),
        (None, everyone, "identity", "view", "school"),
    ).rebuilt(accounts=small.accounts)
    seen = access.reach(grants, small.dataset(), as_of=DAY)
    where = ("class_teacher", "identity", "view")
    cell = next(each for each in seen.cells if (each.role, each.category, each.verb) == where)
    told = {"accounts": 3, "source": "policy"}
    assert cell.record()["why"] == [
        {"chain": ["Teacher"], "verb": "edit", "scope": "group", "scope_key": "A1", "line": 2, **told},
        {"chain": ["Teacher", everyone], "verb": "view", "scope": "school", "line": 3, **told},
    ]
    assert cell.record()["why_besides"] == 0
    paper = json.dumps(plain(seen.published().record()))
    assert "everyone in school" not in paper
    assert "A1" not in paper


def test_at_most_five_reasons_of_a_cell_are_told_one_by_one(small):
    held = [("one", "ta", "identity", "view", f"class:{n}") for n in range(9)]
    cell = next(each for each in small.reach(*held).cells if each.accounts)
    assert (len(cell.record()["why"]), cell.record()["why_besides"]) == (5, 4)
