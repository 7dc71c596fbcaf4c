"""What is wrong with the privileges of a PostgreSQL database, whoever holds them."""

from __future__ import annotations

from collections.abc import Iterator

from otrack_risk import schema
from otrack_risk.access.model import Fault
from otrack_risk.access.postgres.circles import EVERYBODY, connectable, entry
from otrack_risk.access.postgres.fields import Fields
from otrack_risk.access.postgres.reach import Reach
from otrack_risk.access.postgres.rows import exempt
from otrack_risk.access.postgres.snapshot import PUBLIC, Acl, Relation, Snapshot
from otrack_risk.access.postgres.views import TABLES, Place

_NAMES = 5  # groups that one sentence names


def found(snapshot: Snapshot, reach: Reach, fields: Fields) -> tuple[Fault, ...]:
    """Faults of the database.

    ``rls_not_forced``, ``no_rls_beside``, ``bypass_rls``, ``view_exposes``, ``public_grant``, ``default_privileges``,
    ``group_owner``, ``definer_function``, ``no_password``. They name tables, views and groups; log-ins are counted.
    """
    looks = (_not_forced, _no_rls_beside, _bypass, _views, _public, _defaults, _owners, _definers, _no_password)
    return tuple(fault for look in looks for fault in look(snapshot, reach, fields))


def _not_forced(snapshot: Snapshot, reach: Reach, fields: Fields) -> Iterator[Fault]:
    able = connectable(snapshot, reach.circles)
    for each in snapshot.relations:
        if not each.row_security or each.forced:
            continue
        owners = [
            name
            for name in sorted(able - reach.circles.superusers)
            if reach.circles.has(name, each.owner) or each.owner in reach.circles.becomes[name]
        ]
        if owners:
            yield Fault(
                "rls_not_forced",
                _full(each),
                f"row-level security does not bind the owner, as whom {_who(snapshot, owners)} can see all rows",
                "ALTER TABLE ... FORCE ROW LEVEL SECURITY, or give the table to a role that nobody can take on",
            )


def _no_rls_beside(snapshot: Snapshot, reach: Reach, fields: Fields) -> Iterator[Fault]:
    guarded: dict[str, str] = {}
    open_ones: list[tuple[Relation, set[str]]] = []
    heavy = {name for name in schema.categories() if schema.weight(name) >= 3}
    for each in snapshot.relations:
        if each.kind not in TABLES or each.part_of:
            continue
        place = each.schema, each.name
        held = {found for column in each.columns if (found := fields.category(place, column.name))} & heavy
        if each.row_security:
            guarded |= dict.fromkeys(held, _full(each))
        elif held:
            open_ones.append((each, held))
    for each, held in open_ones:
        if both := sorted(held & guarded.keys()):
            yield Fault(
                "no_rls_beside",
                _full(each),
                f"it holds {', '.join(both)} without row-level security, which {guarded[both[0]]} has for the same",
                "enable row-level security on it too, or say why all its rows may be seen",
            )


def _bypass(snapshot: Snapshot, reach: Reach, fields: Fields) -> Iterator[Fault]:
    able = connectable(snapshot, reach.circles) - reach.circles.superusers
    roles = {role.name: role.login for role in snapshot.roles if role.bypass_rls and not role.superuser}
    mend = "ALTER ROLE ... NOBYPASSRLS (SELECT rolname FROM pg_roles WHERE rolbypassrls lists them), but for backups"
    if logins := [name for name in roles if name in able]:
        yield Fault("bypass_rls", None, f"BYPASSRLS: no policy binds {_who(snapshot, logins)}", mend)
    for name, login in sorted(roles.items()):
        others = [each for each in sorted(able) if each != name and name in reach.circles.becomes[each]]
        if others:
            why = f"BYPASSRLS: no policy binds it, and {_who(snapshot, others)} can take it on"
            yield Fault("bypass_rls", None if login else name, why, mend)


def _views(snapshot: Snapshot, reach: Reach, fields: Fields) -> Iterator[Fault]:
    able = sorted(connectable(snapshot, reach.circles) - reach.circles.superusers)
    for place, window in reach.views.windows.items():
        view = window.view
        held: dict[str, set[str]] = {}
        for name in able:
            if not reach.opens(place, name):
                continue
            for column in reach.views.columns(place, reach.selects(name, place)):
                table = reach.views.relations[column.place]
                direct = column.name in reach.selects(name, column.place) and reach.opens(column.place, name)
                unbound = exempt(snapshot, table, name, reach.circles) or view.security_invoker
                category = fields.category(column.place, column.name)
                if category and not (direct and unbound):
                    held.setdefault(name, set()).add(category)
        if held:
            what = sorted(set().union(*held.values()))
            yield Fault(
                "view_exposes",
                f"{view.schema}.{view.name}",
                f"with its owner's eyes it shows {_who(snapshot, sorted(held))} {_listed(what)}, "
                "which the tables do not show so",
                "take the columns out of the view, or make it a security_invoker's and grant the tables",
            )


def _public(snapshot: Snapshot, reach: Reach, fields: Fields) -> Iterator[Fault]:
    entered = {each.name: _granted(each.acl, PUBLIC) for each in snapshot.schemas}
    for each in snapshot.relations:
        given = _granted(each.acl, PUBLIC)
        for column in each.columns:
            given += [name for name in _granted(column.acl, PUBLIC) if name not in given]
        if given:
            closed = "" if "USAGE" in entered[each.schema] else "; its schema does not let everybody in"
            yield Fault(
                "public_grant",
                _full(each),
                f"{EVERYBODY} holds {', '.join(given)}{closed}",
                "REVOKE ... FROM PUBLIC, and grant it to the roles that need it",
            )


def _defaults(snapshot: Snapshot, reach: Reach, fields: Fields) -> Iterator[Fault]:
    for each in snapshot.defaults:
        items = [item for item in map(entry, each.acl) if item.grantee != each.role and item.privileges]
        if each.kind != "r" or not items:
            continue
        who = [item.grantee or EVERYBODY for item in items]
        where = f" in schema {each.schema}" if each.schema else ""
        yield Fault(
            "default_privileges",
            _role(snapshot, each.role),
            f"every table that it makes{where} will be granted to {_who(snapshot, who)}",
            "ALTER DEFAULT PRIVILEGES ... REVOKE, and grant table by table",
        )


def _owners(snapshot: Snapshot, reach: Reach, fields: Fields) -> Iterator[Fault]:
    able = sorted(connectable(snapshot, reach.circles) - reach.circles.superusers)
    owned: dict[str, list[Place]] = {}
    for each in snapshot.relations:
        owned.setdefault(each.owner, []).append((each.schema, each.name))
    logins = {role.name for role in snapshot.roles if role.login}
    for owner, places in sorted(owned.items()):
        who = [name for name in able if name != owner and owner in reach.circles.inherits[name]]
        if owner not in logins and who:
            yield Fault(
                "group_owner",
                owner,
                f"a group owns {len(places):,} tables and views: {_who(snapshot, who)} can change, drop and grant them",
                "give them to a role that nobody inherits, and grant the group what it needs",
            )


def _definers(snapshot: Snapshot, reach: Reach, fields: Fields) -> Iterator[Fault]:
    for each in snapshot.definers:
        runs = {item.grantee for item in map(entry, each.acl or ()) if "EXECUTE" in item.privileges}
        runs |= {PUBLIC} if each.acl is None else set()
        who = sorted(name or EVERYBODY for name in runs - {each.owner})
        if who:
            yield Fault(
                "definer_function",
                f"{each.schema}.{each.name}",
                f"{_who(snapshot, who)} may run it as {_role(snapshot, each.owner) or 'a log-in'}, its owner; "
                "what it shows is not looked at",
                "read the function, and revoke EXECUTE from whoever does not need it",
            )


def _no_password(snapshot: Snapshot, reach: Reach, fields: Fields) -> Iterator[Fault]:
    for each in snapshot.login_rules or ():
        if each.method != "trust":
            continue
        where = "from the server itself" if each.type == "local" else "over the network"
        who = "everybody" if "all" in each.users else f"{len(each.users):,} named roles or groups"
        yield Fault(
            "no_password",
            f"pg_hba.conf, line {each.line}",
            f"{who} may come in {where}, as any role, without a password",
            "ask for a password (scram-sha-256) or a certificate",
        )


def _granted(acl: Acl, who: str) -> list[str]:
    return [name for item in acl or () if (read := entry(item)).grantee == who for name in read.privileges]


def _full(relation: Relation) -> str:
    return f"{relation.schema}.{relation.name}"


def _role(snapshot: Snapshot, name: str) -> str | None:
    """A group's name; None of a log-in, which may be a person's."""
    return None if any(role.name == name and role.login for role in snapshot.roles) else name


def _who(snapshot: Snapshot, names: list[str]) -> str:
    """Groups by name, log-ins by number."""
    groups = [name for name in names if _role(snapshot, name)]
    logins = len(names) - len(groups)
    more = len(groups) - _NAMES
    said = groups if more <= 0 else [*groups[:_NAMES], f"{more:,} more groups"]
    return _listed([*said, *([f"{logins:,} log-in{'s' * (logins > 1)}"] if logins else [])])


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
