"""A stretch of text that is, or tells, something about a person; and the labels that it can carry."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Span:
    """Where something was found: places and a label, never the words themselves."""

    start: int  # code points from the start of the text
    end: int  # exclusive
    label: str  # one of LABELS
    score: float  # 0 to 1; counted from 0.35 on
    form: str = ""  # of a person: full, forename, surname, initials, misspelt, nickname, title, username ...
    subjects: tuple[int, ...] = ()  # row numbers of the roster that the mention can mean
