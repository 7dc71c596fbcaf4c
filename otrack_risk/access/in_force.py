"""Grants in force on one day: what accounts are allowed, and what they are denied."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from otrack_risk import frames
from otrack_risk.access.columns import accounts_of
from otrack_risk.access.model import Grants
from otrack_risk.access.needed import with_given
from otrack_risk.access.words import denied_with, verbs

OWNER = ["account", "category", "verb"]
PLACE = ["account", "role", "scope", "scope_key"]


@dataclass(frozen=True)
class InForce:
    """Grants that hold on a day, of accounts that can be used."""

    accounts: pl.DataFrame  # every account, enabled or not, and whether a table of accounts lists it (listed)
    listed: bool  # whether there was a table of accounts
    allowed: pl.DataFrame  # Grants.rows, one line a verb that each gives, with granted_as, the verb as granted
    denied: pl.DataFrame  # account, role, scope, scope_key, category, verb, told (every word is known)


def in_force(grants: Grants, dataset: frames.Dataset | None, as_of: date | None) -> InForce:
    """The grants that hold on a day; None: all of them.

    Parameters
    ----------
    dataset : its table ``accounts`` is taken where the grants bring none

    Notes
    -----
    A grant holds from its first to its last day, both included. A verb gives what ``roles.toml`` says, so that an
    export is a line for view too; a denial of a verb is one for every verb that gives it. A denial that an account
    would first have to take on binds nobody. What is denied in the very words in which it is
    allowed is left out of ``allowed``.
    """
    table = grants.accounts
    if table is None and dataset is not None and "accounts" in dataset.tables:
        table = accounts_of(dataset.tables["accounts"].rows)
    accounts = _accounts(grants, table)
    rows = _on_the_day(grants, accounts, as_of)
    denied = _denials(rows.filter(pl.col("effect") == "deny"))
    return InForce(accounts, table is not None, _left(rows.filter(pl.col("effect") != "deny"), denied), denied)


def _accounts(grants: Grants, table: pl.DataFrame | None) -> pl.DataFrame:
    """Every account that is listed, in a role or granted anything: its person, school, and whether it can be used."""
    roles = pl.concat([grants.memberships["role"], grants.role_grants["holder"], grants.rows["holder"]]).unique()
    members = grants.memberships.filter(~pl.col("member").is_in(roles.drop_nulls().to_list())).select(account="member")
    named = pl.concat([grants.rows.select("account"), members]).unique()
    if table is None:
        table = accounts_of(named.clear())
    everybody = pl.concat([table.select("account"), named]).unique().sort("account")
    listed = table.with_columns(pl.lit(True).alias("listed"))
    return everybody.join(listed, on="account", how="left", maintain_order="left").with_columns(
        pl.col("enabled").fill_null(True), pl.col("listed").fill_null(False)
    )


def _on_the_day(grants: Grants, accounts: pl.DataFrame, as_of: date | None) -> pl.DataFrame:
    """Grants of enabled accounts that hold on the day and are not switched off; with the account's person_kind."""
    day = pl.lit(as_of, pl.Date)
    return grants.rows.filter(
        (pl.col("valid_from") <= day).fill_null(True),
        (pl.col("valid_to") >= day).fill_null(True),
        pl.col("scope") != "none",
    ).join(accounts.filter("enabled").select("account", "person_kind"), on="account")


def _denials(rows: pl.DataFrame) -> pl.DataFrame:
    """What is denied, one line a verb: account, role, category, verb, scope, scope_key, told (every word is known)."""
    takes = {verb: list(denied_with(verb)) for verb in verbs()}
    standing = rows.filter(~pl.col("latent"), pl.col("scope") != "write_only").with_columns(
        told=pl.col("verb_known") & pl.col("scope_known")
    )
    known = pl.col("verb").replace_strict(takes, default=list(verbs()), return_dtype=pl.List(pl.String))
    return standing.with_columns(verb=known).explode("verb").select(*PLACE, "category", "verb", "told").unique()


def _left(allowed: pl.DataFrame, denials: pl.DataFrame) -> pl.DataFrame:
    """What is allowed, one line a verb that it gives, less what is wholly denied in the same words."""
    gives = {verb: list(with_given(verb, "all")) for verb in verbs()}
    lines = allowed.with_columns(
        pl.when(pl.col("verb_known") & (pl.col("scope") != "write_only"))
        .then(pl.col("verb").replace_strict(gives, default=None, return_dtype=pl.List(pl.String)))
        .otherwise(pl.concat_list("verb"))
        .alias("given")
    )
    lines = lines.explode("given").rename({"verb": "granted_as", "given": "verb"})
    told = denials.filter("told")
    if told.height:
        everybody = told.filter(pl.col("scope").is_in(["all", "trust"]))
        lines = lines.join(everybody, on=OWNER, how="anti").join(
            told, on=[*OWNER, "role", "scope", "scope_key"], how="anti", nulls_equal=True
        )
    return lines
