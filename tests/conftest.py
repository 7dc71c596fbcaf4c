"""What the whole test suite shares: what the machine must have, and where the published tables are.

``@pytest.mark.needs("java")`` skips a test where Java is missing; the environment variable
``OTRACK_RISK_REQUIRE=java,chromium,postgres`` turns such a skip into a failure. The fixture
``reference_data`` is the folder named by ``OTRACK_RISK_REFERENCE_DATA``.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

_PROGRAMS = {"java": ("java",), "chromium": ("chromium", "chromium-browser"), "postgres": ("postgres", "initdb")}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(name): java, chromium or postgres must be on this machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    required = {name for name in os.environ.get("OTRACK_RISK_REQUIRE", "").split(",") if name}
    for item in items:
        for mark in item.iter_markers("needs"):
            name = mark.args[0]
            if name not in required and not _found(name):
                item.add_marker(pytest.mark.skip(reason=f"{name} is not on this machine"))


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real and published tables; tests that read it are skipped where it is not named."""
    folder = os.environ.get("OTRACK_RISK_REFERENCE_DATA")
    if not folder:
        pytest.skip("OTRACK_RISK_REFERENCE_DATA does not name the folder of published tables")
    return Path(folder)


def _found(name: str) -> bool:
    if any(shutil.which(program) for program in _PROGRAMS[name]):
        return True
    return name == "postgres" and any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
