"""The forms that trainers read: by the trainer's own loader where it is installed, else by what its documentation says."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from rsflow import dialects
from rsflow.exports import export
from rsflow.shards.format import Sample, encode_bands
from tests.exports.conftest import BOXES, HEIGHT, QUAD, WIDTH, instruction, sample, write_root


def with_companion(one: Sample) -> Sample:
    """The sample with a picture of another sensor, of another size, and raw bands."""
    import io

    Image.fromarray(np.full((30, 20), 7, dtype=np.uint8)).save(stream := io.BytesIO(), "PNG")
    bands = encode_bands(np.arange(12 * 3 * 4, dtype=np.uint16).reshape(12, 3, 4))
    known = [{"sensor": "sar", "height_px": 30, "width_px": 20, "tile_id": "t"}]
    return replace(one, others={"sar.png": stream.getvalue(), "npy": bands}, record={**one.record, "companions": known})


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """A root with three plain samples, one with a companion, and one without a text that can be exported."""
    silent = sample(9, "train")
    silent = replace(silent, record={**silent.record, "instructions": []})
    samples = [*(sample(i, "train") for i in range(3)), with_companion(sample(3, "train")), silent]
    return write_root(tmp_path / "several", {"train": [samples], "val": [[sample(0, "val")]]})


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    "form", ["llava", "qwen", "geochat", "mmrs", "swift", "llamafactory", "internvl", "hf", "trl", "earthdial"]
)
def test_a_picture_without_a_text_is_left_out_and_counted(several: Path, tmp_path: Path, form: str) -> None:
    tally = export(str(several), form, str(tmp_path / "out"))
    assert tally.notes["pictures_without_texts"] == 1
    assert "left out: 1 pictures without a text that this form can hold" in tally.lines()
    assert json.loads((tmp_path / "out/export.json").read_text())["pictures_without_texts"] == 1


def test_swift_has_boxes_in_pixels_beside_the_text(several: Path, tmp_path: Path) -> None:
    """https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html, "Grounding"."""
    tally = export(str(several), "swift", str(tmp_path / "out"))
    found = lines(tmp_path / "out/train.jsonl")
    assert len(found) == 16
    for record in found:
        roles = [message["role"] for message in record["messages"]]
        assert roles == ["user", "assistant"] * (len(roles) // 2)
        text = "".join(message["content"] for message in record["messages"])
        assert text.count("<image>") == len(record["images"])
        assert all((tmp_path / "out" / path).is_file() for path in record["images"])
        objects = record.get("objects", {"ref": [], "bbox": []})
        assert (text.count("<ref-object>"), text.count("<bbox>")) == (len(objects["ref"]), len(objects["bbox"]))
        assert all(len(box) == 4 and box[0] < box[2] <= WIDTH and box[1] < box[3] <= HEIGHT for box in objects["bbox"])
    detection = next(one for one in found if one["task"] == "detection")
    assert detection["messages"][1]["content"] == "There are <ref-object><bbox><bbox>"
    assert detection["objects"] == {"ref": ["2 ships"], "bbox": BOXES, "bbox_type": "real", "image_id": [0, 0]}
    region = next(one for one in found if one["task"] == "region_captioning")
    xs, ys = QUAD[::2], QUAD[1::2]
    assert region["objects"]["bbox"] == [[min(xs), min(ys), max(xs), max(ys)]]
    assert tally.notes["oriented_boxes_made_upright"] == 5
    assert "made upright: 5 oriented boxes, which this form cannot hold" in tally.lines()


def test_swift_in_a_dialect_of_a_model_spells_boxes_in_the_text(several: Path, tmp_path: Path) -> None:
    export(str(several), "swift", str(tmp_path / "out"), dialect="qwen3")
    found = lines(tmp_path / "out/train.jsonl")
    assert not any("objects" in one for one in found)
    assert any("bbox_2d" in message["content"] for one in found for message in one["messages"])


@pytest.mark.parametrize("form", ["swift", "qwen", "llamafactory", "internvl"])
def test_several_pictures_stand_in_one_record_with_a_token_each(several: Path, tmp_path: Path, form: str) -> None:
    export(str(several), form, str(tmp_path / "out"))
    out = tmp_path / "out"
    found = lines(out / "train.jsonl") if (out / "train.jsonl").exists() else json.loads((out / "train.json").read_text())
    paths = [one.get("images") or one["image"] for one in found]
    double = [(one, path) for one, path in zip(found, paths, strict=True) if isinstance(path, list) and len(path) == 2]
    assert len(double) == 4
    for record, path in double:
        assert [Image.open(out / one).size for one in path] == [(WIDTH, HEIGHT), (20, 30)]
        turns = record.get("messages") or record["conversations"]
        first = turns[0].get("content") or turns[0]["value"]
        assert first.startswith("optical: <image>\nsar: <image>\n")
        assert form != "internvl" or (record["width_list"], record["height_list"]) == ([WIDTH, 20], [HEIGHT, 30])


def test_internvl_has_a_meta_file_of_its_sets(several: Path, tmp_path: Path) -> None:
    """https://internvl.readthedocs.io/en/latest/get_started/chat_data_format.html"""
    out = tmp_path / "out"
    export(str(several), "internvl", str(out))
    meta = json.loads((out / "meta.json").read_text())
    assert set(meta) == {"rsflow_train", "rsflow_val"}
    numbers = []
    for entry in meta.values():
        assert set(entry) == {"root", "annotation", "data_augment", "max_dynamic_patch", "repeat_time", "length"}
        found = lines(out / entry["annotation"])
        assert len(found) == entry["length"]
        numbers += [one["id"] for one in found]
        single = [one for one in found if isinstance(one["image"], str)]
        assert all((one["width"], one["height"]) == (WIDTH, HEIGHT) for one in single)
        assert all(one["conversations"][0]["value"].startswith("<image>\n") for one in single)
        texts = [turn["value"] for one in single for turn in one["conversations"]]
        boxes = [dialects.get_dialect("internvl").parse(text, HEIGHT, WIDTH)[1] for text in texts]
        assert sum(map(len, boxes)) == 3 * len(single) // 4
    assert numbers == list(range(20))


def test_llamafactory_describes_each_split(several: Path, tmp_path: Path) -> None:
    """https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md"""
    out = tmp_path / "out"
    export(str(several), "llamafactory", str(out))
    info = json.loads((out / "dataset_info.json").read_text())
    assert set(info) == {"rsflow_train", "rsflow_val"}
    entry = info["rsflow_train"]
    assert (entry["formatting"], entry["columns"]) == ("sharegpt", {"messages": "messages", "images": "images"})
    tags = entry["tags"]
    for record in json.loads((out / entry["file_name"]).read_text()):
        roles = [message[tags["role_tag"]] for message in record["messages"]]
        assert roles == [tags["user_tag"], tags["assistant_tag"]] * (len(roles) // 2)
        text = "".join(message[tags["content_tag"]] for message in record["messages"])
        assert text.count("<image>") == len(record["images"])


def test_trl_rows_are_samples_with_all_their_instructions(several: Path, tmp_path: Path) -> None:
    """https://huggingface.co/docs/trl/dataset_formats"""
    tally = export(str(several), "trl", str(tmp_path / "out"))
    table = pq.ParquetFile(next((tmp_path / "out/data").glob("train-*"))).read()
    rows = table.to_pylist()
    assert (len(rows), tally.pictures, tally.records) == (4, 5, 20)
    for row in rows:
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"] * 5
        parts = [part for message in row["messages"] for part in message["content"]]
        assert sum(part["type"] == "image" for part in parts) == len(row["images"])
        assert all(part["text"] is None for part in parts if part["type"] == "image")
        assert "<image>" not in json.dumps(row["messages"])


def test_earthdial_sets_hold_one_kind_of_picture_each(several: Path, tmp_path: Path) -> None:
    """src/earthdial/train/dataloader.py of https://github.com/hiyamdebary/EarthDial"""
    out = tmp_path / "out"
    tally = export(str(several), "earthdial", str(out))
    meta = json.loads((out / "meta.json").read_text())
    assert set(meta) == {"train_optical", "Change_train_optical_sar", "train_optical_12_bands", "val_optical"}
    assert (tally.notes["companions"], tally.notes["raw_bands_left_out"]) == (1, 0)
    for name, entry in meta.items():
        with pa.memory_map(str(out / entry["annotation"] / "data-00000-of-00001.arrow")) as source:
            rows = pa.ipc.open_stream(source).read_all().to_pylist()
        for row in rows:
            turns = json.loads(row[entry["conversation"]])
            assert [turn["from"] for turn in turns] == ["human", "gpt"] * (len(turns) // 2)
            pictures = [row[key] for key in entry["image_key"].split(",")]
            assert turns[0]["value"].count("<image>") == len(pictures)
            if name == "train_optical_12_bands":
                assert np.array_equal(np.array(pictures[0]), np.arange(144).reshape(12, 3, 4))
        assert entry.get("normalization") == ("s2_l2a" if entry["image_key"] == "tif_ms" else None)
        assert entry["bands"] == (12 if entry["image_key"] == "tif_ms" else 3)


def test_the_card_of_the_hub_says_licences_tasks_splits_and_features(several: Path, tmp_path: Path) -> None:
    export(str(several), "hf", str(tmp_path / "out"))
    _, header, body = (tmp_path / "out/README.md").read_text().split("---\n", 2)
    card = yaml.safe_load(header)
    assert (card["license"], card["language"], card["size_categories"]) == ("mit", ["en"], ["n<1K"])
    assert card["task_categories"] == ["image-to-text", "object-detection", "visual-question-answering"]
    assert card["dataset_info"]["splits"] == [{"name": "train", "num_examples": 4}, {"name": "val", "num_examples": 1}]
    features = {one["name"]: one for one in card["dataset_info"]["features"]}
    assert (features["image"]["dtype"], features["gsd_m"]["dtype"]) == ("image", "float64")
    assert "| s | MIT | optical | 5 |" in body
    assert "left out: raw bands of 1 samples" in body


def test_texts_of_other_letters_are_not_called_english(tmp_path: Path) -> None:
    chinese = instruction("s.0", "captioning", [("user", "描述"), ("assistant", "港口")], [], {"kind": "text"})
    root = write_root(tmp_path / "lake", {"train": [[sample(0, "train", [chinese])]]})
    export(str(root), "hf", str(tmp_path / "out"))
    header = yaml.safe_load((tmp_path / "out/README.md").read_text().split("---\n", 2)[1])
    assert "language" not in header


LOADERS = {
    "trl": """
import sys, datasets
from trl.data_utils import prepare_multimodal_messages
found = datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[2])
assert {name: len(rows) for name, rows in found.items()} == {"train": 4, "val": 1}
several = 0
for row in found["train"]:
    messages = prepare_multimodal_messages(row["messages"], images=row["images"])
    shown = [part["image"].size for message in messages for part in message["content"] if part["type"] == "image"]
    assert shown in ([(640, 480)], [(640, 480), (20, 30)]), shown
    several += len(shown) == 2
assert several == 1
""",
    "llamafactory": """
import sys
from llamafactory.data.converter import get_dataset_converter
from llamafactory.data.parser import get_dataset_list
import json, os, types
arguments = types.SimpleNamespace(media_dir=sys.argv[1])
(attributes,) = get_dataset_list(["rsflow_train"], sys.argv[1])
convert = get_dataset_converter(attributes.formatting, attributes, arguments)
records = json.load(open(os.path.join(sys.argv[1], attributes.dataset_name)))
for record in records:
    found = convert(record)
    assert found["_response"], found
    text = "".join(message["content"] for message in found["_prompt"] + found["_response"])
    assert text.count("<image>") == len(found["_images"])
    assert all(os.path.isfile(path) for path in found["_images"])
assert len(records) == 16
""",
    "swift": """
import sys, os
from swift.dataset import load_dataset
found, _ = load_dataset([os.path.join(sys.argv[1], "train.jsonl")], strict=True)
assert len(found) == 16
assert any(row["objects"] and row["objects"]["bbox"] for row in found)
""",
    "earthdial": """
import sys, json, datasets
meta = json.load(open(sys.argv[1] + "/meta.json"))
for name, entry in meta.items():
    found = datasets.load_from_disk(sys.argv[1] + "/" + entry["annotation"])
    assert len(found) > 0
    row = found[0]
    for key in entry["image_key"].split(","):
        assert key == "tif_ms" or row[key].mode == "RGB", (key, row[key])
    assert json.loads(row[entry["conversation"]])
""",
    "hf": """
import sys, datasets
found = datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[2])
assert {name: len(rows) for name, rows in found.items()} == {"train": 4, "val": 1}
""",
}


@pytest.mark.parametrize(
    ("form", "library"),
    [
        ("trl", "trl"),
        ("llamafactory", "llamafactory"),
        ("swift", "swift.dataset"),
        ("earthdial", "datasets"),
        ("hf", "datasets"),
    ],
)
def test_the_trainers_own_loader_reads_it(several: Path, tmp_path: Path, form: str, library: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed: the form is tested by what its documentation says")
    export(str(several), form, str(tmp_path / "out"))
    command = [sys.executable, "-c", LOADERS[form], str(tmp_path / "out"), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
