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
from rsflow.instructions.claims import Claim, instruction
from rsflow.instructions.english import article, noun
from rsflow.instructions.prompts import facts_text
from rsflow.instructions.prompts.answer_schemas import SCHEMAS, Notes, Pairs, Thoughts, Whole
from rsflow.instructions.prompts.prompt_files import Prompt, prompt
from rsflow.records import Instruction, TaskName, TileFacts
from rsflow.sensors import SENSORS
from rsflow.text.turns import Turn, escape, mark

NOTHING_YET = "(none)"


@dataclass(frozen=True, slots=True)
class Scene:
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

    def subjects(self) -> list[facts_text.Subject]:
        return facts_text.subjects(self.facts, self.settings, self.max_objects)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to a model: its two texts, and the form of the answer. `prompt` names what it was written from."""

    system: str
    text: str
    form: type
    prompt: Prompt

    @property
    def schema(self) -> dict[str, Any]:
        return SCHEMAS[self.form]


@dataclass(frozen=True, slots=True)
class Kind:
    """`told` adds to the scene what later kinds may draw on, from the instructions that stand; `after` names the kinds whose
    texts this one draws on. `both`: it is shown the other sensor's picture as well.
    """

    task: TaskName
    ask: Callable[[Scene], Asked | None]
    made: Callable[[Scene, Any], Iterator[Instruction]]
    told: Callable[[Scene, Sequence[Instruction]], Scene] = lambda scene, _: scene
    after: tuple[str, ...] = ()
    both: bool = False


def _asked(name: str, form: type, scene: Scene, **words: str) -> Asked:
    found = prompt(name)
    sensor = _sensor(scene.facts)
    colour = ", its colour" if SENSORS[scene.facts.sensor].has_colour else ""
    facts = facts_text.known(scene.facts, scene.settings)
    system, text = found.filled(sensor=sensor, colour=colour, facts=facts, **words)
    return Asked(system, text, form, found)


def _sensor(facts: TileFacts) -> str:
    return prompt(f"sensor_{facts.sensor}").filled()[0]


def _ask_local(scene: Scene) -> Asked | None:
    subjects = scene.subjects()
    return _asked("local", Notes, scene, objects=facts_text.listed(subjects, scene.facts)) if subjects else None


def _made_local(scene: Scene, notes: Notes) -> Iterator[Instruction]:
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
            claim = Claim(kind, kind, f"model {spelled}", said, said, answer, labels, (subject.thing.box,), fill)
            yield instruction(claim, scene.facts, scene.seed)


def _told_local(scene: Scene, made: Sequence[Instruction]) -> Scene:
    return replace(scene, notes=tuple(f"- the {noun(found.answer['category'])}: {found.turns[-1].text}" for found in made))


def _ask_description(scene: Scene) -> Asked:
    return _asked("description", Whole, scene, notes="\n".join(scene.notes) or NOTHING_YET)


def _told_description(scene: Scene, made: Sequence[Instruction]) -> Scene:
    return replace(scene, description=made[0].turns[-1].text if made else "")


def _made_description(scene: Scene, whole: Whole) -> Iterator[Instruction]:
    said = _plain(whole.description)
    claim = Claim("description", "description", "model", said, said, {"kind": "text"}, _all(scene))
    yield instruction(claim, scene.facts, scene.seed)


def _ask_conversation(scene: Scene) -> Asked:
    return _asked("conversation", Pairs, scene, description=scene.description or NOTHING_YET)


def _made_conversation(scene: Scene, talk: Pairs) -> Iterator[Instruction]:
    turns = [turn for pair in talk.pairs for turn in _pair(pair.question, pair.answer)]
    if turns:
        answer = {"kind": "text", "pairs": len(talk.pairs)}
        yield Instruction("conversation", tuple(turns), (), _all(scene), answer, "")


def _ask_reasoning(scene: Scene) -> Asked:
    return _asked("reasoning", Thoughts, scene, description=scene.description or NOTHING_YET)


def _made_reasoning(scene: Scene, thoughts: Thoughts) -> Iterator[Instruction]:
    for thought in thoughts.pairs:
        turns = tuple(_pair(thought.question, thought.answer))
        yield Instruction("reasoning", turns, (), _all(scene), {"kind": "text", "topic": thought.kind}, "")


def _ask_comparison(scene: Scene) -> Asked | None:
    if scene.other is None:
        return None
    return _asked(
        "comparison",
        Pairs,
        scene,
        first=article(SENSORS[scene.facts.sensor].picture),
        second=article(SENSORS[scene.other.sensor].picture),
        other_sensor=_sensor(scene.other).replace("this is", "the second is", 1),
        other_facts=facts_text.known(scene.other, scene.settings),
    )


def _made_comparison(scene: Scene, found: Pairs) -> Iterator[Instruction]:
    for pair in found.pairs:
        answer = {"kind": "text", "topic": "sensors"}
        yield Instruction("reasoning", tuple(_pair(pair.question, pair.answer)), (), _all(scene), answer, "")


# In the order in which they are asked: what a kind draws on stands before it.
KINDS: dict[str, Kind] = {
    "local": Kind("region_captioning", _ask_local, _made_local, _told_local),
    "description": Kind("description", _ask_description, _made_description, _told_description, after=("local",)),
    "conversation": Kind("conversation", _ask_conversation, _made_conversation, after=("description",)),
    "reasoning": Kind("reasoning", _ask_reasoning, _made_reasoning, after=("description",)),
    "comparison": Kind("reasoning", _ask_comparison, _made_comparison, both=True),
}


def repair(asked: Asked, answer: str, fault: str) -> Asked:
    """The same question again, with the answer that could not be used and what is wrong with it."""
    shown = answer if len(answer) <= _SHOWN else f"{answer[:_SHOWN]}…"
    system, text = prompt("repair").filled(system=asked.system, prompt=asked.text, answer=shown, fault=fault)
    return Asked(system, text, asked.form, asked.prompt)


_SHOWN = 4000  # characters of a faulty answer


def digests(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The digests of every file that the texts of these kinds may be written from."""
    names = sorted({*kinds, "repair", *(f"sensor_{sensor}" for sensor in SENSORS)})
    return tuple(prompt(name).digest for name in names)


def _pair(question: str, answer: str) -> tuple[Turn, Turn]:
    return Turn("user", _plain(question)), Turn("assistant", _plain(answer))


def _plain(text: str) -> str:
    """On one line, and with nothing in it that could be read as a mark."""
    return escape(" ".join(text.split()))


def _all(scene: Scene) -> tuple[int, ...]:
    return tuple(range(len(scene.facts.labels)))
