"""Embedding vectors of the tiles, where the selection uses them.

All are held in memory: 2 KiB per tile at 512 numbers, and the same again while pairs are searched.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.select_settings import Select
from rsflow.curation.duplicates.pictures.embeddings import TileEmbeddings
from rsflow.errors import ConfigError
from rsflow.planning.live_rows import LiveRows


def load_embeddings(now: LiveRows, tiles: pa.Table, settings: Select) -> TileEmbeddings | None:
    """The vectors by rows of `tiles`; None where `select.semantic` is not set. ConfigError where its labeller made none."""
    semantic = settings.semantic
    if semantic is None or not tiles.num_rows:
        return None
    found = now.embeddings(semantic.labeller)
    rows = pc.index_in(found["tile_id"], value_set=tiles["tile_id"].combine_chunks())
    found = found.filter(pc.is_valid(rows))
    if not found.num_rows:
        raise ConfigError(f"select.semantic.labeller: no labeller {semantic.labeller!r} has made a vector of any tile")
    lengths = pc.unique(pc.list_value_length(found["vector"])).to_pylist()
    if len(lengths) > 1:
        raise ConfigError(
            f"select.semantic.labeller: vectors of {semantic.labeller!r} have "
            f"{' and '.join(map(str, sorted(lengths)))} numbers: give the models of two sources two names"
        )
    vectors = [np.asarray(chunk.flatten(), dtype=np.float32) for chunk in found["vector"].chunks]
    places = np.asarray(rows.drop_null(), dtype=np.int64)
    return TileEmbeddings(places, np.concatenate(vectors).reshape(-1, lengths[0]), semantic.cosine)
