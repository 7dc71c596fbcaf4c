"""Grown-ups: those who answer for the pupils at home, and those who work at the schools."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from otrack_risk.synth import names
from otrack_risk.synth.draw import Bools, Ints, choose, gather, rank_within
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
    school: Ints  # place of the school
    in_post: Bools


def make_guardians(rng: np.random.Generator, people: People) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One or two contacts a household, and whose they are: ``guardians`` and ``pupil_guardians``.

    Telephone numbers are of the ranges that Ofcom keeps for drama, of which there are few: many contacts
    share one, so a number tells nobody apart here. Addresses are of example domains.
    """
    homes = people.households.height
    heads = np.where(rng.random(homes) < assumed("one_guardian"), 1, 2)
    home = np.repeat(np.arange(homes), heads)
    second = np.concatenate([[False], home[1:] == home[:-1]])
    man = rng.random(len(home)) < np.where(second, 0.9, 0.12)
    first_pupil = np.zeros(homes, dtype=np.int64)
    first_pupil[people.household[::-1]] = np.arange(len(people.household))[::-1]
    in_care = people.pupils["looked_after"].to_numpy()[first_pupil][home]
    child = people.pupils["surname"].gather(first_pupil[home])
    other = names.surnames(rng, np.zeros(homes, dtype=np.int64))
    differs = (rng.random(len(home)) < assumed("guardian_other_surname")) | in_care
    surname = child.zip_with(pl.Series(~differs), other.gather(home))
    forename = names.adult_names(rng, man)
    title = _titles(rng, man)
    ids = keys("G", len(home), 6)
    guardians = pl.DataFrame(
        {
            "guardian_id": ids,
            "household_id": people.households["household_id"].gather(home),
            "title": title,
            "surname": surname,
            "forename": forename,
            "phone": _phones(rng, len(home)),
            "email": _private_addresses(rng, forename, surname),
        }
    )
    start = np.cumsum(heads) - heads
    each = heads[people.household]
    pupil = np.repeat(np.arange(len(each)), each)
    place = np.arange(len(pupil)) - np.repeat(np.cumsum(each) - each, each)
    row = start[people.household[pupil]] + place
    words = ("mother", "father", "stepparent", "grandparent", "foster carer")
    less_often = choose(rng, [0.93, 0.04, 0.03], len(home))
    word = np.where(in_care, 4, np.where(less_often > 0, less_often + 1, man.astype(np.int64)))
    links = pl.DataFrame(
        {
            "pupil_id": people.pupils["pupil_id"].gather(pupil),
            "guardian_id": ids.gather(row),
            "relationship": gather(words, word[row]),
            "priority": (place + 1).astype(np.int8),
        }
    )
    return guardians, links


def make_staff(rng: np.random.Generator, schools: Schools, people: People, as_of: date) -> Staff:
    """Staff by job, from the pupils and classes of each school; some have left and are still on record.

    Notes
    -----
    A head, a designated safeguarding lead and a special needs coordinator a school; a teacher a class in primary
    schools and one to 17 pupils in secondary ones; 0.6 assistants a class; a visiting supply teacher and three
    governors a school, an officer of the local authority a town. These staffing figures are assumed.
    """
    school, job = _posts(schools, people)
    leave = np.flatnonzero(np.isin(job, [JOBS.index(name) for name in _OFTEN_LEAVE]))
    gone = rng.choice(leave, size=round(assumed("staff_left") * len(job)), replace=False)
    school = np.concatenate([school, school[np.sort(gone)]])
    job = np.concatenate([job, job[np.sort(gone)]])
    in_post = np.arange(len(job)) < len(job) - len(gone)
    order = np.argsort(school, kind="stable")
    school, job, in_post = school[order], job[order], in_post[order]

    n = len(job)
    man = rng.random(n) < np.where(schools.at_secondary(school), 0.35, 0.15)
    codes, mix = ethnicity()
    surname = names.surnames(rng, names.communities(codes)[choose(rng, mix, n)])
    forename = names.adult_names(rng, man)
    today = np.datetime64(as_of, "D")
    ended = today - rng.integers(20, 540, n)
    started = np.where(in_post, today, ended) - rng.integers(60, 4500, n)
    staff = pl.DataFrame(
        {
            "staff_id": keys("T", n, 5),
            "school_id": schools.ids().gather(school),
            "title": _titles(rng, man),
            "surname": surname,
            "forename": forename,
            "job": gather(JOBS, job),
            "email": _work_addresses(schools, school, forename, surname),
            "started_on": pl.Series(started.astype("datetime64[D]")),
            "ended_on": pl.Series(ended).set(pl.Series(in_post), None),
        }
    )
    return Staff(staff, _teaching(rng, schools, people, staff["staff_id"], school, job, in_post), school, in_post)


def _posts(schools: Schools, people: People) -> tuple[Ints, Ints]:
    on_roll = people.pupils["left_on"].is_null().to_numpy()
    heads = np.bincount(people.school[on_roll], minlength=len(schools))
    classes = _classes_of(schools, people)[1]
    second = np.array(schools.secondary)
    one = np.ones(len(schools), dtype=np.int64)
    first_of_town = np.zeros(len(schools), dtype=np.int64)
    first_of_town[np.unique(schools.town, return_index=True)[1]] = 1
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
        "la_officer": first_of_town,
    }
    counts = np.column_stack([posts[job] for job in JOBS])
    flat = np.repeat(np.arange(counts.size), counts.ravel())
    return flat // len(JOBS), flat % len(JOBS)


def _teaching(
    rng: np.random.Generator, schools: Schools, people: People, ids: pl.Series, school: Ints, job: Ints, in_post: Bools
) -> pl.DataFrame:
    """Which classes each teacher, assistant and supply teacher in post has."""
    first, classes = _classes_of(schools, people)
    who = np.flatnonzero(
        in_post & np.isin(job, [JOBS.index(name) for name in ("class_teacher", "ta", "supply_teacher")])
    )
    at = school[who]
    several = (schools.at_secondary(at) == 1) & (job[who] == JOBS.index("class_teacher"))
    each = np.minimum(np.where(several, 5, 1), classes[at])
    begin = np.where(several, rng.integers(0, 1 << 30, len(who)), rank_within(at * len(JOBS) + job[who], who))
    row = np.repeat(np.arange(len(who)), each)
    step = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    taught = first[at[row]] + (begin[row] + step) % classes[at[row]]
    return pl.DataFrame({"staff_id": ids.gather(who[row]), "class_id": people.classes["class_id"].gather(taught)})


def _classes_of(schools: Schools, people: People) -> tuple[Ints, Ints]:
    """The row of each school's first class, and how many follow; classes stand in the order of the schools."""
    place = people.classes["school_id"].str.slice(1).cast(pl.Int64).to_numpy() - 1
    counts = np.bincount(place, minlength=len(schools))
    return np.cumsum(counts) - counts, counts


def _titles(rng: np.random.Generator, man: Bools) -> pl.Series:
    women = choose(rng, [0.5, 0.22, 0.25, 0.03], len(man))
    return gather(("Mrs", "Ms", "Miss", "Dr", "Mr"), np.where(man, np.where(women == 3, 3, 4), women))


def _phones(rng: np.random.Generator, n: int) -> pl.Series:
    """Numbers that Ofcom keeps for drama: mobile, London, and no particular place."""
    ranges = ("07700 900", "020 7946 0", "01632 960")
    which = choose(rng, [0.9, 0.03, 0.07], n)
    number = gather(ranges, which) + pl.Series(rng.integers(0, 1000, n)).cast(pl.String).str.zfill(3)
    return number.set(pl.Series(rng.random(n) < assumed("phone_missing")), None)


def _private_addresses(rng: np.random.Generator, forename: pl.Series, surname: pl.Series) -> pl.Series:
    n = len(forename)
    number = pl.Series(rng.integers(1, 100, n)).cast(pl.String)
    domain = gather(("@example.org", "@example.com", "@example.net"), rng.integers(0, 3, n))
    address = names.slug(forename) + "." + names.slug(surname) + number + domain
    return address.set(pl.Series(rng.random(n) < assumed("email_missing")), None)


def _work_addresses(schools: Schools, school: Ints, forename: pl.Series, surname: pl.Series) -> pl.Series:
    local = names.slug(forename).str.slice(0, 1) + "." + names.slug(surname)
    domains = [name.lower().replace(" ", "-") + ".example.org" for name in schools.names]
    alike = local.rank("dense").to_numpy().astype(np.int64) + school * (len(local) + 1)
    again = rank_within(alike, np.arange(len(local)))
    return local + gather(["", *map(str, range(2, len(local) + 2))], again) + "@" + gather(domains, school)
