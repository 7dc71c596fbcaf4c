"""Words, tables and an author's passages as the PDF's template draws them, and the fonts that can show them."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from otrack_risk.display import tables

CELL, WORDS = 240, 3000  # characters; longer text is cut, and said to be
ROWS = 400  # of one table; the rest stand in its CSV

Node = dict[str, Any]  # a piece of a chapter, as the template draws it
Legible = Callable[..., str]


def legible(known: frozenset[int], text: object, limit: int = WORDS, longest: int = 48) -> str:
    """Text that the font can show: the rest as U+XXXX, white space as one space, cut to ``limit`` characters.

    Parameters
    ----------
    known : code points that the font has
    longest : characters of a word that stay together; a longer one may break after a sign, or anywhere

    Examples
    --------
    >>> legible(frozenset(range(128)), "Year\\x00 7  \\u202eb")
    'Year[U+0000] 7 [U+202E]b'
    """
    whole = str(text)
    short = whole[:limit]
    shown = re.sub(r"[ \t\r\n\v\f]+", " ", unicodedata.normalize("NFC", short))
    out: list[str] = []
    marks = 0
    for character in shown:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me", "Mc") else 0
        plain = ord(character) in known and kind[0] != "C" and kind not in ("Zl", "Zp") and marks < 4
        plain = plain and not 0xFE00 <= ord(character) <= 0xFE0F and not (marks and len(out) == 0)
        out.append(character if plain else f"[U+{ord(character):04X}]")
    cut = f" … (cut; {len(whole):,} characters)" if len(whole) > limit else ""
    return re.sub(rf"[^ ]{{{longest + 1},}}", lambda word: _breakable(word[0], longest), "".join(out)) + cut


def heading(level: int, text: str, listed: bool = True) -> Node:
    """A heading and bookmark; ``listed``: in the contents too."""
    return {"kind": "heading", "level": level, "text": text.strip() or "(no title)", "listed": listed}


def words(text: str) -> Node:
    """A paragraph."""
    return {"kind": "words", "runs": run(text), "with_next": False}


def terms(entries: list[list[str]], small: bool = False) -> Node:
    """A list of [term, text]."""
    return {"kind": "terms", "entries": entries, "small": small}


def run(text: str, bold: bool = False) -> list[dict[str, Any]]:
    """Text of one weight, as a passage of it."""
    return [{"text": text, "bold": bold}]


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str, path: str, say: Legible
) -> list[Node]:
    """The table, in as many parts as its columns need; :func:`otrack_risk.report.pdf.pdf` says how it is made to fit.

    ``path`` is the file that holds all of its rows, "" where there is none.
    """
    nodes: list[Node] = []
    if not columns:
        return nodes
    if len(rows) > ROWS:
        caption = f"{caption}. The first {ROWS:,} of {len(rows):,} rows" + (f"; all are in {path}" if path else "")
    names = [str(name).replace("_", " ") or "(no name)" for name in columns]
    cells = [
        ["" if at >= len(row) else tables.cell(str(columns[at]), row[at]) for at in range(len(names))]
        for row in rows[:ROWS]
    ]
    least, most = zip(*(_span([name, *(row[at] for row in cells)]) for at, name in enumerate(names)), strict=True)
    needed, wished = sum(least) + _GAP * len(names), sum(most) - sum(least)
    fitting = [form for form in _FORMS if needed <= form[2]]
    roomy = [form for form in fitting[:2] if form[2] - needed >= 0.2 * wished]  # or words stand one below another
    size, wide, room = (roomy or fitting[1:2] or fitting or [_FORMS[-1]])[0]
    parts = _dealt(least, room)
    for number, part in enumerate(parts, 1):
        spare = room - _GAP * len(part) - sum(least[at] for at in part)
        wish = sum(most[at] - least[at] for at in part)
        filled = wish > spare
        widths = [
            least[at] + ((most[at] - least[at]) * spare / wish if filled else most[at] - least[at]) for at in part
        ]
        of_parts = f" (part {number} of {len(parts)}, by columns)" if len(parts) > 1 else ""
        nodes.append(
            {
                "kind": "table",
                "caption": say(caption + of_parts, 400),
                "columns": [say(names[at], CELL, int(width)) for at, width in zip(part, widths, strict=True)],
                "rows": [
                    [say(row[at], CELL, int(width)) for at, width in zip(part, widths, strict=True)] for row in cells
                ],
                "right": [_numeric([row[at] for row in cells]) for at in part],
                "widths": widths,
                "filled": filled,
                "size": size,
                "wide": wide,
            }
        )
    return nodes


def author(html: str, say: Legible) -> list[Node]:
    """The author's words: headings, paragraphs, lists and tables; any other element gives its text."""
    reader = _Author(say)
    reader.feed(html)
    reader.close()
    reader.end()
    return reader.nodes


@functools.cache
def fonts() -> Any:
    """The fonts that matplotlib brings, and no other: those of its figures."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_font_folder()])


@functools.cache
def covered() -> frozenset[int]:
    """The code points that both weights of the text's font can show."""
    from fontTools.ttLib import TTFont

    weights = (TTFont(_font_folder() / f"{name}.ttf", lazy=True) for name in ("DejaVuSans", "DejaVuSans-Bold"))
    normal, bold = (frozenset(font.getBestCmap()) for font in weights)
    return normal & bold


def ascii_only() -> frozenset[int]:
    """The printable characters of ASCII: what is left when a text cannot be set."""
    return frozenset(range(0x20, 0x7F))


class _Author(HTMLParser):
    def __init__(self, say: Legible) -> None:
        super().__init__(convert_charrefs=True)
        self.nodes: list[Node] = []
        self._say = say
        self._runs: list[dict[str, Any]] = []
        self._bold = 0
        self._level = 0  # of the heading that is open; 0: none
        self._entries: list[list[dict[str, Any]]] | None = None  # of the list that is open
        self._ordered = False
        self._rows: list[list[str]] | None = None  # of the table that is open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("strong", "b", "em", "i"):
            self._bold += 1
        elif tag in ("p", "li", "ul", "ol", "tr", "th", "td", "table", "pre", "blockquote", "div") or _LEVEL.get(tag):
            self.end()
            self._level = _LEVEL.get(tag, 0)
            if tag in ("ul", "ol"):
                self._entries, self._ordered = self._entries or [], tag == "ol"
            elif tag == "table":
                self._rows = []
            elif tag == "tr" and self._rows is not None:
                self._rows.append([])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("strong", "b", "em", "i"):
            self._bold = max(0, self._bold - 1)
        elif tag in ("td", "th") and self._rows:
            self._rows[-1].append(self._text())
            self._runs = []
        else:
            if tag in ("p", "li", "ul", "ol", "pre", "blockquote", "div", "table") or _LEVEL.get(tag):
                self.end()
            if tag in ("ul", "ol") and self._entries is not None:
                entries, self._entries = self._entries, None
                if entries:
                    self.nodes.append({"kind": "list", "ordered": self._ordered, "entries": entries})
            if tag == "table" and self._rows is not None:
                rows, self._rows = [row for row in self._rows if row], None
                if rows and rows[1:]:
                    self.nodes += table(rows[0], rows[1:], "In the author's words", "", self._say)

    def handle_data(self, data: str) -> None:
        self._runs.append({"text": self._say(data), "bold": self._bold > 0})

    def end(self) -> None:
        """Close the passage that is open."""
        runs, self._runs = self._runs, []
        level, self._level = self._level, 0
        if not "".join(run["text"] for run in runs).strip():
            return
        if level:
            self.nodes.append(heading(level, "".join(run["text"] for run in runs)))
        elif self._entries is not None:
            self._entries.append(runs)
        else:
            self.nodes.append({"kind": "words", "runs": runs, "with_next": False})

    def _text(self) -> str:
        return "".join(run["text"] for run in self._runs).strip()


_LEVEL = {"h1": 2, "h2": 2, "h3": 3, "h4": 4, "h5": 4, "h6": 4}


# (points, landscape, characters in a line): A4 with margins of 18 mm; a character is 0.62 of the size, on average.
_FORMS = ((8.0, False, 99), (7.0, False, 113), (7.0, True, 170))
_GAP = 2  # characters that the padding of a column takes


def _span(texts: Sequence[str]) -> tuple[int, int]:
    """Characters that a column needs at least (its longest word, to 16) and would take."""
    short = [text[:CELL] for text in texts]
    word = max((len(part) for text in short for part in re.findall(r"[^\s_/]+[_/]?", text)), default=1)
    longest = max(map(len, short)) + 1
    return max(4, min(word, 16)), max(4, longest if longest <= 40 else 40 + (longest - 40) // 3)


def _dealt(least: Sequence[int], room: int) -> list[list[int]]:
    """The columns in parts that fit, the first column in each."""
    parts: list[list[int]] = [[0]]
    for at in range(1, len(least)):
        if sum(least[other] + _GAP for other in parts[-1]) + least[at] + _GAP > room:
            parts.append([0])
        parts[-1].append(at)
    return parts


def _numeric(texts: Sequence[str]) -> bool:
    numbers = sum(bool(re.fullmatch(r"[-\d,.]+( %)?", text)) for text in texts)
    return 3 * numbers > len(texts) and all(len(text) <= 20 for text in texts)


def _breakable(word: str, longest: int) -> str:
    """The word with zero-width spaces, where a line may end."""
    parts = re.findall(rf"[^_/.,:;@-]{{1,{longest}}}[_/.,:;@-]?|[_/.,:;@-]", word)
    return "\u200b".join(parts)


def _font_folder() -> Path:
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
