"""Grants resolved to sets of children.

Every scope becomes a *unit*: everybody, one school, or a list of children (a class, a teacher's classes,
a register, a year, somebody's own, children by name).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from otrack_risk.access.people import People
from otrack_risk.access.words import roles

_APART = "\x1f"  # between the parts of a unit's name
_NO_CLASSES = ("guardian", "child", "service", "vendor", "public")  # kinds of account that teach nobody
_NO_CHILDREN = ("staff", "service", "vendor", "public")  # kinds of account that are nobody's, and no child


@dataclass(frozen=True)
class Units:
    """Sets of children by code."""

    codes: pl.DataFrame  # name, unit, everybody (bool), school_id (or null), size (children)
    members: pl.DataFrame  # unit, child: of units that are neither everybody nor a school
    schools: pl.DataFrame  # school_id, size
    children: pl.DataFrame  # child, school_id
    roll: int


def resolve(lines: pl.DataFrame, people: People) -> pl.Series:
    """The name of the set of children that each line means; null where it cannot be told.

    Parameters
    ----------
    lines : one row for each account, role, scope, scope_key; with its person_kind, person_id, school_id

    Notes
    -----
    group: classes that the member of staff teaches. register: the children with SEN (provision not N) at the
    account's school, and looked-after children for roles that say so; without a school, everywhere. cohort: all
    children of the year groups taught. flag and aggregate have no set of their own: a flag is seen on the groups
    taught where there are any, else on the school, else on everybody; a total is over the school, else everybody.
    trust: everybody, since the data know of one trust. listed: the children of the list of that name. Where all
    children are at one school, that is everybody's.
    """
    school = pl.coalesce("scope_key", "school_id", pl.lit(people.only_school, pl.String))
    home = pl.coalesce("school_id", pl.lit(people.only_school, pl.String))
    staff = (pl.col("person_kind") == "staff") & pl.col("person_id").is_not_null()
    teaching = [] if people.taught is None else people.taught["staff_id"].unique().to_list()
    teaches = (staff & pl.col("person_id").is_in(teaching)).fill_null(False)
    register = (
        pl.col("role").cast(pl.String).replace_strict({r.name: r.register for r in roles().values()}, default="sen")
    )
    classes = people.children["class_id"].drop_nulls().unique().to_list()
    if people.taught is not None:
        classes += people.taught["class_id"].drop_nulls().unique().to_list()
    schools = people.children["school_id"].drop_nulls().unique().to_list()

    def unit(kind: str, *parts: pl.Expr | str) -> pl.Expr:
        named = [pl.lit(part) if isinstance(part, str) else part for part in parts]
        return pl.concat_str([pl.lit(kind), *named], separator=_APART)  # null where a part is

    def kinds(*names: str) -> pl.Expr:
        return pl.col("person_kind").is_in(names).fill_null(False)

    nobody = pl.lit("nobody")
    target = (
        pl.when(pl.col("scope") == "flag")
        .then(
            pl.when(teaches)
            .then(pl.lit("group"))
            .when(home.is_not_null())
            .then(pl.lit("school"))
            .otherwise(pl.lit("all"))
        )
        .when(pl.col("scope") == "aggregate")
        .then(pl.when(home.is_not_null()).then(pl.lit("school")).otherwise(pl.lit("all")))
        .otherwise("scope")
    )
    keyed = pl.col("scope_key").is_not_null()
    year_known, class_known = "year_group" in people.known, "class_id" in people.known
    group = (
        pl.when(keyed)
        .then(pl.when(pl.col("scope_key").is_in(classes)).then(unit("class", pl.col("scope_key"))))
        .when(kinds(*_NO_CLASSES))
        .then(nobody)
        .when(staff & pl.lit(people.taught is not None and class_known))
        .then(unit("group", pl.col("person_id")))
    )
    own = (
        pl.when(kinds("child"))
        .then(unit("self", pl.col("person_id")))
        .when(kinds("guardian") & pl.lit(people.own is not None))
        .then(unit("own", pl.col("person_id")))
        .when(kinds(*_NO_CHILDREN))
        .then(nobody)
    )
    cohort = (
        pl.when(keyed & pl.lit(year_known))
        .then(unit("year", pl.col("scope_key"), home.fill_null("")))
        .when(~keyed & teaches & pl.lit(year_known and class_known))
        .then(unit("cohort", pl.col("person_id")))
    )
    name = (
        pl.when(target.is_in(["trust", "all"])).then(pl.lit("all"))
        .when((target == "school") & school.is_in(schools)).then(unit("school", school))
        .when(target == "group").then(group)
        .when(target == "own").then(own)
        .when((target == "register") & pl.lit("sen_provision" in people.known))
        .then(unit("register", register, home.fill_null("")))
        .when(target == "cohort").then(cohort)
        .when((target == "listed") & pl.col("scope_key").is_in(sorted(people.lists)))
        .then(unit("listed", pl.col("scope_key")))
    )  # fmt: skip
    return lines.select(name.alias("name"))["name"]


def units(names: pl.Series, people: People) -> Units:
    """The units of those names, with their children."""
    children = people.children
    schools = children.drop_nulls("school_id").group_by("school_id").agg(pl.len().cast(pl.Int64).alias("size"))
    codes = pl.DataFrame({"name": names.drop_nulls().unique().sort()}).with_row_index("unit")
    parts = codes.with_columns(pl.col("name").str.splitn(_APART, 3).struct.rename_fields(["kind", "a", "b"])).unnest(
        "name"
    )
    members = pl.concat([_members(kind, parts.filter(pl.col("kind") == kind), people) for kind in _LISTS])
    sizes = members.group_by("unit").agg(pl.len().cast(pl.Int64).alias("size"))
    whole = (
        parts.with_columns(
            (pl.col("kind") == "all").alias("everybody"),
            pl.when(pl.col("kind") == "school").then("a").alias("school_id"),
        )
        .join(sizes, on="unit", how="left", maintain_order="left")
        .select("unit", "everybody", "school_id", pl.col("size").fill_null(0))
    )
    codes = codes.join(whole, on="unit", how="left", maintain_order="left")
    return Units(codes, members, schools, children.select("child", "school_id"), people.roll)


_LISTS = ("class", "group", "year", "cohort", "register", "own", "self", "listed")


def _members(kind: str, parts: pl.DataFrame, people: People) -> pl.DataFrame:
    """unit, child of the units of one kind; ``a`` and ``b`` are the parts of their names."""
    children = people.children
    local = pl.col("b").is_null() | (pl.col("b") == "") | (pl.col("b") == pl.col("school_id"))
    if kind in ("group", "cohort") and people.taught is not None:
        found = parts.join(people.taught, left_on="a", right_on="staff_id").join(children, on="class_id")
        if kind == "cohort":
            years = found.select("unit", "school_id", "year_group").unique()
            found = years.join(children, on=["school_id", "year_group"], nulls_equal=True)
    elif kind == "own" and people.own is not None:
        found = parts.join(people.own, left_on="a", right_on="guardian_id")
    elif kind == "listed":
        found = parts.join(people.listed, left_on="a", right_on="name")
    elif kind == "register":
        found = pl.concat([_register(parts.filter(pl.col("a") == name), children.filter(name)) for name in _REGISTERS])
    else:
        column = {"class": "class_id", "year": "year_group"}.get(kind, "pupil_id")
        found = parts.join(children, left_on="a", right_on=column).filter(local.fill_null(False))
    return found.select("unit", "child")  # each pair once, since a child is in one class, year and school


_REGISTERS = ("sen", "sen_or_looked_after")


def _register(parts: pl.DataFrame, children: pl.DataFrame) -> pl.DataFrame:
    at_school = parts.join(children, left_on="b", right_on="school_id")
    everywhere = parts.filter(pl.col("b") == "").join(children, how="cross")
    return pl.concat([at_school.select("unit", "child"), everywhere.select("unit", "child")])
