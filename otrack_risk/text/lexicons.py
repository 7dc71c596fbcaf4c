"""Words that tell a special category fact, an offence or a vulnerability, and where they tell it of nobody.

The words, and the windows of words around them, are data (``reference/lexicon.toml``; :mod:`otrack_risk.text.terms`
reads them); here is how they are found: one automaton, word boundaries, and four questions asked of each hit: is it
written as this term is (SEND, not send)? is there what it needs beside it? is it denied? is it spoken of as a thing?

A scanner that has its own automaton puts `forms` in it and hands its hits to `settle`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from otrack_risk.reference import load
from otrack_risk.text import folding
from otrack_risk.text.spans import Span
from otrack_risk.text.terms import Term as Term
from otrack_risk.text.terms import forms as forms
from otrack_risk.text.terms import terms as terms
from otrack_risk.text.windows import (
    REACH,
    WORD,
    any_of,
    fold,
    sentence_around,
    speaks_of_nobody,
    speaks_of_somebody,
    spoken_of,
    word_set,
)


def find(text: str, *, named: bool | None = None) -> list[Span]:
    """What ``text`` tells, from left to right, without overlaps.

    Parameters
    ----------
    text : a note
    named : whether a person is known to be named in it; None: judge by the text alone (`speaks_of_somebody`)

    Notes
    -----
    Knows words, not meaning: "his sister's asthma" is found and is not the pupil's; a condition paraphrased is missed.

    Examples
    --------
    >>> [(span.label, span.start, span.end) for span in find("Peanut allergy, EpiPen in office. EHCP training Friday.")]
    [('HEALTH_SEND', 0, 22)]
    """
    return [span for span, _ in found(text, named=named)]


def found(text: str, *, named: bool | None = None, parts: Sequence[str] | None = None) -> list[tuple[Span, Term]]:
    """As `find`, each span with its term, which has the category and the legal tag.

    ``parts`` are the words of the text as :func:`otrack_risk.text.folding.fold` folds them, where they are at hand.
    """
    if parts is not None and not _may_hold(parts):
        return []
    folded = fold(text)
    hits = _hits(folded)
    return settle(text, folded, hits, named=named) if hits else []


def settle(
    text: str, folded: str, hits: Iterable[tuple[int, int, Term]], *, named: bool | None = None
) -> list[tuple[Span, Term]]:
    """Choose among hits of an automaton over ``folded``: places on word boundaries, any order, overlapping.

    The longest of overlapping hits is taken. A treatment beside the condition that it is for makes one span with it,
    because it is one fact: "asthma, inhaler", "EpiPen for nut allergy".
    """
    written = [hit for hit in hits if _written_so(text, *hit)]
    if not written:
        return []
    somebody = speaks_of_somebody(text, [hit[:2] for hit in written]) if named is None else named or spoken_of(folded)
    chosen: list[tuple[Span, Term]] = []
    end_of_last = 0
    if len(written) > 1:
        written.sort(key=lambda hit: (hit[0], -hit[1], -hit[2].score))
    for start, end, term in written:
        if start < end_of_last or not _has_its_neighbours(text, folded, start, end, term):
            continue
        end_of_last = end  # the longest speaks for the words in it, also when it tells of nobody
        if (term.alone or somebody) and not speaks_of_nobody(
            text, folded, (start, end), term.kind, term.text, somebody
        ):
            left, right = _extended(folded, start, end, term)
            chosen.append((Span(left, right, term.label, term.score, term.category), term))
    return _joined(text, _once(text, chosen))


def generic_use(text: str, start: int, end: int, term: Term, *, named: bool | None = None) -> bool:
    """Whether ``term`` at this place is denied ("no known allergies") or spoken of as a thing ("EHCP training").

    ``named`` as in `find`: words such as "list" or "meeting" make a thing of a term only where nobody is named.
    """
    folded = fold(text)
    somebody = speaks_of_somebody(text, [(start, end)]) if named is None else named or spoken_of(folded)
    return speaks_of_nobody(text, folded, (start, end), term.kind, term.text, somebody)


# ---------------------------------------------------------------------------------------------- finding the words


@cache
def _automaton() -> Any:
    import ahocorasick

    machine = ahocorasick.Automaton()
    for form, found_terms in forms().items():
        machine.add_word(form, (len(form), found_terms))
    machine.make_automaton()
    return machine


@cache
def _begins() -> Mapping[str, frozenset[str] | None]:
    """The second words of the forms that begin with a word; None where one ends with it."""
    held: dict[str, set[str] | None] = {}
    for form in forms():
        first, *more = folding.fold(form).split()
        seconds = held.setdefault(first, set())
        if seconds is not None and more:
            seconds.add(more[0])
        else:
            held[first] = None
    return {first: seconds if seconds is None else frozenset(seconds) for first, seconds in held.items()}


def _may_hold(parts: Sequence[str]) -> bool:
    """Whether a form may stand in a text of these words: far cheaper than to look for it, and often no."""
    begins = _begins()
    for place, part in enumerate(parts, start=1):
        if part in begins:
            seconds = begins[part]
            if seconds is None or (place < len(parts) and parts[place] in seconds):
                return True
    return False


def _hits(folded: str) -> list[tuple[int, int, Term]]:
    last, hits = len(folded), []
    for place, (length, found_terms) in _automaton().iter(folded):
        end = place + 1
        start = end - length
        if not ((start and folded[start - 1].isalnum()) or (end < last and folded[end].isalnum())):
            hits += [(start, end, term) for term in found_terms]
    return hits


def _written_so(text: str, start: int, end: int, term: Term) -> bool:
    """Whether the capitals are those of the term; where all is in capitals, they tell nothing and it is not."""
    if term.case == "any":
        return True
    words = text[start:end]
    if text.isupper() and len(text) > 2 * len(words):
        return False
    if term.case == "capital":
        return words[0].isupper()
    letters = [letter for letter in words if letter.isalpha()]
    plural = len(letters) - sum(letter.isalpha() for letter in term.text)
    core, ending = (letters[:-plural], letters[-plural:]) if plural else (letters, [])
    return core[0].isupper() and core[-1].isupper() and all(letter.islower() for letter in ending)


_LISTED = frozenset("),;/")
_BRACKETED = re.compile(r"\((?:[^()]{0,40}[,;/] ?)?$")
_OF_ORIGIN = frozenset({"ETHNICITY_NATIONALITY_LANGUAGE", "RELIGION"})


def _has_its_neighbours(text: str, folded: str, start: int, end: int, term: Term) -> bool:
    if not (term.near or term.led_by):
        return True
    before, after = sentence_around(folded, start, end)
    if term.led_by and any(_led_by(name).search(before) for name in term.led_by):
        return True
    if not term.near:
        return False
    if term.label in _OF_ORIGIN and text[end : end + 1] in _LISTED and _BRACKETED.search(text, 0, start):
        return True  # "Amélie Dubois (French)", "(Romanian, Orthodox)"
    beside = {*WORD.findall(before)[-4:], *WORD.findall(after)[:4]}
    return any(beside & word_set(name) for name in term.near)


@cache
def _led_by(name: str) -> re.Pattern[str]:
    if name == "a language":  # "Urdu / English", "Polish and Italian"; one that no lesson is in
        own = (fold(term.text) for term in terms() if term.kind in ("people", "language") and not term.near)
        return re.compile(rf"(?<!\w){any_of(own)}(?: speaker| speaking)?(?: ?[/,&+] ?| and | or )$")
    return re.compile(rf"(?<!\w){any_of(word_set(name))}:? (?:the |northern |southern |rural )?$")


# ------------------------------------------------------------------------------------------------- how far a fact goes


@cache
def _extensions(side: str, label: str) -> tuple[re.Pattern[str], tuple[str, ...]] | None:
    """What goes on before or after a term, and with what it ends or begins."""
    words = [
        fold(word)
        for entry in load("lexicon").entries["extension"]
        if entry["side"] == side and label in entry["labels"]
        for word in entry["words"]
    ]
    if not words:
        return None
    either = any_of(words)
    if side == "before":
        return re.compile(rf"(?<!\w)(?:{either} ){{1,3}}$"), tuple(f"{word} " for word in words)
    return re.compile(rf"(?: {either}(?!\w)){{1,2}}"), tuple(f" {word}" for word in words)


def _extended(folded: str, start: int, end: int, term: Term) -> tuple[int, int]:
    """The place with the words that name one thing with it: "severe peanut allergy", "EHCP review"."""
    before, after = _extensions("before", term.label), _extensions("after", term.label)
    left = right = None
    if before and folded.endswith(before[1], 0, start):
        left = before[0].search(folded, max(0, start - REACH), start)
    if after and folded.startswith(after[1], end):
        right = after[0].match(folded, end)
    return left.start() if left else start, right.end() if right else end


_STOP = re.compile(r"[.!?;](?=\s)")


def _once(text: str, chosen: list[tuple[Span, Term]]) -> list[tuple[Span, Term]]:
    """Without words of prayer and fasting in the sentence of a feast: both tell one fact, "fasting for Ramadan"."""
    feasts = [span for span, term in chosen if term.kind == "festival"]
    return [
        (span, term)
        for span, term in chosen
        if term.alone or term.kind != "worship" or not any(_one_sentence(text, span, feast) for feast in feasts)
    ]


def _one_sentence(text: str, one: Span, other: Span) -> bool:
    first, last = (one, other) if one.start < other.start else (other, one)
    return last.start - first.end < REACH and not _STOP.search(text, first.end, last.start)


# Up to three words in small letters, so never across a name or the end of a sentence.
_BETWEEN = re.compile(r"(?: ?[,/:–&(+] ?| | - )(?:[a-z0-9]+,? ){0,3}")
_AID = frozenset({"treatment", "support"})


def _joined(text: str, chosen: list[tuple[Span, Term]]) -> list[tuple[Span, Term]]:
    joined: list[tuple[Span, Term]] = []
    for span, term in chosen:
        if joined:
            last, last_term = joined[-1]
            beside = span.start <= last.end or _BETWEEN.fullmatch(text, last.end, span.start)
            if beside and span.label == last.label and _AID & {term.kind, last_term.kind}:
                main = term if last_term.kind in _AID and term.kind not in _AID else last_term
                score = max(span.score, last.score)
                joined[-1] = (
                    Span(last.start, max(span.end, last.end), main.label, score, main.category),
                    main,
                )
                continue
            if span.end <= last.end:
                continue  # an extension has taken it in: "SEMH needs assessment"
            if span.start < last.end:  # the words of one reach into the other
                span = Span(last.end, span.end, span.label, span.score, span.form)
        joined.append((span, term))
    return joined
