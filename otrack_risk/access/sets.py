"""Grants resolved to sets of children, and the sets counted without building them one by one.

Every scope becomes a *unit*: everybody, one school, or a list of children (a class, a teacher's classes,
a register, a year, somebody's own). A *holding* is a set of units, each with the strength at which it is
granted and at which it is needed. Many accounts and categories have equal holdings, which are counted once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from otrack_risk.access.people import People
from otrack_risk.access.words import roles, scopes

_APART = "\x1f"  # between the parts of a unit's name
_NO_CLASSES = ("guardian", "child", "service", "vendor", "public")  # kinds of account that teach nobody
_NO_CHILDREN = ("staff", "service", "vendor", "public")  # kinds of account that are nobody's, and no child
_ROWS_AT_ONCE = 3_000_000  # pairs of holding and child in memory at one time
_NUMBERS = ("children", "held", "excess", "needed", "lacking")


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
    trust: everybody, since the data know of one trust. Where all children are at one school, that is everybody's.
    """
    school = pl.coalesce("scope_key", "school_id", pl.lit(people.only_school, pl.String))
    home = pl.coalesce("school_id", pl.lit(people.only_school, pl.String))
    staff = (pl.col("person_kind") == "staff") & pl.col("person_id").is_not_null()
    teaching = [] if people.taught is None else people.taught["staff_id"].unique().to_list()
    teaches = (staff & pl.col("person_id").is_in(teaching)).fill_null(False)
    register = pl.col("role").replace_strict({r.name: r.register for r in roles().values()}, default="sen")
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


def tally(lines: pl.DataFrame, units: Units) -> pl.DataFrame:
    """For each owner: how many children its holding reaches, and by how much that is more or less than needed.

    Parameters
    ----------
    lines : owner, unit, granted, needed (strengths in twentieths; 0 where it is not)

    Returns
    -------
    owner; ``children`` reached at least by a flag; ``held``, the sum of strengths over children; ``excess``, the sum
    of what is granted beyond need; ``needed``, children of whom anything is needed; ``lacking``, those of whom less is
    granted
    """
    merged = lines.group_by("owner", "unit").agg(pl.col("granted").max(), pl.col("needed").max())
    code = pl.col("unit").cast(pl.UInt64) * 1024 + pl.col("granted") * 32 + pl.col("needed")
    owners = (
        merged.select("owner", code.alias("holding"))
        .group_by("owner")
        .agg(pl.col("holding").sort())
        .group_by("holding")
        .agg("owner")
        .with_row_index("set")
    )
    held = (
        owners.select("set", "holding")
        .explode("holding")
        .select(
            "set",
            (pl.col("holding") // 1024).cast(pl.UInt32).alias("unit"),
            (pl.col("holding") // 32 % 32).cast(pl.Int64).alias("granted"),
            (pl.col("holding") % 32).cast(pl.Int64).alias("needed"),
        )
    )
    numbers = pl.concat(list(_numbers(held, units))).group_by("set").agg(pl.col(*_NUMBERS).sum())
    return owners.select("set", "owner").explode("owner").join(numbers, on="set").drop("set")


def _numbers(held: pl.DataFrame, units: Units) -> Iterator[pl.DataFrame]:
    """Additive parts of the numbers: of everybody, then what each school adds, then what each listed child adds."""
    lines = held.join(units.codes.select("unit", "everybody", "school_id", "size"), on="unit")
    top = (
        held.select(pl.col("set").unique())
        .join(lines.filter("everybody").select("set", granted_0="granted", needed_0="needed"), on="set", how="left")
        .with_columns(pl.col("granted_0", "needed_0").fill_null(0))
    )
    yield top.select("set", *(value * units.roll for value in _facts("granted_0", "needed_0")))
    school = (
        lines.filter(pl.col("school_id").is_not_null())
        .join(top, on="set")
        .join(units.schools, on="school_id")
        .with_columns(
            granted_1=pl.max_horizontal("granted", "granted_0"), needed_1=pl.max_horizontal("needed", "needed_0")
        )
        .select("set", "school_id", "granted_0", "needed_0", "granted_1", "needed_1", number="size_right")
    )
    yield school.select("set", *_added("granted_1", "needed_1", "granted_0", "needed_0", pl.col("number")))
    base = school.select("set", "school_id", "granted_1", "needed_1")
    listed = lines.filter(~pl.col("everybody") & pl.col("school_id").is_null() & (pl.col("size") > 0))
    listed = listed.select("set", "unit", "granted", "needed", "size")
    weights = listed.group_by("set").agg(pl.col("size").sum()).sort("set")
    part = weights.select("set", part=pl.col("size").cum_sum() // _ROWS_AT_ONCE)
    for some in part.partition_by("part"):
        each = (
            listed.join(some.select("set"), on="set", how="semi")
            .join(units.members, on="unit")
            .group_by("set", "child")
            .agg(pl.col("granted").max(), pl.col("needed").max())
            .join(units.children, on="child")
            .join(top, on="set")
            .join(base, on=["set", "school_id"], how="left")
            .with_columns(pl.coalesce("granted_1", "granted_0"), pl.coalesce("needed_1", "needed_0"))
            .with_columns(
                granted=pl.max_horizontal("granted", "granted_1"), needed=pl.max_horizontal("needed", "needed_1")
            )
        )
        yield (
            each.select("set", *_added("granted", "needed", "granted_1", "needed_1", pl.lit(1)))
            .group_by("set")
            .agg(pl.col(*_NUMBERS).sum())
        )


def _facts(granted: str, needed: str) -> list[pl.Expr]:
    """What one child counts in each number."""
    flag = scopes()["flag"].strength
    g, n = pl.col(granted), pl.col(needed)
    return [
        (g >= flag).cast(pl.Int64).alias("children"),
        g.alias("held"),
        pl.max_horizontal(g - n, 0).alias("excess"),
        (n > 0).cast(pl.Int64).alias("needed"),
        ((n > 0) & (g < n)).cast(pl.Int64).alias("lacking"),
    ]


def _added(granted: str, needed: str, granted_base: str, needed_base: str, number: pl.Expr) -> list[pl.Expr]:
    now, base = _facts(granted, needed), _facts(granted_base, needed_base)
    return [((a - b) * number).alias(name) for a, b, name in zip(now, base, _NUMBERS, strict=True)]


_LISTS = ("class", "group", "year", "cohort", "register", "own", "self")


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
    elif kind == "register":
        found = pl.concat([_register(parts.filter(pl.col("a") == name), children.filter(name)) for name in _REGISTERS])
    else:
        column = {"class": "class_id", "year": "year_group"}.get(kind, "pupil_id")
        found = parts.join(children, left_on="a", right_on=column).filter(local.fill_null(False))
    return found.select("unit", "child").unique()


_REGISTERS = ("sen", "sen_or_looked_after")


def _register(parts: pl.DataFrame, children: pl.DataFrame) -> pl.DataFrame:
    at_school = parts.join(children, left_on="b", right_on="school_id")
    everywhere = parts.filter(pl.col("b") == "").join(children, how="cross")
    return pl.concat([at_school.select("unit", "child"), everywhere.select("unit", "child")])
