"""OneRoster sets: a ZIP of CSV tables, and a manifest that says which of them are there."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from otrack_risk.errors import FileError, TableError
from otrack_risk.frames import Table, delimited, text

_MANIFEST = "manifest"


def read_set(
    path: Path,
    *,
    table: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    null_values: Sequence[str] = (),
) -> tuple[list[Table], list[str]]:
    """The set's tables by their files' names, and remarks: its version, and where manifest and files differ.

    The manifest itself is no table. The files lie at the top of the ZIP, or all in one folder.

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
            if table is not None and table not in entries:
                raise TableError(f"{path.name} has no table '{table}'.", f"name one of: {', '.join(entries)}.")
            digest, read = text.sha256(path), []
            for name, entry in entries.items():
                if table in (None, name):
                    file = _unpacked(package, entry, Path(folder))
                    rows = delimited.read_delimited(
                        file, name=name, delimiter=delimiter, encoding=encoding, null_values=null_values
                    )
                    file.unlink()
                    read.append(replace(rows, file=path.name, sha256=digest))
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, RuntimeError, NotImplementedError):
        raise FileError(
            f"{path.name} is no ZIP, is cut short or encrypted.", "export it again, or unpack it and give the folder."
        ) from None
    return read, _remarks(said, list(entries), path.name) if table is None else []


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
