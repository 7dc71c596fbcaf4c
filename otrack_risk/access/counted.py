"""Holdings counted in children: of accounts, of roles, and against what the matrix allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from otrack_risk import schema
from otrack_risk.access import sets
from otrack_risk.access.in_force import OWNER, PLACE
from otrack_risk.access.needed import Needed
from otrack_risk.access.people import People
from otrack_risk.access.tally import Atoms, reached, tally
from otrack_risk.access.weights import Weights
from otrack_risk.access.words import scopes

CELL = ["role", "category", "verb"]
LINE = ["account", *CELL]


@dataclass(frozen=True)
class Counted:
    """Holdings counted in children. Strengths are in twentieths."""

    of_account: pl.DataFrame  # account, category, verb; children, held, excess, needed, lacking
    seen: pl.DataFrame  # account; children whom it sees in any category
    by_taking_on: pl.DataFrame  # account; those of them whom it sees only by first taking on a role
    special: pl.DataFrame  # account; children of whom it sees special category data
    of_role: pl.DataFrame  # role, category, verb; children
    need_of_role: pl.DataFrame  # role, category, verb; children whom its accounts need
    beyond: pl.DataFrame  # role, category, verb; sure: some account is known to reach a child beyond need; else perhaps
    untold: pl.DataFrame  # account, role, category, verb of lines whose children cannot be told
    need_untold: pl.DataFrame  # account, role, category, verb of which it cannot be told whom it needs to see

    @classmethod
    def of(
        cls, lines: pl.DataFrame, denials: pl.DataFrame, accounts: pl.DataFrame, matrix: Needed, who: People
    ) -> Counted:
        """Resolve every line, and what the matrix allows its account, and count.

        Parameters
        ----------
        lines : what grants in force allow, one line a verb
        denials : account, role, category, verb, scope, scope_key of what they deny, one line a verb; and
            ``told``, false where a word of it is not known
        """
        lines, denials, accounts, rules = _numbered(lines, denials, accounts, matrix.rows)
        readable = lines.filter("verb_known", "scope_known", pl.col("strength") > 0)
        held = readable.select(*LINE, "category_known", "scope", "scope_key", "strength", "latent")
        need = _need(lines, rules)
        against = denials.join(held, on=OWNER, how="semi")
        places = pl.concat([each.select(PLACE) for each in (held, need, against)]).unique()
        places = places.join(accounts.select("account", "person_kind", "person_id", "school_id"), on="account")
        places = places.with_columns(sets.resolve(places, who))
        units = sets.units(pl.concat([places["name"], pl.Series(["all"])]), who)
        where = places.join(units.codes.select("name", "unit"), on="name", how="left").select(*PLACE, "unit")
        held, need, against = (
            each.join(where, on=PLACE, how="left", nulls_equal=True) for each in (held, need, against)
        )
        told = held.drop_nulls("unit")
        clause, denied, not_told = _clauses(against, units)
        granted = told.join(clause, on=OWNER, how="left").with_columns(
            pl.col("clause").fill_null(0), granted="strength", needed=pl.lit(0, pl.Int64)
        )
        wanted = need.drop_nulls("unit").with_columns(
            clause=pl.lit(0, pl.UInt32), granted=pl.lit(0, pl.Int64), needed="strength"
        )
        columns = [*LINE, "clause", "unit", "granted", "needed"]
        both = pl.concat([granted.filter("category_known").select(columns), wanted.select(columns)])
        several = both.group_by("account").agg(pl.col("role").n_unique().alias("n")).filter(pl.col("n") > 1)
        one = both.join(several, on="account", how="anti").select("account", "role").unique()

        lists = [each.select(pl.col("account").to_physical(), "unit").drop_nulls() for each in (told, need, against)]
        atoms = Atoms.of(pl.concat(lists), units)

        def counted(lines: pl.DataFrame, by: list[str]) -> pl.DataFrame:
            owned, owners = _owned(lines, by)
            return owners.join(tally(owned, units, atoms, denied), on="owner").drop("owner")

        cells, of_cells = _owned(granted, CELL)
        wants, of_wants = _owned(wanted.with_columns(granted="needed"), CELL)
        of_account = counted(both, OWNER)
        by_role = pl.concat(
            [
                of_account.join(one, on="account").select(*LINE, "excess"),
                counted(both.join(several, on="account", how="semi"), LINE).select(*LINE, "excess"),
            ]
        )
        need_untold = need.filter(pl.col("unit").is_null()).select(LINE).unique()
        perhaps = need_untold.with_columns(perhaps=pl.lit(True))
        beyond = by_role.filter(pl.col("excess") > 0).join(perhaps, on=LINE, how="left")
        sees = granted.filter(pl.col("verb") == "view")
        seen = counted(sees, ["account"])
        taking_on = sees.join(sees.filter("latent").select("account").unique(), on="account", how="semi")
        standing = counted(taking_on.filter(~pl.col("latent")), ["account"]).select("account", standing="children")
        by_taking_on = (
            seen.join(taking_on.select("account").unique(), on="account", how="semi")
            .join(standing, on="account", how="left")
            .select("account", children=pl.col("children") - pl.col("standing").fill_null(0))
        )
        unread = lines.filter(~pl.col("verb_known") | ~pl.col("scope_known"))
        shut_out = held.join(not_told, on=OWNER, how="semi")
        parts = {
            "of_account": of_account,
            "seen": seen,
            "by_taking_on": by_taking_on,
            "special": counted(sees.filter(pl.col("category").is_in(schema.special_categories())), ["account"]),
            "of_role": of_cells.join(reached(cells, units, denied), on="owner").drop("owner"),
            "need_of_role": of_wants.join(reached(wants, units, denied), on="owner").drop("owner"),
            "beyond": beyond.group_by(CELL).agg(pl.col("perhaps").is_null().any().alias("sure")),
            "untold": pl.concat(
                [each.select(LINE) for each in (held.filter(pl.col("unit").is_null()), unread, shut_out)]
            ),
            "need_untold": need_untold,
        }
        return cls(**{name: part.cast({pl.Enum: pl.String}) for name, part in parts.items()})

    def of_accounts(self, table: pl.DataFrame, weights: Weights) -> pl.DataFrame:
        """The table of accounts with its sums: seen, special, blast, held, excess, needed, lacking, untold."""
        w = pl.col("category").replace_strict(weights.category, return_dtype=pl.Float64)
        v = pl.col("verb").replace_strict(weights.verb, return_dtype=pl.Float64)
        weighed = self.of_account.with_columns(held=w * v * pl.col("held"), excess=w * v * pl.col("excess"))
        heaviest = weighed.group_by("account", "category").agg(pl.col("held").max())
        return (
            table.join(self.seen.select("account", seen="children"), on="account", how="left")
            .join(self.by_taking_on.select("account", by_taking_on="children"), on="account", how="left")
            .join(self.special.select("account", special="children"), on="account", how="left")
            .join(heaviest.group_by("account").agg(pl.col("held").sum().alias("blast")), on="account", how="left")
            .join(
                weighed.group_by("account").agg(pl.col("held", "excess", "needed", "lacking").sum()),
                on="account",
                how="left",
            )
            .with_columns(
                pl.col("seen", "by_taking_on", "special", "blast", "held", "excess", "needed", "lacking").fill_null(0),
                pl.col("account").is_in(self.untold["account"].unique().to_list()).alias("untold"),
                pl.col("account").is_in(self.need_untold["account"].unique().to_list()).alias("need_untold"),
            )
        )


def _numbered(*tables: pl.DataFrame) -> list[pl.DataFrame]:
    """The tables with account, role, category and verb as numbers that show their word: they are compared often."""
    for column in LINE:
        words = pl.concat([table[column] for table in tables if column in table.columns]).unique().sort()
        kind = pl.Enum(words)
        tables = tuple(
            table.with_columns(pl.col(column).cast(kind)) if column in table.columns else table for table in tables
        )
    return list(tables)


def _need(lines: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    """What the matrix allows each account by its roles, in categories that grants name; a case as it was granted."""
    strength = {scope.name: scope.strength for scope in scopes().values()}
    named = lines.filter("category_known")["category"].unique().to_list()
    standing = rules.filter(pl.col("scope") != "just_in_time", pl.col("category").is_in(named))
    by_role = lines.select("account", "role").unique().join(standing, on="role")
    for_a_case = lines.filter(pl.col("case") & pl.col("understood")).select(*LINE, "scope", "scope_key")
    columns = [*LINE, "scope", "scope_key"]
    need = pl.concat(
        [by_role.with_columns(scope_key=pl.lit(None, pl.String)).select(columns), for_a_case.select(columns)]
    )
    return need.with_columns(pl.col("scope").replace_strict(strength).cast(pl.Int64).alias("strength")).filter(
        pl.col("strength") > 0
    )


def _clauses(against: pl.DataFrame, units: sets.Units) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Accounts, categories and verbs by the set of units that are denied there: equal sets are one clause.

    Returns
    -------
    account, category, verb, clause; then clause, unit; then account, category, verb where it cannot be told who is
    denied: there everybody is taken to be, so that what is counted is the fewest
    """
    everybody = units.codes.filter("everybody")["unit"][0]
    sets_of = (
        against.with_columns(pl.when("told").then("unit").fill_null(everybody))
        .group_by(OWNER)
        .agg(pl.col("unit").unique().sort())
    )
    distinct = sets_of.select("unit").unique(maintain_order=True).with_row_index("clause", offset=1)
    return (
        sets_of.join(distinct, on="unit").select(*OWNER, "clause"),
        distinct.explode("unit").select("clause", "unit"),
        against.filter(pl.col("unit").is_null() | ~pl.col("told")).select(OWNER).unique(),
    )


def _owned(lines: pl.DataFrame, by: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines with a number for each owner, and the owners by number."""
    number = pl.lit(0, pl.UInt64)
    for column in by:
        words: Any = lines.schema[column]
        number = number * max(len(words.categories), 1) + pl.col(column).to_physical()
    numbered = lines.with_columns(owner=number)
    owners = numbered.select("owner", *by).unique("owner")
    return numbered.select("owner", pl.col("account").to_physical(), "clause", "unit", "granted", "needed"), owners
