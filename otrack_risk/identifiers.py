"""Formats and check characters of the identifiers that schools hold: UPN, ULN, NHS number, postcode, phone, plate.

``is_...`` answers for one text, :func:`matches` for a column, and both read the same patterns. A text
that passes has the right form; whether the number was ever given to anybody is not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otrack_risk.errors import ParameterError

if TYPE_CHECKING:
    import polars as pl

UPN_ALPHABET = "ABCDEFGHJKLMNPQRTUVWXYZ"  # 23 letters, values 0 to 22: no I, O or S

# Digits are [0-9] throughout: \d would let other scripts' digits in.
_PATTERNS = {
    "upn": r"[A-HJ-NP-RT-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]",
    "uln": r"[1-9][0-9]{9}",
    "nhs_number": r"[0-9]{10}",
    "postcode": (
        r"(?:GIR ?0AA|(?:[A-PR-UWYZ](?:[0-9]|[1-9][0-9]|[0-9][ABCDEFGHJKPSTUW])"
        r"|[A-PR-UWYZ][A-HK-Y](?:[0-9]|[1-9][0-9]|[0-9][ABEHMNPRVWXY])) ?[0-9][ABD-HJLNP-UW-Z]{2})"
    ),
    "phone": (
        r"(?:\+440?|00440?|0)"
        r"(?:1[0-9]{8,9}|2[0-9]{9}|3[0-9]{9}|5[0-9]{9}|7[0-9]{9}|8[0-9]{8,9}|80011[0-9]{2}|9[0-9]{9})"
    ),
    "email": (
        r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@"
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
    ),
    "nino": r"[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z][0-9]{6}[A-D]",
    "laestab": r"[2-9][0-9]{2}/?[0-9]{4}",
    "plate": (
        r"(?:[A-HJ-PR-Y]{2}(?:0[2-9]|[12][0-9]|5[1-9]|[67][0-9])[A-HJ-PR-Z]{3}"
        r"|[A-HJ-NPR-TV-Y][1-9][0-9]{0,2}[A-HJ-PR-Y]{3}|[A-HJ-PR-Y]{3}[1-9][0-9]{0,2}[A-HJ-NPR-TV-Y])"
    ),
}
KINDS = tuple(_PATTERNS)

_BLANKS = r"[ \t\r\n\u00a0]"
_SEPARATORS = {"phone": r"[ \t\r\n\u00a0.()-]", "nhs_number": r"[ \t\r\n\u00a0-]"}
_NINO_PREFIXES = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")  # never given out


def is_upn(text: str, *, tolerant: bool = False) -> bool:
    """Whether the text is a unique pupil number, permanent or temporary, with the right check letter.

    The three digits after the check letter are not compared with a list of local authorities: such
    lists go out of date, and a right letter already tells a UPN.

    Parameters
    ----------
    text : thirteen characters
    tolerant : also accept lower case and blanks, as exports have them

    References
    ----------
    Check letter: Department for Education, Unique pupil numbers (UPNs), guide for schools.

    Examples
    --------
    >>> is_upn("W801900123001"), is_upn("A801900123001"), is_upn("W31290052207K")
    (True, False, True)
    >>> is_upn("w801 9001 23001"), is_upn("w801 9001 23001", tolerant=True)
    (False, True)
    """
    return _is("upn", text, tolerant)


def upn_check_letter(body: str) -> str:
    """The first letter of a UPN, from the twelve characters that follow it.

    Position 2 to 13 weigh 2 to 13; the sum modulo 23 is the letter's place in
    :data:`UPN_ALPHABET`. The last character of a temporary UPN is a letter and counts its place.

    Raises
    ------
    ParameterError
        Not eleven digits and then a digit or a letter of the alphabet.

    Examples
    --------
    >>> upn_check_letter("801900123001")  # 134, and 134 mod 23 = 19
    'W'
    >>> upn_check_letter("207000016049")  # 266; a vendor's help page counts 267 and offers Q
    'P'
    """
    if not re.fullmatch(_PATTERNS["upn"], "A" + body):
        raise ParameterError(
            "upn_check_letter: the body of a UPN is 11 digits and then a digit or a letter other than I, O, S.",
            "give the 12 characters after the check letter.",
        )
    values = [*map(int, body[:11]), int(body[11]) if body[11].isdigit() else UPN_ALPHABET.index(body[11])]
    return UPN_ALPHABET[sum(weight * value for weight, value in enumerate(values, start=2)) % 23]


def upn(la: int, establishment: int, year: int, serial: int, *, temporary: str = "", valid: bool = True) -> str:
    """A UPN made of its parts.

    Parameters
    ----------
    la, establishment : local authority (3 digits) and establishment (4 digits) that gave the number
    year : calendar year in which the academic year of first issue ends or begins; its last two digits are used
    serial : 0 to 999; 0 to 99 where ``temporary``
    temporary : the letter that ends a temporary UPN, or nothing
    valid : False gives a letter that fails the check, for data that must be seen to be invented

    Raises
    ------
    ParameterError
        A part that does not fit its digits.

    Examples
    --------
    >>> upn(801, 9001, 2023, 1), upn(312, 9005, 2022, 7, temporary="K")
    ('W801900123001', 'W31290052207K')
    >>> is_upn(upn(801, 9001, 2023, 1, valid=False))
    False
    """
    tail = f"{serial:02d}{temporary}" if temporary else f"{serial:03d}"
    body = f"{la:03d}{establishment:04d}{year % 100:02d}{tail}"
    letter = upn_check_letter(body)
    return (letter if valid else UPN_ALPHABET[(UPN_ALPHABET.index(letter) + 1) % 23]) + body


def is_uln(text: str, *, tolerant: bool = False) -> bool:
    """Whether the text is a unique learner number: ten digits, weights 10 to 1, sum 10 modulo 11.

    References
    ----------
    Higher Education Statistics Agency, field ULN.

    Examples
    --------
    >>> is_uln("1000000019"), is_uln("2000000029"), is_uln("9999999999")
    (True, False, False)
    """
    return _is("uln", text, tolerant)


def uln_check_digit(base: str) -> str | None:
    """The tenth digit of a ULN from its first nine; None where no ULN has that base (1 in 11).

    Raises
    ------
    ParameterError
        Not nine digits of which the first is not 0.

    Examples
    --------
    >>> uln_check_digit("100000001"), uln_check_digit("100000006")
    ('9', None)
    """
    if not re.fullmatch(r"[1-9][0-9]{8}", base):
        raise ParameterError("uln_check_digit: the base of a ULN is 9 digits, the first not 0.", "give 9 digits.")
    remainder = sum(int(digit) * weight for digit, weight in zip(base, range(10, 1, -1), strict=True)) % 11
    return str(10 - remainder) if remainder else None


def uln(base: int, *, valid: bool = True) -> str:
    """A ULN of nine digits and its check digit, or with a digit that fails the check.

    Raises
    ------
    ParameterError
        Not nine digits, or ``valid`` with a base that has no check digit.

    Examples
    --------
    >>> uln(100000001), is_uln(uln(100000001, valid=False))
    ('1000000019', False)
    """
    digit = uln_check_digit(str(base))
    if not valid:
        return f"{base}{(int(digit or 0) + 1) % 10}"
    if digit is None:
        raise ParameterError("uln: no valid ULN has this base.", "take another; uln_check_digit tells which have one.")
    return f"{base}{digit}"


def is_nhs_number(text: str, *, tolerant: bool = False) -> bool:
    """Whether the text is an NHS number: ten digits, the last of them 11 minus the weighted sum modulo 11.

    Numbers that begin with 999 are kept for tests; they pass.

    References
    ----------
    NHS Data Model and Dictionary, NHS number.

    Examples
    --------
    >>> is_nhs_number("9990000018"), is_nhs_number("9990000019"), is_nhs_number("999 000 0018", tolerant=True)
    (True, False, True)
    """
    return _is("nhs_number", text, tolerant)


def is_postcode(text: str, *, tolerant: bool = False) -> bool:
    """Whether the text has the form of a full UK postcode: A9 9AA, A99 9AA, AA9 9AA, AA99 9AA, A9A 9AA, AA9A 9AA.

    The blank may be missing. Letters that a position never has are refused (Q, V, X first; I, J, Z
    second; C, I, K, M, O, V in the last two), and so is a district such as 02.

    References
    ----------
    BS 7666-2; Royal Mail, Programmer's guide to the postcode address file.

    Examples
    --------
    >>> is_postcode("SW1A 1AA"), is_postcode("WN02 1AA"), is_postcode("LS1 4CI"), is_postcode("ls14ab", tolerant=True)
    (True, False, False, True)
    """
    return _is("postcode", text, tolerant)


def is_uk_phone(text: str) -> bool:
    """Whether the text is a UK telephone number, national or with +44; blanks, dots, hyphens, brackets ignored.

    References
    ----------
    Ofcom, National Telephone Numbering Plan: ranges 1, 2, 3, 5, 7, 8, 9 and their lengths.

    Examples
    --------
    >>> is_uk_phone("07700 900123"), is_uk_phone("+44 (0)20 7946 0958"), is_uk_phone("0400 900123")
    (True, True, False)
    """
    return _is("phone", text, tolerant=True)


def is_email(text: str, *, tolerant: bool = False) -> bool:
    """Whether the text is one e-mail address as people write them (no quoted local part, no comment).

    Examples
    --------
    >>> is_email("office@school.example"), is_email("office@school"), is_email("a@b.example, c@d.example")
    (True, False, False)
    """
    return _is("email", text, tolerant)


def is_nino(text: str, *, tolerant: bool = False) -> bool:
    """Whether the text has the form of a National Insurance number; it has no check character.

    References
    ----------
    HM Revenue and Customs, National Insurance Manual NIM39110.

    Examples
    --------
    >>> is_nino("AA123456A"), is_nino("BG123456A"), is_nino("QQ123456C")
    (True, False, False)
    """
    return _is("nino", text, tolerant)


def is_laestab(text: str, *, tolerant: bool = False) -> bool:
    """Whether the text can be a school's number: local authority (3 digits), establishment (4 digits).

    Any number of seven digits from 2000000 up can be one, so the form alone tells little.

    Examples
    --------
    >>> is_laestab("820/1234"), is_laestab("8201234"), is_laestab("82/01234")
    (True, True, False)
    """
    return _is("laestab", text, tolerant)


def is_plate(text: str, *, tolerant: bool = False) -> bool:
    """Whether the text has the form of a number plate of Great Britain: AA99AAA, A999AAA (1983) or AAA999A (1963).

    I, Q and Z are left out as the authority does, and so are ages that no plate shows before 2030 (00, 01, 30 to
    50). Short forms such as Y6SEN pass, so that form alone tells much for AA99AAA only. Plates older than 1963,
    of Northern Ireland and personal ones of other forms do not pass.

    References
    ----------
    Driver and Vehicle Licensing Agency, INF104, Vehicle registration numbers and number plates.

    Examples
    --------
    >>> is_plate("AB12CDE"), is_plate("AB45CDE"), is_plate("ab12 cde", tolerant=True)
    (True, False, True)
    """
    return _is("plate", text, tolerant)


def matches(values: pl.Series, kind: str, *, tolerant: bool = True) -> float | None:
    """Share of the values (0 to 1, of those that are not missing) that have the form of ``kind``; None for no value.

    Parameters
    ----------
    values : text or whole numbers
    kind : one of :data:`KINDS`
    tolerant : as for the functions of one text

    Raises
    ------
    ParameterError
        An unknown kind.

    Examples
    --------
    >>> import polars as pl
    >>> matches(pl.Series(["W801900123001", "A801900123001", None]), "upn")
    0.5
    """
    import polars as pl

    if kind not in _PATTERNS:
        raise ParameterError(f"matches: '{kind}' is not a kind of identifier.", f"use one of {', '.join(KINDS)}.")
    filled = values.drop_nulls()
    if filled.is_empty():
        return None
    passed = filled.cast(pl.String).to_frame("value").select(_passes(pl.col("value"), kind, tolerant))
    return float(passed.to_series().fill_null(False).mean() or 0.0)  # type: ignore[arg-type]


def _is(kind: str, text: str, tolerant: bool) -> bool:
    """The rule for one text; :func:`_passes` is the same rule for a column, held equal by a test."""
    if tolerant:
        text = re.sub(_SEPARATORS.get(kind, _BLANKS), "", text)
        text = text if kind == "email" else text.upper()
    if not re.fullmatch(_PATTERNS[kind], text):
        return False
    if kind == "upn":
        return text[0] == upn_check_letter(text[1:])
    if kind == "uln":
        return sum(int(digit) * weight for digit, weight in zip(text, range(10, 0, -1), strict=True)) % 11 == 10
    if kind == "nhs_number":
        return sum(int(digit) * weight for digit, weight in zip(text, range(10, 0, -1), strict=True)) % 11 == 0
    return not (kind == "nino" and text[:2] in _NINO_PREFIXES)


def _passes(text: pl.Expr, kind: str, tolerant: bool) -> pl.Expr:
    import polars as pl

    if tolerant:
        text = text.str.replace_all(_SEPARATORS.get(kind, _BLANKS), "")
        text = text if kind == "email" else text.str.to_uppercase()
    shape = text.str.contains(f"^(?:{_PATTERNS[kind]})$")

    def weighted(values: dict[str, int], weights: range) -> pl.Expr:
        places = [
            text.str.slice(place, 1).replace_strict(values, default=None, return_dtype=pl.Int32) * weight
            for place, weight in enumerate(weights, start=1 if kind == "upn" else 0)
        ]
        return pl.sum_horizontal(places, ignore_nulls=False)

    digits = {str(digit): digit for digit in range(10)}
    if kind == "upn":
        letters = {letter: place for place, letter in enumerate(UPN_ALPHABET)}
        first = text.str.slice(0, 1).replace_strict(letters, default=None, return_dtype=pl.Int32)
        return shape & (weighted(digits | letters, range(2, 14)) % 23 == first)
    if kind == "uln":
        return shape & (weighted(digits, range(10, 0, -1)) % 11 == 10)
    if kind == "nhs_number":
        return shape & (weighted(digits, range(10, 0, -1)) % 11 == 0)
    if kind == "nino":
        return shape & ~text.str.slice(0, 2).is_in(_NINO_PREFIXES)
    return shape
