"""One pass over each note: formats, terms and people, overlaps settled, each tied to the children it can mean.

What is read: :mod:`~otrack_risk.text.patterns` (formats), :mod:`~otrack_risk.text.lexicons` (terms),
:mod:`~otrack_risk.text.mentions` (people of the roster) and, where a model is given, people whom only it can see.
The words themselves are kept nowhere: a span is two places and a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otrack_risk.errors import FieldError, TableError
from otrack_risk.text import folding, formats, lexicons, linkage, mentions, patterns, words
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
# Children beyond whom forenames alone are too often somebody else's: with 20,000 names more a comparable scanner's
# precision fell from 0.94 to 0.88 on 207 invented notes.
_CROWD = 20_000
_SPECIAL = "UK GDPR Art. 9"  # the legal tag of a term of the lexicon
_LAYERED = 128  # notes that go through one layer before the next one has them: what they hold stays in the cache too
_TOGETHER = 2_000  # notes after which a model is asked about those that need it

Given = tuple[str | None, str | None, int | None]  # a note's text, its school, and the row of the child whose it is


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

    def look_at(self, notes: Iterable[Given]) -> Iterator[Looked]:
        """As :meth:`look`, of many notes: (text, school, own) each; a model is asked about many of them at once."""
        each = iter(notes)
        many = _LAYERED if self._model is None else _TOGETHER
        while some := list(islice(each, many)):
            held = [note for note in some if note[0]]
            parts = (held[start : start + _LAYERED] for start in range(0, len(held), _LAYERED))
            read = chain.from_iterable(map(self._before_model, parts))
            of_note = [next(read) if note[0] else None for note in some]
            asked = [one for one in of_note if one is not None and one.doubts]
            claims: Iterator[Sequence[Span]] = iter(())
            if self._model is not None and asked:
                claims = iter(people_of(self._model, [one.note.text for one in asked], [one.found for one in asked]))
            for one in of_note:
                yield Looked((), False) if one is None else self._told(one, next(claims) if one.doubts else [])

    def _before_model(self, given: Sequence[Given]) -> list[Asked]:
        """What is found in each of some notes without a model.

        Layer by layer and not note by note: the code and the tables of one layer then stay in the processor's cache,
        which made the whole 1.15 times as fast.
        """
        whole = [folding.composed(text or "") for text, _, _ in given]
        notes = [Note(text) for text, _ in whole]
        schools = [school for _, school, _ in given]
        by_form = [self._formats(note.text, school) for note, school in zip(notes, schools, strict=True)]
        people: list[list[Span]] = [[] for _ in notes]
        if self._roster is not None:
            people = self._people(notes, by_form, schools)
        terms = [
            lexicons.found(
                note.text,
                named=True if named or any(span.subjects for span in beside) else None,
                parts=note.words,
            )
            for note, named, beside in zip(notes, people, by_form, strict=True)
        ]
        asked = []
        for note, (_, places), spans, named, facts, (_, school, own) in zip(
            notes, whole, by_form, people, terms, given, strict=True
        ):
            found = _settled(note, spans, named, [span for span, _ in facts])
            special = any(term.legal == _SPECIAL and span in found for span, term in facts)
            doubts = self._doubts.words(note, found) if self._doubts is not None else []
            asked.append(Asked(note, places, found, special, doubts, school, own))
        return asked

    def _formats(self, text: str, school: str | None) -> list[Span]:
        """Formats, and numbers of the roster, with the children that they name."""
        found: list[Span] = patterns.find(text)
        if self._roster is not None:
            found = formats.tied(text, found, self._roster, lambda: self._reader(school).names)
        return found if self._layer is None else found + self._layer.spans(text)

    def _people(
        self, notes: Sequence[Note], by_form: Sequence[Sequence[Span]], schools: Sequence[str | None]
    ) -> list[list[Span]]:
        """People of the roster, and whoever is told by what stands beside a name."""
        taken = [[(span.start, span.end) for span in found if span.score >= COUNTED] for found in by_form]
        people: list[list[Span]] = [[] for _ in notes]
        of_school: dict[str | None, list[int]] = {}
        for place, school in enumerate(schools):
            of_school.setdefault(school, []).append(place)
        for school, places in of_school.items():
            read = self._reader(school).people_of([notes[n] for n in places], [taken[n] for n in places])
            if (self._whole and school is not None) or (self._crowd and school is None):
                read = [self._elsewhere(notes[n], held, taken[n]) for n, held in zip(places, read, strict=True)]
            for n, held in zip(places, read, strict=True):
                people[n] = held
        return people

    def _told(self, read: Asked, claims: Sequence[Span]) -> Looked:
        """What was found, with what a model claims of the doubted words, tied to the children it can mean."""
        found = read.found
        if claims and self._doubts is not None:
            found = self._doubts.people(read.note, claims, read.doubts, found)
        if self._roster is not None:
            found = linkage.narrowed(self._roster, read.note.folded, found, read.own, read.school)
        if (places := read.places) is not None:
            found = [span._replace(start=places[span.start], end=places[span.end - 1] + 1) for span in found]
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
