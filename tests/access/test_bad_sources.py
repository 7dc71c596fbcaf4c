"""Whatever is wrong with a source, the command says so in two lines, or reads it and tells.

Every marker begins with CANARY: a cell's value that no message may hold.
"""

from __future__ import annotations

import json
import sys

import pytest

from otrack_risk import cli

BIG = "CANARY" + "R" * 1_000_000
HEAD = "account,role,category,verb,scope\n"
GRANTS = f"{HEAD}CANARYa,class_teacher,attendance,view,school\n"
OF_ROLES = f"{HEAD},CANARYr1,attendance,view,school\n"
LOG = "account,at,category,verb\n"
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
POLICY = "p, CANARYrole, attendance, view\ng, CANARYuser, CANARYrole\n"
BY_RULE = MODEL.replace("p = sub, obj, act", "p = sub_rule, obj, act").replace("g(r.sub, p.sub)", "eval(p.sub_rule)")


@pytest.fixture
def ask(capsys, monkeypatch, tmp_path):
    """Runs ``access --json`` on texts by file name, options among them, and holds it to what is always true."""

    def asked(*given: str | tuple[str, str | bytes]) -> tuple[int, dict, str]:
        monkeypatch.chdir(tmp_path)
        words = []
        for each in given:
            if isinstance(each, tuple):
                name, content = each
                (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
                words.append(name)
            else:
                words.append(each)
        monkeypatch.setattr(sys, "argv", ["otrack-risk", "access", *words, "--json", "--quiet"])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        code = int(left.value.code or 0)
        assert code in (0, 2)
        assert "Internal error" not in err
        assert "CANARY" not in err
        if code == 2:
            assert out == ""
            assert len(err.strip().splitlines()) == 2
            assert len(err) < 700
            return code, {}, err
        document = json.loads(out)  # one document and nothing else
        counts = document["result"]["grants"]
        assert counts["kept"] + counts["skipped"] == counts["seen"]
        assert "CANARY" not in " ".join(document["notes"])
        assert len(out) < 1_000_000
        return code, document, err

    return asked


def found(document: dict) -> set[str]:
    return {each["id"] for each in document["result"]["findings"]}


REFUSED_GRANTS = {
    "empty": "",
    "header only": HEAD,
    "cut off": f"{HEAD}CANARYa,class_tea",
    "a header twice": "account,account,role,category,verb,scope\nCANARYa,b,c,d,e,f\n",
    "a NUL byte": f"{HEAD}CANARY\0a,class_teacher,attendance,view,school\n",
    "bytes": bytes(range(256)) * 20,
    "another kind": '{"CANARY": 1}',
    "a day of year 1": f"{HEAD.strip()},valid_from\nCANARYa,class_teacher,attendance,view,school,0001-01-01\n",
    **{
        f"a huge {column}": HEAD + ",".join(BIG if column == each else "x" for each in HEAD.strip().split(",")) + "\n"
        for column in HEAD.strip().split(",")
    },
}


@pytest.mark.parametrize("content", REFUSED_GRANTS.values(), ids=REFUSED_GRANTS)
def test_grants_that_cannot_be_read_are_refused_in_two_lines(ask, content):
    assert ask(("g.csv", content))[0] == 2


# file -> a finding, or words of a note, by which it is told
TOLD_GRANTS = {
    "words that nobody knows": (f"{HEAD}CANARYa,CANARYr,CANARYc,CANARYv,CANARYs\n", "unknown_scope"),
    "a formula as role": (f"{HEAD}CANARYa,=CANARY(),attendance,view,school\n", "unknown_role"),
    "empty cells": (f"{HEAD}CANARYa,,,,\n", "unknown_category"),
    "a class without a name": (f"{HEAD}CANARYa,class_teacher,attendance,view,class:\n", "unknown_scope"),
    "a grant of nobody": (f"{GRANTS},class_teacher,attendance,view,school\n", "1 skipped (no account)"),
    "grants of nobody alone": (f"{HEAD},class_teacher,attendance,view,school\n", "reaches an account"),
    "an open quotation mark": (f'{HEAD}"CANARYx,a,b,c,d\n{GRANTS.splitlines()[1]}\n', "1 skipped"),
    "semicolons": (GRANTS.replace(",", ";"), "parted by semicolon"),
    "UTF-16": (GRANTS.encode("utf-16"), "UTF-16"),
    "a comment above": (f"# for review\n{GRANTS}", "1 title row"),
    "no day as a date": (f"{HEAD.strip()},valid_from\nCANARYa,x,attendance,view,school,CANARY\n", "cannot be read"),
    "the end before the start": (
        f"{HEAD.strip()},valid_from,valid_to\nCANARYa,x,attendance,view,school,2026-01-01,2025-01-01\n",
        "1 end before they begin",
    ),
}


@pytest.mark.parametrize(("content", "told"), TOLD_GRANTS.values(), ids=TOLD_GRANTS)
def test_odd_grants_are_kept_and_told(ask, content, told):
    code, document, _ = ask(("g.csv", content))
    assert code == 0
    assert told in found(document) or told in " ".join(document["notes"])


MEMBERSHIPS = {
    "a cycle": ("u,r2\nr2,CANARYr1\nCANARYr1,r2\n", "role_cycle"),
    "a role in itself": ("u,CANARYr1\nCANARYr1,CANARYr1\n", "role_cycle"),
    "all in all": ("u,k0\n" + "".join(f"k{i},k{j}\n" for i in range(9) for j in range(9) if i != j), "role_cycle"),
    "another role": ("u,other\n", "grant_to_nobody"),
    "empty cells": ("u,\n,CANARYr1\nu,CANARYr1\n", "2 name no member or no role"),
}


@pytest.mark.parametrize(("lines", "told"), MEMBERSHIPS.values(), ids=MEMBERSHIPS)
def test_odd_memberships_are_told(ask, lines, told):
    code, document, _ = ask(("g.csv", OF_ROLES), ("m.csv", f"member,role\n{lines}"))
    assert code == 0
    assert told in found(document) or told in " ".join(document["notes"])


def test_a_mode_and_dates_of_memberships_that_mean_nothing_are_told(ask):
    lines = "member,role,mode,valid_from,valid_to\nu,CANARYr1,CANARY,2026-01-01,2025-01-01\nu,CANARYr1,inherit,,\n"
    _, document, _ = ask(("g.csv", OF_ROLES), ("m.csv", lines))
    notes = " ".join(document["notes"])
    assert "of the modes of memberships, 1 are not understood" in notes
    assert "of 2 memberships, 1 end before they begin" in notes


@pytest.mark.parametrize("lines", ["", "member,role\n", f"member,role\nu,{BIG}\n"], ids=["empty", "header", "huge"])
def test_memberships_that_cannot_be_read_are_refused(ask, lines):
    assert ask(("g.csv", OF_ROLES), ("m.csv", lines))[0] == 2


def test_roles_three_hundred_deep_are_refused_and_told_why(ask):
    steps = "".join(f"q{i},q{i + 1}\n" for i in range(299))
    code, _, err = ask(("g.csv", OF_ROLES), ("m.csv", f"member,role\nu,q0\n{steps}q299,CANARYr1\n"))
    assert code == 2
    assert "more than 200 steps" in err


def test_what_a_list_of_accounts_does_not_tell_is_noted(ask):
    lines = "account,enabled,last_login\nCANARYa,perhaps,CANARY\nCANARYa,no,\n,yes,\n"
    _, document, _ = ask(("g.csv", GRANTS), ("a.csv", lines))
    notes = " ".join(document["notes"])
    for told in ("1 have no name", "1 are listed before", "1 have an 'enabled'", "'last_login', 1 cannot be read"):
        assert told in notes
    assert ask(("g.csv", GRANTS), ("a.csv", f"account,enabled\n{BIG},yes\n"))[0] == 2


REFUSED_CASBIN = {
    "an empty model": ("", POLICY),
    "matchers alone": ("[matchers]\n", POLICY),
    "a short line": (MODEL, "p, CANARY\n"),
    "a comma in quotation marks": (MODEL, 'p, "CANARY, x", attendance, view\n'),
    "a NUL byte": (MODEL, "p, CANARY\0, attendance, view\n"),
    "no text": (MODEL, b"\xff\xfe\x00p"),
    "a huge role": (MODEL, f"p, {BIG}, attendance, view\ng, u, {BIG}\n"),
    "attributes that are not given": (BY_RULE, "p, r.sub.Age > 18, attendance, view\n"),
}


@pytest.mark.parametrize(("model", "policy"), REFUSED_CASBIN.values(), ids=REFUSED_CASBIN)
def test_a_casbin_pair_that_cannot_be_decided_is_refused(ask, model, policy):
    assert ask(("model.conf", model), ("policy.csv", policy))[0] == 2


@pytest.mark.parametrize(
    "code",
    [
        "__import__('os').system('touch PWNED') == 0",
        'exec(\'open("PWNED", "w")\')',
        "open('PWNED', 'w') == 1",
        "().__class__.__bases__[0].__subclasses__() != 0",
        "9**9**9 == 1",
        "'a'*999999999 == r.sub",
    ],
)
def test_no_code_of_a_model_or_a_policy_is_run(ask, tmp_path, code):
    assert ask(("model.conf", MODEL.rsplit("m =", 1)[0] + f"m = {code}\n"), ("policy.csv", POLICY))[0] == 2
    if "," not in code:
        rule = f"p, {code}, attendance, view\ng, CANARYu, x\n"
        assert ask(("model.conf", BY_RULE), ("policy.csv", rule))[0] == 2
    assert not (tmp_path / "PWNED").exists()


# pycasbin's role manager: max_hierarchy_level is 10, which is nine links from the account to the role.
@pytest.mark.parametrize(("links", "reached"), [(9, True), (10, False), (300, False)])
def test_a_role_that_is_farther_than_pycasbin_looks_is_a_finding(ask, links, reached):
    steps = "".join(f"g, q{i}, q{i + 1}\n" for i in range(1, links))
    policy = f"p, q{links}, attendance, view\ng, CANARYu, q1\n{steps}"
    _, document, _ = ask(("model.conf", MODEL), ("policy.csv", policy))
    assert ("grant_to_nobody" in found(document)) is not reached
    assert any("1 allow nobody anything" in note for note in document["notes"]) is not reached
    assert bool(document["result"]["accounts"]) is reached


@pytest.mark.parametrize("links", ["g, u, r2\ng, r2, r1\ng, r1, r2\n", "g, r1, r1\ng, u, r1\n"])
def test_roles_of_casbin_in_a_circle_are_a_finding(ask, links):
    _, document, _ = ask(("model.conf", MODEL), ("policy.csv", f"p, r1, attendance, view\n{links}"))
    assert "role_cycle" in found(document)


def test_lines_that_a_model_does_not_know_are_told(ask):
    _, document, _ = ask(("model.conf", MODEL), ("policy.csv", POLICY.replace(",", ";")))
    assert "policy.csv: 2 skipped (the model lacks this kind of line)." in document["notes"]
    assert any("reaches an account" in note for note in document["notes"])


PARTS = ("users", "roles", "groups", "aws_managed_policies", "customer_managed_policies", "inline_policies")
JSONS = {
    "empty": "",
    "cut off": '{"users": {',
    "a list": "[1]",
    "another kind": '{"CANARY": 1}',
    "nested too deeply": "[" * 100_000,
    "users that are no object": json.dumps(dict.fromkeys(PARTS, 3)),
    "a user that is no object": json.dumps({part: {} for part in PARTS} | {"users": {"CANARY": 3}}),
    "a huge user": json.dumps({part: {} for part in PARTS} | {"users": {"x": {"name": BIG}}}),
    "a snapshot without content": '{"form": "otrack-risk postgresql snapshot 1"}',
}


@pytest.mark.parametrize("content", JSONS.values(), ids=JSONS)
def test_json_of_another_kind_is_refused(ask, content):
    assert ask(("x.json", content))[0] == 2


def test_results_of_cloudsplaining_about_nobody_are_said_to_reach_nobody(ask):
    code, document, _ = ask(("x.json", json.dumps({part: {} for part in PARTS})))
    assert code == 0
    assert any("reaches an account" in note for note in document["notes"])


ARBOR = "Staff,Business Role,Permission,Level,Students,Start Date,End Date\n"
SHARED = "Path,Shared with,Permission\n"
EXPORTS = {
    "Arbor, words": (f"{ARBOR}CANARYt,CANARYr,CANARYp,CANARYl,CANARYs,,\n", "unknown_verb"),
    "Arbor, formulas": (f"{ARBOR}=CANARY(),@x,+1,-1,=2,,\n", "unknown_category"),
    "Arbor, nobody": (f"{ARBOR},,Student Profile: Attendance,View,,,\n", "no person and no role"),
    "Arbor, reversed": (f"{ARBOR}t,Teacher,Attendance,View,All,2026-02-01,2026-01-01\n", "end before they begin"),
    "Arbor, no dates": (f"{ARBOR}t,Teacher,Attendance,View,All,CANARY,CANARY\n", "cannot be read"),
    "SIMS, a matrix": ("Role,Student: Attendance,Student: Medical\nCANARYr,CANARY,\n", "an empty cell"),
    "SIMS, groups in a circle": ("User,SIMS Group\na,b\nb,a\n", "role_cycle"),
    "sharing, words": (f"{SHARED}CANARYp,CANARYw,CANARYx\n", "unknown_category"),
    "sharing, nobody": (f"{SHARED}Year 7/SEN.xlsx,,Read\n", "skipped"),
    "sharing, formulas": (f"{SHARED}=cmd|CANARY,=1+1,=2\n", "unknown_category"),
}


@pytest.mark.parametrize(("content", "told"), EXPORTS.values(), ids=EXPORTS)
def test_odd_exports_and_reports_are_told(ask, content, told):
    code, document, _ = ask(("export.csv", content))
    assert code == 0
    assert told in found(document) or told in " ".join(document["notes"])


@pytest.mark.parametrize(
    "content",
    [ARBOR, f"{ARBOR}t,{BIG},Attendance,View,All,,\n", SHARED, f"{SHARED}{BIG},a@oak.example,Read\n", f"{SHARED}a/b"],
    ids=["Arbor, header", "Arbor, huge", "sharing, header", "sharing, huge", "sharing, cut off"],
)
def test_exports_that_cannot_be_read_are_refused(ask, content):
    assert ask(("export.csv", content))[0] == 2


BESIDE = {
    "log, no columns": ("--log", "a,b,c,d\n1,2,3,4\n"),
    "log, no days": ("--log", f"{LOG}CANARYa,CANARY,attendance,view\n"),
    "log, year 1": ("--log", f"{LOG}CANARYa,0001-01-05,attendance,view\n"),
    "log, huge": ("--log", f"{LOG}{BIG},2026-01-05,attendance,view\n"),
    "accepted, no TOML": ("--accepted", "CANARY CANARY\n"),
    "accepted, a number": ("--accepted", "accepted = 3\n"),
    "accepted, no tables": ("--accepted", "accepted = [1]\n"),
    "accepted, too deep": ("--accepted", f"a = {'[' * 50_000}"),
    "accepted, unknown": ("--accepted", '[[accepted]]\nfinding = "CANARY"\naccount = "*"\n'),
    "terms, no TOML": ("--terms", "CANARY CANARY\n"),
    "terms, a number": ("--terms", "holiday = 3\n"),
    "terms, no tables": ("--terms", "holiday = [1]\n"),
    "terms, one table": ("--terms", '[holiday]\nname = "x"\n'),
    "terms, too deep": ("--terms", f"a = {'[' * 50_000}"),
    "terms, reversed": ("--terms", '[[holiday]]\nname = "x"\nfirst = 2026-02-20\nlast = 2026-02-16\n'),
    "terms, text for a day": ("--terms", '[[holiday]]\nname = "x"\nfirst = "CANARY"\nlast = 2026-02-16\n'),
    **{
        f"terms, annual {place}": ("--terms", f'[[annual]]\nname = "x"\nmonths = {m}\ncategories = {c}\nverbs = {v}\n')
        for place, (m, c, v) in enumerate(
            [('"CANARY"', '["sen"]', '["view"]'), (3, '["sen"]', '["view"]'), ("[1]", 3, '["view"]'),
             ("[1]", "[3]", '["view"]'), ("[1]", '["sen"]', '[["CANARY"]]'), ("[[1]]", '["sen"]', '["view"]')]
        )
    },
    "weights, no columns": ("--weigh", "a,b\nCANARY,1\n"),
    "weights, unknown": ("--weigh", "kind,name,weight\ncategory,CANARY,5\n"),
    "weights, below 0": ("--weigh", "kind,name,weight\ncategory,medical,-1\n"),
    "weights, no number": ("--weigh", "kind,name,weight\nverb,view,nan\n"),
    "weights, no end": ("--weigh", "kind,name,weight\nverb,view,1e999\n"),
    "needed, no columns": ("--needed", "a,b\n1,CANARY\n"),
    "needed, unknown role": ("--needed", "role,category,scope,verbs,reason\nCANARY,attendance,group,view,x\n"),
    "needed, unknown verb": ("--needed", "role,category,scope,verbs,reason\nclass_teacher,attendance,group,CANARY,x\n"),
    "needed, huge": ("--needed", f"role,category,scope,verbs,reason\n{BIG},attendance,group,view,x\n"),
}  # fmt: skip


@pytest.mark.parametrize(("option", "content"), BESIDE.values(), ids=BESIDE)
def test_what_is_given_beside_the_grants_is_refused_where_it_is_not_understood(ask, option, content):
    assert ask(("g.csv", GRANTS), "--as-of", "2026-01-31", option, ("beside.csv", content))[0] == 2


@pytest.mark.parametrize("option", ["--log", "--accepted", "--terms", "--weigh", "--needed", "--data", "--before"])
def test_a_folder_an_empty_file_or_none_in_place_of_a_file_is_refused(ask, tmp_path, option):
    (tmp_path / "folder").mkdir()
    assert ask(("g.csv", GRANTS), option, "folder")[0] == 2
    assert ask(("g.csv", GRANTS), option, "not_there.csv")[0] == 2
    if option not in ("--accepted", "--terms"):  # an empty TOML file is one that names nothing
        assert ask(("g.csv", GRANTS), option, ("empty.csv", ""))[0] == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--without", "role="),
        ("--without", "CANARY=x"),
        ("--without", "role=CANARY"),
        ("--account", "CANARYnobody"),
        ("--graph", "x.svg"),
        ("--heatmap", "x.jpg"),
        ("--heatmap", "x.csv"),
        ("--heatmap", "not_there/x.svg"),
        ("--account", "CANARYa", "--graph", "not_there/x.svg"),
        ("--revoke", "x.docx"),
        ("--revoke", "not_there/x.csv"),
        ("--as-of", "0001-01-01"),
        ("--as-of", "9999-12-31"),
    ],
)
def test_an_option_that_cannot_be_met_is_refused(ask, options):
    assert ask(("g.csv", GRANTS), *options)[0] == 2


def test_a_model_whose_matcher_is_no_sentence_is_refused(ask):
    code, _, err = ask(("model.conf", MODEL.strip() + " && &&\n"), ("policy.csv", POLICY))
    assert code == 2
    assert "check the matcher" in err
