"""Where a sensitive word speaks of nobody: denied, or the name of a thing, judged by the words around it.

The words are data (``reference/lexicon.toml``: word sets and windows); a window is looked for in the sentence of the
term, or in the note up to there where it says so. Each is general: made of a class of words, with no sentence in mind.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

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
_SIDES = ("after", "before", "sentence", "note")
_FOLLOWING = frozenset(" '/&")  # what a window after a term begins with
_CAPITAL = r"[A-Z][a-zà-ÿ'’-]+(?!\w)"


def speaks_of_nobody(text: str, folded: str, place: tuple[int, int], kind: str, term: str, somebody: bool) -> bool:
    """Whether ``term`` at ``place`` is denied, part of a name, or a thing; ``somebody``: the note names a person."""
    start, end = place
    before, after = sentence_around(folded, start, end)
    led = before.endswith(" ")
    if kind in _DENIABLE and (
        (led and before.endswith(_denied_ends()) and _denied_before().search(before)) or _DENIED_AFTER.match(after)
    ):
        return True
    if led and text[start].isupper() and _TITLED.search(before):
        return True
    for side, exact, unless_named, pattern in _windows(kind, term):
        if unless_named and somebody:
            continue
        match side:
            case "after":
                hit = after[:1] in _FOLLOWING and pattern.match(after)
            case "before":
                hit = led and pattern.search(text[max(0, start - REACH) : start] if exact else before)
            case "note":
                hit = pattern.search(folded, 0, end + len(after))
            case _:
                hit = pattern.search(before) or pattern.search(after)
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
    return text.translate(_FOLDED)


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


class _Folded(dict[int, str]):
    def __missing__(self, code: int) -> str:
        letter = chr(code)
        plain = unicodedata.normalize("NFD", _MARKS.get(letter, letter))[0].lower()
        self[code] = plain.translate(_ASCII) if len(plain) == 1 else letter
        return self[code]


_FOLDED = _Folded()


@cache
def _denied_ends() -> tuple[str, ...]:
    return tuple(f"{word} " for word in word_set("denial") | word_set("between denial and term"))


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


class _Window(NamedTuple):
    side: str
    exact: bool  # capitals matter
    unless_named: bool
    pattern: re.Pattern[str]


@cache
def _windows(kind: str, term: str) -> tuple[_Window, ...]:
    """The windows of a term, those of one side as one, the cheapest to look through first."""
    held: dict[tuple[str, bool, bool], list[str]] = {}
    for entry in load("lexicon").entries["window"]:
        kinds, begins, exact = entry["kinds"], tuple(entry.get("terms", ())), entry.get("exact", False)
        if (not kinds or kind in kinds) and (not begins or term.startswith(begins)):
            words = entry["words"] if exact else map(fold, entry["words"])
            held.setdefault((entry["side"], exact, entry["unless_named"]), []).extend(words)
    order = sorted(held, key=lambda key: _SIDES.index(key[0]))
    return tuple(_Window(*key, _pattern(key[0], tuple(sorted(held[key])))) for key in order)


@cache
def _pattern(side: str, words: tuple[str, ...]) -> re.Pattern[str]:
    either, barred = any_of(words), rf"(?!{any_of(word_set('no bridge'))}\b)"
    match side:
        case "after":  # at most one word between: "asthma nurse training", "SEND/EHCP training"
            return re.compile(rf"(?:'s)?(?:[ /&]{barred}[\w']+)?(?: | ?[/&] ?){either}(?!\w)")
        case "before":  # at most two: "learning about other faiths, Islam" is not, "learning about early Islam" is
            return re.compile(rf"(?<!\w){either}(?: {barred}\w+){{0,2}} $")
        case _:
            return re.compile(rf"(?<!\w){either}(?!\w)")
