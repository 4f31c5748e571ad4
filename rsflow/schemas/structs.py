"""The nested values of the tables' columns: what a label, a turn, a band's calibration, a member of a group hold."""

from __future__ import annotations

import pyarrow as pa

STRINGS = pa.list_(pa.string())

FLOATS = pa.list_(pa.float64())

TIME = pa.timestamp("us", tz="UTC")

LABEL_STRUCT = pa.struct(
    [
        ("kind", pa.string()),
        ("category", pa.string()),
        ("box", FLOATS),
        ("polygon", FLOATS),  # the outline's one ring, or the outer ring of its largest part
        ("visibility", pa.float64()),
        ("oriented", pa.bool_()),
        ("flags", STRINGS),
        ("text", pa.string()),
        ("value", pa.float64()),
        ("score", pa.float64()),
        ("origin", pa.string()),
        ("origin_name", pa.string()),
        ("model", pa.string()),
        ("revision", pa.string()),
        ("prompt_digest", pa.string()),
        ("quality", pa.float64()),
        # Of an outline with several parts or holes: each part's outer ring, then its holes. Null where `polygon` is all of it.
        ("parts", pa.list_(pa.list_(FLOATS))),
        ("transferred_from", pa.string()),  # the tile of the same cell that it was made for; null: for this one
    ]
)

TURN_STRUCT = pa.struct([("role", pa.string()), ("text", pa.string())])

# How a band's stored numbers become physical values, see rsflow.calibration.
CALIBRATION_STRUCT = pa.struct(
    [("scale", pa.float64()), ("offset", pa.float64()), ("unit", pa.string()), ("origin", pa.string())]
)

# What the STAC item of a scene states of it beside its pixels, see rsflow.stac.items.item_facts; angles in degrees.
STAC_ITEM_STRUCT = pa.struct(
    [
        ("id", pa.string()),
        ("collection", pa.string()),
        ("href", pa.string()),  # of the item's document
        ("start", pa.string()),  # of the acquisition, ISO 8601
        ("end", pa.string()),
        ("updated", pa.string()),  # else created; as stated
        ("version", pa.string()),  # of the product or its processing
        ("providers", STRINGS),
        ("cloud_percent", pa.float64()),
        ("sun_azimuth", pa.float64()),
        ("sun_elevation", pa.float64()),
        ("off_nadir", pa.float64()),
        ("view_azimuth", pa.float64()),
        ("incidence_angle", pa.float64()),
        ("platform", pa.string()),
        ("constellation", pa.string()),
        ("orbit_state", pa.string()),
        ("sar_mode", pa.string()),
        ("sar_frequency_band", pa.string()),
        ("sar_product", pa.string()),
        ("instruments", STRINGS),
        ("sar_polarizations", STRINGS),
    ]
)

# Of a tile whose bands were kept as they were read.
RAW_STRUCT = pa.struct(
    [
        ("bytes", pa.int64()),  # of the member with the bands
        ("sha256", pa.string()),  # of the same
        ("dtype", pa.string()),
        ("unit", pa.string()),  # of scale * value + offset
        ("nodata", FLOATS),  # per band, null where no value stands for none
        ("scale", FLOATS),  # per band; null in rows of older versions
        ("offset", FLOATS),
        ("calibrated_by", STRINGS),  # per band: where scale and offset come from, "" where there are none
    ]
)

# A picture of a group. Measured against the group's first member: a thing at column x, row y of the first is at x + dx_px,
# y + dy_px of this one, in pixels of this one at equal scale; null: not measured. `role` is unique within the group.
GROUP_MEMBER_STRUCT = pa.struct(
    [
        ("tile_id", pa.string()),
        ("sensor", pa.string()),
        ("acquired_at", TIME),
        ("role", pa.string()),  # as of roles in records, "date1", "date2", … of dates, or a sensor
        ("dx_px", pa.float64()),
        ("dy_px", pa.float64()),
        ("registration_confidence", pa.float64()),  # of the measured shift, in [0, 1]; null: not measured
        ("box_in_first", FLOATS),  # where this picture lies in the first one, in its pixels; null: both show the same ground
    ]
)
