"""Whatever says who can see whom, read into one model: each file by what it holds, and never by its name alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from otrack_risk import frames
from otrack_risk.access import postgres
from otrack_risk.access.columns import accounts_of, holds_accounts, holds_memberships, membership_columns, unread
from otrack_risk.access.grants import together
from otrack_risk.access.model import LONGEST, Grants, joined
from otrack_risk.access.sources import casbin, cloudsplaining, mis, sharing
from otrack_risk.errors import ParameterError, TableError
from otrack_risk.schema import Catalogue


@dataclass(frozen=True)
class Sources:
    """What was given, read: the grants, the people they reach, and the files for the record."""

    grants: Grants
    people: frames.Dataset | None  # None: nobody said who the children are
    inputs: list[dict[str, object]] = field(default_factory=list)  # the contract's ``input``
    notes: list[str] = field(default_factory=list)
    database: bool = False  # whether a database was among them
    tables: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)  # of a database: by category


def read_sources(
    given: Sequence[str | Path],
    data: str | Path | None = None,
    *,
    school: str | None = None,
    catalogue_of: Callable[[str | Path, frames.Dataset], Catalogue] | None = None,
) -> Sources:
    """Grants from any of the sources that are understood, together.

    Parameters
    ----------
    given : any of: files of grants, memberships and accounts; a folder with these tables (and the people, as a
        synthetic world has them); a Casbin ``model.conf`` and its policy, with a JSON of attributes where the model
        asks for them; a PostgreSQL address or a snapshot of one; exports of an MIS; a report on sharing; results
        of cloudsplaining
    data : the people; None: those of the folder or database, where there is one, else children are not counted
    school : whose MIS it is, where the people are of several schools
    catalogue_of : what each column of a database is, for its address and tables; None: known names alone

    Raises
    ------
    FileError, TableError, FieldError, ParameterError
        What is given cannot be read, is not understood, or lacks something.
    """
    left = list(given)
    found: list[Grants] = []
    inputs: list[dict[str, object]] = []
    read: list[frames.Dataset] = []
    people = None if data is None else frames.read(data)
    database = False
    places: dict[str, list[tuple[str, str]]] = {}
    for path in [path for path in left if casbin.recognise(Path(path))]:
        left.remove(path)
        files = [Path(path), *_policy_of(Path(path), left)]
        left = [other for other in left if Path(other) not in files]
        found.append(casbin.read(*files))
        inputs += [_input(file, found[-1].seen if number == 1 else None) for number, file in enumerate(files)]
    for path in [path for path in left if postgres.recognise(path)]:
        left.remove(path)
        address = not Path(path).is_file()
        held = frames.read(path) if address and people is None else people
        people = people or held
        known = catalogue_of(path, held) if catalogue_of and held is not None and address else None
        found.append(postgres.read(path, dataset=held, catalogue=known))
        places |= postgres.tables_of(path, known)
        inputs += [] if address else [_input(Path(path), None)]
        read += [held] if address and held is not None and data is None else []
        database = True
    for path in [path for path in left if cloudsplaining.recognise(Path(path))]:
        left.remove(path)
        found.append(cloudsplaining.read(Path(path)))
        inputs.append(_input(Path(path), found[-1].seen))
    if strange := [path for path in left if Path(path).suffix in (".conf", ".json") and Path(path).is_file()]:
        raise ParameterError(
            f"{Path(strange[0]).name}: no Casbin model, no snapshot of PostgreSQL and no results of cloudsplaining.",
            "name a CSV of grants, or one of these.",
        )
    tables = [frames.read(path) for path in left]
    read += tables
    listed = [table for each in tables for table in each.tables.values() if holds_accounts(table.rows.columns)]
    for table in listed:
        _refuse_long(table)
    if people is None and len(tables) == 1 and "pupils" in tables[0].tables:
        people = tables[0]
    if tables:
        found.append(_of_tables(tables, school))
    read += [people] if people is not None and all(people is not each for each in read) else []
    every = {id(table): table for each in read for table in each.tables.values()}
    used = frames.Dataset("grants", {str(place): table for place, table in enumerate(every.values())})
    grants = found[0] if len(found) == 1 else joined(found)
    _refuse_school(school, people)
    notes = used.notes()
    left_out = [f"{each.where}: {each.rows:,} skipped ({each.why})." for each in grants.skipped]
    notes += [note for note in left_out if note not in notes]
    notes += [note for table in listed for note in unread(table.rows, table.name)]
    if not grants.rows.height:
        notes.append("No grant that was read reaches an account: this is no sign that nobody can see anything.")
    return Sources(grants, people, inputs + used.inputs(), notes, database, places)


def _refuse_school(school: str | None, people: frames.Dataset | None) -> None:
    """A school of which there is no pupil would make every reach zero."""
    pupils = people.tables.get("pupils") if people is not None else None
    if school is None or pupils is None or "school_id" not in pupils.rows.columns:
        return
    if school not in pupils.rows["school_id"].cast(pl.String).unique().to_list():
        raise ParameterError("school: no pupil is of it.", "write the school_id as the pupils have it.")


def _refuse_long(table: frames.Table) -> None:
    for column in ("account", "person_id", "person_kind", "school_id"):
        if column in table.rows.columns:
            long = table.rows[column].cast(pl.String).str.len_chars().fill_null(0) > LONGEST
            if long.any():
                raise TableError(
                    f"{table.name}, row {int(long.arg_max() or 0) + 2}, column '{column}': over {LONGEST:,} letters.",
                    "correct the row, or the separator of the file.",
                )


def _of_tables(datasets: Sequence[frames.Dataset], school: str | None) -> Grants:
    """Tables of grants, exports of an MIS and reports on sharing; memberships and accounts go with each of them."""
    single = {id(each): next(iter(each.tables.values())) for each in datasets if len(each.tables) == 1}
    shared, exported, others = [], [], []
    for each in datasets:
        table = single.get(id(each))
        if table is None or holds_accounts(table.rows.columns):
            others.append(each)
        elif sharing.recognise(table.rows):
            shared.append(table)
        elif mis.recognise(table.rows):
            exported.append(table)
        else:
            others.append(each)
    if not shared and not exported:
        return together(datasets)
    lists = [single[id(each)] for each in others if id(each) in single]
    members = [membership_columns(t.rows, t.name) for t in lists if holds_memberships(t.rows.columns)]
    accounts = [accounts_of(t.rows) for t in lists if holds_accounts(t.rows.columns)]
    membership = pl.concat(members, how="diagonal_relaxed") if members else None
    listed = pl.concat(accounts) if accounts else None
    found = []
    if exported:
        found.append(mis.read(exported, memberships=membership, accounts=listed, school=school))
    if shared:
        found.append(sharing.read(shared, memberships=membership, accounts=listed))
    if len(members) + len(accounts) < len(others):
        found.append(together(others))
    return joined(found)


def _policy_of(model: Path, others: Sequence[str | Path]) -> list[Path]:
    """The policy that goes with a Casbin model, and its attributes where they are given."""
    files = [Path(other) for other in others if Path(other).is_file()]
    policies = [file for file in files if file.suffix in (".csv", ".txt")]
    if len(policies) > 1:
        policies = [file for file in policies if "policy" in file.stem.lower()]
    if len(policies) != 1:
        raise ParameterError(f"{model.name}: its policy is not given.", "name the policy's CSV after the model.")
    asked = [file for file in files if file.suffix == ".json" and not cloudsplaining.recognise(file)]
    return [*policies, *asked[:1]]


def _input(file: Path, rows: int | None) -> dict[str, object]:
    return {
        "name": file.name,
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "rows": rows,
        "columns": None,
    }
