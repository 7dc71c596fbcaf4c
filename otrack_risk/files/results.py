"""What was found in files: counts by place, never a name, a coordinate or a word of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from otrack_risk.display import tables
from otrack_risk.display.results import Shown
from otrack_risk.display.tables import HIDE_BELOW, Count, Hidden, Share, percent, written

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

State = Literal["found", "none found", "not looked for"]

GIVEN: Mapping[str, str] = {  # what a picture's tags give away, in words
    "position": "the place where it was taken",
    "time": "the time when it was taken",
    "camera": "maker or model of the camera",
    "device": "the serial number of one camera or lens",
    "owner": "the name of an owner, photographer or author",
    "description": "a title, caption, comment or keywords",
    "person": "names of people shown",
    "thumbnail": "a small copy, which survives cropping",
    "unread": "descriptions that could not be read",
}


@dataclass(frozen=True)
class SkippedFiles:
    """Files that are in no other number of a result."""

    why: str
    files: int


@dataclass(frozen=True)
class Looked:
    """Found, none found, or not looked for; and how we know."""

    what: str
    state: State
    why: str


@dataclass(frozen=True)
class ImageFindings(Shown):
    """What pictures give away beside what they show, and how many different ones there are."""

    key: ClassVar[str] = "images"
    files: int  # looked at: kept and skipped
    skipped: tuple[SkippedFiles, ...]
    given: Mapping[str, int]  # what is given away -> pictures; one picture may give several things away
    tags: Mapping[str, int]  # tag -> pictures in which it is filled
    unique_exact: int | None  # different files (SHA-256); None: not looked for
    unique_near: int | None  # different pictures; None: not looked for
    not_compared: int  # pictures without a look to compare: too plain, damaged or too large
    within: int  # bits of 64 in which each hash of two alike pictures may differ
    linked_to_a_child: Count  # pictures tied to a child by an index or their name; None: nobody has said
    children: Count  # distinct children of those pictures
    children_given: Mapping[str, Count]  # what is given away -> distinct children of the pictures that do

    @property
    def kept(self) -> int:
        """Pictures that were opened."""
        return self.files - sum(each.files for each in self.skipped)

    @property
    def link_rate(self) -> Share:
        """Share of the opened pictures tied to a child, 0 to 1; None where nobody has said, or there is none."""
        if self.linked_to_a_child is None or not self.kept:
            return None
        return self.linked_to_a_child / self.kept if isinstance(self.linked_to_a_child, int) else self.linked_to_a_child

    def looked_for(self) -> tuple[Looked, ...]:
        """Each question in one of three states."""
        asked = [_asked(words, self.given[name], self.kept, "pictures") for name, words in GIVEN.items()]
        alike = f"look alike where both hashes differ in at most {self.within} of 64 bits"
        return (
            *asked[:-1],
            Looked("descriptions that could not be read", "found", f"{written(self.given['unread'])} pictures")
            if self.given["unread"]
            else Looked("descriptions that could not be read", "none found", "every XMP packet was read"),
            Looked("pictures that are the same", "not looked for", "files were not compared")
            if self.unique_exact is None
            else Looked(
                "pictures that are the same", "found" if self.unique_exact < self.kept else "none found", "SHA-256"
            ),
            Looked("pictures that look alike", "not looked for", "pixels were not compared")
            if self.unique_near is None
            else Looked(
                "pictures that look alike",
                "found" if self.unique_near < (self.unique_exact or 0) else "none found",
                alike,
            ),
            Looked("text inside pictures", "not looked for", "no reader of printed text was run"),
            Looked("faces", "not looked for", "nobody is recognised; pictures are tied to children by index and name"),
        )

    def sentence(self) -> str:
        parts = [f"{_counted(self.kept, 'picture')} of {_counted(self.files, 'file')} opened"]
        if self.unique_exact is not None:
            near = (
                "" if self.unique_near is None else f", of which {written(self.unique_near)} do not look like another"
            )
            near = "" if self.unique_near is None else f" and {written(self.unique_near)} different pictures"
            parts[0] += f": {_counted(self.unique_exact, 'different file')}{near}"
        told = [f"{written(self.given[name])} {words}" for name, words in _GIVES.items() if self.given[name]]
        nothing = "None gives a place, a time, a name or a device away" if self.kept else "Tags: not looked for"
        parts.append(f"Of these pictures {_listed(told)}" if told else nothing)
        if self.linked_to_a_child is not None:
            who = f" ({written(self.children)} children)" if self.linked_to_a_child != 0 else ""
            rate = f", {percent(self.link_rate)}" if isinstance(self.link_rate, float) else ""
            parts.append(f"{_capital(written(self.linked_to_a_child))} are tied to a child{rate}{who}")
        parts.append("Text inside pictures: not looked for")
        return ". ".join(parts) + "."

    def headline(self) -> tuple[tuple[str, str], ...]:
        return (written(self.kept), "pictures opened"), (written(self.given["position"]), "with the place in the file")

    def table(self) -> pl.DataFrame:
        rows: list[tuple[str, object, object]] = [
            ("files looked at", self.files, None),
            *((f"skipped: {each.why}", each.files, None) for each in self.skipped),
            ("pictures opened", self.kept, self.children),
            ("different files", self.unique_exact, None),
            ("different pictures", self.unique_near, None),
            ("tied to a child", self.linked_to_a_child, self.children),
            *((GIVEN[name], self.given[name], self.children_given.get(name)) for name in GIVEN),
        ]
        return tables.table(
            {
                "counted": [row[0] for row in rows],
                "files": [row[1] for row in rows],
                "children": [row[2] for row in rows],
            }
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display import figures

        if not self.kept:
            return None
        names = [name for name in GIVEN if name != "unread"]
        title = f"What {_counted(self.kept, 'picture')} give away beside what they show"
        return figures.bars([GIVEN[name] for name in names], [self.given[name] for name in names], title, "pictures")

    def record(self) -> dict[str, Any]:
        reasons = {
            "unique_exact": "files were not compared",
            "unique_near": "pixels were not compared",
            "linked_to_a_child": "nobody has said which picture is of which child",
        }
        why = {name: text for name, text in reasons.items() if getattr(self, name) is None}
        return {
            "files": self.files,
            "opened": self.kept,
            "skipped": _skipped(self.skipped),
            "unique_exact": self.unique_exact,
            "unique_near": self.unique_near,
            "not_compared": self.not_compared,
            "with_gps": self.given["position"],
            "given": dict(self.given),
            "tags": dict(self.tags),
            "linked_to_a_child": self.linked_to_a_child,
            "children": self.children,
            "children_given": dict(self.children_given),
            "looked_for": _states(self.looked_for()),
        } | ({"reason": "; ".join(why.values()), "reasons": why} if why else {})

    def published(self, hide_below: int = HIDE_BELOW) -> Self:
        children = tables.hide(self.children, hide_below)
        return replace(
            self,
            linked_to_a_child=tables.hide(self.linked_to_a_child, hide_below, of=self.kept),
            children=children,
            children_given={
                name: _within(count, hide_below, self.children, children) for name, count in self.children_given.items()
            },
        )


@dataclass(frozen=True)
class ImageIndex(Shown):
    """A table that lists pictures, whose files are elsewhere or not at hand."""

    key: ClassVar[str] = "image_index"
    rows: int
    unnamed: int  # rows without a file name
    files: int  # distinct file names
    unique_exact: int | None  # distinct hashes, where the table has a column of them
    linked_to_a_child: Count  # rows with a child's key; None: no column of them
    children: Count  # distinct children

    def sentence(self) -> str:
        parts = [f"{_counted(self.rows, 'row')} list {_counted(self.files, 'file name')}; no file was opened"]
        if self.unnamed:
            parts.append(f"{_counted(self.unnamed, 'row')} name no file")
        if self.linked_to_a_child is None:
            parts.append("No column ties a picture to a child")
        else:
            rate = self.link_rate
            share = f", {percent(rate)} of the rows" if isinstance(rate, float) else ""
            who = "" if self.linked_to_a_child == 0 else f" ({written(self.children)} children)"
            parts.append(f"{_capital(written(self.linked_to_a_child))} are tied to a child{share}{who}")
        return ". ".join(parts) + "."

    @property
    def link_rate(self) -> Share:
        """Share of the rows that are tied to a child, 0 to 1; None where there is no row, or no column of children."""
        if self.linked_to_a_child is None or not self.rows:
            return None
        return self.linked_to_a_child / self.rows if isinstance(self.linked_to_a_child, int) else self.linked_to_a_child

    def table(self) -> pl.DataFrame:
        numbers = {
            "rows": self.rows,
            "rows without a file name": self.unnamed,
            "distinct file names": self.files,
            "distinct hashes": self.unique_exact,
            "rows tied to a child": self.linked_to_a_child,
            "children": self.children,
        }
        return tables.table({"counted": list(numbers), "number": list(numbers.values())})

    def record(self) -> dict[str, Any]:
        reasons = {
            "unique_exact": "no column holds a hash of the files",
            "linked_to_a_child": "no column holds a child's key",
        }
        why = {name: text for name, text in reasons.items() if getattr(self, name) is None}
        return {
            "rows": self.rows,
            "unnamed": self.unnamed,
            "files": self.files,
            "unique_exact": self.unique_exact,
            "linked_to_a_child": self.linked_to_a_child,
            "children": self.children,
            "link_rate": self.link_rate,
        } | ({"reason": "; ".join(why.values()), "reasons": why} if why else {})

    def published(self, hide_below: int = HIDE_BELOW) -> Self:
        return replace(
            self,
            linked_to_a_child=tables.hide(self.linked_to_a_child, hide_below, of=self.rows),
            children=tables.hide(self.children, hide_below),
        )


WAYS: Mapping[str, str] = {  # by what a file's name or folder names a child
    "key": "a UPN or another key of the roster",
    "full_name": "forename and surname",
    "initial": "surname and an initial",
    "class": "one name, and a class or year",
}


@dataclass(frozen=True)
class NameFindings(Shown):
    """Names of files and folders that name children."""

    key: ClassVar[str] = "file_names"
    files: int
    naming: Mapping[str, int]  # strongest way -> files; a file is counted once
    with_upn: int  # files whose name or folder has the form of a UPN, of the roster or not
    one_name: int  # files with a single name and no class or year: not counted as naming anybody
    linked_to_a_child: Count  # files that name exactly one child
    children: Count  # distinct children, of files that name exactly one
    children_possible: Count  # distinct children whom any file may mean

    @property
    def naming_a_child(self) -> int:
        """Files whose name or folder names a child, one or several that are alike."""
        return sum(self.naming.values())

    @property
    def link_rate(self) -> Share:
        """Share of the files that name exactly one child, 0 to 1; None where there is no file."""
        if not self.files or self.linked_to_a_child is None:
            return None
        return (
            self.linked_to_a_child / self.files if isinstance(self.linked_to_a_child, int) else self.linked_to_a_child
        )

    def sentence(self) -> str:
        named = f"{written(self.naming_a_child)} of {_counted(self.files, 'file')} name a child in their name or folder"
        if not self.naming_a_child:
            return f"None of {_counted(self.files, 'file')} names a child of the roster in its name or folder."
        rate = f", {percent(self.link_rate)}" if isinstance(self.link_rate, float) else ""
        one = f"{_capital(written(self.linked_to_a_child))} name exactly one{rate} ({written(self.children)} children)"
        return f"{named}. {one}."

    def table(self) -> pl.DataFrame:
        numbers: dict[str, object] = {
            "files": self.files,
            **{f"named by {words}": self.naming.get(way, 0) for way, words in WAYS.items()},
            "with the form of a UPN": self.with_upn,
            "a single name, not counted": self.one_name,
            "naming exactly one child": self.linked_to_a_child,
            "children named": self.children,
            "children who may be meant": self.children_possible,
        }
        return tables.table({"counted": list(numbers), "number": list(numbers.values())})

    def record(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "naming_a_child": self.naming_a_child,
            "naming": {way: self.naming.get(way, 0) for way in WAYS},
            "with_upn": self.with_upn,
            "one_name": self.one_name,
            "linked_to_a_child": self.linked_to_a_child,
            "link_rate": self.link_rate,
            "children": self.children,
            "children_possible": self.children_possible,
        } | ({} if self.files else {"reason": "there is no file"})

    def published(self, hide_below: int = HIDE_BELOW) -> Self:
        return replace(
            self,
            linked_to_a_child=tables.hide(self.linked_to_a_child, hide_below, of=self.files),
            children=tables.hide(self.children, hide_below, of=self.children_possible),
            children_possible=tables.hide(self.children_possible, hide_below),
        )


PLACES: Mapping[str, str] = {  # where a document holds what its pages do not show
    "author": "author",
    "last_modified_by": "who saved it last",
    "manager": "manager",
    "company": "company or school",
    "title": "title, subject, keywords or description",
    "custom_properties": "properties of its own",
    "program": "the program that made it",
    "comments": "comments",
    "comment_authors": "names of who commented",
    "tracked_changes": "tracked changes",
    "hidden_text": "hidden text",
    "speaker_notes": "speaker's notes",
    "hidden_slides": "hidden slides",
    "hidden_sheets": "hidden sheets",
    "very_hidden_sheets": "sheets that no menu offers",
    "hidden_rows": "hidden rows with content",
    "filtered_rows": "rows that a filter hides",
    "hidden_columns": "hidden columns with content",
    "defined_names": "defined names",
    "pivot_cache": "records kept by a pivot table",
    "external_links": "links to other workbooks",
    "attachments": "files inside the file",
    "form_values": "filled form fields",
    "pictures": "pictures, which were not opened",
}


@dataclass(frozen=True)
class DocumentFindings(Shown):
    """What documents hold beside their pages."""

    key: ClassVar[str] = "documents"
    files: int
    skipped: tuple[SkippedFiles, ...]
    kinds: Mapping[str, int]  # docx, xlsx, pptx, pdf -> documents opened
    places: Mapping[str, tuple[int, int]]  # place -> documents that have it, and how many of it in all

    @property
    def kept(self) -> int:
        """Documents that were opened."""
        return self.files - sum(each.files for each in self.skipped)

    def looked_for(self) -> tuple[Looked, ...]:
        """Each place in one of three states."""
        return (
            *(
                _asked(words, self.places.get(place, (0, 0))[0], self.kept, "documents")
                for place, words in PLACES.items()
            ),
            Looked("words of the pages", "not looked for", "only properties and what is hidden was counted"),
            Looked("pictures inside documents", "not looked for", "they are counted and were not opened"),
            Looked("text inside pictures", "not looked for", "no reader of printed text was run"),
        )

    def sentence(self) -> str:
        opened = f"{_counted(self.kept, 'document')} of {_counted(self.files, 'file')} opened"
        told = [
            f"{written(self.places[place][0])} {words}"
            for place, words in _HOLDS.items()
            if self.places.get(place, (0, 0))[0]
        ]
        nothing = (
            "None holds an author, a comment or anything hidden" if self.kept else "What they hold: not looked for"
        )
        held = f"Of these {_listed(told)}" if told else nothing
        return f"{opened}. {held}. Text inside pictures: not looked for."

    def table(self) -> pl.DataFrame:
        rows: list[tuple[str, object, object]] = [
            ("files looked at", self.files, None),
            *((f"skipped: {each.why}", each.files, None) for each in self.skipped),
            *((f"opened: {kind}", files, None) for kind, files in self.kinds.items()),
            *((words, *self.places.get(place, (0, 0))) for place, words in PLACES.items()),
        ]
        return tables.table(
            {
                "place": [row[0] for row in rows],
                "documents": [row[1] for row in rows],
                "in_all": [row[2] for row in rows],
            }
        )

    def figure(self) -> Figure | None:
        from otrack_risk.display import figures

        found = {place: files for place, (files, _) in self.places.items() if files}
        if not found:
            return None
        title = f"What {_counted(self.kept, 'document')} hold beside their pages"
        return figures.bars(
            [words for place, words in PLACES.items() if place in found],
            [found[place] for place in PLACES if place in found],
            title,
            "documents",
        )

    def record(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "opened": self.kept,
            "skipped": _skipped(self.skipped),
            "kinds": dict(self.kinds),
            "places": {
                place: dict(zip(("documents", "in_all"), self.places.get(place, (0, 0)), strict=True))
                for place in PLACES
            },
            "looked_for": _states(self.looked_for()),
        }


_GIVES: Mapping[str, str] = {  # the same as a clause
    "position": "give away where they were taken",
    "time": "when",
    "device": "with which camera",
    "owner": "a name of whose it is",
    "description": "a caption or comment",
    "person": "names of people shown",
    "thumbnail": "a small copy of the whole",
}
_HOLDS: Mapping[str, str] = {
    "author": "name an author",
    "last_modified_by": "who saved them last",
    "comments": "hold comments",
    "tracked_changes": "tracked changes",
    "speaker_notes": "speaker's notes",
    "hidden_sheets": "hidden sheets",
    "very_hidden_sheets": "sheets that no menu offers",
    "hidden_rows": "hidden rows",
    "filtered_rows": "rows that a filter hides",
    "hidden_columns": "hidden columns",
    "pivot_cache": "the records behind a pivot table",
    "external_links": "links to other workbooks",
    "attachments": "files inside",
}


def _asked(what: str, found: int, of: int, noun: str) -> Looked:
    if not of:
        return Looked(what, "not looked for", f"no {noun.removesuffix('s')} could be opened")
    return Looked(what, "found" if found else "none found", f"{written(found)} of {written(of)} {noun}")


def _within(count: Count, hide_below: int, exact: Count, shown: Count) -> Count:
    """A part of the children: hidden where it is small, where the rest is, or where it equals a hidden whole."""
    if isinstance(shown, Hidden) and isinstance(count, int) and count == exact and count > 0:
        return shown
    return tables.hide(count, hide_below, of=exact)


def _skipped(skipped: Sequence[SkippedFiles]) -> list[dict[str, Any]]:
    return [{"why": each.why, "files": each.files} for each in skipped]


def _states(looked: Sequence[Looked]) -> list[dict[str, str]]:
    return [{"what": each.what, "state": each.state, "why": each.why} for each in looked]


def _counted(n: int, noun: str) -> str:
    return f"{written(n)} {noun}{'' if n == 1 else 's'}"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
