"""Kinds of mention that three more sets of notes showed to be missed or wrongly found: other sentences of each."""

from __future__ import annotations

import polars as pl
import pytest

from otrack_risk.text.roster import Roster
from otrack_risk.text.scan import COUNTED, Scanner

PUPILS = [
    ("Marta", "dos Santos", None),
    ("Owain", "ap Rhydderch", None),
    ("Ludo", "van der Berg", None),
    ("Thomas James", "Ackroyd", "TJ"),
    ("Holly", "Marsh", None),
    ("Jasper", "Stone", None),
    ("Amelia", "Fisher", None),
    ("Georgia", "Banks", None),
    ("Ashleigh", "Prosser", None),
    ("Safiya", "Rahim", None),
    ("Kirsty", "Weatherall", None),
    ("Dilan", "Rauf", None),
    ("April", "Hardcastle", None),
    ("Florence", "Nowell", None),
    ("Nathaniel", "Ibbotson", None),
    ("Chase", "Wilding", None),
    ("Kian", "Sutcliffe", None),
]
STAFF = [("Marian", "Penrose"), ("Neil", "Askew")]


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    pupils = pl.DataFrame(PUPILS, schema=["forename", "surname", "preferred_forename"], orient="row")
    staff = pl.DataFrame(STAFF, schema=["forename", "surname"], orient="row")
    told = pl.Series(["The class went out. It was dry and the play was fine.", "Wet play today, so we read a book."])
    return Scanner(told, Roster.of(pupils, staff))


def read(scanner: Scanner, note: str, *labels: str) -> list[str]:
    return [note[s.start : s.end] for s in scanner.spans(note) if s.score >= COUNTED and s.label in labels]


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("Marta dos Santos was late", "Marta dos Santos"),
        ("Award for Owain ap Rhydderch", "Owain ap Rhydderch"),
        ("Ludo van der Berg, new coat", "Ludo van der Berg"),
        ("Rang home for dos Santos, Marta", "dos Santos, Marta"),
        ("Cover for owain ap Rhydderch", "owain ap Rhydderch"),
        ("LUDO VAN DER BERG left early", "LUDO VAN DER BERG"),
    ],
)
def test_a_surname_with_a_small_word_in_it_is_one_name(scanner: Scanner, note: str, found: str):
    assert read(scanner, note, "PERSON") == [found]


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("Marsh swore at the cover teacher", ["Marsh"]),
        ("Stone sent out twice", ["Stone"]),
        ("Fisher not to sit by the window", ["Fisher"]),
        ("Banks was rude to staff at lunch", ["Banks"]),
        ("Marsh given a detention", ["Marsh"]),
        ("Stone refused to leave", ["Stone"]),
        ("Marsh plants on the pond trip", []),
        ("Stone for the wall came on Friday", []),
        ("Banks are closed on Monday", []),
        ("Stone was heavy and the path was wet", []),
    ],
)
def test_a_surname_that_is_a_word_opens_a_sentence_with_what_only_somebody_does(
    scanner: Scanner, note: str, found: list[str]
):
    assert read(scanner, note, "PERSON") == found


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("Move TJ to the front", ["TJ"]),
        ("TJ and Kian late from PE", ["TJ", "Kian"]),
        ("DR and KS not to work together", ["DR", "KS"]),  # Dilan Rauf, Kian Sutcliffe
        ("KS x HM, words in the corridor", ["KS", "HM"]),
        ("KS won't settle after lunch", ["KS"]),
        ("KS never brings a pen", ["KS"]),
        ("Dad holds HM in the bank", []),
        ("KS3 exam and KS4 mock", []),
        ("Mum has AF now", []),  # what somebody has is not Amelia Fisher
        ("DR Holt will visit", ["DR Holt"]),
    ],
)
def test_initials_are_told_from_abbreviations_by_what_stands_beside_them(scanner: Scanner, note: str, found: list[str]):
    assert read(scanner, note, "PERSON") == found


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("Ashley needs a new planner", "Ashley"),
        ("Ashlee was picked up at 3", "Ashlee"),
        ("Spoke to Kirstie about her coat", "Kirstie"),
        ("Safeeya read well", "Safeeya"),
        ("Deelan hid under the table", "Deelan"),
        ("Georgea fell on the steps", "Georgea"),
        ("Weatheral was on task all day", "Weatheral"),
        ("Nate loves the new reading corner", "Nate"),
        ("Flo too", "Flo"),
        ("Kirst brings her own cup", "Kirst"),
    ],
)
def test_a_name_as_it_sounds_or_cut_short_is_the_name(scanner: Scanner, note: str, found: str):
    assert read(scanner, note, "PERSON") == [found]


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("holly marsh lost her shoe", ["holly marsh"]),
        ("chase swore at kian", ["chase", "kian"]),
        ("april and kian in the hall", ["april", "kian"]),
        ("jasper stone still no kit", ["jasper stone"]),
        ("the holly marsh walk is off", []),
        ("chase the forms by friday", []),
        ("in april we go to the farm", []),
        ("holly on the door, ivy on the wall", []),
    ],
)
def test_a_name_of_words_in_small_letters_is_told_by_what_somebody_does(scanner: Scanner, note: str, found: list[str]):
    assert read(scanner, note, "PERSON") == found


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("Collected by Oma Trudi at 3", "Oma Trudi"),
        ("Yiayia Eleni will bring the form", "Yiayia Eleni"),
        ("Mlle Duprez ran the club", "Mlle Duprez"),
        ("Frau Lindner asks for a call", "Frau Lindner"),
        ("Dr Osgar Trelawn saw him on Friday", "Dr Osgar Trelawn"),
        ("Spoke to Ottoline Brack at 9", "Ottoline Brack"),
        ("New starter: Viktor Oyelle, Y4", "Viktor Oyelle"),
        ("Her advocate is Quilla Dent", "Quilla Dent"),
        ("Torben Hask from the family team rang", "Torben Hask"),
        ("Winnow Parr at the clinic has the forms", "Winnow Parr"),
        ("Bram (bus 4 escort) says he was fine", "Bram"),
        ("Dear Mr and Mrs Marsh, Holly has had a good term", "Mr and Mrs Marsh"),
    ],
)
def test_somebody_in_no_table_is_told_by_a_title_relation_job_or_office(scanner: Scanner, note: str, found: str):
    assert read(scanner, note, "PERSON")[0] == found


@pytest.mark.parametrize(
    "note",
    [
        "Finished, form tutor told",
        "Holly wedding cards in the hall",
        "Georgia, Iran and Chad on the map",
        "We go to Georgia in June",
        "April is a busy month for all of us",
        "See April_trip_2024 for the photos",
    ],
)
def test_places_months_and_things_are_no_child(scanner: Scanner, note: str):
    assert read(scanner, note, "PERSON") == []


@pytest.mark.parametrize(
    ("note", "label", "found"),
    [
        ("Van at the gate, LK43 PZR, waited an hour", "VEHICLE", ["LK43 PZR"]),
        ("Permit asked for: MJ35HTX", "VEHICLE", ["MJ35HTX"]),
        ("Parked across the drive again: EO00 RSV", "VEHICLE", ["EO00 RSV"]),
        ("Room QX43 LPZ is shut, no parking", "VEHICLE", []),  # no plate begins with Q
        ("Locker AB43 LPZ is shut", "VEHICLE", []),
        ("Nat. Ins. no. QQ 65 43 21 A for the bursary form", "NINO", ["QQ 65 43 21 A"]),
        ("Dad's NI: QQ987654B", "NINO", ["QQ987654B"]),
        ("Moved to 14 Weaver Steps, HX28 5RT", "ADDRESS", ["14 Weaver Steps"]),
        ("Lives at 3 Foundry Passage", "ADDRESS", ["3 Foundry Passage"]),
        ("DOB on the form 03/04/2014. The other is 05/06/2014.", "DOB", ["03/04/2014", "05/06/2014"]),
        ("DOB 12.1.15 for Kian, passport says 12 December 2015.", "DOB", ["12.1.15", "12 December 2015"]),
        ("DOB 3/4/14. The other date, 9/9/24, is the trip.", "DOB", ["3/4/14"]),
        ("Kian_S_4B_farm photo 3.jpg must come down", "FILENAME", ["Kian_S_4B_farm photo 3.jpg"]),
        ("Delete 4B_holly_marsh swim day.png please", "FILENAME", ["4B_holly_marsh swim day.png"]),
    ],
)
def test_numbers_places_and_files_of_these_kinds(scanner: Scanner, note: str, label: str, found: list[str]):
    assert read(scanner, note, label) == found
