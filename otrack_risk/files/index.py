"""Tables that list pictures, where the pictures themselves are not at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otrack_risk.errors import FieldError
from otrack_risk.files.results import ImageIndex

if TYPE_CHECKING:
    import polars as pl


def index(rows: pl.DataFrame, file_name: str, child: str | None = None, sha256: str | None = None) -> ImageIndex:
    """Rows, different files and children of a table that lists pictures.

    Parameters
    ----------
    rows : one row a listed picture
    file_name : column of names or paths; blank is no name. Names are compared as written but for blanks around them
    child : column of the key of the child shown, where there is one
    sha256 : column of hashes of the files, where there is one; compared without case

    Raises
    ------
    FieldError
        A column that the table does not have.

    Examples
    --------
    >>> import polars as pl
    >>> listed = pl.DataFrame({"file": ["a.jpg", "b.jpg", "b.jpg", None], "pupil": ["P1", None, "P2", "P1"]})
    >>> found = index(listed, "file", "pupil")
    >>> found.rows, found.files, found.unnamed, found.linked_to_a_child, found.children
    (4, 2, 1, 3, 2)
    """
    for parameter, name in (("file_name", file_name), ("child", child), ("sha256", sha256)):
        if name is not None and name not in rows.columns:
            raise FieldError(
                f"{parameter}: '{name}' is not a field of this table (its fields: {', '.join(rows.columns)}).",
                "correct the name.",
            )
    names = _filled(rows[file_name])
    held = None if child is None else _filled(rows[child])
    hashes = None if sha256 is None else _filled(rows[sha256]).str.to_lowercase()
    return ImageIndex(
        rows=rows.height,
        unnamed=names.null_count(),
        files=names.drop_nulls().n_unique(),
        unique_exact=None if hashes is None else hashes.drop_nulls().n_unique(),
        linked_to_a_child=None if held is None else rows.height - held.null_count(),
        children=None if held is None else held.drop_nulls().n_unique(),
    )


def _filled(values: pl.Series) -> pl.Series:
    """As text without blanks around it; nothing where nothing is left."""
    import polars as pl

    text = values.cast(pl.String).str.strip_chars()
    return text.to_frame("text").select(pl.when(pl.col("text") != "").then("text"))["text"]
