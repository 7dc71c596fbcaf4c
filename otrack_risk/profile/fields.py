"""The known fields of school data, and which of them a header means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from otrack_risk import reference
from otrack_risk.schema import PersonKind, Role

# Words in a header that say whose field it is ("Parent email"), and words that add nothing to its meaning.
_WHOSE: Mapping[str, PersonKind] = {
    **dict.fromkeys(("pupil", "student", "child", "children", "learner"), "child"),
    **dict.fromkeys(("parent", "guardian", "carer", "contact", "mother", "father", "mum", "dad"), "guardian"),
    **dict.fromkeys(("staff", "teacher", "employee", "tutor"), "staff"),
}
_EMPTY_WORDS = frozenset(
    ("legal", "preferred", "chosen", "current", "primary", "main", "code", "desc", "description", "status", "value")
) | {"metadata", "is", "has", "flag", "indicator", "of", "the", "s"}
_SHORT = {  # words as exports cut them short (typed from general knowledge of them)
    **{"yr": "year", "grp": "group", "gp": "group", "cls": "class", "reg": "registration", "sch": "school"},
    **{"snm": "surname", "surn": "surname", "fnm": "forename", "fore": "forename", "nm": "name", "pref": "preferred"},
    **{"addr": "address", "add": "address", "pcode": "postcode", "mob": "mobile", "tele": "telephone", "num": "number"},
    **{"lang": "language", "eth": "ethnicity", "relig": "religion", "rel": "religion", "stat": "status"},
    **{"prov": "provision", "elig": "eligible", "att": "attendance", "attend": "attendance", "adm": "admission"},
    **{"med": "medical", "cond": "condition", "dt": "date", "gend": "gender", "ind": "indicator", "cat": "category"},
    **{"rd": "reading", "wr": "writing"},
}
# A single word of a longer header carries its meaning only where nobody uses it of other things as well.
_COMMON_WORDS = frozenset(
    ("name", "title", "phone", "email", "mail", "contact", "address", "photo", "image", "file", "path", "login", "user")
) | {"username", "account", "grade", "grades", "score", "result", "level", "mark", "marks", "set", "band", "points"}
_TELLING: tuple[Role, ...] = ("direct", "quasi", "sensitive", "free_text")
_ASIDE = re.compile(r"\([^)]*\)|\[[^]]*\]")  # "(dd/mm/yyyy)", "(Y/N)"
_ORDINAL = re.compile(r"(?<![0-9])([0-9]{1,2})(?:st|nd|rd|th)\b", re.I)  # "1st Contact"
_APART = re.compile(r"\s*[/|:;,?&+]\s*|\s+[-\u2013]\s+|\s+or\s+")  # "Tutor Group / Form", "Ethnicity - Description"


@dataclass(frozen=True)
class Field:
    """A field that school systems are known to have; one entry of reference/fields.toml, which says what each is."""

    name: str
    label: str
    role: Role
    kind: str
    category: str
    known_by: tuple[str, ...] = ()
    subjects: PersonKind | None = None
    person: int | None = None
    shape: str | None = None
    codes: str | None = None
    decides: int | None = None
    decides_with: tuple[str, ...] = ()
    values: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    between: tuple[int, int] | None = None
    link: bool = False

    def fits(self, sample: pl.Series) -> bool:
        """Whether the header can mean this field with these values; always, for a field without a condition."""
        if self.values:
            found = {str(value).strip().casefold() for value in sample.unique().to_list()}
            return bool(found) and found <= {value.casefold() for value in self.values}
        if self.between:
            written = sample.cast(pl.String).str.to_uppercase().str.replace(r"^\s*(YEAR|YR|Y)\b", "").str.strip_chars()
            inside = written.cast(pl.Int64, strict=False).is_between(*self.between).fill_null(False)
            if self.codes:
                inside |= written.is_in(list(code_sets()[self.codes]))
            return len(inside) > 0 and bool(inside.all())
        return True


@dataclass(frozen=True)
class Meaning:
    """What a header means: a field, and of whom where the header says so."""

    field: Field
    of: PersonKind | None  # "Parent email" is a guardian's; None where the header names nobody
    exact: bool  # the whole header is a known name, rather than the words that carry its meaning
    of_table: bool  # a name of the table that it stands in: "name" in "schools"


def meaning(header: str, table: str, sample: pl.Series) -> Meaning | None:
    """The known field that a header means in a table, or None.

    Names are compared as lower-case letters and digits. A name that belongs to the table ("name" in "schools")
    comes first, then fields that only some values can be (an "address" of U and R), then the others; then
    the same for the header without words that say whose it is ("Parent 1 email"), or add nothing ("code"), for its
    words spelt out ("Yr. Grp"), and for its parts ("Tutor Group / Form"). At last some of its words may
    name a field: two and more in a row, or one that is used of nothing else ("FSM as of census day").

    Examples
    --------
    >>> nothing = pl.Series([], dtype=pl.String)
    >>> meaning("dateOfBirth", "users", nothing).field.name, meaning("Name", "schools", nothing).field.name
    ('date_of_birth', 'school_name')
    >>> found = meaning("Parent 1 E-mail", "pupils", nothing)
    >>> found.field.name, found.of
    ('email', 'guardian')
    """
    for squashed, of in _readings(header):
        for qualifier in (*_table_keys(table), ""):
            candidates = [field for field in _by_header().get((qualifier, squashed), ()) if field.fits(sample)]
            if candidates:
                best = min(candidates, key=lambda field: not (field.values or field.between))
                return Meaning(best, of, exact=squashed == _squashed(header), of_table=bool(qualifier))
    return _within(header, sample)


@cache
def known_fields() -> tuple[Field, ...]:
    """Every known field, in the order of reference/fields.toml."""
    return tuple(_field(entry) for entry in reference.load("fields").entries["field"])


@cache
def code_sets() -> Mapping[str, frozenset[str]]:
    """The codes of each set of reference/code_sets.csv, in capitals."""
    rows = reference.load("code_sets").entries["row"]
    return {name: frozenset(row["code"].upper() for row in rows if row["set"] == name) for name in _names(rows)}


@cache
def code_labels() -> Mapping[str, frozenset[str]]:
    """What the codes of each set mean, as :func:`plain` writes it; of the sets that fields are told by."""
    rows = reference.load("code_sets").entries["row"]
    return {name: frozenset(plain(row["label"]) for row in rows if row["set"] == name) for name in _names(rows)}


def plain(label: str) -> str:
    """A label as labels are compared: its letters, small, without what systems write or leave out.

    Examples
    --------
    >>> plain("White - British") == plain("White British"), plain("Any other mixed background")
    (True, 'anyothermixed')
    """
    return re.sub(r"[^a-z]|\bbackground\b|\band\b", "", _unaccented(label).lower())


def words(name: str) -> list[str]:
    """The words of a name in small letters: camelCase and digits apart, accents off.

    Examples
    --------
    >>> words("pupilSEN_status2"), words("Date of Birth")
    (['pupil', 'sen', 'status', '2'], ['date', 'of', 'birth'])
    """
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", _unaccented(name))]


def whose(name: Iterable[str]) -> list[PersonKind]:
    """The kinds of person whom the words of a name speak of, each once.

    Examples
    --------
    >>> whose(["pupil", "guardians"]), whose(["attendance"])
    (['child', 'guardian'], [])
    """
    kinds = (_WHOSE.get(word) or _WHOSE.get(word.removesuffix("s")) for word in name)
    return list(dict.fromkeys(kind for kind in kinds if kind))


def _readings(header: str) -> Iterable[tuple[str, PersonKind | None]]:
    """The header as a whole, then without what carries no meaning, then its parts ("Tutor Group / Form"), then runs."""
    yield _squashed(header), None
    bare = _ORDINAL.sub(r"\1", _ASIDE.sub(" ", header))
    for part in dict.fromkeys((header, bare, *_APART.split(bare))):
        yield _squashed(part), None
        whole = words(part)
        for spelt in (whole, [_SHORT.get(word, word) for word in whole]):
            yield from _without_ballast(spelt)


def _without_ballast(whole: list[str]) -> Iterable[tuple[str, PersonKind | None]]:
    """The words without empty ones and numbers, then without whose it is."""
    telling = [word for word in whole if word not in _EMPTY_WORDS and not word.isdigit()]
    yield "".join(whole), None
    yield "".join(telling), None
    if kinds := whose(whole):  # "Student's parent's e-mail" is the parent's
        of = next((kind for kind in kinds if kind != "child"), kinds[0])
        yield "".join(word for word in whole if not whose([word])), of
        yield "".join(word for word in telling if not whose([word])), of


def _within(header: str, sample: pl.Series) -> Meaning | None:
    """The field that some words of an unknown header name: the longest run of two or more, else one telling word."""
    spelt = [_SHORT.get(word, word) for word in words(_ASIDE.sub(" ", header))]
    kinds = whose(spelt)
    of = next((kind for kind in kinds if kind != "child"), kinds[0] if kinds else None)
    kept = [word for word in spelt if not whose([word])]
    for length in range(len(kept) - 1, 0, -1):
        for start in range(len(kept) - length + 1):
            run = kept[start : start + length]
            if length == 1 and (len(run[0]) < 3 or run[0] in _COMMON_WORDS):
                continue
            for field in _by_header().get(("", "".join(run)), ()):
                if field.fits(sample) and field.role in (("direct", "sensitive") if length == 1 else _TELLING):
                    return Meaning(field, of, exact=False, of_table=False)
    return None


@cache
def _by_header() -> Mapping[tuple[str, str], list[Field]]:
    index: dict[tuple[str, str], list[Field]] = {}
    for entry, field in zip(reference.load("fields").entries["field"], known_fields(), strict=True):
        for header in entry["headers"]:
            table, _, name = header.rpartition(".")
            index.setdefault((_singular(_squashed(table)), _squashed(name)), []).append(field)
    return index


def _field(entry: Mapping[str, Any]) -> Field:
    content = {key: value for key, value in entry.items() if key not in ("headers", "status", "because")}
    content.setdefault("kind", content["name"])
    for key in ("known_by", "decides_with", "between"):
        if key in content:
            content[key] = tuple(content[key])
    labels = frozenset(plain(label) for label in content.get("labels", ()))
    return Field(**content | {"values": frozenset(content.get("values", ())), "labels": labels})


def _names(rows: Iterable[Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(row["set"] for row in rows))


def _table_keys(table: str) -> list[str]:
    return list(dict.fromkeys(_singular(name) for name in (_squashed(table), *words(table)) if name))


def _singular(name: str) -> str:
    return name if name.endswith("ss") else re.sub(r"(es|s|e)$", "", name)


def _squashed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", _unaccented(name).lower())


def _unaccented(name: str) -> str:
    return unicodedata.normalize("NFKD", name)
