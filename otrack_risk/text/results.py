"""What a scan says: counts of notes, mentions and children, and how much of it can be believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import Count, Hidden, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

State = Literal["found", "none found", "not looked for"]
WORDS = {
    "PERSON": "names of people",
    "ADDRESS": "addresses",
    "POSTCODE": "postcodes",
    "PHONE": "telephone numbers",
    "EMAIL": "e-mail addresses",
    "DOB": "dates of birth",
    "UPN": "unique pupil numbers",
    "ULN": "unique learner numbers",
    "NHS": "NHS numbers",
    "NINO": "national insurance numbers",
    "VEHICLE": "number plates",
    "FILENAME": "file names",
    "USERNAME": "user names",
    "SCHOOL": "schools",
    "HEALTH_SEND": "health and special needs",
    "RELIGION": "religion",
    "ETHNICITY_NATIONALITY_LANGUAGE": "ethnicity, nationality, language",
    "SAFEGUARDING_STATUS": "safeguarding and status",
}


@dataclass(frozen=True)
class Interval:
    """Between which numbers the true one lies, with the chance given."""

    low: float  # children
    high: float  # children
    level: float  # probability, 0 to 1

    def record(self) -> dict[str, float]:
        """Plain values."""
        return {"low": self.low, "high": self.high, "level": self.level}


@dataclass(frozen=True)
class Scan(Shown):
    """Personal data in free text, tied to the children of a roster.

    The counts of children are None where no roster was given: then they were not looked for.
    """

    key: ClassVar[str] = "scan"
    documents: int  # notes
    documents_with_text: int  # notes that are not empty
    documents_with_personal_data: int  # notes with at least one span that counts
    spans_by_label: Mapping[str, int]  # stretches of text, not people
    children: int | None  # rows of the roster: the denominator of the counts of children
    mentions: int  # stretches that name a child
    mentions_of_one: int  # of these, those that can mean one child only
    subjects_named: Count  # children of whom a mention can mean nobody else
    subjects_expected: float | Hidden | None  # children named, with those missed and those who share a name
    subjects_interval: Interval | None
    subjects_with_special_category: Count  # as subjects_named, in notes that also tell an article 9 fact
    special_expected: float | Hidden | None
    special_interval: Interval | None
    recall: float | None  # share of such mentions that the scan is known to find, 0 to 1; None without mentions
    precision: float | None  # share of what it takes for such a mention that is one, 0 to 1
    measured_assumed: bool  # the two above are assumed, not measured
    model: str  # the model that looked for people beyond the roster, or "none"
    full_names_only: int = 0  # notes in which children were looked for by full name only, their school being unknown
    by_set: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # labelled notes -> recall, precision

    def looked_for(self) -> tuple[tuple[str, State, str], ...]:
        """What was found, what was not, what was not looked for; and how."""

        def state(labels: tuple[str, ...]) -> State:
            return "found" if any(self.spans_by_label.get(label) for label in labels) else "none found"

        only: State = "not looked for"
        names, facts = ("PERSON",), tuple(WORDS)[14:]
        people: State = "not looked for"
        outside = "only by title, relation, initials and common first names: no model"
        if self.children is not None:
            people = "found" if self.mentions else "none found"
        return (
            ("numbers, addresses and other formats", state(tuple(WORDS)[1:14]), "by form and check character"),
            ("special category facts, offences, vulnerability", state(facts), "by word lists"),
            ("children by name", people, "by the roster" if self.children is not None else "no roster was given"),
            *(
                [
                    (
                        "children by forename, surname, nickname or initials alone",
                        only,
                        f"{written(self.full_names_only)} notes do not tell their school, and the roster is too large",
                    )
                ]
                if self.full_names_only
                else []
            ),
            (
                "people in no table",
                "not looked for" if self.children is None and self.model == "none" else state(names),
                outside if self.model == "none" else f"by the model {self.model}",
            ),
            ("text inside images", "not looked for", "images are not read"),
        )

    def sentence(self) -> str:
        said = (
            f"Of {written(self.documents)} notes, {written(self.documents_with_personal_data)} hold personal data that"
            f" was found ({written(self.documents - self.documents_with_text)} are empty)."
        )
        if self.children is None:
            return f"{said} No roster was given, so that children named in them were not looked for."
        said += (
            f" {written(self.subjects_named)} of {written(self.children)} children are named so that nobody else can be"
            f" meant{_about(self.subjects_expected, self.subjects_interval)}. Of"
            f" {written(self.subjects_with_special_category)} a note that names them also tells a special category fact"
            f"{_about(self.special_expected, self.special_interval)}."
        )
        if self.recall is not None:
            said += f" {self._known_to_find()}"
        if self.model == "none":
            said += (
                " People in no table were looked for only by title, relation and first name, because no model was used."
            )
        return said

    def _known_to_find(self) -> str:
        """How well a scan is known to find such mentions, and what the interval takes for granted."""
        ground = "assumed, not yet measured" if self.measured_assumed else "measured on labelled notes"
        if len(self.by_set) < 2:
            return (
                f"A scan like this finds {tables.percent(self.recall)} of such mentions, and"
                f" {tables.percent(self.precision)} of what it takes for one is one ({ground})."
            )
        found = _listed(f"{tables.percent(recall)} in {name}" for name, (recall, _) in self.by_set.items())
        right = _listed(f"{tables.percent(precision)} in {name}" for name, (_, precision) in self.by_set.items())
        return (
            f"A scan like this finds, of such mentions, {found}; of what it takes for one, one is {right} ({ground})."
            " The numbers from and to take it that these notes are as hard to read as one of those sets, or something"
            " between them, and that a name which several children share means any of them, or one who is named"
            " elsewhere; without labels nobody can check that, and the truth may lie outside."
        )

    def table(self) -> pl.DataFrame:
        rows: dict[str, tuple[object, str]] = {
            "notes": (self.documents, "notes"),
            "notes with personal data": (self.documents_with_personal_data, "notes"),
            **{WORDS[label]: (count, "mentions") for label, count in self.spans_by_label.items()},
            "mentions of a child": (self.mentions, "mentions"),
            "of these, of one child only": (self.mentions_of_one, "mentions"),
            "children named": (self.subjects_named, "children"),
            "children named, with those missed": (_rounded(self.subjects_expected), "children"),
            "children with a special category fact": (self.subjects_with_special_category, "children"),
            "the same, with those missed": (_rounded(self.special_expected), "children"),
            **{f"looked for: {what}": (state, why) for what, state, why in self.looked_for()},
        }
        return tables.table(
            {
                "counted": list(rows),
                "number": [value if isinstance(value, str) else written(value) for value, _ in rows.values()],
                "of_what": [what for _, what in rows.values()],
            }
        )

    def figure(self) -> Figure | None:
        if not self.spans_by_label:
            return None
        from otrack_risk.display import figures

        held = self.spans_by_label
        return figures.bars(
            [WORDS[label] for label in held],
            list(held.values()),
            f"Personal data stands in {written(self.documents_with_personal_data)} of {written(self.documents)} notes",
            "mentions found in the text of the notes",
        )

    def record(self) -> dict[str, Any]:
        """The contract's ``scan`` result; expected numbers, intervals, recall and what was looked for beside it."""
        none = None if self.children is not None else "no roster was given"
        return {
            "documents": self.documents,
            "documents_with_text": self.documents_with_text,
            "documents_with_personal_data": self.documents_with_personal_data,
            "spans_by_label": dict(self.spans_by_label),
            "subjects_named": self.subjects_named,
            "subjects_expected": self.subjects_expected,
            "subjects_interval": self.subjects_interval.record() if self.subjects_interval else None,
            "subjects_with_special_category": self.subjects_with_special_category,
            "special_category_expected": self.special_expected,
            "special_category_interval": self.special_interval.record() if self.special_interval else None,
            "children": self.children,
            "mentions": self.mentions,
            "mentions_of_one": self.mentions_of_one,
            "scanner": {
                "recall": self.recall,
                "precision": self.precision,
                "status": "assumed" if self.measured_assumed else "measured",
                "by_set": {name: {"recall": r, "precision": p} for name, (r, p) in self.by_set.items()},
            }
            | ({} if self.recall is not None else {"reason": none or "no child is named"}),
            "looked_for": [{"what": what, "state": state, "why": why} for what, state, why in self.looked_for()],
            "model": self.model,
            "full_names_only": self.full_names_only,
        } | ({} if none is None else {"reason": none})

    def published(self, hide_below: int = tables.HIDE_BELOW) -> Self:
        named = tables.hide(self.subjects_named, hide_below, of=self.children)
        special = tables.hide(self.subjects_with_special_category, hide_below, of=self.subjects_named)
        return replace(
            self,
            subjects_named=named,
            subjects_expected=named if isinstance(named, Hidden) else self.subjects_expected,
            subjects_interval=None if isinstance(named, Hidden) else self.subjects_interval,
            subjects_with_special_category=special,
            special_expected=special if isinstance(special, Hidden) else self.special_expected,
            special_interval=None if isinstance(special, Hidden) else self.special_interval,
        )


def _rounded(value: float | Hidden | None) -> Count:
    return round(value) if isinstance(value, int | float) else value


def _listed(parts: Iterable[str]) -> str:
    return " and ".join(parts)


def _about(expected: float | Hidden | None, interval: Interval | None) -> str:
    if interval is None or not isinstance(expected, int | float):
        return ""
    low, high = written(round(interval.low)), written(round(interval.high))
    return (
        f"; with shared names and those whom the scan misses, about {written(round(expected))}"
        f" ({low} to {high} with {tables.percent(interval.level)} probability)"
    )
