"""What each column is: direct identifier, quasi-identifier, sensitive, free text, other; and why.

:func:`profile` shows it, :func:`classify` only gives the catalogue, and :func:`write_catalogue` makes of
that a file which a person edits and every later command reads.
"""

from otrack_risk.profile.keys import MinimalKey, minimal_keys
from otrack_risk.profile.results import ColumnProfile, Profile, TableProfile
from otrack_risk.profile.survey import catalogue_for, classify, profile
from otrack_risk.schema.catalogue import read_catalogue, write_catalogue

__all__ = [
    "ColumnProfile",
    "MinimalKey",
    "Profile",
    "TableProfile",
    "catalogue_for",
    "classify",
    "minimal_keys",
    "profile",
    "read_catalogue",
    "write_catalogue",
]
