"""A pipeline of spaCy as the last layer: people whom neither table, title nor first name gives away.

It is asked only of notes with a word in capitals that nothing explains (:class:`Doubts`), and believed only about
such words: what a small model takes for a person in a note of a school is more often a word that begins a sentence, a
lesson or a shop. Only people are taken from it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from otrack_risk import reference
from otrack_risk.errors import ParameterError
from otrack_risk.text import folding, words
from otrack_risk.text.note import NAME, UPPER, Note, Word, bare, touches
from otrack_risk.text.spans import Span

if TYPE_CHECKING:
    from spacy.language import Language

SCORE = 0.5  # of what a model takes for a person; it gives no score of its own
MEND = "pip install 'otrack-risk[ner]', or scan with --model none."
_KEPT = frozenset({"tok2vec", "transformer", "curated_transformer", "ner"})  # parts of a pipeline that find people
_BATCH = 128  # texts
_NAMES = re.compile(rf"{NAME}(?:[ ](?:(?:de|da|do|dos|van|von|bin|al|el|la|le|ap)[ ])?(?:{NAME}|[{UPPER}]\.?(?!\w)))*")
_JOINED_AFTER = re.compile(rf"['’]s?(?!\w)|[ ]?(?:,|&|and|\+|/)[ ]?[{UPPER}]")
_WORD_AFTER = re.compile(r"[ ]([^\W\d_]+)")
_ARTICLES = frozenset({"the", "a", "an"})
_PLAIN = (
    *("no_name", "common", "near", "word", "place", "month"),
    *("place_after", "group_after", "title", "relation", "role"),
)
_PARTLY = frozenset({"outside", "misspelt"})  # forms of people of whom only a part may have been found
_BEHIND = frozenset(  # verbs and others behind somebody as a sentence begins, beside those of note_words
    {"rang", "spoke", "sent", "met", "paid", "drove", "chose", "spent", "heard", "stood", "understands", "who", "from"}
)


class Doubts:
    """Which words of a note may be people that nothing has found.

    Parameters
    ----------
    usage : how the notes use words
    """

    def __init__(self, usage: words.Usage) -> None:
        self._usage, self._use = usage, words.uses()
        self._curriculum, alone, _ = words.curriculum()
        self._people = alone | _listed("people")
        self._kinds = [self._use[kind] for kind in _PLAIN]
        self._stop = _listed("words")

    def words(self, note: Note, found: Sequence[Span]) -> list[Word]:
        """The words with a capital that no span covers and that are no words, places or people of lessons.

        Also the word behind somebody who was found by a first name alone or as a name misspelt: it may be a surname.
        """
        capitals = [word for word in note.capitals if not word.written.isupper()]
        partly = {span.end for span in found if span.label == "PERSON" and span.form in _PARTLY}
        left = [
            word
            for place, word in enumerate(capitals)
            if (word.start - 1 in partly and not self._no_part(word.written)) or self._open(note, capitals, place)
        ]
        if not left:
            return left
        shut = [(span.start, span.end) for span in found]
        shut += [(last - 1 - length, last - 1) for last, length in self._curriculum.iter(f" {note.folded} ")]
        return [word for word in left if not touches(word.start, word.end, shut)]

    def people(self, note: Note, claims: Iterable[Span], doubts: Sequence[Word], found: Sequence[Span]) -> list[Span]:
        """All that was found, with what of a model's people is believed: names around a doubted word.

        Without titles, relations and 's. A name that holds one found in part, or as a misspelling, replaces it.
        """
        held = list(found)
        for claim in claims:
            for hit in _NAMES.finditer(note.text, claim.start, claim.end):
                start, end = self._bare(note, hit.start(), hit.end())
                if not any(start <= word.start < end for word in doubts) or self._thing(note, start, end):
                    continue
                beside = [span for span in held if span.start < end and start < span.end]
                if all(start <= s.start and s.end <= end and s.form in _PARTLY for s in beside):
                    held = [span for span in held if span not in beside]
                    held.append(Span(start, end, "PERSON", claim.score, "outside"))
        return sorted(held, key=lambda span: span.start)

    def _open(self, note: Note, capitals: Sequence[Word], place: int) -> bool:
        """Whether a word may be a name, by what it is and by what stands behind it."""
        word = capitals[place]
        begins = note.begins(word.start)
        if self._plain(word.low) and not (
            word.low in self._use["word"] and self._may_be(note, capitals, place, begins)
        ):
            return False
        after = _WORD_AFTER.match(note.text, word.end)
        low = folding.fold(after[1]) if after else ""
        if self._names_a_thing(after) and word.low not in self._use["first"]:
            return False
        if not begins or _JOINED_AFTER.match(note.text, word.end):
            return True
        if after is None:
            return True  # before a stop or a dash
        if after[1][0].isupper():
            return not after[1].isupper() and low not in self._use["no_name"]
        if words.ending(word.low):
            return False
        verb = low in self._use["finite"] or low in self._use["modal"] or low in _BEHIND
        return verb or low in self._use["kin"] or (low.endswith("ed") and len(low) > 3)

    def _may_be(self, note: Note, capitals: Sequence[Word], place: int, begins: bool) -> bool:
        """Whether a name that is also a word may be one: within a sentence, or before another name."""
        word = capitals[place]
        use = self._use
        if word.low not in use["word"] or word.low in self._usage.lower or word.low in use["month"] | use["modal"]:
            return False
        if word.low in use["place_after"]:
            return False
        if not begins:
            return not self._grouped(note, word.start, word.end)
        if place + 1 == len(capitals):
            return False
        behind = capitals[place + 1]
        return behind.start == word.end + 1 and (behind.low in self._use["word"] or not self._plain(behind.low))

    def _grouped(self, note: Note, start: int, end: int) -> bool:
        """Whether a name is that of a class, a colour or a plant by the word before or behind: in Rose class."""
        after = _WORD_AFTER.match(note.text, end)
        low = folding.fold(after[1]) if after else ""
        return low in self._use["group_after"] or note.before(start)[0].lower() in _ARTICLES

    def _plain(self, low: str) -> bool:
        """Whether a folded word, or its part before a hyphen, is one that people write with a small letter."""
        part = low.partition(" ")[0]
        if low in self._people or part in self._stop or part in self._usage.lower:
            return True
        return any(part in kind for kind in self._kinds)

    def _bare(self, note: Note, start: int, end: int) -> tuple[int, int]:
        """A stretch without the words at its ends that are no part of a name, and without 's."""
        said = [(hit.start() + start, hit.end() + start) for hit in re.finditer(r"[^ ]+", note.text[start:end])]
        while said and self._no_part(note.text[slice(*said[0])]):
            del said[0]
        while said and self._no_part(note.text[slice(*said[-1])]):
            del said[-1]
        if not said:
            return start, start
        return said[0][0], said[-1][0] + len(bare(note.text[slice(*said[-1])]))

    def _no_part(self, written: str) -> bool:
        low = folding.fold(bare(written)).strip()
        return any(low in self._use[kind] for kind in ("no_name", "relation", "title")) or low in self._stop

    def _thing(self, note: Note, start: int, end: int) -> bool:
        """Whether what stands beside a name makes a place or a group of it, or it is somebody of a lesson."""
        before, between = note.before(start)
        if between == " " and before.lower() in _ARTICLES:
            return True
        low = " ".join(note.folded[start:end].split())
        return low in self._people or self._names_a_thing(_WORD_AFTER.match(note.text, end))

    def _names_a_thing(self, after: re.Match[str] | None) -> bool:
        """Whether the word behind has a capital and makes a place or a thing of a name."""
        if after is None or not after[1][0].isupper():
            return False
        low = folding.fold(after[1])
        return low in self._use["place_after"] or low in self._stop


class Pipeline:
    """A pipeline of spaCy, of which only what finds people is run.

    Attributes
    ----------
    name : of the package
    """

    def __init__(self, name: str, nlp: Language) -> None:
        self.name, self._nlp = name, nlp

    def people(self, text: str, known: Sequence[Span] = ()) -> list[Span]:
        """The people in a text that are not among ``known``."""
        return self.people_of([text], [known])[0]

    def people_of(self, texts: Sequence[str], known: Sequence[Sequence[Span]]) -> list[list[Span]]:
        """As :meth:`people`, of many texts at once, which is faster."""
        found = []
        with self._nlp.memory_zone():  # else every word that it has not met stays in memory
            for doc, spans in zip(self._nlp.pipe(texts, batch_size=_BATCH), known, strict=True):
                shut = [(span.start, span.end) for span in spans if span.form not in _PARTLY]
                found.append(
                    [
                        Span(ent.start_char, ent.end_char, "PERSON", SCORE, "outside")
                        for ent in doc.ents
                        if ent.label_ in ("PERSON", "PER") and not touches(ent.start_char, ent.end_char, shut)
                    ]
                )
        return found


def pipeline(name: str | None) -> Pipeline | None:
    """The installed pipeline of spaCy of that name; where None, the first English one that finds people, or none.

    Only what is installed is loaded; nothing is ever downloaded.

    Raises
    ------
    ParameterError
        A name was given, and no pipeline of that name is installed, or it cannot be read, or does not find people.
    """
    try:
        import spacy.util
    except ImportError:
        if name is None:
            return None
        raise ParameterError("model: spaCy is not installed, which reads pipelines.", MEND) from None
    held = sorted(spacy.util.get_installed_models())
    if name is not None:
        if name not in held:
            there = f"installed: {', '.join(held)}" if held else "none is installed"
            raise ParameterError(f"model: there is no pipeline of spaCy of that name ({there}).", MEND)
        if not _finds_people(name):
            raise ParameterError("model: this pipeline of spaCy has no part that finds people ('ner').", MEND)
        if (found := _loaded(name)) is None:
            raise ParameterError("model: this pipeline of spaCy does not fit the version of spaCy here.", MEND)
        return found
    return next((found for each in held if _english(each) and (found := _loaded(each))), None)


@cache
def _loaded(name: str) -> Pipeline | None:
    """The pipeline, or None where this spaCy cannot read it."""
    import spacy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Pipeline(name, spacy.load(name, exclude=[part for part in _parts(name) if part not in _KEPT]))
        except (OSError, ValueError, ImportError, KeyError):
            return None


def _meta(name: str) -> dict[str, Any]:
    import spacy.util

    try:
        return dict(spacy.util.get_model_meta(spacy.util.get_package_path(name)))
    except (OSError, ValueError, ImportError):
        return {}


def _parts(name: str) -> list[str]:
    return [*_meta(name).get("pipeline", ()), *_meta(name).get("disabled", ())]


def _finds_people(name: str) -> bool:
    return "ner" in _meta(name).get("pipeline", ())


def _english(name: str) -> bool:
    return _finds_people(name) and _meta(name).get("lang") == "en"


@cache
def _listed(what: str) -> frozenset[str]:
    """The lists of the reference table ``model_words`` of one kind, folded."""
    held = [name for entry in reference.load("model_words").entries[what] for name in entry.get("words", ())]
    held += [name for entry in reference.load("model_words").entries[what] for name in entry.get("names", ())]
    return frozenset(" ".join(folding.fold(name).split()) for name in held)
