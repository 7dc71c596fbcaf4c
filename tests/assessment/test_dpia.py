"""The seven steps and the risk register: what stays blank, what warns, and what a number proposes."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from otrack_risk import reference
from otrack_risk.assessment.dpia import BLANK_STEPS, BY_A_PERSON, FROM_DATA, MARKDOWN, PAGE, TABLES, seven_steps
from otrack_risk.assessment.risks import FILE, overall, risk_register
from otrack_risk.errors import ParameterError

BANNED = re.compile(r"\b(safe|anonymous|compliant|privacy score)\b", re.IGNORECASE)
DAY = date(2026, 3, 10)


@pytest.fixture
def school(bundle, exposed, granted):
    """Forty children, 30 with a special category fact, 25 of 40 alone; a page open to all, a supplier without end."""
    seen = granted(
        ("teacher", "class_teacher", "assessment", "edit", "school"),
        ("supplier", "vendor_support", "sen", "view", "all"),
        ("page", "public_link", "identity", "view", "all"),
    )
    exposure = exposed(
        "sen",
        "identity",
        "assessment",
        children_special_category=30,
        directly_identified=40,
        leavers=0,
        oldest_year=2024,
    )
    risk = {"records": 40, "unit": "records", "uniques": 25, "unique_share": 0.625, "sensitive": {}}
    return bundle(exposure, risk, access=seen)


def judged(measured) -> dict[str, object]:
    return {risk.id: risk.judged for risk in risk_register(measured).risks}


def test_the_steps_are_seven_and_in_order(school):
    steps = [entry.step for entry in seven_steps(school).entries]
    assert steps == sorted(steps)
    assert set(steps) == {1, 2, 3, 4, 5, 6, 7}


def test_consultation_and_sign_off_are_blank(school):
    blank = [entry for entry in seven_steps(school).entries if entry.step in BLANK_STEPS]
    assert {entry.source for entry in blank} == {BY_A_PERSON}
    assert {entry.answer for entry in blank} == {""}
    assert [entry.step for entry in blank].count(7) == 7  # the seven lines of the template's table
    assert seven_steps(school).record()["signed_off_by"] is None


def test_every_entry_is_from_the_data_and_answered_or_a_persons_and_blank(school):
    for entry in seven_steps(school).entries:
        assert (entry.source == FROM_DATA) == bool(entry.answer), entry.question


def test_the_numbers_of_the_results_stand_in_their_answers(school):
    answers = {entry.question: entry.answer for entry in seven_steps(school).entries}
    assert answers["Scope: how many people?"].startswith("40 people: children 40, staff 0, guardians 0")
    assert "Children with such a fact: 30" in answers["Scope: do they include special category data?"]


@pytest.mark.parametrize(
    ("go_live", "said"),
    [
        ("2026-03-09", "Dated 1 days after go-live (2026-03-09)"),
        ("2025-03-10", "Dated 365 days after go-live (2025-03-10)"),
        ("", "No go-live date was given"),
    ],
)
def test_an_assessment_after_go_live_or_without_one_warns(school, go_live, said):
    found = seven_steps(school, go_live=go_live)
    assert any(warning.startswith(said) for warning in found.warnings)
    assert said in found.sentence()
    assert said in found.further_files()[MARKDOWN].replace("\\", "")


@pytest.mark.parametrize("go_live", ["2026-03-10", "2026-09-01"])
def test_an_assessment_on_or_before_go_live_does_not_warn(school, go_live):
    assert seven_steps(school, go_live=go_live).warnings == ()


@pytest.mark.parametrize("wrong", [{"go_live": "next week"}, {"jurisdiction": "atlantis"}])
def test_a_day_that_is_none_and_a_law_without_a_table_are_refused_without_being_repeated(school, wrong):
    with pytest.raises(ParameterError) as refused:
        seven_steps(school, **wrong)
    assert not any(value in str(refused.value) for value in wrong.values())


def test_jurisdiction_and_the_days_of_the_tables_are_printed_and_stale_ones_warned_of(bundle, exposed):
    last = min(reference.load(name).review_by for name in TABLES)
    fresh = seven_steps(bundle(exposed("sen"), as_of=last), go_live="2030-01-01")
    assert fresh.warnings == ()
    assert "United Kingdom" in fresh.sentence()
    assert all(reference.load(name).checked_on.isoformat() in fresh.further_files()[MARKDOWN] for name in TABLES)
    late = seven_steps(bundle(exposed("sen"), as_of=last + timedelta(days=1)), go_live="2030-01-01")
    assert any("Past their review day" in warning for warning in late.warnings)


# The ICO's three by three, row by row.
@pytest.mark.parametrize(
    ("severity", "levels"),
    [("severe", "low high high"), ("significant", "low medium high"), ("minimal", "low low low")],
)
def test_overall_risk_is_that_of_the_table(severity, levels):
    assert [overall(severity, likelihood) for likelihood in ("remote", "possible", "probable")] == levels.split()


def test_an_open_page_is_probable_and_severe_and_stands_first(school):
    found = risk_register(school)
    public = judged(school)["R1"]
    assert (public.likelihood, public.severity, public.overall) == ("probable", "severe", "high")
    assert found.proposed[0].id == "R1"


# 25 of 40 alone is more than half: probable; 40 named of 40: probable; 30 of 40 with a fact: probable.
def test_a_share_above_one_half_makes_a_risk_probable_and_a_smaller_one_possible(bundle, exposed, school):
    assert [judged(school)[risk].likelihood for risk in ("R6", "R7", "R9")] == ["probable"] * 3
    half = bundle(exposed("sen", children_special_category=20), {"records": 40, "uniques": 20, "unique_share": 0.5})
    assert [judged(half)[risk].likelihood for risk in ("R7", "R9")] == ["possible"] * 2


def test_found_none_found_and_not_looked_for_are_three_states(bundle, exposed):
    images = {"files": 3, "opened": 3, "with_gps": 0}
    nothing = judged(bundle(exposed("identity", children_special_category=0, images=images), {"uniques": 0}))
    assert [nothing[risk].state for risk in ("R6", "R7", "R9", "R11")] == ["none found"] * 4
    assert [nothing[risk].state for risk in ("R1", "R2", "R3", "R10")] == ["not looked for"] * 4
    assert nothing["R1"].likelihood is None
    one = judged(bundle(exposed("identity", images=images | {"with_gps": 1})))
    assert (one["R11"].state, one["R11"].severity) == ("found", "severe")


def test_children_who_left_or_records_of_more_than_seven_years_are_data_kept(bundle, exposed):
    def state(**more: object) -> str:
        return judged(bundle(exposed("identity", **more)))["R12"].state

    assert state(leavers=1, oldest_year=2026) == "found"
    assert state(leavers=0, oldest_year=2018) == "found"  # 2026 - 2018 = 8
    assert state(leavers=0, oldest_year=2019) == "none found"
    assert state() == "not looked for"


def test_special_category_data_of_which_nobody_knows_count_as_there(bundle, exposed):
    unknown = judged(bundle(exposed("identity", directly_identified=1)))
    none = judged(bundle(exposed("identity", directly_identified=1, children_special_category=0)))
    assert (unknown["R6"].severity, none["R6"].severity) == ("severe", "significant")


def test_the_register_as_a_file_has_every_risk_and_blank_columns_for_a_person(school):
    rows = list(csv.DictReader(io.StringIO(risk_register(school).further_files()[FILE])))
    assert [row["id"] for row in rows] == [f"R{number}" for number in range(1, 14)]
    blank = ("effect", "residual_likelihood", "residual_severity", "residual_overall", "approved_by")
    assert {row[name] for row in rows for name in blank} == {""}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_what_is_hidden_on_paper_changes_no_proposal_and_is_printed_nowhere(bundle, exposed):
    exact = bundle(exposed("sen", children_special_category=3), few=("children_special_category",))
    found = seven_steps(exact, go_live="2026-09-01")
    paper = found.published(5)
    assert paper.risk_list.judged == found.risk_list.judged
    for text in [*paper.further_files().values(), *paper.risk_list.further_files().values()]:
        assert "fewer than 5" in text
        assert "stated of 3 of" not in text


def test_a_synthetic_school_says_so_in_every_file(bundle, exposed):
    made = bundle(exposed("sen"), synthetic=True)
    texts = [*seven_steps(made).further_files().values(), *risk_register(made).further_files().values()]
    assert all("SYNTHETIC" in text for text in texts)
    real = bundle(exposed("sen"))
    assert not any("SYNTHETIC" in text for text in seven_steps(real).further_files().values())


def test_the_files_use_no_word_that_promises_what_nobody_measured(school):
    found = seven_steps(school)
    texts = [found.sentence(), *found.further_files().values(), *found.risk_list.further_files().values()]
    texts += [
        str(entry) for name in ("dpia_ico", "screening", "cnil_pia") for entry in reference.load(name).entries.items()
    ]
    assert [text[:40] for text in texts if BANNED.search(text)] == []


# A role of the file may hold any characters; before it is published it stands in the answer as it is.
def test_a_hostile_role_stays_one_cell_of_the_document(bundle, exposed, granted):
    seen = granted(("teacher", "a|b\n<script>x</script>*", "sen", "view", "school"))
    files = seven_steps(bundle(exposed("sen"), access=seen)).further_files()
    rows = [line for line in files[MARKDOWN].splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    assert not any("<script" in text for text in files.values())


class Headings(HTMLParser):
    """The headings and the number of tables of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)


def test_the_page_has_one_title_seven_headings_and_a_captioned_table_each(school):
    found = Headings()
    found.feed(seven_steps(school).further_files()[PAGE])
    assert (found.tags.count("h1"), found.tags.count("h2")) == (1, 7)
    assert found.tags.count("table") == found.tags.count("caption") == 7
    assert not {"script", "img", "link", "iframe"} & set(found.tags)


def test_the_same_results_give_the_same_bytes(school):
    assert seven_steps(school).further_files() == seven_steps(school).further_files()
