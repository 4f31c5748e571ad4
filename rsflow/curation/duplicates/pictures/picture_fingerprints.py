"""Fingerprints: what identifies a picture without the picture itself; a benchmark can publish them.

A fingerprint describes a picture in all eight orientations, so the other side needs only the upright one. A match is *exact*
(equal bytes or pixels), *flipped* (equal pixels in another orientation), *near* (near duplicate in any orientation), *ground*
(georeferenced, and the two touch) or *part* (one shows a part of the other: see `fingerprint_parts`).

Near matches are decided as for duplicates: signatures within `bits` propose, thumbnails confirm. Where the pictures are not
available, signatures within half of `bits` match without confirmation; this also drops pictures that merely look similar, which
is the safe side for data that must not be trained on. Pictures almost without content (fewer than 8 bits set) match exactly or
by ground only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices
from rsflow.curation.drop_reasons import DropReasons
from rsflow.curation.duplicates.pairs.candidates import MIN_BITS_SET, Confirm
from rsflow.curation.duplicates.pairs.hamming import iter_cross_pairs
from rsflow.curation.duplicates.pairs.partial_overlap import ConfirmRegions
from rsflow.curation.duplicates.pictures.fingerprint_parts import PART, describe_parts, tiles_showing_parts
from rsflow.curation.duplicates.pictures.image_signature import Picture, orientation_signatures, pixels_digest
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, apply_orientation
from rsflow.curation.splits.ground import bounding_boxes, is_within_distance

FINGERPRINTS = pa.schema(
    [
        ("name", pa.string()),
        ("picture_sha256", pa.string()),  # of the file
        ("pixels_sha256", pa.list_(pa.string())),  # of the decoded picture in eight orientations; empty: not an 8-bit picture
        ("signatures", pa.list_(pa.int64())),  # in the same order, see rsflow.curation.duplicates.pictures.image_signature
        ("footprint", pa.list_(pa.float64())),  # lon0, lat0, lon1, lat1, …; null where it is not georeferenced
        ("parts", pa.list_(PART)),  # null in fingerprints of an earlier version
    ]
)

Flags = npt.NDArray[np.bool_]


def fingerprint_picture(picture: Picture) -> dict[str, Any]:
    """What FINGERPRINTS holds of the pixels: digests and signatures (as signed numbers) in all orientations, and parts.

    A colour picture whose channels are equal is described as a grey one too, after the others: sets store radar and infrared
    either way.
    """
    forms = [picture, picture[:, :, 1]] if _is_grey(picture) else [picture]
    digests = [pixels_digest(apply_orientation(form, orientation)) for form in forms for orientation in range(ORIENTATIONS)]
    signed = np.array([orientation_signatures(form) for form in forms], dtype=np.uint64).view(np.int64)
    return {"pixels_sha256": digests, "signatures": signed.ravel().tolist(), "parts": describe_parts(picture)}


def match_fingerprints(
    tiles: pa.Table,
    prints: pa.Table,
    bits: int,
    buffer_m: float = 0.0,
    confirm: Confirm | None = None,
    confirm_parts: ConfirmRegions | None = None,
) -> pa.DictionaryArray:
    """Per tile the test that recognises it: "exact", "flipped", "near", "ground", "part", or "kept" where none does.

    `tiles` has picture_sha256, pixels_sha256, signature and footprint, and its keypoints where these are known; `prints` is of
    FINGERPRINTS. `confirm` gets (n, 3) tile row, row of `prints`, orientation, and says which show one picture, `confirm_parts`
    see `tiles_showing_parts`; None where the pictures are not available.
    """
    found = DropReasons(tiles.num_rows)
    parents, digests = _flatten(prints["pixels_sha256"])
    upright = (np.arange(len(parents)) - np.searchsorted(parents, parents)) % ORIENTATIONS == 0
    equal = pc.is_in(tiles["picture_sha256"], value_set=prints["picture_sha256"].combine_chunks().drop_null())
    found.drop(_as_flags(equal), "exact")
    for which, test in ((upright, "exact"), (~upright, "flipped")):
        found.drop(_as_flags(pc.is_in(tiles["pixels_sha256"], value_set=digests.filter(pa.array(which)))), test)
    pairs = near_fingerprint_pairs(tiles["signature"], prints, bits if confirm else bits // 2)
    pairs = pairs[found.kept[pairs[:, 0]]]
    yes = confirm(pairs) if confirm and len(pairs) else np.ones(len(pairs), dtype=np.bool_)
    found.drop(np.unique(pairs[yes, 0]), "near")
    ours, theirs = bounding_boxes(tiles["footprint"]), bounding_boxes(prints["footprint"])
    found.drop(is_within_distance(ours, theirs, buffer_m), "ground")
    grounded = ~np.isnan(ours[:, 0]), ~np.isnan(theirs[:, 0])
    found.drop(tiles_showing_parts(tiles, np.flatnonzero(found.kept), grounded, prints, confirm_parts), "part")
    return found.texts()


def near_fingerprint_pairs(signatures: pa.ChunkedArray, prints: pa.Table, bits: int) -> Indices:
    """(n, 3): tile row, row of `prints`, orientation, where the signatures differ in at most `bits`, without empty ones."""
    parents, numbers = _flatten(prints["signatures"])
    theirs = np.asarray(numbers, dtype=np.int64).view(np.uint64)
    known = np.flatnonzero(np.asarray(pc.is_valid(signatures)))
    ours = np.asarray(pc.fill_null(signatures, 0), dtype=np.int64).view(np.uint64)
    known = known[np.bitwise_count(ours[known]) >= MIN_BITS_SET]
    some = np.flatnonzero(np.bitwise_count(theirs) >= MIN_BITS_SET)
    found = np.concatenate([np.empty((0, 2), dtype=np.int64), *iter_cross_pairs(theirs[some], ours[known], bits)])
    pairs = np.stack([known[found[:, 1]], some[found[:, 0]]], axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    rank = pairs[:, 1] - np.searchsorted(parents, parents[pairs[:, 1]])
    return np.stack([pairs[:, 0], parents[pairs[:, 1]], rank % ORIENTATIONS], axis=1)


def _flatten(lists: pa.ChunkedArray) -> tuple[Indices, pa.Array]:
    """(row, value) of every element."""
    whole = lists.combine_chunks()
    return np.asarray(pc.list_parent_indices(whole)).astype(np.int64), whole.flatten()


def _as_flags(values: pa.ChunkedArray) -> Flags:
    flags: Flags = np.asarray(values)
    return flags


def _is_grey(picture: Picture) -> bool:
    return picture.ndim == 3 and bool((picture[:, :, :1] == picture).all())
