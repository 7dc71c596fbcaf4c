"""What somebody should look at first: doors open to all, leavers, sleeping accounts, grants without an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar, Self

import polars as pl

from otrack_risk import schema
from otrack_risk.access.people import People
from otrack_risk.access.words import NO_ROLE, roles
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, written

SEVERITIES = ("critical", "high", "medium", "low")
DORMANT_DAYS = 90  # calendar days; a school may count term days, which needs its calendar
_READS = ("flag", "own", "group", "register", "cohort", "school", "trust", "all")  # scopes that show somebody
_WHOLE = ("school", "trust", "all")


@dataclass(frozen=True)
class Check:
    """One question that is asked of every account."""

    label: str
    mend: str
    of_a_person: bool  # whether the accounts that it counts belong to people


CHECKS: Mapping[str, Check] = {
    "public_reach": Check(
        "Children can be seen without a log-in", "close it now; ask how long it was open and who used it", False
    ),
    "leaver_enabled": Check(
        "The person has left and the account still works", "switch the account off on the day somebody leaves", True
    ),
    "vendor_standing_access": Check(
        "A supplier has access that never ends", "grant it by ticket, with a reason and an end date", False
    ),
    "whole_school_beyond_need": Check(
        "Teaching staff see the whole school beyond need", "narrow the grant to taught groups, or to a flag", True
    ),
    "orphan_account": Check("No person stands behind the account", "name an owner, or switch the account off", False),
    "no_end_date": Check(
        "A grant to somebody who comes and goes has no end", "give the grant an end date, or a role", True
    ),
    "dormant_account": Check(
        f"No log-in for more than {DORMANT_DAYS} calendar days", "ask whether it is needed; switch it off if not", True
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing to look at, in one account."""

    id: str
    severity: str
    account: str | None  # None where names are not published
    why: str  # no name, no count of children: those stand with the account

    def record(self) -> dict[str, Any]:
        """An entry of the contract's ``findings``."""
        return {
            "id": self.id,
            "severity": self.severity,
            "account": self.account,
            "why": self.why,
            "mend": CHECKS[self.id].mend,
        }


@dataclass(frozen=True)
class AccessFindings(Shown):
    """The findings counted in accounts, by check and severity; with the checks that could not be made."""

    key: ClassVar[str] = "access_findings"
    counted: tuple[tuple[str, str, Count], ...]  # check, severity, accounts; most severe first
    not_looked_for: Mapping[str, str]  # check -> why
    enabled: int  # accounts looked at

    @classmethod
    def of(cls, findings: Sequence[Finding], not_looked_for: Mapping[str, str], enabled: int) -> AccessFindings:
        """The findings, counted."""
        count: dict[tuple[str, str], int] = {}
        for each in findings:  # in order of severity already
            count[each.id, each.severity] = count.get((each.id, each.severity), 0) + 1
        return cls(tuple((*which, number) for which, number in count.items()), dict(not_looked_for), enabled)

    def sentence(self) -> str:
        by_severity = dict.fromkeys(SEVERITIES, 0)
        for _, severity, _ in self.counted:
            by_severity[severity] += 1
        kinds = ", ".join(f"{number} {severity}" for severity, number in by_severity.items() if number)
        found = f"{len(self.counted)} kinds of finding ({kinds})" if self.counted else "No finding"
        asked = len(CHECKS) - len(self.not_looked_for)
        first = ""
        if self.counted:
            check, severity, _ = self.counted[0]
            first = f" First, {severity}: {_lower(CHECKS[check].label)}; {CHECKS[check].mend}."
        unasked = f" {len(self.not_looked_for)} could not be made." if self.not_looked_for else ""
        return f"{found} in {self.enabled:,} accounts, from {asked} checks.{unasked}{first}"

    def table(self) -> pl.DataFrame:
        found = {check for check, _, _ in self.counted}
        lines: list[tuple[str, str, str, str]] = [
            (CHECKS[check].label, severity, written(accounts), CHECKS[check].mend)
            for check, severity, accounts in self.counted
        ]
        for check, about in CHECKS.items():
            if check in self.not_looked_for:
                lines.append((about.label, "not looked for", self.not_looked_for[check], about.mend))
            elif check not in found:
                lines.append((about.label, "none found", "0", ""))
        return pl.DataFrame(lines, schema=["finding", "severity", "accounts", "what to do"], orient="row")

    def record(self) -> dict[str, Any]:
        return {
            "enabled_accounts": self.enabled,
            "findings": [
                {
                    "id": check,
                    "severity": severity,
                    "accounts": accounts,
                    "label": CHECKS[check].label,
                    "mend": CHECKS[check].mend,
                }
                for check, severity, accounts in self.counted
            ],
            "none_found": [
                c for c in CHECKS if c not in self.not_looked_for and c not in {f for f, _, _ in self.counted}
            ],
            "not_looked_for": dict(self.not_looked_for),
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """Small numbers of people's accounts hidden; a door, a supplier or an ownerless account is nobody."""
        shown = tuple(
            (check, severity, tables.hide(accounts, hide_below) if CHECKS[check].of_a_person else accounts)
            for check, severity, accounts in self.counted
        )
        return replace(self, counted=shown)


def find(
    lines: pl.DataFrame, accounts: pl.DataFrame, people: People | None, listed: bool, as_of: date | None
) -> tuple[list[Finding], dict[str, str]]:
    """Every finding, most severe first, and the checks that these data do not allow.

    Parameters
    ----------
    lines : grants in force of enabled accounts: account, role, category, scope, valid_to, scope_known, and ``beyond``
        (whether the scope is wider than the matrix allows the role; false where the category is not known)
    accounts : enabled accounts: account, person_kind, person_id, last_login, listed
    listed : whether a table of accounts was given
    """
    unasked: dict[str, str] = {}
    if not listed:
        for check in ("leaver_enabled", "dormant_account", "orphan_account"):
            unasked[check] = "no table of accounts was given"
    elif as_of is None:
        unasked |= dict.fromkeys(("leaver_enabled", "dormant_account"), "no day was given")
    elif people is None or not people.persons:
        unasked["leaver_enabled"] = "no table of people with a leaving date was given"
    if listed and accounts["last_login"].null_count() == accounts.height:
        unasked["dormant_account"] = "no account has a day of its last log-in"
    kind = accounts.select("account", "person_kind")
    reads = lines.filter(~pl.col("scope_known") | pl.col("scope").is_in(_READS)).join(kind, on="account", how="left")
    vendor = (pl.col("role") == "mis_vendor") | (pl.col("person_kind") == "vendor").fill_null(False)
    endless = reads.filter(pl.col("valid_to").is_null())
    comes_and_goes = [role.name for role in roles().values() if role.ad_hoc] + [NO_ROLE]
    found = [
        _finding(
            reads.filter((pl.col("role") == "public") | (pl.col("person_kind") == "public").fill_null(False)),
            "public_reach", "critical", "whoever finds the address can see what this account can see",
        ),
        _finding(endless.filter(vendor), "vendor_standing_access", "high", "a grant is in force and has no end date"),
        _finding(
            endless.filter(~vendor & pl.col("role").is_in(comes_and_goes)),
            "no_end_date", "medium", "a grant for a visit, or given outside any role, has no end date",
        ),
        _whole_school(reads),
    ]  # fmt: skip
    if "leaver_enabled" not in unasked and people is not None:
        found.append(_leavers(accounts, people, as_of))
    if "dormant_account" not in unasked and as_of is not None:
        found.append(_dormant(accounts, lines, as_of))
    if "orphan_account" not in unasked:
        found.append(_orphans(accounts, people))
    every = pl.concat(found).with_columns(
        pl.col("severity").cast(pl.Enum(SEVERITIES)), pl.col("id").cast(pl.Enum(list(CHECKS)))
    )
    every = every.sort("severity", "id", "account").cast({"severity": pl.String, "id": pl.String})
    return [Finding(*row) for row in every.iter_rows()], unasked


def _finding(lines: pl.DataFrame, check: str, severity: str, why: str) -> pl.DataFrame:
    return (
        lines.select("account")
        .unique()
        .select(pl.lit(check).alias("id"), pl.lit(severity).alias("severity"), "account", pl.lit(why).alias("why"))
    )


def _whole_school(reads: pl.DataFrame) -> pl.DataFrame:
    taught = [role.name for role in roles().values() if role.taught]
    special = schema.special_categories()
    labels = schema.categories()
    wide = reads.filter(pl.col("role").is_in(taught) & pl.col("scope").is_in(_WHOLE) & pl.col("beyond"))
    return (
        wide.select("account", pl.col("category").cast(pl.Enum(list(labels))))
        .unique()
        .sort("category")
        .group_by("account", maintain_order=True)
        .agg("category")
        .select(
            pl.lit("whole_school_beyond_need").alias("id"),
            pl.when(pl.col("category").cast(pl.List(pl.String)).list.set_intersection(sorted(special)).list.len() > 0)
            .then(pl.lit("high"))
            .otherwise(pl.lit("medium"))
            .alias("severity"),
            "account",
            (
                pl.lit("the whole school beyond what the matrix allows in: ")
                + pl.col("category").cast(pl.List(pl.String)).list.eval(pl.element().replace(labels)).list.join(", ")
            ).alias("why"),
        )
    )


def _leavers(accounts: pl.DataFrame, people: People, as_of: date | None) -> pl.DataFrame:
    left = pl.concat(
        [
            persons.filter(pl.col("ended") < as_of).select(pl.lit(kind).alias("person_kind"), "person_id")
            for kind, persons in people.persons.items()
        ]
    )
    gone = accounts.join(left, on=["person_kind", "person_id"], how="semi")
    return _finding(gone, "leaver_enabled", "high", "the person's last day lies before this day")


def _dormant(accounts: pl.DataFrame, lines: pl.DataFrame, as_of: date) -> pl.DataFrame:
    asleep = accounts.filter(pl.col("last_login") < as_of - timedelta(days=DORMANT_DAYS))
    wide = lines.filter(~pl.col("scope").is_in(["none", "write_only", "aggregate", "own"]))
    why = f"no log-in for more than {DORMANT_DAYS} calendar days"
    return pl.concat(
        [
            _finding(asleep.join(wide, on="account", how="semi"), "dormant_account", "medium", why),
            _finding(
                asleep.join(wide, on="account", how="anti"),
                "dormant_account",
                "low",
                f"{why}; it sees its own child or nobody",
            ),
        ]
    )


def _orphans(accounts: pl.DataFrame, people: People | None) -> pl.DataFrame:
    persons = {} if people is None else people.persons
    unlisted = accounts.filter(~pl.col("listed"))
    nameless = accounts.filter(
        pl.col("listed")
        & (
            pl.col("person_kind").is_null()
            | (pl.col("person_kind").is_in(["staff", "guardian", "child"]) & pl.col("person_id").is_null())
        )
    )
    gone = [
        accounts.filter((pl.col("person_kind") == kind) & pl.col("person_id").is_not_null()).join(
            known, on="person_id", how="anti"
        )
        for kind, known in persons.items()
    ]
    return pl.concat(
        [
            _finding(
                unlisted,
                "orphan_account",
                "medium",
                "grants are given to it, and the table of accounts does not list it",
            ),
            _finding(nameless, "orphan_account", "medium", "the table of accounts names no person for it"),
            *(_finding(each, "orphan_account", "medium", "its person is in no table of people") for each in gone),
        ]
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
