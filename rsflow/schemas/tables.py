"""The tables of the lake, one Arrow schema each.

Conventions beside those of rsflow.records: footprints are one flat ring lon0, lat0, lon1, lat1, … in degrees (WGS 84); a ring
that crosses the antimeridian has longitudes beyond 180 rather than a jump. Times are UTC.
"""

from __future__ import annotations

import pyarrow as pa

from rsflow.schemas.structs import (
    CALIBRATION_STRUCT,
    FLOATS,
    GROUP_MEMBER_STRUCT,
    LABEL_STRUCT,
    RAW_STRUCT,
    STAC_ITEM_STRUCT,
    STRINGS,
    TIME,
    TURN_STRUCT,
)

# Every row of the label-phase tables carries the unit that made it and the receipt (one attempt) that delivered it.
_DELIVERY = [pa.field("unit", pa.string()), pa.field("receipt", pa.string())]


SCENES = pa.schema(
    [
        ("scene_id", pa.string()),
        ("source", pa.string()),
        ("sensor", pa.string()),
        ("licence", pa.string()),
        ("files", STRINGS),
        ("sidecars", STRINGS),  # further files that decide what is read: sources of a VRT, masks, overviews, .aux.xml
        ("stats_key", pa.string()),  # sizes and times (or ETags) of the files: a cheap sign that the content may have changed
        ("fingerprint", pa.string()),  # of the files' content
        ("reader", pa.string()),
        ("bands", STRINGS),
        ("dtype", pa.string()),
        ("height_px", pa.int64()),
        ("width_px", pa.int64()),
        ("georeference", pa.string()),  # "crs" | "gcps" | "rpcs" | "none": only "crs" scenes have a transform
        ("crs", pa.string()),
        ("transform", FLOATS),  # a, b, c, d, e, f of the affine map from (col, row) to (x, y)
        ("footprint", FLOATS),
        ("gsd_m", pa.float64()),
        ("pixel_m", FLOATS),  # metres on the ground (width, height) of a pixel at the scene's middle
        ("georeference_error", pa.string()),  # null, or why a georeference that the file has was refused
        ("position_error_m", pa.float64()),  # estimate, of scenes placed by control points or polynomials; null: none is stated
        ("nodata", FLOATS),  # per band, null where no value stands for none
        ("calibration", pa.list_(CALIBRATION_STRUCT)),  # per band
        ("unit", pa.string()),  # of the calibrated values
        ("acquired_at", TIME),
        ("sun_elevation_deg", pa.float64()),  # null: the scene's metadata states none
        ("sun_azimuth_deg", pa.float64()),  # clockwise from north
        ("incidence_angle_deg", pa.float64()),  # mean, between the line of sight and the vertical
        ("is_picture", pa.bool_()),
        # Of the files, where the scene is warped onto a ground grid and height_px, width_px are the grid's; else null.
        ("file_height_px", pa.int64()),
        ("file_width_px", pa.int64()),
        ("probe_reason", pa.string()),  # null, or why the scene could not be opened
        ("probe_detail", pa.string()),
        ("probed_with", pa.string()),  # fingerprint of the settings that the probe depends on
        ("stac_item", STAC_ITEM_STRUCT),  # null for scenes that come from no STAC item
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
        ("chunk", pa.int64()),  # which group of neighbouring tiles of its scene it belongs to: what shards are made of
        ("row_off", pa.int64()),
        ("col_off", pa.int64()),
        ("height_px", pa.int64()),
        ("width_px", pa.int64()),
        ("bands", STRINGS),
        ("crs", pa.string()),
        ("footprint", FLOATS),
        ("cell", pa.string()),
        ("grid_cell", pa.string()),  # the cell of the ground grid that the tile is; null on a scene's own grid
        ("gsd_m", pa.float64()),
        ("pixel_m", FLOATS),  # metres on the ground (width, height) of a pixel in the tile's middle
        ("acquired_at", TIME),
        ("valid_share", pa.float64()),
        ("cloud_share", pa.float64()),  # null: no band can tell cloud from snow, sand and white roofs
        ("bright_share", pa.float64()),  # of what is white in the picture; null in tiles written before it existed
        ("sharpness", pa.float64()),
        ("contrast", pa.float64()),
        ("vocabulary", STRINGS),  # categories whose every instance in the tile has a label
        (
            "unknown",
            STRINGS,
        ),  # categories of what it shows without a label: cut off, dropped, an ignored region; null: not known
        ("attribution", STRINGS),  # what the licences of its labels ask to be named; null: nothing
        ("source_split", pa.string()),  # the split that its source itself puts it in, where it says so
        ("picture_format", pa.string()),  # "jpg" | "png"
        ("picture_bytes", pa.int64()),
        ("picture_sha256", pa.string()),  # of the encoded picture
        ("pixels_sha256", pa.string()),  # of the decoded picture and its shape
        ("signature", pa.int64()),  # bits of the 64-bit difference hash (Delta has no unsigned type), see curation.signature
        ("signatures", pa.list_(pa.int64())),  # the same of all eight orientations, of which it is the first
        # null in tiles of before, as the next two; see curation.duplicates.image_signature
        ("faint_signature", pa.int64()),  # of the noise of pictures without content
        ("anchors", pa.list_(pa.int64())),  # signatures of windows
        ("keypoints", pa.list_(pa.int32())),  # packed positions, see curation.duplicates.keypoints
        ("keypoint_codes", pa.list_(pa.int64())),  # of each keypoint
        ("raw", RAW_STRUCT),  # null where only the picture was kept
        ("digest", pa.string()),  # of all that the tile gives to its sample: see rsflow.stages.shard.sample_record
        ("file", pa.string()),  # tile file, relative to the lake's root
        ("row_group", pa.int64()),
        ("row", pa.int64()),  # within the row group
        *_DELIVERY,
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


# What a tile got from another tile of its cell: how far apart the two are, and what is known of all objects. The labels
# themselves are rows of `labels` with this tile in `transferred_from`.
TRANSFERS = pa.schema(
    [
        ("tile_id", pa.string()),  # the tile that got labels
        ("from_tile", pa.string()),
        ("days", pa.float64()),  # between the two scenes; null: not known
        ("dx_px", pa.float64()),  # as in GROUP_MEMBER_STRUCT, against `from_tile`; null: not known
        ("dy_px", pa.float64()),
        ("registration_confidence", pa.float64()),
        ("labels", pa.int64()),
        ("vocabulary", STRINGS),  # categories whose every instance was passed
        ("unknown", STRINGS),  # categories of what it may show without a label for it
        *_DELIVERY,
    ]
)


# Tiles that show one place and make one sample of several pictures, in the order in which the sample holds them.
GROUPS = pa.schema(
    [
        ("group_id", pa.string()),
        ("kind", pa.string()),  # "pair" (two dates) | "dates" | "shuffled" | "sensors" | "places" (two places) | "zoom"
        ("place", pa.string()),  # what the members have in common: a ground cell, or the name of the annotated pair
        ("source", pa.string()),  # of the first member
        ("presence_only", pa.bool_()),  # the pictures do not lie on each other closely enough to compare places; null: they may
        ("members", pa.list_(GROUP_MEMBER_STRUCT)),
        *_DELIVERY,
    ]
)

INSTRUCTIONS = pa.schema(
    [
        ("instruction_id", pa.string()),  # tile_id # task # hash of turns and boxes
        ("tile_id", pa.string()),  # of its sample: the tile's id, or the group's
        ("task", pa.string()),
        ("turns", pa.list_(TURN_STRUCT)),
        ("boxes", pa.list_(FLOATS)),
        ("box_pictures", pa.list_(pa.int64())),  # of each box its picture, from 0; null where the sample has one picture
        ("label_ids", STRINGS),
        ("answer", pa.string()),  # JSON
        ("generator", pa.string()),
        ("checks", STRINGS),
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
        ("assigned_split", pa.string()),  # the split that it belongs to, in or out
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

# What a person decided about a sample, an instruction or a label (rsflow.review). Times and names enter no sample.
REVIEWS = pa.schema(
    [
        ("decision_id", pa.string()),
        ("kind", pa.string()),  # "sample" | "instruction" | "label"
        ("action", pa.string()),  # "accept" | "reject" | "correct" | "add"
        ("tile_id", pa.string()),
        ("target", pa.string()),  # the tile's or instruction's id, or the hash of what a label says
        ("reason", pa.string()),  # of a rejection
        ("note", pa.string()),
        ("before", pa.string()),  # JSON of what it is about
        ("after", pa.string()),  # JSON of the fields that change
        ("reviewer", pa.string()),
        ("decided_at", TIME),
    ]
)

# A mark: this unit's output is complete. Rows and files of a receipt that has no mark do not exist for readers.
RUNS = pa.schema(
    [
        ("unit", pa.string()),
        ("receipt", pa.string()),
        ("step", pa.string()),  # "annotations", or one of rsflow.planning.steps.STEPS
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
        ("committed_at", TIME),
    ]
)
