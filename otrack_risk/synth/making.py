"""Make a world, table by table."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from otrack_risk import __version__, frames
from otrack_risk.errors import FileError, ParameterError
from otrack_risk.schema.catalogue import write_catalogue
from otrack_risk.synth import catalogue, world
from otrack_risk.synth.accounts import make_accounts
from otrack_risk.synth.adults import make_guardians, make_staff
from otrack_risk.synth.holdings import make_images
from otrack_risk.synth.people import make_people
from otrack_risk.synth.places import make_schools
from otrack_risk.synth.presets import FORMATS, planned
from otrack_risk.synth.records import make_assessments, make_attendance, pupil_years
from otrack_risk.synth.world import RECORDS, World

# Stands in the folder until the world is whole, so that what an interrupted run left behind is known for what it is.
_BEGUN = "synthetic = true\nunfinished = true\n"


def make(
    preset: str,
    out: Path | str,
    *,
    seed: int,
    pupils: int | None = None,
    schools: int | None = None,
    images: int | None = None,
    file_format: str = "parquet",
    progress: Callable[[str], None] | None = None,
) -> World:
    """Write a school that never was: one table a file, ``catalogue.toml`` and ``world.toml``.

    The same preset, seed and numbers give the same bytes in every file, with the same versions of this package,
    numpy, polars and Faker (``world.toml`` names them). Tables are made, written and let go one after the other.

    Parameters
    ----------
    preset : a name of :data:`PRESETS`
    out : folder; made if it is not there. A synthetic world in it is replaced; anything else is refused
    seed : of everything drawn at random, 0 or more
    pupils : on roll (in ``otrack`` ever on roll); the preset's number if not given. A smaller or larger
        ``otrack`` keeps the ratio of 864,603 records and 214,000 images to the preset's pupils
    schools : the preset's number if not given
    images : rows of the image index; the preset's number for so many pupils if not given
    file_format : parquet, csv or xlsx
    progress : told the name of each table once it is written

    Raises
    ------
    ParameterError
        An unknown preset or format, a number out of range.
    FileError
        ``out`` is a file, or a folder that holds something that is no synthetic world.
    """
    plan = planned(preset, pupils=pupils, schools=schools, images=images)
    if file_format not in FORMATS:
        raise ParameterError(f"'{file_format}' is no format of a synthetic world.", f"use one of {', '.join(FORMATS)}.")
    if seed < 0:
        raise ParameterError("seed is less than 0.", "give 0 or more.")
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(8)]
    since = plan.now if plan.since is None else plan.since
    place = make_schools(streams[0], plan.schools, plan.spread)
    people = make_people(streams[1], place, pupils=plan.pupils, now=plan.now, since=since)
    folder = Path(out)
    _clear(folder)
    (folder / "world.toml").write_bytes(_BEGUN.encode())
    columns: dict[str, list[str]] = {}
    rows: dict[str, int] = {}

    def write(table: str, held: pl.DataFrame) -> None:
        frames.write(held, folder / f"{table}.{file_format}")
        columns[table], rows[table] = held.columns, held.height
        if progress:
            progress(table)

    write("schools", place.table())
    write("classes", people.classes)
    write("households", people.households)
    write("pupils", people.pupils)
    guardians, links = make_guardians(streams[2], people)
    write("guardians", guardians)
    write("pupil_guardians", links)
    del links
    staff = make_staff(streams[3], place, people, plan.as_of)
    write("staff", staff.staff)
    write("staff_classes", staff.staff_classes)
    accounts, grants, planted = make_accounts(streams[4], plan, people, staff, guardians["guardian_id"])
    write("accounts", accounts)
    write("grants", grants)
    del accounts, grants, guardians
    # The open store keeps the last year of each child; a school's own system keeps this year and the one before.
    kept = (np.arange(plan.pupils), people.last_year) if plan.exposed else pupil_years(people, plan.now - 1)
    write("attendance", make_attendance(streams[5], people, place, *kept, plan.as_of))
    left = None if plan.records is None else plan.records - sum(rows[table] for table in RECORDS[:-1])
    write("assessments", make_assessments(streams[6], people, place, plan.as_of, left))
    write(
        "images",
        make_images(
            streams[7],
            people,
            plan.images,
            since=min(since, plan.now - 2),
            as_of=plan.as_of,
            names_in_files=plan.exposed,
        ),
    )
    on_roll = people.pupils["left_on"].null_count()
    made = World(
        folder=folder.name,
        preset=plan.name,
        seed=seed,
        as_of=plan.as_of,
        made_with=_versions(),
        rows=tuple(rows.items()),
        pupils_on_roll=on_roll,
        leavers=plan.pupils - on_roll,
        planted=tuple(planted.items()),
        facts=world.facts(plan, rows),
    )
    write_catalogue(catalogue.catalogue(columns), folder / "catalogue.toml")
    (folder / "world.toml").write_bytes(world.as_toml(made).encode())  # last: a folder without it is not whole
    return made


def pupils(preset: str, folder: Path | str, *, seed: int) -> pl.DataFrame:
    """Pupils on roll of a preset's world, with what somebody may know of each; made where it is not there yet.

    Parameters
    ----------
    folder : where worlds are kept; this one is ``folder/PRESET_SEED``

    Returns
    -------
    the ``pupils`` table, one row a pupil on roll, with ``postcode``, ``postcode_sector`` (text without the last
    two letters) and ``birth_month`` (1 to 12)
    """
    here = Path(folder) / f"{preset}_{seed}"
    held = _about(here)
    if (held.get("preset"), held.get("seed"), held.get("made_with")) != (preset, seed, _versions()):
        make(preset, here, seed=seed)
    home = pl.read_parquet(here / "households.parquet").select("household_id", "postcode")
    return (
        pl.read_parquet(here / "pupils.parquet")
        .filter(pl.col("left_on").is_null())
        .join(home, on="household_id", how="left", maintain_order="left")
        .with_columns(postcode_sector=pl.col("postcode").str.head(-2), birth_month=pl.col("date_of_birth").dt.month())
    )


def _clear(folder: Path) -> None:
    """Take an earlier synthetic world away; refuse a folder that holds anything else."""
    if folder.is_file():
        raise FileError(f"'{folder.name}' is a file.", "name a folder for the synthetic world.")
    folder.mkdir(parents=True, exist_ok=True)
    held = sorted(path.name for path in folder.iterdir())
    if not held:
        return
    tables = {f"{table}.{suffix}" for table in catalogue.TABLES for suffix in FORMATS}
    ours = {"world.toml", "catalogue.toml"} | tables | {f".{name}.part" for name in tables}
    if not _about(folder) or not set(held) <= ours:
        raise FileError(
            f"folder '{folder.name}' holds files that belong to no synthetic world.",
            "name another folder, or empty it.",
        )
    for name in held:  # world.toml comes last, so that a run that is cut short can be repeated
        (folder / name).unlink()


def _about(folder: Path) -> dict[str, Any]:
    """What the folder says of itself; nothing where it is no synthetic world."""
    try:
        content = tomllib.loads((folder / "world.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
    return content if content.get("synthetic") is True else {}


def _versions() -> str:
    return f"otrack_risk {__version__}, " + ", ".join(
        f"{name} {version(name)}" for name in ("numpy", "polars", "Faker")
    )
