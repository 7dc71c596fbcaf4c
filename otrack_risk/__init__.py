"""otrack_risk: what was in it, about how many children, and how findable is each."""

__version__ = "0.1.0"
