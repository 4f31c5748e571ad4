"""A folder that one process writes is refused to another, and free again when the first is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from rsflow.errors import UsageError
from rsflow.files.sole_writer import sole_writer


def in_another_process(action: Callable[[], None]) -> int:
    """The process's id; it ends with code 0, 1 where the action was refused."""
    if child := os.fork():
        return child
    try:
        action()
    except UsageError:
        os._exit(1)
    os._exit(0)


def test_a_folder_has_one_writer_at_a_time(tmp_path: Path) -> None:
    def write() -> None:
        with sole_writer(tmp_path / "run"):
            pass

    def ends_well() -> bool:
        return os.waitpid(in_another_process(write), 0)[1] == 0

    with sole_writer(tmp_path / "run"):
        assert not ends_well()
    assert ends_well()


def test_a_killed_writers_folder_is_free(tmp_path: Path) -> None:
    reader, writer = os.pipe()

    def hold() -> None:
        with sole_writer(tmp_path):
            os.write(writer, b"held")
            signal.pause()

    child = in_another_process(hold)
    assert os.read(reader, 4) == b"held"
    with pytest.raises(UsageError, match="another process writes there"), sole_writer(tmp_path):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with sole_writer(tmp_path):
        pass
