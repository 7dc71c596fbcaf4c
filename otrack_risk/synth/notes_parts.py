"""Sentences of notes: which there are, and what each needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from otrack_risk import reference
from otrack_risk.errors import ReferenceTableError
from otrack_risk.synth.draw import Bools, Ints

KINDS = ("behaviour", "pastoral", "sen", "safeguarding", "admissions", "medical", "attendance", "assessment")
POSITIONS = ("opening", "event", "outcome", "follow", "sign")
REGISTERS = ("full", "short")
PLAIN = "plain"  # the topic of notes that name nobody
LABELS = (
    "PERSON",
    "NICKNAME",
    "INITIALS",
    "MISSPELT_NAME",
    "UPN",
    "ULN",
    "PHONE",
    "EMAIL",
    "POSTCODE",
    "ADDRESS",
    "DATE_OF_BIRTH",
    "SCHOOL",
    "CLASS",
    "HEALTH",
    "SEND",
    "SAFEGUARDING",
    "RELIGION",
    "ETHNICITY",
    "LANGUAGE",
)
NAMES = LABELS[:4]
SUBJECTS = ("child", "guardian", "staff", "outside")
# What may have to hold for a sentence: of the child and the day ...
# fmt: off
_OF_THE_CHILD = (
    "primary", "secondary", "young", "older", "care", "fsm", "premium", "service", "eal", "plan", "support", "new",
    "leaving", "absent", "apart", "elder", "asthma", "allergy", "eczema", "epilepsy", "diabetes", "heart", "coeliac",
    "speech", "autism", "semh", "dyslexia", "learning", "hearing", "vision", "physical",
)
# fmt: on
# ... and that the tables hold what the slots of the sentence ask for.
_OF_SLOTS = {
    "phone": "phone",
    "email": "email",
    "dad": "second",
    "Dad": "second",
    "him2": "second",
    "g2_full": "second",
    "phone2": "phone2",
    "sibling": "sibling",
    "brother": "sibling",
    "other": "other",
    "other_first": "other",
    "him3": "other",
    "his3": "other",
    "other2": "other2",
    "staff": "staff",
    "senco": "senco",
    "dsl": "dsl",
    "head": "head",
    "class": "class",
    "uln": "uln",
    "full_middle": "middle",
    "preferred": "preferred",
    "ethnicity": "ethnicity",
    "language": "language",
    "condition": "condition",
    "need": "need",
    "provision": "provision",
    "percent": "percent",
} | dict.fromkeys(("mum", "Mum", "Mrs", "g_full", "g_first", "she", "She", "her", "relationship"), "guardian")
CONDITIONS = (*_OF_THE_CHILD, *sorted(set(_OF_SLOTS.values())))
_BIT = {name: np.int64(1) << place for place, name in enumerate(CONDITIONS)}
_TOKEN = re.compile(r"\{([A-Z_]+):([^}]*)\}|\{(\w+)\}|~([^~]+)~|([^{}~]+)")
LITERAL, GAP = "", "gap"  # kinds of token beside the slots: words that stand in the sentence; what parts sentences
OF_THE_NOTE = -2  # subject of labelled words: the pupil whom the note is about


@dataclass(frozen=True)
class Sentences:
    """Every sentence of ``note_templates.toml``, cut into tokens: words, slots, and the gap before the sentence."""

    texts: tuple[str, ...]
    needs: Ints  # of each sentence: bits of CONDITIONS that have to hold
    first: Ints  # its first token
    length: Ints  # how many tokens
    slots: tuple[str, ...]
    slot: Ints  # of each token: place in `slots`
    words: pl.Series
    label: Ints  # of words: place in LABELS, or -1
    decoy: Bools  # words that are somebody's name elsewhere
    topics: tuple[str, ...]  # kind.topic
    member: Ints  # sentences of all pools; those that need nothing come first in each
    pool_first: Ints  # (topics, POSITIONS, REGISTERS)
    pool_free: Ints  # how many need nothing
    pool_size: Ints


@cache
def sentences() -> Sentences:
    """Read the sentences, and refuse what names an unknown slot, label or condition.

    Raises
    ------
    ReferenceTableError
        A sentence that nothing could fill, or a topic without an event.
    """
    pools = reference.load("note_templates").entries["pool"]
    known: dict[str, int] = {}
    places: dict[tuple[str, str, str], list[int]] = {}
    topics = tuple(f"{pool['kind']}.{pool['topic']}" for pool in pools if pool["kind"] != "any")
    for pool in pools:
        for topic in _topics_of(pool, topics):
            for position in POSITIONS:
                for text in pool.get(position, []):
                    place = known.setdefault(text, len(known))
                    for register in _registers(text):
                        places.setdefault((topic, position, register), []).append(place)
    texts = tuple(known)
    parsed = [_tokens(text) for text in texts]
    needs = np.array([_needs(text, tokens) for text, tokens in zip(texts, parsed, strict=True)], dtype=np.int64)
    flat = [token for tokens in parsed for token in tokens]
    slots = tuple(sorted({slot for slot, _, _, _ in flat}))
    length = np.array([len(tokens) for tokens in parsed], dtype=np.int64)
    keys = [(topic, position, register) for topic in topics for position in POSITIONS for register in REGISTERS]
    held = [sorted(places.get(key, []), key=lambda place: int(needs[place] != 0)) for key in keys]
    size = np.array([len(members) for members in held], dtype=np.int64)
    free = np.array([sum(needs[place] == 0 for place in members) for members in held], dtype=np.int64)
    shape = (len(topics), len(POSITIONS), len(REGISTERS))
    events = free.reshape(shape)[:, POSITIONS.index("event")]
    if poor := [topic for topic, held_free in zip(topics, events.tolist(), strict=True) if min(held_free) == 0]:
        raise ReferenceTableError(f"note_templates: no event of {', '.join(poor)} fits everybody.", "add one.")
    return Sentences(
        texts=texts,
        needs=needs,
        first=np.cumsum(length) - length,
        length=length,
        slots=slots,
        slot=np.array([slots.index(slot) for slot, _, _, _ in flat], dtype=np.int64),
        words=pl.Series([words for _, words, _, _ in flat], dtype=pl.String),
        label=np.array([label for _, _, label, _ in flat], dtype=np.int64),
        decoy=np.array([decoy for _, _, _, decoy in flat], dtype=np.bool_),
        topics=topics,
        member=np.array([place for members in held for place in members], dtype=np.int64),
        pool_first=(np.cumsum(size) - size).reshape(shape),
        pool_free=free.reshape(shape),
        pool_size=size.reshape(shape),
    )


def holds(conditions: dict[str, Bools]) -> Ints:
    """Bits of the conditions that hold, for each note."""
    bits = [np.where(conditions[name], _BIT[name], np.int64(0)) for name in CONDITIONS]
    both: Ints = np.bitwise_or.reduce(bits)
    return both


def _topics_of(pool: dict[str, Any], topics: tuple[str, ...]) -> list[str]:
    """The topics that draw on a pool: its own; that of any kind goes to all kinds that it names."""
    if pool["kind"] != "any":
        return [f"{pool['kind']}.{pool['topic']}"]
    plain = pool["topic"] == PLAIN
    kinds = pool.get("kinds", KINDS)
    return [topic for topic in topics if topic.split(".")[0] in kinds and topic.endswith(f".{PLAIN}") == plain]


def _split(text: str) -> tuple[list[str], str]:
    tags, end = re.match(r"\[([a-z ]+)\] ", text), 0
    if tags:
        end = tags.end()
    return (tags[1].split() if tags else []), text[end:]


def _registers(text: str) -> tuple[str, ...]:
    named = tuple(tag for tag in _split(text)[0] if tag in REGISTERS)
    return named or REGISTERS


def _tokens(text: str) -> list[tuple[str, str, int, bool]]:
    """Slot, words, label and whether a decoy, of each token of a sentence."""
    found = [(GAP, "", -1, False)]
    for label, labelled, slot, decoy, words in _TOKEN.findall(_split(text)[1]):
        if label:
            if label not in LABELS:
                raise ReferenceTableError(f"note_templates: '{label}' is no label.", f"use one of {', '.join(LABELS)}.")
            found.append((LITERAL, labelled, LABELS.index(label), False))
        elif slot:
            found.append((slot, "", -1, False))
        else:
            found.append((LITERAL, decoy or words, -1, bool(decoy)))
    return found


def _needs(text: str, tokens: list[tuple[str, str, int, bool]]) -> int:
    tags = [tag for tag in _split(text)[0] if tag not in REGISTERS]
    if unknown := set(tags) - set(_OF_THE_CHILD):
        raise ReferenceTableError(f"note_templates: {', '.join(unknown)}: no such condition.", "correct the sentence.")
    needed = {*tags, *(_OF_SLOTS[slot] for slot, _, _, _ in tokens if slot in _OF_SLOTS)}
    return int(sum(_BIT[name] for name in needed))
