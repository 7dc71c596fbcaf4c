"""One account: through which roles it reaches which categories, of how many children."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Self

import polars as pl

from otrack_risk import frames, schema
from otrack_risk.access.cells import children_by_cell
from otrack_risk.access.in_force import in_force
from otrack_risk.access.inherit import BETWEEN
from otrack_risk.access.model import Grants
from otrack_risk.access.results import NO_PUPILS
from otrack_risk.access.words import FULL, role_label, role_of, scopes
from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, written
from otrack_risk.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOT_A_ROLE = "a role not in the matrix"


@dataclass(frozen=True)
class Way:
    """One way from the account to a category."""

    chain: tuple[str, ...]  # roles on the way, the account's own first; empty: granted directly
    category: str
    verbs: tuple[str, ...]  # that are granted there, without those that they give besides
    scope: str
    latent: bool  # only after taking on a role

    def record(self) -> dict[str, Any]:
        """Plain values."""
        told = {name: getattr(self, name) for name in ("category", "scope", "latent")}
        return {"chain": list(self.chain), "verbs": list(self.verbs)} | told


@dataclass(frozen=True)
class AccountPaths(Shown):
    """What one log-in leads to. Asked for by name, and shown with it; on paper it has none."""

    key: ClassVar[str] = "account_paths"
    account: str
    ways: tuple[Way, ...]
    children: dict[str, Count]  # category -> distinct children whom the account can see in it, at least by a flag
    all_children: Count  # distinct, in any category; None: no pupils were given, or it cannot be told of some grant
    roll: Count
    as_of: date | None
    reason: str = ""

    def sentence(self) -> str:
        if not self.ways:
            return f"On {self.as_of or 'any day'}, {self.account} has no grant in force."
        whom = "an unknown number of children" if self.all_children is None else f"{written(self.all_children)}"
        of = "" if self.all_children is None else f" of {written(self.roll)} children"
        return f"{self.account} can see {whom}{of}, in {len(self.children)} categories, by {len(self.ways)} ways."

    def table(self) -> pl.DataFrame:
        labels = schema.categories()
        return tables.table(
            {
                "through": [" > ".join(map(role_label, way.chain)) or "granted directly" for way in self.ways],
                "category": [labels.get(way.category, way.category) for way in self.ways],
                "may": [", ".join(way.verbs) for way in self.ways],
                "of whom": [_scope(way.scope) for way in self.ways],
                "children in the category": [self.children.get(way.category) for way in self.ways],
                "only after taking on a role": [way.latent for way in self.ways],
            }
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display.network import Edge, Node, network

        if not self.ways:
            return None
        labels = schema.categories()
        nodes = {"": Node("", 0, self.account, f"{written(self.all_children)} children")}
        edges: dict[tuple[str, str, str, bool], None] = {}
        for way in self.ways:
            before = ""
            for role in way.chain:
                nodes.setdefault(f"role {role}", Node(f"role {role}", 1, role_label(role)))
                edges[before, f"role {role}", "", way.latent] = None
                before = f"role {role}"
            end = f"category {way.category}"
            seen = f"{written(self.children.get(way.category))} children"
            nodes.setdefault(end, Node(end, 2, labels.get(way.category, way.category), seen))
            edges[before, end, f"{', '.join(way.verbs)} · {_scope(way.scope)}", way.latent] = None
        arrows = [Edge(start, end, label, dashed) for start, end, label, dashed in edges]
        return network(
            list(nodes.values()),
            arrows,
            stages=["Account", "Roles", "Categories"],
            title=self.sentence(),
            unit="what is granted, and children whom the account can see in each category",
            dashed="only after taking on a role",
        )

    def record(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
            "children": self.all_children,
            "roll": self.roll,
            "children_by_category": dict(self.children),
            "ways": [way.record() for way in self.ways],
        } | ({"reason": self.reason} if self.reason else {})

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        def word(role: str) -> str:
            return role_of(role) or NOT_A_ROLE

        return replace(
            self,
            account="this account",
            ways=tuple(replace(way, chain=tuple(map(word, way.chain))) for way in self.ways),
            children={name: tables.hide(count, hide_below, of=self.roll) for name, count in self.children.items()},
            all_children=tables.hide(self.all_children, hide_below, of=self.roll),
            roll=tables.hide(self.roll, hide_below),
        )


def account_paths(
    grants: Grants, dataset: frames.Dataset | None, account: str, *, as_of: date | None, roll: Count = None
) -> AccountPaths:
    """Every way of one account, and the children at its end.

    Raises
    ------
    ParameterError
        No grant and no list of accounts names it.
    """
    known = set(grants.rows["account"].to_list())
    if grants.accounts is not None:
        known |= set(grants.accounts["account"].to_list())
    if account not in known:
        raise ParameterError("account: nothing that was given names it.", "write the log-in as the grants do.")
    lines = in_force(grants, dataset, as_of).allowed.filter(pl.col("account") == account)
    through = pl.coalesce("chain", "holder")
    ways = (
        lines.filter(pl.col("verb") == pl.col("granted_as"))
        .group_by(through.alias("through"), "category", "scope", "latent")
        .agg(pl.col("verb").unique().sort())
        .sort("through", "category", "scope", "latent", nulls_last=True)
    )
    children: dict[str, Count] = {}
    everybody: Count = None
    reason = NO_PUPILS
    if dataset is not None and roll is not None:
        flag = scopes()["flag"].strength / FULL
        cells = children_by_cell(grants, dataset, as_of=as_of, accounts=[account]).filter(pl.col("verb") == "view")
        seen = cells.filter(pl.col("strength") >= flag)
        counted = dict(seen.group_by("category").agg(pl.col("pupil_id").n_unique()).iter_rows())
        untold = set(cells.filter(pl.col("pupil_id").is_null())["category"].to_list())
        held = lines.filter(pl.col("verb") == "view")["category"].unique().sort().to_list()
        children = {name: None if name in untold else counted.get(name, 0) for name in held}
        everybody = None if untold else seen["pupil_id"].n_unique()
        reason = "of some grants it cannot be told whom they reach" if untold else ""
    return AccountPaths(
        account,
        tuple(
            Way(tuple(row["through"].split(BETWEEN)) if row["through"] else (), row["category"], tuple(row["verb"]),
                row["scope"], row["latent"])
            for row in ways.iter_rows(named=True)
        ),
        children,
        everybody,
        roll,
        as_of,
        reason,
    )  # fmt: skip


def _scope(name: str) -> str:
    known = scopes().get(name)
    return known.label if known else name
