"""Who is named in a note: names of the roster in every form, and people beside a title or relation.

Scores follow from how the name is used; from 0.35 on a mention counts:

====================================================  =====
full name                                             0.95
forename, nickname or surname that is no word         0.85
a name that is also a word, with 's                   0.70
the same, within a sentence                           0.65
no word, in lower case                                0.60
title or relation and a name; initials; misspelt      0.45 to 0.80
a name that is also a word, as a sentence begins      0.40
the same, before "for" or "to"                        0.35
====================================================  =====

A name that is also a word is none at all where what stands beside it speaks against it: "Mark the date", "Rose
class", "in May", "Will check". Whether it is a word is told by the notes (:class:`~otrack_risk.text.words.Usage`)
and by the reference table ``name_words``. People outside the roster are in :mod:`otrack_risk.text.outsiders`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from otrack_risk.text import folding, words
from otrack_risk.text.logins import found_logins
from otrack_risk.text.names import Key, Names, Rows
from otrack_risk.text.note import UPPER, Found, Note, Place, touches, within
from otrack_risk.text.outsiders import Outsiders, words_of_facts
from otrack_risk.text.parts import Parts
from otrack_risk.text.small import Small
from otrack_risk.text.spans import Span, apart
from otrack_risk.text.unexplained import a_title

COUNTED = 0.35  # the score from which a mention counts
_TIES = frozenset("'’-")  # what joins a word to the next
_LABELS = {"username": "USERNAME"}  # of forms that are no person
_AFTER = re.compile(r"(['’][^\W_]+|['’](?!\w))?([^\w]*)([^\W_]*)")
_CLASS_AFTER = re.compile(r"[ ]?[ ,(][ ]?(?:[Yy]r?[ ]?)?(?:[1-9]|1[0-3])[A-Z]{1,2}(?!\w)")  # Price 11B
_VERB_AFTER = re.compile(r"[ ][a-z]{2,}s (?:to|that|her|his|it|being|how)(?!\w)")  # Hope hopes to
_PUPIL_DOES = re.compile(  # what a pupil does, or what is done with one, and hardly with a thing: Stone swore
    r" (?:(?:was|is|has been) (?:rude|late|absent|upset|sick|ill|kind|helpful|chatty|brilliant|excellent|lovely|super)"
    r"|(?:sent|given) (?:to|home|out|a|an|\w+ club)|swore|cried|lied|fought|refused|forgot|spoke|owes|apologised"
    r"|not to (?:have|eat|sit|go|leave|bring|use)"
    r"|(?:late|absent|rude|upset|tearful|asleep) (?:to|for|again|in|at|twice))(?!\w)"
)
_JOURNEY = re.compile(
    r"\b(?:come|comes|came|go|goes|going|went|trip|fly|flying|flew|travel\w*|back|holiday) (?:to|from|in) $"
)
_ROW_AFTER = re.compile(rf"(?:,| and) ([{UPPER}][^\W\d_]+)")
_A_MONTH = re.compile(r" (?:is|was|will be) [^.!?]{0,30}\bmonth\b")
_OF_SMALL = re.compile(r" of [a-z]")
_AND_CAPITAL = re.compile(rf" (?:and|or|with) [{UPPER}]")
_PARTS = re.compile(r"[\s,]+")
# In surnames of many countries, small though the rest has capitals; typed from general knowledge.
_PARTICLES = frozenset(
    {"da", "das", "de", "del", "della", "den", "der", "des", "di", "do", "dos", "du", "la", "le", "van", "von"}
    | {"ter", "ten", "te", "ap", "ab", "ferch", "al", "el", "ul", "ibn", "bin", "bint", "ben", "y", "e", "o"}
)


@dataclass
class Reader:
    """Reads notes of one school for people.

    Parameters
    ----------
    names : of the school
    usage : how the notes use words
    """

    names: Names
    usage: words.Usage = field(default_factory=words.Usage)

    def __post_init__(self) -> None:
        self._use = words.uses()
        self._words = words.any_use("word", "common", "near", "no_name")
        self._plain: dict[str, bool] = {}
        self._doubted: dict[str, tuple[bool, bool, bool]] = {}
        self._outsiders = Outsiders(self.names, self.usage)
        self._parts = Parts(self.names, self.usage, self._outsiders.part)
        self._small = Small(self.names, self.usage, self.a_word)
        self._facts = words_of_facts()

    def people(self, note: Note, taken: Sequence[Place] = ()) -> list[Span]:
        """The people named in a note, in order and without overlap.

        Parameters
        ----------
        taken : stretches that are something else: e-mail addresses, file names
        """
        return self.people_of([note], [taken])[0]

    def people_of(self, notes: Sequence[Note], taken: Sequence[Sequence[Place]]) -> list[list[Span]]:
        """As :meth:`people`, of many notes: each kind of mention in all of them before the next kind."""
        read = [self._begun(*each) for each in zip(notes, taken, strict=True)]
        for note, places, shut, held in read:
            held += self._named(note, places, shut)
        for note, _, shut, held in read:
            held += self._outsiders.found(note, shut, held)
            if note.quiet:
                held += self._small.misspelt(note, shut, held)
        return [
            [
                Span(each.start, each.end, _LABELS.get(each.form, "PERSON"), each.score, each.form, each.rows)
                for each in apart(held, _rank)
            ]
            for _, _, _, held in read
        ]

    def _begun(self, note: Note, taken: Sequence[Place]) -> tuple[Note, Sequence[Place], list[Place], list[Found]]:
        """A note, with what is taken in it, what is no name either, and its user names."""
        shut = [*taken, *words.of_lessons(note.folded, note.words)]
        held: list[Found] = []
        if self.names.logins and (held := found_logins(note, self.names, self.a_word, taken)):
            logins = [(each.start, each.end) for each in held]
            taken, shut = [*taken, *logins], [*shut, *logins]
        return note, taken, shut, held

    def _named(self, note: Note, taken: Sequence[Place], shut: Sequence[Place]) -> Iterator[Found]:
        """Names of the roster that stand in the note, the longest first."""
        hits = list(self.names.found(note.folded))
        if len(hits) > 1:
            hits.sort(key=lambda hit: (hit[0] - hit[1], hit[0]))
        kin = bool(hits) and not self._use["kin_title"].isdisjoint(note.words)
        used: list[Place] = []
        for start, end, key in hits:
            if within(start, end, used) or touches(start, end, taken):
                continue
            spelt = note.folded[start:end]
            if "full" in key.rows or (key.adult and " " in spelt):
                if score := self._full_score(note, start, end, spelt):
                    used.append((start, end))
                    yield Found(
                        start, end, score, "full" if key.rows else "staff", tuple(sorted(key.rows.get("full", ())))
                    )
                continue
            if within(start, end, shut):
                continue
            if found := self._parts.compound(note, start, end, key):
                used.append((found.start, found.end))
                yield found
                continue
            if kin and (begin := self._titled_by_kin(note, start)) >= 0:
                used.append((begin, end))
                yield Found(begin, end, 0.7, "relation")
                continue
            score = self._score(note, start, end, spelt, key)
            if score >= COUNTED:
                used.append((start, end))
                form = "staff" if key.form == "adult" else key.form
                yield self._parts.wider(note, Found(start, end, score, form, key.subjects), key)

    def _titled_by_kin(self, note: Note, start: int) -> int:
        """Where "uncle" begins in "uncle Bilal", who is not the child of that name; -1 where none stands before."""
        folded = note.folded
        if start < 4 or note.text[start - 1] != " " or note.text[start].islower():
            return -1
        begin = folded.rfind(" ", 0, start - 1) + 1
        return begin if folded[begin : start - 1] in self._use["kin_title"] else -1

    def _full_score(self, note: Note, start: int, end: int, spelt: str) -> float:
        """The score of a full name: less in small letters, none where a word in small letters is its part."""
        word = note.text[start:end]
        if "  " in spelt and (", " not in word or note.before(start)[0].lower() in self._use["title"]):
            return 0.0  # Dear Mrs Field, Lily has ...
        if word.istitle():
            return 0.95
        written = [part for part in _PARTS.split(word) if part]
        small = [low for part in written if part[0].islower() and (low := folding.fold(part).strip()) not in _PARTICLES]
        if not small:
            return 0.95
        if note.quiet:
            if not all(self.a_word(part) for part in small):
                return 0.8
            return 0.6 if self._small.does(note, start, end) else 0.0  # lily field won
        return 0.0 if any(self.a_word(part) for part in small) else 0.8

    def a_word(self, word: str) -> bool:
        """Whether a folded word is one that people write without thinking of a name."""
        return word in self._words or self.usage.a_word(word)

    def _score(self, note: Note, start: int, end: int, spelt: str, key: Key) -> float:
        """How likely a name that stands alone is one; 0 where it is not."""
        use, text = self._use, note.text
        word = text[start:end]
        if start > 1 and text[start - 1] in "'’" and text[start - 2].isalnum():
            return 0.0  # the end of another word: O'Brien for Brien
        if text[end : end + 1] == "_" or (start and text[start - 1] == "_"):
            return 0.0  # of the name of a folder
        if word.isupper() and len(word) < 4 and "nickname" in key.rows and "'" not in word:
            return self._capital_score(note, start, end, spelt)
        if self._plainly(spelt) and word[0].isupper():
            follows = text[end : end + 2]
            alone = follows[:1] not in _TIES and not (follows[:1] == " " and follows[1:].isupper())
            if alone and (not start or text[start - 1] not in _TIES) and not (word.isupper() and len(word) <= 4):
                return 0.85 if "forename" in key.rows else 0.8
        tail, gap, after = _AFTER.match(text, end).groups()  # type: ignore[union-attr]
        if tail and tail[1:].lower() in ("t", "re", "ve", "m"):
            return 0.0  # don't
        doubtful, month, place = self._doubts(spelt)
        if not word[0].isupper():
            return self._small.score(note, start, end, spelt, key, gap, month or place)
        if word.isupper() and (len(word) <= 4 or doubtful) and not text.isupper():
            return 0.0
        low, adjacent = after.lower(), gap == " "
        if adjacent and low in use["place_after"] and (after[:1].isupper() or place):
            return 0.0
        if a_title(note, start, spelt) or (gap == "-" and after[:1].islower()):
            return 0.0
        if start and text[start - 1] == "-" and note.before(start)[0].islower() and note.before(start)[1] == "-":
            return 0.0  # free-Will, Will-power
        only_surname = "forename" not in key.rows and "nickname" not in key.rows
        if only_surname and (month or place or spelt in self._facts):
            return 0.0  # languages, faiths and towns as surnames: with a title or forename they are found by these
        if not (doubtful or month or place):
            return 0.85 if "forename" in key.rows else 0.8
        if adjacent and low in use["group_after"]:
            return 0.0
        before, between = note.before(start)
        behind = before.lower()
        own = bool(tail) and tail[1:].lower() == "s"
        if month and not own and (before[:1].isdigit() or after[:1].isdigit() or behind in use["before_month"]):
            return 0.0
        if place and between == " " and behind in use["before_place"]:
            return 0.0
        if own:
            return 0.7
        if place and (_JOURNEY.search(text, max(0, start - 24), start) or self._among_countries(note, end)):
            return 0.0
        if month and _A_MONTH.match(text, end):
            return 0.0
        if note.begins(start):
            if _OF_SMALL.match(text, end):
                return 0.0
            beside = bool(_AND_CAPITAL.match(text, end))
            told = bool(_CLASS_AFTER.match(text, end) or _VERB_AFTER.match(text, end))
            told = told or (only_surname and _PUPIL_DOES.match(text, end) is not None)
            return self._starting(spelt, low, after, gap, only_surname, beside, told)
        if between == " " and behind in ("the", "a", "an"):
            return 0.3
        if between == " " and before[:1].isupper() and not self._may_precede(note, start, before, only_surname):
            return 0.3  # within a title in capitals: Red Rose
        if only_surname and spelt in use["place_after"] and between == " " and before[:1].isupper():
            return 0.3  # Victoria Park
        return 0.65

    def _among_countries(self, note: Note, end: int) -> bool:
        """Whether a country follows in a row: Jordan, Iran and Iraq."""
        after = _ROW_AFTER.match(note.text, end)
        return after is not None and folding.fold(after[1]) in self._facts

    def _capital_score(self, note: Note, start: int, end: int, spelt: str) -> float:
        """The score of a name by which a child is called that is two or three capitals: JB, TJ."""
        use = self._use
        other = spelt in use["abbreviation"] or spelt in use["never_initials"] or spelt in use["no_name"]
        return 0.0 if other or self.usage.abbreviates(spelt) or note.text.isupper() else 0.7

    def _plainly(self, spelt: str) -> bool:
        """Whether a name is nothing else: no word, month, place, title, language, faith or town; kept."""
        plain = self._plain.get(spelt)
        if plain is None:
            plain = not (any(self._doubts(spelt)) or spelt in self._facts or spelt in words.curriculum()[1])
            self._plain[spelt] = plain
        return plain

    def _doubts(self, spelt: str) -> tuple[bool, bool, bool]:
        """Whether a name is also a word, a month, a place."""
        if spelt not in self._doubted:
            use = self._use
            a_word = all(
                part in words.any_use("word", "common", "no_name") or self.usage.a_word(part) for part in spelt.split()
            )
            self._doubted[spelt] = a_word, spelt in use["month"], spelt in use["place"]
        return self._doubted[spelt]

    def _starting(
        self, spelt: str, low: str, after: str, gap: str, only_surname: bool, beside: bool, told: bool
    ) -> float:
        """The score of a name that is also a word, as a sentence begins; ``told``: a class or a verb follows."""
        use, adjacent = self._use, gap == " "
        clear = (
            low in use["finite"]
            or (low.endswith("ed") and len(low) > 3)
            or gap[:1] in ",&:/"
            or "–" in gap
            or "-" in gap
            or told
        )
        if spelt in use["modal"]:
            return 0.0 if adjacent and low in use["after_modal"] else 0.5 if clear else 0.4
        if adjacent and (low in use["article"] or (after.isdigit() and len(after) > 3)):
            return 0.0  # Mark the date. Hope you are well. Chase 01632 ...
        if only_surname and not told and (low in use["after_noun"] or not (clear or low in use["kin"] or not adjacent)):
            return 0.0  # Frost on the window. Price list. Page 4.
        often = self.usage.lower_share(spelt) >= 0.5 and self.usage.lower.get(spelt, 0) >= 3
        if often and not clear:
            return 0.3
        if adjacent and low in ("for", "to"):
            return 0.35
        return 0.5 if clear else 0.4

    def _may_precede(self, note: Note, start: int, before: str, only_surname: bool) -> bool:
        """Whether a word with a capital before a name leaves it one: it begins the sentence, or is a person or role."""
        low = folding.fold(before)
        at = note.text.rfind(before, 0, start)
        if note.begins(at) or before.isupper():
            return True
        use = self._use
        key = self.names.keys.get(low)
        return (
            (low in use["no_name"] and not only_surname)
            or low in use["title"]
            or low in use["relation"]
            or low in use["first"]
            or (key is not None and low not in use["word"])
        )


def subjects_in(names: Names, folded: str) -> Rows:
    """The children whose full name stands in a piece of text such as a file name or an e-mail address, else none."""
    rows: set[int] = set()
    single: list[set[int]] = []
    for _, _, key in names.found(folded):
        if "full" in key.rows:
            rows |= key.rows["full"]
        else:
            single.append(set(key.subjects))
    if not rows and len(single) > 1:
        rows = set.intersection(*single)
    return tuple(sorted(rows))


def _rank(found: Found) -> tuple[int, float, int]:
    """The longest first, then the surest."""
    return found.start - found.end, -found.score, found.start
