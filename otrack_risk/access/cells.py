"""The children of single cells, one by one: for a check, for a drawing of one account, never for a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from otrack_risk import frames
from otrack_risk.access import sets
from otrack_risk.access.in_force import OWNER, PLACE, in_force
from otrack_risk.access.model import Grants
from otrack_risk.access.people import people
from otrack_risk.access.words import FULL, scopes
from otrack_risk.errors import TableError


def children_by_cell(
    grants: Grants, dataset: frames.Dataset, *, as_of: date | None, accounts: Sequence[str] | None = None
) -> pl.DataFrame:
    """Every child that each account reaches, by category and verb.

    Parameters
    ----------
    grants, dataset, as_of : as for :func:`~otrack_risk.access.reach.reach`, which counts what is listed here
    accounts : of these alone; None: of all (a row for each account, category, verb and child: mind the size)

    Returns
    -------
    account, category, verb, pupil_id, strength (of the scope: 1 for a row, 0.25 for a flag, 0.05 for a total),
    sorted. A row without pupil_id says that of some grant or denial in the cell it cannot be told whom it means; the
    children beside it are the fewest.

    Raises
    ------
    TableError
        The data hold no table of pupils.
    """
    who = people(dataset, grants.listed)
    if who is None:
        raise TableError(f"{dataset.name} has no table 'pupils'.", "give the table of pupils.")
    held = in_force(grants, dataset, as_of)
    strength = {scope.name: scope.strength / FULL for scope in scopes().values()}
    lines = held.allowed.with_columns(
        pl.col("scope").replace_strict(strength, default=0.0, return_dtype=pl.Float64).alias("strength")
    ).filter(pl.lit(True) if accounts is None else pl.col("account").is_in(list(accounts)))
    unread = lines.filter(~pl.col("verb_known") | ~pl.col("scope_known")).select(OWNER)
    lines = lines.filter("verb_known", "scope_known", pl.col("strength") > 0)
    denied = held.denied.join(lines, on=OWNER, how="semi")
    places = pl.concat([each.select(PLACE) for each in (lines, denied)]).unique()
    places = places.join(held.accounts.select("account", "person_kind", "person_id", "school_id"), on="account")
    places = places.with_columns(sets.resolve(places, who))
    units = sets.units(places["name"], who)
    where = places.join(units.codes, on="name", how="left").select(*PLACE, "unit")
    lines, denied = (each.join(where, on=PLACE, how="left", nulls_equal=True) for each in (lines, denied))
    lost = denied.filter(~pl.col("told") | pl.col("unit").is_null()).select(OWNER).unique()
    members = _members(units)
    seen = (
        lines.join(lost, on=OWNER, how="anti")
        .join(members, on="unit")
        .join(denied.select(*OWNER, "unit").join(members, on="unit"), on=[*OWNER, "child"], how="anti")
        .group_by(*OWNER, "child")
        .agg(pl.col("strength").max())
        .join(who.children.select("child", "pupil_id"), on="child")
        .select(*OWNER, "pupil_id", "strength")
    )
    untold = pl.concat([unread, lines.filter(pl.col("unit").is_null()).select(OWNER), lost]).unique()
    nobody = untold.select(
        *OWNER, pl.lit(None, pl.String).alias("pupil_id"), pl.lit(None, pl.Float64).alias("strength")
    )
    return pl.concat([seen, nobody]).sort(*OWNER, "pupil_id", nulls_last=True)


def _members(units: sets.Units) -> pl.DataFrame:
    """unit, child of every unit, everybody and schools written out."""
    everybody = units.codes.filter("everybody").select("unit").join(units.children.select("child"), how="cross")
    schools = units.codes.drop_nulls("school_id").select("unit", "school_id").join(units.children, on="school_id")
    return pl.concat([units.members, everybody, schools.select("unit", "child")])
