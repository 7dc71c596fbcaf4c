"""A breach as a file: known facts, assumptions, what nobody knows, and what an attacker holds.

A scenario is one TOML file that a person writes. Every key is checked when it is read; a moment
in time carries its zone; what is missing is unknown, never "no".
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from otrack_risk.assessment import enisa
from otrack_risk.errors import ParameterError
from otrack_risk.schema import TableSchema

Moment = Annotated[AwareDatetime, Field(strict=True)]
Words = Annotated[str, Field(min_length=1)]
Cause = Literal[
    "open_storage",
    "stolen_credential",
    "unpatched_server",
    "ransomware",
    "over_sharing",
    "purpose_creep",
    "unknown",
]
TIMES: dict[str, str] = {
    "occurred_from": "Exposed from",
    "occurred_to": "Exposed until",
    "processor_aware_at": "Processor aware",
    "detected_at": "Detected",
    "aware_at": "Controller aware",
    "contained_at": "Contained",
    "authority_notified_at": "Regulator notified",
    "people_notified_at": "People told",
}
SETTINGS: dict[str, str] = {
    "cause": "Cause",
    "access": "Who could obtain the data",
    "malicious": "Malicious intent",
    "integrity": "Whether data were altered",
    "availability": "Whether data were lost",
}
UNINTELLIGIBLE = "Whether the data can be read by whoever holds them"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Controls(_Part):
    """What stands between the data and whoever holds them."""

    unintelligible: Literal[True, False, "unknown"] = "unknown"  # encrypted or hashed, and the key not taken
    because: str = ""  # the algorithm, where the key is, and the evidence

    @model_validator(mode="after")
    def _evidence(self) -> Controls:
        if self.unintelligible is True and not self.because:
            raise ValueError("unintelligible = true needs `because`: the algorithm, where the key is, the evidence")
        return self


class Timeline(_Part):
    """When what happened; a time that is missing is unknown."""

    occurred_from: Moment | None = None
    occurred_to: Moment | None = None
    processor_aware_at: Moment | None = None
    detected_at: Moment | None = None
    aware_at: Moment | None = None  # reasonably certain that personal data were breached
    contained_at: Moment | None = None
    authority_notified_at: Moment | None = None
    people_notified_at: Moment | None = None
    status: Literal["known", "assumed"] = "known"  # of the times that are given
    because: str = ""  # the ground of assumed times

    @model_validator(mode="after")
    def _in_order(self) -> Timeline:
        if self.status == "assumed" and not self.because:
            raise ValueError("status = 'assumed' needs `because`")
        for earlier, later in (
            ("occurred_from", "occurred_to"),
            ("occurred_from", "detected_at"),
            ("detected_at", "aware_at"),
            ("aware_at", "authority_notified_at"),
            ("aware_at", "people_notified_at"),
        ):
            first, second = getattr(self, earlier), getattr(self, later)
            if first is not None and second is not None and second < first:
                raise ValueError(f"{later} is before {earlier}")
        return self

    def given(self) -> dict[str, datetime]:
        """The times that are known or assumed, in UTC, in order of time."""
        times = {name: getattr(self, name) for name in TIMES}
        utc = {name: time.astimezone(UTC) for name, time in times.items() if time is not None}
        return dict(sorted(utc.items(), key=lambda item: item[1]))


class Reachable(_Part):
    """The part of the data that could be obtained; without this entry, all of it."""

    tables: tuple[str, ...] = ()  # none named: every table
    columns_left_out: tuple[str, ...] = ()  # "column" in every table, or "table.column"


class Attacker(_Part):
    """Somebody who holds the data and knows something of a person already."""

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    label: Words
    knows: Annotated[tuple[str, ...], Field(min_length=1)]  # names or kinds of columns

    def columns(self, table: TableSchema) -> list[str]:
        """The columns of a table that this attacker knows of a person, in the table's order."""
        return [column.name for column in table.columns if column.name in self.knows or column.kind in self.knows]


class ContextOverride(_Part):
    """A person's data processing context, in place of the proposal."""

    data_class: Annotated[Literal["simple", "behavioural", "financial", "sensitive"], Field(alias="class")]
    adjustment: Annotated[int, Field(strict=True)] = 0
    reason: Words

    @model_validator(mode="after")
    def _allowed(self) -> ContextOverride:
        try:
            enisa.data_context(self.data_class, self.adjustment, self.reason)
        except ParameterError as error:
            raise ValueError(f"{error.message.removesuffix('.')} ({error.mend.removesuffix('.')})") from None
        return self


class LevelOverride(_Part):
    """A person's ease of identification, in place of the proposal."""

    level: Annotated[float, Field(strict=True)]
    reason: Words

    @model_validator(mode="after")
    def _on_the_scale(self) -> LevelOverride:
        if self.level not in (scale := enisa.scales()["ei"]):
            raise ValueError(f"level is one of {', '.join(f'{step:g}' for step in scale)}")
        return self


class Overrides(_Part):
    """What a person decided of the severity, with the reason."""

    dpc: ContextOverride | None = None
    ei: LevelOverride | None = None


class Data(_Part):
    """The synthetic data that this scenario is shown on."""

    preset: Literal["primary", "secondary", "trust", "otrack"]
    seed: Annotated[int, Field(strict=True, ge=0)]


class Fact(_Part):
    """One statement about the breach, and how far it can be trusted."""

    about: Words
    value: str = ""
    status: Literal["known", "assumed", "unknown"]
    source: str = ""  # where it is published, or the ground of an assumption
    matters: str = ""  # what in the answer hangs on it
    # the input of the severity that hangs on it, so that every value of its scale can be tried
    input: Literal["", "dpc", "ei", "confidentiality", "integrity", "availability", "malicious_intent"] = ""

    @model_validator(mode="after")
    def _grounded(self) -> Fact:
        if self.status == "unknown" and self.value:
            raise ValueError("an unknown fact has no value")
        if self.status != "unknown" and not (self.value and self.source):
            raise ValueError(f"a fact that is {self.status} needs `value` and `source`")
        return self


class Scenario(_Part):
    """A breach, as far as anybody knows."""

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    title: Words
    as_of: Moment  # the moment that this assessment speaks for
    jurisdiction: Literal["uk"]
    cause: Cause = "unknown"
    access: Literal["unknown_public", "known_recipients", "no_evidence", "unknown"] = "unknown"
    malicious: Literal[True, False, "unknown"] = "unknown"
    integrity: Literal["unaltered", "recoverable", "not_recoverable", "unknown"] = "unknown"
    availability: Literal["available", "temporarily_unavailable", "not_recoverable", "unknown"] = "unknown"
    controls: Controls = Controls()
    timeline: Timeline = Timeline()
    reachable: Reachable = Reachable()
    attackers: Annotated[tuple[Attacker, ...], Field(alias="attacker")] = ()
    quasi_identifiers: tuple[str, ...] = ()  # none: as the columns are classified
    sensitive: tuple[str, ...] = ()
    severity: Overrides = Overrides()
    data: Data | None = None
    letter: str | None = None  # a supplier's letter, beside the scenario file
    facts: Annotated[tuple[Fact, ...], Field(alias="fact")] = ()
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _coherent(self) -> Scenario:
        if self.data is not None and self.letter is not None:
            raise ValueError("data and letter: name one of them, not both")
        if late := [name for name, time in self.timeline.given().items() if time > self.as_of]:
            raise ValueError(f"timeline.{late[0]} is after as_of, the moment that this assessment speaks for")
        for part, names in (("attacker", [a.name for a in self.attackers]), ("fact", [f.about for f in self.facts])):
            if len(set(names)) < len(names):
                raise ValueError(f"two entries of [[{part}]] have the same name")
        return self

    def reach(self, columns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """What of these tables, with these columns, could be obtained: all that the scenario does not rule out.

        Raises
        ------
        ParameterError
            The scenario names tables, and none of them is here.
        """
        wanted, out = self.reachable.tables, set(self.reachable.columns_left_out)
        kept = {
            table: [name for name in names if not {name, f"{table}.{name}"} & out]
            for table, names in columns.items()
            if not wanted or table in wanted
        }
        if columns and not kept:
            raise ParameterError(
                f"scenario '{self.name}': reachable.tables names none of the tables of these data "
                f"(they are: {', '.join(columns)}).",
                "correct reachable.tables, or leave it out so that every table counts.",
            )
        return kept

    def letter_path(self) -> Path | None:
        """Where the supplier's letter lies: beside the scenario file."""
        return None if self.letter is None else self._folder / self.letter


def read(name_or_path: str | Path) -> Scenario:
    """The scenario of that built-in name, or of that file.

    Raises
    ------
    ParameterError
        No such scenario or file; not TOML; a key that a scenario does not have, or a value that
        does not fit. The message names the key.

    Examples
    --------
    >>> read("otrack_2024").cause
    'open_storage'
    """
    document = text(name_or_path)
    where = f"scenario '{Path(name_or_path).name}'"
    try:
        content = tomllib.loads(document)
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{where} is not TOML: {error}.", "correct that line.") from None
    scenario = check(content, where)
    scenario._folder = Path(name_or_path).parent
    return scenario


def text(name_or_path: str | Path) -> str:
    """The scenario file as it is written: to show it, or to start one's own from it.

    A built-in name comes before a file of the same name.
    """
    if str(name_or_path) in (known := _builtin_names()):
        return str((_shipped() / f"{name_or_path}.toml").read_text(encoding="utf-8"))
    path = Path(name_or_path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ParameterError(f"scenario '{path.name}' is not UTF-8 text.", "save it as UTF-8.") from None
    except OSError:
        raise ParameterError(
            f"there is no scenario '{path.name}', neither built in nor a file that can be read.",
            f"use one of {', '.join(known)}, or the path of a scenario file.",
        ) from None


def check(content: Mapping[str, Any], where: str = "scenario") -> Scenario:
    """The scenario that this content is, or a ParameterError that names the key.

    Examples
    --------
    >>> check({"name": "misdirected", "title": "A list sent to all parents", "jurisdiction": "uk"})
    Traceback (most recent call last):
    otrack_risk.errors.ParameterError: ParameterError: scenario: as_of is missing.
    Mend: correct these entries; the built-in scenarios show every key.
    """
    try:
        return Scenario.model_validate(dict(content))
    except ValidationError as error:
        wrong = [_complaint(entry["loc"], entry["type"], entry["msg"]) for entry in error.errors()]
    more = f"; and {len(wrong) - 4} more" if len(wrong) > 4 else ""
    raise ParameterError(
        f"{where}: {'; '.join(wrong[:4])}{more}.", "correct these entries; the built-in scenarios show every key."
    )


def builtin() -> list[Scenario]:
    """The scenarios that come with the package, by name."""
    return [read(name) for name in _builtin_names()]


def unknown_settings(scenario: Scenario) -> dict[str, str]:
    """The settings that nobody has said, each with its words."""
    unknown = {name: about for name, about in SETTINGS.items() if getattr(scenario, name) == "unknown"}
    return unknown | ({"unintelligible": UNINTELLIGIBLE} if scenario.controls.unintelligible == "unknown" else {})


def moment(time: datetime) -> str:
    """A moment on paper, in UTC, with the day of the week.

    Examples
    --------
    >>> moment(datetime.fromisoformat("2024-03-31T17:00:00+01:00"))
    'Sunday 2024-03-31 16:00 UTC'
    """
    utc = time.astimezone(UTC)
    day = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[utc.weekday()]
    return f"{day} {utc:%Y-%m-%d} {utc:%H:%M:%S}".removesuffix(":00") + " UTC"


def _shipped() -> Any:
    return files(__package__) / "scenarios"


def _builtin_names() -> list[str]:
    return sorted(entry.name.removesuffix(".toml") for entry in _shipped().iterdir() if entry.name.endswith(".toml"))


def _complaint(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    path = ""
    for step in loc:
        path += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if path else step
    plain = {
        "missing": " is missing",
        "extra_forbidden": " is not a key of a scenario",
        "timezone_aware": ": a time needs its zone, as in 2024-03-28T16:00:00Z",
        "string_too_short": " is empty",
        "too_short": " is empty",
        "string_pattern_mismatch": ": small letters, digits and _ only, a letter first",
        "model_type": " is a table with keys of its own",
        "datetime_type": ": a time is written with its zone and without quotes, as in 2024-03-28T16:00:00Z",
    }
    words = plain.get(kind, f": {message.removeprefix('Value error, ')}").removesuffix(".")
    return path + words if path else words.removeprefix(": ")
