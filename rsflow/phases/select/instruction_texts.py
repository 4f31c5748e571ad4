"""Texts of instructions read again, for the few pairs that may be similar.

Rows have positions in the order of the files, so a text is found by the file that contains its position; files without a
requested row are not opened.
"""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.texts.text_signatures import build_mask, extract_texts
from rsflow.curation.duplicates.texts.text_similarity import ReadTexts
from rsflow.instructions.wording.english import NUMBER_WORDS
from rsflow.lake.delta.table_files import TableFile, read_table_file
from rsflow.planning.live_rows import LiveRows

_NAMING_KINDS = ("box", "category", "cover", "presence")  # kinds of labels whose category is a word for what is seen


def make_text_reader(pieces: list[TableFile], receipts: pa.Array) -> ReadTexts:
    """Gives the folded texts of rows, by their positions among the instructions that count, ascending."""
    sizes: list[int] = []

    def read_texts(rows: Indices) -> pa.Array:
        if not sizes:
            sizes.extend(sum(part.num_rows for part in read_table_file(piece, ["receipt"], receipts)) for piece in pieces)
        found = [pa.array([], pa.large_string())]
        for piece, (start, stop) in zip(pieces, pairwise(accumulate(sizes, initial=0)), strict=True):
            low, high = np.searchsorted(rows, (start, stop))
            if low < high:
                found.extend(_read_texts(piece, rows[low:high] - start, receipts))
        return pa.concat_arrays(found)

    return read_texts


def _read_texts(piece: TableFile, rows: Indices, receipts: pa.Array) -> list[pa.Array]:
    found, start = [], 0
    for part in read_table_file(piece, ["turns"], receipts):
        low, high = np.searchsorted(rows, (start, start + part.num_rows))
        found.append(extract_texts(part["turns"].take(pa.array(rows[low:high] - start))))
        start += part.num_rows
    return found


def build_template_mask(now: LiveRows) -> str:
    """What `rsflow.curation.duplicates.texts.text_signatures.forms` takes for one word: numbers, and the categories of all
    labels.
    """
    names: set[str] = set()
    for rows in now.batches("labels", ["kind", "category"]):
        naming = pc.is_in(rows["kind"], value_set=pa.array(_NAMING_KINDS))
        names |= set(pc.unique(rows["category"].filter(naming)).drop_null().to_pylist())
    return build_mask(names, NUMBER_WORDS)
