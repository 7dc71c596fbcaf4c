"""Formats and check characters, held to worked sums, published examples and a second way of counting."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk import identifiers
from otrack_risk.errors import ParameterError

_ONE = {
    "upn": identifiers.is_upn,
    "uln": identifiers.is_uln,
    "nhs_number": identifiers.is_nhs_number,
    "postcode": identifiers.is_postcode,
    "email": identifiers.is_email,
    "nino": identifiers.is_nino,
    "laestab": identifiers.is_laestab,
}


@pytest.mark.parametrize(
    "text", ["W801900123001", "R373900224014", "Q846900318127", "T926900421350", "W31290052207K", "K999400123001"]
)
def test_a_upn_with_the_right_letter_passes_whatever_its_local_authority(text):
    assert identifiers.is_upn(text)


@pytest.mark.parametrize(
    "text",
    [
        "A801900123001",  # the letter is W
        "S373900224014",  # S is not in the alphabet
        "Q84690031812",  # 12 characters
        "T9269004X1350",  # a letter inside
        "W31290052207I",  # I ends no temporary UPN
        "W801900123001\n",
        "W٨٠١٩٠٠١٢٣٠٠١",  # digits of another script
        "",
    ],
)
def test_a_wrong_letter_length_or_alphabet_is_no_upn(text):
    assert not identifiers.is_upn(text)


def test_the_example_of_a_vendors_help_page_is_wrong():
    # 2*2 + 0*3 + 7*4 + 0*5 + 0*6 + 0*7 + 0*8 + 1*9 + 6*10 + 0*11 + 4*12 + 9*13 = 4 + 28 + 9 + 60 + 48 + 117 = 266,
    # and 266 - 11 * 23 = 13, the fourteenth letter of the alphabet without I, O, S. The page counts 267: Q.
    assert identifiers.UPN_ALPHABET[13] == "P"
    assert identifiers.upn_check_letter("207000016049") == "P"
    assert not identifiers.is_upn("Q207000016049")
    assert identifiers.is_upn("P207000016049")


def test_the_check_letter_of_a_temporary_upn_counts_its_last_letter_thirteen_times():
    # 3*2 + 1*3 + 2*4 + 9*5 + 0*6 + 0*7 + 5*8 + 2*9 + 2*10 + 0*11 + 7*12 = 224; K has place 9 (A B C D E F G H J K);
    # 224 + 9 * 13 = 341, and 341 - 14 * 23 = 19: W.
    assert identifiers.upn_check_letter("31290052207K") == "W"


def test_exports_with_lower_case_and_blanks_are_read_when_asked():
    assert not identifiers.is_upn("w801 9001 23001")
    assert identifiers.is_upn("w801 9001 23001", tolerant=True)
    assert not identifiers.is_upn("w801-900123001", tolerant=True)


_parts = {
    "la": st.integers(201, 999),
    "establishment": st.integers(0, 9999),
    "year": st.integers(1990, 2040),
    "serial": st.integers(0, 99),
    "temporary": st.sampled_from(["", *identifiers.UPN_ALPHABET]),
}


@given(**_parts)
def test_a_made_upn_passes_or_fails_its_check_as_asked(**parts):
    right, wrong = identifiers.upn(**parts), identifiers.upn(**parts, valid=False)
    assert identifiers.is_upn(right)
    assert not identifiers.is_upn(wrong)
    assert right[1:] == wrong[1:]
    assert wrong[0] in identifiers.UPN_ALPHABET


@given(body=st.from_regex(r"[0-9]{12}", fullmatch=True), place=st.integers(0, 11), other=st.sampled_from("0123456789"))
def test_one_mistyped_digit_never_passes_as_the_same_upn(body, place, other):
    # 23 is a prime above every weight and every difference of digits.
    mistyped = body[:place] + other + body[place + 1 :]
    assert identifiers.is_upn(identifiers.upn_check_letter(body) + mistyped) == (mistyped == body)


@pytest.mark.parametrize("parts", [(8010, 1, 23, 1), (801, 90011, 23, 1), (801, 9001, 23, 1000), (801, 9001, 23, -1)])
def test_parts_that_do_not_fit_a_upn_are_refused(parts):
    with pytest.raises(ParameterError, match="11 digits"):
        identifiers.upn(*parts)


@pytest.mark.parametrize("text", ["1000000019", "2000000028", "3456789016", "5123456782", "9876543201", "9276308686"])
def test_a_uln_whose_weighted_sum_leaves_10_passes(text):
    assert identifiers.is_uln(text)
    assert identifiers.uln(int(text[:9])) == text
    assert not identifiers.is_uln(identifiers.uln(int(text[:9]), valid=False))


@pytest.mark.parametrize("text", ["2000000029", "0345678901", "512345678", "98765432O1", "9999999999"])
def test_check_digit_leading_zero_length_and_letters_make_no_uln(text):
    assert not identifiers.is_uln(text)


def test_a_base_that_leaves_no_remainder_has_no_uln():
    # 1 * 10 + 6 * 2 = 22 = 2 * 11, and 10 - 0 is no digit.
    assert identifiers.uln_check_digit("100000006") is None
    assert not any(identifiers.is_uln(f"100000006{digit}") for digit in range(10))
    assert not identifiers.is_uln(identifiers.uln(100000006, valid=False))
    with pytest.raises(ParameterError, match="no valid ULN"):
        identifiers.uln(100000006)
    with pytest.raises(ParameterError, match="9 digits"):
        identifiers.uln(99999999)


@given(st.integers(100_000_000, 999_999_999))
def test_trying_all_ten_digits_finds_the_check_digit_of_a_uln(base):
    passing = [digit for digit in "0123456789" if identifiers.is_uln(f"{base}{digit}")]
    assert passing == [digit for digit in [identifiers.uln_check_digit(str(base))] if digit is not None]


def test_nhs_numbers_kept_for_tests_pass():
    assert identifiers.is_nhs_number("9990000018")
    assert identifiers.is_nhs_number("9997654323")
    # 9*10 + 9*9 + 9*8 = 243 and 243 mod 11 = 1: 11 - 1 = 10 is no digit, so no last digit passes.
    assert not any(identifiers.is_nhs_number(f"999000000{digit}") for digit in range(10))


@pytest.mark.parametrize(
    "text", ["M1 1AE", "M60 1NW", "CR2 6XH", "DN55 1PT", "W1A 1HQ", "EC1A 1BB", "GIR 0AA", "B338TH"]
)
def test_each_published_form_of_a_postcode_passes(text):
    assert identifiers.is_postcode(text)


@pytest.mark.parametrize(
    "text", ["WN02 1AA", "LS1 4CI", "QW1 4AB", "AI1 4AB", "SW1A  1AA", "SW1A", "sw1a 1aa", "12345"]
)
def test_letters_that_a_position_never_has_make_no_postcode(text):
    assert not identifiers.is_postcode(text)


def test_phone_numbers_are_read_through_their_punctuation():
    # Ofcom's numbers for drama: 01632 960xxx, 020 7946 0xxx, 07700 900xxx, 08081 570xxx, 0306 999 0xxx.
    written = [
        "01632 960001",
        "(020) 7946 0958",
        "+44 (0)20 7946 0958",
        "0044 7700 900123",
        "08081.570-123",
        "03069990123",
    ]
    assert all(identifiers.is_uk_phone(text) for text in written)
    assert identifiers.is_uk_phone("0800 1111")
    assert not any(
        identifiers.is_uk_phone(text) for text in ["0400 900123", "07700 90012", "2026-01-31", "555-0123", ""]
    )


def test_a_list_of_addresses_is_not_one_email():
    assert identifiers.is_email("ada.o'neil+school@mail.school.example")
    assert not any(
        identifiers.is_email(text) for text in ["a@b.example, c@d.example", "a@b", "@b.example", "a@-b.example"]
    )


def test_prefixes_that_are_never_given_out_make_no_national_insurance_number():
    assert identifiers.is_nino("AB 12 34 56 C", tolerant=True)
    assert not any(
        identifiers.is_nino(f"{prefix}123456A") for prefix in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ", "QQ")
    )


def test_the_share_of_a_column_is_of_the_values_that_are_there():
    assert identifiers.matches(pl.Series(["W801900123001", None, "A801900123001", None]), "upn") == 0.5
    assert identifiers.matches(pl.Series([1000000019, 2000000028, 2000000029]), "uln") == pytest.approx(2 / 3)
    assert identifiers.matches(pl.Series([None, None], dtype=pl.String), "upn") is None
    with pytest.raises(ParameterError, match="'ssn'"):
        identifiers.matches(pl.Series(["x"]), "ssn")


# Texts one edit away from passing, and texts of the characters that the patterns know.
_near = st.one_of(
    st.builds(
        lambda text, place, character: text[: place % len(text)] + character + text[place % len(text) + 1 :],
        st.sampled_from(
            [
                "W801900123001",
                "w801 900123001",
                "W31290052207K",
                "1000000019",
                "999 000 0018",
                "9990000018",
                "SW1A 1AA",
                "b33 8th",
                "ab123456c",
                "BG123456A",
                "820/1234",
                "8201234",
                "a.b@c.example",
                " a@b.example",
            ]
        ),
        st.integers(0, 40),
        st.sampled_from("019AIKOSWZaz ./@-\u00a0é٣"),
    ),
    st.text(alphabet="0123456789ABIOSWZabz /@.-\t", max_size=14),
)


@given(texts=st.lists(_near, min_size=1, max_size=30), tolerant=st.booleans(), kind=st.sampled_from(sorted(_ONE)))
def test_a_column_and_its_texts_one_by_one_get_the_same_answer(texts, tolerant, kind):
    expected = sum(_ONE[kind](text, tolerant=tolerant) for text in texts) / len(texts)
    assert identifiers.matches(pl.Series(texts), kind, tolerant=tolerant) == pytest.approx(expected)


@given(st.lists(st.text(alphabet="0123456789+() .-", max_size=16), min_size=1, max_size=30))
def test_a_column_of_phone_numbers_is_read_as_each_of_them_is(texts):
    expected = sum(identifiers.is_uk_phone(text) for text in texts) / len(texts)
    assert identifiers.matches(pl.Series(texts), "phone") == pytest.approx(expected)
