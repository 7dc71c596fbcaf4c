"""What if something is taken away; what differs; and who reaches a thing."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otrack_risk import access
from otrack_risk.access.change import compared, without
from otrack_risk.access.change.differs import AccessChange, Differs
from otrack_risk.access.model import build
from otrack_risk.access.who import who_reaches
from otrack_risk.display.tables import Hidden
from otrack_risk.errors import ParameterError

DAY = date(2026, 1, 31)
HELD = [
    (None, "Staff", "identity", "view", "school"),
    (None, "class_teacher", "sen", "view", "school"),
    (None, "slt", "medical", "view", "school"),
    ("head", None, "contact", "edit", "school"),
]
MEMBERS = [("one", "class_teacher"), ("head", "slt"), ("slt", "Staff"), ("class_teacher", "Staff")]


def grants_of(small, held=HELD, members=MEMBERS):
    columns = ["account", "role", "category", "verb", "scope"]
    rows = pl.DataFrame(held, schema=dict.fromkeys(columns, pl.String), orient="row").with_row_index("line", offset=2)
    rows = rows.with_columns(source=pl.lit("g.csv"))
    return build(
        rows,
        pl.DataFrame(members, schema=["member", "role"], orient="row"),
        small.accounts,
        name="g",
    )


def held(grants):
    return set(grants.rows.select("account", "category").iter_rows())


def test_without_an_account_its_grants_and_memberships_are_gone_and_others_stay(small):
    left = without(grants_of(small), accounts=["head"])
    assert held(left) == {("one", "sen"), ("one", "identity")}
    assert "head" not in left.accounts["account"].to_list()


def test_without_a_role_named_in_our_words_or_the_sources_all_that_comes_through_it_is_gone(small):
    grants = grants_of(small)
    assert held(without(grants, roles=["Senior leadership"])) == {
        ("one", "sen"),
        ("one", "identity"),
        ("head", "contact"),
    }
    assert held(without(grants, roles=["Staff"])) == {("one", "sen"), ("head", "medical"), ("head", "contact")}


def test_without_a_category_or_a_line_just_that_is_gone(small):
    grants = grants_of(small)
    assert held(without(grants, categories=["SEN"])) == held(grants) - {("one", "sen")}
    assert held(without(grants, lines=[("g.csv", 2)])) == held(grants) - {("one", "identity"), ("head", "identity")}


# Nobody is in slt any more, and it holds nothing: what it inherits must not reach "slt" as if it were an account.
def test_a_role_that_lost_everybody_does_not_become_an_account(small):
    members = [("ann", "lead"), ("lead", "Staff"), ("one", "class_teacher")]
    grants = grants_of(small, HELD[:2], members)
    assert ("ann", "identity") in held(grants)
    left = without(grants, accounts=["ann"])
    assert held(left) == {("one", "sen")}
    assert {each.account for each in access.reach(left, small.dataset(), as_of=DAY).accounts} == {
        *small.accounts["account"]
    }


@pytest.mark.parametrize(
    "named", [{"accounts": ["nobody"]}, {"roles": ["nobody"]}, {"categories": ["images"]}, {"lines": [("g.csv", 99)]}]
)
def test_a_what_if_of_nothing_is_refused_without_repeating_the_name(small, named):
    with pytest.raises(ParameterError) as refused:
        without(grants_of(small), **named)
    assert "nobody" not in str(refused.value)
    assert "1 of 1 named" in str(refused.value)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(["one", "head"])), st.sets(st.sampled_from(["slt", "class_teacher", "Staff"])))
def test_taking_away_never_gives_anybody_anything(small, accounts, roles):
    grants = grants_of(small)
    left = without(grants, accounts=accounts, roles=roles)
    assert held(left) <= held(grants)


def change(small, **named):
    grants = grants_of(small)
    before = access.reach(grants, small.dataset(), as_of=DAY)
    return compared(before, access.reach(without(grants, **named), small.dataset(), as_of=DAY))


# School A has Ada, Ben and Cem; Mr One sees all three with identity through Staff, and SEN through class_teacher.
def test_before_and_after_are_told_in_children_by_role_and_category(small):
    found = change(small, categories=["identity"])
    assert [(each.what, each.before, each.after) for each in found.by_category()] == [
        ("category: Medical", 3, 3),
        ("category: Special educational needs", 3, 3),
        ("category: Contact, address, family", 3, 3),
        ("category: Identity", 3, 0),
    ]
    gone = [square for square in found.squares if square.category == "identity"]
    assert [(square.role, square.seen.before, square.seen.after, square.letter) for square in gone] == [
        ("slt", 3, 0, "-"),
        ("class_teacher", 3, 0, "-"),
    ]
    assert set(found.lost) == {("slt", "identity", "view"), ("class_teacher", "identity", "view")}


# Mr One was alone in class_teacher, which is left holding its grant for nobody.
def test_findings_that_go_and_that_come_are_counted(small):
    found = change(small, accounts=["one"])
    assert sum(found.gone.values()) > 0
    assert found.new == {"grant_to_nobody": 1}


def test_nothing_changes_between_an_answer_and_itself(small):
    seen = access.reach(grants_of(small), small.dataset(), as_of=DAY)
    found = compared(seen, seen)
    assert all(each.fewer == 0 for each in (*found.headlines, *found.by_role()))
    assert (found.gone, found.new, found.lost) == ({}, {}, ())
    assert found.table().height == 3


def test_published_answers_cannot_be_compared(small):
    seen = access.reach(grants_of(small), small.dataset(), as_of=DAY)
    with pytest.raises(ParameterError):
        compared(seen.published(), seen)


def test_on_paper_small_counts_and_small_differences_are_hidden(small):
    shown = change(small, categories=["identity"]).published()
    counts = [count for square in shown.squares for count in (square.seen.before, square.seen.after)]
    assert all(count == 0 or isinstance(count, Hidden) for count in counts)
    near = Differs("x", 400, 397).published(5, 900)
    assert (near.before, near.after, near.fewer) == (400, Hidden(5, "other"), Hidden(5, "other"))


def test_the_figure_of_a_change_is_the_same_twice_and_says_more_and_fewer(small):
    from otrack_risk.display.figures import svg

    found = change(small, categories=["identity"])
    assert isinstance(found, AccessChange)
    one, two = (svg(found.figure()) for _ in range(2))
    assert one == two
    assert found.published().figure() is not None


def test_who_reaches_a_category_is_told_by_role(small):
    seen = access.reach(grants_of(small), small.dataset(), as_of=DAY)
    found = who_reaches(seen, "identity")
    assert [(cell.role, cell.accounts, cell.children) for cell in found.cells] == [
        ("slt", 1, 3),
        ("class_teacher", 1, 3),
    ]
    assert "2 roles" in found.sentence()
    assert who_reaches(seen, "images").cells == ()
    assert "fewer than 5" in str(found.published())
    with pytest.raises(ParameterError):
        who_reaches(seen, "horoscope")


def test_on_paper_no_word_of_the_file_stands(small):
    lines = [("one", "night watch", "horoscope", "view", "school"), ("one", "night watch", "sen", "view", "school")]
    before, after = (access.reach(small.grants(*some), small.dataset(), as_of=DAY) for some in (lines, lines[:1]))
    shown = compared(before, after).published()
    text = str(shown) + str(shown.record())
    assert "night watch" not in text
    assert "horoscope" not in text
    assert "role 1 (not in the matrix)" in text
