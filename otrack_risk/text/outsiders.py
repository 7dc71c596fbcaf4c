"""People told by what stands beside them: a title, a relation or role, initials; and names misspelt.

Without a model, somebody who is in no table is found only so: "Mrs Holt", "mum Sarah", "Tina Wells (family
support)", or a common first name with a capital. All else is not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from otrack_risk.text import folding, lexicons, words
from otrack_risk.text.names import Names
from otrack_risk.text.note import UPPER, Found, Note, Place, Word, bare, touches, within
from otrack_risk.text.unexplained import Unexplained

_PLAIN_TITLES = ("mr", "mrs", "ms", "miss", "mx", "dr")
_SMALL_TITLE = re.compile(r"(?<![\w'’])(mr|mrs|ms|miss|mx|dr)\.?\s+([^\W\d_A-Z]{3,}(?:['’-][^\W\d_]{2,})*)")
_TITLE_AND = re.compile(r"(?<!\w)(?:mr|mrs|ms|miss|dr)\.?\s*(?:and|&|/)\s*$", re.IGNORECASE)
_TWO_LETTERS = re.compile(
    rf"(?<![\w.'’&/-])(?:([{UPPER}])\.[ ]?([{UPPER}])(?:\.|(?![\w.]))|([{UPPER}])([{UPPER}])(?![\w&-]))(?!\w)"
)
_JOINED = re.compile(
    rf"(?:[{UPPER}][\w'’]+|[{UPPER}]{{2}}|[{UPPER}]\.[{UPPER}]\.?)(?: and | & |&| ?\+ ?|, | ?/ ?| with | w/ | x )$"
    r"|(?:from|told|between|asked|that|by|hit|pushed|kicked|punched|praised|spoke to|spoken to|spoke with|next to) $"
)
_JOINED_AFTER = re.compile(
    rf"['’]s\b| ?(?:and|&|\+|/|with|w/| x) ?[{UPPER}]"
    r"| (?:is|was|has|had|will|needs|says|said|told|came|went|left|got|sat|not|never|won['’]t|can['’]t|\w\w+ed)\b"
)
_PAIR_AFTER = re.compile(rf" ?(?:and|&|\+|/|with|w/|x|,) ?([{UPPER}]{{2}})(?![\w'’])")
_HELD = re.compile(r"(?:has|have|had|holds?|full|shared|shares|no) $")  # what somebody has is nobody: Dad has PR
_OF_BODY = re.compile(
    r" (?:from|at|of) (?:the |our )?(?:[\w-]+ ){0,2}(?:team|centre|clinic|council|agency|services?|charity|surgery|"
    r"hospital|office|trust|hub|unit|MASH|CAMHS|NHS|LA)(?![\w])"
)
_SIGNED_BEFORE = re.compile(r"(?:^|[.!?\n–)]|\s-)[\s(]*$")
_SIGNED_AFTER = re.compile(r"\.?\)?(?:\s+\d{1,2}[.:]\d\d)?\s*$")
_ROLE_MARKS = frozenset("(,–-") | {" (", " ,", " –", " -"}
_ROLE_BEHIND = re.compile(
    r"[ ]?[(,–-][ ]?(?:(?:her|his|their|the|a|our|my)[ ])?([\w-]+)(?:[ ]([\w-]+))?"
    r"(?:(?:[ ]([\w-]+))?[ ]([\w-]+)(?=\)))?"
)
_REMEMBERED = 50_000  # words of which it is kept whether they can be part of a name
_CAPITALS = re.compile(rf"[{UPPER}]{{2,}}s")
_SPOKEN_TO = re.compile(  # before somebody who is in no table
    r"(?:(?i:ask(?:ed)? for|sp(?:eak|oke|oken) (?:to|with)|chaired by|signed by|seen by|led by|run by|assigned to|"
    r"allocated to|this is|call(?:ed)? from|email(?:ed)? from|letter from|contact)|cc|via)[ ]$"
    r"|(?i:transfer(?: in| out)?|new (?:starter|pupil|admission)|admission|leaver|visitor|caller|contractor|volunteer)"
    r": $"
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
    | {"again", "in", "out", "transfer", "starter", "pupil", "admission", "leaver", "visitor", "caller"}
    | {"contractor", "volunteer"}
)
_SIGNING = re.compile(r"(?:[Tt]hanks|[Tt]hank you|[Rr]egards|[Ww]ishes|[Ll]ove|[Cc]heers)(?: again)?[,.!]?\s+$")
_CLOSED = re.compile(r"[\s.x]*$")
_LINKS = frozenset({"is", "was", "called", "named"})
_RELATION_GAPS = (" ", " (", ", ", ": ", " - ", " – ", "(")


class _Seen(NamedTuple):
    """What a word with a capital can be, by itself."""

    dull: bool  # nothing, unless a title or relation leads it
    always: bool  # nothing at all
    short: bool  # initials
    able: bool  # somebody beside a relation or role
    spoken: bool  # somebody spoken to
    strange: bool  # nothing explains it


class Outsiders:
    """Finds people beside the names that are known.

    Parameters
    ----------
    names : of the school
    usage : how the notes use words
    """

    def __init__(self, names: Names, usage: words.Usage) -> None:
        self._names, self._usage, self._use = names, usage, words.uses()
        self._relation, self._title, self._as_title = (self._use[use] for use in ("relation", "title", "kin_title"))
        self._leading = words.any_use("title", "relation")
        self._facts = words_of_facts()
        self._seen: dict[str, _Seen] = {}
        self._unexplained = Unexplained(names, usage, self.part)

    def found(self, note: Note, shut: Sequence[Place], known: Sequence[Found]) -> Iterator[Found]:
        """Those who are not in ``known`` yet, and the longer forms of those who are; ``shut`` is something else."""
        text, capitals = note.text, note.capitals
        led = not self._leading.isdisjoint(note.words)  # a title or relation stands somewhere
        held = [(each.start, each.end) for each in known]
        full = [(each.start, each.end) for each in known if each.form == "full"]
        behind = 0  # where the last one ended
        for place, word in enumerate(capitals):
            seen = self._seen.get(word.written) or self._see(word)
            start, end = word.start, word.end
            if seen.dull and not (led and start):
                continue
            if start < behind or seen.always or within(start, end, full) or touches(start, end, shut):
                continue
            second = capitals[place + 1] if place + 1 < len(capitals) else None
            if second is not None and (second.start != end + 1 or text[end] != " "):
                second = None
            before, between = note.before(start) if start and (led or seen.strange or seen.spoken) else ("", "")
            beside = (
                (led and start)
                or seen.spoken
                or (seen.able and _marked(text, end if second is None else second.end, end))
                or (seen.strange and second is not None and _OF_BODY.match(text, second.end))
            )
            found = self._beside(note, word, second, before, between) if beside else None
            if found is None and (seen.short or seen.strange) and not touches(start, end, held):
                found = (
                    self._initials(note, word)
                    if seen.short
                    else self._unexplained.found(note, word, second, before, between)
                )
            if found is not None:
                behind = found.end
                yield found
        if led and ("mr" in text or "ms " in text or "miss " in text or "dr " in text):
            yield from self._small_titles(note, shut)

    def part(self, written: str) -> str:
        """A word with a capital, folded, if it can be part of somebody's name."""
        listed = _listed(written)
        return "" if listed.barred and listed.part not in self._names.keys else listed.part

    def _see(self, word: Word) -> _Seen:
        """What a word with a capital can be, wherever it stands; kept."""
        low, short, listed = word.low, len(word.written) < 3, _listed(word.written)
        keys = self._names.keys
        part = "" if listed.barred and listed.part not in keys else listed.part
        always = listed.always and not (word.written.isupper() and short and low in self._names.initials)
        able = bool(part) and not listed.near and not self._usage.a_word(part)
        spoken = able and not listed.unspoken and part not in keys
        strange = not (short or listed.explained or self._usage.lower.get(low, 0) or low in keys)
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        seen = _Seen(always or not (short or able or strange), always, short, able, spoken, strange)
        self._seen[word.written] = seen
        return seen

    def _beside(self, note: Note, word: Word, second: Word | None, before: str, between: str) -> Found | None:
        """Somebody with a title or relation before, or a role behind."""
        low = before.lower()
        title = low in self._title and between in (" ", ". ") and (before[0].isupper() or low in _PLAIN_TITLES)
        if title and (found := self._titled(note, before, between, word, second)):
            return found
        seen, part = self._seen[word.written], self.part(word.written)
        if not seen.able:
            return None
        also = self.part(second.written) if second else ""
        if low in _LINKS and between == " ":  # her social worker is Jo Bell
            low = note.before(word.start - 1 - len(before))[0].lower()
            between = "(" if low in self._relation else between
        related = low in self._relation and between in _RELATION_GAPS
        end, last = (
            (second.end, also) if second and also and word.end - word.start == len(word.written) else (word.end, part)
        )
        if not related and words.ending(part) and part not in self._use["first"] and note.begins(word.start):
            return None  # Confiscated, form tutor told
        if not related and not self._with_role(note, end) and not (last != part and _OF_BODY.match(note.text, end)):
            said = seen.spoken and before.lower() in _SPOKEN_LAST
            return self._spoken_to(note, word, second, also) if said else None
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

    def _spoken_to(self, note: Note, word: Word, second: Word | None, also: str) -> Found | None:
        """Somebody who is asked for, chairs or signs: no word, no place, and in no table."""
        text = note.text
        signed = _SIGNING.search(text, max(0, word.start - 24), word.start) and _CLOSED.match(text, word.end)
        if not signed and not _SPOKEN_TO.search(text, max(0, word.start - 20), word.start):
            return None
        return Found(word.start, second.end if second and also else word.end, 0.6, "outside")

    def _with_role(self, note: Note, end: int) -> bool:
        text = note.text
        if not _marked(text, end):
            return False
        hit = _ROLE_BEHIND.match(text, end)
        return bool(hit) and any(word and word.lower() in self._use["role"] for word in hit.groups())  # type: ignore[union-attr]

    def _titled(self, note: Note, title: str, between: str, word: Word, second: Word | None) -> Found | None:
        """Mrs Holt, Dr Sarah Ali, Mr J Smith, Mr and Mrs Obi."""
        last = word
        if second is not None and self.part(second.written):
            alone = len(word.written) > 1 and not self._first(word.low) and not self._named(word, second)
            last = word if alone else second
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

    def _named(self, word: Word, second: Word) -> bool:
        """Whether two words behind a title are a name though neither is known: Dr Anil Seervai."""
        both = [self._seen.get(each.written) or self._see(each) for each in (word, second)]
        return all(seen.strange for seen in both)

    def _first(self, low: str) -> bool:
        key = self._names.keys.get(low)
        return low in self._use["first"] or (key is not None and "forename" in key.rows)

    def _small_titles(self, note: Note, shut: Sequence[Place]) -> Iterator[Found]:
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
        if hit[1] is None and _HELD.search(text, before, start):
            return None
        sure = hit[1] is not None or signed
        if not sure and pair not in use["never_initials"]:
            sure = bool(_JOINED.search(text, before, start) or _JOINED_AFTER.match(text, end))
        elif not sure and pair in use["title"] and (beside := _PAIR_AFTER.match(text, end)):
            sure = folding.fold(beside[1]) in self._names.initials  # MR and JB
        other = pair in use["abbreviation"] or pair in use["never_initials"] or self._usage.abbreviates(pair)
        if not sure and other:
            return None
        return Found(start, end, 0.6 if sure else 0.5, "initials", rows)


def _marked(text: str, *ends: int) -> bool:
    """Whether a bracket, comma or dash follows one of some places, behind a blank or not."""
    return any(text[end : end + 1] in _ROLE_MARKS or text[end : end + 2] in _ROLE_MARKS for end in ends)


class _Listed(NamedTuple):
    """What the lists say of a word with a capital."""

    part: str  # folded, if it can be part of somebody's name
    barred: bool  # it can only where the roster has that name
    always: bool  # no name at all
    near: bool  # rather a word beside names, or a fact
    unspoken: bool  # nobody to speak to
    explained: bool  # nothing strange about it


@lru_cache(_REMEMBERED)
def _listed(written: str) -> _Listed:
    use, facts, low = words.uses(), words_of_facts(), " ".join(folding.fold(bare(written)).split())
    always, capitals = low in use["always"], written.isupper()
    explained = low in words.any_use("no_name", "word", "common", "near", "place", "month")
    return _Listed(
        "" if always or capitals or len(low) < 2 or _CAPITALS.fullmatch(written) else low,
        low in words.any_use("no_name", "place_after", "title", "relation"),
        always,
        low in use["near"] or low in facts,
        low in words.any_use("word", "common", "place", "month"),
        capitals or explained or low in facts,
    )


@cache
def words_of_facts() -> frozenset[str]:
    """Single words of faith, people, language and country that are no first name."""
    kinds = ("faith", "religion", "people", "subject", "language", "country")
    listed = (folding.fold(term.text) for term in lexicons.terms() if term.kind in kinds and term.text.isalpha())
    return frozenset(listed) - words.uses()["first"]
