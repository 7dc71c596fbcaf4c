"""A command run to its end: its seconds, and the memory that it and its workers held together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Thread, Timer
from time import perf_counter

from timing import StoppedError

_LOOK = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Ran:
    """What a command said and took."""

    said: str
    seconds: float
    peak_mib: int | None  # resident memory of the command and its workers together, at most of all looks
    peaks_mib: int | None  # the sum of what each process held at most, at whatever moment: never less than the truth


def run(command: Sequence[str | Path], limit: float) -> Ran:
    """Run a command that may start workers of its own; pages that they share are counted once for each.

    Raises
    ------
    StoppedError
        It took more than ``limit`` seconds, or failed.
    """
    done, held = Event(), _Held()
    with TemporaryFile("w+", encoding="utf-8") as out:
        started = perf_counter()
        process = subprocess.Popen(command, stdout=out, start_new_session=True)
        looks = Thread(target=held.look_until, args=(done, process.pid))
        late = Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        looks.start()
        late.start()
        try:
            code = process.wait()
            seconds = perf_counter() - started
        except BaseException:  # interrupted: nothing of it goes on alone
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            late.cancel()
            done.set()
            looks.join()
        out.seek(0)
        said = out.read()
    if code:
        raise StoppedError(f"over {limit:g} s, stopped" if seconds >= limit else f"failed: exit code {code}")
    return Ran(said, seconds, *held.mib())


class _Held:
    """Memory of a process and all that come from it, look after look."""

    def __init__(self) -> None:
        self._together = 0  # KiB
        self._each: dict[int, int] = {}

    def look_until(self, done: Event, pid: int) -> None:
        while not done.wait(_LOOK):
            now = 0
            for one in _family(pid):
                resident, peak = _resident(one)
                now += resident
                self._each[one] = max(peak, self._each.get(one, 0))
            self._together = max(self._together, now)

    def mib(self) -> tuple[int | None, int | None]:
        if not self._each:  # it ended before the first look, or the system tells nothing
            return None, None
        return self._together >> 10, sum(self._each.values()) >> 10


def _family(pid: int) -> list[int]:
    family = [pid]
    for one in family:  # grows as it is read
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                family += [int(word) for word in children.read_text().split()]
    return family


def _resident(pid: int) -> tuple[int, int]:
    """KiB now, and at most so far; 0 of a process that is gone."""
    told = {"VmRSS": 0, "VmHWM": 0}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in told:
                told[name] = int(value.split()[0])
    return told["VmRSS"], told["VmHWM"]
