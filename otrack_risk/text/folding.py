"""Names and notes in one spelling: folding that keeps every place, how a name sounds, and what is one slip from it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_MARK = re.compile("[\u0300-\u036f]")  # combining marks: what stands apart in decomposed text
_PLAIN = {"ß": "s", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "t", "æ": "a", "œ": "o", "ı": "i", "ħ": "h"}
_IN_FULL = {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"}
_SOUNDS = (
    ("eigh", "ei"),
    ("ph", "f"),
    ("gh", "g"),
    ("kh", "k"),
    ("ck", "k"),
    ("sch", "s"),
    ("sh", "s"),
    ("cz", "s"),
    ("sz", "s"),
    ("ch", "s"),
    ("th", "t"),
    ("dh", "d"),
    ("wh", "w"),
    ("dj", "j"),
    ("ce", "se"),
    ("ci", "si"),
    ("cy", "si"),
)
_LETTERS = str.maketrans({"c": "k", "q": "k", "z": "s", "v": "w", "g": "j", "y": "i", "h": "", "x": "ks"})
_VOWEL = frozenset("aeiouy")
_LIKE_I = frozenset("ijy")
_LONG_I = re.compile("(?:eigh|ey|ie|ee|ea|y|i)+")
_LONG_U = re.compile("(?:oo|ou|u)+")
_VOWELS = re.compile("[aeiou]+")
_TWICE = re.compile(r"(.)\1+")


class _Table(dict[int, str]):
    def __missing__(self, code: int) -> str:
        char = chr(code)
        base = unicodedata.normalize("NFD", char)[0].lower()[0]
        base = _PLAIN.get(base, base)
        self[code] = base if base.isalnum() else " "
        return self[code]


_TABLE = _Table()


def fold(text: str) -> str:
    """The text in lower case without accents, everything but letters and digits a space; as long as it was.

    Text with combining marks is no longer as long; :func:`composed` takes care of it beforehand.

    Examples
    --------
    >>> fold("Zoë O’Brien-Łuczak, 4B")
    'zoe o brien luczak  4b'
    """
    return text.translate(_TABLE)


def composed(text: str) -> tuple[str, list[int] | None]:
    """The text without combining marks, and the place of each of its characters in the original.

    Places are None where there was no mark, which is nearly always: then nothing has moved.

    Examples
    --------
    >>> composed("Zoe\\u0308 Bo")
    ('Zoe Bo', [0, 1, 2, 4, 5, 6, 7])
    """
    if text.isascii() or not _MARK.search(text):
        return text, None
    kept = [place for place, char in enumerate(text) if not _MARK.match(char)]
    return "".join(text[place] for place in kept), [*kept, len(text)]


def spellings(name: str) -> tuple[str, ...]:
    """The ways of writing one name, folded: with and without what joins its parts, and umlauts in full.

    Examples
    --------
    >>> spellings("O'Brien"), spellings("Müller"), spellings("Mei-Ling")
    (('o brien', 'obrien'), ('muller', 'mueller'), ('mei ling', 'meiling'))
    """
    name = unicodedata.normalize("NFC", name)
    ways = {" ".join(fold(name).split()): None}
    if re.search(r"\S[-'’‘`\s]\S", name.strip()):
        ways[next(iter(ways)).replace(" ", "")] = None
    full = "".join(_IN_FULL.get(char, char) for char in name.lower())
    if full != name.lower():
        ways[" ".join(fold(full).split())] = None
    return tuple(way for way in ways if way)


def sound(word: str) -> str:
    """How a folded word sounds, roughly: consonants written differently as one, vowels left out after the first.

    Made for spellings of one name from several languages, so that it takes z for s, v for w and q for k; metaphone
    keeps such apart, because it is about English words.

    Examples
    --------
    >>> sound("fatima") == sound("fatema"), sound("mohammed") == sound("muhamad"), sound("sean") == sound("shaun")
    (True, True, True)
    """
    for written, heard in _SOUNDS:
        word = word.replace(written, heard)
    word = _TWICE.sub(r"\1", word.translate(_LETTERS))
    first = "a" if word[:1] in "aeiou" else ""
    return first + _TWICE.sub(r"\1", _VOWELS.sub("", word))


def heard_alike(one: str, other: str) -> bool:
    """Whether two folded words differ only in how a long i or u, or a doubled letter, is written.

    Examples
    --------
    >>> heard_alike("priya", "preeya"), heard_alike("ashleigh", "ashley"), heard_alike("mia", "may")
    (True, True, False)
    """
    return one[:1] == other[:1] and _plainly_heard(one) == _plainly_heard(other)


def _plainly_heard(word: str) -> str:
    return _TWICE.sub(r"\1", _LONG_U.sub("u", _LONG_I.sub("i", word)))


def without_one(word: str) -> Iterator[str]:
    """The word, and the word less one letter, for each: two words that share one of these may be one slip apart.

    Examples
    --------
    >>> sorted(without_one("abc"))
    ['ab', 'abc', 'ac', 'bc']
    """
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]


def one_slip(one: str, other: str) -> bool:
    """Whether one letter put in, left out or changed, or two neighbours swapped, leads from one to the other.

    Examples
    --------
    >>> one_slip("fatima", "fatema"), one_slip("thomas", "thoams"), one_slip("zara", "zara"), one_slip("zara", "zola")
    (True, True, False, False)
    """
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    first = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        first += 1
    one, other = one[first:], other[first:]
    if one[1:] == other[1:] or one[1:] == other or one == other[1:]:
        return True
    return one[2:] == other[2:] and one[:2] == other[1::-1] and len(one) > 1


def usual_slip(one: str, other: str) -> bool:
    """Whether the one slip between two words is of the usual kinds, and not in the first letter.

    Neighbours swapped, a letter put in or left out, a vowel for a vowel, or a consonant for one that sounds the same:
    what tells a short name that is misspelt from another short word.

    Examples
    --------
    >>> [usual_slip("arlo", word) for word in ("alro", "arllo", "arla", "arko", "carlo")]
    [True, True, True, False, False]
    """
    if one[:1] != other[:1] or not one_slip(one, other):
        return False
    if len(one) != len(other) or sorted(one) == sorted(other):
        return True
    a, b = next((a, b) for a, b in zip(one, other, strict=True) if a != b)
    return (a in _VOWEL and b in _VOWEL) or {a, b} <= _LIKE_I or sound(one) == sound(other)


def slips(one: str, other: str, most: int = 2) -> int:
    """Letters put in, left out or changed, or neighbours swapped, that lead from one to the other; ``most`` + 1 beyond.

    Examples
    --------
    >>> slips("fatima", "fatema"), slips("thomas", "thoams"), slips("zara", "quentin")
    (1, 1, 3)
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, row = row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return min(row[-1], most + 1)
