"""The rows of rsflow: one Arrow schema per table of the lake, and per step of a row's way there.

One idea: rows are Arrow columns with fixed schemas, never pickled objects; this folder is the data dictionary: `tables` of the
lake, `work` that travels between steps, `rows` between columns and the values of rsflow.records.
"""

from rsflow.schemas.rows import label_from_row, label_row, label_sort_key, pack_arrays, unpack_array, window_from_row
from rsflow.schemas.tables import (
    CALIBRATION_STRUCT,
    EMBEDDINGS,
    GROUP_MEMBER_STRUCT,
    GROUPS,
    INSTRUCTIONS,
    LABEL_STRUCT,
    LABELS,
    RAW_STRUCT,
    REJECTS,
    REVIEWS,
    RUNS,
    SCENES,
    SELECTION,
    SHARDS,
    TILES,
    TURN_STRUCT,
)
from rsflow.schemas.work import (
    CELL_WORK,
    COMPANIONS,
    IN_FLIGHT,
    INSTRUCT_TILE_COLUMNS,
    INSTRUCT_WORK,
    LABEL_WORK,
    OBJECTS,
    PICTURE_WORK,
    REVIEW_WORK,
    SHARD_WORK,
    WINDOW_STRUCT,
)

__all__ = [
    "CALIBRATION_STRUCT",
    "CELL_WORK",
    "COMPANIONS",
    "EMBEDDINGS",
    "GROUPS",
    "GROUP_MEMBER_STRUCT",
    "INSTRUCTIONS",
    "INSTRUCT_TILE_COLUMNS",
    "INSTRUCT_WORK",
    "IN_FLIGHT",
    "LABELS",
    "LABEL_STRUCT",
    "LABEL_WORK",
    "OBJECTS",
    "PICTURE_WORK",
    "RAW_STRUCT",
    "REJECTS",
    "REVIEWS",
    "REVIEW_WORK",
    "RUNS",
    "SCENES",
    "SELECTION",
    "SHARDS",
    "SHARD_WORK",
    "TILES",
    "TURN_STRUCT",
    "WINDOW_STRUCT",
    "label_from_row",
    "label_row",
    "label_sort_key",
    "pack_arrays",
    "unpack_array",
    "window_from_row",
]
