"""The catalogue of a PostgreSQL database as plain rows: who is who, who owns what, and who was granted what."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from otrack_risk.errors import FileError
from otrack_risk.frames import database

_FORM = "otrack-risk postgresql snapshot 1"  # what the first key of a file must say
PUBLIC = ""  # how an ACL writes everybody
Acl = tuple[str, ...] | None  # aclitem texts; None: never changed, so the owner alone


@dataclass(frozen=True, order=True)
class Role:
    """A row of pg_roles; its password is never asked for."""

    name: str
    superuser: bool
    inherit: bool
    create_role: bool
    login: bool
    bypass_rls: bool
    connection_limit: int  # -1: none
    valid_until: str | None  # of its password


@dataclass(frozen=True, order=True)
class Membership:
    """A row of pg_auth_members. Before PostgreSQL 16 ``inherit`` is the member's own and ``set`` is always true."""

    member: str
    role: str
    grantor: str
    admin: bool
    inherit: bool
    set: bool


@dataclass(frozen=True, order=True)
class Schema:
    """A row of pg_namespace."""

    name: str
    owner: str
    acl: Acl


@dataclass(frozen=True)
class Column:
    """A row of pg_attribute."""

    name: str
    type: str  # as format_type writes it, without length
    acl: Acl


@dataclass(frozen=True)
class Relation:
    """A row of pg_class that holds or shows rows."""

    schema: str
    name: str
    kind: str  # r table, p partitioned table, f foreign table, v view, m materialised view
    owner: str
    acl: Acl
    row_security: bool
    forced: bool  # the owner is not exempt
    security_invoker: bool  # of a view: reads as whoever asks
    definition: str | None  # of a view: its query
    columns: tuple[Column, ...]
    part_of: tuple[str, str] | None  # of a partition: the table it belongs to


@dataclass(frozen=True)
class Policy:
    """A row of pg_policies."""

    schema: str
    table: str
    name: str
    permissive: bool
    roles: tuple[str, ...]  # PUBLIC: everybody
    command: str  # ALL, SELECT, INSERT, UPDATE, DELETE
    using: str | None
    check: str | None


@dataclass(frozen=True)
class Default:
    """A row of pg_default_acl: what objects that ``role`` makes later will be granted."""

    role: str
    schema: str | None  # None: in any
    kind: str  # r tables, S sequences, f functions, T types, n schemas, L large objects
    acl: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Shown:
    """A view reads a column of a relation."""

    view_schema: str
    view: str
    schema: str
    name: str
    column: str | None  # None: no column of it is named


@dataclass(frozen=True)
class Definer:
    """A SECURITY DEFINER function: whoever may run it acts as its owner."""

    schema: str
    name: str
    arguments: str
    owner: str
    acl: Acl


@dataclass(frozen=True, order=True)
class LoginRule:
    """A line of pg_hba.conf, without names of hosts."""

    line: int
    type: str  # local, host, hostssl ...
    database: tuple[str, ...]
    users: tuple[str, ...]
    method: str  # trust, scram-sha-256, cert ...


_ROWS: dict[str, type[Any]] = {
    "roles": Role,
    "memberships": Membership,
    "schemas": Schema,
    "relations": Relation,
    "policies": Policy,
    "defaults": Default,
    "shown": Shown,
    "definers": Definer,
}


@dataclass(frozen=True)
class Snapshot:
    """One database's catalogue at one moment, in a fixed order; every answer about privileges is computed from it.

    Two snapshots of an unchanged database are equal, and so are the bytes that :meth:`write` makes of them. Policies
    and views stand in it as the server prints them, with the constants that somebody wrote into them.
    """

    database: str
    database_owner: str
    database_acl: Acl
    version: int  # server_version_num: 160014 is 16.14
    asked_by: str
    asked_by_superuser: bool
    not_seen: tuple[str, ...]  # what this role may not see
    roles: tuple[Role, ...]
    memberships: tuple[Membership, ...]
    schemas: tuple[Schema, ...]
    relations: tuple[Relation, ...]
    policies: tuple[Policy, ...]
    defaults: tuple[Default, ...]
    shown: tuple[Shown, ...]
    definers: tuple[Definer, ...]
    login_rules: tuple[LoginRule, ...] | None  # None: not seen

    def write(self, path: str | Path) -> None:
        """Write it as JSON; :meth:`read` gives the same one back."""
        content = {"form": _FORM, **asdict(self)}
        Path(path).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The snapshot in a file.

        Raises
        ------
        FileError
            No such file, not JSON, or no snapshot that this version wrote.
        """
        file = Path(path)
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except OSError:
            raise FileError(f"{file.name}: this snapshot cannot be read.", "check the path.") from None
        except (ValueError, RecursionError):
            raise FileError(f"{file.name} is not JSON.", "take the snapshot again.") from None
        try:
            if content.pop("form") != _FORM:
                raise ValueError
            content |= {name: tuple(_row(kind, each) for each in content[name]) for name, kind in _ROWS.items()}
            if content["login_rules"] is not None:
                content["login_rules"] = tuple(_row(LoginRule, each) for each in content["login_rules"])
            texts = all(type(content[name]) is str for name in ("database", "database_owner", "asked_by"))
            if not texts or type(content["version"]) is not int:
                raise ValueError
            return cls(**{name: _tuples(value) for name, value in content.items()})
        except (AttributeError, KeyError, TypeError, ValueError):
            raise FileError(
                f"{file.name} is no snapshot of a PostgreSQL catalogue, or of another version.",
                "take the snapshot again.",
            ) from None


def recognise(path: str | Path) -> bool:
    """Whether it is a PostgreSQL address, or a file that :meth:`Snapshot.write` made."""
    found = database.located(path)
    if isinstance(found, database.Url):
        return found.kind == "postgresql"
    try:
        with found.open("rb") as file:
            return _FORM.encode() in file.read(200)
    except OSError:
        return False


def _row(kind: type[Any], content: dict[str, Any]) -> Any:
    if kind is Relation:
        content = content | {"columns": [_row(Column, each) for each in content["columns"]]}
    return kind(**{name: _tuples(value) for name, value in content.items()})


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
