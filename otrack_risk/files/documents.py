"""Documents: who made them, what was said beside them, and what is hidden in them; counts by place, never a value."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from otrack_risk.files.package import Package, Refused, local, opened
from otrack_risk.files.results import PLACES, DocumentFindings, SkippedFiles
from otrack_risk.files.workbooks import hidden_in

if TYPE_CHECKING:
    from pypdf import PdfReader

SUFFIXES = frozenset((
    ".docx", ".docm", ".dotx", ".dotm", ".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".pptx", ".pptm", ".ppsx", ".potx",
    ".pdf", ".doc", ".xls", ".ppt", ".odt", ".ods", ".odp", ".rtf",
))  # fmt: skip
PDF_LIMIT = 512 << 20  # bytes; pypdf holds the whole file
_KINDS = {
    "docx": ("wordprocessingml", "ms-word"), "xlsx": ("spreadsheetml", "ms-excel"),
    "pptx": ("presentationml", "ms-powerpoint"),
}  # fmt: skip
_CORE = {
    "creator": "author", "lastModifiedBy": "last_modified_by", "title": "title", "subject": "title",
    "description": "title", "keywords": "title", "category": "title", "Manager": "manager", "Company": "company",
    "Application": "program",
}  # fmt: skip
_INFO = {
    "/Author": "author", "/Title": "title", "/Subject": "title", "/Keywords": "title", "/Creator": "program",
    "/Producer": "program", "/Company": "company", "/Manager": "manager",
}  # fmt: skip
_CHANGES = frozenset(("ins", "del", "moveFrom", "moveTo", "cellIns", "cellDel"))
_NOT_SAID = frozenset(("/Link", "/Widget", "/Popup"))  # annotations that nobody wrote as a comment


class Content(NamedTuple):
    """What one document holds beside its pages."""

    kind: str  # docx, xlsx, pptx or pdf
    places: Mapping[str, int]  # place of results.PLACES -> how many; only those that are there


def look(paths: Sequence[Path], progress: Callable[[int], None] | None = None) -> DocumentFindings:
    """What a set of documents holds beside its pages, in counts by place.

    Parameters
    ----------
    paths : files; any suffix
    progress : is told how many more files are done

    Notes
    -----
    A file that cannot be opened is skipped, with its reason. The words of the pages are not read here, and pictures
    inside documents are counted without being opened.
    """
    found: list[Content] = []
    skipped: Counter[str] = Counter()
    for path in paths:
        try:
            found.append(content(Path(path)))
        except Refused as refused:
            skipped[refused.why] += 1
        if progress:
            progress(1)
    held = [place for each in found for place in each.places]
    return DocumentFindings(
        files=len(paths),
        skipped=tuple(SkippedFiles(why, files) for why, files in sorted(skipped.items())),
        kinds=dict(sorted(Counter(each.kind for each in found).items())),
        places={
            place: (held.count(place), sum(each.places.get(place, 0) for each in found))
            for place in PLACES
            if place in held
        },
    )


def content(path: Path) -> Content:
    """What one document holds beside its pages.

    Raises
    ------
    Refused
        Empty, damaged, password-protected, a zip bomb, or of a form that is not opened here.
    """
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except OSError:
        raise Refused(path.name, "cannot be opened", "check that it is a file that you may read.") from None
    if b"%PDF-" in start:
        return Content("pdf", _filled(_pdf(path)))
    if start and not start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Refused(path.name, "is damaged, or of a form that is not opened here", "give docx, xlsx, pptx or pdf.")
    if start.startswith(b"PK") and b"mimetypeapplication/vnd.oasis.opendocument" in start[:200]:
        raise Refused(path.name, "is OpenDocument, which is not opened here", "save it as docx, xlsx or pptx.")
    with opened(path) as package:
        kind = _kind(package)
        places = Counter(_properties(package))
        places.update({"docx": _words, "xlsx": hidden_in, "pptx": _slides}[kind](package))
        places["pictures"] = sum("/media/" in part or part.startswith("docProps/thumbnail") for part in package.parts)
        places["attachments"] = sum("/embeddings/" in part for part in package.parts)
        return Content(kind, _filled(places))


def _kind(package: Package) -> str:
    if package.of_type("sheet.binary.macroEnabled.main"):
        raise Refused(package.name, "is a binary workbook (xlsb), which is not opened here", "save it as xlsx.")
    main = " ".join(package.type_of(part) for part in package.of_type(".main+xml"))
    for kind, marks in _KINDS.items():
        if any(mark in main for mark in marks):
            return kind
    raise Refused(package.name, "is a ZIP package that is no document", "unpack it, and give the files in it.")


def _properties(package: Package) -> dict[str, int]:
    found: Counter[str] = Counter()
    for ending in ("core-properties+xml", "extended-properties+xml"):
        for part in package.of_type(ending):
            for name, element in package.elements(part):
                if (place := _CORE.get(name)) and (element.text or "").strip():
                    found[place] += 1
    for part in package.of_type("custom-properties+xml"):
        for name, element in package.elements(part):
            found["custom_properties"] += name not in ("property", "Properties") and bool((element.text or "").strip())
    return found


def _words(package: Package) -> dict[str, int]:
    """Of a text: comments, tracked changes and hidden words, also in headers, footers and notes."""
    found: Counter[str] = Counter()
    authors: set[str] = set()
    for part in package.of_type("wordprocessingml.comments+xml"):
        for name, element in package.elements(part):
            if name == "comment":
                found["comments"] += 1
                authors.add(_attribute(element, "author").strip())
    found["comment_authors"] = len(authors - {""})
    for ending in (".main+xml", "header+xml", "footer+xml", "footnotes+xml", "endnotes+xml"):
        for part in package.of_type(ending):
            for name, element in package.elements(part):
                if name in _CHANGES and _attribute(element, "id"):
                    found["tracked_changes"] += 1
                elif name == "r" and _is_hidden(element):
                    found["hidden_text"] += 1
    return found


def _slides(package: Package) -> dict[str, int]:
    """Of slides: those that are not shown, speaker's notes with words, and comments."""
    found: Counter[str] = Counter()
    for part in package.of_type("slide+xml"):
        for name, element in package.elements(part):
            found["hidden_slides"] += name == "sld" and element.get("show") in ("0", "false")
    for part in package.of_type("notesSlide+xml"):  # the number of the slide is a field and no run
        found["speaker_notes"] += any(
            name == "r" and any(local(each.tag) == "t" and (each.text or "").strip() for each in element)
            for name, element in package.elements(part)
        )
    for part in package.of_type("comments+xml"):
        found["comments"] += sum(name in ("cm", "reply") for name, _ in package.elements(part))
    authors: set[str] = set()
    for ending in ("commentAuthors+xml", "powerpoint.authors+xml"):
        for part in package.of_type(ending):
            authors |= {
                element.get("name", "").strip()
                for name, element in package.elements(part)
                if name in ("cmAuthor", "author")
            }
    found["comment_authors"] = len(authors - {""})
    return found


def _is_hidden(run: Any) -> bool:
    """Whether a run of letters is hidden by its own mark; one that a style hides is not seen here."""
    vanish = words = False
    for each in run:
        if local(each.tag) == "rPr":
            marks = [mark for mark in each if local(mark.tag) == "vanish"]
            vanish = any(_attribute(mark, "val") not in ("0", "false", "off") for mark in marks)
        elif local(each.tag) in ("t", "delText"):
            words |= bool((each.text or "").strip())
    return vanish and words


def _attribute(element: Any, name: str) -> str:
    return next((str(value) for key, value in element.attrib.items() if local(key) == name), "")


def _pdf(path: Path) -> dict[str, int]:
    from pypdf import PdfReader
    from pypdf.errors import FileNotDecryptedError

    if path.stat().st_size > PDF_LIMIT:
        raise Refused(path.name, f"is a PDF of more than {PDF_LIMIT >> 20} MB", "cut it into parts.")
    with _quiet():
        try:
            reader = PdfReader(path, strict=False)
            if reader.is_encrypted and not reader.decrypt(""):
                raise Refused(path.name, "is password-protected", "take the password off.")
            return _of_pdf(reader)
        except Refused:
            raise
        except FileNotDecryptedError:
            raise Refused(path.name, "is password-protected", "take the password off.") from None
        except ImportError:  # AES needs a library of its own
            raise Refused(path.name, "is encrypted in a way that is not opened here", "save it without.") from None
        except Exception:  # whatever pypdf meets in a damaged file
            raise Refused(path.name, "is a damaged PDF", "copy it again, or print it to a new PDF.") from None


def _of_pdf(reader: PdfReader) -> dict[str, int]:
    found: Counter[str] = Counter()
    pages = len(reader.pages)  # which reads the file's list of objects: what is broken shows here
    for key, value in (reader.metadata or {}).items():
        said = bool(str(value).strip())
        found[_INFO.get(key, "custom_properties")] += said and key not in ("/CreationDate", "/ModDate", "/Trapped")
    _xmp(reader, found)
    authors: set[str] = set()
    for number in range(pages):
        for reference in reader.pages[number].get("/Annots") or ():
            note = reference.get_object()
            if not isinstance(note, dict) or note.get("/Subtype") in _NOT_SAID:
                continue
            if note.get("/Subtype") == "/FileAttachment":
                found["attachments"] += 1
            elif str(note.get("/Contents", "")).strip():
                found["comments"] += 1
                authors.add(str(note.get("/T", "")).strip())
    found["comment_authors"] = len(authors - {""})
    found["attachments"] += len(list(reader.attachments))
    fields = reader.get_fields() or {}
    found["form_values"] = sum(
        str(each.get("/V", "")).strip() not in ("", "/Off") for each in fields.values() if "/V" in each
    )
    return found


def _xmp(reader: PdfReader, found: Counter[str]) -> None:
    """An author or title that stands in XMP only: programs often clear one of the two places."""
    try:
        xmp = reader.xmp_metadata
        if xmp is None:
            return
        if not found["author"]:
            found["author"] = sum(bool((each or "").strip()) for each in xmp.dc_creator or ())
        if not found["title"]:
            found["title"] = sum(bool((each or "").strip()) for each in (xmp.dc_title or {}).values())
    except Exception:  # broken XMP; the document is read all the same
        return


def _filled(places: Mapping[str, int]) -> dict[str, int]:
    return {place: count for place, count in places.items() if count}


@contextmanager
def _quiet() -> Iterator[None]:
    """pypdf reports every oddity to its log; the result tells what matters."""
    log = logging.getLogger("pypdf")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
