"""Texts of notes put together of sentences, and where the labelled spans in them begin and end."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl

from otrack_risk.synth.draw import Bools, Chance, Ints, gather
from otrack_risk.synth.notes_parts import GAP, LABELS, LITERAL, NAMES, OF_THE_NOTE, POSITIONS, sentences
from otrack_risk.synth.targets import assumed

_TRIES = 6
_INITIALS = LABELS.index("INITIALS")


class Filled(NamedTuple):
    """What stands in a slot, for several notes, and whom it tells of."""

    text: pl.Series
    label: Ints | int = -1  # place in LABELS; -1: says nothing of anybody
    kind: int = 0  # place in SUBJECTS
    subject: Ints | int = -1  # row in the table of these; -1: a person who is in no table


class Written(NamedTuple):
    """Texts of notes, and the spans in them: one entry a span, in order of note and place."""

    text: pl.Series
    note: Ints
    start: Ints
    end: Ints
    label: Ints
    kind: Ints
    subject: Ints


def pick(chance: Chance, key: Ints, topic: Ints, short: Bools, wanted: Bools, hold: Ints) -> Ints:
    """A sentence for each note and position: one that fits, -1 where none is wanted or fits.

    Parameters
    ----------
    topic : place in ``Sentences.topics``
    wanted : (notes, POSITIONS)
    hold : what holds for each note, see :func:`holds`
    """
    held = sentences()
    register = short.astype(np.int64)
    chosen = np.full(wanted.shape, -1, dtype=np.int64)
    for position, name in enumerate(POSITIONS):
        first, size, free = (
            pool[topic, position, register] for pool in (held.pool_first, held.pool_size, held.pool_free)
        )
        left = np.flatnonzero(wanted[:, position] & (size > 0))
        for step in range(_TRIES + 1):  # the last time among those that need nothing
            among = (size if step < _TRIES else free)[left]
            u = chance.of(f"notes.text.{name}", key[left], np.array([step]))
            at = np.minimum(first[left] + (u * among).astype(np.int64), len(held.member) - 1)
            found = np.where(among > 0, held.member[at], -1)
            fits = (found >= 0) & ((held.needs[found] & ~hold[left]) == 0)
            chosen[left[fits], position] = found[fits]
            left = left[~fits]
    return chosen


def write(chance: Chance, key: Ints, chosen: Ints, short: Bools, fill: Callable[[str, Ints, Ints], Filled]) -> Written:
    """Put the chosen sentences of each note together.

    All tokens of all notes stand in one column: each slot is filled for all its tokens at once, and where a
    span begins is the sum of the lengths before it.

    Parameters
    ----------
    chosen : (notes, POSITIONS) sentence or -1; every note has one at least
    short : notes in shorthand, of which some have no capitals
    fill : given a slot, notes, and the place of the token in its note, what stands there
    """
    held = sentences()
    of_note, position = np.nonzero(chosen >= 0)
    part = chosen[of_note, position]
    length = held.length[part]
    note = np.repeat(of_note, length)
    in_part = np.arange(len(note)) - np.repeat(np.cumsum(length) - length, length)
    token = np.repeat(held.first[part], length) + in_part
    begins = np.searchsorted(note, np.arange(len(key)))
    place = np.arange(len(note)) - begins[note]

    slot = held.slot[token]
    order = np.argsort(slot, kind="stable")
    edges = np.searchsorted(slot[order], np.arange(len(held.slots) + 1))
    pieces = [pl.Series([], dtype=pl.String)]
    label, kind, subject = (np.full(len(note), value, dtype=np.int64) for value in (-1, 0, -1))
    lined = chance.of("notes.text.new_line", key) < assumed("note_new_line")
    for which, name in enumerate(held.slots):
        rows = order[edges[which] : edges[which + 1]]
        if name == LITERAL:
            filled = Filled(held.words.gather(token[rows]), held.label[token[rows]], 0, OF_THE_NOTE)
        elif name == GAP:
            filled = Filled(gather(("", " ", "\n"), np.where(place[rows] == 0, 0, 1 + lined[note[rows]])))
        else:
            filled = fill(name, note[rows], place[rows])
        pieces.append(filled.text)
        label[rows], kind[rows], subject[rows] = filled.label, filled.kind, filled.subject
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    text = pl.concat(pieces).gather(back)

    literal = (slot == held.slots.index(LITERAL)) & (label < 0) & ~held.decoy[token]
    lower = (short & (chance.of("notes.text.lower", key) < assumed("note_lower")))[note]
    sloppy = chance.of("notes.text.typo", key) < assumed("note_typo")
    text = _each(text, np.flatnonzero((in_part == 1) & (label < 0) & ~lower), _capital)
    text = _each(
        text, np.flatnonzero(lower & (label < len(NAMES)) & (label != _INITIALS)), lambda some: some.str.to_lowercase()
    )
    mistyped = np.flatnonzero(literal & sloppy[note] & (chance.of("notes.text.typo.here", key[note], place) < 0.5))
    text = _each(text, mistyped, lambda some: _typo(some, chance, key[note[mistyped]], place[mistyped]))

    size = text.str.len_chars().to_numpy().astype(np.int64)
    stop = np.cumsum(size)
    start = stop - size
    spans = np.flatnonzero(label >= 0)
    zero = start[begins[note[spans]]]
    whole = pl.DataFrame({"note": note, "text": text}).group_by("note", maintain_order=True).agg(pl.col("text"))
    return Written(
        text=whole["text"].list.join(""),
        note=note[spans],
        start=start[spans] - zero,
        end=stop[spans] - zero,
        label=label[spans],
        kind=kind[spans],
        subject=subject[spans],
    )


def _each(text: pl.Series, rows: Ints, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The texts with those of these rows changed."""
    if not len(rows):
        return text
    at = np.arange(len(text))
    at[rows] = len(text) + np.arange(len(rows))
    return pl.concat([text, change(text.gather(rows))]).gather(at)


def _capital(text: pl.Series) -> pl.Series:
    return text.str.slice(0, 1).str.to_uppercase() + text.str.slice(1)


def _typo(text: pl.Series, chance: Chance, key: Ints, place: Ints) -> pl.Series:
    """Two small letters in a row changed over, or one left out; unchanged where no two stand at the place drawn."""
    at = pl.Series((chance.of("notes.text.typo.at", key, place) * text.str.len_chars().to_numpy()).astype(np.int64))
    swap = pl.Series(chance.of("notes.text.typo.swap", key, place) < 0.6)
    frame = pl.DataFrame({"text": text, "at": at, "swap": swap})
    two = pl.col("text").str.slice(pl.col("at"), 2)
    first, second = two.str.slice(0, 1), two.str.slice(1, 1)
    new = pl.when("swap").then(second + first).otherwise(second)
    changed = pl.col("text").str.slice(0, pl.col("at")) + new + pl.col("text").str.slice(pl.col("at") + 2)
    return frame.select(pl.when(two.str.contains("^[a-z]{2}$")).then(changed).otherwise("text").alias("text"))["text"]
