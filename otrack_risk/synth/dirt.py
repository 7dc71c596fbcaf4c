"""Labelled dirt: what exports, spreadsheets and years do to a table, each cell with its clean value."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from otrack_risk.errors import ParameterError
from otrack_risk.synth.draw import Floats, Ints, gather, numbers
from otrack_risk.synth.targets import assumed

if TYPE_CHECKING:
    from otrack_risk.synth.draw import Chance

KEYS: Mapping[str, tuple[str, ...]] = {  # the columns that tell the rows of a table apart; they stay clean
    "pupils": ("pupil_id",),
    "guardians": ("guardian_id",),
    "attendance": ("pupil_id", "academic_year"),
    "assessments": ("pupil_id", "academic_year", "term", "subject"),
}
SCHEMA = pl.Schema(dict.fromkeys(("table", "row", "column", "kind", "clean", "dirty"), pl.String))
NEAR_DUPLICATE = "near_duplicate"
DUPLICATES_FROM = 5_000_000  # what the number of a near-duplicate pupil adds to that of the child
_JOINED = "|"  # between the parts of a row's key

_SPACES = ("trailing_space", "non_breaking_space")
_DATE = ("date_day_first", "date_month_first", "date_short_month", "missing")
_FLAG = ("flag_yes_no", "flag_true_false", "flag_one_zero")
_NUMBER = ("trailing_space", "became_float", "missing")
_COLUMNS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "pupils": {
        "upn": ("upn_lower_case", "upn_space", "trailing_space", "missing"),
        "uln": ("lost_zero", "became_float", "trailing_space", "missing"),
        "surname": _SPACES,
        "forename": ("preferred_name", *_SPACES),
        "middle_name": _SPACES,
        "preferred_forename": (*_SPACES, "missing"),
        "sex": ("trailing_space", "missing"),
        "date_of_birth": _DATE,
        "ethnicity": ("refused", "not_obtained", "trailing_space", "missing"),
        "first_language": ("trailing_space", "missing"),
        "fsm": _FLAG,
        "pupil_premium": _FLAG,
        "sen_provision": ("old_sen_code",),
        "sen_need": ("trailing_space", "missing"),
        "looked_after": _FLAG,
        "service_child": _FLAG,
        "medical_condition": (*_SPACES, "missing"),
        "admitted_on": _DATE,
        "left_on": _DATE,
        "retain_until": _DATE,
    },
    "guardians": {
        "title": ("trailing_space", "missing"),
        "surname": _SPACES,
        "forename": _SPACES,
        "phone": ("lost_zero", "non_breaking_space", "missing"),
        "email": (*_SPACES, "missing"),
    },
    "attendance": dict.fromkeys(("sessions_possible", "sessions_absent", "sessions_unauthorised"), _NUMBER),
    "assessments": {"point": _NUMBER},
}
_BAND = ("band_as_date", "trailing_space", "missing")  # of a column called band, or ..._band, in any of the tables
_MONTHS = {
    str(month): name
    for month, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_ALTERED = ("surname", "forename", "date_of_birth", "upn")  # of a near-duplicate, one of these


def make_dirt(
    chance: Chance, tables: Mapping[str, pl.DataFrame], rate: float
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The tables as an export would hold them, some cells dirty, and each of these cells with its clean value.

    Every cell of a column that gets dirty is asked with chance ``rate``, and one kind of dirt of that column is
    drawn; where the kind changes nothing (no leading zero to lose, no preferred name, an empty cell) the cell stays
    as it is. So ``rate`` is the most that is reached. Some children stand there twice, under another number and
    with one field altered. Columns that can get dirty become text, written as a CSV writes them.

    Parameters
    ----------
    tables : of one town; those that no dirt is known for are handed back as they are
    rate : of cells, 0 to 1; with 0 every table is handed back as it is

    Returns
    -------
    tables, dirt : ``dirt`` has table, row (its key, parts joined by ``|``), column, kind, clean, dirty. A
        near-duplicate pupil is a row of kind ``near_duplicate``, whose clean value is the child's own pupil_id, and
        one of kind ``altered``. :func:`cleaned` takes all of it back.

    Raises
    ------
    ParameterError
        ``rate`` is no share.
    """
    if not 0 <= rate <= 1:
        raise ParameterError("dirt is not from 0 to 1.", "give a share of cells, for example 0.02.")
    if rate == 0:
        return dict(tables), pl.DataFrame(schema=SCHEMA)
    made, found = dict(tables), []
    for name in KEYS:
        if name in tables:
            made[name], dirt = _soiled(chance, name, tables[name], rate)
            found.append(dirt)
    return made, pl.concat([pl.DataFrame(schema=SCHEMA), *found])


def cleaned(tables: Mapping[str, pl.DataFrame], dirt: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The tables with every clean value put back and every near-duplicate left out; what can get dirty stays text."""
    made = dict(tables)
    for (name,), rows in dirt.group_by("table"):
        table, key = made[str(name)], "\0row"
        table = table.with_columns(_row_keys(table, str(name)).alias(key))
        doubles = rows.filter(pl.col("kind") == NEAR_DUPLICATE)["row"]
        cells = rows.filter(pl.col("kind") != NEAR_DUPLICATE)
        for (column,), some in cells.group_by("column"):
            clean = table.join(
                some.select(pl.col("row").alias(key), "clean", dirt=True), on=key, how="left", maintain_order="left"
            )
            table = table.with_columns(
                clean.select(pl.when("dirt").then("clean").otherwise(str(column)).alias(str(column))).to_series()
            )
        made[str(name)] = table.filter(~pl.col(key).is_in(doubles.implode())).drop(key)
    return made


def file_dirt(chance: Chance, table: str) -> set[str]:
    """What is wrong with a table's CSV file as a whole: some of ``bom``, ``cp1252`` and ``doubled_header``.

    A file in cp1252 has no byte order mark. Only tables whose cells get dirty are written so: letters that cp1252
    lacks are ``?`` in them already, and in the list of dirt.
    """
    u = [float(chance.of(f"dirt.file.{what}", _texts_as_keys([table]))[0]) for what in ("encoding", "header")]
    narrow = {"cp1252"} if table in KEYS and u[0] < assumed("dirt_cp1252") else set()
    mark = {"bom"} if not narrow and u[0] >= 1 - assumed("dirt_bom") else set()
    return narrow | mark | ({"doubled_header"} if u[1] < assumed("dirt_doubled_header") else set())


def _soiled(chance: Chance, name: str, table: pl.DataFrame, rate: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    kinds = _kinds(name, table.columns)
    if not kinds:
        return table, pl.DataFrame(schema=SCHEMA)
    text = table.with_columns(pl.col(list(kinds)).cast(pl.String))
    keys = _chance_keys(table, name)
    words = list(dict.fromkeys(kind for of_column in kinds.values() for kind in of_column))
    asked, kind, how, clean = {}, [], [], []
    for column, of_column in kinds.items():
        asked[column] = np.flatnonzero(chance.of(f"dirt.{name}.{column}", *keys) < rate)
        at = [key[asked[column]] for key in keys]
        drawn = chance.whole(f"dirt.{name}.{column}.kind", len(of_column), *at)
        kind.append(np.array([words.index(each) for each in of_column])[drawn])
        how.append(chance.of(f"dirt.{name}.{column}.how", *at))
        clean.append(text[column][asked[column]])
    columns = np.repeat(np.arange(len(kinds)), [len(places) for places in asked.values()])
    places = pl.Series(np.concatenate([*asked.values(), np.empty(0, np.int64)]))
    cells = pl.DataFrame(
        {
            "place": places,
            "column": gather(list(kinds), columns),
            "kind": gather(words, np.concatenate([*kind, np.empty(0, np.int64)])),
            "u": np.concatenate([*how, np.empty(0)]),
            "clean": pl.concat([pl.Series(dtype=pl.String), *clean]),
        }
    )
    called = text["preferred_forename"].gather(places) if "preferred_forename" in text.columns else cells["clean"]
    cells = (
        cells.with_columns(called.alias("preferred"))
        .with_columns(dirty=_dirty(words))
        .filter(pl.col("clean").is_not_null(), pl.col("clean").ne_missing(pl.col("dirty")))
    )
    soiled = [_put(text[str(column)], some["place"], some["dirty"]) for (column,), some in cells.group_by("column")]
    doubles, altered = _doubles(chance, text, keys[0], rate) if name == "pupils" else (text.clear(), [])
    made = text.with_columns(soiled)
    dirt = cells.select(
        pl.lit(name).alias("table"),
        _row_keys(text[cells["place"]], name).alias("row"),
        *("column", "kind", "clean", "dirty"),
    )
    made, dirt = pl.concat([made, doubles]), pl.concat([dirt, *altered])
    return _narrowed(name, made, dirt) if "cp1252" in file_dirt(chance, name) else (made, dirt)


def _kinds(name: str, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The columns of the table that get dirty, and how."""
    known = {column: kinds for column, kinds in _COLUMNS[name].items() if column in columns}
    return known | {c: _BAND for c in columns if (c == "band" or c.endswith("_band")) and c not in KEYS[name]}


def _chance_keys(table: pl.DataFrame, name: str) -> list[Ints]:
    """The row's own numbers: those of its first key, and the other parts of the key as numbers."""
    first, *others = KEYS[name]
    keys = [numbers(table[first])]
    for column in others:
        known = table[column].unique()
        codes = dict(zip(known, _texts_as_keys(known.to_list()), strict=True))
        keys.append(table[column].replace_strict(codes, return_dtype=pl.Int64).to_numpy())
    return keys


def _texts_as_keys(texts: Sequence[str]) -> Ints:
    return np.array([zlib.crc32(text.encode()) for text in texts], dtype=np.int64)


def _row_keys(table: pl.DataFrame, name: str) -> pl.Series:
    return table.select(pl.concat_str(KEYS[name], separator=_JOINED).alias("row")).to_series()


def _put(column: pl.Series, places: pl.Series, values: pl.Series) -> pl.Series:
    """The column with these values at these places."""
    at = np.full(len(column), -1, dtype=np.int64)
    at[places.to_numpy()] = np.arange(len(places))
    return values[at].zip_with(pl.Series(at >= 0), column).alias(column.name)


def _dirty(kinds: Sequence[str]) -> pl.Expr:
    """The dirty text of each cell by its ``kind``, from ``clean``, ``preferred`` and the chance ``u``."""
    clean, u = pl.col("clean"), pl.col("u")
    year, month, day = clean.str.slice(0, 4), clean.str.slice(5, 2), clean.str.slice(8, 2)
    short = month.str.strip_chars_start("0").replace_strict(_MONTHS, default=None, return_dtype=pl.String)
    yes = clean == "true"
    low, high = (clean.str.extract(r"^(\d{1,2})-(\d{1,2})$", group) for group in (1, 2))
    named = [part.replace_strict(_MONTHS, default=None, return_dtype=pl.String) for part in (low, high)]
    days = [part.cast(pl.Int64, strict=False).is_between(1, 31) for part in (low, high)]
    first_space = clean.str.contains(" ", literal=True)

    def either(when: pl.Expr, then: str, otherwise: str) -> pl.Expr:
        return pl.when(when).then(pl.lit(then)).otherwise(pl.lit(otherwise))

    forms = {
        "date_day_first": pl.concat_str(day, month, year, separator="/"),
        "date_month_first": pl.concat_str(month, day, year, separator="/"),
        "date_short_month": pl.concat_str(day.str.strip_chars_start("0"), short, year.str.slice(2), separator="-"),
        "flag_yes_no": either(yes, "Y", "N"),
        "flag_true_false": either(yes, "T", "F"),
        "flag_one_zero": either(yes, "1", "0"),
        "upn_lower_case": clean.str.to_lowercase(),
        "upn_space": clean.str.slice(0, 1) + " " + clean.str.slice(1),
        "lost_zero": pl.when(clean.str.starts_with("0"))  # a spreadsheet took it for a number
        .then(clean.str.replace_all(" ", "", literal=True).str.strip_chars_start("0"))
        .otherwise(clean),
        "became_float": clean + ".0",  # a column of whole numbers with a gap in it
        "trailing_space": clean + " ",
        "non_breaking_space": pl.when(first_space)
        .then(clean.str.replace(" ", "\u00a0", literal=True))
        .otherwise(clean + "\u00a0"),
        "preferred_name": pl.coalesce("preferred", "clean"),
        "old_sen_code": pl.when(clean == "E")
        .then(pl.lit("S"))
        .when(clean == "K")
        .then(either(u < 0.6, "A", "P"))
        .otherwise(clean),
        "refused": pl.lit("REFU"),
        "not_obtained": pl.lit("NOBT"),
        "band_as_date": pl.when(named[0].is_not_null() & days[1])  # 10-20 is the 20th of October to a spreadsheet
        .then(pl.concat_str(high, named[0], separator="-"))
        .when(named[1].is_not_null() & days[0])
        .then(pl.concat_str(low, named[1], separator="-"))
        .otherwise(clean),
        "missing": pl.lit(None, pl.String),
    }
    chosen = pl.lit(None, pl.String)
    for kind in kinds:
        chosen = pl.when(pl.col("kind") == kind).then(forms[kind]).otherwise(chosen)
    return chosen


def _doubles(chance: Chance, text: pl.DataFrame, key: Ints, rate: float) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Children who stand there twice: their rows under a new number with one field altered, and the dirt of it."""
    twice = np.flatnonzero(chance.of("dirt.pupils.near_duplicate", key) < rate * assumed("dirt_near_duplicates"))
    fields = [column for column in _ALTERED if column in text.columns]
    if not fields:
        return text.clear(), []
    child = key[twice]
    field = pl.Series("field", fields, dtype=pl.String).gather(
        chance.whole("dirt.pupils.near_duplicate.field", len(fields), child)
    )
    ids = "P" + pl.Series(child + DUPLICATES_FROM).cast(pl.String).str.zfill(7)
    clean = text[twice]
    u = chance.of("dirt.pupils.near_duplicate.how", child)
    rows = clean.with_columns(ids.alias("pupil_id"))
    about = {"table": pl.repeat("pupils", len(twice), eager=True), "row": ids}
    of_whom = pl.DataFrame(
        about
        | {"column": ["pupil_id"] * len(twice), "kind": [NEAR_DUPLICATE] * len(twice)}
        | {"clean": clean["pupil_id"], "dirty": ids},
        schema=SCHEMA,
    )
    found = [of_whom]
    for column in fields:
        here = (field == column) & clean[column].is_not_null()
        rows = rows.with_columns(_altered(column, clean[column], u).zip_with(here, clean[column]))
        cells = pl.DataFrame(
            about | {"column": field, "kind": pl.repeat("altered", len(twice), eager=True), "clean": clean[column]}
        ).with_columns(dirty=rows[column])
        found.append(cells.filter(here))
    return rows, found


def _altered(column: str, clean: pl.Series, u: Floats) -> pl.Series:
    """A letter doubled, a day of birth one later, a UPN that ends in a letter as temporary ones do."""
    if column == "date_of_birth":
        return clean.str.to_date("%Y-%m-%d", strict=False).dt.offset_by("1d").cast(pl.String).alias(column)
    if column == "upn":
        letter = pl.Series(["A", "B", "C", "D", "E", "F", "G", "H"]).gather((u * 8).astype(np.int64))
        return (clean.str.head(-1) + letter).alias(column)
    beyond_first = np.maximum(clean.str.len_chars().fill_null(0).to_numpy().astype(np.int64) - 1, 0)
    frame = pl.DataFrame({"clean": clean, "place": np.minimum(1 + (u * beyond_first).astype(np.int64), beyond_first)})
    doubled = pl.col("clean").str.slice(0, pl.col("place") + 1) + pl.col("clean").str.slice(pl.col("place"))
    return frame.select(doubled.alias(column)).to_series()


def _narrowed(name: str, table: pl.DataFrame, dirt: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The table with ``?`` for every letter that cp1252 lacks; a cell that was clean until then is dirt as well."""
    keys = None
    for column in [each for each, dtype in table.schema.items() if dtype == pl.String]:
        cells = table[column]
        places = (cells.str.len_bytes() != cells.str.len_chars()).arg_true()
        before = cells.gather(places)
        after = pl.Series([text.encode("cp1252", "replace").decode("cp1252") for text in before], dtype=pl.String)
        lost = before != after
        if not lost.any():
            continue
        places, before, after = places.filter(lost), before.filter(lost), after.filter(lost)
        table = table.with_columns(_put(cells, places, after))
        keys = _row_keys(table, name) if keys is None else keys
        rows = pl.DataFrame({"row": keys.gather(places), "was": before, "now": after})
        here = (pl.col("column") == column) & pl.col("now").is_not_null()
        dirt = dirt.join(rows.select("row", "now"), on="row", how="left", maintain_order="left")
        known = dirt.filter(here)["row"]
        dirt = dirt.with_columns(dirty=pl.when(here).then("now").otherwise("dirty")).drop("now")
        new = rows.filter(~pl.col("row").is_in(known.implode())).select(
            table=pl.lit(name), row="row", column=pl.lit(column), kind=pl.lit("lost_letter"), clean="was", dirty="now"
        )
        dirt = pl.concat([dirt, new])
    return table, dirt
