"""The image index, accounts and grants: exact counts, and every planted fault counted again from the tables."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from otrack_risk import reference
from otrack_risk.synth import names


def test_the_index_has_exactly_the_images_asked_for(made):
    for images in (0, 1, 137, 5_000):
        held = made("primary", images=images)["images"]
        assert held.height == images
        assert held["image_id"].n_unique() == images


def test_in_the_open_store_a_file_is_called_by_name_and_upn(exposed):
    held = exposed["images"].join(exposed["pupils"], on="pupil_id")
    start = names.slug(held["surname"]) + "_" + names.slug(held["forename"]) + "_" + held["upn"]
    assert held.select(pl.col("file_name").str.starts_with(start)).to_series().all()
    assert exposed["images"]["file_name"].is_unique().all()
    assert exposed["images"]["file_name"].str.ends_with(".jpg").all()


def test_in_a_schools_own_store_no_file_name_holds_a_name_or_a_upn(primary):
    held = primary["images"].join(primary["pupils"], on="pupil_id")
    for column in ("upn", "surname"):
        assert not held.select(pl.col("file_name").str.contains(pl.col(column), literal=True)).to_series().any()
    assert primary["images"]["file_name"].is_unique().all()


# 1.5 percent of images show a class (assumed): 32 of 2,140.
def test_a_few_images_show_a_class_and_are_linked_to_no_child(exposed):
    unlinked = exposed["images"].filter(pl.col("pupil_id").is_null())
    assert unlinked.height == 32
    assert unlinked["file_name"].str.starts_with("class_").all()


def test_a_photograph_is_taken_on_a_weekday_while_the_child_is_on_roll(exposed, trust):
    for world, first in ((exposed, 2017), (trust, 2023)):
        held = world["images"].join(world["pupils"], on="pupil_id")
        assert (held["taken_on"] >= held["admitted_on"]).all()
        assert (held["taken_on"] <= held["left_on"].fill_null(world.world.as_of)).all()
        assert held["taken_on"].dt.weekday().max() <= 5
        assert held["taken_on"].dt.year().min() == first


def test_a_school_has_one_photo_day_a_year(exposed):
    held = exposed["images"].join(exposed["pupils"], on="pupil_id")
    days = held.group_by("school_id", pl.col("taken_on").dt.year()).agg(pl.col("taken_on").n_unique().alias("days"))
    assert (days["days"] == 1).all()


def test_everybody_with_a_job_and_every_contact_has_an_account_of_the_right_kind(trust, exposed):
    kinds = dict(trust["accounts"].group_by("person_kind").len().iter_rows())
    learners = trust["pupils"].filter(pl.col("year_group") >= 7).height
    assert kinds == {
        "staff": trust["staff"].height,
        "guardian": trust["guardians"].height,
        "child": learners,
        "vendor": 1,
        "service": 1,
    }
    assert set(exposed["accounts"]["person_kind"]) == {"staff", "vendor", "service", "public"}


def test_only_the_open_store_has_an_account_for_everybody_and_it_sees_every_category_of_all(exposed, trust):
    seen = exposed["grants"].filter(pl.col("account") == "public")
    everything = {entry["name"] for entry in reference.load("categories").entries["category"]}
    assert set(seen["category"]) == everything - {"religion", "other"}
    assert set(seen["verb"]) == {"view"}
    assert set(seen["scope"]) == {"all"}
    assert "public" not in set(trust["accounts"]["account"])


def test_a_grant_uses_only_roles_categories_verbs_and_scopes_that_have_a_meaning(trust, exposed):
    words = reference.load("roles").entries
    for world in (trust, exposed):
        grants = world["grants"]
        assert set(grants["role"]) <= {entry["name"] for entry in words["role"]}
        assert set(grants["category"]) <= {entry["name"] for entry in reference.load("categories").entries["category"]}
        assert set(grants["verb"]) <= {entry["name"] for entry in words["verb"]}
        assert set(grants["scope"]) <= {entry["name"] for entry in words["scope"]}
        assert not grants.is_duplicated().any()
        for column in ("account", "role", "category", "verb", "scope", "valid_from"):
            assert grants[column].null_count() == 0


def test_a_head_is_granted_exactly_what_the_least_privilege_matrix_expects(primary):
    head = primary["staff"].filter(pl.col("job") == "headteacher")["staff_id"].item()
    account = primary["accounts"].filter(pl.col("person_id") == head)["account"].item()
    granted = primary["grants"].filter(pl.col("account") == account).select("category", "verb", "scope").rows()
    expected = {
        (row["category"], verb, row["scope"])
        for row in reference.load("least_privilege").entries["row"]
        if row["role"] == "headteacher" and row["scope"] != "none" and row["category"] != "religion"
        for verb in row["verbs"].split()
    }
    assert len(granted) == len(expected)
    assert set(granted) == expected


@pytest.mark.parametrize("preset", ["primary", "secondary", "trust", "otrack"])
def test_planted_faults_are_in_the_tables_as_often_as_the_world_says(made, preset):
    world = made(preset, **({"pupils": 1_600} if preset == "otrack" else {}))
    day: date = world.world.as_of
    staff = world["staff"].join(world["accounts"], left_on="staff_id", right_on="person_id")
    grants = world["grants"]
    whole = grants.filter(role="class_teacher", scope="school")["account"].n_unique()
    reads = grants.filter(role="office_admin", category="safeguarding", verb="view")["account"].n_unique()
    standing = grants.filter(role="mis_vendor").filter(pl.col("valid_to").is_null())["account"].n_unique()
    fields = grants.filter(role="integrator").filter(~pl.col("category").is_in(["identity", "contact", "attendance"]))
    counted = {
        "leavers_with_an_open_account": staff.filter(pl.col("ended_on") < day, pl.col("enabled")).height,
        "sleeping_accounts": staff.filter(
            pl.col("ended_on").is_null(), pl.col("last_login") < day - timedelta(days=90)
        ).height,
        "class_teachers_with_the_whole_school": whole,
        "office_staff_who_read_safeguarding": reads,
        "supplier_with_standing_access": standing,
        "connected_service_beyond_its_fields": fields["account"].n_unique(),
    }
    if preset == "otrack":
        counted["open_to_everybody"] = grants.filter(account="public")["account"].n_unique()
    planted = world.world.record()["planted"]
    assert counted == {fault: planted[fault] for fault in counted}
    assert min(counted.values()) >= 1


def test_a_closed_account_of_a_leaver_has_grants_that_ended_with_the_job(trust):
    left = (
        trust["staff"]
        .join(trust["accounts"], left_on="staff_id", right_on="person_id")
        .filter(pl.col("ended_on").is_not_null(), ~pl.col("enabled"))
    )
    ended = trust["grants"].join(left, on="account", how="inner")
    assert ended.height > 0
    assert (ended["valid_to"] == ended["ended_on"]).all()


# A grant for an occasion began in the last year or so, that of a job on the day on which the job did.
def test_visits_end_and_other_jobs_of_people_in_post_do_not(trust):
    held = (
        trust["grants"]
        .join(trust["accounts"].join(trust["staff"], left_on="person_id", right_on="staff_id"), on="account")
        .filter(pl.col("ended_on").is_null(), pl.col("valid_from") == pl.col("started_on"))
    )
    visits = held.filter(pl.col("job") == "supply_teacher")
    assert (visits["valid_to"] > trust.world.as_of).all()
    assert held.filter(pl.col("job") != "supply_teacher")["valid_to"].null_count() == held.height - visits.height


def test_no_account_is_called_by_a_persons_name(trust):
    assert (
        trust["accounts"]["account"].str.contains(r"^((staff|guardian|pupil)-\d+|vendor-support|service-sync)$").all()
    )
