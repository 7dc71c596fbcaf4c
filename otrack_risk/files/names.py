"""Names of files and folders: which of them name a child.

A name in a file name is a weak sign: children are called Rose, Summer and Will. So one name alone names nobody; it
takes forename and surname of one child, a surname and an initial, a key such as the UPN, or a class beside the name.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from otrack_risk.errors import FieldError
from otrack_risk.files.results import WAYS, NameFindings

if TYPE_CHECKING:
    import polars as pl

Rows = frozenset[int]
Key = TypeVar("Key", str, int)
NOBODY: Rows = frozenset()
# The words of the calendar that are forenames too, and stand in file names for a time: the months, seasons and feasts
# of the English school year, by going through the calendar.
CALENDAR = frozenset((
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "spring", "summer", "autumn", "winter", "easter", "christmas", "noel", "pentecost", "advent",
))  # fmt: skip
_UNSPLIT = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "æ": "ae", "Æ": "AE", "đ": "d", "Đ": "D"})
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|[0-9]+")
_RUNS = re.compile(r"[A-Za-z0-9]+")
_UPN = re.compile(r"(?<![A-Za-z0-9])[A-HJ-NP-RT-Za-hj-np-rt-z][0-9]{11}[0-9A-HJ-NP-RT-Za-hj-np-rt-z](?![A-Za-z0-9])")
_POSSESSIVE = re.compile(r"['’`][sS](?![A-Za-z])")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_CLASS = re.compile(r"(?<![A-Za-z0-9])(?:1[0-3]|[1-9])[A-Za-z](?![A-Za-z0-9])")
_YEARS = {"reception": 0, "nursery": -1}
_LONGEST = 3  # pieces that one name is put together from: o + neill, mc + donald, lily + mae


class Hit(NamedTuple):
    """Rows of the roster that a word can name."""

    forename: Rows = NOBODY
    surname: Rows = NOBODY


class Known(Protocol):
    """The people whom file names may name: a roster."""

    @property
    def keys(self) -> Mapping[str, int]:
        """UPN and other keys in capitals -> row."""

    @property
    def classes(self) -> Mapping[str, Rows]:
        """Class as :func:`folded` has it ("4b", "5beech") -> rows; empty where classes are not known."""

    @property
    def years(self) -> Mapping[int, Rows]:
        """National curriculum year (0 for Reception) -> rows; empty where years are not known."""

    def match(self, tokens: Sequence[str]) -> Sequence[Hit | None]:
        """For each token (folded, see :func:`folded`) whom it can name; a single letter is an initial."""


class Named(NamedTuple):
    """Whom one file's name or folder names."""

    way: str | None  # a name of results.WAYS, or None where it names nobody
    rows: Rows  # of the roster: one, or several who cannot be told apart
    upn: bool  # something has the form of a UPN
    one_name: bool  # there is a single name, which does not count


class People:
    """A roster that knows names as they are written in it: the exact forms only.

    Examples
    --------
    >>> import polars as pl
    >>> pupils = pl.DataFrame({"forename": ["Zoë", "Lily-Mae"], "surname": ["O'Neill", "Stone"], "form": ["4B", "5C"]})
    >>> people = People(pupils, forenames=["forename"], surnames=["surname"], group="form")
    >>> [sorted(named(name, people).rows) for name in ("ONeillZoe_1.jpg", "lily mae 5c.png", "Stone age.docx")]
    [[0], [1], []]
    """

    def __init__(
        self,
        rows: pl.DataFrame,
        *,
        forenames: Sequence[str],
        surnames: Sequence[str],
        keys: Sequence[str] = (),
        group: str | None = None,
        year: str | None = None,
    ) -> None:
        """Columns by what they hold; several forename columns where a preferred name is held too."""
        asked = [*forenames, *surnames, *keys, *(name for name in (group, year) if name)]
        if missing := [name for name in asked if name not in rows.columns]:
            raise FieldError(
                f"'{missing[0]}' is not a field of this table (its fields: {', '.join(rows.columns)}).",
                "correct the name.",
            )
        first, last = _by_name(rows, forenames), _by_name(rows, surnames)
        self._hits = {token: Hit(first.get(token, NOBODY), last.get(token, NOBODY)) for token in {*first, *last}}
        found: dict[str, int] = {}
        for name in keys:
            for row, value in enumerate(rows[name]):
                if value is not None and str(value).strip():
                    found.setdefault(str(value).strip().upper(), row)
        self.keys: Mapping[str, int] = found
        self.classes: Mapping[str, Rows] = {} if group is None else _grouped(rows[group], folded)
        self.years: Mapping[int, Rows] = {} if year is None else _grouped(rows[year], _year_of)

    def match(self, tokens: Sequence[str]) -> Sequence[Hit | None]:
        return [self._hits.get(token) for token in tokens]


def look(paths: Sequence[str | PurePath], people: Known, progress: Callable[[int], None] | None = None) -> NameFindings:
    """How many files name a child in their own name or in that of a folder they are in.

    Parameters
    ----------
    paths : names with their folders below the root of what was exposed, not above it
    people : whose names are looked for
    progress : is told how many more files are done

    Notes
    -----
    A file counts for a key of the roster; for forename and surname of one child in one part of its path; for a
    surname or forename with the initial of the other next to it; or for one name and a class or year anywhere in its
    path. Where the roster has that class, only its children count. A single name that is a word of the
    calendar (:data:`CALENDAR`) does not count beside a class either. Nicknames and misspelt names count as far as
    ``people`` knows them.
    """
    found = link(paths, people, progress)
    one = [next(iter(each.rows)) for each in found if each.way is not None and len(each.rows) == 1]
    ways = Counter(each.way for each in found if each.way is not None)
    return NameFindings(
        files=len(found),
        naming={way: ways.get(way, 0) for way in WAYS},
        with_upn=sum(each.upn for each in found),
        one_name=sum(each.one_name for each in found),
        linked_to_a_child=len(one),
        children=len(set(one)),
        children_possible=len(NOBODY.union(*(each.rows for each in found))),
    )


def link(paths: Sequence[str | PurePath], people: Known, progress: Callable[[int], None] | None = None) -> list[Named]:
    """For each path whom it names; for who wants to join it with more, and not for a page."""
    parts: dict[str, _Part] = {}
    found = []
    for place, path in enumerate(paths, start=1):
        found.append(named(path, people, parts))
        if progress and (place % 4096 == 0 or place == len(paths)):
            progress((place - 1) % 4096 + 1)
    return found


def named(path: str | PurePath, people: Known, known: dict[str, _Part] | None = None) -> Named:
    """Whom one path names; ``known`` keeps what folders say from one path to the next."""
    known = {} if known is None else known
    pieces = [piece for piece in re.split(r"[/\\]", str(path)) if piece not in ("", ".", "..")]
    if not pieces:
        return Named(None, NOBODY, upn=False, one_name=False)
    parts = [_part(_SUFFIX.sub("", pieces[-1]), people)]
    for piece in reversed(pieces[:-1]):  # the innermost folder says more than those around it
        if piece not in known:
            known[piece] = _part(piece, people)
        parts.append(known[piece])
    upn = any(part.upn for part in parts)
    for way in ("key", "full_name", "initial"):
        for part in parts:
            if rows := part.found.get(way):
                return Named(way, rows, upn, one_name=False)
    in_class = [part.of_class for part in parts if part.in_class]
    for part in parts if in_class else ():
        rows = part.single
        for of_class in in_class:
            rows = rows if of_class is None else rows & of_class
        if rows:
            return Named("class", rows, upn, one_name=False)
    return Named(None, NOBODY, upn, one_name=any(part.single for part in parts))


def folded(text: str) -> str:
    """A name as tokens are compared: small letters and digits only, without marks.

    Examples
    --------
    >>> folded("O'Neill"), folded("Zoë"), folded("5 Beech"), folded("Łukasik")
    ('oneill', 'zoe', '5beech', 'lukasik')
    """
    return "".join(each for each in _plain(text).casefold() if each.isalnum())


def tokens(text: str) -> list[str]:
    """The words of a name, split at separators, at digits and where a capital begins a new word.

    Examples
    --------
    >>> tokens("AishaBegum_Y4-2.final")
    ['aisha', 'begum', 'y', '4', '2', 'final']
    """
    return [each.casefold() for each in _PARTS.findall(_plain(_POSSESSIVE.sub("", text)))]


class _Part(NamedTuple):
    """What one file name or folder says by itself."""

    found: Mapping[str, Rows]  # key, full_name, initial
    single: Rows  # whom a single name can mean
    in_class: bool  # a class or year stands in it
    of_class: Rows | None  # its children, where the roster knows them
    upn: bool


def _part(text: str, people: Known) -> _Part:
    words = tokens(text)
    found: dict[str, Rows] = {}
    by_key = {people.keys[run.upper()] for run in _RUNS.findall(text) if run.upper() in people.keys}
    if by_key:
        found["key"] = frozenset(by_key)
    in_class, of_class, taken = _class(text, words, people)
    hits = _hits(words, people, taken)
    full = NOBODY.union(
        *(one.forename & other.surname for at, _, one in hits for place, _, other in hits if at != place)
    )
    if full:
        found["full_name"] = full
    elif beside := _initials(words, hits, people, taken):
        found["initial"] = beside
    single = NOBODY.union(*(hit.forename | hit.surname for _, word, hit in hits if word not in CALENDAR))
    return _Part(found, single, in_class, of_class, _UPN.search(text) is not None)


def _hits(words: Sequence[str], people: Known, taken: set[int]) -> list[tuple[range, str, Hit]]:
    """Names in the words, put together from up to three of them, the longest first; a word is of one name only."""
    candidates = [
        (range(start, start + length), "".join(words[start : start + length]))
        for length in range(min(_LONGEST, len(words)), 0, -1)
        for start in range(len(words) - length + 1)
    ]
    candidates = [(at, word) for at, word in candidates if len(word) > 1 and not word.isdigit()]
    free = set(range(len(words))) - taken
    found = []
    for (at, word), hit in zip(candidates, people.match([word for _, word in candidates]), strict=True):
        if hit is not None and free.issuperset(at):
            free.difference_update(at)
            found.append((at, word, hit))
    return found


def _initials(words: Sequence[str], hits: Sequence[tuple[range, str, Hit]], people: Known, taken: set[int]) -> Rows:
    """Whom a name with the initial of the other one next to it can mean."""
    rows = NOBODY
    for at, _, hit in hits:
        beside = [place for place in (at.start - 1, at.stop) if 0 <= place < len(words) and place not in taken]
        letters = [words[place] for place in beside if len(words[place]) == 1 and words[place].isalpha()]
        for initial in people.match(letters):
            if initial is not None:
                rows |= (hit.surname & initial.forename) | (hit.forename & initial.surname)
    return rows


def _class(text: str, words: Sequence[str], people: Known) -> tuple[bool, Rows | None, set[int]]:
    """Whether a class or year stands in the text, its children where they are known, and the places of its words."""
    rows: Rows | None = None
    taken: set[int] = set()
    found = False
    for length in range(min(_LONGEST, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            of_class = people.classes.get("".join(words[start : start + length]))
            if of_class is not None and taken.isdisjoint(range(start, start + length)):
                found, rows = True, of_class if rows is None else rows & of_class
                taken.update(range(start, start + length))
    for place, word in enumerate(words):
        year = _YEARS.get(word)
        if word in ("y", "yr", "year") and place + 1 < len(words) and words[place + 1].isdigit():
            number = int(words[place + 1])
            year = number if 1 <= number <= 13 else None
        if year is not None and place not in taken:
            found = True
            taken.update({place, place + 1} if word not in _YEARS else {place})
            if (of_year := people.years.get(year)) is not None:
                rows = of_year if rows is None else rows & of_year
    if not found and not people.classes:
        found = _CLASS.search(text) is not None
    return found, rows, taken


def _by_name(rows: pl.DataFrame, columns: Sequence[str]) -> dict[str, Rows]:
    """Token -> rows: the whole name, its parts of three letters or more, and its initial."""
    held: dict[str, set[int]] = {}
    for column in columns:
        for row, value in enumerate(rows[column]):
            if value is None or not (whole := folded(str(value))):
                continue
            dropped = "".join(each for each in str(value).casefold() if each.isascii() and each.isalnum())
            pieces = [folded(piece) for piece in re.split(r"[\s\-]+", str(value))]
            for token in {whole, dropped, whole[0], *(piece for piece in pieces if len(piece) > 2)} - {""}:
                held.setdefault(token, set()).add(row)
    return {token: frozenset(of) for token, of in held.items()}


def _grouped(values: pl.Series, key: Callable[[str], Key | None]) -> dict[Key, Rows]:
    held: dict[Key, set[int]] = {}
    for row, value in enumerate(values):
        if value is not None and (found := key(str(value))) is not None and found != "":
            held.setdefault(found, set()).add(row)
    return {found: frozenset(of) for found, of in held.items()}


def _year_of(text: str) -> int | None:
    number = re.search(r"\d{1,2}", text)
    return int(number[0]) if number else 0 if text.strip().upper() in ("R", "RECEPTION") else None


def _plain(text: str) -> str:
    """Without marks on letters; length may change."""
    split = unicodedata.normalize("NFKD", text.translate(_UNSPLIT))
    return "".join(each for each in split if not unicodedata.combining(each))
