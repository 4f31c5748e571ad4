"""Similar texts by the Jaccard similarity of their word triples, a column at a time.

A text is normalised (case, punctuation and spaces are ignored), split into words, and its runs of three words are hashed; the
similarity of two texts is that of these sets, |A and B| / |A or B|. A `Sketch` of 28 bytes per text excludes nearly all pairs
without error: the 64-bit maps of two sets differ in at most as many bits as the sets differ in elements. Only the remaining
pairs are read and compared in full, so nothing is missed and the texts of a billion instructions are never held.

Normalisation keeps numbers and letters of any script: "2 ships." and "2 Ships" are one text, "2 ships" and "3 ships" are two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates.pairs.hamming import expand_ranges
from rsflow.curation.hashing import Hashes, stable_hashes

SHINGLE_WORDS = 3  # words that are one element

Flags = npt.NDArray[np.bool_]
ReadTexts = Callable[[Indices], pa.Array]

_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9))
_SPACE = ord(" ")
# Bytes to lower-case letters and digits, all others to spaces.
_FOLD = np.full(256, _SPACE, dtype=np.uint8)
_FOLD[list(b"0123456789abcdefghijklmnopqrstuvwxyz")] = list(b"0123456789abcdefghijklmnopqrstuvwxyz")
_FOLD[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")] = list(b"abcdefghijklmnopqrstuvwxyz")
LARGE_GROUP = 64  # texts of one group beyond which not all pairs are made
_PAIRS = 1 << 19  # compared in full at a time


@dataclass(frozen=True, slots=True)
class Sketch:
    """Of each text: `text_hash`, of it normalised; `bits`, a map of its elements; `elements`, how many it has, repeated ones
    too.

    With 0 elements a text is only held to be like one of the same `text_hash`.
    """

    text_hash: Hashes
    bits: Hashes
    elements: npt.NDArray[np.int32]


def normalise_text(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Words (NFKC, runs of letters and digits) in lower case with single spaces between them."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    whole = pc.fill_null(whole.cast(pa.large_string()), "")
    plain = pc.string_is_ascii(whole)
    if pc.all(plain, min_count=0).as_py():
        return _normalise_ascii(whole)
    lower = pc.utf8_lower(pc.utf8_normalize(whole.filter(pc.invert(plain)), form="NFKC"))
    others = pc.utf8_trim_whitespace(pc.replace_substring_regex(lower, r"[^\pL\pN]+", " "))
    return pc.replace_with_mask(_normalise_ascii(pc.if_else(plain, whole, "")), pc.invert(plain), others)


def _normalise_ascii(texts: pa.Array) -> pa.Array:
    """The same for ASCII, on bytes: regular expressions would take ten times as long."""
    offsets, data = _buffers(texts)
    mapped = _FOLD[data]
    solid = mapped != _SPACE
    starts = solid.copy()
    starts[1:] &= ~solid[:-1]
    begins = offsets[:-1][offsets[:-1] < offsets[1:]]
    starts[begins] = solid[begins]
    first = np.flatnonzero(starts)
    bounds = np.searchsorted(first, offsets)
    # A space stands before every word but the first of a text.
    inner = np.delete(first, bounds[:-1][bounds[:-1] < bounds[1:]])
    solid[inner - 1] = True
    dropped = np.flatnonzero(~solid)
    return _strings(offsets - np.searchsorted(dropped, offsets), mapped[solid])


def sketch_texts(folded_texts: pa.Array) -> Sketch:
    """The sketches of folded texts."""
    elements, starts = shingles(folded_texts)
    bits = np.uint64(1) << (elements >> np.uint64(58))
    maps = np.bitwise_or.reduceat(bits, starts[:-1]) if len(elements) else np.empty(0, dtype=np.uint64)
    return Sketch(stable_hashes(folded_texts, 0), maps, np.diff(starts).astype(np.int32))


def shingles(folded_texts: pa.Array) -> tuple[Hashes, Indices]:
    """(hashes of all word triples, where each text's begin and the last's end); a shorter text is one element as a whole."""
    offsets, data = _buffers(folded_texts)
    solid = data != _SPACE
    begins = offsets[:-1][offsets[:-1] < offsets[1:]]
    first = np.sort(np.concatenate([begins, np.flatnonzero(~solid) + 1]))
    counts = np.diff(np.searchsorted(first, offsets))
    some = counts > 0
    # Without its spaces, of which a text has one fewer than words, each word ends where the next begins.
    spaces = np.arange(len(first)) - np.repeat(np.arange(len(begins)), counts[some])
    words = _strings(np.append(first - spaces, np.count_nonzero(solid)), data[solid])
    hashes = np.concatenate([stable_hashes(words, 0), np.zeros(SHINGLE_WORDS, dtype=np.uint64)])
    # How many words of its text follow a word: an element begins where two do, and with a short text.
    left = np.repeat(np.cumsum(counts), counts) - np.arange(len(first)) - 1
    mixed = np.zeros(len(first), dtype=np.uint64)
    for place, multiplier in enumerate(_ODD):
        mixed += np.where(left >= place, hashes[place : place + len(first)], np.uint64(0)) * multiplier
    begin = left >= SHINGLE_WORDS - 1
    begin[(np.cumsum(counts) - counts)[some & (counts < SHINGLE_WORDS)]] = True
    elements = np.maximum(counts - SHINGLE_WORDS + 1, 1)
    starts = np.concatenate([[0], np.cumsum(elements)])
    values = np.zeros(int(starts[-1]), dtype=np.uint64)
    values[np.repeat(some, elements)] = mixed[begin]
    return values, starts


def _buffers(texts: pa.Array) -> tuple[Indices, npt.NDArray[np.uint8]]:
    """(where each text begins and the last ends, bytes) of a column of large strings without nulls."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    if not len(texts):
        return np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.uint8)
    data = texts.buffers()[2]
    whole = np.frombuffer(data, dtype=np.uint8) if data else np.empty(0, dtype=np.uint8)
    return offsets - offsets[0], whole[offsets[0] : offsets[-1]]


def _strings(offsets: Indices, data: npt.NDArray[np.uint8]) -> pa.Array:
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(data))


@dataclass(frozen=True, slots=True)
class ShingleSets:
    """The different elements of texts: `values` of text k end at `ends[k]` and are `sizes[k]`; `held`: see `_of_text`."""

    values: Hashes
    sizes: Indices
    ends: Indices
    held: Hashes

    def jaccard(self, pairs: Indices) -> npt.NDArray[np.float64]:
        """How alike the two texts of each pair (n, 2) are, 0 to 1."""
        a, b = pairs.T
        both = np.zeros(len(pairs))
        for pair, at in expand_ranges(np.arange(len(pairs)), (self.ends - self.sizes)[a], self.ends[a]):
            keys = _salt_by_text(self.values[at], b[pair])
            near = np.minimum(np.searchsorted(self.held, keys), len(self.held) - 1)
            both += np.bincount(pair[self.held[near] == keys], minlength=len(pairs))
        shares: npt.NDArray[np.float64] = both / (self.sizes[a] + self.sizes[b] - both)
        return shares


def build_shingle_sets(elements: Hashes, starts: Indices) -> ShingleSets:
    """The sets of what `shingles` gives."""
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    unique_keys, first = np.unique(_salt_by_text(elements, rows), return_index=True)
    first = np.sort(first)
    sizes = np.bincount(rows[first], minlength=len(starts) - 1)
    return ShingleSets(elements[first], sizes, np.cumsum(sizes), unique_keys)


def similar_pairs_in_groups(groups: Indices, sketches: Sketch, least: float, read_texts: ReadTexts) -> Indices:
    """Pairs (n, 2) of rows of one group whose texts are alike by at least `least`: enough that their components are right.

    `read_texts` gives the folded texts of rows, which are asked for in ascending order, many at a time.
    """
    order = np.lexsort((sketches.text_hash, groups)).astype(np.int64)
    group, text_hash = groups[order], sketches.text_hash[order]
    first = np.concatenate([[True], (np.diff(group) != 0) | (text_hash[1:] != text_hash[:-1])])[: len(order)]
    heads = np.flatnonzero(first)
    equal = np.stack([order[heads[np.cumsum(first) - 1]], order], axis=1)[~first]
    if least >= 1.0:
        return np.asarray(equal)
    rows, ends = order[heads], np.searchsorted(group[heads], group[heads], side="right")
    starts = np.searchsorted(group[heads], group[heads], side="left")
    many = ends - starts > LARGE_GROUP
    batches = _group_batches(rows[many], starts[many])
    waiting = [
        np.empty((0, 2), dtype=np.int64),
        *(_large_group_pairs(*batch, sketches, least, read_texts) for batch in batches),
    ]
    for one, other in expand_ranges(np.flatnonzero(~many), np.flatnonzero(~many) + 1, ends[~many]):
        pairs = np.sort(np.stack([rows[one], rows[other]], axis=1), axis=1)
        waiting.append(pairs[may_be_similar(sketches, pairs, least)])
    pairs = np.concatenate(waiting)
    pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
    blocks = [pairs[start : start + _PAIRS] for start in range(0, len(pairs), _PAIRS)]
    return np.concatenate([equal, *(_verify(block, least, read_texts) for block in blocks)])


def _group_batches(rows: Indices, groups: Indices) -> Iterator[tuple[Indices, Indices]]:
    """(rows ascending, the group of each): whole groups (adjacent), together about `_PAIRS` rows at a time."""
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    batch = (first // _PAIRS)[np.searchsorted(first, np.arange(len(rows)), side="right") - 1]
    for number in np.unique(batch).tolist():
        some = np.flatnonzero(batch == number)
        some = some[np.argsort(rows[some])]
        yield rows[some], groups[some]


def _large_group_pairs(rows: Indices, groups: Indices, sketches: Sketch, least: float, read_texts: ReadTexts) -> Indices:
    """The same pairs of groups of many texts, without comparing all: only those that share one of their rarest elements.

    Two sets that are alike by `least` share an element among the first |A| - ceil(least |A|) + 1 of each in any common order;
    rare elements first leave the fewest pairs (Chaudhuri, Ganti, Kaushik, https://doi.org/10.1109/ICDE.2006.9).
    """
    some = sketches.elements[rows] > 0
    rows, groups = rows[some], groups[some]
    sets = build_shingle_sets(*shingles(read_texts(rows)))
    owner = np.repeat(np.arange(len(rows)), sets.sizes)
    own = sets.values + groups[owner].astype(np.uint64) * _ODD[1]  # an element is rare or common in its group
    _, element, counts = np.unique(own, return_inverse=True, return_counts=True)
    element = element.reshape(-1)
    order = np.lexsort((element, counts[element], owner))
    place = np.arange(len(order)) - np.repeat(sets.ends - sets.sizes, sets.sizes)
    lengths = sets.sizes - np.ceil(least * sets.sizes - 1e-9).astype(np.int64) + 1
    prefix = order[place < lengths[owner]]
    prefix = prefix[np.lexsort((owner[prefix], element[prefix]))]
    ends = np.searchsorted(element[prefix], element[prefix], side="right")
    found = [np.empty((0, 2), dtype=np.int64)]
    for one, other in expand_ranges(owner[prefix], np.arange(1, len(prefix) + 1), ends):
        pairs = rows[np.stack([one, owner[prefix[other]]], axis=1)]
        found.append(np.unique(pairs[may_be_similar(sketches, pairs, least)], axis=0))
    return np.unique(np.concatenate(found), axis=0)


def may_be_similar(sketches: Sketch, pairs: Indices, least: float) -> Flags:
    """False where the sketches show that texts are not alike: too many elements are in one only."""
    a, b = pairs.T
    ones, others = sketches.elements[a], sketches.elements[b]
    # |A| + |B| - 2 |A and B|, where |A and B| >= least |A or B|. Counts of repeated elements only make it larger.
    apart = (ones + others) * ((1 - least) / (1 + least)) + 1e-9
    flags: Flags = (np.bitwise_count(sketches.bits[a] ^ sketches.bits[b]) <= apart) & (ones > 0) & (others > 0)
    return flags


def _verify(pairs: Indices, least: float, read_texts: ReadTexts) -> Indices:
    rows, places = np.unique(pairs, return_inverse=True)
    alike: Indices = pairs[build_shingle_sets(*shingles(read_texts(rows))).jaccard(places.reshape(-1, 2)) >= least]
    return alike


def _salt_by_text(elements: Hashes, rows: Indices) -> Hashes:
    """An element of a text as one number, so that one sorted list answers what any text holds."""
    return elements + rows.astype(np.uint64) * _ODD[0]
