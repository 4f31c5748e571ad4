"""What builds ask of an object store: requests are counted at a server, so that they do not grow with what is known already."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import boto3
import numpy as np
import pytest
from PIL import Image

from rsflow.engine.execute import BLOCK_UNITS
from rsflow.lake.integrity import digests
from rsflow.phases.build import run
from rsflow.planning.recipe import load
from tests.archive import write_archive
from tests.conftest import S3Server

PER_TILE = 3
PER_SMALL_SCENE = 7
STEPS_WITH_WORK = 2  # label and instruct
IDLE = 60
IDLE_AFTER_COMMITS = 80  # whatever their number: a checkpoint of a table's log takes more requests than a few commits


def upload(folder: Path, bucket: str) -> None:
    client = boto3.client("s3")
    for path in folder.rglob("*"):
        if path.is_file():
            client.put_object(Bucket=bucket, Key=str(path.relative_to(folder)), Body=path.read_bytes())


def count(server: S3Server, config: Path, overrides: list[str]) -> tuple[int, int]:
    """(requests, tiles) of a build in a process that has read nothing of the lake yet."""
    digests.clear_cache()
    server.requests.clear()
    tiles = run(load(str(config), overrides)).now.label["rows_kept"].to_pylist()
    return len(server.requests), sum(tiles)


def test_a_build_asks_little_per_tile_and_one_without_work_next_to_nothing(
    bucket: str, s3_server: S3Server, tmp_path: Path
) -> None:
    write_archive(tmp_path)
    upload(tmp_path, bucket)
    files = {"0.scenes": "optical/*.tif", "1.scenes": "sar/*.tif", "1.annotations": "sar.json"}
    overrides = [f"sources.{key}.files=s3://{bucket}/{name}" for key, name in files.items()]
    overrides += [f"root=s3://{bucket}/lake", "tiles.size_px=24", "engine.commit_seconds=60"]
    requests, tiles = count(s3_server, tmp_path / "build.yaml", overrides)
    assert tiles > 150
    assert requests <= PER_TILE * tiles
    idle, _ = count(s3_server, tmp_path / "build.yaml", overrides)
    assert idle <= IDLE, "\n".join(s3_server.requests)


def test_the_commits_of_a_long_build_cost_the_next_one_little(bucket: str, s3_server: S3Server, tmp_path: Path) -> None:
    write_archive(tmp_path, count=1)
    overrides = [f"root=s3://{bucket}/lake", "tiles.unit_mb=0.02", "engine.commit_seconds=0.001"]
    count(s3_server, tmp_path / "build.yaml", overrides)
    assert sum("PUT" in each and "/tables/runs/_delta_log" in each for each in s3_server.requests) > 10
    idle, _ = count(s3_server, tmp_path / "build.yaml", overrides)
    assert idle <= IDLE_AFTER_COMMITS, "\n".join(s3_server.requests)


def test_small_scenes_share_files_and_commits(bucket: str, s3_server: S3Server, tmp_path: Path) -> None:
    """What one more small scene costs, in a first build and in one that has nothing to do."""
    first, idle = [], []
    for number in (10, 40):
        folder = tmp_path / str(number)
        write_pictures(folder, number)
        upload(folder, bucket)
        overrides = [f"root=s3://{bucket}/lake{number}", f"sources.0.scenes.files=s3://{bucket}/pictures{number}/*.png"]
        requests, tiles = count(s3_server, folder / "build.yaml", overrides)
        assert tiles == number
        first.append(requests)
        idle.append(count(s3_server, folder / "build.yaml", overrides)[0])
        listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"lake{number}/")["Contents"]
        keys = [entry["Key"].removeprefix(f"lake{number}/") for entry in listed]
        assert sum(key.startswith("tiles/") for key in keys) == ceil(number / BLOCK_UNITS)
        assert sum(key.startswith("tables/runs/_delta_log/") for key in keys) <= 2 + STEPS_WITH_WORK
    assert (first[1] - first[0]) / 30 <= PER_SMALL_SCENE
    assert idle[1] == pytest.approx(idle[0], abs=2)


def write_pictures(folder: Path, number: int) -> None:
    """So many pictures of one tile each, and `build.yaml` for them."""
    pictures = folder / f"pictures{number}"
    pictures.mkdir(parents=True)
    random = np.random.default_rng(number)
    for i in range(number):
        Image.fromarray(random.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(pictures / f"{i}.png")
    (folder / "build.yaml").write_text(
        f"root: {folder}/lake\nengine: {{kind: inline}}\nscreen: {{min_contrast: 0.0, min_sharpness: 0.0}}\n"
        "sources:\n  - {name: small, sensor: optical, licence: CC0-1.0, labellers: [{name: scene}], "
        f"scenes: {{files: '{pictures}/*.png'}}}}\n"
    )
