"""The exposure that a supplier's letter describes: fields and head-counts, and not one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from otrack_risk import schema
from otrack_risk.exposure.fields import Field
from otrack_risk.exposure.people import PeopleCount
from otrack_risk.exposure.results import ExposureScope, Images, Looked

if TYPE_CHECKING:
    from otrack_risk.frames.letter import Letter, LetterField

# Words in the name of a list that tell whom it is about; any other list is taken to be about children.
_STAFF = ("staff", "teacher", "employee", "user")
_GUARDIANS = ("guardian", "parent", "carer", "contact", "family", "families")
_HEADS = {"child": "children", "staff": "staff", "guardian": "guardians"}
_NOT_STATED = "The letter does not say."


def exposure_from_letter(letter: Letter) -> ExposureScope:
    """What a letter says was taken, in the form of :func:`exposure_scope` and marked ``modelled``.

    Parameters
    ----------
    letter : as :func:`otrack_risk.frames.letter.read_letter` gives it

    Notes
    -----
    A number that the letter states is repeated. People behind a field, where not stated, are its filled share
    of the people whom its list is about. People behind any of several fields are a range: at least
    the largest field's, at most their sum or all of the kind; a field of which the letter says neither
    people nor share is taken to be filled for all of the kind. What the letter does not name was *not looked for*:
    silence is not "none found".

    Examples
    --------
    >>> import datetime
    >>> from otrack_risk.frames.letter import Letter, LetterField
    >>> upn = LetterField(name="upn", table="pupils", category="identity", role="direct", filled_share=0.5)
    >>> told = Letter(supplier="S", system="T", dated=datetime.date(2026, 1, 12), people={"children": 8}, field=(upn,))
    >>> exposure_from_letter(told).directly_identified, exposure_from_letter(told).leavers
    (4, None)
    """
    heads: dict[str, int | None] = {kind: getattr(letter.people, name) for kind, name in _HEADS.items()}
    fields = tuple(_field(told, heads) for told in letter.fields)
    head_count = _head_count(letter, heads, fields)
    special = [f for f in fields if f.subjects == "child" and f.category in schema.special_categories()]
    special_least, special_most = _any_of(special, heads["child"])
    naming = [entry for entry in fields if entry.role == "direct"]
    named = [_any_of([entry for entry in naming if entry.subjects == kind], heads[kind]) for kind in heads]
    named_least = sum(least for least, _ in named)
    known = [most for _, most in named if most is not None]
    named_most = sum(known) if len(known) == len(named) else None
    total = head_count.total
    reasons = {
        "modelled": f"Modelled from the letter of {letter.dated.isoformat()}: numbers of people behind fields are its "
        "head-counts times the shares that it states.",
        "leavers": "A letter does not say who has left.",
    }
    for name, value in (
        ("children_special_category", special_most if special else None),
        ("directly_identified", named_most if naming else None),
        ("schools", letter.schools),
        ("oldest_year", letter.oldest_year),
    ):
        if value is None:
            reasons[name] = _NOT_STATED
    by_category = {
        category: _any_of([entry for entry in special if entry.category == category], heads["child"])
        for category in schema.categories()
        if any(entry.category == category for entry in special)
    }
    ranges = by_category | {
        "children_special_category": (special_least, special_most),
        "directly_identified": (named_least, named_most),
    }
    return ExposureScope(
        status="modelled",
        head_count=head_count,
        children_special_category=special_most if special else None,
        special_by_category={category: most for category, (_, most) in by_category.items()},
        images=Images(letter.images, None, None, "The letter says how many pictures, at most; none was opened."),
        directly_identified=named_most if naming else None,
        directly_identified_share=named_most / total
        if naming and named_most is not None and isinstance(total, int) and 0 < named_most <= total
        else None,
        directly_identified_columns=tuple(f"{entry.table}.{entry.field}" for entry in naming),
        fields=fields,
        schools=letter.schools,
        oldest_year=letter.oldest_year,
        oldest_year_column=None,
        leavers=None,
        at_least={name: least for name, (least, most) in ranges.items() if least != most},
        looked_for=_looked_for(letter, fields),
        left_out=(),
        reasons=reasons,
    )


def _subjects(table: str) -> schema.PersonKind:
    """Whom a list is about, by its name."""
    name = table.casefold()
    if any(word in name for word in _STAFF):
        return "staff"
    return "guardian" if any(word in name for word in _GUARDIANS) else "child"


def _field(told: LetterField, heads: Mapping[str, int | None]) -> Field:
    subjects = _subjects(told.table)
    of, people = heads[subjects], told.people
    reasons = [f"Assumed: {told.because.strip().rstrip('.')}."] if told.status == "assumed" else []
    if people is None and told.filled_share is not None and of is not None:
        people = round(told.filled_share * of)
        reasons.append(f"Modelled: the filled share of all {_HEADS[subjects]}.")
    elif people is None:
        reasons.append("The letter says neither how many people nor how full." if of is not None else _NOT_STATED)
    return Field(
        table=told.table,
        field=told.name,
        category=told.category,
        role=told.role,
        subjects=subjects,
        rows=None,
        filled=None,
        filled_share=told.filled_share,
        people=people,
        of_people=of,
        reason=" ".join(reasons),
    )


def _any_of(entries: Sequence[Field], of: int | None) -> tuple[int, int | None]:
    """The fewest and the most people who can have a value in any of the fields."""
    people = [entry.people for entry in entries if isinstance(entry.people, int)]
    if len(people) < len(entries):
        return max(people, default=0), of
    return max(people, default=0), min(sum(people), sum(people) if of is None else of)


def _head_count(letter: Letter, heads: Mapping[str, int | None], fields: Sequence[Field]) -> PeopleCount:
    stated = [count for count in heads.values() if count is not None]
    silent = [name for kind, name in _HEADS.items() if heads[kind] is None]
    reasons = dict.fromkeys(silent, _NOT_STATED) | {"uncountable": "No row was read."}
    if silent:
        reasons["total"] = f"The letter does not count the {' or the '.join(silent)}."
    at_least = {
        name: least
        for kind, name in _HEADS.items()
        if heads[kind] is None and (least := _any_of([e for e in fields if e.subjects == kind], None)[0])
    }
    return PeopleCount(
        status="modelled",
        records=letter.records,
        files=letter.files,
        total=sum(stated) if stated else None,
        children=heads["child"],
        staff=heads["staff"],
        guardians=heads["guardian"],
        unknown_kind=0,
        uncountable=None,
        at_least=at_least,
        reasons=reasons,
    )


def _looked_for(letter: Letter, fields: Sequence[Field]) -> tuple[Looked, ...]:
    def named(what: str, where: Sequence[str]) -> Looked:
        if where:
            return Looked(what, "found", f"the letter names {', '.join(where)}")
        return Looked(what, "not looked for", "the letter names none, and no row was read")

    special = schema.special_categories()
    files = [word for word, count in (("pictures", letter.images), ("files", letter.files)) if count]
    return (
        named(
            "columns that identify somebody directly", [f"{e.table}.{e.field}" for e in fields if e.role == "direct"]
        ),
        named("columns of special category data", [f"{e.table}.{e.field}" for e in fields if e.category in special]),
        named("lists of files", files),
        Looked("personal data in the words of free text", "not looked for", "no row was read"),
        Looked("what the files show, and their metadata", "not looked for", "no file was opened"),
    )
