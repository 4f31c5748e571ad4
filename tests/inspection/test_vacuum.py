"""Vacuum: what goes is what nobody reads, and what stays is read as before."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsflow.cli import main
from rsflow.errors import LakeError
from rsflow.inspection.diff import diff
from rsflow.inspection.vacuum import Retention, vacuum
from rsflow.lake.tables import open_lake
from rsflow.phases.build import lake_balances, run, status
from rsflow.shards.verify import verify_snapshot
from tests.archive import config_of, optical, shards_of, write_scene

ALL = Retention(hours=0, snapshots=1, former=False)
OTHER = "tiles.size_px=80"  # all tiles are others


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def of(root: Path, folder: str) -> set[str]:
    return {name for name in files(root) if name.startswith(f"{folder}/")}


@pytest.fixture
def changed(archive: Path) -> Path:
    """An archive whose lake was built under one configuration, then another: two snapshots."""
    run(config_of(archive, OTHER))
    run(config_of(archive))
    return archive


def test_nothing_goes_that_is_young_or_named(changed: Path) -> None:
    for folder in ("tiles/scene", "shards/train", "attempts/run"):
        (changed / "lake" / folder).mkdir(parents=True, exist_ok=True)
        (changed / "lake" / folder / "not-committed-yet").write_bytes(b"whole")
    before = files(changed / "lake")
    vacuum(str(changed / "lake"), Retention(), delete=True)
    after = files(changed / "lake")
    assert {name: after[name] for name in before if not name.startswith(("tables/", "digests/"))} == {
        name: data for name, data in before.items() if not name.startswith(("tables/", "digests/"))
    }
    assert {name for name in before if not name.startswith("digests/")} <= after.keys()
    assert vacuum(str(changed / "lake"), Retention()) == []


def test_what_a_dead_worker_left_goes(changed: Path) -> None:
    root = changed / "lake"
    whole = of(root, "tiles") | of(root, "shards") | of(root, "snapshots")
    left = [root / "tiles/scene/unit-dead.parquet", root / "shards/train/x.tar.0123.tmp", root / "attempts/run/unit/mark"]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    found = vacuum(str(root), Retention(hours=0))
    assert {file for waste in found if not waste.folder.startswith("tables/") for file in waste.files} == {
        str(path.relative_to(root)) for path in left
    }
    assert all(path.exists() for path in left), "it only told"
    vacuum(str(root), Retention(hours=0), delete=True)
    assert not any(path.exists() for path in left)
    assert of(root, "tiles") | of(root, "shards") | of(root, "snapshots") == whole


def test_what_is_left_is_a_lake_built_once(changed: Path) -> None:
    """Only the last configuration and its snapshot stay: the same files as in a lake that knew no other."""
    root = changed / "lake"
    told = vacuum(str(root), ALL)
    done = vacuum(str(root), ALL, delete=True)
    assert {waste.folder for waste in done} >= {"tiles", "shards", "snapshots"}
    assert [waste for waste in told if not waste.folder.startswith("tables/")] == [
        waste for waste in done if not waste.folder.startswith("tables/")
    ]
    once = run(config_of(changed, f"root={changed / 'once'}"))
    assert shards_of(root) == shards_of(changed / "once")
    assert len(of(root, "tiles")) == len(of(changed / "once", "tiles"))
    for name in ("tiles", "labels", "instructions", "rejects", "runs", "shards"):
        assert open_lake(str(root)).read(name).num_rows == once.lake.read(name).num_rows, name
    assert vacuum(str(root), ALL) == []


def test_the_latest_snapshot_stays_where_an_earlier_one_is_named(changed: Path) -> None:
    """Of two builds at once the one that took the smaller number may end last."""
    root = changed / "lake"
    (root / "snapshots/LATEST").write_text("1\n")
    vacuum(str(root), Retention(hours=0, snapshots=1), delete=True)
    assert {path.name for path in (root / "snapshots").glob("[0-9].json")} == {"2.json"}
    assert (root / "snapshots/LATEST").read_text() == "2\n"
    assert verify_snapshot(str(root)).differences == ()


def test_a_vacuumed_lake_works_on(changed: Path) -> None:
    root = changed / "lake"
    vacuum(str(root), ALL, delete=True)
    assert verify_snapshot(str(root)).differences == ()
    assert all(balance.is_balanced for balance in lake_balances(str(root)))
    assert not isinstance(status(str(root))[1], str)
    again = run(config_of(changed))
    assert (again.planned.units, again.sharded.written if again.sharded else None) == (0, 0)
    write_scene(changed / "optical/o9.tif", optical(9), 700_000.0)
    added = run(config_of(changed))
    run(config_of(changed, f"root={changed / 'once'}"))
    once = shards_of(changed / "once")
    assert {name: shards_of(root)[name] for name in once} == once
    assert verify_snapshot(str(root)).differences == ()
    # What changed since a snapshot that stays can still be told: its version of the selection stays too.
    assert added.sharded is not None
    last = added.sharded.snapshot
    told = diff(str(root), last - 1, last).text()
    vacuum(str(root), Retention(hours=0, snapshots=2, former=False), delete=True)
    assert told
    assert diff(str(root), last - 1, last).text() == told
    # The former configuration is work to be done again.
    assert run(config_of(changed, OTHER)).planned.units > 0


def test_former_tiles_cannot_be_told_while_a_build_is_not_whole(changed: Path) -> None:
    write_scene(changed / "optical/o9.tif", optical(9), 700_000.0)
    before = files(changed / "lake")
    with pytest.raises(LakeError, match="of the step `label` are not done yet"):
        vacuum(str(changed / "lake"), ALL, delete=True)
    assert files(changed / "lake") == before


def test_the_command_tells_before_it_deletes(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = changed / "lake"
    before = files(root)
    command = ["vacuum", str(root), "--former", "--keep-snapshots", "1", "--hours", "0"]
    assert main(command) == 0
    assert "can go: add --delete" in capsys.readouterr().out
    assert files(root) == before
    assert main([*command, "--delete"]) == 0
    assert " deleted" in capsys.readouterr().out
    assert main(["verify", str(root)]) == 0
    assert main(command) == 0
    assert "0 files, 0 bytes nothing to delete" in capsys.readouterr().out
    assert main(["vacuum", str(root), "--keep-snapshots", "0"]) == 2
    assert "--keep-snapshots is 0: expected a number from 1" in capsys.readouterr().err
