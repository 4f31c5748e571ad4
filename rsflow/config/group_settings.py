"""Which tiles of one cell of the ground grid form a group, what their measured misregistration decides, and what is compared
between two dates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from rsflow.config.validation import STRICT, Positive, Share

GroupKind = Literal["dates", "pairs", "places", "sensors", "shuffled"]
IndexName = Literal["ndvi", "ndwi", "mndwi", "nbr", "ndbi"]
GroupPolicy = Literal["valid", "nearest", "cloud_free", "seasons"]
TransferKind = Literal["box", "category", "cover", "presence"]
SEARCH_PX = 12  # how far a shift between two tiles is looked for before labels pass from one to the other


@dataclass(frozen=True)
class Changes:
    """`covers`: class rasters of two dates are compared. `indices`: spectral indices that are, of scenes in reflectance whose
    raw bands are kept; one changed where it differs by `index_difference` and by `significance` times the spread that the
    pair's own differences.

    `min_area_px`: a smaller area is no change. `clouds`: pictures without a band that shows cloud are left out, or taken
    to be clear but for what is white.
    """

    __pydantic_config__ = STRICT
    covers: bool = True
    indices: tuple[IndexName, ...] = ()
    index_difference: Annotated[float, Field(gt=0, lt=2)] = 0.2
    significance: Annotated[float, Field(gt=0)] = 3.0
    min_area_px: Positive = 16
    clouds: Literal["known", "assume_clear"] = "known"


@dataclass(frozen=True)
class Groups:
    """`kinds`: the dates of one sensor; of three dates or more also pairs of them, each with the next and the first with the
    last; one tile of each sensor; `places`, for each pair of sensors, a tile of one beside a tile of the other that shows other
    ground; `shuffled`, the dates of one sensor in an order by hash, to ask for the order of time. `window_days`: the longest
    time between pictures of different sensors; none: any, and tiles without a time count too.

    `policy`: which tile of a day (of a season: `seasons`) stands for it, and which of another sensor goes with a tile: the one
    with the best valid share, the nearest in time, or the one with least cloud, where at most `max_cloud_share` of it is known
    to be cloud. `max_shift_px`: of the coarser of two pictures; beyond it a group is rejected, kept as it is (its members hold
    the shift), or kept for questions of presence only. `search_px`: how far a shift is looked for. `min_confidence`: a shift
    that is less certain counts as not known; `on_unknown`: what becomes of a group of which a shift is not known. `changes`:
    what is compared between two dates.
    """

    __pydantic_config__ = STRICT
    kinds: Annotated[tuple[GroupKind, ...], Field(min_length=1)] = ("dates", "pairs", "places", "sensors", "shuffled")
    window_days: Annotated[float, Field(ge=0)] | None = 30.0
    policy: GroupPolicy = "valid"
    max_cloud_share: Share = 0.1  # of policy cloud_free
    max_dates: Annotated[int, Field(ge=2, le=8)] = 8
    max_shift_px: Annotated[float, Field(gt=0)] = 2.0
    on_shift: Literal["reject", "keep", "presence"] = "presence"
    on_unknown: Literal["reject", "keep", "presence"] = "presence"
    search_px: Annotated[int, Field(ge=2, le=64)] = 12
    min_confidence: Share = 0.3
    changes: Changes = field(default_factory=Changes)

    def __post_init__(self) -> None:
        if self.max_shift_px >= self.search_px:
            raise ValueError(f"max_shift_px is {self.max_shift_px:g}: it must be smaller than search_px ({self.search_px})")


@dataclass(frozen=True)
class Transfer:
    """Which labels of a tile are passed to the tiles of other scenes on its cell. `max_days`: the longest time between the two
    scenes; none: any, and scenes without a time count too. `max_shift_px`: the largest measured shift, in pixels of the
    coarser tile; `min_confidence`: a shift that is less certain counts as not known. `on_unknown`: whether labels are passed
    where the shift is not known, at their place on the ground.

    `kinds` and `categories` of labels that are passed; no categories: all. `pseudo_labels`: those of labellers too, where no
    annotation is passed. `moving`: categories of things that move or pass, beside those that rsflow knows: they are passed only
    between scenes of the same moment. `min_size_px`: the shorter side from which an object is visible in the tile that gets
    it. `max_cloud_share`: of both tiles.
    """

    __pydantic_config__ = STRICT
    max_days: Annotated[float, Field(ge=0)] | None = 30.0
    max_shift_px: Annotated[float, Field(gt=0, lt=SEARCH_PX)] = 2.0
    min_confidence: Share = 0.3
    on_unknown: Literal["reject", "keep"] = "reject"
    kinds: Annotated[tuple[TransferKind, ...], Field(min_length=1)] = ("box", "category", "cover", "presence")
    categories: tuple[str, ...] = ()
    pseudo_labels: bool = True
    moving: tuple[str, ...] = ()
    min_size_px: Annotated[float, Field(gt=0)] = 4.0
    max_cloud_share: Share = 0.1
