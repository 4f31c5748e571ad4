"""Ground of tiles as bounding boxes in degrees, and which boxes are near others.

Boxes instead of outlines: a box contains its outline, so tiles whose boxes are apart are apart on the ground. Scenes rotated
against north give a few false neighbours, never a missed one. Boxes are compared with shapely's STRtree, a block of rows at a
time: memory grows with the smaller side.

For quotas the Earth is divided into regions: boxes named in the configuration, and elsewhere the cells of a grid named by their
south-western corner ("S40E010"). A tile belongs to the region that contains its centre.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from rsflow.spatial.geometry import EARTH_RADIUS_KM

Boxes = npt.NDArray[np.float64]
Bounds = tuple[float, float, float, float]
Flags = npt.NDArray[np.bool_]

UNKNOWN_REGION = "unknown"  # the region of a tile whose ground is not known

_TOUCH_DEG = 1e-9  # a tenth of a millimetre: neighbours' shared edges differ by rounding
_BLOCK = 1 << 17
_DEGREE_M = EARTH_RADIUS_KM * 1000 * math.pi / 180


def bounding_boxes(footprints: pa.ChunkedArray) -> Boxes:
    """(n, 4): west, south, east, north of each ring lon0, lat0, lon1, lat1, …; west in [-180, 180), NaN where null or empty."""
    boxes = np.concatenate([np.empty((0, 4)), *(_ring_boxes(chunk) for chunk in footprints.chunks)])
    turns = np.floor((boxes[:, 0] + 180.0) / 360.0) * 360.0
    boxes[:, 0] -= turns
    boxes[:, 2] -= turns
    return boxes


def is_within_distance(boxes: Boxes, others: Boxes, distance_m: float) -> Flags:
    """True for every box that touches one of `others` or is nearer to it than `distance_m`; False where the ground is unknown.

    Distances are measured along parallels and meridians, on a sphere, and at the latitude where a degree is shortest: a box is
    never taken for farther than it is.
    """
    others = others[~np.isnan(others[:, 0])]
    near = np.zeros(len(boxes), dtype=np.bool_)
    known = np.flatnonzero(~np.isnan(boxes[:, 0]))
    if not len(others) or not len(known):
        return near
    tree = shapely.STRtree(_box_polygons(expand_boxes(others, distance_m)))
    widest = float((others[:, 2] - others[:, 0]).max())
    for start in range(0, len(known), _BLOCK):
        rows = known[start : start + _BLOCK]
        for turn in (0.0, 360.0, -360.0):
            here = rows if turn == 0.0 else rows[_crosses_antimeridian(boxes[rows], turn, widest, distance_m)]
            shifted = boxes[here] + np.array([turn, 0.0, turn, 0.0])
            near[here[np.unique(tree.query(_box_polygons(shifted))[0])]] = True
    return near


def expand_boxes(boxes: Boxes, by_m: float) -> Boxes:
    """The boxes with so many metres more on every side."""
    north = by_m / _DEGREE_M + _TOUCH_DEG
    poleward = np.minimum(np.maximum(np.abs(boxes[:, 1]), np.abs(boxes[:, 3])) + north, 90.0)
    east = np.minimum(by_m / _DEGREE_M / np.cos(np.radians(poleward)), 180.0) + _TOUCH_DEG
    return np.stack([boxes[:, 0] - east, boxes[:, 1] - north, boxes[:, 2] + east, boxes[:, 3] + north], axis=1)


def distances_m(box: Boxes, others: Boxes) -> npt.NDArray[np.float64]:
    """How far each of `others` is from one box (1, 4), on a plane that is right at its latitude; 0 where they touch."""
    east = np.maximum(others[:, 0] - box[:, 2], box[:, 0] - others[:, 2])
    # The shorter way round: two boxes may lie on the two sides of the antimeridian.
    east = np.minimum(east, 360.0 - (np.maximum(others[:, 2], box[:, 2]) - np.minimum(others[:, 0], box[:, 0])))
    north = np.maximum(others[:, 1] - box[:, 3], box[:, 1] - others[:, 3])
    scale = np.cos(np.radians((box[:, 1] + box[:, 3]) / 2))
    gaps: npt.NDArray[np.float64] = np.hypot(np.maximum(east, 0) * scale, np.maximum(north, 0)) * _DEGREE_M
    return gaps


def assign_regions(boxes: Boxes, named: Mapping[str, Bounds], cell_deg: float) -> pa.DictionaryArray:
    """The region of each box: the first of `named` (west, south, east, north) that holds its middle, else its grid cell.

    Bounds are half open; one whose west is east of its east reaches over the antimeridian.
    """
    lon = ((boxes[:, 0] + boxes[:, 2]) / 2 + 180) % 360 - 180
    lat = (boxes[:, 1] + boxes[:, 3]) / 2
    known = ~np.isnan(lat)
    row = np.clip((np.nan_to_num(lat) + 90) // cell_deg, 0, 180 / cell_deg - 1)
    codes = len(named) + row * (360 / cell_deg) + (np.nan_to_num(lon) + 180) // cell_deg
    for number, (west, south, east, north) in reversed([*enumerate(named.values())]):
        across = (lon >= west) & (lon < east) if west <= east else (lon >= west) | (lon < east)
        codes[across & (lat >= south) & (lat < north)] = number
    names = region_names(named, cell_deg)
    codes[~known] = len(names) - 1
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(names, pa.string()))


def region_names(named: Mapping[str, Bounds], cell_deg: float) -> list[str]:
    """All regions that there are: the named ones, the cells row by row from the south, and UNKNOWN."""
    souths, wests = np.arange(-90, 90, cell_deg), np.arange(-180, 180, cell_deg)
    cells = [
        f"{'S' if south < 0 else 'N'}{abs(south):02g}{'W' if west < 0 else 'E'}{abs(west):03g}"
        for south in souths
        for west in wests
    ]
    return [*named, *cells, UNKNOWN_REGION]


def _ring_boxes(ring: pa.Array) -> Boxes:
    sizes = np.asarray(pc.fill_null(pc.list_value_length(ring), 0), dtype=np.int64)
    numbers = np.asarray(ring.flatten(), dtype=np.float64).reshape(-1, 2)
    boxes = np.full((len(sizes), 4), np.nan)
    some = sizes > 0
    if some.any():
        starts = (np.cumsum(sizes)[some] - sizes[some]) // 2
        found = np.hstack([np.minimum.reduceat(numbers, starts), np.maximum.reduceat(numbers, starts)])
        boxes[some] = _with_poles(found, _turns(numbers[:, 0], starts))
    return boxes


def _turns(lon: npt.NDArray[np.float64], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How often each ring goes round the Earth: not at all, or once where it encloses a pole."""
    following = np.arange(1, len(lon) + 1)
    following[np.append(starts[1:], len(lon)) - 1] = starts
    steps = (lon[following] - lon + 180.0) % 360.0 - 180.0
    turns: npt.NDArray[np.int64] = np.rint(np.add.reduceat(steps, starts) / 360.0).astype(np.int64)
    return turns


def _with_poles(boxes: Boxes, turns: npt.NDArray[np.int64]) -> Boxes:
    """The boxes of rings, those round a pole up to it and of all longitudes."""
    polar = turns != 0
    north = polar & (boxes[:, 1] + boxes[:, 3] > 0)
    boxes[polar, 0], boxes[polar, 2] = -180.0, 180.0
    boxes[north, 3] = 90.0
    boxes[polar & ~north, 1] = -90.0
    return boxes


def _crosses_antimeridian(boxes: Boxes, turn: float, widest: float, distance_m: float) -> Flags:
    """Whether a box may meet another one across the antimeridian when it is shifted by a whole turn."""
    reach = widest + (expand_boxes(boxes, distance_m)[:, 2] - boxes[:, 2])
    flags: Flags = boxes[:, 0] - reach < -180.0 if turn > 0 else boxes[:, 2] + reach > 180.0
    return flags


def _box_polygons(boxes: Boxes) -> npt.NDArray[np.object_]:
    shapes: npt.NDArray[np.object_] = shapely.box(boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3])
    return shapes
