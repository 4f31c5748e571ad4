"""Embeddings of samples in the plane: the two principal components of a model's vectors.

One idea: the same vectors give the same picture: a fair draw of at most MOST_POINTS samples (by key, a hash), and components
whose signs are fixed by their largest entry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rsflow.viewer.index.lake_rows import LakeRows
from rsflow.viewer.queries.filters import SampleFilter
from rsflow.viewer.queries.pages import condition_of

MOST_POINTS = 20_000


def embedding_map(rows: LakeRows, chosen: SampleFilter, labeller: str = "") -> dict[str, Any]:
    """`labellers`: those that made vectors; of the asked one (default: the first) `points`: key, x, y in [0, 1], split, sensor,
    source; `explained`: the share of the variance that the two components hold."""
    source, parameters = rows.index.tables.select("embeddings", ["labeller"])
    known = rows.index.rows(f"SELECT DISTINCT labeller FROM ({source}) ORDER BY labeller", parameters)
    labellers = [row["labeller"] for row in known]
    found: dict[str, Any] = {
        "labellers": labellers,
        "labeller": labeller or next(iter(labellers), ""),
        "points": [],
        "explained": 0.0,
    }
    if not labellers:
        return found
    condition, parameters, tables = condition_of(rows, chosen)
    query = f"SELECT tile_id, key, split, sensor, source FROM samples s WHERE {condition} ORDER BY key LIMIT {MOST_POINTS}"
    drawn = {row["tile_id"]: row for row in rows.index.table(query, parameters, tables).to_pylist()}
    vectors = [
        row
        for row in rows.read("embeddings", "tile_id", list(drawn), ["tile_id", "labeller", "vector"])
        if row["labeller"] == found["labeller"]
    ]
    vectors.sort(key=lambda row: str(row["tile_id"]))
    if len(vectors) < 2:
        return found
    places, explained = project(np.array([row["vector"] for row in vectors], dtype=np.float64))
    found["explained"] = explained
    found["points"] = [
        [drawn[row["tile_id"]][name] for name in ("key", "split", "sensor", "source")]
        + [round(float(x), 4), round(float(y), 4)]
        for row, (x, y) in zip(vectors, places, strict=True)
    ]
    return found


def project(vectors: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """(n, 2) places in [0, 1] of (n, d) vectors along their two principal components, and the share of variance in them."""
    centred = vectors - vectors.mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    places = centred @ axes
    if places.shape[1] < 2:
        places = np.column_stack([places, np.zeros(len(places))])
    span = np.ptp(places, axis=0).max() or 1.0
    total = values.sum()
    return (places - places.min(axis=0)) / span, float(values[::-1][:2].sum() / total) if total > 0 else 0.0
