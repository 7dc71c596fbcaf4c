"""Files that carry their own types: Parquet, Feather and JSON Lines, and writing any of them."""

from __future__ import annotations

import codecs
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from otrack_risk.errors import FileError
from otrack_risk.frames import Skipped, Table, cells, text


def read_columns(path: Path, *, name: str, null_values: Sequence[str] = ()) -> Table:
    """The table of one ``.parquet`` or ``.feather``.

    Raises
    ------
    FileError
        Cut short, damaged, not of its kind, or with a column of lists, records or bytes.
    """
    try:
        if path.suffix.lower() == ".parquet":
            frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
        else:
            with path.open("rb") as file:
                frame = pl.read_ipc(file)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        kind = path.suffix.lower().lstrip(".").capitalize()
        raise FileError(
            f"{path.name} is no {kind} file, is cut short or damaged.", "copy or export it again, whole."
        ) from None
    return _table(path, name, frame, null_values, [])


def read_json_lines(path: Path, *, name: str, encoding: str | None = None, null_values: Sequence[str] = ()) -> Table:
    """The table of one ``.jsonl``: an object a line; a line that is none is skipped and counted.

    Raises
    ------
    FileError
        No line is a JSON object, or a value is a list or an object itself.
    """
    content, notes = text.utf8(text.load(path, encoding), path.name, encoding)
    content = content.removeprefix(codecs.BOM_UTF8)
    lines = sum(1 for line in io.BytesIO(content) if line.strip())
    try:
        frame = pl.read_ndjson(content, infer_schema_length=None)
        if frame.height == lines:
            return _table(path, name, frame, null_values, notes)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        pass  # some line is no object, or a column holds values of several kinds: look at each
    objects: list[dict[str, object]] = []
    bad = []
    for number, line in enumerate(io.BytesIO(content), start=1):
        if line.strip():
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                found = None
            if isinstance(found, dict):
                objects.append(found)
            else:
                bad.append(number)
    if not objects:
        raise FileError(f"{path.name}: none of its {lines:,} lines is a JSON object.", "write one object a line.")
    names = dict.fromkeys(key for each in objects for key in each)
    frame = pl.DataFrame([_column(key, [each.get(key) for each in objects], path.name) for key in names])
    skipped = Skipped(f"{name}: {cells.places(bad, len(bad))}", len(bad), "no JSON object")
    return _table(path, name, frame, null_values, notes, (skipped,) if bad else ())


def write_file(rows: pl.DataFrame, path: Path, suffix: str) -> None:
    """Write by suffix; the same rows make the same bytes.

    Raises
    ------
    FileError
        A column that the kind of file cannot hold.
    """
    if "sv" in suffix:
        rows = rows.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))
        if rows.width == 1:  # a null alone on its line would be a blank line, which is no row
            rows = rows.select(pl.all().cast(pl.String).fill_null(""))
    try:
        with path.open("wb") as file:
            if suffix == ".parquet":
                rows.write_parquet(file)
            elif suffix == ".feather":
                rows.write_ipc(file)
            elif suffix == ".jsonl":
                rows.write_ndjson(file)
            elif suffix == ".csv.gz":
                with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:  # no name, no time
                    packed.write(rows.write_csv().encode())
            else:
                rows.write_csv(file, separator="\t" if suffix == ".tsv" else ",")
    except pl.exceptions.PolarsError:
        raise FileError(
            f"a column cannot be written to {suffix}: it holds lists or records.", "write Parquet, or leave it out."
        ) from None


def _table(
    path: Path,
    name: str,
    frame: pl.DataFrame,
    null_values: Sequence[str],
    notes: list[str],
    skipped: tuple[Skipped, ...] = (),
) -> Table:
    names = cells.header_names(frame.columns, path.name)
    frame.columns = [f"{place}" for place in range(frame.width)]
    frame, unnamed = cells.named(frame, names, path.name)
    frame, changed = cells.tidy(frame, null_values, path.name)
    cells.check_sizes(frame, path.name)
    seen = frame.height + sum(each.rows for each in skipped)
    return Table(name, frame, path.name, text.sha256(path), seen, skipped, tuple(notes + unnamed + changed))


def _column(key: str, values: list[object], file: str) -> pl.Series:
    """The values as one kind; text where they are of several."""
    kinds = {type(value) for value in values if value is not None}
    if kinds & {dict, list}:
        return pl.Series(key, [None] * len(values), dtype=pl.List(pl.String))  # left out where cells are tidied
    if kinds <= {int, float} and all(abs(value) < 2**63 for value in values if isinstance(value, int)):
        return pl.Series(key, values, dtype=pl.Float64 if float in kinds else pl.Int64 if kinds else pl.String)
    if kinds == {bool}:
        return pl.Series(key, values, dtype=pl.Boolean)
    written = [each if each is None or isinstance(each, str) else json.dumps(each) for each in values]
    return pl.Series(key, written, dtype=pl.String)
