"""The build as a job: submitted to a head node that the test starts, followed to its end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from rsflow.shards.verify import verify_snapshot
from tests.archive import shards_of

ROOT = Path(__file__).parents[2]
RAY = str(Path(sys.executable).parent / "ray")
# As the README has it; only the two programs' places are filled in.
COMMAND = "ray job submit --working-dir . -- python pipelines/build.py"


AGENT_PORTS = ("dashboard-agent-listen-port", "dashboard-agent-grpc-port", "runtime-env-agent-port", "metrics-export-port")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A head node on loopback with token authentication; gives the environment of its clients."""
    gcs, dashboard = free_port(), free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
    folder = tmp_path_factory.mktemp("ray", numbered=True)
    ports = [f"--port={gcs}", f"--dashboard-port={dashboard}", "--dashboard-host=127.0.0.1", "--node-ip-address=127.0.0.1"]
    # Another Ray on this machine holds the ports that an agent takes when none is named, and then no job can be submitted.
    ports += [f"--{name}={free_port()}" for name in AGENT_PORTS]
    size = ["--num-cpus=2", f"--object-store-memory={150 * 2**20}", "--disable-usage-stats"]
    with (folder / "head.log").open("wb") as log:
        process = subprocess.Popen(
            [RAY, "start", "--head", "--block", *ports, *size], env={**clean, **token}, stdout=log, stderr=log
        )
    try:
        wait_for(dashboard, process, folder / "head.log")
        yield {**clean, **token, "RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{dashboard}"}
    finally:
        below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for each in (process, *below):  # at once: by itself a head node waits half a minute for its agents
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait(timeout=60)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    pytest.fail(f"the head node did not come up: {log.read_text()}")


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_submitted_build_ends_as_a_local_one(archive: Path, head: dict[str, str]) -> None:
    here = {"ray": RAY, "python": sys.executable}
    submit = [here.get(word, word) for word in COMMAND.split()]
    settings = [str(archive / "build.yaml"), "engine.kind=ray", f"root={archive / 'job'}"]
    for _ in range(30):
        done = subprocess.run(
            [*submit, *settings], env=head, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
        )
        if "No available agent" not in done.stderr:  # the dashboard answers some seconds before the node's agent is there
            break
        time.sleep(2)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "samples" in done.stdout
    assert verify_snapshot(str(archive / "job")).differences == ()
    local = [sys.executable, str(ROOT / "pipelines/build.py"), str(archive / "build.yaml")]
    subprocess.run(local, check=True, timeout=120, capture_output=True)
    assert shards_of(archive / "job") == shards_of(archive / "lake")
