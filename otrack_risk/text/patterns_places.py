"""Places that lead to a person: postcodes, addresses, names of schools.

How the lists were made: from general knowledge of postcode areas (124, with Jersey, Guernsey and Man), of kinds of
street and house, and of how schools are called, after the 30 developers' notes had been read; none was compared with
an official list, and none was made from the sentences of an evaluation set. 'Secondary' and 'High' were once also
among the words that no school is called by, which the labelled notes of a synthetic world showed to be a slip.
Schools by their saint, and by the match against them, were added on 2026-11-25, after the errors on the notes of
``tests/text/notes`` had been read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from otrack_risk import identifiers
from otrack_risk.text.spans import Span


def words(listed: str) -> frozenset[str]:
    """The words of a list that is written as text."""
    return frozenset(listed.split())


_AREAS = words(
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX "
    "FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE "
    "NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ "
    "TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
# What a digit and two letters is in running text: 2nd, 4th, 3hr, 5lb; as the end of a postcode only in capitals.
_NO_INWARD = frozenset({"ST", "ND", "RD", "TH", "HR", "YR", "LB", "FT", "PT", "WD", "GB", "TB"})
_INWARD = re.compile(r"[0-9][A-Za-z]{2}(?![0-9A-Za-z])")
_OUTWARD = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{1,2}[0-9][0-9A-Za-z]?(?=[ \u00a0]{0,2}\Z)")

_SURE_STREET = (
    "Street|Str|St|Road|Rd|Lane|Ln|Avenue|Ave|Av|Close|Cl|Drive|Dr|Way|Crescent|Cresc|Cres|Gardens|Gdns|Grove|Terrace|"
    "Terr|Mews|Boulevard|Broadway|Parade|Villas|Cottages|Buildings|Esplanade|Promenade|Embankment|Wharf|Quay"
)
# Also surnames, or words of a school day: they need a word such as 'lives', or a postcode after them.
_MAYBE_STREET = (
    "Court|Ct|Place|Pl|Square|Sq|Hill|Green|View|Park|Row|Rise|Walk|End|Bank|Brow|Vale|Dale|Mount|Croft|Fold|Gate|Yard|"
    "Heights|Meadows?|Fields?|Steps|Alley|Passage|Arcade|Hollow|Ginnel|Spinney|Copse|Glade|Leys|Drove|Mead|Loan|Causeway|"
    "Approach|Chase|Dene|Garth|Lea|Nook|Paddock|Ridge|Side|Wynd|Brae|Common|Circus|Orchard|Path"
)
_HOUSE = (
    "House|Cottage|Farm|Farmhouse|Lodge|Barn|Hall|Mill|Vicarage|Rectory|Bungalow|Villa|Manor|Grange|Court|Towers?|"
    "Mansions|Apartments|Flats|Stables|Buildings|Heights|Point|Gatehouse"
)
_WORD = r"(?:(?!(?:Mrs?|Miss|Ms|Mx|Dr|Sir|Rev)\b)[A-Z][\w'’-]*\.?|of|the|on|de|le|upon)"
_NUMBER = r"[0-9]{1,4}[A-Za-z]?(?:[-–/][0-9]{1,4}[A-Za-z]?)?"
_NOT_A_STREET = (
    r"(?![\w'’])(?! (?:C of E |Church of England |Catholic )?"
    r"(?:Primary|Secondary|School|Academy|Infants?|Juniors?|Nursery|College|Station|Surgery|Clinic|Hospital|Library)\b)"
)
_STREET = re.compile(
    rf"[0-9](?<![\w£$.,:/-].)(?:[0-9]{{0,3}})[A-Za-z]?(?:[-–/][0-9]{{1,4}}[A-Za-z]?)?,?[ \u00a0](?:{_WORD} ){{1,4}}"
    rf"(?:(?P<sure>{_SURE_STREET})|(?:{_MAYBE_STREET})){_NOT_A_STREET}"
)
_ENDS_AS_STREET = re.compile(rf"(?:{_NUMBER},? )?(?:{_WORD} ){{1,4}}(?:{_SURE_STREET}|{_MAYBE_STREET}|{_HOUSE})\Z")
_LOWER_STREET = re.compile(
    r"[0-9](?<![\w£$.,:/-].)[0-9]{0,3}[a-z]? (?:[a-z'’]{1,20} ){1,3}"
    rf"(?:{_SURE_STREET.lower()}|{_MAYBE_STREET.lower()})(?![\w'’])"
)
_UNNUMBERED = re.compile(
    r"\b(?:[Ll]iv(?:es?|ing|ed)|[Mm]ov(?:ed|ing|es)|[Ss]tay(?:s|ing|ed)|[Aa]ddress(?: is|:)?|[Hh]ome is|[Hh]ouse is) "
    r"(?:(?:now|with \w+|back|is) )?(?:on |in |at |to |into |off )?"
    rf"((?:{_WORD} ){{1,3}}(?:{_SURE_STREET})){_NOT_A_STREET}"
)
_FLAT_BEFORE = re.compile(r"(?:[Ff]lat|Apt|Apartment|Unit|Maisonette|FLAT) ?[0-9]{0,4}[A-Za-z]?,? \Z")
_FLAT = re.compile(rf"\b(?:[Ff]lat|Apt|Apartment) [0-9]{{1,4}}[A-Za-z]?,? (?:{_WORD} ){{1,3}}(?:{_HOUSE})(?![\w'’])")
_COUNTED = re.compile(  # what a number is of, when it stands before a street's name by chance
    r"\b(?:years?|yrs?|y|class|pages?|pg|pp|p|chapters?|ch|stage|band|level|room|group|set|term|week|unit|lesson|day|"
    r"act|scene|book|grade|form|ks|age|aged|part|phase|step|table|bus|no more than|score[ds]?) \Z",
    re.I,
)
_AT_HOME = re.compile(
    r"\b(?:address(?:es)?|liv(?:es?|ed|ing)|mov(?:ed|es|ing)|stay(?:s|ed|ing)|resid\w+|home|house|flat|postcode|deliver\w*|"
    r"(?:collect|pick|drop)\w*(?: \w+){0,2} (?:at|to|from))\b",
    re.I,
)
_PART = re.compile(rf"(?:{_NUMBER},? )?(?:{_WORD} ){{0,4}}{_WORD}\Z")
_CUT = re.compile(r"[:;!?()\n]|(?<!\bSt)\. ")

_SCHOOL_KIND = re.compile(
    r"[SAPIJNCGH](?<![\w].)(?:chools?|cademy|rimary|nfants?|uniors?|ursery|ollege|rammar|igh)(?![\w'’])", re.S
)
_SCHOOL_PART = words(
    "School Schools Academy Primary Infant Infants Junior Juniors Nursery College Grammar High Secondary "
    "Special First Middle Prep Preparatory Upper Lower Community Catholic RC CE CofE Voluntary Aided Controlled "
    "Free Comprehensive Sixth Form Church England C of E and & the Specialist Sports Technology Girls Boys "
    "Girls' Boys' Girls’ Boys’ Independent Foundation Studio Technical"
)
_NOT_NAMES = words(  # capitalised where a sentence begins, or no school: Forest School, Sunday School
    "The A An At From To In New Our Your My His Her Their This That Moved Moving Attends Attended Attending "
    "Joined Joining Left Came Comes Transfer Transferred Transferring Previously Previous Former Visited Visit "
    "Visiting Starting Started Start Mum Dad He She They We Was Is Going Goes Back After Before Forest Sunday "
    "Saturday Summer Breakfast Holiday Easter Big Little All Whole Home Day Every No Local Nearest Feeder Old "
    "Another Other Which And Or If Any Monday Tuesday Wednesday Thursday Friday Online Virtual "
    "Medical Dental Law Business Art Music"
)
_KIND_GOES_ON = re.compile(r" (\(?[A-Z&][\w'’&]*|of|and)(?![\w'’])")
_JOINED = re.compile(r" (?:Sixth|E\b|Nursery|England)")
_GOING = re.compile(
    r"(?:\b(?:at|to|from|attend(?:s|ed|ing)?|join(?:s|ed|ing)?|left|via|vs?\.?|versus|against|beat|played|playing|host(?:s|ed|ing)?|"
    r"visit(?:s|ed|ing)?|choice:?|pref(?:erence)?:?|1st|2nd|3rd|first|second|third)) \Z",
    re.I,
)
_SAINT = re.compile(  # a school by its saint alone, where somebody goes to it: from St Hilda's
    r"(?i:\b(?:at|from|attend(?:s|ed|ing)?|join(?:s|ed|ing)?|transfer(?:s|red)? to|mov(?:e|es|ed|ing) to|going to|"
    r"place at|offer(?:ed)?(?: a place)? at|vs?\.?|against|1st|2nd|3rd|choice:?|pref(?:erence)?:?)) "
    r"((?:St|Saint)\.? [A-Z][\w-]+(?:['’]s)?)(?![\w'’])(?! (?:[A-Z][\w'’]*|church|hospital|hall|road|street|club)\b)"
)


def postcodes(text: str) -> Iterator[Span]:
    """Full UK postcodes of all six shapes.

    In capitals the form is enough; in other cases, or without a blank, the area must be one of the Royal Mail's
    and the end no ordinal or unit ('OK1 2nd', 'B1 2nd', 'M1 3hr').
    """
    for inward in _INWARD.finditer(text):
        outward = _OUTWARD.search(text, max(0, inward.start() - 6), inward.start())
        if outward is None:
            continue
        whole = text[outward.start() : inward.end()]
        if not identifiers.is_postcode(whole, tolerant=True):
            continue
        area = re.match(r"[A-Za-z]+", whole)[0].upper()  # type: ignore[index]
        score = _postcode_score(whole, area, outward.end() < inward.start())
        if 0 < score < 0.6 and _AT_HOME.search(text, max(0, outward.start() - 60), outward.start()):
            score = 0.7
        if score >= 0.35:
            yield Span(outward.start(), inward.end(), "POSTCODE", score)


def addresses(text: str, postcodes: list[Span]) -> Iterator[Span]:
    """Number and street, flat and house, street after a word such as 'lives', and what leads up to a postcode."""
    for found in _STREET.finditer(text):
        start, end = found.span()
        before = text[max(0, start - 40) : start]
        flat = _FLAT_BEFORE.search(before)
        followed = any(end <= code.start <= end + 40 for code in postcodes)
        said = bool(flat) or followed or _AT_HOME.search(before) is not None
        if said or (found["sure"] and not _COUNTED.search(before)):
            yield Span(start - (len(flat[0]) if flat else 0), end, "ADDRESS", 0.85 if found["sure"] or said else 0.6)
    if "lat " in text or "Apt " in text or "Apartment " in text:
        for found in _FLAT.finditer(text):
            yield Span(found.start(), found.end(), "ADDRESS", 0.85)
    for found in _LOWER_STREET.finditer(text):
        if _AT_HOME.search(text, max(0, found.start() - 30), found.start()):
            yield Span(found.start(), found.end(), "ADDRESS", 0.6)
    for code in postcodes:
        if part := _leading_up_to(text, code.start):
            yield Span(*part, "ADDRESS", 0.85)


def unnumbered(text: str) -> Iterator[Span]:
    """A street without its number, after 'lives on' and the like."""
    for found in _UNNUMBERED.finditer(text):
        yield Span(*found.span(1), "ADDRESS", 0.6)


def schools(text: str) -> Iterator[Span]:
    """Names of schools: capitalised words that end in a kind of school ('Hill Top Infants', 'St Mary's CE Primary')."""
    past = 0
    for kind in _SCHOOL_KIND.finditer(text):
        if kind.start() < past:
            continue
        end = _kinds_after(text, kind.end())
        start, names = _name_before(text, kind.start())
        past = end
        if not names:
            continue
        last = text[start:end].rsplit(" ", 1)[-1]
        if last == "High" and not _GOING.search(text[max(0, start - 12) : start]):
            continue
        yield Span(start, end, "SCHOOL", 0.85 if " " in text[kind.start() : end] or names > 1 else 0.7)


def saints(text: str) -> Iterator[Span]:
    """Schools called by a saint alone, after a word of going there: "from St Hilda's", "2nd St Hilda's"."""
    for found in _SAINT.finditer(text):
        if found[1].endswith(("'s", "’s")):
            yield Span(*found.span(1), "SCHOOL", 0.6)


def _postcode_score(whole: str, area: str, apart: bool) -> float:
    """How far the form alone tells; 0.3 needs a word such as 'lives' before it, 0 is none."""
    known, ends_badly = area in _AREAS, whole[-2:].upper() in _NO_INWARD
    if whole.upper() == whole and not (ends_badly and not known):
        if apart:
            return 0.85 if known else 0.6 if len(area) == 2 else 0.3
        return (0.7 if len(area) == 2 else 0.4) if known else 0.3 if len(area) == 2 else 0.0
    if known and not ends_badly:
        return 0.5 if apart else 0.4 if len(area) == 2 else 0.3
    return 0.0


def _leading_up_to(text: str, at: int) -> tuple[int, int] | None:
    """The parts between commas that lead up to a postcode, from the first that is a house or a street."""
    floor = max(0, at - 100)
    for cut in _CUT.finditer(text, floor, at):
        floor = cut.end()
    window = text[floor:at]
    end = floor + len(window.rstrip(" ,\u00a0"))
    first, edge = None, end
    while edge > floor:
        comma = text.rfind(",", floor, edge)
        left = comma + 1 if comma >= 0 else floor
        found = _PART.search(text, left, edge)
        if not found:
            break
        house = _ENDS_AS_STREET.search(text, found.start(), edge)
        if house:
            first = house.start() if house.start() == found.start() or found[0][0].isdigit() else found.start()
        if text[left : found.start()].strip() or comma < 0:
            break
        edge = comma
    if first is None:
        return None
    flat = _FLAT_BEFORE.search(text, max(0, first - 20), first)
    return (flat.start() if flat else first), end


def _kinds_after(text: str, at: int) -> int:
    """The end of a name of a school whose kind goes on: 'Primary' and then ' School'."""
    while found := _KIND_GOES_ON.match(text, at):
        if found[1] not in _SCHOOL_PART:
            break
        if found[1] in ("of", "and", "&") and not _JOINED.match(text, found.end()):
            break
        at = found.end()
    return at


def _name_before(text: str, at: int) -> tuple[int, int]:
    """Where the capitalised words before a kind of school begin, and how many are a name's own (0: no name)."""
    start, names, edge = at, 0, at
    for _ in range(9):
        if edge == 0 or text[edge - 1] != " ":
            break
        left = max(text.rfind(" ", max(0, edge - 32), edge - 1), text.rfind("\n", max(0, edge - 32), edge - 1)) + 1
        if left == 0 and edge - 1 > 31:
            break  # a word longer than any name
        word = text[left : edge - 1]
        bare = word.lstrip("(\"'“‘")
        left += len(word) - len(bare)
        before = text[max(0, left - 20) : left].rstrip().rsplit(" ", 1)[-1]
        if names and bare in ("and", "&") and before in _SCHOOL_PART:
            break  # another school's name ends here
        if bare in ("of", "the", "and", "&", "on", "upon", "le", "C", "E"):
            edge = left
            continue
        ends = bare == "St." or bare[-1:].isalnum() or bare[-1:] in ("'", "’")
        if not bare[:1].isupper() or bare in _NOT_NAMES or not ends:
            break
        start, edge = left, left
        names += bare not in _SCHOOL_PART and not bare.isdigit()
        if len(word) != len(bare):
            break
    return start, names
