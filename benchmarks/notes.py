"""Labelled notes, and how much of what they hold a program finds in them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import polars as pl

from otrack_risk.text.folding import fold
from otrack_risk.text.roster import Roster

HERE = Path(__file__).parent
WRITTEN = HERE.parent / "tests" / "text" / "notes"
BY_HAND = ("first", "second", "third", "fourth")  # folders there, in the order in which they were written
SENSITIVE = ("HEALTH_SEND", "RELIGION", "ETHNICITY_NATIONALITY_LANGUAGE", "SAFEGUARDING_STATUS")
FORMS = ("full", "forename", "nickname", "surname", "initials", "misspelt", "number")  # of the table scan_measured
COUNTS = ("labelled", "found", "claimed", "right")
NOT_SCORED = frozenset({"SCHOOL", "CLASS"})  # a peer has no such label, and a note seldom tells it
_OF_WORLD = {  # a label of a world's truth -> the scan's
    "NICKNAME": "PERSON",
    "INITIALS": "PERSON",
    "MISSPELT_NAME": "PERSON",
    "DATE_OF_BIRTH": "DOB",
    "NHS_NUMBER": "NHS",
    "HEALTH": "HEALTH_SEND",
    "SEND": "HEALTH_SEND",
    "SAFEGUARDING": "SAFEGUARDING_STATUS",
    "ETHNICITY": "ETHNICITY_NATIONALITY_LANGUAGE",
    "LANGUAGE": "ETHNICITY_NATIONALITY_LANGUAGE",
}
_FORM_OF_WORLD = {"NICKNAME": "nickname", "INITIALS": "initials", "MISSPELT_NAME": "misspelt"}
_TELL_WHOSE = frozenset({"UPN", "ULN", "EMAIL", "FILENAME", "USERNAME"})  # beside a name, what tells whose it is

_LOCALES = ("en_GB", "pl_PL", "en_GB", "ro_RO", "en_IN", "en_GB", "tr_TR", "es_ES", "yo_NG", "it_IT", "en_GB")
_FRAMES = (  # prime to the locales, so that each meets each
    *("{} rang at 3 about the bus.", "Spoke with {} at the clinic, report due next week."),
    *("Referral passed to {}, no reply yet.", "Minutes taken by {}.", "Paid by {} in cash."),
    *("{} from the housing team visited on Tuesday.", "Appointment is with {} on 4 March."),
    *("Emailed {} re attendance, copied in the office.", "{} will collect from now on."),
    *("He said that {} and his friends took it from him.", "Lives with {} and two dogs."),
    *("Call back before 4pm: {}.", "TAF led by {} at the family centre.", "Handed over to {} at the gate."),
    *("Says {} online is asking for pictures.", "{}, who runs the club, is happy to have her."),
    *("{} – new foster placement from Monday.", "Please ask {} for the forms."),
    *("{}'s car was blocking the drive.", "Assessed by {} in clinic today, glasses prescribed."),
)


class Gold(NamedTuple):
    """What a note holds, as somebody who wrote or made it says."""

    start: int
    end: int
    label: str
    form: str  # of a person: "pupil full", "staff", "outside" ...; else the label
    rows: tuple[int, ...] = ()  # of the table of children, where it is labelled which is meant


class Said(NamedTuple):
    """What a program says that a note holds; it may be read in several ways, the most favourable counts."""

    start: int
    end: int
    labels: tuple[str, ...]
    form: str = ""
    counts: bool = True  # among what its precision is taken of
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Set:
    """Labelled notes with the people whom a table of the school would hold."""

    name: str
    texts: Sequence[str]
    gold: Sequence[Sequence[Gold]]
    notes: pl.DataFrame  # as a scan is given them
    children: pl.DataFrame
    staff: pl.DataFrame

    def roster(self) -> Roster:
        """Its people, as a scan takes them; made anew each time."""
        return Roster.of(self.children, self.staff)

    def first(self, most: int) -> Set:
        """The first of its notes."""
        return replace(self, texts=self.texts[:most], gold=self.gold[:most], notes=self.notes.head(most))

    def characters(self) -> float:
        """Of a note, on average."""
        return sum(map(len, self.texts)) / len(self.texts)


def written(which: str = "first") -> Set:
    """One of the sets of :data:`BY_HAND`, with its roster: ``notes.jsonl``, ``roster.csv``, ``staff.csv``."""
    folder = WRITTEN / which
    lines = (folder / "notes.jsonl").read_text(encoding="utf-8").splitlines()
    return read(f"{which} by hand", map(json.loads, lines), folder / "roster.csv", folder / "staff.csv")


def read(name: str, lines: Iterable[Mapping[str, object]], roster: Path, staff: Path) -> Set:
    """Notes of the written form, with the tables of their children and staff."""
    held = list(lines)
    gold = [
        sorted(Gold(s["start"], s["end"], s["label"], _form(s), tuple(s.get("row", ()))) for s in note["spans"])  # type: ignore[attr-defined]
        for note in held
    ]
    texts = [str(note["text"]) for note in held]
    notes = pl.DataFrame({"id": [str(note["id"]) for note in held], "text": texts})
    return Set(
        name, texts, gold, notes, pl.read_csv(roster, infer_schema=False), pl.read_csv(staff, infer_schema=False)
    )


def of_world(folder: Path) -> Set:
    """The notes of a synthetic world in Parquet, with its truth, in an order of chance that is always the same."""
    notes = pl.read_parquet(folder / "notes.parquet")
    pupils = pl.read_parquet(folder / "pupils.parquet")
    truth = pl.read_parquet(folder / "truth" / "spans.parquet").filter(pl.col("table") == "notes", column="text")
    notes = notes.sample(fraction=1, shuffle=True, seed=5)
    names = {
        row["pupil_id"]: tuple(row[n] for n in ("forename", "surname", "preferred_forename"))
        for row in pupils.iter_rows(named=True)
    }
    texts = dict(zip(notes["note_id"], notes["text"], strict=True))
    row_of = {pupil: row for row, pupil in enumerate(pupils["pupil_id"])}
    gold: dict[str, list[Gold]] = {note: [] for note in texts}
    for note, start, end, label, subject, kind in truth.select(
        "row", "start", "end", "label", "subject", "subject_kind"
    ).iter_rows():
        if note in gold:
            as_scan = _OF_WORLD.get(label, label)
            form = as_scan
            if as_scan == "PERSON":
                form = {"child": "pupil", "guardian": "guardian", "staff": "staff"}.get(kind, "outside")
                if form == "pupil":
                    form += f" {_FORM_OF_WORLD.get(label) or _part(texts[note][start:end], names[subject])}"
            told = kind == "child" and (as_scan == "PERSON" or as_scan in _TELL_WHOSE)
            gold[note].append(Gold(start, end, as_scan, form, (row_of[subject],) if told else ()))
    notes = notes.rename({"note_id": "id"})
    return Set(
        "made by synth",
        list(texts.values()),
        [sorted(gold[note]) for note in texts],
        notes.select("id", "pupil_id", "text"),
        pupils,
        pl.read_parquet(folder / "staff.parquet"),
    )


def strangers(most: int = 1_200) -> Set:
    """One sentence each about somebody who is in no table, by full name and by forename in turn; names of Faker."""
    from faker import Faker

    makers = [Faker(locale) for locale in _LOCALES]
    for number, maker in enumerate(makers):
        maker.seed_instance(number)
    texts, gold = [], []
    for number in range(most):
        maker = makers[number // 2 % len(makers)]
        said = f"{maker.first_name()} {maker.last_name()}" if number % 2 else maker.first_name()
        frame = _FRAMES[number // 2 % len(_FRAMES)]
        start = frame.index("{}")
        texts.append(frame.format(said))
        gold.append([Gold(start, start + len(said), "PERSON", "outside full" if number % 2 else "outside forename")])
    notes = pl.DataFrame({"id": [str(number) for number in range(most)], "text": texts})
    school = written()
    return Set("strangers", texts, gold, notes, school.children, school.staff)


def scored(gold: Sequence[Sequence[Gold]], said: Sequence[Sequence[Said]]) -> dict[str, object]:
    """Recall, precision and F2 of the core labels and of the sensitive ones; recall by form; false alarms.

    A hit is the same label over at least half of the labelled stretch.
    """
    core, sensitive = _Tally(), _Tally()
    forms: dict[str, list[int]] = {}
    empty = false = 0
    for held, claims in zip(gold, said, strict=True):
        for span in held:
            if span.label in NOT_SCORED:
                continue
            hit = any(_hits(claim, span) for claim in claims)
            (sensitive if span.label in SENSITIVE else core).labelled.append(hit)
            tally = forms.setdefault(span.form, [0, 0])
            tally[0] += 1
            tally[1] += hit
        for claim in claims:
            if not claim.counts or set(claim.labels) <= NOT_SCORED:
                continue
            right = any(_hits(claim, span) for span in held)
            of = sensitive if set(claim.labels) <= set(SENSITIVE) else core
            of.claimed.append(right)
        if not held:
            empty += 1
            false += sum(c.counts and not set(c.labels) <= NOT_SCORED | set(SENSITIVE) for c in claims)
    return {
        "core": core.record(),
        "sensitive": sensitive.record(),
        "forms": {form: {"labelled": n, "found": hits} for form, (n, hits) in sorted(forms.items())},
        "false_identifiers": false,
        "empty_notes": empty,
    }


def by_form(held: Set, said: Sequence[Sequence[Said]]) -> dict[str, dict[str, int]]:
    """Of each form of a child's name: mentions labelled and found, claimed and right; each with the right child.

    A number, file name, address or user name that tells which child it is of counts as ``number``.
    """
    names = [" ".join(fold(part) for part in row if part).split() for row in _names(held.children)]
    tally = {form: Counter[str]() for form in FORMS}
    for note, gold, claims in zip(held.texts, held.gold, said, strict=True):
        children = [span for span in gold if span.rows]
        for span in children:
            form = _scan_form(note, span, names)
            tally[form]["labelled"] += 1
            tally[form]["found"] += any(_hits(c, span) and set(c.rows) & set(span.rows) for c in claims)
        for claim in claims:
            form = claim.form if claim.labels == ("PERSON",) else "number"
            if claim.rows and form in FORMS:
                tally[form]["claimed"] += 1
                tally[form]["right"] += any(_hits(claim, s) and set(claim.rows) & set(s.rows) for s in children)
    return {form: {name: counts[name] for name in COUNTS} for form, counts in tally.items()}


class _Tally:
    def __init__(self) -> None:
        self.labelled: list[bool] = []
        self.claimed: list[bool] = []

    def record(self) -> dict[str, float | int | None]:
        recall = sum(self.labelled) / len(self.labelled) if self.labelled else None
        precision = sum(self.claimed) / len(self.claimed) if self.claimed else None
        return {
            "labelled": len(self.labelled),
            "found": sum(self.labelled),
            "claimed": len(self.claimed),
            "right": sum(self.claimed),
            "recall": recall,
            "precision": precision,
            "f2": 5 * precision * recall / (4 * precision + recall) if precision and recall else None,
        }


def _hits(claim: Said, gold: Gold) -> bool:
    shared = min(claim.end, gold.end) - max(claim.start, gold.start)
    return gold.label in claim.labels and 2 * shared >= gold.end - gold.start


def _form(span: Mapping[str, str]) -> str:
    if span["label"] != "PERSON":
        return span["label"]
    return f"pupil {span['form']}" if span["role"] == "pupil" else {"staff": "staff"}.get(span["role"], "outside")


def _part(text: str, names: tuple[str | None, ...]) -> str:
    forename, surname, called = names
    given = {forename, called} - {None}
    if text == surname:
        return "surname"
    if text in given:
        return "forename"
    return "lowercase" if text.islower() else "full" if surname and surname in text else "other"


def _names(children: pl.DataFrame) -> Iterable[tuple[str | None, ...]]:
    legal = "legal_" if "legal_forename" in children.columns else ""
    return children.select(f"{legal}forename", "preferred_forename", f"{legal}surname").iter_rows()


def _scan_form(note: str, gold: Gold, names: Sequence[Sequence[str]]) -> str:
    """The form as which the scan would count a labelled mention."""
    if gold.label != "PERSON":
        return "number"
    form = gold.form.removeprefix("pupil ")
    as_scan = {
        "reversed": "full",
        "forename_initial": "forename",
        "initial_surname": "surname",
        "surname_initial": "surname",
        "other": "forename",
    }
    if form not in ("upper", "lowercase"):
        return as_scan.get(form, form)
    parts = fold(note[gold.start : gold.end]).split()
    if len(parts) > 1 and len(parts[-1]) > 1:
        return "full"
    return "surname" if parts[0] == names[gold.rows[0]][-1] else "forename"
