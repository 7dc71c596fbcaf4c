"""What a column is by its values, its counts against a slower count, and no value in any reason."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk import identifiers, profile, schema
from otrack_risk.profile.dates import as_dates
from otrack_risk.profile.measured import SAMPLES, measure


def column_of(values, header="x1", table="t", **others) -> schema.Column:
    """How one column of a table is classified."""
    rows = pl.DataFrame({header: values, **others})
    return profile.classify({table: rows}).tables[0].columns[0]


UPNS = [identifiers.upn(801, 9001, 2012, serial) for serial in range(100)]

BY_VALUES = {
    "upn": (UPNS, "direct"),
    "uln": (["1000000019", "2000000028", "3456789016", "5123456782", "9876543201"] * 6, "direct"),
    "nhs_number": (["9990000018", "9997654323"] * 20, "direct"),
    "email": ([f"person{n}@school.example" for n in range(30)], "direct"),
    "phone": ([f"07700 900{n:03}" for n in range(30)], "direct"),
    "postcode": ([f"LS{n} {n % 10}AB" for n in range(1, 40)], "quasi"),
    "nino": ([f"AB{n:06}C" for n in range(30)], "direct"),
    "ethnicity": (["WBRI", "apkn ", "BAFR", "WROM"] * 10, "sensitive"),
    "sen_need": (["SPLD", "SEMH", "ASD", None] * 10, "sensitive"),
    "sen_provision": (["N", "N", "K", "E"] * 10, "sensitive"),
    "first_language": (["ENG", "POL", "URD", "PNJ"] * 10, "sensitive"),
    "attendance_mark": (["/", "\\", "L", "N", "/"] * 10, "sensitive"),
    "text": ([f"Word number {n} was said to the class on that day" for n in range(40)], "free_text"),
    "id": ([f"A{n}" for n in range(40)], "direct"),
    "yes_no": ([True, False] * 20, "other"),
    "number": ([n * 1.5 for n in range(40)], "other"),
}


@pytest.mark.parametrize("kind", BY_VALUES)
def test_values_tell_what_a_column_is_under_a_header_that_says_nothing(kind):
    values, role = BY_VALUES[kind]
    found = column_of(values)
    assert (found.kind, found.role) == (kind, role)


def test_a_unique_measurement_is_no_identifier_and_a_unique_id_is():
    weights = [41_000 + 17 * n for n in range(50)]
    assert column_of(weights, "mass_g").role == "other"
    assert column_of(weights, "record_no").role == "direct"
    assert column_of([weight / 1000 for weight in weights], "record_no").role == "other"  # fractions number nobody
    assert column_of(weights[:19], "record_no").role == "other"  # of so few, uniqueness says nothing


def test_letters_that_are_also_codes_decide_nothing_alone():
    assert column_of(["A", "B", "C", "D", "E"] * 10).kind == "text"  # grades, though B to E are attendance codes
    assert column_of(["N", "E", "S"] * 10).kind == "text"  # wind, though all are SEN codes of some year
    assert column_of(["WBRI", "APKN"] * 20).kind == "text"  # two codes are too few


def test_check_letters_go_before_a_header_that_says_something_else():
    found = column_of(UPNS, "Year Group")
    assert (found.role, found.kind) == ("direct", "upn")
    assert "100 of 100 sampled values pass the UPN check letter" in found.reason
    assert "goes before the header, a known name of year group" in found.reason


def test_upns_that_fail_their_check_are_upns_by_their_header_and_the_reason_says_so():
    invented = [identifiers.upn(801, 9001, 2012, serial, valid=False) for serial in range(100)]
    found = column_of(invented, "UPN")
    assert (found.role, found.kind) == ("direct", "upn")
    assert "0 of 100 sampled values pass its check" in found.reason
    assert column_of(invented, "x1").kind == "id"  # without header or check: unique single words with digits


def test_a_tenth_of_mistyped_values_changes_nothing_and_half_does():
    invented = [identifiers.upn(801, 9001, 2012, serial, valid=False) for serial in range(100)]
    assert column_of(UPNS[:90] + invented[90:]).kind == "upn"
    assert column_of(UPNS[:50] + invented[50:]).kind == "id"


def test_a_code_set_under_a_strange_header_is_known_and_under_its_own_header_borne_out():
    codes = ["WBRI", "APKN", "BAFR", "WROM", "CHNE"] * 4
    assert "20 of 20 sampled values are in the DfE code set ethnicity" in column_of(codes, "house").reason
    assert column_of(codes, "house").kind == "ethnicity"
    own = column_of(codes, "Ethnicity Code").reason
    assert "a known name of ethnicity; 20 of 20 sampled values are in the DfE code set ethnicity" in own


def test_numbers_that_could_be_phone_numbers_are_phones_only_as_text():
    numbers = [7_700_900_000 + n for n in range(40)]
    assert column_of(numbers).kind == "number"
    assert column_of([f"0{number}" for number in numbers]).kind == "phone"
    assert column_of([f"0{number}" for number in numbers], "Admission No").kind == "admission_number"


def test_the_address_of_a_school_is_not_that_of_a_pupil():
    postcodes = [f"LS{n} {n % 10}AB" for n in range(1, 40)]
    assert column_of(postcodes, "postcode", "schools").role == "other"
    assert column_of(postcodes, "postcode", "pupils").role == "quasi"
    assert column_of([f"office{n}@school.example" for n in range(30)], "email", "schools").role == "other"


def test_dates_of_an_age_before_the_last_day_of_the_data_are_dates_of_birth():
    born = [date(2008, 9, 1) + timedelta(days=31 * n) for n in range(60)]  # 2008 to 2013
    taught = [date(2024, 1, 8) + timedelta(days=n) for n in range(60)]
    assert column_of(born, day=taught).kind == "date_of_birth"
    assert column_of(taught, day=born).kind == "date"
    assert column_of([f"{day:%d/%m/%Y}" for day in born], day=taught).kind == "date_of_birth"
    assert "could not be told" in column_of([f"{day:%d/%m/%Y}" for day in born]).reason  # nothing to be old against


def test_written_dates_are_read_day_first_or_iso():
    written = pl.Series(["03/04/2012", "2012-04-03", "3.4.2012", "03/04/2012 00:00", "31/02/2012", "soon"])
    assert as_dates(written).to_list() == [date(2012, 4, 3)] * 4 + [None, None]
    assert as_dates(pl.Series([date(2012, 4, 3)]).cast(pl.Datetime)).to_list() == [date(2012, 4, 3)]


def test_sentences_under_the_header_of_a_condition_are_pointed_out():
    found = column_of([f"Told the office on day {n} that the inhaler was at home" for n in range(40)], "Medical")
    assert found.role == "sensitive"
    assert "read like free text" in found.reason


@given(st.lists(st.one_of(st.none(), st.sampled_from(["", "  ", "a", "b", "c", "\t"])), max_size=40))
def test_counts_are_those_of_counting_one_by_one(values):
    counted = Counter(None if value is None or not value.strip() else value for value in values)
    found = measure(pl.Series("x", values, dtype=pl.String), "t")
    assert found.rows == len(values)
    assert found.filled == len(values) - counted[None]
    assert found.distinct == len(counted.keys() - {None})
    assert found.unique == sum(1 for number in counted.values() if number == 1)


@given(st.lists(st.one_of(st.none(), st.sampled_from([0.0, 1.5, float("nan")])), max_size=30))
def test_a_number_that_is_none_is_missing(values):
    counted = Counter(None if value is None or value != value else value for value in values)
    found = measure(pl.Series("x", values, dtype=pl.Float64), "t")
    assert (found.filled, found.distinct) == (len(values) - counted[None], len(counted.keys() - {None}))
    assert found.unique == sum(1 for number in counted.values() if number == 1)


@given(st.integers(0, 2500))
def test_a_sample_is_a_round_number_of_values_one_from_each_equal_part(filled):
    sample = measure(pl.Series("x", range(filled)).cast(pl.String), "t").sample
    assert len(sample) == (filled if filled < min(SAMPLES) else max(step for step in SAMPLES if step <= filled))
    steps = [filled * step // max(len(sample), 1) for step in range(len(sample) + 1)]
    places = sample.cast(pl.Int64).to_list()
    assert all(start <= place < end for place, start, end in zip(places, steps[:-1], steps[1:], strict=True))


def test_values_that_take_turns_are_all_in_the_sample():
    turns = pl.Series("x", ["/", "\\"] * 5000)
    assert set(measure(turns, "t").sample) == {"/", "\\"}


def test_no_kind_of_column_stops_the_profile():
    rows = pl.DataFrame(
        {
            "lists": [[1], [2], [1]],
            "struct": [{"a": 1}, None, {"a": 2}],
            "bytes": [b"a", b"\xff", None],
            "nothing": pl.Series([None] * 3),
            "at": pl.Series([timedelta(1)] * 3),
            "category": pl.Series(["a", " ", "b"], dtype=pl.Categorical),
            "object": pl.Series([object(), None, 3], dtype=pl.Object),
        }
    )
    found = profile.profile({"t": rows, "no rows": rows.clear(), "no columns": pl.DataFrame()})
    assert [(c.filled, c.distinct) for c in found.columns[:7]] == [
        (3, 2),
        (2, 2),
        (2, 2),
        (0, 0),
        (3, 1),
        (2, 2),
        (2, 2),
    ]
    assert all(column.filled_share is None for column in found.columns[7:])
    json.dumps(found.record(), allow_nan=False)


def test_no_value_of_a_cell_stands_in_a_reason_or_a_catalogue(tmp_path):
    # One column a branch: by form, codes, header, conflict, free text, dates, unique, nothing; all cells are marked.
    mark = "zqx"
    rows = pl.DataFrame(
        {
            "x1": [f"{mark}{n}@{mark}.example" for n in range(30)],
            "surname": [f"{mark}{n}" for n in range(30)],
            "postcode": [f"{mark} {n}" for n in range(30)],
            "year group": [f"{mark}{n}@{mark}.example" for n in range(30)],
            "words": [f"{mark} said that {mark} would not come on day {n} of it" for n in range(30)],
            "some_id": [f"{mark}-{n}" for n in range(30)],
            "y": [mark, None] * 15,
            "SEN": [mark, "K"] * 15,
            "d": [f"0{1 + n % 9}/07/1931" for n in range(30)],
        }
    )
    found = profile.profile({"pupils": rows})
    profile.write_catalogue(found.catalogue, tmp_path / "catalogue.toml")
    shown = found.published()
    written = [json.dumps(shown.record()), str(shown), shown.sentence(), shown.table().write_csv()]
    written.append((tmp_path / "catalogue.toml").read_text(encoding="utf-8"))
    assert all("surname" in text for text in (written[0], written[1], written[3], written[4]))
    assert not any(mark in text or "1931" in text for text in written)
