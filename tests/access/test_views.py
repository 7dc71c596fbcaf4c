"""The four questions of the grid, the ways of one account, and own weights, in the small school of conftest."""

from __future__ import annotations

from datetime import date

import pytest

from otrack_risk import access
from otrack_risk.access.paths import account_paths
from otrack_risk.access.weights import weights
from otrack_risk.display import figures
from otrack_risk.display.tables import Hidden
from otrack_risk.errors import FieldError, ParameterError

DAY = date(2026, 1, 31)


def of(view, role, category):
    """The count, letter and state of one square."""
    told = view.record()
    y, x = told["roles"].index(role), told["categories"].index(category)
    return told["children"][y][x], told["letters"][y][x], told["states"][y][x]


# Mr One teaches Ada and Ben in A1; school A has Cem besides. The matrix gives a class teacher the taught groups.
@pytest.fixture
def seen(small):
    return small.reach(
        ("one", "class_teacher", "identity", "view", "school"), ("one", "class_teacher", "sen", "view", "own class")
    )


def test_needed_counts_the_children_of_the_matrix(seen):
    assert of(seen.view("granted"), "Class teacher", "Identity")[:2] == (3, "S")
    assert of(seen.view("needed"), "Class teacher", "Identity")[:2] == (2, "G")


def test_difference_is_granted_less_needed(seen):
    assert of(seen.view("difference"), "Class teacher", "Identity") == (1, "S", "excess")
    assert of(seen.view("difference"), "Class teacher", "Special educational needs") == (0, "G", "granted")


def test_excess_shows_the_cells_beyond_need_alone(seen):
    assert of(seen.view("excess"), "Class teacher", "Identity") == (3, "S", "excess")
    assert of(seen.view("excess"), "Class teacher", "Special educational needs") == (0, "-", "granted")


def test_what_a_role_lacks_stands_as_a_negative_difference(small):
    seen = small.reach(
        ("one", "class_teacher", "identity", "view", "own class"), ("head", "slt", "sen", "view", "school")
    )
    assert of(seen.view("difference"), "Class teacher", "Special educational needs")[0] == -2  # Ada and Ben


def test_need_is_unknown_for_a_role_of_which_the_matrix_does_not_speak(small):
    seen = small.reach(("one", "caretaker", "identity", "view", "school"))
    assert of(seen.view("needed"), "caretaker", "Identity")[0] is None
    assert of(seen.view("difference"), "caretaker", "Identity")[0] is None


def test_no_small_difference_reaches_paper(seen):
    view = seen.view("difference").published()
    shown = [count for row in view.record()["children"] for count in row if count != 0]
    assert shown
    assert all(isinstance(count, Hidden) for count in shown)


@pytest.mark.parametrize(
    ("which", "order"),
    [
        ("granted", "canonical"),
        ("difference", "clustered"),
        *(
            pytest.param(which, order, marks=pytest.mark.slow)
            for which in ("granted", "needed", "excess", "difference")
            for order in ("canonical", "clustered")
        ),
    ],
)
def test_every_view_is_drawn_the_same_twice(small, which, order):
    lines = [
        ("one", "class_teacher", "identity", "view", "school"),
        ("head", "headteacher", "medical", "view", "school"),
        ("two", "ta", "sen", "view", "own class"),
        ("vendor", "mis_vendor", "identity", "export", "all"),
    ]
    once, again = (figures.svg(small.reach(*each).view(which, order).figure()) for each in (lines, lines[::-1]))
    assert once == again
    assert "<svg" in once


def test_clustering_moves_rows_and_leaves_their_numbers(small):
    lines = [("one", "class_teacher", "identity", "view", "school"), ("two", "ta", "sen", "view", "own class")]
    seen = small.reach(*lines, ("head", "slt", "identity", "view", "school"))
    plain, other = seen.view("granted"), seen.view("granted", "clustered")
    for role in ("Class teacher", "Teaching assistant", "Senior leadership"):
        assert of(plain, role, "Identity") == of(other, role, "Identity")


def test_the_ways_of_one_account_name_chain_category_and_children(small):
    held = small.grants(("one", "class_teacher", "identity", "edit", "own class"), ("one", "", "sen", "view", "school"))
    found = account_paths(held, small.dataset(), "one", as_of=DAY, roll=5)
    assert [(way.chain, way.category, way.verbs, way.scope) for way in found.ways] == [
        (("class_teacher",), "identity", ("edit",), "group"),
        ((), "sen", ("view",), "school"),
    ]
    assert found.children == {"identity": 2, "sen": 3}
    assert found.all_children == 3
    assert "one can see 3 of 5 children" in found.sentence()


def test_an_account_that_nobody_named_has_no_ways(small):
    with pytest.raises(ParameterError, match="nothing that was given names it") as refused:
        account_paths(small.grants(("one", "ta", "identity", "view", "own")), None, "CANARY", as_of=DAY)
    assert "CANARY" not in str(refused.value)


def test_on_paper_the_account_has_no_name_and_small_numbers_are_hidden(small):
    found = account_paths(
        small.grants(("one", "ta", "sen", "view", "school")), small.dataset(), "one", as_of=DAY, roll=5
    )
    paper = found.published()
    assert paper.account == "this account"
    assert isinstance(paper.children["sen"], Hidden)
    assert "<svg" in figures.svg(found.figure())


# Blast radius by hand: identity of 3 children, view: w_c x 3. With identity at 2 it is 6, with 10 it is 30.
def test_a_schools_own_weights_change_the_blast_radius(small, tmp_path):
    file = tmp_path / "w.csv"
    file.write_text("kind,name,weight\ncategory,identity,10\n")
    held, data = small.grants(("one", "ta", "identity", "view", "school")), small.dataset()
    plain = access.reach(held, data, as_of=DAY)
    own = access.reach(held, data, as_of=DAY, weigh=weights(file))
    radius = [next(a.blast_radius for a in each.accounts if a.account == "one") for each in (plain, own)]
    assert radius == [6, 30]
    assert own.record()["weights"]["source"] == "w.csv"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("kind,name\ncategory,identity\n", FieldError),
        ("kind,name,weight\ncategory,lockers,1\n", ParameterError),
        ("kind,name,weight\nverb,view,-1\n", ParameterError),
        ("kind,name,weight\nverb,view,much\n", ParameterError),
        ("kind,name,weight\nplanet,view,1\n", ParameterError),
    ],
)
def test_weights_that_are_not_understood_are_refused(tmp_path, text, error):
    (tmp_path / "w.csv").write_text(text)
    with pytest.raises(error):
        weights(tmp_path / "w.csv")
