from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk.access.accounts import NO_LOG
from otrack_risk.access.model import Grants
from otrack_risk.access.needed import with_given
from otrack_risk.access.use import Used, read_log
from otrack_risk.access.use.log import Log
from otrack_risk.access.use.terms import terms_of
from otrack_risk.access.use.unused import excess, states
from otrack_risk.errors import FieldError, FileError, ParameterError, TableError

DAY = date(2026, 1, 31)  # a Saturday


def log(*lines, columns=("account", "at", "category", "verb")):
    return pl.DataFrame([*lines], schema=list(columns), orient="row")


def whole_year(*lines):
    """The lines, with others of an account that keeps the log running from its first school day to its last."""
    quiet = [("quiet", date(2025, 2, 2), "identity", "view"), ("quiet", date(2026, 1, 30), "identity", "view")]
    return Used.of(log(*quiet, *lines), as_of=DAY)


def held(*cells, since=date(2020, 1, 1)):
    """Grants of account, category, verb over the whole school, and one line a verb that each gives."""
    rows = pl.DataFrame([(*cell[:3], cell[3] if len(cell) > 3 else since) for cell in cells],
                        schema={"account": pl.String, "category": pl.String, "verb": pl.String, "valid_from": pl.Date},
                        orient="row").with_columns(role=pl.lit("slt"), scope=pl.lit("all"))  # fmt: skip
    grants = Grants.from_frame(rows)
    given_too = pl.Series([with_given(verb, "all") for verb in grants.rows["verb"]], dtype=pl.List(pl.String))
    return grants, grants.rows.with_columns(verb=given_too, strength=pl.lit(20)).explode("verb")


def state(used, grants, lines, look_back="year"):
    return {tuple(row[:3]): row[3] for row in states(used, grants, lines, look_back).iter_rows()}


# --- school days


# February 2026: half-term from the 12th for nine days leaves 2-6, 9-11 and 23-27.
def test_school_days_are_weekdays_outside_the_holidays():
    assert terms_of().school_days(date(2026, 2, 1), date(2026, 2, 28)) == 5 + 3 + 5


def test_a_year_of_typical_terms_has_about_190_school_days():
    # 190 days in session are usual in England; the typical holidays leave out bank holidays and training days
    assert 185 <= terms_of().school_days(date(2024, 9, 1), date(2025, 8, 31)) <= 197


@given(day=st.dates(date(2024, 1, 1), date(2027, 12, 31)), number=st.integers(1, 120))
@settings(max_examples=25, deadline=None)
def test_the_look_back_of_so_many_school_days_holds_so_many_and_begins_on_one(day, number):
    terms = terms_of()
    first = terms.back(day, number)
    assert terms.is_school_day(first)
    assert terms.school_days(first, day) == number


def test_a_schools_own_holidays_count_for_the_school_years_that_they_name(tmp_path):
    own = tmp_path / "terms.toml"
    own.write_text('[[holiday]]\nname = "winter"\nfirst = 2025-12-15\nlast = 2026-01-09\n', "utf-8")
    terms = terms_of(own)
    assert terms.is_school_day(date(2025, 10, 28))  # typical half-term, of which the school names none
    assert not terms.is_school_day(date(2026, 1, 9))
    assert not terms.is_school_day(date(2024, 10, 28))  # another school year
    assert not terms.assumed
    assert terms_of().assumed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[holiday]]\nname = "w"\nfirst = 2025-12-15\n', "'last' is lacking"),
        ('[[holiday]]\nname = "w"\nfirst = 2025-12-15\nlast = 2025-12-01\n', "no days of one holiday"),
        ('[[holidays]]\nname = "w"\n', "'holidays' is not understood"),
        ('[[annual]]\nname = "a"\nmonths = [13]\ncategories = ["sen"]\nverbs = ["view"]\n', "numbers from 1 to 12"),
        ('[[annual]]\nname = "a"\nmonths = [1]\ncategories = ["lockers"]\nverbs = ["view"]\n', "not understood"),
    ],
)
def test_a_file_of_terms_that_is_not_understood_is_refused_by_entry(tmp_path, text, said):
    own = tmp_path / "terms.toml"
    own.write_text(text, "utf-8")
    with pytest.raises(ParameterError, match=said):
        terms_of(own)


def test_a_file_of_terms_that_is_none_is_refused(tmp_path):
    with pytest.raises(FileError):
        terms_of(tmp_path / "none.toml")
    (tmp_path / "terms.toml").write_text("winter", "utf-8")
    with pytest.raises(FileError, match="no TOML"):
        terms_of(tmp_path / "terms.toml")


# --- the log


def test_lines_are_counted_by_account_category_and_verb_whatever_the_log_calls_them():
    used = Used.of(
        log(
            ("ann", "2026-01-30 09:00:00", "SEND", "read"),
            (" ann ", "2026-01-30T09:01:00", "sen", "View"),
            ("ann", "30/01/2026", "Special needs", "rw"),
            ("bob", "30/01/2026 10:00", "lockers", "bless"),
            columns=("User name", "Timestamp", "screen", "Action"),
        )
    )
    assert used.cells.select("account", "category", "verb", "year").rows() == [
        ("ann", "sen", "edit", 1),
        ("ann", "sen", "view", 3),
        ("bob", "lockers", "bless", 1),
    ]
    assert len(used.notes) == 2  # one line has a category, one a verb that is not known
    assert all("of 4 lines, 1 have" in note for note in used.notes)


def test_what_does_not_count_is_counted():
    used = Used.of(
        log(
            ("ann", "2026-01-30", "sen", "view"),
            (None, "2026-01-30", "sen", "view"),
            ("  ", "never", "sen", "view"),
            ("ann", "never", "sen", "view"),
            ("ann", None, "sen", "view"),
            ("ann", "2026-02-01", "sen", "view"),
        ),
        as_of=DAY,
    )
    assert {each.why: each.rows for each in used.skipped} == {
        "no account": 2,
        "no day that can be read": 2,
        "after the day told of": 1,
    }
    assert (used.seen, used.kept) == (6, 1)


def test_a_time_with_an_offset_is_of_the_london_day():
    # 23:30 in Greenwich is half past midnight in London in summer, and the same day in winter
    text = [("ann", at, "sen", "view") for at in ("2025-07-01T23:30:00Z", "2025-12-01T23:30:00+00:00")]
    zoned = pl.DataFrame({"at": ["2025-07-01 23:30", "2025-12-01 23:30"]}).select(
        account=pl.lit("ann"),
        at=pl.col("at").str.to_datetime(time_zone="UTC"),
        category=pl.lit("sen"),
        verb=pl.lit("view"),
    )
    for each in (log(*text), zoned):
        used = Used.of(each, as_of=date(2025, 12, 1))
        assert used.cells.select("first", "last").row(0) == (date(2025, 7, 2), date(2025, 12, 1))


def test_a_log_without_a_column_or_a_usable_line_is_refused():
    with pytest.raises(FieldError, match="no column verb"):
        Used.of(log(("ann", DAY, "sen"), columns=("account", "at", "category")))
    with pytest.raises(TableError):
        Used.of(log(("ann", "never", "sen", "view")))
    with pytest.raises(TableError):
        Used.of(log(("ann", DAY, "sen", "view")).clear())
    many = pl.DataFrame({"verb": [f"page {number}" for number in range(70_000)]})
    with pytest.raises(TableError, match="70,000 different words in 'verb'"):
        Used.of(many.with_columns(account=pl.lit("ann"), at=pl.lit(DAY), category=pl.lit("sen")))
    with pytest.raises(ParameterError, match="break_glass"):
        Used.of(log(("ann", DAY, "sen", "view")), break_glass=["lockers"])


def test_a_log_that_begins_or_ends_inside_the_look_back_does_not_tell_of_it():
    late = Used.of(log(("ann", date(2025, 3, 3), "sen", "view"), ("ann", date(2026, 1, 30), "sen", "view")), as_of=DAY)
    assert late.look_back("term").reason == ""
    assert late.look_back("year").reason.startswith("the log begins on 2025-03-03")
    over = Used.of(log(("ann", date(2024, 3, 3), "sen", "view"), ("ann", date(2026, 1, 22), "sen", "view")), as_of=DAY)
    assert over.look_back("year").reason.startswith("the log ends on 2026-01-22")  # six school days before
    just = Used.of(log(("ann", date(2024, 3, 3), "sen", "view"), ("ann", date(2026, 1, 23), "sen", "view")), as_of=DAY)
    assert just.longest() == just.look_back("year")
    assert not just.look_back("year").reason


WORDS = st.sampled_from(["sen", "SEND", "medical", "contact", "lockers", ""])
LINES = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", " ann", None]),
        st.dates(date(2025, 1, 1), date(2026, 2, 5)),
        WORDS,
        st.sampled_from(["view", "rw", "export", "bless"]),
    ),
    min_size=1,
    max_size=40,
)


@given(lines=LINES, as_text=st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_count_equals_one_made_line_by_line(lines, as_text):
    good = [(a.strip(), day, c or "(empty)", v) for a, day, c, v in lines if a is not None and day <= DAY]
    if not good:
        return
    schema = {"account": pl.String, "at": pl.Date, "category": pl.String, "verb": pl.String}
    rows = pl.DataFrame(lines, schema=schema, orient="row")
    if as_text:
        rows = rows.with_columns(pl.col("at").dt.strftime("%d/%m/%Y 09:30"))
    used = Used.of(rows, as_of=DAY)
    ours, means = {"SEND": "sen"}, {"rw": ["view", "edit"]}
    begins = {"term": terms_of().back(DAY, 90), "year": DAY - timedelta(days=364)}
    for name, first in begins.items():
        expected = Counter(
            (a, ours.get(c, c), verb) for a, day, c, v in good if day >= first for verb in means.get(v, [v])
        )
        assert {row[:3]: row[3] for row in used.cells["account", "category", "verb", name].rows() if row[3]} == expected
    assert used.kept == len(good)


CLIENTS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 59), st.sampled_from("abcd")), min_size=1, max_size=30
)


@given(lines=CLIENTS)
@settings(max_examples=30, deadline=None)
def test_clients_at_once_are_those_within_the_same_ten_minutes(lines):
    rows = [(who, f"2026-01-30 09:{minute:02}", "sen", "view", client) for who, minute, client in lines]
    used = Used.of(log(*rows, columns=("account", "at", "category", "verb", "device")))
    slots: dict[tuple[str, int], set[str]] = {}
    for who, minute, client in lines:
        slots.setdefault((who, minute // 10), set()).add(client)
    most = {who: max(len(found) for (whose, _), found in slots.items() if whose == who) for who, _, _ in lines}
    told = dict(used.accounts.select("account", "together").iter_rows())
    assert {who: number for who, number in told.items() if number} == {w: n for w, n in most.items() if n >= 3}


def test_the_log_of_a_folder_is_its_table_of_that_name(tmp_path):
    log(("ann", "2026-01-30", "sen", "view")).write_csv(tmp_path / "access_log.csv")
    log(("bob", "2026-01-30", "sen", "view")).write_csv(tmp_path / "other.csv")
    assert read_log(tmp_path).accounts["account"].to_list() == ["ann"]
    assert read_log(tmp_path / "other.csv").accounts["account"].to_list() == ["bob"]


def test_no_row_of_the_log_is_in_its_record_or_its_repr():
    used = Used.of(log(("canary-account", DAY, "sen", "view")))
    assert "canary" not in str(used.record()) + repr(used)


# --- what is held and was not used


def test_use_of_a_verb_is_use_of_what_it_gives():
    grants, lines = held(("ann", "sen", "edit"), ("ann", "behaviour", "edit"))
    found = state(whole_year(("ann", DAY, "sen", "edit"), ("ann", DAY, "behaviour", "view")), grants, lines)
    assert found == {
        ("ann", "sen", "view"): "used",
        ("ann", "sen", "edit"): "used",
        ("ann", "behaviour", "view"): "used",
        ("ann", "behaviour", "edit"): "unused",
    }


# The last 90 school days before 31 January 2026 begin on 5 September: October and its census lie within, July and its
# reports do not. On 5 October the look-back begins in March: May's census does.
def test_an_annual_task_is_not_unused_before_its_season(tmp_path):
    grants, lines = held(("ann", "assessment", "export"), ("ann", "sen", "export"))
    used = whole_year()
    assert state(used, grants, lines, "term")["ann", "sen", "export"] == "unused"
    assert state(used, grants, lines, "term")["ann", "assessment", "export"] == "out_of_season"
    assert state(used, grants, lines, "year")["ann", "assessment", "export"] == "unused"
    with_use = whole_year(("ann", DAY, "assessment", "export"))
    assert state(with_use, grants, lines, "term")["ann", "assessment", "export"] == "used"
    spring = tmp_path / "terms.toml"
    task = '[[annual]]\nname = "a"\nmonths = [3]\ncategories = ["sen"]\nverbs = ["export"]\n'
    spring.write_text(task, "utf-8")
    other = Used.of(log(("quiet", DAY, "sen", "view")), as_of=DAY, terms=terms_of(spring))
    assert state(other, grants, lines, "term")["ann", "sen", "export"] == "out_of_season"


@given(day=st.dates(date(2025, 1, 1), date(2026, 12, 31)))
@settings(max_examples=15, deadline=None)
def test_a_whole_year_holds_every_season(day):
    assert terms_of().out_of_season(day - timedelta(days=364), day) == []


# w_c w_v of assessment: 2 x (1 + 1.5) for view and edit; of sen: 4 x (1 + 1.5) = 10. Used: view of both, edit of sen:
# 2 + 10 of 15, so that 3 of 15 are unused. Contact and medical are told apart.
def test_excess_is_the_weight_that_was_not_used_of_the_weight_that_is_held():
    grants, lines = held(
        ("ann", "assessment", "edit"), ("ann", "sen", "edit"), ("ann", "contact", "edit"), ("ann", "medical", "view")
    )
    used = whole_year(("ann", DAY, "assessment", "view"), ("ann", DAY, "sen", "edit"))
    accounts = pl.DataFrame({"account": ["ann"]})
    told = excess(used, grants, lines, accounts)["ann"]
    assert told.share == pytest.approx(3 / 15)
    assert told.by == "cells"
    assert told.cells == {"used": 3, "unused": 1, "break_glass": 3}
    # by children: 10 see the assessments (sum of strengths 200), 2 of the children with SEN (40)
    of_children = lines.select("account", "category", "verb").with_columns(
        held=pl.when(pl.col("category") == "assessment").then(200).otherwise(40)
    )
    by_children = excess(used, grants, lines, accounts, held=of_children)["ann"]
    assert by_children.share == pytest.approx((3 * 200) / (5 * 200 + 10 * 40))
    assert by_children.by == "children"
    unsure = excess(used, grants, lines, accounts, held=of_children, untold=["ann"])["ann"]
    assert (unsure.share, unsure.by) == (pytest.approx(3 / 15), "cells")


def test_an_account_younger_than_the_look_back_is_left_out_with_the_reason():
    used = whole_year(("new", date(2025, 12, 1), "sen", "view"))
    grants, lines = held(
        ("old", "sen", "view"), ("new", "sen", "view", None), ("fresh", "sen", "view", date(2025, 6, 2))
    )
    accounts = pl.DataFrame({"account": ["old", "new", "fresh"]})
    told = excess(used, grants, lines, accounts)
    assert told["old"].share == 1.0
    assert {name: told[name].share for name in ("new", "fresh")} == {"new": None, "fresh": None}
    assert all("younger" in told[name].reason for name in ("new", "fresh"))
    made = accounts.with_columns(created=pl.lit(date(2019, 1, 1)))  # the day it was made beats the rest
    assert excess(used, grants, lines, made)["new"].share == 0.0
    seen = accounts.with_columns(last_login=pl.lit(date(2024, 1, 1)))
    assert excess(used, grants, lines, seen)["new"].share == 0.0


def test_a_cell_that_an_old_account_was_given_lately_is_not_unused():
    grants, lines = held(("ann", "sen", "view"), ("ann", "behaviour", "view", date(2025, 6, 2)))
    used = whole_year()
    assert state(used, grants, lines) == {
        ("ann", "sen", "view"): "unused",
        ("ann", "behaviour", "view"): "granted_later",
    }
    assert excess(used, grants, lines, pl.DataFrame({"account": ["ann"]}))["ann"].share == 1.0


def test_nothing_to_judge_and_a_log_that_is_too_short_have_no_excess():
    grants, lines = held(("ann", "medical", "view"))
    accounts = pl.DataFrame({"account": ["ann", "bob"]})
    told = excess(whole_year(), grants, lines, accounts)
    assert (told["ann"].share, told["bob"].share) == (None, None)
    assert told["ann"].reason.startswith("it holds nothing that can be judged")
    assert "no grant in force" in told["bob"].reason
    short = Used.of(log(("ann", DAY, "sen", "view")), as_of=DAY)
    assert excess(short, grants, lines, accounts)["ann"].reason.startswith("the log begins on")
    assert NO_LOG  # what is said where no log was read at all


@given(
    granted=st.sets(
        st.tuples(st.sampled_from(["sen", "behaviour", "contact"]), st.sampled_from(["view", "edit", "export"]))
    ),
    uses=st.sets(
        st.tuples(st.sampled_from(["sen", "behaviour", "images"]), st.sampled_from(["view", "edit", "export"]))
    ),
)
@settings(max_examples=25, deadline=None)
def test_more_use_never_raises_the_excess_and_it_is_a_share(granted, uses):
    if not granted:
        return
    grants, lines = held(*(("ann", *cell) for cell in granted))
    accounts = pl.DataFrame({"account": ["ann"]})
    shares = [
        excess(whole_year(*(("ann", DAY, *cell) for cell in some)), grants, lines, accounts)["ann"].share
        for some in (set(), uses)
    ]
    if all(category == "contact" for category, _ in granted):
        assert shares == [None, None]
        return
    assert shares[0] == 1.0
    assert 0.0 <= shares[1] <= 1.0


def test_touched_lines_are_those_asked_for_alone():
    rows = log(
        ("ann", DAY, "SEND", "view", "ada", 1),
        ("ann", DAY, "images", "view", "ben", 1),
        ("bob", DAY, "sen", "view", "cem", 1),
        ("ann", date(2024, 1, 1), "sen", "view", "dot", 1),
        columns=("account", "at", "category", "verb", "pupil_id", "rows"),
    )
    used = Used.of(rows, as_of=DAY)
    wanted = pl.DataFrame({"account": ["ann"], "category": ["sen"]})
    assert used.touched(wanted).rows() == [("ann", "sen", "ada", 1)]
    assert isinstance(used.lines, Log)
