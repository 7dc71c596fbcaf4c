"""Each kind of source is known by what it holds, and several are read as one; rows are read off the fixtures."""

from __future__ import annotations

import hashlib
import json

import polars as pl
import pytest

from otrack_risk import frames
from otrack_risk.access.sources import read_sources
from otrack_risk.errors import ParameterError, TableError

GRANTS = "account,role,category,verb,scope\na,class_teacher,attendance,view,school\n"
OF_ROLES = "account,role,category,verb,scope\n,head,sen,view,school\n"
MEMBERS = "member,role\nann,head\n"
ARBOR = "Staff,Business Role,Permission,Level,Students\nt1,Teacher,Student Profile: Medical,View,My students\n"
SIMS = "User,SIMS Group\ns1,Our own group\n"
SHARED = "Path,Shared with,Permission\nYear 7/SEN list.xlsx,office@oak.example,Read\n"
MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
POLICY = "p, head, behaviour, view\ng, c1, head\n"
PARTS = ("users", "roles", "groups", "aws_managed_policies", "customer_managed_policies", "inline_policies")
CLOUD = {part: {} for part in PARTS} | {"users": {"U1": {"name": "cloud1"}}}


@pytest.fixture
def write(tmp_path):
    def written(name: str, text: str):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return written


def held(sources):
    return set(sources.grants.rows.select("account", "category", "verb").rows())


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"x.csv": GRANTS}, {("a", "attendance", "view")}),
        ({"x.csv": OF_ROLES, "y.csv": MEMBERS}, {("ann", "sen", "view")}),
        ({"x.csv": ARBOR}, {("t1", "medical", "view")}),
        ({"model.conf": MODEL, "x.csv": POLICY}, {("c1", "behaviour", "view")}),
        # To read a shared file is also to take it away.
        ({"x.csv": SHARED}, {("office@oak.example", "sen", "view"), ("office@oak.example", "sen", "export")}),
    ],
    ids=["grants", "grants of roles", "Arbor", "Casbin", "sharing"],
)
def test_a_source_is_known_by_what_it_holds_and_not_by_its_name(write, files, expected):
    sources = read_sources([write(name, text) for name, text in files.items()])
    assert held(sources) == expected
    assert [each["file"] for each in sources.inputs] == list(files)
    for each, text in zip(sources.inputs, files.values(), strict=True):
        assert each["sha256"] == hashlib.sha256(text.encode()).hexdigest()


def test_a_group_of_which_nothing_is_told_is_kept_as_unknown(write):
    rows = read_sources([write("x.csv", SIMS)]).grants.rows
    assert rows["account"].to_list() == ["s1"]
    assert not rows["category_known"].any()


def test_results_of_cloudsplaining_are_known_by_their_keys(write):
    sources = read_sources([write("x.json", json.dumps(CLOUD))])
    assert sources.grants.accounts["account"].to_list() == ["user/cloud1"]


def test_sources_of_all_kinds_are_read_together(write):
    given = [
        write("g.csv", GRANTS),
        write("policy.csv", POLICY),
        write("model.conf", MODEL),
        write("arbor.csv", ARBOR),
        write("shared.csv", SHARED),
    ]
    sources = read_sources(given)
    assert {account for account, *_ in held(sources)} == {"a", "c1", "t1", "office@oak.example"}
    # One grant, one row of Arbor's, one shared file, and two lines of the policy.
    assert (sources.grants.seen, sources.grants.kept) == (5, 5)
    assert {each["file"] for each in sources.inputs} == {path.name for path in given}
    assert not sources.database


def test_a_list_of_accounts_goes_with_the_export_of_an_mis(write):
    accounts = write("accounts.csv", "account,enabled,last_login\nt1,no,2026-01-05\n")
    grants = read_sources([write("arbor.csv", ARBOR), accounts]).grants
    assert grants.accounts.select("account", "enabled").rows() == [("t1", False)]


def test_who_is_in_a_role_may_stand_in_a_list_beside_an_export(write):
    roles = "Business Role,Permission,Level\nHeadteacher,Student Profile: SEN,View\n"
    sources = read_sources([write("roles.csv", roles), write("m.csv", "member,role\nh1,Headteacher\n")])
    assert ("h1", "sen", "view") in held(sources)


def test_a_folder_gives_the_grants_and_the_people(tmp_path):
    folder = tmp_path / "world"
    folder.mkdir()
    (folder / "grants.csv").write_text(GRANTS)
    (folder / "memberships.csv").write_text(MEMBERS)
    frames.write(pl.DataFrame({"pupil_id": ["P1"], "school_id": ["S1"]}), folder / "pupils.csv")
    sources = read_sources([folder])
    assert ("a", "attendance", "view") in held(sources)
    assert sources.people.table("pupils").kept == 1


def test_people_that_are_named_apart_are_taken_before_any_others(write, tmp_path):
    folder = tmp_path / "people"
    folder.mkdir()
    frames.write(pl.DataFrame({"pupil_id": ["P1", "P2"], "school_id": ["S1", "S1"]}), folder / "pupils.csv")
    sources = read_sources([write("g.csv", GRANTS)], folder)
    assert sources.people.table("pupils").kept == 2
    assert read_sources([write("arbor.csv", ARBOR)], folder, school="S1").grants.kept == 1
    with pytest.raises(ParameterError, match="no pupil is of it"):
        read_sources([write("arbor.csv", ARBOR)], folder, school="S9")


def test_a_row_that_is_skipped_is_told_with_its_reason(write):
    sources = read_sources([write("g.csv", f"{GRANTS},class_teacher,sen,view,school\n")])
    assert sources.notes == ["g: 1 skipped (no account)."]
    assert (sources.grants.seen, sources.grants.kept) == (2, 1)


def test_memberships_alone_are_no_grants(write):
    with pytest.raises(TableError):
        read_sources([write("m.csv", MEMBERS)])


def test_a_model_without_its_policy_is_refused(write):
    with pytest.raises(ParameterError, match="policy"):
        read_sources([write("model.conf", MODEL)])
