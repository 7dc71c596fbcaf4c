"""The school's calendar: when a school year begins, and on which days school is open."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from otrack_risk.synth.draw import Bools, Days, Ints

_BREAKS = ((10, 24, 9), (12, 20, 16), (2, 12, 9), (4, 1, 16), (5, 25, 9), (7, 22, 43))  # month, day, days


def school_year(day: Days) -> Ints:
    """The calendar year in which the school year of each day began.

    Examples
    --------
    >>> school_year(np.array(["2025-08-31", "2025-09-01"], dtype="datetime64[D]")).tolist()
    [2024, 2025]
    """
    month = day.astype("datetime64[M]").astype(np.int64)
    found: Ints = (month - 8) // 12 + 1970
    return found


def school_days(first: date, days: int) -> Bools:
    """Whether the school is open, for each of so many days from the first: weekdays outside the holidays."""
    all_days = [first + timedelta(days=step) for step in range(days)]
    closed = {
        date(year, month, day) + timedelta(days=step)
        for year in range(first.year - 1, first.year + days // 365 + 2)
        for month, day, length in _BREAKS
        for step in range(length)
    }
    return np.array([day.weekday() < 5 and day not in closed for day in all_days], dtype=np.bool_)
