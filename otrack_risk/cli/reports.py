"""Commands on scenarios, reports and notebooks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from otrack_risk import __version__
from otrack_risk.cli.options import (
    CATALOGUE,
    JSON,
    PATH,
    QUIET,
    SEED,
    Command,
    cli,
    command,
    document,
    options,
    plain,
    progress,
    read,
    show,
)
from otrack_risk.errors import ParameterError


@cli.group("scenario")
def scenario_group() -> None:
    """List, show or check scenario files: a breach as a TOML file."""


@scenario_group.command("list", cls=Command, epilog="otrack-risk scenario list")
@JSON
def scenario_list(as_json: bool) -> None:
    """The built-in scenarios, and how much of each is known."""
    from otrack_risk import assessment

    show("scenario", assessment.scenario_list(assessment.builtin_scenarios()), as_json, [], {})


@scenario_group.command("show", cls=Command, epilog="otrack-risk scenario show table_found_open > ours.toml")
@click.argument("name")
@JSON
def scenario_show(name: str, as_json: bool) -> None:
    """One scenario as a file, to read or to start your own from; with --json its facts."""
    from otrack_risk import assessment

    if as_json:
        show("scenario", assessment.scenario_facts(assessment.read_scenario(name)), True, [], {"name": name})
        return
    click.echo(assessment.scenario.text(name), nl=False)


@scenario_group.command("check", cls=Command, epilog="otrack-risk scenario check ours.toml")
@click.argument("file", type=PATH)
@JSON
def scenario_check(file: Path, as_json: bool) -> None:
    """Say whether a scenario file is valid; name the key where it is not."""
    from otrack_risk import assessment

    show("scenario", assessment.scenario_facts(assessment.read_scenario(str(file))), as_json, [], {"file": file})


@command("assess", "otrack-risk assess table_found_open --data pupils.csv --out reports/pupils")
@click.argument("scenario")
@click.option("--data", type=PATH, help="A file or folder; without it the scenario's own synthetic data are made.")
@click.option("--out", type=PATH, required=True, help="The report folder.")
@click.option("--grants", type=PATH, help="A CSV of grants, where the data hold none.")
@click.option("--needed", type=PATH, help="A school's own least-privilege matrix.")
@click.option("--hide-below", type=click.IntRange(2), default=5, show_default=True, help="Hide counts of fewer people.")
@options(CATALOGUE, SEED, JSON, QUIET)
def assess_command(scenario: str, as_json: bool, quiet: bool, **given: Any) -> None:
    """Run the notebooks on a scenario and write the report: pages, results, figures, manifest."""
    index = _assess(scenario, quiet=quiet, **given)
    if as_json:
        report = json.loads((index.parent / "results.json").read_text(encoding="utf-8"))
        document("assess", {"report": index.parent.name}, report["input"], {"scenario": scenario, **given})
        return
    click.echo(index)


@command("demo", "otrack-risk demo")
@click.option("--out", type=PATH, default=Path("reports/demo"), show_default=True, help="The report folder.")
@QUIET
def demo_command(out: Path, quiet: bool) -> None:
    """The main job on embedded defaults: a synthetic Otrack-like data set, assessed."""
    click.echo(_assess("otrack_2024", out=out, quiet=quiet))


@cli.group("notebooks")
def notebooks_group() -> None:
    """List, describe or run the notebooks, with checked parameters."""


@notebooks_group.command("list", cls=Command, epilog="otrack-risk notebooks list")
@JSON
def notebooks_list(as_json: bool) -> None:
    """The notebooks and the question each answers."""
    from otrack_risk.report import run

    found = [{"name": path.stem, "title": run.described(path).title} for path in run.notebooks()]
    if as_json:
        document("notebooks", {"notebooks": found}, [], {})
        return
    for entry in found:
        click.echo("{name}: {title}".format(**entry))


@notebooks_group.command("describe", cls=Command, epilog="otrack-risk notebooks describe breach_impact")
@click.argument("name")
@JSON
def notebooks_describe(name: str, as_json: bool) -> None:
    """The parameters of one notebook: name, type, default, meaning."""
    from otrack_risk.report import run

    notebook = run.describe(name)
    if as_json:
        parameters = [vars(parameter) for parameter in notebook.parameters]
        document("notebooks", {"name": name, "title": notebook.title, "parameters": parameters}, [], {"name": name})
        return
    click.echo(notebook.title)
    for parameter in notebook.parameters:
        click.echo(f"  {parameter.name}: {parameter.type} = {parameter.default!r}\n      {parameter.meaning}")


@notebooks_group.command(
    "run", cls=Command, epilog="otrack-risk notebooks run who_is_singled_out -p seed 7 --out w.ipynb"
)
@click.argument("name")
@click.option("-p", "given", nargs=2, multiple=True, metavar="KEY VALUE", help="A parameter (repeatable).")
@click.option("--out", type=PATH, help="The executed copy (.ipynb); NAME.ipynb here if not given.")
@QUIET
def notebooks_run(name: str, given: tuple[tuple[str, str], ...], out: Path | None, quiet: bool) -> None:
    """Run one notebook; the copy holds its results and no row of the data."""
    import nbformat

    from otrack_risk.report import run

    notebook = run.describe(name)
    values = {key: str(Path(value).resolve()) if Path(value).exists() else value for key, value in given}
    run.checked(notebook, values)
    progress(quiet)(notebook.title)
    target = out or Path(f"{name}.ipynb")
    target.write_text(nbformat.writes(run.run(notebook, values)) + "\n", encoding="utf-8")
    click.echo(target)


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

    told = progress(quiet)
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
        synth.make(preset=story.data.preset, out=data, seed=story.data.seed, workers=os.cpu_count() or 1)
    told("Reading the data")
    dataset, _ = read(data, catalogue=catalogue)
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
    return assess(out, parameters, about, __version__, plain(stated), told)
