from __future__ import annotations

import re
from importlib import import_module
from pkgutil import walk_packages

import otrack_risk
from otrack_risk import reference
from otrack_risk.display.results import Shown
from otrack_risk.report.run import notebooks

BANNED = re.compile(r"\b(safe|anonymous|compliant|privacy score)\b", re.IGNORECASE)
ENTRIES = {entry["key"]: entry for entry in reference.load("explanations").entries["explanation"]}


APART = ("otrack_risk.__main__", "otrack_risk.text.recognisers")  # runs the program; needs Presidio (extra ner)


def shown(base: type = Shown) -> set[type]:
    for module in walk_packages(otrack_risk.__path__, "otrack_risk."):
        if module.name not in APART:
            import_module(module.name)
    return {each for child in base.__subclasses__() for each in {child, *shown(child)}}


def test_every_result_has_its_explanation_and_every_explanation_its_result():
    keys = {each.key for each in shown() if each.__module__.startswith("otrack_risk.")}
    assert keys == set(ENTRIES)


def test_an_explanation_says_what_is_counted_and_what_it_does_not_tell():
    for key, entry in ENTRIES.items():
        assert {"title", "sentence", "formula", "counts", "assumptions", "not_told", "source"} <= entry.keys(), key


def test_no_page_uses_a_word_that_promises_what_nobody_measured():
    said = {f"{key}.{name}": text for key, entry in ENTRIES.items() for name, text in entry.items()}
    said |= {path.name: path.read_text(encoding="utf-8") for path in notebooks()}
    assert [name for name, text in said.items() if isinstance(text, str) and BANNED.search(text)] == []


def test_every_measure_of_risk_says_what_it_averages_which_logarithm_it_takes_and_why_other_tools_differ():
    keys = {each.key for each in shown() if each.__module__.startswith("otrack_risk.risk.")}
    assert keys <= {
        key for key, entry in ENTRIES.items() if {"averaged_over", "log_base", "other_tools"} <= entry.keys()
    }
