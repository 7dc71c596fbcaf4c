"""An invented trust to measure the access analysis on: people, grants of roles that inherit, and a year's log.

Half of the 60 roles are called as schools call theirs, so that the matrix of least privilege speaks of them, and hold
what it allows and somewhat more; the others are a trust's own. Most accounts are teachers' and assistants'. Some are
of people who left, of suppliers and of services; some memberships ended, some roles must first be taken on, and some
accounts are denied a class, a register or a verb. Logs are of staff at work, with children of their school; nobody is
real.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

AS_OF = date(2026, 6, 30)
CATEGORIES = (
    *("identity", "contact", "medical", "sen", "safeguarding", "fsm_pp"),
    *("ethnicity", "attendance", "behaviour", "assessment", "images", "free_text"),
)
VERBS = ("view", "edit", "export")
KNOWN = {  # how schools call their roles, and how many of 100 accounts have each
    **{"Teacher": 22, "Form tutor": 8, "Subject teacher": 12, "Cover teacher": 3},
    **{"Teaching assistant": 12, "HLTA": 3, "LSA": 7, "Classroom assistant": 3},
    **{"Admin assistant": 4, "School office": 3, "Attendance officer": 2, "Admissions officer": 1},
    **{"Deputy head": 2, "Assistant head": 3, "Senior leader": 1, "Headteacher": 1, "Principal": 0.5},
    **{"SENDCo": 1, "Inclusion manager": 1, "DSL": 1, "Deputy DSL": 1, "Data manager": 1, "Census officer": 0.5},
    **{"Governor": 2, "Trustee": 1, "Virtual school": 0.5, "Education welfare officer": 0.5},
    **{"Supplier support": 1, "Integration": 1, "Supply": 2},
}
OWN = tuple(f"Team {number:02d}" for number in range(1, 61 - len(KNOWN)))
ROLES = (*KNOWN, *OWN)
_PUPILS_OF_A_SCHOOL = 1_000
_YEARS, _CLASSES = 14, 3  # year groups, and classes of each at a school
_DENIED = ("register", "aggregate", "class", "school")  # scopes of what single accounts are denied


def trust(folder: Path, accounts: int, pupils: int, lines: int) -> None:
    """Writes a trust of that size as Parquet: its tables, and ``access_log.parquet``; the same numbers, the same rows.

    Parameters
    ----------
    accounts, pupils, lines : how many log-ins, children, and lines of the log
    """
    rng = np.random.default_rng(1)
    schools = [f"S{number:05d}" for number in range(max(1, pupils // _PUPILS_OF_A_SCHOOL))]
    at = np.sort(rng.integers(0, len(schools), pupils))
    year = rng.integers(0, _YEARS, pupils)
    _write(
        folder,
        "pupils",
        {
            "pupil_id": _named("P", pupils),
            "school_id": [schools[place] for place in at],
            "class_id": _classes(at, year, rng.integers(0, _CLASSES, pupils)),
            "year_group": year,
            "sen_provision": rng.choice(["N", "K", "E"], pupils, p=[0.82, 0.13, 0.05]),
            "looked_after": rng.random(pupils) < 0.007,
        },
    )
    works_at = rng.integers(0, len(schools), accounts)
    _people(folder, works_at, schools, rng)
    _grants(folder, works_at, rng)
    _log(folder, works_at, at, lines, rng)


def _people(folder: Path, works_at: npt.NDArray[np.int64], schools: Sequence[str], rng: np.random.Generator) -> None:
    accounts = len(works_at)
    kind = rng.choice(["staff", "vendor", "service"], accounts, p=[0.97, 0.02, 0.01])
    days = rng.integers(0, 200, accounts)
    staff = _named("T", accounts)
    _write(
        folder,
        "accounts",
        {
            "account": _named("user", accounts),
            "person_kind": kind,
            "person_id": [name if what == "staff" else None for name, what in zip(staff, kind, strict=True)],
            "school_id": [schools[place] for place in works_at],
            "enabled": rng.random(accounts) < 0.97,
            "created": [AS_OF - timedelta(days=int(number)) for number in rng.integers(200, 3_000, accounts)],
            "last_login": [AS_OF - timedelta(days=int(number)) for number in days],
        },
    )
    left = [AS_OF - timedelta(days=30) if chance < 0.02 else None for chance in rng.random(accounts)]
    _write(folder, "staff", {"staff_id": staff, "ended_on": pl.Series(left, dtype=pl.Date)})
    place = np.repeat(works_at, 2)
    taught = _classes(place, rng.integers(0, _YEARS, 2 * accounts), rng.integers(0, _CLASSES, 2 * accounts))
    lessons = pl.DataFrame({"staff_id": np.repeat(np.array(staff), 2), "class_id": taught}).unique(maintain_order=True)
    lessons.write_parquet(folder / "staff_classes.parquet")


def _grants(folder: Path, works_at: npt.NDArray[np.int64], rng: np.random.Generator) -> None:
    from otrack_risk.access.needed import needed_matrix
    from otrack_risk.access.words import role_of

    needed = needed_matrix().rows.filter(pl.col("category").is_in(CATEGORIES), pl.col("verb").is_in(VERBS))
    allowed: dict[str, list[tuple[str, str, str]]] = {}
    for role, *cell in needed.filter(~pl.col("scope").is_in(["write_only", "just_in_time"])).iter_rows():
        allowed.setdefault(role, []).append((cell[0], cell[1], cell[2]))
    held = [
        (None, word, *cell, "allow")
        for word in KNOWN
        for cell in allowed.get(role_of(word) or "", [])
        if rng.random() < 0.9
    ]
    scopes = ("school", "group", "register", "cohort", "aggregate", "flag", "trust")
    for place, role in enumerate(ROLES):  # known roles hold somewhat more than they need
        own, wide = role in OWN, place % 20 == 0
        held += [
            (None, role, category, verb, scopes[int(rng.integers(0, 7 if wide else 6))], "allow")
            for category, verb in product(CATEGORIES, VERBS)
            if rng.random() < (0.3 if verb == "view" else 0.08) * (1.5 if own else 0.5)
        ]
    names = _named("user", len(works_at))
    for number in np.flatnonzero(rng.random(len(names)) < 0.03):  # single accounts are denied something
        scope = _DENIED[int(rng.integers(0, len(_DENIED)))]
        of = f":{_classes(works_at[[number]], rng.integers(0, _YEARS, 1), np.zeros(1, int))[0]}"
        category, verb = CATEGORIES[int(rng.integers(0, len(CATEGORIES)))], VERBS[int(rng.integers(0, len(VERBS)))]
        held.append((names[number], None, category, verb, scope + of * (scope == "class"), "deny"))
    held += [(None, role, "safeguarding", "export", "all", "deny") for role in ("Supply", "Governor", "Team 01")]
    columns = dict.fromkeys(("account", "role", "category", "verb", "scope", "effect"), pl.String)
    pl.DataFrame(held, schema=columns, orient="row").write_parquet(folder / "grants.parquet")
    _memberships(folder, names, rng)


def _memberships(folder: Path, names: Sequence[str], rng: np.random.Generator) -> None:
    """A role that schools know for each account, and for half of them one or two of the trust's own; teams inherit."""
    share = np.array([*KNOWN.values()])
    first = rng.choice(len(KNOWN), len(names), p=share / share.sum())
    more = rng.choice(3, len(names), p=[0.5, 0.35, 0.15])
    teams = rng.integers(0, len(OWN), (len(names), 2))
    held = [
        (name, role)
        for name, known, number, of in zip(names, first, more, teams, strict=True)
        for role in dict.fromkeys([ROLES[known], *(OWN[team] for team in of[:number])])
    ]
    inherit = [(OWN[place], OWN[place // 2]) for place in range(1, len(OWN), 3)]
    ends = [AS_OF + timedelta(days=int(number)) for number in rng.integers(-60, 300, len(held))]
    dated, latent = rng.random(len(held)) < 0.1, rng.random(len(held)) < 0.01
    _write(
        folder,
        "memberships",
        {
            "member": [member for member, _ in (*inherit, *held)],
            "role": [role for _, role in (*inherit, *held)],
            "valid_to": pl.Series(
                [None] * len(inherit) + [end if one else None for end, one in zip(ends, dated, strict=True)],
                dtype=pl.Date,
            ),
            "mode": ["inherit"] * len(inherit) + ["latent" if one else "inherit" for one in latent],
        },
    )


def _log(
    folder: Path,
    works_at: npt.NDArray[np.int64],
    at: npt.NDArray[np.int64],
    lines: int,
    rng: np.random.Generator,
) -> None:
    who = rng.integers(0, len(works_at), lines)
    start = np.datetime64(datetime(2025, 6, 1))  # noqa: DTZ001  a log's own clock
    seconds = rng.integers(0, 394, lines) * 86_400 + rng.integers(8 * 3_600, 17 * 3_600, lines)
    first, last = np.searchsorted(at, works_at, "left")[who], np.searchsorted(at, works_at, "right")[who]
    habit = rng.integers(0, len(CATEGORIES), (len(works_at), 4))  # an account works with few categories
    shared = np.where(rng.random(len(works_at)) < 0.01, 5, 2)  # and from two devices; a shared one from more
    device = rng.integers(0, shared[who])
    child = rng.integers(first, np.maximum(last, first + 1)) % len(at)
    _write(
        folder,
        "access_log",
        {
            "account": pl.Series(_named("user", len(works_at))).gather(who),
            "at": pl.Series(start + seconds.astype("timedelta64[s]")).cast(pl.Datetime("ms")),
            "category": pl.Series(list(CATEGORIES)).gather(habit[who, rng.integers(0, 4, lines)]),
            "verb": pl.Series(list(VERBS)).gather(rng.choice(3, lines, p=[0.85, 0.12, 0.03])),
            "pupil_id": pl.Series(_named("P", len(at))).gather(child),
            "rows": np.ones(lines, dtype=np.int32),
            "client": pl.Series(_named("device", 5 * len(works_at))).gather(5 * who + device),
        },
    )


def _classes(school: npt.NDArray[np.int64], year: npt.NDArray[np.int64], letter: npt.NDArray[np.int64]) -> list[str]:
    return [f"C{place:05d}{of:02d}{'ABC'[one]}" for place, of, one in zip(school, year, letter, strict=True)]


def _named(word: str, number: int) -> list[str]:
    return [f"{word}{place:07d}" for place in range(number)]


def _write(folder: Path, table: str, columns: dict[str, object]) -> None:
    pl.DataFrame(columns).write_parquet(folder / f"{table}.parquet")
