"""The program of `make demo`, on a smaller place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from rsflow.demo.__main__ import main
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.verify import verify_snapshot


@pytest.mark.slow
def test_the_demo_builds_streams_and_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["out", "--engine", "inline", "--size-px", "768"]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    lake = "out/scenes/lake"
    assert verify_snapshot(lake).differences == ()
    splits = read_snapshot(lake).splits
    streamed = {
        name: int(count.replace(",", "")) for name, count in re.findall(r"^(\w+): ([\d,]+) samples \(", told, re.MULTILINE)
    }
    assert streamed == {name: split.samples for name, split in splits.items()}
    with Image.open("out/sheet.png") as sheet:
        # Three columns: a sample of every sensor in each row.
        assert sheet.width > 3 * 512
        assert sheet.height > 4 * 512
    for place in re.findall(r"^  (out/\S+)  ", told, re.MULTILINE):
        assert Path(place).exists(), place

    assert main(arguments) == 0
    again = capsys.readouterr().out
    assert "there already" in again
    assert "nothing new to label" in again


def test_without_torch_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([str(tmp_path / "out")]) == 2
    assert 'pip install "rsflow[train]"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
