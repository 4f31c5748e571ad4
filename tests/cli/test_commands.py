"""The command line as a whole: every command has help with examples that parse, starts fast, completes, and is documented."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from rsflow import __version__
from rsflow.cli import main
from rsflow.cli.app import COMMANDS, _command_group

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "ray", "rasterio", "numpy", "pyarrow", "deltalake", "pydantic", "PIL", "fsspec", "yaml", "rich"}


def run(code: str, **environment: str) -> str:
    process = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=True
    )
    return process.stdout


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*command.split(), "--help"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("command", ["", *COMMANDS], ids=lambda word: word or "-")
def test_help_has_a_summary_and_examples(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "110")  # whatever the terminal of those who run the tests
    _command_group.cache_clear()
    text = help_of(command, capsys)
    assert text.startswith(f"Usage: rsflow {command}".rstrip())
    assert "..." not in text.partition("Commands:")[2], "a summary is cut off"
    assert f"    rsflow {command}" in text.partition("Examples:")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_help_parse(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    parser = _command_group().commands[command]
    monkeypatch.setattr(parser, "callback", lambda **values: ran.append(values) or 0)
    for line in help_of(command, capsys).partition("Examples:")[2].strip().splitlines():
        # What follows three spaces is a remark.
        words = shlex.split(re.split(r" {3,}", line.strip())[0])
        parser.main(words[2:], standalone_mode=False)
    assert ran


def test_help_loads_no_heavy_library() -> None:
    loaded = run("import sys; from rsflow.cli import main; main(['--help']); print([*sys.modules])").splitlines()[-1]
    assert [name for name in sorted(HEAVY) if f"'{name}'" in loaded] == []


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"rsflow {__version__}\n"


@pytest.mark.parametrize(
    ("words", "expected"), [("rsflow ex", ["explain", "export"]), ("rsflow build --re", ["--retry-rejects"])]
)
def test_a_shell_completes_commands_and_options(words: str, expected: list[str]) -> None:
    position = str(len(words.split()) - 1)
    shell = {"_RSFLOW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": position}
    assert run("from rsflow.cli import run; run()", **shell).split() == expected


def test_every_command_is_documented() -> None:
    rows = re.findall(r"^\| `rsflow ([a-z-]+)` \|", (ROOT / "docs/commands.md").read_text(), re.MULTILINE)
    assert rows == [*COMMANDS]
