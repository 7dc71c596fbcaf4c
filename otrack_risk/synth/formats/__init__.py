"""The forms in which a world can leave a school: what other systems write, and what a leak of theirs looks like.

Each is given one town's tables after the other and keeps none of them; only after ``close`` are its files whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from otrack_risk.synth.presets import Preset


class Format(Protocol):
    """Where the tables go, in memory that does not grow with the world."""

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Take one town's tables; towns come in order."""

    def close(self) -> None:
        """Write what stands at the end."""


def _later(module: str, name: str) -> type:
    """A class whose module is loaded when the first of it is made: databases and archives cost time to import."""

    def make(_: type, folder: Path, plan: Preset, seed: int, **options: Any) -> Any:
        return getattr(import_module(f"{__name__}.{module}"), name)(folder, plan, seed, **options)

    return type(name, (), {"__new__": make, "__doc__": f"{module}.{name}, loaded when it is made."})


FORMATS: dict[str, type] = {
    "oneroster": _later("oneroster", "OneRoster"),
    "oneroster12": _later("oneroster", "OneRoster12"),
    "ctf": _later("ctf", "Ctf"),
    "mis": _later("mis", "Mis"),
    "sqlite": _later("stores", "Sqlite"),
    "duckdb": _later("stores", "DuckDB"),
    "postgresql": _later("stores", "PostgreSQL"),
    "bucket": _later("bucket", "Bucket"),
}
