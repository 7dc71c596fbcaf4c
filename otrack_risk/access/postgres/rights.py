"""Who holds which privilege in a PostgreSQL database, computed from a snapshot of its catalogue alone.

The rules are those of the server's aclchk.c and acl.c (PostgreSQL 12 to 18): privileges come from the superuser's
attribute, from an access control list (of a table, or of a column besides), from PUBLIC, from every role whose
privileges are inherited, and from the predefined roles; an owner has what the list gives it, and may grant all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from otrack_risk.access.postgres.circles import EVERYBODY, Circles, Entry, entry, listed
from otrack_risk.access.postgres.snapshot import PUBLIC, Relation, Snapshot

OF_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
OF_TABLES = (*OF_COLUMNS, "DELETE", "TRUNCATE", "TRIGGER")
# Predefined roles, and what they may do to every table and view; the first two also use every schema.
_PREDEFINED = {
    "pg_read_all_data": ("SELECT",),
    "pg_write_all_data": ("INSERT", "UPDATE", "DELETE"),
    "pg_maintain": ("MAINTAIN",),
}
_KEYS = ("role", "schema", "table", "column", "privilege")


def privileges(snapshot: Snapshot) -> pl.DataFrame:
    """Every privilege on tables, views and their columns, of every role; what is not there is not held.

    Returns
    -------
    role, schema, table, column (null: the table itself), privilege;
    ``granted`` as ``has_table_privilege`` and ``has_column_privilege`` tell it, which do not look at the schema;
    ``grantable``: the role may hand it on; ``latent``: not granted, and is after some ``SET ROLE``;
    ``by_admin``: neither, and is when the role grants another to itself; ``reachable``: granted (or latent, or by
    admin) and the schema lets that role in; ``chain``: the roles on the way to the holder, joined by " > ", null
    where the role holds it itself

    Notes
    -----
    A privilege on the table counts for each of its columns. Sequences, functions and large objects are not here.
    """
    circles = Circles(snapshot)
    held = holdings(snapshot, circles)
    own = held.select(*_KEYS, "granted", "grantable", "reachable", "chain")
    borrowed = held.filter("granted")
    parts = [own.with_columns(latent=pl.lit(value=False), by_admin=pl.lit(value=False))]
    for name, circle in (("latent", circles.becomes), ("by_admin", circles.gives_itself)):
        ways = pl.DataFrame(
            [
                (role, other, " > ".join(way))
                for role, found in circle.items()
                if role not in circles.superusers
                for other, way in found.items()
                if way
            ],
            schema={"role": pl.String, "other": pl.String, "way": pl.String},
            orient="row",
        )
        found = (
            ways.join(borrowed, left_on="other", right_on="role")
            .join(own.filter("granted"), on=_KEYS, how="anti", nulls_equal=True)
            .select(
                *_KEYS,
                "reachable",
                chain=pl.concat_str("way", "chain", separator=" > ", ignore_nulls=True),
                granted=pl.lit(value=False),
                grantable=pl.lit(value=False),
                latent=pl.lit(name == "latent"),
                by_admin=pl.lit(name == "by_admin"),
            )
        )
        parts.append(found.select(parts[0].columns))
    return (
        pl.concat(parts)
        .sort(~pl.col("reachable"), pl.col("chain").str.count_matches(" > ").fill_null(0), "chain")
        .group_by(*_KEYS)
        .agg(
            pl.col("granted", "grantable", "latent", "by_admin", "reachable").any(),
            pl.coalesce(
                pl.when(pl.col("granted").any()).then(pl.col("chain").filter("granted").first()),
                pl.when(~pl.col("granted").any()).then(pl.col("chain").first()),
            ),
        )
        .with_columns(by_admin=pl.col("by_admin") & ~pl.col("latent"))
        .sort(*_KEYS, nulls_last=False)
    )


def holdings(snapshot: Snapshot, circles: Circles | None = None) -> pl.DataFrame:
    """What each role holds by itself and by inheriting, with no SET ROLE.

    role, schema, table, column, privilege, granted, grantable, reachable, chain
    """
    circles = circles or Circles(snapshot)
    named = pl.DataFrame(list(entries(snapshot)), schema=_ENTRY, orient="row")
    columns = pl.DataFrame(
        [(each.schema, each.name, column.name) for each in snapshot.relations for column in each.columns],
        schema={"schema": pl.String, "table": pl.String, "name": pl.String},
        orient="row",
    )
    whole = named.filter(pl.col("column").is_null(), pl.col("privilege").is_in(OF_COLUMNS))
    spread = whole.join(columns, on=["schema", "table"]).with_columns(column="name").select(named.columns)
    ways = pl.DataFrame(list(_ways(circles)), schema=_WAY, orient="row")
    usage = pl.DataFrame(
        [(role, schema) for role, found in usable(snapshot, circles).items() for schema in found],
        schema={"role": pl.String, "schema": pl.String},
        orient="row",
    )
    return (
        pl.concat([named, spread])
        .join(ways, on="holder")
        .sort(~pl.col("granted"), "depth", "chain")
        .group_by(*_KEYS, maintain_order=True)
        .agg(pl.col("granted", "grantable").any(), pl.col("chain").first())
        .join(usage.with_columns(uses=pl.lit(value=True)), on=["role", "schema"], how="left")
        .with_columns(reachable=pl.col("granted") & pl.col("uses").fill_null(value=False))
        .drop("uses")
    )


def usable(snapshot: Snapshot, circles: Circles | None = None, *, attributes: bool = True) -> dict[str, frozenset[str]]:
    """The schemas that each role, and PUBLIC, may enter (USAGE); without ``attributes`` by lists alone.

    A superuser enters all by its attribute, which nobody inherits.
    """
    circles = circles or Circles(snapshot)
    every = frozenset(each.name for each in snapshot.schemas)
    holders: dict[str, set[str]] = {}
    for schema in snapshot.schemas:
        for each in listed(schema.acl, schema.owner, ("USAGE", "CREATE")):
            if "USAGE" in each.privileges:
                holders.setdefault(each.grantee, set()).add(schema.name)
    for name in ("pg_read_all_data", "pg_write_all_data"):
        holders.setdefault(name, set()).update(every)
    found = {
        role: every
        if attributes and role in circles.superusers
        else frozenset().union(*(holders.get(name, ()) for name in (PUBLIC, *circle)))
        for role, circle in circles.inherits.items()
    }
    return found | {PUBLIC: frozenset(holders.get(PUBLIC, ()))}


def unknown_letters(snapshot: Snapshot) -> str:
    """Letters of access control lists that are not known here: privileges of a newer server."""
    lists = [each.acl for each in snapshot.relations] + [each.acl for each in snapshot.schemas]
    lists += [column.acl for each in snapshot.relations for column in each.columns]
    return "".join(sorted({letter for acl in lists for item in acl or () for letter in entry(item).unknown}))


_ENTRY = {
    "holder": pl.String,
    "schema": pl.String,
    "table": pl.String,
    "column": pl.String,
    "privilege": pl.String,
    "granted": pl.Boolean,
    "grantable": pl.Boolean,
}
_WAY = {"role": pl.String, "holder": pl.String, "chain": pl.String, "depth": pl.Int64}
_SUPERUSER = "\0"  # a holder of everything; no role can be called so


def entries(snapshot: Snapshot) -> Iterator[tuple[str, str, str, str | None, str, bool, bool]]:
    """Who is named as a holder of what; a superuser and an owner's right to grant are holders as well."""
    every = (*OF_TABLES, "MAINTAIN") if snapshot.version >= 170000 else OF_TABLES
    names = {role.name for role in snapshot.roles}
    for each in snapshot.relations:
        where = each.schema, each.name
        for name in every:
            yield _SUPERUSER, *where, None, name, True, True
            yield each.owner, *where, None, name, False, True
        for holder, given in _PREDEFINED.items():
            if holder in names:
                yield from ((holder, *where, None, name, True, False) for name in given)
        yield from _items(each, None, listed(each.acl, each.owner, every))
        for column in each.columns:
            yield from _items(each, column.name, listed(column.acl, each.owner, ()))


def _items(
    relation: Relation, column: str | None, items: Iterable[Entry]
) -> Iterator[tuple[str, str, str, str | None, str, bool, bool]]:
    for item in items:
        for name in item.privileges:
            yield item.grantee, relation.schema, relation.name, column, name, True, name in item.grantable


def _ways(circles: Circles) -> Iterator[tuple[str, str, str | None, int]]:
    """role, holder, chain, its length: every holder whose privileges a role has."""
    for role, found in circles.inherits.items():
        for holder, way in found.items():
            yield role, holder, " > ".join(way) or None, len(way)
        yield role, PUBLIC, EVERYBODY, 1
        if role in circles.superusers:
            yield role, _SUPERUSER, None, 0
