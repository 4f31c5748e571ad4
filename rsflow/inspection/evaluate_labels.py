"""How right the labellers of a lake are: what they said of annotated tiles, held against the annotations.

One idea: only what is known is counted. A tile counts for a category where every object of it is annotated, so a box that
matches nothing there is wrong; a tile that shows a sliver of one, too small to be labelled, is left out for that category.
Where a source's annotations are not exhaustive, its annotated scenes count all the same, and it is told that some of what
looks wrong may only lack its annotation. A tile counts for a labeller only where its source asks for that labeller.

Compared is what a labeller said of each tile by itself, before models' boxes are merged over a scene: that is what its scores
speak of. Categories are compared as nouns (`Ships` and `ship`). "Any category" takes the boxes of a labeller whose noun its
sources annotate, or all of them where it has words of its own (`hot target`). It refuses to guess where there is no truth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig
from rsflow.errors import UsageError
from rsflow.inspection.annotation_truth import AnnotatedTile, AnnotationTruth, Nouns, annotation_truth, box_of
from rsflow.instructions import english as words
from rsflow.instructions.tile_facts import least_score
from rsflow.labellers import ModelLabeller, calibration, from_settings
from rsflow.labellers.coco_metrics import ANY, Claim, Compared, Quality, scored
from rsflow.labellers.detections import Detections
from rsflow.lake.receipts import read_receipt_rows
from rsflow.lake.tables import open_lake
from rsflow.phases.build import plan_build, read_config
from rsflow.planning.live_rows import LiveRows, read_live_rows
from rsflow.schemas import label_sort_key

FEW = 50  # true boxes, below which a number is hardly more than a hint

Claims = Mapping[str, Sequence[Claim]]  # by tile


@dataclass(frozen=True, slots=True)
class Seer:
    """One labeller with its settings: `key` is a model's, or the name; `sources` ask for it."""

    key: str
    name: str
    calibrated: bool
    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`notes` say what was not counted, and what makes a number weaker than it looks."""

    root: str
    iou: float
    seers: tuple[Seer, ...]
    qualities: tuple[Quality, ...]
    notes: tuple[str, ...]


def evaluate(root: str, asked: str | None = None, iou: float = 0.5) -> Evaluation:
    """Compare every labeller that makes boxes (or the `asked` one, a name or a key) with annotations of the same tiles.

    UsageError where no labeller made a box, where none of them looked at an annotated tile, or for an unknown name; LakeError
    where the lake is not labelled as its configuration wants.
    """
    if not 0 < iou <= 1:
        raise UsageError(f"--iou is {iou:g}: it must be above 0 and at most 1")
    lake = open_lake(root)
    built = read_config(lake)
    now = read_live_rows(lake, plan_build(built, lake))
    rows = _boxes(now)
    seers = _chosen(_seers(built, {_key(row) for row in rows if row["origin"] == "labeller"}), asked, root)
    truth = annotation_truth(built, now, [row for row in rows if row["origin"] == "annotation"])
    claims = _claims(built, [row for row in rows if row["origin"] == "labeller"])
    qualities = [quality for seer in seers for quality in _qualities(seer, truth, claims[seer.key], iou)]
    blind = [
        f"{seer.key} is not counted: none of its sources ({', '.join(sorted(seer.sources))}) has annotated boxes"
        for seer in seers
        if not seer.sources & truth.nouns.keys()
    ]
    if not qualities:
        raise UsageError(f"{root}: there is nothing to evaluate by: {'; '.join(blind)}")
    return Evaluation(root, iou, tuple(seers), tuple(qualities), (*blind, *_cautions(built, seers, truth, qualities)))


def calibrations(found: Evaluation) -> calibration.CalibrationFile:
    """A calibration of every labeller by its name, learned from what was judged.

    A box was judged against its own category, or against any where the labeller has words of its own. UsageError where two
    labellers share their name, where one is calibrated already, or where nothing was judged.
    """
    _check_calibratable(found)
    judged: dict[str, dict[str, list[calibration.Judged]]] = defaultdict(lambda: defaultdict(list))
    least: dict[str, dict[str, float]] = defaultdict(dict)
    named = {(one.key, one.sensor) for one in found.qualities if one.category != ANY}
    for quality in found.qualities:
        if quality.category != ANY or (quality.key, quality.sensor) not in named:
            for one in quality.scored.judged:
                judged[quality.name][one.claim.category].append((one.claim.score, one.right))
                least[quality.name][one.claim.category] = one.claim.least
    if not judged:
        raise UsageError(f"{found.root}: no labeller made a box where annotations are complete: nothing to calibrate by")
    return calibration.CalibrationFile(
        tuple(calibration.fit(name, judged[name], least[name], found.iou) for name in sorted(judged))
    )


def _check_calibratable(found: Evaluation) -> None:
    keys: dict[str, str] = {}
    for seer in found.seers:
        if seer.calibrated:
            raise UsageError(
                f"{found.root}: {seer.key} is calibrated already: build without its `calibration`, and evaluate that"
            )
        if seer.name in keys:
            raise UsageError(f"{found.root}: {keys[seer.name]} and {seer.key} are both {seer.name!r}: name one by --labeller")
        keys[seer.name] = seer.key


def _boxes(now: LiveRows) -> list[dict[str, Any]]:
    """The boxes of annotations, and those that every labeller said tile by tile."""
    seen = now.seen.filter(pc.equal(now.seen["step"], "see"))
    receipts = pa.chunked_array([*now.label["receipt"].chunks, *seen["receipt"].chunks], pa.string())
    columns = ["label_id", "tile_id", "kind", "category", "box", "score", "origin", "origin_name", "flags"]
    rows = read_receipt_rows(now.lake, "labels", receipts, columns)
    boxes: list[dict[str, Any]] = rows.filter(pc.equal(rows["kind"], "box")).sort_by("label_id").to_pylist()
    return boxes


def _key(row: Mapping[str, Any]) -> str:
    return label_sort_key(row["label_id"])[0] or str(row["origin_name"])


def _seers(built: BuildConfig, made: set[str]) -> list[Seer]:
    """The labellers that the configuration asks for and that made boxes."""
    sources: dict[tuple[str, str, bool], set[str]] = defaultdict(set)
    for source in built.sources:
        for settings in source.labellers:
            labeller = from_settings(settings)
            key = labeller.key if isinstance(labeller, ModelLabeller) else labeller.name
            calibrated = isinstance(labeller, Detections) and labeller.calibrated is not None
            sources[key, labeller.name, calibrated].add(source.name)
    return [Seer(*who, frozenset(sources[who])) for who in sorted(sources) if who[0] in made]


def _chosen(seers: list[Seer], asked: str | None, root: str) -> list[Seer]:
    if not seers:
        raise UsageError(f"{root}: no labeller has made a box here: there is nothing to evaluate")
    chosen = [seer for seer in seers if asked in (None, seer.key, seer.name)]
    if not chosen:
        known = ", ".join(seer.key for seer in seers)
        raise UsageError(f"{root}: no labeller {asked!r} has made a box here; these have: {known}")
    return chosen


def _claims(built: BuildConfig, rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, list[Claim]]]:
    """By labeller and tile."""
    claims: dict[str, dict[str, list[Claim]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        # A labeller without scores is as sure of every box.
        score = 1.0 if row["score"] is None else row["score"]
        claim = Claim(box_of(row), score, row["category"], least_score(row["category"], built.labels))
        claims[_key(row)][row["tile_id"]].append(claim)
    return claims


def _qualities(seer: Seer, truth: AnnotationTruth, claims: Claims, iou: float) -> Iterator[Quality]:
    mine = {name: tile for name, tile in sorted(truth.tiles.items()) if tile.source in seer.sources & truth.nouns.keys()}
    for sensor in sorted({tile.sensor for tile in mine.values()}):
        tiles = {name: tile for name, tile in mine.items() if tile.sensor == sensor}
        annotated = frozenset().union(*(truth.nouns[tile.source] for tile in tiles.values()))
        said = frozenset(words.noun(claim.category) for name in tiles for claim in claims.get(name, ()))
        shared = said & annotated
        for noun in [ANY, *sorted(shared)]:
            asked, meant = (annotated, shared or said) if noun == ANY else (frozenset([noun]), frozenset([noun]))
            known = {name: truth.nouns[tile.source] & asked for name, tile in tiles.items()}
            counted = {name: tile for name, tile in tiles.items() if known[name] and tile.complete_for(known[name])}
            pictures = [
                _compared(tile, claims.get(name, ()), known[name], meant & known[name] if shared else meant)
                for name, tile in counted.items()
            ]
            if pictures:
                left_out = sum(map(bool, known.values())) - len(counted)
                yield Quality(seer.key, seer.name, sensor, noun, left_out, scored(pictures, iou))


def _compared(tile: AnnotatedTile, claims: Iterable[Claim], asked: Nouns, meant: Nouns) -> Compared:
    """What there is of the nouns `asked` beside what was said of the nouns `meant`."""
    there = [(box, sure) for noun, box, sure in tile.boxes if noun in asked]
    return Compared(
        tuple(box for box, sure in there if sure),
        tuple(box for box, sure in there if not sure),
        tuple(claim for claim in claims if words.noun(claim.category) in meant),
    )


def _cautions(built: BuildConfig, seers: Iterable[Seer], truth: AnnotationTruth, qualities: Iterable[Quality]) -> Iterator[str]:
    counted = frozenset().union(*(seer.sources for seer in seers)) & truth.nouns.keys()
    for source in built.sources:
        if source.name in counted and source.annotated_set and source.annotated_set.exhaustive is False:
            yield f"{source.name}: its annotations are not exhaustive, so precision and AP may be higher than told"
    few = [f"{one.key} {one.sensor} {one.said_of}" for one in qualities if one.scored.true < FEW]
    if few:
        yield f"fewer than {FEW} true boxes, so hardly more than a hint: {', '.join(few)}"
