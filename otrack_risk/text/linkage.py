"""From mentions to children: whom each can mean, how many are named, and between which numbers the true one lies."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from otrack_risk import reference
from otrack_risk.text.mentions import COUNTED
from otrack_risk.text.names import Rows
from otrack_risk.text.results import Interval, Scan
from otrack_risk.text.roster import Roster
from otrack_risk.text.spans import Span

if TYPE_CHECKING:
    from otrack_risk.text.scan import Reading

NAMES_A_CHILD = frozenset({"full", "forename", "nickname", "surname", "initials", "misspelt"})
_YEAR = re.compile(r"(?<!\w)(?:y|yr|year) ?(\d{1,2})(?!\w)")
_DRAWS = 400  # of the interval, for each set of labelled notes; fewer, 50 at least, for more than 25,000 mentions
_WRITTEN = "notes written by hand"
_ENOUGH = 10  # labelled mentions of a form from which a set says something of it
_LEVEL = 0.95
_LEAST = 0.55  # recall below which the estimate has no variance to speak of; such a scan is taken to find so much


@dataclass(frozen=True)
class Measured:
    """How well one form of a name is found: of ``labelled`` mentions ``found``, of ``claimed`` ones ``right``."""

    labelled: int
    found: int
    claimed: int
    right: int

    @property
    def recall(self) -> float:
        """Share of such mentions that are found."""
        return self.found / self.labelled

    @property
    def precision(self) -> float:
        """Share of what is taken for such a mention that is one."""
        return self.right / self.claimed

    def drawn(self, rng: np.random.Generator) -> tuple[float, float]:
        """Recall and precision as they may be, given how few were counted (beta, Jeffreys' prior)."""
        recall = rng.beta(self.found + 0.5, self.labelled - self.found + 0.5)
        return float(recall), float(rng.beta(self.right + 0.5, self.claimed - self.right + 0.5))


Table = Mapping[str, Measured]  # by form of the name


def measured() -> tuple[dict[str, Table], bool]:
    """The table ``scan_measured``: set of labelled notes -> form -> counts; and whether any is assumed, not measured.

    The notes written by hand come first. Where a set labels too few mentions of a form, theirs stand in its place.
    """
    rows = reference.load("scan_measured").entries["form"]
    held: dict[str, dict[str, Measured]] = {_WRITTEN: {}}
    for r in rows:
        counts = Measured(r["labelled"], r["found"], r["claimed"], r["right"])
        held.setdefault(r.get("set", _WRITTEN), {})[r["name"]] = counts
    written = held[_WRITTEN]
    sets = {
        name: written | {form: each for form, each in forms.items() if min(each.labelled, each.claimed) >= _ENOUGH}
        for name, forms in held.items()
    }
    return {**sets, _WRITTEN: written}, any(row.get("status") == "assumed" for row in rows)


def names_a_child(span: Span) -> bool:
    """Whether a span counts and names a child itself, rather than its parent or its record's number."""
    return bool(span.subjects) and span.score >= COUNTED and (span.label != "PERSON" or span.form in NAMES_A_CHILD)


def narrowed(
    roster: Roster, folded: str, spans: Sequence[Span], own: int | None = None, school: str | None = None
) -> list[Span]:
    """The spans of one note with fewer children each, as far as the note tells which are meant.

    In this order, each only where it leaves somebody: the child whose note it is; the class or year named in the
    note; a child whom the note names without doubt, then its class, then its household.
    """
    open_spans = [span for span in spans if len(span.subjects) > 1 and own not in span.subjects]
    if not open_spans:
        return [
            span._replace(subjects=(own,)) if len(span.subjects) > 1 and own is not None and _of_a_child(span) else span
            for span in spans
        ]
    known = {span.subjects[0] for span in spans if len(span.subjects) == 1 and span.form in NAMES_A_CHILD}
    if own is not None:
        known.add(own)
    classes, years = _named_places(roster, folded, spans)
    home = _of(roster, "household_id", known)
    beside = _of(roster, "class", known)

    def fewer(span: Span) -> Span:
        rows = span.subjects
        if len(rows) < 2 or not _of_a_child(span):
            return span
        if own in rows:
            return span._replace(subjects=(own,))
        rows = _kept(rows, classes, roster.places["class"])
        rows = _kept(rows, years, roster.places["year_group"])
        if both := tuple(row for row in rows if row in known):
            return span._replace(subjects=both)
        rows = _kept(rows, beside, roster.places["class"])
        rows = _kept(rows, home, roster.places["household_id"])
        return span if rows is span.subjects else span._replace(subjects=rows)

    return [fewer(span) for span in spans]


def counted(reading: Reading, rng: np.random.Generator) -> Scan:
    """How many notes hold personal data, and how many children are named, of how many it is told what.

    Notes
    -----
    A mention that can mean k children counts 1/k of each, and what the scan takes for a mention is one with chance p
    (precision). A form of name is found with chance r (recall). The number of children named is estimated by the sum of
    1 - product over a child's mentions of (1 - p / (k r)). Where p = k = 1, m mentions found make 1 - (-(1 - r) / r)^m,
    whose mean is 1 for every child with a mention, found or not, however many it has: E[x^m] = (1 - r + r x)^M is
    0 at x = -(1 - r) / r. Its variance is ((1 - r) / r)^M, estimated by x^(2 m). The interval draws, for each
    repetition, recall and precision (beta, from how many labelled mentions they were measured on), which mentions are
    right, which of the k is meant, and a normal error of that variance. A name that several share is spread over them:
    where it means the same child each time, the estimate is too high, so give the notes the pupil's number or school.

    Other notes differ from those on which recall was measured, and by more than chance: precision of initials is 0.97
    in the notes written by hand and 0.70 in those of made schools. So the interval is not that of one set. It is
    worked out for each set of labelled notes, and for each with two ways of taking a name that several children share:
    as any of them, and as one who is named without doubt elsewhere, where there is one. It runs from the lowest to the
    highest of these; the estimate is their mean. It holds the truth with at least the chance given *if* the notes are
    as hard as one of the sets, or a mixture of them, which cannot be checked without labels. Higgins, Thompson and
    Spiegelhalter [1]_ say why the variation between sets belongs in what is foretold of another one; two sets are too
    few to estimate it, so their range is taken. Bounds for what data leave open are after Manski [2]_.

    References
    ----------
    .. [1] Higgins, Thompson and Spiegelhalter (2009), J. R. Stat. Soc. A 172(1), 137-159.
    .. [2] Manski (2003), Partial Identification of Probability Distributions, Springer.
    """
    labels: Counter[str] = Counter()
    with_data = 0
    named: list[tuple[str, Rows, bool]] = []
    for spans, special in zip(reading.spans, reading.special, strict=True):
        held = [span for span in spans if span.score >= COUNTED]
        with_data += bool(held)
        labels.update(span.label for span in held)
        named += [(_form(span), span.subjects, special) for span in held if names_a_child(span)]
    sets, assumed = measured()
    most = reading.roster.height if reading.roster else 0
    everyone = _over_sets([(form, rows) for form, rows, _ in named], sets, rng, most)
    special_ones = _over_sets([(form, rows) for form, rows, special in named if special], sets, rng, most)
    of_child = Counter(form for form, _, _ in named)
    by_set = {name: _overall(of_child, table) for name, table in sets.items()} if named else {}
    recall, precision = next(iter(by_set.values()), (None, None))
    roster = reading.roster
    return Scan(
        documents=len(reading.spans),
        documents_with_text=reading.looked_at,
        documents_with_personal_data=with_data,
        spans_by_label=dict(sorted(labels.items(), key=lambda item: (-item[1], item[0]))),
        children=roster.height if roster else None,
        mentions=len(named),
        mentions_of_one=sum(len(rows) == 1 for _, rows, _ in named),
        subjects_named=everyone.resolved if roster else None,
        subjects_expected=everyone.expected if roster else None,
        subjects_interval=everyone.interval if roster else None,
        subjects_with_special_category=special_ones.resolved if roster else None,
        special_expected=special_ones.expected if roster else None,
        special_interval=special_ones.interval if roster else None,
        recall=recall,
        precision=precision,
        measured_assumed=assumed,
        by_set=by_set,
        model=reading.model,
        full_names_only=reading.full_names_only,
    )


def told(reading: Reading) -> dict[int, dict[str, float]]:
    """For each child named in a note, the labels found in such notes, each with the chance that it is this child."""
    held: dict[int, dict[str, float]] = defaultdict(dict)
    for spans in reading.spans:
        labels = {span.label for span in spans if span.score >= COUNTED}
        for span in spans:
            if names_a_child(span):
                for row in span.subjects:
                    for label in labels:
                        held[row][label] = max(held[row].get(label, 0.0), 1 / len(span.subjects))
    return dict(held)


@dataclass(frozen=True)
class _Children:
    resolved: int  # children of whom a mention can mean nobody else
    expected: float  # children, taking in those who were missed
    interval: Interval | None


def _of_a_child(span: Span) -> bool:
    return span.label != "PERSON" or span.form in NAMES_A_CHILD


def _form(span: Span) -> str:
    return span.form if span.label == "PERSON" else "number"


def _over_sets(
    mentions: Sequence[tuple[str, Rows]], sets: Mapping[str, Table], rng: np.random.Generator, most: int
) -> _Children:
    """The mean over sets of labelled notes and both ways of taking shared names; and the range of their intervals."""
    ways = [mentions]
    if any(len(rows) > 1 for _, rows in mentions):
        named = {rows[0] for _, rows in mentions if len(rows) == 1}
        ways.append([(form, tuple(row for row in rows if row in named) or rows) for form, rows in mentions])
    each = [_estimate(way, table, rng, most) for way in ways for table in sets.values()]
    held = [one.interval for one in each if one.interval is not None]
    return _Children(
        each[0].resolved,
        sum(one.expected for one in each) / len(each),
        Interval(min(one.low for one in held), max(one.high for one in held), _LEVEL) if held else None,
    )


def _overall(forms: Mapping[str, int], table: Table) -> tuple[float, float]:
    """Recall and precision of these mentions, as a set of labelled notes has them; mentions by form."""
    known = [(n, _measure(table, form)) for form, n in forms.items()]
    whole = sum(n for n, _ in known)
    return whole / sum(n / each.recall for n, each in known), sum(n * each.precision for n, each in known) / whole


def _estimate(mentions: Sequence[tuple[str, Rows]], table: Table, rng: np.random.Generator, most: int) -> _Children:
    if not mentions:
        return _Children(0, 0.0, None)
    resolved = len({rows[0] for _, rows in mentions if len(rows) == 1})
    forms = sorted({form for form, _ in mentions})
    of_form = np.array([forms.index(form) for form, _ in mentions])
    sizes = np.array([len(rows) for _, rows in mentions])
    flat = np.array([row for _, rows in mentions for row in rows])
    first = np.cumsum(sizes) - sizes
    children, child = np.unique(flat, return_inverse=True)
    known = [_measure(table, form) for form in forms]

    exact = np.array([each.precision / max(each.recall, _LEAST) for each in known])
    left = np.ones(len(children))
    np.multiply.at(left, child, 1 - np.repeat(exact[of_form] / sizes, sizes))
    expected = float((1 - left).sum())

    drawn = []
    for _ in range(max(50, min(_DRAWS, 10_000_000 // len(flat)))):
        recall, precision = np.array([each.drawn(rng) for each in known]).T
        right = rng.random(len(mentions)) < precision[of_form]
        meant = child[first + (rng.random(len(mentions)) * sizes).astype(np.int64)][right]
        odds = (1 - 1 / np.maximum(recall, _LEAST))[of_form][right]
        left = np.ones(len(children))
        np.multiply.at(left, meant, odds)
        named = np.zeros(len(children), dtype=np.bool_)
        named[meant] = True
        left = left[named]
        total = (1 - left).sum()
        spread = np.sqrt((left**2).sum() + max(total - len(left), 0.0))
        drawn.append(total + spread * rng.standard_normal())
    low, high = np.clip(np.quantile(drawn, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]), min(1, most), most)
    return _Children(resolved, min(expected, float(most)), Interval(float(low), float(high), _LEVEL))


def _measure(table: Table, form: str) -> Measured:
    return table[form] if form in table else table["number"]


def _of(roster: Roster, place: str, rows: set[int]) -> set[str]:
    return {value for row in rows if (value := roster.places[place][row]) is not None}


def _kept(rows: Rows, wanted: set[str], values: Sequence[str | None]) -> Rows:
    """The rows of which the table says one of the wanted values; all, where that leaves nobody."""
    if not wanted or len(rows) < 2:
        return rows
    return tuple(row for row in rows if values[row] in wanted) or rows


def _named_places(roster: Roster, folded: str, spans: Sequence[Span]) -> tuple[set[str], set[str]]:
    """The classes and years of candidates that stand in the note."""
    rows = {row for span in spans if len(span.subjects) > 1 for row in span.subjects}
    padded = f" {folded} "
    classes = {name for name in _of(roster, "class", rows) if f" {name.lower()} " in padded}
    said = set(_YEAR.findall(folded))
    years = {year for year in _of(roster, "year_group", rows) if "".join(filter(str.isdigit, year)) in said}
    return classes, years
