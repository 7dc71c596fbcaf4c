"""Reports for the tests of pages: a page with results of the tests' own, no kernel and no data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import nbformat.v4 as v4
import polars as pl

from otrack_risk.display import figures
from otrack_risk.display.results import MIME, Shown
from otrack_risk.report import page


@dataclass(frozen=True)
class Crowd(Shown):
    key: ClassVar[str] = "k_anonymity"
    label: str = "year 7"
    columns: int = 2

    def sentence(self) -> str:
        return f"12 children in {self.label}."

    def table(self) -> pl.DataFrame:
        first = {"class": [self.label], f"children in {self.label}": [12]}
        return pl.DataFrame(first | {f"more {number}": [self.label] for number in range(self.columns - 2)})

    def figure(self) -> Any:
        return figures.bars([self.label], [12], self.label, "children")

    def headline(self) -> tuple[tuple[str, str], ...]:
        return (("12", f"children in {self.label}"),)

    def record(self) -> dict[str, Any]:
        return {"children": 12}


SOURCE = "from otrack_risk import risk\nfound = risk.k_anonymity(rows, facts)\nfound.published(5)"
PARAMETERS = "# Parameters\ndataset = 'export'\nhide_below = 5\nfacts = ['sex', 'year']"


def notebook(*shown: Shown, parameters: str = PARAMETERS, words: str = "Words.") -> Any:
    given = v4.new_code_cell(parameters, metadata={"tags": ["injected-parameters"]})
    cells = [v4.new_markdown_cell(f"# The page\n{words}"), given, v4.new_markdown_cell("## How many?")]
    for result in shown:
        cell = v4.new_code_cell(SOURCE)
        cell.outputs = [v4.new_output("display_data", {MIME: result._repr_mimebundle_()[MIME]})]
        cells.append(cell)
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return v4.new_notebook(cells=cells)


def about(**given: Any) -> page.About:
    inputs = ({"name": "pupils", "rows": 12, "columns": 2, "skipped": 0, "sha256": "ab" * 32},)
    kept = {"title": "A report", "line": "as of a day", "synthetic": True, "footer": ("Proposals.",)}
    return page.About(**(kept | {"inputs": inputs, "run_id": "cd" * 32} | given))
