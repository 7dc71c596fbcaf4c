"""Which data a name points to, and which level it tells of: permissions of an MIS, folders, files.

The words are data (``reference/mis_permissions.toml``, and the categories of ``roles.toml``); here they are looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from otrack_risk import reference, schema
from otrack_risk.access.words import verbs_of

CHILDREN, STAFF, RIGHTS = "children", "staff", "rights"
_LONGEST = 5  # words of a phrase
_FILLING = {"all", "only", "and", "set", "level", "access"}  # words of a level that say nothing more


@dataclass(frozen=True)
class Area:
    """What a name is about."""

    categories: tuple[str, ...]  # of children's data; empty where it is about staff or rights
    about: str = CHILDREN  # children, staff (no child's data), rights (who may change it can take every category)
    verb: str | None = None  # what it lets do, whatever its level says
    whole: bool = False  # so is everything below it in a permission's name


@dataclass(frozen=True)
class Level:
    """A level as it is written."""

    verbs: str | None  # words of roles.toml with a comma between; None: none is named
    whose: str | None  # group, cohort, everybody; None: not said
    rest: str  # the other words


def parts_of(name: str) -> list[str]:
    """A permission's name in its parts: ``Area, Sub-area, View (All)`` or ``Area: Sub-area: View``.

    Examples
    --------
    >>> parts_of("Students, Ethnic/Cultural,View (All)"), parts_of("Student Profile: Attendance: My Students")
    (['Students', 'Ethnic/Cultural', 'View (All)'], ['Student Profile', 'Attendance', 'My Students'])
    """
    return [part.strip() for part in re.split(r"[,:;|>]| [-\u2013] ", name) if part.strip()]


def area_of(parts: Sequence[str]) -> Area | None:
    """What a name of several parts is about: the last of them that is known decides; None where none is.

    Examples
    --------
    >>> area_of(["Students", "Welfare", "Disabilities"]), area_of(["Personnel"]).about, area_of(["Lockers"])
    (Area(categories=('medical', 'sen'), about='children', verb=None, whole=False), 'staff', None)
    """
    for part in reversed(parts):
        found = list(_phrases(plain(part)))
        if of_children := [area for area in found if area.about == CHILDREN]:
            names = tuple(dict.fromkeys(name for area in of_children for name in area.categories))
            return Area(names, verb=next((area.verb for area in of_children if area.verb), None))
        for about in (RIGHTS, STAFF):
            if same := [area for area in found if area.about == about]:
                return Area((), about, whole=any(area.whole for area in same))
    return None


def level_of(text: str) -> Level:
    """The level in a cell, or in the last part of a permission's name.

    Examples
    --------
    >>> level_of("Administer All Students")
    Level(verbs='admin', whose='everybody', rest='')
    >>> level_of("View, Edit").verbs, level_of("Attendance").rest
    ('view, edit', 'attendance')
    """
    words = f" {plain(text)} "
    table = reference.load("mis_permissions").entries
    whose = None
    for entry in table["whose"]:
        for phrase in entry["words"]:
            if f" {phrase} " in words:
                whose, words = whose or entry["scope"], words.replace(f" {phrase} ", " ")
    verbs: dict[str, int] = {}
    for entry in table["level"]:
        for phrase in sorted(entry["words"], key=len, reverse=True):
            if f" {phrase} " in words:
                verbs.setdefault(entry["verb"], words.index(f" {phrase} "))
                words = words.replace(f" {phrase} ", " ")
    rest = " ".join(word for word in words.split() if not (verbs or whose) or word not in _FILLING)
    return Level(", ".join(sorted(verbs, key=lambda verb: verbs[verb])) or None, whose, rest)


def verbs_in(text: str) -> Level:
    """The level of a cell that holds nothing else; one that is not understood stands as it is written."""
    level = level_of(text)
    if level.verbs and not level.rest:
        return level
    known = verbs_of(text)
    if known is None:
        return Level(text.strip(), level.whose, "")
    return Level("off" if known == ["none"] else ", ".join(known), level.whose, "")


@lru_cache(10_000)
def plain(text: str) -> str:
    """Small letters, and a space for every run of anything else than letters and digits."""
    return re.sub(r"[\s_\-/()\[\].,&'\u2019]+", " ", text.lower()).strip()


def _phrases(text: str) -> Iterator[Area]:
    """The areas that stand in a text, the longest phrase first at each place."""
    table, words, place = _table(), text.split(), 0
    while place < len(words):
        for length in range(min(_LONGEST, len(words) - place), 0, -1):
            if found := table.get(" ".join(words[place : place + length])):
                yield found
                place += length
                break
        else:
            place += 1


@cache
def _table() -> Mapping[str, Area]:
    entries: list[dict[str, Any]] = reference.load("mis_permissions").entries["area"]
    labels = schema.categories()
    categories = [entry for entry in reference.load("roles").entries["category"] if entry["name"] != "other"]
    known = {
        plain(word): Area((e["name"],))
        for e in categories
        for word in (e["name"], labels.get(e["name"], e["name"]), *e["synonyms"])
    }
    return known | {
        plain(word): Area(tuple(e["categories"]), e.get("about", CHILDREN), e.get("verb"), e.get("whole", False))
        for e in entries
        for word in e["words"]
    }
