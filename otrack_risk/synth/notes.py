"""Notes of staff about pupils, with every name, number and sensitive word in them labelled; and behaviour events."""

from __future__ import annotations

import numpy as np
import polars as pl

from otrack_risk.synth import notes_cast, notes_parts, notes_slots, notes_text, notes_when
from otrack_risk.synth.draw import Bools, Chance, Ints, choose, choose_by, gather, rank_within
from otrack_risk.synth.notes_parts import KINDS, LABELS, PLAIN, POSITIONS, SUBJECTS
from otrack_risk.synth.notes_text import Written
from otrack_risk.synth.targets import assumed, assumptions
from otrack_risk.synth.terms import school_year
from otrack_risk.synth.town import Town


def make_notes(chance: Chance, town: Town) -> dict[str, pl.DataFrame]:
    """Notes, behaviour events, and what stands where in the notes.

    Kinds fit the pupil: notes on special needs only of pupils with provision, medical ones of those with a
    condition, safeguarding ones of few. A note is dated on a school day on which the pupil was on roll, and
    written by somebody in post at the school on that day. No two notes of a town read the same.

    Parameters
    ----------
    town : with schools, classes, households, pupils, guardians, pupil_guardians, staff, contracts, attendance

    Returns
    -------
    notes : note_id, pupil_id, staff_id, written_on, kind (of :data:`KINDS`), text
    behaviour : event_id, pupil_id, staff_id, happened_on, kind, points, note_id (null for most)
    spans : table, row (note_id), column, start, end (code points, end exclusive), label, subject, subject_kind

    Notes
    -----
    A span whose subject_kind is ``outside`` names a person who is in no table: its subject is null. Words
    on health, special needs, safeguarding or religion have the pupil of the note as subject. Words that are
    somebody's name elsewhere ("Will check", "Rose class") are planted and have no span.
    """
    held = notes_cast.roll(chance, town)
    kept = notes_when.years(town, held)
    posts = notes_when.Posts.of(town)
    missed = notes_when.absences(town, held)
    events = notes_when.writers(chance, posts, notes_when.events(chance, held, kept))
    events = events.of(events.author >= 0)
    second = school_year(events.day) - held.entered[events.pupil] >= 7
    which, points = notes_when.behaviour_events(chance, events.key, second)
    noted = _noted(chance, events, second)

    others = notes_when.writers(chance, posts, notes_when.notes(chance, town, held, kept, missed))
    found = notes_when.joined([events.of(noted), others.of(others.author >= 0)])
    event = np.concatenate([np.flatnonzero(noted), np.full(len(found.pupil) - int(noted.sum()), -1)])
    order = np.lexsort((*reversed(found.key), found.day, found.pupil))
    found, event = found.of(order), event[order]
    running = rank_within(found.pupil, np.arange(len(order)))
    key = held.number[found.pupil] * 1000 + running

    cast = notes_cast.cast(
        chance, held, key, found.day, found.pupil, notes_when.colleagues(chance, posts, found, key), missed
    )
    conditions = notes_cast.conditions(cast)
    plain = _plain(chance, key, found.kind)
    of_event = [f"behaviour.{row['topic']}" for row in assumptions("behaviour_event")]
    topics = notes_parts.sentences().topics
    topic = _topics(chance, key, found.kind, plain, conditions)
    about = np.array([topics.index(name) for name in of_event])[which[np.maximum(event, 0)]]
    topic = np.where((event >= 0) & ~plain, about, topic)
    short = chance.of("notes.register", key) < assumed("note_short")
    chosen = notes_text.pick(chance, key, topic, short, _wanted(chance, key, plain), notes_parts.holds(conditions))
    written = notes_text.write(
        chance, key, chosen, short, lambda slot, rows, place: notes_slots.fill(cast, slot, rows, place)
    )
    first = written.text.is_first_distinct().to_numpy()
    note_id = _ids("N", held.number[found.pupil], running, 2)
    pupil_id, staff_id = town["pupils"]["pupil_id"], town["staff"]["staff_id"]
    notes = pl.DataFrame(
        {
            "note_id": note_id,
            "pupil_id": pupil_id.gather(found.pupil),
            "staff_id": staff_id.gather(found.author),
            "written_on": pl.Series(found.day),
            "kind": gather(KINDS, found.kind),
            "text": written.text,
        }
    ).filter(pl.Series(first))
    note_of = pl.Series([None], dtype=pl.String).gather(np.zeros(len(which), dtype=np.int64))
    linked = np.flatnonzero((event >= 0) & first)
    note_of = note_of.scatter(event[linked], note_id.gather(linked))
    behaviour = _behaviour(town, held, events, which, points, note_of)
    return {"notes": notes, "behaviour": behaviour, "spans": _spans(town, written, note_id, cast.pupil, first)}


def _noted(chance: Chance, events: notes_when.Entries, second: Bools) -> Bools:
    often = np.where(second, assumed("behaviour_with_note_secondary"), assumed("behaviour_with_note_primary"))
    noted: Bools = chance.of("behaviour.note_id", *events.key) < often
    return noted


def _plain(chance: Chance, key: Ints, kind: Ints) -> Bools:
    """Which notes are impersonal; a topic of that name is there for every kind that has such."""
    topics = notes_parts.sentences().topics
    can = np.array([f"{name}.{PLAIN}" in topics for name in KINDS])
    plain: Bools = (chance.of("notes.plain", key) < assumed("note_plain")) & can[kind]
    return plain


def _topics(chance: Chance, key: Ints, kind: Ints, plain: Bools, conditions: dict[str, Bools]) -> Ints:
    """The topic of each note, by weight, of those for which what they need holds."""
    topics = notes_parts.sentences().topics
    rows = assumptions("note_topic")
    names = [f"{row['kind']}.{row['topic']}" for row in rows]
    weights = np.array([[row["weight"] if row["kind"] == name else 0 for row in rows] for name in KINDS], dtype=float)
    needs = sorted({row["needs"] for row in rows if "needs" in row})
    held = np.zeros(len(key), dtype=np.int64)
    for place, need in enumerate(needs):
        held |= conditions[need].astype(np.int64) << place
    combined = np.arange(1 << len(needs))
    fits = np.stack(
        [(combined >> needs.index(row["needs"])) & 1 if "needs" in row else np.ones_like(combined) for row in rows]
    ).T
    grid = (weights[:, None, :] * fits[None, :, :]).reshape(-1, len(rows))
    grid[grid.sum(axis=1) == 0] = 1.0  # of behaviour, whose topic is that of the event
    row = choose_by(chance.of("notes.topic", key), grid, kind * len(combined) + held)
    chosen = np.array([topics.index(name) for name in names])[row]
    flat = [topics.index(f"{name}.{PLAIN}") if f"{name}.{PLAIN}" in topics else -1 for name in KINDS]
    return np.where(plain, np.array(flat)[kind], chosen)


def _wanted(chance: Chance, key: Ints, plain: Bools) -> Bools:
    """Which sentences each note has: (notes, POSITIONS)."""
    shapes = assumptions("note_shape")
    grid = np.array([[name == "event" or name in shape["parts"] for name in POSITIONS] for shape in shapes])
    wanted = grid[choose(chance.of("notes.shape", key), [shape["weight"] for shape in shapes])]
    wanted[plain] = False
    wanted[plain, POSITIONS.index("event")] = True
    for place, name in enumerate(("opening", "follow")):
        more = chance.of("notes.shape.plain", key, np.array([place])) < assumed("note_plain_more")
        wanted[:, POSITIONS.index(name)] |= plain & more
    found: Bools = wanted
    return found


def _behaviour(
    town: Town, held: notes_cast.Roll, events: notes_when.Entries, which: Ints, points: Ints, note_id: pl.Series
) -> pl.DataFrame:
    order = np.lexsort((*reversed(events.key), events.day, events.pupil))
    running = rank_within(events.pupil[order], np.arange(len(order)))
    kinds = [row["kind"] for row in assumptions("behaviour_event")]
    return pl.DataFrame(
        {
            "event_id": _ids("B", held.number[events.pupil[order]], running, 3),
            "pupil_id": town["pupils"]["pupil_id"].gather(events.pupil[order]),
            "staff_id": town["staff"]["staff_id"].gather(events.author[order]),
            "happened_on": pl.Series(events.day[order]),
            "kind": gather(kinds, which[order]),
            "points": points[order].astype(np.int8),
            "note_id": note_id.gather(order),
        }
    )


def _spans(town: Town, written: Written, note_id: pl.Series, pupil: Ints, kept: Bools) -> pl.DataFrame:
    some = kept[written.note]
    note, kind = written.note[some], written.kind[some]
    subject = np.where(written.subject[some] == notes_parts.OF_THE_NOTE, pupil[note], written.subject[some])
    ids = (town["pupils"]["pupil_id"], town["guardians"]["guardian_id"], town["staff"]["staff_id"])
    first = np.cumsum([0, *(len(held) for held in ids)])[:-1]
    outside = kind == SUBJECTS.index("outside")
    row = pl.Series(np.where(outside, 0, first[np.minimum(kind, 2)] + subject)).set(pl.Series(outside), None)
    return pl.DataFrame(
        {
            "table": gather(("notes",), np.zeros(len(note), dtype=np.int64)),
            "row": note_id.gather(note),
            "column": gather(("text",), np.zeros(len(note), dtype=np.int64)),
            "start": written.start[some],
            "end": written.end[some],
            "label": gather(LABELS, written.label[some]),
            "subject": pl.concat(ids).gather(row),
            "subject_kind": gather(SUBJECTS, kind),
        }
    )


def _ids(letter: str, number: Ints, running: Ints, digits: int) -> pl.Series:
    """Keys by pupil and number of the row of that pupil, from 1."""
    texts = [pl.Series(part).cast(pl.String) for part in (number, running + 1)]
    return letter + texts[0].str.zfill(7) + texts[1].str.zfill(digits)
