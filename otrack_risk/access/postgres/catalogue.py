"""Ask a PostgreSQL server for its catalogue, in one transaction that can change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from otrack_risk.access.postgres.snapshot import (
    PUBLIC,
    Acl,
    Column,
    Default,
    Definer,
    LoginRule,
    Membership,
    Policy,
    Relation,
    Role,
    Schema,
    Shown,
    Snapshot,
)
from otrack_risk.errors import FileError
from otrack_risk.frames import database, postgres


def snapshot(url: str) -> Snapshot:
    """Read the catalogue in one transaction that can change nothing.

    Any role may read these catalogues; what the server keeps for superusers (the rules of log-in) is named in
    ``not_seen``. Schemas of the system and of sessions (``pg_...``, ``information_schema``) are left out.

    Raises
    ------
    FileError, ParameterError
        The server cannot be reached or breaks off; psycopg is not installed.
    """
    address = database.Url(url)
    connection, psycopg = postgres.connect(address)
    try:
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("set local search_path = pg_catalog")  # names are printed in full, and nobody's are found
        return _taken(connection, psycopg, address.name)
    except psycopg.Error:
        raise FileError(
            f"the catalogue of {address.name} could not be read.", "check that you may read pg_catalog, and try again."
        ) from None
    finally:
        connection.close()


def _taken(connection: Any, psycopg: Any, name: str) -> Snapshot:
    def ask(query: str) -> list[tuple[Any, ...]]:
        return list(connection.execute(query).fetchall())

    version = int(connection.info.server_version)
    (owner, acl, asked_by, superuser) = ask(
        "select pg_get_userbyid(d.datdba), d.datacl::text[], current_user::text, r.rolsuper from pg_database d, "
        "pg_roles r where d.datname = current_database() and r.rolname = current_user"
    )[0]
    options = "m.inherit_option, m.set_option" if version >= 160000 else "u.rolinherit, true"
    rules, not_seen = _login_rules(connection, psycopg)
    columns: dict[int, list[Column]] = {}
    for relation, column, kind, column_acl in ask(_COLUMNS):
        columns.setdefault(relation, []).append(Column(column, kind, _acl(column_acl)))
    return Snapshot(
        database=name,
        database_owner=owner,
        database_acl=_acl(acl),
        version=version,
        asked_by=asked_by,
        asked_by_superuser=superuser,
        not_seen=not_seen,
        roles=tuple(sorted(Role(*row) for row in ask(_ROLES))),
        memberships=tuple(sorted(Membership(*row) for row in ask(_MEMBERSHIPS.format(options=options)))),
        schemas=tuple(sorted(Schema(name, owner, _acl(acl)) for name, owner, acl in ask(_SCHEMAS))),
        relations=tuple(_relation(row, columns) for row in ask(_RELATIONS)),
        policies=tuple(
            Policy(row[0], row[1], row[2], row[3], _everybody(row[4]), row[5], row[6], row[7]) for row in ask(_POLICIES)
        ),
        defaults=tuple(Default(row[0], row[1], row[2], _acl(row[3]) or ()) for row in ask(_DEFAULTS)),
        shown=tuple(sorted((Shown(*row) for row in ask(_SHOWN)), key=lambda each: (*_key(each),))),
        definers=tuple(Definer(row[0], row[1], row[2], row[3], _acl(row[4])) for row in ask(_DEFINERS)),
        login_rules=rules,
    )


_MINE = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
_ROLES = (
    "select rolname, rolsuper, rolinherit, rolcreaterole, rolcanlogin, rolbypassrls, rolconnlimit, "
    "to_char(rolvaliduntil at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from pg_roles"
)
_MEMBERSHIPS = (
    "select u.rolname, g.rolname, coalesce(b.rolname, ''), m.admin_option, {options} from pg_auth_members m "
    "join pg_roles g on g.oid = m.roleid join pg_roles u on u.oid = m.member left join pg_roles b on b.oid = m.grantor"
)
_SCHEMAS = f"select n.nspname, pg_get_userbyid(n.nspowner), n.nspacl::text[] from pg_namespace n where {_MINE}"
_RELATIONS = (
    "select c.oid, n.nspname, c.relname, c.relkind::text, pg_get_userbyid(c.relowner), c.relacl::text[], "
    "c.relrowsecurity, c.relforcerowsecurity, "
    "exists (select from pg_options_to_table(c.reloptions) o where o.option_name = 'security_invoker' "
    "and o.option_value::bool), "
    "case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end, pn.nspname, pc.relname "
    "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
    "left join pg_inherits i on i.inhrelid = c.oid and c.relispartition "
    "left join pg_class pc on pc.oid = i.inhparent left join pg_namespace pn on pn.oid = pc.relnamespace "
    f"where c.relkind in ('r', 'p', 'f', 'v', 'm') and {_MINE} order by n.nspname, c.relname"
)
_COLUMNS = (
    "select a.attrelid, a.attname, format_type(a.atttypid, null), a.attacl::text[] from pg_attribute a "
    "join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace "
    f"where c.relkind in ('r', 'p', 'f', 'v', 'm') and a.attnum > 0 and not a.attisdropped and {_MINE} "
    "order by a.attrelid, a.attnum"
)
_POLICIES = (
    "select schemaname, tablename, policyname, permissive = 'PERMISSIVE', roles::text[], cmd, qual, with_check "
    "from pg_policies order by 1, 2, 3"
)
_DEFAULTS = (
    "select pg_get_userbyid(d.defaclrole), n.nspname, d.defaclobjtype::text, d.defaclacl::text[] "
    "from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace order by 1, 2, 3"
)
_SHOWN = (
    "select distinct n.nspname, v.relname, tn.nspname, t.relname, a.attname from pg_rewrite r "
    "join pg_class v on v.oid = r.ev_class join pg_namespace n on n.oid = v.relnamespace "
    "join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid "
    "and d.refclassid = 'pg_class'::regclass "
    "join pg_class t on t.oid = d.refobjid join pg_namespace tn on tn.oid = t.relnamespace "
    "left join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid and d.refobjsubid > 0 "
    f"where r.ev_type = '1' and v.relkind in ('v', 'm') and t.oid <> v.oid and t.relkind <> 'S' and {_MINE}"
)
_DEFINERS = (
    "select n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), pg_get_userbyid(p.proowner), "
    "p.proacl::text[] from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
    f"where p.prosecdef and {_MINE} order by 1, 2, 3"
)


def _login_rules(connection: Any, psycopg: Any) -> tuple[tuple[LoginRule, ...] | None, tuple[str, ...]]:
    try:
        with connection.transaction():  # a refusal must not end the whole
            rows = connection.execute(
                "select line_number, type, database, user_name, auth_method from pg_hba_file_rules where error is null"
            ).fetchall()
    except psycopg.Error:
        return None, ("pg_hba_file_rules",)
    return tuple(
        sorted(
            LoginRule(line, kind, tuple(bases or ()), tuple(users or ()), how) for line, kind, bases, users, how in rows
        )
    ), ()


def _relation(row: Sequence[Any], columns: Mapping[int, list[Column]]) -> Relation:
    return Relation(
        schema=row[1],
        name=row[2],
        kind=row[3],
        owner=row[4],
        acl=_acl(row[5]),
        row_security=row[6],
        forced=row[7],
        security_invoker=row[8],
        definition=row[9],
        columns=tuple(columns.get(row[0], ())),
        part_of=None if row[10] is None else (row[10], row[11]),
    )


def _acl(items: Sequence[str] | None) -> Acl:
    return None if items is None else tuple(items)


def _everybody(roles: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(PUBLIC if role == "public" else role for role in roles))  # no role may be called public


def _key(shown: Shown) -> list[str]:
    return [str(getattr(shown, each.name) or "") for each in fields(shown)]
