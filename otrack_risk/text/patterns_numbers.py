"""Numbers that belong to one person or one school: UPN, ULN, NHS, NINO, telephone, number plate, LAESTAB, URN.

Each regular expression begins with a character class, so that the engine skips what cannot begin a match, and
looks behind only after that; quantifiers are bounded, so that a text costs time in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from otrack_risk import identifiers
from otrack_risk.text.spans import Span

# The check character holds; form and a word near; form; form, or a word, and something that speaks against it; a hint.
CHECKED, NAMED, SURE, LIKELY, WEAK = 1.0, 0.95, 0.85, 0.6, 0.5

_NEAR = 40  # characters before a number in which a word says what it is
_SAID = (
    r"(?P<upn>upn|unique pupil|pupil (?:no|number|ref))|(?P<uln>uln|unique learner|learner (?:no|number|ref))"
    r"|(?P<nhs>nhs)|(?P<nino>ni|nino|n\.i\.|nat(?:ional|\.)? ins(?:urance|\.)?)"
    r"|(?P<phone>tel|telephone|phone|mob|mobile|landline|ring|rang|call|called|text|contact)"
    r"|(?P<other>isbn|invoice|order|account|serial|barcode|asset|po|ticket|receipt)"
)
_NINO_SAID = re.compile(r"\b(?:ni|nino|n\.i\.|nat(?:ional|\.)? ins(?:urance|\.)?)(?![a-z])", re.I)
_SAID_BEFORE = re.compile(rf"\b(?:{_SAID})(?![a-z])", re.I)
_SAID_AFTER = re.compile(rf"\W{{1,3}}(?:(?:is|was) )?(?:(?:his|her|their|the) )?(?:{_SAID})(?![a-z])", re.I)

_UPN = re.compile(
    r"[A-Za-z](?<![0-9A-Za-z].)(?:[ \u00a0-]?[0-9]){11}(?:[ \u00a0-]?[0-9]|[A-Za-z])(?![0-9A-Za-z])", re.S
)
_ELEVEN = re.compile(r"[0-9](?:[ \u00a0-]?[0-9]){10}")
_TEN = re.compile(r"[1-9](?<![0-9A-Za-z.,/:+].)(?:[ \u00a0-]?[0-9]){9}(?![0-9A-Za-z]|[.,/-][0-9])", re.S)
_NINO = re.compile(
    r"[A-Za-z](?<![0-9A-Za-z].)[A-Za-z](?:[ \u00a0-]?[0-9]{2}){3}(?:[ \u00a0-]?[A-Da-d])?(?![0-9A-Za-z])", re.S
)
_PHONE = re.compile(r"[+(0](?<![0-9A-Za-z+].)(?<![0-9][.,/:-].)(?:[ ().\u00a0-]{0,3}[0-9]){7,14}", re.S)
_EXTENSION = re.compile(r",? ?(?:ext(?:ension|n)?|x)[.: ]{0,2}[0-9]{1,6}\b", re.I)
_LOCAL = re.compile(
    r"\b(?:tel|telephone|phone|landline|mobile|mob)(?:[ .:]{1,2}(?:no|number|is|on|home)){0,2}[ .:]{1,3}"
    r"([2-9][0-9]{5,7}|[2-9][0-9]{2}[ -][0-9]{3,4})(?![0-9]|[ .,/:-][0-9])",
    re.I,
)
# Ofcom: area codes (without 0) of which some numbers have only nine digits, blanks apart. Others lost a digit.
_NINE = re.compile(
    r"0?1(?:20[48]|254|276|29[78]|36[34]|384|386|404|420|46[01]|48[08]|52[47]|56[26]|606|629|635|647|659|695"
    r"|726|744|750|768|827|837|884|90[05]|935|946|949|963|995)"
)
_PLATE = re.compile(
    r"[A-Z](?<![0-9A-Za-z].)(?:[A-Z][0-9]{2}[ -]?[A-Z]{3}|[0-9]{1,3}[ -]?[A-Z]{3}|[A-Z]{2}[ -]?[0-9]{1,3}[A-Z])"
    r"(?![0-9A-Za-z])",
    re.S,
)
_ANY_PLATE = re.compile(_PLATE.pattern, re.S | re.I)
# The present form with an age that no plate shows yet, as given where a plate must be nobody's: beside a word of cars.
_NO_AGE_YET = re.compile(r"[A-HJ-PR-Y]{2}(?:0[01]|3[0-9]|4[0-9]|50)[A-HJ-PR-Z]{3}")
_DRIVEN = re.compile(
    r"\b(?:cars?|vans?|vehicles?|reg|plates?|park(?:ed|ing|s)?|permits?|lorry|taxi|driver|drives?)\b", re.I
)
_CAR = re.compile(r"\b(?:cars?(?! ?(?:park|seat|boot))|van|vehicle|reg|registration|number ?plate|plate)\b", re.I)
_PLATE_IS = re.compile(r"\b(?:reg|registration|plate)(?: (?:no|number|plate|is|was|of)){0,2}[.:]? ?\Z", re.I)
_OLD_PLATE = re.compile(
    r"\b(?:reg(?:istration)?(?: (?:no|number|plate))?|number ?plate|plate)[.: ]{1,3}(?:is )?"
    r"([A-Z]{3} ?[0-9]{1,4}|[0-9]{1,4} ?[A-Z]{3})(?![0-9A-Za-z])"
)
_LAESTAB = re.compile(r"[2-9](?<![0-9A-Za-z/.].)[0-9]{2}/[0-9]{4}(?![0-9A-Za-z/]|[.-][0-9])", re.S)
_SCHOOL_NUMBER = re.compile(
    r"\b(?:(?:laestab|la ?/? ?estab|estab|df[e]s? (?:no|number|code)|school (?:no|number|code))(?: (?:no|number|code))?"
    r"[.:#]?(?: is)? ?([2-9][0-9]{2}[ /-]?[0-9]{4})|urn(?: (?:no|number))?[.:#]?(?: is)? ?([1-9][0-9]{5}))(?![0-9])",
    re.I,
)


def school_numbers(text: str, low: str, digits: int) -> Iterator[Span]:
    """LAESTAB, with a slash or named; URN, named."""
    if digits >= 7 and "/" in text:
        for found in _LAESTAB.finditer(text):
            la, establishment = found[0].split("/")
            if _is_authority(int(la)) and establishment >= "1000" and not establishment.endswith("000"):
                yield Span(found.start(), found.end(), "SCHOOL", LIKELY)
    if "urn" in low or "estab" in low or "df" in low or "school" in low:
        for found in _SCHOOL_NUMBER.finditer(text):
            yield Span(*found.span(found.lastindex or 0), "SCHOOL", SURE)


def pupil_numbers(text: str) -> Iterator[Span]:
    """UPN: thirteen characters, in one piece or spaced, with the right letter or the word UPN near."""
    if not _ELEVEN.search(text):
        return
    for found in _UPN.finditer(text):
        raw = _squeezed(found[0])
        apart = found[0][1] in " \u00a0-"  # 'a 801900123001' is more likely an article
        named = _said(text, *found.span()) == "upn"
        if identifiers.is_upn(raw.upper()) and (named or not apart or raw[0].isupper()):
            yield Span(found.start(), found.end(), "UPN", CHECKED if named or len(raw) == len(found[0]) else 0.9)
        elif named:
            yield Span(found.start(), found.end(), "UPN", LIKELY)


def ten_digits(text: str) -> Iterator[Span]:
    """ULN, NHS number, or a telephone number that lost its 0: the checks exclude each other, words decide the rest."""
    for found in _TEN.finditer(text):
        groups = tuple(map(len, re.split(r"[ \u00a0-]", found[0])))
        label, score = _meaning(_squeezed(found[0]), groups, _said(text, *found.span()))
        if label:
            yield Span(found.start(), found.end(), label, score)


def insurance_numbers(text: str) -> Iterator[Span]:
    """NINO: in capitals by form (it has no check character), otherwise with a word near."""
    for found in _NINO.finditer(text):
        raw = _squeezed(found[0])
        named = _said(text, *found.span()) == "nino"
        specimen = raw.startswith("QQ") and _NINO_SAID.search(text) is not None  # never given out
        whole = len(raw) == 9 and (identifiers.is_nino(raw.upper()) or specimen)
        if raw.isupper() and whole:
            yield Span(found.start(), found.end(), "NINO", NAMED if named else SURE)
        elif named or (whole and len(raw) == len(found[0]) and raw.islower()):
            yield Span(found.start(), found.end(), "NINO", LIKELY)


def phones(text: str, low: str) -> Iterator[Span]:
    """UK landlines, mobiles and service numbers as people group them, with extension; other countries with their +.

    The longest run of whole groups that the numbering plan allows is taken, so that a number may be followed by
    a time or another number. Dates, ISBNs and scores are refused by how their digits are grouped.
    """
    at = 0
    while found := _PHONE.search(text, at):
        end, score = _longest_phone(text, found)
        if end:
            more = _EXTENSION.match(text, end)
            opened = found[0][0] == "(" and ")" not in text[found.start() : end]  # a bracket around the whole
            yield Span(found.start() + opened, more.end() if more else end, "PHONE", score)
        at = end or found.start() + 1
    if "tel" in low or "phone" in low or "mob" in low or "landline" in low:
        for found in _LOCAL.finditer(text):
            yield Span(*found.span(1), "PHONE", WEAK)


def plates(text: str, low: str) -> Iterator[Span]:
    """Number plates: AA99 AAA by form; A999 AAA and AAA 999A by form with three digits or near a word such as car.

    With one or two digits (Y6 SEN) the word must stand right before: such codes are classes and groups in schools.
    """
    near = "car" in low or "van" in low or "vehicle" in low or "reg" in low or "plate" in low
    near = near and _CAR.search(text) is not None
    for found in (_ANY_PLATE if near else _PLATE).finditer(text):
        raw = _squeezed(found[0])
        if not identifiers.is_plate(raw.upper()) and not (_NO_AGE_YET.fullmatch(raw) and _DRIVEN.search(text)):
            continue
        start, end = found.span()
        said = near and _CAR.search(text, max(0, start - _NEAR), end + 20) is not None
        if raw.isupper() and raw[1].isalpha() and raw[2].isdigit():
            yield Span(start, end, "VEHICLE", NAMED if said else SURE)
        elif near and _PLATE_IS.search(text, max(0, start - 24), start):
            yield Span(start, end, "VEHICLE", SURE)
        elif sum(map(str.isdigit, raw)) == 3 and raw[-3:] != "00M":  # 'FOR 100M'
            if said or raw.isupper():
                yield Span(start, end, "VEHICLE", LIKELY if said else WEAK)
        elif said and raw[:2].isalpha() and raw[2:4].isdigit():
            yield Span(start, end, "VEHICLE", LIKELY)
    if near:
        for found in _OLD_PLATE.finditer(text):
            yield Span(*found.span(1), "VEHICLE", WEAK)


def _said(text: str, start: int, end: int) -> str:
    """What the nearest word says that a number is: the last one before it, or else the one right after it."""
    said = None
    for word in _SAID_BEFORE.finditer(text, max(0, start - _NEAR), start):
        said = word.lastgroup
    if said is None and (after := _SAID_AFTER.match(text, end, end + 30)):
        said = after.lastgroup
    return said or ""


def _squeezed(text: str) -> str:
    return text.replace(" ", "").replace("-", "").replace("\u00a0", "")


def _meaning(raw: str, groups: tuple[int, ...], said: str) -> tuple[str, float]:
    """Label and score of ten digits; an empty label where nothing speaks for either.

    Without a word near, a ULN is written in one piece, and an NHS number begins as issued ones do (3, 4, 6, 7)
    or as numbers for tests and examples do (9). One random number in eleven passes either check.
    """
    if raw == raw[0] * 10 or said in ("other", "upn"):
        return "", 0.0
    is_uln, is_nhs = identifiers.is_uln(raw), identifiers.is_nhs_number(raw)
    if said == "phone" and identifiers.is_uk_phone("0" + raw):
        return "PHONE", LIKELY
    if said == "uln":
        return "ULN", CHECKED if is_uln else LIKELY
    if said == "nhs":
        return "NHS", CHECKED if is_nhs else WEAK
    if is_nhs and raw[0] in "34679" and groups == (3, 3, 4):
        return "NHS", SURE
    if is_nhs and (raw[0] in "3467" or raw.startswith("999")) and groups == (10,):
        return "NHS", WEAK
    if is_uln and groups == (10,):
        return "ULN", WEAK
    if raw[0] == "7" and groups in ((4, 6), (4, 3, 3)):
        return "PHONE", 0.4
    return "", 0.0


def _longest_phone(text: str, found: re.Match[str]) -> tuple[int, float]:
    """Where the telephone number that begins with a run of digits ends, and its score; 0 where none begins."""
    start = found.start()
    groups = list(re.finditer(r"[0-9]+", found[0]))
    last = found.end()
    if re.match(r"[0-9A-Za-z]", text[last : last + 1]):
        groups.pop()  # the last group goes on beyond the run
    if found[0][0] != "+" and len(groups) > 2 and max(len(group[0]) for group in groups[:3]) < 3:
        return 0, 0.0
    said = _said(text, start, start)
    if said == "other":
        return 0, 0.0
    for many in range(len(groups), 0, -1):
        sizes = [len(group[0]) for group in groups[:many]]
        if sum(sizes) < 8:
            break
        written = found[0][: groups[many - 1].end()]
        digits = "".join(group[0] for group in groups[:many])
        abroad = written.lstrip("(").startswith("+") or digits.startswith("0044")
        if abroad and not digits.startswith(("44", "0044")):
            if 9 <= len(digits) <= 15 and sizes[-1] > 1 and digits[0] != "0":
                return start + len(written), LIKELY
        elif identifiers.is_uk_phone(written) and (abroad or _is_grouped(digits, sizes, said == "phone")):
            return start + len(written), NAMED if abroad or said == "phone" else SURE
    return 0, 0.0


def _is_grouped(digits: str, sizes: list[int], said: bool) -> bool:
    """Whether national digits are grouped as a telephone number is, and not as a date, an ISBN or scores are."""
    if sizes[0] < 3 or min(sizes) < 2 or len(sizes) > 4:
        return False
    if len(digits) == 10 and digits[1] == "1":  # a digit short, but for a few areas
        return said or _NINE.match(digits) is not None or (len(sizes) == 2 and sizes[0] == 5)
    return True


def _is_authority(la: int) -> bool:
    """Whether local authorities of England and Wales are numbered so; a range may be wider than the list of a year."""
    return 201 <= la <= 213 or 301 <= la <= 394 or la == 420 or 660 <= la <= 681 or 800 <= la <= 899 or 906 <= la <= 949
