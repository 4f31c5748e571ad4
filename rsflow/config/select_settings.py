"""Settings of the select phase: splits, duplicates, limits, quotas and the wanted mix, as `select:` of a configuration.

One idea: impossible values are refused here, with the value found; whether a mix can be met is known from the rows only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from rsflow.config.validation import STRICT, Count, Name, Positive, Share

TileScore = Literal["valid_share", "cloud_share", "bright_share", "sharpness", "contrast", "gsd_m"]
InstructionScore = Literal["label_quality", "answer_words", "answer_characters", "checks", "perplexity"]

LICENCE_AND = " AND "  # between licences that all apply to one tile (SPDX)
UNKNOWN = "unknown"  # the licence of a source whose licence nobody could find


@dataclass(frozen=True)
class Repeat:
    """How often a training sample is to be shown per epoch: a category on fewer than `threshold` of them counts for more."""

    __pydantic_config__ = STRICT
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.001
    most: Positive = 10


@dataclass(frozen=True)
class Balance:
    """The wanted mix of instructions, beside `quotas` and with the same keys.

    All numbers are kept together in the final selection, those of `quotas` too; what cannot be met fails the selection.

    `shares`: of one column's keys, together 1, each kept to within one instruction; others of the column are left out.
    `temperature` flattens the counts of `over` to `total` instructions: 1 keeps their proportions, large numbers make them
    equal; it alone yields to other rules. `total`: so many instructions in all; without it `shares` take all that they can.
    `per_category` and `per_region`: the most instructions about any one of them; `least_per_category`: at least so many about
    each category, or all that there are.
    """

    __pydantic_config__ = STRICT
    exactly: dict[str, Count] = field(default_factory=dict)
    least: dict[str, Count] = field(default_factory=dict)  # at least so many stay
    shares: dict[str, Share] = field(default_factory=dict)
    temperature: Annotated[float, Field(gt=0)] | None = None
    over: Literal["task", "sensor", "source", "licence", "region"] = "task"
    total: Positive | None = None
    per_category: Positive | None = None
    per_region: Positive | None = None
    least_per_category: Positive | None = None
    repeat: Repeat | None = None

    def __post_init__(self) -> None:
        if self.shares and abs(sum(self.shares.values()) - 1) > 1e-6:
            raise ValueError(f"shares are {sum(self.shares.values()):g} together: expected 1")
        if self.temperature is not None and (self.shares or self.total is None):
            raise ValueError("temperature goes with total, and not with shares")

    def keys(self) -> list[str]:
        return [*self.exactly, *self.least, *self.shares]


@dataclass(frozen=True)
class HeldOut:
    """A benchmark that is kept out of the dataset, with all duplicates.

    `files`: a folder of pictures or GeoTIFFs, a fingerprint file (`rsflow fingerprint`), or, with `format`, annotation files,
    whose pictures are known by their names alone.
    """

    __pydantic_config__ = STRICT
    name: Name
    files: Annotated[str, Field(min_length=1)]
    format: str | None = None


@dataclass(frozen=True)
class Semantic:
    """Pictures that mean the same: their vectors of this labeller have at least this cosine."""

    __pydantic_config__ = STRICT
    labeller: Annotated[str, Field(min_length=1)]
    cosine: Annotated[float, Field(gt=0, le=1)] = 0.95


@dataclass(frozen=True)
class Select:
    """`quotas` keys: `task`, `sensor`, `task/sensor`, or with parts such as `source:NAME`, `licence:NAME`, `region:NAME`,
    `category:NAME`; the value is the most instructions of it (0: none). `regions` are boxes (west, south, east, north in
    degrees); beyond them, regions are the cells of a grid of `region_deg`, called by their south-western corner: `N40E010`.
    """

    __pydantic_config__ = STRICT
    near_bits: Annotated[int, Field(ge=0, le=16)] = 6  # signatures that differ in at most so many bits are candidates
    confirm_mae: Annotated[float, Field(ge=0)] = 3.0  # mean absolute error on 64 x 64, grey levels, that confirms
    flips: bool = True  # near duplicates also turned and mirrored: seen from above, no side of a picture is up
    semantic: Semantic | None = None
    licence_preference: tuple[str, ...] = ()  # among duplicates, before what leaves most freedom
    keep_choices: bool = False  # the canonical tile of a cluster stays that of the previous selection
    same_text: Annotated[float, Field(gt=0, le=1)] | None = 0.9  # Jaccard of word triples that makes two texts of a picture one
    max_template_share: Annotated[float, Field(gt=0, le=1)] | None = None  # of a task in the end, in one form of words
    max_answer_share: Annotated[float, Field(gt=0, le=1)] | None = 0.6  # of a kind of question, for one answer
    splits: dict[Name, Annotated[float, Field(ge=0)]] = field(default_factory=lambda: {"train": 0.9, "val": 0.05, "test": 0.05})
    splits_by: Literal["name", "category"] = "name"  # how groups are assigned; by category, earlier assignments stay
    quotas: dict[str, Count] = field(default_factory=dict)
    allow_licences: tuple[str, ...] = ()  # empty: all but `unknown`, which must be allowed by name
    buffer_m: Annotated[float, Field(ge=0)] = 0.0  # least distance between tiles of two splits; 0: they may not touch
    source_splits: dict[str, str] = field(default_factory=lambda: {"test": "test", "val": "val"})  # a source's split -> ours
    limits: dict[TileScore, tuple[float | None, float | None]] = field(default_factory=dict)  # least and most that stays
    instruction_limits: dict[InstructionScore, tuple[float | None, float | None]] = field(default_factory=dict)
    regions: dict[Name, tuple[float, float, float, float]] = field(default_factory=dict)
    region_deg: Annotated[float, Field(ge=1, le=90)] = 10.0
    held_out: tuple[HeldOut, ...] = ()  # what must not be trained on
    balance: Balance | None = None

    def __post_init__(self) -> None:
        if not self.splits or sum(self.splits.values()) <= 0:
            raise ValueError("splits needs at least one split with a share above 0")
        if abs(sum(self.splits.values()) - 1) > 1e-6:
            raise ValueError(f"splits are {sum(self.splits.values()):g} together: expected shares that sum to 1")
        if 90 % self.region_deg:
            raise ValueError(f"region_deg is {self.region_deg:g}: it must divide 90")
        for name, (west, south, east, north) in self.regions.items():
            if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south < north <= 90):
                raise ValueError(
                    f"regions.{name} is {west:g}, {south:g}, {east:g}, {north:g}: expected west, south, east, north"
                )

    def allows(self, licence: str) -> bool:
        """Whether data of this licence, or under all of several, may be in the dataset."""
        parts = licence.split(LICENCE_AND)
        if self.allow_licences:
            return licence in self.allow_licences or all(part in self.allow_licences for part in parts)
        return all(part.strip().lower() != UNKNOWN for part in parts)
