"""What was exposed: records, files, people, children, fields and images; people, not records.

:func:`exposure_scope` counts from rows, :func:`exposure_from_letter` from what a supplier says of them.
"""

from otrack_risk.exposure.fields import Field, FieldTable
from otrack_risk.exposure.letters import exposure_from_letter
from otrack_risk.exposure.people import PeopleCount
from otrack_risk.exposure.results import ExposureScope
from otrack_risk.exposure.scope import exposure_scope, files_alone

__all__ = [
    "ExposureScope",
    "Field",
    "FieldTable",
    "PeopleCount",
    "exposure_from_letter",
    "exposure_scope",
    "files_alone",
]
