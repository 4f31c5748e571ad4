"""Laws of the order: a permutation of all samples, bounded by its windows, dealt without loss to any number of consumers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rsflow.loading.sampling.epoch_order import (
    UNEVEN,
    Consumer,
    EpochOrder,
    ShuffleWindow,
    Uneven,
    consumer_positions,
    epoch_seed,
    permutation,
    samples_per_rank,
)

LAW = settings(deadline=None)
SIZES = st.lists(st.integers(0, 30), max_size=12)
SEED = st.integers(0, 2**64 - 1)
SMALL = st.integers(1, 5)
MODES = st.sampled_from(UNEVEN)


def windows(sizes: list[int], seed: int | None, width: int) -> list[ShuffleWindow]:
    """All windows of an epoch, by asking for the one after the last."""
    order, found = EpochOrder(sizes, seed, width), list[ShuffleWindow]()
    while (stop := found[-1].stop if found else 0) < sum(sizes):
        found.append(order.window(stop))
    return found


def positions(total: int, consumer: Consumer, block: int, uneven: Uneven, start: int = 0) -> list[int]:
    return [i for part in consumer_positions(total, consumer, block, uneven, start) for i in part]


def flat(parts: list[ShuffleWindow]) -> list[tuple[int, int]]:
    return [(int(s), int(i)) for part in parts for s, i in zip(part.shard, part.sample, strict=True)]


@LAW
@given(SIZES, SEED, SMALL)
def test_every_sample_has_exactly_one_position(sizes: list[int], seed: int, width: int) -> None:
    every = [(shard, i) for shard, size in enumerate(sizes) for i in range(size)]
    assert sorted(flat(windows(sizes, seed, width))) == every
    assert flat(windows(sizes, None, width)) == every


@LAW
@given(SIZES, SEED, SMALL)
def test_windows_follow_each_other_and_are_bounded(sizes: list[int], seed: int, width: int) -> None:
    parts = windows(sizes, seed, width)
    assert [part.start for part in parts] == [0, *(part.stop for part in parts)][:-1] if parts else not sum(sizes)
    assert all(len(set(part.shard.tolist())) <= width for part in parts)
    assert all(part.stop - part.start == len(part.shard) == len(part.sample) for part in parts)


@LAW
@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), SEED, SMALL, st.data())
def test_any_window_is_told_without_those_before(sizes: list[int], seed: int, width: int, data: st.DataObject) -> None:
    if sum(sizes):
        position = data.draw(st.integers(0, sum(sizes) - 1))
        alone = EpochOrder(sizes, seed, width).window(position)
        (same,) = [part for part in windows(sizes, seed, width) if part.start <= position < part.stop]
        assert flat([alone]) == flat([same])


@LAW
@given(st.integers(0, 300), SMALL, SMALL, st.integers(1, 9), MODES, st.integers(0, 310))
def test_counts_are_equal_and_each_position_is_dealt_once(
    total: int, world: int, workers: int, block: int, uneven: Uneven, start: int
) -> None:
    consumers = [Consumer(rank, world, worker, workers) for rank in range(world) for worker in range(workers)]
    hands = {consumer: positions(total, consumer, block, uneven, start) for consumer in consumers}
    dealt_out = sorted(i for one in hands.values() for i in one)
    assert all(one == sorted(one) for one in hands.values())
    by_rank = [sum(len(hands[c]) for c in consumers if c.rank == rank) for rank in range(world)]
    assert by_rank == [samples_per_rank(total, Consumer(rank, world), block, uneven, start) for rank in range(world)]
    assert max(by_rank) - min(by_rank) <= (uneven == "keep")
    # Without gaps from the start: exactly to the end, or by less than a sample per rank short of or beyond it.
    assert dealt_out == list(range(start, start + len(dealt_out)))
    short = max(0, total - start) - len(dealt_out)
    low, high = {"keep": (0, 0), "drop": (0, world - 1), "pad": (1 - world, 0)}[uneven]
    assert low <= short <= high


@LAW
@given(st.integers(0, 300), SMALL, SMALL, st.integers(1, 9), MODES)
def test_a_ranks_batches_do_not_depend_on_its_workers(total: int, world: int, workers: int, block: int, mode: Uneven) -> None:
    for rank in range(world):
        alone = [part for part in consumer_positions(total, Consumer(rank, world), block, mode) if part]
        hands = [
            [part for part in consumer_positions(total, Consumer(rank, world, w, workers), block, mode) if part]
            for w in range(workers)
        ]
        in_turn = [hands[i % workers][i // workers] for i in range(len(alone))]
        assert in_turn == alone


@LAW
@given(st.integers(1, 300), SMALL, SMALL, SMALL, st.integers(1, 9), st.integers(1, 9), st.data())
def test_other_ranks_go_on_where_all_were_after_a_round(
    total: int, world: int, then: int, finally_: int, block: int, other: int, data: st.DataObject
) -> None:
    """Ranks change twice, and the batch size too: read round by round, it is one list without gap or repetition."""
    read: list[int] = []
    for ranks, size in ((world, block), (then, other), (finally_, block)):
        hands = [list(consumer_positions(total, Consumer(rank, ranks), size, "keep", len(read))) for rank in range(ranks)]
        whole = (total - len(read)) // (ranks * size)
        rounds = len(hands[0]) if ranks is finally_ and size is block else data.draw(st.integers(0, whole))
        read += [i for k in range(rounds) for one in hands for i in one[k]]
    read += [
        i
        for one in (consumer_positions(total, Consumer(rank, 2), 3, "keep", len(read)) for rank in range(2))
        for part in one
        for i in part
    ]
    assert sorted(read) == list(range(total))


@LAW
@given(st.integers(0, 500), SEED)
def test_shuffled_is_a_permutation(n: int, seed: int) -> None:
    assert sorted(permutation(n, seed).tolist()) == list(range(n))


def test_shuffles_are_fair() -> None:
    """Over many seeds every value stands about equally often in every place: chi-square far within its 64 cells."""
    counts = np.zeros((8, 8))
    for epoch in range(4000):
        counts[np.arange(8), permutation(8, epoch_seed("digest/train", 0, epoch))] += 1
    assert ((counts - 500) ** 2 / 500).sum() < 100  # 49 degrees of freedom: exceeded once in 25,000


def test_the_order_is_pinned() -> None:
    """The order of version 1: a run resumed with a later version must find the same."""
    seed = epoch_seed("digest/train", 1, 2)
    assert seed == 7466196176983438470
    assert permutation(8, seed).tolist() == [1, 7, 6, 4, 3, 2, 0, 5]


def test_seed_and_epoch_and_content_change_the_order() -> None:
    seeds = {epoch_seed(content, seed, epoch) for content in ("a/train", "a/val") for seed in (0, 1) for epoch in (0, 1)}
    assert len({tuple(permutation(50, seed)) for seed in seeds}) == 8
