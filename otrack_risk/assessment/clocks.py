"""The hours that a controller has, counted from moment to moment.

Hours are elapsed hours between moments in UTC: nights, weekends, holidays and the change to summer
time do not stop them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from otrack_risk import reference
from otrack_risk.assessment.scenario import TIMES, Scenario, moment
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.errors import ParameterError

if TYPE_CHECKING:
    import polars as pl

State = Literal["met", "late", "due", "unknown", "done", "open", "ask"]


@dataclass(frozen=True)
class Clock(Shown):
    """The hours that a controller has to notify, and what happened when."""

    key: ClassVar[str] = "clock"
    hours: int
    as_of: datetime
    aware_at: datetime | None
    due_at: datetime | None
    notified_at: datetime | None
    state: State  # met, late, due or unknown
    assumed: str  # the ground of assumed times; empty where the times are known
    events: tuple[tuple[str, datetime | None], ...]  # in order of time, unknown ones last
    source: str

    def sentence(self) -> str:
        if self.aware_at is None or self.due_at is None:
            return (
                f"The {self.hours} hours cannot be counted: the moment at which the controller became aware is not "
                "known. That is not the same as in time."
            )
        start, end = moment(self.aware_at), moment(self.due_at)
        if self.state == "due":
            left = span(self.due_at - self.as_of)
            said = f"The {self.hours} hours from {start} end on {end}: {left} left on {moment(self.as_of)}."
        elif self.notified_at is None:
            said = (
                f"The {self.hours} hours from {start} ran out on {end}, and no notification is recorded by "
                f"{moment(self.as_of)}; a later one gives the reasons for the delay."
            )
        else:
            margin = span(abs(self.due_at - self.notified_at))
            end_words = f"before the {self.hours} hours ran out on {end}"
            said = (
                f"Notified on {moment(self.notified_at)}, {margin} {end_words}."
                if self.state == "met"
                else f"Notified on {moment(self.notified_at)}, {margin} after the {self.hours} hours from {start} ran "
                f"out on {end}; a late notification gives the reasons for the delay."
            )
        said += " Nights, weekends and holidays count."
        return f"{said} The times are assumed: {self.assumed}." if self.assumed else said

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "event": [name for name, _ in self.events],
                "time": [None if time is None else moment(time) for _, time in self.events],
                "hours_since_aware": [self._since(time) for _, time in self.events],
            }
        )

    def record(self) -> dict[str, Any]:
        left = None if self.due_at is None else hours_of(self.due_at - self.as_of)
        return {
            "state": self.state,
            "aware_at": iso(self.aware_at),
            "due_at": iso(self.due_at),
            "notified_at": iso(self.notified_at),
            "as_of": iso(self.as_of),
            "hours": self.hours,
            "hours_left": left,
            "times": "assumed" if self.assumed else "known",
            "events": [
                {"event": name, "time": iso(time), "hours_since_aware": self._since(time)} for name, time in self.events
            ],
            "source": self.source,
        } | ({} if self.aware_at else {"reason": "the moment of becoming aware is not known"})

    def _since(self, time: datetime | None) -> float | None:
        return None if time is None or self.aware_at is None else hours_of(time - self.aware_at)


def deadline(
    since: datetime | None, hours: float, done: datetime | None, as_of: datetime
) -> tuple[datetime | None, State]:
    """When elapsed hours end, and whether what was due was done by then.

    Parameters
    ----------
    since, done, as_of : moments with their zone; None is "not known" for ``since``, "not recorded" for ``done``
    hours : elapsed hours; exactly so many are in time, one second more is late

    Returns
    -------
    due, state : ``met``, ``late``, ``due`` or ``unknown``; never ``met`` without a start

    Examples
    --------
    >>> start = datetime.fromisoformat("2024-03-28T16:00:00+00:00")
    >>> due, state = deadline(start, 72, None, start + timedelta(hours=20))
    >>> due.isoformat(), state
    ('2024-03-31T16:00:00+00:00', 'due')
    """
    if any(time is not None and time.utcoffset() is None for time in (since, done, as_of)):
        raise ParameterError("deadline: a time without its zone.", "give every time with its zone.")
    if since is None:
        return None, "unknown"
    due = since.astimezone(UTC) + timedelta(hours=hours)  # in UTC: elapsed hours, whatever the wall clock does
    if done is not None:
        return due, "met" if done <= due else "late"
    return due, "due" if as_of <= due else "late"


def clock(scenario: Scenario) -> Clock:
    """The hours from becoming aware to notifying the regulator, with every event in order."""
    rules = reference.load(f"law_{scenario.jurisdiction}").entries["rule"]
    rule = next(rule for rule in rules if "deadline_hours" in rule)
    times, as_of = scenario.timeline.given(), scenario.as_of.astimezone(UTC)
    aware, notified = times.get("aware_at"), times.get("authority_notified_at")
    due, state = deadline(aware, rule["deadline_hours"], notified, as_of)
    events = [(TIMES[name], time) for name, time in times.items()] + [("As of", as_of)]
    if due is not None:
        events.append((f"{rule['deadline_hours']} hours end", due))
    events.sort(key=lambda event: event[1])
    unknown = [(label, None) for name, label in TIMES.items() if name not in times]
    return Clock(
        hours=rule["deadline_hours"],
        as_of=as_of,
        aware_at=aware,
        due_at=due,
        notified_at=notified,
        state=state,
        assumed=scenario.timeline.because if scenario.timeline.status == "assumed" and times else "",
        events=(*events, *unknown),
        source=rule["source"],
    )


def span(time: timedelta) -> str:
    """Elapsed time in hours, minutes and seconds, those that are zero left out.

    Examples
    --------
    >>> span(timedelta(days=1, minutes=5)), span(timedelta(0))
    ('24 h 5 min', '0 s')
    """
    seconds = int(time.total_seconds())
    parts = [(seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def hours_of(time: timedelta) -> float:
    """Elapsed time in hours."""
    return round(time.total_seconds() / 3600, 4)


def iso(time: datetime | None) -> str | None:
    """A moment for JSON, in UTC."""
    return None if time is None else time.astimezone(UTC).isoformat()
