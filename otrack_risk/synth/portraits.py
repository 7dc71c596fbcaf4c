"""One portrait of nobody: flat shapes, a mark that says so, and the EXIF that a camera would have left."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from otrack_risk.synth.draw import Chance, Floats

if TYPE_CHECKING:
    from PIL.Image import Image

WIDTH, HEIGHT = 128, 160  # pixels of a portrait
CHANGES = ("resized", "recompressed", "cropped")

Colour = tuple[int, int, int]
_SKIN: Sequence[Colour] = (
    (255, 224, 196), (245, 205, 172), (231, 184, 143), (208, 155, 112),
    (177, 122, 82), (146, 96, 62), (112, 72, 48), (84, 54, 38),
)  # fmt: skip
_HAIR: Sequence[Colour] = (
    (30, 26, 26), (48, 34, 28), (78, 50, 34), (112, 74, 44), (150, 102, 60),
    (188, 140, 84), (222, 186, 120), (168, 78, 40),
)  # fmt: skip
_JUMPER: Sequence[Colour] = (
    (28, 54, 104), (120, 28, 44), (24, 96, 70), (84, 52, 120), (40, 110, 150),
    (176, 52, 48), (92, 96, 104), (206, 140, 40),
)  # fmt: skip
_WALL: Sequence[Colour] = (
    (250, 246, 238), (248, 232, 176), (198, 220, 232), (240, 198, 184), (212, 196, 230), (150, 196, 188),
    (196, 176, 148), (122, 160, 204), (128, 160, 104), (214, 138, 98), (116, 112, 150), (88, 132, 140),
)  # fmt: skip
_CURLS = ((48, -40, 34), (60, 0, 24), (26, -62, 34))
_POLO = ((-30, 84), (0, 120), (30, 84), (44, 98), (22, 126), (0, 114), (-22, 126), (-44, 98))
_COMMENT = b"SYNTHETIC: drawn from shapes by otrack_risk; it shows nobody"
_LETTERS = {  # five by seven points each
    "S": "01111100001000001110000010000111110", "Y": "10001100010101000100001000010000100",
    "N": "10001110011010110011100011000110001", "T": "11111001000010000100001000010000100",
    "H": "10001100011000111111100011000110001", "E": "11111100001000011110100001000011111",
    "I": "01110001000010000100001000010001110", "C": "01111100001000010000100001000001111",
}  # fmt: skip


def draw_portrait(
    chance: Chance,
    image: int,
    *,
    child: int | None,
    school: int = 0,
    tags: Mapping[str, str] | None = None,
    place: tuple[float, float] | None = None,
    thumbnail: bool = False,
    change: str = "",
) -> bytes:
    """One JPEG of 128 by 160 pixels, flat shapes only, marked SYNTHETIC in the picture and in its comment.

    Skin, hair, glasses and freckles are drawn by chance from the child's number alone, each apart from the
    others, and the jumper from the school's: nothing that the tables say of a child (sex, ethnicity, need) has
    any part in it. There is no model of faces.

    Parameters
    ----------
    image : number by which wall, pose and smile are drawn
    child : number by which the look is drawn; None draws a group
    tags : EXIF texts by their names (ImageDescription, Make, Model, Artist, DateTimeOriginal, OwnerName,
        BodySerialNumber); beyond Latin-1 a letter becomes a question mark
    place : latitude and longitude in degrees, for the EXIF
    thumbnail : whether a small picture of the whole stands in the EXIF
    change : resized, recompressed or cropped: what was done to the picture afterwards
    """
    whole = _picture(chance, image, child, school)
    small = _jpeg(_marked(whole).resize((WIDTH // 4, HEIGHT // 4)), 70) if thumbnail else None
    if change == "resized":
        whole = whole.resize((WIDTH * 3 // 4, HEIGHT * 3 // 4))
    elif change == "cropped":
        whole = whole.crop((2, 3, WIDTH - 2, HEIGHT - 3))
    about = _exif(tags or {}, place, small)
    return _jpeg(_marked(whole), 45 if change == "recompressed" else 82, about)


def _picture(chance: Chance, image: int, child: int | None, school: int) -> Image:
    """The picture without its mark; drawn at double size, so that edges are smooth."""
    from PIL import Image, ImageDraw

    here = chance.of("images.picture", np.full(72, image), np.arange(72))
    jumper, collar = chance.of("images.jumper", np.full(2, school), np.arange(2))
    drawn = Image.new("RGB", (2 * WIDTH, 2 * HEIGHT), _pick(_WALL, here[0]))
    pen = ImageDraw.Draw(drawn)
    for block in range(9):
        x, y, wide, high, colour = here[4 + 5 * block : 9 + 5 * block]
        left, top = int(300 * x) - 60, int(340 * y) - 60
        box = (left, top, left + 50 + int(110 * wide), top + 50 + int(110 * high))
        fill = _pick(_WALL, colour)
        if block % 3 == 2:
            pen.ellipse(box, fill=fill)
        else:
            pen.rectangle(box, fill=fill)
    wear = (_pick(_JUMPER, jumper), int(collar * 3))
    if child is not None:
        look = chance.of("images.look", np.full(12, child), np.arange(12))
        middle = (128 + int(48 * here[50]) - 24, 154 + int(32 * here[51]) - 16)
        _person(pen, middle, 0.8 + 0.2 * float(here[52]), look, wear, float(here[53]))
    else:
        for row, (high, count) in enumerate(((104, 4), (196, 3))):
            for seat in range(count):
                at = 8 * row + seat
                look = chance.of("images.group", np.full(12, image), np.full(12, at), np.arange(12))
                middle = (256 * (2 * seat + 1) // (2 * count) + int(10 * here[54 + at]) - 5, high)
                _person(pen, middle, 0.42, look, wear, float(here[54 + at]))
    return drawn.reduce(2)


def _person(
    pen: Any, middle: tuple[int, int], size: float, look: Floats, wear: tuple[Colour, int], smile: float
) -> None:
    """Head and shoulders; ``middle`` is that of the face, and lengths are those of a face 60 points in radius."""
    skin, hair = _pick(_SKIN, look[0]), _pick(_HAIR, look[1])
    shade = _mixed(skin, (120, 50, 30), 0.22)
    style, fringe = int(look[2] * 8), int(look[3] * 4)
    jumper, collar = wear

    def box(left: float, top: float, right: float, bottom: float) -> tuple[int, int, int, int]:
        x, y = middle
        return (
            int(x + left * size), int(y + top * size), int(x + right * size), int(y + bottom * size)
        )  # fmt: skip

    def points(*pairs: tuple[float, float]) -> list[tuple[int, int]]:
        return [(int(middle[0] + x * size), int(middle[1] + y * size)) for x, y in pairs]

    def width(lines: float) -> int:
        return max(1, round(lines * size))

    # Behind the head.
    if style:
        pen.ellipse(box(-63, -74, 63, 34), fill=hair)
    if style == 1:  # long
        pen.rounded_rectangle(box(-68, -60, 68, 112), width(52), fill=hair)
    elif style == 2:  # to the chin
        pen.rounded_rectangle(box(-70, -62, 70, 58), width(46), fill=hair)
    elif style == 3:  # two bunches
        for side in (-1, 1):
            pen.ellipse(box(side * 76 - 26, -22, side * 76 + 26, 52), fill=hair)
    elif style == 4:  # a bun
        pen.ellipse(box(-28, -106, 28, -52), fill=hair)
    elif style == 5:  # round curls
        for x, y, r in ((0, -62, 42), *((side * x, y, r) for x, y, r in _CURLS for side in (-1, 1))):
            pen.ellipse(box(x - r, y - r, x + r, y + r), fill=hair)
    elif style == 6:  # two plaits
        for side in (-1, 1):
            for step in range(4):
                pen.ellipse(box(side * 62 - 14, 22 + 22 * step, side * 62 + 14, 50 + 22 * step), fill=hair)
    # Shoulders.
    pen.rounded_rectangle(box(-104, 84, 104, 260), width(58), fill=jumper)
    pen.rounded_rectangle(box(-23, 44, 23, 100), width(20), fill=shade)
    trim = _mixed(jumper, (255, 255, 255), 0.3)
    if collar == 0:  # a polo shirt
        pen.polygon(points(*_POLO), fill=(252, 252, 250))
    elif collar == 1:  # a round neck
        pen.arc(box(-36, 54, 36, 112), 0, 180, fill=trim, width=width(9))
    else:  # a shirt and tie
        pen.polygon(points((-34, 86), (0, 136), (34, 86), (20, 80), (0, 104), (-20, 80)), fill=(252, 252, 250))
        pen.polygon(points((-8, 104), (8, 104), (13, 160), (0, 172), (-13, 160)), fill=trim)
    pen.ellipse(box(48, 128, 66, 146), fill=trim)
    # Face.
    for side in (-1, 1):
        pen.ellipse(box(side * 58 - 13, -10, side * 58 + 13, 20), fill=shade)
    pen.ellipse(box(-58, -66, 58, 66), fill=skin)
    if style == 0:  # cropped close
        pen.chord(box(-59, -70, 59, 62), 205, 335, fill=hair)
    else:
        _fringe(pen, box, points, fringe, hair)
    ink = (44, 34, 34)
    for side in (-1, 1):
        pen.ellipse(box(side * 23 - 11, -9, side * 23 + 11, 9), fill=(255, 255, 255))
        pen.ellipse(box(side * 23 - 8, -9, side * 23 + 8, 9), fill=ink)
        pen.ellipse(box(side * 23 - 1, -7, side * 23 + 5, -1), fill=(255, 255, 255))
        pen.arc(box(side * 23 - 13, -26, side * 23 + 13, -6), 215, 325, fill=_mixed(hair, ink, 0.4), width=width(4))
        pen.ellipse(box(side * 36 - 10, 14, side * 36 + 10, 28), fill=_mixed(skin, (226, 84, 76), 0.3))
    pen.arc(box(-7, 6, 7, 20), 20, 160, fill=shade, width=width(4))
    if smile < 0.35:
        pen.chord(box(-22, 14, 22, 48), 8, 172, fill=(150, 44, 52))
        pen.chord(box(-19, 22, 19, 38), 0, 180, fill=(255, 255, 255))
    else:
        lips = (150, 52, 56) if sum(skin) > 400 else (226, 128, 122)
        pen.arc(box(-24, 6 + 8 * smile, 24, 44), 25, 155, fill=lips, width=width(5))
    if look[4] < 0.2:  # glasses
        for side in (-1, 1):
            pen.ellipse(box(side * 24 - 19, -20, side * 24 + 19, 18), outline=(60, 62, 80), width=width(4))
        pen.line(points((-6, -2), (6, -2)), fill=(60, 62, 80), width=width(4))
    if look[5] < 0.2:  # freckles
        for x, y in ((-40, 12), (-33, 18), (-27, 12), (27, 12), (33, 18), (40, 12)):
            pen.ellipse(box(x - 2, y - 2, x + 2, y + 2), fill=shade)


def _fringe(pen: Any, box: Any, points: Any, fringe: int, hair: Colour) -> None:
    """The hair above the brow."""
    if fringe == 0:  # straight
        pen.chord(box(-62, -74, 62, 56), 197, 343, fill=hair)
    elif fringe == 1:  # swept to one side
        pen.chord(box(-62, -74, 62, 56), 203, 337, fill=hair)
        pen.polygon(points((-59, -6), (-58, -40), (30, -62), (22, -34), (-34, -28)), fill=hair)
    elif fringe == 2:  # parted in the middle
        pen.polygon(points((-61, 4), (-58, -40), (-20, -72), (2, -70), (-24, -44), (-46, -26)), fill=hair)
        pen.polygon(points((61, 4), (58, -40), (20, -72), (-2, -70), (24, -44), (46, -26)), fill=hair)
        pen.chord(box(-62, -76, 62, 56), 215, 325, fill=hair)
    else:  # tousled
        pen.chord(box(-62, -74, 62, 56), 203, 337, fill=hair)
        for x in (-30, -10, 10, 30):
            pen.polygon(points((x - 14, -36), (x + 14, -36), (x + 4, -22)), fill=hair)


def _pick(colours: Sequence[Colour], u: float) -> Colour:
    return colours[int(u * len(colours))]


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


@cache
def _mark(width: int) -> Image:
    """The word SYNTHETIC in white on a dark band as wide as the picture, from letters of points: no font is asked."""
    from PIL import Image

    word = np.zeros((7, 6 * 9 - 1), dtype=np.uint8)
    for place, letter in enumerate("SYNTHETIC"):
        word[:, 6 * place : 6 * place + 5] = np.array([*_LETTERS[letter]], dtype=np.uint8).reshape(7, 5)
    double = np.kron(word, np.ones((2, 2), dtype=np.uint8)) if width >= 110 else word
    band = np.full((double.shape[0] + 6, width, 3), (38, 40, 52), dtype=np.uint8)
    left = (width - double.shape[1]) // 2
    band[3:-3, left : left + double.shape[1]][double == 1] = 255
    return Image.fromarray(band)


def _marked(picture: Image) -> Image:
    band = _mark(picture.width)
    marked = picture.copy()
    marked.paste(band, (0, picture.height - band.height))
    return marked


def _jpeg(picture: Image, quality: int, exif: bytes = b"") -> bytes:
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=quality, exif=exif, comment=_COMMENT)
    return held.getvalue()


def _exif(tags: Mapping[str, str], place: tuple[float, float] | None, thumbnail: bytes | None) -> bytes:
    """The EXIF block (CIPA DC-008: a little-endian TIFF of up to four directories); nothing where there is no tag.

    Written here, since Pillow writes no thumbnail, and so that the block does not depend on Pillow's version.
    """

    def texts(known: Mapping[str, int]) -> list[tuple[int, int, int, bytes]]:
        held = [(code, tags[name].encode("latin-1", "replace") + b"\0") for name, code in known.items() if name in tags]
        return [(code, 2, len(content), content) for code, content in held]

    main = texts({"ImageDescription": 0x010E, "Make": 0x010F, "Model": 0x0110, "Artist": 0x013B})
    camera = texts({"DateTimeOriginal": 0x9003, "OwnerName": 0xA430, "BodySerialNumber": 0xA431})
    where = _gps(*place) if place else []
    if not (main or camera or where or thumbnail):
        return b""
    spots = 8 + _size([*main, *([_NOWHERE] * bool(camera)), *([_NOWHERE] * bool(where))])
    inner = b""
    for code, directory in ((0x8769, camera), (0x8825, where)):
        if directory:
            main.append((code, 4, 1, struct.pack("<I", spots + len(inner))))
            inner += _directory(directory, spots + len(inner), 0)
    end = b""
    if thumbnail:
        start = spots + len(inner)
        small = [(0x0103, 3, 1, struct.pack("<H", 6)), (0x0201, 4, 1, b"\0" * 4), (0x0202, 4, 1, b"\0" * 4)]
        small[1:] = [
            (0x0201, 4, 1, struct.pack("<I", start + _size(small))),
            (0x0202, 4, 1, struct.pack("<I", len(thumbnail))),
        ]
        end = _directory(small, start, 0) + thumbnail
    block = _directory(main, 8, spots + len(inner) if thumbnail else 0)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + block + inner + end


_NOWHERE = (0, 4, 1, b"\0" * 4)  # a pointer whose value is not known yet


def _gps(latitude: float, longitude: float) -> list[tuple[int, int, int, bytes]]:
    def degrees(value: float) -> bytes:
        total = round(abs(value) * 3_600_000)
        return struct.pack("<6I", total // 3_600_000, 1, total // 60_000 % 60, 1, total % 60_000, 1000)

    return [
        (0, 1, 4, bytes((2, 3, 0, 0))),
        (1, 2, 2, b"N\0" if latitude >= 0 else b"S\0"),
        (2, 5, 3, degrees(latitude)),
        (3, 2, 2, b"E\0" if longitude >= 0 else b"W\0"),
        (4, 5, 3, degrees(longitude)),
    ]


def _size(entries: Sequence[tuple[int, int, int, bytes]]) -> int:
    return 6 + 12 * len(entries) + sum(len(content) + len(content) % 2 for *_, content in entries if len(content) > 4)


def _directory(entries: Sequence[tuple[int, int, int, bytes]], start: int, following: int) -> bytes:
    """One TIFF directory that stands at ``start``: code, type, count, and the value or where it stands."""
    table, values = struct.pack("<H", len(entries)), b""
    first = start + 6 + 12 * len(entries)
    for code, kind, count, content in sorted(entries):
        if len(content) <= 4:
            held = content.ljust(4, b"\0")
        else:
            held = struct.pack("<I", first + len(values))
            values += content + b"\0" * (len(content) % 2)
        table += struct.pack("<HHI", code, kind, count) + held
    return table + struct.pack("<I", following) + values
