from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from otrack_risk.access.findings import AccessFindings, accepted, find
from otrack_risk.access.findings.checks import CHECKS
from otrack_risk.access.model import Fault, build
from otrack_risk.access.needed import needed_matrix
from otrack_risk.errors import FileError, ParameterError

DAY = date(2026, 1, 31)
ONE = """
[[accepted]]
finding = "vendor_standing_access"
account = "vendor"
reason = "the contract ends in July"
accepted_by = "headteacher"
until = 2026-07-31
reviewed = 2026-01-10
"""


def read(tmp_path, text):
    file = tmp_path / "accepted.toml"
    file.write_text(text, "utf-8")
    return accepted.read_accepted(file)


def ask(risks=(), day=DAY, faults=()):
    """A supplier and a support desk without an end, both of the role mis_vendor."""
    rows = {"account": ["vendor", "desk"], "role": "Supplier", "category": "sen", "verb": "view", "scope": "all"}
    grants = build(pl.DataFrame(rows), name="g", faults=faults)
    kinds = {"person_kind": None, "person_id": None, "school_id": None, "last_login": None, "listed": False}
    accounts = (
        grants.rows.select("account")
        .unique()
        .with_columns(
            pl.lit(value, pl.Date if name == "last_login" else None if name == "listed" else pl.String).alias(name)
            for name, value in kinds.items()
        )
    )
    lines = grants.rows.with_columns(beyond=pl.lit(value=False), person_kind=pl.lit(None, pl.String))
    found, unasked = find(grants, lines, accounts, None, needed_matrix(), False, day, None, risks)
    return [each for each in found if each.id in ("vendor_standing_access", "role_cycle")], unasked


def test_an_accepted_risk_is_still_a_finding_with_its_last_day(tmp_path):
    found, _ = ask(read(tmp_path, ONE))
    told = {each.account: (each.accepted, each.note) for each in found}
    assert told == {"vendor": (True, "accepted until 2026-07-31"), "desk": (False, "")}
    record = next(each.record() for each in found if each.account == "vendor")
    assert (record["accepted"], record["accepted_until"]) == (True, "2026-07-31")


# In force from the day of review to the last day, both included.
@pytest.mark.parametrize(
    ("day", "holds", "note"),
    [
        (date(2026, 1, 9), False, "accepted only from 2026-01-10"),
        (date(2026, 1, 10), True, "accepted until 2026-07-31"),
        (date(2026, 7, 31), True, "accepted until 2026-07-31"),
        (date(2026, 8, 1), False, "accepted until 2026-07-31, expired"),
        (None, False, "accepted until 2026-07-31, and no day was given"),
    ],
)
def test_an_acceptance_holds_to_the_day_and_comes_back_as_a_finding(tmp_path, day, holds, note):
    found, _ = ask(read(tmp_path, ONE), day)
    vendor = next(each for each in found if each.account == "vendor")
    assert (vendor.accepted, vendor.note) == (holds, note)
    counted = AccessFindings.of(found, {}, 2)
    assert [number for _, _, number in counted.counted] == [1 if holds else 2]
    assert [number for *_, number, _ in counted.accepted] == ([1] if holds else [])


def test_accepted_risks_stand_in_the_table_and_the_record_with_their_day(tmp_path):
    counted = AccessFindings.of(*ask(read(tmp_path, ONE)), 2)
    states = counted.table().filter(pl.col("finding") == CHECKS["vendor_standing_access"].label)["severity"].to_list()
    assert states == ["high", "high, accepted until 2026-07-31"]
    assert counted.record()["accepted"][0]["until"] == "2026-07-31"
    assert "Of 1 more the risk is accepted" in counted.sentence()
    every = AccessFindings.of(*ask(read(tmp_path, ONE.replace('"vendor"', '"*"'))), 2)
    assert "vendor_standing_access" not in every.record()["none_found"]
    assert every.counted == ()
    assert sum(number for _, _, number, _ in every.accepted) == 2


@pytest.mark.parametrize("word", ["mis_vendor", "Supplier", "*"])
def test_a_risk_is_accepted_of_a_role_by_our_word_or_the_sources(tmp_path, word):
    found, _ = ask(read(tmp_path, ONE.replace('account = "vendor"', f'role = "{word}"')))
    assert [each.accepted for each in found] == [True, True]


def test_a_risk_of_a_role_itself_is_accepted_by_its_name(tmp_path):
    text = ONE.replace("vendor_standing_access", "role_cycle").replace('account = "vendor"', 'role = "a > b > a"')
    found, _ = ask(read(tmp_path, text), faults=[Fault("role_cycle", "a > b > a", "why", "mend")])
    assert {each.id: each.accepted for each in found} == {"vendor_standing_access": False, "role_cycle": True}


def test_of_several_acceptances_one_in_force_counts_and_the_other_is_told_as_a_note(tmp_path):
    old = ONE.replace("2026-07-31", "2026-01-20")
    risks = read(tmp_path, old + ONE)
    found, unasked = ask(risks)
    used = [each.acceptance for each in found if each.acceptance]
    assert [each.place for each in used] == [2]
    notes = accepted.notes(risks, used, unasked)
    assert notes == (
        "Accepted risk 1 (vendor_standing_access, until 2026-01-20) speaks of nothing that was found; "
        "take it out, or correct its name.",
    )


def test_an_acceptance_of_what_was_not_looked_for_says_so(tmp_path):
    risks = read(tmp_path, ONE.replace("vendor_standing_access", "log_off"))
    found, unasked = ask(risks)
    (note,) = accepted.notes(risks, [each.acceptance for each in found if each.acceptance], unasked)
    assert note.endswith("it was not looked for.")
    assert "vendor" not in note.partition("(")[0]


def test_an_acceptance_changes_no_finding_but_its_own(tmp_path):
    plain, marked = ask()[0], ask(read(tmp_path, ONE))[0]
    assert [(each.id, each.account, each.evidence_sha256) for each in plain] == [
        (each.id, each.account, each.evidence_sha256) for each in marked
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("vendor_standing_access", "sleepy"), "no such finding"),
        (('reason = "the contract ends in July"\n', ""), "'reason' is lacking"),
        (("reviewed = 2026-01-10", "reviewed = 2026-01-10\nticket = 7"), "'ticket' is not known"),
        (("until = 2026-07-31", 'until = "July"'), "'until' is no day"),
        (("until = 2026-07-31", "until = 2026-07-31T10:00:00"), "'until' is no day"),
        (("until = 2026-07-31", "until = 2025-07-31"), "lies before"),
        (('account = "vendor"', 'account = "vendor"\nrole = "ta"'), "one of account and role"),
        (('account = "vendor"\n', ""), "one of account and role"),
        (('account = "vendor"', "account = 7"), "'account' is no text"),
        (("[[accepted]]", "[accepted]"), "no \\[\\[accepted\\]\\]"),
        (("[[accepted]]", "[[risk]]"), "no \\[\\[accepted\\]\\]"),
    ],
)
def test_a_file_of_accepted_risks_that_is_not_understood_is_refused_by_entry(tmp_path, change, said):
    with pytest.raises(ParameterError, match=said):
        read(tmp_path, ONE.replace(*change))


def test_a_file_that_is_none_is_refused_and_an_empty_one_accepts_nothing(tmp_path):
    with pytest.raises(FileError):
        accepted.read_accepted(tmp_path / "none.toml")
    with pytest.raises(FileError, match="no TOML"):
        read(tmp_path, "accept it")
    assert read(tmp_path, "") == ()


def test_the_day_after_the_last_is_too_late():
    one = accepted.Acceptance("dormant_account", "*", None, "r", "headteacher", DAY, DAY)
    assert one.holds(DAY)
    assert not one.holds(DAY + timedelta(days=1))
    assert not one.holds(DAY - timedelta(days=1))
