"""Casbin models: what pycasbin decides, against truth tables written by hand from the meaning of each model."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from otrack_risk.access.change import without
from otrack_risk.access.model import Grants
from otrack_risk.access.sources import casbin
from otrack_risk.errors import FileError, ParameterError

ACL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act
"""
ROOT = ACL.replace("r.act == p.act", 'r.act == p.act || r.sub == "root"')
RBAC = """
[request_definition]
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
RESOURCES = RBAC.replace("g = _, _", "g = _, _\ng2 = _, _").replace("r.obj == p.obj", "g2(r.obj, p.obj)")
DOMAINS = """
[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = sub, dom, obj, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act
"""
DENY = RBAC.replace("p = sub, obj, act", "p = sub, obj, act, eft").replace(
    "some(where (p.eft == allow))", "some(where (p.eft == allow)) && !some(where (p.eft == deny))"
)
UNLESS = DENY.replace("some(where (p.eft == allow)) && ", "")
PRIORITY = DENY.replace("some(where (p.eft == allow)) && !some(where (p.eft == deny))", "priority(p.eft) || deny")
PATHS = ACL.replace("r.obj == p.obj && r.act == p.act", "keyMatch(r.obj, p.obj) && regexMatch(r.act, p.act)")
OWNER = ACL.replace(
    "r.sub == p.sub && r.obj == p.obj && r.act == p.act", "r.sub == r.obj.Owner && r.act == p.act"
).replace("p = sub, obj, act", "p = act")
RULES = ACL.replace("p = sub, obj, act", "p = sub_rule, obj, act").replace("r.sub == p.sub", "eval(p.sub_rule)")

# Each: the model, the policy, attributes, and every (subject, object, action) that is allowed; all others are denied.
KINDS: dict[str, tuple[str, str, dict[str, object] | None, set[tuple[str, ...]]]] = {
    "list": (
        ACL,
        "p, ann, sen, view\np, bo, sen, edit\n",
        None,
        {("ann", "sen", "view"), ("bo", "sen", "edit")},
    ),
    "superuser": (  # root may do all that the policy names
        ROOT,
        "p, ann, sen, view\np, bo, images, edit\n",
        None,
        {
            ("ann", "sen", "view"), ("bo", "images", "edit"),
            ("root", "sen", "view"), ("root", "sen", "edit"), ("root", "images", "view"), ("root", "images", "edit"),
        },
    ),
    "roles": (  # a head is a teacher; cy has no role
        RBAC,
        "p, head, medical, view\np, teacher, sen, view\np, cy, sen, edit\n"
        "g, head, teacher\ng, ann, head\ng, bo, teacher\n",
        None,
        {("ann", "medical", "view"), ("ann", "sen", "view"), ("bo", "sen", "view"), ("cy", "sen", "edit")},
    ),
    "resource roles": (  # medical and sen lie in the group lockers
        RESOURCES,
        "p, nurse, lockers, view\ng, ann, nurse\ng2, medical, lockers\ng2, sen, lockers\n",
        None,
        {("ann", "medical", "view"), ("ann", "sen", "view"), ("ann", "lockers", "view")},
    ),
    "domains": (  # ann is head at S1 alone
        DOMAINS,
        "p, head, S1, sen, view\np, head, S2, sen, view\np, head, S1, images, view\n"
        "g, ann, head, S1\ng, bo, head, S2\n",
        None,
        {("ann", "S1", "sen", "view"), ("ann", "S1", "images", "view"), ("bo", "S2", "sen", "view")},
    ),
    "a denial beats": (
        DENY,
        "p, teacher, sen, view, allow\np, teacher, images, view, allow\np, ann, sen, view, deny\n"
        "g, ann, teacher\ng, bo, teacher\n",
        None,
        {("ann", "images", "view"), ("bo", "sen", "view"), ("bo", "images", "view")},
    ),
    "all but what is denied": (
        UNLESS,
        "p, ann, sen, view, deny\np, bo, images, edit, deny\n",
        None,
        {
            ("ann", "sen", "edit"), ("ann", "images", "view"), ("ann", "images", "edit"),
            ("bo", "sen", "view"), ("bo", "sen", "edit"), ("bo", "images", "view"),
        },
    ),
    "the first that matches": (
        PRIORITY,
        "p, ann, sen, view, deny\np, teacher, sen, view, allow\np, teacher, images, view, allow\n"
        "p, ann, images, view, deny\ng, ann, teacher\ng, bo, teacher\n",
        None,
        {("ann", "images", "view"), ("bo", "sen", "view"), ("bo", "images", "view")},
    ),
    "paths": (  # objects are those that the policy writes, actions the words of its patterns
        PATHS,
        "p, ann, /pupils/*, view|edit\np, bo, /pupils/7B, view\np, bo, /staff, edit\n",
        None,
        {("ann", "/pupils/7B", "view"), ("ann", "/pupils/7B", "edit"), ("ann", "/pupils/*", "view"),
         ("ann", "/pupils/*", "edit"), ("bo", "/pupils/7B", "view"), ("bo", "/staff", "edit")},
    ),
    "owner": (
        OWNER,
        "p, view\np, edit\n",
        {"sub": {}, "obj": {"medical": {"Owner": "ann"}, "images": {"Owner": "bo"}}},
        {("ann", "medical", "view"), ("ann", "medical", "edit"), ("bo", "images", "view"), ("bo", "images", "edit")},
    ),
    "rules about attributes": (
        RULES,
        "p, r.sub.years > 2, sen, view\np, r.sub.years > 4, sen, edit\n",
        {"sub": {"ann": {"years": 5}, "bo": {"years": 3}, "cy": {"years": 1}}},
        {("ann", "sen", "view"), ("ann", "sen", "edit"), ("bo", "sen", "view")},
    ),
}  # fmt: skip


def read(folder: Path, model: str, policy: str, attributes: dict[str, object] | None = None) -> Grants:
    (folder / "model.conf").write_text(model)
    (folder / "policy.csv").write_text(policy)
    given = folder / "attributes.json" if attributes is not None else None
    if given:
        given.write_text(json.dumps(attributes))
    return casbin.read(folder / "model.conf", folder / "policy.csv", given)


def allowed(grants: Grants) -> set[tuple[str, ...]]:
    return {
        (account, *((key,) if key else ()), category, verb)
        for account, key, category, verb in grants.rows.select("account", "scope_key", "category", "verb").iter_rows()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_request_is_decided_as_the_model_means_it(tmp_path, kind):
    model, policy, attributes, true = KINDS[kind]
    assert allowed(read(tmp_path, model, policy, attributes)) == true


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("all but what is denied", "superuser")])
def test_a_cell_goes_when_the_rules_that_its_rows_name_are_revoked(tmp_path, kind):
    model, policy, attributes, true = KINDS[kind]
    rows = read(tmp_path, model, policy, attributes).rows
    for cell in sorted(true):
        account, category, verb = cell[0], cell[-2], cell[-1]
        named = rows.filter(account=account, category=category, verb=verb)
        if len(cell) == 4:
            named = named.filter(scope_key=cell[1])
        left = [line for number, line in enumerate(policy.splitlines(), 1) if number not in set(named["line"])]
        assert named.height
        assert cell not in allowed(read(tmp_path, model, "\n".join(left), attributes))


def test_the_chain_of_roles_to_a_rule_is_told(tmp_path):
    rows = read(tmp_path, *KINDS["roles"][:2]).rows
    assert set(rows.select("account", "role", "category", "chain", "line").iter_rows()) == {
        ("ann", "headteacher", "medical", None, 1),
        ("ann", "headteacher", "sen", "head > teacher", 2),
        ("bo", "class_teacher", "sen", None, 2),
        ("cy", "(no role)", "sen", None, 3),
    }


def test_a_what_if_of_a_policy_takes_away_one_line_and_leaves_the_rest(tmp_path):
    grants = read(tmp_path, *KINDS["roles"][:2])
    left = without(grants, lines=[("policy.csv", 2)])  # p, teacher, sen, view
    assert allowed(left) == {("ann", "medical", "view"), ("cy", "sen", "edit")}


def test_roles_in_a_round_are_decided_and_told(tmp_path):
    grants = read(tmp_path, RBAC, "p, a, sen, view\ng, ann, a\ng, a, b\ng, b, a\np, nobody, sen, view\ng, nobody, b\n")
    assert ("ann", "sen", "view") in allowed(grants)
    assert {(fault.id, fault.subject) for fault in grants.faults} >= {("role_cycle", "a"), ("role_cycle", "b")}


def test_rules_of_a_role_that_nobody_has_are_told(tmp_path):
    grants = read(tmp_path, RBAC, "p, ghost, sen, view\ng, nobody, other\ng, other, ghost2\ng, ghost, other\n")
    assert [fault.subject for fault in grants.faults if fault.id == "grant_to_nobody"] == []  # ghost may be an account
    grants = read(
        tmp_path, RBAC, "p, ghost, sen, view\ng, x, ghost\ng, ghost, x\n"
    )  # both are roles: no account at all
    assert [fault.subject for fault in grants.faults if fault.id == "grant_to_nobody"] == ["ghost"]
    assert grants.rows.is_empty()


def test_lines_that_the_model_lacks_are_counted(tmp_path):
    grants = read(tmp_path, ACL, "p, ann, sen, view\nq, bo, sen, view\ng, bo, ann\n# a remark\n\n")
    assert (grants.seen, grants.kept) == (3, 1)
    assert [(skip.rows, skip.why) for skip in grants.skipped] == [(2, "the model lacks this kind of line")]


@pytest.mark.parametrize(
    ("model", "policy", "says"),
    [
        (ACL, "p, ann, sen\n", "line 1: 2 words, and the model defines 3"),
        (ACL, "p, ann, sen, view\np, ann, sen, view, allow\n", "line 2: 4 words"),
        ("[matchers]\nm = r.sub == p.sub\n", "p, ann\n", "no definition of a request"),
        (
            ACL.replace("[policy_effect]\ne = some(where (p.eft == allow))\n", ""),
            "p, ann, sen, view\n",
            "does not take",
        ),
    ],
)
def test_a_malformed_model_or_policy_is_refused_with_its_place(tmp_path, model, policy, says):
    with pytest.raises(FileError, match=says) as refused:
        read(tmp_path, model, policy)
    assert "ann" not in str(refused.value)


def test_a_matcher_that_breaks_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="cannot decide"):
        read(tmp_path, ACL.replace("r.sub == p.sub", "nothing(r.sub)"), "p, ann, sen, view\n")


def test_attributes_that_are_not_given_are_asked_for(tmp_path):
    with pytest.raises(ParameterError, match=r"attributes of r\.sub"):
        read(tmp_path, *KINDS["rules about attributes"][:2])


def test_a_request_of_other_parts_is_refused(tmp_path):
    model = ACL.replace("r = sub, obj, act", "r = sub, weather, act").replace("r.obj", "r.weather")
    with pytest.raises(ParameterError, match="weather"):
        read(tmp_path, model, "p, ann, sen, view\n")


def test_pycasbin_writes_no_request_into_the_log(tmp_path, caplog):
    with caplog.at_level(logging.DEBUG):
        read(tmp_path, *KINDS["roles"][:2])
    assert "ann" not in caplog.text


def test_a_policy_of_comments_alone_grants_nothing(tmp_path):
    grants = read(tmp_path, ACL, "# nothing yet\n")
    assert grants.rows.is_empty()
    assert grants.seen == 0
