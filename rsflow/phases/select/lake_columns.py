"""Tiles, instructions and labels read from the lake file by file, as the columns that the selection works on.

Texts are read, hashed and measured a row group at a time, as Ray tasks where there are many; the driver holds numbers alone
(`rsflow.curation.instruction_columns`). Files are read in a fixed order, so rows have positions, and a second pass finds the
ids of the results.

Estimated for 1 billion instructions on 100 million tiles: 24 bytes per instruction on the driver, 44 with texts. Tasks need the
tile index, 1.6 GB in the shared memory of each machine; where categories or label quality are needed, 24 bytes per label too.
Each instruction file is read twice, and once more for texts that may be similar; each label file once. Labels are identified by
their hash alone: of 3 billion, two may collide, and one then has the other's category.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.settings import BuildConfig
from rsflow.curation.answer_share import question_and_answer
from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.texts import text_signatures
from rsflow.curation.hashing import Hashes, stable_hashes
from rsflow.curation.instruction_columns import COLUMNS, IdIndex, build_id_index, encode_instructions
from rsflow.curation.select_samples import needs_categories
from rsflow.curation.task_runner import LOCAL_RUNNER, TaskRunner
from rsflow.curation.value_codes import encode_values, list_offsets
from rsflow.lake.delta.formats import TABLES
from rsflow.lake.delta.table_files import TableFile, list_table_files, read_table_file
from rsflow.phases.select.instruction_texts import build_template_mask
from rsflow.planning.live_rows import LiveRows

MIN_CLUSTER_ROWS = 50_000_000  # instructions from which on `engine.select: auto` uses the cluster

# Columns of the tiles with one text for many: kept as dictionaries.
DICTIONARY_COLUMNS = {"source", "sensor", "licence", "source_split", "file"}

Floats = npt.NDArray[np.float64]

# What a score of `select.instruction_limits` is made from.
SCORE_COLUMNS = {
    "label_quality": "label_ids",
    "answer_words": "turns",
    "answer_characters": "turns",
    "checks": "checks",
    "perplexity": "perplexity",
}


@dataclass(frozen=True, slots=True)
class InstructionQuery:
    """What to read of instructions: `scores` are keys of SCORE_COLUMNS; `texts`: signatures, with a `mask` also of their form;
    `answers`: which kind of question each is, and its answer; `review_reasons`: by id, why reviewers have some leave."""

    seed: int
    scores: tuple[str, ...]
    category: bool
    texts: bool
    mask: str | None
    answers: bool
    receipts: pa.Array
    review_reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelIndex:
    """Labels as numbers: where a label_id stands, and there its category and quality (NaN where not known)."""

    index: IdIndex
    category: npt.NDArray[np.int32]
    names: pa.Array
    quality: npt.NDArray[np.float32]


def instruction_pieces(now: LiveRows) -> list[TableFile]:
    return list_table_files(now.lake, "instructions")


def encode_all_instructions(
    built: BuildConfig, now: LiveRows, pieces: list[TableFile], tiles: pa.ChunkedArray, runner: TaskRunner = LOCAL_RUNNER
) -> pa.Table:
    """All instructions that count, numbered; `tiles` are the ids of the tiles that their rows stand for."""
    limits = tuple(built.select.instruction_limits)
    forms = build_template_mask(now) if built.select.max_template_share is not None else None
    texts = forms is not None or built.select.same_text is not None
    receipts = now.receipts("instructions").combine_chunks()
    answers = built.select.max_answer_share is not None
    reasons = now.decisions.dropped_instructions
    query = InstructionQuery(built.seed, limits, needs_categories(built.select), texts, forms, answers, receipts, reasons)
    labels = _read_label_index(now) if query.category or "label_quality" in limits else None
    found = list(runner.each(encode_instruction_file, pieces, (query, build_id_index(tiles), labels)))
    return pa.concat_tables(found) if found else encode_instructions(_NO_INSTRUCTIONS, build_id_index(tiles), built.seed)


def encode_instruction_file(
    piece: TableFile, query: InstructionQuery, tiles: IdIndex, labels: LabelIndex | None
) -> Iterator[pa.Table]:
    """A file's instructions, numbered, with the category and scores that are asked for, some at a time."""
    needed = {"label_ids"} if query.category else set()
    needed |= set(text_signatures.TEXT_SOURCE_COLUMNS) if query.texts else set()
    needed |= {"answer"} if query.answers else set()
    columns = [*COLUMNS, *sorted(needed | {SCORE_COLUMNS[score] for score in query.scores})]
    for rows in read_table_file(piece, columns, query.receipts):
        numbers = encode_instructions(rows.select(COLUMNS), tiles, query.seed)
        places = labels.index.find(_flatten(rows["label_ids"])) if labels else None
        for score in query.scores:
            numbers = numbers.append_column(score, pa.array(_instruction_score(score, rows, labels, places), pa.float32()))
        if query.category and labels and places is not None:
            numbers = numbers.append_column("category", _instruction_categories(rows["label_ids"], places, labels))
        for name, values in (text_signatures.text_columns(rows, query.mask) if query.texts else {}).items():
            numbers = numbers.append_column(name, pa.array(values))
        if query.answers:
            for name, values in zip(("question", "answer"), question_and_answer(rows["task"], rows["answer"]), strict=True):
                numbers = numbers.append_column(name, pa.array(values))
        if query.review_reasons:
            numbers = numbers.append_column("review_reason", _review_reasons(rows["instruction_id"], query.review_reasons))
        yield numbers


def _review_reasons(ids: pa.ChunkedArray, reasons: Mapping[str, str]) -> pa.ChunkedArray:
    """Per instruction why a reviewer has it leave, or null."""
    names = sorted(reasons)
    known = pa.array([reasons[name] for name in names], pa.string())
    return known.take(pc.index_in(ids, value_set=pa.array(names, pa.string())))


def read_instruction_ids(pieces: list[TableFile], now: LiveRows) -> Iterator[pa.Table]:
    """instruction_id and task of the same instructions, in the same order, some at a time."""
    receipts = now.receipts("instructions").combine_chunks()
    for piece in pieces:
        yield from read_table_file(piece, ["instruction_id", "tile_id", "task"], receipts)


def read_tiles(now: LiveRows, columns: list[str]) -> pa.Table:
    """The tiles that count, sorted by tile_id; DICTIONARY_COLUMNS as dictionaries."""
    found = now.batches("tiles", columns)
    tiles = pa.concat_tables([_encode_repeated(TABLES["tiles"].empty_table().select(columns)), *map(_encode_repeated, found)])
    by_name = dict(zip(columns, tiles.columns, strict=True))
    del tiles
    order = pc.sort_indices(by_name["tile_id"])
    for name in columns:  # one at a time: two copies of all are more than all of selecting takes
        by_name[name] = by_name[name].take(order)
    return pa.table(by_name)


def _encode_repeated(tiles: pa.Table) -> pa.Table:
    return pa.table({c: pc.dictionary_encode(tiles[c]) if c in DICTIONARY_COLUMNS else tiles[c] for c in tiles.column_names})


def count_annotations(now: LiveRows, tiles: pa.ChunkedArray) -> Indices:
    """The number of labels of each of these tiles that are annotations."""
    index = build_id_index(tiles)
    counts = np.zeros(len(tiles), dtype=np.int64)
    for rows in now.batches("labels", ["tile_id", "origin"], now.label["receipt"]):
        own = encode_values(rows["tile_id"].filter(pc.equal(rows["origin"], "annotation")))
        counts[index.find(own.dictionary)] += np.bincount(np.asarray(own.indices), minlength=len(own.dictionary))
    return counts


def _read_label_index(now: LiveRows) -> LabelIndex:
    parts = [*map(_encode_labels, now.batches("labels", ["label_id", "category", "quality"]))]
    if (made := now.reviewed_labels()) is not None:
        known = pa.array(np.concatenate([np.empty(0, dtype=np.uint64), *(part[0] for part in parts)]))
        fresh = pc.invert(pc.is_in(pa.array(stable_hashes(made["label_id"], 0)), value_set=known))
        parts.append(_encode_labels(made.filter(fresh)))
    hashes = np.concatenate([np.empty(0, dtype=np.uint64), *(part[0] for part in parts)])
    rows = np.argsort(hashes)
    category = pa.chunked_array([part[1] for part in parts], pa.dictionary(pa.int32(), pa.string())).combine_chunks()
    quality = np.concatenate([np.empty(0, dtype=np.float32), *(part[2] for part in parts)])
    codes = np.asarray(category.indices.fill_null(-1), dtype=np.int32)
    return LabelIndex(IdIndex(0, hashes[rows], np.arange(len(rows))), codes[rows], category.dictionary, quality[rows])


def _encode_labels(rows: pa.Table) -> tuple[Hashes, pa.Array, npt.NDArray[np.float32]]:
    category = pc.dictionary_encode(rows["category"]).combine_chunks()
    quality = np.asarray(rows["quality"].cast(pa.float32()).fill_null(np.nan))
    return stable_hashes(rows["label_id"], 0), category, quality


def _instruction_categories(label_ids: pa.ChunkedArray, places: Indices, labels: LabelIndex) -> pa.Array:
    """Per instruction the categories of the labels that it rests on."""
    codes = np.where(places < 0, -1, labels.category[places])
    values = pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), labels.names)
    return pa.ListArray.from_arrays(pa.array(list_offsets(label_ids).astype(np.int32)), values)


def _instruction_score(score: str, rows: pa.Table, labels: LabelIndex | None, places: Indices | None) -> Floats:
    """A score per instruction; NaN where it is not known."""
    if score == "checks":
        return np.asarray(pc.fill_null(pc.list_value_length(rows["checks"]), 0), dtype=np.float64)
    if score == "perplexity":
        return np.asarray(rows["perplexity"].fill_null(np.nan), dtype=np.float64)
    if labels and places is not None and score == "label_quality":
        known = np.where(places < 0, np.nan, labels.quality[places])
        return _reduce_lists(np.fmin, known, list_offsets(rows["label_ids"]), np.nan)
    turns = _flatten(rows["turns"])
    text, role = (pc.struct_field(turns, name) for name in ("text", "role"))
    size = pc.utf8_length(text) if score == "answer_characters" else pc.count_substring_regex(text, r"\S+")
    answer_sizes = np.where(np.asarray(pc.equal(role, "assistant")), np.asarray(size), 0)
    return _reduce_lists(np.add, answer_sizes, list_offsets(rows["turns"]), 0)


def _reduce_lists(reduce: np.ufunc, values: npt.NDArray[np.generic], offsets: Indices, empty: float) -> Floats:
    """Each list's values reduced to one; `empty` for a list of none."""
    result = np.full(len(offsets) - 1, empty, dtype=np.float64)
    some = np.diff(offsets) > 0
    if some.any():
        result[some] = reduce.reduceat(values, offsets[:-1][some])
    return result


def _flatten(lists: pa.ChunkedArray) -> pa.Array:
    return lists.combine_chunks().flatten()


_NO_INSTRUCTIONS = pa.table({name: pa.array([], pa.string()) for name in COLUMNS})
