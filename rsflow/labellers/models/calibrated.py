"""Base of the models whose scores a calibration turns into probabilities, with a measured quality per category.

The calibration is the file that the setting names (`rsflow evaluate-labels --calibrate`), or else the one that lies in the
checkpoint's folder: a checkpoint of `rsflow train-labeller` brings its own, so naming its folder is enough.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from rsflow.labellers.models.model_labeller import ModelLabeller, round_score
from rsflow.labellers.quality.calibration import Calibration
from rsflow.records import Provenance

CALIBRATION_FILE = "calibration.json"  # in a checkpoint's folder


@dataclass(frozen=True, kw_only=True)
class CalibratedLabeller(ModelLabeller):
    """`calibration`: a file, of which the numbers count."""

    calibration: str = field(default="", compare=False)
    calibrated: Calibration | None = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        place = self.calibration or _own_calibration(self.model)
        object.__setattr__(self, "calibrated", Calibration.load(place, self.name) if place else None)

    def probability(self, category: str, score: float) -> float:
        """A score of the model's as it is kept: calibrated where that was learned, rounded."""
        return round_score(self.calibrated.score(category, score) if self.calibrated else score)

    def category_origin(self, category: str) -> Provenance:
        """The provenance of labels of a category."""
        return replace(self.origin, quality=self.calibrated.quality(category)) if self.calibrated else self.origin


def _own_calibration(model: str) -> str:
    file = Path(model).expanduser() / CALIBRATION_FILE
    return str(file) if file.is_file() else ""
