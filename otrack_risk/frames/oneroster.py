"""OneRoster sets: a ZIP of CSV tables, and a manifest that says which of them are there.

OneRoster keeps children, their parents and staff in one file, ``users``, and what a form asks of them in another,
``demographics``. Who is who stands in ``users.role`` (1.1) or in ``roles.csv`` (1.2). Each of the two files becomes
as many tables as it has kinds of people: ``users_students``, ``users_guardians``, ``users_staff``, and ``users`` for
those of no known role. A user with roles of several kinds, primary or not, stands once, where most care is owed: a
student before a guardian, a guardian before staff.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import polars as pl

from otrack_risk.errors import FileError, TableError
from otrack_risk.frames import Table, delimited, text

_MANIFEST = "manifest"
_PARTED = ("users", "demographics")
# The words of OneRoster 1.1 and 1.2, in small letters; where a user has several, the first kind goes before.
_KINDS = {
    "students": ("student",),
    "guardians": ("guardian", "parent", "relative"),
    "staff": (
        *("administrator", "aide", "proctor", "teacher", "counselor", "principal"),
        *("districtadministrator", "siteadministrator", "systemadministrator"),
    ),
}
_RANKS = {role: rank for rank, roles in enumerate(_KINDS.values()) for role in roles}


def read_set(
    path: Path,
    *,
    table: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    null_values: Sequence[str] = (),
) -> tuple[list[Table], list[str]]:
    """The set's tables by their files' names, and remarks: its version, and where manifest and files differ.

    The manifest itself is no table. The files lie at the top of the ZIP, or all in one folder. Of a file that is
    parted by kind of person kept + skipped = seen over its tables together: rows that were skipped are of no kind
    known, and are told with the first of them.

    Parameters
    ----------
    table : a file's name, or the name of one table of a file that is parted

    Raises
    ------
    FileError
        Not a ZIP, cut short, encrypted, a zip bomb, without ``manifest.csv``, or with a file that is no CSV table.
    TableError
        No table of that name.
    """
    try:
        with zipfile.ZipFile(path) as package, tempfile.TemporaryDirectory() as folder:
            text.refuse_bomb(sum(each.file_size for each in package.infolist()), path.stat().st_size, path.name)
            entries = _entries(package, path.name)
            said = _manifest(_unpacked(package, entries.pop(_MANIFEST), Path(folder)))
            asked = table if table is None or table in entries else _file_of(table)
            if asked is not None and asked not in entries:
                raise TableError(f"{path.name} has no table '{table}'.", f"name one of: {', '.join(entries)}.")
            digest, read = text.sha256(path), dict[str, Table]()
            for name, entry in entries.items():
                if asked in (None, name) or (asked in _PARTED and name in ("users", "roles")):
                    file = _unpacked(package, entry, Path(folder))
                    rows = delimited.read_delimited(
                        file, name=name, delimiter=delimiter, encoding=encoding, null_values=null_values
                    )
                    file.unlink()
                    read[name] = replace(rows, file=path.name, sha256=digest)
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, RuntimeError, NotImplementedError):
        raise FileError(
            f"{path.name} is no ZIP, is cut short or encrypted.", "export it again, or unpack it and give the folder."
        ) from None
    kinds, remarks = _kinds(read)
    parts = {name: _parted(each, kinds) if name in _PARTED else [each] for name, each in read.items()}
    if table is None:
        tables = [part for each in parts.values() for part in each]
        return tables, [*_remarks(said, list(entries), path.name), *remarks]
    tables = [part for part in parts[asked or table] if table in (asked, part.name)]
    if not tables:
        there = ", ".join(part.name for part in parts[asked or table])
        raise TableError(f"{path.name} has no table '{table}'.", f"name one of: {there}.")
    return tables, []


def _entries(package: zipfile.ZipFile, file: str) -> dict[str, zipfile.ZipInfo]:
    """The CSV files by name, the manifest's among them."""
    inside = [each for each in package.infolist() if not each.is_dir() and not _is_hidden(each.filename)]
    found: dict[str, zipfile.ZipInfo] = {}
    for each in inside:
        at = PurePosixPath(each.filename)
        if at.suffix.lower() == ".csv":
            if at.stem in found:
                raise FileError(f"{file} holds the table '{at.stem}' twice.", "export it again.")
            found[at.stem] = each
    if _MANIFEST not in found:
        raise FileError(
            f"{file} is no OneRoster set: it holds no manifest.csv.", "unpack any other ZIP, and give the folder."
        )
    if len({str(PurePosixPath(each.filename).parent) for each in found.values()}) > 1:
        raise FileError(f"{file} holds CSV files in several folders.", "unpack it, and give one of them.")
    if len(found) == 1:
        raise FileError(f"{file} holds a manifest.csv and no table.", "export it again.")
    return found


def _file_of(table: str) -> str:
    """The file of a table of one kind of person; else the name itself."""
    file, _, kind = table.rpartition("_")
    return file if file in _PARTED and kind in _KINDS else table


def _kinds(read: Mapping[str, Table]) -> tuple[pl.DataFrame, list[str]]:
    """The rank of each user's kind, by sourcedId, and a remark where somebody is of several kinds."""
    said = [
        pl.DataFrame({"user": _text(read[name], key), "rank": _rank(read[name])})
        for name, key in (("users", "sourcedId"), ("roles", "userSourcedId"))
        if name in read
    ]
    every = pl.concat([pl.DataFrame(schema={"user": pl.String, "rank": pl.Int8}), *said]).drop_nulls()
    kinds = every.group_by("user", maintain_order=True).agg(pl.col("rank").min(), several=pl.col("rank").n_unique() > 1)
    if several := int(kinds["several"].sum()):
        who = "1 user has" if several == 1 else f"{several:,} users have"
        return kinds, [f"{who} roles of several kinds, and count once: a student before a guardian before staff"]
    return kinds, []


def _parted(table: Table, kinds: pl.DataFrame) -> list[Table]:
    """One table for each kind of person in it; a row without a number is of the kind of its own role."""
    of = pl.DataFrame({"user": _text(table, "sourcedId")}).join(kinds, on="user", how="left", maintain_order="left")
    rank = of["rank"].fill_null(_rank(table)).fill_null(len(_KINDS))
    names = [*(f"{table.name}_{kind}" for kind in _KINDS), table.name]
    rows = {name: table.rows.filter(rank == place) for place, name in enumerate(names) if (rank == place).any()}
    parts = [replace(table, name=name, rows=r, seen=r.height, skipped=(), notes=()) for name, r in rows.items()]
    if not parts:
        return [table]
    seen = parts[0].kept + table.seen - table.kept
    return [replace(parts[0], seen=seen, skipped=table.skipped, notes=table.notes), *parts[1:]]


def _rank(table: Table) -> pl.Series:
    roles = _text(table, "role").str.to_lowercase()
    return roles.replace_strict(_RANKS, default=None, return_dtype=pl.Int8)


def _text(table: Table, column: str) -> pl.Series:
    """A column as text without blanks around it; nothing at all where the table lacks it."""
    if column not in table.rows.columns:
        return pl.Series([None], dtype=pl.String).new_from_index(0, table.kept)
    return table.rows[column].cast(pl.String).str.strip_chars()


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _unpacked(package: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> Path:
    """The entry as a file of its own, under its last name: no path of a ZIP is followed."""
    file = folder / PurePosixPath(entry.filename).name
    with package.open(entry) as packed, file.open("wb") as out:
        shutil.copyfileobj(packed, out, 1 << 20)  # zipfile gives no more than the directory of the ZIP says
    return file


def _manifest(file: Path) -> dict[str, str]:
    rows = delimited.read_delimited(file, name=_MANIFEST).rows
    if rows.columns[:2] != ["propertyName", "value"]:
        raise FileError("manifest.csv has other columns than propertyName and value.", "export the set again.")
    return {str(name): str(value or "") for name, value in rows.select("propertyName", "value").iter_rows()}


def _remarks(said: dict[str, str], found: list[str], file: str) -> list[str]:
    version = said.get("oneroster.version", "")
    known = version if version in ("1.0", "1.1", "1.2") else "without a known version"
    remarks = [f"{file} is a OneRoster set, {known}"]
    listed = {name.removeprefix("file."): how for name, how in said.items() if name.startswith("file.")}
    if delta := sorted(name for name in found if listed.get(name) == "delta"):
        remarks.append(f"only changes, not all rows, are in: {', '.join(delta)}")
    if beyond := sorted(name for name in found if listed.get(name, "absent") == "absent"):
        remarks.append(f"read, though the manifest does not list them: {', '.join(beyond)}")
    missing = sorted(name for name, how in listed.items() if how in ("bulk", "delta") and name not in found)
    if missing:
        some = f" and {len(missing) - 20} more" if len(missing) > 20 else ""
        remarks.append(f"listed in the manifest, and not there: {', '.join(name[:60] for name in missing[:20])}{some}")
    return remarks
