"""Invented pupils to measure speed on: 18 columns, as skewed as a national pupil table; nobody is real.

Schools differ in size, most pupils live in their school's district, one ethnicity and one language
dominate: uniform columns would make grouping look easier, or harder, than it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

EIGHT = ["school_id", "year_group", "sex", "month_of_birth", "postcode_district", "ethnicity", "sen_status", "fsm"]
TWELVE = [*EIGHT, "first_language", "attendance_band", "reading", "eal"]
FIVE = ["postcode_district", "year_group", "sex", "ethnicity", "fsm"]  # beside a sensitive column
SENSITIVE = "attendance_band"

_SEED = 2026
_PART = 1_000_000  # rows drawn at a time: memory stays small at any size
_SCHOOL = 280  # pupils of the average school

_ETHNICITIES = {
    "WBRI": 62, "WOTH": 7, "APKN": 4.6, "BAFR": 4.4, "AIND": 4, "MOTH": 2.6, "WEEU": 2.2, "AOTH": 2.1, "OOTH": 2,
    "ABAN": 1.8, "MWAS": 1.7, "MWBC": 1.5, "BCRB": 0.9, "MWBA": 0.9, "CHNE": 0.7, "NOBT": 0.6, "WIRI": 0.3, "WROM": 0.3,
}  # fmt: skip
_LANGUAGES = [
    "ENG", "POL", "URD", "RON", "PNJ", "ARA", "BEN", "SOM", "GUJ", "POR", "LIT", "TAM", "FRN", "SPA", "TUR",
    "ITA", "CHI", "YOR", "HIN", "ALB", "RUS", "BUL", "HUN", "PRS", "KUR", "SWA", "TEL", "MAL", "VIE", "OTH",
]  # fmt: skip
_SEN = {"N": 81, "K": 14.5, "E": 4.5}
_ATTENDANCE = {"98-100": 30, "95-98": 33, "90-95": 22, "85-90": 8, "50-85": 6, "0-50": 1}
_LEVELS = {"EXS": 50, "WTS": 24, "GDS": 21, "PKS": 3.5, "BLW": 1.5}
_AREAS = [first + second for first in "BCDEGHLMNPRSTW" for second in "ABDEHLNORSTY"]
_UNITS = [first + second for first in "ABDEFGHJLNPQRSTUWXYZ" for second in "ABDEFGHJLNPQRSTUWXYZ"]

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Schools:
    chance: npt.NDArray[np.float64]  # that a pupil goes to it, summed up
    district: Codes
    eal: npt.NDArray[np.float64]  # share of pupils with another language at home
    districts: list[str]


def pupils(n: int, chance: np.random.Generator) -> pl.DataFrame:
    """``n`` pupils; the same ``n`` and the same generator give the same table."""
    schools = _schools(n, chance)
    parts = [_part(schools, first, min(_PART, n - first), chance) for first in range(0, n, _PART)]
    return pl.concat(parts, rechunk=True)


def file(n: int, folder: Path) -> Path:
    """The parquet file of ``n`` pupils under ``folder``, made if it is not there.

    The name of its folder is a digest of this module, so that no table of an earlier maker is taken for it.
    """
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    path = folder / digest / f"pupils_{n}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_suffix(".part")
        pupils(n, np.random.default_rng(_SEED)).write_parquet(made)
        made.rename(path)
    return path


def _schools(n: int, chance: np.random.Generator) -> _Schools:
    schools = max(1, n // _SCHOOL)
    districts = int(np.clip(schools // 4, 20, 2_900))
    popular = 1 / np.arange(1, districts + 1) ** 0.6
    return _Schools(
        chance=_summed(chance.lognormal(0, 0.55, schools)),
        district=_drawn(_summed(popular), schools, chance),
        eal=np.clip(chance.beta(0.6, 2.2, schools), 0.01, 0.9),
        districts=[f"{_AREAS[i % len(_AREAS)]}{i // len(_AREAS) + 1}" for i in range(districts)],
    )


def _part(schools: _Schools, first: int, n: int, chance: np.random.Generator) -> pl.DataFrame:
    school = _drawn(schools.chance, n, chance)
    year = chance.integers(1, 14, n)
    born = (2020 - year - 1970).astype("datetime64[Y]").astype("datetime64[M]") + 8  # 1 September
    away = chance.random(n) < 0.12
    district = np.where(away, chance.integers(0, len(schools.districts), n), schools.district[school])
    ethnicity = _drawn(_summed(_ETHNICITIES), n, chance)
    eal = chance.random(n) < schools.eal[school] * np.where(ethnicity == 0, 0.12, 1)
    tongue = 1 + _drawn(_summed(1 / np.arange(1, len(_LANGUAGES)) ** 0.9), n, chance)
    sen = _drawn(_summed(_SEN), n, chance)
    reading = _drawn(_summed(_LEVELS), n, chance)
    facts: dict[str, Any] = {
        "pupil_id": np.arange(first, first + n),
        "school_id": school.astype(np.int32),
        "year_group": year.astype(np.int8),
        "sex": _named(chance.integers(0, 2, n), ["F", "M"]),
        "date_of_birth": born.astype("datetime64[D]") + chance.integers(0, 365, n),
        "postcode_district": _named(district, schools.districts).cast(pl.String),
        "sector": chance.integers(0, 10, n),
        "unit": _named(np.minimum(chance.exponential(90, n), len(_UNITS) - 1).astype(np.int64), _UNITS),
        "ethnicity": _named(ethnicity, list(_ETHNICITIES)),
        "first_language": _named(np.where(eal, tongue, 0), _LANGUAGES),
        "sen_status": _named(sen, list(_SEN)),
        "fsm": chance.random(n) < np.where(sen > 0, 0.41, 0.23),
        "eal": eal,
        "in_care": chance.random(n) < 0.0067,
        "attendance_band": _named(_drawn(_summed(_ATTENDANCE), n, chance), list(_ATTENDANCE)),
        "reading": _named(reading, list(_LEVELS)),
    }
    for subject, alike in {"writing": 0.65, "maths": 0.55}.items():
        own = _drawn(_summed(_LEVELS), n, chance)
        facts[subject] = _named(np.where(chance.random(n) < alike, reading, own), list(_LEVELS))
    columns = list(facts)
    columns[columns.index("sector") : columns.index("ethnicity")] = ["postcode"]
    columns.insert(columns.index("postcode_district"), "month_of_birth")
    return (
        pl.DataFrame(facts)
        .with_columns(
            month_of_birth=pl.col("date_of_birth").dt.month(),
            postcode=pl.format("{} {}{}", "postcode_district", "sector", "unit"),
        )
        .select(columns)
    )


def _summed(shares: Mapping[str, float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    given = np.fromiter(shares.values(), dtype=float) if isinstance(shares, Mapping) else shares
    ends = np.cumsum(given)
    return np.asarray(ends / ends[-1])


def _drawn(summed: npt.NDArray[np.float64], n: int, chance: np.random.Generator) -> Codes:
    return np.searchsorted(summed, chance.random(n), side="right").astype(np.int64)


def _named(codes: Codes, names: list[str]) -> pl.Series:
    return pl.Series(names, dtype=pl.Enum(names)).gather(pl.Series(codes))
