"""People told by what stands beside them: a title, a relation or role, initials; and names misspelt.

Without a model, somebody who is in no table is found only so: "Mrs Holt", "mum Sarah", "Tina Wells (family
support)", or a common first name with a capital. All else is not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from otrack_risk.text import folding, words
from otrack_risk.text.note import UPPER, Found, Note, Word, bare, touches, within
from otrack_risk.text.roster import Names

_PLAIN_TITLES = ("mr", "mrs", "ms", "miss", "mx", "dr")
_SMALL_TITLE = re.compile(r"(?<![\w'’])(mr|mrs|ms|miss|mx|dr)\.?\s+([^\W\d_A-Z]{3,}(?:['’-][^\W\d_]{2,})*)")
_TITLE_AND = re.compile(r"(?<!\w)(?:mr|mrs|ms|miss|dr)\.?\s*(?:and|&|/)\s*$", re.IGNORECASE)
_TWO_LETTERS = re.compile(
    rf"(?<![\w.'’&/-])(?:([{UPPER}])\.[ ]?([{UPPER}])(?:\.|(?![\w.]))|([{UPPER}])([{UPPER}])(?![\w&-]))(?!\w)"
)
_JOINED = re.compile(
    rf"(?:[{UPPER}][\w'’]+|[{UPPER}]{{2}}|[{UPPER}]\.[{UPPER}]\.?)(?: and | & |&| ?\+ ?|, | ?/ ?| with | w/ )$"
    r"|(?:from|told|between|asked|that|by|hit|pushed|kicked|punched|praised|spoke to|spoken to|spoke with|next to) $"
)
_JOINED_AFTER = re.compile(
    rf"['’]s\b| ?(?:and|&|\+|/|with|w/) ?[{UPPER}]"
    r"| (?:is|was|has|had|will|needs|says|said|told|came|went|left|got|sat|\w\w+ed)\b"
)
_SIGNED_BEFORE = re.compile(r"(?:^|[.!?\n–)]|\s-)[\s(]*$")
_SIGNED_AFTER = re.compile(r"\.?\)?(?:\s+\d{1,2}[.:]\d\d)?\s*$")
_ROLE_BEHIND = re.compile(r"[ ]?[(,–-][ ]?(?:(?:her|his|their|the|a|our|my)[ ])?([\w-]+)(?:[ ]([\w-]+))?")
_REMEMBERED = 50_000  # words of which it is kept whether they can be part of a name
_STOP = re.compile(r"[.!?\n]")
_AFTER_ARTICLE = frozenset((article, " ") for article in ("the", "The", "a", "A", "an", "An"))
_LINKS = frozenset({"is", "was", "called", "named"})
_RELATION_GAPS = (" ", " (", ", ", ": ", " - ", " – ", "(")


class Outsiders:
    """Finds people beside the names that are known.

    Parameters
    ----------
    names : of the school
    usage : how the notes use words
    """

    def __init__(self, names: Names, usage: words.Usage) -> None:
        self._names, self._usage, self._use = names, usage, words.uses()
        _, self._titles, self._reading = words.curriculum()
        self._always, self._relation = self._use["always"], self._use["relation"]
        self._title = self._use["title"]
        self._parts: dict[str, str] = {}

    def found(self, note: Note, shut: Sequence[tuple[int, int]], known: Sequence[Found]) -> Iterator[Found]:
        """Those who are not in ``known`` yet, and the longer forms of those who are; ``shut`` is something else."""
        held = [(each.start, each.end) for each in known]
        full = [(each.start, each.end) for each in known if each.form == "full"]
        capitals = note.capitals
        behind = 0  # where the last one ended
        for place, word in enumerate(capitals):
            if word.start < behind or word.low in self._always:
                continue
            if within(word.start, word.end, full) or touches(word.start, word.end, shut):
                continue
            second = capitals[place + 1] if place + 1 < len(capitals) else None
            if second is not None and (second.start != word.end + 1 or note.text[word.end] != " "):
                second = None
            found = self._beside(note, word, second)
            if found is None and not touches(word.start, word.end, held):
                short = len(word.written) < 3
                found = self._initials(note, word) if short else self._unknown(note, word, second)
            if found is not None:
                behind = found.end
                yield found
        if "mr" in note.text or "ms " in note.text or "miss " in note.text or "dr " in note.text:
            yield from self._small_titles(note, shut)

    def part(self, written: str) -> str:
        """A word with a capital, folded, if it can be part of somebody's name."""
        if written not in self._parts:
            if len(self._parts) > _REMEMBERED:
                self._parts.clear()
            self._parts[written] = self._part(written)
        return self._parts[written]

    def _part(self, written: str) -> str:
        part = " ".join(folding.fold(bare(written)).split())
        use = self._use
        shut = any(part in use[kind] for kind in ("no_name", "place_after", "title", "relation"))
        if written.isupper() or len(part) < 2 or (shut and part not in self._names.keys) or part in use["always"]:
            return ""
        return part

    def _beside(self, note: Note, word: Word, second: Word | None) -> Found | None:
        """Somebody with a title or relation before, or a role behind."""
        before, between = note.before(word.start)
        low = before.lower()
        title = low in self._title and between in (" ", ". ") and (before[0].isupper() or low in _PLAIN_TITLES)
        if title and (found := self._titled(note, before, between, word, second)):
            return found
        part = self.part(word.written)
        if not part or self._usage.a_word(part) or part in self._use["near"]:
            return None
        also = self.part(second.written) if second else ""
        if low in _LINKS and between == " ":  # her social worker is Jo Bell
            low = note.before(word.start - 1 - len(before))[0].lower()
            between = "(" if low in self._relation else between
        related = low in self._relation and between in _RELATION_GAPS
        end, last = (
            (second.end, also) if second and also and word.end - word.start == len(word.written) else (word.end, part)
        )
        if not related and not self._with_role(note, end):
            return None
        if not related and last == part and part in self._use["word"]:
            return None
        key = self._names.keys.get(part)
        if last == part and key is not None and ("forename" in key.rows or "nickname" in key.rows):
            return None  # a child of the roster
        if f"{part} {last}" in self._names.keys:
            return None
        start = word.start - 1 - len(before) if related and before[0].isupper() and between == " " else word.start
        known = self._names.keys.get(last)
        rows = tuple(sorted(known.rows.get("surname", ()))) if known and last != part else ()
        return Found(start, end, 0.7, "relation", rows)

    def _with_role(self, note: Note, end: int) -> bool:
        hit = _ROLE_BEHIND.match(note.text, end)
        return bool(hit) and any(word and word.lower() in self._use["role"] for word in hit.groups())  # type: ignore[union-attr]

    def _titled(self, note: Note, title: str, between: str, word: Word, second: Word | None) -> Found | None:
        """Mrs Holt, Dr Sarah Ali, Mr J Smith, Mr and Mrs Obi."""
        last = word
        if second is not None and (len(word.written) == 1 or self._first(word.low)) and self.part(second.written):
            last = second
        key = self._names.keys.get(last.low)
        surname = key is not None and (key.adult or "surname" in key.rows)
        if not surname and (last.low in self._use["no_name"] or last.low in self._use["place_after"]):
            return None
        start = word.start - len(between) - len(title)
        if hit := _TITLE_AND.search(note.text, max(0, start - 12), start):
            start = hit.start()
        staff = key is not None and key.adult
        rows = () if staff or key is None else tuple(sorted(key.rows.get("surname", ())))
        return Found(start, last.end, 0.8, "staff" if staff else "title", rows)

    def _first(self, low: str) -> bool:
        key = self._names.keys.get(low)
        return low in self._use["first"] or (key is not None and "forename" in key.rows)

    def _small_titles(self, note: Note, shut: Sequence[tuple[int, int]]) -> Iterator[Found]:
        """mrs holt, in notes that do without capitals."""
        for hit in _SMALL_TITLE.finditer(note.text):
            low = " ".join(folding.fold(bare(hit[2])).split())
            key = self._names.keys.get(low)
            known = key is not None and (key.adult or "surname" in key.rows)
            if not known and (low in self._use["no_name"] or hit[1] == "miss" or self._usage.lower.get(low, 0) > 2):
                continue
            if touches(hit.start(), hit.end(), shut):
                continue
            staff = key is not None and key.adult
            rows = () if staff or key is None else tuple(sorted(key.rows.get("surname", ())))
            yield Found(hit.start(), hit.start(2) + len(bare(hit[2])), 0.6, "staff" if staff else "title", rows)

    def _initials(self, note: Note, word: Word) -> Found | None:
        """JM, J.M."""
        hit = _TWO_LETTERS.match(note.text, word.start)
        if hit is None or note.text.isupper():
            return None
        pair = folding.fold((hit[1] or hit[3]) + (hit[2] or hit[4]))
        rows = self._names.initials.get(pair, ())
        adult = pair in self._names.adult_initials
        if (not rows and not adult) or pair == "ii":
            return None
        text, use, start, end = note.text, self._use, hit.start(), hit.end()
        before = max(0, start - 24)
        signed = adult and bool(_SIGNED_AFTER.match(text, end) and _SIGNED_BEFORE.search(text, before, start))
        sure = hit[1] is not None or signed
        if not sure and pair not in use["never_initials"]:
            sure = bool(_JOINED.search(text, before, start) or _JOINED_AFTER.match(text, end))
        other = pair in use["abbreviation"] or pair in use["never_initials"] or self._usage.abbreviates(pair)
        if not sure and other:
            return None
        return Found(start, end, 0.6 if sure else 0.5, "initials", rows)

    def _unknown(self, note: Note, word: Word, second: Word | None) -> Found | None:
        """A word with a capital that nothing explains: a name misspelt, or somebody with a common first name."""
        use, keys, low = self._use, self._names.keys, word.low
        if word.written.isupper() or low in keys or self._usage.lower.get(low, 0):
            return None
        if any(low in use[kind] for kind in ("no_name", "word", "common", "near", "place", "month")):
            return None
        if second is not None and second.low in use["place_after"]:
            return None
        if note.before(word.start) in _AFTER_ARTICLE:
            return None  # the Romans
        also = self.part(second.written) if second else ""
        first = low in use["first"]
        like = () if words.ending(low) else self._names.like(low.replace(" ", ""))
        given = tuple(name for name in like if {"forename", "nickname"} & keys[name].rows.keys())
        if given:
            rows = {row for name in given for row in keys[name].subjects}
            last = keys.get(also)
            if second and last and (both := rows & last.rows.get("surname", set())):
                return Found(word.start, second.end, 0.9, "misspelt", tuple(sorted(both)))
            if second and also and first:
                return Found(word.start, second.end, 0.6, "outside")
            starting = note.begins(word.start)
            return Found(word.start, word.end, 0.45 if starting else 0.55, "misspelt", tuple(sorted(rows)))
        if not first or self.a_title(note, word.start, low):
            return None
        if second and also:
            return Found(word.start, second.end, 0.6, "outside")
        return Found(word.start, word.end, 0.45, "outside")

    def a_title(self, note: Note, start: int, low: str) -> bool:
        """Whether a name is the title of a book: a word of reading stands before it in its sentence."""
        if low not in self._titles:
            return False
        sentence = _STOP.split(note.text[max(0, start - 30) : start])[-1]
        before = f" {folding.fold(sentence)} "
        return any(f" {word} " in before for word in self._reading)
