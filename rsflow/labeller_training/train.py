"""Train a labeller on a lake's annotated tiles, and measure it on held-out ground."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rsflow.errors import DataError, RsflowError, UsageError
from rsflow.files import storage
from rsflow.files.faults import translate_errors
from rsflow.files.sole_writer import sole_writer
from rsflow.labeller_training.annotated_tiles import AnnotatedTile, TrainingTiles, read_training_tiles
from rsflow.labeller_training.crops import step_rng
from rsflow.labeller_training.network import base_checkpoint, make_network
from rsflow.labeller_training.optimisation import STATE_FOLDER, TrainingState, optimise
from rsflow.labeller_training.pictures import TilePictures
from rsflow.labeller_training.quality import CategoryQuality, Labelled, fit_calibration, label_tiles, measure
from rsflow.labeller_training.settings import VERSION, TrainingSettings
from rsflow.labeller_training.tasks import TASKS
from rsflow.labellers import from_settings
from rsflow.labellers.models.calibrated import CALIBRATION_FILE
from rsflow.labellers.models.model_labeller import LabellerOutput
from rsflow.labellers.models.oom_backoff import OomBackoff
from rsflow.records import Label
from rsflow.stage import fingerprint

RECORD = "training.json"
LEAST_SCORE = 0.02  # of the model's own, from which labels are calibrated

OnStep = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class TrainedLabeller:
    """The results of a training. `threshold`: of the calibrated score, from which labels count in `qualities`."""

    settings: TrainingSettings
    categories: tuple[str, ...]
    tiles: dict[str, int]
    parameters: int
    threshold: float
    qualities: tuple[CategoryQuality, ...]
    notes: tuple[str, ...]

    @property
    def labeller_settings(self) -> dict[str, str]:
        """As a configuration names it."""
        return {"name": self.settings.labeller, "model": self.settings.out}


def train_labeller(settings: TrainingSettings, on_start: Callable[[int], None], on_step: OnStep) -> TrainedLabeller:
    """Train, calibrate and measure; `settings.out` then holds a checkpoint with its calibration and the record of the training.

    A finished training with the same settings, tiles and labels is read back; an unfinished one goes on. `on_start` gets the
    number of steps. Raises UsageError for what the lake cannot give, and for a folder that is in use.
    """
    tiles = read_training_tiles(settings)
    key = _training_key(settings, tiles)
    out = Path(settings.out)
    finished = _read_record(out, key)
    if finished is None:
        _set_up_torch(settings)
        on_start(settings.total_steps)
        with sole_writer(out / STATE_FOLDER):
            parameters = _train(settings, tiles, key, on_step)
            finished = _judge(settings, tiles, key, parameters)
        shutil.rmtree(out / STATE_FOLDER, ignore_errors=True)
    return _result(settings, finished)


def _training_key(settings: TrainingSettings, tiles: TrainingTiles) -> str:
    """Of all that the outcome depends on."""
    checkpoint = base_checkpoint(settings)
    own = settings.resolved() | {"base": checkpoint.identity() if checkpoint else ""}
    inputs = [
        [tile.tile_id, tile.row["picture_sha256"], [asdict(label) for label in tile.labels]]
        for part in (tiles.train, tiles.calibration, tiles.test)
        for tile in part
    ]
    return fingerprint(VERSION, own, tiles.categories, inputs)


def _read_record(out: Path, key: str) -> dict[str, Any] | None:
    """The record of the same training that was finished. UsageError where the folder holds something else."""
    file = out / RECORD
    if not file.is_file():
        if out.exists() and any(entry.name not in {STATE_FOLDER, *_PARTS} for entry in out.iterdir()):
            raise UsageError(f"{out}: is no folder of a training and is not empty: give another -o")
        return None
    record: dict[str, Any] = json.loads(file.read_text())
    if record.get("key") != key:
        raise UsageError(f"{out}: holds a labeller that was trained otherwise: give another -o, or delete it")
    return record


_PARTS = ("config.json", "model.safetensors", "preprocessor_config.json", CALIBRATION_FILE)


def _set_up_torch(settings: TrainingSettings) -> None:
    try:
        import torch
    except ImportError as error:
        raise RsflowError(f"training a labeller needs torch and transformers: pip install 'rsflow[vlm]' ({error})") from error
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)


def _train(settings: TrainingSettings, tiles: TrainingTiles, key: str, on_step: OnStep) -> int:
    """Train and write the checkpoint; the number of its parameters."""
    import torch

    model, processor, numbers = make_network(settings, tiles.categories)
    model = model.to(memory_format=torch.channels_last).train()
    task, pictures = TASKS[settings.task], TilePictures(settings.root, tiles.train, tiles.categories)

    def loss(step: int) -> Any:
        rng = step_rng(settings.seed, step)
        torch.manual_seed(settings.seed + step)  # of dropout
        chosen = [pictures.example(int(rng.integers(len(tiles.train)))) for _ in range(settings.batch)]
        examples = [task.crop(example, settings.crop_px, rng, settings.slanting) for example in chosen]
        inputs = processor(images=[example.picture for example in examples], return_tensors="pt")
        targets = task.targets(examples, numbers, inputs["pixel_values"])
        return model(**inputs, labels=targets).loss

    state = TrainingState(Path(settings.out) / STATE_FOLDER, key)
    optimise(model, loss, settings.total_steps, settings.peak_learning_rate, state, on_step)
    with translate_errors(settings.out, "write"):
        model.eval().to(memory_format=torch.contiguous_format).save_pretrained(settings.out)
        processor.save_pretrained(settings.out)
    return sum(weights.numel() for weights in model.parameters())


def _judge(settings: TrainingSettings, tiles: TrainingTiles, key: str, parameters: int) -> dict[str, Any]:
    """Calibrate on one held-out split, measure on the other, and write both."""
    out = Path(settings.out)
    (out / CALIBRATION_FILE).unlink(missing_ok=True)
    raw = {"threshold": LEAST_SCORE}
    predictions = _label(settings, tiles.calibration, tiles.categories, raw)
    calibration = fit_calibration(settings.labeller, predictions, tiles.categories, settings.iou, _open(settings, {}).threshold)
    if calibration is None:
        raise RsflowError(
            f"{out}: the trained {settings.labeller} finds nothing on {len(tiles.calibration):,} held-out tiles: train longer "
            f"(--steps {2 * settings.total_steps}) or on more tiles"
        )
    storage.write_bytes(str(out / CALIBRATION_FILE), calibration.to_json())
    threshold = _open(settings, {}).threshold
    qualities = measure(_label(settings, tiles.test, tiles.categories, {}), tiles.categories, settings.iou, threshold)
    counts = {"train": len(tiles.train), "calibration": len(tiles.calibration), "test": len(tiles.test)}
    record = {
        "key": key, "labeller": settings.labeller, "settings": settings.resolved(), "categories": tiles.categories,
        "tiles": counts, "parameters": parameters, "threshold": threshold,
        "qualities": [asdict(one) for one in qualities], "notes": tiles.notes,
    }  # fmt: skip
    storage.write_bytes(str(out / RECORD), (json.dumps(record, indent=1) + "\n").encode())
    written: dict[str, Any] = json.loads(json.dumps(record))
    return written


def _open(settings: TrainingSettings, more: dict[str, Any]) -> Any:
    """The labeller as a configuration would name it."""
    return from_settings({"name": settings.labeller, "model": settings.out, "device": "cpu", **more})


def _label(
    settings: TrainingSettings, tiles: Sequence[AnnotatedTile], categories: Sequence[str], more: dict[str, Any]
) -> list[Labelled]:
    predict = OomBackoff(_open(settings, more).open())
    pictures = TilePictures(settings.root, tiles, categories)

    def labels(batch: Sequence[Any]) -> list[tuple[Label, ...]]:
        return [_labels_of(output) for output in predict(batch, predict.prepare(batch))]

    return label_tiles(tiles, {tile.tile_id: pictures.picture(tile) for tile in tiles}, labels)


def _labels_of(output: LabellerOutput | DataError) -> tuple[Label, ...]:
    if isinstance(output, DataError):
        raise RsflowError(f"the trained labeller fails on a held-out tile: {output}")
    return output.labels


def _result(settings: TrainingSettings, record: dict[str, Any]) -> TrainedLabeller:
    return TrainedLabeller(
        settings,
        tuple(record["categories"]),
        record["tiles"],
        record["parameters"],
        record["threshold"],
        tuple(CategoryQuality(**one) for one in record["qualities"]),
        tuple(record["notes"]),
    )
