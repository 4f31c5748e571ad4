"""The kinds of text that a model is asked for: their prompts, and the instructions that answers become.

A literal table of pairs of pure functions: `make_prompt` makes a prompt from what is known of a tile (None where there is
nothing to ask), `make_instructions` makes instructions from the parsed answer. Later kinds use the texts of earlier ones:
notes on single objects go into the description of the whole, the description into conversation and reasoning (local to global,
as in RS-GPT4V, https://arxiv.org/abs/2406.12479).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions.claims import ComparedPairs, ConversationPairs, ObjectTexts, ReasoningAnswers, StatementText
from rsflow.instructions.prompts import facts_text
from rsflow.instructions.prompts.answer_schemas import SCHEMAS, Description, ObjectNotes, QuestionPairs, ReasoningPairs
from rsflow.instructions.prompts.prompt_files import Prompt, load_prompt
from rsflow.instructions.question_answers import QuestionAnswer, instruction
from rsflow.instructions.wording.english import singular_noun, with_article
from rsflow.records import Instruction, TaskName, TileFacts
from rsflow.sensors import SENSORS
from rsflow.text.turns import Turn, escape, mark

NONE_TEXT = "(none)"
FIRST_OF_OTHER = 101  # number of the first object of a second picture


@dataclass(frozen=True, slots=True)
class PromptContext:
    """What a prompt may draw on. `facts` hold the trusted labels alone; `other` is another sensor's view of the same ground.

    `notes` and `description` are what earlier kinds wrote and the checks let stand.
    """

    facts: TileFacts
    settings: config.Instructions
    max_objects: int
    seed: int
    notes: tuple[str, ...] = ()
    description: str = ""
    other: TileFacts | None = None
    prompts: Mapping[str, Prompt] = field(default_factory=dict)  # in the place of those that come with rsflow, by kind

    def subjects(self) -> list[facts_text.NamedObject]:
        return facts_text.objects_to_describe(self.facts, self.settings, self.max_objects)

    def other_subjects(self) -> list[facts_text.NamedObject]:
        """Objects of the other sensor's picture; their numbers begin at FIRST_OF_OTHER."""
        return facts_text.objects_to_describe(self.other, self.settings, self.max_objects) if self.other else []


@dataclass(frozen=True, slots=True)
class PromptText:
    """System message, question and answer format of one request; `prompt` is the file that it was made from."""

    system: str
    text: str
    answer_type: type
    prompt: Prompt

    @property
    def schema(self) -> dict[str, Any]:
        return SCHEMAS[self.answer_type]


@dataclass(frozen=True, slots=True)
class TextKind:
    """`add_context` adds the accepted instructions to the context of later kinds; `draws_on` names the kinds whose texts this
    one uses. `both_pictures`: the request also shows the other sensor's picture.
    """

    task: TaskName
    answer_type: type
    make_prompt: Callable[[PromptContext], PromptText | None]
    make_instructions: Callable[[PromptContext, Any], Iterator[Instruction]]
    add_context: Callable[[PromptContext, Sequence[Instruction]], PromptContext] = lambda context, _: context
    draws_on: tuple[str, ...] = ()
    both_pictures: bool = False


def fill_prompt(name: str, form: type, context: PromptContext, **words: str) -> PromptText:
    found = context.prompts.get(name) or load_prompt(name)
    sensor = _sensor_text(context.facts)
    colour = ", its colour" if SENSORS[context.facts.sensor].has_colour else ""
    facts = facts_text.fact_lines(context.facts, context.settings)
    (claims,) = load_prompt("claims").fill()
    system, text = found.fill(sensor=sensor, colour=colour, facts=facts, claims=claims, **words)
    return PromptText(system, text, form, found)


def _sensor_text(facts: TileFacts) -> str:
    return load_prompt(f"sensor_{facts.sensor}").fill()[0]


def _local_prompt(context: PromptContext) -> PromptText | None:
    subjects = context.subjects()
    return (
        fill_prompt("local", ObjectTexts, context, objects=facts_text.numbered_objects(subjects, context.facts))
        if subjects
        else None
    )


def _local_instructions(context: PromptContext, notes: ObjectNotes) -> Iterator[Instruction]:
    subjects = context.subjects()
    for number, text in sorted({note.number: note.text for note in reversed(notes.objects)}.items()):
        if 1 <= number <= len(subjects):
            subject = subjects[number - 1]
            sentence = _single_line(text)
            answer = {"kind": "text", "category": subject.group.category, "box": 0}
            corners = " ".join(f"{value:.2f}" for value in subject.thing.box)
            fill = {"box": mark("", 0)}
            kind: TaskName = "region_captioning"
            labels = (subject.thing.label,)
            qa = QuestionAnswer(kind, kind, f"model {corners}", sentence, sentence, answer, labels, (subject.thing.box,), fill)
            yield instruction(qa, context.facts, context.seed)


def _add_notes(context: PromptContext, made: Sequence[Instruction]) -> PromptContext:
    return replace(
        context, notes=tuple(f"- the {singular_noun(found.answer['category'])}: {found.turns[-1].text}" for found in made)
    )


def object_list(context: PromptContext) -> str:
    return facts_text.numbered_objects(context.subjects(), context.facts) or NONE_TEXT


def _description_prompt(context: PromptContext) -> PromptText:
    notes = "\n".join(context.notes) or NONE_TEXT
    return fill_prompt("description", StatementText, context, objects=object_list(context), notes=notes)


def _add_description(context: PromptContext, made: Sequence[Instruction]) -> PromptContext:
    return replace(context, description=made[0].turns[-1].text if made else "")


def _description_instruction(context: PromptContext, whole: Description) -> Iterator[Instruction]:
    sentence = _single_line(whole.description)
    qa = QuestionAnswer("description", "description", "model", sentence, sentence, {"kind": "text"}, _all_labels(context))
    yield instruction(qa, context.facts, context.seed)


def _conversation_prompt(context: PromptContext) -> PromptText:
    words = {"objects": object_list(context), "description": context.description or NONE_TEXT}
    return fill_prompt("conversation", ConversationPairs, context, **words)


def _conversation_instruction(context: PromptContext, talk: QuestionPairs) -> Iterator[Instruction]:
    turns = [turn for pair in talk.pairs for turn in _turn_pair(pair.question, pair.answer)]
    if turns:
        answer = {"kind": "text", "pairs": len(talk.pairs)}
        yield Instruction("conversation", tuple(turns), (), _all_labels(context), answer, "")


def _reasoning_prompt(context: PromptContext) -> PromptText:
    words = {"objects": object_list(context), "description": context.description or NONE_TEXT}
    return fill_prompt("reasoning", ReasoningAnswers, context, **words)


def _reasoning_instructions(context: PromptContext, thoughts: ReasoningPairs) -> Iterator[Instruction]:
    for thought in thoughts.pairs:
        turns = tuple(_turn_pair(thought.question, thought.answer))
        yield Instruction("reasoning", turns, (), _all_labels(context), {"kind": "text", "topic": thought.kind}, "")


def _comparison_prompt(context: PromptContext) -> PromptText | None:
    if context.other is None:
        return None
    return fill_prompt(
        "comparison",
        ComparedPairs,
        context,
        first=with_article(SENSORS[context.facts.sensor].picture),
        second=with_article(SENSORS[context.other.sensor].picture),
        other_sensor=_sensor_text(context.other).replace("this is", "the second is", 1),
        other_facts=facts_text.fact_lines(context.other, context.settings),
        objects=object_list(context),
        other_objects=facts_text.numbered_objects(context.other_subjects(), context.other, FIRST_OF_OTHER) or NONE_TEXT,
    )


def _comparison_instructions(context: PromptContext, found: QuestionPairs) -> Iterator[Instruction]:
    for pair in found.pairs:
        answer = {"kind": "text", "topic": "sensors"}
        yield Instruction("reasoning", tuple(_turn_pair(pair.question, pair.answer)), (), _all_labels(context), answer, "")


# In the order in which they are asked: what a kind draws on stands before it.
KINDS: dict[str, TextKind] = {
    "local": TextKind("region_captioning", ObjectTexts, _local_prompt, _local_instructions, _add_notes),
    "description": TextKind(
        "description", StatementText, _description_prompt, _description_instruction, _add_description, draws_on=("local",)
    ),
    "conversation": TextKind(
        "conversation", ConversationPairs, _conversation_prompt, _conversation_instruction, draws_on=("description",)
    ),
    "reasoning": TextKind("reasoning", ReasoningAnswers, _reasoning_prompt, _reasoning_instructions, draws_on=("description",)),
    "comparison": TextKind("reasoning", ComparedPairs, _comparison_prompt, _comparison_instructions, both_pictures=True),
}


def repair_prompt(prompt: PromptText, answer: str, fault: str) -> PromptText:
    """The same request with the rejected answer and what is wrong with it."""
    shown = answer if len(answer) <= _MAX_SHOWN else f"{answer[:_MAX_SHOWN]}…"
    system, text = load_prompt("repair").fill(system=prompt.system, prompt=prompt.text, answer=shown, fault=fault)
    return PromptText(system, text, prompt.answer_type, prompt.prompt)


_MAX_SHOWN = 4000  # characters of a faulty answer


def prompt_digests(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The digests of every file that the texts of these kinds may be written from."""
    names = sorted({*kinds, "claims", "repair", *(f"sensor_{sensor}" for sensor in SENSORS)})
    return tuple(load_prompt(name).digest for name in names)


def _turn_pair(question: str, answer: str) -> tuple[Turn, Turn]:
    return Turn("user", _single_line(question)), Turn("assistant", _single_line(answer))


def _single_line(text: str) -> str:
    """On one line, and with nothing in it that could be read as a mark."""
    return escape(" ".join(text.split()))


def _all_labels(context: PromptContext) -> tuple[int, ...]:
    return tuple(range(len(context.facts.labels)))
