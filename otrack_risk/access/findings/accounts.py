"""Checks of accounts: whose they are, whether they are still needed, how they log in, and who shares them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from otrack_risk.access.findings.asked import WHOLE, Asked
from otrack_risk.access.findings.checks import told, words
from otrack_risk.access.use import SCHOOL_DAYS
from otrack_risk.access.use.log import AT_ONCE, SLOT

_NOBODYS = ("service", "vendor", "public")  # kinds of account that are no person's
_SHORT = 2  # digits of a number after the name of a desk or class; more are a person's number
_SEEN = ("account", "last_login")


def of_accounts(asked: Asked) -> Iterator[pl.DataFrame]:
    """Findings of accounts; what could not be asked is noted in ``asked.unasked``."""
    yield from _leavers(asked)
    yield from _dormant(asked)
    yield from _orphans(asked)
    yield from _shared(asked)
    yield from _by_hand(asked)
    yield from _no_second_factor(asked)
    yield _of_trial(asked)


def _leavers(asked: Asked) -> Iterator[pl.DataFrame]:
    if reason := _no_leaving_day(asked):
        asked.unasked.update(dict.fromkeys(("leaver_enabled", "used_after_leaving"), reason))
        return
    persons = {} if asked.people is None else asked.people.persons
    ended = pl.concat(
        [
            known.filter(pl.col("ended") < asked.as_of).select(pl.lit(kind).alias("person_kind"), "person_id", "ended")
            for kind, known in persons.items()
        ]
    )
    gone = asked.accounts.join(ended, on=["person_kind", "person_id"])
    why = "the person's last day lies before this day"
    yield told(gone, "leaver_enabled", why, evidence=["account", "person_kind", "person_id", "ended"])
    if asked.used is None:
        asked.unasked["used_after_leaving"] = "no access log was read"
        return
    later = gone.join(asked.used.accounts.select("account", "last"), on="account").filter(
        pl.col("last") > pl.col("ended")
    )
    why = "the log has lines of days after the person's last one"
    yield told(later, "used_after_leaving", why, evidence=["account", "ended", "last"])


def _no_leaving_day(asked: Asked) -> str:
    if not asked.listed:
        return "no table of accounts was given"
    if asked.as_of is None:
        return "no day was given"
    return (
        "" if asked.people is not None and asked.people.persons else "no table of people with a leaving date was given"
    )


def _dormant(asked: Asked) -> Iterator[pl.DataFrame]:
    """An account sleeps when more than 90 school days lie after its last log-in, and up to the day."""
    used, log_tells = asked.used, asked.used is not None and not asked.used.look_back("term").reason
    told_logins = asked.accounts["last_login"].drop_nulls()
    if not asked.listed and not log_tells:
        asked.unasked["dormant_account"] = "no table of accounts was given"
    elif asked.as_of is None:
        asked.unasked["dormant_account"] = "no day was given"
    elif told_logins.is_empty() and not log_tells:
        asked.unasked["dormant_account"] = "no account has a day of its last log-in"
    if "dormant_account" in asked.unasked or asked.as_of is None:
        return
    awake_from = asked.terms.back(asked.as_of, SCHOOL_DAYS + 1)
    seen = asked.accounts.select(*_SEEN, never=pl.lit(value=False))
    if used is not None:
        granted = asked.held.group_by("account").agg(pl.col("valid_from").max())
        seen = (
            seen.join(used.accounts.select("account", "last"), on="account", how="left")
            .join(granted, on="account", how="left")
            .with_columns(
                # nothing tells of it at all, while the log tells of everybody and its grants are no newer
                never=pl.lit(log_tells)
                & pl.col("last").is_null()
                & pl.col("last_login").is_null()
                & (pl.col("valid_from") < awake_from).fill_null(value=True),
                last_login=pl.max_horizontal("last_login", "last"),
            )
        )
    asleep = seen.filter((pl.col("last_login") < awake_from) | pl.col("never")).filter(
        pl.col("account").is_in(asked.lines["account"].unique().to_list()) | ~pl.col("never")
    )
    wide = asked.lines.filter(~pl.col("scope").is_in(["none", "write_only", "aggregate", "own"])).select("account")
    why = f"no log-in on more than {SCHOOL_DAYS} school days"
    harmless = asleep.join(wide, on="account", how="anti")
    yield told(asleep.join(wide, on="account", how="semi"), "dormant_account", why, evidence=_SEEN)
    quiet = f"{why}; it sees its own child or nobody"
    yield told(harmless, "dormant_account", quiet, severity="low", evidence=_SEEN)


def _orphans(asked: Asked) -> Iterator[pl.DataFrame]:
    if not asked.listed:
        asked.unasked["orphan_account"] = "no table of accounts was given"
        return
    persons = {} if asked.people is None else asked.people.persons
    accounts, kind, person = asked.accounts, pl.col("person_kind"), pl.col("person_id")
    nameless = kind.is_null() | (kind.is_in(["staff", "guardian", "child"]) & person.is_null())
    found = [
        (accounts.filter(~pl.col("listed")), "grants are given to it, and the table of accounts does not list it"),
        (accounts.filter(pl.col("listed") & nameless), "the table of accounts names no person for it"),
    ]
    for of, known in persons.items():
        those = accounts.filter((kind == of) & person.is_not_null())
        found.append((those.join(known, on="person_id", how="anti"), "its person is in no table of people"))
    for rows, why in found:
        yield told(rows, "orphan_account", why, evidence=["account", "person_kind", "person_id"])


def _shared(asked: Asked) -> Iterator[pl.DataFrame]:
    of_people = asked.accounts.filter(~pl.col("person_kind").is_in(_NOBODYS).fill_null(value=False))
    names = of_people.with_columns(
        generic=pl.Series([_is_a(name, "generic") for name in of_people["account"]], dtype=pl.Boolean)
    )
    at_once = pl.DataFrame(schema={"account": pl.String, "together": pl.Int64})
    if asked.used is not None:
        at_once = asked.used.accounts.filter(pl.col("together") >= AT_ONCE).select("account", "together")
    why = (
        pl.when(pl.col("together").is_not_null())
        .then(pl.lit(f"the log has {AT_ONCE} or more of its clients within {SLOT} minutes"))
        .when(asked.told("shared").fill_null(value=False))
        .then(pl.lit("the table of accounts says that it is shared"))
        .otherwise(pl.lit("its name is that of a desk, a room or a device, and of no person"))
    )
    all_of_them = names.join(at_once, on="account", how="left")
    found = all_of_them.filter(
        pl.col("generic") | pl.col("together").is_not_null() | asked.told("shared").fill_null(value=False)
    )
    yield told(found.with_columns(why=why), "shared_account", pl.col("why"), evidence=["account", "together", "why"])


def _by_hand(asked: Asked) -> Iterator[pl.DataFrame]:
    service = (pl.col("person_kind") == "service").fill_null(value=False) | asked.told("service").fill_null(value=False)
    some = asked.accounts.with_columns(asked.told("interactive")).filter(service)
    by_log = asked.used is not None and "client" in asked.used.has
    if not asked.listed:
        asked.unasked["service_interactive"] = "no table of accounts was given"
        return
    if some.height and not by_log and not some["interactive"].drop_nulls().len():
        asked.unasked["service_interactive"] = "neither a log nor the table of accounts tells how a service logs in"
        return
    in_log = pl.DataFrame(schema={"account": pl.String, "hand": pl.Int64})
    if asked.used is not None:
        in_log = asked.used.accounts.filter(pl.col("interactive") > 0).select("account", hand="interactive")
    found = some.join(in_log, on="account", how="left").filter(
        pl.col("hand").is_not_null() | pl.col("interactive").fill_null(value=False)
    )
    why = (
        pl.when(pl.col("hand").is_not_null())
        .then(pl.lit("the log has lines of it from a client at which somebody sits"))
        .otherwise(pl.lit("the table of accounts allows it a log-in by hand"))
    )
    yield told(found, "service_interactive", why, evidence=["account", "hand", "interactive"])


def _no_second_factor(asked: Asked) -> Iterator[pl.DataFrame]:
    factor = asked.accounts.select("account", asked.told("mfa"))
    if factor["mfa"].null_count() == factor.height:
        asked.unasked["no_mfa"] = "no account says whether it has a second factor"
        return
    without = factor.filter(~pl.col("mfa")).select("account")
    open_door = (pl.col("role") == "public") | (pl.col("person_kind") == "public").fill_null(value=False)
    wide = asked.reads.filter(pl.col("scope").is_in(WHOLE), ~open_door)
    yield told(wide.join(without, on="account", how="semi"), "no_mfa", "a password alone opens a whole school or more")


def _of_trial(asked: Asked) -> pl.DataFrame:
    names = asked.reads["account"].unique().to_list()
    trial = [name for name in names if _is_a(name, "test")]
    by_kind = (pl.col("person_kind") == "test").fill_null(value=False)
    found = asked.reads.filter(pl.col("account").is_in(trial) | by_kind)
    return told(found, "test_account", "its name or kind is that of a trial, and its grants show children")


def _is_a(account: str, kind: str) -> bool:
    """Whether a log-in is named for no person.

    A generic name has no other word than generic ones, a letter, and numbers of at most two digits; a test name has
    one word of a trial.

    Examples
    --------
    >>> [_is_a(name, "generic") for name in ("class7b", "Office@school.example", "admin-2", "class-00012", "f.office")]
    [True, True, True, False, True]
    >>> _is_a("ann.test2", "test"), _is_a("ann.tester-smith", "generic"), _is_a("protest", "test")
    (True, False, False)
    """
    parts = re.findall(r"[^\W\d_]+|\d+", account.partition("@")[0].lower())
    known = [part in words("log_in", kind) for part in parts]
    if kind == "test":
        return any(known)
    rest = [part for part, is_word in zip(parts, known, strict=True) if not is_word]
    return any(known) and all(len(part) <= (_SHORT if part.isdigit() else 1) for part in rest)
