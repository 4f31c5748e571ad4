"""The tiles that a generating model is asked about, as the lake holds them: `generate/chosen.parquet`.

The choice is made from the selection's rules on tiles (rsflow.phases.generate.choose_tiles) and kept, so that plans,
reports and checks know the requested units without making it again.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from rsflow.errors import LakeError
from rsflow.files import storage

PLACE = ("generate", "chosen.parquet")
ROWS = pa.schema([("unit", pa.string()), ("tile_id", pa.string()), ("kinds", pa.list_(pa.string()))])
_DIGEST = b"digest"

RequestedKinds = tuple[tuple[str, tuple[str, ...]], ...]  # (tile, kinds of text), by tile


@dataclass(frozen=True, slots=True)
class ChosenTiles:
    """`digest`: of what the choice was made from, empty where none was made yet. `by_unit`: what is asked, by label unit."""

    digest: str = ""
    by_unit: Mapping[str, RequestedKinds] = field(default_factory=dict)


def read_chosen_tiles(root: str) -> ChosenTiles:
    place = storage.join(root, *PLACE)
    if not storage.exists(place):
        return ChosenTiles()
    try:
        rows = pq.read_table(io.BytesIO(storage.read_bytes(place)))
        digest = (rows.schema.metadata or {})[_DIGEST].decode()
        return ChosenTiles(digest, _group_by_unit(rows.select(ROWS.names)))
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise LakeError(f"{place}: is no list of chosen tiles ({error}): delete it, the next build makes it again") from error


def write_chosen_tiles(root: str, digest: str, rows: pa.Table) -> ChosenTiles:
    """`rows`: ROWS."""
    rows = rows.cast(ROWS).sort_by([("unit", "ascending"), ("tile_id", "ascending")])
    sink = io.BytesIO()
    pq.write_table(rows.replace_schema_metadata({_DIGEST: digest.encode()}), sink)
    storage.write_bytes(storage.join(root, *PLACE), sink.getvalue())
    return ChosenTiles(digest, _group_by_unit(rows))


def _group_by_unit(rows: pa.Table) -> dict[str, RequestedKinds]:
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for unit, tile_id, kinds in zip(*(rows[name].to_pylist() for name in ROWS.names), strict=True):
        found[unit].append((tile_id, tuple(kinds)))
    return {unit: tuple(chosen) for unit, chosen in found.items()}
