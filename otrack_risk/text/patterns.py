"""What tells itself by its form: numbers with check characters, places, dates of birth, e-mail, file and user names.

:func:`find` needs no roster, no list of people and no model. Each pattern stands behind a cheap test (a digit, an
``@``, a dot, a word), so that a note with none of them costs microseconds.

Notes
-----
Scores. 1: a check character holds. 0.85 to 0.95: the form says it, or form and a word near it. 0.6: form, and a word
that says what it should be, though the check fails; or a form that other things share. 0.4 to 0.5: a word near and a
loose form, or one check that a random number passes once in eleven. Below 0.35 (it is not counted): a file name of
common school words only, which a name out of the roster can still lift.

Written on the standard library's ``re``. ``phonenumbers`` was left out, without measuring it: it calls the numbers that
Ofcom keeps for fiction invalid, so that tests and synthetic data would need a second pattern beside it, and it brings
the numbering plans of the whole world; the lengths of Ofcom's plan are in :mod:`otrack_risk.identifiers`.
``python-stdnum`` was left out because it refuses the UPNs of newer local authorities.

The word lists below were written from general knowledge after the 30 developers' notes had been read. On 2026-11-25 the
errors on the 281 notes of the first set of ``tests/text/notes`` were read too; after that the words of accounts, dates
beside a pupil's number and file names with blanks were added. After the errors on the three later sets: file names that
begin with a word with an underscore, a second date of birth after "the other", and (in the modules beside) plates of
ages not issued yet beside a word of cars, specimens of NINOs, and more kinds of street.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from otrack_risk.text import patterns_accounts as accounts
from otrack_risk.text import patterns_numbers as numbers
from otrack_risk.text import patterns_places as places
from otrack_risk.text.spans import Span, apart
from otrack_risk.text.words import uses

COUNTED = 0.35  # the score from which a span is counted

_DIGITS = re.compile(r"[0-9]+")
_PAIRS = re.compile(r"[0-9]{2}[ \u00a0-]?[0-9]{2}[ \u00a0-]?[0-9]{2}[ \u00a0-]?(?:[A-Da-d]|(?![0-9]))")
_PLATE_LIKE = re.compile(r"[0-9](?:[ -]?[A-Z]{3}|[A-Z])(?![0-9A-Za-z])")
_KIND_OF_SCHOOL = ("School", "Academy", "Primary", "Infant", "Junior", "Nursery", "College", "Grammar", "High")
_DWELLING = ("live", "living", "move", "moving", "address", "stay", "home is", "house is")

_EMAIL = re.compile(
    r"(?<![\w.+%-])[^\W_][\w.!#$%&'*+/=?^`{|}~-]{0,63}+(?<!\.)@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
    r"(?:[a-z]{2,24}|[A-Z]{2,24})(?![A-Za-z0-9])"
)
_SPACED_EMAIL = re.compile(
    r"(?<![\w.+%-])[^\W_][\w.+-]{0,63}+ ?@ ?(?:[A-Za-z0-9-]{1,63}\.){1,8}(?:uk|com|org|net|edu|gov|ie|eu|example|test)"
    r"(?![A-Za-z0-9])"
)
_HANDLE = re.compile(r"(?<![\w.@])@(?=[A-Za-z.]{0,29}(?:[0-9_]|\.[a-z]))[A-Za-z_][\w.]{1,28}\w")
_DOMAIN_USER = re.compile(r"(?<![\w\\:])[A-Z][A-Z0-9-]{1,14}\\[A-Za-z][\w.-]{1,30}\w(?!\\)")

_EXTENSIONS = (
    "jpg|jpeg|png|gif|heic|heif|bmp|tiff?|webp|svg|pdf|docx?|docm|odt|rtf|txt|xlsx?|xlsm|xlsb|ods|csv|pptx?|pub|one|"
    "msg|eml|mp4|mov|m4v|m4a|avi|mp3|wav|zip|sims|ctf|xml|json"
)
_EXTENSION = re.compile(rf"\.(?=[a-z])(?:{_EXTENSIONS})(?![\w])", re.I)
_FILE = re.compile(rf"(?<![\w\\/.-])[\w(][\w()&+'~./\\-]{{0,159}}\.(?:{_EXTENSIONS})(?!\w)", re.I)
_QUOTED_FILE = re.compile(
    rf"(?:\"|“|‘|`|(?<!\w)')([\w(][\w()&+'’~,./\\ -]{{0,159}}\.(?:{_EXTENSIONS}))(?:\"|”|’|'|`)", re.I
)
# Words before a file name that has blanks and stands in no quotes: from a date, a word in capitals or one with _ on.
_FILE_BEFORE = re.compile(r"(?<!\S)(?:[0-9]{4}-[0-9]{2}\S*|[0-9]{6,8}|[A-Z]{2,6}|\w+_[\w-]+)(?: [\w&'’()-]+){0,4} $")
_TOKEN = re.compile(r"[A-Z]?[a-zà-ÿ'’]+|[A-ZÀ-Þ]+(?![a-zà-ÿ])")
_BY_MACHINE = re.compile(
    r"(?:img|dsc[nf]?|pxl|p|mvi|vid|mov|gopr|scan|screen ?shot|whatsapp (?:image|video)|photo|image|picture|document|"
    r"untitled|new)?[\W_0-9]*(?:at|copy|edited|final)?[\W_0-9]*",
    re.I,
)
# Words of school files that name nobody: subjects, terms, kinds of document, written down from the everyday file
# names of a school office. A name made of these alone is not counted.
_FILE_WORDS = places.words(
    "a and for of the in to on with agenda all annual assembly assessment assessments attendance august autumn "
    "award awards behaviour book booklet books calendar camp certificate certificates checklist chart christmas "
    "class classes club clubs computing copy cover curriculum data december dinner display document documents "
    "draft early easter end english evening events export eyfs february final first folder form forms friday fs "
    "garden geography group groups guide guidance half handbook health history homework hw image images info "
    "information inset invite january july june ks letter lesson lessons library list lists logo lunch map "
    "march master maths may meeting meetings menu minutes monday music names new newsletter notes notice "
    "november number numbers october old open overview pack page parent parents pe phase phonics photo photos "
    "pic pics picture plan planning plans play policy poster powerpoint presentation primary print procedure "
    "programme progress project questions quiz reading receipt reception record records register registers "
    "report reports residential results reward rewards risk rota rules safety sats scan school science score "
    "scores seating second sen send september sheet sheets signed sing slides spelling spellings sports spring "
    "staff stars story subject summer sw table tables task template term test tests text thursday timetable "
    "times topic tracker tracking training travel trip trips tuesday unit update v version video visit "
    "volunteer wall wednesday week weekly whole word words workbook worksheet worksheets writing year yr y "
    "swimming art fire drill absence absences pupil pupils child children teacher teachers governors budget "
    "admin office"
)

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\b"
)
_YEAR = r"(?:(?:19[2-9]|20[0-3])[0-9]|['’]?[0-9]{2})(?![0-9])"
_FULL_YEAR = r"(?:19[2-9]|20[0-3])[0-9](?![0-9])"
_DATE = re.compile(
    rf"(?<![0-9A-Za-z/.-])(?:(?P<a>[0-3]?[0-9])(?P<sep>[ ]?[./-][ ]?| )(?P<b>[0-3]?[0-9])(?P=sep){_YEAR}"
    rf"|{_FULL_YEAR}(?P<iso>[-/.])(?P<c>[01]?[0-9])(?P=iso)(?P<d>[0-3]?[0-9])(?![0-9])"
    rf"|[0-3]?[0-9](?:st|nd|rd|th)?[ -]?(?:of )?{_MONTH}(?:[.,]?[ -]{_YEAR}(?![.:][0-9]|[ap]m))?"
    rf"|{_MONTH} (?:[0-3]?[0-9](?:st|nd|rd|th)?(?![0-9])(?:,? {_FULL_YEAR})?|{_FULL_YEAR}))"
    r"(?![0-9]|/[0-9])",
    re.I,
)
_PACKED_DATE = re.compile(r"[ :=.]{0,3}((?:[0-2][0-9]|3[01])(?:0[1-9]|1[0-2])(?:(?:19|20)?[0-9]{2}))(?![0-9A-Za-z])")
_SHORT_DATE = re.compile(r"[ :=.]{0,3}(?:is |on ){0,2}([0-3]?[0-9]/[01]?[0-9])(?![0-9/])")
_BIRTH_GUARD = ("born", "birth", "dob", "d.o.b", "d/o/b", "d o b", "bday", "b-day", "b.", "turn")
_BIRTH = re.compile(
    r"\b(?:(?P<dob>d\.? ?o\.? ?b(?:\.|'?s)?(?!\w)|d/o/b\b|date(?:s)? of birth|birth ?dates?)"
    r"|(?P<day>birth ?days?|b-?days?)"
    r"|(?P<born>born|turn(?:s|ed|ing)? (?:[0-9]{1,2}|[a-z]{3,9})(?= on\b)|b\.(?= ?[0-9])))(?!\w)",
    re.I,
)
_BIRTH_AFTER = re.compile(
    r"[ ]?[(,–-]?[ ]?(?:(?:is|was|being|=) ?)?(?:(?:his|her|their|the|my|[A-Z]\w+['’]s) )?"
    r"(?:d\.? ?o\.? ?b\b|date of birth|birth ?day|birth ?date)",
    re.I,
)
_NOT_BIRTH = re.compile(
    r"\b(?:party|parties|treats?|cakes?|tea|assembly|trip|celebrat\w*|presents?|cards?|invit\w*|checked|verified|sent|"
    r"received|seen|joined|started|starts|starting|admitted|left|leaving|came|arrived|moved|since|until|review\w*|"
    r"meeting|absent|diagnosed|missed|off|late|due)\b",
    re.I,
)
_OF_A_PERSON = frozenset({"UPN", "ULN", "NHS"})
_YEAR_LAST = re.compile(r"[0-9]{2}['’]?\Z|^(?:19|20)[0-9]{2}[-/.]")
_CLAUSE = re.compile(r"[;!?\n]|(?<![dobDOB])\. ")
_AND_ALSO = re.compile(
    r"(?: (?:ok|correct|right|yes|no|wrong|✓))?(?: for [A-Z][\w'’-]+)?"
    r"(?: ?[,;/&] ?| and | & | or | but |[.;,] (?=[Tt]he other))"
    r"(?:[Tt]he other(?: one| boy| girl| child)?(?: is|'s|:)? )?"
    r"(?:(?:(?:the |his |her )?(?:passport|(?:birth )?certificate|MIS|SIMS|Arbor|system|register|form|CTF|file) )?"
    r"(?:says|has|shows|gives|reads) |(?:(?:[A-Z][\w'’-]+ ){1,2}\(?)?)\Z"
)
_BESIDE_NUMBER = re.compile(  # between a pupil's number and a date: "UPN A...1, 03.04.15", "04-Jan-09, NHS 999 ..."
    r"[ ]?[,;/|–-]?[ ]?(?:(?:UPN|ULN|NHS(?: no\.?| number)?)[: ]{0,2})?"
)


def find(text: str) -> list[Span]:
    """Every identifier in the text that tells itself by its form, in order, none over another.

    Where two overlap the longer one is kept, and of equally long ones the one with the higher score: the file
    name in an e-mail address is none.

    Parameters
    ----------
    text : a note, a cell, a file name; offsets are its code points

    Examples
    --------
    >>> [(span.label, span.start, span.end, span.score) for span in find("UPN W801900123001, mum on 07700 900123.")]
    [('UPN', 4, 17, 1.0), ('PHONE', 26, 38, 0.85)]
    >>> find("Sports day: red 140, blue 132. Year 6 back by 3.15.")
    []
    """
    low = text.lower()
    found: list[Span] = []
    runs = _DIGITS.findall(text)
    if runs:
        found.extend(_with_digits(text, low, sum(map(len, runs))))
        if any(span.label in _OF_A_PERSON for span in found):
            found.extend(_beside_numbers(text, found))
    if "@" in text:
        found.extend(_emails(text))
    if "." in text and _EXTENSION.search(text):
        found.extend(_files(text))
    if "\\" in text:
        found.extend(Span(m.start(), m.end(), "USERNAME", 0.6, "username") for m in _DOMAIN_USER.finditer(text))
    if _any(accounts.STEMS, low) and _any(accounts.LOGIN, low):
        found.extend(accounts.users(text))
    if _any(_KIND_OF_SCHOOL, text):
        found.extend(places.schools(text))
    if ("St" in text or "Saint" in text) and ("'s" in text or "’s" in text):
        found.extend(places.saints(text))
    if _any(_DWELLING, low):
        found.extend(places.unnumbered(text))
    return apart(found, _rank) if found else found


def _rank(span: Span) -> tuple[bool, int, float, int]:
    """Counted before uncounted, longer before shorter, surer before less sure."""
    return span.score < COUNTED, span.start - span.end, -span.score, span.start


def _any(words: tuple[str, ...], text: str) -> bool:
    for word in words:  # noqa: SIM110 - a generator costs three times as much, and this runs on every note
        if word in text:
            return True
    return False


def _with_digits(text: str, low: str, digits: int) -> Iterator[Span]:
    if digits >= 6:
        yield from numbers.phones(text, low)
    if digits >= 10:
        yield from numbers.ten_digits(text)
    if digits >= 11:
        yield from numbers.pupil_numbers(text)
    if digits >= 6:
        if _PAIRS.search(text):
            yield from numbers.insurance_numbers(text)
        yield from numbers.school_numbers(text, low, digits)
    if _PLATE_LIKE.search(text) or (digits >= 2 and ("reg" in low or "car" in low or "plate" in low or "van" in low)):
        yield from numbers.plates(text, low)
    codes = list(places.postcodes(text)) if digits >= 2 else []
    yield from codes
    yield from places.addresses(text, codes)
    if _any(_BIRTH_GUARD, low):
        yield from _births(text)


def _emails(text: str) -> Iterator[Span]:
    for found in _EMAIL.finditer(text):
        yield Span(found.start(), found.end(), "EMAIL", 1.0)
    for found in _SPACED_EMAIL.finditer(text):
        yield Span(found.start(), found.end(), "EMAIL", 0.5)
    for found in _HANDLE.finditer(text):
        yield Span(found.start(), found.end(), "USERNAME", 0.5, "username")


def _files(text: str) -> Iterator[Span]:
    """File names by their ending; in quotes they may hold blanks."""
    for pattern, group in ((_QUOTED_FILE, 1), (_FILE, 0)):
        for found in pattern.finditer(text):
            start, end = found.span(group)
            if pattern is _FILE and (more := _FILE_BEFORE.search(text, max(0, start - 80), start)):
                start = more.start()
            name = re.split(r"[/\\]", text[start:end])[-1].rsplit(".", 1)[0]
            if _BY_MACHINE.fullmatch(name):
                continue
            own = any(_may_name(word.lower()) for word in _TOKEN.findall(name) if len(word) > 1)
            yield Span(start, end, "FILENAME", 0.6 if own else 0.3)


def _may_name(word: str) -> bool:
    """Whether a word of a file name can be somebody's name: none of the words of files, none that is only a word."""
    used = uses()
    return word not in _FILE_WORDS and (word in used["first"] or word in used["word"] or word not in used["common"])


def _beside_numbers(text: str, found: list[Span]) -> Iterator[Span]:
    """Dates with a year right beside a UPN, ULN or NHS number: in such a row they are of birth."""
    numbered = [span for span in found if span.label in _OF_A_PERSON]
    for date in _DATE.finditer(text) if numbered else ():
        start, end = date.span()
        if not _YEAR_LAST.search(date[0]) or not _is_day(date):
            continue
        for span in numbered:
            between = text[end : span.start] if end <= span.start else text[span.end : start]
            if len(between) < 18 and between.strip() and _BESIDE_NUMBER.fullmatch(between):
                yield Span(start, end, "DOB", 0.6)
                break


def _births(text: str) -> Iterator[Span]:
    """Dates that a word near them says are of birth; a bare date is none."""
    said = list(_BIRTH.finditer(text))
    if not said:
        return
    last: Span | None = None
    for date in _DATE.finditer(text):
        if not _is_day(date):
            continue
        start, end = date.span()
        score = _birth_before(text, said, start, whole=re.search("[0-9]{2}['’]?\\Z", date[0]) is not None)
        if not score and _BIRTH_AFTER.match(text, end):
            score = 0.85
        if not score and last is not None and _AND_ALSO.fullmatch(text, last.end, start):
            score = last.score
        if score:
            last = Span(start, end, "DOB", score)
            yield last
    for word in said:
        for pattern in (_PACKED_DATE, _SHORT_DATE) if word["dob"] or word["day"] else ():
            if found := pattern.match(text, word.end()):
                yield Span(*found.span(1), "DOB", 0.5)


def _birth_before(text: str, said: list[re.Match[str]], start: int, *, whole: bool) -> float:
    """The score that the nearest word of birth before a date gives it; 0 where too much stands between."""
    before = [word for word in said if word.end() <= start and start - word.end() <= 40]
    if not before:
        return 0.0
    word = before[-1]
    between = text[word.end() : start]
    if _CLAUSE.search(between) or _NOT_BIRTH.search(between) or len(between.split()) > 5 or _DIGITS.search(between):
        return 0.0
    return (0.95 if word["dob"] else 0.85) if whole else 0.5


def _is_day(date: re.Match[str]) -> bool:
    day, month = (int(date["a"]), int(date["b"])) if date["a"] else (int(date["d"] or 1), int(date["c"] or 1))
    return (1 <= day <= 31 and 1 <= month <= 12) or (1 <= month <= 31 and 1 <= day <= 12)
