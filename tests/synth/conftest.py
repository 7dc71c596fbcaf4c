"""Worlds that several tests look at, made once; nobody in them exists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from otrack_risk import synth


@dataclass(frozen=True)
class Made:
    """A world and the folder it stands in."""

    world: synth.World
    folder: Path

    def __getitem__(self, table: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / f"{table}.parquet")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    """Make a world, or give the one that was made with the same numbers."""
    held: dict[tuple[object, ...], Made] = {}

    def make(preset: str, seed: int = 11, **numbers: Any) -> Made:
        key = (preset, seed, *sorted(numbers.items()))
        if key not in held:
            folder = tmp_path_factory.mktemp(preset)
            held[key] = Made(synth.make(preset, folder, seed=seed, **numbers), folder)
        return held[key]

    return make


@pytest.fixture(scope="session")
def primary(made: Callable[..., Made]) -> Made:
    return made("primary")


@pytest.fixture(scope="session")
def secondary(made: Callable[..., Made]) -> Made:
    return made("secondary")


@pytest.fixture(scope="session")
def trust(made: Callable[..., Made]) -> Made:
    return made("trust")


@pytest.fixture(scope="session")
def exposed(made: Callable[..., Made]) -> Made:
    """The otrack world at a hundredth of its size."""
    return made("otrack", pupils=1_600)
