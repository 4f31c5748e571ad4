"""The fenced blocks of a document, and how its lines are run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rsflow.cli import main

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, and where it starts (`README.md:74`)."""

    language: str
    text: str
    place: str


def blocks(document: str) -> list[Block]:
    text = (ROOT / document).read_text()
    return [Block(m[1], m[2], f"{document}:{text[: m.start()].count(chr(10)) + 1}") for m in _FENCE.finditer(text)]


def run(block: Block) -> None:
    """Do what a reader would do with a block, in the current folder; fails with the block's place."""
    if block.language == "yaml":
        name = re.match(r"# (\S+\.yaml)\n", block.text)
        assert name, f"{block.place}: a configuration begins with its name, `# NAME.yaml`"
        Path(name[1]).write_text(block.text)
    elif block.language == "sh":
        for line in block.text.splitlines():
            if words := shlex.split(line, comments=True):
                _line(words, block.place)
    elif block.language == "python":
        _python(block)
    else:
        assert block.language == "text", f"{block.place}: {block.language!r} is run by nothing: mark it `text`"


def _line(words: list[str], place: str) -> None:
    said = shlex.join(words)
    if words[0] == "make":
        # Not run here (the tests would run themselves): the target must be there. `make demo` has a test of its own.
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"{place}: {said}: no such target"
    elif words[0] == "rsflow":
        # The substitution: builds run inline, because Ray's start would cost a minute over all of them.
        inline = ["engine.kind=inline"] if words[1] in {"build", "label", "generate", "select", "shard"} else []
        assert main([*words[1:], *inline]) == 0, f"{place}: {said}"
    else:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{place}: {said}: {done.stderr}"


def _python(block: Block) -> None:
    program = Path("snippet.py").absolute()
    program.write_text(block.text)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(program)], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        pytest.fail(f"{block.place}: {done.stdout}{done.stderr}")
