"""Tables as files, town after town: what is held in memory does not grow with the world, nor do bytes depend on towns.

A Parquet file has a row group for every 65,536 rows, wherever towns end; CSV and sheets have rows only.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import polars as pl

from otrack_risk.errors import FileError
from otrack_risk.synth.presets import Preset

ROW_GROUP = 1 << 16  # rows
SHEET = (1 << 20) - 1  # rows of a sheet below its header
UNFINISHED = ".unfinished"  # folder in which a world is made, until all of it is there
_BEGUN = "synthetic = true\nunfinished = true\n"  # in world.toml until the world is whole, so that a torso is known
_DAY = (1980, 1, 1, 0, 0, 0)  # of every file in an archive


class Parquet:
    """One Parquet file a table."""

    def __init__(self, folder: Path, plan: Preset | None = None, seed: int = 0) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}
        self._waiting: dict[str, list[Any]] = {}  # Arrow tables, together less than a row group

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        import pyarrow.parquet as pq

        for name, rows in tables.items():
            arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
            if name not in self._writers:
                self._folder.mkdir(parents=True, exist_ok=True)
                path = self._folder / f"{name}.parquet"
                self._writers[name] = pq.ParquetWriter(path, arrow.schema, compression="zstd")
                self._waiting[name] = []
            self._waiting[name].append(arrow)
            if sum(part.num_rows for part in self._waiting[name]) >= ROW_GROUP:
                self._write(name, last=False)

    def close(self) -> None:
        for name, writer in self._writers.items():
            self._write(name, last=True)
            writer.close()

    def _write(self, name: str, *, last: bool) -> None:
        import pyarrow as pa

        waiting = pa.concat_tables(self._waiting[name])
        until = waiting.num_rows if last else waiting.num_rows // ROW_GROUP * ROW_GROUP
        for start in range(0, until, ROW_GROUP):
            group = waiting.slice(start, min(ROW_GROUP, until - start)).combine_chunks()
            self._writers[name].write_table(group, row_group_size=ROW_GROUP)
        self._waiting[name] = [waiting.slice(until)]


class Csv:
    """One CSV file a table."""

    def __init__(
        self,
        folder: Path,
        plan: Preset | None = None,
        seed: int = 0,
        *,
        wrong: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._folder = folder
        self._wrong = wrong or {}  # table: what is wrong with its file, see synth.dirt.file_dirt
        self._files: dict[str, IO[bytes]] = {}

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        for name, rows in tables.items():
            wrong, begins = self._wrong.get(name, ()), name not in self._files
            if begins:
                self._files[name] = (self._folder / f"{name}.csv").open("wb")
                self._files[name].write(b"\xef\xbb\xbf" if "bom" in wrong else b"")
                if "doubled_header" in wrong:
                    rows.clear().write_csv(self._files[name])
            if "cp1252" in wrong:
                self._files[name].write(rows.write_csv(include_header=begins).encode("cp1252"))
            else:
                rows.write_csv(self._files[name], include_header=begins)

    def close(self) -> None:
        for file in self._files.values():
            file.close()


class Xlsx:
    """One workbook a table; a table of more rows than a sheet holds goes on in a second sheet."""

    def __init__(self, folder: Path, plan: Preset | None = None, seed: int = 0) -> None:
        self._folder = folder
        self._books: dict[str, _Book] = {}

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        for name, rows in tables.items():
            if name not in self._books:
                self._books[name] = _Book(self._folder / f"{name}.xlsx", name, rows.columns)
            self._books[name].add(rows)

    def close(self) -> None:
        for book in self._books.values():
            book.close()


class _Book:
    """A workbook that is written row by row; every date within is fixed."""

    def __init__(self, path: Path, title: str, columns: list[str]) -> None:
        self._archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._title, self._columns = title, columns
        self._sheets = 0
        self._rows = 0  # of the sheet at hand
        self._begin()

    def add(self, rows: pl.DataFrame) -> None:
        while rows.height:
            if self._rows == SHEET:
                self._end()
                self._begin()
            part = rows.head(SHEET - self._rows)
            self._sheet.write("".join(_sheet_rows(part).to_list()).encode())
            self._rows += part.height
            rows = rows.slice(part.height)

    def close(self) -> None:
        self._end()
        for name, content in _package(self._title, self._sheets).items():
            self._archive.writestr(_entry(name), content.encode())
        self._archive.close()

    def _begin(self) -> None:
        self._sheets += 1
        self._rows = 0
        self._sheet = self._archive.open(_entry(f"xl/worksheets/sheet{self._sheets}.xml"), "w", force_zip64=True)
        self._sheet.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
        header = pl.DataFrame([self._columns], schema=self._columns, orient="row")
        self._sheet.write(_sheet_rows(header)[0].encode())

    def _end(self) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _sheet_rows(rows: pl.DataFrame) -> pl.Series:
    """Each row as XML; a missing cell stays empty, text is never a formula."""
    cells = [_cell(name, kind) for name, kind in rows.schema.items()]
    return rows.select(pl.concat_str([pl.lit("<row>"), *cells, pl.lit("</row>")])).to_series()


def _cell(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if kind == pl.String:
        text = column.str.replace_all("[\x00-\x08\x0b\x0c\x0e-\x1f]", "")
        for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
            text = text.str.replace_all(sign, written, literal=True)
        made = pl.lit('<c t="inlineStr"><is><t xml:space="preserve">') + text + "</t></is></c>"
    elif kind == pl.Boolean:
        made = pl.lit('<c t="b"><v>') + column.cast(pl.Int8).cast(pl.String) + "</v></c>"
    elif kind == pl.Date:  # days since 30 December 1899
        made = pl.lit('<c s="1"><v>') + (column.cast(pl.Int32) + 25_569).cast(pl.String) + "</v></c>"
    elif isinstance(kind, pl.Datetime):
        days = column.dt.epoch("s") / 86_400 + 25_569
        made = pl.lit('<c s="2"><v>') + days.round(6).cast(pl.String) + "</v></c>"
    else:
        made = pl.lit("<c><v>") + column.cast(pl.String) + "</v></c>"
    return made.fill_null("<c/>")


def _package(title: str, sheets: int) -> dict[str, str]:
    """What a workbook has beside its sheets."""
    numbers = range(1, sheets + 1)
    names = [title if number == 1 else f"{title} {number}" for number in numbers]
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in zip(numbers, names, strict=True)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        for number in numbers
    )
    return {
        "[Content_Types].xml": f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/>{parts}</Types>',
        "_rels/.rels": f'{_XML}<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_RELATIONS}">{related}'
        f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
        '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
        '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
        '<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
    }


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DAY)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


class Content:
    """What the tables hold, whatever the format: rows, columns and a hash of each, kept up town by town.

    The hash is that of the table as CSV text in UTF-8: a header, fields with a comma between them, ISO dates.
    """

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.columns: dict[str, list[str]] = {}
        self._schemas: dict[str, pl.Schema] = {}
        self._hashes: dict[str, Any] = {}

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        for name, rows in tables.items():
            begins = name not in self._hashes
            if begins:
                self._hashes[name], self.rows[name] = hashlib.sha256(), 0
                self.columns[name], self._schemas[name] = rows.columns, rows.schema
            assert rows.schema == self._schemas[name], f"{name}: towns differ in their columns"
            text = io.BytesIO()
            rows.write_csv(text, include_header=begins)
            self._hashes[name].update(text.getbuffer())
            self.rows[name] += rows.height

    def record(self) -> dict[str, dict[str, object]]:
        """Rows and hash of each table."""
        return {
            name: {"rows": self.rows[name], "sha256": held.hexdigest()} for name, held in sorted(self._hashes.items())
        }


def begin(folder: Path) -> Path:
    """Take an earlier synthetic world away and mark the folder; the place in it in which to make the new one.

    Raises
    ------
    FileError
        It is a file, or a folder that holds anything that belongs to no synthetic world.
    """
    if folder.is_file():
        raise FileError(f"'{folder.name}' is a file.", "name a folder for the synthetic world.")
    folder.mkdir(parents=True, exist_ok=True)
    held = sorted(path.name for path in folder.iterdir())
    if held:
        said = about(folder)
        if not said or not set(held) <= {"world.toml", UNFINISHED, *said.get("files", [])}:
            raise FileError(
                f"folder '{folder.name}' holds files that belong to no synthetic world.",
                "name another folder, or empty it.",
            )
    for name in held:  # world.toml comes last, so that a run that is cut short can be repeated
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder / "world.toml").write_bytes(_BEGUN.encode())
    place = folder / UNFINISHED
    place.mkdir()
    return place


def finish(folder: Path, world: str) -> None:
    """Move the world that was made to its place; ``world.toml`` last: a folder without it is not whole."""
    place = folder / UNFINISHED
    made = sorted(path.name for path in place.iterdir())
    listed = ", ".join(f'"{name}"' for name in made)
    held = _BEGUN + f"files = [{listed}]\n"
    (folder / "world.toml").write_bytes(held.encode())
    for name in made:
        (place / name).replace(folder / name)
    place.rmdir()
    (folder / "world.toml").write_bytes(world.replace("files = []", f"files = [{listed}]").encode())


def about(folder: Path) -> dict[str, Any]:
    """What the folder says of itself; nothing where it is no synthetic world."""
    try:
        content = tomllib.loads((folder / "world.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
    return content if content.get("synthetic") is True else {}
