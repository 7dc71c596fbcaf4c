"""The bytes of a text file: unpacked and in UTF-8, or refused before they cost anything."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from pathlib import Path

from otrack_risk.errors import FileError, ParameterError

UNPACKED_LIMIT = 1 << 30  # bytes; more is refused before it is unpacked
RATIO_LIMIT = 200  # unpacked / packed, looked at above RATIO_FROM: real tables pack 3 to 30 times
RATIO_FROM = 50_000_000  # bytes
LINE_LIMIT = 64 << 20  # bytes
_CHUNK = 1 << 22


def load(path: Path, encoding: str | None = None) -> bytes:
    """The bytes of a text file, unpacked where it is packed; refused early where it cannot be a table.

    Raises
    ------
    FileError
        Empty; NUL bytes; a line of more than 64 MB; a packed file that is cut short or unpacks
        to more than it should.
    """
    packed = path.suffix.lower() == ".gz"
    wide = _is_wide(encoding)
    out, lines, since = io.BytesIO(), 0, 0
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                if not out.tell():
                    _refuse_other_kinds(chunk, path.name)
                    wide = wide or chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
                if not wide and (at := chunk.find(b"\0")) >= 0:
                    line = lines + chunk.count(b"\n", 0, at) + 1
                    raise FileError(
                        f"{path.name} has a NUL byte at byte {out.tell() + at + 1:,} (line {line:,}): not text.",
                        "export it again; for UTF-16 text without a mark give --encoding utf-16-le.",
                    )
                lines += chunk.count(b"\n")
                first = chunk.find(b"\n")
                if since + (len(chunk) if first < 0 else first) > LINE_LIMIT:
                    raise FileError(
                        f"{path.name}: line {lines + 1 - chunk.count(10):,} is longer than {LINE_LIMIT >> 20} MB.",
                        "no table has such a cell; look for a missing line break or quotation mark.",
                    )
                since = since + len(chunk) if first < 0 else len(chunk) - 1 - chunk.rfind(b"\n")
                out.write(chunk)
                if packed:
                    refuse_bomb(out.tell(), path.stat().st_size, path.name)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise FileError(f"{path.name} is no gzip file, or is cut short.", "copy or download it again.") from None
    except OSError:
        raise FileError(f"{path.name} cannot be opened.", "check that it is a file that you may read.") from None
    if not out.getbuffer()[:_CHUNK].tobytes().strip():
        raise FileError(f"{path.name} is empty.", "export it again.")
    return out.getvalue()


def utf8(content: bytes, file: str, encoding: str | None) -> tuple[bytes, list[str]]:
    """The text in UTF-8 (a byte order mark may stand before it), and a note where it was in anything else.

    Without ``encoding``: UTF-16 where its mark says so, UTF-8 where every byte is, else cp1252.

    Raises
    ------
    FileError
        Bytes that are not in the encoding; where none is given, in neither UTF-8 nor cp1252.
    ParameterError
        An encoding that does not exist.
    """
    if encoding is not None:
        try:
            same = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
        except LookupError:
            mend = "give utf-8, cp1252, utf-16 or another that Python knows."
            raise ParameterError(f"there is no encoding '{encoding}'.", mend) from None
        return _recoded(content, encoding, file), [] if same else [f"read as {encoding}"]
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _recoded(content, "utf-16", file), ["read as UTF-16"]
    broken = _not_utf8(content)
    if broken is None:
        return content, []
    return _cp1252(content, broken, file), ["read as cp1252, since it is not UTF-8"]


def refuse_bomb(unpacked: int, packed: int, file: str) -> None:
    """Refuse what unpacks to more than 1 GiB, or above 50 MB to more than 200 times its size.

    Raises
    ------
    FileError
        It does; both sizes are in bytes.
    """
    if unpacked > UNPACKED_LIMIT or (unpacked > RATIO_FROM and unpacked > RATIO_LIMIT * packed):
        raise FileError(
            f"{file} unpacks to far more than a table packs ({packed:,} bytes to {unpacked:,} or more).",
            "check where it comes from; if you trust it, give its table unpacked, as CSV or Parquet.",
        )


def sha256(path: Path) -> str:
    """Of the file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_wide(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "").replace("_", "").startswith(("utf16", "utf32"))


def _refuse_other_kinds(start: bytes, file: str) -> None:
    kinds = {b"PK\x03\x04": "a workbook or ZIP", b"\x1f\x8b": "a gzip", b"PAR1": "a Parquet", b"%PDF": "a PDF"}
    kinds[b"\xd0\xcf\x11\xe0"] = "an old or password-protected Excel"
    for mark, kind in kinds.items():
        if start.startswith(mark):
            raise FileError(f"{file} is {kind} file under another name.", "give it its own suffix.")


def _recoded(content: bytes, encoding: str, file: str) -> bytes:
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        raise _undecodable(content, getattr(error, "start", 0), encoding, file) from None
    except LookupError:
        raise ParameterError(f"'{encoding}' is no encoding of text.", "give utf-8, cp1252 or utf-16.") from None
    if "\0" in text:
        raise FileError(f"{file} has a NUL character when read as {encoding}: not text.", "give its own --encoding.")
    return text.encode("utf-8", errors="replace")


def _not_utf8(content: bytes) -> int | None:
    """Place of the first byte that is not UTF-8; decoded piece by piece, so that a large file is not held twice."""
    if content.isascii():
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _CHUNK):
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(content[start : start + _CHUNK], final=start + _CHUNK >= len(content))
        except UnicodeDecodeError as error:
            return start - held + error.start
    return None


def _cp1252(content: bytes, place: int, file: str) -> bytes:
    """cp1252 to UTF-8; refused where the file is UTF-8 but for a few broken bytes, since every é would be lost."""
    text = content.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    if len(text) - len(text.encode("ascii", errors="ignore")) > 2 * broken:
        raise _undecodable(content, place, "UTF-8, which the rest of the file is", file)
    try:
        return content.decode("cp1252").encode("utf-8")
    except UnicodeDecodeError as error:
        raise _undecodable(content, error.start, "UTF-8 or cp1252", file) from None


def _undecodable(content: bytes, place: int, encoding: str, file: str) -> FileError:
    line = content.count(b"\n", 0, place) + 1
    return FileError(
        f"{file}: byte {place + 1:,} (line {line:,}) is not {encoding}.",
        "say how the text was saved with --encoding (utf-8, cp1252, utf-16, mac_roman), or export it again as UTF-8.",
    )
