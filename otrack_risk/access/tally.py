"""Sets of children counted without building them one by one.

A *holding* is a set of units, each with the strength at which it is granted and at which it is needed. Many accounts
and categories have equal holdings, which are counted once, and in three steps: everybody, then what each school adds,
then what the listed children add. Those are counted by *atoms*: children of one school who are in the same of an
account's lists. Where units are denied, a holding has *clauses*: what one clause grants, less what the same clause
denies; a child counts at the strongest of its clauses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from otrack_risk.access.sets import Units
from otrack_risk.access.words import scopes

NUMBERS = ("children", "held", "excess", "needed", "lacking")
_ROWS_AT_ONCE = 3_000_000  # pairs in memory at one time
_FEW = 16  # units that are marked one by one
_BITS = 62  # lists of one account that a number tells apart
_BASE = ["granted_0", "needed_0"]


@dataclass(frozen=True)
class Atoms:
    """Children of one school who are in the same lists of an account, as one."""

    members: pl.DataFrame  # account (its number), unit, atom
    atoms: pl.DataFrame  # atom, school_id, number (children)

    @classmethod
    def of(cls, lists: pl.DataFrame, units: Units) -> Atoms:
        """Atoms of the lists (account, by number, and unit) of every account; other units are passed over."""
        size = units.codes.filter(~pl.col("everybody") & pl.col("school_id").is_null(), pl.col("size") > 0)
        mine = lists.unique().join(size.select("unit", "size"), on="unit").sort("account", "unit")
        bits = mine.with_columns(bit=pl.int_range(pl.len()).over("account"))
        place = bits.group_by("account").agg(pl.col("size").sum(), pl.col("bit").max()).sort("account")
        place = place.with_columns(part=pl.col("size").cum_sum() // _ROWS_AT_ONCE)
        counted: list[pl.DataFrame] = []
        for some in place.partition_by("part"):
            for few in (True, False):
                chosen = some.filter((pl.col("bit") < _BITS) == few)
                one = pl.lit(2, pl.UInt64).pow(pl.col("bit")) if few else pl.col("unit")
                if chosen.height:
                    counted.append(
                        _atoms(bits.join(chosen.select("account"), on="account", how="semi"), one, few, units)
                    )
        found = (pl.concat(counted) if counted else pl.DataFrame(schema=_ATOMS)).with_row_index("atom")
        return cls(
            found.select("account", "atom", unit="units").explode("unit").select("account", "unit", "atom"),
            found.select("atom", "school", "number").join(_schools(units), on="school").drop("school"),
        )


def tally(lines: pl.DataFrame, units: Units, atoms: Atoms, denied: pl.DataFrame) -> pl.DataFrame:
    """For each owner: how many children its holding reaches, and by how much that is more or less than needed.

    Parameters
    ----------
    lines : owner, account (the number of the one whose lists its units are), clause (0, or one of ``denied``), unit,
        granted, needed (strengths in twentieths; 0 where it is not)
    denied : clause, unit: the children whom every line of that clause does not reach, whatever it grants

    Returns
    -------
    owner; ``children`` reached at least by a flag; ``held``, the sum of strengths over children; ``excess``, the sum
    of what is granted beyond need; ``needed``, children of whom anything is needed; ``lacking``, those of whom less is
    granted
    """
    if lines.is_empty():
        return pl.DataFrame(schema={"owner": lines.schema["owner"], **dict.fromkeys(NUMBERS, pl.Int64)})
    merged = lines.group_by("owner", "clause", "unit").agg(pl.col("granted").max(), pl.col("needed").max())
    code = pl.col("clause").cast(pl.UInt64) * 2**42 + pl.col("unit").cast(pl.UInt64) * 1024
    owners = (
        merged.select("owner", (code + pl.col("granted") * 32 + pl.col("needed")).alias("holding"))
        .group_by("owner")
        .agg(pl.col("holding").sort())
        .join(lines.select("owner", "account").unique("owner"), on="owner")
        .group_by("holding")
        .agg("owner", pl.col("account").first())
        .with_row_index("set")
    )
    held = (
        owners.select("set", "account", "holding")
        .explode("holding")
        .select(
            "set",
            "account",
            (pl.col("holding") // 2**42).cast(pl.UInt32).alias("clause"),
            (pl.col("holding") // 1024 % 2**32).cast(pl.UInt32).alias("unit"),
            (pl.col("holding") // 32 % 32).cast(pl.Int64).alias("granted"),
            (pl.col("holding") % 32).cast(pl.Int64).alias("needed"),
        )
        .join(units.codes.select("unit", "everybody", "school_id"), on="unit")
    )
    with_denials = held.join(denied, on="clause", how="semi").select("set").unique()
    parts = list(_plain(held.join(with_denials, on="set", how="anti"), units, atoms))
    if with_denials.height:
        parts += _with_denials(held.join(with_denials, on="set", how="semi"), units, atoms, denied)
    numbers = pl.concat(parts).group_by("set").agg(pl.col(*NUMBERS).sum())
    return owners.select("set", "owner").explode("owner").join(numbers, on="set").drop("set")


def reached(lines: pl.DataFrame, units: Units, denied: pl.DataFrame) -> pl.DataFrame:
    """For each owner: how many distinct children its holding reaches, at least by a flag; for owners of many lists.

    Parameters
    ----------
    lines : owner, clause, unit, granted
    denied : as for :func:`tally`

    Returns
    -------
    owner, children
    """
    flag = scopes()["flag"].strength
    owners = (
        lines.filter(pl.col("granted") >= flag)
        .select("owner", holding=pl.col("clause").cast(pl.UInt64) * 2**32 + pl.col("unit"))
        .unique()
        .group_by("owner")
        .agg(pl.col("holding").sort())
        .group_by("holding")
        .agg("owner")
    )
    marks = _Marks(units)
    shut = {clause: np.asarray(found) for clause, found in denied.group_by("clause").agg("unit").iter_rows()}
    counts = []
    part = np.zeros(units.roll, dtype=bool)
    for holding in owners["holding"]:
        codes = holding.to_numpy()
        clauses, units_of = codes >> np.uint64(32), (codes & np.uint64(2**32 - 1)).astype(np.int64)
        seen = np.zeros(units.roll, dtype=bool)
        firsts = np.flatnonzero(np.diff(clauses, prepend=clauses[0] + 1))  # a holding is sorted by clause
        for clause, chosen in zip(clauses[firsts], np.split(units_of, firsts[1:]), strict=True):
            if int(clause) not in shut:
                marks.set(seen, chosen, True)
                continue
            part[:] = False
            marks.set(part, chosen, True)
            marks.set(part, shut[int(clause)], False)
            seen |= part
        counts.append(int(seen.sum()))
    counted = owners.with_columns(children=pl.Series(counts, dtype=pl.Int64))
    every = lines.select("owner").unique()
    return every.join(counted.select("owner", "children").explode("owner"), on="owner", how="left").with_columns(
        pl.col("children").fill_null(0)
    )


class _Marks:
    """The children of units by number, to be marked many at a time."""

    def __init__(self, units: Units) -> None:
        places = units.children.select("child", "school_id").sort("child")
        order = places.with_row_index("row").sort("school_id", "row", nulls_last=True)
        of_school = order.drop_nulls("school_id").group_by("school_id").agg("row").rows_by_key("school_id", unique=True)
        codes = units.codes.sort("unit")
        self._everybody = codes["everybody"].to_numpy()
        self._is_school = codes["school_id"].is_not_null().to_numpy()
        schools = codes.drop_nulls("school_id").select("unit", "school_id").iter_rows()
        self._schools = {int(unit): np.asarray(of_school.get(school, ()), dtype=np.int64) for unit, school in schools}
        listed = units.members.sort("unit")
        self._children = listed["child"].to_numpy()
        self._ends = np.zeros(units.codes.height + 1, dtype=np.int64)
        sizes = listed.group_by("unit").len()
        self._ends[sizes["unit"].to_numpy() + 1] = sizes["len"].to_numpy()
        self._ends = np.cumsum(self._ends)

    def set(self, seen: np.ndarray[Any, Any], units: np.ndarray[Any, Any], value: bool) -> None:
        """Mark every child of the units."""
        if self._everybody[units].any():
            seen[:] = value
            return
        start, end = self._ends[units], self._ends[units + 1]
        if len(units) < _FEW:
            for low, high in zip(start, end, strict=True):
                seen[self._children[low:high]] = value
        else:
            length = end - start
            first = np.repeat(start - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
            seen[self._children[first + np.arange(len(first))]] = value
        for unit in units[self._is_school[units]]:
            seen[self._schools[int(unit)]] = value


_ATOMS: dict[str, Any] = {"account": pl.UInt32, "school": pl.UInt32, "units": pl.List(pl.UInt32), "number": pl.Int64}


def _schools(units: Units) -> pl.DataFrame:
    """school (a number), school_id; no school is one of them."""
    return units.children.select(pl.col("school_id").unique().sort()).with_row_index("school")


def _atoms(mine: pl.DataFrame, one: pl.Expr, few: bool, units: Units) -> pl.DataFrame:
    """Atoms of some accounts: account, school, units (the lists that the children are in), number."""
    school = units.children.join(_schools(units), on="school_id", nulls_equal=True).sort("child")["school"]
    pairs = mine.select("account", "unit", one=one).join(units.members, on="unit")
    mark = pl.col("one").sum() if few else pl.col("one").sort()
    both = pl.col("account").cast(pl.UInt64) * 2**32
    each = pairs.group_by(both + pl.col("child")).agg(mark.alias("mark"))
    each = each.select(
        (pl.col("account") // 2**32).cast(pl.UInt32).alias("account"), "mark", child=pl.col("account") % 2**32
    )
    each = each.with_columns(school=school.gather(each["child"]))
    counted = (
        each.group_by(both + pl.col("school"), "mark")
        .agg(pl.len().cast(pl.Int64).alias("number"))
        .select(
            (pl.col("account") // 2**32).cast(pl.UInt32).alias("account"),
            (pl.col("account") % 2**32).cast(pl.UInt32).alias("school"),
            "mark",
            "number",
        )
    )
    if not few:
        return counted.select("account", "school", pl.col("mark").alias("units"), "number")
    return (
        counted.with_row_index("row")
        .join(mine.select("account", "unit", "bit"), on="account")
        .filter((pl.col("mark") // pl.lit(2, pl.UInt64).pow(pl.col("bit"))) % 2 == 1)
        .group_by("row")
        .agg(pl.col("account", "school", "number").first(), pl.col("unit").alias("units"))
        .select("account", "school", "units", "number")
    )


def _plain(held: pl.DataFrame, units: Units, atoms: Atoms) -> Iterator[pl.DataFrame]:
    """Additive parts of the numbers: of everybody, then what each school adds, then what each atom adds."""
    by = ["set", "account", "unit", "everybody", "school_id"]
    lines = held.group_by(by).agg(pl.col("granted").max(), pl.col("needed").max())
    top = (
        held.select(pl.col("set").unique())
        .join(lines.filter("everybody").select("set", granted_0="granted", needed_0="needed"), on="set", how="left")
        .with_columns(pl.col(_BASE).fill_null(0))
    )
    yield top.select("set", *(value * units.roll for value in _facts("granted_0", "needed_0")))
    school = (
        lines.filter(pl.col("school_id").is_not_null())
        .join(top, on="set")
        .join(units.schools, on="school_id")
        .with_columns(
            granted_1=pl.max_horizontal("granted", "granted_0"), needed_1=pl.max_horizontal("needed", "needed_0")
        )
        .select("set", "school_id", "granted_0", "needed_0", "granted_1", "needed_1", "size")
    )
    yield school.select("set", *_added("granted_1", "needed_1", "granted_0", "needed_0", pl.col("size")))
    base = school.select("set", "school_id", "granted_1", "needed_1")
    for some in _in_parts(lines, atoms):
        each = (
            some.group_by("set", "atom")
            .agg(pl.col("granted").max(), pl.col("needed").max())
            .join(atoms.atoms, on="atom")
            .join(top, on="set")
            .join(base, on=["set", "school_id"], how="left")
            .with_columns(pl.coalesce("granted_1", "granted_0"), pl.coalesce("needed_1", "needed_0"))
            .with_columns(
                granted=pl.max_horizontal("granted", "granted_1"), needed=pl.max_horizontal("needed", "needed_1")
            )
        )
        yield _summed(each, "granted", "needed", "granted_1", "needed_1")


def _with_denials(held: pl.DataFrame, units: Units, atoms: Atoms, denied: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The same where units are denied: at each step the strongest clause that is not shut out."""
    nothing = pl.lit(0, pl.Int64)
    shut = (
        held.select("set", "account", "clause")
        .unique()
        .join(denied, on="clause")
        .select("set", "account", "clause", "unit", granted=nothing, needed=nothing)
        .join(units.codes.select("unit", "everybody", "school_id"), on="unit")
        .with_columns(denied=pl.lit(True))
    )
    lines = pl.concat([held.with_columns(denied=pl.lit(False)), shut.select(*held.columns, "denied")])
    values = [value for value in held["granted"].unique().sort().to_list() if value]
    clauses = held.select("set", "clause").unique()
    top = _clauses(clauses, lines.filter("everybody"), ["set", "clause"]).select(
        "set", "clause", granted_0="granted", needed_0="needed", denied_0="denied"
    )
    whole = top.group_by("set").agg(*_strongest("granted_0", "needed_0", "denied_0", values, "0"))
    yield whole.select("set", *(value * units.roll for value in _facts("open_0", "need_0")))
    of_schools = lines.filter(pl.col("school_id").is_not_null())
    places = of_schools.select("set", "school_id").unique().join(clauses, on="set")
    school = (
        _clauses(places, of_schools, ["set", "clause", "school_id"])
        .join(top, on=["set", "clause"])
        .select(
            "set",
            "clause",
            "school_id",
            granted_1=pl.max_horizontal("granted", "granted_0"),
            needed_1=pl.max_horizontal("needed", "needed_0"),
            denied_1=pl.col("denied") | pl.col("denied_0"),
        )
    )
    one = school.group_by("set", "school_id").agg(*_strongest("granted_1", "needed_1", "denied_1", values, "1"))
    sized = one.join(whole, on="set").join(units.schools, on="school_id")
    yield sized.select("set", *_added("open_1", "need_1", "open_0", "need_0", pl.col("size")))
    numbered = [f"of_{value}" for value in values]
    for some in _in_parts(lines, atoms):
        touched = (
            some.group_by("set", "atom", "clause")
            .agg(pl.col("granted").max(), pl.col("needed").max(), pl.col("denied").any())
            .join(atoms.atoms, on="atom")
            .join(top, on=["set", "clause"])
            .join(school, on=["set", "clause", "school_id"], how="left")
            .with_columns(pl.coalesce("granted_1", "granted_0"), pl.coalesce("denied_1", "denied_0"))
            .with_columns(
                now=_open(pl.max_horizontal("granted", "granted_1"), pl.col("denied") | pl.col("denied_1")),
                before=_open(pl.col("granted_1"), pl.col("denied_1")),
            )
        )
        each = (
            touched.group_by("set", "atom", "school_id", "number")
            .agg(
                pl.col("now", "needed").max(),
                *((pl.col("before") == value).sum().alias(name) for value, name in zip(values, numbered, strict=True)),
            )
            .join(whole, on="set")
            .join(one, on=["set", "school_id"], how="left")
            .with_columns(open_b=pl.coalesce("open_1", "open_0"), need_b=pl.coalesce("need_1", "need_0"))
        )
        # A clause that does not list these children grants them what it grants the school: is one left that does?
        left = [
            pl.when(pl.coalesce(f"of_{value}_1", f"of_{value}_0") > pl.col(f"of_{value}")).then(value).otherwise(0)
            for value in values
        ]
        each = each.with_columns(granted=pl.max_horizontal("now", *left), needed=pl.max_horizontal("needed", "need_b"))
        yield _summed(each, "granted", "needed", "open_b", "need_b")


def _clauses(places: pl.DataFrame, lines: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """What each clause grants, needs and denies at one step; nothing where it has no line."""
    merged = lines.group_by(by).agg(pl.col("granted").max(), pl.col("needed").max(), pl.col("denied").any())
    return places.join(merged, on=by, how="left").with_columns(
        pl.col("granted", "needed").fill_null(0), pl.col("denied").fill_null(False)
    )


def _open(granted: pl.Expr, denied: pl.Expr) -> pl.Expr:
    return pl.when(denied).then(pl.lit(0, pl.Int64)).otherwise(granted)


def _strongest(granted: str, needed: str, denied: str, values: Sequence[int], step: str) -> list[pl.Expr]:
    """Over clauses: the strongest that is not denied, what is needed, and how many clauses grant each strength."""
    shown = _open(pl.col(granted), pl.col(denied))
    return [
        shown.max().alias(f"open_{step}"),
        pl.col(needed).max().alias(f"need_{step}"),
        *((shown == value).sum().alias(f"of_{value}_{step}") for value in values),
    ]


def _in_parts(lines: pl.DataFrame, atoms: Atoms) -> Iterator[pl.DataFrame]:
    """Lines of lists with their atoms, whole sets at a time."""
    listed = lines.filter(~pl.col("everybody") & pl.col("school_id").is_null()).drop("everybody", "school_id")
    weights = listed.group_by("set").agg(pl.len().alias("size")).sort("set")
    part = weights.select("set", part=pl.col("size").cum_sum() // (_ROWS_AT_ONCE // 8))
    for some in part.partition_by("part"):
        yield listed.join(some.select("set"), on="set", how="semi").join(atoms.members, on=["account", "unit"])


def _summed(each: pl.DataFrame, granted: str, needed: str, granted_base: str, needed_base: str) -> pl.DataFrame:
    added = _added(granted, needed, granted_base, needed_base, pl.col("number"))
    return each.select("set", *added).group_by("set").agg(pl.col(*NUMBERS).sum())


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
    return [((a - b) * number).alias(name) for a, b, name in zip(now, base, NUMBERS, strict=True)]
