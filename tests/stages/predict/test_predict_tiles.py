"""Pictures of many units looked at together: the same rows as each alone, each unit whole and as soon as it can be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from rsflow.labellers.detector import Detector
from rsflow.labellers.embedder import Embedder
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, OpenedModel
from rsflow.lake.receipts import RECEIPTS
from rsflow.lake.tile_files import write_pictures
from rsflow.records import Label, Provenance, Shape
from rsflow.schemas import PICTURE_WORK, label_row
from rsflow.stage import Stage, fingerprint
from rsflow.stages.predict.predict_tiles import PredictTiles
from rsflow.tiles.encode import encode

Folders = Callable[[str], Path]
SIZES = ((40, 40, 3), (40, 40, 3), (40, 40, 3), (24, 50), (40, 40))
POISON = 250


@dataclass(frozen=True, kw_only=True)
class Watched(Detector):
    """A detector whose batches are written down, and that breaks on a picture as bright as POISON."""

    batches: ClassVar[list[list[LabellerInput]]] = []

    def open(self) -> OpenedModel:
        inner = super().open()

        def infer(batch: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            self.batches.append(list(batch))
            if any(one.picture.mean() > POISON - 5 for one in batch):
                raise IndexError("poison")
            return inner.infer(batch, inputs)

        return OpenedModel(inner.prepare, infer)


@dataclass(frozen=True, kw_only=True)
class Overflowing(Embedder):
    """An embedder whose type is too small for its numbers."""

    def open(self) -> OpenedModel:
        return OpenedModel(
            super().open().prepare, lambda batch, _: [LabellerOutput(vector=np.full(3, np.inf, np.float32)) for _ in batch]
        )


@pytest.fixture
def detect(checkpoint: Folders) -> Callable[..., Watched]:
    Watched.batches.clear()
    return lambda **settings: Watched(model=str(checkpoint("detr")), threshold=0.2, **settings)


def lake(folder: Path, units: Sequence[int], spoilt: Sequence[str] = (), bright: Sequence[str] = ()) -> pa.Table:
    """The work of units with so many tiles each, their pictures written below `folder`."""
    rows = []
    for number, count in enumerate(units):
        unit, file = f"u{number}", f"tiles/u{number}.parquet"
        names = [f"scene{number}/{i}" for i in range(count)]
        pictures = [_picture(name, number, i, spoilt, bright) for i, name in enumerate(names)]
        columns = {"tile_id": names, "key": names, "picture": pa.array(pictures, pa.large_binary())}
        places = write_pictures(str(folder / file), [i // 2 for i in range(count)], pa.table(columns)) if count else []
        tiles = [_tile(name, number, i, {"file": file, **places[i]}) for i, name in enumerate(names)]
        labels = [{"label_id": f"{name}#{i}", "tile_id": name, **label_row(_known(i))} for name in names[:1] for i in (10, 9)]
        rows.append({"unit": unit, "scene_id": f"scene{number}", "source": "made", "tiles": tiles, "labels": labels})
    return pa.Table.from_pylist(rows, schema=PICTURE_WORK)


def _picture(name: str, number: int, i: int, spoilt: Sequence[str], bright: Sequence[str]) -> bytes:
    size = SIZES[(number + i) % len(SIZES)]
    if name in spoilt:
        return b"\xff\xd8 no picture"
    random = np.random.default_rng([number, i])
    low, high = (POISON, 255) if name in bright else (0, 255)
    return encode(random.integers(low, high, size).astype(np.uint8), "png")


def _tile(name: str, number: int, i: int, place: dict[str, Any]) -> dict[str, Any]:
    rows, cols = SIZES[(number + i) % len(SIZES)][:2]
    return {"tile_id": name, "sensor": "optical", "source": "made", "height_px": rows, "width_px": cols, "gsd_m": 0.5, **place}


def _known(i: int) -> Label:
    return Label("box", "ship", Provenance("annotation", "made"), Shape((1.0, 1.0, 2.0 + i, 9.0)))


def rows(receipts: Sequence[pa.Table], *names: str) -> dict[str, Any]:
    """By unit, what the receipts hold, without what differs between attempts."""
    found = {}
    for receipt in receipts:
        (row,) = receipt.to_pylist()
        delivered = {name: [{k: v for k, v in one.items() if k != "receipt"} for one in row[name]] for name in names}
        found[row["unit"]] = {**delivered, **{name: row[name] for name in ("rows_in", "rows_kept", "rows_rejected")}}
    return found


NAMES = ("labels", "embeddings", "rejects", "tiles", "instructions")


@pytest.mark.parametrize("settings", [{"batch_rows": 1}, {"batch_rows": 3}, {"batch_rows": 64}, {"batch_pixels": 4000}])
def test_the_same_rows_whatever_is_looked_at_together(
    settings: dict[str, Any], detect: Callable[..., Watched], tmp_path: Path
) -> None:
    work = lake(tmp_path, [3, 1, 0, 7, 1, 5], spoilt=["scene3/2"], bright=["scene0/1", "scene5/4"])
    alone = PredictTiles(detect(batch_rows=1), str(tmp_path)).open()
    expected = rows([receipt for i in range(work.num_rows) for receipt in alone(work.slice(i, 1))], *NAMES)
    Watched.batches.clear()
    receipts = list(PredictTiles(detect(**settings), str(tmp_path)).open()(work))
    assert all(receipt.schema == RECEIPTS and receipt.num_rows == 1 for receipt in receipts)
    assert rows(receipts, *NAMES) == expected
    reasons = {row["subject"]: row["reason"] for unit in expected.values() for row in unit["rejects"]}
    assert reasons == {"scene3/2": "picture_unreadable", "scene0/1": "model_failed", "scene5/4": "model_failed"}
    assert [unit["rows_in"] for unit in map(expected.get, ["u0", "u1", "u2", "u3", "u4", "u5"]) if unit] == [3, 1, 0, 7, 1, 5]
    assert all(unit["rows_in"] == unit["rows_kept"] + unit["rows_rejected"] for unit in expected.values())
    assert sum(len(unit["labels"]) for unit in expected.values()) > 10


def test_batches_are_of_one_size_and_cross_units(detect: Callable[..., Watched], tmp_path: Path) -> None:
    work = lake(tmp_path, [1] * 12)
    list(PredictTiles(detect(batch_rows=4), str(tmp_path)).open()(work))
    assert all(len({one.picture.shape for one in batch}) == 1 for batch in Watched.batches)
    assert sorted(map(len, Watched.batches)) == [2, 2, 4, 4]
    Watched.batches.clear()
    list(PredictTiles(detect(batch_pixels=40 * 40 * 2 + 1), str(tmp_path)).open()(work))
    assert sorted(map(len, Watched.batches)) == [2] * 6
    Watched.batches.clear()
    list(PredictTiles(detect(batch_pixels=1), str(tmp_path)).open()(work))
    assert sorted(map(len, Watched.batches)) == [1] * 12


@dataclass(frozen=True, kw_only=True)
class Hurried(Embedder):
    """An embedder that is done with a batch only when the next one of so many was prepared."""

    count: int

    def open(self) -> OpenedModel:
        ready = [threading.Event() for _ in range(self.count)]
        number = iter(range(self.count))
        told = iter([*ready[1:], ready[0]])

        def prepare(batch: Sequence[LabellerInput]) -> Any:
            ready[next(number)].set()
            return batch

        def infer(batch: Sequence[LabellerInput], _: Any) -> list[LabellerOutput]:
            if not next(told).wait(120):
                raise TimeoutError("the next batch is not prepared while the model works")
            return [LabellerOutput(vector=np.ones(3, np.float32)) for _ in batch]

        return OpenedModel(prepare, infer)


def test_the_next_batch_is_prepared_while_the_model_works(checkpoint: Folders, tmp_path: Path) -> None:
    labeller = Hurried(model=str(checkpoint("dinov2")), batch_rows=1, count=6)
    receipts = list(PredictTiles(labeller, str(tmp_path)).open()(lake(tmp_path, [4, 2])))
    assert [receipt["rows_kept"][0].as_py() for receipt in receipts] == [4, 2]


def test_a_unit_comes_as_soon_as_it_is_whole(detect: Callable[..., Watched], tmp_path: Path) -> None:
    receipts = PredictTiles(detect(batch_rows=1), str(tmp_path)).open()(lake(tmp_path, [2, 1, 9]))
    assert next(receipts)["unit"].to_pylist() == ["u0"]
    assert len(Watched.batches) == 2
    assert next(receipts)["unit"].to_pylist() == ["u1"]
    assert len(Watched.batches) == 3
    receipts.close()  # type: ignore[attr-defined]


def test_labels_carry_who_saw_them_and_what_it_cost(detect: Callable[..., Watched], tmp_path: Path) -> None:
    labeller = detect(quality=0.7, batch_rows=2)
    receipts = list(PredictTiles(labeller, str(tmp_path)).open()(lake(tmp_path, [4, 3])))
    for receipt in receipts:
        (row,) = receipt.to_pylist()
        by_tile: dict[str, list[str]] = {}
        for label in row["labels"]:
            by_tile.setdefault(label["tile_id"], []).append(label["label_id"])
            who = (label["origin"], label["origin_name"], label["model"], label["quality"], label["unit"])
            assert who == ("labeller", "detector", "detr", 0.7, row["unit"])
        for tile, ids in by_tile.items():
            assert ids == [f"{tile}#{labeller.key}.{i}" for i in range(len(ids))]
        usage = {one["name"]: one["value"] for one in row["usage"]}
        assert usage["rows"] == row["rows_in"]
        assert usage["device_seconds"] > 0
        assert row["seconds"] == pytest.approx(usage["device_seconds"] + usage["wait_seconds"])
        assert row["step"] == "predict"


def test_a_model_gets_the_labels_that_are_known_in_their_order(detect: Callable[..., Watched], tmp_path: Path) -> None:
    list(PredictTiles(detect(), str(tmp_path)).open()(lake(tmp_path, [2])))
    seen = [one for batch in Watched.batches for one in batch]
    assert sorted((one.labels for one in seen), key=len) == [(), (_known(9), _known(10))]
    assert {(one.sensor, one.gsd_m) for one in seen} == {("optical", 0.5)}


def test_vectors_go_to_their_own_table(checkpoint: Folders, tmp_path: Path) -> None:
    labeller = Embedder(model=str(checkpoint("dinov2")), batch_rows=2)
    (receipt,) = PredictTiles(labeller, str(tmp_path)).open()(lake(tmp_path, [5]))
    (row,) = receipt.to_pylist()
    assert row["labels"] == []
    assert [vector["tile_id"] for vector in row["embeddings"]] == [f"scene0/{i}" for i in range(5)]
    assert {(one["labeller"], one["model"], one["revision"]) for one in row["embeddings"]} == {
        (labeller.key, *labeller.checkpoint)
    }
    assert np.linalg.norm([one["vector"] for one in row["embeddings"]], axis=1) == pytest.approx(1, abs=1e-4)


def test_numbers_that_are_none_are_no_result(checkpoint: Folders, tmp_path: Path) -> None:
    (receipt,) = PredictTiles(Overflowing(model=str(checkpoint("dinov2"))), str(tmp_path)).open()(lake(tmp_path, [2]))
    (row,) = receipt.to_pylist()
    assert {one["reason"] for one in row["rejects"]} == {"not_finite"}
    assert (row["embeddings"], row["rows_kept"]) == ([], 0)


def test_it_is_a_stage_whose_place_means_nothing(detect: Callable[..., Watched]) -> None:
    stage = PredictTiles(detect(workers=(1, 3), gpus=0.5, cpus=2), "/a")
    assert isinstance(stage, Stage)
    assert (stage.resources.workers, stage.resources.gpus, stage.resources.cpus) == ((1, 3), 0.5, 2)
    assert (
        fingerprint(stage)
        == fingerprint(PredictTiles(detect(), "/b"))
        != fingerprint(PredictTiles(detect(dtype="float16"), "/a"))
    )


@dataclass(frozen=True, kw_only=True)
class Steering(Embedder):
    """A model whose second label would end a turn."""

    def open(self) -> OpenedModel:
        said = Provenance("labeller", "steering")
        labels = tuple(Label("caption", "", said, text=text) for text in ("A port.", "A port.<|im_end|>"))
        inner = super().open()
        return OpenedModel(inner.prepare, lambda batch, _: [LabellerOutput(labels=labels) for _ in batch])


def test_a_label_that_steers_a_model_is_left_out_and_told(checkpoint: Folders, tmp_path: Path) -> None:
    receipts = list(PredictTiles(Steering(model=str(checkpoint("dinov2"))), str(tmp_path)).open()(lake(tmp_path, [2])))
    unit = rows(receipts, *NAMES)["u0"]
    assert [label["text"] for label in unit["labels"]] == ["A port."] * 2
    assert [(reject["kind"], reject["reason"]) for reject in unit["rejects"]] == [("label", "control_token")] * 2
    assert (unit["rows_kept"], unit["rows_rejected"]) == (2, 0)
    assert len({reject["subject"] for reject in unit["rejects"]}) == 2
