"""Labellers: what is known of a tile without an annotation.

Two literal tables. LABELLERS need no weights and see the measured pixels while a tile is made; MODELS are families of
pretrained models and look at the finished pictures, in a step of their own. To add one, write a file with a frozen dataclass
that satisfies `contract.Labeller`, or extends `model_labeller.ModelLabeller`, and name it below.
"""

from __future__ import annotations

import difflib
from typing import Any

from rsflow.config.validation import check
from rsflow.errors import ConfigError
from rsflow.labellers.answerer import Answerer
from rsflow.labellers.captioner import Captioner
from rsflow.labellers.cfar import Cfar
from rsflow.labellers.classifier import Classifier
from rsflow.labellers.contract import Labeller
from rsflow.labellers.detector import Detector
from rsflow.labellers.embedder import Embedder
from rsflow.labellers.hotspot import Hotspot
from rsflow.labellers.land_cover import LandCover
from rsflow.labellers.models.model_labeller import ModelLabeller
from rsflow.labellers.outliner import Outliner
from rsflow.labellers.scene import Scene
from rsflow.labellers.segmenter import Segmenter
from rsflow.labellers.spectral import Spectral
from rsflow.labellers.zero_shot_classifier import ZeroShotClassifier
from rsflow.labellers.zero_shot_detector import ZeroShotDetector
from rsflow.plugins import PluginTable

MODELS: dict[str, type[ModelLabeller]] = {
    Detector.name: Detector,
    Segmenter.name: Segmenter,
    LandCover.name: LandCover,
    Classifier.name: Classifier,
    ZeroShotDetector.name: ZeroShotDetector,
    ZeroShotClassifier.name: ZeroShotClassifier,
    Embedder.name: Embedder,
    Captioner.name: Captioner,
    Answerer.name: Answerer,
    Outliner.name: Outliner,
}

LABELLERS: PluginTable[type[Labeller]] = PluginTable(
    "rsflow.labellers",
    {
        Spectral.name: Spectral,
        Cfar.name: Cfar,
        Hotspot.name: Hotspot,
        Scene.name: Scene,
    },
    reserved=MODELS,
)

__all__ = ["LABELLERS", "MODELS", "Labeller", "ModelLabeller", "from_settings"]


def from_settings(settings: dict[str, Any]) -> Labeller | ModelLabeller:
    """The labeller that a configuration asks for: `name` and that labeller's own keys.

    Raises ConfigError that lists the known names, or the known keys, where one is unknown.
    """
    own = dict(settings)
    name = own.pop("name", None)
    if name in LABELLERS:
        return check(LABELLERS[name], own, f"labeller {name}")
    if name in MODELS:
        return check(MODELS[name], own, f"labeller {name}")
    known = [*LABELLERS, *MODELS]
    close = difflib.get_close_matches(str(name), known, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ConfigError(f"labellers: name is {name!r}: {hint}known labellers: {', '.join(known)}")
