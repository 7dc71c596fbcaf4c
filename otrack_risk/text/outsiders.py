"""People told by what stands beside them: a title, a relation or role, initials; and names misspelt.

Without a model, somebody who is in no table is found only so: "Mrs Holt", "mum Sarah", "Tina Wells (family
support)", or a common first name with a capital. All else is not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from otrack_risk.text import folding, lexicons, words
from otrack_risk.text.names import Names
from otrack_risk.text.note import UPPER, Found, Note, Word, bare, touches, within

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
_ROLE_MARKS = frozenset("(,–-")
_ROLE_BEHIND = re.compile(r"[ ]?[(,–-][ ]?(?:(?:her|his|their|the|a|our|my)[ ])?([\w-]+)(?:[ ]([\w-]+))?")
_REMEMBERED = 50_000  # words of which it is kept whether they can be part of a name
_STOP = re.compile(r"[.!?\n]")
_EXPLAINED = ("no_name", "word", "common", "near", "place", "month")
_SHORT_TO = 5  # letters of a short form made on the spot
_LONG_SURNAME = 7  # letters from which a surname is known in spite of a slip, without a word beside it
_AFTER_ARTICLE = frozenset((article, " ") for article in ("the", "The", "a", "A", "an", "An"))
_SMALL_WORD_AFTER = re.compile(r"[ ]([^\W\d_]{3,}(?:['’-][^\W\d_]{2,})*)(?![\w@.])")
_INITIAL_AFTER = re.compile(rf"[ ]([{UPPER}]|[a-z](?=\.))(?:\.(?!\w)|(?![\w'’.&/]))")
_CAPITALS = re.compile(rf"[{UPPER}]{{2,}}s")
_SPOKEN_TO = re.compile(  # before somebody who is in no table
    r"(?:ask(?:ed)? for|sp(?:eak|oke|oken) (?:to|with)|chaired by|signed by|seen by|led by|run by|assigned to|"
    r"allocated to|[Tt]his is|call(?:ed)? from|email(?:ed)? from|letter from|contact|cc|via)[ ]$"
)
_SPOKEN_LAST = frozenset(  # the last words of the two that follow and precede
    {
        "for",
        "to",
        "with",
        "by",
        "is",
        "from",
        "contact",
        "cc",
        "via",
        "thanks",
        "you",
        "regards",
        "wishes",
        "love",
        "cheers",
    }
    | {"again"}
)
_SIGNING = re.compile(r"(?:[Tt]hanks|[Tt]hank you|[Rr]egards|[Ww]ishes|[Ll]ove|[Cc]heers)(?: again)?[,.!]?\s+$")
_CLOSED = re.compile(r"[\s.x]*$")
_SHORT_BEFORE = re.compile(
    r"(?:with|and|&|between|told|asked|from|by|like|hit|pushed|kicked|next to|says) $|^$|[.!?:] $"
)
_SHORT_AFTER = re.compile(
    r"['’]s\b| (?:and|&|is|was|has|had|says|said|told|came|went|left|got|sat|loves?|needs?|\w{2,}ed)\b"
)
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
        self._as_title = self._use["kin_title"]
        self._facts = words_of_facts()
        self._parts: dict[str, str] = {}
        self._doubts: dict[str, bool] = {}

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
            before, between = note.before(word.start)
            found = self._beside(note, word, second, before, between)
            if found is None and not touches(word.start, word.end, held):
                short = len(word.written) < 3
                found = self._initials(note, word) if short else self._unknown(note, word, second, before, between)
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
                self._doubts.clear()
            self._parts[written] = self._part(written)
        return self._parts[written]

    def _part(self, written: str) -> str:
        part = " ".join(folding.fold(bare(written)).split())
        use = self._use
        shut = any(part in use[kind] for kind in ("no_name", "place_after", "title", "relation"))
        if (
            written.isupper()
            or _CAPITALS.fullmatch(written)
            or len(part) < 2
            or (shut and part not in self._names.keys)
            or part in use["always"]
        ):
            return ""
        return part

    def _beside(self, note: Note, word: Word, second: Word | None, before: str, between: str) -> Found | None:
        """Somebody with a title or relation before, or a role behind."""
        low = before.lower()
        title = low in self._title and between in (" ", ". ") and (before[0].isupper() or low in _PLAIN_TITLES)
        if title and (found := self._titled(note, before, between, word, second)):
            return found
        part = self.part(word.written)
        if not part or self._doubted(part):
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
            said = before.lower() in _SPOKEN_LAST
            return self._spoken_to(note, word, second, part, also) if said else None
        if not related and last == part and part in self._use["word"]:
            return None
        key = self._names.keys.get(part)
        if last == part and key is not None and ("forename" in key.rows or "nickname" in key.rows):
            return None  # a child of the roster
        if f"{part} {last}" in self._names.keys:
            return None
        titled = (before[:1].isupper() and not before.isupper()) or low in self._as_title
        start = word.start - 1 - len(before) if related and titled and between == " " else word.start
        known = self._names.keys.get(last)
        rows = tuple(sorted(known.rows.get("surname", ()))) if known and last != part else ()
        return Found(start, end, 0.7, "relation", rows)

    def _doubted(self, part: str) -> bool:
        """Whether a word with a capital is rather a word, or a fact, than somebody's name."""
        if part not in self._doubts:
            self._doubts[part] = self._usage.a_word(part) or part in self._use["near"] or part in self._facts
        return self._doubts[part]

    def _spoken_to(self, note: Note, word: Word, second: Word | None, part: str, also: str) -> Found | None:
        """Somebody who is asked for, chairs or signs: no word, no place, and in no table."""
        use, text = self._use, note.text
        if part in self._names.keys or any(part in use[kind] for kind in ("word", "common", "place", "month")):
            return None
        signed = _SIGNING.search(text, max(0, word.start - 24), word.start) and _CLOSED.match(text, word.end)
        if not signed and not _SPOKEN_TO.search(text, max(0, word.start - 20), word.start):
            return None
        return Found(word.start, second.end if second and also else word.end, 0.6, "outside")

    def _with_role(self, note: Note, end: int) -> bool:
        text = note.text
        if text[end : end + 1] not in _ROLE_MARKS and (
            text[end : end + 1] != " " or text[end + 1 : end + 2] not in _ROLE_MARKS
        ):
            return False
        hit = _ROLE_BEHIND.match(text, end)
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

    def _unknown(self, note: Note, word: Word, second: Word | None, before: str, between: str) -> Found | None:
        """A word with a capital that nothing explains: a name misspelt, or somebody with a common first name."""
        use, keys, low = self._use, self._names.keys, word.low
        if word.written.isupper() or low in keys or self._usage.lower.get(low, 0):
            return None
        if low in self._facts or any(low in use[kind] for kind in _EXPLAINED):
            return None
        if second is not None and second.low in use["place_after"]:
            return None
        if (before, between) in _AFTER_ARTICLE:
            return self._family(word)  # the Holts, but not the Romans
        first = low in use["first"]
        like = () if words.ending(low) else self._names.like(low.replace(" ", ""))
        also = self.part(second.written) if second else ""
        if like and (found := self._misspelt(note, word, second, also, like)):
            return found
        in_place = between == " " and before.lower() in use["before_place"]
        if first and not in_place and not self.a_title(note, word.start, low):
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
        if (after and after[0] in self._use["kin"]) or (len(word.low) >= _LONG_SURNAME and not starting):
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

    def a_title(self, note: Note, start: int, low: str) -> bool:
        """Whether a name is the title of a book: a word of reading stands before it in its sentence."""
        if low not in self._titles:
            return False
        sentence = _STOP.split(note.text[max(0, start - 30) : start])[-1]
        before = f" {folding.fold(sentence)} "
        return any(f" {word} " in before for word in self._reading)


@cache
def words_of_facts() -> frozenset[str]:
    """Single words of faith, people, language and country that are no first name."""
    kinds = ("faith", "religion", "people", "subject", "language", "country")
    listed = (folding.fold(term.text) for term in lexicons.terms() if term.kind in kinds and term.text.isalpha())
    return frozenset(listed) - words.uses()["first"]
