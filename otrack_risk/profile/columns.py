"""What one column is, from its header and its values, with the reason in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from otrack_risk import identifiers
from otrack_risk.profile.fields import Field, Meaning, code_sets, known_fields, meaning, words
from otrack_risk.schema import Column, PersonKind

# Values looked at, the most that a column has of: a step and not the number filled, so that no reason gives it away.
SAMPLES = (2000, 1000, 500, 200, 100, 50, 20)
PASSING = 0.8  # share of sampled values of one form, or of one code set, that makes the column that (own default)
SINGLING = 0.95  # share of values that no other row has, from which a column is unique (own default)
MANY = 20  # values, from which uniqueness says something
_GOLDEN = (5**0.5 - 1) / 2
_CHECKED = ("upn", "uln", "nhs_number", "email", "postcode", "nino", "phone")
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
_DATE = (
    r"^\s*(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[/.-][0-9]{1,2}[/.-](?:[0-9]{2}|[0-9]{4}))(?:[ T][0-9:.]+)?\s*$"
)


@dataclass(frozen=True)
class Measured:
    """Counts of one column, and a sample of it; the sample never leaves this package."""

    name: str
    table: str
    rows: int
    filled: int  # rows with a value: not missing, not NaN, not blank
    distinct: int  # different values
    unique: int  # rows whose value (or whose lack of one) no other row has
    mean_length: float  # characters of a sampled value
    mean_spaces: float  # blanks inside a sampled value
    sample: pl.Series  # filled values, one in each of equal steps; as text, but for dates


@dataclass(frozen=True)
class Finding:
    """What a column is taken to be, and the known field behind it."""

    column: Column
    field: Field | None
    of: PersonKind | None = None  # whose field the header says it is


def measure(series: pl.Series, table: str) -> Measured:
    """Count a column's values, and take its sample, the same in every run."""
    values = _comparable(series)
    filled = values.drop_nulls()
    counts = values.alias("value").value_counts(sort=False, name="rows")
    singles = int((counts["rows"] == 1).sum())
    size = next((step for step in SAMPLES if step <= len(filled)), len(filled))
    sample = filled.gather(_places(len(filled), size))
    if series.dtype.is_nested() or isinstance(series.dtype, pl.Binary | pl.Object):
        sample = sample.clear()
    if not sample.dtype.is_temporal():
        sample = sample.cast(pl.String)
    text = sample if isinstance(sample.dtype, pl.String) else sample.clear().cast(pl.String)
    return Measured(
        name=series.name,
        table=table,
        rows=len(series),
        filled=len(filled),
        distinct=counts.height - (len(filled) < len(series)),
        unique=singles,
        mean_length=_mean(text.str.len_chars()),
        mean_spaces=_mean(text.str.strip_chars().str.count_matches(r"\s")),
        sample=sample,
    )


def classify_column(measured: Measured, dtype: pl.DataType, latest: date | None) -> Finding:
    """What a column is.

    Evidence in this order: a form with a check character, or a code set of its own, under whatever header; the
    header; the form of free text; dates of an age; uniqueness. Where header and values disagree
    the reason says so.

    Parameters
    ----------
    measured : the column's counts and sample
    dtype : of the column: a whole number is no telephone number
    latest : the last date of the whole data set, against which a date of birth is years old; None where it has none
    """
    said = meaning(measured.name, measured.table, measured.sample)
    seen = _by_form(measured, dtype, said) or _by_codes(measured)
    if seen is not None and (said is None or _overrules(seen[0], said)):
        field, reason = seen
        if said is not None:
            reason += f"; this goes before the header, a known name of {said.field.label}"
        return _found(measured, field, reason, None if said is None else said.of)
    if said is not None:
        known = "is a known name of" if said.exact else "reads as"
        reason = f"header {measured.name!r} {known} {said.field.label}{_whose(said.of)}"
        return _found(measured, said.field, reason + _agreement(measured, said.field), said.of)
    role, kind, reason = _by_values(measured, dtype, latest)
    category = {"quasi": "identity", "direct": "identity", "free_text": "free_text"}.get(role, "other")
    return Finding(Column(measured.name, role, kind, category, reason), None)  # type: ignore[arg-type]


def last_date(tables: Mapping[str, pl.DataFrame]) -> date | None:
    """The latest day in any column of dates of any table: the day up to which the data speak."""
    columns = [series for rows in tables.values() for series in rows.iter_columns()]
    days = [series.cast(pl.Date).max() for series in columns if isinstance(series.dtype, pl.Date | pl.Datetime)]
    return max((day for day in days if isinstance(day, date)), default=None)


def as_dates(values: pl.Series) -> pl.Series:
    """Dates of a column of dates, or of text that is ISO or day first; null where a value is no date."""
    if not isinstance(values.dtype, pl.String):
        return values.cast(pl.Date)
    text = values.str.strip_chars().str.slice(0, 10).str.replace_all(r"[/.]", "-")
    forms = [text.str.to_date(form, strict=False) for form in ("%Y-%m-%d", "%d-%m-%Y")]
    return pl.DataFrame(forms, schema=["iso", "day_first"]).select(pl.coalesce("iso", "day_first")).to_series()


def _places(n: int, size: int) -> npt.NDArray[np.int64]:
    """One place in each of ``size`` equal steps through ``n``, at a varying distance from the step's start.

    At a constant distance a column of morning and afternoon marks in turn would show only its mornings.
    """
    steps = np.arange(size)
    start, end = steps * n // max(size, 1), (steps + 1) * n // max(size, 1)
    within = steps * _GOLDEN % 1  # evenly spread, and never in step with anything periodic
    return start + (within * (end - start)).astype(np.int64)


def _comparable(series: pl.Series) -> pl.Series:
    """The values as they are compared: blank text and NaN are missing, nested values stand for themselves."""
    if series.dtype.is_nested():
        return series.to_frame().select(pl.when(pl.col(series.name).is_not_null()).then(pl.col(series.name).hash()))[
            series.name
        ]
    if isinstance(series.dtype, pl.Object):
        return pl.Series(series.name, [None if value is None else str(value) for value in series], dtype=pl.String)
    if isinstance(series.dtype, pl.Categorical | pl.Enum):
        return _comparable(series.cast(pl.String))
    if isinstance(series.dtype, pl.String):
        blank = ~series.str.contains(r"\S")
        return series.set(blank.fill_null(False), None) if blank.any() else series
    return series.fill_nan(None) if series.dtype.is_float() else series


def _mean(counts: pl.Series) -> float:
    return float(counts.mean() or 0.0)  # type: ignore[arg-type]


def _by_form(measured: Measured, dtype: pl.DataType, said: Meaning | None) -> tuple[Field, str] | None:
    """The identifier whose form nearly all sampled values have."""
    if not isinstance(measured.sample.dtype, pl.String) or measured.sample.is_empty() or dtype.is_float():
        return None
    for kind in _CHECKED:
        if kind == "phone" and (not isinstance(dtype, pl.String) or (said is not None and said.field.role == "direct")):
            continue  # digits enough for a phone number are common; a header that names an identifier knows better
        share = identifiers.matches(measured.sample, kind) or 0.0
        if share >= PASSING:
            field = next(field for field in known_fields() if field.shape == kind)
            test = " check letter" if kind == "upn" else " check digit" if kind in ("uln", "nhs_number") else " form"
            return field, f"{_of_sample(share, measured)} pass the {field.label}{test}"
    return None


def _by_codes(measured: Measured) -> tuple[Field, str] | None:
    """The field whose code set nearly all sampled values belong to, where the set tells enough by itself."""
    for field in known_fields():
        if field.codes and field.decides:
            share, codes = _share_in(measured, field.codes)
            telling = not field.decides_with or bool(codes & set(field.decides_with))
            if share > PASSING and len(codes) >= field.decides and telling:
                return field, f"{_of_sample(share, measured)} are in the DfE code set {field.codes}"
    return None


def _share_in(measured: Measured, name: str) -> tuple[float, set[str]]:
    """Share of sampled values that are codes of a set, and which codes occur."""
    if not isinstance(measured.sample.dtype, pl.String) or measured.sample.is_empty():
        return 0.0, set()
    values = measured.sample.str.strip_chars().str.to_uppercase()
    inside = values.is_in(list(code_sets()[name]))
    return _mean(inside), set(values.filter(inside).unique().to_list())


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
            return f"; {_of_sample(share, measured)} pass its {checked}"
        return f", but {_of_sample(share, measured)} pass its {checked}: the others may be invented, cut or mistyped"
    if header.codes and (share := _share_in(measured, header.codes)[0]) > PASSING:
        return f"; {_of_sample(share, measured)} are in the DfE code set {header.codes}"
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
    if dtype.is_temporal() or (isinstance(dtype, pl.String) and _mean(measured.sample.str.contains(_DATE)) >= PASSING):
        return _by_dates(measured, dtype, latest, unknown)
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


def _by_dates(measured: Measured, dtype: pl.DataType, latest: date | None, unknown: str) -> tuple[str, str, str]:
    if isinstance(dtype, pl.Time | pl.Duration):
        return "other", "time", f"{unknown}; it holds times"
    days = as_dates(measured.sample).drop_nulls()
    if latest is None or days.is_empty():
        return "other", "date", f"{unknown}; it holds dates, and whether of birth could not be told"
    years = pl.Series([(latest - day).days / 365.25 for day in days.to_list()])
    spread = float(years.max()) - float(years.min())  # type: ignore[arg-type]
    if _mean(years.is_between(3, 20)) >= SINGLING and spread >= 0.75:
        reason = (
            f"{unknown}; its dates lie 3 to 20 years before the last date of the data, as pupils' dates of birth do"
        )
        return "quasi", "date_of_birth", reason
    return "other", "date", f"{unknown}; it holds dates, and not such as pupils' dates of birth"


def _is_free_text(measured: Measured) -> bool:
    words_enough = measured.mean_length >= 25 and measured.mean_spaces >= 3
    return words_enough and measured.distinct >= 0.5 * measured.filled


def _looks_like_an_id(measured: Measured) -> bool:
    single = measured.sample.str.contains(r"^[^\s@]*[0-9][^\s@]*$")
    return _mean(single) >= 0.9 and measured.mean_length <= 40


def _found(measured: Measured, field: Field, reason: str, of: PersonKind | None) -> Finding:
    return Finding(Column(measured.name, field.role, field.kind, field.category, reason), field, of)


def _whose(of: PersonKind | None) -> str:
    return {"child": " of a pupil", "guardian": " of a parent or carer", "staff": " of staff"}.get(of or "", "")


def _of_sample(share: float, measured: Measured) -> str:
    """Both numbers of the ratio where the sample is a round step; words where it is every value of a few."""
    size = len(measured.sample)
    if size >= MANY:
        return f"{round(share * size):,} of {size:,} sampled values"
    for least, said in ((1.0, "all values"), (0.5, "most values"), (1e-9, "few values")):
        if share >= least:
            return said
    return "none of the values"
