"""What it means, and what to do: a breach as a file, its severity, and who must be told by when.

The questions by name, loaded when first asked for. The modules stand beside them: ``scenario``,
``accounts``, ``facts``, ``enisa``, ``severity``, ``clocks``, ``duties``, ``doubt``; of an impact assessment
``measured``, ``screening``, ``risks``, ``dpia``, ``cnil``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otrack_risk.assessment import (
        accounts,
        clocks,
        cnil,
        doubt,
        duties,
        enisa,
        facts,
        measured,
        risks,
        scenario,
        screening,
        severity,
    )
    from otrack_risk.assessment.accounts import account_severity
    from otrack_risk.assessment.clocks import clock
    from otrack_risk.assessment.cnil import cnil_pia
    from otrack_risk.assessment.doubt import unknowns
    from otrack_risk.assessment.dpia import seven_steps
    from otrack_risk.assessment.duties import notification
    from otrack_risk.assessment.facts import scenario_facts, scenario_list
    from otrack_risk.assessment.measured import Measured, is_synthetic
    from otrack_risk.assessment.risks import risk_register
    from otrack_risk.assessment.scenario import builtin as builtin_scenarios
    from otrack_risk.assessment.scenario import read as read_scenario
    from otrack_risk.assessment.screening import dpia_screening
    from otrack_risk.assessment.severity import propose

__all__ = [
    "Measured",
    "account_severity",
    "accounts",
    "builtin_scenarios",
    "clock",
    "clocks",
    "cnil",
    "cnil_pia",
    "doubt",
    "dpia_screening",
    "duties",
    "enisa",
    "facts",
    "is_synthetic",
    "measured",
    "notification",
    "propose",
    "read_scenario",
    "risk_register",
    "risks",
    "scenario",
    "scenario_facts",
    "scenario_list",
    "screening",
    "seven_steps",
    "severity",
    "unknowns",
]
_HOMES = {
    "Measured": ("measured", "Measured"),
    "account_severity": ("accounts", "account_severity"),
    "builtin_scenarios": ("scenario", "builtin"),
    "clock": ("clocks", "clock"),
    "cnil_pia": ("cnil", "cnil_pia"),
    "dpia_screening": ("screening", "dpia_screening"),
    "is_synthetic": ("measured", "is_synthetic"),
    "notification": ("duties", "notification"),
    "propose": ("severity", "propose"),
    "read_scenario": ("scenario", "read"),
    "risk_register": ("risks", "risk_register"),
    "scenario_facts": ("facts", "scenario_facts"),
    "scenario_list": ("facts", "scenario_list"),
    "seven_steps": ("dpia", "seven_steps"),
    "unknowns": ("doubt", "unknowns"),
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module, attribute = _HOMES[name]
        return getattr(import_module(f"{__name__}.{module}"), attribute)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
