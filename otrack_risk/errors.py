"""What can go wrong, said so that a person can mend it.

A message names the table, field, row number and count; never the value of a cell,
because tracebacks end up in notebooks, logs and reports.
"""

from __future__ import annotations


class OtrackRiskError(Exception):
    """Bad usage or bad input.

    Parameters
    ----------
    message : what is wrong, and where
    mend : what the reader can do about it
    """

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{type(self).__name__}: {self.message}\nMend: {self.mend}"

    def __reduce__(self) -> tuple[type[OtrackRiskError], tuple[str, str]]:
        return type(self), (self.message, self.mend)


class FileError(OtrackRiskError):
    """A file or folder that cannot be read as data."""


class TableError(OtrackRiskError):
    """A table on which the question has no answer: no rows, or rows of the wrong kind."""


class FieldError(OtrackRiskError):
    """A column that the table does not have, or that cannot be used in this way."""


class ParameterError(OtrackRiskError):
    """An option, a scenario or catalogue entry, or a notebook parameter."""


class ReferenceTableError(OtrackRiskError):
    """A table of law, roles or statistics without its source, or not in its form."""


class ReportError(OtrackRiskError):
    """A page that must not be rendered: a cell failed, or a check did."""
