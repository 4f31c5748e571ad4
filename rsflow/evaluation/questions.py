"""The questions of a split: every instruction's last turn, with what came before it, in the spelling of a dialect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rsflow.dialects import Dialect, spell_text
from rsflow.dialects.spelling.several_pictures import spell_on_pictures
from rsflow.errors import UsageError
from rsflow.evaluation.rephrase import annotators_question, other_wordings
from rsflow.shards.format import Sample, picture_sizes
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader
from rsflow.spatial.geometry import Region


@dataclass(frozen=True, slots=True)
class Question:
    """One question and its right answer.

    `question_id`: the instruction's. `history`: the turns before the question, (role, text), `prompt` the question itself,
    both spelled by the dialect. `reference`: the right answer as text with marks, `boxes` the regions (pixels) that its marks
    name. `answer`: the same in structured form; its `kind` decides how it is scored. `cell`: the ground cell, or the tile
    where it has no place: what is drawn again when confidence intervals are made. `wordings`: the prompt in other words.
    `sizes`: (height, width) of each picture of a group, in their order; `box_pictures`: of each box its picture, from 0. Both
    are empty where there is one picture.
    """

    question_id: str
    key: str
    task: str
    kind: str
    sensor: str
    source: str
    cell: str
    history: tuple[tuple[str, str], ...]
    prompt: str
    reference: str
    boxes: tuple[Region, ...]
    answer: dict[str, Any]
    height_px: int
    width_px: int
    wordings: tuple[str, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    box_pictures: tuple[int, ...] = ()

    @property
    def question_type(self) -> str:
        """What its set calls the question's type (RSVQA: presence, count, …); the kind where it has none."""
        return str(self.answer.get("type") or self.kind)

    @property
    def subject(self) -> str:
        """What is asked about: a fact's name or a category; of an annotator's question its own words. Empty where the kind says
        it all, and of a region's caption, whose category is part of the answer."""
        if self.kind == "answer":
            return annotators_question(self.prompt)
        if self.kind == "text":
            return ""
        return str(self.answer.get("category") or self.answer.get("name") or "")


def read_questions(
    root: str, split: str, dialect: Dialect, limit: int | None = None, wordings: int = 0, tasks: tuple[str, ...] = ()
) -> Iterator[tuple[Question, tuple[bytes, ...]]]:
    """(question, its encoded pictures) of a snapshot's split, in the order of its shards. `wordings`: the most other wordings
    of each question. `tasks`: only of these; none: of all.

    The pictures of a group are those of its dates or sensors, in the order in which texts number them; of any other sample the
    first alone, which its questions are about.

    Raises UsageError for a split that the snapshot lacks.
    """
    manifest = read_snapshot(root)
    if split not in manifest.splits:
        raise UsageError(f"{root}: its snapshot has no split {split!r}, only {', '.join(manifest.splits) or 'none'}")
    count = 0
    for entry in manifest.splits[split].shards:
        for sample in ShardReader(root, entry):
            pictures = _pictures(sample)
            for instruction in _instructions_of_tasks(sample.record, tasks):
                if limit is not None and count >= limit:
                    return
                count += 1
                yield _question(sample.record, instruction, dialect, wordings), pictures


def _pictures(sample: Sample) -> tuple[bytes, ...]:
    further = sample.further_pictures() if sample.record.get("group") else []
    return (sample.picture, *(sample.others[extension] for extension, _ in further))


def _instructions_of_tasks(record: dict[str, Any], tasks: tuple[str, ...]) -> list[dict[str, Any]]:
    return [one for one in record["instructions"] if not tasks or one["task"] in tasks]


def _question(record: dict[str, Any], instruction: dict[str, Any], dialect: Dialect, wordings: int) -> Question:
    boxes = tuple(tuple(box) for box in instruction["boxes"])
    size = record["height_px"], record["width_px"]
    answer, places = instruction["answer"], tuple(instruction.get("box_pictures") or ())
    sizes = tuple(picture_sizes(record)) if record.get("group") else ()

    def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
        return spell_text(dialect, text, boxes, answer, height_px, width_px)

    def spelled_text(text: str) -> str:
        return spell_on_pictures(spell, text, boxes, places, sizes) if places else spell(text, boxes, *size)

    turns = [(turn["role"], spelled_text(turn["text"])) for turn in instruction["turns"]]
    others = other_wordings(instruction["turns"][-2]["text"], wordings) if wordings else ()
    return Question(
        instruction["id"],
        record["key"],
        instruction["task"],
        answer["kind"],
        record["sensor"],
        record["source"],
        record["cell"] or record["key"],
        tuple(turns[:-2]),
        turns[-2][1],
        instruction["turns"][-1]["text"],
        boxes,
        answer,
        *size,
        tuple(spelled_text(text) for text in others),
        sizes,
        places,
    )
