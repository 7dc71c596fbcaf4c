"""The profile as a whole: its record, its paper, real tables, and the time it takes."""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from otrack_risk import profile, reference, risk
from otrack_risk.display.tables import Hidden
from otrack_risk.identifiers import upn

# Ten pupils; two have a medical condition, all but one a sex.
PUPILS = pl.DataFrame(
    {
        "UPN": [upn(801, 9001, 2012, serial) for serial in range(10)],
        "Year group": [7] * 5 + [8] * 5,
        "Sex": ["F", "F", "M", "M", "X", "F", "F", "M", "M", None],
        "Medical condition": ["asthma", "epilepsy"] + [None] * 8,
    }
)


def test_the_record_has_the_keys_of_the_contract_and_exact_numbers():
    record = profile.profile({"pupils": PUPILS}).record()
    assert {"name", "role", "kind", "filled_share", "distinct", "unique_share", "reason", "table", "category"} <= set(
        record["columns"][0]
    )
    medical = record["columns"][3]
    assert (medical["filled_share"], medical["distinct"], medical["unique_share"]) == (0.2, 2, 0.2)
    # By sex one is alone as X and one for want of a value; the year group singles nobody out, alone or with it.
    assert record["minimal_keys"] == [{"table": "pupils", "attributes": ["Sex"], "unique_share": 0.2}]


def test_a_tables_uniques_are_those_of_the_risk_measure():
    rows = PUPILS.drop("UPN", "Medical condition")
    found = {column.name: column.unique for column in profile.profile({"t": rows}).columns}
    for name, unique in found.items():
        sizes = risk.class_sizes(rows, [name])
        assert unique == int(sizes.filter(pl.col("size") == 1)["data_subjects"].sum())


def test_paper_hides_how_few_have_a_value_or_lack_one():
    found = profile.profile({"pupils": PUPILS})
    shown = {column.name: column for column in found.published(5).columns}
    assert shown["Medical condition"].filled_share == Hidden(5)
    assert shown["Sex"].filled_share == Hidden(5, "rest")
    assert shown["UPN"].filled_share == 1.0
    assert (shown["Sex"].distinct, shown["Sex"].unique_share) == (3, 0.2)  # measures stay exact
    assert found.columns[3].filled_share == 0.2
    assert found.published(5).table()["filled_share"].to_list() == [
        "100 %",
        "100 %",
        "all but fewer than 5",
        "fewer than 5",
    ]


def test_a_reason_never_tells_how_many_values_a_column_has():
    def reason(rows):
        values = [upn(801, 9001, 2012, serial) if serial < rows else None for serial in range(300)]
        return profile.classify({"t": pl.DataFrame({"x": values})}).tables[0].columns[0].reason

    assert reason(1) == reason(4) == reason(19)  # "all values"
    assert reason(200) == reason(296) == reason(299)  # "200 of 200 sampled values"


def test_the_sentence_says_both_numbers_of_its_ratio():
    assert profile.profile({"pupils": PUPILS}).sentence() == (
        "4 columns in 1 table: direct identifiers 1, quasi-identifiers 2, sensitive attributes 1, free text 0, "
        "other 0. In pupils, Sex alone singles out 2 of 10 records (20 %)."
    )
    assert profile.profile({}).sentence().startswith("0 columns in 0 tables")


def test_combinations_are_tried_where_people_are_and_children_come_first():
    lists = {
        "rooms": pl.DataFrame({"region": ["a", "b"]}),
        "staff": pl.DataFrame({"staff_id": [1, 2], "job": ["a", "b"]}),
    }
    found = profile.profile({**lists, "pupils": PUPILS})
    assert {key.table for key in found.minimal_keys} == {"staff", "pupils"}
    assert "In pupils" in found.sentence()
    assert {key.table for key in profile.profile({"rooms": lists["rooms"]}).minimal_keys} == {"rooms"}


def test_the_figure_draws_every_share_that_paper_may_have():
    found = profile.profile({"pupils": PUPILS})
    drawn = [tick.get_text() for tick in found.published(5).figure().axes[0].get_yticklabels()]
    assert drawn == ["UPN (direct)", "Year group (quasi)"]
    assert "2 not drawn" in found.published(5).figure().get_suptitle()
    assert len(found.figure().axes[0].get_yticklabels()) == 4
    wide = pl.DataFrame({f"Parent {n} email": ["a@b.example"] for n in range(40)})
    by_role = [tick.get_text() for tick in profile.profile({"t": wide}).figure().axes[0].get_yticklabels()]
    assert by_role == ["direct", "quasi", "sensitive", "free text", "other"]
    assert profile.profile({"t": pl.DataFrame({"q": [1]})}).figure() is None


def test_row_order_changes_nothing_where_every_value_is_sampled():
    rows = pl.concat([PUPILS, PUPILS])
    mixed = rows[np.random.default_rng(3).permutation(rows.height)]
    assert profile.profile({"t": rows}).record() == profile.profile({"t": mixed}).record()


def test_the_profile_is_explained():
    assert "profile" in {entry["key"] for entry in reference.load("explanations").entries["explanation"]}


def roles(table) -> dict[str, list[str]]:
    """The names of a table's columns by role."""
    return {role: table.with_role(role) for role in ("direct", "quasi", "sensitive", "free_text", "other")}


@pytest.mark.parametrize("name", ["student-mat", "student-por"])
def test_real_pupils_of_two_portuguese_schools(reference_data, name):
    path = reference_data / "uci_student_performance" / f"{name}.csv"
    (table,) = profile.classify({name: pl.read_csv(path, separator=";")}).tables
    assert roles(table) == {
        "direct": [],
        "quasi": [
            "school",
            "sex",
            "age",
            "address",
            "famsize",
            "Pstatus",
            "Medu",
            "Fedu",
            "Mjob",
            "Fjob",
            "guardian",
            "traveltime",
            "activities",
            "nursery",
            "internet",
        ],
        "sensitive": [
            "studytime",
            "failures",
            "schoolsup",
            "famsup",
            "paid",
            "higher",
            "romantic",
            "famrel",
            "freetime",
            "goout",
            "Dalc",
            "Walc",
            "health",
            "absences",
            "G1",
            "G2",
            "G3",
        ],
        "free_text": [],
        "other": ["reason"],
    }
    assert (table.subjects, table.person, table.one_row_a_person) == ("child", None, False)
    assert {table.column(grade).category for grade in ("G1", "G2", "G3")} == {"assessment"}


def test_real_students_of_a_university(reference_data):
    rows = pl.read_csv(reference_data / "oulad_student_info" / "studentInfo.csv")
    found = profile.profile({"studentInfo": rows})
    (table,) = found.catalogue.tables
    assert roles(table) == {
        "direct": ["id_student"],
        "quasi": ["code_module", "code_presentation", "gender", "region", "highest_education", "imd_band", "age_band"],
        "sensitive": ["num_of_prev_attempts", "disability", "final_result"],
        "free_text": [],
        "other": ["studied_credits"],
    }
    # Three in ten are 35 or older: nobody may call them children because the table says "student".
    assert (table.subjects, table.person) == ("unknown", "id_student")
    assert table.column("id_student").kind == "person_id"
    assert table.column("disability").category == "medical"
    # As the data's note has it: 28,785 ids in 32,593 rows, 1,111 rows without an imd_band.
    counts = {column.name: column for column in found.columns}
    assert counts["id_student"].distinct == 28_785
    assert counts["imd_band"].filled == 32_593 - 1_111


def school_table(n: int) -> pl.DataFrame:
    """A pupil table of n rows and 20 columns, of every kind that a school export has."""
    rng = np.random.default_rng(20)

    def pick(values) -> np.ndarray:
        return np.array(values)[rng.integers(0, len(values), n)]

    def days(first: date, span: int) -> pl.Series:
        return pl.Series(rng.integers(0, span, n)).cast(pl.Int32).cast(pl.Date) + timedelta(
            days=(first - date(1970, 1, 1)).days
        )

    letters = "ABDEFGHJLN"
    return pl.DataFrame(
        {
            "pupil_id": np.arange(n),
            "upn": pick([upn(300 + k % 600, 9001, 2010 + k % 10, k % 1000) for k in range(5000)]),
            "surname": pick([f"surname{k}" for k in range(20_000)]),
            "forename": pick([f"forename{k}" for k in range(7_000)]),
            "school_id": pick([f"S{k:05}" for k in range(2_000)]),
            "class_id": pick([f"C{k:06}" for k in range(28_000)]),
            "year_group": rng.integers(0, 14, n),
            "sex": pick(["F", "M"]),
            "date_of_birth": days(date(2005, 9, 1), 5000),
            "ethnicity": pick(["WBRI", "WIRI", "WOTH", "AIND", "APKN", "ABAN"]),
            "first_language": pick(["ENG", "URD", "PNJ", "POL"]),
            "fsm": pick([True, False]),
            "sen_provision": pick(["N", "K", "E"]),
            "sen_need": pick(["ASD", "SEMH", "SLCN", "MLD"]),
            "medical_condition": pick(["asthma", "epilepsy", "none"]),
            "postcode": pick([f"LS{1 + k % 99} {k % 10}{a}{b}" for k in range(990) for a in letters for b in letters]),
            "admitted_on": days(date(2012, 9, 1), 4000),
            "email": [f"p{k}@school.example" for k in range(n)],
            "note": [f"Had a word with the child of desk {k} about the homework" for k in range(n)],
            "points": rng.integers(0, 120, n),
        }
    )


GOAL = {
    "direct": ["pupil_id", "upn", "surname", "forename", "email"],
    "quasi": [
        "school_id",
        "class_id",
        "year_group",
        "sex",
        "date_of_birth",
        "postcode",
        "admitted_on",
    ],
    "sensitive": ["ethnicity", "first_language", "fsm", "sen_provision", "sen_need", "medical_condition", "points"],
    "free_text": ["note"],
    "other": [],
}


def test_a_school_table_of_twenty_columns_is_read_column_by_column():
    assert roles(profile.classify({"pupils": school_table(3000)}).tables[0]) == GOAL


@pytest.mark.slow
def test_a_table_of_the_size_of_the_breach_is_profiled_in_twenty_seconds():
    rows = school_table(864_603)
    start = time.perf_counter()
    found = profile.profile({"pupils": rows})
    assert time.perf_counter() - start < 20
    assert roles(found.catalogue.tables[0]) == GOAL
    assert found.minimal_keys[0].unique_share > 0.95
