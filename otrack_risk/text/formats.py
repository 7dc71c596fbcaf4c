"""What tells itself by its form, tied to children of the roster: numbers, file names, addresses, user names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from otrack_risk.text import folding, mentions
from otrack_risk.text.names import Names
from otrack_risk.text.roster import Roster
from otrack_risk.text.spans import Span

_HOLD_NAMES = frozenset({"FILENAME", "EMAIL", "USERNAME"})
_NUMBERS = frozenset({"UPN", "ULN"})
_NUMBER_LIKE = re.compile(r"(?<!\w)(?:[A-Za-z]\d{11}[0-9A-Za-z]|\d{10})(?!\w)")
_LONG = re.compile(r"\d{10}")
_PIECES = re.compile(r"[^\W\d_]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])|\d+")  # as camelCase and digits part them
_NAMED = 0.85  # the least score of what names a child


def tied(text: str, found: Sequence[Span], roster: Roster, names: Callable[[], Names]) -> list[Span]:
    """The formats found in a note, and UPNs and ULNs of the roster in it, each with the child whose it is.

    Parameters
    ----------
    found : what :func:`otrack_risk.text.patterns.find` found; a number of the roster counts whatever its check says
    names : gives the names of the note's school
    """
    return [_of_a_child(span, text, roster, names) for span in [*found, *_held(text, roster)]]


def _held(text: str, roster: Roster) -> list[Span]:
    if not roster.numbers or not _LONG.search(text):
        return []
    return [
        Span(hit.start(), hit.end(), "UPN" if hit.end() - hit.start() == 13 else "ULN", 1.0, "", (row,))
        for hit in _NUMBER_LIKE.finditer(text)
        if (row := roster.numbers.get(hit[0].upper())) is not None
    ]


def _of_a_child(span: Span, text: str, roster: Roster, names: Callable[[], Names]) -> Span:
    """A format with the child that it names: a file name, an e-mail address, a number of the roster."""
    said = text[span.start : span.end]
    if span.label in _NUMBERS:
        row = roster.numbers.get(said.upper().replace(" ", ""))
        return span if row is None else span._replace(subjects=(row,))
    if span.label in _HOLD_NAMES:
        rows = mentions.subjects_in(names(), " ".join(folding.fold(piece) for piece in _PIECES.findall(said)))
        if rows:
            return span._replace(subjects=rows, score=max(span.score, _NAMED))
    return span
