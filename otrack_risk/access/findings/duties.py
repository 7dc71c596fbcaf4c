"""Duties that one person should not hold together, whichever accounts and roles they come by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from otrack_risk import reference
from otrack_risk.access.findings.asked import Asked
from otrack_risk.access.findings.checks import told
from otrack_risk.access.inherit import BETWEEN

CHECK = "separation_of_duty"


@dataclass(frozen=True)
class _Words:
    """The words of a source as they stand, by how they are compared."""

    roles: dict[str, set[str]]
    categories: dict[str, set[str]]
    cells: set[tuple[str, str]]  # category as it is compared, verb

    def side(self, pair: dict[str, Any], side: str) -> tuple[list[str], list[str]]:
        """Roles and categories of the source that meet one side of a pair."""
        wanted = [_plain(word) for word in pair[f"{side}_categories"]]
        every = self.categories if "*" in wanted else wanted
        names = {name for name in every for verb in pair[f"{side}_verbs"] if (name, verb) in self.cells}
        held = [word for role in pair[f"{side}_roles"] for word in self.roles.get(_plain(role), ())]
        return sorted(held), sorted(word for name in names for word in self.categories[name])


def of_duties(asked: Asked) -> Iterator[pl.DataFrame]:
    """One finding for each person and pair; a pair of which the source names one side alone was not looked for.

    Notes
    -----
    It is static separation: what a person may do, not what they do in one session. Latent grants count, and so does a
    role without grants of its own. A person is an account's person; an account of nobody is one by itself.
    """
    pairs = reference.load(CHECK).entries["pair"]
    words = _words(asked)
    sides_of = [(pair, [words.side(pair, side) for side in "ab"]) for pair in pairs]
    judged = [(pair, sides) for pair, sides in sides_of if all(any(some) for some in sides)]
    if len(judged) < len(pairs):
        number = len(judged) or "none"
        reason = f"of {len(pairs)} pairs of duties, grants name both sides of {number}; the others cannot be told"
        asked.unasked[CHECK] = reason
    held = _held(asked) if judged else pl.DataFrame()
    for pair, sides in judged:
        met = [
            held.filter(
                (pl.col("words").list.set_intersection(roles).list.len() > 0)
                | (pl.col("category").is_in(names) & pl.col("verb").is_in(pair[f"{side}_verbs"]))
            )
            for side, (roles, names) in zip("ab", sides, strict=True)
        ]
        both = pl.concat([met[0].join(met[1], on="owner", how="semi"), met[1].join(met[0], on="owner", how="semi")])
        rows = both.with_columns(account=pl.col("account").min().over("owner"), pair=pl.lit(pair["name"]))
        why = f"one person holds both: {pair['name']}; {pair['because']}"
        yield told(rows, CHECK, why, subject="pair", evidence=["account", "role", "category", "verb", "scope"])


def _words(asked: Asked) -> _Words:
    grants = asked.grants
    every = pl.concat([each.select("role", "holder", "category", "verb") for each in (grants.rows, grants.role_grants)])
    names = pl.concat([every["role"], every["holder"], grants.memberships["role"]]).drop_nulls().unique()
    roles: dict[str, set[str]] = {}
    for word in names:
        roles.setdefault(_plain(word), set()).add(word)
    categories: dict[str, set[str]] = {}
    cells = set()
    for category, verb in every.select("category", "verb").unique().iter_rows():
        categories.setdefault(_plain(category), set()).add(category)
        cells.add((_plain(category), verb))
    return _Words(roles, categories, cells)


def _held(asked: Asked) -> pl.DataFrame:
    """Grants in force that no denial takes away, and memberships: account, owner, words (its roles), category, verb."""
    person = pl.concat_str(pl.col("person_kind"), pl.col("person_id"), separator="\x1f")
    owners = asked.accounts.select("account", owner=pl.coalesce(person, "account"))
    left = asked.lines.select("account", "category", "verb").unique()
    columns = ["account", "role", "category", "verb", "scope", "words"]
    granted = asked.held.join(left, on=["account", "category", "verb"], how="semi").with_columns(
        words=pl.concat_list(
            pl.concat_list("first", "role", "holder"), pl.col("chain").str.split(BETWEEN).fill_null([])
        )
    )
    nothing = pl.lit(None, pl.String)
    members = asked.members.select(
        "account", "role", category=nothing, verb=nothing, scope=nothing, words=pl.concat_list("role")
    )
    return pl.concat([granted.select(columns), members.select(columns)]).join(owners, on="account")


def _plain(word: str) -> str:
    return re.sub(r"[\s_\-/]+", " ", word.lower()).strip()
