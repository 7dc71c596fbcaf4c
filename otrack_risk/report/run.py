"""Run a notebook with checked parameters and keep only the results it showed.

Sources are py:percent files, one question each. Parameters are read from the tagged cell with
papermill and checked against their annotations before any kernel starts. Of the executed copy
nothing is kept but the words of its author and the outputs that are results
(:data:`otrack_risk.display.results.MIME`): no stream, no repr, no path, no time.
"""

from __future__ import annotations

import os
import queue
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from otrack_risk.display.results import MIME
from otrack_risk.errors import ParameterError, ReportError

_TYPES: dict[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list[str]": list[str],
    "list[int]": list[int],
}
CELL_TIMEOUT = 600  # seconds; the longest that one cell may take
START_TIMEOUT = 120  # seconds; the longest that a kernel may take to answer
# Run in the kernel before each notebook; the first time it notes what the later ones put back.
_CLEAR = """
import os, sys
_shell = get_ipython()
if not hasattr(_shell, "first_state"):
    _shell.first_state = (os.getcwd(), dict(os.environ), list(sys.path))
os.chdir(_shell.first_state[0])
os.environ.clear()
os.environ.update(_shell.first_state[1])
sys.path[:] = _shell.first_state[2]
_shell.reset(new_session=True)
"""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook: its name, type, default and meaning, as its source states them."""

    name: str
    type: str
    default: object
    meaning: str


@dataclass(frozen=True)
class Notebook:
    """A notebook of the workbench."""

    name: str
    title: str
    path: Path
    parameters: tuple[Parameter, ...]


def notebooks() -> list[Path]:
    """The py:percent sources, in the package of an installed wheel or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    folders = (package / "notebooks", package.parent / "notebooks")
    return sorted(next((folder for folder in folders if folder.is_dir()), folders[0]).glob("*.py"))


def describe(name: str) -> Notebook:
    """Title and parameters of a notebook.

    Raises
    ------
    ParameterError
        No such notebook.
    """
    path = next((path for path in notebooks() if path.stem == name), None)
    if path is None:
        raise ParameterError(
            f"there is no notebook '{name}'.", f"use one of {', '.join(path.stem for path in notebooks())}."
        )
    return described(path)


def described(path: Path) -> Notebook:
    """Title and parameters of the notebook whose py:percent source this is; refuses a type that cannot be checked."""
    import jupytext
    import papermill

    source = jupytext.read(path)
    title = next(cell.source.splitlines()[0].lstrip("# ") for cell in source.cells if cell.cell_type == "markdown")
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / f"{path.stem}.ipynb"
        jupytext.write(source, copy)
        found = papermill.inspect_notebook(copy)
    parameters = []
    for name, entry in found.items():
        annotation = entry["inferred_type_name"]
        if annotation not in _TYPES:
            raise ReportError(
                f"notebook {path.stem}, parameter {name}: '{annotation}' is no type that can be checked.",
                f"annotate it with one of {', '.join(_TYPES)}.",
            )
        # The default is a literal in our own notebook's source, as papermill hands it over.
        parameters.append(Parameter(name, annotation, _literal(entry["default"]), entry["help"]))
    return Notebook(path.stem, title, path, tuple(parameters))


def checked(notebook: Notebook, given: Mapping[str, object]) -> dict[str, object]:
    """Every parameter with its value, defaults filled in; text is turned into the annotated type.

    A list is written as ``a,b,c``. Raises ParameterError for a name the notebook does not have and
    for a value that does not fit.
    """
    from pydantic import TypeAdapter, ValidationError

    known = {parameter.name: parameter for parameter in notebook.parameters}
    if unknown := [name for name in given if name not in known]:
        raise ParameterError(
            f"notebook {notebook.name} has no parameter {', '.join(unknown)}.",
            f"its parameters are {', '.join(known)}.",
        )
    values: dict[str, object] = {}
    for name, parameter in known.items():
        value = given.get(name, parameter.default)
        if parameter.type.startswith("list") and isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        try:
            values[name] = TypeAdapter(_TYPES[parameter.type]).validate_python(value)
        except ValidationError:
            raise ParameterError(
                f"notebook {notebook.name}, parameter {name}: the value is not of type {parameter.type}.",
                f"{name}: {parameter.meaning}",
            ) from None
    return values


def run(
    notebook: Notebook, given: Mapping[str, object], folder: Path | None = None, kernel: Kernel | None = None
) -> Any:
    """Execute the notebook; the executed copy, cleaned, as a notebook node.

    Parameters
    ----------
    given : values for some of its parameters
    folder : the directory in which a kernel of its own works; the present one if None
    kernel : the kernel to use, cleared before; None starts one for this notebook alone

    Raises
    ------
    ParameterError
        Before a kernel starts.
    ReportError
        A cell failed: named by its number and heading; the message of an error that is not ours is withheld,
        because it may quote a cell of the data.
    """
    values = checked(notebook, given)
    if kernel is not None:
        return _cleaned(_executed(notebook, values, kernel), values)
    with Kernel(folder) as own:
        return _cleaned(_executed(notebook, values, own), values)


class Kernel:
    """One kernel for several notebooks, one after another: ``with Kernel() as kernel: run(..., kernel=kernel)``.

    The process starts at once and is waited for by the first notebook; it is killed, and its socket files are gone,
    when the ``with`` ends, however it ends. Before each notebook its names, its In and Out, its directory, its
    environment variables and its module search path are put back to what they were at the start; what a notebook
    does to an imported module stays, so that no module is imported twice.

    Parameters
    ----------
    folder : the directory in which every notebook begins; the present one if None
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path.cwd()
        self.manager: Any = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        from jupyter_core.utils import run_sync

        self._scratch = tempfile.TemporaryDirectory()
        try:
            self.manager = _private_kernel(Path(self._scratch.name))(kernel_name="python3")
            run_sync(self.manager.start_kernel)(
                extra_arguments=["--HistoryManager.hist_file=:memory:"], cwd=str(self.folder)
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        from jupyter_core.utils import run_sync

        try:
            for client in [] if self.manager is None else self.manager.clients:
                client.stop_channels()
            if self.manager is not None and self.manager.has_kernel:
                run_sync(self.manager.shutdown_kernel)(now=True)
        finally:
            if self._scratch is not None:
                self._scratch.cleanup()

    async def clear(self, notebook: object = None) -> None:  # nbclient's hook hands the notebook over
        """Put its state back to that of a new one, through the client that was made last."""
        client = self.manager.clients[-1]
        asked = client.execute(_CLEAR, silent=True, store_history=False)
        while (reply := await client.get_shell_msg(timeout=START_TIMEOUT))["parent_header"].get("msg_id") != asked:
            pass
        if reply["content"]["status"] != "ok":
            raise RuntimeError("the state of the kernel could not be put back")


def _executed(notebook: Notebook, values: Mapping[str, object], kernel: Kernel) -> Any:
    import jupytext
    import papermill

    place = _Place(notebook.name)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / f"{notebook.name}.ipynb"
        jupytext.write(jupytext.read(notebook.path), source)
        try:
            return papermill.execute_notebook(
                source,
                None,
                parameters=values,
                kernel_name="python3",
                progress_bar=False,
                execution_timeout=CELL_TIMEOUT,
                km=kernel.manager,
                start_timeout=START_TIMEOUT,
                on_notebook_start=kernel.clear,
                on_cell_start=place.at,
            )
        except papermill.PapermillExecutionError as error:
            raise _failure(place, error) from None
        except TimeoutError:
            raise ReportError(f"{place}: it took longer than {CELL_TIMEOUT} s.", "use a smaller data set.") from None
        except (RuntimeError, queue.Empty):  # nbclient's DeadKernelError is one; nothing else of it is quoted
            raise ReportError(
                f"{place}: the kernel died or does not answer, as happens when memory is used up.",
                "use a smaller data set.",
            ) from None


@dataclass
class _Place:
    """How far a notebook has come: said as ``notebook NAME, cell 3, "The heading above it"``."""

    notebook: str
    cell: int = 0
    heading: str = ""

    def at(self, cell: Any, cell_index: int) -> None:  # the names are nbclient's
        if cell.cell_type == "code":
            self.cell += 1
            return
        headings = [line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")]
        self.heading = headings[-1] if headings else self.heading

    def __str__(self) -> str:
        return f'notebook {self.notebook}, cell {self.cell}, "{self.heading}"'


def _literal(text: str) -> object:
    import ast

    return ast.literal_eval(text)


def _private_kernel(folder: Path) -> type[Any]:
    """A kernel spoken to through socket files in ``folder``, where the system has them; its own words go nowhere."""
    from jupyter_client.manager import AsyncKernelManager

    class PrivateKernel(AsyncKernelManager):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.clients: list[Any] = []  # nbclient makes one a notebook and leaves it open
            if os.name != "nt":
                self.transport, self.ip = "ipc", str(folder / "kernel")

        def client(self, **given: Any) -> Any:
            self.clients.append(super().client(**given))
            return self.clients[-1]

        async def start_kernel(self, **given: Any) -> None:  # type: ignore[override]  # the library overrides it so too
            await super().start_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **given)

    return PrivateKernel


def _failure(place: _Place, error: Any) -> ReportError:
    if "\nMend: " in error.evalue:  # one of ours: it names tables and fields, never a cell
        said = error.evalue.replace("\nMend: ", " ")
    else:
        said = f"{error.ename}; its message is withheld, because it may quote the data"
    return ReportError(f"{place}: {said}", "mend that and run again; no page was written.")


def _cleaned(executed: Any, values: Mapping[str, object]) -> Any:
    """The executed copy without paths, times, streams, or any output that is not a result."""
    executed.metadata = {"kernelspec": executed.metadata.get("kernelspec", {}), "language_info": {"name": "python"}}
    for number, cell in enumerate(executed.cells, start=1):
        tags = list(cell.metadata.get("tags", []))
        cell.metadata = {"tags": tags} if tags else {}
        cell.id = f"cell-{number}"
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs if MIME in output.get("data", {})]
        if "injected-parameters" in tags:
            cell.source = "# Parameters\n" + "\n".join(f"{name} = {_named(value)!r}" for name, value in values.items())
    return executed


def _named(value: object) -> object:
    """A value that names a file or folder, without its directory."""
    is_path = isinstance(value, str) and (os.sep in value or "/" in value) and "\n" not in value
    return Path(str(value)).name if is_path else value
