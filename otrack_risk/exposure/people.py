"""Records, files and people side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

Status = Literal["measured", "modelled"]  # from rows, or from what a supplier says of them
_ONE = {
    "people": "person",
    "files": "file",
    "children": "child",
    "guardians": "guardian",
    "rows": "row",
    "records": "record",
}
_KINDS = ("children", "staff", "guardians", "unknown_kind")


@dataclass(frozen=True)
class PeopleCount(Shown):
    """Records, files and people side by side: they are three different numbers."""

    key: ClassVar[str] = "people_exposed"
    status: Status
    records: int | None  # rows about people
    files: int | None  # data files read, and files listed in an index
    total: Count  # people of all kinds below; a parent who is also staff is one of each
    children: Count
    staff: Count
    guardians: Count
    unknown_kind: Count  # people of tables of which nobody has said whom they are about
    uncountable: Count  # rows about a person who cannot be told apart: at most one more person each
    at_least: Mapping[str, Count] = field(default_factory=dict)  # where keys cannot be linked: the fewest
    at_most: Mapping[str, Count] = field(default_factory=dict)  # where nobody of a kind can be told apart: their rows
    uncountable_rows: Mapping[str, Count] = field(default_factory=dict)  # table -> rows without a key
    reasons: Mapping[str, str] = field(default_factory=dict)  # why a number is unknown or a range; holds no count

    def sentence(self) -> str:
        held = f"{counted(self.records, 'records')} and {counted(self.files, 'files')}"
        told = [kind for kind in _KINDS if getattr(self, kind) not in (0, None) or kind in self.at_least]
        if self.children is None and "children" not in (*told, *self.at_most):
            told = ["children", *told]
        kinds = ", ".join(self.words(kind) for kind in told)
        people = self.words("total") + (f" ({kinds})" if kinds else "")
        if self.at_most:
            more = " and ".join(self.words(kind) for kind in self.at_most) + ", whom no column tells apart"
            people = more if self.total is None and not told else f"{people} and {more}"
        rest = "" if self.uncountable in (0, None) else f" {_capital(counted(self.uncountable, 'rows'))} carry no key: "
        each = "each is about one person more at most, or about one already counted." if rest else ""
        return f"{how(self.status)}{held} are about {people}; records are not people.{rest}{each}"

    def numbers(self) -> dict[str, tuple[str, object]]:
        """Each number with its label, in the order of the page."""
        return {
            "records": ("records", self.records),
            "files": ("files", self.files),
            "total": ("people", self.total),
            "children": ("children", self.children),
            "staff": ("staff", self.staff),
            "guardians": ("guardians", self.guardians),
            "unknown_kind": ("people of unknown kind", self.unknown_kind),
            "uncountable": ("rows without a person's key", self.uncountable),
        }

    def headline(self) -> tuple[tuple[str, str], ...]:
        records = (written(self.records), "records, which are not people")
        if self.total is None and self.uncountable is not None:
            return (records, (f"{written(self.uncountable)} or fewer", "people: these rows carry no key"))
        return (records, (written(self.total), "people"), (written(self.children), "of them children"))

    def table(self) -> pl.DataFrame:
        numbers = self.numbers()
        return tables.table(
            {
                "counted": [label for label, _ in numbers.values()],
                "number": [number for _, number in numbers.values()],
                "at_least": [self.at_least.get(name, number) for name, (_, number) in numbers.items()],
                "why": [self.reasons.get(name, "") for name in numbers],
            }
        )

    def figure(self) -> Figure:
        from otrack_risk.display import figures

        numbers = self.numbers()
        labels = [label for label, _ in numbers.values()]
        values = [getattr(self, name) for name in numbers]
        title = f"{written(self.records)} records, {self.words('total')}"
        return figures.bars(labels, values, title, "number of records, files, people or rows, as each bar says")

    def record(self) -> dict[str, Any]:
        """The ``people`` object of the contract; ``unknown_kind``, ``at_least``, ``at_most`` and reasons beside it."""
        return {
            "total": self.total,
            "children": self.children,
            "staff": self.staff,
            "guardians": self.guardians,
            "uncountable": self.uncountable,
            "unknown_kind": self.unknown_kind,
            "at_least": dict(self.at_least),
            "at_most": dict(self.at_most),
            "uncountable_rows": dict(self.uncountable_rows),
        } | with_reasons(self.reasons)

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        kinds = tables.hide_parts({kind: getattr(self, kind) for kind in _KINDS}, hide_below)
        total = tables.hide(self.total, hide_below)
        shown: dict[str, Count] = {**kinds, "total": total}
        rows = tables.hide_parts(self.uncountable_rows, hide_below)
        hidden = any(isinstance(count, Hidden) for count in rows.values())  # which the sum of a kind would give away
        return replace(
            self,
            total=total,
            children=kinds["children"],
            staff=kinds["staff"],
            guardians=kinds["guardians"],
            unknown_kind=kinds["unknown_kind"],
            uncountable=tables.hide(self.uncountable, hide_below),
            at_least={
                kind: count if isinstance(count := shown[kind], Hidden) else tables.hide(least, hide_below)
                for kind, least in self.at_least.items()
            },
            at_most={
                kind: Hidden(hide_below, "other") if hidden else tables.hide(most, hide_below)
                for kind, most in self.at_most.items()
            },
            uncountable_rows=rows,
        )

    def of_kind(self, kind: str) -> Count:
        """The head count of ``child``, ``staff``, ``guardian`` or ``unknown``."""
        names = {"child": "children", "staff": "staff", "guardian": "guardians", "unknown": "unknown_kind"}
        count: Count = getattr(self, names[kind])
        return count

    def words(self, kind: str) -> str:
        """The count of a kind, or the total, with its noun; a range where keys cannot be linked or are not there."""
        noun = {"total": "people", "unknown_kind": "people of unknown kind"}.get(kind, kind)
        if (most := self.at_most.get(kind)) is not None:
            return f"{written(most)} or fewer {noun}" if isinstance(most, int) else counted(most, noun)
        return counted(getattr(self, kind), noun, self.at_least.get(kind))


def counted(count: Count, noun: str, least: Count = None) -> str:
    """A count with its noun, also where the number is a range, unknown or hidden.

    Examples
    --------
    >>> counted(2107, "children"), counted(None, "staff"), counted(Hidden(5, "other"), "guardians")
    ('2,107 children', 'an unknown number of staff', 'a hidden number of guardians')
    >>> counted(900, "children", 450), counted(None, "children", 450)
    ('450 to 900 children', 'at least 450 children')
    """
    if count == 1:
        noun = _ONE.get(noun, noun)
    if isinstance(least, int) and not isinstance(count, Hidden) and least != count:
        return f"at least {written(least)} {noun}" if count is None else f"{written(least)} to {written(count)} {noun}"
    if count is None:
        return f"an unknown number of {noun}"
    if isinstance(count, Hidden) and count.why == "other":
        return f"a hidden number of {noun}"
    return f"{written(count)} {noun}"


def within(count: Count, hide_below: int, exact: Count, shown: Count) -> Count:
    """Hide a part of a whole: small, or the rest small, or equal to a whole that is itself hidden.

    Examples
    --------
    >>> within(210, 5, 210, Hidden(5, "other")), within(210, 5, 210, 210)
    (Hidden(below=5, why='other'), 210)
    """
    if isinstance(shown, Hidden) and isinstance(count, int) and count == exact and count > 0:
        return shown
    return tables.hide(count, hide_below, of=exact)


def how(status: Status) -> str:
    return "Modelled from a supplier's letter; no row was read. " if status == "modelled" else ""


def with_reasons(reasons: Mapping[str, str]) -> dict[str, Any]:
    if not reasons:
        return {}
    return {"reason": " ".join(dict.fromkeys(reasons.values())), "reasons": dict(reasons)}


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
