"""Who could open everything: ways to safeguarding records of all pupils, or to administration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Self

import polars as pl

from otrack_risk import frames
from otrack_risk.access.change.judged import LINE, placed
from otrack_risk.access.in_force import InForce, in_force
from otrack_risk.access.model import Grants
from otrack_risk.access.people import People, people
from otrack_risk.access.results import NO_PUPILS
from otrack_risk.access.tally import reached
from otrack_risk.access.words import scopes
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.suppression import Relation, protect
from otrack_risk.display.tables import Count, Share, written

_ADMINISTERS = ("user administration", "users", "user accounts", "accounts", "permissions", "rights", "grants")


@dataclass(frozen=True)
class TierZero(Shown):
    """Accounts that could open everything: safeguarding of every child, or the rights of other accounts."""

    key: ClassVar[str] = "tier_zero"
    accounts: Count  # enabled accounts with any way to it
    enabled: int
    by_way: Mapping[str, Count]  # "safeguarding of all pupils", "admin of a category", "user administration"
    latent: Count  # of `accounts`, those that must first take on a role
    unknown: Count  # besides, accounts of which it cannot be told
    reason: str = ""

    @property
    def share(self) -> Share:
        """Of the enabled accounts; None where there is none."""
        if not isinstance(self.accounts, int):
            return self.accounts
        return self.accounts / self.enabled if self.enabled else None

    def sentence(self) -> str:
        unknown = f" Of {written(self.unknown)} more it cannot be told." if self.unknown else ""
        why = f" {self.reason[0].upper()}{self.reason[1:]}." if self.reason else ""
        return (
            f"{written(self.accounts)} of {self.enabled:,} enabled accounts have a way to safeguarding records of all "
            f"pupils of a school, or to administration; {written(self.latent)} of them only by first taking on a "
            f"role.{unknown}{why}"
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "way": [*self.by_way, "any of these", "only by taking on a role", "cannot be told"],
                "accounts": [*self.by_way.values(), self.accounts, self.latent, self.unknown],
            }
        )

    def record(self) -> dict[str, Any]:
        content: dict[str, Any] = {"accounts": self.accounts, "enabled": self.enabled, "share": self.share}
        content |= {"latent": self.latent, "by_way": dict(self.by_way), "unknown": self.unknown}
        return content | ({"reason": self.reason} if self.reason else {})

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        ways = tuple(self.by_way)
        whole = [Relation("enabled", ("accounts",), "within"), Relation("accounts", ("latent",), "within")]
        ways_in = [Relation("accounts", (way,), "within") for way in ways] + [Relation("accounts", ways, "cover")]
        numbers = {"enabled": self.enabled, "accounts": self.accounts, "latent": self.latent, **self.by_way}
        shown = protect(numbers, whole + (ways_in if ways else []), hide_below, keep={"enabled"})
        return replace(
            self,
            accounts=shown["accounts"],
            by_way={way: shown[way] for way in ways},
            latent=shown["latent"],
            unknown=tables.hide(self.unknown, hide_below),
        )


def tier_zero(grants: Grants, dataset: frames.Dataset | None, *, as_of: date | None) -> TierZero:
    """Enabled accounts with any way to safeguarding of all pupils or to administration, as BloodHound's exposure.

    Notes
    -----
    All pupils: every child of at least one school, or of the data, in sight (view, by a row or a flag). Administration:
    the verb admin on any category, or edit or admin of accounts and permissions themselves. Ways that are latent
    (``SET ROLE``, membership that does not inherit) count; what is denied does not. Without a table of pupils a scope
    of the school or wider counts as all pupils.
    """
    held, who = in_force(grants, dataset, as_of), people(dataset, grants.listed)
    lines = held.allowed
    seen, untold = _whole_schools(lines, held, who)
    known = pl.col("category").str.to_lowercase().str.replace_all("[_-]", " ").is_in(_ADMINISTERS)
    ways = {
        "safeguarding of all pupils": seen,
        "admin of a category": lines.filter((pl.col("verb") == "admin") & pl.col("category_known")),
        "user administration": lines.filter(known & pl.col("verb").is_in(["edit", "admin"])),
    }
    every = pl.concat([rows.select("account", "latent") for rows in ways.values()])
    each = every.group_by("account").agg(latent=pl.col("latent").all())
    return TierZero(
        accounts=each.height,
        enabled=int(held.accounts["enabled"].sum()),
        by_way={way: rows["account"].n_unique() for way, rows in ways.items()},
        latent=int(each["latent"].sum()),
        unknown=untold.filter(~pl.col("account").is_in(each["account"].to_list()))["account"].n_unique(),
        reason=f"{NO_PUPILS}: a scope of the school or wider is taken as all pupils" if who is None else "",
    )


def _whole_schools(lines: pl.DataFrame, held: InForce, who: People | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """account, latent of those that see safeguarding of every child of a school; accounts that cannot be told."""
    flag = scopes()["flag"].strength
    strength = {scope.name: scope.strength for scope in scopes().values()}
    wide = lines.filter((pl.col("category") == "safeguarding") & (pl.col("verb") == "view")).with_columns(
        granted=pl.col("scope").replace_strict(strength, default=0, return_dtype=pl.Int64)
    )
    untold = wide.filter(~pl.col("scope_known")).select("account")
    wide = wide.filter(pl.col("granted") >= flag).select(*LINE, "granted", "latent")
    if who is None:
        return wide.filter(pl.col("scope").is_in(["school", "trust", "all"])).select("account", "latent"), untold
    wide, _, denied, units = placed(wide, held, who)
    untold = pl.concat([untold, wide.filter(pl.col("unit").is_null()).select("account")])
    wide = wide.drop_nulls("unit").join(
        held.accounts.select("account").with_row_index("owner").cast({"owner": pl.UInt64}), on="account"
    )
    schools = units.codes.join(units.schools, on="school_id", how="semi")
    everybody = units.codes.filter(pl.col("everybody") & (who.roll > 0))
    whole = wide.filter(pl.col("clause") == 0).join(pl.concat([schools, everybody]), on="unit", how="semi")
    parts = [whole.select("account", "latent")]
    for latent in (False, True):
        some = wide if latent else wide.filter(~pl.col("latent"))
        counted = reached(
            some.select("owner", pl.col("clause").cast(pl.UInt32), "unit", "granted"), units, denied
        ).filter(pl.col("children") == max(who.roll, 1))
        parts.append(
            some.join(counted, on="owner", how="semi").select("account").unique().with_columns(latent=pl.lit(latent))
        )
    return pl.concat(parts), untold
