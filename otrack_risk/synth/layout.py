"""What is settled for a whole world before any of its towns is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otrack_risk.errors import ParameterError
from otrack_risk.synth.draw import Chance, Ints, apportion
from otrack_risk.synth.places import Schools, make_schools
from otrack_risk.synth.presets import Preset
from otrack_risk.synth.targets import assumed


@dataclass(frozen=True)
class Layout:
    """What is settled for the whole world before any of its towns is made: small, whatever the number of pupils.

    The cohort arrays have one entry for each school and year; a cohort is named by the autumn in which it
    began (or would have begun) Reception.
    """

    plan: Preset
    seed: int
    schools: Schools
    school: Ints
    entry: Ints
    heads: Ints  # pupils of the cohort
    first: Ints  # number of its first pupil, from 1
    records: Ints | None  # rows about people of each town, where that number is fixed
    images: Ints  # rows of the image index of each town
    class_images: Ints  # of these, photographs of a class

    @property
    def pupils(self) -> Ints:
        """Pupils of each town."""
        return np.bincount(self.schools.town[self.school], weights=self.heads).astype(np.int64)


def lay_out(plan: Preset, seed: int) -> Layout:
    """Invent the schools, share the pupils out among them, and records and images among the towns.

    Raises
    ------
    ParameterError
        More than 999 pupils in one school and year: their UPNs would run out of numbers.
    """
    cohorts_kept = 7 + plan.now - plan.first_year  # of a primary school
    schools = make_schools(Chance(seed), plan.schools, plan.spread, plan.within, plan.pupils / cohorts_kept)
    school, entry, heads = cohorts(schools, plan.now, plan.first_year, plan.pupils)
    if heads.max() > 999:
        raise ParameterError(
            f"{int(heads.max())} pupils would be in one year group of one school, and a UPN numbers 999.",
            "ask for more schools, or for fewer pupils.",
        )
    pupils = np.bincount(schools.town[school], weights=heads)
    return Layout(
        plan=plan,
        seed=seed,
        schools=schools,
        school=school,
        entry=entry,
        heads=heads,
        first=np.cumsum(heads) - heads + 1,
        records=None if plan.records is None else apportion(pupils, plan.records),
        images=apportion(pupils, plan.images),
        class_images=apportion(pupils, round(plan.images * assumed("image_of_class"))),
    )


def cohorts(schools: Schools, now: int, since: int, pupils: int) -> tuple[Ints, Ints, Ints]:
    """Cohorts of each school, and how many pupils each has: ``pupils`` in all.

    Parameters
    ----------
    now : calendar year in which the current school year began
    since : the first school year of which leavers are kept; ``now`` where none are

    Returns
    -------
    school, entry, pupils : one entry a cohort
    """
    first, years = schools.first_year(), schools.years()
    spans = years + (now - since)  # cohorts of a school: its year groups, and one a year gone by
    school = np.repeat(np.arange(len(schools)), spans)
    step = np.arange(len(school)) - np.repeat(np.cumsum(spans) - spans, spans)
    entry = now - first[school] - step  # the youngest cohort began first_year years after Reception
    return school, entry, apportion(schools.places[school], pupils)
