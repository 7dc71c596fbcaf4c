"""Pictures: counts agree with what was planted, nothing is lost in silence, and what is not looked for says so."""

from __future__ import annotations

import json
import os
import time
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from PIL import ExifTags, Image

from otrack_risk.display.tables import Hidden, plain
from otrack_risk.errors import FieldError, ParameterError
from otrack_risk.files import images, index
from otrack_risk.files.metadata import MEANINGS
from otrack_risk.synth.draw import Chance
from otrack_risk.synth.images import draw_images
from otrack_risk.synth.portraits import draw_portrait
from otrack_risk.synth.presets import PRESETS
from otrack_risk.synth.town import Town

PUPILS, EACH = 40, 6


def town() -> Town:
    """One school of forty children with six pictures each, and five of a class."""
    ids = [f"P{number:07d}" for number in range(1, PUPILS + 1)]
    pupils = pl.DataFrame({"pupil_id": ids, "school_id": "S00001", "surname": "Quartz", "forename": "Ada"})
    rows = [
        (f"I{number + 1:07d}{place + 1:02d}", ids[number], f"{ids[number]}_{place}.jpg")
        for number in range(PUPILS)
        for place in range(EACH)
    ]
    rows += [(f"IC00001001{place:02d}", None, f"class_c00001001_2023_{place}.jpg") for place in range(5)]
    listed = pl.DataFrame(
        rows, schema={"image_id": pl.String, "pupil_id": pl.String, "file_name": pl.String}, orient="row"
    ).with_columns(bytes=pl.lit(0, pl.Int32), taken_on=pl.lit(date(2023, 10, 4)))
    staff = pl.DataFrame({"staff_id": ["T1"], "school_id": ["S00001"], "forename": ["Janet"], "surname": ["Carter"]})
    classes = pl.DataFrame({"class_id": ["C00001001"], "school_id": ["S00001"], "name": ["4B"]})
    return Town(0, PRESETS["otrack"], {"pupils": pupils, "images": listed, "staff": staff, "classes": classes})


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    made = draw_images(Chance(5), town(), folder, 10_000)
    paths = [folder / name for name in made.images["file_name"]]
    return made, paths, images.look(paths, linked=made.images["pupil_id"].to_list())


def test_every_count_agrees_with_the_planted_truth(drawn):
    made, paths, found = drawn
    truth = dict(made.spans.filter(pl.col("column") != "pixels").group_by("column").len().iter_rows())
    for tag in ("Make", "Model"):  # planted with the serial number, and no row of the truth
        truth[f"exif.{tag}"] = truth["exif.BodySerialNumber"]
    assert {tag: count for tag, count in found.tags.items() if count} == truth
    assert (found.files, found.kept, found.skipped) == (len(paths), len(paths), ())
    assert found.unique_near == len(paths) - made.near_duplicates.height
    assert found.unique_exact == len({path.read_bytes() for path in paths})
    assert (found.linked_to_a_child, found.children) == (PUPILS * EACH, PUPILS)
    planted = made.spans.filter(pl.col("subject_kind") == "child", pl.col("column") == "exif.GPS")
    assert found.children_given["position"] == planted["subject"].drop_nulls().n_unique()


def test_two_processes_count_the_same_and_the_order_of_files_does_not_matter(drawn):
    _, paths, found = drawn
    many = [*paths, *paths[:60]]
    assert len(many) > 256  # more than one process is given at a time
    one = images.look(many)
    assert images.look(many, workers=2) == one
    assert images.look(paths[:50]) == images.look(paths[49::-1])
    assert (one.unique_exact, one.unique_near) == (found.unique_exact, found.unique_near)  # a file again is no other


def test_the_record_and_the_sentence_hold_no_name_no_place_and_no_path(drawn):
    _, _, found = drawn
    said = json.dumps(plain(found.record())) + found.sentence() + str(found)
    for planted in ("Carter", "Quartz", "SYN00", "54.", ".jpg", "P0000001"):
        assert planted not in said


def test_text_inside_pictures_and_faces_are_not_looked_for(drawn):
    _, _, found = drawn
    states = {each.what: each.state for each in found.looked_for()}
    assert states["text inside pictures"] == states["faces"] == "not looked for"
    assert (states["the place where it was taken"], states["names of people shown"]) == ("found", "none found")
    assert "Text inside pictures: not looked for." in found.sentence()
    assert {"what": "text inside pictures", "state": "not looked for", "why": "no reader of printed text was run"} in (
        found.record()["looked_for"]
    )


def test_what_was_not_compared_is_unknown_and_not_zero(drawn):
    _, paths, _ = drawn
    tags_only = images.look(paths[:5], unique="none").record()
    assert (tags_only["unique_exact"], tags_only["unique_near"], tags_only["linked_to_a_child"]) == (None, None, None)
    assert set(tags_only["reasons"]) == {"unique_exact", "unique_near", "linked_to_a_child"}
    states = {each.what: each.state for each in images.look([]).looked_for()}
    assert states["the place where it was taken"] == "not looked for"


def broken(folder: Path) -> dict[str, str]:
    """One file for every reason, by the reason's first words."""
    portrait = draw_portrait(Chance(1), 1, child=1, place=(54.6, 2.1))
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "words.jpg").write_bytes(b"no picture at all, but words")
    (folder / "head.jpg").write_bytes(portrait[:12])
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(60))
    (folder / "drawing.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "folder.jpg").mkdir()
    wide = bytearray(portrait)
    at = wide.index(b"\xff\xc0") + 5  # the height and width of the frame header
    wide[at : at + 4] = b"\xff\xff\xff\xff"
    (folder / "bomb.jpg").write_bytes(wide)
    return {
        "empty.jpg": "empty",
        "words.jpg": "not a picture, or of a form that is not opened here",
        "head.jpg": "damaged",
        "phone.heic": "HEIC, which is not opened here",
        "drawing.svg": "SVG, which is not opened here",
        "folder.jpg": "not a file",
        "bomb.jpg": "more pixels than are opened here (a decompression bomb, or a very large scan)",
        "gone.jpg": "not a file",
    }


def test_what_cannot_be_opened_is_skipped_with_its_reason(tmp_path):
    reasons = broken(tmp_path)
    seen = images.read([tmp_path / name for name in reasons])
    assert dict(zip(reasons, seen.why, strict=True)) == reasons
    found = images.counted(seen)
    assert (found.files, found.kept, sum(each.files for each in found.skipped)) == (8, 0, 8)
    assert "Tags: not looked for." in found.sentence()  # which is not the same as none found
    assert found.figure() is None


def test_a_picture_that_is_cut_short_still_gives_its_place_away(tmp_path):
    portrait = draw_portrait(Chance(1), 1, child=1, place=(54.6, 2.1))
    (tmp_path / "whole.jpg").write_bytes(portrait)
    (tmp_path / "cut.jpg").write_bytes(portrait[: len(portrait) // 2])
    found = images.look([tmp_path / "whole.jpg", tmp_path / "cut.jpg"])
    assert (found.kept, found.given["position"], found.not_compared, found.unique_near) == (2, 2, 1, 2)


def test_plain_pictures_are_told_apart_by_their_bytes_only(tmp_path):
    for name, colour in (("a.png", "red"), ("b.png", "blue"), ("c.png", "blue")):
        Image.new("RGB", (64, 64), colour).save(tmp_path / name)
    found = images.look(sorted(tmp_path.iterdir()))
    assert (found.not_compared, found.unique_exact, found.unique_near) == (3, 2, 2)


def test_tags_that_stand_behind_the_pixels_of_a_png_are_found(tmp_path):
    exif = Image.Exif()
    exif[0x013B] = "A N Other"
    path = tmp_path / "late.png"
    Image.new("RGB", (16, 16)).save(path, exif=exif)
    content = path.read_bytes()
    start = content.index(b"eXIf") - 4
    size = 12 + int.from_bytes(content[start : start + 4], "big")
    end = content.index(b"IEND") - 4
    path.write_bytes(content[:start] + content[start + size : end] + content[start : start + size] + content[end:])
    assert images.look([path], unique="none").given["owner"] == 1
    assert images.look([path]).given["owner"] == 1


def test_numbers_out_of_range_and_links_of_another_length_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="2 entries for 1 files"):
        images.look([tmp_path / "a.jpg"], linked=["P1", "P2"])
    for wrong in ({"workers": 0}, {"within": 64}, {"unique": "some"}):
        with pytest.raises(ParameterError):
            images.look([], **wrong)


def test_few_children_are_hidden_on_paper_and_what_would_give_them_away(tmp_path):
    for number in range(8):
        place = (54.6, 2.1) if number < 3 else None
        (tmp_path / f"{number}.jpg").write_bytes(draw_portrait(Chance(1), number, child=number, place=place))
    found = images.look(sorted(tmp_path.iterdir()), linked=list(range(8))).published()
    assert found.children == 8
    assert found.children_given["position"] == Hidden(5)
    few = images.look(sorted(tmp_path.iterdir())[:3], linked=[1, 2, 3]).published()
    assert isinstance(few.children, Hidden)
    assert isinstance(few.children_given["position"], Hidden)


def test_every_meaning_is_counted(drawn):
    assert set(drawn[2].given) == set(MEANINGS)
    assert set(drawn[2].children_given) == set(MEANINGS) - {"unread"}


# Rounds of both by turns in one process, the median of each: the tags of a picture cost less than Pillow's own reading.
def test_tags_are_read_about_as_fast_as_by_a_bare_pillow_loop(drawn):
    _, paths, _ = drawn

    def bare() -> int:
        found = 0
        for path in paths:
            with Image.open(path) as picture:
                found += bool(picture.getexif().get_ifd(ExifTags.IFD.GPSInfo))
        return found

    taken: dict[str, list[float]] = {"bare": [], "ours": []}
    for _ in range(5):
        for name, run in (("bare", bare), ("ours", lambda: images.look(paths, unique="none").given["position"])):
            start = time.perf_counter()
            count = run()
            taken[name].append(time.perf_counter() - start)
            assert count == drawn[2].given["position"]
    slowest = 0.9 if os.environ.get("OTRACK_RISK_TIMED") else 0.5  # a machine that does other things besides
    assert min(taken["bare"]) / min(taken["ours"]) >= slowest


# --- a table that lists pictures


# Five rows: b.jpg twice, one blank; three with a child, of two.
def test_an_index_is_counted_by_rows_names_hashes_and_children():
    rows = pl.DataFrame(
        {
            "file": ["a.jpg", "b.jpg", " b.jpg ", "  ", "d.jpg"],
            "pupil": ["P1", "P1", "P2", None, ""],
            "hash": ["AA", "bb", "BB", None, "cc"],
        }
    )
    found = index(rows, "file", "pupil", "hash")
    assert (found.rows, found.unnamed, found.files, found.unique_exact) == (5, 1, 3, 3)
    assert (found.linked_to_a_child, found.children, found.link_rate) == (3, 2, 0.6)
    assert isinstance(found.published().children, Hidden)
    alone = index(rows, "file").record()
    assert (alone["unique_exact"], alone["linked_to_a_child"]) == (None, None)
    assert set(alone["reasons"]) == {"unique_exact", "linked_to_a_child"}
    with pytest.raises(FieldError, match="'photo' is not a field"):
        index(rows, "photo")


def test_214_000_rows_are_counted_exactly():
    number = pl.int_range(214_000, eager=True)
    rows = pl.DataFrame(
        {
            "file": "I" + (number // 2).cast(pl.String) + ".jpg",
            "pupil": pl.select(pl.when(number % 4 != 0).then("P" + (number % 16_001).cast(pl.String))).to_series(),
        }
    )
    found = index(rows, "file", "pupil")
    assert (found.rows, found.files, found.linked_to_a_child) == (214_000, 107_000, 160_500)
    assert found.children == len({each % 16_001 for each in range(214_000) if each % 4})
