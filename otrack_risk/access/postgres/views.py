"""Views as windows on tables: whose columns a view shows, as whom it reads them, and which rows it lets through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from otrack_risk.access.postgres.snapshot import Relation, Snapshot

TABLES = ("r", "p", "f")  # kinds of relation that hold rows of their own
Place = tuple[str, str]  # schema, name
Selects = Callable[[str, Place], frozenset[str]]  # the columns of a table that a role may select
_NAME = r'(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")'
_COLUMN = re.compile(rf"(?:{_NAME}\.)?({_NAME})(?: AS ({_NAME}))?")
_QUERY = re.compile(
    rf"\s*SELECT (?P<columns>.+?)\s+FROM (?P<table>{_NAME}(?:\.{_NAME})?)(?: {_NAME})?(?:\s+WHERE (?P<where>.+))?;",
    re.DOTALL,
)


@dataclass(frozen=True)
class Window:
    """One view, one step down."""

    view: Relation
    reads: Mapping[Place, frozenset[str]]  # what its query names: relation -> columns
    columns: Mapping[str, str] | None  # of a plain query: its column -> the column of the one relation; None: not plain
    where: str | None  # of a plain query


@dataclass(frozen=True)
class Column:
    """A column of a table, as a view shows it."""

    place: Place
    name: str
    plain: bool  # by plain queries alone, so that exactly this column is shown; else it may only be looked at


@dataclass(frozen=True)
class Views:
    """The views of a snapshot."""

    snapshot: Snapshot

    @cached_property
    def relations(self) -> Mapping[Place, Relation]:
        """Everything that holds or shows rows."""
        return {(each.schema, each.name): each for each in self.snapshot.relations}

    @cached_property
    def windows(self) -> Mapping[Place, Window]:
        """Every view, by its place; a plain query lists columns of one relation, with or without WHERE."""
        by_view = groupby(self.snapshot.shown, key=lambda each: (each.view_schema, each.view))
        shown = {place: list(rows) for place, rows in by_view}
        found = {}
        for place, view in self.relations.items():
            if view.definition is None:
                continue
            reads: dict[Place, set[str]] = {}
            for each in shown.get(place, ()):
                reads.setdefault((each.schema, each.name), set()).update([each.column] if each.column else [])
            columns, where = _plain(view) if len(reads) == 1 else (None, None)
            if columns is not None and not set(columns.values()) <= next(iter(reads.values())):
                columns = where = None
            found[place] = Window(view, {key: frozenset(names) for key, names in reads.items()}, columns, where)
        return found

    def reader(self, view: Relation, asker: str) -> str:
        """As whom a view reads what it shows."""
        return asker if view.security_invoker else view.owner

    def opens(self, place: Place, asker: str, selects: Selects) -> bool:
        """Whether the query of a view may run when ``asker`` may select from it.

        The privileges on what it reads are those of its owner, or of the asker where it is a security invoker's; a
        materialised view holds its rows already. Schemas are not looked at: names were resolved when it was made.
        """
        window = self.windows[place]
        if window.view.kind == "m":
            return True
        reader = self.reader(window.view, asker)
        for below, names in window.reads.items():
            if below not in self.relations:  # of the system
                continue
            allowed = selects(reader, below)
            if not (names <= allowed if names else allowed):
                return False
            if below in self.windows and not self.opens(below, asker, selects):
                return False
        return True

    def columns(self, place: Place, wanted: Iterable[str]) -> frozenset[Column]:
        """The columns of tables behind some columns of a view.

        Where a query is not plain they are all that it names, since any may be shown.
        """
        window = self.windows[place]
        wanted = frozenset(wanted)
        found: set[Column] = set()
        for below, names in window.reads.items():
            plain = window.columns is not None
            inner = {window.columns[name] for name in wanted if name in window.columns} if window.columns else names
            if below in self.windows:
                deeper = self.columns(below, inner)
                found |= {each if plain else Column(each.place, each.name, plain=False) for each in deeper}
            elif below in self.relations and wanted:
                found |= {Column(below, name, plain) for name in inner}
        return frozenset(found)


def _plain(view: Relation) -> tuple[dict[str, str] | None, str | None]:
    """view's column -> column below, and the condition, of a query of one relation; None where it is another."""
    read = _QUERY.fullmatch(view.definition or "")
    if read is None:
        return None, None
    items = [_COLUMN.fullmatch(item.strip()) for item in _parted(read["columns"])]
    if None in items or len(items) != len(view.columns):
        return None, None
    below = [_unquoted(item[1]) for item in items if item]
    return dict(zip([column.name for column in view.columns], below, strict=True)), read["where"]


def _parted(text: str) -> list[str]:
    """A list parted at its commas, but for those in quotes."""
    return [part for part in re.findall(r'(?:[^,"]|"(?:[^"]|"")*")+', text) if part.strip()]


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
