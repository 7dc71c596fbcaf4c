"""How a note names somebody: in full, by first name or short form, by initials, the surname first, or misspelt."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from otrack_risk.synth.draw import Bools, Chance, Ints, choose_by, gather
from otrack_risk.synth.targets import assumed, assumptions

_PERSON, _NICKNAME, _INITIALS, _MISSPELT = range(4)  # places in notes_parts.LABELS


class Mention(NamedTuple):
    """One person in each of several notes."""

    text: pl.Series  # at the first mention
    label: Ints  # place in LABELS
    again: pl.Series  # later in the same note
    again_label: Ints


def mention(chance: Chance, key: Ints, who: Ints, people: pl.DataFrame, nickname: pl.Series, row: Ints) -> Mention:
    """Name the person of each entry in the way that the writer of its note does.

    Parameters
    ----------
    key, who : the note, and which of its people; 0 is the pupil whom it is about
    people : with surname, forename and preferred_forename
    nickname : short form of each of these, on file or in common use; null where there is none
    row : of the person in ``people``; -1 where there is nobody (the entry then means nothing)
    """
    forms = assumptions("name_form")
    names = [form["form"] for form in forms]
    weights = np.array([[form[of] for form in forms] for of in ("subject", "others")], dtype=np.float64)
    form = choose_by(chance.of("notes.name.form", key, who), weights, (who > 0).astype(np.int64))
    rows = np.maximum(row, 0)
    held = people.select("forename", "surname", "preferred_forename", nickname.alias("short"))[rows]
    forename, surname = held["forename"], held["surname"]
    by_short = _is(names, form, "nickname") & held["short"].is_not_null().to_numpy()
    on_file = held["preferred_forename"].is_not_null().to_numpy()
    on_file &= chance.of("notes.name.called", key, who) < assumed("note_called")
    again = forename.zip_with(pl.Series(~on_file), held["preferred_forename"])
    again = again.zip_with(pl.Series(~by_short), held["short"])
    again_label = np.where(by_short | on_file, _NICKNAME, _PERSON)
    text, label = again, again_label.copy()

    full = np.flatnonzero(_is(names, form, "full"))
    text = _set(text, full, forename.gather(full) + " " + surname.gather(full))
    first = np.flatnonzero(_is(names, form, "surname_first"))
    text = _set(text, first, surname_first(chance, key[first], forename.gather(first), surname.gather(first)))
    label[full] = label[first] = _PERSON

    letters = np.flatnonzero(_is(names, form, "initials"))
    some = initials(chance, key[letters], who[letters], forename.gather(letters), surname.gather(letters))
    text, again = _set(text, letters, some), _set(again, letters, some)
    label[letters] = again_label[letters] = _INITIALS

    bad = np.flatnonzero(_is(names, form, "misspelt") | _is(names, form, "misspelt_full"))
    whole = _is(names, form[bad], "misspelt_full")
    last = whole & (chance.of("notes.name.misspelt.surname", key[bad], who[bad]) < 0.5)
    right = surname.gather(bad).zip_with(pl.Series(last), forename.gather(bad))
    wrong = misspelt(chance, key[bad], who[bad], right)
    one = forename.gather(bad).zip_with(pl.Series(last), wrong)
    two = wrong.zip_with(pl.Series(last), surname.gather(bad))
    text = _set(text, bad, (one + " " + two).zip_with(pl.Series(whole), one))
    again = _set(again, bad, one)
    differs = (wrong != right).to_numpy()
    label[bad] = np.where(differs, _MISSPELT, _PERSON)
    again_label[bad] = np.where(differs & ~last, _MISSPELT, _PERSON)
    return Mention(text, label, again, again_label)


def initials(chance: Chance, key: Ints, who: Ints, forename: pl.Series, surname: pl.Series) -> pl.Series:
    """First letters of first name and surname: ``JM`` or ``J.M.``"""
    dot = gather(("", "."), (chance.of("notes.name.dots", key, who) < 0.3).astype(np.int64))
    return forename.str.slice(0, 1).str.to_uppercase() + dot + surname.str.slice(0, 1).str.to_uppercase() + dot


def surname_first(chance: Chance, key: Ints, forename: pl.Series, surname: pl.Series) -> pl.Series:
    """``Khan, Aisha`` or ``KHAN Aisha``."""
    capitals = pl.Series(chance.of("notes.name.capitals", key) < 0.4)
    return (surname.str.to_uppercase() + " ").zip_with(capitals, surname + ", ") + forename


def misspelt(chance: Chance, key: Ints, who: Ints, name: pl.Series) -> pl.Series:
    """Names with two letters changed over, one left out or one doubled, inside the first word of four letters or more.

    A shorter name stays as it is. Two letters changed over are two edits (Levenshtein), the others one.
    """
    letters = name.str.extract(r"^(\p{L}+)").fill_null("").str.len_chars().to_numpy().astype(np.int64)
    at = 1 + (chance.of("notes.name.misspelt.at", key, who) * np.maximum(letters - 2, 0)).astype(
        np.int64
    )  # not the first
    kind = chance.whole("notes.name.misspelt.kind", 3, key, who)
    frame = pl.DataFrame({"name": name, "at": at, "kind": kind, "letters": letters})
    before, after = pl.col("name").str.slice(0, pl.col("at")), pl.col("name").str.slice(pl.col("at") + 2)
    one, two = (pl.col("name").str.slice(pl.col("at") + step, 1) for step in (0, 1))
    swapped = (pl.col("kind") == 0) & (one.str.to_lowercase() != two.str.to_lowercase())
    new = pl.when(swapped).then(two + one).when(pl.col("kind") == 1).then(two).otherwise(one + one + two)
    out = pl.when(pl.col("letters") >= 4).then(before + new + after).otherwise("name")
    return frame.select(out.alias("name"))["name"]


def _is(names: list[str], form: Ints, name: str) -> Bools:
    found: Bools = form == names.index(name)
    return found


def _set(values: pl.Series, rows: Ints, new: pl.Series) -> pl.Series:
    at = np.arange(len(values))
    at[rows] = len(values) + np.arange(len(rows))
    return pl.concat([values, new]).gather(at)
