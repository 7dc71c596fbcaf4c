"""One note as a reader needs it: folded, and its words with a capital."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from otrack_risk.text import folding
from otrack_risk.text.names import Rows

Place = tuple[int, int]  # where a stretch begins, and where it ends, exclusive

UPPER = "A-ZÀ-ÖØ-ÞĀ-ŽȘȚ"
NAME = rf"[{UPPER}][^\W\d_]+(?:['’-][^\W\d_]+)*"
_CAPITAL = re.compile(rf"[{UPPER}](?<![^\W_].)[^\W\d_]*(?:(?!['’-])|(?:['’-][^\W\d_]+)*)", re.DOTALL)
_CAPITAL_AND_SMALL = re.compile(rf"[{UPPER}][^\W\d_A-Z]")
_POSSESSIVE = re.compile(r"['’]s?$")
_OPENING = frozenset(" \t\r\"'“‘([")  # stands between the end of a sentence and the next word
_ENDING = frozenset(".!?:;\n•*")
_DASHES = frozenset("-–—")


@dataclass(slots=True)
class Word:
    """A word with a capital, without its 's; hyphens join."""

    start: int
    end: int
    written: str
    low: str  # folded, its parts apart by one space


@dataclass(slots=True)
class Found:
    """A stretch that may be a person."""

    start: int
    end: int
    score: float
    form: str
    rows: Rows = ()


class Note:
    """A text without combining marks, and what is worked out of it once.

    Attributes
    ----------
    folded : the text folded, place by place
    words : the folded words
    quiet : no word is written with a capital and small letters, so that capitals tell nothing
    capitals : the words with a capital
    """

    __slots__ = ("capitals", "folded", "quiet", "text", "words")

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = folding.fold(text)
        self.words = self.folded.split()
        self.quiet = not _CAPITAL_AND_SMALL.search(text)
        self.capitals: list[Word] = []
        for hit in _CAPITAL.finditer(text):
            written, start = hit[0], hit.start()
            if written[-2:-1] in ("'", "’"):
                written = bare(written)
            end = start + len(written)
            low = self.folded[start:end]
            self.capitals.append(Word(start, end, written, " ".join(low.split()) if " " in low else low))

    def before(self, start: int) -> tuple[str, str]:
        """The word before a place, without 's, and what stands between them."""
        least = start - 24 if start > 24 else 0
        end = least + len(self.folded[least:start].rstrip())
        begin = self.folded.rfind(" ", least, end) + 1 or least
        if end - begin == 1 and begin and self.text[begin - 1] in "'’":
            end = begin - 1
            begin = self.folded.rfind(" ", least, end) + 1 or least
        return self.text[begin:end], self.text[end:start]

    def begins(self, start: int) -> bool:
        """Whether a sentence begins at a place: nothing before it, or a stop, a colon, or a dash between spaces."""
        place = start - 1
        while place >= 0 and self.text[place] in _OPENING:
            place -= 1
        if place < 0 or self.text[place] in _ENDING:
            return True
        return self.text[place] in _DASHES and (place == 0 or self.text[place - 1].isspace())


def bare(written: str) -> str:
    """A word without 's."""
    return _POSSESSIVE.sub("", written)


def within(start: int, end: int, shut: Sequence[Place]) -> bool:
    """Whether a stretch lies within one of others."""
    for s, e in shut:  # noqa: SIM110 - a generator costs three times as much, and this runs on every name
        if s <= start and end <= e:
            return True
    return False


def touches(start: int, end: int, shut: Sequence[Place]) -> bool:
    """Whether a stretch shares a place with one of others."""
    for s, e in shut:  # noqa: SIM110 - as above
        if s < end and start < e:
            return True
    return False
