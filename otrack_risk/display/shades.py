"""The steps of a scale of counts, and their shades: few enough to tell apart, in print and without colour vision.

Neighbouring steps are at least 10 apart in CIELAB lightness, also to a reader with deuteranopia or protanopia.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from otrack_risk.display.tables import Count, Hidden

RGB = tuple[float, ...]  # sRGB, each from 0 to 1
STEPS, ARM = 7, 3  # shades at most: from white to dark; from neutral to either side
NOBODY, UNKNOWN, NEUTRAL = (1.0, 1.0, 1.0), (0.86, 0.86, 0.86), (0.969, 0.969, 0.969)


class Shades:
    """The steps of one scale, and the shade of a count."""

    def __init__(self, vmax: int, difference: bool) -> None:
        from matplotlib import colormaps

        self.vmax, self.difference = vmax, difference
        self.starts = bin_starts(vmax, ARM if difference else STEPS)
        ends = [start - 1 for start in self.starts[1:]] + [vmax]
        self.names = [
            f"{start:,}" if start == end else f"{start:,}–{end:,}" for start, end in zip(self.starts, ends, strict=True)
        ]
        n = len(self.starts)
        if difference:
            self.more = _steps(colormaps["PuOr"](np.linspace(0.5, 0, 1001)), n, darkest=35)
            self.fewer = _steps(colormaps["PuOr"](np.linspace(0.5, 1, 1001)), n, darkest=35)
        else:
            self.more = self.fewer = _steps(colormaps["cividis"](np.linspace(1, 0, 1001)), n)

    def of(self, value: Count) -> RGB:
        if value is None or (isinstance(value, Hidden) and (self.difference or value.why == "other")):
            return UNKNOWN
        if isinstance(value, Hidden):  # the end of the scale at which it lies, not its place there
            return self.more[-1 if value.why == "rest" else 0]
        if value == 0:
            return NEUTRAL if self.difference else NOBODY
        step = int(np.searchsorted(self.starts, abs(value), side="right")) - 1
        return self.more[step] if value > 0 else self.fewer[step]

    def sign(self, value: Count) -> str:
        if not self.difference or not isinstance(value, int) or not value:
            return ""
        return "+" if value > 0 else "\N{MINUS SIGN}"

    def legend(self) -> Iterator[tuple[RGB, str, str]]:
        """Fill, the sign in it, and words, of each step."""
        if self.difference:
            fewer = zip(self.fewer, self.names, strict=True)
            yield from reversed([(fill, "\N{MINUS SIGN}", f"{name} fewer") for fill, name in fewer])
        yield (NEUTRAL, "", "no change") if self.difference else (NOBODY, "", "nobody")
        for fill, name in zip(self.more, self.names, strict=True):
            yield (fill, "+", f"{name} more") if self.difference else (fill, "", name)
        yield UNKNOWN, "?", "not known"


def bin_starts(vmax: int, most: int = STEPS) -> list[int]:
    """Where the steps of a scale from 1 to ``vmax`` begin: round counts, half a decade apart where there is room.

    Examples
    --------
    >>> bin_starts(900), bin_starts(160_000), bin_starts(900, most=3)
    ([1, 10, 30, 100, 300], [1, 10, 100, 1000, 10000, 30000, 100000], [1, 10, 100])
    """
    tens = [10**power for power in range(len(str(vmax)))]
    threes = [3 * ten for ten in tens[1:] if 3 * ten <= vmax]
    while len(tens) + len(threes) > most:
        (threes or tens).pop(0 if threes else 1)
    return sorted(tens + threes)


def ink_on(fill: RGB) -> str:
    """Black or white, whichever stands out more: by relative luminance (WCAG 2.2), never under 4.5 to 1."""
    luminance = float(_luminance(np.array(fill)))
    return "#000000" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "#ffffff"


def _steps(shades: NDArray[np.float64], n: int, darkest: float = 0) -> list[RGB]:
    """Of shades from light to dark, n that are as far apart in CIELAB L* as they can be, the first from the ground."""
    light = 116 * np.cbrt(_luminance(shades[:, :3])) - 16  # every shade here is above the linear part of L*
    ground = 100 if darkest == 0 else light[0]  # white paper, or the neutral shade itself
    wanted = np.linspace(ground, max(light[-1], darkest), n + 1)[1:]
    return [tuple(map(float, shades[np.abs(light - each).argmin(), :3])) for each in wanted]


def _luminance(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]))
