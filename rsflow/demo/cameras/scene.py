"""What the three sensors share: the shape of a swath, which things it shows, and the finished scene.

One idea: a thing that a scene would show only in part (cut by the swath's edge, or under cloud) is left out of that scene
altogether. So every scene's annotation is complete, and every box is exact, without a rule about visibility.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.demo.place.relief import FloatImage
from rsflow.demo.place.things import Footprint, Frame, Structure, View, footprint

Shown = list[tuple[Structure, Footprint]]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One scene in its file's own numbers: `pixels` (bands, rows, cols), and what it shows with each thing's exact place."""

    pixels: npt.NDArray[Any]
    shown: Shown


def swath(view: View, turn_deg: float) -> npt.NDArray[np.bool_]:
    """The valid pixels (rows, cols) of a scene delivered on a north-up grid but acquired at an angle."""
    side = max(view.height_px, view.width_px)
    frame = Frame(view.width_px / 2, view.height_px / 2, turn_deg)
    p, q = frame.to_local(np.arange(view.width_px)[None, :] + 0.5, np.arange(view.height_px)[:, None] + 0.5)
    valid: npt.NDArray[np.bool_] = (np.abs(p) < 0.5 * side) & (np.abs(q) < 0.5 * side)
    return valid


def visible_structures(things: tuple[Structure, ...], view: View, clear: npt.NDArray[np.bool_]) -> Shown:
    """The things that lie wholly on the grid and on clear pixels (True in `clear`), with a pixel to spare."""
    shown: Shown = []
    for thing in things:
        place = footprint(thing, view)
        if place is None:
            continue
        w = place.window
        if clear[max(0, w.row_off - 1) : w.row_stop + 1, max(0, w.col_off - 1) : w.col_stop + 1].all():
            shown.append((thing, place))
    return shown


def blur(image: FloatImage, side_weight: float) -> FloatImage:
    """A three-pixel point spread along rows and columns of the last two axes; the middle keeps 1 - 2 side_weight."""
    for axis in (-2, -1):
        out = image * np.float32(1 - 2 * side_weight)
        target, source = np.moveaxis(out, axis, 0), np.moveaxis(image, axis, 0) * np.float32(side_weight)
        target[1:] += source[:-1]
        target[:-1] += source[1:]
        target[0] += source[0]
        target[-1] += source[-1]
        image = out
    return image
