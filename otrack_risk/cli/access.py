"""The command on access: who can see whom, what is too much, and what would change it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otrack_risk.cli.options import DATA_PATH, JSON, PATH, QUIET, command, document, options, progress

if TYPE_CHECKING:
    from otrack_risk.access import Inquiry
    from otrack_risk.access.change.revoke import Revocations
    from otrack_risk.display.results import Shown

WHICH = ("granted", "needed", "excess", "difference")
ORDERS = ("canonical", "clustered")
_WRITES = {"heatmap": (".svg", ".png"), "graph": (".svg", ".png"), "revoke": (".csv", ".sql", ".casbin")}


@command("access", "otrack-risk access grants.csv --data pupils_folder/ --log log.csv --heatmap who_sees_whom.svg")
@click.argument("grants", nargs=-1, required=True, type=DATA_PATH)
@click.option("--data", type=DATA_PATH, help="The people, where GRANTS are files alone.")
@click.option("--needed", type=PATH, help="A school's own least-privilege matrix, instead of the built-in one.")
@click.option("--weigh", type=PATH, help="A school's own weights (CSV: kind, name, weight).")
@click.option("--log", type=DATA_PATH, help="Access log: account, at, category, verb, and pupil_id, rows, client.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day on which a grant must be in force.")
@click.option(
    "--terms", type=PATH, help="The school's own holidays (TOML: name, first, last): on them no use is expected."
)
@click.option("--school", help="Whose MIS it is, where the people are of several schools.")
@click.option("--accepted", type=PATH, help="Risks that somebody accepted until a day (TOML).")
@click.option("--heatmap", type=PATH, help="Write role x category (.svg or .png) and its CSV, small numbers hidden.")
@click.option("--view", type=click.Choice(WHICH), default="granted", show_default=True, help="What the heatmap shows.")
@click.option(
    "--order", type=click.Choice(ORDERS), default="canonical", show_default=True, help="Its rows and columns."
)
@click.option("--account", help="Tell of this log-in: each role, category and reason.")
@click.option("--graph", type=PATH, help="Write the reach of --account as a picture (.svg or .png): names stand in it.")
@click.option("--without", multiple=True, help="What if: account=NAME, role=NAME or category=NAME (repeatable).")
@click.option("--before", type=DATA_PATH, multiple=True, help="An earlier GRANTS, to say what changed (repeatable).")
@click.option(
    "--revoke", type=PATH, help="Write the smallest set of changes that meets the matrix: .csv, .sql, .casbin."
)
@click.option("--mine", is_flag=True, help="Propose roles out of what accounts hold.")
@options(JSON, QUIET)
def access_command(grants: tuple[Any, ...], as_json: bool, quiet: bool, **given: Any) -> None:
    """Say who can see whom: children reached by account, role and category, and what goes beyond need.

    GRANTS is a CSV (account, role, category, verb, scope, and dates; and a CSV of member, role), a synthetic world's
    folder, a Casbin model.conf and its policy, a PostgreSQL address or a snapshot of one, an export of an MIS, a
    report on sharing, or results of cloudsplaining. Several are taken together.
    """
    from otrack_risk import access, assessment, profile
    from otrack_risk.errors import ParameterError

    if given["graph"] and not given["account"]:
        raise ParameterError("--graph: no account is named.", "name a log-in with --account.")
    for option, suffixes in _WRITES.items():
        if given[option] and given[option].suffix not in suffixes:
            kinds = " or ".join(suffixes)
            raise ParameterError(f"--{option}: {given[option].name} is of no kind that is written.", f"name a {kinds}.")
    tell = progress(quiet)
    told = {name: given[name] for name in ("needed", "weigh", "terms", "school", "accepted", "as_of")}

    def catalogue_of(address: str | Path, tables: Any) -> Any:
        return profile.catalogue_for(Path(str(address)), tables.frames, None)

    tell("reading")
    asked = access.Inquiry.of(grants, given["data"], log=given["log"], catalogue_of=catalogue_of, **told)
    tell("counting")
    seen = asked.access
    results: dict[str, Shown] = {"severity": assessment.account_severity(seen, asked.categories_seen())}
    if given["without"]:
        results["what_if"] = asked.without(**_taken_away(given["without"]))
    if given["before"]:
        earlier = access.Inquiry.of(given["before"], given["data"], catalogue_of=catalogue_of, **told)
        results["change"] = access.compared(earlier.access, seen)
    if given["revoke"]:
        tell("looking for the smallest change")
        results["revocations"] = proposed = asked.revocations()
        results["after_revocations"] = asked.after(proposed)
        _write_script(asked, proposed, given["revoke"])
    if given["mine"]:
        tell("looking for roles")
        results["mined_roles"] = asked.mined_roles()
    if given["account"]:
        results["account"] = paths = asked.paths_of(given["account"])
        if given["graph"]:
            draw(paths, given["graph"])
    if given["heatmap"]:
        tell("drawing")
        draw(seen.view(given["view"], given["order"]).published(), given["heatmap"])
    parameters = {"grants": [path.name for path in grants], **given, "before": [path.name for path in given["before"]]}
    notes = list(dict.fromkeys([*asked.sources.notes, *seen.notes]))
    if as_json:
        record = asked.record() | {name: result.record() for name, result in results.items()}
        document("access", record, asked.sources.inputs, parameters, notes)
        return
    for note in notes:
        click.echo(note, err=True)
    shown = (seen, seen.findings_table(), asked.concentration(), asked.tier_zero())
    click.echo("\n\n".join(map(str, [*shown, asked.expected_exposure(), *results.values()])))


def draw(result: Shown, path: Path) -> None:
    """The figure as SVG or PNG, and its numbers as CSV beside it."""
    from otrack_risk.display import figures, tables
    from otrack_risk.errors import FileError

    figure = result.figure()
    if figure is None:
        return
    frame = result.table()
    picture = figures.png(figure) if path.suffix == ".png" else figures.svg(figure).encode()
    try:
        path.write_bytes(picture)
        path.with_suffix(".csv").write_text(tables.as_csv(frame.columns, frame.rows()), encoding="utf-8")
    except OSError:
        raise FileError(f"{path.name}: it cannot be written.", "name a file in a folder that exists.") from None


def _taken_away(words: tuple[str, ...]) -> dict[str, list[str]]:
    from otrack_risk.errors import ParameterError

    kinds = {"account": "accounts", "role": "roles", "category": "categories"}
    found: dict[str, list[str]] = {}
    for word in words:
        kind, _, name = word.partition("=")
        if kind not in kinds or not name:
            raise ParameterError("--without: not understood.", "write account=NAME, role=NAME or category=NAME.")
        found.setdefault(kinds[kind], []).append(name)
    return found


def _write_script(asked: Inquiry, proposed: Revocations, path: Path) -> None:
    from otrack_risk.access.change import script
    from otrack_risk.cli import rows

    after = proposed.applied(asked.sources.grants)
    if path.suffix == ".sql":
        text = script.sql(proposed.proposals, asked.sources.tables, after).text
    elif path.suffix == ".casbin":
        text = script.casbin(proposed.proposals).text
    else:
        text = script.table(after).text
        if after.memberships.height:
            beside = path.with_stem(f"{path.stem}_memberships")
            rows.write_text(script.memberships(after).text, beside)
    rows.write_text(text, path)
