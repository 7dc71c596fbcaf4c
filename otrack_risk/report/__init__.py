"""The evidence pack: notebooks run with checked parameters, pages, and a manifest of every file."""

from otrack_risk.report.evidence import InputsRead, TablesUsed, inputs_read, tables_used

__all__ = ["InputsRead", "TablesUsed", "inputs_read", "tables_used"]
