"""The certificate of a synthetic world: each figure it was drawn to, what came out, and whether that is near enough.

A :class:`Tally` counts town after town, and its ``certificate`` is the result that is written as ``certificate.json``.
What is asked stands in ``reference/synth_targets.toml``.
"""

from otrack_risk.synth.certificate.judging import tolerance
from otrack_risk.synth.certificate.result import Certificate, Effect, Line
from otrack_risk.synth.certificate.tally import Tally

__all__ = ["Certificate", "Effect", "Line", "Tally", "tolerance"]
