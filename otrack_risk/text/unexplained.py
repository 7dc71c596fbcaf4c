"""A word with a capital that nothing explains: a name misspelt, a common first name, a short form made on the spot."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from otrack_risk.text import folding, words
from otrack_risk.text.names import Names
from otrack_risk.text.note import UPPER, Found, Note, Word

_STOP = re.compile(r"[.!?\n]")
_SHORT_TO = 5  # letters of a short form made on the spot
_LONG_SURNAME = 7  # letters from which a surname is known in spite of a slip, without a word beside it
_AFTER_ARTICLE = frozenset((article, " ") for article in ("the", "The", "a", "A", "an", "An"))
_SMALL_WORD_AFTER = re.compile(r"[ ]([^\W\d_]{3,}(?:['’-][^\W\d_]{2,})*)(?![\w@.])")
_INITIAL_AFTER = re.compile(rf"[ ]([{UPPER}]|[a-z](?=\.))(?:\.(?!\w)|(?![\w'’.&/]))")
_SHORT_BEFORE = re.compile(
    r"(?:with|and|&|between|told|asked|from|by|like|hit|pushed|kicked|next to|says) $|^$|[.!?:] $"
)
_SHORT_AFTER = re.compile(
    r"['’]s\b| (?:and|&|is|was|has|had|says|said|told|came|went|left|got|sat|loves?|needs?|too|also|\w{2,}ed"
    r"|[a-z]{3,}s (?:a|an|the|his|her|to|it|that))\b"
)


class Unexplained:
    """Tells who such a word may be.

    Parameters
    ----------
    names : of the school
    usage : how the notes use words
    part : a word with a capital, folded, if it can be part of somebody's name
    """

    def __init__(self, names: Names, usage: words.Usage, part: Callable[[str], str]) -> None:
        self._names, self._usage, self._part, self._use = names, usage, part, words.uses()

    def found(self, note: Note, word: Word, second: Word | None, before: str, between: str) -> Found | None:
        """A word with a capital that nothing explains: a name misspelt, or somebody with a common first name."""
        use, low = self._use, word.low
        if second is not None and second.low in use["place_after"]:
            return None
        if (before, between) in _AFTER_ARTICLE:
            return self._family(word)  # the Holts, but not the Romans
        first = low in use["first"]
        like = () if words.ending(low) else self._names.like(low.replace(" ", ""))
        also = self._part(second.written) if second else ""
        if like and (found := self._misspelt(note, word, second, also, like)):
            return found
        in_place = between == " " and before.lower() in use["before_place"]
        if first and not in_place and not a_title(note, word.start, low):
            if second and also:
                return Found(word.start, second.end, 0.6, "outside")
            return Found(word.start, word.end, 0.45, "outside")
        if first or (second and also) or len(low) > _SHORT_TO or self._usage.a_word(low[:-1]):
            return None
        return self._short(note, word)

    def _misspelt(self, note: Note, word: Word, second: Word | None, also: str, like: Sequence[str]) -> Found | None:
        """A name of the roster with a slip in it, with the surname or initial that goes with it."""
        use, keys, low = self._use, self._names.keys, word.low
        given = tuple(name for name in like if {"forename", "nickname"} & keys[name].rows.keys())
        lasts = {row for name in like for row in keys[name].rows.get("surname", ())}
        starting = note.begins(word.start)
        if not given:
            return self._misspelt_surname(note, word, lasts, starting) if lasts else None
        rows = {row for name in given for row in keys[name].subjects}
        last = keys.get(also)
        if second and last and (both := rows & last.rows.get("surname", set())):
            return Found(word.start, second.end, 0.9, "misspelt", tuple(sorted(both)))
        if (
            second
            and also
            and (both := rows & {row for name in self._names.like(also) for row in keys[name].rows.get("surname", ())})
        ):
            return Found(word.start, second.end, 0.8, "misspelt", tuple(sorted(both)))
        if second and also and low in use["first"]:
            return Found(word.start, second.end, 0.6, "outside")
        if second is None and (hit := _SMALL_WORD_AFTER.match(note.text, word.end)):
            after = folding.fold(hit[1])
            near = [after, *self._names.like(after)] if after not in use["common"] else [after]
            both = rows & {row for name in near if name in keys for row in keys[name].rows.get("surname", ())}
            if both:
                return Found(word.start, hit.end(), 0.8, "misspelt", tuple(sorted(both)))
        return Found(word.start, word.end, 0.45 if starting else 0.55, "misspelt", tuple(sorted(rows)))

    def _misspelt_surname(self, note: Note, word: Word, rows: set[int], starting: bool) -> Found | None:
        """A surname with a slip: with an initial, before a word of family, or long and within a sentence."""
        text = note.text
        if hit := _INITIAL_AFTER.match(text, word.end):
            return Found(word.start, hit.end(), 0.6, "misspelt", tuple(sorted(rows)))
        after = folding.fold(text[word.end : word.end + 20]).split()
        if (after and after[0] in self._use["kin"]) or (
            len(word.low) >= _LONG_SURNAME and (not starting or _SHORT_AFTER.match(text, word.end))
        ):
            return Found(word.start, word.end, 0.5, "misspelt", tuple(sorted(rows)))
        return None

    def _family(self, word: Word) -> Found | None:
        """The Holts: a surname in the plural."""
        low = word.low
        key = self._names.keys.get(low.removesuffix("es")) or self._names.keys.get(low.removesuffix("s"))
        if (
            key is None
            or not low.endswith("s")
            or not (rows := key.rows.get("surname"))
            or low[:-1] in self._use["word"]
        ):
            return None
        return Found(word.start, word.end, 0.6, "surname", tuple(sorted(rows)))

    def _short(self, note: Note, word: Word) -> Found | None:
        """A short form made on the spot, used as a name is: with Jaz, Ells loved."""
        names = self._names.short_for(word.low)
        if not names or not word.written.isalpha():
            return None
        before = _SHORT_BEFORE.search(note.text, max(0, word.start - 12), word.start)
        if not _SHORT_AFTER.match(note.text, word.end) and (not before or note.begins(word.start)):
            return None
        rows = {row for name in names for row in self._names.keys[name].rows.get("forename", ())}
        return Found(word.start, word.end, 0.45, "nickname", tuple(sorted(rows)))


def a_title(note: Note, start: int, low: str) -> bool:
    """Whether a name is the title of a book: a word of reading stands before it in its sentence."""
    _, titles, reading = words.curriculum()
    if low not in titles:
        return False
    sentence = _STOP.split(note.text[max(0, start - 30) : start])[-1]
    before = f" {folding.fold(sentence)} "
    return any(f" {word} " in before for word in reading)
