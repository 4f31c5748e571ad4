"""What many tests share: the real data, where it is at hand, a local S3 server, checkpoints."""

from __future__ import annotations

import functools
import logging
import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.archive import config_of, write_archive

SECONDS = {"ray": 20.0, "slow": 12.0}  # what a test with this mark takes, roughly; any other takes 0.2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest scope first, so that no process waits at the end for another one's."""
    seconds: Counter[str] = Counter()
    for item in items:
        seconds[_scope(item.nodeid)] += max(
            (took for mark, took in SECONDS.items() if item.get_closest_marker(mark)), default=0.2
        )
    items.sort(key=lambda item: -seconds[_scope(item.nodeid)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """With `--dist loadfile` a file stays in one process, and all files whose tests share a Ray are of one."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class OneRay(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _scope(nodeid)

    return OneRay(config, log)


def _scope(nodeid: str) -> str:
    path = nodeid.split("::", 1)[0]
    return "ray" if _shares_ray(path) else path


@functools.cache
def _shares_ray(path: str) -> bool:
    return "ray_session: None" in (Path(__file__).parents[1] / path).read_text()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real scenes and annotations; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("RSFLOW_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set RSFLOW_TEST_DATA")
    return folder.resolve()


@dataclass(frozen=True)
class S3Server:
    """An S3 server on this machine, and the requests that came to it: method and path with its query; `sizes`: of the bodies of
    answers, in bytes."""

    address: str
    requests: list[str]
    sizes: list[int]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request, which pytest would keep
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    requests: list[str] = []
    sizes: list[int] = []
    answer = server._server.app

    def note(environment: dict[str, Any], start_response: Any) -> Any:
        requests.append(f"{environment['REQUEST_METHOD']} {environment['PATH_INFO']}?{environment.get('QUERY_STRING', '')}")

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            stated = {name.lower(): value for name, value in headers}
            sizes.append(0 if environment["REQUEST_METHOD"] == "HEAD" else int(stated.get("content-length", 0)))
            return start_response(status, headers, *more)

        return answer(environment, start)

    server._server.app = note
    yield S3Server(f"http://{host}:{port}", requests, sizes)
    server.stop()


@pytest.fixture(scope="session")
def endpoint(s3_server: S3Server) -> str:
    """The address of an S3 server on this machine."""
    return s3_server.address


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of an empty public bucket; the usual AWS variables point at its server."""
    import boto3

    for name in ("AWS_PROFILE", "AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    # GDAL may close a file while it holds the interpreter and waits for a lock whose owner waits for the server, which is in
    # this process and cannot answer then. Only GDAL's own limit ends that: after a minute, unless asked for less.
    limits = {"GDAL_HTTP_LOW_SPEED_TIME": "4"}
    for name, value in {"AWS_ENDPOINT_URL": endpoint, **keys, **limits}.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name, ACL="public-read")
    return name


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny checkpoint by its name in tests.checkpoints.MAKERS; each is made once."""
    torch = pytest.importorskip("torch", reason="needs the extra rsflow[vlm]")
    pytest.importorskip("transformers", reason="needs the extra rsflow[vlm]")
    from tests.checkpoints import MAKERS

    root = tmp_path_factory.mktemp("checkpoints")
    torch.set_num_threads(1)  # threads wait for one another longer than these models take

    def folder(name: str) -> Path:
        if not (root / name).is_dir():
            torch.manual_seed(2)
            MAKERS[name](root / name)
        return root / name

    return folder


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A folder with the scenes of tests.archive and `build.yaml` for them (inline, root `lake`)."""
    write_archive(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def built_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive whose lake is built as its `build.yaml` has it; not to be changed."""
    from rsflow.phases.build import run

    folder = tmp_path_factory.mktemp("built-archive")
    write_archive(folder)
    run(config_of(folder))
    return folder


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One local Ray for the whole test session; three CPUs, because a training job of two workers takes one more."""
    ray = pytest.importorskip("ray")
    shape = {"num_cpus": 3, "num_gpus": 1, "object_store_memory": 200 * 2**20}
    ray.init(address="local", include_dashboard=False, log_to_driver=False, **shape)
    yield
    ray.shutdown()


@pytest.fixture
def by_value(request: pytest.FixtureRequest) -> Iterator[None]:
    """Workers get what the test's file defines with its code: they cannot import it."""
    cloudpickle = pytest.importorskip("ray").cloudpickle
    cloudpickle.register_pickle_by_value(request.module)
    yield
    cloudpickle.unregister_pickle_by_value(request.module)
