"""Several tables in one place: a database, a OneRoster set, a CTF or a folder of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from otrack_risk import frames
from otrack_risk.frames import Table, ctf, database, oneroster

SUFFIXES = (".zip", ".xml", *database.SUFFIXES)


def read_set(
    path: Path | database.Url,
    *,
    table: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    null_values: Sequence[str] = (),
) -> tuple[list[Table], list[str]] | None:
    """The tables, and remarks on what is not read; None where every file is a table of its own.

    In a folder a set is read where no table lies beside it: CTFs together, or the one ZIP or database.

    Raises
    ------
    FileError, TableError, ParameterError
        As the readers of each kind.
    """
    if isinstance(path, database.Url):
        return database.read_tables(path, table=table, null_values=null_values)
    files = _files(path)
    kinds = {each.suffix.lower() for each in files}
    if kinds == {".xml"}:
        return ctf.read_transfer(files, of=path.name or path.resolve().name, table=table, null_values=null_values)
    if len(files) != 1:
        return None
    if kinds == {".zip"}:
        return oneroster.read_set(
            files[0], table=table, delimiter=delimiter, encoding=encoding, null_values=null_values
        )
    inner = database.located(files[0])
    return (
        database.read_tables(inner, table=table, null_values=null_values) if isinstance(inner, database.Url) else None
    )


def _files(path: Path) -> list[Path]:
    """The files of sets: the one that is named, or those of a folder that holds no table."""
    if not path.is_dir():
        return [path] if path.is_file() else []
    inside = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    if any(each.name.lower().endswith(frames.SUFFIXES) for each in inside):
        return []
    return [each for each in inside if each.suffix.lower() in SUFFIXES]
