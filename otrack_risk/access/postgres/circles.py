"""Who is in whose circle in a PostgreSQL database: access control lists, inherited privileges, SET ROLE."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from otrack_risk.access.postgres.snapshot import PUBLIC, Acl, Membership, Snapshot

EVERYBODY = "PUBLIC (every log-in)"  # how a chain names PUBLIC
LETTERS: Mapping[str, str] = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "U": "USAGE",
    "C": "CREATE",
    "X": "EXECUTE",
    "c": "CONNECT",
    "T": "TEMPORARY",
}
Chains = Mapping[str, tuple[str, ...]]  # a role that is reached -> the roles on the way to it, itself last


@dataclass(frozen=True)
class Entry:
    """One item of an access control list."""

    grantee: str  # PUBLIC: everybody
    privileges: tuple[str, ...]
    grantable: tuple[str, ...]  # those of them that it may hand on
    unknown: str = ""  # letters of a newer server


def entry(item: str) -> Entry:
    """What an ``aclitem`` says, written as the server writes it: ``grantee=letters/grantor``.

    Examples
    --------
    >>> entry('"o""hara, j"=r*w/head')
    Entry(grantee='o"hara, j', privileges=('SELECT', 'UPDATE'), grantable=('SELECT',), unknown='')
    >>> entry("=U/postgres").grantee
    ''
    """
    name, rest = _name(item)
    letters = rest.removeprefix("=").partition("/")[0]
    plain = letters.replace("*", "")
    return Entry(
        name,
        tuple(LETTERS[letter] for letter in plain if letter in LETTERS),
        tuple(LETTERS[a] for a, b in pairwise(letters) if b == "*" and a in LETTERS),
        "".join(letter for letter in plain if letter not in LETTERS),
    )


def listed(acl: Acl, owner: str, usual: tuple[str, ...]) -> list[Entry]:
    """The items of a list; of one that nobody changed, what the owner has."""
    return [Entry(owner, usual, usual)] if acl is None else [entry(item) for item in acl]


@dataclass(frozen=True)
class Circles:
    """Which role has the privileges of which, and which it can become."""

    snapshot: Snapshot

    @cached_property
    def superusers(self) -> frozenset[str]:
        return frozenset(role.name for role in self.snapshot.roles if role.superuser)

    @cached_property
    def bypassing(self) -> frozenset[str]:
        return frozenset(role.name for role in self.snapshot.roles if role.bypass_rls)

    @cached_property
    def inherits(self) -> Mapping[str, Chains]:
        """Roles whose privileges each role has, itself too (``has_privs_of_role``, superusers aside)."""
        return self._closures(lambda each: each.inherit)

    @cached_property
    def becomes(self) -> Mapping[str, Chains]:
        """Roles that ``SET ROLE`` lets each role become, itself too; a superuser becomes any."""
        names = [role.name for role in self.snapshot.roles]
        anybody = {name: (name,) for name in names}
        return self._closures(lambda each: each.set) | {name: anybody | {name: ()} for name in self.superusers}

    @cached_property
    def gives_itself(self) -> Mapping[str, Chains]:
        """Roles that each role can grant to itself, and what it can become by them, less what it can become already.

        By ADMIN OPTION, held in any way; before PostgreSQL 16 by CREATEROLE also, of any role but superusers.
        """
        member = self.members
        admin = _edges(each for each in self.edges if each.admin)
        others = {role.name for role in self.snapshot.roles if not role.superuser}
        creators = {r.name for r in self.snapshot.roles if r.create_role and self.snapshot.version < 160000}
        found: dict[str, Chains] = {}
        for role, circle in member.items():
            given = {target: (*way, target) for name, way in circle.items() for target in admin.get(name, ())}
            if role in creators:
                given |= {name: (name,) for name in others - {role}}
            further = {
                last: (*way, *rest) for name, way in given.items() for last, rest in self.becomes.get(name, {}).items()
            }
            found[role] = {name: way for name, way in (further | given).items() if name not in self.becomes[role]}
        return found

    @cached_property
    def members(self) -> Mapping[str, Chains]:
        """Roles of which each role is a member in any way, itself too."""
        return self._closures(lambda each: True)

    def has(self, role: str, other: str) -> bool:
        """Whether a role has the privileges of another."""
        return role in self.superusers or other in self.inherits.get(role, {})

    def has_role(self, role: str, other: str, how: str) -> bool | None:
        """What ``pg_has_role`` says; None where there is no such role, or that word is not known."""
        circle = {"MEMBER": self.members, "USAGE": self.inherits, "SET": self.becomes}.get(how)
        if circle is None or other not in self.inherits:
            return None
        return role in self.superusers or other in circle[role]

    @cached_property
    def edges(self) -> tuple[Membership, ...]:
        """Every membership; that of the database's owner in pg_database_owner too, which no catalogue lists."""
        owner = self.snapshot.database_owner  # the one member that this role has, and nobody can take it away
        named = any(role.name == "pg_database_owner" for role in self.snapshot.roles)
        implied = (Membership(owner, "pg_database_owner", "", admin=False, inherit=True, set=True),) if named else ()
        return (*self.snapshot.memberships, *implied)

    def _closures(self, follows: Callable[[Membership], bool]) -> dict[str, Chains]:
        edges = _edges(each for each in self.edges if follows(each))
        return {role.name: walked(role.name, edges) for role in self.snapshot.roles}


def connectable(snapshot: Snapshot, circles: Circles) -> frozenset[str]:
    """Roles that may log in to this database: LOGIN, CONNECT, and a connection left for them."""
    items = listed(snapshot.database_acl, snapshot.database_owner, ("CREATE", "CONNECT", "TEMPORARY"))
    holders = {each.grantee for each in items if "CONNECT" in each.privileges}
    if snapshot.database_acl is None:
        holders.add(PUBLIC)
    return frozenset(
        role.name
        for role in snapshot.roles
        if role.login
        and (role.superuser or (role.connection_limit != 0 and holders & {PUBLIC, *circles.inherits[role.name]}))
    )


def _edges(memberships: Iterable[Membership]) -> dict[str, list[str]]:
    edges: dict[str, list[str]] = {}
    for each in memberships:
        edges.setdefault(each.member, []).append(each.role)
    return edges


def walked(start: str, edges: Mapping[str, list[str]]) -> Chains:
    """Everything that is reached, by a shortest way."""
    found: dict[str, tuple[str, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        name = waiting.popleft()
        for further in edges.get(name, ()):
            if further not in found:
                found[further] = (*found[name], further)
                waiting.append(further)
    return found


def _name(item: str) -> tuple[str, str]:
    """The grantee's name and the rest; quotes around it are doubled within."""
    if not item.startswith('"'):
        name, _, rest = item.partition("=")
        return name, f"={rest}"
    place, name = 1, ""
    while place < len(item):
        if item[place] == '"':
            if item[place + 1 : place + 2] != '"':
                break
            place += 1
        name += item[place]
        place += 1
    return name, item[place + 1 :]
