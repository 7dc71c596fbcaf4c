"""How findable is one data subject?

:func:`measure` gives everything about one table; the single metrics answer one question each. All
take a frame on any engine (polars, pandas, pyarrow, DuckDB, PySpark) and the names of the columns
that an attacker is taken to know.
"""

from otrack_risk.risk.anonymity import (
    KAnonymity,
    LDiversity,
    SensitiveRisk,
    TCloseness,
    alpha_k,
    beta_likeness,
    delta_disclosure,
    k_anonymity,
    l_diversity,
    recursive_diversity,
    t_closeness,
)
from otrack_risk.risk.attackers import (
    Population,
    ReidentificationRisk,
    journalist_risk,
    marketer_risk,
    prosecutor_risk,
)
from otrack_risk.risk.classes import Missing, class_sizes, class_values, combinations
from otrack_risk.risk.cube import minimal_uniques, subset_counts
from otrack_risk.risk.guesses import Inference, inference
from otrack_risk.risk.knowledge import KnowledgeCompared, knowledge_compared
from otrack_risk.risk.measuring import measure, records
from otrack_risk.risk.missing import MissingCompared, missing_compared
from otrack_risk.risk.orders import read_hierarchy, read_order
from otrack_risk.risk.overview import Risk
from otrack_risk.risk.population import PopulationUniques, population_uniques
from otrack_risk.risk.sizes import at_risk, distinction, record_risk, separation
from otrack_risk.risk.subsets import (
    minimal_keys,
    quasi_identifier_shares,
    ranked_combinations,
    subset_risk,
    telling_combinations,
)
from otrack_risk.risk.suda import SpecialUniques, special_uniques
from otrack_risk.risk.unicity import Unicity, unicity
from otrack_risk.risk.uniques import UniquenessByFacts, uniqueness_by_facts

__all__ = [
    "Inference",
    "KAnonymity",
    "KnowledgeCompared",
    "LDiversity",
    "Missing",
    "MissingCompared",
    "Population",
    "PopulationUniques",
    "ReidentificationRisk",
    "Risk",
    "SensitiveRisk",
    "SpecialUniques",
    "TCloseness",
    "Unicity",
    "UniquenessByFacts",
    "alpha_k",
    "at_risk",
    "beta_likeness",
    "class_sizes",
    "class_values",
    "combinations",
    "delta_disclosure",
    "distinction",
    "inference",
    "journalist_risk",
    "k_anonymity",
    "knowledge_compared",
    "l_diversity",
    "marketer_risk",
    "measure",
    "minimal_keys",
    "minimal_uniques",
    "missing_compared",
    "population_uniques",
    "prosecutor_risk",
    "quasi_identifier_shares",
    "ranked_combinations",
    "read_hierarchy",
    "read_order",
    "record_risk",
    "records",
    "recursive_diversity",
    "separation",
    "special_uniques",
    "subset_counts",
    "subset_risk",
    "t_closeness",
    "telling_combinations",
    "unicity",
    "uniqueness_by_facts",
]
