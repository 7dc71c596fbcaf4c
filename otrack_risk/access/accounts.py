"""What single accounts can see, and how many accounts see how much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, Share, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

NO_LOG = "no access log was read"
NOT_IN_LOG = "the log does not tell it of this account"
_BANDS = ((0, 0), (1, 30), (31, 300), (301, 3_000), (3_001, 30_000), (30_001, None))


@dataclass(frozen=True)
class AccountReach:
    """What one account can see."""

    account: str  # the name of the log-in; on paper "account 1" and so on, in order of reach
    roles: tuple[str, ...]  # of its grants in force, in order of seniority
    enabled: bool
    public: bool  # needs no log-in
    children: Count  # distinct children whom it can see in any category, at least by a flag
    special_category_children: Count  # those of whom it can see special category data
    blast_radius: float | Hidden | None  # weighted pupil-categories
    blast_radius_share: Share  # of the most there could be: to administer every category of every child
    over_privilege: Share  # of the weight of what it holds: what lies beyond the matrix
    under_privilege: Share  # of child x category x verb that the matrix allows its roles: what it lacks
    reason: str  # why a number above is not known
    latent_children: Count = 0  # of `children`, those whom it sees only by first taking on a role
    excess: Share = None  # of the weight of what it holds: what it did not use in the look-back
    unused_reason: str = NO_LOG  # why `excess` is not known

    def record(self) -> dict[str, Any]:
        """An entry of the contract's ``accounts``."""
        unused = "" if self.excess is not None else f"excess: {self.unused_reason}"
        return {
            "account": self.account,
            "roles": list(self.roles),
            "enabled": self.enabled,
            "children": self.children,
            "special_category_children": self.special_category_children,
            "blast_radius": self.blast_radius,
            "blast_radius_share": self.blast_radius_share,
            "over_privilege": self.over_privilege,
            "under_privilege": self.under_privilege,
            "excess": self.excess,
            "latent_children": self.latent_children,
            "reason": "; ".join(each for each in (self.reason, unused) if each),
        }

    def with_excess(self, share: float | None, reason: str) -> AccountReach:
        """With what it did not use of what it holds; the reason where that is not known."""
        return replace(self, excess=share, unused_reason="" if share is not None else reason)

    def renamed(self, name: str, roles: Mapping[str, str], hide: Callable[[Count], Count]) -> AccountReach:
        """Under another name, with small counts hidden, and every number with them that would tell of few children.

        Weighted sums are told roundly (two figures), or they would give a small cell away by subtraction.
        """
        children, special = hide(self.children), hide(self.special_category_children)
        few = next((count for count in (children, special) if isinstance(count, Hidden)), None)
        taken_on = self.latent_children  # beside `children` it would tell of the few that are left
        radius = self.blast_radius
        if isinstance(radius, float):
            radius = few or float(f"{radius:.2g}")

        def roughly(share: Share) -> Share:
            return tables.hide_share(round(share, 2) if isinstance(share, float) else share, few)

        return replace(
            self,
            account=name,
            roles=tuple(roles.get(role, role) for role in self.roles),
            children=children,
            special_category_children=special,
            blast_radius=radius,
            blast_radius_share=roughly(self.blast_radius_share),
            over_privilege=roughly(self.over_privilege),
            under_privilege=roughly(self.under_privilege),
            latent_children=hide(taken_on) if taken_on in (0, self.children) else None,
            excess=roughly(self.excess),
        )


@dataclass(frozen=True)
class AccountLadder(Shown):
    """Accounts by the number of children that each can see.

    A band is a measure, as a class size is: it stands beside no role, school or category, and is exact on paper.
    """

    key: ClassVar[str] = "account_ladder"
    bands: Mapping[str, int]  # "31 to 300" -> enabled accounts; "not known" apart
    accounts: int  # enabled accounts: the sum of the bands
    widest: Count  # children whom the widest account can see
    roll: Count  # distinct children; None: no pupils were given

    @classmethod
    def of(cls, accounts: Iterable[AccountReach], roll: int | None) -> AccountLadder:
        """The enabled accounts, counted by band; bands wider than the roll are left out."""
        reached = [each.children for each in accounts if each.enabled]
        known = [count for count in reached if isinstance(count, int)]
        bands: dict[str, int] = {
            _band(low, high): sum(low <= count and (high is None or count <= high) for count in known)
            for low, high in _BANDS
            if roll is not None and low <= roll
        }
        if len(known) < len(reached):
            bands["not known"] = len(reached) - len(known)
        return cls(bands, len(reached), max(known, default=None), roll)

    def sentence(self) -> str:
        if self.roll is None:
            return f"{self.accounts:,} accounts are enabled; no pupils were given, so how many each sees is not known."
        known = [band for band, count in self.bands.items() if count and band != "not known"]
        widest = known[-1] if known else "nobody"
        if widest == "nobody":
            return f"None of {self.accounts:,} enabled accounts is known to see a child."
        most = f"the widest can see {written(self.widest)} of {written(self.roll)}"
        return f"{self.bands[widest]:,} of {self.accounts:,} enabled accounts can see {widest} children each; {most}."

    def table(self) -> pl.DataFrame:
        return tables.table({"children whom each can see": list(self.bands), "accounts": list(self.bands.values())})

    def figure(self) -> Figure | None:
        from otrack_risk.display.figures import bars

        if not self.bands:
            return None
        return bars(
            list(self.bands),
            list(self.bands.values()),
            self.sentence(),
            "enabled accounts, by the children whom each can see",
        )

    def record(self) -> dict[str, Any]:
        content = {"bands": dict(self.bands), "accounts": self.accounts, "widest": self.widest, "roll": self.roll}
        return content if self.roll is not None else content | {"reason": "no pupils were given"}

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        return replace(
            self,
            widest=tables.hide(self.widest, hide_below, of=self.roll),
            roll=tables.hide(self.roll, hide_below),
        )


def _band(low: int, high: int | None) -> str:
    if high == 0:
        return "nobody"
    return f"more than {low - 1:,}" if high is None else f"{low:,} to {high:,}"
