"""What was made: the world's counts, and the facts it rests on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.synth.presets import OTRACK_IMAGES, OTRACK_RECORDS, Preset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GENERATOR = 2  # goes up whenever the same seed gives other rows
RECORDS = (  # tables whose rows are about people
    "pupils",
    "guardians",
    "staff",
    "contracts",
    "attendance",
    "notes",
    "behaviour",
    "assessments",
)


@dataclass(frozen=True)
class Fact:
    """One thing the world rests on, and how well it is known."""

    about: str
    value: str
    status: str  # "known" (published), "assumed" or "unknown"
    source: str


@dataclass(frozen=True)
class World(Shown):
    """A world that was made: nobody in it exists."""

    key: ClassVar[str] = "synthetic_world"
    folder: str  # its name, never its directory
    preset: str
    seed: int
    as_of: date  # the day on which the world is seen
    made_with: str  # versions that the bytes depend on
    file_format: str
    dirt: float  # share of cells that might get dirty
    rows: tuple[tuple[str, int], ...]  # table, rows
    pupils_on_roll: int
    leavers: int
    planted: tuple[tuple[str, int], ...]  # accounts that a review of access should find, by what is wrong with them
    measured: int  # figures of certificate.json that this world was measured against, before any dirt
    missed: tuple[str, ...]  # those outside their tolerance, in words
    facts: tuple[Fact, ...]

    @property
    def records(self) -> int:
        """Rows about people."""
        return sum(count for table, count in self.rows if table in RECORDS)

    def sentence(self) -> str:
        rows = dict(self.rows)
        left = f" and {self.leavers:,} who left" if self.leavers else ""
        return (
            f"Invented, nobody in it exists: {rows['schools']:,} school{'s' if rows['schools'] > 1 else ''} with "
            f"{self.pupils_on_roll:,} pupils on roll{left}; {self.records:,} records about people and "
            f"{rows['images']:,} images in the index (preset {self.preset}, seed {self.seed}). {self._nearness()}"
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "table": [table for table, _ in self.rows],
                "rows": [count for _, count in self.rows],
                "about_people": [table in RECORDS for table, _ in self.rows],
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display import figures

        names, counts = zip(*self.rows, strict=True)
        return figures.bars(names, counts, "Rows of the invented tables", "rows, not people")

    def record(self) -> dict[str, Any]:
        return {
            "synthetic": True,
            "folder": self.folder,
            "preset": self.preset,
            "seed": self.seed,
            "as_of": self.as_of.isoformat(),
            "made_with": self.made_with,
            "format": self.file_format,
            "dirt": self.dirt,
            "records": self.records,
            "pupils_on_roll": self.pupils_on_roll,
            "leavers": self.leavers,
            "tables": dict(self.rows),
            "planted": dict(self.planted),
            "certificate": {
                "within": self.measured - len(self.missed),
                "applied": self.measured,
                "missed": list(self.missed),
            },
            "facts": [vars(fact) for fact in self.facts],
        }

    def _nearness(self) -> str:
        """The certificate in one sentence."""
        more = f" and {len(self.missed) - 3} more" if len(self.missed) > 3 else ""
        outside = f"; outside: {'; '.join(self.missed[:3])}{more}" if self.missed else ""
        before = " before the dirt" if self.dirt else ""
        return (
            f"{self.measured - len(self.missed)} of {self.measured} figures are within their tolerance{before}"
            f"{outside} (certificate.json)."
        )


def facts(plan: Preset, rows: dict[str, int]) -> tuple[Fact, ...]:
    """What of this world is published and what is assumed; an ordinary school has nothing published of its own."""
    chosen = "chosen for the synthetic data"
    if not plan.exposed:
        return (
            Fact("The school", plan.title, "assumed", f"{chosen}; its shares follow England's figures"),
            Fact("Over-wide permissions", "planted, see [planted]", "assumed", chosen),
        )
    people = {table: f"{rows[table]:,}" for table in RECORDS if table in rows}
    split = ", ".join(f"{count} {table}" for table, count in people.items())
    made = sum(rows.get(table, 0) for table in RECORDS)
    return (
        Fact("Records", f"{OTRACK_RECORDS:,}; records are not people", "known", "ipres.info; ekmobil.com, 2024"),
        Fact(
            "Images of children",
            f"about {OTRACK_IMAGES:,} unique images, an estimate",
            "known",
            "datafort.com, 28 March 2024; ipres.info; ekmobil.com",
        ),
        Fact("Period of the data", "2017 to the time of discovery", "known", "datafort.com, 28 March 2024"),
        Fact(
            "Content",
            "identities, progress and grades, learning disabilities, course enrolment, photographs",
            "known",
            "datafort.com, 28 March 2024; rapide-defense.com",
        ),
        Fact("Cause", "open storage that anybody could read", "known", "datafort.com; rapide-defense.com"),
        Fact("Records in this world", f"{made:,}: {split}", "assumed", f"{chosen}; the split is published nowhere"),
        Fact("Children", f"{people['pupils']} ever on roll", "assumed", f"{chosen}; published nowhere"),
        Fact("Schools", f"{rows['schools']:,}, all primary", "assumed", f"{chosen}; published nowhere"),
        Fact("Guardians, staff and notes among the records", "yes", "assumed", f"{chosen}; no report names them"),
        Fact(
            "Columns of the tables", "those of usual pupil-tracking exports", "assumed", f"{chosen}; published nowhere"
        ),
        Fact("File names of images", "surname, first name and UPN", "assumed", f"{chosen}; published nowhere"),
        Fact("Images that show a class", "linked to no child", "assumed", f"{chosen}; published nowhere"),
        Fact("How long it was open", "not published", "unknown", "no report says"),
        Fact("Day on which the store is seen", plan.as_of.isoformat(), "assumed", f"{chosen}; published in March 2024"),
        Fact("Accounts and permissions", "by job, with faults planted", "assumed", f"{chosen}; published nowhere"),
    )


def as_toml(world: World) -> str:
    """The world's own account of itself, as it stands in its folder."""
    lines = [
        "# SYNTHETIC: an invented school. Nobody in these tables exists; names meet real ones by chance only.",
        "synthetic = true",
        f"preset = {_text(world.preset)}",
        f"seed = {world.seed}",
        f"made_with = {_text(world.made_with)}",
        f"format = {_text(world.file_format)}",
        f"dirt = {world.dirt}",
        "files = []",
        f"as_of = {world.as_of.isoformat()}",
        f"records = {world.records}  # rows about people: {', '.join(RECORDS)}",
        f"pupils_on_roll = {world.pupils_on_roll}",
        f"leavers = {world.leavers}",
        "",
        "[tables]  # rows of each",
        *(f"{table} = {count}" for table, count in world.rows),
        "",
        "[planted]  # accounts that a review of access should find",
        *(f"{fault} = {count}" for fault, count in world.planted),
    ]
    for fact in world.facts:
        lines += ["", "[[fact]]", *(f"{name} = {_text(value)}" for name, value in vars(fact).items())]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
