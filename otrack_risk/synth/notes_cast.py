"""Who and what is in a note: the people around the pupil, how they are named, and what stands in each slot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from otrack_risk import reference
from otrack_risk.synth.draw import Bools, Chance, Days, Ints, numbers
from otrack_risk.synth.notes_names import Mention, mention
from otrack_risk.synth.targets import assumed
from otrack_risk.synth.terms import school_year
from otrack_risk.synth.town import Town

_TRIES = 5
_NEW, _LEAVING = 120, 90  # days after admission, before leaving
_CONDITIONS: dict[str, dict[str, tuple[str, ...]]] = {  # conditions of a sentence and the codes for which they hold
    "medical_condition": {
        "asthma": ("ASTHMA",),
        "allergy": ("FOOD_ALLERGY",),
        "eczema": ("ECZEMA",),
        "epilepsy": ("EPILEPSY",),
        "diabetes": ("DIABETES_TYPE_1",),
        "heart": ("HEART",),
        "coeliac": ("COELIAC",),
    },
    "sen_need": {
        "speech": ("SLCN",),
        "autism": ("ASD",),
        "semh": ("SEMH",),
        "dyslexia": ("SPLD",),
        "learning": ("MLD", "SLD"),
        "hearing": ("HI",),
        "vision": ("VI",),
        "physical": ("PD",),
    },
    "sen_provision": {"plan": ("E",), "support": ("K",)},
}


CODED = {  # slots and the field whose code they put in words
    "condition": "medical_condition",
    "need": "sen_need",
    "provision": "sen_provision",
    "ethnicity": "ethnicity",
    "language": "first_language",
}


@dataclass(frozen=True)
class Roll:
    """The tables of a town, prepared for looking somebody up. Rows are those of the tables."""

    pupils: pl.DataFrame
    guardians: pl.DataFrame
    staff: pl.DataFrame
    links: pl.DataFrame  # pupil_guardians with rows: pupil, guardian
    addresses: pl.DataFrame  # of each pupil
    class_name: pl.Series  # of each pupil; null for leavers
    nickname: pl.Series  # of each pupil; null for names that have none
    number: Ints  # of each pupil, by which chance is keyed
    entered: Ints  # school year in which the pupil's cohort began Reception
    admitted: Days
    left: Days  # the day after the world for those on roll
    first_link: Ints  # row in `links` of the first contact of each pupil, -1 where none
    second_link: Ints


@dataclass(frozen=True)
class Cast:
    """Who is in each note; rows of the tables, -1 where there is nobody."""

    chance: Chance
    roll: Roll
    key: Ints  # of the note
    day: Days
    pupil: Ints
    author: Ints
    staff: Ints  # a colleague
    senco: Ints
    dsl: Ints
    head: Ints
    other: Ints  # a classmate
    other2: Ints
    sibling: Ints  # at the same school
    link: Ints  # of the contact that is spoken of
    second: Ints
    absent_percent: pl.Series  # sessions missed in the year of the note, 0 to 100, null where none are on file
    named: Mention  # how pupil, other, other2 and sibling are named: all notes for the first, then for the next

    @property
    def year_group(self) -> Ints:
        """Of the pupil at the time of the note."""
        return school_year(self.day) - self.roll.entered[self.pupil]

    @property
    def this_year(self) -> Bools:
        """Whether the class on file is the one that the pupil was in."""
        roll = self.roll
        same: Bools = (
            school_year(self.day) == roll.entered[self.pupil] + roll.pupils["year_group"].to_numpy()[self.pupil]
        )
        same &= roll.class_name.is_not_null().to_numpy()[self.pupil]
        return same

    def roll_key(self, staff: Ints) -> Ints:
        """Of members of staff: the number by which chance is keyed."""
        return numbers(self.roll.staff["staff_id"].gather(staff))

    def guardian(self, notes: Ints, second: bool = False) -> Ints:
        """Row of the guardian that is spoken of."""
        link = (self.second if second else self.link)[notes]
        found: Ints = np.where(link < 0, -1, self.roll.links["guardian"].to_numpy()[link])
        return found


def roll(chance: Chance, town: Town) -> Roll:
    """Prepare the tables of a town."""
    pupils, guardians = town["pupils"], town["guardians"]
    number = numbers(pupils["pupil_id"])
    rows = pupils.select("pupil_id", pupil=pl.int_range(pl.len()))
    of_guardian = guardians.select("guardian_id", guardian=pl.int_range(pl.len()))
    links = (
        town["pupil_guardians"]
        .join(rows, on="pupil_id", maintain_order="left")
        .join(of_guardian, on="guardian_id", maintain_order="left")
        .sort("pupil", "priority")
    )
    of = links["pupil"].to_numpy()
    first = np.searchsorted(of, np.arange(len(pupils)))
    count = np.searchsorted(of, np.arange(len(pupils)), side="right") - first
    admitted = pupils["admitted_on"].to_numpy().astype("datetime64[D]")
    after = np.datetime64(town.plan.as_of, "D") + 1
    left = pupils["left_on"].fill_null(town.plan.as_of).to_numpy().astype("datetime64[D]")
    left = np.where(pupils["left_on"].is_null().to_numpy(), after, left)
    homes = town["households"].select("household_id", "address_line", "postcode")
    classes = town["classes"].select("class_id", class_name="name")
    forms = {entry["forename"]: entry["short"][0] for entry in reference.load("nicknames").entries["nickname"]}
    short = pupils["forename"].replace_strict(forms, default=None, return_dtype=pl.String)
    return Roll(
        pupils=pupils,
        guardians=guardians,
        staff=town["staff"],
        links=links,
        addresses=pupils.select("household_id").join(homes, on="household_id", how="left", maintain_order="left"),
        class_name=pupils.select("class_id").join(classes, on="class_id", how="left", maintain_order="left")[
            "class_name"
        ],
        nickname=pupils["preferred_forename"].fill_null(short),
        number=number,
        entered=school_year(np.minimum(left, after - 1)) - pupils["year_group"].to_numpy().astype(np.int64),
        admitted=admitted,
        left=left,
        first_link=np.where(count > 0, first, -1),
        second_link=np.where(count > 1, first + 1, -1),
    )


def cast(
    chance: Chance, held: Roll, key: Ints, day: Days, pupil: Ints, staff: dict[str, Ints], absences: pl.DataFrame
) -> Cast:
    """Choose the people around the pupil of each note.

    Parameters
    ----------
    key : of each note, by which chance is keyed
    staff : rows of ``staff`` for author, staff, senco, dsl and head
    absences : pupil (row), year, percent: what each missed in a school year
    """
    now = school_year(held.left)
    whole = held.pupils.select("school_id", "household_id", "class_id")
    school = whole["school_id"].rank("dense").to_numpy().astype(np.int64)
    home = whole["household_id"].rank("dense").to_numpy().astype(np.int64) * (school.max(initial=0) + 1) + school
    year = school * 10_000 + held.entered
    form = whole["class_id"].fill_null("").rank("dense").to_numpy().astype(np.int64) + 10**9
    here = (school_year(day) == now[pupil]) & held.pupils["class_id"].is_not_null().to_numpy()[pupil]
    mates = np.where(here, form[pupil], year[pupil])
    both = (np.concatenate([year, form]), np.tile(np.arange(len(year)), 2))
    other = _meet(chance, "notes.other", held, key, day, mates, both, (pupil,))
    other2 = _meet(chance, "notes.other2", held, key, day, mates, both, (pupil, other))
    kin = _meet(
        chance, "notes.sibling", held, key, day, home[pupil], (home, np.arange(len(home))), (pupil, other, other2)
    )
    first, second = held.first_link[pupil], held.second_link[pupil]
    swap = (second >= 0) & (chance.of("notes.guardian", key) >= assumed("note_first_contact"))
    wanted = pl.DataFrame({"pupil": pupil, "year": school_year(day)})
    missed = wanted.join(absences, on=["pupil", "year"], how="left", maintain_order="left")["percent"]
    people = np.stack([pupil, other, other2, kin])
    who = np.repeat(np.arange(len(people)), len(key))
    named = mention(chance, np.tile(key, len(people)), who, held.pupils, held.nickname, people.ravel())
    return Cast(
        chance=chance,
        roll=held,
        key=key,
        day=day,
        pupil=pupil,
        **staff,
        other=other,
        other2=other2,
        sibling=kin,
        link=np.where(swap, second, first),
        second=np.where(swap, first, second),
        absent_percent=missed,
        named=named,
    )


def conditions(held: Cast) -> dict[str, Bools]:
    """For each condition of a sentence, in which notes it holds."""
    roll, pupil = held.roll, held.pupil
    year = held.year_group
    found = {"primary": year < 7, "secondary": year >= 7, "young": year <= 2, "older": year >= 5}
    for field, of in _CONDITIONS.items():
        code = roll.pupils[field]
        for name, codes in of.items():
            found[name] = code.is_in(codes).fill_null(False).to_numpy()[pupil]
    for name, field in (
        ("care", "looked_after"),
        ("fsm", "fsm"),
        ("premium", "pupil_premium"),
        ("service", "service_child"),
    ):
        found[name] = roll.pupils[field].to_numpy()[pupil]
    found["eal"] = (roll.pupils["first_language"] != "ENG").fill_null(False).to_numpy()[pupil]
    found["new"] = (held.day - roll.admitted[pupil]).astype(np.int64) <= _NEW
    gone = roll.pupils["left_on"].is_not_null().to_numpy()[pupil]
    found["leaving"] = gone & ((roll.left[pupil] - held.day).astype(np.int64) <= _LEAVING)
    found["absent"] = (held.absent_percent >= 10).fill_null(False).to_numpy()
    found["percent"] = held.absent_percent.is_not_null().to_numpy()
    lives = roll.links["lives_with_pupil"].to_numpy()
    found["apart"] = (held.second >= 0) & ~lives[held.second]
    born = roll.pupils["date_of_birth"].to_numpy()
    found["elder"] = (held.sibling >= 0) & (born[held.sibling] > born[pupil])
    for name, row in (
        ("guardian", held.link),
        ("second", held.second),
        *((name, getattr(held, name)) for name in ("sibling", "other", "other2", "staff", "senco", "dsl", "head")),
    ):
        found[name] = row >= 0
    everybody = np.arange(len(pupil))
    phone, email = (roll.guardians[name].is_not_null().to_numpy() for name in ("phone", "email"))
    found["phone"] = found["guardian"] & phone[held.guardian(everybody)]
    found["email"] = found["guardian"] & email[held.guardian(everybody)]
    found["phone2"] = found["second"] & phone[held.guardian(everybody, second=True)]
    found["class"] = held.this_year
    for name, field in (("uln", "uln"), ("middle", "middle_name"), ("preferred", "preferred_forename")):
        found[name] = roll.pupils[field].is_not_null().to_numpy()[pupil]
    for name, field in CODED.items():
        found[name] = roll.pupils[field].is_in(list(coded(field))).fill_null(False).to_numpy()[pupil]
    return found


@cache
def coded(field: str) -> dict[str, list[str]]:
    """What each code of a field is called in words."""
    (entry,) = (row for row in reference.load("note_templates").entries["coded"] if row["field"] == field)
    words: dict[str, list[str]] = entry["words"]
    return words


def _meet(
    chance: Chance,
    what: str,
    held: Roll,
    key: Ints,
    day: Days,
    group: Ints,
    members: tuple[Ints, Ints],
    but: tuple[Ints, ...],
) -> Ints:
    """Somebody of the group who is on roll on the day and none of those named; -1 where a few tries find nobody."""
    order = np.argsort(members[0], kind="stable")
    sorted_groups, rows = members[0][order], members[1][order]
    first = np.searchsorted(sorted_groups, group)
    count = np.searchsorted(sorted_groups, group, side="right") - first
    found = np.full(len(group), -1, dtype=np.int64)
    left = np.flatnonzero(count > 1)
    for step in range(_TRIES):
        u = chance.of(what, key[left], np.array([step]))
        one = rows[first[left] + (u * count[left]).astype(np.int64)]
        fits = (held.admitted[one] <= day[left]) & (held.left[one] >= day[left])
        for person in but:
            fits &= one != person[left]
        found[left[fits]] = one[fits]
        left = left[~fits]
    return found
