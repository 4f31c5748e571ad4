"""How a broken law is reported, and how files are damaged to test what is said of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rsflow.errors import DataError, RsflowError


def require(condition: object, law: str) -> None:
    """AssertionError with this sentence where the condition does not hold. (`assert` would be gone under `python -O`.)"""
    if not condition:
        raise AssertionError(law)


def raises_only_own_errors(action: Callable[[], Any], law: str) -> bool:
    """Whether the action raised; AssertionError where it raised anything but rsflow's own errors."""
    try:
        action()
    except (DataError, RsflowError):
        return True
    except Exception as error:  # the code under test may raise anything, and that is what is told
        raise AssertionError(f"{law}: raised {type(error).__name__}: {error}; expected DataError or UsageError") from error
    return False


def damaged_copies(files: Sequence[str], folder: Path) -> Iterator[tuple[str, list[str]]]:
    """(what was done, the paths) of copies of these files whose first one is empty, cut in half or overwritten with noise."""
    original = Path(files[0]).read_bytes()
    damages = {
        "empty": b"",
        "cut in half": original[: len(original) // 2],
        "overwritten with noise": bytes(value * 37 % 251 for value in range(2000)),
    }
    for number, (damage, content) in enumerate(damages.items()):
        copies = [str(folder / str(number) / Path(file).name) for file in files]
        (folder / str(number)).mkdir()
        for file, copy in zip(files, copies, strict=True):
            shutil.copyfile(file, copy)
        Path(copies[0]).write_bytes(content)
        yield damage, copies
