"""Which instructions are selected, and which tile each goes with: the rules on texts and counts.

A duplicate tile may add annotations: instructions of another source or task about the same picture at the same size move to the
canonical tile. Then, in order: limits on scores, repeated texts of one tile, template share, quotas and balance.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.config.select_settings import Balance, Select
from rsflow.curation.answer_share import ANSWER_SHARE, is_over_answer_share
from rsflow.curation.balance.mixture import balance_instructions, has_lower_bounds
from rsflow.curation.connected_components import Indices, component_labels
from rsflow.curation.drop_reasons import DropReasons, Flags
from rsflow.curation.duplicates.texts.text_signatures import select_sketches
from rsflow.curation.duplicates.texts.text_similarity import ReadTexts, similar_pairs_in_groups
from rsflow.curation.splits.ground import assign_regions, bounding_boxes
from rsflow.curation.value_codes import encode_values, value_codes

DUPLICATE_TEXT = "duplicate_text"


def assign_host_tiles(tiles: pa.Table, task: pa.ChunkedArray, own: Indices, canonical: Indices, is_shown_as: Flags) -> Indices:
    """The tile that each instruction goes with: the one that stands for its own, where it may say something new of it.

    That is where the two show the very same picture (`is_shown_as`: exact and near duplicates, not flipped, shifted or similar
    ones), have one sensor and one size (so boxes fit), and where they are of two sources, or their pixels are equal and the
    tile that stays has no instruction of this task. A copy within one source would repeat the same content, in other
    words; near duplicates of one source are two moments of one place, as a rule: people walk, so counts and boxes differ.

    So this is where the annotations of a cluster unite: as instructions, each still made from the labels of its own tile and
    naming them (`label_ids`), whether a person or a model made these. A pseudo-labelled twin of an annotated tile gives its
    instructions too, under the same condition; labels themselves stay with their tiles.
    """
    fits = is_shown_as & (canonical != np.arange(len(canonical)))
    for name in ("sensor", "height_px", "width_px"):
        codes = value_codes(tiles[name])
        fits &= codes == codes[canonical]
    moved = np.flatnonzero(fits[own])
    if not len(moved):
        return own
    tasks = value_codes(task)
    width = int(tasks.max()) + 1
    target = canonical[own[moved]]
    hosts = np.zeros(len(canonical), dtype=np.bool_)
    hosts[target] = True
    at = np.flatnonzero(hosts[own])
    content = np.unique(own[at] * width + tasks[at])
    source = value_codes(tiles["source"])
    is_equal = _has_equal_pixels(tiles, canonical)[own[moved]]
    new = (source[own[moved]] != source[target]) | (is_equal & ~np.isin(target * width + tasks[moved], content))
    host = own.copy()
    host[moved[new]] = target[new]
    return host


def _has_equal_pixels(tiles: pa.Table, canonical: Indices) -> Flags:
    """Whether each tile's picture is that of its canonical tile, pixel by pixel."""
    equal = np.zeros(len(canonical), dtype=np.bool_)
    for name in ("picture_sha256", "pixels_sha256"):
        values = tiles[name].combine_chunks()
        equal |= np.asarray(pc.fill_null(pc.equal(values, values.take(pa.array(canonical))), False))
    return equal


def select_instructions(
    instructions: pa.Table,
    tiles: pa.Table,
    own: Indices,
    host: Indices,
    tile_reasons: pa.DictionaryArray,
    settings: Select,
    seed: int,
    read_texts: ReadTexts | None,
) -> DropReasons:
    """Decide over numbered instructions, of which `own` and `host` are rows of `tiles`; `tile_reasons`: why the host is out."""
    chosen = DropReasons(instructions.num_rows)
    chosen.drop_each(np.arange(instructions.num_rows), tile_reasons)
    if "review_reason" in instructions.column_names:
        chosen.drop_each(np.arange(instructions.num_rows), instructions["review_reason"])
    chosen.limit(instructions, settings.instruction_limits)
    _drop_repeats(instructions, own != host, host, chosen)
    if read_texts and instructions.num_rows:
        _drop_similar(instructions, own != host, host, settings, read_texts, chosen)
    rules = settings.balance or Balance()
    surplus = _surplus_answers(instructions, settings, chosen.kept)
    if surplus.any() and has_lower_bounds(rules):  # these numbers must be reached: the surplus is only the first to leave
        instructions = instructions.append_column("priority", pa.array(surplus.astype(np.uint8)))
    else:
        chosen.drop(surplus, ANSWER_SHARE)
    rows = np.flatnonzero(chosen.kept)
    keyed = {name: _take_tile_values(tiles[name], host[rows]) for name in ("sensor", "source", "licence")}
    form = ("form",) if settings.max_template_share is not None else ()
    some = [name for name in ("order", "priority", "task", "category", *form) if name in instructions.column_names]
    taken = instructions.select(some).take(pa.array(rows)) if len(rows) < instructions.num_rows else instructions.select(some)
    for name, values in keyed.items():
        taken = taken.append_column(name, values)
    region = assign_regions(bounding_boxes(tiles["footprint"]), settings.regions, settings.region_deg)
    taken = taken.append_column("region", _take_tile_values(region, host[rows]))
    chosen.drop_each(rows, balance_instructions(taken, settings.quotas, rules, seed, settings.max_template_share))
    if not has_lower_bounds(rules):  # quotas may have disturbed the shares
        chosen.drop(_surplus_answers(instructions, settings, chosen.kept), ANSWER_SHARE)
    return chosen


def _surplus_answers(instructions: pa.Table, settings: Select, kept: Flags) -> Flags:
    """What is beyond the share that one answer to a kind of question may have."""
    if settings.max_answer_share is None or "question" not in instructions.column_names:
        return np.zeros(len(kept), dtype=np.bool_)
    question, answer, order = (np.asarray(instructions[name]) for name in ("question", "answer", "order"))
    return is_over_answer_share(question, answer, order, kept, settings.max_answer_share)


def _drop_repeats(instructions: pa.Table, moved_here: Flags, host: Indices, chosen: DropReasons) -> None:
    """Of instructions that say the same on one tile, one stays: the tile's own, else that which comes first."""
    moved_rows = np.flatnonzero(chosen.kept & moved_here)
    if not len(moved_rows):
        return
    rows = np.flatnonzero(np.isin(host, np.unique(host[moved_rows])) & chosen.kept)
    content, first = (np.asarray(instructions[name])[rows] for name in ("content_hash", "order"))
    order = np.lexsort((first, moved_here[rows], content, host[rows]))
    same = (np.diff(host[rows][order]) == 0) & (content[order][1:] == content[order][:-1])
    chosen.drop(rows[order[1:][same]], DUPLICATE_TEXT)


def _drop_similar(
    instructions: pa.Table, moved_here: Flags, host: Indices, settings: Select, read_texts: ReadTexts, chosen: DropReasons
) -> None:
    """Of instructions of any task that say the same of one picture, or nearly, one stays: as above."""
    rows = np.flatnonzero(chosen.kept)
    sketches = select_sketches(instructions, rows)
    pairs = similar_pairs_in_groups(host[rows], sketches, settings.same_text or 1.0, lambda some: read_texts(rows[some]))
    label = component_labels(len(rows), pairs)
    order = np.lexsort((np.asarray(instructions["order"])[rows], moved_here[rows], label))
    chosen.drop(rows[order[1:][np.diff(label[order]) == 0]], DUPLICATE_TEXT)


def _take_tile_values(values: pa.Array | pa.ChunkedArray, rows: Indices) -> pa.DictionaryArray:
    """A column of the tiles for many rows, without copying a text per row."""
    encoded = encode_values(values)
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(rows)), encoded.dictionary)
