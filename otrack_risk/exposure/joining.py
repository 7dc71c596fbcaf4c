"""Columns, texts and files side by side: which category each tells, of which children; and what was not looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from otrack_risk import schema
from otrack_risk.exposure.columns import Told, about_people, file_names, index
from otrack_risk.exposure.heads import Flags, Heads, Held
from otrack_risk.exposure.known import CROWD
from otrack_risk.exposure.people import PeopleCount
from otrack_risk.exposure.results import Looked
from otrack_risk.exposure.sources import SOURCES, Sources, State, Waterfall
from otrack_risk.exposure.stores import Files, Look
from otrack_risk.exposure.words import IN_NOTES, Read, Words, free_text
from otrack_risk.text import lexicons

_METADATA = "what the files show, and their metadata"
_WORDS = "personal data in the words of free text"
_NO_TEXT = "free text was not to be read"


def by_table(columns: Sequence[Told], held: Sequence[Held]) -> dict[str, Flags]:
    """Category -> the children of whom a column tells something of it: a fact where it is a special category.

    Lists of files and free text are left out: they are sources of their own.
    """
    lists = {table.name for table in held if index(table)}
    found: dict[str, list[Flags]] = {}
    for told in columns:
        flags = told.facts if told.special else told.reached
        if told.entry.subjects == "child" and told.column.role != "free_text" and told.entry.table not in lists:
            found.setdefault(told.column.category, []).extend([] if flags is None else [flags])
    return {category: np.logical_or.reduce(flags) for category, flags in found.items() if flags}


def sources(
    people: PeopleCount,
    children: Heads,
    stated: Mapping[str, Flags],
    read: Read | None,
    files: Files,
    *,
    text: bool,
) -> Sources:
    """Category by kind of source: of how many children it tells."""
    special = schema.special_categories()
    told: dict[tuple[str, str], Flags] = {(category, "table"): flags for category, flags in stated.items()}
    if read is not None:
        told |= {(category, "note"): flags for category, flags in read.told.items()}
        if read.beside is not None:
            told["free_text", "note"] = read.beside
    told |= files.told
    not_looked_for = {} if text else {"note": _NO_TEXT}
    met = {category for (category, _), flags in told.items() if flags.any()} if children.most else set()

    searched = _searched(told, files)

    def count(flags: Sequence[Flags]) -> int:
        return int(np.logical_or.reduce([*flags, np.zeros(children.most, dtype=np.bool_)]).sum())

    return Sources(
        status="measured",
        people=people,
        cells={
            category: {
                source: None
                if source in not_looked_for or category not in searched[source]
                else count([flags for key, flags in told.items() if key == (category, source)])
                for source in SOURCES
            }
            for category in schema.categories()
            if category in met
        },
        not_looked_for=not_looked_for,
        special={
            source: count([flags for (category, of), flags in told.items() if of == source and category in special])
            for source in SOURCES
            if source not in not_looked_for
        },
    )


def _searched(told: Mapping[tuple[str, str], Flags], files: Files) -> dict[str, set[str]]:
    """Source -> the categories that are looked for in it; a 0 for any other would say that there is none.

    Columns tell of every category; but where files lie unread beside the tables, what no column holds may stand there.
    """
    terms = {term.category for term in lexicons.terms()}
    held = {category: source for category, source in told if source == "table"}
    unread = files.lying is not None and (files.lying.other > 0 or bool(files.lying.documents))
    return {
        "table": {*held} if unread else set(schema.categories()),
        "note": {*terms, *IN_NOTES, "free_text"},
        "file": {*terms, "identity", "free_text"},
        "photograph": {*terms, "identity", "images"},
    }


def waterfall(
    people: PeopleCount,
    held: Sequence[Held],
    children: Heads,
    stated: Mapping[str, Flags],
    read: Read | None,
    *,
    text: bool,
) -> Waterfall:
    """From records to children, to those of whom something special is stated, to those of whom only text states it."""
    special = schema.special_categories()
    rows = [table for table in held if about_people(table) and not index(table) and table.schema.subjects == "child"]
    nobody = np.zeros(children.most, dtype=np.bool_)
    columns = {category: flags for category, flags in stated.items() if category in special}
    in_text = {c: f for c, f in ({} if read is None else read.told).items() if c in special}
    by_column = int(np.logical_or.reduce([*columns.values(), nobody]).sum())
    only = [flags & ~columns.get(category, nobody) for category, flags in in_text.items()]
    reasons = {}
    if people.children is None:
        reasons["children"] = people.reasons.get("children", "The children cannot be told apart.")
    elif children.least < children.most:
        reasons["children"] = "Keys that cannot be linked count as children of their own, so that there may be fewer."
    if not text:
        reasons["only_in_text"] = "Free text was not looked through."
    known = people.children is not None
    return Waterfall(
        status="measured",
        people=people,
        of_children=sum(table.rows.height for table in rows),
        keyed=sum(int((children.numbers[table.name] >= 0).sum()) for table in rows),
        special=int(np.logical_or.reduce([*columns.values(), *in_text.values(), nobody]).sum()) if known else None,
        only_in_text=int(np.logical_or.reduce([*only, nobody]).sum()) if known and text else None,
        by_column=by_column if known else None,
        reasons=reasons,
    )


def looked_for(
    held: Sequence[Held], columns: Sequence[Told], files: Files, found: Words | None, *, text: bool, images: Look
) -> tuple[Looked, ...]:
    """Each question in one of three states."""

    def seen(what: str, where: Sequence[str], none: str) -> Looked:
        state: State = "found" if where else "none found"
        return Looked(what, state, ", ".join(where) if where else none)

    def named(told: Sequence[Told]) -> list[str]:
        return [f"{column.entry.table}.{column.entry.field}" for column in told]

    unknown = [
        f"{table.name}.{name}" for table in held for name in table.rows.columns if table.schema.column(name) is None
    ]
    looked = [
        seen("columns that identify somebody directly", named([c for c in columns if c.names]), "no such column"),
        seen("columns of special category data", named([c for c in columns if c.special]), "no such column"),
        seen("lists of files", [t.name for t in held if file_names(t)], "no column holds names of files"),
        *_in_text(held, found, text=text),
        *_in_files(files, images),
    ]
    if files.not_compared:
        why = (
            f"{files.not_compared:,} of them carry no child's key; of more than {CROWD:,} children names say too little"
        )
        looked.append(Looked("children by the names of listed files", "not looked for", why))
    if unknown:
        why = f"the catalogue does not have them: {', '.join(unknown)}"
        looked.append(Looked("personal data in columns that nobody has classified", "not looked for", why))
    return tuple(looked)


def _in_text(held: Sequence[Held], found: Words | None, *, text: bool) -> list[Looked]:
    columns = [f"{table.name}.{column}" for table, column in free_text(held)]
    if not columns:
        return [Looked(_WORDS, "none found", "no column is free text")]
    if not text:
        return [Looked(_WORDS, "not looked for", f"not read here: {', '.join(columns)}")]
    if found is None:
        return [Looked(_WORDS, "none found", f"empty: {', '.join(columns)}")]
    state: State = "found" if found.found else "none found"
    people = [entry for entry in found.scan.looked_for() if entry[0].startswith(("children by", "people in no"))]
    return [
        Looked(_WORDS, state, ", ".join(columns)),
        *(Looked(f"{what}, in free text", which, why) for what, which, why in people),
    ]


def _in_files(files: Files, images: Look) -> list[Looked]:
    if files.lying is None:
        why = "no file was to be opened" if images == "none" else "no listed file was opened"
        return [Looked(_METADATA, "not looked for", why)]
    there = files.lying
    looked = [
        *_metadata("what pictures hold beside what they show", files.pictures, "no picture lies there"),
        *_metadata("what documents hold beside their pages", files.documents, "no document lies there"),
    ]
    if files.names is not None:
        state: State = "found" if files.names.naming_a_child else "none found"
        looked.append(Looked("names of files and folders that name a child", state, "the names that the tables hold"))
    elif there.paths:
        looked.append(Looked("names of files and folders that name a child", "not looked for", "no table of names"))
    if files.pictures is None or files.pictures.unique_near is None:
        looked.append(Looked("pictures that look alike", "not looked for", "pixels were not compared"))
    looked.append(Looked("text inside pictures, faces, and the words of documents", "not looked for", "not read here"))
    if there.other:
        looked.append(Looked("files of other kinds", "not looked for", f"{there.other:,} were counted and not opened"))
    return looked


def _metadata(what: str, found: object, none: str) -> list[Looked]:
    """Found where any part of it was found; not looked for where none could be opened."""
    from otrack_risk.files import DocumentFindings, ImageFindings

    if not isinstance(found, DocumentFindings | ImageFindings):
        return [Looked(what, "none found", none)]
    if not found.kept:
        return [Looked(what, "not looked for", "none could be opened")]
    any_part = found.given if isinstance(found, ImageFindings) else {k: n for k, (n, _) in found.places.items()}
    state: State = "found" if any(any_part.values()) else "none found"
    return [Looked(what, state, f"{found.kept:,} of {found.files:,} opened")]
