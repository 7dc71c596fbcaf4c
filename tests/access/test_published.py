"""What a page may have of it: no name of an account, no word of the file, no small number of children."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest

from otrack_risk import access, frames
from otrack_risk.display import figures
from otrack_risk.display.tables import Hidden, plain

DAY = date(2026, 1, 31)


@pytest.fixture
def planted():
    """Two schools of 20 and 5 children; every text cell of the grants that can, holds a marker."""
    pupils = pl.DataFrame(
        {
            "pupil_id": [f"CANARY-pupil-{n}" for n in range(25)],
            "school_id": ["CANARY-school-A"] * 20 + ["CANARY-school-B"] * 5,
            "class_id": ["CANARY-class-1"] * 3 + ["CANARY-class-2"] * 17 + ["CANARY-class-3"] * 5,
            "year_group": [1] * 25,
            "sen_provision": ["K"] * 2 + ["N"] * 23,
        }
    )
    accounts = pl.DataFrame(
        {
            "account": ["CANARY-a", "CANARY-b", "CANARY-c", "CANARY-d", "CANARY-off"],
            "person_kind": ["staff", "staff", "CANARY-kind", None, "staff"],
            "person_id": ["CANARY-p", "CANARY-q", None, None, "CANARY-r"],
            "school_id": ["CANARY-school-A", "CANARY-school-A", None, None, None],
            "enabled": [True, True, True, True, False],
            "last_login": [DAY, date(2020, 1, 1), DAY, None, None],
        }
    )
    grants = pl.DataFrame(
        [
            ("CANARY-a", "class_teacher", "identity", "view", "class:CANARY-class-1"),
            ("CANARY-a", "class_teacher", "medical", "view", "school"),
            ("CANARY-b", "headteacher", "identity", "export", "school"),
            ("CANARY-b", "headteacher", "sen", "view", "class:CANARY-class-2"),
            ("CANARY-b", "senco", "sen", "view", "register"),
            ("CANARY-c", "CANARY-role", "identity", "view", "all"),
            ("CANARY-c", "CANARY-role", "CANARY-category", "view", "all"),
            ("CANARY-d", "CANARY-role-2", "identity", "CANARY-verb", "all"),
            ("CANARY-d", "ta", "identity", "view", "CANARY-scope"),
            ("CANARY-off", "CANARY-role-3", "identity", "view", "all"),
        ],
        schema=["account", "role", "category", "verb", "scope"],
        orient="row",
    )
    tables = {"pupils": pupils, "accounts": accounts, "grants": grants}
    data = frames.Dataset("d", {n: frames.Table(n, rows, n, "", rows.height) for n, rows in tables.items()})
    return access.asked_of(data, as_of=DAY).access


def pages(shown):
    """Everything that a page could show of a result."""
    figure = shown.figure()
    texts = [shown.sentence(), str(shown), json.dumps(plain(shown.record())), shown.table().write_csv()]
    if figure is not None:
        texts += [figures.svg(figure), *(text.get_text() for axes in figure.axes for text in axes.texts)]
        texts += [
            label.get_text() for axes in figure.axes for label in (*axes.get_yticklabels(), *axes.get_xticklabels())
        ]
        texts.append(figure.get_suptitle())
    return texts


def test_the_exact_record_names_accounts_and_words_as_they_are(planted):
    told = json.dumps(plain(planted.record()))
    for word in ("CANARY-a", "CANARY-role", "CANARY-category", "CANARY-verb"):
        assert word in told


def test_no_page_has_a_name_of_an_account_or_a_word_of_the_file(planted):
    shown = planted.published()
    for result in (
        shown,
        shown.ladder(),
        shown.findings_table(),
        planted.ladder().published(),
        planted.findings_table().published(),
    ):
        for text in pages(result):
            assert "CANARY" not in text
    bundle = planted._repr_mimebundle_()
    assert "CANARY" not in json.dumps(bundle)


def test_words_that_no_table_has_become_numbers(planted):
    shown = planted.published()
    assert [role.label for role in shown.roles] == [
        "Headteacher", "SEN coordinator", "Class teacher", "Teaching assistant",
        "role 1 (not in the matrix)", "role 2 (not in the matrix)",
    ]  # fmt: skip
    assert "category 1 (not in the tables)" in {cell.category for cell in shown.cells}
    assert "verb 1 (not in the tables)" in {cell.verb for cell in shown.cells}


# Of 25 children: class 1 has 3 (few), the school has 20 (the rest is 5: shown), everybody is 25 (shown); class 2
# has 17, and 20 - 17 would tell of class 1.
def test_cells_that_count_few_children_or_all_but_few_are_hidden(planted):
    shown = {(cell.role, cell.category, cell.verb): cell.children for cell in planted.published().cells}
    assert shown["class_teacher", "identity", "view"] == Hidden(5)
    assert shown["senco", "sen", "view"] == Hidden(5)
    assert shown["class_teacher", "medical", "view"] == 20
    assert shown["headteacher", "sen", "view"] == Hidden(5, "other")
    assert shown["role 1 (not in the matrix)", "identity", "view"] == 25
    eight = {(cell.role, cell.category, cell.verb): cell.children for cell in planted.published(8).cells}
    assert eight["class_teacher", "medical", "view"] == Hidden(8, "rest")
    assert eight["headteacher", "sen", "view"] == 17


def test_accounts_are_numbered_by_reach_and_those_unknown_or_switched_off_left_out(planted):
    shown = planted.published()
    assert [(each.account, each.children) for each in shown.accounts] == [
        ("account 1", 25), ("account 2", 20), ("account 3", 20),
    ]  # fmt: skip
    assert shown.record()["accounts_enabled"] == 4


def test_a_page_tells_of_the_ten_widest_accounts(small):
    lines = [(f"head{n}", "headteacher", "identity", "view", "all") for n in range(12)]
    shown = small.reach(*lines).published()
    assert [each.account for each in shown.accounts] == [f"account {n}" for n in range(1, 11)]
    assert len(small.reach(*lines).accounts) == 19


# Ada alone is on the register of A: 1 child, hidden; so is everything that would give the number away.
def test_what_would_give_a_hidden_reach_away_is_hidden_with_it(small):
    small.tables["pupils"] = pl.concat(
        [small.tables["pupils"].with_columns(pupil_id=pl.col("pupil_id") + str(n)) for n in range(9)]
    )
    shown = small.reach(
        ("head", "parent", "identity", "view", "class:A2"), ("one", "class_teacher", "identity", "view", "all")
    ).published(10)
    told = shown.accounts[1]
    assert told.children == told.blast_radius == told.over_privilege == Hidden(10)
    assert shown.accounts[0].children == 45
    assert json.dumps(plain(shown.record()))


# Of 90 children 20 have SEN and 3 more are looked after. The head's register has 23, the SENCO's 20: 23 - 20 would
# tell of the 3.
def test_a_count_that_lies_few_under_another_is_hidden_with_it(small):
    pupils = pl.DataFrame({"pupil_id": [str(n) for n in range(90)], "school_id": "A"}).with_row_index("n")
    small.tables["pupils"] = pupils.with_columns(
        sen_provision=pl.when(pl.col("n") < 20).then(pl.lit("K")).otherwise(pl.lit("N")),
        looked_after=pl.col("n").is_in([20, 21, 22]),
    )
    seen = small.reach(("head", "dsl", "safeguarding", "view", "register"), ("one", "senco", "sen", "view", "register"))
    assert [each.children for each in seen.accounts[:2]] == [23, 20]
    shown = seen.published()
    assert [cell.children for cell in shown.cells if cell.accounts] == [23, Hidden(5, "other")]
    for number in ("children", "special_category_children"):
        assert [getattr(each, number) for each in shown.accounts[:2]] == [23, Hidden(5, "other")]


# Identity of 90 and the SEN of 3: 2 x 90 + 4 x 3 = 192; exact, it would tell of the 3.
def test_weighted_sums_on_paper_are_round(small):
    small.tables["pupils"] = pl.DataFrame(
        {"pupil_id": [str(n) for n in range(90)], "school_id": "A", "class_id": ["A1"] * 3 + ["A2"] * 87}
    )
    seen = small.reach(
        ("head", "headteacher", "identity", "view", "school"), ("head", "headteacher", "sen", "view", "class:A1")
    )
    assert seen.accounts[0].blast_radius == 192
    shown = seen.published().accounts[0]
    assert (shown.children, shown.special_category_children, shown.blast_radius) == (90, Hidden(5), Hidden(5))
    assert seen.published(2).accounts[0].blast_radius == 190


def test_publishing_twice_changes_nothing(planted):
    assert planted.published().published() == planted.published()


def test_findings_on_paper_are_counted_and_not_listed(planted):
    told = planted.published().record()["findings"]
    assert {each["account"] for each in told} == {None}
    assert all({"id", "severity", "account", "why", "mend", "accounts", "reason"} <= set(each) for each in told)
    assert {(each["id"], each["accounts"]) for each in told if each["id"] == "dormant_account"} == {
        ("dormant_account", Hidden(5))
    }


# 0, 3 of 25, 20, 20, and one that cannot be told: bands of nobody, 1 to 30, not known.
def test_the_ladder_counts_enabled_accounts_by_reach(planted):
    ladder = planted.ladder()
    assert ladder.bands == {"nobody": 0, "1 to 30": 3, "not known": 1}
    assert ladder.sentence() == "3 of 4 enabled accounts can see 1 to 30 children each; the widest can see 25 of 25."
    assert sum(ladder.bands.values()) == ladder.accounts


def test_the_ladder_says_where_nothing_was_counted(small):
    ladder = access.reach(small.grants(("one", "ta", "identity", "view", "group")), None, as_of=DAY).ladder()
    assert ladder.record()["reason"] == "no pupils were given"
    assert "not known" in ladder.sentence()


def test_the_same_grants_make_the_same_picture(planted):
    assert figures.svg(planted.published().figure()) == figures.svg(planted.published().figure())


@pytest.mark.parametrize("hide_below", [1, 5, 30])
def test_no_small_number_of_children_stands_in_a_published_record(planted, hide_below):
    record = plain(planted.published(hide_below).record())
    counts = [cell["children"] for cell in record["cells"]] + [each["children"] for each in record["accounts"]]
    for count in counts:
        assert (
            count is None
            or isinstance(count, dict)
            or count == 0
            or (count >= hide_below and 25 - count in {0, *range(hide_below, 26)})
        )
