"""Reports on sharing, in small fixtures written by hand after the columns of Microsoft's pages; nobody is real."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk import access, frames, reference
from otrack_risk.access.sources import sharing
from otrack_risk.errors import OtrackRiskError, ParameterError, TableError

PLAIN = """Path,Shared with,Permission,Link expiry
Year 7/SEN list.xlsx,Anyone with the link,Read,31/01/2026
Staff room/Behaviour log.docx,Everyone except external users,Edit,
Photos,office@oak.example,Owner,
Year 8/Attendance.csv,visitor_mail.example#EXT#@oak.example,Read,
"""
# Microsoft: for a link one row for the link itself, and one for each user who has used it.
HEAD = "Resource Path,Item Type,Permission,User Name,User E-mail,User or Group Type,Link ID,Link Type,AccessViaLinkID\n"
MICROSOFT = f"""{HEAD}\
Shared Documents/Medical/Care plans.docx,File,Contribute,SharingLink,,,L1,Specific People,
Shared Documents/Medical/Care plans.docx,File,Contribute,Nurse,nurse@oak.example,Member (internal),,,L1
Shared Documents/Medical/Care plans.docx,File,Contribute,Visitor,visitor@mail.example,Guest (external),,,L1
Shared Documents/Trips.docx,File,Read,SharingLink,,,L2,Anonymous,
Shared Documents/Trips.docx,File,Read,SharingLink,,,L3,Company,
Shared Documents,Folder,Full Control,Owners,,SharePoint group,,,
Shared Documents,Folder,Limited Access,Nurse,nurse@oak.example,Member (internal),,,
Shared Documents/Marks.xlsx,File,Read,SharingLink,,,L4,Specific People,
"""


def report(tmp_path, text, name="shared.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return frames.read(tmp_path / name).table()


def told(grants, *columns):
    return set(grants.rows.select(columns).rows())


def counted(grants):
    return grants.seen, grants.kept, sum(each.rows for each in grants.skipped)


def test_a_plain_report_is_read_row_by_row(tmp_path):
    grants = sharing.read([report(tmp_path, PLAIN)])
    columns = ("account", "role", "category", "verb", "scope", "scope_key", "valid_to", "line")
    guest = "visitor_mail.example#ext#@oak.example"
    assert told(grants, *columns) == {
        ("anyone with the link", "public", "sen", "view", "cohort", "7", date(2026, 1, 31), 2),
        ("anyone with the link", "public", "sen", "export", "cohort", "7", date(2026, 1, 31), 2),
        ("everybody in the organisation", "everybody with a log-in", "behaviour", "edit", "all", None, None, 3),
        ("everybody in the organisation", "everybody with a log-in", "behaviour", "export", "all", None, None, 3),
        ("office@oak.example", "(no role)", "images", "admin", "all", None, None, 4),
        (guest, "external guest", "attendance", "view", "cohort", "8", None, 5),
        (guest, "external guest", "attendance", "export", "cohort", "8", None, 5),
    }
    assert dict(grants.accounts.select("account", "person_kind").rows()) == {
        "anyone with the link": "public",
        "everybody in the organisation": None,
        "office@oak.example": None,
        guest: "vendor",
    }
    assert counted(grants) == (4, 4, 0)


def test_a_link_for_people_by_name_is_a_role_of_those_who_used_it(tmp_path):
    grants = sharing.read([report(tmp_path, MICROSOFT)])
    linked = grants.rows.filter(pl.col("chain").is_not_null(), verb="edit")
    assert set(linked.select("account", "chain", "category", "line").rows()) == {
        ("nurse@oak.example", "sharing link 1", "medical", 2),
        ("visitor@mail.example", "sharing link 1", "medical", 2),
    }
    assert [(f.id, f.subject) for f in grants.faults if f.id == "grant_to_nobody"] == [
        ("grant_to_nobody", "sharing link 2")  # the fourth link, which nobody has used
    ]
    assert counted(grants) == (8, 8, 0)


def test_an_anonymous_link_is_public_and_one_of_the_organisation_is_not(tmp_path, small):
    grants = sharing.read([report(tmp_path, MICROSOFT)])
    seen = access.reach(grants, small.dataset(), as_of=date(2026, 1, 31))
    assert {each.account for each in seen.accounts if each.public} == {"anyone with the link"}
    assert {f.account for f in seen.findings if f.id == "public_reach"} == {"anyone with the link"}
    assert "everybody in the organisation" in {each.account for each in seen.accounts}


def test_limited_access_opens_nothing(tmp_path):
    grants = sharing.read([report(tmp_path, MICROSOFT)])
    assert grants.rows.filter(line=8)["scope"].to_list() == ["none"]


def test_who_is_in_a_group_is_not_known_unless_memberships_say_so(tmp_path):
    table = report(tmp_path, MICROSOFT)
    alone = sharing.read([table])
    assert "Owners" in set(alone.rows["account"])
    assert any("1 items are shared with groups" in note for note in alone.notes)
    members = pl.DataFrame({"member": ["head@oak.example"], "role": ["Owners"]})
    grants = sharing.read([table], memberships=members)
    assert grants.rows.filter(verb="admin").select("account", "chain").rows() == [("head@oak.example", "Owners")]


# What the file is called may name a child: nothing of it may travel on.
def test_nothing_of_a_file_name_is_kept(tmp_path):
    text = "Path,Shared with,Permission\n"
    text += "Zebedee Quill/Zebedee Quill notes.docx,a@oak.example,View\nQuill.pdf,b@x.example,Hold\n"
    grants = sharing.read([report(tmp_path, text)])
    assert "quill" not in repr((grants.rows.to_dicts(), grants.faults, grants.notes)).lower()
    assert told(grants, "account", "category", "category_known", "verb_known") == {
        ("a@oak.example", "free_text", True, True),
        ("b@x.example", "(shared file)", False, False),
    }
    assert {fault.id for fault in grants.faults} == {"unknown_category", "unknown_verb"}


# Read off by hand: the nearest name with a word decides; a range of years is all its years.
@pytest.mark.parametrize(
    ("path", "categories", "scopes"),
    [
        ("Year 7/SEN list.xlsx", {"sen"}, {("cohort", "7")}),
        ("Year 7/Year 8 SEN.xlsx", {"sen"}, {("cohort", "8")}),
        ("SEN/Year 7.xlsx", {"sen"}, {("cohort", "7")}),
        ("Years 7-9/Attendance", {"attendance"}, {("cohort", "7"), ("cohort", "8"), ("cohort", "9")}),
        ("y10 and 11 marks.csv", {"assessment"}, {("cohort", "10"), ("cohort", "11")}),
        ("Class 7B photos", {"images"}, {("group", "7B")}),
        ("Year R medical.docx", {"medical"}, {("cohort", "0")}),
        ("Oak/Medical and SEN.docx", {"medical", "sen"}, {("school", "A")}),
        ("Reception desk/Medical.docx", {"medical"}, {("all", None)}),
        ("yr group/SEN register 2025.xlsx", {"sen"}, {("all", None)}),
        ("https://oak.example/sites/s/Shared%20Documents/Safeguarding/x.pdf", {"safeguarding"}, {("all", None)}),
    ],
)
def test_category_and_children_are_told_by_the_words_of_the_path(tmp_path, path, categories, scopes):
    rows = pl.DataFrame({"Path": [path], "Shared with": ["a@oak.example"], "Permission": ["Restricted View"]})
    table = frames.Table("t", rows, "t.csv", "0" * 64, 1)
    grants = sharing.read([table], schools={"Oak": "A"})
    assert set(grants.rows["category"]) == categories
    assert told(grants, "scope", "scope_key") == scopes
    assert set(grants.rows["verb"]) == {"view"}


def test_an_item_that_is_shared_with_several_is_one_row_seen(tmp_path):
    text = "Item,Shared with,Access\n"
    text += "Marks.xlsx,a@oak.example; Anyone with the link,Can view\n,b@oak.example,View\nX,,View\n"
    grants = sharing.read([report(tmp_path, text)])
    assert set(grants.rows["account"]) == {"a@oak.example", "anyone with the link"}
    assert counted(grants) == (3, 1, 2)


def test_a_link_of_an_unknown_kind_is_neither_public_nor_passed_over(tmp_path):
    text = "Path,User Name,Permission,Link ID,Link Type\n"
    text += "SEN.docx,SharingLink,Read,L1,\nSEN.docx,SharingLink,Read,L2,Novel\n"
    grants = sharing.read([report(tmp_path, text)])
    assert grants.rows.is_empty()
    assert grants.role_grants.select("role", "category", "verb").unique().height == 2  # view and export
    assert [f.subject for f in grants.faults if f.id == "grant_to_nobody"] == ["sharing link of a kind not told"]


def test_accounts_that_are_given_go_before_those_of_the_report(tmp_path):
    accounts = pl.DataFrame({"account": ["office@oak.example"], "person_kind": ["staff"], "person_id": ["s1"]})
    grants = sharing.read([report(tmp_path, PLAIN)], accounts=accounts)
    assert grants.accounts.filter(account="office@oak.example").select("person_kind", "person_id").rows() == [
        ("staff", "s1")
    ]


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ("Path,Shared with,Permission", True),
        ("Resource Path,Item Type,Permission,User Name,User Email,User Or Group Type,Link ID,Link Type", True),
        ("Item,Access,Link scope", True),
        ("account,role,category,verb,scope", False),
        ("Staff,Business Role,Permission,Level", False),
        ("path,sha256,size", False),
    ],
)
def test_reports_are_recognised_by_their_headers(headers, ours):
    assert sharing.recognise(pl.DataFrame(schema=dict.fromkeys(headers.split(","), pl.String))) is ours


def test_bad_input_is_refused_with_its_place_and_without_its_words(tmp_path):
    with pytest.raises(TableError, match=r"pupils is no report on sharing \(its columns: upn, name\)"):
        sharing.read([report(tmp_path, "upn,name\nX1,Ada\n", "pupils.csv")])
    with pytest.raises(TableError, match="no report"):
        sharing.read([])
    rows = pl.DataFrame({"Path": ["a", "z" * 2_000], "Shared with": ["a", "b"], "Permission": ["Read", "Read"]})
    with pytest.raises(ParameterError, match="t, row 3, column 'Path'") as refused:
        sharing.read([frames.Table("t", rows, "t.csv", "0" * 64, 2)])
    assert "zzz" not in str(refused.value)


def test_levels_are_assumed_and_each_is_a_verb():
    table = reference.load("sharing_permissions")
    assert {entry["status"] for rows in table.entries.values() for entry in rows} == {"assumed"}
    words = [word for rows in table.entries.values() for entry in rows for word in entry["words"]]
    assert len(words) == len(set(words))


CELL = st.sampled_from(
    ["", "Year 7/SEN.xlsx", "Anyone", "Guest", "SharingLink", "Anonymous", "Read", "L1", "a@x.example", "?;!"]
)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(*[CELL] * 6), min_size=1, max_size=8))
def test_whatever_a_report_holds_kept_and_skipped_are_seen(rows):
    columns = ["Path", "User Name", "Permission", "Link ID", "Link Type", "AccessViaLinkID"]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    try:
        grants = sharing.read([frames.Table("t", frame, "t.csv", "0" * 64, frame.height)])
    except OtrackRiskError:
        return
    assert grants.seen == frame.height == grants.kept + sum(each.rows for each in grants.skipped)
