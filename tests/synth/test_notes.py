"""Notes and what is said to stand in them: every span against the tables, every note against the pupil's stay."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta
from math import exp, lgamma, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk import reference
from otrack_risk.synth import notes_names, notes_parts, notes_slots, notes_text, notes_when
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.layout import lay_out
from otrack_risk.synth.making import make_town
from otrack_risk.synth.notes import make_notes
from otrack_risk.synth.presets import planned
from otrack_risk.synth.targets import assumed, assumptions
from otrack_risk.synth.town import Town

SEED = 5


def towns(preset: str, pupils: int) -> list[Town]:
    layout = lay_out(planned(preset, pupils=pupils), SEED)
    return [make_town(layout, number)[0] for number in range(layout.schools.towns)]


@pytest.fixture(scope="module")
def trust():
    """Primary and secondary schools, with more children in care and of the services than there are."""
    (town,) = towns("trust", 4_000)
    place = pl.int_range(pl.len())
    return town.having(
        {"pupils": town["pupils"].with_columns(looked_after=place % 40 == 0, service_child=place % 30 == 0)}
    )


@pytest.fixture(scope="module")
def made(trust):
    return make_notes(Chance(SEED), trust)


@pytest.fixture(scope="module")
def open_store():
    return towns("otrack", 6_000)


@pytest.fixture(scope="module")
def spans(made):
    """Each span with its text."""
    held = made["spans"].join(made["notes"], left_on="row", right_on="note_id")
    return held.with_columns(said=pl.col("text").str.slice(pl.col("start"), pl.col("end") - pl.col("start")))


def of(spans: pl.DataFrame, label: str, kind: str = "child") -> pl.DataFrame:
    found = spans.filter((pl.col("label") == label) & (pl.col("subject_kind") == kind))
    assert found.height, (label, kind)
    return found


def subjects(spans: pl.DataFrame, town: Town, label: str, kind: str = "child") -> list[dict]:
    """Spans of a label, each with the row of its subject in the tables."""
    table, key = {"child": ("pupils", "pupil_id"), "guardian": ("guardians", "guardian_id"), "staff": ("staff",) * 2}[
        kind
    ]
    key = "staff_id" if kind == "staff" else key
    held = of(spans, label, kind).select("said", "subject", "written_on", note_pupil="pupil_id")
    return list(held.join(town[table], left_on="subject", right_on=key, how="left").iter_rows(named=True))


def edits(one: str, other: str) -> int:
    """Levenshtein's distance, by the table that defines it."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, row = row, [i]
        for j, b in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


# ------------------------------------------------------------------ spans


def test_spans_lie_in_their_note_and_do_not_overlap(made, spans):
    assert spans.height == made["spans"].height
    assert (spans["start"] >= 0).all()
    assert (spans["start"] < spans["end"]).all()
    assert (spans["end"] <= spans["text"].str.len_chars()).all()
    ordered = made["spans"].sort("row", "start").with_columns(before=pl.col("end").shift(1).over("row"))
    assert (ordered["before"].fill_null(0) <= ordered["start"]).all()
    assert made["spans"]["table"].unique().to_list() == ["notes"]
    assert made["spans"]["column"].unique().to_list() == ["text"]


def test_every_subject_is_in_its_table_and_only_outsiders_have_none(trust, made):
    for kind, ids in (
        ("child", trust["pupils"]["pupil_id"]),
        ("guardian", trust["guardians"]["guardian_id"]),
        ("staff", trust["staff"]["staff_id"]),
    ):
        held = made["spans"].filter(pl.col("subject_kind") == kind)["subject"]
        assert len(held)
        assert held.is_in(ids.implode()).all()
    assert made["spans"].filter(pl.col("subject").is_null())["subject_kind"].unique().to_list() == ["outside"]
    assert made["spans"].filter(pl.col("subject_kind") == "outside")["subject"].is_null().all()


def test_a_pupil_is_called_by_a_name_that_is_its_own(trust, spans):
    for row in subjects(spans, trust, "PERSON"):
        first, last, middle = row["forename"], row["surname"], row["middle_name"]
        ways = {
            first,
            last,
            f"{first} {last}",
            f"{last}, {first}",
            f"{last.upper()} {first}",
            f"{first} {middle} {last}",
        }
        assert row["said"] in ways | {way.lower() for way in ways}


def test_a_nickname_is_on_file_or_in_common_use(trust, spans):
    short = {entry["forename"]: entry["short"] for entry in reference.load("nicknames").entries["nickname"]}
    seen = Counter()
    for row in subjects(spans, trust, "NICKNAME"):
        on_file = row["said"].lower() == (row["preferred_forename"] or "").lower()
        seen[on_file] += 1
        assert on_file or row["said"].lower() in {name.lower() for name in short[row["forename"]]}
    assert seen[True]
    assert seen[False]


def test_initials_are_those_of_pupil_or_author(trust, spans):
    for kind in ("child", "staff"):
        for row in subjects(spans, trust, "INITIALS", kind):
            assert row["said"].replace(".", "") == (row["forename"][0] + row["surname"][0]).upper()


def test_a_misspelt_name_is_one_or_two_edits_from_the_right_one(trust, spans):
    for row in subjects(spans, trust, "MISSPELT_NAME"):
        right = row["forename"], f"{row['forename']} {row['surname']}"
        assert min(edits(row["said"].lower(), name.lower()) for name in right) in (1, 2)


@given(st.lists(st.text("abcdeABCé -'", min_size=1, max_size=9), min_size=1, max_size=20), st.integers(0, 99))
def test_misspelling_moves_few_letters_and_never_the_first_and_leaves_short_names_alone(names, seed):
    key = np.arange(len(names))
    wrong = notes_names.misspelt(Chance(seed), key, key, pl.Series(names)).to_list()
    for right, name in zip(names, wrong, strict=True):
        letters = re.match(r"[^\W\d_]*", right).group()
        assert edits(right, name) in ((1, 2) if len(letters) >= 4 else (0,))
        assert name[0] == right[0]


def test_staff_are_named_by_title_and_surname(trust, spans):
    for row in subjects(spans, trust, "PERSON", "staff"):
        assert row["said"] in (name := f"{row['title']} {row['surname']}", name.lower())


def test_guardians_are_named_as_their_table_has_them_and_answer_for_the_pupil(trust, spans):
    pairs = set(trust["pupil_guardians"].select("pupil_id", "guardian_id").iter_rows())
    for row in subjects(spans, trust, "PERSON", "guardian"):
        names = {f"{row['title']} {row['surname']}", f"{row['forename']} {row['surname']}", row["forename"]}
        assert row["said"] in names | {name.lower() for name in names}
        assert (row["note_pupil"], row["subject"]) in pairs


def test_telephone_numbers_and_addresses_are_those_of_the_guardian(trust, spans):
    for row in subjects(spans, trust, "PHONE", "guardian"):
        assert row["said"].replace(" ", "") == row["phone"].replace(" ", "")
    for row in subjects(spans, trust, "EMAIL", "guardian"):
        assert row["said"] == row["email"]


def test_numbers_and_days_of_birth_are_those_of_the_pupil(trust, spans):
    for label, column in (("UPN", "upn"), ("ULN", "uln")):
        assert all(row["said"] == row[column] for row in subjects(spans, trust, label))
    for row in subjects(spans, trust, "DATE_OF_BIRTH"):
        form = "%d/%m/%Y" if "/" in row["said"] else "%d.%m.%y" if "." in row["said"] else "%d %B %Y"
        assert datetime.strptime(row["said"], form).date() == row["date_of_birth"]  # noqa: DTZ007


def test_addresses_and_classes_are_those_of_the_pupil(trust, spans):
    homes = {row["household_id"]: row for row in trust["households"].iter_rows(named=True)}
    for label, column in (("ADDRESS", "address_line"), ("POSTCODE", "postcode")):
        assert all(row["said"] == homes[row["household_id"]][column] for row in subjects(spans, trust, label))
    classes = dict(trust["classes"].select("class_id", "name").iter_rows())
    for row in subjects(spans, trust, "CLASS"):
        assert row["said"] == classes[row["class_id"]]
        assert row["written_on"] >= date(trust.plan.now, 9, 1)


def test_codes_in_words_say_what_the_table_holds(trust, spans):
    words = {row["field"]: row["words"] for row in reference.load("note_templates").entries["coded"]}
    for label, column in (("LANGUAGE", "first_language"), ("ETHNICITY", "ethnicity")):
        for row in subjects(spans, trust, label):
            assert row["said"] == "EAL" or row["said"] in words[column][row[column]]
    for label, columns in (("HEALTH", ["medical_condition"]), ("SEND", ["sen_need", "sen_provision"])):
        own = {word for column in columns for of_code in words[column].values() for word in of_code}
        for row in subjects(spans, trust, label):
            if row["said"] in own - {"SEN support", "EHCP"}:
                assert row["said"] in {word for column in columns for word in words[column].get(row[column], [])}


def test_sensitive_words_are_about_the_pupil_of_the_note(spans):
    for label in ("HEALTH", "SEND", "SAFEGUARDING", "RELIGION", "SCHOOL"):
        held = of(spans, label)
        assert (held["subject"] == held["pupil_id"]).all()


def test_outsiders_have_names_numbers_and_addresses_that_reach_nobody(spans):
    assert of(spans, "PERSON", "outside")["said"].str.len_chars().min() >= 2
    assert of(spans, "PHONE", "outside")["said"].str.contains(r"^01632 960\d{3}$").all()
    assert of(spans, "EMAIL", "outside")["said"].str.ends_with("@services.example.org").all()


def test_pronouns_follow_the_table(trust, made):
    held = made["notes"].join(trust["pupils"], on="pupil_id").select("text", "sex")
    for boy, girl in (
        ("I told him how proud", "I told her how proud"),
        ("He said sorry", "She said sorry"),
        ("proud of himself", "proud of herself"),
    ):
        for phrase, sex in ((boy, "M"), (girl, "F")):
            found = held.filter(pl.col("text").str.contains(phrase, literal=True))["sex"]
            assert set(found) == {sex}


# ------------------------------------------------------------------ words that mean nobody


def test_words_that_are_names_elsewhere_are_in_no_span(made, spans):
    decoys = "Will check again", "May need", "Grace period", "Mark the date", "Harry Potter", "Guy Fawkes", "Rose class"
    met = 0
    for note, text in made["notes"].select("note_id", "text").iter_rows():
        for decoy in decoys:
            if (start := text.find(decoy)) >= 0:
                met += 1
                within = spans.filter(
                    (pl.col("row") == note) & (pl.col("start") < start + len(decoy)) & (pl.col("end") > start)
                )
                assert not within.height
    assert met > 20


def test_one_note_in_ten_tells_nothing_of_anybody(made):
    share = assumed("note_plain")
    may = made["notes"].filter(pl.col("kind") != "safeguarding")
    none = ~may["note_id"].is_in(made["spans"]["row"].implode())
    assert abs(none.mean() - share) < 4 * sqrt(share * (1 - share) / may.height)


def test_every_sentence_of_a_personal_event_names_or_tells_of_somebody_and_no_plain_one_does():
    telling = {
        "child",
        "full",
        "full_middle",
        "surname",
        "surname_first",
        "staff",
        "Mrs",
        "g_full",
        "other",
        "nan_full",
    }
    for pool in reference.load("note_templates").entries["pool"]:
        plain = pool["topic"] == "plain"
        for text in pool.get("event", []) + plain * (pool.get("opening", []) + pool.get("follow", [])):
            names = set(re.findall(r"\{(\w+)\}", text)) & telling
            labelled = re.search(r"\{[A-Z_]+:", text)
            assert bool(names) == (not plain), text
            assert not (plain and labelled), text


def test_every_slot_of_a_sentence_can_be_filled():
    held = set(notes_parts.sentences().slots) - {notes_parts.LITERAL, notes_parts.GAP}
    assert held <= notes_slots.slots()


# ------------------------------------------------------------------ who, when, how many


def school_day(day: date) -> bool:
    """By the dates of the holidays, written out."""
    shut = (
        (10, 24, 11, 1),
        (12, 20, 12, 31),
        (1, 1, 1, 4),
        (2, 12, 2, 20),
        (4, 1, 4, 16),
        (5, 25, 6, 2),
        (7, 22, 9, 2),
    )
    inside = any((m, d) <= (day.month, day.day) <= (n, e) for m, d, n, e in shut)
    return day.weekday() < 5 and not inside


@pytest.mark.parametrize("table", ["notes", "behaviour"])
def test_rows_are_of_pupils_on_roll_on_a_school_day_and_of_staff_in_post(table, trust, made, open_store):
    for town, held in [(trust, made), *((town, make_notes(Chance(SEED), town)) for town in open_store)]:
        day = "written_on" if table == "notes" else "happened_on"
        rows = held[table].rename({day: "day"}).join(town["pupils"], on="pupil_id", how="left")
        assert (rows["admitted_on"] <= rows["day"]).all()
        assert (rows["left_on"].fill_null(town.plan.as_of) >= rows["day"]).all()
        assert rows["day"].max() <= town.plan.as_of
        assert all(school_day(one) for one in rows["day"].unique())
        runs = rows.join(town["contracts"], on=["staff_id", "school_id"]).filter(
            (pl.col("started_on") <= pl.col("day")) & (pl.col("ended_on").fill_null(town.plan.as_of) >= pl.col("day"))
        )
        assert runs[held[table].columns[0]].n_unique() == rows.height


def test_classmates_are_of_the_same_school_and_on_roll(trust, spans):
    pupils = trust["pupils"]
    held = spans.filter((pl.col("subject_kind") == "child") & (pl.col("subject") != pl.col("pupil_id")))
    there = held.join(pupils, left_on="subject", right_on="pupil_id").join(pupils, on="pupil_id", suffix="_own")
    assert there.height == held.height > 300
    assert (there["school_id"] == there["school_id_own"]).all()
    assert (there["admitted_on"] <= there["written_on"]).all()
    assert (there["left_on"].is_null() | (there["left_on"] >= there["written_on"])).all()


def test_the_kind_of_a_note_fits_the_pupil(trust, made):
    held = made["notes"].join(trust["pupils"], on="pupil_id")
    assert (held.filter(pl.col("kind") == "sen")["sen_provision"] != "N").all()
    assert held.filter(pl.col("kind") == "medical")["medical_condition"].is_not_null().all()
    careless = held.filter((pl.col("kind") == "safeguarding") & ~pl.col("looked_after"))
    few = assumed("safeguarding_known") * trust["pupils"].height
    assert 0 < careless["pupil_id"].n_unique() < few + 3 * sqrt(few)


# mean = rate x days / 190 for every pupil and year; the variance of a negative binomial is mean + mean^2 / agree.
@pytest.mark.parametrize("kind", ["pastoral", "sen", "admissions", "medical", "assessment"])
def test_notes_of_a_kind_are_as_many_as_assumed(kind, trust, made):
    (row,) = (row for row in assumptions("note_kind") if row["kind"] == kind)
    fit = {"provision": pl.col("sen_provision") != "N", "condition": pl.col("medical_condition").is_not_null()}
    pupils = trust["pupils"].filter(fit.get(row["of"], pl.lit(True)))
    mean = variance = 0.0
    for start, end in ((date(2024, 9, 1), date(2025, 8, 31)), (date(2025, 9, 1), trust.plan.as_of)):
        days = sum(school_day(start + timedelta(days=step)) for step in range((end - start).days + 1))
        here = pupils.filter(pl.col("admitted_on") <= end).height
        each = row["rate"] * days / 190
        mean, variance = mean + here * each, variance + here * (each + each**2 / row["agree"])
    found = made["notes"].filter(pl.col("kind") == kind).height
    twice = 0.03 * found  # the few that would have read like another are left out
    assert -4 * sqrt(variance) - twice < found - mean < 4 * sqrt(variance)


def test_persistently_absent_pupils_have_more_notes_on_attendance(trust, made):
    held = trust["attendance"].with_columns(often=pl.col("sessions_absent") >= 0.1 * pl.col("sessions_possible"))
    years = held.group_by("often").len().sort("often")["len"]
    start = date(trust.plan.now, 9, 1)
    of_year = (
        made["notes"]
        .filter(pl.col("kind") == "attendance")
        .with_columns(
            academic_year=pl.when(pl.col("written_on") >= start).then(pl.lit("2025/26")).otherwise(pl.lit("2024/25"))
        )
    )
    counts = of_year.join(held, on=["pupil_id", "academic_year"]).group_by("often").len().sort("often")["len"]
    ratio = (counts[1] / years[1]) / (counts[0] / years[0])
    assert 0.6 * assumed("note_absent_factor") < ratio < 1.6 * assumed("note_absent_factor")


def test_the_open_store_holds_notes_of_the_last_year_of_each_child(open_store):
    for town in open_store:
        held = make_notes(Chance(SEED), town)["notes"].join(town["pupils"], on="pupil_id")
        end = held["left_on"].fill_null(town.plan.as_of)
        assert ((end - held["written_on"]).dt.total_days() < 366).all()
        assert 0.3 < held.height / town["pupils"].height < 0.7


# ------------------------------------------------------------------ behaviour


def test_behaviour_gathers_on_few_pupils(trust, made):
    counts = trust["pupils"].join(made["behaviour"].group_by("pupil_id").len(), on="pupil_id", how="left")["len"]
    counts = counts.fill_null(0)
    assert counts.var() > 3 * counts.mean()  # of a Poisson distribution they are equal


def test_points_are_those_of_the_kind_and_a_note_belongs_to_its_event(made):
    range_of = {row["kind"]: row["points"] for row in assumptions("behaviour_event")}
    for kind, points in made["behaviour"].select("kind", "points").unique().iter_rows():
        assert range_of[kind][0] <= points <= range_of[kind][1]
    linked = made["behaviour"].drop_nulls("note_id").join(made["notes"], on="note_id", suffix="_note")
    assert linked.height == made["notes"].filter(pl.col("kind") == "behaviour").height > 200
    assert linked["note_id"].is_unique().all()
    for ours, note in (("pupil_id", "pupil_id_note"), ("staff_id", "staff_id_note"), ("happened_on", "written_on")):
        assert (linked[ours] == linked[note]).all()


# ------------------------------------------------------------------ the whole


def test_keys_are_a_letter_the_number_of_the_pupil_and_a_running_number(made):
    for table, letter in (("notes", "N"), ("behaviour", "B")):
        held = made[table]
        key = held[held.columns[0]]
        assert key.is_unique().all()
        assert key.str.contains(rf"^{letter}\d{{9,}}$").all()
        assert (key.str.slice(1, 7) == held["pupil_id"].str.slice(1)).all()


def test_no_two_notes_of_a_town_read_the_same(made, open_store):
    for held in [made, *(make_notes(Chance(SEED), town) for town in open_store)]:
        assert held["notes"]["text"].is_unique().all()
    assert len(set(made["notes"]["text"].head(200).str.slice(0, 25))) > 180  # nor do they begin alike


def test_a_town_reads_the_same_whatever_was_made_before_it(open_store):
    forth = [make_notes(Chance(SEED), town) for town in open_store]
    back = [make_notes(Chance(SEED), town) for town in reversed(open_store)][::-1]
    assert len(forth) > 1
    for one, other in zip(forth, back, strict=True):
        for name, table in one.items():
            assert table.equals(other[name])
    ids = pl.concat([held["notes"]["note_id"] for held in forth])
    assert ids.is_unique().all()


def test_another_seed_writes_other_notes(trust, made):
    other = make_notes(Chance(SEED + 1), trust)
    assert not set(other["notes"]["text"].head(50)) & set(made["notes"]["text"].head(50))


def test_every_sentence_is_used_in_a_large_world(trust, open_store, monkeypatch):
    used: set[int] = set()
    turn = pl.int_range(pl.len())
    codes = {row["field"]: list(row["words"]) for row in reference.load("note_templates").entries["coded"]}
    often = trust.having(  # every need and condition, often: what is rare would need many more pupils
        {
            "pupils": trust["pupils"].with_columns(
                sen_provision=pl.when(turn % 2 == 0).then(pl.lit("K")).otherwise(pl.lit("E")),
                **{
                    field: pl.Series(
                        [codes[field][place % len(codes[field])] for place in range(trust["pupils"].height)]
                    )
                    for field in ("sen_need", "medical_condition", "first_language")
                },
                service_child=turn % 4 == 0,
                looked_after=turn % 7 == 0,
            )
        }
    )
    pick = notes_text.pick

    def noting(*given):
        chosen = pick(*given)
        used.update(np.unique(chosen).tolist())
        return chosen

    monkeypatch.setattr(notes_text, "pick", noting)
    texts = notes_parts.sentences().texts
    for seed in range(12):
        for town in (often, *open_store):
            make_notes(Chance(seed), town)
        if len(used - {-1}) == len(texts):
            break
    assert [text for place, text in enumerate(texts) if place not in used] == []


def test_a_town_of_few_pupils_has_the_same_columns(made):
    for pupils in (1, 5):
        (town,) = towns("primary", pupils)
        held = make_notes(Chance(SEED), town)
        assert held["notes"].schema == made["notes"].schema
        assert held["spans"].schema == made["spans"].schema


# Chance of k: gamma(k + a) / (gamma(a) k!) * (a / (a + m))^a * (m / (a + m))^k, for mean m and shape a.
def test_counts_are_quantiles_of_the_negative_binomial():
    u = (np.arange(500) + 0.5) / 500
    for mean, agree in ((0.1, 0.6), (2.5, 0.35), (1.2, 0.8)):
        rest = mean / (agree + mean)
        chance = [
            exp(lgamma(k + agree) - lgamma(agree) - lgamma(k + 1)) * (1 - rest) ** agree * rest**k for k in range(61)
        ]
        want = [next((k for k in range(60) if sum(chance[: k + 1]) > one), 60) for one in u]
        assert notes_when._counts(u, np.full(500, mean), agree).tolist() == want
