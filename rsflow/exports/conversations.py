"""The family of formats that LLaVA began: a JSON array of records with `image` and `conversations`.

One idea: they differ in what a record holds beside these two, in which instructions share a record, and in the dialect; the
way through the samples is the same. The text of the first question begins with `<image>` and a line break where the project's
loader looks for that token (https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md); a token in
a text of ours has lost its brackets (rsflow.exports.contract), so it is not taken for a second picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from rsflow.exports import json_files
from rsflow.exports.contract import ExportJob, Record
from rsflow.exports.pictures_jsonl import FILE, picture_record
from rsflow.shards.format import Sample

_FROM = {"user": "human", "assistant": "gpt"}

SpelledInstruction = tuple[Record, list[tuple[str, str]]]
Records = Callable[[Sample, str, Sequence[SpelledInstruction]], Iterator[Record]]


def top_level(splits: Sequence[str]) -> list[str]:
    return ["images", FILE, *(f"{split}.json" for split in splits)]


def write_records(job: ExportJob, records: Records) -> None:
    """Write every sample's picture and what `records` makes of its instructions; a sample without any is no picture either."""
    with ExitStack() as whole:
        tell = whole.enter_context(json_files.json_lines(job.place(FILE)))
        for split in job.splits:
            with json_files.json_array(job.place(f"{split}.json")) as put:
                for sample in job.samples(split):
                    fit = list(job.instructions(sample))
                    if fit:
                        path = job.write_picture(split, sample)
                        tell(picture_record(path, split, sample, job.write_companions(split, sample)))
                    for record in records(sample, path, fit) if fit else ():
                        put(record)
                        job.tally.records += 1


def llava_conversation(turns: Sequence[tuple[str, str]], token: bool) -> list[Record]:
    """Turns as LLaVA spells them; with `token` the first one begins with the picture's."""
    found = [{"from": _FROM[role], "value": text} for role, text in turns]
    if token and found:
        found[0]["value"] = f"<image>\n{found[0]['value']}"
    return found


def record_per_instruction(sample: Sample, path: str, fit: Sequence[SpelledInstruction]) -> Iterator[Record]:
    """A record per instruction, with what is known of it; loaders of this family pass over keys they do not know."""
    about = {name: sample.record[name] for name in ("sensor", "source", "licence", "width_px", "height_px")}
    for instruction, turns in fit:
        yield {
            "id": instruction["id"],
            "image": path,
            "conversations": llava_conversation(turns, token=True),
            "task": instruction["task"],
            **about,
        }
