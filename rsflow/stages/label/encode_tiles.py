"""Pictures get their digests and signature, and become JPEG or PNG."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from rsflow.curation.duplicates.pictures.image_signature import (
    anchor_signatures,
    faint_signature,
    orientation_signatures,
    pixels_digest,
)
from rsflow.curation.duplicates.pictures.keypoints import find_keypoints, pack_positions
from rsflow.stage import BatchFunction, Resources, over_kept
from rsflow.stages.label.tile_columns import pictures, replace
from rsflow.tiles.encode import encode


@dataclass(frozen=True, slots=True)
class EncodeTiles:
    """Fills the picture columns. `pixels_sha256` is of the picture before encoding: equal pixels match in any encoding.

    Nobody needs the measured pixels after it: of every row, also rejected ones, `pixels` and `valid` become null.
    """

    format: Literal["jpg", "png"]
    quality: int
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 5

    def open(self) -> BatchFunction:
        encode_kept = over_kept(self._encode)

        def slim(table: pa.Table) -> Iterator[pa.Table]:
            emptied = {name: pa.nulls(table.num_rows, pa.large_binary()) for name in ("pixels", "valid")}
            yield from encode_kept(replace(table, **emptied))

        return slim

    def _encode(self, table: pa.Table) -> Iterator[pa.Table]:
        rendered = list(pictures(table))
        encoded = [encode(picture, self.format, self.quality) for picture in rendered]
        views = np.array([orientation_signatures(picture) for picture in rendered], dtype=np.uint64).view(np.int64)
        positions, codes = zip(*map(find_keypoints, rendered), strict=True) if rendered else ((), ())
        yield replace(
            table,
            picture=encoded,
            picture_format=[self.format] * len(encoded),
            picture_bytes=[len(data) for data in encoded],
            picture_sha256=[hashlib.sha256(data).hexdigest() for data in encoded],
            pixels_sha256=[pixels_digest(picture) for picture in rendered],
            signature=views[:, 0],
            signatures=list(views),
            faint_signature=np.array([faint_signature(picture) for picture in rendered], dtype=np.uint64).view(np.int64),
            anchors=list(np.array([anchor_signatures(picture) for picture in rendered], dtype=np.uint64).view(np.int64)),
            keypoints=[pack_positions(found) for found in positions],
            keypoint_codes=[found.view(np.int64) for found in codes],
        )
