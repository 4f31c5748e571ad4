"""The rows of rsflow: one Arrow schema per table of the lake, and per step of a row's way there.

One idea: rows are Arrow columns with fixed schemas, never pickled objects; this page is the data dictionary. The functions at
the end convert between columns and the values of rsflow.records, and nothing else does.

Conventions beside those of rsflow.records: footprints are one flat ring lon0, lat0, lon1, lat1, … in degrees (WGS 84); a ring
that crosses the antimeridian has longitudes beyond 180 rather than a jump. Times are UTC.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rsflow.geometry import Window
from rsflow.records import Label, Provenance, Shape

_STRINGS = pa.list_(pa.string())
_FLOATS = pa.list_(pa.float64())
_TIME = pa.timestamp("us", tz="UTC")

# Every row of the label-phase tables carries the unit that made it and the receipt (one attempt) that delivered it.
_DELIVERY = [pa.field("unit", pa.string()), pa.field("receipt", pa.string())]

LABEL_STRUCT = pa.struct(
    [
        ("kind", pa.string()),
        ("category", pa.string()),
        ("box", _FLOATS),
        ("polygon", _FLOATS),
        ("visibility", pa.float64()),
        ("oriented", pa.bool_()),
        ("flags", _STRINGS),
        ("text", pa.string()),
        ("value", pa.float64()),
        ("score", pa.float64()),
        ("origin", pa.string()),
        ("origin_name", pa.string()),
        ("model", pa.string()),
        ("revision", pa.string()),
        ("prompt_digest", pa.string()),
        ("quality", pa.float64()),
    ]
)

TURN_STRUCT = pa.struct([("role", pa.string()), ("text", pa.string())])

SCENES = pa.schema(
    [
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("sensor", pa.string()),
        ("licence", pa.string()),
        ("files", _STRINGS),
        ("stats_key", pa.string()),  # sizes and times (or ETags) of the files: a cheap sign that the content may have changed
        ("fingerprint", pa.string()),  # of the files' content
        ("reader", pa.string()),
        ("bands", _STRINGS),
        ("dtype", pa.string()),
        ("height_px", pa.int64()),
        ("width_px", pa.int64()),
        ("georeference", pa.string()),  # "crs" | "gcps" | "rpcs" | "none": only "crs" scenes have a transform
        ("crs", pa.string()),
        ("transform", _FLOATS),  # a, b, c, d, e, f of the affine map from (col, row) to (x, y)
        ("footprint", _FLOATS),
        ("gsd_m", pa.float64()),
        ("acquired_at", _TIME),
        ("is_picture", pa.bool_()),
        ("probe_reason", pa.string()),  # null, or why the scene could not be opened
        ("probe_detail", pa.string()),
        ("probed_with", pa.string()),  # fingerprint of the settings that the probe depends on
    ]
)

# Of a tile whose bands were kept as they were read.
RAW_STRUCT = pa.struct(
    [
        ("bytes", pa.int64()),  # of the member with the bands
        ("sha256", pa.string()),  # of the same
        ("dtype", pa.string()),
        ("unit", pa.string()),
        ("nodata", _FLOATS),  # per band, null where no value stands for none
    ]
)

TILES = pa.schema(
    [
        ("tile_id", pa.string()),
        ("key", pa.string()),  # the sample key: 20 hexadecimal digits of the tile_id's hash
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("sensor", pa.string()),
        ("licence", pa.string()),
        ("chunk", pa.int64()),  # which group of neighbouring tiles of its scene it belongs to: what shards are dealt in
        ("row_off", pa.int64()),
        ("col_off", pa.int64()),
        ("height_px", pa.int64()),
        ("width_px", pa.int64()),
        ("bands", _STRINGS),
        ("crs", pa.string()),
        ("footprint", _FLOATS),
        ("cell", pa.string()),
        ("gsd_m", pa.float64()),
        ("acquired_at", _TIME),
        ("valid_share", pa.float64()),
        ("cloud_share", pa.float64()),
        ("sharpness", pa.float64()),
        ("contrast", pa.float64()),
        ("vocabulary", _STRINGS),
        ("source_split", pa.string()),  # the split that its source itself puts it in, where it says so
        ("picture_format", pa.string()),  # "jpg" | "png"
        ("picture_bytes", pa.int64()),
        ("picture_sha256", pa.string()),  # of the encoded picture
        ("pixels_sha256", pa.string()),  # of the decoded picture and its shape
        ("signature", pa.int64()),  # bits of the 64-bit difference hash (Delta has no unsigned type), see curation.signature
        ("signatures", pa.list_(pa.int64())),  # the same of all eight orientations, of which it is the first
        ("anchors", pa.list_(pa.int64())),  # signatures of windows, see curation.signature; null in tiles of before
        ("raw", RAW_STRUCT),  # null where only the picture was kept
        ("digest", pa.string()),  # of all that the tile gives to its sample: see stages.sample_record
        ("file", pa.string()),  # tile file, relative to the lake's root
        ("row_group", pa.int64()),
        ("row", pa.int64()),  # within the row group
        *_DELIVERY,
    ]
)

WINDOW_STRUCT = pa.struct([(name, pa.int64()) for name in ("index", "row_off", "col_off", "height_px", "width_px")])

# What the first stage gets: a row per unit of the label step.
LABEL_WORK = pa.schema(
    [
        ("unit", pa.string()),
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("sensor", pa.string()),
        ("licence", pa.string()),
        ("scene", pa.string()),  # JSON of SceneFiles
        ("stats_key", pa.string()),  # as planned: another one at reading time means that the scene changed meanwhile
        ("windows", pa.list_(WINDOW_STRUCT)),
        ("labels", pa.list_(LABEL_STRUCT)),  # annotations that touch these windows, boxes in scene pixels
        ("vocabulary", _STRINGS),
        ("source_split", pa.string()),
    ]
)

# What a tile carries between stages: its columns above, and these.
IN_FLIGHT = pa.schema(
    [
        *[f for f in TILES if f.name not in {"digest", "file", "row_group", "row", "receipt"}],
        ("scene_height_px", pa.int64()),
        ("scene_width_px", pa.int64()),
        ("pixels", pa.large_binary()),  # C order (bands, rows, cols), see pack_arrays
        ("pixels_dtype", pa.string()),
        ("pixels_shape", pa.list_(pa.int64())),
        ("pixel_unit", pa.string()),
        ("nodata", _FLOATS),
        ("valid", pa.large_binary()),  # bool, one byte a pixel, (rows, cols)
        ("stretch", pa.string()),  # JSON of tiles.render.Stretch: the scene's, the same for all its tiles
        ("picture", pa.large_binary()),  # (rows, cols) or (rows, cols, 3) uint8; after EncodeTiles its encoded bytes
        ("picture_shape", pa.list_(pa.int64())),
        ("raw_bands", pa.large_binary()),  # KeepBands: the member of shards.format
        ("raw_invalid", pa.list_(pa.int64())),  # runs of pixels that are not valid: start, stop, start, stop, …, by rows
        ("labels", pa.list_(LABEL_STRUCT)),  # until AnnotateTiles in scene pixels, then in tile pixels
        ("reject_reason", pa.string()),
        ("reject_detail", pa.string()),
    ]
)

LABELS = pa.schema(
    [
        ("label_id", pa.string()),  # tile_id # position; of a model's labels tile_id # labeller key . position
        ("tile_id", pa.string()),
        *[LABEL_STRUCT.field(i) for i in range(LABEL_STRUCT.num_fields)],
        *_DELIVERY,
    ]
)

INSTRUCTIONS = pa.schema(
    [
        ("instruction_id", pa.string()),  # tile_id # task # hash of turns and boxes
        ("tile_id", pa.string()),
        ("task", pa.string()),
        ("turns", pa.list_(TURN_STRUCT)),
        ("boxes", pa.list_(_FLOATS)),
        ("label_ids", _STRINGS),
        ("answer", pa.string()),  # JSON
        ("generator", pa.string()),
        ("checks", _STRINGS),
        ("perplexity", pa.float64()),  # of what the assistant says, where a model gave one
        ("digest", pa.string()),  # of all that the instruction gives to its sample
        *_DELIVERY,
    ]
)

REJECTS = pa.schema(
    [
        ("kind", pa.string()),
        ("subject", pa.string()),
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("step", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("file", pa.string()),
        ("rows", pa.int64()),  # how many rows of its step left with it: 1, or all windows of a scene's unit
        *_DELIVERY,
    ]
)

# What InstructTiles gets: a row per unit, the finished label unit's tiles and labels nested.
_FACTS = [f for f in TILES if f.name in {"tile_id", "sensor", "height_px", "width_px", "gsd_m", "vocabulary"}]

INSTRUCT_WORK = pa.schema(
    [
        ("unit", pa.string()),
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("tiles", pa.list_(pa.struct(_FACTS))),
        ("labels", pa.list_(pa.struct([f for f in LABELS if f.name not in {"unit", "receipt"}]))),
    ]
)

# What the steps that look at written pictures get (see, generate): a row per unit, the finished label unit's tiles with where
# their pictures lie, and what is known of them so far.
_PLACES = {"row_off", "col_off", "source", "cell", "footprint", "acquired_at", "picture_format", "file", "row_group", "row"}

_WRITTEN = [f for f in TILES if f.name in {f.name for f in _FACTS} | _PLACES]

PICTURE_WORK = pa.schema(
    [
        ("unit", pa.string()),
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("tiles", pa.list_(pa.struct(_WRITTEN))),
        # Tiles of other sensors on the same ground, beside which tile of the unit each is; their labels are among `labels`.
        ("others", pa.list_(pa.struct([pa.field("beside", pa.string()), *_WRITTEN]))),
        ("labels", pa.list_(pa.struct([f for f in LABELS if f.name not in {"unit", "receipt"}]))),
    ]
)

EMBEDDINGS = pa.schema(
    [
        ("tile_id", pa.string()),
        ("labeller", pa.string()),  # the key of the labeller that made it: its name and fingerprint
        ("model", pa.string()),
        ("revision", pa.string()),
        ("vector", pa.list_(pa.float32())),
        *_DELIVERY,
    ]
)

SELECTION = pa.schema(
    [
        ("kind", pa.string()),  # "tile" | "instruction"
        ("subject", pa.string()),  # its id
        ("tile_id", pa.string()),
        ("task", pa.string()),  # of an instruction
        ("sensor", pa.string()),
        ("selected", pa.bool_()),
        ("reason", pa.string()),  # "kept", or the rule that dropped it
        ("cluster", pa.string()),  # the smallest tile_id of its duplicates, itself where it has none
        ("canonical", pa.string()),  # the member that stands for the cluster
        ("split", pa.string()),
        ("dealt", pa.string()),  # the split that it belongs to, in or out
        ("cell", pa.string()),
        ("repeat", pa.int64()),  # of a tile: how often a loader that asks for it shows it per epoch; 0 where it is out
    ]
)

SHARDS = pa.schema(
    [
        ("path", pa.string()),  # relative to the lake's root
        ("split", pa.string()),
        ("samples", pa.int64()),
        ("instructions", pa.int64()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("index_bytes", pa.int64()),
        ("index_sha256", pa.string()),
    ]
)

_UNSHARDED = {"unit", "receipt", "checks", "perplexity"}  # columns of an instruction that are not for its sample

# A tile of another sensor that goes into the sample of the tile `beside`: `iou` of the two outlines, and what share of that
# tile's ground it shows.
COMPANIONS = pa.schema([("beside", pa.string()), ("iou", pa.float64()), ("shown", pa.float64()), *TILES])

# What WriteShards gets: a row per shard with everything of its samples but the pictures.
SHARD_WORK = pa.schema(
    [
        ("path", pa.string()),
        ("split", pa.string()),
        ("tiles", pa.list_(pa.struct([*TILES, SELECTION.field("repeat")]))),
        ("companions", pa.list_(pa.struct(list(COMPANIONS)))),
        ("instructions", pa.list_(pa.struct([f for f in INSTRUCTIONS if f.name not in _UNSHARDED]))),
    ]
)

# A mark: this unit's output is complete. Rows and files of a receipt that has no mark do not exist for readers.
RUNS = pa.schema(
    [
        ("unit", pa.string()),
        ("receipt", pa.string()),
        ("step", pa.string()),  # "annotations" | "label" | "see" | "instruct" | "generate"
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("run", pa.string()),
        ("rows_in", pa.int64()),  # windows, or tiles
        ("rows_kept", pa.int64()),
        ("rows_rejected", pa.int64()),
        ("scene_rejected", pa.bool_()),
        ("bytes_read", pa.int64()),
        ("seconds", pa.float64()),
        ("stage_seconds", pa.list_(pa.struct([("stage", pa.string()), ("seconds", pa.float64())]))),
        ("usage", pa.list_(pa.struct([("name", pa.string()), ("value", pa.float64())]))),  # of models: requests, tokens_in, …
        ("committed_at", _TIME),
    ]
)


def pack_arrays(arrays: list[npt.NDArray[Any]]) -> pa.LargeBinaryArray:
    """Arrays as one binary column, a value each (C order). One copy; `unpack_array` is a view."""
    sizes = np.array([0, *(array.nbytes for array in arrays)], dtype=np.int64)
    data = np.empty(int(sizes.sum()), dtype=np.uint8)
    offsets = np.cumsum(sizes)
    for array, start, stop in zip(arrays, offsets[:-1], offsets[1:], strict=True):
        data[start:stop] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(arrays), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def unpack_array(value: pa.LargeBinaryScalar, dtype: str, shape: list[int] | tuple[int, ...]) -> npt.NDArray[Any]:
    """One value of a packed column as a read-only array of the given type and shape, without a copy."""
    return np.frombuffer(value.as_buffer(), dtype=np.dtype(dtype)).reshape(shape)


def label_row(label: Label) -> dict[str, Any]:
    """A label as a row of LABEL_STRUCT."""
    shape, source = label.shape, label.provenance
    return {
        "kind": label.kind,
        "category": label.category,
        "box": list(shape.box) if shape else None,
        "polygon": list(shape.polygon) if shape else None,
        "visibility": shape.visibility if shape else None,
        "oriented": shape.oriented if shape else None,
        "flags": list(shape.flags) if shape else None,
        "text": label.text,
        "value": label.value,
        "score": label.score,
        "origin": source.origin,
        "origin_name": source.name,
        "model": source.model,
        "revision": source.revision,
        "prompt_digest": source.prompt_digest,
        "quality": source.quality,
    }


def label_from_row(row: dict[str, Any]) -> Label:
    """The inverse of `label_row`: equal in every field."""
    shape = None
    if row["box"] is not None:
        x0, y0, x1, y1 = row["box"]
        flags = tuple(row["flags"] or ())
        shape = Shape((x0, y0, x1, y1), tuple(row["polygon"] or ()), row["visibility"], bool(row["oriented"]), flags)
    provenance = Provenance(
        row["origin"], row["origin_name"], row["model"], row["revision"], row["prompt_digest"], row["quality"]
    )
    return Label(row["kind"], row["category"], provenance, shape, row["text"], row["value"], row["score"])


def label_order(label_id: str) -> tuple[str, int]:
    """What a tile's labels are sorted by: first those of its label unit by position, then each model's."""
    place = label_id.rpartition("#")[2]
    key, _, position = place.rpartition(".")
    return key, int(position)


def window_of(row: dict[str, Any]) -> Window:
    """The window of a TILES row."""
    return Window(row["row_off"], row["col_off"], row["height_px"], row["width_px"])
