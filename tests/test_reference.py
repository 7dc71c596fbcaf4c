from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest

from otrack_risk import reference, schema
from otrack_risk.errors import ReferenceTableError

HEAD = {
    "title": "Ease",
    "source": "a publication",
    "checked_on": date(2026, 1, 31),
    "review_by": date(2027, 1, 31),
}


def shipped() -> list[str]:
    names = {
        path.name.split(".")[0]
        for path in files("otrack_risk.reference").iterdir()
        if path.name.endswith((".toml", ".csv"))
    }
    return sorted(names)


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_table_has_its_source_and_grounds(name):
    table = reference.load(name)
    assert table.source.strip()
    assert table.checked_on < table.review_by


@pytest.mark.parametrize("missing", HEAD)
def test_a_table_without_a_source_or_a_date_is_refused(missing):
    with pytest.raises(ReferenceTableError, match=missing):
        reference.check("t", {key: value for key, value in HEAD.items() if key != missing}, {})


def test_an_assumption_without_its_ground_is_refused():
    with pytest.raises(ReferenceTableError, match="because"):
        reference.check("t", HEAD, {"level": [{"score": 1, "status": "assumed"}]})
    table = reference.check("t", HEAD, {"level": [{"score": 1, "status": "assumed", "because": "nobody knows"}]})
    assert [entry["score"] for entry in table.assumed()] == [1]


def test_a_table_is_stale_the_day_after_its_review_day():
    table = reference.check("t", HEAD, {})
    assert not table.stale(date(2027, 1, 31))
    assert table.stale(date(2027, 2, 1))


def test_unknown_tables_are_named_in_the_refusal():
    with pytest.raises(ReferenceTableError, match="no_such_law"):
        reference.load("no_such_law")


def test_categories_stand_in_order_of_sensitivity():
    names = list(schema.categories())
    weights = [schema.weight(name) for name in names]
    assert weights == sorted(weights, reverse=True)
    assert {"medical", "sen", "ethnicity", "religion"} <= schema.special_categories()
    assert "fsm_pp" not in schema.special_categories()
