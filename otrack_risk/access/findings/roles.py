"""Checks of roles: nearly the same as another, with one member, with none."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from otrack_risk.access.findings.asked import Asked
from otrack_risk.access.findings.checks import sole_roles, told
from otrack_risk.access.inherit import BETWEEN
from otrack_risk.access.words import NO_ROLE, role_of

_TOLD = 57  # characters by which a fault names a role, before it is cut
CLONED = 0.9  # Jaccard: cells in both roles, of the cells in either
_CHECKS = ("cloned_roles", "role_with_one_member", "role_with_no_member")


def of_roles(asked: Asked) -> Iterator[pl.DataFrame]:
    """Findings of roles, each with the source's word for the role; what could not be asked is noted."""
    if not asked.knows_roles:
        asked.unasked.update(dict.fromkeys(_CHECKS, "the source knows no roles"))
        return
    held = asked.held.filter(pl.col("first") != NO_ROLE, pl.col("holder").is_not_null())
    cells = pl.concat(
        [
            held.select(pl.col("first").alias("role"), *_CELL),
            asked.grants.role_grants.filter(pl.col("effect") != "deny", pl.col("scope") != "none")
            .join(held, on="holder", how="anti")
            .select(pl.col("holder").alias("role"), *_CELL),
        ]
    ).unique()
    yield _cloned(cells)
    number = held.group_by("first").agg(pl.col("account").n_unique().alias("n")).filter(pl.col("n") == 1)
    alone = held.join(number, on="first", how="semi").filter(~_sole(held))
    why = "one account has it, so that it says as much as a grant to a person"
    yield told(
        alone.rename({"first": "of_role"}),
        "role_with_one_member",
        why,
        subject="of_role",
        by_account=False,
        evidence=["of_role", "account"],
    )
    yield _without_members(asked)


_CELL = ("category", "verb", "scope", "scope_key")


def _sole(held: pl.DataFrame) -> pl.Expr:
    named = [word for word in held["first"].unique().to_list() if (role_of(word) or word) in sole_roles()]
    return pl.col("first").is_in(named)


def _cloned(cells: pl.DataFrame) -> pl.DataFrame:
    """Each role that is nearly one before it in the alphabet; the nearest of those is named."""
    import numpy as np

    schema = {"role": pl.String, "other": pl.String, "alike": pl.Float64}
    if cells.is_empty():
        return told(pl.DataFrame(schema=schema), "cloned_roles", "", subject="role", by_account=False)
    names = cells["role"].unique().sort().to_list()
    of_role = cells["role"].cast(pl.Enum(names)).to_physical().to_numpy()
    key = cells.select(pl.struct(_CELL).rank("dense")).to_series().to_numpy() - 1
    held = np.zeros((len(names), int(key.max()) + 1), dtype=np.float32)
    held[of_role, key] = 1
    both = held @ held.T
    size = held.sum(axis=1)
    alike = np.tril(both / (size[:, None] + size[None, :] - both), k=-1)
    nearest = alike.argmax(axis=1)
    found = [
        (names[row], names[int(other)], round(float(alike[row, other]), 4))
        for row, other in enumerate(nearest)
        if alike[row, other] >= CLONED - 1e-6
    ]
    rows = pl.DataFrame(found, schema=schema, orient="row")
    why = pl.format(
        "of the cells in either it shares {} % with the role '{}'",
        (pl.col("alike") * 100).round(0).cast(pl.Int64),
        pl.col("other").str.slice(0, 60),
    )
    return told(rows, "cloned_roles", why, subject="role", by_account=False, evidence=["role", "other", "alike"])


def _without_members(asked: Asked) -> pl.DataFrame:
    """Roles of the source that no enabled account has today, but for those that hold grants and never had a member."""
    grants = asked.grants
    every = pl.concat([grants.rows["holder"], grants.role_grants["holder"], grants.memberships["role"]]).drop_nulls()
    chains = asked.held["chain"].drop_nulls().str.split(BETWEEN).explode()
    used = pl.concat([chains, asked.held["holder"].drop_nulls(), asked.members["role"]])
    told_already = [fault.subject for fault in grants.faults if fault.id == "grant_to_nobody" and fault.subject]
    rows = (
        pl.DataFrame({"of_role": every.unique()})
        .filter(~pl.col("of_role").is_in(used.unique().to_list()))
        .filter(~pl.col("of_role").str.slice(0, _TOLD).is_in([each[:_TOLD] for each in told_already]))
    )
    why = "the accounts in it are switched off, or their grants are over"
    return told(rows, "role_with_no_member", why, subject="of_role", by_account=False, evidence=["of_role"])
