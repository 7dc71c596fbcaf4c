"""Whether the values of a column are words of health, need, faith or care, where its header does not say so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache

import polars as pl

from otrack_risk import reference
from otrack_risk.profile.fields import Field, known_fields
from otrack_risk.profile.measured import PASSING, Measured, of_sample

# The categories of reference/lexicon.toml -> the field that a column full of their terms is.
_FIELDS = {
    "medical": "medical_condition",
    "sen": "sen_need",
    "religion": "religion",
    "ethnicity": "ethnicity",
    "safeguarding": "child_protection",
}
_DIFFERENT = 3  # values, at least
_SHORT = 4  # letters: shorter terms are words of other things too
_LONGEST = 4  # words of a term


def by_terms(measured: Measured) -> tuple[Field, str] | None:
    """The field whose terms stand in nearly all sampled values, and the reason; None where none does.

    Notes
    -----
    The terms are those that notes are searched for (reference/lexicon.toml), of four letters and more, as whole
    words; those that ask for a neighbour there count for nothing here.
    """
    if measured.distinct < _DIFFERENT or not isinstance(measured.sample.dtype, pl.String):
        return None
    counted = Counter(measured.sample.to_list())
    held = {value: _runs(value) for value in counted}
    shares = {
        category: sum(rows for value, rows in counted.items() if not terms.isdisjoint(held[value])) / counted.total()
        for category, terms in _terms().items()
    }
    category = max(shares, key=lambda name: shares[name])
    if shares[category] < PASSING:
        return None
    field = next(field for field in known_fields() if field.name == _FIELDS[category])
    return field, f"{of_sample(shares[category], measured)} hold a term of {field.label}"


def _runs(value: str) -> set[tuple[str, ...]]:
    """Every run of up to four words of a value, in small letters."""
    found = _words(value)
    return {tuple(found[start:end]) for start in range(len(found)) for end in range(start + 1, start + 1 + _LONGEST)}


def _words(value: str) -> list[str]:
    """The words of a value, in small letters."""
    return re.findall(r"[^\W_]+", value.lower())


@cache
def _terms() -> Mapping[str, frozenset[tuple[str, ...]]]:
    terms: dict[str, set[tuple[str, ...]]] = {category: set() for category in _FIELDS}
    for entry in reference.load("lexicon").entries["entry"]:
        if entry.get("category") in terms and entry.get("alone", True) and not entry.get("near"):
            terms[entry["category"]] |= {tuple(_words(term)) for term in entry["terms"] if len(term) >= _SHORT}
    return {name: frozenset(held) for name, held in terms.items()}
