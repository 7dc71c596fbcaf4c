"""What each role of a PostgreSQL database may do to which column, and of whom: table by table, view by view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

import polars as pl

from otrack_risk.access.postgres import rows as postgres_rows
from otrack_risk.access.postgres.circles import Circles
from otrack_risk.access.postgres.policy import Asker
from otrack_risk.access.postgres.rights import entries, usable
from otrack_risk.access.postgres.rows import Rows
from otrack_risk.access.postgres.snapshot import PUBLIC, Relation, Snapshot
from otrack_risk.access.postgres.views import TABLES, Place, Views

KEY = "pupil_id"  # the column that tells of whom a row is
ALL, NOBODY, WRITE_ONLY = "all", "none", "write only"
_WRITES = ("INSERT", "UPDATE")
_NO_ROWS = pl.DataFrame({"\0": [0]})  # one row of which nothing is known
Cell = tuple[Place, str, str, str]  # table, column, verb, scope
Counter = Callable[[Place, str], frozenset[str] | None]  # children whom the server shows a role in a relation


@dataclass(frozen=True)
class Held:
    """What some holders hold together."""

    columns: Mapping[tuple[Place, str], frozenset[str]]  # of SELECT, INSERT, UPDATE
    deletes: frozenset[Place]  # DELETE or TRUNCATE
    owned: frozenset[Place]
    schemas: frozenset[str]  # that may be entered

    @cached_property
    def places(self) -> frozenset[Place]:
        """Everything of which something is held, in a schema that may be entered."""
        named = self.deletes | self.owned | {place for place, _ in self.columns}
        return frozenset(place for place in named if place[0] in self.schemas)

    def on(self, place: Place, privilege: str) -> frozenset[str]:
        """The columns on which that privilege is held."""
        return self.columns.get((place, privilege), frozenset())


@dataclass
class Extents:
    """Of whom the rows are that a role sees in a table or view, as words of scope; sets of children get a name.

    Parameters
    ----------
    frames : rows of tables, where they are at hand
    counter : asks the server, where one may be asked
    """

    snapshot: Snapshot
    views: Views
    circles: Circles
    frames: Mapping[Place, pl.DataFrame]
    counter: Counter | None = None
    everybody: frozenset[str] = frozenset()  # every child, where they are known
    sets: dict[frozenset[str], str] = field(default_factory=dict)  # children -> the name of the set
    reasons: dict[str, None] = field(default_factory=dict)  # why a scope is not known
    _told: dict[tuple[Place, str], str] = field(default_factory=dict)

    def of(self, place: Place, asker: str) -> str:
        """``all``, ``none``, ``listed:NAME``, or words that no scope has where it is not known."""
        if (place, asker) not in self._told:
            self._told[place, asker] = self._of(place, asker)
        return self._told[place, asker]

    def _of(self, place: Place, asker: str) -> str:
        leaf, rows = self._rows(self.views.relations[place], asker, asker)
        if rows.mask is not None:
            if rows.every:
                return ALL
            if not rows.mask.any():
                return NOBODY
            frame = self.frames[leaf]
            if KEY in frame.columns:
                return self._named(place, frozenset(frame.filter(rows.mask)[KEY].drop_nulls().cast(pl.String)))
            rows = Rows(None, f"it has no column {KEY}")
        has_key = any(column.name == KEY for column in self.views.relations[place].columns)
        if self.counter is not None and has_key and (found := self.counter(place, asker)) is not None:
            return self._named(place, found)
        self.reasons[f"{place[0]}.{place[1]}: of whom its rows are is not known ({rows.reason})"] = None
        return f"rows of {place[0]}.{place[1]}"

    def _named(self, place: Place, children: frozenset[str]) -> str:
        if not children:
            return NOBODY
        if self.everybody and children >= self.everybody:
            return ALL
        if children not in self.sets:
            self.sets[children] = f"{place[0]}.{place[1]} {len(self.sets) + 1}"
        return f"listed:{self.sets[children]}"

    def _rows(self, relation: Relation, reader: str, asker: str) -> tuple[Place, Rows]:
        """The table behind a relation and the rows of it that are seen."""
        place = relation.schema, relation.name
        frame = self.frames.get(place, _NO_ROWS)
        if relation.kind in TABLES:
            seen = postgres_rows.visible(
                self.snapshot, *place, frame, roles=[asker], policies_of=reader, circles=self.circles
            )
            return place, seen[asker]
        window = self.views.windows[place]
        if window.columns is None:
            return place, Rows(None, "its query is not one of a single table")
        below = next(iter(window.reads))
        if relation.kind == "m":
            asker = relation.owner  # who filled it
        leaf, seen_below = self._rows(self.views.relations[below], self.views.reader(relation, asker), asker)
        if window.where is None or seen_below.mask is None:
            return leaf, seen_below
        if below != leaf:
            return leaf, Rows(None, "it narrows another view")
        types = {column.name: column.type for column in self.views.relations[leaf].columns}
        passed = postgres_rows.passes(
            window.where, types, self.frames.get(leaf, _NO_ROWS), Asker(asker, partial(self.circles.has_role, asker))
        )
        return leaf, passed if passed.mask is None else Rows(passed.mask & seen_below.mask)


@dataclass(frozen=True)
class Reach:
    """What a role may do, by what it holds now, and a holder by what it holds alone."""

    snapshot: Snapshot
    circles: Circles
    views: Views
    extents: Extents

    def of(self, role: str) -> frozenset[Cell]:
        """Every cell of a role, with no SET ROLE."""
        if role in self.circles.superusers:
            return frozenset(
                (place, column.name, "admin", ALL)
                for place, each in self.views.relations.items()
                if each.kind in TABLES
                for column in each.columns
            )
        return frozenset(self._cells(self.held(role), role))

    def of_holder(self, holder: str) -> frozenset[Cell]:
        """The cells of whoever has the privileges of a holder, or of PUBLIC, and that are the same whoever asks."""
        return frozenset(self._cells(self._held(frozenset([holder]), self._entered.get(holder, frozenset())), None))

    def named(self, holder: str) -> Iterator[Cell]:
        """What a holder's own lists name, of tables and through views, whether it can be used or not."""
        verbs = {"OWNER": "admin", "SELECT": "view"}
        for place, column, privilege in self.holders.get(holder, ()):
            names = [column] if column else [each.name for each in self.views.relations[place].columns]
            shown = (
                [(each.place, each.name) for each in self.views.columns(place, names)]
                if place in self.views.windows
                else [(place, name) for name in names]
            )
            yield from ((where, name, verbs.get(privilege, "edit"), NOBODY) for where, name in shown)

    def held(self, role: str) -> Held:
        """What a role holds by itself, by inheriting and by PUBLIC."""
        circle = {PUBLIC, *self.circles.inherits[role]}
        return self._held(frozenset(circle & self.holders.keys()), self._entered[role])

    @cached_property
    def holders(self) -> Mapping[str, list[tuple[Place, str | None, str]]]:
        """Each name that some list has, or that owns something -> table, column or None, privilege ("OWNER")."""
        found: dict[str, list[tuple[Place, str | None, str]]] = {}
        for holder, schema, table, column, privilege, granted, _ in entries(self.snapshot):
            if granted:
                found.setdefault(holder, []).append(((schema, table), column, privilege))
        for place, each in self.views.relations.items():
            found.setdefault(each.owner, []).append((place, None, "OWNER"))
        return found

    def selects(self, role: str, place: Place) -> frozenset[str]:
        """The columns of a relation that a role may select, whatever its schema says."""
        if role in self.circles.superusers:
            return frozenset(column.name for column in self.views.relations[place].columns)
        return self.held(role).on(place, "SELECT")

    def opens(self, place: Place, role: str) -> bool:
        """Whether a role may select from a relation: a column of it, its schema, and what a view's query reads."""
        entered = role in self.circles.superusers or place[0] in self._entered[role]
        allowed = entered and bool(self.selects(role, place))
        return allowed and (place not in self.views.windows or self.views.opens(place, role, self.selects))

    @cached_property
    def _entered(self) -> Mapping[str, frozenset[str]]:
        return usable(self.snapshot, self.circles, attributes=False)

    @cached_property
    def _known(self) -> dict[tuple[frozenset[str], frozenset[str]], Held]:
        return {}

    def _held(self, holders: frozenset[str], schemas: frozenset[str]) -> Held:
        if (holders, schemas) in self._known:
            return self._known[holders, schemas]
        columns: dict[tuple[Place, str], set[str]] = {}
        deletes, owned = set(), set()
        for holder in holders:
            for place, column, privilege in self.holders.get(holder, ()):
                if privilege == "OWNER":
                    owned.add(place)
                elif privilege in ("DELETE", "TRUNCATE"):
                    deletes.add(place)
                elif privilege in ("SELECT", *_WRITES):
                    names = [column] if column else [each.name for each in self.views.relations[place].columns]
                    columns.setdefault((place, privilege), set()).update(names)
        whole = {key: frozenset(names) for key, names in columns.items()}
        self._known[holders, schemas] = Held(whole, frozenset(deletes), frozenset(owned), schemas)
        return self._known[holders, schemas]

    def _cells(self, held: Held, asker: str | None) -> Iterator[Cell]:
        for place in held.places:
            relation = self.views.relations[place]
            if relation.kind in TABLES:
                yield from self._of_table(place, relation, held, asker)
            else:
                yield from self._of_view(place, relation, held, asker)

    def _of_table(self, place: Place, relation: Relation, held: Held, asker: str | None) -> Iterator[Cell]:
        names = frozenset(column.name for column in relation.columns)
        if place in held.owned:  # who may switch its policies off
            yield from ((place, name, "admin", ALL) for name in names)
        seen = held.on(place, "SELECT")
        written = frozenset().union(*(held.on(place, each) for each in _WRITES))
        written |= names if place in held.deletes else frozenset()
        if not seen | written or (asker is None and relation.row_security):
            return
        scope = ALL if asker is None or not seen else self.extents.of(place, asker)
        yield from ((place, name, "view", scope) for name in seen)
        yield from ((place, name, "edit", scope) for name in written & seen)
        if asker is not None:
            yield from ((place, name, "edit", WRITE_ONLY) for name in written - seen)

    def _of_view(self, place: Place, relation: Relation, held: Held, asker: str | None) -> Iterator[Cell]:
        seen = held.on(place, "SELECT")
        if not seen:
            return
        if asker is None:
            if not self._same_for_all(place):
                return
            scope, opens = ALL, self.views.opens(place, relation.owner, self.selects)
        else:
            opens = self.views.opens(place, asker, self.selects)
            scope = self.extents.of(place, asker) if opens else NOBODY
        if not opens:
            return
        yield from ((each.place, each.name, "view", scope) for each in self.views.columns(place, seen))
        written = frozenset().union(*(held.on(place, each) for each in _WRITES)) & seen
        if relation.kind == "v" and self.views.windows[place].columns is not None:  # such a view passes changes on
            for each in self.views.columns(place, written):
                reader = self.views.reader(relation, asker or relation.owner)
                if any(each.name in self._writes(reader, each.place, name) for name in _WRITES):
                    yield each.place, each.name, "edit", scope

    def _writes(self, role: str, place: Place, privilege: str) -> frozenset[str]:
        if role in self.circles.superusers:
            return self.selects(role, place)
        return self.held(role).on(place, privilege)

    def _same_for_all(self, place: Place) -> bool:
        """Whether a view shows all rows of one table, whoever asks."""
        relation = self.views.relations[place]
        if relation.kind in TABLES:
            return not relation.row_security
        window = self.views.windows[place]
        if window.columns is None or window.where is not None or relation.security_invoker:
            return False
        below = self.views.relations[next(iter(window.reads))]
        if below.kind in TABLES and postgres_rows.exempt(self.snapshot, below, relation.owner, self.circles):
            return True
        return self._same_for_all((below.schema, below.name))
