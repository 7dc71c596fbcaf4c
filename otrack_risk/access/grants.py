"""Read grants into one model: account, role, category, verb, scope, and the days on which they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from otrack_risk import frames
from otrack_risk.access.words import NO_ROLE, category_of, role_of, scope_of, verbs_of
from otrack_risk.errors import FieldError, ParameterError, TableError

# What a header may be called; compared in small letters with _ for spaces.
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "account": ("account", "user", "username", "user_name", "login", "log_in", "account_name", "user_id"),
    "role": ("role", "role_name", "business_role", "permission_group", "user_group"),
    "category": ("category", "data_category", "area", "data", "data_area"),
    "verb": ("verb", "permission", "access", "action", "right", "access_level"),
    "scope": ("scope", "reach", "which", "whose", "students"),
    "valid_from": ("valid_from", "from", "start", "start_date", "starts", "from_date"),
    "valid_to": ("valid_to", "to", "until", "end", "end_date", "ends", "expires", "expiry_date", "to_date"),
}
_ASKED = ("account", "role", "category", "verb", "scope")
_ON = ("true", "t", "yes", "y", "1", "enabled", "active")
_OFF = ("false", "f", "no", "n", "0", "disabled", "inactive", "locked")


@dataclass(frozen=True)
class Grants:
    """Grants in hand, and the accounts they were given to.

    ``rows`` has one line for each verb of each grant: ``account``, ``role``, ``category``, ``verb``, ``scope``,
    ``scope_key`` (of an explicit form such as ``class:7B``), ``valid_from``, ``valid_to``, and ``role_known``,
    ``category_known``, ``verb_known``, ``scope_known``: a word that is not understood stands as it is, so marked.
    """

    rows: pl.DataFrame
    accounts: pl.DataFrame | None  # account, person_kind, person_id, school_id, enabled, last_login; None: not given
    seen: int  # grants in the file
    skipped: tuple[frames.Skipped, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> int:
        """Grants in hand: seen less skipped."""
        return self.seen - sum(each.rows for each in self.skipped)

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
        found = _found(rows, name)
        text = rows.select(
            *(pl.col(found[column]).cast(pl.String).str.strip_chars().alias(column) for column in _ASKED),
            *(
                pl.col(found[column]).alias(column) if column in found else pl.lit(None, pl.Date).alias(column)
                for column in ("valid_from", "valid_to")
            ),
        )
        notes = []
        for column in ("valid_from", "valid_to"):
            days = _days(text[column])
            unread = days.null_count() - text[column].null_count()
            if unread:
                notes.append(f"{name}: of the dates in '{column}', {unread:,} cannot be read and count as none.")
            text = text.with_columns(days)
        nobody = int(text.select((pl.col("account").fill_null("") == "").sum()).item())
        skipped = (frames.Skipped(name, nobody, "no account"),) if nobody else ()
        lines = _understood(text.filter(pl.col("account").fill_null("") != ""))
        for word in ("role", "category", "verb", "scope"):
            if strange := int(lines.select((~pl.col(f"{word}_known")).sum()).item()):
                of = f"{name}: of {lines.height:,} grants, {strange:,} have a {word} that is not known"
                notes.append(f"{of}; they are kept, as unknown.")
        return cls(lines, None if accounts is None else accounts_of(accounts), rows.height, skipped, tuple(notes))

    @classmethod
    def from_dataset(cls, dataset: frames.Dataset) -> Grants:
        """Grants of a data set: its table ``grants`` (or its only table), and ``accounts`` where it has one.

        Raises
        ------
        TableError
            Several tables, and none is called grants.
        """
        if "grants" not in dataset.tables and len(dataset.tables) > 1:
            raise TableError(
                f"{dataset.name} has no table 'grants' (its tables: {', '.join(dataset.tables)}).",
                "give a file of grants.",
            )
        table = dataset.table("grants" if "grants" in dataset.tables else None)
        accounts = dataset.tables.get("accounts")
        read = cls.from_frame(table.rows, None if accounts is None else accounts.rows, table.name)
        return cls(read.rows, read.accounts, table.seen, (*table.skipped, *read.skipped), read.notes)

    def latest_day(self) -> date | None:
        """The last day on which the grants or accounts say that something happened; None where they hold no date.

        Raises
        ------
        ParameterError
            Grants have an end date and nothing else is dated, so no day can be told from them.
        """
        days = [self.rows["valid_from"].max()]
        if self.accounts is not None:
            days.append(self.accounts["last_login"].max())
        known = [day for day in days if isinstance(day, date)]
        if not known and self.rows["valid_to"].null_count() < self.rows.height:
            raise ParameterError("as_of: grants have an end date, and no day is given.", "name a day with --as-of.")
        return max(known, default=None)


def read_grants(paths: Sequence[str | Path], *, null_values: Sequence[str] = ()) -> Grants:
    """Grants from files, or from a synthetic world's folder (its tables grants and accounts).

    Raises
    ------
    FileError, TableError, FieldError
        A file that cannot be read, holds no grants, or lacks a column.
    """
    found = [
        _administration(path, null_values) if path.is_dir() else frames.read(path, null_values=null_values)
        for path in map(Path, paths)
    ]
    return together(found)


def together(datasets: Sequence[frames.Dataset]) -> Grants:
    """The grants of several files as one.

    A single table with the columns of accounts (``account``, and ``enabled``, ``last_login`` or ``person_kind``) and
    no ``verb`` is taken as the accounts.

    Raises
    ------
    TableError
        No file holds grants.
    """
    granted: list[Grants] = []
    accounts: list[pl.DataFrame] = []
    for dataset in datasets:
        rows = next(iter(dataset.tables.values())).rows
        if len(dataset.tables) == 1 and "verb" not in rows.columns and _about_accounts(rows.columns):
            accounts.append(accounts_of(rows))
        else:
            granted.append(Grants.from_dataset(dataset))
    if not granted:
        raise TableError("no file of grants was given.", "name a CSV with account, role, category, verb and scope.")
    accounts += [each.accounts for each in granted if each.accounts is not None]
    return Grants(
        pl.concat([each.rows for each in granted]),
        pl.concat(accounts).unique("account", keep="first", maintain_order=True) if accounts else None,
        sum(each.seen for each in granted),
        tuple(skip for each in granted for skip in each.skipped),
        tuple(note for each in granted for note in each.notes),
    )


def accounts_of(table: pl.DataFrame) -> pl.DataFrame:
    """A table of accounts in our columns; an account that nobody says is switched off can be used.

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

    switched = text("enabled").str.to_lowercase()
    return (
        table.with_columns(
            _days(table["last_login"]) if "last_login" in table.columns else pl.lit(None, pl.Date).alias("last_login")
        )
        .select(
            text("account"),
            text("person_kind").str.to_lowercase(),
            text("person_id"),
            text("school_id"),
            ~switched.is_in(_OFF).fill_null(False).alias("enabled"),  # in doubt it can be used
            pl.col("last_login"),
        )
        .filter(pl.col("account").is_not_null())
        .unique("account", keep="first", maintain_order=True)
    )


def _administration(folder: Path, null_values: Sequence[str]) -> frames.Dataset:
    tables = dict(frames.read(folder, table="grants", null_values=null_values).tables)
    with suppress(TableError):  # without accounts, leavers and log-ins are not looked for
        tables |= frames.read(folder, table="accounts", null_values=null_values).tables
    return frames.Dataset(folder.name, tables)


def _about_accounts(columns: Sequence[str]) -> bool:
    return "account" in columns and not {"enabled", "last_login", "person_kind"}.isdisjoint(columns)


def _found(rows: pl.DataFrame, name: str) -> dict[str, str]:
    plain: dict[str, str] = {}
    for column in rows.columns:
        plain.setdefault(column.strip().lower().replace(" ", "_").replace("-", "_"), column)
    found = {
        wanted: plain[next(header for header in headers if header in plain)]
        for wanted, headers in _HEADERS.items()
        if any(header in plain for header in headers)
    }
    if lacking := [column for column in _ASKED if column not in found]:
        raise FieldError(
            f"{name} has no column {', '.join(lacking)} (its columns: {', '.join(rows.columns)}).",
            f"a file of grants has the columns {', '.join(_ASKED)}, and valid_from and valid_to where grants end.",
        )
    return found


def _days(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Date:
        return column
    if column.dtype != pl.String:
        return column.cast(pl.Date, strict=False)
    text = column.str.strip_chars().str.slice(0, 10)
    iso = text.str.to_date("%Y-%m-%d", strict=False)
    return iso.zip_with(iso.is_not_null(), text.str.to_date("%d/%m/%Y", strict=False)).alias(column.name)


def _understood(text: pl.DataFrame) -> pl.DataFrame:
    role = _translate(text["role"], role_of)
    scope = _translate(text["scope"], lambda word: (found := scope_of(word)) and found[0])
    key = _translate(text["scope"], lambda word: (found := scope_of(word)) and found[1])
    category = _translate(text["category"], category_of)
    verb = _translate(text["verb"], lambda word: " ".join(found) if (found := verbs_of(word)) else None)

    def or_word(known: pl.Series, column: str) -> pl.Expr:
        return pl.coalesce(pl.lit(known), pl.col(column), pl.lit("(empty)")).alias(column)

    lines = text.with_columns(
        pl.coalesce(pl.lit(role), pl.when(pl.col("role") != "").then("role"), pl.lit(NO_ROLE)).alias("role"),
        or_word(category, "category"),
        or_word(scope, "scope"),
        pl.when(pl.lit(verb.is_not_null()))
        .then(pl.lit(verb).str.split(" "))
        .otherwise(pl.concat_list(pl.col("verb").fill_null("(empty)")))
        .alias("verb"),
        pl.lit(key).cast(pl.String).alias("scope_key"),
        pl.lit(role.is_not_null()).alias("role_known"),
        pl.lit(category.is_not_null()).alias("category_known"),
        pl.lit(verb.is_not_null()).alias("verb_known"),
        pl.lit(scope.is_not_null()).alias("scope_known"),
    )
    return lines.explode("verb").with_columns(
        pl.when(pl.col("verb") == "none").then(pl.lit("none")).otherwise("scope").alias("scope"),
        (pl.col("scope_known") | (pl.col("verb") == "none")).alias("scope_known"),
    )


def _translate(words: pl.Series, meaning: Callable[[str | None], str | None]) -> pl.Series:
    distinct = words.unique().to_list()
    known = {word: found for word in distinct if word is not None and (found := meaning(word)) is not None}
    return words.replace_strict(known, default=None, return_dtype=pl.String)
