"""The annotated truth of a lake's tiles: their boxes, and the categories whose boxes are complete.

One idea: a tile without an annotation is not a tile without an object. Of each tile it is kept for which nouns its annotations
are complete (its vocabulary), so that what a labeller finds beyond them is known to be wrong only where it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rsflow.config.settings import BuildConfig
from rsflow.instructions.facts.objects import UNCERTAIN_FLAGS
from rsflow.instructions.wording import english
from rsflow.planning.live_rows import LiveRows
from rsflow.spatial.geometry import Box

Nouns = frozenset[str]


@dataclass(frozen=True, slots=True)
class AnnotatedTile:
    """`complete`: nouns of which every object is annotated; None where its source's annotations are not exhaustive.

    `boxes`: (noun, box in tile pixels, whether the annotators were sure).
    """

    sensor: str
    source: str
    complete: Nouns | None
    boxes: tuple[tuple[str, Box, bool], ...]

    def complete_for(self, nouns: Nouns) -> bool:
        return self.complete is None or self.complete >= nouns


@dataclass(frozen=True, slots=True)
class AnnotationTruth:
    """Tiles of annotated scenes by id, and by source the nouns of which it annotates objects."""

    tiles: Mapping[str, AnnotatedTile]
    nouns: Mapping[str, Nouns]


def read_annotation_truth(built: BuildConfig, now: LiveRows, annotated: Iterable[Mapping[str, Any]]) -> AnnotationTruth:
    """The truth of a lake's tiles; `annotated`: LABELS rows of its annotated boxes."""
    boxes: dict[str, list[tuple[str, Box, bool]]] = defaultdict(list)
    for row in annotated:
        sure = UNCERTAIN_FLAGS.isdisjoint(row["flags"] or ())
        boxes[row["tile_id"]].append((english.singular_noun(row["category"]), axis_aligned_box(row), sure))
    exhaustive = {source.name: source.annotated_set.exhaustive is not False for source in built.sources if source.annotated_set}
    rows = now.tiles(["tile_id", "scene_id", "source", "sensor", "vocabulary"], with_transfers=False).to_pylist()
    scenes = {row["scene_id"] for row in rows if row["vocabulary"] or row["tile_id"] in boxes}
    tiles: dict[str, AnnotatedTile] = {}
    for row in rows:
        if row["source"] in exhaustive and row["scene_id"] in scenes:
            complete = frozenset(map(english.singular_noun, row["vocabulary"] or ())) if exhaustive[row["source"]] else None
            tiles[row["tile_id"]] = AnnotatedTile(row["sensor"], row["source"], complete, tuple(boxes.get(row["tile_id"], ())))
    return AnnotationTruth(tiles, _nouns(tiles.values()))


def axis_aligned_box(row: Mapping[str, Any]) -> Box:
    x0, y0, x1, y1 = row["box"]
    return (x0, y0, x1, y1)


def _nouns(tiles: Iterable[AnnotatedTile]) -> dict[str, Nouns]:
    nouns: dict[str, set[str]] = defaultdict(set)
    with_boxes = set()
    for tile in tiles:
        nouns[tile.source] |= (tile.complete or set()) | {noun for noun, _, _ in tile.boxes}
        with_boxes |= {tile.source} if tile.boxes else set()
    # A vocabulary without a single box is one of whole pictures' classes, not of objects.
    return {source: frozenset(nouns[source] - {""}) for source in sorted(with_boxes)}
