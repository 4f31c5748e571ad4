"""What may not be looked at is an error, never absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsflow.errors import UnavailableError
from rsflow.files import storage
from rsflow.readers.listing.sidecars import FolderListings

NOBODY = 65534


@pytest.fixture
def private() -> Iterator[Path]:
    """A folder with a file that this process may not look into."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        folder = Path(name) / "private"
        folder.mkdir()
        (folder / "a.tif").write_bytes(b"x")
        folder.chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


def test_a_folder_without_permission_is_not_empty(private: Path) -> None:
    for call in (
        lambda: storage.exists(f"{private}/a.tif"),
        lambda: storage.list_files(str(private)),
        lambda: storage.scan_folder(str(private.parent)),
        lambda: storage.glob(f"{private}/*.tif"),
        lambda: storage.glob(f"{private}/a.tif"),
        lambda: storage.glob(f"{private.parent}/*/a.tif"),
        lambda: storage.glob(f"{private.parent}/**/*.tif"),
        lambda: storage.read_bytes(f"{private}/a.tif"),
        lambda: FolderListings().companions_of(f"{private}/a.tif"),
    ):
        with pytest.raises(UnavailableError, match=r"no permission.*") as caught:
            call()
        assert str(private) in str(caught.value)


def test_what_is_not_there_is_absent(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert not storage.exists(f"{tmp_path}/missing/a")
    assert not storage.exists(f"{tmp_path}/file/a")
    assert storage.list_files(f"{tmp_path}/missing") == []
    assert storage.glob(f"{tmp_path}/missing/*.tif") == []
    assert storage.glob(f"{tmp_path}/*/*.tif") == []
    assert storage.list_files(str(tmp_path)) == ["file"]
