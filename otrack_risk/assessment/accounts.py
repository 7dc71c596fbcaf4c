"""How bad would the loss of one account be: ENISA's severity for the reach of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk.access.results import Access
from otrack_risk.assessment.enisa import bands, more_than
from otrack_risk.assessment.scenario import check
from otrack_risk.assessment.severity import Severity, propose
from otrack_risk.display import tables
from otrack_risk.display.results import NotLookedFor, Shown
from otrack_risk.display.tables import Count, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

NOBODY = "it reaches no child"
UNKNOWN = "it cannot be told whom it reaches"
_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)  # a scenario names a moment; the severity does not rest on it


@dataclass(frozen=True)
class AccountSeverity:
    """The severity of the loss of one account's log-in."""

    account: str
    band: str | None  # None: it reaches nobody, or it cannot be told
    score: float | None
    more_than_100: bool | None
    reason: str = ""

    def record(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class AccountSeverities(Shown):
    """Enabled accounts by the severity that the loss of their log-in would have."""

    key: ClassVar[str] = "account_severity"
    accounts: tuple[AccountSeverity, ...]  # enabled ones, most severe first
    by_band: Mapping[str, Count]  # band, "nobody reached", "not known" -> enabled accounts
    enabled: int
    profiles: tuple[tuple[tuple[str, ...], float, str], ...]  # categories reached, score, the sum as written
    setting: str

    def sentence(self) -> str:
        highest = [band for band in reversed(bands()) if self.by_band.get(band)]
        if not highest:
            return f"Of {self.enabled:,} enabled accounts none is known to reach a child."
        worst = highest[0]
        return (
            f"The loss of any of {written(self.by_band[worst])} of {self.enabled:,} enabled log-ins would be of "
            f"{_words(worst)} severity on ENISA's scale ({self.setting})."
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {"severity": [_words(band) for band in self.by_band], "accounts": list(self.by_band.values())}
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display.figures import bars

        if not self.enabled:
            return None
        return bars(
            [_words(band) for band in self.by_band],
            list(self.by_band.values()),
            self.sentence(),
            "enabled accounts, by severity of the loss of the log-in",
        )

    def record(self) -> dict[str, Any]:
        return {
            "accounts": [each.record() for each in self.accounts],
            "by_band": dict(self.by_band),
            "enabled": self.enabled,
            "profiles": [
                {"categories": list(categories), "score": score, "arithmetic": arithmetic}
                for categories, score, arithmetic in self.profiles
            ],
            "setting": self.setting,
        }

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """No accounts one by one; small numbers of accounts hidden."""
        return replace(self, accounts=(), by_band=tables.hide_parts(self.by_band, hide_below))


def account_severity(
    access: Access | NotLookedFor, categories: Mapping[str, Sequence[str]], *, malicious: bool = True
) -> AccountSeverities | NotLookedFor:
    """ENISA's severity for each enabled account, as if its log-in were stolen today.

    Parameters
    ----------
    access : an exact answer, for whom each account reaches; where nobody looked, nobody can say
    categories : what each account sees, from :func:`~otrack_risk.access.measures.categories_seen`
    malicious : whether whoever holds the log-in means harm

    Notes
    -----
    As :func:`~otrack_risk.assessment.severity.propose`: the data processing context is that of the highest class among
    the categories that the account sees (by a row or a flag), of children; the ease of identification is 1 where it
    sees the category identity, and 1 as the cautious value where it does not, since what else names children is not
    known. Known recipients obtain the data: whoever holds the log-in. Nothing altered, nothing lost. Equal sets of
    categories are scored once. Accounts that reach nobody have no severity; those of which it cannot be told whom they
    reach have none either, with a reason.

    References
    ----------
    ENISA, Recommendations for a methodology of the assessment of severity of personal data breaches, v1.0, 2013.
    """
    if isinstance(access, NotLookedFor):
        question = "how bad the loss of one log-in would be"
        return replace(access, question=question, instead_of=AccountSeverities.key)
    profiles = {account: tuple(sorted(some)) for account, some in categories.items()}
    scored = {profile: _severity(profile, malicious) for profile in sorted(set(profiles.values()))}
    told = [
        _told(each.account, each.children, scored.get(profiles.get(each.account, ())))
        for each in access.accounts
        if each.enabled
    ]
    told.sort(key=lambda each: (-(each.score or 0), each.account))
    used = sorted({profiles[each.account] for each in told if each.score is not None})
    return AccountSeverities(
        accounts=tuple(told),
        by_band=_counted(told),
        enabled=len(told),
        profiles=tuple((profile, scored[profile].score, scored[profile].arithmetic) for profile in used),
        setting="known recipients, with intent" if malicious else "known recipients, without intent",
    )


def _told(account: str, children: Count, found: Severity | None) -> AccountSeverity:
    if not isinstance(children, int):
        return AccountSeverity(account, None, None, None, UNKNOWN)
    if not children or found is None:
        return AccountSeverity(account, None, None, None if children else False, NOBODY if not children else UNKNOWN)
    return AccountSeverity(account, found.band, found.score, children > more_than())


def _severity(categories: Sequence[str], malicious: bool) -> Severity:
    story = check(
        {
            "name": "stolen_log_in",
            "title": "A stolen log-in",
            "as_of": _ANY_DAY,
            "jurisdiction": "uk",
            "cause": "stolen_credential",
            "access": "known_recipients",
            "malicious": malicious,
            "integrity": "unaltered",
            "availability": "available",
        },
        "the scenario of a stolen log-in",
    )
    named = "identity" in categories
    exposure = {
        "fields": [{"category": category, "filled_share": 1.0} for category in categories],
        "people": {"total": 1, "children": 1, "staff": 0, "guardians": 0, "uncountable": 0},
        "directly_identified": 1 if named else None,
    }
    return propose(story, exposure, None)


def _counted(told: Iterable[AccountSeverity]) -> dict[str, Count]:
    found: dict[str, Count] = dict.fromkeys([*bands(), "nobody reached", "not known"], 0)
    for each in told:
        which = each.band or ("nobody reached" if each.reason == NOBODY else "not known")
        count = found[which]
        assert isinstance(count, int)
        found[which] = count + 1
    return {band: count for band, count in found.items() if count or band in bands()}


def _words(band: str) -> str:
    return band.replace("_", " ")
