"""What one tile of a cell gets from another: labels that hold for it, and of which categories these are all.

One idea: labels are passed by topic, and a topic comes from one tile alone, so that nothing is counted twice: the objects of a
noun, the land cover, the class of the picture. A tile's own annotation of a topic is never added to, its own pseudo-labels
give way to annotations only. What is not passed although the tile may show it is unknown there, never absent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rsflow.annotations.joining.clip_labels import clip_labels
from rsflow.cells.registration import Shift
from rsflow.config.group_settings import Transfer
from rsflow.instructions.facts.completeness import complete_categories, is_unspecific
from rsflow.instructions.wording import english
from rsflow.records import Label, Shape
from rsflow.spatial.geometry import Box, Window, bounding_box, corners, to_quad
from rsflow.spatial.polygons import parts_bounds
from rsflow.stages.label.hide_small_objects import shorter_side
from rsflow.stages.transfer.moving_things import is_moving
from rsflow.stages.transfer.tile_pair import TilePair

Mask = npt.NDArray[np.bool_]
PASSED_KINDS = frozenset({"box", "category", "cover", "presence"})
COVER, SCENE_CLASS = "land cover", "class of the picture"  # topics that are no noun of an object


@dataclass(frozen=True)
class Passed:
    """`labels` in pixels of the target. `vocabulary`: categories of which these are all. `unknown`: categories of what the
    target may show without a label for it. `lost`: (reason, category) of each label that does not hold."""

    labels: tuple[Label, ...]
    vocabulary: tuple[str, ...]
    unknown: tuple[str, ...]
    lost: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Visible:
    """Pixels (rows, cols) of a tile that show the ground: `valid` where there is no fill (None: everywhere), `may_be_cloud`
    where cloud may hide it (None: nowhere)."""

    valid: Mask | None = None
    may_be_cloud: Mask | None = None

    def valid_share(self, box: Box) -> float:
        return 1.0 if self.valid is None else float(_inside(self.valid, box).mean())

    def share(self, box: Box) -> float:
        if self.may_be_cloud is None:
            return self.valid_share(box)
        clear = ~_inside(self.may_be_cloud, box)
        return float((clear if self.valid is None else clear & _inside(self.valid, box)).mean())


def topic_of(label: Label) -> str:
    if label.kind == "cover":
        return COVER
    return SCENE_CLASS if label.kind == "category" else english.singular_noun(label.category)


def own_topics(labels: Iterable[Label], vocabulary: Iterable[str], unknown: Iterable[str], annotated_only: bool) -> set[str]:
    """What a tile says itself: the topics of its labels (with `annotated_only`, of its annotations) and the nouns of which it
    is known whether all are labelled."""
    mine = (label for label in labels if label.kind in PASSED_KINDS)
    found = {topic_of(label) for label in mine if label.provenance.origin == "annotation" or not annotated_only}
    return {*found, *map(english.singular_noun, vocabulary), *map(english.singular_noun, unknown)} - {""}


def is_open(topic: str, taken: Collection[str]) -> bool:
    """Whether a topic, or another noun for the same things, is not among those `taken`."""
    return bool(topic) and topic not in taken and not any(english.may_name_same_object(topic, other) for other in taken)


def pass_labels(
    labels: Sequence[Label],
    vocabulary: Sequence[str],
    unknown: Sequence[str],
    pair: TilePair,
    shift: Shift,
    visible: Visible,
    settings: Transfer,
    min_visibility: float,
) -> Passed:
    """`labels`: those of the source on topics that are open in the target; `vocabulary` and `unknown`: the source's categories
    of such topics. `visible`: what of the target shows the ground."""
    kept, lost, hidden = list[Label](), list[tuple[str, str]](), set[str](unknown)
    for label in labels:
        reason = _reason_against(label, pair, settings)
        moved = None if reason else _moved(label, pair, shift, min_visibility)
        reason = reason or _reason_unseen(moved, visible, settings, min_visibility)
        if moved is None or reason:
            lost.append((reason, label.category))
            hidden |= {label.category} if label.kind != "cover" and reason not in ("not_shown", "partly_shown") else set()
        else:
            kept.append(moved)
            hidden |= {label.category} if moved.kind == "presence" else set()
    still = [name for name in vocabulary if pair.is_simultaneous or not is_moving(name, settings.moving)]
    names_all = pair.source_shows_everything and not pair.target_is_finer and "box" in settings.kinds
    complete = complete_categories(still, hidden) if names_all else []
    incomplete = {*hidden, *(name for name in vocabulary if name not in complete)}
    return Passed(
        tuple(kept), tuple(complete), tuple(sorted(name for name in incomplete if not is_unspecific(name))), tuple(lost)
    )


def _reason_against(label: Label, pair: TilePair, settings: Transfer) -> str:
    """Why a label does not hold for the target at all; empty where it may."""
    if label.kind not in settings.kinds:
        return "kind_not_passed"
    if not pair.is_simultaneous and is_moving(label.category, settings.moving):
        return "moving_thing"
    return "partly_shown" if label.kind != "box" and not pair.shows_same_area else ""


def _reason_unseen(moved: Label | None, visible: Visible, settings: Transfer, min_visibility: float) -> str:
    """Why the target does not show an object; empty where it does, or where the label is of the whole tile. `not_shown` only
    where all of it is fill: what is white may be the object itself, a roof or a salt pan."""
    if moved is None:
        return "cut_off"
    if moved.kind != "box" or moved.shape is None:
        return ""
    if shorter_side(moved.shape) < settings.min_size_px:
        return "too_small"
    box = moved.shape.box
    if visible.share(box) >= min_visibility:
        return ""
    return "hidden" if visible.valid_share(box) else "not_shown"


def _moved(label: Label, pair: TilePair, shift: Shift, min_visibility: float) -> Label | None:
    """The label in pixels of the target; None where that shows too little of it."""
    marked = replace(label, provenance=replace(label.provenance, transferred_from=pair.source["tile_id"]))
    if label.shape is None:
        return marked
    shape = label.shape
    parts = tuple(tuple(pair.move_ring(ring, shift) for ring in part) for part in shape.area_parts)
    box = parts_bounds(parts) if parts else bounding_box(to_quad(pair.move_ring(corners(shape.box), shift)))
    moved = replace(marked, shape=Shape.of_parts(box, parts, shape.visibility, shape.oriented, shape.flags))
    frame = Window(0, 0, pair.target["height_px"], pair.target["width_px"])
    if label.kind == "box":
        return next(iter(clip_labels([moved], frame, min_visibility, frame.box)), None)
    inside = clip_labels([replace(moved, kind="box")], frame, 0.0, frame.box)
    return replace(inside[0], kind=label.kind) if inside else replace(moved, shape=None)


def _inside(mask: Mask, box: Box) -> Mask:
    """The pixels of a box, at least one."""
    height, width = mask.shape
    left, top = min(max(int(box[0]), 0), width - 1), min(max(int(box[1]), 0), height - 1)
    return mask[top : max(round(box[3]), top + 1), left : max(round(box[2]), left + 1)]
