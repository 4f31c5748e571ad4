"""Trainings of seconds on a lake of small pictures: what they learn, that they go on where they stopped, what they refuse."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("pycocotools")

from rsflow.cli import main
from rsflow.errors import UsageError
from rsflow.labeller_training import optimisation
from rsflow.labeller_training.annotated_tiles import AnnotatedTile, frame_number, left_out_notes, read_training_tiles
from rsflow.labeller_training.pictures import TilePictures
from rsflow.labeller_training.report import training_json, training_text
from rsflow.labeller_training.settings import TrainingSettings
from rsflow.labeller_training.train import TrainedLabeller, train_labeller
from rsflow.labellers import from_settings
from rsflow.labellers.models.model_labeller import LabellerInput
from rsflow.labellers.quality.detection_metrics import score
from rsflow.records import Label
from tests.labeller_training.conftest import COUNTS, build_lake, source, write_pictures

SHORT = {"steps": 3, "batch": 2, "crop_px": 64, "threads": 1}


def train(root: str, out: Path, task: str = "detection", **settings: Any) -> TrainedLabeller:
    own = TrainingSettings(root=root, source="shapes", task=task, out=str(out), **{**SHORT, **settings})
    return train_labeller(own, lambda steps: None, lambda step, loss: None)


def first_test_tile(root: str) -> tuple[AnnotatedTile, Any]:
    tiles = read_training_tiles(TrainingSettings(root=root, source="shapes", task="detection", out=""))
    return tiles.test[0], TilePictures(root, tiles.test, tiles.categories).picture(tiles.test[0])


def label(labeller: Any, picture: Any) -> tuple[Label, ...]:
    opened = labeller.open()
    (found,) = opened.infer(batch := [LabellerInput(picture, "infrared", None)], opened.prepare(batch))
    return found.labels  # type: ignore[no-any-return]


def weights(out: Path) -> bytes:
    return (out / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def detector(shapes: str, tmp_path_factory: pytest.TempPathFactory) -> TrainedLabeller:
    out = tmp_path_factory.mktemp("trained") / "detector"
    return train(shapes, out, steps=120, batch=4, iou=0.3)


def test_a_detector_from_scratch_finds_what_it_never_saw(detector: TrainedLabeller) -> None:
    every, bar, square = detector.qualities
    assert [one.category for one in detector.qualities] == ["*", "bar", "square"]
    assert every.true == bar.true + square.true > 6
    assert detector.tiles == {"train": COUNTS["train"], "calibration": COUNTS["val"], "test": COUNTS["test"]}
    assert every.f1 is not None
    assert every.f1 > 0.8


def test_it_is_a_labeller_at_once_with_its_calibration_and_quality(shapes: str, detector: TrainedLabeller) -> None:
    labeller: Any = from_settings(detector.labeller_settings)
    assert labeller.calibrated is not None
    tile, picture = first_test_tile(shapes)
    found = label(labeller, picture)
    boxes = [[one.shape.box for one in some if one.shape] for some in (found, tile.labels)]
    assert score(boxes[0], boxes[1], 0.3).right > 0
    assert all(one.provenance.quality == labeller.calibrated.quality(one.category) > 0 for one in found)
    told = from_settings({**detector.labeller_settings, "calibration": f"{detector.settings.out}/calibration.json"})
    assert told.calibrated == labeller.calibrated  # type: ignore[union-attr]


def test_a_finished_training_is_read_back_and_another_one_is_refused(shapes: str, detector: TrainedLabeller) -> None:
    out = Path(detector.settings.out)
    before = weights(out)
    again = train(shapes, out, steps=120, batch=4, iou=0.3)
    assert (again.qualities, weights(out)) == (detector.qualities, before)
    named = train(shapes, out, steps=120, batch=4, iou=0.3, learning_rate=3e-3)  # the default of a network from scratch
    assert named.qualities == detector.qualities
    with pytest.raises(UsageError, match="holds a labeller that was trained otherwise"):
        train(shapes, out, steps=121, batch=4, iou=0.3)


@pytest.mark.parametrize(("base", "steps", "rate"), [("", 6000, 3e-3), ("checkpoint", 800, 1e-4)])
def test_a_record_has_numbers_where_none_were_given(base: str, steps: int, rate: float) -> None:
    given = TrainingSettings(root="lake", source="shapes", task="detection", out="out", base=base)
    assert (given.resolved()["steps"], given.resolved()["learning_rate"]) == (steps, rate)
    assert given.resolved() == replace(given, steps=steps, learning_rate=rate, out="other", threads=2).resolved()


@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_a_stopped_training_goes_on_to_the_same_weights(
    task: str, shapes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StoppedError(Exception):
        pass

    def stop(step: int, loss: float) -> None:
        if step == 4:
            raise StoppedError

    settings = {**SHORT, "steps": 8}
    monkeypatch.setattr(optimisation, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr("rsflow.labeller_training.train.LEAST_SCORE", 0.0)  # eight steps find nothing above it
    stopped = TrainingSettings(root=shapes, source="shapes", task=task, out=str(tmp_path / "stopped"), **settings)
    with pytest.raises(StoppedError):
        train_labeller(stopped, lambda steps: None, stop)
    assert not (tmp_path / "stopped/training.json").exists()
    with pytest.raises(UsageError, match="unfinished training with other settings"):
        train(shapes, tmp_path / "stopped", task, steps=9)
    steps: list[int] = []
    train_labeller(stopped, lambda number: None, lambda step, loss: steps.append(step))
    assert steps == [4, 5, 6, 7]
    assert not (tmp_path / "stopped/unfinished").exists()
    train(shapes, tmp_path / "whole", task, steps=8)
    assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")


def test_a_segmenter_gives_outlines(shapes: str, tmp_path: Path) -> None:
    trained = train(shapes, tmp_path / "segmenter", "segmentation", steps=60, batch=4)
    assert trained.labeller_settings["name"] == "segmenter"
    labeller: Any = from_settings({**trained.labeller_settings, "threshold": 0.0})
    found = label(labeller, first_test_tile(shapes)[1])
    assert found
    assert all(one.shape and one.shape.area_parts for one in found)


def test_a_checkpoint_is_fine_tuned_with_new_classes(shapes: str, detector: TrainedLabeller, tmp_path: Path) -> None:
    trained = train(shapes, tmp_path / "tuned", base=detector.settings.out, categories=("bar",), steps=20)
    assert trained.categories == ("bar",)
    config = json.loads((tmp_path / "tuned/config.json").read_text())
    assert config["id2label"] == {"0": "bar"}
    with pytest.raises(UsageError, match="there is no such folder"):
        train(shapes, tmp_path / "none", base="nowhere")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "shape"}, "--source is 'shape': the lake's sources are shapes, plain"),
        ({"source": "plain"}, "source 'plain' has no annotations to learn from; annotated sources: shapes"),
        ({"categories": ("ship",)}, r"--category 'ship' is not annotated in 'shapes'; its categories: bar \(\d+\), square"),
        ({"task": "classification"}, "none of its 28 selected tiles has an annotation for classification"),
        ({"task": "tracking"}, "--task is 'tracking': expected one of detection, segmentation, classification"),
        ({"frames_apart": 5000}, "source 'shapes' has 0 annotated training tiles with an object, expected at least 8"),
        ({"steps": 0}, "--steps is 0"),
        ({"crop_px": 8}, "--crop is 8"),
        ({"iou": 0.0}, "--iou is 0"),
        ({"learning_rate": -1.0}, "--learning-rate is -1"),
    ],
)
def test_what_cannot_be_trained_is_refused(settings: dict[str, Any], message: str, shapes: str, tmp_path: Path) -> None:
    own = {"root": shapes, "source": "shapes", "task": "detection", "out": str(tmp_path / "out"), **SHORT, **settings}
    with pytest.raises(UsageError, match=message):
        train_labeller(TrainingSettings(**own), lambda steps: None, lambda step, loss: None)


def test_a_folder_in_use_is_left_alone(shapes: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match="is no folder of a training and is not empty"):
        train(shapes, tmp_path / "out")


def test_without_held_out_ground_nothing_is_trained(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"train": 12, "val": 0, "test": 0})
    lake = build_lake(tmp_path, [source(tmp_path, splits={"train": f"{tmp_path}/train.txt"})])
    with pytest.raises(UsageError, match=r"no annotated held-out tile to judge by; complete tiles by split: train 12"):
        train(lake, tmp_path / "out")


def test_frames_near_held_out_ones_are_not_trained_on(shapes: str) -> None:
    own = TrainingSettings(root=shapes, source="shapes", task="detection", out="", frames_apart=150)
    plain, apart = (
        read_training_tiles(TrainingSettings(root=shapes, source="shapes", task="detection", out="")),
        read_training_tiles(own),
    )
    # Frames are numbered 0, 100, 200, …; the first held-out one follows the last of training.
    assert len(plain.train) - len(apart.train) == 1
    assert "1 training tiles nearer than 150 frames to a held-out one are left out" in apart.notes
    assert [frame_number(name) for name in ("a/0_60_30_0_00038.jpg", "P1", "x12y7.tif")] == [38, 1, 7]


def test_the_command_prints_what_came_of_it(
    shapes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], detector: TrainedLabeller
) -> None:
    text = training_text(detector)
    assert "use it: labellers: [{name: detector, model:" in text
    assert json.loads(training_json(detector))["qualities"][0]["f1"] == detector.qualities[0].f1
    out = tmp_path / "copy"
    shutil.copytree(detector.settings.out, out)
    options = ["--steps", "120", "--batch", "4", "--crop", "64", "--iou", "0.3", "-o", str(out), "--json"]
    assert main(["train-labeller", shapes, "--task", "detection", "--source", "shapes", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["labeller"] == {"name": "detector", "model": str(out)}
    assert main(["train-labeller", shapes, "--task", "detection", "--source", "ships"]) == 2


def test_a_note_says_which_categories_tiles_lack() -> None:
    tiles = [
        AnnotatedTile({"tile_id": str(n), "vocabulary": names}, "train", ())
        for n, names in enumerate((["a", "b"], ["a"], None))
    ]
    (note,) = left_out_notes(tiles, tiles[:1], ("a", "b"))
    assert note.endswith("are left out (a (1), b (2)); --category learns the others alone")
    assert note.startswith("2 tiles in which not every category is annotated completely")
    assert left_out_notes(tiles[:1], tiles[:1], ("a", "b")) == []
