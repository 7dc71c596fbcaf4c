"""Roles in roles, and what is wrong with them: all of it counted, none of it dropped."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from otrack_risk import access
from otrack_risk.access.inherit import DEEPEST
from otrack_risk.access.model import Grants, build, joined
from otrack_risk.errors import FieldError, ParameterError

DAY = date(2026, 1, 31)
GRANT = ["account", "role", "category", "verb", "scope"]


def grants(held, members=(), accounts=None, **more):
    """Lines of account, role, category, verb, scope; members: member, role, and where given start, end, mode."""
    rows = pl.DataFrame(held, schema=dict.fromkeys(GRANT, pl.String), orient="row")
    columns = ["member", "role", "valid_from", "valid_to", "mode"]
    schema = {c: pl.Date if c.startswith("valid") else pl.String for c in columns}
    filled = [(*each, *[None] * (5 - len(each))) for each in members]
    return build(rows, pl.DataFrame(filled, schema=schema, orient="row"), accounts, name="g", **more)


def faults(held):
    return [(each.id, each.subject) for each in held.faults]


HELD = (None, "staff", "identity", "view", "school")


def test_a_member_of_a_role_holds_what_the_roles_above_it_hold():
    held = grants([HELD], [("ann", "head"), ("head", "slt"), ("slt", "staff")])
    assert held.rows.select("account", "role", "chain", "holder").rows() == [
        ("ann", "headteacher", "head > slt > staff", "staff")
    ]


def test_a_grant_of_the_account_itself_has_no_chain():
    assert grants([("ann", "staff", "identity", "view", "school")]).rows["chain"].to_list() == [None]


# Membership from 2 to 9 January, role in role from 5 January, grant to 7 January: from the latest to the earliest.
def test_a_chain_holds_from_its_latest_start_to_its_earliest_end():
    rows = pl.DataFrame([(*HELD, "2026-01-07")], schema=[*GRANT, "valid_to"], orient="row")
    members = pl.DataFrame(
        [("ann", "head", "2026-01-02", "2026-01-09"), ("head", "staff", "2026-01-05", None)],
        schema=["member", "role", "valid_from", "valid_to"],
        orient="row",
    )
    held = build(rows, members, name="g").rows
    assert held.select("valid_from", "valid_to").rows() == [(date(2026, 1, 5), date(2026, 1, 7))]


def test_a_chain_whose_days_do_not_meet_reaches_nobody():
    held = grants([HELD], [("ann", "head", None, date(2026, 1, 1)), ("head", "staff", date(2026, 1, 2))])
    assert held.rows.is_empty()
    assert ("grant_to_nobody", "staff") in faults(held)


def test_only_chains_whose_days_lie_within_another_are_left_out():
    january, march = date(2026, 1, 1), date(2026, 3, 1)
    held = grants(
        [HELD],
        [
            ("ann", "staff", january, march),  # direct, for a while
            ("ann", "head", None, march),  # longer, and its days hold those of the first two
            ("head", "a"), ("head", "b"), ("a", "staff"), ("b", "staff"), ("head", "staff", january),
        ],
    )  # fmt: skip
    # by the role that ann was given: staff itself; and head, by the shortest of the chains that are not dated
    assert sorted(held.rows["chain"].to_list()) == ["head > a > staff", "staff"]


def test_a_round_of_roles_is_a_fault_and_everybody_in_it_holds_the_same():
    held = grants(
        [(None, "a", "identity", "view", "all"), (None, "b", "sen", "view", "all")],
        [("ann", "a"), ("ben", "b"), ("a", "b"), ("b", "c"), ("c", "a"), ("d", "d")],
    )
    assert ("role_cycle", "a > b > c > a") in faults(held)
    assert ("role_cycle", "d > d") in faults(held)
    assert set(held.rows.select("account", "category").rows()) == {
        ("ann", "identity"), ("ann", "sen"), ("ben", "identity"), ("ben", "sen"),
    }  # fmt: skip


def test_a_way_that_must_be_taken_on_gives_way_to_one_that_need_not():
    latent = grants([HELD], [("ann", "staff", None, None, "latent")])
    both = grants([HELD], [("ann", "head"), ("head", "staff"), ("head", "staff", None, None, "latent")])
    assert (latent.rows["latent"].to_list(), both.rows["latent"].to_list()) == ([True], [False])


# 40 layers of two roles, each in both of the next: 2^40 ways, and one chain to each role.
def test_very_many_ways_are_one_chain():
    members = [("ann", "r0a")]
    members += [(f"r{n}{x}", f"r{n + 1}{y}") for n in range(40) for x in "ab"[: n + 1] for y in "ab"]
    held = grants([(None, "r40a", "identity", "view", "all")], members)
    assert held.rows.height == 1
    assert held.rows["chain"][0].count(" > ") == 40


def test_roles_may_not_inherit_without_end():
    members = [("ann", "r0"), *((f"r{n}", f"r{n + 1}") for n in range(DEEPEST + 5))]
    with pytest.raises(ParameterError, match="more than 200 steps"):
        grants([(None, f"r{DEEPEST + 5}", "identity", "view", "all")], members)


def test_grants_of_a_role_that_nobody_is_in_are_kept_and_told():
    held = grants([HELD, ("ann", "ta", "identity", "view", "own")], [("ghosts", "phantoms")])
    assert ("grant_to_nobody", "staff") in faults(held)
    assert (held.kept, held.role_grants.height, held.rows["account"].to_list()) == (2, 1, ["ann"])


def test_words_that_are_not_known_are_faults_by_word_with_their_grants():
    held = grants(
        [
            ("a", "ta", "lockers", "view", "own"),
            ("b", "ta", "lockers", "bless", "the annexe"),
            ("a", "cook", "sen", "view", "own"),
        ]
    )
    assert faults(held) == [
        ("unknown_role", "cook"),
        ("unknown_category", "lockers"),
        ("unknown_verb", "bless"),
        ("unknown_scope", "the annexe"),
    ]
    assert next(each.why for each in held.faults if each.subject == "lockers").startswith("2 grants have a category")
    assert held.kept == held.rows.height == 3


def test_many_strange_words_are_counted_beyond_the_first_twenty():
    held = grants([("a", "ta", f"thing {n}", "view", "own") for n in range(50)])
    assert [each.why for each in held.faults if each.subject is None] == ["30 more words that are not understood"]


@pytest.mark.parametrize("column", GRANT)
def test_a_word_of_a_million_letters_is_refused_by_row_and_column_and_not_quoted(column):
    line = dict(zip(GRANT, HELD, strict=True)) | {"account": "ann", column: "CANARY" * 170_000}
    with pytest.raises(ParameterError, match=f"row 3, column '{column}'") as raised:
        grants([("a", *HELD[1:]), tuple(line.values())])
    assert "CANARY" not in str(raised.value)


def test_a_role_of_a_million_letters_in_a_membership_is_refused_too():
    with pytest.raises(ParameterError, match=r"memberships.*row 2, column 'role'"):
        grants([HELD], [("ann", "x" * 1_000_000)])


def test_nothing_granted_is_nothing_reached(small):
    seen = access.reach(grants([]), small.dataset(), as_of=DAY)
    assert (seen.accounts, seen.roles, seen.findings_table().enabled) == ((), (), 0)
    assert joined([]).rows.is_empty()
    assert "Headteacher" not in seen.sentence()


def test_a_column_that_is_lacking_is_named():
    with pytest.raises(FieldError, match="no column scope"):
        build(pl.DataFrame({"account": ["a"], "role": ["b"], "category": ["c"], "verb": ["d"]}), name="g")


def test_a_name_of_two_kinds_is_both():
    # leo is an account and a role: he is in staff, and so is whoever is in leo
    accounts = pl.DataFrame({"account": ["leo", "ann"]})
    held = grants([HELD], [("leo", "staff"), ("ann", "leo")], accounts)
    assert sorted(held.rows["account"].to_list()) == ["ann", "leo"]
    # and holds what a role of his name holds only where the source says that they are one
    own = (None, "leo", "sen", "view", "own")
    assert grants([own], [("ann", "leo")], accounts).rows["account"].to_list() == ["ann"]
    one = grants([own], [("ann", "leo"), ("leo", "leo")], accounts)
    assert sorted(one.rows["account"].to_list()) == ["ann", "leo"]
    assert not [each for each in one.faults if each.id == "role_cycle"]


def test_a_role_is_found_whatever_its_capitals_unless_two_are_told_apart_by_them():
    assert grants([HELD], [("ann", "Staff ")]).rows.height == 1
    two = grants([HELD, (None, "STAFF", "sen", "view", "all")], [("ann", "Staff")])
    assert two.rows.is_empty()


def test_what_was_built_can_be_built_again_from_what_is_held():
    held = grants(
        [
            HELD, (None, "staff", "sen", "rw", "class:7B"), ("ben", "SENCDo", "FSM/PP", "export", "the annexe"),
            ("ben", None, "lockers", "Off", "year:R"),
        ],
        [("ann", "head", None, date(2026, 2, 1)), ("head", "staff", None, None, "latent"), ("staff", "head")],
    )  # fmt: skip
    again = held.rebuilt()
    assert again.rows.equals(held.rows)
    assert again.role_grants.equals(held.role_grants)
    assert again.memberships.equals(held.memberships)
    assert faults(again) == faults(held)
    assert (again.seen, again.notes) == (held.seen, held.notes)


def test_several_sources_are_counted_together():
    one, other = grants([HELD], [("ann", "staff")]), grants([("ben", "ta", "identity", "view", "own")])
    both = joined([one, other])
    assert sorted(both.rows["account"].to_list()) == ["ann", "ben"]
    assert (both.seen, both.kept) == (2, 2)


def test_the_order_of_lines_does_not_matter():
    members = [("ann", "head"), ("ann", "slt"), ("head", "staff"), ("slt", "staff"), ("staff", "head")]
    lines = [HELD, (None, "slt", "sen", "edit", "school")]
    first, turned = grants(lines, members), grants(lines[::-1], members[::-1])
    by = ["account", "role", "category", "verb", "chain"]
    assert first.rows.drop("line").sort(by).equals(turned.rows.drop("line").sort(by))
    assert set(first.faults) == set(turned.faults)


def test_grants_may_still_be_made_of_a_frame():
    rows = pl.DataFrame(
        {"user": ["a", None], "role": ["ta"] * 2, "area": ["SEN"] * 2, "access": ["View"] * 2, "scope": ["own"] * 2}
    )
    held = Grants.from_frame(rows)  # fmt: skip
    assert (held.kept, held.seen, held.rows["line"].to_list(), held.rows["source"].to_list()) == (1, 2, [2], ["grants"])
