"""On which days a school is open, and which tasks come round only once or a few times a year."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from otrack_risk import reference
from otrack_risk.access.words import category_of, verbs
from otrack_risk.errors import FileError, ParameterError

BUILT_IN = "terms_england"
_SHORTEST = 28  # a month has come round once its days 1 to 28 have, in whatever year ...
_BUT = 1  # ... but for one, since 365 days of a leap year leave one out
_LONGEST = 60  # days of one holiday
_ARRAYS = {"holiday": {"name", "first", "last"}, "annual": {"name", "months", "categories", "verbs"}}


@dataclass(frozen=True)
class Annual:
    """A task that has its months: what it needs is not unused before one of them has come round."""

    name: str
    months: tuple[int, ...]
    categories: tuple[str, ...]
    verbs: tuple[str, ...]


@dataclass(frozen=True)
class Terms:
    """School days: weekdays outside the holidays."""

    recurring: tuple[tuple[int, int, int], ...]  # month, day, number of days: every year
    dated: tuple[tuple[date, date], ...]  # first and last day; a school year that has any has no others
    annual: tuple[Annual, ...]
    name: str  # of the table or file, never its directory
    assumed: bool  # whether the days are typical, and not the school's own

    def is_school_day(self, day: date) -> bool:
        """Whether the school is open.

        Examples
        --------
        >>> terms = terms_of()
        >>> terms.is_school_day(date(2026, 1, 30)), terms.is_school_day(date(2026, 1, 31))
        (True, False)
        """
        return day.weekday() < 5 and not self._closed(day)

    def school_days(self, first: date, last: date) -> int:
        """School days from the first to the last day, both included."""
        return sum(self.is_school_day(first + timedelta(days=step)) for step in range((last - first).days + 1))

    def back(self, day: date, number: int) -> date:
        """The first of the last so many school days that end on or before the day.

        Raises
        ------
        ParameterError
            The holidays leave too few school days.

        Examples
        --------
        >>> terms_of().back(date(2026, 2, 1), 6)  # a Sunday; five days of that week, and the Friday before
        datetime.date(2026, 1, 23)
        """
        left = number
        for step in range(number * 4 + 100):
            at = day - timedelta(days=step)
            left -= self.is_school_day(at)
            if left <= 0:
                return at
        raise ParameterError(f"{self.name}: fewer than {number} school days lie before the day.", "check the holidays.")

    def out_of_season(self, first: date, last: date) -> list[tuple[str, str]]:
        """Category and verb of tasks of which no month has wholly come round between the days."""
        seen = {((at := first + timedelta(days=step)).month, at.day) for step in range((last - first).days + 1)}
        days = range(1, _SHORTEST + 1)
        come = {m for m in range(1, 13) if sum((m, day) in seen for day in days) >= _SHORTEST - _BUT}
        waiting = [task for task in self.annual if come.isdisjoint(task.months)]
        return sorted({(category, verb) for task in waiting for category in task.categories for verb in task.verbs})

    def record(self) -> dict[str, Any]:
        """Name, and whether the days are the school's own."""
        return {"name": self.name, "assumed": self.assumed}

    def _closed(self, day: date) -> bool:
        of_year = [span for span in self.dated if _school_year(span[0]) == _school_year(day)]
        if of_year:
            return any(first <= day <= last for first, last in of_year)
        return any(
            0 <= (day - date(year, month, begins)).days < days
            for month, begins, days in self.recurring
            for year in (day.year - 1, day.year)
        )


def terms_of(path: str | Path | None = None) -> Terms:
    """Typical days of England, or a school's own holidays.

    Parameters
    ----------
    path : a TOML file with ``[[holiday]]`` (name, first, last: days) and, if it likes, ``[[annual]]`` (name, months,
        categories, verbs). Its holidays are taken for the school years (from 1 September) of which it names any;
        others keep the typical days. Its annual tasks replace the typical ones. None: the built-in table.

    Raises
    ------
    FileError, ParameterError
        No TOML, a key that is not known or lacking, or a value that is not understood; the entry is named.
    """
    table = reference.load(BUILT_IN)
    built_in = Terms(
        recurring=tuple((each["month"], each["day"], each["days"]) for each in table.entries["holiday"]),
        dated=(),
        annual=tuple(_annual(each, BUILT_IN, place) for place, each in enumerate(table.entries["annual"], start=1)),
        name=f"{BUILT_IN}.toml",
        assumed=True,
    )
    if path is None:
        return built_in
    content = _toml(Path(path))
    if strange := sorted(content.keys() - _ARRAYS):
        raise ParameterError(
            f"{Path(path).name}: '{strange[0]}' is not understood.", f"write [[{']] or [['.join(_ARRAYS)}]]."
        )
    for array in _ARRAYS:
        entries = content.get(array, [])
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise ParameterError(f"{Path(path).name}: '{array}' is no list of tables.", f"write [[{array}]] for each.")
    spans = [_span(each, Path(path).name, place) for place, each in enumerate(content.get("holiday", ()), start=1)]
    annual = tuple(_annual(each, Path(path).name, place) for place, each in enumerate(content.get("annual", ()), 1))
    return replace(
        built_in,
        dated=tuple(spans),
        annual=annual or built_in.annual,
        name=Path(path).name,
        assumed=not spans,
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise FileError(f"{path.name} cannot be opened.", "check that it is there and that you may read it.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise FileError(f"{path.name} is no TOML.", "write [[holiday]] with name, first and last.") from None


def _span(entry: Mapping[str, Any], name: str, place: int) -> tuple[date, date]:
    where = _keys(entry, "holiday", name, place)
    first, last = entry["first"], entry["last"]
    if not (type(first) is type(last) is date) or not 0 <= (last - first).days < _LONGEST:
        raise ParameterError(
            f"{where}: first and last are no days of one holiday.", "write days as 2025-10-27, the first one first."
        )
    return first, last


def _annual(entry: Mapping[str, Any], name: str, place: int) -> Annual:
    known = {key: value for key, value in entry.items() if key not in ("status", "because", "working")}
    where = _keys(known, "annual", name, place)
    listed = [entry[key] if isinstance(entry[key], list) else [] for key in ("months", "categories", "verbs")]
    months, named = tuple(listed[0]), [category_of(each) if isinstance(each, str) else None for each in listed[1]]
    if not months or not all(month in range(1, 13) for month in months):
        raise ParameterError(f"{where}: months are not numbers from 1 to 12.", "write months = [1, 5, 10].")
    categories = tuple(each for each in named if each is not None)
    if not categories or len(categories) < len(named) or not all(verb in list(verbs()) for verb in listed[2]):
        raise ParameterError(
            f"{where}: a category or a verb is not understood.",
            f"name categories of reference/categories.toml, and verbs from {', '.join(verbs())}.",
        )
    return Annual(str(entry["name"]), months, categories, tuple(listed[2]))


def _keys(entry: Mapping[str, Any], array: str, name: str, place: int) -> str:
    where = f"{name}, {array} {place}"
    if wrong := sorted(entry.keys() ^ _ARRAYS[array]):
        state = "is lacking" if wrong[0] in _ARRAYS[array] else "is not understood"
        raise ParameterError(f"{where}: '{wrong[0]}' {state}.", f"write {', '.join(sorted(_ARRAYS[array]))}.")
    return where


def _school_year(day: date) -> int:
    return day.year - (day.month < 9)
