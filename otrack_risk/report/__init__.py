"""The evidence pack: notebooks run with checked parameters, pages, and a manifest of every file."""
