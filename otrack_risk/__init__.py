"""otrack_risk: what was in it, about how many children, how findable is each, and who could see them.

The stages by name, loaded when first asked for: ``frames``, ``profile``, ``risk``, ``exposure``,
``access``, ``assessment``, ``report``, ``synth``.
"""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType

os.environ.setdefault("OPENPYXL_LXML", "False")  # read by openpyxl: the same workbook, the same bytes, lxml or no lxml
__version__ = "0.1.0"
__all__ = ["access", "assessment", "exposure", "frames", "profile", "report", "risk", "schema", "synth"]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return import_module(f"otrack_risk.{name}")
    raise AttributeError(f"module 'otrack_risk' has no attribute '{name}'")
