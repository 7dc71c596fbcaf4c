"""Checks of grants: open doors, grants without an end, an approver or a role, and duties that should be apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from otrack_risk import schema
from otrack_risk.access.findings.asked import WHOLE, Asked
from otrack_risk.access.findings.checks import CHECKS, ROWS, digest, told
from otrack_risk.access.findings.duties import of_duties
from otrack_risk.access.words import NO_ROLE, roles

_HASHES = {32: "md5", 40: "sha1", 64: "sha256"}  # hexadecimal digits -> how they are made
_ENOUGH = 0.9  # of a column's values must look like a hash


def of_grants(asked: Asked) -> Iterator[pl.DataFrame]:
    """Findings of grants; what could not be asked is noted in ``asked.unasked``."""
    reads = asked.reads
    door = (pl.col("role") == "public") | (pl.col("person_kind") == "public").fill_null(value=False)
    vendor = (pl.col("role") == "mis_vendor") | (pl.col("person_kind") == "vendor").fill_null(value=False)
    endless = reads.filter(pl.col("valid_to").is_null())
    comes_and_goes = [role.name for role in roles().values() if role.ad_hoc] + [NO_ROLE]
    why = "whoever finds the address can see what this account can see"
    yield told(reads.filter(door), "public_reach", why)
    yield told(endless.filter(vendor), "vendor_standing_access", "a grant is in force and has no end date")
    why = "a grant for a visit, or given outside any role, has no end date"
    yield told(endless.filter(~vendor & pl.col("role").is_in(comes_and_goes)), "no_end_date", why)
    yield _whole_school(reads)
    yield from _approvers(asked)
    if asked.knows_roles:
        direct = asked.held.filter(pl.col("holder").is_null(), ~door)
        yield told(direct, "direct_grant", "it is given to the account itself, so that it outlives the post")
    else:
        asked.unasked["direct_grant"] = "the source knows no roles"
    yield from of_duties(asked)


def of_source(asked: Asked) -> Iterator[pl.DataFrame]:
    """What the reader found wrong in the source, as findings; and hashes of pupil numbers in the data."""
    faults = asked.grants.faults
    told_of = any(CHECKS[fault.id].database for fault in faults if fault.id in CHECKS)
    if not asked.from_database and not told_of:
        reason = "the grants come from no PostgreSQL catalogue"
        asked.unasked.update({name: reason for name, check in CHECKS.items() if check.database})
    if not asked.knows_roles:
        asked.unasked.update(dict.fromkeys(("role_cycle", "grant_to_nobody"), "the source knows no roles"))
    rows = []
    for fault in faults:
        check = fault.id if fault.id in CHECKS else "source_fault"
        subject = fault.subject if fault.id in CHECKS else ": ".join(filter(None, (fault.id, fault.subject)))
        evidence = digest([f"{fault.id}\x1f{fault.subject or ''}\x1f{fault.why}"])
        rows.append((check, CHECKS[check].severity, None, subject, fault.why, fault.mend, 1, evidence))
    yield pl.DataFrame(rows, schema=dict(ROWS), orient="row")
    yield from _hashes(asked)


def _whole_school(reads: pl.DataFrame) -> pl.DataFrame:
    taught = [role.name for role in roles().values() if role.taught]
    special, labels = schema.special_categories(), schema.categories()
    wide = reads.filter(pl.col("role").is_in(taught) & pl.col("scope").is_in(WHOLE) & pl.col("beyond"))
    named = (
        wide.select("account", pl.col("category").cast(pl.Enum(list(labels)), strict=False))
        .drop_nulls()
        .unique()
        .sort("category")
        .group_by("account", maintain_order=True)
        .agg(pl.col("category").cast(pl.String))
        .with_columns(
            graver=pl.col("category").list.set_intersection(sorted(special)).list.len() > 0,
            named=pl.col("category").list.eval(pl.element().replace(labels)).list.join(", "),
        )
    )
    rows = wide.join(named.drop("category"), on="account")
    severity = pl.when(pl.col("graver")).then(pl.lit("high")).otherwise(pl.lit("medium"))
    why = pl.lit("the whole school beyond what the matrix allows in: ") + pl.col("named")
    return told(rows, "whole_school_beyond_need", why, severity=severity)


def _approvers(asked: Asked) -> Iterator[pl.DataFrame]:
    held = asked.held
    if held["approver"].null_count() == held.height:
        asked.unasked.update(dict.fromkeys(("no_approver", "self_approved"), "no grant says who approved it"))
        return
    evidence = ["account", "role", "category", "verb", "scope", "approver"]
    person = asked.accounts.select("account", "person_id")
    own = held.join(person, on="account", how="left").with_columns(
        oneself=pl.any_horizontal(
            (pl.col("approver").str.to_lowercase() == pl.col(name).str.to_lowercase()).fill_null(value=False)
            for name in ("account", "person_id")
        )
    )
    same = own.join(person.rename({"account": "approver", "person_id": "approver_id"}), on="approver", how="left")
    itself = same.filter(pl.col("oneself") | (pl.col("person_id") == pl.col("approver_id")).fill_null(value=False))
    yield told(itself, "self_approved", "the grant was approved by whoever holds it", evidence=evidence)
    without = held.filter(pl.col("approver").is_null())
    yield told(without, "no_approver", "other grants name who approved them; this one does not", evidence=evidence)


def _hashes(asked: Asked) -> Iterator[pl.DataFrame]:
    """Columns of the data that are the MD5, SHA-1 or SHA-256 of their own pupil numbers, without a key."""
    import hashlib

    tables = {} if asked.dataset is None else asked.dataset.frames
    numbers = [
        rows[name] for rows in tables.values() for name in rows.columns if re.fullmatch(r"(former_?)?upn", name.lower())
    ]
    if not numbers:
        asked.unasked["unkeyed_hash"] = "no data with a column of pupil numbers (UPN) were given"
        return
    known = pl.concat([each.cast(pl.String).str.strip_chars() for each in numbers]).drop_nulls().unique()
    candidates = [
        (name, column, digits)
        for name, rows in tables.items()
        for column in rows.columns
        if (digits := _looks_like(rows[column]))
    ]
    made: dict[int, set[str]] = {}
    found = []
    for table, column, digits in candidates:
        if digits not in made:
            spelt = {text for word in known.to_list() for text in (word, word.upper(), word.lower())}
            kind = _HASHES[digits]
            made[digits] = {hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest() for text in spelt}
        values = tables[table][column].drop_nulls().str.strip_chars().str.to_lowercase()
        if hits := int(values.is_in(list(made[digits])).sum()):
            name = _HASHES[digits].upper().replace("SHA", "SHA-")
            why = (
                f"{hits:,} of its {len(values):,} values are the {name} of a pupil number in these data, without a key"
            )
            found.append(("unkeyed_hash", CHECKS["unkeyed_hash"].severity, None, f"{table}.{column}", why, None, hits,
                          digest([f"{table}.{column}\x1f{name}\x1f{hits}\x1f{len(values)}"])))  # fmt: skip
    yield pl.DataFrame(found, schema=dict(ROWS), orient="row")


def _looks_like(column: pl.Series) -> int:
    """Hexadecimal digits of a column of hashes; 0 where it is none."""
    if column.dtype != pl.String:
        return 0
    values = column.drop_nulls().str.strip_chars()
    lengths = values.head(1000).str.len_chars().unique().to_list()
    for digits in _HASHES:
        if digits in lengths and values.str.contains(rf"^[0-9a-fA-F]{{{digits}}}$").mean() >= _ENOUGH:  # type: ignore[operator]
            return digits
    return 0
