"""The command ``access`` as a person uses it, on a school of six children and four log-ins worked by hand."""

from __future__ import annotations

import json
import sys

import pytest

from otrack_risk import cli

PUPILS = "pupil_id,school_id,year_group,class_id,sen_status\n" + "".join(
    f"P{number},S1,{7 + number % 2},C{number % 2},{'K' if number == 1 else 'N'}\n" for number in range(1, 7)
)
# CANARY marks what no published file may hold: log-ins, and words that no table of ours has.
GRANTS = """account,role,category,verb,scope,valid_from,valid_to
CANARYhead,headteacher,attendance,view,school,2025-09-01,
CANARYhead,headteacher,medical,view,school,2025-09-01,
CANARYta,ta,contact,export,school,2025-09-01,
CANARYodd,CANARYrole,CANARYcategory,CANARYverb,CANARYscope,2025-09-01,
CANARYlate,class_teacher,attendance,view,school,2025-09-01,2026-01-30
"""
EARLIER = GRANTS.replace("CANARYta,ta,contact,export,school,2025-09-01,\n", "")
LOG = "account,at,category,verb,pupil_id\nCANARYhead,2026-01-12T09:00:00,attendance,view,P1\n"
ACCEPTED = """[[accepted]]
finding = "unknown_category"
role = "*"
account = "*"
reason = "CANARYreason"
accepted_by = "headteacher"
until = 2026-12-31
reviewed = 2026-01-01
"""
DAY = ("--as-of", "2026-01-31")


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    (tmp_path / "people").mkdir()
    for name, text in {
        "grants.csv": GRANTS,
        "earlier.csv": EARLIER,
        "people/pupils.csv": PUPILS,
        "log.csv": LOG,
        "accepted.toml": ACCEPTED.replace('role = "*"\n', ""),
        "terms.toml": '[[holiday]]\nname = "half-term"\nfirst = 2026-02-16\nlast = 2026-02-20\n',
        "weights.csv": "kind,name,weight\ncategory,medical,40\n",
        "needed.csv": "role,category,scope,verbs,reason\nta,contact,school,view export,ours\n",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)

    def command(*options: str, grants: str = "grants.csv") -> tuple[int, str, str]:
        words = ["otrack-risk", "access", grants, "--data", "people", *DAY, "--quiet", *options]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return command


@pytest.fixture
def told(run):
    def document(*options: str, **more: str) -> dict:
        code, out, err = run(*options, "--json", **more)
        assert (code, err) == (0, "")
        return json.loads(out)

    return document


def test_one_document_has_the_contracts_keys(told):
    document = told()
    assert document["schema"] == "otrack-risk/access/1"
    assert document["parameters"]["as_of"] == "2026-01-31"
    assert {each["file"] for each in document["input"]} == {"grants.csv", "pupils.csv"}
    result = document["result"]
    accounts = {each["account"]: each for each in result["accounts"]}
    keys = {"account", "roles", "children", "special_category_children", "blast_radius", "over_privilege"}
    assert keys | {"under_privilege", "excess"} <= accounts["CANARYhead"].keys()
    assert {"role", "category", "verb", "children", "state"} <= result["cells"][0].keys()
    assert {"id", "severity", "account", "why", "mend"} <= result["findings"][0].keys()
    assert {cell["state"] for cell in result["cells"]} <= {"granted", "needed", "excess", "missing", "unknown"}
    # The head sees the medical records of all six; the teacher's grant ended a day before.
    assert (accounts["CANARYhead"]["children"], accounts["CANARYhead"]["special_category_children"]) == (6, 6)
    assert not accounts.get("CANARYlate", {"children": 0})["children"]
    assert result["roll"] == 6
    assert accounts["CANARYhead"]["excess"] is None
    assert "no access log was read" in accounts["CANARYhead"]["reason"]


def test_a_log_a_matrix_weights_and_terms_are_obeyed(told):
    plain = {each["account"]: each for each in told()["result"]["accounts"]}
    heavy = told("--weigh", "weights.csv")["result"]
    assert heavy["weights"]["category"]["medical"] == 40
    assert {a["account"]: a for a in heavy["accounts"]}["CANARYhead"]["blast_radius"] > plain["CANARYhead"][
        "blast_radius"
    ]
    cells = told("--needed", "needed.csv")["result"]["cells"]
    assert {c["state"] for c in cells if (c["role"], c["category"], c["verb"]) == ("ta", "contact", "export")} == {
        "granted"
    }
    log = told("--log", "log.csv", "--terms", "terms.toml")["result"]["log"]
    assert "reason" not in log
    assert "terms.toml" in json.dumps(log)


def test_an_accepted_risk_comes_back_when_its_day_has_passed(told):
    def finding(day: str) -> dict:
        found = told("--accepted", "accepted.toml", "--as-of", day)["result"]["findings"]
        return next(each for each in found if each["id"] == "unknown_category")

    assert finding("2026-12-31")["accepted"]
    assert not finding("2027-01-01").get("accepted")


def test_what_is_taken_away_is_compared_with_what_is(told):
    change = told("--without", "role=headteacher")["result"]["what_if"]
    assert "needed_lost" in change
    # The teaching assistant still sees all six; without both there is nobody who is known to see a child.
    both = told("--without", "role=headteacher", "--without", "account=CANARYta")["result"]["what_if"]
    assert change != both
    assert "change" in told("--before", "earlier.csv")["result"]


def test_the_changes_that_are_proposed_can_be_read_again_and_leave_nothing_beyond_need(run, told, tmp_path):
    before = told("--revoke", "left.csv")["result"]
    assert any(cell["state"] == "excess" for cell in before["cells"])
    after = told(grants="left.csv")["result"]
    assert not any(cell["state"] == "excess" for cell in after["cells"])
    for name in ("left.sql", "left.casbin"):
        assert run("--revoke", name)[0] == 0
        assert "for review; not run by this tool" in (tmp_path / name).read_text().splitlines()[0]
    assert "ROLLBACK" in (tmp_path / "left.sql").read_text()


def test_roles_and_one_account_are_told_where_they_are_asked_for(told, tmp_path):
    result = told("--mine", "--account", "CANARYhead", "--graph", "reach.svg")["result"]
    assert "mined_roles" in result
    assert result["account"]["children_by_category"] == {"attendance": 6, "medical": 6}
    assert "CANARYhead" in (tmp_path / "reach.svg").read_text()  # it was asked for by name


@pytest.mark.parametrize(
    ("view", "order"),
    [("granted", "clustered"), ("needed", "canonical"), ("excess", "clustered"), ("difference", "canonical")],
)
def test_a_heatmap_has_a_table_beside_it_and_holds_no_name(run, tmp_path, view, order):
    assert run("--heatmap", "seen.svg", "--view", view, "--order", order, "--log", "log.csv")[0] == 0
    for name in ("seen.svg", "seen.csv"):
        assert "CANARY" not in (tmp_path / name).read_text()
    assert "Headteacher" in (tmp_path / "seen.csv").read_text()


def test_a_heatmap_may_be_a_png(run, tmp_path):
    assert run("--heatmap", "seen.png")[0] == 0
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")


def test_the_published_record_and_table_of_findings_hold_no_name_of_the_school(run, tmp_path):
    from datetime import date

    from otrack_risk import access

    asked = access.Inquiry.of(
        [tmp_path / "grants.csv"],
        tmp_path / "people",
        as_of=date(2026, 1, 31),
        log=tmp_path / "log.csv",
        accepted=tmp_path / "accepted.toml",
    )
    seen = asked.access
    results = [
        seen,
        seen.findings_table(),
        asked.concentration(),
        asked.tier_zero(),
        asked.expected_exposure(),
        asked.paths_of("CANARYhead"),
        asked.without(accounts=["CANARYta"]),
        asked.revocations(),
        asked.after(asked.revocations()),
        asked.mined_roles(),
        *(seen.view(which) for which in ("granted", "needed", "excess", "difference")),
    ]
    for result in results:
        shown = result.published()
        assert "CANARY" not in json.dumps([shown.record(), shown.sentence()], default=str), result.key
        assert "CANARY" not in str(result.published()), result.key
        assert "CANARY" not in json.dumps(result._repr_mimebundle_(), default=str), result.key


def test_on_a_terminal_checks_that_found_nothing_are_one_line_of_their_kind(run):
    _, out, _ = run()
    assert out.count("Looked for, and none found: ") == 1
    assert out.count("none found") == 1
    assert "Not looked for, since no access log was read: " in " ".join(out.split())


def test_a_row_that_is_left_out_is_told_on_stderr(run, tmp_path):
    (tmp_path / "grants.csv").write_text(f"{GRANTS},ta,sen,view,school,,\n")
    assert "grants: 1 skipped (no account)." in run()[2]


def test_an_account_that_nothing_names_is_refused_without_its_name(run):
    code, out, err = run("--account", "CANARYnobody")
    assert (code, out) == (2, "")
    assert "CANARY" not in err
