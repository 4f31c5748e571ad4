"""Prompts of the user's own: what they may hold, whom they are for, and what is refused before anything is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsflow.config.generation_settings import Generation, PromptFile
from rsflow.config.validation import check
from rsflow.errors import ConfigError
from rsflow.instructions.prompts import KINDS, load_custom_prompts, text_kinds

TEXT = "version: 3\n---\nYou are brief. $sensor\n---\n$facts\n$objects costs $$5"
ANSWER = {"sentences": [{"text": "A ship.", "claims": []}]}


def prompt_file(folder: Path, text: str = TEXT, examples: str | None = None, **own: Any) -> PromptFile:
    (folder / "own.txt").write_text(text)
    if examples is not None:
        (folder / "own.jsonl").write_text(examples)
        own["examples"] = str(folder / "own.jsonl")
    return PromptFile(**{"kind": "description", "file": str(folder / "own.txt"), **own})


def test_a_prompt_is_for_its_sensors_and_sources(tmp_path: Path) -> None:
    (found,) = load_custom_prompts([prompt_file(tmp_path, sensors=("sar",), sources=("sea",))])
    assert (found.kind, found.base, found.prompt.version) == ("description", "description", 3)
    assert found.fits("description", "sar", "sea")
    assert not any(
        found.fits(*case) for case in (("local", "sar", "sea"), ("description", "optical", "sea"), ("description", "sar", "x"))
    )
    (every,) = load_custom_prompts([prompt_file(tmp_path)])
    assert every.fits("description", "infrared", "anything")


def test_examples_end_the_system_message_and_are_part_of_the_identity(tmp_path: Path) -> None:
    line = json.dumps({"prompt": "A price of $5", "answer": ANSWER})
    (plain,) = load_custom_prompts([prompt_file(tmp_path)])
    (found,) = load_custom_prompts([prompt_file(tmp_path, examples=f"{line}\n\n")])
    words = {name: name.upper() for name in ("sensor", "facts", "objects")}
    system, question = found.prompt.fill(**words)
    assert system == f"You are brief. SENSOR\n\nExamples\n\nA price of $5\n{json.dumps(ANSWER)}"
    assert question == "FACTS\nOBJECTS costs $5"
    assert found.prompt.digest != plain.prompt.digest


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("no head", "expected `version: N` in the first line"),
        ("version: 1\n---\none part $facts", "expected a system message and a question, found 1 parts"),
        (
            "version: 1\n---\ns\n---\n$facts $labels",
            r"unknown placeholder \$labels; a prompt of the kind description has \$claims",
        ),
        ("version: 1\n---\ns\n---\n$facts $other_facts", r"unknown placeholder \$other_facts"),
        ("version: 1\n---\ns\n---\n$objects", r"the placeholder \$facts is missing"),
        ("version: 1\n---\ns\n---\n$facts costs $ 5", r"a `\$` begins no name"),
    ],
)
def test_a_prompt_that_cannot_be_filled_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigError, match=rf"own\.txt: {fault}"):
        load_custom_prompts([prompt_file(tmp_path, text)])


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("[", "line 2: expected an object with `prompt` and `answer`"),
        ('{"prompt": "q"}', "line 2: expected an object with `prompt` and `answer`"),
        ('{"prompt": "q", "answer": {"pairs": 5}}', "line 2: the answer has not the form of description"),
    ],
)
def test_an_example_of_another_form_is_refused(tmp_path: Path, line: str, fault: str) -> None:
    good = json.dumps({"prompt": "q", "answer": ANSWER})
    with pytest.raises(ConfigError, match=fault):
        load_custom_prompts([prompt_file(tmp_path, examples=f"{good}\n{line}")])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gone"):
        load_custom_prompts([PromptFile("description", str(tmp_path / "gone.txt"))])


def test_a_new_kind_is_asked_as_another_one(tmp_path: Path) -> None:
    file = {"kind": "brief", "like": "description", "file": "brief.txt"}
    settings = check(Generation, {"engine": {}, "kinds": ["brief", "local"], "prompts": [file]}, "test")
    kinds = text_kinds(settings)
    assert [*kinds] == ["local", "brief"]
    assert (kinds["brief"].task, kinds["brief"].answer_type) == ("description", KINDS["description"].answer_type)
    with pytest.raises(ConfigError, match=r"unknown kind 'brieff'.*brief"):
        check(Generation, {"engine": {}, "kinds": ["brieff"], "prompts": [file]}, "test")
    for wrong in ({"kind": "brief", "file": "x"}, {"kind": "local", "like": "local", "file": "x"}):
        with pytest.raises(ConfigError, match="like"):
            check(Generation, {"engine": {}, "prompts": [wrong]}, "test")
