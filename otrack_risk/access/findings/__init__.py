"""What somebody should look at first: every check of accounts, grants, roles, use and source, with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from textwrap import fill
from typing import Any, ClassVar, Self

import polars as pl

from otrack_risk import frames
from otrack_risk.access.findings.accepted import Acceptance, chosen
from otrack_risk.access.findings.accounts import of_accounts
from otrack_risk.access.findings.asked import Asked
from otrack_risk.access.findings.checks import CHECKS, ROWS, SEVERITIES, Check
from otrack_risk.access.findings.grants import of_grants, of_source
from otrack_risk.access.findings.roles import of_roles
from otrack_risk.access.findings.use import of_use
from otrack_risk.access.model import Grants
from otrack_risk.access.needed import Needed
from otrack_risk.access.people import People
from otrack_risk.access.use import Used
from otrack_risk.access.use.terms import Terms, terms_of
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, written

__all__ = ["CHECKS", "SEVERITIES", "AccessFindings", "Check", "Finding", "find"]


@dataclass(frozen=True)
class Finding:
    """One thing to look at, in one account, role, category or column."""

    id: str
    severity: str
    account: str | None  # None where it is not one account's, or names are not published
    why: str  # no name, no count of children: those stand with the account
    subject: str | None = None  # the role, category, column or word of the source of which it is told
    mend: str = ""
    evidence_rows: int = 0  # rows in which it was found
    evidence_sha256: str = ""  # of those rows in order: equal where a later audit finds the same
    acceptance: Acceptance | None = None  # of the risk, in force or not
    note: str = ""  # what is said of the acceptance
    accepted: bool = False  # whether the acceptance is in force

    @property
    def owner(self) -> str:
        """Who mends it."""
        return CHECKS[self.id].owner

    def record(self) -> dict[str, Any]:
        """An entry of the contract's ``findings``."""
        content: dict[str, Any] = {
            "id": self.id,
            "severity": self.severity,
            "account": self.account,
            "subject": self.subject,
            "why": self.why,
            "mend": self.mend or CHECKS[self.id].mend,
            "owner": self.owner,
            "evidence": {"rows": self.evidence_rows, "sha256": self.evidence_sha256},
            "accepted": self.accepted,
        }
        if self.acceptance is not None:
            content |= {"accepted_until": self.acceptance.until.isoformat(), "note": self.note}
        return content


@dataclass(frozen=True)
class AccessFindings(Shown):
    """The findings counted, by check and severity; with the checks that could not be made, and accepted risks apart."""

    key: ClassVar[str] = "access_findings"
    counted: tuple[tuple[str, str, Count], ...]  # check, severity, accounts (or roles ...); most severe first
    not_looked_for: Mapping[str, str]  # check -> why; one that also has findings was looked for in part
    enabled: int  # accounts looked at
    accepted: tuple[tuple[str, str, Count, date], ...] = ()  # the same of accepted risks, and the last day of each

    @classmethod
    def of(cls, findings: Sequence[Finding], not_looked_for: Mapping[str, str], enabled: int) -> AccessFindings:
        """The findings, counted."""
        count: dict[tuple[str, str], int] = {}
        apart: dict[tuple[str, str, date], int] = {}
        for each in findings:  # in order of severity already
            if each.accepted and each.acceptance is not None:
                until = (each.id, each.severity, each.acceptance.until)
                apart[until] = apart.get(until, 0) + 1
            else:
                count[each.id, each.severity] = count.get((each.id, each.severity), 0) + 1
        return cls(
            tuple((*which, number) for which, number in count.items()),
            dict(not_looked_for),
            enabled,
            tuple((check, severity, number, until) for (check, severity, until), number in apart.items()),
        )

    def sentence(self) -> str:
        by_severity = dict.fromkeys(SEVERITIES, 0)
        for _, severity, _ in self.counted:
            by_severity[severity] += 1
        kinds = ", ".join(f"{number} {severity}" for severity, number in by_severity.items() if number)
        found = f"{len(self.counted)} kinds of finding ({kinds})" if self.counted else "No finding"
        asked = len(CHECKS) - len(self._unasked())
        first = ""
        if self.counted:
            check, severity, _ = self.counted[0]
            first = f" First, {severity}: {_lower(CHECKS[check].label)}; {CHECKS[check].mend}."
        unasked = f" {len(self._unasked())} could not be made." if self._unasked() else ""
        kinds_accepted = len({check for check, *_ in self.accepted})
        apart = f" Of {kinds_accepted} more the risk is accepted until a day." if kinds_accepted else ""
        return f"{found} in {self.enabled:,} accounts, from {asked} checks.{unasked}{apart}{first}"

    def table(self) -> pl.DataFrame:
        lines: list[tuple[str, str, str, str]] = [
            (CHECKS[check].label, severity, _number(check, number), CHECKS[check].mend)
            for check, severity, number in self.counted
        ]
        lines += [
            (
                CHECKS[check].label,
                f"{severity}, accepted until {until}",
                _number(check, number),
                "look at it again then",
            )
            for check, severity, number, until in self.accepted
        ]
        found = self._found()
        for check, about in CHECKS.items():
            if check in self.not_looked_for:
                state = "not looked for, in part" if check in found else "not looked for"
                lines.append((about.label, state, self.not_looked_for[check], about.mend))
            elif check not in found:
                lines.append((about.label, "none found", "0", ""))
        return pl.DataFrame(lines, schema=["finding", "severity", "accounts", "what to do"], orient="row")

    def __str__(self) -> str:
        """On a terminal what was found comes in the table, and every other check in one line of its kind."""
        parts = [Shown.__str__(_OnlyFound(self.counted, self.not_looked_for, self.enabled, self.accepted))]
        if none := self.table().filter(severity="none found")["finding"].to_list():
            parts.append(f"Looked for, and none found: {'; '.join(map(_lower, none))}.")
        why: dict[str, list[str]] = {}
        for check in CHECKS:
            if check in self._unasked():
                why.setdefault(self.not_looked_for[check], []).append(_lower(CHECKS[check].label))
        parts += [f"Not looked for, since {_lower(reason)}: {'; '.join(names)}." for reason, names in why.items()]
        return "\n\n".join([parts[0], *(fill(part, 120) for part in parts[1:])])

    def record(self) -> dict[str, Any]:
        found = self._found()
        return {
            "enabled_accounts": self.enabled,
            "findings": [
                {
                    "id": check,
                    "severity": severity,
                    "accounts": number,
                    "counts": CHECKS[check].counts,
                    "label": CHECKS[check].label,
                    "mend": CHECKS[check].mend,
                    "owner": CHECKS[check].owner,
                }
                for check, severity, number in self.counted
            ],
            "accepted": [
                {"id": check, "severity": severity, "accounts": number, "counts": CHECKS[check].counts,
                 "until": until.isoformat()}
                for check, severity, number, until in self.accepted
            ],
            "none_found": [check for check in CHECKS if check not in self.not_looked_for and check not in found],
            "not_looked_for": dict(self.not_looked_for),
        }  # fmt: skip

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """Small numbers of people's accounts hidden; a door, a supplier or an ownerless account is nobody."""

        def shown(check: str, number: Count) -> Count:
            return tables.hide(number, hide_below) if CHECKS[check].of_a_person else number

        return replace(
            self,
            counted=tuple((check, severity, shown(check, number)) for check, severity, number in self.counted),
            accepted=tuple(
                (check, severity, shown(check, number), until) for check, severity, number, until in self.accepted
            ),
        )

    def _found(self) -> set[str]:
        return {check for check, *_ in self.counted} | {check for check, *_ in self.accepted}

    def _unasked(self) -> set[str]:
        return self.not_looked_for.keys() - self._found()


class _OnlyFound(AccessFindings):
    """The table without checks that found nothing or were not made."""

    def table(self) -> pl.DataFrame:
        return super().table().filter(~pl.col("severity").is_in(["none found", "not looked for"]))


def find(
    grants: Grants,
    lines: pl.DataFrame,
    accounts: pl.DataFrame,
    people: People | None,
    matrix: Needed,
    listed: bool,
    as_of: date | None,
    used: Used | None = None,
    accepted: Sequence[Acceptance] = (),
    *,
    dataset: frames.Dataset | None = None,
    terms: Terms | None = None,
    from_database: bool = False,
) -> tuple[list[Finding], dict[str, str]]:
    """Every finding, most severe first, and the checks that these data do not allow.

    Parameters
    ----------
    grants : as they were read, with roles, approvers and faults
    lines : what is in force for enabled accounts, one line a verb, less what is denied: account, role, category,
        verb, scope, scope_key, valid_to, category_known, verb_known, scope_known, strength, and ``beyond`` (whether
        the scope is wider than the matrix allows the role; false where the category is not known)
    accounts : enabled accounts: account, person_kind, person_id, last_login, listed; mfa, service, interactive and
        shared where they are told
    listed : whether a table of accounts was given
    used : the access log; None: none was read
    accepted : risks that somebody accepted; a finding of one in force is marked, not left out
    dataset : the data in whose columns hashes of pupil numbers are looked for
    terms : which days are school days; None: those of the log, else the typical ones
    from_database : whether the grants were read from a PostgreSQL catalogue, so that no fault of it means none found

    Notes
    -----
    A check may be in both answers: what could be looked at was, and the rest was not (duties of which grants name one
    side alone).
    """
    calendar = terms if terms is not None else used.terms if used is not None else terms_of()
    asked = Asked(grants, lines, accounts, people, matrix, listed, as_of, used, calendar, dataset, from_database)
    parts = [*of_grants(asked), *of_accounts(asked), *of_use(asked), *of_roles(asked), *of_source(asked)]
    every = (
        pl.concat([pl.DataFrame(schema=dict(ROWS)), *parts])
        .with_columns(pl.col("severity").cast(pl.Enum(SEVERITIES)), pl.col("id").cast(pl.Enum(list(CHECKS))))
        .sort("severity", "id", "account", "subject", "why")
        .cast({"severity": pl.String, "id": pl.String})
    )
    found = [
        Finding(row["id"], row["severity"], row["account"], row["why"], _cut(row["subject"]), row["mend"] or "",
                row["rows"], row["sha256"])
        for row in every.iter_rows(named=True)
    ]  # fmt: skip
    order = {name: place for place, name in enumerate(CHECKS)}
    unasked = dict(sorted(asked.unasked.items(), key=lambda item: order[item[0]]))
    return (_accepted(found, asked, accepted) if accepted else found), unasked


def _accepted(found: Sequence[Finding], asked: Asked, accepted: Sequence[Acceptance]) -> list[Finding]:
    """The findings with the acceptance that speaks of each."""
    named = {each.finding for each in accepted}
    words = pl.concat([asked.held.select("account", word=name) for name in ("first", "role")]).unique()
    held = dict(words.group_by("account").agg("word").iter_rows())
    marked = []
    for each in found:
        one = None
        if each.id in named:
            roles = held.get(each.account, ()) if each.account is not None else ()
            one = chosen(accepted, asked.as_of, each.id, each.account, each.subject, roles)
        if one is not None:
            each = replace(each, acceptance=one, note=one.state(asked.as_of), accepted=one.holds(asked.as_of))
        marked.append(each)
    return marked


def _number(check: str, number: Count) -> str:
    counts = CHECKS[check].counts
    if counts == "accounts":
        return written(number)
    return f"{written(number)} {counts}"


def _cut(subject: str | None, longest: int = 60) -> str | None:
    return subject if subject is None or len(subject) <= longest else f"{subject[: longest - 3]}..."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
