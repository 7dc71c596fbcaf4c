"""The words of grants: roles, scopes, verbs and categories, and what a file may call them.

All of it is data (``reference/roles.toml``); here it is only looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from otrack_risk import reference, schema

FULL = 20  # strength of a row that can be read, in twentieths: a flag is 5, a total is 1
NO_ROLE = "(no role)"  # a grant given to an account directly


@dataclass(frozen=True)
class Role:
    """A role of the matrix."""

    name: str
    label: str
    register: str  # what "register" means for it: "sen" or "sen_or_looked_after"
    taught: bool = False  # teaches or helps groups
    ad_hoc: bool = False  # comes and goes: its grants need an end date


@dataclass(frozen=True)
class Scope:
    """How far a grant reaches, from narrow to wide."""

    name: str
    letter: str
    label: str
    rank: int  # position from narrow to wide
    strength: int  # twentieths of a readable row, for one child
    matrix_only: bool = False  # a word of the matrix that no grant has
    grants_only: bool = False  # a word of grants that no matrix has


@dataclass(frozen=True)
class Verb:
    """What a grant allows."""

    name: str
    label: str
    weight: float
    gives: tuple[str, ...]  # verbs that it allows besides


def roles() -> dict[str, Role]:
    """Every role by name, in order of seniority."""
    entries = reference.load("roles").entries["role"]
    return {
        e["name"]: Role(e["name"], e["label"], e["register"], e.get("taught", False), e.get("ad_hoc", False))
        for e in entries
    }


def scopes() -> dict[str, Scope]:
    """Every scope by name, from narrow to wide."""
    entries = reference.load("roles").entries["scope"]
    return {
        e["name"]: Scope(
            e["name"],
            e["letter"],
            e["label"],
            rank,
            round(e["weight"] * FULL),
            e.get("matrix_only", False),
            e.get("grants_only", False),
        )
        for rank, e in enumerate(entries)
    }


def verbs() -> dict[str, Verb]:
    """Every verb that grants something, lightest first."""
    entries = reference.load("roles").entries["verb"]
    return {
        e["name"]: Verb(e["name"], e["label"], float(e["weight"]), tuple(e["gives"]))
        for e in entries
        if e["name"] != "none"
    }


def denied_with(verb: str) -> tuple[str, ...]:
    """The verbs that a denial of this one takes away: itself, and every verb that would give it besides.

    Examples
    --------
    >>> denied_with("view"), denied_with("edit"), denied_with("admin")
    (('view', 'edit', 'export', 'admin'), ('edit', 'admin'), ('admin',))
    """
    return tuple(each.name for each in verbs().values() if verb == each.name or verb in each.gives)


def role_label(name: str) -> str:
    """How a role is called on paper: its label, or the source's word."""
    known = roles().get(name)
    return name if known is None else known.label


def category_label(name: str) -> str:
    """How a category is called on paper: its label, or the source's word."""
    return schema.categories().get(name, name)


def numbered(what: str, words: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Words that are in no table of ours, under numbers, for a page: a word of a file may name somebody.

    Examples
    --------
    >>> numbered("role", ["ta", "night watch", NO_ROLE], ["ta"])
    {'night watch': 'role 1 (not in the matrix)'}
    """
    strange = sorted(set(words) - {*known, NO_ROLE})
    where = "matrix" if what == "role" else "tables"
    return {word: f"{what} {number} (not in the {where})" for number, word in enumerate(strange, start=1)}


def role_of(word: str | None) -> str | None:
    """The role that a word means, or None.

    Examples
    --------
    >>> role_of("Deputy Head"), role_of("SENDCo"), role_of("caretaker")
    ('slt', 'senco', None)
    """
    return _words("role").get(_plain(word or ""))


def category_of(word: str | None) -> str | None:
    """The data category that a word means, or None.

    Examples
    --------
    >>> category_of("FSM/PP"), category_of("free text"), category_of("lockers")
    ('fsm_pp', 'free_text', None)
    """
    return _words("category").get(_plain(word or ""))


def verbs_of(word: str | None) -> list[str] | None:
    """The verbs that a cell means, ``["none"]`` for a permission switched off, None where it cannot be told.

    Examples
    --------
    >>> verbs_of("View"), verbs_of("rw"), verbs_of("read, export"), verbs_of("Off"), verbs_of("bless")
    (['view'], ['view', 'edit'], ['view', 'export'], ['none'], None)
    """
    known, plain = _words("verb"), _plain(word or "")
    if plain in known:
        return [known[plain]]
    parts = re.split(r"[,;|+&\s]+", plain)
    if re.fullmatch(r"[rwxvd]{2,5}", plain):
        parts = ["w" if letter == "d" else letter for letter in plain]
    found = [known.get(part) for part in parts if part != "and"]
    return list(dict.fromkeys(verb for verb in found if verb)) if found and all(found) else None


def scope_of(word: str | None) -> tuple[str, str | None] | None:
    """The scope that a word means, with the key of an explicit form, or None.

    Examples
    --------
    >>> scope_of("own class"), scope_of("class:7B"), scope_of("year: R"), scope_of("the annexe")
    (('group', None), ('group', '7B'), ('cohort', '0'), None)
    >>> scope_of("listed:rows of v_own")
    ('listed', 'rows of v_own')
    """
    text = (word or "").strip()
    before, colon, key = text.partition(":")
    explicit = {"class": "group", "group": "group", "year": "cohort", "cohort": "cohort", "school": "school"}
    explicit |= {"listed": "listed", "list": "listed"}
    if colon:
        name, key = explicit.get(_plain(before)), key.strip()
        if name is None or not key:
            return None
        if name == "cohort":
            key = "0" if key.upper() in {"R", "RECEPTION"} else key.upper().removeprefix("Y").strip()
            return (name, str(int(key))) if re.fullmatch(r"-?\d{1,2}", key) else None
        return name, key
    found = _words("scope").get(_plain(text))
    return None if found is None or scopes()[found].matrix_only else (found, None)


@cache
def _words(array: str) -> Mapping[str, str]:
    entries: list[dict[str, Any]] = reference.load("roles").entries[array]
    known = {_plain(word): e["name"] for e in entries for word in (e["name"], *e["synonyms"], e.get("label", ""))}
    if array == "category":
        known |= {_plain(label): name for name, label in schema.categories().items()}
    known |= {_plain(e["name"]): e["name"] for e in entries}  # a name beats another's synonym
    known.pop("", None)
    return known


def _plain(text: str) -> str:
    return re.sub(r"[\s_\-/()]+", " ", text.lower()).strip()
