"""Numbers that peers publish of tables that are free to read: the same here, from the same tables.

The cases are ``published_values.json`` of the folder ``peers`` in the one that
``OTRACK_RISK_REFERENCE_DATA`` names; see tests/reference/README.md. Covered is every case of status
``normative`` but the optimal generalisations, which is another command's work.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from otrack_risk import risk

LATER = {"optimal_generalisation_levels"}
COVERED = 85
BY_ROW = {
    "wildcard_frequencies": "class_size",
    "sample_frequency_fk": "class_size",
    "population_frequency_Fk": "population_class_size",
    "individual_risk_benedetti_franconi": "individual_risk",
}


def normative_cases() -> list[dict[str, Any]]:
    folder = os.environ.get("OTRACK_RISK_REFERENCE_DATA")
    if not folder:
        return []
    cases = json.loads((Path(folder) / "peers" / "published_values.json").read_text(encoding="utf-8"))
    return [case for case in cases if case["status"] == "normative"]


def is_covered(case: dict[str, Any]) -> bool:
    return case["metric"] not in LATER


def table_of(case: dict[str, Any], folder: Path) -> pl.DataFrame:
    path = folder / "peers" / case["data"]
    header = path.read_text(encoding="utf-8").split("\n", 1)[0]
    parted = ";" if ";" in header else ","
    absent = [case["parameters"]["wildcard"]] if "wildcard" in case["parameters"] else None
    table = pl.read_csv(path, separator=parted, infer_schema=False, null_values=absent)
    weight = case["parameters"].get("weight")
    return table if weight is None else table.with_columns(pl.col(weight).cast(pl.Float64))


def rule_of(case: dict[str, Any]) -> dict[str, Any]:
    """What a gap is taken for: it matches everything where the case says so."""
    said = " ".join(str(value) for value in case["parameters"].values()) + " ".join(case["parameters"])
    return {"missing": "wildcard"} if "wildcard" in said or "any value" in said else {}


def by_row(table: pl.DataFrame, case: dict[str, Any]) -> list[float]:
    parameters, known = case["parameters"], case["quasi_identifiers"]
    asked = rule_of(case) | {"weights": parameters.get("weight")}
    if "method" in parameters:
        asked["individual_method"] = parameters["method"]
    found = risk.records(table, known, **asked)[BY_ROW[case["metric"]]].to_list()
    return found if len(found) == len(case["expected"]) else sorted(found)


def special(table: pl.DataFrame, case: dict[str, Any]) -> list[float]:
    known = case["quasi_identifiers"]
    if case["metric"] == "suda_attribute_contribution_pct":
        return list(risk.special_uniques(table, known).record()["contribution"].values())
    found = risk.records(table, known, suda=len(known))["suda_score"].to_list()
    if "records" in case["parameters"]:  # written as "5..8", counted from 1
        first, last = map(int, case["parameters"]["records"].split(".."))
        return found[first - 1 : last]
    return found


def sizes_sorted(table: pl.DataFrame, known: list[str]) -> list[int]:
    return [size for size, _, people in risk.class_sizes(table, known).iter_rows() for _ in range(people)]


def guess_of(table: pl.DataFrame, case: dict[str, Any], which: str) -> float:
    # with nothing known everybody is in one class
    known, rows = case["quasi_identifiers"] or ["nothing"], table.with_columns(nothing=pl.lit(0))
    found = risk.inference(rows, known, case["sensitive"]).record()
    return found["sensitive"][case["sensitive"][0]][which]


def right_of_class(table: pl.DataFrame, case: dict[str, Any]) -> list[float]:
    counts = risk.class_values(table, case["quasi_identifiers"], case["sensitive"][0])
    per_class = counts.group_by("class").agg(best=pl.col("data_subjects").max(), f=pl.col("data_subjects").sum())
    return sorted(best / f for _, best, f in per_class.iter_rows() for _ in range(f))


def distinct_of_row(table: pl.DataFrame, case: dict[str, Any]) -> list[int]:
    known, (sensitive,) = case["quasi_identifiers"], case["sensitive"]
    alike = [
        table.filter(pl.all_horizontal(pl.col(n).eq_missing(pl.lit(row[n])) for n in known)) for row in table.to_dicts()
    ]
    return [risk.l_diversity(rows, known, sensitive=sensitive).distinct for rows in alike]


def measured(case: dict[str, Any], table: pl.DataFrame) -> Any:
    metric, known = case["metric"], case["quasi_identifiers"]
    if metric in ("prior_attribute_inference", "posterior_attribute_inference"):
        return guess_of(table, case, metric.split("_")[0])
    if metric == "posterior_attribute_inference_distribution":
        return right_of_class(table, case)
    if metric == "l_diversity_distinct_per_record":
        return distinct_of_row(table, case)
    if metric in BY_ROW:
        return by_row(table, case)
    if metric in ("suda_score", "suda_attribute_contribution_pct"):
        return special(table, case)
    if metric == "population_uniqueness_dankar":
        population = risk.Population(fraction=case["parameters"]["sampling_fraction"])
        return risk.measure(table, known, population=population).record()["population"]["models"]["dankar"]["share"]
    if metric.startswith("n_records_with_fk"):
        sizes = risk.records(table, known, **rule_of(case))["class_size"]
        return int((sizes == int(metric[-1])).sum())
    found = risk.measure(table, known, **rule_of(case)).record()
    match metric:
        case "average_record_risk" | "posterior_reidentification":
            assert found["attackers"]["prosecutor"]["success_rate"] == found["record_risk"]["mean_per_record"]
            return found["record_risk"]["mean_per_record"]
        case "highest_risk":
            return found["record_risk"]["highest"]
        case "distinction" | "separation":
            return found[metric]
        case "sample_uniqueness":
            return found["unique_share"]
        case "prior_reidentification":
            return 1 / found["records"]
        case "posterior_reidentification_distribution":
            return sorted(1 / size for size in sizes_sorted(table, known))
        case "n_records_violating_k_anonymity":
            k = case["parameters"]["k"]
            return sum(entry["records"] for entry in found["class_sizes"] if entry["size"] < k)
    raise AssertionError(f"{case['id']}: nothing here measures {metric}")


CASES = [case for case in normative_cases() if is_covered(case)]
HERE = [pytest.param(case, id=case["id"]) for case in CASES] or [
    pytest.param(None, marks=pytest.mark.skip("OTRACK_RISK_REFERENCE_DATA does not name the published tables"))
]


@pytest.mark.parametrize("case", HERE)
def test_a_published_number_is_the_same_here(case: dict[str, Any], reference_data: Path):
    table = table_of(case, reference_data)
    found, expected = measured(case, table), case["expected"]
    pairs = zip(found, expected, strict=True) if isinstance(expected, list) else [(found, expected)]
    for actual, published in pairs:
        assert abs(actual - published) <= case["tolerance"] * max(1, abs(published))


def test_no_published_number_is_passed_over_unnoticed(reference_data: Path):
    assert len(CASES) == COVERED
    left = Counter(case["metric"] for case in normative_cases() if not is_covered(case))
    assert set(left) <= LATER
