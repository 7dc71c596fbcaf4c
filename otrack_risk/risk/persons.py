"""Several rows a person: what is on record of one person, taken together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.errors import FieldError
from otrack_risk.risk.classes import Missing, check_rule, columns, refuse_nothing


@dataclass(frozen=True)
class People:
    """One row per person, where the table had several, and how that was counted."""

    subjects: pl.DataFrame  # combination, value0, value1, ... (one a sensitive column)
    rows: int  # rows of the table
    rows_without_person: int  # rows that name no person: each counts as a person of its own
    rows_left_out: int  # rows with a missing quasi-identifier, under "drop"
    left_out: int  # people of whom no row is left, under "drop"
    identified: int  # people, those left out included, with a filled direct identifier in any row
    filled: tuple[str, ...]  # direct identifiers that are filled in any row


def one_row_a_person(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    person: str,
    *,
    sensitive: Sequence[str] = (),
    direct_identifiers: Sequence[str] = (),
    missing: Missing = "own-category",
) -> People:
    """Several rows a person become one, whose combination is the set of that person's combinations.

    Parameters
    ----------
    subjects : frame, on any engine but Spark (the rows come to this process)
    quasi_identifiers, missing : as in :func:`otrack_risk.risk.classes.class_sizes`
    person : name of the column that tells people apart
    sensitive, direct_identifiers : names of columns to carry along

    Raises
    ------
    FieldError, TableError, ParameterError
        As :func:`otrack_risk.risk.classes.class_sizes`; a person column that is a quasi-identifier too;
        a Spark frame.

    Notes
    -----
    Two people fall in one class where the same *set* of quasi-identifier tuples is on record of both:
    how often a tuple repeats, and in which order, is not taken to be known. Sensitive values are sets
    likewise, and two sets that overlap are two values. A row that names no person counts as a person
    of its own, since nothing says whose it is.

    Examples
    --------
    >>> entries = pl.DataFrame({"pupil": [1, 1, 2, 2, None], "subject": ["art", "law", "law", "art", "art"]})
    >>> people = one_row_a_person(entries, ["subject"], "pupil")
    >>> sorted(people.subjects["combination"].value_counts()["count"]), people.rows_without_person
    ([1, 2], 1)
    """
    check_rule(missing)
    wanted = {"quasi_identifiers": quasi_identifiers, "person": [person]}
    optional = {"sensitive": sensitive, "direct_identifiers": direct_identifiers}
    table = columns(subjects, wanted | {role: names for role, names in optional.items() if names})
    if person in quasi_identifiers:
        raise FieldError(
            f"person: '{person}' is a quasi-identifier too, so everybody would be alone.",
            "name it under one of the two.",
        )
    if both := sorted({*sensitive} & {*quasi_identifiers}):
        raise FieldError(
            f"sensitive: '{both[0]}' is a quasi-identifier too; what is known already cannot be learnt.",
            "name it under one of the two.",
        )
    has = [_filled(name, table.schema[name]) for name in direct_identifiers]
    identified = pl.any_horizontal(has) if has else pl.lit(False)
    own_number = pl.col(person).n_unique() + pl.int_range(pl.len())
    rows = table.select(
        *(pl.col(name).alias(f"key{number}") for number, name in enumerate(quasi_identifiers)),
        *(pl.col(name).rank("dense").fill_null(0).alias(f"value{number}") for number, name in enumerate(sensitive)),
        pl.col(person).rank("dense").cast(pl.Int64).fill_null(own_number).alias("person"),
        identified.alias("identified"),
    )
    keys = [name for name in rows.columns if name.startswith("key")]
    values = [name for name in rows.columns if name.startswith("value")]
    kept = rows.drop_nulls(keys) if missing == "drop" else rows
    refuse_nothing(kept.height, rows.height)
    codes = kept.select(keys).unique().with_row_index("code")
    people = (
        kept.join(codes, on=keys, nulls_equal=True)
        .group_by("person")
        .agg(_set("code").alias("combination"), *(_set(name) for name in values))
        .drop("person")
    )
    return People(
        subjects=people,
        rows=rows.height,
        rows_without_person=table[person].null_count(),
        rows_left_out=rows.height - kept.height,
        left_out=rows["person"].n_unique() - people.height,
        identified=rows.filter("identified")["person"].n_unique(),
        filled=tuple(
            name for name, present in zip(direct_identifiers, has, strict=True) if table.select(present.any()).item()
        ),
    )


def _filled(name: str, kind: pl.DataType) -> pl.Expr:
    present = pl.col(name).is_not_null()
    return present & (pl.col(name) != "") if kind == pl.String else present


def _set(name: str) -> pl.Expr:
    return pl.format("set {}", pl.col(name).unique().sort().cast(pl.String).str.join(","))
