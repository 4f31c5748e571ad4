"""The measured shift of a layer against a scene's picture (rsflow.ground.registration), and its effect on labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rsflow.ground.scene_grid import SceneGrid


@dataclass(frozen=True)
class LayerShift:
    """A feature drawn at column x, row y is at x + dx_px, y + dy_px of the picture; both None where that is not known.

    `dx_m`, `dy_m`: the same on the ground, along columns and rows. `spread_m`: the median distance of what single windows
    measure from it, at least half a pixel. `is_corrected`: whether features are moved by it.
    """

    confidence: float
    dx_px: float | None = None
    dy_px: float | None = None
    dx_m: float | None = None
    dy_m: float | None = None
    spread_m: float = 0.0
    is_corrected: bool = False

    @property
    def length_m(self) -> float | None:
        return None if self.dx_m is None or self.dy_m is None else math.hypot(self.dx_m, self.dy_m)

    @property
    def description(self) -> str:
        """In one line, for the provenance of labels."""
        if self.dx_px is None or self.dy_px is None:
            return "misregistration unknown"
        done = "moved by" if self.is_corrected else "as drawn, misregistered by"
        return f"{done} {self.dx_px:+.2f} {self.dy_px:+.2f} px, confidence {self.confidence:.2f}"

    def move(self, grid: SceneGrid) -> SceneGrid:
        """The grid on which features lie where the picture shows them, as far as the shift is corrected."""
        if not self.is_corrected or self.dx_px is None or self.dy_px is None:
            return grid
        return grid.shifted(self.dx_px, self.dy_px)

    def remaining_uncertainty(self, stated_m: float) -> float:
        """How far, in metres, a feature may still lie from where the picture shows it, which is `stated_m` for one as drawn.

        Corrected: no more than the spread, which is that of whole windows: errors of single features are not in it.
        Known and not corrected: no less than the shift itself.
        """
        if self.length_m is None:
            return stated_m
        return min(stated_m, self.spread_m) if self.is_corrected else max(stated_m, self.length_m)
