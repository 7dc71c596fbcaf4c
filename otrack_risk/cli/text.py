"""The command on free text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from otrack_risk.cli.options import (
    DATA,
    JSON,
    PATH,
    QUIET,
    READING,
    SEED,
    command,
    document,
    options,
    progress_bar,
    read,
)
from otrack_risk.cli.rows import RECIPIENT


@command("scan", "otrack-risk scan notes.csv --text-column text --roster pupils.csv --staff staff.csv")
@DATA
@click.option("--text-column", required=True, help="The column that holds the notes.")
@click.option("--roster", type=PATH, help="The children that the notes can name: a file with their names.")
@click.option("--staff", type=PATH, help="The staff that the notes can name.")
@click.option("--model", help="An installed spaCy pipeline, or none; whatever is installed if not given.")
@click.option("--spans", type=PATH, help="Write where each thing stands to this file, one JSON object a note.")
@options(RECIPIENT, SEED, *READING, JSON, QUIET)
def scan_command(data: Path, as_json: bool, quiet: bool, **given: Any) -> None:
    """Find personal data in free text, and count the children that it is about."""
    import numpy as np

    from otrack_risk import frames
    from otrack_risk.cli import rows
    from otrack_risk.errors import ParameterError
    from otrack_risk.text.linkage import counted
    from otrack_risk.text.roster import Roster
    from otrack_risk.text.scan import as_lines, model_of, read_notes

    kept_at = rows.place(given["spans"], given["recipient"], "--spans")
    if given["staff"] and not given["roster"]:
        raise ParameterError("--staff: staff are looked for beside children.", "give the children with --roster.")
    reading = {name: given[name] for name in ("table", "delimiter", "encoding", "null_values", "catalogue")}
    dataset, _ = read(data, **reading)
    notes = dataset.table(given["table"])
    beside = {name: frames.read(given[name]) for name in ("roster", "staff") if given[name]}
    tables = {name: held.table().rows for name, held in beside.items()}
    roster = Roster.of(tables["roster"], tables.get("staff")) if "roster" in tables else None
    model = model_of(given["model"])
    with progress_bar(quiet) as tell:
        found = read_notes(notes.rows, given["text_column"], roster, model, tell)
    result = counted(found, np.random.default_rng(given["seed"]))
    if kept_at is not None:
        rows.write_lines(as_lines(found), kept_at, given["recipient"])
    held = [dataset, *beside.values()]
    remarks = [note for each in held for note in each.notes()]
    if as_json:
        inputs = [entry for each in held for entry in each.inputs()]
        document("scan", result.record(), inputs, {"data": data, **given}, remarks)
        return
    for remark in remarks:
        click.echo(remark, err=True)
    click.echo(str(result))
