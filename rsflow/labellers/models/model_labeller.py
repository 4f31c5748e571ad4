"""Base of the labellers with weights: settings that open into a model, which runs on batches of written pictures.

A labeller is a frozen dataclass whose fields are its settings. Those that decide the output (the checkpoint's content,
thresholds, prompts, number type) make its fingerprint. Those that say how it runs (device, batch, workers) do not, and neither
does the path of the checkpoint: a moved folder relabels nothing, a changed file does.

The output for a picture depends on that picture and these settings alone, up to floating-point rounding: other hardware, or
another batch on the same machine, changes the last bits. A batch holds pictures of one size, so nothing is padded, and outputs
are rounded (scores to 4 decimals, boxes to 2, vectors to 5), which hides the difference except at a rounding edge.
`batch_rows: 1` removes the dependence on the batch.

Opening gives two functions that run concurrently: `prepare` on the CPU (resizing, tokens) while `infer` runs the previous
batch on the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydantic import Field

from rsflow.config.validation import STRICT, Positive, Share
from rsflow.errors import DataError
from rsflow.labellers.contract import MeasuredQuality, Picture
from rsflow.pretrained.checkpoint import Checkpoint, Dtype, Loaded
from rsflow.pretrained.device import Device, device_for_gpus
from rsflow.records import Label, Provenance, Raster
from rsflow.sensors import SENSOR_NAMES, SensorName
from rsflow.stage import fingerprint

Vector = npt.NDArray[np.float32]
Amount = Annotated[float, Field(ge=0)]


class LabellerInput(NamedTuple):
    """One picture for a model, (rows, cols) or (rows, cols, 3), with its labels so far in their order.

    `raster`: its bands as physical values in `unit`, for a model that `needs_raster` or where gaps need them.
    """

    picture: Picture
    sensor: SensorName
    gsd_m: float | None
    labels: tuple[Label, ...] = ()
    raster: Raster | None = None
    unit: str = ""
    valid_share: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """(rows, cols)"""
        return self.picture.shape[0], self.picture.shape[1]

    @property
    def image(self) -> Image.Image:
        """The picture as RGB, in the form that processors take without guessing the channel axis."""
        return Image.fromarray(self.picture).convert("RGB")


class LabellerOutput(NamedTuple):
    """Output for one picture: labels, an embedding, and usage (tokens_in, tokens_out, …)."""

    labels: tuple[Label, ...] = ()
    vector: Vector | None = None
    usage: dict[str, float] = {}  # noqa: RUF012 - read only


class OpenedModel(NamedTuple):
    """An opened model. `prepare` may run in another thread than `infer`; both may raise on a picture."""

    prepare: Callable[[Sequence[LabellerInput]], Any]
    infer: Callable[[Sequence[LabellerInput], Any], list[LabellerOutput]]


@dataclass(frozen=True, kw_only=True)
class ModelLabeller:
    """The settings that all models have; a family adds its own and `open`.

    `quality` is the share of its labels that are right, as measured (`rsflow evaluate-labels`); at 0, unknown, they feed no
    task. `workers`: actors, or the least and most of them; `gpus` and `cpus` of each, a share of a GPU for a small model.
    A batch has at most `batch_rows` pictures and `batch_pixels` pixels (before the model's own resizing), but at least one.
    Fields that are not compared say how the model is run, and are no part of the fingerprint.
    """

    __pydantic_config__ = STRICT
    name: ClassVar[str]
    version: ClassVar[int] = 1
    sensors: ClassVar[frozenset[SensorName]] = frozenset(SENSOR_NAMES)
    measured: ClassVar[tuple[MeasuredQuality, ...]] = ()

    model: str = field(compare=False)
    revision: str = field(default="", compare=False)
    checkpoint: tuple[str, str] = field(init=False)  # (name, revision or digest of the content): see Checkpoint.identity
    dtype: Dtype = "auto"
    trust_remote_code: bool = False
    quality: Share = 0.0
    device: Device = field(default="auto", compare=False)
    batch_rows: Positive = field(default=16, compare=False)
    batch_pixels: Positive = field(default=64 * 1024**2, compare=False)
    workers: Positive | tuple[Positive, Positive] = field(default=1, compare=False)
    cpus: Amount = field(default=1.0, compare=False)
    gpus: Amount = field(default=0.0, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.workers, tuple) and self.workers[0] > self.workers[1]:
            raise ValueError(f"workers is {list(self.workers)}: the least must not be above the most")
        object.__setattr__(self, "checkpoint", self._files().identity())

    @property
    def prompt(self) -> str:
        """All that the model is asked in words; empty for one that is asked nothing."""
        return ""

    @property
    def needs_raster(self) -> bool:
        """Whether it takes measured bands, which tiles must have kept."""
        return False

    @property
    def needs_raster_of_gaps(self) -> bool:
        """Whether it takes the bands of tiles that have pixels without data, where they were kept."""
        return False

    @property
    def key(self) -> str:
        """Name and short fingerprint: the part of a label's id that names its labeller."""
        return f"{self.name}-{fingerprint(self)[:6]}"

    @property
    def origin(self) -> Provenance:
        """The provenance of all its labels."""
        digest = fingerprint(self.prompt)[:16] if self.prompt else ""
        return Provenance("labeller", self.name, *self.checkpoint, digest, self.quality)

    def missing(self, bands: tuple[str, ...], sensor: SensorName) -> str | None:
        """None: a model needs only the picture."""
        return None

    def check_input(self, item: LabellerInput) -> None:
        """DataError where it can say nothing of such a tile."""

    def load(self, model_class: str, processor_class: str = "AutoProcessor", spare: tuple[str, ...] = ()) -> Loaded:
        return self._files().load(model_class, processor_class, spare)

    def open(self) -> OpenedModel:
        """Load the model. Raises RsflowError where it cannot be loaded or the settings do not fit it."""
        raise NotImplementedError(type(self).__name__)

    def _files(self) -> Checkpoint:
        device = device_for_gpus(self.device, self.gpus)
        return Checkpoint(self.model, self.revision, self.dtype, device, self.trust_remote_code)


def round_score(value: float) -> float:
    """A score as it is kept: 4 decimals. DataError `not_finite` where it is no finite number: that is no certainty."""
    if not math.isfinite(value):
        raise not_finite_error(f"a score of {value}")
    return round(float(value), 4)


def clip_score(value: float) -> float:
    """A score that rounding may have put outside [0, 1], as it is kept."""
    return min(1.0, max(0.0, round_score(value)))


def require_finite(output: Any, *names: str) -> Any:
    """A model's output whose tensors of these names hold numbers; DataError `not_finite` names the one that does not.

    Needed before any threshold: NaN is above none, so that what it would have been is lost without a word. Minus infinity is
    what models give to words that were not asked, and passes.
    """
    for name in names:
        values = getattr(output, name, None)
        if values is not None and bool((values.isnan() | values.isposinf()).any()):
            raise not_finite_error(name)
    return output


def not_finite_error(what: str) -> DataError:
    return DataError("not_finite", f"the model gave {what} that is no finite number: try dtype: float32")
