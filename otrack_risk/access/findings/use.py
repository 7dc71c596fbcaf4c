"""Checks of use: what the access log says of grants, and what it should say and does not."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from otrack_risk import schema
from otrack_risk.access.findings.asked import WHOLE, Asked
from otrack_risk.access.findings.checks import told
from otrack_risk.access.people import People
from otrack_risk.access.use import Used
from otrack_risk.access.use.unused import states

FEW = 10  # lines of one category: fewer are no habit
_CHECKS = ("export_unused", "whole_school_used_group", "log_off", "log_unknown_account")


def of_use(asked: Asked) -> Iterator[pl.DataFrame]:
    """Findings of the log; what could not be asked is noted in ``asked.unasked``."""
    used = asked.used
    if used is None:
        asked.unasked.update(dict.fromkeys(_CHECKS, "no access log was read"))
        return
    known = asked.grants.rows["account"].unique().to_list()
    strange = used.accounts.filter(~pl.col("account").is_in(known))
    why = "the log has lines of it, and no grant of any day names it"
    yield told(strange, "log_unknown_account", why, evidence=["account", "first", "last", "lines"])
    yield from _unlogged(asked, used)
    yield from _only_looked(asked, used)
    yield from _stayed_in_group(asked, used)


def _unlogged(asked: Asked, used: Used) -> Iterator[pl.DataFrame]:
    """Special categories that somebody may see and of which the log has no line, ever."""
    back = used.longest()
    if back is None:
        asked.unasked["log_off"] = used.look_back("term").reason
        return
    granted = asked.reads.filter(pl.col("category").is_in(sorted(schema.special_categories())))
    silent = granted.join(used.cells.select("category").unique(), on="category", how="anti")
    labels = schema.categories()
    rows = silent.with_columns(of=pl.col("category").replace(labels))
    why = f"grants let somebody see it, and the log of the last {back.label} has no line of it"
    yield told(rows, "log_off", why, subject="of", by_account=False)


def _only_looked(asked: Asked, used: Used) -> Iterator[pl.DataFrame]:
    back = used.longest()
    if back is None:
        asked.unasked["export_unused"] = used.look_back("term").reason
        return
    cells = states(used, asked.grants, asked.lines, back.name)
    looked = cells.filter(pl.col("verb") == "view", pl.col("state") == "used").select("account", "category")
    idle = cells.filter(pl.col("verb") == "export", pl.col("state") == "unused")
    why = f"in the last {back.label} it saw and took nothing away"
    found = idle.join(looked, on=["account", "category"], how="semi")
    yield told(found, "export_unused", why, evidence=["account", "category", "verb", "state"])


def _stayed_in_group(asked: Asked, used: Used) -> Iterator[pl.DataFrame]:
    """Staff who teach, may see a whole school in a category, and whose lines all show children whom they teach."""
    who, back = asked.people, used.longest()
    reason = (
        used.look_back("term").reason
        if back is None
        else "the log does not name the children"
        if "pupil_id" not in used.has
        else "no table says who teaches whom"
        if who is None or who.taught is None
        else ""
    )
    if reason or who is None or who.taught is None or back is None:
        asked.unasked["whole_school_used_group"] = reason
        return
    own = _own(asked.accounts, who, who.taught)
    wide = asked.reads.filter(
        pl.col("scope").is_in(WHOLE),
        pl.col("category_known"),
        pl.col("account").is_in(own["account"].unique().to_list()),
    )
    wanted = wide.select("account", "category").unique()
    sizes = own.group_by("account").agg(size=pl.len())
    lines = (
        used.touched(wanted)
        .join(own.with_columns(taught=pl.lit(value=True)), on=["account", "pupil_id"], how="left")
        .join(sizes, on="account")
    )
    # a list without names lies within the groups where it is no longer than they are; an empty one shows nobody
    shown = lines.filter(pl.col("pupil_id").is_not_null() | (pl.col("rows") != 0).fill_null(value=True))
    outside = (
        pl.when(pl.col("pupil_id").is_not_null())
        .then(pl.col("taught").is_null())
        .otherwise((pl.col("rows") > pl.col("size")).fill_null(value=True))
    )
    stayed = (
        shown.group_by("account", "category")
        .agg(outside.sum().alias("outside"), pl.col("pupil_id").count().alias("named"))
        .filter(pl.col("outside") == 0, pl.col("named") >= FEW)
    )
    labels = schema.categories()
    named = (
        stayed.sort("account", "category")
        .group_by("account")
        .agg(in_words=pl.col("category").replace(labels).str.join(", "))
    )
    why = pl.lit("in the last year every line of it showed children whom it teaches, in: ") + pl.col("in_words")
    yield told(
        stayed.join(named, on="account"), "whole_school_used_group", why, evidence=["account", "category", "named"]
    )


def _own(accounts: pl.DataFrame, who: People, taught: pl.DataFrame) -> pl.DataFrame:
    """account, pupil_id of the children in the groups that it teaches."""
    staff = accounts.filter(pl.col("person_kind") == "staff").select("account", staff_id="person_id")
    return (
        staff.join(taught, on="staff_id")
        .join(who.children.select("class_id", "pupil_id"), on="class_id")
        .select("account", "pupil_id")
        .unique()
    )
