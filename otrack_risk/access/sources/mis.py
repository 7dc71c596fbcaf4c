"""Exports of a management information system: Arbor, SIMS, Bromcom and their like.

Three shapes are read: a row for each permission (of a person, of a business role or permission group, or of both); a
row for each person and group; and a matrix of roles and permissions (or groups and users) with levels or ticks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import polars as pl

from otrack_risk import frames, schema
from otrack_risk.access.model import Grants, build
from otrack_risk.access.sources.areas import CHILDREN, RIGHTS, Level, area_of, level_of, parts_of, plain, verbs_in
from otrack_risk.access.sources.mis_shapes import (
    CROSSES,
    TICKS,
    cells,
    members,
    only_of_an_mis,
    ours,
    refuse_long,
    shape,
    usual,
)
from otrack_risk.errors import TableError

_AD_HOC = re.compile(r"ad[\s_-]*hoc\b", re.IGNORECASE)
_COLUMNS: Mapping[str, Any] = {
    **dict.fromkeys(("account", "role", "category", "verb", "scope"), pl.String),
    **dict.fromkeys(("valid_from", "valid_to", "approver", "source"), pl.String),
    "line": pl.Int64,
    "latent": pl.Boolean,
}
_NOT_TOLD = "(not told)"
_UNDATED: tuple[str | None, str | None, str | None] = (None, None, None)
_Line = tuple[str, str, str, bool]  # category, verb, scope or "everybody", latent


def recognise(rows: pl.DataFrame) -> bool:
    """Whether a table is an export of an MIS, by its headers; a table in the columns of grants is not.

    Examples
    --------
    >>> recognise(pl.DataFrame(schema=["Staff", "Business Role", "Permission", "Level"]))
    True
    >>> recognise(pl.DataFrame(schema=["Role", "Student: Attendance", "Student: Medical"]))
    True
    >>> recognise(pl.DataFrame(schema=["account", "role", "category", "verb", "scope"]))
    False
    """
    found = shape(rows)
    return found is not None and (found != "members" or only_of_an_mis(rows))


def read(
    tables: Sequence[frames.Table],
    *,
    memberships: pl.DataFrame | None = None,
    accounts: pl.DataFrame | None = None,
    school: str | None = None,
) -> Grants:
    """Grants of the exports of one MIS.

    Parameters
    ----------
    tables : of permissions, of persons and their groups, or matrices, in any number and order
    memberships : member, role: who is in which role, where no table says so
    accounts : see :func:`~otrack_risk.access.columns.accounts_of`
    school : the ``school_id`` of the school whose system it is; None: what reaches every child of the system is
        counted as reaching every child of the data

    Notes
    -----
    Roles add up. A permission that does not say "my students" reaches every child of the system. One on staff or on
    the running of the school is kept, and reaches no child. Whoever may change rights or accounts can give themselves
    the rest: every category, latent. A permission that is given ad hoc is held outside any role.

    What a SIMS permission group holds is taken from its own export; a group of which there is none is taken as
    ``reference/mis_permissions.toml`` assumes, and that is noted; any other (a copied one) is kept as of unknown
    content. A tick on a permission whose name tells no level is an unknown verb. Empty cells of a matrix are skipped
    and counted; ``seen`` counts rows and cells, or persons' groups where nothing else is given.

    Raises
    ------
    TableError
        A table that has none of these shapes, or no table.
    ParameterError
        A word of more than 1,000 characters.

    Examples
    --------
    >>> rows = {"Staff": ["t1"], "Business Role": ["Teacher"], "Permission": ["Attendance: Administer My Students"]}
    >>> table = frames.Table("arbor", pl.DataFrame(rows), "arbor.csv", "0" * 64, 1)
    >>> read([table]).rows.select("account", "role", "category", "verb", "scope").row(0)
    ('t1', 'class_teacher', 'attendance', 'admin', 'group')
    """
    shapes = [shape(table.rows) for table in tables]
    if None in shapes or not tables:
        named = f"{(odd := tables[shapes.index(None)]).name} is" if tables else "nothing was given that is"
        have = f" (its columns: {', '.join(odd.rows.columns)})" if tables else ""
        raise TableError(
            f"{named} no export of an MIS{have}." if tables else f"{named} an export of an MIS.",
            "give a column of staff or of business roles (permission groups) and one of permissions, or a matrix.",
        )
    found = _Found(f"school:{school}" if school else "all")
    in_groups = [members(t) for t, kind in zip(tables, shapes, strict=True) if kind in ("members", "users")]
    for table, kind in zip(tables, shapes, strict=True):
        refuse_long(table)
        found.skipped += table.skipped
        if kind == "rows":
            found.rows(table)
        elif kind in ("roles", "permissions"):
            found.matrix(table, of_roles=kind == "roles")
    if len(in_groups) == len(tables):
        found.persons(in_groups)
    if memberships is not None:
        in_groups.append(memberships.select(pl.all().cast(pl.String)).with_columns(source=pl.lit("memberships")))
    every = pl.concat(in_groups, how="diagonal_relaxed") if in_groups else None
    if every is not None:
        found.contents(every)
    notes = [f"{table.name}: {note}." for table in tables for note in table.notes]
    return build(
        pl.DataFrame(found.lines, schema=_COLUMNS, orient="row"),
        every,
        accounts,
        name=", ".join(table.name for table in tables),
        notes=[*notes, *found.notes],
        seen=found.kept + sum(skip.rows for skip in found.skipped),
        skipped=found.skipped,
    )


@dataclass
class _Found:
    """Grants as they are gathered, table by table."""

    everybody: str  # the scope of "all students"
    lines: list[tuple[object, ...]] = field(default_factory=list)
    skipped: list[frames.Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kept: int = 0
    told: set[str] = field(default_factory=set)  # roles whose own permissions were given

    def rows(self, table: frames.Table) -> None:
        """A row for each permission, of a person, a role, or both."""
        text = ours(table.rows)
        endless = nobody = 0
        for place, row in enumerate(text.iter_rows(named=True)):
            ad_hoc = _AD_HOC.match(row["role"] or "") or _AD_HOC.match(row["via"] or "")
            role = None if ad_hoc else row["role"]
            if row["account"] is None and role is None:
                nobody += 1
                continue
            name = ", ".join(row[part] for part in ("area", "sub_area", "permission") if row[part])
            line = None if table.skipped else place + 2
            dated = (row["valid_from"], row["valid_to"], row["approver"])
            self._add(row["account"], role, _grants(name, row["level"], row["scope"]), dated, table.name, line)
            endless += role is None and row["valid_to"] is None
        self.kept += text.height - nobody
        if nobody:
            self.skipped.append(frames.Skipped(table.name, nobody, "no person and no role"))
        if endless:
            self.notes.append(f"{table.name}: of the permissions given outside a role, {endless:,} have no end date.")

    def matrix(self, table: frames.Table, *, of_roles: bool) -> None:
        """Roles and permissions, with a level or a tick in each cell."""
        text = cells(table.rows)
        first, *others = text.columns
        marks = {str(mark).lower() for column in others for mark in text[column].unique().drop_nulls()}
        x = "off" if not marks.isdisjoint(TICKS) else "yes"  # a cross beside ticks, else itself the tick
        empty = 0
        for place, row in enumerate(text.iter_rows(named=True)):
            for column in others:
                cell, name = row[column], row[first]
                if cell is None or name is None:
                    empty += 1
                    continue
                role, permission = (name, column) if of_roles else (column, name)
                grants = _grants(permission, x if cell.lower() == "x" else cell, None)
                self._add(None, role, grants, _UNDATED, table.name, None if table.skipped else place + 2)
                self.kept += 1
        if empty:
            self.skipped.append(
                frames.Skipped(table.name, empty, "an empty cell of the matrix, or a row without a name")
            )

    def persons(self, listed: Iterable[pl.DataFrame]) -> None:
        """Persons in groups, where these are all that was given: each is counted."""
        for each in listed:
            whole = each.drop_nulls(["member", "role"]).height
            self.kept += whole
            if lacking := each.height - whole:
                self.skipped.append(frames.Skipped(str(each["source"][0]), lacking, "no person or no group"))

    def contents(self, memberships: pl.DataFrame) -> None:
        """What groups hold of which no table says it."""
        names = memberships.drop_nulls(["member", "role"])
        told = {plain(role) for role in (*self.told, *names["member"].unique().to_list())}  # or it inherits
        assumed = unknown = 0
        for role in names["role"].unique(maintain_order=True).to_list():
            if plain(role) in told:
                continue
            if (permissions := usual().get(plain(role))) is None:
                unknown += 1
                self._add(None, role, [(_NOT_TOLD, _NOT_TOLD, "everybody", False)], _UNDATED, None, None)
                continue
            assumed += 1
            for name in permissions:
                self._add(None, role, _grants(name, None, None), _UNDATED, None, None)
        if assumed:
            self.notes.append(
                f"what {assumed:,} permission groups hold is assumed (reference/mis_permissions.toml); schools edit "
                "groups, so export what each of them holds."
            )
        if unknown:
            self.notes.append(f"what {unknown:,} groups hold was not told; they are kept, as unknown.")

    def _add(
        self,
        account: str | None,
        role: str | None,
        grants: Iterable[_Line],
        dated: tuple[str | None, str | None, str | None],
        source: str | None,
        line: int | None,
    ) -> None:
        if account is None and role is not None and source is not None:
            self.told.add(role)
        for category, verb, whose, latent in grants:
            scope = self.everybody if whose == "everybody" else whose
            self.lines.append((account, role, category, verb, scope, *dated, source, line, latent))


@lru_cache(4096)
def _grants(name: str, level: str | None, whose: str | None) -> tuple[_Line, ...]:
    """What a permission gives at a level: category, verb, scope ("everybody" for every child), latent."""
    parts = parts_of(name)
    last = level_of(parts[-1]) if parts else Level(None, None, "")
    if last.verbs or last.whose:
        parts = [*parts[:-1], *([last.rest] if last.rest else [])]
    told = _level(level, last)
    verb = told.verbs or "(level not told)"
    scope = _whose(whose) or told.whose or last.whose or "everybody"
    first = area_of(parts[:1])
    area = first if first is not None and first.whole else area_of(parts)
    if area is None:
        return ((", ".join(parts) or _NOT_TOLD, verb, scope, False),)
    if area.about == CHILDREN:
        return tuple((each, verb if verb == "off" else area.verb or verb, scope, False) for each in area.categories)
    if area.about == RIGHTS and verb not in ("off", "view"):
        return tuple((each, "admin", scope, True) for each in schema.categories() if each != "other")
    return (("other", verb, "none", False),)


def _level(cell: str | None, in_name: Level) -> Level:
    """The level of a cell; a tick, or nothing but "all students", leaves it to the permission's name."""
    if cell is None:
        return in_name
    if cell.lower() in CROSSES:
        return Level("off", None, "")
    if cell.lower() in TICKS:
        return Level(in_name.verbs or "(ticked, level not told)", in_name.whose, "")
    level = level_of(cell)
    if level.verbs is None and level.whose is not None and not level.rest:
        return Level(in_name.verbs, level.whose, "")
    return verbs_in(cell)


def _whose(text: str | None) -> str | None:
    if text is None:
        return None
    level = level_of(text)
    if level.whose is not None and not level.rest:
        return level.whose
    return "everybody" if plain(text) == "all" else text
