"""No two pictures of two splits that could be confirmed stay: beside all pairs, in crowds of any size, at a bounded cost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from rsflow.config.select_settings import Select
from rsflow.curation.connected_components import Indices
from rsflow.curation.duplicates import cross_split as across
from rsflow.curation.duplicates.cross_split import confirmed_cross_pairs, weaker_split_duplicates
from rsflow.curation.duplicates.deduplicate import is_same_picture
from rsflow.curation.duplicates.pairs.candidates import CROWD_SIZE, Confirm, Flags, Pictures
from rsflow.curation.duplicates.pictures.image_signature import (
    Picture,
    faint_signature,
    orientation_signatures,
    signature,
    thumbnail,
)
from rsflow.curation.duplicates.pictures.orientations import ORIENTATIONS, apply_orientation
from rsflow.curation.instruction_columns import build_id_index, encode_instructions
from rsflow.curation.select_samples import SelectionResult, select_samples
from rsflow.curation.splits.assign_splits import SPLIT_ALIKE
from rsflow.curation.splits.leakage import find_near_duplicate_leaks
from tests.curation.test_choose import TILES, tables, tile

BITS = 6
VIEWED = TILES.append(pa.field("signatures", pa.list_(pa.int64())))


def world(count: int, seed: int) -> tuple[Pictures, npt.NDArray[np.int64]]:
    """Pictures with few bits set or a few bits from each other, a third on ground of their own; and a shade for each."""
    random = np.random.default_rng(seed)
    base = np.array([0, 0, 0b1111, random.integers(2**63), random.integers(2**63)], dtype=np.uint64)
    flips = [sum(1 << int(bit) for bit in random.choice(64, int(n), replace=False)) for n in random.integers(0, 4, count)]
    boxes = np.full((count, 4), np.nan)
    boxes[: count // 3] = np.arange(count // 3)[:, None] + np.array([0.0, 0.0, 0.5, 0.5])
    shuffled = random.permutation(count)
    return Pictures(base[random.integers(0, 5, count)] ^ np.array(flips, np.uint64), boxes[shuffled]), random.integers(
        0, 99, count
    )


def of_shades(shade: npt.NDArray[np.int64], asked: list[int]) -> Confirm:
    """What is next to each other is alike, what is next but one is not: a leader answers for nobody else."""

    def confirm(pairs: Indices) -> Flags:
        assert len(pairs) <= 8192
        asked.append(len(pairs))
        answers: Flags = (np.abs(shade[pairs[:, 0]] - shade[pairs[:, 1]]) <= 1) & (pairs[:, 2] == 0)
        return answers

    return confirm


def all_pairs(pictures: Pictures, shade: npt.NDArray[np.int64], ranks: Indices) -> Indices:
    """(stronger row, weaker row) that are alike."""
    i, j = np.nonzero(ranks[:, None] > ranks[None, :])
    near = np.bitwise_count(pictures.signatures[i] ^ pictures.signatures[j]) <= BITS
    near &= (np.abs(shade[i] - shade[j]) <= 1) & ~(pictures.grounded[i] & pictures.grounded[j])
    pairs: Indices = np.stack([i, j], axis=1)[near]
    return pairs


@pytest.mark.parametrize("seed", range(4))
def test_what_leaves_is_what_all_pairs_say(seed: int) -> None:
    pictures, shade = world(400, seed)
    ranks = np.random.default_rng(seed + 9).choice([0, 0, 0, 1, 2], 400)
    gone, crowded = weaker_split_duplicates(pictures, ranks, np.arange(400, dtype=np.uint64), BITS, of_shades(shade, []))
    assert not crowded.any()
    pairs = all_pairs(pictures, shade, ranks)
    stays = ~gone
    expected = np.zeros(400, dtype=np.bool_)
    for rank in (1, 0):
        some = pairs[(ranks[pairs[:, 1]] == rank) & ~expected[pairs[:, 0]]]
        expected[some[:, 1]] = True
    np.testing.assert_array_equal(gone, expected)
    assert gone.any()
    assert not (stays[pairs[:, 0]] & stays[pairs[:, 1]]).any()


def test_a_crowd_that_is_too_many_to_ask_about_is_thinned_and_the_rest_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(across, "MIN_COMPARISONS", 0)
    pictures, shade = world(3000, 5)
    ranks = (np.arange(3000) % 2).astype(np.int64)
    asked: list[int] = []
    gone, crowded = weaker_split_duplicates(
        pictures, ranks, np.arange(3000, dtype=np.uint64), BITS, of_shades(3 * shade, asked)
    )
    assert sum(asked) <= across.COMPARISONS_PER_PICTURE * 3000
    assert 0 < crowded.sum() < 1400
    assert not ranks[gone].any()
    assert ranks[crowded].all()
    stays = ~(gone | crowded)
    pairs = all_pairs(pictures, 3 * shade, ranks)
    assert len(pairs)
    assert not (stays[pairs[:, 0]] & stays[pairs[:, 1]]).any()
    # Those stay that resemble few: a stranger never has to leave for a crowd.
    few = np.flatnonzero(np.bitwise_count(pictures.signatures) > 20)
    assert crowded[few].mean() < crowded.mean()


def test_an_archive_with_ground_everywhere_is_asked_nothing() -> None:
    boxes = np.tile(np.arange(200.0)[:, None], (1, 4)) + np.array([0, 0, 0.5, 0.5])
    asked: list[int] = []
    ranks = np.arange(200) % 2
    gone, _ = weaker_split_duplicates(
        Pictures(np.zeros(200, np.uint64), boxes), ranks, np.zeros(200, np.uint64), BITS, of_shades(ranks * 0, asked)
    )
    assert not gone.any()
    assert not asked


def test_turned_pictures_meet_in_the_orientation_that_they_are_asked_about() -> None:
    random = np.random.default_rng(2)
    shown = [random.integers(0, 255, (72, 72, 3), dtype=np.uint8) for _ in range(ORIENTATIONS)]
    every = [*shown, *(apply_orientation(picture, k) for k, picture in enumerate(shown))]
    views = np.array([orientation_signatures(picture) for picture in every], dtype=np.uint64)
    pictures = Pictures(views[:, 0].copy(), np.full((16, 4), np.nan), views)
    thumbnails = np.stack([thumbnail(picture) for picture in every])

    def confirm(pairs: Indices) -> Flags:
        return is_same_picture(thumbnails, pairs, 3.0)

    for strong, weak in ((np.arange(8), np.arange(8, 16)), (np.arange(8, 16), np.arange(8))):
        found = confirmed_cross_pairs(pictures, strong, weak, 2, confirm)
        assert {(a, b) for a, b, _ in found.tolist()} == set(zip(strong.tolist(), weak.tolist(), strict=True))


def seas(count: int, seed: int) -> tuple[list[Picture], pa.Table, pa.Table]:
    """Pictures of almost nothing: one grey each, in any shade, with the same faint noise; the ground of some is known."""
    random = np.random.default_rng(seed)
    levels, noise = random.integers(0, 250, count), random.integers(0, 3, (64, 64, 3))
    pictures = [(level + noise).astype(np.uint8) for level in levels]
    rows = []
    for k, picture in enumerate(pictures):
        signed = np.array(orientation_signatures(picture), dtype=np.uint64).view(np.int64).tolist()
        at = 7 * k if random.random() < 0.2 else None
        rows.append(tile(k, at=at, signature=signed[0], height_px=64, width_px=64) | {"signatures": signed})
    _, instructions = tables(rows, [(k, "vqa", "u") for k in range(count)])
    return pictures, pa.Table.from_pylist(rows, schema=VIEWED), instructions


def chosen(tiles: pa.Table, instructions: pa.Table, confirm: Confirm, settings: Select) -> SelectionResult:
    return select_samples(tiles, encode_instructions(instructions, build_id_index(tiles["tile_id"]), 0), settings, 0, confirm)


@pytest.mark.parametrize(("seed", "flips"), [(0, False), (1, True)])
def test_crowds_of_empty_pictures_never_leak_and_a_planted_one_does(seed: int, flips: bool) -> None:
    pictures, tiles, instructions = seas(3 * CROWD_SIZE, seed)
    tiles = tiles if flips else tiles.drop_columns("signatures")
    thumbnails = np.stack([thumbnail(picture) for picture in pictures])
    settings = Select(splits={"train": 0.5, "val": 0.3, "test": 0.2}, flips=flips)

    def confirm(pairs: Indices) -> Flags:
        return is_same_picture(thumbnails, pairs, settings.confirm_mae)

    choice = chosen(tiles, instructions, confirm, settings)
    counts = choice.tiles.counts()
    assert counts[SPLIT_ALIKE] > 0  # what leaders alone would have let through
    kept = np.flatnonzero(choice.tiles.kept)
    dealt = tiles.append_column("split", choice.split)

    def leaking(rows: Indices) -> list[str]:
        own = thumbnails[rows]
        found = find_near_duplicate_leaks(
            dealt.take(pa.array(rows)), BITS, lambda pairs: is_same_picture(own, pairs, settings.confirm_mae)
        )
        return [name for leak in found for name in (leak.what, leak.one, leak.other)]

    assert len(np.unique(choice.split.take(pa.array(kept)))) == 3
    assert leaking(kept) == []
    order = np.random.default_rng(seed).permutation(len(pictures))
    shuffled = chosen(tiles.take(pa.array(order)), instructions, lambda p: confirm(np.c_[order[p[:, :2]], p[:, 2:]]), settings)
    assert shuffled.tiles.texts().to_pylist() == choice.tiles.texts().take(pa.array(order)).to_pylist()
    (out, *_) = np.flatnonzero(np.asarray(choice.tiles.texts().cast(pa.string())) == SPLIT_ALIKE)
    dealt = dealt.set_column(dealt.num_columns - 1, "split", choice.split.fill_null("train"))
    what, *names = leaking(np.append(kept, out))
    assert what == "near duplicate"
    assert tiles["tile_id"][int(out)].as_py() in names


def calm(count: int, seed: int) -> list[Picture]:
    """Pictures without content: one shade and a little noise, and some of exactly one shade."""
    random = np.random.default_rng(seed)
    noise = 90 + random.normal(0, 1.0, (count, 64, 64)) + random.integers(-20, 20, count)[:, None, None]
    pictures = np.where((np.arange(count) % 5 == 0)[:, None, None], np.arange(count)[:, None, None] % 256, noise)
    return [*np.clip(pictures, 0, 255).astype(np.uint8)]


def faint_pictures(pictures: list[Picture]) -> Pictures:
    upright = np.array([signature(picture) for picture in pictures], dtype=np.uint64)
    faint = np.array([faint_signature(picture) for picture in pictures], dtype=np.uint64)
    return Pictures(upright, np.full((len(pictures), 4), np.nan), faint=faint)


def asked_of_calm(count: int) -> int:
    asked: list[int] = []

    def confirm(pairs: Indices) -> Flags:
        asked.append(len(pairs))
        return np.zeros(len(pairs), dtype=np.bool_)

    ranks = (np.arange(count) % 10 == 0).astype(np.int64)
    gone, crowded = weaker_split_duplicates(
        faint_pictures(calm(count, 1)), ranks, np.arange(count, dtype=np.uint64), BITS, confirm
    )
    assert not crowded.any()
    assert not gone.any()
    return sum(asked)


def test_questions_about_empty_pictures_do_not_grow_with_their_square() -> None:
    assert asked_of_calm(400) <= 400  # of 14,400 pairs
    assert asked_of_calm(4000) <= 4000  # of 1,440,000


def test_copies_of_empty_pictures_are_found_by_their_noise() -> None:
    pictures = calm(60, 2)
    shown = [picture for picture in pictures if picture.std() > 0]
    brighter = [(picture + 2).astype(np.uint8) for picture in shown]
    both = [*shown, *brighter]
    thumbs = np.stack([thumbnail(picture) for picture in both])
    ranks = np.repeat([0, 1], len(shown))
    gone, _ = weaker_split_duplicates(
        faint_pictures(both),
        ranks,
        np.arange(len(both), dtype=np.uint64),
        BITS,
        lambda pairs: is_same_picture(thumbs, pairs, 3.0),
    )
    assert gone.tolist() == [True] * len(shown) + [False] * len(shown)
