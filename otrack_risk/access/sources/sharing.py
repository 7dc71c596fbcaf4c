"""Reports on shared files and folders (SharePoint, OneDrive and their like): who can open what, by which link."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import polars as pl

from otrack_risk import frames, reference
from otrack_risk.access.columns import grant_columns
from otrack_risk.access.model import Grants, build
from otrack_risk.access.sources.areas import CHILDREN, area_of, plain
from otrack_risk.access.sources.mis_shapes import refuse_long
from otrack_risk.errors import FieldError, TableError

ANYONE = "anyone with the link"
ORGANISATION = "everybody in the organisation"
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "item": (
        *("resource_path", "item_path", "path", "file_path", "folder_path", "item", "file", "folder", "file_or_folder"),
        *("item_url", "url", "location"),
    ),
    "item_type": ("item_type", "type", "resource_type"),
    "who": ("shared_with", "user_name", "username", "user", "grantee", "granted_to", "shared_to", "name"),
    "mail": ("user_e_mail", "user_email", "e_mail", "email", "email_address", "shared_with_email"),
    "kind": ("user_or_group_type", "user_type", "shared_with_type", "principal_type", "grantee_type"),
    "level": ("permission", "permissions", "permission_level", "access", "access_level", "role", "roles"),
    "link": ("link_id", "sharing_link_id"),
    "link_kind": ("link_type", "link_scope", "sharing_scope", "link_kind"),
    "via": ("accessvialinkid", "access_via_link_id", "via_link"),
    "valid_to": (
        *("link_expiration", "link_expiry", "link_expiration_date", "link_expiry_date", "expiration", "expiry"),
        *("expires", "expires_on", "expiration_date", "expiry_date", "expirationdatetime"),
    ),
    "valid_from": ("shared_on", "link_created", "created", "shared_date", "date_shared"),
    "approver": ("shared_by", "granted_by"),
}
_NO_NAMES = ("shared documents", "documents", "general", "sites", "personal", "teams", "forms", "root")  # of folders
_YEAR = re.compile(r"\b(?:years?(?: groups?)?|yrs?|y) ?0?(1[0-4]|[0-9]|r(?=\b))\b(?<!yr)")
_FURTHER = re.compile(
    r" ?(-|\u2013|to|and|&|,|/) ?(?:years?|yrs?|y)? ?0?(1[0-4]|[0-9])\b(?![a-z/.])"
)  # Years 7-9, 7 and 8
_CLASS = re.compile(r"\b(?:class|form|tutor group|tutor|reg group)[ _\-]+([0-9]{1,2}[a-z]{1,3}[0-9]?)\b", re.IGNORECASE)
_LINK = re.compile(r"sharing ?link|link", re.IGNORECASE)
_ROLES = {
    "public": "public",
    "organisation": "everybody with a log-in",
    "guest": "external guest",
    "group": "group of the report",
    "link": "sharing link of a kind not told",
}
_COLUMNS: Mapping[str, Any] = {
    **dict.fromkeys(("account", "role", "category", "verb", "scope"), pl.String),
    **dict.fromkeys(("valid_from", "valid_to", "approver", "source"), pl.String),
    "line": pl.Int64,
}


def recognise(rows: pl.DataFrame) -> bool:
    """Whether a table is a report on sharing, by its headers: an item, a level, and with whom or by which link.

    Examples
    --------
    >>> recognise(pl.DataFrame(schema=["Resource Path", "Item Type", "Permission", "User Name", "Link Type"]))
    True
    >>> recognise(pl.DataFrame(schema=["account", "role", "category", "verb", "scope"]))
    False
    """
    found = _found(rows.columns)
    try:
        grant_columns(rows.clear(), "")
    except FieldError:
        return {"item", "level"} <= found.keys() and bool({"who", "mail", "link_kind"} & found.keys())
    return False


def read(
    tables: Sequence[frames.Table],
    *,
    memberships: pl.DataFrame | None = None,
    accounts: pl.DataFrame | None = None,
    schools: Mapping[str, str] | None = None,
) -> Grants:
    """Grants of reports on sharing.

    Parameters
    ----------
    tables : reports; a row for each item and each with whom it is shared
    memberships : member, role: who is in a group of the report; None: a group counts as one account of many
    accounts : of the organisation, see :func:`~otrack_risk.access.columns.accounts_of`; they go before ours
    schools : words of a path that name a school, and its ``school_id``

    Returns
    -------
    Grants with ``accounts``: of kind public (anybody with the link), vendor (a guest from outside) or none (a log-in
    of the organisation; a group is ``shared``)

    Notes
    -----
    What a file holds is told by words alone: of its name, else of the folder that is nearest and has one; otherwise
    the category is not known. Nothing of the name is kept. Whose it is, is told in the same way by a class, a year or
    a school in the path; otherwise it is every child. A link for people by name is a role; those who used it are in
    it. A report names groups and not who is in them, and leaves out who may use a link and has not yet.

    Raises
    ------
    TableError
        A table that is no such report, or none.
    ParameterError
        A word of more than 1,000 characters.

    Examples
    --------
    >>> rows = {"Path": ["Year 7/SEN list.xlsx"], "Shared with": ["Anyone with the link"], "Permission": ["Edit"]}
    >>> table = frames.Table("shared", pl.DataFrame(rows), "shared.csv", "0" * 64, 1)
    >>> read([table]).rows.select("account", "role", "category", "verb", "scope", "scope_key").row(0)
    ('anyone with the link', 'public', 'sen', 'edit', 'cohort', '7')
    """
    lines: list[tuple[object, ...]] = []
    listed: dict[str, str] = {}
    links: dict[str, str] = {}
    members: list[tuple[str, str, str | None, str, int | None]] = []
    skipped: list[frames.Skipped] = []
    count: Counter[str] = Counter()
    known_groups = set() if memberships is None else {plain(str(role)) for role in memberships["role"].to_list()}
    reports = [(table, _rows(table)) for table in tables]
    if not reports:
        raise TableError(
            "no report on sharing was given.", "name a CSV of items, levels and with whom they are shared."
        )
    for _, rows in reports:
        for _, row in rows:
            if row["link"] and _holder(row) == "link":
                links.setdefault(row["link"], f"sharing link {len(links) + 1}")
    for table, rows in reports:
        skipped += table.skipped
        lost = 0
        for place, row in rows:
            line = None if table.skipped else place + 2
            kind, who = _holder(row), row["mail"] or row["who"] or ""
            who = who.lower() if "@" in who else who
            if row["item"] is None or not (who or kind != "person"):
                lost += 1
                continue
            count[kind] += 1
            if kind in ("person", "guest"):
                listed.setdefault(who, kind)
                if row["via"] in links:
                    members.append((who, links[row["via"]], row["valid_to"], table.name, line))
                    continue
            elif kind == "public":
                who = ANYONE
                listed[who] = kind
            elif kind == "organisation":
                who = ORGANISATION
                listed[who] = kind
            role = _ROLES.get(kind)
            account: str | None = who
            if kind == "link":
                named = _words()[1].get(plain(row["link_kind"] or "")) == "link"
                account, role = None, links[row["link"]] if named and row["link"] else _ROLES[kind]
            elif kind == "group" and plain(who) in known_groups:
                account, role = None, who
            elif kind == "group":
                listed.setdefault(who, kind)
            dated = (row["valid_from"], row["valid_to"], row["approver"], table.name, line)
            names = _names(row["item"])
            for category in _categories(names, row["item_type"]):
                for scope in _scopes(names, schools or {}):
                    count["narrow"] += scope != "all"
                    lines.append((account, role, category, _verbs(row["level"]), scope, *dated))
        if lost:
            skipped.append(frames.Skipped(table.name, lost, "no item, or nobody with whom it is shared"))
    every = [] if memberships is None else [memberships.select(pl.all().cast(pl.String))]
    if members:
        schema = {"member": pl.String, "role": pl.String, "valid_to": pl.String, "source": pl.String, "line": pl.Int64}
        every.append(pl.DataFrame(members, schema=schema, orient="row"))
    ours = _accounts(listed)
    return build(
        pl.DataFrame(lines, schema=_COLUMNS, orient="row"),
        pl.concat(every, how="diagonal_relaxed") if every else None,
        ours if accounts is None else pl.concat([accounts, ours], how="diagonal_relaxed"),
        name=", ".join(table.name for table in tables),
        notes=[*(f"{table.name}: {note}." for table in tables for note in table.notes), *_notes(count, known_groups)],
        seen=sum(table.rows.height + sum(skip.rows for skip in table.skipped) for table in tables),
        skipped=skipped,
    )


def _rows(table: frames.Table) -> list[tuple[int, dict[str, str | None]]]:
    """The rows in our columns, each with its place; one that is shared with several is there for each of them."""
    found = _found(table.rows.columns)
    if not recognise(table.rows):
        raise TableError(
            f"{table.name} is no report on sharing (its columns: {', '.join(table.rows.columns)}).",
            "it needs a path, a permission, and with whom the item is shared or the type of the link.",
        )
    refuse_long(table)
    text = table.rows.select(pl.all().cast(pl.String).str.strip_chars().replace("", None))
    columns = ((pl.col(found[name]) if name in found else pl.lit(None, pl.String)).alias(name) for name in _HEADERS)
    rows: list[tuple[int, dict[str, str | None]]] = []
    for place, row in enumerate(text.select(columns).to_dicts()):
        several = [name.strip() for name in (row["who"] or "").split(";") if name.strip()]
        if row["item"] is None or row["mail"] is not None or len(several) < 2:
            rows.append((place, row))
        else:
            rows += [(place, row | {"who": name}) for name in several]
    return rows


def _holder(row: Mapping[str, str | None]) -> str:
    """public, organisation, guest, group, link or person."""
    who = row["who"] or ""
    for text in (who, row["kind"]):
        if text and (kind := _words()[1].get(plain(text))):
            return kind
    if row["link_kind"] and (not who or _LINK.fullmatch(who)):
        return _words()[1].get(plain(row["link_kind"]), "link")
    if _LINK.fullmatch(who):
        return "link"
    return "guest" if "#ext#" in (row["mail"] or who).lower() else "person"


def _verbs(level: str | None) -> str:
    return "(level not told)" if level is None else _words()[0].get(plain(level), level)


def _categories(names: Sequence[str], kind: str | None) -> tuple[str, ...]:
    area = area_of(names)
    if area is not None and area.about == CHILDREN:
        return area.categories
    return ("(shared folder)" if kind and plain(kind) in ("folder", "web", "list", "site") else "(shared file)",)


def _scopes(names: Sequence[str], schools: Mapping[str, str]) -> list[str]:
    """class:7B, year:7, school:S1 or all: of the nearest name in the path that says so."""
    names = names[::-1]
    for name in names:
        if keys := _CLASS.findall(name):
            return [f"class:{key}" for key in dict.fromkeys(keys)]
    for name in names:
        if years := _years(re.sub(r"[\s_]+", " ", name.lower())):
            return [f"year:{year}" for year in years]
    for name in names:
        if found := [key for word, key in schools.items() if f" {plain(word)} " in f" {plain(name)} "]:
            return [f"school:{key}" for key in dict.fromkeys(found)]
    return ["all"]


def _years(name: str) -> list[str]:
    """The year groups that a name tells: Year 7, Y7 and 8, Years 7-9."""
    years: dict[str, None] = {}
    for match in _YEAR.finditer(name):
        year, end = match[1].upper(), match.end()
        years[year] = None
        while more := _FURTHER.match(name, end):
            if more[1] in ("-", "\u2013", "to") and year.isdigit():
                years |= dict.fromkeys(str(each) for each in range(int(year), int(more[2]) + 1))
            year, end = more[2], more.end()
            years[year] = None
    return list(years)


def _names(item: str) -> list[str]:
    """Folders and the file of a path, without those that every site has, and without the file's suffix."""
    path = re.sub(r"^\w+://[^/]*", "", item).replace("\\", "/").replace("%20", " ")
    names = [re.sub(r"\.[A-Za-z0-9]{1,5}$", "", name) for name in path.split("/")]
    return [name for name in names if plain(name) and plain(name) not in _NO_NAMES]


def _accounts(listed: Mapping[str, str]) -> pl.DataFrame:
    kinds = {"public": "public", "guest": "vendor"}
    return pl.DataFrame(
        {
            "account": list(listed),
            "person_kind": [kinds.get(kind) for kind in listed.values()],
            "shared": [str(kind in ("group", "organisation", "public")) for kind in listed.values()],
        },
        schema={"account": pl.String, "person_kind": pl.String, "shared": pl.String},
    )


def _notes(count: Mapping[str, int], known_groups: set[str]) -> list[str]:
    told = ["what a shared file holds is told by the words of its path alone."]
    if narrow := count["narrow"]:
        told.append(f"{narrow:,} shared items are counted as of the class, year or school that their path names.")
    if count["group"] and not known_groups:
        told.append(f"{count['group']:,} items are shared with groups, and the report does not say who is in them.")
    if count["link"]:
        told.append(
            f"{count['link']:,} links are for people by name, or of a kind not told; who has not used one is not told."
        )
    return told


@cache
def _words() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Verbs by level, and kinds of holder by what a report calls them."""
    table = reference.load("sharing_permissions").entries
    levels = {plain(word): str(e["verbs"]) for e in table["level"] for word in e["words"]}
    return levels, {plain(word): str(e["kind"]) for e in table["holder"] for word in e["words"]}


def _found(columns: Sequence[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for column in columns:
        named.setdefault(re.sub(r"[\s\-/]+", "_", column.strip().lower()), column)
    return {
        name: named[next(word for word in words if word in named)]
        for name, words in _HEADERS.items()
        if any(word in named for word in words)
    }
