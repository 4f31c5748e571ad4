"""What `rsflow build` says at its end: what exists now, where, what left and why, and where the time went.

One idea: a pure function from plain numbers to plain text of at most 100 columns, aligned, so that it reads the same in a
terminal, a log file and a mail. Only places and words longer than a line are ever longer.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rsflow.report.text.counts_table import Tally, by_count, format_bytes, tally_table
from rsflow.report.text.usage_text import usage_text

WIDTH = 100
_LABEL = 12


@dataclass(frozen=True, slots=True)
class SceneCounts:
    """Scenes by what this run found them to be: `done` were labelled by an earlier run and needed nothing."""

    new: int = 0
    changed: int = 0
    done: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class ShardCounts:
    """The snapshot's shards: how many, their bytes, how many of them this run wrote, and samples by split."""

    shards: int
    bytes: int
    written: int
    samples: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What a model's step took: seconds in all, until its first result and until all its workers had given one, the share of
    their time in which it ran, the seconds that its GPUs were held idle, amounts by name, and the amounts that were expected
    (empty: nothing was measured)."""

    name: str
    tiles: int
    seconds: float
    first_seconds: float
    ramp_seconds: float
    busy_share: float
    idle_gpu_seconds: float
    amounts: Mapping[str, float]
    expected: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class BuildSummary:
    """The results of a run.

    `root`: the lake. `snapshot`: the place of the snapshot's manifest, or None where no shards were asked for. `rejects`: by
    reason. `instructions`: by (task, sensor). `seconds`: by phase or stage, in order. `balances`: lines that show that rows in
    equal rows kept and left, as the engine worded them. `empty_sources`: by name, why it contributes nothing. `unplaced`: by
    source, selected pictures of which neither ground nor parent is known.
    """

    root: str
    scenes: SceneCounts
    tiles_kept: int
    rejects: Mapping[str, int]
    instructions: Tally
    seconds: Mapping[str, float]
    snapshot: str | None = None
    shards: ShardCounts | None = None
    balances: tuple[str, ...] = field(default=())
    models: tuple[ModelUse, ...] = ()
    empty_sources: Mapping[str, str] = field(default_factory=dict)
    unplaced: Mapping[str, int] = field(default_factory=dict)


def summary_text(summary: BuildSummary) -> str:
    """The summary, lines separated by newlines, without one at the end."""
    return "\n".join(
        [
            *_entry("lake", [summary.root]),
            *(_entry("snapshot", [summary.snapshot]) if summary.snapshot else []),
            *_entry("scenes", [_scenes(summary.scenes)]),
            *_entry("tiles", [f"{summary.tiles_kept:,} kept"]),
            *_entry("rejects", _rejects(summary.rejects)),
            *_entry("instructions", align_columns(tally_table(summary.instructions)) if summary.instructions else ["none"]),
            *(_shards(summary.shards) if summary.shards else []),
            *_entry("balance", summary.balances),
            *_entry("empty source", (f"{name}: {why}" for name, why in summary.empty_sources.items())),
            *_entry(
                "unknown ground", map(_unplaced_text, *zip(*summary.unplaced.items(), strict=True)) if summary.unplaced else []
            ),
            *_entry("models", map(_model_text, summary.models)),
            *_entry("time", [", ".join(f"{name} {_duration(value)}" for name, value in summary.seconds.items())]),
        ]
    )


def _unplaced_text(source: str, count: int) -> str:
    return (
        f"{source}: {count:,} pictures tell neither where they lie nor what they were cut from: parts that two of them "
        "share are in one split, but whether pictures of two splits are neighbours is not known"
    )


def align_columns(rows: list[list[str]]) -> list[str]:
    """Rows of a table as lines: the first column set to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]


def _entry(label: str, texts: Iterable[str]) -> Iterable[str]:
    """The texts beside a label, each wrapped; nothing for no text."""
    for number, text in enumerate(text for text in texts if text):
        first = (label if number == 0 else "").ljust(_LABEL) + "  "
        later = " " * (_LABEL + 4)
        # Runs of spaces are what aligns a table: a text that fits stays as it is.
        if len(first) + len(text) <= WIDTH:
            yield (first + text).rstrip()
        else:
            wrapper = textwrap.TextWrapper(WIDTH, first, later, break_long_words=False, break_on_hyphens=False)
            # A number stays on the line of its unit or reason: textwrap does not break at a no-break space.
            kept = re.sub(r"(\d) (?=\w)", "\\1\N{NO-BREAK SPACE}", text)
            yield from (line.replace("\N{NO-BREAK SPACE}", " ") for line in wrapper.wrap(kept))


def _scenes(scenes: SceneCounts) -> str:
    text = f"{scenes.new:,} new, {scenes.changed:,} changed, {scenes.done:,} done before, {scenes.rejected:,} rejected"
    return text if scenes.new or scenes.changed else f"{text}: nothing new to label"


def _rejects(rejects: Mapping[str, int]) -> list[str]:
    if not rejects:
        return ["none"]
    rows = [[reason.replace("_", " "), f"{count:,}"] for reason, count in by_count(rejects)]
    return align_columns([*rows, ["all", f"{sum(rejects.values()):,}"]])


def _model_text(use: ModelUse) -> str:
    idle = f", GPUs idle for {_duration(use.idle_gpu_seconds)}" if use.idle_gpu_seconds else ""
    spent_seconds = max(use.seconds, 1e-9)
    tokens = use.amounts.get("tokens_out", 0)
    rate = f"{use.tiles / spent_seconds:.1f}/s" + (f", {tokens / spent_seconds:,.1f} tokens/s" if tokens else "")
    parts = [
        f"{use.name}: {use.tiles:,} tiles in {_duration(use.seconds)} ({rate}), first after {_duration(use.first_seconds)}, "
        f"all workers after {_duration(use.ramp_seconds)}, running {use.busy_share:.0%} of their time{idle}",
        f"used {usage_text(use.amounts)}",
    ]
    return "; ".join(parts + ([f"expected {usage_text(use.expected)}"] if use.expected else []))


def _shards(shards: ShardCounts) -> Iterable[str]:
    total = sum(shards.samples.values())
    by_split = ", ".join(f"{split} {count:,}" for split, count in shards.samples.items())
    yield from _entry("samples", [f"{total:,} ({by_split})" if by_split else "0"])
    wrote = f"{shards.written:,} written now" if shards.written else "all there already"
    yield from _entry("shards", [f"{shards.shards:,} of {format_bytes(shards.bytes)} together, {wrote}"])


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
