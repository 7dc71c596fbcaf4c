"""Risks that somebody accepted until a day: findings that are still counted, and come back when the day is over."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from otrack_risk.access.findings.checks import CHECKS
from otrack_risk.errors import FileError, ParameterError

ANY = "*"
_KEYS = ("finding", "reason", "accepted_by", "until", "reviewed")
_OF = ("account", "role")


@dataclass(frozen=True)
class Acceptance:
    """One accepted risk."""

    finding: str  # id of a check
    account: str | None  # the account of which it is accepted, or "*" for every one; None: told by role
    role: str | None  # the role (or word, or table) that a finding tells of, or a role that its account holds; or "*"
    reason: str
    accepted_by: str  # a role, such as headteacher; no name
    until: date  # the last day on which it is accepted
    reviewed: date  # the day from which it is accepted
    place: int = 0  # number in its file, from 1

    def matches(self, finding: str, account: str | None, subject: str | None, roles: Iterable[str] = ()) -> bool:
        """Whether it speaks of a finding.

        Examples
        --------
        >>> one = Acceptance("dormant_account", None, "ta", "on leave", "headteacher", date.max, date.min)
        >>> one.matches("dormant_account", "account", None, ["ta"]), one.matches("dormant_account", "account", None)
        (True, False)
        """
        if finding != self.finding:
            return False
        if self.account is not None:
            return self.account in (ANY, account)
        return self.role in (ANY, subject) or self.role in set(roles)

    def holds(self, as_of: date | None) -> bool:
        """Whether it is in force on the day, both ends included; without a day none is."""
        return as_of is not None and self.reviewed <= as_of <= self.until

    def state(self, as_of: date | None) -> str:
        """What is said of it beside a finding."""
        if as_of is None:
            return f"accepted until {self.until}, and no day was given"
        if as_of > self.until:
            return f"accepted until {self.until}, expired"
        return f"accepted until {self.until}" if self.holds(as_of) else f"accepted only from {self.reviewed}"


def read_accepted(path: str | Path) -> tuple[Acceptance, ...]:
    """Accepted risks of a TOML file: one ``[[accepted]]`` each.

    Its keys are ``finding`` (the id of a check), ``account`` or ``role`` (a name, or ``"*"`` for every account),
    ``reason``, ``accepted_by`` (a role), ``until`` and ``reviewed`` (days).

    Raises
    ------
    FileError, ParameterError
        No TOML; a key that is lacking or not known; a finding that does not exist; a day that is none.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise FileError(f"{path.name} cannot be opened.", "check that it is there and that you may read it.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise FileError(f"{path.name} is no TOML.", f"write [[accepted]] with {', '.join(_KEYS)}.") from None
    entries = content.get("accepted", [])
    if set(content) - {"accepted"} or not isinstance(entries, list):
        raise ParameterError(f"{path.name} holds something that is no [[accepted]].", "write [[accepted]] alone.")
    return tuple(_acceptance(entry, f"{path.name}, accepted {place}", place) for place, entry in enumerate(entries, 1))


def chosen(
    acceptances: Sequence[Acceptance],
    as_of: date | None,
    finding: str,
    account: str | None,
    subject: str | None,
    roles: Iterable[str] = (),
) -> Acceptance | None:
    """The acceptance that speaks of a finding: one in force before one that is not, then the one that ends last."""
    held = list(roles)
    found = [each for each in acceptances if each.matches(finding, account, subject, held)]
    return max(found, key=lambda each: (each.holds(as_of), each.until, -each.place), default=None)


def notes(
    acceptances: Sequence[Acceptance], used: Iterable[Acceptance], not_looked_for: Mapping[str, str]
) -> tuple[str, ...]:
    """A sentence for every acceptance that speaks of no finding: the risk may be gone, or was not looked for."""
    spoke = set(used)
    return tuple(
        f"Accepted risk {each.place} ({each.finding}, until {each.until}) speaks of nothing that was found"
        + (": it was not looked for." if each.finding in not_looked_for else "; take it out, or correct its name.")
        for each in acceptances
        if each not in spoke
    )


def _acceptance(entry: Any, where: str, place: int) -> Acceptance:
    if not isinstance(entry, dict):
        raise ParameterError(f"{where}: no table.", "write [[accepted]] and its keys below it.")
    if strange := sorted(entry.keys() - {*_KEYS, *_OF}):
        raise ParameterError(f"{where}: the key '{strange[0][:40]}' is not known.", f"write {', '.join(_KEYS)}.")
    if lacking := [key for key in _KEYS if key not in entry]:
        raise ParameterError(f"{where}: '{lacking[0]}' is lacking.", f"write {', '.join(_KEYS)}.")
    of = [key for key in _OF if key in entry]
    if len(of) != 1:
        raise ParameterError(f"{where}: it needs one of account and role.", 'write account = "*" for every account.')
    texts = {key: entry[key] for key in ("finding", "reason", "accepted_by", of[0])}
    if wrong := [key for key, text in texts.items() if not isinstance(text, str) or not text.strip()]:
        raise ParameterError(f"{where}: '{wrong[0]}' is no text.", f"write {wrong[0]} between quotation marks.")
    days = {key: entry[key] for key in ("until", "reviewed")}
    if wrong := [key for key, day in days.items() if type(day) is not date]:
        raise ParameterError(f"{where}: '{wrong[0]}' is no day.", f"write {wrong[0]} = 2026-07-31, without quotes.")
    if days["until"] < days["reviewed"]:
        raise ParameterError(f"{where}: 'until' lies before 'reviewed'.", "correct the days.")
    if texts["finding"] not in CHECKS:
        raise ParameterError(f"{where}: there is no such finding.", f"name one of {', '.join(CHECKS)}.")
    return Acceptance(
        texts["finding"],
        texts.get("account"),
        texts.get("role"),
        texts["reason"].strip(),
        texts["accepted_by"].strip(),
        days["until"],
        days["reviewed"],
        place,
    )
