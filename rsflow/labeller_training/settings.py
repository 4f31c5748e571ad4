"""The settings of one training, and what follows from them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from rsflow.errors import UsageError

Task = Literal["detection", "segmentation", "classification"]
LABELLER_OF_TASK: dict[str, str] = {"detection": "detector", "segmentation": "segmenter", "classification": "classifier"}

VERSION = 2  # raised when the same settings and tiles give another model


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """`base`: a checkpoint's folder to fine-tune; empty: a small network from scratch. `categories`: those to learn; none: all
    that the source annotates. `crop_px`: the side of training pictures; `slanting`: they are not seen from straight above, so
    they are mirrored and not turned. `steps` None: 6000 from scratch, 800 from a checkpoint; `learning_rate` None: 3e-3 and
    1e-4. `iou`: from where a box is right. `frames_apart`: training pictures whose frame numbers (the last number of the name)
    are nearer to a held-out picture's are left out. `most_tiles`: of training, chosen by hash. `threads` 0: torch's own
    choice.
    """

    root: str
    source: str
    task: str
    out: str
    base: str = ""
    categories: tuple[str, ...] = ()
    steps: int | None = None
    batch: int = 4
    crop_px: int = 256
    slanting: bool = False
    learning_rate: float | None = None
    seed: int = 0
    iou: float = 0.5
    frames_apart: int = 0
    most_tiles: int = 20000
    threads: int = 0

    def __post_init__(self) -> None:
        if self.task not in LABELLER_OF_TASK:
            raise UsageError(f"--task is {self.task!r}: expected one of {', '.join(LABELLER_OF_TASK)}")
        for name, value in (("--steps", self.total_steps), ("--batch", self.batch), ("--most-tiles", self.most_tiles)):
            if value < 1:
                raise UsageError(f"{name} is {value}: expected a number from 1")
        if self.crop_px < 32:
            raise UsageError(f"--crop is {self.crop_px}: expected at least 32 pixels")
        if not 0 < self.iou <= 1:
            raise UsageError(f"--iou is {self.iou:g}: it must be above 0 and at most 1")
        if self.frames_apart < 0:
            raise UsageError(f"--frames-apart is {self.frames_apart}: expected a number from 0")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise UsageError(f"--learning-rate is {self.learning_rate:g}: expected a number above 0")

    @property
    def labeller(self) -> str:
        """The labeller's name in a configuration."""
        return LABELLER_OF_TASK[self.task]

    def resolved(self) -> dict[str, Any]:
        """All that a training depends on but its tiles and the machine, by name, defaults filled in."""
        settings = asdict(self) | {"steps": self.total_steps, "learning_rate": self.peak_learning_rate}
        return {name: value for name, value in settings.items() if name not in {"root", "out", "threads"}}

    @property
    def total_steps(self) -> int:
        return (800 if self.base else 6000) if self.steps is None else self.steps

    @property
    def peak_learning_rate(self) -> float:
        return self.learning_rate or (1e-4 if self.base else 3e-3)
