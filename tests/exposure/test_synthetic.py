"""The exposure of synthetic schools: the published numbers, and a slower count of the same rows."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from otrack_risk import frames, profile, schema, synth
from otrack_risk.exposure import exposure_scope


def world(preset: str, folder: Path) -> tuple[frames.Dataset, schema.Catalogue]:
    synth.make(preset, folder, seed=11)
    rows = {file.stem: pl.read_parquet(file) for file in sorted(folder.glob("*.parquet"))}
    held = {name: frames.Table(name, r, f"{name}.parquet", name, r.height) for name, r in rows.items()}
    return frames.Dataset(preset, held), profile.read_catalogue(folder / "catalogue.toml")


# Published of the breach that the preset is named for: 864,603 records and 214,000 images.
def test_the_otrack_preset_has_the_published_records_and_images_and_far_fewer_children(tmp_path: Path) -> None:
    dataset, catalogue = world("otrack", tmp_path / "otrack")
    record = exposure_scope(dataset, catalogue, text=False).record()
    assert record["records"] == 864_603
    assert record["images"]["files"] == 214_000
    assert record["people"]["children"] == dataset.table("pupils").rows["pupil_id"].n_unique()
    assert record["people"]["total"] < record["records"] / 2
    assert record["oldest_year"] == 2017


def test_a_primary_school_counted_row_by_row_gives_the_same_numbers(tmp_path: Path) -> None:
    dataset, catalogue = world("primary", tmp_path / "primary")
    record = exposure_scope(dataset, catalogue).record()
    rows = {name: table.rows.to_dicts() for name, table in dataset.tables.items()}
    about = ("pupils", "guardians", "staff", "contracts", "attendance", "assessments", "notes", "behaviour")
    assert record["records"] == sum(len(rows[name]) for name in about)
    children = {row["pupil_id"] for name in ("pupils", "attendance", "images") for row in rows[name]}
    assert record["people"]["children"] == len(children - {None})
    assert record["people"]["guardians"] == len({row["guardian_id"] for row in rows["guardians"]})
    indices = [*rows["images"], *rows["documents"]]
    assert record["people"]["uncountable"] == sum(row["pupil_id"] is None for row in indices)
    assert record["images"]["files"] == len(rows["images"])
    with_need = {r["pupil_id"] for r in rows["pupils"] if r["sen_need"] or r["sen_provision"] in ("K", "E")}
    with_condition = {r["pupil_id"] for r in rows["pupils"] if r["medical_condition"]}
    assert record["special_by_category"]["sen"] == len(with_need)
    assert record["special_by_category"]["medical"] == len(with_condition)
    phoned = {row["guardian_id"] for row in rows["guardians"] if row["phone"]}
    (phone,) = [entry for entry in record["fields"] if entry["field"] == "phone"]
    assert phone["people"] == len(phoned)
    homes = {row["household_id"] for row in rows["households"] if row["address_line"]}
    (address,) = [entry for entry in record["fields"] if entry["field"] == "address_line"]
    assert address["people"] == len({row["pupil_id"] for row in rows["pupils"] if row["household_id"] in homes})


def test_profiled_without_its_catalogue_a_primary_school_gives_the_same_head_counts(tmp_path: Path) -> None:
    dataset, catalogue = world("primary", tmp_path / "primary")
    found = profile.classify({name: table.rows for name, table in dataset.tables.items()})
    one, other = exposure_scope(dataset, catalogue), exposure_scope(dataset, found)
    assert one.people().record() == other.people().record()
    assert one.head_count.records == other.head_count.records
