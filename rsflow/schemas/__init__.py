"""The rows of rsflow: one Arrow schema per table of the lake, and per step of a row's way there.

One idea: rows are Arrow columns with fixed schemas, never pickled objects; this folder is the data dictionary: `tables` of the
lake, `work` that travels between steps, `rows` between columns and the values of rsflow.records.
"""

from rsflow.schemas.rows import label_from_row, label_row, label_sort_key, pack_arrays, unpack_array, window_from_row
from rsflow.schemas.structs import CALIBRATION_STRUCT, GROUP_MEMBER_STRUCT, LABEL_STRUCT, RAW_STRUCT, TURN_STRUCT
from rsflow.schemas.tables import (
    EMBEDDINGS,
    GROUPS,
    INSTRUCTIONS,
    LABELS,
    REJECTS,
    REVIEWS,
    RUNS,
    SCENES,
    SELECTION,
    SHARDS,
    TILES,
)
from rsflow.schemas.work import (
    CELL_WORK,
    COMPANIONS,
    COMPARE_WORK,
    GROUP_WORK,
    IN_FLIGHT,
    INSTRUCT_TILE_COLUMNS,
    INSTRUCT_WORK,
    LABEL_WORK,
    OBJECTS,
    PICTURE_WORK,
    REVIEW_WORK,
    SAMPLE_GROUP_STRUCT,
    SHARD_WORK,
    WINDOW_STRUCT,
)

__all__ = [
    "CALIBRATION_STRUCT",
    "CELL_WORK",
    "COMPANIONS",
    "COMPARE_WORK",
    "EMBEDDINGS",
    "GROUPS",
    "GROUP_MEMBER_STRUCT",
    "GROUP_WORK",
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
    "SAMPLE_GROUP_STRUCT",
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
