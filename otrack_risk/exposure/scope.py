"""The exposure of a data set, counted from its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from otrack_risk import files, frames, schema
from otrack_risk.errors import TableError
from otrack_risk.exposure import stores, words
from otrack_risk.exposure.columns import Told, about_people, file_names, filled, index, told
from otrack_risk.exposure.heads import Flags, Heads, Held, heads, same_numbering, telling
from otrack_risk.exposure.joining import by_table, looked_for, sources, waterfall
from otrack_risk.exposure.known import known
from otrack_risk.exposure.people import PeopleCount
from otrack_risk.exposure.results import ExposureScope, LeftOut
from otrack_risk.exposure.schools import schools
from otrack_risk.frames import sets

PEOPLE: dict[schema.PersonKind, str] = {
    "child": "children",
    "staff": "staff",
    "guardian": "guardians",
    "unknown": "unknown_kind",
}
_SINCE_KINDS = ("admission_date", "employment_date")  # older than the record: since when somebody belongs to the school
_CANNOT_TELL = (
    "No column tells the {} apart; where each row is a person of its own, say so in the catalogue (one_row_a_person)."
)
_CANNOT_LINK = "Keys of the {} in different tables cannot all be linked; somebody may be counted twice."


def exposure_scope(
    dataset: frames.Dataset,
    catalogue: schema.Catalogue,
    *,
    text: bool = True,
    where: Path | None = None,
    images: stores.Look = "exact",
    workers: int = 1,
    rng: np.random.Generator | None = None,
    tell: words.Tell = lambda what, share: None,
) -> ExposureScope:
    """Records, files, people, children, fields and images of a data set, and what its texts and files tell of whom.

    Parameters
    ----------
    dataset : tables in hand
    catalogue : whom the rows of each table are about, and what each column says; a table that it lacks
        is left out, and named in ``left_out``
    text : whether free-text columns are scanned, without a model, for the people of the data set itself
    where : the folder (or the one file) that was exposed; its pictures and documents are opened
    images : "exact" counts different files, "near" different pictures too, "none" opens no file at all
    workers : processes that open pictures; the counts are the same
    rng : draws the intervals; a fixed one where not given
    tell : is told what is done, and the share of it that is done

    Raises
    ------
    TableError
        No table that the catalogue knows.
    FieldError
        The catalogue names a person column that the table does not have.

    Notes
    -----
    *Records* are rows about a person: of tables whose subjects are known, or, where nobody has said, of
    tables with a direct, quasi-identifying, sensitive or free-text column that is no place, no group and no key
    (schools, classes, households, accounts and grants have none). A table that lists files and describes
    nobody by name or birth date is an index; its rows are files. *People* are distinct keys over all tables of
    a kind, see :func:`otrack_risk.exposure.heads.heads`. A person is *identified directly* by a value in any
    column of role ``direct`` other than a key that only links tables. A fact in free text is told of the child whose
    row it is, and of every child whom the text names. A file is a child's by the key of the row that lists it, else
    by its name.
    """
    if not dataset.tables and where is not None:  # a folder of files alone
        held: list[Held] = []
        left_out: tuple[LeftOut, ...] = ()
    else:
        held, left_out = _held(dataset, catalogue)
    by_kind = {kind: [t for t in held if about_people(t) and t.schema.subjects == kind] for kind in PEOPLE}
    people = {kind: heads(tables) for kind, tables in by_kind.items()}
    columns = [column for table in held for column in told(table, people, held)]
    tables = {(table.file, table.sha256) for table in dataset.tables.values()}
    names = known(held, people)
    found = stores.look(dataset, held, people["child"], names, where=where, how=images, workers=workers, tell=tell)
    read = words.read(held, people["child"], names, rng or np.random.default_rng(0), tell) if text else None
    head_count = _head_count(
        people,
        records=sum(t.rows.height for t in held if about_people(t) and not index(t)),
        files=len(tables) + sum(_files_named(table) for table in held) + found.beside,
        unknown=[table.name for table in by_kind["unknown"]],
    )
    children = people["child"]
    special = [c for c in columns if c.special and c.entry.subjects == "child"]
    unknown_special = [c for c in columns if c.special and c.entry.subjects == "unknown"]
    naming = [c for c in columns if c.names]
    leaving = _leaving(held, children)
    spans = {
        category: children.span([c.facts for c in special if c.column.category == category])
        for category in schema.categories()
        if any(c.column.category == category for c in special)
    }
    spans["children_special_category"] = (
        children.span([c.facts for c in special]) if special or not unknown_special else None
    )
    spans["directly_identified"] = _named(people, naming)
    spans["leavers"] = children.span(leaving) if leaving else None
    most = {name: None if span is None else span[1] for name, span in spans.items()}
    directly, total = most["directly_identified"], head_count.total
    oldest, oldest_column = _oldest_year(held)
    stated = by_table(columns, held)
    told_in_text = None if read is None else words.joined(read, stated, children)
    scope = ExposureScope(
        status="measured",
        head_count=head_count,
        children_special_category=most["children_special_category"],
        special_by_category={name: count for name, count in most.items() if name in schema.special_categories()},
        images=found.images,
        directly_identified=directly,
        directly_identified_share=directly / total
        if isinstance(total, int) and total and directly is not None
        else None,
        directly_identified_columns=tuple(f"{c.entry.table}.{c.entry.field}" for c in naming),
        fields=tuple(replace(c.entry, of_category=most.get(c.entry.category)) for c in columns),
        schools=schools(held),
        oldest_year=oldest,
        oldest_year_column=oldest_column,
        leavers=most["leavers"],
        at_least={name: span[0] for name, span in spans.items() if span is not None and span[0] < span[1]},
        looked_for=looked_for(held, columns, found, told_in_text, text=text, images=images),
        left_out=left_out,
        reasons={},
        text=told_in_text,
        pictures=found.pictures,
        documents=found.documents,
        file_names=found.names,
        by_source=sources(head_count, children, stated, read, found, text=text),
        steps=waterfall(head_count, held, children, stated, read, text=text),
    )
    return replace(scope, reasons=_reasons(scope, unknown_special))


def files_alone(where: object) -> tuple[frames.Dataset, schema.Catalogue] | None:
    """No table at all, for a folder with pictures or documents and nothing that is read as a table; else None."""
    if not isinstance(where, Path) or not where.is_dir():
        return None
    found = files.listed(where)
    names = [path.name.lower() for path in (*found.images, *found.documents, *found.other)]
    if not (found.images or found.documents) or any(
        name.endswith((*frames.SUFFIXES, *sets.SUFFIXES)) for name in names
    ):
        return None
    return frames.Dataset(where.name, {}, ("no file of it is a table",)), schema.Catalogue(())


def _held(dataset: frames.Dataset, catalogue: schema.Catalogue) -> tuple[list[Held], tuple[LeftOut, ...]]:
    """The tables that the catalogue knows, and what is in no number."""
    held: list[Held] = []
    left_out: list[LeftOut] = []
    for name, table in dataset.tables.items():
        left_out += [LeftOut(skipped.where, skipped.rows, skipped.why) for skipped in table.skipped]
        if (known := catalogue.table(name)) is None:
            left_out.append(LeftOut(name, table.kept, "the catalogue does not have this table"))
            continue
        held.append(Held(known, table.rows))
    if not held:
        tables = ", ".join(dataset.tables) or "none"
        raise TableError(
            f"the catalogue has no table of {dataset.name} (tables read: {tables}).",
            "classify the tables first: otrack-risk profile DATA --write catalogue.toml.",
        )
    keys = {kind: [key for t in held if t.schema.subjects == kind and (key := t.key)] for kind in PEOPLE}
    return [_met_elsewhere(table, keys) for table in held], tuple(left_out)


def _met_elsewhere(table: Held, keys: Mapping[schema.PersonKind, Sequence[schema.Column]]) -> Held:
    """A table of which nobody has said whom it is about, keyed like tables about one known kind, is about them."""
    if table.schema.subjects != "unknown" or not (about_people(table) or index(table)):
        return table
    if not (key := table.key) or not telling(key):
        return table
    kinds = [
        kind for kind, known in keys.items() if kind != "unknown" and any(same_numbering(key, other) for other in known)
    ]
    return Held(replace(table.schema, subjects=kinds[0]), table.rows) if len(kinds) == 1 else table


def _files_named(table: Held) -> int:
    """Files that a table lists: every row of an index; elsewhere the rows that name one."""
    if index(table):
        return table.rows.height
    named = [filled(table.rows[column.name]) for column in file_names(table)]
    return int(np.logical_or.reduce(named).sum()) if named else 0


def _head_count(
    people: Mapping[schema.PersonKind, Heads], records: int, files: int, unknown: Sequence[str]
) -> PeopleCount:
    counts: dict[str, int | None] = {}
    least: dict[str, int] = {}
    most: dict[str, int] = {}
    reasons: dict[str, str] = {}
    for kind, name in PEOPLE.items():
        of, word = people[kind], name.replace("_kind", " people")
        counts[name] = of.most
        if of.most == 0 and any(of.unkeyed.values()):
            counts[name], reasons[name] = None, _CANNOT_TELL.format(word)
            most[name] = sum(of.unkeyed.values())
        elif not of.numbers and unknown:
            counts[name] = None
            reasons[name] = f"Nobody has said whom the rows of {', '.join(unknown)} are about."
        elif of.least < of.most:
            least[name], reasons[name] = of.least, _CANNOT_LINK.format(word)
    present = [PEOPLE[kind] for kind, of in people.items() if of.numbers]
    if uncounted := [name for name in present if counts[name] is None]:
        reasons["total"] = f"Leaves out the {' and the '.join(uncounted)}, who cannot be told apart."
    total = None if present and uncounted == present else sum(n for n in counts.values() if n is not None)
    fewest = max(sum(people[kind].least for kind in PEOPLE if kind != "unknown"), people["unknown"].least)
    if total is not None and fewest < total:
        least["total"] = fewest
        reasons.setdefault("total", "Somebody may be counted twice, under two keys or under two kinds.")
    unkeyed = {name: rows for of in people.values() for name, rows in of.unkeyed.items() if rows}
    if unkeyed:
        reasons["uncountable"] = "These rows carry no key: each is about one more person at most, or about one counted."
    return PeopleCount(
        status="measured",
        records=records,
        files=files,
        total=total,
        **counts,
        uncountable=sum(unkeyed.values()),
        at_least=least,
        at_most=most,
        uncountable_rows=unkeyed,
        reasons=reasons,
    )


def _named(people: Mapping[schema.PersonKind, Heads], naming: Sequence[Told]) -> tuple[int, int] | None:
    """The fewest and the most people of all kinds whom any of the columns names."""
    spans = {
        kind: of.span([c.reached for c in naming if c.entry.subjects == kind])
        for kind, of in people.items()
        if any(c.entry.subjects == kind for c in naming)
    }
    known = {kind: span for kind, span in spans.items() if span is not None}
    if naming and not known:
        return None
    least = sum(span[0] for kind, span in known.items() if kind != "unknown")
    return max(least, known.get("unknown", (0, 0))[0]), sum(span[1] for span in known.values())


def _leaving(held: Sequence[Held], children: Heads) -> list[Flags]:
    """Children with a leaving date, one entry a column that holds one; empty where no child can be told apart."""
    return [
        children.distinct(table.name, filled(table.rows[column.name]))
        for table in held
        for column in table.schema.columns
        if table.schema.subjects == "child" and column.kind == "leaving_date" and column.name in table.rows.columns
        if children.most
    ]


def _oldest_year(held: Sequence[Held]) -> tuple[int | None, str | None]:
    """The first year of any academic year or date, and its column.

    Birth dates are left out, and dates of entry too where any other date is held: both may be far older than
    what is recorded.
    """
    entries: list[tuple[int, str]] = []
    years: list[tuple[int, str]] = []
    for table in held:
        for column in table.schema.columns if about_people(table) or index(table) else ():
            if column.name not in table.rows.columns or "birth" in column.kind:
                continue
            values = table.rows[column.name]
            if isinstance(values.dtype, pl.Date | pl.Datetime):
                first = values.dt.year().min()
            elif column.kind == "academic_year":
                first = values.cast(pl.String).str.extract(r"((?:19|20)\d\d)").cast(pl.Int32).min()
            else:
                continue
            if isinstance(first, int):
                (entries if column.kind in _SINCE_KINDS else years).append((first, f"{table.name}.{column.name}"))
    return min(years or entries, default=(None, None))


def _reasons(scope: ExposureScope, unknown_special: Sequence[Told]) -> dict[str, str]:
    """Why a number at the top of the record is unknown."""
    why = {
        "children_special_category": "The children of such columns cannot be told apart.",
        "directly_identified": "The people of such columns cannot be told apart.",
        "directly_identified_share": "The people of the whole are not known.",
        "schools": "No column is known to hold a school's key.",
        "oldest_year": "No column is known to hold a date or an academic year.",
        "leavers": "No column holds a leaving date of children who can be told apart.",
    }
    reasons = {name: text for name, text in why.items() if getattr(scope, name) is None}
    if unknown_special and scope.children_special_category is None:
        reasons["children_special_category"] = "Nobody has said whether the rows with such columns are about children."
    return reasons
