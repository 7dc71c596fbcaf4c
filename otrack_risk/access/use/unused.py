"""What is granted and was not used: the excess of each account, and the state of each of its cells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from otrack_risk.access.model import Grants
from otrack_risk.access.needed import with_given
from otrack_risk.access.use import Used
from otrack_risk.access.weights import Weights, weights
from otrack_risk.access.words import FULL, verbs

CELL = ["account", "category", "verb"]
# What can be said of a cell; all but the first two are left out of the excess.
STATES = ("used", "unused", "break_glass", "out_of_season", "granted_later", "not_understood")
_LEFT_OUT = {
    "break_glass": "needed however rarely used",
    "out_of_season": "of tasks whose season has not come",
    "granted_later": "granted within the look-back",
    "not_understood": "with a word that is not understood",
}


@dataclass(frozen=True)
class Excess:
    """What one account holds and did not use."""

    share: float | None  # of the weight of its cells that can be judged: what was not used in the look-back
    reason: str  # why it is not known, else what was left out; may be empty
    cells: Mapping[str, int]  # category x verb by state
    by: str  # what is weighed: "children", or "cells" where the children of some cell cannot be told


def states(used: Used, grants: Grants, lines: pl.DataFrame, look_back: str = "year") -> pl.DataFrame:
    """Every cell that an account holds, and whether it was used in the look-back.

    Parameters
    ----------
    lines : what is held, one line a verb: account, category, verb, category_known, verb_known (more is ignored)
    look_back : "term" (90 school days) or "year" (365 days)

    Returns
    -------
    account, category, verb, state (one of ``STATES``), used (bool), strength (the strongest, in twentieths)

    Notes
    -----
    Use of a verb is use of what it gives: whoever edited has also seen. A break-glass category is told apart whether
    or not it was used. What was not used is not called unused where its annual task has not had a season in the
    look-back, or where the account has held it for less than the look-back.
    """
    back = used.look_back(look_back)
    gives = {verb: list(with_given(verb, "all")) for verb in verbs()}
    given = pl.coalesce(
        pl.col("verb").replace_strict(gives, default=None, return_dtype=pl.List(pl.String)), pl.concat_list("verb")
    ).alias("verb")
    seen = used.cells.filter(pl.col(look_back) > 0).select("account", "category", given).explode("verb").unique()
    waiting = pl.DataFrame(
        used.terms.out_of_season(back.first, back.last),
        schema={"category": pl.String, "verb": pl.String},
        orient="row",
    )
    day = pl.lit(used.as_of)
    since = (
        grants.rows.filter(
            pl.col("effect") != "deny",
            (pl.col("valid_from") <= day).fill_null(value=True),
            (pl.col("valid_to") >= day).fill_null(value=True),
        )
        .with_columns(given)
        .explode("verb")
        .group_by(CELL)
        .agg(later=(pl.col("valid_from") > back.first).fill_null(value=False).all())
    )
    strength = pl.col("strength").max() if "strength" in lines.columns else pl.lit(FULL)
    return (
        lines.group_by(CELL)
        .agg((pl.col("category_known") & pl.col("verb_known")).all().alias("known"), strength.alias("strength"))
        .join(seen.with_columns(used=pl.lit(value=True)), on=CELL, how="left")
        .join(waiting.with_columns(waits=pl.lit(value=True)), on=["category", "verb"], how="left")
        .join(since, on=CELL, how="left")
        .with_columns(pl.col("used", "waits", "later").fill_null(value=False))
        .with_columns(
            pl.when(~pl.col("known"))
            .then(pl.lit("not_understood"))
            .when(pl.col("category").is_in(list(used.break_glass)))
            .then(pl.lit("break_glass"))
            .when("used")
            .then(pl.lit("used"))
            .when("later")
            .then(pl.lit("granted_later"))
            .when("waits")
            .then(pl.lit("out_of_season"))
            .otherwise(pl.lit("unused"))
            .alias("state")
        )
        .select(*CELL, "state", "used", "strength")
        .sort(CELL)
    )


def excess(
    used: Used,
    grants: Grants,
    lines: pl.DataFrame,
    accounts: pl.DataFrame,
    *,
    held: pl.DataFrame | None = None,
    untold: Collection[str] = (),
    look_back: str = "year",
    weigh: Weights | None = None,
) -> dict[str, Excess]:
    """For each account: the share of what it holds that it did not use.

    With w_c and w_v the weights of category and verb, and s the sum of strengths over children of a cell [1]_::

        excess(a) = sum over cells not used of w_c w_v s / sum over cells that can be judged of w_c w_v s

    Parameters
    ----------
    lines : as for :func:`states`, and ``strength`` in twentieths
    accounts : account; and, where told, created (date), last_login (date)
    held : account, category, verb, held (the sum of strengths over children, in twentieths); None: children are not
        counted, and s is the strength of the cell's widest scope
    weigh : of categories and verbs; None for the built-in ones
    untold : accounts of which it cannot be told whom they reach: s is as without ``held``

    Notes
    -----
    An account younger than the look-back is left out, as AWS IAM Access Analyzer does: younger by the day on which it
    was made, else by its first grant (where every grant is dated), else by its first line in the log or last log-in.
    A ratio of nothing is not defined.

    References
    ----------
    .. [1] This project's own definition.
    """
    back = used.look_back(look_back)
    cells = states(used, grants, lines, look_back)
    weigh = weigh or weights()
    of_children = cells.with_columns(sum=pl.lit(None, pl.Int64))
    if held is not None:
        of_children = cells.join(held.select(*CELL, sum=pl.col("held").cast(pl.Int64)), on=CELL, how="left")
    by_children = pl.lit(held is not None) & ~pl.col("account").is_in(list(untold))
    judged = pl.col("state").is_in(["used", "unused"])
    weighed = of_children.with_columns(
        by=pl.when(by_children).then(pl.lit("children")).otherwise(pl.lit("cells")),
        weight=pl.col("category").replace_strict(weigh.category, default=0.0, return_dtype=pl.Float64)
        * pl.col("verb").replace_strict(weigh.verb, default=0.0, return_dtype=pl.Float64)
        * pl.when(by_children).then(pl.col("sum").fill_null(0)).otherwise("strength"),
    )
    summed = weighed.group_by("account").agg(
        pl.col("by").first(),
        whole=pl.col("weight").filter(judged).sum(),
        idle=pl.col("weight").filter(pl.col("state") == "unused").sum(),
        **{state: (pl.col("state") == state).sum().cast(pl.Int64) for state in STATES},
    )
    table = (
        accounts.select("account")
        .join(summed, on="account", how="left")
        .join(_known_since(used, grants, accounts), on="account", how="left")
    )
    return {row["account"]: _told(row, back.reason, back.first, back.label) for row in table.iter_rows(named=True)}


def _known_since(used: Used, grants: Grants, accounts: pl.DataFrame) -> pl.DataFrame:
    """account, since: the first day on which it is known to have been there; null where nothing tells."""
    dated = grants.rows.group_by("account").agg(
        granted=pl.when(pl.col("valid_from").is_null().any()).then(None).otherwise(pl.col("valid_from").min())
    )
    day = [pl.col(name) if name in accounts.columns else pl.lit(None, pl.Date).alias(name) for name in _DAYS]
    return (
        accounts.select("account", *day)
        .join(dated, on="account", how="left")
        .join(used.accounts.select("account", "first"), on="account", how="left")
        .select("account", since=pl.coalesce("created", "granted", pl.min_horizontal("first", "last_login")))
    )


_DAYS = ("created", "last_login")


def _told(row: Mapping[str, object], not_covered: str, first: object, label: str) -> Excess:
    cells = {state: row[state] for state in STATES if row[state]}
    counts = {state: int(number) for state, number in cells.items() if isinstance(number, int)}
    by = str(row["by"] or "cells")
    left_out = ", ".join(f"{counts[state]} {why}" for state, why in _LEFT_OUT.items() if state in counts)
    since = row["since"]
    if not_covered:
        reason = not_covered
    elif row["whole"] is None:
        reason = "it has no grant in force, or is switched off"
    elif since is not None and since > first:  # type: ignore[operator]
        reason = f"the account is younger than the look-back of {label}"
    elif not row["whole"]:
        reason = f"it holds nothing that can be judged{f' ({left_out})' if left_out else ''}"
    else:
        share = float(row["idle"]) / float(row["whole"])  # type: ignore[arg-type]
        return Excess(share, f"left out: {left_out}" if left_out else "", counts, by)
    return Excess(None, reason, counts, by)
