"""What is asked of grants, accounts, roles and logs, and how an answer is written down with its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from otrack_risk import reference

SEVERITIES = ("critical", "high", "medium", "low")
BUILT_IN = "access_checks"
ROWS: Mapping[str, Any] = {
    **dict.fromkeys(("id", "severity", "account", "subject", "why", "mend"), pl.String),
    "rows": pl.Int64,
    "sha256": pl.String,
}
GRANT = ("account", "role", "category", "verb", "scope", "scope_key", "valid_from", "valid_to")  # evidence of a grant
_APART = "\x1f"


@dataclass(frozen=True)
class Check:
    """One question."""

    label: str
    mend: str
    of_a_person: bool  # whether the accounts that it counts belong to people
    owner: str  # who mends it
    severity: str  # the usual one
    counts: str  # what a finding is one of: accounts, roles, categories, columns, words, objects
    database: bool = False  # only a database's catalogue can answer


def _checks() -> dict[str, Check]:
    return {
        each["name"]: Check(
            each["label"],
            each["mend"],
            each["of_a_person"],
            each["owner"],
            each["severity"],
            each["counts"],
            each.get("asked_of") == "database",
        )
        for each in reference.load(BUILT_IN).entries["check"]
    }


CHECKS: Mapping[str, Check] = _checks()


@cache
def words(array: str, kind: str) -> frozenset[str]:
    """The words of one kind, of the array ``log_in`` or ``client`` of the table of checks."""
    entries = reference.load(BUILT_IN).entries[array]
    return frozenset(word for each in entries if each["kind"] == kind for word in each["words"])


@cache
def sole_roles() -> frozenset[str]:
    """Roles of which a school has one member."""
    return frozenset(role for each in reference.load(BUILT_IN).entries["sole_role"] for role in each["roles"])


def told(
    rows: pl.DataFrame,
    check: str,
    why: str | pl.Expr,
    *,
    severity: str | pl.Expr | None = None,
    subject: str | None = None,
    by_account: bool = True,
    evidence: Sequence[str] | None = None,
) -> pl.DataFrame:
    """One finding for each account (or subject) of the rows, with the number and the SHA-256 of the rows behind it.

    Parameters
    ----------
    rows : what was found; several rows of one account are one finding
    why : in plain words, without a name or a number of children; an expression is taken at the first row of each
    severity : None: the usual one
    subject : the column that names the role, category or word of which it is told; None: the account alone
    evidence : columns that are hashed, with the rows in order; None: those of ``GRANT`` that there are, else all

    Returns
    -------
    The columns of ``ROWS``
    """
    chosen = list(evidence) if evidence is not None else [name for name in GRANT if name in rows.columns]
    shown = [pl.col(name).cast(pl.String).fill_null("") for name in chosen or rows.columns]
    keys = [*(["account"] if by_account else []), *([subject] if subject else [])]
    as_expression = {
        "severity": pl.lit(CHECKS[check].severity if severity is None else severity)
        if not isinstance(severity, pl.Expr)
        else severity,
        "why": why if isinstance(why, pl.Expr) else pl.lit(why),
    }
    if not rows.height:
        return pl.DataFrame(schema=ROWS)
    lines = rows.select(
        *(pl.col(key) for key in keys),
        *(expression.alias(f"_{name}") for name, expression in as_expression.items()),
        pl.concat_str(shown, separator=_APART).alias("_text"),
    ).unique()
    held = (
        lines.sort(*keys, "_text", "_severity", "_why")
        .group_by(keys, maintain_order=True)
        .agg(pl.col("_severity", "_why").first(), pl.col("_text").unique().sort())
    )
    return held.select(
        pl.lit(check).alias("id"),
        pl.col("_severity").alias("severity"),
        (pl.col("account") if by_account else pl.lit(None, pl.String)).alias("account"),
        (pl.col(subject) if subject else pl.lit(None, pl.String)).alias("subject"),
        pl.col("_why").alias("why"),
        pl.lit(None, pl.String).alias("mend"),
        pl.col("_text").list.len().cast(pl.Int64).alias("rows"),
        pl.Series("sha256", [digest(texts) for texts in held["_text"]], pl.String),
    )


def digest(texts: Sequence[str]) -> str:
    """SHA-256 of lines of text in order.

    Examples
    --------
    >>> digest(["b", "a"]) == digest(["a", "b"])
    True
    """
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()
