"""The terms of the lexicon (``reference/lexicon.toml``), and the forms in which each may be written, made by rule."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from otrack_risk.reference import load
from otrack_risk.text.windows import fold


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase of the lexicon, and what it means to find it."""

    text: str  # as listed; `forms` has the ways in which it may be written
    label: str  # of the span
    category: str  # data category, a name of reference/categories.toml
    legal: str  # "UK GDPR Art. 9", "UK GDPR Art. 10" or "vulnerability"
    kind: str  # which windows apply
    score: float  # 0 to 1
    case: str = "any"  # "any", "capital" (first letter) or "upper" (opens and closes with a capital)
    alone: bool = True  # False: counts only in a note that speaks of somebody
    near: tuple[str, ...] = ()  # word sets: one of their words within four words either side
    led_by: tuple[str, ...] = ()  # word sets: one of their phrases right before (or `near`)

    @property
    def needs_capital(self) -> bool:
        """Whether the word in small letters is another word."""
        return self.case != "any"


@cache
def terms() -> tuple[Term, ...]:
    """Every term of the lexicon, in the order of its file; a verb stands there in each of its forms."""
    return tuple(_read(load("lexicon").entries["entry"]))


@cache
def forms() -> Mapping[str, tuple[Term, ...]]:
    """The folded forms (see `fold`) in which each term may be met: plural, dotted, without its apostrophe."""
    table: dict[str, dict[Term, None]] = {}
    for term in terms():
        for form in _forms(term):
            table.setdefault(form, {})[term] = None
    # A plural that is listed for itself ("needs") keeps its own term.
    own: dict[str, dict[Term, None]] = {}
    for term in terms():
        own.setdefault(fold(term.text), {})[term] = None
    return MappingProxyType({form: tuple(own.get(form, found)) for form, found in table.items()})


def _read(entries: list[dict[str, Any]]) -> Iterator[Term]:
    for entry in entries:
        words = [*entry["terms"], *(form for verb in entry.get("verbs", []) for form in _verb_forms(verb))]
        for word in dict.fromkeys(words):
            yield Term(
                text=word,
                label=entry["label"],
                category=entry["category"],
                legal=entry["legal"],
                kind=entry["kind"],
                score=entry.get("score", 0.85),
                case=entry.get("case", "any"),
                alone=entry.get("alone", True),
                near=tuple(entry.get("near", ())),
                led_by=tuple(entry.get("led_by", ())),
            )


def _verb_forms(verb: str) -> tuple[str, ...]:
    """The verb and its -s, -ed and -ing forms; for verbs that double no consonant and are regular."""
    stem = verb.removesuffix("e")
    past = f"{verb[:-1]}ied" if verb.endswith("y") else f"{stem}ed"
    return verb, _plural(verb), past, f"{stem}ing"


def _plural(word: str) -> str:
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


_NO_PLURAL = frozenset({"subject", "language", "country", "festival", "diet"})


def _forms(term: Term) -> Iterator[str]:
    word = fold(term.text)
    yield word
    if term.kind not in _NO_PLURAL and word[-1].isalpha():
        yield _plural(word)
    if "'" in word:
        yield word.replace("'", "")
    if term.text.isalpha() and term.text.isupper() and len(term.text) <= 5:
        yield ".".join(word)  # a closing dot is a boundary
