"""Files as schools have them, written for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def text_file(tmp_path: Path) -> Callable[..., Path]:
    """Write text (or bytes) under a name and give its path."""

    def write(content: str | bytes, name: str = "pupils.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
