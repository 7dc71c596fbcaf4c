"""PostgreSQL: who can see whom, from the catalogue of a live server or a saved snapshot of it.

:func:`snapshot` asks the server once; :func:`privileges` (who holds what), :func:`visible` (row-level security) and
:func:`read` (grants in our words) compute from what it said. Nothing is ever changed on the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from otrack_risk import frames
from otrack_risk.access.model import Grants, build
from otrack_risk.access.postgres import faults as postgres_faults
from otrack_risk.access.postgres.catalogue import snapshot
from otrack_risk.access.postgres.circles import EVERYBODY, Circles, connectable, walked
from otrack_risk.access.postgres.fields import Fields
from otrack_risk.access.postgres.reach import KEY, Counter, Extents, Reach
from otrack_risk.access.postgres.rights import privileges, unknown_letters
from otrack_risk.access.postgres.rows import counted, visible
from otrack_risk.access.postgres.snapshot import PUBLIC, Membership, Snapshot, recognise
from otrack_risk.access.postgres.views import TABLES, Place, Views
from otrack_risk.frames import database
from otrack_risk.schema import Catalogue

__all__ = ["Snapshot", "counted", "privileges", "read", "recognise", "snapshot", "visible"]

_Meant = frozenset[tuple[str, str, str]]  # category, verb, scope
_Row = tuple[str | None, str | None, str, str, str, bool]  # account, role, category, verb, scope, latent
_GRANTS = {**dict.fromkeys(("account", "role", "category", "verb", "scope"), pl.String), "latent": pl.Boolean}
_MEMBERSHIPS = dict.fromkeys(("member", "role", "mode", "approver"), pl.String)


def read(
    source: str | Path | Snapshot,
    *,
    dataset: frames.Dataset | None = None,
    catalogue: Catalogue | None = None,
    count: bool = True,
) -> Grants:
    """Grants of a database: what its log-in roles may see and change of whom, in data categories.

    An account is a role that may log in. SELECT is ``view``; INSERT, UPDATE, DELETE and TRUNCATE are ``edit``
    (``write_only`` where the column cannot be selected); a table's owner and a superuser ``admin``. A role that holds
    a grant on all rows holds it here too, and memberships carry it to accounts; what hangs on who asks (row-level
    security, a schema entered by another role, a superuser's attribute) stands beside the account itself. A role
    that is only reached by SET ROLE, or by granting it to oneself, is latent. A view counts as the columns of tables
    that it shows, with its owner's eyes. PUBLIC is a role of every account.

    Parameters
    ----------
    source : an address (``postgresql://...``), a snapshot, or the file of one
    dataset : the tables' rows, by table name, to tell of whom the rows are that a policy leaves (``pupil_id``)
    catalogue : what each column is; a column that neither it nor the known fields tell has the unknown category
        ``table.column``
    count : where ``source`` is an address: ask the server for the rows of a policy or view that is not computed here
        (:func:`counted`)

    Notes
    -----
    A table whose rows are about staff is left out, and noted. Where it is not known of whom the rows are that a
    policy leaves, the scope is an unknown word. Row-level security of INSERT, UPDATE and DELETE is not told apart
    from that of SELECT. Sequences, functions and foreign servers give no grants; SECURITY DEFINER functions are
    faults.

    Raises
    ------
    FileError, ParameterError
        The server or the file cannot be read; psycopg is not installed.
    """
    url = None
    if isinstance(source, Snapshot):
        taken = source
    else:
        found = database.located(source)
        url = str(found) if isinstance(found, database.Url) else None
        taken = snapshot(url) if url else Snapshot.read(source)
    return _Reader(taken, dataset, catalogue or Catalogue(), url if count else None).grants()


def tables_of(source: str | Path | Snapshot, catalogue: Catalogue | None = None) -> dict[str, list[tuple[str, str]]]:
    """Data category -> tables (schema, name) of a database that hold a column of it; parameters as for :func:`read`."""
    if isinstance(source, Snapshot):
        taken = source
    else:
        found = database.located(source)
        taken = snapshot(str(found)) if isinstance(found, database.Url) else Snapshot.read(source)
    return Fields(taken, catalogue or Catalogue()).tables()


@dataclass(frozen=True)
class _Reader:
    snapshot: Snapshot
    dataset: frames.Dataset | None
    catalogue: Catalogue
    url: str | None

    def grants(self) -> Grants:
        direct = list(self._direct())
        by_roles = list(self._by_roles())
        members = [
            (each.member, each.role, "inherit" if each.inherit else "latent", each.grantor or None)
            for each in self._edges
        ]
        if any(role == EVERYBODY for _, role, *_ in by_roles):
            members += [(name, EVERYBODY, "inherit", None) for name in self._accounts]
        able = connectable(self.snapshot, self._circles)
        faults = postgres_faults.found(self.snapshot, self._reach, self._fields)
        sets = self._extents.sets
        return build(
            pl.DataFrame(sorted(direct, key=repr) + by_roles, schema=_GRANTS, orient="row").with_columns(
                source=pl.lit(self.snapshot.database)
            ),
            pl.DataFrame(members, schema=_MEMBERSHIPS, orient="row").with_columns(
                source=pl.lit(self.snapshot.database)
            ),
            pl.DataFrame(
                {"account": self._accounts, "enabled": [name in able for name in self._accounts]},
                schema={"account": pl.String, "enabled": pl.Boolean},
            ),
            listed=pl.DataFrame(
                [(name, child) for children, name in sets.items() for child in sorted(children)],
                schema={"name": pl.String, "pupil_id": pl.String},
                orient="row",
            ),
            name=self.snapshot.database,
            faults=faults,
            notes=list(self._notes()),
        )

    @cached_property
    def _circles(self) -> Circles:
        return Circles(self.snapshot)

    @cached_property
    def _views(self) -> Views:
        return Views(self.snapshot)

    @cached_property
    def _fields(self) -> Fields:
        return Fields(self.snapshot, self.catalogue)

    @cached_property
    def _accounts(self) -> list[str]:
        return [role.name for role in self.snapshot.roles if role.login]

    @cached_property
    def _extents(self) -> Extents:
        rows = {} if self.dataset is None else self.dataset.frames
        tables = [place for place, each in self._views.relations.items() if each.kind in TABLES]
        alone = [name for _, name in tables]
        held = {place: rows[".".join(place)] for place in tables if ".".join(place) in rows}
        held |= {
            place: rows[place[1]]
            for place in tables
            if place not in held and place[1] in rows and alone.count(place[1]) == 1
        }
        pupils = rows.get("pupils")
        everybody: frozenset[str] = frozenset()
        if pupils is not None and KEY in pupils.columns:
            everybody = frozenset(pupils[KEY].drop_nulls().cast(pl.String))
        return Extents(self.snapshot, self._views, self._circles, held, self._counter(), everybody)

    @cached_property
    def _reach(self) -> Reach:
        return Reach(self.snapshot, self._circles, self._views, self._extents)

    def _counter(self) -> Counter | None:
        """Asks the server of a table for every role at once, when the first is wanted."""
        if self.url is None:
            return None
        url, told = self.url, dict[Place, Mapping[str, frozenset[str] | None]]()
        beyond = {other for name in self._accounts for other in self._ways(name)}
        asked = sorted({*self._accounts, *beyond} - self._circles.superusers)

        def count(place: Place, role: str) -> frozenset[str] | None:
            if place not in told:
                told[place] = counted(url, *place, KEY, asked)
            return told[place].get(role)

        return count

    @cached_property
    def _edges(self) -> tuple[Membership, ...]:
        """Memberships as the model walks them, so that no way is latent there that is closed on the server.

        A way that begins by inheriting from a role that one cannot become, and goes on to a role that must be taken
        on, is closed. Where a membership of that kind exists, those that must be taken on stand beside each account.
        """
        real = [each for each in self._circles.edges if each.inherit or each.set or each.admin]
        if all(each.set for each in real if each.inherit):
            return tuple(real)
        kept = [each for each in real if each.inherit]
        granted = {(each.member, each.role): each.grantor for each in real}
        for name in self._accounts:
            for other in self._ways(name).keys() - self._circles.inherits[name].keys():
                kept.append(
                    Membership(name, other, granted.get((name, other), ""), admin=False, inherit=False, set=True)
                )
        return tuple(kept)

    def _ways(self, role: str) -> dict[str, tuple[str, ...]]:
        """Roles that can be taken on, and the way to each; inherited ones too, whose attributes nobody inherits."""
        if role in self._circles.superusers:
            return {}
        found = {**self._circles.gives_itself[role], **self._circles.becomes[role]}
        return {name: way for name, way in found.items() if name != role}

    def _meant(self, role: str) -> _Meant:
        return self._once(("of", role), lambda: self._fields.meant(self._reach.of(role)))

    def _alone(self, holder: str) -> _Meant:
        return self._once(("alone", holder), lambda: self._fields.meant(self._reach.of_holder(holder)))

    def _once(self, key: tuple[str, str], found: Callable[[], _Meant]) -> _Meant:
        if key not in self._known:
            self._known[key] = found()
        return self._known[key]

    @cached_property
    def _known(self) -> dict[tuple[str, str], _Meant]:
        return {}

    def _by_roles(self) -> Iterator[_Row]:
        """What roles hold for whoever has their privileges; of accounts, where others are in them."""
        entered = {each.role for each in self._edges}
        for holder in sorted(self._reach.holders):
            system = holder.startswith("pg_") or holder in self._accounts
            if holder == PUBLIC or holder in entered or (holder in self._circles.inherits and not system):
                yield from ((None, holder or EVERYBODY, *cell, False) for cell in sorted(self._alone(holder)))
        plain = {name.casefold() for name in self._reach.holders}
        for name in sorted(entered - self._reach.holders.keys()):
            if name.casefold() in plain:  # the model would take it for the other
                yield None, name, "other", "none", "none", False

    def _direct(self) -> Iterator[_Row]:
        """What stands beside an account: all that memberships do not carry to it."""
        inherited = _edged(each for each in self._edges if each.inherit)
        every = _edged(self._edges)
        for name in self._accounts:
            carried = self._alone(PUBLIC).union(
                *(self._alone(role) for role in walked(name, inherited) if role != name)
            )
            for cell in self._meant(name) - carried:
                yield name, self._first(name, cell[0], cell[1]), *cell, False
            carried |= self._meant(name).union(*(self._alone(role) for role in walked(name, every) if role != name))
            for other, way in sorted(self._ways(name).items(), key=lambda item: (len(item[1]), item)):
                beyond = self._meant(other) - carried
                carried |= beyond
                yield from ((name, way[0], *cell, True) for cell in beyond)

    def _first(self, name: str, category: str, verb: str) -> str | None:
        """The role that an account was given and that brings it this, or None where it has it itself."""
        if name in self._circles.superusers:
            return None
        for holder, way in self._circles.inherits[name].items():
            if (category, verb) in self._named(holder):
                return way[0] if way else None
        return EVERYBODY if (category, verb) in self._named(PUBLIC) else None

    def _named(self, holder: str) -> frozenset[tuple[str, str]]:
        """category, verb of what a holder's lists name, whether it can be used or not."""
        if holder not in self._names:
            meant = self._fields.meant(self._reach.named(holder))
            self._names[holder] = frozenset((category, verb) for category, verb, _ in meant)
        return self._names[holder]

    @cached_property
    def _names(self) -> dict[str, frozenset[tuple[str, str]]]:
        return {}

    def _notes(self) -> Iterator[str]:
        name = self.snapshot.database
        who = f"{name}: the catalogue was read by {'a superuser' if self.snapshot.asked_by_superuser else 'a role'}"
        unseen = ", ".join(self.snapshot.not_seen)
        yield f"{who}{f', which may not see {unseen}' if unseen else ''}."
        if letters := unknown_letters(self.snapshot):
            yield f"{name}: access lists hold privileges of a newer server ({letters}); they are left out."
        yield from (f"{name}: {reason}." for reason in self._extents.reasons)
        yield from (f"{name}: {said}." for said in self._fields.left_out())
        if self.snapshot.login_rules is None:
            yield f"{name}: who may come in without a password (pg_hba.conf) is not known."


def _edged(memberships: Iterator[Membership] | tuple[Membership, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in memberships:
        found.setdefault(each.member, []).append(each.role)
    return found
