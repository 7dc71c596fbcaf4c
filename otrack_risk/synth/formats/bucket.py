"""A leaked bucket: the folder tree that a cloud store of a pupil-tracking service holds, and what each path holds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import polars as pl

from otrack_risk.synth.presets import Preset

PLACEHOLDERS = 20  # documents of a school that are put there as files; the others stand in the index alone
PATHS = pl.Schema(
    {
        "path": pl.String,  # below the bucket's folder
        "table": pl.String,  # what it holds rows of, or stands for
        "row": pl.String,  # the key of the one row that it stands for; null where it holds many
        "rows": pl.Int64,
        "on_disk": pl.Boolean,
        "subject": pl.String,  # the one child that it is about
    }
)
_SAID = "SYNTHETIC: written by otrack_risk. Nobody in it exists."
_BACKED_UP = ("households", "pupils", "guardians", "staff")
_KEYS = ("school_id", "pupil_id", "staff_id", "class_id", "guardian_id", "household_id", "account")


class Bucket:
    """Writes town after town into the tree; a town's rows are written and let go.

    ``exports/YEAR/TABLE_SCHOOL.csv`` holds the tables (a leaver in the year of leaving, all others in the year of
    the world), ``notes/SCHOOL/KIND.csv`` the notes, ``logs/access_MONTH.csv`` the access log,
    ``photos/SCHOOL/SCHOOL_YEAR/CLASS/`` the portraits that were drawn and ``documents/SCHOOL/`` placeholders that
    say SYNTHETIC, each with an ``index.csv`` of all there are, and ``backups/nightly.sql`` a dump of people. Every
    row is in exactly one CSV file.

    ``truth/paths.csv`` says which path holds what (:data:`PATHS`). What the last part of a photograph's or
    document's path gives away is the truth of its ``file_name``, by the key in ``row``.

    Parameters
    ----------
    folder : an empty folder
    plan : of the world
    seed : of the world, which the backup names
    portraits : folder in which drawn portraits lie under their file names; they are moved to their places
    """

    def __init__(self, folder: Path, plan: Preset, seed: int, *, portraits: Path | None = None) -> None:
        self._folder, self._plan, self._portraits = folder, plan, portraits
        self._grown: dict[tuple[str, str], int] = {}  # path and table of what every town adds to: rows so far
        self._backed_up: set[str] = set()
        for part in ("truth", "backups"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "SYNTHETIC.txt").write_text(_SAID + "\n", encoding="utf-8")
        self._dump(f"-- {_SAID}\n-- preset {plan.name}, seed {seed}, {plan.as_of}\n")

    def add(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Write one town's tables."""
        schools = _schools_of(tables)
        truth: list[tuple[object, ...]] = []
        for name, rows in tables.items():
            if not rows.height:
                continue
            if name == "schools":
                self._grow(f"exports/{self._plan.as_of.year}/schools.csv", name, rows)
            elif name == "images":
                truth += self._photographs(rows, tables, schools)
            elif name == "documents":
                truth += self._documents(rows, schools)
            elif name == "access_log":
                self._log(rows)
            else:
                truth += self._export(name, rows, schools)
            if name in _BACKED_UP:
                self._back_up(name, rows)
        self._tell(truth)

    def close(self) -> None:
        """Write what was grown to the truth, and the end of the backup; nothing is added after it."""
        self._dump("-- dump complete\n")
        if self._portraits and self._portraits.exists() and not any(self._portraits.iterdir()):
            self._portraits.rmdir()
        self._tell([(path, table, None, rows, True, None) for (path, table), rows in sorted(self._grown.items())])

    def _export(self, name: str, rows: pl.DataFrame, schools: Mapping[str, pl.DataFrame]) -> list[tuple[object, ...]]:
        """One file a school, and of pupils a year, and of notes a kind."""
        this = str(self._plan.as_of.year)
        year = pl.lit(this)
        if name == "pupils":  # a dirty date says its year in four digits, or in its last two
            left = pl.col("left_on").cast(pl.String)
            year = pl.coalesce(left.str.extract(r"(\d{4})"), "20" + left.str.extract(r"-(\d\d)$"), pl.lit(this))
        placed = rows.with_columns(_place(rows, schools).alias("_school"), year.alias("_year"))
        parts = ["_school", "_year", *(["kind"] if name == "notes" else [])]
        truth: list[tuple[object, ...]] = []
        for key, part in placed.partition_by(parts, maintain_order=True, as_dict=True).items():
            own = part.drop("_school", "_year")
            if name == "notes":
                path = f"notes/{key[0] or 'unsorted'}/{key[2]}.csv"
            elif key[0] is None:  # of no school: a supplier's account
                self._grow(f"exports/{key[1]}/{name}.csv", name, own)
                continue
            else:
                path = f"exports/{key[1]}/{name}_{key[0]}.csv"
            self._append(path, own)
            truth.append((path, name, None, own.height, True, None))
        return truth

    def _log(self, rows: pl.DataFrame) -> None:
        by_month = rows.with_columns(_month=pl.col("at").dt.strftime("%Y-%m"))
        for (month,), part in by_month.partition_by("_month", maintain_order=True, as_dict=True).items():
            self._grow(f"logs/access_{month}.csv", "access_log", part.drop("_month"))

    def _photographs(
        self, rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame], schools: Mapping[str, pl.DataFrame]
    ) -> list[tuple[object, ...]]:
        placed = rows.select(_photo_paths(rows, tables, schools).alias("path"), pl.all())
        self._grow("photos/index.csv", "images", placed)
        truth: list[tuple[object, ...]] = []
        for path, image, pupil, name in placed.select("path", "image_id", "pupil_id", "file_name").iter_rows():
            drawn = self._portraits / name if self._portraits else None
            there = drawn is not None and drawn.exists()
            if drawn and there:
                target = self._folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                drawn.replace(target)
            truth.append((path, "images", image, 1, there, pupil))
        return truth

    def _documents(self, rows: pl.DataFrame, schools: Mapping[str, pl.DataFrame]) -> list[tuple[object, ...]]:
        by_key = schools["school_id"].select(
            pl.col("school_id").str.slice(1).alias("_digits"), pl.col("_school").alias("_of_digits")
        )
        placed = (
            rows.with_columns(
                _place(rows.select("pupil_id"), schools).alias("_school"),
                _digits=pl.col("document_id").str.slice(1, len(by_key["_digits"][0])),
            )
            .join(by_key, on="_digits", how="left", maintain_order="left")
            .with_columns(_school=pl.coalesce("_school", "_of_digits", pl.lit("unsorted")))
        )
        placed = placed.select(
            pl.format("documents/{}/{}", "_school", "file_name").alias("path"),
            *rows.columns,
            (pl.int_range(pl.len()).over("_school") < PLACEHOLDERS).alias("_there"),
        )
        sizes = placed["bytes"].to_list()
        truth: list[tuple[object, ...]] = []
        for place, (path, document, pupil, there) in enumerate(
            placed.select("path", "document_id", "pupil_id", "_there").iter_rows()
        ):
            if there:
                content = _PLACEHOLDERS[path.rsplit(".", 1)[1]]()
                self._write(path, content)
                sizes[place] = len(content)
            truth.append((path, "documents", document, 1, there, pupil))
        held = placed.drop("_there").with_columns(pl.Series("bytes", sizes, dtype=rows.schema["bytes"]))
        self._grow("documents/index.csv", "documents", held)
        return truth

    def _back_up(self, name: str, rows: pl.DataFrame) -> None:
        if name not in self._backed_up:
            self._backed_up.add(name)
            self._dump(f"CREATE TABLE {name} ({', '.join(f'{column} text' for column in rows.columns)});\n")
        cells = [
            pl.concat_str(
                pl.lit("'"), pl.col(column).cast(pl.String).str.replace_all("'", "''", literal=True), pl.lit("'")
            ).fill_null("NULL")
            for column in rows.columns
        ]
        lines = rows.select(pl.concat_str(pl.lit(f"INSERT INTO {name} VALUES ("), pl.concat_str(cells, separator=", ")))
        self._dump("".join(f"{line});\n" for line in lines.to_series()))
        self._grown["backups/nightly.sql", name] = self._grown.get(("backups/nightly.sql", name), 0) + rows.height

    def _grow(self, path: str, table: str, rows: pl.DataFrame) -> None:
        self._append(path, rows)
        self._grown[path, table] = self._grown.get((path, table), 0) + rows.height

    def _append(self, path: str, rows: pl.DataFrame) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab") as file:
            rows.write_csv(file, include_header=file.tell() == 0)

    def _tell(self, truth: list[tuple[object, ...]]) -> None:
        self._append("truth/paths.csv", pl.DataFrame(truth, schema=PATHS, orient="row"))

    def _dump(self, text: str) -> None:
        with (self._folder / "backups" / "nightly.sql").open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)

    def _write(self, path: str, content: bytes) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _schools_of(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """For each kind of key the school folder that its holder belongs to; a contact's is that of the first child."""
    called = pl.col("name").str.replace_all(r"[^A-Za-z0-9]+", "_") + "_" + pl.col("school_id").str.slice(1)
    school = tables["schools"].select("school_id", called.alias("_school"))
    found = {"school_id": school}

    def by(key: str, rows: pl.DataFrame, through: str) -> None:
        held = rows.join(found[through], on=through, maintain_order="left").select(key, "_school").drop_nulls()
        earlier = [found[key]] if key in found else []
        found[key] = pl.concat([*earlier, held]).unique(key, keep="first", maintain_order=True)

    empty = pl.DataFrame(schema=dict.fromkeys(("guardian_id", "household_id", "pupil_id"), pl.String))
    for key, table, through in (
        ("pupil_id", "pupils", "school_id"),
        ("staff_id", "staff", "school_id"),
        ("class_id", "classes", "school_id"),
        ("account", "accounts", "school_id"),
        ("guardian_id", "pupil_guardians", "pupil_id"),
        ("household_id", "pupils", "pupil_id"),
        ("household_id", "guardians", "guardian_id"),
    ):
        if table in tables or key in empty.columns:
            by(key, tables.get(table, empty), through)
    return found


def _place(rows: pl.DataFrame, schools: Mapping[str, pl.DataFrame]) -> pl.Series:
    """The school folder of each row by the first key that it has; null where that leads to no school."""
    key = next((each for each in _KEYS if each in rows.columns and each in schools), None)
    if key is None:
        return pl.Series([None] * rows.height, dtype=pl.String)
    return rows.select(key).join(schools[key], on=key, how="left", maintain_order="left")["_school"]


def _photo_paths(
    rows: pl.DataFrame, tables: Mapping[str, pl.DataFrame], schools: Mapping[str, pl.DataFrame]
) -> pl.Series:
    """``photos/SCHOOL/2022-23/4B/NAME``: the class as the child's was called in the year of the photograph.

    ``Year 4`` where the letter of the class is not known, ``unsorted`` where the date of birth is dirty.
    """
    of_class = tables["classes"].select("class_id", pl.col("name").alias("class"))
    born_on = pl.col("date_of_birth").cast(pl.String).str.to_date("%Y-%m-%d", strict=False)  # none where it is dirty
    pupils = tables["pupils"].select("pupil_id", "class_id", born_on).join(of_class, on="class_id", how="left")
    shown = rows.select(
        "pupil_id",
        "file_name",
        "taken_on",
        pl.col("file_name").str.extract(r"^class_(c\d+)_").str.to_uppercase().alias("class_id"),
    )
    shown = (
        shown.with_columns(_place(shown.select("pupil_id"), schools).alias("_school"))
        .join(pupils.drop("class_id"), on="pupil_id", how="left", maintain_order="left")
        .join(of_class.rename({"class": "whole"}), on="class_id", how="left", maintain_order="left")
        .with_columns(_place(shown.select("class_id"), schools).alias("_of_class"))
    )
    autumn, born = (_autumn(pl.col(column)) for column in ("taken_on", "date_of_birth"))
    year = autumn - born - 5  # born in the school year 2014/15, a child begins Reception in 2019
    called = pl.when(year == 0).then(pl.lit("R")).otherwise(year.cast(pl.String))
    then = pl.coalesce(called + pl.col("class").str.tail(1), "Year " + called)  # a leaver's class is not kept
    school_year = autumn.cast(pl.String) + "-" + ((autumn + 1) % 100).cast(pl.String).str.zfill(2)
    return shown.select(
        pl.format(
            "photos/{}/{}/{}/{}",
            pl.coalesce("_school", "_of_class", pl.lit("unsorted")),
            school_year,
            pl.coalesce(then, pl.col("whole"), pl.lit("unsorted")),
            "file_name",
        )
    ).to_series()


def _autumn(day: pl.Expr) -> pl.Expr:
    """The calendar year in which the school year of this day began."""
    return day.dt.year() - (day.dt.month() < 9).cast(pl.Int32)


@cache
def _docx() -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    body = f"<w:body><w:p><w:r><w:t>{_SAID}</w:t></w:r></w:p></w:body>"
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return _package(
        "word/document.xml", kind, {"word/document.xml": f'<w:document xmlns:w="{space}">{body}</w:document>'}
    )


@cache
def _xlsx() -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    cell = f'<row r="1"><c r="A1" t="inlineStr"><is><t>{_SAID}</t></is></c></row>'
    parts = {
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{link}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{space}"><sheetData>{cell}</sheetData></worksheet>',
    }
    return _package(
        "xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", parts
    )


@cache
def _pdf() -> bytes:
    page = f"BT /F1 11 Tf 40 780 Td ({_SAID}) Tj ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(page)} >>\nstream\n{page}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    held, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(held))
        held += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    end = f"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{len(held)}\n%%EOF\n"
    return f"{held}xref\n0 6\n0000000000 65535 f \n{table}{end}".encode()


def _package(main: str, kind: str, parts: Mapping[str, str]) -> bytes:
    """An Office Open XML file of these parts; dates fixed, so that its bytes are always the same."""
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="{sheet}"/><Override PartName="/{main}" ContentType="{kind}"/></Types>'
    )
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in {
            "[Content_Types].xml": types,
            "_rels/.rels": _relations("officeDocument", main),
            **parts,
        }.items():
            content = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{text}'
            package.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _relations(kind: str, target: str) -> str:
    base = "http://schemas.openxmlformats.org"
    return (
        f'<Relationships xmlns="{base}/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{base}/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>'
    )


_PLACEHOLDERS: Mapping[str, Callable[[], bytes]] = {"docx": _docx, "xlsx": _xlsx, "pdf": _pdf}
