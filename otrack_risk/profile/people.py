"""Whether the values of a column are names of people, where its header does not say so."""

from __future__ import annotations

from functools import cache

import polars as pl

from otrack_risk import reference
from otrack_risk.profile.fields import Field, known_fields

FORENAMES = 0.4  # share of values that are known first names, from which a column holds such (own default)
SURNAMES = 0.25  # the same of surnames, of which far fewer are listed
_FORM = r"^\p{Lu}[\p{L}'\u2019.-]*(?:,? \p{L}[\p{L}'\u2019.-]*){0,4}$"  # words in capitals, no digit
_DIFFERENT = 25  # names, at least: fewer are houses, towns, sets


def by_names(sample: pl.Series, distinct: int, filled: int) -> tuple[Field, str] | None:
    """The field of names that sampled values are, and the reason; None where they are none.

    Parameters
    ----------
    sample : text, no missing value
    distinct, filled : different values, and rows with one, in the whole column

    Notes
    -----
    Known first names are those of reference/first_names.csv and names_assumed.toml; known surnames those of
    names_assumed.toml and Faker's list for the United Kingdom. A list holds only part of the names that
    occur, and most of them of one origin, so the shares asked for are low; a column of names that are mostly in no
    list stays unknown.

    Examples
    --------
    >>> names = pl.Series(["Amelia", "Oliver", "Zanele", "Isla", "Muhammad"] * 10)
    >>> by_names(names, 30, 50)[0].name
    'forename'
    """
    if distinct < _DIFFERENT or distinct < 0.02 * filled:
        return None
    values = sample.str.strip_chars()
    if float(values.str.contains(_FORM).mean() or 0.0) < 0.9:  # type: ignore[arg-type]
        return None
    parts = [value.casefold().replace(",", " ").split() for value in values.to_list()]
    firsts, lasts = _forenames(), _surnames()
    several = [words for words in parts if len(words) > 1]
    first = sum(words[0] in firsts for words in parts) / len(parts)
    last = sum(words[-1] in lasts for words in parts) / len(parts)
    if len(several) >= 0.8 * len(parts):
        known = sum(any(word in firsts for word in words) for words in several) / len(parts)
        return _found("full_name", known, FORENAMES)
    return _found("forename", first, max(FORENAMES, last)) or _found("surname", last, SURNAMES)


def _found(name: str, share: float, least: float) -> tuple[Field, str] | None:
    if share < least:
        return None
    field = next(field for field in known_fields() if field.name == name)
    listed = "surnames" if name == "surname" else "first names"
    return field, f"its values are written like names, and a good part of them are in the lists of {listed}"


@cache
def _forenames() -> frozenset[str]:
    rows = reference.load("first_names").entries["row"]
    lists = reference.load("names_assumed").entries["community"]
    typed = (name for entry in lists for sex in ("girls", "boys") for name in entry[sex])
    adults = (row["word"] for row in reference.load("name_words").entries["row"] if row["use"] == "first")
    return frozenset(name.casefold() for name in (*(row["name"] for row in rows), *typed, *adults))


@cache
def _surnames() -> frozenset[str]:
    from faker.providers.person.en_GB import Provider

    typed = (name for entry in reference.load("names_assumed").entries["community"] for name in entry["surnames"])
    return frozenset(name.casefold() for name in (*Provider.last_names, *typed))
