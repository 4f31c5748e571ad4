"""What an export counts other than its records: what a form cannot hold, what was left out, what was carried along.

One idea: a literal table of notes. `export.json` has each count under its key, and the command prints the sentence of those
that are not 0.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

NOTES = {
    "companions": "carried along: {count:,} companion pictures of other sensors",
    "companions_left_out": "left out: {count:,} companion pictures of other sensors, which this form does not hold",
    "group_pictures": "carried along: {count:,} further pictures of groups (dates or sensors of one place)",
    "groups_left_out": "left out: {count:,} groups of several pictures, which this form does not hold",
    "raw_bands_left_out": "left out: raw bands of {count:,} samples, which this form does not hold",
    "pictures_without_texts": "left out: {count:,} pictures without a text that this form can hold",
    "pictures_not_annotated": "not in instances: {count:,} pictures that nobody annotated with objects",
    "pictures_incompletely_annotated": (
        "marked in instances: {count:,} pictures that were searched for some of the categories only "
        "(neg_category_ids and not_exhaustive_category_ids, as in LVIS): the other categories are unknown there, not absent"
    ),
    "pseudo_labels_left_out": "left out: {count:,} objects that labellers found; --pseudo-labels keeps them, with their scores",
    "oriented_boxes_made_upright": "made upright: {count:,} oriented boxes, which this form cannot hold",
    "items_without_place": "items of the catalogue, but not in items_<split>.parquet: {count:,} samples whose place is unknown",
    "samples_to_repeat": "held once: {count:,} samples that the selection wants more than once an epoch",
    "neutralised": "made plain: special tokens or control characters in {count:,} instructions",
}


@dataclass
class Tally:
    """Pictures and records written; instructions left out by reason; other counts by key of NOTES."""

    pictures: int = 0
    records: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """A sentence for each count that is not 0."""
        reasons = [f"left out: {count:,} instructions, {reason.replace('_', ' ')}" for reason, count in self.left_out.items()]
        notes = [sentence.format(count=self.notes[key]) for key, sentence in NOTES.items() if self.notes[key]]
        return [*sorted(reasons), *notes]
