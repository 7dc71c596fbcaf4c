"""One pass over each note: formats, terms and people, overlaps settled, each tied to the children it can mean.

What is read: :mod:`~otrack_risk.text.patterns` (formats), :mod:`~otrack_risk.text.lexicons` (terms),
:mod:`~otrack_risk.text.mentions` (people of the roster) and, where a model is given, people whom only it can see.
The words themselves are kept nowhere: a span is two places and a label.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otrack_risk.errors import FieldError, TableError
from otrack_risk.text import folding, lexicons, linkage, mentions, patterns, words
from otrack_risk.text.layers import Model, WholeModel, people_of
from otrack_risk.text.layers import model_of as model_of
from otrack_risk.text.model import Doubts
from otrack_risk.text.note import Note, Word, touches
from otrack_risk.text.results import Scan
from otrack_risk.text.roster import Roster
from otrack_risk.text.spans import Span, apart

if TYPE_CHECKING:
    import polars as pl

COUNTED = mentions.COUNTED
_HOLD_NAMES = frozenset({"FILENAME", "EMAIL", "USERNAME"})
# Children beyond whom forenames alone are too often somebody else's: with 20,000 names more a comparable scanner's
# precision fell from 0.94 to 0.88 on 207 invented notes.
_CROWD = 20_000
_SPECIAL = "UK GDPR Art. 9"  # the legal tag of a term of the lexicon
_NUMBERS = frozenset({"UPN", "ULN"})
_NUMBER_LIKE = re.compile(r"(?<!\w)(?:[A-Za-z]\d{11}[0-9A-Za-z]|\d{10})(?!\w)")
_LONG = re.compile(r"\d{10}")
_TOGETHER = 2_000  # notes after which a model is asked about those that need it
_PIECES = re.compile(r"[^\W\d_]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])|\d+")  # as camelCase and digits part them


@dataclass(frozen=True)
class Reading:
    """What was found in each note; places and labels, never words.

    Attributes
    ----------
    ids : how each note is called: its ``id`` column, or its row number from 0
    spans : of each note, in order, with the children narrowed by what else the note says
    looked_at : notes that had a text
    """

    ids: Sequence[object]
    spans: Sequence[tuple[Span, ...]]
    special: Sequence[bool]  # of each note: whether it tells a special category fact (UK GDPR article 9)
    looked_at: int
    roster: Roster | None
    model: str  # its name, or "none"
    full_names_only: int = 0  # notes of no known school, in which children were looked for by full name only


class Looked(NamedTuple):
    """What was found in one note."""

    spans: tuple[Span, ...]
    special: bool  # it tells a special category fact


class Asked(NamedTuple):
    """A note of which all is found but what a model may add."""

    note: Note
    places: Sequence[int] | None  # of each of its characters in the text as it was given
    found: list[Span]
    special: bool
    doubts: list[Word]  # words of which a model is asked
    school: str | None
    own: int | None


class Scanner:
    """Reads notes; made once for a set of them, because it learns from all how words are used.

    Parameters
    ----------
    texts : all notes
    roster : the people of the data set; without it only formats and terms are looked for
    model : finds people beyond the roster
    """

    def __init__(self, texts: pl.Series, roster: Roster | None = None, model: Model | None = None) -> None:
        self._usage = words.Usage.of(texts)
        self._roster, self._model = roster, model
        self._doubts = Doubts(self._usage) if model is not None else None
        self._layer = model if isinstance(model, WholeModel) else None
        self._readers: dict[str | None, mentions.Reader] = {}
        self._whole = roster is not None and len(roster.schools) > 1
        self._crowd = roster is not None and roster.height > _CROWD

    def spans(self, text: str, school: str | None = None, own: int | None = None) -> tuple[Span, ...]:
        """Everything found in one note, in order and without overlap; what scores under 0.35 does not count.

        Parameters
        ----------
        school : of the note; its children are looked for by every form of their names, all others by full name only
        own : row of the child whose note it is
        """
        return self.look(text, school, own).spans

    def look(self, text: str, school: str | None = None, own: int | None = None) -> Looked:
        """As :meth:`spans`, and whether a special category fact is among them."""
        return next(self.look_at([(text, school, own)]))

    def look_at(self, notes: Iterable[tuple[str | None, str | None, int | None]]) -> Iterator[Looked]:
        """As :meth:`look`, of many notes: (text, school, own) each; a model is asked about many of them at once."""
        each = iter(notes)
        if self._model is None:
            yield from (self._told(self._before_model(*note), []) if note[0] else Looked((), False) for note in each)
            return
        while some := list(islice(each, _TOGETHER)):
            read = [self._before_model(*note) if note[0] else None for note in some]
            asked = [one for one in read if one is not None and one.doubts]
            claims = iter(people_of(self._model, [one.note.text for one in asked], [one.found for one in asked]))
            for one in read:
                yield Looked((), False) if one is None else self._told(one, next(claims) if one.doubts else [])

    def _before_model(self, text: str | None, school: str | None, own: int | None) -> Asked:
        composed, places = folding.composed(text or "")
        note = Note(composed)
        formats = [self._tied(span, composed, school) for span in [*patterns.find(composed), *self._held(composed)]]
        if self._layer is not None:
            formats += self._layer.spans(composed)
        taken = [(span.start, span.end) for span in formats if span.score >= COUNTED]
        people: list[Span] = []
        if self._roster is not None:
            people = self._reader(school).people(note, taken)
            if (self._whole and school is not None) or (self._crowd and school is None):
                people = self._elsewhere(note, people, taken)
        terms = lexicons.found(
            composed, named=True if people or any(span.subjects for span in formats) else None, parts=note.words
        )
        found = _settled(note, formats, people, [span for span, _ in terms])
        special = any(term.legal == _SPECIAL and span in found for span, term in terms)
        doubts = self._doubts.words(note, found) if self._doubts is not None else []
        return Asked(note, places, found, special, doubts, school, own)

    def _told(self, read: Asked, claims: Sequence[Span]) -> Looked:
        """What was found, with what a model claims of the doubted words, tied to the children it can mean."""
        found = read.found
        if claims and self._doubts is not None:
            found = self._doubts.people(read.note, claims, read.doubts, found)
        if self._roster is not None:
            found = linkage.narrowed(self._roster, read.note.folded, found, read.own, read.school)
        if (places := read.places) is not None:
            found = [replace(span, start=places[span.start], end=places[span.end - 1] + 1) for span in found]
        return Looked(tuple(found), read.special)

    def _reader(self, school: str | None) -> mentions.Reader:
        if school not in self._readers and self._roster is not None:
            crowd = self._crowd and school is None
            names = self._roster.adult_names() if crowd else self._roster.names(school)
            self._readers[school] = mentions.Reader(names, self._usage)
        return self._readers[school]

    def by_full_name_only(self, school: str | None) -> bool:
        """Whether the children of a note are so many that only their full names are looked for."""
        return self._crowd and school is None

    def _held(self, text: str) -> list[Span]:
        """UPNs and ULNs of the roster, whatever their check character says: the table has them."""
        if self._roster is None or not self._roster.numbers or not _LONG.search(text):
            return []
        return [
            Span(hit.start(), hit.end(), "UPN" if hit.end() - hit.start() == 13 else "ULN", 1.0, "", (row,))
            for hit in _NUMBER_LIKE.finditer(text)
            if (row := self._roster.numbers.get(hit[0].upper())) is not None
        ]

    def _tied(self, span: Span, text: str, school: str | None) -> Span:
        """A format with the child that it names: a file name, an e-mail address, a number of the roster."""
        if self._roster is None:
            return span
        said = text[span.start : span.end]
        if span.label in _NUMBERS:
            row = self._roster.numbers.get(said.upper().replace(" ", ""))
            return span if row is None else replace(span, subjects=(row,))
        if span.label in _HOLD_NAMES:
            names = self._reader(school).names
            rows = mentions.subjects_in(names, " ".join(folding.fold(piece) for piece in _PIECES.findall(said)))
            if rows:
                return replace(span, subjects=rows, score=max(span.score, 0.85))
        return span

    def _elsewhere(self, note: Note, people: list[Span], taken: list[tuple[int, int]]) -> list[Span]:
        """With children of other schools, by full name written with capitals."""
        assert self._roster is not None
        named = self._roster.everybody().found(note.folded)
        if not named:
            return people
        shut = taken + [(span.start, span.end) for span in people if span.form == "full"]
        more = [
            Span(start, end, "PERSON", 0.9, "full", rows)
            for start, end, rows in named
            if note.text[start].isupper() and note.text[note.folded.rfind(" ", start, end) + 1].isupper()
            if not touches(start, end, shut)
        ]
        held = [span for span in people if not touches(span.start, span.end, [(m.start, m.end) for m in more])]
        return sorted(held + more, key=lambda span: span.start)


def read_notes(
    notes: pl.DataFrame,
    text_column: str,
    roster: Roster | None = None,
    model: Model | None = None,
    tell: Callable[[str, float], None] = lambda what, share: None,
) -> Reading:
    """Look through every note.

    Parameters
    ----------
    notes : with the text, and where they have it ``id``, the pupil's number and the school
    tell : is told how far it is

    Raises
    ------
    TableError
        No rows, or no text in any.
    FieldError
        No such column, or one that holds no text.
    """
    import polars as pl

    if not notes.height:
        raise TableError("the notes have no rows.", "give a table with one note a row.")
    if text_column not in notes.columns:
        raise FieldError(
            f"text-column: '{text_column}' is not a field of this table (its fields: {', '.join(notes.columns)}).",
            "name the column that holds the notes.",
        )
    if notes.schema[text_column] != pl.String:
        raise FieldError(f"text-column: '{text_column}' holds no text.", "name the column that holds the notes.")
    texts = notes[text_column]
    if texts.null_count() == notes.height:
        raise TableError(
            f"text-column: '{text_column}' is empty in every row.", "name the column that holds the notes."
        )
    scanner = Scanner(texts, roster, model)
    nothing = [None] * notes.height
    own, school = (nothing, nothing) if roster is None else roster.whose(notes)
    if roster is not None:
        roster.prepare(each for each in school if not scanner.by_full_name_only(each))
    found: list[Looked] = []
    for place, looked in enumerate(scanner.look_at(zip(texts, school, own, strict=True))):
        if place % 20_000 == 0:
            tell("Reading notes", place / notes.height)
        found.append(looked)
    ids = notes["id"].to_list() if "id" in notes.columns else range(notes.height)
    return Reading(
        ids=ids,
        spans=[each.spans for each in found],
        special=[each.special for each in found],
        looked_at=notes.height - texts.null_count(),
        roster=roster,
        model=model.name if model else "none",
        full_names_only=sum(map(scanner.by_full_name_only, school)),
    )


def scan(
    notes: pl.DataFrame,
    text_column: str,
    roster: Roster | None = None,
    model: Model | None = None,
    *,
    rng: np.random.Generator,
) -> Scan:
    """Personal data in free text, and how many children it is about.

    Parameters
    ----------
    notes : one note a row; a column ``id``, the pupil's number and the school are used where they are there
    text_column : the column of the text
    roster : the children and adults of the data set
    model : finds people beyond the roster
    rng : draws the interval

    Examples
    --------
    >>> import polars as pl
    >>> pupils = pl.DataFrame({"forename": ["Daisy", "Emeka"], "surname": ["Holt", "Obi"]})
    >>> notes = pl.DataFrame({"text": ["Daisy Holt: asthma, inhaler in office.", "Wet play today."]})
    >>> found = scan(notes, "text", Roster.of(pupils), rng=np.random.default_rng(0))
    >>> found.documents, found.documents_with_personal_data, found.subjects_named, found.subjects_with_special_category
    (2, 1, 1, 1)
    """
    return linkage.counted(read_notes(notes, text_column, roster, model), rng)


def as_lines(reading: Reading) -> Iterator[str]:
    """One JSON object a note: ``{"id", "spans": [{"start", "end", "label", "score", "subjects"}]}``."""
    import json

    ids = reading.roster.ids if reading.roster else ()
    for which, spans in zip(reading.ids, reading.spans, strict=True):
        rows = [
            {
                "start": span.start,
                "end": span.end,
                "label": span.label,
                "score": span.score,
                "subjects": [ids[row] for row in span.subjects],
            }
            for span in spans
            if span.score >= COUNTED
        ]
        yield json.dumps({"id": which, "spans": rows}, ensure_ascii=False, default=str)


def _settled(note: Note, formats: Sequence[Span], people: Sequence[Span], terms: Sequence[Span]) -> list[Span]:
    """Without overlap: the longest, then the surest; what is too weak to count gives way to all that counts."""
    found = [*formats, *people, *(term for term in terms if term.score >= COUNTED)]
    return apart(found, lambda s: (s.score < COUNTED, s.start - s.end, -_weight(note, s), s.start))


def _weight(note: Note, span: Span) -> float:
    """The score between spans of one length: a name that is also a faith or a people wins, unless a verb leads it."""
    if span.label != "PERSON" or span.form not in ("forename", "nickname"):
        return span.score
    return 0.0 if note.before(span.start)[0].lower() in words.uses()["before_fact"] else 1.0
