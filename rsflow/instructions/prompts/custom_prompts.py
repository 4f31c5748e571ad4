"""Prompts of the user's own: read, checked, and chosen by kind, sensor and source.

A file has the form of the files beside this module: `version: N`, three dashes, the system message, three dashes, the question.
Its placeholders are those of the kind that it replaces or is like. Examples stand at the end of the system message, so that all
requests of a kind begin alike and a server can keep what they share.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from string import Template

from rsflow.config.generation_settings import Generation, PromptFile
from rsflow.errors import ConfigError, DataError, StorageError
from rsflow.files import storage
from rsflow.instructions.prompts.answer_schemas import parse_answer
from rsflow.instructions.prompts.kinds import KINDS, TextKind
from rsflow.instructions.prompts.prompt_files import Prompt, parse_prompt
from rsflow.stage import fingerprint

COMMON = frozenset({"sensor", "colour", "facts", "claims"})
PLACEHOLDERS: dict[str, frozenset[str]] = {
    "local": frozenset({"objects"}),
    "description": frozenset({"objects", "notes"}),
    "conversation": frozenset({"objects", "description"}),
    "reasoning": frozenset({"objects", "description"}),
    "comparison": frozenset({"first", "second", "other_sensor", "other_facts", "objects", "other_objects"}),
}
REQUIRED = frozenset({"facts"})


@dataclass(frozen=True, slots=True)
class CustomPrompt:
    """`base`: the kind whose facts and form it has. Empty `sensors` or `sources`: all."""

    kind: str
    base: str
    prompt: Prompt
    sensors: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def fits(self, kind: str, sensor: str, source: str) -> bool:
        return kind == self.kind and sensor in (self.sensors or (sensor,)) and source in (self.sources or (source,))


def load_custom_prompts(files: Sequence[PromptFile]) -> tuple[CustomPrompt, ...]:
    """The prompts of these settings. ConfigError that names the file and what is wrong with it."""
    return tuple(_load(each) for each in files)


def text_kinds(generation: Generation) -> dict[str, TextKind]:
    """The kinds of text that these settings ask for, in the order in which they are asked."""
    added = {each.kind: each.like for each in generation.prompts if each.like}
    # What a new kind writes is for no other kind to draw on.
    every = KINDS | {kind: replace(KINDS[like], add_context=lambda context, _: context) for kind, like in added.items()}
    return {name: kind for name, kind in every.items() if name in generation.kinds}


def _load(settings: PromptFile) -> CustomPrompt:
    base = settings.like or settings.kind
    try:
        prompt = parse_prompt(settings.kind, storage.read_text(settings.file))
    except ValueError as error:
        raise _error(settings.file, str(error)) from error
    except StorageError as error:
        raise ConfigError(f"generation.prompts: {error}") from error
    if len(prompt.parts) != 2:
        raise _error(settings.file, f"expected a system message and a question, found {len(prompt.parts)} parts")
    _check_placeholders(settings.file, base, prompt)
    if settings.examples:
        prompt = _add_examples(prompt, list(_read_examples(settings.examples, base)))
    return CustomPrompt(settings.kind, base, prompt, settings.sensors, settings.sources)


def _error(place: str, fault: str) -> ConfigError:
    return ConfigError(f"generation.prompts: {place}: {fault}")


def _check_placeholders(place: str, base: str, prompt: Prompt) -> None:
    known, used = COMMON | PLACEHOLDERS[base], set[str]()
    for part in prompt.parts:
        if not Template(part).is_valid():
            raise _error(place, "a `$` begins no name: write `$$` for the sign itself")
        used |= set(Template(part).get_identifiers())
    if unknown := sorted(used - known):
        names = ", ".join(f"${name}" for name in sorted(known))
        raise _error(place, f"unknown placeholder ${unknown[0]}; a prompt of the kind {base} has {names}")
    if missing := sorted(REQUIRED - used):
        raise _error(place, f"the placeholder ${missing[0]} is missing: without it the model is told nothing of the picture")


def _read_examples(place: str, base: str) -> Iterator[str]:
    """Questions with answers in the form of the kind, as texts."""
    for number, line in enumerate(storage.read_text(place).splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            question, answer = str(entry["prompt"]), json.dumps(entry["answer"], ensure_ascii=False)
            parse_answer(KINDS[base].answer_type, answer)
        except (ValueError, TypeError, KeyError) as error:
            raise _error(place, f"line {number}: expected an object with `prompt` and `answer` ({error})") from error
        except DataError as error:
            raise _error(place, f"line {number}: the answer has not the form of {base}: {error.detail}") from error
        yield f"{question}\n{answer}"


def _add_examples(prompt: Prompt, examples: Sequence[str]) -> Prompt:
    system, question = prompt.parts
    listed = "\n\n".join(["Examples", *examples]).replace("$", "$$")
    return replace(prompt, parts=(f"{system}\n\n{listed}", question), digest=fingerprint(prompt.digest, listed))
