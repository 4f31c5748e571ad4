"""Input that is wrong, places that fail, lakes that were harmed: each is told with the path, the value and what to do."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rsflow.cli import main
from rsflow.errors import LakeError, RejectLimitError, StorageError, UndoneError
from rsflow.lake.tables import create_lake, open_lake
from rsflow.phases.build import lake_balances, plan_build, run, status
from rsflow.phases.label.label import label
from rsflow.planning.live_rows import read_live_rows
from tests.archive import config_of, optical, shards_of, write_scene

FULL = "the disk is full. What was committed is safe: free space and run again"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs a command; gives its exit code and all that it said."""

    def command(*argv: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(argv)
        out, err = capsys.readouterr()
        return code, out + err

    return command


def scene_rejects(archive: Path, *overrides: str) -> dict[str, tuple[str, str]]:
    outcome = run(config_of(archive, "max_reject_share=1", *overrides))
    assert [balance.line() for balance in outcome.balances if not balance.is_balanced] == []
    rows = outcome.now.rejects().to_pylist()
    return {row["scene_id"]: (row["reason"], row["detail"]) for row in rows if row["kind"] == "scene"}


# Places


def test_a_root_that_cannot_be_written_is_told(archive: Path, said: Callable[..., tuple[int, str]]) -> None:
    for root, word in ((f"{archive}/sar.json/lake", "a file stands where a folder should be"), ("/proc/none/lake", "no such")):
        code, text = said("build", str(archive / "build.yaml"), f"root={root}")
        assert (code, text.count("\n")) == (1, 1)
        assert re.search(rf"{re.escape(root)}/lake.json: cannot (read|write) it", text)
        assert word in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_is_told(archive: Path, said: Callable[..., tuple[int, str]]) -> None:
    (archive / "closed").mkdir(mode=0o500)
    code, text = said("build", str(archive / "build.yaml"), f"root={archive}/closed/lake")
    assert code == 1
    assert "no permission (check its owner and mode" in text


def test_permission_errors_are_told_whoever_runs(tmp_path: Path) -> None:
    from rsflow.files import storage

    for error in (PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")):
        told = r"/some/where: cannot write it: (no permission|the file system is read-only)"
        with pytest.raises(StorageError, match=told), storage.translate_errors("/some/where", "write"):
            raise error
    assert storage.describe_error(ValueError("Generic LocalFileSystem error: No space left on device (os error 28)")) == FULL


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a disk of so many kilobytes; called again it is made larger."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", place], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")

    def size(kilobytes: int) -> Path:
        subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", place], check=True)
        return place

    yield size
    subprocess.run(["umount", "-l", place], check=True)


# Each number stops at another step: tile files, the commit of rows, instructions, the selection, the first or a later shard.
@pytest.mark.parametrize("kilobytes", [40, 110, 200, 300, 420])
def test_a_full_disk_is_told_and_a_run_with_space_ends_the_same(
    archive: Path,
    built_archive: Path,
    small_disk: Callable[[int], Path],
    said: Callable[..., tuple[int, str]],
    kilobytes: int,
) -> None:
    command = ["build", str(archive / "build.yaml"), f"root={small_disk(kilobytes)}/lake"]
    code, text = said(*command)
    assert code == 1
    assert FULL in text.splitlines()[-1]
    place = small_disk(20_000)
    assert said(*command)[0] == 0
    assert shards_of(place / "lake") == shards_of(built_archive / "lake")
    assert list(place.rglob("*.tmp")) == []
    assert said("verify", str(place / "lake"))[0] == 0


def test_a_limit_on_file_sizes_leaves_no_half_shard(archive: Path) -> None:
    """The same without the right to mount: writing a shard fails in its middle."""
    one_shard = ["shard.target_mb=64", "select.splits={train: 1}"]
    run(config_of(archive, f"root={archive}/whole", *one_shard))
    shards = shards_of(archive / "whole")
    # The one shard does not fit; a tile file or a table's part, however many receipts went into its commit, is far smaller.
    most = max(len(data) for data in shards.values()) // 2
    assert 2 * max(path.stat().st_size for path in (archive / "whole").rglob("*") if "/shards/" not in str(path)) < most
    command = [sys.executable, "-m", "rsflow.cli", "build", str(archive / "build.yaml"), f"root={archive}/limited"]
    large = [*command, *one_shard]
    done = subprocess.run(
        large,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    assert done.returncode == 1, done.stderr
    assert ".tar: cannot write it" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert shards_of(archive / "limited") == {}
    again = run(config_of(archive, f"root={archive}/limited", *one_shard))
    assert again.planned.units == 0
    assert shards_of(archive / "limited") == shards


# Scenes


def test_a_scene_that_changes_between_plan_and_read_is_a_reject_and_then_taken(archive: Path) -> None:
    built = config_of(archive, "max_reject_share=0.5")
    lake = create_lake(built.root)
    plan = plan_build(built, lake)
    write_scene(archive / "optical/o1.tif", optical(99), 540_000.0)
    label(built, lake, plan)
    rejects = [row for row in read_live_rows(lake, plan).rejects().to_pylist() if row["kind"] == "scene"]
    assert [(row["scene_id"], row["reason"]) for row in rejects] == [("land.o1", "changed_while_running")]
    again = run(built)
    assert (again.planned.scenes["changed"], again.now.rejected_scenes) == (1, set())
    run(config_of(archive, f"root={archive / 'fresh'}"))
    assert shards_of(archive / "lake") == shards_of(archive / "fresh")


def test_names_of_any_kind_stay_inside_the_lake(archive: Path) -> None:
    scene = (archive / "optical/o0.tif").read_bytes()
    odd = ["with space.tif", "..two.tif", "ÄÖ 東京.tif", "a'b\"c;$(x).tif", "%2e%2e%2f.tif", "-n.tif", "l" * 240 + ".tif"]
    for number, name in enumerate(odd):
        path = write_scene(archive / "odd" / name, optical(50 + number))
        assert path.stat().st_size > len(scene) // 4
    outcome = run(config_of(archive, f"sources.0.scenes.files={archive}/odd/*.tif"))
    assert outcome.now.rejected_scenes == set()
    assert outcome.planned.scenes["new"] == len(odd) + 2
    files = {row["file"] for row in outcome.now.tiles(["tile_id", "file"]).to_pylist()}
    root = (archive / "lake").resolve()
    assert all((root / file).resolve().is_relative_to(root) and (root / file).exists() for file in files)
    assert len({row["tile_id"].rpartition("/")[0] for row in outcome.now.tiles(["tile_id"]).to_pylist()}) == len(odd) + 2
    assert {path.name for path in archive.iterdir()} <= {"optical", "sar", "odd", "sar.json", "build.yaml", "lake"}


def test_two_scenes_of_one_name_are_two_scenes(archive: Path) -> None:
    for folder, seed in (("a", 1), ("b", 2)):
        write_scene(archive / folder / "same.tif", optical(seed), 500_000.0 + 50_000 * seed)
    files = f"[{archive}/a/*.tif, {archive}/b/*.tif]"
    outcome = run(config_of(archive, f"sources.0.scenes.files={files}"))
    assert sum(scene.startswith("land.same-") for scene in outcome.now.label["scene_id"].to_pylist()) == 2


def test_a_band_that_no_file_has_rejects_its_scenes(archive: Path) -> None:
    override = "sources.0.scenes.bands={red: 1, green: 2, blue: 3, nir: 9}"
    found = scene_rejects(archive, override)
    assert set(found) == {"land.o0", "land.o1"}
    assert all("9" in detail for _, detail in found.values())


# Annotations


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"{not json", "is not JSON"),
        (b"[]", "has no list 'images'"),
        (b'{"images": []}', "has no list 'annotations'"),
        (b'{"images": {}, "annotations": []}', "has no list 'images'"),
        (b'{"images": [], "annotations": [], "categories": {"a": 1}}', "categories"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"", "is not JSON"),
    ],
)
def test_annotations_that_are_no_coco_are_a_users_mistake(
    archive: Path, said: Callable[..., tuple[int, str]], content: bytes, word: str
) -> None:
    (archive / "sar.json").write_bytes(content)
    code, text = said("build", str(archive / "build.yaml"))
    assert code == 2
    assert f"{archive}/sar.json" in text
    assert word in text
    assert not (archive / "lake/tables").exists()


def test_coco_names_with_folders_neither_leave_nor_mislead(archive: Path) -> None:
    coco = json.loads((archive / "sar.json").read_text())
    for image in coco["images"]:
        image["file_name"] = "../../../etc/" + image["file_name"]
    (archive / "sar.json").write_text(json.dumps(coco))
    with pytest.raises(RejectLimitError, match=r"path_outside: .*/sar.json: '../../../etc/s0.tif' leads out of its folder"):
        run(config_of(archive))


# Rejects


def test_the_reject_limit_prints_the_table_of_reasons(archive: Path, said: Callable[..., tuple[int, str]]) -> None:
    (archive / "optical/o0.tif").write_bytes(b"not a picture")
    (archive / "optical/o1.tif").write_bytes((archive / "optical/o1.tif").read_bytes()[:3000])
    code, text = said("build", str(archive / "build.yaml"))
    assert code == 1
    assert "2 of 4 scenes were rejected, more than max_reject_share=0.2 allows" in text
    assert f"     2  unreadable: {archive}/optical/" in text
    assert "--retry-rejects" in text


# Lakes


def test_a_damaged_or_newer_lake_is_refused(archive: Path, said: Callable[..., tuple[int, str]]) -> None:
    run(config_of(archive))
    mark = archive / "lake/lake.json"
    for content, word in (
        (b"", "is damaged"),
        (b"[1]", "is damaged"),
        (b"{}", "is damaged"),
        (b'{"format": "x"}', "format x"),
        (b'{"format": 99}', "the lake has format 99, this rsflow reads formats 1 to"),
    ):
        mark.write_bytes(content)
        for command in (["build", str(archive / "build.yaml")], ["status", str(archive / "lake")]):
            code, text = said(*command)
            assert code == 1
            assert str(archive / "lake") in text
            assert word in text


@pytest.mark.parametrize("name", ["sharded.json", "config.json"])
def test_a_damaged_note_of_a_lake_is_told_and_made_again(
    archive: Path, said: Callable[..., tuple[int, str]], name: str
) -> None:
    run(config_of(archive))
    place = archive / "lake" / name
    for content in (b"{", b"[]", b"{}"):
        place.write_bytes(content)
        code, text = said("status", str(archive / "lake"))
        assert name == "config.json" or code == 1
        assert f"{place}: " in text
    place.unlink()
    run(config_of(archive))
    assert said("verify", str(archive / "lake"))[0] == 0


def test_a_table_that_lost_a_file_is_told(archive: Path) -> None:
    run(config_of(archive))
    for file in (archive / "lake/tables/labels").glob("*.parquet"):
        file.unlink()
    with pytest.raises(LakeError, match=r"tables/labels/.*: cannot read"):
        open_lake(str(archive / "lake")).read("labels")


def delete(root: Path, table: str, where: str) -> None:
    from deltalake import DeltaTable

    DeltaTable(root / "tables" / table).delete(where)


def first(root: Path, table: str, column: str, kind: str = "") -> str:
    rows = open_lake(str(root)).read(table)
    found = [row for row in rows.to_pylist() if not kind or (row["kind"] == kind and row["selected"])]
    return str(min(row[column] for row in found))


def lose_tile(root: Path) -> None:
    delete(root, "tiles", f"tile_id = '{first(root, 'tiles', 'tile_id')}'")


def lose_instruction(root: Path) -> None:
    delete(root, "instructions", f"instruction_id = '{first(root, 'selection', 'subject', 'instruction')}'")


def lose_selected(root: Path) -> None:
    delete(root, "selection", f"subject = '{first(root, 'selection', 'subject', 'tile')}'")


def update(root: Path, kind: str, new: dict[str, Any]) -> None:
    from deltalake import DeltaTable

    where = f"subject = '{first(root, 'selection', 'subject', kind)}'"
    DeltaTable(root / "tables/selection").update(predicate=where, new_values=new)


def unselect(root: Path) -> None:
    update(root, "tile", {"selected": False})


def change_reason(root: Path) -> None:
    update(root, "instruction", {"selected": False, "reason": "quota"})


def move_split(root: Path) -> None:
    update(root, "tile", {"split": "elsewhere"})


def flip_byte(root: Path) -> None:
    shard = min((root / "shards").rglob("*.tar"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)


def lose_shard(root: Path) -> None:
    min((root / "shards").rglob("*.tar")).unlink()


def change_index(root: Path) -> None:
    index = min((root / "shards").rglob("*.idx"))
    index.write_bytes(index.read_bytes()[:-1])


HARM = [lose_tile, lose_instruction, lose_selected, unselect, change_reason, move_split, flip_byte, lose_shard, change_index]


def test_verify_finds_what_was_lost_or_changed(archive: Path, said: Callable[..., tuple[int, str]]) -> None:
    run(config_of(archive))
    assert said("verify", str(archive / "lake"))[0] == 0
    for harm in HARM:
        root = archive / harm.__name__
        shutil.copytree(archive / "lake", root)
        harm(root)
        code, text = said("verify", str(root))
        assert code == 1, harm.__name__
        assert f"{root}: " in text
        assert "differences" in text


def test_a_selection_that_was_not_sharded_yet_is_no_loss(archive: Path, said: Callable[..., tuple[int, str]]) -> None:
    run(config_of(archive))
    run(config_of(archive, "select.quotas={vqa: 5}"), phases=("select",))
    assert said("verify", str(archive / "lake"))[0] == 0
    run(config_of(archive))
    assert all(balance.is_balanced for balance in lake_balances(str(archive / "lake")))


def test_a_shard_that_was_lost_comes_back_the_same(archive: Path) -> None:
    run(config_of(archive))
    before = shards_of(archive / "lake")
    lose_shard(archive / "lake")
    outcome = run(config_of(archive))
    assert outcome.sharded is not None
    assert outcome.sharded.written == 1
    assert shards_of(archive / "lake") == before


def test_status_of_a_lake_whose_sources_are_gone_tells_what_it_holds(
    archive: Path, said: Callable[..., tuple[int, str]]
) -> None:
    run(config_of(archive))
    shutil.rmtree(archive / "optical")
    code, text = said("status", str(archive / "lake"))
    assert code == 0
    assert "4 scenes, 36 tiles" in text
    assert "cannot be determined" in text
    assert f"{archive}/optical/*.tif" in text


def test_planning_writes_nothing(archive: Path, said: Callable[..., tuple[int, str]]) -> None:
    assert said("plan", str(archive / "build.yaml"))[0] == 0
    assert not (archive / "lake").exists()
    run(config_of(archive))
    before = {path: path.stat().st_mtime_ns for path in (archive / "lake").rglob("*")}
    said("plan", str(archive / "build.yaml"))
    said("status", str(archive / "lake"))
    assert {path: path.stat().st_mtime_ns for path in (archive / "lake").rglob("*")} == before


def test_a_build_leaves_no_markers_of_its_attempts(archive: Path) -> None:
    run(config_of(archive))
    assert list((archive / "lake/attempts").iterdir()) == []


def test_later_phases_need_a_lake(archive: Path, said: Callable[..., tuple[int, str]]) -> None:
    for phase in ("select", "shard"):
        code, text = said(phase, str(archive / "build.yaml"))
        assert code == 1
        assert "there is no lake here" in text
        assert not (archive / "lake").exists()


# Secrets


def test_signatures_of_addresses_are_neither_told_nor_stored(
    archive: Path, said: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RSFLOW_RETRY_SECONDS", "0.5")
    secret = "X-Amz-Signature=0123456789abcdef"
    address = f"http://user:pass@127.0.0.1:9/o.tif?{secret}"
    override = f"sources.0.scenes.files=[{archive}/optical/*.tif, '{address}']"
    with pytest.raises(UndoneError) as undone:  # nobody answers there, which says nothing of the scene
        run(config_of(archive, override, "max_reject_share=0.5"))
    assert secret not in str(undone.value)
    assert "user:pass" not in str(undone.value)
    for path in (archive / "lake").rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
            assert b"user:pass" not in path.read_bytes(), path
    stored = open_lake(str(archive / "lake"))
    told = [
        *stored.read("rejects")["detail"].to_pylist(),
        *(str(files) for files in stored.read("scenes")["files"].to_pylist()),
    ]
    assert all(secret not in text and "user:pass" not in text for text in told)
    _, planned = status(str(archive / "lake"))
    assert isinstance(planned, str)
    code, text = said("build", str(archive / "build.yaml"), override, "max_reject_share=0")
    assert code == 1
    assert secret not in text
