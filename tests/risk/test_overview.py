"""All measures of one table together: the contract's keys, and what is said first."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from matplotlib.text import Text

from otrack_risk import reference
from otrack_risk.display import tables
from otrack_risk.errors import FieldError, ParameterError
from otrack_risk.risk import (
    Population,
    inference,
    journalist_risk,
    k_anonymity,
    l_diversity,
    marketer_risk,
    measure,
    prosecutor_risk,
    t_closeness,
    uniqueness_by_facts,
)

# (7, F) three times, (7, none) once, (8, M) twice; the need of (8, M) is the same for both.
PUPILS = pl.DataFrame(
    {
        "year": [7, 7, 7, 7, 8, 8],
        "sex": ["F", "F", "F", None, "M", "M"],
        "need": ["need_canary_1", "need_canary_2", "need_canary_1", "need_canary_1", "need_canary_3", "need_canary_3"],
        "upn": ["upn_canary_1", None, "", "upn_canary_2", None, None],
        "email": [None] * 6,
    },
    schema_overrides={"email": pl.String},
)
KNOWN = ["year", "sex"]


def test_the_record_has_the_keys_and_numbers_of_the_contract():
    found = measure(PUPILS, KNOWN, sensitive=["need"], thresholds=[0.4, 0.9], population=Population(size=60)).record()
    assert {key: found[key] for key in ("records", "unit", "classes", "k", "largest_class", "uniques")} == {
        "records": 6,
        "unit": "records",
        "classes": 3,
        "k": 1,
        "largest_class": 3,
        "uniques": 1,
    }
    assert (found["mean_class_size"], found["median_class_size"]) == (2.0, 2.0)
    assert found["unique_share"] == pytest.approx(1 / 6)
    assert found["class_sizes"] == [{"size": size, "classes": 1, "records": size} for size in (1, 2, 3)]
    assert found["record_risk"] == {
        "highest": 1.0,
        "lowest": pytest.approx(1 / 3),
        "mean_per_record": 0.5,
        "mean_per_class": pytest.approx((1 + 1 / 2 + 1 / 3) / 3),
        "share_at_highest": pytest.approx(1 / 6),
    }
    assert found["at_risk"] == [
        {"threshold": 0.4, "records": 3, "share": 0.5},
        {"threshold": 0.9, "records": 1, "share": pytest.approx(1 / 6)},
    ]
    assert (found["distinction"], found["separation"]) == (0.5, pytest.approx(11 / 15))  # 3 + 1 of 15 pairs agree
    prosecutor = found["attackers"]["prosecutor"]
    assert (prosecutor["records_at_risk_share"], prosecutor["highest"], prosecutor["success_rate"]) == (0.5, 1.0, 0.5)
    # six of sixty: F = 10, 20, 30, all chances at most 0.1
    journalist = found["attackers"]["journalist"]
    assert (journalist["records_at_risk_share"], journalist["highest"]) == (0.0, pytest.approx(0.1))
    assert journalist["success_rate"] == found["attackers"]["marketer"]["success_rate"] == pytest.approx(0.05)
    need = found["sensitive"]["need"]
    assert (need["distinct_l"], need["entropy_l"]) == (1, 1.0)
    assert (need["homogeneous_classes"], need["homogeneous_records"]) == (2, 3)
    # p = 1/2, 1/6, 1/3 over need 1, 2, 3; year 8 has need 3 only: half of 1/2 + 1/6 + 2/3
    assert need["t_equal"] == pytest.approx(2 / 3)
    assert (found["missing_rule"], found["left_out"]) == ("own-category", 0)


def test_without_a_population_its_attackers_are_unknown_and_say_why():
    attackers = measure(PUPILS, KNOWN).record()["attackers"]
    assert attackers["journalist"]["success_rate"] is attackers["journalist"]["highest"] is None
    assert attackers["journalist"]["records_at_risk_share"] is attackers["marketer"]["success_rate"] is None
    assert "no population was given" in attackers["journalist"]["reason"]
    assert "no population was given" in attackers["marketer"]["reason"]


def test_a_single_record_has_no_separation_and_the_record_says_why():
    found = measure(PUPILS.head(1), KNOWN).record()
    assert found["separation"] is None
    assert "only one record" in found["reason"]
    assert "separation" not in measure(PUPILS, KNOWN).record()["reason"]


# Two of six hold a UPN; the e-mail column is empty.
def test_names_in_the_table_come_before_any_k():
    found = measure(PUPILS, KNOWN, direct_identifiers=["upn", "email"])
    said = found.sentence()
    assert said.startswith("Directly identified: 2 of 6 records (33.3 %) hold upn,")
    assert said.index("Directly identified") < said.index("If the identifiers were removed, k would be 1")
    assert "k is" not in said
    assert found.table()["measure"][0] == "records directly identified"
    assert "k, the smallest class, if the identifiers were removed" in found.table()["measure"].to_list()
    record = found.record()
    assert record["directly_identified"] == {"columns": ["upn"], "records": 2, "share": pytest.approx(1 / 3)}
    assert record["k_holds"] == "if the identifiers were removed"
    assert list(record).index("directly_identified") < list(record).index("k")


def test_names_count_in_rows_that_the_missing_rule_leaves_out_as_well():
    found = measure(PUPILS, KNOWN, direct_identifiers=["upn"], missing="drop")
    assert (found.records, found.left_out) == (5, 1)
    assert found.record()["directly_identified"]["share"] == pytest.approx(2 / 6)


def test_found_none_found_and_not_looked_for_are_three_answers():
    none_found = measure(PUPILS, KNOWN, direct_identifiers=["email"]).record()["directly_identified"]
    not_looked = measure(PUPILS, KNOWN).record()["directly_identified"]
    assert none_found == {"columns": [], "records": 0, "share": 0.0}
    assert not_looked["records"] is None
    assert not_looked["reason"] == "direct identifiers were not looked for"
    assert "not looked for" in measure(PUPILS, KNOWN).sentence()
    assert measure(PUPILS, KNOWN, direct_identifiers=()).sentence().startswith("k is 1 over year and sex.")


def test_the_figure_counts_people_by_the_crowd_they_stand_in():
    figure = measure(PUPILS, KNOWN, direct_identifiers=["upn"]).figure()
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["1", "2", "3", "0", "0", "0"]
    said = " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")
    assert "If the identifiers were removed: 1 of 6 records (16.7 %) is alone with its combination" in said


def test_what_is_asked_for_wrongly_is_refused_with_the_names_of_the_columns():
    with pytest.raises(FieldError, match="direct_identifiers: 'name' is not a field"):
        measure(PUPILS, KNOWN, direct_identifiers=["name"])
    with pytest.raises(FieldError, match="sensitive: 'want' is not a field"):
        measure(PUPILS, KNOWN, sensitive=["want"])
    with pytest.raises(FieldError, match="a list of names"):
        measure(PUPILS, KNOWN, sensitive="need")
    with pytest.raises(ParameterError, match="thresholds: none"):
        measure(PUPILS, KNOWN, thresholds=[])


RESULTS: dict[str, Any] = {
    "risk": lambda: measure(
        PUPILS, KNOWN, sensitive=["need"], direct_identifiers=["upn"], population=Population(size=9)
    ),
    "person": lambda: measure(PUPILS, ["year"], person="sex"),
    "k": lambda: k_anonymity(PUPILS, KNOWN, missing="drop"),
    "l": lambda: l_diversity(PUPILS, KNOWN, sensitive="need"),
    "t": lambda: t_closeness(PUPILS, KNOWN, sensitive="need"),
    "prosecutor": lambda: prosecutor_risk(PUPILS, KNOWN),
    "journalist": lambda: journalist_risk(PUPILS, KNOWN, Population(fraction=0.5)),
    "marketer": lambda: marketer_risk(PUPILS, KNOWN, Population(table=PUPILS)),
    "inference": lambda: inference(PUPILS, KNOWN, ["need"]),
    "uniques": lambda: uniqueness_by_facts({"six": PUPILS}, KNOWN, example=["sex"]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_shows_itself_and_holds_no_cell_of_the_table(name: str):
    result = RESULTS[name]()
    bundle = result._repr_mimebundle_()
    record = json.dumps(tables.plain(result.record()), allow_nan=False)
    everything = json.dumps(bundle, default=str) + str(result) + record
    assert "canary" not in everything
    assert result.sentence() in bundle["text/html"]
    for word in ("anonymous", "compliant", "privacy score", "safe"):
        assert word not in everything.lower()
    explained = {entry["key"]: entry for entry in reference.load("explanations").entries["explanation"]}
    assert explained[result.key]["not_told"]
    assert explained[result.key]["assumptions"]
