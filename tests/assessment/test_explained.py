"""Every result of this part is explained to its reader."""

from __future__ import annotations

from otrack_risk import reference
from otrack_risk.assessment import clocks, doubt, duties, facts, severity
from otrack_risk.display.results import Shown


def test_every_result_has_its_explanation_with_what_it_does_not_tell():
    explained = {entry["key"]: entry for entry in reference.load("explanations").entries["explanation"]}
    results = [
        found
        for module in (clocks, doubt, duties, facts, severity)
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Shown) and found.__module__ == module.__name__
    ]
    assert {result.key for result in results} == {
        "clock", "notification", "scenario", "scenarios", "severity", "unknowns"
    }  # fmt: skip
    for result in results:
        entry = explained[result.key]
        for part in ("title", "sentence", "formula", "counts", "assumptions", "not_told", "source"):
            assert entry[part], (result.key, part)
