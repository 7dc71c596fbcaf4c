"""Proposals as text: what it says, and that no name can be anything but a name."""

from __future__ import annotations

import csv
import io
from datetime import date

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otrack_risk import access
from otrack_risk.access.change import script, without
from otrack_risk.access.change.revoke import Proposal, applied, smallest
from otrack_risk.access.model import build
from otrack_risk.access.postgres.circles import EVERYBODY
from otrack_risk.errors import ParameterError

DAY = date(2026, 1, 31)
NASTY = 'x"; DROP TABLE pupils; --'
TABLES = {"sen": [("mis", "sen_notes")], "medical": [("mis", 'odd"table')]}


def grants_of(held, members=()):
    columns = ["account", "role", "category", "verb", "scope"]
    return build(
        pl.DataFrame(held, schema=dict.fromkeys(columns, pl.String), orient="row"),
        pl.DataFrame(members, schema=dict.fromkeys(["member", "role"], pl.String), orient="row"),
        name="g",
    )


def proposal(what="grant of a role", role="ta", category="sen", verb="edit", scope="school", to=(), **more):
    member, key, why = more.get("member"), more.get("key"), more.get("why", "x")
    accounts = more.get("accounts", ())
    return Proposal(what, role, member, category, verb, scope, key, to, why, 1, None, 1.0, accounts)


def leave(role, *accounts):
    return Proposal("membership", role, None, None, None, None, None, (), "x", 1, None, 1.0, accounts)


def statements(text):
    return [line for line in text.splitlines() if not line.startswith("--")]


def test_every_script_says_first_that_a_person_reviews_it_and_the_sql_undoes_itself():
    grants = grants_of([])
    for one in (script.sql([], {}, grants), script.casbin([]), script.table(grants), script.memberships(grants)):
        assert one.text.splitlines()[0].lstrip("-# ") == "for review; not run by this tool"
    assert statements(script.sql([], {}, grants).text) == ["BEGIN;", "ROLLBACK;"]


def test_a_grant_is_revoked_with_what_goes_with_it():
    told = script.sql([proposal()], TABLES, grants_of([]))
    assert statements(told.text)[1:-1] == [
        'REVOKE SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLE "mis"."sen_notes" FROM "ta";'
    ]
    assert told.statements == 1


# To edit is also to see: where the role goes on seeing the whole table, SELECT stays.
def test_what_a_role_still_holds_of_the_whole_table_is_not_revoked():
    after = grants_of([(None, "ta", "sen", "view", "school")])
    told = script.sql([proposal(to=(("view", "school"),))], TABLES, after)
    assert statements(told.text)[1:-1] == [
        'REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON TABLE "mis"."sen_notes" FROM "ta";'
    ]


def test_admin_is_revoked_whole_and_what_stays_is_granted_after_it():
    after = grants_of([(None, "ta", "sen", "view", "all")])
    told = script.sql([proposal(verb="admin", to=(("view", "all"),))], TABLES, after)
    assert statements(told.text)[1:-1] == [
        'REVOKE ALL PRIVILEGES ON TABLE "mis"."sen_notes" FROM "ta";',
        'GRANT SELECT ON TABLE "mis"."sen_notes" TO "ta";',
    ]


def test_memberships_come_before_grants_and_each_account_leaves_by_name():
    some = [proposal(), leave("slt", "ann", "bob"), proposal("role in a role", "slt", None, None, None, member="head")]
    lines = statements(script.sql(some, TABLES, grants_of([])).text)[1:-1]
    assert lines[:3] == ['REVOKE "slt" FROM "head";', 'REVOKE "slt" FROM "ann";', 'REVOKE "slt" FROM "bob";']
    assert lines[3].startswith("REVOKE SELECT")


def test_a_scope_within_a_school_is_left_to_a_person_and_never_granted_as_the_whole_table():
    told = script.sql([proposal(to=(("view", "group"),))], TABLES, grants_of([(None, "ta", "sen", "view", "group")]))
    assert "GRANT" not in told.text
    assert told.left == ("proposal 1: view for taught groups needs a view or a row policy",)


def test_a_category_without_a_table_is_left_to_a_person():
    told = script.sql([proposal(category="images")], TABLES, grants_of([]))
    assert told.statements == 0
    assert told.left == ("proposal 1: no table or privilege is told",)


def test_nasty_names_stay_names():
    some = [leave(NASTY, NASTY), proposal(role=NASTY, category="medical", why="a\nDROP TABLE x;\r\u2028-- b")]
    text = script.sql(some, TABLES, grants_of([])).text
    name = '"x""; DROP TABLE pupils; --"'
    assert f"REVOKE {name} FROM {name};" in text
    assert f'ON TABLE "mis"."odd""table" FROM {name};' in text
    assert all(line.startswith(("--", "BEGIN;", "REVOKE ", "ROLLBACK;")) for line in text.splitlines())


def read_back(identifier):
    """What PostgreSQL reads: the quoted name, and where it ends."""
    assert identifier[0] == '"'
    name, place = [], 1
    while place < len(identifier):
        if identifier[place] == '"':
            if identifier[place + 1 : place + 2] != '"':
                return "".join(name), place + 1
            place += 1
        name.append(identifier[place])
        place += 1
    raise AssertionError("it does not end")


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=15))
@example('"')
@example("a\nb")
@example('";')
def test_any_name_is_read_back_as_itself_and_nothing_follows_it(name):
    found = script.quoted(name)
    assert read_back(found) == (name, len(found))


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 64, "é" * 32])
def test_a_name_that_the_server_would_cut_or_refuse_is_refused_without_repeating_it(name):
    with pytest.raises(ParameterError) as refused:
        script.quoted(name)
    assert not name or name not in str(refused.value)


def test_public_is_a_word_and_a_role_called_public_is_a_name():
    assert (script.grantee(EVERYBODY), script.grantee("public")) == ("PUBLIC", '"public"')


def test_casbin_lines_take_the_old_away_and_put_the_new_in_its_stead():
    some = [proposal(to=(("view", "group"),)), leave("slt", "ann")]
    lines = [line for line in script.casbin(some).text.splitlines() if not line.startswith("#")]
    assert lines == ["- p, ta, sen, edit, school", "+ p, ta, sen, view, group", "- g, ann, slt"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
@example('a", "b')
@example("a\np, eve, sen, admin")
@example("#x")
def test_a_casbin_field_is_one_field_on_one_line(name):
    (line,) = [
        line[2:] for line in script.casbin([proposal(role=name)]).text.split("\n") if line.startswith(("- ", "+ "))
    ]
    row = next(csv.reader(io.StringIO(line), skipinitialspace=True))
    assert len(row) == 5
    assert row[2:] == ["sen", "edit", "school"]


def test_the_csv_without_its_first_line_gives_the_same_reach_again(small, tmp_path):
    lines = [
        ("one", "class_teacher", "sen", "view", "school"),
        ("head", "slt", "medical", "edit", "class:A1"),
        ("two", "ta", "identity", "view", "year:1", None, date(2026, 6, 1)),
    ]
    grants = without(small.grants(*lines), accounts=["two"])
    text = script.table(grants).text
    path = tmp_path / "grants.csv"
    path.write_text(text.split("\n", 1)[1], encoding="utf-8")
    again = access.read_grants([path])
    columns = ["account", "role", "category", "verb", "scope", "scope_key", "valid_to"]
    assert again.rows.select(columns).sort(columns).equals(grants.rows.select(columns).sort(columns))


def test_a_cell_that_a_spreadsheet_would_run_stands_with_an_apostrophe():
    assert "'=HYPERLINK" in script.table(grants_of([(None, "=HYPERLINK(1)", "sen", "view", "school")])).text


def test_the_script_of_the_smallest_revocations_names_every_proposal(small):
    grants = small.grants(("one", "class_teacher", "medical", "view", "school"))
    found = smallest(grants, small.dataset(), as_of=DAY)
    after = applied(grants, found.proposals, as_of=DAY)
    told = script.sql(found.proposals, TABLES, after)
    assert told.text.count("-- 1. grant of accounts") == 1
    assert 'FROM "one";' in told.text
