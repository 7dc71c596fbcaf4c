"""Commands on data: make them, say what they are, measure them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otrack_risk.cli.options import (
    DATA,
    JSON,
    PATH,
    QUIET,
    READING,
    SEED,
    command,
    options,
    progress_bar,
    read,
    show,
)
from otrack_risk.cli.rows import RECIPIENT

if TYPE_CHECKING:
    import polars as pl


PRESETS = ("primary", "secondary", "trust", "otrack")
FORMATS = (
    "parquet",
    "csv",
    "xlsx",
    "oneroster",
    "oneroster12",
    "ctf",
    "mis",
    "bucket",
    "sqlite",
    "duckdb",
    "postgresql",
)


@command("synth", "otrack-risk synth data/synthetic/secondary --preset secondary --seed 7")
@click.argument("out", type=PATH)
@click.option("--preset", type=click.Choice(PRESETS), default="secondary", show_default=True)
@click.option("--pupils", type=click.IntRange(1), help="Pupils on roll, instead of the preset's.")
@click.option("--schools", type=click.IntRange(1), help="Schools, instead of the preset's.")
@click.option("--images", type=click.IntRange(0), help="Photographs, drawn to files; else the preset's index alone.")
@click.option("--format", "file_format", type=click.Choice(FORMATS), default="parquet", show_default=True)
@click.option(
    "--dirt", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Share of cells that may get dirty."
)
@click.option("--workers", type=click.IntRange(1), help="Processes; the files are the same whatever their number.")
@options(SEED, JSON, QUIET)
def synth_command(out: Path, workers: int | None, as_json: bool, quiet: bool, **given: Any) -> None:
    """Write a synthetic school world: a school that never was."""
    from otrack_risk import synth

    with progress_bar(quiet) as tell:
        world = synth.make(out=out, workers=workers or os.cpu_count() or 1, progress=tell, **given)
    show("synth", world, as_json, [], {"out": out, **given})


@command("profile", "otrack-risk profile pupils.csv --write catalogue.toml")
@DATA
@click.option("--write", type=PATH, help="Write the catalogue, for a person to edit.")
@options(*READING, JSON, QUIET)
def profile_command(data: Path, write: Path | None, as_json: bool, quiet: bool, **reading: Any) -> None:
    """Say of every column what it is, and why: direct identifier, quasi-identifier, sensitive, free text, other."""
    from otrack_risk import profile

    dataset, catalogue = read(data, **reading)
    result = profile.profile(dataset.frames, catalogue)
    if write:
        profile.write_catalogue(result.catalogue, write)
    show("profile", result, as_json, dataset, {"data": data, "write": write, **reading})


@command("risk", "otrack-risk risk pupils.csv --qi year_group,sex,ethnicity --sensitive sen_need")
@DATA
@click.option("--qi", required=True, help="Quasi-identifiers, a,b,c: what an attacker is taken to know.")
@click.option("--sensitive", default="", help="Sensitive columns, a,b: what would be learnt.")
@click.option(
    "--missing",
    type=click.Choice(["own-category", "wildcard", "drop"]),
    default="own-category",
    show_default=True,
    help="A missing value is a value of its own, matches every value, or its row is left out.",
)
@click.option(
    "--missing-alpha",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="What a match through a missing value counts under --missing wildcard.",
)
@click.option(
    "--threshold",
    "thresholds",
    type=click.FloatRange(0, 1),
    multiple=True,
    default=(0.2,),
    show_default=True,
    help="Count records with a higher chance (repeatable).",
)
@click.option("--population-size", type=click.IntRange(1), help="People in the population the table is drawn from.")
@click.option(
    "--sampling-fraction",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the population that is in the table.",
)
@click.option("--population-data", type=PATH, help="The population itself, with the same columns.")
@click.option(
    "--population-models",
    type=click.Choice(["fast", "all"]),
    default="fast",
    show_default=True,
    help="Models of the population's uniques; all adds the copula, which takes longer.",
)
@click.option("--significance", type=click.FloatRange(0, 0.5, min_open=True), default=0.05, show_default=True)
@click.option("--weights", help="Column of sampling weights: people that a row stands for.")
@click.option("--individual-method", type=click.Choice(["exact", "approx"]), default="exact", show_default=True)
@click.option("--person", help="Column that tells data subjects apart, where one has several rows.")
@click.option(
    "--known-facts", type=click.IntRange(1), help="With --person: who is unique by any so many of their rows."
)
@click.option("--household", help="Column of households: finding one gives away the others.")
@click.option("--ordered", multiple=True, help="COL=a<b<c, or COL=@FILE with one value a line (repeatable).")
@click.option("--hierarchy", multiple=True, help="COL=FILE without header: value, level 1, level 2 ... (repeatable).")
@click.option("--subsets", type=click.IntRange(1), help="Tell of every subset of up to so many quasi-identifiers.")
@click.option("--suda", type=click.IntRange(1), help="Find special uniques of up to so many quasi-identifiers.")
@click.option("--compare-missing", is_flag=True, help="Tell what each rule for missing values would say.")
@click.option("--engine", type=click.Choice(["polars", "pandas", "duckdb", "pyspark"]), default="polars")
@click.option("--records", type=PATH, help="Write the risk of every single row to this Parquet file.")
@options(RECIPIENT, SEED, *READING, JSON, QUIET)
def risk_command(data: Path, as_json: bool, quiet: bool, **given: Any) -> None:
    """Measure re-identification risk and k-anonymity."""
    import numpy as np

    from otrack_risk import risk
    from otrack_risk.cli import rows as row_level
    from otrack_risk.cli.engines import on_engine
    from otrack_risk.errors import ParameterError

    kept_at = row_level.place(given["records"], given["recipient"], "--records")
    reading = {name: given[name] for name in ("table", "delimiter", "encoding", "null_values", "catalogue")}
    dataset, catalogue = read(data, **reading)
    table = dataset.table(given["table"])
    columns = catalogue.table(table.name)
    everybody = (
        given["population_data"] and read(given["population_data"], **{**reading, "table": None})[0].table().rows
    )
    if given["person"] and given["records"]:
        raise ParameterError(
            "--records: with --person a data subject is several rows, so that no row has a risk of its own.",
            "leave one of the two out.",
        )
    known, learnt, chance = _list(given["qi"]), _list(given["sensitive"]), np.random.default_rng(given["seed"])
    unused = [
        f"--{option}: '{column}' is not among the sensitive columns, so its values are put in no order."
        for option in ("ordered", "hierarchy")
        for column, _ in _by_column(given[option], option)
        if column not in learnt
    ]
    with on_engine(given["engine"]) as hand_over:
        population = risk.Population.given(
            size=given["population_size"],
            fraction=given["sampling_fraction"],
            table=None if everybody is None else hand_over(everybody),
        )
        asked: dict[str, Any] = {
            "missing": given["missing"],
            "missing_alpha": given["missing_alpha"],
            "population": population,
            "weights": given["weights"],
            "individual_method": given["individual_method"],
            "suda": given["suda"],
        }
        rows = hand_over(_weighted(table.rows, given["weights"]))
        with progress_bar(quiet) as tell:
            result = risk.measure(
                rows,
                known,
                sensitive=learnt,
                thresholds=given["thresholds"],
                direct_identifiers=columns.with_role("direct") if columns else None,
                person=given["person"],
                household=given["household"],
                known_facts=given["known_facts"],
                orders={name: risk.read_order(text) for name, text in _by_column(given["ordered"], "ordered")},
                hierarchies={
                    name: risk.read_hierarchy(path) for name, path in _by_column(given["hierarchy"], "hierarchy")
                },
                subsets=given["subsets"],
                keys=True,
                copula=given["population_models"] == "all",
                significance=given["significance"],
                compare_missing=given["compare_missing"],
                rng=chance,
                tell=tell,
                **asked,
            )
            if kept_at is not None:
                row_level.write_table(risk.records(rows, known, **asked), kept_at, given["recipient"])
    show("risk", result, as_json, dataset, {"data": data, **given}, unused)


@command("exposure", "otrack-risk exposure exported_folder/ --json")
@DATA
@click.option("--scenario", help="Count only what this scenario says could be reached.")
@click.option("--no-text", is_flag=True, help="Do not scan free text for the children whom it names.")
@click.option(
    "--images",
    type=click.Choice(["none", "exact", "near"]),
    default="exact",
    show_default=True,
    help="Of files in DATA: open none, count different files, or different pictures too, which takes longer.",
)
@options(SEED, *READING, JSON, QUIET)
def exposure_command(
    data: Path, scenario: str | None, no_text: bool, images: Any, seed: int, as_json: bool, quiet: bool, **reading: Any
) -> None:
    """Count what was exposed: records, files, people, children, fields, words, images.

    DATA may also be a supplier's letter (.toml): fields and head-counts with no rows. Pictures and documents in a
    folder are opened.
    """
    import numpy as np

    from otrack_risk import exposure

    parameters = {"data": data, "scenario": scenario, "no_text": no_text, "images": images, "seed": seed, **reading}
    if data.suffix.lower() == ".toml":
        from otrack_risk.frames import letter

        result = exposure.exposure_from_letter(letter.read_letter(data))
        show("exposure", result, as_json, letter.inputs(data), parameters)
        return
    dataset, catalogue = exposure.files_alone(data) or read(data, **reading)
    where = data if isinstance(data, Path) and not reading["table"] else None
    if scenario:
        from otrack_risk import assessment

        reached = assessment.read_scenario(scenario).reach(dataset.columns)
        dataset, catalogue, where = dataset.only(reached), catalogue.only(reached), None
    with progress_bar(quiet) as tell:
        result = exposure.exposure_scope(
            dataset,
            catalogue,
            text=not no_text,
            where=where,
            images=images,
            workers=os.cpu_count() or 1,
            rng=np.random.default_rng(seed),
            tell=tell,
        )
    show("exposure", result, as_json, dataset, parameters)


def _weighted(rows: pl.DataFrame, weights: str | None) -> pl.DataFrame:
    """The rows with their sampling weights as numbers: text in a file stays text until it is asked for as such."""
    import polars as pl

    from otrack_risk.errors import FieldError

    if weights is None or weights not in rows.columns or rows[weights].dtype != pl.String:
        return rows
    numbers = rows[weights].str.strip_chars().cast(pl.Float64, strict=False)
    if wrong := numbers.null_count() - rows[weights].null_count():
        raise FieldError(
            f"weights: '{weights}' is no number in {wrong:,} of {rows.height:,} rows.",
            "a sampling weight is the number of people that a row stands for: correct it, or name another column.",
        )
    return rows.with_columns(numbers)


def _by_column(given: tuple[str, ...], option: str) -> list[tuple[str, str]]:
    """The column and the rest of each ``COL=REST``."""
    from otrack_risk.errors import ParameterError

    if any("=" not in entry for entry in given):
        raise ParameterError(f"--{option}: an entry names no column.", f"write --{option} COL=... .")
    return [(name.strip(), rest) for name, _, rest in (entry.partition("=") for entry in given)]


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
