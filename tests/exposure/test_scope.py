"""The school of conftest.py, counted by hand, and what must hold of any school."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otrack_risk import frames, schema
from otrack_risk.display import tables
from otrack_risk.errors import TableError
from otrack_risk.exposure import exposure_scope


def described(name: str, subjects: Any, person: str | None, one_row: bool, /, **columns: str) -> schema.TableSchema:
    """``columns`` are name="role kind category"."""
    parts = tuple(schema.Column(column, *words.split()) for column, words in columns.items())  # type: ignore[arg-type]
    return schema.TableSchema(name, subjects, person, one_row, parts)


def in_hand(**rows: pl.DataFrame) -> frames.Dataset:
    return frames.Dataset("d", {n: frames.Table(n, r, f"{n}.csv", n, r.height) for n, r in rows.items()})


# pupils 6 + attendance 5 + premium 3 + guardians 3 + staff 2; schools and images are no records.
# Seven files were read, and four are listed.
def test_records_are_rows_about_people_and_files_are_those_read_and_those_listed(
    school: frames.Dataset, catalogue: schema.Catalogue
) -> None:
    record = exposure_scope(school, catalogue).record()
    assert record["records"] == 6 + 5 + 3 + 3 + 2
    assert record["files"] == 7 + 4


# p1 to p4 in pupils, p5 in attendance, p6 in images, Z by UPN: seven, or six if Z is p4, p5 or p6.
# Two guardians (one of them twice), two staff. No key: one row each of pupils, attendance and images.
def test_people_are_counted_once_each_and_rows_without_a_key_beside_them(
    school: frames.Dataset, catalogue: schema.Catalogue
) -> None:
    people = exposure_scope(school, catalogue).record()["people"]
    assert (people["children"], people["at_least"]["children"]) == (7, 6)
    assert (people["guardians"], people["staff"], people["unknown_kind"]) == (2, 2, 0)
    assert (people["total"], people["at_least"]["total"]) == (11, 10)
    assert people["uncountable"] == 3
    assert people["uncountable_rows"] == {"pupils": 1, "attendance": 1, "images": 1}
    assert people["reason"]


# SEN: p2 (K) and p3 (E); medical: p2; ethnicity: p1 (refused and not obtained are no fact). The row
# without a key has both, and cannot be counted.
def test_a_code_for_none_is_no_special_category_fact(school: frames.Dataset, catalogue: schema.Catalogue) -> None:
    record = exposure_scope(school, catalogue).record()
    assert record["special_by_category"] == {"medical": 1, "sen": 2, "ethnicity": 1}
    assert record["children_special_category"] == 3  # p1, p2, p3
    assert "children_special_category" not in record["at_least"]  # all by one key: exact


# Named: p1 to p4 (surname), p1, p3 and Z (UPN), both guardians (e-mail), both staff. Z may be p4.
def test_people_identified_directly_are_counted_over_all_tables(
    school: frames.Dataset, catalogue: schema.Catalogue
) -> None:
    record = exposure_scope(school, catalogue).record()
    assert record["directly_identified"] == 5 + 2 + 2
    assert record["at_least"]["directly_identified"] == 4 + 2 + 2
    assert record["directly_identified_share"] == 9 / 11
    assert record["directly_identified_columns"] == [
        "pupils.upn",
        "pupils.surname",
        "premium.upn",
        "guardians.email",
        "staff.surname",
    ]


def test_images_years_schools_and_leavers(school: frames.Dataset, catalogue: schema.Catalogue) -> None:
    record = exposure_scope(school, catalogue).record()
    assert record["images"]["files"] == 4
    assert record["images"]["linked_to_a_child"] == 3
    assert {record["images"][name] for name in ("unique_exact", "unique_near", "with_gps")} == {None}
    assert record["images"]["reason"]
    assert (record["oldest_year"], record["oldest_year_column"]) == (2018, "images.taken_on")
    assert record["schools"] == 2
    assert record["leavers"] == 1  # p3, who stands there twice


# medical: asthma, none, none of six rows are filled (two spaces are not), of p2 and p3; p3 has none.
def test_a_field_has_its_filled_share_and_the_people_behind_it(
    school: frames.Dataset, catalogue: schema.Catalogue
) -> None:
    record = exposure_scope(school, catalogue).record()
    fields = {(entry["table"], entry["field"]): entry for entry in record["fields"]}
    assert fields["pupils", "medical"] == {
        "table": "pupils",
        "field": "medical",
        "category": "medical",
        "role": "sensitive",
        "filled_share": 3 / 6,
        "people": 2,
        "people_with_a_fact": 1,
    }
    assert (fields["pupils", "upn"]["filled_share"], fields["pupils", "upn"]["people"]) == (4 / 6, 3)
    assert (fields["attendance", "sessions_absent"]["people"]) == 2  # p1 and p2; p5 has none, one row has no key
    assert fields["images", "file_name"]["people"] == 2  # p1 and p6
    assert not {name for _, name in fields} & {"pupil_id", "guardian_id", "school_id", "taken_on"}


def test_the_record_has_exactly_the_keys_of_the_contract_and_is_json(
    school: frames.Dataset, catalogue: schema.Catalogue
) -> None:
    record = exposure_scope(school, catalogue).record()
    contract = {"records", "files", "people", "children_special_category", "images", "directly_identified", "fields"}
    contract |= {"schools", "oldest_year", "leavers"}
    assert contract <= record.keys()
    assert {"total", "children", "staff", "guardians", "uncountable"} <= record["people"].keys()
    assert set(record["images"]) - {"reason"} == {
        "files",
        "unique_exact",
        "unique_near",
        "with_gps",
        "linked_to_a_child",
    }
    assert json.loads(json.dumps(tables.plain(record), allow_nan=False)) == tables.plain(record)
    assert record["status"] == "measured"


def test_three_states_are_kept_apart(school: frames.Dataset, catalogue: schema.Catalogue) -> None:
    states = {e["what"]: e["state"] for e in exposure_scope(school, catalogue).record()["looked_for"]}
    assert states["columns that identify somebody directly"] == "found"
    assert states["personal data in the words of free text"] == "none found"
    assert states["what the files show, and their metadata"] == "not looked for"
    notes = schema.Catalogue((described("notes", "child", None, False, note="free_text text free_text"),))

    def told(note: str, **asked: bool) -> dict[str, str]:
        rows = in_hand(notes=pl.DataFrame({"note": [note]}))
        return {e["what"]: e["state"] for e in exposure_scope(rows, notes, **asked).record()["looked_for"]}

    assert told("x")["columns that identify somebody directly"] == "none found"
    words = "personal data in the words of free text"
    assert told("x", text=False)[words] == "not looked for"
    assert told("x")[words] == "none found"
    assert told("Her number is 01632 960123")[words] == "found"
    assert told("x")["children by name, in free text"] == "not looked for"  # no table of names


def test_children_who_cannot_be_told_apart_are_unknown_and_their_rows_uncountable() -> None:
    visits = described("visits", "child", None, False, reason="sensitive text medical", seen_by="other text other")
    rows = in_hand(visits=pl.DataFrame({"reason": ["asthma", None, "cut"], "seen_by": ["a", "b", "c"]}))
    record = exposure_scope(rows, schema.Catalogue((visits,))).record()
    assert record["records"] == 3
    assert (record["people"]["children"], record["people"]["total"]) == (None, None)
    assert record["people"]["uncountable"] == 3
    assert record["people"]["reason"]
    assert record["children_special_category"] is None
    assert record["reason"]
    assert record["fields"][0]["people"] is None
    assert record["fields"][0]["filled_share"] == 2 / 3
    assert record["fields"][0]["reason"]


def test_people_of_a_table_about_nobody_known_count_as_people_but_not_as_children() -> None:
    rows = pl.DataFrame({"who": ["x", "y"], "need": ["ASD", None]})
    some = described("some", "unknown", None, True, who="direct full_name identity", need="sensitive sen_need sen")
    record = exposure_scope(in_hand(some=rows), schema.Catalogue((some,))).record()
    assert record["records"] == 2
    assert (record["people"]["total"], record["people"]["unknown_kind"]) == (2, 2)
    assert record["people"]["children"] is None
    assert record["children_special_category"] is None
    assert record["directly_identified"] == 2


def test_a_table_keyed_like_the_pupils_is_about_children_though_nobody_said_so() -> None:
    pupils = described("pupils", "child", "pupil_id", True, pupil_id="direct pupil_id identity")
    clubs = described(
        "clubs", "unknown", "pupil_id", False, pupil_id="direct pupil_id identity", club="quasi text other"
    )
    rows = in_hand(
        pupils=pl.DataFrame({"pupil_id": [1, 2]}), clubs=pl.DataFrame({"pupil_id": [2, 3], "club": ["chess", None]})
    )
    record = exposure_scope(rows, schema.Catalogue((pupils, clubs))).record()
    assert (record["people"]["children"], record["people"]["unknown_kind"]) == (3, 0)
    assert record["directly_identified"] == 0  # a number that only links tables names nobody


def test_administration_is_no_record_about_people() -> None:
    link = described(
        "staff_classes", "unknown", None, False, staff_id="other staff_id other", class_id="other id other"
    )
    staff = described("staff", "staff", "staff_id", True, staff_id="other staff_id identity")
    rows = in_hand(
        staff_classes=pl.DataFrame({"staff_id": [1, 1], "class_id": [7, 8]}), staff=pl.DataFrame({"staff_id": [1]})
    )
    record = exposure_scope(rows, schema.Catalogue((link, staff))).record()
    assert (record["records"], record["people"]["total"], record["people"]["children"]) == (1, 1, 0)
    assert record["fields"] == []


# Household 1 has an address, 2 has none; a and b live in 1, c in 2, d in neither.
def test_an_address_is_told_of_the_children_of_its_household_and_its_row_is_no_record() -> None:
    homes = described(
        "households",
        "unknown",
        None,
        False,
        household_id="quasi household_id contact",
        address_line="direct address contact",
    )
    schools = described(
        "schools", "unknown", None, False, school_id="quasi school_id identity", name="quasi school_name identity"
    )
    pupils = described(
        "pupils",
        "child",
        "pupil_id",
        True,
        pupil_id="direct pupil_id identity",
        household_id="quasi household_id contact",
    )
    rows = in_hand(
        households=pl.DataFrame({"household_id": [1, 2], "address_line": ["1 Lane", None]}),
        pupils=pl.DataFrame({"pupil_id": ["a", "b", "c", "d"], "household_id": [1, 1, 2, None]}),
        schools=pl.DataFrame({"school_id": ["S"], "name": ["North"]}),
    )
    record = exposure_scope(rows, schema.Catalogue((homes, pupils, schools))).record()
    assert record["records"] == 4
    assert [(e["field"], e["filled_share"], e["people"]) for e in record["fields"]] == [("address_line", 0.5, 2)]
    assert record["directly_identified"] == 2
    assert record["schools"] == 1


def test_a_photo_path_in_the_pupils_table_is_a_file_and_its_row_a_record() -> None:
    pupils = described(
        "pupils",
        "child",
        "pupil_id",
        True,
        pupil_id="direct pupil_id identity",
        surname="direct surname identity",
        photo="direct file_name images",
    )
    rows = pl.DataFrame({"pupil_id": [1, 2, 3], "surname": ["a", "b", "c"], "photo": ["x.JPG", None, "y.pdf"]})
    record = exposure_scope(in_hand(pupils=rows), schema.Catalogue((pupils,))).record()
    assert record["records"] == 3
    assert record["files"] == 1 + 2
    assert (record["images"]["files"], record["images"]["linked_to_a_child"]) == (1, 1)  # a PDF is no picture


def test_a_list_of_files_with_hashes_tells_exact_copies_apart_and_no_child() -> None:
    listing = described("listing", "unknown", None, False, path="direct file_name other", sha="other hash other")
    rows = pl.DataFrame({"path": ["a.png", "b.jpeg", "c.xlsx", "d.jpg"], "sha": ["01", "01", "02", None]})
    record = exposure_scope(in_hand(listing=rows), schema.Catalogue((listing,))).record()
    assert (record["records"], record["files"]) == (0, 1 + 4)
    assert (record["images"]["files"], record["images"]["unique_exact"]) == (3, 1)
    assert record["images"]["linked_to_a_child"] is None
    assert record["people"]["total"] == 0


def test_the_oldest_year_is_no_birth_date_and_no_date_of_entry_where_a_record_has_a_date_of_its_own() -> None:
    rows = pl.DataFrame({"born": [date(1999, 1, 1)], "came": [date(2004, 9, 1)], "year": ["2015/16"]})
    pupils = described(
        "pupils",
        "child",
        None,
        True,
        born="quasi date_of_birth identity",
        came="quasi admission_date identity",
        year="other academic_year other",
    )
    scope = exposure_scope(in_hand(pupils=rows), schema.Catalogue((pupils,)))
    assert (scope.oldest_year, scope.oldest_year_column) == (2015, "pupils.year")
    scope = exposure_scope(in_hand(pupils=rows.drop("year")), schema.Catalogue((pupils,)))
    assert (scope.oldest_year, scope.oldest_year_column) == (2004, "pupils.came")
    scope = exposure_scope(in_hand(pupils=rows.drop("year", "came")), schema.Catalogue((pupils,)))
    assert (scope.oldest_year, scope.oldest_year_column) == (None, None)
    assert "oldest_year" in scope.record()["reasons"]


def test_what_was_not_kept_or_not_classified_is_named(school: frames.Dataset, catalogue: schema.Catalogue) -> None:
    lost = frames.Skipped("pupils, line 9", 1, "too many cells")
    pupils = replace(school.tables["pupils"], skipped=(lost,), seen=7)
    dataset = frames.Dataset("d", {**school.tables, "pupils": pupils})
    known = schema.Catalogue(tuple(table for table in catalogue.tables if table.name != "premium"))
    record = exposure_scope(dataset, known).record()
    assert {"where": "pupils, line 9", "rows": 1, "why": "too many cells"} in record["left_out"]
    assert [entry["rows"] for entry in record["left_out"] if entry["where"] == "premium"] == [3]
    assert record["records"] == 16
    unclassified = replace(known.tables[0], columns=known.tables[0].columns[:-1])
    record = exposure_scope(dataset, schema.Catalogue((unclassified,))).record()
    assert "pupils.left_on" in str(record["looked_for"])


def test_a_catalogue_that_knows_none_of_the_tables_is_refused(school: frames.Dataset) -> None:
    with pytest.raises(TableError, match="no table of by_hand"):
        exposure_scope(school, schema.Catalogue())


def test_an_empty_table_is_about_nobody() -> None:
    pupils = described("pupils", "child", "upn", True, upn="direct upn identity")
    rows = pl.DataFrame({"upn": []}, schema={"upn": pl.String})
    record = exposure_scope(in_hand(pupils=rows), schema.Catalogue((pupils,))).record()
    assert (record["records"], record["people"]["total"], record["directly_identified"]) == (0, 0, 0)
    assert record["directly_identified_share"] is None
    assert record["fields"][0]["filled_share"] is None


def test_sentence_says_records_people_and_that_they_differ(school: frames.Dataset, catalogue: schema.Catalogue) -> None:
    scope = exposure_scope(school, catalogue)
    assert "19 records" in scope.sentence()
    assert "10 to 11 people (6 to 7 children, 2 staff, 2 guardians)" in scope.sentence()
    assert "records are not people" in scope.people().sentence()
    rows = dict(scope.people().table().select("counted", "number").iter_rows())
    assert (rows["records"], rows["people"], rows["children"]) == (19, 11, 7)
    assert scope.field_table().table()["people"].to_list() == sorted(
        (entry.people for entry in scope.fields),
        reverse=True,  # type: ignore[type-var]
    )


LETTERS = st.sampled_from(["a", "b", "c", None, " "])
ROWS = st.lists(st.tuples(LETTERS, st.sampled_from(["ASD", None, " "]), st.sampled_from(["N", "K", None])), min_size=1)


@settings(deadline=None)
@given(ROWS, st.integers(0, 9), st.integers(0, 99))
def test_repeating_a_row_or_changing_their_order_moves_no_number_of_people(
    rows: list[tuple[str | None, ...]], repeated: int, seed: int
) -> None:
    known = described(
        "pupils",
        "child",
        "pupil_id",
        False,
        pupil_id="direct pupil_id identity",
        need="sensitive sen_need sen",
        provision="sensitive sen_provision sen",
    )
    frame = pl.DataFrame(rows, schema={"pupil_id": pl.String, "need": pl.String, "provision": pl.String}, orient="row")
    keyed = frame.filter(frame["pupil_id"].str.strip_chars() != "")
    again = pl.concat([frame, keyed.slice(repeated, 1)]).sample(fraction=1, shuffle=True, seed=seed)
    one, other = (exposure_scope(in_hand(pupils=f), schema.Catalogue((known,))) for f in (frame, again))
    assert one.head_count.children == other.head_count.children
    assert one.head_count.uncountable == other.head_count.uncountable
    assert one.children_special_category == other.children_special_category
    assert [entry.people for entry in one.fields] == [entry.people for entry in other.fields]
    # A slower count, row by row.
    children = {key for key, _, _ in rows if key and key.strip()}
    facts = {key for key, need, code in rows if key in children and (need == "ASD" or code == "K")}
    assert one.head_count.children == (len(children) if children else None)
    assert one.children_special_category == (len(facts) if children else None)
