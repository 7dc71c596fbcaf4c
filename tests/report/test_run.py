from __future__ import annotations

import ast
import json
import os
import tempfile
from pathlib import Path

import nbformat
import papermill
import pytest

from otrack_risk.display.results import MIME
from otrack_risk.errors import ParameterError, ReportError
from otrack_risk.report import run

HEADER = """# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A title

# %% tags=["parameters"]
dataset: str = "."  # where the rows are
limit: int = 3  # how many
names: list[str] = ["a"]  # which

"""
CANARY = "QX7-canary-pupil"


@pytest.fixture
def notebook(tmp_path):
    def write(cells: str) -> run.Notebook:
        path = tmp_path / "small.py"
        path.write_text(HEADER + cells, encoding="utf-8")
        return run.described(path)

    return write


@pytest.fixture(scope="module")
def kernel():
    with run.Kernel() as kernel:
        yield kernel


@pytest.mark.parametrize("path", run.notebooks(), ids=lambda path: path.stem)
def test_a_notebook_asks_questions_and_holds_no_logic(path):
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.If)]
    assert all(parameter.meaning for parameter in run.described(path).parameters)
    assert source.count("# %%") <= 30
    assert "kernelspec" in source


def test_parameters_are_read_with_type_default_and_meaning(notebook):
    small = notebook("")
    assert small.title == "A title"
    assert small.parameters == (
        run.Parameter("dataset", "str", ".", "where the rows are"),
        run.Parameter("limit", "int", 3, "how many"),
        run.Parameter("names", "list[str]", ["a"], "which"),
    )


def test_values_are_turned_into_their_type_and_defaults_filled_in(notebook):
    assert run.checked(notebook(""), {"limit": "7", "names": "b, c"}) == {
        "dataset": ".",
        "limit": 7,
        "names": ["b", "c"],
    }


@pytest.mark.parametrize(
    ("given", "named"), [({"limt": 3}, "limt"), ({"limit": "many"}, "limit"), ({"names": 4}, "names")]
)
def test_a_wrong_parameter_is_refused_before_any_kernel_starts(notebook, monkeypatch, given, named):
    started = []
    monkeypatch.setattr(papermill, "execute_notebook", lambda *a, **k: started.append(a))
    with pytest.raises(ParameterError, match=named):
        run.run(notebook(""), given)
    assert started == []


def test_a_parameter_of_a_type_that_cannot_be_checked_is_refused(tmp_path):
    path = tmp_path / "odd.py"
    path.write_text(HEADER.replace("limit: int = 3", "limit: dict = {}"), encoding="utf-8")
    with pytest.raises(ReportError, match="dict"):
        run.described(path)


def test_the_executed_copy_keeps_results_and_nothing_else(notebook, kernel, tmp_path):
    cells = f"""
# %%
from pathlib import Path
import polars as pl
from otrack_risk.display.results import NotLookedFor
print("{CANARY}", Path.cwd())
pl.DataFrame({{"name": ["{CANARY}"]}})

# %%
NotLookedFor("images", "There are none here.", "Give an image index.", instead_of="images")
"""
    data = tmp_path / "private_folder" / "pupils.csv"
    executed = run.run(notebook(cells.replace(f'"{CANARY}"', f'"{CANARY}"[:]')), {"dataset": str(data)}, kernel=kernel)
    assert not list(Path.cwd().glob("kernel*"))  # the socket files of the kernel lie elsewhere
    outputs = [output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output["data"][MIME]["key"] for output in outputs] == ["not_looked_for"]
    written = nbformat.writes(executed)
    assert str(tmp_path) not in written
    assert str(Path.cwd()) not in written
    assert "private_folder" not in written
    assert "pupils.csv" in written
    assert json.loads(written)["metadata"].keys() == {"kernelspec", "language_info"}


def test_a_failed_cell_stops_the_report_and_quotes_no_data(notebook, kernel):
    with pytest.raises(ReportError) as failed:
        run.run(notebook(f'\n# %%\n{{}}["{CANARY}"]\n'), {}, kernel=kernel)
    assert CANARY not in str(failed.value)
    assert "KeyError" in str(failed.value)


def test_our_own_errors_are_shown_whole(notebook, kernel):
    with pytest.raises(ReportError, match="no table has a quasi-identifier"):
        run.run(
            notebook("\n# %%\nfrom otrack_risk import schema\nschema.Catalogue().about('child')\n"), {}, kernel=kernel
        )


ASK = """
# %%
import os, sys
from pathlib import Path
from otrack_risk.display.results import NotLookedFor
held = [name for name in ("left", "Path_left", "_oh") if name in globals()]
NotLookedFor("left over", repr((held, os.environ.get("LEFT"), os.getcwd() == START, sys.path[0] == "left", dict(Out))),
             "", instead_of="x")
"""


def said(executed) -> str:
    shown = [output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs]
    return shown[0]["data"][MIME]["record"]["reason"]


def test_nothing_of_one_notebook_is_left_for_the_next(notebook, kernel, tmp_path):
    leave = """
# %%
import os, sys, pathlib
left = 1
Path_left = pathlib.Path(".")
os.environ["LEFT"] = "1"
os.chdir("/")
sys.path.insert(0, "left")
left
"""
    ask = ASK.replace("START", repr(str(Path.cwd())))
    run.run(notebook(leave), {}, kernel=kernel)
    # Only IPython's own _oh is there, and Out is empty.
    assert said(run.run(notebook(ask), {}, kernel=kernel)) == "(['_oh'], None, True, False, {})"


def test_a_shared_kernel_gives_the_bytes_that_a_kernel_of_its_own_gives(notebook, kernel):
    asked = notebook(ASK.replace("START", "'.'"))
    alone = nbformat.writes(run.run(asked, {"limit": 4}))
    assert [nbformat.writes(run.run(asked, {"limit": 4}, kernel=kernel)) for _ in range(2)] == [alone, alone]


def test_a_failure_names_the_notebook_the_cell_and_its_heading_and_the_kernel_goes_on(notebook, kernel):
    failing = notebook("\n# %% [markdown]\n# ## How many?\n\n# %%\n1 / 0\n")
    # The parameters, the injected ones, and then this cell.
    with pytest.raises(ReportError, match=r'notebook small, cell 3, "How many\?": ZeroDivisionError'):
        run.run(failing, {}, kernel=kernel)
    assert said(run.run(notebook(ASK.replace("START", "'.'")), {}, kernel=kernel))


def test_a_kernel_that_dies_is_told_in_two_lines(notebook):
    with pytest.raises(ReportError, match=r"notebook small, cell 3, .*the kernel died"):
        run.run(notebook("\n# %%\nimport os\nos._exit(9)\n"), {})


def test_a_cell_that_takes_too_long_is_stopped_and_named(notebook, monkeypatch):
    monkeypatch.setattr(run, "CELL_TIMEOUT", 1)
    with pytest.raises(ReportError, match=r"notebook small, cell 3, .*longer than 1 s"):
        run.run(notebook("\n# %%\nimport time\ntime.sleep(30)\n"), {})


def test_no_process_and_no_socket_file_outlives_the_kernel(notebook, monkeypatch, tmp_path_factory):
    tmp_path, small = tmp_path_factory.mktemp("k"), notebook("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held: list[int] = []

    def stopped_by_the_user():
        with run.Kernel() as kernel:
            run.run(small, {}, kernel=kernel)
            held.append(kernel.manager.provisioner.pid)
            assert kernel.manager.transport == "ipc"
            assert list(tmp_path.rglob("kernel-*"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_by_the_user()
    with pytest.raises(ProcessLookupError):
        os.kill(held[0], 0)
    assert list(tmp_path.iterdir()) == []
