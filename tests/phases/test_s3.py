"""A lake and its scenes in an object store (a local server): the same shards as on a disk, and everything works on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import boto3
import pytest

import rsflow
from rsflow.cli import main
from rsflow.lake.tables import create_lake
from rsflow.phases.build import plan_build, run
from rsflow.phases.label.label import label
from rsflow.planning.live_rows import read_live_rows
from rsflow.planning.recipe import load
from rsflow.shards.manifest import read_snapshot
from tests.archive import config_of, optical, shards_of, write_scene


@pytest.fixture
def stored(bucket: str, archive: Path) -> tuple[Any, str]:
    """A client, and a bucket that holds the archive."""
    client = boto3.client("s3")
    for path in (*archive.glob("optical/*"), *archive.glob("sar/*"), archive / "sar.json"):
        put(client, bucket, path, archive)
    return client, bucket


def put(client: Any, name: str, path: Path, archive: Path) -> None:
    client.put_object(Bucket=name, Key=str(path.relative_to(archive)), Body=path.read_bytes())


def moved(name: str) -> list[str]:
    """The overrides that put the archive's sources and its lake into the bucket."""
    files = {"0.scenes": "optical/*.tif", "1.scenes": "sar/*.tif", "1.annotations": "sar.json"}
    return [f"root=s3://{name}/lake", *(f"sources.{key}.files=s3://{name}/{where}" for key, where in files.items())]


def objects(client: Any, name: str) -> dict[str, bytes]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix="lake/")
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    return {key.removeprefix("lake/"): client.get_object(Bucket=name, Key=key)["Body"].read() for key in keys}


def test_a_lake_in_a_bucket_is_the_lake_on_a_disk(
    archive: Path, stored: tuple[Any, str], capsys: pytest.CaptureFixture[str]
) -> None:
    client, name = stored
    root = f"s3://{name}/lake"
    asked = ["render.raw_bands=true", "shard.companions=[optical, sar]"]
    command = [str(archive / "build.yaml"), *moved(name), *asked]
    run(config_of(archive, *asked))
    assert main(["build", *command]) == 0
    held = objects(client, name)
    assert {key: data for key, data in held.items() if key.startswith("shards/")} == shards_of(archive / "lake")
    assert [key for key in held if key.startswith("attempts/")] == []
    assert {re.split("[/.]", key)[1] for key in held if key.startswith("tables/")} >= {"tiles", "runs", "selection", "shards"}
    # Again: nothing is done, nothing is written.
    assert main(["build", *command]) == 0
    assert objects(client, name).keys() == held.keys()
    capsys.readouterr()
    assert main(["status", root]) == 0
    assert "nothing to label" in capsys.readouterr().out
    assert main(["verify", root]) == 0
    assert main(["show", root, "-o", str(archive / "sheet.png")]) == 0
    pytest.importorskip("torch")
    samples = sum(1 for split in read_snapshot(root).splits for _ in rsflow.stream(root, split=split))
    assert f"{samples} samples" in run_text(["verify", root], capsys)
    # What nobody names goes.
    client.put_object(Bucket=name, Key="lake/tiles/x/dead.parquet", Body=b"half")
    assert main(["vacuum", root, "--hours", "0", "--delete"]) == 0
    tidied = ("tables/", "digests/")
    assert {key for key in objects(client, name) if not key.startswith(tidied)} == {
        key for key in held if not key.startswith(tidied)
    }
    assert main(["verify", root]) == 0
    # A byte that changed in the store is found.
    tar = next(key for key in held if key.endswith(".tar"))
    client.put_object(Bucket=name, Key=f"lake/{tar}", Body=held[tar][:700] + b"\xff" + held[tar][701:])
    assert main(["verify", root]) == 1


def run_text(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(argv) == 0
    return capsys.readouterr().out


def test_objects_that_come_and_change_are_seen_by_the_same_process(archive: Path, stored: tuple[Any, str]) -> None:
    client, name = stored
    built = load(str(archive / "build.yaml"), moved(name))
    run(built)
    put(client, name, write_scene(archive / "optical/o9.tif", optical(9), 700_000.0), archive)
    put(client, name, write_scene(archive / "optical/o1.tif", optical(99), 540_000.0), archive)
    again = run(built)
    assert (again.planned.scenes["new"], again.planned.scenes["changed"], again.planned.scenes["done"]) == (1, 1, 3)
    run(config_of(archive))
    held = objects(client, name)
    assert all(held[key] == data for key, data in shards_of(archive / "lake").items())


def test_an_object_that_changes_between_plan_and_read_is_a_reject(archive: Path, stored: tuple[Any, str]) -> None:
    client, name = stored
    built = load(str(archive / "build.yaml"), [*moved(name), "max_reject_share=0.5"])
    lake = create_lake(built.root)
    plan = plan_build(built, lake)
    put(client, name, write_scene(archive / "optical/o1.tif", optical(99), 540_000.0), archive)
    client.delete_object(Bucket=name, Key="optical/o0.tif")
    label(built, lake, plan)
    rejects = {
        row["scene_id"]: row["reason"] for row in read_live_rows(lake, plan).rejects().to_pylist() if row["kind"] == "scene"
    }
    assert rejects == {"land.o0": "missing_file", "land.o1": "changed_while_running"}


def test_a_bucket_that_is_not_there_is_told(archive: Path, stored: tuple[Any, str], capsys: pytest.CaptureFixture[str]) -> None:
    command = ["build", str(archive / "build.yaml"), "root=s3://no-such-bucket-here/lake"]
    assert main(command) == 1
    assert "s3://no-such-bucket-here/lake" in capsys.readouterr().err


def test_missing_credentials_are_told(
    archive: Path, stored: tuple[Any, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    S3FileSystem.clear_instance_cache()
    assert main(["status", f"s3://{stored[1]}/lake"]) == 1
    assert "credentials" in capsys.readouterr().err
    S3FileSystem.clear_instance_cache()
