"""Columns, texts and files joined: a school counted by hand, and worlds held against their own truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from otrack_risk import exposure, frames, profile, schema, synth
from otrack_risk.display import tables
from otrack_risk.exposure import ExposureScope, exposure_scope, words
from otrack_risk.exposure.stores import _matched
from otrack_risk.text import linkage
from otrack_risk.text.roster import Roster
from otrack_risk.text.scan import Reading, read_notes

NAMES = ("PERSON", "NICKNAME", "INITIALS", "MISSPELT_NAME")
FACTS = ("HEALTH", "SEND", "SAFEGUARDING", "RELIGION", "ETHNICITY", "LANGUAGE")


def described(name: str, subjects: Any, person: str | None, **columns: str) -> schema.TableSchema:
    parts = tuple(schema.Column(column, *said.split()) for column, said in columns.items())  # type: ignore[arg-type]
    return schema.TableSchema(name, subjects, person, False, parts)


# Daisy (1) has a need in a column; notes in her own row tell of asthma and name Emeka (2). Emeka's row tells nothing.
# Ada (3) is in no note; a note that is in nobody's row names her, and the mosque. A Tom is not in the table.
PUPILS = pl.DataFrame(
    {
        "pupil_id": ["1", "2", "3"],
        "forename": ["Daisy", "Emeka", "Adaeze"],
        "surname": ["Holt", "Obi", "Finch"],
        "need": ["ASD", None, None],
    }
)
NOTES = pl.DataFrame(
    {
        "pupil_id": ["1", "2", None, "1"],
        "note": [
            "Asthma: inhaler is in the office. Played with Emeka Obi.",
            "Late again today.",
            "Adaeze Finch is Muslim and will be at the mosque on Friday.",
            None,
        ],
    }
)
IMAGES = pl.DataFrame(
    {"pupil_id": ["2", None, "3"], "file_name": ["a/Emeka Obi 2025.jpg", "Daisy Holt.jpg", "EHCP review Finch.pdf"]}
)
CATALOGUE = schema.Catalogue(
    (
        described(
            "pupils",
            "child",
            "pupil_id",
            pupil_id="direct pupil_id identity",
            forename="direct forename identity",
            surname="direct surname identity",
            need="sensitive sen_need sen",
        ),
        described("notes", "child", "pupil_id", pupil_id="direct pupil_id identity", note="free_text note free_text"),
        described(
            "images", "child", "pupil_id", pupil_id="direct pupil_id identity", file_name="direct file_name images"
        ),
    )
)


def scope_of(where: Path | None = None, **asked: Any) -> ExposureScope:
    rows = {"pupils": PUPILS, "notes": NOTES, "images": IMAGES}
    dataset = frames.Dataset("d", {n: frames.Table(n, r, f"{n}.csv", n, r.height) for n, r in rows.items()})
    return exposure_scope(dataset, CATALOGUE, where=where, **asked)


def test_a_fact_in_text_is_told_of_the_child_whose_row_it_is_and_of_every_child_named() -> None:
    text = scope_of().record()["text"]
    assert text["state"] == "found"
    assert text["columns"] == ["notes.note"]
    assert (text["documents"], text["documents_with_text"]) == (4, 3)
    assert text["children_named"]["resolved"] == 2  # Emeka and Adaeze
    assert text["by_category"]["medical"]["by_key_or_name"] == 2  # Daisy by the row, Emeka by name
    assert text["by_category"]["religion"]["by_key_or_name"] == 1
    assert text["children_special_category"]["by_key_or_name"] == 3
    assert text["children_special_category"]["only_in_text"] == 3  # no column states a condition or a belief
    assert {"recall", "precision", "status"} <= text["scanner"].keys()


def test_each_category_is_told_by_each_kind_of_source_of_so_many_children() -> None:
    by_source = scope_of().record()["by_source"]
    cells = by_source["cells"]
    assert cells["sen"] == {"table": 1, "note": 0, "file": 1, "photograph": 0}  # a plan, by the name of its file
    assert cells["medical"] == {"table": 0, "note": 2, "file": 0, "photograph": 0}
    assert cells["religion"] == {"table": 0, "note": 1, "file": 0, "photograph": 0}
    # Emeka by key, Daisy by name; a photograph is looked for in no note
    assert cells["images"] == {"table": 0, "note": None, "file": None, "photograph": 2}
    assert cells["identity"] == {"table": 3, "note": 2, "file": 1, "photograph": 2}
    assert cells["free_text"]["note"] == 2  # whose rows hold a text: Daisy and Emeka


def test_the_way_from_records_to_children_narrows() -> None:
    scope = scope_of()
    assert scope.record()["waterfall"] == {
        "records": 7,
        "records_about_children": 7,
        "records_with_a_childs_key": 6,
        "children": 3,
        "children_special_category": 3,
        "children_only_in_text": 3,
    }
    assert scope.steps is not None
    assert scope.steps.figure() is not None
    assert scope.steps.table()["number"].to_list() == [7, 7, 6, 3, 3, 3]
    assert "3 different children" in scope.steps.sentence()


def test_what_was_not_to_be_read_is_not_looked_for_and_not_none() -> None:
    scope = scope_of(text=False)
    record = scope.record()
    assert record["text"]["state"] == "not looked for"
    assert {row["note"] for row in record["by_source"]["cells"].values()} == {None}
    assert record["waterfall"]["children_only_in_text"] is None
    assert scope.by_source is not None
    assert "not looked for" in str(scope.by_source)
    assert scope.by_source.state("sen", "note") == "not looked for"
    assert record["pictures"]["state"] == record["documents"]["state"] == "not looked for"


def test_on_paper_no_small_number_is_left_in_words_sources_and_steps() -> None:
    shown = scope_of().published(5)
    assert shown.by_source is not None
    assert shown.steps is not None
    cells = [count for row in shown.by_source.cells.values() for count in row.values()]
    assert [count for count in cells if isinstance(count, int) and 0 < count < 5] == []
    text = tables.plain(shown.record()["text"])
    assert isinstance(text, dict)
    assert text["children_named"]["resolved"] == {"hidden": True, "below": 5}
    assert text["children_named"]["interval"] is None
    assert isinstance(shown.steps.record()["children"], tables.Hidden)
    json.dumps(tables.plain(shown.record()), allow_nan=False)


def test_a_file_is_met_in_a_list_by_its_path_or_by_a_name_that_only_one_row_has() -> None:
    listed = pl.Series(["photos\\A\\One.jpg", "B/two.jpg", "x/same.jpg", "y/same.jpg", None])
    said = ["photos/a/one.jpg", "elsewhere/two.jpg", "z/same.jpg", "deep/y/same.jpg", "other.jpg"]
    assert _matched(said, listed) == [0, 1, -1, 3, -1]


def test_what_no_column_holds_is_not_looked_for_where_files_lie_unread(tmp_path: Path) -> None:
    pupils, known = PUPILS.select("pupil_id", "forename", "surname"), CATALOGUE.table("pupils")
    assert known is not None
    notes = NOTES.with_columns(note=pl.lit("Daisy Holt: rang 07700 900123."))
    for name, rows in (("pupils", pupils), ("notes", notes)):
        rows.write_parquet(tmp_path / f"{name}.parquet")

    def contact_by_columns() -> object:
        record = exposure_scope(frames.read(tmp_path), CATALOGUE, where=tmp_path).record()
        return record["by_source"]["cells"]["contact"]["table"]

    assert contact_by_columns() == 0
    (tmp_path / "nightly.bak").write_bytes(b"who knows")
    assert contact_by_columns() is None


def test_listed_files_that_so_many_children_may_mean_are_said_not_to_be_compared(monkeypatch) -> None:
    monkeypatch.setattr("otrack_risk.exposure.stores.CROWD", 2)
    said = [each for each in scope_of().looked_for if each.what == "children by the names of listed files"]
    assert [each.state for each in said] == ["not looked for"]
    assert said[0].why.startswith("1 of them carry no child's key")  # the picture of Daisy


def test_what_stands_in_words_is_a_page_of_its_own_with_three_states() -> None:
    found = scope_of().in_text()
    assert found.record()["children_named"]["resolved"] == 2  # Emeka and Adaeze
    assert "no column states a fact of that category" in found.sentence()
    assert found.table()["number"].to_list().count("found") == 3  # words, children by name, people in no table
    small = found.published(5)
    assert small.words is not None
    assert small.words.scan.subjects_named == tables.Hidden(5)
    unread = scope_of(text=False).in_text()
    assert unread.words is None
    assert unread.record()["state"] == "not looked for"
    assert "not read here: notes.note" in unread.sentence()


def test_a_folder_of_files_alone_has_files_and_no_records(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (8, 8), "red").save(tmp_path / "one.png")
    (tmp_path / "copy.png").write_bytes((tmp_path / "one.png").read_bytes())
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    found = exposure.files_alone(tmp_path)
    assert found is not None
    record = exposure_scope(*found, where=tmp_path).record()
    assert (record["records"], record["files"], record["people"]["children"]) == (0, 3, 0)
    images = record["images"]
    assert (images["files"], images["opened"], images["unique_exact"]) == (3, 2, 1)
    assert images["with_gps"] is None  # none has a place, and one was not looked at
    assert images["linked_to_a_child"] is None
    assert record["file_names"]["state"] == "not looked for"
    (tmp_path / "pupils.csv").write_text("a,b\n1,2\n")
    assert exposure.files_alone(tmp_path) is None


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    made = []
    for seed in (3, 4):
        made.append(tmp_path_factory.mktemp("world") / f"seed{seed}")
        synth.make("primary", made[-1], seed=seed, pupils=400, images=60)
    return made[0], made[1]


def read(world: Path, **asked: Any) -> ExposureScope:
    dataset = frames.read(world)
    return exposure_scope(dataset, profile.catalogue_for(world, dataset.frames), where=world, **asked)


def truth(world: Path, table: str) -> pl.DataFrame:
    return pl.read_parquet(world / "truth" / "spans.parquet").filter(pl.col("table") == table)


def named_in(world: Path) -> pl.DataFrame:
    spans = truth(world, "notes")
    return spans.filter(pl.col("label").is_in(NAMES), pl.col("subject_kind") == "child").drop_nulls("subject")


def scanned(world: Path) -> tuple[pl.DataFrame, Reading, list[str]]:
    """The notes of a world, what a scan finds in them, and the pupils of its roster."""
    pupils, notes = (pl.read_parquet(world / f"{name}.parquet") for name in ("pupils", "notes"))
    reading = read_notes(notes, "text", Roster.of(pupils, pl.read_parquet(world / "staff.parquet")))
    return notes, reading, pupils["pupil_id"].to_list()


def measured_on(world: Path) -> linkage.Measured:
    """How well children are found in the notes of a world, all forms of names together."""
    notes, reading, ids = scanned(world)
    claimed = [
        (note, span.start, span.end, {ids[row] for row in span.subjects})
        for note, spans in zip(notes["note_id"], reading.spans, strict=True)
        for span in spans
        if linkage.names_a_child(span)
    ]
    real = list(named_in(world).select("row", "start", "end", "subject").iter_rows())

    def met(one: tuple[Any, ...], note: str, start: int, end: int, subject: str) -> bool:
        return bool(one[0] == note and one[1] < end and start < one[2] and subject in one[3])

    found = sum(any(met(one, *each) for one in claimed) for each in real)
    right = sum(any(met(one, *each) for each in real) for one in claimed)
    return linkage.Measured(len(real), found, len(claimed), right)


# The interval carries recall and precision of names; here as measured on another world, whose notes are of the same
# kind. What is a fact is the word lists' to say: to them a common illness is one, which the truth does not mark.
def test_the_children_named_in_a_worlds_notes_lie_within_the_interval(
    worlds: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = worlds
    known = measured_on(other)
    table, _ = linkage.measured()
    monkeypatch.setattr(
        linkage, "measured", lambda: ({"another world": dict.fromkeys(next(iter(table.values())), known)}, False)
    )
    text = read(one, rng=np.random.default_rng(1)).record()["text"]
    notes, reading, _ = scanned(one)
    special = schema.special_categories()
    facts = [
        note
        for note, told in zip(notes["note_id"], words._facts(reading), strict=True)
        if special.intersection(told.values())
    ]
    named = named_in(one)
    for which, of in (
        ("children_named", named["subject"]),
        ("children_special_category", named.filter(pl.col("row").is_in(facts))["subject"]),
    ):
        held, children = text[which]["interval"], of.n_unique()
        assert children > 30
        assert held["low"] - 0.5 <= children <= held["high"] + 0.5
    marked = named.join(truth(one, "notes").filter(pl.col("label").is_in(FACTS)).select("row").unique(), on="row")
    told = text["children_special_category"]["expected"]
    assert told == pytest.approx(marked["subject"].n_unique(), rel=0.2)


def test_the_pictures_of_a_world_are_counted_exactly(worlds: tuple[Path, Path]) -> None:
    world, _ = worlds
    record = read(world, text=False, images="near").record()
    listed, spans = pl.read_parquet(world / "images.parquet"), truth(world, "images")
    copies = pl.read_parquet(world / "truth" / "near_duplicates.parquet").height
    assert copies > 0
    assert record["images"] == {
        "files": 60,
        "unique_exact": 60,
        "unique_near": 60 - copies,
        "with_gps": spans.filter(pl.col("label") == "GPS")["row"].n_unique(),
        "linked_to_a_child": listed["pupil_id"].count(),
        "opened": 60,
    }
    assert record["by_source"]["cells"]["images"]["photograph"] == listed["pupil_id"].drop_nulls().n_unique()
    places = record["documents"]["places"]  # of the workbook in the training folder
    assert places["hidden_sheets"]["documents"] == places["very_hidden_sheets"]["documents"] == 1
    tables_read, documents = len(frames.read(world).tables), pl.read_parquet(world / "documents.parquet").height
    assert record["files"] == tables_read + 60 + documents + 1  # every picture is in the list, the workbook is not


def test_pictures_that_are_listed_and_not_there_are_counted_and_not_opened(worlds: tuple[Path, Path]) -> None:
    world, _ = worlds
    record = read(world, text=False, images="none").record()
    images = record["images"]
    linked = pl.read_parquet(world / "images.parquet")["pupil_id"].count()
    assert (images["files"], images["linked_to_a_child"]) == (60, linked)
    assert images["unique_exact"] is None
    assert "opened" not in images
    assert record["documents"]["state"] == "not looked for"
