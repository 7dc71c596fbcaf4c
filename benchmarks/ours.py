"""What is asked of otrack_risk, one function a job, and what its results say in the words of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from timing import Answer

SAMPLED = 0.1  # the share of the population that the table is taken for


def class_sizes(rows: Any, known: Sequence[str]) -> pl.DataFrame:
    """k and the class-size histogram, on any engine."""
    from otrack_risk import risk

    return risk.class_sizes(rows, known)


def sizes_said(sizes: pl.DataFrame) -> Answer:
    """k, classes, uniques and records of a class-size histogram."""
    histogram = dict(sizes.select("size", "classes").iter_rows())
    return histogram_said(histogram)


def histogram_said(classes_by_size: dict[int, int]) -> Answer:
    """The same of a histogram by whomever."""
    return {
        "k": min(classes_by_size),
        "classes": sum(classes_by_size.values()),
        "uniques": classes_by_size.get(1, 0),
        "largest class": max(classes_by_size),
        "records": sum(size * classes for size, classes in classes_by_size.items()),
    }


def sensitive(rows: pl.DataFrame, known: Sequence[str], column: str) -> tuple[Any, Any]:
    """k, l, entropy l, (c,l), t, alpha, beta and delta: one grouping, one report."""
    from otrack_risk.risk.anonymity import sensitive_risk
    from otrack_risk.risk.classes import value_counts

    counts = value_counts(rows, known, column)
    return counts, sensitive_risk(counts)


def sensitive_said(result: tuple[Any, Any]) -> Answer:
    """The measures by their names in the risk document."""
    counts, found = result
    names = ("distinct_l", "entropy_l", "t_equal", "alpha", "basic_beta", "delta_ln")
    return {
        "k": int(counts.class_size.min()),
        "classes": len(counts.starts),
        "recursive_c of 2": dict(found.recursive_c).get(2),
        **{name: getattr(found, name) for name in names},
    }


def subset_counts(rows: pl.DataFrame, known: Sequence[str], max_size: int | None = None) -> Any:
    """Classes, uniques and k over every subset of what is known."""
    from otrack_risk.risk.classes import combinations
    from otrack_risk.risk.cube import subset_counts

    return subset_counts(combinations(rows, known), max_size)


def subsets_said(counts: Any) -> Answer:
    """(classes, uniques, k) by subset."""
    known = counts.quasi_identifiers
    numbers = zip(counts.classes.tolist(), counts.uniques.tolist(), counts.k.tolist(), strict=True)
    return {
        subset_name([name for name, inside in zip(known, members, strict=True) if inside]): values
        for members, values in zip(counts.members, numbers, strict=True)
    }


def subset_name(fields: Sequence[str]) -> str:
    """What a subset is called in an answer."""
    return "+".join(fields)


def minimal_uniques(rows: pl.DataFrame, known: Sequence[str], max_size: int) -> Any:
    """The smallest combinations that single a record out."""
    from otrack_risk.risk.classes import combinations
    from otrack_risk.risk.cube import minimal_uniques

    return minimal_uniques(combinations(rows, known), max_size)


def minimal_uniques_said(found: Any) -> Answer:
    """How many there are of each size, over all records."""
    of_size = found.by_size.sum(axis=0).tolist()  # a combination that is unique holds one record
    return {f"of size {size}": of_size[size] for size in range(1, found.max_size + 1)}


def found_classes(rows: pl.DataFrame, known: Sequence[str], *, combinations: bool) -> tuple[Any, Any]:
    """The histogram that the population models read, and the combinations that the copula reads."""
    from otrack_risk.risk import classes

    return classes.classes(rows, known), classes.combinations(rows, known) if combinations else None


def population(found: tuple[Any, Any], known: Sequence[str]) -> Any:
    """How many are unique in the population: Zayatz, Pitman, SNB and Dankar; the copula where it has combinations."""
    from otrack_risk.risk.population import population_uniques

    classes, combinations = found
    apart = {} if combinations is None else {"combinations": combinations, "rng": np.random.default_rng(2026)}
    return population_uniques(
        classes, SAMPLED, quasi_identifiers=known, missing="own-category", copula=bool(apart), **apart
    )


def population_said(result: Any) -> Answer:
    """The share of the population that each model tells."""
    return {name: result.share(name) for name in result.models}
