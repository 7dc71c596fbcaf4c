"""The arrows of the architecture: who may import whom. Compared with what the sources really import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "otrack_risk"
GROUND = {"errors"}
MAY_IMPORT = {
    "errors": set(),
    "reference": GROUND,
    "display": GROUND,
    "schema": {"reference"} | GROUND,
    "identifiers": GROUND,
    "frames": {"schema", "reference"} | GROUND,
    "synth": {"frames", "schema", "reference", "identifiers", "display"} | GROUND,
    "risk": {"display", "reference"} | GROUND,
    "text": {"display", "reference", "identifiers"} | GROUND,
    "files": {"text", "display", "reference"} | GROUND,
    "profile": {"risk", "schema", "reference", "display", "identifiers"} | GROUND,
    "exposure": {"frames", "profile", "text", "files", "schema", "reference", "display", "identifiers"} | GROUND,
    "access": {"frames", "schema", "reference", "display", "identifiers"} | GROUND,
    "assessment": {"schema", "risk", "exposure", "access", "reference", "display"} | GROUND,
    "report": {"display", "reference"} | GROUND,
}
ANY = {"cli", "__main__", "__init__"}  # the door, which may import every stage


def stage(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively, which hides the arrow"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("otrack_risk.") and name.count(".")}


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_every_module_keeps_to_its_arrows(path):
    of = stage(path)
    if of in ANY:
        return
    allowed = MAY_IMPORT[of] | {of} | ({"__version__"} if of in {"synth", "report"} else set())
    assert imported(path) <= allowed


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("matplotlib", "papermill", "pandas", "polars", "numpy", "pydantic", "presidio_analyzer")
    code = f"import sys, otrack_risk; print([m for m in {heavy!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
