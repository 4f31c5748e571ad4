"""The small values that pure code works with: rules, readers and labellers.

One idea: frozen dataclasses with plain fields. What is stored and what travels between stages are Arrow columns instead, see
rsflow.schemas, which also converts between the two.

Conventions: boxes are (x0, y0, x1, y1) float pixels of the tile, half-open, origin top left. A polygon is one flat ring
x0, y0, x1, y1, … without a repeated first point; parts are those of rsflow.spatial.polygons. Shares are in [0, 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from rsflow.sensors import SensorName
from rsflow.spatial.geometry import Box, Parts, Region, Ring, min_area_rectangle, ring_area
from rsflow.text.turns import Turn
from rsflow.text.undecodable import escape_undecodable

TaskName = str  # a key of rsflow.instructions.TASKS, or one of GENERATED

BORDER = "border of "  # begins the name of a fact: how many metres (`value`) a land cover has in common with another (`text`)
BEARING = "bearing of "  # begins the name of a fact: in which direction of the picture, degrees, a cover lies from another
LENGTH = "length of "  # begins the name of a fact: how many metres all lines of a category have in the tile
UNKNOWN = "unknown"  # flag of a shape that marks an area where nobody knows what is there; also the land cover of that name

RegionForm = Literal["box", "oriented", "polygon", "point", "scribble", "marks"]  # how a question shows an object
PairKind = Literal["change", "change_caption", "compared", "damage"]  # of labels that compare two dates
LabelKind = Literal["box", "category", "caption", "count", "cover", "fact", "phrase", "presence", "question", PairKind]
PAIR_KINDS: frozenset[str] = frozenset(get_args(PairKind))

BEFORE, AFTER = "before", "after"  # roles of the two pictures of a pair
# Facts of a group of sensors: spots that a sensor measures, and the share of its picture that returns little under cloud.
WARM_SPOT, STRONG_ECHO, LOW_ECHO = "warm spot", "strong echo", "low echo under cloud"
UNDER_CLOUD = "under cloud"  # flag of such a spot
SHUFFLED = "shuffled"  # kind of a group of dates that are not in the order of time
OVERVIEW, MIDDLE, DETAIL = "overview", "middle", "detail"  # scales of a large scene, and roles of their pictures
NEW, GONE = "new", "gone"  # flags of a changed area: the thing is not there before, or not after
SAME_PLACE = "same place"  # fact of a group: 1 where its pictures show one place, 0 where they show two
ROSE, FELL = "rose", "fell"  # flags of a changed area: how a measured index differs


@dataclass(frozen=True, slots=True)
class Raster:
    """Pixels as stored: `pixels` (bands, rows, cols) in the file's own type, or as physical values (rsflow.calibration).

    `valid` (rows, cols): True where any band has a value. What a band alone lacks holds its fill value, or is not finite.
    """

    pixels: npt.NDArray[Any]
    valid: npt.NDArray[np.bool_]
    bands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a label comes from.

    `quality` is the measured or stated share of such labels that are right (precision at IoU 0.3 for boxes), None for an
    annotation. `origin` "annotation" always wins over "labeller". `transferred_from`: the tile of the same cell of the ground
    grid that the label was made for, where it is not the tile that has it.
    """

    origin: Literal["annotation", "labeller"]
    name: str
    model: str = ""
    revision: str = ""
    prompt_digest: str = ""
    quality: float | None = None
    transferred_from: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a label is: its box, its outline (may be empty), and how much of the whole object the tile shows.

    `polygon`: the outline, where one ring is all of it. `parts`: the outline, where it has several parts or holes; `polygon` is
    then the outer ring of its largest part, for what can hold one ring only. `area_parts` is the outline in either case.
    `oriented`: the polygon is the object's rotated rectangle, four corners in order around it. `flags`: what the annotation
    says of the object beside its class, for example "difficult", "occluded" or "crowd".
    """

    box: Box
    polygon: Ring = ()
    visibility: float = 1.0
    oriented: bool = False
    flags: tuple[str, ...] = ()
    parts: Parts = ()

    @classmethod
    def of_parts(
        cls, box: Box, parts: Parts, visibility: float = 1.0, oriented: bool = False, flags: tuple[str, ...] = ()
    ) -> Shape:
        """The shape of this outline, all of it; one without parts is a box alone."""
        if len(parts) == 1 and len(parts[0]) == 1:
            return cls(box, parts[0][0], visibility, oriented, flags)
        largest = max((part[0] for part in parts), key=ring_area, default=())
        return cls(box, largest, visibility, False, flags, parts)

    @property
    def area_parts(self) -> Parts:
        """The whole outline, empty where only the box is known."""
        return self.parts or (((self.polygon,),) if self.polygon else ())

    @property
    def truncated(self) -> bool:
        return self.visibility < 1.0


@dataclass(frozen=True, slots=True)
class Label:
    """What an annotation or a model claims of a tile.

    kind "box": an object (`category`, `shape`). "category": the whole picture's class. "caption": a sentence (`text`).
    "phrase": an expression (`text`) that refers to one object (`category`, `shape`). "question": asked in `text`, answered in
    `category`. "cover": `category` covers the share `value` of the valid pixels (`shape` may hold its largest region).
    "presence": objects of `category` are somewhere in the tile. "count": `value` objects of `category` are in the whole scene,
    also those that this picture of it is too coarse to show. "fact": a measured attribute, named in `category`, with `value`
    and/or `text`. `score` is the labeller's own confidence, in [0, 1].

    Labels of the later picture of a pair, or of a group of two dates. "change": an area (`shape`) that changed: `category` is
    what changed, or what is there after, where `text` says what was there before; flagged NEW or GONE where that is known, ROSE
    or FELL where `category` is a measured index that differs by at least `value`, UNKNOWN where nobody can say whether it
    changed. "damage": an object of `category` in the state `text`. "compared": changes (`text` "change") or damage ("damage")
    of `category` were looked for everywhere; `value` is by how much a measured index must differ, and without a category 0 says
    that nothing at all changed, 1 that something did.
    "change_caption": a sentence (`text`) about the whole pair.
    """

    kind: LabelKind
    category: str
    provenance: Provenance
    shape: Shape | None = None
    text: str = ""
    value: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class TileFacts:
    """All that an instruction may rest on: columns of one tile, no pixels.

    `vocabulary`: categories whose every instance is annotated in this tile, so that an absent one is truly absent. It is
    empty where the labels are not exhaustive. `pixel_m`: metres on the ground (width, height) of a pixel, whose geometric mean
    is `gsd_m`; None takes pixels for square. `unknown`: categories of what the tile shows without a label for it (cut off,
    dropped by the settings, an ignored region), so that nothing can be said of all objects. `footprint`: the outline on the
    ground, a ring of longitudes and latitudes, clockwise from the upper left corner, each side in as many pieces.
    """

    tile_id: str
    sensor: SensorName
    height_px: int
    width_px: int
    gsd_m: float | None
    labels: tuple[Label, ...]
    vocabulary: tuple[str, ...] = ()
    pixel_m: tuple[float, float] | None = None
    unknown: tuple[str, ...] = ()
    footprint: tuple[float, ...] | None = None

    def metres(self, dx: float, dy: float) -> float:
        """Length on the ground of a step of so many pixels to the right and down. ValueError where no pixel size is known."""
        if self.gsd_m is None:
            raise ValueError(f"{self.tile_id}: the size of a pixel is not known")
        width_m, height_m = self.pixel_m or (self.gsd_m, self.gsd_m)
        return math.hypot(dx * width_m, dy * height_m)

    def sides_m(self, region: Region) -> tuple[float, float]:
        """(longer, shorter) side on the ground of the region's smallest rectangle, each measured along its own direction."""
        found = min_area_rectangle(region)
        cos, sin = math.cos(found.angle), math.sin(found.angle)
        width_m = self.metres(found.width_px * cos, found.width_px * sin)
        height_m = self.metres(found.height_px * sin, found.height_px * cos)
        return max(width_m, height_m), min(width_m, height_m)


@dataclass(frozen=True, slots=True)
class Instruction:
    """A conversation made from labels, for one task.

    `turns` alternate user, assistant; marks in their text index `boxes` (see rsflow.text.turns), which are boxes of four
    numbers or oriented ones of eight. `labels` are positions in the tile's labels. `answer` is the last answer in structured
    form (JSON types only). `generator` names the rule or model and its version. `box_pictures`: of each box the picture that it
    is on, from 0; empty where all are on the first.
    """

    task: TaskName
    turns: tuple[Turn, ...]
    boxes: tuple[Region, ...]
    labels: tuple[int, ...]
    answer: dict[str, Any]
    generator: str
    checks: tuple[str, ...] = ()
    box_pictures: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """One thing that left, and why. `subject` is the id of the scene, tile, group or instruction, `file` where to look."""

    kind: Literal["scene", "tile", "group", "annotation", "label", "instruction"]
    subject: str
    reason: str
    detail: str
    file: str = ""

    def __post_init__(self) -> None:
        for name in ("subject", "detail", "file"):
            if not (text := getattr(self, name)).isascii():
                object.__setattr__(self, name, escape_undecodable(text))


@dataclass(frozen=True, slots=True)
class SceneFiles:
    """A scene as a source lists it, before anything is opened.

    `files` maps a band name to a path for one-file-per-band scenes; a single file has the one key "". `options` are the
    source's scene settings (band map, nodata, unit …), plain JSON values. `sidecars` are further files that decide what is read
    (sources of a VRT, masks, overviews, .aux.xml): the scene is another one when they change. `stac_item`: what its STAC item
    says of it (schemas.STAC_ITEM_STRUCT), which decides nothing.
    """

    scene_id: str
    source: str
    sensor: SensorName
    reader: str
    files: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    sidecars: Sequence[str] = ()
    stac_item: dict[str, Any] | None = None

    @property
    def every_file(self) -> list[str]:
        return [*self.files.values(), *self.sidecars]
