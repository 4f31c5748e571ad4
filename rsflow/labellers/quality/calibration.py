"""What a labeller's score means: the share of boxes with such a score that are right, learned on annotated scenes.

A calibration is a rising curve from the labeller's own score to a probability, per category where there was enough
to learn from, else over all categories. Many boxes give the curve its free form (isotonic regression: Zadrozny and Elkan 2002,
https://doi.org/10.1145/775047.775151, by scipy). Few give it two numbers, a temperature (Guo et al. 2017,
https://arxiv.org/abs/1706.04599) and a shift, without which a score that is wrong at 0.5 would stay wrong there; for isotonic
regression follows the noise of small samples (Niculescu-Mizil and Caruana 2005, https://doi.org/10.1145/1102351.1102430, find
it the better one from about a thousand on).

A calibration is kept as a JSON file that `rsflow evaluate-labels --calibrate` writes. As a frozen value it is part of what a
labeller's output depends on: other numbers in the file, other labels. Order is kept: a higher score never becomes a lower one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy.special import expit, logit

from rsflow.config.validation import STRICT, Count, Share, check
from rsflow.errors import ConfigError
from rsflow.files import storage
from rsflow.spatial.geometry import FloatArray

Judged = tuple[float, bool]  # a box's own score, and whether the box was right
Method = Literal["isotonic", "temperature"]

ENOUGH_FOR_ISOTONIC = 1000
ENOUGH_FOR_CATEGORY = 50
ALL = "*"
_LEAST = 1e-4  # scores this near to 0 or 1 have no usable logit


@dataclass(frozen=True)
class Curve:
    """`points`: rising (score, probability) pairs, straight lines between them, flat beyond; or `temperature` and `shift`, by
    which the score's logit is divided and then moved.

    `quality`: the share that is right of the boxes whose probability reaches the threshold in use, by the rule of succession
    (one more of each kind: https://en.wikipedia.org/wiki/Rule_of_succession), so that it is never 1. `boxes`: how many it was
    learned from.
    """

    __pydantic_config__ = STRICT
    method: Method
    quality: Share
    boxes: Count
    points: tuple[tuple[Share, Share], ...] = ()
    temperature: Annotated[float, Field(gt=0)] = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        scores, shares = zip(*self.points, strict=True) if self.points else ((), ())
        if self.method == "isotonic" and not self.points:
            raise ValueError("points is empty: an isotonic curve needs at least one")
        if list(scores) != sorted(set(scores)) or list(shares) != sorted(shares):
            raise ValueError("points must rise: a higher score never means a lower probability")

    def at(self, scores: FloatArray) -> FloatArray:
        """The probabilities of scores, both in [0, 1]."""
        if self.method == "isotonic":
            known, shares = zip(*self.points, strict=True)
            return np.asarray(np.interp(scores, known, shares))
        return np.asarray(expit(_logit(scores) / self.temperature + self.shift))


@dataclass(frozen=True)
class Calibration:
    """The curves of one labeller by category; `*` is for those without one of their own. `iou`: from where a box was right."""

    __pydantic_config__ = STRICT
    labeller: str
    iou: Share
    curves: dict[str, Curve] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if ALL not in self.curves:
            raise ValueError(f"curves has no {ALL!r}: what is for categories without a curve of their own")

    @classmethod
    def load(cls, path: str, labeller: str) -> Calibration:
        """Read a labeller's calibration by the labeller's name. ConfigError for an invalid file, or one without that
        labeller."""
        try:
            data = json.loads(storage.read_text(path))
        except ValueError as error:
            raise ConfigError(f"{path}: is no JSON ({error}): write it with `rsflow evaluate-labels --calibrate`") from error
        found = {one.labeller: one for one in check(CalibrationFile, data, path).calibrations}
        if labeller not in found:
            raise ConfigError(f"{path}: has no calibration of {labeller!r}: it has {', '.join(sorted(found)) or 'none'}")
        return found[labeller]

    def score(self, category: str, raw: float) -> float:
        """The probability that a box of this category with this score is right, in [0, 1]."""
        return _rounded(float(self._curve(category).at(np.array([raw]))[0]))

    def quality(self, category: str) -> float:
        """The share of its boxes of this category that are right."""
        return self._curve(category).quality

    def _curve(self, category: str) -> Curve:
        return self.curves.get(category, self.curves[ALL])


@dataclass(frozen=True)
class CalibrationFile:
    __pydantic_config__ = STRICT
    calibrations: tuple[Calibration, ...]

    def to_json(self) -> bytes:
        return (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode()


def fit(labeller: str, judged: Mapping[str, Sequence[Judged]], least: Mapping[str, float], iou: float) -> Calibration:
    """A labeller's calibration from its judged boxes by category; `least`: the threshold in use of each category.

    A category with fewer than `ENOUGH_FOR_CATEGORY` boxes has no curve of its own. ValueError where no box was judged.
    """
    own = {
        name: fit_curve(boxes, [least[name]] * len(boxes))
        for name, boxes in sorted(judged.items())
        if len(boxes) >= ENOUGH_FOR_CATEGORY
    }
    every = [(box, least[name]) for name, boxes in sorted(judged.items()) for box in boxes]
    return Calibration(labeller, iou, {**own, ALL: fit_curve([box for box, _ in every], [least for _, least in every])})


def fit_curve(boxes: Sequence[Judged], least: Sequence[float]) -> Curve:
    """The curve of boxes and each one's threshold: isotonic from `ENOUGH_FOR_ISOTONIC` boxes on, else by temperature."""
    if not boxes:
        raise ValueError("there is no box to learn from")
    score, right = np.array([box[0] for box in boxes]), np.array([box[1] for box in boxes], dtype=np.float64)
    if len(boxes) >= ENOUGH_FOR_ISOTONIC:
        curve = Curve("isotonic", 0.0, len(boxes), points=_isotonic(score, right))
    else:
        curve = Curve("temperature", 0.0, len(boxes), (), *_temperature(score, right))
    used = curve.at(score) >= np.array(least)
    counted = right[used] if used.any() else right
    return replace(curve, quality=_rounded((float(counted.sum()) + 1) / (len(counted) + 2)))


def _isotonic(score: FloatArray, right: FloatArray) -> tuple[tuple[float, float], ...]:
    from scipy.optimize import isotonic_regression

    scores, where = np.unique(np.round(score, 6), return_inverse=True)
    weight = np.bincount(where)
    share = np.clip(isotonic_regression(np.bincount(where, right) / weight, weights=weight).x, 0, 1)
    # Only the ends of its steps are needed to draw it.
    ends = [i for i in range(len(share)) if i in (0, len(share) - 1) or not share[i - 1] == share[i] == share[i + 1]]
    return tuple((float(scores[i]), _rounded(float(share[i]))) for i in ends)


def _temperature(score: FloatArray, right: FloatArray) -> tuple[float, float]:
    """The likeliest temperature and shift, where before any box log temperature and shift are standard normal."""
    from scipy.optimize import minimize

    logits = _logit(score)

    def loss(values: FloatArray) -> float:
        z = logits * np.exp(-values[0]) + values[1]
        return float(np.mean(np.logaddexp(0, z) - right * z) + np.sum(values**2) / 2 / len(right))

    best = minimize(loss, np.zeros(2), method="L-BFGS-B")
    return round(math.exp(best.x[0]), 4), round(float(best.x[1]), 4)


def _logit(score: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(score, _LEAST, 1 - _LEAST)))


def _rounded(value: float) -> float:
    return round(value, 6)
