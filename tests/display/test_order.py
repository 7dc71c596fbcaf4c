from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.display.order import clustered

# Three kinds of role, mixed; what each holds of five categories.
ROWS = ["cook", "deputy", "nurse", "head", "caterer"]
COLUMNS = ["notes", "diet", "allergy", "sen", "exams"]
HELD = ["01100", "10011", "10100", "10011", "01100"]
SETS = [[{"view"} if each == "1" else () for each in row] for row in HELD]


def apart(one, other):
    return 1 - len(one & other) / len(one | other) if one | other else 0


def named(rows, columns, sets):
    down, across = clustered(rows, columns, sets)
    return [rows[place] for place in down], [columns[place] for place in across]


# cook and caterer are alike, and so are head and deputy. nurse shares 1 of 3 with the first two, 1 of 4 with the
# others, and joins the first; of all, only nurse shares anything with head, and so stands between. Of the categories,
# allergy and notes are those that share nurse. What is alike stands by name; the end with the earlier name comes first.
def test_alike_rows_and_columns_stand_together():
    down, across = named(ROWS, COLUMNS, SETS)
    assert down == ["caterer", "cook", "nurse", "deputy", "head"]
    assert across == ["diet", "allergy", "notes", "exams", "sen"]


def test_the_same_category_with_other_verbs_is_not_alike():
    view, edit = [{"view"}], [{"edit"}]
    assert named(["a", "b", "c", "d"], ["x"], [view, edit, view, edit])[0] == ["a", "c", "b", "d"]


def test_one_row_or_none_has_but_one_order():
    assert clustered(["a"], ["x"], [[{"view"}]]) == ([0], [0])
    assert clustered([], [], []) == ([], [])
    assert clustered(["b", "a", "c"], ["x"], [[()], [()], [()]])[0] == [1, 0, 2]  # nobody holds anything: by name


# Rows a to d each share one more with the next than with the one after: 12, 23, 34, 45. In a row they differ least.
def test_neighbours_differ_least():
    sets = [[{"v"} if x in (y, y + 1) else () for x in range(5)] for y in (2, 0, 3, 1)]
    down, _ = clustered(["c", "a", "d", "b"], list("vwxyz"), sets)
    held = [{x for x, cell in enumerate(row) if cell} for row in sets]
    told = sum(apart(held[one], held[other]) for one, other in pairwise(down))
    assert told == 3 * (1 - 1 / 3)  # every neighbour shares one of three, which no order betters
    assert [("c", "a", "d", "b")[place] for place in down] == ["a", "b", "c", "d"]


@settings(deadline=None)
@given(st.data())
def test_the_order_in_which_rows_and_columns_are_given_does_not_matter(data):
    n, m = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 6))
    held = data.draw(
        st.lists(st.lists(st.sampled_from(["", "v", "ve"]), min_size=m, max_size=m), min_size=n, max_size=n)
    )
    rows, columns = [f"role {y}" for y in range(n)], [f"category {x}" for x in range(m)]
    ys, xs = data.draw(st.permutations(range(n))), data.draw(st.permutations(range(m)))
    mixed = [[held[y][x] for x in xs] for y in ys]
    assert named([rows[y] for y in ys], [columns[x] for x in xs], mixed) == named(rows, columns, held)


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["", "v", "e"]), min_size=4, max_size=4), max_size=12))
def test_every_row_has_one_place_and_alike_ones_stand_side_by_side(held):
    down, _ = clustered([f"{y}" for y in range(len(held))], list("abcd"), held)
    assert sorted(down) == list(range(len(held)))
    runs = 1 + sum(held[one] != held[other] for one, other in pairwise(down)) if held else 0
    assert runs == len({tuple(row) for row in held})
