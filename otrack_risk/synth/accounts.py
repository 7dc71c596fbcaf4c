"""Who may log in, and what the system lets them see: by job, with faults planted for a review to find."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl

from otrack_risk import reference, schema
from otrack_risk.synth.adults import Staff
from otrack_risk.synth.draw import Bools, Chance, numbers
from otrack_risk.synth.people import People
from otrack_risk.synth.presets import Preset
from otrack_risk.synth.targets import assumed

_NOT_HELD = ("religion", "other")  # nothing in this world belongs to them
_ACCOUNT = ("account", "person_kind", "person_id", "school_id", "enabled", "last_login")
_GRANT = ("account", "role", "category", "verb", "scope", "valid_from", "valid_to")


def make_accounts(
    chance: Chance, plan: Preset, people: People, staff: Staff, guardians: pl.Series, *, outside: bool
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Accounts, what each is granted, and how many accounts carry which planted fault.

    Every role is granted what ``least_privilege.csv`` expects of it, and then: some class teachers see the whole
    school, and contacts and medical notes with it; some office staff read safeguarding; accounts of some who
    left stay open; some accounts sleep; the supplier and a connected service have standing access to nearly
    everything; and in the exposed store an account that needs no log-in sees every category of every child.

    Parameters
    ----------
    chance : of the world
    outside : whether the accounts that belong to nobody of a school are made too; one town of a world has them
    guardians : keys of the contacts. They, and the pupils of secondary schools, log in where the store is a
        school's own; names of accounts are numbers, never people's names

    Returns
    -------
    accounts, grants, planted : two tables; fault -> accounts that carry it
    """
    expected = _expected()
    employees, faults = _employees(chance, plan, staff)
    roles = employees.select("account", "role", "valid_from", "valid_to", "whole_school", "reads_concerns")
    granted = roles.join(expected, on="role", how="left", maintain_order="left_right").drop_nulls("category")
    wider = pl.col("whole_school") & (pl.col("scope") == "group")
    extra = [
        roles.filter("whole_school").join(
            _cells("class_teacher", ("contact", "medical"), ("view",), "school"), on="role"
        ),
        roles.filter("reads_concerns").join(_cells("office_admin", ("safeguarding",), ("view",), "school"), on="role"),
    ]
    held = [granted.with_columns(scope=pl.when(wider).then(pl.lit("school")).otherwise("scope")), *extra]
    accounts = [employees]
    if not plan.exposed:
        families = pl.concat(
            [_families(chance, plan, guardians, "guardian", "parent"), _learners(chance, plan, people)]
        )
        accounts.append(families)
        held.append(families.join(expected, on="role", maintain_order="left_right"))
    if outside:
        nobody = _outside(plan)
        accounts.append(nobody)
        held.append(nobody.join(_outside_cells(plan), on="role", maintain_order="left_right"))
    table = pl.concat([rows.select(_ACCOUNT) for rows in accounts])
    grants = pl.concat([rows.select(_GRANT) for rows in held])
    faults |= {"supplier_with_standing_access": int(outside), "connected_service_beyond_its_fields": int(outside)}
    return table, grants, faults | ({"open_to_everybody": int(outside)} if plan.exposed else {})


def _employees(chance: Chance, plan: Preset, staff: Staff) -> tuple[pl.DataFrame, dict[str, int]]:
    held = staff.staff
    n = held.height
    ended = held["ended_on"].fill_null(plan.as_of).to_numpy()
    open_still = _some(chance, staff, ~staff.in_post, "leaver_account_open")
    asleep = _some(chance, staff, staff.in_post, "account_dormant")
    teachers = staff.in_post & (held["job"] == "class_teacher").to_numpy()
    office = staff.in_post & (held["job"] == "office_admin").to_numpy()
    whole_school = _some(chance, staff, teachers, "teacher_whole_school")
    reads_concerns = _some(chance, staff, office, "office_reads_concerns")
    days = chance.of("accounts.last_login", staff.number)
    last = ended - np.where(asleep, 95 + days * 305, days * 28).astype(np.int64)
    visits = pl.Series(held["job"] == "supply_teacher") & pl.Series(staff.in_post)
    until = pl.Series(ended).set(pl.Series(staff.in_post | open_still), None)
    leaves = pl.Series(np.datetime64(plan.as_of, "D") + 1 + chance.whole("grants.valid_to", 59, staff.number))
    table = pl.DataFrame(
        {
            "account": "staff-" + held["staff_id"].str.slice(1),
            "person_kind": pl.repeat("staff", n, eager=True),
            "person_id": held["staff_id"],
            "school_id": held["school_id"],
            "enabled": staff.in_post | open_still,
            "last_login": pl.Series(np.maximum(last, held["started_on"].to_numpy())),
            "role": held["job"],
            "valid_from": held["started_on"],
            "valid_to": until.zip_with(~visits, leaves),
            "whole_school": whole_school,
            "reads_concerns": reads_concerns,
        }
    )
    dormant = table.filter(pl.Series(asleep), pl.col("last_login") < plan.as_of - timedelta(days=90)).height
    return table, {
        "leavers_with_an_open_account": int(open_still.sum()),
        "sleeping_accounts": dormant,
        "class_teachers_with_the_whole_school": int(whole_school.sum()),
        "office_staff_who_read_safeguarding": int(reads_concerns.sum()),
    }


def _some(chance: Chance, staff: Staff, among: Bools, share: str) -> Bools:
    """That share of those of a town, rounded up, so that a small school has the fault as well."""
    places = np.flatnonzero(among)
    chosen = np.zeros(len(among), dtype=np.bool_)
    order = np.argsort(chance.of(f"accounts.{share}", staff.number[places]), kind="stable")
    chosen[places[order[: int(np.ceil(assumed(share) * len(places)))]]] = True
    return chosen


def _learners(chance: Chance, plan: Preset, people: People) -> pl.DataFrame:
    grown = people.pupils.filter(pl.col("year_group") >= 7)["pupil_id"]
    return _families(chance, plan, grown, "child", "pupil")


def _families(chance: Chance, plan: Preset, ids: pl.Series, kind: str, role: str) -> pl.DataFrame:
    """Accounts of contacts or pupils: they see their own child or themselves, at whatever school that is."""
    n = len(ids)
    name = "guardian-" if kind == "guardian" else "pupil-"
    last = np.datetime64(plan.as_of, "D") - chance.whole(
        f"accounts.last_login.{kind}", 95, numbers(ids)
    )  # days; a few sleep
    return pl.DataFrame(
        {
            "account": name + ids.str.slice(1),
            "person_kind": pl.repeat(kind, n, eager=True),
            "person_id": ids,
            "school_id": pl.repeat(None, n, eager=True, dtype=pl.String),
            "enabled": pl.repeat(True, n, eager=True),
            "last_login": pl.Series(last),
            "role": pl.repeat(role, n, eager=True),
            "valid_from": pl.repeat(date(plan.now, 9, 3), n, eager=True, dtype=pl.Date),
            "valid_to": pl.repeat(None, n, eager=True, dtype=pl.Date),
        }
    )


def _outside(plan: Preset) -> pl.DataFrame:
    """Accounts that belong to nobody of the school."""
    kinds = [("vendor-support", "vendor", "mis_vendor"), ("service-sync", "service", "integrator")]
    kinds += [("public", "public", "public")] if plan.exposed else []
    n = len(kinds)
    last = [plan.as_of - timedelta(days=3), plan.as_of, None]
    return pl.DataFrame(
        {
            "account": [account for account, _, _ in kinds],
            "person_kind": [kind for _, kind, _ in kinds],
            "person_id": pl.repeat(None, n, eager=True, dtype=pl.String),
            "school_id": pl.repeat("S00001" if plan.one_school else None, n, eager=True, dtype=pl.String),
            "enabled": pl.repeat(True, n, eager=True),
            "last_login": pl.Series(last[:n], dtype=pl.Date),
            "role": [role for _, _, role in kinds],
            "valid_from": pl.repeat(date(plan.as_of.year - 3, 9, 1), n, eager=True, dtype=pl.Date),
            "valid_to": pl.repeat(None, n, eager=True, dtype=pl.Date),
        }
    )


def _outside_cells(plan: Preset) -> pl.DataFrame:
    everything = [name for name in schema.categories() if name not in _NOT_HELD]
    scope = "all" if plan.exposed else "school" if plan.one_school else "trust"
    return pl.concat(
        [
            _cells("mis_vendor", everything, ("view", "edit", "export"), scope),
            _cells(
                "integrator",
                ("sen", "fsm_pp", "contact", "assessment", "attendance", "identity"),
                ("view", "export"),
                scope,
            ),
            _cells("public", everything, ("view",), "all"),
        ]
    )


@cache
def _expected() -> pl.DataFrame:
    """Cells that the least-privilege matrix gives; a case with a reason and an end is one of the register."""
    cells = []
    for row in reference.load("least_privilege").entries["row"]:
        if row["scope"] == "none" or row["category"] in _NOT_HELD:
            continue
        scope = "register" if row["scope"] == "just_in_time" else row["scope"]
        cells.append(_cells(row["role"], (row["category"],), row["verbs"].split(), scope))
    return pl.concat(cells)


def _cells(
    role: str, categories: list[str] | tuple[str, ...], verbs: list[str] | tuple[str, ...], scope: str
) -> pl.DataFrame:
    pairs = [(category, verb) for category in categories for verb in verbs]
    return pl.DataFrame(
        {
            "role": [role] * len(pairs),
            "category": [category for category, _ in pairs],
            "verb": [verb for _, verb in pairs],
            "scope": [scope] * len(pairs),
        },
        schema_overrides=dict.fromkeys(("role", "category", "verb", "scope"), pl.String),
    )
