"""Dense embeddings: one vector per picture, for the selection (DINOv2, DINOv3, the picture tower of CLIP and SigLIP).

The vector is what the model itself offers for a whole picture: `get_image_features` where a picture tower stands
beside a text tower, else the pooled output of `AutoModel`; `pooling: first` takes the class token and `mean` the mean of all
tokens instead, for checkpoints that were saved without a pooling layer. Vectors have length 1 unless `normalise` is off, so a
scalar product is a cosine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from rsflow.errors import ConfigError
from rsflow.labellers.models.model_labeller import (
    LabellerInput,
    LabellerOutput,
    OpenedModel,
    Vector,
    not_finite_error,
)
from rsflow.labellers.models.raw_input import RawModelLabeller
from rsflow.pretrained.checkpoint import Loaded

Pooling = Literal["pooled", "first", "mean"]


@dataclass(frozen=True, kw_only=True)
class Embedder(RawModelLabeller):
    """`quality` has no meaning here: a vector is neither right nor wrong."""

    name: ClassVar[str] = "embedder"

    pooling: Pooling = "pooled"
    normalise: bool = True

    def open(self) -> OpenedModel:
        loaded = self.load("AutoModel", "AutoImageProcessor", () if self.pooling == "pooled" else ("pooler.",))
        vectors = self._vector_function(loaded)
        self.check_channels(loaded)

        def prepare(batch: Sequence[LabellerInput]) -> Any:
            return self.model_inputs(loaded, batch)

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            return [LabellerOutput(vector=self._normalised(vector)) for vector in vectors(inputs).float().cpu().numpy()]

        return OpenedModel(prepare, infer)

    def _vector_function(self, loaded: Loaded) -> Callable[[Any], Any]:
        """The function from a processor's batch to a tensor (pictures, length)."""
        features = getattr(loaded.model, "get_image_features", None)
        if features is not None:
            return lambda inputs: _pooled(loaded.run(features, inputs), self.model)
        if self.pooling == "pooled":
            return lambda inputs: _pooled(loaded(inputs), self.model)
        if self.pooling == "first":
            return lambda inputs: loaded(inputs).last_hidden_state[:, 0]
        return lambda inputs: loaded(inputs).last_hidden_state.mean(dim=1)

    def _normalised(self, vector: Vector) -> Vector:
        if not np.isfinite(vector).all():
            raise not_finite_error("a number of its vector")
        length = float(np.linalg.norm(vector.astype(np.float64))) if self.normalise else 1.0
        return np.round(vector.astype(np.float64) / (length or 1.0), 5).astype(np.float32)


def _pooled(output: Any, model: str) -> Any:
    if hasattr(output, "shape"):  # a tensor: older releases of transformers give the features themselves
        return output
    if getattr(output, "pooler_output", None) is None:
        raise ConfigError(f"{model}: this model pools nothing: set pooling to first or mean")
    return output.pooler_output.flatten(1)
