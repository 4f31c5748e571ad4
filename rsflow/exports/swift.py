"""The form of ms-swift (https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html), `swift sft --dataset`.

One idea: boxes are apart from the text. `<ref-object>` and `<bbox>` in the messages stand for the entries of
`objects.ref` and `objects.bbox` in their order, in real pixels of the picture `objects.image_id` (0 is the sample's own), and
ms-swift spells them for the model it trains. Oriented boxes it cannot hold: their bounding boxes are written, and counted.
With a dialect of another family (`--dialect`) boxes are spelled in the text and `objects` is left out.

Paths of pictures are relative to the output folder, which ms-swift takes from the environment variable ROOT_IMAGE_DIR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rsflow import dialects
from rsflow.dialects import spell_outlines_and_paths
from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.conversations import PictureFiles, known_facts, openai_messages, write_records
from rsflow.exports.writing.json_files import json_lines
from rsflow.exports.writing.pictures_jsonl import FILE
from rsflow.shards.format import Sample
from rsflow.spatial.geometry import Box, Region, bounding_box
from rsflow.text.turns import Mark, replace_marks

DIALECT = "pixels"  # stands for ms-swift's own: boxes apart from the text
HOLDS_GROUPS = True

REF, BBOX = "<ref-object>", "<bbox>"


def top_level(splits: Sequence[str]) -> list[str]:
    return ["images", FILE, *(f"{split}.jsonl" for split in splits)]


def write(job: ExportJob) -> None:
    in_text = job.dialect is not dialects.get_dialect(DIALECT)

    def make_records(sample: Sample, files: PictureFiles, instructions: Sequence[SpelledInstruction]) -> Iterator[Record]:
        for instruction, turns in instructions:
            pictures = instruction.get("box_pictures") or [0] * len(instruction["boxes"])
            objects = _Objects(instruction["boxes"], pictures, files.sizes)
            written_turns = (
                turns
                if in_text
                else [
                    (turn["role"], objects.take(_write_outlines(job, sample, instruction, turn["text"])))
                    for turn in instruction["turns"]
                ]
            )
            job.tally.notes["oriented_boxes_made_upright"] += objects.oriented
            yield {
                "messages": openai_messages(written_turns, files.tokens),
                "images": list(files.paths),
                **({"objects": objects.record()} if objects.bbox else {}),
                "id": instruction["id"],
                **known_facts(sample, instruction),
            }

    write_records(job, make_records, json_lines, "jsonl")


def _write_outlines(job: ExportJob, sample: Sample, instruction: Record, text: str) -> str:
    """Only boxes have placeholders: outlines and paths are spelled in the text."""
    size = sample.record["height_px"], sample.record["width_px"]
    return spell_outlines_and_paths(job.dialect, text, instruction["answer"], *size)


@dataclass
class _Objects:
    """Collects the phrases and boxes of a conversation's marks in the order of their placeholders."""

    boxes: Sequence[Region]
    pictures: Sequence[int]  # of each box
    sizes: Sequence[tuple[int, int]]  # (height, width) of each picture
    image_id: list[int] = field(default_factory=list)
    ref: list[str] = field(default_factory=list)
    bbox: list[Box] = field(default_factory=list)
    oriented: int = 0

    def take(self, text: str) -> str:
        """The text with placeholders for its marks."""
        return replace_marks(text, self._placeholders)

    def record(self) -> Record:
        return {"ref": self.ref, "bbox": self.bbox, "bbox_type": "real", "image_id": self.image_id}

    def _upright(self, region: Region, picture: int) -> Box:
        """The bounding box within its picture."""
        x0, y0, x1, y1 = bounding_box(region)
        height_px, width_px = self.sizes[picture]
        return max(0.0, x0), max(0.0, y0), min(float(width_px), x1), min(float(height_px), y1)

    def _placeholders(self, found: Mark) -> str:
        regions = [self.boxes[index] for index in found.boxes]
        self.oriented += sum(len(region) == 8 for region in regions)
        shown = [self.pictures[index] for index in found.boxes]
        self.bbox += [self._upright(region, picture) for region, picture in zip(regions, shown, strict=True)]
        self.image_id += shown
        if found.phrase:
            self.ref.append(found.phrase)
        return (REF if found.phrase else "") + BBOX * len(regions)
