"""The names of one school in one automaton: every spelling of each, what it can mean, and what misspells it.

Names are kept folded (:mod:`otrack_risk.text.folding`). A key stands between spaces, so that what the automaton
finds is a whole word: punctuation, hyphens and apostrophes of a note are spaces by then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from otrack_risk.text import folding

Rows = tuple[int, ...]  # row numbers of the roster
Form = Literal["full", "forename", "nickname", "surname", "adult"]
_FORMS: tuple[Form, ...] = ("full", "forename", "nickname", "surname")
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
        self.form = next((form for form in _FORMS if form in self.rows), "adult")
        self.subjects = tuple(sorted(set().union(*self.rows.values()))) if self.rows else ()
        return self


@dataclass(frozen=True)
class Names:
    """The names of one school, or of all, in one automaton."""

    keys: Mapping[str, Key]
    automaton: Any
    initials: Mapping[str, Rows]  # "dh" -> children
    adult_initials: frozenset[str]
    slipped: Mapping[str, tuple[str, ...]]  # a name less one letter -> names
    heard: Mapping[str, tuple[str, ...]]  # a sound -> names
    begun: Mapping[str, tuple[str, ...]]  # three letters -> first names that begin so
    logins: Mapping[str, Rows]  # "dholt", "holtd", "daisyholt" -> children
    _likes: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    def found(self, folded: str) -> Iterator[tuple[int, int, Key]]:
        """Every key in a folded text, with its place; they may overlap."""
        if self.keys:
            for last, (length, key) in self.automaton.iter(f" {folded} "):
                yield last - length - 1, last - 1, key

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
        near = {name for less in folding.without_one(word) for name in self.slipped.get(less, ())}
        long = len(word) >= _LONG_FROM
        close = {
            name
            for name in near
            if folding.usual_slip(word, name) or (long and len(name) >= _LONG_FROM and folding.one_slip(word, name))
        }
        if close or len(word) <= _LONG_FROM:
            return tuple(sorted(close))
        heard = folding.sound(word)
        most = 3 if len(heard) > 2 else 2
        same = self.heard.get(heard, ())
        return tuple(
            sorted(name for name in same if len(name) > _LONG_FROM and folding.slips(word, name, most) <= most)
        )

    def short_for(self, word: str) -> tuple[str, ...]:
        """First names of which a folded word is a short form made on the spot: Ells, Gabs, Jaz, Tem."""
        if word[2:3] == "z":
            return tuple(n for end in "srz" for n in self.begun.get(word[:2] + end, ()) if word[3:] in _ENDED_Z)
        clips = tuple(word[: len(word) - len(end)] for end in _ENDED if word.endswith(end))
        return tuple(
            name
            for name in self.begun.get(word[:3], ())
            if name != word and any(len(clip) > 2 and name.startswith(clip) for clip in clips)
        )

    def login(self, token: str) -> Rows:
        """The children of whom a folded user name, without its digits and dots, is made."""
        return self.logins.get(token, ())


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
            rows = tuple(int(row) for row in self.rows[self.first[which] : self.first[which + 1]])
            found.append((last - 1 - int(self.length[which]), last - 1, rows))
        return found


@dataclass(frozen=True)
class Child:
    """How one child may be called, and where the child is; text as the table has it."""

    forenames: tuple[str, ...]
    called: tuple[str, ...]  # preferred names and nicknames
    middle: str
    surnames: tuple[str, ...]


def names_of(children: Iterable[tuple[int, Child]], adults: Iterable[tuple[str, str, str | None]]) -> Names:
    keys: dict[str, Key] = defaultdict(Key)
    initials: dict[str, set[int]] = defaultdict(set)
    logins: dict[str, set[int]] = defaultdict(set)
    adult_initials = set()

    def put(spelling: str, form: Form, row: int) -> None:
        if len(spelling) > 1:
            keys[spelling].rows.setdefault(form, set()).add(row)

    for row, child in children:
        lasts = [way for name in child.surnames for way in folding.spellings(name)]
        parts: tuple[tuple[Form, tuple[str, ...]], ...] = (("forename", child.forenames), ("nickname", child.called))
        for form, given in parts:
            for name in given:
                ways = folding.spellings(name)
                for way in ways:
                    put(way, form, row)
                    _put_full(put, way, lasts, child.middle, row)
                    for last in lasts[:1]:
                        initials[way[0] + last[0]].add(row)
                part = ways[0].partition(" ")[0] if ways else ""
                if ways and part != ways[0] and len(part) > 2:
                    put(part, "nickname", row)
                    _put_full(put, part, lasts, "", row)
        for last in lasts:
            put(last, "surname", row)
        _put_logins(logins, child, lasts, row)
    for first, last, _ in adults:
        for way in folding.spellings(last) if last else ():
            keys[way].adult = True
            for called in folding.spellings(first) if first else ():
                keys[f"{called} {way}"].adult = keys[called].adult = True
                adult_initials.add(called[0] + way[0])
    return _compiled(dict(keys), initials, adult_initials, logins)


def _put_logins(logins: dict[str, set[int]], child: Child, lasts: Sequence[str], row: int) -> None:
    """User names as schools make them: dholt, holtd, daisyholt, holtdaisy, daisyh; digits and dots are put aside."""
    for given in (*child.forenames[:1], *child.called[:1]):
        first = folding.fold(given).replace(" ", "")
        for last in {last.replace(" ", "") for last in lasts}:
            if first and last:
                for made in (first[0] + last, last + first[0], first + last, last + first, first + last[0]):
                    logins[made].add(row)


def _put_full(put: Any, first: str, lasts: Sequence[str], middle: str, row: int) -> None:
    """Forename and surname in both orders, behind a comma, with the middle name, with half of a double surname."""
    for last in lasts:
        for way in (last, *(last.split(" ") if " " in last else ())):
            put(f"{first} {way}", "full", row)
        put(f"{last} {first}", "full", row)
        put(f"{last}  {first}", "full", row)  # "Holt, Daisy": comma and space are two spaces when folded
        for between in folding.spellings(middle) if middle else ():
            put(f"{first} {between} {last}", "full", row)


def _compiled(
    keys: dict[str, Key],
    initials: Mapping[str, set[int]],
    adult_initials: set[str],
    logins: Mapping[str, set[int]],
) -> Names:
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for spelt, key in keys.items():
        automaton.add_word(f" {spelt} ", (len(spelt), key.settled()))
    automaton.make_automaton()
    slipped: dict[str, set[str]] = defaultdict(set)
    heard: dict[str, set[str]] = defaultdict(set)
    begun: dict[str, set[str]] = defaultdict(set)
    for name, key in keys.items():
        if len(name) >= _KNOWN_FROM and " " not in name and key.form != "full":
            for less in folding.without_one(name):
                slipped[less].add(name)
            heard[folding.sound(name)].add(name)
            if "forename" in key.rows and len(name) >= _KNOWN_FROM:
                begun[name[:3]].add(name)
    return Names(
        keys=keys,
        automaton=automaton,
        initials={pair: tuple(sorted(rows)) for pair, rows in initials.items()},
        adult_initials=frozenset(adult_initials),
        slipped={less: tuple(sorted(names)) for less, names in slipped.items()},
        heard={sound: tuple(sorted(names)) for sound, names in heard.items()},
        begun={three: tuple(sorted(names)) for three, names in begun.items()},
        logins={made: tuple(sorted(rows)) for made, rows in logins.items() if len(made) >= _LOGIN_FROM},
    )


def everybody_of(pairs: Iterable[tuple[str, int]]) -> Everybody:
    import ahocorasick
    import numpy as np
    import polars as pl

    held = pl.DataFrame(list(pairs), schema={"name": pl.String, "row": pl.Int32}, orient="row").sort("name", "row")
    names = held.group_by("name", maintain_order=True).len()
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    for which, name in enumerate(names["name"]):
        automaton.add_word(f" {name} ", which)
    automaton.make_automaton()
    first = np.concatenate([[0], np.cumsum(names["len"].to_numpy())]).astype(np.int64)
    return Everybody(automaton, names["name"].str.len_chars().to_numpy(), first, held["row"].to_numpy())
