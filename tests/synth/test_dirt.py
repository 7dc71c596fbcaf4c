"""Labelled dirt: whatever is dirty is listed, and putting the clean values back gives the same bytes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk import frames
from otrack_risk.errors import ParameterError
from otrack_risk.synth.dirt import KEYS, SCHEMA, cleaned, file_dirt, make_dirt
from otrack_risk.synth.draw import Chance


def hand_made(pupils: int) -> dict[str, pl.DataFrame]:
    """Tables with every column that can get dirty; nobody exists."""
    number = np.arange(1, pupils + 1)
    ids = ("P" + pl.Series(number).cast(pl.String).str.zfill(7)).alias("pupil_id")
    odd = pl.Series(number % 2 == 1)

    def cycled(*values: object) -> pl.Series:
        return pl.Series([values[place % len(values)] for place in range(pupils)])

    return {
        "pupils": pl.DataFrame(
            {
                "pupil_id": ids,
                "upn": "A9999" + pl.Series(number).cast(pl.String).str.zfill(8),
                "uln": cycled(None, "0123456789", "1234567890"),
                "surname": cycled("Zamplow", "Quillfern Marsh", "Łopatka", "O'Dell"),
                "forename": cycled("Thomas", "Ana", "Wren"),
                "preferred_forename": cycled("Tom", None, None),
                "sex": cycled("F", "M"),
                "date_of_birth": cycled(date(2014, 9, 20), date(2015, 3, 4), date(2015, 8, 31)),
                "ethnicity": cycled("WBRI", "AIND", "REFU"),
                "fsm": odd,
                "sen_provision": cycled("N", "K", "E"),
                "attainment_band": cycled("10-20", "0-9", "20-30", "5-9", "90-100"),
                "medical_condition": cycled(None, "ASTHMA"),
                "household_id": cycled("H0000001", "H0000002"),
                "admitted_on": cycled(date(2019, 9, 3)),
                "left_on": cycled(None, None, date(2025, 7, 22)),
            }
        ),
        "guardians": pl.DataFrame(
            {
                "guardian_id": "G" + pl.Series(number).cast(pl.String).str.zfill(7) + "1",
                "surname": cycled("Zamplow", "Łopatka"),
                "forename": cycled("Ana", "Jo"),
                "phone": cycled("07700 900123", "020 7946 0123", None),
                "email": cycled("a.zamplow@example.org", None),
            }
        ),
        "attendance": pl.DataFrame(
            {
                "pupil_id": pl.concat([ids, ids]),
                "academic_year": ["2024/25"] * pupils + ["2025/26"] * pupils,
                "sessions_possible": pl.Series([380] * pupils + [184] * pupils, dtype=pl.Int16),
                "sessions_absent": pl.Series(list(range(2 * pupils)), dtype=pl.Int16),
            }
        ),
        "assessments": pl.DataFrame(
            {
                "pupil_id": pl.concat([ids, ids]),
                "academic_year": "2025/26",
                "term": "autumn",
                "subject": ["maths"] * pupils + ["reading"] * pupils,
                "point": pl.Series(list(range(2 * pupils)), dtype=pl.Int16),
            }
        ),
        "schools": pl.DataFrame({"school_id": ["S00001"], "name": ["Fablestow"]}),
    }


def row_keys(table: pl.DataFrame, name: str) -> list[str]:
    return ["|".join(row) for row in table.select(KEYS[name]).rows()]


@pytest.fixture(scope="module")
def clean() -> dict[str, pl.DataFrame]:
    return hand_made(400)


@pytest.fixture(scope="module")
def half(clean: dict[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    return make_dirt(Chance(4), clean, 0.5)


@pytest.fixture(scope="module")
def all_dirty(clean: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([make_dirt(Chance(seed), clean, 1.0)[1] for seed in range(8)])


def test_at_rate_nothing_every_table_is_the_same_object(clean):
    made, dirt = make_dirt(Chance(4), clean, 0)
    assert all(made[name] is table for name, table in clean.items())
    assert made.keys() == clean.keys()
    assert dirt.height == 0
    assert dirt.schema == SCHEMA


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.001, 1), st.integers(1, 40))
def test_clean_values_put_back_give_the_original_byte_for_byte(seed, rate, pupils):
    tables = hand_made(pupils)
    made, dirt = make_dirt(Chance(seed), tables, rate)
    back = cleaned(made, dirt)
    assert {name: table.write_csv() for name, table in back.items()} == {
        name: table.write_csv() for name, table in tables.items()
    }


# Slow twin: every cell of every table is compared with the one it was.
@pytest.mark.parametrize("seed", range(6))
def test_every_cell_that_differs_is_listed_once_and_no_other(clean, seed):
    made, dirt = make_dirt(Chance(seed), clean, 0.2)
    listed = {(r["table"], r["row"], r["column"]): r for r in dirt.iter_rows(named=True)}
    assert len(listed) == dirt.height
    doubles = {r["row"]: r["clean"] for r in dirt.iter_rows(named=True) if r["kind"] == "near_duplicate"}
    differ = set()
    for name in KEYS:
        was = clean[name].select(pl.all().cast(pl.String))
        before = dict(zip(row_keys(was, name), was.iter_rows(named=True), strict=True))
        for key, now in zip(row_keys(made[name], name), made[name].iter_rows(named=True), strict=True):
            of = before[doubles.get(key, key)]
            for column, value in now.items():
                if value != of[column]:
                    differ.add((name, key, column))
                    row = listed[name, key, column]
                    assert (row["clean"], row["dirty"]) == (of[column], value)
    assert differ == set(listed)
    assert made["schools"] is clean["schools"]


# Of 400 UPNs each is asked with chance 0.5 and each of its kinds changes it: 200, with a standard error of 10.
def test_the_rate_is_that_of_the_cells(half):
    upn = (
        half[1]
        .filter(pl.col("row").str.len_chars() == 8, table="pupils", column="upn")
        .filter(~pl.col("kind").is_in(["altered", "near_duplicate"]))
    )
    assert abs(upn.height - 200) < 40
    assert set(upn["kind"]) == {"upn_lower_case", "upn_space", "trailing_space", "missing"}


# A quarter of the rate (assumed): of 400 children 50, with a standard error below 7.
def test_some_children_stand_there_twice_with_one_field_altered(clean, half):
    made, dirt = half
    doubles = dirt.filter(kind="near_duplicate")
    assert abs(doubles.height - 50) < 28
    assert made["pupils"].height == clean["pupils"].height + doubles.height
    assert made["pupils"]["pupil_id"].is_unique().all()
    assert set(doubles["clean"]) <= set(clean["pupils"]["pupil_id"])
    altered = dirt.filter(kind="altered")
    assert altered["row"].to_list() == altered["row"].unique(maintain_order=True).to_list()
    assert set(altered["row"]) == set(doubles["row"])
    assert set(altered["column"]) == {"surname", "forename", "date_of_birth", "upn"}
    one = altered.filter(column="date_of_birth", clean="2015-08-31")["dirty"]
    assert set(one) == {"2015-09-01"}
    assert set(altered.filter(column="forename", clean="Ana")["dirty"]) <= {"Anna", "Anaa"}


# Worked by hand, each kind on a value it is known by.
@pytest.mark.parametrize(
    ("kind", "clean_value", "dirty_values"),
    [
        ("date_day_first", "2015-03-04", {"04/03/2015"}),
        ("date_month_first", "2015-03-04", {"03/04/2015"}),
        ("date_short_month", "2015-03-04", {"4-Mar-15"}),
        ("lost_zero", "07700 900123", {"7700900123"}),
        ("lost_zero", "0123456789", {"123456789"}),
        ("became_float", "1234567890", {"1234567890.0"}),
        ("band_as_date", "10-20", {"20-Oct"}),
        ("band_as_date", "5-9", {"9-May"}),
        ("flag_yes_no", "true", {"Y"}),
        ("flag_true_false", "false", {"F"}),
        ("flag_one_zero", "true", {"1"}),
        ("preferred_name", "Thomas", {"Tom"}),
        ("old_sen_code", "E", {"S"}),
        ("old_sen_code", "K", {"A", "P"}),
        ("refused", "WBRI", {"REFU"}),
        ("not_obtained", "REFU", {"NOBT"}),
        ("trailing_space", "Wren", {"Wren "}),
        ("non_breaking_space", "Quillfern Marsh", {"Quillfern\u00a0Marsh"}),
        ("non_breaking_space", "Zamplow", {"Zamplow\u00a0"}),
        ("upn_lower_case", "A999900000007", {"a999900000007"}),
        ("upn_space", "A999900000007", {"A 999900000007"}),
        ("missing", "ASTHMA", {None}),
    ],
)
def test_each_kind_does_what_it_is_called(all_dirty, kind, clean_value, dirty_values):
    assert set(all_dirty.filter(pl.col("kind") == kind, pl.col("clean") == clean_value)["dirty"]) == dirty_values


# No month 20 and no day 90: a spreadsheet leaves 20-30 and 90-100 alone, and 0-9 has no day 0.
def test_a_band_that_is_no_day_of_a_month_stays(clean):
    bands = make_dirt(Chance(1), clean, 1.0)[1].filter(kind="band_as_date")
    assert set(bands["clean"]) == {"10-20", "5-9"}


def test_no_key_gets_dirty_and_no_empty_cell(half):
    dirt = half[1].filter(pl.col("kind") != "near_duplicate")
    assert dirt["clean"].null_count() == 0
    for name, key in KEYS.items():
        assert not set(dirt.filter(table=name)["column"]) & set(key)


def test_the_dirt_of_a_child_does_not_depend_on_who_else_is_made(clean, half):
    some = {name: table.filter(pl.col(KEYS[name][0]).str.slice(-3) == "077") for name, table in clean.items()
            if name in ("pupils", "attendance", "assessments")}  # fmt: skip
    _, dirt = make_dirt(Chance(4), some, 0.5)
    whole = half[1].filter(pl.col("row").str.contains(r"^P\d{4}077"), pl.col("table") != "guardians")
    assert dirt.height > 3
    assert set(dirt.rows()) == set(whole.rows())


def test_a_rate_beyond_a_share_is_refused(clean):
    for rate in (-0.01, 1.01):
        with pytest.raises(ParameterError):
            make_dirt(Chance(4), clean, rate)


def test_a_file_is_soiled_in_ways_that_go_together_and_every_way_comes_up():
    seen = [frozenset(file_dirt(Chance(seed), name)) for seed in range(200) for name in (*KEYS, "schools")]
    assert set().union(*seen) == {"bom", "cp1252", "doubled_header"}
    assert frozenset() in seen
    assert not any({"bom", "cp1252"} <= each for each in seen)
    assert not any("cp1252" in file_dirt(Chance(seed), "schools") for seed in range(200))
    assert file_dirt(Chance(7), "pupils") == file_dirt(Chance(7), "pupils")


def test_a_table_whose_file_is_in_cp1252_holds_no_letter_that_it_lacks(clean):
    seeds = [seed for seed in range(60) if "cp1252" in file_dirt(Chance(seed), "pupils")]
    assert seeds
    for seed in seeds[:4]:
        made, dirt = make_dirt(Chance(seed), clean, 0.1)
        made["pupils"].write_csv().encode("cp1252")
        lost = dirt.filter(table="pupils", kind="lost_letter")
        assert set(lost["dirty"]) == {"?opatka"}
        assert set(lost["clean"]) == {"Łopatka"}


def soiled_bytes(table: pl.DataFrame, what: set[str]) -> bytes:
    """The file that the writer is asked for."""
    text = table.write_csv()
    if "doubled_header" in what:
        header, rows = text.split("\n", 1)
        text = f"{header}\n{header}\n{rows}"
    return text.encode("cp1252" if "cp1252" in what else "utf-8-sig" if "bom" in what else "utf-8")


@pytest.mark.parametrize("what", [set(), {"bom"}, {"cp1252"}, {"doubled_header"}, {"cp1252", "doubled_header"}])
def test_frames_reads_a_dirty_file_and_every_row_is_there(clean, tmp_path: Path, what):
    wanted = 1 if "cp1252" in what else 0
    seed = next(s for s in range(99) if all(("cp1252" in file_dirt(Chance(s), t)) == wanted for t in KEYS))
    made, _ = make_dirt(Chance(seed), clean, 0.3)
    for name in KEYS:
        (tmp_path / f"{name}.csv").write_bytes(soiled_bytes(made[name], what))
    read = frames.read(tmp_path)
    for name in KEYS:
        table = read.table(name)
        assert table.kept == made[name].height
        assert table.seen - table.kept == int("doubled_header" in what)
        assert table.rows.columns == made[name].columns
    assert read.table("pupils").rows["pupil_id"].to_list() == made["pupils"]["pupil_id"].to_list()
    assert read.table("pupils").rows["surname"].to_list() == made["pupils"]["surname"].to_list()
