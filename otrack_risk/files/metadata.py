"""What a picture's file says besides the picture: which tags of EXIF, XMP and IPTC are filled, never what they say.

Pillow finds the blocks; the directories of EXIF are read here, since only their tags are asked for: twice as fast
as having every value made, and a directory that is damaged at its end still gives what stands before.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from PIL.Image import Image

# What a tag gives away -> the tags, as EXIF 3.0 (CIPA DC-008), XMP (ISO 16684-1, Metadata Working Group, IPTC
# Extension) and IPTC IIM 4.2 call them. Every tag has one meaning, and "camera" is the model that many people own.
MEANINGS: Mapping[str, tuple[str, ...]] = {
    "position": ("exif.GPS", "xmp.GPS"),
    "time": ("exif.DateTimeOriginal", "xmp.DateTimeOriginal"),
    "camera": ("exif.Make", "exif.Model"),
    "device": ("exif.BodySerialNumber", "exif.LensSerialNumber", "xmp.SerialNumber"),
    "owner": ("exif.OwnerName", "exif.Artist", "exif.XPAuthor", "xmp.OwnerName", "xmp.creator", "iptc.by-line"),
    "description": (
        "exif.ImageDescription", "exif.UserComment", "exif.XPTitle", "exif.XPComment", "exif.XPKeywords",
        "exif.XPSubject", "xmp.title", "xmp.description", "xmp.subject", "xmp.Headline", "iptc.title",
        "iptc.keywords", "iptc.headline", "iptc.caption",
    ),
    "person": ("xmp.PersonInImage", "xmp.face"),
    "thumbnail": ("exif.thumbnail",),
    "unread": ("xmp.unread",),
}  # fmt: skip
TAGS = tuple(tag for tags in MEANINGS.values() for tag in tags)

_MAIN = {
    0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x013B: "Artist", 0x9C9B: "XPTitle",
    0x9C9C: "XPComment", 0x9C9D: "XPAuthor", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject",
}  # fmt: skip
_EXIF = {
    0x9003: "DateTimeOriginal", 0x9286: "UserComment", 0xA430: "OwnerName", 0xA431: "BodySerialNumber",
    0xA435: "LensSerialNumber",
}  # fmt: skip
_LATITUDE, _LONGITUDE = 2, 4
_STRIPS, _SMALL, _SMALL_LENGTH = 0x0111, 0x0201, 0x0202  # where a thumbnail stands, plain or as JPEG
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 9: 4, 10: 8, 13: 4, 129: 1}  # bytes of one value, by its type
_MOST_ENTRIES = 4096  # of one directory
_IPTC = {
    (2, 5): "title", (2, 25): "keywords", (2, 80): "by-line", (2, 105): "headline", (2, 120): "caption",
}  # fmt: skip
_XMP = {
    ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "PersonInImage"): "PersonInImage",
    ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "PersonName"): "PersonInImage",
    ("http://www.metadataworkinggroup.com/schemas/regions/", "Name"): "face",
    ("http://ns.microsoft.com/photo/1.2/t/Region#", "PersonDisplayName"): "face",
    ("http://ns.adobe.com/exif/1.0/", "GPSLatitude"): "GPS",
    ("http://ns.adobe.com/exif/1.0/", "DateTimeOriginal"): "DateTimeOriginal",
    ("http://ns.adobe.com/exif/1.0/", "UserComment"): "description",
    ("http://purl.org/dc/elements/1.1/", "creator"): "creator",
    ("http://purl.org/dc/elements/1.1/", "title"): "title",
    ("http://purl.org/dc/elements/1.1/", "description"): "description",
    ("http://purl.org/dc/elements/1.1/", "subject"): "subject",
    ("http://ns.adobe.com/photoshop/1.0/", "Headline"): "Headline",
    ("http://ns.adobe.com/exif/1.0/aux/", "SerialNumber"): "SerialNumber",
    ("http://ns.adobe.com/exif/1.0/aux/", "OwnerName"): "OwnerName",
    ("http://cipa.jp/exif/1.0/", "BodySerialNumber"): "SerialNumber",
    ("http://cipa.jp/exif/1.0/", "CameraOwnerName"): "OwnerName",
}


def tags(picture: Image) -> set[str]:
    """The filled tags of an opened picture, by the names in :data:`TAGS`.

    A tag of blanks, NULs or zeros is empty: cameras write the frame of a tag before they have anything to say. A
    position needs latitude and longitude, not both of them 0. ``xmp.unread`` says that there is XMP which is broken
    or brings definitions of its own, and is not read.

    Notes
    -----
    Not looked at: what a maker writes in a form of its own (MakerNote), XMP beyond the first 64 kB of a JPEG.
    """
    block = picture.info.get("exif")
    if isinstance(block, bytes) and block:
        found = exif_tags(block)
    elif "Raw profile type exif" in picture.info or hasattr(picture, "tag_v2"):  # a PNG of ImageMagick; a TIFF
        found = _by_pillow(picture)
    else:
        found = set()
    if "photoshop" in picture.info or hasattr(picture, "tag_v2"):
        found |= _iptc(picture)
    xmp = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    if xmp:
        found |= xmp_tags(xmp)
    return found


def exif_tags(block: bytes) -> set[str]:
    """The filled tags of an EXIF block: a TIFF header and its directories, with or without ``Exif`` before it.

    Examples
    --------
    >>> from PIL import Image
    >>> written = Image.Exif()
    >>> written[0x013B], written[0x010E] = "A N Other", "   "
    >>> exif_tags(written.tobytes())
    {'exif.Artist'}
    """
    while block.startswith(b"Exif\0\0"):
        block = block[6:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return set()
    main, following = _directory(block, struct.unpack_from(order + "I", block, 4)[0], order)
    found = {f"exif.{name}" for code, name in _MAIN.items() if code in main and _text(main[code], wide=code >= 0x9C9B)}
    if pointer := main.get(0x8769):
        camera, _ = _directory(block, _pointed(pointer, order), order)
        found |= {f"exif.{name}" for code, name in _EXIF.items() if code in camera and _says(name, camera[code])}
    if pointer := main.get(0x8825):
        where, _ = _directory(block, _pointed(pointer, order), order)
        if _stands(where.get(_LATITUDE, b""), where.get(_LONGITUDE, b""), order):
            found.add("exif.GPS")
    if following:
        small, _ = _directory(block, following, order)
        if _STRIPS in small or (_SMALL in small and any(small.get(_SMALL_LENGTH, b""))):
            found.add("exif.thumbnail")
    return found


def xmp_tags(packet: bytes | str) -> set[str]:
    """The filled tags of an XMP packet."""
    content = packet.encode() if isinstance(packet, str) else packet
    content = content.strip(b"\0 \r\n\t")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return {"xmp.unread"}
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError):
        return {"xmp.unread"}
    found = set()
    for each in root.iter():
        if (name := _XMP.get(_named(each.tag))) and any(text.strip() for text in each.itertext()):
            found.add(f"xmp.{name}")
        for key, value in each.attrib.items():
            if (name := _XMP.get(_named(key))) and value.strip():
                found.add(f"xmp.{name}")
    return found


def _directory(block: bytes, start: int, order: str) -> tuple[dict[int, bytes], int]:
    """Codes and the bytes of their values, and where the next directory stands; what lies outside is left out."""
    if start < 8 or start + 2 > len(block):
        return {}, 0
    (count,) = struct.unpack_from(order + "H", block, start)
    end = start + 2 + 12 * min(count, _MOST_ENTRIES)
    whole = start + 2 + (min(end, len(block)) - start - 2) // 12 * 12
    held: dict[int, bytes] = {}
    for code, kind, number, value in struct.iter_unpack(order + "HHI4s", block[start + 2 : whole]):
        size = _WIDTHS.get(kind, 0) * number
        if size <= 4:
            held[code] = value[:size]
        else:
            (at,) = struct.unpack(order + "I", value)
            held[code] = block[at : at + size]
    following = struct.unpack_from(order + "I", block, end)[0] if end + 4 <= len(block) else 0
    return held, following


def _pointed(value: bytes, order: str) -> int:
    return int(struct.unpack(order + "I", value)[0]) if len(value) == 4 else 0


def _says(name: str, value: bytes) -> bool:
    if name == "DateTimeOriginal":  # "0000:00:00 00:00:00" where the clock was never set
        return any(each in b"123456789" for each in value)
    if name == "UserComment":  # after eight bytes that name its characters
        return _text(value[8:], wide=value.startswith(b"UNICODE"))
    return _text(value)


def _text(value: bytes, wide: bool = False) -> bool:
    """Whether the bytes hold more than blanks; UTF-16 has a NUL beside every plain letter."""
    return bool(value.replace(b"\0", b"").strip() if wide else value.strip(b"\0 \t\r\n"))


def _stands(latitude: bytes, longitude: bytes, order: str) -> bool:
    """Whether two angles of three fractions each name a place; 0/0 is what a telephone without a fix writes."""
    angles = []
    for value in (latitude, longitude):
        numbers = struct.unpack(f"{order}{len(value) // 8 * 2}I", value[: len(value) // 8 * 8])
        known = [top for top, bottom in zip(numbers[::2], numbers[1::2], strict=True) if bottom]
        if not known:
            return False
        angles += known
    return any(angles)


def _by_pillow(picture: Image) -> set[str]:
    """The same tags as Pillow reads them: of a TIFF, whose own directories these are, and of rare PNG."""
    from PIL.ExifTags import IFD

    exif = picture.getexif()
    camera, where = exif.get_ifd(IFD.Exif), exif.get_ifd(IFD.GPSInfo)

    def raw(value: Any) -> bytes:
        return value if isinstance(value, bytes) else str(value).encode()

    found = {f"exif.{name}" for code, name in _MAIN.items() if _text(raw(exif.get(code, b"")), wide=code >= 0x9C9B)}
    found |= {f"exif.{name}" for code, name in _EXIF.items() if _says(name, raw(camera.get(code, b"")))}
    angles = [tuple(where.get(code, ())) for code in (_LATITUDE, _LONGITUDE)]
    if all(any(each == each for each in angle) for angle in angles) and any(
        each == each and each != 0 for angle in angles for each in angle
    ):
        found.add("exif.GPS")
    return found


def _iptc(picture: Image) -> set[str]:
    from PIL import IptcImagePlugin
    from PIL.ImageFile import ImageFile

    assert isinstance(picture, ImageFile)
    try:
        held = IptcImagePlugin.getiptcinfo(picture) or {}
    except (SyntaxError, OSError, ValueError):
        return set()
    found = set()
    for code, name in _IPTC.items():
        value = held.get(code, b"")
        if _text(b"".join(value) if isinstance(value, list) else value):
            found.add(f"iptc.{name}")
    return found


def _named(tag: str) -> tuple[str, str]:
    match = re.fullmatch(r"\{(.*)\}(.*)", tag)
    return (match[1], match[2]) if match else ("", tag)
