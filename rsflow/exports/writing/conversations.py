"""The forms that write pictures as files and conversations as JSON, a record or more for each sample.

One idea: they differ in what a record holds, in which instructions share a record, and in the dialect; the way through the
samples is the same. Where a form's loader takes the place of a picture from a token in the text, the first question begins with
`<image>` and a line break; with several pictures each token follows the name of its sensor. A token in a text of ours has lost
its brackets (rsflow.exports.contract), so it is not taken for a picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from rsflow.dialects.spelling.several_pictures import picture_names
from rsflow.exports.contract import ExportJob, Record, SpelledInstruction
from rsflow.exports.writing.json_files import WriteRecord, json_array, json_lines
from rsflow.exports.writing.pictures_jsonl import FILE, picture_record
from rsflow.shards.format import Sample, picture_sizes

IMAGE_TOKEN = "<image>"
_FROM = {"user": "human", "assistant": "gpt"}


@dataclass(frozen=True, slots=True)
class PictureFiles:
    """The pictures of a sample, its own first: paths relative to the output folder, sensors, sizes (height_px, width_px).
    `names`: what stands before each picture of a group, in the dialect."""

    paths: tuple[str, ...]
    sensors: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    names: tuple[str, ...] = ()

    @property
    def tokens(self) -> str:
        """What the first question begins with where a form's loader looks for a token of each picture."""
        if len(self.paths) == 1:
            return f"{IMAGE_TOKEN}\n"
        if self.names:
            return "".join(f"{name}{IMAGE_TOKEN}\n" for name in self.names)
        return "".join(f"{sensor}: {IMAGE_TOKEN}\n" for sensor in self.sensors)


MakeRecords = Callable[[Sample, PictureFiles, Sequence[SpelledInstruction]], Iterator[Record]]


def top_level(splits: Sequence[str]) -> list[str]:
    return ["images", FILE, *(f"{split}.json" for split in splits)]


def write_records(
    job: ExportJob,
    make_records: MakeRecords,
    open_file: Callable[[str], AbstractContextManager[WriteRecord]] = json_array,
    suffix: str = "json",
) -> dict[str, int]:
    """Write every sample's pictures and the records that `make_records` makes of its instructions; returns the records of each
    split. A sample without an instruction is left out, and counted."""
    written = {}
    with ExitStack() as whole:
        write_picture_line = whole.enter_context(json_lines(job.place(FILE)))
        for split in job.splits:
            before = job.tally.records
            with open_file(job.place(f"{split}.{suffix}")) as write:
                for sample, instructions in job.with_texts(job.samples(split)):
                    files = _write_pictures(job, split, sample, write_picture_line)
                    for record in make_records(sample, files, instructions):
                        write(record)
                        job.tally.records += 1
            written[split] = job.tally.records - before
    return written


def _write_pictures(job: ExportJob, split: str, sample: Sample, write_line: WriteRecord) -> PictureFiles:
    path = job.write_picture(split, sample)
    companions = job.write_companions(split, sample)
    write_line(picture_record(path, split, sample, companions))
    paths = (path, *(other["image"] for other in companions))
    return PictureFiles(
        paths,
        (sample.record["sensor"], *(other["sensor"] for other in companions)),
        tuple(picture_sizes(sample.record)) if companions else tuple(picture_sizes(sample.record)[:1]),
        picture_names(job.dialect, len(paths)) if sample.record.get("group") else (),
    )


def llava_conversation(turns: Sequence[tuple[str, str]], tokens: str = "") -> list[Record]:
    """Turns as LLaVA spells them; the first one begins with `tokens`."""
    found = [{"from": _FROM[role], "value": text} for role, text in turns]
    if found:
        found[0]["value"] = f"{tokens}{found[0]['value']}"
    return found


def openai_messages(turns: Sequence[tuple[str, str]], tokens: str = "") -> list[Record]:
    """Turns as messages of a role and a content; the first one begins with `tokens`."""
    found = [{"role": role, "content": text} for role, text in turns]
    if found:
        found[0]["content"] = f"{tokens}{found[0]['content']}"
    return found


def known_facts(sample: Sample, instruction: Record) -> Record:
    """The other fields of a record; loaders ignore keys that they do not know."""
    facts = {name: sample.record[name] for name in ("sensor", "source", "licence", "width_px", "height_px")}
    return {"task": instruction["task"], **facts}


def record_per_instruction(sample: Sample, files: PictureFiles, instructions: Sequence[SpelledInstruction]) -> Iterator[Record]:
    """A LLaVA record for each instruction, of the sample's own picture, or of all pictures of a group."""
    is_group = bool(sample.record.get("group"))
    for instruction, turns in instructions:
        yield {
            "id": instruction["id"],
            "image": list(files.paths) if is_group else files.paths[0],
            "conversations": llava_conversation(turns, files.tokens if is_group else f"{IMAGE_TOKEN}\n"),
            **known_facts(sample, instruction),
        }
