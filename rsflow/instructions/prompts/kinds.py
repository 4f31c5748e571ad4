"""The kinds of text that a model is asked for: what each asks, and what becomes of its answer.

One idea: a literal table of pairs of pure functions. `ask` turns what is known of a tile into a question (None where there is
nothing to ask), `made` turns the answer into instructions. What one kind wrote is known to the next: notes on single objects
go into the description of the whole, the description into conversation and reasoning (local to global, as in RS-GPT4V,
https://arxiv.org/abs/2406.12479).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rsflow.config import settings as config
from rsflow.instructions.claims import ObjectTexts, StatementText
from rsflow.instructions.english import singular_noun, with_article
from rsflow.instructions.prompts import facts_text
from rsflow.instructions.prompts.answer_schemas import SCHEMAS, Description, ObjectNotes, QuestionPairs, ReasoningPairs
from rsflow.instructions.prompts.prompt_files import Prompt, load_prompt
from rsflow.instructions.question_answers import QuestionAnswer, instruction
from rsflow.records import Instruction, TaskName, TileFacts
from rsflow.sensors import SENSORS
from rsflow.text.turns import Turn, escape, mark

NOTHING_YET = "(none)"


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

    def subjects(self) -> list[facts_text.NamedObject]:
        return facts_text.objects_to_describe(self.facts, self.settings, self.max_objects)


@dataclass(frozen=True, slots=True)
class PromptText:
    """One question to a model: its two texts, and the form of the answer. `prompt` names what it was written from."""

    system: str
    text: str
    answer_type: type
    prompt: Prompt

    @property
    def schema(self) -> dict[str, Any]:
        return SCHEMAS[self.answer_type]


@dataclass(frozen=True, slots=True)
class TextKind:
    """`told` adds to the scene what later kinds may draw on, from the instructions that stand; `after` names the kinds whose
    texts this one draws on. `both`: it is shown the other sensor's picture as well.
    """

    task: TaskName
    ask: Callable[[PromptContext], PromptText | None]
    made: Callable[[PromptContext, Any], Iterator[Instruction]]
    add_context: Callable[[PromptContext, Sequence[Instruction]], PromptContext] = lambda scene, _: scene
    draws_on: tuple[str, ...] = ()
    both_pictures: bool = False


def _asked(name: str, form: type, scene: PromptContext, **words: str) -> PromptText:
    found = load_prompt(name)
    sensor = _sensor(scene.facts)
    colour = ", its colour" if SENSORS[scene.facts.sensor].has_colour else ""
    facts = facts_text.fact_lines(scene.facts, scene.settings)
    system, text = found.fill(sensor=sensor, colour=colour, facts=facts, **words)
    return PromptText(system, text, form, found)


def _sensor(facts: TileFacts) -> str:
    return load_prompt(f"sensor_{facts.sensor}").fill()[0]


def _ask_local(scene: PromptContext) -> PromptText | None:
    subjects = scene.subjects()
    return _asked("local", ObjectTexts, scene, objects=facts_text.numbered_objects(subjects, scene.facts)) if subjects else None


def _made_local(scene: PromptContext, notes: ObjectNotes) -> Iterator[Instruction]:
    subjects = scene.subjects()
    for number, text in sorted({note.number: note.text for note in reversed(notes.objects)}.items()):
        if 1 <= number <= len(subjects):
            subject = subjects[number - 1]
            said = _plain(text)
            answer = {"kind": "text", "category": subject.group.category, "box": 0}
            spelled = " ".join(f"{value:.2f}" for value in subject.thing.box)
            fill = {"box": mark("", 0)}
            kind: TaskName = "region_captioning"
            labels = (subject.thing.label,)
            claim = QuestionAnswer(kind, kind, f"model {spelled}", said, said, answer, labels, (subject.thing.box,), fill)
            yield instruction(claim, scene.facts, scene.seed)


def _told_local(scene: PromptContext, made: Sequence[Instruction]) -> PromptContext:
    return replace(
        scene, notes=tuple(f"- the {singular_noun(found.answer['category'])}: {found.turns[-1].text}" for found in made)
    )


def _ask_description(scene: PromptContext) -> PromptText:
    objects = facts_text.numbered_objects(scene.subjects(), scene.facts) or NOTHING_YET
    return _asked("description", StatementText, scene, objects=objects, notes="\n".join(scene.notes) or NOTHING_YET)


def _told_description(scene: PromptContext, made: Sequence[Instruction]) -> PromptContext:
    return replace(scene, description=made[0].turns[-1].text if made else "")


def _made_description(scene: PromptContext, whole: Description) -> Iterator[Instruction]:
    said = _plain(whole.description)
    claim = QuestionAnswer("description", "description", "model", said, said, {"kind": "text"}, _all(scene))
    yield instruction(claim, scene.facts, scene.seed)


def _ask_conversation(scene: PromptContext) -> PromptText:
    return _asked("conversation", QuestionPairs, scene, description=scene.description or NOTHING_YET)


def _made_conversation(scene: PromptContext, talk: QuestionPairs) -> Iterator[Instruction]:
    turns = [turn for pair in talk.pairs for turn in _pair(pair.question, pair.answer)]
    if turns:
        answer = {"kind": "text", "pairs": len(talk.pairs)}
        yield Instruction("conversation", tuple(turns), (), _all(scene), answer, "")


def _ask_reasoning(scene: PromptContext) -> PromptText:
    return _asked("reasoning", ReasoningPairs, scene, description=scene.description or NOTHING_YET)


def _made_reasoning(scene: PromptContext, thoughts: ReasoningPairs) -> Iterator[Instruction]:
    for thought in thoughts.pairs:
        turns = tuple(_pair(thought.question, thought.answer))
        yield Instruction("reasoning", turns, (), _all(scene), {"kind": "text", "topic": thought.kind}, "")


def _ask_comparison(scene: PromptContext) -> PromptText | None:
    if scene.other is None:
        return None
    return _asked(
        "comparison",
        QuestionPairs,
        scene,
        first=with_article(SENSORS[scene.facts.sensor].picture),
        second=with_article(SENSORS[scene.other.sensor].picture),
        other_sensor=_sensor(scene.other).replace("this is", "the second is", 1),
        other_facts=facts_text.fact_lines(scene.other, scene.settings),
    )


def _made_comparison(scene: PromptContext, found: QuestionPairs) -> Iterator[Instruction]:
    for pair in found.pairs:
        answer = {"kind": "text", "topic": "sensors"}
        yield Instruction("reasoning", tuple(_pair(pair.question, pair.answer)), (), _all(scene), answer, "")


# In the order in which they are asked: what a kind draws on stands before it.
KINDS: dict[str, TextKind] = {
    "local": TextKind("region_captioning", _ask_local, _made_local, _told_local),
    "description": TextKind("description", _ask_description, _made_description, _told_description, draws_on=("local",)),
    "conversation": TextKind("conversation", _ask_conversation, _made_conversation, draws_on=("description",)),
    "reasoning": TextKind("reasoning", _ask_reasoning, _made_reasoning, draws_on=("description",)),
    "comparison": TextKind("reasoning", _ask_comparison, _made_comparison, both_pictures=True),
}


def repair_prompt(asked: PromptText, answer: str, fault: str) -> PromptText:
    """The same question again, with the answer that could not be used and what is wrong with it."""
    shown = answer if len(answer) <= _SHOWN else f"{answer[:_SHOWN]}…"
    system, text = load_prompt("repair").fill(system=asked.system, prompt=asked.text, answer=shown, fault=fault)
    return PromptText(system, text, asked.answer_type, asked.prompt)


_SHOWN = 4000  # characters of a faulty answer


def prompt_digests(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The digests of every file that the texts of these kinds may be written from."""
    names = sorted({*kinds, "repair", *(f"sensor_{sensor}" for sensor in SENSORS)})
    return tuple(load_prompt(name).digest for name in names)


def _pair(question: str, answer: str) -> tuple[Turn, Turn]:
    return Turn("user", _plain(question)), Turn("assistant", _plain(answer))


def _plain(text: str) -> str:
    """On one line, and with nothing in it that could be read as a mark."""
    return escape(" ".join(text.split()))


def _all(scene: PromptContext) -> tuple[int, ...]:
    return tuple(range(len(scene.facts.labels)))
