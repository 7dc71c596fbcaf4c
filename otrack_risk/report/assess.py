"""From notebooks to a report folder: run each, keep its results, write the pages whole."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from otrack_risk.display.tables import plain
from otrack_risk.report import pack, whole
from otrack_risk.report.identity import identify
from otrack_risk.report.page import About, page
from otrack_risk.report.run import Kernel, checked, describe, run

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
    started, steps = datetime.now(UTC), []
    executed, resolved = {}, {}
    named = [Path(part) for value in parameters.values() if isinstance(value, str) for part in value.split(", ")]
    places = [path.parent for path in named if path.is_absolute()]
    with whole.workspace(out) as scratch, _temporary(scratch), Kernel() as kernel:
        notebooks = {name: describe(name) for name in NOTEBOOKS}
        for name, notebook in notebooks.items():
            given = {**parameters, "folder": str(scratch / "schools")}
            known = {parameter.name for parameter in notebook.parameters}
            resolved[name] = checked(notebook, {key: value for key, value in given.items() if key in known})
        identity = identify(about.inputs, stated, resolved)  # of the code as it is now, not as it is when all has run
        for name, notebook in notebooks.items():
            progress(notebook.title)
            began = time.monotonic()
            executed[name] = run(notebook, resolved[name], kernel=kernel)
            steps.append((notebook.title, time.monotonic() - began))
    progress("Writing the pages")
    pages = [page(name, notebook) for name, notebook in executed.items()]
    document = {
        "schema": "otrack-risk/assess/1",
        "tool": {"version": version},
        "input": list(about.inputs),
        "parameters": plain(stated),
        "notes": list(about.notes),
    }
    log = pack.RunLog(started, steps)
    return pack.write(out, executed, pages, about, document, NOT_MEASURED, identity=identity, log=log, places=places)


def footer(version: str, hide_below: int, as_of: str) -> tuple[str, ...]:
    """What stands at the foot of every page."""
    return (
        f"Counts of people below {hide_below} are hidden, and others with them where subtraction would give them away. "
        "Measures of a table, such as k or a class size, are exact.",
        "Proposals for a named person to weigh; not legal advice. What was not looked for is said to be so.",
        f"otrack_risk {version}. This assessment speaks for {as_of}.",
    )


@contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    """Programs started here keep their temporary files in ``folder``, from where the next run removes them.

    This process keeps to its own place, because a socket's path must be short.
    """
    tempfile.gettempdir()  # decided once for this process, by what the environment said before
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
