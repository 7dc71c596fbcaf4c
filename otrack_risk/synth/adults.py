"""Grown-ups: those who answer for the pupils at home, and those who work at the schools."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from otrack_risk.synth import names
from otrack_risk.synth.draw import Bools, Chance, Ints, choose, gather, numbers, rank_within
from otrack_risk.synth.people import People
from otrack_risk.synth.places import Schools, keys
from otrack_risk.synth.targets import assumed, ethnicity

JOBS = (
    "headteacher",
    "slt",
    "dsl",
    "senco",
    "class_teacher",
    "ta",
    "office_admin",
    "data_manager",
    "governor",
    "supply_teacher",
    "la_officer",
)
_OFTEN_LEAVE = ("class_teacher", "ta", "office_admin", "supply_teacher")


@dataclass(frozen=True)
class Staff:
    """Who works at the schools. The arrays have one entry a member of staff, in the order of the table."""

    staff: pl.DataFrame
    staff_classes: pl.DataFrame
    number: Ints  # by which chance is keyed
    school: Ints  # place of the school in the world
    in_post: Bools


def make_guardians(chance: Chance, people: People) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One or two contacts a household, and whose they are: ``guardians`` and ``pupil_guardians``.

    Where a parent lives apart, it is the second contact, and its household is the second address. Telephone
    numbers are of the ranges that Ofcom keeps for drama, of which there are few: many contacts
    share one, so a number tells nobody apart here. Addresses are of example domains.
    """
    homes = people.homes
    heads = homes.guardians
    home = np.repeat(np.arange(len(heads)), heads)
    start = np.cumsum(heads) - heads
    second = np.arange(len(home)) - start[home] == 1
    number = homes.number[home] * 10 + second + 1
    man = chance.of("guardians.sex", number) < np.where(second, 0.9, 0.12)
    in_care = people.pupils["looked_after"].to_numpy()[homes.first][home]
    other = names.surnames(chance, "guardians.surname", homes.number, np.zeros(len(heads), dtype=np.int64))
    differs = (chance.of("guardians.surname.differs", number) < assumed("guardian_other_surname")) | in_care
    surname = homes.surname.gather(home).zip_with(pl.Series(~differs), other.gather(home))
    forename = names.adult_names(chance, "guardians.forename", number, man)
    apart = second & homes.apart[home]
    ids = keys("G", number, 8)
    guardians = pl.DataFrame(
        {
            "guardian_id": ids,
            "household_id": homes.ids.gather(home) + gather(("", "B"), apart.astype(np.int64)),
            "title": _titles(chance, "guardians.title", number, man),
            "surname": surname,
            "forename": forename,
            "phone": _phones(chance, number),
            "email": _private_addresses(chance, number, forename, surname),
        }
    )
    each = heads[people.household]
    pupil = np.repeat(np.arange(len(each)), each)
    place = np.arange(len(pupil)) - np.repeat(np.cumsum(each) - each, each)
    row = start[people.household[pupil]] + place
    words = ("mother", "father", "stepparent", "grandparent", "foster carer")
    less_often = choose(chance.of("guardians.relationship", number), [0.93, 0.04, 0.03])
    less_often = np.where(apart, 0, less_often)  # who lives apart is a parent
    word = np.where(in_care, 4, np.where(less_often > 0, less_often + 1, man.astype(np.int64)))
    links = pl.DataFrame(
        {
            "pupil_id": people.pupils["pupil_id"].gather(pupil),
            "guardian_id": ids.gather(row),
            "relationship": gather(words, word[row]),
            "priority": (place + 1).astype(np.int8),
            "lives_with_pupil": ~apart[row],
        }
    )
    return guardians, links


def make_staff(chance: Chance, schools: Schools, town: int, people: People, as_of: date) -> Staff:
    """Staff by job, from the pupils and classes of each school; some have left and are still on record.

    Notes
    -----
    A head, a designated safeguarding lead and a special needs coordinator a school; a teacher a class in primary
    schools and one to 17 pupils in secondary ones; 0.6 assistants a class; a visiting supply teacher and three
    governors a school, an officer of the local authority a town. These staffing figures are assumed.
    """
    school, job, in_post = _posts(schools, town, people)
    place = rank_within(school, np.arange(len(school)))
    number = (school + 1) * 1000 + place + 1
    gone = _gone(chance, number, school, job, in_post)
    school, job, in_post = (
        np.concatenate([of, other])
        for of, other in ((school, school[gone]), (job, job[gone]), (in_post, np.zeros(len(gone), dtype=np.bool_)))
    )
    order = np.argsort(school, kind="stable")
    school, job, in_post = school[order], job[order], in_post[order]
    number = (school + 1) * 1000 + rank_within(school, np.arange(len(school))) + 1
    man = chance.of("staff.sex", number) < np.where(schools.secondary[school], 0.35, 0.15)
    codes, mix = ethnicity()
    community = names.communities(codes)[choose(chance.of("staff.names", number), mix)]
    surname = names.surnames(chance, "staff.surname", number, community)
    forename = names.adult_names(chance, "staff.forename", number, man)
    today = np.datetime64(as_of, "D")
    ended = today - 20 - chance.whole("staff.ended_on", 520, number)
    started = np.where(in_post, today, ended) - 60 - chance.whole("staff.started_on", 4440, number)
    staff = pl.DataFrame(
        {
            "staff_id": keys("T", number, 8),
            "school_id": keys("S", school + 1, 5),
            "title": _titles(chance, "staff.title", number, man),
            "surname": surname,
            "forename": forename,
            "job": gather(JOBS, job),
            "email": _work_addresses(schools, school, forename, surname),
            "started_on": pl.Series(started.astype("datetime64[D]")),
            "ended_on": pl.Series(ended).set(pl.Series(in_post), None),
        }
    )
    taught = _teaching(chance, schools, people, number, school, job, in_post)
    return Staff(staff, taught, number, school, in_post)


def _posts(schools: Schools, town: int, people: People) -> tuple[Ints, Ints, Bools]:
    """School and job of everybody in post, school by school."""
    here = np.flatnonzero(schools.town == town)
    on_roll = people.pupils["left_on"].is_null().to_numpy()
    heads = np.bincount(people.school[on_roll], minlength=len(schools))[here]
    classes = _classes_of(schools, people)[1][here]
    second = schools.secondary[here]
    one = np.ones(len(here), dtype=np.int64)
    posts = {
        "headteacher": one,
        "slt": 1 + heads // 400,
        "dsl": one,
        "senco": one,
        "class_teacher": np.where(second, -(-heads // 17), classes),
        "ta": np.where(second, -(-heads // 60), np.rint(0.6 * classes).astype(np.int64)),
        "office_admin": 1 + heads // 300,
        "data_manager": np.where(heads >= 350, 1, 0),
        "governor": 3 * one,
        "supply_teacher": one,
        "la_officer": np.where(here == here[0], 1, 0),
    }
    counts = np.column_stack([posts[job] for job in JOBS])
    flat = np.repeat(np.arange(counts.size), counts.ravel())
    return here[flat // len(JOBS)], flat % len(JOBS), np.ones(len(flat), dtype=np.bool_)


def _gone(chance: Chance, number: Ints, school: Ints, job: Ints, in_post: Bools) -> Ints:
    """Rows of the posts whose last holder is still on record: a share of each school's, one at least."""
    often = np.flatnonzero(np.isin(job, [JOBS.index(name) for name in _OFTEN_LEAVE]))
    posts = np.bincount(school)
    wanted = np.maximum(np.rint(assumed("staff_left") * posts), 1)
    rank = rank_within(school[often], chance.of("staff.left", number[often]))
    found: Ints = often[rank < wanted[school[often]]]
    return found


def _teaching(
    chance: Chance, schools: Schools, people: People, number: Ints, school: Ints, job: Ints, in_post: Bools
) -> pl.DataFrame:
    """Which classes each teacher, assistant and supply teacher in post has."""
    first, classes = _classes_of(schools, people)
    teach = np.isin(job, [JOBS.index(name) for name in ("class_teacher", "ta", "supply_teacher")])
    who = np.flatnonzero(in_post & teach & (classes[school] > 0))
    at = school[who]
    several = schools.secondary[at] & (job[who] == JOBS.index("class_teacher"))
    each = np.minimum(np.where(several, 5, 1), classes[at])
    anywhere = chance.whole("staff_classes.class_id", 1 << 30, number[who])
    begin = np.where(several, anywhere, rank_within(at * len(JOBS) + job[who], who))
    row = np.repeat(np.arange(len(who)), each)
    step = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    taught = first[at[row]] + (begin[row] + step) % classes[at[row]]
    return pl.DataFrame(
        {"staff_id": keys("T", number[who[row]], 8), "class_id": people.classes["class_id"].gather(taught)}
    )


def _classes_of(schools: Schools, people: People) -> tuple[Ints, Ints]:
    """The row of each school's first class, and how many follow; a school's classes stand together."""
    counts = np.bincount(numbers(people.classes["school_id"]) - 1, minlength=len(schools))
    return np.cumsum(counts) - counts, counts


def _titles(chance: Chance, what: str, number: Ints, man: Bools) -> pl.Series:
    women = choose(chance.of(what, number), [0.5, 0.22, 0.25, 0.03])
    return gather(("Mrs", "Ms", "Miss", "Dr", "Mr"), np.where(man, np.where(women == 3, 3, 4), women))


def _phones(chance: Chance, number: Ints) -> pl.Series:
    """Numbers that Ofcom keeps for drama: mobile, London, and no particular place."""
    ranges = ("07700 900", "020 7946 0", "01632 960")
    which = choose(chance.of("guardians.phone.range", number), [0.9, 0.03, 0.07])
    digits = pl.Series(chance.whole("guardians.phone", 1000, number)).cast(pl.String).str.zfill(3)
    missing = pl.Series(chance.of("guardians.phone.missing", number) < assumed("phone_missing"))
    return (gather(ranges, which) + digits).set(missing, None)


def _private_addresses(chance: Chance, number: Ints, forename: pl.Series, surname: pl.Series) -> pl.Series:
    digits = pl.Series(chance.whole("guardians.email", 99, number) + 1).cast(pl.String)
    domains = ("@example.org", "@example.com", "@example.net")
    domain = gather(domains, chance.whole("guardians.email.domain", 3, number))
    address = names.slug(forename) + "." + names.slug(surname) + digits + domain
    missing = pl.Series(chance.of("guardians.email.missing", number) < assumed("email_missing"))
    return address.set(missing, None)


def _work_addresses(schools: Schools, school: Ints, forename: pl.Series, surname: pl.Series) -> pl.Series:
    local = names.slug(forename).str.slice(0, 1) + "." + names.slug(surname)
    here, at = np.unique(school, return_inverse=True)
    domains = [schools.names[place].lower().replace(" ", "-") + ".example.org" for place in here]
    alike = local.rank("dense").to_numpy().astype(np.int64) + school * (len(local) + 1)
    again = rank_within(alike, np.arange(len(local)))
    return local + gather(["", *map(str, range(2, len(local) + 2))], again) + "@" + gather(domains, at)
