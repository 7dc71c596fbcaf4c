"""The Common Transfer File: the XML in which English schools hand pupils on.

One file or a folder of them becomes five tables: ``pupils``, ``contacts``, ``attendance``, ``assessments`` and
``school_history``. A CTF has no number of its own for a child, and not every child has a UPN, so ``pupil_id`` is the
sending school's number and the child's place in its files. Element names are compared without regard to case, since
suppliers differ; a section that is not known is counted and reported. The names were not compared with the
specification.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import polars as pl

from otrack_risk.errors import FileError, TableError
from otrack_risk.frames import Skipped, Table, cells, text

TABLES = {
    "pupils": "pupil_id laestab school_name upn former_upn uln surname forename date_of_birth sex preferred_surname "
    "preferred_forename middle_names year_group ethnicity first_language medical_flag enrolment_status fsm_from "
    "fsm_until looked_after service_child sen_provision sen_from sen_until sen_need address_line postcode phone email",
    "contacts": "pupil_id upn priority title surname forename relationship phone email address_line postcode",
    "attendance": "pupil_id academic_year laestab sessions_possible sessions_attended sessions_authorised "
    "sessions_unauthorised",
    "assessments": "pupil_id stage year subject component method result_status result result_date",
    "school_history": "pupil_id laestab school_name entry_date leaving_date",
}
_NUMBERS = (
    "priority",
    "sessions_possible",
    "sessions_attended",
    "sessions_authorised",
    "sessions_unauthorised",
    "year",
)
# fmt: off
_SECTIONS = {
    "upn", "formerupn", "uniquelearnernumber", "uln", "surname", "forename", "dob", "sex", "gender", "basicdetails",
    "fsmhistory", "lookedafter", "servicechild", "senhistory", "senneeds", "address", "phones", "email", "contacts",
    "attendance", "stageassessments", "schoolhistory",
}
# fmt: on
_DEPTH = 40  # elements within elements; a CTF has seven
_CHUNK = 1 << 20


def read_transfer(
    files: Sequence[Path], *, of: str, table: str | None = None, null_values: Sequence[str] = ()
) -> tuple[list[Table], list[str]]:
    """The tables of one CTF, or of a folder of them, and remarks on sections that are not read.

    A child without name and UPN is skipped, with all that is said of it; so is a contact without a name.

    Parameters
    ----------
    files : CTFs, read as one
    of : the file's or the folder's name

    Raises
    ------
    FileError
        Not XML, cut short, with a document type (by which entities are brought in), or another root than ``CTfile``.
    TableError
        No table of that name.
    """
    if table is not None and table not in TABLES:
        raise TableError(f"{of} has no table '{table}'.", f"name one of: {', '.join(TABLES)}.")
    found = _Found()
    for path in files:
        for child in _Transfer(path).children():
            found.take(child, path.name)
    whole = hashlib.sha256("".join(text.sha256(path) for path in files).encode()).hexdigest()
    digest = text.sha256(files[0]) if len(files) == 1 else whole
    tables = [found.table(name, of, digest, null_values) for name in TABLES if table in (None, name)]
    unknown = ", ".join(f"{name} ({count:,})" for name, count in sorted(found.unknown.items()))
    return tables, [f"sections of {of} that are not read: {unknown}"] if unknown else []


class _Child:
    """One pupil's element, and where it stands."""

    def __init__(self, element: Element, school: tuple[str, str], line: int) -> None:
        self.element, self.school, self.line = element, school, line


class _Transfer:
    """A file that is read pupil by pupil; nothing outside it is ever fetched."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.depth, self.line, self.top = 0, 0, 0
        self.names: dict[str, str] = {}
        self.builder: TreeBuilder | None = None
        self.ready: list[_Child] = []
        self.header: Element | None = None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_entities
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = lambda words: self.builder.data(words) if self.builder else None

    def children(self) -> Iterator[_Child]:
        try:
            with self.path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    self.parser.Parse(chunk, False)
                    yield from self.ready
                    self.ready.clear()
            self.parser.Parse(b"", True)
        except expat.ExpatError as error:
            reason = "is empty" if not self.path.stat().st_size else f"is no XML: {expat.ErrorString(error.code)}"
            raise FileError(
                f"{self.path.name} {reason} (line {error.lineno:,}).", "export it again; it may be cut short."
            ) from None
        yield from self.ready

    def _refuse_entities(self, *_: object) -> None:
        raise FileError(
            f"{self.path.name} declares a document type, by which an XML can swell or fetch other files.",
            "no CTF has one: check where the file comes from.",
        )

    def _start(self, tag: str, _: object) -> None:
        tag = self.names.get(tag) or self._name(tag)
        self.depth += 1
        if self.depth == 1 and tag != "ctfile":
            raise FileError(f"{self.path.name} is no CTF: its root is not CTfile.", "give a Common Transfer File.")
        if self.depth > _DEPTH:
            raise FileError(
                f"{self.path.name}: elements lie more than {_DEPTH} deep (line {self.parser.CurrentLineNumber:,}).",
                "no CTF has such: check where the file comes from.",
            )
        if self.builder is None and tag in ("pupil", "header"):
            self.builder, self.line, self.top = TreeBuilder(), self.parser.CurrentLineNumber, self.depth
        if self.builder is not None:
            self.builder.start(tag, {})

    def _end(self, tag: str) -> None:
        if self.builder is not None:
            self.builder.end(self.names[tag])
            if self.depth == self.top:
                element, self.builder = self.builder.close(), None
                if element.tag == "header":
                    self.header = element
                else:
                    self.ready.append(_Child(element, self._school(), self.line))
        self.depth -= 1

    def _name(self, tag: str) -> str:
        return self.names.setdefault(tag, tag.rpartition(":")[2].lower())

    def _school(self) -> tuple[str, str]:
        source = None if self.header is None else self.header.find("sourceschool")
        return (_laestab(source), _said(source, "schoolname") or "") if source is not None else ("", "")


class _Found:
    """Rows so far, and what was skipped."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, str | None]]] = {name: [] for name in TABLES}
        self.skipped: dict[str, list[tuple[str, int, int, str]]] = {name: [] for name in TABLES}
        self.places: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()

    def take(self, child: _Child, file: str) -> None:
        of, (laestab, _) = child.element, child.school
        self.places[laestab] += 1
        known = f"{laestab or 'unknown'}-{self.places[laestab]:06}"
        made = {name: [{"pupil_id": known, **row} for row in rows] for name, rows in _tables(child).items()}
        person = made["pupils"][0]
        if not (person["surname"] or person["forename"] or person["upn"]):
            for name, rows in made.items():
                if rows:
                    self.skipped[name].append((file, child.line, len(rows), "of a pupil without name and UPN"))
            return
        named = [row for row in made["contacts"] if row["surname"] or row["forename"]]
        if lost := len(made["contacts"]) - len(named):
            self.skipped["contacts"].append((file, child.line, lost, "no name"))
        made["contacts"] = named
        for name, rows in made.items():
            self.rows[name] += rows
        self.unknown.update(each.tag[:40] for each in of if each.tag not in _SECTIONS)

    def table(self, name: str, of: str, digest: str, null_values: Sequence[str]) -> Table:
        columns = TABLES[name].split()
        frame = pl.DataFrame(self.rows[name], schema=dict.fromkeys(columns, pl.String))
        frame, notes = cells.tidy(frame, null_values, f"{of}, {name}")
        frame = frame.with_columns(_number(frame[column]) for column in _NUMBERS if column in columns)
        cells.check_sizes(frame, of)
        skipped = []
        for why in dict.fromkeys(reason for *_, reason in self.skipped[name]):
            lines = [(file, line, rows) for file, line, rows, reason in self.skipped[name] if reason == why]
            where = cells.places([line for _, line, _ in lines], len(lines))
            files = list(dict.fromkeys(file for file, *_ in lines))
            several = f"{files[0]} and {len(files) - 1} more" if len(files) > 1 else files[0]
            skipped.append(Skipped(f"{name}: {several}, {where}", sum(rows for *_, rows in lines), why))
        seen = frame.height + sum(each.rows for each in skipped)
        return Table(name, frame, of, digest, seen, tuple(skipped), tuple(notes))


def _tables(child: _Child) -> dict[str, list[dict[str, str | None]]]:
    of = child.element
    contacts, years = of.findall("contacts/contact"), of.findall("attendance/yeardata")
    stages, schools = of.findall("stageassessments/keystage"), of.findall("schoolhistory/school")
    upn = _said(of, "upn")
    return {
        "pupils": [_pupil(of, child.school)],
        "contacts": [
            {
                "upn": upn,
                "priority": _said(each, "order"),
                **{name: _said(each, name) for name in ("title", "surname", "forename", "relationship", "email")},
                **_home(each),
            }
            for each in contacts
        ],
        "attendance": [
            {
                "academic_year": _academic_year(_said(each, "year")),
                "laestab": _laestab(each),
                **{f"sessions_{word}": _said(each, f"sessions{word}") for word in ("possible", "attended")},
                **{f"sessions_{word}": _said(each, f"sessions{word}") for word in ("authorised", "unauthorised")},
            }
            for each in years
        ],
        "assessments": [
            {
                "stage": _said(stage, "stage"),
                **{name: _said(each, name) for name in ("year", "subject", "component", "method", "result")},
                "result_status": _said(each, "resultstatus"),
                "result_date": _said(each, "resultdate"),
            }
            for stage in stages
            for each in stage.findall("stageassessment")
        ],
        "school_history": [
            {
                "laestab": _laestab(each),
                "school_name": _said(each, "schoolname"),
                "entry_date": _said(each, "entrydate"),
                "leaving_date": _said(each, "leavingdate"),
            }
            for each in schools
        ],
    }


def _pupil(of: Element, school: tuple[str, str]) -> dict[str, str | None]:
    """One row; of free meals and support it tells the last span, and all needs in their order."""
    basic, support, meals = "basicdetails", _last(of, "senhistory"), _last(of, "fsmhistory")
    needs = [need for each in of.findall("senneeds/senneed") if (need := _said(each, "sentype"))]
    return {
        "laestab": school[0] or None,
        "school_name": school[1] or None,
        "upn": _said(of, "upn"),
        "former_upn": _said(of, "formerupn", f"{basic}/formerupn"),
        "uln": _said(of, "uniquelearnernumber", "uln", f"{basic}/uniquelearnernumber", f"{basic}/uln"),
        "surname": _said(of, "surname"),
        "forename": _said(of, "forename"),
        "date_of_birth": _said(of, "dob"),
        "sex": _said(of, "sex", "gender"),
        "preferred_surname": _said(of, f"{basic}/preferredsurname"),
        "preferred_forename": _said(of, f"{basic}/preferredforename"),
        "middle_names": _said(of, f"{basic}/middlenames"),
        "year_group": _said(of, f"{basic}/ncyearactual"),
        "ethnicity": _said(of, f"{basic}/ethnicity"),
        "first_language": _said(of, f"{basic}/languages/nativelanguage/language", f"{basic}/firstlanguage"),
        "medical_flag": _said(of, f"{basic}/medicalflag"),
        "enrolment_status": _said(of, f"{basic}/enrolstatus"),
        "fsm_from": _said(meals, "fsmstartdate"),
        "fsm_until": _said(meals, "fsmenddate"),
        "looked_after": _said(of, "lookedafter/incare"),
        "service_child": _said(of, "servicechild", f"{basic}/servicechild"),
        "sen_provision": _said(support, "senprovision"),
        "sen_from": _said(support, "startdate"),
        "sen_until": _said(support, "enddate"),
        "sen_need": ", ".join(needs) or None,
        **_home(of),
        "email": _said(of, "email"),
    }


def _home(of: Element) -> dict[str, str | None]:
    """Address and first telephone; an address in parts is put on one line."""
    address = of.find("address")
    parts = [_said(address, name) for name in ("saon", "paon", "street", "locality", "town")]
    lines = [_said(address, f"addressline{number}") for number in range(1, 6)]
    return {
        "address_line": ", ".join(part for part in [*parts, *lines] if part) or None,
        "postcode": _said(address, "postcode"),
        "phone": _said(of, "phones/phone/phoneno"),
    }


def _said(of: Element | None, *paths: str) -> str | None:
    """The text at the first of these places that has any."""
    for path in paths:
        words = None if of is None else (of.findtext(path) or "").strip()
        if words:
            return words
    return None


def _last(of: Element, section: str) -> Element | None:
    inside = of.find(section)
    return inside[-1] if inside is not None and len(inside) else None


def _laestab(of: Element) -> str:
    return (_said(of, "lea") or "") + (_said(of, "estab") or "")


def _academic_year(ends: str | None) -> str | None:
    """2026 is the school year 2025/26."""
    return f"{int(ends) - 1}/{ends[-2:]}" if ends and ends.isascii() and ends.isdigit() and len(ends) == 4 else ends


def _number(series: pl.Series) -> pl.Series:
    """Whole numbers where all are; text keeps what a number would lose."""
    if series.dtype != pl.String:
        return series
    numbers = series.cast(pl.Int64, strict=False)
    return numbers if numbers.null_count() == series.null_count() else series
