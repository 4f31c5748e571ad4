"""Runs that are hurt: workers that die or hang, drivers that are killed or interrupted, two builds at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil
import pyarrow as pa
import pytest

from rsflow.config.settings import Engine
from rsflow.engine.execute import Job, execute, session
from rsflow.engine.unit_blocks import UnitBlocks
from rsflow.errors import RsflowError
from rsflow.lake.receipts import receipt_table
from rsflow.lake.tables import open_lake
from rsflow.phases.build import run
from rsflow.schemas import LABEL_WORK
from rsflow.shards.verify import verify_snapshot
from rsflow.stage import BatchFunction, Resources
from tests.archive import config_of, optical, shards_of, write_scene

BUILD = [sys.executable, "-m", "rsflow.cli", "build"]
QUICK = ["engine.commit_seconds=0.2", "tiles.unit_mb=0.02"]
OFTEN = ["engine.commit_seconds=0.05"]


@dataclass(frozen=True, slots=True)
class Hurt:
    """A unit of one scene dies as by a segmentation fault, one of another hangs, all others are done."""

    crashes: str = ""
    hangs: str = ""
    resources: ClassVar[Resources] = Resources()
    version: ClassVar[int] = 1

    def open(self) -> BatchFunction:
        def run(table: pa.Table) -> Iterator[pa.Table]:
            for row in table.select(["unit", "scene_id", "source"]).to_pylist():
                if row["scene_id"] == self.crashes:
                    os.kill(os.getpid(), signal.SIGSEGV)
                if row["scene_id"] == self.hangs:
                    time.sleep(40)  # ten times the limit; it holds one of the three CPUs for the tests that follow
                counts = {"rows_in": 1, "rows_kept": 1, "rows_rejected": 0, "bytes_read": 0, "scene_rejected": False}
                yield receipt_table({**row, **counts, "receipt": uuid.uuid4().hex, "step": "label"})

        return run


def work(*scenes: str) -> list[pa.Table]:
    """A block of two units per scene."""
    rows = [[{"unit": f"{scene}-{i}", "scene_id": scene, "source": "x"} for i in range(2)] for scene in scenes]
    return [pa.Table.from_pylist(block, schema=LABEL_WORK) for block in rows]


@pytest.mark.ray
def test_a_scene_that_kills_its_worker_is_tried_so_often_and_rejected(
    tmp_path: Path, ray_session: None, by_value: None
) -> None:
    chain = UnitBlocks((Hurt(crashes="bad"),), "label", str(tmp_path), "run", attempts=2)
    made = pa.concat_tables(execute([Job(chain, work("good", "bad", "fine"))], Engine(workers=2))).to_pylist()
    assert sorted(row["unit"] for row in made) == sorted(f"{scene}-{i}" for scene in ("good", "bad", "fine") for i in range(2))
    rejected = {row["unit"]: row["rejects"][0] for row in made if row["scene_rejected"]}
    assert set(rejected) == {"bad-0", "bad-1"}
    assert {reject["reason"] for reject in rejected.values()} == {"crashed_worker"}
    assert "died 2 times" in rejected["bad-0"]["detail"]
    assert len(list((tmp_path / "attempts/run/bad-0").iterdir())) == 2


@pytest.mark.ray
def test_a_worker_that_hangs_fails_the_run_and_names_the_limit(tmp_path: Path, ray_session: None, by_value: None) -> None:
    chain = UnitBlocks((Hurt(hangs="slow"),), "label", str(tmp_path), "run", attempts=2)
    begun = time.monotonic()
    with pytest.raises(RsflowError, match=r"engine\.stall_seconds=4"):
        list(execute([Job(chain, work("good", "slow"))], Engine(workers=2, stall_seconds=4)))
    assert time.monotonic() - begun < 60


@pytest.mark.ray
def test_what_is_raised_between_two_results_ends_the_work_before_its_cluster(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from rsflow.engine.cluster import ray_data

    ended = []

    @contextmanager
    def cluster(engine: Engine) -> Iterator[None]:
        try:
            yield
        finally:
            ended.append("cluster")

    def results(jobs: object, engine: Engine) -> Iterator[pa.Table]:
        try:
            yield from work("a", "b")
        finally:
            ended.append("work")

    monkeypatch.setattr(ray_data, "cluster", cluster)
    monkeypatch.setattr(ray_data, "run", results)

    def read(receipts: Iterator[pa.Table]) -> None:
        # The traceback holds `receipts`, so that they are not collected while the exception is on its way up.
        next(receipts)
        raise KeyboardInterrupt

    chain = UnitBlocks((Hurt(),), "label", str(tmp_path), "run", attempts=2)
    with pytest.raises(KeyboardInterrupt), session():
        read(execute([Job(chain, work("a"))], Engine(kind="ray")))
    assert ended == ["work", "cluster"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_command_at_once(sent: signal.Signals) -> None:
    code = f"""
import os
from rsflow.cli import app
def status(root: str) -> int:
    try:
        os.kill(os.getpid(), {sent:d})
        print("went on")
    finally:
        print("ending", flush=True)
        os.kill(os.getpid(), {sent:d})
        print("went on")
app.COMMANDS["status"] = status
app.main(["status", "lake"])
"""
    hear = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False, **hear)
    assert (ended.returncode, ended.stdout) == (128 + sent, "ending\n")
    assert "a second signal ends it at once" in ended.stderr


@pytest.mark.ray
def test_what_a_cluster_left_behind_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from rsflow.engine.cluster import ray_data

    monkeypatch.setattr(ray_data, "GRACE_SECONDS", 0.2)
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    gone = subprocess.Popen([sys.executable, "-c", ""])
    below = [psutil.Process(process.pid) for process in (left, gone)]
    wait_for(lambda: not alive(gone.pid))  # a zombie: nobody asked for its exit code
    ray_data._end(below)
    assert (left.wait(60), gone.wait(60)) == (-signal.SIGKILL, 0)
    ray_data._end(below)


def start(*arguments: str) -> subprocess.Popen[str]:
    # Where the tests themselves run in the background, SIGINT is ignored, and a child would inherit that.
    return subprocess.Popen(
        [*BUILD, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(what: Callable[[], bool], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def children(pid: int) -> set[int]:
    """All processes below one, by the kernel's own account."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: set[int] = set()
    todo = [pid]
    while todo:
        fresh = [child for child in parents.get(todo.pop(), []) if child not in found]
        found.update(fresh)
        todo += fresh
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def large(archive: Path) -> Path:
    """The archive with enough scenes that a signal comes in the middle of the label phase."""
    for i in range(2, 12):
        write_scene(archive / f"optical/o{i}.tif", optical(i), 500_000.0 + 40_000 * (i % 7))
    return archive


def commits(root: Path) -> int:
    """How many commits of finished units the lake has."""
    return len(list(root.glob("tables/runs/_delta_log/*.json")))


def stopped(process: subprocess.Popen[str], sent: signal.Signals, root: Path) -> str:
    """Send the signal once the process has committed something; what it said, when it and all below it are gone."""
    before = commits(root)
    wait_for(lambda: commits(root) > before or process.poll() is not None)
    below = children(process.pid)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=120)
    if sent != signal.SIGKILL:
        wait_for(lambda: not any(map(alive, below)), 60)
    return errors


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kind", "signals"),
    [
        ("inline", (signal.SIGINT, signal.SIGTERM)),
        # SIGINT on Ray: tests/phases/generate/test_interrupted.py. Ray puts a handler of its own in place for SIGTERM only.
        pytest.param("ray", (signal.SIGTERM, signal.SIGKILL), marks=pytest.mark.ray),
    ],
)
def test_a_run_that_is_stopped_or_killed_goes_on_where_it_was(
    large: Path, kind: str, signals: tuple[signal.Signals, ...]
) -> None:
    command = [str(large / "build.yaml"), f"engine.kind={kind}", *QUICK]
    done = 0
    for workers, sent in enumerate(signals, 1):
        process = start(*command, f"engine.workers={workers}")
        errors = stopped(process, sent, large / "lake")
        if sent == signal.SIGKILL:
            assert process.returncode == -signal.SIGKILL
        else:
            assert process.returncode == 130, errors
            assert "Traceback" not in errors
            assert errors.strip().splitlines()[-1].startswith("rsflow: interrupted")
        kept = open_lake(str(large / "lake")).read("runs").num_rows
        assert kept > done
        done = kept
    # More tasks at a time than the machine may have cores: their order is as random as it gets.
    last = subprocess.run([*BUILD, *command, "engine.workers=3"], capture_output=True, text=True, timeout=400, check=False)
    assert last.returncode == 0, last.stderr
    whole = run(config_of(large, f"root={large / 'whole'}", *QUICK))
    assert done < whole.now.label.num_rows
    assert shards_of(large / "lake") == shards_of(large / "whole")
    assert verify_snapshot(str(large / "lake")).differences == ()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_builds_of_one_lake_at_once_end_with_its_shards(large: Path) -> None:
    both = [start(str(large / "build.yaml"), *OFTEN) for _ in range(2)]
    ends = [(*process.communicate(timeout=240), process.returncode) for process in both]
    assert [(code, errors[-2000:]) for _, errors, code in ends if code] == []
    lake = open_lake(str(large / "lake"))
    now = run(config_of(large, *OFTEN))
    assert now.planned.units == 0
    assert [balance.line() for balance in now.balances if not balance.is_balanced] == []
    tiles = now.now.tiles(["tile_id"])["tile_id"].to_pylist()
    assert len(tiles) == len(set(tiles))
    assert lake.read("tiles").num_rows >= len(tiles)
    run(config_of(large, f"root={large / 'whole'}"))
    expected = shards_of(large / "whole")
    assert {name: shards_of(large / "lake").get(name) for name in expected} == expected
    assert verify_snapshot(str(large / "lake")).differences == ()
