"""Words beside names: which words are names elsewhere, and what the notes themselves tell of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from otrack_risk import reference
from otrack_risk.text import folding

if TYPE_CHECKING:
    import polars as pl

_ENDINGS = ("ing", "ed", "ly", "tion", "tions", "ment", "ments", "ness", "able", "ful", "ish")
_SEEN = 2  # lower-case uses from which a word is one, by the notes alone
_ABBREVIATED = 0.02  # share of the notes that two capitals stand in, from which they are hardly one child's initials


@dataclass(frozen=True)
class Usage:
    """How often a word is written with and without a capital, over all notes that have capitals."""

    lower: Mapping[str, int] = field(default_factory=dict)  # folded word -> uses without
    capital: Mapping[str, int] = field(default_factory=dict)  # folded word -> uses with
    two_capitals: Mapping[str, int] = field(default_factory=dict)  # folded pair -> uses
    notes: int = 0

    @classmethod
    def of(cls, texts: pl.Series) -> Usage:
        """Count the words of the notes; a note in which no word has a capital tells nothing of capitals.

        Examples
        --------
        >>> import polars as pl
        >>> used = Usage.of(pl.Series(["Will asked: will it snow?", "will was late"]))
        >>> used.lower["will"], used.capital["will"]
        (1, 1)
        """

        told = texts.drop_nulls()
        told = told.filter(told.str.contains(r"\p{Lu}\p{Ll}"))
        told = told.str.replace_all(
            r"\S*[@/\\_]\S*|\S+\.\p{L}{3,4}\b", " "
        )  # addresses and file names are in small letters
        words = told.str.extract_all(r"\p{L}+").explode().drop_nulls().rename("word")
        counted = words.value_counts()
        written, counts = counted["word"].to_list(), counted["count"].to_list()
        lower: dict[str, int] = {}
        capital: dict[str, int] = {}
        two: dict[str, int] = {}
        # as one text, because folding keeps its length; a letter of its own may become a space, so by place
        together, end = folding.fold("".join(written)), 0
        for word, uses in zip(written, counts, strict=True):
            start, end = end, end + len(word)
            folded = together[start:end]
            into = lower if word[0].islower() else capital
            into[folded] = into.get(folded, 0) + uses
            if end - start == 2 and word.isupper():
                two[folded] = two.get(folded, 0) + uses
        return cls(lower, capital, two, texts.len())

    def lower_share(self, word: str) -> float:
        """Share of a folded word's uses that have no capital; 0 where it is not used."""
        low = self.lower.get(word, 0)
        return low / (low + self.capital.get(word, 0)) if low else 0.0

    def a_word(self, word: str) -> bool:
        """Whether the notes use it as a word: twice and more, and in more than one use of four."""
        return self.lower.get(word, 0) >= _SEEN and self.lower_share(word) > 0.25

    def abbreviates(self, pair: str) -> bool:
        """Whether two capitals stand in so many notes that they mean something else."""
        return self.two_capitals.get(pair, 0) > max(20.0, _ABBREVIATED * self.notes)


@cache
def uses() -> dict[str, frozenset[str]]:
    """The lists of the reference tables ``name_words`` and ``note_words``, by use."""
    held: dict[str, set[str]] = {}
    for row in reference.load("name_words").entries["row"]:
        held.setdefault(row["use"], set()).add(row["word"])
    for entry in reference.load("note_words").entries["words"]:
        held.setdefault(entry["use"], set()).update(entry["words"])
    held["first"] |= {folding.fold(row["name"]) for row in reference.load("first_names").entries["row"]}
    return {use: frozenset(words) for use, words in held.items()}


@cache
def any_use(*kinds: str) -> frozenset[str]:
    """The words of several uses."""
    return frozenset().union(*(uses()[kind] for kind in kinds))


@cache
def curriculum() -> tuple[Any, frozenset[str], tuple[str, ...]]:
    """An automaton of names of the curriculum, titles of one word, and the words that stand before a title."""
    import ahocorasick

    entries = reference.load("curriculum_names").entries["names"]
    listed = {use: [n for e in entries if e["use"] == use for n in e["names"]] for use in ("full", "alone", "reading")}
    automaton = ahocorasick.Automaton()
    for name in listed["full"]:
        spelt = " ".join(folding.fold(name).split())
        automaton.add_word(f" {spelt} ", len(spelt))
    automaton.make_automaton()
    return (
        automaton,
        frozenset(folding.fold(name) for name in listed["alone"]),
        tuple(listed["reading"]),
    )


@cache
def _curriculum_begins() -> frozenset[str]:
    entries = reference.load("curriculum_names").entries["names"]
    return frozenset(folding.fold(name).split()[0] for e in entries if e["use"] == "full" for name in e["names"])


def of_lessons(folded: str, parts: Sequence[str]) -> list[tuple[int, int]]:
    """Where names of the curriculum stand in a folded text, of which ``parts`` are the words."""
    if _curriculum_begins().isdisjoint(parts):
        return []
    return [(last - 1 - length, last - 1) for last, length in curriculum()[0].iter(f" {folded} ")]


def ending(word: str) -> bool:
    """Whether a folded word ends as words do that are no names."""
    return word.endswith(_ENDINGS)
