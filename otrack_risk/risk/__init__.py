"""How findable is one data subject?

:func:`measure` gives everything about one table; the single metrics answer one question each. All
take a frame on any engine (polars, pandas, pyarrow, DuckDB, PySpark) and the names of the columns
that an attacker is taken to know.
"""

from otrack_risk.risk.anonymity import KAnonymity, LDiversity, TCloseness, k_anonymity, l_diversity, t_closeness
from otrack_risk.risk.attackers import (
    Population,
    ReidentificationRisk,
    journalist_risk,
    marketer_risk,
    prosecutor_risk,
)
from otrack_risk.risk.classes import Missing, class_sizes, class_values
from otrack_risk.risk.guesses import Inference, inference
from otrack_risk.risk.knowledge import KnowledgeCompared, knowledge_compared
from otrack_risk.risk.measuring import measure, records
from otrack_risk.risk.overview import Risk
from otrack_risk.risk.sizes import at_risk, distinction, record_risk, separation
from otrack_risk.risk.uniques import UniquenessByFacts, uniqueness_by_facts

__all__ = [
    "Inference",
    "KAnonymity",
    "KnowledgeCompared",
    "LDiversity",
    "Missing",
    "Population",
    "ReidentificationRisk",
    "Risk",
    "TCloseness",
    "UniquenessByFacts",
    "at_risk",
    "class_sizes",
    "class_values",
    "distinction",
    "inference",
    "journalist_risk",
    "k_anonymity",
    "knowledge_compared",
    "l_diversity",
    "marketer_risk",
    "measure",
    "prosecutor_risk",
    "record_risk",
    "records",
    "separation",
    "t_closeness",
    "uniqueness_by_facts",
]
