"""Two tiles of one cell: how far apart they are in time and place, and whether labels of one hold for the other.

Both show exactly the same ground, so a place goes from one to the other by the ratio of their pixel sizes, and by the shift
that was measured between the two pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from rsflow.cells.registration import Shift
from rsflow.config.group_settings import Transfer
from rsflow.spatial.geometry import Ring

DAY_SECONDS = 86_400.0
WHOLE = 0.999  # valid share from which a tile has no fill
FINER = (
    1.5  # times as many pixels along a side as the source, from which a target shows objects that its annotators could not see
)
CLEAR = 0.01  # share of cloud up to which annotators saw everything

Refusal = tuple[str, str]  # reason and detail


@dataclass(frozen=True)
class TilePair:
    """`source` and `target`: rows of TRANSFER_WORK's tiles."""

    source: dict[str, Any]
    target: dict[str, Any]

    @property
    def days(self) -> float | None:
        """Between the two scenes; None where a time is not known."""
        times = (self.source["acquired_at"], self.target["acquired_at"])
        return None if None in times else abs((times[0] - times[1]).total_seconds()) / DAY_SECONDS

    @property
    def is_simultaneous(self) -> bool:
        """Whether both scenes are of one moment. Two scenes of one date without a time of day may be hours apart."""
        return self.days == 0 and not _is_midnight(self.source["acquired_at"])

    @property
    def source_shows_everything(self) -> bool:
        """Whether fill or cloud hid nothing from those who labelled the source."""
        return float(self.source["valid_share"]) >= WHOLE and cloud_share(self.source) <= CLEAR

    @property
    def shows_same_area(self) -> bool:
        """Whether both tiles are without fill, so that shares and classes of the whole tile hold for both."""
        return min(float(tile["valid_share"]) for tile in (self.source, self.target)) >= WHOLE

    @property
    def target_is_finer(self) -> bool:
        """Whether the target shows objects that are too small for the source's pixels."""
        return any(float(self.target[side]) >= FINER * self.source[side] for side in ("height_px", "width_px"))

    def refusal_by_time(self, settings: Transfer) -> Refusal | None:
        if settings.max_days is None:
            return None
        if self.days is None:
            return "no_time", "the time between the two scenes is not known: set scenes.acquired_at, or transfer.max_days: null"
        if self.days > settings.max_days:
            return (
                "too_long_between",
                f"{self.days:.1f} days lie between the two scenes; transfer.max_days is {settings.max_days:g}",
            )
        return None

    def refusal_by_cloud(self, settings: Transfer) -> Refusal | None:
        for tile in (self.source, self.target):
            share = cloud_share(tile)
            if share > settings.max_cloud_share:
                limit = f"transfer.max_cloud_share is {settings.max_cloud_share:g}"
                return "cloudy", f"{share:.0%} of {tile['tile_id']} is or may be cloud; {limit}"
        return None

    def refusal_by_shift(self, shift: Shift, settings: Transfer) -> Refusal | None:
        """`shift`: of the target against the source, in the target's pixels."""
        if shift.length_px is None:
            detail = "it is not known how far the two pictures are shifted: too little that both show, or too little agreement"
            return ("misregistration_unknown", detail) if settings.on_unknown == "reject" else None
        length = shift.length_px / max(1.0, self.target["height_px"] / self.source["height_px"])
        if length > settings.max_shift_px:
            limit = f"transfer.max_shift_px is {settings.max_shift_px:g}"
            return "misregistered", f"the two pictures are shifted by {length:.2f} pixels; {limit}"
        return None

    def move_ring(self, ring: Ring, shift: Shift) -> Ring:
        """From pixels of the source to those of the target; an unknown shift is taken for none."""
        scale_x = self.target["width_px"] / self.source["width_px"]
        scale_y = self.target["height_px"] / self.source["height_px"]
        dx, dy = shift.dx_px or 0.0, shift.dy_px or 0.0
        return tuple(value * (scale_x, scale_y)[place % 2] + (dx, dy)[place % 2] for place, value in enumerate(ring))


def cloud_share(tile: dict[str, Any]) -> float:
    """Of what is cloud; where no band can tell, of what is white and so may be."""
    known = tile["cloud_share"]
    return float(tile["bright_share"] or 0.0) if known is None else float(known)


def _is_midnight(moment: datetime) -> bool:
    return moment.time() == time()
