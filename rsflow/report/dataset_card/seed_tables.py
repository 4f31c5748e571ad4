"""A built dataset beside the seeds' own tables, task by task and source by source.

One idea: a row per line of the published table, so that every figure of it stands beside ours; what we made of the same sources
beyond the table is given in one line, and a dataset that has none of a seed's sources gets no table of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rsflow.report.dataset_card.seed_mixes import SEEDS, PublishedCounts, SeedMix

# (split, task, source) -> (pictures, instructions)
Built = Mapping[tuple[str, str, str], tuple[int, int]]

HEAD = [
    "task",
    "source",
    "train pictures",
    "published",
    "train pairs",
    "published",
    "test pictures",
    "published",
    "test pairs",
    "published",
]


def seed_tables(built: Built) -> Iterable[tuple[SeedMix, list[list[str]], str]]:
    """Of every seed that shares a source with the dataset: the seed, rows under HEAD, and what stands beyond the table."""
    sources = {source for _, _, source in built}
    for seed in SEEDS:
        listed = {source for _, source in seed.sources}
        if sources & listed:
            # A line without a figure on either side says nothing.
            lines = {key: figures for key, figures in seed.sources.items() if figures != PublishedCounts() or key[1] in sources}
            yield (
                seed,
                [_row(task, source, built, figures) for (task, source), figures in lines.items()],
                _unlisted_text(seed, built, listed),
            )


def _row(task: str, source: str, built: Built, seed_counts: PublishedCounts) -> list[str]:
    train, test = (built.get((split, task, source), (0, 0)) for split in ("train", "test"))
    pairs = (
        (train[0], seed_counts.train_pictures),
        (train[1], seed_counts.train_pairs),
        (test[0], seed_counts.test_pictures),
        (test[1], seed_counts.test_pairs),
    )
    return [task, source, *(text for own, published in pairs for text in (f"{own:,}", _number(published)))]


def _unlisted_text(seed: SeedMix, built: Built, listed: set[str]) -> str:
    more = sum(
        count for (_, task, source), (_, count) in built.items() if source in listed and (task, source) not in seed.sources
    )
    other = sorted({source for _, _, source in built} - listed)
    parts = [f"{more:,} instructions of these sources are of tasks that the table has not for them"] if more else []
    parts += [f"sources of this dataset that {seed.name} has not: {', '.join(other)}"] if other else []
    return "; ".join(parts)


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
