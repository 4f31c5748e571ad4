"""The languages that rules write: the same facts, in words of another language.

One idea: tasks make questions with a structured answer, and their English; another language makes its words from the structured
answer alone, so no text is translated and none can say something else. A language is a module with `compose` in LANGUAGES. What
it has no words for (a kind of question, a category without a name) is None, and is then asked in English where that is among
the languages, else not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from rsflow.config import settings as config
from rsflow.errors import ConfigError
from rsflow.instructions.languages import zh
from rsflow.instructions.question_answers import QuestionAnswer, SampleFacts, instruction
from rsflow.instructions.wording.hash_choice import choose
from rsflow.records import Instruction, Reject

ENGLISH = "en"


class Language(Protocol):
    def compose(self, qa: QuestionAnswer, names: Mapping[str, str]) -> QuestionAnswer | None:
        """The question with phrasings and answers of this language; None where it has no words for it."""
        ...


LANGUAGES: dict[str, Language] = {"zh": zh}
ENGLISH_TASKS = ("multiple_choice", "change", "series", "sensors", "zoom")  # no other language has words for any of these


def check_languages(settings: config.Instructions) -> None:
    """ConfigError where a task is asked for by name that none of the languages can ask."""
    silent = [task for task in settings.tasks if task in ENGLISH_TASKS]
    if silent and ENGLISH not in settings.languages:
        raise ConfigError(
            f"instructions.languages is {list(settings.languages)}: the tasks {', '.join(silent)} are written in English only. "
            "Add en, or leave these tasks out"
        )


def instructions(
    found: Iterator[QuestionAnswer | Reject], facts: SampleFacts, seed: int, settings: config.Instructions
) -> Iterator[Instruction | Reject]:
    """Questions as instructions, each in one of the languages; what was refused goes through."""
    for item in found:
        if isinstance(item, Reject):
            yield item
        elif words := localise(item, facts, seed, settings):
            yield instruction(words, facts, seed)


def localise(qa: QuestionAnswer, facts: SampleFacts, seed: int, settings: config.Instructions) -> QuestionAnswer | None:
    """The question in one of the languages, by hash; None where none of them can ask it."""
    language = choose(settings.languages, seed, facts.tile_id, "language", qa.task, qa.kind, qa.subject)
    return in_language(qa, language, settings) or (qa if ENGLISH in settings.languages else None)


def in_language(qa: QuestionAnswer, language: str, settings: config.Instructions) -> QuestionAnswer | None:
    """The question in this language; None where it has no words for it."""
    if language == ENGLISH:
        return qa
    names = next((found for name, found in settings.names.items() if name == language), {})
    return LANGUAGES[language].compose(qa, names)
