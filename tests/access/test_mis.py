"""Exports of Arbor, SIMS and the like, in small fixtures written by hand; expected rows are read off the fixture."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk import access, frames, reference, schema
from otrack_risk.access.sources import mis
from otrack_risk.access.sources.areas import area_of, level_of, parts_of
from otrack_risk.access.sources.mis_shapes import shape
from otrack_risk.errors import OtrackRiskError, ParameterError, TableError

CHILDREN = set(schema.categories()) - {"other"}
# The five groups that a messaging service asks a SIMS user for (reference: access.md, section 1.2).
FIVE = ("Admissions Officer", "Attendance Manager", "Personnel Officer", "Class Teacher", "Third Party Reporting")


def export(tmp_path, text, name="export.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return frames.read(tmp_path / name).table()


def told(grants, *columns):
    return set(grants.rows.select(columns or ("account", "role", "category", "verb", "scope")).rows())


def counted(grants):
    return grants.seen, grants.kept, sum(each.rows for each in grants.skipped)


ARBOR = """Staff,Business Role,Permission,Level,Students,Start Date,End Date
t1,Teacher,Student Profile: Attendance,Administer,My students,,
t1,Teacher,Student Profile: Medical,Off,My students,,
h1,Headteacher,Student Profile: SEN,View,All students,01/09/2025,
h1,Ad hoc,Student Profile: Safeguarding Concerns,View,All students,01/01/2026,31/01/2026
h1,,Student Profile: Behaviour,View,My students,,
"""


def test_arbor_levels_and_whose_students_are_read_and_ad_hoc_grants_stand_outside_any_role(tmp_path):
    grants = mis.read([export(tmp_path, ARBOR)])
    assert told(grants, "account", "role", "category", "verb", "scope", "valid_from", "valid_to", "line") == {
        ("t1", "class_teacher", "attendance", "admin", "group", None, None, 2),
        ("t1", "class_teacher", "medical", "none", "none", None, None, 3),
        ("h1", "headteacher", "sen", "view", "all", date(2025, 9, 1), None, 4),
        ("h1", "(no role)", "safeguarding", "view", "all", date(2026, 1, 1), date(2026, 1, 31), 5),
        ("h1", "(no role)", "behaviour", "view", "group", None, None, 6),
    }
    assert counted(grants) == (5, 5, 0)
    assert any("outside a role, 1 have no end date" in note for note in grants.notes)


# Arbor names some permissions with their level and whose students within (its help pages).
def test_a_level_and_whose_students_may_stand_in_the_name_of_a_permission(tmp_path):
    text = (
        "Staff,Business Role,Permission\n"
        "t1,Teacher,Student Profile: Attendance: Administer All Students\nt1,Teacher,Attendance: My Students\n"
    )
    grants = mis.read([export(tmp_path, text)])
    assert told(grants, "category", "verb", "scope", "verb_known") == {
        ("attendance", "admin", "all", True),
        ("attendance", "(level not told)", "group", False),
    }
    assert [fault.id for fault in grants.faults] == ["unknown_verb"]


def test_roles_add_up_and_an_off_of_one_takes_nothing_from_another(tmp_path, small):
    text = (
        "Staff,Business Role,Permission,Level,Students\n"
        "one,Head of Year,Behaviour,View,All students\none,Teacher,Behaviour,View,My students\n"
        "one,Lead,Behaviour,Off,All students\n"
    )
    grants = mis.read([export(tmp_path, text)], accounts=small.accounts)
    assert {row[1] for row in told(grants)} == {"Head of Year", "class_teacher", "Lead"}  # three roles of one person
    seen = access.reach(grants, small.dataset(), as_of=date(2026, 1, 31))
    assert [each.children for each in seen.accounts if each.account == "one"] == [5]  # not the two of class A1


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (
            "Business Role,Student: Attendance,Student: Medical,Student: Behaviour\n"
            "Teacher,Administer,Off,View (my students)\nSENCo,View,View,\n",
            "roles",
        ),
        (
            "Permission,Teacher,SENCo\nStudent: Attendance,Administer,View\n"
            "Student: Medical,Off,View\nStudent: Behaviour,View (my students),\n",
            "permissions",
        ),
    ],
)
def test_a_matrix_is_read_with_roles_in_its_rows_or_in_its_columns(tmp_path, text, columns):
    table = export(tmp_path, text)
    assert shape(table.rows) == columns
    members = pl.DataFrame({"member": ["t1", "s1"], "role": ["Teacher", "SENCo"]})
    grants = mis.read([table], memberships=members)
    assert told(grants) == {
        ("t1", "class_teacher", "attendance", "admin", "all"),
        ("t1", "class_teacher", "medical", "none", "none"),
        ("t1", "class_teacher", "behaviour", "view", "group"),
        ("s1", "senco", "attendance", "view", "all"),
        ("s1", "senco", "medical", "view", "all"),
    }
    assert counted(grants) == (6, 5, 1)  # six cells, one of them empty


def test_a_matrix_without_anybody_in_its_roles_is_grants_to_nobody(tmp_path):
    grants = mis.read([export(tmp_path, "Role,Attendance,Medical\nTeacher,View,Off\n")])
    assert grants.rows.is_empty()
    assert [(fault.id, fault.subject) for fault in grants.faults] == [("grant_to_nobody", "Teacher")]


# Bromcom-like: what a tick allows is said by the permission's name, or not at all.
@pytest.mark.parametrize(("tick", "cross"), [("✓", "✗"), ("✓", "x"), ("Yes", "No"), ("x", ""), ("1", "0")])
def test_ticks_take_their_level_from_the_name_of_the_permission(tmp_path, tick, cross):
    text = f"Role,View Attendance,Edit Behaviour,Medical\nTeacher,{tick},{tick},{cross}\nOffice,{cross},{tick},{tick}\n"
    members = pl.DataFrame({"member": ["t1", "o1"], "role": ["Teacher", "Office"]})
    grants = mis.read([export(tmp_path, text)], memberships=members)
    given = {row for row in told(grants, "account", "category", "verb", "verb_known") if row[2] != "none"}
    assert given == {
        ("t1", "attendance", "view", True),
        ("t1", "behaviour", "edit", True),
        ("o1", "behaviour", "edit", True),
        ("o1", "medical", "(ticked, level not told)", False),
    }
    assert grants.seen == 6 == grants.kept + sum(each.rows for each in grants.skipped)


LEAVES = """Permission Group,Permission
Class Teacher,"Students, Attendance, Edit (All)"
Class Teacher,"Students, Basic Details,View (All)"
Class Teacher (copy),"Students, Attendance, Edit (All)"
Class Teacher (copy),"Students, Welfare,View (All)"
System Manager,"System Manager, Manage Users, Edit (All)"
"""


def test_sims_groups_hold_what_their_own_export_says_and_a_copied_group_is_one_of_its_own(tmp_path):
    users = export(tmp_path, "User,Permission Group\nt1,Class Teacher\nt2,Class Teacher (copy)\n", "users.csv")
    leaves = export(tmp_path, LEAVES, "leaves.csv")
    grants = mis.read([users, leaves])
    assert told(grants, "account", "chain", "category", "verb", "line") == {
        ("t1", "Class Teacher", "attendance", "edit", 2),
        ("t1", "Class Teacher", "identity", "view", 3),
        ("t2", "Class Teacher (copy)", "attendance", "edit", 4),
        ("t2", "Class Teacher (copy)", "safeguarding", "view", 5),
    }
    assert counted(grants) == (5, 5, 0)
    assert [fault.subject for fault in grants.faults if fault.id == "grant_to_nobody"] == ["System Manager"]
    assert not any("assumed" in note for note in grants.notes)


def test_area_and_sub_area_in_columns_of_their_own_are_the_same_permission(tmp_path):
    text = "User,Group,Area,Sub-area,Permission\nt1,Class Teacher,Students,Attendance,Edit (All)\n"
    assert told(mis.read([export(tmp_path, text)])) == {("t1", "class_teacher", "attendance", "edit", "all")}


def test_whoever_may_change_users_can_give_themselves_every_category(tmp_path):
    users = export(tmp_path, "User,Permission Group\nadmin1,System Manager\n", "users.csv")
    grants = mis.read([users, export(tmp_path, LEAVES, "leaves.csv")])
    assert told(grants, "category", "verb", "latent") == {(each, "admin", True) for each in CHILDREN}


# Trap: one service account of a messaging service with five groups of a school has near-total reach.
def test_a_connected_service_with_five_sims_groups_reaches_nearly_every_category(tmp_path, small):
    users = export(tmp_path, "User,Permission Group\n" + "".join(f"msg-import,{group}\n" for group in FIVE))
    grants = mis.read([users])
    views = grants.rows.filter(pl.col("scope") == "all")
    assert CHILDREN - set(views["category"]) <= {"safeguarding", "religion", "free_text"}
    assert views.filter(verb="export", category="medical").height == 1
    assert set(grants.rows["chain"]) == set(FIVE)
    assert counted(grants) == (5, 5, 0)
    assert any("what 5 permission groups hold is assumed" in note for note in grants.notes)
    seen = access.reach(grants, small.dataset(), as_of=date(2026, 1, 31))
    assert [each.children for each in seen.accounts] == [5]


def test_a_permission_under_staff_is_about_staff_whatever_else_it_names(tmp_path):
    text = "Staff,Business Role,Permission,Level\no1,Office,Staff Profile: Medical,View\n"
    assert told(mis.read([export(tmp_path, text)])) == {("o1", "office_admin", "other", "view", "none")}


def test_staff_data_is_kept_and_reaches_no_child(tmp_path, small):
    grants = mis.read([export(tmp_path, "User,Permission Group\np1,Personnel Officer\n")])
    assert told(grants) == {("p1", "Personnel Officer", "other", "edit", "none")}
    assert [each.children for each in access.reach(grants, small.dataset(), as_of=date(2026, 1, 31)).accounts] == [0]


# Trap: a copied or renamed group of which there is no export must not look like no access.
def test_a_group_of_unknown_content_is_unknown_and_not_nothing(tmp_path):
    grants = mis.read([export(tmp_path, "User,Permission Group\nt1,Copy of Class Teacher\n")])
    assert told(grants, "category_known", "verb_known") == {(False, False)}
    assert {fault.id for fault in grants.faults} >= {"unknown_category", "unknown_verb", "unknown_role"}
    assert any("1 groups hold was not told" in note for note in grants.notes)


def test_memberships_that_are_given_apart_are_asked_for_what_their_groups_hold_too(tmp_path):
    members = pl.DataFrame({"member": ["a", "b", "Lead"], "role": ["Lead", "Elsewhere", "Class Teacher"]})
    grants = mis.read([export(tmp_path, LEAVES)], memberships=members)
    assert told(grants, "account", "category", "category_known") == {
        ("a", "attendance", True),  # Lead holds nothing itself, and inherits
        ("a", "identity", True),
        ("b", "(not told)", False),
    }


def test_several_groups_may_stand_in_one_cell_or_in_a_matrix_of_ticks(tmp_path):
    one = mis.read([export(tmp_path, "User,Permission Groups\nt1,Class Teacher; Exams Officer\nt2,\n", "a.csv")])
    two = mis.read([export(tmp_path, "User,Class Teacher,Exams Officer\nt1,✓,✓\nt2,,\n", "b.csv")])
    assert told(one, "account", "chain", "category") == told(two, "account", "chain", "category") != set()
    assert counted(one) == (3, 2, 1)
    assert counted(two) == (2, 2, 0)


def test_unknown_words_are_kept_as_unknown_and_are_faults(tmp_path):
    text = "Staff,Business Role,Permission,Level,Students\nt1,Wizard,Lockers,Bless,The annexe\n,,Medical,View,\n"
    grants = mis.read([export(tmp_path, text)])
    assert told(grants) == {("t1", "Wizard", "Lockers", "Bless", "The annexe")}
    assert {f.id for f in grants.faults} == {"unknown_role", "unknown_category", "unknown_verb", "unknown_scope"}
    assert counted(grants) == (2, 1, 1)
    assert [each.why for each in grants.skipped] == ["no person and no role"]


def test_rows_that_the_file_reader_skipped_are_counted_and_then_no_line_is_told(tmp_path):
    text = "Staff,Business Role,Permission,Level\nt1,Teacher,Medical,View\nt2,Teacher\n"
    grants = mis.read([export(tmp_path, text)])
    assert counted(grants) == (2, 1, 1)
    assert grants.rows["line"].to_list() == [None]


def test_all_students_of_a_named_school_are_that_school(tmp_path):
    grants = mis.read([export(tmp_path, ARBOR)], school="A")
    assert ("h1", "headteacher", "sen", "view", "school", "A") in told(
        grants, "account", "role", "category", "verb", "scope", "scope_key"
    )


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ("Staff,Business Role,Permission,Level", True),
        ("User,Permission Group", True),
        ("Permission Group,Area,Sub-area,Access", True),
        ("Role,Attendance,Medical,SEN", True),
        ("Permission,Teacher,Office,Locker keeper", True),
        ("Scope,Access,User,Business Role,Area,End Date", False),  # a file of grants
        ("account,role,category,verb,scope", False),
        ("user,role", False),  # memberships of anything
        ("Path,User,Permission", False),  # a report on sharing
        ("account,person_kind,enabled,last_login", False),
        ("role,forename,surname,postcode", False),
        ("upn,forename,dob", False),
    ],
)
def test_exports_are_recognised_by_their_headers_and_files_of_grants_are_not_taken(headers, ours):
    assert mis.recognise(pl.DataFrame(schema=dict.fromkeys(headers.split(","), pl.String))) is ours


def test_a_table_of_another_kind_is_refused_with_its_columns(tmp_path):
    with pytest.raises(TableError, match=r"pupils is no export of an MIS \(its columns: upn, forename\)"):
        mis.read([export(tmp_path, "upn,forename\nX1,Ada\n", "pupils.csv")])
    with pytest.raises(TableError, match="nothing was given"):
        mis.read([])


def test_a_name_of_a_megabyte_is_refused_with_its_place_and_not_its_words(tmp_path):
    table = export(tmp_path, "Staff,Business Role,Permission,Level\nt1,Teacher,Medical,View\n")
    long = pl.concat([table.rows, table.rows.with_columns(pl.lit("r" * 1_000_000).alias("Business Role"))])
    with pytest.raises(ParameterError, match="export, row 3, column 'Business Role'") as refused:
        mis.read([frames.Table("export", long, "export.csv", "0" * 64, 2)])
    assert "rrr" not in str(refused.value)


# Worked by hand from names on the help pages of Arbor, ParentPay, Scomis and an integrator.
@pytest.mark.parametrize(
    ("name", "categories"),
    [
        ("Students, Basic Details", ("identity",)),
        ("Students, Ethnic/Cultural", ("ethnicity",)),
        ("Students, Welfare, Disabilities", ("medical", "sen")),
        ("Students, Welfare", ("safeguarding",)),
        ("Students, Conduct, Exclusions", ("behaviour",)),
        ("Special Educational Needs, Student SEN Details", ("sen",)),
        ("Student Profile: Attendance", ("attendance",)),
        ("Medical and SEN", ("medical", "sen")),
        ("Personnel, Staff Details", ()),
    ],
)
def test_permission_names_point_to_categories_by_their_last_known_part(name, categories):
    assert area_of(parts_of(name)).categories == categories


def test_every_category_of_the_table_of_permissions_exists_and_every_entry_has_its_ground():
    table = reference.load("mis_permissions")
    assert {name for entry in table.entries["area"] for name in entry["categories"]} <= set(schema.categories())
    assert all(entry["status"] == "assumed" for rows in table.entries.values() for entry in rows)


WORDS = st.sampled_from(
    [
        "t1",
        "Teacher",
        "Ad hoc",
        "Medical",
        "SEN",
        "View",
        "Off",
        "Administer",
        "My students",
        "All students",
        "",
        "?",
        "✓",
    ]
)


@settings(deadline=None, max_examples=10)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS, WORDS), min_size=1, max_size=12))
def test_whatever_rows_hold_kept_and_skipped_are_seen_and_no_row_loses_its_account(rows):
    frame = pl.DataFrame(rows, schema=["Staff", "Business Role", "Permission", "Level", "Students"], orient="row")
    grants = mis.read([frames.Table("t", frame, "t.csv", "0" * 64, frame.height)])
    assert counted(grants)[0] == frame.height == grants.kept + sum(each.rows for each in grants.skipped)
    assert set(grants.rows["account"]) == set(frame["Staff"]) - {""}
    assert mis.read([frames.Table("t", frame.reverse(), "t.csv", "0" * 64, frame.height)]).kept == grants.kept


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=60))
def test_any_text_has_a_level_or_is_left_as_it_is(text):
    level = level_of(text)
    assert level.verbs is None or set(level.verbs.split(", ")) <= {"off", "view", "edit", "export", "admin"}
    assert area_of(parts_of(text)) is None or area_of(parts_of(text)).about in ("children", "staff", "rights")


@settings(deadline=None, max_examples=20)
@given(st.lists(st.lists(st.text(max_size=8), min_size=3, max_size=3), min_size=1, max_size=4))
def test_no_matrix_of_any_text_crashes(rows):
    frame = pl.DataFrame(rows, schema=["Role", "Attendance", "Medical"], orient="row")
    try:
        grants = mis.read([frames.Table("m", frame, "m.csv", "0" * 64, frame.height)])
    except OtrackRiskError:
        return
    assert grants.seen == 2 * frame.height == grants.kept + sum(each.rows for each in grants.skipped)
