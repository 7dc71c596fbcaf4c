"""PostgreSQL: rows by COPY, in a transaction that can change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl

from otrack_risk.errors import FileError, ParameterError
from otrack_risk.frames import cells
from otrack_risk.frames.database import BATCH, Store, Url, named, quoted

_KINDS = {
    "int2": pl.Int16,
    "int4": pl.Int32,
    "int8": pl.Int64,
    "oid": pl.Int64,
    "float4": pl.Float32,
    "float8": pl.Float64,
    "numeric": pl.Float64,
}


def connect(address: str) -> tuple[Any, Any]:
    """A connection to a PostgreSQL server, and the module that made it.

    Raises
    ------
    ParameterError
        psycopg is not installed.
    FileError
        The server does not answer, or lets nobody in by that name.
    """
    try:
        import psycopg
    except ImportError:
        raise ParameterError(
            "postgresql://: psycopg is not installed.", "pip install 'otrack-risk[postgres]'."
        ) from None
    try:
        return psycopg.connect(address, connect_timeout=10, application_name="otrack-risk"), psycopg
    except psycopg.Error:
        raise FileError(
            f"the database {Url(address).name} cannot be opened.",
            "check server, port, user and password, and that the server is running.",
        ) from None


@contextmanager
def opened(url: Url) -> Iterator[Store]:
    """The database, to be read only; closed at the end.

    Raises
    ------
    FileError, ParameterError
        As :func:`connect`; or the server breaks off.
    """
    connection, psycopg = connect(str(url))
    try:
        connection.read_only = True
        connection.execute("set datestyle to iso")
        connection.execute("set intervalstyle to iso_8601")
        listed = connection.execute(
            "select n.nspname, c.relname, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition and n.nspname !~ '^pg_' "
            "and n.nspname <> 'information_schema' and has_schema_privilege(n.oid, 'usage') "
            "and has_table_privilege(c.oid, 'select') order by n.nspname, c.relname"
        ).fetchall()
        places = named([(schema, name) for schema, name, kind in listed if kind in "rp"], "public")
        yield Store(
            url,
            tuple(places),
            sum(kind in "vm" for *_, kind in listed),
            lambda name: _rows(connection, places[name], f"{url.name}, table '{name}'"),
        )
    except psycopg.Error:
        raise FileError(
            f"the database {url.name} broke off while it was read.", "check that you may read every table, or name one."
        ) from None
    finally:
        connection.close()


def _rows(connection: Any, table: str, where: str) -> Iterator[pl.DataFrame]:
    described = connection.execute(
        "select a.attname, t.typname, t.typcategory from pg_attribute a join pg_type t on t.oid = a.atttypid "
        "where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum",
        (table,),
    ).fetchall()
    if nested := [name for name, kind, category in described if category == "A" or kind == "bytea"]:
        raise cells.nested(nested[0], where)
    columns = ", ".join(quoted(name) for name, *_ in described)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy (select {columns} from {table}) to stdout (format csv)") as copy,
    ):
        lines: list[bytes] = []
        any_row = False
        for line in copy:
            lines.append(bytes(line))
            if len(lines) >= BATCH:
                yield _frame(lines, described)
                lines, any_row = [], True
        if lines or not any_row:
            yield _frame(lines, described)


def _frame(lines: Sequence[bytes], described: Sequence[tuple[str, str, str]]) -> pl.DataFrame:
    places = [f"{place}" for place in range(len(described))]
    schema = dict.fromkeys(places, pl.String)
    if lines and places:
        frame = pl.read_csv(b"".join(lines), has_header=False, schema=schema)
    else:
        frame = pl.DataFrame(schema=schema)
    return pl.DataFrame(
        [_column(each.alias(name), kind) for each, (name, kind, _) in zip(frame, described, strict=True)]
    )


def _column(series: pl.Series, kind: str) -> pl.Series:
    if kind == "bool":
        return (series == "t").set(series.is_null(), None)
    if kind == "date":
        read = series.str.to_date("%Y-%m-%d", strict=False)
    elif kind == "timestamp":
        read = series.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us")
    else:
        read = series.cast(_KINDS.get(kind, pl.String), strict=False)
    return read if read.null_count() == series.null_count() else series  # 'infinity' is a date there
