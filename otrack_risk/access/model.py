"""One model of who may do what: grants of accounts and of roles, roles in roles, denials, and children by name.

Every reader (CSV, Casbin, PostgreSQL, an MIS) ends in :func:`build`, and every question begins with :class:`Grants`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from otrack_risk import frames
from otrack_risk.access.columns import accounts_of, days
from otrack_risk.access.inherit import BETWEEN, cycles, through_roles
from otrack_risk.access.words import NO_ROLE, category_of, role_of, scope_of, verbs_of
from otrack_risk.errors import FieldError, ParameterError

LONGEST = 1_000  # characters of a name; more is no name
TOLD = 20  # faults of one kind that are told one by one
_LABEL = 60  # characters of a word in a fault
_WORDS = ("role", "category", "verb", "scope")
_DENY = ("deny", "denied", "forbid", "forbidden", "block", "refuse", "-", "no")
_LATENT = ("latent", "set", "set role", "set_role", "noinherit", "no inherit", "admin")
_INHERIT = ("inherit", "inherits", "inherited")
_ROWS: dict[str, Any] = {
    **dict.fromkeys(("account", "role", "category", "verb", "scope", "scope_key"), pl.String),
    **dict.fromkeys(("valid_from", "valid_to"), pl.Date),
    **dict.fromkeys(("role_known", "category_known", "verb_known", "scope_known"), pl.Boolean),
    **dict.fromkeys(("effect", "chain"), pl.String),
    "latent": pl.Boolean,
    "source": pl.String,
    "line": pl.Int64,
    "approver": pl.String,
    "holder": pl.String,
}
_MEMBERSHIPS: dict[str, Any] = {
    **dict.fromkeys(("member", "role"), pl.String),
    **dict.fromkeys(("valid_from", "valid_to"), pl.Date),
    **dict.fromkeys(("mode", "approver", "source"), pl.String),
    "line": pl.Int64,
}
_LISTED = {"name": pl.String, "pupil_id": pl.String}
_MEND = {
    "role_cycle": "take one of the memberships away",
    "grant_to_nobody": "take the grant away, or put the accounts that need it into the role",
    "unknown_role": "name it as reference/roles.toml does, or add it to the matrix of least privilege",
}


@dataclass(frozen=True)
class Fault:
    """Something wrong in the source of the grants; what it stands on is still counted."""

    id: str  # role_cycle, grant_to_nobody, unknown_scope, unknown_category, unknown_verb, unknown_role
    subject: str | None  # a role or a word of the file, cut to 60 characters; never an account
    why: str
    mend: str


@dataclass(frozen=True)
class Grants:
    """Grants as they reach accounts, and what they came from.

    ``rows`` has one line for each verb of each grant and account: ``account``; ``role``, the role that the account
    was given (in our word where there is one); ``category``, ``verb``, ``scope``, ``scope_key`` (of an explicit form
    such as ``class:7B``); ``valid_from``, ``valid_to`` (of the whole chain: the latest start, the earliest end);
    ``role_known``, ``category_known``, ``verb_known``, ``scope_known`` (a word that is not understood stands as it is,
    so marked); ``effect``, allow or deny; ``chain``, the roles from the account to the holder of the grant in the
    source's words, joined by " > ", null where the account itself was granted it; ``latent``, whether the account must
    first take on a role; ``source``, ``line`` (1 is the header) and ``approver``, where told; ``holder``, the role
    that holds it (the source's word), null for a grant outside any role.
    """

    rows: pl.DataFrame
    accounts: pl.DataFrame | None = None  # the columns of columns.accounts_of; None: not given
    memberships: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_MEMBERSHIPS))
    role_grants: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_ROWS))  # account and chain are null
    listed: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema={"name": pl.String, "pupil_id": pl.String})
    )
    faults: tuple[Fault, ...] = ()
    seen: int = 0  # grants in the source
    skipped: tuple[frames.Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> int:
        """Grants in hand: seen less skipped."""
        return self.seen - sum(each.rows for each in self.skipped)

    @property
    def held(self) -> pl.DataFrame:
        """Grants as they are held, by accounts (``account``) or by roles (``account`` null): what :func:`build` takes.

        The columns are those of ``rows`` but for chain and holder; ``role`` is the source's word. A chain that leads
        on from the holder was told by the source (Casbin), and not worked out from memberships.
        """
        told = pl.col("chain").is_null() | (pl.col("chain").str.starts_with(pl.col("holder") + BETWEEN)).fill_null(
            False
        )
        every = pl.concat([self.rows.filter(told), self.role_grants])
        return every.with_columns(role="holder").drop("chain", "holder", "role_known", "category_known", "verb_known")

    def rebuilt(
        self,
        held: pl.DataFrame | None = None,
        memberships: pl.DataFrame | None = None,
        accounts: pl.DataFrame | None = None,
    ) -> Grants:
        """The same with other grants, memberships or accounts in place of these, resolved anew; None: as they are."""
        new = build(
            self.held if held is None else held,
            self.memberships if memberships is None else memberships,
            self.accounts if accounts is None else accounts,
            listed=self.listed,
            name="grants",
        )
        return replace(new, seen=self.seen, skipped=self.skipped, notes=self.notes)

    @classmethod
    def from_frame(cls, rows: pl.DataFrame, accounts: pl.DataFrame | None = None, name: str = "grants") -> Grants:
        """Grants from a frame with the columns account, role, category, verb and scope, in any order.

        Notes
        -----
        A row without an account is skipped and counted. A date that cannot be read is taken as none, so that
        the grant counts as in force, and is noted.

        Raises
        ------
        FieldError
            A column is lacking.

        Examples
        --------
        >>> rows = {"account": ["a"], "role": ["SENDCo"], "category": ["FSM/PP"], "verb": ["rw"], "scope": ["?"]}
        >>> grants = Grants.from_frame(pl.DataFrame(rows))
        >>> grants.rows["verb"].to_list(), grants.rows["scope_known"].to_list(), grants.kept
        (['view', 'edit'], [False, False], 1)
        """
        from otrack_risk.access.grants import from_tables  # which is built on this module

        return from_tables([(name, rows, True)], accounts=accounts)

    @classmethod
    def from_dataset(cls, dataset: frames.Dataset) -> Grants:
        """Grants of a data set: its table ``grants`` (or its only table), and ``accounts`` and ``memberships``.

        Raises
        ------
        TableError
            Several tables, and none is called grants.
        """
        from otrack_risk.access.grants import together

        return together([dataset])

    def latest_day(self) -> date | None:
        """The last day on which the grants or accounts say that something happened; None where they hold no date.

        Raises
        ------
        ParameterError
            Grants have an end date and nothing else is dated, so no day can be told from them.
        """
        found = [self.rows["valid_from"].max()]
        if self.accounts is not None:
            found.append(self.accounts["last_login"].max())
        known = [day for day in found if isinstance(day, date)]
        if not known and self.rows["valid_to"].null_count() < self.rows.height:
            raise ParameterError("as_of: grants have an end date, and no day is given.", "name a day with --as-of.")
        return max(known, default=None)


def build(
    grants: pl.DataFrame,
    memberships: pl.DataFrame | None = None,
    accounts: pl.DataFrame | None = None,
    *,
    listed: pl.DataFrame | None = None,
    name: str,
    faults: Iterable[Fault] = (),
    notes: Iterable[str] = (),
    seen: int | None = None,
    skipped: Iterable[frames.Skipped] = (),
) -> Grants:
    """Grants resolved to accounts: words understood, roles in roles followed, faults of the source found.

    Parameters
    ----------
    grants : account (null: held by the role), role (null: outside any role), category, verb, scope; and, where told,
        valid_from, valid_to, effect (allow or deny), approver, source, line, latent, scope_key (scope is then the
        bare word)
    memberships : member, role; and, where told, valid_from, valid_to, mode (inherit or latent), approver, source,
        line. A member that is itself a role (of a grant or a membership) inherits; any other is an account. A name
        that is both is taken as both; an account holds the role of its own name only by a membership of itself.
    accounts : see :func:`~otrack_risk.access.columns.accounts_of`
    listed : name, pupil_id: the children whom the scope ``listed:NAME`` means
    name : of the source, for messages; never a directory
    seen, skipped : grants in the source, and those that the reader left out; None: those given

    Notes
    -----
    A row that names neither account nor role is skipped and counted. A date that cannot be read is taken as none
    (the grant counts as in force), an effect that is not understood as allow; both are noted. Faults are told one by
    one up to 20 of a kind.

    Raises
    ------
    FieldError
        A column is lacking.
    ParameterError
        A name of more than 1,000 characters; roles that inherit over more than 200 steps.

    Examples
    --------
    >>> held = {"account": [None], "role": ["slt"], "category": ["sen"], "verb": ["view"], "scope": ["school"]}
    >>> members = {"member": ["ann", "head"], "role": ["head", "slt"]}
    >>> grants = build(pl.DataFrame(held), pl.DataFrame(members), name="g")
    >>> grants.rows.select("account", "role", "chain", "verb").row(0)
    ('ann', 'headteacher', 'head > slt', 'view')
    """
    told = [*notes]
    text = _as_text(grants, ("account", "role", "category", "verb", "scope"), _ROWS, name, told)
    denied = _is(text["effect"], _DENY)
    strange = text["effect"].drop_nulls().str.to_lowercase().is_in([*_DENY, "allow", "allowed", "permit", "grant", "+"])
    if unread := int((~strange).sum()):
        told.append(f"{name}: of the effects, {unread:,} are not understood and count as allow.")
    text = text.with_columns(pl.when(denied).then(pl.lit("deny")).otherwise(pl.lit("allow")).alias("effect"))
    _note_reversed(text, name, "grants", told)
    nobody = text["account"].is_null() & text["role"].is_null()
    left_out = [*skipped]
    if nobody.any():
        left_out.append(frames.Skipped(name, int(nobody.sum()), "no account and no role"))
        text = text.filter(~nobody)
    held = _understood(text)
    faults = [*faults, *_strange_words(text, name, told)]
    members = _memberships(memberships, text, name, told)
    listing = None if accounts is None else accounts_of(accounts)
    direct = held.filter(pl.col("account").is_not_null())
    of_roles = held.filter(pl.col("account").is_null())
    got, more = _inherited(members, of_roles, direct, listing)
    return Grants(
        rows=pl.concat([direct, got]) if got.height else direct,
        accounts=listing,
        memberships=members,
        role_grants=of_roles,
        listed=_listed(listed),
        faults=tuple(dict.fromkeys([*faults, *more])),
        seen=grants.height if seen is None else seen,
        skipped=tuple(left_out),
        notes=tuple(told),
    )


def joined(several: Sequence[Grants]) -> Grants:
    """The grants of several sources as one; an account that two list is taken as the first of them lists it.

    Examples
    --------
    >>> joined([]).rows.height
    0
    """
    if not several:
        return Grants(pl.DataFrame(schema=_ROWS))
    accounts = [each.accounts for each in several if each.accounts is not None]
    return Grants(
        pl.concat([each.rows for each in several]),
        pl.concat(accounts).unique("account", keep="first", maintain_order=True) if accounts else None,
        pl.concat([each.memberships for each in several]),
        pl.concat([each.role_grants for each in several]),
        pl.concat([each.listed for each in several]).unique(maintain_order=True),
        tuple(dict.fromkeys(fault for each in several for fault in each.faults)),
        sum(each.seen for each in several),
        tuple(skip for each in several for skip in each.skipped),
        tuple(note for each in several for note in each.notes),
    )


def _as_text(
    table: pl.DataFrame, asked: Sequence[str], columns: dict[str, Any], name: str, notes: list[str]
) -> pl.DataFrame:
    """The table in the columns of ours that a source may tell: stripped text, "" as null, dates read."""
    if lacking := [column for column in asked if column not in table.columns]:
        raise FieldError(
            f"{name} has no column {', '.join(lacking)} (its columns: {', '.join(table.columns)}).",
            f"name the columns {', '.join(asked)}.",
        )
    given = {column: kind for column, kind in columns.items() if column in table.columns}
    text = table.select(
        pl.col(column).cast(pl.String).str.strip_chars().replace("", None) if kind == pl.String else pl.col(column)
        for column, kind in given.items()
    )
    _refuse_long(text, name)
    for column in ("valid_from", "valid_to"):
        if column in given:
            read = days(text[column])
            if unread := read.null_count() - text[column].null_count():
                notes.append(f"{name}: of the dates in '{column}', {unread:,} cannot be read and count as none.")
            text = text.with_columns(read)
    lacking_too = [pl.lit(None, kind).alias(column) for column, kind in columns.items() if column not in given]
    text = text.with_columns(lacking_too)
    return text.select(pl.col(column).cast(kind, strict=False) for column, kind in columns.items())


def _note_reversed(rows: pl.DataFrame, name: str, what: str, notes: list[str]) -> None:
    """Whatever ends before it begins is in force on no day; that is said, and the rows stay."""
    if number := int((rows["valid_to"] < rows["valid_from"]).fill_null(False).sum()):
        notes.append(f"{name}: of {rows.height:,} {what}, {number:,} end before they begin, and are never in force.")


def _refuse_long(text: pl.DataFrame, name: str) -> None:
    for column in text.columns:
        if text.schema[column] != pl.String:
            continue
        long = text[column].str.len_chars().fill_null(0) > LONGEST
        if long.any():
            raise ParameterError(
                f"{name}, row {int(long.arg_max() or 0) + 2}, column '{column}': over {LONGEST:,} letters.",
                "correct the row, or the separator of the file.",
            )


def _understood(text: pl.DataFrame) -> pl.DataFrame:
    """Words in ours where they are known, one line a verb."""
    role = _translate(text["role"], role_of)
    scope = _translate(text["scope"], lambda word: (found := scope_of(word)) and found[0])
    key = _translate(text["scope"], lambda word: (found := scope_of(word)) and found[1])
    category = _translate(text["category"], category_of)
    verb = _translate(text["verb"], lambda word: " ".join(found) if (found := verbs_of(word)) else None)

    def or_word(known: pl.Series, column: str) -> pl.Expr:
        return pl.coalesce(pl.lit(known), pl.col(column), pl.lit("(empty)")).alias(column)

    lines = text.with_columns(
        pl.col("role").alias("holder"),
        pl.coalesce(pl.lit(role), pl.col("role"), pl.lit(NO_ROLE)).alias("role"),
        or_word(category, "category"),
        or_word(scope, "scope"),
        pl.when(pl.lit(verb.is_not_null()))
        .then(pl.lit(verb).str.split(" "))
        .otherwise(pl.concat_list(pl.col("verb").fill_null("(empty)")))
        .alias("verb"),
        pl.coalesce(pl.lit(key), "scope_key").alias("scope_key"),
        pl.lit(role.is_not_null()).alias("role_known"),
        pl.lit(category.is_not_null()).alias("category_known"),
        pl.lit(verb.is_not_null()).alias("verb_known"),
        pl.lit(scope.is_not_null()).alias("scope_known"),
        pl.col("latent").fill_null(False),
    )
    return (
        lines.explode("verb")
        .with_columns(
            pl.when(pl.col("verb") == "none").then(pl.lit("none")).otherwise("scope").alias("scope"),
            (pl.col("scope_known") | (pl.col("verb") == "none")).alias("scope_known"),
        )
        .select(pl.col(column).cast(kind) for column, kind in _ROWS.items())
    )


def _translate(words: pl.Series, meaning: Callable[[str | None], str | None]) -> pl.Series:
    distinct = words.unique().to_list()
    known = {word: found for word in distinct if word is not None and (found := meaning(word)) is not None}
    return words.replace_strict(known, default=None, return_dtype=pl.String)


def _strange_words(text: pl.DataFrame, name: str, notes: list[str]) -> list[Fault]:
    """A note for each column with words that are not known, and a fault for each such word."""
    meaning: dict[str, Callable[[str | None], object]] = {
        "role": lambda word: word in (None, NO_ROLE) or role_of(word),
        "category": category_of,
        "verb": verbs_of,
        "scope": scope_of,
    }
    switched_off = _is(text["verb"], tuple(w for w in text["verb"].unique().to_list() if w and verbs_of(w) == ["none"]))
    faults = []
    for column in _WORDS:
        words = text.filter(~switched_off)[column] if column == "scope" else text[column]
        counts = dict(sorted(words.value_counts().iter_rows(), key=lambda pair: (-pair[1], pair[0] or "")))
        strange = {word: number for word, number in counts.items() if not meaning[column](word)}
        without_role = counts.get(None, 0) + counts.get(NO_ROLE, 0) if column == "role" else 0
        if total := sum(strange.values()) + without_role:
            of = f"{name}: of {text.height:,} grants, {total:,} have a {column} that is not known"
            notes.append(f"{of}; they are kept, as unknown.")
        mend = _MEND.get(f"unknown_{column}", "correct the word, or add it to reference/roles.toml")
        for place, (word, number) in enumerate(strange.items()):
            if place == TOLD:
                rest = f"{len(strange) - TOLD:,} more words that are not understood"
                faults.append(Fault(f"unknown_{column}", None, rest, mend))
                break
            shown = "(empty)" if word is None else _short(word)
            why = f"{number:,} {'grant has' if number == 1 else 'grants have'} a {column} that is not understood"
            faults.append(Fault(f"unknown_{column}", shown, why, mend))
    return faults


def _memberships(given: pl.DataFrame | None, text: pl.DataFrame, name: str, notes: list[str]) -> pl.DataFrame:
    if given is None:
        return pl.DataFrame(schema=_MEMBERSHIPS)
    members = _as_text(given, ("member", "role"), _MEMBERSHIPS, f"{name} (memberships)", notes)
    whole = members.drop_nulls(["member", "role"])
    if left := members.height - whole.height:
        notes.append(f"{name}: of {members.height:,} memberships, {left:,} name no member or no role and are left out.")
    _note_reversed(whole, name, "memberships", notes)
    modes = whole["mode"].drop_nulls().str.to_lowercase()
    if strange := int((~modes.is_in([*_LATENT, *_INHERIT])).sum()):
        notes.append(f"{name}: of the modes of memberships, {strange:,} are not understood and count as inherit.")
    held = text.filter(pl.col("account").is_null())["role"].unique().to_list()
    same = {word: held for word, held in _same(whole["role"].unique().to_list(), held).items() if word != held}
    latent = _is(whole["mode"], _LATENT)
    return whole.with_columns(
        pl.col("member", "role").replace(same),
        pl.when(latent).then(pl.lit("latent")).otherwise(pl.lit("inherit")).alias("mode"),
    )


def _same(words: Iterable[str], held: Iterable[str]) -> dict[str, str]:
    """Words that differ from the name of one role that holds grants by capitals and spaces alone, and that name."""
    exact: set[str] = set(held)
    plain: dict[str, list[str]] = {}
    for role in sorted(exact):
        plain.setdefault(" ".join(role.casefold().split()), []).append(role)
    found = {word: plain.get(" ".join(word.casefold().split()), []) for word in words if word not in exact}
    return {word: names[0] for word, names in found.items() if len(names) == 1}


def _inherited(
    members: pl.DataFrame, held: pl.DataFrame, direct: pl.DataFrame, listing: pl.DataFrame | None
) -> tuple[pl.DataFrame, list[Fault]]:
    """The grants of roles as they reach accounts, and what is wrong with the roles."""
    names = pl.concat([members["role"], held["holder"], direct["holder"]]).drop_nulls().unique()
    accounts = direct["account"] if listing is None else pl.concat([direct["account"], listing["account"]])
    certain = accounts.unique()
    is_role = pl.col("member").is_in(names.to_list())
    is_account = pl.col("member").is_in(certain.to_list()) | ~is_role
    of_itself = pl.col("member") == pl.col("role")
    edges = members.with_columns(latent=pl.col("mode") == "latent")
    of_accounts = edges.filter(is_account).rename({"member": "account"})
    of_roles = edges.filter(is_role & ~(is_account & of_itself))
    got = through_roles(of_accounts, of_roles, held.drop("account", "chain", "role", "role_known"))
    known = {word: found for word in of_accounts["role"].unique().to_list() if (found := role_of(word))}
    rows = got.with_columns(
        pl.col("first").replace_strict(known, default=pl.col("first"), return_dtype=pl.String).alias("role"),
        pl.col("first").is_in(list(known)).alias("role_known"),
    ).select(pl.col(column).cast(kind) for column, kind in _ROWS.items())
    faults = [
        Fault(
            "role_cycle",
            BETWEEN.join(_short(role) for role in (*way[:5], *(("...",) if len(way) > 6 else ()), *way[5:][-1:])),
            "these roles inherit from each other, so that each holds what all of them hold",
            _MEND["role_cycle"],
        )
        for way in cycles(of_roles)
    ]
    unheld = held.filter(pl.col("verb") != "none").join(rows, on="holder", how="anti").group_by("holder").len()
    empty = [(str(role), int(number)) for role, number in unheld.sort("holder").iter_rows()]
    for role, number in empty[:TOLD]:
        why = f"{number:,} {'grant is' if number == 1 else 'grants are'} held by a role that no account is in"
        faults.append(Fault("grant_to_nobody", _short(role), why, _MEND["grant_to_nobody"]))
    if len(empty) > TOLD:
        rest = f"{len(empty) - TOLD:,} more roles hold grants, and no account is in them"
        faults.append(Fault("grant_to_nobody", None, rest, _MEND["grant_to_nobody"]))
    return rows, faults


def _listed(given: pl.DataFrame | None) -> pl.DataFrame:
    if given is None:
        return pl.DataFrame(schema=_LISTED)
    return (
        given.select(pl.col("name", "pupil_id").cast(pl.String).str.strip_chars())
        .drop_nulls()
        .unique(maintain_order=True)
    )


def _is(words: pl.Series, some: Sequence[str]) -> pl.Series:
    return words.str.to_lowercase().is_in([word.lower() for word in some]).fill_null(False)


def _short(word: str) -> str:
    return word if len(word) <= _LABEL else f"{word[: _LABEL - 3]}..."
