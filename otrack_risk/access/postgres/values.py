"""Values in a condition of PostgreSQL: constants of its types, columns read as them, and how they compare."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FAMILIES = {
    **dict.fromkeys(("text", "character varying", "varchar", "name", "character", "bpchar", "uuid"), "text"),
    **dict.fromkeys(("smallint", "integer", "bigint"), "whole"),
    **dict.fromkeys(("numeric", "double precision", "real"), "number"),
    "boolean": "truth",
    "date": "day",
}
_TRUTHS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}
SHAPE = "its shape is not known"


class Unread(Exception):
    """A condition that is not computed here; the message says why, in words that hold no value."""


@dataclass(frozen=True)
class Value:
    """An expression and what kind of values it has; ``family`` is None of a bare NULL."""

    expression: pl.Expr
    family: str | None
    constant: Any = None


@dataclass(frozen=True)
class Many:
    values: tuple[Value, ...]


def number(text: str) -> Value:
    value = float(text) if "." in text else int(text)
    return Value(pl.lit(value), "number" if "." in text else "whole", value)


def truth(found: Value | Many) -> pl.Expr:
    value = single(found)
    if value.family not in ("truth", None):
        raise Unread(SHAPE)
    return value.expression.cast(pl.Boolean)


def single(found: Value | Many) -> Value:
    if isinstance(found, Many):
        raise Unread("it asks for a list that is not written out")
    return found


def compared(sign: str, left: Value, right: Value) -> pl.Expr:
    kinds = {"number" if each == "whole" else each for each in (left.family, right.family)} - {None}
    if len(kinds) > 1 or "literal" in kinds or (kinds & {"text", "truth"} and sign not in ("=", "<>")):
        raise Unread("it compares what is not compared here")
    if None in (left.family, right.family):
        return pl.lit(None, pl.Boolean)
    return COMPARED[sign](left.expression, right.expression)  # type: ignore[no-any-return]


def cast(found: Value | Many, kind: str, several: bool) -> Value | Many:
    if isinstance(found, Many):
        if not several:
            raise Unread(SHAPE)
        return Many(tuple(single(cast(each, kind, several=False)) for each in found.values))
    family = FAMILIES.get(kind)
    if several or family is None:
        raise Unread("it turns a value into a kind that is not compared here")
    if found.family is None:
        return Value(pl.lit(None), None)
    if found.family == "literal":
        return _constant(str(found.constant), family, kind)
    if found.family == family or (found.family, family) == ("whole", "number"):
        return Value(found.expression, family, found.constant)
    raise Unread("it turns a value into another kind")


def _constant(text: str, family: str, kind: str) -> Value:
    value: Any = text.rstrip(" ") if kind == "bpchar" else text
    try:
        if family == "whole":
            value = int(text)
        elif family == "number":
            value = float(text)
        elif family == "day":
            value = date.fromisoformat(text)
        elif family == "truth":
            value = _TRUTHS[text.lower()]
    except (KeyError, ValueError):
        raise Unread("it compares what is not compared here") from None
    return Value(pl.lit(value), family, value)


def as_family(given: pl.Series, family: str) -> pl.Series:
    if family == "text":
        return given.cast(pl.String)
    if given.dtype != pl.String:
        kinds = {"whole": pl.Int64, "number": pl.Float64, "truth": pl.Boolean, "day": pl.Date}
        return given.cast(kinds[family], strict=False)
    if family == "day":
        return given.str.to_date("%Y-%m-%d", strict=False)
    if family == "truth":
        return given.str.to_lowercase().replace_strict(_TRUTHS, default=None, return_dtype=pl.Boolean)
    return given.cast(pl.Int64 if family == "whole" else pl.Float64, strict=False)
