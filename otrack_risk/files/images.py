"""Pictures: what their files give away, how many different ones there are, and how many are tied to a child."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import stat
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from otrack_risk.errors import ParameterError
from otrack_risk.files.hashes import WITHIN, Look, groups, looks
from otrack_risk.files.metadata import MEANINGS, TAGS, tags
from otrack_risk.files.results import ImageFindings, SkippedFiles

if TYPE_CHECKING:
    from PIL.Image import Image

Unique = Literal["none", "exact", "near"]
SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".svg",
    ".dng", ".cr2", ".nef", ".arw",
))  # fmt: skip
DECODED_LIMIT = 50_000_000  # pixels; a picture that would have more when it is unpacked is not compared by its look
_FORMS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "MPO")  # none that starts another program, as EPS does
_LOOKED_AT = 128  # pixels of the shorter side that a JPEG is unpacked to at least: four times what a hash asks for
_CHUNK = 256  # files that one process looks at before it tells
_PLACE = {tag: place for place, tag in enumerate(TAGS)}


@dataclass(frozen=True)
class Seen:
    """What was found in each file, in the order of the paths; for counting, and not for a page."""

    why: tuple[str | None, ...]  # why the file was skipped; None where it was read
    tags: NDArray[np.uint64]  # one bit a filled tag, in the order of TAGS
    content: NDArray[np.int64] | None  # number of the file's SHA-256; -1 where skipped; None where not looked for
    look: NDArray[np.int64] | None  # number of the group of pictures that look alike; likewise
    not_compared: int  # pictures that are alike only to files of the same bytes: too plain, damaged or too large
    within: int  # bits of 64 in which each hash may differ

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which files were read."""
        return np.array([why is None for why in self.why], dtype=np.bool_)

    def having(self, *tags: str) -> NDArray[np.bool_]:
        """Which files have any of these tags."""
        bits = np.uint64(sum(1 << _PLACE[tag] for tag in set(tags)))
        return np.asarray((self.tags & bits) != 0, dtype=np.bool_)

    def giving(self, meaning: str) -> NDArray[np.bool_]:
        """Which files give this away: a name of :data:`otrack_risk.files.metadata.MEANINGS`."""
        return self.having(*MEANINGS[meaning])


def look(
    paths: Sequence[Path],
    progress: Callable[[int], None] | None = None,
    *,
    unique: Unique = "near",
    linked: Sequence[Hashable | None] | None = None,
    workers: int = 1,
    within: int = WITHIN,
) -> ImageFindings:
    """What a set of pictures gives away, in counts.

    Parameters
    ----------
    paths : files; any suffix
    progress : is told how many more files are done
    unique : what is looked for besides tags: different files (SHA-256), or different pictures too (near), which
        unpacks every picture
    linked : for each path the key of the child that an index or its name ties it to, None where it is tied to none;
        nobody has said where this is not given
    workers : processes; the counts are the same
    within : bits of 64 in which both hashes of two pictures that look alike may differ

    Raises
    ------
    ParameterError
        As many links as paths are needed; a number out of range.

    Notes
    -----
    A file that cannot be opened as a picture is skipped, with its reason. A picture that is cut short is kept: what
    stands before its pixels left with it. Text inside pictures and faces are not looked for.
    """
    return counted(read(paths, progress, unique=unique, workers=workers, within=within), linked)


def read(
    paths: Sequence[Path],
    progress: Callable[[int], None] | None = None,
    *,
    unique: Unique = "near",
    workers: int = 1,
    within: int = WITHIN,
) -> Seen:
    """What was found in each of the files, for who wants to join it with more; see :func:`look`."""
    if unique not in ("none", "exact", "near") or workers < 1 or not 0 <= within <= 31:
        raise ParameterError(
            f"unique is none, exact or near, workers at least 1, within 0 to 31; not {unique!r}, {workers}, {within}.",
            "correct the parameter.",
        )
    found: list[_File] = []
    for part in _parts(paths, unique, workers):
        found += part
        if progress:
            progress(len(part))
    why = tuple(each.why for each in found)
    kept = np.array([each.why is None for each in found], dtype=np.bool_)
    content = _numbered([each.digest for each in found]) if unique != "none" else None
    seen_as = None
    compared = kept & np.array([each.look is not None for each in found], dtype=np.bool_)
    if unique == "near" and content is not None:
        seen_as = _alike([each.look for each in found], content, compared, within)
    return Seen(
        why=why,
        tags=np.array([each.tags for each in found], dtype=np.uint64),
        content=content,
        look=seen_as,
        not_compared=int((kept & ~compared).sum()) if unique == "near" else 0,
        within=within,
    )


def counted(seen: Seen, linked: Sequence[Hashable | None] | None = None) -> ImageFindings:
    """The counts of what was found in each file; see :func:`look`."""
    if linked is not None and len(linked) != len(seen.why):
        raise ParameterError(
            f"linked has {len(linked):,} entries for {len(seen.why):,} files.", "give one entry a file, None for none."
        )
    kept = seen.kept
    given = {meaning: seen.giving(meaning) for meaning in MEANINGS}
    children: dict[str, int] = {}
    numbers = None
    if linked is not None:
        numbers = _numbered(list(linked))
        children = {meaning: _distinct(numbers[kept & given[meaning]]) for meaning in MEANINGS if meaning != "unread"}
    reasons = Counter(why for why in seen.why if why is not None)
    return ImageFindings(
        files=len(seen.why),
        skipped=tuple(SkippedFiles(why, files) for why, files in sorted(reasons.items())),
        given={meaning: int(which.sum()) for meaning, which in given.items()},
        tags={tag: int(seen.having(tag).sum()) for tag in TAGS},
        unique_exact=None if seen.content is None else _distinct(seen.content),
        unique_near=None if seen.look is None else _distinct(seen.look),
        not_compared=seen.not_compared,
        within=seen.within,
        linked_to_a_child=None if numbers is None else int((kept & (numbers >= 0)).sum()),
        children=None if numbers is None else _distinct(numbers[kept]),
        children_given=children,
    )


class _File(NamedTuple):
    """One file; small, since it travels between processes."""

    why: str | None
    tags: int = 0
    digest: bytes | None = None
    look: Look | None = None


def _parts(paths: Sequence[Path], unique: Unique, workers: int) -> Iterator[list[_File]]:
    parts = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    if workers == 1 or len(parts) == 1:
        for part in parts:
            yield _read(part, unique)
        return
    with ProcessPoolExecutor(min(workers, len(parts)), multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_read, parts, [unique] * len(parts))


def _read(paths: Sequence[Path], unique: Unique) -> list[_File]:
    from PIL import Image

    Image.init()
    forms = [form for form in _FORMS if form in Image.OPEN]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of damage and of size: both are told in the result
        return [_read_one(path, unique, forms) for path in paths]


def _read_one(path: Path, unique: Unique, forms: list[str]) -> _File:
    from PIL import Image, UnidentifiedImageError

    try:
        # os and open rather than pathlib, which takes a tenth of the time of a whole picture more
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  # a pipe would be waited for
            return _File("not a file")
        with open(path, "rb") as file:  # noqa: PTH123
            digest = None
            if unique != "none":
                digest = hashlib.file_digest(file, "sha256").digest()
                file.seek(0)
            try:
                with Image.open(file, formats=forms) as picture:
                    return _picture(picture, digest, unique)
            except Image.DecompressionBombError:
                return _File("more pixels than are opened here (a decompression bomb, or a very large scan)")
            except UnidentifiedImageError:
                return _File(_unreadable(file))
            except Exception:  # whatever a decoder meets in a damaged file: the next file is looked at all the same
                return _File("damaged")
    except FileNotFoundError:
        return _File("not a file")
    except OSError:
        return _File("cannot be opened")


def _picture(picture: Image, digest: bytes | None, unique: Unique) -> _File:
    late = picture.format == "PNG" and "exif" not in picture.info and picture.width * picture.height <= DECODED_LIMIT
    look_of = None
    if unique == "near":
        look_of = _unpacked(picture)
    elif late:  # PNG may have its EXIF after the pixels
        _unpacked(picture, only_load=True)
    return _File(None, sum(1 << _PLACE[tag] for tag in tags(picture)), digest, look_of)


def _unpacked(picture: Image, only_load: bool = False) -> Look | None:
    """How the picture looks, or None where its pixels are damaged, too many or too plain."""
    try:
        picture.draft(None, (_LOOKED_AT, _LOOKED_AT))  # a JPEG unpacks small, where that is all one wants
        if picture.width * picture.height > DECODED_LIMIT:
            return None
        picture.load()
        return None if only_load else looks(picture)
    except Exception:  # a decoder's, on pixels that are cut short; the tags have been or will be read from the head
        return None


def _unreadable(file: BinaryIO) -> str:
    """Why no reader took the file, by how it begins."""
    file.seek(0)
    start = file.read(64)
    if not start:
        return "empty"
    if start[4:8] == b"ftyp" and start[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"heim", b"heis"):
        return "HEIC, which is not opened here"
    if start.lstrip().startswith((b"<svg", b"<?xml")):
        return "SVG, which is not opened here"
    known = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")
    return "damaged" if start.startswith(known) else "not a picture, or of a form that is not opened here"


def _alike(
    seen_as: Sequence[Look | None], content: NDArray[np.int64], compared: NDArray[np.bool_], within: int
) -> NDArray[np.int64]:
    """Groups by look where there is one, by the bytes elsewhere."""
    found = groups([look for look, is_compared in zip(seen_as, compared, strict=True) if look and is_compared], within)
    alike = np.full(len(content), -1, dtype=np.int64)
    alike[compared] = found
    alone = ~compared & (content >= 0)
    alike[alone] = content[alone] + (found.max() + 1 if len(found) else 0)
    return alike


def _numbered(keys: Sequence[Hashable | None]) -> NDArray[np.int64]:
    """Distinct keys numbered as they are met; -1 for None."""
    known: dict[Any, int] = {}
    return np.array([-1 if key is None else known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def _distinct(numbers: NDArray[np.int64]) -> int:
    return len(np.unique(numbers[numbers >= 0]))
