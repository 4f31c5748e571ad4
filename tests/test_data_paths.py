"""What data names stays below the folder that the user gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.errors import DataError
from rsflow.files.data_paths import normalise_relative, resolve_below

OUT = [
    "../a.png",
    "b/../../a.png",
    "..\\a.png",
    "file:///etc/a.png",
    "https://x.org/a.png",
    "s3://b/a.png",
    "/vsizip/a.zip/a.png",
]


@pytest.mark.parametrize("name", [*OUT, "a\0.png", "simplecache::file:///a.png", "/vsicurl/http://x.org/a.png"])
def test_a_name_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="path_outside"):
        normalise_relative(name)
    with pytest.raises(DataError, match="path_outside"):
        resolve_below(str(tmp_path), name)


@pytest.mark.parametrize("name", ["a.png", "b/a.png", "./a.png", "b/../a.png", "a::b.png", "50%20[1].png", "..a/b..png"])
def test_a_name_below_is_kept(name: str, tmp_path: Path) -> None:
    assert Path(resolve_below(str(tmp_path), name)).is_relative_to(tmp_path)
    assert normalise_relative(name).endswith("png")


def test_absolute_paths_and_addresses_are_right_below_their_folder(tmp_path: Path) -> None:
    assert resolve_below(str(tmp_path), f"{tmp_path}/b/a.png") == f"{tmp_path}/b/a.png"
    assert resolve_below("s3://b/set", "s3://b/set/a.png") == "s3://b/set/a.png"
    for folder, name in ((str(tmp_path), f"{tmp_path}-private/a.png"), ("s3://b/set", "s3://b/settings/a.png")):
        with pytest.raises(DataError, match="path_outside"):
            resolve_below(folder, name)


def test_a_link_that_leads_out_is_refused_and_a_linked_folder_of_the_user_is_not(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "private").mkdir()
    (tmp_path / "private/s.png").touch()
    (tmp_path / "set").symlink_to(tmp_path / "real")
    (tmp_path / "real/l.png").symlink_to(tmp_path / "private/s.png")
    assert resolve_below(str(tmp_path / "set"), "a.png") == f"{tmp_path}/set/a.png"
    with pytest.raises(DataError, match="path_outside"):
        resolve_below(str(tmp_path / "set"), "l.png")
    assert resolve_below(str(tmp_path / "set"), "../private/s.png", allow_outside=True)
