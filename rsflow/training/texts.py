"""The words of a split as a model is shown them, for a tokenizer to be made from."""

from __future__ import annotations

from collections.abc import Iterator

from rsflow.loading.stream import stream


def read_texts(root: str, split: str, dialect: str) -> Iterator[str]:
    """Every turn of every instruction in stored order, boxes spelled in the dialect."""
    for example in stream(root, split, shuffle=False, dialect=dialect, decode=False, rank=0, world_size=1):
        for instruction in example["instructions"]:
            yield from (turn["text"] for turn in instruction["turns"])
