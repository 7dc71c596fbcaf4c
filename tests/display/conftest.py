from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.patches import FancyBboxPatch, Rectangle

# Linear RGB. Machado, Oliveira and Fernandes (2009), severity 1.0; and Viénot, Brettel and Mollon (1999), for sRGB.
EYES = {
    "normal": np.eye(3),
    "deuteranopia (Machado)": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia (Machado)": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia (Vienot)": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
    "protanopia (Vienot)": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
}
# sRGB, IEC 61966-2-1; white D65
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(rgb):
    rgb = np.asarray(rgb, dtype=float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb, eye="normal"):
    """CIELAB of sRGB colours as an eye sees them; one row a colour: L*, a*, b*."""
    seen = np.clip(linear(rgb) @ EYES[eye].T, 0, 1)
    share = (seen @ XYZ.T) / XYZ.sum(axis=1)
    f = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def contrast(one, other):
    """WCAG 2.2."""
    light, dark = sorted((float(linear(to_rgb(each)) @ XYZ[1]) for each in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def texts(figure):
    """Every text that is seen."""
    found = list(figure.texts)
    for axes in figure.axes:
        ticks = [
            label
            for axis, sides in ((axes.xaxis, ("labeltop", "labelbottom")), (axes.yaxis, ("labelleft", "labelright")))
            if axes.axison and any(axis.get_tick_params().get(side) for side in sides)
            for label in axis.get_ticklabels()
        ]
        found += [*axes.texts, *ticks]
    return [text for text in found if text.get_text().strip() and text.get_visible()]


def read(figure):
    """Each text, its edges, and the colour behind its middle: of its own box, of the last patch, or of the page."""
    figure.draw_without_rendering()
    patches = [
        (patch.get_facecolor(), axes.transData.transform_bbox(patch.get_bbox()))
        for axes in figure.axes
        for patch in axes.patches
        if isinstance(patch, Rectangle | FancyBboxPatch) and patch.get_fill()
    ]
    lower = np.array([area.min for _, area in patches]).reshape(-1, 2)
    upper = np.array([area.max for _, area in patches]).reshape(-1, 2)
    found = []
    for text in texts(figure):
        box, own = text.get_window_extent().extents, text.get_bbox_patch()
        middle = (box[:2] + box[2:]) / 2
        behind = np.flatnonzero(((lower <= middle) & (middle <= upper)).all(axis=1))
        fill = own.get_facecolor() if own else patches[behind[-1]][0] if len(behind) else "white"
        found.append((text, box, to_rgba(fill)))
    return found


def clashes(found):
    """Pairs of upright texts whose extents overlap by more than a third of a pixel."""
    upright = [text.get_text() for text, _, _ in found if text.get_rotation() % 360 == 0]
    edges = np.array([box for text, box, _ in found if text.get_rotation() % 360 == 0])
    over = np.minimum(edges[:, None, 2:], edges[None, :, 2:]) - np.maximum(edges[:, None, :2], edges[None, :, :2])
    pairs = np.argwhere(np.triu((over > 1 / 3).all(axis=2), 1))
    return [(upright[one], upright[other]) for one, other in pairs]


@pytest.fixture(scope="session")
def seen():
    """What a reader sees of a figure, and with which eyes."""
    return SimpleNamespace(eyes=list(EYES), lab=lab, contrast=contrast, read=read, clashes=clashes)
