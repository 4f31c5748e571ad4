"""`rsflow relocate`: moved sources are no new data; other content at the new place is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from rsflow.cli import main
from rsflow.demo import write_demo_scenes
from rsflow.phases.build import run
from rsflow.planning.recipe import load

INLINE = "engine.kind=inline"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A lake apart from its sources, which lie in two folders."""
    write_demo_scenes(tmp_path / "archive", seed=7, size_px=512)
    config = yaml.safe_load((tmp_path / "archive/demo.yaml").read_text())
    shutil.move(tmp_path / "archive/sar", tmp_path / "radar")
    for source in config["sources"]:
        source["scenes"]["files"] = str(
            tmp_path / source["scenes"]["files"].replace("sar/", "radar/").replace("optical/", "archive/optical/")
        )
        source["scenes"]["files"] = source["scenes"]["files"].replace(f"{tmp_path}/infrared", f"{tmp_path}/archive/infrared")
        source["annotations"]["files"] = str(tmp_path / "archive" / source["annotations"]["files"])
    config["root"] = str(tmp_path / "lake")
    (tmp_path / "build.yaml").write_text(yaml.safe_dump(config))
    run(load(str(tmp_path / "build.yaml"), [INLINE]))
    return tmp_path


def state(lake: Path) -> dict[str, bytes]:
    kept = ("shards/", "tiles/", "snapshots/")
    places = {str(path.relative_to(lake)): path for path in lake.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in places.items() if name.startswith(kept)}


def test_after_a_move_nothing_is_done_again(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(built / "lake")
    shutil.copytree(built / "archive", built / "elsewhere/archive")  # with other times
    shutil.rmtree(built / "archive")
    shutil.move(built / "lake", built / "moved-lake")
    lake = built / "moved-lake"
    assert main(["relocate", str(lake), str(built / "archive"), str(built / "elsewhere/archive")]) == 0
    assert "7 scenes lie in" in capsys.readouterr().out
    assert main(["status", str(lake), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert (plan["scenes"]["done"], plan["units"], plan["instruct_units"]) == (9, 0, 0)
    text = (built / "build.yaml").read_text().replace(f"{built}/archive", f"{built}/elsewhere/archive")
    (built / "build.yaml").write_text(text.replace(f"{built}/lake", str(lake)))
    assert main(["build", str(built / "build.yaml"), INLINE]) == 0
    assert "label: " not in capsys.readouterr().err
    assert state(lake) == before
    assert main(["verify", str(lake), "--deep"]) == 0


def test_other_content_is_refused_and_nothing_changes(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = (built / "lake/config.json").read_bytes()
    shutil.copytree(built / "archive", built / "other")
    scene = sorted((built / "other/optical").iterdir())[0]
    data = bytearray(scene.read_bytes())
    data[-1] ^= 1
    scene.write_bytes(bytes(data))
    assert main(["relocate", str(built / "lake"), str(built / "archive"), str(built / "other")]) == 1
    assert "1 of 9 scenes have other content" in capsys.readouterr().err
    scene.unlink()
    assert main(["relocate", str(built / "lake"), str(built / "archive"), str(built / "other")]) == 1
    assert "1 of 9 scenes are missing" in capsys.readouterr().err
    assert (built / "lake/config.json").read_bytes() == config
    assert not (built / "lake/relocations.json").exists()


def test_a_folder_of_no_source_is_refused(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["relocate", str(built / "lake"), str(built / "nowhere"), str(built / "other")]) == 2
    errors = capsys.readouterr().err
    assert f"lies in {built}/nowhere" in errors
    assert f"{built}/radar/*.tif" in errors


def test_a_lake_of_relative_paths_says_once_where_they_start_now(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = built / "lake/config.json"
    former = json.loads(place.read_text())
    former["config"]["sources"][0]["scenes"]["files"] = "archive/optical/*.tif"
    place.write_text(json.dumps(former))
    for told in (True, False):
        capsys.readouterr()
        assert main(["build", str(built / "build.yaml"), INLINE]) == 0
        assert ("relative paths such as archive/optical/*.tif" in capsys.readouterr().err) is told
