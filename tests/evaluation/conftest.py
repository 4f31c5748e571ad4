"""A snapshot with one question of each kind per picture, in several ground cells."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, ShardEntry, Split, index_path, write_snapshot
from rsflow.shards.writer import write_shard

SIZE = 200
BOXES = [[10.0, 20.0, 60.0, 70.0], [100.0, 110.0, 150.0, 190.0]]
TRIANGLE = [10.0, 20.0, 60.0, 20.0, 10.0, 70.0]
Turns = list[tuple[str, str]]


def instruction(key: str, task: str, turns: Turns, answer: dict[str, Any], boxes: list[list[float]] | None = None) -> Any:
    kind = answer["kind"]
    said = [{"role": role, "text": text} for role, text in turns]
    return {
        "id": f"{key}#{task}#{kind}",
        "task": task,
        "turns": said,
        "boxes": boxes or [],
        "answer": answer,
        "labels": [],
        "generator": "t",
    }


def instructions(key: str, ships: int) -> list[Any]:
    ask, tell = "user", "assistant"
    listed = {"kind": "boxes", "category": "ship", "boxes": [0, 1], "count": 2}
    return [
        instruction(
            key, "vqa", [(ask, "How many ships?"), (tell, str(ships))], {"kind": "count", "value": ships, "category": "ship"}
        ),
        instruction(
            key, "vqa", [(ask, "Any plane?"), (tell, "no")], {"kind": "yes_no", "value": ships > 3, "category": "plane"}
        ),
        instruction(
            key, "vqa", [(ask, "How much water?"), (tell, "about 35%")], {"kind": "share", "value": 0.352, "category": "water"}
        ),
        instruction(key, "classification", [(ask, "Class?"), (tell, "Harbour.")], {"kind": "category", "value": "harbour"}),
        instruction(key, "captioning", [(ask, "Caption?"), (tell, f"A harbour with {ships} grey ships.")], {"kind": "text"}),
        instruction(
            key, "grounding", [(ask, "Where?"), (tell, "[[|0]]")], {"kind": "box", "box": 0, "category": "ship"}, [BOXES[0]]
        ),
        instruction(
            key,
            "multiple_choice",
            [(ask, "How many?\nA. 99\nB. 98\nC. 97"), (tell, "B")],
            {"kind": "choice", "options": ["99", "98", "97"], "value": "98", "letter": "B", "about": "count"},
        ),
        instruction(
            key,
            "segmentation",
            [(ask, "Outline the ship."), (tell, "[[|#0]]")],
            {"kind": "outline", "box": 0, "outlines": [[TRIANGLE]], "polygons": [TRIANGLE], "category": "ship"},
            [BOXES[0]],
        ),
        instruction(key, "detection", [(ask, "Ships?"), (tell, "There are [[2 ships|0,1]]")], listed, BOXES),
    ]


def sample(number: int, asked: list[Any]) -> Sample:
    key = f"{number:020x}"
    buffer = io.BytesIO()
    Image.fromarray(np.full((SIZE, SIZE, 3), 20 * number, np.uint8)).save(buffer, "PNG")
    record = {
        "key": key,
        "source": "s",
        "sensor": "optical" if number % 2 else "sar",
        "cell": f"cell{number // 2}",
        "height_px": SIZE,
        "width_px": SIZE,
        "instructions": asked,
    }
    return Sample(key, buffer.getvalue(), "png", record)


def write_lake(folder: Path, questions: Callable[[str], list[Any]], samples: int = 2) -> str:
    """A snapshot whose test split asks `questions` of each sample's key."""
    return write_samples(folder, [sample(number, questions(f"{number:020x}")) for number in range(samples)])


def write_samples(folder: Path, samples: Sequence[Sample]) -> str:
    lake, path = folder / "lake", "shards/test/0.tar"
    info = write_shard(str(lake / path), str(lake / index_path(path)), samples)
    entry = ShardEntry(path, info.samples, info.instructions, info.bytes, info.sha256, info.index_bytes, info.index_sha256)
    write_snapshot(str(lake), Manifest("f" * 32, 7, {"test": Split((entry,))}))
    return str(lake)


@pytest.fixture
def root(tmp_path: Path) -> str:
    return write_samples(tmp_path, [sample(number, instructions(f"{number:020x}", number + 1)) for number in range(6)])
