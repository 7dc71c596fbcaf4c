"""What stands in each slot of a sentence: names, numbers and addresses as the tables hold them, and neutral words."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl

from otrack_risk import reference
from otrack_risk.synth import names
from otrack_risk.synth.draw import Ints, choose, gather
from otrack_risk.synth.notes_cast import CODED, Cast, coded
from otrack_risk.synth.notes_names import initials, surname_first
from otrack_risk.synth.notes_parts import LABELS, SUBJECTS
from otrack_risk.synth.notes_text import Filled

_AT = {name: place for place, name in enumerate(LABELS)}
_CHILD, _GUARDIAN, _STAFF, _OUTSIDE = range(len(SUBJECTS))
_PRONOUNS = {  # for her, for him
    "he": ("she", "he"),
    "He": ("She", "He"),
    "him": ("her", "him"),
    "his": ("her", "his"),
    "himself": ("herself", "himself"),
}
_RELATIONS = {  # a guardian in everyday words: a woman, a man
    "mother": ("mum", "mum"),
    "father": ("dad", "dad"),
    "stepparent": ("stepmum", "stepdad"),
    "grandparent": ("nan", "grandad"),
}
_CODED_LABELS = {
    "condition": "HEALTH",
    "need": "SEND",
    "provision": "SEND",
    "ethnicity": "ETHNICITY",
    "language": "LANGUAGE",
}
_WORD_LABELS = {"festival": "RELIGION", "diet": "RELIGION"}
_OUTSIDERS = {"nan": False, "aunt": False, "grandad": True, "uncle": True}  # a man?
_FROM = (("Nursery", "Pre-school", "Day Nursery"), ("Primary School", "Primary Academy", "Juniors"))
_ON = ("High School", "Academy", "Secondary School")


def fill(held: Cast, slot: str, notes: Ints, place: Ints) -> Filled:
    """What stands in a slot of these notes.

    Parameters
    ----------
    place : of the token in its note: two tokens of a note may say different things
    """
    if slot in _words():
        return _word(held, slot, notes, place)
    return _FILLS[slot](held, notes)


def slots() -> frozenset[str]:
    """Every slot that a sentence may have."""
    return frozenset({*_words(), *_FILLS})


# ------------------------------------------------------------------ neutral words


@cache
def _words() -> dict[str, tuple[list[str], Ints]]:
    """By slot: its words, and of which phase (primary, secondary) where they begin and how many there are."""
    found = {}
    for entry in reference.load("note_templates").entries["words"]:
        lists = [
            [word.replace("~", "") for word in entry.get(phase, entry.get("any", []))]
            for phase in ("primary", "secondary")
        ]
        where = [[0, len(lists[0])], [len(lists[0]), len(lists[1])]]
        found[entry["name"]] = (lists[0] + lists[1], np.array(where, dtype=np.int64))
    return found


def _word(held: Cast, slot: str, notes: Ints, place: Ints) -> Filled:
    words, where = _words()[slot]
    first, count = where[(held.year_group[notes] >= 7).astype(np.int64)].T
    again = np.zeros_like(place) if slot in ("subject", "place", "item", "book", "project", "game") else place
    u = held.chance.of(f"notes.word.{slot}", held.key[notes], again)
    label = _AT[_WORD_LABELS[slot]] if slot in _WORD_LABELS else -1
    return Filled(gather(words, first + (u * count).astype(np.int64)), label, _CHILD, held.pupil[notes])


def _date(held: Cast, notes: Ints) -> Filled:
    """A weekday within the weeks after the note."""
    ahead = held.day[notes] + 3 + held.chance.whole("notes.word.date", 25, held.key[notes])
    weekday = (ahead.astype(np.int64) + 3) % 7  # 1970 began on a Thursday; Monday is 0
    day = pl.Series(ahead + np.where(weekday > 4, 7 - weekday, 0))
    worded = pl.Series(held.chance.of("notes.word.date.form", held.key[notes]) < 0.6)
    return Filled(day.dt.strftime("%-d %B").zip_with(worded, day.dt.strftime("%d/%m")))


def _percent(held: Cast, notes: Ints) -> Filled:
    share = (100 - held.absent_percent.gather(notes)).round(1)
    return Filled(share.cast(pl.String))


# ------------------------------------------------------------------ the pupil and other pupils


def _pronoun(words: tuple[str, str], who: str = "pupil") -> Callable[[Cast, Ints], Filled]:
    def of(held: Cast, notes: Ints) -> Filled:
        man = (held.roll.pupils["sex"] == "M").to_numpy()[getattr(held, who)[notes]]
        return Filled(gather(words, man.astype(np.int64)))

    return of


def _mention(who: int, field: str, again: bool = False) -> Callable[[Cast, Ints], Filled]:
    def of(held: Cast, notes: Ints) -> Filled:
        at, named = notes + who * len(held.key), held.named
        text, label = (named.again, named.again_label) if again else (named.text, named.label)
        return Filled(text.gather(at), label[at], _CHILD, getattr(held, field)[notes])

    return of


def _pupil(column: str, label: str) -> Callable[[Cast, Ints], Filled]:
    def of(held: Cast, notes: Ints) -> Filled:
        row = held.pupil[notes]
        return Filled(held.roll.pupils[column].gather(row), _AT[label], _CHILD, row)

    return of


def _whole_name(*columns: str) -> Callable[[Cast, Ints], Filled]:
    def of(held: Cast, notes: Ints) -> Filled:
        row = held.pupil[notes]
        parts = held.roll.pupils.select(pl.concat_str(columns, separator=" ", ignore_nulls=True).alias("name"))
        return Filled(parts["name"].gather(row), _AT["PERSON"], _CHILD, row)

    return of


def _listed(held: Cast, notes: Ints) -> Filled:
    row = held.pupil[notes]
    forename, surname = (held.roll.pupils[name].gather(row) for name in ("forename", "surname"))
    text = surname_first(held.chance, held.key[notes], forename, surname)
    return Filled(text, _AT["PERSON"], _CHILD, row)


def _birth(held: Cast, notes: Ints) -> Filled:
    row = held.pupil[notes]
    born = held.roll.pupils["date_of_birth"].gather(row)
    form = choose(held.chance.of("notes.birth.form", held.key[notes]), [6, 2, 2])
    text = born.dt.strftime("%d/%m/%Y")
    for which, way in ((1, "%d.%m.%y"), (2, "%-d %B %Y")):
        text = born.dt.strftime(way).zip_with(pl.Series(form == which), text)
    return Filled(text, _AT["DATE_OF_BIRTH"], _CHILD, row)


def _home(column: str, label: str) -> Callable[[Cast, Ints], Filled]:
    def of(held: Cast, notes: Ints) -> Filled:
        row = held.pupil[notes]
        return Filled(held.roll.addresses[column].gather(row), _AT[label], _CHILD, row)

    return of


def _class(held: Cast, notes: Ints) -> Filled:
    row = held.pupil[notes]
    return Filled(held.roll.class_name.gather(row), _AT["CLASS"], _CHILD, row)


def _in_words(slot: str) -> Callable[[Cast, Ints], Filled]:
    """A code of the tables in everyday words: always the same for one pupil."""

    def of(held: Cast, notes: Ints) -> Filled:
        row = held.pupil[notes]
        code = held.roll.pupils[CODED[slot]].gather(row)
        words = coded(CODED[slot])
        which = held.chance.whole(f"notes.word.{slot}", 12, held.roll.number[row])  # 12 is a multiple of 1 to 4
        text = code.replace_strict({of: forms[0] for of, forms in words.items()}, default=None, return_dtype=pl.String)
        for step in range(1, max(len(forms) for forms in words.values())):
            other = {of: forms[step % len(forms)] for of, forms in words.items()}
            there = code.replace_strict(other, default=None, return_dtype=pl.String)
            text = there.zip_with(pl.Series(which % 4 == step), text)
        return Filled(text, _AT[_CODED_LABELS[slot]], _CHILD, row)

    return of


def _meals(held: Cast, notes: Ints) -> Filled:
    row = held.pupil[notes]
    free = held.roll.pupils["fsm"].to_numpy()[row].astype(np.int64)
    return Filled(gather(("not eligible", "eligible"), free), _AT["SAFEGUARDING"], _CHILD, row)


def _school(slot: str) -> Callable[[Cast, Ints], Filled]:
    """An invented school that the pupil comes from or goes to."""

    def of(held: Cast, notes: Ints) -> Filled:
        (parts,) = reference.load("names_assumed").entries["place"]
        places = [start + end for start in parts["starts"] for end in parts["ends"]]
        key, year = held.roll.number[held.pupil[notes]], held.year_group[notes]
        kinds = [*_FROM[0], *_FROM[1], *_ON]
        level = np.where(year > 7, 2, np.where(year > 0, 1, 0)) if slot == "former" else np.where(year > 5, 2, 1)
        kind = level * 3 + held.chance.whole(f"notes.{slot}.kind", 3, key)
        name = gather(places, held.chance.whole(f"notes.{slot}", len(places), key))
        return Filled(name + " " + gather(kinds, kind), _AT["SCHOOL"], _CHILD, held.pupil[notes])

    return of


# ------------------------------------------------------------------ grown-ups


def _relation(second: bool = False, capital: bool = False) -> Callable[[Cast, Ints], Filled]:
    def of(held: Cast, notes: Ints) -> Filled:
        link = (held.second if second else held.link)[notes]
        words = [word for pair in _RELATIONS.values() for word in pair] + ["carer", "carer"]
        relation = held.roll.links["relationship"].gather(link)
        known = relation.replace_strict(
            {name: place for place, name in enumerate(_RELATIONS)}, default=len(_RELATIONS), return_dtype=pl.Int64
        ).to_numpy()
        which = known * 2 + _men(held, notes, second)
        return Filled(gather([word.capitalize() for word in words] if capital else words, which))

    return of


def _men(held: Cast, notes: Ints, second: bool) -> Ints:
    """1 where the guardian is a man, as relationship and title say."""
    link = (held.second if second else held.link)[notes]
    relation = held.roll.links["relationship"].gather(link)
    title = held.roll.guardians["title"].gather(held.guardian(notes, second))
    man = (relation == "father") | ((title == "Mr") & (relation != "mother"))
    found: Ints = man.to_numpy().astype(np.int64)
    return found


def _guardian_pronoun(words: tuple[str, str], second: bool = False) -> Callable[[Cast, Ints], Filled]:
    return lambda held, notes: Filled(gather(words, _men(held, notes, second)))


def _guardian(form: pl.Expr, label: str, second: bool = False) -> Callable[[Cast, Ints], Filled]:
    def of(held: Cast, notes: Ints) -> Filled:
        row = held.guardian(notes, second)
        text = held.roll.guardians.select(form.alias("text"))["text"].gather(row)
        if label == "PHONE":  # a fifth is typed without its gaps
            close = pl.Series(held.chance.of("notes.phone.form", held.key[notes]) < 0.2)
            text = text.str.replace_all(" ", "").zip_with(close, text)
        return Filled(text, _AT[label], _GUARDIAN, row)

    return of


def _relationship(held: Cast, notes: Ints) -> Filled:
    return Filled(held.roll.links["relationship"].gather(held.link[notes]))


def _colleague(who: str) -> Callable[[Cast, Ints], Filled]:
    def of(held: Cast, notes: Ints) -> Filled:
        row = getattr(held, who)[notes]
        return Filled(held.roll.staff.select(_TITLED.alias("name"))["name"].gather(row), _AT["PERSON"], _STAFF, row)

    return of


def _signed(held: Cast, notes: Ints) -> Filled:
    row = held.author[notes]
    forename, surname = (held.roll.staff[name].gather(row) for name in ("forename", "surname"))
    text = initials(held.chance, held.roll_key(row), np.full_like(row, -1), forename, surname)
    return Filled(text, _AT["INITIALS"], _STAFF, row)


def _outside(slot: str) -> Callable[[Cast, Ints], Filled]:
    """Somebody in no table. Of one note, out_full, out_email and out_title are one person, out_dr another."""

    def of(held: Cast, notes: Ints) -> Filled:
        who, form = slot.split("_")
        key, chance = held.key[notes], held.chance
        man = (chance.of(f"notes.{who}.sex", key) < 0.3) | _OUTSIDERS.get(who, False)
        man &= _OUTSIDERS.get(who, True)
        forename = names.adult_names(chance, f"notes.{who}.forename", key, man)
        last, weights = names.general_surnames()
        what = "notes.dr.surname" if form == "dr" else f"notes.{who}.surname"
        surname = gather(last, choose(chance.of(what, key), weights))
        if form == "phone":
            digits = pl.Series(chance.whole(f"notes.{who}.phone", 1000, key)).cast(pl.String).str.zfill(3)
            return Filled("01632 960" + digits, _AT["PHONE"], _OUTSIDE)
        text = {
            "full": lambda: forename + " " + surname,
            "first": lambda: forename,
            "title": lambda: gather(("Mrs ", "Mr "), man.astype(np.int64)) + surname,
            "dr": lambda: "Dr " + surname,
            "email": lambda: names.slug(forename) + "." + names.slug(surname) + "@services.example.org",
        }[form]()
        return Filled(text, _AT["EMAIL" if form == "email" else "PERSON"], _OUTSIDE)

    return of


_TITLED = pl.col("title") + " " + pl.col("surname")
_FULL = pl.col("forename") + " " + pl.col("surname")
_FILLS: dict[str, Callable[[Cast, Ints], Filled]] = {
    **{slot: _pronoun(words) for slot, words in _PRONOUNS.items()},
    "him3": _pronoun(("her", "him"), "other"),
    "his3": _pronoun(("her", "his"), "other"),
    "brother": _pronoun(("sister", "brother"), "sibling"),
    "date": _date,
    "percent": _percent,
    "child": _mention(0, "pupil"),
    "first": _mention(0, "pupil", again=True),
    "other": _mention(1, "other"),
    "other_first": _mention(1, "other", again=True),
    "other2": _mention(2, "other2"),
    "sibling": _mention(3, "sibling"),
    "full": _whole_name("forename", "surname"),
    "full_middle": _whole_name("forename", "middle_name", "surname"),
    "surname": _pupil("surname", "PERSON"),
    "surname_first": _listed,
    "preferred": _pupil("preferred_forename", "NICKNAME"),
    "upn": _pupil("upn", "UPN"),
    "uln": _pupil("uln", "ULN"),
    "dob": _birth,
    "address": _home("address_line", "ADDRESS"),
    "postcode": _home("postcode", "POSTCODE"),
    "class": _class,
    **{slot: _in_words(slot) for slot in CODED},
    "meals": _meals,
    "former": _school("former"),
    "next": _school("next"),
    "mum": _relation(),
    "Mum": _relation(capital=True),
    "dad": _relation(second=True),
    "she": _guardian_pronoun(("she", "he")),
    "her": _guardian_pronoun(("her", "him")),
    "him2": _guardian_pronoun(("her", "him"), second=True),
    "Mrs": _guardian(_TITLED, "PERSON"),
    "g_full": _guardian(_FULL, "PERSON"),
    "g_first": _guardian(pl.col("forename"), "PERSON"),
    "g2_full": _guardian(_FULL, "PERSON", second=True),
    "phone": _guardian(pl.col("phone"), "PHONE"),
    "phone2": _guardian(pl.col("phone"), "PHONE", second=True),
    "email": _guardian(pl.col("email"), "EMAIL"),
    "relationship": _relationship,
    **{who: _colleague(who) for who in ("staff", "senco", "dsl", "head", "author")},
    "me": _signed,
    **{f"out_{form}": _outside(f"out_{form}") for form in ("full", "title", "dr", "phone", "email")},
    **{f"{who}_first": _outside(f"{who}_first") for who in _OUTSIDERS},
    "nan_full": _outside("nan_full"),
}
