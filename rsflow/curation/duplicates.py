"""Duplicates: which tiles show the same picture, and which one stands for them.

One idea, the recipe that an audit of such datasets found to join nothing wrongly: equal bytes or equal pixels are one picture;
signatures only propose near duplicates, the pixels of 64 x 64 pictures confirm them; what is connected is one cluster; one
canonical tile stays.

The rules, in full. *Exact*: the same `picture_sha256` or `pixels_sha256`, whatever the ground and the sensor; two all-black
tiles of different places are one picture. *Near*: the same sensor, signatures within `bits`, and `confirm` (see `alike`);
two tiles of known ground must also lie on the same ground (`rsflow.curation.candidates`, which also says what becomes of
crowds of empty pictures). The same ground at another date is a duplicate only if its pixels say so; at the same instant and of
the same source it is one in any case (*ground*, `rsflow.curation.acquisitions`). *Canonical*: the tile
with most annotation labels, then the finest `gsd_m` (unknown last), then the most pixels, then the smallest `tile_id`.

Near duplicates are looked for among the best tiles of the exact groups. Of every cluster exactly one tile stays, and nothing
depends on the order of the rows.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.acquisitions import same_acquisition
from rsflow.curation.candidates import Confirm, Flags, Pictures, near_edges
from rsflow.curation.ground import Boxes, boxes_of
from rsflow.curation.groups import Indices, components, first_equal, joins
from rsflow.curation.signature import Picture

EXACT = "duplicate_exact"
NEAR = "duplicate_near"
GROUND = "duplicate_ground"

_PEAK = 6.0  # a pixel's grey may differ by so many times the mean error that is allowed
_BLOCK = 512  # pairs of thumbnails compared at a time


def find_duplicates(tiles: pa.Table, bits: int, confirm: Confirm) -> pa.Table:
    """The cluster of every tile: columns tile_id, cluster, canonical, reason, in the rows' order.

    `tiles` has tile_id (unique), sensor, picture_sha256, pixels_sha256, signature, footprint, gsd_m, height_px, width_px and
    n_labels (of annotations); nulls are allowed in all but the first two. With acquired_at, source and scene_id too, deliveries
    of one acquisition are joined. `confirm` gets row numbers (n, 2) of pairs that may
    be near duplicates, never more than 8,192 at once, and says which are; its answer must hang on the two pictures alone.

    `cluster` is the smallest tile_id of the cluster, `canonical` the one that stays. `reason` is null for the canonical tile,
    "duplicate_exact" for one that equals a better tile, "duplicate_near" for one that another picture stands for, else
    "duplicate_ground".
    """
    rows = np.arange(tiles.num_rows)
    best_first = _best_first(tiles)
    same = [joins(first_equal(tiles[name])) for name in ("picture_sha256", "pixels_sha256")]
    stands = _first_of(components(len(rows), np.concatenate(same)), best_first)
    heads = best_first[stands[best_first] == best_first]
    boxes = boxes_of(tiles["footprint"])
    edges = np.concatenate([np.stack([stands, rows], axis=1), _near(tiles, heads, boxes, bits, confirm)])
    pictured = _first_of(components(len(rows), edges), best_first)
    if "acquired_at" in tiles.column_names:
        edges = np.concatenate([edges, same_acquisition(tiles, boxes)])
    label = components(len(rows), edges)
    canonical = _first_of(label, best_first)
    by_name = np.asarray(pc.sort_indices(tiles["tile_id"])).astype(np.int64)
    reason = np.where(stands != rows, EXACT, np.where(pictured != rows, NEAR, GROUND))
    return pa.table(
        {
            "tile_id": tiles["tile_id"],
            "cluster": tiles["tile_id"].take(pa.array(_first_of(label, by_name))),
            "canonical": tiles["tile_id"].take(pa.array(canonical)),
            "reason": pa.array(reason, pa.string(), mask=canonical == rows),
        }
    )


def exact_groups(digests: pa.Array | pa.ChunkedArray) -> Indices:
    """A group number per row, from 0 in the order of first rows; equal digests are one group, each null its own."""
    _, numbers = np.unique(first_equal(digests), return_inverse=True)
    return numbers.astype(np.int64)


def alike(thumbnails: Picture, pairs: Indices, most: float) -> Flags:
    """Whether each pair of thumbnails (k, 64, 64, 3) shows one picture: two limits on how far they differ.

    The mean absolute error is at most `most` grey levels, and no pixel's grey differs by more than six times that. The
    second is ours: a ship on a dark sea hardly moves the mean, but two pictures with ships in different places are not one.
    Encoding anew, or halving the size of a picture of at least 256 pixels, stays below 16 on our test pictures.
    """
    blocks = [_alike(thumbnails[block[:, 0]], thumbnails[block[:, 1]], most) for block in _blocks(pairs)]
    return np.concatenate([np.empty(0, dtype=np.bool_), *blocks])


def _alike(a: Picture, b: Picture, most: float) -> Flags:
    error = np.maximum(a, b) - np.minimum(a, b)
    grey = np.abs(a.sum(axis=3, dtype=np.int16) - b.sum(axis=3, dtype=np.int16))
    flags: Flags = (error.mean(axis=(1, 2, 3)) <= most) & (grey.max(axis=(1, 2)) <= 3 * _PEAK * most)
    return flags


def _blocks(pairs: Indices) -> list[Indices]:
    return [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]


def _near(tiles: pa.Table, heads: Indices, boxes: Boxes, bits: int, confirm: Confirm) -> Indices:
    """Confirmed pairs of rows among `heads` (best first), sensor by sensor."""
    signatures = tiles["signature"].combine_chunks()
    sensors = np.asarray(pc.dictionary_encode(tiles["sensor"]).combine_chunks().indices)
    signed = np.asarray(pc.is_valid(signatures))
    values = np.asarray(pc.fill_null(signatures, 0), dtype=np.uint64)
    found = [np.empty((0, 2), dtype=np.int64)]
    for sensor in np.unique(sensors):
        rows = heads[(sensors[heads] == sensor) & signed[heads]]

        def ask(pairs: Indices, rows: Indices = rows) -> Flags:
            return confirm(rows[pairs])

        found.append(rows[near_edges(Pictures(values[rows], boxes[rows]), bits, ask)])
    return np.concatenate(found)


def _best_first(tiles: pa.Table) -> Indices:
    """The rows in the order of preference for canonical."""
    pixels = pc.multiply(pc.cast(tiles["height_px"], pa.int64()), pc.cast(tiles["width_px"], pa.int64()))
    ranked = pa.table(
        {"labels": tiles["n_labels"], "gsd": tiles["gsd_m"], "pixels": pixels, "tile_id": tiles["tile_id"]},
    )
    keys = [("labels", "descending"), ("gsd", "ascending"), ("pixels", "descending"), ("tile_id", "ascending")]
    return np.asarray(pc.sort_indices(ranked, sort_keys=keys)).astype(np.int64)


def _first_of(labels: Indices, order: Indices) -> Indices:
    """For each row, the row of the same label that comes first in `order`; labels count from 0 without gaps."""
    _, first = np.unique(labels[order], return_index=True)
    return order[first][labels]
