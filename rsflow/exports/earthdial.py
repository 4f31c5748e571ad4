"""The form of EarthDial's training code (https://github.com/hiyamdebary/EarthDial, src/earthdial/train/dataloader.py).

One idea: its loader reads folders that `datasets.load_from_disk` opens, each with one kind of picture, and `meta.json` (its
`meta_path`) states for each which column holds the picture (`image_key`), how many bands it has and how they are normalised. So
a split is parted into sets: its pictures, for each sensor; those with companion pictures of other sensors, whose names begin
with `Change`, for so the loader knows sets of several pictures; and raw bands as they were measured, (bands, rows, cols) in
`tif_ms`. The conversation is JSON in the column `conversations`. Questions about places begin with EarthDial's task token.

Pictures are stored as RGB: of a grey one the loader would normalise one band by three means. Its normalisation `s2_l2a` is for
the twelve bands of Sentinel-2 L2A in digital numbers; other raw bands get `s2_norm`, which leaves values as they are.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import pyarrow as pa
from PIL import Image

from rsflow.dialects.spelling.several_pictures import picture_names
from rsflow.exports.contract import ExportJob, Record
from rsflow.exports.geochat import with_task_token
from rsflow.exports.writing.conversations import IMAGE_TOKEN, PictureFiles, llava_conversation
from rsflow.exports.writing.dataset_folder import DatasetFolder
from rsflow.exports.writing.parquet_files import IMAGE, picture_cell
from rsflow.files import storage
from rsflow.shards.format import BANDS, Sample

DIALECT = "internvl"  # of the family that EarthDial is built on
HOLDS_GROUPS = True

META, SETS = "meta.json", "sets"
PICTURE, RAW, CONVERSATIONS = "jpg", "tif_ms", "conversations"  # its names for columns
_BANDS_TYPE = pa.list_(pa.list_(pa.list_(pa.float32())))
_NORMALISATIONS = {12: "s2_l2a"}
_AS_MEASURED = "s2_norm"


def top_level(splits: Sequence[str]) -> list[str]:
    return [SETS, META]


def write(job: ExportJob) -> None:
    sets: dict[str, DatasetFolder] = {}
    meta: dict[str, Record] = {}
    with ExitStack() as whole:
        for split in job.splits:
            for sample, instructions in job.with_texts(job.samples(split)):
                job.tally.records += len(instructions)
                for name, cells, entry in _pictures(job, split, sample):
                    if name not in sets:
                        folder = DatasetFolder(job.place(SETS, name), _columns(entry["image_key"]))
                        sets[name] = whole.enter_context(folder)
                        meta[name] = {"annotation": f"{SETS}/{name}", "data_augment": False, "repeat_time": 1, **entry}
                    tokens = _tokens(entry["image_key"], job, sample)
                    for one in instructions:
                        sets[name].add({**cells, CONVERSATIONS: _conversation(*one, tokens), "id": one[0]["id"]})
    storage.write_bytes(job.place(META), (json.dumps(dict(sorted(meta.items())), indent=2) + "\n").encode())


def _pictures(job: ExportJob, split: str, sample: Sample) -> Iterator[tuple[str, Record, Record]]:
    """(set, the columns of its picture, its entry of the meta file) of each set that the sample is in."""
    sensor = sample.record["sensor"]
    group = sample.record.get("group")
    cells = {group["role"] if group else sensor: _cell(sample.picture, sample.key)}
    for _, data, known in job.companion_pictures(sample):
        name = known.get("role") or known["sensor"]
        cells[name] = _cell(data, f"{sample.key}.{name}")
    job.tally.pictures += len(cells)
    if len(cells) > 1:
        yield f"Change_{split}_{'_'.join(cells)}", cells, _entry(",".join(cells), 3, {})
    else:
        yield f"{split}_{sensor}", {PICTURE: cells[sensor]}, _entry(PICTURE, 3, {})
    if BANDS in sample.others:
        pixels = np.load(io.BytesIO(sample.others[BANDS]), allow_pickle=False).astype(np.float32)
        count = len(pixels)
        normalisation = {"normalization": _NORMALISATIONS.get(count, _AS_MEASURED)}
        yield f"{split}_{sensor}_{count}_bands", {RAW: pixels.tolist()}, _entry(RAW, count, normalisation)


def _entry(image_key: str, bands: int, normalisation: Record) -> Record:
    return {
        "image_key": image_key,
        "conversation": CONVERSATIONS,
        "dynamic_image": image_key != RAW,
        "bands": bands,
        **normalisation,
    }


def _columns(image_key: str) -> dict[str, pa.DataType]:
    picture = _BANDS_TYPE if image_key == RAW else IMAGE
    return {**dict.fromkeys(image_key.split(","), picture), CONVERSATIONS: pa.string(), "id": pa.string()}


def _tokens(image_key: str, job: ExportJob, sample: Sample) -> str:
    sensors = tuple(image_key.split(","))
    names = picture_names(job.dialect, len(sensors)) if sample.record.get("group") else ()
    return PictureFiles(sensors, sensors, (), names).tokens if len(sensors) > 1 else f"{IMAGE_TOKEN}\n"


def _conversation(instruction: Record, turns: list[tuple[str, str]], tokens: str) -> str:
    return json.dumps(llava_conversation(with_task_token(instruction["task"], turns), tokens), ensure_ascii=False)


def _cell(data: bytes, name: str) -> Record:
    """The picture as it is, or a grey one as RGB with equal bands."""
    with Image.open(io.BytesIO(data)) as picture:
        if picture.mode == "RGB":
            return picture_cell(data, f"{name}.{str(picture.format).lower().replace('jpeg', 'jpg')}")
        picture.convert("RGB").save(stream := io.BytesIO(), "PNG")
    return picture_cell(stream.getvalue(), f"{name}.png")
