"""Publishable tables: small numbers hidden, the hidden ones beyond working out again.

Two kinds of number. A *measure* of a table (k, uniques, a class-size bin) is exact and
stands beside no category value. A *cell* counts people by school, role, category or field
value; below the threshold it is replaced by :class:`Hidden` before any page sees it.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import polars as pl

HIDE_BELOW = 5  # people; the default threshold, a parameter everywhere


@dataclass(frozen=True)
class Hidden:
    """A count of people that is not published.

    ``why`` is ``"few"`` (the people in the cell are few), ``"rest"`` (those outside it are) or
    ``"other"`` (subtracting this number from a published total would give a hidden one away).
    """

    below: int  # the threshold in force, people
    why: Literal["few", "rest", "other"] = "few"

    def __str__(self) -> str:
        return {
            "few": f"fewer than {self.below}",
            "rest": f"all but fewer than {self.below}",
            "other": "hidden with another",
        }[self.why]

    def record(self) -> dict[str, object]:
        """The form of the contract, ``{"hidden": true, "below": 5}``."""
        return {"hidden": True, "below": self.below} | ({} if self.why == "few" else {"why": self.why})


Count = int | Hidden | None  # None: not known, or not looked for
Share = float | Hidden | None


def hide(count: Count, below: int, of: Count = None) -> Count:
    """The count, or :class:`Hidden` where it counts 1 to ``below`` - 1 people.

    Parameters
    ----------
    count : people in the cell
    below : threshold; 0 or 1 hides nothing
    of : people of whom the cell is a part, where that number is published too: a cell whose
        *rest* is small is hidden likewise, since subtraction would give the rest away

    Zero is published: it says that nobody is counted, of nobody.

    Examples
    --------
    >>> hide(3, 5), hide(0, 5), hide(208, 5, of=210)
    (Hidden(below=5, why='few'), 0, Hidden(below=5, why='rest'))
    """
    if not isinstance(count, int):
        return count
    if 0 < count < below:
        return Hidden(below)
    if isinstance(of, int) and 0 < of - count < below:
        return Hidden(below, "rest")
    return count


def hide_parts(parts: Mapping[str, Count], below: int) -> dict[str, Count]:
    """Hide small parts of a published total, and as many more as keep them from subtraction.

    Parts must not overlap and must sum to a total that the page also prints. Cells are hidden until the attacker of
    :mod:`~otrack_risk.display.suppression` can tell none to the unit, and no small one better than its mark does.

    Examples
    --------
    >>> hide_parts({"children": 210, "staff": 3, "guardians": 340}, 5)
    {'children': Hidden(below=5, why='other'), 'staff': Hidden(below=5, why='few'), 'guardians': 340}
    """
    from otrack_risk.display.suppression import Relation, protect

    total = sum(count for count in parts.values() if isinstance(count, int))
    counts = {f"part {name}": count for name, count in parts.items() if not isinstance(count, Hidden)}
    shown = protect({**counts, "total": total}, [Relation("total", tuple(counts))], below, keep={"total"})
    return {name: shown.get(f"part {name}", count) for name, count in parts.items()}


def hide_share(share: Share, count: Count) -> Share:
    """A share is hidden with the count it would give away."""
    return count if isinstance(count, Hidden) and share is not None else share


def written(value: object) -> str:
    """How a number stands on paper: thousands apart, shares of one as percent, unknown as a word.

    Examples
    --------
    >>> written(864603), written(0.25), written(None), written(Hidden(5)), written(True)
    ('864,603', '25 %', 'not known', 'fewer than 5', 'yes')
    """
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return percent(value)
    return str(value)


def percent(share: Share) -> str:
    """A share from 0 to 1 as percent, never rounded to 0 or 100 unless it is."""
    if share is None:
        return "not known"
    if isinstance(share, Hidden):
        return str(share)
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def plain(value: object) -> object:
    """A value as JSON has it: :class:`Hidden` and result parts spelt out, tuples as lists."""
    if isinstance(value, Hidden):
        return value.record()
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return value


def table(columns: Mapping[str, Iterable[object]]) -> pl.DataFrame:
    """A frame for reading: a column that holds anything hidden or unknown becomes words.

    Examples
    --------
    >>> table({"role": ["teacher"], "children": [Hidden(5)]})["children"].to_list()
    ['fewer than 5']
    """
    frame: dict[str, Sequence[object]] = {}
    for name, column in columns.items():
        values = list(column)
        mixed = any(isinstance(value, Hidden) for value in values)
        frame[name] = [value if value is None else written(value) for value in values] if mixed else values
    return pl.DataFrame(frame, strict=False)


def rows_of(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """The frame as plain JSON: ``{"columns": [...], "rows": [[...], ...]}``, dates in ISO form."""
    rows = [[value.isoformat() if isinstance(value, date) else value for value in row] for row in frame.iter_rows()]
    return {"columns": frame.columns, "rows": rows}


def cell(column: str, value: object) -> str:
    """One cell on paper: a fraction is a percent only in a column that is named for a share or a chance.

    Examples
    --------
    >>> cell("unique_share", 0.25), cell("mean_class_size", 3.4166)
    ('25 %', '3.417')
    """
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float) and not any(word in column for word in ("share", "risk", "chance", "probability")):
        return f"{value:,.4g}"
    return written(value)


def as_html(columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> str:
    """A semantic HTML table: caption, column and row headers, numbers to the right."""
    head = "".join(f'<th scope="col">{html.escape(visible(name).replace("_", " "))}</th>' for name in columns)
    body = []
    for row in rows:
        cells = []
        for position, (name, value) in enumerate(zip(columns, row, strict=True)):
            number = ' class="number"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
            opening, closing = ('<th scope="row"', "</th>") if position == 0 else ("<td", "</td>")
            cells.append(f"{opening}{number}>{html.escape(cell(name, value))}{closing}")
        body.append(f"<tr>{''.join(cells)}</tr>")
    width = "wide many" if len(columns) > 9 else "wide"
    return (
        f'<div class="{width}"><table><caption>{html.escape(visible(caption))}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The same numbers as CSV; text that a spreadsheet would take for a formula begins with an apostrophe instead.

    A formula is text whose first character, after blanks and signs that do not show, is ``=``, ``+``, ``-`` or ``@``
    in any width, or that begins with a tab or a line break; likewise after a semicolon, tab or line break, at which
    spreadsheets of other languages begin a new cell. A carriage return is written as a line break. Numbers stay
    numbers, and a lone sign stays as it is.

    Examples
    --------
    >>> print(as_csv(["role"], [["=1+1"], [" \uff1d1"], ["a;=1"], ["-"]]), end="")
    role
    '=1+1
    ' ＝1
    a;'=1
    -
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_no_formula(name) for name in columns])
    writer.writerows([_no_formula(value) for value in row] for row in rows)
    return out.getvalue()


def visible(text: str) -> str:
    """Text whose every character shows as itself: controls and marks that turn the writing direction become U+FFFD.

    A name of a role or file could otherwise reorder a line of a page, or speak to a terminal. Tabs and line breaks
    stay.

    Examples
    --------
    >>> visible("a" + chr(0) + "b" + chr(0x202E) + "c")
    'a�b�c'
    """
    return _UNSEEN.sub("\ufffd", text)


# C0 and C1 controls, single surrogates, and the signs that embed, override or isolate a direction of writing (UAX 9).
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_BLANK = r"[\s\x00-\x20\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufffd]*"
_SIGN = "[=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]"
_FORMULA = re.compile(rf"(^|[;\t\r\n])(?={_BLANK}{_SIGN})|^(?=[\t\n])")


def _no_formula(value: object) -> object:
    if not isinstance(value, str) or len(value) < 2:
        return value
    lines = value.replace("\r\n", "\n").replace("\r", "\n")  # a bare carriage return would end the row
    return _FORMULA.sub(r"\1'", visible(lines))
