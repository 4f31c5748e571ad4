"""A build in an object store that fails (sources, annotations, the lake): it waits, or ends with one line and goes on."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from rsflow.cli import main
from rsflow.lake.tables import open_lake
from rsflow.phases.build import run
from tests.archive import config_of, shards_of, write_archive
from tests.phases.faulty_store import faulty_store
from tests.phases.test_s3 import moved, objects, put


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A scene of each source: as many kinds of requests as of two, and fewer of each."""
    write_archive(tmp_path, count=1)
    return tmp_path


@pytest.fixture
def stored(bucket: str, archive: Path) -> tuple[Any, str]:
    client = boto3.client("s3")
    for path in (*archive.glob("optical/*"), *archive.glob("sar/*"), archive / "sar.json"):
        put(client, bucket, path, archive)
    return client, bucket


def shards_in(client: Any, bucket: str) -> dict[str, bytes]:
    return {key: data for key, data in objects(client, bucket).items() if key.startswith("shards/")}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The shards of the archive, built on a disk: they depend on its content and not on where it lies."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_archive(folder, count=1)
    run(config_of(folder))
    return shards_of(folder / "lake")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RSFLOW_RETRY_SECONDS": "0.5", "AWS_MAX_ATTEMPTS": "1", "GDAL_HTTP_MAX_RETRY": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)


@pytest.mark.slow
def test_a_tenth_of_all_requests_fails(
    archive: Path, stored: tuple[Any, str], endpoint: str, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def often(path: str, chance: random.Random) -> int | str | None:
        return chance.choice([503, 500, "reset"]) if chance.random() < 0.1 else None

    with faulty_store(endpoint, often) as (address, failed):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert main(["build", str(archive / "build.yaml"), *moved(stored[1])]) == 0
    assert len(failed) > 10
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert shards_in(*stored) == undisturbed
    assert main(["verify", "--deep", f"s3://{stored[1]}/lake"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("after", [40, 200])
def test_an_outage_that_ends_is_waited_for(
    archive: Path,
    stored: tuple[Any, str],
    endpoint: str,
    after: int,
    undisturbed: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = {"requests": 0, "until": 0.0}

    def outage(path: str, chance: random.Random) -> str | None:
        state["requests"] += 1
        if state["requests"] == after:
            state["until"] = time.monotonic() + 2
        return "reset" if time.monotonic() < state["until"] else None

    with faulty_store(endpoint, outage) as (address, failed):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        assert main(["build", str(archive / "build.yaml"), *moved(stored[1])]) == 0
    assert failed
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert shards_in(*stored) == undisturbed


PLACES = ("optical", "sar.json", "lake/tables/tiles", "lake/tiles/", "lake/shards/", "lake/digests", "")


@pytest.mark.parametrize(("where", "second"), [(where, (403, "reset")[number % 2]) for number, where in enumerate(PLACES)])
def test_lasting_faults_end_with_one_line_each_and_the_next_run_goes_on(
    archive: Path,
    stored: tuple[Any, str],
    endpoint: str,
    where: str,
    second: int | str,
    impatient: None,
    undisturbed: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A store that is busy, then one that refuses or breaks off, then one that works."""
    command = ["build", str(archive / "build.yaml"), *moved(stored[1])]
    for status in (503, second):

        def fault(path: str, chance: random.Random, status: int | str = status) -> int | str | None:
            return status if where in path.replace("%2F", "/") else None

        with faulty_store(endpoint, fault) as (address, failed):
            monkeypatch.setenv("AWS_ENDPOINT_URL", address)
            assert main(command) == 1
        assert failed
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("rsflow:")]
        assert lines
        assert len(lines[-1]) < 600
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        if where.startswith("lake/"):
            assert not open_lake(f"s3://{stored[1]}/lake").read("rejects", where={"kind": "scene"}).num_rows
    assert main(command) == 0
    assert shards_in(*stored) == undisturbed
