"""What `rsflow sources` says: each source of a configuration, found or missing, counted against what is published.

One idea: the same readers that a build uses do the counting, so what is found here is what a build would find; and for what is
missing it says where it is looked for and where it is to be had.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rsflow import annotations as formats
from rsflow.config.availability import describe_disallowed, missing_pattern
from rsflow.config.settings import BuildConfig, Source
from rsflow.config.stac_settings import OF_ITEMS
from rsflow.errors import RsflowError
from rsflow.readers import list_scenes
from rsflow.readers.listing.scene_listing import pattern_folders
from rsflow.report.build_summary import align_columns

WIDTH = 100


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source and what is there of it. `missing`: the pattern without files. `fault`: why its files could not be read."""

    source: Source
    pictures: int = 0
    records: int = 0
    rejected: int = 0
    missing: str = ""
    fault: str = ""

    @property
    def word(self) -> str:
        return "missing" if self.missing else "unusable" if self.fault else "found"


def source_state(source: Source) -> SourceState:
    """Look for a source, and count its scenes and annotation records."""
    from rsflow.stac.listing import list_stac_scenes

    if pattern := missing_pattern(source):
        return SourceState(source, missing=pattern)
    try:
        pictures = len(list_stac_scenes(source).scenes if source.scenes.stac else list_scenes(source))
        annotated = (
            formats.read_annotations(source.annotated_set, pattern_folders(source.scenes)) if source.annotated_set else None
        )
    except RsflowError as error:
        return SourceState(source, fault=str(error))
    labels = sum(len(picture.labels) for picture in annotated.pictures.values()) if annotated else 0
    return SourceState(source, pictures, labels, len(annotated.rejects) if annotated else 0)


def source_states(built: BuildConfig, on_source: Callable[[], None] = lambda: None) -> list[SourceState]:
    """The state of every source, in the order of the configuration; `on_source` is called after each, to show progress."""
    states = []
    for source in built.sources:
        states.append(source_state(source))
        on_source()
    return states


def sources_text(built: BuildConfig, states: list[SourceState]) -> str:
    """The table of all sources, what is missing with how to get it, and what the licences mean for a build."""
    lines = [*align_columns(_rows(states)), "", _total_line(states)]
    for title, chosen in (("missing", [s for s in states if s.missing]), ("unusable", [s for s in states if s.fault])):
        if chosen:
            lines += ["", f"{title}:", *(line for state in chosen for line in _source_lines(state))]
    if disallowed := describe_disallowed(built):
        lines += ["", *_wrap(f"licences: {disallowed}", "")]
    return "\n".join(line.rstrip() for line in lines)


def _rows(states: list[SourceState]) -> list[list[str]]:
    head = ["source", "sensor", "tasks", "licence", "state", "pictures", "published", "records", "published", "rejected"]
    rows = [head]
    for state in states:
        known = state.source.published
        counts = [f"{n:,}" if not state.missing and not state.fault else "" for n in _counts(state)]
        tasks = ", ".join(known.tasks) or "-"
        words = [state.source.name, state.source.sensor, tasks, state.source.licence or OF_ITEMS, state.word]
        rows.append([*words, counts[0], _number(known.pictures), counts[1], _number(known.records), counts[2]])
    # `aligned` sets every column but the first to the right, which suits numbers; words are filled to their column's width.
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return [[cell.ljust(widths[i]) if i < 5 else cell for i, cell in enumerate(row)] for row in rows]


def _counts(state: SourceState) -> tuple[int, int, int]:
    return state.pictures, state.records, state.rejected


def _total_line(states: list[SourceState]) -> str:
    found = sum(state.word == "found" for state in states)
    sets = {state.source.published.part_of or state.source.name for state in states}
    of = f" ({len(sets)} sets)" if len(sets) < len(states) else ""
    return f"{found} of {len(states)} sources{of} found, {sum(state.pictures for state in states):,} pictures"


def _source_lines(state: SourceState) -> Iterable[str]:
    known = state.source.published
    yield f"  {state.source.name}"
    if state.fault:
        yield from _wrap(state.fault.replace("\n", " "), "    ")
        return
    yield f"    looked for  {state.missing}"
    yield f"    home        {known.home or 'not known'}"
    if known.get:
        yield from _wrap(f"how to get  {known.get}", "    ", " " * 16)


def _wrap(text: str, first: str, later: str | None = None) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=first if later is None else later, break_long_words=False
    )


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"
