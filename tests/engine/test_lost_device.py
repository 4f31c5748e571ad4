"""A picture that breaks the device for its whole process: the process is replaced, and only that picture's unit is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rsflow.config.settings import Engine
from rsflow.engine.execute import Job, execute
from rsflow.engine.unit_blocks import UnitBlocks
from rsflow.errors import DeviceLostError
from rsflow.labellers.embedder import Embedder
from rsflow.labellers.models.model_labeller import LabellerInput, LabellerOutput, OpenedModel
from rsflow.lake.tile_files import write_pictures
from rsflow.schemas import PICTURE_WORK
from rsflow.stages.predict.predict_tiles import PredictTiles
from rsflow.tiles.encode import encode

POISON = 250


@dataclass(frozen=True, kw_only=True)
class Fragile(Embedder):
    """An embedder that sees the mean of a picture. One as bright as POISON costs it its device, and then all pictures fail."""

    def open(self) -> OpenedModel:
        lost: list[LabellerInput] = []

        def look(sights: Sequence[LabellerInput], inputs: Any) -> list[LabellerOutput]:
            lost.extend(one for one in sights if one.picture.mean() >= POISON)
            if lost:
                raise RuntimeError("CUDA error: device-side assert triggered\nCompile with `TORCH_USE_CUDA_DSA`")
            return [LabellerOutput(vector=np.array([one.picture.mean()], np.float32)) for one in sights]

        return OpenedModel(lambda sights: sights, look)


@pytest.fixture
def blocks(checkpoint: Callable[[str], Path], tmp_path: Path) -> UnitBlocks:
    model = Fragile(model=str(checkpoint("dinov2")), batch_rows=2, cpus=0.5)
    return UnitBlocks((PredictTiles(model, str(tmp_path)),), "predict", str(tmp_path), "run", attempts=1)


def work(folder: Path, *greys: int) -> pa.Table:
    """A unit of two pictures for each grey."""
    rows = []
    for grey in greys:
        names, file = [f"scene{grey}/{i}" for i in range(2)], f"tiles/{grey}.parquet"
        picture = encode(np.full((16, 16), grey, np.uint8), "png")
        columns = {"tile_id": names, "key": names, "picture": pa.array([picture] * 2, pa.large_binary())}
        places = write_pictures(str(folder / file), [0, 0], pa.table(columns))
        same = {"sensor": "optical", "source": "made", "height_px": 16, "width_px": 16, "file": file}
        tiles = [{"tile_id": name, **same, **place} for name, place in zip(names, places, strict=True)]
        rows.append({"unit": str(grey), "scene_id": f"scene{grey}", "source": "made", "tiles": tiles, "labels": []})
    return pa.Table.from_pylist(rows, schema=PICTURE_WORK)


@pytest.mark.ray
def test_another_process_goes_on_and_what_kills_them_all_is_a_reject(
    blocks: UnitBlocks, tmp_path: Path, ray_session: None, by_value: None
) -> None:
    block = work(tmp_path, 10, POISON, 20)
    made = pa.concat_tables(execute([Job(blocks, [block])], Engine())).to_pylist()
    assert sorted(row["unit"] for row in made) == ["10", "20", str(POISON)]
    vectors = {vector["tile_id"]: vector["vector"] for row in made for vector in row["embeddings"]}
    assert vectors == {f"scene{grey}/{i}": [float(grey)] for grey in (10, 20) for i in range(2)}
    (reject,) = [reject for row in made for reject in row["rejects"]]
    assert (reject["subject"], reject["reason"], reject["rows"]) == (f"scene{POISON}", "crashed_worker", 2)
    assert "died 1 times (the device failed" in reject["detail"]
    assert "device-side assert triggered" in reject["detail"]
    assert len(list((tmp_path / "attempts/run" / str(POISON)).iterdir())) == 1


def test_in_one_process_it_is_told_and_what_is_done_is_kept(blocks: UnitBlocks, tmp_path: Path) -> None:
    made: list[pa.Table] = []
    with pytest.raises(DeviceLostError, match=r"(?s)device-side assert triggered.*nvidia-smi.*run again on Ray"):
        made.extend(execute([Job(blocks, [work(tmp_path, 10), work(tmp_path, POISON)])], Engine(kind="inline")))
    assert [receipt["unit"][0].as_py() for receipt in made] == ["10"]
