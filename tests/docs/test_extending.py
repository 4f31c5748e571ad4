"""The files that docs/extending.md shows work: each is written, named in its table, and used."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import rasterio

from rsflow.annotations import ANNOTATIONS
from rsflow.config import settings as config
from rsflow.config.settings import BuildConfig
from rsflow.config.validation import check
from rsflow.dialects import DIALECTS, displacement_px
from rsflow.instructions import TASKS
from rsflow.instructions.phrasings import PHRASINGS
from rsflow.labellers import LABELLERS
from rsflow.phases.build import BuildResult
from rsflow.phases.build import run as run_build
from rsflow.readers import READERS, SUFFIXES
from rsflow.records import Label, Provenance, Shape, TileFacts
from tests.docs.blocks import blocks


@pytest.fixture
def here(imagery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(imagery, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def module(name: str, folder: Path) -> ModuleType:
    """The document's file of that name, imported."""
    (block,) = [block for block in blocks("docs/extending.md") if block.text.startswith(f"# rsflow/{name}\n")]
    path = folder / Path(name).name
    path.write_text(block.text)
    spec = importlib.util.spec_from_file_location(f"added_{path.stem}", path)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def build(**source: object) -> BuildResult:
    """A dataset of one source, inline."""
    whole = {"name": "added", "sensor": "optical", "licence": "CC0-1.0", "labellers": [{"name": "scene"}], **source}
    settings = {"root": "added-lake", "sources": [whole], "tiles": {"size_px": 256}, "engine": {"kind": "inline"}}
    return run_build(check(BuildConfig, settings, "added"))


def test_the_labeller(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LABELLERS, "snow", module("labellers/snow.py", here).Snow)
    scenes = {"files": "imagery/*.tif", "bands": {"green": 2, "red": 3, "blue": 1, "swir": 5}}
    outcome = build(scenes=scenes, labellers=[{"name": "snow", "least_ndsi": -0.5}])
    labels = outcome.now.labels().to_pylist()
    assert {(row["category"], row["origin_name"], row["quality"]) for row in labels} == {("snow", "snow", 0.6)}
    assert outcome.sharded


def test_the_reader(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "npy", module("readers/npy.py", here).open_npy)
    monkeypatch.setitem(SUFFIXES, ".npy", "npy")
    with rasterio.open(sorted(Path("imagery").glob("*.tif"))[0]) as scene:
        pixels = scene.read([3, 2, 1])
    np.save("scene.npy", pixels)
    outcome = build(scenes={"files": "*.npy", "bands": {"red": 1, "green": 2, "blue": 3}})
    assert outcome.now.tiles().num_rows == 4
    assert not outcome.now.rejected_scenes


def test_the_annotation_format(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANNOTATIONS, "jsonl", module("annotations/jsonl.py", here).read_jsonl)
    coco = json.loads(Path("ships/train.json").read_text())
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    rows = [(names[row["image_id"]], row["bbox"]) for row in coco["annotations"]]
    lines = [{"file": name, "category": "ship", "box": [x, y, x + w, y + h]} for name, (x, y, w, h) in rows]
    Path("ships/boxes.jsonl").write_text("\n".join([*map(json.dumps, lines), '{"file": 3}']))
    annotations = {"format": "jsonl", "files": "ships/boxes.jsonl"}
    outcome = build(sensor="sar", scenes={"files": "ships/JPEGImages/*.jpg"}, annotations=annotations)
    boxes = [row for row in outcome.now.labels().to_pylist() if row["kind"] == "box"]
    assert sorted(row["box"] for row in boxes) == sorted([x, y, x + w, y + h] for _, (x, y, w, h) in rows)
    assert [row["reason"] for row in outcome.now.rejects().to_pylist() if row["kind"] == "annotation"] == ["bad_record"]


def test_the_task(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = module("instructions/comparison.py", here)
    assert len(added.PHRASINGS) >= 5
    monkeypatch.setitem(PHRASINGS, "comparison", added.PHRASINGS)
    monkeypatch.setitem(TASKS, "comparison", added.make_instructions)
    origin = Provenance("annotation", "test")
    boxes = [("ship", 10.0), ("ship", 50.0), ("tank", 100.0)]
    labels = tuple(Label("box", name, origin, Shape((x, 5.0, x + 20, 25.0))) for name, x in boxes)
    facts = TileFacts("t", "optical", 256, 256, 1.0, labels, ("ship", "tank"))
    (made,) = TASKS["comparison"](facts, config.Instructions(), 0)
    assert (made.turns[1].text, made.labels) == ("ship", (0, 1, 2))
    tied = TileFacts("t", "optical", 256, 256, 1.0, labels[1:], ("ship", "tank"))
    assert [item.reason for item in TASKS["comparison"](tied, config.Instructions(), 0)] == ["tie"]


def test_the_dialect(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DIALECTS, "percent", module("dialects/percent.py", here))
    dialect, box = DIALECTS["percent"], (20.0, 30.0, 120.0, 90.0)
    assert dialect.spell("See [[a ship|0]].", [box], 300, 200) == "See a ship (10%, 10%, 60%, 30%)."
    for shift in (0.0, 0.3, 1.7):
        moved = (20.0 + shift, 30.0, 120.0, 90.0 + shift)
        assert displacement_px(dialect, moved, 300, 200) <= np.hypot(*dialect.max_rounding_px(300, 200)) + 1e-9
