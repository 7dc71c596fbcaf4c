"""Results of cloudsplaining, in small fixtures written by hand in the form of its own results; nobody is real."""

from __future__ import annotations

import json

import pytest

from otrack_risk import reference
from otrack_risk.access.sources import cloudsplaining
from otrack_risk.errors import FileError

ARN = "arn:aws:s3:::"


def policy(name, *, excluded=False, resource="*", **risks):
    """A policy as cloudsplaining writes it: each risk with its findings."""
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": resource}
    found = {
        risk: {"severity": "x", "description": "x", "findings": list(findings)} for risk, findings in risks.items()
    }
    return {
        "PolicyName": name,
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "is_excluded": excluded,
        **found,
    }


def principal(name, *, aws=(), customer=(), inline=(), groups=(), excluded=False, **more):
    return {
        "id": f"ID-{name}",
        "name": name,
        "aws_managed_policies": {key: key for key in aws},
        "customer_managed_policies": {key: key for key in customer},
        "inline_policies": {key: key for key in inline},
        "groups": {key: {} for key in groups},
        "is_excluded": excluded,
        **more,
    }


def results(path, *, users=(), roles=(), groups=(), aws=None, customer=None, inline=None, exclusions=None):
    given = {
        "users": {each["id"]: each for each in users},
        "roles": {each["id"]: each for each in roles},
        "groups": {each["id"]: each for each in groups},
        "aws_managed_policies": aws or {},
        "customer_managed_policies": customer or {},
        "inline_policies": inline or {},
        "exclusions": exclusions or {},
    }
    path.write_text(json.dumps(given), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "iam-results.json"


def told(grants, *columns):
    return set(grants.rows.select(columns).rows())


def counted(grants):
    return grants.seen, grants.kept, sum(each.rows for each in grants.skipped)


def test_each_risk_is_a_verb_on_the_data_of_its_service(file):
    risky = policy(
        "Everything",
        DataExfiltration=["s3:GetObject", "ssm:GetParameter"],
        ResourceExposure=["s3:PutBucketPolicy", "iam:PassRole"],
        PrivilegeEscalation=[{"type": "CreateAccessKey", "actions": ["iam:createaccesskey"]}],
        CredentialsExposure=["iam:CreateAccessKey"],
        ServiceWildcard=["s3"],
        InfrastructureModification=["ec2:TerminateInstances", "s3:DeleteObject"],
    )
    grants = cloudsplaining.read(results(file, users=[principal("ann", inline=["P"])], inline={"P": risky}))
    assert told(grants, "account", "chain", "category", "verb", "latent", "scope") == {
        ("user/ann", "policy/Everything", *line, "all")
        for line in [
            ("s3 data", "view", False),
            ("s3 data", "export", False),
            ("ssm data", "view", False),
            ("ssm data", "export", False),
            ("s3 data", "admin", True),
            ("infrastructure", "admin", True),
            ("credentials", "export", False),
            ("s3 data", "admin", False),
            ("s3 data", "edit", False),
            ("infrastructure", "edit", False),
        ]
    }
    assert not grants.rows["category_known"].any()
    assert counted(grants) == (1, 1, 0)


def test_the_older_form_of_a_policy_is_read_alike(file):
    older = {"PolicyName": "Old", "DataExfiltrationActions": ["s3:GetObject"], "PrivilegeEscalation": []}
    grants = cloudsplaining.read(results(file, roles=[principal("app", customer=["P"])], customer={"P": older}))
    assert told(grants, "account", "category", "verb") == {
        ("role/app", "s3 data", "view"),
        ("role/app", "s3 data", "export"),
    }


# Buckets of the map are those that the policy names; without a name in it, all of them.
@pytest.mark.parametrize(
    ("resource", "categories"),
    [
        ("*", {"sen", "images"}),
        (f"{ARN}*", {"sen", "images"}),
        ([f"{ARN}send-files", f"{ARN}send-files/*"], {"sen"}),
        (f"{ARN}pupil-*", {"images"}),
        (f"{ARN}logs/*", {"s3 data"}),
    ],
)
def test_a_map_of_buckets_gives_categories(file, resource, categories):
    leak = policy("Leak", resource=resource, DataExfiltration=["s3:GetObject"])
    results(file, users=[principal("ann", inline=["P"])], inline={"P": leak})
    grants = cloudsplaining.read(file, {"send-files": "sen", "pupil-photos": "images", "rds": "assessment"})
    assert set(grants.rows["category"]) == categories
    assert grants.rows["category_known"].all() == (categories != {"s3 data"})


def test_whoever_can_take_every_right_can_come_to_all_that_the_map_names_but_only_so(file):
    climb = policy("Climb", PrivilegeEscalation=[{"type": "x", "actions": []}])
    results(file, users=[principal("ann", inline=["P"])], inline={"P": climb})
    grants = cloudsplaining.read(file, {"b": "sen", "rds": "assessment"})
    assert told(grants, "category", "verb", "latent") == {("sen", "admin", True), ("assessment", "admin", True)}


def test_a_user_holds_the_policies_of_its_groups(file):
    leak = policy("Leak", DataExfiltration=["s3:GetObject"])
    results(
        file,
        users=[principal("ann", groups=["staff"])],
        groups=[principal("staff", aws=["P"])],
        aws={"P": leak},
    )
    grants = cloudsplaining.read(file)
    assert told(grants, "account", "chain") == {("user/ann", "group/staff > policy/Leak")}
    assert counted(grants) == (1, 1, 0)


def test_a_user_a_role_a_group_and_a_policy_of_one_name_are_kept_apart(file):
    leak = policy("x", DataExfiltration=["s3:GetObject"])
    results(
        file,
        users=[principal("x", aws=["Q"])],
        roles=[principal("x", aws=["P"])],
        groups=[principal("x", aws=["P", "gone"])],  # nobody is in it
        aws={"P": leak, "Q": policy("x", InfrastructureModification=["s3:PutObject"])},
    )
    grants = cloudsplaining.read(file)
    assert told(grants, "account", "chain", "verb") == {
        ("user/x", "policy/x (2)", "edit"),
        ("role/x", "policy/x", "view"),
        ("role/x", "policy/x", "export"),
    }
    nobody = {(f.subject, f.why[:8]) for f in grants.faults if f.id == "grant_to_nobody"}
    assert nobody == {("group/x", "3 grants"), ("policy/gone", "1 grant ")}  # view, export, and what is not described


# Trap (salesforce/cloudsplaining, issue 154): an administrator's role is shown as having no policies.
def test_a_principal_that_is_shown_with_no_policy_is_unknown_and_not_without_access(file):
    results(file, users=[principal("idle")], roles=[principal("admins")], groups=[principal("empty")])
    grants = cloudsplaining.read(file)
    assert told(grants, "account", "category_known", "verb_known") == {
        ("user/idle", False, False),
        ("role/admins", False, False),
    }
    assert any("3 principals are shown with neither policy nor group" in note for note in grants.notes)
    assert counted(grants) == (3, 3, 0)
    assert grants.accounts.height == 2


def test_a_policy_or_a_group_that_the_results_do_not_describe_is_unknown(file):
    results(file, users=[principal("ann", aws=["AdministratorAccess"]), principal("ben", groups=["ghosts"])])
    grants = cloudsplaining.read(file)
    assert told(grants, "account", "chain", "verb_known") == {
        ("user/ann", "policy/AdministratorAccess", False),
        ("user/ben", "group/ghosts", False),
    }
    assert {fault.id for fault in grants.faults} >= {"unknown_category", "unknown_verb"}


def test_a_policy_without_a_risk_is_skipped_and_counted_and_its_holder_is_still_listed(file):
    results(file, users=[principal("ann", inline=["P"])], inline={"P": policy("Fine", DataExfiltration=[])})
    grants = cloudsplaining.read(file)
    assert grants.rows.is_empty()
    assert counted(grants) == (1, 0, 1)
    assert grants.accounts["account"].to_list() == ["user/ann"]


def test_what_is_excluded_is_kept_and_counted(file):
    leak = policy("Leak", excluded=True, DataExfiltration=["s3:GetObject"])
    results(
        file,
        users=[principal("ann", inline=["P"], excluded=True)],
        inline={"P": leak},
        exclusions={"exclude-actions": ["s3:GetBucketLocation", ""]},
    )
    grants = cloudsplaining.read(file)
    assert set(grants.rows["account"]) == {"user/ann"}
    assert any(note.startswith("2 principals and policies are excluded") for note in grants.notes)
    assert any("leave out 1 actions" in note for note in grants.notes)


def test_a_policy_that_nobody_has_is_a_grant_to_nobody(file):
    results(file, aws={"P": policy("Leak", DataExfiltration=["s3:GetObject"])})
    grants = cloudsplaining.read(file)
    assert [(f.id, f.subject) for f in grants.faults if f.id == "grant_to_nobody"] == [
        ("grant_to_nobody", "policy/Leak")
    ]
    assert counted(grants) == (1, 1, 0)


# Every (principal, policy) of the fixture is counted by a plain second way: pairs of names.
def test_count_in_is_count_out(file):
    leak, fine = policy("Leak", DataExfiltration=["s3:GetObject"]), policy("Fine")
    users = [principal(f"u{n}", aws=["L", "F"][: 1 + n % 2], inline=["I"] * (n % 3 == 0)) for n in range(12)]
    results(file, users=users, aws={"L": leak, "F": fine}, inline={"I": policy("In", ServiceWildcard=["s3"])})
    grants = cloudsplaining.read(file)
    pairs = [(u["name"], key) for u in users for kind in ("aws", "inline") for key in u[_part(kind)]]
    harmless = sum(key == "F" for _, key in pairs)
    assert counted(grants) == (len(pairs), len(pairs) - harmless, harmless) == (22, 16, 6)
    assert set(grants.rows.select("account", "chain").rows()) == {
        (f"user/{name}", {"L": "policy/Leak", "I": "policy/In"}[key]) for name, key in pairs if key != "F"
    }


def _part(kind):
    return {"aws": "aws_managed_policies", "inline": "inline_policies"}[kind]


def test_a_role_that_only_services_take_on_is_marked_as_a_service(file):
    def trust(who):
        return {"assume_role_policy": {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": who}]}}}

    roles = [
        principal("app", **trust({"Service": "lambda.amazonaws.com"})),
        principal("people", **trust({"AWS": "arn:aws:iam::000000000000:root"})),
    ]
    grants = cloudsplaining.read(results(file, users=[principal("ann")], roles=roles))
    assert dict(grants.accounts.select("account", "service").rows()) == {
        "user/ann": None,
        "role/app": True,
        "role/people": False,
    }


def test_results_are_recognised_by_their_top_keys(file, tmp_path):
    assert cloudsplaining.recognise(results(file))
    for name, text in {"a.json": "[1]", "b.json": '{"users": {}}', "c.json": "{", "d.csv": "a,b\n"}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert not cloudsplaining.recognise(tmp_path / name)
    assert not cloudsplaining.recognise(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"users": {},\n  "roles" {}}', "line 2, column 11: no JSON"),
        ("[]", "no object under users, roles, groups"),
        ('{"users": []}', "no object under users"),
        ("[" * 100_000, "no JSON|nested too deeply"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_place(file, text, why):
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=why):
        cloudsplaining.read(file)


def test_an_entry_that_is_no_object_or_has_no_name_is_refused_by_its_place(file, tmp_path):
    with pytest.raises(FileError, match=r"cannot be read"):
        cloudsplaining.read(tmp_path / "none.json")
    given = json.loads(results(file).read_text())
    for part, entries in {
        "users": {"a": principal("ann", groups=["g"]), "SECRET": {"name": ""}},
        "inline_policies": {"a": policy("ok"), "SECRET": ["x"]},
        "roles": {"a": principal("ok"), "SECRET": principal("s" * 2_000)},
    }.items():
        file.write_text(json.dumps(given | {part: entries}), encoding="utf-8")
        with pytest.raises(FileError, match=f"entry 2 of '{part}'") as refused:
            cloudsplaining.read(file)
        assert "SECRET" not in str(refused.value)


def test_the_verbs_of_risks_are_assumed():
    table = reference.load("cloudsplaining_risks")
    assert {entry["status"] for entry in table.entries["risk"]} == {"assumed"}
    assert len(table.entries["risk"]) == 6  # the six risks that cloudsplaining counts
