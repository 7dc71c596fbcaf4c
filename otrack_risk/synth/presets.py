"""The kinds of world there are, and the numbers asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from otrack_risk.errors import ParameterError

OTRACK_RECORDS = 864_603  # published: ipres.info, ekmobil.com
OTRACK_IMAGES = 214_000  # published as "about" and "nearly"
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
MOST = 4_999_999  # pupils: their keys have seven digits, the upper half of which is for near-duplicates


@dataclass(frozen=True)
class Preset:
    """A kind of world."""

    name: str
    title: str
    schools: tuple[tuple[bool, int], ...] | int  # for each: secondary?, places a year; or how many primary schools
    pupils: int  # on roll; in an exposed store ever on roll since `since`
    images: int
    records: int | None  # rows about people, where that number is fixed
    as_of: date  # the day on which the world is seen
    since: int | None  # first school year of which leavers are kept; None: no leavers
    spread: float  # concentration of ethnic mix and free meals between towns; small: towns differ much
    within: float  # the same between the schools of a town
    exposed: bool = False  # the open store: names in file names, and an account that everybody has

    @property
    def now(self) -> int:
        """The calendar year in which the current school year began."""
        return self.as_of.year if self.as_of.month >= 9 else self.as_of.year - 1

    @property
    def first_year(self) -> int:
        """The first school year of which anybody is kept: that of the leavers, or the current one."""
        return self.now if self.since is None else self.since

    @property
    def one_school(self) -> bool:
        """Whether the world is a single school."""
        return (self.schools if isinstance(self.schools, int) else len(self.schools)) == 1


_DAY = date(2026, 1, 31)
_PRIMARIES = tuple((False, places) for places in (30, 60, 30, 90, 15, 60, 30, 60, 30))
_SECONDARIES = tuple((True, places) for places in (180, 240, 210))
PRESETS: Mapping[str, Preset] = {
    "primary": Preset(
        "primary", "a primary school of one class a year", ((False, 30),), 210, 420, None, _DAY, None, 30, 30
    ),
    "secondary": Preset(
        "secondary", "a secondary school, Y7 to Y11", ((True, 180),), 900, 1_800, None, _DAY, None, 30, 30
    ),
    "trust": Preset(
        "trust",
        "a trust of nine primary and three secondary schools",
        _PRIMARIES + _SECONDARIES,
        6_000,
        12_000,
        None,
        _DAY,
        None,
        8,
        8,
    ),
    "otrack": Preset(
        "otrack",
        "primary schools on one pupil-tracking service, leavers kept since 2017",
        300,
        160_000,
        OTRACK_IMAGES,
        OTRACK_RECORDS,
        date(2024, 3, 1),
        2017,
        3,
        8,
        exposed=True,
    ),
}


def planned(preset: str, *, pupils: int | None = None, schools: int | None = None, images: int | None = None) -> Preset:
    """The preset with the numbers asked for; what is not asked for keeps its ratio to the pupils.

    Raises
    ------
    ParameterError
        An unknown preset, or a number out of range.

    Examples
    --------
    >>> small = planned("otrack", pupils=1_600)
    >>> small.records, small.images, small.schools
    (8646, 2140, 3)
    """
    if preset not in PRESETS:
        raise ParameterError(f"'{preset}' is no preset of a synthetic world.", f"use one of {', '.join(PRESETS)}.")
    for name, number, least in (("pupils", pupils, 1), ("schools", schools, 1), ("images", images, 0)):
        if number is not None and number < least:
            raise ParameterError(f"{name} is less than {least}.", f"give {least} or more.")
    if pupils is not None and pupils > MOST:
        raise ParameterError(f"pupils is more than {MOST:,}.", f"give {MOST:,} or fewer.")
    plan = PRESETS[preset]
    scale = 1.0 if pupils is None else pupils / plan.pupils
    return replace(
        plan,
        schools=_schools(plan, schools, scale),
        pupils=pupils or plan.pupils,
        images=round(plan.images * scale) if images is None else images,
        records=None if plan.records is None else round(plan.records * scale),
    )


def _schools(plan: Preset, wanted: int | None, scale: float) -> tuple[tuple[bool, int], ...] | int:
    if isinstance(plan.schools, int):
        return wanted or max(1, round(plan.schools * scale))
    count = len(plan.schools)
    if wanted is None or wanted == count:
        return plan.schools
    if wanted < count:  # evenly over the list, so that both phases stay
        return tuple(plan.schools[step * count // wanted] for step in range(wanted))
    return tuple(plan.schools[step % count] for step in range(wanted))
