"""Pupils and households against published figures, each within three standard errors.

Free meals, ethnicity and language are drawn by household, so their standard error is that of a cluster
sample: sqrt(p (1 - p) * sum of squared household sizes) / pupils. Sex, need and care are drawn by pupil:
sqrt(p (1 - p) / n). Figures are those of DfE and ONS named in otrack_risk/reference/marginals_england.csv,
typed here again.
"""

from __future__ import annotations

from datetime import date
from math import sqrt

import numpy as np
import polars as pl
import pytest
from scipy import stats

from otrack_risk import identifiers, reference
from otrack_risk.synth import draw, names, people, places, presets, targets
from otrack_risk.synth import layout as layouts

CHANCE = draw.Chance(5)

BIRTHS = (0.08056, 0.07541, 0.08409, 0.07975, 0.08395, 0.08309, 0.0869, 0.08597, 0.08624, 0.08799, 0.08421, 0.08184)
SCHOOLS = ["secondary", "trust"]


def by_pupil(share: float, n: int) -> float:
    return sqrt(share * (1 - share) / n)


def by_household(share: float, pupils: pl.DataFrame) -> float:
    sizes = pupils.group_by("household_id").len()["len"].cast(pl.Int64)
    return sqrt(share * (1 - share) * int((sizes * sizes).sum())) / pupils.height


@pytest.mark.parametrize("preset", SCHOOLS)
def test_boys_are_51_percent_as_among_births(made, preset):
    pupils = made(preset)["pupils"]
    assert abs((pupils["sex"] == "M").mean() - 0.5127) < 3 * by_pupil(0.5127, pupils.height)


@pytest.mark.parametrize("preset", SCHOOLS)
def test_birth_months_follow_the_births_of_england_and_wales(made, preset):
    pupils = made(preset)["pupils"]
    seen = np.bincount(pupils["date_of_birth"].dt.month().to_numpy(), minlength=13)[1:]
    expected = np.array(BIRTHS) * pupils.height
    assert ((seen - expected) ** 2 / expected).sum() < 31.26  # chi-square, 11 degrees of freedom, 1 in 1,000


@pytest.mark.parametrize("preset", SCHOOLS)
def test_a_pupil_is_born_in_the_school_year_of_its_year_group(made, preset):
    pupils = made(preset)["pupils"].with_columns(begins=2025 - pl.col("year_group").cast(pl.Int32) - 5)
    first = pl.date(pl.col("begins"), 9, 1)
    last = pl.date(pl.col("begins") + 1, 8, 31)
    assert pupils.select(pl.col("date_of_birth").is_between(first, last).all()).item()


# Free meals in January 2023: 24.0 percent in primary and 22.7 percent in secondary schools.
@pytest.mark.parametrize(
    ("preset", "years", "share"), [("trust", (0, 6), 0.24), ("trust", (7, 11), 0.227), ("secondary", (7, 11), 0.227)]
)
def test_free_meals_by_phase(made, preset, years, share):
    pupils = made(preset)["pupils"].filter(pl.col("year_group").is_between(*years))
    assert abs(pupils["fsm"].mean() - share) < 3 * by_household(share, pupils)


def test_every_child_with_free_meals_or_in_care_has_pupil_premium_and_some_others_have(trust):
    pupils = trust["pupils"]
    due = pupils["fsm"] | pupils["looked_after"]
    assert pupils.filter(due)["pupil_premium"].all()
    assert 0 < pupils.filter(~due)["pupil_premium"].mean() < 0.1


# SEN in England 2024/25: 18.2 percent of primary and 16.5 percent of secondary pupils have any need.
@pytest.mark.parametrize(
    ("preset", "years", "share"), [("trust", (0, 6), 0.182), ("trust", (7, 11), 0.165), ("secondary", (7, 11), 0.165)]
)
def test_special_needs_by_phase(made, preset, years, share):
    pupils = made(preset)["pupils"].filter(pl.col("year_group").is_between(*years))
    assert abs((pupils["sen_provision"] != "N").mean() - share) < 3 * by_pupil(share, pupils.height)


@pytest.mark.parametrize("preset", SCHOOLS)
@pytest.mark.parametrize(
    ("provision", "boys", "meals", "need", "share"),
    [("E", 0.71, 0.438, "ASD", 0.336), ("K", 0.61, 0.393, "SLCN", 0.257)],
)
def test_who_has_a_plan_or_support(made, preset, provision, boys, meals, need, share):
    some = made(preset)["pupils"].filter(pl.col("sen_provision") == provision)
    for seen, expected in (
        ((some["sex"] == "M").mean(), boys),
        (some["fsm"].mean(), meals),
        ((some["sen_need"] == need).mean(), share),
    ):
        assert abs(seen - expected) < 3 * by_pupil(expected, some.height)


def test_a_need_is_written_for_exactly_those_with_provision(trust):
    pupils = trust["pupils"]
    assert (pupils["sen_need"].is_null() == (pupils["sen_provision"] == "N")).all()


def test_70_in_10_000_children_are_looked_after(trust):
    pupils = trust["pupils"]
    assert abs(pupils["looked_after"].mean() - 0.007) < 3 * by_pupil(0.007, pupils.height)


# Headcounts of 2020/21 over 8,209,595 classified; 1.5 percent are refused or not obtained here (assumed).
@pytest.mark.parametrize("preset", SCHOOLS)
@pytest.mark.parametrize(
    ("code", "heads"), [("WBRI", 5410043), ("WOTH", 565893), ("APKN", 374031), ("BAFR", 326365), ("AIND", 275106)]
)
def test_ethnicity_follows_england_over_all_schools_of_a_world(made, preset, code, heads):
    pupils = made(preset)["pupils"]
    share = heads / 8_209_595 * 0.985
    assert abs((pupils["ethnicity"] == code).mean() - share) < 3 * by_household(share, pupils)


def test_schools_differ_in_ethnicity_more_than_chance_alone_would_make_them(trust):
    pupils = trust["pupils"].with_columns(white=pl.col("ethnicity") == "WBRI")
    spread = pupils.group_by("school_id").agg(pl.col("white").mean(), pl.len())
    assert spread["white"].max() - spread["white"].min() > 0.3


def test_one_pupil_in_five_has_another_first_language_and_hardly_any_of_them_is_white_british(trust):
    pupils = trust["pupils"].with_columns(other=pl.col("first_language") != "ENG")
    assert abs(pupils["other"].mean() - 0.202) < 3 * by_household(0.202, pupils)
    by_code = dict(pupils.group_by("ethnicity").agg(pl.col("other").mean()).iter_rows())
    assert by_code["WBRI"] < 0.03
    assert min(by_code[code] for code in ("ABAN", "APKN", "AOTH", "WOTH")) > 0.5


def test_siblings_share_surname_address_language_and_free_meals_and_no_first_name(trust):
    pupils = trust["pupils"]
    shared = pupils.group_by("household_id").agg(
        pl.col("surname", "first_language", "ethnicity", "fsm").n_unique(),
        names=pl.col("forename").n_unique(),
        n=pl.len(),
    )
    assert (shared.select("surname", "first_language", "ethnicity", "fsm").max_horizontal() == 1).all()
    assert (shared["names"] == shared["n"]).all()
    assert trust["households"]["household_id"].is_unique().all()  # one postcode each


def test_siblings_are_twins_or_ten_months_apart(trust):
    births = trust["pupils"].sort("household_id", "date_of_birth")
    gap = births.select(pl.col("date_of_birth").diff().over("household_id").dt.total_days()).to_series().drop_nulls()
    assert ((gap == 0) | (gap >= 300)).all()
    twins = births.filter(pl.struct("household_id", "date_of_birth").is_duplicated())
    assert 0 < twins.height / births.height < 0.06
    assert twins.group_by("household_id", "date_of_birth").agg(pl.col("school_id", "year_group").n_unique()).select(
        (pl.col("school_id", "year_group") == 1).all()
    ).row(0) == (True, True)


# A child asks for an older sibling with chance 0.42 * 0.85 = 0.357. In seven year groups, oldest first, the gap
# (1 to 7 years: 16, 34, 24, 13, 7, 4, 2 percent) fits with chance 0, .16, .50, .74, .87, .94, .98: 0.5986 on average.
# Two children one year group apart are less than 300 days apart with chance (300/365)^2 / 2 = 0.338 and are not
# siblings; who met such a one asks three times more, and 0.338^4 = 0.013 of these have none: less 0.16 * 0.013 * 6/7.
# With twins: 0.357 * 0.5968 + 0.0145 = 0.228 of pupils have an older one.
def test_more_than_a_fifth_of_primary_pupils_has_an_older_sibling_at_the_school(made):
    pupils = made("primary", pupils=4_200, schools=20)["pupils"]
    older = 1 - pupils["household_id"].n_unique() / pupils.height
    assert abs(older - 0.228) < 3 * by_pupil(0.228, pupils.height)


def test_siblings_of_a_trust_meet_across_primary_and_secondary_school(trust):
    phases = (
        trust["pupils"]
        .with_columns(second=pl.col("year_group") >= 7)
        .group_by("household_id")
        .agg(pl.col("second").n_unique())
    )
    assert (phases["second"] == 2).sum() > 100


def test_a_looked_after_child_lives_alone_of_its_school_with_carers(trust):
    cared = trust["pupils"].filter("looked_after")
    alone = trust["pupils"].group_by("household_id").len().join(cared, on="household_id", how="semi")
    assert (alone["len"] == 1).all()
    links = trust["pupil_guardians"].join(cared, on="pupil_id", how="semi")
    assert set(links["relationship"]) == {"foster carer"}


def test_every_upn_fails_its_check_letter_alone(trust):
    upns = trust["pupils"]["upn"]
    assert upns.is_unique().all()
    assert not any(identifiers.is_upn(upn) for upn in upns)
    assert all(identifiers.is_upn(identifiers.upn_check_letter(upn[1:]) + upn[1:]) for upn in upns)
    assert (upns.str.slice(1, 3) == "999").all()  # an authority that does not exist
    assert upns.str.slice(4, 4).cast(pl.Int32).is_between(9001, 9999).all()


@pytest.mark.parametrize("table", ["households", "schools"])
def test_postcodes_have_the_form_of_one_and_an_area_that_no_place_has(trust, table):
    codes = trust[table]["postcode"]
    assert all(identifiers.is_postcode(code) for code in codes)
    assert codes.str.contains("^Z[^E]").all()


def test_a_town_has_40_sectors_and_the_nearest_hold_most(made):
    homes = made("primary", pupils=4_200, schools=8)["households"]
    sectors = homes.group_by(pl.col("postcode").str.head(-2)).len()["len"].sort(descending=True)
    assert len(sectors) == 40
    one = made("secondary")["households"].group_by(pl.col("postcode").str.head(-2)).len()["len"].sort(descending=True)
    assert one.head(10).sum() > 0.35 * one.sum()  # a quarter of them, had all the same weight


def test_classes_hold_at_most_30_of_one_year_group_and_nobody_who_left(exposed, trust):
    for world in (exposed, trust):
        pupils = world["pupils"].join(world["classes"], on="class_id", how="inner", suffix="_of_class")
        assert (pupils["year_group"] == pupils["year_group_of_class"]).all()
        assert (pupils["school_id"] == pupils["school_id_of_class"]).all()
        assert pupils.group_by("class_id").len()["len"].max() <= 30
        held = world["pupils"]
        assert (held["class_id"].is_null() == held["left_on"].is_not_null()).all()


def test_leavers_left_between_2018_and_the_last_summer_after_they_came(exposed):
    pupils = exposed["pupils"]
    left = pupils.filter(pl.col("left_on").is_not_null())
    assert (left["left_on"] > left["admitted_on"]).all()
    assert left["left_on"].min() >= date(2018, 7, 1)
    assert left["left_on"].max() < exposed.world.as_of
    assert 0.4 < left.height / pupils.height < 0.55  # 13 cohorts, of which six have gone


def test_contacts_have_numbers_kept_for_drama_and_example_addresses(trust):
    guardians = trust["guardians"]
    assert guardians["phone"].drop_nulls().str.contains(r"^(07700 900\d{3}|020 7946 0\d{3}|01632 960\d{3})$").all()
    assert guardians["email"].drop_nulls().str.contains(r"@example\.(org|com|net)$").all()
    assert all(identifiers.is_uk_phone(number) for number in guardians["phone"].drop_nulls())
    staff = trust["staff"]["email"]
    assert staff.str.contains(r"@[a-z-]+\.example\.org$").all()
    assert staff.is_unique().all()
    assert all(identifiers.is_email(address) for address in [*guardians["email"].drop_nulls(), *staff])


def test_every_pupil_has_one_or_two_contacts_of_its_household_or_of_its_second_address(trust):
    links = (
        trust["pupil_guardians"]
        .join(trust["guardians"], on="guardian_id")
        .join(trust["pupils"], on="pupil_id", suffix="_child")
    )
    there = links["household_id_child"] + pl.when(links["lives_with_pupil"]).then(pl.lit("")).otherwise(pl.lit("B"))
    assert (links["household_id"] == links.select(there).to_series()).all()
    each = links.group_by("pupil_id").agg(pl.col("priority").sort())
    assert each.height == trust["pupils"].height
    assert {tuple(row) for row in each["priority"].to_list()} == {(1,), (1, 2)}


# ONS, census of 2021: 5.0 percent of children have a second parental address.
def test_one_child_in_twenty_has_a_second_parental_address_where_its_second_contact_lives(trust):
    apart = trust["pupil_guardians"].filter(~pl.col("lives_with_pupil"))
    assert set(apart["priority"]) == {2}
    assert set(apart["relationship"]) <= {"mother", "father"}
    assert abs(apart["pupil_id"].n_unique() / 6_000 - 0.05) < 3 * by_household(0.05, trust["pupils"])
    homes = trust["households"].filter(pl.col("household_id").str.ends_with("B"))["household_id"]
    lived_at = trust["guardians"].join(apart, on="guardian_id", how="semi")["household_id"]
    assert set(homes) == set(lived_at)
    assert set(homes).isdisjoint(trust["pupils"]["household_id"])


def test_each_school_has_a_head_a_safeguarding_lead_and_a_teacher_for_every_class(trust):
    staff = trust["staff"].filter(pl.col("ended_on").is_null())
    for job in ("headteacher", "dsl", "senco"):
        assert (
            staff.filter(pl.col("job") == job)["school_id"].sort().to_list() == trust["schools"]["school_id"].to_list()
        )
    teachers = staff.filter(pl.col("job") == "class_teacher")
    taught = trust["staff_classes"].join(teachers, on="staff_id", how="semi")["class_id"]
    assert set(taught) == set(trust["classes"]["class_id"])
    assert not trust["staff_classes"].is_duplicated().any()


# ONS 2014: the ten names given most are 14.70 percent of boys, the hundred most 56.61; 1,000 girls' names cover most.
@pytest.mark.parametrize(("boy", "ten", "hundred"), [(True, 0.147, 0.5661), (False, 0.1186, 0.4757)])
def test_first_names_have_the_head_and_the_long_tail_of_their_year(boy, ten, hundred):
    n = 40_000
    key, general = np.arange(n), np.zeros(n, dtype=np.int64)
    codes, mix = targets.ethnicity()
    code = draw.choose(CHANCE.of("code", key), mix)
    takes = CHANCE.of("takes", key) < names.takes()[names.communities(codes)[code]]
    lists = np.where(takes, names.communities(codes)[code], general)
    drawn = names.first_names(CHANCE, "test", (key,), np.full(n, boy), np.full(n, 2014), lists)
    counts = drawn.value_counts(sort=True)["count"]
    # the most frequent of a sample are a little more than those of the population
    assert abs(counts.head(10).sum() / n - ten) < 3 * by_pupil(ten, n) + 0.003
    assert abs(counts.head(100).sum() / n - hundred) < 3 * by_pupil(hundred, n) + 0.006
    assert len(counts) > 3_000


# Weighted by how many of England's children draw from each list, the shares of all lists are those among births again.
@pytest.mark.parametrize("boy", [True, False])
@pytest.mark.parametrize("year", [2006, 2014, 2021])
def test_who_has_which_name_does_not_change_how_often_it_occurs(boy, year):
    pool, shares, births = names.first_name_shares(boy, year)
    takes, draws = names.takes(), np.zeros(len(names.takes()))
    codes, mix = targets.ethnicity()
    for code, share in zip(names.communities(codes), mix, strict=True):
        draws[code] += share * takes[code] if code else share
        draws[0] += share * (1 - takes[code]) if code else 0
    assert draws.sum() == pytest.approx(1)
    assert np.abs(draws @ shares - births).max() < 1e-12
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(takes)))
    assert np.abs(shares[1] - shares[0]).sum() > 0.5  # and yet a list has names of its own
    assert len(pool) == len(births) == len(set(pool))


def test_a_child_is_called_by_another_name_only_where_that_is_a_short_form_of_its_first(trust):
    forms = {entry["forename"]: entry["short"] for entry in reference.load("nicknames").entries["nickname"]}
    called = trust["pupils"].filter(pl.col("preferred_forename").is_not_null())
    assert called.height > 100
    assert all(short in forms[name] for name, short in called.select("forename", "preferred_forename").iter_rows())
    having = trust["pupils"].filter(pl.col("forename").is_in(list(forms)))
    assert abs(called.height / having.height - 0.22) < 3 * by_pupil(0.22, having.height)


def test_middle_names_are_of_most_children_and_never_the_first_name_again(trust):
    pupils = trust["pupils"]
    assert abs(pupils["middle_name"].is_not_null().mean() - 0.78) < 0.03  # a few are left out for being the first
    assert not (pupils["middle_name"] == pupils["forename"]).any()


def test_a_missing_birth_year_table_is_never_asked_for():
    zero = np.zeros(2, dtype=np.int64)
    drawn = names.first_names(CHANCE, "x", (np.arange(2),), np.array([True, False]), np.array([1990, 2030]), zero)
    assert drawn.null_count() == 0


def test_ulns_are_of_years_9_to_11_ten_digits_and_fail_their_check(trust):
    pupils = trust["pupils"]
    assert (pupils["uln"].is_not_null() == (pupils["year_group"] >= 9)).all()
    ulns = pupils["uln"].drop_nulls()
    assert ulns.is_unique().all()
    assert ulns.str.contains(r"^[1-9]\d{9}$").all()
    assert not any(identifiers.is_uln(uln) for uln in ulns)


# The rule of retention schedules: until the child is 25.
def test_leavers_are_kept_until_they_are_25_and_nobody_else_has_such_a_day(exposed):
    pupils = exposed["pupils"]
    assert (pupils["retain_until"].is_not_null() == pupils["left_on"].is_not_null()).all()
    left = pupils.filter(pl.col("left_on").is_not_null())
    assert (left["retain_until"].dt.year() - left["date_of_birth"].dt.year() == 25).all()


# The figures over the joint shares, by weighted sums. By need, the published means imply 7.0 percent of all and those
# by meals 6.7: the ratios by need are met, the level is that by meals. Likewise who misses a tenth or more.
@pytest.mark.parametrize(("phase", "meals"), [("primary", 0.24), ("secondary", 0.227)])
def test_absence_has_the_published_means_and_persistent_shares_by_meals_and_by_need(phase, meals):
    held = targets.absence(phase)
    chances = targets.sen_chances(phase).mean(axis=0)
    needs = chances[:, 0, :] * (1 - 0.5127) + chances[:, 1, :] * 0.5127
    joint = np.column_stack([1 - needs.sum(axis=1), needs]) * np.array([[1 - meals], [meals]])
    a, b = held.means * held.together, (1 - held.means) * held.together
    often = stats.beta.sf(0.1, a, b)
    for figure, by_meals, by_need in (
        (held.means, (0.055, 0.104), (0.061, 0.103, 0.124)),
        (often, (0.156, 0.33), (0.182, 0.299, 0.346)),
    ):
        assert (figure * joint).sum(axis=1) / joint.sum(axis=1) == pytest.approx(by_meals, abs=1e-4)
        of_need = (figure * joint).sum(axis=0) / joint.sum(axis=0)
        assert of_need / of_need[0] == pytest.approx(np.array(by_need) / by_need[0], abs=1e-3)
        assert of_need == pytest.approx(by_need, rel=0.05)


@pytest.mark.parametrize(("phase", "share", "meals"), [("primary", 0.182, 0.24), ("secondary", 0.165, 0.227)])
def test_chances_of_a_need_meet_the_share_of_the_phase_and_who_has_it(phase, share, meals):
    chances = targets.sen_chances(phase)
    weights = np.outer([1 - meals, meals], [1 - 0.5127, 0.5127])[None, :, :, None] / len(chances)
    held = chances * weights
    assert held.sum() == pytest.approx(share, abs=1e-7)
    support, plan = held[..., 0], held[..., 1]
    assert plan.sum() / support.sum() == pytest.approx(0.053 / 0.142)
    for of, boys, free in ((support, 0.61, 0.393), (plan, 0.71, 0.438)):
        assert of[:, :, 1].sum() / of.sum() == pytest.approx(boys, abs=1e-6)
        assert of[:, 1, :].sum() / of.sum() == pytest.approx(free, abs=1e-6)


# DfE 2020: plans 2.4, 3.8 and 4.0 percent at 5, 10 and 15 years; support most frequent at 9; 15.2 at 10, 11.4 at 15.
def test_needs_by_age_have_the_published_shape_within_each_phase():
    of = {}
    for phase, meals in (("primary", 0.24), ("secondary", 0.227)):
        weights = np.outer([1 - meals, meals], [1 - 0.5127, 0.5127])[None, :, :, None]
        of[phase] = (targets.sen_chances(phase) * weights).sum(axis=(1, 2))
    primary, secondary = of["primary"], of["secondary"]
    assert primary[6, 1] / primary[1, 1] == pytest.approx(3.8 / 2.4)  # a child of Year 1 is 5, of Year 6 is 10
    assert primary[:, 0].argmax() == 5
    middle = 15.2 + (11.4 - 15.2) / 5  # 11 years, on the line from 10 to 15
    assert secondary[0, 0] / secondary[4, 0] == pytest.approx(middle / 11.4)
    assert (np.diff(secondary[:, 1]) > 0).all()


# Key stage 2, 2024. Held by a million normal numbers for each kind of pupil, a slower way than the integral.
def test_solved_distances_give_the_published_shares_of_key_stage_2():
    held = targets.attainment()
    rng = np.random.default_rng(1)
    n = 1_000_000
    chances = targets.sen_chances("primary")[6]  # of Year 6
    meals, boy = rng.random(n) < 0.24, (rng.random(n) < 0.5127).astype(int)
    u, chance = rng.random(n), chances[meals.astype(int), boy]
    provision = np.where(u < chance[:, 1], 2, np.where(u < chance.sum(axis=1), 1, 0))
    disadvantaged = (meals | (rng.random(n) < 0.045) | (rng.random(n) < 0.007)).astype(int)
    below = held.below(disadvantaged, boy, provision)
    common = rng.standard_normal(n)
    reached = np.ones(n, dtype=bool)
    for level, share in zip(held.levels[6], (0.74, 0.73, 0.72), strict=True):
        own = rng.standard_normal(n)
        one = sqrt(held.together) * common + sqrt(1 - held.together) * own - below >= level
        assert one.mean() == pytest.approx(share, abs=0.002)
        reached &= one
    assert reached.mean() == pytest.approx(0.61, abs=0.002)
    for of, share in ((boy == 0, 0.64), (boy == 1, 0.57), (disadvantaged == 1, 0.45), (disadvantaged == 0, 0.67)):
        assert reached[of].mean() == pytest.approx(share, abs=0.007)  # groups and all pupils are rounded apart


def test_one_child_in_five_of_england_speaks_another_language_first():
    codes, mix = targets.ethnicity()
    chances = targets.not_english()
    assert mix @ chances == pytest.approx(0.202, abs=1e-8)
    assert chances[codes.index("WBRI")] < 0.01 < 0.6 < chances[codes.index("APKN")]


# Free meals in January 2023: 7.4 percent of Indian and 7.8 percent of Chinese pupils.
def test_the_schools_of_a_world_together_have_englands_mix_and_free_meals():
    schools = places.make_schools(CHANCE, 40, 2.0, 6.0)
    weight = schools.places / schools.places.sum()
    codes, mix = targets.ethnicity()
    assert len(codes) == 18
    assert weight @ schools.ethnic_mix == pytest.approx(mix, abs=1e-6)
    heads = weight[:, None] * schools.ethnic_mix
    assert (heads * schools.meals).sum() == pytest.approx(0.24, abs=1e-6)
    for code, share in (("AIND", 0.074), ("CHNE", 0.078)):
        of = codes.index(code)
        assert (heads * schools.meals)[:, of].sum() / heads[:, of].sum() == pytest.approx(share, abs=1e-6)
    assert schools.ethnic_mix.sum(axis=1) == pytest.approx(np.ones(40))
    assert ((schools.meals >= 0) & (schools.meals <= 1)).all()


def test_schools_of_one_town_are_more_alike_than_schools_of_two():
    schools = places.make_schools(CHANCE, 400, 2.0, 20.0)
    white = schools.ethnic_mix[:, 0]
    within = np.mean([white[schools.town == town].std() for town in range(50)])
    between = np.std([white[schools.town == town].mean() for town in range(50)])
    assert within < 0.7 * between


# DfE figures of 2017: 12 percent of primary schools have fewer than 100 pupils.
def test_one_primary_school_in_eight_is_small():
    schools = places.make_schools(CHANCE, 3_000, 3.0, 8.0)
    assert abs((schools.places * 7 < 100).mean() - 0.12) < 3 * by_pupil(0.12, 3_000) + 0.01


def test_a_pupil_comes_before_it_leaves_and_stays_within_its_phase():
    layout = layouts.lay_out(presets.planned("otrack", pupils=3_000, schools=5), 1)
    made = people.make_people(layout, 0)
    assert (made.first_year <= made.last_year).all()
    assert made.last_year.min() >= 2017
    assert made.last_year.max() == 2023
    assert made.pupils["year_group"].is_between(0, 6).all()


def test_a_town_is_the_same_whether_or_not_another_was_made_before():
    layout = layouts.lay_out(presets.planned("otrack", pupils=3_000, schools=20), 1)
    alone = people.make_people(layout, 2).pupils
    people.make_people(layout, 0)
    assert people.make_people(layout, 2).pupils.equals(alone)
    numbers = pl.concat([people.make_people(layout, town).pupils["pupil_id"] for town in range(3)])
    assert sorted(numbers) == [f"P{number:07d}" for number in range(1, 3_001)]
