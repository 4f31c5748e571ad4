"""The example that a training loop gets of one sample: tensors, and text in the requested dialect.

One idea: pictures are decoded (rsflow.loading.decoding.decode) and text is spelled as late as possible; everything before
moves bytes and numbers. A picture that cannot be decoded is a damaged shard (SnapshotError): what leaves silently cannot be
counted.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from rsflow import dialects
from rsflow.dialects.spelling.several_pictures import spell_on_pictures
from rsflow.errors import SnapshotError
from rsflow.loading.decoding.decode import as_tensor, decode_picture
from rsflow.loading.decoding.packed_boxes import extract_boxes, pack_boxes, restore_boxes
from rsflow.shards.format import BAND_DTYPES, BANDS, MASKS, Sample, further_pictures, picture_sizes
from rsflow.shards.masks import Rle, parse_masks
from rsflow.shards.reader import Buffer, SampleView
from rsflow.spatial.geometry import Region
from rsflow.text.control_tokens import neutralise_instruction

# Fields of a record that are columns of the example; the rest is its `meta`.
_TAKEN = frozenset({"key", "sensor", "split", "height_px", "width_px", "instructions"})


def make_example(
    sample: Sample | SampleView,
    dialect: str,
    tasks: frozenset[str] | None,
    decode: bool,
    store: Callable[[Buffer], Any] | None = None,
    count_neutralised: Callable[[int], None] = lambda instructions: None,
) -> dict[str, Any]:
    """The sample as a dict.

    key, sensor, split, dialect: str; height_px, width_px: int; image: uint8 tensor (3, rows, cols), grey repeated, or the
    encoded bytes where `decode` is false; instructions: those of `tasks` (None: all), see `_instruction`; others: further
    pictures of the same ground, by sensor, or of a group by role, in their order, like `image`; bands: the raw bands as a
    tensor (bands, rows, cols) of the type they were measured in (not decoded: .npy bytes), None where the shard has none;
    meta: the rest of the record.

    With `store` the example is unfinished, for a rsflow.loading.memory.batch_slots.SlotCollator to complete: image is what
    `store` returns for the encoded bytes, and `regions` holds the boxes that rsflow.loading.decoding.packed_boxes extracted.
    `count_neutralised` gets the number of instructions in which special tokens or control characters were made plain text.
    """
    record = sample.record
    height_px, width_px = record["height_px"], record["width_px"]
    known = dialects.get_dialect(dialect)
    # Shards may be older than the check of what goes into them.
    plain = [neutralise_instruction(one) for one in record["instructions"] if tasks is None or one["task"] in tasks]
    sizes = picture_sizes(record) if record.get("group") else [(height_px, width_px)]
    masks = _stored_picture(sample, parse_masks, MASKS) if MASKS in sample.others else {}
    instructions = [_instruction(one, known, sizes) | _masks_of(one, masks) for one, _ in plain]
    count_neutralised(sum(changed for _, changed in plain))
    regions = extract_boxes(instructions)
    found = {
        "key": sample.key,
        "sensor": record["sensor"],
        "split": record["split"],
        "height_px": height_px,
        "width_px": width_px,
        "dialect": dialect,
        "instructions": instructions,
        "meta": {name: value for name, value in record.items() if name not in _TAKEN},
        "others": _companion_pictures(sample, decode) if sample.others else {},
        "bands": _bands(sample, decode) if BANDS in sample.others else None,
        "image": _stored_picture(sample, store) if store else decode_sample(sample) if decode else bytes(sample.picture),
    }
    if store:
        found["regions"] = regions
    else:
        restore_boxes(instructions, *pack_boxes(regions))
    return found


def decode_sample(sample: Sample | SampleView) -> torch.Tensor:
    """The decoded picture: uint8 (3, rows, cols), a view of rows × cols × 3 in memory. SnapshotError where it is damaged."""
    return as_tensor(_stored_picture(sample, decode_picture))


def collate_samples(examples: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """A batch as a dict of lists, for `DataLoader(..., collate_fn=collate_samples)`: nothing is padded or stacked."""
    return {name: [one[name] for one in examples] for name in examples[0]}


def _stored_picture(sample: Sample | SampleView, store: Callable[[Buffer], Any], extension: str = "") -> Any:
    """What `store` makes of the picture, or of the other member. SnapshotError where it cannot."""
    try:
        return store(sample.others[extension] if extension else sample.picture)
    except (ValueError, OSError, SyntaxError) as error:  # Pillow raises SyntaxError for a broken PNG
        name = extension or sample.picture_format
        raise SnapshotError(f"sample {sample.key}: its {name} cannot be decoded ({error})") from error


def _companion_pictures(sample: Sample | SampleView, decode: bool) -> dict[str, Any]:
    return {
        str(known.get("role") or name.partition(".")[0]): (
            as_tensor(_stored_picture(sample, decode_picture, name)) if decode else bytes(sample.others[name])
        )
        for name, known in further_pictures(sample.record, sample.others)
    }


def _bands(sample: Sample | SampleView, decode: bool) -> torch.Tensor | bytes:
    return torch.from_numpy(_stored_picture(sample, _array, BANDS)) if decode else bytes(sample.others[BANDS])


def _array(data: Buffer) -> npt.NDArray[Any]:
    found = np.load(io.BytesIO(data), allow_pickle=False)
    if found.ndim != 3 or found.dtype not in BAND_DTYPES:
        raise ValueError(
            f"{found.dtype} of shape {found.shape}, expected (bands, rows, cols) of {', '.join(map(str, BAND_DTYPES))}"
        )
    return np.asarray(found)


def _masks_of(instruction: dict[str, Any], masks: dict[str, list[Rle]]) -> dict[str, Any]:
    """`masks` of an instruction that has some in the shard, as run lengths: rsflow.loading.masks decodes them."""
    return {"masks": masks[instruction["id"]]} if instruction["id"] in masks else {}


def _instruction(instruction: dict[str, Any], dialect: dialects.Dialect, sizes: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """id, task; turns: role and text in the dialect; box_pictures, where the sample is a group: of each box its picture, from
    0; boxes: float32 array (n, 4) of x0, y0, x1, y1 pixels; quads: float32 array
    (n, 8) of four corners, which are those of the box where it is not oriented; answer. rsflow.loading.boxes makes tensors of
    a batch's boxes.

    Boxes are no tensors: a DataLoader worker hands every tensor over as a shared memory file of its own, which for these few
    bytes takes longer than all else that is done to a sample.
    """
    boxes, answer, pictures = instruction["boxes"], instruction["answer"], instruction.get("box_pictures")

    def spell(text: str, boxes: Sequence[Region], height_px: int, width_px: int) -> str:
        return dialects.spell_text(dialect, text, boxes, answer, height_px, width_px)

    def spelled(text: str) -> str:
        if "[[" not in text:
            return text
        return spell_on_pictures(spell, text, boxes, pictures, sizes) if pictures else spell(text, boxes, *sizes[0])

    turns = [{"role": turn["role"], "text": spelled(turn["text"])} for turn in instruction["turns"]]
    return {
        "id": instruction["id"],
        "task": instruction["task"],
        "turns": turns,
        **({"box_pictures": pictures} if pictures else {}),
        "boxes": boxes,
        "quads": None,
        "answer": answer,
    }
