"""A supplier's breach letter: fields and head-counts, and not one row.

After a breach a school often has only what its supplier wrote: which system, which fields, how
many people. Typed into a TOML file it is enough to say what was exposed, marked as modelled::

    supplier    = "Example Learning Ltd"
    system      = "Pupil tracker"
    dated       = 2026-01-12          # the day the letter bears
    records     = 12400               # as the supplier counts them; omitted where it does not say
    images      = 310                 # photographs
    files       = 355                 # all files, photographs included
    schools     = 3
    oldest_year = 2019                # of the oldest record

    [people]                          # omit whoever the letter does not count: that is "not stated"
    children  = 900
    guardians = 1100

    [[field]]
    name         = "upn"
    table        = "pupils"
    category     = "identity"         # a name of reference/categories.toml
    role         = "direct"           # direct, quasi, sensitive, free_text or other
    filled_share = 1.0                # of the table's records, 0 to 1
    people       = 900                # about whom the field says something

    [[field]]
    name     = "medical_condition"
    table    = "pupils"
    category = "medical"
    role     = "sensitive"
    status   = "assumed"              # "stated" unless it is said to be assumed ...
    because  = "the letter says 'health information' and names no field"    # ... and why
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from otrack_risk import schema
from otrack_risk.errors import FileError, ParameterError

Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(min_length=1, pattern=r"\S")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class People(_Part):
    """Heads that the letter counts; None where it does not say, which is not nobody."""

    children: Count | None = None
    staff: Count | None = None
    guardians: Count | None = None


class LetterField(_Part):
    """One field that the letter names, or that had to be assumed from its words."""

    name: Name
    table: Name  # the list it stood in: "pupils", "contacts"
    category: str  # a name of reference/categories.toml
    role: schema.Role
    filled_share: Annotated[float, Field(ge=0, le=1)] | None = None  # of the table's records
    people: Count | None = None  # about whom it says something
    status: Literal["stated", "assumed"] = "stated"
    because: str = ""  # the ground of an assumption

    @model_validator(mode="after")
    def _has_its_ground(self) -> Self:
        if self.category not in schema.categories():
            raise ValueError(f"category: no data category of that name; use one of {', '.join(schema.categories())}")
        if self.status == "assumed" and not self.because.strip():
            raise ValueError("because: an assumed field needs its ground")
        return self


class Letter(_Part):
    """What a supplier says was taken; ``None`` is "not stated"."""

    supplier: Name
    system: Name
    dated: date
    people: People = People()
    records: Count | None = None  # rows, as the supplier counts them: not people
    images: Count | None = None  # photographs
    files: Count | None = None  # of every kind, photographs included
    schools: Count | None = None
    oldest_year: Annotated[int, Field(ge=1900)] | None = None
    fields: Annotated[tuple[LetterField, ...], Field(alias="field", min_length=1, strict=False)]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.oldest_year is not None and self.oldest_year > self.dated.year:
            raise ValueError("oldest_year: later than the letter itself")
        named = [(field.table, field.name) for field in self.fields]
        if twice := next((field for field in named if named.count(field) > 1), None):
            raise ValueError(f"field: {twice[0]}.{twice[1]} is listed twice")
        if self.images is not None and self.files is not None and self.images > self.files:
            raise ValueError("images: more than there are files, of which they are a part")
        return self


def read_letter(path: str | Path) -> Letter:
    """The letter in a TOML file; the module's docstring has a complete one.

    Raises
    ------
    FileError
        No such file, or not TOML.
    ParameterError
        A key that is missing, unknown, or not of its kind. The message names the key, never what
        was written there.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "letter.toml")
    ...     _ = file.write_text(example(), encoding="utf-8")
    ...     letter = read_letter(file)
    >>> letter.people.children, letter.people.staff, [field.name for field in letter.fields]
    (900, None, ['upn', 'medical_condition'])
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise FileError(f"there is no letter '{path.name}'.", "check the path.") from None
    except OSError:
        raise FileError(f"{path.name} cannot be opened.", "check that it is a file that you may read.") from None
    except UnicodeDecodeError:
        raise FileError(f"{path.name} is not UTF-8 text.", "save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at (line \d+, column \d+|end of document)\)$", str(error))
        where = f" at {place[1]}" if place else ""
        raise FileError(
            f"{path.name} is not TOML{where}.", "correct the line; text stands in quotation marks."
        ) from None
    try:
        return Letter.model_validate(content, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = "; ".join(dict.fromkeys(_problem(entry) for entry in error.errors()[:3]))
        mend = "correct the key; the docstring of otrack_risk.frames.letter has a complete letter."
        raise ParameterError(f"{path.name}: {problems}.", mend) from None


def inputs(path: str | Path) -> list[dict[str, object]]:
    """The ``input`` list of the contract for a letter, which has no rows."""
    path = Path(path)
    fields = read_letter(path).fields
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    named = {"name": path.stem, "file": path.name, "sha256": digest}
    return [named | {"rows": 0, "columns": len(fields), "seen": 0, "skipped": 0}]


def example() -> str:
    """The complete letter of the module's docstring, to start from."""
    text = (__doc__ or "").partition("::\n\n")[2]
    return re.sub(r"^ {4}", "", text, flags=re.MULTILINE)


def _problem(entry: Any) -> str:
    """One complaint of pydantic's, by key; its own message may quote the input and is not used."""
    kind, place, about = entry["type"], list(entry["loc"]), entry.get("ctx") or {}
    words = {
        "missing": "is missing",
        "extra_forbidden": "is not a key of a letter",
        "value_error": str(about.get("error")),
        "literal_error": f"is none of {about.get('expected')}",
        "greater_than_equal": f"is below {about.get('ge')}",
        "less_than_equal": f"is above {about.get('le')}",
        "too_short": "at least one is needed",
        "string_too_short": "is empty",
        "string_pattern_mismatch": "is empty",
        "string_type": "must be text",
        "int_type": "must be a whole number, without quotation marks",
        "float_type": "must be a number from 0 to 1",
        "date_type": "must be a date such as 2026-01-12, without quotation marks",
    }.get(kind, "is not of the right kind")
    key = ".".join(f"[{part + 1}]" if isinstance(part, int) else str(part) for part in place).replace(".[", " [")
    return f"{key}: {words}" if key and kind == "value_error" else f"{key} {words}".strip()
