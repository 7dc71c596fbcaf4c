"""What the commands share: their options, reading what they are given, and printing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otrack_risk import __version__

if TYPE_CHECKING:
    from rich.progress import TaskID

    from otrack_risk.display.results import Shown
    from otrack_risk.frames import Dataset
    from otrack_risk.schema import Catalogue


class Command(click.Command):
    """A command whose help ends with an example, kept on its own line."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            with formatter.section("Example"):
                formatter.write(f"  {self.epilog}\n")  # on one line, to be copied


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="otrack-risk")
def cli() -> None:
    """What was in it, about how many children, how findable is each, and who could see them.

    DATA is a file (.csv .csv.gz .tsv .parquet .feather .xlsx .jsonl), a folder with one table a file, a OneRoster
    .zip, a CTF .xml, or a database (postgresql://..., duckdb:///file, sqlite:///file).
    """


def command(name: str, example: str) -> Callable[[Callable[..., None]], click.Command]:
    return cli.command(name, cls=Command, epilog=example)


def options(*options: Callable[..., Any]) -> Callable[..., Any]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


class DataPath(click.Path):
    """A path, or a database's address, which a path would spoil."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from otrack_risk.frames import database

        return value if isinstance(value, Path) else database.located(value)


PATH = click.Path(path_type=Path)
DATA_PATH = DataPath()
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, exact numbers.")
QUIET = click.option("--quiet", is_flag=True, help="No progress.")
SEED = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of everything drawn at random."
)
CATALOGUE = click.option("--catalogue", type=PATH, help="What each column is, as a person edited it.")
READING = (
    click.option("--table", help="One table of a folder, workbook or database."),
    click.option("--delimiter", help="Of CSV; detected if not given."),
    click.option("--encoding", help="Of CSV; detected if not given."),
    click.option("--null", "null_values", multiple=True, help="A further marker of a missing value (repeatable)."),
    CATALOGUE,
)
DATA = click.argument("data", type=DATA_PATH)


def read(
    data: Path,
    table: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    null_values: tuple[str, ...] = (),
    catalogue: Path | None = None,
) -> tuple[Dataset, Catalogue]:
    from otrack_risk import frames, profile

    dataset = frames.read(data, table=table, delimiter=delimiter, encoding=encoding, null_values=null_values)
    return dataset, profile.catalogue_for(data, dataset.frames, catalogue)


def show(
    command_name: str,
    result: Shown,
    as_json: bool,
    data: Dataset | list[dict[str, object]],
    parameters: Mapping[str, Any],
    remarks: Sequence[str] = (),
) -> None:
    """Print the result, after what there is to remark; with ``--json`` the contract's document."""
    inputs = data if isinstance(data, list) else data.inputs()
    notes = [*([] if isinstance(data, list) else data.notes()), *remarks]
    if as_json:
        document(command_name, result.record(), inputs, parameters, notes)
        return
    for note in notes:
        click.echo(note, err=True)
    click.echo(str(result))


def document(command_name: str, result: object, inputs: Any, parameters: Mapping[str, Any], notes: Any = ()) -> None:
    from otrack_risk.display import results

    click.echo(results.document(command_name, inputs, plain(parameters), result, list(notes), __version__))


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON has them: a path or database stands by its name alone; a day in ISO form."""
    from otrack_risk.frames.database import Url

    return {
        name: value.name
        if isinstance(value, Path | Url)
        else value.date().isoformat()
        if isinstance(value, datetime)
        else value
        for name, value in parameters.items()
    }


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """A bar with the time left on a terminal's stderr, once something has taken two seconds; else silence.

    What it gives is called with what is done, and the share of it that is done, 0 to 1.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console, transient=True
    )
    tasks: dict[str, TaskID] = {}
    began = time.monotonic()

    def tell(what: str, share: float) -> None:
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=1.0)
        bar.update(tasks[what], completed=share)
        if not bar.live.is_started and time.monotonic() - began > 2:
            bar.start()

    try:
        yield (lambda what, share: None) if quiet or not console.is_terminal else tell
    finally:
        if bar.live.is_started:
            bar.stop()


def progress(quiet: bool) -> Callable[[str], None]:
    """Tells what begins, and how long the last step took, on stderr."""
    last: list[tuple[str, float]] = []

    def tell(step: str) -> None:
        now = time.monotonic()
        if not quiet:
            taken = f" ({now - last[-1][1]:.1f} s)" if last else ""
            click.echo(f"{taken.strip()} {step} ...".strip(), err=True)
        last.append((step, now))

    return tell
