"""Which tiles are suggested: unsure and new ones first, none twice, none that is annotated or held out."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.cli import main
from rsflow.errors import UsageError
from rsflow.labeller_training.suggest import choose, entropy, suggest, to_csv
from tests.labeller_training.conftest import COUNTS, build_lake, source, write_pictures


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Annotated pictures, and an archive of eight: copies of two annotated ones, three that are alike, and three others."""
    folder = tmp_path_factory.mktemp("archive")
    write_pictures(folder, COUNTS)
    other = folder / "archive"
    other.mkdir()
    for number in range(2):
        shutil.copy(folder / f"pictures/frame_{100 * number}.png", other / f"copy{number}.png")
    for number in range(6):
        random = np.random.default_rng(50 if number < 3 else 50 + number)
        coarse = random.integers(0, 255, (6, 6)).astype(np.uint8)
        picture = np.asarray(Image.fromarray(coarse).resize((96, 96)))
        jitter = np.random.default_rng(number).integers(0, 3, picture.shape)
        Image.fromarray(np.clip(picture + jitter, 0, 255).astype(np.uint8)).save(other / f"new{number}.png")
    plain = {"name": "archive", "sensor": "infrared", "licence": "CC0-1.0", "scenes": {"files": f"{other}/*.png"}}
    return build_lake(folder, [source(folder), plain])


def scenes(rows: Any) -> list[str]:
    return [row.scene_id.rpartition(".")[2] for row in rows]


def test_what_is_new_comes_first_and_what_is_alike_last(archive: str) -> None:
    found = suggest(archive, 50)
    assert "no model has labelled a candidate" in found.notes[0]
    assert found.by == "difference hashes"
    order = scenes(found.rows)
    assert len(order) == len(set(order)) == found.candidates
    assert not any(name.startswith("frame") for name in order)
    alike = [name for name in order if name in {"new0", "new1", "new2"}]
    others = [name for name in order if name in {"new3", "new4", "new5"}]
    assert max(map(order.index, others)) < max(map(order.index, alike[1:]), default=99)
    assert all(row.novelty < 0.05 for row in found.rows if row.scene_id.rpartition(".")[2].startswith("copy"))


def test_the_list_is_the_same_twice_and_a_longer_one_begins_with_a_shorter(archive: str) -> None:
    assert suggest(archive, 3).rows == suggest(archive, 50).rows[:3]
    assert to_csv(suggest(archive, 50)) == to_csv(suggest(archive, 50))


def test_unsure_tiles_go_before_sure_ones_and_alike_ones_follow() -> None:
    vectors = np.array([[1, 0], [0, 1], [0, 1], [-1, 0]], dtype=np.float32)
    worth = np.array([1.0, entropy([0.5] * 5), entropy([0.5] * 5), entropy([0.99] * 5)])
    assert [row for row, _ in choose(vectors, worth, np.array([1, 2, 3]), np.array([0]), 3)] == [1, 3, 2]
    assert choose(vectors, worth, np.array([1, 2]), np.array([0]), 2) == [(1, 0.5), (2, 0.0)]
    assert entropy([0.5] * 9) == pytest.approx(1.0)
    assert entropy([0.5, 1.0]) == pytest.approx(0.2)


def test_the_command_writes_text_json_and_csv(archive: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "list.csv"
    assert main(["suggest", archive, "-n", "2", "--json", "-o", str(out)]) == 0
    told = json.loads(capsys.readouterr().out)
    with open(out, newline="") as file:
        assert [row["tile_id"] for row in csv.DictReader(file)] == [row["tile_id"] for row in told["tiles"]]
    assert main(["suggest", archive, "-n", "2"]) == 0
    assert "novelty by difference hashes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("count", "asked", "message"),
    [
        (0, "", "-n is 0: expected a number from 1"),
        (5, "archives", "--source is 'archives': the lake's sources are shapes, archive"),
        (5, "shapes", "there is no tile without annotations outside of held-out splits to suggest"),
    ],
)
def test_what_cannot_be_suggested_is_told(count: int, asked: str, message: str, archive: str) -> None:
    with pytest.raises(UsageError, match=message):
        suggest(archive, count, asked)
