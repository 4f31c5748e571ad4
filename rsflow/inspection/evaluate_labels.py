"""How right the labellers of a lake are: their labels of annotated tiles, compared with the annotations.

One idea: only what is known is counted. A tile counts for a category where every object of it is annotated, so a box that
matches nothing there is wrong; a tile that shows a sliver of one, too small to be labelled, is left out for that category.
Where a source's annotations are not exhaustive, its annotated scenes count all the same, with a note that some of what
looks wrong may only lack its annotation. A tile counts for a labeller only where its source asks for that labeller.

Compared are the labels that a labeller gave each tile by itself, before models' boxes are merged over a scene: these are what
its scores are of. Categories are compared as nouns (`Ships` and `ship`). "Any category" takes the boxes of a labeller whose
noun its sources annotate, or all of them where it has words of its own (`hot target`). It refuses to guess where there is no
truth.
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
from rsflow.inspection.annotation_truth import AnnotatedTile, AnnotationTruth, Nouns, axis_aligned_box, read_annotation_truth
from rsflow.instructions.facts.tile_facts import min_score_of
from rsflow.instructions.wording import english
from rsflow.labellers import ModelLabeller, from_settings
from rsflow.labellers.models.detections import DetectionLabeller
from rsflow.labellers.quality import calibration
from rsflow.labellers.quality.coco_metrics import ANY, EvaluatedPicture, Quality, ScoredBox, evaluate_boxes
from rsflow.lake.receipts import read_receipt_rows
from rsflow.lake.tables import open_lake
from rsflow.phases.build import plan_build, read_config
from rsflow.planning.live_rows import LiveRows, read_live_rows
from rsflow.schemas import label_sort_key

FEW_TRUE_BOXES = 50  # true boxes, below which a number is hardly more than a hint

BoxesByTile = Mapping[str, Sequence[ScoredBox]]  # by tile


@dataclass(frozen=True, slots=True)
class EvaluatedLabeller:
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
    labellers: tuple[EvaluatedLabeller, ...]
    qualities: tuple[Quality, ...]
    notes: tuple[str, ...]


def evaluate(root: str, labeller: str | None = None, iou: float = 0.5) -> Evaluation:
    """Compare every labeller that makes boxes (or one `labeller`, by name or key) with annotations of the same tiles.

    UsageError where no labeller made a box, where none of them labelled an annotated tile, or for an unknown name; LakeError
    where the lake is not labelled as its configuration wants.
    """
    if not 0 < iou <= 1:
        raise UsageError(f"--iou is {iou:g}: it must be above 0 and at most 1")
    lake = open_lake(root)
    built = read_config(lake)
    return evaluate_live_rows(built, read_live_rows(lake, plan_build(built, lake)), labeller, iou)


def evaluate_live_rows(built: BuildConfig, now: LiveRows, labeller: str | None = None, iou: float = 0.5) -> Evaluation:
    """The same of rows that are already known. UsageError as there."""
    root, rows = now.lake.root, _read_boxes(now)
    evaluated = _filter_labellers(
        _labellers_with_boxes(built, {_labeller_key(row) for row in rows if row["origin"] == "labeller"}), labeller, root
    )
    truth = read_annotation_truth(built, now, [row for row in rows if row["origin"] == "annotation"])
    claims = _group_claims(built, [row for row in rows if row["origin"] == "labeller"])
    qualities = [quality for candidate in evaluated for quality in _measure(candidate, truth, claims[candidate.key], iou)]
    without_truth = [
        f"{candidate.key} is not counted: none of its sources ({', '.join(sorted(candidate.sources))}) has annotated boxes"
        for candidate in evaluated
        if not candidate.sources & truth.nouns.keys()
    ]
    if not qualities:
        raise UsageError(f"{root}: there is nothing to evaluate by: {'; '.join(without_truth)}")
    return Evaluation(
        root, iou, tuple(evaluated), tuple(qualities), (*without_truth, *_find_caveats(built, evaluated, truth, qualities))
    )


def fit_calibrations(found: Evaluation) -> calibration.CalibrationFile:
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
            for one in quality.evaluation.judged:
                judged[quality.name][one.scored_box.category].append((one.scored_box.score, one.right))
                least[quality.name][one.scored_box.category] = one.scored_box.threshold
    if not judged:
        raise UsageError(f"{found.root}: no labeller made a box where annotations are complete: nothing to calibrate by")
    return calibration.CalibrationFile(
        tuple(calibration.fit(name, judged[name], least[name], found.iou) for name in sorted(judged))
    )


def _check_calibratable(found: Evaluation) -> None:
    keys: dict[str, str] = {}
    for candidate in found.labellers:
        if candidate.calibrated:
            raise UsageError(
                f"{found.root}: {candidate.key} is calibrated already: build without its `calibration`, and evaluate that"
            )
        if candidate.name in keys:
            raise UsageError(
                f"{found.root}: {keys[candidate.name]} and {candidate.key} are both {candidate.name!r}: name one by --labeller"
            )
        keys[candidate.name] = candidate.key


def _read_boxes(now: LiveRows) -> list[dict[str, Any]]:
    """The boxes of annotations, and those of every labeller, tile by tile."""
    receipts = pa.concat_tables([now.label, now.marks["predict"]])["receipt"]
    columns = ["label_id", "tile_id", "kind", "category", "box", "score", "origin", "origin_name", "flags"]
    rows = read_receipt_rows(now.lake, "labels", receipts, columns)
    boxes: list[dict[str, Any]] = rows.filter(pc.equal(rows["kind"], "box")).sort_by("label_id").to_pylist()
    return boxes


def _labeller_key(row: Mapping[str, Any]) -> str:
    return label_sort_key(row["label_id"])[0] or str(row["origin_name"])


def _labellers_with_boxes(built: BuildConfig, made: set[str]) -> list[EvaluatedLabeller]:
    """The labellers that the configuration asks for and that made boxes."""
    sources: dict[tuple[str, str, bool], set[str]] = defaultdict(set)
    for source in built.sources:
        for settings in source.labellers:
            labeller = from_settings(settings)
            key = labeller.key if isinstance(labeller, ModelLabeller) else labeller.name
            calibrated = isinstance(labeller, DetectionLabeller) and labeller.calibrated is not None
            sources[key, labeller.name, calibrated].add(source.name)
    return [EvaluatedLabeller(*who, frozenset(sources[who])) for who in sorted(sources) if who[0] in made]


def _filter_labellers(made_boxes: list[EvaluatedLabeller], labeller: str | None, root: str) -> list[EvaluatedLabeller]:
    if not made_boxes:
        raise UsageError(f"{root}: no labeller has made a box here: there is nothing to evaluate")
    chosen = [candidate for candidate in made_boxes if labeller in (None, candidate.key, candidate.name)]
    if not chosen:
        known = ", ".join(candidate.key for candidate in made_boxes)
        raise UsageError(f"{root}: no labeller {labeller!r} has made a box here; these have: {known}")
    return chosen


def _group_claims(built: BuildConfig, rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, list[ScoredBox]]]:
    """By labeller and tile."""
    claims: dict[str, dict[str, list[ScoredBox]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        # A labeller without scores is as sure of every box.
        score = 1.0 if row["score"] is None else row["score"]
        claim = ScoredBox(axis_aligned_box(row), score, row["category"], min_score_of(row["category"], built.labels))
        claims[_labeller_key(row)][row["tile_id"]].append(claim)
    return claims


def _measure(evaluated: EvaluatedLabeller, truth: AnnotationTruth, claims: BoxesByTile, iou: float) -> Iterator[Quality]:
    mine = {name: tile for name, tile in sorted(truth.tiles.items()) if tile.source in evaluated.sources & truth.nouns.keys()}
    for sensor in sorted({tile.sensor for tile in mine.values()}):
        tiles = {name: tile for name, tile in mine.items() if tile.sensor == sensor}
        annotated = frozenset().union(*(truth.nouns[tile.source] for tile in tiles.values()))
        predicted = frozenset(english.singular_noun(claim.category) for name in tiles for claim in claims.get(name, ()))
        shared = predicted & annotated
        for noun in [ANY, *sorted(shared)]:
            one = frozenset([noun])
            expected_nouns, found_nouns = (annotated, shared or predicted) if noun == ANY else (one, one)
            known = {name: truth.nouns[tile.source] & expected_nouns for name, tile in tiles.items()}
            counted = {name: tile for name, tile in tiles.items() if known[name] and tile.complete_for(known[name])}
            pictures = [
                _compare_tile(tile, claims.get(name, ()), known[name], found_nouns & known[name] if shared else found_nouns)
                for name, tile in counted.items()
            ]
            if pictures:
                left_out = sum(map(bool, known.values())) - len(counted)
                yield Quality(evaluated.key, evaluated.name, sensor, noun, left_out, evaluate_boxes(pictures, iou))


def _compare_tile(
    tile: AnnotatedTile, claims: Iterable[ScoredBox], expected_nouns: Nouns, found_nouns: Nouns
) -> EvaluatedPicture:
    """The annotated boxes of `expected_nouns`, and the predicted ones of `found_nouns`."""
    expected = [(box, sure) for noun, box, sure in tile.boxes if noun in expected_nouns]
    return EvaluatedPicture(
        tuple(box for box, sure in expected if sure),
        tuple(box for box, sure in expected if not sure),
        tuple(claim for claim in claims if english.singular_noun(claim.category) in found_nouns),
    )


def _find_caveats(
    built: BuildConfig, labellers: Iterable[EvaluatedLabeller], truth: AnnotationTruth, qualities: Iterable[Quality]
) -> Iterator[str]:
    counted = frozenset().union(*(candidate.sources for candidate in labellers)) & truth.nouns.keys()
    for source in built.sources:
        if source.name in counted and source.annotated_set and source.annotated_set.exhaustive is False:
            yield f"{source.name}: its annotations are not exhaustive, so precision and AP may be higher than given"
    few = [f"{one.key} {one.sensor} {one.category_name}" for one in qualities if one.evaluation.true < FEW_TRUE_BOXES]
    if few:
        yield f"fewer than {FEW_TRUE_BOXES} true boxes, so hardly more than a hint: {', '.join(few)}"
