"""A school that never was: same seed, same bytes; nobody in it exists."""

from otrack_risk.synth.making import make, pupils
from otrack_risk.synth.presets import FORMATS, PRESETS, Preset
from otrack_risk.synth.world import Fact, World

__all__ = ["FORMATS", "PRESETS", "Fact", "Preset", "World", "make", "pupils"]
