"""The annotated tiles of one source with their splits: the training part, and what is held out.

One idea: the splits are the selection's, which share neither ground nor pictures (rsflow.curation.splits). Only tiles that the
selection kept are used, so what lies too near to held-out ground is in neither. A tile counts where every requested category is
annotated completely, because a missing annotation would teach that there is nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig, Source
from rsflow.curation.hashing import stable_hashes
from rsflow.errors import UsageError
from rsflow.instructions.facts.objects import UNCERTAIN_FLAGS
from rsflow.labeller_training.settings import TrainingSettings
from rsflow.lake.tables import open_lake
from rsflow.phases.build import plan_build, read_config
from rsflow.phases.select.select import require_current_selection
from rsflow.planning.live_rows import LiveRows, read_live_rows
from rsflow.records import Label
from rsflow.schemas import label_from_row

FEWEST_TILES = 8  # of training, with an annotation of a category
TRAIN = "train"

_COLUMNS = ["tile_id", "scene_id", "source", "sensor", "gsd_m", "cell", "vocabulary", "height_px", "width_px"]
_PICTURE_COLUMNS = ["file", "row_group", "row", "picture_sha256"]
_KIND = {"detection": "box", "segmentation": "box", "classification": "category"}


@dataclass(frozen=True, slots=True)
class AnnotatedTile:
    """One tile: its row of the TILES table, its split, and its annotations of the task's kind."""

    row: dict[str, Any]
    split: str
    labels: tuple[Label, ...]

    @property
    def tile_id(self) -> str:
        return str(self.row["tile_id"])


@dataclass(frozen=True, slots=True)
class TrainingTiles:
    """`categories`: what is learned, sorted. `calibration` and `test`: held-out tiles; the same ones where there is one split
    only. `notes`: what was left out, and what makes a result weaker than it looks."""

    categories: tuple[str, ...]
    train: tuple[AnnotatedTile, ...]
    calibration: tuple[AnnotatedTile, ...]
    test: tuple[AnnotatedTile, ...]
    notes: tuple[str, ...]


def read_training_tiles(settings: TrainingSettings) -> TrainingTiles:
    """The tiles to train on and to judge by. UsageError for an unknown source or category, too few annotated tiles, or none
    that are held out; LakeError where the lake is not labelled and selected as its configuration asks."""
    lake = open_lake(settings.root)
    built = read_config(lake)
    source = _find_source(built, settings)
    now = read_live_rows(lake, plan_build(built, lake))
    require_current_selection(built, lake, now)
    tiles = _read_tiles(now, settings, source)
    categories = _choose_categories(tiles, settings)
    complete = [tile for tile in tiles if _is_complete(tile, categories, settings.task, source)]
    listed = () if settings.task == "classification" else categories
    notes = [*left_out_notes(tiles, complete, listed), *_ground_notes(complete, source)]
    return _divide(complete, categories, settings, notes)


def _find_source(built: BuildConfig, settings: TrainingSettings) -> Source:
    by_name = {source.name: source for source in built.sources}
    if settings.source not in by_name:
        raise UsageError(f"--source is {settings.source!r}: the lake's sources are {', '.join(by_name)}")
    source = by_name[settings.source]
    if not source.annotations:
        annotated = ", ".join(name for name, one in by_name.items() if one.annotations)
        raise UsageError(f"source {source.name!r} has no annotations to learn from; annotated sources: {annotated or 'none'}")
    return source


def _read_tiles(now: LiveRows, settings: TrainingSettings, source: Source) -> list[AnnotatedTile]:
    chosen = now.lake.read("selection", ["subject", "split"], where={"kind": "tile", "selected": True})
    splits = dict(zip(chosen["subject"].to_pylist(), chosen["split"].to_pylist(), strict=True))
    table = now.tiles([*_COLUMNS, *_PICTURE_COLUMNS], with_transfers=False)
    rows = [row for row in table.filter(pc.equal(table["source"], source.name)).to_pylist() if row["tile_id"] in splits]
    labels = _read_labels(now, {row["tile_id"] for row in rows}, _KIND[settings.task])
    return [AnnotatedTile(row, splits[row["tile_id"]], tuple(labels.get(row["tile_id"], ()))) for row in rows]


def _read_labels(now: LiveRows, tiles: set[str], kind: str) -> dict[str, list[Label]]:
    table = now.labels()
    own = pc.and_(pc.equal(table["origin"], "annotation"), pc.is_null(table["transferred_from"]))
    mine = table.filter(pc.and_(own, pc.equal(table["kind"], kind)))
    found: dict[str, list[Label]] = defaultdict(list)
    for row in mine.to_pylist():
        if row["tile_id"] in tiles:
            found[row["tile_id"]].append(label_from_row(row))
    return found


def _choose_categories(tiles: Sequence[AnnotatedTile], settings: TrainingSettings) -> tuple[str, ...]:
    counts = Counter(label.category for tile in tiles for label in tile.labels if is_sure(label))
    if not counts:
        raise UsageError(
            f"source {settings.source!r}: none of its {len(tiles):,} selected tiles has an annotation for {settings.task}"
        )
    unknown = sorted(set(settings.categories) - counts.keys())
    if unknown:
        raise UsageError(
            f"--category {unknown[0]!r} is not annotated in {settings.source!r}; its categories: {_listed(counts)}"
        )
    if settings.task == "segmentation" and not any(label.shape and label.shape.area_parts for t in tiles for label in t.labels):
        raise UsageError(f"source {settings.source!r}: its annotations have no outlines: train a detector (--task detection)")
    return tuple(sorted(settings.categories or counts))


def is_sure(label: Label) -> bool:
    """Whether annotators were sure of it: it carries none of the flags that make an object count neither way."""
    return label.shape is None or UNCERTAIN_FLAGS.isdisjoint(label.shape.flags)


def _is_complete(tile: AnnotatedTile, categories: Iterable[str], task: str, source: Source) -> bool:
    if task == "classification":
        return len({label.category for label in tile.labels}) == 1 and tile.labels[0].category in categories
    exhaustive = source.annotated_set.exhaustive if source.annotated_set else None
    return exhaustive is False or set(tile.row["vocabulary"] or ()) >= set(categories)


def left_out_notes(tiles: Sequence[AnnotatedTile], complete: Sequence[AnnotatedTile], categories: Sequence[str]) -> list[str]:
    """How many tiles are not complete, and which categories they lack: without these they could be learned from."""
    left_out = {tile.tile_id for tile in tiles} - {tile.tile_id for tile in complete}
    if not left_out:
        return []
    missing = Counter(
        name for tile in tiles if tile.tile_id in left_out for name in set(categories) - set(tile.row["vocabulary"] or ())
    )
    which = f" ({_listed(missing)}); --category learns the others alone" if missing else ""
    return [f"{len(left_out):,} tiles in which not every category is annotated completely are left out{which}"]


def _divide(
    tiles: Sequence[AnnotatedTile], categories: tuple[str, ...], settings: TrainingSettings, notes: list[str]
) -> TrainingTiles:
    by_split: dict[str, list[AnnotatedTile]] = defaultdict(list)
    for tile in tiles:
        by_split[tile.split].append(tile)
    found = ", ".join(f"{name} {len(members):,}" for name, members in sorted(by_split.items())) or "none"
    held_out = [by_split[name] for name in ("val", "test") if by_split[name]]
    if not any(tile.labels for members in held_out for tile in members):
        raise UsageError(
            f"source {settings.source!r} has no annotated held-out tile to judge by; complete tiles by split: {found}. Give "
            "select.splits a larger share of val and test, or name held-out pictures with annotations.splits, and select again"
        )
    train, apart = _apart(by_split[TRAIN], [tile for members in held_out for tile in members], settings.frames_apart)
    notes += [f"{apart:,} training tiles nearer than {settings.frames_apart} frames to a held-out one are left out"] * (
        apart > 0
    )
    with_objects = sum(any(is_sure(label) for label in tile.labels) for tile in train)
    if with_objects < FEWEST_TILES:
        raise UsageError(
            f"source {settings.source!r} has {with_objects} annotated training tiles with an object, expected at least "
            f"{FEWEST_TILES}; complete tiles by split: {found}"
        )
    if len(held_out) == 1:
        notes.append("there is one held-out split only: calibration and quality are of the same tiles")
    return TrainingTiles(categories, _at_most(train, settings), tuple(held_out[0]), tuple(held_out[-1]), tuple(notes))


def _apart(train: Sequence[AnnotatedTile], held_out: Sequence[AnnotatedTile], frames: int) -> tuple[list[AnnotatedTile], int]:
    """The training tiles whose frame numbers are at least `frames` from all held-out ones, and how many are not."""
    if not frames:
        return list(train), 0
    numbers = sorted(number for tile in held_out if (number := frame_number(tile.row["scene_id"])) is not None)
    kept = [tile for tile in train if not _is_near(frame_number(tile.row["scene_id"]), numbers, frames)]
    return kept, len(train) - len(kept)


def frame_number(scene: str) -> int | None:
    """The last number of a scene's name, as cameras count frames; None where there is none."""
    found = re.findall(r"\d+", re.sub(r"\.[A-Za-z]+$", "", scene.rpartition("/")[2]))
    return int(found[-1]) if found else None


def _is_near(number: int | None, others: Sequence[int], frames: int) -> bool:
    return number is not None and any(abs(number - other) < frames for other in others)


def _at_most(train: list[AnnotatedTile], settings: TrainingSettings) -> tuple[AnnotatedTile, ...]:
    if len(train) <= settings.most_tiles:
        return tuple(train)
    import pyarrow as pa

    order = stable_hashes(pa.chunked_array([[tile.tile_id for tile in train]]), settings.seed).argsort(kind="stable")
    return tuple(train[position] for position in sorted(order[: settings.most_tiles].tolist()))


def _ground_notes(tiles: Sequence[AnnotatedTile], source: Source) -> list[str]:
    notes = []
    if source.annotated_set and source.annotated_set.exhaustive is False:
        notes.append(
            "its annotations are not exhaustive: missing ones teach that there is nothing, and precision may be higher"
        )
    unplaced = sum(tile.row["cell"] is None for tile in tiles)
    if unplaced:
        notes.append(
            f"{unplaced:,} tiles do not say where they lie: frames of one flight may be on both sides, unless "
            "annotations.splits or --frames-apart keeps them apart"
        )
    return notes


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in sorted(counts.items()))
