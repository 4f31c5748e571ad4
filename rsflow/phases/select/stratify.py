"""Categories of tiles by their labels, for stratified splits and for their report.

A category counts once per tile, whether an annotation or a labeller gave it; image statistics such as brightness are no
category. For 100 million tiles and 1 billion labels: 8 bytes per pair of tile and category, one pass over three columns.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices
from rsflow.curation.instruction_columns import build_id_index
from rsflow.curation.splits.stratified import build_strata
from rsflow.curation.value_codes import encode_values
from rsflow.phases.select.lake_columns import read_tiles
from rsflow.planning.live_rows import LiveRows

CONTENT_KINDS = ("box", "category", "cover", "phrase", "presence")  # of labels that name visible content

_WIDTH = 1 << 24  # more than there are categories

StratumCounts = dict[tuple[str, str], dict[str, int]]


def read_tile_categories(now: LiveRows, tiles: pa.ChunkedArray) -> pa.LargeListArray:
    """The different categories of the labels that count of each of these tiles (ids)."""
    index = build_id_index(tiles)
    numbers: dict[str, int] = {}
    keys = [np.empty(0, dtype=np.int64)]
    for every in now.batches("labels", ["tile_id", "kind", "category"]):
        named = pc.and_(pc.is_in(every["kind"], value_set=pa.array(CONTENT_KINDS)), pc.not_equal(every["category"], ""))
        rows = every.filter(named)
        tile, category = encode_values(rows["tile_id"]), encode_values(rows["category"])
        codes = [numbers.setdefault(name, len(numbers)) for name in category.dictionary.to_pylist()]
        code = np.array(codes, dtype=np.int64)[np.asarray(category.indices)]
        row = index.find(tile.dictionary)[np.asarray(tile.indices)]
        keys.append(np.unique((row * _WIDTH + code)[row >= 0]))
    row, code = np.divmod(np.unique(np.concatenate(keys)), _WIDTH)
    values = pa.DictionaryArray.from_arrays(pa.array(code.astype(np.int32)), pa.array(list(numbers), pa.string()))
    starts: Indices = np.searchsorted(row, np.arange(len(tiles) + 1))
    return pa.LargeListArray.from_arrays(pa.array(starts), values)


def count_by_stratum(now: LiveRows) -> StratumCounts:
    """Tiles that are in, by (sensor, category) and split; the category "" stands for all of the sensor."""
    chosen = now.lake.read("selection", ["kind", "subject", "split"], where={"selected": True, "kind": "tile"})
    tiles = read_tiles(now, ["tile_id", "sensor"])
    place = pc.index_in(tiles["tile_id"], value_set=chosen["subject"].combine_chunks())
    tiles = tiles.append_column("split", chosen["split"].take(place)).filter(pc.is_valid(place))
    strata = build_strata(tiles["sensor"], pa.chunked_array([read_tile_categories(now, tiles["tile_id"])]))
    split = encode_values(tiles["split"])
    width = len(split.dictionary)
    counts = Counter((strata.code * width + np.asarray(split.indices, dtype=np.int64)[strata.row]).tolist())
    shares: StratumCounts = defaultdict(dict)
    for key, count in sorted(counts.items()):
        shares[strata.names[key // width]][split.dictionary[key % width].as_py()] = count
    return dict(shares)
