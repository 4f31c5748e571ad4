"""Faults of a store cost time or leave units undone; they never change the dataset. Damaged tile files are made again."""

from __future__ import annotations

import random
from pathlib import Path

import boto3
import pytest

from rsflow.cli import main
from rsflow.lake.tables import open_lake
from rsflow.phases.build import run
from tests.archive import config_of, shards_of
from tests.phases.faulty_store import faulty_store
from tests.phases.test_s3 import moved, put


@pytest.fixture
def stored(bucket: str, archive: Path) -> str:
    client = boto3.client("s3")
    for path in (*archive.glob("optical/*"), *archive.glob("sar/*"), archive / "sar.json"):
        put(client, bucket, path, archive)
    return bucket


def scenes_in(bucket: str, archive: Path) -> list[str]:
    """Only the scenes lie in the bucket."""
    return [str(archive / "build.yaml"), f"root={archive}/faulty", *moved(bucket)[1:]]


def test_a_busy_store_and_resets_change_nothing(
    archive: Path, built_archive: Path, stored: str, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def often(path: str, chance: random.Random) -> int | str | None:
        return chance.choice([503, 500, "reset"]) if chance.random() < 0.1 else None

    with faulty_store(endpoint, often) as (address, failed):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert main(["build", *scenes_in(stored, archive)]) == 0
    assert failed
    assert shards_of(archive / "faulty") == shards_of(built_archive / "lake")


@pytest.mark.parametrize("status", [403, 503])
def test_a_scene_that_cannot_be_reached_is_undone_and_done_by_the_next_run(
    archive: Path,
    built_archive: Path,
    stored: str,
    endpoint: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    monkeypatch.setenv("RSFLOW_RETRY_SECONDS", "0.5")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("GDAL_HTTP_MAX_RETRY", "0")
    barred = sorted(path.name for path in (archive / "optical").iterdir())[0]

    def one(path: str, chance: random.Random) -> int | None:
        return status if f"/optical/{barred}" in path else None

    with faulty_store(endpoint, one) as (address, failed):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert main(["build", *scenes_in(stored, archive)]) == 1
    said = capsys.readouterr().err
    assert failed
    assert "1 undone" in said
    assert barred in said
    lake = open_lake(f"{archive}/faulty")
    assert not {row["kind"] for row in lake.read("rejects").to_pylist()} & {"scene"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert main(["build", *scenes_in(stored, archive)]) == 0
    assert shards_of(archive / "faulty") == shards_of(built_archive / "lake")


@pytest.mark.parametrize("damage", ["bits", "missing", "cut"])
def test_a_damaged_tile_file_is_found_and_made_again(archive: Path, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(config_of(archive))
    whole = shards_of(archive / "lake")
    file = sorted((archive / "lake/tiles").rglob("*.parquet"))[0]
    data = bytearray(file.read_bytes())
    data[4:-4:1500] = bytes(byte ^ 4 for byte in data[4:-4:1500])  # so often that a chosen picture is hit
    file.unlink() if damage == "missing" else file.write_bytes(bytes(data) if damage == "bits" else data[: len(data) // 2])
    assert main(["verify", "--deep", str(archive / "lake")]) == 1
    assert file.name in capsys.readouterr().out
    for path in (archive / "lake/shards").rglob("*.*"):
        path.unlink()
    assert main(["build", str(archive / "build.yaml")]) == 0
    assert shards_of(archive / "lake") == whole
    assert main(["verify", "--deep", str(archive / "lake")]) == 0
