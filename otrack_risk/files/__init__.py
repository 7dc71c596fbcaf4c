"""Files: what their names, their metadata and what is hidden in them say of children.

``images.look`` counts what pictures give away and how many different ones there are, ``index`` a table that lists
them, ``names.look`` names of files and folders, ``documents.look`` what documents hold beside their pages. None
repeats what it found: counts by place, never a name, a coordinate or a word. Text inside pictures is not looked for.
"""

from otrack_risk.files import documents, images, names
from otrack_risk.files.folder import Listed, listed
from otrack_risk.files.index import index
from otrack_risk.files.results import (
    DocumentFindings,
    ImageFindings,
    ImageIndex,
    Looked,
    NameFindings,
    SkippedFiles,
)

__all__ = [
    "DocumentFindings",
    "ImageFindings",
    "ImageIndex",
    "Listed",
    "Looked",
    "NameFindings",
    "SkippedFiles",
    "documents",
    "images",
    "index",
    "listed",
    "names",
]
