"""Documents: whose they are, when they were made, and what their names give away at which place."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from otrack_risk.synth.documents import CALLED, make_documents
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.presets import PRESETS
from otrack_risk.synth.targets import assumptions
from otrack_risk.synth.town import Town

CHILDREN = 400


def hand_town() -> Town:
    """A school of 400: every fourth child has a plan, every fourth support, every second asthma; 100 left in 2021."""
    number = range(1, CHILDREN + 1)
    pupils = pl.DataFrame(
        {
            "pupil_id": [f"P{each:07d}" for each in number],
            "school_id": ["S00012"] * CHILDREN,
            "upn": [f"A99990{each:07d}" for each in number],
            "surname": ["O'Neill", "Zając"] * (CHILDREN // 2),
            "forename": ["Thomas", "Zoë"] * (CHILDREN // 2),
            "preferred_forename": ["Tom", None] * (CHILDREN // 2),
            "sen_provision": ["E", "K", "N", "N"] * (CHILDREN // 4),
            "medical_condition": ["ASTHMA", None] * (CHILDREN // 2),
            "admitted_on": [date(2019, 9, 2)] * CHILDREN,
            "left_on": [date(2021, 7, 20)] * 100 + [None] * (CHILDREN - 100),
        }
    )
    tables = {
        "pupils": pupils,
        "schools": pl.DataFrame({"school_id": ["S00012"], "name": ["Madeup Primary School"]}),
        "classes": pl.DataFrame({"class_id": ["C00012001"], "school_id": ["S00012"], "name": ["4B"]}),
        "staff": pl.DataFrame(
            {
                "staff_id": [f"T00012{each:03d}" for each in range(1, 101)],
                "school_id": ["S00012"] * 100,
                "surname": ["Carter"] * 100,
                "forename": ["Jo"] * 100,
                "started_on": [date(2015, 9, 1)] * 100,
                "ended_on": [date(2016, 8, 31)] + [None] * 99,
            }
        ),
    }
    return Town(0, PRESETS["otrack"], tables)  # seen on 1 March 2024, leavers kept since 2017


@pytest.fixture(scope="module")
def made():
    return make_documents(Chance(4), hand_town())


def words(made) -> list[dict[str, object]]:
    """Every span with the text at its place and the document it is in."""
    held = made["spans"].join(made["documents"], left_on="row", right_on="document_id")
    return [{**row, "text": row["file_name"][row["start"] : row["end"]]} for row in held.to_dicts()]


# O'Neill is seven letters: EHCP 0 to 4, _Review_ to 12, the surname to 19, _ to 20, the initial to 21.
def test_the_places_in_a_plans_file_name_are_those_counted_by_hand(made):
    of_first = made["spans"].join(made["documents"].filter(kind="ehcp_review"), left_on="row", right_on="document_id")
    first = of_first.filter(pl.col("file_name").str.starts_with("EHCP_Review_O'Neill_T_20")).head(3)
    assert first.select("start", "end", "label").rows() == [(0, 4, "SEND"), (12, 19, "PERSON"), (20, 21, "INITIALS")]


def test_every_labelled_word_is_the_subjects_own(made):
    town = hand_town()
    people = {row["pupil_id"]: row for row in town["pupils"].to_dicts()}
    seen = set()
    for word in words(made):
        seen.add(word["label"])
        assert (word["table"], word["column"]) == ("documents", "file_name")
        if word["subject_kind"] == "none":
            assert word["subject"] is None
            assert word["text"] in ("4B", "Madeup Primary School")
            continue
        if word["subject_kind"] == "staff":
            assert word["subject"].startswith("T")
            assert word["text"] in ("Carter", "Jo", "JC")
            continue
        child = people[word["subject"]]
        assert word["pupil_id"] == word["subject"]
        first, last = child["forename"], child["surname"]
        assert (
            word["text"]
            in {
                "PERSON": {first, last, last.upper()},
                "NICKNAME": {child["preferred_forename"]},
                "INITIALS": {first[0], first[0] + last[0]},
                "UPN": {child["upn"]},
                "HEALTH": {"asthma"},
                "SEND": {"EHCP", "SEN support"},
                "SAFEGUARDING": {"Safeguarding"},
            }[word["label"]]
        )
    assert seen == {
        "PERSON", "NICKNAME", "INITIALS", "UPN", "HEALTH", "SEND", "SAFEGUARDING", "CLASS", "SCHOOL",
    }  # fmt: skip


def test_no_name_or_upn_stands_in_a_file_name_without_a_label(made):
    labelled: dict[str, list[tuple[int, int]]] = {}
    for row in made["spans"].iter_rows(named=True):
        labelled.setdefault(row["row"], []).append((row["start"], row["end"]))
    for document, name in made["documents"].select("document_id", "file_name").iter_rows():
        rest = list(name)
        for start, end in labelled.get(document, []):
            rest[start:end] = "*" * (end - start)
        for word in ("O'Neill", "O'NEILL", "Zając", "ZAJĄC", "Thomas", "Tom", "Zoë", "A9999", "Carter", "asthma", "4B"):
            assert word not in "".join(rest)


def test_only_children_with_a_plan_have_a_plan_reviewed_and_so_for_support_and_conditions(made):
    about = made["documents"].join(hand_town()["pupils"], on="pupil_id")
    assert set(about.filter(kind="ehcp_review")["sen_provision"]) == {"E"}
    assert set(about.filter(kind="sen_support_plan")["sen_provision"]) == {"K"}
    assert about.filter(kind="care_plan")["medical_condition"].null_count() == 0


# 100 children have a plan, 100 support, 200 a condition; there are 400 children, 100 staff, one class and one school.
def test_there_are_as_many_of_each_kind_as_assumed(made):
    owners = {"plan": 100, "support": 100, "condition": 200}
    everybody = {"child": CHILDREN, "staff": 100, "class": 1, "school": 1}
    counted = dict(made["documents"].group_by("kind").len().iter_rows())
    for entry in assumptions("document"):
        among, share = owners.get(entry["of"], everybody[entry["about"]]), entry["share"]
        assert abs(counted.get(entry["kind"], 0) - share * among) <= 4 * (
            share * (1 - share) * among
        ) ** 0.5 + 1e-9 or (among == 1 and counted.get(entry["kind"], 0) <= 1)


def test_a_document_dates_from_the_time_its_child_was_on_roll(made):
    about = made["documents"].join(hand_town()["pupils"], on="pupil_id")
    assert (about["created_on"] >= about["admitted_on"]).all()
    assert (about["created_on"] <= about["left_on"].fill_null(date(2024, 3, 1))).all()
    assert about["created_on"].dt.weekday().is_in([1, 2, 3, 4, 5]).all()
    assert made["documents"].filter(pl.col("kind").str.contains("class|register"))["created_on"].min() >= date(
        2023, 9, 1
    )


def test_a_name_that_is_there_already_gets_a_number_before_its_suffix(made):
    names = made["documents"]["file_name"]
    assert names.is_unique().all()
    assert "Passport_O'NEILL_Thomas.pdf" in names
    assert "Passport_O'NEILL_Thomas (2).pdf" in names


def test_a_key_begins_with_its_owners_number_and_is_given_once(made):
    documents = made["documents"]
    assert documents["document_id"].is_unique().all()
    of_child = documents.filter(pl.col("pupil_id").is_not_null())
    assert (of_child["document_id"].str.slice(1, 7) == of_child["pupil_id"].str.slice(1)).all()
    others = documents.filter(pl.col("pupil_id").is_null())
    assert (others["document_id"].str.slice(1, 5) == "00012").all()


def test_every_assumed_kind_has_a_name_and_every_name_a_kind():
    assert {entry["kind"] for entry in assumptions("document")} == set(CALLED)


def test_a_documents_chance_is_its_owners_and_nobody_elses(made):
    town = hand_town()
    fewer = make_documents(Chance(4), town.having({"pupils": town["pupils"].tail(50)}))["documents"]
    same = made["documents"].join(fewer, on="document_id", suffix="_fewer")
    assert same.height == fewer.height
    assert (same["created_on"] == same["created_on_fewer"]).all()
    assert (same["bytes"] == same["bytes_fewer"]).all()
