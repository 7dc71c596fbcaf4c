"""Where a sensitive word speaks of nobody: denied, or the name of a thing, judged by the words around it.

The words are data (``reference/lexicon.toml``: word sets and windows); a window is looked for in the sentence of the
term, or in the note up to there where it says so. Each is general: made of a class of words, with no sentence in mind.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from otrack_risk.reference import load

REACH = 90  # characters of a sentence that are looked at on either side of a term
WORD = re.compile(r"[\w%']+")
_STOP = re.compile(r"[.!?;](?=\s|$)")
_TITLED = re.compile(r"(?<!\w)(?:mr|mrs|miss|ms|mx|dr|sir|madam)\.? $")  # Mr French is a person
_DENIABLE = frozenset({"condition", "status", "faith", "religion", "people", "event", "crime", "identity", "service"})
_DENIED_AFTER = re.compile(  # "Religion: none", "SEN? no."
    r"^(?: status| needs?)? ?[:=?–]? *(?:none(?: known)?|nil|n/a|no|n|not known|not applicable|ruled out)"
    r"(?= *(?:[.,;)]|$))"
)
_CAPITAL = r"[A-Z][a-zà-ÿ'’-]+(?!\w)"


def speaks_of_nobody(text: str, folded: str, place: tuple[int, int], kind: str, term: str, somebody: bool) -> bool:
    """Whether ``term`` at ``place`` is denied, part of a name, or a thing; ``somebody``: the note names a person."""
    start, end = place
    before, after = sentence_around(folded, start, end)
    if kind in _DENIABLE and (_denied_before().search(before) or _DENIED_AFTER.match(after)):
        return True
    if text[start].isupper() and _TITLED.search(before):
        return True
    for window in _windows(kind, term):
        if window.unless_named and somebody:
            continue
        leading = text[max(0, start - REACH) : start] if window.exact else before
        match window.side:
            case "after":
                hit = window.pattern.match(after)
            case "before":
                hit = window.pattern.search(leading)
            case "note":
                hit = window.pattern.search(folded, 0, end + len(after))
            case _:
                hit = window.pattern.search(before) or window.pattern.search(after)
        if hit:
            return True
    return False


def speaks_of_somebody(text: str, places: Iterable[tuple[int, int]] = ()) -> bool:
    """Whether a note seems to speak of a person, judged without a roster; ``places`` are no names."""
    if spoken_of(fold(text)):
        return True
    taken = list(places)
    return any(
        name[0].casefold() not in word_set("no names")
        and not any(start < name.end() and name.start() < end for start, end in taken)
        for name in _like_a_name().finditer(text)
    )


def spoken_of(folded: str) -> bool:
    """Whether a pronoun or a relative stands in a folded text."""
    return _somebody().search(folded) is not None


def fold(text: str) -> str:
    """Small letters without accents, hyphens as spaces, as many code points as ``text``; other marks stay.

    Examples
    --------
    >>> fold("Self-harm, Zoë’s café")
    "self harm, zoe's cafe"
    """
    if text.isascii():
        return text.lower().translate(_ASCII)
    return "".join(map(_folded_letter, text))


def sentence_around(text: str, start: int, end: int) -> tuple[str, str]:
    """What comes before and after a place, in its sentence."""
    before = text[max(0, start - REACH) : start]
    cut = 0
    for stop in _STOP.finditer(before):
        cut = stop.end()
    after = text[end : end + REACH]
    stop_after = _STOP.search(after)
    return before[cut:], after[: stop_after.start()] if stop_after else after


@cache
def word_set(name: str) -> frozenset[str]:
    """The folded words of a set of the table."""
    sets = load("lexicon").entries["words"]
    return next(frozenset(map(fold, entry["words"])) for entry in sets if entry["name"] == name)


def any_of(words: Iterable[str]) -> str:
    """An expression for any of ``words``, the longest first."""
    return f"(?:{'|'.join(re.escape(word) for word in sorted(set(words), key=lambda word: (-len(word), word)))})"


_ASCII = str.maketrans("-_\t\n\r", "     ")
_MARKS = {"’": "'", "‘": "'", "‐": " ", "‑": " ", "\u00a0": " "}  # curly apostrophes, hyphens, fixed space


@cache
def _folded_letter(letter: str) -> str:
    plain = unicodedata.normalize("NFD", _MARKS.get(letter, letter))[0].lower()
    return plain.translate(_ASCII) if len(plain) == 1 else letter


@cache
def _denied_before() -> re.Pattern[str]:
    between = any_of(word_set("between denial and term"))
    return re.compile(rf"(?<!\w){any_of(word_set('denial'))} (?:{between} ){{0,4}}$")


@cache
def _somebody() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){any_of(word_set('somebody'))}(?:'s)?(?!\w)")


@cache
def _like_a_name() -> re.Pattern[str]:
    """A word with a capital inside a sentence, or one that opens it and then owns, is, has or does something."""
    opens = rf"(?:^|(?<=[.!?] ))(?=[A-Z]\w+['’]s |[A-Z][\w'’-]+ (?:[A-Z][a-z]|{any_of(word_set('does'))}\b))"
    return re.compile(rf"(?:(?<=[a-z,)–-] )|{opens}){_CAPITAL}")


@dataclass(frozen=True, slots=True)
class _Window:
    side: str
    kinds: frozenset[str]
    only: tuple[str, ...]  # how the terms begin, if it is not for all of the kinds
    unless_named: bool
    exact: bool  # capitals matter
    pattern: re.Pattern[str]


@cache
def _windows(kind: str, term: str) -> tuple[_Window, ...]:
    """The windows of a term, the cheapest to look through first."""
    mine = [w for w in _all_windows() if (not w.kinds or kind in w.kinds) and (not w.only or term.startswith(w.only))]
    return tuple(sorted(mine, key=lambda window: ("after", "before", "sentence", "note").index(window.side)))


@cache
def _all_windows() -> tuple[_Window, ...]:
    return tuple(
        _Window(
            side=entry["side"],
            kinds=frozenset(entry["kinds"]),
            only=tuple(entry.get("terms", ())),
            unless_named=entry["unless_named"],
            exact=entry.get("exact", False),
            pattern=_pattern(entry["side"], entry["words"] if entry.get("exact") else map(fold, entry["words"])),
        )
        for entry in load("lexicon").entries["window"]
    )


def _pattern(side: str, words: Iterable[str]) -> re.Pattern[str]:
    either, barred = any_of(words), rf"(?!{any_of(word_set('no bridge'))}\b)"
    match side:
        case "after":  # at most one word between: "asthma nurse training", "SEND/EHCP training"
            return re.compile(rf"(?:'s)?(?:[ /&]{barred}[\w']+)?(?: | ?[/&] ?){either}(?!\w)")
        case "before":  # at most two: "learning about other faiths, Islam" is not, "learning about early Islam" is
            return re.compile(rf"(?<!\w){either}(?: {barred}\w+){{0,2}} $")
        case _:
            return re.compile(rf"(?<!\w){either}(?!\w)")
