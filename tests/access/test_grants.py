from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from otrack_risk import access
from otrack_risk.access import Grants, read_grants
from otrack_risk.access.words import category_of, role_of, roles, scope_of, verbs_of
from otrack_risk.errors import FieldError, OtrackRiskError, ParameterError, TableError

DAY = date(2026, 1, 31)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_may_stand_in_any_order_and_under_usual_names(tmp_path):
    file = write(
        tmp_path / "export.csv",
        "Scope,Access,User,Business Role,Area,End Date\n"
        "My students,View,t1,Teacher,SEN,31/01/2026\nwhole school,Administer,h1,Head,FSM/PP,\n",
    )
    grants = read_grants([file])
    assert grants.rows.select("account", "role", "category", "verb", "scope", "valid_to").rows() == [
        ("t1", "class_teacher", "sen", "view", "group", date(2026, 1, 31)),
        ("h1", "headteacher", "fsm_pp", "admin", "school", None),
    ]


@pytest.mark.parametrize("dates", [("2026-01-31", "2026-02-01"), ("31/01/2026", "01/02/2026")])
def test_a_day_is_read_as_iso_or_as_day_month_year(tmp_path, dates):
    file = write(
        tmp_path / "g.csv",
        f"account,role,category,verb,scope,valid_from,valid_to\na,ta,identity,view,own,{dates[0]},{dates[1]}\n",
    )
    assert read_grants([file]).rows.select("valid_from", "valid_to").row(0) == (date(2026, 1, 31), date(2026, 2, 1))


# An end that cannot be read must not shorten a grant: it counts as having none, and that is said.
def test_a_date_that_cannot_be_read_leaves_the_grant_in_force_and_is_noted(tmp_path):
    file = write(
        tmp_path / "g.csv",
        "account,role,category,verb,scope,valid_to\na,ta,identity,view,own,summer\nb,ta,identity,view,own,2020-01-01\n",
    )
    grants = read_grants([file])
    assert grants.rows["valid_to"].to_list() == [None, date(2020, 1, 1)]
    assert [note for note in grants.notes if "of the dates in 'valid_to', 1 cannot be read" in note]
    assert not any("summer" in note for note in grants.notes)


def test_a_row_without_an_account_is_skipped_and_counted(tmp_path):
    file = write(
        tmp_path / "g.csv", "account,role,category,verb,scope\na,ta,identity,view,own\n,ta,identity,view,own\n"
    )
    grants = read_grants([file])
    assert (grants.seen, grants.kept, [(each.rows, each.why) for each in grants.skipped]) == (2, 1, [(1, "no account")])


def test_rows_that_the_reader_skipped_are_counted_with_ours(tmp_path):
    file = write(
        tmp_path / "g.csv", "account,role,category,verb,scope\na,ta,identity,view,own\nb,ta\n,ta,identity,view,own\n"
    )
    grants = read_grants([file])
    assert (grants.seen, grants.kept, sum(each.rows for each in grants.skipped)) == (3, 1, 2)


@pytest.mark.parametrize("column", ["category", "verb", "scope"])
def test_an_unknown_word_is_kept_as_unknown_and_takes_the_certainty_of_its_account(small, column):
    line = {"category": "identity", "verb": "view", "scope": "group", column: "xyzzy"}
    seen = small.reach(
        ("one", "class_teacher", *line.values()), ("one", "class_teacher", "assessment", "view", "group")
    )
    state = [cell for cell in seen.cells if cell.state == "unknown"]
    assert [(cell.role, getattr(cell, column, None)) for cell in state] in (
        [("class_teacher", "xyzzy")],
        [("class_teacher", None)],
    )
    assert [cell.children for cell in state] == [None]
    told = next(each for each in seen.accounts if each.account == "one")
    assert told.blast_radius is None
    assert told.children == (2 if column == "category" else None)
    assert any("1 have a" in note for note in seen.notes)


def test_an_unknown_scope_in_a_known_cell_makes_its_count_the_fewest(small):
    seen = small.reach(
        ("one", "class_teacher", "identity", "view", "group"),
        ("two", "class_teacher", "identity", "view", "the annexe"),
    )
    cell = next(each for each in seen.cells if each.accounts)
    assert (cell.children, cell.unresolved, cell.state) == (2, 1, "granted")


def test_an_empty_role_is_a_grant_outside_any_role(small):
    seen = small.reach(("one", None, "identity", "view", "group"))
    assert [role.name for role in seen.roles] == ["(no role)"]
    assert seen.published().roles[0].label == "(no role)"


def test_several_verbs_in_one_cell_are_several_grants(small):
    seen = small.reach(("one", "class_teacher", "attendance", "rwx", "group"))
    held = [cell.verb for cell in seen.cells if cell.accounts]
    assert held == ["view", "edit", "export"]


def test_a_permission_switched_off_grants_nothing_and_is_no_unknown(small):
    grants = small.grants(("one", "class_teacher", "identity", "Off", "school"))
    seen = access.reach(grants, small.dataset(), as_of=DAY)
    assert seen.roles == ()
    assert grants.notes == ()
    assert grants.kept == 1


def test_a_missing_column_is_named(tmp_path):
    file = write(tmp_path / "g.csv", "account,role,category\na,b,c\n")
    with pytest.raises(FieldError, match="no column verb, scope"):
        read_grants([file])


def test_a_message_never_quotes_a_cell(tmp_path):
    file = write(tmp_path / "g.csv", "account,role,secret\nCANARY-a,CANARY-b,CANARY-c\n")
    with pytest.raises(OtrackRiskError) as raised:
        read_grants([file])
    assert "CANARY" not in str(raised.value)


def test_a_folder_brings_its_accounts_and_files_may_be_given_side_by_side(tmp_path):
    write(tmp_path / "grants.csv", "account,role,category,verb,scope\na,ta,identity,view,own\n")
    write(
        tmp_path / "accounts.csv",
        "account,person_kind,person_id,school_id,enabled,last_login\na,staff,1,S,no,2026-01-01\n",
    )
    folder = read_grants([tmp_path])
    apart = read_grants([tmp_path / "accounts.csv", tmp_path / "grants.csv"])
    for grants in (folder, apart):
        assert grants.accounts.select("account", "enabled", "last_login").rows() == [("a", False, date(2026, 1, 1))]
        assert grants.rows.height == 1


def test_accounts_alone_are_no_grants(tmp_path):
    file = write(tmp_path / "accounts.csv", "account,enabled\na,yes\n")
    with pytest.raises(TableError, match="no file of grants"):
        read_grants([file])


def test_a_folder_without_grants_is_refused_by_name(tmp_path):
    write(tmp_path / "pupils.csv", "pupil_id\n1\n")
    write(tmp_path / "staff.csv", "staff_id\n1\n")
    with pytest.raises(TableError, match="grants"):
        access.Inquiry.of([tmp_path])


def test_grants_that_end_need_a_day_where_nothing_else_is_dated(tmp_path):
    file = write(tmp_path / "g.csv", "account,role,category,verb,scope,valid_to\na,ta,identity,view,own,2026-01-31\n")
    with pytest.raises(ParameterError, match="as_of"):
        access.Inquiry.of([file])
    asked = access.Inquiry.of([file], as_of=date(2026, 2, 1))
    assert asked.access.roles == ()
    assert [entry["name"] for entry in asked.sources.inputs] == ["g"]


SCOPES = {
    "whole school": ("school", None), "G": ("group", None), "school: 7": ("school", "7"), "year:R": ("cohort", "0"),
    "year:Y10": ("cohort", "10"), "class:": None, "planet:earth": None, "just in time": None, "": None,
    "listed:some rows": ("listed", "some rows"),
}  # fmt: skip
VERBS = {"View/Edit/Delete": ["view", "edit"], "Administer": ["admin"], "wxyz": None, "": None, "view, bless": None}
ROLES = {"Designated Safeguarding Lead": "dsl", "class-teacher": "class_teacher", "PUBLIC": "public", "": None}
CATEGORIES = {"Special educational needs": "sen", "Free meals, pupil premium": "fsm_pp", "": None}


@pytest.mark.parametrize(
    ("of", "words"), [(scope_of, SCOPES), (verbs_of, VERBS), (role_of, ROLES), (category_of, CATEGORIES)]
)
def test_words_of_files_are_understood_or_refused(of, words):
    assert {word: of(word) for word in words} == words


def test_no_word_means_two_roles():
    seen = {}
    from otrack_risk import reference

    for entry in reference.load("roles").entries["role"]:
        for word in (entry["name"].replace("_", " "), *entry["synonyms"], entry["label"].lower()):
            assert seen.setdefault(word, entry["name"]) == entry["name"]
    assert len(roles()) == 16


def test_a_frame_of_pandas_like_types_is_read(small):
    grants = Grants.from_frame(
        pl.DataFrame({"account": [7], "role": ["ta"], "category": ["identity"], "verb": ["view"], "scope": ["all"]})
    )
    assert access.reach(grants, small.dataset(), as_of=DAY).accounts[0].account == "7"


def test_people_may_be_one_table_of_pupils_under_any_name(tmp_path):
    grants = write(tmp_path / "g.csv", "account,role,category,verb,scope\na,ta,identity,view,class:1\n")
    pupils = write(tmp_path / "roll_2026.csv", "pupil_id,class_id\np,1\nq,1\nr,2\n")
    seen = access.Inquiry.of([grants], pupils).access
    assert (seen.roll, seen.accounts[0].children) == (3, 2)


def test_data_without_pupils_are_said_to_have_none(tmp_path):
    grants = write(tmp_path / "g.csv", "account,role,category,verb,scope\na,ta,identity,view,all\n")
    other = write(tmp_path / "rooms.csv", "room,floor\n1,2\n")
    seen = access.Inquiry.of([grants], other).access
    assert seen.roll is None
    assert any("no table 'pupils'" in note for note in seen.notes)


def test_grants_of_roles_are_read_with_a_file_of_memberships(tmp_path):
    roles = write(
        tmp_path / "roles.csv",
        "account,role,category,verb,scope,effect,approver\n,Teacher,SEN,View,my classes,,head\n"
        ",Everybody,identity,View,school,,\nt1,Teacher,identity,View,class:7B,Deny,\n",
    )
    members = write(
        tmp_path / "members.csv",
        "user,role,from,to\nt1,Teacher,01/09/2025,\nt2,Teacher,,31/12/2025\nTeacher,Everybody,,\n",
    )
    grants = read_grants([members, roles])
    assert set(grants.rows.select("account", "category", "chain", "effect", "source", "line").rows()) == {
        ("t1", "identity", None, "deny", "roles", 4),
        ("t1", "sen", "Teacher", "allow", "roles", 2),
        ("t2", "sen", "Teacher", "allow", "roles", 2),
        ("t1", "identity", "Teacher > Everybody", "allow", "roles", 3),
        ("t2", "identity", "Teacher > Everybody", "allow", "roles", 3),
    }
    assert grants.rows.filter(pl.col("account") == "t1", pl.col("category") == "sen")["approver"].to_list() == ["head"]
    assert grants.rows.filter(pl.col("account") == "t2")["valid_to"].to_list() == [date(2025, 12, 31)] * 2
    assert (grants.seen, grants.kept) == (3, 3)


def test_a_table_of_roles_in_roles_is_read_by_its_columns_role_and_inherits(tmp_path):
    grants = write(tmp_path / "g.csv", "account,role,category,verb,scope\n,b,sen,view,all\n")
    inner = write(tmp_path / "inner.csv", "role,inherits\na,b\n")
    members = write(tmp_path / "m.csv", "member,role\nann,a\n")
    assert read_grants([grants, inner, members]).rows["chain"].to_list() == ["a > b"]


def test_a_row_without_account_and_role_is_skipped_and_counted(tmp_path):
    grants = write(tmp_path / "g.csv", "account,role,category,verb,scope\n,b,sen,view,all\n,,sen,view,all\n")
    members = write(tmp_path / "m.csv", "member,role\nann,b\n,b\n")
    held = read_grants([grants, members])
    assert (held.seen, held.kept, held.skipped[0].why) == (2, 1, "no account and no role")
    assert any("of 2 memberships, 1 name no member" in note for note in held.notes)


def test_an_effect_that_is_not_understood_is_noted_and_counts_as_allow(tmp_path):
    held = read_grants(
        [write(tmp_path / "g.csv", "account,role,category,verb,scope,effect\na,ta,sen,view,all,perhaps\n")]
    )
    assert held.rows["effect"].to_list() == ["allow"]
    assert any("effects, 1 are not understood" in note for note in held.notes)


@pytest.mark.parametrize("text", ["", "account,role,category,verb,scope\n"])
def test_an_empty_file_is_refused_in_words(tmp_path, text):
    with pytest.raises(OtrackRiskError):
        read_grants([write(tmp_path / "g.csv", text)])


def test_switches_of_accounts_are_told_or_left_open(tmp_path):
    grants = write(tmp_path / "g.csv", "account,role,category,verb,scope\na,ta,sen,view,own\n")
    accounts = write(
        tmp_path / "a.csv",
        "account,enabled,mfa,service,shared,created\na,yes,no,Y,,2025-09-01\nb,locked,perhaps,0,true,\n",
    )
    columns = ["account", "enabled", "mfa", "service", "interactive", "shared", "created"]
    assert read_grants([grants, accounts]).accounts.select(columns).rows() == [
        ("a", True, False, True, None, None, date(2025, 9, 1)),
        ("b", False, None, False, None, True, None),
    ]
