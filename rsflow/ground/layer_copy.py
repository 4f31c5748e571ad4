"""A layer's features in a spatial index: what a layer becomes before any window is read from it.

Whatever the format, features that a rule takes are written once to a spatially sorted Parquet file, valid and in one order of
rings, with the number of their form, their name and when they are there. A window is then a read of its box, also of an extract
of gigabytes. The copy is a cache: it is named by the files' sizes and
times (or ETags) and by the settings, and can be made again.

`LayerSummary` is what is known of the whole layer: where it lies, how many features of what, and what was dropped or repaired,
by feature id.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from rsflow.annotations.parsing.coco_conventions import LEAST_POLYGONS, ROUNDING
from rsflow.errors import ConfigError, DataError
from rsflow.ground.categories.classify import NO_FORM, Classifier, FeatureForm
from rsflow.ground.files.layer_files import GEOMETRY, ID, Layer, read_batches
from rsflow.ground.files.spatial_parquet import BOUNDS, read_boxes, write_sorted
from rsflow.ground.geometry.geometries import GeometryFaults
from rsflow.ground.geometry.shapes import Shapes, clean_shapes, hash_coordinates
from rsflow.ground.layer_settings import VectorOptions
from rsflow.ground.scene_grid import parse_crs
from rsflow.ground.validity import read_periods
from rsflow.spatial.geometry import Box, FloatArray
from rsflow.stage import fingerprint

VERSION = 4  # raised when the copy of the same layer changes
_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)
_POLYGONS = (3, 6)  # type ids of shapely
IDS_KEPT = 20  # feature ids that a summary names per reason

_COPY = pa.schema(
    [
        ("form", pa.int32()),
        ("name", pa.string()),
        ("since", pa.int64()),
        ("until", pa.int64()),
        ("geometry", pa.binary()),  # WKB
        *[pa.field(name, pa.float64()) for name in BOUNDS],
    ]
)


@dataclass(frozen=True)
class LayerSummary:
    """`crs` as WKT. `bounds` in its units. `features` that a rule takes, `forms` of them by number, `counts` by category.

    `are_boxes`: whether all polygons of objects are upright rectangles, which are boxes around things and not their outlines.
    `unmapped`: (attribute, value, number of features) that no rule takes, most frequent first. `faults`: by reason, the number
    of features and the ids of the first of them.
    """

    crs: str
    bounds: Box | None
    features: int
    read: int
    forms: tuple[FeatureForm, ...]
    counts: dict[str, int] = field(default_factory=dict)
    unmapped: tuple[tuple[str, str, int], ...] = ()
    faults: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    misplaced: tuple[str, ...] = ()  # categories of features that could not be placed, so that they may be anywhere
    are_boxes: bool = False
    sha256: str = ""  # of the copy's file

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(sorted({form.category for form in self.forms}))


def write_copy(
    layers: Sequence[Layer], crs: str, options: VectorOptions, renamed: dict[str, str], where: str, path: str
) -> LayerSummary:
    """Write the copy of these layers, which all have `crs`, to `path`. ConfigError, naming `where`, for what cannot be read."""
    copying = _Copying(
        Classifier(options.every_rule, options.uncertainty_m, where, dict(renamed)), options, parse_crs(crs).is_geographic
    )
    write_sorted(copying.copied(layers), _COPY, path)
    return copying.summary(parse_crs(crs).to_wkt())


def check_attributes(layers: Sequence[Layer], options: VectorOptions, where: str) -> None:
    """ConfigError where an attribute that the settings name is in none of the layers. Rules may ask for what a layer lacks."""
    time, found = options.validity, dict.fromkeys(name for layer in layers for name in layer.attributes)
    named = {
        "id_attribute": options.id_attribute,
        "name_attribute": options.name_attribute,
        "validity.since_attribute": time.since_attribute,
        "validity.until_attribute": time.until_attribute,
    }
    for setting, name in named.items():
        if name and name not in found and not any(layer.is_osm for layer in layers):
            raise ConfigError(f"{where}.options.{setting}: no layer has the attribute {name!r}; attributes: {', '.join(found)}")


@dataclass
class _Copying:
    classifier: Classifier
    options: VectorOptions
    in_degrees: bool
    faults: GeometryFaults = field(default_factory=GeometryFaults)
    counts: Counter[int] = field(default_factory=Counter)
    bounds: Box | None = None
    read: int = 0
    misplaced: set[int] = field(default_factory=set)
    polygons: int = 0
    boxes: int = 0
    hashes: list[npt.NDArray[np.uint64]] = field(default_factory=list)

    @property
    def _attributes(self) -> list[str]:
        options, time = self.options, self.options.validity
        more = (options.id_attribute, options.name_attribute, time.since_attribute, time.until_attribute)
        return list(dict.fromkeys([*self.classifier.attributes, *(name for name in more if name)]))

    def copied(self, layers: Sequence[Layer]) -> Iterator[pa.Table]:
        for layer in layers:
            for batch in read_batches(layer, self._attributes):
                if (table := self._batch(batch)).num_rows:
                    yield table

    def _batch(self, batch: pa.Table) -> pa.Table:
        self.read += batch.num_rows
        ids = _column(batch, self.options.id_attribute or ID)
        read = Shapes.from_wkb(batch[GEOMETRY].combine_chunks())
        forms = self.classifier.classify(batch, read.types)
        taken = np.flatnonzero(forms != NO_FORM)
        missing = batch[GEOMETRY].is_null().to_numpy()
        shapes = clean_shapes(read.take(taken), missing[taken], ids.take(pa.array(taken)), self.in_degrees, self.faults)
        kept = ~shapes.is_missing
        self.misplaced.update(np.unique(forms[taken][~kept]).tolist())
        shapes, rows = shapes.take(np.flatnonzero(kept)), taken[kept]
        since, until = read_periods(batch, self.options.validity, ids, self.faults)
        self._count(shapes.bounds, forms[rows])
        self._count_boxes(shapes, forms[rows])
        periods = since.take(pa.array(rows)), until.take(pa.array(rows))
        seeds = forms[rows].astype(np.uint64) * _ODD[0] + periods[0].to_numpy().view(np.uint64) * _ODD[1]
        self.hashes.append(hash_coordinates(shapes, seeds))
        names = _column(batch, self.options.name_attribute).take(pa.array(rows)).to_pylist()
        return pa.table(
            [
                pa.array(forms[rows], pa.int32()),
                pa.array([None if name is None else str(name) for name in names], pa.string()),
                *periods,
                shapes.to_wkb(),
                *shapes.bounds.T,
            ],
            schema=_COPY,
        )

    def _count(self, bounds: FloatArray, forms: npt.NDArray[np.int32]) -> None:
        numbers, counts = np.unique(forms, return_counts=True)
        self.counts.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
        if len(bounds):
            (x0, y0), (x1, y1) = bounds[:, :2].min(axis=0).tolist(), bounds[:, 2:].max(axis=0).tolist()
            known = self.bounds or (x0, y0, x1, y1)
            self.bounds = (min(x0, known[0]), min(y0, known[1]), max(x1, known[2]), max(y1, known[3]))

    def _count_boxes(self, shapes: Shapes, forms: npt.NDArray[np.int32]) -> None:
        objects = [number for number, form in enumerate(self.classifier.forms) if form.kind == "object"]
        chosen = np.isin(forms, objects) & np.isin(shapes.types, _POLYGONS)
        x0, y0, x1, y1 = shapes.bounds[chosen].T
        hulls = (x1 - x0) * (y1 - y0)
        self.polygons += int(chosen.sum())
        self.boxes += int((np.abs(shapes.areas[chosen] - hulls) <= ROUNDING * hulls).sum())

    def summary(self, crs: str) -> LayerSummary:
        every = np.concatenate([*self.hashes, np.array([], np.uint64)])
        every.sort()
        repeated = int((every[1:] == every[:-1]).sum())
        faults = {reason: (len(ids), tuple(ids[:IDS_KEPT])) for reason, ids in sorted(self.faults.ids.items())}
        forms = tuple(self.classifier.forms)
        by_category: Counter[str] = Counter()
        for number, count in self.counts.items():
            by_category[forms[number].category] += count
        return LayerSummary(
            crs,
            self.bounds,
            sum(self.counts.values()),
            self.read,
            forms,
            dict(sorted(by_category.items())),
            tuple(
                (*pair, count) for pair, count in sorted(self.classifier.unmapped.items(), key=lambda item: (-item[1], item[0]))
            ),
            {**faults, **({"repeated_feature": (repeated, ())} if repeated else {})},
            tuple(sorted({forms[number].category for number in self.misplaced})),
            self.polygons == self.boxes >= LEAST_POLYGONS,
        )


def _column(batch: pa.Table, name: str | None) -> pa.Array:
    """An attribute's values, all null where the batch has no such attribute."""
    return batch[name].combine_chunks() if name in batch.column_names else pa.nulls(batch.num_rows, pa.string())


@dataclass(frozen=True)
class Features:
    """Features of a copy, each once, in an order that depends on nothing but them: by form, then by bounds, then by shape.

    `forms` are numbers of `kinds`. `since`, `until`: microseconds since 1970 (rsflow.ground.validity).
    """

    kinds: tuple[FeatureForm, ...]
    shapes: Shapes
    forms: npt.NDArray[np.int32]
    names: npt.NDArray[Any]
    since: npt.NDArray[np.int64]
    until: npt.NDArray[np.int64]
    wkb: pa.BinaryArray

    def __len__(self) -> int:
        return len(self.shapes)

    def digest(self) -> str:
        """32 hexadecimal digits that change with anything of any feature."""
        found = hashlib.blake2b(digest_size=16)
        used = np.unique(self.forms).tolist()
        for column in (np.array([fingerprint(self.kinds[number]) for number in used]), np.searchsorted(used, self.forms)):
            found.update("".join(column).encode() if column.dtype.kind == "U" else column.astype("<i4").tobytes())
        found.update(self.since.tobytes() + self.until.tobytes() + orjson.dumps(self.names.tolist()))
        found.update(b"".join(self.wkb.to_pylist()))
        return found.hexdigest()


def read_features(path: str, forms: Sequence[FeatureForm], boxes: Sequence[Box] = ()) -> Features:
    """Those whose bounds meet one of the boxes (in the layer's coordinates), each once; all without boxes.

    `forms`: those of the copy's summary. DataError where the copy cannot be read.
    """
    try:
        table = read_boxes(path, boxes)
    except (OSError, pa.ArrowException) as error:
        detail = f"{path}: the copy of a layer is missing or damaged: delete it and run the build again: {error}"
        raise DataError("layer_unreadable", detail) from error
    return _ordered(table, forms)


def _ordered(table: pa.Table, forms: Sequence[FeatureForm]) -> Features:
    kinds = sorted(set(forms), key=repr)
    ranks = np.array([kinds.index(form) for form in forms] or [0], np.int32)
    numbers = ranks[table["form"].to_numpy()].astype(np.int32)
    wkb = table["geometry"].combine_chunks()
    since, until = (table[name].to_numpy().astype(np.int64) for name in ("since", "until"))
    order = _order(numbers, [table[name].to_numpy() for name in BOUNDS], since, until, wkb)
    wkb = wkb.take(pa.array(order))
    names = table["name"].to_numpy()
    return Features(tuple(kinds), Shapes.from_wkb(wkb), numbers[order], names[order], since[order], until[order], wkb)


def _order(
    forms: npt.NDArray[np.int32],
    bounds: list[FloatArray],
    since: npt.NDArray[np.int64],
    until: npt.NDArray[np.int64],
    wkb: pa.BinaryArray,
) -> npt.NDArray[np.intp]:
    """Rows by form, then bounds; the few that are alike in these by a hash of their shape, and equal ones once."""
    columns: list[npt.NDArray[Any]] = [*bounds[::-1], forms]
    order = np.lexsort(columns)
    alike = np.logical_and.reduce([column[order][1:] == column[order][:-1] for column in columns])
    if not alike.any():
        return order
    doubtful = order[np.concatenate([alike, [False]]) | np.concatenate([[False], alike])].tolist()
    hashes = np.zeros(len(wkb), np.uint32)
    hashes[doubtful] = [zlib.crc32(wkb[row].as_py()) for row in doubtful]
    order = np.lexsort([hashes, *columns])
    equal = [column[order][1:] == column[order][:-1] for column in (*columns, hashes, since, until)]
    pairs = np.flatnonzero(np.logical_and.reduce(equal))
    repeated = [pair + 1 for pair in pairs.tolist() if wkb[order[pair]] == wkb[order[pair + 1]]]
    return np.delete(order, repeated)
