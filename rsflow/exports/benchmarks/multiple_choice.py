"""Multiple-choice questions from what is known of a sample: one right option, the others wrong for sure and plausible.

One idea: an option is offered as wrong only where the annotations exclude it. A category is absent only where the sample's
`vocabulary` says that every object of it is annotated; a number is wrong because the count is exact; a class is wrong because
its source gives each picture one class, and only where no other text of the picture names it. Plausible are
categories of the same set, those that share a word with the right one first, and numbers next to the right one.

What is chosen, and where the right option stands, follows from the question's id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rsflow.exports.contract import ExportJob, Record
from rsflow.instructions.phrasings import HINT
from rsflow.instructions.wording import english
from rsflow.instructions.wording.hash_choice import hash_order
from rsflow.instructions.wording.options import LETTERS, arrange_options, similar_first, wrong_numbers, wrong_places
from rsflow.shards.format import Sample
from rsflow.shards.reader import ShardReader
from rsflow.text.control_tokens import neutralise

Classes = Mapping[str, frozenset[str]]  # by source


@dataclass(frozen=True, slots=True)
class ChoiceQuestion:
    """`options` in the order of LETTERS; `answer` is the position of the right one. `kind`: presence, count, class or place."""

    question_id: str
    kind: str
    question: str
    options: tuple[str, ...]
    answer: int

    @property
    def letter(self) -> str:
        return LETTERS[self.answer]

    def rotations(self) -> Iterator[ChoiceQuestion]:
        """The question once for every position of the right option, itself first (circular evaluation: MMBench,
        https://arxiv.org/abs/2307.06281)."""
        count = len(self.options)
        for shift in range(count):
            options = self.options[shift:] + self.options[:shift]
            yield ChoiceQuestion(self.question_id, self.kind, self.question, options, (self.answer - shift) % count)


def read_samples(job: ExportJob, split: str) -> Iterator[Sample]:
    """The samples of a split that show one place once, without counting them."""
    for shard in job.splits[split].shards:
        yield from (sample for sample in ShardReader(job.root, shard) if not sample.record.get("group"))


def source_classes(samples: Iterable[Sample]) -> Classes:
    """By source, the classes that it gives to whole pictures."""
    found: dict[str, set[str]] = defaultdict(set)
    for record in (sample.record for sample in samples):
        for instruction in record["instructions"]:
            if _is_class(record, instruction):
                found[record["source"]].add(str(instruction["answer"]["value"]))
    return {source: frozenset(names) for source, names in found.items()}


def choice_questions(record: Record, classes: Classes) -> Iterator[ChoiceQuestion]:
    """The questions of one sample, in order; none where nothing can be excluded."""
    yield from _presence_questions(record)
    for instruction in record["instructions"]:
        if len(instruction["turns"]) != 2 or instruction["boxes"]:
            continue
        answer, question_id = instruction["answer"], instruction["id"]
        if answer["kind"] == "count":
            wrong = hash_order(wrong_numbers(int(answer["value"])), 0, question_id)
            many = english.pluralise(english.singular_noun(answer["category"]))
            yield _question(question_id, "count", f"How many {many} are there in the image?", str(answer["value"]), wrong)
        elif _is_class(record, instruction):
            wrong = _other_classes(record, instruction, classes)
            right = english.category_words(str(answer["value"]))
            if wrong:
                yield _question(question_id, "class", "Which class fits the whole image?", right, wrong)
        elif answer["kind"] == "place":
            wrong = hash_order(wrong_places(str(answer["value"])), 0, question_id)
            # The hint at a short answer contradicts what options ask for.
            question = instruction["turns"][0]["text"].replace(HINT, "").strip()
            yield _question(question_id, "place", question, str(answer["value"]), wrong)


def _presence_questions(record: Record) -> Iterator[ChoiceQuestion]:
    """One for each annotated category, against categories that are known to be absent."""
    named = {english.singular_noun(thing["category"]) for thing in record["objects"]}
    sure = {
        english.singular_noun(thing["category"])
        for thing in record["objects"]
        if thing["origin"] == "annotation" and not thing.get("flags")
    }
    absent = sorted({english.singular_noun(name) for name in record["vocabulary"]} - named)
    for present in sorted(sure):
        question_id = f"{record['tile_id']}#presence#{present}"
        wrong = similar_first(present, absent, 0, question_id)
        if wrong:
            yield _question(question_id, "presence", "Which of these can be seen in the image?", present, wrong)


def _question(question_id: str, kind: str, question: str, right: str, wrong: Sequence[str]) -> ChoiceQuestion:
    options = arrange_options(right, wrong, 0, question_id)
    return ChoiceQuestion(question_id, kind, neutralise(question), tuple(map(neutralise, options)), options.index(right))


def _is_class(record: Record, instruction: Record) -> bool:
    """Whether the answer is a class of the whole picture, and not the one category of its objects."""
    objects = {thing["label"] for thing in record["objects"]}
    is_class = instruction["task"] == "classification" and instruction["answer"]["kind"] == "category"
    return is_class and objects.isdisjoint(instruction["labels"])


def _other_classes(record: Record, instruction: Record, classes: Classes) -> list[str]:
    named = {english.category_words(str(name)) for name in _named_categories(record)}
    right = english.category_words(str(instruction["answer"]["value"]))
    others = {english.category_words(name) for name in classes.get(record["source"], ())} - named - {right}
    return similar_first(right, others, 0, instruction["id"])


def _named_categories(record: Record) -> Iterator[Any]:
    """All other names that texts of the picture use."""
    yield from (thing["category"] for thing in record["objects"])
    for instruction in record["instructions"]:
        answer = instruction["answer"]
        yield from (answer[key] for key in ("category", "subject", "object") if key in answer)
        if answer["kind"] == "category":
            yield answer["value"]
