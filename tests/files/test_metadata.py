"""Tags of pictures: what is filled counts, what is blank does not, and what is damaged does no harm."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from otrack_risk.files.metadata import MEANINGS, TAGS, exif_tags, tags, xmp_tags
from otrack_risk.files.results import GIVEN
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.portraits import draw_portrait

MAIN = {"ImageDescription": 0x010E, "Make": 0x010F, "Model": 0x0110, "Artist": 0x013B}
CAMERA = {"DateTimeOriginal": 0x9003, "OwnerName": 0xA430, "BodySerialNumber": 0xA431, "LensSerialNumber": 0xA435}
RDF = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>{}</rdf:RDF></x:xmpmeta>"
FORMS = ["JPEG", "PNG", "WEBP", "TIFF"]


def exif(**values: object) -> Image.Exif:
    made = Image.Exif()
    camera = made.get_ifd(ExifTags.IFD.Exif)
    for name, value in values.items():
        if name in MAIN:
            made[MAIN[name]] = value
        elif name == "gps":
            made.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: value[0], 3: "E", 4: value[1]})
        else:
            camera[{**CAMERA, "UserComment": 0x9286}[name]] = value
    return made


def saved(form: str, **options: object) -> Image.Image:
    held = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(held, form, **options)
    return Image.open(held)


def described(inside: str) -> bytes:
    return RDF.format(f"<rdf:Description>{inside}</rdf:Description>").encode()


def test_every_meaning_has_words_and_no_tag_has_two_meanings():
    assert set(MEANINGS) == set(GIVEN)
    assert len(TAGS) == len(set(TAGS)) <= 64


# Six pictures of each form would be the same test six times: the tags that every form keeps are asked for.
@pytest.mark.parametrize("form", FORMS)
def test_tags_are_found_in_every_form_of_picture(form):
    made = exif(Artist="A N Other", DateTimeOriginal="2023:10:04 10:00:00", gps=((54.0, 30.0, 0.0), (2.0, 0.0, 1.5)))
    if form == "TIFF":  # Pillow writes no inner directories there unless they stand among the tags
        held = made.get_ifd(ExifTags.IFD.Exif), made.get_ifd(ExifTags.IFD.GPSInfo)
        made[ExifTags.IFD.Exif], made[ExifTags.IFD.GPSInfo] = (dict(each) for each in held)
    assert tags(saved(form, exif=made)) == {"exif.Artist", "exif.DateTimeOriginal", "exif.GPS"}
    assert tags(saved(form)) == set()


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*MAIN, *CAMERA]), st.text("ab 2:é", max_size=9)),
    st.booleans(),
)
@example({"ImageDescription": ""}, False)
def test_the_tags_found_are_those_that_pillow_finds_filled(values, place):
    made = exif(**values, **({"gps": ((54.0, 0.0, 0.0), (2.0, 0.0, 0.0))} if place else {}))
    block = made.tobytes()
    read = Image.Exif()
    read.load(block)
    camera = read.get_ifd(ExifTags.IFD.Exif)
    expected = {f"exif.{name}" for name, code in MAIN.items() if str(read.get(code, "")).strip()}
    expected |= {f"exif.{name}" for name, code in CAMERA.items() if str(camera.get(code, "")).strip()}
    if not any(digit in str(camera.get(CAMERA["DateTimeOriginal"], "")) for digit in "123456789"):
        expected.discard("exif.DateTimeOriginal")
    assert exif_tags(block) == expected | ({"exif.GPS"} if place else set())


# A tag that a camera prepared and never filled: no time, no fix (0/0), the null island, a comment of blanks.
@pytest.mark.parametrize(
    "values",
    [
        {"DateTimeOriginal": "0000:00:00 00:00:00"},
        {"DateTimeOriginal": "    :  :     :  :  "},
        {"Artist": "  \0 "},
        {"UserComment": b"ASCII\0\0\0" + b" " * 40},
        {"UserComment": b"UNICODE\0" + " ".encode("utf-16-le") * 9},
        {"gps": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))},
    ],
)
def test_a_tag_without_content_is_not_counted(values):
    assert exif_tags(exif(**values).tobytes()) == set()


def test_a_position_without_a_fix_is_no_position():
    block = exif(gps=((54.0, 30.0, 0.0), (2.0, 0.0, 0.0))).tobytes()
    assert exif_tags(block) == {"exif.GPS"}
    fix = struct.pack("<6I", 54, 1, 30, 1, 0, 1)
    assert fix in block or struct.pack(">6I", 54, 1, 30, 1, 0, 1) in block
    nothing = block.replace(fix, bytes(24)).replace(struct.pack(">6I", 54, 1, 30, 1, 0, 1), bytes(24))
    assert exif_tags(nothing) == set()


def test_comments_of_either_alphabet_count():
    for words in (b"ASCII\0\0\0on the trip", b"UNICODE\0" + "on the trip".encode("utf-16-le")):
        assert exif_tags(exif(UserComment=words).tobytes()) == {"exif.UserComment"}


def test_a_thumbnail_is_found_and_its_absence_too():
    for thumbnail in (True, False):
        picture = Image.open(io.BytesIO(draw_portrait(Chance(1), 1, child=1, thumbnail=thumbnail)))
        assert ("exif.thumbnail" in tags(picture)) == thumbnail


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_block_that_is_cut_or_scrambled_gives_tags_or_none_and_no_error(data):
    block = exif(Artist="A", Make="M", gps=((54.0, 0.0, 0.0), (2.0, 0.0, 0.0)), OwnerName="Some Body").tobytes()
    cut = data.draw(st.integers(0, len(block)))
    changed = bytearray(block[:cut])
    for _ in range(data.draw(st.integers(0, 4))):
        if changed:
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    assert exif_tags(bytes(changed)) <= set(TAGS)
    assert exif_tags(data.draw(st.binary(max_size=80))) == set()


def test_people_captions_and_places_in_xmp_count_as_attributes_and_as_elements():
    person = (
        "<e:PersonInImage xmlns:e='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'>"
        "<rdf:Bag><rdf:li>Somebody</rdf:li></rdf:Bag></e:PersonInImage>"
    )
    face = "<r:Name xmlns:r='http://www.metadataworkinggroup.com/schemas/regions/'>Somebody</r:Name>"
    assert xmp_tags(described(person + face)) == {"xmp.PersonInImage", "xmp.face"}
    attributes = RDF.format(
        "<rdf:Description xmlns:p='http://ns.adobe.com/exif/1.0/' p:GPSLatitude='54,30N' p:DateTimeOriginal=''/>"
    )
    assert xmp_tags(attributes) == {"xmp.GPS"}
    empty = "<d:title xmlns:d='http://purl.org/dc/elements/1.1/'><rdf:Alt><rdf:li> </rdf:li></rdf:Alt></d:title>"
    assert xmp_tags(described(empty)) == set()


def test_xmp_that_is_broken_or_defines_entities_is_said_to_be_unread():
    bomb = b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
    assert xmp_tags(bomb) == xmp_tags(b"<a>") == {"xmp.unread"}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_xmp_is_found_in_every_form_of_picture(form):
    packet = described("<d:creator xmlns:d='http://purl.org/dc/elements/1.1/'>A</d:creator>")
    if form == "PNG":
        from PIL.PngImagePlugin import PngInfo

        words = PngInfo()
        words.add_itxt("XML:com.adobe.xmp", packet.decode())
        picture = saved(form, pnginfo=words)
    elif form == "TIFF":
        picture = saved(form, tiffinfo={700: packet})
    else:
        picture = saved(form, xmp=packet)
    assert tags(picture) == {"xmp.creator"}


# IPTC IIM: 0x1C, record 2, dataset, length; in JPEG inside APP13 "Photoshop 3.0", resource 0x0404.
def test_a_caption_of_the_press_form_is_found():
    def entry(dataset: int, words: bytes) -> bytes:
        return struct.pack(">BBBH", 0x1C, 2, dataset, len(words)) + words

    block = entry(120, b"Sports day") + entry(80, b"A N Other") + entry(5, b"   ")
    resource = (
        b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(block)) + block + b"\0" * (len(block) % 2)
    )
    held = io.BytesIO()
    Image.new("RGB", (8, 8)).save(held, "JPEG")
    plain = held.getvalue()
    picture = Image.open(
        io.BytesIO(plain[:2] + b"\xff\xed" + struct.pack(">H", len(resource) + 2) + resource + plain[2:])
    )
    assert tags(picture) == {"iptc.caption", "iptc.by-line"}
