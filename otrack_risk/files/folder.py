"""The files of a folder, by what can be done with each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from otrack_risk.errors import FileError
from otrack_risk.files import documents, images


@dataclass(frozen=True)
class Listed:
    """Every file below a folder, in the order of their paths; links to elsewhere are not followed."""

    root: Path
    images: tuple[Path, ...]
    documents: tuple[Path, ...]
    other: tuple[Path, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The paths of all files below the root, images first: what ``names.look`` reads."""
        return tuple(path.relative_to(self.root).as_posix() for path in (*self.images, *self.documents, *self.other))


def listed(folder: Path | str) -> Listed:
    """Every file below a folder, by suffix.

    Raises
    ------
    FileError
        No folder, or one that cannot be read.
    """
    root = Path(folder)
    if not root.is_dir():
        raise FileError(f"{root.name} is no folder.", "give the folder that was exposed.")
    found: list[Path] = []

    def refused(error: OSError) -> None:
        name = Path(error.filename or "").name
        raise FileError(f"the folder {name} cannot be read.", "ask for the right to read it, or leave it out.")

    for where, folders, files in os.walk(root, onerror=refused):
        folders.sort()
        found += [Path(where, name) for name in files]
    found.sort()
    kinds = {path: path.suffix.lower() for path in found}
    return Listed(
        root,
        tuple(path for path, suffix in kinds.items() if suffix in images.SUFFIXES),
        tuple(path for path, suffix in kinds.items() if suffix in documents.SUFFIXES),
        tuple(path for path, suffix in kinds.items() if suffix not in images.SUFFIXES | documents.SUFFIXES),
    )
