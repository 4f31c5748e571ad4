"""Duplicates: which tiles show the same picture, and which one of them is kept.

Equal bytes or equal pixels are one picture; signatures propose near duplicates, and the pixels of 64 x 64 thumbnails confirm
them. Connected tiles are one cluster, of which one canonical tile is kept.

Rules. *Exact*: the same `picture_sha256` or `pixels_sha256`, whatever ground and sensor. *Near*: the same sensor, signatures
within `bits`, and confirmed (`is_same_picture`); two tiles of known ground must also lie on the same ground
(`rsflow.curation.duplicates.pairs.candidates`). *Flipped*: the same in any of eight orientations, where the table has the
views. *Ground*: the same ground at the same instant of one source (`rsflow.curation.duplicates.pairs.acquisitions`), or a
window that another tile of the scene covers (`rsflow.curation.duplicates.pairs.overlaps`); the same ground at another date is
a duplicate only if its pixels are. *Semantic*, with embeddings: one sensor, and vectors with at least a given cosine
(`rsflow.curation.duplicates.pictures.embeddings`).

*Canonical*: the finest `gsd_m` (unknown last), then the most pixels, then the least restrictive licence
(`rsflow.curation.balance.licences`), then most annotation labels, then the smallest `tile_id`; before all of these, with
`was_canonical`, a tile that was canonical before.

Encodings: `pixels_sha256` is of the picture before it is encoded, so PNG, TIFF and BMP files of the same pixels are exact
duplicates, as are two JPEG files that decode to the same pixels. Encoding a JPEG again changes pixels by a few grey levels and
the signature by a bit or two: a near duplicate.

Tiles of different known ground are in one cluster only where they are equal: `rsflow.curation.duplicates.known_ground`.

Near duplicates are searched among the best tiles of the exact groups, semantic ones among the canonical tiles of the rest.
Exactly one tile of each cluster is kept, and nothing depends on the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.balance.licences import licence_ranks
from rsflow.curation.connected_components import Indices, component_labels, first_equal_row, pairs_with_first
from rsflow.curation.duplicates.known_ground import drop_edges_across_ground
from rsflow.curation.duplicates.pairs.acquisitions import same_acquisition_pairs
from rsflow.curation.duplicates.pairs.candidates import Confirm, Flags, Pictures, near_duplicate_pairs
from rsflow.curation.duplicates.pairs.hamming import Signatures
from rsflow.curation.duplicates.pairs.overlaps import overlapping_tiles
from rsflow.curation.duplicates.pictures.alignment import aligned_correlation, has_same_structure
from rsflow.curation.duplicates.pictures.embeddings import TileEmbeddings, similar_pairs
from rsflow.curation.duplicates.pictures.image_signature import ANCHOR_WINDOWS, THUMBNAIL_PX, Picture
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, Number, apply_orientation
from rsflow.curation.splits.ground import Boxes, bounding_boxes
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner
from rsflow.curation.value_codes import encode_values, value_codes

EXACT = "duplicate_exact"
NEAR = "duplicate_near"
FLIPPED = "duplicate_flipped"
GROUND = "duplicate_ground"
SEMANTIC = "duplicate_semantic"

MIN_CORRELATION = 0.9  # of the grey values of two thumbnails that show one picture
MIN_ALIGNED_CORRELATION = 0.92  # of the same once aligned, which brings pictures that are merely of one kind nearer too
MIN_CONTRAST = 3.0  # grey levels, standard deviation: below it a thumbnail is flat

_MAX_PEAK = 6.0  # a pixel's grey may differ by so many times the mean error that is allowed
_BLOCK = 512  # pairs of thumbnails compared at a time


def deduplicate(
    tiles: pa.Table,
    bits: int,
    confirm: Confirm,
    licences: Sequence[str] = (),
    embedded: TileEmbeddings | None = None,
    runner: TaskRunner = LOCAL_RUNNER,
) -> pa.Table:
    """The cluster of every tile: columns tile_id, cluster, canonical, reason, same_picture, in the rows' order.

    `tiles` has tile_id (unique), sensor, picture_sha256, pixels_sha256, signature, footprint, gsd_m, height_px, width_px and
    n_labels (of annotations); nulls are allowed in all but the first two. What else it has adds rules: with acquired_at,
    source and scene_id, deliveries of one acquisition are joined; with row_off and
    col_off, tiles that cover each other; with signatures (all eight views), flipped ones; with anchors, crops and shifts; with
    licence, `licences` (the preferred ones) decide too; with was_canonical, earlier choices stay. `embedded`: vectors of rows.

    `confirm` gets (n, 3) row, row, orientation of what may be near duplicates, never more than 8,192 at once, and says which
    are; its answer must hang on the two pictures alone.

    `cluster` is the smallest tile_id of the cluster, `canonical` the one that stays. `reason` is null for the canonical tile,
    "duplicate_exact" for one that equals a better tile, else the first of near, flipped, ground and semantic that, with those
    before it, leads to the canonical one. `same_picture`: exact and near alone do, so labels of the one hold for the other.
    """
    rows = np.arange(tiles.num_rows)
    best_first = _rank_rows(tiles, licences)
    same = [pairs_with_first(first_equal_row(tiles[name])) for name in ("picture_sha256", "pixels_sha256")]
    representative = _first_by_label(component_labels(len(rows), np.concatenate(same)), best_first)
    heads = best_first[representative[best_first] == best_first]
    boxes = bounding_boxes(tiles["footprint"])
    near = _near_pairs(tiles, heads, boxes, bits, confirm, runner)
    steps = [np.stack([representative, rows], axis=1), near[near[:, 2] == 0, :2], near[near[:, 2] > 0, :2]]
    steps.append(_pairs_by_place(tiles, best_first, boxes))
    if embedded:
        left = _first_by_label(component_labels(len(rows), np.concatenate(steps)), best_first) == rows
        steps.append(_semantic_pairs(tiles, best_first[left[best_first]], embedded))
    steps = drop_edges_across_ground(steps, representative, boxes, best_first)
    labels = [component_labels(len(rows), np.concatenate(steps[:2]))]
    for count, step in enumerate(steps[2:], 3):
        labels.append(component_labels(len(rows), np.concatenate(steps[:count])) if len(step) else labels[-1])
    canonical = _first_by_label(labels[-1], best_first)
    leads = np.stack([label == label[canonical] for label in labels])
    reasons = pa.array([NEAR, FLIPPED, GROUND, SEMANTIC]).take(pa.array(leads.argmax(axis=0)))
    reasons = pc.if_else(pa.array(representative != rows), EXACT, reasons)
    by_name = np.asarray(pc.sort_indices(tiles["tile_id"])).astype(np.int64)
    return pa.table(
        {
            "tile_id": tiles["tile_id"],
            "cluster": tiles["tile_id"].take(pa.array(_first_by_label(labels[-1], by_name))),
            "canonical": tiles["tile_id"].take(pa.array(canonical)),
            "reason": pc.if_else(pa.array(canonical == rows), pa.scalar(None, pa.string()), reasons),
            "same_picture": pa.array(leads[0]),
        }
    )


def is_same_picture(thumbnails: Picture, pairs: Indices, most: float) -> Flags:
    """Whether thumbnails (k, 64, 64, 3) show one picture, for each (one, other, orientation): two limits on how they differ.

    Either the grey values of both have a standard deviation above `MIN_CONTRAST` and correlate above `MIN_CORRELATION`, so that
    brighter, gamma, a text or a logo make no other picture; so they may once one is moved, scaled and turned a little
    (`rsflow.curation.duplicates.pictures.alignment`). Or the mean absolute error is at most `most` grey levels, and no
    pixel's grey differs by more than six times that: a ship on a dark sea hardly moves the mean, but two pictures with ships
    in different places are not one. Two flat pictures (less contrast) are one only where both hold: what little they show
    has to correlate too, and not only by a slope of light, for one calm sea is not another.
    """
    grey = thumbnails.sum(axis=3, dtype=np.int64)
    blocks = [_compare_block(thumbnails, grey, block, most) for block in _blocks(pairs)]
    return np.concatenate([np.empty(0, dtype=np.bool_), *blocks])


def _compare_block(thumbnails: Picture, grey: npt.NDArray[np.int64], pairs: Indices, most: float) -> Flags:
    a, b = grey[pairs[:, 0]], _orient_second(grey, pairs)
    count = THUMBNAIL_PX**2
    own, other, both = (
        count * np.einsum("ijk,ijk->i", x, y) - x.sum(axis=(1, 2)) * y.sum(axis=(1, 2)) for x, y in ((a, a), (b, b), (a, b))
    )
    # In whole numbers, so that no processor's rounding decides.
    correlated = (both > 0) & (both.astype(np.float64) ** 2 > MIN_CORRELATION**2 * own.astype(np.float64) * other)
    rich = np.minimum(own, other) > (3 * MIN_CONTRAST * count) ** 2
    flags: Flags = correlated & rich
    # Two calm surfaces under one slope of light correlate as well: what stands out of the slope has to, too.
    flags[flags] = has_same_structure(a[flags] / 3, b[flags] / 3)
    moved = rich & ~flags
    flags[moved] = aligned_correlation(a[moved] / 3, b[moved] / 3) > MIN_ALIGNED_CORRELATION
    close = (correlated | rich) & ~flags & (np.abs(a - b).max(axis=(1, 2)) <= 3 * _MAX_PEAK * most)
    flat = close & ~rich
    close[flat] = has_same_structure(a[flat] / 3, b[flat] / 3)
    left = pairs[close]
    one, two = thumbnails[left[:, 0]], _orient_second(thumbnails, left)
    flags[close] = (np.maximum(one, two) - np.minimum(one, two)).mean(axis=(1, 2, 3)) <= most
    return flags


def _orient_second(thumbnails: npt.NDArray[Number], pairs: Indices) -> npt.NDArray[Number]:
    """The other of each pair in its orientation; a thumbnail of a turned picture is the turned thumbnail."""
    others = thumbnails[pairs[:, 1]]
    for orientation in range(1, ORIENTATIONS if pairs.shape[1] > 2 else 1):
        for k in np.flatnonzero(pairs[:, 2] == orientation):
            others[k] = apply_orientation(others[k], orientation)
    return others


def _blocks(pairs: Indices) -> list[Indices]:
    return [pairs[start : start + _BLOCK] for start in range(0, len(pairs), _BLOCK)]


def _near_pairs(tiles: pa.Table, heads: Indices, boxes: Boxes, bits: int, confirm: Confirm, runner: TaskRunner) -> Indices:
    """Confirmed (row, row, orientation) among `heads` (best first), sensor by sensor."""
    found = [np.empty((0, 3), dtype=np.int64)]
    for rows, own in pictures_by_sensor(tiles, heads, boxes):
        found.append(pairs_as_rows(rows, near_duplicate_pairs(own, bits, confirm_by_position(confirm, rows), runner)))
    return np.concatenate(found)


def _pairs_by_place(tiles: pa.Table, best_first: Indices, boxes: Boxes) -> Indices:
    """Pairs that show one ground at one instant, whatever their pixels: as far as the columns that say so are there."""
    found = [np.empty((0, 2), dtype=np.int64)]
    if "acquired_at" in tiles.column_names:
        found.append(same_acquisition_pairs(tiles, boxes))
    if "row_off" in tiles.column_names:
        found.append(overlapping_tiles(tiles, best_first))
    return np.concatenate(found)


def _semantic_pairs(tiles: pa.Table, heads: Indices, embedded: TileEmbeddings) -> Indices:
    """Pairs of rows among `heads` (best first, so in an order of their own), sensor by sensor."""
    found = [np.empty((0, 2), dtype=np.int64)]
    for rows in _rows_by_sensor(tiles, heads):
        known, vectors = embedded.among(rows)
        found.append(known[similar_pairs(vectors, embedded.cosine)])
    return np.concatenate(found)


def pictures_by_sensor(tiles: pa.Table, rows: Indices, boxes: Boxes) -> Iterator[tuple[Indices, Pictures]]:
    """Those of `rows` that have a signature, sensor by sensor and in the order given, and their pictures."""
    signatures = tiles["signature"].combine_chunks()
    signed = np.asarray(pc.is_valid(signatures))
    values = np.asarray(pc.fill_null(signatures, 0), dtype=np.uint64)
    views = _signature_lists(tiles, "signatures", ORIENTATIONS)
    windows = _signature_lists(tiles, "anchors", len(ANCHOR_WINDOWS))
    faint = None
    if "faint_signature" in tiles.column_names and not tiles["faint_signature"].null_count:
        faint = np.asarray(tiles["faint_signature"], dtype=np.int64).view(np.uint64)
    for own in _rows_by_sensor(tiles, rows[signed[rows]]):
        views_of, anchors_of, faint_of = (some[own] if some is not None else None for some in (views, windows, faint))
        yield own, Pictures(values[own], boxes[own], views_of, anchors_of, faint_of)


def pairs_as_rows(rows: Indices, pairs: Indices) -> Indices:
    """(position, position, orientation) as (row, row, orientation)."""
    return np.column_stack([rows[pairs[:, :2]], pairs[:, 2:]])


def confirm_by_position(confirm: Confirm, rows: Indices) -> Confirm:
    """The same question about positions in `rows`."""
    return lambda pairs: confirm(pairs_as_rows(rows, pairs))


def _rows_by_sensor(tiles: pa.Table, rows: Indices) -> Iterator[Indices]:
    sensors = value_codes(tiles["sensor"])
    return (rows[sensors[rows] == sensor] for sensor in np.unique(sensors))


def _signature_lists(tiles: pa.Table, name: str, size: int) -> Signatures | None:
    """(n, size); 0, which finds nothing, where there are none; None without such a column."""
    if name not in tiles.column_names:
        return None
    whole = tiles[name].combine_chunks().cast(pa.large_list(pa.int64()))
    known = np.flatnonzero(np.asarray(pc.fill_null(pc.list_value_length(whole), 0)) == size)
    views = np.zeros((len(whole), size), dtype=np.uint64)
    flat = np.asarray(whole.take(pa.array(known)).flatten(), dtype=np.int64)
    views[known] = flat.view(np.uint64).reshape(-1, size)
    return views


def _rank_rows(tiles: pa.Table, licences: Sequence[str]) -> Indices:
    """The rows in the order of preference for canonical."""
    pixels = pc.multiply(pc.cast(tiles["height_px"], pa.int64()), pc.cast(tiles["width_px"], pa.int64()))
    keys = {"gsd": (tiles["gsd_m"], "ascending"), "pixels": (pixels, "descending")}
    if "licence" in tiles.column_names:
        named = encode_values(tiles["licence"])
        ranks = pa.array(licence_ranks(named.dictionary.to_pylist(), licences), pa.int64())
        keys["licence"] = (ranks.take(named.indices), "ascending")
    keys |= {"labels": (tiles["n_labels"], "descending"), "tile_id": (tiles["tile_id"], "ascending")}
    if "was_canonical" in tiles.column_names:
        keys = {"before": (tiles["was_canonical"].cast(pa.int8()), "descending"), **keys}
    ranked = pa.table({name: values for name, (values, _) in keys.items()})
    order = [(name, way) for name, (_, way) in keys.items()]
    return np.asarray(pc.sort_indices(ranked, sort_keys=order)).astype(np.int64)


def _first_by_label(labels: Indices, order: Indices) -> Indices:
    """For each row, the row of the same label that comes first in `order`; labels count from 0 without gaps."""
    _, first = np.unique(labels[order], return_index=True)
    return order[first][labels]
