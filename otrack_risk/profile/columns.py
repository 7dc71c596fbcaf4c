"""What one column is, from its header and its values, with the reason in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

import polars as pl

from otrack_risk import identifiers
from otrack_risk.profile.dates import by_dates, is_written_date
from otrack_risk.profile.fields import Field, Meaning, code_labels, code_sets, known_fields, meaning, plain, words
from otrack_risk.profile.measured import MANY, PASSING, SINGLING, Measured, mean, of_sample
from otrack_risk.profile.people import by_names
from otrack_risk.profile.vocabulary import by_terms
from otrack_risk.schema import Column, PersonKind

_CHECKED = ("upn", "uln", "nhs_number", "email", "postcode", "nino", "phone")
_ANYWHERE = frozenset(("none", "other", "notstated", "refused", "unknown"))  # said of anything
_LOOKS = (  # a field, the form of its values, and how many different ones it has at least
    (
        "file_name",
        r"(?i)^[^\n]{1,200}\.(?:jpe?g|png|gif|heic|webp|bmp|tiff?|pdf|docx?|xlsx?|pptx?|csv|mp4|mov|zip)$",
        1,
    ),
    ("address_line", r"^(?:Flat [0-9A-Z]+,? )?[0-9]{1,4}[a-zA-Z]?,? \p{Lu}[\p{L}'-]*(?: [\p{L}',.-]+){1,8}$", MANY),
    ("year_group", r"(?i)^(?:(?:year|yr|y) ?(?:[1-9]|1[0-4])|reception|nursery)$", 2),
    ("class", r"^(?:1[0-3]|[1-9]|R|Y[1-9]|Y1[0-3])[ .-]?[A-Z]{1,3}[0-9]?$", 3),
)
_MANY_OF = ("file_name", "address_line")  # each pupil can have one of their own; the others are shared by many
_ID_WORDS = frozenset(
    (
        "id",
        "ids",
        "no",
        "num",
        "number",
        "code",
        "ref",
        "reference",
        "key",
        "uuid",
        "guid",
        "identifier",
        "serial",
        "pk",
    )
)


@dataclass(frozen=True)
class Finding:
    """What a column is taken to be, and the known field behind it."""

    column: Column
    field: Field | None
    of: PersonKind | None = None  # whose field the header says it is


def classify_column(measured: Measured, dtype: pl.DataType, latest: date | None) -> Finding:
    """What a column is.

    Evidence in this order: a form with a check character, or a code set of its own, under whatever header; the
    header; where that says nothing, words for a code ("Female", "Urdu"), the look of the values (files, addresses,
    years, classes), terms of health and care, lists of names; the form of free text; dates of an age; uniqueness.
    Where header and values disagree the reason says so.

    Parameters
    ----------
    measured : the column's counts and sample
    dtype : of the column: a whole number is no telephone number
    latest : the last date of the whole data set, against which a date of birth is years old; None where it has none
    """
    said = meaning(measured.name, measured.table, measured.sample)
    seen = _by_form(measured, dtype, said) or _by_codes(measured)
    if seen is None and said is None:
        seen = _by_labels(measured) or _by_look(measured)
    if seen is not None and (said is None or _overrules(seen[0], said)):
        field, reason = seen
        if said is not None:
            reason += f"; this goes before the header, a known name of {said.field.label}"
        return _found(measured, field, reason, None if said is None else said.of)
    if said is not None:
        known = "is a known name of" if said.exact else "reads as"
        reason = f"header {measured.name!r} {known} {said.field.label}{_whose(said.of)}"
        if not said.exact and said.field.role in ("quasi", "sensitive") and _is_free_text(measured):
            reason += ", and its values are long, of several words, and mostly differ"
            return Finding(Column(measured.name, "free_text", "text", said.field.category, reason), said.field, said.of)
        return _found(measured, said.field, reason + _agreement(measured, said.field), said.of)
    role, kind, reason = _by_values(measured, dtype, latest)
    category = {"quasi": "identity", "direct": "identity", "free_text": "free_text"}.get(role, "other")
    return Finding(Column(measured.name, role, kind, category, reason), None)  # type: ignore[arg-type]


def _by_form(measured: Measured, dtype: pl.DataType, said: Meaning | None) -> tuple[Field, str] | None:
    """The identifier whose form nearly all sampled values have."""
    if not isinstance(measured.sample.dtype, pl.String) or measured.sample.is_empty() or dtype.is_float():
        return None
    if mean(measured.sample.str.contains(r"[\d@]")) < PASSING:
        return None  # each of them has a digit, or the sign of an e-mail address
    for kind in _CHECKED:
        if kind == "phone" and (not isinstance(dtype, pl.String) or (said is not None and said.field.role == "direct")):
            continue  # digits enough for a phone number are common; a header that names an identifier knows better
        share = identifiers.matches(measured.sample, kind) or 0.0
        if share >= PASSING:
            field = next(field for field in known_fields() if field.shape == kind)
            test = " check letter" if kind == "upn" else " check digit" if kind in ("uln", "nhs_number") else " form"
            return field, f"{of_sample(share, measured)} pass the {field.label}{test}"
    return None


def _by_codes(measured: Measured) -> tuple[Field, str] | None:
    """The field whose code set nearly all sampled values belong to, where the set tells enough by itself."""
    for field in known_fields():
        if field.codes and field.decides:
            share, codes = _share_in(measured, field.codes)
            telling = not field.decides_with or bool(codes & set(field.decides_with))
            if share > PASSING and len(codes) >= field.decides and telling:
                return field, f"{of_sample(share, measured)} are in the DfE code set {field.codes}"
    return None


def _by_labels(measured: Measured) -> tuple[Field, str] | None:
    """The field whose labels nearly all sampled values are: words ("Female", "Urdu") in the place of codes."""
    if not isinstance(measured.sample.dtype, pl.String) or measured.sample.is_empty():
        return None
    counted = Counter(plain(value) for value in measured.sample.to_list())
    for field in known_fields():
        labels = field.labels or (code_labels()[field.codes] if field.codes and field.decides else frozenset())
        if field.decides and labels:
            share = sum(rows for label, rows in counted.items() if label in labels) / counted.total()
            if share > PASSING and len(labels & counted.keys() - _ANYWHERE) >= field.decides:
                return field, f"{of_sample(share, measured)} are words for {field.label}"
    return None


def _by_look(measured: Measured) -> tuple[Field, str] | None:
    """The field that sampled values look like: names of files, years, classes, people."""
    if not isinstance(measured.sample.dtype, pl.String) or len(measured.sample) < MANY:
        return None
    values = measured.sample.str.strip_chars()
    for name, form, least in _LOOKS:
        share = mean(values.str.contains(form))
        several = measured.distinct >= least and (
            name in ("file_name", "address_line") or measured.distinct <= measured.filled / 5
        )
        if share >= PASSING and several:
            field = next(field for field in known_fields() if field.name == name)
            return field, f"{of_sample(share, measured)} look like {field.label}"
    return by_terms(measured) or by_names(measured.sample, measured.distinct, measured.filled)


def _share_in(measured: Measured, name: str) -> tuple[float, set[str]]:
    """Share of sampled values that are codes of a set, and which codes occur."""
    if not isinstance(measured.sample.dtype, pl.String) or measured.sample.is_empty():
        return 0.0, set()
    values = measured.sample.str.strip_chars().str.to_uppercase()
    inside = values.is_in(list(code_sets()[name]))
    return mean(inside), set(values.filter(inside).unique().to_list())


def _overrules(seen: Field, said: Meaning) -> bool:
    """Whether the values say something else than the header does, rather than bear it out."""
    if said.of_table and seen.shape in ("email", "phone", "postcode"):
        return False  # a school has an address of its own
    same_shape = seen.shape is not None and seen.shape == said.field.shape
    return not same_shape and not (seen.codes is not None and seen.codes == said.field.codes)


def _agreement(measured: Measured, header: Field) -> str:
    """How the values bear out what the header says, as the rest of a sentence."""
    if measured.filled == 0:
        return "; it holds no value"
    if header.shape and (isinstance(measured.sample.dtype, pl.String)):
        share = identifiers.matches(measured.sample, header.shape) or 0.0
        checked = "check" if header.shape in ("upn", "uln", "nhs_number") else "form"
        if share >= PASSING:
            return f"; {of_sample(share, measured)} pass its {checked}"
        return f", but {of_sample(share, measured)} pass its {checked}: the others may be invented, cut or mistyped"
    if header.codes and (share := _share_in(measured, header.codes)[0]) > PASSING:
        return f"; {of_sample(share, measured)} are in the DfE code set {header.codes}"
    if header.role != "free_text" and header.kind not in ("address", "file_name") and _is_free_text(measured):
        return "; its values read like free text, in which more may stand than the header says"
    return ""


def _by_values(measured: Measured, dtype: pl.DataType, latest: date | None) -> tuple[str, str, str]:
    """Role, kind and reason of a column whose header and codes nobody knows."""
    unknown = f"header {measured.name!r} is not known"
    if measured.filled == 0:
        return "other", "empty", f"{unknown} and the column holds no value"
    if dtype.is_nested() or isinstance(dtype, pl.Binary | pl.Object):
        return "other", "nested", f"{unknown}; its values are nested or binary and were not looked into"
    if dtype.is_temporal() or is_written_date(measured.sample):
        return by_dates(measured, dtype, latest, unknown)
    if _is_free_text(measured):
        return "free_text", "text", f"{unknown}; its values are long, of several words, and mostly differ"
    distinct_share = measured.distinct / measured.filled
    if measured.filled >= MANY and distinct_share >= SINGLING and not dtype.is_float():
        differing = "every value differs" if measured.distinct == measured.filled else "nearly every value differs"
        if _ID_WORDS & set(words(measured.name)) or measured.name.casefold().endswith("id"):
            return "direct", "id", f"{differing}, under a header {measured.name!r} that reads like an identifier"
        if isinstance(dtype, pl.String) and _looks_like_an_id(measured):
            return "direct", "id", f"{unknown}; {differing}, and the values are single words with digits"
    if isinstance(dtype, pl.Boolean):
        return "other", "yes_no", f"{unknown}; it holds yes or no"
    if dtype.is_numeric():
        return "other", "number", f"{unknown}; it holds numbers, which tell nothing by themselves"
    return "other", "text", f"{unknown} and its values have no known form; a person should say what it is"


def _is_free_text(measured: Measured) -> bool:
    words_enough = measured.mean_length >= 25 and measured.mean_spaces >= 3
    return words_enough and measured.distinct >= 0.5 * measured.filled


def _looks_like_an_id(measured: Measured) -> bool:
    single = measured.sample.str.contains(r"^[^\s@]*[0-9][^\s@]*$")
    return mean(single) >= 0.9 and measured.mean_length <= 40


def _found(measured: Measured, field: Field, reason: str, of: PersonKind | None) -> Finding:
    return Finding(Column(measured.name, field.role, field.kind, field.category, reason), field, of)


def _whose(of: PersonKind | None) -> str:
    return {"child": " of a pupil", "guardian": " of a parent or carer", "staff": " of staff"}.get(of or "", "")
