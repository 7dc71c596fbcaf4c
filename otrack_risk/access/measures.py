"""Reach of all accounts together: how it is spread, who could open everything, and what to expect of a year."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from otrack_risk import frames, reference
from otrack_risk.access.in_force import in_force
from otrack_risk.access.model import Grants
from otrack_risk.access.results import NO_PUPILS, Access
from otrack_risk.access.words import FULL, scopes
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, Share, written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP = 0.1  # of the enabled accounts, those with most
NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Concentration(Shown):
    """How unevenly what accounts can reach is spread over them."""

    key: ClassVar[str] = "access_concentration"
    accounts: int  # enabled accounts whose blast radius is known
    unknown: int  # enabled accounts whose is not
    top: int  # accounts that are the top tenth, rounded up
    top_share: Share  # of the whole blast radius: what they hold, 0 to 1
    gini: Share  # 0: all hold the same; near 1: one holds all
    reason: str = ""  # why the shares are not known

    def sentence(self) -> str:
        if self.top_share is None:
            return f"How reach is spread over {self.accounts:,} enabled accounts is not defined: {self.reason}."
        unknown = f" Of {self.unknown:,} more it cannot be told what they reach." if self.unknown else ""
        return (
            f"{self.top:,} of {self.accounts:,} enabled accounts (the top tenth) hold "
            f"{written(self.top_share)} of all reach, weighted by sensitivity; Gini index {self._gini()}.{unknown}"
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "measure": ["share of the top tenth", "Gini index"],
                "value": [written(self.top_share), self._gini()],
                "accounts": [self.top, self.accounts],
            }
        )

    def record(self) -> dict[str, Any]:
        content = {name: getattr(self, name) for name in ("accounts", "unknown", "top", "top_share", "gini")}
        return content | ({"reason": self.reason} if self.reason else {})

    def _gini(self) -> str:
        return f"{self.gini:.2f}" if isinstance(self.gini, float) else written(self.gini)


def concentration(access: Access) -> Concentration:
    """The share of all blast radius that the top tenth of enabled accounts hold, and the Gini index.

    Notes
    -----
    With x the blast radii of n accounts in rising order, i from 1 [1]_::

        Gini = 2 sum(i x_i) / (n sum(x)) - (n + 1) / n

    Accounts whose blast radius is not known are left out, and counted. Not defined where nobody holds anything.

    References
    ----------
    .. [1] Sen (1973), On Economic Inequality; of a whole population, without correction for small n.

    Examples
    --------
    >>> spread([0.0, 0.0, 0.0, 4.0])
    (1.0, 0.75)
    """
    enabled = [each for each in access.accounts if each.enabled]
    radii = [float(each.blast_radius) for each in enabled if isinstance(each.blast_radius, int | float)]
    top = math.ceil(len(radii) * TOP)
    found = spread(radii)
    unknown = len(enabled) - len(radii)
    if found is None:
        reason = NO_PUPILS if access.roll is None else "no enabled account is known to reach anybody"
        return Concentration(len(radii), unknown, top, None, None, reason)
    return Concentration(len(radii), unknown, top, *found)


def spread(values: Iterable[float]) -> tuple[float, float] | None:
    """The share of the top tenth, rounded up, and the Gini index; None where the sum is 0."""
    rising = sorted(values)
    n, total = len(rising), math.fsum(rising)
    if not total:
        return None
    top = math.fsum(rising[n - math.ceil(n * TOP) :]) / total
    weighed = math.fsum(place * value for place, value in enumerate(rising, start=1))
    return min(top, 1.0), max(2 * weighed / (n * total) - (n + 1) / n, 0.0)


@dataclass(frozen=True)
class Kind:
    """Accounts of one kind, and what is to be expected of them in a year."""

    kind: str
    label: str
    accounts: Count  # enabled, that need a log-in
    untold: Count  # of those, accounts of which it cannot be told whom they reach
    rate: tuple[float, float, float]  # stolen or misused a year for each account: low, central, high
    children: tuple[float, float, float] | Hidden | None  # sum of rate x children reached
    radius: tuple[float, float, float] | Hidden | None  # sum of rate x blast radius

    def record(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class ExpectedExposure(Shown):
    """Children whom stolen log-ins can be expected to expose in a year, and the accounts of each kind."""

    key: ClassVar[str] = "expected_exposure"
    kinds: tuple[Kind, ...]
    enabled: int  # accounts that need a log-in
    children: tuple[float, float, float] | Hidden | None  # a year: low, central, high; a child counts each time
    radius: tuple[float, float, float] | Hidden | None
    roll: Count
    source: str  # of the rates
    assumed: int  # rates that are this project's own
    reason: str = ""

    def sentence(self) -> str:
        if not isinstance(self.children, tuple):
            why = self.reason if self.children is None else str(self.children)
            return f"What to expect of {self.enabled:,} log-ins in a year is not told: {why}."
        low, central, high = map(_rounded, self.children)
        return (
            f"Of {self.enabled:,} enabled log-ins, stolen ones would expose about {central} children a year "
            f"(between {low} and {high}; a child counts each time), of {written(self.roll)}. "
            f"{self.assumed} rates of theft are this project's own assumption."
        )

    def table(self) -> pl.DataFrame:
        return tables.table(
            {
                "kind": [each.label for each in self.kinds],
                "accounts": [each.accounts for each in self.kinds],
                "stolen a year, each": [_span(each.rate) for each in self.kinds],
                "children a year": [_span(each.children) for each in self.kinds],
                "weighted reach a year": [_span(each.radius) for each in self.kinds],
                "cannot be told": [each.untold for each in self.kinds],
            }
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display.figures import bars

        told = [each for each in self.kinds if isinstance(each.accounts, int)]
        if not told:
            return None
        counts = [each.accounts for each in told]
        return bars([each.label for each in told], counts, self.sentence(), "enabled log-ins, by kind of account")

    def record(self) -> dict[str, Any]:
        content: dict[str, Any] = {
            "kinds": [each.record() for each in self.kinds],
            "enabled": self.enabled,
            "children": self.children,
            "radius": self.radius,
            "roll": self.roll,
            "source": self.source,
            "assumed": self.assumed,
        }
        return content | ({"reason": self.reason} if self.reason else {})

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        """Kinds with few accounts hidden, with what is expected of them; all else told to two figures."""
        shown = tables.hide_parts({each.kind: each.accounts for each in self.kinds}, hide_below)

        def roughly(expected: Any, count: Count) -> Any:
            if not isinstance(expected, tuple):
                return expected
            return count if isinstance(count, Hidden) else tuple(float(f"{number:.2g}") for number in expected)

        return replace(
            self,
            kinds=tuple(
                replace(
                    each,
                    accounts=shown[each.kind],
                    untold=shown[each.kind]
                    if isinstance(shown[each.kind], Hidden) and each.untold
                    else tables.hide(each.untold, hide_below, of=each.accounts),
                    children=roughly(each.children, shown[each.kind]),
                    radius=roughly(each.radius, shown[each.kind]),
                )
                for each in self.kinds
            ),
            children=roughly(self.children, None),
            radius=roughly(self.radius, None),
            roll=tables.hide(self.roll, hide_below),
        )


def expected_exposure(access: Access, kinds: Mapping[str, str]) -> ExpectedExposure:
    """The sum over enabled accounts of how often each is stolen in a year, times whom it reaches.

    Parameters
    ----------
    access : an exact answer
    kinds : account -> kind, from :func:`kinds_of`

    Notes
    -----
    Rates are those of ``account_theft.toml``, low, central and high; the three sums take the same end for all kinds.
    A door that needs no log-in is not stolen, and is left out. Accounts of which it cannot be told whom they reach
    are counted and left out of the sums, which are then the fewest.
    """
    table = reference.load("account_theft")
    need_log_in = [each for each in access.accounts if each.enabled and not each.public]
    found = []
    for entry in table.entries["rate"]:
        mine = [each for each in need_log_in if _kind(kinds.get(each.account), table) == entry["kind"]]
        if mine:
            rate = (float(entry["low"]), float(entry["central"]), float(entry["high"]))
            children = [each.children for each in mine if isinstance(each.children, int)]
            radii = [each.blast_radius for each in mine if isinstance(each.blast_radius, int | float)]
            told = access.roll is not None
            found.append(
                Kind(
                    entry["kind"],
                    entry["label"],
                    len(mine),
                    len(mine) - len(children),
                    rate,
                    _times(rate, sum(children)) if told else None,
                    _times(rate, math.fsum(radii)) if told else None,
                )
            )
    told = access.roll is not None
    return ExpectedExposure(
        kinds=tuple(found),
        enabled=len(need_log_in),
        children=_summed(each.children for each in found) if told else None,
        radius=_summed(each.radius for each in found) if told else None,
        roll=access.roll,
        source=table.citation(),
        assumed=len(table.assumed()),
        reason="" if told else NO_PUPILS,
    )


def kinds_of(grants: Grants, dataset: frames.Dataset | None, *, as_of: date | None) -> dict[str, str]:
    """The kind of every account: its person's, else service where it is said to be one; others are left out."""
    accounts = in_force(grants, dataset, as_of).accounts
    service = pl.col("service") if "service" in accounts.columns else pl.lit(value=False)
    kind = pl.coalesce("person_kind", pl.when(service.fill_null(value=False)).then(pl.lit("service")))
    told = accounts.select("account", kind=kind).drop_nulls()
    return {str(account): str(kind) for account, kind in told.iter_rows()}


def categories_seen(
    grants: Grants, dataset: frames.Dataset | None, *, as_of: date | None
) -> dict[str, tuple[str, ...]]:
    """The categories that each enabled account sees by a row or a flag, sorted; those that see none are left out."""
    strength = {scope.name: scope.strength for scope in scopes().values()}
    seen = in_force(grants, dataset, as_of).allowed.filter(
        pl.col("category_known")
        & (pl.col("verb") == "view")
        & (
            pl.col("scope").replace_strict(strength, default=FULL, return_dtype=pl.Int64)
            >= pl.lit(strength["flag"], pl.Int64)
        )
    )
    found = seen.group_by("account").agg(pl.col("category").unique().sort()).sort("account")
    return {str(account): tuple(categories) for account, categories in found.iter_rows()}


def _kind(kind: str | None, table: reference.ReferenceTable) -> str:
    return kind if kind in {entry["kind"] for entry in table.entries["rate"]} else NOT_KNOWN  # type: ignore[return-value]


def _times(rate: tuple[float, float, float], number: float) -> tuple[float, float, float]:
    low, central, high = rate
    return low * number, central * number, high * number


def _summed(parts: Iterable[tuple[float, float, float] | Hidden | None]) -> tuple[float, float, float]:
    known = [part for part in parts if isinstance(part, tuple)]
    low, central, high = (math.fsum(part[place] for part in known) for place in range(3))
    return low, central, high


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.10g}"


def _span(span: tuple[float, float, float] | Hidden | None) -> str:
    if not isinstance(span, tuple):
        return written(span)
    low, central, high = map(_rounded, span)
    return f"{central} ({low} to {high})"
