"""The dataset card: what a snapshot holds, where it comes from, how good its labels are known to be, how to load it.

One idea: a pure function of plain numbers. The card counts nothing itself beyond sums of what it is given, so it is as true as
its facts, and two cards of the same facts are the same text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rsflow.report.dataset_card.model_sentences import imported_sentences, model_sentences
from rsflow.report.dataset_card.seed_mixes import GENERATED, MMRS_1M, RS_GPT4V
from rsflow.report.dataset_card.seed_tables import HEAD, Built, seed_tables
from rsflow.report.dataset_card.split_table import Strata, split_error, split_rows
from rsflow.report.text.counts_table import Tally, by_count, by_task, format_bytes, sum_tallies, tally_table, tasks_of
from rsflow.report.text.review_text import review_lines
from rsflow.review.summary import ReviewSummary


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A source and what of it is in the snapshot (`samples`) and in the lake (`scenes` accepted, `tiles` kept)."""

    name: str
    sensor: str
    licence: str
    scenes: int
    tiles: int
    samples: int


@dataclass(frozen=True, slots=True)
class QualityFacts:
    """How right a labeller's boxes were at IoU 0.3 where they were measured; `measured_on` says on which data."""

    labeller: str
    sensor: str
    measured_on: str
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 where both are."""
        return 2 * self.precision * self.recall / (self.precision + self.recall) if self.precision + self.recall else 0.0


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """Which snapshot this is and what made it. `manifest` is its path relative to the root."""

    root: str
    manifest: str
    digest: str
    config_fingerprint: str
    seed: int
    shards: int
    bytes: int


@dataclass(frozen=True, slots=True)
class CardFacts:
    """Everything on a card.

    `samples`: by split. `instructions`: by split, then (task, sensor). `rejects`: scenes, tiles and annotations that left in
    the label phase, by reason. `dropped`: tiles and instructions that the selection left out, by reason, duplicates among them.
    `by_source`: pictures and instructions by (split, task, published set). `strata`: samples by (sensor, category) and split, a
    sample with several categories under each, and under the category "" once. `origins`: labels by ("annotation", "") and
    ("labeller", its name), without measured facts.
    """

    name: str
    snapshot: SnapshotFacts
    sources: tuple[SourceFacts, ...]
    samples: Mapping[str, int]
    instructions: Mapping[str, Tally]
    rejects: Mapping[str, int]
    dropped: Mapping[str, int]
    quality: tuple[QualityFacts, ...] = ()
    by_source: Built = field(default_factory=dict)
    made: Mapping[str, int] = field(default_factory=dict)  # instructions by task, before anything was selected
    wanted: Mapping[str, float] = field(default_factory=dict)  # the shares that the splits should have
    strata: Strata = field(default_factory=dict)
    origins: Mapping[tuple[str, str], int] = field(default_factory=dict)
    imported: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by source: see imported_sentences
    sentences: Mapping[str, float] = field(default_factory=dict)  # of models, by how they were compared: see model_sentences
    reviewed: ReviewSummary | None = None  # what people found; None where nobody decided on anything


def dataset_card(facts: CardFacts) -> str:
    """The card as Markdown."""
    sections = [
        [f"# {facts.name}", _introduction(facts)],
        ["## What is in it", _counts(facts)],
        ["## Instructions by task and sensor", *_instructions(facts)],
        *([["## What each split got", *_split_rows(facts.wanted, facts.strata)]] if facts.strata else []),
        ["## Sources", _sources(facts.sources)],
        ["## What was left out", *_list_dropped(facts)],
        ["## How right the machine's labels are", *_quality(facts.quality, facts.origins)],
        *([["## What people found in it", *review_lines(facts.reviewed)]] if facts.reviewed else []),
        ["## The mix beside its models", *_mix(facts)],
        ["## How to load it", *_loading(facts.snapshot)],
        ["## How it was made", _how_made(facts.snapshot)],
    ]
    return "\n\n".join("\n\n".join(parts) for parts in sections) + "\n"


def _introduction(facts: CardFacts) -> str:
    sensors = _listed(sorted({source.sensor for source in facts.sources}))
    licences = _listed(sorted({source.licence for source in facts.sources}))
    return (
        f"Remote-sensing pictures with instructions and answers, for training vision-language models. "
        f"Sensors: {sensors}. Licences of the sources: {licences}; every sample names its own."
    )


def _counts(facts: CardFacts) -> str:
    rows = [
        ["scenes", f"{sum(source.scenes for source in facts.sources):,}"],
        ["tiles kept", f"{sum(source.tiles for source in facts.sources):,}"],
        ["samples (tiles with their chosen instructions)", f"{sum(facts.samples.values()):,}"],
        ["instructions", f"{sum(sum_tallies(facts.instructions.values()).values()):,}"],
        ["shards", f"{facts.snapshot.shards:,} ({format_bytes(facts.snapshot.bytes)})"],
    ]
    return _table(["", "count"], rows)


def _instructions(facts: CardFacts) -> Iterable[str]:
    yield _tally_table(sum_tallies(facts.instructions.values()))
    for split in facts.samples:
        tally = facts.instructions.get(split, {})
        yield f"### Split `{split}`: {facts.samples[split]:,} samples, {sum(tally.values()):,} instructions"
        if tally:
            yield _tally_table(tally)
    yield from imported_sentences(facts.imported)
    yield from model_sentences(facts.sentences)


def _split_rows(requested: Mapping[str, float], strata: Strata) -> Iterable[str]:
    head, rows = split_rows(requested, strata)
    yield (
        "The share of each split in the samples of a sensor and of its categories. What shows one place or one picture is "
        "never parted, and tiles between two splits are left out, so shares are met as nearly as that allows: "
        f"{split_error(requested, strata):.1%} of the samples are where the wanted shares would not have them."
    )
    yield _table(head, rows, text_columns=2)
    if len(rows) <= len(strata):
        yield f"{len(strata) + 1 - len(rows):,} rarer categories are not listed."


def _sources(sources: tuple[SourceFacts, ...]) -> str:
    rows = [[s.name, s.sensor, s.licence, f"{s.scenes:,}", f"{s.tiles:,}", f"{s.samples:,}"] for s in sources]
    return _table(["source", "sensor", "licence", "scenes", "tiles", "samples"], rows, text_columns=3)


def _list_dropped(facts: CardFacts) -> Iterable[str]:
    for title, counts in (
        ("Rejected while labelling (scenes, tiles and annotations)", facts.rejects),
        ("Dropped while selecting (tiles and instructions)", facts.dropped),
    ):
        if counts:
            rows = [[reason.replace("_", " "), f"{count:,}"] for reason, count in by_count(counts)]
            yield f"{title}: {sum(counts.values()):,}."
            yield _table(["reason", "count"], rows)
        else:
            yield f"{title}: none."
    yield from _held_out(facts.dropped)


def _held_out(dropped: Mapping[str, int]) -> Iterable[str]:
    """Tiles by benchmark and by the test that recognised them, from reasons such as "held_out:ucm:near"."""
    matches = {tuple(reason.split(":")[1:]): count for reason, count in dropped.items() if reason.startswith("held_out:")}
    rows = [[found[0], found[1], f"{count:,}"] for found, count in sorted(matches.items()) if len(found) == 2]
    if rows:
        yield "Of these, tiles that show what is held out for benchmarks; `cluster` are duplicates of such tiles."
        yield _table(["benchmark", "recognised by", "tiles"], rows, text_columns=2)


def _quality(quality: tuple[QualityFacts, ...], origins: Mapping[tuple[str, str], int]) -> Iterable[str]:
    machine = {name: count for (origin, name), count in origins.items() if origin == "labeller"}
    annotated = sum(origins.values()) - sum(machine.values())
    named = _listed([f"{count:,} by `{name}`" for name, count in by_count(machine)])
    yield f"Labels that are annotations of the sources: {annotated:,}. Labels that a labeller made: {named}."
    unmeasured = [f"`{name}`" for name in sorted(machine.keys() - {one.labeller for one in quality})]
    if unmeasured:
        yield f"How right those of {_listed(unmeasured)} are was not measured here: `quality` of each label states it."
    if not quality:
        return
    yield (
        "Labels that a labeller made, not a person, were measured against annotated data. A box counts as right where it meets "
        "an annotated one with an intersection over union of at least 0.3. On other scenes they may be better or worse."
    )
    rows = [[q.labeller, q.sensor, q.measured_on, f"{q.precision:.2f}", f"{q.recall:.2f}", f"{q.f1:.2f}"] for q in quality]
    yield _table(["labeller", "sensor", "measured on", "precision", "recall", "F1"], rows, text_columns=3)


def _mix(facts: CardFacts) -> Iterable[str]:
    counts = by_task(sum_tallies(facts.instructions.values()))
    total = sum(counts.values())
    listed = [
        *MMRS_1M.counts,
        *(task for task in tasks_of(sum_tallies(facts.instructions.values())) if task not in MMRS_1M.counts),
    ]
    rows = []
    for task in listed:
        own = counts[task] / total if total else 0.0
        before = [f"{facts.made.get(task, 0) / sum(facts.made.values()):.1%}"] if facts.made else []
        rows.append([task, *before, f"{own:.1%}", _share(MMRS_1M.share(task)), _share(RS_GPT4V.share(task))])
    yield (
        f"Shares of all instructions, beside those published for [{MMRS_1M.name}]({MMRS_1M.link}) (image-text pairs) and "
        f"[{RS_GPT4V.name}]({RS_GPT4V.link}) (training question-answer pairs)."
    )
    yield _table(["task", *(["before selection"] if facts.made else []), "this dataset", MMRS_1M.name, RS_GPT4V.name], rows)
    rest = RS_GPT4V.unlisted
    yield (
        f"–: not listed. {rest:,} of {RS_GPT4V.name}'s {RS_GPT4V.total:,} pairs ({rest / RS_GPT4V.total:.1%}) are not broken "
        f"down by source in its table; they are probably its generated ones ({', '.join(GENERATED)})."
    )
    for seed, rows, beyond in seed_tables(facts.by_source):
        yield f"### Source by source, beside [{seed.name}]({seed.link})"
        yield _table(HEAD, rows, text_columns=2)
        yield f"–: not published{'; ' + beyond if beyond else ''}."


def _loading(snapshot: SnapshotFacts) -> Iterable[str]:
    yield 'With rsflow (`pip install "rsflow[train]"`), each sample once per epoch over all ranks and workers:'
    yield (
        "```python\n"
        "import rsflow\n"
        "from torch.utils.data import DataLoader\n\n"
        f'samples = rsflow.stream("{snapshot.root}", split="train", dialect="qwen")\n'
        "for sample in DataLoader(samples, batch_size=None, num_workers=4):\n"
        '    picture, instructions = sample["image"], sample["instructions"]\n'
        "```"
    )
    yield "With plain [webdataset](https://github.com/webdataset/webdataset); boxes are pixels of the picture:"
    # webdataset opens local paths and https by itself, and anything else through a command.
    prefix, suffix = ("pipe:aws s3 cp ", " -") if snapshot.root.startswith("s3://") else ("", "")
    yield (
        "```python\n"
        "import json\n\n"
        "import fsspec\n"
        "import webdataset\n\n"
        f'root = "{snapshot.root}"\n'
        f'with fsspec.open(f"{{root}}/{snapshot.manifest}") as file:\n'
        '    listed = json.load(file)["splits"]["train"]["shards"]\n'
        f"shards = [f\"{prefix}{{root}}/{{shard['path']}}{suffix}\" for shard in listed]\n"
        'for sample in webdataset.WebDataset(shards, shardshuffle=False).decode("pil"):\n'
        '    picture, record = sample.get("jpg", sample.get("png")), sample["json"]\n'
        "```"
    )


def _how_made(snapshot: SnapshotFacts) -> str:
    rows = [
        ["snapshot", f"`{snapshot.manifest}`"],
        ["digest of the content", f"`{snapshot.digest}`"],
        ["fingerprint of the resolved configuration", f"`{snapshot.config_fingerprint}`"],
        ["seed", str(snapshot.seed)],
    ]
    return _table(["", "value"], rows, text_columns=2)


def _tally_table(tally: Tally) -> str:
    head, *rows = tally_table(tally)
    return _table(["task", *head[1:]], rows)


def _table(head: list[str], rows: list[list[str]], text_columns: int = 1) -> str:
    """A Markdown table whose source lines up too; columns after the first `text_columns` hold numbers, set to the right."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in [head, *rows]]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(head))]
    rule = ["-" * width if column < text_columns else "-" * (width - 1) + ":" for column, width in enumerate(widths)]
    lines = [
        [
            cell.ljust(width) if column < text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in cells
    ]
    lines.insert(1, rule)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"
