"""The names of one school in one automaton: every spelling of each, what it can mean, and what misspells it.

Names are kept folded (:mod:`otrack_risk.text.folding`). A key stands between spaces, so that what the automaton
finds is a whole word: punctuation, hyphens and apostrophes of a note are spaces by then. What a spelling means is
worked out when it is first met: most names of a school stand in none of its notes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from otrack_risk.text import folding

Rows = tuple[int, ...]  # row numbers of the roster
Form = Literal["full", "forename", "nickname", "surname", "adult"]
FORMS: tuple[Form, ...] = ("full", "forename", "nickname", "surname")
Adults = Iterable[tuple[str, str, str | None]]  # forename, surname, school
Ints = npt.NDArray[np.int32]
Pairs = tuple[Iterable[str], Iterable[int]]  # names, and the row of each
_KNOWN_FROM = 4  # letters of a name from which a misspelling of it is looked for
_LONG_FROM = 5  # letters of word and name from which any one slip will do, and of which a short form may be made
_LOGIN_FROM = 4  # letters of a user name made of a child's name
_REMEMBERED = 50_000  # words of which it is kept what they misspell
_ENDED = frozenset({"", "s", "z", "y", "ie", "o", "sy", "zy", "ers"})  # behind three letters of a name or more
_ENDED_Z = frozenset({"", "z", "a", "za", "zy", "y"})  # behind two letters and z: Jaz, Gazza


@dataclass(slots=True)
class Key:
    """What one spelling can mean."""

    rows: dict[Form, set[int]] = field(default_factory=dict)  # of children, by the part of the name that it is
    adult: bool = False  # a member of staff, or a parent in a table of parents
    form: Form = "adult"  # the part of a name that it most likely is
    subjects: Rows = ()  # every child that it can mean

    def settled(self) -> Key:
        """With form and subjects, once all rows are in."""
        self.form = next((form for form in FORMS if form in self.rows), "adult")
        self.subjects = tuple(sorted(set().union(*self.rows.values()))) if self.rows else ()
        return self


@dataclass(frozen=True)
class Spellings:
    """Every spelling of the children's names, each once, with the children whom it can mean.

    Attributes
    ----------
    texts : n spellings, folded
    first : n + 1 places, where the entries of each spelling begin in ``forms`` and ``rows``
    forms : of each entry, a place in :data:`FORMS`
    rows : of each entry, the row of the roster
    initials : initials and as many rows, "dh" for Daisy Holt
    given : first names as user names have them, and as many rows
    family : surnames as user names have them, and as many rows
    """

    texts: Sequence[str] = ()
    first: Ints = field(default_factory=lambda: np.zeros(1, dtype=np.int32))
    forms: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    initials: Pairs = ((), ())
    given: Pairs = ((), ())
    family: Pairs = ((), ())


class Shapes:
    """How names are written, how they sound and what they are less one letter: worked out once, for all schools."""

    def __init__(self) -> None:
        self._spelt: dict[str, tuple[str, ...]] = {}
        self._known: set[str] = set()
        self._slipped: dict[str, list[str]] = {}  # a name less one letter -> names
        self._heard: dict[str, list[str]] = {}  # a sound -> names

    def spellings(self, name: str) -> tuple[str, ...]:
        """As :func:`otrack_risk.text.folding.spellings`."""
        if name not in self._spelt:
            self._spelt[name] = folding.spellings(name) if name else ()
        return self._spelt[name]

    def learn(self, names: Iterable[str]) -> None:
        """Takes in what may be misspelt: names of one word, of four letters or more."""
        for name in {name for name in names if len(name) >= _KNOWN_FROM and " " not in name} - self._known:
            self._known.add(name)
            self._heard.setdefault(folding.sound(name), []).append(name)
            for less in dict.fromkeys(folding.without_one(name)):
                self._slipped.setdefault(less, []).append(name)

    def near(self, word: str) -> set[str]:
        """Names of all schools that share the word, or the word less a letter, less a letter at most."""
        return {name for less in folding.without_one(word) for name in self._slipped.get(less, ())}

    def heard(self, sound: str) -> Sequence[str]:
        """Names of all schools that sound like this."""
        return self._heard.get(sound, ())


class Keys(Mapping[str, Key]):
    """The spellings of one school, each with what it can mean."""

    def __init__(self, spelt: Spellings, adults: Sequence[str]) -> None:
        import ahocorasick

        self.automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        self.lengths = [*map(len, spelt.texts)]
        self._first, self._forms, self._rows = spelt.first.tolist(), spelt.forms.tolist(), spelt.rows.tolist()
        self._adult: set[int] = set()
        self._made: dict[int, Key] = {}
        add = self.automaton.add_word
        for place, text in enumerate(spelt.texts):
            add(f" {text} ", place)
        for text in adults:
            if (place := self.automaton.get(f" {text} ", -1)) < 0:
                place = len(self.lengths)
                self.lengths.append(len(text))
                add(f" {text} ", place)
            self._adult.add(place)
        self.automaton.make_automaton()

    def at(self, place: int) -> Key:
        """What the spelling at this place means."""
        if place not in self._made:
            rows: dict[Form, set[int]] = {}
            if place + 1 < len(self._first):  # the others are of adults alone
                for entry in range(self._first[place], self._first[place + 1]):
                    rows.setdefault(FORMS[self._forms[entry]], set()).add(self._rows[entry])
            self._made[place] = Key(rows, place in self._adult).settled()
        return self._made[place]

    def __getitem__(self, spelt: str) -> Key:
        if (place := self.automaton.get(f" {spelt} ", -1)) < 0:
            raise KeyError
        return self.at(place)

    def get(self, spelt: str, default: Any = None) -> Any:
        """What a spelling means, or the default."""
        place = self.automaton.get(f" {spelt} ", -1)
        return default if place < 0 else self.at(place)

    def __contains__(self, spelt: object) -> bool:
        return f" {spelt} " in self.automaton

    def __iter__(self) -> Iterator[str]:
        return (padded[1:-1] for padded in self.automaton)

    def __len__(self) -> int:
        return len(self.lengths)


class Names:
    """The names of one school, or of all, in one automaton.

    Attributes
    ----------
    keys : what each spelling can mean
    logins : whether there is any user name to look for
    adult_initials : "rt" for Ruth Tranter
    """

    def __init__(self, spelt: Spellings, adults: Adults = (), shapes: Shapes | None = None) -> None:
        self._spelt, self._shapes = spelt, shapes or Shapes()
        grown, self.adult_initials = _adults(adults, self._shapes)
        self.keys = Keys(spelt, grown)
        self.logins = len(spelt.texts) > 0
        self._shapes.learn(spelt.texts)
        self._shapes.learn(grown)
        self._likes: dict[str, tuple[str, ...]] = {}

    def found(self, folded: str) -> Iterator[tuple[int, int, Key]]:
        """Every key in a folded text, with its place; they may overlap."""
        if self.keys:
            lengths, at = self.keys.lengths, self.keys.at
            for last, place in self.keys.automaton.iter(f" {folded} "):
                yield last - lengths[place] - 1, last - 1, at(place)

    @cached_property
    def initials(self) -> Mapping[str, Rows]:
        """The children of each pair of initials: "dh" -> rows."""
        held: dict[str, set[int]] = defaultdict(set)
        for pair, row in zip(*self._spelt.initials, strict=True):
            held[pair].add(row)
        return {pair: tuple(sorted(rows)) for pair, rows in held.items()}

    def like(self, word: str) -> tuple[str, ...]:
        """Names that a folded word misspells: one slip away, or a few where it sounds the same."""
        if len(word) < _KNOWN_FROM - 1:
            return ()
        if word not in self._likes:
            if len(self._likes) > _REMEMBERED:
                self._likes.clear()
            self._likes[word] = self._like(word)
        return self._likes[word]

    def _like(self, word: str) -> tuple[str, ...]:
        if len(word) < _KNOWN_FROM:  # Aby for Abby
            twice = {word[:place] + word[place - 1 :] for place in range(2, len(word) + 1)}
            return tuple(sorted(name for name in twice if name in self.keys))
        near = [name for name in self._shapes.near(word) if name in self.keys]
        long = len(word) >= _LONG_FROM
        close = {
            name
            for name in near
            if folding.usual_slip(word, name) or (long and len(name) >= _LONG_FROM and folding.one_slip(word, name))
        }
        if close or not long:
            return tuple(sorted(close))
        heard = folding.sound(word)
        alike = [name for name in self._shapes.heard(heard) if len(name) >= _LONG_FROM and name in self.keys]
        if (alike := [name for name in alike if folding.heard_alike(word, name)]) or len(word) == _LONG_FROM:
            return tuple(sorted(alike))  # Preeya
        most = 3 if len(heard) > 2 else 2
        same = [name for name in self._shapes.heard(heard) if len(name) > _LONG_FROM and name in self.keys]
        return tuple(sorted(name for name in same if folding.slips(word, name, most) <= most))

    def short_for(self, word: str) -> tuple[str, ...]:
        """First names of which a folded word is a short form made on the spot: Ells, Gabs, Jaz, Tem."""
        if word[2:3] == "z":
            return tuple(n for end in "srz" for n in self._begun.get(word[:2] + end, ()) if word[3:] in _ENDED_Z)
        clips = tuple(word[: len(word) - len(end)] for end in _ENDED if word.endswith(end))
        return tuple(
            name
            for name in self._begun.get(word[:3], ())
            if name != word and any(len(clip) > 2 and name.startswith(clip) for clip in clips)
        )

    def login(self, token: str) -> Rows:
        """The children of whose names a folded user name, without its digits and dots, is made.

        User names as schools make them: dholt, holtd, daisyholt, holtdaisy, daisyh; of four letters or more.
        """
        if len(token) < _LOGIN_FROM:
            return ()
        given, family = self._parts
        nobody: dict[int, None] = {}
        rows: set[int] = set()
        for cut in range(1, len(token)):
            left, right = token[:cut], token[cut:]
            rows |= given.get(left, nobody).keys() & family.get(right, nobody).keys()
            rows |= family.get(left, nobody).keys() & given.get(right, nobody).keys()
        initials = ((given, token[0], family, token[1:]), (given, token[-1], family, token[:-1]))
        for begun, letter, held, name in (*initials, (family, token[-1], given, token[:-1])):
            if name in held:
                rows |= held[name].keys() & {row for other in begun if other[0] == letter for row in begun[other]}
        return tuple(sorted(rows))

    @cached_property
    def _parts(self) -> tuple[dict[str, dict[int, None]], dict[str, dict[int, None]]]:
        """First names and surnames as user names have them, each with its children."""
        both: list[dict[str, dict[int, None]]] = [{}, {}]
        for held, names in zip(both, (self._spelt.given, self._spelt.family), strict=True):
            for name, row in zip(*names, strict=True):
                held.setdefault(name, {})[row] = None
        return both[0], both[1]

    @cached_property
    def _begun(self) -> dict[str, list[str]]:
        """Three letters -> first names that begin so, in the order of the alphabet."""
        held: dict[str, list[str]] = {}
        spelt, forename = self._spelt, FORMS.index("forename")
        begins = np.zeros(len(spelt.texts), dtype=np.bool_)
        begins[np.searchsorted(spelt.first, np.flatnonzero(spelt.forms == forename), side="right") - 1] = True
        for name in sorted(spelt.texts[place] for place in np.flatnonzero(begins).tolist()):
            if len(name) >= _KNOWN_FROM and " " not in name:
                held.setdefault(name[:3], []).append(name)
        return held


@dataclass(frozen=True)
class Everybody:
    """Full names of all schools, for a name that stands in another school's notes."""

    automaton: Any
    length: Any  # characters of each name
    first: Any  # where the rows of each name begin in `rows`
    rows: Any  # int arrays, all three

    def found(self, folded: str) -> list[tuple[int, int, Rows]]:
        """Every full name in a folded text: place, and the children of that name."""
        found = []
        for last, which in self.automaton.iter(f" {folded} "):
            rows = tuple(self.rows[self.first[which] : self.first[which + 1]].tolist())
            found.append((last - 1 - int(self.length[which]), last - 1, rows))
        return found


def _adults(adults: Adults, shapes: Shapes) -> tuple[list[str], frozenset[str]]:
    """Every spelling of the names of adults, each once; and their initials."""
    held: dict[str, None] = {}
    initials = set()
    for first, last, _ in adults:
        for way in shapes.spellings(last):
            held[way] = None
            for called in shapes.spellings(first):
                held[called] = held[f"{called} {way}"] = None
                initials.add(called[0] + way[0])
    return list(held), frozenset(initials)
