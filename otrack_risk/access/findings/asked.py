"""What the checks look at: grants in force on the day, accounts, people, the log; and which could not be made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import polars as pl

from otrack_risk import frames
from otrack_risk.access.inherit import BETWEEN
from otrack_risk.access.model import Grants
from otrack_risk.access.needed import Needed
from otrack_risk.access.people import People
from otrack_risk.access.use import Used
from otrack_risk.access.use.terms import Terms
from otrack_risk.access.words import NO_ROLE

READS = ("flag", "own", "group", "register", "cohort", "school", "trust", "all", "listed")  # scopes that show somebody
WHOLE = ("school", "trust", "all")
_OPTIONAL = {"mfa": pl.Boolean, "service": pl.Boolean, "interactive": pl.Boolean, "shared": pl.Boolean}


@dataclass(frozen=True)
class Asked:
    """Everything that a check may ask of."""

    grants: Grants
    lines: pl.DataFrame  # one line a verb in force, less denials: account, role, category, verb, scope, beyond, ...
    accounts: pl.DataFrame  # enabled accounts, with every column of columns.accounts_of, and listed
    people: People | None
    matrix: Needed
    listed: bool  # whether a table of accounts was given
    as_of: date | None
    used: Used | None
    terms: Terms
    dataset: frames.Dataset | None
    from_database: bool = False  # whether the grants were read from a database's catalogue
    unasked: dict[str, str] = field(default_factory=dict)  # check -> why it could not be made

    @cached_property
    def kinds(self) -> pl.DataFrame:
        """account, person_kind."""
        return self.accounts.select("account", "person_kind")

    @cached_property
    def reads(self) -> pl.DataFrame:
        """Lines that show somebody, with the account's person_kind."""
        some = self.lines.filter(~pl.col("scope_known") | pl.col("scope").is_in(READS))
        return some.drop("person_kind", strict=False).join(self.kinds, on="account", how="left")

    @cached_property
    def held(self) -> pl.DataFrame:
        """Grants in force of enabled accounts as the source has them, with ``first``: the role given to the account."""
        day = pl.lit(self.as_of, pl.Date)
        way = pl.col("chain").str.split(BETWEEN).list.first()
        return (
            self.grants.rows.filter(
                pl.col("effect") != "deny",
                pl.col("scope") != "none",
                (pl.col("valid_from") <= day).fill_null(value=True),
                (pl.col("valid_to") >= day).fill_null(value=True),
            )
            .join(self.kinds, on="account")
            .with_columns(first=pl.coalesce(way, "holder", "role"))
        )

    @cached_property
    def members(self) -> pl.DataFrame:
        """account, role of the memberships of enabled accounts in force."""
        day = pl.lit(self.as_of, pl.Date)
        return self.grants.memberships.filter(
            (pl.col("valid_from") <= day).fill_null(value=True),
            (pl.col("valid_to") >= day).fill_null(value=True),
            pl.col("member").is_in(self.accounts["account"].to_list()),
        ).select("role", account="member")

    @cached_property
    def knows_roles(self) -> bool:
        """Whether any grant of the source is given through a role."""
        return bool((self.grants.rows["role"] != NO_ROLE).any()) or self.grants.role_grants.height > 0

    def told(self, column: str) -> pl.Expr:
        """A column of accounts that not every source has: null where it does not."""
        return pl.col(column) if column in self.accounts.columns else pl.lit(None, _OPTIONAL[column]).alias(column)
