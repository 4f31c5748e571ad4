"""The configuration of `rsflow train`: frozen dataclasses of the same shape as the YAML file, checked as a build's is.

One idea: what decides the trained weights and what only decides how they are computed are told apart (`compare=False`), so that
a run can be resumed with other ranks, workers or logging, and is refused with another seed, mixture or learning rate.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from rsflow.config.validation import STRICT, Count, Positive, Share, check, type_adapter
from rsflow.config.yaml_file import read_yaml
from rsflow.errors import ConfigError
from rsflow.files import storage

Above0 = Annotated[float, Field(gt=0)]
Weights = dict[str, Annotated[float, Field(ge=0)]]
Targets = Literal["language", "all"] | Annotated[tuple[str, ...], Field(min_length=1)]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what torch takes
Workers = Annotated[int, Field(ge=0, le=256)]  # processes of one rank


@dataclass(frozen=True)
class Full:
    """Train the weights themselves. `only`: regular expressions; parameters whose name none of them matches stay fixed.
    `freeze`: those that match stay fixed."""

    __pydantic_config__ = STRICT
    kind: Literal["full"] = "full"
    only: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lora:
    """Low-rank updates (https://arxiv.org/abs/2106.09685) by peft. `targets`: linear layers of the language model, of the whole
    model, or those whose name ends like one of these."""

    __pydantic_config__ = STRICT
    kind: Literal["lora"] = "lora"
    rank: Positive = 16
    alpha: Above0 = 32.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    targets: Targets = "language"


@dataclass(frozen=True)
class MoeLora:
    """A router over several low-rank experts in every targeted layer. `experts`: default one for each pair of a sensor and a
    task in the split. `active`: experts that a token uses. `balance`: weight of the loss that keeps the experts' loads even."""

    __pydantic_config__ = STRICT
    kind: Literal["moe_lora"] = "moe_lora"
    rank: Positive = 8
    alpha: Above0 = 16.0
    experts: Positive | None = None
    active: Positive = 2
    balance: Annotated[float, Field(ge=0)] = 0.01
    targets: Targets = "language"

    def __post_init__(self) -> None:
        if self.experts is not None and self.active > self.experts:
            raise ValueError(f"regime.active is {self.active}: expected at most regime.experts ({self.experts})")


@dataclass(frozen=True)
class Bias:
    """EarthGPT's: a scale and a bias on the output of every targeted linear layer, everything else fixed."""

    __pydantic_config__ = STRICT
    kind: Literal["bias"] = "bias"
    targets: Targets = "language"


Regime = Annotated[Full | Lora | MoeLora | Bias, Field(discriminator="kind")]


@dataclass(frozen=True)
class MixSettings:
    """As rsflow.loading.sampling.mixture.Mix: `weights` is {name: weight}, or a schedule [[start, {name: weight}], …]."""

    __pydantic_config__ = STRICT
    by: Literal["task", "sensor", "source"]
    weights: Weights | tuple[tuple[Count, Weights], ...]
    unit: Literal["samples", "epochs"] = "samples"


@dataclass(frozen=True)
class Data:
    """Which samples are trained on, and how a model is shown them. `dialect` auto: that of the model's family.

    `max_tokens`: whole exchanges leave the end of a longer conversation, answers are never cut. `group_by_length`: compute the
    rows of a batch in groups of like length, which takes less time where many are short.
    """

    __pydantic_config__ = STRICT
    split: str = "train"
    dialect: str = "auto"
    tasks: tuple[str, ...] | None = None
    sensors: tuple[str, ...] | None = None
    mix: MixSettings | None = None
    oversample: bool = False
    max_samples: Positive | None = None
    shuffle: Annotated[int, Field(ge=0, le=32)] = 16
    grouping: Literal["joined", "each", "first"] = "joined"
    pictures: Literal["own", "all", "none"] = "own"
    max_tokens: Positive | None = None
    system: str | None = None
    workers: Workers = field(default=1, compare=False)
    cache: str | None = field(default=None, compare=False)
    group_by_length: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Optimiser:
    """AdamW (https://arxiv.org/abs/1711.05101). `batch_size`: samples of a step, over all ranks; `rank_batch`: samples that one
    rank computes at a time. `schedule`: of the learning rate after `warmup_share` of the steps. `loss_reduction`: whether all
    answers' tokens weigh the same (token), all rows do (sample), or a row of n answer tokens weighs as sqrt(n) does (square),
    as in InternVL 2.5 (https://arxiv.org/abs/2412.05271)."""

    __pydantic_config__ = STRICT
    learning_rate: Above0 = 1e-4
    batch_size: Positive = 16
    rank_batch: Positive | None = field(default=None, compare=False)
    warmup_share: Share = 0.03
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip_norm: Above0 | None = 1.0
    loss_reduction: Literal["token", "sample", "square"] = "token"


@dataclass(frozen=True)
class Checkpoints:
    """`every_steps`: how often a state is saved that a run resumes from. `keep`: the newest of them that stay."""

    __pydantic_config__ = STRICT
    every_steps: Positive = 500
    keep: Positive = 2


@dataclass(frozen=True)
class Log:
    """`keys`: also write which samples each step was trained on (samples.jsonl)."""

    __pydantic_config__ = STRICT
    every_steps: Positive = 10
    tensorboard: bool = False
    keys: bool = False


@dataclass(frozen=True)
class Ray:
    """Run as a Ray Train job. `address`: a running cluster's (default: RAY_ADDRESS, else a local one)."""

    __pydantic_config__ = STRICT
    workers: Positive = 1
    gpus_per_worker: Count = 0
    cpus_per_worker: Positive = 1
    address: str | None = None


@dataclass(frozen=True)
class TrainConfig:
    """The whole file. `root`: a lake (its latest snapshot) or a snapshot's manifest. `base_model`: a folder, or a hub id with
    its `revision`. `output`: a local folder, for checkpoints, records and at the end the model."""

    __pydantic_config__ = STRICT
    root: Annotated[str, Field(min_length=1)]
    base_model: Annotated[str, Field(min_length=1)]
    output: Annotated[str, Field(min_length=1)]
    revision: str = ""
    seed: Seed = 0
    epochs: Positive = 1
    max_steps: Positive | None = None
    regime: Regime = field(default_factory=Lora)
    data: Data = field(default_factory=Data)
    optimiser: Optimiser = field(default_factory=Optimiser)
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    gradient_checkpointing: bool = field(default=False, compare=False)
    device: Literal["auto", "cpu", "cuda"] = field(default="auto", compare=False)
    checkpoints: Checkpoints = field(default_factory=Checkpoints, compare=False)
    log: Log = field(default_factory=Log, compare=False)
    ray: Ray | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if storage.is_remote(self.output):
            raise ValueError(f"output is {self.output!r}: expected a local folder, or one that is mounted on all machines")
        micro = self.optimiser.rank_batch
        if micro and self.optimiser.batch_size % micro:
            raise ValueError(
                f"optimiser.rank_batch is {micro}: expected a divisor of optimiser.batch_size ({self.optimiser.batch_size})"
            )


def load(path: str, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a configuration file. ConfigError that names file, key, value and what would be right."""
    return check(TrainConfig, read_yaml(path, overrides), path)


def resolved(config: TrainConfig) -> dict[str, Any]:
    """The configuration as plain JSON values, defaults filled in, without secrets."""
    plain = json.dumps(type_adapter(TrainConfig).dump_python(config, mode="json"))
    return dict(json.loads(storage.mask_secrets(plain)))


def check_resumable(config: TrainConfig, earlier: dict[str, Any], place: str) -> None:
    """ConfigError that names the settings which decide the weights and differ from those of the run that is resumed."""
    differ = [
        f"{key} (was {json.dumps(old)}, now {json.dumps(new)})"
        for key, old, new in _differences(config, earlier, resolved(config), "")
    ]
    if differ:
        raise ConfigError(
            f"{place}: holds a run with another {', '.join(differ)}: give the same to go on, or another output to start anew"
        )


def _differences(value: Any, old: Any, new: Any, path: str) -> list[tuple[str, Any, Any]]:
    """(key, old, new) of the fields that are compared; `old` and `new` are plain, `value` is the dataclass of the new."""
    found: list[tuple[str, Any, Any]] = []
    for each in dataclasses.fields(value):
        if not each.compare or each.name == "output":
            continue
        before, after, inner = old.get(each.name), new[each.name], getattr(value, each.name)
        if dataclasses.is_dataclass(inner) and isinstance(before, dict) and before.get("kind") == after.get("kind"):
            found += _differences(inner, before, after, f"{path}{each.name}.")
        elif before != after:
            found.append((f"{path}{each.name}", before, after))
    return found
