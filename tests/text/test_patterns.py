"""Identifiers that tell themselves by form: published vectors, near misses, planted ones found where they stand."""

from __future__ import annotations

import itertools
import random
import time

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from otrack_risk import identifiers
from otrack_risk.text.patterns import COUNTED, find
from otrack_risk.text.spans import LABELS


def found(text: str, label: str = "") -> list[str]:
    return [text[s.start : s.end] for s in find(text) if s.score >= COUNTED and s.label == (label or s.label)]


def score(text: str) -> float:
    (span,) = find(text)
    return span.score


# UPN: school_data.md 4.1 and 4.4, text_and_images.md 5.2; the worked sum is in identifiers.upn_check_letter.
@pytest.mark.parametrize(
    "upn",
    [
        "W801900123001", "R373900224014", "Q846900318127", "T926900421350", "W31290052207K",
        "H801200001001", "B801200005001", "P207000016049",
    ],
)  # fmt: skip
def test_a_upn_with_the_right_letter_needs_no_word_near(upn):
    assert [(s.label, s.start, s.end, s.score) for s in find(f"Moved in: {upn}.")] == [("UPN", 10, 23, 1.0)]
    assert found(f"x {upn.lower()} y", "UPN") == [upn.lower()]


def test_a_upn_may_be_spaced():
    assert found("upn w801 9001 23001 is new", "UPN") == ["w801 9001 23001"]
    assert found("W 801 9001 23 001", "UPN") == ["W 801 9001 23 001"]


# Q207000016049 is the wrong example of a vendor's help page; S is not in the alphabet.
@pytest.mark.parametrize("upn", ["A801900123001", "Q207000016049", "S373900224014"])
def test_a_wrong_check_letter_counts_less_and_only_beside_the_word_upn(upn):
    assert found(f"Locker {upn} is free") == []
    assert found(f"UPN is {upn}.", "UPN") == found(f"{upn} (UPN)", "UPN") == [upn]
    assert score(f"UPN is {upn}.") < score("UPN is W801900123001.")


@pytest.mark.parametrize("text", ["UPN Q84690031812.", "UPN T9269004X1350.", "XW801900123001", "W8019001230019"])
def test_too_short_too_long_and_a_letter_inside_are_no_upn(text):
    assert found(text, "UPN") == []


# ULN 1000102504 from text_and_images.md 5.2, 9276308686 from school_data.md 4.2.
@pytest.mark.parametrize("uln", ["1000102504", "9276308686", "1000000019"])
def test_a_uln_needs_its_check_or_a_word(uln):
    wrong = uln[:-1] + str((int(uln[-1]) + 1) % 10)
    assert found(f"Entered as {uln} today", "ULN") == [uln]
    assert found(f"Entered as {wrong} today", "ULN") == []
    assert found(f"ULN for Sam: {wrong}", "ULN") == [wrong]
    assert score(f"ULN {uln}") == 1.0 > score(f"ULN {wrong}") > score(f"Entered as {uln}")


# 943 476 5919 is the data dictionary's example, 999 000 0018 of the test range (school_data.md 4.3).
@pytest.mark.parametrize("nhs", ["943 476 5919", "999 000 0018", "9990000018", "943-476-5919"])
def test_an_nhs_number_is_found_spaced_or_not_and_in_the_test_range(nhs):
    assert found(f"GP says {nhs}", "NHS") == [nhs]
    assert score(f"NHS no. {nhs}") == 1.0


@pytest.mark.parametrize(
    "text", ["943 476 5918", "0000000000", "call 1111111111", "Order 4010232137 came", "1.4010232137"]
)
def test_a_wrong_check_digit_a_repeated_digit_and_an_order_are_no_nhs_number(text):
    assert found(text, "NHS") == []


def test_the_nearest_word_tells_two_numbers_of_ten_digits_apart():
    spans = find("ULN 1000102504, NHS 943 476 5919")
    assert [s.label for s in spans] == ["ULN", "NHS"]


@pytest.mark.parametrize("nino", ["AA123456A", "AA 12 34 56 A", "JK 123456 C"])
def test_a_nino_in_capitals_is_found_by_form(nino):
    assert found(f"Staff file {nino}.", "NINO") == [nino]


def test_a_nino_that_was_never_given_out_or_in_lower_case_needs_the_word():
    assert found("form QQ123456C") == []
    assert found("meet at 12 34 56 a lot") == []
    assert found("NI number QQ 12 34 56 C", "NINO") == ["QQ 12 34 56 C"]
    assert found("national insurance aa 12 34 56 a.", "NINO") == ["aa 12 34 56 a"]


# The six shapes of BS 7666, and the seventh, GIR 0AA.
@pytest.mark.parametrize("code", ["M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A 0AX", "EC1A 1BB"])
def test_all_six_shapes_of_a_postcode_are_found(code):
    assert found(f"now at {code}.", "POSTCODE") == [code]
    assert found(f"address {code.replace(' ', '')}", "POSTCODE") == [code.replace(" ", "")]


@pytest.mark.parametrize("code", ["ls1 4ab", "Ls1 4ab", "bd12 9qz", "ec1a 1bb"])
def test_a_postcode_in_other_cases_is_found_where_the_area_exists(code):
    assert found(f"now at {code} with nan", "POSTCODE") == [code]
    assert score(f"now at {code}") < score(f"now at {code.upper()}")


@pytest.mark.parametrize(
    "text",
    [
        "OK1 2nd", "KS1 2nd group", "Y4 2nd half", "B1 2nd floor", "M1 3hr drive", "Y6 2ES", "WN02 1AA", "LS1 4CI",
        "back by 6PM", "B4 6PM", "XLS1 4AB", "LS1 4ABC", "E1 4th",
    ],
)  # fmt: skip
def test_ordinals_classes_times_and_letters_that_no_postcode_has_are_no_postcode(text):
    assert found(text) == []


# Ofcom's numbers for drama: 07700 900xxx, 01632 960xxx, 020 7946 0xxx, 0161 496 0xxx, 03069 990xxx.
@pytest.mark.parametrize(
    "phone",
    [
        "07700 900123", "07700900123", "07700-900-123", "0770 090 0123", "01632 960123", "(01632) 960 123",
        "020 7946 0958", "0161 496 0123", "+44 7700 900123", "+44 (0)20 7946 0958", "0044 7700 900123",
        "03069 990123", "0800 1111", "01632 960123 ext 12", "0161 496 0123 x204", "+48 601 234 567",
    ],
)  # fmt: skip
def test_telephone_numbers_are_found_as_people_write_them(phone):
    assert found(f"Spoke on {phone}, fine", "PHONE") == [phone]
    assert found(f"(mum {phone})", "PHONE") == [phone]


def test_what_follows_a_number_is_not_part_of_it():
    assert found("07700 900123 9am or 01632 960123 07700 900124") == ["07700 900123", "01632 960123", "07700 900124"]


@pytest.mark.parametrize(
    "text",
    [
        "ISBN 0140364628", "ISBN 978-0-14-036462-4", "0-14-036462-8", "01/09/2023 10.30", "01.09.2023 1030",
        "01 09 2023 1030 11", "scores 012 13 14 15", "0400 900123", "077009001234", "3.14159265358979",
        "04 11 18 25 32 39",
    ],
)  # fmt: skip
def test_isbns_dates_scores_and_ranges_that_do_not_exist_are_no_telephone(text):
    assert found(text) == []


def test_a_number_without_its_zero_or_area_needs_a_word():
    assert found("tel: 960123", "PHONE") == ["960123"]
    assert found("paid 960123") == []
    assert found("mobile 7700900123", "PHONE") == ["7700900123"]


@pytest.mark.parametrize(
    "email", ["office@school.sch.uk", "o'brien.j+pta@example.org", "j_smith-2@mail.example.co.uk", "A.B@EXAMPLE.ORG"]
)
def test_e_mail_addresses_are_found_of_schools_too(email):
    assert found(f"wrote to {email}. Then", "EMAIL") == [email]
    assert found(f"<{email}>,") == [email]


@pytest.mark.parametrize("text", ["name@school", "name at school dot sch.uk", "5 @ 30p", "@", "a@b", "lunch @school."])
def test_no_domain_no_e_mail(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("DOB 02/05/2014.", "02/05/2014"), ("d.o.b. 2-5-14", "2-5-14"), ("date of birth: 2014-05-02", "2014-05-02"),
        ("born on 3rd May 2014 in Leeds", "3rd May 2014"), ("Born Leeds, 3 May 14", "3 May 14"),
        ("12.03.2014 (dob)", "12.03.2014"), ("12/03/2014 is her birthday", "12/03/2014"),
        ("birthday is 3rd May", "3rd May"), ("dob 020514", "020514"), ("birth date May 3, 2014", "May 3, 2014"),
    ],
)  # fmt: skip
def test_a_date_that_a_word_says_is_of_birth_is_one(text, date):
    assert found(text) == found(text, "DOB") == [date]


@pytest.mark.parametrize(
    "text",
    [
        "Meeting 14/05/2025.", "02/05/2014", "Birthday party on 14/05/2025", "DOB checked 14/05/2025",
        "born in Leeds, came 12/09/2019", "DOB 45/13/2014", "Reborn 12/09/2019", "stubborn on 12/09/2019",
    ],
)  # fmt: skip
def test_a_bare_date_and_the_date_of_something_else_are_no_date_of_birth(text):
    assert found(text) == []


def test_two_dates_of_birth_may_share_one_word():
    assert found("DOBs 12/03/2014 and 14/05/2015; seen 1/2/2025", "DOB") == ["12/03/2014", "14/05/2015"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("New address: 9 Orchard Close, LE2 3BB", "9 Orchard Close"),
        ("at 12a St John's Road now", "12a St John's Road"),
        ("Flat 2, 14 Mill Lane, Bradford BD5 6JW", "Flat 2, 14 Mill Lane, Bradford"),
        ("gone to Flat 3, Orchard House", "Flat 3, Orchard House"),
        ("from Rose Cottage, Little Snoring, NR21 0AB", "Rose Cottage, Little Snoring"),
        ("lives on Mill Lane with nan", "Mill Lane"),
        ("lives at 22 high street", "22 high street"),
        ("lives at 10 Daisy Hill", "10 Daisy Hill"),
        ("3 The Avenue", "3 The Avenue"),
    ],
)
def test_addresses_are_found(text, address):
    assert found(text, "ADDRESS") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "Year 6 Forest Close", "10 Daisy Hill", "Table 4 Mrs Hill", "3 House Points", "Sam Lee, Shepshed, LE12 9AB",
        "9 Church Road Primary", "5 boys close together", "walked 2 Miles", "£20 High Street voucher",
    ],
)  # fmt: skip
def test_counted_things_people_called_hill_and_schools_are_no_address(text):
    assert found(text, "ADDRESS") == []


@pytest.mark.parametrize("plate", ["AB12 CDE", "AB12CDE", "LB20 XKM", "A123 BCD", "ABC 123D"])
def test_number_plates_are_found_by_form(plate):
    assert found(f"Saw {plate} at the gate", "VEHICLE") == [plate]
    assert found(f"blue car, {plate.lower()}", "VEHICLE") == [plate.lower()]


@pytest.mark.parametrize(
    "text", ["Y6 SEN", "AB45 CDE", "FOR 100M", "P1 MUM", "in the car park Y6 SEN", "IQ12 ABC", "3 MEN"]
)
def test_classes_races_and_ages_not_yet_issued_are_no_plate(text):
    assert found(text) == []


def test_a_short_plate_needs_the_word_before_it():
    assert found("reg no: A1 BCD", "VEHICLE") == ["A1 BCD"]


@pytest.mark.parametrize(
    ("plate", "is_one"),
    [("AB12CDE", True), ("AB01CDE", False), ("A123BCD", True), ("ABC123D", True), ("AI12CDE", False)],
)
def test_a_plate_has_three_forms_in_one_text_and_in_a_column(plate, is_one):
    assert identifiers.is_plate(plate) is is_one
    assert identifiers.matches(pl.Series([plate]), "plate") == float(is_one)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("see Marlow_Skye_photo.jpg please", "Marlow_Skye_photo.jpg"),
        ('in "Skye Marlow EHCP review.docx" now', "Skye Marlow EHCP review.docx"),
        ("Y4/Skye-M.PNG,x", "Y4/Skye-M.PNG"),
    ],
)
def test_file_names_are_found_and_with_blanks_when_quoted(text, name):
    assert found(text, "FILENAME") == [name]


def test_a_camera_s_file_name_is_none_and_one_of_school_words_waits_for_a_name():
    assert find("IMG_2034.jpg, DSC00012.JPG, Screenshot 2024.png") == []
    (span,) = find("spelling_list_Y4.pdf")
    assert (span.label, span.score < COUNTED) == ("FILENAME", True)
    assert find("See www.example.org or 3.15. Also .docx files, e.g. that") == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("username: jsmith12", ["jsmith12"]), ("Login for Kofi is 14amoahk", ["14amoahk"]),
        ("user name = jsmith", ["jsmith"]),
        ("usernames kobi3 and emeka_o", ["kobi3", "emeka_o"]), ("insta is @skye_m14", ["@skye_m14"]),
        ("login jsmith12 / password Tiger", ["jsmith12"]), (r"as SCHOOL\jsmith today", [r"SCHOOL\jsmith"]),
    ],
)  # fmt: skip
def test_user_names_are_found_after_a_word_that_announces_one(text, names):
    assert found(text, "USERNAME") == names


@pytest.mark.parametrize(
    "text",
    [
        "login is broken", "username: forgotten", "user name and password lost", "log in at 9am", "login Y6",
        "took into account 12",
    ],
)  # fmt: skip
def test_an_announcement_without_a_user_name_finds_none(text):
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("came from Hill Top Infants.", "Hill Top Infants"),
        ("Moved from St Mary's C of E Primary School in June", "St Mary's C of E Primary School"),
        ("off to Parkside High next", "Parkside High"),
        ("at Parkside High School now", "Parkside High School"),
        ("to Brook Secondary School", "Brook Secondary School"),
        ("The Bishop of Durham Academy", "Bishop of Durham Academy"),
        ("LAESTAB 8201234", "8201234"), ("school 820/1234", "820/1234"), ("URN 123456.", "123456"),
    ],
)  # fmt: skip
def test_schools_are_found_by_name_and_by_number(text, name):
    assert found(text, "SCHOOL") == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Forest School today", "At Primary School", "The School", "Sunday School", "Jump High now", "8201234", "123456",
        "250/1000", "12/2014", "scored 820/1234/5", "at secondary school",
    ],
)  # fmt: skip
def test_school_words_without_a_name_and_bare_numbers_are_no_school(text):
    assert found(text) == []


def test_where_two_overlap_the_longer_is_kept():
    assert [s.label for s in find("to 9434765919@school.sch.uk")] == ["EMAIL"]
    assert [s.label for s in find("Skye_W801900123001.jpg")] == ["FILENAME"]
    assert [s.label for s in find("username: j.smith@school.sch.uk")] == ["EMAIL"]


def test_offsets_are_code_points():
    assert found("\U0001f600 é UPN W801900123001") == ["W801900123001"]


PLAIN = ["the", "pupil", "was", "late", "again", "and", "sat", "quietly", "with", "friends", "in", "reading"]
WORDS = st.lists(st.sampled_from(PLAIN), max_size=6)
PLANTED = st.one_of(
    st.builds(
        identifiers.upn, st.integers(201, 949), st.integers(1, 9999), st.integers(2010, 2026), st.integers(0, 999)
    ),
    st.integers(10**8, 10**9 - 1).filter(lambda base: identifiers.uln_check_digit(str(base))).map(identifiers.uln),
    st.integers(0, 999).map(lambda last: f"07700 900{last:03d}"),
    st.from_regex(r"\A(?:LS|BD|M|EC)[1-9] [0-9][ABD-HJLNP-UW-Z]{2}\Z"),
    st.from_regex(r"\A[a-z]{1,8}\.[a-z]{1,8}@[a-z]{2,8}\.sch\.uk\Z"),
)


@given(WORDS, PLANTED, WORDS)
@settings(max_examples=300, deadline=None)
def test_a_valid_identifier_planted_in_words_is_found_where_it_stands(before, planted, after):
    text = " ".join([*before, planted, *after])
    at = len(" ".join(before)) + bool(before)
    assert [(s.start, s.end) for s in find(text)] == [(at, at + len(planted))]


@given(st.integers(10**9, 10**10 - 1).map(str), WORDS)
@settings(max_examples=300, deadline=None)
def test_ten_digits_that_fail_both_checks_are_nothing(digits, before):
    assume(not identifiers.is_uln(digits) and not identifiers.is_nhs_number(digits))
    assert find(" ".join([*before, digits])) == []


@given(st.from_regex(r"\A[A-HJ-NP-RT-Z][0-9]{12}\Z"))
@settings(max_examples=200, deadline=None)
def test_a_letter_and_twelve_digits_are_a_upn_only_with_the_right_letter(text):
    assert bool(found(text, "UPN")) is identifiers.is_upn(text)


@given(st.text(alphabet="aA1 0-/.@_'\"\\(+é\nW7:,", max_size=80))
@settings(max_examples=300, deadline=None)
def test_spans_lie_in_the_text_in_order_and_apart(text):
    spans = find(text)
    assert all(0 <= s.start < s.end <= len(text) and s.label in LABELS and 0 < s.score <= 1 for s in spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    assert all(text[s.start : s.end].strip() == text[s.start : s.end] for s in spans)


# At 20,000 characters a quadratic pattern would take minutes; each of these takes a tenth of a second.
@pytest.mark.parametrize(
    "piece",
    [
        "1", "12 ", "a", "A", "Aa ", "1 Aa ", "0-", "07700 ", "+", "(0", "a.", "a@", "a@a.", "@a_", "W8 ",
        "dob 1/2/14 ",
        "born ", "login ", "login is ", "Primary ", "St Mary's School ", "a_", "a.jpg", '"a ', "(", "LE2 3BB, ",
        "Aa, ",
        "lives ", "1 aa ", "URN 1", "A1", "1A", "reg AB12 ", "820/", "\\a", "A\\a", "\n", " ", "_", "é", "School ",
        "user:a,",
    ],
)  # fmt: skip
def test_time_is_in_proportion_to_length(piece):
    text = (piece * 20_000)[:20_000] + "@."
    began = time.process_time()
    find(text)
    assert time.process_time() - began < 2


def test_random_words_and_numbers_of_a_class_register_are_not_identifiers():
    drawn = random.Random(5)
    words = ["Year", "6", "9am", "12/15", "3.15", "p.24", "KS2", "2nd", "4B", "Y5", "100%", "25m", "7x8", "Set", "2"]
    words += ["Stage", "B", "page", "112", "x3", "£4.50", "10-20", "2024", "3/4"]
    for _ in range(300):
        text = " ".join(drawn.choices(words, k=15))
        assert found(text) == [], text
