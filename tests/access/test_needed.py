from __future__ import annotations

import pytest

from otrack_risk import frames, reference, schema
from otrack_risk.access import needed_matrix
from otrack_risk.access.words import roles
from otrack_risk.errors import FieldError, OtrackRiskError, ParameterError

HEAD = "role,category,scope,verbs,reason\n"


def own(tmp_path, *lines):
    file = tmp_path / "ours.csv"
    file.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return needed_matrix(file)


def allowed(matrix, role, category):
    return {
        (row["scope"], row["verb"])
        for row in matrix.rows.iter_rows(named=True)
        if (row["role"], row["category"]) == (role, category)
    }


# Cells as the matrix of the reference has them: S:rwx, W+F, G:rw, J:r, A, W, N.
@pytest.mark.parametrize(
    ("role", "category", "expected"),
    [
        ("dsl", "safeguarding", {("school", "view"), ("school", "edit"), ("school", "export")}),
        ("senco", "safeguarding", {("write_only", "edit"), ("flag", "view")}),
        ("class_teacher", "attendance", {("group", "view"), ("group", "edit")}),
        ("mis_vendor", "identity", {("just_in_time", "view")}),
        ("governor", "sen", {("aggregate", "view")}),
        ("ta", "safeguarding", {("write_only", "edit")}),
        ("parent", "safeguarding", set()),
        ("parent", "identity", {("own", "view"), ("own", "edit")}),
    ],
)
def test_the_built_in_matrix_is_that_of_the_reference(role, category, expected):
    assert allowed(needed_matrix(), role, category) == expected


def test_every_cell_of_the_built_in_matrix_has_its_reason():
    rows = reference.load("least_privilege").entries["row"]
    told = {(row["role"], row["category"]) for row in rows if row["reason"].strip()}
    assert told == {(role, category) for role in roles() for category in schema.categories() if category != "other"}


def test_nobody_without_a_log_in_needs_anything():
    matrix = needed_matrix()
    assert "public" in matrix.roles
    assert matrix.rows.filter(role="public").is_empty()


def test_a_school_may_edit_its_copy(tmp_path, small):
    grant = ("one", "class_teacher", "medical", "view", "group")
    matrix = own(tmp_path, "class_teacher,medical,group,view,we plan for medicines in class")
    state = {cell.category: cell.state for cell in small.reach(grant, needed=matrix).cells}
    assert state == {"medical": "granted"}
    assert small.reach(grant, needed=matrix).needed["name"] == "ours.csv"


def test_the_version_follows_the_lines_and_not_their_order(tmp_path):
    first = own(tmp_path, "ta,sen,group,view,x", "ta,images,group,view,x")
    again = own(tmp_path, "ta,images,group,view,another reason", "ta,sen,group,view,x")
    other = own(tmp_path, "ta,sen,school,view,x", "ta,images,group,view,x")
    assert first.version == again.version != other.version


def test_a_role_that_a_school_leaves_out_is_not_in_its_matrix(tmp_path, small):
    matrix = own(tmp_path, "ta,sen,group,view,x")
    seen = small.reach(("head", "headteacher", "identity", "view", "school"), needed=matrix)
    assert [role.in_matrix for role in seen.roles] == [False]
    assert {cell.state for cell in seen.cells if cell.accounts} == {"unknown"}


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("CANARY,sen,group,view,x", "role"),
        ("ta,CANARY,group,view,x", "category"),
        ("ta,sen,CANARY,view,x", "scope"),
        ("ta,sen,school:A,view,x", "scope"),
        ("ta,sen,group,CANARY,x", "verbs"),
        ("ta,sen,group,,x", "verbs"),
    ],
)
def test_a_cell_that_is_not_understood_is_named_by_row_and_column(tmp_path, line, column):
    with pytest.raises(ParameterError, match=f"ours.csv, row 3, column '{column}'") as raised:
        own(tmp_path, "ta,sen,group,view,x", line)
    assert "CANARY" not in str(raised.value)


def test_a_matrix_without_a_column_is_refused_by_name(tmp_path):
    file = tmp_path / "ours.csv"
    file.write_text("role,category,scope\nta,sen,group\n", encoding="utf-8")
    with pytest.raises(FieldError, match="verbs, reason"):
        needed_matrix(file)


def test_a_workbook_of_a_school_is_read_too(tmp_path):
    rows = frames.read(_csv(tmp_path)).table().rows
    frames.write(rows, tmp_path / "ours.xlsx")
    assert needed_matrix(tmp_path / "ours.xlsx").version == needed_matrix(tmp_path / "ours.csv").version


def _csv(tmp_path):
    own(tmp_path, "ta,sen,group,view edit,x", "ta,images,none,,x")
    return tmp_path / "ours.csv"


def test_no_file_is_an_error_with_a_mend(tmp_path):
    with pytest.raises(OtrackRiskError, match="Mend"):
        needed_matrix(tmp_path / "no.csv")


def test_children_by_name_are_a_word_of_grants_and_of_no_matrix(tmp_path):
    with pytest.raises(ParameterError, match="row 2, column 'scope'"):
        own(tmp_path, "ta,identity,listed,view,")
