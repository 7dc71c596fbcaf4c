"""Runs in turn, their answers held equal, their times compared; and runs in processes of their own."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Timer
from time import perf_counter
from types import TracebackType
from typing import Any

Answer = Mapping[str, Any]  # what was found, by name; equal names must have equal values

_SLOW, _FEW = 10.0, 5  # a run over so many seconds is counted in so many rounds only
_LOADS = 60.0  # seconds more for a program that stays to load, which are not counted


class DisagreementError(Exception):
    """Two runs that were to count the same did not."""


class StoppedError(Exception):
    """A run that gave no result, and why."""


@dataclass(frozen=True)
class Told:
    """A result that brings its own time: from another process, or extrapolated."""

    seconds: float
    answer: Answer
    peak_mib: int | None = None  # resident memory of the process, at most


@dataclass(frozen=True)
class Run:
    """What is timed, and what its result says; the second is not timed."""

    call: Callable[[], Any]
    answer: Callable[[Any], Answer] = lambda _: {}


@dataclass
class Times:
    """What one run took, round by round."""

    first_s: float | None = None  # the uncounted round: compiles, loads, fills caches
    slow: bool = False  # it kept the others waiting for long in that round
    seconds: dict[int, float] = field(default_factory=dict)  # by number of the round
    peak_mib: int | None = None
    stopped: str | None = None


@dataclass
class Agreed:
    """What the runs of one table found: each name has one value, whoever says it."""

    values: dict[str, Any] = field(default_factory=dict)
    checked: int = 0  # values that were said again, and equal

    def hear(self, name: str, answer: Answer) -> None:
        """Takes in what the run ``name`` found.

        Raises
        ------
        DisagreementError
            A value is another than was said before; or nothing is said that can be compared.
        """
        shared = [what for what in answer if what in self.values]
        if answer and self.values and not shared:
            raise DisagreementError(f"{name}: found nothing that another run found too, so nothing can be compared.")
        for what in shared:
            if not _equal(answer[what], self.values[what]):
                raise DisagreementError(
                    f"{name}: {what} is {answer[what]}, and an earlier run found {self.values[what]}."
                )
        self.checked += len(shared)
        self.values = dict(answer) | self.values


def in_turn(runs: Mapping[str, Run], rounds: int, agreed: Agreed | None = None) -> dict[str, Times]:
    """Times of each run, all of them once a round, after one round that is not counted.

    Every round starts with another one: what runs first finds the memory that the last one left.

    Raises
    ------
    DisagreementError
        Their answers differ.
    """
    agreed = agreed or Agreed()
    found = {name: Times() for name in runs}
    names = list(runs)
    for number in range(rounds + 1):
        due = [name for name in names if _due(found[name], number)]
        if len(due) < 2 <= len(names) and number > _FEW:
            break  # nothing is left to compare with
        first = number % len(names)
        for name in [name for name in names[first:] + names[:first] if name in due]:
            times, started = found[name], perf_counter()
            try:
                told = _told(runs[name])
            except StoppedError as stop:
                done = list(times.seconds.values())
                times.stopped = f"{stop}, after {len(done)} rounds of about {median(done):.3g} s" if done else str(stop)
                continue
            agreed.hear(name, told.answer)
            if number:
                times.seconds[number] = told.seconds
            else:
                times.first_s = told.seconds
                times.slow = perf_counter() - started > _SLOW  # an extrapolated time is none that was waited for
            if told.peak_mib is not None:
                times.peak_mib = max(told.peak_mib, times.peak_mib or 0)
    return found


def compared(found: Mapping[str, Times], to: str, **also: object) -> list[dict[str, Any]]:
    """One row a run: median, fastest and slowest seconds, and its time over that of ``to``, pair by pair."""
    rows = []
    for name, times in found.items():
        row: dict[str, Any] = {"what": name, **also, "stopped": times.stopped}
        if times.stopped is None and times.seconds:
            pairs = [s / found[to].seconds[n] for n, s in times.seconds.items() if n in found[to].seconds]
            row |= {"first_s": times.first_s, "runs": len(times.seconds), "peak_mib": times.peak_mib}
            row |= _spread("s", list(times.seconds.values()))
            row |= _spread("ratio", pairs) if pairs else {}
        rows.append(row)
    return rows


def child(command: Sequence[str | Path], limit: float) -> dict[str, Any]:
    """The last line of JSON that a command prints.

    Raises
    ------
    StoppedError
        It took more than ``limit`` seconds, failed, or printed none.
    """
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=limit, check=True)
        return dict(json.loads(done.stdout.strip().splitlines()[-1]))
    except subprocess.TimeoutExpired as late:
        raise StoppedError(f"over {limit:g} s, stopped") from late
    except (subprocess.CalledProcessError, IndexError, json.JSONDecodeError) as error:
        raise StoppedError(f"failed: {type(error).__name__}") from error


class Stays:
    """A program that loads once, then works once a line that it is sent, and prints one line of JSON each time."""

    def __init__(self, command: Sequence[str | Path], limit: float) -> None:
        self.command, self.limit = command, limit
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Stays:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def __call__(self) -> Told:
        if self._process is None:
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, text=True)
            self._line(self._process, "", self.limit + _LOADS)
        line = self._line(self._process, "\n", self.limit)
        return Told(line["seconds"], line["answer"], line["peak_mib"])

    def _line(self, process: subprocess.Popen[str], sent: str, limit: float) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        started, watch = perf_counter(), Timer(limit, process.kill)
        watch.start()
        try:
            process.stdin.write(sent)
            process.stdin.flush()
            said = process.stdout.readline()
        except BrokenPipeError:
            said = ""
        finally:
            watch.cancel()
        if not said:
            late = perf_counter() - started >= limit
            raise StoppedError(f"over {limit:g} s, stopped" if late else "failed: see its own words above")
        return dict(json.loads(said))


def peak_mib() -> int:
    """Resident memory of this process so far, at most.

    Linux hands the peak of the parent on through ``getrusage``, so its own count is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) >> 10
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> (20 if sys.platform == "darwin" else 10)


def memory_stalled_s() -> float:
    """Seconds since the machine started in which nothing could run for want of memory; 0 where it does not count them.

    Whoever takes the memory, a program that met such a stall was not slow: the machine was.
    """
    told = Path("/proc/pressure/memory")
    lines = told.read_text().splitlines() if told.exists() else []
    return sum(int(line.split("total=")[1]) / 1e6 for line in lines if line.startswith("full"))


def _told(run: Run) -> Told:
    started = perf_counter()
    result = run.call()
    seconds = perf_counter() - started
    return result if isinstance(result, Told) else Told(seconds, run.answer(result))


def _due(times: Times, number: int) -> bool:
    return times.stopped is None and not (number > _FEW and times.slow)


def _spread(of: str, values: Sequence[float]) -> dict[str, float]:
    return {f"median_{of}": median(values), f"min_{of}": min(values), f"max_{of}": max(values)}


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
