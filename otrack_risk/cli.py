"""The command line: each command parses, calls one stage, prints.

Tables for people by default; with ``--json`` one document on stdout and nothing else. Exit codes:
0 done, 2 bad usage or bad input (one or two lines on stderr, no traceback, no value of a cell).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from otrack_risk import __version__
from otrack_risk.errors import OtrackRiskError, ParameterError

if TYPE_CHECKING:
    from otrack_risk.display.results import Shown
    from otrack_risk.frames import Dataset
    from otrack_risk.schema import Catalogue

PRESETS = ("primary", "secondary", "trust", "otrack")


class _Command(click.Command):
    """A command whose help ends with an example, kept on its own line."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            with formatter.section("Example"):
                formatter.write_text(self.epilog)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="otrack-risk")
def cli() -> None:
    """What was in it, about how many children, how findable is each, and who could see them.

    DATA is a file (.csv .csv.gz .tsv .parquet .feather .xlsx .jsonl) or a folder with one table a file.
    """


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    try:
        sys.exit(cli.main(prog_name="otrack-risk", standalone_mode=False) or 0)
    except OtrackRiskError as error:
        click.echo(str(error), err=True)
    except click.ClickException as error:
        error.show()
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except Exception as error:  # the message may quote a cell of the data, so it is withheld
        place = error.__traceback__
        while place and place.tb_next:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "an unknown place"
        click.echo(
            f"Internal error: {type(error).__name__} at {where}.\nMend: report it with the command used.", err=True
        )
    sys.exit(2)


def _command(name: str, example: str) -> Callable[[Callable[..., None]], click.Command]:
    return cli.command(name, cls=_Command, epilog=example)


def _options(*options: Callable[..., Any]) -> Callable[..., Any]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_PATH = click.Path(path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, exact numbers.")
_QUIET = click.option("--quiet", is_flag=True, help="No progress.")
_SEED = click.option("--seed", default=0, show_default=True, help="Seed of everything drawn at random.")
_CATALOGUE = click.option("--catalogue", type=_PATH, help="What each column is, as a person edited it.")
_READING = (
    click.option("--table", help="One table of a folder or workbook."),
    click.option("--delimiter", help="Of CSV; detected if not given."),
    click.option("--encoding", help="Of CSV; detected if not given."),
    click.option("--null", "null_values", multiple=True, help="A further marker of a missing value (repeatable)."),
    _CATALOGUE,
)
_DATA = click.argument("data", type=_PATH)


@_command("synth", "otrack-risk synth data/synthetic/secondary --preset secondary --seed 7")
@click.argument("out", type=_PATH)
@click.option("--preset", type=click.Choice(PRESETS), default="secondary", show_default=True)
@click.option("--pupils", type=click.IntRange(1), help="Pupils on roll, instead of the preset's.")
@click.option("--schools", type=click.IntRange(1), help="Schools, instead of the preset's.")
@click.option("--images", type=click.IntRange(0), help="Rows of the image index, instead of the preset's.")
@click.option(
    "--format", "file_format", type=click.Choice(["parquet", "csv", "xlsx"]), default="parquet", show_default=True
)
@_options(_SEED, _JSON, _QUIET)
def synth_command(out: Path, as_json: bool, quiet: bool, **given: Any) -> None:
    """Write a synthetic school world: a school that never was."""
    from otrack_risk import synth

    world = synth.make(out=out, **given)
    _show("synth", world, as_json, [], {"out": out, **given})


@_command("profile", "otrack-risk profile pupils.csv --write catalogue.toml")
@_DATA
@click.option("--write", type=_PATH, help="Write the catalogue, for a person to edit.")
@_options(*_READING, _JSON, _QUIET)
def profile_command(data: Path, write: Path | None, as_json: bool, quiet: bool, **reading: Any) -> None:
    """Say of every column what it is, and why: direct identifier, quasi-identifier, sensitive, free text, other."""
    from otrack_risk import profile

    dataset, catalogue = _read(data, **reading)
    result = profile.profile(dataset.frames, catalogue)
    if write:
        profile.write_catalogue(result.catalogue, write)
    _show("profile", result, as_json, dataset, {"data": data, "write": write, **reading})


@_command("risk", "otrack-risk risk pupils.csv --qi year_group,sex,ethnicity --sensitive sen_need")
@_DATA
@click.option("--qi", required=True, help="Quasi-identifiers, a,b,c: what an attacker is taken to know.")
@click.option("--sensitive", default="", help="Sensitive columns, a,b: what would be learnt.")
@click.option("--missing", type=click.Choice(["own-category", "drop"]), default="own-category", show_default=True)
@click.option(
    "--threshold", "thresholds", type=click.FloatRange(0, 1), multiple=True, default=(0.2,), show_default=True
)
@click.option("--population-size", type=click.IntRange(1), help="People in the population the table is drawn from.")
@click.option(
    "--sampling-fraction",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the population that is in the table.",
)
@click.option("--population-data", type=_PATH, help="The population itself, with the same columns.")
@click.option("--person", help="Column that tells data subjects apart, where one has several rows.")
@_options(_SEED, *_READING, _JSON, _QUIET)
def risk_command(data: Path, as_json: bool, quiet: bool, **given: Any) -> None:
    """Measure re-identification risk and k-anonymity."""
    from otrack_risk import risk

    reading = {name: given[name] for name in ("table", "delimiter", "encoding", "null_values", "catalogue")}
    dataset, catalogue = _read(data, **reading)
    table = dataset.table(given["table"])
    columns = catalogue.table(table.name)
    frame = given["population_data"] and _read(given["population_data"], **{**reading, "table": None})[0].table().rows
    whole = {"size": given["population_size"], "fraction": given["sampling_fraction"], "table": frame}
    named = any(part is not None for part in whole.values())
    result = risk.measure(
        table.rows,
        _list(given["qi"]),
        sensitive=_list(given["sensitive"]),
        missing=given["missing"],
        thresholds=given["thresholds"],
        population=risk.Population(**whole) if named else None,
        direct_identifiers=columns.with_role("direct") if columns else (),
        person=given["person"],
    )
    _show("risk", result, as_json, dataset, {"data": data, **given})


@_command("exposure", "otrack-risk exposure exported_folder/ --json")
@_DATA
@click.option("--scenario", help="Count only what this scenario says could be reached.")
@_options(*_READING, _JSON, _QUIET)
def exposure_command(data: Path, scenario: str | None, as_json: bool, quiet: bool, **reading: Any) -> None:
    """Count what was exposed: records, files, people, children, fields, images.

    DATA may also be a supplier's letter (.toml): fields and head-counts with no rows.
    """
    from otrack_risk import exposure

    parameters = {"data": data, "scenario": scenario, **reading}
    if data.suffix.lower() == ".toml":
        from otrack_risk.frames import letter

        result = exposure.exposure_from_letter(letter.read_letter(data))
        _show("exposure", result, as_json, letter.inputs(data), parameters)
        return
    dataset, catalogue = _read(data, **reading)
    if scenario:
        from otrack_risk import assessment

        reached = assessment.read_scenario(scenario).reach(dataset.columns)
        dataset, catalogue = dataset.only(reached), catalogue.only(reached)
    _show("exposure", exposure.exposure_scope(dataset, catalogue), as_json, dataset, parameters)


@_command("access", "otrack-risk access grants.csv --data pupils_folder/ --heatmap who_sees_whom.svg")
@click.argument("grants", nargs=-1, required=True, type=_PATH)
@click.option("--data", type=_PATH, help="The people, where GRANTS is a file of grants alone.")
@click.option("--needed", type=_PATH, help="A school's own least-privilege matrix, instead of the built-in one.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day on which a grant must be in force.")
@click.option("--heatmap", type=_PATH, help="Write the role x category heatmap (.svg or .png), small numbers hidden.")
@_options(_JSON, _QUIET)
def access_command(grants: tuple[Path, ...], as_json: bool, quiet: bool, **given: Any) -> None:
    """Say who can see whom: children reached by role and category, and what goes beyond need.

    GRANTS is a CSV (account, role, category, verb, scope, and dates) or a synthetic world's folder.
    """
    from otrack_risk import access

    seen, inputs = access.from_paths(grants, given["data"], needed=given["needed"], as_of=given["as_of"])
    if given["heatmap"]:
        _draw(seen, given["heatmap"])
    _show("access", seen, as_json, inputs, {"grants": [path.name for path in grants], **given})


@cli.group("scenario")
def scenario_group() -> None:
    """List, show or check scenario files: a breach as a TOML file."""


@scenario_group.command("list", cls=_Command, epilog="otrack-risk scenario list")
@_JSON
def scenario_list(as_json: bool) -> None:
    """The built-in scenarios, and how much of each is known."""
    from otrack_risk import assessment

    _show("scenario", assessment.scenario_list(assessment.builtin_scenarios()), as_json, [], {})


@scenario_group.command("show", cls=_Command, epilog="otrack-risk scenario show table_found_open > ours.toml")
@click.argument("name")
@_JSON
def scenario_show(name: str, as_json: bool) -> None:
    """One scenario as a file, to read or to start your own from; with --json its facts."""
    from otrack_risk import assessment

    if as_json:
        _show("scenario", assessment.scenario_facts(assessment.read_scenario(name)), True, [], {"name": name})
        return
    click.echo(assessment.scenario.text(name), nl=False)


@scenario_group.command("check", cls=_Command, epilog="otrack-risk scenario check ours.toml")
@click.argument("file", type=_PATH)
@_JSON
def scenario_check(file: Path, as_json: bool) -> None:
    """Say whether a scenario file is valid; name the key where it is not."""
    from otrack_risk import assessment

    _show("scenario", assessment.scenario_facts(assessment.read_scenario(str(file))), as_json, [], {"file": file})


@_command("assess", "otrack-risk assess table_found_open --data pupils.csv --out reports/pupils")
@click.argument("scenario")
@click.option("--data", type=_PATH, help="A file or folder; without it the scenario's own synthetic data are made.")
@click.option("--out", type=_PATH, required=True, help="The report folder.")
@click.option("--grants", type=_PATH, help="A CSV of grants, where the data hold none.")
@click.option("--needed", type=_PATH, help="A school's own least-privilege matrix.")
@click.option("--hide-below", type=click.IntRange(2), default=5, show_default=True, help="Hide counts of fewer people.")
@_options(_CATALOGUE, _SEED, _JSON, _QUIET)
def assess_command(scenario: str, as_json: bool, quiet: bool, **given: Any) -> None:
    """Run the notebooks on a scenario and write the report: pages, results, figures, manifest."""
    index = _assess(scenario, quiet=quiet, **given)
    if as_json:
        report = json.loads((index.parent / "results.json").read_text(encoding="utf-8"))
        _document("assess", {"report": index.parent.name}, report["input"], {"scenario": scenario, **given})
        return
    click.echo(index)


@_command("demo", "otrack-risk demo")
@click.option("--out", type=_PATH, default=Path("reports/demo"), show_default=True, help="The report folder.")
@_QUIET
def demo_command(out: Path, quiet: bool) -> None:
    """The main job on embedded defaults: a synthetic Otrack-like data set, assessed."""
    click.echo(_assess("otrack_2024", out=out, quiet=quiet))


@cli.group("notebooks")
def notebooks_group() -> None:
    """List, describe or run the notebooks, with checked parameters."""


@notebooks_group.command("list", cls=_Command, epilog="otrack-risk notebooks list")
@_JSON
def notebooks_list(as_json: bool) -> None:
    """The notebooks and the question each answers."""
    from otrack_risk.report import run

    found = [{"name": path.stem, "title": run.described(path).title} for path in run.notebooks()]
    if as_json:
        _document("notebooks", {"notebooks": found}, [], {})
        return
    for entry in found:
        click.echo("{name}: {title}".format(**entry))


@notebooks_group.command("describe", cls=_Command, epilog="otrack-risk notebooks describe breach_impact")
@click.argument("name")
@_JSON
def notebooks_describe(name: str, as_json: bool) -> None:
    """The parameters of one notebook: name, type, default, meaning."""
    from otrack_risk.report import run

    notebook = run.describe(name)
    if as_json:
        parameters = [vars(parameter) for parameter in notebook.parameters]
        _document("notebooks", {"name": name, "title": notebook.title, "parameters": parameters}, [], {"name": name})
        return
    click.echo(notebook.title)
    for parameter in notebook.parameters:
        click.echo(f"  {parameter.name}: {parameter.type} = {parameter.default!r}\n      {parameter.meaning}")


@notebooks_group.command(
    "run", cls=_Command, epilog="otrack-risk notebooks run who_is_singled_out -p seed 7 --out w.ipynb"
)
@click.argument("name")
@click.option("-p", "given", nargs=2, multiple=True, metavar="KEY VALUE", help="A parameter (repeatable).")
@click.option("--out", type=_PATH, help="The executed copy (.ipynb); NAME.ipynb here if not given.")
@_QUIET
def notebooks_run(name: str, given: tuple[tuple[str, str], ...], out: Path | None, quiet: bool) -> None:
    """Run one notebook; the copy holds its results and no row of the data."""
    import nbformat

    from otrack_risk.report import run

    notebook = run.describe(name)
    values = {key: str(Path(value).resolve()) if Path(value).exists() else value for key, value in given}
    run.checked(notebook, values)
    _progress(quiet)(notebook.title)
    target = out or Path(f"{name}.ipynb")
    target.write_text(nbformat.writes(run.run(notebook, values)) + "\n", encoding="utf-8")
    click.echo(target)


@_command("lab", "otrack-risk lab")
@click.argument("more", nargs=-1)
@click.option("--port", type=int, default=8888, show_default=True)
@click.option("--no-browser", is_flag=True, help="Only print the address.")
def lab_command(more: tuple[str, ...], port: int, no_browser: bool) -> None:
    """JupyterLab on loopback, at notebooks/, with news and update checks off.

    What follows -- is handed to JupyterLab as it is.
    """
    from otrack_risk.report import run

    folder = run.notebooks()[0].parent
    with tempfile.TemporaryDirectory() as settings:
        (Path(settings) / "overrides.json").write_text(json.dumps(_LAB_SETTINGS), encoding="utf-8")
        options = [
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            f"--ServerApp.root_dir={folder.parent}",
            f"--ServerApp.open_browser={not no_browser}",
            f"--LabApp.app_settings_dir={settings}",
            "--LabApp.news_url=None",
            f"--LabApp.default_url=/lab/tree/{folder.name}/breach_impact.py",
        ]
        sys.exit(subprocess.call([sys.executable, "-m", "jupyter", "lab", *options, *more]))


_LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension:plugin": {"defaultViewers": {"python": "Jupytext Notebook"}},
}


@_command("doctor", "otrack-risk doctor")
@_JSON
def doctor_command(as_json: bool) -> None:
    """What is installed, what is missing, and how to mend it."""
    found = [{"part": part, "for": use, "version": _version(part), "mend": mend} for part, use, mend in _PARTS]
    programs = [
        {"part": name, "for": use, "version": "found" if shutil.which(name) else None, "mend": mend}
        for name, use, mend in _PROGRAMS
    ]
    if as_json:
        _document("doctor", {"python": sys.version.split()[0], "parts": found + programs}, [], {})
        return
    click.echo(f"Python {sys.version.split()[0]}")
    for entry in found + programs:
        state = entry["version"] or f"missing; {entry['mend']}"
        click.echo(f"{entry['part']}: {state} ({entry['for']})")


_PARTS = (
    ("polars", "tables", "make demo installs it"),
    ("papermill", "running notebooks", "make demo installs it"),
    ("jupyterlab", "the workbench", "make demo installs it"),
    ("matplotlib", "pictures", "make demo installs it"),
    ("presidio-analyzer", "a second opinion on free text", "pip install 'otrack-risk[ner]'"),
    ("pyspark", "tables on a cluster", "pip install 'otrack-risk[spark]'"),
    ("psycopg", "reading PostgreSQL", "pip install 'otrack-risk[postgres]'"),
    ("playwright", "looking at pages in a browser", "pip install 'otrack-risk[browser]'"),
)
_PROGRAMS = (
    ("java", "Spark", "install a Java 17 runtime"),
    ("chromium", "looking at pages in a browser", "install Chromium"),
)


def _version(distribution: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _assess(
    scenario: str,
    out: Path,
    quiet: bool,
    data: Path | None = None,
    grants: Path | None = None,
    needed: Path | None = None,
    hide_below: int = 5,
    catalogue: Path | None = None,
    seed: int = 0,
) -> Path:
    """Read what is asked for, so that bad input is refused before any kernel starts; then run the notebooks."""
    from otrack_risk import assessment
    from otrack_risk.report import pack
    from otrack_risk.report.assess import assess, footer
    from otrack_risk.report.page import About

    told = _progress(quiet)
    pack.claim(out)
    story = assessment.read_scenario(scenario)
    if data is None:
        if story.data is None:
            raise ParameterError(
                f"scenario '{story.name}' has no data of its own.", "name a file or folder with --data."
            )
        from otrack_risk import synth

        told("Making the synthetic school world")
        data = Path("data/synthetic") / story.data.preset
        synth.make(preset=story.data.preset, out=data, seed=story.data.seed)
    told("Reading the data")
    dataset, _ = _read(data, catalogue=catalogue)
    inputs, notes = dataset.inputs(), dataset.notes()
    del dataset
    stated = {
        "scenario": story.name,
        "data": data,
        "grants": grants,
        "needed": needed,
        "hide_below": hide_below,
        "catalogue": catalogue,
        "seed": seed,
    }
    day = story.as_of.date().isoformat()
    about = About(
        title=story.title,
        line=f"Data: {data.name}. Scenario: {story.name}. Speaks for {day}.",
        synthetic=(data / "world.toml").is_file(),
        footer=footer(__version__, hide_below, day),
        inputs=tuple(inputs),
        notes=tuple(notes),
    )
    paths = {"dataset": data, "grants": grants, "needed": needed, "catalogue": catalogue}
    parameters: dict[str, object] = {name: str(path.resolve()) if path else "" for name, path in paths.items()}
    named = str(Path(scenario).resolve()) if Path(scenario).is_file() else scenario
    parameters |= {"scenario": named, "hide_below": hide_below, "seed": seed}
    return assess(out, parameters, about, __version__, _plain(stated), told)


def _read(
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


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _show(
    command: str, result: Shown, as_json: bool, data: Dataset | list[dict[str, object]], parameters: Mapping[str, Any]
) -> None:
    """Print the result; with ``--json`` the contract's document."""
    inputs = data if isinstance(data, list) else data.inputs()
    notes = [] if isinstance(data, list) else data.notes()
    if as_json:
        _document(command, result.record(), inputs, parameters, notes)
        return
    for note in notes:
        click.echo(note, err=True)
    click.echo(str(result))


def _document(command: str, result: object, inputs: Any, parameters: Mapping[str, Any], notes: Any = ()) -> None:
    from otrack_risk.display.results import document

    click.echo(document(command, inputs, _plain(parameters), result, list(notes), __version__))


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters without directories: a path stands by its name."""
    return {name: value.name if isinstance(value, Path) else value for name, value in parameters.items()}


def _draw(result: Shown, path: Path) -> None:
    """The published figure as SVG or PNG, and its numbers as CSV beside it."""
    from otrack_risk.display import figures, tables

    shown = result.published()
    figure = shown.figure()
    if figure is None:
        return
    frame = shown.table()
    path.write_bytes(figures.png(figure) if path.suffix == ".png" else figures.svg(figure).encode())
    path.with_suffix(".csv").write_text(tables.as_csv(frame.columns, frame.rows()), encoding="utf-8")


def _progress(quiet: bool) -> Callable[[str], None]:
    """Tells what begins, and how long the last step took, on stderr."""
    last: list[tuple[str, float]] = []

    def tell(step: str) -> None:
        now = time.monotonic()
        if not quiet:
            taken = f" ({now - last[-1][1]:.1f} s)" if last else ""
            click.echo(f"{taken.strip()} {step} ...".strip(), err=True)
        last.append((step, now))

    return tell
