"""Instructions: from labels to conversations by rules. One file per task.

A literal table of pure functions from the facts of a tile to questions and answers. Every answer follows from labels; an
ambiguous or untrue one is refused with its reason. Choices of wording follow from a hash of seed, tile, task and subject. No
module here reads pixels.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from rsflow.config import settings as config
from rsflow.errors import ConfigError
from rsflow.instructions import (
    captioning,
    change,
    classification,
    conversation,
    description,
    detection,
    grounding,
    multiple_choice,
    reasoning,
    region_captioning,
    scene_graph,
    segmentation,
    sensor_groups,
    series,
    vqa,
    zoom_groups,
)
from rsflow.instructions.facts import tile_facts
from rsflow.instructions.groups.group_facts import GroupFacts
from rsflow.instructions.question_answers import VERSION
from rsflow.instructions.wording.hash_choice import hash_number
from rsflow.records import Instruction, Reject, TaskName, TileFacts
from rsflow.text.control_tokens import find_control_token

__all__ = [
    "ALL_TASKS",
    "GROUP_TASKS",
    "TASKS",
    "VERSION",
    "Task",
    "check_task",
    "compose",
    "compose_group",
    "instruction_id",
]

Task = Callable[[TileFacts, config.Instructions, int], Iterator[Instruction | Reject]]
GroupTask = Callable[[GroupFacts, config.Instructions, int], Iterator[Instruction | Reject]]

TASKS: dict[TaskName, Task] = {
    "classification": classification.make_instructions,
    "captioning": captioning.make_instructions,
    "vqa": vqa.make_instructions,
    "multiple_choice": multiple_choice.make_instructions,
    "grounding": grounding.make_instructions,
    "region_captioning": region_captioning.make_instructions,
    "detection": detection.make_instructions,
    "segmentation": segmentation.make_instructions,
    "scene_graph": scene_graph.make_instructions,
    "description": description.make_instructions,
    "reasoning": reasoning.make_instructions,
    "conversation": conversation.make_instructions,
}

# Tasks of several pictures of one place.
GROUP_TASKS: dict[TaskName, GroupTask] = {
    "change": change.make_instructions,
    "series": series.make_instructions,
    "sensors": sensor_groups.make_instructions,
    "zoom": zoom_groups.make_instructions,
}

ALL_TASKS: tuple[TaskName, ...] = (*TASKS, *GROUP_TASKS)


def check_task(name: str) -> None:
    """Nothing for a known task, a ConfigError that lists the known ones for any other."""
    known = (*TASKS, *GROUP_TASKS)
    if name not in known:
        close = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"task {name!r} is not known; {hint}known tasks: {', '.join(known)}")


def compose(
    facts: TileFacts, settings: config.Instructions, seed: int, labels_settings: config.Labels
) -> tuple[list[Instruction], list[Reject]]:
    """All instructions of a tile for the asked tasks (all where none is named), and what was refused.

    `labels` of an instruction are positions in `facts.labels`. At most `settings.per_task` instructions of a task, no two
    alike. The order is that of TASKS, however the settings name them. Raises ConfigError for an unknown task.
    """
    for name in settings.tasks:
        check_task(name)
    kept = tile_facts.trusted_labels(facts, labels_settings)
    trusted = tile_facts.with_labels(facts, kept)
    made: list[Instruction] = []
    rejects: list[Reject] = []
    for name, task in TASKS.items():
        if name in settings.tasks or not settings.tasks:
            is_last = name == "conversation"  # it must not repeat the others
            items = conversation.make_conversation(trusted, settings, seed, made) if is_last else task(trusted, settings, seed)
            clean, refused = _separate_rejects(facts.tile_id, items)
            rejects.extend(refused)
            made.extend(_choose(clean, settings.per_task, facts.tile_id, seed))
    return [replace(item, labels=tuple(kept[position] for position in item.labels)) for item in made], rejects


def compose_group(
    group: GroupFacts, settings: config.Instructions, seed: int, labels_settings: config.Labels
) -> tuple[list[Instruction], list[Reject]]:
    """All instructions of a group for the asked tasks, and what was refused, as `compose` of a tile.

    `labels` of an instruction are numbers in the labels of all members and of the group (groups.group_facts).
    """
    kept = [tile_facts.trusted_labels(member.facts, labels_settings) for member in group.members]
    numbers = [group.first_label(place) + position for place, mine in enumerate(kept) for position in mine]
    numbers += [number for number, _ in group.own_labels()]
    members = [
        replace(member, facts=tile_facts.with_labels(member.facts, mine))
        for member, mine in zip(group.members, kept, strict=True)
    ]
    trusted = replace(group, members=tuple(members))
    made: list[Instruction] = []
    rejects: list[Reject] = []
    for name, task in GROUP_TASKS.items():
        if name in settings.tasks or not settings.tasks:
            clean, refused = _separate_rejects(group.tile_id, task(trusted, settings, seed))
            rejects.extend(refused)
            made.extend(_choose(clean, settings.per_task, group.tile_id, seed))
    return [replace(item, labels=tuple(numbers[number] for number in item.labels)) for item in made], rejects


def _separate_rejects(tile_id: str, items: Iterable[Instruction | Reject]) -> tuple[list[Instruction], list[Reject]]:
    """(instructions, rejects); an instruction with a control token in a turn becomes a reject."""
    clean: list[Instruction] = []
    rejects: list[Reject] = []
    for item in items:
        if isinstance(item, Reject):
            rejects.append(item)
        elif token := next((token for turn in item.turns if (token := find_control_token(turn.text))), ""):
            detail = f"a turn holds {token}, which models read as a command"
            rejects.append(Reject("instruction", instruction_id(tile_id, item), "control_token", detail))
        else:
            clean.append(item)
    return clean, rejects


def instruction_id(tile_id: str, instruction: Instruction) -> str:
    """`tile#task#xxxxxxxx`: the same for the same turns and boxes, whatever else the tile has."""
    turns = [[turn.role, turn.text] for turn in instruction.turns]
    text = json.dumps([turns, instruction.boxes], ensure_ascii=True, separators=(",", ":"))
    return f"{tile_id}#{instruction.task}#{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"


def _choose(items: Sequence[Instruction], most: int, tile_id: str, seed: int) -> list[Instruction]:
    """At most so many, in their own order: one of each kind of answer before a second of any, and by hash among equals."""
    by_id = {instruction_id(tile_id, item): item for item in reversed(items)}
    ranks: Counter[str] = Counter()
    order = []
    for name in sorted(by_id, key=lambda name: (hash_number(seed, name), name)):
        answer = by_id[name].answer
        kind = f"{answer['kind']} {'oriented' * bool(answer.get('oriented'))} {'dialogue' * ('earlier' in answer)}"
        # What people asked comes before what rules ask.
        order.append((ranks[kind], answer["kind"] != "answer", hash_number(seed, name), name))
        ranks[kind] += 1
    chosen = {name for *_, name in sorted(order)[:most]}
    return [item for name, item in reversed(by_id.items()) if name in chosen]
