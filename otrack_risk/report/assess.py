"""From notebooks to a report folder: run each, keep its results, write the pages whole."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from otrack_risk.display.tables import plain
from otrack_risk.report import pack
from otrack_risk.report.page import About, page
from otrack_risk.report.run import describe, run

NOTEBOOKS = ("breach_impact", "access_permissions", "dpia_evidence", "who_is_singled_out")
NOT_MEASURED = {
    "controls": "what one change would have helped most is not computed in this version",
    "loss": "the loss of a year is not simulated in this version",
}


def assess(
    out: Path,
    parameters: Mapping[str, object],
    about: About,
    version: str,
    stated: Mapping[str, object],
    progress: Callable[[str], None],
) -> Path:
    """Run the notebooks on one scenario and data set, and write the report; the path of its overview.

    Parameters
    ----------
    out : the report folder
    parameters : for the notebooks; each is given those that it has
    about : what every page says of itself
    version : of this package
    stated : the command's parameters, for ``results.json``, without directories
    progress : is told what begins

    Raises
    ------
    ReportError
        ``out`` holds something else, or a cell failed; nothing is written then.
    """
    pack.claim(out)
    executed = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in NOTEBOOKS:
            notebook = describe(name)
            progress(notebook.title)
            given = {**parameters, "folder": str(Path(scratch) / "schools")}
            own = {parameter.name for parameter in notebook.parameters}
            executed[name] = run(notebook, {key: value for key, value in given.items() if key in own})
    progress("Writing the pages")
    pages = [page(name, notebook) for name, notebook in executed.items()]
    document = {
        "schema": "otrack-risk/assess/1",
        "tool": {"version": version},
        "input": list(about.inputs),
        "parameters": plain(stated),
        "notes": list(about.notes),
    }
    return pack.write(out, executed, pages, about, document, NOT_MEASURED)


def footer(version: str, hide_below: int, as_of: str) -> tuple[str, ...]:
    """What stands at the foot of every page."""
    return (
        f"Counts of people below {hide_below} are hidden, and others with them where subtraction would give them away. "
        "Measures of a table, such as k or a class size, are exact.",
        "Proposals for a named person to weigh; not legal advice. What was not looked for is said to be so.",
        f"otrack_risk {version}. This assessment speaks for {as_of}.",
    )
