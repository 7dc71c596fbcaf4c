"""Names in small letters: in a note without capitals, or written in haste in one that has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from otrack_risk.text import folding, words
from otrack_risk.text.names import Key, Names
from otrack_risk.text.note import Found, Note, Place, touches
from otrack_risk.text.parts import SMALL_LETTER_AFTER, given_of

_WORD = re.compile(r"(?<![\w@./'’-])[^\W\d_A-Z]{5,20}(?![\w@/'’-]|\.\w)")
_BEGINS = re.compile(r"(?:[.!?;\n]|(?<=\s)[-–])\s*$")
_TOLD = re.compile(r"[ ]([a-z]+)(?![\w'’-])")
_VERBS = frozenset(
    {"no", "not", "still", "out", "off", "late", "won", "lost", "swore", "sent", "given", "hurt", "bit"}
    | {"rude", "upset", "ill", "sick", "poorly", "home"}
)
_AND = re.compile(r"([^\W\d_]{3,}) (?:and|&|\+|with|w/) $")
_BESIDE = re.compile(r" (?:and|&|\+|with|w/) ([^\W\d_]{3,})(?!\w)")


class Small:
    """Tells how likely a name in small letters is one.

    Parameters
    ----------
    names : of the school
    usage : how the notes use words
    a_word : whether a folded word is written without thinking of a name
    """

    def __init__(self, names: Names, usage: words.Usage, a_word: Callable[[str], bool]) -> None:
        self.names, self.usage, self.a_word, self._use = names, usage, a_word, words.uses()

    def score(self, note: Note, start: int, end: int, spelt: str, key: Key, gap: str, elsewhere: bool) -> float:
        """The score of a name in small letters: no word, and where the notes have capitals mostly written with one."""
        parts = spelt.split()
        hit = SMALL_LETTER_AFTER.match(note.text, end) if note.quiet and given_of(key) else None
        if hit and set(self.names.initials.get(spelt[0] + hit[1], ())) & given_of(key):
            return 0.6  # hope r: the letter is that of the surname
        if key.form == "adult" or len(spelt) < (3 if note.quiet else 4):
            return 0.0
        if elsewhere or (note.quiet and all(self.a_word(part) for part in parts)):
            return 0.5 if self._named(note, start, end, spelt, key) else 0.0
        if all(self.a_word(part) for part in parts) or (not note.quiet and self.usage.lower_share(spelt) > 0.5):
            return 0.0
        if gap.startswith("-") or (start and note.text[start - 1] in "-@._/"):
            return 0.0
        return 0.6

    def misspelt(self, note: Note, shut: Sequence[Place], known: Sequence[Found]) -> Iterator[Found]:
        """Words that nothing explains, one usual slip from a first name, in a note without capitals."""
        held = [*shut, *((each.start, each.end) for each in known)]
        for hit in _WORD.finditer(note.text):
            word = note.folded[hit.start() : hit.end()]
            if self.usage.lower.get(word, 0) or self.a_word(word) or words.ending(word):
                continue
            like = [name for name in self.names.like(word) if folding.usual_slip(word, name)]
            rows = {row for name in like for row in given_of(self.names.keys[name])}
            if rows and not touches(hit.start(), hit.end(), held):
                yield Found(hit.start(), hit.end(), 0.45, "misspelt", tuple(sorted(rows)))

    def does(self, note: Note, start: int, end: int) -> bool:
        """Whether a word in small letters, in a note without capitals, is somebody who does or lacks something."""
        told = _TOLD.match(note.text, end)
        if told is None or (start and not _BEGINS.search(note.text, 0, start)):
            return False
        low = told[1]
        return low in self._use["finite"] or low in _VERBS or (low.endswith("ed") and len(low) > 4)

    def _named(self, note: Note, start: int, end: int, spelt: str, key: Key) -> bool:
        """Whether a first name that is also a word is one, in a note without capitals: rowan bit, arjan and chase."""
        if not note.quiet or "forename" not in key.rows or spelt in self._use["modal"]:
            return False
        if self.does(note, start, end):
            return True
        beside = _AND.search(note.text, max(0, start - 30), start) or _BESIDE.match(note.text, end)
        other = self.names.keys.get(folding.fold(beside[1])) if beside else None
        return other is not None and "forename" in other.rows and not self.a_word(folding.fold(beside[1]))  # type: ignore[index]
