from __future__ import annotations

import hashlib
import re
import sys
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from otrack_risk import reference, risk
from otrack_risk.report import page

sys.path.insert(0, str(Path(__file__).parent))
import made

WORKED = {row["key"]: row for row in reference.load("explanations").entries["explanation"] if "worked" in row}
AGREEMENT = reference.load("agreement").entries["agreement"]


def rendered(*shown, about=None, **given) -> str:
    one = page.page("breach_impact", made.notebook(*(shown or (made.Crowd(),)), **given))
    return page.render(one, [one], about or made.about())


def headings(text: str) -> list[int]:
    return [int(level) for level in re.findall(r"<h([1-6])", text)]


def test_headings_go_down_one_step_at_a_time_and_the_first_is_the_only_h1():
    for text in (rendered(), page.overview([], made.about(), [], {"loss": "not simulated"})):
        levels = headings(text)
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_figure_says_what_made_it_of_which_input_with_which_parameters_and_where_its_numbers_lie():
    text = rendered()
    # By the docstring: SHA-256 over the line "pupils abab...".
    whole = hashlib.sha256(f"pupils {'ab' * 32}\n".encode()).hexdigest()
    trail = re.search(r'<p class="trail">.*?</p>', text, re.DOTALL)[0]
    assert all(part in trail for part in ("B1", "otrack_risk.risk.k_anonymity", whole[:12], "tables/synthetic-B1-k_"))
    assert "#parameters" in trail
    assert re.search(r"facts</th><td>\[&#x27;sex&#x27;, &#x27;year&#x27;\]</td>", text)


def test_every_page_tells_the_run():
    assert "cd" * 32 in rendered()
    assert "cd" * 32 in page.overview([], made.about(), [], {})
    assert "Run <code" not in rendered(about=made.about(run_id=""))


def test_what_is_made_from_invented_data_says_so_in_title_caption_and_alt_text():
    text = rendered()
    assert "<title>SYNTHETIC: " in text
    assert 'alt="SYNTHETIC: Figure B1. 12 children in year 7. Its numbers are in table B1."' in text
    assert text.count("B1 (SYNTHETIC)") == 2  # under the figure, over the table


def test_what_is_made_from_real_data_is_headed_by_a_loud_banner_and_carries_no_watermark():
    for text in (rendered(about=made.about(synthetic=False)), page.overview([], made.about(synthetic=False), [], {})):
        assert "SYNTHETIC" not in text
        assert re.search(r'role="alert"><p><strong>REAL DATA', text)
        assert "synthetic-" not in text


def test_a_page_that_makes_its_own_schools_is_marked_as_invented_in_a_report_on_real_data_too():
    text = rendered(about=made.about(synthetic=False), parameters="seed = 0")
    assert "SYNTHETIC: no person" in text
    assert "REAL DATA" not in text
    assert "synthetic schools of its own" in text


def test_markup_in_the_words_of_a_notebook_is_shown_as_words():
    assert "<script" not in rendered(words="<script>alert(1)</script> [a](javascript:alert(1))")
    assert "javascript:" not in rendered(words="[a](javascript:alert(1))")


def test_further_files_are_carried_and_named_on_the_page():
    notebook = made.notebook(made.Crowd())
    payload = notebook.cells[-1].outputs[0]["data"][page.MIME]
    payload["files"] = {"register.csv": "a,b\n"}
    one = page.page("breach_impact", notebook)
    assert one.results[0].files == {"register.csv": "a,b\n"}
    assert "files/synthetic-B1-register.csv" in page.render(one, [one], made.about())


def test_a_notebook_of_an_earlier_version_whose_results_carry_no_files_is_still_read():
    notebook = made.notebook(made.Crowd())
    notebook.cells[-1].outputs[0]["data"][page.MIME].pop("files", None)
    assert page.page("breach_impact", notebook).results[0].files == {}


def test_the_overview_shows_what_other_tools_publish():
    text = page.overview([], made.about(), [], {})
    for entry in AGREEMENT:
        assert entry["tool"] in text
    assert "3,058" in text  # mu-ARGUS, which differs
    assert "no: it counts unsafe combinations" in text


def test_an_explanation_opens_to_formula_denominator_assumptions_a_worked_table_and_what_is_not_told():
    explained = re.search(r"<details>.*?</details>", rendered(), re.DOTALL)[0]
    for part in ("Formula", "What is counted", "Assumptions", "What it does not tell", "worked by hand", "<table>"):
        assert part in explained


def test_the_five_results_that_are_read_most_have_a_table_worked_by_hand():
    assert {"k_anonymity", "reidentification_risk", "people_exposed", "access", "severity"} <= WORKED.keys()
    for entry in WORKED.values():
        assert {"of", "columns", "rows", "so"} <= entry["worked"].keys()
        assert {len(row) for row in entry["worked"]["rows"]} == {len(entry["worked"]["columns"])}


def worked_rows(key: str) -> pl.DataFrame:
    rows = WORKED[key]["worked"]["rows"]
    return pl.DataFrame({"facts": [row[0] for row in rows for _ in range(row[1])]})


def test_the_worked_table_of_k_is_what_is_measured_of_it():
    found = risk.measure(worked_rows("k_anonymity"), ["facts"]).record()
    assert (found["records"], found["unique_share"]) == (5, 1 / 5)  # one of five
    assert risk.k_anonymity(worked_rows("k_anonymity"), ["facts"]).k == 1


def test_the_worked_table_of_the_prosecutor_is_what_is_measured_of_it():
    found = risk.prosecutor_risk(worked_rows("reidentification_risk"), ["facts"], threshold=0.5)
    assert (found.average, found.highest, found.above_threshold) == (0.75, 1.0, 2)


@pytest.mark.parametrize("key", ["people_exposed", "access"])
def test_the_worked_tables_of_people_count_each_child_once(key):
    rows = WORKED[key]["worked"]["rows"]
    seen: set[str] = set()
    for *_, named, new in rows:
        here = set(named.split(", "))
        assert new == len(here - seen)
        seen |= here
    assert seen == {"A", "B", "C"}


def test_the_worked_severity_follows_its_formula():
    dpc, ei, cia, malice = (float(row[1]) for row in WORKED["severity"]["worked"]["rows"])
    assert dpc * ei + cia + malice == 2.5
    assert "2.5: medium" in WORKED["severity"]["worked"]["so"]


@pytest.mark.parametrize("entry", AGREEMENT, ids=lambda entry: f"{entry['tool']}: {entry['measure']}")
def test_what_is_called_equal_is_equal_and_what_differs_says_why(entry):
    if isinstance(entry["ours"], str):
        assert (entry["ours"] == entry["theirs"]) is entry["equal"]
    else:
        assert (abs(entry["ours"] - entry["theirs"]) <= 1e-4) is entry["equal"]
    assert entry["equal"] or entry["why"]
    assert entry["source"]


@pytest.mark.parametrize("entry", [entry for entry in AGREEMENT if "case" in entry], ids=lambda entry: entry["case"])
def test_our_side_of_the_agreement_is_what_is_measured_now_and_theirs_is_what_they_publish(entry, reference_data):
    sys.path.insert(0, str(Path(__file__).parent.parent / "risk"))
    import test_published

    case = next(case for case in test_published.normative_cases() if case["id"] == entry["case"])
    found = test_published.measured(case, test_published.table_of(case, reference_data))
    if isinstance(found, list):
        assert (", ".join(map(str, found)), ", ".join(map(str, case["expected"]))) == (entry["ours"], entry["theirs"])
        return
    assert found == pytest.approx(entry["ours"], abs=1e-9)
    assert not entry["equal"] or case["expected"] == entry["theirs"]


# The entropy of two equal halves is ln 2.
def test_l_by_entropy_of_two_values_equally_frequent_is_two():
    pupils = pl.DataFrame({"year": [7, 7], "need": ["a", "b"]})
    assert risk.l_diversity(pupils, ["year"], sensitive="need").entropy == pytest.approx(2, abs=1e-14)
