"""Which tiles' labels would teach most: those that models are unsure of, and that look like nothing labelled so far.

One idea: a tile's worth is its uncertainty times its novelty, and tiles are chosen one after the other, each making those like
it less novel (uncertainty sampling, https://arxiv.org/abs/cmp-lg/9407020, with the farthest-first traversal of core-sets,
https://arxiv.org/abs/1708.00489). Uncertainty is the mean entropy, in bits, of a tile's five least certain model labels; where
no model has labelled any tile, novelty alone decides. Novelty is the distance to the nearest annotated or chosen tile: of
embeddings by cosine, where a labeller made them for every tile, else of difference hashes by their bits.

Candidates are tiles without annotations outside of held-out splits. Ties are broken by the tile's id, so the same lake gives
the same list.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig
from rsflow.errors import UsageError
from rsflow.lake.tables import open_lake
from rsflow.phases.build import plan_build, read_config
from rsflow.planning.live_rows import LiveRows, read_live_rows

HELD_OUT = ("val", "test")
LEAST_CERTAIN = 5  # labels of a tile that its uncertainty is the mean of

_COLUMNS = ["tile_id", "scene_id", "source", "sensor", "vocabulary", "signature"]

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One tile. `worth` is `uncertainty` times `novelty`, each in [0, 1]; `labels`: of models that said how sure they are."""

    rank: int
    tile_id: str
    scene_id: str
    source: str
    worth: float
    uncertainty: float
    novelty: float
    labels: int


@dataclass(frozen=True, slots=True)
class Suggestions:
    """`by`: what novelty is measured by; `notes`: what is missing that would make a better list."""

    rows: tuple[Suggestion, ...]
    candidates: int
    by: str
    notes: tuple[str, ...]


def suggest(root: str, count: int, source: str = "") -> Suggestions:
    """At most `count` tiles, the most worth first. UsageError for an unknown source, a count below 1, or no candidate."""
    if count < 1:
        raise UsageError(f"-n is {count}: expected a number from 1")
    lake = open_lake(root)
    built = read_config(lake)
    _check_source(built, source)
    now = read_live_rows(lake, plan_build(built, lake), allow_missing=True)
    tiles = now.tiles(_COLUMNS, with_transfers=False)
    annotated, scores = _read_labels(now, tiles)
    is_candidate = ~annotated & ~_is_held_out(now, tiles)
    if source:
        is_candidate &= np.asarray(pc.equal(tiles["source"], source))
    if not is_candidate.any():
        raise UsageError(f"{root}: there is no tile without annotations outside of held-out splits to suggest")
    vectors, by = _read_vectors(now, tiles)
    uncertainty, notes = _uncertainty(scores, is_candidate)
    chosen = choose(vectors, uncertainty, np.flatnonzero(is_candidate), np.flatnonzero(annotated), count)
    rows = tiles.take(pa.array([row for row, _ in chosen], pa.int64())).to_pylist()
    found = [
        Suggestion(
            rank, row["tile_id"], row["scene_id"], row["source"], round(float(uncertainty[at]) * novelty, 4),
            round(float(uncertainty[at]), 4), round(novelty, 4), len(scores[at]),
        )
        for rank, (row, (at, novelty)) in enumerate(zip(rows, chosen, strict=True), 1)
    ]  # fmt: skip
    return Suggestions(tuple(found), int(is_candidate.sum()), by, tuple(notes))


def choose(vectors: Vectors, worth: Numbers, candidates: Any, known: Any, count: int) -> list[tuple[int, float]]:
    """(row, novelty) of the candidates chosen greedily. `vectors`: rows of length 1; distances are (1 - cosine) / 2."""
    nearest = np.ones(len(candidates))
    for row in known:
        nearest = np.minimum(nearest, _distances(vectors, candidates, row))
    left = np.ones(len(candidates), dtype=np.bool_)
    found: list[tuple[int, float]] = []
    while left.any() and len(found) < count:
        best = int(np.argmax(np.where(left, worth[candidates] * nearest, -1.0)))
        found.append((int(candidates[best]), float(nearest[best])))
        left[best] = False
        nearest = np.minimum(nearest, _distances(vectors, candidates, candidates[best]))
    return found


def entropy(scores: Sequence[float]) -> float:
    """The mean entropy in bits of the least certain scores; scores that are missing count as certain."""
    p = np.clip(np.array(scores, dtype=np.float64), 1e-9, 1 - 1e-9)
    bits = np.sort(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))[::-1]
    return float(bits[:LEAST_CERTAIN].sum() / LEAST_CERTAIN)


def to_csv(found: Suggestions) -> bytes:
    text = io.StringIO()
    table = csv.DictWriter(text, list(Suggestion.__dataclass_fields__), lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(row) for row in found.rows)
    return text.getvalue().encode()


def _distances(vectors: Vectors, rows: Any, row: int) -> Numbers:
    found: Numbers = np.clip((1 - (vectors[rows] @ vectors[row]).astype(np.float64)) / 2, 0, 1)
    return found


def _check_source(built: BuildConfig, source: str) -> None:
    names = [one.name for one in built.sources]
    if source and source not in names:
        raise UsageError(f"--source is {source!r}: the lake's sources are {', '.join(names)}")


def _read_labels(now: LiveRows, tiles: pa.Table) -> tuple[npt.NDArray[np.bool_], list[list[float]]]:
    """(whether each tile is annotated, the scores of its models' labels)."""
    table = now.labels(["label_id", "tile_id", "origin", "score", "transferred_from"])
    table = table.filter(pc.is_null(table["transferred_from"]))
    places = pc.index_in(table["tile_id"], value_set=tiles["tile_id"].combine_chunks())
    annotated = np.asarray(pc.greater(pc.fill_null(pc.list_value_length(tiles["vocabulary"]), 0), 0)).copy()
    scores: list[list[float]] = [[] for _ in range(tiles.num_rows)]
    for place, origin, score in zip(places.to_pylist(), table["origin"].to_pylist(), table["score"].to_pylist(), strict=True):
        if place is None:
            continue
        if origin == "annotation":
            annotated[place] = True
        elif score is not None:
            scores[place].append(score)
    return annotated, scores


def _is_held_out(now: LiveRows, tiles: pa.Table) -> npt.NDArray[np.bool_]:
    rows = now.lake.read("selection", ["subject", "assigned_split"], where={"kind": "tile"})
    held_out = rows.filter(pc.is_in(rows["assigned_split"], value_set=pa.array(HELD_OUT)))["subject"]
    found: npt.NDArray[np.bool_] = np.asarray(pc.is_in(tiles["tile_id"], value_set=held_out.combine_chunks()))
    return found


def _uncertainty(scores: list[list[float]], is_candidate: npt.NDArray[np.bool_]) -> tuple[Numbers, list[str]]:
    values = np.array([entropy(each) if each else 0.0 for each in scores])
    if not values[is_candidate].any():
        return np.ones(len(values)), [
            "no model has labelled a candidate: novelty alone decides; a labeller makes a better list"
        ]
    return values, []


def _read_vectors(now: LiveRows, tiles: pa.Table) -> tuple[Vectors, str]:
    """A vector of length 1 for each tile, and what it is made of."""
    by_labeller: dict[str, dict[str, list[float]]] = defaultdict(dict)
    for row in now.read("embeddings", ["tile_id", "labeller", "vector"]).to_pylist():
        by_labeller[row["labeller"]][row["tile_id"]] = row["vector"]
    names = tiles["tile_id"].to_pylist()
    for labeller in sorted(by_labeller):
        found = by_labeller[labeller]
        if all(name in found for name in names):
            vectors = np.array([found[name] for name in names], dtype=np.float32)
            return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), f"embeddings of {labeller}"
    signatures = np.asarray(tiles["signature"].fill_null(0)).astype(np.int64).view(np.uint64)
    bits = np.unpackbits(signatures.view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32)
    return (bits * 2 - 1) / np.float32(8), "difference hashes"
