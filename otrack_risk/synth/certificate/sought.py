"""What is asked of a synthetic world: the entries of ``synth_targets.toml``, each with its value and its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from otrack_risk import reference
from otrack_risk.synth.targets import assumptions, ethnicity, not_english, published

YEARS = range(2006, 2022)  # of birth for which names are counted
SEXES = {"F": "girls", "M": "boys"}


@dataclass(frozen=True)
class Target:
    """One entry of ``synth_targets.toml``; a member of a family is one too."""

    key: str
    topic: str
    what: str
    among: str
    kind: str = "share"  # share, mean, ratio, peak, spread, distance
    table: str = "pupils"
    unit: str = "share"
    of: Mapping[str, Any] = field(default_factory=dict)
    to: Mapping[str, Any] = field(default_factory=dict)
    hit: Mapping[str, Any] = field(default_factory=dict)
    mean: tuple[str, ...] = ()
    each: str = ""
    ever: bool = False
    value: float | None = None
    computed: str = ""
    source: str = ""
    period: str = ""
    status: str = "quoted"
    because: str = ""
    note: str = ""
    siblings: bool = False  # share the value, so that they count as one
    floor: float | None = None
    floor_rule: str = ""
    joint: bool = False
    family: int = 1
    drawn: bool = False
    not_for: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns by whose values those counted are told apart."""
        named = ("sex", "born", "listed") if self.kind == "distance" else (*self.of, *self.to, *self.hit, self.each)
        rolls = ("on_roll",) if self.table == "pupils" and not self.ever else ()
        return tuple(sorted({*rolls, *named} - {""}))

    def counts(self, row: Mapping[str, Any], of: Mapping[str, Any] | None = None) -> bool:
        """Whether those with these values are in the group; nobody is of whom it is not known who has it."""
        known = all(row[column] is not None for column in self.hit)
        return known and row.get("on_roll", True) and has(row, self.of if of is None else of)


def has(row: Mapping[str, Any], conditions: Mapping[str, Any]) -> bool:
    """Whether every column has its value, or one of several."""
    return all(
        row[column] in value if isinstance(value, list) else row[column] == value
        for column, value in conditions.items()
    )


@cache
def targets() -> tuple[Target, ...]:
    """Every target, families spread out."""
    return tuple(target for entry in reference.load("synth_targets").entries["target"] for target in _expanded(entry))


def _expanded(entry: Mapping[str, Any]) -> Iterator[Target]:
    """The target, or the members of its family, each with its value and source."""
    given = {name: value for name, value in entry.items() if name not in ("is", "row", "assumed", "codes")}
    one = Target(**{**given, "hit": entry.get("is", {}), "mean": tuple(entry.get("mean", ()))})
    units = {"ratio": "ratio", "spread": "factor"}
    one = replace(one, unit=units.get(one.kind, one.unit), period=entry.get("period", ""))
    measure, *groups = entry.get("row", [""])
    if name := entry.get("assumed"):
        (row,) = (row for row in assumptions("value") if row["name"] == name)
        told = f"synth_assumed.toml: {name}"
        yield replace(one, value=float(row["value"]), source=told, status="assumed", because=row["because"])
    elif one.each == "birth years":
        totals = [row for row in reference.load("first_names_totals").entries["row"] if int(row["year"]) in YEARS]
        for row in totals:
            year, sex = int(row["year"]), row["sex"]
            named = replace(
                one, each="", among=f"{SEXES[sex]} born in {year}", of={"sex": sex, "born": year}, period=str(year)
            )
            yield replace(named, key=f"{one.key}.{sex}.{year}", value=float(row[one.computed]), family=len(totals))
    elif one.each == "sexes":
        for sex, word in SEXES.items():
            yield replace(
                one, each="", key=f"{one.key}.{sex}", among=word, of={"sex": sex}, family=2, period="2006 to 2021"
            )
    elif one.computed == "not_english":
        codes, _ = ethnicity()
        for code, chance in zip(codes, not_english(), strict=True):
            named = replace(one, key=f"{one.key}.{code}", among=one.among.format(group=code), of={"ethnicity": code})
            yield replace(named, value=float(chance), family=len(codes))
    elif not measure:
        yield one
    elif groups:
        yield _resting_on(one, _row(measure, groups[0]), published(measure, groups[0]))
    else:
        rows = [row for row in reference.load("marginals_england").entries["row"] if row["measure"] == measure]
        heads = sum(float(row["value"]) for row in rows)
        for row in rows:
            value_of: Any = entry.get("codes", {}).get(row["group"], row["group"])
            value = float(row["value"]) / heads if row["unit"] == "pupils" else published(measure, row["group"])
            member = replace(
                one, key=f"{one.key}.{value_of}", what=one.what.format(group=row["group"]), family=len(rows)
            )
            hit = {one.each: int(value_of) if one.each == "birth_month" else value_of}
            yield _resting_on(replace(member, hit=hit), row, value)


def _row(measure: str, group: str) -> Mapping[str, str]:
    rows = reference.load("marginals_england").entries["row"]
    return next(row for row in rows if (row["measure"], row["group"]) == (measure, group))


def _resting_on(target: Target, row: Mapping[str, str], value: float) -> Target:
    working = f"worked out: {row['working']}" if row["status"] == "derived" else ""
    note = "; ".join(part for part in (target.note, working) if part)
    return replace(target, value=value, source=row["source"], period=row["period"], status=row["status"], note=note)


@cache
def births(sex: str) -> tuple[tuple[int, str, float], ...]:
    """Year, name and share of its births, of the 250 names given most to one sex in each year."""
    totals = {
        (row["year"], row["sex"]): int(row["births"]) for row in reference.load("first_names_totals").entries["row"]
    }
    rows = [row for row in reference.load("first_names").entries["row"] if row["sex"] == sex]
    return tuple(
        (year, row["name"], int(row[str(year)]) / totals[str(year), sex])
        for year in YEARS
        for row in rows
        if row[str(year)]
    )
