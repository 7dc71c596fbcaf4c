"""What a file of grants, memberships or accounts may call its columns, and how days and switches are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from otrack_risk.errors import FieldError

GRANT = ("account", "role", "category", "verb", "scope")
MEMBERSHIP = ("member", "role")
# What a header may be called; compared in small letters with _ for spaces.
_DATED: Mapping[str, tuple[str, ...]] = {
    "valid_from": ("valid_from", "from", "start", "start_date", "starts", "from_date"),
    "valid_to": ("valid_to", "to", "until", "end", "end_date", "ends", "expires", "expiry_date", "to_date"),
    "approver": ("approver", "approved_by", "granted_by", "grantor"),
}
_ACCOUNT = ("account", "user", "username", "user_name", "login", "log_in", "account_name", "user_id")
_GRANT: Mapping[str, tuple[str, ...]] = {
    "account": _ACCOUNT,
    "role": ("role", "role_name", "business_role", "permission_group", "user_group"),
    "category": ("category", "data_category", "area", "data", "data_area"),
    "verb": ("verb", "permission", "access", "action", "right", "access_level"),
    "scope": ("scope", "reach", "which", "whose", "students"),
    "effect": ("effect", "allow_or_deny", "rule"),
    **_DATED,
}
_MEMBERSHIP: Mapping[str, tuple[str, ...]] = {
    "member": ("member", *_ACCOUNT),
    "role": ("inherits", "member_of", *_GRANT["role"]),
    "mode": ("mode", "inheritance"),
    **_DATED,
}
_ON = ("true", "t", "yes", "y", "1", "enabled", "active")
_OFF = ("false", "f", "no", "n", "0", "disabled", "inactive", "locked")
_SWITCHES = ("mfa", "service", "interactive", "shared")
_OF_ACCOUNTS = {"enabled", "last_login", "person_kind"}


def grant_columns(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """A table of grants in our columns: those of ``GRANT``, and effect, approver and the dates where it has them.

    Raises
    ------
    FieldError
        A column is lacking.
    """
    found = _found(rows, _GRANT)
    if lacking := [column for column in GRANT if column not in found]:
        raise FieldError(
            f"{name} has no column {', '.join(lacking)} (its columns: {', '.join(rows.columns)}).",
            f"a file of grants has the columns {', '.join(GRANT)}, and valid_from and valid_to where grants end.",
        )
    return rows.select(pl.col(given).alias(wanted) for wanted, given in found.items())


def membership_columns(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """A table of memberships in our columns: member, role, and mode, approver and the dates where it has them.

    Raises
    ------
    FieldError
        A column is lacking.
    """
    found = _members(rows)
    if lacking := [column for column in MEMBERSHIP if column not in found]:
        raise FieldError(
            f"{name} has no column {', '.join(lacking)} (its columns: {', '.join(rows.columns)}).",
            "a file of memberships has the columns member and role.",
        )
    return rows.select(pl.col(given).alias(wanted) for wanted, given in found.items())


def holds_memberships(columns: Sequence[str]) -> bool:
    """Whether a table says who is in which role, and not what the role may do.

    Examples
    --------
    >>> holds_memberships(["user", "role"]), holds_memberships(["user", "role", "verb"])
    (True, False)
    """
    table = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    return set(MEMBERSHIP) <= set(_members(table)) and not {"verb", "category"} & set(_found(table, _GRANT))


def holds_accounts(columns: Sequence[str]) -> bool:
    """Whether a table is one of accounts."""
    return "account" in columns and "verb" not in columns and not _OF_ACCOUNTS.isdisjoint(columns)


def days(column: pl.Series) -> pl.Series:
    """A column as dates: ISO or day/month/year; null where it cannot be read.

    Examples
    --------
    >>> days(pl.Series(["2026-01-31", "31/01/2026", "summer"])).to_list()
    [datetime.date(2026, 1, 31), datetime.date(2026, 1, 31), None]
    """
    if column.dtype == pl.Date:
        return column
    if column.dtype != pl.String:
        return column.cast(pl.Date, strict=False)
    text = column.str.strip_chars().str.slice(0, 10)
    iso = text.str.to_date("%Y-%m-%d", strict=False)
    return iso.zip_with(iso.is_not_null(), text.str.to_date("%d/%m/%Y", strict=False)).alias(column.name)


def accounts_of(table: pl.DataFrame) -> pl.DataFrame:
    """A table of accounts in our columns; an account that nobody says is switched off can be used.

    Returns
    -------
    account, person_kind, person_id, school_id, enabled (bool), last_login (date); and mfa, service, interactive,
    shared (bool), created (date): null where the table does not tell

    Raises
    ------
    FieldError
        No column ``account``.
    """
    if "account" not in table.columns:
        raise FieldError("accounts has no column account.", "name the column of log-in names 'account'.")

    def text(column: str) -> pl.Expr:
        given = pl.col(column).cast(pl.String).str.strip_chars() if column in table.columns else pl.lit(None, pl.String)
        return given.alias(column)

    def switch(column: str) -> pl.Expr:
        plain = text(column).str.to_lowercase()
        return pl.when(plain.is_in(_ON)).then(pl.lit(True)).when(plain.is_in(_OFF)).then(pl.lit(False)).alias(column)

    def day(column: str) -> pl.Expr:
        return (pl.lit(days(table[column])) if column in table.columns else pl.lit(None, pl.Date)).alias(column)

    return (
        table.select(
            text("account"),
            text("person_kind").str.to_lowercase(),
            text("person_id"),
            text("school_id"),
            ~text("enabled").str.to_lowercase().is_in(_OFF).fill_null(False).alias("enabled"),  # in doubt it works
            day("last_login"),
            *map(switch, _SWITCHES),
            day("created"),
        )
        .filter(pl.col("account").is_not_null())
        .unique("account", keep="first", maintain_order=True)
    )


def unread(table: pl.DataFrame, name: str) -> list[str]:
    """What :func:`accounts_of` does not take as it is written in a table of accounts, as sentences.

    Examples
    --------
    >>> unread(pl.DataFrame({"account": ["a", "a", None], "enabled": ["yes", "perhaps", "no"]}), "accounts")[0]
    'accounts: of 3 accounts, 1 have no name and are left out.'
    """
    words = {column: table[column].cast(pl.String).str.strip_chars().replace("", None) for column in table.columns}
    told, of = [], f"{name}: of {table.height:,} accounts"
    if nameless := words["account"].null_count():
        told.append(f"{of}, {nameless:,} have no name and are left out.")
    if again := table.height - nameless - words["account"].drop_nulls().n_unique():
        told.append(f"{of}, {again:,} are listed before; the first line of each counts.")
    if "enabled" in words:
        strange = ~words["enabled"].drop_nulls().str.to_lowercase().is_in([*_ON, *_OFF])
        if number := int(strange.sum()):
            told.append(f"{of}, {number:,} have an 'enabled' that is not understood; they count as enabled.")
    for column in ("last_login", "created"):
        if column in words and (number := days(table[column]).null_count() - words[column].null_count()) > 0:
            told.append(f"{name}: of the dates in '{column}', {number:,} cannot be read and count as none.")
    return told


def _members(rows: pl.DataFrame) -> dict[str, str]:
    """Columns of memberships; in a table of role and inherits it is the role that inherits."""
    found = _found(rows, _MEMBERSHIP)
    role = _found(rows, _GRANT).get("role")
    return found if "member" in found or role in (None, found.get("role")) else {"member": str(role), **found}


def _found(rows: pl.DataFrame, headers: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    plain: dict[str, str] = {}
    for column in rows.columns:
        plain.setdefault(column.strip().lower().replace(" ", "_").replace("-", "_"), column)
    return {
        wanted: plain[next(header for header in known if header in plain)]
        for wanted, known in headers.items()
        if any(header in plain for header in known)
    }
