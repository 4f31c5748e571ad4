"""Samples of a snapshot on a contact sheet, as `rsflow show` draws them.

One idea: what is drawn is what a loader would read: pictures and records out of the shards. Which are shown follows from
their keys, which are hashes, so the first n are a fair draw and the same at every call.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from rsflow.errors import UsageError
from rsflow.files import storage
from rsflow.report.pictures.contact_sheet import SheetSample, contact_sheet
from rsflow.shards.format import Sample
from rsflow.shards.manifest import Manifest, read_snapshot, snapshot_root
from rsflow.shards.reader import ShardReader
from rsflow.spatial.geometry import Region, to_quad
from rsflow.text.turns import Turn, mark, replace_marks, replace_outline_marks

Pixels = npt.NDArray[np.uint8]

PER_SAMPLE = 4  # instructions of one sample on its card, where no task is asked for


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """Which samples: None means any. `tile` is a tile's id or sample key; `count` the most that are drawn."""

    tile: str | None = None
    task: str | None = None
    sensor: str | None = None
    split: str | None = None
    count: int = 12


def show(root: str, choice: SampleFilter, output: str) -> int:
    """Draw samples of the latest snapshot into a picture file and return their number. UsageError where none fits."""
    manifest = read_snapshot(root)
    _check(choice, manifest)
    chosen = heapq.nsmallest(choice.count, _matching(snapshot_root(root), manifest, choice), key=lambda sample: sample.key)
    if not chosen:
        raise UsageError(f"{root}: no sample fits {_describe_filter(choice)}: `rsflow status {root}` tells what there is")
    sheet = contact_sheet([sample_card(sample, choice.task) for sample in chosen], columns=min(3, len(chosen)))
    buffer = BytesIO()
    form = Image.registered_extensions().get("." + output.rpartition(".")[2].lower())
    if form is None:
        raise UsageError(f"{output}: cannot write a picture of this kind: use .png or .jpg")
    sheet.save(buffer, form)
    storage.write_bytes(output, buffer.getvalue())
    return len(chosen)


def _check(choice: SampleFilter, manifest: Manifest) -> None:
    if choice.count < 1:
        raise UsageError(f"-n is {choice.count}: draw at least one sample")
    counts = [split.counts for split in manifest.splits.values()]
    known = {
        "task": sorted({task for count in counts for task in count}),
        "sensor": sorted({sensor for count in counts for by_sensor in count.values() for sensor in by_sensor}),
        "split": sorted(manifest.splits),
    }
    for name, values in known.items():
        value = getattr(choice, name)
        if value is not None and value not in values:
            raise UsageError(f"there is no {name} {value!r} in this snapshot: it has {', '.join(values)}")


def _matching(root: str, manifest: Manifest, choice: SampleFilter) -> Iterator[Sample]:
    for name, split in sorted(manifest.splits.items()):
        if choice.split in {None, name}:
            for shard in split.shards:
                yield from (sample for sample in ShardReader(root, shard) if _matches(sample, choice))


def _matches(sample: Sample, choice: SampleFilter) -> bool:
    record = sample.record
    return (
        (choice.tile is None or choice.tile in {record["tile_id"], sample.key})
        and (choice.sensor is None or choice.sensor == record["sensor"])
        and (choice.task is None or any(row["task"] == choice.task for row in record["instructions"]))
    )


def sample_card(sample: Sample, task: str | None) -> SheetSample:
    """What a sheet shows of a sample: all its instructions of a task, or the first of each of its first tasks."""
    record = sample.record
    rows = [row for row in record["instructions"] if task in {None, row["task"]}]
    if task is None:
        rows = _first_per_task(rows)
    pixels, places = _side_by_side(sample) if sample.further_pictures() else (_pixels(sample.picture), [Place(1.0, 0)])
    turns: list[Turn] = []
    boxes: list[Region] = []
    outlines: list[tuple[int, tuple[float, ...]]] = []
    for row in rows:
        turns += [Turn(turn["role"], _shift_marks(turn["text"], len(boxes))) for turn in row["turns"]]
        shown = row.get("box_pictures") or ()
        outlines += [
            (index + len(boxes), _placed_ring(ring, places[shown[index]] if shown else places[0]))
            for index, ring in _outlines(row["answer"])
        ]
        pictures = row.get("box_pictures") or [0] * len(row["boxes"])
        boxes += [_placed(box, places[picture]) for box, picture in zip(row["boxes"], pictures, strict=True)]
    tasks = ", ".join(sorted({row["task"] for row in rows}))
    title = f"{record['tile_id']}\n{record['sensor']} · {record['source']} · {record['split']} · {tasks}"
    return SheetSample(pixels, title, tuple(turns), tuple(boxes), _footer(record), tuple(outlines))


def _pixels(picture: bytes) -> Pixels:
    with Image.open(BytesIO(picture)) as image:
        return np.asarray(image)


class Place(NamedTuple):
    """Where a picture is on the card: scaled by `scale`, its left edge at column `col_off`."""

    scale: float
    col_off: int


def _side_by_side(sample: Sample) -> tuple[Pixels, list[Place]]:
    """All pictures of a sample from left to right, made as high as the first, and where each is."""
    data = [sample.picture, *(sample.others[extension] for extension, _ in sample.further_pictures())]
    images = [Image.open(BytesIO(one)).convert("RGB") for one in data]
    height = images[0].height
    fitted = [image.resize((round(image.width * height / image.height), height), Image.Resampling.NEAREST) for image in images]
    gap = np.full((height, max(1, height // 64), 3), 255, np.uint8)
    places, col_off = list[Place](), 0
    for image, shown in zip(images, fitted, strict=True):
        places.append(Place(height / image.height, col_off))
        col_off += shown.width + gap.shape[1]
    return np.concatenate([part for image in fitted for part in (gap, np.asarray(image))][1:], axis=1), places


def _placed(box: list[float], place: Place) -> Region:
    numbers = _placed_ring(box, place)
    return to_quad(numbers) if len(numbers) == 8 else (numbers[0], numbers[1], numbers[2], numbers[3])


def _placed_ring(numbers: Sequence[float], place: Place) -> tuple[float, ...]:
    """x, y, x, y, … of a picture on the card."""
    return tuple(value * place.scale + (0 if i % 2 else place.col_off) for i, value in enumerate(numbers))


def _outlines(answer: dict[str, Any]) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Every ring of the outlines of a structured answer, holes too, each with the index of its box."""
    boxes = [answer["box"]] if "box" in answer else answer.get("boxes", [])
    parts = answer.get("parts") or [[[ring]] if ring else [] for ring in answer.get("polygons", ())]
    for index, outline in zip(boxes, parts, strict=False):
        yield from ((index, tuple(ring)) for part in outline for ring in part)
    for part in [*answer.get("groups", ()), *answer.get("earlier", ())]:
        yield from _outlines(part)


def _first_per_task(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(row["task"], row)
    return list(first.values())[:PER_SAMPLE]


def _shift_marks(text: str, by: int) -> str:
    """The text with its marks pointing `by` boxes further, for several instructions share one card."""
    plain = replace_outline_marks(text, lambda found: mark(found.phrase, *found.outlines))  # an outline has its box's number
    return replace_marks(plain, lambda found: mark(found.phrase, *(index + by for index in found.boxes)))


def _footer(record: dict[str, Any]) -> str:
    gsd = f" · {record['gsd_m']:g} m per pixel" if record["gsd_m"] else ""
    when = f" · {record['acquired_at']}" if record["acquired_at"] else ""
    raw = f" · {len(record['bands'])} raw bands ({record['raw']['dtype']})" if "raw" in record else ""
    return f"{record['width_px']} x {record['height_px']} px{gsd}{when} · {record['licence']}{raw}{_companion_names(record)}"


def _companion_names(record: dict[str, Any]) -> str:
    names = [f"{one.get('role') or one['sensor']}, {one['acquired_at'] or 'no date'}" for one in record.get("companions", ())]
    return f" · beside it: {'; '.join(names)}" if names else ""


def _describe_filter(choice: SampleFilter) -> str:
    values = {name: getattr(choice, name) for name in ("tile", "task", "sensor", "split")}
    return ", ".join(f"--{name} {value}" for name, value in values.items() if value) or "the choice"
