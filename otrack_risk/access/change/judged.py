"""Single lines of grants, held today or thought of, judged against need: which go beyond it, and which serve it."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from otrack_risk.access import sets
from otrack_risk.access.in_force import OWNER, PLACE, InForce
from otrack_risk.access.needed import Needed
from otrack_risk.access.people import People
from otrack_risk.access.tally import Atoms, tally
from otrack_risk.access.words import scopes

LINE = ["account", "role", "category", "verb", "scope", "scope_key"]


def judged(lines: pl.DataFrame, held: InForce, matrix: Needed, who: People | None) -> pl.DataFrame:
    """Every line with ``beyond`` and ``serves``.

    Parameters
    ----------
    lines : distinct ``LINE``; role, category, verb and scope are words of ours. They need not be held.
    held : the accounts, and what they are denied
    who : None: scopes are compared, not children

    Returns
    -------
    ``LINE``, ``beyond`` (its scope is wider than the matrix allows the role, or it reaches a child of whom the role
    needs less), ``serves`` (it reaches a child of whom the role needs anything; where it cannot be told whom it
    reaches, the matrix has the cell), ``ends`` (it is held, and every such line has an end date)

    Notes
    -----
    A line that is wholly denied, or of a role of which the matrix does not speak, is neither. A grant with an end
    date is not beyond need where the matrix allows the cell for a case.
    """
    of_cell = matrix.rows.with_columns(pl.col("scope").replace_strict(ranks(who)).alias("rank"))
    case = pl.col("scope") == "just_in_time"
    allowed = of_cell.group_by("role", "category", "verb").agg(
        allowed=pl.col("rank").filter(~case).max(),
        for_a_case=case.any(),
        handed_in=(pl.col("scope") == "write_only").any(),
    )
    dated = held.allowed.group_by(LINE).agg(ends=pl.col("valid_to").is_not_null().all())
    strength = {scope.name: scope.strength for scope in scopes().values()}
    told = held.denied.filter("told")
    shut = [
        (told.filter(pl.col("scope").is_in(["all", "trust"])).select(OWNER), OWNER),
        (told, [*OWNER, "role", "scope", "scope_key"]),
    ]
    open_lines = lines.select(LINE)
    for denied, by in shut:
        open_lines = open_lines.join(denied, on=by, how="anti", nulls_equal=True)
    open_lines = (
        open_lines.join(dated, on=LINE, how="left", nulls_equal=True)
        .join(allowed, on=["role", "category", "verb"], how="left")
        .with_columns(
            pl.col("ends", "for_a_case", "handed_in").fill_null(value=False),
            in_matrix=pl.col("role").is_in(list(matrix.roles)),
            rank=pl.col("scope").replace_strict(ranks(who), return_dtype=pl.Int64),
            strength=pl.col("scope").replace_strict(strength, return_dtype=pl.Int64),
        )
        .with_row_index("owner")
    )
    if who is None:
        counted = open_lines.select("owner", more=pl.lit(value=False), some=pl.lit(value=True))
        by_name = pl.lit(value=False)
    else:
        counted = _counted(open_lines.filter(pl.col("strength") > 0), held, matrix, who)
        by_name = pl.col("scope") == "listed"
    excused = pl.col("ends") & pl.col("for_a_case")
    wider = ~by_name & (pl.col("rank") > pl.col("allowed").fill_null(0))
    has_cell = pl.col("allowed").is_not_null()
    found = open_lines.join(counted, on="owner", how="left").select(
        *LINE,
        "ends",
        beyond=pl.col("in_matrix") & ~excused & (wider | pl.col("more").fill_null(value=False)),
        serves=(has_cell & pl.col("some").fill_null(pl.col("strength") == 0))
        | pl.col("handed_in")
        | (pl.col("in_matrix") & excused),
    )
    return (
        lines.select(LINE)
        .join(found, on=LINE, how="left", nulls_equal=True)
        .with_columns(pl.col("beyond", "serves", "ends").fill_null(value=False))
    )


def ranks(who: People | None) -> Mapping[str, int]:
    """Scopes from narrow to wide; where all children are at one school, that school is everybody."""
    order = {scope.name: scope.rank for scope in scopes().values()}
    if who is not None and who.only_school is not None:
        order |= dict.fromkeys(("trust", "all"), order["school"])
    return order


def placed(
    lines: pl.DataFrame, held: InForce, who: People, more: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, sets.Units]:
    """Lines with the sets of children that they mean.

    Parameters
    ----------
    lines : account, role, category, verb, scope, scope_key, and anything else
    more : further lines whose sets are wanted

    Returns
    -------
    lines with ``unit`` (null: it cannot be told) and ``clause`` (0: nothing is denied); ``more`` with ``unit``; clause
    and unit of what is denied; the sets
    """
    extra = lines.clear().select(LINE) if more is None else more
    against = held.denied.join(lines, on=OWNER, how="semi")
    places = pl.concat([each.select(PLACE) for each in (lines, extra, against)]).unique()
    places = places.join(held.accounts.select("account", "person_kind", "person_id", "school_id"), on="account")
    places = places.with_columns(sets.resolve(places, who))
    units = sets.units(pl.concat([places["name"], pl.Series(["all"])]), who)
    where = places.join(units.codes.select("name", "unit"), on="name", how="left").select(*PLACE, "unit")
    lines, extra, against = (
        each.join(where, on=PLACE, how="left", nulls_equal=True) for each in (lines, extra, against)
    )
    everybody = units.codes.filter("everybody")["unit"][0]
    sets_of = (
        against.with_columns(pl.when("told").then("unit").fill_null(everybody))
        .group_by(OWNER)
        .agg(pl.col("unit").unique().sort())
    )
    distinct = sets_of.select("unit").unique(maintain_order=True).with_row_index("clause", offset=1)
    clause = sets_of.join(distinct, on="unit").select(*OWNER, "clause")
    lines = lines.join(clause, on=OWNER, how="left").with_columns(pl.col("clause").fill_null(0))
    return lines, extra, distinct.explode("unit").select("clause", "unit"), units


def _counted(lines: pl.DataFrame, held: InForce, matrix: Needed, who: People) -> pl.DataFrame:
    """owner; more (than is needed of some child), some (is needed of some child that it reaches; null: not told)."""
    strength = {scope.name: scope.strength for scope in scopes().values()}
    standing = matrix.rows.filter(pl.col("scope") != "just_in_time").with_columns(
        needed=pl.col("scope").replace_strict(strength, return_dtype=pl.Int64)
    )
    cells = lines.select("account", "role", "category", "verb").unique()
    need = (
        cells.join(standing.filter(pl.col("needed") > 0), on=["role", "category", "verb"])
        .with_columns(scope_key=pl.lit(None, pl.String))
        .select(*LINE, "needed")
    )
    lines, need, denied, units = placed(lines, held, who, need)
    number = held.accounts.select("account").with_row_index("number")
    cell = ["account", "role", "category", "verb"]
    granted = lines.drop_nulls("unit").join(number, on="account")
    wanted = need.join(number, on="account")
    untold = wanted.filter(pl.col("unit").is_null()).select(cell).unique()
    owned = pl.concat(
        [
            granted.select(
                "owner", account="number", clause="clause", unit="unit", granted="strength", needed=pl.lit(0, pl.Int64)
            ),
            wanted.drop_nulls("unit")
            .join(granted.select("owner", *cell), on=cell)
            .select(
                "owner",
                account="number",
                clause=pl.lit(0, pl.UInt32),
                unit="unit",
                granted=pl.lit(0, pl.Int64),
                needed="needed",
            ),
        ],
        how="vertical_relaxed",
    )
    lists = pl.concat([each.select(account="number", unit="unit").drop_nulls() for each in (granted, wanted)])
    shut = lines.filter(pl.col("clause") > 0).join(number, on="account").select("number", "clause").unique()
    lists = pl.concat([lists, shut.join(denied, on="clause").select(account="number", unit="unit")]).unique()
    if owned.is_empty():
        return pl.DataFrame(schema={"owner": pl.UInt32, "more": pl.Boolean, "some": pl.Boolean})
    counted = tally(owned, units, Atoms.of(lists, units), denied)
    numbers = counted.select("owner", more=pl.col("excess") > 0, some=pl.col("held") > pl.col("excess"))
    return (
        lines.select("owner", *cell, known=pl.col("unit").is_not_null())
        .join(numbers, on="owner", how="left")
        .join(untold.with_columns(open=pl.lit(value=True)), on=cell, how="left")
        .select(
            "owner",
            more=pl.col("more").fill_null(value=False) & pl.col("open").is_null(),
            some=pl.when(~pl.col("known") | pl.col("open").fill_null(value=False))
            .then(pl.lit(value=True))
            .otherwise(pl.col("some").fill_null(value=False)),
        )
    )
