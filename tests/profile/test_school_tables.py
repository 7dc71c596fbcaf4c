"""School tables as a stranger would bring them: 20 columns each, headers by eleven conventions, roles expected by hand.

The roles were written down before the code was run, from the rule of the reference notes: direct is who somebody is
or how to reach them; quasi is what an outsider plausibly knows; sensitive is need, health, faith, poverty and care.
``origin`` (ethnicity, language) stands in both lists of that rule: it is sensitive here, of its special category, and
counts among the quasi-identifiers besides. ``attainment`` (results, attendance) stands in neither, so sensitive and
other are both right. Both were settled after the first run.
First figures, each taken before anything was mended with that table in sight (columns right of 20; then direct, and
sensitive with origin): MIS 19, OneRoster 18 (under a table name that said nothing), snake case 20, terse 17,
numbered 11, punctuated 13: 28 of 37, 31 of 35 (21 of 35 where origin has to be sensitive). After mending these six:
template 19, teacher 15, database 19: 16 of 17, 18 of 21. After mending those: nursery 15, headless 19: 14 of 16,
9 of 11. What is asserted below is the state after all of that.
Names and the package's list of British surnames are both Faker's, so ``numbered`` is kind to surnames.
Nobody is real: names are Faker's, telephones are Ofcom's for drama, no UPN or ULN has its check character.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from copy import copy
from datetime import date, timedelta
from functools import cache

import polars as pl
import pytest
from faker import Faker

from otrack_risk import identifiers
from otrack_risk.profile import classify
from otrack_risk.profile.fields import known_fields, meaning
from otrack_risk.schema import Column as Classified

Column = tuple[str, Callable[["Pupil"], str | None]]  # the role expected, and the cell of one pupil
LOCALES = ("en_GB", "pl_PL", "ro_RO", "en_IN", "tr_TR")
ETHNICITIES = {
    **{"WBRI": "White - British", "WOTH": "Any other White background", "APKN": "Pakistani", "BAFR": "Black African"},
    **{"AIND": "Indian", "MOTH": "Any other mixed background", "ABAN": "Bangladeshi", "WIRT": "Traveller of Irish"},
}
MAJOR = {"W": "WHIT", "A": "ASIA", "B": "BLAC", "M": "MIXD"}
LANGUAGES = {"ENG": "English", "URD": "Urdu", "POL": "Polish", "PNJ": "Panjabi", "BNG": "Bengali", "SOM": "Somali"}
FAITHS = ("Christian", "Muslim", "No religion", "Hindu", "Sikh", "Roman Catholic", "Jewish")
NEEDS = ("SLCN", "SEMH", "MLD", "ASD", "SPLD", "HI", "PD")
CONDITIONS = ("Asthma - inhaler in class", "Nut allergy", "Type 1 diabetes", "Epilepsy", "Eczema", "Coeliac")
AREAS = ("SY4", "CH5", "LL13", "WR9", "HR2", "DY10", "TF9", "ST18")
SCHOOLS = ("Fernbrook Primary School", "Northmere Academy", "St Aldate's C of E Primary", "Hollin Bank Infants")
NOTES = (
    "{f} finds it hard to settle after break and needs a calm start. Spoke to mum on Friday about reading at home.",
    "Good progress this term. {f} now writes in full sentences, and has begun to check the spelling without reminders.",
    "Works well in a small group. Next step: explain the method aloud before writing the answer.",
    "{f} was upset on Tuesday after an argument with a friend; both were seen by the head of year and have made up.",
)


class Pupil:
    """One pupil who never was; every table takes its cells from it."""

    def __init__(self, number: int, rng: random.Random, fakers: list[Faker]) -> None:
        fake = rng.choices(fakers, weights=(70, 8, 6, 10, 6))[0]
        self.number, self.rng, self.year = number, rng, rng.randint(1, 11)
        self.sex = rng.choice("MF")
        self.forename = fake.first_name_male() if self.sex == "M" else fake.first_name_female()
        self.surname, self.middle = fake.last_name(), rng.choice((fake.first_name(), None, None))
        self.parent, self.street = f"{fake.first_name()} {self.surname}", fakers[0].street_name()
        self.born = date(2024 - 5 - self.year, 9, 1) + timedelta(days=rng.randrange(365))
        self.ethnicity = rng.choices(tuple(ETHNICITIES), weights=(60, 8, 8, 6, 6, 5, 5, 2))[0]
        self.language = rng.choices(tuple(LANGUAGES), weights=(78, 6, 5, 5, 4, 2))[0]
        self.sen = rng.choices("NKE", weights=(80, 15, 5))[0]

    def upn(self) -> str:
        return identifiers.upn(801, 9001 + self.number % 4, 26 - self.year, self.number % 1000, valid=False)

    def need(self) -> str | None:
        return None if self.sen == "N" else self.rng.choice(NEEDS)

    def flag(self, share: float, pair: Sequence[str] = "TF") -> str:
        return pair[0] if self.rng.random() < share else pair[1]

    def some(self, share: float, of: tuple[str, ...]) -> str | None:
        return self.rng.choice(of) if self.rng.random() < share else None

    def postcode(self) -> str:
        return (
            f"{self.rng.choice(AREAS)} {self.rng.randrange(1, 9)}{self.rng.choice('ABDEFGH')}{self.rng.choice('JLNPQ')}"
        )

    def mobile(self) -> str:
        return f"07700 900{self.rng.randrange(1000):03}"

    def email(self) -> str:
        return f"{self.forename[0]}.{self.surname}{self.rng.randrange(99)}@mail.example".lower().replace(" ", "")

    def note(self) -> str | None:
        return self.rng.choice((*NOTES, None)) and self.rng.choice(NOTES).format(f=self.forename)

    def score(self) -> str:
        return str(round(min(120, max(80, self.rng.gauss(104, 7)))))

    def attendance(self) -> str:
        return f"{min(100, max(60, self.rng.gauss(94, 4))):.1f}"

    def form(self) -> str:
        return f"{self.year}{self.rng.choice('ABC')}"

    def key(self) -> str:
        return f"{self.rng.getrandbits(32):08x}-{self.rng.getrandbits(16):04x}-4a1b-9c2d-{self.number:012x}"


def born(pattern: str) -> Callable[[Pupil], str]:
    return lambda p: p.born.strftime(pattern)


MIS: dict[str, Column] = {
    "UPN": ("direct", Pupil.upn),
    "Adno": ("direct", lambda p: f"{p.number + 4100:06}"),
    "Legal Surname": ("direct", lambda p: p.surname),
    "Pref Forename": ("direct", lambda p: p.forename),
    "DOB": ("quasi", born("%d/%m/%Y")),
    "Gender": ("quasi", lambda p: p.sex),
    "Reg Group": ("quasi", Pupil.form),
    "Year Group": ("quasi", lambda p: f"Year {p.year}"),
    "Ethnicity": ("origin", lambda p: p.ethnicity),
    "First Language": ("origin", lambda p: LANGUAGES[p.language]),
    "SEN Status": ("sensitive", lambda p: p.sen),
    "SEN Need": ("sensitive", Pupil.need),
    "FSM Eligible": ("sensitive", lambda p: p.flag(0.24)),
    "In Care": ("sensitive", lambda p: p.flag(0.02)),
    "Religion": ("sensitive", lambda p: p.rng.choice(FAITHS)),
    "Postcode": ("quasi", Pupil.postcode),
    "Parent Tel": ("direct", Pupil.mobile),
    "Parent Email": ("direct", Pupil.email),
    "Date of Admission": ("other|quasi", lambda p: f"01/09/{p.rng.randint(2018, 2024)}"),
    "Teacher Comment": ("free_text", Pupil.note),
}
ONEROSTER: dict[str, Column] = {
    "sourcedId": ("direct", Pupil.key),
    "status": ("other", lambda p: p.flag(0.97, ("active", "tobedeleted"))),
    "dateLastModified": ("other", lambda p: f"2024-09-{p.rng.randint(1, 28):02}T08:{p.rng.randint(0, 59):02}:00.000Z"),
    "enabledUser": ("other", lambda p: p.flag(0.98, ("true", "false"))),
    "orgSourcedIds": ("quasi", lambda p: f"org-{p.number % 4}"),
    "role": ("other", lambda p: "student"),
    "username": ("direct", lambda p: f"{p.forename[:1]}{p.surname}{p.number % 100}".lower()),
    "userIds": ("direct", lambda p: "{upn:" + p.upn() + "}"),
    "givenName": ("direct", lambda p: p.forename),
    "familyName": ("direct", lambda p: p.surname),
    "middleName": ("direct", lambda p: p.middle),
    "email": ("direct", Pupil.email),
    "phone": ("direct", lambda p: p.mobile().replace(" ", "")),
    "grades": ("quasi", lambda p: f"{p.year:02}"),
    "birthDate": ("quasi", born("%Y-%m-%d")),
    "sex": ("quasi", lambda p: {"M": "male", "F": "female"}[p.sex]),
    "countryOfBirthCode": ("quasi|sensitive", lambda p: p.rng.choices(("GB", "PL", "IN", "RO"), (85, 6, 6, 3))[0]),
    "metadata.ethnicGroup": ("origin", lambda p: p.ethnicity),
    "metadata.senProvision": ("sensitive", lambda p: p.sen),
    "metadata.freeSchoolMeals": ("sensitive", lambda p: p.flag(0.2, ("true", "false"))),
}
SNAKE: dict[str, Column] = {
    "pupil_id": ("direct", lambda p: str(70_000 + p.number)),
    "first_name": ("direct", lambda p: p.forename),
    "last_name": ("direct", lambda p: p.surname),
    "known_as": ("direct", lambda p: p.forename[:4]),
    "date_of_birth": ("quasi", born("%Y-%m-%d")),
    "sex_at_birth": ("quasi", lambda p: {"M": "Male", "F": "Female"}[p.sex]),
    "year_group": ("quasi", lambda p: str(p.year)),
    "class_name": ("quasi", lambda p: f"{p.rng.choice(('Oak', 'Elm', 'Ash', 'Beech'))} {p.year}"),
    "school_name": ("quasi", lambda p: SCHOOLS[p.number % 4]),
    "address_line_1": ("direct", lambda p: f"{p.rng.randint(1, 140)} {p.street}"),
    "home_postcode": ("quasi", Pupil.postcode),
    "guardian_1_name": ("direct", lambda p: p.parent),
    "guardian_1_mobile": ("direct", Pupil.mobile),
    "ethnic_origin": ("origin", lambda p: ETHNICITIES[p.ethnicity]),
    "mother_tongue": ("origin", lambda p: LANGUAGES[p.language]),
    "primary_need": ("sensitive", Pupil.need),
    "pupil_premium": ("sensitive", lambda p: p.flag(0.28, "10")),
    "medical_conditions": ("sensitive", lambda p: p.some(0.15, CONDITIONS)),
    "reading_age": ("attainment", lambda p: f"{p.rng.randint(5, 15)}.{p.rng.randint(0, 11)}"),
    "behaviour_log": ("free_text", Pupil.note),
}
TERSE: dict[str, Column] = {
    "UPN": ("direct", Pupil.upn),
    "ULN": ("direct", lambda p: f"{1_000_000_000 + p.number * 7919}"),
    "SNM": ("direct", lambda p: p.surname.upper()),
    "FNM": ("direct", lambda p: p.forename),
    "DoB": ("quasi", born("%d-%b-%y")),
    "M/F": ("quasi", lambda p: p.sex),
    "NCY": ("quasi", lambda p: str(p.year)),
    "Reg": ("quasi", Pupil.form),
    "PCode": ("quasi", Pupil.postcode),
    "Eth": ("origin", lambda p: p.ethnicity),
    "EAL": ("origin", lambda p: "N" if p.language == "ENG" else "Y"),
    "SEN_Stat": ("sensitive", lambda p: p.sen),
    "SEN_Need1": ("sensitive", Pupil.need),
    "FSM6": ("sensitive", lambda p: p.flag(0.28, "10")),
    "LAC": ("sensitive", lambda p: p.flag(0.02, "YN")),
    "PP": ("sensitive", lambda p: p.flag(0.28, "YN")),
    "SC": ("sensitive|other", lambda p: p.flag(0.03, "YN")),
    "KS2_Rd": ("attainment", Pupil.score),
    "KS2_Ma": ("attainment", Pupil.score),
    "Att%": ("attainment", Pupil.attendance),
}
NUMBERED: dict[str, Column] = {
    "col1": ("direct", Pupil.upn),
    "col2": ("direct", lambda p: p.surname),
    "col3": ("direct", lambda p: p.forename),
    "col4": ("quasi", born("%d/%m/%Y")),
    "col5": ("quasi", lambda p: p.sex),
    "col6": ("quasi", lambda p: f"Year {p.year}"),
    "col7": ("quasi", Pupil.form),
    "col8": ("origin", lambda p: p.ethnicity),
    "col9": ("sensitive", lambda p: p.sen),
    "col10": ("sensitive", Pupil.need),
    "col11": ("quasi", Pupil.postcode),
    "col12": ("direct", Pupil.mobile),
    "col13": ("direct", Pupil.email),
    "col14": ("free_text", Pupil.note),
    "col15": ("origin", lambda p: LANGUAGES[p.language]),
    "col16": ("sensitive", lambda p: p.rng.choice(FAITHS)),
    "col17": ("attainment", Pupil.score),
    "col18": ("direct", lambda p: f"photos/{p.surname}_{p.forename}.jpg"),
    "col19": ("attainment", Pupil.attendance),
    "col20": ("direct", Pupil.key),
}
PUNCTUATED: dict[str, Column] = {
    "Pupil's Full Name": ("direct", lambda p: f"{p.surname}, {p.forename}"),
    "D.O.B. (dd/mm/yyyy)": ("quasi", born("%d/%m/%Y")),
    "Boy / Girl": ("quasi", lambda p: {"M": "Boy", "F": "Girl"}[p.sex]),
    "Yr. Grp": ("quasi", lambda p: f"Y{p.year}"),
    "Tutor Group / Form": ("quasi", Pupil.form),
    "Home Address - Line 1": ("direct", lambda p: f"{p.rng.randint(1, 140)} {p.street}"),
    "Post Code": ("quasi", Pupil.postcode),
    "1st Contact: Name": ("direct", lambda p: p.parent),
    "1st Contact: Mobile No.": ("direct", Pupil.mobile),
    "E-mail (parent / carer)": ("direct", Pupil.email),
    "Ethnicity - Description": ("origin", lambda p: ETHNICITIES[p.ethnicity]),
    "Home Language?": ("origin", lambda p: LANGUAGES[p.language]),
    "S.E.N. Code": ("sensitive", lambda p: p.sen),
    "Free School Meals? (Y/N)": ("sensitive", lambda p: p.flag(0.24, "YN")),
    "Looked-After Child?": ("sensitive", lambda p: p.flag(0.02, "YN")),
    "Religion / Faith": ("sensitive", lambda p: p.rng.choice(FAITHS)),
    "Medical Condition(s)": ("sensitive", lambda p: p.some(0.15, CONDITIONS)),
    "Child Protection Plan?": ("sensitive", lambda p: p.flag(0.01, "YN")),
    "Attendance (%)": ("attainment", Pupil.attendance),
    "Notes / Comments": ("free_text", Pupil.note),
}
TABLES = {
    "mis export": MIS,
    "users": ONEROSTER,
    "snake case": SNAKE,
    "terse codes": TERSE,
    "numbered": NUMBERED,
    "punctuated": PUNCTUATED,
}

# Written after the six above were right, and measured before anything was mended on them: what the package makes of
# headers that it was not made for. The first are columns of a public import template for pupils, the third names
# of the National Pupil Database.
TEMPLATE: dict[str, Column] = {
    "Id": ("direct", lambda p: str(30_000 + p.number)),
    "AD Username": ("direct", lambda p: f"{p.year + 10}{p.surname}{p.forename[0]}".lower()),
    "Exam Candidate Number": ("direct", lambda p: f"{p.number + 1:04}"),
    "Exam UCI Number": ("direct", lambda p: f"99{p.number:010}C"),
    "Name Initials": ("direct|quasi", lambda p: f"{p.forename[0]}{p.surname[0]}"),
    "Exam Candidate Forenames": ("direct", lambda p: p.forename),
    "Exam Candidate Surname": ("direct", lambda p: p.surname),
    "Preferred Name": ("direct", lambda p: p.forename[:5]),
    "Nationality": ("origin", lambda p: p.rng.choices(("British", "Polish", "Indian", "Romanian"), (85, 6, 5, 4))[0]),
    "Language": ("origin", lambda p: LANGUAGES[p.language]),
    "Religion": ("sensitive", lambda p: p.rng.choice(FAITHS)),
    "Ethnic Group": ("origin", lambda p: ETHNICITIES[p.ethnicity]),
    "Birth Place": ("quasi", lambda p: p.rng.choice(("Whitby", "Ludlow", "Tenby", "Hexham"))),
    "Diplomatic And Forces": ("sensitive|other", lambda p: p.flag(0.03, "YN")),
    "Form/Tutor Group": ("quasi", Pupil.form),
    "Academic House": ("quasi", lambda p: p.rng.choice(("Hawk", "Kite", "Merlin"))),
    "Enrolment NC Year": ("quasi", lambda p: str(p.year)),
    "School Email Address": ("direct", lambda p: f"{p.forename[0]}{p.surname}{p.number}@school.example".lower()),
    "Mobile Number": ("direct", Pupil.mobile),
    "Basis for EYPP": ("sensitive", lambda p: p.some(0.1, ("EE", "EO", "EB"))),
}
TEACHER: dict[str, Column] = {
    "Child": ("direct", lambda p: f"{p.forename} {p.surname}"),
    "Bday": ("quasi", born("%d/%m/%y")),
    "b/g": ("quasi", lambda p: {"M": "b", "F": "g"}[p.sex]),
    "Yr": ("quasi", lambda p: str(p.year)),
    "Class (Sept)": ("quasi", Pupil.form),
    "Lives at": ("direct", lambda p: f"{p.rng.randint(1, 140)} {p.street}"),
    "p/code": ("quasi", Pupil.postcode),
    "Mum's mob": ("direct", Pupil.mobile),
    "Dad email": ("direct", Pupil.email),
    "who collects": ("direct", lambda p: p.parent),
    "FSM???": ("sensitive", lambda p: p.some(0.2, ("yes", "Y"))),
    "PPG": ("sensitive", lambda p: p.some(0.25, ("y",))),
    "SEN? (K/E)": ("sensitive", lambda p: None if p.sen == "N" else p.sen),
    "allergies + meds": ("sensitive", lambda p: p.some(0.2, CONDITIONS)),
    "CP / CIN": ("sensitive", lambda p: p.some(0.03, ("CP", "CIN"))),
    "speaks at home": ("origin", lambda p: LANGUAGES[p.language]),
    "EHCP review due": ("sensitive", lambda p: "12/03/2025" if p.sen == "E" else None),
    "SALT involved": ("sensitive", lambda p: p.some(0.05, ("y",))),
    "photo ok": ("other", lambda p: p.flag(0.9, ("y", "n"))),
    "things to know": ("free_text", Pupil.note),
}
DATABASE: dict[str, Column] = {
    "PupilMatchingRefAnonymous": ("direct|other", lambda p: f"{p.rng.getrandbits(60):018X}"),
    "UniquePupilNumber": ("direct", Pupil.upn),
    "Surname_SPR24": ("direct", lambda p: p.surname),
    "Forename_SPR24": ("direct", lambda p: p.forename),
    "DOB_SPR24": ("quasi", born("%Y-%m-%d")),
    "Gender_SPR24": ("quasi", lambda p: p.sex),
    "AgeAtStartOfAcademicYear_SPR24": ("quasi", lambda p: str(p.year + 4)),
    "NCyearActual_SPR24": ("quasi", lambda p: str(p.year)),
    "LAEstab_SPR24": ("quasi", lambda p: f"801{9001 + p.number % 4}"),
    "Postcode_SPR24": ("quasi", Pupil.postcode),
    "EthnicGroupMinor_SPR24": ("origin", lambda p: p.ethnicity),
    "EthnicGroupMajor_SPR24": (
        "origin",
        lambda p: {"W": "WHIT", "A": "ASIA", "B": "BLAC", "M": "MIXD"}[p.ethnicity[0]],
    ),
    "LanguageGroupMajor_SPR24": ("origin", lambda p: "1_ENG" if p.language == "ENG" else "2_OTH"),
    "FSMeligible_SPR24": ("sensitive", lambda p: p.flag(0.24, "10")),
    "EverFSM_6_SPR24": ("sensitive", lambda p: p.flag(0.28, "10")),
    "SENprovision_SPR24": ("sensitive", lambda p: p.sen),
    "PrimarySENtype_SPR24": ("sensitive", Pupil.need),
    "AdoptedFromCare_SPR24": ("sensitive", lambda p: p.flag(0.01, "AN")),
    "IDACIScore_SPR24": ("sensitive|quasi|other", lambda p: f"{p.rng.random():.4f}"),
    "OnRoll_SPR24": ("other|quasi", lambda p: p.flag(0.98, "10")),
}

# Written after the three above were right too, and measured before anything was mended on them.
OTHER_NAMES = (
    "Wolańska",
    "Mbeki-Stone",
    "Çelik",
    "Popescu",
    "Achterberg",
    "Ferrant",
    "Oyelaran",
    "Lindqvist",
    "Haddad",
)
NURSERY: dict[str, Column] = {
    "Child ref": ("direct", lambda p: f"CH-{p.number:05}"),
    "Child's first name(s)": ("direct", lambda p: p.forename),
    "Child's family name": ("direct", lambda p: p.surname),
    "Name we call them": ("direct", lambda p: p.forename[:4]),
    "Birth date": ("quasi", born("%d %b %Y")),
    "Sex (m/f)": ("quasi", lambda p: p.sex.lower()),
    "Room": ("quasi", lambda p: p.rng.choice(("Ducklings", "Otters", "Foxes"))),
    "Key person": ("direct", lambda p: f"{p.rng.choice(('Ms', 'Mr'))} {p.rng.choice(OTHER_NAMES)}"),
    "Parent/carer 1 full name": ("direct", lambda p: p.parent),
    "Parent/carer 1 tel (mobile)": ("direct", Pupil.mobile),
    "Parent/carer 1 NI number": ("direct", lambda p: f"QQ{p.number:06}C"),
    "Street address": ("direct", lambda p: f"{p.rng.randint(1, 140)} {p.street}"),
    "Funded 2 year old": ("sensitive", lambda p: p.flag(0.2, ("Yes", "No"))),
    "EYPP": ("sensitive", lambda p: p.flag(0.15, ("Yes", "No"))),
    "Dietary / cultural requirements": ("sensitive", lambda p: p.some(0.2, ("Halal", "Vegetarian", "No pork"))),
    "Any medical needs?": ("sensitive", lambda p: p.some(0.15, CONDITIONS)),
    "Social worker": ("sensitive|direct", lambda p: p.some(0.03, OTHER_NAMES)),
    "Ethnic origin of child": ("origin", lambda p: ETHNICITIES[p.ethnicity]),
    "Languages spoken": ("origin", lambda p: LANGUAGES[p.language]),
    "Daily diary": ("free_text", Pupil.note),
}
HEADLESS: dict[str, Column] = {
    "F1": ("direct", lambda p: f"S{p.number + 100_000}"),
    "F2": ("direct", lambda p: f"{p.forename} {p.surname}"),
    "F3": ("direct", lambda p: f"{p.surname.upper()}, {p.forename}"),
    "F4": ("quasi", lambda p: {"M": "Male", "F": "Female"}[p.sex]),
    "F5": ("quasi", born("%d.%m.%Y")),
    "F6": ("quasi", lambda p: f"Yr {p.year}"),
    "F7": ("quasi", lambda p: f"{p.year}.{p.rng.choice('XYZ')}"),
    "F8": ("origin", lambda p: ETHNICITIES[p.ethnicity]),
    "F9": ("origin", lambda p: p.language),
    "F10": ("sensitive", lambda p: p.some(0.3, CONDITIONS)),
    "F11": ("sensitive", lambda p: p.some(0.3, ("Dyslexia", "Autism", "ADHD", "Hearing impairment", "Speech delay"))),
    "F12": ("sensitive", lambda p: p.some(0.3, ("C of E", "RC", "Muslim", "Sikh", "None", "Hindu"))),
    "F13": ("direct", lambda p: f"{p.rng.randint(1, 140)} {p.street}"),
    "F14": ("quasi", lambda p: p.postcode().replace(" ", "")),
    "F15": ("direct", lambda p: p.mobile().replace("07700 ", "+44 7700 ")),
    "F16": ("direct", Pupil.email),
    "F17": ("attainment", lambda p: p.rng.choice(("WTS", "EXS", "GDS"))),
    "F18": ("attainment", Pupil.attendance),
    "F19": ("direct", lambda p: f"IMG_{p.number:04}_{p.surname}.JPG"),
    "F20": ("free_text", Pupil.note),
}
HELD_OUT = {"template": TEMPLATE, "teacher": TEACHER, "database": DATABASE, "nursery": NURSERY, "headless": HEADLESS}
# By design or for want of evidence: a member of staff is quasi, as a class is; a room and half a name tell too little.
MISSED = {
    "nursery": {"Key person", "Room", "Name we call them"},
}


@cache
def invented(n_pupils: int) -> tuple[Pupil, ...]:
    fakers = [Faker(locale) for locale in LOCALES]
    for number, fake in enumerate(fakers):
        fake.seed_instance(number)
    rng = random.Random(1)
    return tuple(Pupil(number, rng, fakers) for number in range(n_pupils))


def school_table(name: str, n_pupils: int = 600) -> tuple[pl.DataFrame, dict[str, str]]:
    """A table of text, one row a pupil, and the role that each of its columns is expected to have."""
    columns, rng = (TABLES | HELD_OUT)[name], random.Random(name)
    pupils = [copy(pupil) for pupil in invented(n_pupils)]
    for pupil in pupils:
        pupil.rng = rng
    cells = {head: [cell(pupil) for pupil in pupils] for head, (_, cell) in columns.items()}
    return pl.DataFrame(cells, dict.fromkeys(columns, pl.String)), {head: role for head, (role, _) in columns.items()}


def is_right(expected: str, role: str, category: str) -> bool:
    """Whether a column's role is the one expected of it."""
    if expected == "origin":
        return role == "sensitive" and category == "ethnicity"
    return role in {"attainment": "other|sensitive"}.get(expected, expected).split("|")


@pytest.fixture(scope="module")
def profiled() -> dict[str, list[Classified]]:
    return {name: list(columns_of(school_table(name)[0], name)) for name in (*TABLES, *HELD_OUT)}


def columns_of(rows: pl.DataFrame, name: str = "t") -> tuple[Classified, ...]:
    return classify({name: rows}).tables[0].columns


def wrong(columns: list[Classified], expected: dict[str, str]) -> set[str]:
    return {column.name for column in columns if not is_right(expected[column.name], column.role, column.category)}


@pytest.mark.parametrize("name", [*TABLES, *HELD_OUT])
def test_every_column_of_a_school_table_has_the_role_that_a_person_gave_it_but_for_those_named_here(profiled, name):
    columns = (TABLES | HELD_OUT)[name]
    assert len(columns) == 20
    assert wrong(profiled[name], {head: role for head, (role, _) in columns.items()}) == MISSED.get(name, set())


def test_each_table_it_was_mended_on_has_every_direct_identifier_and_every_sensitive_column(profiled):
    for name, columns in TABLES.items():
        told = {column.name: column for column in profiled[name]}
        for head, (role, _) in columns.items():
            if role in ("direct", "sensitive", "origin"):
                assert is_right(role, told[head].role, told[head].category), (name, head)


def test_no_column_of_an_english_school_gets_a_label_of_the_united_states(profiled):
    american = re.compile(r"social security|\bssn\b|\bzip\b|\bus[_ ]|driver|medicare|hispanic|iep|504", re.I)
    said = [column for columns in profiled.values() for column in columns]
    labels = {field.kind: field.label for field in known_fields()}
    assert not [c.name for c in said if american.search(f"{c.kind} {labels.get(c.kind, '')} {c.reason}")]


TOWNS = (
    "Leeds Bolton Preston Barnsley Ludlow Whitby Tenby Hexham Truro Exeter Derby Oldham Rochdale "
    "Stockport Luton Slough Reading Swindon Bath Wells Ripon Durham Carlisle Penrith Kendal Lancaster "
    "Chester Crewe Stafford Lichfield Tamworth Rugby Corby Kettering Boston Grimsby "
)
TREES = (
    "Oak Elm Ash Beech Birch Cedar Larch Maple Rowan Willow Yew Alder Hazel Holly Hawthorn Juniper Lime "
    "Pine Poplar Plane Sycamore Walnut Chestnut Cherry Spruce Fir Hornbeam Aspen "
)
SUBJECTS = (
    "Art Biology Chemistry Computing Dance Drama Economics English French Geography German Greek History "
    "Latin Law Mathematics Music Philosophy Physics Politics Psychology Religion Science Sociology "
    "Spanish Sport Textiles Business Media "
)


def test_towns_houses_and_subjects_are_not_taken_for_people():
    for others in (TOWNS, TREES, SUBJECTS):
        values = others.split()
        rows = pl.DataFrame({"x1": (values * 20)[:400]})
        assert columns_of(rows)[0].role == "other"


def test_births_fall_on_all_days_of_the_week_and_days_of_school_do_not():
    days = [date(2010, 9, 1) + timedelta(days=5 * n) for n in range(400)]  # all days of the week in turn
    school = [day for day in (date(2022, 9, 1) + timedelta(days=n) for n in range(560)) if day.weekday() < 5]
    written = {"x1": [f"{day:%d/%m/%Y}" for day in days], "x2": [f"{day:%d/%m/%Y}" for day in school]}
    for header, values in written.items():
        (column,) = columns_of(pl.DataFrame({header: values}))
        assert column.kind == ("date_of_birth" if header == "x1" else "date")


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("D.O.B. (dd/mm/yyyy)", "quasi"),
        ("2nd Contact: Surname", "direct"),
        ("Yr Grp", "quasi"),
        ("Is the pupil on FSM?", "sensitive"),
        ("EHCP outcome summer", "sensitive"),
        ("Religion or belief", "sensitive"),
        ("Sch", "quasi"),
        ("Score out of 20", None),
        ("Photo consent form", None),
    ],
)
def test_the_words_of_a_header_carry_its_meaning_where_the_whole_is_unknown(header, role):
    found = meaning(header, "t", pl.Series([], dtype=pl.String))
    assert (found and found.field.role) == role
