"""A year of who looked at what, and grants for an occasion; with events planted that a review should find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from otrack_risk import reference, schema
from otrack_risk.synth.draw import Bools, Floats, Ints, choose_by, gather, numbers
from otrack_risk.synth.targets import assumed, assumptions
from otrack_risk.synth.terms import school_days

if TYPE_CHECKING:
    from otrack_risk.synth.draw import Chance
    from otrack_risk.synth.town import Town

YEAR = 365  # days of log, the last of them the day on which the world is seen
_KINDS = ("staff", "guardian", "child")  # of account; those of nobody come after
COLUMNS = ("log_id", "account", "at", "category", "verb", "pupil_id", "school_id", "rows", "client")
_WHO = ("staff", "register", "family", "pupil", "vendor", "service", "census")  # the entries of log_when
_CENSUS = ("ethnicity", "fsm_pp", "sen", "identity")  # taken away three times a year
_OWN, _GROUP, _COHORT = range(3)  # lists that an account has of its own; then come registers, then schools
_CURIOUS = ("identity", "contact", "sen", "free_text", "behaviour", "images")
_APART = 10**9  # between the keys of accounts of different kinds
_FIRST = {"usual": 0, "after": 90_000, "again": 91_000, "over": 92_000, "taken": 93_000}  # number of the first access
_CLIENTS = ("web", "app", "remote", "api", "report")


def make_ad_hoc(chance: Chance, town: Town) -> pl.DataFrame:
    """Grants for an occasion: to be added to ``grants``, and made before the log.

    Leaders of a trip see medical notes for two weeks, assistants cover a class or sit with pupils in an exam, a
    psychologist of the authority reads of the register. Some are over, some run; of those that are over some never
    got an end date and are in force still: planted.

    Returns
    -------
    account, role, category, verb, scope, valid_from, valid_to, as in ``grants``
    """
    today = np.datetime64(town.plan.as_of, "D")
    settled = town.plan.as_of - timedelta(days=YEAR)
    able = town["accounts"].join(
        town["staff"].select("staff_id", "job", "started_on", "ended_on"),
        left_on="person_id",
        right_on="staff_id",
        maintain_order="left",
    )
    able = able.filter(pl.col("enabled"), pl.col("ended_on").is_null(), pl.col("started_on") <= settled)
    made = []
    for occasion in assumptions("ad_hoc"):
        some = able.filter(pl.col("job") == occasion["job"])
        what, key, days = f"ad_hoc.{occasion['occasion']}", numbers(some["account"]), int(occasion["days"])
        few = _some(chance.of(what, key), occasion["share"])
        some, key = some[few], key[few]
        runs = chance.of(f"{what}.runs", key) < assumed("ad_hoc_running")
        ago = np.where(runs, chance.whole(f"{what}.begun", days, key), days + chance.whole(f"{what}.ago", 240, key))
        start = today - ago
        endless = ~runs & (chance.of(f"{what}.endless", key) < assumed("ad_hoc_without_end"))
        held = some.select("account", role="job").with_columns(
            pl.Series("valid_from", start), pl.Series("valid_to", start + (days - 1)).set(pl.Series(endless), None)
        )
        cells = pl.DataFrame(
            [cell.split() for cell in occasion["cells"]],
            schema={"category": pl.String, "verb": pl.String},
            orient="row",
        )
        made.append(held.join(cells, how="cross").with_columns(scope=pl.lit(occasion["scope"])))
    columns = ("account", "role", "category", "verb", "scope", "valid_from", "valid_to")
    return pl.concat([rows.select(columns) for rows in made])


def make_access_log(chance: Chance, town: Town) -> tuple[pl.DataFrame, dict[str, int]]:
    """Accesses of the year up to ``as_of``, in order of time, and how often each event is planted.

    Accounts are used as heavily as their role (numbers of a heavy tail, bounded), on school days and in working hours
    for the most part, never after ``last_login``; every access is within a grant that is in force, and of a
    child whom the grant reaches and who is on roll that day. Many grants are not used at all. A group is today's
    group in the whole year, since last year's classes are not held, and a list is as long as it is today. An account
    that needs no log-in leaves no trace.

    Four things go beyond: the supplier takes everything away in one night; some who left log in still; some staff
    look one child up again and again; some use a grant for an occasion after its end.

    Returns
    -------
    log, planted : log_id, account, at (to the second), category, verb, pupil_id (null: a list, totals or an export),
        school_id, rows (children shown; 0 for totals), client; event -> accounts (of the supplier: rows)
    """
    held = _held(chance, town)
    parts = {
        "usual": _usual(chance, held),
        "after": _after_the_end(chance, held),
        "again": _one_child_again(chance, held),
        "over": _after_the_grant(chance, held),
        "taken": _taken_at_night(chance, town, held),
    }
    forgotten = held.cells.filter(
        pl.col("valid_to").is_null(), pl.col("valid_from") > pl.col("first"), pl.col("person_kind") == "staff"
    )
    planted = {
        "exports_at_night_by_the_supplier": parts["taken"].height,
        "leavers_who_still_log_in": parts["after"]["account"].n_unique(),
        "staff_who_look_one_child_up_again_and_again": parts["again"]["account"].n_unique(),
        "ad_hoc_grants_used_after_their_end": parts["over"]["account"].n_unique(),
        "ad_hoc_grants_without_an_end": forgotten["account"].n_unique(),
    }
    return pl.concat(parts.values()).sort("at", "log_id").select(COLUMNS), planted


def last_logins(accounts: pl.DataFrame, log: pl.DataFrame) -> pl.DataFrame:
    """The accounts, with the day of the last access as ``last_login`` where that is later: of leavers who log in."""
    seen = log.group_by("account").agg(pl.col("at").max().dt.date().alias("seen"))
    return (
        accounts.join(seen, on="account", how="left", maintain_order="left")
        .with_columns(last_login=pl.max_horizontal("last_login", "seen"))
        .drop("seen")
    )


@dataclass(frozen=True)
class _Held:
    """What the accesses of a town are drawn from. Days are counted from the first of the year, 0 to 364."""

    since: date
    accounts: pl.DataFrame  # those used in the year: account, kind, role, key, low, high, often, plain, ...
    cells: pl.DataFrame  # what they are granted, account after account: of, weight, begins, ends, list, ...
    pupils: pl.DataFrame  # pupil_id, school_id, admitted, left
    begin: Ints  # of each list, its first child among members
    length: Ints
    present: Ints  # of these, on roll today
    members: Ints  # places of children, list after list
    schools: int  # how many; their lists are the last
    when: Floats  # weight of the days before each day, one row for each of _WHO
    hours: Floats
    clients: Floats


def _held(chance: Chance, town: Town) -> _Held:
    since = town.plan.as_of - timedelta(days=YEAR - 1)
    accounts = _used(town, since)
    pupils, begin, length, members = _lists(town, accounts, since)
    n, schools = accounts.height, town["schools"].height
    accounts = accounts.with_columns(pl.Series("teaches", length[3 * np.arange(n) + _GROUP] > 0))
    cells = _granted(chance, town, accounts, since)
    accounts = _frequencies(chance, accounts, cells)
    today = np.concatenate([[0], np.cumsum((pupils["left"] == YEAR).to_numpy()[members])])
    present = today[begin + length] - today[begin]
    return _Held(since, accounts, cells, pupils, begin, length, present, members, schools, *_calendar(since))


def _used(town: Town, since: date) -> pl.DataFrame:
    """Accounts that were logged in to within the year: ``of`` numbers them, ``key`` is what their chance is keyed by.

    With the place of the school, null for none, and ``low`` and ``high``, the days of the first grant and last log-in.
    """
    roles = pl.DataFrame(assumptions("log_use")).select("role", "a_year", "who")
    taught = [entry["name"] for entry in reference.load("roles").entries["role"] if entry.get("taught")]
    schools = town["schools"].select("school_id").with_row_index("school").cast({"school": pl.Int64})
    granted = (
        town["grants"]
        .group_by("account")
        .agg(pl.col("role").first(), pl.col("valid_from").min().alias("first"), pl.len().alias("grants"))
    )
    ended = town["staff"].select("staff_id", "ended_on")
    used = (
        town["accounts"]
        .filter(pl.col("last_login") >= since)
        .join(granted, on="account", maintain_order="left")
        .join(roles, on="role", maintain_order="left")
        .join(schools, on="school_id", how="left", maintain_order="left")
        .join(ended, left_on="person_id", right_on="staff_id", how="left", maintain_order="left")
        .with_row_index("of")
    )
    if schools.height == 1:
        used = used.with_columns(school=pl.lit(0, pl.Int64))
    kind = pl.col("person_kind").replace_strict(
        {name: place for place, name in enumerate(_KINDS, start=1)}, default=0, return_dtype=pl.Int64
    )
    number = pl.col("account").str.replace_all(r"\D", "").cast(pl.Int64, strict=False)
    return used.with_columns(
        pl.col("of").cast(pl.Int64),
        (kind * _APART + pl.when(kind > 0).then(number).otherwise(10 * town.number + kind.cum_count())).alias("key"),
        pl.col("role").is_in(taught).alias("taught"),
        (pl.col("first") - since).dt.total_days().clip(0, YEAR).alias("low"),
        (pl.col("last_login") - since).dt.total_days().clip(0, YEAR - 1).alias("high"),
    )


def _lists(town: Town, accounts: pl.DataFrame, since: date) -> tuple[pl.DataFrame, Ints, Ints, Ints]:
    """Children on roll within the year, and lists: three an account, two registers and the roll a school."""
    pupils = (
        town["pupils"]
        .filter(pl.col("left_on").is_null() | (pl.col("left_on") >= since))
        .select(
            "pupil_id", "school_id", "class_id", "year_group", "sen_provision", "looked_after",
            (pl.col("admitted_on") - since).dt.total_days().clip(0, YEAR).alias("admitted"),
            (pl.col("left_on") - since).dt.total_days().fill_null(YEAR).alias("left"),
        )
        .with_row_index("child")
        .join(town["schools"].select("school_id").with_row_index("school"), on="school_id", maintain_order="left")
        .cast({"child": pl.Int64, "school": pl.Int64})
    )  # fmt: skip
    person = accounts.select("of", "person_id")
    teach = person.join(town["staff_classes"], left_on="person_id", right_on="staff_id")
    years = teach.join(town["classes"], on="class_id").select("of", "school_id", "year_group").unique()
    same_year = pl.col("year_group").cast(pl.Int64)
    oneself = person.join(pupils, left_on="person_id", right_on="pupil_id")
    parents = person.join(town["pupil_guardians"], left_on="person_id", right_on="guardian_id").join(
        pupils, on="pupil_id"
    )
    base = 3 * accounts.height
    need = pl.col("sen_provision") != "N"
    several = [
        oneself.select(pl.col("of") * 3 + _OWN, "child"),
        parents.select(pl.col("of") * 3 + _OWN, "child"),
        teach.join(pupils, on="class_id").select(pl.col("of") * 3 + _GROUP, "child").unique(),
        years.with_columns(same_year)
        .join(pupils.with_columns(same_year), on=["school_id", "year_group"])
        .select(pl.col("of") * 3 + _COHORT, "child"),
        pupils.filter(need).select(pl.col("school").alias("of") * 2 + base, "child"),
        pupils.filter(need | pl.col("looked_after")).select(pl.col("school").alias("of") * 2 + (base + 1), "child"),
        pupils.select(pl.col("school").alias("of") + (base + 2 * town["schools"].height), "child"),
    ]
    pairs = pl.concat(several).sort("of", "child")
    every = np.arange(base + 3 * town["schools"].height)
    begin = np.searchsorted(pairs["of"].to_numpy(), every)
    return pupils, begin, np.diff(begin, append=pairs.height), pairs["child"].to_numpy()


def _granted(chance: Chance, town: Town, accounts: pl.DataFrame, since: date) -> pl.DataFrame:
    """Every grant of those accounts: how heavily it is used, from when to when, by whose habits, and which list.

    ``list`` is -1 where it is of every school; ``near`` is the list that somebody who teaches keeps to for the most
    part although the grant is of the school.
    """
    likely = {entry["category"]: float(entry["weight"]) for entry in assumptions("log_category")}
    categories = {name: place for place, name in enumerate(schema.categories())}
    verbs = {"view": 1.0, "edit": assumed("log_edit"), "export": assumed("log_export")}
    wide = [
        entry["name"] for entry in reference.load("roles").entries["role"] if entry["register"] == "sen_or_looked_after"
    ]
    who = {name: place for place, name in enumerate(_WHO)}
    base, schools = 3 * accounts.height, town["schools"].height
    group, whole = 3 * pl.col("of") + _GROUP, base + 2 * schools + pl.col("school")
    scope, export = pl.col("scope"), pl.col("verb") == "export"
    vendor, service = pl.col("who") == "vendor", pl.col("who") == "service"
    narrow = scope.is_in(["flag", "write_only"]) & pl.col("teaches")
    cells = (
        town["grants"].drop("role").join(accounts, on="account", maintain_order="left").sort("of", maintain_order=True)
    )
    cells = cells.with_columns(
        pl.when(scope == "own").then(3 * pl.col("of") + _OWN)
        .when((scope == "group") | narrow).then(group)
        .when(scope == "cohort").then(3 * pl.col("of") + _COHORT)
        .when(scope == "register").then(base + 2 * pl.col("school") + pl.col("role").is_in(wide).cast(pl.Int64))
        .when(~scope.is_in(["trust", "all"])).then(whole)
        .fill_null(-1).alias("list"),
        pl.when(scope.is_in(["own", "write_only"])).then(pl.lit("one"))
        .when(scope == "aggregate").then(pl.lit("totals"))
        .when(export).then(pl.lit("list")).otherwise(pl.lit("any")).alias("shows"),
        pl.when(export & pl.col("category").is_in(_CENSUS) & ~service).then(pl.lit("census"))
        .when(pl.col("taught") & (pl.col("category") == "attendance")).then(pl.lit("register"))
        .otherwise("who").replace_strict(who, return_dtype=pl.Int64).alias("habits"),
        (pl.col("valid_from") - since).dt.total_days().alias("begins"),
        (pl.col("valid_to") - since).dt.total_days().fill_null(YEAR).alias("ends"),
        (
            pl.col("category").replace_strict(likely, default=1.0)
            * pl.when(service).then(pl.lit(1.0)).when(vendor & export).then(pl.lit(0.0))
            .otherwise(pl.col("verb").replace_strict(verbs, default=1.0))
        ).alias("weight"),
    )  # fmt: skip
    code = 10 * cells["category"].replace_strict(categories, default=99) + cells["verb"].replace_strict(
        {verb: place for place, verb in enumerate(verbs)}, default=9
    )
    never = assumed("log_grant_unused") ** np.sqrt(cells["weight"].to_numpy())  # what is done daily, nearly all do
    known = chance.of("access_log.habit", cells["key"].to_numpy(), code.to_numpy()) >= never
    cells = cells.with_columns(used=pl.col("weight") * pl.Series(known))
    return cells.with_columns(
        pl.when(pl.col("used").sum().over("of") > 0).then("used").otherwise("weight").alias("weight"),
        pl.when(pl.col("taught") & pl.col("teaches") & (scope == "school")).then(group).otherwise("list").alias("near"),
    )


def _frequencies(chance: Chance, accounts: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """How ``often`` each account is used in the year, and the ``plain`` grant that a log-in shows; -1 for none.

    The number is 1 and a Lomax variable of shape 2, of which the scale is the mean, cut at a multiple of it.
    """
    key, n = accounts["key"].to_numpy(), accounts.height
    span = np.maximum((accounts["high"] - accounts["low"] + 1).to_numpy(), 0)
    mean = (accounts["a_year"].to_numpy() - 1) * span / YEAR
    u = chance.of("access_log.often", key)
    tail = mean * np.minimum(1 / np.sqrt(1 - u) - 1, assumed("log_tail"))
    more = np.where((accounts["who"] == "service").to_numpy(), mean, tail)
    of = cells["of"].to_numpy()
    weighed = np.bincount(of, cells["weight"].to_numpy(), n) > 0
    often = np.where((span > 0) & weighed, 1 + np.floor(more).astype(np.int64), 0)
    high = accounts["high"].to_numpy()[of]
    fits = (
        (cells["verb"] != "export").to_numpy()
        & (cells["begins"].to_numpy() <= high)
        & (cells["ends"].to_numpy() >= high)
        & (cells["weight"].to_numpy() > 0)
        & ((cells["shows"] != "one") | (cells["scope"] == "own")).to_numpy()
    )
    order = np.flatnonzero(fits)
    order = order[np.lexsort((-order, cells["weight"].to_numpy()[order], of[order]))]
    plain = np.full(n, -1, dtype=np.int64)
    plain[of[order]] = order  # the heaviest comes last, and stays
    return accounts.with_columns(pl.Series("often", often), pl.Series("plain", plain))


def _calendar(since: date) -> tuple[Floats, Floats, Floats]:
    """For each of _WHO: weight of the days before each day (cumulated), of hours, and of clients."""
    entries = {entry["who"]: entry for entry in assumptions("log_when")}
    days = [since + timedelta(days=step) for step in range(YEAR)]
    is_open = school_days(since, YEAR)
    census = np.array([0 <= (_census_day(day) - day).days < 7 for day in days])
    weight = np.array(
        [np.where(is_open, 1.0, float(entries[who]["days_off"])) * (census if who == "census" else 1) for who in _WHO]
    )
    before = np.concatenate([np.zeros((len(_WHO), 1)), np.cumsum(weight, axis=1)], axis=1)
    hours, clients = (np.array([entries[who][what] for who in _WHO], dtype=np.float64) for what in ("hours", "clients"))
    return before, hours, clients


def _census_day(day: date) -> date:
    """The day of the next school census: the first Thursday of October, the third of January and of May."""
    thursdays = [
        date(year, month, first + (3 - date(year, month, first).weekday()) % 7)
        for year in (day.year, day.year + 1)
        for month, first in ((1, 15), (5, 15), (10, 1))
    ]
    return min(thursday for thursday in thursdays if thursday >= day)


def _usual(chance: Chance, held: _Held) -> pl.DataFrame:
    """What everybody does in a year. The first access of an account is at its last log-in."""
    often, plain, high = (held.accounts[column].to_numpy() for column in ("often", "plain", "high"))
    of = np.repeat(np.arange(len(often)), often)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(often) - often, often)
    cell = _drawn(chance, "usual", held, held.cells["weight"].to_numpy(), of, nth)
    cell = np.where((nth == 0) & (plain[of] >= 0), plain[of], cell)
    low = np.where(nth == 0, high[of], held.cells["begins"].to_numpy()[cell])
    return _accesses(chance, "usual", held, of, nth, cell, low, held.cells["ends"].to_numpy()[cell])


def _after_the_end(chance: Chance, held: _Held) -> pl.DataFrame:
    """Some of those who left and whose account is open: from the day after the end to this day."""
    ended = (held.accounts["ended_on"] - held.since).dt.total_days().fill_null(YEAR).to_numpy()
    sees = (held.cells["verb"] == "view").to_numpy() & (held.length[held.cells["list"].to_numpy()] > 0)
    able = np.bincount(held.cells["of"].to_numpy(), sees, held.accounts.height) > 0
    open_still = (held.accounts["enabled"] & held.accounts["ended_on"].is_not_null()).to_numpy() & (ended < YEAR - 1)
    chosen = _share_of(chance, "after", held, open_still & able, "log_leaver")
    of = np.repeat(chosen, 6 + chance.whole("access_log.after.often", 10, held.accounts["key"].to_numpy()[chosen]))
    nth = np.arange(len(of)) - np.searchsorted(of, of)
    cell = _drawn(chance, "after", held, np.where(sees, 1.0, 0.0), of, nth)
    return _accesses(chance, "after", held, of, nth, cell, ended[of] + 1, np.full(len(of), YEAR - 1), late=True)


def _one_child_again(chance: Chance, held: _Held) -> pl.DataFrame:
    """Some staff with a view of the whole school: one child, dozens of times in six weeks, at odd hours as well."""
    cells, accounts = held.cells, held.accounts
    whole = (
        (cells["scope"] == "school")
        & (cells["verb"] == "view")
        & cells["category"].is_in(_CURIOUS)
        & (cells["ends"] == YEAR)
    ).to_numpy()
    able = np.bincount(cells["of"].to_numpy(), whole, accounts.height) > 0
    staff = accounts["ended_on"].is_null() & (accounts["person_kind"] == "staff")
    awake = (staff & (accounts["high"] >= YEAR - 30) & (accounts["low"] < YEAR - 100)).to_numpy()
    chosen = _share_of(chance, "again", held, able & awake, "log_curious")
    key = accounts["key"].to_numpy()[chosen]
    stays = (held.pupils["left"] == YEAR).to_numpy() & (held.pupils["admitted"] < YEAR - 100).to_numpy()
    found = np.full(accounts.height, -1, dtype=np.int64)
    for account, u in zip(chosen, chance.of("access_log.again.child", key), strict=True):
        roll = np.flatnonzero(stays & (held.pupils["school"] == accounts["school"][int(account)]).to_numpy())
        found[account] = roll[int(u * len(roll))] if len(roll) else -1
    often = np.where(found[chosen] >= 0, 30 + chance.whole("access_log.again.often", 30, key), 0)
    of = np.repeat(chosen, often)
    nth = np.arange(len(of)) - np.searchsorted(of, of)
    cell = _drawn(chance, "again", held, np.where(whole, 1.0, 0.0), of, nth)
    until = accounts["high"].to_numpy()[of]
    return _accesses(chance, "again", held, of, nth, cell, until - 41, until, late=True, child=found[of])


def _after_the_grant(chance: Chance, held: _Held) -> pl.DataFrame:
    """Some whose grant for an occasion is over use it once more, or a few times."""
    of_cell, ends = held.cells["of"].to_numpy(), held.cells["ends"].to_numpy()
    over = (ends < held.accounts["high"].to_numpy()[of_cell]) & (ends >= 0)
    over &= ((held.cells["person_kind"] == "staff") & held.cells["ended_on"].is_null()).to_numpy()
    any_over = np.bincount(of_cell, over, held.accounts.height) > 0
    chosen = _share_of(chance, "over", held, any_over, "ad_hoc_used_after")
    of = np.repeat(chosen, 2 + chance.whole("access_log.over.often", 5, held.accounts["key"].to_numpy()[chosen]))
    nth = np.arange(len(of)) - np.searchsorted(of, of)
    cell = _drawn(chance, "over", held, np.where(over, 1.0, 0.0), of, nth)
    return _accesses(chance, "over", held, of, nth, cell, ends[cell] + 1, held.accounts["high"].to_numpy()[of])


def _taken_at_night(chance: Chance, town: Town, held: _Held) -> pl.DataFrame:
    """One night, on which the supplier's account takes away all it may, by school."""
    once = np.zeros(1, dtype=np.int64)
    night = town.plan.as_of - timedelta(days=10 + int(chance.whole("access_log.taken.day", 50, once)[0]))
    second = 7200 + int(chance.whole("access_log.taken.second", 3600, once)[0])
    exports = held.cells.filter(
        pl.col("who") == "vendor", pl.col("verb") == "export", pl.col("enabled"), pl.col("last_login") >= night
    ).select("of", "account", "key", "category", "verb", "list")
    on_roll = held.pupils.filter(
        pl.col("left") >= (night - held.since).days, pl.col("admitted") <= (night - held.since).days
    )
    rolls = on_roll.group_by("school", "school_id", maintain_order=True).agg(pl.len().cast(pl.Int32).alias("rows"))
    taken = exports.join(rolls, how="cross", maintain_order="left_right").filter(
        (pl.col("list") < 0)
        | (pl.col("list") == 3 * (held.accounts.height + held.schools) - held.schools + pl.col("school"))
    )
    nth = np.arange(taken.height)
    at = np.datetime64(night, "s") + second + 40 * nth  # seconds
    return taken.with_columns(
        pl.Series("at", at.astype("datetime64[ms]")).cast(pl.Datetime("ms")),
        pl.lit(None, pl.String).alias("pupil_id"),
        pl.lit("remote").alias("client"),
        log_id=_log_ids(taken["key"].to_numpy(), nth + _FIRST["taken"]),
    ).select(COLUMNS)


def _share_of(chance: Chance, what: str, held: _Held, among: Bools, share: str) -> Ints:
    """That share of those accounts, rounded up."""
    places = np.flatnonzero(among)
    chosen: Ints = places[
        _some(chance.of(f"access_log.{what}", held.accounts["key"].to_numpy()[places]), assumed(share))
    ]
    return chosen


def _drawn(chance: Chance, what: str, held: _Held, weight: Floats, of: Ints, nth: Ints) -> Ints:
    """A grant of each account by weight, which are given grant by grant; only asked where an account has any."""
    edges = np.concatenate([[0.0], np.cumsum(weight)])
    first = np.searchsorted(held.cells["of"].to_numpy(), np.arange(held.accounts.height + 1))
    low, high = edges[first[of]], edges[first[of + 1]]
    u = chance.of(f"access_log.{what}.cell", held.accounts["key"].to_numpy()[of], nth)
    found = np.searchsorted(edges, low + u * (high - low), side="right") - 1
    weighed = np.flatnonzero(weight > 0)
    at_most = weighed[np.maximum(np.searchsorted(weighed, first[of + 1]) - 1, 0)]
    place: Ints = np.minimum(found, at_most)
    return place


def _accesses(
    chance: Chance,
    what: str,
    held: _Held,
    of: Ints,
    nth: Ints,
    cell: Ints,
    low: Ints,
    high: Ints,
    *,
    late: bool = False,
    child: Ints | None = None,
) -> pl.DataFrame:
    """The rows of these accesses: account, number of the access, grant, first and last day on which it can be.

    Parameters
    ----------
    late : at a family's hours, not at work
    child : whom each access is at; None to draw one, or a list
    """
    key = held.accounts["key"].to_numpy()[of]

    def u(name: str) -> Floats:
        return chance.of(f"access_log.{what}.{name}", key, nth)

    cells = held.cells
    shows = cells["shows"].gather(cell)
    listed = np.where(u("near") < assumed("log_keeps_to_group"), *(cells[c].to_numpy()[cell] for c in ("near", "list")))
    anywhere = len(held.length) - held.schools + (u("school") * held.schools).astype(np.int64)
    listed = np.where(listed < 0, anywhere, listed)
    length = held.length[listed]
    one = ((shows == "one") | ((shows == "any") & pl.Series(u("one") < assumed("log_single")))).to_numpy()
    if child is None:
        place = held.begin[listed] + (u("child") * length).astype(np.int64)
        child = held.members[np.minimum(place, len(held.members) - 1)]
    else:
        one = np.ones(len(of), dtype=np.bool_)
    admitted, left = (held.pupils[column].to_numpy()[child] for column in ("admitted", "left"))
    last = (nth == 0) & (low == high)
    one &= ~last | (shows == "one").to_numpy()
    low = np.maximum(np.maximum(low, held.accounts["low"].to_numpy()[of]), np.where(one, admitted, 0))
    high = np.minimum(
        np.minimum(high, YEAR - 1 if late else held.accounts["high"].to_numpy()[of]), np.where(one, left, YEAR)
    )
    who = np.full(len(of), _WHO.index("family")) if late else cells["habits"].to_numpy()[cell]
    day = _days_drawn(u("day"), held.when, who, low, high)
    shown = np.where(one, 1, np.where((shows == "totals").to_numpy(), 0, held.present[listed]))
    there = np.where(one, length, held.present[listed]) > 0
    there &= (low <= high) & (day >= 0)
    second = 3600 * choose_by(u("hour"), held.hours, who) + (u("second") * 3600).astype(np.int64)
    at_time = np.datetime64(held.since, "s") + 86_400 * day + second
    client = np.where(
        (cells["verb"].gather(cell) == "export").to_numpy() & (who != _WHO.index("service")),
        _CLIENTS.index("report"),
        choose_by(u("client"), held.clients, who),
    )
    return pl.DataFrame(
        {
            "log_id": _log_ids(key, nth + _FIRST[what]),
            "account": held.accounts["account"].gather(of),
            "at": pl.Series(at_time.astype("datetime64[ms]")),
            "category": cells["category"].gather(cell),
            "verb": cells["verb"].gather(cell),
            "pupil_id": held.pupils["pupil_id"].gather(child).set(pl.Series(~one), None),
            "school_id": held.pupils["school_id"].gather(child),
            "rows": shown.astype(np.int32),
            "client": gather(_CLIENTS, client),
        }
    ).filter(pl.Series(there))


def _days_drawn(u: Floats, when: Floats, who: Ints, low: Ints, high: Ints) -> Ints:
    """A day from low to high by the weights of those days; the only day there is, whatever its weight; -1 for none."""
    low, high = np.clip(low, 0, YEAR - 1), np.clip(high, 0, YEAR - 1)
    before, after = when[who, low], when[who, np.maximum(high, low) + 1]
    apart = when[-1, -1] + when.max() + 1
    line = (when + apart * np.arange(len(when))[:, None]).ravel()  # one ascending line, as in choose_by
    within = u * (1 - 2.0**-30) * (after - before)  # short of the end, where a day without weight may begin
    found = np.searchsorted(line, before + within + apart * who, side="right") - 1 - who * when.shape[1]
    drawn: Ints = np.where(after > before, np.clip(found, low, high), np.where(low == high, low, -1))
    return drawn


def _log_ids(key: Ints, nth: Ints) -> pl.Series:
    return "L" + (pl.Series(key * 100_000 + nth)).cast(pl.String).str.zfill(15)


def _some(u: Floats, share: float) -> Ints:
    """Places of that share of the entries, rounded up: those with the lowest chance."""
    order = np.argsort(u, kind="stable")
    return np.sort(order[: int(np.ceil(share * len(u)))])
