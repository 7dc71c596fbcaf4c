"""Whom the rows of a table are about, and which column tells them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from otrack_risk.profile.columns import Finding
from otrack_risk.profile.fields import whose, words
from otrack_risk.profile.measured import PASSING, Measured
from otrack_risk.schema import PersonKind

GROWN_UP = 20  # years: nobody in a school's sixth form is as old at the start of the year
ADULTS = 0.1  # share of rows of that age, from which a table is not taken to be about children (own default)
HINTS = 2  # columns such as "SEN" or "year group" that make a table about children where no key does (own default)

_NAMING = ("surname", "forename", "full_name", "date_of_birth")
_ROLES: Mapping[str, PersonKind] = {
    **dict.fromkeys(("student", "pupil", "child", "learner"), "child"),
    **dict.fromkeys(("teacher", "staff", "administrator", "aide", "proctor", "principal"), "staff"),
    **dict.fromkeys(("guardian", "parent", "relative", "carer", "contact"), "guardian"),
}
PEOPLE = {"child": "children", "staff": "staff", "guardian": "parents or carers"}


@dataclass(frozen=True)
class Subjects:
    """Whom a table is about, as far as its columns tell."""

    kind: PersonKind
    person: str | None
    reason: str
    age: str = ""  # whether anything was seen of the age of the children


def subjects(rows: pl.DataFrame, name: str, findings: Sequence[Finding], measured: Sequence[Measured]) -> Subjects:
    """Whom the rows are about: from keys of people, a column of roles, the table's name, columns that only pupils have.

    A table of keys and administration only (grants, a pupil's guardians, a teacher's classes) is about
    nobody that another table does not hold: its subjects are "unknown" and it has no person column.
    """
    spoken = words(name)
    if not any(_tells(finding) for finding in findings) and not (len(spoken) == 1 and whose(spoken)):
        return Subjects("unknown", None, "it holds keys and administration only")
    kind, why = _kind(rows, name, findings, measured)
    person = _person(rows, kind, findings, measured)
    if kind == "unknown":
        return Subjects(kind, person, why)
    age = "their age was not checked" if kind == "child" else ""
    if kind == "child" and (share := _grown_up(findings, measured)) is not None:
        if share > ADULTS:
            because = (
                f"an age column shows that many of them are {GROWN_UP} or older; say in the catalogue who they are"
            )
            return Subjects("unknown", person, f"{why}, but {because}")
        age = f"an age column has nearly everybody under {GROWN_UP}"
    return Subjects(kind, person, f"{why}; {age}" if age else why, age)


def _tells(finding: Finding) -> bool:
    """Whether a column says something of a person, rather than tie tables together."""
    column, field = finding.column, finding.field
    if field is None:
        return column.role in ("quasi", "sensitive", "free_text")
    return not field.link and field.person is None and (column.role != "other" or column.category != "other")


def _kind(
    rows: pl.DataFrame, name: str, findings: Sequence[Finding], measured: Sequence[Measured]
) -> tuple[PersonKind, str]:
    keys: dict[PersonKind | None, str] = {}
    for finding, counts in zip(findings, measured, strict=True):
        empty = counts.rows > 0 and not counts.filled  # a column that nobody filled numbers nobody
        if finding.field and finding.field.person and not empty:
            keys.setdefault(_of(finding), finding.column.name)
    spoken = whose(words(name))
    contactable = any(finding.column.kind in ("full_name", "surname", "email", "phone") for finding in findings)
    if spoken == ["guardian"] and "guardian" not in keys and contactable:
        return "guardian", "the table's name speaks of parents or carers"
    if "child" in keys:
        return "child", f"column {keys['child']!r} numbers pupils or students"
    if len(known := [kind for kind in keys if kind]) == 1:
        return known[0], f"column {keys[known[0]]!r} numbers {PEOPLE[known[0]]}"
    if known:
        return "unknown", "it numbers people of more than one kind"
    for finding in findings:
        if finding.column.kind == "person_role" and (kind := _kind_of_roles(rows[finding.column.name])):
            return kind, f"column {finding.column.name!r} names roles of {PEOPLE[kind]} only"
    if len(spoken) == 1:
        return spoken[0], f"the table's name speaks of {PEOPLE[spoken[0]]}"
    hints = [f.column.name for f in findings if f.field and f.field.subjects == "child" and f.of in (None, "child")]
    if len(hints) >= HINTS:
        return "child", f"columns such as {hints[0]!r} and {hints[1]!r} are kept of pupils"
    return "unknown", "nothing in its columns says whom it is about"


def _of(finding: Finding) -> PersonKind | None:
    return finding.of or (finding.field.subjects if finding.field else None)


def _kind_of_roles(values: pl.Series) -> PersonKind | None:
    """The one kind of person that all roles of a column name, or None."""
    kinds = {_ROLES.get(str(value).strip().lower()) for value in values.drop_nulls().unique().head(50).to_list()}
    return kinds.pop() if len(kinds) == 1 else None


def _person(
    rows: pl.DataFrame, kind: PersonKind, findings: Sequence[Finding], measured: Sequence[Measured]
) -> str | None:
    """The key that is best kept: the preferred one of those nearly always filled, else the one most often filled."""
    kept = {
        finding.column.name: (finding.field.person, counts.filled / counts.rows)
        for finding, counts in zip(findings, measured, strict=True)
        if finding.field and finding.field.person and counts.filled and (_of(finding) in (kind, None))
    }
    if kept:
        full = [name for name, (_, share) in kept.items() if share >= 0.95]
        return min(full, key=lambda name: kept[name][0]) if full else max(kept, key=lambda name: kept[name][1])
    ids = [finding.column.name for finding in findings if finding.column.kind == "id"]
    naming = [f.column.name for f in findings if f.column.kind in _NAMING and f.of in (kind, None)]
    # A unique number is a person's only where each person has one row: names, or birth dates with them, hardly repeat.
    if ids and naming and rows.select(naming).n_unique() >= 0.9 * rows.height:
        return ids[0]
    return None


def _grown_up(findings: Sequence[Finding], measured: Sequence[Measured]) -> float | None:
    """Share of sampled ages, or of the lower ends of sampled age bands, that are no child's; None without an age."""
    for finding, counts in zip(findings, measured, strict=True):
        if finding.column.kind == "age" and isinstance(counts.sample.dtype, pl.String):
            ages = counts.sample.str.extract(r"([0-9]+)").cast(pl.Int64, strict=False)
            if len(ages) and ages.null_count() <= (1 - PASSING) * len(ages):
                return float((ages >= GROWN_UP).fill_null(False).mean() or 0.0)  # type: ignore[arg-type]
    return None
