"""Proposals as text for a person to review: SQL, a Casbin policy, a CSV. This tool runs none of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from otrack_risk.access.change.revoke import Proposal
from otrack_risk.access.model import Grants
from otrack_risk.access.postgres.circles import EVERYBODY
from otrack_risk.access.words import scopes, verbs
from otrack_risk.errors import ParameterError

HEADER = "for review; not run by this tool"
_LONGEST = 63  # bytes of a name in PostgreSQL, which cuts what is longer, and so may mean another role
_PRIVILEGES: Mapping[str, tuple[str, ...]] = {
    "view": ("SELECT",),
    "edit": ("INSERT", "UPDATE", "DELETE", "TRUNCATE"),
    "export": ("SELECT",),
    "admin": ("ALL PRIVILEGES",),
}
_WHOLE = ("school", "trust", "all")  # scopes that a grant of a whole table can mean


@dataclass(frozen=True)
class Script:
    """Text of one kind, and what could not be written down as a statement."""

    kind: Literal["sql", "casbin", "csv"]
    text: str  # ends with a line feed; the first line says that it is for review
    statements: int
    left: tuple[str, ...] = ()  # what a person must do by hand, without any name


def sql(proposals: Sequence[Proposal], tables: Mapping[str, Sequence[tuple[str, str]]], after: Grants) -> Script:
    """``REVOKE`` and ``GRANT`` statements of PostgreSQL in one transaction that ends in ``ROLLBACK``.

    Parameters
    ----------
    proposals : exact ones; names of accounts and roles are names of roles there
    tables : category -> tables or views (schema, name) that hold it
    after : the grants with the proposals carried out: what a role still holds of a whole table is not revoked

    Notes
    -----
    Memberships first, then grants; of one grant the revocation first. ``view`` and ``export`` are SELECT, ``edit`` is
    INSERT, UPDATE, DELETE and TRUNCATE, ``admin`` is ALL PRIVILEGES. A scope within a school needs a view or a row
    policy of the school's own: it is a comment, and the whole table is not granted in its stead.

    Raises
    ------
    ParameterError
        A name that PostgreSQL cannot hold: empty, with a NUL, or over 63 bytes, which it would cut.

    Examples
    --------
    >>> quoted('o"brien; DROP TABLE x')
    '"o""brien; DROP TABLE x"'
    """
    lines = [f"-- {HEADER}", "-- ends in ROLLBACK: change it to COMMIT once a person has read every line", "BEGIN;"]
    left: list[str] = []
    statements = 0
    order = {"role in a role": 0, "membership": 1, "grant of a role": 2, "grant of accounts": 3}
    stays = _stays(after)
    for number, each in enumerate(sorted(proposals, key=lambda each: order[each.what]), start=1):
        lines.append(f"-- {number}. {each.what}: {comment(each.why)}")
        holders = [(name, True) for name in each.accounts] or [(each.role or "", False)]
        if each.category is None:
            members = [each.member or ""] if each.what == "role in a role" else list(each.accounts)
            lines += [f"REVOKE {quoted(each.role or '')} FROM {quoted(member)};" for member in members]
            statements += len(members)
            continue
        places = tables.get(each.category, ())
        if not places or each.verb not in _PRIVILEGES:
            lines.append("--    no table is told for its category, or no privilege for its verb: by hand")
            left.append(f"proposal {number}: no table or privilege is told")
            continue
        for name, own in holders:
            kept = stays.get((name, own, each.category), frozenset())
            gone = [right for verb in _with(str(each.verb)) for right in _PRIVILEGES[verb] if right not in kept]
            whole = each.verb == "admin"
            rights = ["ALL PRIVILEGES"] if whole else list(dict.fromkeys(gone))
            for schema, table in places:
                what = f"ON TABLE {quoted(schema)}.{quoted(table)}"
                if rights:
                    lines.append(f"REVOKE {', '.join(rights)} {what} FROM {grantee(name)};")
                    statements += 1
                if whole and kept:
                    lines.append(f"GRANT {', '.join(sorted(kept))} {what} TO {grantee(name)};")
                    statements += 1
        for verb, scope in each.to:
            if scope not in _WHOLE:
                label = scopes()[scope].label if scope in scopes() else "a narrower scope"
                lines.append(f"--    {verb} stays, for {comment(label)}: through a view or a row policy, by hand")
                left.append(f"proposal {number}: {verb} for {label} needs a view or a row policy")
    return Script("sql", "\n".join([*lines, "ROLLBACK;"]) + "\n", statements, tuple(left))


def _stays(after: Grants) -> dict[tuple[str, bool, str], frozenset[str]]:
    """Holder, whether it is an account, and category -> privileges on the whole table that it still needs."""
    found: dict[tuple[str, bool, str], set[str]] = {}
    for row in after.held.filter(after.held["effect"] != "deny").iter_rows(named=True):
        if row["scope"] in _WHOLE and row["verb"] in _PRIVILEGES:
            own = row["account"] is not None
            key = (row["account"] if own else row["role"], own, row["category"])
            found.setdefault(key, set()).update(right for verb in _with(row["verb"]) for right in _PRIVILEGES[verb])
    return {key: frozenset(rights) for key, rights in found.items()}


def casbin(proposals: Sequence[Proposal]) -> Script:
    """Lines of a Casbin policy: ``-`` those to take away, ``+`` those to put in their stead.

    Notes
    -----
    Fields are subject, object, action and scope, in the words of this tool; a policy in other words is changed at the
    line that the reasons of the cell name. Fields are quoted as CSV, with line breaks as spaces.
    """
    lines, left, statements = [f"# {HEADER}"], [], 0
    for number, each in enumerate(proposals, start=1):
        lines.append(f"# {number}. {each.what}: {comment(each.why)}")
        if each.category is None:
            members = [each.member or ""] if each.what == "role in a role" else list(each.accounts)
            lines += [f"- {_csv('g', member, each.role or '')}" for member in members]
            statements += len(members)
            continue
        for holder in each.accounts or (each.role or "",):
            lines.append(f"- {_csv('p', holder, each.category, each.verb or '', _scope(each.scope, each.scope_key))}")
            for verb, scope in each.to:
                key = each.scope_key if scope == each.scope else None
                lines.append(f"+ {_csv('p', holder, each.category, verb, _scope(scope, key))}")
            statements += 1 + len(each.to)
        if each.scope not in _WHOLE:
            left.append(f"proposal {number}: the scope stands in a word of this tool")
    return Script("casbin", "\n".join(lines) + "\n", statements, tuple(left))


def table(grants: Grants) -> Script:
    """All grants as they are held, as a CSV that this tool reads: for a what-if, the grants after it.

    Notes
    -----
    The first line is a comment; without it the file is one of grants. Memberships are a table of their own:
    :func:`memberships`.
    """
    held = grants.held.sort("role", "account", "category", "verb", "scope", "scope_key", nulls_last=True)
    rows = [
        [
            row["account"],
            row["role"],
            row["category"],
            row["verb"],
            _scope(row["scope"], row["scope_key"]),
            row["valid_from"],
            row["valid_to"],
            row["effect"],
            row["approver"],
        ]
        for row in held.iter_rows(named=True)
    ]
    head = ["account", "role", "category", "verb", "scope", "valid_from", "valid_to", "effect", "approver"]
    return _table(head, rows)


def memberships(grants: Grants) -> Script:
    """All memberships, as a CSV that this tool reads once its first line is taken away."""
    head = ["member", "role", "valid_from", "valid_to", "mode", "approver"]
    rows = [[row[column] for column in head] for row in grants.memberships.sort("role", "member").iter_rows(named=True)]
    return _table(head, rows)


def quoted(name: str) -> str:
    """A name as SQL has it, whatever stands in it.

    Raises
    ------
    ParameterError
        A name that PostgreSQL cannot hold.
    """
    if not name or "\0" in name or len(name.encode("utf-8", "surrogatepass")) > _LONGEST:
        raise ParameterError(
            f"script: a name that PostgreSQL cannot hold (1 to {_LONGEST} bytes, no NUL).",
            "leave the proposal out, and change it by hand.",
        )
    return '"' + name.replace('"', '""') + '"'


def comment(words: str) -> str:
    """Words on one line, so that a comment cannot end and something else begin.

    Examples
    --------
    >>> comment("needs nothing" + chr(10) + "DROP TABLE x;")
    'needs nothing DROP TABLE x;'
    """
    return " ".join("".join(each if each.isprintable() else " " for each in words).split())


def grantee(name: str) -> str:
    """A role that something is granted to; PUBLIC is a word of the language, and no name."""
    return "PUBLIC" if name == EVERYBODY else quoted(name)


def _with(verb: str) -> tuple[str, ...]:
    """The verb and what goes with it: to edit or to export is also to see."""
    return (*verbs()[verb].gives, verb)


def _scope(scope: str | None, key: str | None) -> str:
    if key is None:
        return scope or ""
    word = {"group": "class", "cohort": "year"}.get(scope or "", scope)
    return f"{word}:{key}"


def _csv(*fields: str) -> str:
    """Fields as Casbin reads them: quoted where anything in them could be taken for an end."""
    plain = [" ".join(field.splitlines()).replace("\0", "") for field in fields]
    return ", ".join(
        '"' + field.replace('"', '""') + '"' if set(field) & set('",#') or field != field.strip() else field
        for field in plain
    )


def _table(head: list[str], rows: list[list[object]]) -> Script:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(["" if value is None else _no_formula(str(value)) for value in row] for row in rows)
    return Script("csv", f"# {HEADER}\n{out.getvalue()}", len(rows))


def _no_formula(value: str) -> str:
    """Text that a spreadsheet would take for a formula, with an apostrophe before it."""
    return f"'{value}" if len(value) > 1 and value[0] in "=+-@\t\r" else value
