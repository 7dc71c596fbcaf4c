"""The whole exposure, in one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, Share, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

from otrack_risk.exposure.fields import Field, FieldTable
from otrack_risk.exposure.people import PeopleCount, Status, counted, with_reasons, within
from otrack_risk.exposure.sources import Sources, State, Waterfall
from otrack_risk.exposure.told import InText

if TYPE_CHECKING:
    from otrack_risk.exposure.words import Words
    from otrack_risk.files import DocumentFindings, ImageFindings, NameFindings


@dataclass(frozen=True)
class Images:
    """Pictures that a table lists, and those that lie in the folder beside it."""

    files: int | None
    unique_exact: int | None  # distinct files of those opened; where none was, distinct hashes of a list
    linked_to_a_child: Count  # pictures whose row carries a child's key, or whose name can mean one child only
    reason: str
    unique_near: int | None = None  # distinct pictures of those opened
    with_gps: int | None = None  # of those opened; None where none of them has a place and others were not opened
    opened: int | None = None  # None: no picture was at hand, or none was to be opened

    def record(self) -> dict[str, Any]:
        """The ``images`` object of the contract."""
        return (
            {
                "files": self.files,
                "unique_exact": self.unique_exact,
                "unique_near": self.unique_near,
                "with_gps": self.with_gps,
                "linked_to_a_child": self.linked_to_a_child,
            }
            | ({} if self.opened is None else {"opened": self.opened})
            | ({"reason": self.reason} if self.reason else {})
        )


@dataclass(frozen=True)
class Looked:
    """Found, none found, or not looked for; and how we know."""

    what: str
    state: State
    why: str


@dataclass(frozen=True)
class LeftOut:
    """Rows that are in no number of this result."""

    where: str
    rows: int
    why: str


@dataclass(frozen=True)
class ExposureScope(Shown):
    """What was exposed: records, files, people, children, fields and images.

    Numbers of people are distinct people, never rows; where keys cannot be linked they are the most it
    can be, and ``at_least`` holds the fewest.
    """

    key: ClassVar[str] = "exposure"
    status: Status
    head_count: PeopleCount
    children_special_category: Count  # children of whom it states at least one special category fact
    special_by_category: Mapping[str, Count]  # category -> children; one child may be in several
    images: Images
    directly_identified: Count  # people with a filled column that names them, of head_count.total
    directly_identified_share: Share  # of head_count.total
    directly_identified_columns: tuple[str, ...]  # table.column
    fields: tuple[Field, ...]
    schools: int | None
    oldest_year: int | None  # the first calendar year of any academic year or date (birth dates apart)
    oldest_year_column: str | None  # table.column where it stands
    leavers: Count  # children with a leaving date
    at_least: Mapping[str, Count]  # where a number of people above is the most it can be: the fewest
    looked_for: tuple[Looked, ...]
    left_out: tuple[LeftOut, ...]
    reasons: Mapping[str, str]  # why a number above is unknown or modelled; holds no count
    # What texts and files tell; None where there is none, or none was looked for, as ``looked_for`` says.
    text: Words | None = None
    pictures: ImageFindings | None = None
    documents: DocumentFindings | None = None
    file_names: NameFindings | None = None
    by_source: Sources | None = None
    steps: Waterfall | None = None

    def people(self) -> PeopleCount:
        """Records, files and people side by side."""
        return self.head_count

    def field_table(self) -> FieldTable:
        """The fields, how full, and about how many people."""
        return FieldTable(self.status, self.head_count, self.fields)

    def in_text(self) -> InText:
        """What was found in words, and what was not looked for there."""
        return InText(self.text, [e for e in self.looked_for if "free text" in e.what], self.head_count.children)

    def sentence(self) -> str:
        heads, share = self.head_count, self.directly_identified_share
        most = "at most " if "directly_identified" in self.at_least else ""
        percent = f" ({most}{tables.percent(share)} of all)" if isinstance(share, float) else ""
        special = counted(self.children_special_category, "children", self.at_least.get("children_special_category"))
        named = counted(self.directly_identified, "people", self.at_least.get("directly_identified"))
        parts = [
            heads.sentence(),
            f"At least one special category fact is stated of {special}.",
            f"Columns that name somebody directly name {named}{percent}."
            if self.directly_identified_columns
            else "No column was found that names anybody directly.",
        ]
        if self.images.files:
            opened = "none was" if self.images.opened is None else f"{written(self.images.opened)} were"
            parts.append(f"Images: {written(self.images.files)}; {opened} opened.")
        if self.text is not None:
            parts.append(self.text.sentence())
        if self.documents is not None:
            parts.append(self.documents.sentence())
        return " ".join(parts)

    def table(self) -> pl.DataFrame:
        numbers = self.head_count.numbers() | {
            "children_special_category": ("children with special category facts", self.children_special_category),
            **{name: (f"children with facts: {name}", count) for name, count in self.special_by_category.items()},
            "directly_identified": ("people identified directly", self.directly_identified),
            "leavers": ("children who have left", self.leavers),
            **self._in_text(),
            "images": ("images", self.images.files),
            "unique_exact": ("different image files", self.images.unique_exact),
            "unique_near": ("different images", self.images.unique_near),
            "with_gps": ("images with the place where they were taken", self.images.with_gps),
            "linked": ("images linked to a child", self.images.linked_to_a_child),
            "schools": ("schools", self.schools),
            "oldest_year": ("oldest year", None if self.oldest_year is None else str(self.oldest_year)),
        }
        least = {**self.head_count.at_least, **self.at_least}
        return tables.table(
            {
                "counted": [label for label, _ in numbers.values()],
                "number": [written(number) for _, number in numbers.values()],
                "at_least": [written(least.get(name, number)) for name, (_, number) in numbers.items()],
            }
        )

    def _in_text(self) -> dict[str, tuple[str, object]]:
        if self.text is None:
            return {}
        return {
            "named_in_text": ("children named in free text, for sure", self.text.scan.subjects_named),
            "special_in_text": ("children with special category facts in free text", self.text.special.tied),
            "only_in_text": ("children with one that no column states", self.text.special.only_in_text),
        }

    def figure(self) -> Figure | None:
        return self.field_table().figure()

    def record(self) -> dict[str, Any]:
        """The contract's ``exposure`` result; ``status``, ``looked_for`` and ``left_out`` beside it."""
        return {
            "records": self.head_count.records,
            "files": self.head_count.files,
            "people": self.head_count.record(),
            "children_special_category": self.children_special_category,
            "special_by_category": dict(self.special_by_category),
            "images": self.images.record(),
            "directly_identified": self.directly_identified,
            "directly_identified_share": self.directly_identified_share,
            "directly_identified_columns": list(self.directly_identified_columns),
            "fields": [entry.record() for entry in self.fields],
            "schools": self.schools,
            "oldest_year": self.oldest_year,
            "oldest_year_column": self.oldest_year_column,
            "leavers": self.leavers,
            "status": self.status,
            "at_least": dict(self.at_least),
            "looked_for": [{"what": e.what, "state": e.state, "why": e.why} for e in self.looked_for],
            "left_out": [{"where": e.where, "rows": e.rows, "why": e.why} for e in self.left_out],
            "text": self._part("text", self.text, "words of free text"),
            "pictures": self._part("pictures", self.pictures, "pictures hold"),
            "documents": self._part("documents", self.documents, "documents hold"),
            "file_names": self._part("file_names", self.file_names, "names of files"),
            "by_source": None if self.by_source is None else self.by_source.record(),
            "waterfall": None if self.steps is None else self.steps.record(),
        } | with_reasons(self.reasons)

    def _part(self, name: str, found: Any, asked: str) -> dict[str, Any]:
        """The record of one part with its state; where there is none, the state and why."""
        looked = next((e for e in self.looked_for if asked in e.what), None)
        if looked is None:
            looked = Looked(name, "not looked for", "no file was opened")
        return {"state": looked.state, "why": looked.why} | ({} if found is None else found.record())

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        heads = self.head_count.published(hide_below)
        children, children_shown = self.head_count.children, heads.children
        exact_special = self.children_special_category
        special = within(exact_special, hide_below, children, children_shown)
        directly = within(self.directly_identified, hide_below, self.head_count.total, heads.total)
        by_category = {
            name: within(within(n, hide_below, children, children_shown), hide_below, exact_special, special)
            for name, n in self.special_by_category.items()
        }
        leavers = within(self.leavers, hide_below, children, children_shown)
        shown = by_category | {
            "children_special_category": special,
            "directly_identified": directly,
            "leavers": leavers,
        }
        return replace(
            self,
            head_count=heads,
            children_special_category=special,
            special_by_category=by_category,
            images=replace(
                self.images,
                linked_to_a_child=tables.hide(self.images.linked_to_a_child, hide_below, of=self.images.files),
            ),
            directly_identified=directly,
            directly_identified_share=tables.hide_share(self.directly_identified_share, directly),
            fields=self.field_table().published(hide_below).fields,
            leavers=leavers,
            at_least={
                name: count if isinstance(count := shown[name], Hidden) else tables.hide(least, hide_below)
                for name, least in self.at_least.items()
            },
            text=self.text and self.text.published(hide_below, children, children_shown),
            pictures=self.pictures and self.pictures.published(hide_below),
            file_names=self.file_names and self.file_names.published(hide_below),
            by_source=self.by_source and self.by_source.published(hide_below),
            steps=self.steps and self.steps.published(hide_below),
        )
