"""Make a world, town by town: any number of towns at once, in any number of processes, and always the same bytes."""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl

from otrack_risk import __version__
from otrack_risk.errors import ParameterError
from otrack_risk.schema.catalogue import write_catalogue
from otrack_risk.synth import catalogue, world, writing
from otrack_risk.synth.access_log import last_logins, make_access_log, make_ad_hoc
from otrack_risk.synth.accounts import make_accounts
from otrack_risk.synth.adults import make_guardians, make_staff
from otrack_risk.synth.certificate import Tally
from otrack_risk.synth.contracts import make_contracts
from otrack_risk.synth.dirt import file_dirt, make_dirt
from otrack_risk.synth.documents import make_documents
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.formats import FORMATS as EXPORTS
from otrack_risk.synth.formats import Format
from otrack_risk.synth.holdings import make_images
from otrack_risk.synth.images import draw_images, index_spans
from otrack_risk.synth.layout import Layout, lay_out
from otrack_risk.synth.notes import make_notes
from otrack_risk.synth.people import make_people
from otrack_risk.synth.presets import FORMATS, Preset, planned
from otrack_risk.synth.records import make_assessments, make_attendance, pupil_years
from otrack_risk.synth.town import Town
from otrack_risk.synth.world import GENERATOR, RECORDS, World

TABLES: dict[str, type] = {"parquet": writing.Parquet, "csv": writing.Csv, "xlsx": writing.Xlsx}  # one file a table


@dataclass(frozen=True)
class Made:
    """One town, with the truth about it."""

    tables: dict[str, pl.DataFrame]
    truth: dict[str, pl.DataFrame]  # spans, dirt, near-duplicates
    planted: dict[str, int]  # what a review should find -> how often
    tally: Tally  # counted before any dirt
    on_roll: int
    clean: Mapping[str, pl.DataFrame]  # the tables without dirt, of the first town


@dataclass(frozen=True)
class _Order:
    """What every process is told once."""

    layout: Layout
    dirt: float
    drawn: bool  # whether the pictures of the index are drawn to files
    photos: Path


def make(
    preset: str,
    out: Path | str,
    *,
    seed: int,
    pupils: int | None = None,
    schools: int | None = None,
    images: int | None = None,
    file_format: str = "parquet",
    dirt: float = 0.0,
    workers: int = 1,
    chunk: int = 20_000,
    progress: Callable[[str, float], None] | None = None,
) -> World:
    """Write a school that never was: its tables, the truth about them, and what the world says of itself.

    ``truth/`` has every identifier that stands in a text, a file name or a picture, and every dirty cell;
    ``manifest.json`` the rows and a hash of each table and the columns that hold an identifier in every cell,
    ``catalogue.toml`` what each column is, ``world.toml`` the world. The same preset, seed and numbers give the
    same bytes in every file, whatever ``workers`` and ``chunk``, with the same versions of this package and of
    those that ``world.toml`` names. A town is made, written and let go; memory does not grow with the world.

    Parameters
    ----------
    preset : a name of :data:`PRESETS`
    out : folder; made if it is not there. A synthetic world in it is replaced; anything else is refused
    seed : of everything drawn at random, 0 or more
    pupils : on roll (in ``otrack`` ever on roll); the preset's number if not given. A smaller or larger
        ``otrack`` keeps the ratio of 864,603 records and 214,000 images to the preset's pupils
    schools : the preset's number if not given
    images : photographs, each in the index and drawn to a file below ``photos/``; if not given, an index alone, of
        the preset's number for so many pupils
    file_format : a name of :data:`FORMATS`
    dirt : share of cells, 0 to 1, that may get dirty
    workers : processes that make towns
    chunk : pupils, at least, of the towns that a process makes before it hands them over
    progress : told what is done, and the share of it that is done

    Raises
    ------
    ParameterError
        An unknown preset or format, a number out of range.
    FileError
        ``out`` is a file, or a folder that holds something that is no synthetic world.
    """
    plan = planned(preset, pupils=pupils, schools=schools, images=images)
    _check(file_format, seed=seed, workers=workers, chunk=chunk, dirt=dirt)
    layout = lay_out(plan, seed)
    folder = Path(out)
    place = writing.begin(folder)
    order = _Order(layout, dirt, bool(images), place / "photos")
    content, truth = writing.Content(), writing.Parquet(place / "truth")
    wrong = _file_dirt(Chance(seed)) if dirt and file_format == "csv" else {}
    written = _format(file_format, place, plan, seed, photos=order.photos if images else None, wrong=wrong)
    planted: dict[str, int] = {}
    tally, on_roll = Tally(), 0
    for towns, town in enumerate(_towns(order, workers, chunk), start=1):
        if towns == 1 and (hidden := _workbook(place, town.clean, Chance(seed))) is not None:
            truth.add({"training": hidden})
        content.add(town.tables)
        written.add(town.tables)
        truth.add(town.truth)
        planted |= {fault: planted.get(fault, 0) + count for fault, count in town.planted.items()}
        tally.merge(town.tally)
        on_roll += town.on_roll
        if progress:
            progress("Making towns", towns / layout.schools.towns)
    written.close()
    truth.close()
    certificate = tally.certificate(plan)
    made = World(
        folder=folder.name,
        preset=plan.name,
        seed=seed,
        as_of=plan.as_of,
        made_with=_versions(),
        file_format=file_format,
        dirt=dirt,
        rows=tuple(content.rows.items()),
        pupils_on_roll=on_roll,
        leavers=plan.pupils - on_roll,
        planted=tuple(planted.items()),
        measured=len(certificate.applied),
        missed=tuple(f"{line.what}, of {line.among}" for line in certificate.missed),
        facts=world.facts(plan, content.rows),
    )
    about = place if file_format in TABLES else place / "truth"  # other formats have tables and columns of their own
    write_catalogue(catalogue.catalogue(content.columns), about / "catalogue.toml")
    (place / "manifest.json").write_text(_manifest(made, content, wrong), encoding="utf-8")
    (place / "certificate.json").write_text(certificate.as_json(), encoding="utf-8")
    writing.finish(folder, world.as_toml(made))
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
    held = writing.about(here)
    if (held.get("preset"), held.get("seed"), held.get("made_with")) != (preset, seed, _versions()):
        make(preset, here, seed=seed)
    home = pl.read_parquet(here / "households.parquet").select("household_id", "postcode")
    return (
        pl.read_parquet(here / "pupils.parquet")
        .filter(pl.col("left_on").is_null())
        .join(home, on="household_id", how="left", maintain_order="left")
        .with_columns(postcode_sector=pl.col("postcode").str.head(-2), birth_month=pl.col("date_of_birth").dt.month())
    )


def make_town(layout: Layout, number: int) -> tuple[Town, pl.DataFrame, dict[str, int]]:
    """One town with all its tables, the spans of identifiers in them, and what is planted in it."""
    chance, plan, schools = Chance(layout.seed), layout.plan, layout.schools
    people = make_people(layout, number)
    guardians, links = make_guardians(chance, people)
    staff = make_staff(chance, schools, number, people, plan.as_of)
    here = np.flatnonzero(schools.town == number)
    town = Town(
        number,
        plan,
        {
            "schools": schools.table(here),
            "classes": people.classes,
            "households": people.households,
            "pupils": people.pupils,
            "guardians": guardians,
            "pupil_guardians": links,
            "staff": staff.staff,
            "staff_classes": staff.staff_classes,
        },
    )
    town = town.having({"contracts": make_contracts(chance, town)})
    accounts, grants, planted = make_accounts(
        chance, plan, people, staff, guardians["guardian_id"], outside=number == 0
    )
    town = town.having({"accounts": accounts, "grants": grants})
    town = town.having({"grants": pl.concat([grants, make_ad_hoc(chance, town)])})
    # The open store keeps the last year of each child; a school's own system keeps this year and the one before.
    kept = (np.arange(len(people.number)), people.last_year) if plan.exposed else pupil_years(people, plan.now - 1)
    town = town.having({"attendance": make_attendance(chance, people, schools, *kept, plan.as_of)})
    written = make_notes(chance, town)
    town = town.having({"notes": written["notes"], "behaviour": written["behaviour"]})
    left = None
    if layout.records is not None:  # assessments fill up what is left of the town's records
        left = int(layout.records[number]) - sum(town[table].height for table in RECORDS if table in town.tables)
    town = town.having({"assessments": make_assessments(chance, people, schools, plan.as_of, left)})
    since = min(plan.first_year, plan.now - 2)
    pictures = make_images(
        chance,
        people,
        int(layout.images[number]),
        int(layout.class_images[number]),
        since=since,
        as_of=plan.as_of,
        names_in_files=plan.exposed,
    )
    town = town.having({"images": pictures})
    documents = make_documents(chance, town)
    held = documents["documents"]
    if plan.since is not None:  # a store that was begun in that year holds no older file
        held = held.filter(pl.col("created_on") >= date(plan.since, 9, 1))
    town = town.having({"documents": held})
    log, events = make_access_log(chance, town)
    town = town.having({"access_log": log, "accounts": last_logins(accounts, log)})
    of_documents = documents["spans"].join(
        held, left_on="row", right_on="document_id", how="semi", maintain_order="left"
    )
    spans = pl.concat([written["spans"], index_spans(town), of_documents])
    return town, spans, planted | events


def _finished(order: _Order, number: int) -> Made:
    """A town as it is written: its pictures drawn, its tables dirtied."""
    chance = Chance(order.layout.seed)
    town, spans, planted = make_town(order.layout, number)
    truth = {}
    if order.drawn:
        drawn = draw_images(chance, town, order.photos, town["images"].height)
        town = town.having({"images": drawn.images})
        spans = pl.concat([spans, drawn.spans])
        truth["near_duplicates"] = drawn.near_duplicates
    tally = Tally()
    tally.add(town.tables)
    tables, dirt = make_dirt(chance, town.tables, order.dirt)
    on_roll = town["pupils"]["left_on"].null_count()
    clean = dict(town.tables) if number == 0 else {}
    return Made(tables, {"spans": spans, "dirt": dirt} | truth, planted, tally, on_roll, clean)


def _towns(order: _Order, workers: int, chunk: int) -> Iterator[Made]:
    """Every town in order, made here or by processes that are a few chunks ahead at most."""
    chunks = _chunks(order.layout, chunk)
    if workers == 1 or len(chunks) == 1:
        for numbers in chunks:
            for number in numbers:
                yield _finished(order, number)
        return
    pool = ProcessPoolExecutor(
        min(workers, len(chunks)), multiprocessing.get_context("spawn"), initializer=_begun, initargs=(order,)
    )
    try:
        waiting: deque[Future[list[Made]]] = deque()
        for numbers in chunks:
            waiting.append(pool.submit(_made, numbers))
            if len(waiting) > workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:  # also when interrupted: nothing more is begun
        pool.shutdown(cancel_futures=True)


def _chunks(layout: Layout, least: int) -> list[list[int]]:
    """Towns in order, each chunk with so many pupils at least."""
    chunks: list[list[int]] = [[]]
    held = 0
    for number, heads in enumerate(layout.pupils.tolist()):
        if held >= least:
            chunks.append([])
            held = 0
        chunks[-1].append(number)
        held += heads
    return chunks


_told: list[_Order] = []  # what this process was told when it began; empty in the one that was called


def _begun(order: _Order) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that was called answers for all
    _told[:] = [order]


def _made(numbers: list[int]) -> list[Made]:
    return [_finished(_told[0], number) for number in numbers]


def _workbook(place: Path, tables: Mapping[str, pl.DataFrame], chance: Chance) -> pl.DataFrame | None:
    """A workbook that hides what it holds, for training, and the truth about it; none where no class has two."""
    from otrack_risk.synth.workbook import write_training_workbook

    if tables["pupils"].filter(pl.col("left_on").is_null())["class_id"].drop_nulls().is_unique().all():
        return None
    (place / "training").mkdir()
    return write_training_workbook(place / "training" / "trip_list.xlsx", tables, chance)


def _file_dirt(chance: Chance) -> dict[str, list[str]]:
    found = {table: sorted(file_dirt(chance, table)) for table in catalogue.TABLES}
    return {table: wrong for table, wrong in found.items() if wrong}


def _format(
    name: str, place: Path, plan: Preset, seed: int, *, photos: Path | None, wrong: dict[str, list[str]]
) -> Format:
    made: Format
    if name == "bucket":
        from otrack_risk.synth.formats.bucket import Bucket

        made = Bucket(place, plan, seed, portraits=photos)
    elif name == "csv":
        made = writing.Csv(place, wrong=wrong)
    else:
        made = (TABLES | EXPORTS)[name](place, plan, seed)
    return made


def _check(file_format: str, **numbers: float) -> None:
    if file_format not in FORMATS:
        raise ParameterError(f"'{file_format}' is no format of a synthetic world.", f"use one of {', '.join(FORMATS)}.")
    for name, least in (("seed", 0), ("workers", 1), ("chunk", 1)):
        if numbers[name] < least:
            raise ParameterError(f"{name} is less than {least}.", f"give {least} or more.")
    if not 0 <= numbers["dirt"] <= 1:
        raise ParameterError("dirt is not from 0 to 1.", "give a share of cells, for example 0.02.")


def _manifest(made: World, content: writing.Content, wrong: dict[str, list[str]]) -> str:
    about = {
        "synthetic": True,
        "generator": GENERATOR,
        "made_with": made.made_with,
        "preset": made.preset,
        "seed": made.seed,
        "as_of": made.as_of.isoformat(),
        "format": made.file_format,
        "dirt": made.dirt,
        "dirty_files": wrong,
        "records": made.records,
        "tables": content.record(),
        "columns": catalogue.identifiers(content.columns),
        "planted": dict(made.planted),
    }
    return json.dumps(about, indent=1) + "\n"


def _versions() -> str:
    return f"otrack_risk {__version__}, generator {GENERATOR}, " + ", ".join(
        f"{name} {version(name)}" for name in ("numpy", "polars", "scipy", "Faker", "pyarrow")
    )
