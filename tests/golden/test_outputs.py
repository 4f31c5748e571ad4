"""The bytes that builds write: shards and snapshots of two datasets, held against kept digests.

Each dataset has a text file with a line per snapshot, shard and sample, so that the difference shows which tiles changed, and
whether in their picture, their record or the texts of a task. Where a change is meant, `RSFLOW_UPDATE_GOLDEN=1 pytest
tests/golden` rewrites the files; the change of the files is reviewed with the change of the code, and the version of the stage
that made it is raised. Encoders are those of constraints.txt: others may compress the same pixels to other bytes.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsflow.demo.write import write_demo_scenes
from rsflow.phases.build import run
from rsflow.planning.recipe import load
from rsflow.shards.format import Sample
from rsflow.shards.manifest import read_snapshot
from rsflow.shards.reader import ShardReader

FOLDER = Path(__file__).parent
REPOSITORY = FOLDER.parents[1]
SHOWN_LINES = 60
UPDATE = "RSFLOW_UPDATE_GOLDEN"


def describe_outputs(root: str) -> list[str]:
    """A line for the latest snapshot, for each of its shards, and for each sample: digests of all that was written."""
    manifest = read_snapshot(root)
    lines = [f"snapshot {manifest.digest} config {manifest.config_fingerprint} seed {manifest.seed}"]
    for _, split in sorted(manifest.splits.items()):
        for shard in split.shards:
            lines.append(f"shard {shard.path} tar {shard.sha256[:16]} index {shard.index_sha256[:16]}")
            lines += (_describe_sample(sample) for sample in ShardReader(root, shard))
    return lines


def _describe_sample(sample: Sample) -> str:
    record = {name: value for name, value in sample.record.items() if name != "instructions"}
    texts: dict[str, list[object]] = defaultdict(list)
    for instruction in sample.record["instructions"]:
        texts[instruction["task"]].append(instruction)
    others = [f"{name} {_digest(data)}" for name, data in sorted(sample.others.items())]
    tasks = [f"{task} {_digest(_json(found))}" for task, found in sorted(texts.items())]
    picture = f"picture {_digest(sample.picture)}"
    return "  ".join([f"  {record['tile_id']}", picture, *others, f"record {_digest(_json(record))}", *tasks])


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


def check_outputs(root: str, name: str) -> None:
    """Fail with the lines that differ from those that are kept under this name."""
    kept, found = FOLDER / f"{name}.txt", describe_outputs(root)
    if os.environ.get(UPDATE):
        kept.write_text("\n".join(found) + "\n")
    difference = list(_differences(kept.read_text().splitlines(), found))
    more = f"\n… and {len(difference) - SHOWN_LINES} more lines" if len(difference) > SHOWN_LINES else ""
    assert not difference, (
        f"the bytes of {name} changed. If that is meant, run `{UPDATE}=1 pytest tests/golden` and commit the files:\n"
        + "\n".join(difference[:SHOWN_LINES])
        + more
    )


def _differences(kept: list[str], found: list[str]) -> Iterator[str]:
    return (line for line in difflib.unified_diff(kept, found, "kept", "found", lineterm="", n=0) if line[:2] != "@@")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The configuration of the demo's smallest place."""
    return write_demo_scenes(tmp_path_factory.mktemp("demo"), size_px=512).config


@pytest.mark.slow
def test_the_demo_has_its_bytes(demo: str, tmp_path: Path) -> None:
    root = str(tmp_path / "lake")
    run(load(demo, [f"root={root}", "engine.kind=inline"]))
    check_outputs(root, "demo")


@pytest.mark.ray
@pytest.mark.slow
def test_the_demo_on_ray_has_the_same_bytes(demo: str, tmp_path: Path, ray_session: None) -> None:
    root = str(tmp_path / "lake")
    run(load(demo, [f"root={root}", "engine.kind=ray", "engine.workers=2"]))
    check_outputs(root, "demo")


@pytest.mark.slow
def test_the_example_of_real_scenes_has_its_bytes(test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSFLOW_TEST_DATA", str(test_data))
    monkeypatch.setenv("RSFLOW_ROOT", str(tmp_path / "lake"))
    run(load(str(REPOSITORY / "configs/example_scenes.yaml"), ["engine.kind=inline"]))
    check_outputs(str(tmp_path / "lake"), "example_scenes")


def test_a_changed_byte_is_shown_with_its_tile() -> None:
    kept = ["snapshot a", "  land/0_0_64  picture 11  record 22  vqa 33", "  land/0_64_64  picture 44  record 55"]
    found = ["snapshot b", "  land/0_0_64  picture 11  record 22  vqa 99", "  land/0_64_64  picture 44  record 55"]
    assert list(_differences(kept, found))[2:] == [
        "-snapshot a",
        "-  land/0_0_64  picture 11  record 22  vqa 33",
        "+snapshot b",
        "+  land/0_0_64  picture 11  record 22  vqa 99",
    ]
