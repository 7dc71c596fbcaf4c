"""Holdings counted in children: of accounts, of roles, and against what the matrix allows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from otrack_risk import schema
from otrack_risk.access import sets
from otrack_risk.access.needed import Needed
from otrack_risk.access.people import People
from otrack_risk.access.words import scopes, verbs

CELL = ["role", "category", "verb"]
LINE = ["account", *CELL]


@dataclass(frozen=True)
class Counted:
    """Holdings counted in children. Strengths are in twentieths."""

    of_account: pl.DataFrame  # account, category, verb; children, held, excess, needed, lacking
    seen: pl.DataFrame  # account; children whom it sees in any category
    special: pl.DataFrame  # account; children of whom it sees special category data
    of_role: pl.DataFrame  # role, category, verb; children
    beyond: pl.DataFrame  # role, category, verb in which some account of the role reaches a child beyond need
    untold: pl.DataFrame  # account, role, category, verb of lines whose children cannot be told
    need_untold: pl.DataFrame  # accounts of which it cannot be told whom they need to see

    @classmethod
    def of(cls, lines: pl.DataFrame, accounts: pl.DataFrame, matrix: Needed, who: People) -> Counted:
        """Resolve every line, and what the matrix allows its account, and count."""
        readable = lines.filter("verb_known", "scope_known", pl.col("strength") > 0)
        held = readable.select(*LINE, "category_known", "scope", "scope_key", "strength")
        need = _need(lines, matrix)
        places = pl.concat([each.select("account", "role", "scope", "scope_key") for each in (held, need)]).unique()
        places = places.join(accounts.select("account", "person_kind", "person_id", "school_id"), on="account")
        places = places.with_columns(sets.resolve(places, who))
        units = sets.units(places["name"], who)
        where = places.join(units.codes.select("name", "unit"), on="name", how="left")
        where = where.select("account", "role", "scope", "scope_key", "unit")
        on = ["account", "role", "scope", "scope_key"]
        held, need = (each.join(where, on=on, how="left", nulls_equal=True) for each in (held, need))
        told = held.drop_nulls("unit")
        granted = told.with_columns(granted="strength", needed=pl.lit(0, pl.Int64))
        wanted = need.drop_nulls("unit").with_columns(granted=pl.lit(0, pl.Int64), needed="strength")
        columns = [*LINE, "unit", "granted", "needed"]
        both = pl.concat([granted.filter("category_known").select(columns), wanted.select(columns)])
        several = both.group_by("account").agg(pl.col("role").n_unique().alias("n")).filter(pl.col("n") > 1)
        one = both.join(several, on="account", how="anti").select("account", "role").unique()
        of_account = _tally(both, ["account", "category", "verb"], units)
        by_role = pl.concat(
            [
                of_account.join(one, on="account").select(*CELL, "excess"),
                _tally(both.join(several, on="account", how="semi"), LINE, units).select(*CELL, "excess"),
            ]
        )
        sees = granted.filter(pl.col("verb") == "view")
        unread = lines.filter(~pl.col("verb_known") | ~pl.col("scope_known"))
        return cls(
            of_account=of_account,
            seen=_tally(sees, ["account"], units),
            special=_tally(sees.filter(pl.col("category").is_in(schema.special_categories())), ["account"], units),
            of_role=_tally(granted, CELL, units),
            beyond=by_role.filter(pl.col("excess") > 0).select(CELL).unique(),
            untold=pl.concat([held.filter(pl.col("unit").is_null()).select(LINE), unread.select(LINE)]),
            need_untold=need.filter(pl.col("unit").is_null()).select("account").unique(),
        )

    def of_accounts(self, table: pl.DataFrame) -> pl.DataFrame:
        """The table of accounts with its sums: seen, special, blast, held, excess, needed, lacking, untold."""
        weights = {name: schema.weight(name) for name in schema.categories()}
        verb_weights = {verb.name: verb.weight for verb in verbs().values()}
        w = pl.col("category").replace_strict(weights, return_dtype=pl.Int64)
        v = pl.col("verb").replace_strict(verb_weights, return_dtype=pl.Float64)
        weighed = self.of_account.with_columns(held=w * v * pl.col("held"), excess=w * v * pl.col("excess"))
        heaviest = weighed.group_by("account", "category").agg(pl.col("held").max())
        return (
            table.join(self.seen.select("account", seen="children"), on="account", how="left")
            .join(self.special.select("account", special="children"), on="account", how="left")
            .join(heaviest.group_by("account").agg(pl.col("held").sum().alias("blast")), on="account", how="left")
            .join(
                weighed.group_by("account").agg(pl.col("held", "excess", "needed", "lacking").sum()),
                on="account",
                how="left",
            )
            .with_columns(
                pl.col("seen", "special", "blast", "held", "excess", "needed", "lacking").fill_null(0),
                pl.col("account").is_in(self.untold["account"].unique().to_list()).alias("untold"),
                pl.col("account").is_in(self.need_untold["account"].unique().to_list()).alias("need_untold"),
            )
        )


def _need(lines: pl.DataFrame, matrix: Needed) -> pl.DataFrame:
    """What the matrix allows each account by its roles, in categories that grants name; a case as it was granted."""
    strength = {scope.name: scope.strength for scope in scopes().values()}
    named = lines.filter("category_known")["category"].unique().to_list()
    standing = matrix.rows.filter(pl.col("scope") != "just_in_time", pl.col("category").is_in(named))
    by_role = lines.select("account", "role").unique().join(standing, on="role")
    for_a_case = lines.filter(pl.col("case") & pl.col("understood")).select(*LINE, "scope", "scope_key")
    columns = [*LINE, "scope", "scope_key"]
    need = pl.concat(
        [by_role.with_columns(scope_key=pl.lit(None, pl.String)).select(columns), for_a_case.select(columns)]
    )
    return need.with_columns(pl.col("scope").replace_strict(strength).cast(pl.Int64).alias("strength")).filter(
        pl.col("strength") > 0
    )


def _tally(lines: pl.DataFrame, by: list[str], units: sets.Units) -> pl.DataFrame:
    owners = lines.select(by).unique().with_row_index("owner")
    held = (
        lines.select(*by, "unit", "granted", "needed").join(owners, on=by).select("owner", "unit", "granted", "needed")
    )
    return owners.join(sets.tally(held, units), on="owner").drop("owner")
