"""`rsflow replay`: every stage of a unit gives again what was recorded, and what was recorded otherwise is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rsflow.cli import main
from rsflow.demo import write_demo_scenes
from rsflow.lake.tables import open_lake
from rsflow.phases.build import run
from rsflow.planning.recipe import load

INLINE = "engine.kind=inline"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo_scenes(folder, seed=7, size_px=512)
    run(load(str(folder / "demo.yaml"), [INLINE]))
    return folder / "lake"


def replayed(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["replay", *words, "--json"]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_every_stage_gives_again_what_was_recorded(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path for path in lake.rglob("*") if path.is_file())
    tile = open_lake(str(lake)).read("tiles", ["tile_id", "sensor"], where={"sensor": "sar"})["tile_id"][0].as_py()
    stages = replayed(capsys, str(lake), tile, "-o", str(tmp_path))["stages"]
    assert stages[:3] == ["CutScenes", "RenderTiles", "ScreenTiles"]
    assert {"LabelTiles", "LabelTiles-2"} <= set(stages)
    for stage in stages:
        found = replayed(capsys, str(lake), tile, "--stage", stage, "-o", str(tmp_path))
        assert (found["same"], found["stage"]) == (True, stage)
        assert {each["table"]: each["recorded"] == each["replayed"] > 0 for each in found["tables"]} | {"rejects": True} == {
            "tiles": True,
            "labels": True,
            "rejects": True,
        }
        kept = pa.ipc.open_file(Path(found["saved"][0]).read_bytes()).read_all()
        assert kept.num_rows == found["rows_in"]
    assert sorted(path for path in lake.rglob("*") if path.is_file()) == before


def test_a_unit_of_a_later_step_is_replayed_by_its_id(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = open_lake(str(lake)).read("runs", ["unit", "step"]).to_pylist()
    unit = next(row["unit"] for row in runs if row["step"] == "instruct")
    found = replayed(capsys, str(lake), unit[:12], "-o", str(tmp_path))
    assert (found["step"], found["same"]) == ("instruct", True)
    tables = {each["table"]: each["recorded"] for each in found["tables"]}
    assert tables["instructions"] > 0


def test_what_was_recorded_otherwise_is_found(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = open_lake(str(lake), writable=True)
    rows = opened.read("tiles")
    tile = rows["tile_id"][0].as_py()
    changed = rows.slice(0, 1).set_column(rows.schema.get_field_index("sharpness"), "sharpness", pa.array([-1.0]))
    opened.delete_rows("tiles", "tile_id", [tile])
    opened.append("tiles", changed)
    found = replayed(capsys, str(lake), tile, "-o", str(tmp_path), code=1)
    (tiles,) = [each for each in found["tables"] if each["table"] == "tiles"]
    assert not found["same"]
    assert len(tiles["differences"]) == 1
    assert f"{tile}: sharpness is recorded as -1.0" in tiles["differences"][0]


def test_unknown_units_and_stages_are_refused(lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tile = open_lake(str(lake)).read("tiles", ["tile_id"])["tile_id"][0].as_py()
    assert main(["replay", str(lake), tile, "--stage", "Screen", "-o", str(tmp_path)]) == 2
    assert "it has CutScenes, RenderTiles, ScreenTiles" in capsys.readouterr().err
    assert main(["replay", str(lake), "nothing/0_0_1", "-o", str(tmp_path)]) == 2
    assert "no finished unit" in capsys.readouterr().err
