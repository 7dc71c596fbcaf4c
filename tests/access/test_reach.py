from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from otrack_risk import access, frames
from otrack_risk.access.results import NO_PUPILS

DAY = date(2026, 1, 31)


def account(seen, name):
    return next(each for each in seen.accounts if each.account == name)


def cell(seen, role, category, verb):
    return next(each for each in seen.cells if (each.role, each.category, each.verb) == (role, category, verb))


def children(small, *grant, role="class_teacher"):
    name, scope = grant
    return account(small.reach((name, role, "identity", "view", scope)), name).children


# Ada and Ben are in A1, and year 1 of A; school A has three children; Ada and Dot have SEN, Cem is looked after.
@pytest.mark.parametrize(
    ("name", "role", "scope", "expected"),
    [
        ("one", "class_teacher", "own class", 2),
        ("one", "class_teacher", "school", 3),
        ("one", "class_teacher", "trust", 5),
        ("one", "class_teacher", "all", 5),
        ("one", "class_teacher", "none", 0),
        ("one", "class_teacher", "aggregate", 0),
        ("one", "class_teacher", "cohort", 2),
        ("one", "class_teacher", "class:B1", 2),
        ("one", "class_teacher", "year:2", 1),
        ("one", "class_teacher", "school:B", 2),
        ("head", "senco", "register", 1),
        ("head", "dsl", "register", 2),
        ("vendor", "senco", "register", 2),
        ("gran", "parent", "own", 2),
        ("eve", "pupil", "own", 1),
        ("vendor", "mis_vendor", "group", 0),
        ("one", "class_teacher", "own", 0),
        ("one", "class_teacher", "flag", 2),
        ("head", "slt", "flag", 3),
        ("vendor", "mis_vendor", "flag", 5),
    ],
)
def test_a_scope_reaches_the_children_it_means(small, name, role, scope, expected):
    seen = small.reach((name, role, "identity", "view", scope))
    assert account(seen, name).children == expected


@pytest.mark.parametrize(
    ("name", "scope"),
    [("vendor", "school"), ("head", "cohort"), ("one", "class:Z9"), ("one", "school:Z"), ("stranger", "group")],
)
def test_a_scope_that_cannot_be_resolved_is_unknown_and_not_zero(small, name, scope):
    seen = small.reach((name, "class_teacher", "identity", "view", scope))
    told = account(seen, name)
    assert told.children is None
    assert "cannot be told" in told.record()["reason"]
    assert cell(seen, "class_teacher", "identity", "view").children is None


def test_a_role_with_one_unresolved_account_is_counted_as_the_fewest(small):
    seen = small.reach(
        ("one", "class_teacher", "identity", "view", "group"), ("two", "class_teacher", "identity", "view", "class:Z9")
    )
    told = cell(seen, "class_teacher", "identity", "view")
    assert (told.children, told.accounts, told.unresolved) == (2, 2, 1)
    assert "cannot be told" in told.reason
    assert account(seen, "two").children is None


def test_with_one_school_an_account_without_a_school_belongs_to_it(small):
    small.tables["pupils"] = small.tables["pupils"].filter(pl.col("school_id") == "A")
    assert children(small, "vendor", "school", role="mis_vendor") == 3


# Mr One: his class (Ada, Ben) and the register of A (Ada): Ada once. As a cover for B1, Dot and Eve besides.
def test_children_reached_twice_are_counted_once(small):
    seen = small.reach(
        ("one", "class_teacher", "identity", "view", "group"),
        ("one", "senco", "sen", "view", "register"),
        ("one", "class_teacher", "identity", "view", "class:B1"),
        ("one", "class_teacher", "assessment", "view", "class:B1"),
    )
    told = account(seen, "one")
    assert (told.children, told.special_category_children) == (4, 1)
    assert told.roles == ("senco", "class_teacher")


def test_a_role_reaches_the_union_of_its_accounts(small):
    seen = small.reach(
        ("one", "class_teacher", "identity", "view", "group"),
        ("two", "class_teacher", "identity", "view", "class:A1"),
        ("head", "class_teacher", "identity", "view", "class:A2"),
    )
    assert cell(seen, "class_teacher", "identity", "view").children == 3


def test_several_rows_of_one_pupil_are_one_child(small):
    small.tables["pupils"] = pl.concat([small.tables["pupils"], small.tables["pupils"]])
    assert small.reach(("one", "ta", "identity", "view", "all")).roll == 5
    assert children(small, "one", "group") == 2


def test_a_parent_who_teaches_has_two_accounts_that_are_never_added_up(small):
    seen = small.reach(
        ("one", "class_teacher", "identity", "view", "group"), ("gran", "parent", "identity", "view", "own")
    )
    assert (account(seen, "one").children, account(seen, "gran").children) == (2, 2)


@pytest.mark.parametrize(
    ("first", "last", "day", "children"),
    [
        (DAY, None, DAY, 2),
        (DAY + timedelta(days=1), None, DAY, 0),
        (None, DAY, DAY, 2),
        (None, DAY - timedelta(days=1), DAY, 0),
        (DAY, DAY, DAY, 2),
        (None, None, DAY, 2),
    ],
)
def test_a_grant_holds_from_its_first_to_its_last_day_both_included(small, first, last, day, children):
    seen = small.reach(("one", "class_teacher", "identity", "view", "group", first, last), day=day)
    assert account(seen, "one").children == children


def test_an_account_that_is_switched_off_reaches_nobody(small):
    small.accounts = small.accounts.with_columns(enabled=pl.col("account") != "one")
    seen = small.reach(("one", "headteacher", "identity", "view", "all"))
    told = account(seen, "one")
    assert (told.enabled, told.children, told.blast_radius, told.over_privilege) == (False, 0, 0, None)
    assert seen.roles == ()


# Whoever edits also sees, unless the grant is to write only.
def test_editing_shows_a_child_and_write_only_shows_nobody(small):
    seen = small.reach(
        ("one", "class_teacher", "identity", "edit", "group"),
        ("two", "class_teacher", "safeguarding", "edit", "write_only"),
    )
    assert account(seen, "one").children == 2
    assert cell(seen, "class_teacher", "identity", "view").children == 2
    assert account(seen, "two").children == 0
    assert cell(seen, "class_teacher", "safeguarding", "edit").state == "granted"
    assert cell(seen, "class_teacher", "safeguarding", "edit").children == 0


# Identity weighs 2, medical 4; viewing 1, exporting 2; a flag 0.25. Mr One exports identity of 2: 2 x 2 x 2 = 8, and
# sees the medical flag of 2: 4 x 1 x 2 x 0.25 = 2. The most: 5 children x 43 (sum of the weights) x 3 (admin).
def test_blast_radius_is_the_heaviest_verb_of_each_category(small):
    told = account(
        small.reach(
            ("one", "class_teacher", "identity", "export", "group"), ("one", "class_teacher", "medical", "view", "flag")
        ),
        "one",
    )
    assert told.blast_radius == 10
    assert told.blast_radius_share == pytest.approx(10 / (5 * 43 * 3))


# Held: identity of the whole school, 3 children x 2 = 6. Needed: the class, 2 of them. Beyond: 1 x 2. Lacking: nothing.
def test_over_privilege_is_the_share_beyond_the_matrix(small):
    told = account(small.reach(("one", "class_teacher", "identity", "view", "school")), "one")
    assert told.over_privilege == pytest.approx(2 / 6)
    assert told.under_privilege == 0


# The matrix allows a flag of the class: 2 x 0.25. Held are full rows of 2: beyond is 2 x 0.75 of 2 x 1.
def test_reading_a_row_where_a_flag_is_enough_is_beyond_need_by_the_difference(small):
    told = account(small.reach(("one", "class_teacher", "medical", "view", "group")), "one")
    assert told.over_privilege == pytest.approx(0.75)


# Attendance of the group may be seen and edited: 4 of child x category x verb; held is the sight of 2.
def test_under_privilege_is_the_share_of_the_matrix_that_is_lacking(small):
    told = account(small.reach(("one", "class_teacher", "attendance", "view", "group")), "one")
    assert told.under_privilege == pytest.approx(0.5)
    assert told.over_privilege == 0


def test_what_is_granted_for_a_case_is_within_need_while_it_has_an_end(small):
    open_end = small.reach(("vendor", "mis_vendor", "identity", "view", "all"))
    ends = small.reach(("vendor", "mis_vendor", "identity", "view", "all", None, DAY))
    assert account(open_end, "vendor").over_privilege == 1
    assert account(ends, "vendor").over_privilege == 0
    assert cell(open_end, "mis_vendor", "identity", "view").state == "excess"
    assert cell(ends, "mis_vendor", "identity", "view").state == "granted"
    assert cell(ends, "mis_vendor", "attendance", "view").state == "needed"


def test_the_five_states_of_a_cell(small):
    seen = small.reach(
        ("one", "class_teacher", "identity", "view", "group"),
        ("one", "class_teacher", "contact", "view", "school"),
        ("head", "headteacher", "assessment", "view", "school"),
        ("two", "caretaker", "identity", "view", "school"),
    )
    assert cell(seen, "class_teacher", "identity", "view").state == "granted"
    assert cell(seen, "class_teacher", "contact", "view").state == "excess"
    assert cell(seen, "class_teacher", "assessment", "view").state == "missing"
    assert cell(seen, "senco", "assessment", "view").state == "needed"  # nobody is SENCO
    assert cell(seen, "class_teacher", "behaviour", "view").state == "needed"  # no grant names the category
    assert cell(seen, "caretaker", "identity", "view").state == "unknown"
    assert cell(seen, "caretaker", "identity", "view").children == 2
    assert account(seen, "two").over_privilege is None


# A SENCO may see the register. Her own group is narrower as a word, but Ben is not on the register.
def test_a_single_child_beyond_need_makes_a_cell_excess(small):
    seen = small.reach(("one", "senco", "medical", "view", "group"))
    assert cell(seen, "senco", "medical", "view").state == "excess"
    assert account(seen, "one").over_privilege == pytest.approx(1 / 2)


def test_another_school_of_the_same_scope_is_beyond_need(small):
    assert (
        cell(
            small.reach(("one", "headteacher", "identity", "view", "school:B")), "headteacher", "identity", "view"
        ).state
        == "excess"
    )
    assert (
        cell(
            small.reach(("one", "headteacher", "identity", "view", "school:A")), "headteacher", "identity", "view"
        ).state
        == "granted"
    )


# A teacher needs the classes that it teaches. Nobody says who the stranger is, so whom it needs cannot be told: that it
# sees Ada and Ben by name of their class may be right. Mr One teaches A1 alone, so that B1 is beyond his need.
def test_where_need_cannot_be_told_a_cell_is_unknown_unless_somebody_is_beyond_need_for_certain(small):
    cell_of = ("class_teacher", "identity", "view")
    stranger = ("stranger", *cell_of, "class:A1")
    told = cell(small.reach(stranger), *cell_of)
    assert (told.state, told.children, told.needed) == ("unknown", 2, None)
    assert "whom its accounts need to see" in told.record()["reason"]
    assert cell(small.reach(stranger, ("one", *cell_of, "class:A1")), *cell_of).state == "unknown"
    assert cell(small.reach(stranger, ("one", *cell_of, "class:B1")), *cell_of).state == "excess"
    wider = small.reach(("stranger", *cell_of, "school:A"))  # beyond the matrix in scope, whoever it teaches
    assert (cell(wider, *cell_of).state, cell(wider, *cell_of).needed) == ("excess", None)


# The head's need in identity is the whole school, three children, whatever is not known of the stranger's.
def test_need_that_cannot_be_told_of_one_role_leaves_that_of_another(small):
    held = (
        ("stranger", "class_teacher", "identity", "view", "class:A1"),
        ("head", "headteacher", "identity", "view", "school"),
    )
    told = cell(small.reach(*held), "headteacher", "identity", "view")
    assert (told.state, told.children, told.needed) == ("granted", 3, 3)


# The class teacher's part goes beyond, the headteacher's does not; the account as a whole needs it as headteacher.
def test_the_state_of_a_role_does_not_borrow_from_another_role_of_the_account(small):
    seen = small.reach(
        ("head", "headteacher", "identity", "view", "school"), ("head", "class_teacher", "identity", "view", "school")
    )
    assert cell(seen, "headteacher", "identity", "view").state == "granted"
    assert cell(seen, "class_teacher", "identity", "view").state == "excess"
    assert account(seen, "head").over_privilege == 0


def test_without_pupils_cells_are_compared_by_scope_and_children_are_unknown(small):
    held = small.grants(
        ("one", "class_teacher", "identity", "view", "group"), ("two", "class_teacher", "contact", "view", "school")
    )
    seen = access.reach(held, None, as_of=DAY)
    assert seen.roll is None
    assert cell(seen, "class_teacher", "identity", "view").state == "granted"
    assert cell(seen, "class_teacher", "contact", "view").state == "excess"
    assert cell(seen, "class_teacher", "contact", "view").children is None
    assert seen.accounts[0].record()["children"] is None
    assert NO_PUPILS in seen.accounts[0].record()["reason"]
    assert seen.sentence().startswith("No pupils were given")
    assert seen.figure() is not None


# Trust and all are wider than school as words, but where there is one school they are the same children.
def test_in_a_single_school_everybody_is_the_school(small):
    small.tables["pupils"] = small.tables["pupils"].filter(pl.col("school_id") == "A")
    seen = small.reach(("head", "headteacher", "identity", "view", "all"))
    assert cell(seen, "headteacher", "identity", "view").state == "granted"


def test_the_record_has_the_keys_of_the_contract(small):
    record = small.reach(("one", "class_teacher", "contact", "view", "school")).record()
    names = {"account", "roles", "children", "special_category_children", "blast_radius", "over_privilege"}
    assert names | {"under_privilege", "excess", "reason"} <= set(record["accounts"][0])
    assert {"role", "category", "verb", "children", "state"} <= set(record["cells"][0])
    assert {"id", "severity", "account", "why", "mend"} <= set(record["findings"][0])
    assert {each["state"] for each in record["cells"]} <= {"granted", "needed", "excess", "missing", "unknown"}
    assert record["accounts"][0]["excess"] is None


def test_the_sentence_says_both_numbers_and_the_open_door_first(small):
    seen = small.reach(
        ("open", "public", "identity", "view", "all"), ("head", "headteacher", "contact", "view", "school")
    )
    assert seen.sentence() == (
        "Without any password, 5 of 5 children can be seen. One stolen password, of an account with the role "
        "Headteacher, exposes up to 3 of 5 children. On 2026-01-31, 1 of 2 roles in use hold more than the matrix of "
        "least privilege allows."
    )


def test_rows_and_columns_stand_in_canonical_order(small):
    seen = small.reach(
        ("one", "zoo keeper", "identity", "view", "all"),
        ("one", "ta", "medical", "view", "flag"),
        ("head", "headteacher", "identity", "view", "school"),
    )
    table = seen.table()
    assert table["role"].to_list() == ["Headteacher", "Teaching assistant", "zoo keeper"]
    assert table.columns == ["role", "accounts", "Medical", "Identity", "categories beyond need"]
    assert table["Identity"].to_list() == [3, 0, 5]


def test_the_day_is_the_last_that_the_grants_and_accounts_mention(small):
    small.accounts = small.accounts.with_columns(last_login=pl.lit(date(2025, 9, 1)))
    tables = small.dataset().tables | {
        name: frames.Table(name, rows, f"{name}.csv", "0" * 64, rows.height)
        for name, rows in {
            "accounts": small.accounts,
            "grants": pl.DataFrame(
                {
                    "account": ["one"], "role": ["ta"], "category": ["identity"], "verb": ["view"], "scope": ["group"],
                    "valid_from": [date(2025, 10, 2)], "valid_to": [date(2030, 1, 1)],
                }
            ),
        }.items()
    }  # fmt: skip
    assert access.asked_of(frames.Dataset("world", tables)).access.as_of == date(2025, 10, 2)


def denied(small, *lines):
    """Lines of account, role, category, verb, scope, effect."""
    columns = ["account", "role", "category", "verb", "scope", "effect"]
    rows = pl.DataFrame([(*each, *[None] * (6 - len(each))) for each in lines], schema=columns, orient="row")
    return access.reach(access.Grants.from_frame(rows, small.accounts), small.dataset(), as_of=DAY)


# School A has Ada, Ben and Cem; A1 is Ada and Ben. The denial binds whichever role it came with.
def test_what_is_denied_is_not_reached_whatever_allows_it(small):
    seen = denied(
        small,
        ("one", "class_teacher", "identity", "export", "school"),
        ("one", "slt", "identity", "view", "all"),
        ("one", "ta", "identity", "view", "class:A1", "deny"),
    )
    assert account(seen, "one").children == 3  # five, less two
    assert cell(seen, "class_teacher", "identity", "view").children == 1
    assert cell(seen, "class_teacher", "identity", "export").children == 1  # who may not see may not take away
    assert cell(seen, "slt", "identity", "view").children == 3
    assert {role.name for role in seen.roles} == {"class_teacher", "slt"}


def test_a_denial_of_a_verb_leaves_the_lighter_ones(small):
    seen = denied(
        small, ("one", "ta", "identity", "edit", "school"), ("one", "ta", "identity", "edit", "school", "Deny")
    )
    assert account(seen, "one").children == 3
    assert [each.verb for each in seen.cells if each.accounts] == ["view"]


# Allowed of A, denied of everybody: two categories are two questions. Ada and Dot have SEN.
def test_a_denial_holds_in_its_category_alone(small):
    seen = denied(
        small,
        ("one", "ta", "identity", "view", "all"),
        ("one", "ta", "sen", "view", "all"),
        ("one", "ta", "sen", "view", "register", "deny"),
        ("two", "ta", "identity", "view", "all"),
        ("two", "ta", "identity", "view", "school:A", "deny"),
    )
    told = account(seen, "one")
    assert (told.children, told.special_category_children) == (5, 4)  # Mr One's register is that of A: Ada
    assert account(seen, "two").children == 2
    assert cell(seen, "ta", "identity", "view").children == 5


def test_of_a_denial_that_is_not_understood_the_count_is_not_known(small):
    seen = denied(
        small, ("one", "ta", "identity", "view", "all"), ("one", "ta", "identity", "view", "the annexe", "deny")
    )
    assert account(seen, "one").children is None
    assert cell(seen, "ta", "identity", "view").children is None


def through(small, grants, members, listed=None, **more):
    rows = pl.DataFrame(grants, schema=["account", "role", "category", "verb", "scope", "effect"], orient="row")
    held = access.build(
        rows, pl.DataFrame(members, schema=["member", "role", "mode"], orient="row"), small.accounts,
        listed=listed, name="g",
    )  # fmt: skip
    return access.reach(held, small.dataset(), as_of=DAY, **more)


# By himself Mr One sees his class of two; by first taking on the other role the whole of A, three.
def test_what_must_be_taken_on_counts_and_is_told_apart(small):
    seen = through(
        small,
        [(None, "ta", "identity", "view", "group", None), (None, "slt", "identity", "view", "school", None)],
        [("one", "ta", "inherit"), ("one", "slt", "latent")],
    )
    told = account(seen, "one")
    assert (told.children, told.latent_children) == (3, 1)
    assert told.record()["latent_children"] == 1


def test_a_denial_that_would_have_to_be_taken_on_binds_nobody(small):
    seen = through(
        small,
        [(None, "ta", "identity", "view", "group", None), (None, "slt", "identity", "view", "all", "deny")],
        [("one", "ta", "inherit"), ("one", "slt", "latent")],
    )
    assert account(seen, "one").children == 2


def test_a_list_of_children_is_a_scope_and_one_that_nobody_gave_is_not_known(small):
    listed = pl.DataFrame({"name": ["rows"] * 3, "pupil_id": ["ada", "dot", "somebody else"]})
    grants = [
        ("one", None, "identity", "view", "listed:rows", None),
        ("two", None, "identity", "view", "listed:none", None),
    ]
    seen = through(small, grants, [("one", "ta", "inherit")], listed)
    assert (account(seen, "one").children, account(seen, "two").children) == (2, None)


def test_an_account_in_a_role_that_holds_nothing_is_told_with_nobody(small):
    seen = through(small, [(None, "ta", "identity", "view", "group", None)], [("newcomer", "cooks", "inherit")])
    assert account(seen, "newcomer").children == 0


def test_excess_is_told_where_a_log_tells_it(small):
    grants = small.grants(("one", "ta", "identity", "view", "group"), ("two", "ta", "identity", "view", "group"))
    seen = access.reach(grants, small.dataset(), as_of=DAY, excess={"one": 0.25, "two": None})
    assert account(seen, "one").record()["excess"] == 0.25
    assert "excess" not in account(seen, "one").record()["reason"]
    assert account(seen, "two").record()["excess"] is None
    assert "excess: the log does not tell it" in account(seen, "two").record()["reason"]
    assert "excess: no access log was read" in account(small.reach(), "two").record()["reason"]
