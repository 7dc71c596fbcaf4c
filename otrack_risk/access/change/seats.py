"""What could be changed about grants, and what each change would do: the question behind the smallest revocation.

A *kind* is grants that are alike: of one role, or of accounts outside any. A *seat* is one account in one role of
ours; need is told by role, so seats are judged one by one, and those to which every choice means the same are one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from otrack_risk import frames
from otrack_risk.access.change.judged import LINE, judged, ranks
from otrack_risk.access.in_force import InForce, in_force
from otrack_risk.access.model import Grants
from otrack_risk.access.needed import Needed, with_given
from otrack_risk.access.people import People, people
from otrack_risk.access.words import role_of, verbs

KEEP = 0
PATHS = 20  # chains between two roles that are looked at for what still serves need
Pair = tuple[str, str]
_KIND = ["holder", "role", "category", "verb", "scope", "scope_key"]  # role: of direct grants alone


@dataclass(frozen=True)
class Kind:
    """Grants that are alike in holder, category, verb and scope."""

    holder: str | None  # in the source's words
    role: str | None  # of direct grants: the role that they name, in ours
    category: str
    verb: str
    scope: str
    scope_key: str | None
    options: tuple[tuple[Pair, ...] | None, ...]  # verb and scope in its stead; the first (None) is to keep it, () none

    @property
    def direct(self) -> bool:
        """Whether accounts hold it, and not a role."""
        return self.role is not None

    def key_of(self, scope: str) -> str | None:
        """The key of a scope in its stead: its own where the scope is the same, which narrows a verb alone."""
        return self.scope_key if scope == self.scope else None


@dataclass(frozen=True)
class Seat:
    """Accounts in one role to which every choice means the same."""

    role: str
    accounts: tuple[str, ...]
    firsts: tuple[str, ...]  # roles of the source through which they sit here
    direct: tuple[int, ...]  # kinds that they hold themselves
    beyond: frozenset[tuple[int, int]]  # kind and option that give them what they do not need
    serves: Mapping[Pair, frozenset[tuple[int, int]]]  # category and verb that they need and hold -> by what


@dataclass(frozen=True)
class Seats:
    """The whole question."""

    kinds: tuple[Kind, ...]
    seats: tuple[Seat, ...]
    edges: Mapping[str, tuple[str, ...]]  # role -> roles that it inherits from
    held: InForce
    who: People | None

    def reached(self, first: str) -> list[str]:
        """The role and every role that it inherits from."""
        found = {first: None}
        for role in (queue := [first]):
            new = [each for each in self.edges.get(role, ()) if each not in found]
            found |= dict.fromkeys(new)
            queue += new
        return list(found)

    def paths(self, first: str, holder: str) -> list[tuple[Pair, ...]]:
        """Up to 20 chains between two roles, each as the memberships on it, shorter ones first."""
        if first == holder:
            return [()]
        back: dict[str, list[str]] = {}
        for role, onward in self.edges.items():
            for each in onward:
                back.setdefault(each, []).append(role)
        useful = {holder: None}
        for role in (queue := [holder]):
            new = [each for each in back.get(role, ()) if each not in useful]
            useful |= dict.fromkeys(new)
            queue += new
        found: list[tuple[Pair, ...]] = []
        ways: list[tuple[str, ...]] = [(first,)]
        looked = 0
        while ways and len(found) < PATHS and looked < 100 * PATHS:
            way = ways.pop(0)
            for each in self.edges.get(way[-1], ()):
                looked += 1
                if each == holder:
                    found.append(tuple(zip((*way, each), (*way, each)[1:], strict=False)))
                elif each in useful and each not in way:
                    ways.append((*way, each))
        return found[:PATHS]

    @classmethod
    def of(cls, grants: Grants, dataset: frames.Dataset | None, as_of: date | None, matrix: Needed) -> Seats:
        """The question that grants in force on a day put against a matrix of least privilege."""
        held, who = in_force(grants, dataset, as_of), people(dataset, grants.listed)
        on_day = _on_the_day(as_of)
        enabled = held.accounts.filter("enabled").select("account")
        grant = on_day & (pl.col("effect") != "deny") & (pl.col("scope") != "none")
        known = pl.col("verb_known") & pl.col("scope_known") & pl.col("category_known")
        direct = grants.rows.filter(pl.col("chain").is_null() & grant & known).join(enabled, on="account", how="semi")
        of_roles = grants.role_grants.filter(grant & known)
        firsts, edges = _memberships(grants, on_day, enabled)
        question = cls((), (), edges, held, who)
        names = firsts["first"].unique().sort().to_list()
        closure = pl.DataFrame(
            [(first, holder) for first in names for holder in question.reached(first)],
            schema={"first": pl.String, "holder": pl.String},
            orient="row",
        )
        sitting = firsts.join(closure, on="first")
        words: dict[str | None, list[str]] = {}
        for holder, word in sitting.select("holder", "word").unique().sort("holder", "word").iter_rows():
            words.setdefault(holder, []).append(word)
        widest = _widest(matrix, who)
        kinds = tuple(
            Kind(
                **row, options=_options(row, words.get(row["holder"], []) if own is None else [own], widest, ranks(who))
            )
            for own, row in _kinds(direct, of_roles)
        )
        held_by = _held_by(kinds, direct, sitting)
        return cls(kinds, _seats(kinds, held_by, firsts, held, matrix, who), edges, held, who)


def _on_the_day(as_of: date | None) -> pl.Expr:
    day = pl.lit(as_of, pl.Date)
    return (pl.col("valid_from") <= day).fill_null(value=True) & (pl.col("valid_to") >= day).fill_null(value=True)


def _memberships(
    grants: Grants, on_day: pl.Expr, enabled: pl.DataFrame
) -> tuple[pl.DataFrame, dict[str, tuple[str, ...]]]:
    """account, first, word (first in ours) of enabled accounts; and which role inherits from which."""
    names = roles_of(grants)
    certain = accounts_of(grants)
    rows = grants.memberships.filter(on_day)
    is_role = pl.col("member").is_in(sorted(names))
    is_account = pl.col("member").is_in(sorted(certain)) | ~is_role
    firsts = rows.filter(is_account).select(account="member", first="role").unique()
    word = {name: role_of(name) or name for name in firsts["first"].unique()}
    firsts = firsts.join(enabled, on="account", how="semi").with_columns(
        word=pl.col("first").replace_strict(word, return_dtype=pl.String)
    )
    of_itself = pl.col("member") == pl.col("role")
    between = rows.filter(is_role & ~of_itself).select("member", "role").unique().sort("member", "role")
    onward = between.group_by("member", maintain_order=True).agg("role")
    return firsts, {str(member): tuple(onto) for member, onto in onward.iter_rows()}


def roles_of(grants: Grants) -> frozenset[str]:
    """The names that are roles in the source: somebody is in them, or they hold a grant."""
    return frozenset(pl.concat([grants.memberships["role"], grants.role_grants["holder"]]).drop_nulls().unique())


def accounts_of(grants: Grants) -> frozenset[str]:
    """The names that are accounts for certain: listed, or granted something themselves."""
    direct = grants.rows.filter(pl.col("chain").is_null())["account"]
    listed = [] if grants.accounts is None else [grants.accounts["account"]]
    return frozenset(pl.concat([direct, *listed]).drop_nulls().unique())


def _kinds(direct: pl.DataFrame, of_roles: pl.DataFrame) -> Iterator[tuple[str | None, dict[str, Any]]]:
    """The role of ours that a direct grant names (None for a grant of a role), and the kind's words."""
    both = pl.concat([direct.select(_KIND), of_roles.with_columns(role=pl.lit(None, pl.String)).select(_KIND)])
    for row in both.unique().sort(_KIND, nulls_last=True).iter_rows(named=True):
        yield row["role"], row


def _widest(matrix: Needed, who: People | None) -> dict[tuple[str, str, str], str]:
    """role, category, verb -> the widest scope that the matrix allows, cases aside."""
    order = ranks(who)
    standing = matrix.rows.filter(pl.col("scope") != "just_in_time")
    by_width = sorted(standing.iter_rows(), key=lambda row: order[row[3]])
    return {(role, category, verb): scope for role, category, verb, scope in by_width}


def _options(
    row: Mapping[str, str | None],
    words: Sequence[str],
    widest: Mapping[tuple[str, str, str], str],
    order: Mapping[str, int],
) -> tuple[tuple[Pair, ...] | None, ...]:
    """To keep it; to narrow it to what each of the roles needs, wider choices first; to take it away."""
    category, verb, scope = str(row["category"]), str(row["verb"]), str(row["scope"])
    keyed = row["scope_key"] is not None
    found: dict[tuple[Pair, ...], int] = {}
    for word in words:
        fit = {
            given: widest[word, category, given]
            for given in with_given(verb, scope)
            if (word, category, given) in widest
        }
        fit = {given: wide if order[wide] <= order[scope] - keyed else scope for given, wide in fit.items()}
        told = [
            (given, wide)
            for given, wide in fit.items()
            if not any(given in verbs()[more].gives and fit[more] == wide != "write_only" for more in fit)
        ]
        if told and told != [(verb, scope)]:
            found[tuple(told)] = sum(order[wide] + 1 for _, wide in told)
    return (None, *sorted(found, key=lambda fit: (-found[fit], fit)), ())


def _held_by(kinds: Sequence[Kind], direct: pl.DataFrame, sitting: pl.DataFrame) -> pl.DataFrame:
    """account, role, kind, ours (whether the account itself holds it)."""
    numbered = pl.DataFrame(
        [(place, *(getattr(kind, name) for name in _KIND)) for place, kind in enumerate(kinds)],
        schema={"kind": pl.UInt32, **dict.fromkeys(_KIND, pl.String)},
        orient="row",
    )
    own = direct.join(numbered, on=_KIND, nulls_equal=True).select("account", "role", "kind", ours=pl.lit(value=True))
    by_role = sitting.join(numbered.filter(pl.col("role").is_null()).drop("role"), on="holder").select(
        "account", role="word", kind="kind", ours=pl.lit(value=False)
    )
    return pl.concat([own, by_role]).unique()


def _seats(
    kinds: Sequence[Kind],
    held_by: pl.DataFrame,
    firsts: pl.DataFrame,
    held: InForce,
    matrix: Needed,
    who: People | None,
) -> tuple[Seat, ...]:
    lines = [
        (place, option, kind.category, given, scope, kind.key_of(scope))
        for place, kind in enumerate(kinds)
        for option, choice in enumerate(kind.options)
        for verb, scope in (((kind.verb, kind.scope),) if choice is None else choice)
        for given in with_given(verb, scope)
    ]
    columns = {"kind": pl.UInt32, "option": pl.UInt32, **dict.fromkeys(LINE[2:], pl.String)}
    given = held_by.join(pl.DataFrame(lines, schema=columns, orient="row").unique(), on="kind")
    told = given.join(judged(given.select(LINE).unique(), held, matrix, who), on=LINE, nulls_equal=True)
    flagged = told.filter(pl.col("beyond") | pl.col("serves")).select(
        "account",
        "role",
        code=pl.struct("kind", "option", "category", "verb", "beyond", "serves"),
    )
    cells = flagged.group_by("account", "role").agg(pl.col("code").unique().sort())
    own = held_by.filter("ours").group_by("account", "role").agg(direct=pl.col("kind").unique().sort())
    through = firsts.group_by("account", role="word").agg(firsts=pl.col("first").unique().sort())
    merged = (
        cells.join(own, on=["account", "role"], how="left")
        .join(through, on=["account", "role"], how="left")
        .with_columns(
            pl.col("direct").fill_null(pl.lit([], pl.List(pl.UInt32))),
            pl.col("firsts").fill_null(pl.lit([], pl.List(pl.String))),
        )
        .group_by("role", "firsts", "direct", "code")
        .agg(pl.col("account").sort())
        .sort("role", pl.col("account").list.first())
    )
    return tuple(_seat(row) for row in merged.iter_rows(named=True))


def _seat(row: Mapping[str, object]) -> Seat:
    codes: list[dict[str, object]] = list(row["code"])  # type: ignore[call-overload]
    beyond = {(int(each["kind"]), int(each["option"])) for each in codes if each["beyond"]}  # type: ignore[call-overload]
    serves: dict[Pair, set[tuple[int, int]]] = {}
    for each in codes:
        if each["serves"]:
            cell = (str(each["category"]), str(each["verb"]))
            serves.setdefault(cell, set()).add((int(each["kind"]), int(each["option"])))  # type: ignore[call-overload]
    for by in serves.values():  # a choice never gives a cell that the grant itself did not serve
        beyond |= {(kind, option) for kind, option in by if (kind, KEEP) not in by}
    now = {cell: frozenset(by) for cell, by in serves.items() if any(option == KEEP for _, option in by)}
    return Seat(
        str(row["role"]),
        tuple(row["account"]),  # type: ignore[arg-type]
        tuple(row["firsts"]),  # type: ignore[arg-type]
        tuple(row["direct"]),  # type: ignore[arg-type]
        frozenset(beyond),
        now,
    )
