"""What an audit found: counts, a few examples of each kind of fault, and what was inspected.

Every fault is counted, the first few of each kind are kept word for word, so memory does not grow with the number
of faults and the same set gives the same report.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_EXAMPLES = 5

DESCRIPTIONS: dict[str, str] = {
    "amounts_differ": "one category on one picture, counted, denied or listed differently",
    "angle_out_of_range": "angles of more than a full turn",
    "ambiguous_picture": "names that stand for more than one picture",
    "answer_contradicts_itself": "answers that affirm and deny, or say two numbers of one thing",
    "answer_of_other_kind": "answers of another kind than is asked for: a number, yes or no, a word, a statement",
    "answer_not_an_option": "answers that are none of the options, or options that repeat",
    "area_differs": "areas that are not those of their box or polygon",
    "box_empty": "boxes without area",
    "box_missing": "places asked for and not given, regions asked about and not given",
    "box_not_a_box": "boxes with too few or too many numbers",
    "box_outside": "boxes that reach beyond their picture",
    "broken_category": "categories without an id or a name",
    "broken_record": "records that are not of the format",
    "category_spelling": "categories that differ in case, hyphens or plural only",
    "contradictory_answers": "the same question on the same picture, answered differently",
    "contradictory_labels": "the same box with two categories",
    "control_token": "special tokens of chat templates, control characters",
    "count_differs": "answers that say another number than they give boxes",
    "cut_text": "answers that end within a sentence",
    "echo": "answers that repeat their question",
    "empty_text": "questions or answers without a word",
    "foreign_box": "boxes in the spelling of another format",
    "label_differs": "boxes of another category than is asked for, where the set uses both as labels",
    "loop": "answers that repeat words over and over",
    "missing_picture": "pictures that are not there",
    "mojibake": "texts in a broken encoding",
    "near_repeated_label": "boxes of one category that nearly cover each other",
    "near_repeated_text": "records of one picture with nearly the same text",
    "picture_tokens": "more or fewer picture tokens than pictures",
    "no_picture": "questions about a picture that name none, where the rest do",
    "other_language": "records in another language than the set",
    "path_outside": "paths that lead out of the folder of the pictures",
    "placeholder": "templates that were not filled in",
    "polygon_away": "polygons that do not lie in their box",
    "polygon_crossed": "polygons whose sides cross",
    "position_differs": "words of position that their box contradicts",
    "program_text": "code, markup, paths and error messages in a text",
    "prompt_text": "words of a prompt, or of a writer about the data it was given",
    "refusal": "answers that refuse to answer",
    "repeated_box": "the same box twice in a list",
    "repeated_category": "categories that have two ids",
    "repeated_entry": "pictures that a file describes twice",
    "repeated_id": "ids that several records have",
    "repeated_label": "the same label twice on one picture",
    "repeated_picture": "byte-equal pictures under several names",
    "repeated_text": "the same question and answer twice on one picture",
    "role_marker": "names of roles within a text",
    "score_out_of_range": "scores that are no share",
    "two_splits": "pictures that stand in two splits",
    "unbalanced_marks": "brackets or marks that are not closed",
    "unreadable_picture": "pictures that cannot be decoded",
    "value_out_of_range": "coordinates outside the range of their format",
    "wrong_size": "pictures of another size than is stated",
}


@dataclass(frozen=True, slots=True, order=True)
class Example:
    """One fault: where it stands, and what is wrong."""

    where: str
    detail: str


@dataclass
class Report:
    """`inspected`: what was counted on the way (records, boxes, pictures …). `notes`: what could not be checked, and why."""

    place: str
    form: str
    inspected: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def count_inspected(self, what: str, number: int = 1) -> None:
        self.inspected[what] = self.inspected.get(what, 0) + number

    def add(self, fault: str, where: str, detail: str) -> None:
        """Count a fault, and keep it as an example while there are few of its kind."""
        self.counts[fault] = self.counts.get(fault, 0) + 1
        kept = self.examples.setdefault(fault, [])
        if len(kept) < MAX_EXAMPLES:
            kept.append(Example(where, detail))

    @property
    def faults(self) -> int:
        return sum(self.counts.values())

    def text(self) -> str:
        """The report for people, lines separated by newlines."""
        counts = ", ".join(f"{number:,} {what}" for what, number in self.inspected.items())
        head = [f"{self.place}: {counts} (format {self.form})", *(f"note: {note}" for note in self.notes)]
        if not self.faults:
            return "\n".join([*head, "no faults"])
        faults, kinds = _counted(self.faults, "fault"), _counted(len(self.counts), "kind")
        return "\n".join([*head, f"{faults} of {kinds}", *self._kinds()])

    def to_json(self) -> str:
        """The report for programs: plain JSON, keys sorted."""
        content = {
            "place": self.place,
            "format": self.form,
            "inspected": self.inspected,
            "notes": self.notes,
            "faults": self.faults,
            "counts": self.counts,
            "examples": {
                fault: [{"where": one.where, "detail": one.detail} for one in found] for fault, found in self.examples.items()
            },
        }
        return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    def _kinds(self) -> Iterable[str]:
        for fault, count in sorted(self.counts.items(), key=lambda item: (-item[1], item[0])):
            description = DESCRIPTIONS.get(fault, "")
            yield f"  {fault}  {count:,}" + (f"  ({description})" if description else "")
            for example in self.examples[fault]:
                yield f"    {example.where}: {example.detail}"
            if count > len(self.examples[fault]):
                yield f"    and {count - len(self.examples[fault]):,} more"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
