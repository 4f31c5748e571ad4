"""Exports: every format whole and readable, equal bytes at every run, folders respected, nothing that breaks the contract."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rsflow import dialects
from rsflow.cli import main
from rsflow.errors import UsageError
from rsflow.exports import EXPORTS, export
from rsflow.files import storage
from rsflow.shards.format import Sample, encode_bands
from tests.exports.conftest import BOXES, HEIGHT, QUAD, WIDTH, instruction, sample, write_root

CONVERSATIONS = ("geochat", "llava", "mmrs", "qwen")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


WITH_TEXTS = [form for form in EXPORTS if form not in ("geojson", "geoparquet", "stac")]  # and with pictures


def records(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    return list(json.loads((folder / f"{split}.json").read_text()))


@pytest.mark.parametrize("form", EXPORTS)
def test_the_same_snapshot_gives_the_same_bytes_and_a_former_export_makes_room(root: Path, tmp_path: Path, form: str) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    export(str(root), "llava" if form != "llava" else "coco", str(other))  # what stood there before leaves no trace
    export(str(root), form, str(one))
    export(str(root), form, str(other))
    assert files_of(one) == files_of(other)
    marker = json.loads((one / "export.json").read_text())
    assert marker["complete"] is True
    assert marker["as"] == form
    assert sorted({path.split("/")[0] for path in files_of(one)}) == sorted([*marker["contents"], "export.json"])


@pytest.mark.parametrize("form", EXPORTS)
def test_one_split_is_just_that_split(root: Path, tmp_path: Path, form: str) -> None:
    export(str(root), form, str(tmp_path / "out"), split="val")
    assert not any("train" in path for path in files_of(tmp_path / "out"))
    assert any("val" in path for path in files_of(tmp_path / "out"))


@pytest.mark.parametrize("form", CONVERSATIONS)
def test_a_conversation_record_is_what_the_loaders_of_the_family_take(root: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    tally = export(str(root), form, str(out))
    found = records(out)
    assert len(found) + len(records(out, "val")) == tally.records == 9 * 4
    for record in found:
        with Image.open(out / record["image"]) as image:
            assert image.size == (WIDTH, HEIGHT)
        turns = record["conversations"]
        assert [turn["from"] for turn in turns] == ["human", "gpt"] * (len(turns) // 2)
        assert "[[" not in json.dumps(turns)
        # The token is for one picture, at the head of the first question, and never in an answer.
        tokens = [turn["value"].count("<image>") for turn in turns]
        assert tokens == ([0] * len(turns) if form == "mmrs" else [1] + [0] * (len(turns) - 1))
        assert form == "mmrs" or turns[0]["value"].startswith("<image>\n")
    assert (set(found[0]) == {"image", "conversations"}) == (form == "mmrs")


@pytest.mark.parametrize("form", CONVERSATIONS)
def test_boxes_come_back_from_the_text_within_the_dialects_rounding(root: Path, tmp_path: Path, form: str) -> None:
    export(str(root), form, str(tmp_path / "out"))
    dialect = dialects.get_dialect(EXPORTS[form].DIALECT)
    texts = [turn["value"] for record in records(tmp_path / "out") for turn in record["conversations"]]
    boxes = [dialect.parse(text, HEIGHT, WIDTH)[1] for text in texts]
    pairs = [found for found in boxes if len(found) == 2]
    assert len(pairs) == 6
    loss = max(dialect.max_rounding_px(HEIGHT, WIDTH))
    for found in pairs:
        for box, true in zip(found, BOXES, strict=True):
            flat = box if len(box) == 4 else (min(box[::2]), min(box[1::2]), max(box[::2]), max(box[1::2]))
            assert flat == pytest.approx(true, abs=loss + 1e-6)


def test_mmrs_joins_the_instructions_of_a_task_on_a_picture(tmp_path: Path) -> None:
    again = instruction("again", "captioning", [("user", "More?"), ("assistant", "A quay.")], [], {"kind": "text"})
    root = write_root(tmp_path / "lake", {"train": [[sample(0, "train", [again])]]})
    export(str(root), "mmrs", str(tmp_path / "out"))
    captions = records(tmp_path / "out")[0]["conversations"]
    assert [turn["value"] for turn in captions] == ["Caption?", "A port with image in it.", "More?", "A quay."]


def test_another_dialect_may_be_asked_for(root: Path, tmp_path: Path) -> None:
    export(str(root), "llava", str(tmp_path / "out"), dialect="internvl")
    assert "<box>" in (tmp_path / "out" / "train.json").read_text()
    assert json.loads((tmp_path / "out" / "export.json").read_text())["dialect"] == "internvl"


def test_every_picture_keeps_its_licence_and_provenance(root: Path, tmp_path: Path) -> None:
    export(str(root), "mmrs", str(tmp_path / "out"))
    lines = [json.loads(line) for line in (tmp_path / "out" / "pictures.jsonl").read_text().splitlines()]
    assert {line["image"] for line in lines} >= {record["image"] for record in records(tmp_path / "out")}
    assert {(line["licence"], line["source"], line["sensor"], line["split"]) for line in lines} == {
        ("MIT", "s", "optical", "train"),
        ("MIT", "s", "optical", "val"),
    }


BROKEN = {
    "box_outside": [[600.0, 10.0, 700.0, 50.0]],
    "box_empty": [[50.0, 50.0, 50.0, 60.0]],
    "box_not_a_number": [[0.0, 1.0, 1.0]],
    "box_collapses": [[100.0, 100.0, 100.4, 100.4]],
}


@pytest.mark.parametrize("reason", BROKEN)
def test_what_breaks_the_contract_is_left_out_and_counted(tmp_path: Path, reason: str) -> None:
    turns = [("user", "Where?"), ("assistant", "[[|0]]")]
    bad = instruction("bad", "grounding", turns, BROKEN[reason], {"kind": "box", "box": 0})
    root = write_root(tmp_path / "lake", {"train": [[sample(0, "train", [bad])]]})
    tally = export(str(root), "llava", str(tmp_path / "out"))
    assert dict(tally.left_out) == {reason: 1}
    assert not any("bad" in record["id"] for record in records(tmp_path / "out"))


def test_turns_that_do_not_alternate_are_left_out(tmp_path: Path) -> None:
    bad = instruction("bad", "vqa", [("user", "One?"), ("user", "Two?")], [], {})
    root = write_root(tmp_path / "lake", {"train": [[sample(0, "train", [bad])]]})
    assert dict(export(str(root), "qwen", str(tmp_path / "out")).left_out) == {"turns": 1}


def test_an_object_store_is_as_good_as_a_folder(root: Path, tmp_path: Path) -> None:
    out = f"memory://exports/{tmp_path.name}"
    export(str(root), "llava", out)
    export(str(root), "coco", out)  # the former export makes room there too
    export(str(root), "coco", str(tmp_path / "local"))
    names = storage.list_files(out)
    assert {name: storage.read_bytes(f"{out}/{name}") for name in names} == files_of(tmp_path / "local")


def test_a_folder_in_use_is_refused_and_left_alone(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty and not a former export"):
        export(str(root), "llava", str(out))
    assert files_of(out) == {"thesis.txt": b"mine"}


def test_files_beside_a_former_export_stay(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(str(root), "llava", str(out))
    (out / "notes.txt").write_text("mine")
    export(str(root), "coco", str(out))
    assert (out / "notes.txt").read_text() == "mine"
    assert not (out / "train.json").exists()


def test_a_marker_cannot_lead_out_of_its_folder(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(str(root), "llava", str(out))
    (tmp_path / "precious").write_text("mine")
    marker = json.loads((out / "export.json").read_text())
    (out / "export.json").write_text(json.dumps({**marker, "contents": ["../precious", "..", "images"]}))
    (out / "train.json").unlink()
    export(str(root), "llava", str(out))
    assert (tmp_path / "precious").read_text() == "mine"


def test_parquet_holds_samples_with_their_instructions(root: Path, tmp_path: Path) -> None:
    tally = export(str(root), "hf", str(tmp_path / "out"))
    names = sorted(path.name for path in (tmp_path / "out" / "data").iterdir())
    assert names == ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "val-00000-of-00001.parquet"]
    rows = [row for name in names for row in pq.ParquetFile(tmp_path / "out" / "data" / name).read().to_pylist()]
    assert len(rows) == tally.pictures == 9
    assert sum(len(row["instructions"]) for row in rows) == tally.records
    boxes = [i["boxes"] for i in rows[0]["instructions"] if i["boxes"]]
    assert boxes == [BOXES, [QUAD]]


def test_coco_boxes_and_captions_are_those_of_the_instructions(root: Path, tmp_path: Path) -> None:
    from rsflow.annotations import read_annotations
    from rsflow.config.settings import Annotations

    out = tmp_path / "out"
    export(str(root), "coco", str(out))
    data = json.loads((out / "instances_train.json").read_text())
    names = {entry["id"]: entry["name"] for entry in data["categories"]}
    first = [a for a in data["annotations"] if a["image_id"] == 1]
    assert [(names[a["category_id"]], a["bbox"]) for a in first] == [
        ("ship", [10.0, 20.0, 100.0, 50.0]),
        ("ship", [200.0, 220.0, 120.0, 180.0]),
        ("dock", [270.0, 100.0, 90.0, 90.0]),
    ]
    assert first[2]["segmentation"] == [QUAD]
    assert "categories" not in json.loads((out / "captions_train.json").read_text())
    read_back = read_annotations(Annotations("coco", str(out / "instances_train.json")))
    assert len(read_back.pictures) == 6
    assert not read_back.rejects
    assert {label.category for picture in read_back.pictures.values() for label in picture.labels} == {"ship", "dock"}


LOADERS = {
    "hf": """
import sys, datasets
found = datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[2])
row = found["train"][0]
assert row["image"].size == (640, 480), row["image"]
assert {name: len(rows) for name, rows in found.items()} == {"train": 6, "val": 3}
assert row["instructions"][1]["turns"][1]["role"] == "assistant", row["instructions"]
""",
    "coco": """
import sys
from dataclasses import replace
from pycocotools.coco import COCO
objects = COCO(sys.argv[1] + "/instances_train.json")
assert (len(objects.imgs), len(objects.anns)) == (6, 18)
assert objects.annToMask(objects.loadAnns([3])[0]).sum() > 1000
assert len(COCO(sys.argv[1] + "/captions_train.json").anns) == 6
""",
}


@pytest.mark.parametrize(("form", "library"), [("hf", "datasets"), ("coco", "pycocotools")])
def test_the_real_loader_reads_it(root: Path, tmp_path: Path, form: str, library: str) -> None:
    pytest.importorskip(library, reason=f"{library} is not installed: the export is tested by reading its files alone")
    export(str(root), form, str(tmp_path / "out"))
    command = [sys.executable, "-c", LOADERS[form], str(tmp_path / "out"), str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_says_what_it_wrote_and_what_was_wrong(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(root), "--format", "llava", "-o", str(tmp_path / "out")]) == 0
    assert "9 pictures, 36 records" in capsys.readouterr().out
    assert main(["export", str(root), "--format", "lava", "-o", str(tmp_path / "new")]) == 2
    assert "did you mean 'llava'" in capsys.readouterr().err
    assert main(["export", str(root), "--format", "llava", "--split", "dev", "-o", str(tmp_path / "new")]) == 2
    assert "its splits: train, val" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


HOLE: list[Any] = [[[10, 10, 90, 10, 90, 90, 10, 90], [30, 30, 70, 30, 70, 70, 30, 70]], [[100, 10, 120, 10, 120, 30, 100, 30]]]


def thing(category: str, parts: list[Any], **more: Any) -> dict[str, Any]:
    xs, ys = ([v for part in parts for v in part[0][axis::2]] for axis in (0, 1))
    box = [float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys))]
    return {"category": category, "box": box, "visibility": 1.0, "origin": "annotation", "label": "x", "parts": parts, **more}


def with_objects(i: int, split: str, objects: list[Any], vocabulary: list[str]) -> Sample:
    found = sample(i, split)
    return replace(found, record={**found.record, "objects": objects, "vocabulary": vocabulary})


def test_pycocotools_sees_every_part_hole_and_flag_under_one_numbering(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools", reason="pycocotools is the oracle")
    from pycocotools.coco import COCO

    two = thing("bridge", [HOLE[0][:1], HOLE[1]])
    crowd = thing("car", [HOLE[1]], flags=["crowd"])
    train = [
        with_objects(0, "train", [thing("ship", HOLE), two, crowd], ["ship"]),
        with_objects(1, "train", [], []),
        with_objects(2, "train", [], ["ship", "tug"]),  # no tug anywhere: searched for, and never found
    ]
    val = [with_objects(3, "val", [thing("car", [HOLE[1]], flags=["difficult"])], ["car"])]
    root = write_root(tmp_path / "lake", {"train": [train], "val": [val]})
    tally = export(str(root), "coco", str(tmp_path / "out"))
    found = {split: COCO(str(tmp_path / "out" / f"instances_{split}.json")) for split in ("train", "val")}
    assert found["train"].cats == found["val"].cats
    assert [entry["name"] for entry in found["val"].dataset["categories"]] == ["bridge", "car", "ship", "tug"]
    by_name = {found["train"].cats[one["category_id"]]["name"]: one for one in found["train"].anns.values()}
    assert by_name["ship"]["area"] == 80 * 80 - 40 * 40 + 20 * 20 == found["train"].annToMask(by_name["ship"]).sum()
    assert by_name["bridge"]["area"] == 80 * 80 + 20 * 20
    assert len(by_name["bridge"]["segmentation"]) == 2
    assert (by_name["car"]["iscrowd"], found["train"].annToMask(by_name["car"]).sum()) == (1, 400)
    assert next(iter(found["val"].anns.values()))["difficult"] == 1
    assert len(found["train"].imgs) == 2  # what nobody annotated shows not nothing
    assert tally.notes["pictures_not_annotated"] == 1
    export(str(root), "coco", str(tmp_path / "one"), split="val")
    assert json.loads((tmp_path / "one/instances_val.json").read_text())["categories"] == found["val"].dataset["categories"]


def test_samples_without_objects_are_no_source_for_coco(tmp_path: Path) -> None:
    old = sample(0, "train")
    old = replace(old, record={name: value for name, value in old.record.items() if name != "objects"})
    root = write_root(tmp_path / "lake", {"train": [[old]]})
    with pytest.raises(UsageError, match="before samples held their objects"):
        export(str(root), "coco", str(tmp_path / "out"))


@pytest.mark.parametrize("form", WITH_TEXTS)
def test_companion_pictures_are_carried_and_raw_bands_counted(tmp_path: Path, form: str) -> None:
    one = sample(0, "train")
    bands = encode_bands(np.zeros((2, 4, 4), dtype=np.uint16))
    one = replace(one, others={"sar.jpg": one.picture, "npy": bands})
    root = write_root(tmp_path / "lake", {"train": [[one]]})
    tally = export(str(root), form, str(tmp_path / "out"))
    if form in ("lmms-eval", "vlmevalkit"):  # a benchmark asks of one picture
        assert (tally.notes["companions_left_out"], tally.notes["raw_bands_left_out"]) == (1, 1)
        return
    assert (tally.notes["companions"], tally.notes["raw_bands_left_out"]) == (1, form != "earthdial")
    if form == "hf":
        (row,) = pq.ParquetFile(next((tmp_path / "out/data").iterdir())).read().to_pylist()
        assert [(other["sensor"], other["picture"]) for other in row["companions"]] == [("sar", one.picture)]
    elif form == "trl":
        (row,) = pq.ParquetFile(next((tmp_path / "out/data").iterdir())).read().to_pylist()
        assert [cell["bytes"] for cell in row["images"]] == [one.picture, one.picture]
    elif form != "earthdial":  # its own test
        (line,) = (tmp_path / "out/pictures.jsonl").read_text().splitlines()
        (other,) = json.loads(line)["companions"]
        assert other["sensor"] == "sar"
        assert (tmp_path / "out" / other["image"]).read_bytes() == one.picture


@pytest.mark.parametrize("form", WITH_TEXTS)
def test_special_tokens_are_in_no_export_and_are_counted(root: Path, tmp_path: Path, form: str) -> None:
    tally = export(str(root), form, str(tmp_path / "out"))
    told = json.loads((tmp_path / "out" / "export.json").read_text())["neutralised"]
    assert told == tally.notes["neutralised"] > 0  # a caption of every picture says "<image>"
    texts = [file.read_text() for file in (tmp_path / "out").rglob("*.json")]
    assert not any("with <image> in it" in text for text in texts)
