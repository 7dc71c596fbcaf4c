"""Measures of a sensitive column: tables worked by hand, and a slow twin over all values of all classes."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from otrack_risk.display import tables
from otrack_risk.errors import FieldError, FileError, ParameterError
from otrack_risk.risk.anonymity import (
    SensitiveRisk,
    alpha_k,
    beta_likeness,
    delta_disclosure,
    recursive_diversity,
    sensitive_risk,
    t_closeness,
)
from otrack_risk.risk.classes import value_counts
from otrack_risk.risk.counts import ClassValues
from otrack_risk.risk.orders import read_hierarchy, read_order


def counted(*classes: Sequence[Any]) -> ClassValues:
    """The counts of classes that are given value by value."""
    values = sorted({value for own in classes for value in own}, key=lambda value: (value is not None, value))
    runs = [[(values.index(value), count) for value, count in Counter(own).items()] for own in classes]
    ends = np.cumsum([len(own) for own in runs])
    flat = [run for own in runs for run in sorted(own)]
    return ClassValues(
        starts=np.append(0, ends[:-1]).astype(np.int64),
        value=np.array([value for value, _ in flat], dtype=np.int64),
        count=np.array([count for _, count in flat], dtype=np.int64),
        values=pl.Series("need", values),
    )


def near(number: float) -> Any:
    return pytest.approx(number, rel=1e-12, abs=1e-12)


# ---------------------------------------------------------------------------------------------------------------------
# Worked by hand. Two classes of four over a, b, c: (a, a, b, c) and (a, b, b, b). Totals a 3, b 4, c 1 of 8.
HAND = counted("aabc", "abbb")
FOUND = sensitive_risk(HAND)


# First class: r = 2, 1, 1: c for 2 is 2/(1+1) = 1. Second: r = 3, 1: c for 2 is 3/1 = 3, and it has no third value.
def test_c_is_the_largest_over_the_classes_and_is_not_defined_where_a_class_has_too_few_values():
    assert FOUND.recursive_c == {2: 3.0, 3: None}
    assert FOUND.record()["recursive_c"] == {"2": 3.0, "3": None, "reason": "a class has fewer than 3 values"}
    assert "recursive_c: a class has fewer than 3 values" in FOUND.record()["reason"]


# Counts 5, 3, 1, 1: 5/(3+1+1) = 1, 5/(1+1) = 5/2, 5/1 = 5. Counts 4, 4, 2, 2: 4/8, 4/4, 4/2.
# With the rarest value as r_1, as pycanon sorts, the first class would give 1/9 for l = 2.
def test_c_counts_the_commonest_value_first_for_every_l_up_to_the_distinct_l():
    first, second = "aaaaabbbcd", "aaaabbbbccdd"
    assert sensitive_risk(counted(first)).recursive_c == {2: 1.0, 3: 2.5, 4: 5.0}
    assert sensitive_risk(counted(second)).recursive_c == {2: 0.5, 3: 1.0, 4: 2.0}
    assert sensitive_risk(counted(first, second)).recursive_c == {2: 1.0, 3: 2.5, 4: 5.0}


def test_one_value_leaves_no_c():
    assert sensitive_risk(counted("aa", "ab")).recursive_c == {2: None, 3: None}


# q of b in the second class is 3/4, the largest of all. p = (3/8, 4/8, 1/8).
# q/p, first class: a (1/2)/(3/8) = 4/3, b (1/4)/(1/2) = 1/2, c (1/4)/(1/8) = 2; second: a 2/3, b 3/2.
def test_alpha_beta_and_delta_of_two_classes_of_four():
    assert FOUND.alpha == 0.75
    assert FOUND.basic_beta == 1.0  # c: 2 - 1
    assert FOUND.enhanced_beta == 1.0  # gains 1/3, 1, 1/2 against -ln p = ln 8/3 = 0.98, ln 8 = 2.08, ln 2 = 0.69
    assert FOUND.delta_ln == near(math.log(2))  # 1/2 and 2 are equally far; c is absent from the second class
    assert FOUND.delta_log2 == 1.0


# a is 1/2 of the table and 1 of its class: it gains 1, more than ln 2 = 0.69, so no beta will do.
# pycanon's max over s of min(max over j of the gain, -ln p) would be ln 2.
def test_no_beta_is_enhanced_where_a_gain_is_above_the_bound_of_its_value():
    found = sensitive_risk(counted("aa", "bb"))
    assert (found.basic_beta, found.enhanced_beta) == (1.0, None)
    assert "enhanced_beta: a value gains more" in found.record()["reason"]


# A table like its only class: nothing is gained, nothing moves.
def test_one_class_gives_nothing_away_beyond_the_table():
    found = sensitive_risk(counted([1, 1, 2, 3]), hierarchy=[("1", "low"), ("2", "low"), ("3", "high")])
    assert (found.t_equal, found.t_ordered, found.t_hierarchical) == (0.0, 0.0, 0.0)
    assert (found.basic_beta, found.enhanced_beta, found.delta_ln, found.delta_log2) == (0.0, 0.0, 0.0, 0.0)
    assert (found.prior_right, found.posterior_right) == (2, 2)


# Entropy of the classes: (a, a, b, c) 3/2 ln 2; (a, b, b, b) ln 4 - 3/4 ln 3, the smaller. Table: 3/8, 4/8, 1/8.
def test_entropies_and_guesses_of_two_classes_of_four():
    assert FOUND.entropy_l == near(4 / 3**0.75)
    assert FOUND.entropy_nats == near(3 / 8 * math.log(8 / 3) + math.log(2) / 2 + math.log(8) / 8)
    assert FOUND.record()["inference"] == {"prior": 4 / 8, "posterior": 5 / 8}
    assert (FOUND.homogeneous_classes, FOUND.homogeneous_records, FOUND.distinct_l) == (0, 0, 2)


# q - p of the first class: a 1/8, b -2/8, c 1/8: half of 4/8. The second: a -1/8, b 2/8, c -1/8: the same.
# Ordered a < b < c: sums 1/8, -1/8 over 2 places: 2/8 / 2 = 1/8. a < c < b: 1/8, 2/8: 3/8 / 2 = 3/16.
def test_t_by_equal_distance_and_by_two_orders():
    assert (FOUND.t_equal, FOUND.t_ordered, FOUND.reasons["t_ordered"]) == (0.25, None, "no order was given")
    assert sensitive_risk(HAND, order=["a", "b", "c"]).t_ordered == 0.125
    assert sensitive_risk(HAND, order=["a", "c", "b"]).t_ordered == 0.1875


# Li, Li and Venkatasubramanian (2007), section 4: salaries 3k to 11k, once each; the class 3k, 4k, 5k is 0.375 away,
# the class 6k, 8k, 11k is 0.167 away, by ordered distance. The other six of the nine, as one class, are half as far
# from the whole the other way, so that the class of three decides.
def test_ordered_distance_is_that_of_the_example_in_the_paper():
    salaries = [3, 4, 5, 6, 7, 8, 9, 10, 11]
    low, spread = [3, 4, 5], [6, 8, 11]
    assert sensitive_risk(counted(low, [s for s in salaries if s not in low])).t_ordered == near(0.375)
    assert sensitive_risk(counted(spread, [s for s in salaries if s not in spread])).t_ordered == near(1 / 6)


# Two branches of three diseases under one root, so that inside a branch the distance is 1/2.
# p = 1/9 ulcer, 2/9 gastritis, 1/9 cancer, 1/9 flu, 2/9 pneumonia, 2/9 bronchitis.
# Class (ulcer, gastritis, cancer): at the leaves q - p = 2/9, 1/9, 2/9 up, so 5/9 has to come from outside the branch:
# 5/9 over the root (distance 1), and nothing inside: t = 5/9.
# Class (gastritis, flu, bronchitis): 1/9, 2/9, 1/9 up; pneumonia 2/9, ulcer 1/9, cancer 1/9 down. Stomach: -1/9 in
# all, respiratory +1/9: 1/9 over the root; inside stomach min(1/9, 2/9) = 1/9 and inside respiratory
# min(3/9, 2/9) = 2/9, each at 1/2: t = 1/9 + 3/18 = 5/18.
def test_hierarchical_distance_moves_inside_a_branch_at_half_the_price():
    tree = [(d, "stomach", "*") for d in ("ulcer", "gastritis", "cancer")]
    tree += [(d, "respiratory", "*") for d in ("flu", "pneumonia", "bronchitis")]
    one, two = ["ulcer", "gastritis", "cancer"], ["gastritis", "flu", "bronchitis"]
    three = ["bronchitis", "pneumonia", "pneumonia"]
    assert sensitive_risk(counted(one, two + three), hierarchy=tree).t_hierarchical == near(5 / 9)
    found = sensitive_risk(counted(two, one + three), hierarchy=tree)
    assert (found.t_hierarchical, found.root_added) == (near(5 / 18), False)


# a, b under x and c under y, no label above both: a root is added, so that the tree is two high.
# Classes (a, a) and (b, c): p = 1/2, 1/4, 1/4. The first: q - p = a 1/2, b -1/4, c -1/4. Inside x moves 1/4 at 1/2,
# over the root 1/4 at 1: 3/8. The second moves the same back.
def test_several_labels_at_the_highest_level_get_a_root_above_them():
    found = sensitive_risk(counted("aa", "bc"), hierarchy=[("a", "x"), ("b", "x"), ("c", "y")])
    assert (found.t_hierarchical, found.root_added) == (0.375, True)
    assert "under a root that was added" in found.sentence()


# Without any level any two values are one apart under the added root: equal distance.
def test_a_hierarchy_without_levels_is_equal_distance():
    assert sensitive_risk(HAND, hierarchy=[("a",), ("b",), ("c",)]).t_hierarchical == FOUND.t_equal


# The other under x and the other under y are two nodes: (a) and (c) are a whole tree apart, t = 1/2 of it.
def test_one_label_under_two_parents_is_two_nodes():
    rows = [("a", "other", "x", "*"), ("c", "other", "y", "*")]
    assert sensitive_risk(counted("a", "c"), hierarchy=rows).t_hierarchical == 0.5


@pytest.mark.parametrize(
    "table",
    [
        [[1, 2], [10, 10]],
        [[True], [False]],
        [["7", "8"], ["10", "10"]],  # texts, which sort as 10, 7, 8
        [["07"], ["7.5", "1e1"]],
    ],
)
def test_numbers_and_truth_values_have_an_order_of_their_own(table: list[list[Any]]):
    number = [[float(value) for value in own] for own in table]
    found = sensitive_risk(counted(*table))
    assert (found.t_ordered, found.order_given) == (near(twin(number)["t_ordered"]), False)


def test_dates_have_an_order_and_texts_with_a_word_among_them_have_none():
    pupils = pl.DataFrame({"c": [1, 2, 2], "s": ["2026-01-02", "2025-12-31", "2026-03-01"], "word": ["7", "8", "x"]})
    dated = pupils.with_columns(pl.col("s").str.to_date())
    # places 1; 0, 2. Class 1: sums -1/3, 1/3 (1 - 2/3) over 2 places: 1/3. Class 2: 1/2 - 1/3, 1/2 - 2/3: 1/6.
    assert sensitive_risk(value_counts(dated, ["c"], "s")).t_ordered == near(1 / 3)
    assert sensitive_risk(value_counts(pupils, ["c"], "word")).reasons["t_ordered"] == "no order was given"
    assert sensitive_risk(value_counts(pupils, ["c"], "word"), order=["x", "7", "8"]).t_ordered is not None


@pytest.mark.parametrize(
    ("values", "order"),
    [
        ([7, 8], ["8", "7"]),
        ([7.0, 8.5], ["8.5", "7.0"]),
        ([7.0, 8.5], ["8.5", "7"]),
        ([True, False], ["True", "false"]),
    ],
)
def test_values_are_found_in_an_order_as_text(values: list[Any], order: list[str]):
    assert sensitive_risk(counted(values[:1], values[1:]), order=order).order_given is True


def test_a_missing_value_has_no_place_in_an_order():
    for order in (None, ["1", "2"]):
        found = sensitive_risk(counted([None, 1], [2]), order=order)
        assert (found.t_ordered, found.order_given) == (None, None)
        assert "a missing value has no place in an order" in found.record()["reason"]


def test_a_missing_value_is_in_a_hierarchy_that_has_a_row_for_it():
    rows = [("1", "*"), ("2", "*")]
    found = sensitive_risk(counted([None, 1], [2]), hierarchy=rows)
    assert (found.t_hierarchical, found.root_added) == (None, None)
    assert "no row for the missing value" in found.reasons["t_hierarchical"]
    assert sensitive_risk(counted([None, 1], [2]), hierarchy=[*rows, ("", "*")]).t_hierarchical is not None


def test_a_single_value_is_no_distance_from_itself():
    found = sensitive_risk(counted([1, 1], [1]), hierarchy=[("1", "*")])
    assert (found.t_equal, found.t_ordered, found.t_hierarchical, found.entropy_nats) == (0.0, 0.0, 0.0, 0.0)
    assert (found.alpha, found.enhanced_beta, found.delta_log2, found.homogeneous_records) == (1.0, 0.0, 0.0, 3)


# ---------------------------------------------------------------------------------------------------------------------
# The twin: every measure from its definition, in fractions, over all classes and all values of the table.
def twin(classes: list[list[Any]], order: list[Any] | None = None) -> dict[str, Any]:
    everybody = [value for own in classes for value in own]
    values, n = order or sorted(set(everybody)), len(everybody)
    p = {value: Fraction(everybody.count(value), n) for value in values}
    q = [{value: Fraction(own.count(value), len(own)) for value in values} for own in classes]
    gains = [(shares[v] / p[v] - 1, p[v]) for shares in q for v in values]
    ratios = [shares[v] / p[v] for shares in q for v in values if shares[v]]
    least = min(len(set(own)) for own in classes)
    ranked = [sorted((own.count(value) for value in set(own)), reverse=True) for own in classes]
    beta = max(gain for gain, _ in gains)
    return {
        "distinct_l": least,
        "entropy_l": math.exp(min(-sum(float(x) * math.log(x) for x in shares.values() if x) for shares in q)),
        "entropy_nats": -sum(float(x) * math.log(x) for x in p.values()),
        "recursive_c": {
            number: max(r[0] / sum(r[number - 1 :]) for r in ranked) if number <= least else None
            for number in range(2, max(3, least) + 1)
        },
        "t_equal": max(sum(abs(shares[v] - p[v]) for v in values) / 2 for shares in q),
        "t_ordered": max(
            sum(abs(sum(shares[v] - p[v] for v in values[: i + 1])) for i in range(len(values)))
            / max(1, len(values) - 1)
            for shares in q
        ),
        "alpha": max(max(shares.values()) for shares in q),
        "basic_beta": beta,
        "enhanced_beta": beta if all(gain <= 0 or gain <= -math.log(share) for gain, share in gains) else None,
        "delta_ln": max(abs(math.log(ratio)) for ratio in ratios),
        "delta_log2": max(abs(math.log2(ratio)) for ratio in ratios),
        "homogeneous_classes": sum(len(set(own)) == 1 for own in classes),
        "homogeneous_records": sum(len(own) for own in classes if len(set(own)) == 1),
        "prior_right": max(everybody.count(value) for value in values),
        "posterior_right": sum(max(r) for r in ranked),
    }


def transported(classes: list[list[Any]], values: list[Any], distance: Any) -> float:
    """The largest cost of moving a class's shares to those of the table: a linear program a class."""
    everybody, m, worst = [value for own in classes for value in own], len(values), 0.0
    costs = [distance(one, other) for one in values for other in values]
    leaves = np.kron(np.eye(m), np.ones(m))
    arrives = np.kron(np.ones(m), np.eye(m))
    for own in classes:
        shares = [own.count(v) / len(own) for v in values] + [everybody.count(v) / len(everybody) for v in values]
        solved = linprog(costs, A_eq=np.vstack([leaves, arrives])[:-1], b_eq=shares[:-1])
        assert solved.success
        worst = max(worst, solved.fun)
    return worst


CLASSES = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=9), min_size=1, max_size=5)
NUMBERED = st.lists(st.lists(st.integers(-3, 12), min_size=1, max_size=7), min_size=1, max_size=5)
quick = settings(deadline=None, max_examples=60)
few = settings(deadline=None, max_examples=20)


@quick
@given(CLASSES, st.permutations("abcdef"))
def test_every_measure_is_that_of_its_definition(classes: list[list[str]], order: list[str]):
    here = [value for value in order if any(value in own for own in classes)]
    found = sensitive_risk(counted(*classes), order=order)
    for name, expected in twin(classes, here).items():
        if name == "recursive_c":
            assert found.recursive_c == {number: c if c is None else near(c) for number, c in expected.items()}
        else:
            assert getattr(found, name) == (expected if expected is None else near(float(expected))), name


@quick
@given(NUMBERED)
def test_t_over_numbers_of_which_a_class_lacks_most_is_that_of_the_definition(classes: list[list[int]]):
    assert sensitive_risk(counted(*classes)).t_ordered == near(float(twin(classes)["t_ordered"]))


@few
@given(CLASSES)
def test_ordered_t_is_the_cheapest_transport(classes: list[list[str]]):
    values = sorted({value for own in classes for value in own})
    cheapest = transported(
        classes, values, lambda a, b: abs(values.index(a) - values.index(b)) / max(1, len(values) - 1)
    )
    assert sensitive_risk(counted(*classes), order=values).t_ordered == pytest.approx(cheapest, abs=1e-9)


@few
@given(CLASSES, st.lists(st.tuples(*[st.sampled_from("xyz")] * 3), min_size=6, max_size=6), st.booleans())
def test_hierarchical_t_is_the_cheapest_transport_over_the_tree(
    classes: list[list[str]], labels: list[tuple[str, ...]], one_root: bool
):
    rows = [(value, *above, *("*" * one_root)) for value, above in zip("abcdef", labels, strict=True)]
    path = {row[0]: row for row in rows}
    tops = {row[-1] for row in rows}
    height = len(rows[0]) - 1 + (len(tops) > 1)

    def distance(one: str, other: str) -> float:  # height of the lowest node that has the same label and labels above
        for level in range(len(rows[0])):
            if path[one][level:] == path[other][level:]:
                return level / height
        return 1.0

    found = sensitive_risk(counted(*classes), hierarchy=rows)
    assert found.root_added is (len(tops) > 1)
    cheapest = transported(classes, sorted({value for own in classes for value in own}), distance)
    assert found.t_hierarchical == pytest.approx(cheapest, abs=1e-9)


@quick
@given(CLASSES, st.integers(2, 5))
def test_people_who_are_all_there_several_times_change_no_share(classes: list[list[str]], times: int):
    rows = [(value, "v" if value in "abc" else "w") for value in "abcdef"]
    one = sensitive_risk(counted(*classes), order=list("abcdef"), hierarchy=rows)
    many = sensitive_risk(counted(*(own * times for own in classes)), order=list("abcdef"), hierarchy=rows)
    for name in ("t_equal", "t_ordered", "t_hierarchical", "alpha", "basic_beta", "delta_ln", "entropy_l"):
        assert getattr(many, name) == near(getattr(one, name))
    assert many.recursive_c == one.recursive_c
    assert many.posterior_right == times * one.posterior_right


# The same shares with counts whose products do not fit into 64 bits.
@quick
@given(NUMBERED)
def test_counts_beyond_two_to_the_thirty_first_are_measured_alike(classes: list[list[int]]):
    small = counted(*classes)
    large = ClassValues(small.starts, small.value, small.count * 3_000_000_019, small.values)
    rows = [(str(value), str(value % 2), "*") for value in range(-3, 13)]
    one, other = (sensitive_risk(counts, hierarchy=rows) for counts in (small, large))
    for name in ("t_equal", "t_ordered", "t_hierarchical", "basic_beta", "enhanced_beta", "delta_ln", "delta_log2"):
        expected = getattr(one, name)
        assert getattr(other, name) == (expected if expected is None else near(expected)), name
    assert other.recursive_c == one.recursive_c
    assert other.prior_right == one.prior_right * 3_000_000_019


# Four classes of 3, 1, 1 times 2^58: 3/(1+1) and 3/1; class and count do not fit into one number of 64 bits.
def test_c_of_counts_too_large_to_be_packed_with_their_class():
    small = counted(*["aaabc"] * 4)
    large = ClassValues(small.starts, small.value, small.count * 2**58, small.values)
    assert sensitive_risk(large).recursive_c == sensitive_risk(small).recursive_c == {2: 1.5, 3: 3.0}


# ---------------------------------------------------------------------------------------------------------------------
# What is refused, and what is shown.
def test_a_value_outside_the_order_or_the_hierarchy_is_counted_and_not_named():
    with pytest.raises(FieldError, match="order of 'need': 2 of the 3 values in the table are not in it") as caught:
        sensitive_risk(counted(["canary", "a"], ["bird"]), order=["a", "b"], column="need")
    assert "canary" not in str(caught.value)
    with pytest.raises(FieldError, match="hierarchy of 'need': 1 of the 2 values in the table is not in it") as caught:
        sensitive_risk(counted(["canary", "a", None]), hierarchy=[("a", "*")], column="need")
    assert "canary" not in str(caught.value)


def test_an_order_or_a_hierarchy_that_contradicts_itself_is_refused():
    with pytest.raises(ParameterError, match="order of 'need': 1 values are named again"):
        sensitive_risk(HAND, order=["a", "b", "c", "a"], column="need")
    with pytest.raises(ParameterError, match="1 values stand in it again under other labels"):
        sensitive_risk(HAND, hierarchy=[("a", "x"), ("b", "x"), ("c", "x"), ("c", "y")])
    for rows in ([("a", "x"), ("b",)], []):
        with pytest.raises(ParameterError, match="not equally long"):
            sensitive_risk(HAND, hierarchy=rows)


def test_an_order_is_read_from_text_or_from_a_file(tmp_path: Path):
    assert read_order("never seen < now and then<often") == ["never seen", "now and then", "often"]
    path = tmp_path / "levels.txt"
    path.write_bytes("\ufeffbelow <5\r\n\r\n5 to 9\r\ntrès élevé\r\n".encode())
    assert read_order(f"@{path}") == ["below <5", "5 to 9", "très élevé"]
    path.write_bytes("très élevé\n".encode("cp1252"))
    assert read_order(f"@{path}") == ["très élevé"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a<<b", "order: value 2 is empty"),
        ("a<b<a", "order: value 3 is the same as 1"),
        ("", "order: value 1 is empty"),
    ],
)
def test_an_order_with_a_hole_or_a_value_twice_is_refused(text: str, said: str):
    with pytest.raises(ParameterError, match=said):
        read_order(text)


def test_an_order_file_that_is_missing_empty_or_no_text_is_refused_without_its_folder(tmp_path: Path):
    with pytest.raises(FileError, match=r"gone\.txt cannot be opened") as caught:
        read_order(f"@{tmp_path / 'gone.txt'}")
    assert str(tmp_path) not in str(caught.value)
    (tmp_path / "empty.txt").write_text("\n \n")
    with pytest.raises(ParameterError, match=r"empty\.txt: there is no value in it"):
        read_order(f"@{tmp_path / 'empty.txt'}")
    (tmp_path / "binary.txt").write_bytes(b"a\0b")
    with pytest.raises(FileError, match=r"binary\.txt is no text"):
        read_order(f"@{tmp_path / 'binary.txt'}")
    (tmp_path / "twice.txt").write_text("a\n\ncanary\ncanary\n")
    with pytest.raises(ParameterError, match=r"twice\.txt: line 4 is the same as 3") as caught:
        read_order(f"@{tmp_path / 'twice.txt'}")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_of_a_hierarchy_is_detected(tmp_path: Path, delimiter: str):
    path = tmp_path / "need.csv"
    quoted = f'"a{delimiter}b"'
    path.write_bytes(f"\ufeff{quoted}{delimiter}x{delimiter}*\r\nc{delimiter} x {delimiter}*\r\n".encode())
    assert read_hierarchy(path) == [(f"a{delimiter}b", "x", "*"), ("c", "x", "*")]


def test_commas_inside_labels_do_not_part_a_hierarchy_with_semicolons(tmp_path: Path):
    path = tmp_path / "age.csv"
    path.write_text("5;[5, 10[;*\n6;[5, 10[;*\n")
    assert read_hierarchy(path) == [("5", "[5, 10[", "*"), ("6", "[5, 10[", "*")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("canary;x;*\ncanary;y;*\n", "row 2 has the value of row 1 under other labels"),
        ("canary;x;*\n\nbird;x\n", "row 3 has 2 fields, the first row 3"),
        ("canary\nbird\n", "its rows have one field only"),
        ("\n", "there is no row in it"),
    ],
)
def test_a_hierarchy_is_refused_by_file_and_row_and_never_by_value(tmp_path: Path, content: str, said: str):
    path = tmp_path / "need.csv"
    path.write_text(content)
    with pytest.raises(FileError, match=said) as caught:
        read_hierarchy(path)
    assert "canary" not in str(caught.value)
    assert "need.csv" in str(caught.value)


# Year 7 (a, a, b), year 8 (a, b, b): c for 2 is 2/1, alpha 2/3, k 3; q/p = (2/3)/(1/2) = 4/3 and (1/3)/(1/2) = 2/3.
def test_public_functions_give_the_numbers_of_the_one_result():
    pupils = pl.DataFrame({"year": [7] * 3 + [8] * 3, "need": list("aababb")})
    assert recursive_diversity(pupils, ["year"], sensitive="need") == {2: 2.0, 3: None}
    assert alpha_k(pupils, ["year"], sensitive="need") == (near(2 / 3), 3)
    basic, enhanced = beta_likeness(pupils, ["year"], sensitive="need")
    assert (basic, enhanced) == (near(1 / 3), basic)
    assert delta_disclosure(pupils, ["year"], sensitive="need") == near(math.log(3 / 2))


# q - p = 1/6 for a and -1/6 for b. One place apart of one; one label apart of a tree one high.
def test_t_closeness_names_its_distance_or_says_why_there_is_none():
    pupils = pl.DataFrame({"year": [7] * 3 + [8] * 3, "need": list("aababb")})
    by_order = t_closeness(pupils, ["year"], sensitive="need", distance="ordered", order=["b", "a"])
    assert (by_order.t, by_order.record()["distance"]) == (near(1 / 6), "ordered")
    assert "16.7 % of the way between the two ends of the order" in by_order.sentence()
    rows = [("a", "*"), ("b", "*")]
    assert t_closeness(pupils, ["year"], sensitive="need", distance="hierarchical", hierarchy=rows).t == near(1 / 6)
    without = t_closeness(pupils, ["year"], sensitive="need", distance="hierarchical")
    assert (without.record()["t"], without.record()["reason"]) == (None, "no hierarchy was given")
    assert "is not defined for need: no hierarchy was given" in without.sentence()
    assert "reason" not in t_closeness(pupils, ["year"], sensitive="need").record()
    with pytest.raises(ParameterError, match="equal, ordered, hierarchical"):
        t_closeness(pupils, ["year"], sensitive="need", distance="near")  # type: ignore[arg-type]


CONTRACT = """distinct_l entropy_l entropy_nats recursive_c t_equal t_ordered t_hierarchical alpha basic_beta
enhanced_beta delta_ln delta_log2 homogeneous_classes homogeneous_records inference"""


@pytest.mark.parametrize("order", [None, ["canary", "bird", "cat"]])
def test_the_result_shows_itself_and_holds_no_cell_of_the_table(order: list[str] | None):
    result: SensitiveRisk = sensitive_risk(
        counted(["canary", "bird"], ["cat", "cat", "bird"]), order=order, column="pet"
    )
    record = json.dumps(tables.plain(result.record()), allow_nan=False)
    everything = json.dumps(result._repr_mimebundle_(), default=str) + str(result) + record
    assert not any(value in everything for value in ("canary", "bird", 'cat"'))
    assert set(CONTRACT.split()) <= result.record().keys()
    assert "4 of 5 (80 %)" not in result.sentence()  # the best guess is right for 1 + 2 of 5
    assert "right for 3 of 5 (60 %), against 2 (40 %) with nothing known" in result.sentence()
    assert "pet" in result.sentence()


@pytest.mark.parametrize("known", [["sex"], ["sex", "race"]])
def test_a_hierarchy_of_a_published_table_is_read_and_used(reference_data: Path, known: list[str]):
    peers = reference_data / "peers"
    table = pl.read_csv(peers / "adult_arx.csv", separator=";", infer_schema=False).head(400)
    rows = read_hierarchy(peers / "adult_arx_hierarchy_education.csv")
    found = sensitive_risk(value_counts(table, known, "education"), hierarchy=rows)
    values = table["education"].unique().to_list()
    classes = [own["education"].to_list() for own in table.partition_by(known)]
    path, height = {row[0]: row for row in rows}, len(rows[0]) - 1

    def distance(one: str, other: str) -> float:
        return next(level for level in range(height + 1) if path[one][level] == path[other][level]) / height

    assert found.t_hierarchical == pytest.approx(transported(classes, values, distance), abs=1e-9)
