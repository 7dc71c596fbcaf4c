"""Files and pictures: those that tables list, those that lie in the folder, and which child each is tied to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from otrack_risk import files, frames, schema
from otrack_risk.exposure.columns import file_names, index
from otrack_risk.exposure.heads import Flags, Heads, Held
from otrack_risk.exposure.known import CROWD, Known
from otrack_risk.exposure.results import Images
from otrack_risk.exposure.words import Tell, children_of
from otrack_risk.files import DocumentFindings, ImageFindings, NameFindings, names
from otrack_risk.text import lexicons

Look = Literal["none", "exact", "near"]
Children = npt.NDArray[np.int32]  # of each file: a child's number, -1 for none
_HASH_KINDS = ("hash", "file_hash", "sha256", "sha1", "md5")
_PICTURE = r"(?i)\.(jpe?g|png|gif|bmp|tiff?|heic|heif|webp)\s*$"
_DOCUMENT = r"(?i)\.(pdf|docx?|xlsx?|pptx?|odt|ods|rtf|txt|csv|msg|eml|html?|zip)\s*$"
# In a synthetic world, its word on itself; and files that describe data rather than hold it.
_TRUTH, _ABOUT = "truth", ("manifest.json", "certificate.json", "synthetic.txt")
_SAYS = "in_a_name"  # a file's name as words; a column beside


@dataclass(frozen=True)
class Listed:
    """Files that tables list, one entry a row."""

    names: pl.Series
    children: Children
    pictures: Flags
    hashes: pl.Series | None  # of the pictures; None where no table has a column of them
    can_link: bool  # whether a list ties its files to children


@dataclass(frozen=True)
class Lying:
    """Files that lie in the folder (or the one file) that was given."""

    root: Path
    images: tuple[Path, ...]
    documents: tuple[Path, ...]
    other: int  # files of other kinds, which are neither opened nor read as tables

    @property
    def paths(self) -> tuple[Path, ...]:
        """Images first."""
        return (*self.images, *self.documents)

    @property
    def names(self) -> list[str]:
        """The paths below the root."""
        return [path.relative_to(self.root).as_posix() for path in self.paths]


@dataclass(frozen=True)
class Files:
    """What the files tell."""

    images: Images
    beside: int  # files that lie there, are in no list and were not read as tables
    pictures: ImageFindings | None  # None: none was opened
    documents: DocumentFindings | None
    names: NameFindings | None  # of the files that lie there; None: not compared with anybody's name
    lying: Lying | None
    compared: bool  # names of listed files without a child's key were compared with the children's
    not_compared: int  # listed files without a child's key, of too many children to be compared with their names
    told: Mapping[tuple[str, str], Flags] = field(
        default_factory=dict
    )  # (category, "file" or "photograph") -> children


def listed(held: Sequence[Held], children: Heads) -> Listed:
    """Every file that a table lists: in an index of pictures each but a document, elsewhere by its suffix."""
    name, person, picture, hashes = [pl.Series("name", [], pl.String)], [], [], []
    can_link = False
    for table in held:
        if not (columns := file_names(table)):
            continue
        said = [table.rows[column.name].cast(pl.String) for column in columns]
        if index(table) and any(column.category == "images" for column in columns):
            pictures = ~_any_name(said, _DOCUMENT)
        else:
            pictures = _any_name(said, _PICTURE)
        whose = np.full(table.rows.height, -1, dtype=np.int32)
        if table.schema.subjects == "child" and table.name in children.numbers and table.key is not None:
            can_link = True
            whose = children.numbers[table.name]
        first = pl.DataFrame([each.alias(str(n)) for n, each in enumerate(said)]).select(pl.coalesce(pl.all()))
        name.append(first.to_series().alias("name"))
        person.append(whose)
        picture.append(pictures.to_numpy())
        for column in table.schema.columns:
            if column.kind in _HASH_KINDS and column.name in table.rows.columns:
                hashes.append(table.rows[column.name].filter(pictures).cast(pl.String).str.to_lowercase())
    return Listed(
        pl.concat(name),
        np.concatenate([np.empty(0, dtype=np.int32), *person]),
        np.concatenate([np.empty(0, dtype=np.bool_), *picture]),
        pl.concat(hashes).drop_nulls() if hashes else None,
        can_link,
    )


def lying(where: Path, tables: frames.Dataset) -> Lying:
    """The files of a folder; or the one file, which may be a document as well as a table."""
    read = {table.file for table in tables.tables.values()}
    if not where.is_dir():
        return Lying(where.parent, (), (where,) if where.suffix.lower() in files.documents.SUFFIXES else (), 0)
    found, world = files.listed(where), (where / "world.toml").is_file()

    def data(paths: Sequence[Path]) -> tuple[Path, ...]:
        parts = [(path, path.relative_to(where).parts) for path in paths]
        return tuple(
            path
            for path, below in parts
            if not any(each.startswith((".", "~$")) for each in below)
            and not (world and (below[0] == _TRUTH or path.name.lower() in _ABOUT))
        )

    other = [
        path
        for path in data(found.other)
        if path.name not in read
        and path.suffix.lower() not in (".toml", ".md")
        and not path.name.lower().startswith("readme")
    ]
    return Lying(where, data(found.images), data(found.documents), len(other))


def look(
    dataset: frames.Dataset,
    held: Sequence[Held],
    children: Heads,
    known: Known,
    *,
    where: Path | None = None,
    how: Look = "exact",
    workers: int = 1,
    tell: Tell,
) -> Files:
    """Opens the files that lie there, and ties each to a child by the list that has it, or by its name.

    Parameters
    ----------
    how : "exact" counts different files, "near" different pictures too, "none" opens no file
    """
    there = lying(where, dataset) if where is not None and how != "none" else None
    lists = listed(held, children)
    crowd = known.children.height > CROWD
    not_compared = int(((lists.children < 0) & lists.names.is_not_null().to_numpy()).sum()) if crowd else 0
    lists, compared = _linked_by_name(lists, known)
    if there is None:
        images, told_of = _images(lists, None, (), compared), _told(lists, (), known, children)
        return Files(images, 0, None, None, None, None, compared, not_compared, told_of)
    said = there.names
    rows = _matched(said, lists.names)
    by_name = known.by_name(said)
    found = names.link(said, by_name.names) if by_name is not None else []
    own = np.array([lists.children[row] if row >= 0 else -1 for row in rows], dtype=np.int32)
    tied: list[Hashable | None] = [int(child) if child >= 0 else None for child in own]
    for place, each in enumerate(found):
        if by_name is not None and tied[place] is None and len(each.rows) == 1:
            (row,) = each.rows
            own[place] = by_name.people[row]
            tied[place] = int(own[place]) if own[place] >= 0 else ("without a key", row)
    of_pictures = tied[: len(there.images)]
    alone = [place for place, row in enumerate(rows) if row < 0]
    pictures = documents = None
    if there.images:
        told = _counting(tell, "Opening pictures", len(there.images))
        seen = files.images.read(there.images, told, unique="near" if how == "near" else "exact", workers=workers)
        can_link = lists.can_link or by_name is not None
        pictures = files.images.counted(seen, of_pictures if can_link else None)
    if there.documents:
        told = _counting(tell, "Opening documents", len(there.documents))
        documents = files.documents.look(there.documents, told)
    more = [tied[place] is not None for place in alone if place < len(there.images)]
    tables = {table.file for table in dataset.tables.values()}
    beside = sum(there.paths[place].name not in tables for place in alone)
    lying_too = pl.DataFrame({"name": said, "child": own, "picture": np.arange(len(said)) < len(there.images)})
    return Files(
        images=_images(lists, pictures, more, compared or by_name is not None),
        beside=beside + there.other,
        pictures=pictures,
        documents=documents,
        names=names.look(said, by_name.names) if by_name is not None else None,
        lying=there,
        compared=compared,
        not_compared=not_compared,
        told=_told(lists, (lying_too,), known, children),
    )


def _any_name(said: Sequence[pl.Series], pattern: str) -> pl.Series:
    """Rows of which a file name is of this pattern."""
    text = [each.str.contains(pattern).fill_null(False).alias(str(place)) for place, each in enumerate(said)]
    return pl.DataFrame(text).select(pl.any_horizontal(pl.all())).to_series()


def _linked_by_name(lists: Listed, known: Known) -> tuple[Listed, bool]:
    """With the child whom its name means, for a listed file whose row has no child's key; unless there are too many."""
    open_rows = np.flatnonzero((lists.children < 0) & lists.names.is_not_null().to_numpy())
    said = lists.names[open_rows].to_list() if known.children.height <= CROWD else []
    if (by_name := known.by_name(said)) is None:
        return lists, False
    own = lists.children.copy()
    for place, each in zip(open_rows, names.link(said, by_name.names), strict=True):
        if len(each.rows) == 1:
            own[place] = by_name.people[next(iter(each.rows))]
    return replace(lists, children=own), True


def _matched(said: Sequence[str], listed_names: pl.Series) -> list[int]:
    """The listed row of each file: of the same path, else of the same name if only one row has it; -1 for none."""
    if not said:
        return []
    paths = listed_names.str.strip_chars().str.replace_all("\\", "/", literal=True).str.to_lowercase()
    pieces = [each.lower().split("/") for each in said]
    tails = [["/".join(parts[start:]) for start in range(len(parts))] for parts in pieces]
    rows = pl.DataFrame({"path": paths, "name": paths.str.extract(r"([^/]+)$")}).with_row_index("row")
    asked = pl.Series("asked", [tail for each in tails for tail in each], dtype=pl.String).unique()
    full = rows.filter(pl.col("path") != "", pl.col("path").is_in(asked.implode())).unique("path", keep="last")
    last = rows.filter(pl.col("name").is_in(asked.implode())).unique("name", keep="none")
    by_path = dict(zip(full["path"].to_list(), full["row"].to_list(), strict=True))
    by_name = dict(zip(last["name"].to_list(), last["row"].to_list(), strict=True))
    return [next((by_path[tail] for tail in each if tail in by_path), by_name.get(each[-1], -1)) for each in tails]


def _images(lists: Listed, opened: ImageFindings | None, more: Sequence[bool], compared: bool) -> Images:
    """The pictures of lists, and those that lie there beside them: for each of the latter whether it has a child."""
    n = int(lists.pictures.sum()) + len(more)
    if not n:
        return Images(files=0, unique_exact=0, linked_to_a_child=0, reason="No table lists pictures, and none was met.")
    can_link = lists.can_link or compared
    linked = int((lists.children[lists.pictures] >= 0).sum()) + sum(more) if can_link else None
    reasons = [] if can_link else ["No column links a picture to a child."]
    exact = None if lists.hashes is None else lists.hashes.n_unique()
    if opened is None:
        reasons.insert(0, "The files themselves were not opened.")
        if exact is None:
            reasons.append("No column holds a hash of the files.")
        return Images(n, exact, linked, " ".join(reasons))
    gps = opened.given["position"]
    if opened.kept < n:
        reasons.append(
            "Not every picture could be opened: what is unique, and where it was taken, is of those that were."
        )
        if not gps:
            reasons.append("None of them gives a place away; the others were not looked at.")
    if opened.unique_near is None:
        reasons.append("Pictures were not compared by their look.")
    return Images(
        files=n,
        unique_exact=opened.unique_exact,
        linked_to_a_child=linked,
        reason=" ".join(reasons),
        unique_near=opened.unique_near,
        with_gps=gps or (0 if opened.kept == n else None),
        opened=opened.kept,
    )


def _told(lists: Listed, others: Sequence[pl.DataFrame], known: Known, children: Heads) -> dict[tuple[str, str], Flags]:
    """What each file tells of its child: a photograph; the child's name, or a fact, in the file's name; its words."""
    own = pl.DataFrame({"name": lists.names, "child": lists.children, "picture": lists.pictures})
    rows = pl.concat([own, *others]).filter(pl.col("child") >= 0).drop_nulls("name")
    rows = rows.with_columns(pl.col("name").str.replace(r"\.[A-Za-z0-9]{1,5}\s*$", "").alias(_SAYS))
    if not rows.height:
        return {}
    named, facts = _names_its_child(rows, known), _facts(rows, known)
    found: dict[tuple[str, str], Flags] = {}
    for source, of in (("photograph", rows["picture"]), ("file", ~rows["picture"])):
        told = {"images" if source == "photograph" else "free_text": of, "identity": of & named}
        for category in schema.categories():
            if which := [place for place, stated in facts.items() if category in stated]:
                told[category] = of & pl.Series(range(rows.height)).is_in(which)
        for category, rows_told in told.items():
            flags = children_of(children, rows.filter(rows_told)["child"].to_numpy())
            if flags.any():
                found[category, source] = flags
    return found


def _names_its_child(rows: pl.DataFrame, known: Known) -> pl.Series:
    """Whether the surname or the UPN of its own child stands in a file's name."""
    columns = [name for name in ("surname", "upn") if name in known.children.columns]
    if not columns:
        return pl.Series([False] * rows.height)

    def squashed(name: str) -> pl.Expr:
        return pl.col(name).str.normalize("NFKD").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")

    of = known.children.select(columns).with_columns(child=pl.Series(known.people)).filter(pl.col("child") >= 0)
    both = rows.select("child", squashed(_SAYS)).join(
        of.select("child", *map(squashed, columns)), on="child", how="left", maintain_order="left"
    )
    stands = [
        (pl.col(_SAYS).str.contains(pl.col(name), literal=True) & (pl.col(name).str.len_chars() > 2)).fill_null(False)
        for name in columns
    ]
    return both.select(pl.any_horizontal(stands)).to_series()


def _facts(rows: pl.DataFrame, known: Known) -> dict[int, set[str]]:
    """Row -> the categories of the facts that a file's name states, apart from words of its own child's name."""
    text = rows[_SAYS].str.replace_all(r"[\W\d_]+", " ")
    maybe = (" " + text.str.to_lowercase() + " ").str.contains_any([f" {form} " for form in lexicons.forms()])
    places = np.flatnonzero(maybe.fill_null(False).to_numpy()).tolist()
    if not places:
        return {}
    columns = [c for c in ("forename", "preferred_forename", "middle_names", "surname") if c in known.children.columns]
    child = rows["child"].gather(places)
    numbered = known.children.select(columns).with_columns(child=pl.Series(known.people))
    of = numbered.filter(pl.col("child").is_in(child.unique().implode())).unique("child", keep="last")
    own = _words_of(child.to_frame("child").join(of, on="child", how="left", maintain_order="left").select(columns))
    stated: dict[str, set[str]] = {}  # many names of files say the same once the child's name is taken out
    found = {}
    for place, words, taken in zip(places, text.gather(places).to_list(), own, strict=True):
        said = " ".join(word for word in words.split() if word.casefold() not in taken)
        if said not in stated:
            stated[said] = {term.category for _, term in lexicons.found(said, named=True)}
        if stated[said]:
            found[place] = stated[said]
    return found


def _words_of(called: pl.DataFrame) -> list[set[str]]:
    """The words of which each row's names are made; every different name is taken apart once."""
    words = {name: names.tokens(name) for column in called for name in column.drop_nulls().unique()}
    return [{word for name in row if name for word in words[name]} for row in called.rows()] or [set()] * called.height


def _counting(tell: Tell, what: str, of: int) -> Callable[[int], None]:
    """Progress in files as progress in shares."""
    done = 0

    def more(n: int) -> None:
        nonlocal done
        done += n
        tell(what, done / of)

    return more
