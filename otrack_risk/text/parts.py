"""The parts of a name that stand beside one that was found: an initial, a surname, what a hyphen joins to it."""

from __future__ import annotations

import re
from collections.abc import Callable

from otrack_risk.text import folding, words
from otrack_risk.text.names import Key, Names
from otrack_risk.text.note import NAME, UPPER, Found, Note

SMALL_LETTER_AFTER = re.compile(r"[ ]([b-hj-wyz])(?:\.(?!\w)|(?![\w'’.&/]))")
_ONE_LETTER_AFTER = re.compile(rf"[ ]([{UPPER}])(?:\.(?!\w)|(?![\w'’.&/]))")
_ONE_LETTER_BEFORE = re.compile(rf"(?<![\w.'’&])([{UPPER}])(?:\.[ ]?|[ ])$")
_NAME_AFTER = re.compile(rf"[ ]({NAME})")


class Parts:
    """Widens a mention to what belongs to it.

    Parameters
    ----------
    names : of the school
    usage : how the notes use words
    part : a word with a capital, folded, if it can be part of somebody's name
    """

    def __init__(self, names: Names, usage: words.Usage, part: Callable[[str], str]) -> None:
        self._names, self._usage, self._part, self._use = names, usage, part, words.uses()

    def compound(self, note: Note, start: int, end: int, key: Key) -> Found | None:
        """A name within a longer one that a hyphen joins: the whole, which may be a misspelling of another."""
        text = note.text
        left = start > 1 and text[start - 1] == "-" and text[start - 2].isalpha()
        right = text[end : end + 1] == "-" and text[end + 1 : end + 2].isupper()
        if not (left or right) or not text[start].isupper():
            return None
        whole = next((word for word in note.capitals if word.start <= start and end <= word.end), None)
        if whole is None or (whole.start, whole.end) == (start, end):
            return None
        joined = whole.low.replace(" ", "")
        rows = {row for name in self._names.like(joined) for row in self._names.keys[name].subjects}
        if rows:
            after = _NAME_AFTER.match(text, whole.end)
            last = self._names.keys.get(folding.fold(after[1]).strip()) if after else None
            both = rows & last.rows.get("surname", set()) if last else set()
            if both and after:
                return Found(whole.start, after.end(), 0.9, "misspelt", tuple(sorted(both)))
            return Found(whole.start, whole.end, 0.6, "misspelt", tuple(sorted(rows)))
        lasts = key.rows.get("surname", set())
        found = Found(whole.start, whole.end, 0.6, "outside", tuple(sorted(lasts)) if right or left else ())
        return self.wider(note, found, Key({"surname": lasts})) if lasts else found

    def wider(self, note: Note, found: Found, key: Key) -> Found:
        """The mention with what belongs to it: an initial, a misspelt or an unknown part of the full name."""
        text, start, end = note.text, found.start, found.end
        if not text[start].isupper():
            hit = SMALL_LETTER_AFTER.match(text, end) if note.quiet and (given := given_of(key)) else None
            rows = given & set(self._names.initials.get(note.folded[start] + hit[1], ())) if hit else None
            return Found(start, hit.end(), 0.7, found.form, tuple(sorted(rows))) if hit and rows else found
        if key.rows and "forename" not in key.rows and "nickname" not in key.rows:
            led = start and text[start - 1] in " ."
            return self._with_forename(note, found, key.rows.get("surname", set())) if led else found
        if text[end : end + 1] != " " or "a" <= text[end + 1 : end + 2] <= "z":
            return found
        return self._with_surname(note, found, given_of(key))

    def _with_surname(self, note: Note, found: Found, given: set[int]) -> Found:
        text, keys = note.text, self._names.keys
        hit = _ONE_LETTER_AFTER.match(text, found.end)
        if hit and hit[1] != "I":
            rows = given & set(self._names.initials.get(note.folded[found.start] + folding.fold(hit[1]), ()))
            score = 0.9 if rows else found.score
            return Found(found.start, hit.end(), score, found.form, tuple(sorted(rows or given)))
        hit = _NAME_AFTER.match(text, found.end)
        part = self._part(hit[1]) if hit else ""
        if not hit or not part:
            return found
        end = found.end + 1 + len(hit[1]) - (2 if hit[1].endswith(("'s", "’s")) else 0)
        rows = {row for name in self._names.like(part) for row in keys[name].rows.get("surname", ())} & given
        if rows:
            return Found(found.start, end, 0.9, "misspelt", tuple(sorted(rows)))
        known = keys.get(part)
        if known is not None and not known.adult and "surname" not in known.rows:
            return found  # Daisy Emeka: two children
        if known is None and (part in self._use["near"] or self._usage.lower.get(part, 0)):
            return found
        return Found(found.start, end, found.score, "outside")

    def _with_forename(self, note: Note, found: Found, lasts: set[int]) -> Found:
        text, keys = note.text, self._names.keys
        if hit := _ONE_LETTER_BEFORE.search(text, max(0, found.start - 4), found.start):
            rows = lasts & set(self._names.initials.get(folding.fold(hit[1]) + note.folded[found.start], ()))
            return Found(hit.start(), found.end, 0.9 if rows else found.score, "surname", tuple(sorted(rows or lasts)))
        before, between = note.before(found.start)
        part = self._part(before) if between == " " and before[:1].isupper() else ""
        if not part or self._usage.a_word(part) or part in self._use["near"]:
            return found
        start = found.start - 1 - len(before)
        like = self._names.like(part)
        rows = {row for name in like for row in given_of(keys[name])} & lasts
        if rows:
            return Found(start, found.end, 0.9, "misspelt", tuple(sorted(rows)))
        return Found(start, found.end, max(found.score, 0.7), "relative", tuple(sorted(lasts)))


def given_of(key: Key) -> set[int]:
    """The children of whom a key is the forename or nickname."""
    return key.rows.get("forename", set()) | key.rows.get("nickname", set())
