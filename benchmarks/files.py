"""What pictures and lists of pictures give away, and how fast, beside a bare Pillow loop and ImageHash over all pairs.

    python benchmarks/files.py                                   metadata, near-duplicates, an index of 214,000 rows
    python benchmarks/files.py metadata --pictures 500 --json    one of them, smaller, as JSON

Pictures are drawn anew in a temporary folder: blocks of colour, with EXIF and XMP in them. The ratio is a program's
time over that of its peer in the same round; below 1 is faster. Other programs want the processor too, so read ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import page
import polars as pl
from risk import machine, rounded
from timing import Agreed, Run, compared, in_turn, memory_stalled_s

from otrack_risk.files import ImageFindings, images, index

OURS, BARE, PAIRS, SETS = "otrack_risk", "bare Pillow loop", "ImageHash, all pairs", "Python sets"
ROWS = 214_000  # pictures that the breach of 2024 is said to have held, about
WITHIN = 10  # bits of each hash in which two pictures of one scene may differ: what ours takes, too
_POINT = (51.5, -3.0)  # in the sea
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:p="http://ns.adobe.com/photoshop/1.0/" p:Headline="SYNTHETIC"/>'
    "</rdf:RDF></x:xmpmeta>"
)

Job = dict[str, Any]


def main(words: Sequence[str] | None = None) -> None:
    """Run what is asked for and print it."""
    asked = _asked(words)
    about = machine()
    about["versions"] |= {name: version(name) for name in ("pillow", "imagehash")}
    jobs = [_measured(name, asked, words) for name in asked.jobs]
    results = rounded({"schema": "otrack-risk/benchmark/1", "machine": about, "jobs": jobs})
    print(json.dumps(results, indent=2) if asked.json else page.text(results))
    if asked.json:
        print(page.text(results), file=sys.stderr)


def metadata(place: Path, asked: argparse.Namespace) -> tuple[dict[str, Run], str, int]:
    """Which tags are filled: every second picture has a position, every third an owner, every fourth XMP."""
    paths = drawn(place, asked.pictures)

    def told(found: ImageFindings) -> dict[str, object]:
        return {"position": found.given["position"], "owner": found.given["owner"]}

    runs = {
        OURS: Run(partial(images.look, paths, unique="none"), told),
        BARE: Run(partial(bare, paths), dict),
        f"{BARE}, with XMP": Run(partial(bare, paths, xmp=True), dict),
    }
    return runs, BARE, len(paths)


def near(place: Path, asked: argparse.Namespace) -> tuple[dict[str, Run], str, int]:
    """How many different pictures there are where every fifth is a smaller copy of another."""
    paths = drawn(place, asked.compared, copies=True)
    runs = {
        OURS: Run(
            partial(images.look, paths, unique="near", within=WITHIN), lambda found: {"different": found.unique_near}
        ),
        PAIRS: Run(partial(all_pairs, paths), lambda different: {"different": different}),
    }
    return runs, PAIRS, len(paths)


def rows(place: Path, asked: argparse.Namespace) -> tuple[dict[str, Run], str, int]:
    """Rows, different files and children of a list of pictures; each file stands twice, each child has four rows."""
    n = asked.rows
    numbers = np.arange(n)
    listed = pl.DataFrame({"file": numbers % -(-n // 2), "child": numbers % -(-n // 4)}).select(
        ("year 7/IMG_" + pl.col("file").cast(pl.String) + ".jpg").alias("file"),
        ("P" + pl.col("child").cast(pl.String)).alias("child"),
    )

    def ours() -> dict[str, object]:
        found = index(listed, "file", "child")
        return {"rows": found.rows, "files": found.files, "children": found.children}

    runs = {OURS: Run(ours, dict), SETS: Run(partial(by_sets, listed), dict)}
    return runs, SETS, n


JOBS: Mapping[str, tuple[str, Callable[..., tuple[dict[str, Run], str, int]]]] = {
    "metadata": ("tags of pictures that are filled", metadata),
    "near": ("pictures that look alike", near),
    "index": ("a table that lists pictures", rows),
}


def drawn(place: Path, n: int, *, copies: bool = False) -> list[Path]:
    """``n`` JPEGs of 640 by 480 with EXIF; with ``copies`` every fifth is the one before, at half the size."""
    from PIL import Image
    from PIL.ExifTags import IFD

    rng, paths, picture = np.random.default_rng(1), [], None
    for number in range(n):
        if copies and number % 5 == 4 and picture is not None:
            picture = picture.resize((320, 240))
        else:
            blocks = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
            picture = Image.fromarray(blocks).resize((640, 480), Image.Resampling.BICUBIC)
        exif = Image.Exif()
        exif[0x010F], exif[0x0110] = "SYNTHETIC", "Drawn 1"
        exif.get_ifd(IFD.Exif)[0x9003] = "2024:01:31 09:30:00"
        if number % 2 == 0:
            degrees = [(value, 0.0, 0.0) for value in map(abs, _POINT)]
            exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: degrees[0], 3: "W", 4: degrees[1]})
        if number % 3 == 0:
            exif[0x013B] = "SYNTHETIC"
        paths.append(place / f"IMG_{number:05}.jpg")
        also: dict[str, Any] = {"xmp": _XMP.encode()} if number % 4 == 0 else {}
        picture.save(paths[-1], quality=80, exif=exif, **also)
    return paths


def bare(paths: Sequence[Path], *, xmp: bool = False) -> Counter[str]:
    """What anybody would write: open, ask for EXIF and its two directories, and for XMP where that is wanted too."""
    from PIL import Image
    from PIL.ExifTags import IFD

    found: Counter[str] = Counter(position=0, owner=0)
    for path in paths:
        with Image.open(path) as picture:
            exif = picture.getexif()
            where, camera = exif.get_ifd(IFD.GPSInfo), exif.get_ifd(IFD.Exif)
            found["position"] += 2 in where and 4 in where
            found["owner"] += bool(exif.get(0x013B) or camera.get(0xA430))
            if xmp:
                picture.getxmp()
    return found


def all_pairs(paths: Sequence[Path]) -> int:
    """Different pictures by both hashes of ImageHash, every pair compared, near ones joined."""
    import imagehash
    from PIL import Image

    hashes = []
    for path in paths:
        with Image.open(path) as picture:
            hashes.append((imagehash.dhash(picture), imagehash.phash(picture)))
    group = list(range(len(hashes)))

    def root(place: int) -> int:
        while group[place] != place:
            place = group[place]
        return place

    for one, (difference, perception) in enumerate(hashes):
        for other in range(one):
            if difference - hashes[other][0] <= WITHIN and perception - hashes[other][1] <= WITHIN:
                group[root(one)] = root(other)
    return sum(group[place] == place for place in range(len(group)))


def by_sets(listed: pl.DataFrame) -> dict[str, int]:
    """The same counts, row by row."""
    n, files, children = 0, set(), set()
    for file, child in listed.iter_rows():
        n += 1
        files.add(file)
        children.add(child)
    return {"rows": n, "files": len(files), "children": len(children)}


def _measured(name: str, asked: argparse.Namespace, words: Sequence[str] | None) -> Job:
    print(f"{name} ...", file=sys.stderr)
    title, made = JOBS[name]
    load = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    agreed, stalled = Agreed(), memory_stalled_s()
    with TemporaryDirectory() as place:
        runs, to, n = made(Path(place), asked)
        found = compared(in_turn(runs, asked.rounds, agreed), to, rows=n)
    about = {"job": name, "title": title, "command": page.command("files.py", words), "load": load}
    about |= {"measured_on": datetime.now(UTC).date().isoformat(), "memory_stalled_s": memory_stalled_s() - stalled}
    return about | {"runs": found, "agreed": agreed.checked, "answers": agreed.values}


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"of {', '.join(JOBS)}; all where none is named")
    parser.add_argument("--rounds", type=int, default=7, help="counted; one more goes before them")
    parser.add_argument("--pictures", type=int, default=2_000, help="whose metadata are read")
    parser.add_argument("--compared", type=int, default=600, help="pictures that are compared with each other")
    parser.add_argument("--rows", type=int, default=ROWS, help="of the table that lists pictures")
    parser.add_argument("--json", action="store_true", help="the document, and the table beside it on standard error")
    asked = parser.parse_args(words)
    asked.jobs = asked.jobs or list(JOBS)
    if unknown := [name for name in asked.jobs if name not in JOBS]:
        parser.error(f"'{unknown[0]}' is none of {', '.join(JOBS)}.")
    if min(asked.rounds, asked.pictures, asked.compared, asked.rows) < 1:
        parser.error("--rounds, --pictures, --compared, --rows: give 1 or more.")
    return asked


if __name__ == "__main__":
    main()
