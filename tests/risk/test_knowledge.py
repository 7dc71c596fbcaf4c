from __future__ import annotations

import polars as pl
import pytest

from otrack_risk.errors import TableError
from otrack_risk.risk.knowledge import knowledge_compared

PUPILS = pl.DataFrame({"year": [7, 7, 8, 8], "sex": ["F", "F", "F", "M"], "born": [1, 2, 3, 3]})


# year and sex: (7,F) twice, (8,F), (8,M): two alone, three classes of four. born: 1, 2 alone, 3 twice.
def test_each_person_finds_those_who_are_alone_in_what_they_know():
    compared = knowledge_compared(PUPILS, {"A neighbour": ["year", "sex"], "A classmate": ["born"], "A stranger": []})
    first, second, third = compared.record()["attackers"]
    assert (first["uniques"], first["unique_share"], first["success_rate"]) == (2, 0.5, 0.75)
    assert (second["uniques"], second["success_rate"]) == (2, 0.75)
    assert third["uniques"] is None
    assert third["reason"]
    assert compared.table()["singled_out"].to_list() == [2, 2]


def test_rows_of_one_person_are_one_data_subject():
    rows = pl.DataFrame({"pupil": ["a", "a", "b"], "year": [7, 8, 7]})
    only = knowledge_compared(rows, {"A neighbour": ["year"]}, person="pupil").record()["attackers"][0]
    assert (only["unit"], only["records"], only["uniques"]) == ("data_subjects", 2, 2)


def test_if_nobody_knows_anything_it_is_unknown_and_not_zero():
    with pytest.raises(TableError, match="none of the attackers"):
        knowledge_compared(PUPILS, {"A stranger": []})
