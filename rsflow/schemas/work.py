"""What travels between steps: the work that a step gets, and what a tile carries from stage to stage."""

from __future__ import annotations

import pyarrow as pa

from rsflow.schemas.structs import CALIBRATION_STRUCT, GROUP_MEMBER_STRUCT, LABEL_STRUCT
from rsflow.schemas.tables import GROUPS, INSTRUCTIONS, LABELS, SELECTION, TILES

_STRINGS = pa.list_(pa.string())
_FLOATS = pa.list_(pa.float64())

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
        ("ground", pa.string()),  # JSON of what the scene takes from layers on the ground (rsflow.ground.scene_layer)
    ]
)

# What a tile carries between stages: its columns above, and these.
IN_FLIGHT = pa.schema(
    [
        *[f for f in TILES if f.name not in {"digest", "file", "row_group", "row", "receipt"}],
        ("reduction", pa.int64()),  # how many times coarser than its scene it was read; null: it was not
        ("scene_height_px", pa.int64()),
        ("scene_width_px", pa.int64()),
        ("transform", _FLOATS),  # the scene's, as in SCENES
        ("ground", pa.string()),  # as in LABEL_WORK
        ("unit_windows", pa.list_(_FLOATS)),  # of all tiles of its unit: x0, y0, x1, y1 in the scene, a pixel's metres (two)
        ("pixels", pa.large_binary()),  # C order (bands, rows, cols), see pack_arrays
        ("pixels_dtype", pa.string()),
        ("pixels_shape", pa.list_(pa.int64())),
        ("pixel_unit", pa.string()),
        ("nodata", _FLOATS),
        ("calibration", pa.list_(CALIBRATION_STRUCT)),
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

# What InstructTiles gets: a row per unit, the finished label unit's tiles and labels nested.
INSTRUCT_TILE_COLUMNS = ["tile_id", "sensor", "height_px", "width_px", "gsd_m", "pixel_m", "vocabulary", "unknown", "footprint"]
_FACTS = [f for f in TILES if f.name in INSTRUCT_TILE_COLUMNS]

INSTRUCT_WORK = pa.schema(
    [
        ("unit", pa.string()),
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("tiles", pa.list_(pa.struct(_FACTS))),
        ("labels", pa.list_(pa.struct([f for f in LABELS if f.name not in {"unit", "receipt"}]))),
    ]
)

# What ReviseInstructions gets: a row per unit, its corrected instructions with the turns that they are to have.
REVIEW_WORK = pa.schema(
    [
        ("unit", pa.string()),
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("instructions", pa.list_(pa.struct([f for f in INSTRUCTIONS if f.name not in {"unit", "receipt", "digest"}]))),
    ]
)

# What the steps that look at written pictures get (see, generate): a row per unit, the finished label unit's tiles with where
# their pictures lie, and what is known of them so far.
_PLACES = {
    *("row_off", "col_off", "source", "cell", "footprint", "acquired_at"),
    *("picture_format", "picture_sha256", "file", "row_group", "row", "bands", "raw", "valid_share"),
}

_WRITTEN = [f for f in TILES if f.name in {f.name for f in _FACTS} | _PLACES]

PICTURE_WORK = pa.schema(
    [
        ("unit", pa.string()),
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("tiles", pa.list_(pa.struct(_WRITTEN))),
        # Tiles of other sensors on the same ground, beside which tile of the unit each is; their labels are among `labels`.
        ("others", pa.list_(pa.struct([pa.field("companion_of", pa.string()), *_WRITTEN]))),
        ("labels", pa.list_(pa.struct([f for f in LABELS if f.name not in {"unit", "receipt"}]))),
        # The kinds of text that a generating model is asked for, by tile; null: all kinds of all tiles.
        ("asked", pa.list_(pa.struct([("tile_id", pa.string()), ("kinds", _STRINGS)]))),
    ]
)

# What GroupTiles gets: a row per group unit, the tiles of all its scenes, and the role of each scene in the order of pictures.
_GROUPED = {
    *("tile_id", "scene_id", "source", "sensor", "acquired_at", "row_off", "col_off", "height_px", "width_px"),
    *("valid_share", "picture_sha256", "file", "row_group", "row"),
}

GROUP_WORK = pa.schema(
    [
        *(INSTRUCT_WORK.field(name) for name in ("unit", "scene_id", "source")),
        ("kind", pa.string()),
        ("place", pa.string()),
        ("scenes", pa.list_(pa.struct([("scene_id", pa.string()), ("role", pa.string())]))),
        ("tiles", pa.list_(pa.struct([f for f in TILES if f.name in _GROUPED]))),
    ]
)

# What InstructGroups gets: a row per group unit, its groups, and the tiles and labels of their members.
_COMPARED = {*INSTRUCT_TILE_COLUMNS, "acquired_at", "valid_share", "cloud_share", "footprint", "source"}

COMPARE_WORK = pa.schema(
    [
        *(INSTRUCT_WORK.field(name) for name in ("unit", "scene_id", "source", "labels")),
        ("groups", pa.list_(pa.struct([f for f in GROUPS if f.name not in {"unit", "receipt"}]))),
        ("tiles", pa.list_(pa.struct([f for f in TILES if f.name in _COMPARED]))),
    ]
)

# What GroupCells gets: a row per cell of the ground grid, with its tiles of all scenes.
_GROUPED_BY_CELL = {
    *("tile_id", "source", "sensor", "acquired_at", "grid_cell", "valid_share", "cloud_share", "height_px", "width_px"),
    *("picture_sha256", "file", "row_group", "row", "scene_id", "row_off", "col_off", "bands", "raw"),
}

CELL_WORK = pa.schema(
    [
        *(INSTRUCT_WORK.field(name) for name in ("unit", "scene_id", "source")),
        ("place", pa.string()),  # the cell's name
        ("siblings", _STRINGS),  # cells of other ground, whose tiles are among these too
        ("tiles", pa.list_(pa.struct([f for f in TILES if f.name in _GROUPED_BY_CELL]))),
        ("maps", pa.string()),  # JSON: by scene with class rasters its crs, transform and these (rsflow.ground.raster_layer)
    ]
)

# What TransferLabels gets: a row per cell of the ground grid, with its tiles of all scenes and their own labels as they are
# after review. `unreviewed`: what the tiles on which reviewers decided had before.
_TRANSFERRED_ON = _GROUPED_BY_CELL | {"vocabulary", "unknown", "bright_share"}
_KNOWN_OF_TILE = [TILES.field(name) for name in ("tile_id", "vocabulary", "unknown")]

TRANSFER_WORK = pa.schema(
    [
        *(INSTRUCT_WORK.field(name) for name in ("unit", "scene_id", "source", "labels")),
        ("place", pa.string()),  # the cell's name
        ("tiles", pa.list_(pa.struct([f for f in TILES if f.name in _TRANSFERRED_ON]))),
        ("unreviewed", pa.list_(pa.struct([*_KNOWN_OF_TILE, INSTRUCT_WORK.field("labels")]))),
    ]
)

# What GroupZoom gets: a row per large scene, with its tiles of all scales, what is labelled in them, and the factor of each
# scale in the order of pictures.
ZOOM_WORK = pa.schema(
    [
        *(INSTRUCT_WORK.field(name) for name in ("unit", "scene_id", "source")),
        ("place", pa.string()),  # the scene's id
        ("scales", pa.list_(pa.struct([("scene_id", pa.string()), ("role", pa.string()), ("factor", pa.int64())]))),
        ("tiles", pa.list_(pa.struct([f for f in TILES if f.name in _GROUPED]))),
        ("labels", pa.list_(pa.struct([LABELS.field(name) for name in ("label_id", "tile_id", "kind", "category")]))),
    ]
)

_UNSHARDED = {"unit", "receipt", "checks", "perplexity"}  # columns of an instruction that are not for its sample

# A tile whose picture goes into the sample `companion_of`. Of another sensor beside a tile: `iou` of the two outlines, and what
# share of that tile's ground it shows. Of a group: its number from 1, and its role and shift, as in GROUP_MEMBER_STRUCT.
OF_MEMBER = ("role", "dx_px", "dy_px", "registration_confidence", "box_in_first")

COMPANIONS = pa.schema(
    [
        *(("companion_of", pa.string()), ("iou", pa.float64()), ("shown", pa.float64()), ("number", pa.int64())),
        *(GROUP_MEMBER_STRUCT.field(name) for name in OF_MEMBER),
        *TILES,
    ]
)

# Of a sample that is a group: its kind and place, and the tile and role of its first picture. Null where it is a tile.
SAMPLE_GROUP_STRUCT = pa.struct([(name, pa.string()) for name in ("kind", "place", "role", "tile_id")])

# An object of a tile as its sample holds it: the columns of its label.
_OUTLINE = ("box", "polygon", "parts", "visibility", "oriented", "flags")
OBJECTS = pa.schema([LABELS.field(name) for name in ("label_id", "tile_id", "category", *_OUTLINE, "score", "origin")])

# What WriteShards gets: a row per shard with everything of its samples but the pictures.
SHARD_WORK = pa.schema(
    [
        ("path", pa.string()),
        ("split", pa.string()),
        ("tiles", pa.list_(pa.struct([*TILES, pa.field("group", SAMPLE_GROUP_STRUCT), SELECTION.field("repeat")]))),
        ("companions", pa.list_(pa.struct(list(COMPANIONS)))),
        ("instructions", pa.list_(pa.struct([f for f in INSTRUCTIONS if f.name not in _UNSHARDED]))),
        ("objects", pa.list_(pa.struct(list(OBJECTS)))),
    ]
)
