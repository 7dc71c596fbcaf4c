from __future__ import annotations

import itertools

import numpy as np
import pytest

from otrack_risk.display import suppression, tables
from otrack_risk.display.suppression import Known, Relation, bounds, protect, recovered, two_way
from otrack_risk.display.tables import Hidden

KINDS = Relation("people", ("children", "staff", "guardians"))


# 553 people less 210 and 340 are the 3 that the page hides: one hidden cell beside a printed total.
def test_one_hidden_part_of_a_printed_total_is_recovered():
    table = {"people": 553, "children": 210, "staff": Hidden(5), "guardians": 340}
    assert recovered(table, [KINDS]) == [Known("staff", 3, 3)]


# Both are at most 4 by their mark, and together 8: each is 4. The rule of two hidden cells does not see it.
def test_two_hidden_parts_at_the_end_of_their_marks_are_recovered():
    table = {"people": 218, "children": 210, "staff": Hidden(5), "guardians": Hidden(5)}
    assert [(known.cell, known.low) for known in recovered(table, [KINDS])] == [("staff", 4), ("guardians", 4)]


# 30 - 16 = 14 staff and guardians together; with 1 to 4 staff, 10 to 13 are guardians.
def test_a_mark_narrows_what_a_sum_leaves_open():
    table = {"people": 30, "children": 16, "staff": Hidden(5), "guardians": Hidden(5, "other")}
    found = bounds(table, [KINDS])
    assert (found["staff"].low, found["staff"].high) == (1, 4)
    assert (found["guardians"].low, found["guardians"].high) == (10, 13)


# Rows 10 and 11, columns 9 and 12: with a cell hidden in each row and column, [a b; c d], a + b = 10 and so on leave
# one degree of freedom; by hand a = 9 - c, c = 11 - d, so that a runs from 1 (c = 8) to 8 (c = 1).
def test_four_hidden_cells_of_a_square_leave_the_attacker_a_range():
    rows = {r: {c: Hidden(5, "other") for c in "FM"} for r in "78"}
    cells, relations = two_way(rows, {"7": 10, "8": 11}, {"F": 9, "M": 12})
    found = bounds(cells, relations)
    assert (found["7|F"].low, found["7|F"].high) == (1, 8)
    assert recovered(cells, relations) == []


# Column F hides nothing but one cell; rows and columns are each two unknowns or one: 9 - 8 = 1.
def test_a_two_way_table_with_one_row_hidden_is_recovered_down_its_columns():
    rows = {"7": {"F": Hidden(5), "M": Hidden(5, "other")}, "8": {"F": 8, "M": 6}}
    cells, relations = two_way(rows, {"7": 10, "8": 14}, {"F": 9, "M": 15})
    assert {known.cell for known in recovered(cells, relations)} == {"7|F", "7|M"}


# 20 children have one fact or more; 10 + 6 + x >= 20 with x of "fewer than 5" leaves x = 4 alone.
def test_categories_that_cover_a_whole_give_the_small_one_away():
    cover = Relation("special", ("health", "religion", "ethnicity"), "cover")
    table = {"special": 20, "health": 10, "religion": 6, "ethnicity": Hidden(5)}
    assert recovered(table, [cover]) == [Known("ethnicity", 4, 4)]


def test_a_part_that_leaves_few_of_its_whole_gives_these_away():
    inside = Relation("children", ("with_text",), "within")
    assert recovered({"children": 210, "with_text": 208}, [inside], 5) == [Known("children without with_text", 2, 2)]
    shown = protect({"children": 210, "with_text": 208}, [inside], 5)
    assert shown == {"children": 210, "with_text": Hidden(5, "rest")}


def _sum_of(rng: np.random.Generator, parts: int) -> tuple[dict[str, int], list[Relation]]:
    counts = {f"p{number}": int(rng.choice([0, *range(1, 12), 40, 300])) for number in range(parts)}
    return {**counts, "all": sum(counts.values())}, [Relation("all", tuple(counts))]


def _nested(rng: np.random.Generator) -> tuple[dict[str, int], list[Relation]]:
    cells, relations = dict[str, int](), list[Relation]()
    for school in range(int(rng.integers(2, 4))):
        years = {f"s{school}y{year}": int(rng.choice([0, 1, 2, 3, 4, 7, 20, 60])) for year in range(3)}
        cells |= {**years, f"s{school}": sum(years.values())}
        relations.append(Relation(f"s{school}", tuple(years)))
        cells[f"s{school}special"] = int(rng.integers(0, cells[f"s{school}"] + 1))
        relations.append(Relation(f"s{school}", (f"s{school}special",), "within"))
    schools = tuple(relation.whole for relation in relations if relation.kind == "sum")
    cells["trust"] = sum(cells[school] for school in schools)
    return cells, [*relations, Relation("trust", schools)]


def _crossed(rng: np.random.Generator) -> tuple[dict[str, int], list[Relation]]:
    rows, columns = (int(rng.integers(2, 4)) for _ in range(2))
    counts = rng.choice([0, 1, 2, 3, 4, 6, 9, 25, 80], size=(rows, columns))
    table = {f"r{r}": {f"c{c}": int(counts[r, c]) for c in range(columns)} for r in range(rows)}
    totals = {f"r{r}": int(counts[r].sum()) for r in range(rows)}
    margin = {f"c{c}": int(counts[:, c].sum()) for c in range(columns)}
    return two_way(table, totals, margin, int(counts.sum()))


def _published(seed: int) -> tuple[dict[str, int], list[Relation]]:
    rng = np.random.default_rng(seed)
    if seed % 5 < 2:
        return _sum_of(rng, int(rng.integers(2, 7)))
    return _nested(rng) if seed % 5 < 4 else _crossed(rng)


def test_of_500_published_tables_the_attacker_recovers_no_hidden_cell():
    tried = 0
    for seed in range(500):
        cells, relations = _published(seed)
        shown = protect(cells, relations, 5)
        tried += sum(isinstance(count, Hidden) for count in shown.values())
        assert recovered(shown, relations, 5) == [], (seed, shown)
        assert all(count == 0 or count >= 5 for count in shown.values() if not isinstance(count, Hidden))
        assert all(shown[name] == count for name, count in cells.items() if not isinstance(shown[name], Hidden))
    assert tried > 500


# The attacker's twin: every way to fill the hidden cells of a small table, counted one by one.
@pytest.mark.parametrize("seed", range(12))
def test_the_attackers_bounds_are_those_of_every_table_that_fits(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 7, size=(2, 2))
    hidden = [(0, 0), (0, 1), (1, 0), (1, 1)] if seed % 2 else [(0, 0), (0, 1)]
    table = {
        f"r{r}": {f"c{c}": Hidden(5, "other") if (r, c) in hidden else int(counts[r, c]) for c in range(2)}
        for r in range(2)
    }
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    known_rows = {f"r{r}": int(rows[r]) for r in range(2)}
    known_columns = {"c0": int(columns[0])} if seed % 3 else {}
    cells, relations = two_way(table, known_rows, known_columns)
    fits = []
    for filled in itertools.product(range(1, 13), repeat=len(hidden)):
        tried = counts.copy()
        for place, value in zip(hidden, filled, strict=True):
            tried[place] = value
        if (tried.sum(axis=1) == rows).all() and (not known_columns or tried[:, 0].sum() == columns[0]):
            fits.append(filled)
    found = bounds(cells, relations)
    for number, (r, c) in enumerate(hidden):
        values = [filled[number] for filled in fits]
        assert (found[f"r{r}|c{c}"].low, found[f"r{r}|c{c}"].high) == (min(values), max(values))


def test_the_parts_of_a_total_are_protected_from_whoever_reads_their_marks():
    for counts in itertools.product((0, 1, 4, 5, 9, 40), repeat=4):
        total = sum(counts)
        if total < 10:  # a total of few people is hidden itself; of 5 to 9, one kind may be all of it
            continue
        shown = tables.hide_parts({str(place): count for place, count in enumerate(counts)}, 5)
        relation = Relation("total", tuple(shown))
        exact = [known for known in recovered({**shown, "total": total}, [relation], 5) if known.width == 0]
        assert exact == [], (counts, shown)


def test_the_answer_is_the_same_every_time_and_hides_the_fewest_people_it_can():
    cells, relations = _published(9)
    assert protect(cells, relations, 5) == protect(cells, relations, 5)
    shown = protect({"people": 553, "children": 210, "staff": 3, "guardians": 340}, [KINDS], 5)
    assert [name for name, count in shown.items() if isinstance(count, Hidden)] == ["children", "staff"]


def test_a_table_whose_total_must_stay_says_what_it_cannot_protect():
    shown = protect({"people": 6, "children": 6, "staff": 0, "guardians": 0}, [KINDS], 5, keep={"people"})
    assert shown["children"] == 6  # nobody few
    kept = protect({"people": 4, "children": 4, "staff": 0, "guardians": 0}, [KINDS], 5, keep={"people"})
    assert recovered(kept, [KINDS], 5) == [Known("children", 4, 4)]
    assert suppression.recovered({"people": Hidden(5), "children": Hidden(5)}, [], 5) == []
