"""A stretch of text that is, or tells, something about a person; and the labels that it can carry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, TypeVar

LABELS = (
    "PERSON",
    "ADDRESS",
    "POSTCODE",
    "PHONE",
    "EMAIL",
    "DOB",
    "UPN",
    "ULN",
    "NHS",
    "NINO",
    "VEHICLE",
    "FILENAME",
    "USERNAME",
    "SCHOOL",
    "HEALTH_SEND",
    "RELIGION",
    "ETHNICITY_NATIONALITY_LANGUAGE",
    "SAFEGUARDING_STATUS",
)


class Span(NamedTuple):
    """Where something was found: places and a label, never the words themselves."""

    start: int  # code points from the start of the text
    end: int  # exclusive
    label: str  # one of LABELS
    score: float  # 0 to 1; counted from 0.35 on
    form: str = ""  # of a person: full, forename, surname, initials, misspelt, nickname, title, username ...
    subjects: tuple[int, ...] = ()  # row numbers of the roster that the mention can mean


class Placed(Protocol):
    """Whatever stands somewhere in a text."""

    @property
    def start(self) -> int:
        """Code points from the start of the text."""

    @property
    def end(self) -> int:
        """Exclusive."""


_P = TypeVar("_P", bound=Placed)
_START = attrgetter("start")


def apart(found: Sequence[_P], rank: Callable[[_P], Any]) -> list[_P]:
    """What is left where none may overlap, in order: of those that do, the one of the lowest rank."""
    ordered = sorted(found, key=_START)
    past = -1
    for each in ordered:
        if each.start < past:
            break
        past = each.end
    else:
        return ordered  # nearly always: nothing to be ranked
    kept: list[_P] = []
    for each in sorted(found, key=rank):
        start, end = each.start, each.end
        if not any(other.start < end and start < other.end for other in kept):
            kept.append(each)
    return sorted(kept, key=_START)
