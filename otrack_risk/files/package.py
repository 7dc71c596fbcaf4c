"""Office files (docx, xlsx, pptx): ZIP packages of XML, opened so that none can do harm."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from otrack_risk.errors import FileError

UNPACKED_LIMIT = 1 << 30  # bytes; more is refused before anything is unpacked
RATIO_LIMIT = 200  # unpacked / packed, looked at above RATIO_FROM: documents pack 2 to 30 times
RATIO_FROM = 50_000_000  # bytes
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, LookupError, ValueError, NotImplementedError,
    ElementTree.ParseError,
)  # fmt: skip


class Refused(FileError):
    """A document that is not opened; ``why`` is the reason without the file's name, which may name a child."""

    def __init__(self, name: str, why: str, mend: str) -> None:
        super().__init__(f"{name} {why}.", mend)
        self.name, self.why = name, why

    def __reduce__(self) -> tuple[type[Refused], tuple[str, str, str]]:  # type: ignore[override]
        return type(self), (self.name, self.why, self.mend)


class Package:
    """The parts of one Office file, by what the file says each is.

    Raises
    ------
    Refused
        A zip bomb: it says so of itself, so that nothing has to be unpacked to know.
    """

    def __init__(self, file: zipfile.ZipFile, name: str, size: int) -> None:
        unpacked = sum(entry.file_size for entry in file.infolist())
        if unpacked > UNPACKED_LIMIT or (unpacked > RATIO_FROM and unpacked > RATIO_LIMIT * size):
            raise Refused(name, "unpacks to far more than a document packs", "check where it comes from.")
        self._file = file
        self.name = name
        self.parts = [entry.filename for entry in file.infolist() if not entry.is_dir()]
        self._types, self._defaults = self._content_types()

    def of_type(self, ending: str) -> list[str]:
        """The parts whose content type ends so, in the order of their names."""
        return sorted(part for part in self.parts if self.type_of(part).endswith(ending))

    def type_of(self, part: str) -> str:
        """The content type of a part; nothing where the file does not say."""
        return self._types.get(f"/{part}".lower()) or self._defaults.get(part.rpartition(".")[2].lower(), "")

    def elements(self, part: str) -> Iterator[tuple[str, ElementTree.Element]]:
        """The elements of a part as each ends, with its name without the namespace; what was read is let go."""
        with self._file.open(part) as stream:
            if b"<!DOCTYPE" in stream.read(1024):
                raise ValueError("Office files bring no definitions of their own")
        with self._file.open(part) as stream:
            depth = 0
            ancestors: list[ElementTree.Element] = []
            for event, element in ElementTree.iterparse(stream, events=("start", "end")):
                if event == "start":
                    depth += 1
                    ancestors.append(element)
                    continue
                depth -= 1
                ancestors.pop()
                yield local(element.tag), element
                if depth and depth <= 3:  # a row, a paragraph: its content is done with
                    element.clear()
                    if ancestors:
                        ancestors[-1].remove(element)

    def holds(self, part: str, mark: bytes) -> bool:
        """Whether these bytes stand anywhere in a part."""
        with self._file.open(part) as stream:
            end = b""
            while piece := stream.read(1 << 20):
                if mark in end + piece:
                    return True
                end = piece[-len(mark) :]
        return False

    def _content_types(self) -> tuple[dict[str, str], dict[str, str]]:
        types: dict[str, str] = {}
        defaults: dict[str, str] = {}
        for name, element in self.elements("[Content_Types].xml"):
            if name == "Override":
                types[element.get("PartName", "").lower()] = element.get("ContentType", "")
            elif name == "Default":
                defaults[element.get("Extension", "").lower()] = element.get("ContentType", "")
        return types, defaults


@contextmanager
def opened(path: Path) -> Iterator[Package]:
    """An Office file; whatever is wrong with it, also while it is read, is a :class:`Refused`."""
    try:
        with path.open("rb") as file:
            start = file.read(8)
        if not start:
            raise Refused(path.name, "is empty", "copy it again.")
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            raise Refused(
                path.name,
                "is password-protected, or of the form before 2007",
                "open it in an office program, take the password off, and save it in today's form.",
            )
        with zipfile.ZipFile(path) as file:
            yield Package(file, path.name, path.stat().st_size)
    except _DAMAGED:
        raise Refused(path.name, "is no Office file, or is damaged", "copy it again, or save it anew.") from None
    except RuntimeError:  # zipfile's, of an encrypted entry
        raise Refused(path.name, "is password-protected", "take the password off.") from None


def local(tag: str) -> str:
    """A tag or attribute without its namespace."""
    return tag.rpartition("}")[2]
