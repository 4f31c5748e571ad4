"""Texts of instructions as numbers: to find repeated texts of one picture, and templates that dominate a task.

The text of an instruction is its answers, where these have at least `MIN_ANSWER_WORDS` words and contain no box; else
questions and answers. Two instructions of one picture repeat each other where their normalised texts are similar
(`rsflow.curation.duplicates.texts.text_similarity`); those with boxes only where text and boxes are equal, because the same
words about another box are another statement. A *template* is a text with its numbers and categories masked: "How many ships?
3" and "How many cars? 12" have one template.

Size: 20 bytes per instruction, 8 more with templates; texts are read in pieces and, for the few that may be similar, once more.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.texts.text_similarity import Sketch, normalise_text, sketch_texts
from rsflow.curation.hashing import Hashes, stable_hashes
from rsflow.curation.value_codes import list_offsets

MIN_ANSWER_WORDS = 8
TEXT_SOURCE_COLUMNS = ("turns", "boxes")  # the columns that text signatures are made from

_BLOCK = 1 << 14  # texts at a time: their bytes stay in the processor's cache
_STEP, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)


def extract_texts(turns: pa.ChunkedArray) -> pa.Array:
    """The folded text of each list of turns."""
    whole = turns.combine_chunks()
    flat, offsets = whole.flatten(), pa.array(list_offsets(whole).astype(np.int32))
    text = pc.fill_null(pc.struct_field(flat, "text"), "")
    answers = pc.if_else(pc.equal(pc.struct_field(flat, "role"), "assistant"), text, "")
    answered = pc.binary_join(pa.ListArray.from_arrays(offsets, answers), "\n")
    answers = normalise_text(answered)
    # A list of boxes says nothing without what was asked for.
    short = pc.or_(pc.less(pc.count_substring(answers, " "), MIN_ANSWER_WORDS - 1), pc.match_substring(answered, "[["))
    questions = pc.binary_join(pa.ListArray.from_arrays(offsets, text), "\n").filter(short)
    return pc.replace_with_mask(answers, short, normalise_text(questions))


def text_columns(rows: pa.Table, mask: str | None = None) -> dict[str, npt.NDArray[np.generic]]:
    """Columns `text`, `bits` and `elements` (see `Sketch`; 0 elements: it points at boxes), with a `mask` also `form`."""
    parts = [_text_columns(rows.slice(start, _BLOCK), mask) for start in range(0, max(rows.num_rows, 1), _BLOCK)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _text_columns(rows: pa.Table, mask: str | None) -> dict[str, npt.NDArray[np.generic]]:
    texts = extract_texts(rows["turns"])
    made, places = sketch_texts(texts), _hash_boxes(rows["boxes"].combine_chunks())
    columns: dict[str, npt.NDArray[np.generic]] = {
        "text": made.text_hash ^ places,
        "bits": made.bits,
        "elements": np.where(places != 0, np.int32(0), made.elements),
    }
    return columns | ({"form": template_hashes(texts, mask)} if mask is not None else {})


def select_sketches(instructions: pa.Table, rows: Indices) -> Sketch:
    """The sketches of these rows of a table with the columns of `text_columns`."""
    return Sketch(*(np.asarray(instructions[name])[rows] for name in ("text", "bits", "elements")))


def build_mask(categories: Collection[str], numbers: Collection[str]) -> str:
    """A regular expression for the words that `forms` takes for one, in folded texts: categories, also in the plural."""
    names = sorted(
        set(normalise_text(pa.array(sorted(categories), pa.string())).to_pylist()) - {""}, key=lambda name: (-len(name), name)
    )
    counts = r"\b(?:[0-9]+|" + "|".join(map(re.escape, numbers)) + r")\b"
    return counts + (r"|\b(?:" + "|".join(map(re.escape, names)) + r")(?:s|es)?\b" if names else "")


def template_hashes(texts: pa.Array, mask: str) -> Hashes:
    """A hash of each folded text with what `mask` matches taken for one word."""
    return stable_hashes(pc.replace_substring_regex(texts, mask, "#"), 0)


def _hash_boxes(boxes: pa.Array) -> Hashes:
    """A hash of each list of boxes; 0 for none."""
    outer = list_offsets(boxes)
    inner = boxes.flatten()
    starts = list_offsets(inner)[outer]
    numbers = np.asarray(inner.flatten(), dtype=np.float64).view(np.uint64)
    place = np.arange(len(numbers)) - np.repeat(starts[:-1], np.diff(starts))
    mixed = numbers + (place + 1).astype(np.uint64) * _STEP
    for _ in range(2):
        mixed = (mixed ^ (mixed >> _SHIFT)) * _MIX
    hashes = np.zeros(len(boxes), dtype=np.uint64)
    some = np.diff(starts) > 0
    if some.any():
        hashes[some] = np.add.reduceat(mixed, starts[:-1][some]) | np.uint64(1)
    return hashes
