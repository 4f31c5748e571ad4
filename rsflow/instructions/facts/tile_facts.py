"""What a tile's labels state: groups of objects, land cover, measured attributes, and which labels may feed a task.

Tasks never read raw labels. They use groups (all objects of one noun, from top to bottom by upper edge, then from left to
right) and completeness: a list, a count, "the only one" and an absence need a complete category of the tile's vocabulary. A
labeller's boxes are present, and at least that many: its quality is a precision and says nothing of what it missed. Objects
that annotators were not sure of (rsflow.instructions.facts.objects) are in no group and make their category incomplete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace

from rsflow.config import settings as config
from rsflow.instructions.facts.objects import TileObject, is_uncertain, tile_object
from rsflow.instructions.wording import english
from rsflow.records import Label, LabelKind, TileFacts
from rsflow.spatial.box_index import overlapping
from rsflow.spatial.geometry import Box, area, enclosing_box

# Mass nouns of the land-cover classes; "" for rest classes.
_COVERS = {
    **dict.fromkeys(["built-up", "built up", "builtup", "urban", "artificial"], "built-up land"),
    **dict.fromkeys(["bare", "bare soil", "soil", "bare ground"], "bare soil"),
    **dict.fromkeys(["tree", "trees", "tree cover"], "tree cover"),
    **dict.fromkeys(["building", "buildings", "building area"], "building area"),
    **dict.fromkeys(["road", "roads", "road surface"], "road surface"),
    **dict.fromkeys(["impervious surface", "impervious surfaces"], "impervious surface"),
    **dict.fromkeys(["agriculture", "agricultural", "cropland", "crops", "farmland"], "farmland"),
    **dict.fromkeys(["barren", "barren land"], "barren land"),
    **dict.fromkeys(["other", "others", "unknown", "background", "unclassified", "clutter", "no data", "no water"], ""),
}
# Rest classes whose ground is unknown.
_UNKNOWN_COVERS = frozenset(["unknown", "unclassified", "no data", "ignore", "ignored", "unlabelled", "unlabeled"])


_OF_OBJECTS = frozenset({"box", "category", "phrase", "presence"})  # kinds of labels that say that something is there

SAME_IOU = 0.5  # boxes of two labellers that overlap so much show one object


@dataclass(frozen=True, slots=True)
class Group:
    """All objects of one noun that are certain. `category` is the label's own spelling (the first in order where several read
    the same), `unsure` the number of those that are not certain."""

    noun: str
    category: str
    objects: tuple[TileObject, ...]
    complete: bool
    in_vocabulary: bool
    uncertain_count: int = 0

    @property
    def oriented(self) -> bool:
        return all(thing.quad for thing in self.objects)

    @property
    def exact(self) -> bool:
        """Whether its number is known."""
        return self.complete

    @property
    def count(self) -> int:
        return len(self.objects)

    @property
    def labels(self) -> tuple[int, ...]:
        return tuple(thing.label for thing in self.objects)

    @property
    def hull(self) -> Box:
        return enclosing_box([thing.box for thing in self.objects])

    def smallest_px(self) -> float:
        return min(thing.shorter_px for thing in self.objects)

    def largest_px(self) -> float:
        return max(thing.shorter_px for thing in self.objects)


@dataclass(frozen=True, slots=True)
class Cover:
    """A share of the valid pixels. `name`: a mass noun, empty for a rest class. `region`: the box of its largest part."""

    label: int
    category: str
    name: str
    share: float
    region: Box | None


def trusted_labels(facts: TileFacts, settings: config.Labels) -> tuple[int, ...]:
    """Positions of the labels that may feed a task, in order.

    Annotations always, measured facts always. Any other pseudo-label needs a known quality of at least `min_quality` and,
    where it has a score, at least the `min_score` of its category; a pseudo box yields to annotated boxes of its noun and to
    a vocabulary that holds it, and to a better box of another labeller in its place; a pseudo land cover to an annotated map of
    the tile.
    """
    mapped = any(label.kind == "cover" and label.provenance.origin == "annotation" for label in facts.labels)
    annotated_nouns = {english.singular_noun(category) for category in facts.vocabulary}
    annotated_nouns |= {
        english.singular_noun(label.category)
        for label in facts.labels
        if label.kind == "box" and label.provenance.origin == "annotation"
    }
    good = [position for position, label in enumerate(facts.labels) if _is_trusted(label, settings, annotated_nouns)]
    lost = _superseded_boxes(facts, good) | {
        position for position in good if mapped and _is_predicted_cover(facts.labels[position])
    }
    return tuple(position for position in good if position not in lost)


def min_score_of(category: str, settings: config.Labels) -> float:
    """The score from which a pseudo-label of this category may feed a task; categories are compared as nouns."""
    if not isinstance(settings.min_score, dict):
        return settings.min_score
    by_noun = {english.singular_noun(name): least for name, least in settings.min_score.items() if name != "*"}
    return by_noun.get(english.singular_noun(category), settings.min_score.get("*", 0.5))


def with_labels(facts: TileFacts, positions: tuple[int, ...]) -> TileFacts:
    """The same tile with just these labels."""
    return replace(facts, labels=tuple(facts.labels[position] for position in positions))


def object_groups(facts: TileFacts) -> list[Group]:
    """The tile's objects by noun, nouns in alphabetical order. Boxes without an area are no objects."""
    members = _labels_by_noun(facts)
    vocabulary = {english.singular_noun(category) for category in facts.vocabulary}
    found = [_group(noun, members[noun], vocabulary, members.keys(), facts) for noun in sorted(members)]
    return [group for group in found if group.objects]


def large_enough(groups: list[Group], least_px: float) -> list[Group]:
    """The groups of which at least one object is at least `least_px` wide: a sliver alone supports no statement."""
    return [group for group in groups if group.largest_px() >= least_px]


def uncertain_by_noun(facts: TileFacts) -> dict[str, int]:
    """Every noun of the tile's boxes, the uncertain ones too, with how many of these there are; in alphabetical order."""
    members = _labels_by_noun(facts)
    return {noun: sum(is_uncertain(label) for _, label in members[noun]) for noun in sorted(members)}


def has_several_categories(facts: TileFacts) -> bool:
    """Whether an object of the tile may be of one of several categories: with one alone its name would be no answer."""
    nouns = {english.singular_noun(category) for category in facts.vocabulary}
    nouns |= {english.singular_noun(label.category) for label in facts.labels if label.kind in _OF_OBJECTS}
    return len(nouns - {""}) > 1


def is_cut_off(thing: TileObject, facts: TileFacts) -> bool:
    """Whether the tile's edge cuts through the object: only part of it shows, and its box reaches the edge."""
    x0, y0, x1, y1 = thing.box
    return thing.truncated and (x0 < 1 or y0 < 1 or x1 > facts.width_px - 1 or y1 > facts.height_px - 1)


def absent_categories(facts: TileFacts) -> list[str]:
    """Categories of the vocabulary that the tile truly lacks, one per noun, in the order of their nouns."""
    present = {english.singular_noun(label.category) for label in facts.labels if label.kind in _OF_OBJECTS}
    missing = {english.singular_noun(category): category for category in sorted(facts.vocabulary, reverse=True)}
    return [
        missing[noun]
        for noun in sorted(missing)
        if noun and noun not in present and not any(english.may_name_same_object(noun, other) for other in present)
    ]


def objects_without_place(facts: TileFacts) -> dict[str, tuple[int, str]]:
    """By noun, in alphabetical order: (position, category) of objects that are in the tile, nobody knows where or how many."""
    placed = _labels_by_noun(facts)
    found: dict[str, tuple[int, str]] = {}
    for position, label in labels_of_kind(facts, "presence"):
        found.setdefault(english.singular_noun(label.category), (position, label.category))
    return {noun: found[noun] for noun in sorted(found) if noun and noun not in placed}


def land_covers(facts: TileFacts) -> list[Cover]:
    """Land cover, largest share first; of two that read the same, the first in this order. Pixels of objects are no land
    cover: a mask of ships says how many there are, not what the ground is."""
    things = {*_labels_by_noun(facts), *(english.singular_noun(category) for category in facts.vocabulary)}
    found: list[Cover] = []
    for position, label in labels_of_kind(facts, "cover"):
        if label.value is not None and 0 <= label.value <= 1 and english.singular_noun(label.category) not in things - {""}:
            name = cover_name(label.category)
            region = label.shape.box if label.shape else None
            found.append(Cover(position, label.category, name, label.value, region))
    found.sort(key=lambda cover: (-cover.share, cover.category, cover.label))
    return [cover for place, cover in enumerate(found) if cover.name not in {other.name for other in found[:place]} - {""}]


def cover_name(category: str) -> str:
    """The mass noun of a land-cover class; empty for a rest class."""
    noun = english.mass_noun(category)
    return _COVERS.get(noun, noun)


def unknown_cover_share(facts: TileFacts) -> float:
    """The share of the valid pixels that labels mark as unknown."""
    return sum(cover.share for cover in land_covers(facts) if english.mass_noun(cover.category) in _UNKNOWN_COVERS)


def measured_fact(facts: TileFacts, name: str) -> tuple[int, Label] | None:
    """The first measured attribute of that name, with its position."""
    return next(((position, label) for position, label in labels_of_kind(facts, "fact") if label.category == name), None)


def names_ground(facts: TileFacts) -> bool:
    """Whether the labels name anything on the ground, be it that it is absent; facts measured on the picture name nothing."""
    if any(label.kind not in {"fact", "cover"} or _is_ground_fact(label) for label in facts.labels):
        return True
    return any(cover.name and cover.share for cover in land_covers(facts)) or bool(absent_categories(facts))


def _is_ground_fact(label: Label) -> bool:
    """Whether it is a fact of a continuous raster of the ground, which annotations hold."""
    return label.kind == "fact" and label.provenance.origin == "annotation"


def labels_of_kind(facts: TileFacts, kind: LabelKind) -> list[tuple[int, Label]]:
    return [(position, label) for position, label in enumerate(facts.labels) if label.kind == kind]


def _is_trusted(label: Label, settings: config.Labels, annotated_nouns: set[str]) -> bool:
    source = label.provenance
    if source.origin == "annotation" or label.kind == "fact":
        return True
    if source.quality is None or source.quality < settings.min_quality:
        return False
    if label.score is not None and label.score < min_score_of(label.category, settings):
        return False
    return not (label.kind == "box" and english.singular_noun(label.category) in annotated_nouns)


def _superseded_boxes(facts: TileFacts, positions: Collection[int]) -> set[int]:
    """The pseudo boxes in whose place another labeller has a better one of the same noun: that is one object, not two."""
    best_first = sorted(
        (-(label.provenance.quality or 0), -(label.score or 0), position, label.shape.box)
        for position, label in ((position, facts.labels[position]) for position in positions)
        if label.kind == "box" and label.provenance.origin == "labeller" and label.shape
    )
    near = overlapping([box for *_, box in best_first], SAME_IOU)
    order = [position for *_, position, _ in best_first]
    superseded: set[int] = set()
    for rank, position in enumerate(order):
        better = [order[other] for other in near.get(rank, ()) if other < rank and order[other] not in superseded]
        if any(_are_rival_labels(facts.labels[position], facts.labels[other]) for other in better):
            superseded.add(position)
    return superseded


def _are_rival_labels(one: Label, other: Label) -> bool:
    """Whether two labels are of different labellers and of one noun."""
    labellers = [(label.provenance.name, label.provenance.model, label.provenance.prompt_digest) for label in (one, other)]
    return labellers[0] != labellers[1] and english.singular_noun(one.category) == english.singular_noun(other.category)


def _is_predicted_cover(label: Label) -> bool:
    return label.kind == "cover" and label.provenance.origin == "labeller"


def _labels_by_noun(facts: TileFacts) -> dict[str, list[tuple[int, Label]]]:
    """The labels of objects by noun."""
    members: dict[str, list[tuple[int, Label]]] = defaultdict(list)
    for position, label in enumerate(facts.labels):
        noun = english.singular_noun(label.category)
        if label.kind == "box" and label.shape is not None and area(label.shape.box) > 0 and noun:
            members[noun].append((position, label))
    return members


def _group(
    noun: str, members: list[tuple[int, Label]], vocabulary: set[str], present: Collection[str], facts: TileFacts
) -> Group:
    things = [
        tile_object(position, label.shape, facts) for position, label in members if label.shape and not is_uncertain(label)
    ]
    things.sort(key=lambda thing: (thing.box[1], thing.box[0], thing.box[3], thing.box[2], thing.label))
    uncertain = len(members) - len(things)
    clear = not any(english.may_name_same_object(noun, other) for other in present)
    return Group(
        noun=noun,
        category=min(label.category for _, label in members),
        objects=tuple(things),
        complete=clear and not uncertain and noun in vocabulary,
        in_vocabulary=noun in vocabulary,
        uncertain_count=uncertain,
    )
