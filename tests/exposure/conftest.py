"""A school small enough to count by hand: siblings, duplicates, rows without a key, two numberings of pupils."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from otrack_risk import frames, schema

# pupils      p1 and p2 are siblings; p3 stands there twice; p4 has no UPN; one row has no pupil_id
# attendance  p1 twice, p2, p5 (who left before the pupils were exported), one row without a key
# premium     by UPN: A is p1, " c" is p3, Z is in no other table
# images      p1 twice, p6 (in no other table), one picture of nobody known
# guardians   g2 twice; staff has no key, but is one row a person
TABLES = {
    "pupils": pl.DataFrame(
        {
            "pupil_id": ["p1", "p2", "p3", "p3", "p4", None],
            "upn": ["A", "B", "C", "C", None, None],
            "surname": ["Ash", "Ash", "Birch", "Birch", "Cedar", "Dale"],
            "date_of_birth": [date(2010, 1, 2), date(2012, 3, 4), date(2009, 5, 6), date(2009, 5, 6), None, None],
            "sen_provision": ["N", "K", "E", "E", "n ", "K"],
            "medical": [None, "asthma", "none", "none", "  ", None],
            "ethnicity": ["WBRI", "REFU", None, None, "NOBT", "AIND"],
            "left_on": [None, None, date(2023, 7, 20), date(2023, 7, 20), None, None],
        }
    ),
    "attendance": pl.DataFrame(
        {
            "pupil_id": ["p1", "p1", "p2", "p5", None],
            "academic_year": ["2022/23", "2023/24", "2023/24", "2019/20", "2023/24"],
            "sessions_absent": [1, 2, 3, None, 5],
        }
    ),
    "premium": pl.DataFrame({"upn": ["a", " c", "Z"], "pupil_premium": [True, False, True]}),
    "images": pl.DataFrame(
        {
            "image_id": [1, 2, 3, 4],
            "pupil_id": ["p1", "p1", "p6", None],
            "file_name": ["one.jpg", "two.jpg", "three.jpg", "four.jpg"],
            "taken_on": [date(2018, 9, 1), date(2020, 9, 1), date(2021, 9, 1), date(2021, 9, 1)],
        }
    ),
    "guardians": pl.DataFrame({"guardian_id": [1, 2, 2], "email": ["a@example.org", None, "b@example.org"]}),
    "staff": pl.DataFrame({"surname": ["Elm", "Fir"], "job": ["teacher", "teacher"]}),
    "schools": pl.DataFrame({"school_id": ["S1", "S2"], "name": ["North", "South"]}),
}


def table_schema(name: str, subjects: str, person: str | None, one_row: bool, columns: str) -> schema.TableSchema:
    """``columns`` are lines of name, role, kind, category."""
    described = tuple(schema.Column(*line.split()) for line in columns.strip().splitlines())
    return schema.TableSchema(name, subjects, person, one_row, described)


CATALOGUE = schema.Catalogue(
    (
        table_schema(
            "pupils",
            "child",
            "pupil_id",
            True,
            """pupil_id other pupil_id identity
               upn direct upn identity
               surname direct surname identity
               date_of_birth quasi date_of_birth identity
               sen_provision sensitive sen_provision sen
               medical sensitive medical_condition medical
               ethnicity sensitive ethnicity ethnicity
               left_on other leaving_date other""",
        ),
        table_schema(
            "attendance",
            "child",
            "pupil_id",
            False,
            """pupil_id other pupil_id identity
               academic_year other academic_year other
               sessions_absent sensitive number attendance""",
        ),
        table_schema(
            "premium",
            "child",
            "upn",
            True,
            """upn direct upn identity
               pupil_premium sensitive flag fsm_pp""",
        ),
        table_schema(
            "images",
            "child",
            "pupil_id",
            False,
            """image_id other number other
               pupil_id other pupil_id identity
               file_name quasi file_name images
               taken_on other date other""",
        ),
        table_schema(
            "guardians",
            "guardian",
            "guardian_id",
            True,
            """guardian_id other guardian_id identity
               email direct email contact""",
        ),
        table_schema(
            "staff",
            "staff",
            None,
            True,
            """surname direct surname identity
               job quasi job identity""",
        ),
        table_schema(
            "schools",
            "unknown",
            "school_id",
            False,
            """school_id other school_id other
               name other text other""",
        ),
    )
)


def dataset(tables: dict[str, pl.DataFrame]) -> frames.Dataset:
    """The tables as if each had been read from a file of its own, whole."""
    return frames.Dataset(
        "by_hand",
        {
            name: frames.Table(name, rows, f"{name}.csv", f"hash of {name}", rows.height)
            for name, rows in tables.items()
        },
    )


@pytest.fixture
def school() -> frames.Dataset:
    return dataset(TABLES)


@pytest.fixture
def catalogue() -> schema.Catalogue:
    return CATALOGUE
