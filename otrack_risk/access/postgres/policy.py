"""A condition of PostgreSQL, as ``pg_get_expr`` prints it, read and evaluated on rows: a few shapes, and no guess.

Read are: true, false; a column or a constant compared by = <> < <= > >=; = ANY and <> ALL of an ARRAY; IS [NOT] NULL,
TRUE, FALSE; the current user's name; pg_has_role with constants; AND, OR and NOT of these. Anything else is refused.
Truth is three-valued as in SQL, and texts are compared only for equality, since their order is the collation's.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import polars as pl

from otrack_risk.access.postgres.values import (
    COMPARED,
    FAMILIES,
    SHAPE,
    Many,
    Unread,
    Value,
    as_family,
    cast,
    compared,
    number,
    single,
    truth,
)

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>E?'(?:[^']|'')*')
    | "(?P<quoted>(?:[^"]|"")+)"
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<sign>::|<>|<=|>=|!=|[-=<>()\[\],.])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Asker:
    """Who asks, so far as a condition may look at it."""

    name: str
    has_role: Callable[[str, str], bool | None]  # (role, "MEMBER", "USAGE" or "SET"); None: no such role


def columns(condition: str) -> frozenset[str]:
    """Every word of the condition that may be the name of a column.

    Examples
    --------
    >>> sorted(columns("((year_group = 7) AND (\\"Owner\\" = CURRENT_USER))"))
    ['AND', 'CURRENT_USER', 'Owner', 'year_group']
    """
    return frozenset(text for kind, text in _tokens(condition) if kind in ("word", "quoted"))


def holds(condition: str, types: Mapping[str, str], rows: pl.DataFrame, asker: Asker) -> pl.Series:
    """For each row whether the condition is true (not false, and not null).

    Parameters
    ----------
    condition : as ``pg_get_expr`` prints it
    types : columns of the table and their types, as ``format_type`` writes them
    rows : the table's rows; a column that is kept as text is read as its type

    Raises
    ------
    Unread
        A shape that is not known, or a column that ``rows`` lacks or that does not hold such values.

    Examples
    --------
    >>> rows = pl.DataFrame({"school_id": ["S1", "S2", None]})
    >>> holds("(school_id = 'S1'::text)", {"school_id": "text"}, rows, Asker("t", lambda *_: None)).to_list()
    [True, False, False]
    """
    found = _Reader(list(_tokens(condition)), types, rows, asker).whole()
    return rows.with_columns(found.fill_null(value=False).alias("\0holds"))["\0holds"]


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place, text = 0, text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise Unread(SHAPE)
        place = found.end()
        kind = str(found.lastgroup)
        value = found[kind]
        if kind == "quoted":
            value = value.replace('""', '"')
        elif kind == "text":
            escaped, value = value[0] == "E", value.removeprefix("E")[1:-1].replace("''", "'")
            value = value.replace("\\\\", "\\") if escaped else value
        yield kind, value


class _Reader:
    """Reads tokens by descent: OR, AND, NOT, a comparison, an operand."""

    def __init__(
        self, tokens: Sequence[tuple[str, str]], types: Mapping[str, str], rows: pl.DataFrame, asker: Asker
    ) -> None:
        self.tokens, self.types, self.rows, self.asker = tokens, types, rows, asker
        self.place = 0

    def whole(self) -> pl.Expr:
        found = truth(self._or())
        if self.place != len(self.tokens):
            raise Unread(SHAPE)
        return found

    def _or(self) -> Value | Many:
        return self._joined("OR", self._and, operator.or_)

    def _and(self) -> Value | Many:
        return self._joined("AND", self._not, operator.and_)

    def _joined(
        self, word: str, part: Callable[[], Value | Many], both: Callable[[pl.Expr, pl.Expr], pl.Expr]
    ) -> Value | Many:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Value(reduce(both, map(truth, parts)), "truth")

    def _not(self) -> Value | Many:
        if self._take("NOT"):
            return Value(~truth(self._not()), "truth")
        left = self._operand()
        if self._take("IS"):
            return self._is(left)
        if (sign := self._peek()) and sign[0] == "sign" and sign[1] in COMPARED:
            self.place += 1
            every = self._take("ALL")
            if every or self._take("ANY"):
                many = self._operand()
                one = single(left)
                if not isinstance(many, Many) or not many.values:
                    raise Unread("it asks for a list that is not written out")
                parts = [compared(sign[1], one, each) for each in many.values]
                return Value(reduce(operator.and_ if every else operator.or_, parts), "truth")
            return Value(compared(sign[1], single(left), single(self._operand())), "truth")
        return left

    def _is(self, left: Value | Many) -> Value:
        opposite = self._take("NOT")
        if self._take("NULL"):
            found = single(left).expression.is_null()
        elif self._take("TRUE"):
            found = truth(left).fill_null(value=False)
        elif self._take("FALSE"):
            found = ~truth(left).fill_null(value=True)
        else:
            raise Unread(SHAPE)
        return Value(~found if opposite else found, "truth")

    def _operand(self) -> Value | Many:
        found = self._bare()
        while self._take("::"):
            found = cast(found, *self._type())
        return found

    def _bare(self) -> Value | Many:
        kind, text = self._next()
        if (kind, text) == ("sign", "("):
            found = self._or()
            self._expect(")")
            return found
        if (kind, text) == ("sign", "-") and (ahead := self._peek()) and ahead[0] == "number":
            return number("-" + self._next()[1])
        if kind == "text":
            return Value(pl.lit(text), "literal", text)
        if kind == "number":
            return number(text)
        if kind == "word" and text.isupper():
            return self._keyword(text)
        if kind == "word" and text in ("true", "false"):
            return Value(pl.lit(text == "true"), "truth")
        if kind == "word" and text == "pg_has_role" and self._take("("):
            return self._has_role()
        if kind in ("word", "quoted"):
            if self._take("."):  # table.column
                kind, text = self._next()
            if self._take("("):
                raise Unread("it calls a function")
            return self._column(text)
        raise Unread(SHAPE)

    def _keyword(self, word: str) -> Value | Many:
        if word in ("CURRENT_USER", "CURRENT_ROLE", "USER"):
            return Value(pl.lit(self.asker.name), "text", self.asker.name)
        if word == "NULL":
            return Value(pl.lit(None), None)
        if word == "ARRAY" and self._take("["):
            values = [single(self._or())]
            while self._take(","):
                values.append(single(self._or()))
            self._expect("]")
            return Many(tuple(values))
        if word == "SESSION_USER":
            raise Unread("it asks for the session's user")
        raise Unread("it holds a query of its own" if word in ("EXISTS", "SELECT") else SHAPE)

    def _has_role(self) -> Value:
        given = [single(self._or())]
        while self._take(","):
            given.append(single(self._or()))
        self._expect(")")
        words = [each.constant for each in given]
        if len(words) == 2:
            words = [self.asker.name, *words]
        if len(words) != 3 or words[0] != self.asker.name or not all(isinstance(word, str) for word in words):
            raise Unread("it calls a function")
        found = self.asker.has_role(words[1], words[2].upper())
        if found is None:
            raise Unread("it asks for a role or a membership that is not known")
        return Value(pl.lit(found), "truth")

    def _column(self, name: str) -> Value:
        kind = self.types.get(name)
        family = FAMILIES.get(str(kind))
        if family is None:
            raise Unread("it asks for a column of a kind that is not compared here" if kind else "it calls a function")
        if name not in self.rows.columns:
            raise Unread("it asks for a column that is not in the rows")
        given = self.rows[name]
        read = as_family(given, family)
        if kind in ("character", "bpchar"):
            read = read.str.strip_chars_end(" ")
        if read.null_count() != given.null_count():
            raise Unread("it asks for a column whose values could not be read")
        return Value(pl.lit(read), family)

    def _type(self) -> tuple[str, bool]:
        kind, name = self._next()
        if kind not in ("word", "quoted"):
            raise Unread(SHAPE)
        while (ahead := self._peek()) and ahead[0] == "word" and f"{name} {ahead[1]}" in FAMILIES:
            name = f"{name} {self._next()[1]}"
        if self._take("("):
            self._next()
            self._expect(")")
            name = f"{name}()"  # a length cuts the value
        if several := self._take("["):
            self._expect("]")
        return name, several

    def _peek(self) -> tuple[str, str] | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _next(self) -> tuple[str, str]:
        if (found := self._peek()) is None:
            raise Unread(SHAPE)
        self.place += 1
        return found

    def _take(self, text: str) -> bool:
        ahead = self._peek()
        taken = ahead is not None and ahead[1] == text and ahead[0] in ("word", "sign")
        self.place += taken
        return taken

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise Unread(SHAPE)
